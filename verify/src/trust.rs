//! Whom to trust: certificates from several named sources, and how the sources agree.
//!
//! A signature counts only when its certificate, by primary fingerprint, stands in every required source. An attacker needs
//! every source, and a rotation survives: one source may hold more keys than another.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::certificate::Certificate;
use crate::error::TrustError;
use crate::fingerprint::{Fingerprint, KeyHandle};
use crate::key::Key;

/// The name of a source, such as `embedded`, `key` or `wkd:release@example.org`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Cow<'static, str>);

impl SourceName {
    /// A source of that name.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether verification may go on without a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Requirement {
    /// Out of reach means that nothing is verified.
    #[default]
    Required,
    /// Out of reach is said in the outcome. A source that answered counts as required.
    BestEffort,
}

/// What agreement is asked of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Agreement {
    /// A certificate is trusted when it stands in every source.
    #[default]
    Common,
    /// Besides, all sources hold the same set of certificates.
    Exact,
}

/// A named set of certificates, or the reason why there is none.
#[derive(Debug, Clone)]
pub struct Source {
    name: SourceName,
    requirement: Requirement,
    answer: Answer,
}

#[derive(Debug, Clone)]
enum Answer {
    Certificates(Vec<Certificate>),
    Unreachable(String),
    Unusable(String),
}

impl Source {
    /// The certificates built into a program.
    #[must_use]
    pub fn embedded(certificates: Vec<Certificate>) -> Self {
        Self::new("embedded", certificates)
    }

    /// A source that answered. No certificate at all is an answer too: nobody is trusted then.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, certificates: Vec<Certificate>) -> Self {
        Self::with_answer(name, Answer::Certificates(certificates))
    }

    /// A source that could not be reached.
    #[must_use]
    pub fn unreachable(name: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self::with_answer(name, Answer::Unreachable(reason.into()))
    }

    /// A source that answered with something that is no set of certificates.
    #[must_use]
    pub fn unusable(name: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self::with_answer(name, Answer::Unusable(reason.into()))
    }

    fn with_answer(name: impl Into<Cow<'static, str>>, answer: Answer) -> Self {
        Self {
            name: SourceName::new(name),
            requirement: Requirement::Required,
            answer,
        }
    }

    /// The same source, required or not.
    #[must_use]
    pub fn with_requirement(self, requirement: Requirement) -> Self {
        Self {
            requirement,
            ..self
        }
    }
}

/// A source as it was consulted, for the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsultedSource {
    name: SourceName,
    unreachable: Option<String>,
}

impl ConsultedSource {
    /// The source's name.
    #[must_use]
    pub fn name(&self) -> &SourceName {
        &self.name
    }

    /// Why it was out of reach; none if it answered.
    #[must_use]
    pub fn unreachable(&self) -> Option<&str> {
        self.unreachable.as_deref()
    }
}

/// The certificates that someone decided to trust, and where each of them stands. Never empty.
///
/// ```
/// use countersign_verify::{Certificate, Source, Trust};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (built_in, served) = (countersign_testkit::release().certificate, countersign_testkit::release().certificate);
/// let embedded = Source::embedded(vec![Certificate::from_bytes(&built_in)?]);
/// let directory = Source::new("wkd:release@example.org", Certificate::all_from_bytes(&served)?);
/// let trust = Trust::from_sources(vec![embedded, directory], Default::default())?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Trust {
    certificates: Vec<TrustedCertificate>,
    consulted: Vec<ConsultedSource>,
    /// None where nothing was pinned.
    pins: Option<Vec<Fingerprint>>,
}

/// A certificate, merged from all sources that have it.
#[derive(Debug, Clone)]
pub(crate) struct TrustedCertificate {
    pub(crate) certificate: Certificate,
    pub(crate) sources: Vec<SourceName>,
    /// The first source that answered and does not have it: then it is known, and not trusted.
    pub(crate) missing_from: Option<SourceName>,
}

impl Trust {
    /// Trust in these certificates, which are one source named `embedded`.
    ///
    /// # Errors
    /// [`TrustError::NoSource`] when there is no certificate.
    pub fn embedded(certificates: Vec<Certificate>) -> Result<Self, TrustError> {
        Self::from_sources(vec![Source::embedded(certificates)], Agreement::Common)
    }

    /// Trust in what the sources agree on. The same certificate from several sources is merged, where the primary key
    /// packets are identical: a revocation or a later expiry in one source takes effect on the copy in another.
    ///
    /// # Errors
    /// [`TrustError::Disagreement`] when no certificate stands in every source that answered, or with
    /// [`Agreement::Exact`] when the sets differ. [`TrustError::Unreachable`] for a required source, and
    /// [`TrustError::Unusable`] for any source. [`TrustError::NoSource`] when there is none, or the only one is empty.
    pub fn from_sources(sources: Vec<Source>, agreement: Agreement) -> Result<Self, TrustError> {
        let mut names = BTreeSet::new();
        if let Some(repeated) = sources
            .iter()
            .find(|source| !names.insert(source.name.clone()))
        {
            return Err(TrustError::RepeatedSource {
                name: repeated.name.clone(),
            });
        }
        let mut consulted = Vec::new();
        let mut answered: Vec<(SourceName, Vec<Fingerprint>)> = Vec::new();
        let mut merged: Vec<TrustedCertificate> = Vec::new();
        for source in sources {
            let name = source.name;
            let unreachable = match (source.answer, source.requirement) {
                (Answer::Unusable(reason), _) => return Err(TrustError::Unusable { name, reason }),
                (Answer::Unreachable(reason), Requirement::Required) => {
                    return Err(TrustError::Unreachable { name, reason });
                }
                (Answer::Unreachable(reason), Requirement::BestEffort) => Some(reason),
                (Answer::Certificates(certificates), _) => {
                    let mut held = Vec::new();
                    for certificate in certificates {
                        held.push(certificate.fingerprint());
                        add(&mut merged, certificate, &name)?;
                    }
                    held.sort_unstable();
                    held.dedup();
                    answered.push((name.clone(), held));
                    None
                }
            };
            consulted.push(ConsultedSource { name, unreachable });
        }
        for own in &mut merged {
            let lacks = answered
                .iter()
                .find(|(name, _)| !own.sources.contains(name));
            own.missing_from = lacks.map(|(name, _)| name.clone());
        }
        match answered.as_slice() {
            [] if consulted.is_empty() => return Err(TrustError::NoSource),
            [] => return Err(TrustError::NothingReached),
            [(_, only)] if only.is_empty() => return Err(TrustError::NoSource),
            _ => {}
        }
        let differ = answered
            .windows(2)
            .any(|pair| matches!(pair, [(_, a), (_, b)] if a != b));
        let none_common = merged.iter().all(|own| own.missing_from.is_some());
        if none_common || (agreement == Agreement::Exact && differ) {
            return Err(TrustError::Disagreement { sources: answered });
        }
        Ok(Self {
            certificates: merged,
            consulted,
            pins: None,
        })
    }

    /// Narrows the trust to certificates with one of these primary fingerprints. No pin at all narrows nothing, and pinning again
    /// narrows further.
    ///
    /// # Errors
    /// [`TrustError::NothingPinned`] when no trusted certificate is left.
    pub fn with_pins(self, pins: Vec<Fingerprint>) -> Result<Self, TrustError> {
        if pins.is_empty() {
            return Ok(self);
        }
        let left: Vec<Fingerprint> = self
            .fingerprints()
            .filter(|own| pins.contains(own))
            .collect();
        if left.is_empty() {
            return Err(TrustError::NothingPinned);
        }
        Ok(Self {
            pins: Some(left),
            ..self
        })
    }

    /// The sources, in the order given, with what became of each.
    #[must_use]
    pub fn consulted(&self) -> &[ConsultedSource] {
        &self.consulted
    }

    /// Primary fingerprints of the certificates that are trusted.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> {
        let trusted = self
            .certificates
            .iter()
            .filter(|own| own.missing_from.is_none());
        trusted
            .map(|own| own.certificate.fingerprint())
            .filter(|own| self.is_pinned(own))
    }

    pub(crate) fn is_pinned(&self, fingerprint: &Fingerprint) -> bool {
        self.pins
            .as_ref()
            .is_none_or(|pins| pins.contains(fingerprint))
    }

    pub(crate) fn certificates(&self) -> &[TrustedCertificate] {
        &self.certificates
    }

    /// The keys, primary or subkey, that answer to one of the handles, each with the place of its certificate.
    pub(crate) fn keys_named(&self, handles: &[KeyHandle]) -> Vec<(usize, &Key)> {
        let named = |key: &Key| handles.iter().any(|handle| handle.names(&key.fingerprint));
        let mut found = Vec::new();
        for (place, own) in self.certificates.iter().enumerate() {
            let keys = [own.certificate.primary()].into_iter();
            let all = keys.chain(own.certificate.subkeys().map(|(key, _)| key));
            found.extend(all.filter(|key| named(key)).map(|key| (place, key)));
        }
        found
    }
}

fn add(
    merged: &mut Vec<TrustedCertificate>,
    certificate: Certificate,
    source: &SourceName,
) -> Result<(), TrustError> {
    let fingerprint = certificate.fingerprint();
    let same = |own: &&mut TrustedCertificate| own.certificate.fingerprint() == fingerprint;
    match merged.iter_mut().find(same) {
        Some(own) if !own.certificate.has_same_primary(&certificate) => {
            Err(TrustError::FingerprintCollision { fingerprint })
        }
        Some(own) => {
            own.certificate.merge(certificate);
            if !own.sources.contains(source) {
                own.sources.push(source.clone());
            }
            Ok(())
        }
        None => {
            let sources = vec![source.clone()];
            merged.push(TrustedCertificate {
                certificate,
                sources,
                missing_from: None,
            });
            Ok(())
        }
    }
}

/// What each source holds, for a message.
pub(crate) fn describe(sources: &[(SourceName, Vec<Fingerprint>)]) -> String {
    let one = |(name, held): &(SourceName, Vec<Fingerprint>)| {
        let held: Vec<String> = held.iter().map(ToString::to_string).collect();
        match held.as_slice() {
            [] => format!("`{name}` has no certificate"),
            _ => format!("`{name}` has {}", held.join(", ")),
        }
    };
    sources.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use countersign_testkit::{Key, simple_certificate};

    use super::*;

    #[test]
    fn pinning_again_never_widens() {
        let certificates = [1, 2].map(|seed| {
            let key = Key::ed25519_legacy([seed; 32], 1_700_000_000);
            Certificate::from_bytes(&simple_certificate(&key, "A", 1_700_000_000)).unwrap()
        });
        let [a, b] = certificates.each_ref().map(Certificate::fingerprint);
        let trust = Trust::embedded(certificates.to_vec()).unwrap();
        let pinned = trust.with_pins(vec![a]).unwrap();
        assert_eq!(
            pinned
                .clone()
                .with_pins(Vec::new())
                .unwrap()
                .fingerprints()
                .collect::<Vec<_>>(),
            [a]
        );
        assert_eq!(
            pinned
                .clone()
                .with_pins(vec![a, b])
                .unwrap()
                .fingerprints()
                .collect::<Vec<_>>(),
            [a]
        );
        assert_eq!(
            pinned.with_pins(vec![b]).err(),
            Some(TrustError::NothingPinned)
        );
    }
}
