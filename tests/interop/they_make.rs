//! gpg makes, we verify.

use countersign::verify::{HashAlgorithm, Policy, Report, Timestamp};

use super::ours;
use super::programs::Gnupg;

/// 2023-11-14T22:13:20Z, when keys were made.
const CREATED: u32 = 1_700_000_000;
const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;
/// When we check, where it does not matter: 100 days later.
const NOW: u32 = CREATED + 100 * DAY;
const ALICE: &str = "Alice <alice@example.org>";
const DATA: &[u8] = b"line one\nline two\n";

fn time(seconds: u32) -> Timestamp {
    Timestamp::from_unix(seconds.into())
}

fn verdict(certificate: &[u8], signature: &[u8]) -> &'static str {
    ours::verdict(certificate, signature, DATA, time(NOW))
}

fn verified(certificate: &[u8], signature: &[u8]) -> Report {
    ours::report(certificate, signature, DATA, time(NOW), Policy::new())
        .unwrap_or_else(|reason| panic!("refused: {reason}"))
}

/// gpg with one key; its fingerprint and certificate.
fn with_key(algorithm: &str) -> (Gnupg, String, Vec<u8>) {
    let gnupg = Gnupg::new();
    let fingerprint = gnupg.generate(ALICE, algorithm, "sign,cert", "never", CREATED);
    let certificate = gnupg.export(&fingerprint);
    (gnupg, fingerprint, certificate)
}

#[test]
fn rsa_keys_and_two_signers() {
    let (gnupg, first, alice) = with_key("rsa3072");
    let second = gnupg.generate(
        "Bob <bob@example.org>",
        "rsa4096",
        "sign,cert",
        "never",
        CREATED,
    );
    let both = gnupg.must(&["--export"], b"");
    let users = ["-u", &first, "-u", &second];
    let signature = gnupg.sign(CREATED + DAY, &users, DATA);

    let report = verified(&both, &signature);
    let signers: Vec<String> = report
        .good()
        .iter()
        .map(|own| own.certificate().to_string())
        .collect();
    let mut expected = vec![first.clone(), second.clone()];
    // Which of them stands first is up to gpg.
    if signers.first() != expected.first() {
        expected.reverse();
    }
    assert_eq!(signers, expected);
    let kinds: Vec<String> = report
        .good()
        .iter()
        .map(|own| own.algorithm().to_string())
        .collect();
    assert!(
        kinds.contains(&"RSA-3072".to_owned()) && kinds.contains(&"RSA-4096".to_owned()),
        "{kinds:?}"
    );

    // With one of the certificates, one counts and the other is a stranger's.
    let report = verified(&alice, &signature);
    assert_eq!((report.good().len(), report.refused().len()), (1, 1));
    assert_eq!(report.refused()[0].reason().name(), "unknown-issuer");
    let demanding = Policy::new().with_threshold(2);
    let judged = |certificates: &[u8]| {
        ours::report(certificates, &signature, DATA, time(NOW), demanding.clone()).map(|_| ())
    };
    assert_eq!(judged(&both), Ok(()));
    assert_eq!(judged(&alice), Err("threshold-not-met"));

    for (hash, expected) in [
        ("SHA256", HashAlgorithm::Sha256),
        ("SHA384", HashAlgorithm::Sha384),
        ("SHA512", HashAlgorithm::Sha512),
    ] {
        let signature = gnupg.sign(CREATED + DAY, &["-u", &first, "--digest-algo", hash], DATA);
        assert_eq!(verified(&alice, &signature).good()[0].hash(), expected);
    }
    let raised = Policy::new().with_min_rsa_bits(4096).expect("a higher bar");
    let judged = ours::report(
        &both,
        &gnupg.sign(CREATED + DAY, &["-u", &first], DATA),
        DATA,
        time(NOW),
        raised,
    );
    assert_eq!(judged.map(|_| ()), Err("weak-key"));
}

#[test]
fn forms_of_a_signature() {
    let (gnupg, fingerprint, certificate) = with_key("ed25519");
    let at = CREATED + DAY;
    let binary = gnupg.sign(at, &[], DATA);
    let good = verified(&certificate, &binary).good()[0].clone();
    assert_eq!(good.certificate().to_string(), fingerprint);
    assert_eq!((good.user_id(), good.created()), (Some(ALICE), time(at)));

    let armored = gnupg.sign(at, &["--armor"], DATA);
    assert!(armored.starts_with(b"-----BEGIN PGP SIGNATURE-----\n"));
    assert_eq!(verdict(&certificate, &armored), "verified");
    let commented = gnupg.sign(
        at,
        &["--armor", "--comment", "made by gpg", "--emit-version"],
        DATA,
    );
    assert_eq!(verdict(&certificate, &commented), "verified");
    let armored_key = gnupg.must(&["--armor", "--export", &fingerprint], b"");
    assert_eq!(verdict(&armored_key, &binary), "verified");
    let minimal = gnupg.must(
        &[
            "--export-options",
            "export-minimal",
            "--export",
            &fingerprint,
        ],
        b"",
    );
    assert_eq!(verdict(&minimal, &binary), "verified");

    let text = gnupg.sign(at, &["--textmode"], DATA);
    assert_eq!(verdict(&certificate, &text), "verified");
    let dos = b"line one\r\nline two\r\n";
    assert_eq!(
        ours::verdict(&certificate, &text, dos, time(NOW)),
        "verified"
    );
    assert_eq!(
        ours::verdict(&certificate, &binary, dos, time(NOW)),
        "bad-signature"
    );

    // Two files of signatures put together, binary and armored.
    assert_eq!(
        verdict(&certificate, &[&binary[..], &text].concat()),
        "verified"
    );
    let twice = [&armored[..], &armored].concat();
    assert_eq!(verified(&certificate, &twice).good().len(), 2);

    // Armor that does not say what is in it.
    let enarmored = gnupg.must(&["--enarmor"], &binary);
    assert!(enarmored.starts_with(b"-----BEGIN PGP ARMORED FILE-----\n"));
    assert_eq!(verdict(&certificate, &enarmored), "verified");
    let enarmored_key = gnupg.must(&["--enarmor"], &certificate);
    assert_eq!(verdict(&enarmored_key, &binary), "verified");
    assert_eq!(
        verdict(&certificate, &enarmored_key),
        "malformed-signature-file"
    );

    // What gpg makes besides: a message with its data in it, a private key, a keybox.
    for inline in [&["--sign"][..], &["--sign", "--compress-algo", "none"]] {
        let message = gnupg.at(at, inline, DATA);
        assert_eq!(
            verdict(&certificate, &message),
            "malformed-signature-file",
            "{inline:?}"
        );
    }
    let private = gnupg.must(&["--export-secret-keys", &fingerprint], b"");
    assert_eq!(verdict(&private, &binary), "unusable-key-file");
    assert_eq!(verdict(&certificate, &private), "malformed-signature-file");
    let keybox = std::fs::read(gnupg.home().join("pubring.kbx")).expect("gpg has a keybox");
    assert_eq!(verdict(&keybox, &binary), "unusable-key-file");
}

/// Where a line ends in more than CR LF, gpg signs something of its own: it drops every CR before the LF or the end.
/// RFC 9580 says CR LF for every line end and no more; we hash every other CR as it stands.
#[test]
fn text_mode_with_stray_carriage_returns() {
    let (gnupg, _, certificate) = with_key("ed25519");
    for (data, expected) in [
        (&b"one\r\ntwo\r\n"[..], "verified"),
        (b"one\ntwo", "verified"),
        (b"one\rtwo\n", "verified"),
        (b"one \t\n", "verified"),
        (b"\n\n\n", "verified"),
        (b"", "verified"),
        (b"one\r\r\n", "bad-signature"),
        (b"one\r", "bad-signature"),
    ] {
        let signature = gnupg.sign(CREATED + DAY, &["--textmode"], data);
        let found = ours::verdict(&certificate, &signature, data, time(NOW));
        assert_eq!(found, expected, "{data:?}");
    }
}

#[test]
fn clear_signed_manifests() {
    let (gnupg, _, certificate) = with_key("ed25519");
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (manifest, names) in [
        (format!("{digest}  a\n{digest} *b c\n"), vec!["a", "b c"]),
        (format!("# release 1.0\n\n{digest}  -a\n"), vec!["-a"]),
        (format!("{digest}  a\r\n{digest}  b\r\n"), vec!["a", "b"]),
        // No line end after the last line: gpg adds one that is not signed.
        (format!("{digest}  a"), vec!["a"]),
        (format!("SHA256 (a) = {digest}\n"), vec!["a"]),
    ] {
        let text = gnupg.at(CREATED + DAY, &["--clearsign"], manifest.as_bytes());
        let found = ours::clear_signed(&certificate, &text, time(NOW));
        assert_eq!(
            found,
            Ok(names.into_iter().map(str::to_owned).collect()),
            "{manifest:?}"
        );
        let altered = String::from_utf8_lossy(&text).replacen('a', "A", 1);
        let refused = ours::clear_signed(&certificate, altered.as_bytes(), time(NOW));
        assert!(refused.is_err(), "{manifest:?}");
        // Clear-signed text is no detached signature, and the other way round.
        assert_eq!(verdict(&certificate, &text), "malformed-signature-file");
    }
    let text = gnupg.at(CREATED + DAY, &["--clearsign"], b"- not a manifest\n");
    assert_eq!(
        ours::clear_signed(&certificate, &text, time(NOW)),
        Err("malformed-manifest")
    );
}

#[test]
fn weak_hashes() {
    let (gnupg, _, certificate) = with_key("ed25519");
    for hash in ["SHA1", "RIPEMD160", "SHA224"] {
        // gpg picks a stronger hash for Ed25519 where it is not forced.
        let signature = gnupg.sign(
            CREATED + DAY,
            &["--digest-algo", hash, "--allow-weak-digest-algos"],
            DATA,
        );
        assert_eq!(verdict(&certificate, &signature), "weak-hash", "{hash}");
    }
    let gnupg = Gnupg::new();
    let conf = "cert-digest-algo SHA1\nallow-weak-digest-algos\n";
    std::fs::write(gnupg.home().join("gpg.conf"), conf).expect("the configuration can be written");
    let fingerprint = gnupg.generate(ALICE, "ed25519", "sign,cert", "never", CREATED);
    let signature = gnupg.sign(CREATED + DAY, &[], DATA);
    assert_eq!(
        verdict(&gnupg.export(&fingerprint), &signature),
        "weak-self-signature"
    );
}

#[test]
fn signing_subkey() {
    let (gnupg, fingerprint, without) = with_key("ed25519");
    let later = CREATED + 10 * DAY;
    gnupg.at(
        later,
        &["--quick-add-key", &fingerprint, "cv25519", "encr", "never"],
        b"",
    );
    gnupg.at(
        later,
        &["--quick-add-key", &fingerprint, "ed25519", "sign", "60d"],
        b"",
    );
    let certificate = gnupg.export(&fingerprint);
    let signature = gnupg.sign(later + HOUR, &[], DATA);
    let good = verified(&certificate, &signature).good()[0].clone();
    assert_eq!(good.certificate().to_string(), fingerprint);
    assert_ne!(good.key(), good.certificate());
    assert_eq!(verdict(&without, &signature), "unknown-issuer");
    // The subkey expires on day 70.
    let strict = |day: u32| {
        let policy = Policy::new().with_expiry(countersign::verify::Expiry::Now);
        ours::report(
            &certificate,
            &signature,
            DATA,
            time(CREATED + day * DAY),
            policy,
        )
        .map(|_| ())
    };
    assert_eq!((strict(69), strict(71)), (Ok(()), Err("key-expired-now")));
    // The primary key signs as well, if it is told to.
    let primary = gnupg.sign(later + HOUR, &["-u", &format!("{fingerprint}!")], DATA);
    let good = verified(&certificate, &primary).good()[0].clone();
    assert_eq!(good.key(), good.certificate());
}

#[test]
fn primary_key_that_only_certifies() {
    let gnupg = Gnupg::new();
    let fingerprint = gnupg.generate(ALICE, "ed25519", "cert", "never", CREATED);
    gnupg.at(
        CREATED,
        &["--quick-add-key", &fingerprint, "ed25519", "sign", "never"],
        b"",
    );
    let certificate = gnupg.export(&fingerprint);
    let signature = gnupg.sign(CREATED + DAY, &[], DATA);
    assert_eq!(verdict(&certificate, &signature), "verified");
}

#[test]
fn revoked_subkey() {
    for (menu, expected) in [
        ("1", "key-revoked"),
        ("2", "verified"),
        ("3", "verified"),
        ("0", "key-revoked"),
    ] {
        let gnupg = Gnupg::new();
        let fingerprint = gnupg.generate(ALICE, "ed25519", "cert", "never", CREATED);
        gnupg.at(
            CREATED,
            &["--quick-add-key", &fingerprint, "ed25519", "sign", "never"],
            b"",
        );
        let signature = gnupg.sign(CREATED + DAY, &[], DATA);
        let at = format!("{}!", CREATED + 10 * DAY);
        let answers = format!("key 1\nrevkey\ny\n{menu}\n\ny\nsave\n");
        gnupg.dialogue(
            &["--faked-system-time", &at, "--edit-key", &fingerprint],
            &answers,
        );
        let certificate = gnupg.export(&fingerprint);
        assert_eq!(
            verdict(&certificate, &signature),
            expected,
            "reason {menu} of gpg's menu"
        );
    }
}

#[test]
fn user_ids() {
    let (gnupg, fingerprint, _) = with_key("ed25519");
    let name = |email: &str| format!("Alice <{email}@example.org>");
    gnupg.at(
        CREATED + DAY,
        &["--quick-add-uid", &fingerprint, &name("second")],
        b"",
    );
    gnupg.at(
        CREATED + DAY,
        &["--quick-add-uid", &fingerprint, &name("third")],
        b"",
    );
    let signature = gnupg.sign(CREATED + 20 * DAY, &[], DATA);
    let shown = || {
        let report = verified(&gnupg.export(&fingerprint), &signature);
        report.good()[0].user_id().map(str::to_owned)
    };
    gnupg.at(
        CREATED + 2 * DAY,
        &["--quick-set-primary-uid", &fingerprint, &name("second")],
        b"",
    );
    assert_eq!(shown(), Some(name("second")));
    gnupg.at(
        CREATED + 3 * DAY,
        &["--quick-set-primary-uid", &fingerprint, &name("third")],
        b"",
    );
    assert_eq!(shown(), Some(name("third")));
    gnupg.at(
        CREATED + 4 * DAY,
        &["--quick-revoke-uid", &fingerprint, &name("third")],
        b"",
    );
    let left = shown().expect("a user id is left");
    assert_ne!(left, name("third"), "a revoked user id is not shown");
    gnupg.at(
        CREATED + 5 * DAY,
        &["--quick-revoke-uid", &fingerprint, &name("second")],
        b"",
    );
    assert_eq!(shown(), Some(ALICE.to_owned()));
}

#[test]
fn expiring_keys() {
    let gnupg = Gnupg::new();
    let fingerprint = gnupg.generate(ALICE, "ed25519", "sign,cert", "30d", CREATED);
    let original = gnupg.export(&fingerprint);
    let early = gnupg.sign(CREATED + 10 * DAY, &[], DATA);
    assert_eq!(verdict(&original, &early), "verified");
    let strict = Policy::new().with_expiry(countersign::verify::Expiry::Now);
    let judged = ours::report(&original, &early, DATA, time(NOW), strict);
    assert_eq!(judged.map(|_| ()), Err("key-expired-now"));

    // Extended on day 20, to day 365: a signature of day 40 needs the new certificate.
    gnupg.at(
        CREATED + 20 * DAY,
        &["--quick-set-expire", &fingerprint, "345d"],
        b"",
    );
    let extended = gnupg.export(&fingerprint);
    let late = gnupg.sign(CREATED + 40 * DAY, &[], DATA);
    assert_eq!(verdict(&original, &late), "key-expired");
    assert_eq!(verdict(&extended, &late), "verified");
    // Refreshed after it signed: what is left of the certificate is newer than the signature.
    let minimal = gnupg.must(
        &[
            "--export-options",
            "export-minimal",
            "--export",
            &fingerprint,
        ],
        b"",
    );
    assert_eq!(verdict(&minimal, &early), "verified");

    // Shortened on day 50, to day 60: a signature of day 70, dated by a clock that went wrong, is too late.
    let beyond = gnupg.sign(CREATED + 70 * DAY, &[], DATA);
    gnupg.at(
        CREATED + 50 * DAY,
        &["--quick-set-expire", &fingerprint, "10d"],
        b"",
    );
    let shortened = gnupg.export(&fingerprint);
    assert_eq!(verdict(&shortened, &beyond), "key-expired");
    assert_eq!(verdict(&shortened, &late), "verified");
}

#[test]
fn revoked_keys() {
    // gpg's menu: 0 no reason, 1 compromised, 2 superseded, 3 no longer used.
    for (menu, before) in [
        ("0", "key-revoked"),
        ("1", "key-revoked"),
        ("2", "verified"),
        ("3", "verified"),
    ] {
        let (gnupg, fingerprint, certificate) = with_key("ed25519");
        let early = gnupg.sign(CREATED + DAY, &[], DATA);
        let late = gnupg.sign(CREATED + 20 * DAY, &[], DATA);
        assert_eq!(verdict(&certificate, &early), "verified");
        let at = format!("{}!", CREATED + 10 * DAY);
        let answers = format!("y\n{menu}\nwhy not\n\ny\n");
        let revocation = gnupg.dialogue(
            &[
                "--faked-system-time",
                &at,
                "--armor",
                "--gen-revoke",
                &fingerprint,
            ],
            &answers,
        );
        gnupg.must(&["--import"], &revocation);
        let revoked = gnupg.export(&fingerprint);
        assert_ne!(revoked, certificate);
        assert_eq!(
            verdict(&revoked, &early),
            before,
            "reason {menu} of gpg's menu, signed before"
        );
        assert_eq!(
            verdict(&revoked, &late),
            "key-revoked",
            "reason {menu} of gpg's menu, signed after"
        );
    }
}

#[test]
fn dates() {
    let (gnupg, _, certificate) = with_key("ed25519");
    let judged =
        |signature: &[u8], now: u32| ours::verdict(&certificate, signature, DATA, time(now));
    let signature = gnupg.sign(CREATED + DAY, &[], DATA);
    // Five minutes of clock skew are allowed.
    assert_eq!(judged(&signature, CREATED + DAY - 300), "verified");
    assert_eq!(judged(&signature, CREATED + DAY - 301), "signed-in-future");
    let expiring = gnupg.sign(CREATED + DAY, &["--default-sig-expire", "2d"], DATA);
    assert_eq!(judged(&expiring, CREATED + 3 * DAY - 1), "verified");
    assert_eq!(judged(&expiring, CREATED + 3 * DAY), "signature-expired");
    let early = gnupg.sign(
        CREATED - DAY,
        &["--ignore-time-conflict", "--ignore-valid-from"],
        DATA,
    );
    assert_eq!(judged(&early, NOW), "signed-before-key");
}

#[test]
fn notations() {
    let (gnupg, _, certificate) = with_key("ed25519");
    let sign = |options: &[&str]| gnupg.sign(CREATED + DAY, options, DATA);
    let demanding = || Policy::new().with_notation("release@example.org", "1.0");
    let judged = |signature: &[u8], policy: Policy| {
        ours::report(&certificate, signature, DATA, time(NOW), policy).map(|_| ())
    };
    let noted = sign(&["--sig-notation", "release@example.org=1.0"]);
    let found = verified(&certificate, &noted).good()[0].clone();
    let found: Vec<(&str, &[u8])> = found
        .notations()
        .iter()
        .map(|own| (own.name.as_str(), own.value.as_slice()))
        .collect();
    assert_eq!(found, [("release@example.org", &b"1.0"[..])]);
    assert_eq!(judged(&noted, demanding()), Ok(()));
    assert_eq!(judged(&sign(&[]), demanding()), Err("notation-missing"));
    let other = sign(&["--sig-notation", "release@example.org=1.1"]);
    assert_eq!(judged(&other, demanding()), Err("notation-mismatch"));
    let critical = sign(&["--sig-notation", "!release@example.org=1.0"]);
    assert_eq!(judged(&critical, Policy::new()), Err("critical-notation"));
    assert_eq!(judged(&critical, demanding()), Ok(()));
    let policy = sign(&["--sig-policy-url", "https://example.org/policy"]);
    assert_eq!(judged(&policy, Policy::new()), Ok(()));
}

#[test]
fn keys_of_other_algorithms() {
    for algorithm in ["nistp256", "brainpoolP256r1", "secp256k1"] {
        let (gnupg, _, certificate) = with_key(algorithm);
        let signature = gnupg.sign(CREATED + DAY, &[], DATA);
        assert_eq!(
            verdict(&certificate, &signature),
            "unsupported-key-algorithm",
            "{algorithm}"
        );
    }
}
