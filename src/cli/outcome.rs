//! What a command came to: the one thing that text and JSON are both made from.

use std::error::Error;

use countersign::verify::{ConsultedSource, GoodSignature, RefusedSignature, Report, Timestamp};

/// The three answers, which are also the exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Verified,
    Refused,
    CouldNotTell,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::CouldNotTell => "could-not-tell",
        }
    }

    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Refused => 1,
            Self::CouldNotTell => 2,
        }
    }
}

impl From<countersign::verify::Verdict> for Verdict {
    fn from(verdict: countersign::verify::Verdict) -> Self {
        match verdict {
            countersign::verify::Verdict::Refused => Self::Refused,
            countersign::verify::Verdict::CouldNotTell => Self::CouldNotTell,
        }
    }
}

/// Why a command did not come to `verified`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) verdict: Verdict,
    /// A stable name.
    pub(crate) reason: &'static str,
    /// With its causes.
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(verdict: Verdict, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            verdict,
            reason,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub(crate) fn with_optional_hint(self, hint: Option<String>) -> Self {
        Self {
            hint: hint.or(self.hint),
            ..self
        }
    }
}

/// A message and its causes, each said once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message
}

/// One artifact of a release.
#[derive(Debug)]
pub(crate) struct ArtifactOutcome {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<&'static str>,
    pub(crate) message: Option<String>,
    pub(crate) digest: Option<String>,
}

/// What a command came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) command: &'static str,
    pub(crate) file: Option<String>,
    pub(crate) signature_file: Option<String>,
    pub(crate) checked_at: Option<Timestamp>,
    pub(crate) good: Vec<GoodSignature>,
    pub(crate) refused: Vec<RefusedSignature>,
    pub(crate) sources: Vec<ConsultedSource>,
    pub(crate) artifacts: Vec<ArtifactOutcome>,
    /// Listed, not there, and not to be missed.
    pub(crate) skipped: usize,
    pub(crate) failure: Option<Failure>,
}

impl Outcome {
    pub(crate) fn new(command: &'static str) -> Self {
        Self {
            command,
            ..Self::default()
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.failure
            .as_ref()
            .map_or(Verdict::Verified, |failure| failure.verdict)
    }

    pub(crate) fn take_report(&mut self, report: &Report) {
        self.good = report.good().to_vec();
        self.refused = report.refused().to_vec();
        self.sources = report.sources().to_vec();
    }
}

/// What a command that makes something came to.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Its words, such as `key mint`.
    pub(crate) command: &'static str,
    /// For standard output, one line each.
    pub(crate) results: Vec<String>,
    /// For standard output, to the letter, in place of lines.
    pub(crate) payload: Option<Vec<u8>>,
    /// What a person wants to know besides.
    pub(crate) remarks: Vec<String>,
    /// What a person should know even where nothing was asked.
    pub(crate) warnings: Vec<String>,
    /// What the JSON form has beyond what all commands have.
    pub(crate) document: serde_json::Map<String, serde_json::Value>,
    /// What was not made. What was made before stays.
    pub(crate) failures: Vec<Failure>,
}

impl Made {
    pub(crate) fn new(command: &'static str) -> Self {
        Self {
            command,
            ..Self::default()
        }
    }

    /// What comes of making it. What was made before a failure stays.
    pub(crate) fn of(
        command: &'static str,
        make: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Self {
        let mut made = Self::new(command);
        if let Err(failure) = make(&mut made) {
            made.failures.push(failure);
        }
        made
    }

    /// Adds a field to the JSON form.
    pub(crate) fn note(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        self.document.insert(name.to_owned(), value.into());
    }
}

/// A failure of a command that makes something.
pub(crate) fn failed(reason: &'static str, message: impl Into<String>) -> Failure {
    Failure::new(Verdict::CouldNotTell, reason, message)
}
