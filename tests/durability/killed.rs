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
