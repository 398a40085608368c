//! Real programs and we on the same keys and signatures: gpg and gpgv 2.2, sqv 1.1, sq 0.27, as Debian 12 has them.
//! `scripts/test` installs them.
#![cfg(unix)]

#[path = "interop/ours.rs"]
mod ours;
#[path = "cli/process.rs"]
mod process;
#[path = "interop/programs.rs"]
mod programs;
#[path = "interop/signing.rs"]
mod signing;
#[path = "interop/they_make.rs"]
mod they_make;
#[path = "interop/verdicts.rs"]
mod verdicts;
#[path = "interop/we_make.rs"]
mod we_make;
#[path = "interop/wkd.rs"]
mod wkd;
