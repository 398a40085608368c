//! ASCII armor (RFC 9580, section 6), written. With the checksum that section 6.1 calls optional: GnuPG 2.2 does not find the
//! end of a block without it where the last line needs no padding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Label {
    PublicKey,
    Signature,
}

pub(crate) fn armored(label: Label, octets: &[u8]) -> String {
    /// Characters in a line, as gpg has it; RFC 9580 allows 76.
    const LINE: usize = 64;
    let label = match label {
        Label::PublicKey => "PGP PUBLIC KEY BLOCK",
        Label::Signature => "PGP SIGNATURE",
    };
    let mut text = format!("-----BEGIN {label}-----\n\n");
    // 64 characters hold 48 octets, so each line is encoded alone.
    for line in octets.chunks(LINE / 4 * 3) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.push('=');
    let [_, checksum @ ..] = crc24(octets).to_be_bytes();
    STANDARD.encode_string(checksum, &mut text);
    text.push('\n');
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// RFC 9580, section 6.1.1.
fn crc24(octets: &[u8]) -> u32 {
    const INITIAL: u32 = 0xb7_04ce;
    const GENERATOR: u32 = 0x186_4cfb;
    let step = |crc: u32| match crc << 1 {
        over if over & 0x100_0000 != 0 => over ^ GENERATOR,
        under => under,
    };
    octets.iter().fold(INITIAL, |crc, octet| {
        (0..u8::BITS).fold(crc ^ u32::from(*octet) << 16, |crc, _| step(crc))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_catalogue() {
        // CRC-24/OPENPGP in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc24(b"123456789"), 0x21_cf02);
    }

    #[test]
    fn lines_are_as_long_as_those_of_gpg() {
        let text = armored(Label::Signature, &[0; 49]);
        let lines: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(lines, [29, 0, 64, 4, 5, 27]);
        assert!(text.starts_with("-----BEGIN PGP SIGNATURE-----\n\nAAAA"));
    }
}
