//! Keyrings of any size, read one certificate at a time.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};

use countersign_verify::{ArmorError, PacketError};

use crate::armor::{Armor, BlockError};
use crate::limits;
use crate::packet::{HEADER_BYTES, Header, tag};

/// Why a keyring, or the rest of one, cannot be read as certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// No octet, or nothing but white space.
    #[error("the keyring is empty")]
    Empty,
    /// GnuPG's own database.
    #[error("this is a GnuPG keybox, not an exported keyring")]
    Keybox,
    /// Neither binary packets nor armor.
    #[error("neither binary nor armored OpenPGP data")]
    NotOpenPgp,
    /// A damaged armored block.
    #[error("damaged armored block: {0}")]
    Armor(ArmorError),
    /// A damaged packet, after which nothing has a meaning.
    #[error("{0}")]
    Packet(PacketError),
    /// A packet that belongs to a certificate, and no certificate before it.
    #[error("packet type {tag} without a key before it")]
    NoKey {
        /// The packet type id.
        tag: u8,
    },
}

/// Something in a keyring.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The packets from a primary key to the next one.
    Certificate(Vec<u8>),
    /// As much of such packets as the limit lets in.
    TooLarge(Vec<u8>),
    /// What came before an error, and the error.
    Damaged(Vec<u8>, KeyringError),
}

/// Reads a keyring: binary packets, or one or several armored blocks with any text around them.
pub(crate) struct Keyring<R> {
    input: Input<BufReader<R>>,
    /// The packets of the certificate that is being read, from its primary key on.
    current: Vec<u8>,
    state: State,
    /// At most a certificate and what is wrong with the octets after it.
    found: VecDeque<Found>,
}

enum Input<R> {
    Binary(R),
    Armored(Armor<R>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Packets up to the next key belong to nobody, and nobody has heard of it yet.
    Orphaned,
    /// As before; what went wrong is said already.
    Damaged,
    Within,
    /// The certificate is larger than the limit.
    Over,
    Ended,
}

/// Octets read from the operating system at once.
const READ_BYTES: usize = 256 * 1024;

impl<R: Read> Keyring<R> {
    /// Looks at the first octets.
    pub(crate) fn open(input: R) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(READ_BYTES, input);
        let start = input.fill_buf()?;
        /// Where a keybox has its magic number.
        const KEYBOX_MAGIC: std::ops::Range<usize> = 8..12;
        let is_keybox = start.get(KEYBOX_MAGIC) == Some(b"KBXf");
        // A packet header has its first bit set, which no text has.
        let is_binary = start.first().is_some_and(|octet| octet & 0x80 != 0);
        let error = match start {
            [] => Some(KeyringError::Empty),
            _ if is_keybox => Some(KeyringError::Keybox),
            _ => None,
        };
        let mut keyring = Self {
            input: if is_binary {
                Input::Binary(input)
            } else {
                Input::Armored(Armor::new(input))
            },
            current: Vec::new(),
            state: State::Orphaned,
            found: VecDeque::new(),
        };
        if let Some(error) = error {
            keyring.state = State::Ended;
            keyring.found.push_back(Found::Damaged(Vec::new(), error));
        }
        Ok(keyring)
    }

    /// What comes next; none at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Found>> {
        while self.found.is_empty() && self.state != State::Ended {
            match self.step() {
                Ok(()) => {}
                Err(BlockError::Io(error)) => return Err(error),
                Err(BlockError::Armor(error)) => self.damaged(KeyringError::Armor(error)),
            }
        }
        Ok(self.found.pop_front())
    }

    /// Reads one packet.
    fn step(&mut self) -> Result<(), BlockError> {
        let header = match self.header()? {
            Some(Ok(header)) => header,
            Some(Err(error)) => {
                self.damaged(KeyringError::Packet(error));
                return self.leave();
            }
            None => return self.next_block(),
        };
        let (tag, octets) = (header.0.tag, header.1);
        if matches!(tag, tag::PUBLIC_KEY | tag::SECRET_KEY) {
            self.finish();
            self.state = State::Within;
        } else if self.state == State::Orphaned {
            let ignored = matches!(tag, tag::MARKER | tag::PADDING | tag::TRUST)
                || tag >= tag::FIRST_NON_CRITICAL;
            if !ignored {
                self.damaged(KeyringError::NoKey { tag });
            }
        }
        let body = header.0.body;
        let room = limits::CERTIFICATE_BYTES.saturating_sub(self.current.len());
        if self.state == State::Within {
            if header.0.size.saturating_add(body) > room {
                self.state = State::Over;
            } else {
                self.current
                    .extend_from_slice(octets.get(..header.0.size).unwrap_or_default());
            }
        }
        let mut missing = body;
        while missing > 0 {
            let keep = self.state == State::Within;
            let part = self.input.fill()?;
            let part = part.get(..part.len().min(missing)).unwrap_or_default();
            if part.is_empty() {
                self.damaged(KeyringError::Packet(PacketError::Truncated {
                    claimed: u64::try_from(body).unwrap_or(u64::MAX),
                    available: body - missing,
                }));
                return self.leave();
            }
            let taken = part.len();
            if keep {
                self.current.extend_from_slice(part);
            }
            self.input.consume(taken);
            missing -= taken;
        }
        Ok(())
    }

    /// The next packet's header and its octets; none at the end of the input or the block.
    #[expect(
        clippy::type_complexity,
        reason = "an error in it is not one of reading"
    )]
    fn header(
        &mut self,
    ) -> Result<Option<Result<(Header, [u8; HEADER_BYTES]), PacketError>>, BlockError> {
        let mut octets = [0; HEADER_BYTES];
        let mut length = 0;
        while let Some(place) = octets.get_mut(length) {
            match self.input.fill()? {
                [] if length == 0 => return Ok(None),
                [] => break,
                [octet, ..] => *place = *octet,
            }
            self.input.consume(1);
            length += 1;
            match Header::read(octets.get(..length).unwrap_or_default()) {
                // Perhaps only for lack of octets.
                Err(PacketError::Header) => {}
                read => return Ok(Some(read.map(|header| (header, octets)))),
            }
        }
        Ok(Some(Err(PacketError::Header)))
    }

    /// Goes on where the octets ended. A block may go on with the certificate of the one before, as a revocation does that was
    /// appended to a file.
    fn next_block(&mut self) -> Result<(), BlockError> {
        let (more, any) = match &mut self.input {
            Input::Binary(_) => (false, true),
            Input::Armored(armor) => (armor.next_block()?, armor.blocks() > 0),
        };
        if !more {
            self.finish();
            self.state = State::Ended;
            if !any {
                let error = KeyringError::NotOpenPgp;
                self.found.push_back(Found::Damaged(Vec::new(), error));
            }
        }
        Ok(())
    }

    /// Leaves what is damaged: in binary data nothing after it has a meaning.
    fn leave(&mut self) -> Result<(), BlockError> {
        match &mut self.input {
            Input::Binary(_) => self.state = State::Ended,
            Input::Armored(armor) => armor.leave_block(),
        }
        Ok(())
    }

    fn damaged(&mut self, error: KeyringError) {
        let current = std::mem::take(&mut self.current);
        self.state = State::Damaged;
        self.found.push_back(Found::Damaged(current, error));
    }

    /// Hands out the certificate that was read.
    fn finish(&mut self) {
        let current = std::mem::take(&mut self.current);
        match self.state {
            State::Within => self.found.push_back(Found::Certificate(current)),
            State::Over => self.found.push_back(Found::TooLarge(current)),
            State::Orphaned | State::Damaged | State::Ended => {}
        }
    }
}

impl<R: BufRead> Input<R> {
    /// Octets that were not consumed yet; none at the end of the input or the block.
    fn fill(&mut self) -> Result<&[u8], BlockError> {
        match self {
            Self::Binary(input) => {
                while let Err(error) = input.fill_buf() {
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error.into());
                    }
                }
                Ok(input.fill_buf()?)
            }
            Self::Armored(armor) => armor.fill(),
        }
    }

    fn consume(&mut self, octets: usize) {
        match self {
            Self::Binary(input) => input.consume(octets),
            Self::Armored(armor) => armor.consume(octets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8]) -> Vec<Found> {
        let mut keyring = Keyring::open(input).unwrap();
        let mut all = Vec::new();
        while let Some(found) = keyring.next().unwrap() {
            all.push(found);
        }
        all
    }

    fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[0xc0 | tag, 255], length.as_slice(), body].concat()
    }

    fn certificate(seed: u8) -> Vec<u8> {
        [
            packet(6, &[seed; 20]),
            packet(13, b"joe"),
            packet(2, &[seed; 300]),
        ]
        .concat()
    }

    fn armored(octets: &[u8], line: usize) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(octets);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(line)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let (begin, end) = (
            "-----BEGIN PGP PUBLIC KEY BLOCK-----",
            "-----END PGP PUBLIC KEY BLOCK-----",
        );
        format!(
            "{begin}\nComment: x\n\n{}\n=abcd\n{end}\n",
            lines.join("\n")
        )
    }

    fn damaged(octets: &[u8], error: KeyringError) -> Found {
        Found::Damaged(octets.to_vec(), error)
    }

    #[test]
    fn splits_binary_and_armored_keyrings_alike() {
        let (one, two) = (certificate(1), certificate(2));
        let both = [one.clone(), two.clone()].concat();
        let expected = [
            Found::Certificate(one.clone()),
            Found::Certificate(two.clone()),
        ];
        assert_eq!(all(&both), expected);
        for line in [4, 64, 76, 10_000] {
            assert_eq!(all(armored(&both, line).as_bytes()), expected, "{line}");
            let blocks = format!(
                "Hello\n{}\r\ntext\n{}",
                armored(&one, line),
                armored(&two, line)
            );
            assert_eq!(all(blocks.as_bytes()), expected);
            assert_eq!(all(blocks.replace('\n', "\r\n").as_bytes()), expected);
        }
    }

    #[test]
    fn a_block_may_go_on_with_the_certificate_before_it() {
        let (one, revocation) = (certificate(1), packet(2, &[9; 50]));
        let text = armored(&one, 64) + &armored(&revocation, 64);
        let whole = [one, revocation].concat();
        assert_eq!(all(text.as_bytes()), [Found::Certificate(whole)]);
    }

    #[test]
    fn what_is_damaged_does_not_take_others_along() {
        let (one, two) = (certificate(1), certificate(2));
        let text = armored(&one, 64);
        let blocks = |bad: String| bad + &armored(&two, 64);
        let cases = [
            (text.replacen("AQEB", "A*EB", 1), ArmorError::Base64),
            (
                text.replace("END PGP PUBLIC", "END PGP PRIVATE"),
                ArmorError::MismatchedEnd,
            ),
            (
                text.replace("-----END PGP PUBLIC KEY BLOCK-----\n", ""),
                ArmorError::NoEnd,
            ),
            (
                text.replace("PUBLIC KEY BLOCK", "MESSAGE"),
                ArmorError::WrongKind,
            ),
            (text.replace("\n\n", "\n"), ArmorError::Header),
        ];
        for (bad, error) in cases {
            let found = all(blocks(bad.clone()).as_bytes());
            assert_eq!(found.len(), 2, "{bad}");
            assert!(
                matches!(&found[0], Found::Damaged(_, KeyringError::Armor(own)) if *own == error),
                "{bad}"
            );
            assert_eq!(found[1], Found::Certificate(two.clone()));
        }
        let cut = &one[..one.len() - 1];
        let error = KeyringError::Packet(PacketError::Truncated {
            claimed: 300,
            available: 299,
        });
        let text = armored(cut, 64) + &armored(&two, 64);
        assert_eq!(
            all(text.as_bytes()),
            [damaged(cut, error.clone()), Found::Certificate(two.clone())]
        );
        let ring = [two.as_slice(), cut].concat();
        assert_eq!(all(&ring), [Found::Certificate(two), damaged(cut, error)]);
    }

    #[test]
    fn refuses_what_is_no_keyring() {
        for (input, error) in [
            (&b""[..], KeyringError::Empty),
            (b"\0\0\0\x20\x01\x01\0\0KBXf\0\0", KeyringError::Keybox),
            (b"hello", KeyringError::NotOpenPgp),
            (b"\x80\x01", KeyringError::Packet(PacketError::Header)),
            (b"\xc2\x01\x00", KeyringError::NoKey { tag: 2 }),
            (
                b"\xc6\xe0\x00",
                KeyringError::Packet(PacketError::NoFixedLength { tag: 6 }),
            ),
        ] {
            assert_eq!(all(input), [damaged(b"", error)]);
        }
    }

    #[test]
    fn a_certificate_over_the_limit_is_told_apart_and_those_around_it_are_read() {
        let (one, two) = (certificate(1), certificate(2));
        let head = packet(6, &[7; 20]);
        let large = packet(2, &vec![0; limits::CERTIFICATE_BYTES - head.len() - 6]);
        let fits = [head.clone(), large.clone()].concat();
        let ring = |middle: &[u8]| [one.as_slice(), middle, &two].concat();
        let all_of = |middle| {
            [
                Found::Certificate(one.clone()),
                middle,
                Found::Certificate(two.clone()),
            ]
        };
        assert_eq!(all(&ring(&fits)), all_of(Found::Certificate(fits.clone())));
        let over = [fits.clone(), packet(13, b"x")].concat();
        assert_eq!(all(&ring(&over)), all_of(Found::TooLarge(fits)));
    }
}
