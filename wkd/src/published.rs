//! What of a certificate is served for one mail address: the keys, the user ids that hold it, and the signatures that the
//! certificate's own key made on these (draft-koch-openpgp-webkey-service-22, sections 3.1 and 5). Packets are copied as they came.

use std::collections::{BTreeMap, BTreeSet};

use countersign_verify::{Fingerprint, PacketError};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::address::{Address, AddressError};
use crate::limits;
use crate::packet::{Packet, Packets, misplaced, tag};

/// A packet and the signatures that follow it.
#[derive(Debug, Clone)]
pub(crate) struct Component<'a> {
    pub(crate) head: Packet<'a>,
    pub(crate) signatures: Vec<Packet<'a>>,
}

/// A certificate's packets in their places. Repeated ones are there once.
#[derive(Debug, Clone)]
pub(crate) struct Components<'a> {
    pub(crate) fingerprint: Fingerprint,
    /// The first is the primary key.
    pub(crate) all: Vec<Component<'a>>,
}

/// Why packets are no certificate that can be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unpublishable {
    /// It holds secret key material.
    #[error("it is a secret key, and a directory is public")]
    SecretKey,
    /// A key of a version that no client takes.
    #[error("its key is of version {version}; clients take versions 4, 5 and 6")]
    KeyVersion {
        /// The version.
        version: u8,
    },
    /// A damaged packet, or one that has no place in a certificate.
    #[error("{0}")]
    Packet(PacketError),
}

impl<'a> Components<'a> {
    /// From the packets between one primary key and the next.
    pub(crate) fn parse(octets: &'a [u8]) -> Result<Self, Unpublishable> {
        let mut packets = Packets::new(octets);
        let head = packets.next().ok_or(PacketError::Header);
        let head = head.and_then(|head| head).map_err(Unpublishable::Packet)?;
        if head.tag == tag::SECRET_KEY {
            return Err(Unpublishable::SecretKey);
        }
        let fingerprint = fingerprint(head.body)?;
        let mut all = vec![Component {
            head,
            signatures: Vec::new(),
        }];
        let mut places: BTreeMap<(u8, &[u8]), usize> = BTreeMap::new();
        // None after a packet that is left out, whose signatures are, too.
        let mut current = Some(0);
        for packet in packets {
            let packet = packet.map_err(Unpublishable::Packet)?;
            match packet.tag {
                tag::SIGNATURE => {
                    let place = current.and_then(|current| all.get_mut(current));
                    if let Some(component) = place {
                        component.signatures.push(packet);
                    }
                }
                tag::USER_ID | tag::USER_ATTRIBUTE | tag::PUBLIC_SUBKEY => {
                    let next = all.len();
                    let place = *places.entry((packet.tag, packet.body)).or_insert(next);
                    current = Some(place);
                    if place == next {
                        all.push(Component {
                            head: packet,
                            signatures: Vec::new(),
                        });
                    }
                }
                tag::MARKER | tag::PADDING | tag::TRUST => {}
                tag::FIRST_NON_CRITICAL.. => current = None,
                tag::SECRET_KEY | tag::SECRET_SUBKEY => return Err(Unpublishable::SecretKey),
                other => return Err(Unpublishable::Packet(misplaced(other))),
            }
        }
        for component in &mut all {
            component.drop_repeated();
        }
        Ok(Self { fingerprint, all })
    }

    pub(crate) fn user_ids(&self) -> impl Iterator<Item = &Component<'a>> {
        self.all.iter().filter(|own| own.head.tag == tag::USER_ID)
    }

    /// Leaves out user attributes, what others than the certificate's own key signed, and subkeys that it did not bind. A
    /// revocation of the key is kept wherever it stands, and so is one by a key that the certificate named for that.
    pub(crate) fn own(&self) -> Self {
        let key_id = key_id(&self.fingerprint);
        let own =
            |signature: &Packet<'_>| Issuers::of(signature.body).name(&self.fingerprint, key_id);
        let designated = self.designated_revokers(own);
        let by_designated = |signature: &Packet<'_>| {
            let is_revocation = matches!(
                kind(signature.body),
                Some(KEY_REVOCATION | SUBKEY_REVOCATION)
            );
            is_revocation
                && designated
                    .iter()
                    .any(|revoker| Issuers::of(signature.body).name_expressly(revoker))
        };
        let counts = |signature: &&Packet<'a>| own(signature) || by_designated(signature);
        let mut all: Vec<Component<'a>> = Vec::new();
        let mut moved = Vec::new();
        for component in &self.all {
            let is_attribute = component.head.tag == tag::USER_ATTRIBUTE;
            let kept: Vec<Packet<'a>> = component
                .signatures
                .iter()
                .filter(counts)
                .copied()
                .collect();
            if is_attribute {
                moved.extend(kept.into_iter().filter(revokes_key));
                continue;
            }
            if component.head.tag == tag::PUBLIC_SUBKEY && kept.is_empty() {
                continue;
            }
            all.push(Component {
                head: component.head,
                signatures: kept,
            });
        }
        self.of(all, moved)
    }

    /// With only those user ids of which `wanted` holds.
    pub(crate) fn with_user_ids(&self, wanted: impl Fn(&Component<'a>) -> bool) -> Self {
        let mut all: Vec<Component<'a>> = Vec::new();
        let mut moved = Vec::new();
        for component in &self.all {
            if component.head.tag != tag::USER_ID || wanted(component) {
                all.push(component.clone());
                continue;
            }
            moved.extend(component.signatures.iter().copied().filter(revokes_key));
        }
        self.of(all, moved)
    }

    /// A part of it, with revocations of the key that stood elsewhere.
    fn of(&self, mut all: Vec<Component<'a>>, moved: Vec<Packet<'a>>) -> Self {
        if let Some(primary) = all.first_mut() {
            primary.signatures.extend(moved);
            primary.drop_repeated();
        }
        Self {
            fingerprint: self.fingerprint,
            all,
        }
    }

    /// Keys that the certificate's own signatures name as revokers (RFC 9580, section 5.2.3.23): their fingerprints.
    fn designated_revokers(&self, own: impl Fn(&Packet<'_>) -> bool) -> BTreeSet<Fingerprint> {
        let on_key = self.all.first().into_iter().flat_map(|own| &own.signatures);
        let named = on_key.filter(|packet| own(packet)).flat_map(|packet| {
            let (hashed, _) = areas(packet.body).unwrap_or_default();
            Subpackets(hashed).filter_map(|(id, body)| match (id, body) {
                (REVOCATION_KEY, [_class, _algorithm, octets @ ..]) => {
                    let text: String = octets.iter().map(|own| format!("{own:02X}")).collect();
                    text.parse().ok()
                }
                _ => None,
            })
        });
        named.take(limits::DESIGNATED_REVOKERS).collect()
    }

    /// Adds what another copy of the certificate has and this one lacks.
    fn merge(&mut self, other: Self) {
        let mut places: BTreeMap<(u8, &[u8]), usize> = BTreeMap::new();
        for (place, own) in self.all.iter().enumerate() {
            places.insert((own.head.tag, own.head.body), place);
        }
        for theirs in other.all {
            let place = places.get(&(theirs.head.tag, theirs.head.body));
            match place.and_then(|place| self.all.get_mut(*place)) {
                Some(own) => {
                    own.signatures.extend(theirs.signatures);
                    own.drop_repeated();
                }
                None => self.all.push(theirs),
            }
        }
        // Stable: primary key, user ids, subkeys have ascending type ids, as they have to stand (RFC 9580, section 10.1).
        self.all.sort_by_key(|own| own.head.tag);
    }

    /// The packets, each as it came.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let packets = self
            .all
            .iter()
            .flat_map(|own| [&own.head].into_iter().chain(&own.signatures));
        let mut octets = Vec::new();
        packets.for_each(|packet| octets.extend_from_slice(packet.raw));
        octets
    }
}

impl Component<'_> {
    fn drop_repeated(&mut self) {
        if self.signatures.len() > 1 {
            let mut seen = BTreeSet::new();
            self.signatures.retain(|own| seen.insert(own.body));
        }
    }

    /// The user id's mail address.
    pub(crate) fn address(&self) -> Result<Address, AddressError> {
        Address::from_user_id(self.head.body)
    }
}

/// Two copies of a certificate as one. The first one's packets come first.
pub(crate) fn merged(one: &[u8], other: &[u8]) -> Result<Vec<u8>, Unpublishable> {
    if one == other {
        return Ok(one.to_vec());
    }
    let mut whole = Components::parse(one)?;
    whole.merge(Components::parse(other)?);
    Ok(whole.to_bytes())
}

/// Whether two copies have the same primary key packet. Equal fingerprints do not prove it.
pub(crate) fn same_primary(one: &[u8], other: &[u8]) -> bool {
    let primary = |octets| Packets::new(octets).next()?.ok();
    match (primary(one), primary(other)) {
        (Some(one), Some(other)) => one.body == other.body,
        _ => false,
    }
}

/// RFC 9580, section 5.5.4; version 5 is of the LibrePGP draft.
fn fingerprint(body: &[u8]) -> Result<Fingerprint, Unpublishable> {
    let damaged = Unpublishable::Packet(PacketError::Key);
    let &[version, ..] = body else {
        return Err(damaged);
    };
    let digest = match version {
        4 => {
            let length = u16::try_from(body.len()).map_err(|_| damaged.clone())?;
            let hash = Sha1::new().chain_update([0x99]);
            let hash = hash.chain_update(length.to_be_bytes());
            hash.chain_update(body).finalize().to_vec()
        }
        5 | 6 => {
            let length = u32::try_from(body.len()).map_err(|_| damaged.clone())?;
            let hash = Sha256::new().chain_update([0x95 + version]);
            let hash = hash.chain_update(length.to_be_bytes());
            hash.chain_update(body).finalize().to_vec()
        }
        version => return Err(Unpublishable::KeyVersion { version }),
    };
    let hexadecimal: String = digest.iter().map(|octet| format!("{octet:02X}")).collect();
    hexadecimal.parse().map_err(|_| damaged)
}

fn key_id(fingerprint: &Fingerprint) -> &[u8] {
    let octets = fingerprint.as_bytes();
    let id = if octets.len() == 20 {
        octets.last_chunk::<8>()
    } else {
        octets.first_chunk::<8>()
    };
    id.map_or(&[], |id| id.as_slice())
}

/// Signature types (RFC 9580, section 5.2.1).
pub(crate) const KEY_REVOCATION: u8 = 0x20;
const SUBKEY_REVOCATION: u8 = 0x28;
pub(crate) const CERTIFICATION_REVOCATION: u8 = 0x30;
pub(crate) const CERTIFICATIONS: std::ops::RangeInclusive<u8> = 0x10..=0x13;

/// Subpacket type ids (RFC 9580, section 5.2.3.7).
const CREATED: u8 = 2;
const REVOCATION_KEY: u8 = 12;
const ISSUER_KEY_ID: u8 = 16;
const ISSUER_FINGERPRINT: u8 = 33;

/// The type of a signature.
pub(crate) fn kind(body: &[u8]) -> Option<u8> {
    match *body {
        [4..=6, kind, ..] | [2 | 3, 5, kind, ..] => Some(kind),
        _ => None,
    }
}

/// When a signature was made, as its hashed area says.
pub(crate) fn created(body: &[u8]) -> Option<u32> {
    let (hashed, _) = areas(body)?;
    let mut found = Subpackets(hashed).filter(|(id, _)| *id == CREATED);
    Some(u32::from_be_bytes(found.next()?.1.try_into().ok()?))
}

fn revokes_key(signature: &Packet<'_>) -> bool {
    kind(signature.body) == Some(KEY_REVOCATION)
}

/// Whom a signature names as its issuer: by what is hashed, and only where that names nobody by what is not. Anybody can change
/// the latter, and gpg puts key ids there.
struct Issuers<'a> {
    version_3: Option<&'a [u8]>,
    area: &'a [u8],
    /// One that cannot be read is by nobody.
    readable: bool,
}

impl<'a> Issuers<'a> {
    fn of(body: &'a [u8]) -> Self {
        let found = areas(body);
        let (hashed, unhashed) = found.unwrap_or_default();
        let named = |area| Subpackets(area).any(|(id, _)| is_issuer(id));
        Self {
            version_3: match body {
                [2 | 3, 5, rest @ ..] => rest.get(5..13),
                _ => None,
            },
            area: if named(hashed) { hashed } else { unhashed },
            readable: found.is_some(),
        }
    }

    /// Whether they may be this key. One that names nobody may be by anybody.
    fn name(&self, fingerprint: &Fingerprint, key_id: &[u8]) -> bool {
        if let Some(id) = self.version_3 {
            return id == key_id;
        }
        let mut anybody = self.readable;
        for (id, body) in Subpackets(self.area).filter(|(id, _)| is_issuer(*id)) {
            anybody = false;
            let own = match id {
                ISSUER_KEY_ID => body == key_id,
                _ => body.get(1..) == Some(fingerprint.as_bytes()),
            };
            if own {
                return true;
            }
        }
        anybody
    }

    /// Whether they say that they are this key.
    fn name_expressly(&self, fingerprint: &Fingerprint) -> bool {
        let names_somebody = Subpackets(self.area).any(|(id, _)| is_issuer(id));
        names_somebody && self.name(fingerprint, key_id(fingerprint))
    }
}

fn is_issuer(id: u8) -> bool {
    matches!(id, ISSUER_KEY_ID | ISSUER_FINGERPRINT)
}

/// The hashed and the unhashed subpackets of a signature (RFC 9580, section 5.2.3).
fn areas(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&version, rest) = body.split_first()?;
    let rest = rest.get(3..)?;
    let (hashed, rest) = area(version, rest)?;
    let (unhashed, _) = area(version, rest)?;
    Some((hashed, unhashed))
}

fn area(version: u8, octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match version {
        4 | 5 => {
            let (length, rest) = octets.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        6 => {
            let (length, rest) = octets.split_first_chunk()?;
            (usize::try_from(u32::from_be_bytes(*length)).ok()?, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// The subpackets of an area: type id and body. Ends at one that is cut off.
struct Subpackets<'a>(&'a [u8]);

impl<'a> Iterator for Subpackets<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, length) = match *self.0 {
            [first @ 0..=191, ..] => (1, usize::from(first)),
            [first @ 192..=254, second, ..] => (
                2,
                ((usize::from(first) - 192) << 8) + usize::from(second) + 192,
            ),
            [255, a, b, c, d, ..] => (5, usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?),
            _ => return None,
        };
        let (subpacket, rest) = self.0.get(header..)?.split_at_checked(length)?;
        self.0 = rest;
        let (id, body) = subpacket.split_first()?;
        Some((id & 0x7f, body))
    }
}
