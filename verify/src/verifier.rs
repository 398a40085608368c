//! The single road from octets to [`VerifiedManifest`] and [`VerifiedData`].

use std::fmt;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::clear_signed::ClearSigned;
use crate::content::{ContentHash, DataForm, Reading};
use crate::error::{KeyRole, SignatureRefusal, VerifyError, Work};
use crate::fingerprint::Fingerprint;
use crate::hash::HashAlgorithm;
use crate::hashed::HashedData;
use crate::key::Key;
use crate::limits;
use crate::manifest::{Manifest, VerifiedManifest};
use crate::policy::Policy;
use crate::report::{GoodSignature, Refusal, RefusedSignature, Report};
use crate::signature::{DetachedSignature, Signature, SignaturePacket, kind};
use crate::standing::{Budget, Judge, KeyStanding, PrimaryStanding, may_have_signed, meets, role};
use crate::time::Timestamp;
use crate::trust::Trust;

/// Verifies signatures by certificates that are trusted, under a policy. Reads no clock: the time of checking is an argument.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let release = countersign_testkit::release();
/// # let (certificate, data, signature) = (release.certificate, release.manifest, release.signature);
/// use countersign_verify::{Certificate, DetachedSignature, Policy, Trust, Verifier};
/// let trust = Trust::embedded(vec![Certificate::from_bytes(&certificate)?])?;
/// let verifier = Verifier::new(trust, Policy::new());
/// let signature = DetachedSignature::from_bytes(&signature)?;
/// let now = std::time::SystemTime::now().into();
/// let verified = verifier.verify(&signature, data.as_slice(), now)?;
/// println!("signed by {}", verified.report().good()[0].certificate());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Verifier {
    trust: Trust,
    policy: Policy,
}

impl Verifier {
    /// A verifier that trusts these certificates and demands this policy.
    #[must_use]
    pub fn new(trust: Trust, policy: Policy) -> Self {
        Self { trust, policy }
    }

    /// The trust that was given.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Verifies a detached signature over all that `data` yields, in one pass and with flat memory.
    ///
    /// # Errors
    /// [`VerifyError::Refused`] with a reason for each signature, or [`VerifyError::Read`].
    pub fn verify(
        &self,
        signature: &DetachedSignature,
        mut data: impl Read,
        now: Timestamp,
    ) -> Result<VerifiedData, VerifyError> {
        let mut writer = self.writer(signature, io::sink(), now);
        io::copy(&mut data, &mut writer).map_err(VerifyError::Read)?;
        writer.finish().map(|(verified, _)| verified)
    }

    /// Verifies a detached signature over octets in memory.
    ///
    /// # Errors
    /// [`VerifyError::Refused`] with a reason for each signature.
    pub fn verify_bytes(
        &self,
        signature: &DetachedSignature,
        data: &[u8],
        now: Timestamp,
    ) -> Result<VerifiedData, VerifyError> {
        self.verify(signature, data, now)
    }

    /// Verifies a detached signature over a file that may be large: reading and hashing overlap. `progress` is called with
    /// the number of octets of each part that was hashed.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub fn verify_file(
        &self,
        signature: &DetachedSignature,
        file: &std::fs::File,
        now: Timestamp,
        mut progress: impl FnMut(u64),
    ) -> Result<VerifiedData, VerifyError> {
        let mut session = Session::new(self, signature.packets(), &DETACHED_KINDS, now);
        if session.needs_data() {
            crate::content::read_file(file, Reading::Beside, |part| {
                session.update(part);
                progress(part.len() as u64);
            })
            .map_err(VerifyError::Read)?;
        }
        let report = session.finish()?;
        Ok(VerifiedData { report })
    }

    /// Verifies a detached signature over data that were hashed before. One that needs another hash, a salt or another form
    /// of the data is refused.
    ///
    /// # Errors
    /// [`VerifyError::Refused`] with a reason for each signature.
    pub fn verify_hashed<'v>(
        &'v self,
        signature: &DetachedSignature,
        data: &'v HashedData,
        now: Timestamp,
    ) -> Result<VerifiedData, VerifyError> {
        let mut session = Session::new(self, signature.packets(), &DETACHED_KINDS, now);
        session.adopt(&data.content);
        let report = session.finish()?;
        Ok(VerifiedData { report })
    }

    /// A writer that passes everything on to `inner` and verifies a detached signature meanwhile, such as over a download.
    /// The outcome comes from [`SignedDataWriter::finish`]; until then nothing that was written may be trusted.
    pub fn writer<W: Write>(
        &self,
        signature: &DetachedSignature,
        inner: W,
        now: Timestamp,
    ) -> SignedDataWriter<'_, W> {
        let session = Session::new(self, signature.packets(), &DETACHED_KINDS, now);
        SignedDataWriter { session, inner }
    }

    /// Verifies a manifest by its detached signature, and parses it only then.
    ///
    /// # Errors
    /// [`VerifyError::Refused`], or [`VerifyError::Manifest`] when what was signed is no manifest.
    pub fn verify_manifest(
        &self,
        manifest: &Manifest<'_>,
        signature: &DetachedSignature,
        now: Timestamp,
    ) -> Result<VerifiedManifest, VerifyError> {
        let mut session = Session::new(self, signature.packets(), &DETACHED_KINDS, now);
        session.update(manifest.octets());
        let report = session.finish()?;
        VerifiedManifest::parse(manifest.octets(), report)
    }

    /// Verifies a clear-signed manifest (`SHASUMS256.txt.asc`): the manifest is exactly the text that was hashed.
    ///
    /// # Errors
    /// [`VerifyError::Refused`], [`VerifyError::ClearSigned`], or [`VerifyError::Manifest`] when what was signed is no
    /// manifest.
    pub fn verify_clear_signed(
        &self,
        text: &ClearSigned,
        now: Timestamp,
    ) -> Result<VerifiedManifest, VerifyError> {
        let mut session = Session::new(self, text.signature().packets(), &[kind::TEXT], now);
        session.update(text.text());
        let report = session.finish()?;
        VerifiedManifest::parse(text.text(), report)
    }
}

/// Signature types of detached signatures (rule 1).
const DETACHED_KINDS: [u8; 2] = [kind::BINARY, kind::TEXT];

/// Passes everything on and verifies meanwhile. See [`Verifier::writer`].
#[must_use = "nothing is verified until `finish` is called"]
pub struct SignedDataWriter<'v, W> {
    session: Session<'v>,
    inner: W,
}

impl<W: Write> SignedDataWriter<'_, W> {
    /// The outcome for all that was written, and the inner writer.
    ///
    /// # Errors
    /// [`VerifyError::Refused`] with a reason for each signature: more or less than the signed data among them.
    pub fn finish(self) -> Result<(VerifiedData, W), VerifyError> {
        let report = self.session.finish()?;
        Ok((VerifiedData { report }, self.inner))
    }
}

impl<W: Write> Write for SignedDataWriter<'_, W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(part)?;
        self.session.update(part.get(..written).unwrap_or(part));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W> fmt::Debug for SignedDataWriter<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedDataWriter").finish_non_exhaustive()
    }
}

/// Proof that data carry enough good signatures. Only verification makes it.
#[derive(Debug, Clone)]
#[must_use]
pub struct VerifiedData {
    report: Report,
}

impl VerifiedData {
    /// Who signed, and which signatures did not count.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// One verification: what is known before the data, the running hashes, and the judgement at the end.
struct Session<'v> {
    verifier: &'v Verifier,
    now: Timestamp,
    plans: Vec<Plan<'v>>,
    hashes: Vec<ContentHash>,
    /// A hash that has seen the data elsewhere; all plans to check are for it.
    adopted: Option<&'v ContentHash>,
}

/// What is to be done about one signature.
enum Plan<'v> {
    Refuse(RefusedSignature),
    Check {
        signature: Box<Signature>,
        hash: HashAlgorithm,
        content: usize,
        keys: Vec<(usize, &'v Key)>,
    },
}

impl<'v> Session<'v> {
    fn new(
        verifier: &'v Verifier,
        packets: &[SignaturePacket],
        kinds: &[u8],
        now: Timestamp,
    ) -> Self {
        let mut session = Self {
            verifier,
            now,
            plans: Vec::new(),
            hashes: Vec::new(),
            adopted: None,
        };
        for packet in packets {
            let plan = match packet.parse() {
                Err(reason) => Plan::Refuse(RefusedSignature::new(reason, None)),
                Ok(signature) => session.plan(signature, kinds),
            };
            session.plans.push(plan);
        }
        session
    }

    /// The rules that need no data: 1, 2, 4, 5 and trust.
    fn plan(&mut self, signature: Signature, kinds: &[u8]) -> Plan<'v> {
        let verifier = self.verifier;
        let trusted = |place: usize| verifier.trust.certificates().get(place);
        let hash = match acceptable(&signature, kinds, &verifier.policy) {
            Ok(hash) => hash,
            Err(reason) => return Plan::Refuse(RefusedSignature::new(reason, Some(&signature))),
        };
        let named = verifier.trust.keys_named(&signature.issuers);
        if named.is_empty() {
            let reason = SignatureRefusal::UnknownIssuer {
                issuers: signature.issuers.clone(),
            };
            return Plan::Refuse(RefusedSignature::new(reason, Some(&signature)));
        }
        let mut keys = Vec::new();
        let mut refusal = None;
        for (place, key) in named {
            let Some(own) = trusted(place) else { continue };
            match self.admits(own, key, &signature) {
                Ok(()) => keys.push((place, key)),
                Err(reason) => {
                    refusal.get_or_insert_with(|| {
                        RefusedSignature::new(reason, Some(&signature)).about(&own.certificate, key)
                    });
                }
            }
        }
        match refusal {
            Some(refusal) if keys.is_empty() => Plan::Refuse(refusal),
            _ => match self.content(&signature) {
                Ok(content) => Plan::Check {
                    signature: Box::new(signature),
                    hash,
                    content,
                    keys,
                },
                Err(reason) => Plan::Refuse(RefusedSignature::new(reason, Some(&signature))),
            },
        }
    }

    /// Whether a certificate is trusted, and its keys strong enough for their signatures to mean anything.
    fn admits(
        &self,
        own: &crate::trust::TrustedCertificate,
        key: &Key,
        signature: &Signature,
    ) -> Result<(), SignatureRefusal> {
        let certificate = own.certificate.fingerprint();
        if let Some(missing_from) = own.missing_from.clone() {
            return Err(SignatureRefusal::NotInEverySource {
                certificate,
                missing_from,
            });
        }
        if !self.verifier.trust.is_pinned(&certificate) {
            return Err(SignatureRefusal::NotPinned { certificate });
        }
        if signature.version != key.version {
            let (signature, key) = (signature.version, key.version);
            return Err(SignatureRefusal::VersionMismatch { signature, key });
        }
        meets(&own.certificate, key, &self.verifier.policy)
    }

    /// The running hash that the signature needs: one for each algorithm, salt and form.
    fn content(&mut self, signature: &Signature) -> Result<usize, SignatureRefusal> {
        let form = if signature.kind == kind::TEXT {
            DataForm::Text
        } else {
            DataForm::Binary
        };
        let wanted = (signature.hash_id, signature.salt.as_slice(), form);
        let known = self.hashes.iter().position(|own| own.is_for(wanted));
        if known.is_none() {
            let limit = limits::CONTENT_HASHES;
            if u64::try_from(self.hashes.len()).is_ok_and(|hashes| hashes >= limit) {
                let what = Work::ContentHashes;
                return Err(SignatureRefusal::TooMuchWork { limit, what });
            }
            self.hashes.extend(ContentHash::new(signature, form));
        }
        Ok(known.unwrap_or(self.hashes.len().saturating_sub(1)))
    }

    fn needs_data(&self) -> bool {
        !self.hashes.is_empty()
    }

    /// Takes a hash that has seen the data; what needs another one is refused.
    fn adopt(&mut self, data: &'v ContentHash) {
        for plan in &mut self.plans {
            if let Plan::Check {
                signature, content, ..
            } = plan
                && !self
                    .hashes
                    .get(*content)
                    .is_some_and(|own| own.is_like(data))
            {
                let refusal = RefusedSignature::new(SignatureRefusal::NotHashed, Some(signature));
                *plan = Plan::Refuse(refusal);
            }
        }
        self.adopted = Some(data);
    }

    fn update(&mut self, part: &[u8]) {
        self.hashes.iter_mut().for_each(|hash| hash.update(part));
    }

    fn finish(self) -> Result<Report, VerifyError> {
        let verifier = self.verifier;
        let mut standings = Standings::new(verifier, self.now);
        let mut good = Vec::new();
        let mut refused = Vec::new();
        for plan in self.plans {
            match plan {
                Plan::Refuse(refusal) => refused.push(refusal),
                Plan::Check {
                    signature,
                    hash,
                    content,
                    keys,
                } => {
                    let digest = self
                        .adopted
                        .or(self.hashes.get(content))
                        .map(|own| own.digest_with(&signature.trailer()));
                    let digest = digest.unwrap_or_default();
                    match standings.judge(&signature, hash, &digest, &keys) {
                        Ok(own) => good.push(own),
                        Err(own) => refused.push(*own),
                    }
                }
            }
        }
        refused.sort_by_key(RefusedSignature::rank);
        let sources = verifier.trust.consulted().to_vec();
        let report = Report {
            good,
            refused,
            sources,
        };
        let needed = verifier.policy.threshold();
        if report.distinct_certificates() < needed {
            return Err(VerifyError::Refused(Box::new(Refusal { report, needed })));
        }
        Ok(report)
    }
}

/// Certificates' standings, each worked out once, when it is first needed.
struct Standings<'v> {
    verifier: &'v Verifier,
    now: Timestamp,
    primaries: Vec<Option<(Judge<'v>, Result<PrimaryStanding, SignatureRefusal>)>>,
    subkeys: Vec<((usize, Fingerprint), Result<KeyStanding, SignatureRefusal>)>,
    budget: Rc<Budget>,
    /// Public-key operations spent on the data's signatures.
    operations: u64,
}

impl<'v> Standings<'v> {
    fn new(verifier: &'v Verifier, now: Timestamp) -> Self {
        let primaries = verifier.trust.certificates().iter().map(|_| None).collect();
        Self {
            verifier,
            now,
            primaries,
            subkeys: Vec::new(),
            budget: Rc::default(),
            operations: 0,
        }
    }

    /// Tries the keys that the signature may be by; one that holds suffices.
    fn judge(
        &mut self,
        signature: &Signature,
        hash: HashAlgorithm,
        digest: &[u8],
        keys: &[(usize, &'v Key)],
    ) -> Result<GoodSignature, Box<RefusedSignature>> {
        let mut refusal: Option<RefusedSignature> = None;
        let mut checked: Vec<(&Key, bool)> = Vec::new();
        for (place, key) in keys {
            let Some(own) = self.verifier.trust.certificates().get(*place) else {
                continue;
            };
            let holds = match checked.iter().find(|(known, _)| known == key) {
                Some((_, holds)) => Ok(*holds),
                None => self.operate(signature, hash, digest, key),
            };
            checked.extend(holds.iter().map(|holds| (*key, *holds)));
            let made = holds.as_ref().is_ok_and(|holds| *holds);
            let judged = match holds {
                Ok(true) => self.judge_key(signature, *place, &own.certificate, key),
                Ok(false) => Err(SignatureRefusal::BadSignature),
                Err(reason) => Err(reason),
            };
            match judged {
                Ok(user_id) => {
                    return Ok(GoodSignature {
                        certificate: own.certificate.fingerprint(),
                        key: key.fingerprint,
                        material: key.material().to_vec(),
                        user_id,
                        created: signature.created.unwrap_or(self.now),
                        expires: signature.expires(),
                        algorithm: key.algorithm,
                        hash,
                        notations: signature.notations.clone(),
                        sources: own.sources.clone(),
                    });
                }
                Err(reason) => {
                    let found =
                        RefusedSignature::new(reason, Some(signature)).about(&own.certificate, key);
                    // A key that made the signature tells more than one that did not.
                    if refusal.is_none() || made {
                        refusal = Some(found);
                    }
                }
            }
        }
        let nobody = || RefusedSignature::new(SignatureRefusal::BadSignature, Some(signature));
        Err(Box::new(refusal.unwrap_or_else(nobody)))
    }

    /// Whether the key made the signature over this digest: a public-key operation, counted.
    fn operate(
        &mut self,
        signature: &Signature,
        hash: HashAlgorithm,
        digest: &[u8],
        key: &Key,
    ) -> Result<bool, SignatureRefusal> {
        if !signature.has_prefix_of(digest) {
            return Ok(false);
        }
        let limit = limits::DATA_SIGNATURE_CHECKS;
        if self.operations == limit {
            let what = Work::KeyOperations;
            return Err(SignatureRefusal::TooMuchWork { limit, what });
        }
        self.operations += 1;
        Ok(key.verifies(hash, digest, &signature.value))
    }

    /// The rules about time, certificate and policy, for a signature that a key certainly made: 3, 4 and 6 to 8.
    fn judge_key(
        &mut self,
        signature: &Signature,
        place: usize,
        certificate: &'v Certificate,
        key: &Key,
    ) -> Result<Option<String>, SignatureRefusal> {
        let (now, policy) = (self.now, &self.verifier.policy);
        let created = signature
            .created
            .ok_or(SignatureRefusal::MissingCreationTime)?;
        in_time(signature, created, now)?;
        let primary = self.primary(place, certificate)?;
        let standing = match role(certificate, key) {
            KeyRole::Primary => primary.key.clone(),
            KeyRole::Subkey => self.subkey(place, certificate, key)?,
        };
        may_have_signed(
            certificate,
            key,
            &primary.key,
            &standing,
            created,
            now,
            policy,
        )?;
        demanded_notations(signature, policy)?;
        Ok(primary.user_id)
    }

    fn primary(
        &mut self,
        place: usize,
        certificate: &'v Certificate,
    ) -> Result<PrimaryStanding, SignatureRefusal> {
        let (now, budget) = (self.now, &self.budget);
        let slot = self.primaries.get_mut(place);
        let slot = slot.expect("there is a slot for each certificate of the trust set");
        let (_, standing) = slot.get_or_insert_with(|| {
            let mut judge = Judge::new(certificate, now, Rc::clone(budget));
            let standing = judge.primary();
            (judge, standing)
        });
        standing.clone()
    }

    fn subkey(
        &mut self,
        place: usize,
        certificate: &'v Certificate,
        key: &Key,
    ) -> Result<KeyStanding, SignatureRefusal> {
        let name = (place, key.fingerprint);
        if let Some((_, standing)) = self.subkeys.iter().find(|(own, _)| *own == name) {
            return standing.clone();
        }
        let mut subkeys = certificate.subkeys();
        let component = subkeys.find(|(own, _)| own.fingerprint == key.fingerprint);
        let judge = self.primaries.get_mut(place).and_then(Option::as_mut);
        let standing = match (judge, component) {
            (Some((judge, _)), Some((own, component))) => judge.subkey(own, component),
            _ => Err(SignatureRefusal::NoBindingSignature),
        };
        self.subkeys.push((name, standing.clone()));
        standing
    }
}

/// Rules 1 to 4, as far as they concern the signature alone.
fn acceptable(
    signature: &Signature,
    kinds: &[u8],
    policy: &Policy,
) -> Result<HashAlgorithm, SignatureRefusal> {
    if !kinds.contains(&signature.kind) {
        return Err(SignatureRefusal::UnsupportedType {
            typ: signature.kind,
        });
    }
    let unknown_hash = SignatureRefusal::UnsupportedHash {
        id: signature.hash_id,
    };
    let hash = signature.hash().ok_or(unknown_hash)?;
    if !hash.is_strong() {
        return Err(SignatureRefusal::WeakHash { hash });
    }
    if signature.created.is_none() {
        return Err(SignatureRefusal::MissingCreationTime);
    }
    if let Some(id) = signature.unknown_critical {
        return Err(SignatureRefusal::CriticalSubpacket { id });
    }
    let understood = |name: &String| {
        policy
            .notations()
            .iter()
            .any(|demanded| demanded.name == *name)
    };
    if let Some(name) = signature
        .critical_notations
        .iter()
        .find(|name| !understood(name))
    {
        return Err(SignatureRefusal::CriticalNotation { name: name.clone() });
    }
    if signature.issuers.is_empty() {
        return Err(SignatureRefusal::MissingIssuer);
    }
    Ok(hash)
}

/// Rule 3: neither in the future nor expired.
fn in_time(
    signature: &Signature,
    created: Timestamp,
    now: Timestamp,
) -> Result<(), SignatureRefusal> {
    if created > now.later(Duration::from_secs(limits::CLOCK_SKEW_SECONDS)) {
        return Err(SignatureRefusal::SignedInFuture { created, now });
    }
    match signature.expires() {
        Some(expired) if expired <= now => Err(SignatureRefusal::SignatureExpired { expired, now }),
        _ => Ok(()),
    }
}

/// Rule 4: the notations that the caller demands are present, hashed, equal.
fn demanded_notations(signature: &Signature, policy: &Policy) -> Result<(), SignatureRefusal> {
    for demanded in policy.notations() {
        let name = demanded.name.clone();
        let mut named = signature
            .notations
            .iter()
            .filter(|own| own.name == name)
            .peekable();
        if named.peek().is_none() {
            return Err(SignatureRefusal::NotationMissing { name });
        }
        if !named.any(|own| own.value == demanded.value) {
            return Err(SignatureRefusal::NotationMismatch { name });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use countersign_testkit::{
        CertificateBuilder, Hash, Key, Over, SignatureBuilder, Subpacket, TestRsa, public_subkey,
        signature_type, simple_certificate,
    };

    use super::*;

    const BORN: u32 = 1_700_000_000;

    fn reasons(certificate: &[u8], signature: &[u8]) -> (usize, Vec<&'static str>) {
        let certificates = Certificate::all_from_bytes(certificate).unwrap();
        let verifier = Verifier::new(Trust::embedded(certificates).unwrap(), Policy::new());
        let signature = DetachedSignature::from_bytes(signature).unwrap();
        let now = Timestamp::from_unix(u64::from(BORN) + 100);
        let report = match verifier.verify_bytes(&signature, b"data", now) {
            Ok(verified) => verified.report().clone(),
            Err(VerifyError::Refused(refusal)) => refusal.report().clone(),
            Err(error) => panic!("{error}"),
        };
        let refused = report.refused().iter().map(|own| own.reason().name());
        (report.good().len(), refused.collect())
    }

    /// Each version 6 signature has a salt, and so a pass over the data, of its own.
    #[test]
    fn hashes_over_the_data_are_bounded() {
        let key = Key::ed25519_v6([1; 32], BORN);
        let sign = |salt: u8| {
            let builder = SignatureBuilder::new(signature_type::BINARY, BORN + 1);
            builder
                .with_salt(vec![salt; 16])
                .sign(&key, Over::Data(b"data"))
        };
        let signatures: Vec<u8> = (0..10).flat_map(sign).collect();
        let certificate = simple_certificate(&key, "A", BORN);
        assert_eq!(
            reasons(&certificate, &signatures),
            (8, vec!["too-much-work"; 2])
        );
    }

    /// A signature names many subkeys that nobody bound; trying each would take minutes.
    #[test]
    fn keys_tried_for_a_signature_are_bounded() {
        let key = Key::rsa(TestRsa::Rsa3072A, BORN);
        let subkeys: Vec<Key> = (0..200)
            .map(|age| Key::rsa(TestRsa::Rsa8192A, BORN - age))
            .collect();
        let mut builder = CertificateBuilder::simple(&key, "A", BORN);
        for subkey in &subkeys {
            builder = builder.with_packet(public_subkey(subkey));
        }
        let prefix = |own: SignatureBuilder| {
            // Whoever forges a signature can compute the prefix.
            let body = own.clone().sign_body(&key, Over::Data(b"data"));
            let length = usize::from(u16::from_be_bytes([body[4], body[5]]));
            let trailer = [4, 0xff, 0, 0, 0, u8::try_from(6 + length).unwrap()];
            let digest = Hash::Sha256.digest(&[b"data", &body[..6 + length], &trailer].concat());
            own.with_digest_prefix([digest[0], digest[1]])
        };
        let mut signatures = Vec::new();
        for group in subkeys.chunks(16).take(12) {
            let mut own = SignatureBuilder::new(signature_type::BINARY, BORN + 1).without_issuer();
            for subkey in group {
                own = own.with_unhashed(Subpacket::issuer_key_id(subkey));
            }
            signatures.extend(prefix(own).sign(&key, Over::Data(b"data")));
        }
        let started = Instant::now();
        let (good, reasons) = reasons(&builder.build(), &signatures);
        assert_eq!(good, 0);
        assert_eq!(
            reasons
                .iter()
                .filter(|own| **own == "too-much-work")
                .count(),
            4,
            "{reasons:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(10), "a hang");
    }

    #[test]
    fn a_signature_that_names_too_many_issuers_is_malformed() {
        let key = Key::ed25519_legacy([1; 32], BORN);
        let mut own = SignatureBuilder::new(signature_type::BINARY, BORN + 1);
        for _ in 0..16 {
            own = own.with_hashed(Subpacket::issuer_key_id(&key));
        }
        let signature = own.sign(&key, Over::Data(b"data"));
        let certificate = simple_certificate(&key, "A", BORN);
        assert_eq!(
            reasons(&certificate, &signature),
            (0, vec!["malformed-signature"])
        );
    }

    /// A file may repeat a primary key as often as it likes.
    #[test]
    fn a_repeated_primary_key_goes_on_with_its_certificate() {
        let key = Key::ed25519_legacy([1; 32], BORN);
        let certificate = simple_certificate(&key, "A", BORN);
        let primary = countersign_testkit::public_key(&key);
        let mut file = certificate.clone();
        for index in 0_u32..100_000 {
            file.extend(countersign_testkit::packet(2, &index.to_be_bytes()));
        }
        for _ in 0..5_000 {
            file.extend(&primary);
        }
        let started = Instant::now();
        let all = Certificate::all_from_bytes(&file).unwrap();
        assert_eq!(all.len(), 1);
        assert!(started.elapsed() < Duration::from_secs(10), "a hang");
    }
}
