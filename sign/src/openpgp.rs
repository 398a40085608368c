//! OpenPGP certificates and detached signatures (RFC 9580, version 4) from any signer: digest out, signature in. Only the
//! signer does anything but compute, and what it answers is judged by [`countersign_verify`] before it is handed out.

mod certificate;
mod error;
mod packet;
mod signature;

pub use certificate::{CertificateTemplate, PreparedCertificate, mint, prepare_certificate};
pub use error::{AppendError, SignError};
pub use signature::{
    PreparedSignature, Signature, SignatureTemplate, append, prepare_signature, sign,
};

use countersign_verify::{Certificate, HashAlgorithm, MIN_RSA_BITS, limits};

use crate::armor::{Label, armored};
use crate::public_key::PublicKey;

/// A certificate as text (`PGP PUBLIC KEY BLOCK`).
#[must_use]
pub fn armored_certificate(certificate: &Certificate) -> String {
    armored(Label::PublicKey, &certificate.to_bytes())
}

/// The hash that a key signs with unless another one is asked for: SHA-512 for Ed25519, else SHA-256.
#[must_use]
pub fn default_hash(key: &PublicKey) -> HashAlgorithm {
    match key {
        PublicKey::Ed25519(_) => HashAlgorithm::Sha512,
        _ => HashAlgorithm::Sha256,
    }
}

/// Refuses what our verifier would refuse.
fn admit(key: &PublicKey) -> Result<(), SignError> {
    match key {
        PublicKey::Rsa { exponent, .. } => {
            let (bits, min, max) = (key.bits(), MIN_RSA_BITS, limits::RSA_MODULUS_BITS);
            let safe_exponent = match exponent.as_slice() {
                [] | [1 | 2] => false,
                octets => octets.len() <= 4 && octets.last().is_some_and(|last| last & 1 == 1),
            };
            if bits < min {
                Err(SignError::WeakKey { bits, min })
            } else if bits > max {
                Err(SignError::KeyTooLarge { bits, max })
            } else if !safe_exponent {
                Err(SignError::UnsafeExponent)
            } else {
                Ok(())
            }
        }
        PublicKey::Ed25519(_) => Ok(()),
        PublicKey::P256(_) => Err(SignError::UnsupportedKey {
            found: key.to_string(),
        }),
    }
}
