//! Files that commands read: certificates, signatures, manifests. Bounded, and with a hint where one was mistaken for another.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use countersign::verify::{
    Agreement, Certificate, CertificateError, ClearSigned, DetachedSignature, Detected,
    Fingerprint, FingerprintError, ManifestError, SignatureError, SignatureRefusal, Source,
    Timestamp, Trust, TrustError, Verifier, VerifyError, limits, printable,
};

use super::args::Anchors;
use super::outcome::{Failure, Outcome, Verdict, chain};

/// A path for a message.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// `-` stands for standard input once.
pub(crate) fn at_most_one_stdin<'a>(
    paths: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), Failure> {
    const NAMES: [&str; 4] = ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
    let reads_it = |path: &&PathBuf| NAMES.iter().any(|name| path.as_os_str() == *name);
    if paths.into_iter().filter(reads_it).count() > 1 {
        let message = "standard input (`-`) is asked for more than once";
        return Err(Failure::new(Verdict::CouldNotTell, "usage", message));
    }
    Ok(())
}

/// Reads a file of which no more than `limit` octets are of use. One octet more is read, so that what is too large is seen to
/// be so.
pub(crate) fn read_bounded(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let read = |reader: &mut dyn Read| {
        /// Most certificates, signatures and manifests fit, and are read at once.
        const COMMON: usize = 16 * 1024;
        let mut octets = Vec::with_capacity(COMMON);
        let all = reader.take(limit as u64 + 1).read_to_end(&mut octets);
        all.map(|_| octets)
    };
    let octets = if is_stdin(path) {
        read(&mut io::stdin().lock())
    } else {
        read(&mut open(path)?)
    };
    octets.map_err(|error| unreadable(path, &error))
}

/// Opens a file to read.
pub(crate) fn open(path: &Path) -> Result<File, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    // Opening a folder succeeds, reading from it does not, with a message that helps nobody.
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        let message = format!("`{}` is a folder", shown(path));
        return Err(Failure::new(Verdict::CouldNotTell, "read-failed", message));
    }
    Ok(file)
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot read `{}`: {error}", shown(path));
    Failure::new(Verdict::CouldNotTell, "read-failed", message)
}

/// The certificates of all `--key` files as one source, and those of each directory as another.
pub(crate) fn verifier(anchors: &Anchors) -> Result<Verifier, Failure> {
    let mut sources = Vec::new();
    let mut held = Vec::new();
    if !anchors.keys.is_empty() {
        let certificates = certificates(&anchors.keys)?;
        held.extend(certificates.iter().map(Certificate::fingerprint));
        sources.push(Source::new("key", certificates));
    }
    sources.extend(fetched(anchors)?);
    let trust = agreed(
        sources,
        anchors.agreement,
        anchors.fingerprints.clone(),
        &held,
    )?;
    Ok(Verifier::new(trust, anchors.policy.clone()))
}

/// What the directories have, all asked at the same time.
#[cfg(feature = "fetch")]
fn fetched(anchors: &Anchors) -> Result<Vec<Source>, Failure> {
    use countersign::wkd::{Client, HttpsTransport, sources};
    if anchors.wkd.is_empty() {
        return Ok(Vec::new());
    }
    let no_https = |error: &dyn std::error::Error| {
        Failure::new(Verdict::CouldNotTell, "no-https", chain(error))
    };
    let client = Client::new(HttpsTransport::new().map_err(|error| no_https(&error))?);
    let wanted: Vec<_> = anchors
        .wkd
        .iter()
        .map(|address| (address.clone(), anchors.wkd_requirement))
        .collect();
    let fetched = sources(&client, &wanted, now(anchors));
    super::wait::block_on_network(fetched).map_err(|error| no_https(&error))
}

/// Without HTTPS there are none: the command line is refused before.
#[cfg(not(feature = "fetch"))]
fn fetched(_anchors: &Anchors) -> Result<Vec<Source>, Failure> {
    Ok(Vec::new())
}

/// The certificates of all `--key` files.
pub(crate) fn certificates(keys: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut certificates = Vec::new();
    for path in keys {
        let octets = read_bounded(path, limits::CERTIFICATE_FILE_BYTES).map_err(|failure| {
            let named = path.to_string_lossy();
            let hint = "--key takes a file: `gpg --export FINGERPRINT > FILE`; --fingerprint pins";
            match named.parse::<Fingerprint>() {
                Ok(_) | Err(FingerprintError::KeyId(_)) => failure.with_hint(hint),
                Err(_) => failure,
            }
        })?;
        let found = Certificate::all_from_bytes(&octets).map_err(|error| {
            let message = format!("`{}` cannot be used as --key: {error}", shown(path));
            Failure::new(Verdict::CouldNotTell, "unusable-key-file", message)
                .with_optional_hint(certificate_hint(&error))
                .with_optional_hint(pem_hint(&octets))
        })?;
        certificates.extend(found);
    }
    Ok(certificates)
}

/// Where an OpenPGP certificate is due and a key in PEM was given.
pub(crate) fn pem_hint(octets: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(octets);
    let hint = if text.contains(" PGP ") {
        return None;
    } else if text.contains("PRIVATE KEY-----") {
        "that is a private key in PEM: `countersign key mint` makes its certificate"
    } else if text.contains("-----BEGIN ") {
        "that is PEM, and an OpenPGP certificate is wanted: ask whoever holds the key for it"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

pub(crate) fn certificate_hint(error: &CertificateError) -> Option<String> {
    let hint = match error {
        CertificateError::PrivateKey => {
            "keep private keys off this machine; export the public half with `gpg --export FINGERPRINT`"
        }
        CertificateError::Signature => {
            "--key takes the signer's certificate, --signature takes the signature"
        }
        CertificateError::Keybox => "export the certificate with `gpg --export FINGERPRINT`",
        CertificateError::NotOpenPgp => "--key takes an OpenPGP certificate, armored or binary",
        _ => return None,
    };
    Some(hint.to_owned())
}

pub(crate) fn trust(
    certificates: Vec<Certificate>,
    pins: Vec<Fingerprint>,
) -> Result<Trust, Failure> {
    let held: Vec<Fingerprint> = certificates.iter().map(Certificate::fingerprint).collect();
    let sources = vec![Source::new("key", certificates)];
    agreed(sources, Agreement::Common, pins, &held)
}

/// What the sources agree on. `held` is what `--key` has.
fn agreed(
    sources: Vec<Source>,
    agreement: Agreement,
    pins: Vec<Fingerprint>,
    held: &[Fingerprint],
) -> Result<Trust, Failure> {
    Trust::from_sources(sources, agreement)
        .and_then(|trust| trust.with_pins(pins))
        .map_err(|error| {
            let failure = |verdict, reason| Failure::new(verdict, reason, error.to_string());
            match &error {
                TrustError::NothingPinned if held.is_empty() => {
                    failure(Verdict::Refused, "not-pinned")
                }
                TrustError::NothingPinned => {
                    let held: Vec<String> = held.iter().map(ToString::to_string).collect();
                    let hint = format!("--key holds {}", held.join(", "));
                    failure(Verdict::Refused, "not-pinned").with_hint(hint)
                }
                TrustError::Disagreement { .. } => failure(Verdict::Refused, "disagreement")
                    .with_hint("do not use the release: ask the publisher which key is theirs"),
                TrustError::Unreachable { .. } => {
                    failure(Verdict::CouldNotTell, "source-unreachable").with_hint(
                        "try again later; --wkd-optional goes on without it, and says so",
                    )
                }
                TrustError::Unusable { .. } => failure(Verdict::CouldNotTell, "source-unusable"),
                _ => failure(Verdict::CouldNotTell, "no-trust"),
            }
        })
}

/// The time of checking: `--at`, or the clock.
pub(crate) fn now(anchors: &Anchors) -> Timestamp {
    anchors.at.unwrap_or_else(|| SystemTime::now().into())
}

/// What a signature file is called after the file that it signs, in the order in which it is looked for.
pub(crate) const SIGNATURE_ENDINGS: [&str; 3] = [".asc", ".sig", ".gpg"];

/// The signature file: the one given, or the first that lies beside the data.
pub(crate) fn signature_path(data: &Path, given: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(path) = given {
        return Ok(path.clone());
    }
    let missing =
        |message: String| Failure::new(Verdict::CouldNotTell, "no-signature-file", message);
    if is_stdin(data) {
        let message = "data from standard input need a signature file";
        return Err(missing(message.to_owned()).with_hint("give it with --signature FILE"));
    }
    let beside = |ending: &str| beside(data, ending);
    // One that cannot be read, such as a dangling link, is not passed over for the next.
    let is_there = |path: &PathBuf| path.symlink_metadata().is_ok();
    if let Some(path) = SIGNATURE_ENDINGS.map(beside).into_iter().find(is_there) {
        return Ok(path);
    }
    let name = shown(data);
    let failure = missing(format!(
        "no signature: none of `{name}.asc`, `{name}.sig`, `{name}.gpg` is there"
    ));
    Err(failure
        .with_hint(mistaken_data(data).unwrap_or("give it with --signature FILE".to_owned())))
}

/// A path with something after it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

/// What a file is that was given as data, where it can hardly be meant.
fn mistaken_data(data: &Path) -> Option<String> {
    let octets = second_look(data)?;
    let name = shown(data);
    if ClearSigned::is_clear_signed(&octets) == Detected::ClearSigned {
        return Some(format!(
            "`{name}` is a clear-signed text: `countersign check` takes it if it is a manifest"
        ));
    }
    DetachedSignature::from_bytes(&octets).ok()?;
    let signed = ["asc", "sig", "gpg"].iter().find_map(|ending| {
        let stem = data.with_extension("");
        (data.extension()? == *ending && stem.exists()).then(|| shown(&stem))
    });
    Some(match signed {
        Some(stem) => format!("`{name}` is itself a signature; verify the signed file: `{stem}`"),
        None => format!("`{name}` is itself a signature; give the signed file instead"),
    })
}

/// The beginning of the data, for a hint. Of regular files only: a named pipe gives its octets once, and might block.
fn second_look(data: &Path) -> Option<Vec<u8>> {
    if is_stdin(data) || !data.is_file() {
        return None;
    }
    read_bounded(data, limits::SIGNATURE_FILE_BYTES).ok()
}

/// Reads and parses a signature file.
pub(crate) fn signature(path: &Path, data: &Path) -> Result<DetachedSignature, Failure> {
    let octets = read_bounded(path, limits::SIGNATURE_FILE_BYTES)?;
    DetachedSignature::from_bytes(&octets).map_err(|error| {
        let message = format!("`{}` is no detached signature: {error}", shown(path));
        let swapped = || {
            DetachedSignature::from_bytes(&second_look(data)?).ok()?;
            let name = shown(data);
            Some(format!(
                "`{name}` is a signature: data and signature seem to be swapped"
            ))
        };
        let hint = match &error {
            SignatureError::ClearSigned => Some(format!(
                "check it as a manifest: `countersign check {}`",
                shown(path)
            )),
            SignatureError::Key => Some("give a certificate with --key".to_owned()),
            SignatureError::Message => {
                Some("ask the publisher for a detached signature (`gpg --detach-sign`)".to_owned())
            }
            _ => None,
        };
        Failure::new(Verdict::Refused, "malformed-signature-file", message)
            .with_optional_hint(hint.or_else(swapped))
    })
}

/// Another signature file beside the data, which was passed over for the one that was looked at.
fn passed_over(data: &Path, used: Option<&str>) -> Option<String> {
    if is_stdin(data) {
        return None;
    }
    let endings = SIGNATURE_ENDINGS.map(|ending| beside(data, ending));
    let mut paths = endings.iter();
    // One that was given with --signature is what was meant.
    paths.find(|path| used == Some(shown(path).as_str()))?;
    let other = paths.find(|path| path.exists())?;
    Some(format!(
        "`{0}` is there, too: `--signature {0}`",
        shown(other)
    ))
}

/// Puts what verification came to into the outcome.
pub(crate) fn refuse(outcome: &mut Outcome, data: &Path, error: &VerifyError) -> Failure {
    let name = shown(data);
    match error {
        VerifyError::Refused(refusal) => {
            outcome.take_report(refusal.report());
            let first = refusal
                .report()
                .refused()
                .first()
                .map(|refused| refused.reason());
            Failure::new(
                Verdict::Refused,
                refusal.name(),
                format!("`{name}` is refused: {refusal}"),
            )
            .with_optional_hint(first.and_then(refusal_hint))
            .with_optional_hint(passed_over(data, outcome.signature_file.as_deref()))
        }
        VerifyError::Read(source) => unreadable(data, source),
        _ => {
            if let VerifyError::Manifest {
                report: Some(report),
                ..
            } = error
            {
                outcome.take_report(report);
            }
            let message = format!("`{name}` is refused: {}", chain(error));
            Failure::new(Verdict::Refused, error.name(), message)
                .with_optional_hint(manifest_hint(error))
        }
    }
}

fn manifest_hint(error: &VerifyError) -> Option<String> {
    let VerifyError::Manifest { error, .. } = error else {
        return None;
    };
    let hint = match error {
        ManifestError::MalformedLine { .. } | ManifestError::Empty => {
            "if it is not a manifest, `countersign verify` takes any file"
        }
        ManifestError::UnsupportedDigest { .. } => {
            "ask the publisher for a manifest made with `sha256sum` or `sha512sum`"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn refusal_hint(reason: &SignatureRefusal) -> Option<String> {
    let hint = match reason {
        SignatureRefusal::UnknownIssuer { .. } => {
            "get the signer's certificate from a place you trust and give it with --key"
        }
        SignatureRefusal::BadSignature => {
            "the file is not the one that was signed: download it again, or do not use it"
        }
        SignatureRefusal::NoSelfSignature
        | SignatureRefusal::WeakSelfSignature { .. }
        | SignatureRefusal::WeakBindingSignature { .. } => {
            "ask the publisher for a certificate with fresh self-signatures"
        }
        SignatureRefusal::KeyExpired { .. } => {
            "if the publisher has extended the key, get the certificate anew"
        }
        SignatureRefusal::SignedInFuture { .. } => "is the clock of this machine right?",
        _ => return None,
    };
    Some(hint.to_owned())
}
