//! `countersign verify`: one file, one detached signature.

use std::fs::File;
use std::io;
use std::path::Path;

use countersign::verify::{DetachedSignature, Timestamp, VerifiedData, Verifier, VerifyError};

use super::args::VerifyOptions;
use super::inputs;
use super::outcome::{Failure, Outcome};
use super::report::{Progress, Reporter};

pub(crate) fn run(options: &VerifyOptions, reporter: &Reporter) -> Outcome {
    let mut outcome = Outcome::new("verify");
    outcome.file = Some(inputs::shown(&options.file));
    outcome.failure = verify(options, reporter, &mut outcome).err();
    outcome
}

fn verify(
    options: &VerifyOptions,
    reporter: &Reporter,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let (file, anchors) = (&options.file, &options.anchors);
    inputs::at_most_one_stdin(anchors.keys.iter().chain(&anchors.signature).chain([file]))?;
    let now = inputs::now(anchors);
    outcome.checked_at = Some(now);
    let verifier = inputs::verifier(anchors)?;
    // Before the signature is looked for: a file that is not there is the first thing to say.
    let data = if inputs::is_stdin(file) {
        None
    } else {
        Some(inputs::open(file)?)
    };
    let path = inputs::signature_path(file, anchors.signature.as_ref())?;
    outcome.signature_file = Some(inputs::shown(&path));
    let signature = inputs::signature(&path, file)?;
    let verified = match data {
        None => verifier.verify(&signature, io::stdin().lock(), now),
        Some(data) => verify_file(&verifier, &signature, &data, file, now, reporter),
    };
    match verified {
        Ok(verified) => {
            outcome.take_report(verified.report());
            Ok(())
        }
        Err(error) => Err(inputs::refuse(outcome, file, &error)),
    }
}

fn verify_file(
    verifier: &Verifier,
    signature: &DetachedSignature,
    data: &File,
    path: &Path,
    now: Timestamp,
    reporter: &Reporter,
) -> Result<VerifiedData, VerifyError> {
    let total = data.metadata().map_or(0, |found| found.len());
    let progress = Progress::new(reporter, inputs::shown(path), total);
    verifier.verify_file(signature, data, now, |octets| progress.add(octets))
}
