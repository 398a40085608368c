//! Certificates minted from a signer's key.

use std::time::Duration;

use countersign_verify::{Certificate, HashAlgorithm, HashedData, Policy, Timestamp, limits};

use super::error::SignError;
use super::packet::{Area, Draft, key_body, packet, tag};
use super::{admit, default_hash};
use crate::public_key::PublicKey;
use crate::signer::{SignRequest, Signer};

/// PositiveCertification (RFC 9580, section 5.2.1.7).
const POSITIVE_CERTIFICATION: u8 = 0x13;

/// What a new certificate is to say. The same template and key give the same octets.
#[derive(Debug, Clone)]
pub struct CertificateTemplate {
    user_ids: Vec<String>,
    created: Timestamp,
    validity: Option<Duration>,
    hash: Option<HashAlgorithm>,
}

impl CertificateTemplate {
    /// One user id, by convention `Name <address>`; key and certificate are `created` at that time and do not expire.
    #[must_use]
    pub fn new(user_id: impl Into<String>, created: Timestamp) -> Self {
        Self {
            user_ids: vec![user_id.into()],
            created,
            validity: None,
            hash: None,
        }
    }

    /// One more user id. The first stays the primary one.
    #[must_use]
    pub fn with_user_id(mut self, user_id: impl Into<String>) -> Self {
        self.user_ids.push(user_id.into());
        self
    }

    /// Expires that long after its creation, in whole seconds.
    #[must_use]
    pub fn with_validity(self, validity: Duration) -> Self {
        Self {
            validity: Some(validity),
            ..self
        }
    }

    /// SHA-256, SHA-384 or SHA-512; else as [`default_hash`] says.
    #[must_use]
    pub fn with_hash(self, hash: HashAlgorithm) -> Self {
        Self {
            hash: Some(hash),
            ..self
        }
    }

    /// What can be told before there is a key.
    ///
    /// # Errors
    /// A creation time after `now`; an expiry at once or beyond what certificates can say; an empty, repeated or misleading
    /// user id.
    pub fn check(&self, now: Timestamp) -> Result<(), SignError> {
        let created = self.created;
        if created > now {
            return Err(SignError::CreatedInFuture { created, now });
        }
        if let Some(validity) = self.validity {
            if validity.as_secs() == 0 {
                return Err(SignError::NoValidity);
            }
            // GnuPG adds the two in 32 bits, and would see a key that expired long ago.
            let expires = created.later(validity);
            if u32::try_from(expires.unix()).is_err() {
                return Err(SignError::TimeTooLate { time: expires });
            }
        }
        for (index, user_id) in self.user_ids.iter().enumerate() {
            check_user_id(user_id)?;
            if self.user_ids.iter().take(index).any(|own| own == user_id) {
                let user_id = user_id.clone();
                return Err(SignError::UserIdRepeated { user_id });
            }
        }
        Ok(())
    }
}

/// A certificate that lacks its signatures, one for each user id.
#[derive(Debug)]
pub struct PreparedCertificate {
    key_packet: Vec<u8>,
    user_ids: Vec<(Vec<u8>, Draft)>,
    now: Timestamp,
}

/// A version 4 certificate: primary key flagged to certify and sign, Ed25519 as EdDSALegacy so that GnuPG 2.2 reads it, and
/// exactly one self-signature for each user id, which is yet to be made.
///
/// # Errors
/// A key that our verifier would refuse, and as [`CertificateTemplate::check`].
pub fn prepare_certificate(
    key: &PublicKey,
    template: &CertificateTemplate,
    now: Timestamp,
) -> Result<PreparedCertificate, SignError> {
    admit(key)?;
    template.check(now)?;
    let created = template.created;
    let body = key_body(key, created)?;
    let key_packet = packet(tag::PUBLIC_KEY, &body);
    let fingerprint = Certificate::from_bytes(&key_packet)
        .map_err(SignError::Certificate)?
        .fingerprint();
    let hash = template.hash.unwrap_or_else(|| default_hash(key));
    let mut user_ids: Vec<(Vec<u8>, Draft)> = Vec::new();
    for (index, user_id) in template.user_ids.iter().enumerate() {
        let octets = user_id.as_bytes();
        let id_packet = packet(tag::USER_ID, octets);
        let mut area = Area::default();
        area.created(created)?;
        area.certify_and_sign();
        if let Some(validity) = template.validity {
            area.key_validity(validity)?;
        }
        area.preferred_ciphers();
        area.preferred_hashes();
        area.features();
        if index == 0 && template.user_ids.len() > 1 {
            area.primary_user_id();
        }
        area.issuer(&fingerprint);
        // RFC 9580, section 5.2.4: the key, then the user id.
        let mut signed = HashedData::new(hash);
        let length = u16::try_from(body.len()).expect("a key packet of few octets");
        signed.update(&[0x99]);
        signed.update(&length.to_be_bytes());
        signed.update(&body);
        let length = u32::try_from(octets.len()).expect("a user id of few octets");
        signed.update(&[0xb4]);
        signed.update(&length.to_be_bytes());
        signed.update(octets);
        let draft = Draft::new(POSITIVE_CERTIFICATION, key, hash, area, |own| {
            signed.digest_with(own)
        })?;
        user_ids.push((id_packet, draft));
    }
    Ok(PreparedCertificate {
        key_packet,
        user_ids,
        now,
    })
}

fn check_user_id(user_id: &str) -> Result<(), SignError> {
    /// Of one that is too long, so much is shown, in characters.
    const SHOWN: usize = 60;
    let start: String = user_id.chars().take(SHOWN).collect();
    let wrong = |problem| SignError::UserId {
        user_id: countersign_verify::printable(if user_id.len() > limits::USER_ID_BYTES {
            &start
        } else {
            user_id
        }),
        problem,
    };
    if user_id.trim().is_empty() {
        Err(wrong("is empty"))
    } else if user_id.len() > limits::USER_ID_BYTES {
        Err(wrong("is too long"))
    } else if countersign_verify::printable(user_id) != user_id {
        Err(wrong("holds characters that do not show"))
    } else {
        Ok(())
    }
}

impl PreparedCertificate {
    /// What is to be signed, one request for each user id.
    pub fn requests(&self) -> impl Iterator<Item = SignRequest<'_>> {
        self.user_ids.iter().map(|(_, draft)| draft.request())
    }

    /// The certificate, from the answers in the order of the requests.
    ///
    /// # Errors
    /// Too few or too many answers, one of a wrong length, or one that our verifier does not accept.
    pub fn finish(self, answers: &[Vec<u8>]) -> Result<Certificate, SignError> {
        let (expected, found) = (self.user_ids.len(), answers.len());
        if expected != found {
            return Err(SignError::AnswerCount { expected, found });
        }
        let mut whole = self.key_packet.clone();
        for ((id, draft), answer) in self.user_ids.iter().zip(answers) {
            let signature = draft.assemble(answer)?;
            // Each by itself: only one user id speaks for a certificate, but every signature has to hold.
            let alone = [self.key_packet.as_slice(), id, &signature].concat();
            let alone = Certificate::from_bytes(&alone).map_err(SignError::Certificate)?;
            if let Some(refusal) = alone.assess(&Policy::new(), self.now).primary().refusal() {
                // An expired key is refused for new signatures, and yet what was asked for.
                if !matches!(
                    refusal,
                    countersign_verify::SignatureRefusal::KeyExpired { .. }
                ) {
                    return Err(SignError::NotAccepted(refusal.clone()));
                }
            }
            whole.extend_from_slice(id);
            whole.extend_from_slice(&signature);
        }
        Certificate::from_bytes(&whole).map_err(SignError::Certificate)
    }
}

/// Mints a certificate: one call of the signer for each user id, in turn. See [`prepare_certificate`].
///
/// # Errors
/// As [`prepare_certificate`] and [`PreparedCertificate::finish`], and what the signer says.
pub async fn mint(
    signer: &dyn Signer,
    template: &CertificateTemplate,
    now: Timestamp,
) -> Result<Certificate, SignError> {
    let prepared = prepare_certificate(signer.public_key(), template, now)?;
    let mut answers = Vec::new();
    for request in prepared.requests() {
        answers.push(signer.sign(request).await.map_err(SignError::Signer)?);
    }
    prepared.finish(&answers)
}
