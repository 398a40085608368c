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
mod answer;
mod armor;
mod client;
mod fetch_error;
#[cfg(feature = "fetch")]
mod https;
mod keyring;
pub mod limits;
mod packet;
mod policy;
mod published;
mod transport;
mod tree;
mod write;

pub use address::{Address, AddressError, Domain, Method};
pub use answer::{Fetched, FetchedCertificate, State};
pub use client::{Client, sources};
pub use fetch_error::{FetchError, FetchErrorKind, RedirectProblem};
#[cfg(feature = "fetch")]
pub use https::{HttpsError, HttpsTransport};
pub use keyring::KeyringError;
pub use policy::{PolicyFile, PolicyFileError};
pub use published::Unpublishable;
pub use transport::{Request, Resolution, Response, Transport, TransportError};
pub use tree::{
    Change, Gravity, KeyWarning, Layout, SkipReason, Skipped, Tree, TreeError, UserIdWarning,
    Warning, Written, WrittenFile,
};
