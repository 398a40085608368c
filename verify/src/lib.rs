//! Verify downloaded releases: an OpenPGP signature over a checksum manifest, then every artifact against the manifest.
//!
//! Octets and a time go in, a proof comes out. There is no network, no async runtime, no C and no unsafe code here, and
//! nothing reads a clock. A signature rests on RSA of at least 3072 bits or Ed25519, with SHA-256 or stronger, by a
//! certificate whose own signatures hold, that was alive and not revoked.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let release = countersign_testkit::release();
//! # let (certificate, sums, signature) = (release.certificate, release.manifest, release.signature);
//! # let [(name, program), _] = release.artifacts;
//! use countersign_verify::{Certificate, DetachedSignature, Manifest, Policy, Trust, Verifier};
//! let trust = Trust::embedded(Certificate::all_from_bytes(&certificate)?)?;
//! let verifier = Verifier::new(trust, Policy::new());
//! let signature = DetachedSignature::from_bytes(&signature)?;
//! let now = std::time::SystemTime::now().into();
//! let manifest = verifier.verify_manifest(&Manifest::from_bytes(&sums)?, &signature, now)?;
//! let artifact = manifest.artifact(&name)?.check(program.as_slice())?;
//! println!("{} is what was signed", artifact.name());
//! # Ok(()) }
//! ```
//!
//! # What is proven
//! [`VerifiedManifest`], [`VerifiedData`] and [`VerifiedArtifact`] are made by verification alone. A [`Manifest`]'s entries
//! cannot be read before its signature holds, an empty [`Trust`] cannot exist, a threshold counts distinct certificates.
//!
//! # What is not
//! That the publisher meant to release it, that it is the newest release (see [`Policy::with_max_age`] and
//! [`Policy::with_not_before`]), or that a file stays the same after it was checked.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

mod armor;
mod artifact;
mod assessment;
mod certificate;
mod clear_signed;
mod content;
mod error;
mod fingerprint;
mod hash;
mod hashed;
mod key;
pub mod limits;
mod manifest;
mod packet;
pub mod parallel;
mod policy;
mod report;
mod rsa;
mod signature;
mod standing;
mod time;
mod trust;
mod verifier;
#[cfg(test)]
mod wycheproof;

pub use artifact::{Artifact, ArtifactWriter, VerifiedArtifact};
pub use assessment::{
    Assessment, CertificateKey, KeyAssessment, KeyFlags, KeyRevocation, UserIdAssessment,
    UserIdStanding,
};
pub use certificate::Certificate;
pub use clear_signed::{ClearSigned, Detected};
pub use content::Reading;
pub use error::{
    ArmorError, ArtifactError, CertificateError, ClearSignedError, FingerprintError, KeyRole,
    ManifestError, NameError, PacketError, PolicyError, RevocationReason, SignatureError,
    SignatureRefusal, TrustError, Verdict, VerifyError, Work,
};
pub use fingerprint::{Fingerprint, KeyHandle};
pub use hash::HashAlgorithm;
pub use hashed::{HashedData, read_all, read_file};
pub use key::PublicKeyAlgorithm;
pub use manifest::{ArtifactName, Digest, Manifest, VerifiedManifest, printable};
pub use policy::{Expiry, MIN_RSA_BITS, Notation, Policy};
pub use report::{GoodSignature, Refusal, RefusedSignature, Report};
pub use signature::{DetachedSignature, Form};
pub use time::Timestamp;
pub use trust::{Agreement, ConsultedSource, Requirement, Source, SourceName, Trust};
pub use verifier::{SignedDataWriter, VerifiedData, Verifier};
