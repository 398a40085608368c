//! Clear-signed texts (RFC 9580, section 7): a manifest that carries its own signature.

use crate::error::{ClearSignedError, VerifyError};
use crate::limits;
use crate::signature::DetachedSignature;

const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";

/// A clear-signed text: the text as it is hashed, and the signatures. Parsed, not yet judged.
#[derive(Debug, Clone)]
pub struct ClearSigned {
    /// Lines without trailing white space, joined by CRLF, none at the end.
    text: Vec<u8>,
    signature: DetachedSignature,
}

impl ClearSigned {
    /// Whether the input begins as a clear-signed text does, white space before it allowed.
    #[must_use]
    pub fn is_clear_signed(input: &[u8]) -> Detected {
        if input.trim_ascii_start().starts_with(BEGIN) {
            Detected::ClearSigned
        } else {
            Detected::Other
        }
    }

    /// From a whole file: one block, nothing but white space before and after it.
    ///
    /// # Errors
    /// [`VerifyError::ClearSigned`] or [`VerifyError::Signature`] when the text or its signature is malformed.
    pub fn from_bytes(input: &[u8]) -> Result<Self, VerifyError> {
        if input.len() > limits::MANIFEST_BYTES {
            let (size, limit) = (input.len(), limits::MANIFEST_BYTES);
            return Err(ClearSignedError::TooLarge { size, limit }.into());
        }
        let mut lines = Lines {
            rest: input,
            number: 0,
        };
        let begin = lines.by_ref().find(|(_, line)| !line.is_empty());
        match begin {
            Some((_, BEGIN)) => {}
            Some(_) if Self::is_clear_signed(input) == Detected::Other && contains_begin(input) => {
                return Err(ClearSignedError::SurroundingText.into());
            }
            _ => return Err(ClearSignedError::NotClearSigned.into()),
        }
        headers(&mut lines)?;
        let mut text = Vec::with_capacity(input.len());
        let mut first = true;
        loop {
            let before = lines.rest;
            let (number, line) = lines.next().ok_or(ClearSignedError::NoSignature)?;
            if line == BEGIN_SIGNATURE {
                // Refuses what follows the block, and a second block of another kind.
                let signature = DetachedSignature::from_bytes(before)?;
                return Ok(Self { text, signature });
            }
            let line = match line.strip_prefix(b"- ") {
                Some(escaped) => escaped,
                // `- ` alone has lost its space as trailing white space.
                None if line == b"-" => b"",
                None if line.starts_with(b"-") => {
                    return Err(ClearSignedError::UnescapedDash { line: number }.into());
                }
                None => line,
            };
            if !first {
                text.extend_from_slice(b"\r\n");
            }
            first = false;
            text.extend_from_slice(line);
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn signature(&self) -> &DetachedSignature {
        &self.signature
    }
}

/// What a file begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    /// A clear-signed text.
    ClearSigned,
    /// Something else.
    Other,
}

fn contains_begin(input: &[u8]) -> bool {
    input
        .split(|octet| *octet == b'\n')
        .any(|line| line.trim_ascii_end() == BEGIN)
}

/// Only `Hash` headers are allowed, and what they say is not needed (RFC 9580, section 7.1).
fn headers(lines: &mut Lines<'_>) -> Result<(), ClearSignedError> {
    for (line, text) in lines {
        if text.is_empty() {
            return Ok(());
        }
        if !text.starts_with(b"Hash: ") {
            return Err(ClearSignedError::Header { line });
        }
    }
    Err(ClearSignedError::NoSignature)
}

/// Lines without the white space at their end (RFC 9580, section 7.2), numbered from 1.
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self
            .rest
            .iter()
            .position(|octet| *octet == b'\n')
            .unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        self.number += 1;
        Some((self.number, trim_end(line)))
    }
}

fn trim_end(mut line: &[u8]) -> &[u8] {
    while let [start @ .., b' ' | b'\t' | b'\r'] = line {
        line = start;
    }
    line
}
