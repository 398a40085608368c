//! JSON Web Key Sets (RFC 7517, section 5): what registries of version 3 read from a file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::jws::UnsupportedKey;
use super::key_id::{KeyId, coordinates};
use crate::public_key::PublicKey;

/// Keys of a set, each entry one key under one key id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks(Vec<(KeyId, PublicKey)>);

/// Octets of a document. A thousand RSA-4096 keys fit.
const DOCUMENT_OCTETS: usize = 1024 * 1024;

/// Keys of a document. A rotation has two, each under up to three key ids.
const KEYS: usize = 256;

impl Jwks {
    /// No key yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one key more, under each of those ids.
    ///
    /// # Errors
    /// A key that signs no tokens, or an id that another key has.
    pub fn with_key(
        mut self,
        key: &PublicKey,
        ids: impl IntoIterator<Item = KeyId>,
    ) -> Result<Self, JwksError> {
        if matches!(key, PublicKey::Ed25519(_)) {
            return Err(JwksError::Key(UnsupportedKey {
                key: key.to_string(),
            }));
        }
        for id in ids {
            match self.get(id.as_str()) {
                Some(own) if own == key => {}
                Some(_) => {
                    return Err(JwksError::TakenId { id });
                }
                None => self.0.push((id, key.clone())),
            }
        }
        Ok(self)
    }

    /// The key under that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&PublicKey> {
        let mut entries = self.0.iter();
        entries
            .find(|(own, _)| own.as_str() == id)
            .map(|(_, key)| key)
    }

    /// All entries in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&KeyId, &PublicKey)> {
        self.0.iter().map(|(id, key)| (id, key))
    }

    /// As a JSON document with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let jwk = |(id, key): &'_ (KeyId, PublicKey)| match key {
            // An RSA key signs by any of three algorithms: none is named.
            PublicKey::Rsa { modulus, exponent } => Some(json!({
                "kty": "RSA", "use": "sig", "kid": id, "n": encode(modulus), "e": encode(exponent),
            })),
            PublicKey::P256(point) => {
                let (x, y) = coordinates(point);
                Some(json!({
                    "kty": "EC", "use": "sig", "kid": id, "alg": "ES256", "crv": "P-256",
                    "x": encode(x), "y": encode(y),
                }))
            }
            PublicKey::Ed25519(_) => None,
        };
        let keys: Vec<Value> = self.0.iter().filter_map(jwk).collect();
        let document = json!({ "keys": keys });
        let mut text = format!("{document:#}");
        text.push('\n');
        text
    }

    /// From a JSON document. Keys of other kinds are skipped, as RFC 7517, section 5, says.
    ///
    /// # Errors
    /// No key set, a key without an id, an RSA or P-256 key that is none, more than a document holds.
    pub fn from_json(octets: &[u8]) -> Result<Self, JwksError> {
        if octets.len() > DOCUMENT_OCTETS {
            return Err(JwksError::TooLarge {
                limit: DOCUMENT_OCTETS,
            });
        }
        let document: Value =
            serde_json::from_slice(octets).map_err(|_| JwksError::Malformed { what: "JSON" })?;
        let keys = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(JwksError::Malformed {
                what: "a list `keys`",
            })?;
        if keys.len() > KEYS {
            return Err(JwksError::TooMany { limit: KEYS });
        }
        let mut set = Self::new();
        for jwk in keys {
            let text = |name: &str| jwk.get(name).and_then(Value::as_str);
            let octets = |name: &'static str| {
                text(name)
                    .and_then(|own| URL_SAFE_NO_PAD.decode(own).ok())
                    .ok_or(JwksError::Malformed { what: name })
            };
            let key = match (text("kty"), text("crv")) {
                (Some("RSA"), _) => PublicKey::rsa(&octets("n")?, &octets("e")?),
                (Some("EC"), Some("P-256")) => {
                    let point = [vec![4], octets("x")?, octets("y")?].concat();
                    let point = point.try_into();
                    PublicKey::P256(point.map_err(|_| JwksError::Malformed {
                        what: "x and y of 32 octets",
                    })?)
                }
                _ => continue,
            };
            let id = text("kid").and_then(|own| KeyId::explicit(own).ok());
            let id = id.ok_or(JwksError::Malformed { what: "kid" })?;
            set = set.with_key(&key, [id])?;
        }
        Ok(set)
    }
}

/// Why there is no such key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// A key that signs no tokens.
    #[error(transparent)]
    Key(#[from] UnsupportedKey),
    /// Two keys would have one id.
    #[error("key id `{id}` is another key's already")]
    TakenId {
        /// The id.
        id: KeyId,
    },
    /// Not what RFC 7517 asks for.
    #[error("no JSON Web Key Set: no {what}")]
    Malformed {
        /// What is missing.
        what: &'static str,
    },
    /// Larger than any.
    #[error("more than {limit} octets are no JSON Web Key Set")]
    TooLarge {
        /// Octets at the most.
        limit: usize,
    },
    /// More than a registry needs.
    #[error("more than {limit} keys")]
    TooMany {
        /// Keys at the most.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyAlgorithm, LocalSigner, Signer as _};

    #[test]
    fn what_is_written_is_read_back() {
        let p256 = LocalSigner::generate(KeyAlgorithm::P256).unwrap();
        let rsa = PublicKey::rsa(&[0x81; 256], &[1, 0, 1]);
        let set = Jwks::new()
            .with_key(
                p256.public_key(),
                [
                    KeyId::thumbprint(p256.public_key()).unwrap(),
                    KeyId::libtrust(p256.public_key()).unwrap(),
                ],
            )
            .unwrap()
            .with_key(&rsa, [KeyId::explicit("old").unwrap()])
            .unwrap();
        assert_eq!(set.entries().count(), 3);
        assert_eq!(Jwks::from_json(set.to_json().as_bytes()), Ok(set.clone()));
        assert_eq!(set.get("old"), Some(&rsa));
        let taken = set
            .clone()
            .with_key(p256.public_key(), [KeyId::explicit("old").unwrap()]);
        assert!(matches!(taken, Err(JwksError::TakenId { .. })));
        let ed25519 = set.with_key(&PublicKey::Ed25519([0; 32]), []);
        assert!(matches!(ed25519, Err(JwksError::Key(_))));
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[{"kty":"RSA","kid":"a"}]}"#,
            r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
            r#"{"keys":[{"kty":"RSA","kid":"a","n":"AQAB==","e":"AQAB"}]}"#,
            r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA"}]}"#,
        ] {
            assert!(
                matches!(
                    Jwks::from_json(text.as_bytes()),
                    Err(JwksError::Malformed { .. })
                ),
                "{text}"
            );
        }
        let other = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"#;
        assert_eq!(Jwks::from_json(other.as_bytes()), Ok(Jwks::new()));
    }
}
