//! Detached signatures over data.

use countersign_verify::{
    Certificate, CertificateKey, DetachedSignature, Form, GoodSignature, HashedData, Policy,
    RevocationReason, SignatureRefusal, Timestamp, Trust, Verifier, limits,
};

use super::admit;
use super::error::{AppendError, SignError};
use super::packet::{Area, Draft};
use crate::armor::{Label, armored};
use crate::public_key::PublicKey;
use crate::signer::{SignRequest, Signer};

/// Binary signature (RFC 9580, section 5.2.1.1).
const BINARY: u8 = 0x00;

/// What a signature is to say. Its hash is the one that the data went through.
#[derive(Debug, Clone)]
pub struct SignatureTemplate {
    created: Timestamp,
    notations: Vec<(String, String)>,
}

impl SignatureTemplate {
    /// A signature made at that time.
    #[must_use]
    pub fn new(created: Timestamp) -> Self {
        Self {
            created,
            notations: Vec::new(),
        }
    }

    /// One more notation: `name@domain` and a text (RFC 9580, section 5.2.3.24).
    #[must_use]
    pub fn with_notation(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.notations.push((name.into(), value.into()));
        self
    }
}

/// A signature that lacks the signer's answer.
#[derive(Debug)]
pub struct PreparedSignature<'a> {
    certificate: &'a Certificate,
    data: &'a HashedData,
    draft: Draft,
    now: Timestamp,
}

/// A signature over hashed data by that key of a certificate: primary key or subkey.
///
/// # Errors
/// The certificate has no such key, or our verifier would refuse what it signs; a creation time after `now` or before the
/// key's own; a hash other than SHA-256, SHA-384 and SHA-512; a notation without `@` in its name.
pub fn prepare_signature<'a>(
    key: &PublicKey,
    certificate: &'a Certificate,
    template: &SignatureTemplate,
    data: &'a HashedData,
    now: Timestamp,
) -> Result<PreparedSignature<'a>, SignError> {
    admit(key)?;
    let created = template.created;
    if created > now {
        return Err(SignError::CreatedInFuture { created, now });
    }
    let own = certificate
        .keys()
        .find(|own| PublicKey::of_certificate(own).as_ref() == Some(key))
        .ok_or_else(|| SignError::KeyMismatch {
            certificate: certificate.fingerprint(),
            held: certificate
                .keys()
                .map(|own| own.algorithm().to_string())
                .collect(),
            signer: key.to_string(),
        })?;
    if created < own.created() {
        let key_created = own.created();
        return Err(SignError::CreatedBeforeKey {
            created,
            key_created,
        });
    }
    may_sign(certificate, &own, created, now)?;
    let mut area = Area::default();
    area.created(created)?;
    area.issuer(&own.fingerprint());
    for (name, value) in &template.notations {
        let plain = name.bytes().all(|octet| octet.is_ascii_graphic());
        if !plain
            || !matches!(name.split_once('@'), Some((tag, domain)) if !tag.is_empty() && !domain.is_empty() && !domain.contains('@'))
        {
            let name = countersign_verify::printable(name);
            return Err(SignError::NotationName { name });
        }
        area.notation(name, value)?;
    }
    let draft = Draft::new(BINARY, key, data.hash(), area, |own| data.digest_with(own))?;
    Ok(PreparedSignature {
        certificate,
        data,
        draft,
        now,
    })
}

/// Refuses before a call is spent on it what the verifier would refuse after. It judges a signature made now; about one that
/// is dated back only the verification at the end can tell whether the key was alive and unrevoked.
fn may_sign(
    certificate: &Certificate,
    key: &CertificateKey<'_>,
    created: Timestamp,
    now: Timestamp,
) -> Result<(), SignError> {
    let assessment = certificate.assess(&Policy::new(), now);
    let mut keys = [assessment.primary()]
        .into_iter()
        .chain(assessment.subkeys());
    let refusal = keys
        .find(|own| own.fingerprint() == key.fingerprint())
        .and_then(|own| own.refusal());
    let was_good = match refusal {
        Some(SignatureRefusal::KeyExpired { expired, .. }) => created < *expired,
        Some(SignatureRefusal::KeyRevoked {
            // Soft reasons: what was signed before stays good.
            reason:
                RevocationReason::Superseded
                | RevocationReason::Retired
                | RevocationReason::UserIdInvalid,
            revoked: Some(revoked),
            ..
        }) => created < *revoked,
        _ => false,
    };
    match refusal {
        Some(refusal) if !was_good => Err(SignError::CertificateRefused {
            certificate: certificate.fingerprint(),
            refusal: match refusal.clone() {
                // Not when it is judged, but when it would have signed.
                SignatureRefusal::KeyExpired { role, expired, .. } => {
                    SignatureRefusal::KeyExpired {
                        role,
                        expired,
                        created,
                    }
                }
                refusal => refusal,
            },
        }),
        _ => Ok(()),
    }
}

impl PreparedSignature<'_> {
    /// What is to be signed.
    #[must_use]
    pub fn request(&self) -> SignRequest<'_> {
        self.draft.request()
    }

    /// The signature, from the signer's answer.
    ///
    /// # Errors
    /// An answer of a wrong length, or one that our verifier does not accept over these data at `now`.
    pub fn finish(self, answer: &[u8]) -> Result<Signature, SignError> {
        let packet = self.draft.assemble(answer)?;
        let detached = DetachedSignature::from_bytes(&packet).map_err(SignError::Malformed)?;
        let trust = Trust::embedded(vec![self.certificate.clone()]).map_err(SignError::Trust)?;
        let verifier = Verifier::new(trust, Policy::new());
        let verified = verifier
            .verify_hashed(&detached, self.data, self.now)
            .map_err(|error| SignError::NotVerified(Box::new(error)))?;
        let report = verified.report().good().first().cloned();
        let report = report.expect("a verified file has a good signature");
        Ok(Signature { packet, report })
    }
}

/// A signature that our own verifier has accepted over the data it was made for.
#[derive(Debug, Clone)]
#[must_use]
pub struct Signature {
    packet: Vec<u8>,
    report: GoodSignature,
}

impl Signature {
    /// The packet, binary: a detached signature file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.packet.clone()
    }

    /// The same as text (`PGP SIGNATURE`).
    #[must_use]
    pub fn to_armored(&self) -> String {
        armored(Label::Signature, &self.packet)
    }

    /// What the verifier found.
    #[must_use]
    pub fn report(&self) -> &GoodSignature {
        &self.report
    }
}

/// Signs hashed data: one call of the signer. See [`prepare_signature`].
///
/// # Errors
/// As [`prepare_signature`] and [`PreparedSignature::finish`], and what the signer says.
pub async fn sign(
    signer: &dyn Signer,
    certificate: &Certificate,
    template: &SignatureTemplate,
    data: &HashedData,
    now: Timestamp,
) -> Result<Signature, SignError> {
    let prepared = prepare_signature(signer.public_key(), certificate, template, data, now)?;
    let answer = signer
        .sign(prepared.request())
        .await
        .map_err(SignError::Signer)?;
    prepared.finish(&answer)
}

/// The octets of a signature file with one more signature at its end, armored or binary as the file was; what it held is kept
/// octet by octet. A file that holds the very same signature already stays as it is.
///
/// # Errors
/// More than [`limits::SIGNATURES`] or [`limits::SIGNATURE_FILE_BYTES`].
pub fn append(existing: &DetachedSignature, added: &Signature) -> Result<Vec<u8>, AppendError> {
    let mut packets = existing.to_bytes();
    let holds_it = packets
        .windows(added.packet.len())
        .any(|window| window == added.packet);
    if !holds_it {
        if existing.signatures() >= limits::SIGNATURES {
            let limit = limits::SIGNATURES;
            return Err(AppendError::TooMany { limit });
        }
        packets.extend_from_slice(&added.packet);
    }
    let octets = match existing.form() {
        Form::Binary => packets,
        Form::Armored => armored(Label::Signature, &packets).into_bytes(),
    };
    let (size, limit) = (octets.len(), limits::SIGNATURE_FILE_BYTES);
    if size > limit {
        return Err(AppendError::TooLarge { size, limit });
    }
    Ok(octets)
}
