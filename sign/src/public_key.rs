//! The public half of a signer's key, in whatever wrapping it comes.

use std::fmt;

use countersign_verify::{CertificateKey, PublicKeyAlgorithm};
use pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};
use rsa::pkcs1;
use rsa::pkcs1::der::{Decode as _, Encode as _};

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublicKey {
    /// RSA. Big-endian, without leading zeros.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The public exponent.
        exponent: Vec<u8>,
    },
    /// Ed25519 (RFC 8032, section 5.1.5).
    Ed25519([u8; 32]),
    /// A point of P-256, uncompressed: `04`, x and y (SEC 1, section 2.3.3).
    P256([u8; 65]),
}

/// rsaEncryption (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-Ed25519 (RFC 8410, section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// id-ecPublicKey (RFC 5480, section 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// secp256r1 (RFC 5480, section 2.1.1.1).
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

impl PublicKey {
    /// An RSA key from big-endian octets; leading zeros are dropped.
    #[must_use]
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::Rsa {
            modulus: without_zeros(modulus).to_vec(),
            exponent: without_zeros(exponent).to_vec(),
        }
    }

    /// From a DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
    ///
    /// # Errors
    /// Anything but RSA, Ed25519 and uncompressed P-256.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| PublicKeyError::Malformed)?;
        let octets = info
            .subject_public_key
            .as_bytes()
            .ok_or(PublicKeyError::Malformed)?;
        match info.algorithm.oid {
            RSA => {
                let key =
                    pkcs1::RsaPublicKey::from_der(octets).map_err(|_| PublicKeyError::Malformed)?;
                Ok(Self::rsa(
                    key.modulus.as_bytes(),
                    key.public_exponent.as_bytes(),
                ))
            }
            ED25519 => {
                let point = octets.try_into().map_err(|_| PublicKeyError::Malformed)?;
                Ok(Self::Ed25519(point))
            }
            EC => match info.algorithm.parameters_oid() {
                Ok(P256) => match (octets.first(), octets.try_into()) {
                    (Some(4), Ok(point)) => Ok(Self::P256(point)),
                    _ => Err(PublicKeyError::Malformed),
                },
                Ok(curve) => Err(PublicKeyError::Unsupported {
                    found: format!("elliptic curve {curve}"),
                }),
                Err(_) => Err(PublicKeyError::Malformed),
            },
            other => Err(PublicKeyError::Unsupported {
                found: format!("algorithm {other}"),
            }),
        }
    }

    /// As a DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
    ///
    /// # Errors
    /// An RSA key too long for DER.
    pub fn to_spki_der(&self) -> Result<Vec<u8>, PublicKeyError> {
        let der = |oid, parameters, octets: &[u8]| {
            let algorithm = AlgorithmIdentifierRef { oid, parameters };
            let subject_public_key = rsa::pkcs1::der::asn1::BitStringRef::from_bytes(octets)?;
            SubjectPublicKeyInfoRef {
                algorithm,
                subject_public_key,
            }
            .to_der()
        };
        let encoded = match self {
            Self::Rsa { modulus, exponent } => {
                use rsa::pkcs1::der::asn1::UintRef;
                let encode = || {
                    let key = pkcs1::RsaPublicKey {
                        modulus: UintRef::new(modulus)?,
                        public_exponent: UintRef::new(exponent)?,
                    };
                    let null = rsa::pkcs1::der::asn1::AnyRef::NULL;
                    der(RSA, Some(null), &key.to_der()?)
                };
                encode()
            }
            Self::Ed25519(point) => der(ED25519, None, point),
            Self::P256(point) => der(EC, Some((&P256).into()), point),
        };
        encoded.map_err(|_| PublicKeyError::Malformed)
    }

    /// From PEM, `PUBLIC KEY` (RFC 7468, section 13).
    ///
    /// # Errors
    /// As [`PublicKey::from_spki_der`].
    pub fn from_spki_pem(pem: &str) -> Result<Self, PublicKeyError> {
        let malformed = |_| PublicKeyError::Malformed;
        let (label, document) = pkcs8::Document::from_pem(pem).map_err(malformed)?;
        if label != "PUBLIC KEY" {
            return Err(PublicKeyError::Malformed);
        }
        Self::from_spki_der(document.as_bytes())
    }

    /// As PEM, `PUBLIC KEY` (RFC 7468, section 13).
    ///
    /// # Errors
    /// As [`PublicKey::to_spki_der`].
    pub fn to_spki_pem(&self) -> Result<String, PublicKeyError> {
        let der = self.to_spki_der()?;
        let malformed = |_| PublicKeyError::Malformed;
        pkcs8::Document::try_from(der)
            .and_then(|own| own.to_pem("PUBLIC KEY", pkcs8::LineEnding::LF))
            .map_err(malformed)
    }

    /// The key that a certificate holds. None if it is neither RSA nor Ed25519.
    #[must_use]
    pub fn of_certificate(key: &CertificateKey<'_>) -> Option<Self> {
        /// Version, creation time and algorithm (RFC 9580, section 5.5.2.2).
        const HEAD: usize = 6;
        let body = key.packet_body();
        let (Some(4), Some(material)) = (body.first(), body.get(HEAD..)) else {
            return None;
        };
        match key.algorithm() {
            PublicKeyAlgorithm::Rsa { .. } => {
                let (modulus, rest) = multiprecision_integer(material)?;
                let (exponent, _) = multiprecision_integer(rest)?;
                Some(Self::rsa(modulus, exponent))
            }
            // Both forms end in the point.
            PublicKeyAlgorithm::Ed25519Legacy | PublicKeyAlgorithm::Ed25519 => {
                Some(Self::Ed25519(*material.last_chunk()?))
            }
            _ => None,
        }
    }

    /// Bits of the modulus, or of the field.
    #[must_use]
    pub fn bits(&self) -> u32 {
        match self {
            Self::Rsa { modulus, .. } => {
                let zeros = modulus.first().map_or(0, |octet| octet.leading_zeros());
                u32::try_from(modulus.len() * 8).map_or(u32::MAX, |bits| bits - zeros)
            }
            Self::Ed25519(_) | Self::P256(_) => 256,
        }
    }
}

/// Prints the algorithm: `RSA-4096`, `Ed25519`, `P-256`.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { .. } => write!(f, "RSA-{}", self.bits()),
            Self::Ed25519(_) => f.write_str("Ed25519"),
            Self::P256(_) => f.write_str("P-256"),
        }
    }
}

pub(crate) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// A multiprecision integer (RFC 9580, section 3.2), as its octets, and what follows it.
fn multiprecision_integer(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bits, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*bits)).div_ceil(8))
}

/// Why octets are no public key that is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// Not what its form demands.
    #[error("public key is malformed")]
    Malformed,
    /// An algorithm that is not used here.
    #[error("{found} is not supported: RSA, Ed25519 and P-256 are")]
    Unsupported {
        /// What it is.
        found: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let mut point = [7; 65];
        point[0] = 4;
        for key in [
            PublicKey::rsa(&[0, 0x80, 1, 1], &[1, 0, 1]),
            PublicKey::Ed25519([9; 32]),
            PublicKey::P256(point),
        ] {
            let der = key.to_spki_der().unwrap();
            assert_eq!(PublicKey::from_spki_der(&der), Ok(key));
            assert_eq!(
                PublicKey::from_spki_der(&der[..der.len() - 1]),
                Err(PublicKeyError::Malformed)
            );
        }
    }

    #[test]
    fn says_what_it_is() {
        assert_eq!(PublicKey::rsa(&[0, 0x7f, 1], &[3]).to_string(), "RSA-15");
        assert_eq!(PublicKey::Ed25519([0; 32]).to_string(), "Ed25519");
    }
}
