//! `countersign token`.

use std::path::PathBuf;
use std::time::Duration;

use countersign::sign::token::verify::RegistryVersion;
use countersign::sign::token::{AccessList, Algorithm};
use countersign::verify::{Timestamp, printable};

use super::key::{Validity, parse_validity};
use super::sign::{BackendValue, SignerArguments, SignerChoice, backend_flags};
use super::{Command, Group, Subcommand, UsageError, Word, Words, duration_in, parse_time};

/// Whose key signs, and what all its tokens say.
pub(crate) enum TokenKey {
    /// A configuration file, and options of its backend.
    Config(PathBuf, Vec<BackendValue>),
    Signer(SignerChoice),
}

pub(crate) struct IssueOptions {
    pub(crate) key: TokenKey,
    pub(crate) issuer: Option<String>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) key_id_form: Option<String>,
    pub(crate) subject: String,
    pub(crate) service: String,
    pub(crate) access: AccessList,
    pub(crate) expires: Option<Duration>,
    pub(crate) json: bool,
}

pub(crate) struct JwksOptions {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) key: Option<TokenKey>,
    pub(crate) key_id_forms: Vec<String>,
}

/// `token cert` and `token csr`.
pub(crate) struct CertificateOptions {
    pub(crate) key: TokenKey,
    pub(crate) common_name: String,
    pub(crate) created: Option<Timestamp>,
    pub(crate) validity: Option<Validity>,
    pub(crate) serial: Option<Vec<u8>>,
    pub(crate) output: PathBuf,
    pub(crate) force: bool,
}

pub(crate) struct JudgeOptions {
    pub(crate) token: String,
    pub(crate) bundle: Option<PathBuf>,
    pub(crate) jwks: Option<PathBuf>,
    pub(crate) issuer: String,
    pub(crate) service: String,
    pub(crate) registry: RegistryVersion,
    pub(crate) access: AccessList,
    pub(crate) at: Option<Timestamp>,
}

pub(crate) struct TokenConfigOptions {
    pub(crate) file: PathBuf,
    pub(crate) realm: Option<String>,
    pub(crate) service: Option<String>,
}

const ISSUE_FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "config",
    "issuer",
    "backend",
    "key-id",
    "certificate",
    "algorithm",
    "kid",
    "subject",
    "service",
    "access",
    "expires",
    "format",
];
const JWKS_FLAGS: &[&str] = &[
    "help", "json", "quiet", "color", "config", "backend", "key-id", "kid",
];
const CERT_FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "config",
    "backend",
    "key-id",
    "common-name",
    "created",
    "expires",
    "serial",
    "output",
    "force",
];
const CSR_FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "config",
    "backend",
    "key-id",
    "common-name",
    "output",
    "force",
];
const INSPECT_FLAGS: &[&str] = &["help", "json", "quiet", "color"];
const JUDGE_FLAGS: &[&str] = &[
    "help", "json", "quiet", "color", "bundle", "jwks", "issuer", "service", "registry", "access",
    "at",
];
const CONFIG_FLAGS: &[&str] = &["help", "json", "quiet", "color", "realm", "service"];

pub(super) const GROUP: Group = Group {
    name: "token",
    help: HELP,
    commands: &[
        Subcommand {
            name: "issue",
            help: ISSUE_HELP,
            parse: parse_issue,
        },
        Subcommand {
            name: "jwks",
            help: JWKS_HELP,
            parse: parse_jwks,
        },
        Subcommand {
            name: "cert",
            help: CERT_HELP,
            parse: parse_cert,
        },
        Subcommand {
            name: "csr",
            help: CSR_HELP,
            parse: parse_csr,
        },
        Subcommand {
            name: "inspect",
            help: INSPECT_HELP,
            parse: parse_inspect,
        },
        Subcommand {
            name: "verify",
            help: JUDGE_HELP,
            parse: parse_judge,
        },
        Subcommand {
            name: "config",
            help: CONFIG_HELP,
            parse: parse_config,
        },
    ],
};

/// The key's flags, as they come in.
#[derive(Default)]
struct KeyArguments {
    config: Option<PathBuf>,
    signer: SignerArguments,
}

impl KeyArguments {
    fn take(&mut self, flag: &'static str, words: &mut Words<'_>) -> Result<(), UsageError> {
        match flag {
            "config" => words.once(flag, &mut self.config, |value| Ok(PathBuf::from(value))),
            flag => self.signer.take(flag, words),
        }
    }

    fn is_given(&self) -> bool {
        self.config.is_some() || !self.signer.is_empty()
    }

    fn finish(self, words: &Words<'_>) -> Result<TokenKey, UsageError> {
        match self.config {
            Some(config) => Ok(TokenKey::Config(config, self.signer.finish_options(words)?)),
            None => Ok(TokenKey::Signer(self.signer.finish(words)?)),
        }
    }
}

fn own(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn parse_issue(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "token issue",
        flags: ISSUE_FLAGS,
        backend_flags: backend_flags(),
        ..words
    };
    let mut key = KeyArguments::default();
    let (mut issuer, mut certificate, mut algorithm, mut subject) = (None, None, None, None);
    let (mut service, mut expires, mut format) = (None, None, None);
    let (mut scopes, mut key_id_form) = (Vec::new(), None);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(ISSUE_HELP.to_owned())),
            Word::Flag(flag @ "issuer") => words.once_parsed(flag, &mut issuer, own)?,
            Word::Flag(flag @ "certificate") => {
                words.once(flag, &mut certificate, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "algorithm") => {
                words.once_parsed(flag, &mut algorithm, parse_algorithm)?;
            }
            Word::Flag(flag @ "kid") => words.once_parsed(flag, &mut key_id_form, own)?,
            Word::Flag(flag @ "subject") => words.once_parsed(flag, &mut subject, own)?,
            Word::Flag(flag @ "service") => words.once_parsed(flag, &mut service, own)?,
            Word::Flag(flag @ "access") => scopes.push(words.parsed(flag, own)?),
            Word::Flag(flag @ "expires") => {
                words.once_parsed(flag, &mut expires, parse_lifetime)?
            }
            Word::Flag(flag @ "format") => {
                words.once_parsed(flag, &mut format, |text| match text {
                    "token" => Ok(false),
                    "json" => Ok(true),
                    other => Err(format!(
                        "`{}` is neither `token` nor `json`",
                        printable(other)
                    )),
                })?;
            }
            Word::Flag(flag) => key.take(flag, &mut words)?,
            Word::BackendFlag(place) => key.signer.take_option(place, &mut words)?,
            // `--access A B`, as it is natural to write.
            Word::Value(more) if !scopes.is_empty() => {
                scopes.push(words.text("the value of --access", more)?);
            }
            Word::Value(extra) => return Err(words.unexpected(&extra)),
        }
    }
    let key = key.finish(&words)?;
    match (&key, &issuer) {
        (TokenKey::Config(..), Some(_)) => {
            return Err(words.error("--issuer is given, and --config has it"));
        }
        (TokenKey::Config(..), None) if certificate.is_some() => {
            return Err(words.error("--certificate is given, and --config has it"));
        }
        (TokenKey::Signer(_), None) => {
            return Err(words.error("no --issuer given: the registry's `issuer`, to the letter"));
        }
        _ => {}
    }
    let service = service.ok_or_else(|| words.error("no --service given: for which registry?"))?;
    let subject = subject.ok_or_else(|| words.error("no --subject given: for whom?"))?;
    Ok(Command::TokenIssue(Box::new(IssueOptions {
        key,
        issuer,
        certificate,
        algorithm,
        key_id_form,
        subject,
        service,
        access: parse_access(&scopes, &words)?,
        expires,
        json: format.unwrap_or(false),
    })))
}

fn parse_access(scopes: &[String], words: &Words<'_>) -> Result<AccessList, UsageError> {
    let parsed = scopes.join(" ").parse();
    parsed.map_err(|error: countersign::sign::token::ScopeError| {
        words.error(&format!("--access: {error}"))
    })
}

fn parse_algorithm(text: &str) -> Result<Algorithm, String> {
    match text.to_ascii_lowercase().as_str() {
        "rs256" => Ok(Algorithm::Rs256),
        "rs384" => Ok(Algorithm::Rs384),
        "rs512" => Ok(Algorithm::Rs512),
        "es256" => Ok(Algorithm::Es256),
        _ => Err(format!(
            "`{}` is none of `rs256`, `rs384`, `rs512`, `es256`",
            printable(text)
        )),
    }
}

/// Seconds without a unit, as in the configuration.
fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("", 1)];
    duration_in(text, &units, "`900s`, `15m` or `1h`")
}

fn parse_jwks(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "token jwks",
        flags: JWKS_FLAGS,
        backend_flags: backend_flags(),
        ..words
    };
    let mut key = KeyArguments::default();
    let (mut files, mut key_id_forms) = (Vec::new(), Vec::new());
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(JWKS_HELP.to_owned())),
            Word::Flag(flag @ "kid") => key_id_forms.push(words.parsed(flag, own)?),
            Word::Flag(flag) => key.take(flag, &mut words)?,
            Word::BackendFlag(place) => key.signer.take_option(place, &mut words)?,
            Word::Value(file) => files.push(PathBuf::from(file)),
        }
    }
    let key = if key.is_given() {
        Some(key.finish(&words)?)
    } else if files.is_empty() {
        return Err(words.error("no FILE, --config or --key-id given: whose keys?"));
    } else {
        None
    };
    Ok(Command::TokenJwks(Box::new(JwksOptions {
        files,
        key,
        key_id_forms,
    })))
}

fn parse_cert(words: Words<'_>) -> Result<Command, UsageError> {
    let words = Words {
        command: "token cert",
        flags: CERT_FLAGS,
        backend_flags: backend_flags(),
        ..words
    };
    parse_certificate(words, CERT_HELP, |options| {
        Command::TokenCert(Box::new(options))
    })
}

fn parse_csr(words: Words<'_>) -> Result<Command, UsageError> {
    let words = Words {
        command: "token csr",
        flags: CSR_FLAGS,
        backend_flags: backend_flags(),
        ..words
    };
    parse_certificate(words, CSR_HELP, |options| {
        Command::TokenCsr(Box::new(options))
    })
}

fn parse_certificate(
    mut words: Words<'_>,
    help: &str,
    command: impl FnOnce(CertificateOptions) -> Command,
) -> Result<Command, UsageError> {
    let mut key = KeyArguments::default();
    let (mut common_name, mut created, mut validity) = (None, None, None);
    let (mut serial, mut output, mut force) = (None, None, false);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(help.to_owned())),
            Word::Flag("force") => force = true,
            Word::Flag(flag @ "common-name") => words.once_parsed(flag, &mut common_name, own)?,
            Word::Flag(flag @ "created") => words.once_parsed(flag, &mut created, parse_time)?,
            Word::Flag(flag @ "expires") => {
                words.once_parsed(flag, &mut validity, parse_validity)?;
            }
            Word::Flag(flag @ "serial") => words.once_parsed(flag, &mut serial, parse_serial)?,
            Word::Flag(flag @ "output") => {
                words.once(flag, &mut output, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag) => key.take(flag, &mut words)?,
            Word::BackendFlag(place) => key.signer.take_option(place, &mut words)?,
            Word::Value(extra) => return Err(words.unexpected(&extra)),
        }
    }
    let key = key.finish(&words)?;
    Ok(command(CertificateOptions {
        key,
        common_name: common_name.unwrap_or_else(|| "registry token signing".to_owned()),
        created,
        validity,
        serial,
        output: output.unwrap_or_else(|| PathBuf::from("-")),
        force,
    }))
}

fn parse_serial(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || {
        format!(
            "`{}` is not of hexadecimal digits, two an octet",
            printable(text)
        )
    };
    if text.is_empty() || text.len() % 2 == 1 || !text.is_ascii() {
        return Err(wrong());
    }
    let octet = |place: usize| u8::from_str_radix(text.get(place..place + 2)?, 16).ok();
    let plain = text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let octets: Option<Vec<u8>> = (0..text.len()).step_by(2).map(octet).collect();
    octets.filter(|_| plain).ok_or_else(wrong)
}

fn parse_inspect(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "token inspect",
        flags: INSPECT_FLAGS,
        ..words
    };
    let mut token = None;
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(INSPECT_HELP.to_owned())),
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(value) if token.is_none() => token = Some(token_text(&words, value)?),
            Word::Value(_) => return Err(words.error("more than one TOKEN")),
        }
    }
    let token = token.ok_or_else(|| words.error("no TOKEN given"))?;
    Ok(Command::TokenInspect(token))
}

/// Its error does not show it.
fn token_text(words: &Words<'_>, value: std::ffi::OsString) -> Result<String, UsageError> {
    value
        .into_string()
        .map_err(|_| words.error("TOKEN is not UTF-8"))
}

fn parse_judge(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "token verify",
        flags: JUDGE_FLAGS,
        ..words
    };
    let (mut token, mut bundle, mut jwks, mut issuer) = (None, None, None, None);
    let (mut service, mut registry, mut at, mut scopes) = (None, None, None, Vec::new());
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(JUDGE_HELP.to_owned())),
            Word::Flag(flag @ "bundle") => {
                words.once(flag, &mut bundle, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "jwks") => {
                words.once(flag, &mut jwks, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "issuer") => words.once_parsed(flag, &mut issuer, own)?,
            Word::Flag(flag @ "service") => words.once_parsed(flag, &mut service, own)?,
            Word::Flag(flag @ "access") => scopes.push(words.parsed(flag, own)?),
            Word::Flag(flag @ "at") => words.once_parsed(flag, &mut at, parse_time)?,
            Word::Flag(flag @ "registry") => {
                words.once_parsed(flag, &mut registry, |text| match text {
                    "2.8" => Ok(RegistryVersion::V2_8),
                    "3.0" => Ok(RegistryVersion::V3_0),
                    "3.1" => Ok(RegistryVersion::V3_1),
                    other => Err(format!(
                        "`{}` is none of `2.8`, `3.0`, `3.1`",
                        printable(other)
                    )),
                })?;
            }
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(value) if token.is_none() => token = Some(token_text(&words, value)?),
            Word::Value(_) => return Err(words.error("more than one TOKEN")),
        }
    }
    let registry = registry.ok_or_else(|| words.error("no --registry given: 2.8, 3.0 or 3.1"))?;
    if bundle.is_none() && jwks.is_none() {
        return Err(words.error("neither --bundle nor --jwks given: what does the registry trust?"));
    }
    if registry == RegistryVersion::V2_8 && jwks.is_some() {
        return Err(words.error("--jwks is given, and registry 2.8 reads no such file"));
    }
    Ok(Command::TokenVerify(Box::new(JudgeOptions {
        token: token.ok_or_else(|| words.error("no TOKEN given"))?,
        bundle,
        jwks,
        issuer: issuer.ok_or_else(|| words.error("no --issuer given: that of the registry"))?,
        service: service.ok_or_else(|| words.error("no --service given: that of the registry"))?,
        registry,
        access: parse_access(&scopes, &words)?,
        at,
    })))
}

fn parse_config(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "token config",
        flags: CONFIG_FLAGS,
        ..words
    };
    let (mut file, mut realm, mut service) = (None, None, None);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(CONFIG_HELP.to_owned())),
            Word::Flag(flag @ "realm") => words.once_parsed(flag, &mut realm, own)?,
            Word::Flag(flag @ "service") => words.once_parsed(flag, &mut service, own)?,
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(value) if file.is_none() => file = Some(PathBuf::from(value)),
            Word::Value(extra) => return Err(words.unexpected(&extra)),
        }
    }
    Ok(Command::TokenConfig(Box::new(TokenConfigOptions {
        file: file.ok_or_else(|| words.error("no FILE given"))?,
        realm,
        service,
    })))
}

const HELP: &str = "\
Sign tokens for container registries, and see what a registry will say of them.

Usage: countersign token COMMAND

Commands:
  issue      A token
  jwks       The keys, for a registry of version 3
  cert       A certificate for a key, signed by itself
  csr        A request for a certificate, for an authority of your own
  inspect    What is in a token
  verify     What a registry would say of a token
  config     Check a configuration, and print the registry's

`countersign token COMMAND --help` says more.
";

const ISSUE_HELP: &str = concat!(
    "\
Issue a token for a container registry. It is verified before it is printed.

Usage: countersign token issue --config FILE --subject NAME --service NAME --access SCOPE...
       countersign token issue --issuer NAME --key-id KEY [--certificate FILE] --subject NAME ...

Options:
      --config FILE        YAML with a section `token`; docker_auth's own will do
      --issuer NAME        Without --config: the registry's `issuer`, to the letter
      --key-id KEY         The private key; for backend `local` the path of a PEM file
      --backend NAME       Where the key is; default: local
      --certificate FILE   The key's certificate, for the header (x5c)
      --local-passphrase-file FILE, --local-passphrase-env NAME
                           The passphrase of an encrypted key; default: ask on the terminal
",
    kms_help!(),
    "      --subject NAME       For whom
      --service NAME       The registry's `service`
      --access SCOPE...    Such as repository:team/tool:pull,push or registry:catalog:*
      --expires DURATION   900s, 15m, 1h; default: the configuration's, else 15m
      --kid ID             thumbprint (default), libtrust, or an id of your own
      --algorithm NAME     rs256 (default), rs384, rs512; P-256 keys: es256
      --format FORM        token (default), or json as clients take it from a server
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 done, 2 not done.

Example:
  countersign token issue --issuer auth.example.org --key-id token.key.pem --subject ci \\
    --service registry.example.org --access repository:team/tool:pull,push
"
);

const JWKS_HELP: &str = concat!(
    "\
Print keys as a JSON Web Key Set, for the `jwks` file of a registry of version 3.

Usage: countersign token jwks [FILE...] [OPTIONS]

  FILE                     Public keys and certificates in PEM, such as the next key's and the last

Options:
      --config FILE        The key of a configuration
      --key-id KEY         The key of a backend
      --backend NAME       Where the key is; default: local
      --local-passphrase-file FILE, --local-passphrase-env NAME
                           The passphrase of an encrypted key; default: ask on the terminal
",
    kms_help!(),
    "      --kid ID             thumbprint (default), libtrust, or an id of your own (one key);
                           may be repeated
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 done, 2 not done.

Example:
  countersign token jwks token.pub.pem
"
);

const CERT_HELP: &str = concat!(
    "\
Make a certificate for a token key, signed by that key: for the registry's `rootcertbundle`.

Usage: countersign token cert --key-id KEY [OPTIONS]

Options:
      --config FILE        The key of a configuration
      --key-id KEY         The private key; for backend `local` the path of a PEM file
      --backend NAME       Where the key is; default: local
      --local-passphrase-file FILE, --local-passphrase-env NAME
                           The passphrase of an encrypted key; default: ask on the terminal
",
    kms_help!(),
    "      --common-name NAME   Default: registry token signing
      --created TIME       Its first second; default: SOURCE_DATE_EPOCH, else now
      --expires WHEN       A duration (2y, the default) or a time
      --serial HEX         Default: derived from key, name and times
      --output FILE        Default: standard output
      --force              Replace a file that is there
      --json, -q --quiet, --color WHEN, -h --help

The same RSA key and options give the same certificate. Exit status: 0 done, 2 not done.

Example:
  countersign token cert --key-id token.key.pem --expires 2y --output token.crt
"
);

const CSR_HELP: &str = concat!(
    "\
Make a request for a certificate for a token key, for an authority of your own.

Usage: countersign token csr --key-id KEY [OPTIONS]

Options:
      --config FILE        The key of a configuration
      --key-id KEY         The private key; for backend `local` the path of a PEM file
      --backend NAME       Where the key is; default: local
      --local-passphrase-file FILE, --local-passphrase-env NAME
                           The passphrase of an encrypted key; default: ask on the terminal
",
    kms_help!(),
    "      --common-name NAME   Default: registry token signing
      --output FILE        Default: standard output
      --force              Replace a file that is there
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 done, 2 not done.

Example:
  countersign token csr --key-id token.key.pem --output token.csr
"
);

const INSPECT_HELP: &str = "\
Show what is in a token. Nothing is verified.

Usage: countersign token inspect TOKEN

  TOKEN                    `-` is standard input

Options:
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 shown, 2 no token.

Example:
  countersign token inspect - < token.txt
";

const JUDGE_HELP: &str = "\
Say what a registry would say of a token.

Usage: countersign token verify TOKEN --bundle FILE --issuer NAME --service NAME --registry VERSION

  TOKEN                    `-` is standard input

Options:
      --registry VERSION   2.8, 3.0 or 3.1
      --bundle FILE        Its `rootcertbundle`
      --jwks FILE          Its `jwks` (3.0 and 3.1)
      --issuer NAME        Its `issuer`
      --service NAME       Its `service`
      --access SCOPE       Demand that the token grants this; may be repeated
      --at TIME            Judge as of this time; default: now
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 accepted, 1 refused, 2 could not tell.

Example:
  countersign token verify - --bundle token.crt --issuer auth.example.org \\
    --service registry.example.org --registry 2.8 < token.txt
";

const CONFIG_HELP: &str = "\
Check the section `token` of a configuration, and print the `auth.token` block of the registry.

Usage: countersign token config FILE [OPTIONS]

Options:
      --realm URL          Where clients get tokens
      --service NAME       What the registry calls itself
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 good, 2 not.

Example:
  countersign token config auth.yml --service registry.example.org
";
