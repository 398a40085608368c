//! Runs every folder below `tests/vectors/`, and the generated cases that are too large to be kept there.
//!
//! Where the cases come from, and what `expect.toml` may say, stands in `tests/vectors/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use countersign::verify::{
    Certificate, ClearSigned, DetachedSignature, Expiry, Manifest, Policy, Report, Source,
    Timestamp, Trust, VerifiedManifest, Verifier, VerifyError,
};
use countersign_testkit::Vector;
use serde::Deserialize;

/// Some verifiers take minutes over some of these inputs. On a quiet machine each takes far less than a second here, but
/// for the largest.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What a case of this project must have at the least.
const CASES_AT_LEAST: usize = 80;

#[test]
fn every_folder_has_its_outcome() {
    let folders = folders();
    let mut failures = Vec::new();
    let mut outcomes = BTreeMap::new();
    for folder in &folders {
        match read(folder).and_then(run) {
            Ok(outcome) => *outcomes.entry(outcome).or_insert(0) += 1,
            Err(failure) => failures.push(format!("{}: {failure}", shown(folder))),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases fail:\n{}",
        failures.len(),
        folders.len(),
        failures.join("\n")
    );
    let accepted = outcomes.get(&Outcome::Verified).copied().unwrap_or(0);
    let run: usize = outcomes.values().sum();
    assert_eq!(run, folders.len(), "a folder was not run");
    assert!(run >= CASES_AT_LEAST, "only {run} cases");
    assert!(
        2 * accepted < run,
        "{accepted} of {run} cases are acceptances: refusals must outnumber them"
    );
}

#[test]
fn every_large_case_has_its_outcome() {
    let cases = countersign_testkit::large_vectors();
    assert!(cases.len() > 10, "only {} large cases", cases.len());
    let failures: Vec<String> = cases
        .into_iter()
        .filter_map(|vector| {
            let path = vector.path.clone();
            let outcome = parse(vector, None).and_then(run);
            outcome.err().map(|failure| format!("{path}: {failure}"))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_generator_makes_exactly_the_files_that_are_there() {
    let made = countersign_testkit::vectors();
    let groups: BTreeSet<&str> = made
        .iter()
        .filter_map(|vector| vector.path.split('/').next())
        .collect();
    let mut wrong = Vec::new();
    let mut expected = BTreeSet::new();
    for vector in &made {
        let folder = root().join(&vector.path);
        for (name, octets) in &vector.files {
            let path = folder.join(name);
            match fs::read(&path) {
                Ok(found) if found == *octets => {}
                Ok(_) => wrong.push(format!("{} differs", shown(&path))),
                Err(error) => wrong.push(format!("{}: {error}", shown(&path))),
            }
            expected.insert(path);
        }
    }
    for group in groups {
        for path in files_below(&root().join(group)) {
            if !expected.contains(&path) {
                wrong.push(format!("{} is not made", shown(&path)));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "run `cargo run -p countersign-testkit --example make_vectors`:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_folder_that_is_no_case_fails() {
    let good = || {
        let all = countersign_testkit::vectors();
        let found = all.into_iter().find(|vector| vector.path == "type/binary");
        found.expect("the first case of all")
    };
    let expect = |alter: &dyn Fn(String) -> String| {
        let mut vector = good();
        let text = String::from_utf8(vector.files["expect.toml"].clone()).expect("TOML is UTF-8");
        let altered = alter(text).into_bytes();
        vector.files.insert("expect.toml".to_owned(), altered);
        vector
    };
    let outcome = |vector| parse(vector, None).and_then(run);
    assert_eq!(outcome(good()), Ok(Outcome::Verified));

    let mut without = good();
    without.files.remove("expect.toml");
    let mut stray = good();
    stray.files.insert("notes".to_owned(), Vec::new());
    let mut no_signature = good();
    no_signature.files.remove("sig");
    for (what, vector) in [
        ("no expect.toml", without),
        ("a file that nothing names", stray),
        ("no signature", no_signature),
        (
            "an unknown key",
            expect(&|text| format!("surprise = 1\n{text}")),
        ),
        (
            "an unknown outcome",
            expect(&|text| text.replace("\"verified\"", "\"accepted\"")),
        ),
        (
            "another outcome",
            expect(&|text| text.replace("\"verified\"", "\"refused\"")),
        ),
        (
            "another signer",
            expect(&|text| text.replace("key = \"", "key = \"0")),
        ),
        (
            "another algorithm",
            expect(&|text| text.replace("Ed25519", "RSA-4096")),
        ),
        (
            "a refusal that is not there",
            expect(&|text| text.replace("\n\n[[", "\nreasons = [\"weak-hash\"]\n\n[[")),
        ),
        (
            "an artifact that is not there",
            expect(&|text| text.replace("\n\n[[", "\nartifacts = [\"tool\"]\n\n[[")),
        ),
    ] {
        assert!(outcome(vector).is_err(), "{what}");
    }
}

/// What `expect.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    #[serde(rename = "description")]
    _description: String,
    time: u64,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    policy: PolicyTable,
    #[serde(default)]
    source: Vec<SourceTable>,
    outcome: Outcome,
    kind: Option<String>,
    message: Option<String>,
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default)]
    artifacts: Vec<String>,
    #[serde(default)]
    signer: Vec<Signer>,
    #[serde(default)]
    artifact: Vec<ArtifactTable>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// `data` and a detached `sig`.
    #[default]
    Verify,
    /// `manifest` and a detached `sig`.
    Manifest,
    /// `manifest`, which carries its signature.
    ClearSigned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Verified,
    Refused,
    Malformed,
    UnusableCertificate,
    UnusableTrust,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyTable {
    min_rsa_bits: Option<u32>,
    expiry: Option<ExpiryWord>,
    /// Seconds.
    max_age: Option<u64>,
    /// Seconds since 1970.
    not_before: Option<u64>,
    threshold: Option<usize>,
    #[serde(default)]
    notations: Vec<NotationTable>,
    #[serde(default)]
    fingerprints: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ExpiryWord {
    Signing,
    Now,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotationTable {
    name: String,
    value: String,
}

/// A source of trust. Without any, all certificates are one source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    name: String,
    certificates: Vec<String>,
}

/// A good signature.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signer {
    certificate: String,
    key: String,
    algorithm: String,
    hash: String,
    user_id: Option<String>,
}

/// A file to be checked against the manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArtifactTable {
    name: String,
    /// The message of the refusal, if it is refused.
    refused: Option<String>,
}

/// All that an outcome consists of, expected or observed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    outcome: Outcome,
    kind: Option<String>,
    message: Option<String>,
    reasons: Vec<String>,
    signers: Vec<Signer>,
    artifacts: Vec<String>,
    /// What became of each artifact that was checked: its message, if it was refused.
    checked: Vec<(String, Option<String>)>,
}

impl Answer {
    fn failed(outcome: Outcome, message: impl ToString) -> Self {
        Self {
            outcome,
            kind: None,
            message: Some(message.to_string()),
            reasons: Vec::new(),
            signers: Vec::new(),
            artifacts: Vec::new(),
            checked: Vec::new(),
        }
    }

    fn verified(report: &Report) -> Self {
        Self {
            outcome: Outcome::Verified,
            kind: None,
            message: None,
            reasons: reasons(report),
            signers: signers(report),
            artifacts: Vec::new(),
            checked: Vec::new(),
        }
    }

    fn error(error: &VerifyError) -> Self {
        let outcome = match error {
            VerifyError::Refused(_) => Outcome::Refused,
            _ => Outcome::Malformed,
        };
        let mut answer = Self::failed(outcome, error);
        answer.kind = Some(error.name().to_owned());
        if let VerifyError::Refused(refusal) = error {
            answer.reasons = reasons(refusal.report());
            answer.signers = signers(refusal.report());
        }
        answer
    }
}

fn reasons(report: &Report) -> Vec<String> {
    let refused = report.refused().iter();
    refused.map(|own| own.reason().name().to_owned()).collect()
}

fn signers(report: &Report) -> Vec<Signer> {
    report
        .good()
        .iter()
        .map(|own| Signer {
            certificate: own.certificate().to_string(),
            key: own.key().to_string(),
            algorithm: own.algorithm().to_string(),
            hash: own.hash().to_string(),
            user_id: own.user_id().map(str::to_owned),
        })
        .collect()
}

/// A case whose `expect.toml` was understood and whose files are all named.
struct Case {
    expect: Expect,
    files: BTreeMap<String, Vec<u8>>,
    /// Where the files are, if they are files.
    folder: Option<PathBuf>,
}

impl Case {
    fn expected(&self) -> Answer {
        let expect = &self.expect;
        let checked = expect.artifact.iter();
        Answer {
            outcome: expect.outcome,
            kind: expect.kind.clone(),
            message: expect.message.clone(),
            reasons: expect.reasons.clone(),
            signers: expect.signer.clone(),
            artifacts: expect.artifacts.clone(),
            checked: checked
                .map(|own| (own.name.clone(), own.refused.clone()))
                .collect(),
        }
    }

    fn is_certificate(name: &str) -> bool {
        name == "cert" || name.starts_with("cert-")
    }

    fn content(&self) -> &'static str {
        match self.expect.mode {
            Mode::Verify => "data",
            Mode::Manifest | Mode::ClearSigned => "manifest",
        }
    }

    fn file(&self, name: &str) -> &[u8] {
        self.files.get(name).map_or(&[], Vec::as_slice)
    }
}

fn read(folder: &Path) -> Result<Case, String> {
    let mut files = BTreeMap::new();
    for path in files_below(folder) {
        let name = path
            .strip_prefix(folder)
            .expect("`files_below` stays below the folder");
        let octets = fs::read(&path).map_err(|error| error.to_string())?;
        files.insert(name.to_string_lossy().into_owned(), octets);
    }
    let path = shown(folder);
    parse(Vector { path, files }, Some(folder.to_owned()))
}

fn parse(vector: Vector, folder: Option<PathBuf>) -> Result<Case, String> {
    let text = vector.files.get("expect.toml").ok_or("no expect.toml")?;
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    let expect: Expect = toml::from_str(text).map_err(|error| error.to_string())?;
    let case = Case {
        expect,
        files: vector.files,
        folder,
    };
    let mut needed: BTreeSet<&str> = BTreeSet::from(["expect.toml", case.content()]);
    if case.expect.mode != Mode::ClearSigned {
        needed.insert("sig");
    }
    needed.extend(case.expect.artifact.iter().map(|own| own.name.as_str()));
    let certificates = case.files.keys().filter(|name| Case::is_certificate(name));
    let certificates: BTreeSet<&str> = certificates.map(String::as_str).collect();
    if certificates.is_empty() {
        return Err("no certificate".to_owned());
    }
    if !case.expect.source.is_empty() {
        let named = case.expect.source.iter();
        let named: BTreeSet<&str> = named
            .flat_map(|own| &own.certificates)
            .map(String::as_str)
            .collect();
        if named != certificates {
            return Err("the sources name other certificates than there are".to_owned());
        }
    }
    needed.extend(certificates);
    let found: BTreeSet<&str> = case.files.keys().map(String::as_str).collect();
    if found != needed {
        return Err(format!("has the files {found:?}, needs {needed:?}"));
    }
    Ok(case)
}

/// Every road to the answer, all within the time allowed. One that takes longer is left behind.
fn run(case: Case) -> Result<Outcome, String> {
    let expected = case.expected();
    let (answered, answers) = channel();
    thread::spawn(move || {
        // The other side is gone when it waited for too long.
        let _ = answered.send(answers_of(&case));
    });
    let all = match answers.recv_timeout(TIME_LIMIT) {
        Ok(all) => all,
        Err(RecvTimeoutError::Disconnected) => return Err("panics".to_owned()),
        Err(RecvTimeoutError::Timeout) => return Err(format!("takes more than {TIME_LIMIT:?}")),
    };
    for (road, found) in all {
        if found != expected {
            return Err(format!(
                "{road}:\n  expected {expected:?}\n  found    {found:?}"
            ));
        }
    }
    Ok(expected.outcome)
}

fn answers_of(case: &Case) -> Vec<(&'static str, Answer)> {
    let verifier = match verifier(case) {
        Ok(verifier) => verifier,
        Err(answer) => return vec![("trust", *answer)],
    };
    let now = Timestamp::from_unix(case.expect.time);
    let content = case.file(case.content());
    if case.expect.mode == Mode::ClearSigned {
        let verified = ClearSigned::from_bytes(content)
            .and_then(|text| verifier.verify_clear_signed(&text, now));
        return vec![("clear-signed", manifest_answer(case, verified))];
    }
    let signature = match DetachedSignature::from_bytes(case.file("sig")) {
        Ok(signature) => signature,
        Err(error) => return vec![("signature", Answer::error(&error.into()))],
    };
    let plain = |verified: Result<_, VerifyError>| match verified {
        Ok(report) => Answer::verified(&report),
        Err(error) => Answer::error(&error),
    };
    if case.expect.mode == Mode::Manifest {
        let verified = Manifest::from_bytes(content)
            .map_err(VerifyError::from)
            .and_then(|manifest| verifier.verify_manifest(&manifest, &signature, now));
        let mut answer = manifest_answer(case, verified);
        // The same signature over the same octets, as data: a refusal must be the same.
        let streamed = plain(streamed(&verifier, &signature, content, now));
        let agree = match answer.outcome {
            Outcome::Refused => answer == streamed,
            _ => streamed.outcome == Outcome::Verified,
        };
        if !agree {
            answer.message = Some(format!("as data: {streamed:?}"));
        }
        return vec![("manifest", answer)];
    }
    let bytes = verifier.verify_bytes(&signature, content, now);
    let mut answers = vec![
        ("bytes", plain(bytes.map(|own| own.report().clone()))),
        (
            "writer",
            plain(streamed(&verifier, &signature, content, now)),
        ),
    ];
    if let Some(folder) = &case.folder {
        let file = File::open(folder.join("data")).expect("the file was read before");
        let mut hashed = 0;
        let verified = verifier.verify_file(&signature, &file, now, |part| hashed += part);
        let verified = verified.map(|own| own.report().clone());
        if verified.is_ok() {
            assert_eq!(hashed, content.len() as u64, "progress is told in full");
        }
        answers.push(("file", plain(verified)));
    }
    answers
}

/// Through the writer, in parts of odd sizes, so that line ends and blocks are cut anywhere.
fn streamed(
    verifier: &Verifier,
    signature: &DetachedSignature,
    data: &[u8],
    now: Timestamp,
) -> Result<Report, VerifyError> {
    let mut sizes = [1, 3, 7, 1, 13, 4_099, 65_537].into_iter().cycle();
    let mut writer = verifier.writer(signature, io::sink(), now);
    let mut rest = data;
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(1).min(rest.len());
        let (part, tail) = rest.split_at(size);
        writer.write_all(part).map_err(VerifyError::Read)?;
        rest = tail;
    }
    let (verified, _) = writer.finish()?;
    Ok(verified.report().clone())
}

fn manifest_answer(case: &Case, verified: Result<VerifiedManifest, VerifyError>) -> Answer {
    let manifest = match verified {
        Ok(manifest) => manifest,
        Err(error) => return Answer::error(&error),
    };
    let mut answer = Answer::verified(manifest.report());
    let listed = manifest.artifacts().iter();
    answer.artifacts = listed.map(|own| own.name().as_str().to_owned()).collect();
    for own in &case.expect.artifact {
        let checked = manifest
            .artifact(&own.name)
            .and_then(|artifact| artifact.check(case.file(&own.name)));
        let message = checked.err().map(|error| error.to_string());
        answer.checked.push((own.name.clone(), message));
    }
    answer
}

fn verifier(case: &Case) -> Result<Verifier, Box<Answer>> {
    let read = |name: &str| {
        Certificate::all_from_bytes(case.file(name))
            .map_err(|error| Box::new(Answer::failed(Outcome::UnusableCertificate, error)))
    };
    let all = |names: Vec<&String>| -> Result<Vec<Certificate>, Box<Answer>> {
        names.into_iter().try_fold(Vec::new(), |mut all, name| {
            all.extend(read(name)?);
            Ok(all)
        })
    };
    let sources = if case.expect.source.is_empty() {
        let names = case.files.keys().filter(|name| Case::is_certificate(name));
        vec![Source::embedded(all(names.collect())?)]
    } else {
        let named = |own: &SourceTable| -> Result<Source, Box<Answer>> {
            let certificates = all(own.certificates.iter().collect())?;
            Ok(Source::new(own.name.clone(), certificates))
        };
        case.expect
            .source
            .iter()
            .map(named)
            .collect::<Result<_, _>>()?
    };
    let table = &case.expect.policy;
    let pins = table.fingerprints.iter();
    let pins = pins
        .map(|own| own.parse().expect("a fingerprint"))
        .collect();
    let trust = Trust::from_sources(sources, Default::default())
        .and_then(|trust| trust.with_pins(pins))
        .map_err(|error| Box::new(Answer::failed(Outcome::UnusableTrust, error)))?;
    Ok(Verifier::new(trust, policy(table)))
}

fn policy(table: &PolicyTable) -> Policy {
    let mut policy = Policy::new();
    if let Some(bits) = table.min_rsa_bits {
        policy = policy
            .with_min_rsa_bits(bits)
            .expect("a bar within the bounds");
    }
    if let Some(expiry) = table.expiry {
        policy = policy.with_expiry(match expiry {
            ExpiryWord::Signing => Expiry::Signing,
            ExpiryWord::Now => Expiry::Now,
        });
    }
    if let Some(seconds) = table.max_age {
        policy = policy.with_max_age(Duration::from_secs(seconds));
    }
    if let Some(seconds) = table.not_before {
        policy = policy.with_not_before(Timestamp::from_unix(seconds));
    }
    if let Some(threshold) = table.threshold {
        policy = policy.with_threshold(threshold);
    }
    table.notations.iter().fold(policy, |policy, own| {
        policy.with_notation(own.name.clone(), own.value.clone())
    })
}

/// Every folder of `group/case`. A file where a folder belongs is a case that fails, but for the README.
fn folders() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for group in entries(root()) {
        if group.file_name().is_some_and(|name| name == "README.md") {
            continue;
        }
        found.extend(entries(&group));
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{} is no folder: {error}", shown(folder)));
    let mut found: Vec<PathBuf> = read
        .map(|entry| entry.expect("a folder that can be read").path())
        .collect();
    found.sort();
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let below = entries(folder).into_iter().flat_map(|path| {
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    });
    below.collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"))
}
