//! What a client needs of the outside, and what the outside may answer. No HTTP here: see `HttpsTransport`, feature `fetch`.

use std::net::SocketAddr;
use std::time::Instant;

use thiserror::Error;
use url::Url;

/// Resolves host names and gets single URLs. All decisions are the client's: a transport falls back on nothing, follows no
/// redirect and asks no second time.
pub trait Transport: Sync {
    /// When a fetch that begins now has to be done; none for no limit. Asked once for each fetch.
    fn deadline(&self) -> Option<Instant>;

    /// The addresses of `host`, a domain name in its ASCII form, as the system that this runs on is set up to find them.
    fn resolve(
        &self,
        host: &str,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Resolution> + Send;

    /// Gets one URL over HTTPS.
    ///
    /// # Errors
    /// See [`TransportError`].
    fn get(
        &self,
        request: Request<'_>,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send;
}

/// What is known of a host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Where to connect to, the first one first. With no address at all this is [`Resolution::NoAddress`].
    Addresses(Vec<SocketAddr>),
    /// There is no such name, or it has no address: NXDOMAIN or NODATA. Never a guess.
    NoAddress,
    /// A proxy resolves the name. Whether it exists cannot be known here.
    LeftToProxy,
    /// It could not be found out: a server that does not answer, or that fails.
    Failed {
        /// What the system said.
        reason: String,
    },
}

/// One GET.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Request<'r> {
    /// What to get. The scheme is `https`, the host a domain name, the port the default one.
    pub url: &'r Url,
    /// Where to connect to. None where a proxy resolves the name.
    pub addresses: Option<&'r [SocketAddr]>,
    /// When to give up.
    pub deadline: Option<Instant>,
    /// The most octets of a body to read.
    pub limit: usize,
}

/// What a server answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code (RFC 9110, section 15).
    pub status: u16,
    /// The header `Location`, as it came.
    pub location: Option<String>,
    /// The header `Content-Encoding`, as it came. The body is never decoded.
    pub content_encoding: Option<String>,
    /// The body, whole, with status 200; with any other status it need not be read.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection came about, to the server or to the proxy.
    #[error("no connection: {reason}")]
    Connect {
        /// What the system or the proxy said.
        reason: String,
    },
    /// The connection is not secure: a TLS certificate that is not trusted, is expired or is for another name; no common version.
    #[error("no secure connection: {reason}")]
    Tls {
        /// What is wrong.
        reason: String,
    },
    /// It took too long.
    #[error("time-out")]
    TimedOut,
    /// The connection ended early, or what came was no HTTP.
    #[error("broken answer: {reason}")]
    Broken {
        /// What is wrong.
        reason: String,
    },
    /// The body is larger than [`Request::limit`].
    #[error("the body is too large")]
    TooLarge,
}
