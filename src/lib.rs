#![doc = include_str!("../README.md")]

pub use countersign_sign as sign;
pub use countersign_verify as verify;
pub use countersign_wkd as wkd;
