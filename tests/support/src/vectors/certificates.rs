//! What a certificate file may be.

use super::{
    BORN, Case, DATA, ID, NOW, Vector, alice, binary, bob, certificate, mallory, sign, subkey,
};
use crate::{
    ArmorChecksum, ArmorKind, Binding, CertificateBuilder, Key, Length, Over, TestRsa, algorithm,
    armor, key_flags, marker, packet, packet_with, padding, public_key, public_subkey,
    secret_key_stub, tag, trust, user_attribute, user_id,
};

pub(super) fn cases() -> Vec<Vector> {
    [good(), unusable()].concat()
}

/// A certificate file, whatever it is, beside data signed by [`alice`].
fn file(name: &str, description: &str, octets: impl AsRef<[u8]>) -> Case {
    Case::new(format!("certificate/{name}"), description)
        .cert(octets)
        .sig(sign(&alice()))
}

fn block(octets: &[u8]) -> String {
    armor(ArmorKind::PublicKey, octets, ArmorChecksum::Present)
}

fn good() -> Vec<Vector> {
    let alice = alice();
    let own = certificate(&alice);
    let (first, rest) = own.split_at(public_key(&alice).len());
    let with = |extra: &[u8]| [first, extra, rest].concat();
    let old_subkey = Key::rsa(TestRsa::Rsa3072A, BORN).with_version(3);
    let photo = user_attribute(1, b"not really a picture");
    let long = vec![b'a'; 2048];
    vec![
        file(
            "several",
            "Three certificates, the second of which signed.",
            [certificate(&bob()), own.clone(), certificate(&mallory())].concat(),
        )
        .verified(&alice),
        file("armored", "An armored certificate.", block(&own)).verified(&alice),
        file(
            "armored-several",
            "Two armored certificates.",
            [block(&certificate(&bob())), block(&own)].concat(),
        )
        .verified(&alice),
        file("twice", "The same certificate twice.", own.repeat(2)).verified(&alice),
        file(
            "in-parts",
            "The key alone, then the certificate: they are merged.",
            [first, &own].concat(),
        )
        .verified(&alice),
        file("marker", "A marker packet inside.", with(&marker())).verified(&alice),
        file(
            "marker-first",
            "A marker packet before the key.",
            [marker(), own.clone()].concat(),
        )
        .verified(&alice),
        file("padding", "A padding packet inside.", with(&padding(9))).verified(&alice),
        file(
            "trust",
            "A trust packet inside, as in a keyring.",
            with(&trust(&[1])),
        )
        .verified(&alice),
        file(
            "unknown-40",
            "An unknown packet inside that is not critical.",
            with(&packet(40, &[1])),
        )
        .verified(&alice),
        file(
            "user-attribute",
            "A user attribute behind the user id.",
            [own.clone(), photo].concat(),
        )
        .verified(&alice),
        file(
            "subkey-version-3",
            "A subkey of version 3, which can sign nothing.",
            [own.clone(), public_subkey(&old_subkey)].concat(),
        )
        .verified(&alice),
        file(
            "subkey-damaged",
            "A damaged subkey, which can sign nothing.",
            [own.clone(), packet(tag::PUBLIC_SUBKEY, &[4, 0])].concat(),
        )
        .verified(&alice),
        file(
            "subkey-unknown-algorithm",
            "A subkey of an unknown algorithm, well bound.",
            CertificateBuilder::simple(&alice, ID, BORN)
                .with_subkey(
                    &Key::raw(4, 100, [7; 40], BORN),
                    &Binding::new(key_flags::ENCRYPT, BORN),
                )
                .build(),
        )
        .verified(&alice),
        file("old-headers", "Old format headers, as gpg writes them.", {
            let own_id = user_id(ID);
            let signature = CertificateBuilder::self_signature(BORN)
                .sign_body(&alice, Over::UserId(&alice, ID.as_bytes()));
            [
                packet_with(tag::PUBLIC_KEY, Length::Old, &alice.public_body()),
                packet_with(tag::USER_ID, Length::Old, &own_id[2..]),
                packet_with(tag::SIGNATURE, Length::Old, &signature),
            ]
            .concat()
        })
        .verified(&alice),
        file(
            "user-id-2048",
            "A second user id of 2048 octets, the most that one may have.",
            [own.clone(), user_id(&long)].concat(),
        )
        .verified(&alice),
        file(
            "user-id-not-utf8",
            "A second user id that is not UTF-8.",
            [own.clone(), user_id([0xff, 0xfe])].concat(),
        )
        .verified(&alice),
        file(
            "subkey-shared",
            "Two certificates bind one subkey, the other without leave: the one that holds counts.",
            [
                CertificateBuilder::simple(&mallory(), ID, BORN)
                    .with_subkey(&subkey(), &{
                        let over = Over::Subkey(&alice, &subkey());
                        let stolen = Binding::good_back_signature(BORN).sign_body(&subkey(), over);
                        Binding::new(key_flags::SIGN, BORN)
                            .with_back_signature(crate::BackSignature::HashedBody(stolen))
                    })
                    .build(),
                CertificateBuilder::simple(&alice, ID, BORN)
                    .with_subkey(&subkey(), &Binding::new(key_flags::SIGN, BORN))
                    .build(),
            ]
            .concat(),
        )
        .sig(sign(&subkey()))
        .verified_by(&[super::Signer::subkey(&alice, &subkey())]),
        file(
            "key-from-the-future",
            "The key, and with it its self-signature, was made after the time of checking.",
            certificate(&alice.clone().with_created(NOW + 86_400)),
        )
        .sig(binary().sign(&alice.with_created(NOW + 86_400), Over::Data(DATA)))
        .refused(
            "no-self-signature",
            "certificate has no valid self-signature on an unrevoked user id or on its key",
        ),
    ]
}

fn unusable() -> Vec<Vector> {
    let alice = alice();
    let own = certificate(&alice);
    let with = |extra: Vec<u8>| [own.clone(), extra].concat();
    let private = "this is a private key, not a certificate";
    let signature = "this is a signature, not a certificate";
    let empty = "no certificate: the input is empty";
    let damaged = |detail: &str| format!("damaged ASCII armor: {detail}");
    let mut keybox = vec![0, 0, 0, 32, 1, 1, 0, 2];
    keybox.extend_from_slice(b"KBXf");
    keybox.resize(32, 0);
    let large = Key::raw(4, algorithm::DSA, vec![1; 8192 - 6 + 1], BORN);
    vec![
        file("private-key", "A private key.", secret_key_stub(&alice))
            .unusable_certificate(private),
        file(
            "private-key-armored",
            "An armored private key.",
            armor(
                ArmorKind::PrivateKey,
                &secret_key_stub(&alice),
                ArmorChecksum::Present,
            ),
        )
        .unusable_certificate(private),
        file(
            "private-key-in-public-armor",
            "A private key in the armor of a certificate.",
            block(&secret_key_stub(&alice)),
        )
        .unusable_certificate(private),
        file(
            "private-key-behind",
            "A certificate, then a private key.",
            with(secret_key_stub(&bob())),
        )
        .unusable_certificate(private),
        file("signature", "A signature.", sign(&alice)).unusable_certificate(signature),
        file(
            "signature-armored",
            "An armored signature.",
            armor(ArmorKind::Signature, &sign(&alice), ArmorChecksum::Present),
        )
        .unusable_certificate(signature),
        file("keybox", "The beginning of a GnuPG keybox.", keybox)
            .unusable_certificate("this is a GnuPG keybox, not an exported certificate"),
        file("empty", "No octet.", "").unusable_certificate(empty),
        file("white-space", "Nothing but white space.", "\n \n").unusable_certificate(empty),
        file("text", "Text.", "Certificate to follow.\n")
            .unusable_certificate("no OpenPGP data: neither binary packets nor ASCII armor"),
        file(
            "truncated",
            "The last octet is missing.",
            &own[..own.len() - 1],
        )
        .unusable_certificate({
            let last = own.len() - public_key(&alice).len() - user_id(ID).len() - 2;
            format!(
                "packet 2: packet claims {last} bytes, {} are left",
                last - 1
            )
        }),
        file(
            "trailing-text",
            "Text follows the certificate.",
            with(b"text".to_vec()),
        )
        .unusable_certificate("packet 3: damaged packet header"),
        file(
            "armor-text-around",
            "Text before and after the armor, as in a file of several keys.",
            format!("pub rsa3072\n{}text\n", block(&own)),
        )
        .verified(&alice),
        file(
            "armor-other-end",
            "The END line of a signature.",
            block(&own).replace("END PGP PUBLIC KEY BLOCK", "END PGP SIGNATURE"),
        )
        .unusable_certificate(damaged("BEGIN and END lines differ")),
        file(
            "armor-message",
            "The armor of a message.",
            armor(ArmorKind::Message, &own, ArmorChecksum::Present),
        )
        .unusable_certificate(damaged("armored block of the wrong kind")),
        file(
            "version-3",
            "A key of version 3.",
            certificate(&Key::rsa(TestRsa::Rsa3072A, BORN).with_version(3)),
        )
        .unusable_certificate("packet 0: damaged key packet"),
        file(
            "version-5",
            "A key of version 5.",
            certificate(&alice.clone().with_version(5)),
        )
        .unusable_certificate("packet 0: damaged key packet"),
        file(
            "key-damaged",
            "A key packet of four octets.",
            packet(tag::PUBLIC_KEY, &[4, 0, 0, 0]),
        )
        .unusable_certificate("packet 0: damaged key packet"),
        file(
            "key-trailing-octet",
            "One octet too many in the key packet.",
            packet(tag::PUBLIC_KEY, &[alice.public_body(), vec![0]].concat()),
        )
        .unusable_certificate("packet 0: damaged key packet"),
        file(
            "key-too-large",
            "A key packet of 8193 octets.",
            public_key(&large),
        )
        .unusable_certificate("packet 0: packet type 6 has 8193 bytes, the limit is 8192"),
        file(
            "user-id-first",
            "A user id before the key.",
            [user_id(ID), own.clone()].concat(),
        )
        .unusable_certificate("packet 0: unexpected packet type 13 (user id)"),
        file(
            "user-id-2049",
            "A user id of 2049 octets, one too many.",
            with(user_id(vec![b'a'; 2049])),
        )
        .unusable_certificate("packet 3: packet type 13 has 2049 bytes, the limit is 2048"),
        file(
            "unknown-critical",
            "An unknown packet of a critical type.",
            with(packet(39, &[1])),
        )
        .unusable_certificate("packet 3: unknown critical packet type 39"),
        file(
            "literal",
            "Literal data behind the certificate.",
            with(crate::literal("", BORN, b"x")),
        )
        .unusable_certificate("packet 3: unexpected packet type 11 (literal data)"),
        file(
            "partial-length",
            "The key packet in partial lengths.",
            packet_with(tag::PUBLIC_KEY, Length::Partial(4), &alice.public_body()),
        )
        .unusable_certificate("packet 0: packet type 6 without a fixed length"),
        file(
            "marker-alone",
            "A marker packet and nothing else.",
            marker(),
        )
        .unusable_certificate(empty),
    ]
}
