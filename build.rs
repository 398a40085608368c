//! Links the unwinder into the command on Linux with glibc.
//!
//! Otherwise the loader maps `libgcc_s.so.1` at every start, for the unwinder alone, which takes a tenth of the time that
//! verifying a small manifest takes. `libgcc_eh.a` is the same code and belongs to every gcc. With a linker that searches
//! archives in strict order the line has no effect, and the shared library is used as before.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |key| std::env::var(key).unwrap_or_default();
    // A program that has the library alone decides for itself.
    let command = std::env::var_os("CARGO_FEATURE_CLI").is_some();
    if command
        && target("CARGO_CFG_TARGET_OS") == "linux"
        && target("CARGO_CFG_TARGET_ENV") == "gnu"
    {
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}
