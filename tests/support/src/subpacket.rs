//! Signature subpackets (RFC 9580 section 5.2.3.7).

use crate::key::Key;
use crate::packet::new_length;

/// Key flags (RFC 9580 section 5.2.3.29), first octet.
pub mod key_flags {
    /// May certify other keys.
    pub const CERTIFY: u8 = 0x01;
    /// May sign data.
    pub const SIGN: u8 = 0x02;
    /// May encrypt communications and storage.
    pub const ENCRYPT: u8 = 0x0c;
    /// May authenticate.
    pub const AUTHENTICATE: u8 = 0x20;
}

/// One subpacket: a type, a critical bit, a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subpacket {
    kind: u8,
    critical: bool,
    body: Vec<u8>,
    wide: bool,
}

impl Subpacket {
    /// Any type with any body; not critical.
    pub fn raw(kind: u8, body: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            critical: false,
            body: body.into(),
            wide: false,
        }
    }

    /// The same with the critical bit set.
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// The same with its length in five octets, however short it is; counts as another encoding of the same thing.
    pub fn with_five_octet_length(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Signature creation time, in seconds since 1970.
    pub fn created(time: u32) -> Self {
        Self::raw(2, time.to_be_bytes())
    }

    /// Signature expiration, in seconds after its creation; 0 means never.
    pub fn expires_after(seconds: u32) -> Self {
        Self::raw(3, seconds.to_be_bytes())
    }

    /// Exportable certification: 1 yes, 0 no.
    pub fn exportable(value: u8) -> Self {
        Self::raw(4, [value])
    }

    /// Revocable: 1 yes, 0 no.
    pub fn revocable(value: u8) -> Self {
        Self::raw(7, [value])
    }

    /// Key expiration, in seconds after the key's creation; 0 means never.
    pub fn key_expires_after(seconds: u32) -> Self {
        Self::raw(9, seconds.to_be_bytes())
    }

    /// Preferred symmetric ciphers.
    pub fn preferred_ciphers(ids: &[u8]) -> Self {
        Self::raw(11, ids)
    }

    /// Revocation key: a designated revoker of the given class (0x80), algorithm and version 4 fingerprint.
    pub fn designated_revoker(class: u8, revoker: &Key) -> Self {
        Self::raw(
            12,
            [&[class, revoker.algorithm()][..], &revoker.fingerprint()].concat(),
        )
    }

    /// Issuer key id of `key`.
    pub fn issuer_key_id(key: &Key) -> Self {
        Self::raw(16, key.key_id())
    }

    /// Notation with a text value (the human-readable flag set).
    pub fn notation(name: &str, value: &str) -> Self {
        Self::notation_with_flags([0x80, 0, 0, 0], name, value.as_bytes())
    }

    /// Notation with a binary value (no flag set).
    pub fn binary_notation(name: &str, value: &[u8]) -> Self {
        Self::notation_with_flags([0; 4], name, value)
    }

    /// Notation with any flags.
    pub fn notation_with_flags(flags: [u8; 4], name: &str, value: &[u8]) -> Self {
        let size = |part: usize| {
            u16::try_from(part)
                .expect("a notation's parts are below 64 KiB")
                .to_be_bytes()
        };
        Self::raw(
            20,
            [
                &flags[..],
                &size(name.len()),
                &size(value.len()),
                name.as_bytes(),
                value,
            ]
            .concat(),
        )
    }

    /// Preferred hashes.
    pub fn preferred_hashes(ids: &[u8]) -> Self {
        Self::raw(21, ids)
    }

    /// Preferred compressions.
    pub fn preferred_compressions(ids: &[u8]) -> Self {
        Self::raw(22, ids)
    }

    /// Primary user id: 1 yes, 0 no.
    pub fn primary_user_id(value: u8) -> Self {
        Self::raw(25, [value])
    }

    /// Policy URI.
    pub fn policy_uri(uri: &str) -> Self {
        Self::raw(26, uri)
    }

    /// Key flags, first octet; see [`key_flags`].
    pub fn key_flags(flags: u8) -> Self {
        Self::raw(27, [flags])
    }

    /// Signer's user id.
    pub fn signers_user_id(id: &str) -> Self {
        Self::raw(28, id)
    }

    /// Reason for revocation: 0 none, 1 superseded, 2 compromised, 3 retired, 32 user id no longer valid.
    pub fn revocation_reason(code: u8, text: &str) -> Self {
        Self::raw(29, [&[code], text.as_bytes()].concat())
    }

    /// Features, first octet.
    pub fn features(flags: u8) -> Self {
        Self::raw(30, [flags])
    }

    /// Embedded signature; `body` is a signature packet without its header.
    pub fn embedded_signature(body: impl Into<Vec<u8>>) -> Self {
        Self::raw(32, body)
    }

    /// Issuer fingerprint of `key`.
    pub fn issuer_fingerprint(key: &Key) -> Self {
        Self::raw(33, [&[key.version()][..], &key.fingerprint()].concat())
    }

    /// Intended recipient fingerprint of `key`.
    pub fn intended_recipient(key: &Key) -> Self {
        Self::raw(35, [&[key.version()][..], &key.fingerprint()].concat())
    }

    /// The octets of the subpacket: length, type with critical bit, body.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = u32::try_from(self.body.len() + 1).expect("a test subpacket is below 4 GiB");
        let length = if self.wide {
            [&[0xff][..], &size.to_be_bytes()].concat()
        } else {
            new_length(size)
        };
        let kind = if self.critical {
            self.kind | 0x80
        } else {
            self.kind
        };
        [&length[..], &[kind], &self.body].concat()
    }

    pub(crate) fn kind(&self) -> u8 {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use super::Subpacket;

    #[test]
    fn subpackets_are_exact() {
        assert_eq!(Subpacket::created(1).to_bytes(), [5, 2, 0, 0, 0, 1]);
        assert_eq!(Subpacket::key_flags(3).critical().to_bytes(), [2, 0x9b, 3]);
        assert_eq!(
            Subpacket::features(1).with_five_octet_length().to_bytes(),
            [0xff, 0, 0, 0, 2, 30, 1]
        );
        assert_eq!(
            Subpacket::notation("a@b", "c").to_bytes(),
            [13, 20, 0x80, 0, 0, 0, 0, 3, 0, 1, b'a', b'@', b'b', b'c']
        );
        assert_eq!(
            Subpacket::raw(100, vec![0; 191]).to_bytes()[..3],
            [192, 0, 100]
        );
    }
}
