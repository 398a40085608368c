//! `countersign kms policy`.

use countersign::verify::{HashAlgorithm, printable};

use super::sign::parse_hash;
use super::{Command, Group, Subcommand, UsageError, Word, Words};

pub(crate) struct PolicyOptions {
    pub(crate) key: KeyArn,
    pub(crate) mint: bool,
    pub(crate) ed25519: bool,
    pub(crate) hash: HashAlgorithm,
    pub(crate) role: Option<String>,
    pub(crate) repository: Option<Repository>,
    pub(crate) print: Option<PolicyKind>,
}

/// `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
pub(crate) struct KeyArn {
    pub(crate) whole: String,
    pub(crate) partition: String,
    pub(crate) account: String,
}

pub(crate) enum Repository {
    GitHub(String),
    GitLab(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyKind {
    Iam,
    Key,
    Trust,
}

const POLICY_FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "mint",
    "algorithm",
    "hash",
    "role",
    "github",
    "gitlab",
    "print",
];

pub(super) const GROUP: Group = Group {
    name: "kms",
    help: HELP,
    commands: &[Subcommand {
        name: "policy",
        help: POLICY_HELP,
        parse: parse_policy,
    }],
};

fn parse_policy(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "kms policy",
        flags: POLICY_FLAGS,
        ..words
    };
    let (mut key, mut algorithm, mut hash, mut role) = (None, None, None, None);
    let (mut github, mut gitlab, mut print, mut mint) = (None, None, None, false);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(POLICY_HELP.to_owned())),
            Word::Flag("mint") => mint = true,
            Word::Flag(flag @ "algorithm") => {
                words.once_parsed(flag, &mut algorithm, |text| match text {
                    "rsa" => Ok(false),
                    "ed25519" => Ok(true),
                    other => Err(format!(
                        "`{}` is neither `rsa` nor `ed25519`",
                        printable(other)
                    )),
                })?;
            }
            Word::Flag(flag @ "hash") => words.once_parsed(flag, &mut hash, parse_hash)?,
            Word::Flag(flag @ "role") => words.once_parsed(flag, &mut role, parse_role)?,
            Word::Flag(flag @ "github") => {
                words.once_parsed(flag, &mut github, |text| parse_repository(text, 2))?;
            }
            Word::Flag(flag @ "gitlab") => {
                // Groups may be nested.
                words.once_parsed(flag, &mut gitlab, |text| parse_repository(text, 20))?;
            }
            Word::Flag(flag @ "print") => {
                words.once_parsed(flag, &mut print, |text| match text {
                    "iam" => Ok(PolicyKind::Iam),
                    "key" => Ok(PolicyKind::Key),
                    "trust" => Ok(PolicyKind::Trust),
                    other => Err(format!(
                        "`{}` is none of `iam`, `key`, `trust`",
                        printable(other)
                    )),
                })?
            }
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(value) if key.is_none() => {
                let text = words.text("KEY_ARN", value)?;
                key = Some(parse_arn(&text).map_err(|problem| UsageError {
                    hint: "`countersign key mint` prints the key's ARN".to_owned(),
                    ..words.error(&problem)
                })?);
            }
            Word::Value(extra) => return Err(words.unexpected(&extra)),
        }
    }
    let repository = match (github, gitlab) {
        (Some(_), Some(_)) => return Err(words.error("--github and --gitlab: give one of them")),
        (Some(path), None) => Some(Repository::GitHub(path)),
        (None, Some(path)) => Some(Repository::GitLab(path)),
        (None, None) => None,
    };
    if print == Some(PolicyKind::Trust) && repository.is_none() {
        return Err(words.error("--print trust needs --github or --gitlab: whom to trust?"));
    }
    let ed25519 = algorithm.unwrap_or(false);
    if ed25519 && hash.is_some() {
        return Err(words.error("--hash is for RSA: Ed25519 has its own"));
    }
    Ok(Command::Policy(Box::new(PolicyOptions {
        key: key.ok_or_else(|| words.error("no KEY_ARN given"))?,
        mint,
        ed25519,
        hash: hash.unwrap_or(HashAlgorithm::Sha256),
        role,
        repository,
        print,
    })))
}

fn parse_arn(text: &str) -> Result<KeyArn, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let plain = |part: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
        !part.is_empty() && part.chars().all(fits)
    };
    match parts.as_slice() {
        ["arn", partition, "kms", region, account, resource]
            if [*partition, *region, *resource].into_iter().all(plain)
                && account.len() == 12
                && account.bytes().all(|digit| digit.is_ascii_digit())
                && resource.starts_with("key/") =>
        {
            Ok(KeyArn {
                whole: text.to_owned(),
                partition: (*partition).to_owned(),
                account: (*account).to_owned(),
            })
        }
        ["arn", _, "kms", _, _, resource] if resource.starts_with("alias/") => Err(format!(
            "`{}` is an alias, and policies name keys",
            printable(text)
        )),
        _ => Err(format!(
            "`{}` is no key ARN (`arn:aws:kms:eu-west-2:111122223333:key/1234abcd-...`)",
            printable(text)
        )),
    }
}

fn parse_role(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_/".contains(c);
    if text.is_empty() || !text.chars().all(fits) {
        return Err(format!("`{}` is no name of a role", printable(text)));
    }
    Ok(text.to_owned())
}

/// No wildcard: a policy would take it at its word.
fn parse_repository(text: &str, parts: usize) -> Result<String, String> {
    let plain = |part: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && part.chars().all(fits)
    };
    let split: Vec<&str> = text.split('/').collect();
    if split.len() < 2 || split.len() > parts || !split.into_iter().all(plain) {
        return Err(format!("`{}` is not OWNER/REPOSITORY", printable(text)));
    }
    Ok(text.to_owned())
}

const HELP: &str = "\
Set up AWS KMS.

Usage: countersign kms policy KEY_ARN

Commands:
  policy     The least that a signing host must be allowed
";

const POLICY_HELP: &str = "\
Print the least that a signing host must be allowed, as policies for AWS.

Usage: countersign kms policy KEY_ARN [OPTIONS]

Options:
      --mint               Allow `key mint`, too: kms:GetPublicKey
      --algorithm NAME     rsa (default) or ed25519: the one scheme that is allowed
      --hash NAME          With rsa: sha256 (default), sha384 or sha512
      --role NAME          The role that signs; default: release-signing
      --github OWNER/REPOSITORY, --gitlab GROUP/PROJECT
                           A trust policy for its jobs on tags, and no others
      --print KIND         One policy alone: iam, key or trust; default: an object of all
      --json, -q --quiet, --color WHEN, -h --help

Exit status: 0 done, 2 not done.

Example:
  countersign kms policy arn:aws:kms:eu-west-2:111122223333:key/1234abcd --github example/tool
";
