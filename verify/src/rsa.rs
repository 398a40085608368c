//! The RSA public operation, and nothing else of RSA.
//!
//! The whole PKCS #1 block is rebuilt from the digest and compared, so no padding is ever parsed (RFC 8017, section 8.2.2).
#![allow(
    clippy::indexing_slicing,
    reason = "indexes depend on the size of arrays alone, never on what is in them"
)]

use crypto_bigint::{Odd, Uint, WideWord, Word};

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

    /// The modulus, big-endian, without leading zeros.
    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
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
        let power = match self.bits() {
            0..=2048 => power::<LIMBS_2048>,
            2049..=3072 => power::<LIMBS_3072>,
            3073..=4096 => power::<LIMBS_4096>,
            4097..=8192 => power::<LIMBS_8192>,
            _ => return None,
        };
        power(&self.modulus, exponent, signature)
    }
}

fn strip_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// Nothing here is secret, so the exponent's bits may show in the time taken. The exponent is odd.
///
/// Not inlined: the largest size would claim its stack for the smallest, too.
#[inline(never)]
fn power<const LIMBS: usize>(modulus: &[u8], exponent: u32, base: &[u8]) -> Option<Vec<u8>> {
    let length = modulus.len();
    let modulus: Odd<Uint<LIMBS>> = Odd::new(number(modulus)?).into_option()?;
    let base: Uint<LIMBS> = number(base)?;
    if base >= *modulus.as_ref() {
        return None;
    }
    let field = Montgomery::new(modulus);
    let power = Uint::from_words(field.power(base.as_words(), exponent));
    // Below twice the modulus, see `Montgomery::multiply`.
    let power = if power < *modulus.as_ref() {
        power
    } else {
        power.wrapping_sub(modulus.as_ref())
    };
    let words = power.as_words().iter().rev();
    let mut bytes: Vec<u8> = words.flat_map(|word| word.to_be_bytes()).collect();
    bytes.drain(..bytes.len().checked_sub(length)?);
    Some(bytes)
}

/// Arithmetic modulo an odd number `n`, on numbers in Montgomery form: `x` stands for `x * R mod n`, where `R` is one above
/// the largest number of so many words (Handbook of Applied Cryptography, section 14.3.2).
///
/// crypto-bigint divides, and does the same arithmetic in constant time; this is a third faster because it may take its time
/// to depend on public numbers, squares at half the price, and goes through memory once for two words of a factor. Tests
/// compare the two.
struct Montgomery<const LIMBS: usize> {
    modulus: Odd<Uint<LIMBS>>,
    /// `-1 / n`, modulo a word.
    negated_inverse: Word,
}

impl<const LIMBS: usize> Montgomery<LIMBS> {
    fn new(modulus: Odd<Uint<LIMBS>>) -> Self {
        const { assert!(LIMBS.is_multiple_of(2), "words are taken in pairs") }
        let lowest = modulus.as_ref().as_words()[0];
        // An odd number is its own inverse modulo 8, and each step doubles the bits that are right.
        let mut inverse = lowest;
        while lowest.wrapping_mul(inverse) != 1 {
            let error = lowest.wrapping_mul(inverse).wrapping_sub(1);
            inverse = inverse.wrapping_sub(inverse.wrapping_mul(error));
        }
        Self {
            modulus,
            negated_inverse: inverse.wrapping_neg(),
        }
    }

    /// `base * R mod n`. One division: to find `R^2 mod n` and multiply by it, as is usual, takes two and more.
    fn in_form(&self, base: &[Word; LIMBS]) -> [Word; LIMBS] {
        let product = (Uint::ZERO, Uint::from_words(*base));
        Uint::rem_wide_vartime(product, self.modulus.as_nz_ref()).to_words()
    }

    /// `base ^ exponent`, not in Montgomery form, below twice the modulus; for a base below the modulus and an odd exponent.
    fn power(&self, base: &[Word; LIMBS], exponent: u32) -> [Word; LIMBS] {
        let in_form = self.in_form(base);
        let mut power = in_form;
        let below_top_bit = exponent.checked_ilog2().unwrap_or(0);
        for bit in (1..below_top_bit).rev() {
            power = self.square(&power);
            if exponent >> bit & 1 == 1 {
                power = self.multiply(&power, &in_form);
            }
        }
        // The last bit is one. One factor that is not in the form takes the product out of it.
        power = self.square(&power);
        self.multiply(&power, base)
    }

    /// `a * b / R`, give or take a multiple of the modulus. Below twice the modulus if one factor is below it.
    fn multiply(&self, a: &[Word; LIMBS], b: &[Word; LIMBS]) -> [Word; LIMBS] {
        let mut product = [[0; LIMBS]; 2];
        let words = product.as_flattened_mut();
        for (at, pair) in a
            .chunks_exact(2)
            .enumerate()
            .map(|(pair, words)| (2 * pair, words))
        {
            let (row, above) = words[at..].split_at_mut(LIMBS);
            let (next, last) = add_rows(row, b, pair[0], pair[1], 0);
            above[0] = next;
            above[1] = last;
        }
        self.reduce(product)
    }

    /// `a * a / R`, give or take a multiple of the modulus.
    fn square(&self, a: &[Word; LIMBS]) -> [Word; LIMBS] {
        let mut product = [[0; LIMBS]; 2];
        let words = product.as_flattened_mut();
        // Each product of two different words once,
        for at in (0..LIMBS).step_by(2) {
            let (x, y, rest) = (a[at], a[at + 1], &a[at + 2..]);
            let (low, carry) = multiply_add(words[2 * at + 1], x, y, 0);
            words[2 * at + 1] = low;
            let (row, above) = words[2 * at + 2..].split_at_mut(rest.len());
            let (next, last) = add_rows(row, rest, x, y, carry);
            above[0] = next;
            if let Some(word) = above.get_mut(1) {
                *word = last;
            }
        }
        // then doubled, and the squares of the words added.
        let (mut shifted_out, mut carry) = (0, 0);
        for (pair, word) in words.chunks_exact_mut(2).zip(a) {
            let (low, high) = (
                pair[0] << 1 | shifted_out,
                pair[1] << 1 | pair[0] >> (Word::BITS - 1),
            );
            shifted_out = pair[1] >> (Word::BITS - 1);
            let (low, middle) = multiply_add(low, *word, *word, carry);
            let (high, overflow) = high.overflowing_add(middle);
            pair[0] = low;
            pair[1] = high;
            carry = Word::from(overflow);
        }
        self.reduce(product)
    }

    /// Divides a product by `R`: adds multiples of the modulus until the lower half is zero, and drops it.
    fn reduce(&self, mut product: [[Word; LIMBS]; 2]) -> [Word; LIMBS] {
        let words = product.as_flattened_mut();
        let modulus = self.modulus.as_ref().as_words();
        let mut carry = 0;
        for at in (0..LIMBS).step_by(2) {
            // What makes the two lowest words zero.
            let first = words[at].wrapping_mul(self.negated_inverse);
            let (_, next) = multiply_add(words[at], modulus[0], first, 0);
            let (next, _) = multiply_add(words[at + 1], modulus[1], first, next);
            let second = next.wrapping_mul(self.negated_inverse);
            let (row, above) = words[at..].split_at_mut(LIMBS);
            let (next, last) = add_rows(row, modulus, first, second, 0);
            carry = add(&mut above[0], next, carry);
            carry = add(&mut above[1], last, carry);
        }
        let [_, quotient] = product;
        if carry == 0 {
            return quotient;
        }
        let quotient = Uint::from_words(quotient);
        quotient.wrapping_sub(self.modulus.as_ref()).to_words()
    }
}

/// `row += factor * (x + y * 2^Word::BITS) + carry`; returns the two words that follow the row.
#[inline(always)]
fn add_rows(row: &mut [Word], factor: &[Word], x: Word, y: Word, carry: Word) -> (Word, Word) {
    let (mut carry_x, mut carry_y, mut previous) = (carry, 0, 0);
    for (sum, word) in row.iter_mut().zip(factor) {
        let (low, high) = multiply_add(*sum, *word, x, carry_x);
        carry_x = high;
        let (low, high) = multiply_add(low, previous, y, carry_y);
        carry_y = high;
        *sum = low;
        previous = *word;
    }
    multiply_add(carry_x, previous, y, carry_y)
}

/// Lower and upper word of `sum + a * b + carry`, which two words always hold.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "takes the wide word apart")]
fn multiply_add(sum: Word, a: Word, b: Word, carry: Word) -> (Word, Word) {
    let wide = WideWord::from(a) * WideWord::from(b) + WideWord::from(sum) + WideWord::from(carry);
    (wide as Word, (wide >> Word::BITS) as Word)
}

/// `sum += word + carry`; returns the new carry.
fn add(sum: &mut Word, word: Word, carry: Word) -> Word {
    let (low, high) = multiply_add(*sum, word, 1, carry);
    *sum = low;
    high
}

/// From big-endian octets without leading zeros; none if they do not fit.
fn number<const LIMBS: usize>(bytes: &[u8]) -> Option<Uint<LIMBS>> {
    let mut words = [0; LIMBS];
    for (index, chunk) in bytes.rchunks(size_of::<Word>()).enumerate() {
        *words.get_mut(index)? = chunk
            .iter()
            .fold(0, |word, byte| word << 8 | Word::from(*byte));
    }
    Some(Uint::from_words(words))
}

#[cfg(test)]
mod tests {
    use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
    use proptest::prelude::*;

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

    /// `base ^ exponent mod modulus` by crypto-bigint alone.
    fn reference<const LIMBS: usize>(
        modulus: &Uint<LIMBS>,
        exponent: u32,
        base: &Uint<LIMBS>,
    ) -> Uint<LIMBS> {
        let params = FixedMontyParams::new_vartime(Odd::new(*modulus).unwrap());
        let base = FixedMontyForm::new(base, &params);
        base.pow(&crypto_bigint::U64::from(exponent)).retrieve()
    }

    fn agrees<const LIMBS: usize>(
        mut modulus: [Word; LIMBS],
        mut base: [Word; LIMBS],
        exponent: u32,
        cut: usize,
    ) {
        modulus[0] |= 1;
        // A modulus may be much shorter than the class that it falls into.
        for word in modulus[LIMBS - cut..]
            .iter_mut()
            .chain(&mut base[LIMBS - cut..])
        {
            *word = 0;
        }
        let (modulus, base) = (Uint::from_words(modulus), Uint::from_words(base));
        let base = if base < modulus {
            base
        } else {
            modulus.wrapping_sub(&Uint::ONE)
        };
        let octets = |number: &Uint<LIMBS>| -> Vec<u8> {
            number
                .as_words()
                .iter()
                .rev()
                .flat_map(|word| word.to_be_bytes())
                .collect()
        };
        let bare = |number: &Uint<LIMBS>| strip_zeros(&octets(number)).to_vec();
        let found = power::<LIMBS>(&bare(&modulus), exponent | 1, &bare(&base)).unwrap();
        assert_eq!(
            strip_zeros(&found),
            bare(&reference(&modulus, exponent | 1, &base))
        );
    }

    /// Words that make carries: random ones, and runs of zeros and ones.
    fn words<const LIMBS: usize>() -> impl Strategy<Value = [Word; LIMBS]> {
        let word = prop_oneof![
            any::<Word>(),
            Just(0),
            Just(Word::MAX),
            Just(1),
            Just(Word::MAX - 1)
        ];
        proptest::collection::vec(word, LIMBS).prop_map(|words| words.try_into().unwrap())
    }

    fn exponents() -> impl Strategy<Value = u32> {
        prop_oneof![
            Just(3),
            Just(65537),
            Just(u32::MAX),
            any::<u32>().prop_map(|own| own | 3)
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn powers_of_2048_bits_agree(n in words::<LIMBS_2048>(), s in words::<LIMBS_2048>(), e in exponents(), cut in 0usize..LIMBS_2048 - 1) {
            agrees(n, s, e, cut);
        }

        #[test]
        fn powers_of_3072_bits_agree(n in words::<LIMBS_3072>(), s in words::<LIMBS_3072>(), e in exponents(), cut in 0usize..3) {
            agrees(n, s, e, cut);
        }

        #[test]
        fn powers_of_4096_bits_agree(n in words::<LIMBS_4096>(), s in words::<LIMBS_4096>(), e in exponents(), cut in 0usize..LIMBS_4096 - LIMBS_3072) {
            agrees(n, s, e, cut);
        }

        #[test]
        fn powers_of_8192_bits_agree(n in words::<LIMBS_8192>(), s in words::<LIMBS_8192>(), e in exponents(), cut in 0usize..LIMBS_8192 - LIMBS_4096) {
            agrees(n, s, e, cut);
        }
    }

    #[test]
    fn the_largest_numbers_agree() {
        for exponent in [3, 65537, u32::MAX] {
            agrees(
                [Word::MAX; LIMBS_2048],
                [Word::MAX; LIMBS_2048],
                exponent,
                0,
            );
            agrees(
                [Word::MAX; LIMBS_3072],
                [Word::MAX; LIMBS_3072],
                exponent,
                0,
            );
            agrees(
                [Word::MAX; LIMBS_4096],
                [Word::MAX; LIMBS_4096],
                exponent,
                0,
            );
            agrees(
                [Word::MAX; LIMBS_8192],
                [Word::MAX; LIMBS_8192],
                exponent,
                0,
            );
        }
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
