//! Properties of the command as a whole, rather than of one command line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{command_in, fixture, process};

const HELPS: [&[&str]; 3] = [&["--help"], &["verify", "--help"], &["check", "--help"]];

fn help(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ended = process::run(
        command_in("countersign", folder.path()).args(arguments),
        b"",
    );
    assert_eq!(
        (ended.status, ended.stderr_text().as_str()),
        (Some(0), ""),
        "{arguments:?}"
    );
    ended.stdout_text()
}

#[test]
fn help_fits_a_screen() {
    /// A terminal of moderate size.
    const SCREEN: (usize, usize) = (40, 100);
    for arguments in HELPS {
        let text = help(arguments);
        assert!(
            text.lines().count() <= SCREEN.0,
            "{arguments:?} is too long"
        );
        for line in text.lines() {
            assert!(
                line.chars().count() <= SCREEN.1,
                "{arguments:?}: too wide: {line}"
            );
            assert!(
                line.is_ascii() && line.trim_end() == line,
                "{arguments:?}: {line}"
            );
        }
    }
}

/// Every `"name"` in the tables of flags that the parser knows.
fn flags_of(table: &str) -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/args.rs");
    let source = fs::read_to_string(source).expect("the source is readable");
    let start = source
        .find(&format!("const {table}: &[&str] = &["))
        .unwrap_or_else(|| panic!("{table} is not in args.rs"));
    let (list, _) = source[start..].split_once("];").expect("the table ends");
    let (_, list) = list.split_once("= &[").expect("the table begins");
    let names = list.split('"').skip(1).step_by(2).map(str::to_owned);
    names.collect()
}

#[test]
fn help_lists_exactly_the_flags_that_there_are() {
    let tables = ["GLOBAL_FLAGS", "VERIFY_FLAGS", "CHECK_FLAGS"];
    for (arguments, table) in HELPS.iter().zip(tables) {
        let text = help(arguments);
        // The example and the usage line show flags too, but none that is not listed.
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let mut shown: BTreeSet<String> = words
            .filter_map(|word| word.strip_prefix("--"))
            .map(str::to_owned)
            .collect();
        if table == "GLOBAL_FLAGS" {
            shown.remove("key"); // in the usage lines, for the commands
        }
        assert_eq!(shown, flags_of(table), "{arguments:?}");
    }
}

/// The command line of an example works as it stands, once the files are there.
#[test]
fn examples_in_the_help_work() {
    for arguments in HELPS {
        let text = help(arguments);
        let (_, example) = text.split_once("Example:\n").expect("there is an example");
        let example = example
            .lines()
            .next()
            .expect("the example has a line")
            .trim();
        let folder = fixture::folder();
        let copy = |from: &str, to: &str| {
            fs::copy(folder.path().join(from), folder.path().join(to))
                .expect("files can be copied");
        };
        copy("hello.txt", "hello-2.10.tar.gz");
        copy("hello.txt.asc", "hello-2.10.tar.gz.sig");
        copy("alice.asc", "hello.asc");
        copy("alice.asc", "release.asc");
        for name in ["SHA256SUMS", "SHA256SUMS.asc", "empty"] {
            copy(&format!("release/{name}"), name);
        }
        let ended = process::run(command_in("sh", folder.path()).args(["-c", example]), b"");
        assert_eq!(ended.status, Some(0), "{example}: {}", ended.stderr_text());
    }
}

#[test]
fn nobody_reading_the_output_is_no_success_and_no_panic() {
    let folder = fixture::folder();
    for arguments in [
        "verify hello.txt --key alice.asc",
        "verify hello.txt --key alice.asc --json",
        "check release/SHA256SUMS --key alice.asc",
        "--help",
        "--version",
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = command_in("countersign", folder.path());
        command.args(arguments.split(' '));
        let ended = process::run_into(&mut command, b"", writer.into(), process::PATIENCE);
        let stderr = ended.stderr_text();
        assert_eq!(ended.status, Some(2), "{arguments}: {stderr}");
        let last = "countersign: error: cannot write the outcome: Broken pipe (os error 32)\n";
        assert!(stderr.ends_with(last), "{arguments}: {stderr}");
    }
}

/// The clock of the machine counts where no `--at` is given: a signature of 2096 is refused, one of 2023 is not.
#[test]
fn without_a_time_it_is_now() {
    let folder = fixture::folder();
    for (case, status) in [
        ("text", 0),
        ("superseded", 0),
        ("expired", 1),
        ("future", 1),
    ] {
        let mut command = command_in("countersign", folder.path());
        let signature = format!("hello-{case}.sig");
        command.args(["verify", "hello.txt", "-q", "--key", &format!("{case}.pgp")]);
        let ended = process::run(command.args(["--signature", &signature]), b"");
        assert_eq!(
            ended.status,
            Some(status),
            "{case}: {}",
            ended.stderr_text()
        );
    }
}

/// Neither the environment nor the home folder changes a verdict.
#[test]
fn nothing_is_read_or_written_besides() {
    let folder = fixture::folder();
    let before = listing(folder.path());
    let mut command = command_in("countersign", folder.path());
    command
        .env("GNUPGHOME", folder.path())
        .env("HOME", folder.path());
    command.args([
        "check",
        "release/SHA256SUMS",
        "--key",
        "alice.asc",
        "--at",
        "2024-01-01",
    ]);
    let ended = process::run(&mut command, b"");
    assert_eq!(ended.status, Some(0), "{}", ended.stderr_text());
    assert_eq!(listing(folder.path()), before);
}

fn listing(folder: &Path) -> BTreeSet<std::path::PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            found.extend(listing(&path));
        }
        found.insert(path);
    }
    found
}

/// On a terminal (that `script` makes) long hashing shows a bar, and takes it away; into a file it shows none. A pipe that is
/// slow to fill stands for a file that is long to hash.
#[test]
fn long_hashing_shows_progress_on_a_terminal_only() {
    let folder = fixture::folder();
    let hello = fs::read(folder.path().join("hello.txt")).expect("hello.txt");
    let command = "countersign verify slow --signature hello.txt.asc --key alice.asc --color never";
    for (terminal, line, extra) in [
        (true, true, ""),
        (true, false, " --quiet"),
        (false, false, ""),
    ] {
        let made = process::run(command_in("mkfifo", folder.path()).arg("slow"), b"");
        assert_eq!(made.status, Some(0), "{}", made.stderr_text());
        let (pipe, octets) = (folder.path().join("slow"), hello.clone());
        let feeder = std::thread::spawn(move || {
            let mut pipe = fs::OpenOptions::new()
                .write(true)
                .open(pipe)
                .expect("a pipe");
            let (first, rest) = octets.split_at(1);
            for part in [first, rest] {
                std::io::Write::write_all(&mut pipe, part).expect("a reader");
                // Longer than the bar waits before it shows.
                std::thread::sleep(std::time::Duration::from_millis(600));
            }
        });
        let line_of_it = format!("{command}{extra}");
        let mut run = if terminal {
            let mut script = command_in("script", folder.path());
            script.args(["-qec", &line_of_it, "/dev/null"]);
            script
        } else {
            let mut shell = command_in("sh", folder.path());
            shell.args(["-c", &line_of_it]);
            shell
        };
        let ended = process::run(&mut run, b"");
        feeder.join().expect("the feeder ends");
        fs::remove_file(folder.path().join("slow")).expect("the pipe is there");
        let shown = ended.stdout_text() + &ended.stderr_text();
        assert_eq!(ended.status, Some(0), "{shown}");
        assert_eq!(shown.contains("B/s"), line, "{terminal} {extra}: {shown:?}");
        assert_eq!(
            shown.contains("\r\x1b[K"),
            line,
            "{terminal} {extra}: {shown:?}"
        );
    }
}
