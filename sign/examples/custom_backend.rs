//! A backend of one's own: `openssl` holds the key, as it would one on a token. docs/custom-backend.md walks through it.

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use countersign_sign::openpgp::{self, CertificateTemplate, SignatureTemplate};
use countersign_sign::{
    Backend, BackendError, Input, Options, PublicKey, Registry, Scheme, SignFuture, SignRequest,
    Signer, SignerError, SignerFuture, WantedKey,
};
use countersign_verify::{HashAlgorithm, HashedData, Timestamp};

// begin
struct OpenSsl;

struct OpenSslKey(String, PublicKey);

impl Backend for OpenSsl {
    fn name(&self) -> &str {
        "openssl"
    }

    fn signer<'a>(&'a self, wanted: WantedKey<'a>) -> SignerFuture<'a> {
        Box::pin(async move {
            let (path, form) = (wanted.key_id(), ["-pubout", "-outform", "DER"]);
            let der = run("pkey", &["-in", path], &form, b"").map_err(BackendError::other)?;
            let key = PublicKey::from_spki_der(&der).map_err(BackendError::other)?;
            Ok(Box::new(OpenSslKey(path.to_owned(), key)) as Box<dyn Signer>)
        })
    }
}

impl Signer for OpenSslKey {
    fn public_key(&self) -> &PublicKey {
        &self.1
    }

    fn sign<'a>(&'a self, request: SignRequest<'a>) -> SignFuture<'a> {
        Box::pin(async move {
            match (request.scheme(), request.input()) {
                (Scheme::RsaPkcs1v15(hash), Input::Digest(digest)) => {
                    let hash = format!("digest:{}", hash.to_string().replace('-', ""));
                    let form = ["-sign", "-pkeyopt", &hash];
                    run("pkeyutl", &["-inkey", &self.0], &form, digest)
                        .map_err(SignerError::backend)
                }
                _ => Err(SignerError::unsupported(&request, &self.1)),
            }
        })
    }
}
// end

/// What `openssl` answers; else a sentence that names the key.
fn run(verb: &str, key: &[&str], form: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let failed = |what: String| format!("openssl {verb} {}: {what}", key.join(" "));
    let mut child = Command::new("openssl")
        .arg(verb)
        .args(key)
        .args(form)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    // Little enough for the pipe to take it at once. Who reads none of it says so by its exit status.
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input);
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(failed(output.status.to_string()))
    }
}

/// `custom_backend KEY.pem FILE`: mints a certificate, signs the file, prints both.
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, key, file] = arguments.as_slice() else {
        return Err("usage: custom_backend KEY.pem FILE".into());
    };
    let (certificate, signature) = pollster::block_on(release(key, file))?;
    print!("{certificate}{signature}");
    Ok(())
}

/// A new certificate for the key, and its signature of the file, as text.
pub(crate) async fn release(key: &str, file: &str) -> Result<(String, String), Box<dyn Error>> {
    let mut registry = Registry::builtin();
    registry.register(OpenSsl)?;
    let signer = registry
        .signer("openssl", key, &Options::new(), None)
        .await?;
    let now = Timestamp::from(SystemTime::now());
    let template = CertificateTemplate::new("Releases <releases@example.org>", now);
    let certificate = openpgp::mint(&*signer, &template, now).await?;
    let data = HashedData::from_reader(HashAlgorithm::Sha256, File::open(file)?)?;
    let template = SignatureTemplate::new(now);
    let signature = openpgp::sign(&*signer, &certificate, &template, &data, now).await?;
    let certificate = openpgp::armored_certificate(&certificate);
    Ok((certificate, signature.to_armored()))
}
