//! What holds for any input, whoever made it: one function for each fuzz target, which panics where the property fails.
//!
//! libFuzzer calls them with inputs that it evolves; `cargo test` calls them with the committed corpus and with seeds that
//! the test kit makes. The targets in `fuzz_targets/` are nothing but calls of these.
#![forbid(unsafe_code)]

mod address;
mod certificate;
mod fixture;
mod manifest;
mod outcome;
mod policy;
mod seeds;
mod signature;
mod verify;

pub use address::address;
pub use certificate::certificate;
pub use manifest::manifest;
pub use policy::policy;
pub use seeds::{Seed, seeds};
pub use signature::signature;
pub use verify::verify;

/// What a target feeds its input to.
pub type Property = fn(&[u8]);

/// Every target: its name, which is that of its corpus folder, and its property.
pub const TARGETS: [(&str, Property); 6] = [
    ("certificate", certificate),
    ("signature", signature),
    ("manifest", manifest),
    ("verify", verify),
    ("address", address),
    ("policy", policy),
];

/// Feeds the files named on the command line to a property, such as an input that made it fail.
///
/// # Errors
/// A file that cannot be read.
pub fn replay(property: Property) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        property(&std::fs::read(&path)?);
        println!("{}: holds", path.display());
    }
    Ok(())
}
