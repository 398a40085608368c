//! Manifests. They are read after their signature held, and not before: so each input is signed first.

use std::collections::HashSet;
use std::path::{Component, Path};
use std::sync::LazyLock;

use countersign_testkit::{
    Key, Over, SignatureBuilder, clearsign, signature_type, simple_certificate,
};
use countersign_verify::{
    Certificate, ClearSigned, DetachedSignature, Digest, Manifest, Trust, VerifiedManifest,
    Verifier, VerifyError, limits, printable,
};

use crate::fixture::{CREATED, NOW, SIGNED, USER_ID, trusting};

static KEY: LazyLock<Key> = LazyLock::new(|| Key::ed25519_legacy([9; 32], CREATED));

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let certificate = simple_certificate(&KEY, USER_ID, CREATED);
    let certificate = Certificate::from_bytes(&certificate).expect("a certificate");
    trusting(Trust::embedded(vec![certificate]).expect("a trust set"))
});

/// Any text that the publisher signed: every listed name is relative, canonical, inside its folder and listed once; what is
/// printed from the entries parses to the same entries; and clear-signed it is the same manifest.
///
/// # Panics
/// Where that does not hold.
pub fn manifest(data: &[u8]) {
    let parsed = entries(data);
    if let Some(entries) = &parsed {
        let printed = print(entries);
        assert_eq!(self::entries(&printed).as_ref(), Some(entries));
    }
    clear_signed(data);
}

/// Name and digest of every artifact; none if this is no manifest.
type Entries = Vec<(String, Digest)>;

fn entries(text: &[u8]) -> Option<Entries> {
    let signature = SignatureBuilder::new(signature_type::BINARY, SIGNED);
    let signature = signature.sign(&KEY, Over::Data(text));
    let signature = DetachedSignature::from_bytes(&signature).expect("a signature");
    let manifest = match Manifest::from_bytes(text) {
        Ok(manifest) => manifest,
        Err(error) => {
            assert!(text.len() > limits::MANIFEST_BYTES, "{error}");
            return None;
        }
    };
    take(VERIFIER.verify_manifest(&manifest, &signature, NOW))
}

fn take(result: Result<VerifiedManifest, VerifyError>) -> Option<Entries> {
    match result {
        Ok(manifest) => Some(checked(&manifest)),
        Err(VerifyError::Manifest { error, .. }) => {
            assert!(!error.to_string().contains(char::is_control), "{error}");
            None
        }
        Err(error) => panic!("a good signature is refused: {error}"),
    }
}

fn checked(manifest: &VerifiedManifest) -> Entries {
    assert!(!manifest.artifacts().is_empty());
    let mut seen = HashSet::new();
    let mut entries = Vec::new();
    for artifact in manifest.artifacts() {
        let name = artifact.name().as_str();
        assert_safe(name);
        assert!(seen.insert(name.to_owned()), "{name:?} stands twice");
        for spelling in [name.to_owned(), format!("./{name}")] {
            assert_eq!(manifest.artifact(&spelling).ok(), Some(artifact));
        }
        let shown = artifact.name().to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
        assert_eq!(shown, printable(name));
        let digest = *artifact.digest();
        let digits = digest.to_string();
        assert_eq!(digits.len(), 2 * digest.as_bytes().len());
        entries.push((name.to_owned(), digest));
    }
    entries
}

/// An oracle of its own: what the parser promises, said in another way.
fn assert_safe(name: &str) {
    assert!(!name.is_empty());
    assert!(!name.contains(['\0', '\\']), "{name:?}");
    let path = Path::new(name);
    let mut inside = path.components();
    assert!(
        inside.all(|part| matches!(part, Component::Normal(_))),
        "{name:?} is not inside its folder"
    );
    let rebuilt: std::path::PathBuf = path.components().collect();
    assert_eq!(rebuilt.to_str(), Some(name), "not canonical");
    // What Windows takes for a drive.
    let mut start = name.chars();
    let drive = start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
    assert!(!drive, "{name:?} names a drive");
}

/// GNU lines and BSD tags in turn, escaped where needed.
fn print(entries: &Entries) -> Vec<u8> {
    let mut text = String::new();
    for (index, (name, digest)) in entries.iter().enumerate() {
        let escaped = name.replace('\n', "\\n").replace('\r', "\\r");
        let mark = if escaped == *name { "" } else { "\\" };
        let tag = match digest {
            Digest::Sha256(_) => "SHA256",
            Digest::Sha384(_) => "SHA384",
            Digest::Sha512(_) => "SHA512",
        };
        text += &match index % 3 {
            0 => format!("{mark}{digest}  {escaped}\n"),
            1 => format!("{mark}{digest} *{escaped}\r\n"),
            _ => format!("{mark}{tag} ({escaped}) = {digest}\n"),
        };
    }
    text.into_bytes()
}

fn clear_signed(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // Where a lone CR stands beside a line end, implementations differ about what was hashed.
    if text.replace("\r\n", "\n").contains('\r') {
        return;
    }
    let signed = clearsign(text, &KEY, SIGNED);
    let parsed = ClearSigned::from_bytes(signed.as_bytes()).expect("it was clear-signed");
    let from_signed = take(VERIFIER.verify_clear_signed(&parsed, NOW));
    let trimmed: Vec<&str> = text
        .split('\n')
        .map(|line| line.trim_end_matches([' ', '\t', '\r']))
        .collect();
    assert_eq!(from_signed, entries(trimmed.join("\n").as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::MANIFEST;

    #[test]
    fn the_property_is_not_empty() {
        let names = entries(MANIFEST).expect("a manifest");
        assert_eq!(names.len(), 2);
        assert_eq!(entries(&print(&names)), Some(names));
    }

    #[test]
    #[should_panic(expected = "names a drive")]
    fn the_oracle_sees_drives() {
        assert_safe("C:x");
    }

    #[test]
    #[should_panic(expected = "not inside")]
    fn the_oracle_sees_parents() {
        assert_safe("a/../b");
    }
}
