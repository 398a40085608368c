//! ASCII armor (RFC 9580, section 6): one or several blocks, nothing but white space around them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::ArmorError;

/// What the BEGIN line of a block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    PublicKey,
    PrivateKey,
    Signature,
    /// Text that carries its signature after it (RFC 9580, section 7); its content is not decoded.
    ClearSigned,
    Message,
    /// `gpg --enarmor` writes this whatever is inside; the packets say what it is.
    Any,
    Other,
}

impl Kind {
    fn from_label(label: &str) -> Self {
        match label {
            "PGP PUBLIC KEY BLOCK" => Self::PublicKey,
            "PGP PRIVATE KEY BLOCK" => Self::PrivateKey,
            "PGP SIGNATURE" => Self::Signature,
            "PGP SIGNED MESSAGE" => Self::ClearSigned,
            "PGP MESSAGE" => Self::Message,
            ARMORED_FILE => Self::Any,
            _ => Self::Other,
        }
    }
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const ARMORED_FILE: &str = "PGP ARMORED FILE";

/// Older programs leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether the input can be binary OpenPGP: a packet header has its first bit set, which no text has.
pub(crate) fn is_binary(input: &[u8]) -> bool {
    input.first().is_some_and(|byte| byte & 0x80 != 0)
}

/// Whether there is a BEGIN line at the start, after white space.
pub(crate) fn is_armored(input: &[u8]) -> bool {
    input.trim_ascii_start().starts_with(BEGIN.as_bytes())
}

/// Whether there is a BEGIN line anywhere.
pub(crate) fn has_block(input: &[u8]) -> bool {
    let mut lines = input.split(|byte| *byte == b'\n');
    lines.any(|line| label(line.trim_ascii_end(), BEGIN).is_some())
}

/// What may stand around the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    WhiteSpace,
    /// Anything that is no BEGIN line.
    Text,
}

/// The blocks of an armored input, each with its kind, in order.
///
/// The checksum is not looked at: RFC 9580 (section 6.1) forbids to refuse because of it, and the signature protects more.
pub(crate) fn decode(input: &[u8], around: Around) -> Result<Vec<(Kind, Vec<u8>)>, ArmorError> {
    let mut lines = input
        .split(|byte| *byte == b'\n')
        .map(|line| line.trim_ascii_end());
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let label = match (label(line, BEGIN), around) {
            (Some(label), _) => label,
            (None, Around::Text) => continue,
            (None, Around::WhiteSpace) => return Err(ArmorError::SurroundingText),
        };
        let kind = Kind::from_label(label);
        if kind == Kind::ClearSigned {
            // What follows is text, not base64.
            return Ok(vec![(kind, Vec::new())]);
        }
        headers(&mut lines)?;
        blocks.push((kind, body(&mut lines, label)?));
    }
    Ok(blocks)
}

fn label<'a>(line: &'a [u8], marker: &str) -> Option<&'a str> {
    std::str::from_utf8(line)
        .ok()?
        .strip_prefix(marker)?
        .strip_suffix(DASHES)
}

/// Skips the armor headers and the empty line after them.
fn headers<'a>(lines: &mut impl Iterator<Item = &'a [u8]>) -> Result<(), ArmorError> {
    for line in lines {
        if line.is_empty() {
            return Ok(());
        }
        if !line.contains(&b':') {
            return Err(ArmorError::Header);
        }
    }
    Err(ArmorError::NoEnd)
}

fn body<'a>(
    lines: &mut impl Iterator<Item = &'a [u8]>,
    begin: &str,
) -> Result<Vec<u8>, ArmorError> {
    let mut base64 = Vec::new();
    let mut ended = false;
    for line in lines {
        if line.starts_with(DASHES.as_bytes()) {
            let end = label(line, END).ok_or(ArmorError::SurroundingText)?;
            // Signatures are published that went through `gpg --enarmor` and had their first line mended only.
            if end != begin && end != ARMORED_FILE {
                return Err(ArmorError::MismatchedEnd);
            }
            return BASE64.decode(&base64).map_err(|_| ArmorError::Base64);
        }
        if line.is_empty() {
            continue;
        }
        if ended {
            return Err(ArmorError::Base64);
        }
        // The checksum line begins with `=`; no line of the data does unless it is padding alone.
        if line.len() == 5 && line.starts_with(b"=") {
            ended = true;
        } else {
            base64.extend_from_slice(line);
        }
    }
    Err(ArmorError::NoEnd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Vec<(Kind, Vec<u8>)>, ArmorError> {
        decode(text.as_bytes(), Around::WhiteSpace)
    }

    #[test]
    fn reads_one_or_several_blocks() {
        let block = "-----BEGIN PGP SIGNATURE-----\nVersion: x\n\naGVs\nbG8=\n=abcd\n-----END PGP SIGNATURE-----\n";
        let hello = (Kind::Signature, b"hello".to_vec());
        assert_eq!(one(block), Ok(vec![hello.clone()]));
        assert_eq!(one(&block.replace('\n', "\r\n")), Ok(vec![hello.clone()]));
        assert_eq!(
            one(&format!("\n{block}\n{block}")),
            Ok(vec![hello.clone(), hello.clone()])
        );
        assert_eq!(one(&block.replace("=abcd\n", "")), Ok(vec![hello.clone()]));
        assert_eq!(one(&block.replace("bG8=", "bG8")), Ok(vec![hello.clone()]));
        let mended = block.replace("END PGP SIGNATURE", "END PGP ARMORED FILE");
        assert_eq!(one(&mended), Ok(vec![hello]));
    }

    #[test]
    fn refuses_what_is_not_armor() {
        let block = "-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n";
        for (text, error) in [
            (format!("x\n{block}"), ArmorError::SurroundingText),
            (format!("{block}x\n"), ArmorError::SurroundingText),
            (
                block.replace("-----END PGP SIGNATURE-----", ""),
                ArmorError::NoEnd,
            ),
            (
                block.replace("END PGP SIGNATURE", "END PGP MESSAGE"),
                ArmorError::MismatchedEnd,
            ),
            (block.replace("\n\n", "\n"), ArmorError::Header),
            (block.replace("aGVs", "a*Vs"), ArmorError::Base64),
            (
                block.replace("aGVsbG8=\n", "aGVs\n=abcd\nbG8=\n"),
                ArmorError::Base64,
            ),
            ("-----BEGIN PGP SIGNATURE-----".into(), ArmorError::NoEnd),
        ] {
            assert_eq!(one(&text), Err(error), "{text}");
        }
    }
}
