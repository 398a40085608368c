//! Rule 5: which keys a signature may rest on.

use super::{BORN, Case, DATA, ID, Signer, Vector, alice, binary, certificate};
use crate::{
    Binding, CertificateBuilder, Key, Over, SMALL_ORDER_POINTS, TestRsa, algorithm, key_flags, mpi,
};

pub(super) fn cases() -> Vec<Vector> {
    [rsa(), edwards(), others(), roles()].concat()
}

fn by(name: &str, description: impl Into<String>, key: &Key) -> Case {
    Case::by(format!("key/{name}"), description, key, &binary())
}

fn rsa() -> Vec<Vector> {
    let of = |name| Key::rsa(name, BORN);
    let exponent = |octets: &[u8]| Key::rsa_with_exponent(TestRsa::Rsa3072A, octets, BORN);
    let weak = |bits| format!("RSA primary key has {bits} bits, policy needs 3072");
    let large = |bits| format!("RSA primary key has {bits} bits, the limit is 8192");
    let mut cases = vec![
        by("rsa-2048", "RSA of 2048 bits.", &of(TestRsa::Rsa2048A)).refused("weak-key", weak(2048)),
        by("rsa-3071", "RSA of 3071 bits: one too few.", &of(TestRsa::Rsa3071A))
            .refused("weak-key", weak(3071)),
        by(
            "rsa-2048-padded",
            "RSA of 2048 bits whose modulus has 128 zero octets in front: its integer claims 3072 bits.",
            &of(TestRsa::Rsa2048A).with_padded_modulus(128),
        )
        .refused("weak-key", weak(2048)),
    ];
    for (name, key) in [
        ("rsa-3072", of(TestRsa::Rsa3072A)),
        ("rsa-4096", of(TestRsa::Rsa4096A)),
        ("rsa-8192", of(TestRsa::Rsa8192A)),
        ("rsa-exponent-3", of(TestRsa::Rsa3072E3)),
        (
            "rsa-exponent-largest-prime",
            exponent(&[0xff, 0xff, 0xff, 0xfb]),
        ),
        (
            "rsa-3072-padded",
            of(TestRsa::Rsa3072A).with_padded_modulus(1),
        ),
        (
            "rsa-sign-only",
            of(TestRsa::Rsa3072A).with_algorithm(algorithm::RSA_SIGN_ONLY),
        ),
    ] {
        cases.push(by(name, "An RSA key that may be relied on.", &key).verified(&key));
    }
    let product = Key::rsa_product(
        &[TestRsa::Rsa4096A, TestRsa::Rsa4096B, TestRsa::Rsa2048A],
        BORN,
    );
    let bits = product.modulus().map_or(0, rsa::BigUint::bits);
    let mut above = vec![0; 1025];
    (above[0], above[1024]) = (1, 1);
    cases.extend([
        by(
            "rsa-10240",
            "RSA of some 10240 bits, whose signatures hold.",
            &product,
        )
        .refused("key-too-large", large(bits)),
        by(
            "rsa-8193",
            "RSA of 8193 bits: one too many.",
            &Key::rsa_raw(&above, &[1, 0, 1], BORN),
        )
        .refused("key-too-large", large(8193)),
    ]);
    let mut even = vec![0xff; 384];
    even[383] = 0xfe;
    for (name, description, key) in [
        (
            "rsa-exponent-0",
            "Public exponent 0.",
            Key::rsa_raw(&[0xff; 384], &[0], BORN),
        ),
        (
            "rsa-exponent-1",
            "Public exponent 1: anybody can sign, and this signature fits.",
            exponent(&[1]),
        ),
        ("rsa-exponent-2", "Public exponent 2.", exponent(&[2])),
        (
            "rsa-exponent-even",
            "Public exponent 65536.",
            exponent(&[1, 0, 0]),
        ),
        (
            "rsa-exponent-above-2-32",
            "Public exponent 2^32 + 15, a prime.",
            exponent(&[1, 0, 0, 0, 15]),
        ),
        (
            "rsa-modulus-even",
            "An even modulus.",
            Key::rsa_raw(&even, &[1, 0, 1], BORN),
        ),
    ] {
        cases.push(by(name, description, &key).refused(
            "unsafe-rsa-key",
            "RSA primary key has an unsafe modulus or public exponent",
        ));
    }
    let bar = "min_rsa_bits = 4096";
    cases.extend([
        by(
            "bar-4096-rsa-3072",
            "RSA-3072 where the policy needs 4096.",
            &of(TestRsa::Rsa3072A),
        )
        .policy(bar)
        .refused(
            "weak-key",
            "RSA primary key has 3072 bits, policy needs 4096",
        ),
        by(
            "bar-4096-rsa-4096",
            "RSA-4096 where the policy needs 4096.",
            &of(TestRsa::Rsa4096A),
        )
        .policy(bar)
        .verified(&of(TestRsa::Rsa4096A)),
        by(
            "bar-4096-ed25519",
            "Ed25519, which a bar for RSA does not touch.",
            &alice(),
        )
        .policy(bar)
        .verified(&alice()),
    ]);
    cases
}

fn edwards() -> Vec<Vector> {
    let mut cases = Vec::new();
    for (name, description, key) in [
        ("ed25519-legacy", "Ed25519, algorithm 22.", alice()),
        (
            "ed25519",
            "Ed25519, algorithm 27, version 4.",
            Key::ed25519([1; 32], BORN),
        ),
        (
            "ed25519-v6",
            "Ed25519, algorithm 27, version 6.",
            Key::ed25519_v6([1; 32], BORN),
        ),
    ] {
        cases.push(by(name, description, &key).verified(&key));
    }
    let unsafe_point = ("unsafe-point", "Ed25519 primary key is not a safe point");
    for (index, point) in SMALL_ORDER_POINTS.into_iter().enumerate() {
        let key = Key::ed25519_legacy_point(point, BORN);
        let description = "Algorithm 22, a point of small order.";
        cases.push(
            by(&format!("small-order-{index:02}-legacy"), description, &key)
                .refused(unsafe_point.0, unsafe_point.1),
        );
        let key = Key::ed25519_point(point, BORN);
        let description = "Algorithm 27, a point of small order.";
        cases.push(
            by(&format!("small-order-{index:02}"), description, &key)
                .refused(unsafe_point.0, unsafe_point.1),
        );
    }
    // The prime is 2^255 - 19: y = p + 3 and p + 4 are y = 3 and 4 in a second encoding.
    for above in [3, 4] {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (0xed + above, 0x7f);
        cases.push(
            by(
                &format!("not-canonical-{above}"),
                "A y coordinate that is not below the prime.",
                &Key::ed25519_point(point, BORN),
            )
            .refused(unsafe_point.0, unsafe_point.1),
        );
    }
    cases
}

fn others() -> Vec<Vector> {
    let refuse = |name: &str, description: &str, shown: &str, key: Key| {
        by(name, description, &key).refused(
            "unsupported-key-algorithm",
            format!("primary key algorithm {shown} is not accepted, only RSA and Ed25519 are"),
        )
    };
    // 1.2.840.10045.3.1.7 with its length, then any point.
    let other_curve = [
        &[8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07][..],
        &mpi(&[4; 65]),
    ]
    .concat();
    let legacy = alice();
    vec![
        refuse("dsa", "DSA.", "DSA", Key::dsa_placeholder(BORN)),
        refuse(
            "ecdsa",
            "ECDSA on P-256.",
            "ECDSA",
            Key::ecdsa_placeholder(BORN),
        ),
        refuse(
            "ed448",
            "Ed448.",
            "Ed448",
            Key::raw(4, algorithm::ED448, [5; 57], BORN),
        ),
        refuse(
            "ed448-v6",
            "Ed448, version 6.",
            "Ed448",
            Key::raw(6, algorithm::ED448, [5; 57], BORN),
        ),
        refuse(
            "eddsa-other-curve",
            "EdDSA as algorithm 22, on a curve that is not Ed25519.",
            "EdDSA",
            Key::raw(4, algorithm::EDDSA_LEGACY, other_curve, BORN),
        ),
        refuse(
            "eddsa-legacy-v6",
            "Algorithm 22 in version 6, where it must not be.",
            "EdDSA",
            legacy.with_version(6),
        ),
        refuse(
            "private-algorithm",
            "Algorithm 100, which nobody knows.",
            "100",
            Key::raw(4, 100, [7; 40], BORN),
        ),
    ]
}

fn roles() -> Vec<Vector> {
    let bound = |primary: &Key, subkey: &Key| {
        CertificateBuilder::simple(primary, ID, BORN)
            .with_subkey(subkey, &Binding::new(key_flags::SIGN, BORN))
            .build()
    };
    let case = |name: &str, description: &str, primary: &Key, subkey: &Key| {
        Case::new(format!("key/{name}"), description)
            .cert(bound(primary, subkey))
            .sig(binary().sign(subkey, Over::Data(DATA)))
    };
    let (weak, strong) = (
        Key::rsa(TestRsa::Rsa2048A, BORN),
        Key::rsa(TestRsa::Rsa3072A, BORN),
    );
    let small = Key::ed25519_legacy_point(SMALL_ORDER_POINTS[0], BORN);
    vec![
        case(
            "weak-primary-strong-subkey",
            "A subkey of 3072 bits below a primary key of 2048.",
            &weak,
            &strong,
        )
        .refused(
            "weak-key",
            "RSA primary key has 2048 bits, policy needs 3072",
        ),
        case(
            "strong-primary-weak-subkey",
            "A subkey of 2048 bits below a primary key of 3072.",
            &strong,
            &weak,
        )
        .refused("weak-key", "RSA subkey has 2048 bits, policy needs 3072"),
        case(
            "strong-primary-unsafe-subkey",
            "A subkey that is the identity.",
            &strong,
            &small,
        )
        .refused("unsafe-point", "Ed25519 subkey is not a safe point"),
        case(
            "dsa-primary-strong-subkey",
            "An Ed25519 subkey below a DSA primary key.",
            &Key::dsa_placeholder(BORN),
            &alice(),
        )
        .refused(
            "unsupported-key-algorithm",
            "primary key algorithm DSA is not accepted, only RSA and Ed25519 are",
        ),
        case(
            "strong-primary-dsa-subkey",
            "A DSA subkey below an RSA primary key.",
            &strong,
            &Key::dsa_placeholder(BORN),
        )
        .refused(
            "unsupported-key-algorithm",
            "subkey algorithm DSA is not accepted, only RSA and Ed25519 are",
        ),
        case(
            "rsa-primary-ed25519-subkey",
            "Both are strong.",
            &strong,
            &alice(),
        )
        .verified_by(&[Signer::subkey(&strong, &alice())]),
        Case::new(
            "key/strong-primary-beside-weak-subkey",
            "The primary key signs; that a subkey is weak does not matter.",
        )
        .cert(bound(&strong, &weak))
        .sig(binary().sign(&strong, Over::Data(DATA)))
        .verified(&strong),
        Case::new(
            "key/other-key",
            "A good signature, checked with the certificate of another key.",
        )
        .cert(certificate(&strong))
        .sig(binary().sign(&alice(), Over::Data(DATA)))
        .refused(
            "unknown-issuer",
            format!("unknown issuer {}", alice().fingerprint_hex()),
        ),
    ]
}
