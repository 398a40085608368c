//! Signature packets (RFC 9580, section 5.2) and the files that hold detached ones.

use std::sync::Arc;
use std::time::Duration;

use pgp::packet::{PacketHeader, Subpacket, SubpacketData};
use pgp::types::{SignatureBytes, Tag};

use crate::armor;
use crate::error::{RevocationReason, SignatureError, SignatureRefusal};
use crate::fingerprint::{Fingerprint, KeyHandle};
use crate::hash::{HashAlgorithm, Hasher};
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
            return Self::from_packets(input.into());
        }
        if !armor::is_armored(input) {
            return Err(SignatureError::NotOpenPgp);
        }
        let mut packets = Vec::new();
        for (kind, octets) in armor::decode(input).map_err(SignatureError::Armor)? {
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
        Self::from_packets(packets.into())
    }

    fn from_packets(octets: Arc<[u8]>) -> Result<Self, SignatureError> {
        let mut signatures = Vec::new();
        for (index, found) in Packets::new(Slice::whole(octets)).enumerate() {
            let malformed = |detail| SignatureError::Packet { index, detail };
            let found = found.map_err(malformed)?;
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
        })
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
            [4 | 6, kind, ..] => Some(kind),
            _ => None,
        }
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
    pub(crate) key_validity: Option<Duration>,
    /// Whether the sign flag is set; none without a key flags subpacket.
    pub(crate) may_sign: Option<bool>,
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
        Self::parse_supported(body, version, kind, algorithm, hash_id)
            .ok_or(SignatureRefusal::Malformed)
    }

    fn parse_supported(
        body: &Slice,
        version: u8,
        kind: u8,
        algorithm: u8,
        hash_id: u8,
    ) -> Option<Self> {
        let header = PacketHeader::new_fixed(Tag::Signature, u32::try_from(body.len()).ok()?);
        let mut rest: &[u8] = body;
        let parsed = pgp::packet::Signature::try_from_reader(header, &mut rest).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let config = parsed.config()?;
        let areas = Areas::locate(body, version)?;
        let mut signature = Self {
            version,
            kind,
            algorithm,
            hash_id,
            created: None,
            issuers: Vec::new(),
            key_validity: None,
            may_sign: None,
            primary_user_id: false,
            reason: RevocationReason::Absent,
            notations: Vec::new(),
            critical_notations: Vec::new(),
            unknown_critical: None,
            embedded: Vec::new(),
            value: value(algorithm, parsed.signature()?),
            salt: areas.salt.to_vec(),
            digest_prefix: parsed.signed_hash_value()?,
            validity: None,
            signed: areas.signed,
        };
        for subpacket in &config.hashed_subpackets {
            signature.take(subpacket);
        }
        if signature.issuers.is_empty() {
            let unhashed = config.unhashed_subpackets.iter();
            signature
                .issuers
                .extend(unhashed.filter_map(|subpacket| issuer(&subpacket.data)));
        }
        signature.embedded.extend(embedded(&areas.hashed));
        signature.embedded.extend(embedded(&areas.unhashed));
        Some(signature)
    }

    /// Takes over what a hashed subpacket says. Of a subpacket that is repeated the last one counts.
    fn take(&mut self, subpacket: &Subpacket) {
        match &subpacket.data {
            SubpacketData::SignatureCreationTime(time) => {
                self.created = Some(Timestamp::from_unix(time.as_secs().into()));
            }
            SubpacketData::SignatureExpirationTime(after) => {
                self.validity = Some(Duration::from_secs(after.as_secs().into()));
            }
            SubpacketData::KeyExpirationTime(after) => {
                self.key_validity = Some(Duration::from_secs(after.as_secs().into()));
            }
            SubpacketData::KeyFlags(flags) => self.may_sign = Some(flags.sign()),
            SubpacketData::IsPrimary(primary) => self.primary_user_id = *primary,
            SubpacketData::RevocationReason(code, _) => self.reason = reason((*code).into()),
            SubpacketData::Notation(notation) => {
                let name = String::from_utf8_lossy(&notation.name).into_owned();
                if subpacket.is_critical {
                    self.critical_notations.push(name.clone());
                }
                self.notations.push(Notation {
                    name,
                    value: notation.value.to_vec(),
                });
            }
            SubpacketData::Experimental(id, _) | SubpacketData::Other(id, _)
                if subpacket.is_critical =>
            {
                self.unknown_critical.get_or_insert(*id);
            }
            data => self.issuers.extend(issuer(data)),
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

    /// Whether the signature names the key as its issuer, or nobody.
    pub(crate) fn may_be_by(&self, fingerprint: &Fingerprint) -> bool {
        self.issuers.is_empty() || self.issuers.iter().any(|issuer| issuer.names(fingerprint))
    }
}

fn issuer(data: &SubpacketData) -> Option<KeyHandle> {
    match data {
        SubpacketData::IssuerKeyId(id) => Some(KeyHandle::KeyId(id.as_ref().try_into().ok()?)),
        SubpacketData::IssuerFingerprint(fingerprint) => {
            let octets = fingerprint.as_bytes();
            let fingerprint = match octets.len() {
                20 => Fingerprint::v4(octets.try_into().ok()?),
                32 => Fingerprint::v6(octets.try_into().ok()?),
                _ => return None,
            };
            Some(KeyHandle::Fingerprint(fingerprint))
        }
        _ => None,
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

fn value(algorithm: u8, octets: &SignatureBytes) -> SignatureValue {
    let known = match (algorithm, octets) {
        (1 | 3, SignatureBytes::Mpis(integers)) => match integers.as_slice() {
            [signature] => Some(SignatureValue::Rsa(signature.as_ref().to_vec())),
            _ => None,
        },
        (22, SignatureBytes::Mpis(integers)) => match integers.as_slice() {
            [r, s] => legacy_ed25519(r.as_ref(), s.as_ref()).map(SignatureValue::Ed25519Legacy),
            _ => None,
        },
        (27, SignatureBytes::Native(octets)) => {
            octets.as_ref().try_into().ok().map(SignatureValue::Ed25519)
        }
        _ => None,
    };
    known.unwrap_or(SignatureValue::Unsupported)
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
    salt: Slice,
}

impl Areas {
    fn locate(body: &Slice, version: u8) -> Option<Self> {
        /// Version, type, public-key algorithm, hash algorithm.
        const FIXED: usize = 4;
        let width = if version == 6 { 4 } else { 2 };
        let length = |at: usize| -> Option<usize> {
            let octets = body.get(at..at.checked_add(width)?)?;
            Some(
                octets
                    .iter()
                    .fold(0, |length, octet| length << 8 | usize::from(*octet)),
            )
        };
        let hashed_start = FIXED + width;
        let hashed_end = hashed_start.checked_add(length(FIXED)?)?;
        let unhashed_start = hashed_end.checked_add(width)?;
        let unhashed_end = unhashed_start.checked_add(length(hashed_end)?)?;
        // Two octets of the digest come before the salt's length.
        let salt_length_at = unhashed_end.checked_add(2)?;
        let salt = if version == 6 {
            let salt_start = salt_length_at.checked_add(1)?;
            let salt_length = usize::from(*body.get(salt_length_at)?);
            salt_start..salt_start.checked_add(salt_length)?
        } else {
            0..0
        };
        (salt_length_at.max(salt.end) <= body.len()).then(|| Self {
            signed: body.part(0..hashed_end),
            hashed: body.part(hashed_start..hashed_end),
            unhashed: body.part(unhashed_start..unhashed_end),
            salt: body.part(salt),
        })
    }
}

/// The embedded signatures of a subpacket area, as they stand there: rPGP hands out parsed ones only, and what was signed
/// are the octets.
fn embedded(area: &Slice) -> Vec<SignaturePacket> {
    const EMBEDDED_SIGNATURE: u8 = 32;
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, end)) = subpacket(area, at) {
        if area
            .get(start)
            .is_some_and(|id| id & 0x7f == EMBEDDED_SIGNATURE)
        {
            found.push(SignaturePacket {
                body: area.part(start + 1..end),
            });
        }
        at = end;
    }
    found
}

/// Where the subpacket at `at` has its type octet and its end (RFC 9580, section 5.2.3.7).
fn subpacket(area: &[u8], at: usize) -> Option<(usize, usize)> {
    let (start, length) = match *area.get(at..)? {
        [first @ 0..=191, ..] => (at + 1, usize::from(first)),
        [first @ 192..=254, second, ..] => (
            at + 2,
            ((usize::from(first) - 192) << 8) + usize::from(second) + 192,
        ),
        [255, a, b, c, d, ..] => (
            at + 5,
            usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?,
        ),
        _ => return None,
    };
    let end = start.checked_add(length)?;
    (length > 0 && end <= area.len()).then_some((start, end))
}
