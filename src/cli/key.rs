//! `countersign key`: generate, mint, show.

use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign::sign::openpgp::{self, CertificateTemplate};
use countersign::sign::{LocalBackend, LocalSigner, Options, Passphrase, Signer};
use countersign::verify::{
    Certificate, CertificateError, KeyAssessment, Policy, SignatureRefusal, Timestamp,
    UserIdStanding, limits, printable,
};
use serde_json::{Value, json};

use super::args::{GenerateOptions, MintOptions, ShowOptions, Validity};
use super::inputs::{self, shown};
use super::outcome::{Failure, Made, chain, failed};
use super::output::{self, Access, Existing};
use super::{sign, wait};

pub(crate) fn generate(options: &GenerateOptions) -> Made {
    Made::of("key generate", |made| try_generate(options, made))
}

pub(crate) fn mint(options: &MintOptions) -> Made {
    Made::of("key mint", |made| try_mint(options, made))
}

pub(crate) fn show(options: &ShowOptions) -> Made {
    Made::of("key show", |made| try_show(options, made))
}

fn try_generate(options: &GenerateOptions, made: &mut Made) -> Result<(), Failure> {
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", options.stem));
    let ending = if options.user_id.is_some() {
        ".asc"
    } else {
        ".pub.pem"
    };
    let public = options.output.clone().unwrap_or_else(|| beside(ending));
    let private = options
        .private_output
        .clone()
        .unwrap_or_else(|| beside(".key.pem"));
    if inputs::is_stdin(&private) || inputs::is_stdin(&public) {
        let message = "a key and its certificate are written to files, not to standard output";
        return Err(failed("usage", message));
    }
    if output::is_same_file(&public, &private) {
        let (one, other) = (shown(&public), shown(&private));
        let message =
            format!("certificate `{one}` and private key `{other}` would be the same file");
        return Err(failed("usage", message));
    }
    for path in [&private, &public] {
        output::spare(path, options.passphrase_file.as_ref().map(Path::new))?;
        output::has_place(path)?;
    }
    // Before seconds are spent on a key that has no place to go.
    for path in [&private, &public] {
        if !options.force && path.symlink_metadata().is_ok() {
            let message = format!("`{}` exists", shown(path));
            return Err(failed("output-exists", message).with_hint(KEEP_OR_FORCE));
        }
    }
    let now = sign::now();
    let template = match &options.user_id {
        None => None,
        Some(user_id) => {
            let created = sign::created(options.created, now)?;
            let user_ids = std::slice::from_ref(user_id);
            let template = template(user_ids, created, options.validity)?;
            template
                .check(now)
                .map_err(|error| failed("not-minted", format!("no certificate: {error}")))?;
            Some(template)
        }
    };
    let passphrase = new_passphrase(options)?;
    let signer = LocalSigner::generate(options.algorithm)
        .map_err(|error| failed("not-generated", error.to_string()))?;
    let certificate = match &template {
        None => None,
        Some(template) => Some(minted(&signer, template, now)?),
    };
    let pem = signer
        .to_pem(passphrase.as_ref())
        .map_err(|error| failed("not-generated", error.to_string()))?;
    let existing = Existing::with_force(options.force);
    // The private half first, and on the disk: a certificate whose key is lost must not be published.
    let previous = output::keep_aside(&private)?;
    output::write(&private, pem.as_bytes(), Access::Private, existing)?;
    let written = match &certificate {
        Some(certificate) => write_certificate(&public, certificate, existing, now, made),
        None => write_public_key(&public, &signer, existing, made),
    };
    written.map_err(|failure| {
        let what = match previous.map(|own| own.restore(&private)) {
            Some(Ok(())) => "the private key that was there stays",
            Some(Err(_)) | None => "the private key is",
        };
        let message = format!("{}; {what} in `{}`", failure.message, shown(&private));
        Failure { message, ..failure }
    })?;
    made.results.push(shown(&private));
    made.note("private_output", shown(&private));
    made.remarks.push(format!(
        "the private key is in `{}`: keep it",
        shown(&private)
    ));
    Ok(())
}

pub(crate) const KEEP_OR_FORCE: &str = "give another name, or --force to lose what is there";

/// With `--encrypt`, the passphrase for the new key.
fn new_passphrase(options: &GenerateOptions) -> Result<Option<Passphrase>, Failure> {
    if !options.encrypt {
        return Ok(None);
    }
    let mut sources = Options::new();
    if let Some(file) = &options.passphrase_file {
        sources = sources.with("passphrase-file", file);
    }
    if let Some(variable) = &options.passphrase_env {
        sources = sources.with("passphrase-env", variable);
    }
    let none = |message: String| failed("no-passphrase", message);
    let given =
        LocalBackend::passphrase(&sources).map_err(|error| none(sign::told("local", &error)))?;
    if given.is_some() {
        return Ok(given);
    }
    let ask = |question: &str| {
        sign::ask(question).map_err(|error| {
            none(format!("no passphrase: {error}")).with_hint(sign::GIVE_PASSPHRASE)
        })
    };
    let first = ask("Passphrase for the new key: ")?;
    let second = ask("The same once more: ")?;
    if first != second {
        return Err(none("the two passphrases differ".to_owned()));
    }
    Ok(Some(first))
}

fn template(
    user_ids: &[String],
    created: Timestamp,
    validity: Option<Validity>,
) -> Result<CertificateTemplate, Failure> {
    let (first, more) = user_ids.split_first().expect("at least one user id");
    let template = CertificateTemplate::new(first, created);
    let template = more
        .iter()
        .fold(template, |template, id| template.with_user_id(id));
    Ok(match validity {
        None => template,
        Some(Validity::For(duration)) => template.with_validity(duration),
        Some(Validity::Until(time)) => {
            let seconds = time.unix().checked_sub(created.unix()).ok_or_else(|| {
                let message = format!("--expires {time} is before the creation, {created}");
                failed("usage", message)
            })?;
            template.with_validity(Duration::from_secs(seconds))
        }
    })
}

fn minted(
    signer: &dyn Signer,
    template: &CertificateTemplate,
    now: Timestamp,
) -> Result<Certificate, Failure> {
    wait::block_on(openpgp::mint(signer, template, now)).map_err(|error| {
        failed("not-minted", format!("no certificate: {}", chain(&error)))
            .with_optional_hint(sign::backend_hint(&error))
    })
}

/// Writes the public half of a token key in PEM.
fn write_public_key(
    path: &Path,
    signer: &LocalSigner,
    existing: Existing,
    made: &mut Made,
) -> Result<(), Failure> {
    let key = signer.public_key();
    let text = key
        .to_spki_pem()
        .map_err(|error| failed("not-generated", error.to_string()))?;
    output::publish(path, text.as_bytes(), existing, KEEP_OR_FORCE)?;
    made.remarks
        .push(format!("public key, {key}, for tokens alone"));
    made.note("algorithm", key.to_string());
    made.note("output", shown(path));
    made.results.push(shown(path));
    Ok(())
}

/// Writes a certificate, armored, and says what it is.
fn write_certificate(
    path: &Path,
    certificate: &Certificate,
    existing: Existing,
    now: Timestamp,
    made: &mut Made,
) -> Result<(), Failure> {
    let text = openpgp::armored_certificate(certificate);
    made.note("fingerprint", certificate.fingerprint().to_string());
    made.note("user_ids", certificate.user_ids().collect::<Vec<_>>());
    made.note("algorithm", certificate.algorithm().to_string());
    made.note("created", certificate.created().to_string());
    let expires = certificate.assess(&Policy::new(), now).primary().expires();
    made.note("expires", expires.map(|time| time.to_string()));
    if let Some(expires) = expires.filter(|time| *time <= now) {
        made.warnings.push(format!(
            "the certificate expired {expires}: what is signed now would be refused"
        ));
    }
    let remark = format!(
        "certificate {}, {}, created {}{}",
        certificate.fingerprint(),
        certificate.algorithm(),
        certificate.created(),
        expires.map_or_else(String::new, |time| format!(", expires {time}"))
    );
    if inputs::is_stdin(path) {
        made.remarks.push(remark);
        made.note("output", Value::Null);
        made.note("certificate", text.clone());
        made.payload = Some(text.into_bytes());
        return Ok(());
    }
    output::publish(path, text.as_bytes(), existing, KEEP_OR_FORCE)?;
    made.remarks.push(remark);
    made.note("output", shown(path));
    made.results.push(shown(path));
    Ok(())
}

fn try_mint(options: &MintOptions, made: &mut Made) -> Result<(), Failure> {
    let now = sign::now();
    let created = sign::created(options.created, now)?;
    let template = template(&options.user_ids, created, options.validity)?;
    output::spare(&options.output, options.signer.files())?;
    if !inputs::is_stdin(&options.output) {
        output::has_place(&options.output)?;
    }
    let signer = sign::signer(&options.signer, None, made)?;
    let certificate = minted(&*signer, &template, now)?;
    // The certificate itself says nothing of where its key is.
    if let Some(name) = signer.full_name() {
        made.remarks.push(format!("the key is {name}"));
        made.note("key", name);
    }
    write_certificate(
        &options.output,
        &certificate,
        Existing::with_force(options.force),
        now,
        made,
    )
}

fn try_show(options: &ShowOptions, made: &mut Made) -> Result<(), Failure> {
    let path = &options.file;
    let octets = inputs::read_bounded(path, limits::CERTIFICATE_FILE_BYTES)?;
    let certificates = Certificate::all_from_bytes(&octets).map_err(|error| {
        let message = format!("`{}` holds no certificate: {error}", shown(path));
        // The other hints are about flags that this command does not have.
        let hint = match error {
            CertificateError::PrivateKey | CertificateError::Keybox => {
                inputs::certificate_hint(&error)
            }
            _ => inputs::pem_hint(&octets),
        };
        failed("unusable-key-file", message).with_optional_hint(hint)
    })?;
    let now = options.at.unwrap_or_else(sign::now);
    let mut documents = Vec::new();
    for (place, certificate) in certificates.iter().enumerate() {
        if place > 0 {
            made.results.push(String::new());
        }
        documents.push(shown_certificate(certificate, now, made));
    }
    made.note("file", shown(path));
    made.note("judged_at", now.to_string());
    made.note("certificates", documents);
    Ok(())
}

fn shown_certificate(certificate: &Certificate, now: Timestamp, made: &mut Made) -> Value {
    let assessment = certificate.assess(&Policy::new(), now);
    let primary = assessment.primary();
    let mut line = |name: &str, value: String| made.results.push(format!("{name:<13}{value}"));
    line("certificate", certificate.fingerprint().to_string());
    let mut user_ids = Vec::new();
    for id in assessment.user_ids() {
        let standing = match id.standing() {
            UserIdStanding::Certified { .. } => None,
            other => Some(other.to_string()),
        };
        let shown = match &standing {
            None => printable(id.text()),
            Some(standing) => format!("{} ({standing})", printable(id.text())),
        };
        line("user id", shown);
        user_ids.push(json!({
            "text": id.text(),
            "problem": standing,
        }));
    }
    key_lines(primary, &mut line);
    let mut subkeys = Vec::new();
    for subkey in assessment.subkeys() {
        line("subkey", subkey.fingerprint().to_string());
        key_lines(subkey, &mut line);
        if let Some(refusal) = subkey.refusal() {
            line("", format!("what it signs is refused: {refusal}"));
        }
        subkeys.push(key_document(subkey));
    }
    let mut keys = [primary].into_iter().chain(assessment.subkeys());
    let trusted = keys.any(|own| own.refusal().is_none());
    let verdict = match primary.refusal() {
        Some(refusal) if !trusted => format!("countersign would refuse what it signs: {refusal}"),
        _ => "countersign would accept what it signs".to_owned(),
    };
    line("verdict", verdict);
    let mut document = key_document(primary);
    if let Value::Object(fields) = &mut document {
        fields.insert("user_ids".to_owned(), user_ids.into());
        fields.insert("subkeys".to_owned(), subkeys.into());
        fields.insert("trusted".to_owned(), trusted.into());
    }
    document
}

fn key_lines(key: &KeyAssessment, line: &mut impl FnMut(&str, String)) {
    line("algorithm", key.algorithm().to_string());
    line("created", key.created().to_string());
    line(
        "expires",
        match key.expires() {
            Some(time) => time.to_string(),
            // What is not signed says nothing.
            None if is_unbound(key) => "unknown".to_owned(),
            None => "never".to_owned(),
        },
    );
    line(
        "flags",
        key.flags()
            .map_or_else(|| "none given".to_owned(), |flags| flags.to_string()),
    );
    for revocation in key.revocations() {
        let date = revocation
            .created()
            .map(|time| format!(", {time}"))
            .unwrap_or_default();
        line("revoked", format!("{}{date}", revocation.reason()));
    }
}

/// Whether no signature speaks for the key, so that nothing is known of its life and its uses.
fn is_unbound(key: &KeyAssessment) -> bool {
    matches!(
        key.refusal(),
        Some(
            SignatureRefusal::NoSelfSignature
                | SignatureRefusal::WeakSelfSignature { .. }
                | SignatureRefusal::WeakBindingSignature { .. }
                | SignatureRefusal::NoBindingSignature
        )
    )
}

fn key_document(key: &KeyAssessment) -> Value {
    let revocations = key.revocations().iter().map(|own| {
        json!({
            "reason": own.reason().to_string(),
            "created": own.created().map(|time| time.to_string()),
        })
    });
    json!({
        "fingerprint": key.fingerprint().to_string(),
        "algorithm": key.algorithm().to_string(),
        "created": key.created().to_string(),
        "expires": key.expires().map(|time| time.to_string()),
        "flags": key.flags().map(|flags| flags.names()),
        "revocations": revocations.collect::<Vec<_>>(),
        "reason": key.refusal().map(|refusal| refusal.name()),
        "problem": key.refusal().map(ToString::to_string),
    })
}
