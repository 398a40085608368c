//! Transcripts: files of command lines with all that a user sees.
//!
//! A line `# TITLE` begins a case, in a fresh folder with the files of `fixture.rs`. `% LINE` is a shell command that must
//! succeed in silence. `$ LINE` is run by the shell, and what follows is compared in full: standard output in lines `| `,
//! standard error in lines `! `, the exit status as `= `. Everything else is prose.
//!
//! With `TRANSCRIPTS=overwrite` in the environment, the files are rewritten with what happened: read the difference.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{command_in, fixture, process};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli")
}

/// Runs one transcript.
pub(crate) fn replay(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}.txt: {error}"));
    let found = rerun(name, &expected);
    if std::env::var_os("TRANSCRIPTS").is_some_and(|value| value == "overwrite") {
        fs::write(&path, &found).expect("the transcript can be rewritten");
        return;
    }
    let mut case = "";
    for (index, (old, new)) in expected.lines().zip(found.lines()).enumerate() {
        if old.starts_with("# ") {
            case = old;
        }
        let line = index + 1;
        assert_eq!(
            old,
            new,
            "{name}.txt:{line}: {case}\nthis happened:\n\n{}",
            excerpt(&found, index)
        );
    }
    assert_eq!(expected, found, "{name}.txt");
}

/// The lines of the case around one that differs.
fn excerpt(text: &str, index: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let start = index.saturating_sub(8);
    let end = lines.len().min(index + 12);
    lines[start..end].join("\n")
}

fn rerun(name: &str, transcript: &str) -> String {
    let mut found = String::new();
    let mut home: Option<tempfile::TempDir> = None;
    let mut cases = 0;
    for line in transcript.lines() {
        if ["| ", "! ", "= "].iter().any(|own| line.starts_with(own)) || ["|", "!"].contains(&line)
        {
            continue;
        }
        found.push_str(line);
        found.push('\n');
        if line.starts_with("# ") {
            home = Some(fixture::folder());
            cases += 1;
        }
        let home = || {
            let home = home.as_ref();
            home.unwrap_or_else(|| panic!("{name}.txt: `{line}` stands before the first case"))
                .path()
        };
        if let Some(script) = line.strip_prefix("% ") {
            let ended = shell(script, home());
            assert!(
                ended.status == Some(0) && ended.stdout.is_empty() && ended.stderr.is_empty(),
                "{name}.txt: `{line}`: {}",
                ended.stderr_text()
            );
        } else if let Some(script) = line.strip_prefix("$ ") {
            let ended = shell(script, home());
            push_lines(&mut found, '|', ended.stdout);
            push_lines(&mut found, '!', ended.stderr);
            let status = ended
                .status
                .map_or("killed".to_owned(), |code| code.to_string());
            found.push_str(&format!("= {status}\n"));
        }
    }
    assert!(cases > 0, "{name}.txt has no case");
    found
}

fn push_lines(found: &mut String, mark: char, output: Vec<u8>) {
    if output.is_empty() {
        return;
    }
    // What is not UTF-8, or would reach a terminal as a control character, stands out.
    let text = match String::from_utf8(output) {
        Ok(text) => text,
        Err(error) => format!("NOT UTF-8: {:?}\n", error.as_bytes()),
    };
    let (text, ending) = match text.strip_suffix('\n') {
        Some(text) => (text, ""),
        None => (&text[..], " (no line end)"),
    };
    for line in text.split('\n') {
        let shown: String = line
            .chars()
            .map(|c| match c {
                '\x1b' => "<ESC>".to_owned(),
                c if c.is_control() => format!("<{:02x}>", c as u32),
                c => c.to_string(),
            })
            .collect();
        found.push_str(format!("{mark} {shown}").trim_end_matches(' '));
        found.push('\n');
    }
    if !ending.is_empty() {
        found.truncate(found.len() - 1);
        found.push_str(ending);
        found.push('\n');
    }
}

fn shell(script: &str, home: &Path) -> process::Ended {
    let mut command: Command = command_in("sh", home);
    process::run(command.args(["-c", script]), b"")
}
