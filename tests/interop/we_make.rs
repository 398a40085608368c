//! The test kit makes, everybody verifies: what we hold to be good is good for gpg, gpgv and sqv, too.

use std::time::SystemTime;

use countersign_testkit::{
    ArmorChecksum, ArmorKind, BackSignature, Binding, CertificateBuilder, Hash, Key, Over,
    SignatureBuilder, Subpacket, TestRsa, armor, key_flags, signature_type, simple_certificate,
};

use super::ours;
use super::programs::{Exhibit, Opinion};

const CREATED: u32 = 1_700_000_000;
const SIGNED: u32 = CREATED + 3600;
const USER_ID: &str = "Alice <alice@example.org>";
const DATA: &[u8] = b"line one\nline two\n";

fn everybody_accepts(
    case: &str,
    certificate: &[u8],
    signature: &[u8],
    data: &[u8],
    signers: &[&Key],
) {
    let exhibit = Exhibit::new(certificate, signature, data);
    let now = SystemTime::now().into();
    assert_eq!(
        ours::verdict(certificate, signature, data, now),
        "verified",
        "{case}: we"
    );
    assert_eq!(exhibit.gpgv(), Opinion::Accepts, "{case}: gpgv");
    assert_eq!(exhibit.sqv(), Opinion::Accepts, "{case}: sqv");
    let (opinion, valid) = exhibit.gpg();
    assert_eq!(opinion, Opinion::Accepts, "{case}: gpg");
    let expected: Vec<String> = signers.iter().map(|key| key.fingerprint_hex()).collect();
    assert_eq!(valid, expected, "{case}: whom gpg names");
    // And nobody accepts anything over other data.
    let altered = [data, b"more"].concat();
    let exhibit = Exhibit::new(certificate, signature, &altered);
    assert_eq!(
        ours::verdict(certificate, signature, &altered, now),
        "bad-signature",
        "{case}"
    );
    assert_eq!(exhibit.gpgv(), Opinion::Refuses, "{case}: gpgv, altered");
    assert_eq!(exhibit.sqv(), Opinion::Refuses, "{case}: sqv, altered");
}

fn binary() -> SignatureBuilder {
    SignatureBuilder::new(signature_type::BINARY, SIGNED)
}

fn ed25519() -> Key {
    Key::ed25519_legacy([1; 32], CREATED)
}

fn simple(case: &str, key: &Key, signature: &SignatureBuilder) {
    let certificate = simple_certificate(key, USER_ID, CREATED);
    everybody_accepts(
        case,
        &certificate,
        &signature.sign(key, Over::Data(DATA)),
        DATA,
        &[key],
    );
}

#[test]
fn keys_of_every_accepted_kind() {
    simple("Ed25519", &ed25519(), &binary());
    for name in [TestRsa::Rsa3072A, TestRsa::Rsa4096A, TestRsa::Rsa3072E3] {
        simple(&format!("{name:?}"), &Key::rsa(name, CREATED), &binary());
    }
}

#[test]
fn hashes_and_text() {
    for hash in [Hash::Sha384, Hash::Sha512] {
        simple(&format!("{hash:?}"), &ed25519(), &binary().with_hash(hash));
    }
    let text = SignatureBuilder::new(signature_type::TEXT, SIGNED);
    simple("text", &ed25519(), &text);
    // Line ends are as good as each other in text mode.
    let certificate = simple_certificate(&ed25519(), USER_ID, CREATED);
    let signature = text.sign(&ed25519(), Over::Data(DATA));
    let dos = b"line one\r\nline two\r\n";
    everybody_accepts("text, CR LF", &certificate, &signature, dos, &[&ed25519()]);
}

#[test]
fn subpackets_of_all_sorts() {
    let signature = binary()
        .with_hashed(Subpacket::notation("release@example.org", "1.0"))
        .with_hashed(Subpacket::signers_user_id(USER_ID))
        .with_hashed(Subpacket::expires_after(0))
        .with_hashed(Subpacket::policy_uri("https://example.org/policy"))
        .with_hashed(Subpacket::raw(60, *b"unknown"));
    simple("subpackets", &ed25519(), &signature);
    simple(
        "key id alone",
        &ed25519(),
        &binary().without_issuer_fingerprint(),
    );
}

#[test]
fn signing_subkeys() {
    let subkeys = [
        Key::ed25519_legacy([2; 32], CREATED),
        Key::rsa(TestRsa::Rsa4096B, CREATED),
    ];
    for subkey in subkeys {
        for back_signature in [BackSignature::Hashed, BackSignature::Unhashed] {
            let case = format!("{subkey:?}, {back_signature:?}");
            let binding =
                Binding::new(key_flags::SIGN, CREATED).with_back_signature(back_signature);
            let certificate = CertificateBuilder::simple(&ed25519(), USER_ID, CREATED)
                .with_subkey(&subkey, &binding)
                .build();
            let signature = binary().sign(&subkey, Over::Data(DATA));
            everybody_accepts(&case, &certificate, &signature, DATA, &[&subkey]);
        }
    }
}

#[test]
fn several_signers_in_one_file_and_armor() {
    let (first, second) = (ed25519(), Key::rsa(TestRsa::Rsa3072B, CREATED));
    let certificates = [
        simple_certificate(&first, USER_ID, CREATED),
        simple_certificate(&second, "Bob <bob@example.org>", CREATED),
    ]
    .concat();
    let signatures = [&first, &second]
        .map(|key| binary().sign(key, Over::Data(DATA)))
        .concat();
    let signers = [&first, &second];
    everybody_accepts("two signers", &certificates, &signatures, DATA, &signers);
    for checksum in [ArmorChecksum::Absent, ArmorChecksum::Present] {
        let armored = armor(ArmorKind::Signature, &signatures, checksum);
        let case = format!("armor, checksum {checksum:?}");
        everybody_accepts(&case, &certificates, armored.as_bytes(), DATA, &signers);
    }
}

#[test]
fn large_data() {
    let data = vec![0x5a; 4 << 20];
    let certificate = simple_certificate(&ed25519(), USER_ID, CREATED);
    let signature = binary().sign(&ed25519(), Over::Data(&data));
    everybody_accepts("4 MiB", &certificate, &signature, &data, &[&ed25519()]);
}
