//! `countersign manifest`: a checksum manifest of files.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::thread::available_parallelism;

use countersign::sign::manifest::{self, Entry, FileError, Format};
use countersign::verify::ArtifactName;
use serde_json::{Value, json};

use super::args::{ManifestFormat, ManifestOptions};
use super::inputs::{self, shown};
use super::outcome::{Failure, Made, chain, failed};
use super::output::{self, Existing};
use super::report::{Progress, Reporter, counted};

pub(crate) fn run(options: &ManifestOptions, reporter: &Reporter) -> Made {
    let mut made = Made::new("manifest");
    if let Err(failures) = list(options, reporter, &mut made) {
        made.failures = failures;
    }
    made
}

/// A file to be listed, and by which name.
type Named = (ArtifactName, PathBuf);

fn list(
    options: &ManifestOptions,
    reporter: &Reporter,
    made: &mut Made,
) -> Result<(), Vec<Failure>> {
    let output = options
        .output
        .as_deref()
        .filter(|own| !inputs::is_stdin(own));
    let base = Base::of(options, output).map_err(|failure| vec![failure])?;
    let (files, total) = named(options, &base)?;
    spare(output, &base, &files).map_err(|failure| vec![failure])?;
    let label = output.map_or_else(|| "manifest".to_owned(), shown);
    let progress = Progress::new(reporter, label, total);
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let hashed = manifest::hash_files(&files, options.algorithm, threads, &|octets| {
        progress.add(octets);
    });
    drop(progress);
    let mut entries = all(hashed
        .into_iter()
        .map(|own| own.map_err(|error| unread(&error))))?;
    entries.sort_by(|one, other| one.name().cmp(other.name()));
    let (format, format_name) = match options.format {
        ManifestFormat::Gnu => (Format::Gnu, "gnu"),
        ManifestFormat::Bsd => (Format::Bsd, "bsd"),
    };
    let text = manifest::write(&entries, format)
        .map_err(|error| vec![failed("not-made", chain(&error))])?;
    if let Some(output) = output {
        let existing = Existing::with_force(options.force);
        let hint = "--force puts the new one in its place";
        output::publish(output, text.as_bytes(), existing, hint)
            .map_err(|failure| vec![failure])?;
    }
    let subject = output.map_or_else(
        || "standard output".to_owned(),
        |output| format!("`{}`", shown(output)),
    );
    let count = counted(entries.len());
    made.remarks
        .push(format!("{subject}: {count}, {}", options.algorithm));
    made.note("output", output.map(shown));
    made.note("algorithm", options.algorithm.to_string());
    made.note("format", format_name);
    made.note(
        "artifacts",
        entries.iter().map(document).collect::<Vec<_>>(),
    );
    match output {
        Some(output) => made.results.push(shown(output)),
        None => {
            made.note("manifest", text.clone());
            made.payload = Some(text.into_bytes());
        }
    }
    Ok(())
}

fn document(entry: &Entry) -> Value {
    json!({ "name": entry.name().as_str(), "digest": entry.digest().to_string() })
}

/// All, or every failure among them.
fn all<T>(outcomes: impl Iterator<Item = Result<T, Failure>>) -> Result<Vec<T>, Vec<Failure>> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(own) => found.push(own),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() {
        Ok(found)
    } else {
        Err(failures)
    }
}

fn unread(error: &FileError) -> Failure {
    let reason = match error {
        FileError::Folder { .. } | FileError::NotAFile { .. } => "not-a-file",
        _ => "read-failed",
    };
    let failure = failed(reason, chain(error));
    match error {
        FileError::Folder { .. } => failure.with_hint("give the files in it: `FOLDER/*`"),
        _ => failure,
    }
}

/// The folder that names start from.
struct Base {
    /// Without links.
    path: PathBuf,
    /// For messages.
    shown: String,
}

impl Base {
    /// `--dir`, else the folder of the output, else the current one.
    fn of(options: &ManifestOptions, output: Option<&Path>) -> Result<Self, Failure> {
        let beside = || output.and_then(Path::parent);
        let given = options.dir.as_deref().or_else(beside);
        let given = given.filter(|folder| !folder.as_os_str().is_empty());
        let folder = given.unwrap_or(Path::new("."));
        let shown = given.map_or_else(
            || "the current folder".to_owned(),
            |folder| format!("`{}`", shown(folder)),
        );
        if options.dir.is_some() && !folder.is_dir() {
            return Err(failed("read-failed", format!("--dir {shown} is no folder")));
        }
        let path = fs::canonicalize(folder).map_err(|error| match output {
            Some(output) if options.dir.is_none() => {
                let message = format!("cannot write `{}`: {error}", inputs::shown(output));
                failed("write-failed", message)
            }
            _ => failed("read-failed", format!("cannot look into {shown}: {error}")),
        })?;
        Ok(Self { path, shown })
    }

    /// What a file is called from here. A link as the last component keeps its own name.
    fn name(&self, file: &Path) -> Result<ArtifactName, Failure> {
        let unsafe_name = |problem: &str| {
            let message = format!("`{}` cannot be listed: {problem}", shown(file));
            failed("unsafe-name", message)
        };
        let own = file.file_name();
        let own = own.ok_or_else(|| unsafe_name("it has no name of its own"))?;
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let path = fs::canonicalize(folder)
            .map_err(|error| inputs::unreadable(file, &error))?
            .join(own);
        let Ok(below) = path.strip_prefix(&self.path) else {
            let message = format!("`{}` is outside of {}", shown(file), self.shown);
            return Err(failed("outside-folder", message)
                .with_hint("give the folder that names start from with --dir"));
        };
        let parts: Option<Vec<&str>> = below
            .components()
            .map(|part| match part {
                Component::Normal(part) => part.to_str(),
                _ => None,
            })
            .collect();
        let name = parts
            .ok_or_else(|| unsafe_name("name is not UTF-8"))?
            .join("/");
        ArtifactName::new(&name).map_err(|reason| unsafe_name(&reason.to_string()))
    }
}

/// Every file with the name by which it will be listed, and their length in all. Every one that cannot be listed is reported,
/// before hours are spent on hashing the others.
fn named(options: &ManifestOptions, base: &Base) -> Result<(Vec<Named>, u64), Vec<Failure>> {
    let mut total = 0;
    let mut first: BTreeMap<ArtifactName, &Path> = BTreeMap::new();
    let files = all(options.files.iter().map(|file| {
        if inputs::is_stdin(file) {
            let failure = failed("usage", "standard input (`-`) has no name to be listed by");
            return Err(failure.with_hint("a file of that name is `./-`"));
        }
        total += manifest::file_length(file).map_err(|error| unread(&error))?;
        let name = base.name(file)?;
        if let Some(other) = first.insert(name.clone(), file) {
            let (other, file) = (shown(other), shown(file));
            let message = if other == file {
                format!("`{file}` is given twice")
            } else {
                format!("`{other}` and `{file}` would both be listed as `{name}`")
            };
            return Err(failed("repeated-name", message));
        }
        Ok((name, file.clone()))
    }))?;
    Ok((files, total))
}

/// Refuses to list the manifest in itself, and its signature in what it signs.
fn spare(output: Option<&Path>, base: &Base, files: &[Named]) -> Result<(), Failure> {
    const HINT: &str = "leave it out of the list";
    let paths = || files.iter().map(|(_, path)| path.as_path());
    // Where the shell has sent standard output to a file, that is the manifest, and empty already.
    output::spare(output.unwrap_or(Path::new("-")), paths())
        .map_err(|failure| failure.with_hint(HINT))?;
    let Some(output) = output else {
        return Ok(());
    };
    let Ok(output_name) = base.name(output) else {
        return Ok(());
    };
    let output_name = output_name.as_str();
    let is_signature = |name: &ArtifactName| {
        let ending = name.as_str().strip_prefix(output_name);
        ending.is_some_and(|ending| inputs::SIGNATURE_ENDINGS.contains(&ending))
    };
    match files.iter().find(|(name, _)| is_signature(name)) {
        None => Ok(()),
        Some((_, path)) => {
            let (path, output) = (shown(path), shown(output));
            let message = format!("`{path}` is the place of the signature over `{output}`");
            Err(failed("output-is-input", message).with_hint(HINT))
        }
    }
}
