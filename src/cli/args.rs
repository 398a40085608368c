//! Flags and help text.

/// The options of backend `aws-kms`, where it is compiled in.
#[cfg(feature = "aws-kms")]
macro_rules! kms_help {
    () => {
        "      --kms-region NAME, --kms-endpoint-url URL, --kms-timeout SECONDS
                           With --backend aws-kms; the region's default: the ARN's,
                           AWS_REGION, the profile's, eu-west-2
      --kms-pin-arn ARN    With --backend aws-kms: the key that an alias must lead to
"
    };
}
#[cfg(feature = "aws-kms")]
macro_rules! kms_command {
    () => {
        "  kms policy     The least that a signing host must be allowed by AWS\n"
    };
}
#[cfg(not(feature = "aws-kms"))]
macro_rules! kms_command {
    () => {
        ""
    };
}
#[cfg(not(feature = "aws-kms"))]
macro_rules! kms_help {
    () => {
        ""
    };
}

mod key;
#[cfg(feature = "aws-kms")]
mod kms;
mod manifest;
mod sign;
mod token;
mod wkd;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use countersign::verify::{
    Agreement, Expiry, Fingerprint, Policy, Requirement, Timestamp, printable,
};
use countersign::wkd::Address;
use lexopt::{Arg, Parser};

pub(crate) use self::key::{GenerateOptions, MintOptions, ShowOptions, Validity};
#[cfg(feature = "aws-kms")]
pub(crate) use self::kms::{PolicyKind, PolicyOptions, Repository};
pub(crate) use self::manifest::{ManifestFormat, ManifestOptions};
pub(crate) use self::sign::{SignOptions, SignerChoice};
pub(crate) use self::token::{
    CertificateOptions, IssueOptions, JudgeOptions, JwksOptions, TokenConfigOptions, TokenKey,
};
#[cfg(feature = "fetch")]
pub(crate) use self::wkd::FetchOptions;
pub(crate) use self::wkd::{BuildOptions, UrlOptions};
use super::outcome::{Failure, Made, Outcome, Verdict, failed};

/// What is asked for, and how to speak.
pub(crate) struct Request {
    pub(crate) command: Result<Command, UsageError>,
    pub(crate) style: Style,
}

/// One command with its options.
pub(crate) enum Command {
    Verify(Box<VerifyOptions>),
    Check(Box<CheckOptions>),
    Sign(Box<SignOptions>),
    Manifest(Box<ManifestOptions>),
    Generate(Box<GenerateOptions>),
    Mint(Box<MintOptions>),
    Show(Box<ShowOptions>),
    TokenIssue(Box<IssueOptions>),
    TokenJwks(Box<JwksOptions>),
    TokenCert(Box<CertificateOptions>),
    TokenCsr(Box<CertificateOptions>),
    TokenInspect(String),
    TokenVerify(Box<JudgeOptions>),
    TokenConfig(Box<TokenConfigOptions>),
    #[cfg(feature = "aws-kms")]
    Policy(Box<PolicyOptions>),
    WkdUrl(Box<UrlOptions>),
    WkdBuild(Box<BuildOptions>),
    #[cfg(feature = "fetch")]
    WkdFetch(Box<FetchOptions>),
    /// Help or version.
    Print(String),
}

/// How to speak. Known even when the rest of the command line is wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) color: Color,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

pub(crate) struct VerifyOptions {
    pub(crate) file: PathBuf,
    pub(crate) anchors: Anchors,
}

pub(crate) struct CheckOptions {
    pub(crate) manifest: PathBuf,
    pub(crate) names: Vec<String>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) ignore_missing: bool,
    pub(crate) anchors: Anchors,
}

/// Whom to trust, what to demand, which signature to look at.
pub(crate) struct Anchors {
    pub(crate) keys: Vec<PathBuf>,
    /// Each a source of its own.
    #[cfg_attr(not(feature = "fetch"), expect(dead_code, reason = "none is let in"))]
    pub(crate) wkd: Vec<Address>,
    #[cfg_attr(not(feature = "fetch"), expect(dead_code, reason = "of those"))]
    pub(crate) wkd_requirement: Requirement,
    pub(crate) agreement: Agreement,
    pub(crate) signature: Option<PathBuf>,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) policy: Policy,
}

/// A command line that cannot be followed.
#[derive(Debug)]
pub(crate) struct UsageError {
    command: &'static str,
    message: String,
    hint: String,
}

impl UsageError {
    /// Whether the command at fault makes something, and so has the JSON form of those.
    pub(crate) fn into_made(self) -> Result<Made, Self> {
        let (first, _) = self.command.split_once(' ').unwrap_or((self.command, ""));
        let makes = ["sign", "manifest"].contains(&first) || group(first).is_some();
        if !makes || self.command == "token verify" {
            return Err(self);
        }
        let failure = failed("usage", self.message).with_hint(self.hint);
        Ok(Made {
            failures: vec![failure],
            ..Made::new(self.command)
        })
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        let failure = Failure::new(Verdict::CouldNotTell, "usage", self.message);
        Outcome {
            failure: Some(failure.with_hint(self.hint)),
            ..Outcome::new(self.command)
        }
    }
}

pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Request {
    let mut style = Style::default();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // A mistake before `--json` is reported as JSON, too.
    style.json = arguments
        .iter()
        .take_while(|own| *own != "--")
        .any(|own| own == "--json");
    let mut parser = Parser::from_iter(arguments);
    let command = parse_command(&mut parser, &mut style);
    Request { command, style }
}

fn parse_command(parser: &mut Parser, style: &mut Style) -> Result<Command, UsageError> {
    let mut words = Words {
        parser,
        style,
        command: "countersign",
        flags: GLOBAL_FLAGS,
        backend_flags: Vec::new(),
    };
    loop {
        match words.next()? {
            Some(Word::Flag("help")) => return Ok(Command::Print(HELP.to_owned())),
            Some(Word::Flag("version")) => {
                return Ok(Command::Print(
                    concat!("countersign ", env!("CARGO_PKG_VERSION"), "\n").to_owned(),
                ));
            }
            Some(Word::Flag(_) | Word::BackendFlag(_)) => {}
            Some(Word::Value(verb)) => {
                return match verb.to_str() {
                    Some("verify") => parse_verify(words),
                    Some("check") => parse_check(words),
                    Some("sign") => sign::parse(words),
                    Some("manifest") => manifest::parse(words),
                    Some("help") => parse_help(words),
                    other => match other.and_then(group) {
                        Some(group) => group.parse(words),
                        None => Err(words.unknown_command(&verb)),
                    },
                };
            }
            None => return Err(words.error("no command given")),
        }
    }
}

fn parse_help(mut words: Words<'_>) -> Result<Command, UsageError> {
    let text = match words.next()? {
        Some(Word::Value(verb)) => match verb.to_str() {
            Some("verify") => VERIFY_HELP,
            Some("check") => CHECK_HELP,
            Some("sign") => sign::HELP,
            Some("manifest") => manifest::HELP,
            Some("help") => HELP,
            other => match other.and_then(group) {
                Some(group) => group.help_of(words)?,
                None => return Err(words.unknown_command(&verb)),
            },
        },
        Some(Word::Flag(_) | Word::BackendFlag(_)) | None => HELP,
    };
    Ok(Command::Print(text.to_owned()))
}

/// Commands that share their first word.
struct Group {
    name: &'static str,
    help: &'static str,
    commands: &'static [Subcommand],
}

struct Subcommand {
    name: &'static str,
    help: &'static str,
    parse: fn(Words<'_>) -> Result<Command, UsageError>,
}

const GROUPS: &[&Group] = &[
    &key::GROUP,
    #[cfg(feature = "aws-kms")]
    &kms::GROUP,
    &token::GROUP,
    &wkd::GROUP,
];

fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().copied().find(|group| group.name == name)
}

impl Group {
    fn names(&self) -> Vec<&'static str> {
        self.commands.iter().map(|own| own.name).collect()
    }

    fn find(&self, verb: &OsStr, words: &Words<'_>) -> Result<&'static Subcommand, UsageError> {
        let found = self.commands.iter().find(|own| verb == own.name);
        found.ok_or_else(|| words.unknown_command_of(verb, &self.names()))
    }

    fn parse(&self, words: Words<'_>) -> Result<Command, UsageError> {
        let mut words = Words {
            command: self.name,
            flags: STYLE_FLAGS,
            ..words
        };
        loop {
            match words.next()? {
                Some(Word::Flag("help")) => return Ok(Command::Print(self.help.to_owned())),
                Some(Word::Flag(_) | Word::BackendFlag(_)) => {}
                Some(Word::Value(verb)) => return (self.find(&verb, &words)?.parse)(words),
                None => {
                    let names = self.names();
                    let listed = match names.split_last() {
                        Some((last, [])) => (*last).to_owned(),
                        Some((last, others)) => format!("{} or {last}", others.join(", ")),
                        None => String::new(),
                    };
                    return Err(UsageError {
                        hint: format!("`countersign {} --help` lists them", self.name),
                        ..words.error(&format!("`{}` needs a command: {listed}", self.name))
                    });
                }
            }
        }
    }

    /// What `help` says once it has read the group's name.
    fn help_of(&self, words: Words<'_>) -> Result<&'static str, UsageError> {
        let mut words = Words {
            command: self.name,
            ..words
        };
        match words.next()? {
            Some(Word::Value(verb)) => Ok(self.find(&verb, &words)?.help),
            _ => Ok(self.help),
        }
    }
}

fn parse_verify(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "verify",
        flags: VERIFY_FLAGS,
        ..words
    };
    let mut anchors = AnchorArguments::default();
    let mut files = Vec::new();
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(VERIFY_HELP.to_owned())),
            Word::Flag(flag) => anchors.take(flag, &mut words)?,
            Word::BackendFlag(_) => {}
            Word::Value(file) => files.push(PathBuf::from(file)),
        }
    }
    let mut files = files.into_iter();
    match (files.next(), files.next()) {
        (Some(file), None) => Ok(Command::Verify(Box::new(VerifyOptions {
            file,
            anchors: anchors.finish(&words)?,
        }))),
        (None, _) => Err(words.error("no FILE given")),
        (Some(_), Some(extra)) => {
            let shown = printable(&extra.to_string_lossy());
            let error = words.error(&format!("more than one FILE: `{shown}`"));
            Err(UsageError {
                hint: "give the signature with --signature".into(),
                ..error
            })
        }
    }
}

fn parse_check(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "check",
        flags: CHECK_FLAGS,
        ..words
    };
    let mut anchors = AnchorArguments::default();
    let (mut manifest, mut names) = (None, Vec::new());
    let (mut dir, mut ignore_missing) = (None, false);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(CHECK_HELP.to_owned())),
            Word::Flag("ignore-missing") => ignore_missing = true,
            Word::Flag("dir") => words.once("dir", &mut dir, |value| Ok(PathBuf::from(value)))?,
            Word::Flag(flag) => anchors.take(flag, &mut words)?,
            Word::BackendFlag(_) => {}
            Word::Value(value) if manifest.is_none() => manifest = Some(PathBuf::from(value)),
            Word::Value(value) => names.push(words.text("FILE", value)?),
        }
    }
    let manifest = manifest.ok_or_else(|| words.error("no MANIFEST given"))?;
    let anchors = anchors.finish(&words)?;
    Ok(Command::Check(Box::new(CheckOptions {
        manifest,
        names,
        dir,
        ignore_missing,
        anchors,
    })))
}

/// Flags about trust and policy as they come in.
#[derive(Default)]
struct AnchorArguments {
    keys: Vec<PathBuf>,
    wkd: Vec<Address>,
    wkd_optional: bool,
    agreement: Option<Agreement>,
    signature: Option<PathBuf>,
    fingerprints: Vec<Fingerprint>,
    at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    max_age: Option<Duration>,
    expiry: Option<Expiry>,
    min_rsa_bits: Option<u32>,
    threshold: Option<usize>,
    notations: Vec<(String, String)>,
}

impl AnchorArguments {
    fn take(&mut self, flag: &'static str, words: &mut Words<'_>) -> Result<(), UsageError> {
        match flag {
            "key" => {
                let key = words.value(flag)?;
                self.keys.push(key.into());
                Ok(())
            }
            "wkd" => {
                let address = words.parsed(flag, wkd::address)?;
                if self.wkd.contains(&address) {
                    return Err(words.error(&format!("--wkd {address} is given twice")));
                }
                self.wkd.push(address);
                Ok(())
            }
            "wkd-optional" => {
                self.wkd_optional = true;
                Ok(())
            }
            "agreement" => words.once_parsed(flag, &mut self.agreement, |text| match text {
                "common" => Ok(Agreement::Common),
                "exact" => Ok(Agreement::Exact),
                other => Err(format!(
                    "`{}` is neither `common` nor `exact`",
                    printable(other)
                )),
            }),
            "signature" => words.once(flag, &mut self.signature, |value| Ok(value.into())),
            "fingerprint" => {
                let pin = words.parsed(flag, |text| {
                    text.parse()
                        .map_err(|error: countersign::verify::FingerprintError| error.to_string())
                })?;
                self.fingerprints.push(pin);
                Ok(())
            }
            "at" => words.once_parsed(flag, &mut self.at, parse_time),
            "not-before" => words.once_parsed(flag, &mut self.not_before, parse_time),
            "max-age" => words.once_parsed(flag, &mut self.max_age, parse_duration),
            "expiry" => words.once_parsed(flag, &mut self.expiry, |text| match text {
                "signing" => Ok(Expiry::Signing),
                "now" => Ok(Expiry::Now),
                other => Err(format!(
                    "`{}` is neither `signing` nor `now`",
                    printable(other)
                )),
            }),
            "min-rsa-bits" => words.once_parsed(flag, &mut self.min_rsa_bits, parse_number),
            "threshold" => {
                words.once_parsed(flag, &mut self.threshold, |text| {
                    match parse_number(text)? {
                        0 => Err("`0` certificates would accept anything".to_owned()),
                        number => Ok(number),
                    }
                })
            }
            "require-notation" => {
                let notation = words.parsed(flag, |text| match text.split_once('=') {
                    Some((name, value)) if !name.is_empty() => {
                        Ok((name.to_owned(), value.to_owned()))
                    }
                    _ => Err(format!("`{}` is not NAME=VALUE", printable(text))),
                })?;
                self.notations.push(notation);
                Ok(())
            }
            // Flags that only set the style were taken already.
            _ => Ok(()),
        }
    }

    fn finish(self, words: &Words<'_>) -> Result<Anchors, UsageError> {
        if self.wkd.is_empty() && self.wkd_optional {
            return Err(words.error("--wkd-optional is about --wkd, and none is given"));
        }
        if self.wkd.is_empty() && self.agreement.is_some() {
            return Err(words.error("--agreement is about --wkd, and none is given"));
        }
        if cfg!(not(feature = "fetch")) && !self.wkd.is_empty() {
            return Err(UsageError {
                hint: "`cargo install countersign` has it".into(),
                ..words
                    .error("--wkd needs the feature `fetch`, and this program was built without it")
            });
        }
        if self.keys.is_empty() && !self.wkd.is_empty() && self.fingerprints.is_empty() {
            return Err(UsageError {
                hint: "add --key FILE or --fingerprint HEX: who controls the domain's web server must not decide alone"
                    .into(),
                ..words.error("--wkd alone says nothing of whom to trust")
            });
        }
        if self.keys.is_empty() && self.wkd.is_empty() {
            let error = words.error("no --key given: whom to trust is yours to say");
            return Err(UsageError {
                hint: "give the publisher's certificate with --key FILE".into(),
                ..error
            });
        }
        let mut policy = Policy::new().with_expiry(self.expiry.unwrap_or_default());
        if let Some(bits) = self.min_rsa_bits {
            policy = policy
                .with_min_rsa_bits(bits)
                .map_err(|error| words.error(&format!("--min-rsa-bits: {error}")))?;
        }
        if let Some(age) = self.max_age {
            policy = policy.with_max_age(age);
        }
        if let Some(bound) = self.not_before {
            policy = policy.with_not_before(bound);
        }
        if let Some(threshold) = self.threshold {
            policy = policy.with_threshold(threshold);
        }
        for (name, value) in self.notations {
            policy = policy.with_notation(name, value);
        }
        let Self {
            keys,
            wkd,
            wkd_optional,
            agreement,
            signature,
            fingerprints,
            at,
            ..
        } = self;
        Ok(Anchors {
            keys,
            wkd,
            wkd_requirement: if wkd_optional {
                Requirement::BestEffort
            } else {
                Requirement::Required
            },
            agreement: agreement.unwrap_or(Agreement::Common),
            signature,
            fingerprints,
            at,
            policy,
        })
    }
}

/// A word of the command line.
enum Word {
    Flag(&'static str),
    /// An option of a backend: its place among the words' `backend_flags`.
    BackendFlag(usize),
    Value(OsString),
}

/// An option of a backend as a flag.
struct BackendFlag {
    /// Without the dashes.
    flag: String,
    backend: String,
    option: &'static str,
}

/// The words that are left, and which flags are known here.
struct Words<'p> {
    parser: &'p mut Parser,
    style: &'p mut Style,
    command: &'static str,
    flags: &'static [&'static str],
    backend_flags: Vec<BackendFlag>,
}

const COMMANDS: &[&str] = &["verify", "check", "sign", "manifest", "help"];
const STYLE_FLAGS: &[&str] = &["help", "json", "quiet", "color"];
const GLOBAL_FLAGS: &[&str] = &["help", "version", "json", "quiet", "color"];
const VERIFY_FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "key",
    "signature",
    "fingerprint",
    "at",
    "not-before",
    "max-age",
    "expiry",
    "min-rsa-bits",
    "threshold",
    "wkd",
    "wkd-optional",
    "agreement",
    "require-notation",
];
const CHECK_FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "key",
    "signature",
    "fingerprint",
    "at",
    "not-before",
    "max-age",
    "expiry",
    "min-rsa-bits",
    "threshold",
    "wkd",
    "wkd-optional",
    "agreement",
    "require-notation",
    "dir",
    "ignore-missing",
];

impl Words<'_> {
    fn next(&mut self) -> Result<Option<Word>, UsageError> {
        let (command, hint) = (self.command, self.help_hint());
        let found = self.parser.next().map_err(|error| {
            let message = match error {
                lexopt::Error::UnexpectedValue { option, .. } => {
                    format!("`{}` takes no value", printable(&option))
                }
                error => printable(&error.to_string()),
            };
            UsageError {
                command,
                message,
                hint,
            }
        })?;
        let given = match found {
            None => return Ok(None),
            Some(Arg::Value(value)) => return Ok(Some(Word::Value(value))),
            Some(Arg::Short('h')) => "help".to_owned(),
            Some(Arg::Short('V')) => "version".to_owned(),
            Some(Arg::Short('q')) => "quiet".to_owned(),
            Some(Arg::Short(other)) => return Err(self.unknown_flag(&format!("-{other}"))),
            Some(Arg::Long(name)) => name.to_owned(),
        };
        if let Some(place) = self.backend_flags.iter().position(|own| own.flag == given) {
            return Ok(Some(Word::BackendFlag(place)));
        }
        let Some(flag) = self.flags.iter().find(|flag| **flag == given) else {
            return Err(self.unknown_flag(&format!("--{given}")));
        };
        match *flag {
            "json" => self.style.json = true,
            "quiet" => self.style.quiet = true,
            "color" => {
                let color = self.parsed("color", |text| match text {
                    "auto" => Ok(Color::Auto),
                    "always" => Ok(Color::Always),
                    "never" => Ok(Color::Never),
                    other => Err(format!(
                        "`{}` is none of `auto`, `always`, `never`",
                        printable(other)
                    )),
                })?;
                self.style.color = color;
            }
            _ => {}
        }
        Ok(Some(Word::Flag(flag)))
    }

    fn value(&mut self, flag: &str) -> Result<OsString, UsageError> {
        self.parser
            .value()
            .map_err(|_| self.error(&format!("--{flag} needs a value")))
    }

    fn text(&self, what: &str, value: OsString) -> Result<String, UsageError> {
        value.into_string().map_err(|value| {
            let shown = printable(&value.to_string_lossy());
            self.error(&format!("{what} is not UTF-8: `{shown}`"))
        })
    }

    fn parsed<T>(
        &mut self,
        flag: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, UsageError> {
        let value = self.value(flag)?;
        let text = self.text(&format!("the value of --{flag}"), value)?;
        parse(&text).map_err(|problem| self.error(&format!("--{flag}: {problem}")))
    }

    fn once<T>(
        &mut self,
        flag: &str,
        slot: &mut Option<T>,
        convert: impl FnOnce(OsString) -> Result<T, UsageError>,
    ) -> Result<(), UsageError> {
        let value = convert(self.value(flag)?)?;
        self.fill(flag, slot, value)
    }

    fn once_parsed<T>(
        &mut self,
        flag: &str,
        slot: &mut Option<T>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<(), UsageError> {
        let value = self.parsed(flag, parse)?;
        self.fill(flag, slot, value)
    }

    fn fill<T>(&self, flag: &str, slot: &mut Option<T>, value: T) -> Result<(), UsageError> {
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(self.error(&format!("--{flag} is given twice"))),
        }
    }

    fn error(&self, message: &str) -> UsageError {
        UsageError {
            command: self.command,
            message: message.to_owned(),
            hint: self.help_hint(),
        }
    }

    fn help_hint(&self) -> String {
        match self.command {
            "countersign" => "`countersign --help` lists the commands".to_owned(),
            verb if group(verb).is_some() => {
                format!("`countersign {verb} --help` lists the commands")
            }
            verb => format!("`countersign {verb} --help` lists the options"),
        }
    }

    fn unexpected(&self, extra: &OsStr) -> UsageError {
        let shown = printable(&extra.to_string_lossy());
        self.error(&format!("nothing is known to do with `{shown}`"))
    }

    fn unknown_flag(&self, given: &str) -> UsageError {
        let error = self.error(&format!("unknown option `{}`", printable(given)));
        let backend_flags = self.backend_flags.iter().map(|own| own.flag.as_str());
        let known: Vec<&str> = self.flags.iter().copied().chain(backend_flags).collect();
        match nearest(given.trim_start_matches('-'), &known) {
            Some(flag) => UsageError {
                hint: format!("did you mean `--{flag}`?"),
                ..error
            },
            None => error,
        }
    }

    fn unknown_command(&self, given: &OsStr) -> UsageError {
        let groups = GROUPS.iter().map(|group| group.name);
        let known: Vec<&str> = COMMANDS.iter().copied().chain(groups).collect();
        self.unknown_command_of(given, &known)
    }

    fn unknown_command_of(&self, given: &OsStr, known: &[&str]) -> UsageError {
        let given = given.to_string_lossy();
        let error = self.error(&format!("unknown command `{}`", printable(&given)));
        let before = match self.command {
            "countersign" => "countersign".to_owned(),
            command => format!("countersign {command}"),
        };
        match nearest(&given, known) {
            Some(verb) => UsageError {
                hint: format!("did you mean `{before} {verb}`?"),
                ..error
            },
            None => error,
        }
    }
}

fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    /// Below this, a suggestion is more of a riddle than a help.
    const SIMILAR: f64 = 0.75;
    // `kye` shares little with `key`, for that measure.
    let slip = |own: &str| strsim::damerau_levenshtein(given, own) == 1 && given.len() > 1;
    let scored = known.iter().map(|own| {
        let score = if slip(own) {
            1.0
        } else {
            strsim::jaro_winkler(given, own)
        };
        (score, *own)
    });
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score > SIMILAR)
        .map(|(_, own)| own)
}

/// RFC 3339, or a date, which means its first second in UTC.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    let date = text
        .parse::<jiff::civil::Date>()
        .ok()
        .filter(|_| text.len() == "2024-01-01".len());
    let time = match date {
        Some(date) => date
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(|own| own.timestamp()),
        None => text.parse::<jiff::Timestamp>(),
    };
    let seconds = time
        .ok()
        .and_then(|time| u64::try_from(time.as_second()).ok());
    let wrong = || {
        format!(
            "`{}` is neither RFC 3339 (`2024-05-31T12:00:00Z`) nor a date (`2024-05-31`)",
            printable(text)
        )
    };
    seconds.map(Timestamp::from_unix).ok_or_else(wrong)
}

/// A number and `h`, `d`, `w` or `y`; a year has 365 days.
fn parse_duration(text: &str) -> Result<Duration, String> {
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;
    let units = [("h", HOUR), ("d", DAY), ("w", 7 * DAY), ("y", 365 * DAY)];
    duration_in(text, &units, "`12h`, `30d`, `8w` or `2y`")
}

/// A number and one of these units, which are so many seconds.
fn duration_in(text: &str, units: &[(&str, u64)], examples: &str) -> Result<Duration, String> {
    let seconds = units.iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?;
        let digits = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
        number
            .parse::<u64>()
            .ok()
            .filter(|_| digits)?
            .checked_mul(*seconds)
    });
    let wrong = || format!("`{}` is not a duration such as {examples}", printable(text));
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

fn parse_number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| format!("`{}` is not a number", printable(text)))
}

const HELP: &str = concat!(
    "Verify downloaded releases, and sign your own.

Usage: countersign verify FILE --key CERT
       countersign check MANIFEST [FILE...] --key CERT
       countersign sign FILE... --key-id KEY --public-key CERT

Commands:
  verify         One file by its detached signature
  check          A release: the signature over its checksum manifest, then the artifacts it lists
  sign           Detached signatures, by a key on disk or behind another backend
  manifest       A checksum manifest of files
  key generate   A private key on disk and its certificate
  key mint       A certificate for a key that a backend has
  key show       What is in a certificate, and whether it would be trusted
  token COMMAND  Tokens for container registries: issue, jwks, cert, csr, inspect, verify, config
",
    kms_command!(),
    "  wkd url        Where the certificate for a mail address is served
  wkd build      A Web Key Directory: the files that a web server serves
  wkd fetch      The certificates that a domain serves for a mail address
  help           This text, or `help COMMAND`

Options:
      --json         One JSON object on standard output
  -q, --quiet        Nothing but errors
      --color WHEN   auto (default), always or never; NO_COLOR is honoured
  -V, --version      Print the version
  -h, --help         Print help

Example:
  countersign verify hello-2.10.tar.gz --key hello.asc

Exit status: 0 verified or done, 1 refused, 2 could not tell or not done.
"
);

const VERIFY_HELP: &str = "\
Verify one file by its detached signature.

Usage: countersign verify FILE --key CERT [OPTIONS]

  FILE                     The signed file; `-` is standard input

Options:
      --key CERT           File with one or more certificates to trust; may be repeated
      --signature FILE     Default: the first of FILE.asc, FILE.sig, FILE.gpg that is there
      --fingerprint HEX    Trust only this primary fingerprint; may be repeated, any suffices
      --threshold N        Demand good signatures by N distinct certificates
      --wkd ADDRESS        The signer must also stand in the Web Key Directory of this address's
                           domain; may be repeated
      --wkd-optional       Go on where a directory is out of reach
      --agreement HOW      Sources have a certificate in `common` (default), or `exact`ly the same
      --at TIME            Verify as of this time; default: now
      --not-before TIME    Refuse signatures made before this time
      --max-age DURATION   Refuse signatures older than this: 12h, 30d, 8w, 2y
      --expiry WHEN        Key must have been alive at `signing` (default), or also `now`
      --require-notation NAME=VALUE
                           Demand this signed notation; may be repeated
      --min-rsa-bits N     Demand longer RSA keys than 3072 bits
      --json, -q --quiet, --color WHEN, -h --help

TIME is RFC 3339 or a UTC date. Exit status: 0 verified, 1 refused, 2 could not tell.

Example:
  countersign verify hello-2.10.tar.gz --key hello.asc
";

const CHECK_HELP: &str = "\
Check a release: the signature over its checksum manifest, then the artifacts it lists.

Usage: countersign check MANIFEST [FILE...] --key CERT [OPTIONS]

  MANIFEST                 SHA256SUMS or the like, with a signature beside it, or clear-signed
  FILE                     Names as listed; default: all that the manifest lists

Options:
      --dir DIR            Where the artifacts are; default: the manifest's folder
      --ignore-missing     Skip artifacts that are not there, unless named; at least one must be
      --key CERT           File with one or more certificates to trust; may be repeated
      --signature FILE     Default: the first of MANIFEST.asc, .sig, .gpg that is there
      --fingerprint HEX    Trust only this primary fingerprint; may be repeated, any suffices
      --threshold N        Demand good signatures by N distinct certificates
      --wkd ADDRESS        The signer must also stand in the Web Key Directory of this address's
                           domain; may be repeated
      --wkd-optional, --agreement common|exact,
      --at TIME, --not-before TIME, --max-age DURATION, --expiry signing|now,
      --require-notation NAME=VALUE, --min-rsa-bits N
                           As for `countersign verify`
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 verified, 1 refused, 2 could not tell.

Example:
  countersign check SHA256SUMS --key release.asc --ignore-missing
";
