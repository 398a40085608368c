//! Keys: public packet bodies, fingerprints, and raw signing of a digest.

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use rsa::BigUint;

use crate::hash::Hash;
use crate::packet::{mpi, mpi_padded};
use crate::rsa_key::{RsaPrivate, TestRsa};

/// Public-key algorithm ids (RFC 9580 section 9.1).
pub mod algorithm {
    /// RSA, to encrypt or sign.
    pub const RSA: u8 = 1;
    /// RSA, to encrypt only.
    pub const RSA_ENCRYPT_ONLY: u8 = 2;
    /// RSA, to sign only.
    pub const RSA_SIGN_ONLY: u8 = 3;
    /// DSA.
    pub const DSA: u8 = 17;
    /// ECDSA.
    pub const ECDSA: u8 = 19;
    /// EdDSA, legacy form with a curve OID.
    pub const EDDSA_LEGACY: u8 = 22;
    /// X25519.
    pub const X25519: u8 = 25;
    /// Ed25519.
    pub const ED25519: u8 = 27;
    /// Ed448.
    pub const ED448: u8 = 28;
}

/// The OID of Ed25519 in legacy keys, 1.3.6.1.4.1.11591.15.1, without tag and length.
pub const CURVE_ED25519_LEGACY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// The OID of NIST P-256, 1.2.840.10045.3.1.7, without tag and length.
pub const CURVE_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// The order of the Ed25519 base point, little endian (RFC 8032 section 5.1).
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The encodings of the Ed25519 points of small order: eight canonical ones, then six that are not.
pub const SMALL_ORDER_POINTS: [[u8; 32]; 14] = {
    /// The y coordinate of a point of order 8, and of another.
    const EIGHT_1: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    const EIGHT_2: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ];
    const fn with_sign(mut point: [u8; 32]) -> [u8; 32] {
        point[31] |= 0x80;
        point
    }
    const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut point = [middle; 32];
        point[0] = first;
        point[31] = last;
        point
    }
    [
        ends(1, 0, 0),          // order 1, the identity
        ends(0xec, 0xff, 0x7f), // order 2
        ends(0, 0, 0),          // order 4
        ends(0, 0, 0x80),       // order 4
        EIGHT_1,                // order 8
        with_sign(EIGHT_1),     // order 8
        EIGHT_2,                // order 8
        with_sign(EIGHT_2),     // order 8
        ends(1, 0, 0x80),       // the identity with a negative zero
        ends(0xec, 0xff, 0xff), // order 2 with a negative zero
        ends(0xed, 0xff, 0x7f), // order 4, y = p
        ends(0xed, 0xff, 0xff), // order 4, y = p, the other sign
        ends(0xee, 0xff, 0x7f), // the identity, y = p + 1
        ends(0xee, 0xff, 0xff), // the identity, y = p + 1, with a negative zero
    ]
};

/// A key: public material, and mostly the means to sign.
#[derive(Clone)]
pub struct Key {
    version: u8,
    created: u32,
    algorithm: u8,
    material: Vec<u8>,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Rsa(Arc<RsaPrivate>),
    Ed25519(Box<SigningKey>),
    /// A point of small order: signatures are found without a secret.
    SmallOrder([u8; 32]),
    /// No secret: signatures are placeholders of the right shape.
    None,
}

impl Key {
    /// An RSA key of the folder `keys/`, version 4.
    pub fn rsa(name: TestRsa, created: u32) -> Self {
        Self::from_rsa(name.private(), created)
    }

    /// An RSA key from PKCS#8 in PEM, version 4.
    ///
    /// # Panics
    /// Where `pem` is no PKCS#8 RSA key.
    pub fn rsa_from_pem(pem: &str, created: u32) -> Self {
        Self::from_rsa(Arc::new(RsaPrivate::from_pem(pem)), created)
    }

    /// The modulus of `name` with another public exponent (big endian); it signs with the private exponent that fits. An
    /// exponent of 1 is one whose signatures anybody can make; an even one has no private exponent, so no signature holds.
    pub fn rsa_with_exponent(name: TestRsa, exponent: &[u8], created: u32) -> Self {
        let private = RsaPrivate::new(&name.private().primes(), BigUint::from_bytes_be(exponent));
        Self::from_rsa(Arc::new(private), created)
    }

    /// An RSA key whose modulus is the product of those of several distinct keys: any size, no key generation, and its
    /// signatures hold. The exponent is 65537.
    ///
    /// # Panics
    /// Where a key is named twice.
    pub fn rsa_product(names: &[TestRsa], created: u32) -> Self {
        let primes: Vec<BigUint> = names
            .iter()
            .flat_map(|name| name.private().primes())
            .collect();
        Self::from_rsa(
            Arc::new(RsaPrivate::new(&primes, BigUint::from(65_537u32))),
            created,
        )
    }

    /// An RSA key from any modulus and exponent (big endian), version 4; it signs with placeholders.
    pub fn rsa_raw(modulus: &[u8], exponent: &[u8], created: u32) -> Self {
        Self::raw(
            4,
            algorithm::RSA,
            [mpi(modulus), mpi(exponent)].concat(),
            created,
        )
    }

    /// An Ed25519 key in the legacy form of version 4: algorithm 22, curve OID, point with prefix 0x40.
    pub fn ed25519_legacy(seed: [u8; 32], created: u32) -> Self {
        let secret = SigningKey::from_bytes(&seed);
        let material = legacy_material(secret.verifying_key().as_bytes());
        Self {
            version: 4,
            created,
            algorithm: algorithm::EDDSA_LEGACY,
            material,
            secret: Secret::Ed25519(Box::new(secret)),
        }
    }

    /// An Ed25519 key, algorithm 27, version 4.
    pub fn ed25519(seed: [u8; 32], created: u32) -> Self {
        let secret = SigningKey::from_bytes(&seed);
        let material = secret.verifying_key().to_bytes().to_vec();
        Self {
            version: 4,
            created,
            algorithm: algorithm::ED25519,
            material,
            secret: Secret::Ed25519(Box::new(secret)),
        }
    }

    /// An Ed25519 key, algorithm 27, version 6.
    pub fn ed25519_v6(seed: [u8; 32], created: u32) -> Self {
        Self::ed25519(seed, created).with_version(6)
    }

    /// A legacy Ed25519 key with any point, such as one of [`SMALL_ORDER_POINTS`]. For the identity its signatures always
    /// hold in a verifier that is not strict; for the other points of small order they hold mostly.
    pub fn ed25519_legacy_point(point: [u8; 32], created: u32) -> Self {
        let secret = Secret::SmallOrder(point);
        Self {
            version: 4,
            created,
            algorithm: algorithm::EDDSA_LEGACY,
            material: legacy_material(&point),
            secret,
        }
    }

    /// An Ed25519 key (algorithm 27, version 4) with any point; see [`Key::ed25519_legacy_point`].
    pub fn ed25519_point(point: [u8; 32], created: u32) -> Self {
        let secret = Secret::SmallOrder(point);
        Self {
            version: 4,
            created,
            algorithm: algorithm::ED25519,
            material: point.to_vec(),
            secret,
        }
    }

    /// A DSA key of 2048 and 256 bits, well-formed and meaningless; it signs with placeholders.
    pub fn dsa_placeholder(created: u32) -> Self {
        let number = |size: usize| mpi(&vec![0xd5; size]);
        Self::raw(
            4,
            algorithm::DSA,
            [number(256), number(32), number(256), number(256)].concat(),
            created,
        )
    }

    /// An ECDSA key on P-256 whose point is the base point; it signs with placeholders.
    pub fn ecdsa_placeholder(created: u32) -> Self {
        /// SEC 2 section 2.4.2.
        const BASE_POINT: [u8; 65] = [
            0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63,
            0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39,
            0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e,
            0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e,
            0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
        ];
        Self::raw(
            4,
            algorithm::ECDSA,
            [&with_length(CURVE_P256)[..], &mpi(&BASE_POINT)].concat(),
            created,
        )
    }

    /// A key of any version and algorithm with any public material; it signs with placeholders.
    pub fn raw(version: u8, algorithm: u8, material: impl Into<Vec<u8>>, created: u32) -> Self {
        Self {
            version,
            created,
            algorithm,
            material: material.into(),
            secret: Secret::None,
        }
    }

    fn from_rsa(private: Arc<RsaPrivate>, created: u32) -> Self {
        let material = [
            mpi(&private.modulus.to_bytes_be()),
            mpi(&private.exponent.to_bytes_be()),
        ]
        .concat();
        Self {
            version: 4,
            created,
            algorithm: algorithm::RSA,
            material,
            secret: Secret::Rsa(private),
        }
    }

    /// The same key in a packet of another version; 3, 4, 5 (LibrePGP) and 6 have a layout of their own, others that of 6.
    pub fn with_version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    /// The same key with another creation time.
    pub fn with_created(mut self, created: u32) -> Self {
        self.created = created;
        self
    }

    /// The same key under another algorithm id, such as [`algorithm::RSA_SIGN_ONLY`]; its signatures stay what they were.
    pub fn with_algorithm(mut self, algorithm: u8) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The same key with other public material; it signs as before.
    pub fn with_material(mut self, material: impl Into<Vec<u8>>) -> Self {
        self.material = material.into();
        self
    }

    /// The same RSA key whose modulus has `zeros` zero octets in front, which its MPI claims as bits.
    ///
    /// # Panics
    /// Where the key is not RSA with a secret.
    pub fn with_padded_modulus(mut self, zeros: usize) -> Self {
        let Secret::Rsa(private) = &self.secret else {
            panic!("only an RSA key has a modulus")
        };
        let modulus = mpi_padded(&private.modulus.to_bytes_be(), zeros);
        self.material = [modulus, mpi(&private.exponent.to_bytes_be())].concat();
        self
    }

    /// The version of the key packet.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The creation time.
    pub fn created(&self) -> u32 {
        self.created
    }

    /// The public-key algorithm id.
    pub fn algorithm(&self) -> u8 {
        self.algorithm
    }

    /// The public material: what follows the algorithm id (and, in version 6, the count of octets).
    pub fn material(&self) -> &[u8] {
        &self.material
    }

    /// The body of the public key packet.
    pub fn public_body(&self) -> Vec<u8> {
        /// Days until expiry, in versions 2 and 3: never.
        const NEVER: [u8; 2] = [0; 2];
        let mut body = vec![self.version];
        body.extend_from_slice(&self.created.to_be_bytes());
        if self.version < 4 {
            body.extend_from_slice(&NEVER);
        }
        body.push(self.algorithm);
        if self.version > 4 {
            body.extend_from_slice(&four_octets(self.material.len()));
        }
        body.extend_from_slice(&self.material);
        body
    }

    /// The fingerprint: 20 octets for version 4, 32 for later ones, 16 for earlier ones (RFC 9580 section 5.5.4).
    pub fn fingerprint(&self) -> Vec<u8> {
        match self.version {
            0..4 => {
                // MD5 of the octets of modulus and exponent, without their bit counts.
                let numbers = integers(&self.material);
                Hash::Md5.digest(&numbers.concat())
            }
            4 => Hash::Sha1.digest(&self.hashed_form(4)),
            version => Hash::Sha256.digest(&self.hashed_form(version)),
        }
    }

    /// The fingerprint in upper-case hexadecimal digits.
    pub fn fingerprint_hex(&self) -> String {
        self.fingerprint()
            .iter()
            .map(|octet| format!("{octet:02X}"))
            .collect()
    }

    /// The key id.
    pub fn key_id(&self) -> [u8; 8] {
        let source = match self.version {
            0..4 => integers(&self.material)
                .first()
                .expect("a version 3 key has a modulus")
                .clone(),
            _ => self.fingerprint(),
        };
        let id = if self.version > 4 {
            &source[..8]
        } else {
            &source[source.len() - 8..]
        };
        id.try_into().expect("a slice of 8 octets")
    }

    /// A signature over a digest: PKCS#1 v1.5 for RSA, Ed25519 with the digest as its message, else a placeholder.
    pub fn sign(&self, hash: Hash, digest: &[u8]) -> SignatureValue {
        let (r, s) = match &self.secret {
            Secret::Rsa(private) => {
                return SignatureValue::Integers(vec![private.sign(hash, digest)]);
            }
            Secret::Ed25519(secret) => {
                let signature = secret.sign(digest);
                (*signature.r_bytes(), *signature.s_bytes())
            }
            Secret::SmallOrder(point) => (small_order_r(point, digest), [0; 32]),
            Secret::None => return self.placeholder(digest),
        };
        if self.algorithm == algorithm::EDDSA_LEGACY {
            SignatureValue::Integers(vec![r.to_vec(), s.to_vec()])
        } else {
            SignatureValue::Octets([r, s].concat())
        }
    }

    /// A value of the shape that the algorithm asks for.
    fn placeholder(&self, digest: &[u8]) -> SignatureValue {
        const ED448_SIGNATURE: usize = 114;
        let octets =
            |size: usize| -> Vec<u8> { digest.iter().copied().cycle().take(size).collect() };
        match self.algorithm {
            1..=3 => SignatureValue::Integers(vec![octets(
                integers(&self.material).first().map_or(256, Vec::len) - 1,
            )]),
            algorithm::ED25519 => SignatureValue::Octets(octets(64)),
            algorithm::ED448 => SignatureValue::Octets(octets(ED448_SIGNATURE)),
            _ => SignatureValue::Integers(vec![octets(32), octets(32)]),
        }
    }

    /// What a hash over this key takes in, in signatures and fingerprints of the given version (RFC 9580 section 5.2.4).
    pub(crate) fn hashed_form(&self, version: u8) -> Vec<u8> {
        let body = self.public_body();
        let two_octets = || {
            u16::try_from(body.len())
                .expect("a key below 64 KiB")
                .to_be_bytes()
        };
        match version {
            0..5 => [&[0x99][..], &two_octets(), &body].concat(),
            5 => [&[0x9a][..], &four_octets(body.len()), &body].concat(),
            _ => [&[0x9b][..], &four_octets(body.len()), &body].concat(),
        }
    }

    /// The modulus, as long as its bits need.
    pub(crate) fn modulus(&self) -> Option<&BigUint> {
        match &self.secret {
            Secret::Rsa(private) => Some(&private.modulus),
            _ => None,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Key(v{}, algorithm {}, {})",
            self.version,
            self.algorithm,
            self.fingerprint_hex()
        )
    }
}

/// What an algorithm yields: integers, or octets as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureValue {
    /// Big-endian numbers that a signature packet holds as MPIs: RSA one, DSA, ECDSA and legacy EdDSA two.
    Integers(Vec<Vec<u8>>),
    /// Octets that a signature packet holds as they are: Ed25519, Ed448.
    Octets(Vec<u8>),
}

impl SignatureValue {
    /// The octets at the end of a signature packet.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_bytes_padded(0)
    }

    /// The same, each integer with zero octets in front, which its MPI claims as bits.
    pub(crate) fn to_bytes_padded(&self, zeros: usize) -> Vec<u8> {
        match self {
            Self::Integers(numbers) => numbers
                .iter()
                .flat_map(|number| mpi_padded(number, zeros))
                .collect(),
            Self::Octets(octets) => octets.clone(),
        }
    }

    /// Adds the order of the base point to S of an Ed25519 signature.
    pub(crate) fn add_ed25519_order(&mut self) {
        let s = match self {
            Self::Integers(numbers) => &mut numbers[1][..],
            Self::Octets(octets) => &mut octets[32..],
        };
        let mut carry = 0;
        for (octet, order) in s.iter_mut().zip(ED25519_ORDER) {
            let sum = u16::from(*octet) + u16::from(order) + carry;
            *octet = sum as u8;
            carry = sum >> 8;
        }
    }
}

fn legacy_material(point: &[u8; 32]) -> Vec<u8> {
    /// Marks a point in the native form of its curve.
    const NATIVE: u8 = 0x40;
    let mut material = with_length(CURVE_ED25519_LEGACY);
    material.extend(mpi(&[&[NATIVE], &point[..]].concat()));
    material
}

fn with_length(oid: &[u8]) -> Vec<u8> {
    [&[u8::try_from(oid.len()).expect("a short OID")], oid].concat()
}

/// An R that makes `(R, 0)` a signature of `digest` under a point of small order, where one of them does.
fn small_order_r(point: &[u8; 32], digest: &[u8]) -> [u8; 32] {
    let identity = SMALL_ORDER_POINTS[0];
    let Ok(key) = VerifyingKey::from_bytes(point) else {
        return identity;
    };
    let holds = |r: &[u8; 32]| {
        let signature = ed25519_dalek::Signature::from_components(*r, [0; 32]);
        ed25519_dalek::Verifier::verify(&key, digest, &signature).is_ok()
    };
    SMALL_ORDER_POINTS
        .into_iter()
        .find(holds)
        .unwrap_or(identity)
}

/// The values of the MPIs that `material` begins with.
fn integers(mut material: &[u8]) -> Vec<Vec<u8>> {
    let mut numbers = Vec::new();
    while let Some((&[high, low], rest)) = material.split_first_chunk::<2>() {
        let size = usize::from(u16::from_be_bytes([high, low])).div_ceil(8);
        let Some((number, rest)) = rest.split_at_checked(size) else {
            break;
        };
        numbers.push(number.to_vec());
        material = rest;
    }
    numbers
}

fn four_octets(size: usize) -> [u8; 4] {
    u32::try_from(size)
        .expect("a key below 4 GiB")
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Key, SMALL_ORDER_POINTS, SignatureValue};
    use crate::hash::Hash;
    use crate::rsa_key::TestRsa;

    #[test]
    fn legacy_key_body_is_exact() {
        let body = Key::ed25519_legacy([1; 32], 0x0102_0304).public_body();
        assert_eq!(body[..6], [4, 1, 2, 3, 4, 22]);
        assert_eq!(
            body[6..16],
            [9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01]
        );
        // 263 bits: seven of the prefix 0x40, 256 of the point.
        assert_eq!(body[16..19], [0x01, 0x07, 0x40]);
        assert_eq!(body.len(), 19 + 32);
    }

    #[test]
    fn version_6_counts_its_material() {
        let key = Key::ed25519_v6([1; 32], 1);
        assert_eq!(key.public_body()[..10], [6, 0, 0, 0, 1, 27, 0, 0, 0, 32]);
        assert_eq!(
            (
                key.fingerprint().len(),
                key.key_id()[..] == key.fingerprint()[..8]
            ),
            (32, true)
        );
    }

    #[test]
    fn padded_modulus_claims_more_bits() {
        let plain = Key::rsa(TestRsa::Rsa2048A, 1);
        let padded = plain.clone().with_padded_modulus(128);
        assert_eq!(plain.material()[..2], 2048u16.to_be_bytes());
        assert_eq!(padded.material()[..2], 3072u16.to_be_bytes());
        assert_eq!(padded.material().len(), plain.material().len() + 128);
    }

    #[test]
    fn identity_key_vouches_for_anything() {
        let digest = Hash::Sha256.digest(b"data");
        for point in [SMALL_ORDER_POINTS[0], SMALL_ORDER_POINTS[8]] {
            let SignatureValue::Octets(octets) =
                Key::ed25519_point(point, 1).sign(Hash::Sha256, &digest)
            else {
                panic!("algorithm 27 signs in octets")
            };
            let signature = ed25519_dalek::Signature::from_slice(&octets).expect("64 octets");
            let key = ed25519_dalek::VerifyingKey::from_bytes(&point).expect("a point");
            ed25519_dalek::Verifier::verify(&key, &digest, &signature)
                .expect("it holds where nobody is strict");
            key.verify_strict(&digest, &signature)
                .expect_err("strict verification refuses it");
        }
    }

    #[test]
    fn signing_is_deterministic() {
        let digest = Hash::Sha256.digest(b"data");
        for key in [
            Key::rsa(TestRsa::Rsa3072A, 1),
            Key::ed25519([1; 32], 1),
            Key::dsa_placeholder(1),
        ] {
            assert_eq!(
                key.sign(Hash::Sha256, &digest),
                key.sign(Hash::Sha256, &digest)
            );
        }
    }
}
