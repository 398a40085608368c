//! The RSA public operation, and nothing else of RSA.
//!
//! The arithmetic is crypto-bigint's Montgomery form. The whole PKCS #1 block is rebuilt from the digest and compared,
//! so no padding is ever parsed (RFC 8017, section 8.2.2).

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, Uint};

use crate::hash::HashAlgorithm;

const LIMBS_2048: usize = 2048 / usize::BITS as usize;
const LIMBS_3072: usize = 3072 / usize::BITS as usize;
const LIMBS_4096: usize = 4096 / usize::BITS as usize;
const LIMBS_8192: usize = 8192 / usize::BITS as usize;

/// An RSA public key: modulus and exponent, big-endian, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKey {
    /// From big-endian octets; leading zeros are dropped, so the length says how large the number is.
    pub(crate) fn new(modulus: &[u8], exponent: &[u8]) -> Self {
        Self {
            modulus: strip_zeros(modulus).to_vec(),
            exponent: strip_zeros(exponent).to_vec(),
        }
    }

    /// Bits of the modulus itself.
    pub(crate) fn bits(&self) -> u32 {
        let zeros = self.modulus.first().map_or(0, |byte| byte.leading_zeros());
        u32::try_from(self.modulus.len() * 8).map_or(u32::MAX, |bits| bits - zeros)
    }

    /// The modulus and the exponent are odd, and the exponent is between 3 and 2^32.
    pub(crate) fn is_safe(&self) -> bool {
        let odd = self.modulus.last().is_some_and(|byte| byte & 1 == 1);
        odd && self
            .small_exponent()
            .is_some_and(|exponent| exponent >= 3 && exponent & 1 == 1)
    }

    fn small_exponent(&self) -> Option<u32> {
        let mut wide = [0; 4];
        let start = wide.len().checked_sub(self.exponent.len())?;
        wide.get_mut(start..)?.copy_from_slice(&self.exponent);
        Some(u32::from_be_bytes(wide))
    }

    /// Whether `signature` (big-endian, leading zeros optional) is this key's RSASSA-PKCS1-v1_5 signature over a
    /// digest. A key that is unsafe or above 8192 bits has no good signature.
    pub(crate) fn verifies(&self, hash: HashAlgorithm, digest: &[u8], signature: &[u8]) -> bool {
        self.power(strip_zeros(signature))
            .is_some_and(|block| self.block(hash, digest).as_deref() == Some(block.as_slice()))
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2): `00 01 FF.. 00 DigestInfo digest`, as long as the modulus.
    fn block(&self, hash: HashAlgorithm, digest: &[u8]) -> Option<Vec<u8>> {
        /// `00 01`, at least eight `FF`, `00`.
        const OVERHEAD: usize = 11;
        let info = hash.digest_info();
        let length = self.modulus.len();
        let payload = info.len() + digest.len();
        if payload + OVERHEAD > length {
            return None;
        }
        let mut block = vec![0xff; length - payload];
        *block.first_mut()? = 0;
        *block.get_mut(1)? = 1;
        *block.last_mut()? = 0;
        block.extend_from_slice(info);
        block.extend_from_slice(digest);
        Some(block)
    }

    /// `signature ^ exponent mod modulus`, as long as the modulus; none if the signature is not below the modulus.
    fn power(&self, signature: &[u8]) -> Option<Vec<u8>> {
        if !self.is_safe() {
            return None;
        }
        let exponent = self.small_exponent()?;
        match self.bits() {
            ..=2048 => power::<LIMBS_2048>(&self.modulus, exponent, signature),
            ..=3072 => power::<LIMBS_3072>(&self.modulus, exponent, signature),
            ..=4096 => power::<LIMBS_4096>(&self.modulus, exponent, signature),
            ..=8192 => power::<LIMBS_8192>(&self.modulus, exponent, signature),
            _ => None,
        }
    }
}

fn strip_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// Nothing here is secret, so the exponent's bits may show in the time taken.
fn power<const LIMBS: usize>(modulus: &[u8], exponent: u32, base: &[u8]) -> Option<Vec<u8>> {
    let length = modulus.len();
    let modulus: Odd<Uint<LIMBS>> = Odd::new(number(modulus)?).into_option()?;
    let base = number(base)?;
    if base >= *modulus.as_ref() {
        return None;
    }
    let params = FixedMontyParams::new_vartime(modulus);
    let base = FixedMontyForm::new(&base, &params);
    let below_top_bit = 31 - exponent.leading_zeros();
    let mut power = base;
    for bit in (0..below_top_bit).rev() {
        power = power.square();
        if exponent >> bit & 1 == 1 {
            power = power * base;
        }
    }
    let wide = power.retrieve();
    let mut bytes: Vec<u8> = wide
        .as_words()
        .iter()
        .rev()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    bytes.drain(..bytes.len().checked_sub(length)?);
    Some(bytes)
}

/// From big-endian octets without leading zeros; none if they do not fit.
fn number<const LIMBS: usize>(bytes: &[u8]) -> Option<Uint<LIMBS>> {
    let mut words = [0; LIMBS];
    for (index, chunk) in bytes.rchunks(size_of::<crypto_bigint::Word>()).enumerate() {
        *words.get_mut(index)? = chunk
            .iter()
            .fold(0, |word, byte| word << 8 | crypto_bigint::Word::from(*byte));
    }
    Some(Uint::from_words(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_out_of_bounds_are_unsafe() {
        let modulus = [0xff; 384];
        for (exponent, safe) in [
            (&[1][..], false),
            (&[2], false),
            (&[3], true),
            (&[0, 0, 3], true),
            (&[1, 0, 1], true),
            (&[1, 0, 0], false),
            (&[0xff, 0xff, 0xff, 0xff], true),
            (&[1, 0, 0, 0, 1], false),
            (&[], false),
        ] {
            assert_eq!(
                PublicKey::new(&modulus, exponent).is_safe(),
                safe,
                "{exponent:?}"
            );
        }
        assert!(
            !PublicKey::new(&[0xff, 0xfe], &[3]).is_safe(),
            "even modulus"
        );
        assert!(!PublicKey::new(&[], &[3]).is_safe());
    }

    #[test]
    fn counts_the_bits_of_the_modulus_itself() {
        for (modulus, bits) in [
            (&[][..], 0),
            (&[1], 1),
            (&[0, 0, 1, 0], 9),
            (&[0x80, 0], 16),
        ] {
            assert_eq!(PublicKey::new(modulus, &[3]).bits(), bits);
        }
    }

    #[test]
    fn a_signature_not_below_the_modulus_has_no_power() {
        let key = PublicKey::new(&[0xff; 256], &[3]);
        assert_eq!(key.power(&[0xff; 256]), None);
        assert_eq!(key.power(&[0xff; 257]), None);
        assert_eq!(
            key.power(&[2]).as_deref(),
            Some(&[[0; 255].as_slice(), &[8]].concat()[..])
        );
        assert_eq!(key.power(&[]).map(|power| power.len()), Some(256));
    }
}
