//! A table of verdicts: for each case what gpgv, sqv and we make of it. Where one of them differs from us, the difference and
//! its reason are listed; the test fails when one appears, and when one disappears.

use std::sync::OnceLock;
use std::time::SystemTime;

use countersign_testkit::{
    ArmorChecksum, ArmorKind, BackSignature, Binding, CertificateBuilder, Damage, Hash, Key, Over,
    SMALL_ORDER_POINTS, SignatureBuilder, Subpacket, TestRsa, armor, key_flags, literal, marker,
    one_pass, packet, padding, signature_type, simple_certificate, tag,
};

use super::ours;
use super::programs::{Exhibit, Opinion};

use Opinion::{Accepts, Crashes, Refuses};
use Program::{Gpgv, Sqv};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Gpgv,
    Sqv,
}

/// Case, program, what it does, why we do otherwise.
type Disagreement = (&'static str, Program, Opinion, &'static str);

const SHORT_RSA: &str = "RSA below 3072 bits is within reach of those who can afford to wait";
const LONG_RSA: &str = "a key above 8192 bits costs its verifier, and nobody needs it";
const EXPONENT: &str =
    "with exponent 1 anybody can sign; exponents above 32 bits cost time and win nothing";
const WEAK_HASH: &str = "SHA-1, RIPEMD-160 and SHA-224 are too weak to sign with";
const WEAK_BINDING: &str = "what ties a key to its certificate needs a strong hash as well";
const OLDER: &str = "the program is older than RFC 9580";
const BESIDE: &str =
    "one good signature suffices, else a release cannot be signed with an old and a new key";
const MANY: &str = "a limit on the work that a signature file can ask for";
const REFRESHED: &str =
    "a certificate that was refreshed later is as good for the releases before; gpg does as we do";
const GPGV_LIFE: &str = "gpgv warns of an expired key and exits 0";
const GPGV_REVOKED: &str = "gpgv passes over revocations";
const AROUND: &str = "text around the armor looks signed and is not";
const KIND: &str = "the armor says that it is something else";

const DISAGREEMENTS: &[Disagreement] = &[
    ("RSA-2048", Gpgv, Accepts, SHORT_RSA),
    ("RSA-2048", Sqv, Accepts, SHORT_RSA),
    ("RSA-3071", Gpgv, Accepts, SHORT_RSA),
    ("RSA-3071", Sqv, Accepts, SHORT_RSA),
    ("RSA-11264", Gpgv, Accepts, LONG_RSA),
    ("RSA-11264", Sqv, Accepts, LONG_RSA),
    ("RSA, exponent 1", Gpgv, Accepts, EXPONENT),
    ("RSA, exponent 1", Sqv, Accepts, EXPONENT),
    ("RSA, exponent of 40 bits", Gpgv, Accepts, EXPONENT),
    ("RSA, exponent of 40 bits", Sqv, Accepts, EXPONENT),
    (
        "Ed25519, identity",
        Sqv,
        Accepts,
        "anybody can sign for this point; only strict verification (RFC 8032, section 8.4) refuses it",
    ),
    ("Ed25519 of RFC 9580 in version 4", Gpgv, Refuses, OLDER),
    ("Ed25519 of RFC 9580 in version 4", Sqv, Refuses, OLDER),
    ("Ed25519 in version 6", Gpgv, Refuses, OLDER),
    ("Ed25519 in version 6", Sqv, Refuses, OLDER),
    (
        "S plus the order",
        Gpgv,
        Accepts,
        "RFC 8032, section 5.1.7: S is below the order, else signatures are malleable",
    ),
    (
        "s plus n",
        Gpgv,
        Accepts,
        "RFC 8017, section 5.2.2: a signature is below the modulus, else it is malleable",
    ),
    ("data in SHA-1", Gpgv, Accepts, WEAK_HASH),
    ("data in RIPEMD-160", Gpgv, Accepts, WEAK_HASH),
    ("data in SHA-224", Gpgv, Accepts, WEAK_HASH),
    ("data in SHA-224", Sqv, Accepts, WEAK_HASH),
    ("data in SHA3-256", Gpgv, Refuses, OLDER),
    (
        "data in SHA3-256",
        Sqv,
        Crashes,
        "sqv panics on a hash that it does not know",
    ),
    (
        "unknown hash",
        Sqv,
        Crashes,
        "sqv panics on a hash that it does not know",
    ),
    (
        "version 3",
        Gpgv,
        Accepts,
        "version 3 signs no subpackets, and its time and issuer are all there is",
    ),
    ("no issuer", Sqv, Crashes, "sqv panics"),
    (
        "unknown critical subpacket in the unhashed area",
        Gpgv,
        Refuses,
        "anybody can add it; what is not signed has no say (RFC 9580, section 5.2.3.8)",
    ),
    (
        "text, a lone CR",
        Sqv,
        Refuses,
        "gpg hashes a CR within a line as it stands, and so do we; sqv takes it for a line end",
    ),
    (
        "text, CR CR LF",
        Gpgv,
        Refuses,
        "gpg drops every CR before a line end; we drop none but that of CR LF",
    ),
    (
        "text, CR CR LF",
        Sqv,
        Refuses,
        "sqv takes a lone CR for a line end",
    ),
    ("good, then unknown issuer", Gpgv, Refuses, BESIDE),
    ("unknown issuer, then good", Gpgv, Refuses, BESIDE),
    ("good, then bad", Gpgv, Refuses, BESIDE),
    ("bad, then good", Gpgv, Refuses, BESIDE),
    ("65 signatures", Gpgv, Accepts, MANY),
    ("65 signatures", Sqv, Accepts, MANY),
    ("self-signatures in SHA-1", Gpgv, Accepts, WEAK_BINDING),
    (
        "no key flags",
        Sqv,
        Refuses,
        "RFC 9580 leaves a version 4 key without flags unrestricted; gpg does as we do",
    ),
    (
        "self-signatures newer than the signature",
        Sqv,
        Refuses,
        REFRESHED,
    ),
    (
        "key extended after it signed",
        Sqv,
        Refuses,
        "flags and life come from the newest self-signature, for the whole life of the key; gpg does as we do",
    ),
    ("key expired before it signed", Gpgv, Accepts, GPGV_LIFE),
    (
        "dated in the future",
        Gpgv,
        Accepts,
        "gpgv compares no signature with the clock",
    ),
    (
        "key revoked: compromised, after it signed",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "key revoked: no reason, after it signed",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "key revoked: reason absent, after it signed",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "key revoked: unknown reason, after it signed",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "key revoked: superseded, before it signed",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "key revoked: retired, before it signed",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "key superseded, then signed itself again",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "key revoked in SHA-1: compromised",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "key superseded, then signed itself again",
        Sqv,
        Accepts,
        "a revocation is final; a later self-signature does not heal",
    ),
    (
        "only user id revoked, after it signed",
        Gpgv,
        Accepts,
        "no user id is left today to take flags and life from",
    ),
    (
        "only user id revoked, after it signed",
        Sqv,
        Accepts,
        "no user id is left today to take flags and life from",
    ),
    (
        "subkey, back-signature in SHA-1",
        Gpgv,
        Accepts,
        WEAK_BINDING,
    ),
    ("subkey, binding in SHA-1", Gpgv, Accepts, WEAK_BINDING),
    (
        "subkey, no key flags",
        Gpgv,
        Accepts,
        "a subkey signs only where the primary key said that it may",
    ),
    ("subkey expired before it signed", Gpgv, Accepts, GPGV_LIFE),
    (
        "subkey revoked: compromised, after it signed",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "subkey revoked: superseded, before it signed",
        Gpgv,
        Accepts,
        GPGV_REVOKED,
    ),
    (
        "armored signature with a wrong checksum",
        Gpgv,
        Refuses,
        "RFC 9580, section 6.1: a wrong checksum must not be a reason to refuse",
    ),
    ("text before the armor", Gpgv, Accepts, AROUND),
    ("text before the armor", Sqv, Accepts, AROUND),
    ("text after the armor", Gpgv, Accepts, AROUND),
    ("text after the armor", Sqv, Accepts, AROUND),
    ("signature in the armor of a message", Gpgv, Accepts, KIND),
    ("signature in the armor of a message", Sqv, Accepts, KIND),
    (
        "armored certificate",
        Gpgv,
        Refuses,
        "gpgv reads binary keyrings only",
    ),
    ("padding after the signature", Sqv, Refuses, OLDER),
    (
        "unknown critical packet",
        Gpgv,
        Accepts,
        "RFC 9580, section 4.3, asks to refuse it",
    ),
    (
        "unknown packet that may be skipped",
        Sqv,
        Refuses,
        "RFC 9580, section 4.3, asks to skip it",
    ),
];

const CREATED: u32 = 1_700_000_000;
const DAY: u32 = 24 * 60 * 60;
const SIGNED: u32 = CREATED + 10 * DAY;
const USER_ID: &str = "Alice <alice@example.org>";
const DATA: &[u8] = b"line one\nline two\n";

/// Files as a verifier gets them, and what we make of them.
struct Case {
    name: &'static str,
    ours: &'static str,
    certificate: Vec<u8>,
    signature: Vec<u8>,
    data: Vec<u8>,
}

#[test]
fn every_verdict_is_as_listed() {
    let cases = cases();
    for (name, ..) in DISAGREEMENTS {
        assert!(
            cases.iter().any(|case| case.name == *name),
            "`{name}` is no case"
        );
    }
    let mut wrong = Vec::new();
    for case in cases {
        let found = ours::verdict(
            &case.certificate,
            &case.signature,
            &case.data,
            SystemTime::now().into(),
        );
        if found != case.ours {
            wrong.push(format!(
                "{}: we say `{found}`, not `{}`",
                case.name, case.ours
            ));
        }
        let own = if found == "verified" {
            Accepts
        } else {
            Refuses
        };
        let exhibit = Exhibit::new(&case.certificate, &case.signature, &case.data);
        for (program, found) in [(Gpgv, exhibit.gpgv()), (Sqv, exhibit.sqv())] {
            let listed = DISAGREEMENTS
                .iter()
                .find(|(name, who, ..)| (*name, *who) == (case.name, program));
            match listed {
                Some((_, _, listed, _)) if *listed != found => wrong.push(format!(
                    "{}: {program:?} {found:?}, no longer {listed:?} as listed",
                    case.name
                )),
                None if found != own => wrong.push(format!(
                    "{}: {program:?} {found:?} (we: {}), which is not listed",
                    case.name, case.ours
                )),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn cases_and_disagreements_are_listed_once() {
    let mut names: Vec<&str> = cases().iter().map(|case| case.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    for (index, (name, program, opinion, reason)) in DISAGREEMENTS.iter().enumerate() {
        let twice = DISAGREEMENTS[..index]
            .iter()
            .any(|own| (own.0, own.1) == (*name, *program));
        assert!(!twice, "{name}, {program:?}");
        let case = cases()
            .iter()
            .find(|case| case.name == *name)
            .expect("a case");
        let own = if case.ours == "verified" {
            Accepts
        } else {
            Refuses
        };
        assert_ne!(
            *opinion, own,
            "{name}, {program:?}: this is no disagreement"
        );
        assert!(!reason.is_empty(), "{name}, {program:?}: no reason");
    }
}

fn alice() -> Key {
    Key::ed25519_legacy([1; 32], CREATED)
}

fn stranger() -> Key {
    Key::ed25519_legacy([9; 32], CREATED)
}

fn binary() -> SignatureBuilder {
    SignatureBuilder::new(signature_type::BINARY, SIGNED)
}

fn good() -> Vec<u8> {
    binary().sign(&alice(), Over::Data(DATA))
}

fn certificate() -> Vec<u8> {
    simple_certificate(&alice(), USER_ID, CREATED)
}

fn alices() -> CertificateBuilder {
    CertificateBuilder::simple(&alice(), USER_ID, CREATED)
}

/// A certificate whose only self-signature is this.
fn resting_on(signature: SignatureBuilder) -> Vec<u8> {
    CertificateBuilder::new(&alice())
        .with_user_id_signed(USER_ID, &[signature])
        .build()
}

fn self_signature() -> SignatureBuilder {
    CertificateBuilder::self_signature(CREATED)
}

struct Table(Vec<Case>);

impl Table {
    fn add(
        &mut self,
        name: &'static str,
        ours: &'static str,
        certificate: impl Into<Vec<u8>>,
        signature: impl Into<Vec<u8>>,
    ) {
        let (certificate, signature) = (certificate.into(), signature.into());
        self.over(name, ours, certificate, signature, DATA);
    }

    fn over(
        &mut self,
        name: &'static str,
        ours: &'static str,
        certificate: Vec<u8>,
        signature: Vec<u8>,
        data: &[u8],
    ) {
        let data = data.to_vec();
        self.0.push(Case {
            name,
            ours,
            certificate,
            signature,
            data,
        });
    }

    /// A simple certificate of another key, and its signature.
    fn by(
        &mut self,
        name: &'static str,
        ours: &'static str,
        key: &Key,
        signature: &SignatureBuilder,
    ) {
        let certificate = simple_certificate(key, USER_ID, key.created());
        self.add(
            name,
            ours,
            certificate,
            signature.sign(key, Over::Data(DATA)),
        );
    }

    /// Alice's signature, altered.
    fn signed(&mut self, name: &'static str, ours: &'static str, signature: &SignatureBuilder) {
        self.by(name, ours, &alice(), signature);
    }

    /// A good signature by another certificate of Alice's.
    fn with(&mut self, name: &'static str, ours: &'static str, certificate: Vec<u8>) {
        self.add(name, ours, certificate, good());
    }
}

/// Made once: the largest keys take a while to sign.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(all_cases)
}

fn all_cases() -> Vec<Case> {
    let mut table = Table(Vec::new());
    keys(&mut table);
    signatures(&mut table);
    self_signatures(&mut table);
    times(&mut table);
    revocations(&mut table);
    subkeys(&mut table);
    files(&mut table);
    table.0
}

fn keys(table: &mut Table) {
    table.with("Ed25519", "verified", certificate());
    let mut rsa = |name, ours, key| table.by(name, ours, &key, &binary());
    rsa("RSA-2048", "weak-key", Key::rsa(TestRsa::Rsa2048A, CREATED));
    rsa("RSA-3071", "weak-key", Key::rsa(TestRsa::Rsa3071A, CREATED));
    rsa("RSA-8192", "verified", Key::rsa(TestRsa::Rsa8192A, CREATED));
    let product = Key::rsa_product(&[TestRsa::Rsa8192A, TestRsa::Rsa3072A], CREATED);
    rsa("RSA-11264", "key-too-large", product);
    rsa(
        "RSA, exponent 3",
        "verified",
        Key::rsa(TestRsa::Rsa3072E3, CREATED),
    );
    let exponent = |value: &[u8]| Key::rsa_with_exponent(TestRsa::Rsa3072A, value, CREATED);
    rsa("RSA, exponent 1", "unsafe-rsa-key", exponent(&[1]));
    rsa(
        "RSA, exponent of 40 bits",
        "unsafe-rsa-key",
        exponent(&[0x80, 0, 0, 0, 0x0b]),
    );
    let padded = Key::rsa(TestRsa::Rsa2048A, CREATED).with_padded_modulus(128);
    rsa("RSA-2048 that claims 3072 bits", "weak-key", padded);
    rsa(
        "Ed25519, identity",
        "unsafe-point",
        Key::ed25519_legacy_point(SMALL_ORDER_POINTS[0], CREATED),
    );
    rsa(
        "Ed25519, order 2",
        "unsafe-point",
        Key::ed25519_legacy_point(SMALL_ORDER_POINTS[1], CREATED),
    );
    rsa(
        "Ed25519 of RFC 9580 in version 4",
        "verified",
        Key::ed25519([1; 32], CREATED),
    );
    rsa(
        "Ed25519 in version 6",
        "verified",
        Key::ed25519_v6([1; 32], CREATED),
    );
}

fn signatures(table: &mut Table) {
    let rsa = Key::rsa(TestRsa::Rsa3072A, CREATED);
    table.signed(
        "S plus the order",
        "bad-signature",
        &binary().with_damage(Damage::AddOrder),
    );
    table.by(
        "s plus n",
        "bad-signature",
        &rsa,
        &binary().with_damage(Damage::AddModulus),
    );
    table.signed(
        "one bit flipped",
        "bad-signature",
        &binary().with_damage(Damage::FlipBit(0)),
    );
    for (name, hash) in [
        ("data in MD5", Hash::Md5),
        ("data in SHA-1", Hash::Sha1),
        ("data in RIPEMD-160", Hash::Ripemd160),
        ("data in SHA-224", Hash::Sha224),
    ] {
        table.by(name, "weak-hash", &rsa, &binary().with_hash(hash));
    }
    table.by(
        "data in SHA3-256",
        "verified",
        &rsa,
        &binary().with_hash(Hash::Sha3_256),
    );
    table.signed(
        "unknown hash",
        "unsupported-hash",
        &binary().with_hash(Hash::Unknown(99)),
    );
    table.signed(
        "version 3",
        "unsupported-version",
        &binary().with_version(3),
    );
    table.signed(
        "type 0x02, standalone",
        "unsupported-type",
        &binary().with_type(signature_type::STANDALONE),
    );
    table.signed(
        "type 0x40, timestamp",
        "unsupported-type",
        &binary().with_type(signature_type::TIMESTAMP),
    );
    table.signed("no issuer", "missing-issuer", &binary().without_issuer());
    table.signed(
        "issuer in the unhashed area only",
        "verified",
        &binary().without_issuer_fingerprint(),
    );
    let undated = binary().without_created();
    table.signed("no creation time", "missing-creation-time", &undated);
    let created = undated.with_unhashed(Subpacket::created(SIGNED));
    table.signed(
        "creation time in the unhashed area",
        "missing-creation-time",
        &created,
    );

    let unknown = Subpacket::raw(60, *b"x");
    table.signed(
        "unknown subpacket",
        "verified",
        &binary().with_hashed(unknown.clone()),
    );
    table.signed(
        "unknown critical subpacket",
        "critical-subpacket",
        &binary().with_hashed(unknown.clone().critical()),
    );
    let unhashed = binary().with_unhashed(unknown.critical());
    table.signed(
        "unknown critical subpacket in the unhashed area",
        "verified",
        &unhashed,
    );
    let notation = Subpacket::notation("a@example.org", "b");
    table.signed(
        "unknown notation",
        "verified",
        &binary().with_hashed(notation.clone()),
    );
    table.signed(
        "unknown critical notation",
        "critical-notation",
        &binary().with_hashed(notation.critical()),
    );

    let text = SignatureBuilder::new(signature_type::TEXT, SIGNED);
    let over = |data: &[u8]| text.sign(&alice(), Over::Data(data));
    table.over(
        "text, CR LF for LF",
        "verified",
        certificate(),
        over(DATA),
        b"line one\r\nline two\r\n",
    );
    table.over(
        "text, a lone CR",
        "verified",
        certificate(),
        over(b"one\rtwo\n"),
        b"one\rtwo\n",
    );
    table.over(
        "text, CR CR LF",
        "verified",
        certificate(),
        over(b"one\r\r\n"),
        b"one\r\r\n",
    );
    table.over(
        "text, spaces at the end of a line",
        "verified",
        certificate(),
        over(b"one  \ntwo\t\n"),
        b"one  \ntwo\t\n",
    );
    table.over(
        "text, no line end",
        "verified",
        certificate(),
        over(b"one"),
        b"one",
    );
    table.over(
        "no data",
        "verified",
        certificate(),
        binary().sign(&alice(), Over::Data(b"")),
        b"",
    );

    let others = binary().sign(&stranger(), Over::Data(DATA));
    table.add(
        "unknown issuer",
        "unknown-issuer",
        certificate(),
        others.clone(),
    );
    table.add(
        "good, then unknown issuer",
        "verified",
        certificate(),
        [good(), others.clone()].concat(),
    );
    table.add(
        "unknown issuer, then good",
        "verified",
        certificate(),
        [others, good()].concat(),
    );
    let bad = binary().sign(&alice(), Over::Data(b"other data"));
    table.add(
        "good, then bad",
        "verified",
        certificate(),
        [good(), bad.clone()].concat(),
    );
    table.add(
        "bad, then good",
        "verified",
        certificate(),
        [bad, good()].concat(),
    );
    table.add(
        "64 signatures",
        "verified",
        certificate(),
        good().repeat(64),
    );
    table.add(
        "65 signatures",
        "malformed-signature-file",
        certificate(),
        good().repeat(65),
    );
}

fn self_signatures(table: &mut Table) {
    table.with(
        "self-signatures in SHA-1",
        "weak-self-signature",
        resting_on(self_signature().with_hash(Hash::Sha1)),
    );
    let direct = CertificateBuilder::new(&alice());
    let direct = direct.with_direct_key(&CertificateBuilder::direct_key(CREATED));
    table.with(
        "no user id, a direct-key signature",
        "verified",
        direct.build(),
    );
    table.with(
        "no self-signature",
        "no-self-signature",
        CertificateBuilder::new(&alice())
            .with_user_id_signed(USER_ID, &[])
            .build(),
    );
    let others = CertificateBuilder::new(&alice())
        .with_user_id_signed(USER_ID, &[])
        .with_certification(USER_ID, &stranger(), &self_signature());
    table.with(
        "certified by a stranger only",
        "no-self-signature",
        others.build(),
    );
    let without_flags = SignatureBuilder::new(signature_type::POSITIVE, CREATED);
    table.with(
        "no key flags",
        "verified",
        resting_on(without_flags.clone()),
    );
    let certifying = without_flags.with_hashed(Subpacket::key_flags(key_flags::CERTIFY));
    table.with(
        "flags: certify only",
        "not-for-signing",
        resting_on(certifying),
    );
    let refreshed = CertificateBuilder::self_signature(SIGNED + 100 * DAY);
    table.with(
        "self-signatures newer than the signature",
        "verified",
        resting_on(refreshed),
    );
    let critical = self_signature().with_hashed(Subpacket::raw(60, *b"x").critical());
    table.with(
        "unknown critical subpacket in the self-signature",
        "no-self-signature",
        resting_on(critical),
    );
    let damaged = self_signature().with_damage(Damage::FlipBit(0));
    table.with(
        "self-signature damaged",
        "no-self-signature",
        resting_on(damaged),
    );
}

fn times(table: &mut Table) {
    let expiring = |days: u32| {
        resting_on(self_signature().with_hashed(Subpacket::key_expires_after(days * DAY)))
    };
    table.with("key expired before it signed", "key-expired", expiring(5));
    table.with("key expired since", "verified", expiring(20));
    let short = binary().with_hashed(Subpacket::expires_after(DAY));
    table.signed("signature expired", "signature-expired", &short);
    table.signed(
        "dated in the future",
        "signed-in-future",
        &binary().with_created(4_000_000_000),
    );
    table.signed(
        "dated before the key",
        "signed-before-key",
        &binary().with_created(CREATED - DAY),
    );
    // The key's life was extended before it signed, and shortened after.
    let extended = CertificateBuilder::new(&alice()).with_user_id_signed(
        USER_ID,
        &[
            self_signature().with_hashed(Subpacket::key_expires_after(5 * DAY)),
            CertificateBuilder::self_signature(CREATED + 4 * DAY)
                .with_hashed(Subpacket::key_expires_after(30 * DAY)),
        ],
    );
    table.with(
        "key extended before it expired",
        "verified",
        extended.build(),
    );
    let late = CertificateBuilder::new(&alice()).with_user_id_signed(
        USER_ID,
        &[
            self_signature().with_hashed(Subpacket::key_expires_after(5 * DAY)),
            CertificateBuilder::self_signature(SIGNED + DAY)
                .with_hashed(Subpacket::key_expires_after(30 * DAY)),
        ],
    );
    table.with("key extended after it signed", "verified", late.build());
}

fn revocations(table: &mut Table) {
    let revoked = |time, code| {
        CertificateBuilder::new(&alice())
            .with_key_revocation(time, code)
            .with_user_id(USER_ID, CREATED)
            .build()
    };
    let (before, after) = (SIGNED - DAY, SIGNED + DAY);
    table.with(
        "key revoked: compromised, after it signed",
        "key-revoked",
        revoked(after, Some(2)),
    );
    table.with(
        "key revoked: no reason, after it signed",
        "key-revoked",
        revoked(after, Some(0)),
    );
    table.with(
        "key revoked: reason absent, after it signed",
        "key-revoked",
        revoked(after, None),
    );
    table.with(
        "key revoked: unknown reason, after it signed",
        "key-revoked",
        revoked(after, Some(99)),
    );
    table.with(
        "key revoked: superseded, after it signed",
        "verified",
        revoked(after, Some(1)),
    );
    table.with(
        "key revoked: superseded, before it signed",
        "key-revoked",
        revoked(before, Some(1)),
    );
    table.with(
        "key revoked: retired, after it signed",
        "verified",
        revoked(after, Some(3)),
    );
    table.with(
        "key revoked: retired, before it signed",
        "key-revoked",
        revoked(before, Some(3)),
    );
    let healed = CertificateBuilder::new(&alice())
        .with_key_revocation(before - DAY, Some(1))
        .with_user_id_signed(
            USER_ID,
            &[self_signature(), CertificateBuilder::self_signature(before)],
        );
    table.with(
        "key superseded, then signed itself again",
        "key-revoked",
        healed.build(),
    );
    let forged = SignatureBuilder::new(signature_type::KEY_REVOCATION, after);
    let forged = CertificateBuilder::new(&alice())
        .with_direct_key_by(&stranger(), &forged)
        .with_user_id(USER_ID, CREATED);
    table.with("key revoked by a stranger", "verified", forged.build());
    let sha1 = SignatureBuilder::new(signature_type::KEY_REVOCATION, after)
        .with_hash(Hash::Sha1)
        .with_hashed(Subpacket::revocation_reason(2, ""));
    let sha1 = CertificateBuilder::new(&alice())
        .with_direct_key(&sha1)
        .with_user_id(USER_ID, CREATED);
    table.with(
        "key revoked in SHA-1: compromised",
        "key-revoked",
        sha1.build(),
    );
    let user_id = alices().with_user_id_revocation(USER_ID, after, Some(32));
    table.with(
        "only user id revoked, after it signed",
        "no-self-signature",
        user_id.build(),
    );
    let other = alices()
        .with_user_id_revocation(USER_ID, before, Some(32))
        .with_user_id("Alice <new@example.org>", CREATED);
    table.with("one of two user ids revoked", "verified", other.build());
}

fn subkeys(table: &mut Table) {
    let subkey = Key::ed25519_legacy([2; 32], CREATED);
    let signature = binary().sign(&subkey, Over::Data(DATA));
    let binding = || Binding::new(key_flags::SIGN, CREATED);
    let bound = |binding: &Binding| alices().with_subkey(&subkey, binding);
    let mut add = |name, ours, certificate: CertificateBuilder| {
        table.add(name, ours, certificate.build(), signature.clone())
    };
    add("subkey", "verified", bound(&binding()));
    let with = |back_signature| bound(&binding().with_back_signature(back_signature));
    let back = |kind| SignatureBuilder::new(kind, CREATED);
    add(
        "subkey, unhashed back-signature",
        "verified",
        with(BackSignature::Unhashed),
    );
    add(
        "subkey, no back-signature",
        "no-back-signature",
        with(BackSignature::Absent),
    );
    add(
        "subkey, back-signature of type 0x18",
        "bad-back-signature",
        with(BackSignature::HashedAs(back(
            signature_type::SUBKEY_BINDING,
        ))),
    );
    add(
        "subkey, back-signature of type 0x00",
        "bad-back-signature",
        with(BackSignature::HashedAs(back(signature_type::BINARY))),
    );
    let broken = back(signature_type::PRIMARY_KEY_BINDING).with_damage(Damage::FlipBit(0));
    add(
        "subkey, back-signature damaged",
        "bad-back-signature",
        with(BackSignature::HashedAs(broken)),
    );
    let sha1 = back(signature_type::PRIMARY_KEY_BINDING).with_hash(Hash::Sha1);
    add(
        "subkey, back-signature in SHA-1",
        "bad-back-signature",
        with(BackSignature::HashedAs(sha1)),
    );
    add(
        "subkey, binding in SHA-1",
        "weak-binding-signature",
        bound(&binding().with_hash(Hash::Sha1)),
    );
    let flags =
        |flags| bound(&Binding::new(flags, CREATED).with_back_signature(BackSignature::Hashed));
    add(
        "subkey, flags: encrypt only",
        "not-for-signing",
        flags(key_flags::ENCRYPT),
    );
    add(
        "subkey, no key flags",
        "not-for-signing",
        bound(&Binding::without_flags(CREATED).with_back_signature(BackSignature::Hashed)),
    );
    let expiring = |days: u32| {
        bound(
            &binding()
                .with_signature(|own| own.with_hashed(Subpacket::key_expires_after(days * DAY))),
        )
    };
    add(
        "subkey expired before it signed",
        "key-expired",
        expiring(5),
    );
    add("subkey expired since", "verified", expiring(20));
    let revoked = |time, code| bound(&binding()).with_subkey_revocation(&subkey, time, Some(code));
    add(
        "subkey revoked: compromised, after it signed",
        "key-revoked",
        revoked(SIGNED + DAY, 2),
    );
    add(
        "subkey revoked: superseded, after it signed",
        "verified",
        revoked(SIGNED + DAY, 1),
    );
    add(
        "subkey revoked: superseded, before it signed",
        "key-revoked",
        revoked(SIGNED - DAY, 1),
    );
    let adopted = alices().with_packet(countersign_testkit::public_subkey(&subkey));
    add("subkey without binding", "no-binding-signature", adopted);
}

fn files(table: &mut Table) {
    let armored = |octets: &[u8], checksum| armor(ArmorKind::Signature, octets, checksum);
    table.add(
        "armored signature",
        "verified",
        certificate(),
        armored(&good(), ArmorChecksum::Present),
    );
    table.add(
        "armored signature without checksum",
        "verified",
        certificate(),
        armored(&good(), ArmorChecksum::Absent),
    );
    table.add(
        "armored signature with a wrong checksum",
        "verified",
        certificate(),
        armored(&good(), ArmorChecksum::Wrong),
    );
    let around = format!("hello\n{}", armored(&good(), ArmorChecksum::Present));
    table.add(
        "text before the armor",
        "malformed-signature-file",
        certificate(),
        around,
    );
    let around = format!("{}hello\n", armored(&good(), ArmorChecksum::Present));
    table.add(
        "text after the armor",
        "malformed-signature-file",
        certificate(),
        around,
    );
    let twice = armored(&good(), ArmorChecksum::Present).repeat(2);
    table.add("two armored signatures", "verified", certificate(), twice);
    let message = armor(ArmorKind::Message, &good(), ArmorChecksum::Present);
    table.add(
        "signature in the armor of a message",
        "malformed-signature-file",
        certificate(),
        message,
    );

    table.add(
        "armored certificate",
        "verified",
        armor(ArmorKind::PublicKey, &certificate(), ArmorChecksum::Present),
        good(),
    );
    let two = [
        simple_certificate(&stranger(), "Eve <eve@example.org>", CREATED),
        certificate(),
    ];
    table.add("two certificates", "verified", two.concat(), good());

    let inline = |data: &[u8]| {
        let signature = binary().sign(&alice(), Over::Data(data));
        [
            one_pass(&alice(), signature_type::BINARY, Hash::Sha256, &[]),
            literal("", SIGNED, data),
            signature,
        ]
        .concat()
    };
    table.add(
        "inline message over other data",
        "malformed-signature-file",
        certificate(),
        inline(b"other data"),
    );
    table.add(
        "inline message over the same data",
        "malformed-signature-file",
        certificate(),
        inline(DATA),
    );
    table.add(
        "an octet after the signature",
        "malformed-signature-file",
        certificate(),
        [good(), vec![0]].concat(),
    );
    table.add(
        "signature cut short",
        "malformed-signature-file",
        certificate(),
        &good()[..good().len() - 1],
    );
    table.add(
        "certificate after the signature",
        "malformed-signature-file",
        certificate(),
        [good(), certificate()].concat(),
    );
    table.add(
        "marker before the signature",
        "verified",
        certificate(),
        [marker(), good()].concat(),
    );
    table.add(
        "padding after the signature",
        "verified",
        certificate(),
        [good(), padding(16)].concat(),
    );
    let critical = packet(tag::UNKNOWN_CRITICAL, b"x");
    table.add(
        "unknown critical packet",
        "malformed-signature-file",
        certificate(),
        [good(), critical].concat(),
    );
    let skipped = packet(tag::UNKNOWN_NON_CRITICAL, b"x");
    table.add(
        "unknown packet that may be skipped",
        "verified",
        certificate(),
        [good(), skipped].concat(),
    );
    table.add(
        "empty signature file",
        "malformed-signature-file",
        certificate(),
        Vec::new(),
    );
    table.add(
        "certificate as signature",
        "malformed-signature-file",
        certificate(),
        certificate(),
    );
}
