//! Verify downloaded releases, inside your own program.
//!
//! This crate only hands on its members. [`verify`] holds all that a consumer needs: certificates, signatures, manifests,
//! artifacts. Depend on `countersign-verify` directly to have nothing else in the build.

pub use countersign_verify as verify;
