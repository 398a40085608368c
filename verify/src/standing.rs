//! What a certificate's own signatures say of it at a given time (design rules 5 to 8): flags, validity, revocation, bindings.
//!
//! Signatures are checked only where the verdict rests on them, newest first, and never more than
//! [`limits::SELF_SIGNATURE_CHECKS`] in one verification.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::Duration;

use crate::assessment::{KeyFlags, KeyRevocation, UserIdStanding};
use crate::certificate::{Certificate, Component};
use crate::error::{KeyRole, SignatureRefusal, Work};
use crate::hash::HashAlgorithm;
use crate::key::Key;
use crate::limits;
use crate::policy::{Expiry, Policy};
use crate::signature::{Signature, SignaturePacket, kind};
use crate::time::Timestamp;

/// What was found out of a key: everything if it holds, and otherwise as far as the search came.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyStanding {
    /// None if there are no flags at all.
    pub(crate) flags: Option<KeyFlags>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) revocations: Vec<KeyRevocation>,
}

impl KeyStanding {
    /// Rule 8, for a signature made at `signed`.
    fn revoked_for(&self, role: KeyRole, signed: Timestamp) -> Result<(), SignatureRefusal> {
        let counts = |revocation: &&KeyRevocation| {
            !revocation.reason.is_soft() || revocation.created.is_none_or(|date| signed >= date)
        };
        match self.revocations.iter().find(counts) {
            Some(found) => {
                let (reason, revoked) = (found.reason, found.created);
                Err(SignatureRefusal::KeyRevoked {
                    role,
                    reason,
                    revoked,
                })
            }
            None => Ok(()),
        }
    }
}

/// The primary key's standing, and the user id that it was taken from.
#[derive(Debug, Clone)]
pub(crate) struct PrimaryStanding {
    pub(crate) key: KeyStanding,
    pub(crate) user_id: Option<String>,
}

/// Judges one certificate at one time. Results are kept by the caller.
pub(crate) struct Judge<'c> {
    certificate: &'c Certificate,
    primary: &'c Key,
    primary_octets: Vec<u8>,
    /// Gathered once: a file may hold tens of thousands of subkeys, and of signatures among which to look for these.
    subkey_revocations: Option<Rc<[SignaturePacket]>>,
    now: Timestamp,
    budget: Rc<Budget>,
}

/// Work spent on certificates so far, in one verification; shared by all of them.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    checks: Cell<u64>,
    examined: Cell<u64>,
    octets: Cell<u64>,
}

impl Budget {
    fn spend(spent: &Cell<u64>, amount: u64, limit: u64, what: Work) -> Checked<()> {
        spent.set(spent.get().saturating_add(amount));
        if spent.get() > limit {
            return Err(SignatureRefusal::TooMuchWork { limit, what });
        }
        Ok(())
    }
}

/// A signature that would count if its cryptography holds.
struct Candidate {
    created: Timestamp,
    signature: Signature,
}

/// What a search for the newest valid signature came to.
struct Search {
    /// Newest first.
    candidates: Vec<Candidate>,
    /// The hash of the newest one that was passed over for its hash alone.
    weak: Option<HashAlgorithm>,
}

/// The newest valid signature, if there is one, and otherwise perhaps a weak hash to blame.
struct Newest<T> {
    found: Option<T>,
    weak: Option<HashAlgorithm>,
}

type Checked<T> = Result<T, SignatureRefusal>;

impl<'c> Judge<'c> {
    pub(crate) fn new(certificate: &'c Certificate, now: Timestamp, budget: Rc<Budget>) -> Self {
        let primary = certificate.primary();
        Self {
            certificate,
            primary,
            primary_octets: primary.signed_octets(),
            subkey_revocations: None,
            now,
            budget,
        }
    }

    /// Rules 6 to 8 for the primary key.
    ///
    /// # Errors
    /// No valid self-signature: this is no certificate. A hard revocation is reported even then.
    pub(crate) fn primary(&mut self) -> Checked<PrimaryStanding> {
        let mut key = KeyStanding::default();
        let user_id = self.primary_into(&mut key)?;
        Ok(PrimaryStanding { key, user_id })
    }

    /// As [`Judge::primary`]; `standing` keeps what was found where there is an error.
    pub(crate) fn primary_into(&mut self, standing: &mut KeyStanding) -> Checked<Option<String>> {
        let revocations = self.certificate.signatures_of_kind(kind::KEY_REVOCATION);
        let octets = self.primary_octets.clone();
        self.revocations(revocations, &[&octets], &mut standing.revocations)?;
        let by_user_id = self.primary_user_id()?;
        let (user_id, certification) = by_user_id.found.unzip();
        // A version 6 key takes its properties from the direct-key signature alone (RFC 9580, section 10.1.1).
        let certification = certification.filter(|_| self.primary.version == 4);
        let says_all = |own: &Signature| own.flags.is_some() && own.key_validity.is_some();
        let direct = if certification.as_ref().is_some_and(says_all) {
            Newest {
                found: None,
                weak: None,
            }
        } else {
            self.direct_key()?
        };
        let speakers: Vec<Signature> = certification.into_iter().chain(direct.found).collect();
        if speakers.is_empty() {
            // A key that was compromised is so whatever else it lacks.
            standing.revoked_for(KeyRole::Primary, Timestamp::from_unix(0))?;
            return Err(match by_user_id.weak.or(direct.weak) {
                Some(hash) => SignatureRefusal::WeakSelfSignature { hash },
                None => SignatureRefusal::NoSelfSignature,
            });
        }
        let validity = speakers.iter().find_map(|own| own.key_validity);
        standing.flags = speakers.iter().find_map(|own| own.flags);
        standing.expires = expires(self.primary, validity);
        Ok(user_id)
    }

    /// Rules 6 to 8 for a subkey, its back-signature included.
    ///
    /// # Errors
    /// No valid binding, not flagged for signing, or no valid back-signature.
    pub(crate) fn subkey(&mut self, subkey: &Key, component: &Component) -> Checked<KeyStanding> {
        let mut standing = KeyStanding::default();
        self.subkey_into(subkey, component, &mut standing)?;
        Ok(standing)
    }

    /// As [`Judge::subkey`]; `standing` keeps what was found where there is an error.
    pub(crate) fn subkey_into(
        &mut self,
        subkey: &Key,
        component: &Component,
        standing: &mut KeyStanding,
    ) -> Checked<()> {
        let subkey_octets = subkey.signed_octets();
        let primary_octets = self.primary_octets.clone();
        let content = [primary_octets.as_slice(), subkey_octets.as_slice()];
        let revocations = self.subkey_revocations();
        self.revocations(
            revocations.iter().cloned(),
            &content,
            &mut standing.revocations,
        )?;
        let is_binding =
            |signature: &SignaturePacket| signature.kind() == Some(kind::SUBKEY_BINDING);
        let search = self.search_own(component.signatures().filter(is_binding))?;
        let Some(binding) = self.newest(search.candidates, self.primary, &content)? else {
            return Err(match search.weak {
                Some(hash) => SignatureRefusal::WeakBindingSignature { hash },
                None => SignatureRefusal::NoBindingSignature,
            });
        };
        standing.flags = binding.flags;
        standing.expires = expires(subkey, binding.key_validity);
        if !binding.flags.is_some_and(KeyFlags::may_sign) {
            return Err(SignatureRefusal::NotForSigning {
                role: KeyRole::Subkey,
            });
        }
        if binding.embedded.is_empty() {
            return Err(SignatureRefusal::NoBackSignature);
        }
        let is_back_signature =
            |signature: &SignaturePacket| signature.kind() == Some(kind::PRIMARY_KEY_BINDING);
        let embedded = binding
            .embedded
            .iter()
            .filter(|own| is_back_signature(own))
            .cloned();
        let back = self.search(embedded, subkey)?;
        if self.newest(back.candidates, subkey, &content)?.is_none() {
            return Err(SignatureRefusal::BadBackSignature);
        }
        Ok(())
    }

    fn subkey_revocations(&mut self) -> Rc<[SignaturePacket]> {
        let certificate = self.certificate;
        let gathered = self.subkey_revocations.get_or_insert_with(|| {
            certificate
                .signatures_of_kind(kind::SUBKEY_REVOCATION)
                .collect()
        });
        Rc::clone(gathered)
    }

    /// Whether the primary key stands by a user id.
    pub(crate) fn user_id(&mut self, id: &Component) -> Checked<UserIdStanding> {
        let octets = user_id_octets(id);
        let primary_octets = self.primary_octets.clone();
        let content = [primary_octets.as_slice(), octets.as_slice()];
        let search = self.search_own(id.signatures().filter(is_certification))?;
        let newest = self.newest(search.candidates, self.primary, &content)?;
        let Some(created) = newest.and_then(|own| own.created) else {
            return Ok(UserIdStanding::NotCertified);
        };
        Ok(if self.user_id_is_revoked(created, &content)? {
            UserIdStanding::Revoked
        } else {
            UserIdStanding::Certified { created }
        })
    }

    /// Rule 8. A revocation counts whatever its hash, its age and its other subpackets: in doubt the key is revoked.
    fn revocations(
        &mut self,
        packets: impl Iterator<Item = SignaturePacket>,
        content: &[&[u8]],
        found: &mut Vec<KeyRevocation>,
    ) -> Checked<()> {
        for packet in packets {
            let Some(signature) = self.examine(&packet)? else {
                continue;
            };
            if signature.may_be_revocation_by(&self.primary.fingerprint)
                && self.holds(&signature, self.primary, content)?
            {
                found.push(KeyRevocation {
                    reason: signature.reason,
                    created: signature.created,
                });
            }
        }
        Ok(())
    }

    fn direct_key(&mut self) -> Checked<Newest<Signature>> {
        let search = self.search_own(self.certificate.signatures_of_kind(kind::DIRECT_KEY))?;
        let octets = self.primary_octets.clone();
        let found = self.newest(search.candidates, self.primary, &[&octets])?;
        Ok(Newest {
            found,
            weak: search.weak,
        })
    }

    /// Rule 7: the user id that speaks for the key, with its newest valid self-signature. Unrevoked ones only; one with the
    /// primary flag first, then the newest.
    fn primary_user_id(&mut self) -> Checked<Newest<(String, Signature)>> {
        let certificate = self.certificate;
        let ids: Vec<&Component> = certificate.user_id_components().collect();
        let mut weak = None;
        let mut searches = Vec::with_capacity(ids.len());
        let mut order = BinaryHeap::new();
        for (index, id) in ids.iter().enumerate() {
            let search = self.search_own(id.signatures().filter(is_certification))?;
            weak = weak.or(search.weak);
            let candidates = search.candidates.into_iter();
            order.extend(candidates.as_slice().first().map(|own| rank(own, index)));
            searches.push(candidates);
        }
        while let Some((_, _, Reverse(index))) = order.pop() {
            let (Some(id), Some(candidates)) = (ids.get(index), searches.get_mut(index)) else {
                continue;
            };
            let Some(candidate) = candidates.next() else {
                continue;
            };
            let octets = user_id_octets(id);
            let primary_octets = self.primary_octets.clone();
            let content = [primary_octets.as_slice(), octets.as_slice()];
            if !self.holds(&candidate.signature, self.primary, &content)? {
                order.extend(candidates.as_slice().first().map(|own| rank(own, index)));
            } else if !self.user_id_is_revoked(candidate.created, &content)? {
                let text = String::from_utf8_lossy(id.body()).into_owned();
                return Ok(Newest {
                    found: Some((text, candidate.signature)),
                    weak,
                });
            }
        }
        Ok(Newest { found: None, weak })
    }

    /// Whether a user id was revoked, and not certified anew since.
    fn user_id_is_revoked(&mut self, certified: Timestamp, content: &[&[u8]]) -> Checked<bool> {
        // Wherever it stands: `content` says which user id it is about.
        for packet in self
            .certificate
            .signatures_of_kind(kind::CERTIFICATION_REVOCATION)
        {
            let Some(signature) = self.examine(&packet)? else {
                continue;
            };
            let newer = signature.created.is_none_or(|revoked| revoked >= certified);
            let later = signature
                .created
                .is_some_and(|revoked| revoked > self.latest());
            if newer
                && !(later && signature.reason.is_soft())
                && signature.may_be_revocation_by(&self.primary.fingerprint)
                && self.holds(&signature, self.primary, content)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A search among signatures that name the primary key. There may be thousands by others beside them.
    fn search_own(&mut self, packets: impl Iterator<Item = SignaturePacket>) -> Checked<Search> {
        let primary = self.primary;
        let own = packets.filter(|packet| packet.mentions(&primary.fingerprint));
        self.search(own, primary)
    }

    /// The signatures that `issuer` may have made and that may count at this time (rules 2 to 4), newest first; of two that
    /// are equally new the later one in the file.
    fn search(
        &mut self,
        packets: impl Iterator<Item = SignaturePacket>,
        issuer: &Key,
    ) -> Checked<Search> {
        let mut candidates = Vec::new();
        let mut weak: Option<(Timestamp, HashAlgorithm)> = None;
        for packet in packets {
            let Some(signature) = self.examine(&packet)? else {
                continue;
            };
            let Some(created) = self.acceptable(&signature, issuer) else {
                continue;
            };
            match signature.hash() {
                Some(hash) if hash.is_strong() => candidates.push(Candidate { created, signature }),
                Some(hash) if weak.is_none_or(|(newest, _)| newest <= created) => {
                    weak = Some((created, hash));
                }
                _ => {}
            }
        }
        candidates.reverse();
        candidates.sort_by_key(|candidate| Reverse(candidate.created));
        Ok(Search {
            candidates,
            weak: weak.map(|(_, hash)| hash),
        })
    }

    /// A signature parsed, and counted; none if it is malformed.
    fn examine(&mut self, packet: &SignaturePacket) -> Checked<Option<Signature>> {
        let limit = limits::SELF_SIGNATURES_EXAMINED;
        Budget::spend(&self.budget.examined, 1, limit, Work::SelfSignatures)?;
        Ok(packet.parse_on_certificate())
    }

    /// When the signature was made, if nothing but its hash and its cryptography can speak against it.
    fn acceptable(&self, signature: &Signature, issuer: &Key) -> Option<Timestamp> {
        let created = signature.created?;
        let in_time = issuer.created <= created
            && created <= self.latest()
            && signature.expires().is_none_or(|expires| self.now < expires);
        let understood =
            signature.unknown_critical.is_none() && signature.critical_notations.is_empty();
        let fits = signature.version == issuer.version && signature.may_be_by(&issuer.fingerprint);
        (in_time && understood && fits).then_some(created)
    }

    /// The latest creation time that counts as past.
    fn latest(&self) -> Timestamp {
        self.now
            .later(Duration::from_secs(limits::CLOCK_SKEW_SECONDS))
    }

    fn newest(
        &mut self,
        candidates: Vec<Candidate>,
        issuer: &Key,
        content: &[&[u8]],
    ) -> Checked<Option<Signature>> {
        for candidate in candidates {
            if self.holds(&candidate.signature, issuer, content)? {
                return Ok(Some(candidate.signature));
            }
        }
        Ok(None)
    }

    /// The cryptographic check, counted.
    fn holds(&mut self, signature: &Signature, issuer: &Key, content: &[&[u8]]) -> Checked<bool> {
        let (Some(hash), Some(mut hasher)) = (signature.hash(), signature.hasher()) else {
            return Ok(false);
        };
        let trailer = signature.trailer();
        let octets = content.iter().map(|octets| octets.len()).sum::<usize>() + trailer.len();
        let (octets, limit) = (
            u64::try_from(octets).unwrap_or(u64::MAX),
            limits::SELF_SIGNATURE_OCTETS,
        );
        Budget::spend(&self.budget.octets, octets, limit, Work::HashedOctets)?;
        content.iter().for_each(|octets| hasher.update(octets));
        let digest = hasher.digest_with(&trailer);
        if !signature.has_prefix_of(&digest) {
            return Ok(false);
        }
        let limit = limits::SELF_SIGNATURE_CHECKS;
        Budget::spend(&self.budget.checks, 1, limit, Work::KeyOperations)?;
        Ok(issuer.verifies(hash, &digest, &signature.value))
    }
}

fn is_certification(signature: &SignaturePacket) -> bool {
    let kind = signature.kind();
    kind.is_some_and(|own| (kind::FIRST_CERTIFICATION..=kind::LAST_CERTIFICATION).contains(&own))
}

fn rank(candidate: &Candidate, index: usize) -> (bool, Timestamp, Reverse<usize>) {
    (
        candidate.signature.primary_user_id,
        candidate.created,
        Reverse(index),
    )
}

/// A validity of zero means that the key does not expire (RFC 9580, section 5.2.3.13).
fn expires(key: &Key, validity: Option<Duration>) -> Option<Timestamp> {
    validity
        .filter(|validity| !validity.is_zero())
        .map(|validity| key.created.later(validity))
}

/// The octets that stand for a user id where it is signed (RFC 9580, section 5.2.4).
fn user_id_octets(id: &Component) -> Vec<u8> {
    let length = u32::try_from(id.body().len()).unwrap_or(u32::MAX);
    [&[0xb4], length.to_be_bytes().as_slice(), id.body()].concat()
}

/// Rule 5, for both keys that a signature by `key` rests on.
pub(crate) fn meets(
    certificate: &Certificate,
    key: &Key,
    policy: &Policy,
) -> Result<(), SignatureRefusal> {
    certificate.primary().meets(policy, KeyRole::Primary)?;
    key.meets(policy, role(certificate, key))
}

/// Rules 3 and 6 to 8 for a signature that `key` made at `created`: not revoked, flagged for signing, alive; and the policy's
/// bounds.
pub(crate) fn may_have_signed(
    certificate: &Certificate,
    key: &Key,
    primary: &KeyStanding,
    standing: &KeyStanding,
    created: Timestamp,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), SignatureRefusal> {
    let (role, expiry) = (role(certificate, key), policy.expiry());
    primary.revoked_for(KeyRole::Primary, created)?;
    if role == KeyRole::Subkey {
        standing.revoked_for(role, created)?;
    }
    // A version 6 key without flags may do nothing (RFC 9580, section 5.2.3.29).
    if !standing.flags.map_or(key.version == 4, KeyFlags::may_sign) {
        return Err(SignatureRefusal::NotForSigning { role });
    }
    let primary_created = certificate.primary().created;
    alive(
        KeyRole::Primary,
        primary,
        primary_created,
        created,
        now,
        expiry,
    )?;
    alive(role, standing, key.created, created, now, expiry)?;
    bounds(created, now, policy)
}

pub(crate) fn role(certificate: &Certificate, key: &Key) -> KeyRole {
    if certificate.primary().fingerprint == key.fingerprint {
        KeyRole::Primary
    } else {
        KeyRole::Subkey
    }
}

/// Rules 3 and 7: the key was there and alive when it signed, and where asked for is so now.
fn alive(
    role: KeyRole,
    standing: &KeyStanding,
    key_created: Timestamp,
    created: Timestamp,
    now: Timestamp,
    expiry: Expiry,
) -> Result<(), SignatureRefusal> {
    if created < key_created {
        return Err(SignatureRefusal::PredatesKey {
            created,
            key_created,
        });
    }
    match standing.expires {
        Some(expired) if expired <= created => Err(SignatureRefusal::KeyExpired {
            role,
            expired,
            created,
        }),
        Some(expired) if expiry == Expiry::Now && expired <= now => {
            Err(SignatureRefusal::KeyExpiredNow { role, expired, now })
        }
        _ => Ok(()),
    }
}

/// The caller's bounds against replayed old releases.
fn bounds(created: Timestamp, now: Timestamp, policy: &Policy) -> Result<(), SignatureRefusal> {
    if let Some(not_before) = policy.not_before().filter(|bound| created < *bound) {
        return Err(SignatureRefusal::TooEarly {
            created,
            not_before,
        });
    }
    match policy.max_age().map(|age| now.earlier(age)) {
        Some(oldest) if created < oldest => Err(SignatureRefusal::TooOld { created, oldest }),
        _ => Ok(()),
    }
}
