//! The files that every case begins with. Nothing in them depends on the clock or on chance.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use countersign_testkit::{
    ArmorChecksum, ArmorKind, Binding, CertificateBuilder, Hash, Key, Over, SignatureBuilder,
    Subpacket, TestRsa, armor, clearsign, key_flags, literal, one_pass, secret_key_stub,
    signature_type, simple_certificate,
};

/// 2023-11-14T22:13:20Z, when all keys were made.
pub(crate) const CREATED: u32 = 1_700_000_000;
/// 2023-11-15T00:00:00Z, when all files were signed.
pub(crate) const SIGNED: u32 = 1_700_006_400;
const DAY: u32 = 24 * 60 * 60;

/// A fresh folder with all files.
pub(crate) fn folder() -> tempfile::TempDir {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, octets) in FILES.get_or_init(files) {
        let path: PathBuf = folder.path().join(name);
        let parent = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(parent).expect("a folder can be made");
        fs::write(&path, octets).expect("a file can be written");
        // As private keys should lie: of others, the command warns.
        if name.ends_with(".pem") {
            let own = fs::Permissions::from_mode(0o600);
            fs::set_permissions(path, own).expect("a mode can be set");
        }
    }
    folder
}

/// The publisher: Ed25519.
pub(crate) fn alice() -> Key {
    Key::ed25519_legacy([1; 32], CREATED)
}

fn bob() -> Key {
    Key::rsa(TestRsa::Rsa3072A, CREATED)
}

fn data_signature() -> SignatureBuilder {
    SignatureBuilder::new(signature_type::BINARY, SIGNED)
}

/// An armored signature.
pub(crate) fn signature(key: &Key, builder: &SignatureBuilder, data: &[u8]) -> Vec<u8> {
    armored(ArmorKind::Signature, &builder.sign(key, Over::Data(data)))
}

fn armored(kind: ArmorKind, octets: &[u8]) -> Vec<u8> {
    armor(kind, octets, ArmorChecksum::Present).into_bytes()
}

pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A line of a manifest.
pub(crate) fn line(name: &str, artifact: &[u8]) -> String {
    format!("{}  {name}\n", hexadecimal(&Hash::Sha256.digest(artifact)))
}

struct Files(Vec<(String, Vec<u8>)>);

impl Files {
    fn add(&mut self, name: &str, octets: impl AsRef<[u8]>) {
        self.0.push((name.to_owned(), octets.as_ref().to_vec()));
    }

    /// A file with Alice's signature beside it.
    fn signed(&mut self, name: &str, octets: impl AsRef<[u8]>) {
        self.add(name, &octets);
        let beside = signature(&alice(), &data_signature(), octets.as_ref());
        self.add(&format!("{name}.asc"), beside);
    }
}

fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Files(Vec::new());
    keys(&mut files);
    private_keys(&mut files);
    signatures(&mut files);
    release(&mut files);
    manifests(&mut files);
    files.0
}

fn keys(files: &mut Files) {
    let certificate = simple_certificate(&alice(), "Alice <alice@example.org>", CREATED);
    files.add("alice.asc", armored(ArmorKind::PublicKey, &certificate));
    files.add("alice.pgp", &certificate);
    let bobs = simple_certificate(&bob(), "Bob <bob@example.org>", CREATED);
    files.add("bob.asc", armored(ArmorKind::PublicKey, &bobs));
    files.add("both.pgp", [certificate, bobs].concat());
    files.add(
        "alice-private.asc",
        armored(ArmorKind::PrivateKey, &secret_key_stub(&alice())),
    );
    // GnuPG's keybox begins with a blob of 32 octets; its magic number is at octet 8.
    let mut keybox = vec![0, 0, 0, 0x20, 1, 1, 0, 2];
    keybox.extend_from_slice(b"KBXf");
    keybox.resize(0x20, 0);
    files.add("pubring.kbx", keybox);
}

/// Private keys to sign with: Alice's, plain and under the passphrase `correct horse`, Bob's, and two that sign no release.
fn private_keys(files: &mut Files) {
    /// The seed of [`alice`] in PKCS#8.
    const ALICE: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
-----END PRIVATE KEY-----
";
    /// `openssl pkcs8 -topk8 -in alice.pem -passout 'pass:correct horse' -scrypt -scrypt_N 16384`
    const SEALED: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhwUQzf2lVw1AICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBCN+7TlnyMsgsIOgkpzLhlcBED7Yc0e3NlPyaT3
wzqE3YdjufoiY4ZaYYWjFsNcWZmUPRVw6Ioehr5sUt8XwP1qltjdfTBVKWqcehoE
5XZ39cGq
-----END ENCRYPTED PRIVATE KEY-----
";
    /// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`
    const P256: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgK9xFaxN70+xiYWHt
wGbWAUQLeh5V+4PT50iYbA5JQUWhRANCAAQB0cOMwoi7YUZuX+q6kiy0rTm+J+EF
XV0VgmcF++rGA3YWg71WnMUFwyd2cQ0fV+cC7lZ65AZ0LFH/49BXuQ2k
-----END PRIVATE KEY-----
";
    files.add("alice.pem", ALICE);
    files.add("alice-sealed.pem", SEALED);
    files.add("bob.pem", TestRsa::Rsa3072A.pem());
    files.add("weak.pem", TestRsa::Rsa2048A.pem());
    files.add("p256.pem", P256);
}

/// `hello.txt` and the signatures over it, each `hello-CASE.sig` by the key `CASE.pgp`.
fn signatures(files: &mut Files) {
    const HELLO: &[u8] = b"hello\n";
    files.signed("hello.txt", HELLO);
    files.add("altered.txt", b"Hello\n");
    let mut add = |case: &str, key: &Key, certificate: Vec<u8>, signature: SignatureBuilder| {
        files.add(&format!("{case}.pgp"), certificate);
        files.add(
            &format!("hello-{case}.sig"),
            signature.sign(key, Over::Data(HELLO)),
        );
    };
    let user_id = "Carol <carol@example.org>";
    let carol = Key::ed25519_legacy([3; 32], CREATED);
    let simple = || CertificateBuilder::simple(&carol, user_id, CREATED);

    let subkey = Key::ed25519_legacy([4; 32], CREATED);
    let binding = Binding::new(key_flags::SIGN, CREATED);
    let with_subkey = simple().with_subkey(&subkey, &binding).build();
    add("subkey", &subkey, with_subkey, data_signature());
    let sixth = Key::ed25519_v6([6; 32], CREATED);
    let with_hash = data_signature().with_hash(Hash::Sha512);
    add(
        "v6",
        &sixth,
        simple_certificate(&sixth, user_id, CREATED),
        with_hash,
    );
    let text = SignatureBuilder::new(signature_type::TEXT, SIGNED);
    add("text", &carol, simple().build(), text);

    let weak = Key::rsa(TestRsa::Rsa2048A, CREATED);
    add(
        "weak",
        &weak,
        simple_certificate(&weak, user_id, CREATED),
        data_signature(),
    );
    let sha1 = data_signature().with_hash(Hash::Sha1);
    add("sha1", &carol, simple().build(), sha1);
    let compromised = simple().with_key_revocation(SIGNED + DAY, Some(2)).build();
    add("revoked", &carol, compromised, data_signature());
    let superseded = simple().with_key_revocation(SIGNED + DAY, Some(1)).build();
    add("superseded", &carol, superseded, data_signature());
    let expiring = |seconds: u32| {
        let own = CertificateBuilder::self_signature(CREATED);
        let own = own.with_hashed(Subpacket::key_expires_after(seconds));
        CertificateBuilder::new(&carol)
            .with_user_id_signed(user_id, &[own])
            .build()
    };
    add("expired-before", &carol, expiring(60), data_signature());
    add("expired-since", &carol, expiring(2 * DAY), data_signature());
    let short = data_signature().with_hashed(Subpacket::expires_after(DAY));
    add("expired", &carol, simple().build(), short);
    let future = data_signature().with_created(4_000_000_000);
    add("future", &carol, simple().build(), future);
    let notation = Subpacket::notation("release@example.org", "1.0");
    add(
        "notation",
        &carol,
        simple().build(),
        data_signature().with_hashed(notation.clone()),
    );
    let critical = data_signature().with_hashed(notation.critical());
    add("critical", &carol, simple().build(), critical);
    let hostile = "Mallory \x1b[2J\x07\u{202e}\r\n= 0 <m@example.org>";
    let mallory = Key::ed25519_legacy([13; 32], CREATED);
    add(
        "hostile",
        &mallory,
        simple_certificate(&mallory, hostile, CREATED),
        data_signature(),
    );

    let both = [&alice(), &bob()].map(|key| data_signature().sign(key, Over::Data(HELLO)));
    files.add("hello-both.sig", both.concat());
    let inline = [
        one_pass(&alice(), signature_type::BINARY, Hash::Sha256, &[]),
        literal("", SIGNED, HELLO),
        data_signature().sign(&alice(), Over::Data(HELLO)),
    ];
    files.add("hello-inline.gpg", inline.concat());
    files.add("notes.txt", clearsign("notes\n", &alice(), SIGNED));
}

/// A release in the folder `release/`: three artifacts, one of them empty, one in a folder of its own.
fn release(files: &mut Files) {
    const ARTIFACTS: [(&str, &[u8]); 3] = [
        ("tool-1.0.tar.gz", b"not really a tarball\n"),
        ("docs/manual.txt", b"RTFM\n"),
        ("empty", b""),
    ];
    let lines: String = ARTIFACTS
        .iter()
        .map(|(name, octets)| line(name, octets))
        .collect();
    for (name, octets) in ARTIFACTS {
        files.add(&format!("release/{name}"), octets);
    }
    files.signed("release/SHA256SUMS", &lines);
    files.add("release/CLEAR.asc", clearsign(&lines, &alice(), SIGNED));
    files.signed("release/CRLF", lines.replace('\n', "\r\n"));
    let bsd: String = ARTIFACTS
        .iter()
        .map(|(name, octets)| {
            format!(
                "SHA512 ({name}) = {}\n",
                hexadecimal(&Hash::Sha512.digest(octets))
            )
        })
        .collect();
    files.signed("release/BSD", bsd);
    let dotted: String = ARTIFACTS
        .iter()
        .map(|(name, octets)| line(&format!("./{name}"), octets))
        .collect();
    files.signed("release/DOTTED", dotted);
    files.signed("release/COMMENTED", format!("# release 1.0\n\n{lines}"));
    // For a file that takes a while to read; `head -c 8388608 /dev/zero` makes it.
    files.signed("release/LARGE", line("large.bin", &vec![0; 8 << 20]));
}

/// Manifests that are signed well and hold no good list, in the folder `bad/`.
fn manifests(files: &mut Files) {
    let good = line("tool", b"tool");
    for (name, text) in [
        ("GARBAGE", format!("{good}not a checksum line\n")),
        ("REPEATED", format!("{good}{}", line("./tool", b"other"))),
        ("ABSOLUTE", format!("{good}{}", line("/etc/passwd", b""))),
        ("PARENT", format!("{good}{}", line("../tool", b""))),
        (
            "BACKSLASH",
            format!(
                "{good}{}",
                line("..\\\\tool", b"").replace("e3b0", "\\e3b0")
            ),
        ),
        ("NUL", format!("{good}{}", line("to\0ol", b""))),
        (
            "MD5",
            format!("{}  tool\n", hexadecimal(&Hash::Md5.digest(b"tool"))),
        ),
        ("EMPTY", "# nothing\n".to_owned()),
        ("ESCAPES", line("\x1b[31mred\u{202e}", b"red")),
    ] {
        files.signed(&format!("bad/{name}"), text);
    }
    files.add("bad/tool", "tool");
}
