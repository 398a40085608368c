//! Why nothing was fetched.

use countersign_verify::{CertificateError, printable};
use thiserror::Error;

use crate::address::Address;
use crate::transport::TransportError;

/// Why there are no certificates for an address. [`FetchError::kind`] tells what that means for trust.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// 404: the directory has nothing for the address.
    #[error("`{url}` is not there: status 404")]
    NotFound {
        /// What was asked for.
        url: String,
    },

    /// It could not be found out whether a host has an address.
    #[error("cannot resolve `{host}`: {reason}")]
    Unresolved {
        /// The host.
        host: String,
        /// What the system said.
        reason: String,
    },
    /// Neither the host of the advanced method nor that of the direct one has an address; or the only one that may be asked.
    #[error("no address for `{}`", .hosts.join("`, nor for `"))]
    NoAddress {
        /// The hosts, in the order in which they were asked for.
        hosts: Vec<String>,
    },
    /// No connection, no TLS, a time-out, or a connection that broke.
    #[error("cannot get `{url}`")]
    NoAnswer {
        /// What was asked for.
        url: String,
        /// Why there is no answer. Never [`TransportError::TooLarge`].
        #[source]
        error: TransportError,
    },
    /// 5xx: the server says that it is at fault.
    #[error("`{url}` has a server in trouble: status {status}")]
    ServerError {
        /// What was asked for.
        url: String,
        /// The status code.
        status: u16,
    },

    /// 401. Directories are public (draft-koch-openpgp-webkey-service-22, section 3.1).
    #[error("`{url}` asks who we are: status 401")]
    AuthenticationDemanded {
        /// What was asked for.
        url: String,
    },
    /// Another status than 200, 404, 5xx, 401 and the redirects that are followed: 301, 302 and 307.
    #[error("`{url}` has an unusable answer: status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status code.
        status: u16,
    },
    /// A redirect that must not be followed.
    #[error("`{url}` redirects to `{}`, which is not followed: {problem}", printable(.to))]
    Redirect {
        /// What was asked for.
        url: String,
        /// Where it would lead, as the server put it.
        to: String,
        /// Why that is not followed.
        problem: RedirectProblem,
    },
    /// More redirects than [`crate::limits::REDIRECTS`].
    #[error("`{url}` redirects once more, limit {limit}")]
    TooManyRedirects {
        /// The URL whose redirect was one too many.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// More than [`crate::limits::ANSWER_BYTES`].
    #[error("`{url}` has more than {limit} octets")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit, in octets.
        limit: usize,
    },
    /// The body is compressed, though that was not asked for.
    #[error("`{url}` is encoded as `{}`, which was not asked for", printable(.encoding))]
    Encoded {
        /// What was asked for.
        url: String,
        /// The header `Content-Encoding`.
        encoding: String,
    },
    /// Nothing at all.
    #[error("`{url}` is empty")]
    Empty {
        /// What was asked for.
        url: String,
    },
    /// ASCII armor. A directory serves the binary form (draft-koch-openpgp-webkey-service-22, section 3.1).
    #[error("`{url}` is ASCII-armored, a Web Key Directory serves binary certificates")]
    Armored {
        /// What was asked for.
        url: String,
    },
    /// Not one or several certificates and nothing else.
    #[error("`{url}` is no certificate")]
    Unreadable {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        #[source]
        error: CertificateError,
    },
    /// No certificate has a user id with the address that its key stands by.
    #[error("`{url}` has no certificate for {address}, and {found} without a valid user id for it")]
    NotForAddress {
        /// What was asked for.
        url: String,
        /// The address.
        address: Address,
        /// How many certificates were served.
        found: usize,
    },
}

/// What a failure to fetch means for trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The directory answered that it has nothing: a source without certificates, which agrees with no other.
    NotFound,
    /// Nothing is known: DNS, connection, TLS, time-out, 5xx. Another try may go better.
    Unreachable,
    /// The answer cannot be used. Fatal even where the source was optional.
    Unusable,
}

/// Why a redirect is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedirectProblem {
    /// No header `Location`, or one that is no URL.
    #[error("it is no URL")]
    NoUrl,
    /// Not https.
    #[error("it is not https")]
    NotHttps,
    /// Another port than that of https.
    #[error("it has a port")]
    Port,
    /// A user name or a password.
    #[error("it has a user name or password")]
    Credentials,
    /// An IP address in place of a domain name.
    #[error("its host is no domain name")]
    NoDomainName,
    /// To another host with another path or query: any host could be made to be asked for anything.
    #[error("on another host, path and query must stay the same")]
    OtherPath,
}

impl FetchError {
    /// What this means for trust.
    #[must_use]
    pub fn kind(&self) -> FetchErrorKind {
        match self {
            Self::NotFound { .. } => FetchErrorKind::NotFound,
            Self::Unresolved { .. }
            | Self::NoAddress { .. }
            | Self::NoAnswer { .. }
            | Self::ServerError { .. } => FetchErrorKind::Unreachable,
            Self::AuthenticationDemanded { .. }
            | Self::Status { .. }
            | Self::Redirect { .. }
            | Self::TooManyRedirects { .. }
            | Self::TooLarge { .. }
            | Self::Encoded { .. }
            | Self::Empty { .. }
            | Self::Armored { .. }
            | Self::Unreadable { .. }
            | Self::NotForAddress { .. } => FetchErrorKind::Unusable,
        }
    }

    /// A name that stays the same from version to version.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not-found",
            Self::Unresolved { .. } => "unresolved",
            Self::NoAddress { .. } => "no-address",
            Self::NoAnswer { error, .. } => match error {
                TransportError::Connect { .. } => "no-connection",
                TransportError::Tls { .. } => "no-secure-connection",
                TransportError::TimedOut => "timed-out",
                TransportError::Broken { .. } | TransportError::TooLarge => "broken-answer",
            },
            Self::ServerError { .. } => "server-error",
            Self::AuthenticationDemanded { .. } => "authentication-demanded",
            Self::Status { .. } => "unusable-status",
            Self::Redirect { .. } => "redirect-refused",
            Self::TooManyRedirects { .. } => "too-many-redirects",
            Self::TooLarge { .. } => "too-large",
            Self::Encoded { .. } => "encoded",
            Self::Empty { .. } => "empty",
            Self::Armored { .. } => "armored",
            Self::Unreadable { .. } => "no-certificate",
            Self::NotForAddress { .. } => "not-for-address",
        }
    }
}
