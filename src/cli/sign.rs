//! `countersign sign`: detached signatures, each verified before it is written.

use std::collections::HashMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::SystemTime;

use countersign::sign::openpgp::{self, SignatureTemplate};
use countersign::sign::{
    BackendError, LocalBackend, LocalError, Passphrase, PemError, PublicKey, Registry, Signer,
};
use countersign::verify::parallel::in_parallel;
use countersign::verify::{
    Certificate, DetachedSignature, Fingerprint, Form, GoodSignature, HashAlgorithm, HashedData,
    Policy, Reading, Report, SignatureRefusal, Timestamp, Verifier, VerifyError, limits, printable,
    read_all, read_file,
};
use serde_json::json;

use super::args::{SignOptions, SignerChoice};
use super::inputs::{self, shown};
use super::outcome::{Failure, Made, chain, failed};
use super::output::{self, Existing, Identity};
use super::report::{Progress, Reporter};
use super::wait;

pub(crate) fn run(options: &SignOptions, reporter: &Reporter) -> Made {
    Made::of("sign", |made| sign(options, reporter, made))
}

/// What all files are signed with.
struct Job<'a> {
    options: &'a SignOptions,
    certificate: Certificate,
    signer: Box<dyn Signer>,
    /// Judges signatures that are there already: by this certificate and those of `--key`.
    earlier: Verifier,
    /// Those of `--key`.
    expected: Vec<Fingerprint>,
    template: SignatureTemplate,
    hash: HashAlgorithm,
    created: Timestamp,
    now: Timestamp,
}

const APPEND_OR_FORCE: &str =
    "--append adds a signature to it, --force puts the new one in its place";

/// What became of one file.
struct Signed {
    output: PathBuf,
    /// Where the output is standard output.
    octets: Option<Vec<u8>>,
    signature: openpgp::Signature,
    /// Signatures that the file held before.
    kept: usize,
    notes: Notes,
}

/// What is found out on the way to a signature.
#[derive(Default)]
struct Notes {
    remarks: Vec<String>,
    /// Of the signatures that the file held before, for programs.
    earlier: Vec<serde_json::Value>,
}

fn sign(options: &SignOptions, reporter: &Reporter, made: &mut Made) -> Result<(), Failure> {
    let read = [&options.certificate].into_iter().chain(&options.keys);
    let own: Vec<PathBuf> = options.signer.files().iter().map(PathBuf::from).collect();
    inputs::at_most_one_stdin(read.clone().chain(&options.files).chain(&own))?;
    let outputs = outputs(options)?;
    // Whatever its spelling: nothing that is read is written over.
    let inputs = read.chain(&options.files).chain(&own);
    let inputs = output::Inputs::new(inputs.map(PathBuf::as_path));
    let mut targets: HashMap<Identity, &Path> = HashMap::new();
    for target in &outputs {
        inputs.spare(target)?;
        // One that leads nowhere now may lead to another signature once that is written.
        if target.is_symlink() {
            output::has_place(target)?;
        }
        if let Some(other) = targets.insert(Identity::of(target), target) {
            let message = format!(
                "`{}` and `{}` are the same file: a signature would be lost",
                shown(other),
                shown(target)
            );
            return Err(failed("output-exists", message));
        }
    }
    let certificate = certificate(&options.certificate)?;
    let now = now();
    let created = created(options.created, now)?;
    let mut template = SignatureTemplate::new(created);
    for (name, value) in &options.notations {
        template = template.with_notation(name, value);
    }
    let signer = signer(&options.signer, Some(&certificate), made)?;
    let hash = options
        .hash
        .unwrap_or_else(|| openpgp::default_hash(signer.public_key()));
    // What can be told before gigabytes are read: mistakes in the template, a key of another certificate.
    let nothing = HashedData::new(hash);
    openpgp::prepare_signature(signer.public_key(), &certificate, &template, &nothing, now)
        .map_err(|error| unsigned(&error, options))?;
    let mut certificates = inputs::certificates(&options.keys)?;
    let expected = certificates.iter().map(Certificate::fingerprint).collect();
    certificates.push(certificate.clone());
    let trust = inputs::trust(certificates, Vec::new())?;
    let earlier = Verifier::new(trust, Policy::new());
    let job = Job {
        options,
        certificate,
        signer,
        earlier,
        expected,
        template,
        hash,
        created,
        now,
    };
    let results = job.run(&outputs, reporter);
    made.note("certificate", job.certificate.fingerprint().to_string());
    let mut documents = Vec::new();
    for (file, result) in options.files.iter().zip(results) {
        match result {
            Ok(signed) => documents.push(tell(file, signed, made)),
            Err(failure) => made.failures.push(failure),
        }
    }
    made.note("signatures", documents);
    Ok(())
}

/// Puts a signature that was made into what is said.
fn tell(file: &Path, signed: Signed, made: &mut Made) -> serde_json::Value {
    let report = signed.signature.report();
    made.remarks.extend(signed.notes.remarks);
    made.remarks.push(format!(
        "`{}` signed by {}{}, {} with {}, {}",
        shown(file),
        report.certificate(),
        report
            .user_id()
            .map(|id| format!(" ({})", printable(id)))
            .unwrap_or_default(),
        report.algorithm(),
        report.hash(),
        report.created()
    ));
    let to_stdout = signed.octets.is_some();
    let document = json!({
        "file": shown(file),
        "output": (!to_stdout).then(|| shown(&signed.output)),
        "key": report.key().to_string(),
        "user_id": report.user_id(),
        "created": report.created().to_string(),
        "algorithm": report.algorithm().to_string(),
        "hash": report.hash().to_string(),
        "kept": signed.kept,
        "earlier": signed.notes.earlier,
        "signature": signed.signature.to_armored(),
    });
    match signed.octets {
        Some(octets) => made.payload = Some(octets),
        None => made.results.push(shown(&signed.output)),
    }
    document
}

/// Where each signature goes: `--output`, or `FILE.sig`.
fn outputs(options: &SignOptions) -> Result<Vec<PathBuf>, Failure> {
    if let Some(output) = &options.output {
        if inputs::is_stdin(output) && options.append {
            let message = "--append needs a file, and --output is standard output";
            return Err(failed("usage", message));
        }
        return Ok(vec![output.clone()]);
    }
    let beside = |file: &PathBuf| {
        if inputs::is_stdin(file) {
            let message = "data from standard input need --output";
            return Err(failed("usage", message));
        }
        Ok(inputs::beside(file, ".sig"))
    };
    options.files.iter().map(beside).collect()
}

/// The one certificate in a file.
fn certificate(path: &Path) -> Result<Certificate, Failure> {
    let octets = inputs::read_bounded(path, limits::CERTIFICATE_FILE_BYTES)?;
    Certificate::from_bytes(&octets).map_err(|error| {
        let message = format!("`{}` cannot be used as --public-key: {error}", shown(path));
        failed("unusable-key-file", message).with_optional_hint(inputs::pem_hint(&octets))
    })
}

/// Whoever builds reproducibly sets it, in seconds since 1970.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

/// `--created`, else SOURCE_DATE_EPOCH, else now.
pub(crate) fn created(given: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Some(time) = given {
        return Ok(time);
    }
    match std::env::var(EPOCH) {
        Err(std::env::VarError::NotPresent) => Ok(now),
        Ok(text) if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) => {
            let seconds = text.parse().unwrap_or(u64::MAX);
            Ok(Timestamp::from_unix(seconds))
        }
        Ok(text) => {
            let message = format!("{EPOCH} is `{text}`, not a number of seconds");
            Err(failed("usage", message))
        }
        Err(error) => Err(failed("usage", format!("{EPOCH}: {error}"))),
    }
}

/// The backends, `local` with a prompt on the terminal.
fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.replace(
        LocalBackend::new()
            .with_prompt(|path| ask(&format!("Passphrase of {}: ", printable(path)))),
    );
    registry
}

/// Asks on the terminal; an error of its own where there is none.
pub(crate) fn ask(question: &str) -> io::Result<Passphrase> {
    #[cfg(unix)]
    if std::fs::File::open("/dev/tty").is_err() {
        return Err(io::Error::other("no terminal to ask on"));
    }
    rpassword::prompt_password(question).map(Passphrase::new)
}

pub(crate) const GIVE_PASSPHRASE: &str =
    "give it with --local-passphrase-file or --local-passphrase-env";

pub(crate) fn signer(
    choice: &SignerChoice,
    certificate: Option<&Certificate>,
    made: &mut Made,
) -> Result<Box<dyn Signer>, Failure> {
    let public_key = certificate
        .and_then(|own| own.keys().next())
        .and_then(|key| PublicKey::of_certificate(&key));
    let registry = registry();
    let found = registry.signer(
        &choice.backend,
        &choice.key_id,
        &choice.options,
        public_key.as_ref(),
    );
    let signer = wait::block_on(found).map_err(|error| {
        let message = format!("no signer: {}", told(&choice.backend, &error));
        let failure = failed("no-signer", message);
        match error {
            BackendError::Local(LocalError::Prompt { .. }) => failure.with_hint(GIVE_PASSPHRASE),
            BackendError::Local(LocalError::Key { error, .. }) => {
                failure.with_optional_hint(private_key_hint(&error))
            }
            error => failure
                .with_optional_hint(backend_hint(&error))
                .with_optional_hint(missing_feature(&choice.backend)),
        }
    })?;
    made.warnings.extend(signer.warnings());
    Ok(signer)
}

/// What a backend says, its options by the names that they have here.
pub(crate) fn told(backend: &str, error: &BackendError) -> String {
    let registry = Registry::builtin();
    match (error, registry.get(backend)) {
        (BackendError::OptionValue { name, problem }, Ok(found)) => {
            format!("--{}-{name}: {problem}", found.flag_prefix())
        }
        _ => chain(error),
    }
}

/// What to do with a file that is no private key of ours.
fn private_key_hint(error: &PemError) -> Option<String> {
    let hint = match error {
        PemError::WrongKind { found } if found.starts_with("PGP PRIVATE KEY") => {
            "keys of gpg stay with gpg: `countersign key generate` makes a new one, --append signs beside it"
        }
        PemError::WrongKind { found } if found == "OPENSSH PRIVATE KEY" => {
            "an ssh key signs no releases: `countersign key generate` makes one that does"
        }
        PemError::WrongKind { found } if found.contains("PUBLIC KEY") || found == "CERTIFICATE" => {
            "--key-id takes the private half, --public-key the OpenPGP certificate"
        }
        PemError::NotPem => {
            "--key-id takes a private key in PEM, as `countersign key generate` and `openssl genpkey` write it"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Which feature a backend comes with, where it is not compiled in.
fn missing_feature(backend: &str) -> Option<String> {
    let missing = backend == "aws-kms" && cfg!(not(feature = "aws-kms"));
    missing.then(|| {
        "this program was built without it: `cargo install countersign --features aws-kms`"
            .to_owned()
    })
}

/// What the backend itself would do next.
#[cfg(feature = "aws-kms")]
pub(crate) fn backend_hint(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(own) = cause {
        if let Some(found) = own.downcast_ref::<countersign::sign::KmsError>() {
            return found.hint().map(str::to_owned);
        }
        cause = own.source();
    }
    None
}

/// What the backend itself would do next.
#[cfg(not(feature = "aws-kms"))]
pub(crate) fn backend_hint(_error: &(dyn std::error::Error + 'static)) -> Option<String> {
    None
}

fn unsigned(error: &openpgp::SignError, options: &SignOptions) -> Failure {
    let failure = failed("not-signed", chain(error));
    match error {
        openpgp::SignError::KeyMismatch { .. } => failure.with_hint(format!(
            "`{}` is not the certificate of --key-id {}",
            shown(&options.certificate),
            options.signer.key_id
        )),
        openpgp::SignError::CreatedInFuture { .. }
        | openpgp::SignError::CreatedBeforeKey { .. } => {
            let from_environment = options.created.is_none() && std::env::var_os(EPOCH).is_some();
            failure.with_hint(if from_environment {
                "the time comes from SOURCE_DATE_EPOCH; --created sets another"
            } else {
                "is the clock of this machine right?"
            })
        }
        _ => failure.with_optional_hint(backend_hint(error)),
    }
}

impl Job<'_> {
    /// All files, a few at a time, in their order. What one comes to does not touch the others.
    fn run(&self, outputs: &[PathBuf], reporter: &Reporter) -> Vec<Result<Signed, Failure>> {
        let files = &self.options.files;
        let total = files.iter().map(|file| size(file)).sum();
        let name = match files.as_slice() {
            [file] => shown(file),
            files => format!("{} files", files.len()),
        };
        let progress = Progress::new(reporter, name, total);
        /// Requests in flight where a key is elsewhere: most of the time is waiting.
        const REQUESTS: NonZeroUsize = NonZeroUsize::new(16).unwrap();
        let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let at_once = match self.options.signer.backend.as_str() {
            "local" => cores,
            _ => cores.max(REQUESTS),
        };
        let reading = if at_once.get() == 1 || files.len() == 1 {
            Reading::Beside
        } else {
            Reading::InTurn
        };
        let order: Vec<usize> = (0..files.len()).collect();
        in_parallel(&order, at_once, |place| {
            self.one(&files[place], &outputs[place], reading, &progress)
        })
    }

    fn one(
        &self,
        file: &Path,
        target: &Path,
        reading: Reading,
        progress: &Progress,
    ) -> Result<Signed, Failure> {
        let existing = if inputs::is_stdin(target) {
            None
        } else {
            self.find_place(target)?
        };
        let mut notes = Notes::default();
        let first = inputs::beside(file, ".asc");
        if self.options.output.is_none() && first.exists() {
            notes.remarks.push(format!(
                "`{}` is there, too, and `countersign verify` takes it first",
                shown(&first)
            ));
        }
        let data = self.hash(file, existing.as_ref(), reading, progress, &mut notes)?;
        let signed = openpgp::sign(
            &*self.signer,
            &self.certificate,
            &self.template,
            &data,
            self.now,
        );
        let signature = wait::block_on(signed).map_err(|error| {
            let failure = unsigned(&error, self.options);
            Failure {
                message: format!("`{}`: {}", shown(file), failure.message),
                ..failure
            }
        })?;
        let octets = match &existing {
            Some(existing) => openpgp::append(existing, &signature)
                .map_err(|error| failed("not-appended", format!("`{}`: {error}", shown(target))))?,
            None if self.options.binary => signature.to_bytes(),
            None => signature.to_armored().into_bytes(),
        };
        let kept = existing.as_ref().map_or(0, DetachedSignature::signatures);
        let octets = if inputs::is_stdin(target) {
            Some(octets)
        } else {
            self.put(target, &octets, existing.as_ref())?;
            None
        };
        Ok(Signed {
            output: target.to_owned(),
            octets,
            signature,
            kept,
            notes,
        })
    }

    /// Refuses, before the data are read, what could not be written. With `--append`, the signature file that is there.
    fn find_place(&self, target: &Path) -> Result<Option<DetachedSignature>, Failure> {
        output::has_place(target)?;
        let existing = self.existing(target)?;
        if existing.is_none() && !self.expected.is_empty() {
            let message = format!(
                "`{}` is not there: --key checks the signatures that it holds",
                shown(target)
            );
            return Err(failed("earlier-signature", message)
                .with_hint("without --key, --append makes the first one"));
        }
        // Only a signature of a time that is given can be the one that is there already.
        let is_new = self.created == self.now;
        if existing.is_none() && !self.options.force && is_new && target.exists() {
            let message = format!("`{}` exists", shown(target));
            return Err(failed("output-exists", message).with_hint(APPEND_OR_FORCE));
        }
        Ok(existing)
    }

    /// Writes a signature file, where nobody has changed what it is made from.
    fn put(
        &self,
        target: &Path,
        octets: &[u8],
        existing: Option<&DetachedSignature>,
    ) -> Result<(), Failure> {
        let packets = |own: &DetachedSignature| own.to_bytes();
        // Until this is done, no other one of us looks at it.
        let _turn = self.options.append.then(|| output::take_turn(target));
        let now = self.existing(target)?;
        if existing.is_some() && now.as_ref().map(packets) != existing.map(packets) {
            let message = format!("`{}` was changed by somebody else meanwhile", shown(target));
            return Err(failed("not-appended", message).with_hint("try again"));
        }
        let how = Existing::with_force(existing.is_some() || self.options.force);
        output::publish(target, octets, how, APPEND_OR_FORCE)
    }

    /// With `--append`, the signature file that is there.
    fn existing(&self, target: &Path) -> Result<Option<DetachedSignature>, Failure> {
        if !self.options.append || !target.exists() {
            return Ok(None);
        }
        let octets = inputs::read_bounded(target, limits::SIGNATURE_FILE_BYTES)?;
        let existing = DetachedSignature::from_bytes(&octets).map_err(|error| {
            let message = format!("`{}` is no detached signature: {error}", shown(target));
            failed("malformed-signature-file", message)
        })?;
        if self.options.binary && existing.form() == Form::Armored {
            let message = format!("`{}` is armored, and --binary is given", shown(target));
            return Err(failed("usage", message));
        }
        Ok(Some(existing))
    }

    /// Whoever gives `--key` counts on an earlier signature by it.
    fn has_expected(&self, file: &Path, report: &Report) -> Result<(), Failure> {
        let is_expected = |good: &GoodSignature| self.expected.contains(&good.certificate());
        if self.expected.is_empty() || report.good().iter().any(is_expected) {
            return Ok(());
        }
        let refused = report.refused().iter();
        let issuers = refused.filter_map(|own| own.issuers().first().map(ToString::to_string));
        let good = report
            .good()
            .iter()
            .map(|own| own.certificate().to_string());
        let issuers: Vec<String> = issuers.chain(good).collect();
        let message = format!("`{}`: no earlier signature is by a --key", shown(file));
        let failure = failed("earlier-signature", message);
        Err(failure.with_hint(format!("they are by {}", issuers.join(", "))))
    }

    /// Reads the data once, for the new signature and for the earlier ones.
    fn hash(
        &self,
        file: &Path,
        existing: Option<&DetachedSignature>,
        reading: Reading,
        progress: &Progress,
        notes: &mut Notes,
    ) -> Result<HashedData, Failure> {
        let unreadable = |error: io::Error| inputs::unreadable(file, &error);
        let mut data = HashedData::new(self.hash);
        let mut check =
            existing.map(|existing| self.earlier.writer(existing, io::sink(), self.now));
        let take = |part: &[u8]| {
            data.update(part);
            if let Some(check) = &mut check {
                let sunk = io::Write::write_all(check, part);
                sunk.expect("a sink takes everything");
            }
            progress.add(part.len() as u64);
        };
        if inputs::is_stdin(file) {
            read_all(io::stdin().lock(), take).map_err(unreadable)?;
        } else {
            let opened = inputs::open(file)?;
            let state = || {
                opened
                    .metadata()
                    .map(|found| (found.len(), found.modified().ok(), changed(&found)))
                    .map_err(unreadable)
            };
            let before = state()?;
            read_file(&opened, reading, take).map_err(unreadable)?;
            if state()? != before {
                let message = format!("`{}` was changed while it was read", shown(file));
                return Err(failed("read-failed", message));
            }
        }
        if let Some(check) = check {
            let report = match check.finish() {
                Ok((verified, _)) => verified.report().clone(),
                Err(VerifyError::Refused(refusal)) => refusal.report().clone(),
                Err(error) => return Err(failed("earlier-signature", chain(&error))),
            };
            judge(file, &report, notes)?;
            self.has_expected(file, &report)?;
        }
        Ok(data)
    }
}

/// Earlier signatures by certificates that were given have to hold; the others are named.
fn judge(file: &Path, report: &Report, notes: &mut Notes) -> Result<(), Failure> {
    let name = shown(file);
    for own in report.good() {
        let by = own.certificate().to_string();
        notes
            .remarks
            .push(format!("`{name}`: earlier signature by {by} is good"));
        notes.earlier.push(json!({ "by": by, "standing": "good" }));
    }
    for own in report.refused() {
        let issuer = own.issuers().first().map(ToString::to_string);
        let by = issuer.as_ref().map(|own| format!(" by {own}"));
        let by = by.unwrap_or_default();
        let SignatureRefusal::UnknownIssuer { .. } = own.reason() else {
            let message = format!(
                "`{name}`: earlier signature{by} does not hold: {}",
                own.reason()
            );
            return Err(failed("earlier-signature", message)
                .with_hint("--force puts the new signature in the place of all earlier ones"));
        };
        notes.remarks.push(format!(
            "`{name}`: earlier signature{by} kept, not checked: no --key holds its certificate"
        ));
        notes
            .earlier
            .push(json!({ "by": issuer, "standing": "not-checked" }));
    }
    Ok(())
}

/// When a file's content or its times were last changed: nobody can set that back.
#[cfg(unix)]
fn changed(found: &std::fs::Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.ctime(), found.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_found: &std::fs::Metadata) {}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}
