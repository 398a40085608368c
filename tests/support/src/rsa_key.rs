//! RSA: the private keys in `keys/`, and raw PKCS#1 v1.5 signing with any exponent and any number of primes.

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use rsa::BigUint;

use crate::hash::Hash;

/// The exponent that every key in `keys/` has, but for the one named after its own.
const COMMON_EXPONENT: u32 = 65_537;

macro_rules! test_keys {
    ($($(#[$doc:meta])* $variant:ident => $file:literal,)*) => {
        /// An RSA private key of the folder `keys/`, named after its size.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum TestRsa {
            $($(#[$doc])* $variant,)*
        }

        impl TestRsa {
            /// Every key of the folder.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The key as PKCS#8 in PEM, for programs that want to sign with it.
            pub fn pem(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../keys/test-only-", $file, ".pem")),)*
                }
            }
        }
    };
}

test_keys! {
    /// 2048 bits: too weak.
    Rsa2048A => "rsa2048-a",
    /// 3071 bits: too weak by one.
    Rsa3071A => "rsa3071-a",
    /// 3072 bits.
    Rsa3072A => "rsa3072-a",
    /// 3072 bits, another.
    Rsa3072B => "rsa3072-b",
    /// 3072 bits, public exponent 3.
    Rsa3072E3 => "rsa3072-e3",
    /// 4096 bits.
    Rsa4096A => "rsa4096-a",
    /// 4096 bits, another.
    Rsa4096B => "rsa4096-b",
    /// 8192 bits.
    Rsa8192A => "rsa8192-a",
}

impl TestRsa {
    pub(crate) fn private(self) -> Arc<RsaPrivate> {
        static PARSED: [OnceLock<Arc<RsaPrivate>>; TestRsa::ALL.len()] =
            [const { OnceLock::new() }; TestRsa::ALL.len()];
        PARSED[self as usize]
            .get_or_init(|| Arc::new(RsaPrivate::from_pem(self.pem())))
            .clone()
    }
}

/// The private half of an RSA key: what signing by the Chinese remainder theorem needs.
pub(crate) struct RsaPrivate {
    pub(crate) modulus: BigUint,
    pub(crate) exponent: BigUint,
    primes: Vec<Prime>,
}

struct Prime {
    prime: BigUint,
    /// The private exponent, modulo the prime less one.
    exponent: BigUint,
    /// The inverse of the product of the primes before it.
    inverse: BigUint,
}

impl RsaPrivate {
    /// A key from its primes. An exponent that has no inverse, such as an even one, signs as 65537 would: in vain.
    pub(crate) fn new(primes: &[BigUint], exponent: BigUint) -> Self {
        let inverses = |exponent: &BigUint| {
            primes
                .iter()
                .map(|prime| inverse(exponent, &(prime - 1u8)))
                .collect::<Option<Vec<_>>>()
        };
        let exponents = inverses(&exponent)
            .or_else(|| inverses(&BigUint::from(COMMON_EXPONENT)))
            .expect("65537 has an inverse for every test key");
        let mut modulus = BigUint::from(1u8);
        let mut parts = Vec::new();
        for (prime, exponent) in primes.iter().zip(exponents) {
            let inverse = inverse(&modulus, prime).expect("the primes differ");
            modulus *= prime;
            parts.push(Prime {
                prime: prime.clone(),
                exponent,
                inverse,
            });
        }
        Self {
            modulus,
            exponent,
            primes: parts,
        }
    }

    /// A key from PKCS#8 in PEM, as `openssl genpkey` writes it.
    pub(crate) fn from_pem(pem: &str) -> Self {
        let base64: String = pem
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let der = base64::engine::general_purpose::STANDARD
            .decode(base64)
            .expect("a test key is base64");
        // PrivateKeyInfo (RFC 5958): version, algorithm, OCTET STRING of RSAPrivateKey (RFC 8017 appendix A.1.2):
        // version, modulus, public exponent, private exponent, two primes, and what follows from them.
        let mut info = Der(&der).element(0x30);
        info.element(0x02);
        info.element(0x30);
        let mut key = info.element(0x04).element(0x30);
        key.element(0x02);
        let mut integer = || BigUint::from_bytes_be(key.element(0x02).0);
        let (modulus, exponent, _private) = (integer(), integer(), integer());
        let private = Self::new(&[integer(), integer()], exponent);
        assert_eq!(
            private.modulus, modulus,
            "the primes of a test key belong to its modulus"
        );
        private
    }

    pub(crate) fn primes(&self) -> Vec<BigUint> {
        self.primes.iter().map(|part| part.prime.clone()).collect()
    }

    /// A PKCS#1 v1.5 signature (RFC 8017 section 8.2.1), as long as the modulus.
    ///
    /// # Panics
    /// Where the modulus is too short for the digest.
    pub(crate) fn sign(&self, hash: Hash, digest: &[u8]) -> Vec<u8> {
        let info = hash.digest_info(digest);
        let size = self.modulus.bits().div_ceil(8);
        let padding = size
            .checked_sub(info.len() + 3)
            .expect("the modulus has room for the digest");
        let message = [&[0, 1][..], &vec![0xff; padding], &[0], &info].concat();
        let signature = self.power(&BigUint::from_bytes_be(&message)).to_bytes_be();
        [vec![0; size - signature.len()], signature].concat()
    }

    fn power(&self, message: &BigUint) -> BigUint {
        // Garner's algorithm (RFC 8017 section 5.1.2, step 2b).
        let (mut result, mut product) = (BigUint::from(0u8), BigUint::from(1u8));
        for Prime {
            prime,
            exponent,
            inverse,
        } in &self.primes
        {
            let share = (message % prime).modpow(exponent, prime);
            let step = (share + prime - &result % prime) * inverse % prime;
            result += &product * step;
            product *= prime;
        }
        result
    }
}

impl fmt::Debug for RsaPrivate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPrivate({} bits)", self.modulus.bits())
    }
}

/// The inverse of `value` modulo `modulus`, where there is one.
fn inverse(value: &BigUint, modulus: &BigUint) -> Option<BigUint> {
    let (zero, one) = (BigUint::from(0u8), BigUint::from(1u8));
    let (mut remainder, mut next) = (modulus.clone(), value % modulus);
    let (mut factor, mut next_factor) = (zero.clone(), one.clone());
    while next != zero {
        let quotient = &remainder / &next;
        let difference = &remainder - &quotient * &next;
        let difference_factor = (&factor + modulus - &quotient * &next_factor % modulus) % modulus;
        (remainder, next) = (next, difference);
        (factor, next_factor) = (next_factor, difference_factor);
    }
    (remainder == one).then_some(factor)
}

/// A reader of DER elements; test keys are well-formed, and what is not panics.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn element(&mut self, tag: u8) -> Der<'a> {
        assert_eq!(self.0[0], tag, "a test key has the elements of PKCS#8");
        let (size, start) = match self.0[1] {
            short @ 0..0x80 => (usize::from(short), 2),
            long => {
                let count = usize::from(long & 0x7f);
                let size = self.0[2..2 + count]
                    .iter()
                    .fold(0, |size, &octet| size << 8 | usize::from(octet));
                (size, 2 + count)
            }
        };
        let (body, rest) = self.0[start..].split_at(size);
        self.0 = rest;
        Der(body)
    }
}

#[cfg(test)]
mod tests {
    use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};

    use super::{RsaPrivate, TestRsa};
    use crate::hash::Hash;

    fn verify(key: &RsaPrivate, digest: &[u8], signature: &[u8]) -> rsa::Result<()> {
        RsaPublicKey::new_with_max_size(key.modulus.clone(), key.exponent.clone(), 16_384)?.verify(
            Pkcs1v15Sign::new::<sha2::Sha256>(),
            digest,
            signature,
        )
    }

    #[test]
    fn every_key_has_the_size_of_its_name_and_signs() {
        let digest = Hash::Sha256.digest(b"data");
        for &name in TestRsa::ALL {
            let key = name.private();
            assert!(
                format!("{name:?}").contains(&key.modulus.bits().to_string()),
                "{name:?}"
            );
            verify(&key, &digest, &key.sign(Hash::Sha256, &digest))
                .unwrap_or_else(|error| panic!("{name:?}: {error}"));
        }
    }

    #[test]
    fn more_primes_and_other_exponents_sign() {
        let digest = Hash::Sha256.digest(b"data");
        let primes = [
            TestRsa::Rsa2048A.private().primes(),
            TestRsa::Rsa3072A.private().primes(),
        ]
        .concat();
        let key = RsaPrivate::new(&primes, BigUint::from(65_539u32));
        assert_eq!(key.modulus.bits().div_ceil(8), 640);
        verify(&key, &digest, &key.sign(Hash::Sha256, &digest)).expect("four primes sign");
    }

    #[test]
    fn with_exponent_one_the_signature_is_the_padded_message() {
        let digest = Hash::Sha256.digest(b"data");
        let key = RsaPrivate::new(&TestRsa::Rsa3072A.private().primes(), BigUint::from(1u8));
        let signature = key.sign(Hash::Sha256, &digest);
        assert_eq!(signature[..4], [0, 1, 0xff, 0xff]);
        assert!(signature.ends_with(&digest));
    }
}
