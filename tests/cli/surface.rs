//! Properties of the command as a whole, rather than of one command line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{command_in, fixture, process};

const HELPS: [&[&str]; 21] = [
    &["--help"],
    &["verify", "--help"],
    &["check", "--help"],
    &["sign", "--help"],
    &["manifest", "--help"],
    &["key", "--help"],
    &["key", "generate", "--help"],
    &["key", "mint", "--help"],
    &["key", "show", "--help"],
    &["token", "--help"],
    &["token", "issue", "--help"],
    &["token", "jwks", "--help"],
    &["token", "cert", "--help"],
    &["token", "csr", "--help"],
    &["token", "inspect", "--help"],
    &["token", "verify", "--help"],
    &["token", "config", "--help"],
    &["wkd", "--help"],
    &["wkd", "url", "--help"],
    &["wkd", "build", "--help"],
    &["wkd", "fetch", "--help"],
];

fn is_of_commands(arguments: &[&str]) -> bool {
    matches!(arguments, ["key" | "token" | "wkd", "--help"])
}

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

/// Every `"name"` in a table of flags that the parser knows: the list that follows `start`.
fn flags_of(file: &str, start: &str) -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let source = fs::read_to_string(source.join(file)).expect("the source is readable");
    let (_, list) = source
        .split_once(start)
        .unwrap_or_else(|| panic!("`{start}` is not in {file}"));
    let (list, _) = list.split_once(']').expect("the table ends");
    let names = list.split('"').skip(1).step_by(2).map(str::to_owned);
    names.collect()
}

/// The options of all backends that are built in, as flags.
fn backend_flags() -> BTreeSet<String> {
    let registry = countersign::sign::Registry::builtin();
    let backends = registry.names().filter_map(|name| registry.get(name).ok());
    let flags = backends.flat_map(|backend| {
        let prefix = backend.flag_prefix();
        let options = backend.options().iter();
        options.map(move |option| format!("{prefix}-{}", option.name()))
    });
    flags.collect()
}

#[test]
fn help_lists_exactly_the_flags_that_there_are() {
    // Of each command the file, where its table begins, and whether it takes the options of backends.
    let tables = [
        ("args.rs", "const GLOBAL_FLAGS: &[&str] = &[", false),
        ("args.rs", "const VERIFY_FLAGS: &[&str] = &[", false),
        ("args.rs", "const CHECK_FLAGS: &[&str] = &[", false),
        ("args/sign.rs", "const FLAGS: &[&str] = &[", true),
        (
            "args/manifest.rs",
            "command: \"manifest\",\n        flags: &[",
            false,
        ),
        ("args/key.rs", "const GENERATE_FLAGS: &[&str] = &[", false),
        ("args/key.rs", "const MINT_FLAGS: &[&str] = &[", true),
        ("args/key.rs", "const SHOW_FLAGS: &[&str] = &[", false),
        ("args/token.rs", "const ISSUE_FLAGS: &[&str] = &[", true),
        ("args/token.rs", "const JWKS_FLAGS: &[&str] = &[", true),
        ("args/token.rs", "const CERT_FLAGS: &[&str] = &[", true),
        ("args/token.rs", "const CSR_FLAGS: &[&str] = &[", true),
        ("args/token.rs", "const INSPECT_FLAGS: &[&str] = &[", false),
        ("args/token.rs", "const JUDGE_FLAGS: &[&str] = &[", false),
        ("args/token.rs", "const CONFIG_FLAGS: &[&str] = &[", false),
        ("args/wkd.rs", "const URL_FLAGS: &[&str] = &[", false),
        ("args/wkd.rs", "const BUILD_FLAGS: &[&str] = &[", false),
        ("args/wkd.rs", "const FETCH_FLAGS: &[&str] = &[", false),
    ];
    // The help of `key`, of `token` and of `wkd` is about their commands.
    let helps = HELPS.iter().filter(|own| !is_of_commands(own));
    assert_eq!(helps.clone().count(), tables.len());
    for (arguments, (file, table, takes_backend_options)) in helps.zip(tables) {
        let text = help(arguments);
        // The example and the usage line show flags too, but none that is not listed.
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let mut shown: BTreeSet<String> = words
            .filter_map(|word| word.strip_prefix("--"))
            .map(str::to_owned)
            .collect();
        if arguments.len() == 1 {
            // In the usage lines, for the commands.
            for flag in ["key", "key-id", "public-key"] {
                shown.remove(flag);
            }
        }
        let mut known = flags_of(file, table);
        if takes_backend_options {
            known.extend(backend_flags());
        }
        assert_eq!(shown, known, "{arguments:?}");
    }
}

/// The command line of an example works as it stands, once the files are there.
#[test]
fn examples_in_the_help_work() {
    for arguments in HELPS {
        // What asks a network is tried in tests/anchors.rs, where there is one.
        if is_of_commands(arguments) || arguments == ["wkd", "fetch", "--help"] {
            continue;
        }
        let text = help(arguments);
        let (_, example) = text.split_once("Example:\n").expect("there is an example");
        let (example, _) = example.split_once("\n\n").unwrap_or((example, ""));
        let folder = fixture::folder();
        let copy = |from: &str, to: &str| {
            fs::copy(folder.path().join(from), folder.path().join(to))
                .expect("files can be copied");
        };
        copy("hello.txt", "hello-2.10.tar.gz");
        copy("hello.txt.asc", "hello-2.10.tar.gz.sig");
        copy("alice.asc", "hello.asc");
        if arguments != ["key", "mint", "--help"] {
            copy("alice.asc", "release.asc");
        }
        if arguments[0] == "wkd" {
            copy("alice.asc", "releases@example.org.asc");
        }
        copy("alice.pem", "release.key.pem");
        fs::create_dir(folder.path().join("dist")).expect("a folder can be made");
        copy("hello.txt", "dist/hello-2.10.tar.gz");
        for name in ["SHA256SUMS", "SHA256SUMS.asc", "empty"] {
            copy(&format!("release/{name}"), name);
        }
        if arguments[0] == "token" {
            const FILES: &str = "cp p256.pem token.key.pem
                openssl pkey -in p256.pem -pubout -out token.pub.pem
                countersign token cert --key-id token.key.pem --output token.crt --quiet
                countersign token issue --issuer auth.example.org --key-id token.key.pem --certificate token.crt \\
                  --subject ci --service registry.example.org --quiet > token.txt
                printf 'token: {issuer: a, expiration: 60, certificate: c, key: k}' > auth.yml";
            let mut shell = command_in("sh", folder.path());
            let made = process::run(shell.args(["-e", "-c", FILES]), b"");
            assert_eq!(made.status, Some(0), "{}", made.stderr_text());
            if arguments[1] == "cert" {
                fs::remove_file(folder.path().join("token.crt")).expect("it was made");
            }
        }
        let mut shell = command_in("sh", folder.path());
        // The search for RSA primes takes as long as chance will have it.
        let patience = Duration::from_secs(300);
        let ended = process::run_within(shell.args(["-c", example]), b"", patience);
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
        "sign hello.txt --key-id alice.pem --public-key alice.asc --output -",
        "sign hello.txt --key-id alice.pem --public-key alice.asc --force",
        "manifest hello.txt",
        "key show alice.asc",
        "key mint --key-id alice.pem --name Alice --email alice@example.org --output -",
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

/// Where nothing else gives a passphrase and there is a terminal (that `script` makes), it is asked for there, once to sign and
/// twice for a new key, and never shown.
#[test]
fn passphrases_are_asked_for_on_a_terminal() {
    let sign = "sign hello.txt --key-id alice-sealed.pem --public-key alice.asc";
    let generate = "key generate --algorithm ed25519 --encrypt --name A --email a@example.org";
    for (line, answers, status, shown) in [
        (
            sign,
            "correct horse\n",
            0,
            "Passphrase of alice-sealed.pem: ",
        ),
        (sign, "wrong horse\n", 2, "wrong passphrase"),
        (sign, "\n", 2, "wrong passphrase"),
        (generate, "one two\none two\n", 0, "The same once more: "),
        (
            generate,
            "one two\none too\n",
            2,
            "the two passphrases differ",
        ),
        (generate, "\n\n", 2, "passphrase is empty"),
    ] {
        let folder = fixture::folder();
        let mut script = command_in("script", folder.path());
        script.args(["-qec", &format!("countersign {line}"), "/dev/null"]);
        let found = answered(&mut script, answers);
        assert_eq!(
            found.status,
            Some(status),
            "{line}: {}",
            found.stdout_text()
        );
        let text = found.stdout_text();
        assert!(text.contains(shown), "{line}: {text}");
        for answer in answers.lines().filter(|own| !own.is_empty()) {
            assert!(!text.contains(answer), "{line}: {text}");
        }
        let made = [
            "hello.txt.sig",
            "a@example.org.key.pem",
            "a@example.org.asc",
        ];
        let made = made.iter().any(|name| folder.path().join(name).exists());
        assert_eq!(made, status == 0, "{line}");
    }
}

/// Runs `script`, and gives it one line after each question. A line that comes before its question would be echoed.
fn answered(script: &mut std::process::Command, answers: &str) -> process::Ended {
    use std::io::{Read as _, Write as _};
    let piped = std::process::Stdio::piped;
    let mut child = script
        .stdin(piped())
        .stdout(piped())
        .stderr(piped())
        .spawn()
        .expect("`script` starts");
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = child.stdout.take().expect("a pipe");
    let mut answers = answers.split_inclusive('\n');
    let (mut shown, mut part) = (Vec::new(), [0; 1024]);
    loop {
        let length = output.read(&mut part).unwrap_or(0);
        if length == 0 {
            break;
        }
        shown.extend_from_slice(&part[..length]);
        if shown.ends_with(b": ")
            && let Some(answer) = answers.next()
        {
            // The question comes first, then the terminal is told not to echo.
            std::thread::sleep(Duration::from_millis(300));
            input.write_all(answer.as_bytes()).expect("`script` reads");
        }
    }
    drop(input);
    let status = child.wait().expect("a child can be waited for");
    process::Ended {
        status: status.code(),
        stdout: shown,
        stderr: Vec::new(),
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
