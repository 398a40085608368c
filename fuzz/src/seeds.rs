//! Inputs to begin with, good and wrong ones, made by the test kit.

use countersign_testkit::{
    ArmorChecksum, ArmorKind, BackSignature, Binding, CertificateBuilder, Damage, Hash, Key,
    Length, Over, SMALL_ORDER_POINTS, SignatureBuilder, Subpacket, TestRsa, armor, clearsign,
    compressed, key_flags, literal, marker, one_pass, packet, packet_with, padding,
    secret_key_stub, signature_type, tag, trust, user_attribute,
};

use crate::fixture::{CREATED, FIXTURES, MANIFEST, SIGNED, USER_ID};

/// One input: the target it is meant for, a name for its file, and its octets.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The name of the target.
    pub target: &'static str,
    /// What it is.
    pub name: String,
    /// The input.
    pub octets: Vec<u8>,
}

/// All seeds: small, the same every time.
pub fn seeds() -> Vec<Seed> {
    let targets = [
        ("certificate", certificates()),
        ("signature", signatures()),
        ("manifest", manifests()),
        ("verify", programs()),
        ("address", addresses()),
        ("policy", policies()),
    ];
    targets
        .into_iter()
        .flat_map(|(target, named)| {
            named.into_iter().map(move |(name, octets)| Seed {
                target,
                name,
                octets,
            })
        })
        .collect()
}

type Named = Vec<(String, Vec<u8>)>;

fn legacy(seed: u8) -> Key {
    Key::ed25519_legacy([seed; 32], CREATED)
}

fn texts(all: &[(&str, &str)]) -> Named {
    let named = all.iter();
    named
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn addresses() -> Named {
    texts(&[
        ("plain", "Joe.Doe@example.org"),
        ("user-id", "Joe Doe (work) <joe.doe@example.org>"),
        ("local-part-not-ascii", "J\u{f6}rg <j\u{f6}rg@example.org>"),
        ("all-characters", "a.!#$%&'*+-/=?^_`{|}~0@example.org"),
        ("u-label", "joe@B\u{dc}CHER.example"),
        ("a-label", "joe@xn--bcher-kva.example"),
        ("ideographic-stop", "joe@b\u{fc}cher\u{3002}example"),
        ("traversal", "evil <evil@[../../../pwned]>"),
        ("traversal-local", "../../x@example.org"),
        ("wide-slash", "joe@example.org\u{ff0f}x"),
        ("wide-at", "joe\u{ff20}x@example.org"),
        ("two-brackets", "A <a@example.org> <b@example.org>"),
        ("number", "joe@127.0.0.1"),
        ("quoted", "\"joe doe\"@example.org"),
        ("override", "joe\u{202e}@example.org"),
        ("root", "joe@example.org."),
        ("bad-punycode", "joe@xn--a.example"),
    ])
}

fn policies() -> Named {
    texts(&[
        ("empty", ""),
        (
            "all",
            "# comment\nMailbox-Only\r\ndane-only\nauth-submit\nprotocol-version: 5\nsubmission-address: key@example.org\n",
        ),
        ("site", "org.example.x_y: 1: 2\n"),
        ("repeated", "mailbox-only\nMAILBOX-ONLY\n"),
        ("html", "<!doctype html><title>404</title>"),
        ("no-keyword", ": value\n"),
    ])
}

fn certificates() -> Named {
    let mut all: Named = Vec::new();
    let mut add = |name: &str, octets: Vec<u8>| all.push((name.to_owned(), octets));
    for (index, own) in FIXTURES.iter().enumerate() {
        add(&format!("good-{index}"), own.certificate.clone());
    }
    let simple = |key: &Key| CertificateBuilder::simple(key, USER_ID, CREATED);
    let key = legacy(1);
    let good = simple(&key).build();
    let checksum = ArmorChecksum::Present;
    add(
        "armored",
        armor(ArmorKind::PublicKey, &good, checksum).into_bytes(),
    );
    add(
        "armored-twice",
        armor(ArmorKind::PublicKey, &good, checksum)
            .repeat(2)
            .into_bytes(),
    );
    add(
        "armored-as-private-key",
        armor(ArmorKind::PrivateKey, &good, checksum).into_bytes(),
    );
    add("two", [&good[..], &simple(&legacy(2)).build()].concat());
    add("same-twice", good.repeat(2));
    add("revoked", {
        let builder = CertificateBuilder::new(&key).with_key_revocation(SIGNED, Some(2));
        builder.with_user_id(USER_ID, CREATED).build()
    });
    add(
        "revoked-at-the-end",
        simple(&key).with_key_revocation(SIGNED - 1, None).build(),
    );
    add(
        "weak-self-signature",
        CertificateBuilder::new(&key)
            .with_user_id_signed(
                USER_ID,
                &[CertificateBuilder::self_signature(CREATED).with_hash(Hash::Sha1)],
            )
            .build(),
    );
    add("no-self-signature", CertificateBuilder::new(&key).build());
    let subkey = Key::ed25519([5; 32], CREATED);
    let bound = |binding: Binding| simple(&legacy(4)).with_subkey(&subkey, &binding).build();
    let signing = || Binding::new(key_flags::SIGN, CREATED);
    add(
        "no-back-signature",
        bound(signing().with_back_signature(BackSignature::Absent)),
    );
    add(
        "back-signature-damaged",
        bound(signing().with_back_signature(BackSignature::UnhashedAs(
            Binding::good_back_signature(CREATED).with_damage(Damage::FlipBit(0)),
        ))),
    );
    let nested = (0..8).fold(vec![4, 0x19], |inner, _| {
        SignatureBuilder::new(signature_type::PRIMARY_KEY_BINDING, CREATED)
            .with_unhashed(Subpacket::embedded_signature(inner))
            .sign_body(&subkey, Over::Data(b""))
    });
    add(
        "back-signature-nested",
        bound(signing().with_back_signature(BackSignature::HashedBody(nested))),
    );
    add(
        "subkey-revoked",
        simple(&legacy(4))
            .with_subkey(&subkey, &signing())
            .with_subkey_revocation(&subkey, SIGNED - 1, Some(3))
            .build(),
    );
    add("attribute-and-others", {
        let attribute = user_attribute(1, b"image");
        simple(&key)
            .with_packet(marker())
            .with_packet(padding(5))
            .with_packet(trust(b"x"))
            .with_packet(&attribute)
            .with_packet(packet(tag::UNKNOWN_NON_CRITICAL, b"x"))
            .with_subkey(&Key::raw(4, 99, [1, 2, 3], CREATED), &signing())
            .with_subkey(
                &Key::rsa(TestRsa::Rsa2048A, CREATED).with_version(3),
                &Binding::new(key_flags::ENCRYPT, CREATED),
            )
            .with_user_id("", CREATED)
            .with_user_id([0xff, 0xfe], CREATED)
            .build()
    });
    add(
        "unknown-critical",
        simple(&key)
            .with_packet(packet(tag::UNKNOWN_CRITICAL, b"x"))
            .build(),
    );
    for (name, length) in [
        ("old", Length::Old),
        ("old-four", Length::OldFourOctets),
        ("old-indeterminate", Length::OldIndeterminate),
        ("new-five", Length::NewFiveOctets),
        ("partial", Length::Partial(4)),
        ("claimed", Length::Claimed(u32::MAX)),
    ] {
        let head = packet_with(tag::PUBLIC_KEY, length, &key.public_body());
        let rest = &good[countersign_testkit::public_key(&key).len()..];
        add(&format!("header-{name}"), [&head[..], rest].concat());
    }
    for (name, key) in [
        ("rsa-4096", Key::rsa(TestRsa::Rsa4096A, CREATED)),
        ("rsa-2048", Key::rsa(TestRsa::Rsa2048A, CREATED)),
        (
            "rsa-exponent-1",
            Key::rsa_with_exponent(TestRsa::Rsa3072A, &[1], CREATED),
        ),
        (
            "rsa-padded",
            Key::rsa(TestRsa::Rsa3072B, CREATED).with_padded_modulus(8),
        ),
        (
            "identity-point",
            Key::ed25519_legacy_point(SMALL_ORDER_POINTS[0], CREATED),
        ),
        (
            "small-order-point",
            Key::ed25519_point(SMALL_ORDER_POINTS[4], CREATED),
        ),
        ("dsa", Key::dsa_placeholder(CREATED)),
        ("ecdsa", Key::ecdsa_placeholder(CREATED)),
        (
            "version-3",
            Key::rsa(TestRsa::Rsa2048A, CREATED).with_version(3),
        ),
        ("version-5", legacy(1).with_version(5)),
    ] {
        add(&format!("key-{name}"), simple(&key).build());
    }
    add("private-key", secret_key_stub(&key));
    add("signature", FIXTURES[0].signature.clone());
    add("keybox", b"\0\0\0\x20\x01\x01\0\x02KBXf\0\0\0\0".to_vec());
    add("white-space", b" \n\t".to_vec());
    all
}

fn signatures() -> Named {
    let mut all: Named = Vec::new();
    let mut add = |name: &str, octets: Vec<u8>| all.push((name.to_owned(), octets));
    for (index, own) in FIXTURES.iter().enumerate() {
        add(&format!("good-{index}"), own.signature.clone());
    }
    let good = &FIXTURES[0].signature;
    let armored = |kind| armor(kind, good, ArmorChecksum::Present);
    add("armored", armored(ArmorKind::Signature).into_bytes());
    add(
        "armored-twice",
        armored(ArmorKind::Signature).repeat(2).into_bytes(),
    );
    add(
        "armored-as-message",
        armored(ArmorKind::Message).into_bytes(),
    );
    add(
        "armored-crlf",
        armored(ArmorKind::Signature)
            .replace('\n', "\r\n")
            .into_bytes(),
    );
    add("all", {
        let each = FIXTURES.iter().map(|own| own.signature.as_slice());
        each.collect::<Vec<_>>().concat()
    });
    let key = legacy(1);
    let base = || SignatureBuilder::new(signature_type::BINARY, SIGNED);
    let sign = |signature: SignatureBuilder| signature.sign(&key, Over::Data(MANIFEST));
    for (name, signature) in [
        ("sha1", base().with_hash(Hash::Sha1)),
        ("sha3", base().with_hash(Hash::Sha3_512)),
        ("unknown-hash", base().with_hash(Hash::Unknown(77))),
        ("version-3", base().with_version(3)),
        ("version-5", base().with_version(5)),
        ("version-6", base().with_version(6)),
        (
            "salt-too-long",
            base().with_version(6).with_salt(vec![1; 255]),
        ),
        (
            "type-standalone",
            base().with_type(signature_type::STANDALONE),
        ),
        (
            "type-certification",
            base().with_type(signature_type::POSITIVE),
        ),
        ("future", base().with_created(u32::MAX)),
        ("expired", base().with_hashed(Subpacket::expires_after(1))),
        ("without-time", base().without_created()),
        ("without-issuer", base().without_issuer()),
        (
            "unhashed-time",
            base()
                .without_created()
                .with_unhashed(Subpacket::created(SIGNED)),
        ),
        (
            "critical-unknown",
            base().with_hashed(Subpacket::raw(100, [1]).critical()),
        ),
        (
            "critical-notation",
            base().with_hashed(Subpacket::notation("a@example.org", "b").critical()),
        ),
        (
            "many-subpackets",
            base()
                .with_hashed(Subpacket::notation("tag@example.org", "1.0"))
                .with_hashed(Subpacket::policy_uri("https://example.org/"))
                .with_hashed(Subpacket::signers_user_id(USER_ID))
                .with_hashed(Subpacket::intended_recipient(&key))
                .with_hashed(Subpacket::preferred_hashes(&[8]).with_five_octet_length())
                .with_unhashed(Subpacket::embedded_signature([4, 0, 1, 8, 0, 0])),
        ),
        (
            "areas-damaged",
            base().with_hashed_area([0xff, 0xff, 0xff, 0xff]),
        ),
        ("unhashed-damaged", base().with_unhashed_area([5, 1])),
        ("other-prefix", base().with_digest_prefix([0, 0])),
        ("flipped", base().with_damage(Damage::FlipBit(0))),
        ("s-not-reduced", base().with_damage(Damage::AddOrder)),
        ("leading-zeros", base().with_damage(Damage::LeadingZeros(2))),
        ("truncated", base().with_damage(Damage::Truncate(3))),
        ("extended", base().with_damage(Damage::Extend(3))),
        ("claims-rsa", base().with_algorithm(1)),
        ("no-value", base().with_value([])),
    ] {
        add(name, sign(signature));
    }
    add("stranger", base().sign(&legacy(200), Over::Data(MANIFEST)));
    add("stranger-and-good", {
        let other = base().sign(&legacy(200), Over::Data(MANIFEST));
        [&other[..], good].concat()
    });
    add("other-data", base().sign(&key, Over::Data(b"other")));
    add("trailing-garbage", [&good[..], b"x"].concat());
    add(
        "trailing-marker",
        [&good[..], &marker(), &padding(3)].concat(),
    );
    add(
        "non-critical-packet",
        [&packet(tag::UNKNOWN_NON_CRITICAL, b"x")[..], good].concat(),
    );
    add("inline-message", {
        let first = one_pass(&key, signature_type::BINARY, Hash::Sha256, &[]);
        [&first[..], &literal("", SIGNED, MANIFEST), good].concat()
    });
    add("compressed", compressed(good));
    add("certificate", FIXTURES[0].certificate.clone());
    for (name, length) in [
        ("old", Length::Old),
        ("old-indeterminate", Length::OldIndeterminate),
        ("new-five", Length::NewFiveOctets),
        ("partial", Length::Partial(3)),
    ] {
        let body = base().sign_body(&key, Over::Data(MANIFEST));
        add(
            &format!("header-{name}"),
            packet_with(tag::SIGNATURE, length, &body),
        );
    }
    let text = String::from_utf8_lossy(MANIFEST);
    add(
        "clear-signed",
        clearsign(&text, &legacy(2), SIGNED).into_bytes(),
    );
    add(
        "clear-signed-dashes",
        clearsign(
            "-----BEGIN PGP SIGNATURE-----\n- a \t\n-\n",
            &legacy(2),
            SIGNED,
        )
        .into_bytes(),
    );
    add(
        "clear-signed-surrounded",
        format!("x\n{}", clearsign(&text, &legacy(2), SIGNED)).into_bytes(),
    );
    add(
        "clear-signed-crlf",
        clearsign(&text, &legacy(2), SIGNED)
            .replace('\n', "\r\n")
            .into_bytes(),
    );
    all
}

fn manifests() -> Named {
    const A: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let long = A.repeat(2);
    let middle = format!("{A}{}", &A[..32]);
    let lines = [
        ("gnu", format!("{A}  a\n{A} *b\n")),
        ("crlf", format!("{A}  a\r\n{A}  b\r\n")),
        (
            "bsd",
            format!("SHA256 (a b) = {A}\nSHA512 (c) = {long}\nSHA384 (d) = {middle}"),
        ),
        ("sizes", format!("{long}  a\n{middle}  b\n")),
        (
            "escaped",
            format!("\\{A}  a\\nb\n\\SHA256 (c\\\\d) = {A}\n"),
        ),
        ("comments", format!("# x\n\n{A}  ./d/e\n#\n")),
        ("upper-case", A.to_uppercase() + "  a"),
        ("parent", format!("{A}  ../a")),
        ("parent-within", format!("{A}  a/../../b")),
        ("absolute", format!("{A}  /a")),
        ("drive", format!("{A}  C:a")),
        ("drive-after-dot", format!("{A}  ./C:a")),
        ("backslash", format!("{A}  a\\b")),
        ("nul", format!("{A}  a\0b")),
        ("dots", format!("{A}  ././a\n{A}  a/./b\n")),
        ("repeated", format!("{A}  a\n{A}  ./a\n")),
        ("repeated-otherwise", format!("{A}  a\nSHA256 (a) = {A}\n")),
        ("tag-in-name", format!("SHA256 (f (g) = h) = {A}\n")),
        ("md5", "d41d8cd98f00b204e9800998ecf8427e  a".to_owned()),
        ("tag-of-other-size", format!("SHA512 (a) = {A}\n")),
        ("one-space", format!("{A} a")),
        ("controls", format!("{A}  \u{1b}[2J\u{202e}\u{feff}\n")),
        (
            "trailing-white-space",
            format!("{A}  a \t\n{A}  - b\n- c\n"),
        ),
        ("dashes", format!("-----BEGIN PGP SIGNATURE-----\n{A}  a\n")),
        ("empty", String::new()),
    ];
    let mut all: Named = lines
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .collect();
    let not_text = [A.as_bytes(), b"  \xff\xfe\n"].concat();
    all.push(("not-utf-8".to_owned(), not_text));
    all
}

/// See [`crate::verify`] for what the octets mean.
fn programs() -> Named {
    const LATER: u8 = 4;
    const CERTIFICATE: u8 = 0;
    const SIGNATURE: u8 = 1;
    const MANIFEST_PART: u8 = 2;
    const REPLACE: u8 = 0;
    const INSERT: u8 = 1;
    const REMOVE: u8 = 2;
    const REPEAT: u8 = 3;
    const FLIP: u8 = 4;
    const OTHER: u8 = 5;
    const INSERT_OTHER: u8 = 6;
    const WHOLE: u8 = 7;
    let mut all: Named = Vec::new();
    let count = u8::try_from(FIXTURES.len()).expect("a handful");
    for fixture in 0..count {
        let mut add = |name: &str, edits: &[u8]| {
            let program = [&[fixture, LATER], edits].concat();
            all.push((format!("{name}-{fixture}"), program));
        };
        let other = (fixture + 1) % count;
        add("unedited", &[]);
        add("line-ends", &[MANIFEST_PART, INSERT, 0, 13, 1, b'\r']);
        add("manifest-cut", &[MANIFEST_PART, REMOVE, 0, 14, 255]);
        add("manifest-bit", &[MANIFEST_PART, FLIP, 0, 99, 0]);
        add("certificate-of-another", &[CERTIFICATE, OTHER, 0, 0, other]);
        add(
            "certificate-and-another",
            &[CERTIFICATE, INSERT_OTHER, 0, 0, other],
        );
        add("signature-of-another", &[SIGNATURE, OTHER, 0, 0, other]);
        add(
            "signature-and-another",
            &[SIGNATURE, INSERT_OTHER, 0, 0, other],
        );
        add("certificate-repeated", &[CERTIFICATE, REPEAT, 0, 0, 255]);
        add("signature-bit", &[SIGNATURE, FLIP, 0, 8, 0]);
        add("signature-type", &[SIGNATURE, REPLACE, 0, 3, 1, 1]);
    }
    // Certificates of keys that hold for any data in a verifier that is not strict, each with its own signature.
    for (name, key) in [
        (
            "identity-point",
            Key::ed25519_legacy_point(SMALL_ORDER_POINTS[0], CREATED),
        ),
        (
            "exponent-1",
            Key::rsa_with_exponent(TestRsa::Rsa3072A, &[1], CREATED),
        ),
    ] {
        let certificate = CertificateBuilder::simple(&key, USER_ID, CREATED).build();
        let whole = [&[0, LATER, CERTIFICATE, WHOLE, 0, 0, 0][..], &certificate].concat();
        all.push((format!("{name}-certificate"), whole));
        let signature = SignatureBuilder::new(signature_type::BINARY, SIGNED);
        let signature = signature.sign(&key, Over::Data(b"other"));
        let whole = [&[0, LATER, SIGNATURE, WHOLE, 0, 0, 0][..], &signature].concat();
        all.push((format!("{name}-signature"), whole));
    }
    all
}
