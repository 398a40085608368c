//! Packet framing (RFC 9580, section 4): where each packet begins and ends. The octets are kept as they came, since that is
//! what was signed.

use std::ops::{Deref, Range};
use std::sync::Arc;

use pgp::packet::PacketHeader;
use pgp::types::{PacketLength, Tag};

use crate::error::PacketError;

/// A part of a shared buffer.
#[derive(Clone)]
pub(crate) struct Slice {
    buffer: Arc<[u8]>,
    range: Range<usize>,
}

impl Slice {
    pub(crate) fn whole(buffer: Arc<[u8]>) -> Self {
        let range = 0..buffer.len();
        Self { buffer, range }
    }

    /// The part of this slice that `range` names; empty if there is no such part.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let start = self
            .range
            .start
            .saturating_add(range.start)
            .min(self.range.end);
        let end = self
            .range
            .start
            .saturating_add(range.end)
            .clamp(start, self.range.end);
        Self {
            buffer: Arc::clone(&self.buffer),
            range: start..end,
        }
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buffer.get(self.range.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Slice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} octets]", self.len())
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Slice {}

impl PartialOrd for Slice {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slice {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

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

/// One packet: its type, its body, and both as they stand in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) tag: u8,
    /// Header and body.
    pub(crate) raw: Slice,
    pub(crate) body: Slice,
}

/// How a packet type is to be treated where it is not one of the expected.
pub(crate) enum Treatment {
    Skip,
    Refuse(PacketError),
}

/// RFC 9580, section 4.3: markers and padding are ignored, unknown non-critical types too; everything else is refused.
pub(crate) fn unexpected(tag: u8) -> Treatment {
    match tag {
        tag::MARKER | tag::PADDING => Treatment::Skip,
        tag::FIRST_NON_CRITICAL.. => Treatment::Skip,
        _ => Treatment::Refuse(match name(tag) {
            Some(name) => PacketError::Unexpected { tag, name },
            None => PacketError::UnknownCritical { tag },
        }),
    }
}

fn name(tag: u8) -> Option<&'static str> {
    Some(match tag {
        1 => "public-key encrypted session key",
        2 => "signature",
        3 => "symmetric-key encrypted session key",
        4 => "one-pass signature",
        5 => "secret key",
        6 => "public key",
        7 => "secret subkey",
        8 => "compressed data",
        9 => "symmetrically encrypted data",
        11 => "literal data",
        12 => "trust",
        13 => "user id",
        14 => "public subkey",
        17 => "user attribute",
        18 => "symmetrically encrypted and integrity protected data",
        19 => "modification detection code",
        20 => "AEAD encrypted data",
        _ => return None,
    })
}

/// Splits a buffer into packets. Stops at the first error: what follows a damaged header has no meaning.
pub(crate) struct Packets {
    input: Slice,
    offset: usize,
    failed: bool,
}

impl Packets {
    pub(crate) fn new(input: Slice) -> Self {
        Self {
            input,
            offset: 0,
            failed: false,
        }
    }

    fn read(&mut self) -> Result<Packet, PacketError> {
        let start = self.offset;
        let mut rest = self.input.get(start..).unwrap_or_default();
        let header = PacketHeader::try_from_reader(&mut rest).map_err(|_| PacketError::Header)?;
        let tag = tag_id(header.tag());
        let PacketLength::Fixed(length) = header.packet_length() else {
            return Err(PacketError::NoFixedLength { tag });
        };
        let body_start = self.input.len() - rest.len();
        let truncated = PacketError::Truncated {
            claimed: u64::from(length),
            available: rest.len(),
        };
        let length = usize::try_from(length).map_err(|_| truncated.clone())?;
        if length > rest.len() {
            return Err(truncated);
        }
        let end = body_start + length;
        self.offset = end;
        Ok(Packet {
            tag,
            raw: self.input.part(start..end),
            body: self.input.part(body_start..end),
        })
    }
}

impl Iterator for Packets {
    type Item = Result<Packet, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.offset >= self.input.len() {
            return None;
        }
        let packet = self.read();
        self.failed = packet.is_err();
        Some(packet)
    }
}

fn tag_id(tag: Tag) -> u8 {
    tag.into()
}
