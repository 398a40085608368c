//! Tokens by one key, made as seldom as can be.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_verify::Timestamp;
use event_listener::{Event, IntoNotification as _};
use rand_core::{OsRng, RngCore as _};
use serde::Serialize;

use super::certificate::CertificateChain;
use super::claims::{Claims, NOT_BEFORE_MARGIN};
use super::jws::{self, Algorithm, Header, JwsError, Token, UnsupportedKey, Verifying};
use super::key_id::{KeyId, KeyIdError};
use super::scope::AccessList;
use crate::public_key::PublicKey;
use crate::signer::Signer;

/// Bits of an RSA key (RFC 7518, section 3.3). Releases need more; tokens live for minutes.
pub const MIN_RSA_BITS: u32 = 2048;

/// A token that lives longer is a password.
pub const MAX_LIFETIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A token is handed out again while it lives at least that long: a client that is told less, or nothing, assumes a minute.
const RESERVE: Duration = Duration::from_secs(60);

/// Tokens kept, a kilobyte or five each.
const CACHE_ENTRIES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Requests of the signer at a time. A key in AWS KMS answers in some ten milliseconds: that makes a thousand a second, which
/// is what AWS allows an account.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Octets of issuer, subject and service each. A header must stay small.
const NAME_OCTETS: usize = 1024;

/// Which key id a header carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyIdForm {
    /// RFC 7638, for registries of version 3.
    #[default]
    Thumbprint,
    /// Docker's libtrust, for registries of version 2.
    Libtrust,
    /// One's own, as it stands in the registry's `jwks` file.
    Explicit(KeyId),
}

/// What all tokens of a signer have in common.
#[derive(Debug, Clone)]
pub struct TokenTemplate {
    issuer: String,
    lifetime: Duration,
    algorithm: Option<Algorithm>,
    key_id: KeyIdForm,
    chain: Option<CertificateChain>,
    cache_entries: usize,
    concurrency: NonZeroUsize,
}

impl TokenTemplate {
    /// `issuer` as the registry's configuration has it, to the letter; a lifetime in whole seconds.
    #[must_use]
    pub fn new(issuer: impl Into<String>, lifetime: Duration) -> Self {
        Self {
            issuer: issuer.into(),
            lifetime,
            algorithm: None,
            key_id: KeyIdForm::default(),
            chain: None,
            cache_entries: CACHE_ENTRIES.get(),
            concurrency: CONCURRENCY,
        }
    }

    /// By that algorithm, such as RS512; RS256 and ES256 unless set.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        let algorithm = Some(algorithm);
        Self { algorithm, ..self }
    }

    /// Under that key id.
    #[must_use]
    pub fn with_key_id(self, key_id: KeyIdForm) -> Self {
        Self { key_id, ..self }
    }

    /// With the key's certificate, and those that lead to a root, in every header (`x5c`): what all versions accept.
    #[must_use]
    pub fn with_chain(self, chain: CertificateChain) -> Self {
        let chain = Some(chain);
        Self { chain, ..self }
    }

    /// Tokens kept, to be handed out again; 4,096 unless set, none with 0.
    #[must_use]
    pub fn with_cache_entries(self, cache_entries: usize) -> Self {
        Self {
            cache_entries,
            ..self
        }
    }

    /// Requests of the signer at a time; 16 unless set.
    #[must_use]
    pub fn with_concurrency(self, concurrency: NonZeroUsize) -> Self {
        Self {
            concurrency,
            ..self
        }
    }
}

/// Issues tokens by one key. Share it by reference or in an [`Arc`]; it needs no particular async runtime.
///
/// An identical grant (subject, service and access) gets the same token again while that lives for another minute. Identical
/// requests at a time are one request of the signer. Tries after throttling are the backend's: `aws-kms` waits between them,
/// longer each time, with jitter.
pub struct TokenSigner {
    signer: Arc<dyn Signer>,
    key: Verifying,
    algorithm: Algorithm,
    key_id: KeyId,
    issuer: String,
    lifetime: Duration,
    /// Encoded once.
    header: String,
    validity: Option<(Timestamp, Timestamp)>,
    cache_entries: usize,
    concurrency: usize,
    grants: Mutex<HashMap<Grant, Slot>>,
    running: Mutex<usize>,
    freed: Event,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Grant {
    subject: String,
    service: String,
    access: AccessList,
}

enum Slot {
    Ready(IssuedToken),
    Pending(Arc<Flight>),
}

/// A request of the signer that others wait for.
#[derive(Default)]
struct Flight {
    /// Stays empty where the one who asked went away.
    outcome: OnceLock<Option<Result<IssuedToken, IssueError>>>,
    landed: Event,
}

impl TokenSigner {
    /// Checks the key and the template; asks the signer for nothing.
    ///
    /// # Errors
    /// A key that signs no tokens or not by that algorithm, a certificate of another key, an issuer or a lifetime that makes no
    /// sense.
    pub fn new(
        signer: impl Into<Arc<dyn Signer>>,
        template: TokenTemplate,
    ) -> Result<Self, TokenSignerError> {
        let signer = signer.into();
        let public = signer.public_key();
        let bits = public.bits();
        let own = Algorithm::of(public)?;
        if own != Algorithm::Es256 && bits < MIN_RSA_BITS {
            return Err(TokenSignerError::WeakKey {
                bits,
                min: MIN_RSA_BITS,
            });
        }
        let algorithm = template.algorithm.unwrap_or(own);
        if (algorithm == Algorithm::Es256) != (own == Algorithm::Es256) {
            return Err(TokenSignerError::AlgorithmMismatch {
                algorithm,
                key: public.to_string(),
            });
        }
        is_name("issuer", &template.issuer)?;
        let lifetime = template.lifetime;
        if lifetime.as_secs() == 0 || lifetime > MAX_LIFETIME {
            return Err(TokenSignerError::Lifetime {
                seconds: lifetime.as_secs(),
                max: MAX_LIFETIME.as_secs(),
            });
        }
        let key_id = match template.key_id {
            KeyIdForm::Thumbprint => KeyId::thumbprint(public)?,
            KeyIdForm::Libtrust => KeyId::libtrust(public)?,
            KeyIdForm::Explicit(id) => id,
        };
        let chain = template.chain;
        if let Some(chain) = &chain
            && chain.public_key() != public
        {
            return Err(TokenSignerError::CertificateOfAnotherKey {
                certificate: chain.public_key().to_string(),
                key: public.to_string(),
            });
        }
        let certificates = chain.as_ref().map(CertificateChain::to_x5c);
        let header = Header::new(algorithm, key_id.clone(), certificates.unwrap_or_default());
        let header = serde_json::to_vec(&header).map_err(|_| TokenSignerError::Header)?;
        Ok(Self {
            key: Verifying::of(public)?,
            algorithm,
            key_id,
            issuer: template.issuer,
            lifetime: Duration::from_secs(lifetime.as_secs()),
            header: URL_SAFE_NO_PAD.encode(header),
            validity: chain.map(|own| own.validity()),
            cache_entries: template.cache_entries,
            concurrency: template.concurrency.get(),
            grants: Mutex::default(),
            running: Mutex::default(),
            freed: Event::new(),
            signer,
        })
    }

    /// The public half of the key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    /// The key id in every header.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// What every token is signed by.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The issuer in every token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What an operator should know: which registries refuse these tokens. One sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.signer.warnings();
        if self.validity.is_none() && self.algorithm == Algorithm::Es256 {
            warnings.push(
                "a P-256 key without a certificate: registry 2 refuses its thumbprint, registry 3.0 computes another one for \
                 every P-256 key, registry 3.1 for one key in 128; a certificate in the header (x5c) avoids it all, a `jwks` \
                 file serves registry 3 alone"
                    .to_owned(),
            );
        }
        warnings
    }

    /// A token for `subject` (empty for nobody in particular) at the registry whose `service` this is, as of `now`.
    ///
    /// At most one request of the signer; none where the same grant was issued before and has a minute left.
    ///
    /// # Errors
    /// What the signer says, an answer that is no signature by the key, or names that make no sense.
    pub async fn issue(
        &self,
        subject: &str,
        service: &str,
        access: &AccessList,
        now: Timestamp,
    ) -> Result<IssuedToken, IssueError> {
        if service.is_empty() || service.len() > NAME_OCTETS || subject.len() > NAME_OCTETS {
            return Err(IssueError::NameLength { limit: NAME_OCTETS });
        }
        if let Some((not_before, not_after)) = self.validity
            && (now < not_before || now > not_after)
        {
            return Err(IssueError::CertificateNotValid {
                not_before,
                not_after,
                now,
            });
        }
        let grant = Grant {
            subject: subject.to_owned(),
            service: service.to_owned(),
            access: access.clone(),
        };
        loop {
            let flight = match self.grants().get(&grant) {
                Some(Slot::Ready(issued)) if issued.is_reusable(now) => return Ok(issued.clone()),
                Some(Slot::Pending(flight)) => Some(flight.clone()),
                _ => None,
            };
            let Some(flight) = flight else {
                if let Some(lead) = self.lead(&grant) {
                    return lead.fly(now).await;
                }
                continue;
            };
            let landed = flight.landed.listen();
            if flight.outcome.get().is_none() {
                landed.await;
            }
            match flight.outcome.get() {
                // A grant that was issued with another clock is not passed on.
                Some(Some(Ok(issued))) if !issued.covers(now) => {}
                Some(Some(outcome)) => return outcome.clone(),
                Some(None) | None => {}
            }
        }
    }

    fn grants(&self) -> MutexGuard<'_, HashMap<Grant, Slot>> {
        // Nothing panics while it is held.
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lead on a grant, unless somebody else has it by now.
    fn lead(&self, grant: &Grant) -> Option<Lead<'_>> {
        let mut grants = self.grants();
        if let Some(Slot::Pending(_)) = grants.get(grant) {
            return None;
        }
        let flight = Arc::new(Flight::default());
        grants.insert(grant.clone(), Slot::Pending(flight.clone()));
        Some(Lead {
            tokens: self,
            grant: grant.clone(),
            flight,
        })
    }

    async fn sign(&self, grant: &Grant, now: Timestamp) -> Result<IssuedToken, IssueError> {
        let _permit = self.permit().await;
        let mut random = [0; 16];
        OsRng
            .try_fill_bytes(&mut random)
            .map_err(|_| IssueError::NoRandomNumbers)?;
        let expires = now.later(self.lifetime);
        let not_before = now.earlier(NOT_BEFORE_MARGIN);
        let claims = Claims {
            issuer: &self.issuer,
            subject: &grant.subject,
            audience: &grant.service,
            expires,
            not_before,
            issued_at: now,
            token_id: &URL_SAFE_NO_PAD.encode(random),
            access: &grant.access,
        };
        let claims = serde_json::to_vec(&claims).map_err(|_| IssueError::Claims)?;
        let signed = jws::sign(
            &*self.signer,
            &self.key,
            self.algorithm,
            &self.header,
            &claims,
        );
        Ok(IssuedToken {
            token: signed.await?,
            issued_at: now,
            not_before,
            expires,
        })
    }

    /// Waits until fewer than the allowed number of requests are running.
    async fn permit(&self) -> Permit<'_> {
        loop {
            if let Some(permit) = self.free_permit() {
                return permit;
            }
            let freed = self.freed.listen();
            if let Some(permit) = self.free_permit() {
                return permit;
            }
            freed.await;
        }
    }

    fn free_permit(&self) -> Option<Permit<'_>> {
        let mut running = self.running();
        (*running < self.concurrency).then(|| {
            *running += 1;
            Permit(self)
        })
    }

    fn running(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSigner")
            .field("issuer", &self.issuer)
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

struct Permit<'a>(&'a TokenSigner);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.running() -= 1;
        self.0.freed.notify(1.additional());
    }
}

/// The one who asks the signer while others wait. Whether it comes back or is dropped, they are told.
struct Lead<'a> {
    tokens: &'a TokenSigner,
    grant: Grant,
    flight: Arc<Flight>,
}

impl Lead<'_> {
    async fn fly(self, now: Timestamp) -> Result<IssuedToken, IssueError> {
        let outcome = self.tokens.sign(&self.grant, now).await;
        let mut grants = self.tokens.grants();
        match &outcome {
            Ok(issued) if self.tokens.cache_entries > 0 => {
                grants.remove(&self.grant);
                make_room(&mut grants, self.tokens.cache_entries, now);
                grants.insert(self.grant.clone(), Slot::Ready(issued.clone()));
            }
            _ => {
                grants.remove(&self.grant);
            }
        }
        drop(grants);
        let _ = self.flight.outcome.set(Some(outcome.clone()));
        outcome
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        if self.flight.outcome.set(None).is_ok() {
            // Went away before it came back: the next one leads.
            self.tokens.grants().remove(&self.grant);
        }
        self.flight.landed.notify(usize::MAX);
    }
}

/// Drops what has ended, and then what ends first, until one more fits.
fn make_room(grants: &mut HashMap<Grant, Slot>, limit: usize, now: Timestamp) {
    let ends = |slot: &Slot| match slot {
        Slot::Ready(issued) => Some(issued.expires),
        Slot::Pending(_) => None,
    };
    // Those who wait are bounded by those who ask.
    if grants.len() < limit {
        return;
    }
    grants.retain(|_, slot| match slot {
        Slot::Ready(issued) => issued.is_reusable(now),
        Slot::Pending(_) => true,
    });
    let mut ready: Vec<Timestamp> = grants.values().filter_map(ends).collect();
    if ready.len() < limit {
        return;
    }
    // An eighth at a time, so that a full cache is not searched for every token.
    ready.sort_unstable();
    let gone = ready.len() - limit + 1 + limit / 8;
    let bound = ready.get(gone.min(ready.len()) - 1).copied();
    let mut left = gone;
    grants.retain(|_, slot| {
        let goes = left > 0 && ends(slot).is_some_and(|end| Some(end) <= bound);
        left -= usize::from(goes);
        !goes
    });
}

fn is_name(what: &'static str, text: &str) -> Result<(), TokenSignerError> {
    if text.is_empty() || text.len() > NAME_OCTETS || text.chars().any(char::is_control) {
        return Err(TokenSignerError::Name {
            what,
            limit: NAME_OCTETS,
        });
    }
    Ok(())
}

/// A token and its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    token: Token,
    issued_at: Timestamp,
    not_before: Timestamp,
    expires: Timestamp,
}

impl IssuedToken {
    /// The token.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// When it was made.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When it ends.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// What is left of it.
    #[must_use]
    pub fn expires_in(&self, now: Timestamp) -> Duration {
        Duration::from_secs(self.expires.unix().saturating_sub(now.unix()))
    }

    /// What an authorization server answers.
    ///
    /// Clients add `expires_in` to `issued_at`, or to the time of the answer: `now` is given as `issued_at` and what is left as
    /// `expires_in`, so that both find the right end for a token that was issued before.
    #[must_use]
    pub fn response(&self, now: Timestamp) -> TokenResponse<'_> {
        TokenResponse {
            token: self.token.as_str(),
            access_token: self.token.as_str(),
            expires_in: self.expires_in(now).as_secs(),
            issued_at: now.to_string(),
        }
    }

    fn covers(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.expires
    }

    fn is_reusable(&self, now: Timestamp) -> bool {
        self.covers(now) && self.expires_in(now) >= RESERVE
    }
}

/// The answer of an authorization server, to be written as JSON.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TokenResponse<'a> {
    token: &'a str,
    /// The same, for clients of OAuth 2.
    access_token: &'a str,
    expires_in: u64,
    issued_at: String,
}

impl TokenResponse<'_> {
    /// As a JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Debug for TokenResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

/// Why tokens cannot be issued at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenSignerError {
    /// The key signs no tokens.
    #[error(transparent)]
    Key(#[from] UnsupportedKey),
    /// The key has no such id.
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
    /// RSA, and too short.
    #[error("RSA key has {bits} bits, tokens need {min}")]
    WeakKey {
        /// Bits of the modulus.
        bits: u32,
        /// Bits at the least.
        min: u32,
    },
    /// The key does not sign so.
    #[error("a {key} key does not sign by {algorithm}")]
    AlgorithmMismatch {
        /// What was asked for.
        algorithm: Algorithm,
        /// The key's algorithm.
        key: String,
    },
    /// The certificate is not of the key that signs.
    #[error("the certificate is of another key: it holds {certificate}, and another {key} signs")]
    CertificateOfAnotherKey {
        /// The algorithm of the certificate's key.
        certificate: String,
        /// The algorithm of the signing key.
        key: String,
    },
    /// No name for an issuer.
    #[error("{what} is not 1 to {limit} octets without control characters")]
    Name {
        /// Which name.
        what: &'static str,
        /// Octets at the most.
        limit: usize,
    },
    /// No time that a token can live.
    #[error("a lifetime of {seconds} s is not between 1 and {max} s")]
    Lifetime {
        /// What was asked for.
        seconds: u64,
        /// Seconds at the most.
        max: u64,
    },
    /// The header cannot be written.
    #[error("no header can be written")]
    Header,
}

/// Why there is no token. Shared by all who waited for it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// What came of the request of the signer.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// Registries would refuse what is signed now.
    #[error("the certificate is valid from {not_before} to {not_after}, and it is {now}")]
    CertificateNotValid {
        /// Its first second.
        not_before: Timestamp,
        /// Its last.
        not_after: Timestamp,
        /// The time of the request.
        now: Timestamp,
    },
    /// No service, or a name that no header would take.
    #[error("service and subject take {limit} octets each, and a service is needed")]
    NameLength {
        /// Octets at the most.
        limit: usize,
    },
    /// The operating system gave none.
    #[error("no random numbers for the token's id")]
    NoRandomNumbers,
    /// The claims cannot be written.
    #[error("no claims can be written")]
    Claims,
}
