//! Limits, and inputs that cost some verifiers seconds or a crash.

use super::{
    BORN, Case, DATA, ID, SIGNED, Vector, alice, binary, bob, certificate, mallory, self_signature,
    sign,
};
use crate::{
    BackSignature, Binding, CertificateBuilder, Key, Over, SignatureBuilder, Subpacket, clearsign,
    key_flags, packet, padding, user_id,
};

const MIB: usize = 1024 * 1024;

pub(super) fn cases() -> Vec<Vector> {
    [files(), certificates(), nested(), manifests()].concat()
}

fn with_signature(name: &str, description: &str, octets: impl AsRef<[u8]>) -> Case {
    Case::new(format!("large/{name}"), description)
        .cert(certificate(&alice()))
        .sig(octets)
}

fn with_certificate(name: &str, description: &str, octets: impl AsRef<[u8]>) -> Case {
    Case::new(format!("large/{name}"), description)
        .cert(octets)
        .sig(sign(&alice()))
}

/// `octets`, then a packet that may be skipped, `size` octets in all.
fn padded(octets: &[u8], size: usize) -> Vec<u8> {
    let header = padding(size).len() - size;
    [octets, &padding(size - octets.len() - header)].concat()
}

fn files() -> Vec<Vector> {
    let good = sign(&alice());
    let limit = 64 * 1024;
    vec![
        with_signature(
            "signature-64-kib",
            "As large as a signature file may be.",
            padded(&good, limit),
        )
        .verified(&alice()),
        with_signature(
            "signature-64-kib-and-1",
            "One octet larger than a signature file may be.",
            padded(&good, limit + 1),
        )
        .malformed("signature file has more than 65536 bytes"),
        with_signature(
            "signatures-10000",
            "10,000 signatures.",
            good.repeat(10_000),
        )
        .malformed("signature file has more than 65536 bytes"),
    ]
}

fn certificates() -> Vec<Vector> {
    let alice = alice();
    let own = certificate(&alice);
    let strangers = |count: u32| -> Vec<u8> {
        let key = |index: u32| Key::raw(4, 100, index.to_be_bytes(), BORN);
        (0..count)
            .flat_map(|index| crate::public_key(&key(index)))
            .collect()
    };
    let ids = |count: usize| -> Vec<u8> {
        (0..count)
            .flat_map(|index| user_id(format!("Nobody {index}")))
            .collect()
    };
    // Anybody can make them: they name the key as their issuer, and do not hold.
    let forged = |prefix: Option<[u8; 2]>, created: u32| {
        let forged = self_signature(created)
            .without_issuer()
            .with_hashed(Subpacket::issuer_key_id(&alice));
        match prefix {
            Some(prefix) => forged.with_digest_prefix(prefix),
            None => forged,
        }
        .with_value([0, 1, 1, 0, 1, 1])
        .sign(&mallory(), Over::UserId(&alice, ID.as_bytes()))
    };
    let spoilt = |count: u32, prefix| -> Vec<u8> {
        (0..count)
            .flat_map(|index| forged(prefix, SIGNED + index))
            .collect()
    };
    vec![
        with_certificate(
            "certificate-1-mib",
            "As large as a certificate file may be.",
            padded(&own, MIB),
        )
        .verified(&alice),
        with_certificate(
            "certificate-1-mib-and-1",
            "One octet larger than a certificate file may be.",
            padded(&own, MIB + 1),
        )
        .unusable_certificate("certificate file has more than 1048576 bytes"),
        with_certificate(
            "certificates-256",
            "As many certificates as a file may have; the last one signed.",
            [strangers(255), own.clone()].concat(),
        )
        .verified(&alice),
        with_certificate(
            "certificates-257",
            "One certificate more than a file may have.",
            [strangers(256), own.clone()].concat(),
        )
        .unusable_certificate("certificate file has more than 256 certificates"),
        with_certificate(
            "user-ids-10000",
            "10,000 user ids without a signature.",
            [own.clone(), ids(10_000)].concat(),
        )
        .verified(&alice),
        with_certificate(
            "user-ids-signed-5000",
            "5,000 user ids, each with a good self-signature; the flagged one decides.",
            {
                let flagged = self_signature(BORN).with_hashed(Subpacket::primary_user_id(1));
                let first = CertificateBuilder::new(&alice).with_user_id_signed(ID, &[flagged]);
                (0..5_000)
                    .fold(first, |builder, index| {
                        builder.with_user_id(format!("Alice {index}"), BORN)
                    })
                    .build()
            },
        )
        .verified(&alice),
        with_certificate(
            "forged-10000",
            "10,000 newer self-signatures that do not hold.",
            [own.clone(), spoilt(10_000, Some([0, 0]))].concat(),
        )
        .verified(&alice),
        with_certificate(
            "forged-255-right-prefix",
            "255 newer self-signatures that do not hold, though the hint at their digest is right.",
            [own.clone(), spoilt(255, None)].concat(),
        )
        .verified(&alice),
        with_certificate(
            "forged-256-right-prefix",
            "As many of them as there may be checks.",
            [own.clone(), spoilt(256, None)].concat(),
        )
        .refused(
            "too-much-work",
            "verifying takes more than 256 public-key operations",
        ),
        with_certificate("third-party-5000", "5,000 certifications by strangers.", {
            let by = |index: u32| {
                binary()
                    .with_type(0x10)
                    .with_created(SIGNED + index)
                    .sign(&bob(), Over::UserId(&alice, ID.as_bytes()))
            };
            [own.clone(), (0..5_000).flat_map(by).collect()].concat()
        })
        .verified(&alice),
        with_certificate("subkeys-3000", "3,000 subkeys that nobody bound.", {
            let unbound = |index: u32| {
                let mut seed = [0; 32];
                seed[..4].copy_from_slice(&index.to_be_bytes());
                crate::public_subkey(&Key::raw(4, crate::algorithm::ED25519, seed, BORN))
            };
            [own.clone(), (0..3_000).flat_map(unbound).collect()].concat()
        })
        .verified(&alice),
        with_certificate(
            "rsa-65535",
            "An RSA key of 65,535 bits.",
            certificate_of(&huge()),
        )
        .sig(sign(&huge()))
        .unusable_certificate("packet 0: packet type 6 has 8205 bytes, the limit is 8192"),
        Case::new(
            "large/rsa-65535-subkey",
            "A subkey of 65,535 bits signs: key packets of such a size are passed over.",
        )
        .cert(with_huge_subkey())
        .sig(
            binary()
                .with_value([0, 1, 1])
                .sign(&huge(), Over::Data(DATA)),
        )
        .refused(
            "unknown-issuer",
            format!("unknown issuer {}", huge().fingerprint_hex()),
        ),
        Case::new(
            "large/rsa-65535-signature",
            "A signature of more than 65,000 bits, which no key that is accepted can make.",
        )
        .cert(with_huge_subkey())
        .sig(sign(&huge()))
        .refused("malformed-signature", "malformed signature packet"),
    ]
}

fn with_huge_subkey() -> Vec<u8> {
    CertificateBuilder::simple(&alice(), ID, BORN)
        .with_subkey(&huge(), &Binding::new(key_flags::ENCRYPT, BORN))
        .build()
}

fn huge() -> Key {
    let mut modulus = vec![0xff; 8192];
    modulus[0] = 0x7f;
    Key::rsa_raw(&modulus, &[1, 0, 1], BORN)
}

fn certificate_of(key: &Key) -> Vec<u8> {
    CertificateBuilder::simple(key, ID, BORN).build()
}

/// The body of a signature with as many embedded in one another, each in the unhashed area.
fn nest(depth: usize, kind: u8) -> Vec<u8> {
    let signature = SignatureBuilder::new(kind, SIGNED)
        .with_hashed_area([])
        .with_unhashed_area([])
        .with_value([0, 1, 1])
        .with_algorithm(1);
    let innermost = signature.sign_body(&alice(), Over::Data(DATA));
    (1..depth).fold(innermost, |inner, _| {
        signature
            .clone()
            .with_unhashed_area(Subpacket::embedded_signature(inner).to_bytes())
            .sign_body(&alice(), Over::Data(DATA))
    })
}

fn nested() -> Vec<Vector> {
    let alice = alice();
    let deep = || nest(3_000, 0x19);
    let sound = self_signature(BORN).with_unhashed(Subpacket::embedded_signature(deep()));
    vec![
        with_signature(
            "nested-3000",
            "3,000 signatures embedded in one another, in the unhashed area of one that holds else.",
            binary()
                .with_unhashed(Subpacket::embedded_signature(deep()))
                .sign(&alice, Over::Data(DATA)),
        )
        .refused("malformed-signature", "malformed signature packet"),
        with_signature(
            "nested-3000-alone",
            "3,000 signatures embedded in one another.",
            packet(2, &nest(3_000, 0)),
        )
        .refused("malformed-signature", "malformed signature packet"),
        with_certificate(
            "nested-3000-self-signature",
            "3,000 signatures embedded in one another in the only self-signature.",
            CertificateBuilder::new(&alice)
                .with_user_id_signed(ID, &[sound])
                .build(),
        )
        .refused("no-self-signature", "certificate has no valid self-signature on an unrevoked user id or on its key"),
        Case::new(
            "large/nested-3000-back-signature",
            "3,000 signatures embedded in one another where a back-signature belongs.",
        )
        .cert(
            CertificateBuilder::simple(&alice, ID, BORN)
                .with_subkey(
                    &bob(),
                    &Binding::new(key_flags::SIGN, BORN)
                        .with_back_signature(BackSignature::UnhashedBody(deep())),
                )
                .build(),
        )
        .sig(sign(&bob()))
        .refused("no-binding-signature", "subkey has no valid binding signature"),
    ]
}

fn manifests() -> Vec<Vector> {
    let alice = alice();
    let line = format!("{}  tool\n", "0".repeat(64));
    let limit = 16 * MIB;
    let comment = |size: usize| format!("#{}\n", "x".repeat(size - 2));
    let large = |name: &str, size: usize| {
        let text = [line.clone(), comment(size - line.len())].concat();
        let signature = binary().sign(&alice, Over::Data(text.as_bytes()));
        Case::new(
            format!("large/{name}"),
            "A manifest about as large as it may be.",
        )
        .cert(certificate(&alice))
        .manifest(text)
        .sig(signature)
    };
    let clear = clearsign(&comment(limit), &alice, SIGNED);
    vec![
        large("manifest-16-mib", limit).lists(&alice, &["tool"]),
        large("manifest-16-mib-and-1", limit + 1).malformed_as(
            "malformed-manifest",
            "manifest has more than 16777216 bytes",
        ),
        Case::new(
            "large/clear-signed",
            "A clear-signed text larger than it may be.",
        )
        .cert(certificate(&alice))
        .clear_signed(&clear)
        .malformed_as(
            "malformed-clear-signed-text",
            "clear-signed text has more than 16777216 bytes",
        ),
    ]
}
