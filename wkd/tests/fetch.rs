//! Fetching before servers that mean ill: over TLS, on loopback, with an authority made for the test.

use std::collections::HashMap;
use std::io::{Read as _, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_testkit::{CertificateBuilder, Key, simple_certificate};
use countersign_verify::{Agreement, Certificate, Requirement, Source, Timestamp, Trust};
use countersign_wkd::{
    Address, Client, FetchError, FetchErrorKind, Fetched, HttpsTransport, Request, Resolution,
    Response, State, Transport, TransportError, limits, sources,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;

const ADDRESS: &str = "release@example.org";
const ADVANCED: &str = "openpgpkey.example.org";
const DIRECT: &str = "example.org";
const CREATED: u32 = 1_600_000_000;
const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// A whole fetch, where the server does not answer.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What a server sends once it has read a request.
#[derive(Clone)]
enum Reply {
    Raw(Vec<u8>),
    /// This, and then octets without end.
    Endless(Vec<u8>),
    /// One octet at a time, slowly.
    Drip(Vec<u8>),
    Nothing,
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Reply {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    Reply::Raw([head.as_bytes(), body].concat())
}

fn served(body: &[u8]) -> Reply {
    answer("200 OK", "", body)
}

fn redirect(to: &str) -> Reply {
    answer("302 Found", &format!("Location: {to}\r\n"), b"")
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    fn tls(&self, names: &[&str], expired: bool) -> Arc<rustls::ServerConfig> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names");
        if expired {
            params.not_before = rcgen::date_time_ymd(2019, 1, 1);
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let own = params.signed_by(&key, &self.issuer).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], key);
        Arc::new(config.expect("a configuration"))
    }
}

struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// Replies by path; to paths that are not in the list with the reply of `*`.
    fn start(tls: Arc<rustls::ServerConfig>, replies: Vec<(&str, Reply)>) -> Self {
        let replies: HashMap<String, Reply> = replies
            .into_iter()
            .map(|(path, reply)| (path.to_owned(), reply))
            .collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let (heard, end) = (Arc::clone(&requests), Arc::clone(&ended));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let _ = stream.set_write_timeout(Some(Duration::from_secs(5)));
                let (tls, replies) = (Arc::clone(&tls), replies.clone());
                let (heard, end) = (Arc::clone(&heard), Arc::clone(&end));
                std::thread::spawn(move || {
                    let connection = rustls::ServerConnection::new(tls).expect("a connection");
                    let mut stream = rustls::StreamOwned::new(connection, stream);
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let mut octet = [0];
                        match stream.read(&mut octet) {
                            Ok(1) => request.push(octet[0]),
                            _ => return,
                        }
                    }
                    let request = String::from_utf8_lossy(&request).into_owned();
                    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
                    let reply = replies.get(path).or(replies.get("*"));
                    let reply = reply.cloned().unwrap_or(Reply::Nothing);
                    heard.lock().expect("no panic").push(request);
                    let _ = send(&mut stream, &reply, &end);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                });
            }
        });
        Self {
            address,
            requests,
            ended,
        }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, which then goes.
        let _ = std::net::TcpStream::connect(self.address);
    }
}

fn send(stream: &mut impl Write, reply: &Reply, ended: &AtomicBool) -> std::io::Result<()> {
    match reply {
        Reply::Raw(octets) => stream.write_all(octets)?,
        Reply::Endless(start) => {
            stream.write_all(start)?;
            while !ended.load(Ordering::SeqCst) {
                stream.write_all(&[0x99; 4096])?;
            }
        }
        Reply::Drip(octets) => {
            for octet in octets {
                stream.write_all(std::slice::from_ref(octet))?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(100));
                if ended.load(Ordering::SeqCst) {
                    break;
                }
            }
        }
        Reply::Nothing => {
            while !ended.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
    stream.flush()
}

/// The real transport, with names that the test decides on, and counters.
struct Counting {
    https: HttpsTransport,
    names: HashMap<&'static str, Resolution>,
    resolved: AtomicUsize,
    got: AtomicUsize,
}

impl Counting {
    fn new(authority: &Authority, names: &[(&'static str, Resolution)]) -> Self {
        let https = HttpsTransport::with_only_root_certificates(authority.pem.as_bytes());
        Self {
            https: https
                .expect("an authority")
                .with_timeout(PATIENCE)
                .with_connect_timeout(PATIENCE),
            names: names.iter().cloned().collect(),
            resolved: AtomicUsize::new(0),
            got: AtomicUsize::new(0),
        }
    }

    fn counts(&self) -> (usize, usize) {
        let read = |own: &AtomicUsize| own.load(Ordering::SeqCst);
        (read(&self.resolved), read(&self.got))
    }
}

impl Transport for &Counting {
    fn deadline(&self) -> Option<Instant> {
        self.https.deadline()
    }

    async fn resolve(&self, host: &str, _deadline: Option<Instant>) -> Resolution {
        self.resolved.fetch_add(1, Ordering::SeqCst);
        self.names
            .get(host)
            .cloned()
            .unwrap_or(Resolution::NoAddress)
    }

    async fn get(&self, request: Request<'_>) -> Result<Response, TransportError> {
        self.got.fetch_add(1, Ordering::SeqCst);
        self.https.get(request).await
    }
}

fn at(server: &Server) -> Resolution {
    Resolution::Addresses(vec![server.address])
}

fn run<F: Future>(future: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

fn fetch(transport: &Counting) -> Result<Fetched, FetchError> {
    let address: Address = ADDRESS.parse().expect("an address");
    run(Client::new(transport).fetch(&address, NOW))
}

fn certificate(seed: u8) -> Vec<u8> {
    simple_certificate(&key(seed), "Release <release@example.org>", CREATED)
}

fn key(seed: u8) -> Key {
    Key::ed25519_legacy([seed; 32], CREATED)
}

/// What comes of one reply for every path, from the host of the advanced method.
fn one(reply: Reply) -> Result<Fetched, FetchError> {
    let authority = Authority::new();
    let server = Server::start(authority.tls(&[ADVANCED], false), vec![("*", reply)]);
    fetch(&Counting::new(&authority, &[(ADVANCED, at(&server))]))
}

#[test]
fn one_name_and_one_request() {
    let authority = Authority::new();
    let tls = authority.tls(&[ADVANCED], false);
    let server = Server::start(tls, vec![("*", served(&certificate(1)))]);
    let transport = Counting::new(&authority, &[(ADVANCED, at(&server))]);
    let fetched = fetch(&transport).expect("certificates");
    assert_eq!(transport.counts(), (1, 1));
    assert_eq!(fetched.octets(), certificate(1));
    assert_eq!(fetched.certificates().len(), 1);
    assert_eq!(fetched.certificates()[0].state(), State::InForce);
    let requests = server.requests();
    let request = requests.first().expect("one").to_ascii_lowercase();
    let first = "get /.well-known/openpgpkey/example.org/hu/y84sdmnksfqswe7fxf5mzjg53tbdz8f5?l=release http/1.1\r\n";
    assert!(request.starts_with(first), "{request}");
    for header in ["accept-encoding", "cookie", "referer", "authorization"] {
        assert!(!request.contains(&format!("\r\n{header}:")), "{request}");
    }
}

#[test]
fn answers_that_are_not_what_was_asked_for() {
    let good = certificate(1);
    let stranger = simple_certificate(&key(2), "Other <other@example.org>", CREATED);
    let unsigned = CertificateBuilder::new(&key(1))
        .with_user_id_signed("Release <release@example.org>", &[])
        .build();
    let armor = countersign_testkit::armor(
        countersign_testkit::ArmorKind::PublicKey,
        &good,
        countersign_testkit::ArmorChecksum::Present,
    );
    let large = vec![0x99; limits::ANSWER_BYTES + 1];
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let slow = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_vec();
    let basic = "WWW-Authenticate: Basic\r\n";
    let not_found = vec![("not-found", answer("404 Not Found", "", b""))];
    let unreachable = vec![
        ("server-error", answer("500 Oops", "", b"")),
        ("server-error", answer("503 Later", "", b"")),
        ("timed-out", Reply::Nothing),
        ("timed-out", Reply::Drip(slow)),
        ("broken-answer", Reply::Raw(b"what?\r\n\r\n".to_vec())),
    ];
    let unusable = vec![
        ("authentication-demanded", answer("401 Who", basic, b"")),
        ("unusable-status", answer("403 No", "", b"")),
        ("unusable-status", answer("204 Nothing", "", b"")),
        (
            "unusable-status",
            answer("300 Choose", "Location: /x\r\n", b""),
        ),
        ("empty", served(b"")),
        ("armored", served(armor.as_bytes())),
        (
            "no-certificate",
            served(&[good.as_slice(), b"garbage"].concat()),
        ),
        ("no-certificate", served(b"<html>not here</html>")),
        ("not-for-address", served(&stranger)),
        ("not-for-address", served(&unsigned)),
        ("too-large", served(&large)),
        ("too-large", Reply::Endless(endless)),
        (
            "encoded",
            answer("200 OK", "Content-Encoding: gzip\r\n", &gzip),
        ),
        ("too-many-redirects", redirect("")),
        (
            "redirect-refused",
            redirect("http://openpgpkey.example.org/x"),
        ),
        (
            "redirect-refused",
            redirect("https://elsewhere.example.net/other"),
        ),
        ("redirect-refused", redirect("https://127.0.0.1/x")),
        (
            "redirect-refused",
            redirect("https://openpgpkey.example.org:8443/x"),
        ),
        (
            "redirect-refused",
            redirect("https://me@openpgpkey.example.org/x"),
        ),
        ("redirect-refused", answer("302 Found", "", b"")),
    ];
    for (kind, replies) in [
        (FetchErrorKind::NotFound, not_found),
        (FetchErrorKind::Unreachable, unreachable),
        (FetchErrorKind::Unusable, unusable),
    ] {
        for (name, reply) in replies {
            let error = one(reply).expect_err(name);
            assert_eq!((error.name(), error.kind()), (name, kind), "{error}");
            assert!(error.to_string().contains(ADVANCED), "{error}");
        }
    }
}

#[test]
fn redirects_that_keep_the_path_are_followed() {
    let authority = Authority::new();
    let names = [ADVANCED, "keys.example.net"];
    let tls = authority.tls(&names, false);
    let path = "/.well-known/openpgpkey/example.org/hu/y84sdmnksfqswe7fxf5mzjg53tbdz8f5";
    let last = Server::start(Arc::clone(&tls), vec![(path, served(&certificate(1)))]);
    let to = format!("https://keys.example.net{path}?l=release");
    let first = Server::start(tls, vec![("*", redirect(&to))]);
    let names = [(ADVANCED, at(&first)), ("keys.example.net", at(&last))];
    let transport = Counting::new(&authority, &names);
    let fetched = fetch(&transport).expect("certificates");
    assert_eq!(fetched.url(), to);
    assert_eq!(transport.counts(), (2, 2));
}

#[test]
fn tls_certificates_that_do_not_hold() {
    let authority = Authority::new();
    let stranger = Authority::new();
    for tls in [
        authority.tls(&["other.example.org"], false),
        authority.tls(&[ADVANCED], true),
        stranger.tls(&[ADVANCED], false),
    ] {
        let server = Server::start(tls, vec![("*", served(&certificate(1)))]);
        let error = fetch(&Counting::new(&authority, &[(ADVANCED, at(&server))]));
        let error = error.expect_err("no trust");
        assert_eq!(error.name(), "no-secure-connection", "{error:?}");
        assert_eq!(error.kind(), FetchErrorKind::Unreachable);
        assert!(server.requests().is_empty());
    }
}

/// Whoever can make the first host fail must not choose the second.
#[test]
fn the_direct_method_only_where_the_other_host_has_no_address() {
    let authority = Authority::new();
    let direct = Server::start(
        authority.tls(&[DIRECT], false),
        vec![("*", served(&certificate(1)))],
    );
    let asks = |advanced: Resolution| {
        let names = [(ADVANCED, advanced), (DIRECT, at(&direct))];
        fetch(&Counting::new(&authority, &names))
    };
    let fetched = asks(Resolution::NoAddress).expect("certificates");
    assert!(
        fetched
            .url()
            .starts_with("https://example.org/.well-known/openpgpkey/hu/")
    );
    let failed = Resolution::Failed {
        reason: "later".to_owned(),
    };
    assert_eq!(asks(failed).expect_err("unknown").name(), "unresolved");
    let missing = answer("404 Not Found", "", b"");
    let advanced = Server::start(authority.tls(&[ADVANCED], false), vec![("*", missing)]);
    assert_eq!(asks(at(&advanced)).expect_err("final").name(), "not-found");
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let closed = Resolution::Addresses(vec![address]);
    assert_eq!(asks(closed).expect_err("final").name(), "no-connection");
    let nowhere = fetch(&Counting::new(&authority, &[]));
    assert_eq!(nowhere.expect_err("nowhere").name(), "no-address");
}

#[test]
fn every_certificate_for_the_address_comes_with_its_state() {
    let revoked = CertificateBuilder::simple(&key(2), "release@EXAMPLE.org", CREATED)
        .with_key_revocation(CREATED + 1, Some(3))
        .build();
    let stranger = simple_certificate(&key(3), "Other <other@example.org>", CREATED);
    let body = [certificate(1), revoked, stranger].concat();
    let fetched = one(served(&body)).expect("certificates");
    assert_eq!((fetched.certificates().len(), fetched.others()), (2, 1));
    assert_eq!(fetched.certificates()[0].state(), State::InForce);
    assert!(matches!(
        fetched.certificates()[1].state(),
        State::Revoked(_)
    ));
}

#[test]
fn sources_are_asked_at_the_same_time() {
    let authority = Authority::new();
    let slow = Server::start(
        authority.tls(&[ADVANCED], false),
        vec![("*", Reply::Nothing)],
    );
    let transport = Counting::new(&authority, &[(ADVANCED, at(&slow))]);
    let client = Client::new(&transport);
    let wanted: Vec<(Address, Requirement)> = ["a", "b", "c", "d"]
        .map(|local| format!("{local}@example.org").parse().expect("an address"))
        .map(|address| (address, Requirement::BestEffort))
        .into();
    let started = Instant::now();
    let found = run(sources(&client, &wanted, NOW));
    assert!(started.elapsed() < PATIENCE * 3, "{:?}", started.elapsed());
    let embedded = Certificate::all_from_bytes(&certificate(1)).expect("a certificate");
    let mut all = vec![Source::embedded(embedded)];
    all.extend(found);
    let trust = Trust::from_sources(all, Agreement::Common).expect("the embedded one");
    let lost = trust.consulted().iter().filter_map(|own| own.unreachable());
    assert_eq!(lost.count(), 4);
}
