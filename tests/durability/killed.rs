//! Killed at any moment, a command leaves the old file or the new one.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{COUNTERSIGN, countersign, done, folder, mode, names, process, sign};

/// How often each command line is killed, a little later each time.
const KILLS: u32 = 100;

/// Runs a command line to its end, and gives how long that took.
fn timed(folder: &Path, arguments: &str) -> Duration {
    let started = Instant::now();
    done(folder, arguments);
    started.elapsed()
}

/// Kills a command line at [`KILLS`] moments from its start to well after its usual end, and looks at the folder each time. The
/// last one is left alone. `look` says whether the file was the new one.
fn kill_at_all_moments(
    folder: &Path,
    usual: Duration,
    arguments: &str,
    mut look: impl FnMut() -> bool,
) {
    let (mut old, mut new) = (0, 0);
    for step in 0..KILLS {
        let delay = usual * step * 3 / (KILLS * 2);
        let mut command = countersign(folder, arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{COUNTERSIGN}: {error}"));
        if step + 1 < KILLS {
            std::thread::sleep(delay);
            // On unix this is SIGKILL. One that has ended already is no failure.
            let _ = child.kill();
        }
        child.wait().expect("a child can be waited for");
        if look() {
            new += 1;
        } else {
            old += 1;
        }
    }
    // The first was killed as it started. Without both, nothing was tried.
    assert!(old > 0 && new > 0, "{arguments}: {old} old, {new} new");
}

/// Nothing but the files that belong there, and what the killed left: temporary files, open to their owner alone where they
/// may hold a private key.
fn no_stranger(folder: &Path, expected: &[&str], private: bool) {
    for name in names(folder) {
        if expected.contains(&&*name) {
            continue;
        }
        assert!(
            name.starts_with(".countersign-") && name.ends_with(".tmp"),
            "{name}"
        );
        let path = folder.join(&name);
        if private && fs::read(&path).is_ok_and(|octets| octets.starts_with(b"-----BEGIN PRIV")) {
            assert_eq!(mode(&path), 0o600, "{name}");
        }
        fs::remove_file(path).expect("a file can be removed");
    }
}

#[test]
fn replaced_signature() {
    let (old, new) = old_or_new("--force");
    assert_ne!(old, new);
}

#[test]
fn appended_signature() {
    let (old, new) = old_or_new("--append");
    assert!(new.len() > old.len());
}

/// Signs again, over a signature that is there; what that was and what it becomes.
fn old_or_new(flag: &str) -> (Vec<u8>, Vec<u8>) {
    let folder = folder();
    let path = folder.path();
    let target = path.join("data.sig");
    done(path, &sign("--created 2024-01-02"));
    let old = fs::read(&target).expect("a signature");
    let again = sign(&format!("--created 2024-01-03 {flag}"));
    let usual = timed(path, &again);
    let new = fs::read(&target).expect("a signature");
    fs::write(&target, &old).expect("a file can be written");
    kill_at_all_moments(path, usual, &again, || {
        let found = fs::read(&target).expect("the file is there");
        assert!(found == old || found == new, "neither old nor new");
        no_stranger(path, &["data", "data.sig", "key.pem", "cert.asc"], false);
        fs::write(&target, &old).expect("a file can be written");
        found == new
    });
    (old, new)
}

/// A file that is not there yet appears whole.
#[test]
fn new_signature() {
    let folder = folder();
    let path = folder.path();
    let target = path.join("data.sig");
    let arguments = sign("--created 2024-01-02");
    let usual = timed(path, &arguments);
    let whole = fs::read(&target).expect("a signature");
    fs::remove_file(&target).expect("a file can be removed");
    kill_at_all_moments(path, usual, &arguments, || {
        let found = fs::read(&target).ok();
        assert!(found.is_none() || found.as_deref() == Some(&whole), "half");
        no_stranger(path, &["data", "data.sig", "key.pem", "cert.asc"], false);
        let _ = fs::remove_file(&target);
        found.is_some()
    });
}

/// Of two files the private key is replaced first. Either is whole at any time; the new certificate is never there without its
/// key.
#[test]
fn replaced_key() {
    let folder = folder();
    let path = folder.path();
    let (private, public) = (path.join("a.key.pem"), path.join("a.asc"));
    let arguments = "key generate --algorithm ed25519 --name A --email a@example.org --output a.asc \
                     --private-output a.key.pem --force";
    done(path, arguments);
    let usual = timed(path, arguments);
    let read = |path: &Path| fs::read_to_string(path).expect("the file is there");
    let (mut key, mut certificate) = (read(&private), read(&public));
    kill_at_all_moments(path, usual, arguments, || {
        let (found_key, found_certificate) = (read(&private), read(&public));
        assert!(found_key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(found_key.ends_with("\n-----END PRIVATE KEY-----\n"));
        assert_eq!(found_key.len(), key.len());
        assert_eq!(mode(&private), 0o600);
        assert!(found_certificate.ends_with("\n-----END PGP PUBLIC KEY BLOCK-----\n"));
        let (new_key, new_certificate) = (found_key != key, found_certificate != certificate);
        assert!(
            new_key || !new_certificate,
            "a new certificate without its key"
        );
        if new_key == new_certificate {
            let mut signs = countersign(
                path,
                "sign data --key-id a.key.pem --public-key a.asc --output -",
            );
            let ended = process::run(&mut signs, b"");
            assert_eq!(ended.status, Some(0), "{}", ended.stderr_text());
        }
        let expected = ["data", "key.pem", "cert.asc", "a.key.pem", "a.asc"];
        no_stranger(path, &expected, true);
        if new_key != new_certificate {
            // One pair again, for the next time.
            done(path, arguments);
        }
        (key, certificate) = (read(&private), read(&public));
        new_certificate
    });
}

/// Two that write to one place at the same time do not mix.
#[test]
fn two_at_once() {
    let folder = folder();
    let path = folder.path();
    let target = path.join("data.sig");
    let days = ["2024-01-02", "2024-01-03"];
    let arguments = days.map(|day| sign(&format!("--created {day} --force")));
    let wanted = arguments.each_ref().map(|arguments| {
        done(path, arguments);
        fs::read(&target).expect("a signature")
    });
    for _ in 0..10 {
        let started: Vec<_> = arguments
            .iter()
            .map(|arguments| {
                let mut command: Command = countersign(path, arguments);
                command.stdout(Stdio::null()).stderr(Stdio::null());
                command.spawn().expect("our command starts")
            })
            .collect();
        for mut child in started {
            let status = child.wait().expect("a child can be waited for");
            assert!(status.success());
        }
        let found = fs::read(&target).expect("a signature");
        assert!(wanted.contains(&found), "a mixture");
    }
}

/// Each file of a directory is the old one or the new one, and there is never one without the policy.
#[test]
fn web_key_directory() {
    use countersign_testkit::{Key, simple_certificate};
    const FILES: u8 = 20;
    let folder = folder();
    let path = folder.path();
    let ring = |seed: u8| {
        let certificate = |file: u8| {
            let key = Key::ed25519_legacy([seed + file; 32], 1_700_000_000);
            simple_certificate(&key, &format!("joe{file}@example.org"), 1_700_000_000)
        };
        (0..FILES).flat_map(certificate).collect::<Vec<u8>>()
    };
    fs::write(path.join("old.pgp"), ring(1)).expect("a file can be written");
    fs::write(path.join("new.pgp"), ring(1 + FILES)).expect("a file can be written");
    let build =
        |root: &str, ring: &str| format!("wkd build --domain example.org --output {root} {ring}");
    let hu = |root: &str| {
        path.join(root)
            .join(".well-known/openpgpkey/example.org/hu")
    };
    let files = |root: &str| {
        let read = |name: &String| fs::read(hu(root).join(name)).expect("the file is there");
        let names = names(&hu(root));
        let names = names.into_iter().filter(|name| !name.starts_with('.'));
        names.map(|name| (read(&name), name)).collect::<Vec<_>>()
    };
    done(path, &build("public", "old.pgp"));
    let old = files("public");
    let again = build("public", "new.pgp");
    let usual = timed(path, &again);
    let new = files("public");
    let reset = || {
        for (octets, name) in &old {
            fs::write(hu("public").join(name), octets).expect("a file can be written");
        }
    };
    reset();
    let expected: Vec<&str> = old.iter().map(|(_, name)| name.as_str()).collect();
    kill_at_all_moments(path, usual, &again, || {
        let found = files("public");
        assert_eq!(found.len(), usize::from(FILES));
        for ((found, old), new) in found.iter().zip(&old).zip(&new) {
            assert!(found == old || found == new, "neither old nor new");
        }
        no_stranger(&hu("public"), &expected, false);
        reset();
        found == new
    });
    // Where there is none yet, a file comes after the policy.
    let first = build("fresh", "new.pgp");
    kill_at_all_moments(path, usual, &first, || {
        let fresh = path.join("fresh");
        let some = hu("fresh").is_dir() && !files("fresh").is_empty();
        assert!(!some || hu("fresh").with_file_name("policy").is_file());
        let all = some && files("fresh").len() == usize::from(FILES);
        if fresh.exists() {
            fs::remove_dir_all(fresh).expect("a folder can be removed");
        }
        all
    });
}
