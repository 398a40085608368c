//! Runs a program to its end, or until patience ends.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Far more than most programs need here, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What a program came to.
pub(crate) struct Ended {
    /// The exit status; none where a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Ended {
    pub(crate) fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Runs `command` with `input` on its standard input. Its outputs are files, so that nothing blocks and a child that outlives
/// it holds nobody up.
///
/// # Panics
/// Where it cannot be started, or runs for longer than ten seconds.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Ended {
    run_within(command, input, PATIENCE)
}

/// The same with another time bound.
pub(crate) fn run_within(command: &mut Command, input: &[u8], patience: Duration) -> Ended {
    let mut stdout = tempfile::tempfile().expect("a temporary file");
    let shared = stdout.try_clone().expect("a second handle of a file");
    let mut ended = run_into(command, input, shared.into(), patience);
    stdout.rewind().expect("a file can be rewound");
    stdout
        .read_to_end(&mut ended.stdout)
        .expect("a temporary file is readable");
    ended
}

/// The same with a standard output of the caller's choice.
pub(crate) fn run_into(
    command: &mut Command,
    input: &[u8],
    stdout: Stdio,
    patience: Duration,
) -> Ended {
    const PAUSE: Duration = Duration::from_millis(2);
    let mut stdin = tempfile::tempfile().expect("a temporary file");
    stdin
        .write_all(input)
        .expect("a temporary file is writable");
    stdin.rewind().expect("a file can be rewound");
    let mut stderr = tempfile::tempfile().expect("a temporary file");
    let shared: File = stderr.try_clone().expect("a second handle of a file");
    let mut child = command
        .stdin(stdin)
        .stdout(stdout)
        .stderr(shared)
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if started.elapsed() > patience {
            // The group, for a shell's children; then the program itself, in case that failed.
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            let _ = child.kill();
            let _ = child.wait();
            panic!("{command:?}: still running after {patience:?}");
        }
        std::thread::sleep(PAUSE);
    };
    let mut complaints = Vec::new();
    stderr.rewind().expect("a file can be rewound");
    stderr
        .read_to_end(&mut complaints)
        .expect("a temporary file is readable");
    Ended {
        status: status.code(),
        stdout: Vec::new(),
        stderr: complaints,
    }
}
