//! What the backend for AWS KMS tells about itself: where the key is, and nothing that is secret or signed.
#![cfg(feature = "aws-kms")]

use std::fmt::{Debug, Write as _};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_sign::{AwsKmsBackend, Options, PublicKey, Registry, Scheme, SignRequest};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const SECRET: &str = "do-not-tell-this-secret";
const TOKEN: &str = "do-not-tell-this-token";

/// Keeps everything that our own crates say, at any level.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<String>>);

impl Visit for Ears {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut heard = self.0.lock().expect("no thread panics with the lock held");
        let _ = write!(heard, "{}={value:?} ", field.name());
    }
}

impl Subscriber for Ears {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("countersign")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Answers every request by that signature.
fn serve(signature: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let body = format!(
        "{{\"KeyId\":\"arn:aws:kms:eu-west-2:1:key/k\",\"Signature\":\"{}\"}}",
        STANDARD.encode(signature)
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).is_ok_and(|octets| octets > 2) {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                line.clear();
            }
            let _ = reader.read_exact(&mut vec![0; length]);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}

#[test]
fn diagnostics_tell_where_and_how_and_no_more() {
    let ears = Ears::default();
    let guard = tracing::subscriber::set_default(ears.clone());
    let (digest, signature) = ([0xd1; 32], [0x51; 512]);
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(aws_sdk_kms::config::BehaviorVersion::latest())
        .region(aws_sdk_kms::config::Region::new("eu-west-2"))
        .endpoint_url(serve(&signature))
        .credentials_provider(aws_sdk_kms::config::Credentials::new(
            "AKIDEXAMPLE",
            SECRET,
            Some(TOKEN.to_owned()),
            None,
            "test",
        ))
        .build();
    let mut registry = Registry::builtin();
    registry.replace(AwsKmsBackend::new().with_client(aws_sdk_kms::Client::from_conf(config)));
    let key = PublicKey::rsa(&[0xff; 512], &[1, 0, 1]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let answer = runtime.block_on(async {
        let options = Options::new();
        let signer = registry.signer("aws-kms", "alias/release", &options, Some(&key));
        let signer = signer.await.expect("a signer");
        let scheme = Scheme::RsaPkcs1v15(countersign_verify::HashAlgorithm::Sha256);
        let request = SignRequest::digest(scheme, &digest).expect("a request");
        // What never leaves this machine: a scheme that KMS is not asked for.
        let pss = Scheme::RsaPss(countersign_verify::HashAlgorithm::Sha256);
        let refused = SignRequest::digest(pss, &digest).expect("a request");
        assert!(matches!(
            signer.sign(refused).await,
            Err(countersign_sign::SignerError::PssUnsupported)
        ));
        signer.sign(request).await.expect("an answer")
    });
    drop(guard);
    assert_eq!(answer, signature);
    let heard = ears.0.lock().expect("no thread panics").clone();
    for told in [
        "alias/release",
        "eu-west-2",
        "4096",
        "RSA-4096",
        "RSASSA_PKCS1_V1_5_SHA_256",
    ] {
        assert!(heard.contains(told), "`{told}` is not in: {heard}");
    }
    let hex = |octets: &[u8]| {
        octets
            .iter()
            .take(8)
            .map(|octet| format!("{octet:02x}"))
            .collect::<String>()
    };
    let list = |octets: &[u8]| format!("{:?}", &octets[..4]).replace(['[', ']'], "");
    for secret in [
        SECRET.to_owned(),
        TOKEN.to_owned(),
        "AKIDEXAMPLE".to_owned(),
        hex(&digest),
        hex(&signature),
        list(&digest),
        list(&signature),
        STANDARD.encode(digest),
        STANDARD.encode(&signature[..48]),
    ] {
        assert!(!heard.contains(&secret), "`{secret}` is in: {heard}");
    }
}
