//! Policy files of Web Key Directories. The property is [`countersign_fuzz::policy`]; without `cfg(fuzzing)` this replays the files that it is given.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| countersign_fuzz::policy(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    countersign_fuzz::replay(countersign_fuzz::policy)
}
