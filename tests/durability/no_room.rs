//! A full disk, a file size limit, a folder that takes no file: nothing is half there.

use std::fs;
use std::path::Path;

use super::{CREATED, bash, done, folder, names, process, sign};

/// Command lines that write a file, and its name. `old` was there before.
fn writers() -> [(String, &'static str); 4] {
    let sign = |more: &str| sign(&format!("--created {CREATED} {more}"));
    let key = "--algorithm ed25519 --name A --email a@example.org";
    [
        (sign("--output target/old --force"), "target/old"),
        (sign("--output target/new"), "target/new"),
        (
            format!("key generate {key} --output target/c.asc --private-output target/old --force"),
            "target/old",
        ),
        (
            "key mint --key-id key.pem --name B --email b@example.org --output target/old --force"
                .to_owned(),
            "target/old",
        ),
    ]
}

/// It failed and said so by name; there is no file that was not there before, and the old one is what it was.
fn nothing_happened(ended: &process::Ended, target: &str, listing: &[&str], old: &str) {
    let stderr = ended.stderr_text() + &ended.stdout_text();
    assert_eq!(ended.status, Some(2), "{target}: {stderr}");
    assert!(
        stderr.contains(&format!("error: cannot write `{target}`: ")),
        "{target}: {stderr}"
    );
    // Of the temporary file nobody needs to know.
    assert!(!stderr.contains(".countersign-"), "{target}: {stderr}");
    assert_eq!(listing, ["old"], "{target}");
    assert_eq!(old, "old\n", "{target}");
}

fn prepared() -> tempfile::TempDir {
    let folder = folder();
    fs::create_dir(folder.path().join("target")).expect("a folder can be made");
    folder
}

fn with_old(folder: &Path) {
    fs::write(folder.join("target/old"), "old\n").expect("a file can be written");
}

/// A limit of no octets at all fails every write into a file as a full disk does, for every user.
#[test]
fn file_size_limit() {
    let folder = prepared();
    with_old(folder.path());
    for (arguments, target) in writers() {
        // The outputs go through a pipe, which the limit does not touch.
        let script = format!(
            "(trap '' XFSZ; ulimit -f 0; exec \"$countersign\" {arguments}) 2>&1 | cat; \
             exit ${{PIPESTATUS[0]}}"
        );
        let ended = bash(folder.path(), &script);
        assert!(
            ended.stdout_text().contains("File too large"),
            "{}",
            ended.stdout_text()
        );
        let listing = names(&folder.path().join("target"));
        let listing: Vec<&str> = listing.iter().map(String::as_str).collect();
        let old = fs::read_to_string(folder.path().join("target/old")).expect("the old file");
        nothing_happened(&ended, target, &listing, &old);
    }
}

/// Runs a command line with `target/` as a small file system of its own, that `prepare` has had in hand. Gives what it came to,
/// what lies in `target/` and the old file. None where no file system can be mounted here.
fn on_small_disk(
    folder: &Path,
    prepare: &str,
    arguments: &str,
) -> Option<(process::Ended, Vec<String>, String)> {
    let script = format!(
        "mount -t tmpfs -o size=64k,mode=777 none target || exit 77
         echo old >target/old
         {prepare}
         \"$countersign\" {arguments} >out 2>err
         echo $? >status
         ls -A target | grep -v filler >listing
         cat target/old >kept"
    );
    // As root, else as root of a user namespace.
    for unshare in ["unshare -m", "unshare -m -r"] {
        let ended = bash(
            folder,
            &format!("{unshare} bash -c '{script}' 2>/dev/null || exit 77"),
        );
        if ended.status != Some(0) {
            continue;
        }
        let read =
            |name: &str| fs::read_to_string(folder.join(name)).expect("a file of the script");
        let listing = read("listing").lines().map(str::to_owned).collect();
        let ended = process::Ended {
            status: read("status").trim().parse().ok(),
            stdout: read("out").into_bytes(),
            stderr: read("err").into_bytes(),
        };
        return Some((ended, listing, read("kept")));
    }
    println!("skipped: no file system can be mounted here");
    None
}

#[test]
fn full_disk() {
    let folder = prepared();
    for (arguments, target) in writers() {
        let fill = "dd if=/dev/zero of=target/filler bs=1k count=100 2>/dev/null";
        let Some((ended, listing, old)) = on_small_disk(folder.path(), fill, &arguments) else {
            return;
        };
        let text = ended.stderr_text();
        assert!(text.contains("No space left on device"), "{text}");
        let listing: Vec<&str> = listing.iter().map(String::as_str).collect();
        nothing_happened(&ended, target, &listing, &old);
    }
}

/// For root modes do not count, but a mount that is read-only does.
#[test]
fn read_only_folder() {
    let folder = prepared();
    for (arguments, target) in writers() {
        let close = "mount -o remount,ro target";
        let Some((ended, listing, old)) = on_small_disk(folder.path(), close, &arguments) else {
            return;
        };
        let text = ended.stderr_text();
        assert!(text.contains("Read-only file system"), "{text}");
        let listing: Vec<&str> = listing.iter().map(String::as_str).collect();
        nothing_happened(&ended, target, &listing, &old);
    }
}

/// A folder that is none of a disk's takes no files from anybody.
#[test]
fn folder_of_the_kernel() {
    let folder = folder();
    if !Path::new("/proc/self").exists() {
        println!("skipped: there is no /proc here");
        return;
    }
    let ended = process::run(
        &mut super::countersign(folder.path(), &sign("--output /proc/self/signature")),
        b"",
    );
    let stderr = ended.stderr_text();
    assert_eq!(ended.status, Some(2), "{stderr}");
    assert!(
        stderr.contains("error: cannot write `/proc/self/signature`: "),
        "{stderr}"
    );
    assert!(!stderr.contains(".countersign-"), "{stderr}");
}

/// With room for one half only, the private key is kept, and it is said where.
#[test]
fn room_for_the_private_half_only() {
    let folder = prepared();
    // A page for the private key, none for the certificate.
    let fill = "dd if=/dev/zero of=target/filler bs=1k count=100 2>/dev/null; \
                truncate -s -4096 target/filler";
    let arguments = "key generate --algorithm ed25519 --name A --email a@example.org \
                     --output target/c.asc --private-output target/k.pem";
    let Some((ended, listing, _)) = on_small_disk(folder.path(), fill, arguments) else {
        return;
    };
    let stderr = ended.stderr_text();
    assert_eq!(ended.status, Some(2), "{stderr}");
    assert!(
        stderr.contains("error: cannot write `target/c.asc`: "),
        "{stderr}"
    );
    assert!(
        stderr.contains("the private key is in `target/k.pem`"),
        "{stderr}"
    );
    assert_eq!(listing, ["k.pem", "old"]);
    // Once there is room, nothing is lost.
    done(folder.path(), &sign("--output target/again"));
}

/// A certificate that cannot be written does not cost the key that was there.
#[test]
fn a_failed_replacement_keeps_the_old_private_key() {
    let folder = prepared();
    let before = fs::read(folder.path().join("key.pem")).expect("a private key");
    let fill = "dd if=/dev/zero of=target/filler bs=1k count=100 2>/dev/null";
    let generate = "key generate --algorithm ed25519 --name A --email a@example.org --force \
                    --output target/old --private-output key.pem";
    let Some((ended, listing, old)) = on_small_disk(folder.path(), fill, generate) else {
        return;
    };
    let stderr = ended.stderr_text();
    assert_eq!(ended.status, Some(2), "{stderr}");
    assert!(
        stderr.contains("; the private key that was there stays in `key.pem`"),
        "{stderr}"
    );
    assert_eq!(
        (listing.as_slice(), old.as_str()),
        (["old".to_owned()].as_slice(), "old\n")
    );
    let after = fs::read(folder.path().join("key.pem")).expect("a private key");
    assert_eq!(after, before);
    assert!(!names(folder.path()).iter().any(|own| own.ends_with(".tmp")));
}
