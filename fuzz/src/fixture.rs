//! A small release, signed by keys of every accepted kind, in every accepted form.

use std::sync::LazyLock;

use countersign_testkit::{
    BackSignature, Binding, CertificateBuilder, Hash, Key, Over, SignatureBuilder, Subpacket,
    TestRsa, key_flags, signature_type,
};
use countersign_verify::{Certificate, Policy, Timestamp, Trust, Verifier};

/// When keys and certificates were made.
pub(crate) const CREATED: u32 = 1_700_000_000;

/// When the release was signed.
pub(crate) const SIGNED: u32 = CREATED + 1_000;

/// When it is checked.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_700_100_000);

/// The user id of every certificate.
pub(crate) const USER_ID: &str = "Release <release@example.org>";

/// The manifest that was signed: LF line ends, so that the text form differs from the binary one.
pub(crate) const MANIFEST: &[u8] = b"# release 1.0\n\
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  tool-1.0.tar.gz\n\
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 *bin/tool\n";

/// Whether line ends count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Binary,
    Text,
}

/// A certificate and its signature over [`MANIFEST`]. Each key signs in one form only: which one tells what was signed.
pub(crate) struct Fixture {
    pub(crate) form: Form,
    pub(crate) certificate: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// Primary fingerprint.
    pub(crate) primary: String,
    /// Fingerprint of the key that signed.
    pub(crate) signer: String,
}

/// All of them; none shares a key with another.
pub(crate) static FIXTURES: LazyLock<Vec<Fixture>> = LazyLock::new(|| {
    let legacy = |seed: u8| Key::ed25519_legacy([seed; 32], CREATED);
    let primary = legacy(1);
    let text = legacy(2);
    let six = Key::ed25519_v6([3; 32], CREATED);
    let (top, below) = (legacy(4), Key::ed25519([5; 32], CREATED));
    let (old_top, old_below) = (legacy(6), legacy(7));
    let rsa = Key::rsa(TestRsa::Rsa3072A, CREATED);
    let updated = legacy(8);
    vec![
        simple(&primary, Form::Binary, Hash::Sha256),
        simple(&text, Form::Text, Hash::Sha512),
        simple(&six, Form::Binary, Hash::Sha512),
        simple(&rsa, Form::Binary, Hash::Sha256),
        with_subkey(&top, &below, BackSignature::Hashed, Form::Binary),
        with_subkey(&old_top, &old_below, BackSignature::Unhashed, Form::Text),
        // Several self-signatures, user ids, a soft revocation of later date, an expiry.
        fixture(
            CertificateBuilder::new(&updated)
                .with_key_revocation(SIGNED + 1, Some(1))
                .with_direct_key(&CertificateBuilder::direct_key(CREATED))
                .with_user_id_signed(
                    USER_ID,
                    &[
                        CertificateBuilder::self_signature(CREATED)
                            .with_hashed(Subpacket::key_expires_after(1)),
                        CertificateBuilder::self_signature(CREATED + 1)
                            .with_hashed(Subpacket::key_expires_after(86_400))
                            .with_hashed(Subpacket::primary_user_id(1)),
                    ],
                )
                .with_user_id("Second <second@example.org>", CREATED + 2)
                .with_user_id_revocation("Second <second@example.org>", CREATED + 3, Some(32))
                .build(),
            &updated,
            &updated,
            Form::Binary,
            Hash::Sha384,
        ),
    ]
});

/// The place of [`Fixture`]s whose certificate holds a signing subkey.
#[cfg(test)]
pub(crate) const WITH_SUBKEY: [usize; 2] = [4, 5];

/// Trusts every fixture's certificate.
pub(crate) static ALL: LazyLock<Verifier> = LazyLock::new(|| {
    let certificates = FIXTURES.iter().map(|own| {
        Certificate::from_bytes(&own.certificate).expect("the certificate of a fixture is one")
    });
    trusting(Trust::embedded(certificates.collect()).expect("there are fixtures"))
});

pub(crate) fn trusting(trust: Trust) -> Verifier {
    Verifier::new(trust, Policy::new())
}

/// Whether two texts are the same but for their line ends, as a text signature sees it.
pub(crate) fn same_but_for_line_ends(one: &[u8], other: &[u8]) -> bool {
    let canonical = countersign_testkit::canonical_text;
    canonical(one) == canonical(other)
}

fn simple(key: &Key, form: Form, hash: Hash) -> Fixture {
    let certificate = CertificateBuilder::simple(key, USER_ID, CREATED).build();
    fixture(certificate, key, key, form, hash)
}

fn with_subkey(primary: &Key, subkey: &Key, back: BackSignature, form: Form) -> Fixture {
    let binding = Binding::new(key_flags::SIGN, CREATED).with_back_signature(back);
    let certificate = CertificateBuilder::simple(primary, USER_ID, CREATED)
        .with_subkey(subkey, &binding)
        .build();
    fixture(certificate, primary, subkey, form, Hash::Sha256)
}

fn fixture(certificate: Vec<u8>, primary: &Key, signer: &Key, form: Form, hash: Hash) -> Fixture {
    let kind = match form {
        Form::Binary => signature_type::BINARY,
        Form::Text => signature_type::TEXT,
    };
    Fixture {
        form,
        certificate,
        signature: SignatureBuilder::new(kind, SIGNED)
            .with_hash(hash)
            .sign(signer, Over::Data(MANIFEST)),
        primary: primary.fingerprint_hex(),
        signer: signer.fingerprint_hex(),
    }
}
