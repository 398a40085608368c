//! The README's commands and the files that it names: run as it shows them, with the output that it shows.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Each `sh` block of the README with the `text` block that follows it.
fn examples() -> Vec<(String, String)> {
    let readme = fs::read_to_string("README.md").unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in readme.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, content)), None) => {
                content.push_str(line);
                content.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    let pairs = blocks.windows(2).filter_map(|pair| match pair {
        [(first, commands), (second, output)] if first == "sh" && second == "text" => {
            Some((commands.clone(), output.clone()))
        }
        _ => None,
    });
    pairs.collect()
}

#[test]
fn commands_print_what_the_readme_shows() {
    let examples = examples();
    assert!(examples.len() >= 3, "{examples:?}");
    for (commands, expected) in examples {
        let [line] = commands.lines().collect::<Vec<_>>()[..] else {
            panic!("one command a block: {commands}");
        };
        let built = ["cargo run --release -- ", "target/release/countersign "];
        let arguments = built.iter().find_map(|start| line.strip_prefix(start));
        let arguments = arguments.unwrap_or_else(|| panic!("not a command of ours: {line}"));
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments.split(' '))
            .output()
            .unwrap();
        let shown = [output.stderr, output.stdout].concat();
        assert_eq!(String::from_utf8(shown).unwrap(), expected, "{line}");
    }
}

/// The block of commands that make something, in a folder of its own.
#[test]
#[cfg(unix)]
fn the_commands_that_sign_work_in_turn() {
    let readme = fs::read_to_string("README.md").unwrap();
    let section = readme.split("## Sign your own").nth(1).unwrap();
    let commands = section.split("```sh\n").nth(1).unwrap();
    let commands = commands.split("```").next().unwrap();
    assert!(commands.lines().count() >= 4, "{commands}");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("dist")).unwrap();
    fs::write(folder.path().join("dist/tool-1.0.tar.gz"), "octets").unwrap();
    let ours = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let system = std::env::var_os("PATH").unwrap_or_default();
    let folders = [ours.parent().unwrap().to_owned()].into_iter();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&system))).unwrap();
    let output = Command::new("sh")
        .args(["-e", "-c", commands])
        .current_dir(folder.path())
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8([output.stderr, output.stdout].concat()).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.ends_with("tool-1.0.tar.gz: verified\n"), "{said}");
}

#[test]
fn the_example_release_is_the_kits() {
    let release = countersign_testkit::release();
    let mut files = vec![
        ("release-key.asc".to_owned(), release.certificate),
        ("SHA256SUMS".to_owned(), release.manifest),
        ("SHA256SUMS.asc".to_owned(), release.signature),
    ];
    files.extend(release.artifacts);
    for (name, octets) in files {
        let path = Path::new("examples/release").join(&name);
        if std::env::var_os("COUNTERSIGN_WRITE_EXAMPLES").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &octets).unwrap();
        }
        assert!(
            fs::read(&path).ok() == Some(octets),
            "{} differs",
            path.display()
        );
    }
}
