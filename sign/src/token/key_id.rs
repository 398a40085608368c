//! What a token's header and a JWKS document call a key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::public_key::{PublicKey, PublicKeyError};

/// A key id: the `kid` of RFC 7515, section 4.1.4.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

/// Longer than any thumbprint and any ARN; a header must stay small.
const KEY_ID_OCTETS: usize = 256;

impl KeyId {
    /// The JWK thumbprint by SHA-256 (RFC 7638), which registries of version 3 compute.
    ///
    /// Registry 3.0 computes a constant for every P-256 key, and 3.1 another value where x or y begins with a zero octet: see
    /// [`super::verify`].
    ///
    /// # Errors
    /// An Ed25519 key: registries take none.
    pub fn thumbprint(key: &PublicKey) -> Result<Self, KeyIdError> {
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        // The members in lexicographic order, without white space (RFC 7638, section 3.3).
        let members = match key {
            PublicKey::Rsa { modulus, exponent } => format!(
                "{{\"e\":\"{}\",\"kty\":\"RSA\",\"n\":\"{}\"}}",
                encode(exponent),
                encode(modulus)
            ),
            PublicKey::P256(point) => {
                let (x, y) = coordinates(point);
                Self::p256_members(x, y)
            }
            PublicKey::Ed25519(_) => {
                return Err(KeyIdError::UnsupportedKey {
                    key: key.to_string(),
                });
            }
        };
        Ok(Self::of_members(&members))
    }

    pub(super) fn p256_members(x: &[u8], y: &[u8]) -> String {
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        format!(
            "{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{}\",\"y\":\"{}\"}}",
            encode(x),
            encode(y)
        )
    }

    pub(super) fn of_members(members: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(members)))
    }

    /// The key id of Docker's libtrust, which registries of version 2 compute: base32 of the first 30 octets of SHA-256 over the
    /// DER SubjectPublicKeyInfo, in twelve groups of four.
    ///
    /// # Errors
    /// A key that has no DER form.
    pub fn libtrust(key: &PublicKey) -> Result<Self, KeyIdError> {
        /// RFC 4648, section 6.
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        const OCTETS: usize = 30;
        let digest = Sha256::digest(key.to_spki_der()?);
        let mut text = String::with_capacity(OCTETS * 8 / 5 + 11);
        // Five octets are eight digits.
        for five in digest.iter().as_slice().chunks_exact(5).take(OCTETS / 5) {
            let bits = five
                .iter()
                .fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
            for place in 0..8 {
                if place % 4 == 0 && !text.is_empty() {
                    text.push(':');
                }
                let digit = bits >> (35 - 5 * place) & 31;
                let digit = usize::try_from(digit)
                    .ok()
                    .and_then(|own| ALPHABET.get(own));
                text.extend(digit.map(|octet| char::from(*octet)));
            }
        }
        Ok(Self(text))
    }

    /// A key id of the operator's own.
    ///
    /// # Errors
    /// It is empty, longer than 256 octets, or not of printable ASCII.
    pub fn explicit(text: impl Into<String>) -> Result<Self, KeyIdError> {
        let text = text.into();
        let fits = |octet: u8| octet.is_ascii_graphic() || octet == b' ';
        if text.is_empty() || text.len() > KEY_ID_OCTETS || !text.bytes().all(fits) {
            let (found, limit) = (text.len(), KEY_ID_OCTETS);
            return Err(KeyIdError::NotPrintable { found, limit });
        }
        Ok(Self(text))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// x and y of an uncompressed point, 32 octets each (SEC 1, section 2.3.3).
pub(super) fn coordinates(point: &[u8; 65]) -> (&[u8], &[u8]) {
    let (_, numbers) = point.split_first().unwrap_or((&0, &[]));
    numbers.split_at_checked(32).unwrap_or_default()
}

/// Why a key has no such id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyIdError {
    /// Registries take no such key.
    #[error("{key} signs no registry tokens: RSA and P-256 do")]
    UnsupportedKey {
        /// The key's algorithm.
        key: String,
    },
    /// The key has no DER form.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    /// The text is no key id.
    #[error("key id of {found} octets: 1 to {limit} of printable ASCII make one")]
    NotPrintable {
        /// Octets of the text.
        found: usize,
        /// Octets at the most.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn both(key: &PublicKey) -> (String, String) {
        let text = |id: Result<KeyId, KeyIdError>| id.unwrap().to_string();
        (text(KeyId::thumbprint(key)), text(KeyId::libtrust(key)))
    }

    #[test]
    fn the_key_of_rfc_7638_has_the_ids_that_are_known() {
        // Section 3.1.
        let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF\
            V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6\
            qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnq\
            DKgw";
        let key = PublicKey::rsa(&decoded(modulus), &decoded("AQAB"));
        assert_eq!(
            both(&key),
            (
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".to_owned(),
                "VUZD:EDHW:YWLN:RBFQ:KOA3:UVZ2:XKG5:2V2J:WTPI:6SRD:U6PZ:VCO5".to_owned()
            )
        );
    }

    #[test]
    fn p256_keys_have_the_ids_that_are_known() {
        let mut point = vec![4];
        point.extend(decoded("m7zUpx3b-zmVE5cymSs64POG9QcyEpJaYCD82-549_Q"));
        point.extend(decoded("dU3biz8sZ_8GPB-odm8Wxz3lNDr1xcAQQPQaOcr1fmc"));
        let key = PublicKey::P256(point.try_into().unwrap());
        assert_eq!(
            both(&key),
            (
                "8qjioA3ZA7ti2JIE7c-U8smBFuZolQZvhSHDPU3hhB8".to_owned(),
                "PYYO:TEWU:V7JH:26JV:AQTZ:LJC3:SXVJ:XGHA:34F2:2LAQ:ZRMK:Z7Q6".to_owned()
            )
        );
    }

    #[test]
    fn coordinates_keep_their_leading_zeros() {
        let spki = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAIWbU10/+Bt6q5eWFWUWKVvb424iLZZa9nbZ2TK6zKASuuar85ul5NhMi9SXoh29zZBhuo2Qr\
            T0KhxXAM5t10w==";
        let key = PublicKey::from_spki_der(&STANDARD.decode(spki).unwrap()).unwrap();
        assert_eq!(
            both(&key),
            (
                "UWcAuQx9BI5MqCUBN3eOu1Lzyha6LzNiP0j0uaxFUlk".to_owned(),
                "AENM:3UIN:5TFN:TFKV:KXUG:7OSI:FYDB:RTGK:ZVCH:5KMI:Z7UQ:4QSZ".to_owned()
            )
        );
    }

    #[test]
    fn what_is_no_key_id_is_refused() {
        assert!(matches!(
            KeyId::thumbprint(&PublicKey::Ed25519([0; 32])),
            Err(KeyIdError::UnsupportedKey { .. })
        ));
        for text in ["", "a\nb", "\u{e9}", &"x".repeat(257)] {
            assert!(KeyId::explicit(text).is_err(), "{text}");
        }
        assert_eq!(KeyId::explicit("key 1").unwrap().as_str(), "key 1");
    }
}
