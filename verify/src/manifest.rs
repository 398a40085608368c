//! Checksum manifests: which artifacts a release has, and their digests. The parser is private: entries can be read only
//! from a [`VerifiedManifest`], after the signature held.

use std::collections::BTreeMap;
use std::fmt;

use crate::artifact::Artifact;
use crate::error::{ArtifactError, ManifestError, NameError, VerifyError};
use crate::hash::HashAlgorithm;
use crate::limits;
use crate::report::Report;

/// The octets of a manifest that nobody has verified yet. Its entries cannot be read.
#[derive(Debug, Clone, Copy)]
pub struct Manifest<'a>(&'a [u8]);

impl<'a> Manifest<'a> {
    /// From a whole file.
    ///
    /// # Errors
    /// [`ManifestError::TooLarge`] above [`limits::MANIFEST_BYTES`].
    pub fn from_bytes(octets: &'a [u8]) -> Result<Self, ManifestError> {
        if octets.len() > limits::MANIFEST_BYTES {
            let (size, limit) = (octets.len(), limits::MANIFEST_BYTES);
            return Err(ManifestError::TooLarge { size, limit });
        }
        Ok(Self(octets))
    }

    pub(crate) fn octets(&self) -> &'a [u8] {
        self.0
    }
}

/// Proof that a manifest carries enough good signatures, and its entries. Only verification makes it.
///
/// Listed names are safe to join to a folder: relative, without `..`, NUL or backslash, each listed once.
#[derive(Debug, Clone)]
#[must_use]
pub struct VerifiedManifest {
    artifacts: Vec<Artifact>,
    places: BTreeMap<String, usize>,
    report: Report,
}

impl VerifiedManifest {
    pub(crate) fn parse(text: &[u8], report: Report) -> Result<Self, VerifyError> {
        match entries(text) {
            Ok((artifacts, places)) => Ok(Self {
                artifacts,
                places,
                report,
            }),
            Err(error) => Err(VerifyError::Manifest {
                error,
                report: Some(Box::new(report)),
            }),
        }
    }

    /// Who signed, and which signatures did not count.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The artifacts, in the manifest's order. At least one.
    #[must_use]
    pub fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }

    /// The artifact of that name; one leading `./` is dropped.
    ///
    /// # Errors
    /// [`ArtifactError::NotListed`].
    pub fn artifact(&self, name: &str) -> Result<&Artifact, ArtifactError> {
        let bare = name.strip_prefix("./").unwrap_or(name);
        let place = self.places.get(bare);
        let found = place.and_then(|place| self.artifacts.get(*place));
        found.ok_or_else(|| ArtifactError::NotListed {
            name: printable(name),
        })
    }
}

/// A name that a manifest lists: relative, of `/`-separated parts none of which is empty, `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactName(String);

impl ArtifactName {
    /// A name as a manifest may list it; one leading `./` is dropped.
    ///
    /// # Errors
    /// [`NameError`] for one that a verified manifest would not have.
    pub fn new(name: &str) -> Result<Self, NameError> {
        safe_name(name.as_bytes().to_vec()).map(Self)
    }

    /// The name, without a leading `./`. Outside text: it may hold control characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints control characters as `\u{1b}`, so that a name cannot write to a terminal.
impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

/// A digest of SHA-256, SHA-384 or SHA-512. Prints in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// 32 octets.
    Sha256([u8; 32]),
    /// 48 octets.
    Sha384([u8; 48]),
    /// 64 octets.
    Sha512([u8; 64]),
}

impl Digest {
    /// From the octets that the algorithm came to; none for another algorithm than these three, or another length.
    #[must_use]
    pub fn from_octets(hash: HashAlgorithm, octets: &[u8]) -> Option<Self> {
        match hash {
            HashAlgorithm::Sha256 => octets.try_into().ok().map(Self::Sha256),
            HashAlgorithm::Sha384 => octets.try_into().ok().map(Self::Sha384),
            HashAlgorithm::Sha512 => octets.try_into().ok().map(Self::Sha512),
            _ => None,
        }
    }

    /// The algorithm.
    #[must_use]
    pub fn hash(&self) -> HashAlgorithm {
        match self {
            Self::Sha256(_) => HashAlgorithm::Sha256,
            Self::Sha384(_) => HashAlgorithm::Sha384,
            Self::Sha512(_) => HashAlgorithm::Sha512,
        }
    }

    fn from_hex(digits: &[u8]) -> Option<Self> {
        fn octets<const LENGTH: usize>(digits: &[u8]) -> Option<[u8; LENGTH]> {
            let mut octets = [0; LENGTH];
            for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
                for digit in pair {
                    let value = char::from(*digit).to_digit(16)?;
                    *octet = *octet << 4 | u8::try_from(value).ok()?;
                }
            }
            Some(octets)
        }
        match digits.len() {
            64 => octets(digits).map(Self::Sha256),
            96 => octets(digits).map(Self::Sha384),
            128 => octets(digits).map(Self::Sha512),
            _ => None,
        }
    }

    /// The digest's octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(octets) => octets,
            Self::Sha384(octets) => octets,
            Self::Sha512(octets) => octets,
        }
    }

    fn tag(&self) -> &'static [u8] {
        match self {
            Self::Sha256(_) => b"SHA256",
            Self::Sha384(_) => b"SHA384",
            Self::Sha512(_) => b"SHA512",
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// The artifacts in their order, and where each name stands.
fn entries(text: &[u8]) -> Result<(Vec<Artifact>, BTreeMap<String, usize>), ManifestError> {
    let mut artifacts = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for (line, content) in numbered_lines(text) {
        let (name, digest) = parse_line(content, line)?;
        if let Some(place) = places.get(&name) {
            let first = lines.get(*place).copied().unwrap_or(line);
            return Err(ManifestError::RepeatedName {
                line,
                first,
                name: printable(&name),
            });
        }
        places.insert(name.clone(), artifacts.len());
        lines.push(line);
        artifacts.push(Artifact::new(ArtifactName(name), digest));
    }
    if artifacts.is_empty() {
        return Err(ManifestError::Empty);
    }
    Ok((artifacts, places))
}

/// The lines that say something, numbered from 1, without line ends: LF or CRLF. Empty lines and comments are skipped.
fn numbered_lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = text.split(|octet| *octet == b'\n').enumerate();
    lines
        .map(|(index, line)| (index + 1, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
}

/// `hex  name`, `hex *name` or `SHA256 (name) = hex`; with a leading backslash the name is escaped.
fn parse_line(content: &[u8], line: usize) -> Result<(String, Digest), ManifestError> {
    let (escaped, content) = match content.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, content),
    };
    let (name, digest) = match tagged(content) {
        Some((tag, name, digits)) => {
            if !matches!(tag, b"SHA256" | b"SHA384" | b"SHA512") {
                return Err(ManifestError::UnsupportedDigest { line });
            }
            let digest = Digest::from_hex(digits).filter(|digest| digest.tag() == tag);
            (name, digest.ok_or(ManifestError::MalformedLine { line })?)
        }
        None => {
            let end = content.iter().position(|octet| !octet.is_ascii_hexdigit());
            let (digits, rest) = end
                .and_then(|end| content.split_at_checked(end))
                .unwrap_or_default();
            let name = rest
                .strip_prefix(b"  ")
                .or_else(|| rest.strip_prefix(b" *"));
            let name = name.filter(|_| !digits.is_empty());
            let name = name.ok_or(ManifestError::MalformedLine { line })?;
            (
                name,
                Digest::from_hex(digits).ok_or(ManifestError::UnsupportedDigest { line })?,
            )
        }
    };
    let name = if escaped {
        unescape(name).ok_or(ManifestError::MalformedLine { line })?
    } else {
        name.to_vec()
    };
    let name = safe_name(name).map_err(|reason| ManifestError::UnsafeName { line, reason })?;
    Ok((name, digest))
}

/// Tag, name and digits of `TAG (name) = hex`. The name may hold `) = ` itself.
fn tagged(content: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let open = content.windows(2).position(|pair| pair == b" (")?;
    let (tag, rest) = content.split_at_checked(open)?;
    if tag.is_empty()
        || !tag
            .iter()
            .all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
    {
        return None;
    }
    let rest = rest.get(2..)?;
    let close = rest.windows(4).rposition(|window| window == b") = ")?;
    Some((tag, rest.get(..close)?, rest.get(close + 4..)?))
}

/// The escapes of GNU coreutils: `\\`, `\n` and `\r`.
fn unescape(name: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(name.len());
    let mut octets = name.iter();
    while let Some(octet) = octets.next() {
        plain.push(match octet {
            b'\\' => match octets.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            other => *other,
        });
    }
    Some(plain)
}

/// The name without one leading `./`, if it cannot lead outside the folder and has no second spelling.
fn safe_name(name: Vec<u8>) -> Result<String, NameError> {
    if name.contains(&0) {
        return Err(NameError::Nul);
    }
    let name = String::from_utf8(name).map_err(|_| NameError::NotUtf8)?;
    if name.contains('\\') {
        return Err(NameError::Backslash);
    }
    let bare = name.strip_prefix("./").unwrap_or(&name);
    // `C:x` leaves the folder on Windows.
    let drive = matches!(bare.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if name.starts_with('/') || drive {
        return Err(NameError::Absolute);
    }
    if bare.is_empty() {
        return Err(NameError::Empty);
    }
    for part in bare.split('/') {
        match part {
            ".." => return Err(NameError::ParentDirectory),
            "" | "." => return Err(NameError::NotCanonical),
            _ => {}
        }
    }
    Ok(bare.to_owned())
}

/// Text from outside as it may be shown: control characters, and those that reorder or hide text, are
/// escaped as `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_misleading(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Control characters, and those that reorder or hide text around them: Unicode's format characters, fillers and variation
/// selectors.
fn is_misleading(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(text: &str) -> Result<Vec<String>, ManifestError> {
        let lines: Result<Vec<_>, _> = numbered_lines(text.as_bytes())
            .map(|(line, content)| parse_line(content, line).map(|(name, _)| name))
            .collect();
        lines
    }

    #[test]
    fn reads_the_known_forms() {
        let sha512 = A.repeat(2);
        let upper = A.to_uppercase();
        let text = format!(
            "# comment\n\n{A}  a\n{A} *b c\r\n{upper}  ./d/e\nSHA256 (f (g) = h) = {A}\nSHA512 (i) = {sha512}\n{sha512}  j\n\
             \\{A}  k\\nl\n\\SHA256 (m\\rn) = {A}\n{A}   leading space"
        );
        let names = [
            "a",
            "b c",
            "d/e",
            "f (g) = h",
            "i",
            "j",
            "k\nl",
            "m\rn",
            " leading space",
        ];
        assert_eq!(parse(&text).unwrap(), names);
    }

    #[test]
    fn refuses_unsafe_names() {
        for (name, reason) in [
            ("/etc/passwd", NameError::Absolute),
            ("C:x", NameError::Absolute),
            ("./C:x", NameError::Absolute),
            ("../x", NameError::ParentDirectory),
            ("a/../../x", NameError::ParentDirectory),
            ("./../x", NameError::ParentDirectory),
            ("././x", NameError::NotCanonical),
            ("a//b", NameError::NotCanonical),
            ("a/", NameError::NotCanonical),
            (".//etc", NameError::NotCanonical),
            ("a/./b", NameError::NotCanonical),
            (".", NameError::NotCanonical),
            ("./", NameError::Empty),
            ("", NameError::Empty),
            ("a\\b", NameError::Backslash),
            ("a\0b", NameError::Nul),
        ] {
            let expected = Err(ManifestError::UnsafeName { line: 1, reason });
            assert_eq!(parse(&format!("{A}  {name}")), expected, "{name}");
            assert_eq!(parse(&format!("SHA256 ({name}) = {A}")), expected, "{name}");
        }
    }

    #[test]
    fn refuses_malformed_lines() {
        let malformed = Err(ManifestError::MalformedLine { line: 1 });
        let unsupported = Err(ManifestError::UnsupportedDigest { line: 1 });
        for text in [
            "x".to_owned(),
            A.to_owned(),
            format!("{A} x"),
            format!("{A}\tx"),
            format!(" {A}  x"),
            format!("SHA256 (x) = {}", &A[1..]),
            format!("SHA512 (x) = {A}"),
            format!("SHA256 (x)= {A}"),
            format!("\\{A}  x\\y"),
            format!("\\{A}  x\\"),
        ] {
            assert_eq!(parse(&text), malformed, "{text}");
        }
        for text in [
            format!("{}  x", &A[2..]),
            format!("{A}00  x"),
            "d41d8cd98f00b204e9800998ecf8427e  x".to_owned(),
            "MD5 (x) = d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            "SHA1 (x) = da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned(),
        ] {
            assert_eq!(parse(&text), unsupported, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Whatever is accepted stays inside a folder and has one spelling.
        #[test]
        fn accepted_names_stay_inside(name in r"[./\\a-zC:\x00\n ]{0,12}") {
            if let Ok(names) = parse(&format!("{A}  {name}\n")) {
                for name in names {
                    let path = std::path::Path::new(&name);
                    prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
                    let rebuilt: std::path::PathBuf = path.components().collect();
                    prop_assert_eq!(rebuilt.to_str(), Some(name.as_str()));
                }
            }
        }

        /// Any safe name survives each of the forms in which it can be written.
        #[test]
        fn every_form_gives_the_name_back(name in r"[a-zé0-9()= *._\n\r-]{1,12}(/[a-z]{1,3}){0,2}") {
            prop_assume!(!name.split('/').any(|part| matches!(part, "." | ".." | "")));
            prop_assume!(!name.starts_with("./"));
            let escaped = name.replace('\n', "\\n").replace('\r', "\\r");
            let mark = if escaped == name { "" } else { "\\" };
            for text in [
                format!("{mark}{A}  {escaped}\n"),
                format!("{mark}{A} *{escaped}\r\n"),
                format!("{mark}SHA256 ({escaped}) = {A}"),
            ] {
                prop_assert_eq!(parse(&text), Ok(vec![name.clone()]));
            }
        }

        /// No input makes the parser panic, and line numbers are right.
        #[test]
        fn any_text_is_answered(lines in proptest::collection::vec(".{0,40}", 0..6)) {
            let text = lines.join("\n");
            let count = text.split('\n').count();
            if let Err(ManifestError::MalformedLine { line } | ManifestError::UnsupportedDigest { line }) = parse(&text) {
                prop_assert!(line >= 1 && line <= count);
            }
        }
    }
}
