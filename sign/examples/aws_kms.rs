//! Signs a file by a key in AWS KMS that is configured in code, and collects what the crate says of it on the way.
//!
//!     cargo run --features aws-kms --example aws_kms -- FILE CERTIFICATE KEY_ID

use std::error::Error;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use countersign_sign::openpgp::{self, SignatureTemplate};
use countersign_sign::{AwsKmsBackend, Options, PublicKey, Registry};
use countersign_verify::{Certificate, HashedData, Timestamp};

// begin
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

/// The built-in backends, `aws-kms` replaced by one that is configured here. Options given later go before it.
fn registry() -> Registry {
    let mut registry = Registry::builtin();
    let kms = AwsKmsBackend::new()
        .with_region("eu-west-2")
        .with_attempts(3);
    registry.replace(kms.with_timeout(Duration::from_secs(20)));
    registry
}

/// Key id, region, length and algorithm of each key and call, and nothing of the SDK's own.
fn diagnostics<W>(writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(writer);
    let ours = Targets::new().with_target("countersign_sign", LevelFilter::DEBUG);
    tracing_subscriber::registry().with(ours).with(lines)
}

async fn sign(file: &str, certificate: &str, key_id: &str) -> Result<String, Box<dyn Error>> {
    let certificate = Certificate::from_bytes(&fs::read(certificate)?)?;
    // From the certificate, so that the service is asked for a signature and nothing else.
    let key = certificate
        .keys()
        .next()
        .and_then(|key| PublicKey::of_certificate(&key));
    let signer = registry()
        .signer("aws-kms", key_id, &Options::new(), key.as_ref())
        .await?;
    let hash = openpgp::default_hash(signer.public_key());
    let data = HashedData::from_reader(hash, File::open(file)?)?;
    let now = Timestamp::from(SystemTime::now());
    let template = SignatureTemplate::new(now);
    let signature = openpgp::sign(&*signer, &certificate, &template, &data, now).await?;
    Ok(signature.to_armored())
}
// end

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, certificate, key_id] = arguments.as_slice() else {
        return Err("FILE, CERTIFICATE and KEY_ID are needed".into());
    };
    tracing::subscriber::set_global_default(diagnostics(std::io::stderr))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let signature = runtime.block_on(sign(file, certificate, key_id))?;
    print!("{signature}");
    Ok(())
}
