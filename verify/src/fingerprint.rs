//! Fingerprints, and the looser handles by which a signature names its issuer.

use std::fmt;
use std::str::FromStr;

use crate::error::FingerprintError;

/// A whole fingerprint of a key: 20 bytes (version 4) or 32 bytes (version 6). Prints in upper-case hexadecimal.
///
/// A key id is no fingerprint: 64 bits can be forged, so parsing refuses it.
///
/// ```
/// use countersign_verify::{Fingerprint, FingerprintError};
/// let pin: Fingerprint = "9478 3B2C 2C33 F0A5 1C4D  1D4B 1A5D 1E6C 2A3B 4C5D".parse()?;
/// assert_eq!(pin.to_string(), "94783B2C2C33F0A51C4D1D4B1A5D1E6C2A3B4C5D");
/// assert!(matches!("1A5D1E6C2A3B4C5D".parse::<Fingerprint>(), Err(FingerprintError::KeyId(_))));
/// # Ok::<(), FingerprintError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    bytes: [u8; 32],
    length: u8,
}

impl Fingerprint {
    pub(crate) fn v4(bytes: [u8; 20]) -> Self {
        let mut whole = [0; 32];
        whole[..20].copy_from_slice(&bytes);
        Self {
            bytes: whole,
            length: 20,
        }
    }

    pub(crate) fn v6(bytes: [u8; 32]) -> Self {
        Self { bytes, length: 32 }
    }

    /// The fingerprint's 20 or 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    /// The key id: the last 8 bytes of a version 4 fingerprint, the first 8 of a version 6 one (RFC 9580, section 5.5.4).
    pub(crate) fn key_id(&self) -> [u8; 8] {
        let octets = self.as_bytes();
        let id = if self.length == 20 {
            octets.last_chunk()
        } else {
            octets.first_chunk()
        };
        id.copied().unwrap_or_default()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Accepts 40 or 64 hexadecimal digits of either case, with spaces between them and a leading `0x`.
impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || FingerprintError::Malformed(text.to_owned());
        let digits: Vec<u8> = text
            .strip_prefix("0x")
            .unwrap_or(text)
            .chars()
            .filter(|c| *c != ' ')
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or_else(malformed)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        match digits.len() {
            40 => Ok(Self::v4(bytes.try_into().map_err(|_| malformed())?)),
            64 => Ok(Self::v6(bytes.try_into().map_err(|_| malformed())?)),
            8 | 16 => Err(FingerprintError::KeyId(text.to_owned())),
            _ => Err(malformed()),
        }
    }
}

/// How a signature names its issuer: by fingerprint or, in older signatures, by key id. A hint, never a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyHandle {
    /// A whole fingerprint.
    Fingerprint(Fingerprint),
    /// The 64 bits of a key id.
    KeyId([u8; 8]),
}

impl KeyHandle {
    /// Whether a key with this fingerprint answers to the handle.
    pub(crate) fn names(&self, fingerprint: &Fingerprint) -> bool {
        match self {
            Self::Fingerprint(own) => own == fingerprint,
            Self::KeyId(id) => *id == fingerprint.key_id(),
        }
    }
}

impl fmt::Display for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint(fingerprint) => fingerprint.fmt(f),
            Self::KeyId(id) => id.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
        }
    }
}

/// Handles for a message, separated by commas.
pub(crate) fn join(handles: &[KeyHandle]) -> String {
    let texts: Vec<String> = handles.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_fingerprint() {
        for id in ["A9553245FDE9B739", "0xa9553245fde9b739", "FDE9B739"] {
            assert_eq!(
                id.parse::<Fingerprint>(),
                Err(FingerprintError::KeyId(id.to_owned()))
            );
        }
        for text in [
            "",
            "0x",
            "é",
            "8ED396E37E38D471A00530D3A9553245FDE9B73",
            "8ED396E37E38D471A00530D3A9553245FDE9B73G",
        ] {
            assert_eq!(
                text.parse::<Fingerprint>(),
                Err(FingerprintError::Malformed(text.to_owned()))
            );
        }
    }

    #[test]
    fn key_id_is_the_end_of_v4_and_the_start_of_v6() {
        let v4: Fingerprint = "8ED396E37E38D471A00530D3A9553245FDE9B739".parse().unwrap();
        assert_eq!(
            KeyHandle::KeyId(v4.key_id()).to_string(),
            "A9553245FDE9B739"
        );
        let v6: Fingerprint = "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9"
            .parse()
            .unwrap();
        assert_eq!(
            KeyHandle::KeyId(v6.key_id()).to_string(),
            "CB186C4F0609A697"
        );
    }
}
