//! Releases checked against two independent anchors: the certificate that the caller has, and the one that the domain serves.
//! The whole command, over TLS, in a private namespace with names and root certificates of its own.
#![cfg(all(target_os = "linux", feature = "fetch", feature = "cli"))]

#[path = "cli/process.rs"]
mod process;

use std::fs;
use std::path::Path;
use std::process::Command;

/// A release, two keys and their certificates, a web server's certificate, and names.
const PREPARE: &str = r#"
set -eu
for key in one two; do
  "$countersign" key generate --name Release --email release@example.org --algorithm ed25519 \
    --output $key.asc --private-output $key.pem --created 2024-01-01 -q
done
cat one.asc two.asc >both.asc
echo tool >tool
"$countersign" manifest tool --output SHA256SUMS -q
"$countersign" sign SHA256SUMS --key-id one.pem --public-key one.asc --created 2024-02-01 -q
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 30 \
  -subj /CN=ca -addext basicConstraints=critical,CA:TRUE 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=server 2>/dev/null
printf 'subjectAltName=DNS:openpgpkey.example.org,DNS:example.net\n' >names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -days 30 -extfile names -out server.crt 2>/dev/null
printf '127.0.0.1 localhost openpgpkey.example.org example.net\n' >hosts
printf 'hosts: files\n' >nsswitch.conf
serve() { rm -rf sites/openpgpkey.example.org; mkdir -p sites/openpgpkey.example.org; "$countersign" wkd build --domain example.org --output sites/openpgpkey.example.org "$@" -q; }
"#;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["server.py", "inside.sh"] {
            let from = Path::new("tests/anchors").join(name);
            fs::copy(from, folder.path().join(name)).expect("a file");
        }
        let desk = Self(folder);
        let ended = desk.bash(PREPARE);
        assert_eq!(ended.status, Some(0), "{}", ended.stderr_text());
        desk
    }

    fn bash(&self, script: &str) -> process::Ended {
        let mut command = Command::new("bash");
        command
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .env("HOME", self.0.path())
            .env("countersign", env!("CARGO_BIN_EXE_countersign"))
            .args(["-c", script]);
        process::run(&mut command, b"")
    }

    /// A script inside of the namespace, `serve` and the files of `PREPARE` at hand.
    ///
    /// # Panics
    /// Where namespaces are not permitted. A test that skips itself proves nothing.
    fn inside(&self, script: &str) -> process::Ended {
        let serve = PREPARE.lines().last().expect("a function");
        let work = format!("{serve}\n{script}");
        fs::write(self.0.path().join("work"), work).expect("a file");
        let _ = fs::remove_file(self.0.path().join("ready"));
        // As root, else as root of a user namespace.
        let ways = ["unshare -m -n", "unshare -m -n -r"];
        let permitted =
            |way: &&str| self.bash(&format!("{way} true 2>/dev/null")).status == Some(0);
        let way = ways.into_iter().find(permitted);
        let way = way.expect("private namespaces are not permitted here, and this test needs them");
        self.bash(&format!("exec {way} bash inside.sh"))
    }

    /// Runs a script in which every line has the exit status that stands before it.
    fn statuses(&self, lines: &[(i32, &str)]) -> String {
        let script: String = lines
            .iter()
            .map(|(status, line)| {
                format!("s=0; {line} || s=$?; [ $s = {status} ] || {{ echo \"$s: {}\" >&2; exit 60; }}\n", line.replace('"', "'"))
            })
            .collect();
        let ended = self.inside(&script);
        let said = ended.stdout_text() + &ended.stderr_text();
        assert_eq!(ended.status, Some(0), "{said}");
        said
    }
}

const CHECK: &str = "\"$countersign\" check SHA256SUMS --wkd release@example.org";

#[test]
fn the_second_anchor_has_to_agree() {
    let desk = Desk::new();
    let by = |more: &str| format!("{CHECK} {more}");
    let (one, two) = (by("--key one.asc"), by("--key two.asc"));
    let said = desk.statuses(&[
        (0, "serve one.asc"),
        (0, "rm -f requests"),
        (0, &one),
        // One name, one request.
        (0, "[ \"$(wc -l <requests)\" = 1 ]"),
        (0, &by("--key both.asc --json | grep -A2 '\"name\": \"wkd:release@example.org\"' | grep -q '\"reached\": true'")),
        (1, &by("--key both.asc --agreement exact")),
        (0, &by("--key one.asc --agreement exact")),
        (1, &two),
        (0, "serve two.asc"),
        (1, &one),
        // A 404 is an answer: nobody.
        (0, "rm -rf sites/openpgpkey.example.org/.well-known/openpgpkey/example.org/hu"),
        (1, &one),
        (1, &by("--key one.asc --wkd-optional")),
        // Nobody there.
        (2, "\"$countersign\" check SHA256SUMS --key one.asc --wkd release@nowhere.example"),
        (0, "\"$countersign\" check SHA256SUMS --key one.asc --wkd release@nowhere.example --wkd-optional"),
        // The pinned certificate as served.
        (0, "serve both.asc"),
        (2, CHECK),
        (0, &by("--fingerprint $(\"$countersign\" key show one.asc | sed -n 's/^certificate *//p')")),
        (1, &by("--fingerprint 0123456789012345678901234567890123456789")),
    ]);
    for expected in [
        "sources that agree: `key`, `wkd:release@example.org`",
        "error: sources disagree: `key` has",
        "source `wkd:release@nowhere.example` was not consulted: no address for",
        "error: --wkd alone says nothing of whom to trust",
        "error: no certificate has a pinned fingerprint",
    ] {
        assert!(said.contains(expected), "`{expected}` is not in: {said}");
    }
}

/// A program has key 1 built in; the directory serves 1 and 2; releases are signed by 1, then by both; a later program has both;
/// then 1 is revoked.
#[test]
fn a_rotation_strands_nobody() {
    let desk = Desk::new();
    let both = "\"$countersign\" sign SHA256SUMS --key-id two.pem --public-key two.asc --append --created 2024-03-01 -q";
    let only = "\"$countersign\" sign SHA256SUMS --key-id two.pem --public-key two.asc --force --created 2024-03-01 -q";
    let old = format!("{CHECK} --key one.asc -q");
    let new = format!("{CHECK} --key both.asc -q");
    // A key of gpg's, since we make no revocations.
    let revoke = "export GNUPGHOME=$PWD/gnupg; mkdir -m 700 gnupg; \
        gpg --batch --quiet --passphrase '' --quick-generate-key 'Release <release@example.org>' ed25519 sign 2>/dev/null; \
        gpg --armor --export >three.asc; \
        sed -i 's/^:---/---/' gnupg/openpgp-revocs.d/*.rev; \
        gpg --batch --quiet --detach-sign --armor --output SHA256SUMS.three.sig SHA256SUMS; \
        gpg --quiet --import gnupg/openpgp-revocs.d/*.rev 2>/dev/null; gpg --export >revoked.gpg; gpgconf --kill all";
    let third =
        "\"$countersign\" check SHA256SUMS --signature SHA256SUMS.three.sig --key three.asc";
    desk.statuses(&[
        (0, "serve one.asc two.asc"),
        (0, &old),
        (0, &new),
        (0, both),
        (0, &old),
        (0, &new),
        (0, only),
        (1, &old),
        (0, &new),
        // What the publisher revokes in the directory takes effect on the copy that is built in.
        (0, revoke),
        (0, third),
        (0, "serve three.asc"),
        (0, &format!("{third} --wkd release@example.org")),
        (0, "serve revoked.gpg"),
        (1, &format!("{third} --wkd release@example.org")),
    ]);
}

#[test]
fn trees_of_ours_are_fetched_by_others_and_by_us() {
    let desk = Desk::new();
    let gpg = "export GNUPGHOME=$PWD/gpg; mkdir -m 700 gpg; echo standard-resolver >gpg/dirmngr.conf; \
        gpg --batch --quiet --auto-key-locate clear,nodefault,wkd --locate-keys release@example.org; \
        s=$?; gpgconf --kill all; [ $s = 0 ]";
    let fetch = "\"$countersign\" wkd fetch release@example.org";
    let said = desk.statuses(&[
        (0, "serve one.asc"),
        (0, gpg),
        (0, &format!("{fetch} --output got.pgp")),
        (0, "gpg --dearmor <one.asc | cmp - got.pgp"),
        (0, &format!("{fetch} --armor | cmp - one.asc")),
        (2, &format!("{fetch} --output one.asc")),
        (2, &format!("{fetch} --method direct")),
        (2, "\"$countersign\" wkd fetch nobody@example.org"),
        // The direct method, where there is no other host.
        (0, "\"$countersign\" key mint --key-id one.pem --name N --email release@example.net --output net.asc -q"),
        (0, "mkdir -p sites/example.net && \"$countersign\" wkd build --domain example.net --layout direct --output sites/example.net net.asc -q"),
        (0, "\"$countersign\" wkd fetch release@example.net --json | grep -q '\"method\": \"direct\"'"),
    ]);
    assert!(said.contains("release@example.org"), "{said}");
    assert!(
        said.contains(
            "error: `https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/"
        ),
        "{said}"
    );
}
