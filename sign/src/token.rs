//! Tokens for container registries (feature `token`): JSON Web Tokens as the distribution registry demands them of an
//! authorization server, signed by any [`Signer`](crate::Signer).
//!
//! A [`TokenSigner`] is made once of a signer and a [`TokenTemplate`]; from then on [`TokenSigner::issue`] makes tokens. Each is
//! verified against the public key before it is handed out. No token and no signature stands in an error, in a `Debug` output
//! or in a diagnostic.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use countersign_sign::token::{AccessList, TokenSigner, TokenTemplate};
//! use countersign_sign::{KeyAlgorithm, LocalSigner, Signer};
//! use countersign_verify::Timestamp;
//!
//! # pollster::block_on(async {
//! let signer: Box<dyn Signer> = Box::new(LocalSigner::generate(KeyAlgorithm::P256)?);
//! let template = TokenTemplate::new("auth.example.org", Duration::from_secs(900));
//! let tokens = TokenSigner::new(signer, template)?;
//! let access: AccessList = "repository:team/tool:pull,push".parse()?;
//! let now = Timestamp::from(std::time::SystemTime::now());
//! let issued = tokens.issue("alice", "registry.example.org", &access, now).await?;
//! assert_eq!(issued.expires_in(now), Duration::from_secs(900));
//! # Ok(()) })
//! # }
//! ```

pub mod certificate;
mod claims;
pub mod config;
mod issuer;
mod jwks;
mod jws;
mod key_id;
mod scope;
pub mod verify;

pub use claims::{Claims, NOT_BEFORE_MARGIN};
pub use issuer::{
    IssueError, IssuedToken, KeyIdForm, MAX_LIFETIME, MIN_RSA_BITS, TokenResponse, TokenSigner,
    TokenSignerError, TokenTemplate,
};
pub use jwks::{Jwks, JwksError};
pub use jws::{Algorithm, Header, JwsError, RAW_MESSAGE_OCTETS, Token, UnsupportedKey};
pub use key_id::{KeyId, KeyIdError};
pub use scope::{Access, AccessList, Action, MAX_ENTRIES, ScopeError};
