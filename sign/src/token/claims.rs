//! What a token says.

use std::time::Duration;

use countersign_verify::Timestamp;
use serde::Serialize;

use super::scope::AccessList;

/// How far before its issue a token counts already, for registries whose clock is behind: as docker_auth has it.
pub const NOT_BEFORE_MARGIN: Duration = Duration::from_secs(10);

/// The claims of the registry's token specification (RFC 7519, section 4.1, and `access`). Times are whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims<'a> {
    /// Who issues: the registry's `issuer`, to the letter.
    #[serde(rename = "iss")]
    pub issuer: &'a str,
    /// For whom; empty for one who has not logged in.
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// For which registry: its `service`. One string, since registries of version 2 take no list.
    #[serde(rename = "aud")]
    pub audience: &'a str,
    /// When it ends.
    #[serde(rename = "exp", serialize_with = "seconds")]
    pub expires: Timestamp,
    /// When it begins.
    #[serde(rename = "nbf", serialize_with = "seconds")]
    pub not_before: Timestamp,
    /// When it was made.
    #[serde(rename = "iat", serialize_with = "seconds")]
    pub issued_at: Timestamp,
    /// Its own name, which no other token has.
    #[serde(rename = "jti")]
    pub token_id: &'a str,
    /// What it grants.
    pub access: &'a AccessList,
}

// Serde prescribes the reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn seconds<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.unix())
}
