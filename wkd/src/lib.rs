//! OpenPGP Web Key Directory (draft-koch-openpgp-webkey-service-22): where the certificate for a mail address is served.
//!
//! ```
//! use countersign_wkd::{Address, Method};
//! let address: Address = "Joe.Doe@example.org".parse()?;
//! assert_eq!(
//!     address.url(Method::Advanced),
//!     "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe"
//! );
//! # Ok::<(), countersign_wkd::AddressError>(())
//! ```
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

mod address;
pub mod limits;

pub use address::{Address, AddressError, Domain, Method};
