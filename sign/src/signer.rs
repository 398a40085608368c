//! What may be asked of a key that is elsewhere. No cloud and no OpenPGP here.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use countersign_verify::HashAlgorithm;

use crate::public_key::PublicKey;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A public key, and a way to have the private one sign.
///
/// Whoever implements it does no hashing beyond what the scheme itself asks for, and never substitutes a scheme: what it lacks
/// it refuses. What it returns is verified by the caller before it is used.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The signature that was asked for. RSA: big-endian, as long as the modulus. Ed25519: 64 octets (RFC 8032, section
    /// 5.1.6). ECDSA: `r` and `s`, 32 octets each.
    ///
    /// # Errors
    /// [`SignerError`], such as a scheme that the key or the backend lacks.
    fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a>;

    /// The backend's own full name for the key, where it is longer than the key id: an alias leads to a key.
    fn full_name(&self) -> Option<&str> {
        None
    }

    /// What a person should know before the key is used, such as that others can read its file. One sentence each.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What [`Signer::sign`] returns.
pub type SignFuture<'a> = BoxFuture<'a, Result<Vec<u8>, SignerError>>;

/// How a signature is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1v15(HashAlgorithm),
    /// RSASSA-PSS (RFC 8017, section 8.1).
    RsaPss(HashAlgorithm),
    /// ECDSA over P-256 with SHA-256.
    EcdsaP256,
    /// Ed25519, not prehashed (RFC 8032, section 5.1).
    Ed25519,
}

impl Scheme {
    /// The hash of a scheme that signs digests; none for Ed25519, which hashes the message itself.
    #[must_use]
    pub fn hash(self) -> Option<HashAlgorithm> {
        match self {
            Self::RsaPkcs1v15(hash) | Self::RsaPss(hash) => Some(hash),
            Self::EcdsaP256 => Some(HashAlgorithm::Sha256),
            Self::Ed25519 => None,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1v15(hash) => write!(f, "RSASSA-PKCS1-v1_5 with {hash}"),
            Self::RsaPss(hash) => write!(f, "RSASSA-PSS with {hash}"),
            Self::EcdsaP256 => f.write_str("ECDSA over P-256 with SHA-256"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// What is to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// The digest by the scheme's own hash.
    Digest(&'a [u8]),
    /// A message that is yet to be hashed.
    Message(&'a [u8]),
}

/// A scheme and what to sign by it. Made only of parts that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignRequest<'a> {
    scheme: Scheme,
    input: Input<'a>,
}

impl<'a> SignRequest<'a> {
    /// A digest by the scheme's hash.
    ///
    /// # Errors
    /// A hash other than SHA-256, SHA-384 and SHA-512, a digest of another length, or Ed25519, which takes messages alone.
    pub fn digest(scheme: Scheme, digest: &'a [u8]) -> Result<Self, SignerError> {
        let hash = scheme.hash().ok_or(SignerError::NeedsMessage { scheme })?;
        let expected = digest_octets(hash)?;
        if digest.len() != expected {
            let found = digest.len();
            return Err(SignerError::DigestLength {
                scheme,
                expected,
                found,
            });
        }
        Ok(Self {
            scheme,
            input: Input::Digest(digest),
        })
    }

    /// A message. For OpenPGP with Ed25519 the message is the OpenPGP digest.
    ///
    /// # Errors
    /// A hash other than SHA-256, SHA-384 and SHA-512.
    pub fn message(scheme: Scheme, message: &'a [u8]) -> Result<Self, SignerError> {
        scheme.hash().map_or(Ok(0), digest_octets)?;
        Ok(Self {
            scheme,
            input: Input::Message(message),
        })
    }

    /// How to sign.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What to sign.
    #[must_use]
    pub fn input(&self) -> Input<'a> {
        self.input
    }
}

fn digest_octets(hash: HashAlgorithm) -> Result<usize, SignerError> {
    match hash {
        HashAlgorithm::Sha256 => Ok(32),
        HashAlgorithm::Sha384 => Ok(48),
        HashAlgorithm::Sha512 => Ok(64),
        _ => Err(SignerError::UnsupportedHash { hash }),
    }
}

/// Why a signer made no signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// RSASSA-PSS was asked for, and OpenPGP has no such signatures.
    #[error("RSASSA-PSS is not supported by this signer")]
    PssUnsupported,
    /// The key, or the backend, cannot sign by this scheme.
    #[error("this signer does not do {scheme} with its {key} key")]
    UnsupportedScheme {
        /// What was asked for.
        scheme: Scheme,
        /// The key's algorithm.
        key: String,
    },
    /// The hash is none that is signed with.
    #[error("{hash} is not signed with: SHA-256, SHA-384 and SHA-512 are")]
    UnsupportedHash {
        /// The hash.
        hash: HashAlgorithm,
    },
    /// The digest is not as long as those of its hash.
    #[error("digest for {scheme} has {found} octets, must have {expected}")]
    DigestLength {
        /// What was asked for.
        scheme: Scheme,
        /// The length that the hash has.
        expected: usize,
        /// The length that was given.
        found: usize,
    },
    /// The scheme signs messages, not digests.
    #[error("{scheme} signs messages, not digests")]
    NeedsMessage {
        /// What was asked for.
        scheme: Scheme,
    },
    /// The backend failed in its own way.
    #[error("{message}")]
    Backend {
        /// What happened, with the key's name.
        message: String,
        /// Its cause.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl SignerError {
    /// The scheme of that request is not to be had from that key.
    #[must_use]
    pub fn unsupported(request: &SignRequest<'_>, key: &PublicKey) -> Self {
        match request.scheme() {
            Scheme::RsaPss(_) => Self::PssUnsupported,
            scheme => Self::UnsupportedScheme {
                scheme,
                key: key.to_string(),
            },
        }
    }

    /// A failure of a backend's own, in a sentence that names the key.
    pub fn backend(message: impl fmt::Display) -> Self {
        Self::Backend {
            message: message.to_string(),
            source: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_made_of_parts_that_fit() {
        let pkcs1 = Scheme::RsaPkcs1v15(HashAlgorithm::Sha256);
        assert!(SignRequest::digest(pkcs1, &[0; 32]).is_ok());
        assert_eq!(
            SignRequest::digest(pkcs1, &[0; 31])
                .unwrap_err()
                .to_string(),
            "digest for RSASSA-PKCS1-v1_5 with SHA-256 has 31 octets, must have 32"
        );
        let sha1 = Scheme::RsaPkcs1v15(HashAlgorithm::Sha1);
        assert!(matches!(
            SignRequest::digest(sha1, &[0; 20]),
            Err(SignerError::UnsupportedHash { .. })
        ));
        assert!(matches!(
            SignRequest::message(sha1, b"x"),
            Err(SignerError::UnsupportedHash { .. })
        ));
        assert!(matches!(
            SignRequest::digest(Scheme::Ed25519, &[0; 64]),
            Err(SignerError::NeedsMessage { .. })
        ));
        assert!(SignRequest::message(Scheme::Ed25519, &[0; 64]).is_ok());
    }
}
