//! Packet framing (RFC 9580, section 4): where each packet begins and ends. Nothing is copied, and the octets stay as they came.

use countersign_verify::PacketError;

/// Packet type ids (RFC 9580, section 5).
pub(crate) mod tag {
    pub(crate) const SIGNATURE: u8 = 2;
    pub(crate) const SECRET_KEY: u8 = 5;
    pub(crate) const PUBLIC_KEY: u8 = 6;
    pub(crate) const SECRET_SUBKEY: u8 = 7;
    pub(crate) const MARKER: u8 = 10;
    pub(crate) const TRUST: u8 = 12;
    pub(crate) const USER_ID: u8 = 13;
    pub(crate) const PUBLIC_SUBKEY: u8 = 14;
    pub(crate) const USER_ATTRIBUTE: u8 = 17;
    pub(crate) const PADDING: u8 = 21;
    /// The first of the packet types that may be skipped when unknown (RFC 9580, section 4.3).
    pub(crate) const FIRST_NON_CRITICAL: u8 = 40;
}

/// A packet header takes no more octets: one for the type, five for the length.
pub(crate) const HEADER_BYTES: usize = 6;

/// What a packet's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// Octets of the header itself.
    pub(crate) size: usize,
    /// Octets of the body.
    pub(crate) body: usize,
}

impl Header {
    /// From the first octets of a packet, of which there are fewer than [`HEADER_BYTES`] only at the end of the input.
    pub(crate) fn read(input: &[u8]) -> Result<Self, PacketError> {
        let (first, rest) = input.split_first().ok_or(PacketError::Header)?;
        let (tag, width, length) = match first {
            0xc0.. => {
                let tag = first & 0x3f;
                match *rest {
                    [one @ 0..=191, ..] => (tag, 1, u32::from(one)),
                    [one @ 192..=223, two, ..] => {
                        (tag, 2, ((u32::from(one) - 192) << 8) + u32::from(two) + 192)
                    }
                    [224..=254, ..] => return Err(PacketError::NoFixedLength { tag }),
                    [255, a, b, c, d, ..] => (tag, 5, u32::from_be_bytes([a, b, c, d])),
                    _ => return Err(PacketError::Header),
                }
            }
            0x80.. => {
                let tag = first >> 2 & 0x0f;
                match (first & 3, rest) {
                    (0, [a, ..]) => (tag, 1, u32::from(*a)),
                    (1, [a, b, ..]) => (tag, 2, u32::from(u16::from_be_bytes([*a, *b]))),
                    (2, [a, b, c, d, ..]) => (tag, 4, u32::from_be_bytes([*a, *b, *c, *d])),
                    (3, _) => return Err(PacketError::NoFixedLength { tag }),
                    _ => return Err(PacketError::Header),
                }
            }
            _ => return Err(PacketError::Header),
        };
        if tag == 0 {
            return Err(PacketError::Header);
        }
        let body = usize::try_from(length).map_err(|_| PacketError::Header)?;
        let size = 1 + width;
        Ok(Self { tag, size, body })
    }
}

/// One packet: its type, header and body as they stand in the input, and the body alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub(crate) tag: u8,
    pub(crate) raw: &'a [u8],
    pub(crate) body: &'a [u8],
}

/// Splits octets into packets. Ends with the first error.
pub(crate) struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    fn read(&self) -> Result<(Packet<'a>, &'a [u8]), PacketError> {
        let header = Header::read(self.rest)?;
        let available = self.rest.len().saturating_sub(header.size);
        let end = header.size.saturating_add(header.body);
        let (raw, rest) = self
            .rest
            .split_at_checked(end)
            .ok_or(PacketError::Truncated {
                claimed: u64::try_from(header.body).unwrap_or(u64::MAX),
                available,
            })?;
        let body = raw.get(header.size..).unwrap_or_default();
        let tag = header.tag;
        Ok((Packet { tag, raw, body }, rest))
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let read = self.read();
        self.rest = read.as_ref().map_or(&[], |(_, rest)| rest);
        Some(read.map(|(packet, _)| packet))
    }
}

/// What is wrong with a packet of a type that has no place in a certificate.
pub(crate) fn misplaced(tag: u8) -> PacketError {
    let name = match tag {
        1 | 3 => "session key",
        4 => "one-pass signature",
        8 => "compressed data",
        9 | 18 | 20 => "encrypted data",
        11 => "literal data",
        19 => "modification detection code",
        _ => return PacketError::UnknownCritical { tag },
    };
    PacketError::Unexpected { tag, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_of_header() {
        for (octets, tag, size, body) in [
            (&[0xc6, 5][..], 6, 2, 5),
            (&[0xcd, 192, 0], 13, 3, 192),
            (&[0xc2, 223, 255], 2, 3, 8383),
            (&[0xc2, 255, 0, 1, 0, 0], 2, 6, 65536),
            (&[0x98, 5], 6, 2, 5),
            (&[0x99, 1, 2], 6, 3, 258),
            (&[0x9a, 0, 1, 0, 0], 6, 5, 65536),
        ] {
            assert_eq!(Header::read(octets), Ok(Header { tag, size, body }));
        }
    }

    #[test]
    fn refuses_headers_without_a_length_and_damaged_ones() {
        for (octets, tag) in [(&[0xc6, 224][..], 6), (&[0xcb, 254], 11), (&[0x9b], 6)] {
            assert_eq!(
                Header::read(octets),
                Err(PacketError::NoFixedLength { tag })
            );
        }
        for octets in [
            &[][..],
            &[0x00, 1],
            &[0x7f, 1],
            &[0xc0, 1],
            &[0x80, 1],
            &[0xc6],
            &[0xc6, 192],
            &[0xc6, 255, 0, 0, 0],
            &[0x98],
            &[0x99, 1],
            &[0x9a, 0, 0, 0],
        ] {
            assert_eq!(Header::read(octets), Err(PacketError::Header), "{octets:?}");
        }
        let mut packets = Packets::new(&[0xc6, 1, 4, 0xc2, 3, 0]);
        assert_eq!(packets.next().unwrap().unwrap().body, [4]);
        let truncated = PacketError::Truncated {
            claimed: 3,
            available: 1,
        };
        assert_eq!(packets.next(), Some(Err(truncated)));
        assert_eq!(packets.next(), None);
    }
}
