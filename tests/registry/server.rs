//! A registry on loopback, ended by its own process id.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_testkit::Hash;

pub(crate) const SERVICE: &str = "registry.example.org";

pub(crate) struct Registry {
    child: Child,
    port: u16,
    /// Where it keeps its files.
    _folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Registry {
    /// # Panics
    /// Where the program is not there. A test that skips itself proves nothing.
    pub(crate) fn start(issuer: &str, bundle: &Path) -> Self {
        const PATIENCE: Duration = Duration::from_secs(30);
        let program = program();
        assert!(
            program.is_file(),
            "`{}` is missing: scripts/test fetches it",
            program.display()
        );
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"127.0.0.1:{port}\"}}\nauth:\n  token: {{realm: \"http://127.0.0.1:1/token\", service: {SERVICE}, \
             issuer: {issuer}, rootcertbundle: {}}}\n",
            folder.path().join("data").display(),
            bundle.display()
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, config).expect("a file");
        let child = Command::new(program)
            .arg("serve")
            .arg(&file)
            .env_clear()
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the registry starts");
        let own = Self {
            child,
            port,
            _folder: folder,
        };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < PATIENCE, "the registry is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        own
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.send("GET", path, token, b"", "")
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &[u8],
        kind: &str,
    ) -> Answer {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address(),
            body.len()
        );
        if let Some(token) = token {
            request += &format!("Authorization: Bearer {token}\r\n");
        }
        if !kind.is_empty() {
            request += &format!("Content-Type: {kind}\r\n");
        }
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a time-out");
        stream.write_all(request.as_bytes()).expect("a request");
        stream.write_all(b"\r\n").expect("a request");
        stream.write_all(body).expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer
            .windows(4)
            .position(|own| own == b"\r\n\r\n")
            .expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|own| own.parse().ok());
        Answer {
            status: status.expect("a status"),
            head,
            body: answer[end + 4..].to_vec(),
        }
    }

    /// Its digest.
    pub(crate) fn push_blob(&self, repository: &str, blob: &[u8], token: &str) -> String {
        let begun = self.send(
            "POST",
            &format!("/v2/{repository}/blobs/uploads/"),
            Some(token),
            b"",
            "",
        );
        assert_eq!(begun.status, 202, "{}", begun.head);
        let location = begun
            .head
            .lines()
            .find_map(|line| line.strip_prefix("Location: "));
        let location = location.expect("a location");
        let path = location
            .strip_prefix(&format!("http://{}", self.address()))
            .unwrap_or(location);
        let digest = digest(blob);
        let target = format!("{path}&digest={digest}");
        let done = self.send(
            "PUT",
            &target,
            Some(token),
            blob,
            "application/octet-stream",
        );
        assert_eq!(done.status, 201, "{}", done.head);
        digest
    }

    /// A manifest of one blob; its digest.
    pub(crate) fn push_manifest(&self, repository: &str, blob: &str, token: &str) -> String {
        const KIND: &str = "application/vnd.oci.image.manifest.v1+json";
        let octets = self
            .get(&format!("/v2/{repository}/blobs/{blob}"), Some(token))
            .body
            .len();
        let manifest = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{KIND}\",\"config\":{{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\
             \"digest\":\"{blob}\",\"size\":{octets}}},\"layers\":[]}}"
        );
        let path = format!("/v2/{repository}/manifests/v1");
        let done = self.send("PUT", &path, Some(token), manifest.as_bytes(), KIND);
        assert_eq!(
            done.status,
            201,
            "{}: {}",
            done.head,
            String::from_utf8_lossy(&done.body)
        );
        digest(manifest.as_bytes())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn digest(octets: &[u8]) -> String {
    let digest = Hash::Sha256.digest(octets);
    let hex: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("sha256:{hex}")
}

/// Where `scripts/test` puts it: below the target directory.
fn program() -> PathBuf {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_countersign"));
    let target = ours.ancestors().nth(2).expect("a target directory");
    target.join("registry/unpacked/usr/bin/docker-registry")
}
