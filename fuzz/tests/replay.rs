//! Replays the committed corpus and the test kit's seeds, without libFuzzer.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use countersign_fuzz::{Property, TARGETS, seeds};

/// What libFuzzer is given, too. The slowest input takes milliseconds.
const INPUT_SECONDS: u64 = 10;

#[test]
fn the_corpus_holds() {
    for (target, property) in TARGETS {
        let folder = corpus().join(target);
        let mut paths: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("a readable folder").path())
            .collect();
        paths.sort();
        assert!(!paths.is_empty(), "{}: no input", folder.display());
        let inputs = paths.into_iter().map(|path| {
            let octets = std::fs::read(&path).expect("a readable file");
            (path.display().to_string(), octets)
        });
        run(property, inputs.collect());
    }
}

/// Each seed through each target: what one kind of file is to another is an input like any other.
#[test]
fn the_seeds_hold() {
    let seeds = seeds();
    let names: BTreeSet<_> = seeds
        .iter()
        .map(|seed| format!("{}/{}", seed.target, seed.name))
        .collect();
    assert_eq!(names.len(), seeds.len(), "two seeds have one name");
    for (target, property) in TARGETS {
        assert!(seeds.iter().any(|seed| seed.target == target));
        let inputs = seeds.iter().map(|seed| {
            let name = format!("{target}: {}/{}", seed.target, seed.name);
            (name, seed.octets.clone())
        });
        run(property, inputs.collect());
    }
}

#[test]
fn every_folder_of_the_corpus_has_a_target() {
    for entry in std::fs::read_dir(corpus()).expect("a corpus") {
        let name = entry.expect("a readable folder").file_name();
        let known = TARGETS.iter().any(|(target, _)| *target == name);
        assert!(known, "{}", name.display());
    }
}

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// In a thread of its own, so that one input that never ends does not keep its name to itself.
fn run(property: Property, inputs: Vec<(String, Vec<u8>)>) {
    let (done, progress) = channel();
    let (names, octets): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
    let worker = std::thread::spawn(move || {
        for octets in octets {
            property(&octets);
            let _ = done.send(());
        }
    });
    for name in names {
        match progress.recv_timeout(Duration::from_secs(INPUT_SECONDS)) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => panic!("{name}: more than {INPUT_SECONDS} s"),
            Err(RecvTimeoutError::Disconnected) => panic!("{name}: see the panic above"),
        }
    }
    worker.join().expect("every input was answered");
}
