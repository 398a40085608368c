//! A proxy before the server: it counts, and fails when it is told to.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What may go wrong with one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// None, this time.
    Nothing,
    /// Status, the service's name for it, and a message.
    Error(u16, &'static str, &'static str),
    /// The connection ends before the service saw the request.
    ResetBefore,
    /// The connection ends after the service did what it was asked.
    ResetAfter,
    /// No answer, and the connection stays.
    Silence,
    /// The answer ends in the middle.
    Truncated,
    /// Another key's ARN.
    OtherArn,
    /// A signature of the right length, with one character changed.
    WrongSignature,
    /// A signature that is too short.
    ShortSignature,
    /// ASN.1 around two numbers, as ECDSA has it, where the octets themselves are due.
    DerSignature,
}

#[derive(Default)]
struct State {
    targets: Vec<String>,
    regions: Vec<String>,
    next: VecDeque<Fault>,
    always: Option<Fault>,
    every: Option<usize>,
    count: usize,
}

pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let ended = Arc::new(AtomicBool::new(false));
        let (shared, end) = (Arc::clone(&state), Arc::clone(&ended));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let state = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _ = serve(&stream, upstream, &state);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, state, ended }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(
            &mut self
                .state
                .lock()
                .expect("no thread panics with the lock held"),
        )
    }

    /// The actions asked for since the last [`Proxy::forget`].
    pub(crate) fn targets(&self) -> Vec<String> {
        self.with(|state| state.targets.clone())
    }

    /// The regions that requests were signed for.
    pub(crate) fn regions(&self) -> Vec<String> {
        self.with(|state| state.regions.clone())
    }

    pub(crate) fn forget(&self) {
        self.with(|state| {
            state.targets.clear();
            state.regions.clear();
        });
    }

    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.with(|state| {
            state.always = None;
            state.next.extend(faults);
        });
    }

    pub(crate) fn always(&self, fault: Fault) {
        self.with(|state| state.always = Some(fault));
    }

    /// A fault in one of so many requests, of each kind that a try more can mend.
    pub(crate) fn every(&self, count: usize) {
        self.with(|state| state.every = Some(count));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, which then goes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn fault(state: &mut State) -> Option<Fault> {
    const MENDABLE: [Fault; 4] = [
        Fault::Error(400, "ThrottlingException", "Rate exceeded"),
        Fault::ResetBefore,
        Fault::Error(500, "KMSInternalException", "try again"),
        Fault::ResetAfter,
    ];
    state.count += 1;
    if let Some(every) = state.every
        && state.count.is_multiple_of(every)
    {
        return MENDABLE.get(state.count / every % MENDABLE.len()).copied();
    }
    state.always.or_else(|| state.next.pop_front())
}

/// One request; the connection is not used again.
fn serve(stream: &TcpStream, upstream: u16, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    let (mut target, mut region) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        } else if lower.starts_with("x-amz-target:") {
            target = line
                .trim()
                .rsplit('.')
                .next()
                .unwrap_or_default()
                .to_owned();
        } else if lower.starts_with("authorization:") {
            region = line.split('/').nth(2).unwrap_or_default().to_owned();
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let fault = {
        let mut state = state.lock().expect("no thread panics with the lock held");
        state.targets.push(target);
        state.regions.push(region);
        fault(&mut state)
    };
    let mut stream = stream;
    match fault {
        Some(Fault::ResetBefore) => return Ok(()),
        Some(Fault::Silence) => {
            std::thread::sleep(Duration::from_secs(20));
            return Ok(());
        }
        Some(Fault::Error(status, code, message)) => {
            let body = format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}");
            return write!(
                stream,
                "HTTP/1.1 {status} No\r\nContent-Type: application/x-amz-json-1.1\r\n\
                 Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
        _ => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", upstream))?;
    server.write_all(head.as_bytes())?;
    server.write_all(b"Connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    match fault {
        Some(Fault::ResetAfter) => return Ok(()),
        Some(Fault::Truncated) => answer.truncate(answer.len() - 40),
        Some(Fault::OtherArn) => {
            let text = String::from_utf8_lossy(&answer);
            let at = text.find(":key/").map_or(0, |start| start + 5);
            if let Some(octet) = answer.get_mut(at) {
                *octet = if *octet == b'0' { b'1' } else { b'0' };
            }
        }
        Some(Fault::WrongSignature) => {
            let text = String::from_utf8_lossy(&answer);
            let at = text.find("\"Signature\"").map_or(0, |start| start + 40);
            if let Some(octet) = answer.get_mut(at) {
                *octet = if *octet == b'A' { b'B' } else { b'A' };
            }
        }
        Some(Fault::ShortSignature) => {
            answer = with_signature("AA==");
        }
        Some(Fault::DerSignature) => {
            let number = [[2, 32].as_slice(), &[7; 32]].concat();
            let der = [[0x30, 68].as_slice(), &number, &number].concat();
            answer = with_signature(&STANDARD.encode(der));
        }
        _ => {}
    }
    stream.write_all(&answer)
}

fn with_signature(base64: &str) -> Vec<u8> {
    let body = format!("{{\"KeyId\":\"x\",\"Signature\":\"{base64}\"}}");
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
