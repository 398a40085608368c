//! `countersign manifest`.

use std::path::PathBuf;

use countersign::verify::{HashAlgorithm, printable};

use super::{Command, UsageError, Word, Words};

pub(crate) struct ManifestOptions {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) algorithm: HashAlgorithm,
    pub(crate) format: ManifestFormat,
    pub(crate) output: Option<PathBuf>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestFormat {
    Gnu,
    Bsd,
}

pub(super) fn parse(words: Words<'_>) -> Result<Command, UsageError> {
    let mut words = Words {
        command: "manifest",
        flags: &[
            "help",
            "json",
            "quiet",
            "color",
            "algorithm",
            "format",
            "output",
            "dir",
            "force",
        ],
        ..words
    };
    let (mut algorithm, mut format, mut output, mut dir) = (None, None, None, None);
    let (mut files, mut force) = (Vec::new(), false);
    while let Some(word) = words.next()? {
        match word {
            Word::Flag("help") => return Ok(Command::Print(HELP.to_owned())),
            Word::Flag("force") => force = true,
            Word::Flag(flag @ "algorithm") => {
                words.once_parsed(flag, &mut algorithm, |text| match text {
                    "sha256" => Ok(HashAlgorithm::Sha256),
                    "sha512" => Ok(HashAlgorithm::Sha512),
                    other => Err(format!(
                        "`{}` is neither `sha256` nor `sha512`",
                        printable(other)
                    )),
                })?;
            }
            Word::Flag(flag @ "format") => {
                words.once_parsed(flag, &mut format, |text| match text {
                    "gnu" => Ok(ManifestFormat::Gnu),
                    "bsd" => Ok(ManifestFormat::Bsd),
                    other => Err(format!("`{}` is neither `gnu` nor `bsd`", printable(other))),
                })?;
            }
            Word::Flag(flag @ "output") => {
                words.once(flag, &mut output, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(flag @ "dir") => {
                words.once(flag, &mut dir, |value| Ok(PathBuf::from(value)))?;
            }
            Word::Flag(_) | Word::BackendFlag(_) => {}
            Word::Value(file) => files.push(PathBuf::from(file)),
        }
    }
    if files.is_empty() {
        return Err(words.error("no FILE given"));
    }
    Ok(Command::Manifest(Box::new(ManifestOptions {
        files,
        algorithm: algorithm.unwrap_or(HashAlgorithm::Sha256),
        format: format.unwrap_or(ManifestFormat::Gnu),
        output,
        dir,
        force,
    })))
}

pub(super) const HELP: &str = "\
Write a checksum manifest of files, as `countersign check` and `sha256sum -c` read it.

Usage: countersign manifest FILE... [OPTIONS]

  FILE                     A regular file in the folder that names start from, or below it

Options:
      --algorithm NAME     sha256 (default) or sha512
      --format NAME        gnu (default): `hex  name`, or bsd: `SHA256 (name) = hex`
      --output FILE        Default: standard output, as with `-`
      --dir DIR            Where names start from; default: the folder of --output, or this one
      --force              Replace a file that is there and says otherwise
      --json, -q --quiet, --color WHEN, -h --help

Lines are sorted by name. Names that `countersign check` would refuse are refused, and so are the
manifest itself and its signature.
Exit status: 0 done, 2 not done.

Example:
  countersign manifest dist/*.tar.gz --output dist/SHA256SUMS
";
