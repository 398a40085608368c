//! `countersign wkd`: url, build.

use std::path::PathBuf;

#[cfg(feature = "fetch")]
use countersign::wkd::Method;
use countersign::wkd::{Address, AddressError, Domain, Layout};

use super::{Command, Group, Subcommand, UsageError, Word, Words, printable};

pub(crate) struct UrlOptions {
    pub(crate) address: Address,
}

pub(crate) struct BuildOptions {
    pub(crate) domain: Domain,
    pub(crate) addresses: Vec<Address>,
    pub(crate) submission_address: Option<Address>,
    pub(crate) layout: Layout,
    pub(crate) output: PathBuf,
    pub(crate) keys: Vec<PathBuf>,
}

/// The certificates for an address.
#[cfg(feature = "fetch")]
pub(crate) struct FetchOptions {
    pub(crate) address: Address,
    pub(crate) method: Option<Method>,
    pub(crate) armor: bool,
    pub(crate) output: PathBuf,
    pub(crate) force: bool,
}

#[cfg(feature = "fetch")]
const FETCH_FLAGS: &[&str] = &[
    "help", "json", "quiet", "color", "method", "armor", "output", "force",
];
const URL_FLAGS: &[&str] = &["help", "json", "quiet", "color"];
const BUILD_FLAGS: &[&str] = &[
    "help",
    "json",
    "quiet",
    "color",
    "domain",
    "address",
    "submission-address",
    "layout",
    "output",
];

pub(super) const GROUP: Group = Group {
    name: "wkd",
    help: HELP,
    commands: &[
        Subcommand {
            name: "url",
            help: URL_HELP,
            parse: parse_url,
        },
        Subcommand {
            name: "build",
            help: BUILD_HELP,
            parse: parse_build,
        },
        #[cfg(feature = "fetch")]
        Subcommand {
            name: "fetch",
            help: FETCH_HELP,
            parse: parse_fetch,
        },
    ],
};

fn parse_url(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "wkd url",
        flags: URL_FLAGS,
        ..words
    };
    let mut found = None;
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(URL_HELP.to_owned())),
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(value) if found.is_none() => {
                let text = words.text("ADDRESS", value)?;
                let address = address(&text).map_err(|problem| words.error(&problem))?;
                found = Some(address);
            }
            Word::Value(extra) => {
                let shown = printable(&extra.to_string_lossy());
                return Err(words.error(&format!("more than one ADDRESS: `{shown}`")));
            }
        }
    }
    let address = found.ok_or_else(|| words.error("no ADDRESS given"))?;
    Ok(Command::WkdUrl(Box::new(UrlOptions { address })))
}

#[cfg(feature = "fetch")]
fn parse_fetch(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "wkd fetch",
        flags: FETCH_FLAGS,
        ..words
    };
    let (mut found, mut method, mut output) = (None, None, None);
    let (mut armor, mut force) = (false, false);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(FETCH_HELP.to_owned())),
            Word::Flag("armor") => armor = true,
            Word::Flag("force") => force = true,
            Word::Flag(flag @ "method") => {
                words.once_parsed(flag, &mut method, |text| match text {
                    "advanced" => Ok(Method::Advanced),
                    "direct" => Ok(Method::Direct),
                    other => Err(format!(
                        "`{}` is neither `advanced` nor `direct`",
                        printable(other)
                    )),
                })?;
            }
            Word::Flag(flag @ "output") => {
                words.once(flag, &mut output, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(value) if found.is_none() => {
                let text = words.text("ADDRESS", value)?;
                found = Some(address(&text).map_err(|problem| words.error(&problem))?);
            }
            Word::Value(extra) => {
                let shown = printable(&extra.to_string_lossy());
                return Err(words.error(&format!("more than one ADDRESS: `{shown}`")));
            }
        }
    }
    let address = found.ok_or_else(|| words.error("no ADDRESS given"))?;
    Ok(Command::WkdFetch(Box::new(FetchOptions {
        address,
        method,
        armor,
        output: output.unwrap_or_else(|| PathBuf::from("-")),
        force,
    })))
}

fn parse_build(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "wkd build",
        flags: BUILD_FLAGS,
        ..words
    };
    let (mut domain, mut layout, mut output) = (None, None, None);
    let (mut addresses, mut submission_address) = (Vec::new(), None);
    let mut keys = Vec::new();
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(BUILD_HELP.to_owned())),
            Word::Flag(flag @ "domain") => words.once_parsed(flag, &mut domain, |text| {
                text.parse::<Domain>().map_err(|error| error.to_string())
            })?,
            Word::Flag(flag @ "address") => addresses.push(words.parsed(flag, address)?),
            Word::Flag(flag @ "submission-address") => {
                words.once_parsed(flag, &mut submission_address, address)?;
            }
            Word::Flag(flag @ "layout") => {
                words.once_parsed(flag, &mut layout, |text| match text {
                    "advanced" => Ok(Layout::Advanced),
                    "direct" => Ok(Layout::Direct),
                    "both" => Ok(Layout::Both),
                    other => Err(format!(
                        "`{}` is neither `advanced` nor `direct` nor `both`",
                        printable(other)
                    )),
                })?;
            }
            Word::Flag(flag @ "output") => {
                words.once(flag, &mut output, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(key) => keys.push(PathBuf::from(key)),
        }
    }
    let domain = domain.ok_or_else(|| words.error("--domain is needed"))?;
    if keys.is_empty() {
        return Err(words.error("no KEY given"));
    }
    let stranger = addresses.iter().find(|own| *own.domain() != domain);
    if let Some(stranger) = stranger {
        return Err(words.error(&format!(
            "--address: `{stranger}` is no address of {domain}"
        )));
    }
    Ok(Command::WkdBuild(Box::new(BuildOptions {
        domain,
        addresses,
        submission_address,
        layout: layout.unwrap_or(Layout::Advanced),
        output: output.unwrap_or_else(|| PathBuf::from(".")),
        keys,
    })))
}

pub(super) fn address(text: &str) -> Result<Address, String> {
    text.parse()
        .map_err(|error: AddressError| error.to_string())
}

const HELP: &str = "\
Serve certificates from your own domain, as a Web Key Directory (WKD).

Usage: countersign wkd url ADDRESS
       countersign wkd build --domain DOMAIN KEY...
       countersign wkd fetch ADDRESS

Commands:
  url        Where the certificate for a mail address is served
  build      The files that a web server serves
  fetch      The certificates that a domain serves for a mail address

`countersign wkd COMMAND --help` says more.
";

const URL_HELP: &str = "\
Print where the certificate for a mail address is served.

Usage: countersign wkd url ADDRESS [OPTIONS]

Options:
      --json, -q --quiet, --color WHEN, -h --help

Prints the hash of the address, and for each of the two methods URL and path below the web root. A
client asks `openpgpkey.DOMAIN` (advanced) if there is such a host, and else `DOMAIN` (direct).
Exit status: 0 done, 2 not done.

Example:
  countersign wkd url releases@example.org
";

#[cfg(feature = "fetch")]
const FETCH_HELP: &str = "\
Get the certificates that a domain serves for a mail address.

Usage: countersign wkd fetch ADDRESS [OPTIONS]

Options:
      --output FILE        Default: standard output
      --armor              ASCII armor; default: binary
      --method NAME        Ask only the host openpgpkey.DOMAIN (advanced) or only DOMAIN (direct).
                           Default: the first if there is such a host, else the second
      --force              Replace a file that is there
      --json, -q --quiet, --color WHEN, -h --help

Whoever controls the domain's web server chooses what is served: compare fingerprints with another
source before you trust it. Root certificates are the system's, or those of SSL_CERT_FILE;
HTTPS_PROXY and NO_PROXY are honoured. Exit status: 0 done, 2 not done.

Example:
  countersign wkd fetch releases@example.org --armor --output releases.asc
";

const BUILD_HELP: &str = "\
Write the files of a Web Key Directory for a domain.

Usage: countersign wkd build --domain DOMAIN KEY... [OPTIONS]

  KEY                      File with certificates, binary or armored; `-` is standard input

Options:
      --domain DOMAIN      Whose mail addresses are served
      --address ADDRESS    Only this one; may be repeated. Default: all of the domain
      --output DIR         The root of the web server; files go below DIR/.well-known/openpgpkey.
                           Default: this folder
      --layout NAME        advanced (default): for the host openpgpkey.DOMAIN; direct: for
                           DOMAIN; both
      --submission-address ADDRESS
                           Write a file that tells where to mail new certificates
      --json, -q --quiet, --color WHEN, -h --help

Each file holds the certificates for one address, without other user ids and others' signatures.
What is there is added to; a certificate that cannot be published is named, the others are written.
Exit status: 0 done, 2 not done or not all.

Example:
  countersign wkd build --domain example.org --output public releases@example.org.asc
";
