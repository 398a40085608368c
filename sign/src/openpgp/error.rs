//! Why something was not signed.

use std::time::Duration;

use countersign_verify::{
    CertificateError, Fingerprint, SignatureError, SignatureRefusal, Timestamp, TrustError,
    VerifyError,
};

use crate::signer::{Scheme, SignerError};

/// Why a certificate or a signature was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key makes no OpenPGP signatures that our verifier accepts.
    #[error("{found} makes no OpenPGP signatures here: RSA of at least 3072 bits and Ed25519 do")]
    UnsupportedKey {
        /// The key's algorithm.
        found: String,
    },
    /// The key is too short.
    #[error("RSA key has {bits} bits, releases need {min}")]
    WeakKey {
        /// Bits of the modulus.
        bits: u32,
        /// What is needed.
        min: u32,
    },
    /// The key is too long.
    #[error("RSA key has {bits} bits, verifiers take {max} at the most")]
    KeyTooLarge {
        /// Bits of the modulus.
        bits: u32,
        /// The limit.
        max: u32,
    },
    /// The public exponent is even, below 3 or above 2^32.
    #[error("RSA key has a public exponent that verifiers refuse")]
    UnsafeExponent,
    /// The creation time lies ahead.
    #[error("creation time {created} is in the future, now {now}")]
    CreatedInFuture {
        /// The creation time asked for.
        created: Timestamp,
        /// The time of signing.
        now: Timestamp,
    },
    /// The signature would be older than its key.
    #[error("creation time {created} is before the key's own, {key_created}")]
    CreatedBeforeKey {
        /// The creation time asked for.
        created: Timestamp,
        /// When the key was made.
        key_created: Timestamp,
    },
    /// OpenPGP has 32 bits for a time.
    #[error("{time} is too late for OpenPGP, which ends in 2106")]
    TimeTooLate {
        /// The time.
        time: Timestamp,
    },
    /// A validity period of nothing would mean that the key does not expire.
    #[error("key would expire as it is created")]
    NoValidity,
    /// OpenPGP has 32 bits for a validity period.
    #[error("key would be valid for {} seconds, OpenPGP has room for {}", .validity.as_secs(), u32::MAX)]
    ValidityTooLong {
        /// The period.
        validity: Duration,
    },
    /// A user id that no certificate should have.
    #[error("user id `{user_id}` {problem}")]
    UserId {
        /// The user id, as it may be shown.
        user_id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A user id twice.
    #[error("user id `{user_id}` is given twice")]
    UserIdRepeated {
        /// The user id.
        user_id: String,
    },
    /// Names without a domain belong to the standard (RFC 9580, section 5.2.3.24).
    #[error("notation name `{name}` is not `name@domain`")]
    NotationName {
        /// The name, as it may be shown.
        name: String,
    },
    /// A name or a value above 65,535 octets.
    #[error("notation `{name}` is too long")]
    NotationTooLong {
        /// The name.
        name: String,
    },
    /// More notations than a signature has room for.
    #[error("notations take more than the 10,000 bytes that gpg reads")]
    TooManyNotations,
    /// The signer's key is none of the certificate's.
    #[error("signer's key ({signer}) is not in certificate {certificate} ({})", .held.join(", "))]
    KeyMismatch {
        /// The certificate.
        certificate: Fingerprint,
        /// The algorithms of its keys.
        held: Vec<String>,
        /// The signer's algorithm.
        signer: String,
    },
    /// Our verifier would refuse what the certificate's key signs now.
    #[error("certificate {certificate} cannot sign: {refusal}")]
    CertificateRefused {
        /// The certificate.
        certificate: Fingerprint,
        /// Why.
        refusal: SignatureRefusal,
    },
    /// The signer made no signature.
    #[error(transparent)]
    Signer(SignerError),
    /// The signer's answer cannot be such a signature.
    #[error("signer returned {found} bytes for {scheme}, must be {expected}")]
    SignatureLength {
        /// What was asked for.
        scheme: Scheme,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// Not one answer for each request.
    #[error("{found} signatures for {expected} user ids")]
    AnswerCount {
        /// User ids.
        expected: usize,
        /// Answers.
        found: usize,
    },
    /// A self-signature that came back does not hold.
    #[error("signer returned a signature that our verifier refuses: {0}")]
    NotAccepted(SignatureRefusal),
    /// A signature that came back does not hold.
    #[error("signer returned a signature that our verifier refuses")]
    NotVerified(#[source] Box<VerifyError>),
    /// What was assembled is no certificate: a fault of ours.
    #[error("certificate does not parse")]
    Certificate(#[source] CertificateError),
    /// What was assembled is no signature: a fault of ours.
    #[error("signature does not parse")]
    Malformed(#[source] SignatureError),
    /// The certificate cannot be trusted for verification.
    #[error("certificate cannot be used")]
    Trust(#[source] TrustError),
}

/// Why a signature was not added to a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The file holds as many signatures as a verifier reads.
    #[error("file holds {limit} signatures already, verifiers read no more")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The file would be larger than a verifier reads.
    #[error("file would have {size} bytes, verifiers read {limit} at the most")]
    TooLarge {
        /// What it would have, in octets.
        size: usize,
        /// The limit.
        limit: usize,
    },
}
