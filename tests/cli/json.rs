//! The JSON form, version 1, field by field: programs are built on it.

use serde_json::{Value, json};

use super::{command_in, fixture, process};

const ALICE: &str = "74FB18F50E5FA8A70325A3CAE608D76BF4BCDF2B";

/// Runs a command line in the folder of the fixture, and gives its exit status and its one JSON document.
fn run(arguments: &str) -> (Option<i32>, Value) {
    let folder = fixture::folder();
    let mut command = command_in("countersign", folder.path());
    command.args(arguments.split(' ')).arg("--json");
    let ended = process::run(&mut command, b"");
    let text = ended.stdout_text();
    assert!(text.ends_with("}\n"), "{arguments}: {text}");
    let document =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments}: {error}: {text}"));
    (ended.status, document)
}

fn good(certificate: &str, user_id: &str) -> Value {
    json!({
        "certificate": certificate,
        "key": certificate,
        "user_id": user_id,
        "created": "2023-11-15T00:00:00Z",
        "expires": null,
        "algorithm": "Ed25519",
        "hash": "SHA-256",
        "issuers": [certificate],
        "notations": [],
        "sources": ["key"],
    })
}

fn alice() -> Value {
    good(ALICE, "Alice <alice@example.org>")
}

#[test]
fn verified_file() {
    let (status, found) = run("verify hello.txt --key alice.asc --at 2024-01-01");
    assert_eq!(status, Some(0));
    assert_eq!(
        found,
        json!({
            "schema": "countersign.verify/1",
            "verdict": "verified",
            "reason": null,
            "message": null,
            "hint": null,
            "file": "hello.txt",
            "signature_file": "hello.txt.asc",
            "checked_at": "2024-01-01T00:00:00Z",
            "sources": [{ "name": "key", "reached": true, "problem": null }],
            "good": [alice()],
            "refused": [],
        })
    );
}

#[test]
fn expiry_notations_and_subkeys_are_told() {
    let (_, found) =
        run("verify hello.txt --key expired.pgp --signature hello-expired.sig --at 2023-11-15");
    assert_eq!(found["good"][0]["expires"], "2023-11-16T00:00:00Z");
    let (_, found) =
        run("verify hello.txt --key notation.pgp --signature hello-notation.sig --at 2024-01-01");
    assert_eq!(
        found["good"][0]["notations"],
        json!([{ "name": "release@example.org", "value": "1.0" }])
    );
    let (_, found) =
        run("verify hello.txt --key subkey.pgp --signature hello-subkey.sig --at 2024-01-01");
    let own = &found["good"][0];
    assert_eq!(own["key"], "405C95F0D0C6C00AABD985962D0FE3A5C10F46D5");
    assert_eq!(
        own["certificate"],
        "349BCFC35F4E8A771A2B6F4D3974E7A39834C0BF"
    );
}

#[test]
fn refused_file() {
    let (status, found) =
        run("verify altered.txt --key alice.asc --signature hello-both.sig --at 2024-01-01");
    assert_eq!(status, Some(1));
    let bobs = "28D0C9AC089CCB7C8816C5074D87144E1AEA5BE6";
    assert_eq!(
        found,
        json!({
            "schema": "countersign.verify/1",
            "verdict": "refused",
            "reason": "bad-signature",
            "message": "`altered.txt` is refused: signature does not match the data",
            "hint": "the file is not the one that was signed: download it again, or do not use it",
            "file": "altered.txt",
            "signature_file": "hello-both.sig",
            "checked_at": "2024-01-01T00:00:00Z",
            "sources": [{ "name": "key", "reached": true, "problem": null }],
            "good": [],
            "refused": [
                {
                    "reason": "bad-signature",
                    "message": "signature does not match the data",
                    "certificate": ALICE,
                    "key": ALICE,
                    "user_id": "Alice <alice@example.org>",
                    "created": "2023-11-15T00:00:00Z",
                    "expires": null,
                    "algorithm": "Ed25519",
                    "hash": "SHA-256",
                    "issuers": [ALICE],
                    "notations": [],
                    "sources": [],
                },
                {
                    "reason": "unknown-issuer",
                    "message": format!("unknown issuer {bobs}"),
                    "certificate": null,
                    "key": null,
                    "user_id": null,
                    "created": "2023-11-15T00:00:00Z",
                    "expires": null,
                    "algorithm": null,
                    "hash": "SHA-256",
                    "issuers": [bobs],
                    "notations": [],
                    "sources": [],
                },
            ],
        })
    );
}

#[test]
fn nothing_known_of_a_file() {
    let (status, found) = run("verify nothing.txt --key alice.asc --at 2024-01-01");
    assert_eq!(status, Some(2));
    assert_eq!(
        found,
        json!({
            "schema": "countersign.verify/1",
            "verdict": "could-not-tell",
            "reason": "read-failed",
            "message": "cannot read `nothing.txt`: No such file or directory (os error 2)",
            "hint": null,
            "file": "nothing.txt",
            "signature_file": null,
            "checked_at": "2024-01-01T00:00:00Z",
            "sources": [],
            "good": [],
            "refused": [],
        })
    );
}

#[test]
fn usage_error() {
    let (status, found) = run("check release/SHA256SUMS");
    assert_eq!(status, Some(2));
    assert_eq!(
        found,
        json!({
            "schema": "countersign.check/1",
            "verdict": "could-not-tell",
            "reason": "usage",
            "message": "no --key given: whom to trust is yours to say",
            "hint": "give the publisher's certificate with --key FILE",
            "file": null,
            "signature_file": null,
            "checked_at": null,
            "sources": [],
            "good": [],
            "refused": [],
            "artifacts": [],
            "skipped": 0,
        })
    );
}

#[test]
fn release_with_a_name_that_is_not_listed() {
    let (status, found) =
        run("check release/SHA256SUMS empty nothing --key alice.asc --at 2024-01-01");
    assert_eq!(status, Some(1));
    assert_eq!(
        found,
        json!({
            "schema": "countersign.check/1",
            "verdict": "refused",
            "reason": "not-listed",
            "message": "1 of 2 artifacts did not verify",
            "hint": "give names as the manifest lists them, and the folder with --dir",
            "file": "release/SHA256SUMS",
            "signature_file": "release/SHA256SUMS.asc",
            "checked_at": "2024-01-01T00:00:00Z",
            "sources": [{ "name": "key", "reached": true, "problem": null }],
            "good": [alice()],
            "refused": [],
            "skipped": 0,
            "artifacts": [
                {
                    "name": "nothing",
                    "verdict": "refused",
                    "reason": "not-listed",
                    "message": "`nothing` is not listed in the manifest",
                    "digest": null,
                },
                {
                    "name": "empty",
                    "verdict": "verified",
                    "reason": null,
                    "message": null,
                    "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                },
            ],
        })
    );
}

#[test]
fn bad_signature_over_a_manifest_names_no_artifact() {
    let (status, found) =
        run("check release/SHA256SUMS --key alice.asc --signature hello.txt.asc --at 2024-01-01");
    assert_eq!(
        (status, &found["reason"]),
        (Some(1), &json!("bad-signature"))
    );
    assert_eq!(found["artifacts"], json!([]));
    let (status, found) = run("check bad/GARBAGE --key alice.asc --at 2024-01-01");
    assert_eq!(
        (status, &found["reason"]),
        (Some(1), &json!("malformed-manifest"))
    );
    assert_eq!(found["artifacts"], json!([]));
}

/// Text from outside stands in JSON as it is: JSON escapes what a terminal must not see.
#[test]
fn no_control_character_stands_in_json() {
    let folder = fixture::folder();
    let mut command = command_in("countersign", folder.path());
    command.args(["verify", "hello.txt", "--key", "hostile.pgp", "--json"]);
    let ended = process::run(command.args(["--signature", "hello-hostile.sig"]), b"");
    let text = ended.stdout_text();
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text:?}"
    );
    let found: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        found["good"][0]["user_id"],
        "Mallory \u{1b}[2J\u{7}\u{202e}\r\n= 0 <m@example.org>"
    );
}

/// Names of reasons are an interface: each stands for one rule and never changes.
#[test]
fn reasons_have_stable_names() {
    let case = |name: &str| {
        format!("verify hello.txt --key {name}.pgp --signature hello-{name}.sig --at 2024-01-01")
    };
    let verify = |rest: &str| format!("verify hello.txt --at 2024-01-01 {rest}");
    let check = |rest: &str| format!("check {rest} --key alice.asc --at 2024-01-01");
    for (arguments, status, reason) in [
        (case("weak"), 1, "weak-key"),
        (case("sha1"), 1, "weak-hash"),
        (case("revoked"), 1, "key-revoked"),
        (case("expired-before"), 1, "key-expired"),
        (
            format!("{} --expiry now", case("expired-since")),
            1,
            "key-expired-now",
        ),
        (case("expired"), 1, "signature-expired"),
        (case("future"), 1, "signed-in-future"),
        (case("critical"), 1, "critical-notation"),
        (
            format!("{} --max-age 1d", case("text")),
            1,
            "signature-too-old",
        ),
        (
            format!("{} --not-before 2024-01-01", case("text")),
            1,
            "signed-before-bound",
        ),
        (
            format!("{} --require-notation a=b", case("text")),
            1,
            "notation-missing",
        ),
        (verify("--key bob.asc"), 1, "unknown-issuer"),
        (
            verify(&format!("--key bob.asc --fingerprint {ALICE}")),
            1,
            "not-pinned",
        ),
        (
            verify("--key alice.asc --threshold 2"),
            1,
            "threshold-not-met",
        ),
        (
            verify("--key alice.asc --signature hello.txt"),
            1,
            "malformed-signature-file",
        ),
        (verify("--key hello.txt"), 2, "unusable-key-file"),
        (
            verify("--key alice.asc --signature nothing"),
            2,
            "read-failed",
        ),
        (
            "verify altered.txt --key alice.asc".to_owned(),
            2,
            "no-signature-file",
        ),
        (verify("--key - --signature -"), 2, "usage"),
        (check("bad/GARBAGE"), 1, "malformed-manifest"),
        (check("bad/ESCAPES"), 1, "missing"),
        (check("bad/ESCAPES --ignore-missing"), 1, "nothing-checked"),
        (check("release/SHA256SUMS nothing"), 1, "not-listed"),
        (check("release/SHA256SUMS --dir nowhere"), 2, "read-failed"),
    ] {
        let (found, document) = run(&arguments);
        assert_eq!(
            (found, &document["reason"]),
            (Some(status), &json!(reason)),
            "{arguments}"
        );
    }
}
