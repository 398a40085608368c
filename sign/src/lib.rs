//! Sign releases with keys that stay where they are: on disk, or behind a backend of your own.
//!
//! A [`Signer`] is a public key and a way to have it sign. A [`Backend`] finds signers by key id, a [`Registry`] finds
//! backends by name. On top of any signer this crate [mints](openpgp::mint) OpenPGP certificates and makes
//! [detached signatures](openpgp::sign): digest out, signature in, and nothing is handed out that
//! [`countersign_verify`] has not verified.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use countersign_sign::openpgp::{self, CertificateTemplate, SignatureTemplate};
//! use countersign_sign::{KeyAlgorithm, LocalSigner};
//! use countersign_verify::{HashAlgorithm, HashedData, Timestamp};
//!
//! # pollster::block_on(async {
//! let signer = LocalSigner::generate(KeyAlgorithm::Ed25519)?;
//! let now = Timestamp::from(std::time::SystemTime::now());
//! let template = CertificateTemplate::new("Releases <releases@example.org>", now);
//! let certificate = openpgp::mint(&signer, &template, now).await?;
//!
//! let data = HashedData::from_reader(HashAlgorithm::Sha512, b"the manifest".as_slice())?;
//! let template = SignatureTemplate::new(now);
//! let signature = openpgp::sign(&signer, &certificate, &template, &data, now).await?;
//! print!("{}", signature.to_armored());
//! # Ok(()) })
//! # }
//! ```
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

mod armor;
#[cfg(feature = "aws-kms")]
mod aws_kms;
pub mod backend;
pub mod ecdsa;
mod local;
pub mod manifest;
pub mod openpgp;
mod public_key;
mod signer;
#[cfg(feature = "token")]
pub mod token;

#[cfg(feature = "aws-kms")]
pub use aws_kms::{AwsKmsBackend, DEFAULT_REGION, KmsError};
pub use backend::{
    Backend, BackendError, BackendOption, Options, Registry, RegistryError, SignerFuture, WantedKey,
};
pub use local::{
    KeyAlgorithm, LocalBackend, LocalError, LocalSigner, Passphrase, PassphrasePrompt, PemError,
};
pub use public_key::{PublicKey, PublicKeyError};
pub use signer::{BoxFuture, Input, Scheme, SignFuture, SignRequest, Signer, SignerError};
