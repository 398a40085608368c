//! Backend `local`: private keys in PEM files, RSA, Ed25519 or P-256, plain or encrypted.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use countersign_verify::HashAlgorithm;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::KeypairBytes;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncryptedPrivateKeyInfo, LineEnding};
use rand_core::{OsRng, RngCore as _};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::backend::{Backend, BackendError, BackendOption, Options, SignerFuture, WantedKey};
use crate::public_key::PublicKey;
use crate::signer::{Input, Scheme, SignFuture, SignRequest, Signer, SignerError};

/// A passphrase, wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// As given, to the letter.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    fn octets(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Asks a person for the passphrase of the file of that name.
pub type PassphrasePrompt = dyn Fn(&str) -> io::Result<Passphrase> + Send + Sync;

/// Finds private keys in PEM files; a key id is a path. PKCS #1 (RFC 8017, appendix A.1.2), SEC 1 (RFC 5915) and PKCS #8
/// (RFC 5958), the last plain or encrypted by PBES2.
///
/// The passphrase of an encrypted key comes from the option `passphrase-file` (its first line), from the environment
/// variable that `passphrase-env` names, or else from the prompt, if there is one.
#[derive(Clone, Default)]
pub struct LocalBackend {
    prompt: Option<Arc<PassphrasePrompt>>,
}

const PASSPHRASE_FILE: &str = "passphrase-file";
const PASSPHRASE_ENV: &str = "passphrase-env";

impl LocalBackend {
    /// Without a prompt.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a way to ask for passphrases.
    #[must_use]
    pub fn with_prompt(
        self,
        prompt: impl Fn(&str) -> io::Result<Passphrase> + Send + Sync + 'static,
    ) -> Self {
        Self {
            prompt: Some(Arc::new(prompt)),
        }
    }

    /// The passphrase that the options name; none if they name none.
    ///
    /// # Errors
    /// Both options are given, or what they name cannot be read.
    pub fn passphrase(options: &Options) -> Result<Option<Passphrase>, BackendError> {
        let wrong = |name: &str, problem: String| BackendError::OptionValue {
            name: name.to_owned(),
            problem,
        };
        match (options.get(PASSPHRASE_FILE), options.get(PASSPHRASE_ENV)) {
            (Some(_), Some(_)) => Err(wrong(
                PASSPHRASE_ENV,
                format!("not together with `{PASSPHRASE_FILE}`"),
            )),
            (Some(path), None) => {
                let text = read(Path::new(path))
                    .map_err(|error| wrong(PASSPHRASE_FILE, with_cause(&error)))?;
                let line = text.lines().next().unwrap_or_default();
                Ok(Some(Passphrase::new(line)))
            }
            (None, Some(variable)) => match std::env::var(variable) {
                Ok(text) => Ok(Some(Passphrase::new(text))),
                Err(std::env::VarError::NotPresent) => {
                    Err(wrong(PASSPHRASE_ENV, format!("`{variable}` is not set")))
                }
                Err(std::env::VarError::NotUnicode(_)) => {
                    Err(wrong(PASSPHRASE_ENV, format!("`{variable}` is not UTF-8")))
                }
            },
            (None, None) => Ok(None),
        }
    }

    fn open(&self, path: &str, options: &Options) -> Result<LocalSigner, BackendError> {
        let pem = read(Path::new(path))?;
        let name = |error: PemError| LocalError::Key {
            path: path.to_owned(),
            error,
        };
        let given = Self::passphrase(options)?;
        let mut signer = match LocalSigner::from_pem(&pem, given.as_ref()) {
            Err(PemError::Encrypted) => {
                let prompt = self.prompt.as_ref().ok_or(PemError::Encrypted);
                let asked = prompt.map_err(name)?(path).map_err(|source| LocalError::Prompt {
                    path: path.to_owned(),
                    source,
                })?;
                LocalSigner::from_pem(&pem, Some(&asked)).map_err(name)?
            }
            found => found.map_err(name)?,
        };
        signer.warnings.extend(readable_by_others(path));
        Ok(signer)
    }
}

impl fmt::Debug for LocalBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBackend").finish_non_exhaustive()
    }
}

impl Backend for LocalBackend {
    fn name(&self) -> &str {
        "local"
    }

    fn options(&self) -> &[BackendOption] {
        const {
            &[
                BackendOption::new(
                    PASSPHRASE_FILE,
                    "FILE",
                    "Passphrase of the private key: the first line of FILE",
                ),
                BackendOption::new(
                    PASSPHRASE_ENV,
                    "NAME",
                    "Passphrase of the private key: the environment variable NAME",
                ),
            ]
        }
    }

    fn signer<'a>(&'a self, wanted: WantedKey<'a>) -> SignerFuture<'a> {
        Box::pin(async move {
            let signer = self.open(wanted.key_id(), wanted.options())?;
            Ok(Box::new(signer) as Box<dyn Signer>)
        })
    }
}

/// What no file of one key comes near to.
const KEY_FILE_BYTES: u64 = 64 * 1024;

fn read(path: &Path) -> Result<Zeroizing<String>, LocalError> {
    let shown = || path.display().to_string();
    // Room for all at the start: a string that grows leaves its former copies in memory.
    let room = usize::try_from(KEY_FILE_BYTES).map_or(usize::MAX, |room| room + 1);
    let mut text = Zeroizing::new(String::with_capacity(room));
    let unreadable = |source| LocalError::Read {
        path: shown(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    file.take(KEY_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| match error.kind() {
            // Not UTF-8.
            io::ErrorKind::InvalidData => LocalError::Key {
                path: shown(),
                error: PemError::NotPem,
            },
            _ => unreadable(error),
        })?;
    if text.len() as u64 > KEY_FILE_BYTES {
        return Err(LocalError::TooLarge {
            path: shown(),
            limit: KEY_FILE_BYTES,
        });
    }
    Ok(text)
}

#[cfg(unix)]
fn readable_by_others(path: &str) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    /// Read, write and execute of group and others.
    const OTHERS: u32 = 0o077;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & OTHERS != 0).then(|| {
        let mode = mode & 0o777;
        let quoted = quoted(path);
        format!(
            "private key `{path}` is open to other users (mode {mode:03o}): `chmod 600 {quoted}`"
        )
    })
}

/// A path as a shell takes it for one word.
#[cfg(unix)]
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+@%-".contains(c);
    match path.strip_prefix('-') {
        None if path.chars().all(plain) => path.to_owned(),
        _ => format!("-- '{}'", path.replace('\'', r"'\''")),
    }
}

#[cfg(not(unix))]
fn readable_by_others(_path: &str) -> Option<String> {
    None
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// What kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// Ed25519.
    Ed25519,
    /// P-256, which signs tokens and no releases.
    P256,
}

enum Private {
    Rsa(Box<RsaPrivateKey>),
    Ed25519(Box<SigningKey>),
    P256(Box<p256::ecdsa::SigningKey>),
}

/// A private key in memory. RSA operations are blinded; ECDSA takes its nonces from key and digest (RFC 6979), so that no
/// random number can betray the key and the same digest gives the same signature.
pub struct LocalSigner {
    public: PublicKey,
    private: Private,
    warnings: Vec<String>,
}

impl LocalSigner {
    /// A new key, from the operating system's random numbers. RSA takes seconds.
    ///
    /// # Errors
    /// No random numbers.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, PemError> {
        let rsa = |bits| RsaPrivateKey::new(&mut OsRng, bits).map_err(|_| PemError::NotGenerated);
        Ok(match algorithm {
            KeyAlgorithm::Rsa3072 => Self::rsa(rsa(3072)?),
            KeyAlgorithm::Rsa4096 => Self::rsa(rsa(4096)?),
            KeyAlgorithm::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                OsRng
                    .try_fill_bytes(seed.as_mut())
                    .map_err(|_| PemError::NotGenerated)?;
                Self::ed25519(SigningKey::from_bytes(&seed))
            }
            KeyAlgorithm::P256 => {
                /// All but one in 2^32 octet strings are a key.
                const TRIES: usize = 8;
                let mut seed = Zeroizing::new([0; 32]);
                for _ in 0..TRIES {
                    OsRng
                        .try_fill_bytes(seed.as_mut())
                        .map_err(|_| PemError::NotGenerated)?;
                    if let Ok(key) = p256::SecretKey::from_slice(seed.as_ref()) {
                        return Ok(Self::p256(&key));
                    }
                }
                return Err(PemError::NotGenerated);
            }
        })
    }

    fn rsa(key: RsaPrivateKey) -> Self {
        let public = PublicKey::rsa(&key.n().to_bytes_be(), &key.e().to_bytes_be());
        Self {
            public,
            private: Private::Rsa(Box::new(key)),
            warnings: Vec::new(),
        }
    }

    fn ed25519(key: SigningKey) -> Self {
        Self {
            public: PublicKey::Ed25519(key.verifying_key().to_bytes()),
            private: Private::Ed25519(Box::new(key)),
            warnings: Vec::new(),
        }
    }

    fn p256(key: &p256::SecretKey) -> Self {
        use p256::elliptic_curve::sec1::ToEncodedPoint as _;
        let point = key.public_key().to_encoded_point(false);
        let mut octets = [0; 65];
        // An uncompressed point has that length (SEC 1, section 2.3.3).
        octets.copy_from_slice(point.as_bytes());
        Self {
            public: PublicKey::P256(octets),
            private: Private::P256(Box::new(key.into())),
            warnings: Vec::new(),
        }
    }

    /// From a PEM file: `RSA PRIVATE KEY`, `EC PRIVATE KEY`, `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY`.
    ///
    /// # Errors
    /// Anything else, a missing or wrong passphrase, an algorithm other than RSA, Ed25519 and P-256.
    pub fn from_pem(pem: &str, passphrase: Option<&Passphrase>) -> Result<Self, PemError> {
        let label = pem
            .lines()
            .filter_map(|line| {
                line.trim_end()
                    .strip_prefix("-----BEGIN ")?
                    .strip_suffix("-----")
            })
            // OpenSSL puts the curve's name before the key, which holds it, too.
            .find(|label| *label != "EC PARAMETERS")
            .ok_or(PemError::NotPem)?;
        let found = pem.matches("PRIVATE KEY-----").count() / 2;
        if found > 1 {
            return Err(PemError::Several { found });
        }
        // What stands before the block is for people.
        let begin = format!("-----BEGIN {label}-----");
        let block = pem.find(&begin).and_then(|start| pem.get(start..));
        let block = block.unwrap_or(pem).trim_end();
        match label {
            "RSA PRIVATE KEY" if block.contains("Proc-Type:") => Err(PemError::OldEncryption),
            "RSA PRIVATE KEY" => RsaPrivateKey::from_pkcs1_pem(block)
                .map(Self::rsa)
                .map_err(|_| PemError::Malformed),
            "PRIVATE KEY" => {
                let (_, der) =
                    pkcs8::SecretDocument::from_pem(block).map_err(|_| PemError::Malformed)?;
                Self::from_pkcs8(der.as_bytes())
            }
            "ENCRYPTED PRIVATE KEY" => {
                let (_, der) =
                    pkcs8::SecretDocument::from_pem(block).map_err(|_| PemError::Malformed)?;
                let info = EncryptedPrivateKeyInfo::try_from(der.as_bytes())
                    .map_err(|_| PemError::Malformed)?;
                let passphrase = passphrase.ok_or(PemError::Encrypted)?;
                let plain = info
                    .decrypt(passphrase.octets())
                    .map_err(|_| PemError::WrongPassphrase)?;
                // A wrong passphrase can by chance leave good padding.
                Self::from_pkcs8(plain.as_bytes()).map_err(|error| match error {
                    PemError::Malformed => PemError::WrongPassphrase,
                    other => other,
                })
            }
            "EC PRIVATE KEY" if block.contains("Proc-Type:") => Err(PemError::OldEncryption),
            "EC PRIVATE KEY" => {
                let (_, der) =
                    pkcs8::SecretDocument::from_pem(block).map_err(|_| PemError::Malformed)?;
                let key = sec1::EcPrivateKey::try_from(der.as_bytes())
                    .map_err(|_| PemError::Malformed)?;
                match key.parameters.and_then(|own| own.named_curve()) {
                    Some(SECP256R1) => p256::SecretKey::from_sec1_der(der.as_bytes())
                        .map(|key| Self::p256(&key))
                        .map_err(|_| PemError::Malformed),
                    curve => Err(other_curve(curve)),
                }
            }
            other => Err(PemError::WrongKind {
                found: other.to_owned(),
            }),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, PemError> {
        const RSA: &str = "1.2.840.113549.1.1.1";
        const ED25519: &str = "1.3.101.112";
        const EC: &str = "1.2.840.10045.2.1";
        let info = pkcs8::PrivateKeyInfo::try_from(der).map_err(|_| PemError::Malformed)?;
        match info.algorithm.oid.to_string().as_str() {
            RSA => RsaPrivateKey::from_pkcs8_der(der)
                .map(Self::rsa)
                .map_err(|_| PemError::Malformed),
            ED25519 => SigningKey::from_pkcs8_der(der)
                .map(Self::ed25519)
                .map_err(|_| PemError::Malformed),
            EC => match info.algorithm.parameters_oid() {
                Ok(SECP256R1) => p256::SecretKey::from_pkcs8_der(der)
                    .map(|key| Self::p256(&key))
                    .map_err(|_| PemError::Malformed),
                curve => Err(other_curve(curve.ok())),
            },
            other => Err(PemError::Unsupported {
                found: format!("a key of algorithm {other}"),
            }),
        }
    }

    /// As PKCS #8 PEM, encrypted (PBES2: scrypt, AES-256-CBC) if a passphrase is given.
    ///
    /// # Errors
    /// No random numbers, or an empty passphrase.
    pub fn to_pem(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<String>, PemError> {
        let der = match &self.private {
            Private::Rsa(key) => key.to_pkcs8_der(),
            // Without the public half, which OpenSSL 3.0 stumbles over (RFC 8410, section 7).
            Private::Ed25519(key) => {
                let mut halves = KeypairBytes::from_bytes(&key.to_keypair_bytes());
                halves.public_key = None;
                halves.to_pkcs8_der()
            }
            Private::P256(key) => p256::SecretKey::from(key.as_nonzero_scalar()).to_pkcs8_der(),
        }
        .map_err(|_| PemError::NotGenerated)?;
        let (label, document) = match passphrase {
            None => ("PRIVATE KEY", der),
            Some(passphrase) if passphrase.octets().is_empty() => {
                return Err(PemError::EmptyPassphrase);
            }
            Some(passphrase) => {
                let info = pkcs8::PrivateKeyInfo::try_from(der.as_bytes())
                    .map_err(|_| PemError::NotGenerated)?;
                let sealed = seal(&info, passphrase).ok_or(PemError::NotGenerated)?;
                ("ENCRYPTED PRIVATE KEY", sealed)
            }
        };
        document
            .to_pem(label, LineEnding::LF)
            .map_err(|_| PemError::NotGenerated)
    }

    fn make(&self, request: &SignRequest<'_>) -> Result<Vec<u8>, SignerError> {
        match (&self.private, request.scheme()) {
            (Private::Rsa(key), Scheme::RsaPkcs1v15(hash)) => {
                let (padding, digest) = match hash {
                    HashAlgorithm::Sha256 => {
                        (Pkcs1v15Sign::new::<Sha256>(), digest::<Sha256>(request))
                    }
                    HashAlgorithm::Sha384 => {
                        (Pkcs1v15Sign::new::<Sha384>(), digest::<Sha384>(request))
                    }
                    HashAlgorithm::Sha512 => {
                        (Pkcs1v15Sign::new::<Sha512>(), digest::<Sha512>(request))
                    }
                    hash => return Err(SignerError::UnsupportedHash { hash }),
                };
                // With a random number at hand the operation is blinded.
                key.sign_with_rng(&mut OsRng, padding, &digest)
                    .map_err(|error| SignerError::Backend {
                        message: format!("{} operation failed", self.public),
                        source: Some(Box::new(error)),
                    })
            }
            (Private::Ed25519(key), Scheme::Ed25519) => match request.input() {
                Input::Message(message) => {
                    use ed25519_dalek::Signer as _;
                    Ok(key.sign(message).to_bytes().to_vec())
                }
                Input::Digest(_) => Err(SignerError::NeedsMessage {
                    scheme: request.scheme(),
                }),
            },
            (Private::P256(key), Scheme::EcdsaP256) => {
                use p256::ecdsa::signature::hazmat::PrehashSigner as _;
                let signature: Result<p256::ecdsa::Signature, _> =
                    key.sign_prehash(&digest::<Sha256>(request));
                signature
                    .map(|signature| signature.to_bytes().to_vec())
                    .map_err(|error| SignerError::Backend {
                        message: format!("{} operation failed", self.public),
                        source: Some(Box::new(error)),
                    })
            }
            _ => Err(SignerError::unsupported(request, &self.public)),
        }
    }
}

/// secp256r1 (RFC 5480, section 2.1.1.1).
const SECP256R1: pkcs8::ObjectIdentifier =
    pkcs8::ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

fn other_curve(curve: Option<pkcs8::ObjectIdentifier>) -> PemError {
    let found = match curve {
        Some(curve) => format!("a key of elliptic curve {curve}"),
        None => "a key of an elliptic curve that has no name".to_owned(),
    };
    PemError::Unsupported { found }
}

/// Encrypts a private key by PBES2. scrypt takes 16 MiB and five passes: pkcs8's own choice takes 128 MiB, and OpenSSL, which
/// stops at 32 MiB, could not read it.
fn seal(
    info: &pkcs8::PrivateKeyInfo<'_>,
    passphrase: &Passphrase,
) -> Option<pkcs8::SecretDocument> {
    use pkcs8::pkcs5::{pbes2, scrypt};
    const LOG_N: u8 = 14;
    const BLOCKS: u32 = 8;
    const PASSES: u32 = 5;
    const AES_256: usize = 32;
    let (mut salt, mut vector) = ([0; 16], [0; 16]);
    OsRng.try_fill_bytes(&mut salt).ok()?;
    OsRng.try_fill_bytes(&mut vector).ok()?;
    let costs = scrypt::Params::new(LOG_N, BLOCKS, PASSES, AES_256).ok()?;
    let parameters = pbes2::Parameters::scrypt_aes256cbc(costs, &salt, &vector).ok()?;
    info.encrypt_with_params(parameters, passphrase.octets())
        .ok()
}

fn digest<D: sha2::Digest>(request: &SignRequest<'_>) -> Vec<u8> {
    match request.input() {
        Input::Digest(digest) => digest.to_vec(),
        Input::Message(message) => D::digest(message).to_vec(),
    }
}

impl Signer for LocalSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a> {
        Box::pin(async move { self.make(&request) })
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSigner")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// Why a file gives no signer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No key is that large.
    #[error("`{path}` is larger than {limit} bytes: no private key")]
    TooLarge {
        /// The file.
        path: String,
        /// The limit in octets.
        limit: u64,
    },
    /// The passphrase was not to be had.
    #[error("no passphrase for `{path}`")]
    Prompt {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is in it cannot be used.
    #[error("`{path}`: {error}")]
    Key {
        /// The file.
        path: String,
        /// What it is.
        error: PemError,
    },
}

/// Why a text gives no private key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// No PEM block at all.
    #[error("no PEM private key")]
    NotPem,
    /// A block of something else.
    #[error("holds `{found}`, not a private key in PEM")]
    WrongKind {
        /// What its first line says.
        found: String,
    },
    /// Which of them is meant, nobody can tell.
    #[error("holds {found} private keys, and one is wanted")]
    Several {
        /// How many there are.
        found: usize,
    },
    /// The block is damaged.
    #[error("private key is malformed")]
    Malformed,
    /// A passphrase is needed.
    #[error("private key is encrypted, and no passphrase is given")]
    Encrypted,
    /// The passphrase is not the right one, or its encryption is not supported.
    #[error(
        "private key cannot be decrypted: wrong passphrase, or not PBES2 with AES or PBKDF2 or scrypt"
    )]
    WrongPassphrase,
    /// An empty passphrase protects nothing.
    #[error("passphrase is empty")]
    EmptyPassphrase,
    /// Encrypted as OpenSSL did it before PKCS #8.
    #[error("private key is encrypted in the old way: convert it with `openssl pkcs8 -topk8`")]
    OldEncryption,
    /// An algorithm that signs no releases.
    #[error(
        "{found}: releases are signed with RSA of at least 3072 bits or Ed25519, tokens also with P-256"
    )]
    Unsupported {
        /// What it is.
        found: String,
    },
    /// The operating system gave no random numbers.
    #[error("no key was made: no random numbers")]
    NotGenerated,
}
