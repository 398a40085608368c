//! What the verifier makes of a certificate by itself, before there is anything that it signed.

use std::fmt;
use std::rc::Rc;

use crate::certificate::Certificate;
use crate::error::{KeyRole, RevocationReason, SignatureRefusal};
use crate::fingerprint::Fingerprint;
use crate::key::{Key, PublicKeyAlgorithm};
use crate::policy::Policy;
use crate::standing::{Budget, Judge, KeyStanding, may_have_signed, meets, role};
use crate::time::Timestamp;

impl Certificate {
    /// What the verifier makes of the certificate at `now`, by the rules that it applies to a signature made at `now`.
    ///
    /// The work is limited as in one verification, for all keys and user ids together. Where it runs out, keys are refused
    /// with [`SignatureRefusal::TooMuchWork`], user ids are [`UserIdStanding::NotJudged`], and what is said of them may not
    /// be all.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let octets = countersign_testkit::release().certificate;
    /// use countersign_verify::{Certificate, Policy};
    /// let now = std::time::SystemTime::now().into();
    /// let assessment = Certificate::from_bytes(&octets)?.assess(&Policy::new(), now);
    /// match assessment.primary().refusal() {
    ///     None => println!("what it signs is accepted"),
    ///     Some(refusal) => println!("what it signs is refused: {refusal}"),
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn assess(&self, policy: &Policy, now: Timestamp) -> Assessment {
        Assessor::new(self, policy, now).assess()
    }

    /// The keys, the primary key first. Subkeys that cannot be parsed are left out.
    pub fn keys(&self) -> impl Iterator<Item = CertificateKey<'_>> {
        let primary = CertificateKey {
            key: self.primary(),
            role: KeyRole::Primary,
        };
        let subkeys = self.subkeys().map(|(key, _)| CertificateKey {
            key,
            role: KeyRole::Subkey,
        });
        [primary].into_iter().chain(subkeys)
    }
}

/// One key of a certificate, as its packet says; nothing of it is judged.
#[derive(Debug, Clone, Copy)]
pub struct CertificateKey<'c> {
    key: &'c Key,
    role: KeyRole,
}

impl<'c> CertificateKey<'c> {
    /// Its fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint
    }

    /// Primary key or subkey.
    #[must_use]
    pub fn role(&self) -> KeyRole {
        self.role
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> PublicKeyAlgorithm {
        self.key.algorithm
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.key.created
    }

    /// The body of its packet (RFC 9580, section 5.5.2).
    #[must_use]
    pub fn packet_body(&self) -> &'c [u8] {
        self.key.body()
    }
}

/// What a key may be used for (RFC 9580, section 5.2.3.29). Prints as `certify, sign`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFlags(u8);

impl KeyFlags {
    const NAMES: [(u8, &'static str); 5] = [
        (0x01, "certify"),
        (Self::SIGN, "sign"),
        (0x04, "encrypt communications"),
        (0x08, "encrypt storage"),
        (0x20, "authenticate"),
    ];
    const SIGN: u8 = 0x02;

    /// From the octets of the subpacket. No octet at all are flags, too, none of them set.
    pub(crate) fn from_octets(octets: &[u8]) -> Self {
        Self(octets.first().copied().unwrap_or(0))
    }

    pub(crate) fn may_sign(self) -> bool {
        self.0 & Self::SIGN != 0
    }

    /// The flags that are set and have a use.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let set = Self::NAMES.iter().filter(|(bit, _)| self.0 & bit != 0);
        set.map(|(_, name)| *name).collect()
    }
}

impl fmt::Display for KeyFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names().as_slice() {
            [] => f.write_str("none"),
            names => f.write_str(&names.join(", ")),
        }
    }
}

/// What the verifier makes of a certificate. See [`Certificate::assess`].
#[derive(Debug, Clone)]
pub struct Assessment {
    primary: KeyAssessment,
    subkeys: Vec<KeyAssessment>,
    user_ids: Vec<UserIdAssessment>,
}

impl Assessment {
    /// The primary key.
    #[must_use]
    pub fn primary(&self) -> &KeyAssessment {
        &self.primary
    }

    /// The subkeys that can be parsed.
    #[must_use]
    pub fn subkeys(&self) -> &[KeyAssessment] {
        &self.subkeys
    }

    /// The user ids, in the certificate's order.
    #[must_use]
    pub fn user_ids(&self) -> &[UserIdAssessment] {
        &self.user_ids
    }
}

/// What the verifier makes of a key.
#[derive(Debug, Clone)]
pub struct KeyAssessment {
    fingerprint: Fingerprint,
    role: KeyRole,
    algorithm: PublicKeyAlgorithm,
    created: Timestamp,
    expires: Option<Timestamp>,
    flags: Option<KeyFlags>,
    revocations: Vec<KeyRevocation>,
    refusal: Option<SignatureRefusal>,
}

impl KeyAssessment {
    /// Its fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Primary key or subkey.
    #[must_use]
    pub fn role(&self) -> KeyRole {
        self.role
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> PublicKeyAlgorithm {
        self.algorithm
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// When it expires, as a signature that holds says; none if it does not, or if no such signature was found.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Its flags, as a signature that holds says; none if that has none, or if no such signature was found.
    #[must_use]
    pub fn flags(&self) -> Option<KeyFlags> {
        self.flags
    }

    /// The revocations of it that hold, whatever their reasons and dates, and whether or not anything else of it does.
    #[must_use]
    pub fn revocations(&self) -> &[KeyRevocation] {
        &self.revocations
    }

    /// The first reason why a signature over data that it makes now would be refused; none if it would be accepted. What a
    /// signature has to bring along itself, such as the notations that the policy demands, is left out.
    #[must_use]
    pub fn refusal(&self) -> Option<&SignatureRefusal> {
        self.refusal.as_ref()
    }
}

/// A revocation of a key that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRevocation {
    pub(crate) reason: RevocationReason,
    pub(crate) created: Option<Timestamp>,
}

impl KeyRevocation {
    /// The reason that its owner gave.
    #[must_use]
    pub fn reason(&self) -> RevocationReason {
        self.reason
    }

    /// When it was made, if it says so.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.created
    }
}

/// What the verifier makes of a user id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserIdAssessment {
    text: String,
    standing: UserIdStanding,
}

impl UserIdAssessment {
    /// The user id. Octets that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the certificate's key stands by it.
    #[must_use]
    pub fn standing(&self) -> &UserIdStanding {
        &self.standing
    }
}

/// Whether a certificate's key stands by a user id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserIdStanding {
    /// By a signature that holds.
    Certified {
        /// When the newest such signature was made.
        created: Timestamp,
    },
    /// No longer.
    Revoked,
    /// No signature of the key over it holds.
    NotCertified,
    /// To find out would take more work than any honest certificate does.
    NotJudged,
}

impl fmt::Display for UserIdStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certified { .. } => "certified",
            Self::Revoked => "revoked",
            Self::NotCertified => "not certified",
            Self::NotJudged => "not judged",
        })
    }
}

struct Assessor<'c> {
    certificate: &'c Certificate,
    policy: &'c Policy,
    now: Timestamp,
    judge: Judge<'c>,
}

/// What was found out of a key, and what ended the search where it does not hold.
struct Found {
    standing: KeyStanding,
    outcome: Result<(), SignatureRefusal>,
}

impl<'c> Assessor<'c> {
    fn new(certificate: &'c Certificate, policy: &'c Policy, now: Timestamp) -> Self {
        Self {
            certificate,
            policy,
            now,
            judge: Judge::new(certificate, now, Rc::<Budget>::default()),
        }
    }

    fn assess(mut self) -> Assessment {
        let certificate = self.certificate;
        let mut standing = KeyStanding::default();
        let outcome = self.judge.primary_into(&mut standing).map(|_| ());
        let primary = Found { standing, outcome };
        let mut subkeys = Vec::new();
        for (key, component) in certificate.subkeys() {
            let mut standing = KeyStanding::default();
            let outcome = self.judge.subkey_into(key, component, &mut standing);
            let own = Found { standing, outcome };
            let refusal = self.refusal(key, &primary, &own);
            subkeys.push(told(key, KeyRole::Subkey, own.standing, refusal));
        }
        let user_ids = certificate.user_id_components().map(|id| UserIdAssessment {
            text: String::from_utf8_lossy(id.body()).into_owned(),
            standing: self.judge.user_id(id).unwrap_or(UserIdStanding::NotJudged),
        });
        let user_ids = user_ids.collect();
        let key = certificate.primary();
        let refusal = self.refusal(key, &primary, &primary);
        Assessment {
            primary: told(key, KeyRole::Primary, primary.standing, refusal),
            subkeys,
            user_ids,
        }
    }

    /// The first rule that a signature by `key` fails, in the order of a verification.
    fn refusal(&self, key: &Key, primary: &Found, own: &Found) -> Option<SignatureRefusal> {
        // A subkey may be the primary key once more; its signatures are taken for the primary key's.
        let own = match role(self.certificate, key) {
            KeyRole::Primary => primary,
            KeyRole::Subkey => own,
        };
        let may_sign = || {
            may_have_signed(
                self.certificate,
                key,
                &primary.standing,
                &own.standing,
                self.now,
                self.now,
                self.policy,
            )
        };
        meets(self.certificate, key, self.policy)
            .and_then(|()| primary.outcome.clone())
            .and_then(|()| own.outcome.clone())
            .and_then(|()| may_sign())
            .err()
    }
}

fn told(
    key: &Key,
    role: KeyRole,
    standing: KeyStanding,
    refusal: Option<SignatureRefusal>,
) -> KeyAssessment {
    KeyAssessment {
        fingerprint: key.fingerprint,
        role,
        algorithm: key.algorithm,
        created: key.created,
        expires: standing.expires,
        flags: standing.flags,
        revocations: standing.revocations,
        refusal,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use countersign_testkit::{
        BackSignature, Binding, CertificateBuilder, Hash, Key as TestKey, Over, SignatureBuilder,
        Subpacket, TestRsa, algorithm, key_flags, packet, public_subkey, signature_type, tag,
    };

    use super::*;
    use crate::{DetachedSignature, Trust, Verifier, VerifyError};

    const BORN: u32 = 1_700_000_000;
    const DAY: u32 = 86_400;
    const USER_ID: &str = "Releases <releases@example.org>";

    fn time(seconds: u32) -> Timestamp {
        Timestamp::from_unix(seconds.into())
    }

    fn assessed(certificate: CertificateBuilder) -> Assessment {
        let certificate = Certificate::from_bytes(&certificate.build()).unwrap();
        certificate.assess(&Policy::new(), time(BORN + 10 * DAY))
    }

    fn refusal(key: &KeyAssessment) -> &'static str {
        key.refusal().map_or("none", SignatureRefusal::name)
    }

    fn ed25519(seed: u8) -> TestKey {
        TestKey::ed25519_legacy([seed; 32], BORN)
    }

    fn simple(key: &TestKey) -> CertificateBuilder {
        CertificateBuilder::simple(key, USER_ID, BORN)
    }

    #[test]
    fn a_good_certificate_is_accepted_and_described() {
        for (key, algorithm) in [
            (TestKey::rsa(TestRsa::Rsa4096A, BORN), "RSA-4096"),
            (ed25519(1), "Ed25519"),
        ] {
            let assessment = assessed(simple(&key));
            let primary = assessment.primary();
            assert_eq!(refusal(primary), "none");
            assert_eq!(primary.algorithm().to_string(), algorithm);
            assert_eq!(primary.role(), KeyRole::Primary);
            assert_eq!(primary.fingerprint().to_string(), key.fingerprint_hex());
            assert_eq!(primary.created(), time(BORN));
            assert_eq!(primary.expires(), None);
            assert!(primary.flags().unwrap().names().contains(&"sign"));
            assert!(primary.revocations().is_empty());
            let [id] = assessment.user_ids() else {
                panic!("one user id");
            };
            assert_eq!(id.text(), USER_ID);
            let created = time(BORN);
            assert_eq!(*id.standing(), UserIdStanding::Certified { created });
        }
    }

    #[test]
    fn weak_keys_and_weak_self_signatures_are_refused() {
        let weak = assessed(simple(&TestKey::rsa(TestRsa::Rsa2048A, BORN)));
        assert_eq!(refusal(weak.primary()), "weak-key");
        let key = ed25519(1);
        let sha1 = CertificateBuilder::self_signature(BORN).with_hash(Hash::Sha1);
        let certificate = CertificateBuilder::new(&key).with_user_id_signed(USER_ID, &[sha1]);
        let assessment = assessed(certificate);
        assert_eq!(refusal(assessment.primary()), "weak-self-signature");
        assert_eq!(assessment.primary().flags(), None);
        assert_eq!(
            *assessment.user_ids()[0].standing(),
            UserIdStanding::NotCertified
        );
    }

    #[test]
    fn an_expired_key_is_refused_and_its_date_told() {
        let key = ed25519(1);
        let expiring =
            CertificateBuilder::self_signature(BORN).with_hashed(Subpacket::key_expires_after(DAY));
        let certificate = CertificateBuilder::new(&key).with_user_id_signed(USER_ID, &[expiring]);
        let assessment = assessed(certificate);
        assert_eq!(refusal(assessment.primary()), "key-expired");
        assert_eq!(assessment.primary().expires(), Some(time(BORN + DAY)));
    }

    #[test]
    fn revocations_are_listed_soft_ones_too() {
        for (code, reason) in [
            (Some(2), RevocationReason::Compromised),
            (Some(1), RevocationReason::Superseded),
            (None, RevocationReason::Absent),
        ] {
            let certificate = simple(&ed25519(1)).with_key_revocation(BORN + DAY, code);
            let assessment = assessed(certificate);
            assert_eq!(refusal(assessment.primary()), "key-revoked");
            let [revocation] = assessment.primary().revocations() else {
                panic!("one revocation");
            };
            assert_eq!(revocation.reason(), reason);
            assert_eq!(revocation.created(), Some(time(BORN + DAY)));
        }
        // Also of a key that nobody stands by.
        let bare = CertificateBuilder::new(&ed25519(1)).with_key_revocation(BORN, Some(3));
        let assessment = assessed(bare);
        assert_eq!(refusal(assessment.primary()), "no-self-signature");
        assert_eq!(assessment.primary().revocations().len(), 1);
    }

    #[test]
    fn a_revoked_user_id_is_told_apart() {
        let key = ed25519(1);
        let certificate = simple(&key)
            .with_user_id("Old <old@example.org>", BORN)
            .with_user_id_revocation("Old <old@example.org>", BORN + DAY, Some(32));
        let assessment = assessed(certificate);
        assert_eq!(refusal(assessment.primary()), "none");
        let standings: Vec<String> = assessment
            .user_ids()
            .iter()
            .map(|id| id.standing().to_string())
            .collect();
        assert_eq!(standings, ["certified", "revoked"]);
    }

    #[test]
    fn subkeys_are_judged_by_their_bindings() {
        let (key, signing, encrypting, unbound) = (ed25519(1), ed25519(2), ed25519(3), ed25519(4));
        let foreign = Binding::new(key_flags::SIGN, BORN).sign(&ed25519(9), &unbound);
        let certificate = simple(&key)
            .with_subkey(&signing, &Binding::new(key_flags::SIGN, BORN))
            .with_subkey(&encrypting, &Binding::new(key_flags::ENCRYPT, BORN))
            .with_packet(public_subkey(&unbound))
            .with_packet(foreign);
        let assessment = assessed(certificate);
        let told: Vec<(&str, String)> = assessment
            .subkeys()
            .iter()
            .map(|own| {
                let flags = own.flags().map(|flags| flags.to_string());
                (refusal(own), flags.unwrap_or_default())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("none", "sign".to_owned()),
                (
                    "not-for-signing",
                    "encrypt communications, encrypt storage".to_owned()
                ),
                ("no-binding-signature", String::new()),
            ]
        );
        let names: Vec<String> = Certificate::from_bytes(&simple(&key).build())
            .unwrap()
            .keys()
            .map(|own| own.fingerprint().to_string())
            .collect();
        assert_eq!(names, [key.fingerprint_hex()]);
    }

    #[test]
    fn keys_are_listed_as_they_stand() {
        let (key, second, third) = (
            ed25519(1),
            ed25519(2),
            TestKey::rsa(TestRsa::Rsa2048A, BORN),
        );
        let certificate = simple(&key)
            .with_packet(public_subkey(&second))
            .with_packet(packet(tag::PUBLIC_SUBKEY, b"damaged"))
            .with_packet(public_subkey(&third));
        let certificate = Certificate::from_bytes(&certificate.build()).unwrap();
        let listed: Vec<_> = certificate
            .keys()
            .map(|own| (own.role(), own.packet_body().to_vec()))
            .collect();
        let expected = [
            (KeyRole::Primary, key.public_body()),
            (KeyRole::Subkey, second.public_body()),
            (KeyRole::Subkey, third.public_body()),
        ];
        assert_eq!(listed, expected);
        let third = certificate.keys().last().unwrap();
        assert_eq!(third.algorithm().to_string(), "RSA-2048");
        assert_eq!(third.created(), time(BORN));
    }

    #[test]
    fn a_soft_revocation_of_tomorrow_is_listed_and_refuses_nothing_yet() {
        let certificate = simple(&ed25519(1)).with_key_revocation(BORN + 11 * DAY, Some(3));
        let assessment = assessed(certificate.clone());
        assert_eq!(refusal(assessment.primary()), "none");
        assert_eq!(assessment.primary().revocations().len(), 1);
        let certificate = Certificate::from_bytes(&certificate.build()).unwrap();
        let later = certificate.assess(&Policy::new(), time(BORN + 11 * DAY));
        assert_eq!(refusal(later.primary()), "key-revoked");
    }

    #[test]
    fn revocations_of_a_subkey_are_listed_bound_or_not() {
        let (bound, unbound) = (ed25519(2), ed25519(3));
        let certificate = simple(&ed25519(1))
            .with_subkey(&bound, &Binding::new(key_flags::SIGN, BORN))
            .with_subkey_revocation(&bound, BORN + DAY, Some(2))
            .with_packet(public_subkey(&unbound))
            .with_subkey_revocation(&unbound, BORN + DAY, Some(3));
        let assessment = assessed(certificate);
        let told: Vec<_> = assessment
            .subkeys()
            .iter()
            .map(|own| (refusal(own), own.revocations().to_vec()))
            .collect();
        let revocation = |reason| {
            let created = Some(time(BORN + DAY));
            vec![KeyRevocation { reason, created }]
        };
        let expected = [
            ("key-revoked", revocation(RevocationReason::Compromised)),
            (
                "no-binding-signature",
                revocation(RevocationReason::Retired),
            ),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_a_binding_says_is_told_although_the_subkey_may_not_sign() {
        let subkey = ed25519(2);
        let binding = Binding::new(key_flags::SIGN, BORN)
            .with_back_signature(BackSignature::Absent)
            .with_signature(|own| own.with_hashed(Subpacket::key_expires_after(99 * DAY)));
        let assessment = assessed(simple(&ed25519(1)).with_subkey(&subkey, &binding));
        let subkey = &assessment.subkeys()[0];
        assert_eq!(refusal(subkey), "no-back-signature");
        assert_eq!(subkey.expires(), Some(time(BORN + 99 * DAY)));
        assert_eq!(subkey.flags().unwrap().names(), ["sign"]);
    }

    #[test]
    fn without_flags_a_key_of_version_4_alone_may_sign() {
        let bare = SignatureBuilder::new(signature_type::POSITIVE, BORN);
        let key = ed25519(1);
        let certificate = CertificateBuilder::new(&key).with_user_id_signed(USER_ID, &[bare]);
        let assessment = assessed(certificate);
        assert_eq!(refusal(assessment.primary()), "none");
        assert_eq!(assessment.primary().flags(), None);

        let key = TestKey::ed25519_v6([1; 32], BORN);
        let bare = SignatureBuilder::new(signature_type::DIRECT_KEY, BORN);
        let assessment = assessed(CertificateBuilder::new(&key).with_direct_key(&bare));
        assert_eq!(refusal(assessment.primary()), "not-for-signing");
        assert_eq!(assessment.primary().flags(), None);
    }

    #[test]
    fn what_the_policy_demands_counts() {
        let certificate = simple(&TestKey::rsa(TestRsa::Rsa3072A, BORN)).build();
        let certificate = Certificate::from_bytes(&certificate).unwrap();
        let now = time(BORN + DAY);
        let told = |policy: &Policy| refusal(certificate.assess(policy, now).primary());
        assert_eq!(told(&Policy::new()), "none");
        assert_eq!(
            told(&Policy::new().with_min_rsa_bits(4096).unwrap()),
            "weak-key"
        );
        let tomorrow = Policy::new().with_not_before(time(BORN + 2 * DAY));
        assert_eq!(told(&tomorrow), "signed-before-bound");
    }

    /// What verification makes of a signature that the key makes now.
    fn verified(certificate: &CertificateBuilder, key: &TestKey) -> Option<SignatureRefusal> {
        let certificate = Certificate::from_bytes(&certificate.clone().build()).unwrap();
        let verifier = Verifier::new(Trust::embedded(vec![certificate]).unwrap(), Policy::new());
        let signature = SignatureBuilder::new(signature_type::BINARY, BORN + 10 * DAY);
        let signature = signature.sign(key, Over::Data(b"data"));
        let signature = DetachedSignature::from_bytes(&signature).unwrap();
        match verifier.verify_bytes(&signature, b"data", time(BORN + 10 * DAY)) {
            Ok(_) => None,
            Err(VerifyError::Refused(refusal)) => {
                Some(refusal.report().refused()[0].reason().clone())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Each wrong primary key with each wrong subkey: of two reasons the same one has to come first.
    #[test]
    fn a_refusal_is_the_one_that_verification_gives() {
        let primaries = [
            ed25519(1),
            TestKey::rsa(TestRsa::Rsa2048A, BORN),
            TestKey::ed25519_v6([1; 32], BORN),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for primary in &primaries {
            for certificate in wrong_primaries(primary) {
                for (subkey, whole) in wrong_subkeys(primary, &certificate) {
                    let assessment = assessed(whole.clone());
                    let expected = verified(&whole, primary);
                    assert_eq!(assessment.primary().refusal(), expected.as_ref());
                    let own = &assessment.subkeys()[0];
                    let expected = verified(&whole, &subkey);
                    assert_eq!(own.refusal(), expected.as_ref());
                    seen.insert(refusal(own));
                }
            }
        }
        assert!(seen.len() >= 10, "only {seen:?}");
    }

    fn wrong_primaries(key: &TestKey) -> Vec<CertificateBuilder> {
        let bare = CertificateBuilder::new(key);
        let direct = |own: SignatureBuilder| bare.clone().with_direct_key(&own);
        let own = || CertificateBuilder::direct_key(BORN);
        let encrypting = SignatureBuilder::new(signature_type::DIRECT_KEY, BORN)
            .with_hashed(Subpacket::key_flags(key_flags::ENCRYPT));
        vec![
            simple(key),
            direct(own()),
            bare.clone(),
            bare.clone().with_key_revocation(BORN, Some(2)),
            bare.clone().with_key_revocation(BORN, Some(3)),
            direct(own().with_hash(Hash::Sha1)),
            direct(own().with_hashed(Subpacket::key_expires_after(DAY))),
            direct(own().with_hashed(Subpacket::key_expires_after(10 * DAY))),
            direct(own().with_hashed(Subpacket::key_expires_after(10 * DAY + 1))),
            direct(encrypting),
            simple(key).with_key_revocation(BORN + DAY, Some(1)),
            simple(key).with_key_revocation(BORN + 11 * DAY, Some(1)),
            simple(key).with_key_revocation(BORN + 11 * DAY, None),
            simple(key).with_user_id_revocation(USER_ID, BORN + DAY, None),
        ]
    }

    fn wrong_subkeys(
        primary: &TestKey,
        certificate: &CertificateBuilder,
    ) -> Vec<(TestKey, CertificateBuilder)> {
        let version = primary.version();
        let good = if version == 6 {
            TestKey::ed25519_v6([2; 32], BORN)
        } else {
            ed25519(2)
        };
        let weak = TestKey::rsa(TestRsa::Rsa2048A, BORN).with_version(version);
        let foreign = TestKey::raw(version, algorithm::X25519, vec![7; 32], BORN);
        let signing = || Binding::new(key_flags::SIGN, BORN);
        let bound = |binding: &Binding| certificate.clone().with_subkey(&good, binding);
        let expiring = |seconds| {
            let expires = Subpacket::key_expires_after(seconds);
            bound(&signing().with_signature(|own| own.with_hashed(expires)))
        };
        let back = Binding::good_back_signature(BORN);
        let certificates = [
            bound(&signing()),
            certificate.clone().with_packet(public_subkey(&good)),
            bound(&signing().with_hash(Hash::Sha1)),
            bound(&signing().with_back_signature(BackSignature::Absent)),
            bound(
                &signing().with_back_signature(BackSignature::HashedAs(back.with_hash(Hash::Sha1))),
            ),
            bound(&Binding::new(key_flags::ENCRYPT, BORN)),
            bound(&Binding::without_flags(BORN)),
            expiring(DAY),
            expiring(10 * DAY + 1),
            bound(&signing()).with_subkey_revocation(&good, BORN + DAY, Some(1)),
            bound(&signing()).with_subkey_revocation(&good, BORN + 11 * DAY, Some(1)),
            bound(&signing()).with_subkey_revocation(&good, BORN + 11 * DAY, None),
        ];
        let mut all: Vec<_> = certificates.map(|own| (good.clone(), own)).into();
        for other in [weak, foreign] {
            let whole = certificate.clone().with_subkey(&other, &signing());
            all.push((other, whole));
        }
        // The primary key once more, as its own subkey.
        let whole = certificate.clone().with_subkey(primary, &signing());
        all.push((primary.clone(), whole));
        all
    }

    /// Some release teams have had a new subkey every month for a decade.
    #[test]
    fn a_hundred_subkeys_are_not_too_much_work() {
        let mut certificate = simple(&ed25519(1));
        for seed in 2..102 {
            let subkey = ed25519(seed);
            certificate = certificate.with_subkey(&subkey, &Binding::new(key_flags::SIGN, BORN));
        }
        let assessment = assessed(certificate);
        assert_eq!(assessment.subkeys().len(), 100);
        for subkey in assessment.subkeys() {
            assert_eq!(refusal(subkey), "none");
        }
    }

    #[test]
    fn what_is_too_much_work_is_not_judged() {
        let mut certificate = simple(&ed25519(1));
        for number in 0..300 {
            certificate = certificate.with_user_id(format!("Number {number}"), BORN);
        }
        let assessment = assessed(certificate);
        assert_eq!(refusal(assessment.primary()), "none");
        let standings = assessment.user_ids().iter().map(UserIdAssessment::standing);
        let judged = standings
            .clone()
            .take_while(|own| **own != UserIdStanding::NotJudged);
        let (judged, all) = (judged.count(), standings.clone().count());
        assert!((200..256).contains(&judged), "{judged}");
        assert!(
            standings
                .skip(judged)
                .all(|own| *own == UserIdStanding::NotJudged)
        );
        assert_eq!(all, 301);
    }

    /// As many subkeys and signatures as a file can hold, each tried on each of the others.
    #[test]
    fn many_subkeys_among_many_signatures_are_no_hang() {
        let mut certificate = simple(&ed25519(1));
        for age in 0_u32..45_000 {
            let subkey = [&[4], age.to_be_bytes().as_slice(), &[99]].concat();
            certificate = certificate.with_packet(packet(tag::PUBLIC_SUBKEY, &subkey));
        }
        for index in 0_u32..60_000 {
            let third_party = [&[4, 0x10], index.to_be_bytes().as_slice()].concat();
            certificate = certificate.with_packet(packet(tag::SIGNATURE, &third_party));
        }
        let started = Instant::now();
        let assessment = assessed(certificate);
        assert_eq!(refusal(assessment.primary()), "none");
        assert_eq!(assessment.subkeys().len(), 45_000);
        assert!(started.elapsed() < Duration::from_secs(10), "a hang");
    }

    #[test]
    fn flags_without_a_name_are_none() {
        assert_eq!(KeyFlags::from_octets(&[]).to_string(), "none");
        assert_eq!(KeyFlags::from_octets(&[0x40]).to_string(), "none");
        assert_eq!(
            KeyFlags::from_octets(&[0x23]).names(),
            ["certify", "sign", "authenticate"]
        );
    }
}
