//! Tokens as a caller of the library has them: what is issued is taken, what must not leave does not, and how often the signer
//! is asked.
#![cfg(feature = "token")]

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_sign::token::certificate::{self, CertificateChain, CertificateTemplate};
use countersign_sign::token::verify::{RegistryTrust, RegistryVersion, Rejection, computed_id};
use countersign_sign::token::{
    Access, AccessList, Action, Algorithm, IssueError, Jwks, JwsError, KeyId, KeyIdForm,
    RAW_MESSAGE_OCTETS, TokenSigner, TokenSignerError, TokenTemplate,
};
use countersign_sign::{
    Input, KeyAlgorithm, LocalSigner, PublicKey, Scheme, SignFuture, SignRequest, Signer,
    SignerError, ecdsa,
};
use countersign_testkit::TestRsa;
use countersign_verify::Timestamp;
use pollster::block_on;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const ISSUER: &str = "auth.example.org";
const SERVICE: &str = "registry.example.org";
const VERSIONS: [RegistryVersion; 3] = [
    RegistryVersion::V2_8,
    RegistryVersion::V3_0,
    RegistryVersion::V3_1,
];

fn later(seconds: u64) -> Timestamp {
    NOW.later(Duration::from_secs(seconds))
}

fn p256() -> LocalSigner {
    LocalSigner::generate(KeyAlgorithm::P256).expect("random numbers")
}

fn rsa() -> LocalSigner {
    LocalSigner::from_pem(TestRsa::Rsa3072A.pem(), None).expect("a key")
}

fn access(text: &str) -> AccessList {
    text.parse().expect("scopes")
}

fn template() -> TokenTemplate {
    TokenTemplate::new(ISSUER, Duration::from_secs(900))
}

fn certificate_of(signer: &dyn Signer) -> String {
    let template = CertificateTemplate::new("registry tokens", NOW, later(86_400));
    block_on(certificate::self_signed(signer, &template)).expect("a certificate")
}

fn trust(version: RegistryVersion) -> RegistryTrust {
    RegistryTrust::new(version, ISSUER, SERVICE)
}

fn issue(tokens: &TokenSigner, scope: &str) -> String {
    let issued = block_on(tokens.issue("alice", SERVICE, &access(scope), NOW)).expect("a token");
    issued.token().as_str().to_owned()
}

/// A signer that counts, and does with requests and answers what a test wants.
struct Watched {
    inner: LocalSigner,
    calls: Arc<AtomicUsize>,
    pause: Duration,
    answer: Answer,
}

enum Answer {
    AsIs,
    Fails,
    /// A signature of another key.
    Of(LocalSigner),
    /// In the form that AWS KMS has.
    Der,
    Short,
}

impl Watched {
    fn boxed(inner: LocalSigner, answer: Answer) -> (Box<dyn Signer>, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let own = Self {
            inner,
            calls: calls.clone(),
            pause: Duration::from_millis(50),
            answer,
        };
        (Box::new(own), calls)
    }
}

impl Signer for Watched {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            std::thread::sleep(self.pause);
            match &self.answer {
                Answer::AsIs => self.inner.sign(request).await,
                Answer::Fails => Err(SignerError::backend("throttled, after all tries")),
                Answer::Of(other) => other.sign(request).await,
                Answer::Der => {
                    let fixed = self.inner.sign(request).await?;
                    Ok([
                        &[0x30, 0x44, 0x02, 0x20],
                        &fixed[..32],
                        &[0x02, 0x20],
                        &fixed[32..],
                    ]
                    .concat())
                }
                Answer::Short => {
                    let mut fixed = self.inner.sign(request).await?;
                    fixed.remove(0);
                    Ok(fixed)
                }
            }
        })
    }
}

#[test]
fn what_is_issued_with_x5c_is_taken_by_every_registry() {
    let keys: [fn() -> LocalSigner; 2] = [rsa, p256];
    for key in keys {
        let signer = key();
        let pem = certificate_of(&signer);
        let chain = CertificateChain::from_pem(pem.as_bytes()).expect("a chain");
        let tokens = TokenSigner::new(
            Box::new(signer) as Box<dyn Signer>,
            template().with_chain(chain),
        );
        let tokens = tokens.expect("a token signer");
        assert_eq!(tokens.warnings(), Vec::<String>::new());
        let token = issue(&tokens, "repository:a/b:pull,push registry:catalog:*");
        for version in VERSIONS {
            let trust = trust(version)
                .with_bundle(pem.as_bytes())
                .expect("a bundle");
            let accepted = trust.judge(&token, later(900 + 60)).expect("accepted");
            accepted
                .grants(&access("repository:a/b:push registry:catalog:*"))
                .expect("granted");
            assert!(matches!(
                accepted.grants(&access("repository:a/b:delete")),
                Err(Rejection::InsufficientScope { .. })
            ));
            assert!(matches!(
                accepted.grants(&access("repository:a/c:pull")),
                Err(Rejection::InsufficientScope { .. })
            ));
            assert!(matches!(
                trust.judge(&token, later(961)),
                Err(Rejection::Expired { .. })
            ));
            let early = NOW.earlier(Duration::from_secs(71));
            assert!(matches!(
                trust.judge(&token, early),
                Err(Rejection::NotYet { .. })
            ));
        }
        // The certificate in the header comes before the key id, and ends.
        let v3 = trust(RegistryVersion::V3_1);
        assert!(matches!(
            v3.judge(&token, NOW),
            Err(Rejection::Chain { .. })
        ));
    }
}

#[test]
fn key_ids_are_taken_as_the_facts_say() {
    let signer = rsa();
    let pem = certificate_of(&signer);
    let ids = [KeyIdForm::Libtrust, KeyIdForm::Thumbprint];
    for (form, accepted) in ids
        .into_iter()
        .zip([[true, false, false], [false, true, true]])
    {
        let tokens = TokenSigner::new(
            Box::new(rsa()) as Box<dyn Signer>,
            template().with_key_id(form),
        );
        let token = issue(&tokens.expect("a token signer"), "repository:a/b:pull");
        for (version, accepted) in VERSIONS.into_iter().zip(accepted) {
            let trust = trust(version)
                .with_bundle(pem.as_bytes())
                .expect("a bundle");
            match trust.judge(&token, NOW) {
                Ok(_) => assert!(accepted, "{version}"),
                Err(Rejection::UntrustedKey { .. }) => assert!(!accepted, "{version}"),
                Err(other) => panic!("{version}: {other}"),
            }
        }
    }
    let x5c = CertificateChain::from_pem(pem.as_bytes()).expect("a chain");
    let signer: Box<dyn Signer> = Box::new(rsa());
    let id = KeyId::explicit("2026-11").expect("an id");
    let explicit = template().with_key_id(KeyIdForm::Explicit(id.clone()));
    let set = || {
        Jwks::new()
            .with_key(signer.public_key(), [id.clone()])
            .expect("a set")
    };
    let registry = || {
        trust(RegistryVersion::V3_1)
            .with_jwks(set())
            .expect("version 3")
    };
    let of = |template| {
        let tokens = TokenSigner::new(Box::new(rsa()) as Box<dyn Signer>, template);
        issue(&tokens.expect("a token signer"), "")
    };
    assert!(registry().judge(&of(explicit.clone()), NOW).is_ok());
    // With nothing but a `jwks` file, a certificate in the header is in the way of a good key id.
    let token = of(explicit.with_chain(x5c));
    assert!(matches!(
        registry().judge(&token, NOW),
        Err(Rejection::Chain { .. })
    ));
    assert!(trust(RegistryVersion::V2_8).with_jwks(set()).is_err());
}

#[test]
fn registries_compute_other_ids_for_p256() {
    let spki = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAIWbU10/+Bt6q5eWFWUWKVvb424iLZZa9nbZ2TK6zKASuuar85ul5NhMi9SXoh29zZBhuo2Q\
        rT0KhxXAM5t10w==";
    let spki = base64::engine::general_purpose::STANDARD
        .decode(spki)
        .expect("base64");
    let key = PublicKey::from_spki_der(&spki).expect("a key");
    let computed = |version| computed_id(&key, version).expect("an id").to_string();
    assert_eq!(
        VERSIONS.map(computed),
        [
            "AENM:3UIN:5TFN:TFKV:KXUG:7OSI:FYDB:RTGK:ZVCH:5KMI:Z7UQ:4QSZ",
            "xx0BcA-wMohw8atYDJOe6peGModklG2wRHBlXHMvl0M",
            "hk2XMG_e_n_h89aVCg7a4mMsVqZXCWdio2BTu_WloYc",
        ]
    );
}

#[test]
fn what_registries_refuse_is_refused() {
    let signer = p256();
    let set = Jwks::new().with_key(signer.public_key(), [KeyId::explicit("k").expect("an id")]);
    let set = set.expect("a set");
    let registry = trust(RegistryVersion::V3_1)
        .with_jwks(set)
        .expect("version 3");
    let make = |header: &str, claims: &str| {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let request =
            SignRequest::message(Scheme::EcdsaP256, signed.as_bytes()).expect("a request");
        let signature = block_on(signer.sign(request)).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let header = r#"{"typ":"JWT","alg":"ES256","kid":"k"}"#;
    let good = r#"{"iss":"auth.example.org","aud":"registry.example.org","exp":1800000900}"#;
    let said = |token: &str| match registry.judge(token, NOW) {
        Ok(_) => "accepted",
        Err(rejection) => rejection.name(),
    };
    assert_eq!(said(&make(header, good)), "accepted");
    for (claims, name) in [
        (good.replace("auth.", "AUTH."), "untrusted-issuer"),
        (good.replace("registry.", "other."), "other-audience"),
        (good.replace("1800000900", "1799999939"), "token-expired"),
        (good.replace("1800000900", "1800000900.0"), "claim-type"),
        (good.replace("1800000900", "\"1800000900\""), "claim-type"),
        (good.replace(",\"exp\":1800000900", ""), "token-expired"),
        (
            good.replace("{", "{\"nbf\":1800000061,"),
            "token-not-yet-valid",
        ),
        (good.replace("{", "{\"nbf\":1800000060,"), "accepted"),
        (good.replace("{", "{\"sub\":1,"), "claim-type"),
        (good.replace("{", "{\"jti\":[],"), "claim-type"),
        (good.replace("{", "{\"access\":{},"), "claim-type"),
        (
            good.replace(
                "\"registry.example.org\"",
                "[\"x\",\"registry.example.org\"]",
            ),
            "accepted",
        ),
        ("[]".to_owned(), "malformed-token"),
    ] {
        assert_eq!(said(&make(header, &claims)), name, "{claims}");
    }
    for (header, name) in [
        (header.replace("ES256", "none"), "algorithm"),
        (header.replace("ES256", "HS256"), "algorithm"),
        (header.replace("ES256", "RS256"), "bad-signature"),
        (header.replace("\"k\"", "\"j\""), "untrusted-key"),
        (header.replace(",\"kid\":\"k\"", ""), "no-key-named"),
        (header.replace("{", "{\"x5c\":[],"), "untrusted-chain"),
        (
            header.replace("{", "{\"x5c\":[\"AA==\"],"),
            "untrusted-chain",
        ),
        (header.replace("{", "{\"jwk\":{},"), "undecided"),
    ] {
        assert_eq!(said(&make(&header, good)), name, "{header}");
    }
    let token = make(header, good);
    assert_eq!(said(&format!("{token}=")), "malformed-token");
    assert_eq!(
        said(token.rsplit_once('.').expect("parts").0),
        "malformed-token"
    );
    let (signed, signature) = token.rsplit_once('.').expect("parts");
    assert_eq!(said(&format!("{signed}.")), "no-signature");
    let octets = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let with = |octets: &[u8]| format!("{signed}.{}", URL_SAFE_NO_PAD.encode(octets));
    // DER, one octet less, one more.
    let der = [
        &[0x30, 0x44, 0x02, 0x20],
        &octets[..32],
        &[0x02, 0x20],
        &octets[32..],
    ]
    .concat();
    for bad in [der.as_slice(), &octets[1..], &[&octets[..], &[0]].concat()] {
        assert_eq!(said(&with(bad)), "bad-signature");
    }
}

#[test]
fn short_numbers_stay_64_octets() {
    /// As many as make some eighty short numbers.
    const SIGNATURES: u32 = 10_000;
    let signer = p256();
    let mut short = 0;
    for count in 0..SIGNATURES {
        let request = SignRequest::message(Scheme::EcdsaP256, &count.to_be_bytes())
            .map(|request| block_on(signer.sign(request)));
        let fixed = request.expect("a request").expect("a signature");
        assert_eq!(fixed.len(), 64);
        short += usize::from(fixed[0] == 0) + usize::from(fixed[32] == 0);
        let der = p256::ecdsa::Signature::from_slice(&fixed)
            .expect("a signature")
            .to_der();
        let der = der.as_bytes();
        assert_eq!(
            ecdsa::p256_from_der(der).as_ref().map(|own| &own[..]),
            Ok(&fixed[..])
        );
    }
    assert!(
        short > 20,
        "{short} of {SIGNATURES} are short: too few to prove anything"
    );
}

proptest! {
    #[test]
    fn der_that_is_read_is_the_only_der_of_its_numbers(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(fixed) = ecdsa::p256_from_der(&octets) {
            let number = |octets: &[u8]| {
                let start = octets.iter().take_while(|octet| **octet == 0).count();
                let zero = if octets[start] > 0x7f { vec![0] } else { vec![] };
                let octets = [&zero, &octets[start..]].concat();
                [vec![2, u8::try_from(octets.len()).unwrap()], octets].concat()
            };
            let numbers = [number(&fixed[..32]), number(&fixed[32..])].concat();
            let length = u8::try_from(numbers.len()).unwrap();
            prop_assert_eq!([vec![0x30, length], numbers].concat(), octets);
        }
    }
}

#[test]
fn messages_of_4096_octets_go_as_they_are_and_longer_ones_as_digests() {
    struct Lengths(LocalSigner, std::sync::Mutex<Option<(bool, usize)>>);
    impl Signer for Lengths {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a> {
            let seen = match request.input() {
                Input::Message(message) => (true, message.len()),
                Input::Digest(digest) => (false, digest.len()),
            };
            *self.1.lock().expect("no panic") = Some(seen);
            self.0.sign(request)
        }
    }
    let signer = Arc::new(Lengths(p256(), std::sync::Mutex::default()));
    let mut met = Vec::new();
    // base64url makes no text of 4n+1 octets: what the claims cannot reach, another length of the key id does.
    for id in ["k", "kk", "kkk"] {
        let id = KeyId::explicit(id).expect("an id");
        let set = Jwks::new()
            .with_key(signer.public_key(), [id.clone()])
            .expect("a set");
        let registry = trust(RegistryVersion::V3_0)
            .with_jwks(set)
            .expect("version 3");
        let template = template().with_key_id(KeyIdForm::Explicit(id));
        let tokens = TokenSigner::new(signer.clone() as Arc<dyn Signer>, template);
        let tokens = tokens.expect("a token signer");
        let entries = |first: usize| {
            let names = (0..10).map(|place| format!("{place}{}", "x".repeat(199)));
            let names = names.chain([format!("y{}", "y".repeat(first)), "z".repeat(250)]);
            let entry = |name: String| Access::new("repository", &name, [Action::Pull]);
            AccessList::new(names.map(|name| entry(name).expect("an entry"))).expect("a list")
        };
        let issue = |first: usize| {
            let issued = block_on(tokens.issue("a", SERVICE, &entries(first), NOW));
            let token = issued.expect("a token").token().as_str().to_owned();
            let signed = token.rsplit_once('.').expect("parts").0.len();
            (token, signed)
        };
        let (_, shortest) = issue(0);
        assert!(shortest < 4096, "{shortest}");
        let needed = (4096 - shortest) * 3 / 4;
        for first in needed.saturating_sub(4)..needed + 4 {
            let (token, signed) = issue(first);
            let raw = signed <= RAW_MESSAGE_OCTETS;
            let expected = if raw { (true, signed) } else { (false, 32) };
            assert_eq!(*signer.1.lock().expect("no panic"), Some(expected));
            let _ = registry.judge(&token, NOW).expect("accepted");
            met.push(signed);
        }
    }
    for limit in [4096, 4097] {
        assert!(met.contains(&limit), "{limit} is not among {met:?}");
    }
}

#[test]
fn fifty_requests_for_five_grants_are_five_calls() {
    let (signer, calls) = Watched::boxed(p256(), Answer::AsIs);
    let tokens = TokenSigner::new(signer, template()).expect("a token signer");
    let barrier = Barrier::new(50);
    let ask = |place: usize| {
        let list = access(&format!("repository:a/{}:pull", place % 5));
        barrier.wait();
        let issued = block_on(tokens.issue("alice", SERVICE, &list, NOW)).expect("a token");
        issued.token().as_str().to_owned()
    };
    let mut made = std::thread::scope(|scope| {
        let all: Vec<_> = (0..50)
            .map(|place| scope.spawn(move || ask(place)))
            .collect();
        all.into_iter()
            .map(|own| own.join().expect("no panic"))
            .collect::<Vec<_>>()
    });
    made.sort();
    made.dedup();
    assert_eq!((made.len(), calls.load(Ordering::SeqCst)), (5, 5));
    // From the cache while a minute is left, and then anew.
    let list = access("repository:a/0:pull");
    let at = |now| block_on(tokens.issue("alice", SERVICE, &list, now)).expect("a token");
    assert_eq!(
        at(later(840)).expires_in(later(840)),
        Duration::from_secs(60)
    );
    assert_eq!(calls.load(Ordering::SeqCst), 5);
    assert_eq!(at(later(841)).issued_at(), later(841));
    assert_eq!(calls.load(Ordering::SeqCst), 6);
    // A clock that went back gets no token from the future.
    assert_eq!(at(NOW).issued_at(), NOW);
    // Another subject or service is another grant.
    let other = block_on(tokens.issue("bob", SERVICE, &list, NOW)).expect("a token");
    assert_ne!(other.token(), at(NOW).token());
    assert_eq!(calls.load(Ordering::SeqCst), 8);
}

#[test]
fn the_cache_is_bounded() {
    const ENTRIES: usize = 8;
    const GRANTS: usize = 3 * ENTRIES;
    let (signer, calls) = Watched::boxed(p256(), Answer::AsIs);
    let template = template().with_cache_entries(ENTRIES);
    let tokens = TokenSigner::new(signer, template).expect("a token signer");
    let all = || {
        let before = calls.load(Ordering::SeqCst);
        for place in 0..GRANTS {
            issue(&tokens, &format!("repository:a/{place}:pull"));
        }
        calls.load(Ordering::SeqCst) - before
    };
    assert_eq!(all(), GRANTS);
    // Of so many no more than the cache holds are there.
    assert!(all() >= GRANTS - ENTRIES);
    // The last one is.
    let before = calls.load(Ordering::SeqCst);
    issue(&tokens, &format!("repository:a/{}:pull", GRANTS - 1));
    assert_eq!(calls.load(Ordering::SeqCst), before);
}

#[test]
fn no_more_than_so_many_run_at_a_time() {
    struct Busy(LocalSigner, AtomicUsize, AtomicUsize);
    impl Signer for Busy {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a> {
            Box::pin(async move {
                let now = 1 + self.1.fetch_add(1, Ordering::SeqCst);
                self.2.fetch_max(now, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                self.1.fetch_sub(1, Ordering::SeqCst);
                self.0.sign(request).await
            })
        }
    }
    let signer = Arc::new(Busy(p256(), AtomicUsize::new(0), AtomicUsize::new(0)));
    let template = template()
        .with_cache_entries(8)
        .with_concurrency(NonZeroUsize::new(3).expect("not zero"));
    let tokens = TokenSigner::new(signer.clone() as Arc<dyn Signer>, template);
    let tokens = tokens.expect("a token signer");
    std::thread::scope(|scope| {
        for place in 0..24 {
            let tokens = &tokens;
            scope.spawn(move || issue(tokens, &format!("repository:a/{place}:pull")));
        }
    });
    assert_eq!(signer.2.load(Ordering::SeqCst), 3);
}

#[test]
fn what_does_not_hold_never_leaves() {
    for (answer, wrong) in [
        (Answer::Of(p256()), true),
        (Answer::Der, true),
        (Answer::Short, true),
        (Answer::Fails, false),
    ] {
        let (signer, calls) = Watched::boxed(p256(), answer);
        let tokens = TokenSigner::new(signer, template()).expect("a token signer");
        for tries in 1..=2 {
            let result = block_on(tokens.issue("a", SERVICE, &access("repository:a:pull"), NOW));
            let error = result.expect_err("no token");
            match &error {
                IssueError::Jws(JwsError::WrongSignature { .. }) => assert!(wrong),
                IssueError::Jws(JwsError::Signer(_)) => assert!(!wrong),
                other => panic!("{other}"),
            }
            assert!(!format!("{error:?}").contains("eyJ"), "{error:?}");
            // An error is not kept.
            assert_eq!(calls.load(Ordering::SeqCst), tries);
        }
    }
}

#[test]
fn who_waits_goes_on_where_the_first_one_gave_up() {
    struct Stuck(LocalSigner, AtomicUsize);
    impl Signer for Stuck {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a> {
            if self.1.fetch_add(1, Ordering::SeqCst) == 0 {
                return Box::pin(std::future::pending());
            }
            self.0.sign(request)
        }
    }
    let signer: Box<dyn Signer> = Box::new(Stuck(p256(), AtomicUsize::new(0)));
    let tokens = TokenSigner::new(signer, template()).expect("a token signer");
    let list = access("repository:a:pull");
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut first = Box::pin(tokens.issue("a", SERVICE, &list, NOW));
    assert!(first.as_mut().poll(&mut context).is_pending());
    let mut second = Box::pin(tokens.issue("a", SERVICE, &list, NOW));
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(first);
    let issued = block_on(second).expect("a token");
    assert_eq!(issued.issued_at(), NOW);
}

#[test]
fn keys_and_templates_that_do_not_fit_are_refused() {
    let new = |signer: LocalSigner, template| {
        TokenSigner::new(Box::new(signer) as Box<dyn Signer>, template).map(|_| ())
    };
    let ed25519 = LocalSigner::generate(KeyAlgorithm::Ed25519).expect("random numbers");
    assert!(matches!(
        new(ed25519, template()),
        Err(TokenSignerError::Key(_))
    ));
    assert!(matches!(
        new(p256(), template().with_algorithm(Algorithm::Rs256)),
        Err(TokenSignerError::AlgorithmMismatch { .. })
    ));
    let chain = CertificateChain::from_pem(certificate_of(&p256()).as_bytes()).expect("a chain");
    assert!(matches!(
        new(p256(), template().with_chain(chain.clone())),
        Err(TokenSignerError::CertificateOfAnotherKey { .. })
    ));
    for seconds in [0, 400 * 86_400] {
        let template = TokenTemplate::new(ISSUER, Duration::from_secs(seconds));
        assert!(matches!(
            new(p256(), template),
            Err(TokenSignerError::Lifetime { .. })
        ));
    }
    let template = TokenTemplate::new("", Duration::from_secs(1));
    assert!(matches!(
        new(p256(), template),
        Err(TokenSignerError::Name { .. })
    ));
}

#[test]
fn a_certificate_that_has_ended_signs_nothing() {
    let signer = rsa();
    let chain = CertificateChain::from_pem(certificate_of(&signer).as_bytes()).expect("a chain");
    let tokens = TokenSigner::new(
        Box::new(signer) as Box<dyn Signer>,
        template().with_chain(chain),
    );
    let tokens = tokens.expect("a token signer");
    let at = |now| block_on(tokens.issue("a", SERVICE, &AccessList::default(), now)).map(|_| ());
    assert!(at(later(86_400)).is_ok());
    for now in [later(86_401), NOW.earlier(Duration::from_secs(1))] {
        assert!(matches!(
            at(now),
            Err(IssueError::CertificateNotValid { .. })
        ));
    }
}

#[test]
fn the_same_inputs_make_the_same_certificate() {
    let signer = rsa();
    assert_eq!(certificate_of(&signer), certificate_of(&signer));
    let made =
        |template: CertificateTemplate| block_on(certificate::self_signed(&signer, &template));
    let template = || CertificateTemplate::new("x", NOW, later(1));
    let one = made(template().with_serial(&[1])).expect("a certificate");
    assert_ne!(
        one,
        made(template().with_serial(&[2])).expect("a certificate")
    );
    for serial in [vec![], vec![0, 0], vec![1; 21], vec![0x80; 20]] {
        assert!(made(template().with_serial(&serial)).is_err(), "{serial:?}");
    }
    assert!(made(CertificateTemplate::new("", NOW, later(1))).is_err());
    assert!(made(CertificateTemplate::new("x", NOW, NOW)).is_err());
    assert!(made(CertificateTemplate::new("x".repeat(65), NOW, later(1))).is_err());
}

#[test]
fn a_token_prints_nowhere() {
    let tokens = TokenSigner::new(Box::new(p256()) as Box<dyn Signer>, template());
    let tokens = tokens.expect("a token signer");
    let issued =
        block_on(tokens.issue("a", SERVICE, &AccessList::default(), NOW)).expect("a token");
    let shown = format!("{issued:?} {tokens:?} {:?}", issued.response(NOW));
    assert!(!shown.contains("eyJ"), "{shown}");
    let response: serde_json::Value =
        serde_json::from_str(&issued.response(later(100)).to_json()).expect("JSON");
    assert_eq!(response["token"], response["access_token"]);
    assert_eq!(response["token"], issued.token().as_str());
    assert_eq!(
        (&response["expires_in"], &response["issued_at"]),
        (&800.into(), &"2027-01-15T08:01:40Z".into())
    );
}
