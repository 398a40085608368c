//! Every public error of the crate: one enum for each kind of question.
//!
//! Three answers are kept apart. *Refused*: what was presented does not hold ([`VerifyError::Refused`],
//! [`ArtifactError`], [`ManifestError`], [`SignatureError`], [`TrustError::Disagreement`]). *Could not tell*:
//! a certificate file that is none ([`CertificateError`]), a source out of reach, a read that failed.
//! *Wrong use*: a policy looser than the floor ([`PolicyError`]).

use std::io;

use thiserror::Error;

use crate::fingerprint::{Fingerprint, KeyHandle};
use crate::hash::HashAlgorithm;
use crate::key::PublicKeyAlgorithm;
use crate::time::Timestamp;
use crate::trust::SourceName;

/// Why a file is not a list of certificates that can be used as trust anchors.
///
/// Nothing was decided about any signature: a caller should treat this as "could not tell".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The input holds no byte, or nothing but white space.
    #[error("no certificate: the input is empty")]
    Empty,
    /// The input is larger than [`crate::limits::CERTIFICATE_FILE_BYTES`].
    #[error("certificate file has more than {limit} bytes")]
    TooLarge {
        /// Size of the input in bytes, as far as it was read.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// More certificates than [`crate::limits::CERTIFICATES`].
    #[error("certificate file has more than {limit} certificates")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The file holds a private key. It does not belong on a machine that only verifies.
    #[error("this is a private key, not a certificate")]
    PrivateKey,
    /// The input is a detached signature.
    #[error("this is a signature, not a certificate")]
    Signature,
    /// The input is a GnuPG keybox (`pubring.kbx`), not a sequence of OpenPGP packets.
    #[error("this is a GnuPG keybox, not an exported certificate")]
    Keybox,
    /// Neither OpenPGP packets nor ASCII armor.
    #[error("no OpenPGP data: neither binary packets nor ASCII armor")]
    NotOpenPgp,
    /// The ASCII armor is damaged.
    #[error("damaged ASCII armor: {0}")]
    Armor(ArmorError),
    /// A packet is damaged or has no place in a certificate.
    #[error("packet {index}: {detail}")]
    Packet {
        /// Place of the packet in the file, counted from 0.
        index: usize,
        /// What is wrong with it.
        detail: PacketError,
    },
    /// Exactly one certificate was asked for.
    #[error("expected one certificate, found {found}")]
    NotExactlyOne {
        /// How many there are.
        found: usize,
    },
}

/// Why bytes are not ASCII armor (RFC 9580, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ArmorError {
    /// There is text outside the armored blocks.
    #[error("text outside the armored block")]
    SurroundingText,
    /// A block is opened and never closed.
    #[error("no END line")]
    NoEnd,
    /// The END line closes another kind of block than the BEGIN line opened.
    #[error("BEGIN and END lines differ")]
    MismatchedEnd,
    /// No empty line between armor headers and data, or a header without a colon.
    #[error("malformed armor header")]
    Header,
    /// The data is not base64.
    #[error("invalid base64")]
    Base64,
    /// The block is of another kind, such as `PGP MESSAGE`.
    #[error("armored block of the wrong kind")]
    WrongKind,
}

/// Why a packet cannot be accepted where it stands (RFC 9580, section 4).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The header is damaged.
    #[error("damaged packet header")]
    Header,
    /// The packet claims more bytes than there are.
    #[error("packet claims {claimed} bytes, {available} are left")]
    Truncated {
        /// Bytes that its header claims.
        claimed: u64,
        /// Bytes that are left in the input.
        available: usize,
    },
    /// A partial or indeterminate length on a packet that must have a fixed one (RFC 9580, section 4.2.1.4).
    #[error("packet type {tag} without a fixed length")]
    NoFixedLength {
        /// The packet type id.
        tag: u8,
    },
    /// A packet type that nobody knows and that must not be skipped (RFC 9580, section 4.3).
    #[error("unknown critical packet type {tag}")]
    UnknownCritical {
        /// The packet type id.
        tag: u8,
    },
    /// A packet type that has no place here.
    #[error("unexpected packet type {tag} ({name})")]
    Unexpected {
        /// The packet type id.
        tag: u8,
        /// Its name in RFC 9580.
        name: &'static str,
    },
    /// The packet's body is larger than this kind of packet may be.
    #[error("packet type {tag} has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// The packet type id.
        tag: u8,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The body of a key packet is damaged.
    #[error("damaged key packet")]
    Key,
}

/// Why a file is not one detached signature file. Refused as malformed, whatever the trust.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The input holds no byte, or nothing but white space.
    #[error("no signature: the input is empty")]
    Empty,
    /// The input is larger than [`crate::limits::SIGNATURE_FILE_BYTES`].
    #[error("signature file has more than {limit} bytes")]
    TooLarge {
        /// Size of the input in bytes, as far as it was read.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// More signatures than [`crate::limits::SIGNATURES`].
    #[error("signature file has more than {limit} signatures")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The input is a certificate or a key.
    #[error("this is a key, not a signature")]
    Key,
    /// The input is a message that carries its own data, not a detached signature.
    #[error("this is an inline-signed or encrypted message, not a detached signature")]
    Message,
    /// The input is a clear-signed text, not a detached signature.
    #[error("this is a clear-signed text, not a detached signature")]
    ClearSigned,
    /// Neither OpenPGP packets nor ASCII armor.
    #[error("no OpenPGP data: neither binary packets nor ASCII armor")]
    NotOpenPgp,
    /// The ASCII armor is damaged.
    #[error("damaged ASCII armor: {0}")]
    Armor(ArmorError),
    /// A packet is damaged or has no place in a detached signature: trailing garbage among them.
    #[error("packet {index}: {detail}")]
    Packet {
        /// Place of the packet in the file, counted from 0.
        index: usize,
        /// What is wrong with it.
        detail: PacketError,
    },
    /// Packets there are, but no signature.
    #[error("no signature packet")]
    NoSignature,
}

/// Which key of a certificate a refusal speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// The primary key, on which the whole certificate rests.
    Primary,
    /// A subkey.
    Subkey,
}

impl std::fmt::Display for KeyRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary key",
            Self::Subkey => "subkey",
        })
    }
}

/// Why one signature does not count. Each rule has its own variant, and [`SignatureRefusal::name`] its own stable name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureRefusal {
    /// The packet cannot be parsed.
    #[error("malformed signature packet")]
    Malformed,
    /// Neither version 4 nor version 6.
    #[error("signature version {version} is not supported, only 4 and 6 are")]
    UnsupportedVersion {
        /// The version.
        version: u8,
    },
    /// A signature type other than binary (0x00) and text (0x01).
    #[error("signature type 0x{typ:02x} is not a signature over data")]
    UnsupportedType {
        /// The signature type id (RFC 9580, section 5.2.1).
        typ: u8,
    },
    /// A hash that carries no authority any more: SHA-1, MD5, RIPEMD-160, SHA-224.
    #[error("weak hash {hash}")]
    WeakHash {
        /// The hash.
        hash: HashAlgorithm,
    },
    /// A hash that nobody here knows.
    #[error("unknown hash algorithm {id}")]
    UnsupportedHash {
        /// The hash algorithm id (RFC 9580, section 9.5).
        id: u8,
    },
    /// No creation time in the hashed area.
    #[error("no signed creation time")]
    MissingCreationTime,
    /// Created after the time of checking, clock skew allowed for.
    #[error("signed in the future: created {created}, now {now}")]
    SignedInFuture {
        /// When the signature says that it was made.
        created: Timestamp,
        /// The time of checking.
        now: Timestamp,
    },
    /// The signature's own life is over.
    #[error("signature expired {expired}, now {now}")]
    SignatureExpired {
        /// When it expired.
        expired: Timestamp,
        /// The time of checking.
        now: Timestamp,
    },
    /// Older than the caller's maximum age.
    #[error("signature is too old: created {created}, oldest allowed {oldest}")]
    TooOld {
        /// When it was made.
        created: Timestamp,
        /// The earliest time that the maximum age allows.
        oldest: Timestamp,
    },
    /// Made before the caller's not-before bound.
    #[error("signature was created {created}, before the bound {not_before}")]
    TooEarly {
        /// When it was made.
        created: Timestamp,
        /// The bound.
        not_before: Timestamp,
    },
    /// Made before the key that is said to have made it.
    #[error("signature was created {created}, before its key ({key_created})")]
    PredatesKey {
        /// When the signature was made.
        created: Timestamp,
        /// When the key was made.
        key_created: Timestamp,
    },
    /// A critical subpacket that is not understood.
    #[error("unknown critical subpacket {id}")]
    CriticalSubpacket {
        /// The subpacket type id (RFC 9580, section 5.2.3.7).
        id: u8,
    },
    /// A critical notation that the caller did not ask for.
    #[error("unknown critical notation `{}`", crate::manifest::printable(.name))]
    CriticalNotation {
        /// The notation's name.
        name: String,
    },
    /// A notation that the caller demands is not there.
    #[error("required notation `{}` is missing", crate::manifest::printable(.name))]
    NotationMissing {
        /// The notation's name.
        name: String,
    },
    /// A notation that the caller demands has another value.
    #[error("required notation `{}` has another value", crate::manifest::printable(.name))]
    NotationMismatch {
        /// The notation's name.
        name: String,
    },
    /// The signature does not say who made it.
    #[error("signature names no issuer")]
    MissingIssuer,
    /// No certificate in the trust set holds the issuing key.
    #[error("unknown issuer {}", crate::fingerprint::join(.issuers))]
    UnknownIssuer {
        /// The issuers that the signature names.
        issuers: Vec<KeyHandle>,
    },
    /// The certificate is not among the pinned ones.
    #[error("certificate {certificate} is not pinned")]
    NotPinned {
        /// Primary fingerprint of the certificate.
        certificate: Fingerprint,
    },
    /// The certificate stands in some, but not in every required source.
    #[error("certificate {certificate} is not in source `{missing_from}`")]
    NotInEverySource {
        /// Primary fingerprint of the certificate.
        certificate: Fingerprint,
        /// The first required source without it.
        missing_from: SourceName,
    },
    /// The RSA modulus is too short.
    #[error("RSA {role} has {bits} bits, policy needs {min}")]
    WeakKey {
        /// Which key.
        role: KeyRole,
        /// Bits of the modulus itself.
        bits: u32,
        /// Bits needed.
        min: u32,
    },
    /// The RSA modulus is longer than anybody needs: verifying would cost the verifier only.
    #[error("RSA {role} has {bits} bits, the limit is {max}")]
    KeyTooLarge {
        /// Which key.
        role: KeyRole,
        /// Bits of the modulus itself.
        bits: u32,
        /// The limit.
        max: u32,
    },
    /// The RSA public exponent is even, below 3 or above 2^32, or the modulus is even.
    #[error("RSA {role} has an unsafe modulus or public exponent")]
    UnsafeRsaKey {
        /// Which key.
        role: KeyRole,
    },
    /// The Ed25519 point is of small order or not canonically encoded.
    #[error("Ed25519 {role} is not a safe point")]
    UnsafePoint {
        /// Which key.
        role: KeyRole,
    },
    /// Neither RSA nor Ed25519.
    #[error("{role} algorithm {algorithm} is not accepted, only RSA and Ed25519 are")]
    UnsupportedKeyAlgorithm {
        /// Which key.
        role: KeyRole,
        /// The algorithm.
        algorithm: PublicKeyAlgorithm,
    },
    /// A version 6 key made a signature of another version, or the other way round (RFC 9580, section 10.3.2.2).
    #[error("version {signature} signature by a version {key} key")]
    VersionMismatch {
        /// Version of the signature.
        signature: u8,
        /// Version of the key.
        key: u8,
    },
    /// The primary key has no valid self-signature: this is no certificate.
    #[error("certificate has no valid self-signature on an unrevoked user id or on its key")]
    NoSelfSignature,
    /// The only self-signatures rest on a hash without authority.
    #[error("certificate rests on self-signatures in {hash} only")]
    WeakSelfSignature {
        /// The hash of the newest of them.
        hash: HashAlgorithm,
    },
    /// The subkey has no valid binding signature.
    #[error("subkey has no valid binding signature")]
    NoBindingSignature,
    /// The subkey's only bindings rest on a hash without authority.
    #[error("subkey rests on binding signatures in {hash} only")]
    WeakBindingSignature {
        /// The hash of the newest of them.
        hash: HashAlgorithm,
    },
    /// The subkey never signed that it belongs to the primary key.
    #[error("subkey has no back-signature")]
    NoBackSignature,
    /// The subkey's back-signature does not hold.
    #[error("subkey's back-signature is not valid")]
    BadBackSignature,
    /// The key may not make signatures over data.
    #[error("{role} is not flagged for signing")]
    NotForSigning {
        /// Which key.
        role: KeyRole,
    },
    /// The key's life was over when the signature was made.
    #[error("{role} expired {expired}, signature was created {created}")]
    KeyExpired {
        /// Which key.
        role: KeyRole,
        /// When the key expired.
        expired: Timestamp,
        /// When the signature was made.
        created: Timestamp,
    },
    /// The key's life is over today, and the caller demands that it is not.
    #[error("{role} expired {expired}, now {now}")]
    KeyExpiredNow {
        /// Which key.
        role: KeyRole,
        /// When the key expired.
        expired: Timestamp,
        /// The time of checking.
        now: Timestamp,
    },
    /// The key was revoked.
    #[error("{role} is revoked ({reason}){}", since(.revoked))]
    KeyRevoked {
        /// Which key.
        role: KeyRole,
        /// The reason that its owner gave.
        reason: RevocationReason,
        /// When the revocation was made, if it says so.
        revoked: Option<Timestamp>,
    },
    /// Judging it would take more work than any honest release does. See [`crate::limits`].
    #[error("verifying takes more than {limit} {what}")]
    TooMuchWork {
        /// The limit.
        limit: u64,
        /// What it counts.
        what: Work,
    },
    /// Only with [`Verifier::verify_hashed`](crate::Verifier::verify_hashed): the data went through another hash, or
    /// through this one in another form.
    #[error("the data were not hashed as this signature needs it")]
    NotHashed,
    /// The cryptographic check failed: the data, the signature or the key is not what was signed.
    #[error("signature does not match the data")]
    BadSignature,
}

/// What a limit on work counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Public-key operations.
    KeyOperations,
    /// Signatures on certificates that are parsed.
    SelfSignatures,
    /// Octets of certificates that are hashed.
    HashedOctets,
    /// Running hashes over the data.
    ContentHashes,
}

impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::KeyOperations => "public-key operations",
            Self::SelfSignatures => "signatures on certificates",
            Self::HashedOctets => "octets hashed of certificates",
            Self::ContentHashes => "different hashes over the data",
        })
    }
}

fn since(revoked: &Option<Timestamp>) -> String {
    match revoked {
        Some(time) => format!(" since {time}"),
        None => String::new(),
    }
}

impl SignatureRefusal {
    /// A stable name for scripts and JSON, such as `weak-key`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed-signature",
            Self::UnsupportedVersion { .. } => "unsupported-version",
            Self::UnsupportedType { .. } => "unsupported-type",
            Self::WeakHash { .. } => "weak-hash",
            Self::UnsupportedHash { .. } => "unsupported-hash",
            Self::MissingCreationTime => "missing-creation-time",
            Self::SignedInFuture { .. } => "signed-in-future",
            Self::SignatureExpired { .. } => "signature-expired",
            Self::TooOld { .. } => "signature-too-old",
            Self::TooEarly { .. } => "signed-before-bound",
            Self::PredatesKey { .. } => "signed-before-key",
            Self::CriticalSubpacket { .. } => "critical-subpacket",
            Self::CriticalNotation { .. } => "critical-notation",
            Self::NotationMissing { .. } => "notation-missing",
            Self::NotationMismatch { .. } => "notation-mismatch",
            Self::MissingIssuer => "missing-issuer",
            Self::UnknownIssuer { .. } => "unknown-issuer",
            Self::NotPinned { .. } => "not-pinned",
            Self::NotInEverySource { .. } => "not-in-every-source",
            Self::WeakKey { .. } => "weak-key",
            Self::KeyTooLarge { .. } => "key-too-large",
            Self::UnsafeRsaKey { .. } => "unsafe-rsa-key",
            Self::UnsafePoint { .. } => "unsafe-point",
            Self::UnsupportedKeyAlgorithm { .. } => "unsupported-key-algorithm",
            Self::VersionMismatch { .. } => "version-mismatch",
            Self::NoSelfSignature => "no-self-signature",
            Self::WeakSelfSignature { .. } => "weak-self-signature",
            Self::NoBindingSignature => "no-binding-signature",
            Self::WeakBindingSignature { .. } => "weak-binding-signature",
            Self::NoBackSignature => "no-back-signature",
            Self::BadBackSignature => "bad-back-signature",
            Self::NotForSigning { .. } => "not-for-signing",
            Self::KeyExpired { .. } => "key-expired",
            Self::KeyExpiredNow { .. } => "key-expired-now",
            Self::KeyRevoked { .. } => "key-revoked",
            Self::TooMuchWork { .. } => "too-much-work",
            Self::NotHashed => "not-hashed",
            Self::BadSignature => "bad-signature",
        }
    }
}

/// Why an owner revoked a key or a user id (RFC 9580, section 5.2.3.31).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationReason {
    /// No reason subpacket in the hashed area. Hard.
    Absent,
    /// 0: no reason specified. Hard.
    Unspecified,
    /// 1: superseded by another key. Soft.
    Superseded,
    /// 2: key material compromised. Hard.
    Compromised,
    /// 3: retired and no longer used. Soft.
    Retired,
    /// 32: user id no longer valid. Soft.
    UserIdInvalid,
    /// Any other code. Hard.
    Other(u8),
}

impl RevocationReason {
    /// Whether signatures made before the revocation stay good.
    pub(crate) fn is_soft(self) -> bool {
        matches!(self, Self::Superseded | Self::Retired | Self::UserIdInvalid)
    }
}

impl std::fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("no reason given"),
            Self::Unspecified => f.write_str("unspecified"),
            Self::Superseded => f.write_str("superseded"),
            Self::Compromised => f.write_str("compromised"),
            Self::Retired => f.write_str("retired"),
            Self::UserIdInvalid => f.write_str("user id no longer valid"),
            Self::Other(code) => write!(f, "reason {code}"),
        }
    }
}

/// Why a manifest or signed data was not accepted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Too few of the signatures count. The report tells why, for each.
    #[error("{0}")]
    Refused(Box<crate::report::Refusal>),
    /// The signature file is malformed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The clear-signed text is malformed.
    #[error(transparent)]
    ClearSigned(#[from] ClearSignedError),
    /// No manifest, whether or not the signature over it holds.
    #[error("{error}")]
    Manifest {
        /// What is wrong with it.
        error: ManifestError,
        /// Who signed it; none if it was too large to look.
        report: Option<Box<crate::report::Report>>,
    },
    /// The data could not be read.
    #[error("cannot read the data")]
    Read(#[source] io::Error),
}

impl From<ManifestError> for VerifyError {
    fn from(error: ManifestError) -> Self {
        Self::Manifest {
            error,
            report: None,
        }
    }
}

impl VerifyError {
    /// A stable name for scripts and JSON: that of the most telling refusal, or one such as `malformed-manifest`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.name(),
            Self::Signature(_) => "malformed-signature-file",
            Self::ClearSigned(_) => "malformed-clear-signed-text",
            Self::Manifest { .. } => "malformed-manifest",
            Self::Read(_) => "read-failed",
        }
    }

    /// What a caller should conclude: that what was presented is bad, or that nothing is known.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Read(_) => Verdict::CouldNotTell,
            _ => Verdict::Refused,
        }
    }
}

/// Why a clear-signed text is malformed (RFC 9580, section 7).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClearSignedError {
    /// The text does not begin with the clear-sign BEGIN line.
    #[error("not a clear-signed text")]
    NotClearSigned,
    /// There is text before or after the block.
    #[error("text outside the clear-signed block")]
    SurroundingText,
    /// A header other than `Hash`.
    #[error("line {line}: only `Hash` headers may precede a clear-signed text")]
    Header {
        /// Line number, counted from 1.
        line: usize,
    },
    /// A line that begins with a dash and is not dash-escaped.
    #[error("line {line}: a dash that is not escaped")]
    UnescapedDash {
        /// Line number, counted from 1.
        line: usize,
    },
    /// The text ends without a signature.
    #[error("no signature follows the text")]
    NoSignature,
    /// The text is larger than [`crate::limits::MANIFEST_BYTES`].
    #[error("clear-signed text has more than {limit} bytes")]
    TooLarge {
        /// Size in bytes, as far as it was read.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

/// Why bytes are not a checksum manifest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The manifest is larger than [`crate::limits::MANIFEST_BYTES`].
    #[error("manifest has more than {limit} bytes")]
    TooLarge {
        /// Size in bytes, as far as it was read.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// No line lists an artifact.
    #[error("manifest lists no artifact")]
    Empty,
    /// A line is neither of the known forms.
    #[error("manifest line {line}: not a checksum line")]
    MalformedLine {
        /// Line number, counted from 1.
        line: usize,
    },
    /// A digest of an algorithm that is not accepted, or of a length that no accepted algorithm has.
    #[error("manifest line {line}: digest is not SHA-256, SHA-384 or SHA-512")]
    UnsupportedDigest {
        /// Line number, counted from 1.
        line: usize,
    },
    /// A name that must not be opened.
    #[error("manifest line {line}: {reason}")]
    UnsafeName {
        /// Line number, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: NameError,
    },
    /// A name is listed twice.
    #[error("manifest line {line}: `{name}` is already listed in line {first}")]
    RepeatedName {
        /// Line number, counted from 1.
        line: usize,
        /// Line number of the first.
        first: usize,
        /// The name, without control characters.
        name: String,
    },
}

/// Why a name cannot be an artifact's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// No name at all.
    #[error("empty name")]
    Empty,
    /// It begins with a slash or a drive letter.
    #[error("absolute path")]
    Absolute,
    /// It has a `..` component.
    #[error("path with `..`")]
    ParentDirectory,
    /// It has an empty or `.` component, or ends in a slash: another spelling of a name that may be listed as well.
    #[error("path with an empty or `.` component")]
    NotCanonical,
    /// It has a backslash.
    #[error("path with a backslash")]
    Backslash,
    /// It has a NUL byte.
    #[error("path with a NUL byte")]
    Nul,
    /// It is not UTF-8.
    #[error("name is not UTF-8")]
    NotUtf8,
}

/// Why an artifact is not what the manifest lists.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The manifest does not list it.
    #[error("`{name}` is not listed in the manifest")]
    NotListed {
        /// The name asked for, without control characters.
        name: String,
    },
    /// There is no such file.
    #[error("`{name}` is missing")]
    Missing {
        /// The name, without control characters.
        name: String,
    },
    /// The digest differs: the file is altered, short or long.
    #[error("`{name}` does not match: expected {expected}, found {found}")]
    Mismatch {
        /// The name, without control characters.
        name: String,
        /// The digest that the manifest lists, in hexadecimal.
        expected: String,
        /// The digest of what was read, in hexadecimal.
        found: String,
    },
    /// It could not be read: nothing is known about it.
    #[error("cannot read `{name}`")]
    Read {
        /// The name, without control characters.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not a regular file: reading it might never end.
    #[error("`{name}` is not a regular file")]
    NotAFile {
        /// The name, without control characters.
        name: String,
    },
}

impl ArtifactError {
    /// A stable name for scripts and JSON, such as `mismatch`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotListed { .. } => "not-listed",
            Self::Missing { .. } => "missing",
            Self::Mismatch { .. } => "mismatch",
            Self::Read { .. } => "read-failed",
            Self::NotAFile { .. } => "not-a-file",
        }
    }

    /// What a caller should conclude: that the artifact is bad, or that nothing is known.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::NotListed { .. } | Self::Missing { .. } | Self::Mismatch { .. } => {
                Verdict::Refused
            }
            Self::Read { .. } | Self::NotAFile { .. } => Verdict::CouldNotTell,
        }
    }
}

/// The two ways not to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// What was presented does not hold.
    Refused,
    /// Nothing is known about it.
    CouldNotTell,
}

/// Why a policy cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The bar may be raised, never lowered.
    #[error("RSA keys of {asked} bits cannot be allowed, the minimum is {floor}")]
    BelowFloor {
        /// Bits asked for.
        asked: u32,
        /// The floor.
        floor: u32,
    },
    /// No key that is accepted has so many bits.
    #[error("RSA keys of {asked} bits cannot be demanded, the maximum is {max}")]
    AboveMaximum {
        /// Bits asked for.
        asked: u32,
        /// The largest modulus accepted.
        max: u32,
    },
}

/// Why several sources give no trust.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// No source was given.
    #[error("no source of trust")]
    NoSource,
    /// Two sources have the same name.
    #[error("two sources are named `{name}`")]
    RepeatedSource {
        /// The name.
        name: SourceName,
    },
    /// No certificate stands in every required source, or with exact agreement: the sets differ. Always fatal.
    #[error("sources disagree: {}", crate::trust::describe(.sources))]
    Disagreement {
        /// What each source holds.
        sources: Vec<(SourceName, Vec<Fingerprint>)>,
    },
    /// A required source is out of reach. Nothing is known.
    #[error("source `{name}` is out of reach: {reason}")]
    Unreachable {
        /// The source.
        name: SourceName,
        /// What went wrong.
        reason: String,
    },
    /// A source answered with something unusable. Always fatal.
    #[error("source `{name}` gave an unusable answer: {reason}")]
    Unusable {
        /// The source.
        name: SourceName,
        /// What is wrong with it.
        reason: String,
    },
    /// No source that can be used is left: all were best effort and none was in reach.
    #[error("no source is in reach")]
    NothingReached,
    /// None of the certificates has a pinned fingerprint.
    #[error("no certificate has a pinned fingerprint")]
    NothingPinned,
    /// The same fingerprint with different primary key packets.
    #[error("two different primary keys have the fingerprint {fingerprint}")]
    FingerprintCollision {
        /// The fingerprint.
        fingerprint: Fingerprint,
    },
}

/// Why text is not a whole fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// 16 or 8 hexadecimal digits: a key id, which anybody can forge.
    #[error("`{}` is a key id, a whole fingerprint is needed", crate::manifest::printable(.0))]
    KeyId(String),
    /// Neither 40 nor 64 hexadecimal digits.
    #[error("`{}` is not a fingerprint of 40 or 64 hexadecimal digits", crate::manifest::printable(.0))]
    Malformed(String),
}
