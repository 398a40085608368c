//! Key packets (RFC 9580, section 5.5.2): what they hold, and whether a signature may rest on them.

use std::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

use crate::error::{KeyRole, SignatureRefusal};
use crate::fingerprint::Fingerprint;
use crate::hash::HashAlgorithm;
use crate::limits;
use crate::packet::Slice;
use crate::policy::Policy;
use crate::rsa;
use crate::signature::SignatureValue;
use crate::time::Timestamp;

/// A public-key algorithm (RFC 9580, section 9.1), with the size where it varies. Prints as `RSA-4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublicKeyAlgorithm {
    /// RSA; bits of the modulus itself, whatever the packet claims.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
    },
    /// Ed25519 as EdDSALegacy (22).
    Ed25519Legacy,
    /// Ed25519 (27).
    Ed25519,
    /// Any other algorithm id.
    Other(u8),
}

impl PublicKeyAlgorithm {
    /// The algorithm that a signature names. Only the key knows the size of an RSA modulus.
    pub(crate) fn of_signature(id: u8) -> Option<Self> {
        match id {
            1..=3 => None,
            22 => Some(Self::Ed25519Legacy),
            27 => Some(Self::Ed25519),
            other => Some(Self::Other(other)),
        }
    }

    /// A name without the size, for lists and JSON.
    fn family(id: u8) -> Option<&'static str> {
        Some(match id {
            2 => "encrypt-only RSA",
            16 | 20 => "Elgamal",
            17 => "DSA",
            18 => "ECDH",
            19 => "ECDSA",
            22 => "EdDSA",
            25 => "X25519",
            26 => "X448",
            27 => "Ed25519",
            28 => "Ed448",
            _ => return None,
        })
    }
}

impl fmt::Display for PublicKeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::Ed25519Legacy | Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(id) => match Self::family(*id) {
                Some(name) => f.write_str(name),
                None => write!(f, "{id}"),
            },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa(rsa::PublicKey),
    Ed25519([u8; 32]),
    Unsupported,
}

/// One key of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) version: u8,
    pub(crate) created: Timestamp,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) algorithm: PublicKeyAlgorithm,
    material: Material,
    body: Slice,
}

/// Algorithm ids of RFC 9580, section 9.1, that are looked into.
mod id {
    pub(super) const RSA: u8 = 1;
    pub(super) const RSA_SIGN_ONLY: u8 = 3;
    pub(super) const EDDSA_LEGACY: u8 = 22;
    pub(super) const ED25519: u8 = 27;
}

/// OID 1.3.6.1.4.1.11591.15.1 with its length (RFC 9580, section 9.2): the curve of EdDSALegacy that is accepted.
const ED25519_LEGACY_OID: &[u8] = b"\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01";

impl Key {
    /// From the body of a key packet. None if it is damaged or neither of version 4 nor 6.
    pub(crate) fn parse(body: &Slice) -> Option<Self> {
        let octets: &[u8] = body;
        let (&version, rest) = octets.split_first()?;
        let (created, rest) = rest.split_first_chunk::<4>()?;
        let (&algorithm, rest) = rest.split_first()?;
        let (material, fingerprint) = match version {
            4 => (rest, v4_fingerprint(octets)?),
            6 => {
                let (length, material) = rest.split_first_chunk::<4>()?;
                if usize::try_from(u32::from_be_bytes(*length)) != Ok(material.len()) {
                    return None;
                }
                (material, v6_fingerprint(octets)?)
            }
            _ => return None,
        };
        let (algorithm, material) = parse_material(version, algorithm, material)?;
        Some(Self {
            version,
            created: Timestamp::from_unix(u32::from_be_bytes(*created).into()),
            fingerprint,
            algorithm,
            material,
            body: body.clone(),
        })
    }

    /// The octets that stand for the key where it is signed (RFC 9580, section 5.2.4).
    pub(crate) fn signed_octets(&self) -> Vec<u8> {
        let mut octets = if self.version == 4 {
            let length = u16::try_from(self.body.len()).unwrap_or(u16::MAX);
            [&[0x99], length.to_be_bytes().as_slice()].concat()
        } else {
            let length = u32::try_from(self.body.len()).unwrap_or(u32::MAX);
            [&[0x9b], length.to_be_bytes().as_slice()].concat()
        };
        octets.extend_from_slice(&self.body);
        octets
    }

    pub(crate) fn body(&self) -> &Slice {
        &self.body
    }

    /// What only the holder of the same private key has, whatever packet it is wrapped in: the modulus, or the point.
    pub(crate) fn material(&self) -> &[u8] {
        match &self.material {
            Material::Rsa(key) => key.modulus(),
            Material::Ed25519(point) => point,
            Material::Unsupported => &self.body,
        }
    }

    /// Rule 5: the bar that primary and signing key must meet.
    pub(crate) fn meets(&self, policy: &Policy, role: KeyRole) -> Result<(), SignatureRefusal> {
        match &self.material {
            Material::Rsa(key) => {
                let (bits, min, max) =
                    (key.bits(), policy.min_rsa_bits(), limits::RSA_MODULUS_BITS);
                if bits > max {
                    Err(SignatureRefusal::KeyTooLarge { role, bits, max })
                } else if bits < min {
                    Err(SignatureRefusal::WeakKey { role, bits, min })
                } else if !key.is_safe() {
                    Err(SignatureRefusal::UnsafeRsaKey { role })
                } else {
                    Ok(())
                }
            }
            Material::Ed25519(point) => match safe_point(point) {
                Some(_) => Ok(()),
                None => Err(SignatureRefusal::UnsafePoint { role }),
            },
            Material::Unsupported => Err(SignatureRefusal::UnsupportedKeyAlgorithm {
                role,
                algorithm: self.algorithm,
            }),
        }
    }

    /// The key and signature operation: whether this key made this signature over this digest. Says nothing about
    /// whether the key or the hash may be used.
    pub(crate) fn verifies(
        &self,
        hash: HashAlgorithm,
        digest: &[u8],
        signature: &SignatureValue,
    ) -> bool {
        match (&self.material, self.algorithm, signature) {
            (Material::Rsa(key), _, SignatureValue::Rsa(signature)) => {
                key.verifies(hash, digest, signature)
            }
            (
                Material::Ed25519(point),
                PublicKeyAlgorithm::Ed25519Legacy,
                SignatureValue::Ed25519Legacy(signature),
            )
            | (
                Material::Ed25519(point),
                PublicKeyAlgorithm::Ed25519,
                SignatureValue::Ed25519(signature),
            ) => ed25519_verifies(point, digest, signature),
            _ => false,
        }
    }
}

/// Strict verification: no small order, no second encoding of key, R or S.
pub(crate) fn ed25519_verifies(point: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = Signature::from_bytes(signature);
    safe_point(point).is_some_and(|key| key.verify_strict(message, &signature).is_ok())
}

fn safe_point(point: &[u8; 32]) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_bytes(point).ok()?;
    let canonical = key.to_edwards().compress().to_bytes() == *point;
    (canonical && !key.is_weak()).then_some(key)
}

fn v4_fingerprint(body: &[u8]) -> Option<Fingerprint> {
    let length = u16::try_from(body.len()).ok()?;
    let octets = [&[0x99], length.to_be_bytes().as_slice(), body].concat();
    // rPGP's SHA-1 detects the known collision attacks and fails on them.
    let digest = pgp::crypto::hash::HashAlgorithm::Sha1
        .digest(&octets)
        .ok()?;
    Some(Fingerprint::v4(digest.try_into().ok()?))
}

fn v6_fingerprint(body: &[u8]) -> Option<Fingerprint> {
    use sha2::Digest as _;
    let length = u32::try_from(body.len()).ok()?;
    let digest = sha2::Sha256::new()
        .chain_update([0x9b])
        .chain_update(length.to_be_bytes())
        .chain_update(body)
        .finalize();
    Some(Fingerprint::v6(digest.into()))
}

fn parse_material(
    version: u8,
    algorithm: u8,
    octets: &[u8],
) -> Option<(PublicKeyAlgorithm, Material)> {
    let unsupported = (PublicKeyAlgorithm::Other(algorithm), Material::Unsupported);
    match algorithm {
        id::RSA | id::RSA_SIGN_ONLY => {
            let (modulus, rest) = multiprecision_integer(octets)?;
            let (exponent, rest) = multiprecision_integer(rest)?;
            let key = rsa::PublicKey::new(modulus, exponent);
            rest.is_empty().then(|| {
                (
                    PublicKeyAlgorithm::Rsa { bits: key.bits() },
                    Material::Rsa(key),
                )
            })
        }
        // Only version 4 keys may have it (RFC 9580, section 5.5.5.5).
        id::EDDSA_LEGACY if version == 4 => {
            let Some(rest) = octets.strip_prefix(ED25519_LEGACY_OID) else {
                return Some(unsupported);
            };
            let (point, rest) = multiprecision_integer(rest)?;
            // 0x40 says that the point is in its native form.
            let point = point.strip_prefix(&[0x40])?.try_into().ok()?;
            rest.is_empty()
                .then_some((PublicKeyAlgorithm::Ed25519Legacy, Material::Ed25519(point)))
        }
        id::ED25519 => Some((
            PublicKeyAlgorithm::Ed25519,
            Material::Ed25519(octets.try_into().ok()?),
        )),
        _ => Some(unsupported),
    }
}

/// A multiprecision integer (RFC 9580, section 3.2), as its octets, and what follows it.
pub(crate) fn multiprecision_integer(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bits, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*bits)).div_ceil(8))
}
