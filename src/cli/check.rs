//! `countersign check`: a release, that is a signed manifest and the artifacts it lists.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use countersign::verify::{
    Artifact, ArtifactError, ClearSigned, Detected, Manifest, Timestamp, VerifiedArtifact,
    VerifiedManifest, Verifier, limits,
};

use super::args::CheckOptions;
use super::inputs;
use super::outcome::{ArtifactOutcome, Failure, Outcome, Verdict, chain};
use super::report::{Progress, Reporter};

pub(crate) fn run(options: &CheckOptions, reporter: &Reporter) -> Outcome {
    let mut outcome = Outcome::new("check");
    outcome.file = Some(inputs::shown(&options.manifest));
    outcome.failure = check(options, reporter, &mut outcome).err();
    outcome
}

fn check(
    options: &CheckOptions,
    reporter: &Reporter,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let anchors = &options.anchors;
    let paths = anchors
        .keys
        .iter()
        .chain(&anchors.signature)
        .chain([&options.manifest]);
    inputs::at_most_one_stdin(paths)?;
    let now = inputs::now(anchors);
    outcome.checked_at = Some(now);
    let folder = folder(options)?;
    let verifier = inputs::verifier(anchors)?;
    let manifest = verify_manifest(options, &verifier, now, outcome)?;
    outcome.take_report(manifest.report());
    let (chosen, mut outcomes) = choose(&manifest, &options.names);
    // A file that was asked for by name has to be there.
    let may_miss = options.ignore_missing && options.names.is_empty();
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let total = chosen.iter().map(|artifact| {
        folder
            .join(artifact.name().as_str())
            .metadata()
            .map_or(0, |found| found.len())
    });
    let progress = Progress::new(reporter, inputs::shown(&options.manifest), total.sum());
    let checked = manifest.check_below(&folder, &chosen, threads, &|octets| progress.add(octets));
    drop(progress);
    for (artifact, result) in chosen.iter().zip(checked) {
        let missing = matches!(result, Err(ArtifactError::Missing { .. }));
        if missing && may_miss {
            outcome.skipped += 1;
        } else {
            outcomes.push(judged(artifact.name().to_string(), result));
        }
    }
    outcome.artifacts = outcomes;
    conclude(&outcome.artifacts, options)
}

/// `--dir`, else the folder in which the manifest lies.
fn folder(options: &CheckOptions) -> Result<PathBuf, Failure> {
    let folder = match &options.dir {
        Some(dir) => dir.clone(),
        None if inputs::is_stdin(&options.manifest) => PathBuf::from("."),
        None => options
            .manifest
            .parent()
            .unwrap_or(Path::new(""))
            .to_owned(),
    };
    let folder = if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder
    };
    if options.dir.is_some() && !folder.is_dir() {
        let message = format!("--dir `{}` is no folder", inputs::shown(&folder));
        return Err(Failure::new(Verdict::CouldNotTell, "read-failed", message));
    }
    Ok(folder)
}

fn verify_manifest(
    options: &CheckOptions,
    verifier: &Verifier,
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<VerifiedManifest, Failure> {
    let (path, anchors) = (&options.manifest, &options.anchors);
    let octets = inputs::read_bounded(path, limits::MANIFEST_BYTES)?;
    if ClearSigned::is_clear_signed(&octets) == Detected::ClearSigned {
        if anchors.signature.is_some() {
            let message = format!(
                "`{}` is clear-signed and needs no --signature",
                inputs::shown(path)
            );
            return Err(Failure::new(Verdict::CouldNotTell, "usage", message));
        }
        return ClearSigned::from_bytes(&octets)
            .and_then(|text| verifier.verify_clear_signed(&text, now))
            .map_err(|error| inputs::refuse(outcome, path, &error));
    }
    let manifest = Manifest::from_bytes(&octets)
        .map_err(|error| inputs::refuse(outcome, path, &error.into()))?;
    let signature_path = inputs::signature_path(path, anchors.signature.as_ref())?;
    outcome.signature_file = Some(inputs::shown(&signature_path));
    let signature = inputs::signature(&signature_path, path)?;
    verifier
        .verify_manifest(&manifest, &signature, now)
        .map_err(|error| inputs::refuse(outcome, path, &error))
}

/// The artifacts asked for, and an outcome for each name that is not listed.
fn choose<'m>(
    manifest: &'m VerifiedManifest,
    names: &[String],
) -> (Vec<&'m Artifact>, Vec<ArtifactOutcome>) {
    if names.is_empty() {
        return (manifest.artifacts().iter().collect(), Vec::new());
    }
    let mut chosen: Vec<&Artifact> = Vec::new();
    let mut outcomes = Vec::new();
    for name in names {
        match manifest.artifact(name) {
            Ok(artifact) if chosen.contains(&artifact) => {}
            Ok(artifact) => chosen.push(artifact),
            Err(error) => outcomes.push(judged(countersign::verify::printable(name), Err(error))),
        }
    }
    (chosen, outcomes)
}

fn judged(name: String, result: Result<VerifiedArtifact, ArtifactError>) -> ArtifactOutcome {
    match result {
        Ok(verified) => ArtifactOutcome {
            name,
            verdict: Verdict::Verified,
            reason: None,
            message: None,
            digest: Some(verified.digest().to_string()),
        },
        Err(error) => ArtifactOutcome {
            name,
            verdict: error.verdict().into(),
            reason: Some(error.name()),
            message: Some(chain(&error)),
            digest: None,
        },
    }
}

/// One bad artifact refuses the release; one that could not be read leaves it open.
fn conclude(artifacts: &[ArtifactOutcome], options: &CheckOptions) -> Result<(), Failure> {
    let verified = artifacts
        .iter()
        .filter(|own| own.verdict == Verdict::Verified)
        .count();
    let of = |verdict| artifacts.iter().find(|own| own.verdict == verdict);
    // An altered artifact is worse than one that is not there.
    let altered = artifacts.iter().find(|own| own.reason == Some("mismatch"));
    let worst = altered
        .or_else(|| of(Verdict::Refused))
        .or_else(|| of(Verdict::CouldNotTell));
    let Some(worst) = worst else {
        if verified > 0 {
            return Ok(());
        }
        let message = "none of the listed artifacts is there";
        return Err(Failure::new(Verdict::Refused, "nothing-checked", message));
    };
    let bad = artifacts.len() - verified;
    let message = format!("{bad} of {} artifacts did not verify", artifacts.len());
    let failure = Failure::new(worst.verdict, worst.reason.unwrap_or("refused"), message);
    let hint = match worst.reason {
        Some("not-listed") => {
            Some("give names as the manifest lists them, and the folder with --dir")
        }
        Some("mismatch") => Some("download it again, or do not use it"),
        Some("missing") if verified > 0 && !options.ignore_missing => {
            Some("--ignore-missing skips artifacts that are not there")
        }
        _ => None,
    };
    Err(failure.with_optional_hint(hint.map(str::to_owned)))
}
