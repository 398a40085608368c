//! `countersign key generate`, `key mint` and `key show`.

use std::path::PathBuf;
use std::time::Duration;

use countersign::sign::KeyAlgorithm;
use countersign::verify::{Timestamp, printable};

use super::sign::{SignerArguments, SignerChoice, backend_flags};
use super::{Command, Group, Subcommand, UsageError, Word, Words, parse_duration, parse_time};

pub(crate) struct GenerateOptions {
    pub(crate) algorithm: KeyAlgorithm,
    /// None for a token key.
    pub(crate) user_id: Option<String>,
    /// What default file names begin with.
    pub(crate) stem: String,
    pub(crate) output: Option<PathBuf>,
    pub(crate) private_output: Option<PathBuf>,
    pub(crate) encrypt: bool,
    pub(crate) passphrase_file: Option<String>,
    pub(crate) passphrase_env: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) validity: Option<Validity>,
    pub(crate) force: bool,
}

pub(crate) struct MintOptions {
    pub(crate) signer: SignerChoice,
    pub(crate) user_ids: Vec<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) validity: Option<Validity>,
    pub(crate) output: PathBuf,
    pub(crate) force: bool,
}

pub(crate) struct ShowOptions {
    pub(crate) file: PathBuf,
    pub(crate) at: Option<Timestamp>,
}

/// `--expires`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Validity {
    /// From the creation on.
    For(Duration),
    Until(Timestamp),
}

const GENERATE_FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "algorithm",
    "name",
    "email",
    "output",
    "private-output",
    "encrypt",
    "local-passphrase-file",
    "local-passphrase-env",
    "created",
    "expires",
    "force",
];
const MINT_FLAGS: &[&str] = &[
    "help", "json", "quiet", "color", "backend", "key-id", "name", "email", "created", "expires",
    "output", "force",
];
const SHOW_FLAGS: &[&str] = &["help", "json", "quiet", "color", "at"];

pub(super) const GROUP: Group = Group {
    name: "key",
    help: HELP,
    commands: &[
        Subcommand {
            name: "generate",
            help: GENERATE_HELP,
            parse: parse_generate,
        },
        Subcommand {
            name: "mint",
            help: MINT_HELP,
            parse: parse_mint,
        },
        Subcommand {
            name: "show",
            help: SHOW_HELP,
            parse: parse_show,
        },
    ],
};

fn parse_generate(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "key generate",
        flags: GENERATE_FLAGS,
        ..words
    };
    let (mut algorithm, mut name, mut email) = (None, None, None);
    let (mut output, mut private_output, mut created, mut validity) = (None, None, None, None);
    let (mut passphrase_file, mut passphrase_env) = (None, None);
    let (mut encrypt, mut force) = (false, false);
    let own = |text: &str| Ok(text.to_owned());
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(GENERATE_HELP.to_owned())),
            Word::Flag("encrypt") => encrypt = true,
            Word::Flag("force") => force = true,
            Word::Flag(flag @ "algorithm") => {
                words.once_parsed(flag, &mut algorithm, |text| match text {
                    "rsa3072" => Ok(KeyAlgorithm::Rsa3072),
                    "rsa4096" => Ok(KeyAlgorithm::Rsa4096),
                    "ed25519" => Ok(KeyAlgorithm::Ed25519),
                    "p256" => Ok(KeyAlgorithm::P256),
                    other => Err(format!(
                        "`{}` is none of `rsa3072`, `rsa4096`, `ed25519`, `p256`",
                        printable(other)
                    )),
                })?;
            }
            Word::Flag(flag @ "name") => words.once_parsed(flag, &mut name, parse_name)?,
            Word::Flag(flag @ "email") => words.once_parsed(flag, &mut email, parse_email)?,
            Word::Flag(flag @ "output") => {
                words.once(flag, &mut output, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "private-output") => {
                words.once(flag, &mut private_output, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "local-passphrase-file") => {
                words.once_parsed(flag, &mut passphrase_file, own)?;
            }
            Word::Flag(flag @ "local-passphrase-env") => {
                words.once_parsed(flag, &mut passphrase_env, own)?;
            }
            Word::Flag(flag @ "created") => words.once_parsed(flag, &mut created, parse_time)?,
            Word::Flag(flag @ "expires") => {
                words.once_parsed(flag, &mut validity, parse_validity)?
            }
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(extra) => return Err(words.unexpected(&extra)),
        }
    }
    let algorithm = algorithm.unwrap_or(KeyAlgorithm::Rsa4096);
    let (user_id, stem) = if algorithm == KeyAlgorithm::P256 {
        // Its public half is no certificate and names nobody.
        if name.is_some() || email.is_some() || created.is_some() || validity.is_some() {
            let message =
                "a P-256 key signs tokens: it has no --name, --email, --created or --expires";
            return Err(words.error(message));
        }
        (None, "token".to_owned())
    } else {
        let email = email.ok_or_else(|| words.error("no --email given: whose key is it?"))?;
        let name = name.ok_or_else(|| words.error("no --name given: whose key is it?"))?;
        (Some(user_id(&name, &email)), email)
    };
    if !encrypt && (passphrase_file.is_some() || passphrase_env.is_some()) {
        return Err(words.error("a passphrase is given without --encrypt"));
    }
    Ok(Command::Generate(Box::new(GenerateOptions {
        algorithm,
        user_id,
        stem,
        output,
        private_output,
        encrypt,
        passphrase_file,
        passphrase_env,
        created,
        validity,
        force,
    })))
}

fn parse_mint(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "key mint",
        flags: MINT_FLAGS,
        backend_flags: backend_flags(),
        ..words
    };
    let mut signer = SignerArguments::default();
    let (mut name, mut emails) = (None, Vec::new());
    let (mut output, mut created, mut validity, mut force) = (None, None, None, false);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(MINT_HELP.to_owned())),
            Word::Flag("force") => force = true,
            Word::Flag(flag @ "name") => words.once_parsed(flag, &mut name, parse_name)?,
            Word::Flag(flag @ "email") => emails.push(words.parsed(flag, parse_email)?),
            Word::Flag(flag @ "output") => {
                words.once(flag, &mut output, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "created") => words.once_parsed(flag, &mut created, parse_time)?,
            Word::Flag(flag @ "expires") => {
                words.once_parsed(flag, &mut validity, parse_validity)?
            }
            Word::Flag(flag) => signer.take(flag, &mut words)?,
            Word::BackendFlag(place) => signer.take_option(place, &mut words)?,
            // `--email A B`, as it is natural to write.
            Word::Value(more) if !emails.is_empty() => {
                let text = words.text("the value of --email", more)?;
                let email = parse_email(&text);
                emails.push(email.map_err(|problem| words.error(&format!("--email: {problem}")))?);
            }
            Word::Value(extra) => return Err(words.unexpected(&extra)),
        }
    }
    let signer = signer.finish(&words)?;
    let name = name.ok_or_else(|| words.error("no --name given: whose key is it?"))?;
    if emails.is_empty() {
        return Err(words.error("no --email given: whose key is it?"));
    }
    let output = output.ok_or_else(|| words.error("no --output given"))?;
    Ok(Command::Mint(Box::new(MintOptions {
        signer,
        user_ids: emails.iter().map(|email| user_id(&name, email)).collect(),
        created,
        validity,
        output,
        force,
    })))
}

fn parse_show(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "key show",
        flags: SHOW_FLAGS,
        ..words
    };
    let (mut file, mut at) = (None, None);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(SHOW_HELP.to_owned())),
            Word::Flag(flag @ "at") => words.once_parsed(flag, &mut at, parse_time)?,
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(value) if file.is_none() => file = Some(PathBuf::from(value)),
            Word::Value(extra) => return Err(words.unexpected(&extra)),
        }
    }
    let file = file.ok_or_else(|| words.error("no FILE given"))?;
    Ok(Command::Show(Box::new(ShowOptions { file, at })))
}

fn user_id(name: &str, email: &str) -> String {
    format!("{name} <{email}>")
}

fn parse_name(text: &str) -> Result<String, String> {
    let shown = printable(text);
    if text.trim().is_empty() {
        Err("it is empty".to_owned())
    } else if text.contains(['<', '>']) || shown != text || text.trim() != text {
        Err(format!(
            "`{shown}` is no name: no `<`, no `>`, no space at its ends"
        ))
    } else {
        Ok(text.to_owned())
    }
}

/// What can be looked up later: one `@`, a domain, nothing that a user id or a file name would stumble over.
fn parse_email(text: &str) -> Result<String, String> {
    let plain = |part: &str| {
        let fits = |c: char| c.is_alphanumeric() || "!#$%&'*+-=?^_`{|}~.".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(fits)
    };
    match text.split_once('@') {
        Some((local, domain)) if plain(local) && plain(domain) => Ok(text.to_owned()),
        _ => Err(format!("`{}` is no mail address", printable(text))),
    }
}

pub(super) fn parse_validity(text: &str) -> Result<Validity, String> {
    match (parse_duration(text), parse_time(text)) {
        (Ok(duration), _) => Ok(Validity::For(duration)),
        (_, Ok(time)) => Ok(Validity::Until(time)),
        _ => Err(format!(
            "`{}` is neither a duration such as `2y` nor a time such as `2030-01-01`",
            printable(text)
        )),
    }
}

const HELP: &str = "\
Make and look at keys.

Usage: countersign key generate --name NAME --email ADDRESS
       countersign key mint --key-id KEY --name NAME --email ADDRESS... --output FILE
       countersign key show FILE

Commands:
  generate   A private key on disk and its certificate
  mint       A certificate for a key that a backend has
  show       What is in a certificate, and whether it would be trusted

`countersign key COMMAND --help` says more.
";

const GENERATE_HELP: &str = "\
Make a private key on disk and its certificate.

Usage: countersign key generate --name NAME --email ADDRESS [OPTIONS]

Options:
      --name NAME, --email ADDRESS
                           Whose key it is: `NAME <ADDRESS>`
      --algorithm NAME     rsa4096 (default), rsa3072 or ed25519; p256 makes a token key, without
                           a name: token.pub.pem and token.key.pem
      --output FILE        The certificate; default: ADDRESS.asc
      --private-output FILE
                           The private key, for its owner alone; default: ADDRESS.key.pem
      --encrypt            Ask for a passphrase and encrypt the private key with it
      --local-passphrase-file FILE, --local-passphrase-env NAME
                           With --encrypt: do not ask, take it from there
      --expires WHEN       A duration (2y) or a time; default: does not expire
      --created TIME       Default: SOURCE_DATE_EPOCH, else now
      --force              Replace files that are there
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 done, 2 not done.

Example:
  countersign key generate --name 'Example Releases' --email releases@example.org
";

const MINT_HELP: &str = concat!(
    "\
Make a certificate for a key that a backend has.

Usage: countersign key mint --key-id KEY --name NAME --email ADDRESS... --output FILE [OPTIONS]

Options:
      --key-id KEY         The private key; for backend `local` the path of a PEM file
      --backend NAME       Where the key is; default: local
      --local-passphrase-file FILE, --local-passphrase-env NAME
                           The passphrase of an encrypted key; default: ask on the terminal
",
    kms_help!(),
    "      --name NAME          Whose key it is
      --email ADDRESS      A user id `NAME <ADDRESS>` each; several may follow
      --expires WHEN       A duration (2y) or a time; default: does not expire
      --created TIME       Default: SOURCE_DATE_EPOCH, else now. The fingerprint depends on it
      --output FILE        The certificate; `-` is standard output
      --force              Replace a file that is there
      --json, -q --quiet, --color WHEN, -h --help

The same key, user ids and times give the same certificate. Exit status: 0 done, 2 not done.

Example:
  countersign key mint --key-id release.key.pem --name 'Example Releases' \\
    --email releases@example.org --created 2026-01-01 --output release.asc
"
);

const SHOW_HELP: &str = "\
Show what is in a file of certificates, and whether `countersign verify` would trust it.

Usage: countersign key show FILE [OPTIONS]

Options:
      --at TIME            Judge as of this time; default: now
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 shown, whatever the judgement; 2 no certificate.

Example:
  countersign key show release.asc
";
