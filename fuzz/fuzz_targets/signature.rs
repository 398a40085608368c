//! Detached signature files and clear-signed texts. The property is [`countersign_fuzz::signature`]; without `cfg(fuzzing)` this replays the files that it is given.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| countersign_fuzz::signature(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    countersign_fuzz::replay(countersign_fuzz::signature)
}
