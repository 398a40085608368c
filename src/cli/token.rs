//! `countersign token`: glue around the library's tokens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign::sign::token::certificate::{
    self, CHAIN_FILE_OCTETS, CertificateChain, CertificateTemplate,
};
use countersign::sign::token::config::{CONFIG_OCTETS, ConfigError, KeySource, TokenConfig};
use countersign::sign::token::verify::{ParsedToken, RegistryTrust, Rejection, TOKEN_OCTETS};
use countersign::sign::token::{Jwks, KeyId, KeyIdForm, TokenSigner, TokenTemplate};
use countersign::sign::{Options, PublicKey, Signer};
use countersign::verify::{Timestamp, printable};
use serde_json::{Map, Value};

use super::args::{
    CertificateOptions, IssueOptions, JudgeOptions, JwksOptions, SignerChoice, TokenConfigOptions,
    TokenKey, Validity,
};
use super::inputs::{self, shown};
use super::key::KEEP_OR_FORCE;
use super::outcome::{Failure, Made, Outcome, Verdict, chain, failed};
use super::output::{self, Existing};
use super::{sign, wait};

/// Where neither a configuration nor a flag says it: as docker_auth's example has it.
const LIFETIME: Duration = Duration::from_secs(900);

/// What a certificate is valid for, unless a flag says it.
const VALIDITY: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);

pub(crate) fn issue(options: &IssueOptions) -> Made {
    Made::of("token issue", |made| try_issue(options, made))
}

pub(crate) fn jwks(options: &JwksOptions) -> Made {
    Made::of("token jwks", |made| try_jwks(options, made))
}

pub(crate) fn cert(options: &CertificateOptions) -> Made {
    Made::of("token cert", |made| try_cert(options, made))
}

pub(crate) fn csr(options: &CertificateOptions) -> Made {
    Made::of("token csr", |made| try_csr(options, made))
}

pub(crate) fn inspect(token: &str) -> Made {
    Made::of("token inspect", |made| try_inspect(token, made))
}

pub(crate) fn config(options: &TokenConfigOptions) -> Made {
    Made::of("token config", |made| try_config(options, made))
}

/// Where a key is, and the configuration that says so.
struct Source {
    choice: SignerChoice,
    config: Option<TokenConfig>,
}

fn source(key: &TokenKey) -> Result<Source, Failure> {
    let (path, values) = match key {
        TokenKey::Signer(choice) => {
            return Ok(Source {
                choice: choice.clone(),
                config: None,
            });
        }
        TokenKey::Config(path, values) => (path, values),
    };
    let config = read_config(path)?;
    let mut options = Options::new();
    let (backend, key_id) = match config.key() {
        KeySource::Files { key, .. } => ("local", key.clone()),
        KeySource::Kms { key_id, region, .. } => {
            if let Some(region) = region {
                options = options.with("region", region);
            }
            ("aws-kms", key_id.clone())
        }
        _ => {
            return Err(failed(
                "no-signer",
                "the configuration names an unknown kind of key",
            ));
        }
    };
    for (owner, option, value) in values {
        if owner != backend {
            let message = format!(
                "an option of backend `{owner}` is given, and the configuration's is `{backend}`"
            );
            return Err(failed("usage", message));
        }
        options = options.with(*option, value);
    }
    Ok(Source {
        choice: SignerChoice {
            backend: backend.to_owned(),
            key_id,
            options,
        },
        config: Some(config),
    })
}

fn read_config(path: &Path) -> Result<TokenConfig, Failure> {
    let octets = inputs::read_bounded(path, CONFIG_OCTETS)?;
    let wrong = |why: String| failed("bad-config", format!("`{}`: {why}", shown(path)));
    let text = String::from_utf8(octets).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    TokenConfig::from_yaml(&text).map_err(|error| {
        let hint = match &error {
            ConfigError::NoKey { .. } => {
                "give `kms_signer: {key_id: ...}`, or `certificate` and `key`, below `token`"
            }
            ConfigError::TwoKeys { .. } => {
                "a certificate for the key in KMS is `token.kms_signer.certificate`"
            }
            _ => return wrong(error.to_string()),
        };
        wrong(error.to_string()).with_hint(hint)
    })
}

fn read_chain(path: &Path) -> Result<CertificateChain, Failure> {
    let octets = inputs::read_bounded(path, CHAIN_FILE_OCTETS)?;
    CertificateChain::from_pem(&octets).map_err(|error| {
        let message = format!(
            "`{}` is no certificate chain: {}",
            shown(path),
            chain(&error)
        );
        failed("unusable-certificate", message)
    })
}

fn key_id_form(text: &str) -> Result<KeyIdForm, Failure> {
    match text {
        "thumbprint" => Ok(KeyIdForm::Thumbprint),
        "libtrust" => Ok(KeyIdForm::Libtrust),
        other => KeyId::explicit(other)
            .map(KeyIdForm::Explicit)
            .map_err(|error| failed("usage", format!("--kid: {error}"))),
    }
}

fn try_issue(options: &IssueOptions, made: &mut Made) -> Result<(), Failure> {
    let source = source(&options.key)?;
    let config = source.config.as_ref();
    let issuer = config.map(TokenConfig::issuer);
    let issuer = issuer.or(options.issuer.as_deref()).unwrap_or_default();
    let lifetime = config.map_or(LIFETIME, TokenConfig::lifetime);
    let lifetime = options.expires.unwrap_or(lifetime);
    let mut template = TokenTemplate::new(issuer, lifetime).with_cache_entries(0);
    if let Some(algorithm) = options.algorithm {
        template = template.with_algorithm(algorithm);
    }
    let form = match &options.key_id_form {
        Some(text) => key_id_form(text)?,
        None => config.map(TokenConfig::key_id).unwrap_or_default(),
    };
    template = template.with_key_id(form.clone());
    let named = config.and_then(TokenConfig::certificate).map(PathBuf::from);
    let path = options.certificate.clone().or(named);
    if let Some(path) = &path {
        template = template.with_chain(read_chain(path)?);
    }
    let signer = sign::signer(&source.choice, None, made)?;
    let tokens = TokenSigner::new(signer, template).map_err(|error| {
        let failure = failed("no-token-signer", chain(&error));
        match &path {
            Some(path) => failure.with_hint(format!(
                "`{}` must be the certificate of the signing key: `countersign token cert` makes one",
                shown(path)
            )),
            None => failure,
        }
    })?;
    // Those of the signer are among them.
    made.warnings = tokens.warnings();
    let now = sign::now();
    let issued = tokens.issue(&options.subject, &options.service, &options.access, now);
    let issued = wait::block_on(issued).map_err(|error| {
        failed("not-issued", format!("no token: {}", chain(&error)))
            .with_optional_hint(sign::backend_hint(&error))
    })?;
    made.remarks.push(format!(
        "token by {} key {}, {}, until {}",
        tokens.public_key(),
        tokens.key_id(),
        tokens.algorithm(),
        issued.expires()
    ));
    let response = issued.response(now).to_json();
    if let Ok(Value::Object(fields)) = serde_json::from_str(&response) {
        made.document.extend(fields);
    }
    made.note("key_id", tokens.key_id().to_string());
    made.note("algorithm", tokens.algorithm().to_string());
    let line = match options.json {
        true => response,
        false => issued.token().as_str().to_owned(),
    };
    made.payload = Some((line + "\n").into_bytes());
    Ok(())
}

fn try_jwks(options: &JwksOptions, made: &mut Made) -> Result<(), Failure> {
    inputs::at_most_one_stdin(&options.files)?;
    let mut keys = Vec::new();
    if let Some(key) = &options.key {
        let source = source(key)?;
        keys.push(
            sign::signer(&source.choice, None, made)?
                .public_key()
                .clone(),
        );
    }
    for path in &options.files {
        keys.push(read_public_key(path)?);
    }
    let forms: Result<Vec<KeyIdForm>, Failure> = options
        .key_id_forms
        .iter()
        .map(|text| key_id_form(text))
        .collect();
    let mut forms = forms?;
    if forms.is_empty() {
        forms.push(KeyIdForm::Thumbprint);
    }
    let mut set = Jwks::new();
    for key in &keys {
        let unfit = |error: &dyn std::error::Error| failed("unusable-key-file", chain(error));
        let id = |form: &KeyIdForm| match form {
            KeyIdForm::Libtrust => KeyId::libtrust(key),
            KeyIdForm::Explicit(id) => Ok(id.clone()),
            _ => KeyId::thumbprint(key),
        };
        let ids: Result<Vec<KeyId>, _> = forms.iter().map(id).collect();
        let ids = ids.map_err(|error| unfit(&error))?;
        for id in &ids {
            made.remarks.push(format!("{key} key {id}"));
        }
        set = set.with_key(key, ids).map_err(|error| unfit(&error))?;
    }
    let text = set.to_json();
    if let Ok(document) = serde_json::from_str::<Value>(&text) {
        made.note("jwks", document);
    }
    made.payload = Some(text.into_bytes());
    Ok(())
}

/// A public key or a certificate in PEM.
fn read_public_key(path: &Path) -> Result<PublicKey, Failure> {
    let octets = inputs::read_bounded(path, CHAIN_FILE_OCTETS)?;
    let text = String::from_utf8_lossy(&octets);
    let unfit = |why: String| {
        let message = format!("`{}` is no public key: {why}", shown(path));
        failed("unusable-key-file", message)
    };
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return Ok(read_chain(path)?.public_key().clone());
    }
    PublicKey::from_spki_pem(&text).map_err(|error| {
        unfit(error.to_string()).with_optional_hint(
            text.contains("PRIVATE KEY-----")
                .then(|| "that is a private key: give it with --key-id".to_owned()),
        )
    })
}

/// The signer, where a file can be written once it has signed.
fn certificate_signer(
    options: &CertificateOptions,
    made: &mut Made,
) -> Result<Box<dyn Signer>, Failure> {
    let source = source(&options.key)?;
    output::spare(&options.output, source.choice.files())?;
    if !inputs::is_stdin(&options.output) {
        output::has_place(&options.output)?;
    }
    let signer = sign::signer(&source.choice, None, made)?;
    if let Some(name) = signer.full_name() {
        made.remarks.push(format!("the key is {name}"));
        made.note("key", name);
    }
    made.note("algorithm", signer.public_key().to_string());
    Ok(signer)
}

fn try_cert(options: &CertificateOptions, made: &mut Made) -> Result<(), Failure> {
    let not_before = sign::created(options.created, sign::now())?;
    let not_after = match options.validity {
        None => not_before.later(VALIDITY),
        Some(Validity::For(duration)) => not_before.later(duration),
        Some(Validity::Until(time)) => time,
    };
    let mut template = CertificateTemplate::new(&options.common_name, not_before, not_after);
    if let Some(serial) = &options.serial {
        template = template.with_serial(serial);
    }
    let signer = certificate_signer(options, made)?;
    let pem = wait::block_on(certificate::self_signed(&*signer, &template));
    let pem = pem.map_err(|error| uncertified(&error))?;
    made.remarks.push(format!(
        "certificate for a {} key, valid from {not_before} to {not_after}",
        signer.public_key()
    ));
    made.note("not_before", not_before.to_string());
    made.note("not_after", not_after.to_string());
    write(options, "certificate", pem, made)
}

fn try_csr(options: &CertificateOptions, made: &mut Made) -> Result<(), Failure> {
    let signer = certificate_signer(options, made)?;
    let pem = wait::block_on(certificate::request(&*signer, &options.common_name));
    let pem = pem.map_err(|error| uncertified(&error))?;
    write(options, "request", pem, made)
}

fn uncertified(error: &certificate::CertificateError) -> Failure {
    failed("not-certified", chain(error)).with_optional_hint(sign::backend_hint(error))
}

fn write(
    options: &CertificateOptions,
    name: &'static str,
    pem: String,
    made: &mut Made,
) -> Result<(), Failure> {
    if inputs::is_stdin(&options.output) {
        made.note("output", Value::Null);
        made.note(name, pem.clone());
        made.payload = Some(pem.into_bytes());
        return Ok(());
    }
    let existing = Existing::with_force(options.force);
    output::publish(&options.output, pem.as_bytes(), existing, KEEP_OR_FORCE)?;
    made.note("output", shown(&options.output));
    made.results.push(shown(&options.output));
    Ok(())
}

/// A token of the command line, or from standard input, without the line end.
fn token_text(given: &str) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let octets = inputs::read_bounded(Path::new("-"), TOKEN_OCTETS)?;
    let text = String::from_utf8(octets);
    let text = text.map_err(|_| failed("malformed-token", "standard input is not UTF-8"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn try_inspect(token: &str, made: &mut Made) -> Result<(), Failure> {
    /// What many proxies and servers take as one header line.
    const HEADER_OCTETS: usize = 8 * 1024;
    let text = token_text(token)?;
    let parsed = ParsedToken::from_compact(&text)
        .map_err(|error| failed("malformed-token", error.to_string()))?;
    let now = sign::now();
    let mut warnings = Vec::new();
    let mut line = |name: &str, value: String| made.results.push(format!("{name:<13}{value}"));
    let shown_value = |value: &Value| match value {
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    };
    for (name, value) in parsed.header() {
        match (name.as_str(), value) {
            ("x5c", Value::Array(own)) => line("x5c", format!("{} certificates", own.len())),
            _ => line(&printable(name), shown_value(value)),
        }
    }
    for (name, value) in parsed.claims() {
        match (name.as_str(), value.as_u64()) {
            ("exp" | "nbf" | "iat", Some(time)) => {
                let time = Timestamp::from_unix(time.min(MAX_SHOWN_TIME));
                line(name, time.to_string());
                if name == "exp" && time < now {
                    warnings.push(format!("it ended at {time}"));
                }
                if name == "nbf" && time > now {
                    warnings.push(format!("it begins at {time}"));
                }
            }
            ("access", _) if value.is_array() => {
                for entry in value.as_array().into_iter().flatten() {
                    line("access", access_line(entry));
                }
            }
            _ => line(&printable(name), shown_value(value)),
        }
    }
    let (signed, signature) = parsed.sizes();
    line(
        "size",
        format!("{} bytes, {signed} of them signed", text.len()),
    );
    line("signature", format!("{signature} bytes, not verified"));
    for claim in ["iss", "aud", "exp"] {
        if !parsed.claims().contains_key(claim) {
            warnings.push(format!("no `{claim}`: registries refuse it"));
        }
    }
    if !["x5c", "kid", "jwk"]
        .iter()
        .any(|own| parsed.header().contains_key(*own))
    {
        warnings.push("the header names no key: registries refuse it".to_owned());
    }
    let algorithm = parsed.header().get("alg").and_then(Value::as_str);
    match algorithm {
        Some("ES256") if signature != 64 => {
            warnings.push(format!(
                "an ES256 signature has 64 bytes, this one has {signature}"
            ));
        }
        Some("RS256" | "RS384" | "RS512" | "ES256" | "ES384") => {}
        _ => warnings.push("registry 2.8 refuses this algorithm".to_owned()),
    }
    if text.len() > HEADER_OCTETS {
        warnings.push(format!(
            "longer than {HEADER_OCTETS} bytes: proxies may cut or refuse it"
        ));
    }
    let object = |own: &Map<String, Value>| Value::Object(own.clone());
    made.note("header", object(parsed.header()));
    made.note("claims", object(parsed.claims()));
    made.note("bytes", text.len());
    made.note("signed_bytes", signed);
    made.note("signature_bytes", signature);
    made.warnings.extend(warnings);
    Ok(())
}

/// The last second of the year 9999: what RFC 3339 can say.
const MAX_SHOWN_TIME: u64 = 253_402_300_799;

fn access_line(entry: &Value) -> String {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let actions = entry.get("actions").and_then(Value::as_array);
    let actions = actions.into_iter().flatten().filter_map(Value::as_str);
    let actions: Vec<&str> = actions.collect();
    let class = match text("class") {
        "" => String::new(),
        class => format!("({class})"),
    };
    printable(&format!(
        "{}{class}:{}:{}",
        text("type"),
        text("name"),
        actions.join(",")
    ))
}

pub(crate) fn verify(options: &JudgeOptions) -> Outcome {
    let mut outcome = Outcome::new("token verify");
    if let Err(failure) = judge(options, &mut outcome) {
        outcome.failure = Some(failure);
    }
    outcome
}

fn judge(options: &JudgeOptions, outcome: &mut Outcome) -> Result<(), Failure> {
    let files = options.bundle.iter().chain(&options.jwks);
    let dash = PathBuf::from("-");
    let token = (options.token == "-").then_some(&dash);
    inputs::at_most_one_stdin(files.chain(token))?;
    let mut trust = RegistryTrust::new(options.registry, &options.issuer, &options.service);
    if let Some(path) = &options.bundle {
        let octets = inputs::read_bounded(path, CHAIN_FILE_OCTETS)?;
        trust = trust.with_bundle(&octets).map_err(|error| {
            let message = format!("`{}` is no bundle: {}", shown(path), chain(&error));
            failed("unusable-certificate", message).with_hint(
                "a registry does not start with it: `countersign token cert` makes a certificate",
            )
        })?;
    }
    if let Some(path) = &options.jwks {
        let octets = inputs::read_bounded(path, CONFIG_OCTETS)?;
        let unfit = |why: String| failed("unusable-key-file", format!("`{}`: {why}", shown(path)));
        let set = Jwks::from_json(&octets).map_err(|error| unfit(error.to_string()))?;
        trust = trust
            .with_jwks(set)
            .map_err(|error| unfit(error.to_string()))?;
    }
    let text = token_text(&options.token)?;
    let now = options.at.unwrap_or_else(sign::now);
    outcome.file = Some("token".to_owned());
    outcome.checked_at = Some(now);
    let judged = trust.judge(&text, now);
    judged.and_then(|accepted| accepted.grants(&options.access)).map_err(|rejection| {
        let verdict = match rejection {
            Rejection::Undecided { .. } => Verdict::CouldNotTell,
            _ => Verdict::Refused,
        };
        let hint = match &rejection {
            Rejection::UntrustedKey { .. } => Some(
                "a certificate in the header (x5c) is what every version takes; `countersign token jwks` prints key ids",
            ),
            Rejection::Chain { .. } => Some("is the key's certificate, or its authority's, in the bundle?"),
            Rejection::Expired { .. } | Rejection::NotYet { .. } => Some("is the clock of this machine right?"),
            _ => None,
        };
        let message = format!("registry {}: {rejection}", options.registry);
        Failure::new(verdict, rejection.name(), message)
            .with_optional_hint(hint.map(str::to_owned))
    })
}

fn try_config(options: &TokenConfigOptions, made: &mut Made) -> Result<(), Failure> {
    let config = read_config(&options.file)?;
    let given = |own: &Option<String>, otherwise: &str| {
        Value::from(own.clone().unwrap_or_else(|| otherwise.to_owned())).to_string()
    };
    let bundle = config.certificate().map_or_else(
        || {
            made.warnings.push(
                "no certificate: registry 2 needs one in `rootcertbundle` (`countersign token cert`), registry 3 takes a `jwks` file"
                    .to_owned(),
            );
            "    jwks: \"token.jwks.json\"".to_owned()
        },
        |path| format!("    rootcertbundle: {}", Value::from(path)),
    );
    // Strings of JSON are strings of YAML.
    let block = format!(
        "auth:\n  token:\n    realm: {}\n    service: {}\n    issuer: {}\n{bundle}\n",
        given(&options.realm, "https://auth.example.org/token"),
        given(&options.service, "registry.example.org"),
        Value::from(config.issuer()),
    );
    made.note("issuer", config.issuer());
    made.note("expiration", config.lifetime().as_secs());
    made.note("registry", block.clone());
    made.payload = Some(block.into_bytes());
    Ok(())
}
