//! `countersign sign`, and how a signer is chosen.

use std::path::{Path, PathBuf};

use countersign::sign::{Options, Registry};
use countersign::verify::{HashAlgorithm, Timestamp, printable};

use super::{BackendFlag, Command, UsageError, Word, Words, parse_time};

pub(crate) struct SignOptions {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) signer: SignerChoice,
    /// The certificate of the signer's key.
    pub(crate) certificate: PathBuf,
    pub(crate) output: Option<PathBuf>,
    pub(crate) append: bool,
    pub(crate) force: bool,
    /// Certificates of those who signed before.
    pub(crate) keys: Vec<PathBuf>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) hash: Option<HashAlgorithm>,
    pub(crate) notations: Vec<(String, String)>,
    pub(crate) binary: bool,
}

/// Which key of which backend.
#[derive(Clone)]
pub(crate) struct SignerChoice {
    pub(crate) backend: String,
    pub(crate) key_id: String,
    pub(crate) options: Options,
}

impl SignerChoice {
    /// The files that backend `local` reads: key and passphrase.
    pub(crate) fn files(&self) -> Vec<&Path> {
        if self.backend != "local" {
            return Vec::new();
        }
        let passphrase = self.options.get("passphrase-file");
        let names = [Some(self.key_id.as_str()), passphrase];
        names.into_iter().flatten().map(Path::new).collect()
    }
}

/// Backend, option and value.
pub(crate) type BackendValue = (String, &'static str, String);

/// The same, as its flags come in.
#[derive(Default)]
pub(super) struct SignerArguments {
    backend: Option<String>,
    key_id: Option<String>,
    values: Vec<BackendValue>,
}

impl SignerArguments {
    pub(super) fn take(
        &mut self,
        flag: &'static str,
        words: &mut Words<'_>,
    ) -> Result<(), UsageError> {
        match flag {
            "backend" => words.once_parsed(flag, &mut self.backend, |text| Ok(text.to_owned())),
            "key-id" => words.once_parsed(flag, &mut self.key_id, |text| Ok(text.to_owned())),
            // Flags that only set the style were taken already.
            _ => Ok(()),
        }
    }

    pub(super) fn take_option(
        &mut self,
        place: usize,
        words: &mut Words<'_>,
    ) -> Result<(), UsageError> {
        let Some(BackendFlag {
            flag,
            backend,
            option,
        }) = words.backend_flags.get(place)
        else {
            return Ok(());
        };
        let (flag, backend, option) = (flag.clone(), backend.clone(), *option);
        if self.values.iter().any(|(_, own, _)| *own == option) {
            return Err(words.error(&format!("--{flag} is given twice")));
        }
        let value = words.parsed(&flag, |text| Ok(text.to_owned()))?;
        self.values.push((backend, option, value));
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.backend.is_none() && self.key_id.is_none() && self.values.is_empty()
    }

    /// Options alone: which key of which backend stands elsewhere.
    pub(super) fn finish_options(self, words: &Words<'_>) -> Result<Vec<BackendValue>, UsageError> {
        if self.backend.is_some() || self.key_id.is_some() {
            return Err(
                words.error("--config says which key signs: leave --backend and --key-id out")
            );
        }
        Ok(self.values)
    }

    pub(super) fn finish(self, words: &Words<'_>) -> Result<SignerChoice, UsageError> {
        let key_id = self.key_id.ok_or_else(|| UsageError {
            hint: "for a key on disk, the path of its PEM file".to_owned(),
            ..words.error("no --key-id given: which key signs?")
        })?;
        let backend = self.backend.unwrap_or_else(|| "local".to_owned());
        let mut options = Options::new();
        for (owner, option, value) in self.values {
            if owner != backend {
                let message =
                    format!("an option of backend `{owner}` is given with --backend {backend}");
                return Err(words.error(&message));
            }
            options = options.with(option, value);
        }
        Ok(SignerChoice {
            backend,
            key_id,
            options,
        })
    }
}

/// The options of all backends as flags.
pub(super) fn backend_flags() -> Vec<BackendFlag> {
    let registry = Registry::builtin();
    let mut flags = Vec::new();
    for name in registry.names() {
        let Ok(backend) = registry.get(name) else {
            continue;
        };
        flags.extend(backend.options().iter().map(|option| BackendFlag {
            flag: format!("{}-{}", backend.flag_prefix(), option.name()),
            backend: name.to_owned(),
            option: option.name(),
        }));
    }
    flags
}

pub(super) const FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "backend",
    "key-id",
    "public-key",
    "output",
    "append",
    "force",
    "key",
    "created",
    "hash",
    "notation",
    "binary",
];

pub(super) fn parse(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "sign",
        flags: FLAGS,
        backend_flags: backend_flags(),
        ..words
    };
    let mut signer = SignerArguments::default();
    let (mut files, mut keys, mut notations) = (Vec::new(), Vec::new(), Vec::new());
    let (mut certificate, mut output, mut created, mut hash) = (None, None, None, None);
    let (mut append, mut force, mut binary) = (false, false, false);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(HELP.to_owned())),
            Word::Flag("append") => append = true,
            Word::Flag("force") => force = true,
            Word::Flag("binary") => binary = true,
            Word::Flag(flag @ "public-key") => {
                words.once(flag, &mut certificate, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "output") => {
                words.once(flag, &mut output, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "key") => keys.push(PathBuf::from(words.value(flag)?)),
            Word::Flag(flag @ "created") => words.once_parsed(flag, &mut created, parse_time)?,
            Word::Flag(flag @ "hash") => words.once_parsed(flag, &mut hash, parse_hash)?,
            Word::Flag(flag @ "notation") => {
                let notation = words.parsed(flag, |text| match text.split_once('=') {
                    Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
                    None => Err(format!("`{}` is not NAME=VALUE", printable(text))),
                })?;
                notations.push(notation);
            }
            Word::Flag(flag) => signer.take(flag, &mut words)?,
            Word::BackendFlag(place) => signer.take_option(place, &mut words)?,
            Word::Value(file) => files.push(PathBuf::from(file)),
        }
    }
    if files.is_empty() {
        return Err(words.error("no FILE given"));
    }
    let signer = signer.finish(&words)?;
    let certificate = certificate.ok_or_else(|| UsageError {
        hint: "give the certificate of the key with --public-key FILE".to_owned(),
        ..words.error("no --public-key given: a signature names its certificate")
    })?;
    if output.is_some() && files.len() > 1 {
        return Err(words.error("--output takes one signature, and there are several FILEs"));
    }
    if append && force {
        return Err(words.error("--append keeps what is there, --force does not: give one of them"));
    }
    if !keys.is_empty() && !append {
        return Err(words.error("--key checks earlier signatures, so it needs --append"));
    }
    Ok(Command::Sign(Box::new(SignOptions {
        files,
        signer,
        certificate,
        output,
        append,
        force,
        keys,
        created,
        hash,
        notations,
        binary,
    })))
}

pub(super) fn parse_hash(text: &str) -> Result<HashAlgorithm, String> {
    match text.to_ascii_lowercase().replace('-', "").as_str() {
        "sha256" => Ok(HashAlgorithm::Sha256),
        "sha384" => Ok(HashAlgorithm::Sha384),
        "sha512" => Ok(HashAlgorithm::Sha512),
        _ => Err(format!(
            "`{}` is none of `sha256`, `sha384`, `sha512`",
            printable(text)
        )),
    }
}

pub(super) const HELP: &str = concat!(
    "\
Make detached OpenPGP signatures. Each is verified before it is written.

Usage: countersign sign FILE... --key-id KEY --public-key CERT [OPTIONS]

  FILE                     What to sign; `-` is standard input, with --output

Options:
      --public-key CERT    The certificate of the signing key
      --key-id KEY         The private key; for backend `local` the path of a PEM file
      --backend NAME       Where the key is; default: local
      --local-passphrase-file FILE, --local-passphrase-env NAME
                           The passphrase of an encrypted key; default: ask on the terminal
",
    kms_help!(),
    "      --output FILE        Default: FILE.sig; `-` is standard output
      --append             Add to a signature file that is there, and keep what it holds
      --key CERT           With --append: check the earlier signatures by this certificate;
                           may be repeated
      --force              Replace a signature file that is there
      --binary             Binary, not armored
      --hash NAME          sha256 (default with RSA), sha384, sha512 (default with Ed25519)
      --notation NAME=VALUE
                           A signed notation, such as `version@example.org=1.2`; may be repeated
      --created TIME       Default: SOURCE_DATE_EPOCH, else now
      --json, -q --quiet, --color WHEN, -h --help

TIME is RFC 3339 or a UTC date. Exit status: 0 done, 2 not done.

Example:
  countersign sign SHA256SUMS --key-id release.key.pem --public-key release.asc
"
);
