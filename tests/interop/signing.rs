//! countersign mints and signs, everybody verifies; what is added to signature files of gpg and sq leaves them good.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use countersign::sign::openpgp::{self, CertificateTemplate, Signature, SignatureTemplate};
use countersign::sign::{KeyAlgorithm, LocalSigner, Signer};
use countersign::verify::{
    Certificate, DetachedSignature, HashAlgorithm, HashedData, Policy, Timestamp,
};

use super::ours;
use super::process::{self, Ended};
use super::programs::Gnupg;

/// 2023-11-14T22:13:20Z, when keys were made.
const CREATED: u32 = 1_700_000_000;
/// An hour later.
const SIGNED: u32 = CREATED + 3600;
/// Beyond the life of this test.
const VALIDITY: Duration = Duration::from_secs(50 * 365 * 86_400);
const RELEASES: &str = "Releases <releases@example.org>";
const DATA: &[u8] = b"line one\nline two\n";

/// The secret key of RFC 8032, section 7.1, test 1.
const ED25519_PEM: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";

fn time(seconds: u32) -> Timestamp {
    Timestamp::from_unix(seconds.into())
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn rsa_pem(name: &str) -> String {
    let path = format!("tests/support/keys/test-only-{name}.pem");
    fs::read_to_string(path).expect("a key of the test kit")
}

fn signer(pem: &str) -> LocalSigner {
    LocalSigner::from_pem(pem, None).expect("a private key")
}

/// The keys that everything is done with: name, signer, and the number of the algorithm (RFC 9580, section 9.1).
fn signers() -> [(&'static str, LocalSigner, &'static str); 3] {
    let ed25519 = LocalSigner::generate(KeyAlgorithm::Ed25519).expect("random numbers");
    [
        ("RSA-3072", signer(&rsa_pem("rsa3072-a")), "1"),
        ("RSA-4096", signer(&rsa_pem("rsa4096-a")), "1"),
        ("Ed25519", ed25519, "22"),
    ]
}

fn mint(signer: &dyn Signer, template: &CertificateTemplate) -> Certificate {
    pollster::block_on(openpgp::mint(signer, template, now())).expect("a certificate")
}

fn minted(signer: &dyn Signer) -> Certificate {
    mint(signer, &CertificateTemplate::new(RELEASES, time(CREATED)))
}

fn sign(
    signer: &dyn Signer,
    certificate: &Certificate,
    template: &SignatureTemplate,
    hash: HashAlgorithm,
) -> Signature {
    let data = HashedData::from_reader(hash, DATA).expect("octets in memory");
    let signed = openpgp::sign(signer, certificate, template, &data, now());
    pollster::block_on(signed).expect("a signature")
}

/// A signature at the usual time, by the key's usual hash.
fn signed(signer: &dyn Signer, certificate: &Certificate) -> Signature {
    let hash = openpgp::default_hash(signer.public_key());
    let template = SignatureTemplate::new(time(SIGNED));
    sign(signer, certificate, &template, hash)
}

/// Files in a folder of their own, and programs that run there with nothing of the user's.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let desk = Self(tempfile::tempdir().expect("a temporary folder"));
        for (name, octets) in files {
            desk.put(name, octets);
        }
        desk
    }

    fn put(&self, name: &str, octets: &[u8]) {
        fs::write(self.0.path().join(name), octets).expect("a file can be written");
    }

    fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Words are set apart by spaces.
    fn run(&self, program: &str, arguments: &str) -> Ended {
        let path = std::env::var_os("PATH").unwrap_or_default();
        assert!(
            Path::new(program).is_absolute()
                || std::env::split_paths(&path).any(|folder| folder.join(program).is_file()),
            "`{program}` is not installed: run scripts/test, which installs what the interop tests need"
        );
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.0.path())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir(self.0.path())
            .args(arguments.split(' '));
        process::run(&mut command, b"")
    }

    fn must(&self, program: &str, arguments: &str) -> Vec<u8> {
        let ended = self.run(program, arguments);
        let said = ended.stderr_text();
        assert_eq!(ended.status, Some(0), "{program} {arguments}: {said}");
        ended.stdout
    }

    fn countersign(&self, arguments: &str) -> Vec<u8> {
        self.must(env!("CARGO_BIN_EXE_countersign"), arguments)
    }

    /// Exit statuses over `sig` and `data` by the certificates in a file.
    fn gpgv(&self, keyring: &str) -> Option<i32> {
        let arguments = format!("--homedir . --keyring ./{keyring} sig data");
        self.run("gpgv", &arguments).status
    }

    fn sqv(&self, keyring: &str) -> Option<i32> {
        let arguments = format!("--keyring {keyring} sig data");
        self.run("sqv", &arguments).status
    }

    fn we(&self, keyring: &str) -> &'static str {
        ours::verdict(&self.get(keyring), &self.get("sig"), DATA, now())
    }
}

/// Lines of gpg's `--with-colons` of that kind, in fields with their escapes undone.
fn records(listing: &[u8], kind: &str) -> Vec<Vec<String>> {
    let listing = String::from_utf8(listing.to_vec()).expect("UTF-8, as gpg promises with colons");
    let lines = listing
        .lines()
        .filter(|line| line.split(':').next() == Some(kind));
    let unescaped = |field: &str| field.replace(r"\x3a", ":");
    lines
        .map(|line| line.split(':').map(unescaped).collect())
        .collect()
}

#[test]
fn gpg_lists_certificates_as_they_were_meant() {
    // Fields of a line, counted from zero: gpg's doc/DETAILS.
    const LENGTH: usize = 2;
    const ALGORITHM: usize = 3;
    const BORN: usize = 5;
    const EXPIRES: usize = 6;
    const TEXT: usize = 9;
    const USAGE: usize = 11;
    let several = || {
        CertificateTemplate::new("Ωmega: \"Releases\" <releases@example.org>", time(CREATED))
            .with_user_id("A <a@example.org>")
            .with_user_id("security@example.org")
    };
    let one = || CertificateTemplate::new(RELEASES, time(CREATED));
    for (name, signer, algorithm) in signers() {
        for (template, user_ids, expires) in [
            (one(), vec![RELEASES], None),
            (
                one()
                    .with_validity(VALIDITY)
                    .with_hash(HashAlgorithm::Sha384),
                vec![RELEASES],
                Some(VALIDITY),
            ),
            (
                several(),
                vec![
                    "Ωmega: \"Releases\" <releases@example.org>",
                    "A <a@example.org>",
                    "security@example.org",
                ],
                None,
            ),
            (
                several().with_validity(VALIDITY),
                vec![
                    "Ωmega: \"Releases\" <releases@example.org>",
                    "A <a@example.org>",
                    "security@example.org",
                ],
                Some(VALIDITY),
            ),
        ] {
            let case = format!("{name}, {} user ids, {expires:?}", user_ids.len());
            let certificate = mint(&signer, &template);
            let armored = openpgp::armored_certificate(&certificate);
            for octets in [certificate.to_bytes(), armored.into_bytes()] {
                let gnupg = Gnupg::new();
                gnupg.must(&["--import"], &octets);
                let listing = gnupg.must(&["--with-colons", "--check-sigs"], b"");

                let [key] = &records(&listing, "pub")[..] else {
                    panic!("{case}: not one key");
                };
                let length = name.strip_prefix("RSA-").unwrap_or("255");
                assert_eq!(key[LENGTH], length, "{case}");
                assert_eq!(key[ALGORITHM], algorithm, "{case}");
                assert_eq!(key[BORN], CREATED.to_string(), "{case}");
                let end =
                    |validity: Duration| (u64::from(CREATED) + validity.as_secs()).to_string();
                assert_eq!(key[EXPIRES], expires.map(end).unwrap_or_default(), "{case}");
                // Small letters are what the key itself may do, capital ones the whole.
                assert_eq!(key[USAGE], "scSC", "{case}");
                assert!(records(&listing, "sub").is_empty(), "{case}");

                let [fingerprint] = &records(&listing, "fpr")[..] else {
                    panic!("{case}: not one fingerprint");
                };
                let own = certificate.fingerprint().to_string();
                assert_eq!(fingerprint[TEXT], own, "{case}");

                let listed: Vec<String> = records(&listing, "uid")
                    .into_iter()
                    .map(|record| record[TEXT].clone())
                    .collect();
                // gpg shows the primary one first, the others as they stand.
                assert_eq!(listed, user_ids, "{case}");
                only_good_self_signatures(&case, &listing, &own);
            }
        }
    }
}

/// After each user id exactly one signature: by the key itself, positive, checked and good.
fn only_good_self_signatures(case: &str, listing: &[u8], fingerprint: &str) {
    const VERDICT: usize = 1;
    const CLASS: usize = 10;
    const ISSUER: usize = 12;
    let listing = String::from_utf8_lossy(listing);
    let kinds: Vec<&str> = listing
        .lines()
        .filter_map(|line| line.split(':').next())
        .filter(|kind| ["uid", "sig", "rev"].contains(kind))
        .collect();
    assert!(!kinds.is_empty(), "{case}");
    for pair in kinds.chunks(2) {
        assert_eq!(pair, ["uid", "sig"], "{case}: {listing}");
    }
    for signature in records(listing.as_bytes(), "sig") {
        assert_eq!(signature[VERDICT], "!", "{case}: {listing}");
        assert_eq!(signature[CLASS], "13x", "{case}: {listing}");
        assert_eq!(signature[ISSUER], fingerprint, "{case}: {listing}");
    }
}

#[test]
fn everybody_accepts_signatures_of_every_kind() {
    for (name, signer, algorithm) in signers() {
        let certificate = minted(&signer);
        let gnupg = Gnupg::new();
        gnupg.must(&["--import"], &certificate.to_bytes());
        // The hash, and its number (RFC 9580, section 9.5).
        for (hash, number) in [
            (HashAlgorithm::Sha256, "8"),
            (HashAlgorithm::Sha384, "9"),
            (HashAlgorithm::Sha512, "10"),
        ] {
            let template = SignatureTemplate::new(time(SIGNED))
                .with_notation("version@example.org", "1.2")
                .with_notation("note@example.org", "Grüße: 100 %");
            let signature = sign(&signer, &certificate, &template, hash);
            for (form, octets) in [
                ("binary", signature.to_bytes()),
                ("armored", signature.to_armored().into_bytes()),
            ] {
                let case = format!("{name}, {hash}, {form}");
                let desk = Desk::new(&[
                    ("cert", &certificate.to_bytes()),
                    ("sig", &octets),
                    ("data", DATA),
                ]);
                assert_eq!(desk.we("cert"), "verified", "{case}: we");
                assert_eq!(desk.gpgv("cert"), Some(0), "{case}: gpgv");
                assert_eq!(desk.sqv("cert"), Some(0), "{case}: sqv");

                let path = |name: &str| desk.0.path().join(name).display().to_string();
                let status = gnupg.must(
                    &[
                        "--status-fd",
                        "1",
                        "--verify-options",
                        "show-notations",
                        "--verify",
                        &path("sig"),
                        &path("data"),
                    ],
                    b"",
                );
                let status = String::from_utf8(status).expect("UTF-8, as was signed");
                let said = |start: &str| {
                    let start = format!("[GNUPG:] {start} ");
                    let lines = status.lines().filter_map(|line| line.strip_prefix(&*start));
                    lines.collect::<Vec<_>>()
                };
                // gpg begins with the last one.
                assert_eq!(
                    said("NOTATION_NAME"),
                    ["note@example.org", "version@example.org"],
                    "{case}"
                );
                // Not critical, for people.
                assert_eq!(said("NOTATION_FLAGS"), ["0 1", "0 1"], "{case}");
                assert_eq!(
                    said("NOTATION_DATA"),
                    ["Grüße:%20100%20%25", "1.2"],
                    "{case}"
                );
                let fingerprint = certificate.fingerprint();
                let expected = format!(
                    "{fingerprint} 2023-11-14 {SIGNED} 0 4 0 {algorithm} {number} 00 {fingerprint}"
                );
                assert_eq!(said("VALIDSIG"), [expected], "{case}");

                // Of other data nobody says so.
                desk.put("data", b"line one\nline too\n");
                assert_eq!(desk.gpgv("cert"), Some(1), "{case}: gpgv, altered");
                assert_eq!(desk.sqv("cert"), Some(1), "{case}: sqv, altered");
            }
        }
    }
}

/// What somebody else signed: a name, certificates, and the signature file.
struct Theirs {
    case: &'static str,
    certificates: Vec<u8>,
    signature: Vec<u8>,
    signers: usize,
}

fn made_by_gpg() -> Vec<Theirs> {
    let gnupg = Gnupg::new();
    let [alice, bob] = ["Alice <alice@example.org>", "Bob <bob@example.org>"]
        .map(|name| gnupg.generate(name, "ed25519", "sign,cert", "never", CREATED));
    let (one, both) = (gnupg.export(&alice), gnupg.must(&["--export"], b""));
    let by_alice = |options: &[&str]| {
        let options = [&["-u", &alice], options].concat();
        gnupg.sign(SIGNED, &options, DATA)
    };
    vec![
        Theirs {
            case: "gpg, binary",
            certificates: one.clone(),
            signature: by_alice(&[]),
            signers: 1,
        },
        Theirs {
            case: "gpg, armored",
            certificates: one,
            signature: by_alice(&["--armor", "--comment", "signed by hand"]),
            signers: 1,
        },
        Theirs {
            case: "gpg, two signers, binary",
            certificates: both.clone(),
            signature: by_alice(&["-u", &bob]),
            signers: 2,
        },
        Theirs {
            case: "gpg, two signers, armored",
            certificates: both,
            signature: by_alice(&["-u", &bob, "--armor"]),
            signers: 2,
        },
    ]
}

fn made_by_sq() -> Vec<Theirs> {
    let desk = Desk::new(&[("data", DATA)]);
    desk.must(
        "sq",
        "key generate --creation-time 20231114T221320Z --expires never --userid sq@example.org --export key",
    );
    desk.must("sq", "key extract-cert --binary key --output cert");
    let sign = |options: &str| {
        desk.must(
            "sq",
            &format!("sign --detached{options} --time 20231114T231320Z --signer-key key data"),
        )
    };
    let made = |case, signature| Theirs {
        case,
        certificates: desk.get("cert"),
        signature,
        signers: 1,
    };
    vec![
        made("sq, binary", sign(" --binary")),
        made("sq, armored", sign("")),
    ]
}

#[test]
fn signatures_are_added_to_files_of_gpg_and_sq() {
    let (rsa, ed25519) = (rsa_pem("rsa3072-a"), ED25519_PEM.to_owned());
    for theirs in made_by_gpg().into_iter().chain(made_by_sq()) {
        for (kind, pem) in [("RSA-3072", &rsa), ("Ed25519", &ed25519)] {
            added(&format!("{} + {kind}", theirs.case), &theirs, pem);
        }
    }
}

fn added(case: &str, theirs: &Theirs, pem: &str) {
    let signer = signer(pem);
    let certificate = minted(&signer);
    let signature = signed(&signer, &certificate);
    let before = DetachedSignature::from_bytes(&theirs.signature).expect("a signature file");
    assert_eq!(before.signatures(), theirs.signers, "{case}");
    let after = openpgp::append(&before, &signature).expect("room for one more");

    // As gpg reads the two files, ours has their octets, then ours.
    let gnupg = Gnupg::new();
    let armored = theirs
        .signature
        .starts_with(b"-----BEGIN PGP SIGNATURE-----\n");
    assert_eq!(
        after.starts_with(b"-----BEGIN PGP SIGNATURE-----\n"),
        armored,
        "{case}: the form stays"
    );
    let packets = |octets: &[u8]| {
        if armored {
            gnupg.must(&["--dearmor"], octets)
        } else {
            octets.to_vec()
        }
    };
    assert_eq!(
        packets(&after),
        [packets(&theirs.signature), signature.to_bytes()].concat(),
        "{case}: packets"
    );

    let both = [theirs.certificates.clone(), certificate.to_bytes()].concat();
    let desk = Desk::new(&[
        ("key.pem", pem.as_bytes()),
        ("ours", &certificate.to_bytes()),
        ("theirs", &theirs.certificates),
        ("both", &both),
        ("data", DATA),
        ("sig", &theirs.signature),
    ]);
    desk.countersign(&format!(
        "sign data --key-id key.pem --public-key ours --append --key theirs --output sig --created {}",
        time(SIGNED)
    ));
    assert!(
        desk.get("sig") == after,
        "{case}: command and library differ"
    );

    assert_eq!(desk.gpgv("both"), Some(0), "{case}: gpgv with all keys");
    // docs/rotate-a-key.md says so, and why a file by each key is to be published.
    assert_eq!(desk.gpgv("ours"), Some(2), "{case}: gpgv with our key");
    assert_eq!(desk.gpgv("theirs"), Some(2), "{case}: gpgv with their keys");
    for keyring in ["both", "ours", "theirs"] {
        assert_eq!(desk.sqv(keyring), Some(0), "{case}: sqv, {keyring}");
        assert_eq!(desk.we(keyring), "verified", "{case}: we, {keyring}");
    }
    let all = theirs.signers + 1;
    let everybody = Policy::new().with_threshold(all);
    let report = ours::report(&both, &after, DATA, now(), everybody);
    let good = report.map(|report| report.good().len());
    assert_eq!(good, Ok(all), "{case}: all signatures");

    // Once more, and nothing changes.
    let again = DetachedSignature::from_bytes(&after).expect("a signature file");
    assert_eq!(openpgp::append(&again, &signature), Ok(after), "{case}");
}

#[test]
fn the_same_input_gives_the_same_octets_on_every_machine() {
    // SHA-256 of the binary certificate, and of the binary signature.
    for (name, pem, pinned) in [
        (
            "RSA-3072",
            rsa_pem("rsa3072-a"),
            [
                "f9b2a3f70655230817da08550f0caf25eb048ae8202a198d74cb170c3d566202",
                "3badaa749e0e2f2858825ba696b49ac522c3349d15e401b5b49147f23c4f42f9",
            ],
        ),
        (
            "Ed25519",
            ED25519_PEM.to_owned(),
            [
                "4b04e047588bec6e475dcb1e6696297c68da023067178b092d74e6e5ff6f4f36",
                "dd2f5b6fc1beb3bfe8deedcc72f8558891720284b715a917f015058d6716b0c6",
            ],
        ),
    ] {
        let desk = Desk::new(&[("key.pem", pem.as_bytes()), ("data", DATA)]);
        for run in ["one", "two"] {
            desk.countersign(&format!(
                "key mint --key-id key.pem --name Releases --email releases@example.org \
                 --created {} --expires 50y --output {run}.asc",
                time(CREATED)
            ));
            desk.countersign(&format!(
                "sign data --key-id key.pem --public-key {run}.asc --created {} \
                 --notation version@example.org=1.2 --binary --output {run}.sig",
                time(SIGNED)
            ));
        }
        assert!(desk.get("one.asc") == desk.get("two.asc"), "{name}");
        assert!(desk.get("one.sig") == desk.get("two.sig"), "{name}");

        let signer = signer(&pem);
        let template = CertificateTemplate::new(RELEASES, time(CREATED)).with_validity(VALIDITY);
        let certificate = mint(&signer, &template);
        let armored = openpgp::armored_certificate(&certificate);
        assert!(desk.get("one.asc") == armored.into_bytes(), "{name}");
        let template =
            SignatureTemplate::new(time(SIGNED)).with_notation("version@example.org", "1.2");
        let hash = openpgp::default_hash(signer.public_key());
        let signature = sign(&signer, &certificate, &template, hash).to_bytes();
        assert!(desk.get("one.sig") == signature, "{name}");

        let digest = |octets: Vec<u8>| {
            let data = HashedData::from_reader(HashAlgorithm::Sha256, octets.as_slice());
            let digest = data.expect("octets in memory").digest();
            digest.expect("SHA-256 has one").to_string()
        };
        let found = [certificate.to_bytes(), signature].map(digest);
        assert_eq!(found, pinned, "{name}");
    }
}
