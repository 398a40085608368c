//! ASCII armor (RFC 9580, section 6), read block by block as a stream. What stands around the blocks is text for people.

use std::io::{self, BufRead};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use countersign_verify::ArmorError;

/// Octets of a line within a block. Programs write 64 or 76; some web pages put all on one line, which is not taken.
const LINE_BYTES: usize = 16 * 1024;

/// Older programs leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const ARMORED_FILE: &[u8] = b"PGP ARMORED FILE";

/// The blocks of an armored input, one after the other.
pub(crate) struct Armor<R> {
    input: R,
    line: Vec<u8>,
    /// A line that ended a damaged block and may begin the next one.
    again: bool,
    label: Vec<u8>,
    /// Base64 that does not fill a group of four yet.
    pending: Vec<u8>,
    decoded: Vec<u8>,
    at: usize,
    state: State,
    blocks: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    Data,
    /// After padding: the checksum may come, or the END line.
    Padded,
    /// After the checksum: nothing but the END line may come.
    Checked,
}

/// What can go wrong while a block is read.
#[derive(Debug)]
pub(crate) enum BlockError {
    Io(io::Error),
    Armor(ArmorError),
}

impl From<io::Error> for BlockError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What [`Armor::read_line`] found.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    End,
    Whole,
    /// Only the first [`LINE_BYTES`] of it are kept.
    TooLong,
}

impl<R: BufRead> Armor<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            again: false,
            label: Vec::new(),
            pending: Vec::new(),
            decoded: Vec::new(),
            at: 0,
            state: State::Outside,
            blocks: 0,
        }
    }

    /// Goes to the next block. `false` where there is none.
    pub(crate) fn next_block(&mut self) -> Result<bool, BlockError> {
        self.state = State::Outside;
        self.decoded.clear();
        self.pending.clear();
        self.at = 0;
        loop {
            if std::mem::take(&mut self.again) {
                // The line at hand.
            } else if self.read_line()? == Line::End {
                return Ok(false);
            }
            if let Some(label) = label(&self.line, BEGIN) {
                self.label = label.to_vec();
                self.blocks += 1;
                break;
            }
        }
        let known: [&[u8]; 3] = [
            b"PGP PUBLIC KEY BLOCK",
            b"PGP PRIVATE KEY BLOCK",
            ARMORED_FILE,
        ];
        if !known.contains(&self.label.as_slice()) {
            return Err(BlockError::Armor(ArmorError::WrongKind));
        }
        loop {
            match self.read_line()? {
                Line::End => return Err(BlockError::Armor(ArmorError::NoEnd)),
                Line::Whole if self.line.is_empty() => break,
                _ if self.line.starts_with(DASHES) => {
                    self.again = true;
                    return Err(BlockError::Armor(ArmorError::Header));
                }
                _ if self.line.contains(&b':') => {}
                _ => return Err(BlockError::Armor(ArmorError::Header)),
            }
        }
        self.state = State::Data;
        Ok(true)
    }

    /// How many blocks have begun.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Gives up the rest of the block.
    pub(crate) fn leave_block(&mut self) {
        self.state = State::Outside;
        self.at = self.decoded.len();
    }

    /// Decoded octets that were not consumed yet; none at the end of the block.
    pub(crate) fn fill(&mut self) -> Result<&[u8], BlockError> {
        while self.at == self.decoded.len() && self.state != State::Outside {
            self.decoded.clear();
            self.at = 0;
            self.decode_line().inspect_err(|_| {
                self.state = State::Outside;
                self.decoded.clear();
            })?;
        }
        Ok(self.decoded.get(self.at..).unwrap_or_default())
    }

    pub(crate) fn consume(&mut self, octets: usize) {
        self.at = (self.at + octets).min(self.decoded.len());
    }

    fn decode_line(&mut self) -> Result<(), BlockError> {
        let malformed = |error| Err(BlockError::Armor(error));
        match self.read_line()? {
            Line::End => return malformed(ArmorError::NoEnd),
            Line::TooLong => return malformed(ArmorError::Base64),
            Line::Whole => {}
        }
        let line = self.line.as_slice();
        if line.starts_with(DASHES) {
            let Some(end) = label(line, END) else {
                self.again = true;
                return malformed(ArmorError::NoEnd);
            };
            // Files are published that went through `gpg --enarmor` and had their first line mended only.
            if end != self.label && end != ARMORED_FILE {
                return malformed(ArmorError::MismatchedEnd);
            }
            self.state = State::Outside;
            return self.decode(0);
        }
        match (self.state, line) {
            (_, []) => Ok(()),
            // The checksum is not looked at: RFC 9580 (section 6.1) forbids to refuse because of it. No line of the data begins
            // with `=` unless it is padding alone.
            (State::Data | State::Padded, [b'=', _, _, _, _]) => {
                self.state = State::Checked;
                Ok(())
            }
            (State::Padded | State::Checked, _) => malformed(ArmorError::Base64),
            (_, line) => {
                self.pending.extend_from_slice(line);
                if line.ends_with(b"=") {
                    self.state = State::Padded;
                    self.decode(0)
                } else {
                    self.decode(self.pending.len() % 4)
                }
            }
        }
    }

    /// Decodes what is pending but for its last octets.
    fn decode(&mut self, but: usize) -> Result<(), BlockError> {
        let whole = self.pending.len().saturating_sub(but);
        let groups = self.pending.get(..whole).unwrap_or_default();
        BASE64
            .decode_vec(groups, &mut self.decoded)
            .map_err(|_| BlockError::Armor(ArmorError::Base64))?;
        self.pending.drain(..whole);
        Ok(())
    }

    /// The next line, without white space at its end.
    fn read_line(&mut self) -> io::Result<Line> {
        self.line.clear();
        let (mut any, mut too_long) = (false, false);
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            any = true;
            let end = available.iter().position(|octet| *octet == b'\n');
            let part = available
                .get(..end.unwrap_or(available.len()))
                .unwrap_or_default();
            let room = LINE_BYTES.saturating_sub(self.line.len());
            too_long |= part.len() > room;
            self.line
                .extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        let trimmed = self.line.trim_ascii_end().len();
        self.line.truncate(trimmed);
        Ok(match (any, too_long) {
            (false, _) => Line::End,
            (true, false) => Line::Whole,
            (true, true) => Line::TooLong,
        })
    }
}

fn label<'a>(line: &'a [u8], marker: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(marker)?.strip_suffix(DASHES)
}
