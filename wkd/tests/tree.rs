//! Each rule for publishers, and each mistake that other programs are known to make.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use countersign_testkit::{
    ArmorChecksum, ArmorKind, Binding, CertificateBuilder, Hash, Key, Over, SignatureBuilder,
    Subpacket, armor, key_flags, mpi, packet, public_key, public_subkey, secret_key_stub,
    signature_type, simple_certificate, tag, trust, user_id,
};
use countersign_wkd::{Change, Layout, Tree, TreeError, Written, limits};

const BORN: u32 = 1_700_000_000;
const DAY: u32 = 86_400;
const JOE: &str = "Joe <joe@example.org>";
const HIS_HOME: &str = "Joe <joe@home.example>";
const JOES_HASH: &str = "n4w4kuq9ejc3kmthngg8ccja7y5j8i97";
const ADVANCED: &str = ".well-known/openpgpkey/example.org";
const DIRECT: &str = ".well-known/openpgpkey";

fn key(seed: u8) -> Key {
    Key::ed25519_legacy([seed; 32], BORN)
}

fn own() -> SignatureBuilder {
    CertificateBuilder::self_signature(BORN)
}

fn tree() -> Tree {
    let now = countersign_verify::Timestamp::from_unix(u64::from(BORN + 10 * DAY));
    Tree::new("example.org".parse().unwrap(), now)
}

struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("public")
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Joe's file.
    fn joe(&self) -> Vec<u8> {
        self.read(&format!("{ADVANCED}/hu/{JOES_HASH}"))
    }

    /// Every file below the root's parent, sorted.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    walk(&path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), &mut found);
        let name = |path: PathBuf| {
            let below = path.strip_prefix(self.0.path()).unwrap();
            below.to_str().unwrap().to_owned()
        };
        let mut names: Vec<String> = found.into_iter().map(name).collect();
        names.sort();
        names
    }

    fn build(&self, keyring: impl AsRef<[u8]>) -> Written {
        self.build_with(tree(), keyring, Layout::Advanced)
    }

    fn build_with(&self, mut tree: Tree, keyring: impl AsRef<[u8]>, layout: Layout) -> Written {
        tree.add("keyring", keyring.as_ref()).unwrap();
        tree.write(&self.root(), layout)
    }
}

fn names(written: &Written) -> Vec<&'static str> {
    let skipped = written.skipped().iter().map(|own| own.reason().name());
    let failures = written.failures().iter().map(TreeError::name);
    skipped.chain(failures).collect()
}

fn warnings(written: &Written) -> Vec<&'static str> {
    written.warnings().iter().map(|own| own.name()).collect()
}

fn changes(written: &Written) -> Vec<Change> {
    written.files().iter().map(|own| own.change()).collect()
}

#[test]
fn a_certificate_of_one_user_id_is_served_as_it_is() {
    let site = Site::new();
    let joe = simple_certificate(&key(1), JOE, BORN);
    let written = site.build(&joe);
    assert_eq!(names(&written), [""; 0]);
    assert_eq!(warnings(&written), [""; 0]);
    assert_eq!(site.joe(), joe);
    assert_eq!(
        site.files(),
        [
            format!("public/{ADVANCED}/hu/{JOES_HASH}"),
            format!("public/{ADVANCED}/policy"),
        ]
    );
    assert_eq!(site.read(&format!("{ADVANCED}/policy")), b"");
    // Armored, it is the same.
    let armored = armor(ArmorKind::PublicKey, &joe, ArmorChecksum::Absent);
    let other = Site::new();
    assert_eq!(names(&other.build(armored)), [""; 0]);
    assert_eq!(other.joe(), joe);
}

#[test]
fn layouts_are_advanced_direct_or_both_in_one_run() {
    let joe = simple_certificate(&key(1), JOE, BORN);
    let path = |folder: &str, name: &str| format!("public/{folder}/{name}");
    let hash = format!("hu/{JOES_HASH}");
    let of = |folder: &str| [path(folder, &hash), path(folder, "policy")];
    for (layout, expected) in [
        (Layout::Direct, of(DIRECT).to_vec()),
        (Layout::Both, [of(ADVANCED), of(DIRECT)].concat()),
    ] {
        let site = Site::new();
        assert_eq!(names(&site.build_with(tree(), &joe, layout)), [""; 0]);
        assert_eq!(site.files(), expected);
    }
}

#[test]
fn what_is_not_of_the_address_is_left_out() {
    let (joe, other) = (key(1), key(2));
    let third_party = SignatureBuilder::new(signature_type::CERTIFICATION, BORN + 1);
    let subkey = key(3);
    let binding = Binding::new(key_flags::SIGN, BORN);
    let build = |extra: bool| {
        let mut own_key = CertificateBuilder::new(&joe).with_user_id(JOE, BORN);
        if extra {
            own_key = own_key
                .with_certification(JOE, &other, &third_party)
                .with_user_id(HIS_HOME, BORN)
                .with_user_id("Jane <jane@example.org>", BORN)
                .with_user_attribute(b"\x05\x01image", &[own()])
                .with_packet(trust(b"\x00\x00"));
        }
        own_key.with_subkey(&subkey, &binding).build()
    };
    let site = Site::new();
    let written = site.build(build(true));
    assert_eq!(names(&written), [""; 0]);
    assert_eq!(site.joe(), build(false));
    // Jane's is there, too, unless she was not asked for.
    assert_eq!(written.files().len(), 3);
    let site = Site::new();
    let only = tree().with_address("JOE@example.org".parse().unwrap());
    let written = site.build_with(only.unwrap(), build(true), Layout::Advanced);
    assert_eq!(written.files().len(), 2);
    assert_eq!(site.joe(), build(false));
}

#[test]
fn an_address_of_another_domain_is_refused_and_one_without_certificate_is_named() {
    let stranger = tree().with_address("joe@example.com".parse().unwrap());
    assert_eq!(stranger.unwrap_err().name(), "other-domain");
    let site = Site::new();
    let jane = tree().with_address("jane@example.org".parse().unwrap());
    let joe = simple_certificate(&key(1), JOE, BORN);
    let written = site.build_with(jane.unwrap(), &joe, Layout::Advanced);
    assert_eq!(names(&written), ["no-address", "no-certificate"]);
    let written = site.build(simple_certificate(&key(1), HIS_HOME, BORN));
    assert_eq!(names(&written), ["no-address", "no-certificate"]);
    assert_eq!(site.files(), [""; 0]);
}

#[test]
fn a_secret_key_is_refused_and_the_others_are_written() {
    let secret = [secret_key_stub(&key(2)), user_id("Jane <jane@example.org>")].concat();
    let joe = simple_certificate(&key(1), JOE, BORN);
    let site = Site::new();
    let written = site.build([secret.as_slice(), &joe].concat());
    assert_eq!(names(&written), ["secret-key"]);
    assert_eq!(
        written.skipped()[0].user_id(),
        Some("Jane <jane@example.org>")
    );
    assert_eq!(written.files().len(), 2);
    assert_eq!(site.joe(), joe);
}

#[test]
fn what_cannot_be_read_is_named_and_the_others_are_written() {
    let joe = simple_certificate(&key(1), JOE, BORN);
    let jane = |octets: Vec<u8>| {
        [
            public_key(&key(2)),
            user_id("Jane <jane@example.org>"),
            octets,
        ]
        .concat()
    };
    let version_3 = [
        public_key(&key(2).with_version(3)),
        user_id("Jane <jane@example.org>"),
    ]
    .concat();
    let misplaced = jane(packet(tag::LITERAL, b"b\0\0\0\0\0"));
    let too_large = jane(packet(
        tag::USER_ATTRIBUTE,
        &vec![0; limits::CERTIFICATE_BYTES],
    ));
    let many: Vec<u8> = (0..=limits::USER_IDS)
        .flat_map(|place| user_id(format!("Jane <jane{place}@example.org>")))
        .collect();
    for (bad, reason) in [
        (version_3, "key-version"),
        (misplaced, "malformed-certificate"),
        (too_large, "certificate-too-large"),
        (jane(many), "too-many-user-ids"),
        (jane(Vec::new()), "not-certified"),
    ] {
        let site = Site::new();
        let written = site.build([bad.as_slice(), &joe].concat());
        assert_eq!(names(&written), [reason]);
        assert_eq!(written.skipped()[0].number(), 1);
        let shown = written.skipped()[0].to_string();
        assert!(
            shown.contains("jane") || shown.contains("Jane") || reason == "certificate-too-large",
            "{shown}"
        );
        assert_eq!(site.joe(), joe, "{reason}");
    }
    // Nothing can be told of what follows damage, nor whether the certificate before it is whole.
    let site = Site::new();
    let jane = jane(packet(tag::SIGNATURE, b"x"));
    let written = site.build([joe.as_slice(), &jane, b"\xc6\xff\0\0"].concat());
    assert_eq!(names(&written), ["malformed-keyring"]);
    assert_eq!(
        written.skipped()[0].user_id(),
        Some("Jane <jane@example.org>")
    );
    assert_eq!(site.joe(), joe);
}

#[test]
fn a_user_id_that_somebody_else_added_is_not_served() {
    let forged = SignatureBuilder::new(signature_type::POSITIVE, BORN)
        .sign(&key(2), Over::UserId(&key(1), JOE.as_bytes()));
    let home = simple_certificate(&key(1), HIS_HOME, BORN);
    let site = Site::new();
    let added = [home.as_slice(), &user_id(JOE), &forged].concat();
    assert_eq!(
        names(&site.build(added)),
        ["not-certified", "no-certificate"]
    );
    // Nor where the signature claims to be by the key.
    let claimed = own()
        .without_issuer()
        .with_hashed(Subpacket::issuer_fingerprint(&key(1)))
        .sign(&key(2), Over::UserId(&key(1), JOE.as_bytes()));
    let added = [home.as_slice(), &user_id(JOE), &claimed].concat();
    assert_eq!(
        names(&site.build(added)),
        ["not-certified", "no-certificate"]
    );
    assert_eq!(site.files(), [""; 0]);
}

#[test]
fn under_the_hash_of_a_revoked_user_id_no_other_is_served() {
    let jane = "Jane <jane@example.org>";
    let revocation = SignatureBuilder::new(signature_type::CERTIFICATION_REVOCATION, BORN + DAY);
    let both = CertificateBuilder::new(&key(1))
        .with_user_id_signed(JOE, &[own(), revocation.clone()])
        .with_user_id(jane, BORN)
        .build();
    let alone = CertificateBuilder::new(&key(1))
        .with_user_id_signed(JOE, &[own(), revocation])
        .build();
    let site = Site::new();
    let written = site.build(both);
    assert_eq!(warnings(&written), ["user-id-revoked"]);
    // With its revocation, of which clients learn so.
    assert_eq!(site.joe(), alone);
    // Some keyrings have nothing but the revocation left.
    let bare = CertificateBuilder::new(&key(1))
        .with_user_id(jane, BORN)
        .with_packet(user_id(JOE))
        .with_certification(
            JOE,
            &key(1),
            &SignatureBuilder::new(signature_type::CERTIFICATION_REVOCATION, BORN + DAY),
        )
        .build();
    let site = Site::new();
    assert_eq!(warnings(&site.build(bare)), ["user-id-revoked"]);
    assert!(!String::from_utf8_lossy(&site.joe()).contains("jane"));
}

#[test]
fn expired_and_revoked_certificates_are_served_with_a_warning() {
    let expired = CertificateBuilder::new(&key(1))
        .with_user_id_signed(JOE, &[own().with_hashed(Subpacket::key_expires_after(DAY))])
        .build();
    let revoked = CertificateBuilder::simple(&key(1), JOE, BORN)
        .with_key_revocation(BORN + DAY, Some(2))
        .build();
    let weak = CertificateBuilder::new(&key(1))
        .with_user_id_signed(JOE, &[own().with_hash(Hash::Sha1)])
        .build();
    let dsa = simple_certificate(&Key::dsa_placeholder(BORN), JOE, BORN);
    // Too large for the verifier, and in use all the same: wkd-exporter gives up on one.
    let too_large = CertificateBuilder::new(&Key::rsa_raw(&[0xff; 1280], &[1, 0, 1], BORN))
        .with_user_id_signed(JOE, &[own().with_value(mpi(&[0x55; 1280]))])
        .build();
    for (certificate, warning) in [
        (too_large, "user-id-not-checked"),
        (expired, "expired"),
        (revoked, "revoked"),
        (weak, "user-id-not-checked"),
        (dsa, "user-id-not-checked"),
    ] {
        let site = Site::new();
        let written = site.build(&certificate);
        assert_eq!(names(&written), [""; 0], "{warning}");
        assert_eq!(warnings(&written), [warning]);
        assert_eq!(site.joe(), certificate);
    }
}

#[test]
fn several_certificates_for_an_address_are_sorted_by_fingerprint() {
    let mut all: Vec<(Vec<u8>, Vec<u8>)> = (1..=5)
        .map(|seed| {
            (
                key(seed).fingerprint(),
                simple_certificate(&key(seed), JOE, BORN),
            )
        })
        .collect();
    let ring: Vec<u8> = all.iter().rev().flat_map(|(_, own)| own.clone()).collect();
    all.sort();
    let sorted: Vec<u8> = all.iter().flat_map(|(_, own)| own.clone()).collect();
    let site = Site::new();
    let written = site.build(ring);
    assert_eq!(site.joe(), sorted);
    let joes = written.files().iter().find(|own| own.address().is_some());
    assert_eq!(joes.unwrap().certificates().len(), 5);
}

#[test]
fn a_second_run_adds_and_the_same_run_changes_nothing() {
    let (one, two) = (
        simple_certificate(&key(1), JOE, BORN),
        simple_certificate(&key(2), JOE, BORN),
    );
    let site = Site::new();
    assert_eq!(changes(&site.build(&one)), [Change::Created; 2]);
    assert_eq!(
        changes(&site.build(&two)),
        [Change::Updated, Change::Unchanged]
    );
    let both = Site::new();
    let _ = both.build([one.as_slice(), &two].concat());
    assert_eq!(site.joe(), both.joe());
    for keyring in [one.clone(), two.clone(), [two, one].concat()] {
        assert_eq!(changes(&site.build(keyring)), [Change::Unchanged; 2]);
        assert_eq!(site.joe(), both.joe());
    }
}

#[test]
fn a_later_copy_of_a_certificate_is_merged_into_the_one_served() {
    let old = simple_certificate(&key(1), JOE, BORN);
    let revoked = CertificateBuilder::simple(&key(1), JOE, BORN)
        .with_key_revocation(BORN + DAY, Some(2))
        .build();
    let site = Site::new();
    let _ = site.build(&old);
    let _ = site.build(&revoked);
    assert_eq!(site.joe(), revoked);
    // An old copy does not take it back.
    assert_eq!(changes(&site.build(&old)), [Change::Unchanged; 2]);
    assert_eq!(site.joe(), revoked);
    // In one keyring it is the same.
    let other = Site::new();
    let _ = other.build([old.as_slice(), &revoked].concat());
    assert_eq!(other.joe(), revoked);
}

#[test]
fn a_policy_is_kept_and_a_submission_address_ends_in_a_line_feed() {
    let joe = simple_certificate(&key(1), JOE, BORN);
    let site = Site::new();
    fs::create_dir_all(site.root().join(ADVANCED)).unwrap();
    let policy = site.root().join(ADVANCED).join("policy");
    fs::write(&policy, "# ours\nmailbox-only\n").unwrap();
    let submission = "key-submission@example.org".parse().unwrap();
    let with = tree().with_submission_address(submission);
    let written = site.build_with(with, &joe, Layout::Advanced);
    assert_eq!((names(&written), warnings(&written)), (vec![], vec![]));
    let read = |name: &str| site.read(&format!("{ADVANCED}/{name}"));
    assert_eq!(read("policy"), b"# ours\nmailbox-only\n");
    assert_eq!(read("submission-address"), b"key-submission@example.org\n");
    // One that clients cannot read is kept, too, and one address stays where none is given.
    fs::write(&policy, "<html>").unwrap();
    assert_eq!(warnings(&site.build(&joe)), ["malformed-policy"]);
    assert_eq!(read("policy"), b"<html>");
    assert_eq!(read("submission-address"), b"key-submission@example.org\n");
}

#[test]
fn a_domain_in_a_user_id_leads_nowhere_else() {
    let joe = simple_certificate(&key(1), JOE, BORN);
    let site = Site::new();
    for hostile in [
        "evil <evil@[../../../pwned]>",
        "evil <evil@../../pwned>",
        "evil <evil@example.org/../../../pwned>",
        "evil <../../pwned@example.org/>",
    ] {
        let evil = simple_certificate(&key(2), hostile, BORN);
        let written = site.build([evil.as_slice(), &joe].concat());
        assert_eq!(names(&written), ["no-address"], "{hostile}");
        assert_eq!(site.files().len(), 2, "{:?}", site.files());
    }
    // A local part like a path is hashed like any other.
    let odd = simple_certificate(&key(2), "odd <../../../odd@example.org>", BORN);
    assert_eq!(names(&site.build(odd)), [""; 0]);
    assert!(
        site.files()
            .iter()
            .all(|own| own.starts_with("public/.well-known/openpgpkey/"))
    );
}

#[test]
fn an_internationalised_domain_has_a_copy_for_clients_that_ask_for_it_as_written() {
    let joe = simple_certificate(&key(1), "Joe <joe@bücher.example>", BORN);
    let site = Site::new();
    let now = countersign_verify::Timestamp::from_unix(u64::from(BORN));
    let tree = Tree::new("bücher.example".parse().unwrap(), now);
    let written = site.build_with(tree, &joe, Layout::Both);
    assert_eq!(names(&written), [""; 0]);
    for folder in ["xn--bcher-kva.example/", "bücher.example/", ""] {
        let folder = format!("{DIRECT}/{folder}");
        assert_eq!(site.read(&format!("{folder}hu/{JOES_HASH}")), joe);
        assert_eq!(site.read(&format!("{folder}policy")), b"");
    }
    assert_eq!(site.files().len(), 6);
}

#[test]
fn files_and_folders_can_be_served_whatever_their_modes_were() {
    let joe = simple_certificate(&key(1), JOE, BORN);
    let site = Site::new();
    let _ = site.build(&joe);
    let hu = site.root().join(ADVANCED).join("hu");
    let set =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let file = hu.join(JOES_HASH);
    set(&file, 0o600);
    set(&hu, 0o700);
    set(&site.root().join(".well-known"), 0o2700);
    assert_eq!(changes(&site.build(&joe)), [Change::Unchanged; 2]);
    assert_eq!(mode(&file), 0o644);
    assert_eq!(mode(&hu), 0o755);
    // What was given beyond that stays.
    assert_eq!(mode(&site.root().join(".well-known")), 0o2755);
}

#[test]
fn links_in_the_tree_are_not_followed() {
    let joe = simple_certificate(&key(1), JOE, BORN);
    for link in ["", "/example.org", "/example.org/hu"] {
        let site = Site::new();
        let elsewhere = site.0.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let place = site.root().join(format!("{DIRECT}{link}"));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(&elsewhere, &place).unwrap();
        assert_eq!(names(&site.build(&joe)), ["not-a-folder"]);
        assert!(fs::read_dir(&elsewhere).unwrap().next().is_none());
    }
    for (name, reason) in [
        (format!("hu/{JOES_HASH}"), "not-a-file"),
        ("policy".into(), "not-a-file"),
    ] {
        let site = Site::new();
        let elsewhere = site.0.path().join("elsewhere");
        fs::write(&elsewhere, &joe).unwrap();
        let place = site.root().join(ADVANCED).join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(&elsewhere, &place).unwrap();
        assert_eq!(
            names(&site.build(simple_certificate(&key(2), JOE, BORN))),
            [reason]
        );
        assert_eq!(fs::read(&elsewhere).unwrap(), joe);
        assert!(place.is_symlink());
    }
}

#[test]
fn what_is_no_certificate_for_the_address_is_not_overwritten() {
    let joe = simple_certificate(&key(1), JOE, BORN);
    let jane = simple_certificate(&key(1), "Jane <jane@example.org>", BORN);
    for foreign in [b"hello".to_vec(), jane, [joe.as_slice(), b"\xc2"].concat()] {
        let site = Site::new();
        let place = site.root().join(ADVANCED).join("hu").join(JOES_HASH);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, &foreign).unwrap();
        let jim = simple_certificate(&key(3), "Jim <jim@example.org>", BORN);
        let written = site.build([joe.as_slice(), &jim].concat());
        assert_eq!(names(&written), ["foreign-file"]);
        assert_eq!(fs::read(&place).unwrap(), foreign);
        // The other one is written: its file and the policy.
        assert_eq!(written.files().len(), 2);
    }
}

/// A certificate whose own signatures make it about that large.
fn large(octets: usize) -> Vec<u8> {
    let mut builder = CertificateBuilder::simple(&key(1), JOE, BORN);
    let mut size = builder.clone().build().len();
    let mut seed = 0_u32;
    while size < octets {
        let notation = Subpacket::binary_notation("size@example.org", &[b'x'; 8000]);
        let signature = CertificateBuilder::direct_key(BORN + seed).with_hashed(notation);
        builder = builder.with_direct_key(&signature);
        seed += 1;
        size = builder.clone().build().len();
    }
    builder.build()
}

#[test]
fn a_file_that_clients_would_not_read_to_its_end_is_an_error() {
    let site = Site::new();
    let written = site.build(large(limits::LARGE_FILE_BYTES));
    assert_eq!(names(&written), [""; 0]);
    assert_eq!(warnings(&written), ["large-file"]);
    let before = site.joe();
    let written = site.build(large(limits::FILE_BYTES));
    assert_eq!(names(&written), ["file-too-large"]);
    assert_eq!(site.joe(), before);
}

#[test]
fn subkeys_that_the_key_did_not_bind_are_left_out() {
    let joe = simple_certificate(&key(1), JOE, BORN);
    let site = Site::new();
    let with_stranger = [joe.as_slice(), &public_subkey(&key(9))].concat();
    assert_eq!(names(&site.build(with_stranger)), [""; 0]);
    assert_eq!(site.joe(), joe);
}
