//! The JSON form of the commands that make something, version 1, field by field: programs are built on it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{command_in, fixture, process};

const ALICE: &str = "74FB18F50E5FA8A70325A3CAE608D76BF4BCDF2B";

/// Runs a command line, and gives its exit status and its one JSON document.
fn run(folder: &Path, arguments: &str) -> (Option<i32>, Value) {
    let mut command = command_in("countersign", folder);
    command.args(arguments.split_whitespace()).arg("--json");
    let ended = process::run(&mut command, b"");
    let text = ended.stdout_text();
    assert!(text.ends_with("}\n"), "{arguments}: {text}");
    let document =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments}: {error}: {text}"));
    (ended.status, document)
}

fn sign(rest: &str) -> String {
    format!("sign --key-id alice.pem --public-key alice.asc --created 2023-11-15 {rest}")
}

#[test]
fn signatures() {
    let folder = fixture::folder();
    let (status, found) = run(folder.path(), &sign("hello.txt release/empty"));
    assert_eq!(status, Some(0));
    let signature = |file: &str| {
        let output = format!("{file}.sig");
        let armored = fs::read_to_string(folder.path().join(&output)).expect("a signature");
        json!({
            "file": file,
            "output": output,
            "key": ALICE,
            "user_id": "Alice <alice@example.org>",
            "created": "2023-11-15T00:00:00Z",
            "algorithm": "Ed25519",
            "hash": "SHA-512",
            "kept": 0,
            "earlier": [],
            "signature": armored,
        })
    };
    assert_eq!(
        found,
        json!({
            "schema": "countersign.sign/1",
            "result": "done",
            "failures": [],
            "warnings": [],
            "certificate": ALICE,
            "signatures": [signature("hello.txt"), signature("release/empty")],
        })
    );
}

/// What was made stands beside what was not.
#[test]
fn one_signature_of_two() {
    let folder = fixture::folder();
    let (status, found) = run(folder.path(), &sign("nothing.txt hello.txt"));
    assert_eq!(status, Some(2));
    assert_eq!(found["result"], "failed");
    assert_eq!(
        found["failures"],
        json!([{
            "reason": "read-failed",
            "message": "cannot read `nothing.txt`: No such file or directory (os error 2)",
            "hint": null,
        }])
    );
    let signatures = found["signatures"].as_array().expect("a list");
    assert_eq!(signatures.len(), 1);
    assert_eq!(signatures[0]["file"], "hello.txt");
}

#[test]
fn appended_signature() {
    let folder = fixture::folder();
    let arguments = sign("hello.txt --append --output hello-both.sig --binary --key both.pgp");
    let (status, found) = run(folder.path(), &arguments);
    assert_eq!(status, Some(0));
    assert_eq!(found["signatures"][0]["kept"], 2);
    assert_eq!(found["signatures"][0]["output"], "hello-both.sig");
}

/// The signature alone, armored, even where the file has it otherwise or there is no file.
#[test]
fn signature_on_standard_output() {
    let folder = fixture::folder();
    let (status, found) = run(folder.path(), &sign("hello.txt --output - --binary"));
    assert_eq!(status, Some(0));
    let own = &found["signatures"][0];
    assert_eq!(own["output"], Value::Null);
    let armored = own["signature"].as_str().expect("a text");
    assert!(
        armored.starts_with("-----BEGIN PGP SIGNATURE-----\n"),
        "{armored}"
    );
}

#[cfg(unix)]
#[test]
fn warnings_are_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = fixture::folder();
    let open = fs::Permissions::from_mode(0o640);
    fs::set_permissions(folder.path().join("alice.pem"), open).expect("a mode can be set");
    let (status, found) = run(folder.path(), &sign("hello.txt"));
    assert_eq!(status, Some(0));
    assert_eq!(
        found["warnings"],
        json!(["private key `alice.pem` is open to other users (mode 640): `chmod 600 alice.pem`"])
    );
}

#[test]
fn minted_certificate() {
    let folder = fixture::folder();
    let mint = "key mint --key-id alice.pem --name Alice --email alice@example.org al@example.org \
                --created 2023-11-15";
    let (status, found) = run(folder.path(), &format!("{mint} --output new.asc"));
    assert_eq!(status, Some(0));
    let expected = json!({
        "schema": "countersign.key-mint/1",
        "result": "done",
        "failures": [],
        "warnings": [],
        "fingerprint": "F211B56299E9943B47211D3DC5B43DA6FDEAD020",
        "user_ids": ["Alice <alice@example.org>", "Alice <al@example.org>"],
        "algorithm": "Ed25519",
        "created": "2023-11-15T00:00:00Z",
        "expires": null,
        "output": "new.asc",
    });
    assert_eq!(found, expected);
    let (status, mut found) = run(folder.path(), &format!("{mint} --output -"));
    assert_eq!(status, Some(0));
    let whole = fs::read_to_string(folder.path().join("new.asc")).expect("a certificate");
    assert_eq!(found["certificate"], whole);
    assert_eq!(found["output"], Value::Null);
    let fields = found.as_object_mut().expect("an object");
    fields.remove("certificate");
    fields.insert("output".to_owned(), "new.asc".into());
    assert_eq!(found, expected);
}

#[test]
fn generated_key() {
    let folder = fixture::folder();
    let generate = "key generate --name A --email a@example.org --created 2023-11-15";
    let (status, found) = run(folder.path(), &format!("{generate} --algorithm ed25519"));
    assert_eq!(status, Some(0));
    let fingerprint = found["fingerprint"].as_str().expect("a text");
    assert_eq!(fingerprint.len(), ALICE.len());
    assert_eq!(
        found,
        json!({
            "schema": "countersign.key-generate/1",
            "result": "done",
            "failures": [],
            "warnings": [],
            "fingerprint": fingerprint,
            "user_ids": ["A <a@example.org>"],
            "algorithm": "Ed25519",
            "created": "2023-11-15T00:00:00Z",
            "expires": null,
            "output": "a@example.org.asc",
            "private_output": "a@example.org.key.pem",
        })
    );
    // The private half stands in no output.
    assert!(!found.to_string().contains("PRIVATE"));
}

#[test]
fn shown_certificate() {
    let folder = fixture::folder();
    let (status, found) = run(folder.path(), "key show superseded.pgp --at 2024-01-01");
    assert_eq!(status, Some(0));
    let refusal = "primary key is revoked (superseded) since 2023-11-16T00:00:00Z";
    assert_eq!(
        found,
        json!({
            "schema": "countersign.key-show/1",
            "result": "done",
            "failures": [],
            "warnings": [],
            "file": "superseded.pgp",
            "judged_at": "2024-01-01T00:00:00Z",
            "certificates": [{
                "fingerprint": "349BCFC35F4E8A771A2B6F4D3974E7A39834C0BF",
                "algorithm": "Ed25519",
                "created": "2023-11-14T22:13:20Z",
                "expires": null,
                "flags": ["certify", "sign"],
                "revocations": [{ "reason": "superseded", "created": "2023-11-16T00:00:00Z" }],
                "reason": "key-revoked",
                "problem": refusal,
                "user_ids": [{ "text": "Carol <carol@example.org>", "problem": null }],
                "subkeys": [],
                "trusted": false,
            }],
        })
    );
    let (_, found) = run(folder.path(), "key show subkey.pgp --at 2024-01-01");
    let subkeys = &found["certificates"][0]["subkeys"];
    assert_eq!(
        *subkeys,
        json!([{
            "fingerprint": "405C95F0D0C6C00AABD985962D0FE3A5C10F46D5",
            "algorithm": "Ed25519",
            "created": "2023-11-14T22:13:20Z",
            "expires": null,
            "flags": ["sign"],
            "revocations": [],
            "reason": null,
            "problem": null,
        }])
    );
}

/// Names of reasons are an interface: each stands for one rule and never changes. What is made fails with status 2, whatever
/// the reason.
#[test]
fn reasons_have_stable_names() {
    let mint = |rest: &str| {
        format!("key mint --name A --email a@example.org --output new.asc --key-id {rest}")
    };
    let generate = |rest: &str| {
        format!("key generate --name A --email a@example.org --algorithm ed25519 {rest}")
    };
    let bob = |rest: &str| {
        format!("sign --key-id bob.pem --public-key bob.asc --created 2023-11-15 {rest}")
    };
    for (arguments, reason) in [
        (sign("nothing.txt"), "read-failed"),
        (sign("release"), "read-failed"),
        (sign("hello.txt --output nowhere/x"), "write-failed"),
        (sign("hello.txt --output altered.txt"), "output-exists"),
        (
            sign("hello.txt --output alice.pem --force"),
            "output-is-input",
        ),
        (sign("hello.txt hello.txt"), "output-exists"),
        (sign("-"), "usage"),
        (sign("hello.txt --notation x=y"), "not-signed"),
        (sign("hello.txt --backend cloud"), "no-signer"),
        (
            sign("hello.txt --append --output altered.txt"),
            "malformed-signature-file",
        ),
        (
            bob("altered.txt --append --output hello.txt.asc --key alice.asc"),
            "earlier-signature",
        ),
        (
            bob("hello.txt --append --key hello.txt"),
            "unusable-key-file",
        ),
        (
            "sign hello.txt --key-id alice.pem --public-key hello.txt".to_owned(),
            "unusable-key-file",
        ),
        (
            "sign hello.txt --key-id alice.pem --public-key bob.asc".to_owned(),
            "not-signed",
        ),
        (
            "sign hello.txt --key-id weak.pem --public-key weak.pgp".to_owned(),
            "not-signed",
        ),
        (
            "sign hello.txt --key-id nothing --public-key weak.pgp".to_owned(),
            "no-signer",
        ),
        (mint("nothing"), "no-signer"),
        (mint("weak.pem"), "not-minted"),
        (mint("alice.pem --expires 0d"), "not-minted"),
        (
            mint("alice.pem --created 2023-11-15 --expires 2023-11-14"),
            "usage",
        ),
        (
            mint("alice.pem --force --output alice.asc").replace("--output new.asc", ""),
            "",
        ),
        (generate("--output bob.asc"), "output-exists"),
        (generate("--output x --private-output x"), "usage"),
        (generate("--output nowhere/x"), "write-failed"),
        (
            generate("--encrypt --local-passphrase-file nothing"),
            "no-passphrase",
        ),
        (
            generate("--encrypt --local-passphrase-file x --output x"),
            "output-is-input",
        ),
        ("key show hello.txt".to_owned(), "unusable-key-file"),
        ("key show nothing".to_owned(), "read-failed"),
    ] {
        let folder = fixture::folder();
        let (status, document) = run(folder.path(), &arguments);
        let found = &document["failures"][0]["reason"];
        if reason.is_empty() {
            assert_eq!((status, found), (Some(0), &Value::Null), "{arguments}");
        } else {
            assert_eq!((status, found), (Some(2), &json!(reason)), "{arguments}");
            assert_eq!(document["result"], "failed", "{arguments}");
        }
    }
}
