//! Signature packets (RFC 9580, section 5.2) and the files that hold detached ones.
//!
//! rPGP reads a signature whole or not at all, and hands out its parts anew. Here the octets are needed as they were signed, and a
//! revocation with one odd subpacket must not be lost, so subpackets are read here.

use std::sync::Arc;
use std::time::Duration;

use crate::armor::{self, Around};
use crate::assessment::KeyFlags;
use crate::error::{PacketError, RevocationReason, SignatureError, SignatureRefusal};
use crate::fingerprint::{Fingerprint, KeyHandle};
use crate::hash::{HashAlgorithm, Hasher};
use crate::key::multiprecision_integer;
use crate::limits;
use crate::packet::{self, Packets, Slice, Treatment, tag};
use crate::policy::Notation;
use crate::time::Timestamp;

/// Signature types (RFC 9580, section 5.2.1).
pub(crate) mod kind {
    pub(crate) const BINARY: u8 = 0x00;
    pub(crate) const TEXT: u8 = 0x01;
    pub(crate) const FIRST_CERTIFICATION: u8 = 0x10;
    pub(crate) const LAST_CERTIFICATION: u8 = 0x13;
    pub(crate) const SUBKEY_BINDING: u8 = 0x18;
    pub(crate) const PRIMARY_KEY_BINDING: u8 = 0x19;
    pub(crate) const DIRECT_KEY: u8 = 0x1f;
    pub(crate) const KEY_REVOCATION: u8 = 0x20;
    pub(crate) const SUBKEY_REVOCATION: u8 = 0x28;
    pub(crate) const CERTIFICATION_REVOCATION: u8 = 0x30;
}

/// One detached signature file: armored or binary, one or several signatures. Parsed, not yet judged.
///
/// ```no_run
/// use countersign_verify::DetachedSignature;
/// let signature = DetachedSignature::from_bytes(&std::fs::read("SHA256SUMS.asc")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DetachedSignature {
    packets: Vec<SignaturePacket>,
    octets: Arc<[u8]>,
    form: Form,
}

/// How OpenPGP packets are written down (RFC 9580, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As text.
    Armored,
    /// As they are.
    Binary,
}

impl DetachedSignature {
    /// From the octets of a signature file: binary packets, or one or several `PGP SIGNATURE` blocks.
    ///
    /// # Errors
    /// Anything that is not one detached signature file, such as a message, a key, text around the block or
    /// trailing garbage; more than [`limits::SIGNATURES`] signatures or [`limits::SIGNATURE_FILE_BYTES`] octets.
    /// A single signature that cannot be parsed is no error here: it is refused where it is judged.
    pub fn from_bytes(input: &[u8]) -> Result<Self, SignatureError> {
        if input.len() > limits::SIGNATURE_FILE_BYTES {
            let (size, limit) = (input.len(), limits::SIGNATURE_FILE_BYTES);
            return Err(SignatureError::TooLarge { size, limit });
        }
        if input.trim_ascii().is_empty() {
            return Err(SignatureError::Empty);
        }
        if armor::is_binary(input) {
            return Self::from_packets(input.into(), Form::Binary);
        }
        if !armor::is_armored(input) {
            return Err(SignatureError::NotOpenPgp);
        }
        let mut packets = Vec::new();
        for (kind, octets) in
            armor::decode(input, Around::WhiteSpace).map_err(SignatureError::Armor)?
        {
            match kind {
                armor::Kind::Signature | armor::Kind::Any => {}
                armor::Kind::PublicKey | armor::Kind::PrivateKey => {
                    return Err(SignatureError::Key);
                }
                armor::Kind::ClearSigned => return Err(SignatureError::ClearSigned),
                armor::Kind::Message => return Err(SignatureError::Message),
                armor::Kind::Other => {
                    return Err(SignatureError::Armor(crate::error::ArmorError::WrongKind));
                }
            }
            packets.extend_from_slice(&octets);
        }
        Self::from_packets(packets.into(), Form::Armored)
    }

    fn from_packets(octets: Arc<[u8]>, form: Form) -> Result<Self, SignatureError> {
        let mut signatures = Vec::new();
        for (index, found) in Packets::new(Slice::whole(octets.clone())).enumerate() {
            let malformed = |detail| SignatureError::Packet { index, detail };
            let found = match found {
                // Compressed, encrypted and literal data may be of any length.
                Err(PacketError::NoFixedLength {
                    tag: 8 | 9 | 11 | 18 | 20,
                }) => {
                    return Err(SignatureError::Message);
                }
                found => found.map_err(malformed)?,
            };
            match found.tag {
                tag::SIGNATURE => signatures.push(SignaturePacket { body: found.body }),
                tag::PUBLIC_KEY | tag::PUBLIC_SUBKEY | tag::SECRET_KEY | tag::SECRET_SUBKEY => {
                    return Err(SignatureError::Key);
                }
                // Session keys, one-pass signature, compressed, encrypted and literal data.
                1 | 3 | 4 | 8 | 9 | 11 | 18 | 20 => return Err(SignatureError::Message),
                other => match packet::unexpected(other) {
                    Treatment::Skip => {}
                    Treatment::Refuse(detail) => return Err(malformed(detail)),
                },
            }
            if signatures.len() > limits::SIGNATURES {
                return Err(SignatureError::TooMany {
                    limit: limits::SIGNATURES,
                });
            }
        }
        if signatures.is_empty() {
            return Err(SignatureError::NoSignature);
        }
        Ok(Self {
            packets: signatures,
            octets,
            form,
        })
    }

    /// The packets, binary, each as it came, those that are no signature among them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.octets.to_vec()
    }

    /// How the file held them.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// How many signatures there are. At least one.
    #[must_use]
    pub fn signatures(&self) -> usize {
        self.packets.len()
    }

    pub(crate) fn packets(&self) -> &[SignaturePacket] {
        &self.packets
    }
}

/// A signature packet that nobody has looked into yet.
#[derive(Debug, Clone)]
pub(crate) struct SignaturePacket {
    pub(crate) body: Slice,
}

impl SignaturePacket {
    /// The signature type, without parsing the rest. None for versions that are not supported.
    pub(crate) fn kind(&self) -> Option<u8> {
        match *self.body {
            [4 | 6, kind, ..] | [3, 5, kind, ..] => Some(kind),
            _ => None,
        }
    }

    /// A signature on a certificate: as for data, and revocations of version 3, which count.
    pub(crate) fn parse_on_certificate(&self) -> Option<Signature> {
        let parsed = self.parse().ok();
        parsed.or_else(|| Signature::parse_version_3(&self.body).filter(Signature::is_revocation))
    }

    /// Whether the octets of a key id stand anywhere in the packet. Who issued a signature names itself in it; this
    /// passes over thousands of third-party signatures without parsing them.
    pub(crate) fn mentions(&self, fingerprint: &Fingerprint) -> bool {
        let id = fingerprint.key_id();
        self.body.windows(id.len()).any(|window| window == id)
    }

    pub(crate) fn parse(&self) -> Result<Signature, SignatureRefusal> {
        Signature::parse(&self.body)
    }
}

/// The algorithm-specific part of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignatureValue {
    /// Big-endian, as the multiprecision integer holds it.
    Rsa(Vec<u8>),
    Ed25519Legacy([u8; 64]),
    Ed25519([u8; 64]),
    Unsupported,
}

/// A parsed signature. Everything that counts comes from the hashed area; `issuers` may be a hint from the other.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) algorithm: u8,
    pub(crate) hash_id: u8,
    pub(crate) created: Option<Timestamp>,
    pub(crate) issuers: Vec<KeyHandle>,
    /// Whether they stand in the hashed area.
    issuers_signed: bool,
    pub(crate) key_validity: Option<Duration>,
    /// None without a key flags subpacket.
    pub(crate) flags: Option<KeyFlags>,
    pub(crate) primary_user_id: bool,
    pub(crate) reason: RevocationReason,
    pub(crate) notations: Vec<Notation>,
    pub(crate) critical_notations: Vec<String>,
    pub(crate) unknown_critical: Option<u8>,
    /// Bodies of embedded signatures, of the hashed and the unhashed area.
    pub(crate) embedded: Vec<SignaturePacket>,
    pub(crate) value: SignatureValue,
    pub(crate) salt: Vec<u8>,
    digest_prefix: [u8; 2],
    validity: Option<Duration>,
    /// From the version octet to the end of the hashed subpackets.
    signed: Slice,
}

impl Signature {
    fn parse(body: &Slice) -> Result<Self, SignatureRefusal> {
        let &[version, kind, algorithm, hash_id, ..] = &**body else {
            return Err(SignatureRefusal::Malformed);
        };
        if !matches!(version, 4 | 6) {
            return Err(SignatureRefusal::UnsupportedVersion { version });
        }
        let areas = Areas::locate(body, version).ok_or(SignatureRefusal::Malformed)?;
        let mut signature = Self {
            version,
            kind,
            algorithm,
            hash_id,
            created: None,
            issuers: Vec::new(),
            issuers_signed: false,
            key_validity: None,
            flags: None,
            primary_user_id: false,
            reason: RevocationReason::Absent,
            notations: Vec::new(),
            critical_notations: Vec::new(),
            unknown_critical: None,
            embedded: Vec::new(),
            value: value(algorithm, &areas.value).ok_or(SignatureRefusal::Malformed)?,
            salt: areas.salt.to_vec(),
            digest_prefix: areas.digest_prefix,
            validity: None,
            signed: areas.signed,
        };
        let salt_fits = signature
            .hash()
            .is_none_or(|hash| hash.salt_octets() == areas.salt.len());
        let read = signature.read(&areas.hashed, &areas.unhashed);
        if read.is_none() && !signature.is_revocation() || version == 6 && !salt_fits {
            return Err(SignatureRefusal::Malformed);
        }
        Ok(signature)
    }

    /// Version 3 (RFC 4880, section 5.2.2): no subpackets; type and creation time alone are hashed.
    fn parse_version_3(body: &Slice) -> Option<Self> {
        let (&[3, 5, kind], rest) = body.split_first_chunk()? else {
            return None;
        };
        let (created, rest) = rest.split_first_chunk()?;
        let (key_id, rest) = rest.split_first_chunk()?;
        let (&[algorithm, hash_id], rest) = rest.split_first_chunk()?;
        let (digest_prefix, octets) = rest.split_first_chunk()?;
        Some(Self {
            version: 3,
            kind,
            algorithm,
            hash_id,
            created: Some(Timestamp::from_unix(u32::from_be_bytes(*created).into())),
            issuers: vec![KeyHandle::KeyId(*key_id)],
            issuers_signed: false,
            key_validity: None,
            flags: None,
            primary_user_id: false,
            reason: RevocationReason::Absent,
            notations: Vec::new(),
            critical_notations: Vec::new(),
            unknown_critical: None,
            embedded: Vec::new(),
            value: value(algorithm, octets)?,
            salt: Vec::new(),
            digest_prefix: *digest_prefix,
            validity: None,
            signed: body.part(2..7),
        })
    }

    /// A revocation counts however odd its subpackets are: what can be read of them is, and no reason is a hard one.
    fn is_revocation(&self) -> bool {
        let revocations = [
            kind::KEY_REVOCATION,
            kind::SUBKEY_REVOCATION,
            kind::CERTIFICATION_REVOCATION,
        ];
        revocations.contains(&self.kind)
    }

    /// Takes over what the subpackets say. None if one of them is malformed; the others are taken over all the same.
    fn read(&mut self, hashed: &Slice, unhashed: &Slice) -> Option<()> {
        let mut well_formed = true;
        for found in Subpackets::new(hashed) {
            let meaning = found.and_then(|subpacket| subpacket.meaning());
            well_formed &= meaning.map(|meaning| self.take(meaning)).is_some();
        }
        self.issuers_signed = !self.issuers.is_empty();
        for found in Subpackets::new(unhashed) {
            // What is not signed is a hint, or proves itself.
            match found.and_then(|subpacket| subpacket.meaning()) {
                Some(Meaning::Issuer(issuer)) if !self.issuers_signed => self.issuers.push(issuer),
                Some(Meaning::EmbeddedSignature(body)) => {
                    self.embedded.push(SignaturePacket { body });
                }
                Some(_) => {}
                None => well_formed = false,
            }
        }
        (well_formed && self.issuers.len() <= limits::ISSUERS).then_some(())
    }

    /// Takes over what a hashed subpacket says. Of a subpacket that is repeated the last one counts.
    fn take(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Created(time) => self.created = Some(time),
            Meaning::Expires(after) => self.validity = Some(after),
            Meaning::KeyExpires(after) => self.key_validity = Some(after),
            Meaning::Issuer(issuer) => self.issuers.push(issuer),
            Meaning::KeyFlags(flags) => self.flags = Some(flags),
            Meaning::PrimaryUserId(primary) => self.primary_user_id = primary,
            Meaning::RevocationReason(reason) => self.reason = reason,
            Meaning::Notation { notation, critical } => {
                if critical {
                    self.critical_notations.push(notation.name.clone());
                }
                self.notations.push(notation);
            }
            Meaning::EmbeddedSignature(body) => self.embedded.push(SignaturePacket { body }),
            Meaning::UnknownCritical(id) => {
                self.unknown_critical.get_or_insert(id);
            }
            Meaning::NotNeeded => {}
        }
    }

    /// The hash, if it is one that somebody knows.
    pub(crate) fn hash(&self) -> Option<HashAlgorithm> {
        HashAlgorithm::from_id(self.hash_id)
    }

    /// When the signature's own life ends; none if it does not.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        let validity = self.validity.filter(|validity| !validity.is_zero())?;
        Some(self.created?.later(validity))
    }

    /// A running hash that has taken in the salt, if there is one (RFC 9580, section 5.2.4).
    pub(crate) fn hasher(&self) -> Option<Hasher> {
        let mut hasher = self.hash()?.hasher();
        hasher.update(&self.salt);
        Some(hasher)
    }

    /// What is hashed after the content: the signature's own signed part and the trailer (RFC 9580, section 5.2.4).
    pub(crate) fn trailer(&self) -> Vec<u8> {
        if self.version == 3 {
            return self.signed.to_vec();
        }
        // Bounded by the size of a file; the field counts modulo 2^32 all the same.
        let length = u32::try_from(self.signed.len()).unwrap_or(u32::MAX);
        [
            &self.signed,
            [self.version, 0xff].as_slice(),
            &length.to_be_bytes(),
        ]
        .concat()
    }

    /// The first two octets of the digest stand in the signature: a cheap test before the expensive one.
    pub(crate) fn has_prefix_of(&self, digest: &[u8]) -> bool {
        digest.starts_with(&self.digest_prefix)
    }

    /// Whether a revocation can be by the key. A hint that anybody could have changed rules nothing out.
    pub(crate) fn may_be_revocation_by(&self, fingerprint: &Fingerprint) -> bool {
        !self.issuers_signed || self.may_be_by(fingerprint)
    }

    /// Whether the signature names the key as its issuer, or nobody.
    pub(crate) fn may_be_by(&self, fingerprint: &Fingerprint) -> bool {
        self.issuers.is_empty() || self.issuers.iter().any(|issuer| issuer.names(fingerprint))
    }
}

fn reason(code: u8) -> RevocationReason {
    match code {
        0 => RevocationReason::Unspecified,
        1 => RevocationReason::Superseded,
        2 => RevocationReason::Compromised,
        3 => RevocationReason::Retired,
        32 => RevocationReason::UserIdInvalid,
        other => RevocationReason::Other(other),
    }
}

/// The algorithm-specific part (RFC 9580, section 5.2.3.2 to 5.2.3.5). None if it is malformed.
fn value(algorithm: u8, octets: &[u8]) -> Option<SignatureValue> {
    match algorithm {
        1 | 3 => {
            let (signature, rest) = multiprecision_integer(octets)?;
            let fits = signature.len() * 8 <= limits::SIGNATURE_INTEGER_BITS;
            (rest.is_empty() && fits).then(|| SignatureValue::Rsa(signature.to_vec()))
        }
        22 => {
            let (r, rest) = multiprecision_integer(octets)?;
            let (s, rest) = multiprecision_integer(rest)?;
            let known = legacy_ed25519(r, s).map(SignatureValue::Ed25519Legacy);
            rest.is_empty()
                .then_some(known.unwrap_or(SignatureValue::Unsupported))
        }
        27 => octets.try_into().ok().map(SignatureValue::Ed25519),
        _ => Some(SignatureValue::Unsupported),
    }
}

/// R and S are native little-endian octets, written as if they were big-endian integers, so that leading zeros are
/// lost (RFC 9580, section 5.2.3.3).
fn legacy_ed25519(r: &[u8], s: &[u8]) -> Option<[u8; 64]> {
    const HALF: usize = 32;
    let mut whole = [0; 2 * HALF];
    let (left, right) = whole.split_at_mut(HALF);
    left.get_mut(HALF.checked_sub(r.len())?..)?
        .copy_from_slice(r);
    right
        .get_mut(HALF.checked_sub(s.len())?..)?
        .copy_from_slice(s);
    Some(whole)
}

/// Where the parts of a version 4 or 6 signature body lie (RFC 9580, section 5.2.3).
struct Areas {
    signed: Slice,
    hashed: Slice,
    unhashed: Slice,
    digest_prefix: [u8; 2],
    salt: Slice,
    value: Slice,
}

impl Areas {
    fn locate(body: &Slice, version: u8) -> Option<Self> {
        /// Version, type, public-key algorithm, hash algorithm.
        const FIXED: usize = 4;
        let width = if version == 6 { 4 } else { 2 };
        let part = |from: usize, length: usize| {
            let end = from.checked_add(length)?;
            (end <= body.len()).then(|| body.part(from..end))
        };
        let counted = |at: usize, width: usize| -> Option<(Slice, usize)> {
            let length = part(at, width)?
                .iter()
                .fold(0, |sum, octet| sum << 8 | usize::from(*octet));
            let area = part(at + width, length)?;
            Some((area, at + width + length))
        };
        let (hashed, hashed_end) = counted(FIXED, width)?;
        let (unhashed, unhashed_end) = counted(hashed_end, width)?;
        let digest_prefix = part(unhashed_end, 2)?.first_chunk().copied()?;
        let after_prefix = unhashed_end + 2;
        let (salt, value_start) = match version {
            6 => counted(after_prefix, 1)?,
            _ => (body.part(0..0), after_prefix),
        };
        let signed = part(0, hashed_end)?;
        let value = body.part(value_start..body.len());
        Some(Self {
            signed,
            hashed,
            unhashed,
            digest_prefix,
            salt,
            value,
        })
    }
}

/// One subpacket (RFC 9580, section 5.2.3.7).
struct Subpacket {
    id: u8,
    critical: bool,
    body: Slice,
}

/// What a subpacket says, as far as it matters here.
enum Meaning {
    Created(Timestamp),
    Expires(Duration),
    KeyExpires(Duration),
    Issuer(KeyHandle),
    KeyFlags(KeyFlags),
    PrimaryUserId(bool),
    RevocationReason(RevocationReason),
    Notation {
        notation: Notation,
        critical: bool,
    },
    EmbeddedSignature(Slice),
    /// Not understood, and critical.
    UnknownCritical(u8),
    /// Understood and of no concern to a verifier, or not critical.
    NotNeeded,
}

impl Subpacket {
    /// None if the body is not of the form that its type has.
    fn meaning(&self) -> Option<Meaning> {
        let body: &[u8] = &self.body;
        let number = || body.try_into().ok().map(u32::from_be_bytes);
        let duration = || number().map(|seconds| Duration::from_secs(seconds.into()));
        Some(match self.id {
            2 => Meaning::Created(Timestamp::from_unix(number()?.into())),
            3 => Meaning::Expires(duration()?),
            9 => Meaning::KeyExpires(duration()?),
            16 => Meaning::Issuer(KeyHandle::KeyId(body.try_into().ok()?)),
            20 => Meaning::Notation {
                notation: notation(body)?,
                critical: self.critical,
            },
            25 => match body {
                [flag] => Meaning::PrimaryUserId(*flag == 1),
                _ => return None,
            },
            27 => Meaning::KeyFlags(KeyFlags::from_octets(body)),
            29 => Meaning::RevocationReason(reason(*body.first()?)),
            EMBEDDED_SIGNATURE => Meaning::EmbeddedSignature(embeddable(&self.body)?),
            33 => match body.split_first()? {
                (4, octets) => issuer(Fingerprint::v4(octets.try_into().ok()?)),
                (6, octets) => issuer(Fingerprint::v6(octets.try_into().ok()?)),
                // A key of a version that makes no signature here.
                _ => Meaning::NotNeeded,
            },
            // Of no concern here, and known: exportable, trust, regular expression, revocable, preferences, designated
            // revoker, key server, policy, signer's user id, features, signature target, intended recipient.
            4..=7 | 11 | 12 | 21..=24 | 26 | 28 | 30 | 31 | 34 | 35 | 39 => Meaning::NotNeeded,
            id if self.critical => Meaning::UnknownCritical(id),
            _ => Meaning::NotNeeded,
        })
    }
}

const EMBEDDED_SIGNATURE: u8 = 32;

/// An embedded signature (RFC 9580, section 5.2.3.34) that embeds none itself. Nothing needs a second level, and thousands have
/// crashed verifiers.
fn embeddable(body: &Slice) -> Option<Slice> {
    let areas = match **body {
        [version @ (4 | 6), ..] => Areas::locate(body, version)?,
        _ => return None,
    };
    let mut subpackets = Subpackets::new(&areas.hashed).chain(Subpackets::new(&areas.unhashed));
    subpackets
        .all(|found| found.is_some_and(|own| own.id != EMBEDDED_SIGNATURE))
        .then(|| body.clone())
}

fn issuer(fingerprint: Fingerprint) -> Meaning {
    Meaning::Issuer(KeyHandle::Fingerprint(fingerprint))
}

/// RFC 9580, section 5.2.3.24: four octets of flags, two lengths, name, value.
fn notation(body: &[u8]) -> Option<Notation> {
    let (_flags, rest) = body.split_first_chunk::<4>()?;
    let (name_length, rest) = rest.split_first_chunk()?;
    let (value_length, rest) = rest.split_first_chunk()?;
    let (name, value) = rest.split_at_checked(u16::from_be_bytes(*name_length).into())?;
    (value.len() == usize::from(u16::from_be_bytes(*value_length))).then(|| Notation {
        name: String::from_utf8_lossy(name).into_owned(),
        value: value.to_vec(),
    })
}

/// The subpackets of an area. Ends after one that is cut off, which is given as none.
struct Subpackets<'a> {
    area: &'a Slice,
    at: usize,
}

impl<'a> Subpackets<'a> {
    fn new(area: &'a Slice) -> Self {
        Self { area, at: 0 }
    }

    /// Where the subpacket at `self.at` has its type octet and its end (RFC 9580, section 5.2.3.7).
    fn bounds(&self) -> Option<(usize, usize)> {
        let (header, length) = match *self.area.get(self.at..)? {
            [first @ 0..=191, ..] => (1, usize::from(first)),
            [first @ 192..=254, second, ..] => (
                2,
                ((usize::from(first) - 192) << 8) + usize::from(second) + 192,
            ),
            [255, a, b, c, d, ..] => (5, usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?),
            _ => return None,
        };
        let start = self.at + header;
        let end = start.checked_add(length)?;
        (length > 0 && end <= self.area.len()).then_some((start, end))
    }
}

impl Iterator for Subpackets<'_> {
    type Item = Option<Subpacket>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.area.len() {
            return None;
        }
        let Some((start, end)) = self.bounds() else {
            self.at = self.area.len();
            return Some(None);
        };
        self.at = end;
        let id = self.area.get(start).copied().unwrap_or_default();
        let body = self.area.part(start + 1..end);
        Some(Some(Subpacket {
            id: id & 0x7f,
            critical: id & 0x80 != 0,
            body,
        }))
    }
}
