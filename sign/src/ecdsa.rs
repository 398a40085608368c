//! ECDSA signatures over P-256 in their two forms: DER, as AWS KMS, PKCS #11 modules and OpenSSL hand them out, and the 64
//! octets that [`Signer::sign`](crate::Signer::sign) answers and JWS demands (RFC 7518, section 3.4).
//!
//! Which form a backend answers is known from the backend. It is never told by looking: one signature in 256 of the 64-octet
//! form begins like DER.

use rsa::pkcs1::der::{Decode as _, Reader as _, SliceReader, asn1::UintRef};

/// Octets of `r`, and of `s`.
const NUMBER_OCTETS: usize = 32;

/// `r` and `s`, big-endian, 32 octets each, from a DER ECDSA-Sig-Value (RFC 3279, section 2.2.3).
///
/// The octets must be that and nothing else: lengths in their shortest form, positive numbers without needless zeros, nothing
/// before, between or behind. Whether the signature holds is another question.
///
/// ```
/// use countersign_sign::ecdsa;
/// let der = [0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07];
/// let fixed = ecdsa::p256_from_der(&der)?;
/// assert_eq!((fixed[31], fixed[63]), (5, 7));
/// # Ok::<(), ecdsa::DerSignatureError>(())
/// ```
///
/// # Errors
/// [`DerSignatureError`].
pub fn p256_from_der(der: &[u8]) -> Result<[u8; 2 * NUMBER_OCTETS], DerSignatureError> {
    let parse = || {
        let mut reader = SliceReader::new(der)?;
        let numbers =
            reader.sequence(|inner| Ok((UintRef::decode(inner)?, UintRef::decode(inner)?)))?;
        reader.finish(numbers)
    };
    let (r, s) = parse().map_err(|_: rsa::pkcs1::der::Error| DerSignatureError::Malformed)?;
    let mut fixed = [0; 2 * NUMBER_OCTETS];
    let (first, second) = fixed.split_at_mut(NUMBER_OCTETS);
    for (place, number) in [(first, r.as_bytes()), (second, s.as_bytes())] {
        if number.iter().all(|octet| *octet == 0) {
            return Err(DerSignatureError::Zero);
        }
        let start = NUMBER_OCTETS.checked_sub(number.len());
        let own = start.and_then(|start| place.get_mut(start..));
        own.ok_or(DerSignatureError::TooLong)?
            .copy_from_slice(number);
    }
    Ok(fixed)
}

/// Why octets are no ECDSA-Sig-Value of P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DerSignatureError {
    /// Not a DER sequence of two positive integers and nothing else.
    #[error("no DER signature")]
    Malformed,
    /// A number of more than 256 bits.
    #[error("a DER signature of another curve than P-256")]
    TooLong,
    /// `r` or `s` is zero, which no signature has (FIPS 186-5, section 6.4.2).
    #[error("a DER signature with a zero in it")]
    Zero,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_are_padded_to_32_octets() {
        let der = [0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07];
        let mut expected = [0; 64];
        (expected[31], expected[63]) = (5, 7);
        assert_eq!(p256_from_der(&der), Ok(expected));
        // The high bit set: DER has 33 octets for 32.
        let number = [[0x02, 0x21, 0x00].as_slice(), &[0xff; 32]].concat();
        let der = [[0x30, 0x46].as_slice(), &number, &number].concat();
        assert_eq!(p256_from_der(&der), Ok([0xff; 64]));
    }

    #[test]
    fn what_is_not_strict_der_is_refused() {
        let good = [0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07];
        for end in 0..good.len() {
            assert_eq!(
                p256_from_der(&good[..end]),
                Err(DerSignatureError::Malformed)
            );
        }
        for bad in [
            // Something behind, inside and outside.
            vec![0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07, 0x00],
            vec![0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07, 0x00],
            vec![0x30, 0x09, 0x02, 0x01, 5, 0x02, 0x01, 7, 0x02, 0x01, 9],
            // A needless zero, a negative number, a long length, an indefinite one, another tag.
            vec![0x30, 0x07, 0x02, 0x02, 0x00, 0x05, 0x02, 0x01, 0x07],
            vec![0x30, 0x06, 0x02, 0x01, 0x85, 0x02, 0x01, 0x07],
            vec![0x30, 0x81, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07],
            vec![0x30, 0x80, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07, 0x00, 0x00],
            vec![0x31, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x07],
            vec![0x30, 0x06, 0x03, 0x01, 0x05, 0x02, 0x01, 0x07],
            // An empty number, one number alone.
            vec![0x30, 0x05, 0x02, 0x00, 0x02, 0x01, 0x07],
            vec![0x30, 0x03, 0x02, 0x01, 0x05],
        ] {
            assert_eq!(
                p256_from_der(&bad),
                Err(DerSignatureError::Malformed),
                "{bad:x?}"
            );
        }
        // The other form, whatever its first octet.
        assert_eq!(
            p256_from_der(&[0x30; 64]),
            Err(DerSignatureError::Malformed)
        );
    }

    #[test]
    fn numbers_that_no_p256_signature_has_are_refused() {
        let zero = [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x07];
        assert_eq!(p256_from_der(&zero), Err(DerSignatureError::Zero));
        let number = [[0x02, 0x21].as_slice(), &[0x01; 33]].concat();
        let der = [[0x30, 0x46].as_slice(), &number, &number].concat();
        assert_eq!(p256_from_der(&der), Err(DerSignatureError::TooLong));
    }
}
