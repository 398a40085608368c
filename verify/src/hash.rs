//! Hash algorithms, and which of them carry authority.

use std::fmt;

use pgp::crypto::hash::HashAlgorithm as Implementation;
use sha2::digest::DynDigest;

/// A hash algorithm of OpenPGP (RFC 9580, section 9.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// MD5: broken.
    Md5,
    /// SHA-1: broken.
    Sha1,
    /// RIPEMD-160: too short.
    Ripemd160,
    /// SHA-224: too short.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA3-256.
    Sha3_256,
    /// SHA3-512.
    Sha3_512,
}

impl HashAlgorithm {
    pub(crate) fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            1 => Self::Md5,
            2 => Self::Sha1,
            3 => Self::Ripemd160,
            8 => Self::Sha256,
            9 => Self::Sha384,
            10 => Self::Sha512,
            11 => Self::Sha224,
            12 => Self::Sha3_256,
            14 => Self::Sha3_512,
            _ => return None,
        })
    }

    /// The algorithm's number (RFC 9580, section 9.5).
    #[must_use]
    pub fn id(self) -> u8 {
        match self {
            Self::Md5 => 1,
            Self::Sha1 => 2,
            Self::Ripemd160 => 3,
            Self::Sha256 => 8,
            Self::Sha384 => 9,
            Self::Sha512 => 10,
            Self::Sha224 => 11,
            Self::Sha3_256 => 12,
            Self::Sha3_512 => 14,
        }
    }

    /// Whether a signature may rest on it. A revocation counts whatever its hash.
    pub(crate) fn is_strong(self) -> bool {
        matches!(
            self,
            Self::Sha256 | Self::Sha384 | Self::Sha512 | Self::Sha3_256 | Self::Sha3_512
        )
    }

    /// Octets of a version 6 signature's salt (RFC 9580, section 9.5); 16 where the RFC names none.
    pub(crate) fn salt_octets(self) -> usize {
        implementation(self).salt_len().unwrap_or(16)
    }

    pub(crate) fn hasher(self) -> Hasher {
        let hasher = implementation(self).new_hasher();
        Hasher(hasher.expect("rPGP implements every algorithm of this enum"))
    }

    /// The DER that PKCS #1 v1.5 puts before the digest (RFC 8017, section 9.2, note 1; RFC 9580, section 5.2.3.1).
    pub(crate) fn digest_info(self) -> &'static [u8] {
        match self {
            Self::Md5 => {
                b"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"
            }
            Self::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
            Self::Ripemd160 => b"\x30\x21\x30\x09\x06\x05\x2b\x24\x03\x02\x01\x05\x00\x04\x14",
            Self::Sha224 => {
                b"\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c"
            }
            Self::Sha256 => {
                b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            }
            Self::Sha384 => {
                b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
            }
            Self::Sha512 => {
                b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
            }
            Self::Sha3_256 => {
                b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x08\x05\x00\x04\x20"
            }
            Self::Sha3_512 => {
                b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x0a\x05\x00\x04\x40"
            }
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Ripemd160 => "RIPEMD-160",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha3_256 => "SHA3-256",
            Self::Sha3_512 => "SHA3-512",
        })
    }
}

fn implementation(hash: HashAlgorithm) -> Implementation {
    match hash {
        HashAlgorithm::Md5 => Implementation::Md5,
        HashAlgorithm::Sha1 => Implementation::Sha1,
        HashAlgorithm::Ripemd160 => Implementation::Ripemd160,
        HashAlgorithm::Sha224 => Implementation::Sha224,
        HashAlgorithm::Sha256 => Implementation::Sha256,
        HashAlgorithm::Sha384 => Implementation::Sha384,
        HashAlgorithm::Sha512 => Implementation::Sha512,
        HashAlgorithm::Sha3_256 => Implementation::Sha3_256,
        HashAlgorithm::Sha3_512 => Implementation::Sha3_512,
    }
}

/// A running hash over any of the algorithms.
pub(crate) struct Hasher(Box<dyn DynDigest + Send>);

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was fed so far and `trailer`; the running state stays as it is.
    pub(crate) fn digest_with(&self, trailer: &[u8]) -> Vec<u8> {
        let mut copy = self.0.box_clone();
        copy.update(trailer);
        copy.finalize().into_vec()
    }
}
