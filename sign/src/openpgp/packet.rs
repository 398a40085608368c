//! Packets as octets (RFC 9580, sections 4.2 and 5.2.3).

use std::time::Duration;

use countersign_verify::{Fingerprint, HashAlgorithm, Timestamp};

use super::error::SignError;
use crate::public_key::{PublicKey, without_zeros};
use crate::signer::{Scheme, SignRequest, SignerError};

pub(super) mod tag {
    pub(in crate::openpgp) const SIGNATURE: u8 = 2;
    pub(in crate::openpgp) const PUBLIC_KEY: u8 = 6;
    pub(in crate::openpgp) const USER_ID: u8 = 13;
}

/// Algorithm ids (RFC 9580, section 9.1).
const RSA: u8 = 1;
/// As it is in version 4 keys that GnuPG 2.2 reads.
const EDDSA_LEGACY: u8 = 22;

/// OID 1.3.6.1.4.1.11591.15.1 with its length (RFC 9580, section 9.2).
const ED25519_LEGACY_OID: &[u8] = b"\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01";

/// A packet with its header (RFC 9580, section 4.2.1).
pub(super) fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0xc0 | tag];
    put_length(&mut octets, body.len());
    octets.extend_from_slice(body);
    octets
}

/// A length in one, two or five octets (RFC 9580, sections 4.2.1 and 5.2.3.7).
fn put_length(octets: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("what is written here is far below 4 GiB");
    let [_, _, _, low] = length.to_be_bytes();
    match length {
        0..192 => octets.push(low),
        192..8384 => {
            let [_, _, high, low] = (length - 192).to_be_bytes();
            octets.extend([high + 192, low]);
        }
        _ => {
            octets.push(255);
            octets.extend(length.to_be_bytes());
        }
    }
}

/// A multiprecision integer (RFC 9580, section 3.2).
fn put_integer(octets: &mut Vec<u8>, number: &[u8]) {
    let number = without_zeros(number);
    let zeros = number.first().map_or(0, |first| first.leading_zeros());
    let bits = u32::try_from(number.len() * 8).unwrap_or(u32::MAX) - zeros;
    let bits = u16::try_from(bits).expect("no key or signature here has 65,536 bits");
    octets.extend(bits.to_be_bytes());
    octets.extend_from_slice(number);
}

/// Four octets of time; none after 2106.
pub(super) fn time_octets(time: Timestamp) -> Result<[u8; 4], SignError> {
    let seconds = u32::try_from(time.unix()).map_err(|_| SignError::TimeTooLate { time })?;
    Ok(seconds.to_be_bytes())
}

/// The body of a version 4 public key packet (RFC 9580, section 5.5.2.2).
pub(super) fn key_body(key: &PublicKey, created: Timestamp) -> Result<Vec<u8>, SignError> {
    let mut body = vec![4];
    body.extend(time_octets(created)?);
    match key {
        PublicKey::Rsa { modulus, exponent } => {
            body.push(RSA);
            put_integer(&mut body, modulus);
            put_integer(&mut body, exponent);
        }
        PublicKey::Ed25519(point) => {
            body.push(EDDSA_LEGACY);
            body.extend_from_slice(ED25519_LEGACY_OID);
            // 0x40 says that the point is in its native form (RFC 9580, section 11.2.1).
            put_integer(&mut body, &[&[0x40], point.as_slice()].concat());
        }
        PublicKey::P256(_) => {
            let found = key.to_string();
            return Err(SignError::UnsupportedKey { found });
        }
    }
    Ok(body)
}

/// A subpacket's type (RFC 9580, section 5.2.3.7), and whether who does not know it must refuse the signature.
#[derive(Debug, Clone, Copy)]
pub(super) enum Weight {
    Critical,
    Plain,
}

/// The hashed area of a signature as it grows.
#[derive(Debug, Default)]
pub(super) struct Area(Vec<u8>);

impl Area {
    fn put(&mut self, kind: u8, weight: Weight, body: &[u8]) {
        put_length(&mut self.0, body.len() + 1);
        self.0.push(match weight {
            Weight::Critical => 0x80 | kind,
            Weight::Plain => kind,
        });
        self.0.extend_from_slice(body);
    }

    /// Section 5.2.3.11.
    pub(super) fn created(&mut self, time: Timestamp) -> Result<(), SignError> {
        self.put(2, Weight::Critical, &time_octets(time)?);
        Ok(())
    }

    /// Section 5.2.3.13.
    pub(super) fn key_validity(&mut self, validity: Duration) -> Result<(), SignError> {
        let seconds = u32::try_from(validity.as_secs());
        let seconds = seconds.map_err(|_| SignError::ValidityTooLong { validity })?;
        self.put(9, Weight::Critical, &seconds.to_be_bytes());
        Ok(())
    }

    /// Section 5.2.3.29: certify and sign.
    pub(super) fn certify_and_sign(&mut self) {
        self.put(27, Weight::Critical, &[0x03]);
    }

    /// Section 5.2.3.14. AES-256 and AES-128: encryption is not what the key is for, but gpg asks.
    pub(super) fn preferred_ciphers(&mut self) {
        self.put(11, Weight::Plain, &[9, 7]);
    }

    /// Section 5.2.3.16.
    pub(super) fn preferred_hashes(&mut self) {
        let hashes = [
            HashAlgorithm::Sha512,
            HashAlgorithm::Sha384,
            HashAlgorithm::Sha256,
        ];
        self.put(21, Weight::Plain, &hashes.map(HashAlgorithm::id));
    }

    /// Section 5.2.3.32: version 1 encryption with integrity protection.
    pub(super) fn features(&mut self) {
        self.put(30, Weight::Plain, &[0x01]);
    }

    /// Section 5.2.3.27.
    pub(super) fn primary_user_id(&mut self) {
        self.put(25, Weight::Plain, &[1]);
    }

    /// Sections 5.2.3.35 and 5.2.3.12; gpg 2.2 looks for both.
    pub(super) fn issuer(&mut self, fingerprint: &Fingerprint) {
        let octets = fingerprint.as_bytes();
        self.put(33, Weight::Plain, &[&[4], octets].concat());
        if let Some(id) = octets.last_chunk::<8>() {
            self.put(16, Weight::Plain, id);
        }
    }

    /// Section 5.2.3.24, text.
    pub(super) fn notation(&mut self, name: &str, value: &str) -> Result<(), SignError> {
        const TEXT: [u8; 4] = [0x80, 0, 0, 0];
        let long = || SignError::NotationTooLong {
            name: name.to_owned(),
        };
        let length = |text: &str| u16::try_from(text.len()).map_err(|_| long());
        let (name_length, value_length) = (length(name)?, length(value)?);
        let mut body = TEXT.to_vec();
        body.extend(name_length.to_be_bytes());
        body.extend(value_length.to_be_bytes());
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(value.as_bytes());
        self.put(20, Weight::Plain, &body);
        Ok(())
    }
}

/// A version 4 signature of which all is known but the signature itself.
#[derive(Debug)]
pub(super) struct Draft {
    scheme: Scheme,
    /// Octets that the signer must answer.
    answer: usize,
    hashed: Vec<u8>,
    digest: Vec<u8>,
}

impl Draft {
    /// `digest_with` is the running hash of what is signed; it is given the signature's own part (RFC 9580, section 5.2.4).
    pub(super) fn new(
        kind: u8,
        key: &PublicKey,
        hash: HashAlgorithm,
        area: Area,
        digest_with: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Result<Self, SignError> {
        let (algorithm, scheme, answer) = match key {
            PublicKey::Rsa { modulus, .. } => (RSA, Scheme::RsaPkcs1v15(hash), modulus.len()),
            PublicKey::Ed25519(_) => (EDDSA_LEGACY, Scheme::Ed25519, 64),
            PublicKey::P256(_) => {
                let found = key.to_string();
                return Err(SignError::UnsupportedKey { found });
            }
        };
        if !matches!(
            hash,
            HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512
        ) {
            return Err(SignError::Signer(SignerError::UnsupportedHash { hash }));
        }
        /// What GnuPG 2.2 reads.
        const AREA: usize = 10_000;
        let length = u16::try_from(area.0.len()).ok();
        let length = length.filter(|_| area.0.len() <= AREA);
        let length = length.ok_or(SignError::TooManyNotations)?;
        let mut hashed = vec![4, kind, algorithm, hash.id()];
        hashed.extend(length.to_be_bytes());
        hashed.extend(area.0);
        let counted = u32::try_from(hashed.len()).expect("an area of 65,535 octets at most");
        let mut trailer = hashed.clone();
        trailer.extend([4, 0xff]);
        trailer.extend(counted.to_be_bytes());
        Ok(Self {
            scheme,
            answer,
            hashed,
            digest: digest_with(&trailer),
        })
    }

    pub(super) fn request(&self) -> SignRequest<'_> {
        let request = match self.scheme {
            // What Ed25519 signs is the OpenPGP digest, as a message.
            Scheme::Ed25519 => SignRequest::message(self.scheme, &self.digest),
            scheme => SignRequest::digest(scheme, &self.digest),
        };
        request.expect("the digest is of the scheme's own hash")
    }

    /// The packet, which nobody has verified yet.
    pub(super) fn assemble(&self, answer: &[u8]) -> Result<Vec<u8>, SignError> {
        let (found, expected) = (answer.len(), self.answer);
        if found != expected {
            let scheme = self.scheme;
            return Err(SignError::SignatureLength {
                scheme,
                expected,
                found,
            });
        }
        let mut body = self.hashed.clone();
        // No unhashed subpackets.
        body.extend([0, 0]);
        body.extend(self.digest.iter().take(2));
        match self.scheme {
            Scheme::Ed25519 => {
                let (r, s) = answer.split_at(expected / 2);
                put_integer(&mut body, r);
                put_integer(&mut body, s);
            }
            _ => put_integer(&mut body, answer),
        }
        Ok(packet(tag::SIGNATURE, &body))
    }
}
