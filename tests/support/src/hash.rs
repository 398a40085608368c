//! The hash algorithms of RFC 9580 section 9.5.

use sha2::Digest;

/// A hash algorithm: its id, its digest, and what a signature needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// MD5, id 1.
    Md5,
    /// SHA-1, id 2.
    Sha1,
    /// RIPEMD-160, id 3.
    Ripemd160,
    /// SHA-256, id 8.
    Sha256,
    /// SHA-384, id 9.
    Sha384,
    /// SHA-512, id 10.
    Sha512,
    /// SHA-224, id 11.
    Sha224,
    /// SHA3-256, id 12.
    Sha3_256,
    /// SHA3-512, id 14.
    Sha3_512,
    /// Any other id; the digest is that of SHA-256.
    Unknown(u8),
}

impl Hash {
    /// Every hash that RFC 9580 defines.
    pub const ALL: [Self; 9] = [
        Self::Md5,
        Self::Sha1,
        Self::Ripemd160,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha3_256,
        Self::Sha3_512,
    ];

    /// The algorithm id.
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
            Self::Unknown(id) => id,
        }
    }

    /// The name that a `Hash` header of a clear-signed text carries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Ripemd160 => "RIPEMD160",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
            Self::Sha224 => "SHA224",
            Self::Sha3_256 => "SHA3-256",
            Self::Sha3_512 => "SHA3-512",
            Self::Unknown(_) => "UNKNOWN",
        }
    }

    /// The digest of `data`.
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => md5::Md5::digest(data).to_vec(),
            Self::Sha1 => sha1::Sha1::digest(data).to_vec(),
            Self::Ripemd160 => ripemd::Ripemd160::digest(data).to_vec(),
            Self::Sha256 | Self::Unknown(_) => sha2::Sha256::digest(data).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(data).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(data).to_vec(),
            Self::Sha224 => sha2::Sha224::digest(data).to_vec(),
            Self::Sha3_256 => sha3::Sha3_256::digest(data).to_vec(),
            Self::Sha3_512 => sha3::Sha3_512::digest(data).to_vec(),
        }
    }

    /// The number of salt octets in a version 6 signature (RFC 9580 table 23); 16 where the RFC states none.
    pub fn salt_length(self) -> usize {
        match self {
            Self::Sha384 => 24,
            Self::Sha512 | Self::Sha3_512 => 32,
            _ => 16,
        }
    }

    /// The `DigestInfo` that PKCS#1 v1.5 pads: the prefix of RFC 9580 section 5.2.3.1, then the digest.
    pub fn digest_info(self, digest: &[u8]) -> Vec<u8> {
        /// 2.16.840.1.101.3.4.2, the arc of NIST's hash algorithms.
        const NIST: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
        let nist = |last: u8| [&NIST[..], &[last]].concat();
        let oid = match self {
            Self::Md5 => vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05],
            Self::Sha1 => vec![0x2b, 0x0e, 0x03, 0x02, 0x1a],
            Self::Ripemd160 => vec![0x2b, 0x24, 0x03, 0x02, 0x01],
            Self::Sha256 | Self::Unknown(_) => nist(1),
            Self::Sha384 => nist(2),
            Self::Sha512 => nist(3),
            Self::Sha224 => nist(4),
            Self::Sha3_256 => nist(8),
            Self::Sha3_512 => nist(10),
        };
        let identifier = der(0x30, &[der(0x06, &oid), der(0x05, &[])].concat());
        der(0x30, &[identifier, der(0x04, digest)].concat())
    }
}

fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).expect("a DigestInfo stays below 128 octets");
    [&[tag, length], body].concat()
}

#[cfg(test)]
mod tests {
    use super::Hash;

    #[test]
    fn digest_infos_are_those_of_the_rfc() {
        // RFC 9580 section 5.2.3.1.
        let cases: [(Hash, &[u8]); 3] = [
            (
                Hash::Sha1,
                &[
                    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00,
                    0x04, 0x14,
                ],
            ),
            (
                Hash::Ripemd160,
                &[
                    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x24, 0x03, 0x02, 0x01, 0x05, 0x00,
                    0x04, 0x14,
                ],
            ),
            (
                Hash::Sha512,
                &[
                    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                    0x02, 0x03, 0x05, 0x00, 0x04, 0x40,
                ],
            ),
        ];
        for (hash, prefix) in cases {
            let digest = hash.digest(b"");
            assert_eq!(
                hash.digest_info(&digest),
                [prefix, &digest].concat(),
                "{hash:?}"
            );
        }
    }
}
