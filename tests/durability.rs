//! What lies on the disk when a command that makes something is killed, finds no room, may not write, or is one of many.
#![cfg(all(unix, feature = "cli"))]

#[path = "durability/killed.rs"]
mod killed;
#[path = "durability/many.rs"]
mod many;
#[path = "durability/modes.rs"]
mod modes;
#[path = "durability/no_room.rs"]
mod no_room;
#[path = "cli/process.rs"]
mod process;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// Our command.
const COUNTERSIGN: &str = env!("CARGO_BIN_EXE_countersign");

/// An Ed25519 key of the seed 1, 1, 1...
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
-----END PRIVATE KEY-----
";

const CREATED: &str = "2024-01-01";

/// A folder with a file `data`, the private key `key.pem` and its certificate `cert.asc`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("data"), "data\n").expect("a file can be written");
    fs::write(folder.path().join("key.pem"), KEY).expect("a file can be written");
    set_mode(&folder.path().join("key.pem"), 0o600);
    done(
        folder.path(),
        "key mint --key-id key.pem --name A --email a@example.org --created 2024-01-01 --output cert.asc",
    );
    folder
}

/// Our command in a folder, with nothing of the environment.
fn countersign(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(COUNTERSIGN);
    command.current_dir(folder).env_clear();
    command.args(arguments.split_whitespace());
    command
}

/// A script of bash, that finds our command as `$countersign`.
fn bash(folder: &Path, script: &str) -> process::Ended {
    let mut command = Command::new("bash");
    command
        .current_dir(folder)
        .env("countersign", COUNTERSIGN)
        .env("LC_ALL", "C")
        .env_remove("SOURCE_DATE_EPOCH");
    process::run(command.args(["-c", script]), b"")
}

fn sign(more: &str) -> String {
    format!("sign data --key-id key.pem --public-key cert.asc {more}")
}

/// Runs a command line that succeeds.
fn done(folder: &Path, arguments: &str) {
    let ended = process::run(&mut countersign(folder, arguments), b"");
    assert_eq!(
        ended.status,
        Some(0),
        "{arguments}: {}",
        ended.stderr_text()
    );
}

fn mode(path: &Path) -> u32 {
    let found = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    found.permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode can be set");
}

/// The names in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let names = entries.map(|entry| entry.expect("the folder can be listed").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}
