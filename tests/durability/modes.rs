//! Who may read what was written, and what becomes of links.

use std::fs;
use std::os::unix::fs::symlink;

use super::{bash, done, folder, mode, set_mode, sign};

const GENERATE: &str = "key generate --algorithm ed25519 --name A --email a@example.org \
                        --output a.asc --private-output a.pem";

#[test]
fn private_keys_are_for_their_owner_and_the_rest_follows_the_umask() {
    for (umask, public) in [
        ("000", 0o666),
        ("022", 0o644),
        ("027", 0o640),
        ("077", 0o600),
    ] {
        let folder = folder();
        let script = format!(
            "umask {umask}; \"$countersign\" {GENERATE} && \"$countersign\" {}",
            sign("")
        );
        let ended = bash(folder.path(), &script);
        assert_eq!(ended.status, Some(0), "{}", ended.stderr_text());
        assert_eq!(mode(&folder.path().join("a.pem")), 0o600, "{umask}");
        assert_eq!(mode(&folder.path().join("a.asc")), public, "{umask}");
        assert_eq!(mode(&folder.path().join("data.sig")), public, "{umask}");
    }
}

#[test]
fn a_replaced_file_keeps_its_mode_but_a_private_key_is_closed() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    done(folder.path(), GENERATE);
    done(folder.path(), &sign("--created 2024-01-02"));
    for (name, open) in [("a.asc", 0o604), ("data.sig", 0o640), ("a.pem", 0o644)] {
        set_mode(&path(name), open);
    }
    let before = ["a.asc", "a.pem", "data.sig"].map(|name| fs::read(path(name)).expect("a file"));
    done(folder.path(), &format!("{GENERATE} --force"));
    done(folder.path(), &sign("--created 2024-01-03 --append"));
    let after = ["a.asc", "a.pem", "data.sig"].map(|name| fs::read(path(name)).expect("a file"));
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before, after);
    }
    assert_eq!(mode(&path("a.asc")), 0o604);
    assert_eq!(mode(&path("data.sig")), 0o640);
    assert_eq!(mode(&path("a.pem")), 0o600);
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("elsewhere")).expect("a folder can be made");
    let old = [
        ("data.sig", "elsewhere/signature"),
        ("a.asc", "elsewhere/certificate"),
        ("a.pem", "elsewhere/key"),
    ];
    for (link, target) in old {
        fs::write(path(target), "old\n").expect("a file can be written");
        symlink(target, path(link)).expect("a link can be made");
    }
    done(folder.path(), &format!("{GENERATE} --force"));
    done(folder.path(), &sign("--force"));
    for (link, target) in old {
        assert_eq!(
            fs::read_link(path(link)).expect("a link").to_str(),
            Some(target)
        );
        let found = fs::read_to_string(path(target)).expect("a file");
        assert!(found.starts_with("-----BEGIN "), "{target}");
        assert!(
            !fs::symlink_metadata(path(target))
                .expect("a file")
                .is_symlink()
        );
    }
    assert_eq!(mode(&path("elsewhere/key")), 0o600);
    assert_eq!(super::names(&path("elsewhere")).len(), 3);
}

/// One name of a file that has two: the other name keeps the old file, as with every program that replaces files whole.
#[test]
fn of_two_names_one_is_replaced() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("data.sig"), "old\n").expect("a file can be written");
    fs::hard_link(path("data.sig"), path("backup")).expect("a link can be made");
    done(folder.path(), &sign("--force"));
    assert_eq!(fs::read_to_string(path("backup")).expect("a file"), "old\n");
    assert!(
        fs::read_to_string(path("data.sig"))
            .expect("a file")
            .starts_with("-----BEGIN PGP")
    );
}
