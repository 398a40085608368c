//! JSON Web Signatures in their compact form (RFC 7515, section 7.1), by any signer, each verified before it is handed out.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_verify::HashAlgorithm;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use serde::Serialize;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::key_id::KeyId;
use crate::public_key::PublicKey;
use crate::signer::{Scheme, SignRequest, Signer, SignerError};

/// Octets that are handed to a signer as they are; more are hashed here. AWS KMS takes no longer message (`MessageType` RAW).
pub const RAW_MESSAGE_OCTETS: usize = 4096;

/// How a token is signed (RFC 7518, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA over P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// What a key signs by unless told otherwise.
    ///
    /// # Errors
    /// A key that signs no tokens.
    pub fn of(key: &PublicKey) -> Result<Self, UnsupportedKey> {
        match key {
            PublicKey::Rsa { .. } => Ok(Self::Rs256),
            PublicKey::P256(_) => Ok(Self::Es256),
            PublicKey::Ed25519(_) => Err(UnsupportedKey {
                key: key.to_string(),
            }),
        }
    }

    /// As the header names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256];
        all.into_iter().find(|own| own.as_str() == name)
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::Rs256 => Scheme::RsaPkcs1v15(HashAlgorithm::Sha256),
            Self::Rs384 => Scheme::RsaPkcs1v15(HashAlgorithm::Sha384),
            Self::Rs512 => Scheme::RsaPkcs1v15(HashAlgorithm::Sha512),
            Self::Es256 => Scheme::EcdsaP256,
        }
    }

    fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rs256 | Self::Es256 => Sha256::digest(message).to_vec(),
            Self::Rs384 => Sha384::digest(message).to_vec(),
            Self::Rs512 => Sha512::digest(message).to_vec(),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Algorithm {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A key that signs no registry tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} signs no registry tokens: RSA and P-256 do")]
pub struct UnsupportedKey {
    /// The key's algorithm.
    pub key: String,
}

/// The header of a token (RFC 7515, section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Header {
    #[serde(rename = "typ")]
    kind: &'static str,
    #[serde(rename = "alg")]
    algorithm: Algorithm,
    #[serde(rename = "kid")]
    key_id: KeyId,
    #[serde(rename = "x5c", skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<String>,
}

impl Header {
    /// `certificates` in standard base64 of their DER, the signing key's own first (RFC 7515, section 4.1.6).
    #[must_use]
    pub fn new(algorithm: Algorithm, key_id: KeyId, certificates: Vec<String>) -> Self {
        Self {
            kind: "JWT",
            algorithm,
            key_id,
            certificates,
        }
    }

    /// What the key is called.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }
}

/// A signed token. Whoever has it may use it: it prints nowhere by itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

impl Token {
    /// Its compact form, for the client that it is made for.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} octets)", self.0.len())
    }
}

/// A public key made ready to verify with.
#[derive(Debug, Clone)]
pub(super) enum Verifying {
    Rsa(Box<RsaPublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
}

impl Verifying {
    pub(super) fn of(key: &PublicKey) -> Result<Self, UnsupportedKey> {
        let unsupported = || UnsupportedKey {
            key: key.to_string(),
        };
        match key {
            PublicKey::Rsa { modulus, exponent } => {
                let number = BigUint::from_bytes_be;
                RsaPublicKey::new_with_max_size(number(modulus), number(exponent), MAX_RSA_BITS)
                    .map(|key| Self::Rsa(Box::new(key)))
                    .map_err(|_| unsupported())
            }
            PublicKey::P256(point) => p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
                .map(|key| Self::P256(Box::new(key)))
                .map_err(|_| UnsupportedKey {
                    key: "a point that is not on P-256".to_owned(),
                }),
            PublicKey::Ed25519(_) => Err(unsupported()),
        }
    }

    /// Whether the signature holds. ECDSA: 64 octets and no others.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureMismatch> {
        let digest = algorithm.digest(message);
        let padding = match algorithm {
            Algorithm::Rs256 => Pkcs1v15Sign::new::<Sha256>(),
            Algorithm::Rs384 => Pkcs1v15Sign::new::<Sha384>(),
            Algorithm::Rs512 => Pkcs1v15Sign::new::<Sha512>(),
            Algorithm::Es256 => {
                let Self::P256(key) = self else {
                    return Err(SignatureMismatch);
                };
                let signature =
                    p256::ecdsa::Signature::from_slice(signature).map_err(|_| SignatureMismatch)?;
                return key
                    .verify_prehash(&digest, &signature)
                    .map_err(|_| SignatureMismatch);
            }
        };
        let Self::Rsa(key) = self else {
            return Err(SignatureMismatch);
        };
        key.verify(padding, &digest, signature)
            .map_err(|_| SignatureMismatch)
    }

    /// As [`Verifying::verify`], by RSASSA-PSS with SHA-256 (`PS256`), which we never sign by.
    pub(super) fn verify_pss(
        &self,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureMismatch> {
        let Self::Rsa(key) = self else {
            return Err(SignatureMismatch);
        };
        key.verify(Pss::new::<Sha256>(), &Sha256::digest(message), signature)
            .map_err(|_| SignatureMismatch)
    }
}

/// As the release verifier has it: longer keys cost more time than they are worth.
const MAX_RSA_BITS: usize = 8192;

/// A signature that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignatureMismatch;

/// Why there is no signature.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// The signer made none.
    #[error("the signer made no signature")]
    Signer(#[source] Arc<SignerError>),
    /// What the signer made does not hold under the public key. It goes nowhere.
    #[error("the signer's answer is no signature by its {key} key")]
    WrongSignature {
        /// The key's algorithm.
        key: String,
    },
}

/// One request of the signer, and its answer once it is found to hold.
pub(super) async fn sign_octets(
    signer: &dyn Signer,
    key: &Verifying,
    algorithm: Algorithm,
    message: &[u8],
) -> Result<Vec<u8>, JwsError> {
    let digest;
    let request = if message.len() <= RAW_MESSAGE_OCTETS {
        SignRequest::message(algorithm.scheme(), message)
    } else {
        digest = algorithm.digest(message);
        SignRequest::digest(algorithm.scheme(), &digest)
    };
    let failed = |error| JwsError::Signer(Arc::new(error));
    let signature = signer
        .sign(request.map_err(failed)?)
        .await
        .map_err(failed)?;
    key.verify(algorithm, message, &signature)
        .map_err(|SignatureMismatch| JwsError::WrongSignature {
            key: signer.public_key().to_string(),
        })?;
    Ok(signature)
}

/// Puts header and claims under a signature. `header` is encoded already.
pub(super) async fn sign(
    signer: &dyn Signer,
    key: &Verifying,
    algorithm: Algorithm,
    header: &str,
    claims: &[u8],
) -> Result<Token, JwsError> {
    let mut text = String::with_capacity(header.len() + claims.len() * 4 / 3 + 700);
    text.push_str(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut text);
    let signature = sign_octets(signer, key, algorithm, text.as_bytes()).await?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(Token(text.into()))
}
