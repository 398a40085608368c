//! Rule 9, several signatures and the threshold; pins, and sources that agree or do not.

use super::{
    AFTER, BEFORE, BORN, Case, DATA, ID, Signer, Vector, alice, binary, bob, certificate, mallory,
    self_signature, sign, subkey,
};
use crate::{
    Binding, CertificateBuilder, Damage, Hash, Key, Over, SignatureBuilder, Subpacket, key_flags,
    packet, tag,
};

pub(super) fn cases() -> Vec<Vector> {
    [several(), thresholds(), sources()].concat()
}

const NO_MATCH: &str = "signature does not match the data";

fn made(key: &Key, signature: &SignatureBuilder) -> Vec<u8> {
    signature.sign(key, Over::Data(DATA))
}

fn bad(key: &Key) -> Vec<u8> {
    made(key, &binary().with_damage(Damage::FlipBit(0)))
}

fn several() -> Vec<Vector> {
    let alice = alice();
    let case = |name: &str, description: &str, signatures: &[Vec<u8>]| {
        Case::new(format!("several/{name}"), description)
            .cert(certificate(&alice))
            .sig(signatures.concat())
    };
    let good = || [Signer::primary(&alice)];
    let later = |seconds: u32| made(&alice, &binary().with_created(super::SIGNED + seconds));
    vec![
        case(
            "good-and-unknown",
            "A good signature, then one by a stranger.",
            &[sign(&alice), sign(&mallory())],
        )
        .verified_beside(&good(), &["unknown-issuer"]),
        case(
            "unknown-and-good",
            "A stranger's signature, then a good one.",
            &[sign(&mallory()), sign(&alice)],
        )
        .verified_beside(&good(), &["unknown-issuer"]),
        case(
            "good-and-bad",
            "A good signature and a bad one.",
            &[sign(&alice), bad(&alice)],
        )
        .verified_beside(&good(), &["bad-signature"]),
        case(
            "good-and-version-3",
            "A good signature and one of version 3.",
            &[sign(&alice), made(&alice, &binary().with_version(3))],
        )
        .verified_beside(&good(), &["unsupported-version"]),
        case(
            "good-and-malformed",
            "A good signature and a packet that is none.",
            &[packet(tag::SIGNATURE, &[4, 0]), sign(&alice)],
        )
        .verified_beside(&good(), &["malformed-signature"]),
        case(
            "good-and-good",
            "Two good signatures by one key.",
            &[later(0), later(1)],
        )
        .verified_by(&[good(), good()].concat()),
        case(
            "binary-and-text",
            "A binary and a text signature, in two hashes.",
            &[
                made(&alice, &binary()),
                made(&alice, &binary().with_type(1).with_hash(Hash::Sha512)),
            ],
        )
        .verified_by(&[
            Signer::primary(&alice),
            Signer::primary(&alice).with_hash("SHA-512"),
        ]),
        case(
            "two-bad",
            "Two bad signatures.",
            &[bad(&alice), bad(&alice)],
        )
        .refused_all(&["bad-signature", "bad-signature"], NO_MATCH),
        case(
            "most-telling-first",
            "Four refused signatures: what went wrong with the trusted signer is told first.",
            &[
                made(&alice, &binary().with_version(3)),
                sign(&mallory()),
                made(&alice, &binary().with_hash(Hash::Sha1)),
                bad(&alice),
            ],
        )
        .refused_all(
            &[
                "bad-signature",
                "weak-hash",
                "unknown-issuer",
                "unsupported-version",
            ],
            NO_MATCH,
        ),
        case(
            "64",
            "64 signatures, the most that a file may have; the last is good.",
            &[vec![sign(&mallory()); 63], vec![sign(&alice)]].concat(),
        )
        .verified_beside(&good(), &["unknown-issuer"; 63]),
        case(
            "65",
            "65 signatures, one too many, though the first is good.",
            &[vec![sign(&alice)], vec![sign(&mallory()); 64]].concat(),
        )
        .malformed("signature file has more than 64 signatures"),
    ]
}

fn thresholds() -> Vec<Vector> {
    let (alice, bob) = (alice(), bob());
    let case = |name: &str, description: &str, signatures: &[Vec<u8>]| {
        Case::new(format!("threshold/{name}"), description)
            .cert([certificate(&alice), certificate(&bob)].concat())
            .sig(signatures.concat())
            .policy("threshold = 2")
    };
    let one = "good signatures by 1 of 2 certificates needed";
    let by_alice = Signer::primary(&alice);
    let later = made(&alice, &binary().with_created(super::SIGNED + 1));
    let twin = alice.clone().with_created(BORN + 1);
    vec![
        case(
            "two-certificates",
            "Signed by two certificates.",
            &[sign(&alice), sign(&bob)],
        )
        .verified_by(&[by_alice.clone(), Signer::primary(&bob)]),
        case(
            "one-certificate",
            "Signed by one certificate.",
            &[sign(&alice)],
        )
        .below_threshold(std::slice::from_ref(&by_alice), &[], one),
        case(
            "same-twice",
            "Signed twice by one certificate.",
            &[sign(&alice), later],
        )
        .below_threshold(&[by_alice.clone(), by_alice.clone()], &[], one),
        case(
            "one-is-bad",
            "One of two signatures is bad.",
            &[sign(&alice), bad(&bob)],
        )
        .below_threshold(std::slice::from_ref(&by_alice), &["bad-signature"], one),
        case(
            "both-are-bad",
            "Both signatures are bad.",
            &[bad(&alice), bad(&bob)],
        )
        .refused_all(&["bad-signature", "bad-signature"], NO_MATCH),
        Case::new(
            "threshold/primary-and-subkey",
            "Signed by the primary key and by a subkey of one certificate.",
        )
        .cert(
            CertificateBuilder::simple(&alice, ID, BORN)
                .with_subkey(&subkey(), &Binding::new(key_flags::SIGN, BORN))
                .build(),
        )
        .sig([sign(&alice), sign(&subkey())].concat())
        .policy("threshold = 2")
        .below_threshold(
            &[by_alice.clone(), Signer::subkey(&alice, &subkey())],
            &[],
            one,
        ),
        Case::new(
            "threshold/same-file-twice",
            "One certificate in two files is one.",
        )
        .file("cert-a", certificate(&alice))
        .file("cert-b", certificate(&alice))
        .sig([sign(&alice), sign(&alice)].concat())
        .policy("threshold = 2")
        .below_threshold(&[by_alice.clone(), by_alice.clone()], &[], one),
        Case::new(
            "threshold/second-certificate-of-a-key",
            "Two certificates of one private key, made a second apart, are one signer.",
        )
        .cert(
            [
                certificate(&alice),
                CertificateBuilder::simple(&twin, ID, BORN + 1).build(),
            ]
            .concat(),
        )
        .sig([sign(&alice), sign(&twin)].concat())
        .policy("threshold = 2")
        .below_threshold(&[by_alice, Signer::primary(&twin)], &[], one),
    ]
}

fn sources() -> Vec<Vector> {
    let (alice, bob) = (alice(), bob());
    let case = |name: &str, description: &str, a: Vec<u8>, b: Vec<u8>| {
        Case::new(format!("trust/{name}"), description)
            .file("cert-a", a)
            .file("cert-b", b)
            .source("embedded", &["cert-a"])
            .source("wkd:release@example.org", &["cert-b"])
            .sig(sign(&alice))
    };
    let both = || [certificate(&alice), certificate(&bob)].concat();
    let pin = |key: &Key| format!("fingerprints = [\"{}\"]", key.fingerprint_hex());
    let expired = CertificateBuilder::new(&alice)
        .with_user_id_signed(
            ID,
            &[self_signature(BORN).with_hashed(Subpacket::key_expires_after(BEFORE - BORN))],
        )
        .build();
    let extended = CertificateBuilder::new(&alice)
        .with_user_id_signed(ID, &[self_signature(AFTER)])
        .build();
    let revoked = CertificateBuilder::simple(&alice, ID, BORN)
        .with_key_revocation(AFTER, Some(2))
        .build();
    let with_subkey = CertificateBuilder::simple(&alice, ID, BORN)
        .with_subkey(&subkey(), &Binding::new(key_flags::SIGN, BORN))
        .build();
    vec![
        Case::new(
            "trust/pinned",
            "One of two certificates is pinned, and signed.",
        )
        .cert(both())
        .sig(sign(&alice))
        .policy(pin(&alice))
        .verified(&alice),
        Case::new(
            "trust/not-pinned",
            "One of two certificates is pinned, the other signed.",
        )
        .cert(both())
        .sig(sign(&alice))
        .policy(pin(&bob))
        .refused(
            "not-pinned",
            format!("certificate {} is not pinned", alice.fingerprint_hex()),
        ),
        Case::new(
            "trust/nothing-pinned",
            "No certificate has the pinned fingerprint.",
        )
        .cert(both())
        .sig(sign(&alice))
        .policy(pin(&mallory()))
        .unusable_trust("no certificate has a pinned fingerprint"),
        case(
            "agreed",
            "The certificate stands in both sources.",
            both(),
            both(),
        )
        .verified(&alice),
        case(
            "rotation",
            "The certificate stands in both sources, one of which has another besides.",
            certificate(&alice),
            both(),
        )
        .verified(&alice),
        case(
            "not-in-every-source",
            "The signer stands in one source of two; another certificate stands in both.",
            certificate(&bob),
            both(),
        )
        .refused(
            "not-in-every-source",
            format!(
                "certificate {} is not in source `embedded`",
                alice.fingerprint_hex()
            ),
        ),
        case(
            "disagreement",
            "No certificate stands in both sources.",
            certificate(&alice),
            certificate(&bob),
        )
        .unusable_trust(format!(
            "sources disagree: `embedded` has {}; `wkd:release@example.org` has {}",
            alice.fingerprint_hex(),
            bob.fingerprint_hex()
        )),
        case(
            "revocation-served",
            "One source has a revocation that the other lacks.",
            certificate(&alice),
            revoked,
        )
        .refused(
            "key-revoked",
            "primary key is revoked (compromised) since 2024-07-01T00:00:00Z",
        ),
        case(
            "extension-served",
            "One source has a later validity than the other.",
            expired.clone(),
            extended,
        )
        .verified(&alice),
        case(
            "expired-in-both",
            "Both sources have the old validity.",
            expired.clone(),
            expired,
        )
        .refused(
            "key-expired",
            "primary key expired 2023-07-01T00:00:00Z, signature was created 2024-01-01T00:00:00Z",
        ),
        case(
            "subkey-served",
            "One source has a subkey that the other lacks.",
            certificate(&alice),
            with_subkey,
        )
        .sig(sign(&subkey()))
        .verified_by(&[Signer::subkey(&alice, &subkey())]),
    ]
}
