//! ASCII armor and clear-signed text (RFC 9580 sections 6 and 7).

use base64::Engine as _;

use crate::key::Key;
use crate::signature::{Over, SignatureBuilder, canonical_text, signature_type};

/// What the armor's first and last line name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmorKind {
    /// `PGP SIGNATURE`.
    Signature,
    /// `PGP PUBLIC KEY BLOCK`.
    PublicKey,
    /// `PGP PRIVATE KEY BLOCK`.
    PrivateKey,
    /// `PGP MESSAGE`.
    Message,
}

impl ArmorKind {
    fn label(self) -> &'static str {
        match self {
            Self::Signature => "PGP SIGNATURE",
            Self::PublicKey => "PGP PUBLIC KEY BLOCK",
            Self::PrivateKey => "PGP PRIVATE KEY BLOCK",
            Self::Message => "PGP MESSAGE",
        }
    }
}

/// The CRC-24 line of an armor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmorChecksum {
    /// None, as RFC 9580 has it.
    Absent,
    /// The right one, as RFC 4880 and gpg have it.
    Present,
    /// One that does not fit.
    Wrong,
}

/// The bytes in armor, with LF line ends and without headers.
pub fn armor(kind: ArmorKind, bytes: &[u8], checksum: ArmorChecksum) -> String {
    armor_with(kind, &[], bytes, checksum)
}

/// The bytes in armor with header lines, such as `Comment: text`.
pub fn armor_with(
    kind: ArmorKind,
    headers: &[&str],
    bytes: &[u8],
    checksum: ArmorChecksum,
) -> String {
    /// The line length that gpg and Sequoia write; the RFC allows 76.
    const LINE: usize = 64;
    let engine = base64::engine::general_purpose::STANDARD;
    let label = kind.label();
    let mut out = format!("-----BEGIN {label}-----\n");
    for header in headers {
        out.push_str(header);
        out.push('\n');
    }
    out.push('\n');
    let mut rest = &engine.encode(bytes)[..];
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(LINE.min(rest.len()));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    let crc = match checksum {
        ArmorChecksum::Absent => None,
        ArmorChecksum::Present => Some(crc24(bytes)),
        ArmorChecksum::Wrong => Some(crc24(bytes) ^ 1),
    };
    if let Some(crc) = crc {
        out.push_str(&format!("={}\n", engine.encode(&crc.to_be_bytes()[1..])));
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// A clear-signed text: dash-escaped, with a `Hash` header, signed with SHA-256 at `created`.
pub fn clearsign(text: &str, key: &Key, created: u32) -> String {
    clearsign_by(
        text,
        &[(key, SignatureBuilder::new(signature_type::TEXT, created))],
    )
}

/// A clear-signed text with several signatures, each made as its builder says over what a reader hashes: lines without
/// trailing spaces and tabs, CR LF between them, no line end after the last (whatever the type).
pub fn clearsign_by(text: &str, signers: &[(&Key, SignatureBuilder)]) -> String {
    let hashed = clear_text(text);
    let signatures: Vec<u8> = signers
        .iter()
        .flat_map(|(key, signature)| signature.sign(key, Over::Octets(&hashed)))
        .collect();
    let mut names: Vec<&str> = signers
        .iter()
        .map(|(_, signature)| signature.hash().name())
        .collect();
    names.dedup();
    let header = format!("Hash: {}", names.join(", "));
    let armored = armor(ArmorKind::Signature, &signatures, ArmorChecksum::Present);
    clearsigned_parts(&[&header], &dash_escape(text), &armored)
}

/// A clear-signed text put together from parts taken as they are: header lines, the text after dash-escaping, the
/// signatures in armor. A line end is added to a text that lacks it.
pub fn clearsigned_parts(headers: &[&str], escaped: &str, armored: &str) -> String {
    let mut out = String::from("-----BEGIN PGP SIGNED MESSAGE-----\n");
    for header in headers {
        out.push_str(header);
        out.push('\n');
    }
    out.push('\n');
    out.push_str(escaped);
    if !escaped.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(armored);
    out
}

fn dash_escape(text: &str) -> String {
    let escape = |line: &str| {
        if line.starts_with('-') {
            format!("- {line}")
        } else {
            line.to_owned()
        }
    };
    text.split_inclusive('\n').map(escape).collect()
}

fn clear_text(text: &str) -> Vec<u8> {
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    let lines: Vec<&str> = text
        .split('\n')
        .map(|line| {
            line.strip_suffix('\r')
                .unwrap_or(line)
                .trim_end_matches([' ', '\t'])
        })
        .collect();
    canonical_text(lines.join("\n").as_bytes())
}

/// RFC 9580 section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    const INITIAL: u32 = 0xb7_04ce;
    const GENERATOR: u32 = 0x186_4cfb;
    let mut crc = INITIAL;
    for &octet in bytes {
        crc ^= u32::from(octet) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x100_0000 != 0 {
                crc ^= GENERATOR;
            }
        }
    }
    crc & 0xff_ffff
}

#[cfg(test)]
mod tests {
    use super::{
        ArmorChecksum, ArmorKind, armor, armor_with, clear_text, clearsign, crc24, dash_escape,
    };
    use crate::Key;

    #[test]
    fn crc_is_that_of_the_rfc() {
        // The check value of CRC-24/OPENPGP.
        assert_eq!(crc24(b"123456789"), 0x21_cf02);
        assert_eq!(crc24(b""), 0xb7_04ce);
    }

    #[test]
    fn armor_is_exact() {
        assert_eq!(
            armor(ArmorKind::Signature, b"abc", ArmorChecksum::Absent),
            "-----BEGIN PGP SIGNATURE-----\n\nYWJj\n-----END PGP SIGNATURE-----\n"
        );
        let long = armor_with(
            ArmorKind::PublicKey,
            &["Comment: x"],
            &[0; 49],
            ArmorChecksum::Present,
        );
        let lines: Vec<&str> = long.lines().collect();
        assert_eq!(
            (lines[1], lines[2], lines[3].len(), lines[4]),
            ("Comment: x", "", 64, "AA==")
        );
        assert!(lines[5].starts_with('=') && lines[5].len() == 5);
    }

    #[test]
    fn clear_text_loses_trailing_white_space_and_the_last_line_end() {
        assert_eq!(clear_text("a \t\n\n-b\r\n"), b"a\r\n\r\n-b");
        assert_eq!(clear_text("a"), b"a");
        assert_eq!(clear_text("a\n\n"), b"a\r\n");
        assert_eq!(dash_escape("-a\nb\n--"), "- -a\nb\n- --");
    }

    #[test]
    fn clear_signed_text_has_its_parts_in_order() {
        let text = clearsign("-a\nb", &Key::ed25519_legacy([1; 32], 1), 2);
        assert!(text.starts_with(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n- -a\nb\n-----BEGIN PGP SIGNATURE-----\n\n"
        ));
        assert!(text.ends_with("-----END PGP SIGNATURE-----\n"));
    }
}
