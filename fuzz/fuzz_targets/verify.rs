//! Edits of a release whose signature holds. The property is [`countersign_fuzz::verify`]; without `cfg(fuzzing)` this replays the files that it is given.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| countersign_fuzz::verify(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    countersign_fuzz::replay(countersign_fuzz::verify)
}
