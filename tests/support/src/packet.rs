//! Packets: headers in every form RFC 9580 section 4.2 knows, and the bodies that carry no signature.

use crate::key::{Key, algorithm};

/// Packet type ids (RFC 9580 section 5).
pub mod tag {
    /// Public-key encrypted session key.
    pub const PKESK: u8 = 1;
    /// Signature.
    pub const SIGNATURE: u8 = 2;
    /// One-pass signature.
    pub const ONE_PASS: u8 = 4;
    /// Secret key.
    pub const SECRET_KEY: u8 = 5;
    /// Public key.
    pub const PUBLIC_KEY: u8 = 6;
    /// Secret subkey.
    pub const SECRET_SUBKEY: u8 = 7;
    /// Compressed data.
    pub const COMPRESSED: u8 = 8;
    /// Marker.
    pub const MARKER: u8 = 10;
    /// Literal data.
    pub const LITERAL: u8 = 11;
    /// Trust, private to an implementation.
    pub const TRUST: u8 = 12;
    /// User id.
    pub const USER_ID: u8 = 13;
    /// Public subkey.
    pub const PUBLIC_SUBKEY: u8 = 14;
    /// User attribute.
    pub const USER_ATTRIBUTE: u8 = 17;
    /// Padding.
    pub const PADDING: u8 = 21;
    /// An unassigned id in the critical range (0 to 39): who does not know it must refuse the sequence.
    pub const UNKNOWN_CRITICAL: u8 = 39;
    /// An unassigned id in the non-critical range (40 to 63): who does not know it must skip it.
    pub const UNKNOWN_NON_CRITICAL: u8 = 40;
}

/// How a packet's header states the length of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// New format, the shortest form that fits.
    New,
    /// New format, two octets: a body of 192 to 8383 octets.
    NewTwoOctets,
    /// New format, five octets, whatever the length.
    NewFiveOctets,
    /// New format, partial body lengths of two to this power, then the rest; the RFC allows them for data packets only.
    Partial(u8),
    /// Old format, the shortest form that fits.
    Old,
    /// Old format, one octet.
    OldOneOctet,
    /// Old format, two octets.
    OldTwoOctets,
    /// Old format, four octets.
    OldFourOctets,
    /// Old format, to the end of the input.
    OldIndeterminate,
    /// New format, five octets that claim this length and not the real one.
    Claimed(u32),
}

/// A packet in new format with the shortest length.
pub fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    packet_with(tag, Length::New, body)
}

/// A packet whose header has the given form.
///
/// # Panics
/// Where the tag (64 and above, in old format 16 and above) or the body's length does not fit the form.
pub fn packet_with(tag: u8, length: Length, body: &[u8]) -> Vec<u8> {
    assert!(tag < 64, "packet tag {tag} does not fit a header");
    let new = 0xc0 | tag;
    let old = |form: u8| {
        assert!(
            tag < 16,
            "packet tag {tag} does not fit an old format header"
        );
        0x80 | (tag << 2) | form
    };
    let size = u32::try_from(body.len()).expect("a test packet is below 4 GiB");
    let mut out = match length {
        Length::New => [&[new][..], &new_length(size)].concat(),
        Length::NewTwoOctets => {
            assert!(
                (192..8384).contains(&size),
                "a body of {size} octets does not fit two length octets"
            );
            [&[new][..], &new_length(size)].concat()
        }
        Length::NewFiveOctets => [&[new, 0xff][..], &size.to_be_bytes()].concat(),
        Length::Claimed(claim) => [&[new, 0xff][..], &claim.to_be_bytes()].concat(),
        Length::Partial(power) => return partial(new, power, body),
        Length::Old => match size {
            0..=0xff => return packet_with(tag, Length::OldOneOctet, body),
            0x100..=0xffff => return packet_with(tag, Length::OldTwoOctets, body),
            _ => return packet_with(tag, Length::OldFourOctets, body),
        },
        Length::OldOneOctet => vec![
            old(0),
            u8::try_from(size).expect("the body fits one length octet"),
        ],
        Length::OldTwoOctets => {
            let size = u16::try_from(size).expect("the body fits two length octets");
            [&[old(1)][..], &size.to_be_bytes()].concat()
        }
        Length::OldFourOctets => [&[old(2)][..], &size.to_be_bytes()].concat(),
        Length::OldIndeterminate => vec![old(3)],
    };
    out.extend_from_slice(body);
    out
}

/// A multiprecision integer: bit count, then the octets of `value` (big endian) without leading zeros.
pub fn mpi(value: &[u8]) -> Vec<u8> {
    mpi_padded(value, 0)
}

/// A multiprecision integer with `zeros` zero octets in front of its value, which its bit count claims as its own.
pub fn mpi_padded(value: &[u8], zeros: usize) -> Vec<u8> {
    let start = value
        .iter()
        .position(|&octet| octet != 0)
        .unwrap_or(value.len());
    let value = &value[start..];
    let bits = value
        .first()
        .map_or(0, |first| value.len() * 8 - first.leading_zeros() as usize)
        + zeros * 8;
    let bits = u16::try_from(bits).expect("an integer of at most 65535 bits");
    [&bits.to_be_bytes()[..], &vec![0; zeros], value].concat()
}

/// The public key packet of `key`.
pub fn public_key(key: &Key) -> Vec<u8> {
    packet(tag::PUBLIC_KEY, &key.public_body())
}

/// The public subkey packet of `key`.
pub fn public_subkey(key: &Key) -> Vec<u8> {
    packet(tag::PUBLIC_SUBKEY, &key.public_body())
}

/// An unencrypted secret key packet with the public half of `key` and a secret half that is well-formed and meaningless.
pub fn secret_key_stub(key: &Key) -> Vec<u8> {
    const UNENCRYPTED: u8 = 0;
    let secret = match key.algorithm() {
        // RFC 9580 section 5.5.5: d, p, q and u.
        algorithm::RSA..=algorithm::RSA_SIGN_ONLY => mpi(&[1]).repeat(4),
        algorithm::X25519 | algorithm::ED25519 => vec![1; 32],
        _ => mpi(&[1]),
    };
    let mut body = key.public_body();
    body.push(UNENCRYPTED);
    body.extend_from_slice(&secret);
    if key.version() < 6 {
        let checksum = secret.iter().map(|&octet| u16::from(octet)).sum::<u16>();
        body.extend_from_slice(&checksum.to_be_bytes());
    }
    packet(tag::SECRET_KEY, &body)
}

/// A user id packet; `id` need not be UTF-8.
pub fn user_id(id: impl AsRef<[u8]>) -> Vec<u8> {
    packet(tag::USER_ID, id.as_ref())
}

/// A user attribute packet with one subpacket of the given type (1 is an image).
pub fn user_attribute(kind: u8, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 1).expect("a test packet is below 4 GiB");
    packet(
        tag::USER_ATTRIBUTE,
        &[&new_length(size), &[kind][..], content].concat(),
    )
}

/// A marker packet.
pub fn marker() -> Vec<u8> {
    packet(tag::MARKER, b"PGP")
}

/// A padding packet with `size` octets; they count up, since they must not matter.
pub fn padding(size: usize) -> Vec<u8> {
    let body: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
    packet(tag::PADDING, &body)
}

/// A trust packet.
pub fn trust(content: &[u8]) -> Vec<u8> {
    packet(tag::TRUST, content)
}

/// A literal data packet, format `b`.
pub fn literal(name: &str, created: u32, data: &[u8]) -> Vec<u8> {
    let size = u8::try_from(name.len()).expect("a file name of at most 255 octets");
    packet(
        tag::LITERAL,
        &[&[b'b', size], name.as_bytes(), &created.to_be_bytes(), data].concat(),
    )
}

/// A compressed data packet, "uncompressed" (algorithm 0), around `content`.
pub fn compressed(content: &[u8]) -> Vec<u8> {
    packet(tag::COMPRESSED, &[&[0], content].concat())
}

/// A one-pass signature packet, version 3 or, for a version 6 key, version 6 with the given salt; the last of its sequence.
pub fn one_pass(key: &Key, signature_type: u8, hash: crate::Hash, salt: &[u8]) -> Vec<u8> {
    const LAST: u8 = 1;
    let six = key.version() == 6;
    let mut body = vec![
        if six { 6 } else { 3 },
        signature_type,
        hash.id(),
        key.algorithm(),
    ];
    if six {
        body.push(u8::try_from(salt.len()).expect("a salt of at most 255 octets"));
        body.extend_from_slice(salt);
        body.extend_from_slice(&key.fingerprint());
    } else {
        body.extend_from_slice(&key.key_id());
    }
    body.push(LAST);
    packet(tag::ONE_PASS, &body)
}

/// A length as new format headers and subpackets state it, shortest form.
pub(crate) fn new_length(size: u32) -> Vec<u8> {
    match size {
        0..192 => vec![size as u8],
        192..8384 => {
            let rest = size - 192;
            vec![192 + (rest >> 8) as u8, rest as u8]
        }
        _ => [&[0xff][..], &size.to_be_bytes()].concat(),
    }
}

fn partial(first: u8, power: u8, body: &[u8]) -> Vec<u8> {
    assert!(
        power < 31,
        "a partial length is two to the power of at most 30"
    );
    let mut out = vec![first];
    let mut rest = body;
    while rest.len() > 1 << power {
        let (chunk, tail) = rest.split_at(1 << power);
        out.push(0xe0 | power);
        out.extend_from_slice(chunk);
        rest = tail;
    }
    out.extend(new_length(
        u32::try_from(rest.len()).expect("a test packet is below 4 GiB"),
    ));
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{
        Length, literal, marker, mpi, mpi_padded, new_length, packet, packet_with, padding,
    };

    #[test]
    fn lengths_change_form_where_the_rfc_says() {
        // RFC 9580 section 4.2.1.4 gives 100, 1723 and 100000 as examples.
        assert_eq!(new_length(100), [0x64]);
        assert_eq!(new_length(191), [191]);
        assert_eq!(new_length(192), [192, 0]);
        assert_eq!(new_length(1723), [0xc5, 0xfb]);
        assert_eq!(new_length(8383), [0xdf, 0xff]);
        assert_eq!(new_length(8384), [0xff, 0, 0, 0x20, 0xc0]);
        assert_eq!(new_length(100_000), [0xff, 0x00, 0x01, 0x86, 0xa0]);
    }

    #[test]
    fn headers_have_the_form_asked_for() {
        let cases: [(Length, &[u8]); 8] = [
            (Length::New, &[0xc2, 2, 7, 8]),
            (Length::NewFiveOctets, &[0xc2, 0xff, 0, 0, 0, 2, 7, 8]),
            (Length::Old, &[0x88, 2, 7, 8]),
            (Length::OldTwoOctets, &[0x89, 0, 2, 7, 8]),
            (Length::OldFourOctets, &[0x8a, 0, 0, 0, 2, 7, 8]),
            (Length::OldIndeterminate, &[0x8b, 7, 8]),
            (Length::Partial(0), &[0xc2, 0xe0, 7, 1, 8]),
            (Length::Claimed(9), &[0xc2, 0xff, 0, 0, 0, 9, 7, 8]),
        ];
        for (length, expected) in cases {
            assert_eq!(packet_with(2, length, &[7, 8]), expected, "{length:?}");
        }
        assert_eq!(packet_with(2, Length::Old, &[0; 256])[..3], [0x89, 1, 0]);
        assert_eq!(
            packet_with(2, Length::NewTwoOctets, &[0; 200])[..3],
            [0xc2, 192, 8]
        );
        assert_eq!(packet(63, &[]), [0xff, 0]);
    }

    #[test]
    fn integers_count_their_bits() {
        // RFC 9580 section 3.2: 1 and 511.
        assert_eq!(mpi(&[1]), [0, 1, 1]);
        assert_eq!(mpi(&[0, 0, 1, 0xff]), [0, 9, 1, 0xff]);
        assert_eq!(mpi(&[0]), [0, 0]);
        assert_eq!(mpi_padded(&[1], 2), [0, 17, 0, 0, 1]);
    }

    #[test]
    fn small_packets_are_exact() {
        assert_eq!(marker(), [0xca, 3, b'P', b'G', b'P']);
        assert_eq!(padding(3), [0xd5, 3, 0, 1, 2]);
        assert_eq!(
            literal("a", 1, b"xy"),
            [0xcb, 9, b'b', 1, b'a', 0, 0, 0, 1, b'x', b'y']
        );
    }
}
