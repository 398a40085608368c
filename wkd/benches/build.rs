//! What a tree costs, by the number of certificates: `cargo bench -p countersign-wkd`. Planning is linear; writing waits for the
//! disk, file by file.

use std::num::NonZeroUsize;

use countersign_testkit::{Key, simple_certificate};
use countersign_wkd::{Layout, Tree};
use divan::Bencher;
use divan::counter::ItemsCount;

const CREATED: u32 = 1_700_000_000;
const SIZES: [u32; 2] = [1_000, 100_000];

fn main() {
    divan::main();
}

/// Certificates of Ed25519 keys, each with an address of its own.
fn keyring(certificates: u32) -> Vec<u8> {
    let certificate = |number: u32| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let key = Key::ed25519_legacy(seed, CREATED);
        simple_certificate(&key, &format!("joe{number}@example.org"), CREATED)
    };
    (0..certificates).flat_map(certificate).collect()
}

fn planned(keyring: &[u8]) -> Tree {
    let now = countersign_verify::Timestamp::from_unix(u64::from(CREATED) + 1000);
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let domain = "example.org".parse().expect("a domain");
    let mut tree = Tree::new(domain, now).with_threads(threads);
    tree.add("keyring", keyring).expect("octets can be read");
    tree
}

#[divan::bench(args = SIZES, sample_count = 3)]
fn plan(bencher: Bencher<'_, '_>, certificates: u32) {
    let keyring = keyring(certificates);
    bencher
        .counter(ItemsCount::new(certificates))
        .bench_local(|| planned(&keyring));
}

#[divan::bench(args = SIZES, sample_count = 1)]
fn plan_and_write(bencher: Bencher<'_, '_>, certificates: u32) {
    let keyring = keyring(certificates);
    bencher
        .counter(ItemsCount::new(certificates))
        .with_inputs(|| tempfile::tempdir().expect("a temporary folder"))
        .bench_local_values(|folder| {
            let written = planned(&keyring).write(folder.path(), Layout::Advanced);
            assert!(written.failures().is_empty(), "{:?}", written.failures());
            folder
        });
}
