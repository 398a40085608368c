//! Rules 1 to 4: what the signature itself must be.

use super::{
    BORN, Case, DATA, NOW, SIGNED, SKEW, Signer, Vector, alice, binary, certificate, mallory,
    short_integer, sign,
};
use crate::{Damage, Hash, Key, Over, SignatureBuilder, Subpacket, TestRsa, packet, tag};

pub(super) fn cases() -> Vec<Vector> {
    [
        kinds(),
        hashes(),
        times(),
        subpackets(),
        issuers(),
        damage(),
        texts(),
    ]
    .concat()
}

fn kinds() -> Vec<Vector> {
    let rsa = Key::rsa(TestRsa::Rsa3072A, BORN);
    let mut cases = vec![
        Case::by(
            "type/binary",
            "A binary signature, type 0x00.",
            &alice(),
            &binary(),
        )
        .verified(&alice()),
        Case::by(
            "type/text",
            "A text signature, type 0x01.",
            &alice(),
            &binary().with_type(1),
        )
        .verified(&alice()),
    ];
    for kind in [
        0x02, 0x10, 0x11, 0x12, 0x13, 0x18, 0x19, 0x1f, 0x20, 0x28, 0x30, 0x40, 0x50, 0x7f,
    ] {
        cases.push(
            Case::by(
                format!("type/other-{kind:02x}"),
                format!("A signature over the data of type 0x{kind:02x}."),
                &alice(),
                &binary().with_type(kind),
            )
            .refused(
                "unsupported-type",
                format!("signature type 0x{kind:02x} is not a signature over data"),
            ),
        );
    }
    for version in [2, 3, 5, 7] {
        cases.push(
            Case::by(
                format!("version/{version}"),
                format!("A signature packet of version {version}."),
                &rsa,
                &binary().with_version(version),
            )
            .refused(
                "unsupported-version",
                format!("signature version {version} is not supported, only 4 and 6 are"),
            ),
        );
    }
    let six = Key::ed25519_v6([1; 32], BORN);
    cases.extend([
        Case::by(
            "version/4",
            "A signature packet of version 4.",
            &rsa,
            &binary(),
        )
        .verified(&rsa),
        Case::by(
            "version/6",
            "A signature packet of version 6.",
            &six,
            &binary(),
        )
        .verified(&six),
        Case::by(
            "version/4-by-6",
            "A signature of version 4 by a key of version 6.",
            &six,
            &binary().with_version(4),
        )
        .refused("version-mismatch", "version 4 signature by a version 6 key"),
        Case::by(
            "version/6-by-4",
            "A signature of version 6 by a key of version 4.",
            &Key::ed25519([1; 32], BORN),
            &binary().with_version(6),
        )
        .refused("version-mismatch", "version 6 signature by a version 4 key"),
        Case::by(
            "version/6-salt-too-short",
            "A salt of 15 octets where SHA-256 has 16.",
            &six,
            &binary().with_salt([7; 15]),
        )
        .refused("malformed-signature", "malformed signature packet"),
    ]);
    cases
}

fn hashes() -> Vec<Vector> {
    let rsa = Key::rsa(TestRsa::Rsa3072A, BORN);
    let mut cases = Vec::new();
    for (hash, name) in [
        (Hash::Sha256, "SHA-256"),
        (Hash::Sha384, "SHA-384"),
        (Hash::Sha512, "SHA-512"),
        (Hash::Sha3_256, "SHA3-256"),
        (Hash::Sha3_512, "SHA3-512"),
    ] {
        for (key, family) in [(&rsa, "rsa"), (&alice(), "ed25519")] {
            let path = format!("hash/{}-{family}", name.to_lowercase());
            let signer = Signer::primary(key).with_hash(name);
            cases.push(
                Case::by(
                    path,
                    format!("{name}, which is strong."),
                    key,
                    &binary().with_hash(hash),
                )
                .verified_by(&[signer]),
            );
        }
    }
    for (hash, name) in [
        (Hash::Md5, "MD5"),
        (Hash::Sha1, "SHA-1"),
        (Hash::Ripemd160, "RIPEMD-160"),
        (Hash::Sha224, "SHA-224"),
    ] {
        cases.push(
            Case::by(
                format!("hash/{}", name.to_lowercase()),
                format!("{name}, which carries no authority."),
                &rsa,
                &binary().with_hash(hash),
            )
            .refused("weak-hash", format!("weak hash {name}")),
        );
    }
    for id in [4, 99] {
        cases.push(
            Case::by(
                format!("hash/unknown-{id}"),
                format!("Hash algorithm {id}, which nobody knows."),
                &alice(),
                &binary().with_hash(Hash::Unknown(id)),
            )
            .refused("unsupported-hash", format!("unknown hash algorithm {id}")),
        );
    }
    cases
}

fn times() -> Vec<Vector> {
    let alice = alice();
    let case = |name: &str, description: &str, signature: SignatureBuilder| {
        Case::by(format!("time/{name}"), description, &alice, &signature)
    };
    let age = NOW - SIGNED;
    let expires = |seconds| binary().with_hashed(Subpacket::expires_after(seconds));
    vec![
        case("created-missing", "No creation time at all.", binary().without_created())
            .refused("missing-creation-time", "no signed creation time"),
        case(
            "created-unhashed",
            "The creation time stands in the unhashed area only.",
            binary().without_created().with_unhashed(Subpacket::created(SIGNED)),
        )
        .refused("missing-creation-time", "no signed creation time"),
        case(
            "future-301-seconds",
            "Made 301 seconds after the time of checking.",
            binary().with_created(NOW + SKEW + 1),
        )
        .refused(
            "signed-in-future",
            "signed in the future: created 2025-01-01T00:05:01Z, now 2025-01-01T00:00:00Z",
        ),
        case(
            "future-300-seconds",
            "Made 300 seconds after the time of checking: clock skew.",
            binary().with_created(NOW + SKEW),
        )
        .verified(&alice),
        case(
            "before-key",
            "Made one second before its key.",
            binary().with_created(BORN - 1),
        )
        .refused(
            "signed-before-key",
            "signature was created 2022-12-31T23:59:59Z, before its key (2023-01-01T00:00:00Z)",
        ),
        case(
            "same-second-as-key",
            "Made in the same second as its key.",
            binary().with_created(BORN),
        )
        .verified(&alice),
        case(
            "expired-this-second",
            "The signature expires at the second of checking.",
            expires(age),
        )
        .refused(
            "signature-expired",
            "signature expired 2025-01-01T00:00:00Z, now 2025-01-01T00:00:00Z",
        ),
        case(
            "expires-next-second",
            "Checked in the last second of the signature's life.",
            expires(age),
        )
        .at(NOW - 1)
        .verified(&alice),
        case("expires-never", "An expiration of zero: never.", expires(0)).verified(&alice),
        case(
            "expired-unhashed",
            "An expiration in the unhashed area, which says nothing.",
            binary().with_unhashed(Subpacket::expires_after(1)),
        )
        .verified(&alice),
        case("max-age-met", "Exactly as old as the policy allows.", binary())
            .policy(format!("max_age = {age}"))
            .verified(&alice),
        case("max-age-exceeded", "One second older than the policy allows.", binary())
            .policy(format!("max_age = {}", age - 1))
            .refused(
                "signature-too-old",
                "signature is too old: created 2024-01-01T00:00:00Z, oldest allowed 2024-01-01T00:00:01Z",
            ),
        case("not-before-met", "Made exactly at the policy's bound.", binary())
            .policy(format!("not_before = {SIGNED}"))
            .verified(&alice),
        case("not-before-missed", "Made one second before the policy's bound.", binary())
            .policy(format!("not_before = {}", SIGNED + 1))
            .refused(
                "signed-before-bound",
                "signature was created 2024-01-01T00:00:00Z, before the bound 2024-01-01T00:00:01Z",
            ),
    ]
}

fn subpackets() -> Vec<Vector> {
    let alice = alice();
    let case = |name: &str, description: &str, signature: SignatureBuilder| {
        Case::by(format!("subpacket/{name}"), description, &alice, &signature)
    };
    let private = || Subpacket::raw(101, [1]);
    let unassigned = || Subpacket::raw(60, [1]);
    let notation = |value| Subpacket::notation("tag@example.org", value);
    let demand = r#"notations = [{ name = "tag@example.org", value = "v1" }]"#;
    vec![
        case(
            "critical-private-hashed",
            "A critical subpacket of a private type in the hashed area.",
            binary().with_hashed(private().critical()),
        )
        .refused("critical-subpacket", "unknown critical subpacket 101"),
        case(
            "critical-unassigned-hashed",
            "A critical subpacket of an unassigned type in the hashed area.",
            binary().with_hashed(unassigned().critical()),
        )
        .refused("critical-subpacket", "unknown critical subpacket 60"),
        case(
            "critical-unhashed",
            "A critical unknown subpacket in the unhashed area, where anybody could put it.",
            binary().with_unhashed(private().critical()),
        )
        .verified(&alice),
        case(
            "unknown-hashed",
            "An unknown subpacket that is not critical.",
            binary().with_hashed(private()).with_hashed(unassigned()),
        )
        .verified(&alice),
        case(
            "critical-known",
            "A critical subpacket that everybody knows: the creation time.",
            binary()
                .without_created()
                .with_hashed(Subpacket::created(SIGNED).critical()),
        )
        .verified(&alice),
        case(
            "unhashed-garbage",
            "A creation time of one octet in the unhashed area.",
            binary().with_unhashed(Subpacket::raw(2, [1])),
        )
        .refused("malformed-signature", "malformed signature packet"),
        case(
            "unhashed-embedded-garbage",
            "Garbage as an embedded signature in the unhashed area.",
            binary().with_unhashed(Subpacket::embedded_signature([4])),
        )
        .refused("malformed-signature", "malformed signature packet"),
        case(
            "five-octet-length",
            "The creation time with its length in five octets.",
            binary()
                .without_created()
                .with_hashed(Subpacket::created(SIGNED).with_five_octet_length()),
        )
        .verified(&alice),
        case(
            "notation-critical",
            "A critical notation that nobody asked for.",
            binary().with_hashed(notation("v1").critical()),
        )
        .refused(
            "critical-notation",
            "unknown critical notation `tag@example.org`",
        ),
        case(
            "notation-critical-escapes",
            "A critical notation whose name would clear a terminal's line.",
            binary().with_hashed(Subpacket::notation("\u{1b}[2K\r@example.org", "").critical()),
        )
        .refused(
            "critical-notation",
            "unknown critical notation `\\u{1b}[2K\\u{d}@example.org`",
        ),
        case(
            "notation-critical-unhashed",
            "A critical notation in the unhashed area, where anybody could put it.",
            binary().with_unhashed(notation("v1").critical()),
        )
        .verified(&alice),
        case(
            "notation-not-critical",
            "A notation that nobody asked for, not critical.",
            binary().with_hashed(notation("v1")),
        )
        .verified(&alice),
        case(
            "notation-critical-demanded",
            "A critical notation that the policy demands.",
            binary().with_hashed(notation("v1").critical()),
        )
        .policy(demand)
        .verified(&alice),
        case(
            "notation-demanded",
            "The notation that the policy demands.",
            binary().with_hashed(notation("v1")),
        )
        .policy(demand)
        .verified(&alice),
        case(
            "notation-missing",
            "The demanded notation is missing.",
            binary(),
        )
        .policy(demand)
        .refused(
            "notation-missing",
            "required notation `tag@example.org` is missing",
        ),
        case(
            "notation-other-value",
            "The demanded notation has another value, of which the demanded one is the beginning.",
            binary().with_hashed(notation("v10")),
        )
        .policy(demand)
        .refused(
            "notation-mismatch",
            "required notation `tag@example.org` has another value",
        ),
        case(
            "notation-unhashed",
            "The demanded notation stands in the unhashed area only.",
            binary().with_unhashed(notation("v1")),
        )
        .policy(demand)
        .refused(
            "notation-missing",
            "required notation `tag@example.org` is missing",
        ),
    ]
}

fn issuers() -> Vec<Vector> {
    let alice = alice();
    let case = |name: &str, description: &str, signature: SignatureBuilder| {
        Case::by(format!("issuer/{name}"), description, &alice, &signature)
    };
    let unknown = format!("unknown issuer {}", mallory().fingerprint_hex());
    vec![
        case(
            "fingerprint-hashed",
            "Only a fingerprint in the hashed area names the issuer.",
            binary().without_issuer_key_id(),
        )
        .verified(&alice),
        case(
            "key-id-unhashed",
            "Only a key id in the unhashed area names the issuer.",
            binary().without_issuer_fingerprint(),
        )
        .verified(&alice),
        case(
            "fingerprint-unhashed",
            "Only a fingerprint in the unhashed area names the issuer.",
            binary()
                .without_issuer()
                .with_unhashed(Subpacket::issuer_fingerprint(&alice)),
        )
        .verified(&alice),
        case("missing", "Nothing names the issuer.", binary().without_issuer())
            .refused("missing-issuer", "signature names no issuer"),
        case(
            "unhashed-lies",
            "The hashed fingerprint is right and the unhashed one a stranger's: what is hashed counts.",
            binary().with_unhashed(Subpacket::issuer_fingerprint(&mallory())),
        )
        .verified(&alice),
        case(
            "stranger-named",
            "A good signature that names a stranger as its issuer.",
            binary()
                .without_issuer()
                .with_hashed(Subpacket::issuer_fingerprint(&mallory())),
        )
        .refused("unknown-issuer", &unknown),
        Case::new("issuer/stranger", "A good signature by a key of nobody's certificate.")
            .cert(certificate(&alice))
            .sig(sign(&mallory()))
            .refused("unknown-issuer", unknown),
        Case::new("issuer/impostor", "A stranger's signature that names the trusted key.")
            .cert(certificate(&alice))
            .sig(
                binary()
                    .without_issuer()
                    .with_hashed(Subpacket::issuer_fingerprint(&alice))
                    .sign(&mallory(), Over::Data(DATA)),
            )
            .refused("bad-signature", "signature does not match the data"),
    ]
}

fn damage() -> Vec<Vector> {
    let (alice, rsa) = (alice(), Key::rsa(TestRsa::Rsa3072A, BORN));
    let (two, six) = (Key::ed25519([1; 32], BORN), Key::ed25519_v6([1; 32], BORN));
    let bad = ("bad-signature", "signature does not match the data");
    let malformed = ("malformed-signature", "malformed signature packet");
    let case = |name: &str, description: &str, key: &Key, signature: SignatureBuilder| {
        Case::by(format!("damage/{name}"), description, key, &signature)
    };
    let body = |name: &str, description: &str, body: &[u8]| {
        Case::new(format!("damage/{name}"), description)
            .cert(certificate(&alice))
            .sig(packet(tag::SIGNATURE, body))
    };
    let flipped = || binary().with_damage(Damage::FlipBit(0));
    vec![
        case(
            "bit-flipped-rsa",
            "One bit of an RSA signature flipped.",
            &rsa,
            flipped(),
        )
        .refused(bad.0, bad.1),
        case(
            "bit-flipped-legacy",
            "One bit of S flipped, algorithm 22.",
            &alice,
            flipped(),
        )
        .refused(bad.0, bad.1),
        case(
            "bit-flipped-ed25519",
            "One bit of S flipped, algorithm 27.",
            &two,
            flipped(),
        )
        .refused(bad.0, bad.1),
        case(
            "bit-flipped-v6",
            "One bit of S flipped, version 6.",
            &six,
            flipped(),
        )
        .refused(bad.0, bad.1),
        case(
            "digest-prefix",
            "The two octets that hint at the digest are others.",
            &alice,
            binary().with_digest_prefix([0, 0]),
        )
        .refused(bad.0, bad.1),
        case(
            "rsa-plus-modulus",
            "An RSA signature with the modulus added to it.",
            &rsa,
            binary().with_damage(Damage::AddModulus),
        )
        .refused(bad.0, bad.1),
        case(
            "rsa-leading-zeros",
            "An RSA signature whose integer has two zero octets in front: the value is the same.",
            &rsa,
            binary().with_damage(Damage::LeadingZeros(2)),
        )
        .verified(&rsa),
        case(
            "rsa-zero",
            "An RSA signature of zero.",
            &rsa,
            binary().with_value([0, 0]),
        )
        .refused(bad.0, bad.1),
        case(
            "rsa-one",
            "An RSA signature of one.",
            &rsa,
            binary().with_value([0, 1, 1]),
        )
        .refused(bad.0, bad.1),
        Case::new(
            "damage/legacy-short-integer",
            "Algorithm 22 where R or S begins with a zero octet, which its integer lacks.",
        )
        .cert(certificate(&alice))
        .sig(short_integer(&alice))
        .verified(&alice),
        case(
            "legacy-s-not-reduced",
            "Algorithm 22, the order of the base point added to S.",
            &alice,
            binary().with_damage(Damage::AddOrder),
        )
        .refused(bad.0, bad.1),
        case(
            "ed25519-s-not-reduced",
            "Algorithm 27, the order of the base point added to S.",
            &two,
            binary().with_damage(Damage::AddOrder),
        )
        .refused(bad.0, bad.1),
        case(
            "v6-s-not-reduced",
            "Version 6, the order of the base point added to S.",
            &six,
            binary().with_damage(Damage::AddOrder),
        )
        .refused(bad.0, bad.1),
        case(
            "packet-short",
            "The last five octets of the packet are missing.",
            &alice,
            binary().with_damage(Damage::Truncate(5)),
        )
        .refused(malformed.0, malformed.1),
        case(
            "packet-long",
            "One octet follows the signature inside its packet.",
            &alice,
            binary().with_damage(Damage::Extend(1)),
        )
        .refused(malformed.0, malformed.1),
        case(
            "subpacket-short",
            "A subpacket claims more octets than its area has.",
            &alice,
            binary().with_hashed_area([5, 2, 0, 0]),
        )
        .refused(malformed.0, malformed.1),
        case(
            "subpacket-empty",
            "A subpacket of length zero, which has no room for its type.",
            &alice,
            binary().with_hashed_area([0]),
        )
        .refused(malformed.0, malformed.1),
        body("packet-empty", "A signature packet without an octet.", &[])
            .refused(malformed.0, malformed.1),
        body("packet-one-octet", "A signature packet of one octet.", &[4])
            .refused(malformed.0, malformed.1),
        body(
            "area-too-long",
            "The hashed area claims more octets than the packet has.",
            &[4, 0, 22, 8, 0xff, 0xff, 0, 0],
        )
        .refused(malformed.0, malformed.1),
        Case::by(
            "damage/data-altered",
            "One letter of the data differs.",
            &alice,
            &binary(),
        )
        .data("tool 1.0\nfirst releasE\n")
        .refused(bad.0, bad.1),
        Case::by(
            "damage/data-short",
            "The last octet of the data is missing.",
            &alice,
            &binary(),
        )
        .data(&DATA[..DATA.len() - 1])
        .refused(bad.0, bad.1),
        Case::by(
            "damage/data-long",
            "One octet follows the data.",
            &alice,
            &binary(),
        )
        .data([DATA, b"\n"].concat())
        .refused(bad.0, bad.1),
        Case::by("damage/data-gone", "No data at all.", &alice, &binary())
            .data("")
            .refused(bad.0, bad.1),
        Case::new("damage/data-empty", "A signature over empty data.")
            .cert(certificate(&alice))
            .data("")
            .sig(binary().sign(&alice, Over::Data(b"")))
            .verified(&alice),
    ]
}

fn texts() -> Vec<Vector> {
    let alice = alice();
    let bad = ("bad-signature", "signature does not match the data");
    let text = |name: &str, description: &str, signed: &[u8], given: &[u8]| {
        Case::new(format!("text/{name}"), description)
            .cert(certificate(&alice))
            .data(given)
            .sig(binary().with_type(1).sign(&alice, Over::Data(signed)))
    };
    vec![
        text(
            "lf-as-crlf",
            "Signed with LF, given with CRLF.",
            b"a\nb\n",
            b"a\r\nb\r\n",
        )
        .verified(&alice),
        text(
            "crlf-as-lf",
            "Signed with CRLF, given with LF.",
            b"a\r\nb\r\n",
            b"a\nb\n",
        )
        .verified(&alice),
        text(
            "mixed",
            "LF and CRLF in one text.",
            b"a\nb\r\n\n\r\nc",
            b"a\r\nb\n\r\n\nc",
        )
        .verified(&alice),
        text(
            "lone-cr",
            "A CR alone is no line end and stays as it is.",
            b"a\rb\n\r\r\n",
            b"a\rb\n\r\r\n",
        )
        .verified(&alice),
        text(
            "lone-cr-as-lf",
            "A CR alone is no line end: LF is another text.",
            b"a\rb\n",
            b"a\nb\n",
        )
        .refused(bad.0, bad.1),
        text(
            "trailing-space",
            "Spaces before a line end count, but in clear-signed texts.",
            b"a\nb\n",
            b"a \nb\n",
        )
        .refused(bad.0, bad.1),
        text(
            "last-line-end",
            "The last line end counts.",
            b"a\nb\n",
            b"a\nb",
        )
        .refused(bad.0, bad.1),
        Case::new(
            "text/binary-as-crlf",
            "A binary signature, its data given with CRLF.",
        )
        .cert(certificate(&alice))
        .data("tool 1.0\r\nfirst release\r\n")
        .sig(sign(&alice))
        .refused(bad.0, bad.1),
    ]
}
