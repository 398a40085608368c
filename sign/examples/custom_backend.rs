//! A backend of one's own: `openssl` holds the key, as it would one on a token. docs/custom-backend.md walks through it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use countersign_sign::{
    Backend, BackendError, Input, PublicKey, Scheme, SignFuture, SignRequest, Signer, SignerError,
    SignerFuture, WantedKey,
};

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

fn run(verb: &str, key: &[&str], form: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut command = Command::new("openssl");
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command
        .spawn()
        .map_err(|error| format!("openssl: {error}"))?;
    let written = child
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(input));
    let output = child
        .wait_with_output()
        .and_then(|output| written.map(|()| output));
    match output {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => Err(format!("openssl: {}", output.status)),
        Err(error) => Err(format!("openssl: {error}")),
    }
}

/// `custom_backend KEY.pem FILE`: mints a certificate, signs the file, prints both.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use countersign_sign::openpgp::{self, CertificateTemplate, SignatureTemplate};
    use countersign_sign::{Options, Registry};
    use countersign_verify::{HashAlgorithm, HashedData, Timestamp};

    let arguments: Vec<String> = std::env::args().collect();
    let [_, key, file] = arguments.as_slice() else {
        return Err("usage: custom_backend KEY.pem FILE".into());
    };
    let mut registry = Registry::builtin();
    registry.register(OpenSsl)?;
    pollster::block_on(async {
        let signer = registry
            .signer("openssl", key, &Options::new(), None)
            .await?;
        let now = Timestamp::from(std::time::SystemTime::now());
        let template = CertificateTemplate::new("Releases <releases@example.org>", now);
        let certificate = openpgp::mint(&*signer, &template, now).await?;
        let data = HashedData::from_reader(HashAlgorithm::Sha256, std::fs::File::open(file)?)?;
        let signature = openpgp::sign(
            &*signer,
            &certificate,
            &SignatureTemplate::new(now),
            &data,
            now,
        )
        .await?;
        print!(
            "{}{}",
            openpgp::armored_certificate(&certificate),
            signature.to_armored()
        );
        Ok(())
    })
}
