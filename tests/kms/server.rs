//! A KMS server on loopback, ended by its own process id.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) struct Server {
    child: Child,
    port: u16,
    /// Where it keeps its files.
    _folder: tempfile::TempDir,
}

pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) arn: String,
}

impl Server {
    /// # Panics
    /// Where the server is not installed. A test that skips itself proves nothing.
    pub(crate) fn start() -> Self {
        Self::start_with("false")
    }

    /// One that checks signatures of requests, and policies.
    pub(crate) fn start_with_policies() -> Self {
        Self::start_with("true")
    }

    fn start_with(policies: &str) -> Self {
        const PATIENCE: Duration = Duration::from_secs(30);
        let program = installed("ministack");
        assert!(
            program.is_file(),
            "`{}` is missing: scripts/test installs it",
            program.display()
        );
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let child = Command::new(program)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("SERVICES", "kms,sts,iam")
            .env("AUTH", policies)
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let server = Self {
            child,
            port,
            _folder: folder,
        };
        let started = Instant::now();
        while !server.is_ready() {
            assert!(started.elapsed() < PATIENCE, "the server is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn is_ready(&self) -> bool {
        let request =
            "GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        self.exchange(request.as_bytes())
            .is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
    }

    pub(crate) fn create_key(&self, spec: &str, usage: &str) -> Key {
        let answer = self.call("CreateKey", &json!({ "KeySpec": spec, "KeyUsage": usage }));
        let text = |name: &str| answer["KeyMetadata"][name].as_str().map(str::to_owned);
        Key {
            id: text("KeyId").expect("a key id"),
            arn: text("Arn").expect("an ARN"),
        }
    }

    /// One call of the service, as its owner.
    pub(crate) fn call(&self, action: &str, body: &Value) -> Value {
        let body = body.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: kms.eu-west-2.amazonaws.com\r\nConnection: close\r\n\
             Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: TrentService.{action}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-2/kms/aws4_request, \
             SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = self.exchange(request.as_bytes()).expect("an answer");
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 200"), "{action}: {text}");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// What `identities.py` makes, and says.
    pub(crate) fn identities(&self, wanted: &Value) -> Value {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/kms/identities.py");
        let output = Command::new(installed("python"))
            .arg(script)
            .args([self.url(), wanted.to_string()])
            .env_clear()
            .output()
            .expect("scripts/test installs it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn exchange(&self, request: &[u8]) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .ok()?;
        stream.write_all(request).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `scripts/test` puts a program: below the target directory.
fn installed(name: &str) -> PathBuf {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_countersign"));
    let target = ours.ancestors().nth(2).expect("a target directory");
    target.join("venv/bin").join(name)
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
