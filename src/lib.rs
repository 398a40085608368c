#![doc = include_str!("../README.md")]

pub use countersign_verify as verify;
