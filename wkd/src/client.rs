//! Which URL to try and what to accept (draft-koch-openpgp-webkey-service-22, section 3.1). Knows no HTTP.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

use countersign_verify::{Requirement, Source, Timestamp, printable};
use url::{Host, Url};

use crate::address::{Address, Method};
use crate::answer::Fetched;
use crate::fetch_error::{FetchError, FetchErrorKind, RedirectProblem};
use crate::limits;
use crate::transport::{Request, Resolution, Response, Transport, TransportError};

/// Fetches the certificates for mail addresses from the directories of their domains.
///
/// - If `openpgpkey.DOMAIN` has an address, it alone is asked: 404, 5xx, a TLS error and a time-out are final. `DOMAIN` is
///   asked only where the other host certainly has no address. Whoever can suppress an answer cannot choose another directory.
/// - Behind a proxy, which resolves names itself, `openpgpkey.DOMAIN` alone is asked, unless [`Client::with_method`] says
///   otherwise.
/// - https on every hop. At most [`limits::REDIRECTS`] redirects with status 301, 302 or 307 are followed: on the same host to any
///   path, to another host with path and query unchanged (the query may be left out).
/// - A body has at most [`limits::ANSWER_BYTES`], and is one or several binary certificates and nothing else. Armor, which some
///   other clients take, is refused: the draft has none, and text may stand around it. Its media type does not matter.
///
/// ```
/// use countersign_wkd::{Address, Client, FetchError, Fetched, Transport};
/// async fn print<T: Transport>(client: &Client<T>, address: &Address) -> Result<(), FetchError> {
///     let now = std::time::SystemTime::now().into();
///     let fetched: Fetched = client.fetch(address, now).await?;
///     for own in fetched.certificates() {
///         println!("{} {}", own.certificate().fingerprint(), own.state());
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Client<T> {
    transport: T,
    method: Option<Method>,
}

/// Where a URL is to be had.
type Place = Option<Vec<SocketAddr>>;

impl<T: Transport> Client<T> {
    /// A client over `transport`.
    #[must_use]
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            method: None,
        }
    }

    /// The same client, which asks the host of this method and no other.
    #[must_use]
    pub fn with_method(self, method: Method) -> Self {
        Self {
            method: Some(method),
            ..self
        }
    }

    /// Every certificate with a user id for `address` that its key stands by at `now`, revoked and expired ones included.
    ///
    /// # Errors
    /// See [`FetchError`]; [`FetchError::kind`] tells what it means for trust.
    pub async fn fetch(&self, address: &Address, now: Timestamp) -> Result<Fetched, FetchError> {
        let deadline = self.transport.deadline();
        let (method, place) = self.choose(address, deadline).await?;
        let text = address.url(method);
        // An address has nothing but a host name in its URL's host, and encodes what it puts into the query.
        let url = Url::parse(&text).map_err(|_| FetchError::NoAddress {
            hosts: vec![address.host(method)],
        })?;
        let (url, body) = self.follow(url, place, deadline).await?;
        Fetched::judge(url.into(), method, body, address, now)
    }

    /// The method, and where its host is.
    async fn choose(
        &self,
        address: &Address,
        deadline: Option<Instant>,
    ) -> Result<(Method, Place), FetchError> {
        let methods = match &self.method {
            Some(only) => std::slice::from_ref(only),
            None => &[Method::Advanced, Method::Direct],
        };
        let mut hosts = Vec::new();
        for method in methods {
            let host = address.host(*method);
            if let Some(place) = self.locate(&host, deadline).await? {
                return Ok((*method, place));
            }
            hosts.push(host);
        }
        Err(FetchError::NoAddress { hosts })
    }

    /// Where a host is; none if it certainly is nowhere.
    async fn locate(
        &self,
        host: &str,
        deadline: Option<Instant>,
    ) -> Result<Option<Place>, FetchError> {
        match self.transport.resolve(host, deadline).await {
            Resolution::Addresses(found) if found.is_empty() => Ok(None),
            Resolution::Addresses(found) => Ok(Some(Some(found))),
            Resolution::NoAddress => Ok(None),
            Resolution::LeftToProxy => Ok(Some(None)),
            Resolution::Failed { reason } => Err(FetchError::Unresolved {
                host: host.to_owned(),
                reason: printable(&reason),
            }),
        }
    }

    /// The body, and the URL that had it.
    async fn follow(
        &self,
        mut url: Url,
        mut place: Place,
        deadline: Option<Instant>,
    ) -> Result<(Url, Vec<u8>), FetchError> {
        let mut redirects = 0;
        loop {
            let request = Request {
                url: &url,
                addresses: place.as_deref(),
                deadline,
                limit: limits::ANSWER_BYTES,
            };
            let answer = self.transport.get(request).await;
            let next = match judge(&url, answer)? {
                Answer::Body(body) => return Ok((url, body)),
                Answer::Redirect(next) => next,
            };
            redirects += 1;
            if redirects > limits::REDIRECTS {
                return Err(FetchError::TooManyRedirects {
                    url: url.into(),
                    limit: limits::REDIRECTS,
                });
            }
            let host = next.host_str().unwrap_or_default();
            if url.host_str() != Some(host) {
                let located = self.locate(host, deadline).await?;
                place = located.ok_or_else(|| FetchError::NoAddress {
                    hosts: vec![host.to_owned()],
                })?;
            }
            url = next;
        }
    }
}

/// Fetches all addresses at the same time and gives each as a source named `wkd:ADDRESS`, in the order given, for
/// [`Trust::from_sources`](countersign_verify::Trust::from_sources). Takes as long as the slowest.
///
/// A directory that answers that it has nothing (404) is a source without certificates. One that is out of reach, or whose answer
/// cannot be used, is a source that says so: whether that is fatal, the trust decides.
///
/// ```
/// use countersign_verify::{Agreement, Certificate, Requirement, Source, Timestamp, Trust, TrustError};
/// use countersign_wkd::{Address, Client, Transport, sources};
/// async fn trust<T: Transport>(
///     client: &Client<T>,
///     embedded: Vec<Certificate>,
///     address: Address,
///     now: Timestamp,
/// ) -> Result<Trust, TrustError> {
///     let mut all = vec![Source::embedded(embedded)];
///     all.extend(sources(client, &[(address, Requirement::Required)], now).await);
///     Trust::from_sources(all, Agreement::Common)
/// }
/// ```
pub async fn sources<T: Transport>(
    client: &Client<T>,
    wanted: &[(Address, Requirement)],
    now: Timestamp,
) -> Vec<Source> {
    let one = |(address, requirement): &(Address, Requirement)| {
        let (address, requirement) = (address.clone(), *requirement);
        async move {
            let fetched = client.fetch(&address, now).await;
            source(&address, fetched).with_requirement(requirement)
        }
    };
    together(wanted.iter().map(one)).await
}

/// A future, and its output once there is one.
type Running<F> = (Pin<Box<F>>, Option<<F as Future>::Output>);

/// The outputs of futures that run at the same time, in their order. For a few: each time one may go on, all are asked.
async fn together<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Running<F>> = futures.map(|own| (Box::pin(own), None)).collect();
    poll_fn(|context| {
        for (future, output) in &mut running {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if running.iter().all(|(_, output)| output.is_some()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

fn source(address: &Address, fetched: Result<Fetched, FetchError>) -> Source {
    let name = format!("wkd:{address}");
    let error = match fetched {
        Ok(fetched) => return Source::new(name, fetched.into_certificates()),
        Err(error) => error,
    };
    match error.kind() {
        FetchErrorKind::NotFound => Source::new(name, Vec::new()),
        FetchErrorKind::Unreachable => Source::unreachable(name, chain(&error)),
        FetchErrorKind::Unusable => Source::unusable(name, chain(&error)),
    }
}

/// A message and its causes: a source keeps but a text.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let all = [error.to_string()]
        .into_iter()
        .chain(causes.map(ToString::to_string));
    all.collect::<Vec<_>>().join(": ")
}

enum Answer {
    Body(Vec<u8>),
    Redirect(Url),
}

/// What an answer comes to, before its body is looked at.
fn judge(url: &Url, answer: Result<Response, TransportError>) -> Result<Answer, FetchError> {
    let asked = || url.to_string();
    let too_large = || FetchError::TooLarge {
        url: asked(),
        limit: limits::ANSWER_BYTES,
    };
    let response = answer.map_err(|error| match error {
        TransportError::TooLarge => too_large(),
        error => FetchError::NoAnswer {
            url: asked(),
            error,
        },
    })?;
    match response.status {
        200 => {
            let encoding = response.content_encoding.unwrap_or_default();
            if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
                let url = asked();
                return Err(FetchError::Encoded { url, encoding });
            }
            if response.body.len() > limits::ANSWER_BYTES {
                return Err(too_large());
            }
            Ok(Answer::Body(response.body))
        }
        301 | 302 | 307 => redirect(url, response.location.as_deref()).map(Answer::Redirect),
        401 => Err(FetchError::AuthenticationDemanded { url: asked() }),
        404 => Err(FetchError::NotFound { url: asked() }),
        status @ 500..=599 => Err(FetchError::ServerError {
            url: asked(),
            status,
        }),
        status => Err(FetchError::Status {
            url: asked(),
            status,
        }),
    }
}

/// The URL that a redirect leads to, if it may be followed.
fn redirect(url: &Url, location: Option<&str>) -> Result<Url, FetchError> {
    let check = |to: &str| {
        let next = url.join(to).map_err(|_| RedirectProblem::NoUrl)?;
        if next.scheme() != "https" {
            return Err(RedirectProblem::NotHttps);
        }
        if !next.username().is_empty() || next.password().is_some() {
            return Err(RedirectProblem::Credentials);
        }
        if next.port().is_some() {
            return Err(RedirectProblem::Port);
        }
        if !matches!(next.host(), Some(Host::Domain(_))) {
            return Err(RedirectProblem::NoDomainName);
        }
        let same_query = next.query().is_none() || next.query() == url.query();
        if next.host() != url.host() && (next.path() != url.path() || !same_query) {
            return Err(RedirectProblem::OtherPath);
        }
        Ok(next)
    };
    let to = location.unwrap_or_default();
    let checked = match location {
        // It would lead to the same URL again.
        None => Err(RedirectProblem::NoUrl),
        Some(to) => check(to),
    };
    checked.map_err(|problem| FetchError::Redirect {
        url: url.to_string(),
        to: to.to_owned(),
        problem,
    })
}
