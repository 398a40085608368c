//! The generated cases of `tests/vectors/`: certificate, data, signature and the exact outcome, all in memory.
//!
//! Every expectation here is written by hand from the rules, never taken from what a verifier said.

mod certificates;
mod files;
mod keys;
mod large;
mod manifests;
mod revocations;
mod signatures;
mod standing;
mod trust;

use std::collections::BTreeMap;

use crate::{CertificateBuilder, Key, Over, SignatureBuilder, signature_type, simple_certificate};

/// One case: a folder and its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// `group/case`, the place below `tests/vectors/`.
    pub path: String,
    /// What the folder holds, by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The cases that are kept as files, in the order of their groups. The same call gives the same octets.
pub fn vectors() -> Vec<Vector> {
    [
        signatures::cases(),
        keys::cases(),
        standing::cases(),
        revocations::cases(),
        trust::cases(),
        files::cases(),
        certificates::cases(),
        manifests::cases(),
    ]
    .concat()
}

/// Cases about limits, whose files are too large to be kept.
pub fn large_vectors() -> Vec<Vector> {
    large::cases()
}

/// 2023-01-01T00:00:00Z: when keys are made.
const BORN: u32 = 1_672_531_200;
/// 2024-01-01T00:00:00Z: when data are signed.
const SIGNED: u32 = 1_704_067_200;
/// 2025-01-01T00:00:00Z: when signatures are checked.
const NOW: u32 = 1_735_689_600;
/// 2023-07-01T00:00:00Z: between the making of the key and the signature.
const BEFORE: u32 = 1_688_169_600;
/// 2024-07-01T00:00:00Z: between the signature and its checking.
const AFTER: u32 = 1_719_792_000;
/// The clock skew that is allowed.
const SKEW: u32 = 300;

const ID: &str = "Release <release@example.org>";
const DATA: &[u8] = b"tool 1.0\nfirst release\n";

fn alice() -> Key {
    Key::ed25519_legacy([1; 32], BORN)
}

fn bob() -> Key {
    Key::ed25519_legacy([2; 32], BORN)
}

fn subkey() -> Key {
    Key::ed25519_legacy([3; 32], BORN)
}

/// Stands in no certificate that is trusted.
fn mallory() -> Key {
    Key::ed25519_legacy([9; 32], BORN)
}

fn certificate(key: &Key) -> Vec<u8> {
    simple_certificate(key, ID, BORN)
}

/// A binary signature of [`SIGNED`], to be altered.
fn binary() -> SignatureBuilder {
    SignatureBuilder::new(signature_type::BINARY, SIGNED)
}

fn sign(key: &Key) -> Vec<u8> {
    binary().sign(key, Over::Data(DATA))
}

/// A good self-signature of a user id, to be altered.
fn self_signature(created: u32) -> SignatureBuilder {
    CertificateBuilder::self_signature(created)
}

/// Who is expected to have signed.
#[derive(Clone)]
struct Signer {
    certificate: Key,
    key: Key,
    hash: &'static str,
    user_id: Option<String>,
}

impl Signer {
    fn primary(key: &Key) -> Self {
        Self::subkey(key, key)
    }

    fn subkey(primary: &Key, key: &Key) -> Self {
        Self {
            certificate: primary.clone(),
            key: key.clone(),
            hash: "SHA-256",
            user_id: Some(ID.to_owned()),
        }
    }

    fn with_hash(self, hash: &'static str) -> Self {
        Self { hash, ..self }
    }

    fn with_user_id(self, id: Option<&str>) -> Self {
        Self {
            user_id: id.map(str::to_owned),
            ..self
        }
    }

    fn to_toml(&self) -> String {
        let algorithm = match self.key.modulus() {
            Some(modulus) => format!("RSA-{}", modulus.bits()),
            None => "Ed25519".to_owned(),
        };
        let user_id = self
            .user_id
            .as_ref()
            .map(|id| format!("user_id = {}\n", quoted(id)));
        format!(
            "\n[[signer]]\ncertificate = \"{}\"\nkey = \"{}\"\nalgorithm = \"{algorithm}\"\nhash = \"{}\"\n{}",
            self.certificate.fingerprint_hex(),
            self.key.fingerprint_hex(),
            self.hash,
            user_id.unwrap_or_default(),
        )
    }
}

/// A case in the making. The last call states the outcome.
#[derive(Clone)]
struct Case {
    path: String,
    description: String,
    time: u32,
    mode: &'static str,
    policy: Vec<String>,
    tables: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Case {
    /// Data and a detached signature over them; the certificate and the signature are still to be given.
    fn new(path: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            description: description.into(),
            time: NOW,
            mode: "verify",
            policy: Vec::new(),
            tables: String::new(),
            files: BTreeMap::from([("data".to_owned(), DATA.to_vec())]),
        }
    }

    /// A good certificate of `key`, and what `signature` says of [`DATA`].
    fn by(
        path: impl Into<String>,
        description: impl Into<String>,
        key: &Key,
        signature: &SignatureBuilder,
    ) -> Self {
        Self::new(path, description)
            .cert(certificate(key))
            .sig(signature.sign(key, Over::Data(DATA)))
    }

    fn file(mut self, name: &str, octets: impl AsRef<[u8]>) -> Self {
        self.files.insert(name.to_owned(), octets.as_ref().to_vec());
        self
    }

    fn cert(self, octets: impl AsRef<[u8]>) -> Self {
        self.file("cert", octets)
    }

    fn sig(self, octets: impl AsRef<[u8]>) -> Self {
        self.file("sig", octets)
    }

    fn data(self, octets: impl AsRef<[u8]>) -> Self {
        self.file("data", octets)
    }

    fn manifest(mut self, octets: impl AsRef<[u8]>) -> Self {
        self.files.remove("data");
        self.mode = "manifest";
        self.file("manifest", octets)
    }

    fn clear_signed(self, octets: impl AsRef<[u8]>) -> Self {
        Self {
            mode: "clear-signed",
            ..self.manifest(octets)
        }
    }

    fn at(self, time: u32) -> Self {
        Self { time, ..self }
    }

    /// One line of the policy.
    fn policy(mut self, line: impl Into<String>) -> Self {
        self.policy.push(line.into());
        self
    }

    /// A source of trust with these certificate files, instead of one with all of them.
    fn source(mut self, name: &str, files: &[&str]) -> Self {
        self.tables += &format!(
            "\n[[source]]\nname = {}\ncertificates = [{}]\n",
            quoted(name),
            list(files)
        );
        self
    }

    /// An artifact that must be what the manifest says.
    fn artifact(self, name: &str, octets: &[u8]) -> Self {
        self.checked(name, octets, "")
    }

    /// An artifact that is refused with this message.
    fn refused_artifact(self, name: &str, octets: &[u8], message: &str) -> Self {
        let refused = format!("refused = {}\n", quoted(message));
        self.checked(name, octets, &refused)
    }

    fn checked(mut self, name: &str, octets: &[u8], outcome: &str) -> Self {
        self.tables += &format!("\n[[artifact]]\nname = {}\n{outcome}", quoted(name));
        self.file(name, octets)
    }

    fn verified(self, key: &Key) -> Vector {
        self.verified_by(&[Signer::primary(key)])
    }

    fn verified_by(self, signers: &[Signer]) -> Vector {
        self.verified_beside(signers, &[])
    }

    /// Verified, and the other signatures are refused for these reasons.
    fn verified_beside(self, signers: &[Signer], reasons: &[&str]) -> Vector {
        self.finish("verified", "", signers, reasons, None)
    }

    /// Verified, and these are the names that the manifest lists.
    fn lists(self, key: &Key, names: &[&str]) -> Vector {
        let more = format!("artifacts = [{}]\n", list(names));
        self.finish("verified", &more, &[Signer::primary(key)], &[], None)
    }

    fn refused(self, reason: &str, message: impl AsRef<str>) -> Vector {
        self.refused_all(&[reason], message)
    }

    /// Refused; the reasons are in the order of the report, and the message is that of the first.
    fn refused_all(self, reasons: &[&str], message: impl AsRef<str>) -> Vector {
        let more = format!("kind = \"{}\"\n", reasons[0]);
        self.finish("refused", &more, &[], reasons, Some(message.as_ref()))
    }

    /// Refused for too few good signatures.
    fn below_threshold(
        self,
        signers: &[Signer],
        reasons: &[&str],
        message: impl AsRef<str>,
    ) -> Vector {
        let more = "kind = \"threshold-not-met\"\n";
        self.finish("refused", more, signers, reasons, Some(message.as_ref()))
    }

    /// The signature file is malformed.
    fn malformed(self, message: impl AsRef<str>) -> Vector {
        self.malformed_as("malformed-signature-file", message)
    }

    fn malformed_as(self, kind: &str, message: impl AsRef<str>) -> Vector {
        let more = format!("kind = \"{kind}\"\n");
        self.finish("malformed", &more, &[], &[], Some(message.as_ref()))
    }

    fn unusable_certificate(self, message: impl AsRef<str>) -> Vector {
        self.finish("unusable-certificate", "", &[], &[], Some(message.as_ref()))
    }

    fn unusable_trust(self, message: impl AsRef<str>) -> Vector {
        self.finish("unusable-trust", "", &[], &[], Some(message.as_ref()))
    }

    fn finish(
        self,
        outcome: &str,
        more: &str,
        signers: &[Signer],
        reasons: &[&str],
        message: Option<&str>,
    ) -> Vector {
        let mut text = format!(
            "description = {}\ntime = {} # {}\n",
            quoted(&self.description),
            self.time,
            utc(self.time)
        );
        if self.mode != "verify" {
            text += &format!("mode = \"{}\"\n", self.mode);
        }
        text += &format!("outcome = \"{outcome}\"\n{more}");
        if !reasons.is_empty() {
            text += &format!("reasons = [{}]\n", list(reasons));
        }
        if let Some(message) = message {
            text += &format!("message = {}\n", quoted(message));
        }
        if !self.policy.is_empty() {
            text += &format!("\n[policy]\n{}\n", self.policy.join("\n"));
        }
        text += &self.tables;
        text.extend(signers.iter().map(Signer::to_toml));
        let mut files = self.files;
        files.insert("expect.toml".to_owned(), text.into_bytes());
        Vector {
            path: self.path,
            files,
        }
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn list(texts: &[&str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    quoted.join(", ")
}

/// RFC 3339 in UTC, as messages print times.
fn utc(time: u32) -> String {
    let leap = |year: u32| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let (mut days, rest) = (time / 86_400, time % 86_400);
    let mut year = 1970;
    while days >= 365 + u32::from(leap(year)) {
        days -= 365 + u32::from(leap(year));
        year += 1;
    }
    let february = 28 + u32::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!(
        "{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        days + 1
    )
}

/// A signature packet whose value has a leading zero octet, which its integer therefore lacks. Found by trying times.
fn short_integer(key: &Key) -> Vec<u8> {
    let usual = 2 + 32 + 2 + 32;
    (0..)
        .map(|second| binary().with_created(SIGNED + second))
        .find(|builder| {
            let with_placeholder = builder
                .clone()
                .with_value([])
                .sign_body(key, Over::Data(DATA));
            builder.sign_body(key, Over::Data(DATA)).len() < with_placeholder.len() + usual
        })
        .expect("one signature of 128 has a leading zero")
        .sign(key, Over::Data(DATA))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{AFTER, BEFORE, BORN, NOW, SIGNED, quoted, utc, vectors};

    #[test]
    fn times_are_what_their_comments_say() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (BORN, "2023-01-01T00:00:00Z"),
            (BEFORE, "2023-07-01T00:00:00Z"),
            (SIGNED, "2024-01-01T00:00:00Z"),
            (AFTER, "2024-07-01T00:00:00Z"),
            (NOW, "2025-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(time), text);
        }
    }

    #[test]
    fn strings_are_quoted() {
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\u000A""#);
    }

    #[test]
    fn every_case_has_a_place_of_its_own() {
        let all = vectors();
        let places: BTreeSet<&String> = all.iter().map(|vector| &vector.path).collect();
        assert_eq!(places.len(), all.len());
    }
}
