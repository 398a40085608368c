//! Many files in one command.

use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{countersign, done, folder, names, process, set_mode, sign};

const FILES: usize = 40;

#[test]
fn one_of_forty_fails_and_the_others_are_signed() {
    let folder = folder();
    let name = |place: usize| format!("file-{place:02}");
    for place in 0..FILES {
        // Of many sizes, the largest first, so that they end in another order than they began.
        let octets = vec![u8::try_from(place).expect("a small number"); (FILES - place) * 20_000];
        fs::write(folder.path().join(name(place)), octets).expect("a file can be written");
    }
    // A folder is unreadable to everybody, root among them; a mode is not.
    let bad = name(17);
    fs::remove_file(folder.path().join(&bad)).expect("a file can be removed");
    fs::create_dir(folder.path().join(&bad)).expect("a folder can be made");
    let files: Vec<String> = (0..FILES).map(name).collect();
    let arguments = format!(
        "sign {} --key-id key.pem --public-key cert.asc",
        files.join(" ")
    );
    let ended = process::run(&mut countersign(folder.path(), &arguments), b"");
    let stderr = ended.stderr_text();
    assert_eq!(ended.status, Some(2), "{stderr}");
    let errors: Vec<&str> = stderr
        .lines()
        .filter(|own| own.contains("error:"))
        .collect();
    assert_eq!(
        errors,
        [format!("countersign: error: `{bad}` is a folder")],
        "{stderr}"
    );
    let good: Vec<&String> = files.iter().filter(|own| **own != bad).collect();
    // In the order of the command line.
    let told: Vec<String> = good.iter().map(|own| format!("{own}.sig")).collect();
    let stdout = ended.stdout_text();
    assert_eq!(stdout.lines().collect::<Vec<_>>(), told);
    for file in &good {
        let arguments = format!("verify {file} --key cert.asc --quiet");
        done(folder.path(), &arguments);
    }
    let signatures = names(folder.path());
    let signatures = signatures.iter().filter(|own| own.ends_with(".sig"));
    assert_eq!(signatures.count(), FILES - 1);
    assert!(!names(folder.path()).iter().any(|own| own.ends_with(".tmp")));
}

struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A signature over octets that no file ever had helps nobody.
#[test]
fn a_file_that_grows_while_it_is_read_is_not_signed() {
    let folder = folder();
    let path = folder.path().join("data");
    let mut file = fs::File::options()
        .append(true)
        .open(&path)
        .expect("a file can be opened");
    // Large, so that reading takes a while, and without content, so that it takes no room.
    file.set_len(256 << 20).expect("a file can be long");
    let ended = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::SeqCst) {
                file.write_all(b"x").expect("a file can grow");
                // Slower than what is there is read, or the end would never come.
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        // Also where the command takes too long, which panics.
        let _end = Ending(&ended);
        process::run(&mut countersign(folder.path(), &sign("")), b"")
    });
    let stderr = outcome.stderr_text();
    assert_eq!(outcome.status, Some(2), "{stderr}");
    assert!(
        stderr.contains("error: `data` was changed while it was read"),
        "{stderr}"
    );
    assert!(!folder.path().join("data.sig").exists());
}

/// Its length and its time say nothing of it, the system's own time does.
#[test]
fn a_file_whose_time_is_put_back_is_seen_to_have_changed() {
    let folder = folder();
    let file = fs::File::options()
        .write(true)
        .open(folder.path().join("data"))
        .expect("a file can be opened");
    file.set_len(256 << 20).expect("a file can be long");
    let modified = file.metadata().and_then(|found| found.modified());
    let modified = modified.expect("a time");
    let ended = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::os::unix::fs::FileExt as _;
            while !ended.load(Ordering::SeqCst) {
                file.write_all_at(b"x", 0).expect("a file can be changed");
                file.set_modified(modified).expect("a time can be set");
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let _end = Ending(&ended);
        process::run(&mut countersign(folder.path(), &sign("")), b"")
    });
    let stderr = outcome.stderr_text();
    assert_eq!(outcome.status, Some(2), "{stderr}");
    assert!(!folder.path().join("data.sig").exists());
}

/// One target that cannot be written does not touch the others either.
#[test]
fn one_target_of_several_is_taken() {
    let folder = folder();
    for name in ["one", "two", "three"] {
        fs::write(folder.path().join(name), name).expect("a file can be written");
    }
    fs::write(folder.path().join("two.sig"), "old\n").expect("a file can be written");
    set_mode(&folder.path().join("two.sig"), 0o600);
    let arguments = "sign one two three --key-id key.pem --public-key cert.asc";
    let ended = process::run(&mut countersign(folder.path(), arguments), b"");
    let stderr = ended.stderr_text();
    assert_eq!(ended.status, Some(2), "{stderr}");
    assert_eq!(ended.stdout_text(), "one.sig\nthree.sig\n");
    assert!(stderr.contains("error: `two.sig` exists\n"), "{stderr}");
    for name in ["one", "three"] {
        done(
            folder.path(),
            &format!("verify {name} --key cert.asc --quiet"),
        );
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("two.sig")).expect("a file"),
        "old\n"
    );
}

/// Each either adds its signature or says that it did not: none is lost.
#[test]
fn appending_at_the_same_time_loses_no_signature() {
    const APPENDING: usize = 12;
    let folder = folder();
    done(folder.path(), &sign("--created 2024-01-02"));
    fs::create_dir(folder.path().join("linked")).expect("a folder can be made");
    let link = folder.path().join("linked/data.sig");
    std::os::unix::fs::symlink("../data.sig", link).expect("a link can be made");
    let done: usize = std::thread::scope(|scope| {
        // Under two names, one of which is a link.
        let append = |day: usize| {
            let output = ["data.sig", "linked/data.sig"][day % 2];
            let arguments = format!("--append --output {output} --created 2024-02-{day:02}");
            let arguments = sign(&arguments);
            let path = folder.path();
            scope.spawn(move || process::run(&mut countersign(path, &arguments), b""))
        };
        let all: Vec<_> = (1..=APPENDING).map(append).collect();
        let ended = all.into_iter().map(|own| own.join().expect("no panic"));
        ended
            .filter(|own| {
                let stderr = own.stderr_text();
                let clash = stderr.contains("was changed by somebody else meanwhile");
                assert!(
                    own.status == Some(0) || (own.status == Some(2) && clash),
                    "{stderr}"
                );
                own.status == Some(0)
            })
            .count()
    });
    assert!(done > 0);
    let arguments = "verify data --key cert.asc --json";
    let verified = process::run(&mut countersign(folder.path(), arguments), b"");
    let found: serde_json::Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    let good = found["good"].as_array().map(Vec::len);
    assert_eq!(good, Some(done + 1), "{found}");
}
