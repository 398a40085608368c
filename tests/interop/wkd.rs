//! Trees by gpg-wks-client and sq, and ours: the same names, the same octets, and theirs are merged with.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use countersign::verify::Timestamp;
use countersign::wkd::{Address, Layout, Method, Tree, WrittenFile};

use super::process;
use super::programs::{Gnupg, program};

const CREATED: u32 = 1_700_000_000;
const JOE: &str = "Joe Doe <Joe.Doe@example.org>";

fn build(root: &Path, keyring: &[u8], layout: Layout) -> Vec<WrittenFile> {
    let now = Timestamp::from_unix(u64::from(CREATED) + 1000);
    let mut tree = Tree::new("example.org".parse().expect("a domain"), now);
    tree.add("keyring", keyring).expect("octets can be read");
    let written = tree.write(root, layout);
    assert!(written.failures().is_empty(), "{:?}", written.failures());
    written.files().to_vec()
}

fn hashes(hu: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(hu).expect("the folder can be listed");
    let names = entries.map(|entry| entry.expect("the folder can be listed").file_name());
    names
        .map(|name| name.into_string().expect("a name in UTF-8"))
        .collect()
}

/// Three certificates: one user id, two of the domain, one of it and one of another.
fn keyring(gnupg: &Gnupg) -> (Vec<String>, Vec<u8>) {
    let make = |user_id| gnupg.generate(user_id, "ed25519", "sign", "never", CREATED);
    let certificates = [JOE, "release@example.org", "Joerg <joerg@example.org>"].map(make);
    gnupg.must(
        &[
            "--quick-add-uid",
            &certificates[1],
            "Other <other@example.org>",
        ],
        b"",
    );
    gnupg.must(
        &[
            "--quick-add-uid",
            &certificates[2],
            "Home <joerg@home.example>",
        ],
        b"",
    );
    (certificates.to_vec(), gnupg.must(&["--export"], b""))
}

#[test]
fn a_certificate_of_one_user_id_is_what_gpg_exports() {
    let gnupg = Gnupg::new();
    let fingerprint = gnupg.generate(JOE, "ed25519", "sign", "never", CREATED);
    gnupg.must(
        &["--quick-add-key", &fingerprint, "cv25519", "encr", "never"],
        b"",
    );
    let exported = gnupg.export(&fingerprint);
    let root = tempfile::tempdir().expect("a temporary folder");
    build(root.path(), &exported, Layout::Advanced);
    let address: Address = "Joe.Doe@example.org".parse().expect("an address");
    let served = fs::read(root.path().join(address.relative_path(Method::Advanced)));
    assert_eq!(served.expect("a file"), exported);
}

#[test]
fn sq_gives_the_same_names_and_its_tree_is_merged_with() {
    let gnupg = Gnupg::new();
    let (_, keyring) = keyring(&gnupg);
    for (layout, method, option) in [
        (Layout::Advanced, Method::Advanced, None),
        (Layout::Direct, Method::Direct, Some("--direct-method")),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        let ring = folder.path().join("ring");
        // sq writes packet headers of its own; with those in the keyring both write the same octets.
        let joined = process::run(
            program("sq").args(["keyring", "join", "--binary"]),
            &keyring,
        );
        assert_eq!(joined.status, Some(0), "{}", joined.stderr_text());
        let keyring = joined.stdout;
        fs::write(&ring, &keyring).expect("a file can be written");
        let mut sq = program("sq");
        sq.args(["wkd", "generate", "--skip"]).args(option);
        sq.arg(&theirs).arg("example.org").arg(&ring);
        let ended = process::run(&mut sq, b"");
        assert_eq!(ended.status, Some(0), "{}", ended.stderr_text());
        build(&ours, &keyring, layout);
        let some: Address = "release@example.org".parse().expect("an address");
        let path = some.relative_path(method);
        let hu = Path::new(&path).parent().expect("a folder");
        let names = hashes(&ours.join(hu));
        assert_eq!(names.len(), 4);
        assert_eq!(hashes(&theirs.join(hu)), names);
        // Theirs have all user ids; over them, ours say what ours alone do.
        build(&theirs, &keyring, layout);
        for name in names {
            let read = |root: &Path| fs::read(root.join(hu).join(&name)).expect("a file");
            assert_eq!(read(&theirs), read(&ours), "{name}");
        }
    }
}

#[test]
fn gpg_wks_client_gives_the_same_names_and_its_tree_is_merged_with() {
    let gnupg = Gnupg::new();
    let (certificates, keyring) = keyring(&gnupg);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let below = theirs.join(".well-known/openpgpkey");
    fs::create_dir_all(below.join("example.org")).expect("folders can be made");
    for (fingerprint, address) in [
        (&certificates[0], "joe.doe@example.org"),
        (&certificates[1], "release@example.org"),
    ] {
        let mut client = program("gpg-wks-client");
        client.env("GNUPGHOME", gnupg.home());
        client.arg("--directory").arg(&below);
        client.args(["--install-key", fingerprint, address]);
        let ended = process::run(&mut client, b"");
        assert_eq!(ended.status, Some(0), "{}", ended.stderr_text());
    }
    let hu = ".well-known/openpgpkey/example.org/hu";
    build(&ours, &keyring, Layout::Advanced);
    let names = hashes(&theirs.join(hu));
    assert_eq!(names.len(), 2);
    assert!(names.is_subset(&hashes(&ours.join(hu))));
    let written = build(&theirs, &keyring, Layout::Advanced);
    assert_eq!(hashes(&theirs.join(hu)), hashes(&ours.join(hu)));
    for file in written.iter().filter(|file| file.address().is_some()) {
        let read = |root: &Path| fs::read(root.join(file.path())).expect("a file");
        assert_eq!(read(&theirs), read(&ours), "{}", file.path().display());
    }
}
