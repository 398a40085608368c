//! Private keys as programs write them: OpenSSL's files are read by us, and ours by OpenSSL.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use countersign_sign::{
    Backend as _, KeyAlgorithm, LocalBackend, LocalSigner, Options, Passphrase, PemError, Registry,
    Scheme, SignRequest, Signer,
};

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl is installed: scripts/test does it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {said}");
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn load(pem: &str, passphrase: Option<&str>) -> Result<LocalSigner, PemError> {
    let passphrase = passphrase.map(Passphrase::new);
    LocalSigner::from_pem(pem, passphrase.as_ref())
}

#[test]
fn reads_the_files_of_openssl() {
    let folder = folder();
    let path = folder.path();
    openssl(
        path,
        "genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out pkcs8",
    );
    openssl(path, "rsa -traditional -in pkcs8 -out pkcs1");
    openssl(path, "genpkey -algorithm ED25519 -out ed25519");
    for (input, output, options) in [
        ("pkcs8", "rsa-pbkdf2", "-v2 aes-256-cbc"),
        (
            "pkcs8",
            "rsa-sha512",
            "-v2 aes-128-cbc -v2prf hmacWithSHA512",
        ),
        ("pkcs8", "rsa-scrypt", "-scrypt"),
        ("ed25519", "ed25519-scrypt", "-scrypt"),
    ] {
        openssl(
            path,
            &format!("pkcs8 -topk8 -in {input} -out {output} {options} -passout pass:secret"),
        );
    }
    let read = |name: &str| fs::read_to_string(path.join(name)).expect("a file");
    let rsa = load(&read("pkcs8"), None)
        .expect("a key")
        .public_key()
        .clone();
    assert_eq!(rsa.to_string(), "RSA-3072");
    assert_eq!(
        load(&read("pkcs1"), None).expect("a key").public_key(),
        &rsa
    );
    for name in ["rsa-pbkdf2", "rsa-sha512", "rsa-scrypt"] {
        assert_eq!(
            load(&read(name), Some("secret")).expect(name).public_key(),
            &rsa
        );
        assert_eq!(load(&read(name), None).err(), Some(PemError::Encrypted));
        assert_eq!(
            load(&read(name), Some("Secret")).err(),
            Some(PemError::WrongPassphrase)
        );
    }
    let plain = load(&read("ed25519"), None).expect("a key");
    let sealed = load(&read("ed25519-scrypt"), Some("secret")).expect("a key");
    assert_eq!(plain.public_key(), sealed.public_key());
}

#[test]
fn reads_p256_keys_of_openssl_and_openssl_verifies_what_they_sign() {
    let folder = folder();
    let path = folder.path();
    // With the curve's name in a block of its own, before the key.
    openssl(path, "ecparam -name prime256v1 -genkey -out sec1");
    openssl(path, "pkcs8 -topk8 -nocrypt -in sec1 -out pkcs8");
    openssl(
        path,
        "pkcs8 -topk8 -in sec1 -out sealed -scrypt -passout pass:secret",
    );
    openssl(path, "ec -in sec1 -aes128 -passout pass:secret -out old");
    openssl(path, "ec -in sec1 -pubout -out public");
    let read = |name: &str| fs::read_to_string(path.join(name)).expect("a file");
    let signer = load(&read("sec1"), None).expect("a key");
    assert_eq!(signer.public_key().to_string(), "P-256");
    for (name, passphrase) in [("pkcs8", None), ("sealed", Some("secret"))] {
        let own = load(&read(name), passphrase).expect(name);
        assert_eq!(own.public_key(), signer.public_key(), "{name}");
    }
    assert_eq!(load(&read("sealed"), None).err(), Some(PemError::Encrypted));
    assert_eq!(
        load(&read("sealed"), Some("Secret")).err(),
        Some(PemError::WrongPassphrase)
    );
    assert_eq!(
        load(&read("old"), None).err(),
        Some(PemError::OldEncryption)
    );
    let request = SignRequest::message(Scheme::EcdsaP256, b"line one\n").expect("a request");
    let sign = || pollster::block_on(signer.sign(request)).expect("a signature");
    let signature = sign();
    assert_eq!((signature.len(), &signature), (64, &sign()));
    // As DER, for OpenSSL.
    let der = p256::ecdsa::Signature::from_slice(&signature);
    let der = der.expect("a signature").to_der();
    let der = der.as_bytes();
    assert_eq!(
        countersign_sign::ecdsa::p256_from_der(der)
            .expect("DER")
            .as_slice(),
        signature
    );
    fs::write(path.join("signature"), der).expect("a file");
    fs::write(path.join("data"), "line one\n").expect("a file");
    openssl(
        path,
        "dgst -sha256 -verify public -signature signature data",
    );
    // What it does not do.
    let rsa = Scheme::RsaPkcs1v15(countersign_verify::HashAlgorithm::Sha256);
    for scheme in [rsa, Scheme::Ed25519] {
        let request = SignRequest::message(scheme, b"x").expect("a request");
        assert!(
            pollster::block_on(signer.sign(request)).is_err(),
            "{scheme}"
        );
    }
}

#[test]
fn openssl_reads_the_p256_keys_that_we_write() {
    let folder = folder();
    let path = folder.path();
    let signer = LocalSigner::generate(KeyAlgorithm::P256).expect("random numbers");
    let sealed = signer
        .to_pem(Some(&Passphrase::new("secret")))
        .expect("a key");
    fs::write(
        path.join("plain"),
        signer.to_pem(None).expect("a key").as_bytes(),
    )
    .expect("a file");
    fs::write(path.join("sealed"), sealed.as_bytes()).expect("a file");
    openssl(path, "pkey -in plain -pubout -out plain.der -outform DER");
    openssl(
        path,
        "pkey -in sealed -passin pass:secret -pubout -out sealed.der -outform DER",
    );
    let own = signer.public_key().to_spki_der().expect("DER");
    for name in ["plain.der", "sealed.der"] {
        assert_eq!(fs::read(path.join(name)).expect("a file"), own, "{name}");
    }
}

#[test]
fn says_what_is_wrong_with_other_files() {
    let folder = folder();
    let path = folder.path();
    openssl(
        path,
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec",
    );
    openssl(path, "ec -in ec -out sec1");
    openssl(
        path,
        "genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out rsa",
    );
    openssl(
        path,
        "rsa -traditional -aes128 -passout pass:secret -in rsa -out old",
    );
    openssl(path, "pkey -in rsa -pubout -out public");
    openssl(path, "genpkey -algorithm ED448 -out ed448");
    let read = |name: &str| fs::read_to_string(path.join(name)).expect("a file");
    let said = |text: &str| load(text, None).expect_err("no key").to_string();
    for name in ["ec", "sec1"] {
        assert!(
            said(&read(name))
                .starts_with("a key of elliptic curve 1.3.132.0.34: releases are signed")
        );
    }
    assert!(said(&read("ed448")).starts_with("a key of algorithm 1.3.101.113"));
    assert!(said(&read("old")).contains("openssl pkcs8 -topk8"));
    assert_eq!(
        said(&read("public")),
        "holds `PUBLIC KEY`, not a private key in PEM"
    );
    assert_eq!(said("hello"), "no PEM private key");
    assert_eq!(said(""), "no PEM private key");
    let rsa = read("rsa");
    let cut: String = rsa
        .lines()
        .filter(|line| !line.starts_with("MII"))
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(said(&cut), "private key is malformed");
    assert_eq!(
        said(&rsa.replace("-----END PRIVATE KEY-----", "")),
        "private key is malformed"
    );
}

#[test]
fn openssl_reads_what_we_write() {
    let folder = folder();
    let path = folder.path();
    let signer = LocalSigner::generate(KeyAlgorithm::Ed25519).expect("random numbers");
    let passphrase = Passphrase::new("secret");
    let write = |name: &str, text: &str| fs::write(path.join(name), text).expect("a file");
    write("plain", &signer.to_pem(None).expect("a key"));
    write("sealed", &signer.to_pem(Some(&passphrase)).expect("a key"));
    openssl(path, "pkey -in plain -pubout -out public -outform DER");
    openssl(
        path,
        "pkey -in sealed -passin pass:secret -pubout -out unsealed -outform DER",
    );
    let expected = signer.public_key().to_spki_der().expect("a key");
    assert_eq!(fs::read(path.join("public")).expect("a file"), expected);
    assert_eq!(fs::read(path.join("unsealed")).expect("a file"), expected);
    assert_eq!(
        signer.to_pem(Some(&Passphrase::new(""))).err(),
        Some(PemError::EmptyPassphrase)
    );
}

#[test]
fn the_backend_finds_the_passphrase_and_warns_of_open_files() {
    let folder = folder();
    let key = folder.path().join("key.pem");
    let signer = LocalSigner::generate(KeyAlgorithm::Ed25519).expect("random numbers");
    let sealed = signer
        .to_pem(Some(&Passphrase::new("secret")))
        .expect("a key");
    fs::write(&key, sealed.as_bytes()).expect("a file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).expect("a mode");
    let file = folder.path().join("passphrase");
    fs::write(&file, "secret\nnot this\n").expect("a file");
    let id = key.to_str().expect("a path in UTF-8");

    let open = |backend: LocalBackend, options: Options| {
        let mut registry = Registry::new();
        registry.register(backend).expect("a free name");
        pollster::block_on(registry.signer("local", id, &options, None))
    };
    let by_file = Options::new().with("passphrase-file", file.to_str().expect("UTF-8"));
    let found = open(LocalBackend::new(), by_file.clone()).expect("a signer");
    assert_eq!(found.public_key(), signer.public_key());
    let warnings = found.warnings();
    assert_eq!(
        warnings,
        [format!(
            "private key `{id}` is open to other users (mode 640): `chmod 600 {id}`"
        )]
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a mode");
    let asked = LocalBackend::new().with_prompt(|_| Ok(Passphrase::new("secret")));
    let found = open(asked, Options::new()).expect("a signer");
    assert!(found.warnings().is_empty());

    let said = |backend, options| open(backend, options).err().expect("no signer").to_string();
    assert!(
        said(LocalBackend::new(), Options::new())
            .ends_with("private key is encrypted, and no passphrase is given")
    );
    assert!(
        said(LocalBackend::new(), by_file.with("passphrase-env", "X")).contains("not together")
    );
    let unset = Options::new().with("passphrase-env", "COUNTERSIGN_NOT_SET");
    assert_eq!(
        said(LocalBackend::new(), unset),
        "option `passphrase-env`: `COUNTERSIGN_NOT_SET` is not set"
    );
    assert_eq!(LocalBackend::new().name(), "local");
}
