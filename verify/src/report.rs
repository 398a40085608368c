//! What a verification found: of each signature, whether it counts, and if not why.

use std::fmt;

use crate::certificate::Certificate;
use crate::error::SignatureRefusal;
use crate::fingerprint::{Fingerprint, KeyHandle};
use crate::hash::HashAlgorithm;
use crate::key::{Key, PublicKeyAlgorithm};
use crate::policy::Notation;
use crate::signature::Signature;
use crate::time::Timestamp;
use crate::trust::{ConsultedSource, SourceName};

/// What was found of each signature.
#[derive(Debug, Clone)]
pub struct Report {
    pub(crate) good: Vec<GoodSignature>,
    pub(crate) refused: Vec<RefusedSignature>,
    pub(crate) sources: Vec<ConsultedSource>,
}

impl Report {
    /// The signatures that count, in the order of the file.
    #[must_use]
    pub fn good(&self) -> &[GoodSignature] {
        &self.good
    }

    /// The signatures that do not, the most telling reason first.
    #[must_use]
    pub fn refused(&self) -> &[RefusedSignature] {
        &self.refused
    }

    /// The sources of trust that were consulted.
    #[must_use]
    pub fn sources(&self) -> &[ConsultedSource] {
        &self.sources
    }

    /// How many distinct certificates made a good signature. Certificates that share a key which signed count as one: anybody
    /// can make a second certificate for a key of theirs.
    #[must_use]
    pub fn distinct_certificates(&self) -> usize {
        // The first signature of each group: what shares a certificate or a key with one before it belongs to its group.
        let mut groups: Vec<usize> = (0..self.good.len()).collect();
        for (place, own) in self.good.iter().enumerate() {
            for (before, other) in self.good.iter().enumerate().take(place) {
                if own.certificate == other.certificate || own.material == other.material {
                    let (Some(&from), Some(&to)) = (groups.get(place), groups.get(before)) else {
                        continue;
                    };
                    groups
                        .iter_mut()
                        .filter(|group| **group == from)
                        .for_each(|group| *group = to);
                }
            }
        }
        groups.sort_unstable();
        groups.dedup();
        groups.len()
    }
}

/// A signature that counts.
#[derive(Debug, Clone)]
pub struct GoodSignature {
    pub(crate) certificate: Fingerprint,
    pub(crate) key: Fingerprint,
    /// See [`Key::material`].
    pub(crate) material: Vec<u8>,
    pub(crate) user_id: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) algorithm: PublicKeyAlgorithm,
    pub(crate) hash: HashAlgorithm,
    pub(crate) notations: Vec<Notation>,
    pub(crate) sources: Vec<SourceName>,
}

impl GoodSignature {
    /// Primary fingerprint of the certificate.
    #[must_use]
    pub fn certificate(&self) -> Fingerprint {
        self.certificate
    }

    /// Fingerprint of the key that signed: the primary key or a subkey.
    #[must_use]
    pub fn key(&self) -> Fingerprint {
        self.key
    }

    /// The certificate's primary user id. Outside text: print it with care.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// When the signature was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// When the signature's own life ends, if it does.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The algorithm of the key that signed.
    #[must_use]
    pub fn algorithm(&self) -> PublicKeyAlgorithm {
        self.algorithm
    }

    /// The hash over the data.
    #[must_use]
    pub fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    /// The notations in the signed part of the signature. Outside text.
    #[must_use]
    pub fn notations(&self) -> &[Notation] {
        &self.notations
    }

    /// The sources in which the certificate stands.
    #[must_use]
    pub fn sources(&self) -> &[SourceName] {
        &self.sources
    }
}

/// A signature that does not count, and as much about it as could be found out. Unless the reason says otherwise, nothing
/// of it was proven.
#[derive(Debug, Clone)]
pub struct RefusedSignature {
    pub(crate) reason: SignatureRefusal,
    pub(crate) certificate: Option<Fingerprint>,
    pub(crate) key: Option<Fingerprint>,
    pub(crate) user_id: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) algorithm: Option<PublicKeyAlgorithm>,
    pub(crate) hash: Option<HashAlgorithm>,
    pub(crate) issuers: Vec<KeyHandle>,
}

impl RefusedSignature {
    /// Which rule refused it.
    #[must_use]
    pub fn reason(&self) -> &SignatureRefusal {
        &self.reason
    }

    /// Primary fingerprint of the certificate that it names, where that is known to the trust set.
    #[must_use]
    pub fn certificate(&self) -> Option<Fingerprint> {
        self.certificate
    }

    /// Fingerprint of the key that it names, where that is known.
    #[must_use]
    pub fn key(&self) -> Option<Fingerprint> {
        self.key
    }

    /// A user id of that certificate, proven or not. Outside text.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// When it says that it was made.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.created
    }

    /// The algorithm of the key that it names.
    #[must_use]
    pub fn algorithm(&self) -> Option<PublicKeyAlgorithm> {
        self.algorithm
    }

    /// The hash that it says it used.
    #[must_use]
    pub fn hash(&self) -> Option<HashAlgorithm> {
        self.hash
    }

    /// How it names its issuer.
    #[must_use]
    pub fn issuers(&self) -> &[KeyHandle] {
        &self.issuers
    }

    /// Lower is told first: what went wrong with a signer who is trusted comes before signatures of strangers.
    pub(crate) fn rank(&self) -> u8 {
        match self.reason {
            SignatureRefusal::BadSignature | SignatureRefusal::KeyRevoked { .. } => 0,
            SignatureRefusal::UnknownIssuer { .. } | SignatureRefusal::MissingIssuer => 3,
            SignatureRefusal::Malformed
            | SignatureRefusal::UnsupportedVersion { .. }
            | SignatureRefusal::UnsupportedType { .. }
            | SignatureRefusal::UnsupportedHash { .. } => 4,
            SignatureRefusal::NotPinned { .. } | SignatureRefusal::NotInEverySource { .. } => 2,
            _ => 1,
        }
    }
}

/// Too few signatures count.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub(crate) report: Report,
    pub(crate) needed: usize,
}

impl Refusal {
    /// What was found of each signature.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// From how many distinct certificates good signatures are demanded.
    #[must_use]
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// A stable name for scripts and JSON: that of the most telling reason, or `threshold-not-met` when some signature is
    /// good.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.report.refused.first() {
            Some(first) if self.report.good.is_empty() => first.reason.name(),
            _ => "threshold-not-met",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.report.refused.first() {
            Some(first) if self.report.good.is_empty() => first.reason.fmt(f),
            _ => write!(
                f,
                "good signatures by {} of {} certificates needed",
                self.report.distinct_certificates(),
                self.needed
            ),
        }
    }
}

/// How the verifier fills it in.
impl RefusedSignature {
    /// With what the signature itself says.
    pub(crate) fn new(reason: SignatureRefusal, signature: Option<&Signature>) -> Self {
        Self {
            reason,
            certificate: None,
            key: None,
            user_id: None,
            created: signature.and_then(|own| own.created),
            algorithm: signature.and_then(|own| PublicKeyAlgorithm::of_signature(own.algorithm)),
            hash: signature.and_then(Signature::hash),
            issuers: signature.map(|own| own.issuers.clone()).unwrap_or_default(),
        }
    }

    /// With what is known of the key that it names.
    pub(crate) fn about(self, certificate: &Certificate, key: &Key) -> Self {
        Self {
            certificate: Some(certificate.fingerprint()),
            key: Some(key.fingerprint),
            user_id: certificate.user_ids().next(),
            algorithm: Some(key.algorithm),
            ..self
        }
    }
}
