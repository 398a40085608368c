//! The page about the JSON form names every field that there is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{command_in, fixture, process};

/// Command lines that between them show every field.
const LINES: [&str; 11] = [
    "verify hello.txt --key alice.asc --at 2024-01-01",
    "verify altered.txt --signature hello.txt.asc --key alice.asc --at 2024-01-01",
    "check release/SHA256SUMS --key alice.asc --at 2024-01-01",
    "sign hello.txt --key-id alice.pem --public-key alice.asc --created 2023-11-15",
    "sign hello.txt --key-id bob.pem --public-key bob.asc --created 2023-11-15 --append",
    "manifest hello.txt altered.txt",
    "key generate --name A --email a@example.org --algorithm ed25519",
    "key mint --key-id alice.pem --name A --email a@example.org --output -",
    "key show superseded.pgp",
    "wkd url joe@example.org",
    "wkd build --domain example.org --output public both.pgp alice-private.asc",
];

fn fields(document: &Value, found: &mut BTreeSet<String>) {
    match document {
        Value::Object(map) => {
            for (name, value) in map {
                found.insert(name.clone());
                fields(value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|own| fields(own, found)),
        _ => {}
    }
}

#[test]
fn every_field_is_on_the_page() {
    let folder = fixture::folder();
    let page = include_str!("../../docs/json.md");
    let mut found = BTreeSet::new();
    for line in LINES {
        let mut command = command_in("countersign", folder.path());
        command.args(line.split_whitespace()).arg("--json");
        let ended = process::run(&mut command, b"");
        let document = serde_json::from_slice(&ended.stdout).expect("JSON");
        fields(&document, &mut found);
    }
    assert!(found.len() > 50, "{found:?}");
    let missing: Vec<&String> = found
        .iter()
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/json.md lacks {missing:?}");
}
