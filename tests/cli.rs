//! The command as its users see it: command lines, both outputs to the letter, exit status.
#![cfg(all(unix, feature = "cli", feature = "fetch"))]

#[path = "cli/fixture.rs"]
mod fixture;
#[path = "cli/json.rs"]
mod json;
#[path = "cli/json_made.rs"]
mod json_made;
#[path = "cli/json_page.rs"]
mod json_page;
#[path = "cli/process.rs"]
mod process;
#[path = "cli/surface.rs"]
mod surface;
#[path = "cli/transcript.rs"]
mod transcript;

use std::path::Path;
use std::process::Command;

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                transcript::replay(stringify!($name));
            }
        )*

        /// A transcript that no test replays says nothing.
        #[test]
        fn every_transcript_is_replayed() {
            let replayed = [$(concat!(stringify!($name), ".txt")),*];
            let files = std::fs::read_dir(transcript::folder()).expect("the folder can be listed");
            for file in files {
                let name = file.expect("the folder can be listed").file_name();
                let name = name.to_str().expect("a name in UTF-8");
                assert!(!name.ends_with(".txt") || replayed.contains(&name), "{name} is not replayed");
            }
        }
    };
}

transcripts! { check help inputs key manifest manifests names sign streams token usage verify wkd }

/// A program in a folder, with our command on its path and nothing else of the environment.
fn command_in(program: &str, folder: &Path) -> Command {
    let ours = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let ours = ours.parent().expect("a program lies in a folder");
    let system = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(ours.to_owned()).chain(std::env::split_paths(&system));
    let path = std::env::join_paths(folders).expect("no folder of the path holds a colon");
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C");
    command
}
