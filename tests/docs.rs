//! The pages below docs/: their commands run as they stand, in their order, and the code they show is that of the example.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

// Its `main` and what comes with it is for people; the test does the same by `release`.
#[allow(dead_code)]
#[path = "../sign/examples/custom_backend.rs"]
mod custom_backend;
#[path = "cli/process.rs"]
mod process;

/// Finding primes takes a while.
const PATIENCE_WITH_PRIMES: Duration = Duration::from_secs(120);

fn page(name: &str) -> String {
    fs::read_to_string(Path::new("docs").join(name)).unwrap()
}

/// The indented blocks of a page, without their indentation. A list item's second line is indented less.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("    ")) {
            (Some(block), Some(code)) => *block += &format!("{code}\n"),
            (None, Some(code)) => open = Some(format!("{code}\n")),
            (Some(block), None) if line.is_empty() => block.push('\n'),
            (Some(_), None) => blocks.extend(open.take()),
            (None, None) => {}
        }
    }
    blocks.extend(open);
    for block in &mut blocks {
        block.truncate(block.trim_end().len() + 1);
    }
    blocks
}

/// One command a line, unless the line ends in a backslash.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for block in blocks(page) {
        let joined = block.replace("\\\n", "");
        commands.extend(joined.lines().map(str::to_owned));
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// A folder, and commands in it that find the `countersign` under test and nothing of the user's.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, octets: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), octets).unwrap();
    }

    fn run(&self, command: &str) -> process::Ended {
        let ours = Path::new(env!("CARGO_BIN_EXE_countersign"));
        let folders = [ours.parent().unwrap().to_owned()].into_iter();
        let system = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&system))).unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-c", command])
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.0.path())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir(self.0.path());
        let makes_a_key = ["key generate", "genpkey"];
        if makes_a_key.iter().any(|verb| command.contains(verb)) {
            process::run_within(&mut shell, b"", PATIENCE_WITH_PRIMES)
        } else {
            process::run(&mut shell, b"")
        }
    }

    /// Runs a command that is to end so.
    fn ends(&self, command: &str, status: i32) -> String {
        let ended = self.run(command);
        let said = ended.stderr_text() + &ended.stdout_text();
        assert_eq!(ended.status, Some(status), "{command}\n{said}");
        said
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).is_file()
    }
}

#[test]
fn a_release_is_signed_as_the_page_says() {
    let desk = Desk::new();
    desk.put("dist/tool-1.0.tar.gz", "octets of one");
    desk.put("dist/tool-1.0.zip", "octets of the other");
    let commands = commands(&page("sign-a-release.md"));
    assert!(commands.len() >= 8, "{commands:#?}");
    for command in &commands {
        desk.ends(command, 0);
    }
    for made in ["releases@example.org.asc", "dist/SHA256SUMS.sig"] {
        assert!(desk.exists(made), "{made}");
    }
    let private = fs::metadata(desk.path("releases@example.org.key.pem")).unwrap();
    assert_eq!(private.permissions().mode() & 0o777, 0o600);
    // What is verified at the end is what was listed at the start.
    desk.put("dist/tool-1.0.zip", "octets of a third");
    let check = commands
        .iter()
        .find(|command| command.starts_with("countersign check "));
    desk.ends(check.expect("the page checks"), 1);
    desk.ends(commands.last().expect("there are commands"), 1);
}

#[test]
fn keys_are_published_as_the_page_says() {
    let desk = Desk::new();
    let commands = commands(&page("publish-keys-with-wkd.md"));
    assert!(commands.len() >= 8, "{commands:#?}");
    for command in &commands {
        let said = desk.ends(command, 0);
        if command.starts_with("gpg ") {
            // Both certificates, each with the user id of the address.
            assert_eq!(said.matches("releases@example.org").count(), 2, "{said}");
        }
    }
    let below = "public/.well-known/openpgpkey/example.org";
    let hu = fs::read_dir(desk.path(&format!("{below}/hu"))).unwrap();
    assert_eq!(hu.count(), 1);
    assert!(desk.exists(&format!("{below}/policy")));
}

#[test]
fn a_key_is_rotated_as_the_page_says() {
    const REFUSED: &str = "gpgv --keyring ./old.gpg SHA256SUMS.sig SHA256SUMS";
    let desk = Desk::new();
    desk.put(
        "SHA256SUMS",
        format!("{}  tool-1.0.tar.gz\n", "0".repeat(64)),
    );
    desk.ends(
        "countersign key generate --name 'Example Releases' --email releases@example.org \
         --algorithm rsa3072 --output old.asc --private-output old.key.pem",
        0,
    );
    let commands = commands(&page("rotate-a-key.md"));
    let refused = commands.iter().filter(|command| *command == REFUSED);
    assert_eq!(refused.count(), 1, "{commands:#?}");
    for command in &commands {
        if command == REFUSED {
            let said = desk.ends(command, 2);
            assert!(said.contains("Good signature"), "{said}");
            assert!(said.contains("No public key"), "{said}");
        } else {
            desk.ends(command, 0);
        }
    }
    // Two certificates and no fewer.
    for own in ["old", "new"] {
        let verify = format!("countersign verify SHA256SUMS --key {own}.asc --threshold 2");
        desk.ends(&verify, 1);
    }
    // Whoever has only the new certificate is served as well.
    desk.ends("gpg --dearmor --output new.gpg new.asc", 0);
    desk.ends("gpgv --keyring ./new.gpg SHA256SUMS.new.sig SHA256SUMS", 0);
    desk.ends("gpgv --keyring ./new.gpg SHA256SUMS.sig SHA256SUMS", 2);
    // An earlier signature that does not hold stops the second signer who is given its certificate.
    desk.put(
        "SHA256SUMS",
        format!("{}  tool-1.0.tar.gz\n", "1".repeat(64)),
    );
    let append = "countersign sign SHA256SUMS --key-id new.key.pem --public-key new.asc --append \
                  --output SHA256SUMS.old.sig";
    let before = fs::read(desk.path("SHA256SUMS.old.sig")).unwrap();
    desk.ends(&format!("{append} --key old.asc"), 2);
    assert!(fs::read(desk.path("SHA256SUMS.old.sig")).unwrap() == before);
    let said = desk.ends(append, 0);
    assert!(said.contains("not checked"), "{said}");
}

const EXAMPLE: &str = "sign/examples/custom_backend.rs";

#[test]
fn the_backend_that_is_shown_is_the_one_of_the_example() {
    let example = fs::read_to_string(EXAMPLE).unwrap();
    let (_, code) = example.split_once("// begin\n").unwrap();
    let (code, _) = code.split_once("// end\n").unwrap();
    let lines = code.lines().count();
    assert!(lines <= 40, "{lines} lines are more than a page shows");
    let page = page("custom-backend.md");
    let blocks = blocks(&page);
    let [backend, registry] = &blocks[..] else {
        panic!("two blocks: {blocks:#?}");
    };
    assert_eq!(backend, code);
    // What is written in one line there may be several here.
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let registry = squeezed(&registry.replace("\"release.pem\"", "key"));
    assert!(squeezed(&example).contains(&registry), "{registry}");
}

/// The example as it would be run, with a bound in time.
fn release(key: &Path, file: &Path) -> Result<(String, String), String> {
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (key, file) = (path(key), path(file));
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let released = pollster::block_on(custom_backend::release(&key, &file));
        // Nobody waits any more where patience has ended.
        let _ = sender.send(released.map_err(|error| error.to_string()));
    });
    let released = receiver.recv_timeout(process::PATIENCE);
    released.expect("openssl ends")
}

#[test]
fn what_the_example_signs_is_accepted() {
    let desk = Desk::new();
    desk.put("data", "line one\n");
    desk.ends(
        "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem",
        0,
    );
    let (certificate, signature) = release(&desk.path("key.pem"), &desk.path("data")).unwrap();
    desk.put("cert.asc", certificate);
    desk.put("data.asc", signature);
    desk.ends("gpg --dearmor --output cert.gpg cert.asc", 0);
    desk.ends("gpgv --keyring ./cert.gpg data.asc data", 0);
    desk.ends("sqv --keyring cert.asc data.asc data", 0);
    desk.ends("countersign verify data --key cert.asc", 0);
    desk.put("data", "line two\n");
    desk.ends("gpgv --keyring ./cert.gpg data.asc data", 1);
}

#[test]
fn the_example_refuses_what_it_lacks() {
    let desk = Desk::new();
    desk.put("data", "line one\n");
    desk.ends("openssl genpkey -algorithm ED25519 -out key.pem", 0);
    let key = desk.path("key.pem");
    let refused = release(&key, &desk.path("data")).unwrap_err();
    // It signs neither messages nor by anything but RSA.
    assert!(refused.contains("does not do Ed25519"), "{refused}");
    let missing = desk.path("nowhere.pem");
    let refused = release(&missing, &desk.path("data")).unwrap_err();
    let expected = format!("openssl pkey -in {}: exit status: 1", missing.display());
    assert_eq!(refused, expected);
}
