//! The only code that writes to standard output or standard error.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use countersign::verify::{ConsultedSource, GoodSignature, RefusedSignature, printable};
use serde::Serialize;

use super::args::{Color, Style};
use super::outcome::{ArtifactOutcome, Failure, Made, Outcome, Verdict};

/// Says what a command came to.
pub(crate) struct Reporter {
    style: Style,
    colored: bool,
}

const RED: &str = "\x1b[1;31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

impl Reporter {
    pub(crate) fn new(style: Style) -> Self {
        let colored = match style.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && io::stderr().is_terminal() && io::stdout().is_terminal()
            }
        };
        Self { style, colored }
    }

    /// Help or version.
    pub(crate) fn print(&mut self, text: &str) -> ExitCode {
        match write_out(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => self.lost_output(&error),
        }
    }

    /// Reports, and turns the outcome into an exit code. An outcome that could not be written is not `verified`.
    pub(crate) fn finish(&mut self, outcome: Outcome) -> ExitCode {
        let text = if self.style.json {
            json(&outcome)
        } else {
            self.results(&outcome)
        };
        self.remarks(&outcome);
        match write_out(text.as_bytes()) {
            Ok(()) => ExitCode::from(outcome.verdict().exit_code()),
            Err(error) => self.lost_output(&error),
        }
    }

    /// As [`Reporter::finish`], for a command that makes something.
    pub(crate) fn finish_made(&mut self, made: Made) -> ExitCode {
        let mut lines = Vec::new();
        let spoken = !self.style.quiet && !self.style.json;
        if spoken {
            lines.extend(made.remarks.iter().map(|line| printable(line)));
        }
        let warning = self.paint(CYAN, "warning:");
        lines.extend(
            made.warnings
                .iter()
                .map(|line| format!("{warning} {}", printable(line))),
        );
        for failure in &made.failures {
            lines.extend(self.complaint(failure));
        }
        say(&lines);
        let written = match (&made.payload, self.style.json) {
            (Some(payload), false) => write_out(payload),
            (_, true) => write_out(made_json(&made).as_bytes()),
            (None, false) if self.style.quiet => Ok(()),
            (None, false) => {
                let lines = made.results.iter().map(|line| format!("{line}\n"));
                write_out(lines.collect::<String>().as_bytes())
            }
        };
        match written {
            Ok(()) if made.failures.is_empty() => ExitCode::SUCCESS,
            Ok(()) => ExitCode::from(Verdict::CouldNotTell.exit_code()),
            Err(error) => self.lost_output(&error),
        }
    }

    fn complaint(&self, failure: &Failure) -> Vec<String> {
        let mut lines = vec![format!(
            "{} {}",
            self.paint(RED, "error:"),
            printable(&failure.message)
        )];
        if let Some(hint) = &failure.hint {
            lines.push(format!("{} {}", self.paint(CYAN, "hint:"), printable(hint)));
        }
        lines
    }

    /// One line a result, for scripts.
    fn results(&self, outcome: &Outcome) -> String {
        if self.style.quiet {
            return String::new();
        }
        let mut lines = String::new();
        for artifact in &outcome.artifacts {
            let word = artifact.reason.unwrap_or(artifact.verdict.name());
            lines.push_str(&self.result(&artifact.name, word, artifact.verdict));
        }
        let one = matches!(outcome.command, "verify" | "token verify");
        let single = one && outcome.checked_at.is_some();
        if let Some(file) = outcome.file.as_ref().filter(|_| single) {
            lines.push_str(&self.result(file, outcome.verdict().name(), outcome.verdict()));
        }
        lines
    }

    fn result(&self, name: &str, word: &str, verdict: Verdict) -> String {
        let color = if verdict == Verdict::Verified {
            GREEN
        } else {
            RED
        };
        format!("{name}: {}\n", self.paint(color, word))
    }

    fn paint(&self, color: &str, text: &str) -> String {
        if self.colored {
            format!("{color}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }

    /// What a person wants to know besides, and what went wrong.
    fn remarks(&self, outcome: &Outcome) {
        let mut lines = Vec::new();
        if !self.style.quiet && !self.style.json {
            if let Some(path) = &outcome.signature_file {
                lines.push(format!("signature file `{path}`"));
            }
            lines.extend(outcome.good.iter().map(good));
            lines.extend(outcome.refused.iter().map(refused));
            let lost = outcome
                .sources
                .iter()
                .filter_map(|source| Some((source.name(), source.unreachable()?)));
            lines.extend(lost.map(|(name, why)| {
                format!("source `{name}` was not consulted: {}", printable(why))
            }));
            let reached = outcome
                .sources
                .iter()
                .filter(|own| own.unreachable().is_none());
            let reached: Vec<String> = reached.map(|own| format!("`{}`", own.name())).collect();
            let fetched = |own: &ConsultedSource| own.name().as_str() != "key";
            if outcome.sources.iter().any(fetched) {
                lines.push(format!("sources that agree: {}", reached.join(", ")));
            }
            if let (Some(file), Verdict::Verified, "check") =
                (&outcome.file, outcome.verdict(), outcome.command)
            {
                let verified = counted(outcome.artifacts.len());
                let skipped = match outcome.skipped {
                    0 => String::new(),
                    some => format!(", {} not there", counted(some)),
                };
                lines.push(format!("`{file}`: {verified} verified{skipped}"));
            }
        }
        if let Some(failure) = &outcome.failure {
            let bad = |own: &&ArtifactOutcome| own.verdict != Verdict::Verified;
            let error = self.paint(RED, "error:");
            for artifact in outcome.artifacts.iter().filter(bad) {
                lines.extend(
                    artifact
                        .message
                        .as_ref()
                        .map(|message| format!("{error} {message}")),
                );
            }
            lines.extend(self.complaint(failure));
        }
        say(&lines);
    }

    fn lost_output(&self, error: &io::Error) -> ExitCode {
        let line = format!(
            "countersign: {} cannot write the outcome: {error}\n",
            self.paint(RED, "error:")
        );
        // Nothing is left to complain to.
        let _ = io::stderr().write_all(line.as_bytes());
        ExitCode::from(Verdict::CouldNotTell.exit_code())
    }
}

fn write_out(octets: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(octets)?;
    out.flush()
}

fn say(lines: &[String]) {
    let text: String = lines
        .iter()
        .map(|line| format!("countersign: {line}\n"))
        .collect();
    // Nothing is left to complain to.
    let _ = io::stderr().write_all(text.as_bytes());
}

pub(crate) fn counted(artifacts: usize) -> String {
    if artifacts == 1 {
        "1 artifact".to_owned()
    } else {
        format!("{artifacts} artifacts")
    }
}

fn named(user_id: Option<&str>) -> String {
    user_id
        .map(|id| format!(" ({})", printable(id)))
        .unwrap_or_default()
}

fn good(own: &GoodSignature) -> String {
    let subkey = if own.key() == own.certificate() {
        String::new()
    } else {
        format!(", subkey {}", own.key())
    };
    format!(
        "good signature by {}{}{subkey}, {} with {}, {}",
        own.certificate(),
        named(own.user_id()),
        own.algorithm(),
        own.hash(),
        own.created()
    )
}

fn refused(own: &RefusedSignature) -> String {
    let by = match (own.certificate(), own.issuers()) {
        (Some(certificate), _) => format!(" by {certificate}{}", named(own.user_id())),
        (None, [issuer, ..]) => format!(" by {issuer}"),
        (None, []) => String::new(),
    };
    let created = own
        .created()
        .map(|time| format!(", {time}"))
        .unwrap_or_default();
    format!(
        "signature{by}{created} does not count: {}",
        printable(&own.reason().to_string())
    )
}

/// A bar for long hashing, on a terminal only, once it has lasted a while: octets, rate, time left.
pub(crate) struct Progress {
    /// None where there is no terminal to draw on.
    started: Option<Instant>,
    name: String,
    total: u64,
    done: AtomicU64,
    drawn: Mutex<Option<Instant>>,
}

impl Progress {
    pub(crate) fn new(reporter: &Reporter, name: String, total: u64) -> Self {
        let wanted = !reporter.style.quiet && io::stderr().is_terminal();
        Self {
            started: wanted.then(Instant::now),
            name,
            total,
            done: AtomicU64::new(0),
            drawn: Mutex::new(None),
        }
    }

    /// Counts octets; from any thread.
    pub(crate) fn add(&self, octets: u64) {
        /// Shorter work ends before anybody has read a bar.
        const PATIENCE: Duration = Duration::from_millis(400);
        /// A person reads no faster.
        const PAUSE: Duration = Duration::from_millis(100);
        let done = octets + self.done.fetch_add(octets, Ordering::Relaxed);
        let Some(elapsed) = self.started.map(|started| started.elapsed()) else {
            return;
        };
        if elapsed < PATIENCE {
            return;
        }
        // Another thread is drawing: that will do.
        let Ok(mut drawn) = self.drawn.try_lock() else {
            return;
        };
        if drawn.is_none_or(|last| last.elapsed() >= PAUSE) {
            *drawn = Some(Instant::now());
            // A bar that cannot be drawn is no reason to fail.
            let _ = write!(io::stderr(), "\r{}\x1b[K", self.line(done, elapsed));
        }
    }

    fn line(&self, done: u64, elapsed: Duration) -> String {
        const CELLS: u64 = 24;
        let rate = u128::from(done) * 1000 / elapsed.as_millis().max(1);
        // A pipe does not say how much will come.
        if self.total == 0 {
            return format!("{} {}, {}/s", self.name, size(done.into()), size(rate));
        }
        let left = u128::from(self.total.saturating_sub(done)) / rate.max(1);
        let filled = (u128::from(done) * u128::from(CELLS))
            .checked_div(u128::from(self.total))
            .map_or(0, |cells| cells.min(u128::from(CELLS)));
        let bar: String = (0..u128::from(CELLS))
            .map(|cell| if cell < filled { '=' } else { ' ' })
            .collect();
        format!(
            "{} [{bar}] {} of {}, {}/s, {}:{:02} left",
            self.name,
            size(done.into()),
            size(self.total.into()),
            size(rate),
            left / 60,
            left % 60
        )
    }
}

/// An amount of octets in binary units.
fn size(octets: u128) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut tenths = octets * 10;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.get_mut().is_ok_and(|drawn| drawn.is_some()) {
            // As above.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// The JSON form, version 1: fields may be added, none changes its meaning.
#[derive(Serialize)]
struct Document<'a> {
    schema: String,
    verdict: &'static str,
    reason: Option<&'static str>,
    message: Option<&'a str>,
    hint: Option<&'a str>,
    file: Option<&'a str>,
    signature_file: Option<&'a str>,
    checked_at: Option<String>,
    sources: Vec<SourceDocument>,
    good: Vec<SignatureDocument>,
    refused: Vec<SignatureDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifacts: Option<Vec<ArtifactDocument<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<usize>,
}

#[derive(Serialize)]
struct SourceDocument {
    name: String,
    reached: bool,
    problem: Option<String>,
}

#[derive(Serialize)]
struct SignatureDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    user_id: Option<String>,
    created: Option<String>,
    expires: Option<String>,
    algorithm: Option<String>,
    hash: Option<String>,
    issuers: Vec<String>,
    notations: Vec<NotationDocument>,
    sources: Vec<String>,
}

#[derive(Serialize)]
struct NotationDocument {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct ArtifactDocument<'a> {
    name: &'a str,
    verdict: &'static str,
    reason: Option<&'static str>,
    message: Option<&'a str>,
    digest: Option<&'a str>,
}

fn json(outcome: &Outcome) -> String {
    let failure = outcome.failure.as_ref();
    let document = Document {
        schema: schema(outcome.command),
        verdict: outcome.verdict().name(),
        reason: failure.map(|failure| failure.reason),
        message: failure.map(|failure| failure.message.as_str()),
        hint: failure.and_then(|failure| failure.hint.as_deref()),
        file: outcome.file.as_deref(),
        signature_file: outcome.signature_file.as_deref(),
        checked_at: outcome.checked_at.map(|time| time.to_string()),
        sources: outcome.sources.iter().map(source_document).collect(),
        good: outcome.good.iter().map(good_document).collect(),
        refused: outcome.refused.iter().map(refused_document).collect(),
        artifacts: (outcome.command == "check")
            .then(|| outcome.artifacts.iter().map(artifact_document).collect()),
        skipped: (outcome.command == "check").then_some(outcome.skipped),
    };
    json_text(&document)
}

/// The JSON form of a command that makes something, version 1.
#[derive(Serialize)]
struct MadeDocument<'a> {
    schema: String,
    result: &'static str,
    failures: Vec<FailureDocument<'a>>,
    warnings: &'a [String],
    #[serde(flatten)]
    own: &'a serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct FailureDocument<'a> {
    reason: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
}

fn made_json(made: &Made) -> String {
    let failures = made.failures.iter().map(|own| FailureDocument {
        reason: own.reason,
        message: &own.message,
        hint: own.hint.as_deref(),
    });
    json_text(&MadeDocument {
        schema: schema(made.command),
        result: if made.failures.is_empty() {
            "done"
        } else {
            "failed"
        },
        failures: failures.collect(),
        warnings: &made.warnings,
        own: &made.document,
    })
}

/// As in `countersign.key-mint/1`.
fn schema(command: &str) -> String {
    format!("countersign.{}/1", command.replace(' ', "-"))
}

fn json_text(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).expect("strings and lists serialise");
    // JSON needs no escapes beyond the first control characters; a terminal does.
    let mut shown = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c == '\n' || printable(c.encode_utf8(&mut [0; 4])).starts_with(c) {
            shown.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    shown.push('\n');
    shown
}

fn source_document(own: &countersign::verify::ConsultedSource) -> SourceDocument {
    let problem = own.unreachable().map(str::to_owned);
    SourceDocument {
        name: own.name().to_string(),
        reached: problem.is_none(),
        problem,
    }
}

fn good_document(own: &GoodSignature) -> SignatureDocument {
    SignatureDocument {
        reason: None,
        message: None,
        certificate: Some(own.certificate().to_string()),
        key: Some(own.key().to_string()),
        user_id: own.user_id().map(str::to_owned),
        created: Some(own.created().to_string()),
        expires: own.expires().map(|time| time.to_string()),
        algorithm: Some(own.algorithm().to_string()),
        hash: Some(own.hash().to_string()),
        issuers: vec![own.key().to_string()],
        notations: own
            .notations()
            .iter()
            .map(|notation| NotationDocument {
                name: notation.name.clone(),
                value: String::from_utf8_lossy(&notation.value).into_owned(),
            })
            .collect(),
        sources: own.sources().iter().map(ToString::to_string).collect(),
    }
}

fn refused_document(own: &RefusedSignature) -> SignatureDocument {
    SignatureDocument {
        reason: Some(own.reason().name()),
        message: Some(own.reason().to_string()),
        certificate: own.certificate().map(|own| own.to_string()),
        key: own.key().map(|own| own.to_string()),
        user_id: own.user_id().map(str::to_owned),
        created: own.created().map(|own| own.to_string()),
        expires: None,
        algorithm: own.algorithm().map(|own| own.to_string()),
        hash: own.hash().map(|own| own.to_string()),
        issuers: own.issuers().iter().map(ToString::to_string).collect(),
        notations: Vec::new(),
        sources: Vec::new(),
    }
}

fn artifact_document(own: &ArtifactOutcome) -> ArtifactDocument<'_> {
    ArtifactDocument {
        name: &own.name,
        verdict: own.verdict.name(),
        reason: own.reason,
        message: own.message.as_deref(),
        digest: own.digest.as_deref(),
    }
}
