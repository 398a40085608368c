//! What is minted and signed holds; what a signer gets wrong is never handed out; nothing is asked of it twice.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign_sign::openpgp::{
    self, AppendError, CertificateTemplate, SignError, SignatureTemplate, append,
};
use countersign_sign::{
    Input, KeyAlgorithm, LocalSigner, PublicKey, Scheme, SignFuture, SignRequest, Signer,
    SignerError,
};
use countersign_verify::{
    Certificate, DetachedSignature, Form, HashAlgorithm, HashedData, Policy, SignatureRefusal,
    Timestamp, Trust, Verifier, limits,
};

const BORN: Timestamp = Timestamp::from_unix(1_700_000_000);
const NOW: Timestamp = Timestamp::from_unix(1_700_100_000);
const USER_ID: &str = "Releases <releases@example.org>";
const DATA: &[u8] = b"line one\nline two\n";

fn pem(name: &str) -> String {
    let path = format!(
        "{}/../tests/support/keys/test-only-{name}.pem",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).expect("a key of the test kit")
}

fn rsa(name: &str) -> LocalSigner {
    LocalSigner::from_pem(&pem(name), None).expect("a private key")
}

static ED25519: LazyLock<LocalSigner> =
    LazyLock::new(|| LocalSigner::generate(KeyAlgorithm::Ed25519).expect("random numbers"));

fn signers() -> [(&'static str, LocalSigner); 3] {
    let ed25519 = ED25519.to_pem(None).expect("a key");
    [
        ("RSA-3072", rsa("rsa3072-a")),
        ("RSA-4096", rsa("rsa4096-a")),
        (
            "Ed25519",
            LocalSigner::from_pem(&ed25519, None).expect("a key"),
        ),
    ]
}

fn mint(signer: &dyn Signer, template: &CertificateTemplate) -> Result<Certificate, SignError> {
    pollster::block_on(openpgp::mint(signer, template, NOW))
}

fn minted(signer: &dyn Signer) -> Certificate {
    mint(signer, &CertificateTemplate::new(USER_ID, BORN)).expect("a certificate")
}

fn hashed(hash: HashAlgorithm) -> HashedData {
    HashedData::from_reader(hash, DATA).expect("octets in memory")
}

fn sign(
    signer: &dyn Signer,
    certificate: &Certificate,
    data: &HashedData,
) -> Result<openpgp::Signature, SignError> {
    let template = SignatureTemplate::new(NOW);
    pollster::block_on(openpgp::sign(signer, certificate, &template, data, NOW))
}

fn accepted(certificate: &Certificate, signature: &[u8]) -> usize {
    let trust = Trust::embedded(vec![certificate.clone()]).expect("a certificate");
    let signature = DetachedSignature::from_bytes(signature).expect("a signature file");
    let verified = Verifier::new(trust, Policy::new()).verify(&signature, DATA, NOW);
    verified.map_or(0, |verified| verified.report().good().len())
}

#[test]
fn certificates_and_signatures_hold_and_are_the_same_each_time() {
    for (name, signer) in signers() {
        let template = CertificateTemplate::new(USER_ID, BORN)
            .with_user_id("Second <second@example.org>")
            .with_validity(Duration::from_secs(365 * 86_400));
        let certificate = mint(&signer, &template).expect("a certificate");
        let again = mint(&signer, &template).expect("a certificate");
        assert_eq!(certificate.to_bytes(), again.to_bytes(), "{name}");
        assert_eq!(certificate.algorithm().to_string(), name);

        let assessment = certificate.assess(&Policy::new(), NOW);
        assert_eq!(assessment.primary().refusal(), None, "{name}");
        assert_eq!(
            assessment.primary().expires(),
            Some(BORN.later(Duration::from_secs(365 * 86_400)))
        );
        assert_eq!(
            assessment.primary().flags().expect("flags").to_string(),
            "certify, sign"
        );
        assert_eq!(
            certificate.user_ids().collect::<Vec<_>>(),
            [USER_ID, "Second <second@example.org>"]
        );

        for hash in [
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha384,
            HashAlgorithm::Sha512,
        ] {
            let data = hashed(hash);
            let signature = sign(&signer, &certificate, &data).expect("a signature");
            let again = sign(&signer, &certificate, &data).expect("a signature");
            assert_eq!(signature.to_bytes(), again.to_bytes(), "{name} {hash}");
            assert_eq!(signature.report().hash(), hash);
            assert_eq!(accepted(&certificate, &signature.to_bytes()), 1);
            assert_eq!(accepted(&certificate, signature.to_armored().as_bytes()), 1);
        }
    }
}

#[test]
fn notations_are_signed() {
    let signer = &*ED25519;
    let certificate = minted(signer);
    let template = SignatureTemplate::new(NOW)
        .with_notation("version@example.org", "1.2")
        .with_notation("builder@example.org", "\u{e9}");
    let data = hashed(HashAlgorithm::Sha512);
    let signed = openpgp::sign(signer, &certificate, &template, &data, NOW);
    let signature = pollster::block_on(signed).expect("a signature");
    let trust = Trust::embedded(vec![certificate.clone()]).expect("a certificate");
    let policy = Policy::new().with_notation("version@example.org".to_owned(), "1.2".to_owned());
    let file = DetachedSignature::from_bytes(&signature.to_bytes()).expect("a signature file");
    assert!(
        Verifier::new(trust, policy)
            .verify(&file, DATA, NOW)
            .is_ok()
    );

    for name in ["version", "@example.org", "version@"] {
        let template = SignatureTemplate::new(NOW).with_notation(name, "1.2");
        let signed = openpgp::sign(signer, &certificate, &template, &data, NOW);
        let error = pollster::block_on(signed).expect_err("no such name");
        assert!(matches!(error, SignError::NotationName { .. }), "{name}");
    }
}

/// A signer that answers as it is told to, and counts how often it is asked.
struct Told<'a> {
    inner: &'a LocalSigner,
    answer: &'a (dyn Fn(Vec<u8>) -> Result<Vec<u8>, SignerError> + Send + Sync),
    asked: AtomicUsize,
}

impl<'a> Told<'a> {
    fn new(
        inner: &'a LocalSigner,
        answer: &'a (dyn Fn(Vec<u8>) -> Result<Vec<u8>, SignerError> + Send + Sync),
    ) -> Self {
        Self {
            inner,
            answer,
            asked: AtomicUsize::new(0),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Signer for Told<'_> {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { (self.answer)(self.inner.sign(request).await?) })
    }
}

#[test]
fn one_call_for_each_user_id_and_one_for_each_signature() {
    let right = |answer| Ok(answer);
    let signer = Told::new(&ED25519, &right);
    let template = CertificateTemplate::new(USER_ID, BORN)
        .with_user_id("b <b@example.org>")
        .with_user_id("c <c@example.org>");
    let certificate = mint(&signer, &template).expect("a certificate");
    assert_eq!(signer.asked(), 3);
    let signature = sign(&signer, &certificate, &hashed(HashAlgorithm::Sha512));
    assert!(signature.is_ok());
    assert_eq!(signer.asked(), 4);
}

#[test]
fn what_a_signer_gets_wrong_is_not_handed_out() {
    let other_rsa = rsa("rsa4096-b");
    let other_ed25519 = LocalSigner::generate(KeyAlgorithm::Ed25519).expect("random numbers");
    for (name, signer) in signers() {
        let certificate = minted(&signer);
        let data = hashed(openpgp::default_hash(signer.public_key()));
        let flipped = |mut answer: Vec<u8>| {
            answer[20] ^= 1;
            Ok(answer)
        };
        let short = |mut answer: Vec<u8>| {
            answer.pop();
            Ok(answer)
        };
        let long = |mut answer: Vec<u8>| {
            answer.insert(0, 0);
            Ok(answer)
        };
        let empty = |_| Ok(Vec::new());
        let zeros = |answer: Vec<u8>| Ok(vec![0; answer.len()]);
        let failing = |_| Err(SignerError::PssUnsupported);
        type Answer<'a> = &'a (dyn Fn(Vec<u8>) -> Result<Vec<u8>, SignerError> + Send + Sync);
        let answers: [(Answer<'_>, &str); 6] = [
            (&flipped, "refuses"),
            (&short, "bytes"),
            (&long, "bytes"),
            (&empty, "bytes"),
            (&zeros, "refuses"),
            (&failing, "PSS"),
        ];
        for (answer, said) in answers {
            let wrong = Told::new(&signer, answer);
            let error = sign(&wrong, &certificate, &data).expect_err("no signature");
            assert!(error.to_string().contains(said), "{name}: {error}");
            assert_eq!(wrong.asked(), 1);
            let error =
                mint(&wrong, &CertificateTemplate::new(USER_ID, BORN)).expect_err("no certificate");
            assert!(error.to_string().contains(said), "{name}: {error}");
        }
        // A signature by another key of the same kind.
        let other = match signer.public_key() {
            PublicKey::Rsa { .. } if name == "RSA-4096" => &other_rsa,
            PublicKey::Rsa { .. } => continue,
            _ => &other_ed25519,
        };
        let another = |_: Vec<u8>| {
            let scheme = match other.public_key() {
                PublicKey::Rsa { .. } => Scheme::RsaPkcs1v15(HashAlgorithm::Sha256),
                _ => Scheme::Ed25519,
            };
            let request = SignRequest::message(scheme, DATA).expect("a request");
            pollster::block_on(other.sign(request))
        };
        let wrong = Told::new(&signer, &another);
        assert!(sign(&wrong, &certificate, &data).is_err());
    }
}

#[test]
fn only_the_second_self_signature_is_wrong() {
    let count = AtomicUsize::new(0);
    let second_wrong = |mut answer: Vec<u8>| {
        if count.fetch_add(1, Ordering::SeqCst) == 1 {
            answer[0] ^= 1;
        }
        Ok(answer)
    };
    let signer = Told::new(&ED25519, &second_wrong);
    let template = CertificateTemplate::new(USER_ID, BORN).with_user_id("b <b@example.org>");
    assert!(matches!(
        mint(&signer, &template),
        Err(SignError::NotAccepted(_))
    ));
}

#[test]
fn what_would_be_refused_costs_no_call() {
    let right = |answer| Ok(answer);
    let told = Told::new(&ED25519, &right);
    let certificate = minted(&*ED25519);
    let data = hashed(HashAlgorithm::Sha512);
    let attempt = |signer: &dyn Signer, certificate: &Certificate, created: Timestamp| {
        let template = SignatureTemplate::new(created);
        pollster::block_on(openpgp::sign(signer, certificate, &template, &data, NOW))
            .expect_err("no signature")
            .to_string()
    };
    let later = NOW.later(Duration::from_secs(1));
    assert_eq!(
        attempt(&told, &certificate, later),
        format!("creation time {later} is in the future, now {NOW}")
    );
    let before = BORN.earlier(Duration::from_secs(1));
    assert_eq!(
        attempt(&told, &certificate, before),
        format!("creation time {before} is before the key's own, {BORN}")
    );
    let other = minted(&rsa("rsa3072-a"));
    assert_eq!(
        attempt(&told, &other, NOW),
        format!(
            "signer's key (Ed25519) is not in certificate {} (RSA-3072)",
            other.fingerprint()
        )
    );
    // Expired before it is asked to sign.
    let template = CertificateTemplate::new(USER_ID, BORN).with_validity(Duration::from_secs(1000));
    let expired = mint(&*ED25519, &template).expect("a certificate");
    assert!(attempt(&told, &expired, NOW).contains("expired"));
    let sha1 = HashedData::from_reader(HashAlgorithm::Sha1, DATA).expect("octets in memory");
    let error = sign(&told, &certificate, &sha1).expect_err("no signature");
    assert!(error.to_string().starts_with("SHA-1 is not signed with"));
    assert_eq!(told.asked(), 0);
    // Dated back to when the key was alive it may sign.
    let template = SignatureTemplate::new(BORN.later(Duration::from_secs(10)));
    let signed = openpgp::sign(&told, &expired, &template, &data, NOW);
    assert!(pollster::block_on(signed).is_ok());
}

#[test]
fn weak_and_foreign_keys_make_nothing() {
    let weak = rsa("rsa2048-a");
    let error = mint(&weak, &CertificateTemplate::new(USER_ID, BORN)).expect_err("weak");
    assert_eq!(
        error.to_string(),
        "RSA key has 2048 bits, releases need 3072"
    );
    let error = mint(&rsa("rsa3071-a"), &CertificateTemplate::new(USER_ID, BORN));
    assert!(matches!(error, Err(SignError::WeakKey { bits: 3071, .. })));
    let mut point = [4; 65];
    point[1] = 1;
    let error = openpgp::prepare_certificate(
        &PublicKey::P256(point),
        &CertificateTemplate::new(USER_ID, BORN),
        NOW,
    )
    .expect_err("P-256");
    assert!(
        error
            .to_string()
            .starts_with("P-256 makes no OpenPGP signatures here")
    );
    for exponent in [&[1][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1], &[]] {
        let key = PublicKey::rsa(&[0xff; 512], exponent);
        let prepared =
            openpgp::prepare_certificate(&key, &CertificateTemplate::new(USER_ID, BORN), NOW);
        assert!(
            matches!(prepared, Err(SignError::UnsafeExponent)),
            "{exponent:?}"
        );
    }
}

#[test]
fn user_ids_and_times_that_make_no_certificate() {
    let said = |template: &CertificateTemplate| {
        mint(&*ED25519, template)
            .expect_err("no certificate")
            .to_string()
    };
    let new = |id: &str| CertificateTemplate::new(id, BORN);
    assert_eq!(said(&new(" ")), "user id ` ` is empty");
    assert_eq!(
        said(&new("a\u{202e}b")),
        "user id `a\\u{202e}b` holds characters that do not show"
    );
    assert!(said(&new(&"x".repeat(limits::USER_ID_BYTES + 1))).ends_with("is too long"));
    assert_eq!(
        said(&new("a").with_user_id("a")),
        "user id `a` is given twice"
    );
    assert_eq!(
        said(&new("a").with_validity(Duration::ZERO)),
        "key would expire as it is created"
    );
    // GnuPG adds creation and validity in 32 bits.
    let room = u64::from(u32::MAX) - BORN.unix();
    assert!(
        mint(
            &*ED25519,
            &new("a").with_validity(Duration::from_secs(room))
        )
        .is_ok()
    );
    assert!(said(&new("a").with_validity(Duration::from_secs(room + 1))).contains("2106"));
    let late = Timestamp::from_unix(1 << 32);
    let template = CertificateTemplate::new("a", late);
    let minted = openpgp::mint(&*ED25519, &template, late);
    let error = pollster::block_on(minted).expect_err("after 2106");
    assert!(error.to_string().contains("2106"), "{error}");
}

#[test]
fn backends_never_substitute_a_scheme() {
    let rsa = rsa("rsa3072-a");
    let asked = |signer: &LocalSigner, scheme| {
        let request = SignRequest::message(scheme, DATA).expect("a request");
        pollster::block_on(signer.sign(request))
    };
    let pss = Scheme::RsaPss(HashAlgorithm::Sha256);
    assert!(matches!(asked(&rsa, pss), Err(SignerError::PssUnsupported)));
    for (signer, scheme) in [
        (&rsa, Scheme::Ed25519),
        (&rsa, Scheme::EcdsaP256),
        (&*ED25519, Scheme::EcdsaP256),
        (&*ED25519, Scheme::RsaPkcs1v15(HashAlgorithm::Sha256)),
    ] {
        let error = asked(signer, scheme).expect_err("another scheme");
        assert!(matches!(error, SignerError::UnsupportedScheme { .. }));
    }
    // A message is hashed by the signer: the same signature as over the digest.
    use sha2::Digest as _;
    let pkcs1 = Scheme::RsaPkcs1v15(HashAlgorithm::Sha256);
    let digest = sha2::Sha256::digest(DATA);
    let request = SignRequest::digest(pkcs1, &digest).expect("a request");
    assert!(matches!(request.input(), Input::Digest(_)));
    let by_digest = pollster::block_on(rsa.sign(request)).expect("a signature");
    assert_eq!(by_digest, asked(&rsa, pkcs1).expect("a signature"));
}

#[test]
fn appended_signatures_keep_what_was_there() {
    let (old, new) = (rsa("rsa3072-a"), &*ED25519);
    let (old_certificate, new_certificate) = (minted(&old), minted(new));
    let first = sign(&old, &old_certificate, &hashed(HashAlgorithm::Sha256)).expect("a signature");
    let second = sign(new, &new_certificate, &hashed(HashAlgorithm::Sha512)).expect("a signature");
    for (file, form) in [
        (first.to_bytes(), Form::Binary),
        (first.to_armored().into_bytes(), Form::Armored),
    ] {
        let existing = DetachedSignature::from_bytes(&file).expect("a signature file");
        assert_eq!(existing.form(), form);
        let both = append(&existing, &second).expect("room for one more");
        for certificate in [&old_certificate, &new_certificate] {
            assert_eq!(accepted(certificate, &both), 1);
        }
        let parsed = DetachedSignature::from_bytes(&both).expect("a signature file");
        assert_eq!(parsed.form(), form);
        assert_eq!(
            parsed.to_bytes(),
            [first.to_bytes(), second.to_bytes()].concat()
        );
        // The same once more changes nothing.
        assert_eq!(append(&parsed, &second).expect("nothing to add"), both);
    }
    let full = first.to_bytes().repeat(limits::SIGNATURES);
    let full = DetachedSignature::from_bytes(&full).expect("a signature file");
    assert_eq!(
        append(&full, &second),
        Err(AppendError::TooMany {
            limit: limits::SIGNATURES
        })
    );
}

#[test]
fn a_revoked_certificate_signs_nothing() {
    use countersign_testkit::{CertificateBuilder, Key, Over, SignatureBuilder, signature_type};
    let seed = [5; 32];
    let key = Key::ed25519_legacy(seed, 1_700_000_000);
    let revocation = SignatureBuilder::new(signature_type::KEY_REVOCATION, 1_700_000_500)
        .sign(&key, Over::Key(&key));
    let octets = [
        countersign_testkit::simple_certificate(&key, USER_ID, 1_700_000_000),
        revocation,
    ]
    .concat();
    let _ = CertificateBuilder::new(&key);
    let certificate = Certificate::from_bytes(&octets).expect("a certificate");
    let own = certificate.keys().next().expect("a primary key");
    let public = PublicKey::of_certificate(&own).expect("an Ed25519 key");
    let data = hashed(HashAlgorithm::Sha512);
    let template = SignatureTemplate::new(NOW);
    let error = openpgp::prepare_signature(&public, &certificate, &template, &data, NOW)
        .expect_err("revoked");
    assert!(matches!(
        error,
        SignError::CertificateRefused {
            refusal: SignatureRefusal::KeyRevoked { .. },
            ..
        }
    ));
}
