//! Signature packets of versions 3, 4 and 6, good and damaged.

use rsa::BigUint;

use crate::hash::Hash;
use crate::key::{Key, SignatureValue};
use crate::packet::{packet, tag};
use crate::subpacket::Subpacket;

/// Signature type ids (RFC 9580 section 5.2.1).
pub mod signature_type {
    /// A binary document.
    pub const BINARY: u8 = 0x00;
    /// A text document.
    pub const TEXT: u8 = 0x01;
    /// Standalone: over its own subpackets.
    pub const STANDALONE: u8 = 0x02;
    /// Generic certification of a user id.
    pub const CERTIFICATION: u8 = 0x10;
    /// Persona certification of a user id.
    pub const PERSONA: u8 = 0x11;
    /// Casual certification of a user id.
    pub const CASUAL: u8 = 0x12;
    /// Positive certification of a user id.
    pub const POSITIVE: u8 = 0x13;
    /// Subkey binding.
    pub const SUBKEY_BINDING: u8 = 0x18;
    /// Primary key binding, the back-signature.
    pub const PRIMARY_KEY_BINDING: u8 = 0x19;
    /// Direct key.
    pub const DIRECT_KEY: u8 = 0x1f;
    /// Key revocation.
    pub const KEY_REVOCATION: u8 = 0x20;
    /// Subkey revocation.
    pub const SUBKEY_REVOCATION: u8 = 0x28;
    /// Certification revocation.
    pub const CERTIFICATION_REVOCATION: u8 = 0x30;
    /// Timestamp.
    pub const TIMESTAMP: u8 = 0x40;
    /// Third-party confirmation.
    pub const CONFIRMATION: u8 = 0x50;
}

/// What a signature is made over; it need not fit the signature's type.
#[derive(Clone, Copy, Debug)]
pub enum Over<'a> {
    /// A document; hashed as it is, but for type [`signature_type::TEXT`], which hashes it as [`canonical_text`].
    Data(&'a [u8]),
    /// These very octets, whatever the type.
    Octets(&'a [u8]),
    /// A primary key: direct-key signatures and key revocations.
    Key(&'a Key),
    /// A primary key and a user id: certifications and their revocations.
    UserId(&'a Key, &'a [u8]),
    /// A primary key and the body of a user attribute packet.
    UserAttribute(&'a Key, &'a [u8]),
    /// A primary key and a subkey: bindings in both directions, and subkey revocations.
    Subkey(&'a Key, &'a Key),
}

/// What to spoil in a signature once it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Flip the lowest bit of an octet of the signature value, counted from its end.
    FlipBit(usize),
    /// Put zero octets in front of each integer and claim them as bits; the value stays the same.
    LeadingZeros(usize),
    /// RSA: add the modulus to the value.
    AddModulus,
    /// Ed25519: add the order of the base point to S.
    AddOrder,
    /// Cut this many octets off the end of the packet body.
    Truncate(usize),
    /// Add this many zero octets to the end of the packet body.
    Extend(usize),
}

/// A signature in the making. By default SHA-256, of version 6 under a version 6 key and else of version 4, with a hashed
/// creation time, a hashed issuer fingerprint and, in version 4, an unhashed issuer key id.
#[derive(Clone, Debug)]
pub struct SignatureBuilder {
    version: Option<u8>,
    kind: u8,
    created: u32,
    hash: Hash,
    algorithm: Option<u8>,
    default_created: bool,
    default_fingerprint: bool,
    default_key_id: bool,
    hashed: Vec<Subpacket>,
    unhashed: Vec<Subpacket>,
    hashed_area: Option<Vec<u8>>,
    unhashed_area: Option<Vec<u8>>,
    digest_prefix: Option<[u8; 2]>,
    salt: Option<Vec<u8>>,
    claimed_key_id: Option<[u8; 8]>,
    value: Option<Vec<u8>>,
    damage: Vec<Damage>,
}

impl SignatureBuilder {
    /// A signature of the given type and creation time.
    pub fn new(kind: u8, created: u32) -> Self {
        Self {
            version: None,
            kind,
            created,
            hash: Hash::Sha256,
            algorithm: None,
            default_created: true,
            default_fingerprint: true,
            default_key_id: true,
            hashed: Vec::new(),
            unhashed: Vec::new(),
            hashed_area: None,
            unhashed_area: None,
            digest_prefix: None,
            salt: None,
            claimed_key_id: None,
            value: None,
            damage: Vec::new(),
        }
    }

    /// The packet version: 3, 4 or 6; any other has the layout of 4.
    pub fn with_version(mut self, version: u8) -> Self {
        self.version = Some(version);
        self
    }

    /// The signature type.
    pub fn with_type(mut self, kind: u8) -> Self {
        self.kind = kind;
        self
    }

    /// The creation time.
    pub fn with_created(mut self, created: u32) -> Self {
        self.created = created;
        self
    }

    /// The hash.
    pub fn with_hash(mut self, hash: Hash) -> Self {
        self.hash = hash;
        self
    }

    /// The public-key algorithm id that the packet claims, instead of the signing key's.
    pub fn with_algorithm(mut self, algorithm: u8) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// One more hashed subpacket, after the default ones. It does not replace a default one: see the `without_` methods.
    pub fn with_hashed(mut self, subpacket: Subpacket) -> Self {
        self.hashed.push(subpacket);
        self
    }

    /// One more unhashed subpacket, after the default one.
    pub fn with_unhashed(mut self, subpacket: Subpacket) -> Self {
        self.unhashed.push(subpacket);
        self
    }

    /// A hashed area of these very octets, instead of all hashed subpackets.
    pub fn with_hashed_area(mut self, area: impl Into<Vec<u8>>) -> Self {
        self.hashed_area = Some(area.into());
        self
    }

    /// An unhashed area of these very octets, instead of all unhashed subpackets.
    pub fn with_unhashed_area(mut self, area: impl Into<Vec<u8>>) -> Self {
        self.unhashed_area = Some(area.into());
        self
    }

    /// No creation time by default.
    pub fn without_created(mut self) -> Self {
        self.default_created = false;
        self
    }

    /// No issuer fingerprint and no issuer key id by default.
    pub fn without_issuer(self) -> Self {
        self.without_issuer_fingerprint().without_issuer_key_id()
    }

    /// No issuer fingerprint by default.
    pub fn without_issuer_fingerprint(mut self) -> Self {
        self.default_fingerprint = false;
        self
    }

    /// No issuer key id by default.
    pub fn without_issuer_key_id(mut self) -> Self {
        self.default_key_id = false;
        self
    }

    /// No more hashed subpackets of this type among those given so far; the default ones stay.
    pub fn without_hashed(mut self, kind: u8) -> Self {
        self.hashed.retain(|subpacket| subpacket.kind() != kind);
        self
    }

    /// The two octets that hint at the digest, instead of its own first two.
    pub fn with_digest_prefix(mut self, prefix: [u8; 2]) -> Self {
        self.digest_prefix = Some(prefix);
        self
    }

    /// The salt of a version 6 signature, of any size; by default it has the right size and derives from type and time.
    pub fn with_salt(mut self, salt: impl Into<Vec<u8>>) -> Self {
        self.salt = Some(salt.into());
        self
    }

    /// The key id that a version 3 signature claims, instead of the signing key's.
    pub fn with_key_id(mut self, key_id: [u8; 8]) -> Self {
        self.claimed_key_id = Some(key_id);
        self
    }

    /// These very octets in place of the signature value.
    pub fn with_value(mut self, value: impl Into<Vec<u8>>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Spoil the signature; several kinds of damage add up in the order given.
    pub fn with_damage(mut self, damage: Damage) -> Self {
        self.damage.push(damage);
        self
    }

    /// The signature packet, header in new format.
    pub fn sign(&self, key: &Key, over: Over<'_>) -> Vec<u8> {
        packet(tag::SIGNATURE, &self.sign_body(key, over))
    }

    /// The body of the signature packet, as an embedded signature wants it.
    ///
    /// # Panics
    /// Where an area outgrows its length field, or damage is asked for that the algorithm has no room for.
    pub fn sign_body(&self, key: &Key, over: Over<'_>) -> Vec<u8> {
        let version = self
            .version
            .unwrap_or(if key.version() == 6 { 6 } else { 4 });
        let algorithm = self.algorithm.unwrap_or(key.algorithm());
        let salt = self.salt.clone().unwrap_or_else(|| self.default_salt());

        let mut head = vec![version, self.kind, algorithm, self.hash.id()];
        let mut hashed = if version == 6 {
            salt.clone()
        } else {
            Vec::new()
        };
        hashed.extend(self.hashed_form(version, over));
        if version == 3 {
            hashed.push(self.kind);
            hashed.extend_from_slice(&self.created.to_be_bytes());
        } else {
            let area = self.hashed_area(key);
            head.extend(area_length(version, area.len()));
            head.extend(area);
            // The trailer (RFC 9580 section 5.2.4): what was hashed of this packet, by its length modulo 2^32.
            hashed.extend_from_slice(&head);
            hashed.extend_from_slice(&[version, 0xff]);
            hashed.extend_from_slice(&(head.len() as u32).to_be_bytes());
        }
        let digest = self.hash.digest(&hashed);

        let mut body = if version == 3 {
            /// The count of the hashed octets that follow: type and creation time.
            const HASHED_OCTETS: u8 = 5;
            let key_id = self.claimed_key_id.unwrap_or_else(|| key.key_id());
            let time = self.created.to_be_bytes();
            [
                &[version, HASHED_OCTETS, self.kind][..],
                &time,
                &key_id,
                &[algorithm, self.hash.id()],
            ]
            .concat()
        } else {
            let area = self.unhashed_area(key, version);
            head.extend(area_length(version, area.len()));
            head.extend(area);
            head
        };
        body.extend_from_slice(&self.digest_prefix.unwrap_or([digest[0], digest[1]]));
        if version == 6 {
            body.push(u8::try_from(salt.len()).expect("a salt of at most 255 octets"));
            body.extend_from_slice(&salt);
        }
        body.extend(self.value(key, &digest));
        for damage in &self.damage {
            match *damage {
                Damage::Truncate(count) => body.truncate(body.len() - count),
                Damage::Extend(count) => body.extend(vec![0; count]),
                _ => {}
            }
        }
        body
    }

    pub(crate) fn created(&self) -> u32 {
        self.created
    }

    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }

    fn hashed_form(&self, version: u8, over: Over<'_>) -> Vec<u8> {
        // Version 3 hashes identities without a prefix.
        let identity = |prefix: u8, body: &[u8]| {
            let size = u32::try_from(body.len())
                .expect("a user id below 4 GiB")
                .to_be_bytes();
            if version == 3 {
                body.to_vec()
            } else {
                [&[prefix][..], &size, body].concat()
            }
        };
        match over {
            Over::Data(data) if self.kind == signature_type::TEXT => canonical_text(data),
            Over::Data(data) | Over::Octets(data) => data.to_vec(),
            Over::Key(primary) => primary.hashed_form(version),
            Over::UserId(primary, id) => {
                [primary.hashed_form(version), identity(0xb4, id)].concat()
            }
            Over::UserAttribute(primary, body) => {
                [primary.hashed_form(version), identity(0xd1, body)].concat()
            }
            Over::Subkey(primary, subkey) => {
                [primary.hashed_form(version), subkey.hashed_form(version)].concat()
            }
        }
    }

    fn hashed_area(&self, key: &Key) -> Vec<u8> {
        self.hashed_area.clone().unwrap_or_else(|| {
            let created = self
                .default_created
                .then(|| Subpacket::created(self.created));
            let issuer = self
                .default_fingerprint
                .then(|| Subpacket::issuer_fingerprint(key));
            created
                .iter()
                .chain(&issuer)
                .chain(&self.hashed)
                .flat_map(Subpacket::to_bytes)
                .collect()
        })
    }

    fn unhashed_area(&self, key: &Key, version: u8) -> Vec<u8> {
        self.unhashed_area.clone().unwrap_or_else(|| {
            // RFC 9580 section 5.2.3.12 forbids the key id beside a version 6 key.
            let issuer =
                (self.default_key_id && version != 6).then(|| Subpacket::issuer_key_id(key));
            issuer
                .iter()
                .chain(&self.unhashed)
                .flat_map(Subpacket::to_bytes)
                .collect()
        })
    }

    fn default_salt(&self) -> Vec<u8> {
        let mut salt = Hash::Sha512.digest(
            &[
                &[self.kind, self.hash.id()],
                &self.created.to_be_bytes()[..],
            ]
            .concat(),
        );
        salt.truncate(self.hash.salt_length());
        salt
    }

    fn value(&self, key: &Key, digest: &[u8]) -> Vec<u8> {
        if let Some(value) = &self.value {
            return value.clone();
        }
        let mut value = key.sign(self.hash, digest);
        let mut zeros = 0;
        for damage in &self.damage {
            match *damage {
                Damage::FlipBit(from_end) => flip_bit(&mut value, from_end),
                Damage::LeadingZeros(count) => zeros += count,
                Damage::AddModulus => add_modulus(&mut value, key),
                Damage::AddOrder => value.add_ed25519_order(),
                Damage::Truncate(_) | Damage::Extend(_) => {}
            }
        }
        value.to_bytes_padded(zeros)
    }
}

/// The text as a signature of type [`signature_type::TEXT`] hashes it: every line ends in CR LF; a CR alone stays.
pub fn canonical_text(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut last = 0;
    for &octet in text {
        if octet == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(octet);
        last = octet;
    }
    out
}

fn area_length(version: u8, size: usize) -> Vec<u8> {
    if version == 6 {
        u32::try_from(size)
            .expect("an area below 4 GiB")
            .to_be_bytes()
            .to_vec()
    } else {
        u16::try_from(size)
            .expect("an area below 64 KiB")
            .to_be_bytes()
            .to_vec()
    }
}

fn flip_bit(value: &mut SignatureValue, from_end: usize) {
    let mut octets: Vec<&mut u8> = match value {
        SignatureValue::Integers(numbers) => numbers.iter_mut().flatten().collect(),
        SignatureValue::Octets(octets) => octets.iter_mut().collect(),
    };
    let index = octets.len() - 1 - from_end;
    *octets[index] ^= 1;
}

fn add_modulus(value: &mut SignatureValue, key: &Key) {
    let (SignatureValue::Integers(numbers), Some(modulus)) = (value, key.modulus()) else {
        panic!("only an RSA key has a modulus to add")
    };
    numbers[0] = (BigUint::from_bytes_be(&numbers[0]) + modulus).to_bytes_be();
}

#[cfg(test)]
mod tests {
    use super::{Damage, Over, SignatureBuilder, canonical_text, signature_type};
    use crate::{Hash, Key, Subpacket, TestRsa};

    const TIME: u32 = 0x6543_2100;

    #[test]
    fn text_lines_end_in_cr_lf() {
        assert_eq!(
            canonical_text(b"a\nb\r\nc\rd\n\n"),
            b"a\r\nb\r\nc\rd\r\n\r\n"
        );
    }

    #[test]
    fn version_4_layout_is_exact() {
        let key = Key::ed25519_legacy([1; 32], 1);
        let body = SignatureBuilder::new(signature_type::BINARY, TIME)
            .without_issuer()
            .with_unhashed(Subpacket::raw(100, [7]))
            .with_digest_prefix([0xaa, 0xbb])
            .with_value([1, 2, 3])
            .sign_body(&key, Over::Data(b""));
        let expected = [
            4, 0, 22, 8, 0, 6, 5, 2, 0x65, 0x43, 0x21, 0, 0, 3, 2, 100, 7, 0xaa, 0xbb, 1, 2, 3,
        ];
        assert_eq!(body, expected);
    }

    #[test]
    fn version_3_layout_is_exact() {
        let key = Key::rsa(TestRsa::Rsa3072A, 1);
        let builder = SignatureBuilder::new(signature_type::BINARY, TIME)
            .with_version(3)
            .with_key_id([9; 8]);
        let body = builder.sign_body(&key, Over::Data(b"x"));
        let digest = Hash::Sha256.digest(&[b'x', 0, 0x65, 0x43, 0x21, 0]);
        let head = [
            3, 5, 0, 0x65, 0x43, 0x21, 0, 9, 9, 9, 9, 9, 9, 9, 9, 1, 8, digest[0], digest[1],
        ];
        assert_eq!(
            body,
            [&head[..], &key.sign(Hash::Sha256, &digest).to_bytes()].concat()
        );
    }

    #[test]
    fn version_6_salt_has_the_size_of_its_hash() {
        let key = Key::ed25519_v6([1; 32], 1);
        for (hash, size) in [(Hash::Sha256, 16), (Hash::Sha384, 24), (Hash::Sha512, 32)] {
            let builder = SignatureBuilder::new(0, TIME)
                .with_hash(hash)
                .with_hashed_area([])
                .with_unhashed_area([]);
            let body = builder.sign_body(&key, Over::Data(b""));
            assert_eq!(body[..12], [6, 0, 27, hash.id(), 0, 0, 0, 0, 0, 0, 0, 0]);
            assert_eq!((body[14], body.len()), (size, 15 + usize::from(size) + 64));
        }
    }

    #[test]
    fn damage_changes_what_it_says() {
        let rsa = Key::rsa(TestRsa::Rsa2048A, 1);
        let edwards = Key::ed25519([1; 32], 1);
        let good = SignatureBuilder::new(0, TIME);
        let make = |key: &Key, damage: Damage| {
            good.clone()
                .with_damage(damage)
                .sign_body(key, Over::Data(b"x"))
        };
        let sound = good.sign_body(&edwards, Over::Data(b"x"));

        let flipped = make(&edwards, Damage::FlipBit(0));
        assert_eq!(flipped[..flipped.len() - 1], sound[..sound.len() - 1]);
        assert_eq!(flipped.last().map(|octet| octet ^ 1), sound.last().copied());

        let unreduced = make(&edwards, Damage::AddOrder);
        let start = sound.len() - 32;
        assert_eq!(unreduced[..start], sound[..start]);
        assert_eq!(unreduced[start], sound[start].wrapping_add(0xed));
        assert!(unreduced.last() >= Some(&0x10));

        assert_eq!(
            make(&edwards, Damage::Truncate(5)),
            sound[..sound.len() - 5]
        );
        assert_eq!(
            make(&edwards, Damage::Extend(1)),
            [&sound[..], &[0]].concat()
        );

        let plain = good.sign_body(&rsa, Over::Data(b"x"));
        assert_eq!(make(&rsa, Damage::LeadingZeros(3)).len(), plain.len() + 3);
        assert_ne!(make(&rsa, Damage::AddModulus), plain);
    }
}
