//! gpg, gpgv and sqv as a test may run them: in a folder of their own, with nothing of the user's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::{self, Ended, PATIENCE};

/// A command line of a program that has to be there.
///
/// # Panics
/// Where it is not. A test that skips itself proves nothing.
pub(crate) fn program(name: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian has gpg-wks-client.
    let folders = std::env::split_paths(&path).chain(["/usr/lib/gnupg".into()]);
    let path = std::env::join_paths(folders).expect("no folder of the path holds a colon");
    assert!(
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file()),
        "`{name}` is not installed: run scripts/test, which installs what the interop tests need"
    );
    let mut command = Command::new(name);
    command
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
    command
}

/// What a program makes of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opinion {
    Accepts,
    Refuses,
    /// A panic or a signal.
    Crashes,
}

impl Opinion {
    fn of(ended: &Ended) -> Self {
        /// The exit status of a Rust program that panicked.
        const PANICKED: i32 = 101;
        match ended.status {
            Some(0) => Self::Accepts,
            Some(PANICKED) | None => Self::Crashes,
            Some(_) => Self::Refuses,
        }
    }
}

/// Three files in a folder of their own.
pub(crate) struct Exhibit {
    folder: tempfile::TempDir,
}

impl Exhibit {
    pub(crate) fn new(certificate: &[u8], signature: &[u8], data: &[u8]) -> Self {
        let folder = short_folder();
        for (name, octets) in [("key", certificate), ("sig", signature), ("data", data)] {
            fs::write(folder.path().join(name), octets).expect("a file can be written");
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// gpgv wants its keyring as binary packets.
    pub(crate) fn gpgv(&self) -> Opinion {
        let mut command = program("gpgv");
        command.arg("--homedir").arg(self.folder.path());
        command.arg("--keyring").arg(self.path("key"));
        command.arg(self.path("sig")).arg(self.path("data"));
        Opinion::of(&process::run(&mut command, b""))
    }

    pub(crate) fn sqv(&self) -> Opinion {
        let mut command = program("sqv");
        command.arg("--keyring").arg(self.path("key"));
        command.arg(self.path("sig")).arg(self.path("data"));
        Opinion::of(&process::run(&mut command, b""))
    }

    /// gpg on a keyring of its own; with the fingerprints of the keys that it says made valid signatures.
    pub(crate) fn gpg(&self) -> (Opinion, Vec<String>) {
        let gnupg = Gnupg::new();
        gnupg.must(&["--import", &text(&self.path("key"))], b"");
        let files = [text(&self.path("sig")), text(&self.path("data"))];
        let ended = gnupg.run(&["--status-fd", "1", "--verify", &files[0], &files[1]], b"");
        let valid = ended
            .stdout_text()
            .lines()
            .filter_map(|line| line.strip_prefix("[GNUPG:] VALIDSIG "))
            .filter_map(|line| line.split(' ').next().map(str::to_owned))
            .collect();
        (Opinion::of(&ended), valid)
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a temporary path is UTF-8").to_owned()
}

/// gpg-agent's socket lies in the home folder, and its path must stay below some 100 octets.
fn short_folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("cs")
        .rand_bytes(6)
        .tempdir()
        .expect("a temporary folder")
}

/// gpg with a home folder of its own. Its agent ends with it.
pub(crate) struct Gnupg {
    home: tempfile::TempDir,
}

impl Gnupg {
    pub(crate) fn new() -> Self {
        Self {
            home: short_folder(),
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program("gpg");
        command.arg("--homedir").arg(self.home.path());
        command.args(["--no-tty", "--quiet", "--no-auto-check-trustdb", "--yes"]);
        command.args(["--pinentry-mode", "loopback", "--passphrase", ""]);
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Ended {
        process::run(self.command(&["--batch"]).args(arguments), input)
    }

    /// What it writes to standard output.
    ///
    /// # Panics
    /// Where it does not succeed.
    pub(crate) fn must(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        succeeded(arguments, self.run(arguments, input))
    }

    /// The same where it asks questions: an answer a line.
    pub(crate) fn dialogue(&self, arguments: &[&str], answers: &str) -> Vec<u8> {
        let mut command = self.command(&["--command-fd", "0"]);
        succeeded(
            arguments,
            process::run(command.args(arguments), answers.as_bytes()),
        )
    }

    /// A new key without passphrase, as of a time; its fingerprint. Finding primes for RSA takes a while.
    pub(crate) fn generate(
        &self,
        user_id: &str,
        algorithm: &str,
        usage: &str,
        expires: &str,
        created: u32,
    ) -> String {
        const PATIENCE_WITH_PRIMES: Duration = Duration::from_secs(120);
        let time = format!("{created}!");
        let arguments = [
            "--batch",
            "--status-fd",
            "1",
            "--faked-system-time",
            &time,
            "--quick-generate-key",
            user_id,
            algorithm,
            usage,
            expires,
        ];
        let patience = if algorithm.starts_with("rsa") {
            PATIENCE_WITH_PRIMES
        } else {
            PATIENCE
        };
        let ended = process::run_within(&mut self.command(&arguments), b"", patience);
        let status =
            String::from_utf8(succeeded(&arguments, ended)).expect("status lines are ASCII");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("[GNUPG:] KEY_CREATED "));
        let fingerprint = line.and_then(|line| line.split(' ').nth(1));
        fingerprint.expect("gpg says which key it made").to_owned()
    }

    /// Runs as of a time.
    pub(crate) fn at(&self, time: u32, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let time = format!("{time}!");
        self.must(
            &[&["--faked-system-time", &time], arguments].concat(),
            input,
        )
    }

    /// A detached signature made at a time.
    pub(crate) fn sign(&self, time: u32, options: &[&str], data: &[u8]) -> Vec<u8> {
        self.at(time, &[options, &["--detach-sign"]].concat(), data)
    }

    pub(crate) fn export(&self, fingerprint: &str) -> Vec<u8> {
        self.must(&["--export", fingerprint], b"")
    }
}

fn succeeded(arguments: &[&str], ended: Ended) -> Vec<u8> {
    assert_eq!(
        ended.status,
        Some(0),
        "gpg {arguments:?}: {}",
        ended.stderr_text()
    );
    ended.stdout
}

impl Drop for Gnupg {
    fn drop(&mut self) {
        let mut command = program("gpgconf");
        command
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--kill", "all"]);
        // Best effort: nothing may panic while a failed test unwinds.
        let _ = command.output();
    }
}
