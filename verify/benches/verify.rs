//! What verification costs inside a program: `cargo bench -p countersign-verify`. See `benches/README.md` for whole processes.

use std::hint::black_box;
use std::io::{self, Write as _};

use countersign_testkit::{
    CertificateBuilder, Damage, Key, Over, SignatureBuilder, TestRsa, mpi, signature_type,
    simple_certificate, user_id,
};
use countersign_verify::{
    Certificate, DetachedSignature, Manifest, Policy, Timestamp, Trust, Verifier, limits,
};
use divan::Bencher;
use divan::counter::BytesCount;

const CREATED: u32 = 1_700_000_000;
const SIGNED: u32 = CREATED + 1_000;
const NOW: Timestamp = Timestamp::from_unix(1_700_100_000);
const USER_ID: &str = "Release <release@example.org>";

/// The keys that occur in practice.
const KEYS: [&str; 3] = ["rsa-3072", "rsa-4096", "ed25519"];

fn main() {
    divan::main();
}

fn key(name: &str) -> Key {
    match name {
        "rsa-3072" => Key::rsa(TestRsa::Rsa3072A, CREATED),
        "rsa-4096" => Key::rsa(TestRsa::Rsa4096A, CREATED),
        "rsa-8192" => Key::rsa(TestRsa::Rsa8192A, CREATED),
        _ => Key::ed25519_legacy([1; 32], CREATED),
    }
}

fn data_signature() -> SignatureBuilder {
    SignatureBuilder::new(signature_type::BINARY, SIGNED)
}

fn verifier(certificate: &[u8]) -> Verifier {
    let certificate = Certificate::from_bytes(certificate).expect("a certificate");
    let trust = Trust::embedded(vec![certificate]).expect("a trust set");
    Verifier::new(trust, Policy::new())
}

fn parsed(signature: &[u8]) -> DetachedSignature {
    DetachedSignature::from_bytes(signature).expect("a signature")
}

/// 3 KB, as a release of 35 files has.
fn sums() -> Vec<u8> {
    const FILES: usize = 35;
    let line = |index: usize| {
        let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        format!("{digest}  tool-1.0-{index:02}.tar.gz\n")
    };
    (0..FILES).map(line).collect::<String>().into_bytes()
}

/// From files in memory to a verified manifest, nothing kept from one time to the next.
#[divan::bench(args = KEYS)]
fn whole_manifest(bencher: Bencher<'_, '_>, name: &str) {
    let (key, sums) = (key(name), sums());
    let certificate = simple_certificate(&key, USER_ID, CREATED);
    let signature = data_signature().sign(&key, Over::Data(&sums));
    bencher.bench(|| {
        let verifier = verifier(black_box(&certificate));
        let signature = parsed(black_box(&signature));
        let manifest = Manifest::from_bytes(black_box(&sums)).expect("a small manifest");
        let verified = verifier.verify_manifest(&manifest, &signature, NOW);
        verified.expect("it holds").artifacts().len()
    });
}

#[divan::bench(args = KEYS)]
fn parse_certificate(bencher: Bencher<'_, '_>, name: &str) {
    let certificate = simple_certificate(&key(name), USER_ID, CREATED);
    bencher.bench(|| Certificate::from_bytes(black_box(&certificate)).expect("a certificate"));
}

/// A signature value that does not fit its digest costs one public-key operation, and nothing is asked of the certificate.
#[divan::bench(args = ["rsa-3072", "rsa-4096", "rsa-8192", "ed25519"])]
fn one_public_operation(bencher: Bencher<'_, '_>, name: &str) {
    let key = key(name);
    let verifier = verifier(&simple_certificate(&key, USER_ID, CREATED));
    let damaged = data_signature().with_damage(Damage::FlipBit(7));
    let signature = parsed(&damaged.sign(&key, Over::Data(b"data")));
    bencher.bench(|| {
        let refused = verifier.verify_bytes(black_box(&signature), b"data", NOW);
        refused.expect_err("a damaged signature")
    });
}

/// A good one: a second operation for the certificate's own signature.
#[divan::bench(args = KEYS)]
fn one_signature(bencher: Bencher<'_, '_>, name: &str) {
    let key = key(name);
    let verifier = verifier(&simple_certificate(&key, USER_ID, CREATED));
    let signature = parsed(&data_signature().sign(&key, Over::Data(b"data")));
    bencher.bench(|| {
        let verified = verifier.verify_bytes(black_box(&signature), b"data", NOW);
        verified.expect("it holds")
    });
}

/// Streaming: what a download on its way to disk costs.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn writer_64_mib(bencher: Bencher<'_, '_>) {
    const SIZE: usize = 64 * 1024 * 1024;
    /// What a download hands over at once.
    const PART: usize = 64 * 1024;
    let data = vec![0x5a; SIZE];
    let key = key("ed25519");
    let verifier = verifier(&simple_certificate(&key, USER_ID, CREATED));
    let signature = parsed(&data_signature().sign(&key, Over::Data(&data)));
    bencher.counter(BytesCount::new(SIZE)).bench(|| {
        let mut writer = verifier.writer(&signature, io::sink(), NOW);
        for part in black_box(&data).chunks(PART) {
            writer.write_all(part).expect("a sink takes everything");
        }
        writer.finish().expect("it holds").0
    });
}

/// What is meant to be slow. Each is refused, and how quickly is what counts.
mod malformed {
    use super::*;

    /// As in the file that one verifier in use spends 40 s on.
    const MANY: usize = 10_000;

    #[divan::bench]
    fn signatures_10_000(bencher: Bencher<'_, '_>) {
        let one = data_signature().sign(&key("ed25519"), Over::Data(b"data"));
        let file = one.repeat(MANY);
        bencher.bench(|| DetachedSignature::from_bytes(black_box(&file)).expect_err("too many"));
    }

    /// As many as the size limit lets through.
    #[divan::bench]
    fn signatures_64_kib(bencher: Bencher<'_, '_>) {
        let one = data_signature().sign(&key("ed25519"), Over::Data(b"data"));
        let file = one.repeat(limits::SIGNATURE_FILE_BYTES / one.len());
        bencher.bench(|| DetachedSignature::from_bytes(black_box(&file)).expect_err("too many"));
    }

    /// As many as are read, each with a value that does not fit.
    #[divan::bench(args = KEYS)]
    fn signatures_64_damaged(bencher: Bencher<'_, '_>, name: &str) {
        let key = key(name);
        let certificate = simple_certificate(&key, USER_ID, CREATED);
        let damaged = data_signature().with_damage(Damage::FlipBit(7));
        let file = damaged
            .sign(&key, Over::Data(b"data"))
            .repeat(limits::SIGNATURES);
        let verifier = verifier(&certificate);
        bencher.bench(|| {
            let signature = parsed(black_box(&file));
            verifier
                .verify_bytes(&signature, b"data", NOW)
                .expect_err("damaged")
        });
    }

    /// A certificate and a good signature by its key, verified from the files on.
    fn refused(bencher: Bencher<'_, '_>, key: &Key, certificate: &[u8]) {
        assert!(certificate.len() <= limits::CERTIFICATE_FILE_BYTES);
        let signature = data_signature().sign(key, Over::Data(b"data"));
        bencher.bench(|| {
            let verifier = verifier(black_box(certificate));
            verifier
                .verify_bytes(&parsed(&signature), b"data", NOW)
                .expect_err("the certificate has no self-signature")
        });
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn user_ids_10_000(bencher: Bencher<'_, '_>) {
        let key = key("ed25519");
        let ids = (0..MANY).flat_map(|index| user_id(format!("u{index}@example.org")));
        let builder = CertificateBuilder::new(&key).with_packet(ids.collect::<Vec<_>>());
        refused(bencher, &key, &builder.build());
    }

    /// Self-signatures of the right digest and a wrong value: each costs a public-key operation, until there are too many.
    #[divan::bench(args = ["rsa-4096", "rsa-8192", "ed25519"], sample_count = 5, sample_size = 1)]
    fn forged_self_signatures(bencher: Bencher<'_, '_>, name: &str) {
        const COUNT: u32 = 700;
        let key = key(name);
        let octets = match name {
            "rsa-8192" => 1_000,
            "rsa-4096" => 500,
            _ => 32,
        };
        let value = match name {
            "ed25519" => mpi(&[0x0f; 32]).repeat(2),
            _ => mpi(&vec![0x5a; octets]),
        };
        let forged: Vec<_> = (0..COUNT)
            .map(|index| {
                CertificateBuilder::self_signature(CREATED + index).with_value(value.clone())
            })
            .collect();
        let builder = CertificateBuilder::new(&key).with_user_id_signed(USER_ID, &forged);
        refused(bencher, &key, &builder.build());
    }

    /// The same signature thousands of times: parsed each time, looked into once or refused.
    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn self_signatures_by_strangers(bencher: Bencher<'_, '_>) {
        let key = key("ed25519");
        let stranger = Key::ed25519_legacy([2; 32], CREATED);
        let third = SignatureBuilder::new(signature_type::CERTIFICATION, CREATED + 1)
            .sign(&stranger, Over::UserId(&key, USER_ID.as_bytes()));
        let count = limits::CERTIFICATE_FILE_BYTES / third.len() - 10;
        let builder = CertificateBuilder::new(&key).with_packet(user_id(USER_ID));
        refused(
            bencher,
            &key,
            &builder.with_packet(third.repeat(count)).build(),
        );
    }
}
