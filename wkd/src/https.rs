//! HTTPS (feature `fetch`): reqwest with rustls. Asks the system for addresses, gets single URLs, decides nothing.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{CONTENT_ENCODING, LOCATION};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, pem};
use rustls::{ClientConfig, RootCertStore};

use crate::transport::{Request, Resolution, Response, Transport, TransportError};

/// Gets URLs over HTTPS: TLS 1.2 or newer, no cookies, no compression, no redirects of its own.
///
/// Names are resolved as the system is set up to (`getaddrinfo`, so that the hosts file counts), and the addresses found are the
/// ones connected to. The environment names a proxy by `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`; behind one it is the proxy
/// that resolves. Root certificates are the system's, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
///
/// Its futures need a Tokio runtime with time and input/output enabled.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use countersign_wkd::{Client, HttpsTransport};
/// let client = Client::new(HttpsTransport::new()?);
/// let now = std::time::SystemTime::now().into();
/// let fetched = client.fetch(&"releases@example.org".parse()?, now).await?;
/// println!("{} certificates from {}", fetched.certificates().len(), fetched.url());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct HttpsTransport {
    roots: RootCertStore,
    tls: ClientConfig,
    connect_timeout: Duration,
    timeout: Duration,
}

/// For one connection, its TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For all of a fetch: names, redirects, the body.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where a directory is served, when nothing else is said.
const HTTPS_PORT: u16 = 443;

impl HttpsTransport {
    /// With the system's root certificates.
    ///
    /// # Errors
    /// There are none.
    pub fn new() -> Result<Self, HttpsError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // One that is no certificate is left out, as every other program does.
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let problem = found.errors.first().map(ToString::to_string);
            return Err(HttpsError::NoRootCertificates { problem });
        }
        Ok(Self::with_roots(roots))
    }

    fn with_roots(roots: RootCertStore) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has suites of TLS 1.2 and of 1.3")
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        Self {
            roots,
            tls,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
        }
    }

    /// With these root certificates (PEM, one or several) and no others: those of a private authority.
    ///
    /// # Errors
    /// There is none in it, or one that is damaged.
    pub fn with_only_root_certificates(pem: &[u8]) -> Result<Self, HttpsError> {
        let mut roots = RootCertStore::empty();
        add(&mut roots, pem)?;
        Ok(Self::with_roots(roots))
    }

    /// With further root certificates (PEM, one or several).
    ///
    /// # Errors
    /// There is none in it, or one that is damaged.
    pub fn with_root_certificates(self, pem: &[u8]) -> Result<Self, HttpsError> {
        let mut roots = self.roots;
        add(&mut roots, pem)?;
        Ok(Self {
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            ..Self::with_roots(roots)
        })
    }

    /// With another limit for all of a fetch; 30 seconds unless set.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// With another limit for one connection, its TLS included; 10 seconds unless set.
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            ..self
        }
    }

    fn client(&self, request: &Request<'_>) -> Result<reqwest::Client, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .use_preconfigured_tls(self.tls.clone())
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        match (request.addresses, request.url.host_str()) {
            (Some(addresses), Some(host)) => {
                builder.no_proxy().resolve_to_addrs(host, addresses).build()
            }
            _ => builder.build(),
        }
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Response, TransportError> {
        let client = self.client(&request).map_err(|error| told(&error))?;
        let sent = client.get(request.url.clone()).send().await;
        let mut answer = sent.map_err(|error| told(&error))?;
        let header = |name| {
            let value = answer.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut response = Response {
            status: answer.status().as_u16(),
            location: header(LOCATION),
            content_encoding: header(CONTENT_ENCODING),
            body: Vec::new(),
        };
        if response.status != 200 {
            return Ok(response);
        }
        let limit = u64::try_from(request.limit).unwrap_or(u64::MAX);
        if answer.content_length().is_some_and(|length| length > limit) {
            return Err(TransportError::TooLarge);
        }
        while let Some(part) = answer.chunk().await.map_err(|error| told(&error))? {
            if response.body.len() + part.len() > request.limit {
                return Err(TransportError::TooLarge);
            }
            response.body.extend_from_slice(&part);
        }
        Ok(response)
    }
}

fn add(roots: &mut RootCertStore, text: &[u8]) -> Result<(), HttpsError> {
    let mut found = 0;
    for own in CertificateDer::pem_slice_iter(text) {
        let der = own.map_err(HttpsError::Pem)?;
        roots.add(der).map_err(HttpsError::RootCertificate)?;
        found += 1;
    }
    if found == 0 {
        return Err(HttpsError::NoRootCertificates { problem: None });
    }
    Ok(())
}

impl Transport for HttpsTransport {
    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.timeout)
    }

    async fn resolve(&self, host: &str, deadline: Option<Instant>) -> Resolution {
        let uri: Result<http::Uri, _> = format!("https://{host}/").parse();
        if uri.is_ok_and(|uri| Matcher::from_env().intercept(&uri).is_some()) {
            return Resolution::LeftToProxy;
        }
        let host = host.to_owned();
        let asked = tokio::task::spawn_blocking(move || addresses(&host));
        match by(deadline, asked).await {
            Some(Ok(found)) => found,
            Some(Err(error)) => Resolution::Failed {
                reason: error.to_string(),
            },
            None => Resolution::Failed {
                reason: "time-out".to_owned(),
            },
        }
    }

    async fn get(&self, request: Request<'_>) -> Result<Response, TransportError> {
        by(request.deadline, self.exchange(request))
            .await
            .unwrap_or(Err(TransportError::TimedOut))
    }
}

async fn by<F: Future>(deadline: Option<Instant>, future: F) -> Option<F::Output> {
    match deadline {
        None => Some(future.await),
        Some(deadline) => tokio::time::timeout_at(deadline.into(), future).await.ok(),
    }
}

/// What the system knows. Which error it is, its number tells.
fn addresses(host: &str) -> Resolution {
    let hints = AddrInfoHints {
        socktype: SockType::Stream.into(),
        ..AddrInfoHints::default()
    };
    match getaddrinfo(Some(host), None, Some(hints)) {
        Ok(found) => {
            let mut addresses: Vec<SocketAddr> = Vec::new();
            for own in found.flatten() {
                let address = SocketAddr::new(own.sockaddr.ip(), HTTPS_PORT);
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            Resolution::Addresses(addresses)
        }
        Err(error) => match error.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => Resolution::NoAddress,
            _ => Resolution::Failed {
                reason: std::io::Error::from(error).to_string(),
            },
        },
    }
}

fn told(error: &reqwest::Error) -> TransportError {
    let causes = || {
        let mut cause: Option<&(dyn Error + 'static)> = Error::source(error);
        std::iter::from_fn(move || {
            let own = cause?;
            cause = own.source();
            Some(own)
        })
    };
    // The innermost says what it is; those around it say that there was an error.
    let reason = causes()
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    if error.is_timeout() {
        TransportError::TimedOut
    } else if causes().any(is_tls) {
        TransportError::Tls { reason }
    } else if error.is_connect() {
        TransportError::Connect { reason }
    } else {
        TransportError::Broken { reason }
    }
}

/// Whether an error is one of TLS, or wraps one as errors of input and output do.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<std::io::Error>();
    let inner = inner.and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|own| is_tls(own))
}

/// Why there is no HTTPS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpsError {
    /// Nobody could be trusted.
    #[error("no root certificate{}", .problem.as_ref().map(|own| format!(": {own}")).unwrap_or_default())]
    NoRootCertificates {
        /// What went wrong while looking.
        problem: Option<String>,
    },
    /// The PEM text is damaged.
    #[error("root certificates are no PEM")]
    Pem(#[source] pem::Error),
    /// A certificate is damaged.
    #[error("root certificate cannot be used")]
    RootCertificate(#[source] rustls::Error),
}
