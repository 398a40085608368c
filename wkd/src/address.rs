//! From a mail address to the places where its certificate is served (draft-koch-openpgp-webkey-service-22, section 3.1).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use countersign_verify::printable;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::{Digest as _, Sha1};

use crate::limits;

/// The folder of every Web Key Directory, below the root of a web server (section 3.1; RFC 8615).
pub(crate) const WELL_KNOWN: &str = ".well-known/openpgpkey";

/// The host of the advanced method is this below the domain (section 3.1).
pub(crate) const ADVANCED_LABEL: &str = "openpgpkey";

/// The two places where a directory may be (section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// On the host `openpgpkey.DOMAIN`, in a folder named after the domain.
    Advanced,
    /// On the host `DOMAIN`.
    Direct,
}

impl Method {
    /// `advanced` or `direct`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Advanced => "advanced",
            Self::Direct => "direct",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The domain of a mail address: lower-case letters, digits and hyphens in labels separated by dots, internationalised labels in
/// their ASCII form (`xn--...`). Safe to make a host name or a path of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// As it stands in host names and paths.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With internationalised labels as people write them; none if there are none. Some clients ask for the path of this form.
    /// No label of it holds a dot, a slash, a backslash or anything that does not show.
    #[must_use]
    pub fn to_unicode(&self) -> Option<String> {
        let (text, valid) = Uts46::new().to_unicode(self.0.as_bytes(), DENIED, HYPHENS);
        let harmless = |text: &str| {
            let plain = |c: char| c.is_alphanumeric() || c == '-' || !c.is_ascii();
            let label = |label: &str| !label.is_empty() && label.chars().all(plain);
            // What is longer as people write it could not be read again.
            text.len() <= limits::DOMAIN_BYTES
                && text.split('.').all(label)
                && printable(text) == text
        };
        (valid.is_ok() && *text != self.0 && harmless(&text)).then(|| text.into_owned())
    }

    /// The host to ask.
    #[must_use]
    pub fn host(&self, method: Method) -> String {
        match method {
            Method::Advanced => format!("{ADVANCED_LABEL}.{self}"),
            Method::Direct => self.0.clone(),
        }
    }

    /// The folder of the domain's directory, below the root of the web server of [`Domain::host`]. Separated by slashes, without
    /// one at either end.
    #[must_use]
    pub fn relative_path(&self, method: Method) -> String {
        match method {
            Method::Advanced => format!("{WELL_KNOWN}/{self}"),
            Method::Direct => WELL_KNOWN.to_owned(),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Letters, digits and hyphens alone (RFC 1123, section 2.1).
const DENIED: AsciiDenyList = AsciiDenyList::STD3;

/// Domains with two hyphens in the third place are in use.
const HYPHENS: Hyphens = Hyphens::CheckFirstLast;

/// Upper case and internationalised labels are accepted.
impl FromStr for Domain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Domain {
            domain: printable(text),
        };
        // The work on long labels that are no ASCII grows with the square.
        let too_long = |size| AddressError::DomainTooLong {
            size,
            limit: limits::DOMAIN_BYTES,
        };
        if text.len() > limits::DOMAIN_BYTES {
            return Err(too_long(text.len()));
        }
        let ascii: Cow<'_, str> = Uts46::new()
            .to_ascii(text.as_bytes(), DENIED, HYPHENS, DnsLength::Verify)
            .map_err(|_| malformed())?;
        if ascii.len() > limits::DOMAIN_BYTES {
            return Err(too_long(ascii.len()));
        }
        // Said again here, since paths and hosts are made of it.
        let is_label = |label: &str| {
            let plain = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-');
            !label.is_empty()
                && label.bytes().all(plain)
                && !label.starts_with('-')
                && !label.ends_with('-')
                // What decodes to another such label does not mean itself.
                && !label.starts_with("xn--xn--")
        };
        if !ascii.split('.').all(is_label) {
            return Err(malformed());
        }
        // A host that ends in a number is an IPv4 address to web clients (WHATWG URL, section 3.5).
        let last = ascii.rsplit('.').next().unwrap_or_default();
        let is_number = |label: &str| {
            let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
            let hexadecimal = |text: &str| text.bytes().all(|octet| octet.is_ascii_hexdigit());
            digits(label) || label.strip_prefix("0x").is_some_and(hexadecimal)
        };
        if is_number(last) {
            return Err(malformed());
        }
        Ok(Self(ascii.into_owned()))
    }
}

/// A mail address that can have a place in a Web Key Directory. Prints as it was written, with the domain as [`Domain`] has it.
///
/// Two addresses are equal if their domains are and their local parts are the same octets. Those that differ in the case of
/// ASCII letters share their place, and match the same user ids.
///
/// ```
/// use countersign_wkd::{Address, Method};
/// let address: Address = "Releases@Bücher.example".parse()?;
/// assert_eq!(address.to_string(), "Releases@xn--bcher-kva.example");
/// assert_eq!(address.host(Method::Advanced), "openpgpkey.xn--bcher-kva.example");
/// assert!(address.matches("Releases <releases@BÜCHER.example>"));
/// # Ok::<(), countersign_wkd::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    local_part: String,
    domain: Domain,
}

impl Address {
    /// The mail address that a user id holds: `Name <local@domain>`, or nothing but `local@domain` (RFC 9580, section 5.11). The
    /// name may be in any encoding.
    ///
    /// Where there are several pairs of angle brackets, programs take one or the other: that is refused.
    ///
    /// # Errors
    /// [`AddressError::NotInUserId`] if it holds none; the others if what stands in its place is none.
    pub fn from_user_id(user_id: impl AsRef<[u8]>) -> Result<Self, AddressError> {
        let octets = user_id.as_ref();
        let none = || AddressError::NotInUserId {
            user_id: printable(&String::from_utf8_lossy(octets)),
        };
        let found = octets.trim_ascii();
        let found = match found.strip_suffix(b">") {
            Some(bracketed) => {
                let mut parts = bracketed.split(|octet| *octet == b'<');
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(name), Some(address), None) if !name.contains(&b'>') => address,
                    _ => return Err(none()),
                }
            }
            None => found,
        };
        let text = std::str::from_utf8(found).map_err(|_| none())?;
        if !text.contains('@') {
            return Err(none());
        }
        text.parse()
    }

    /// What stands before the `@`, unchanged.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// What stands after it.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The file's name in a directory: SHA-1 of the local part with its ASCII letters in lower case, in z-base-32 (section 3.1).
    /// 32 characters out of `a` to `z` and `1` to `9`.
    #[must_use]
    pub fn hash(&self) -> String {
        let lower = self.local_part.to_ascii_lowercase();
        zbase32::encode(Sha1::digest(lower.as_bytes()))
    }

    /// The host to ask.
    #[must_use]
    pub fn host(&self, method: Method) -> String {
        self.domain.host(method)
    }

    /// The path of the file below the root of the web server of [`Address::host`]. Separated by slashes, without one at either
    /// end.
    #[must_use]
    pub fn relative_path(&self, method: Method) -> String {
        format!("{}/hu/{}", self.domain.relative_path(method), self.hash())
    }

    /// Where to ask for the address: [`Address::host`], [`Address::relative_path`], and the unchanged local part with everything
    /// but unreserved characters (RFC 3986, section 2.3) percent-encoded.
    #[must_use]
    pub fn url(&self, method: Method) -> String {
        const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'.')
            .remove(b'_')
            .remove(b'~');
        let (host, path) = (self.host(method), self.relative_path(method));
        let local_part = utf8_percent_encode(&self.local_part, ENCODED);
        format!("https://{host}/{path}?l={local_part}")
    }

    /// Whether a user id holds this address, as [`Address::from_user_id`] finds it; upper and lower case of ASCII letters are the
    /// same. Says nothing about whether the user id is bound to its certificate.
    #[must_use]
    pub fn matches(&self, user_id: impl AsRef<[u8]>) -> bool {
        Self::from_user_id(user_id).is_ok_and(|other| other.is_same_place(self))
    }

    /// Whether both are served as the same file.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        self.domain == other.domain && self.local_part.eq_ignore_ascii_case(&other.local_part)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

/// A local part may hold what RFC 5322 (section 3.2.3) allows without quotes, dots in any place, and letters that are no ASCII
/// (RFC 6532).
impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let too_long = |size| AddressError::TooLong {
            size,
            limit: limits::ADDRESS_BYTES,
        };
        if text.len() > limits::ADDRESS_BYTES {
            return Err(too_long(text.len()));
        }
        let mut parts = text.split('@');
        let (local_part, domain) = match (parts.next(), parts.next(), parts.next()) {
            (Some(local_part), Some(domain), None) => (local_part, domain),
            _ => {
                return Err(AddressError::NotOneAt {
                    text: printable(text),
                    found: text.matches('@').count(),
                });
            }
        };
        if local_part.is_empty() {
            return Err(AddressError::NoLocalPart {
                text: printable(text),
            });
        }
        if let Some(character) = local_part.chars().find(|c| !may_stand_in_local_part(*c)) {
            return Err(AddressError::Character {
                local_part: printable(local_part),
                character,
            });
        }
        let domain: Domain = domain.parse()?;
        // With the A-label, as it will be printed.
        let size = local_part.len() + 1 + domain.as_str().len();
        if size > limits::ADDRESS_BYTES {
            return Err(too_long(size));
        }
        Ok(Self {
            local_part: local_part.to_owned(),
            domain,
        })
    }
}

fn may_stand_in_local_part(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '.' | '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'
        | '_' | '`' | '{' | '|' | '}' | '~' => true,
        c if c.is_ascii() || c.is_whitespace() || c == char::REPLACEMENT_CHARACTER => false,
        c => {
            let mut buffer = [0; 4];
            let text = c.encode_utf8(&mut buffer);
            printable(text) == *text
        }
    }
}

/// Why a text is no mail address that can have a place in a Web Key Directory. Texts from outside are shown as [`printable`] has
/// them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not exactly one `@`.
    #[error("`{text}` has {found} `@`, an address has one")]
    NotOneAt {
        /// The text.
        text: String,
        /// How many there are.
        found: usize,
    },
    /// Nothing before the `@`.
    #[error("`{text}` has nothing before its `@`")]
    NoLocalPart {
        /// The text.
        text: String,
    },
    /// A quote, a space, a bracket, a control character or another that may not stand before the `@` unquoted.
    #[error("{character:?} may not stand before the `@`, as in `{local_part}`")]
    Character {
        /// What stands before the `@`.
        local_part: String,
        /// The first that may not.
        character: char,
    },
    /// Not labels of letters, digits and hyphens, or internationalised ones; or a number at the end.
    #[error("`{domain}` is no domain name")]
    Domain {
        /// What should be one.
        domain: String,
    },
    /// More than [`limits::DOMAIN_BYTES`].
    #[error("domain name has {size} octets, limit {limit}")]
    DomainTooLong {
        /// Its octets, as A-label where it could be made one.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// More than [`limits::ADDRESS_BYTES`].
    #[error("address has {size} octets, limit {limit}")]
    TooLong {
        /// Its octets.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A user id without an address.
    #[error("user id `{user_id}` holds no mail address")]
    NotInUserId {
        /// The user id.
        user_id: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    /// The example of section 3.1, and what gpg-wks-client prints for the others.
    #[test]
    fn hashes_are_those_of_the_draft_and_of_gpg() {
        for (local_part, hash) in [
            ("Joe.Doe", "iy9q119eutrkn8s1mk4r39qejnbu3n5q"),
            ("joe.doe", "iy9q119eutrkn8s1mk4r39qejnbu3n5q"),
            ("jörg", "h8ghzysw1a49fnopr45hii67zzgshjt8"),
            ("JÖRG", "w77p6y3jz34qfi4fgwkgaw3oeumka146"),
            ("release", "y84sdmnksfqswe7fxf5mzjg53tbdz8f5"),
        ] {
            let found = address(&format!("{local_part}@example.org"));
            assert_eq!(found.hash(), hash, "{local_part}");
            assert_eq!(found.local_part(), local_part);
        }
    }

    /// The two URLs of section 3.1.
    #[test]
    fn urls_are_those_of_the_draft() {
        let joe = address("Joe.Doe@Example.ORG");
        assert_eq!(
            joe.url(Method::Advanced),
            "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe"
        );
        assert_eq!(
            joe.url(Method::Direct),
            "https://example.org/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe"
        );
        assert_eq!(
            joe.relative_path(Method::Direct),
            ".well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q"
        );
        assert_eq!(joe.to_string(), "Joe.Doe@example.org");
    }

    #[test]
    fn the_local_part_is_fully_percent_encoded() {
        let all = address("a.b!#$%&'*+-/=?^_`{|}~ö@example.org");
        let url = all.url(Method::Direct);
        let (_, query) = url.split_once("?l=").unwrap();
        assert_eq!(
            query,
            "a.b%21%23%24%25%26%27%2A%2B-%2F%3D%3F%5E_%60%7B%7C%7D~%C3%B6"
        );
    }

    #[test]
    fn an_internationalised_domain_has_one_form() {
        for text in [
            "bücher.example",
            "BÜCHER.example",
            "xn--bcher-kva.example",
            "XN--BCHER-KVA.EXAMPLE",
            "bu\u{308}cher.example",
            "bücher\u{3002}example",
        ] {
            let domain: Domain = text.parse().unwrap();
            assert_eq!(domain.as_str(), "xn--bcher-kva.example", "{text}");
            assert_eq!(domain.to_unicode().as_deref(), Some("bücher.example"));
        }
        let plain: Domain = "r3---sn.example".parse().unwrap();
        assert_eq!(plain.to_unicode(), None);
    }

    #[test]
    fn refuses_what_is_no_address() {
        let not_one = |text: &str, found| AddressError::NotOneAt {
            text: text.into(),
            found,
        };
        assert_eq!("".parse::<Address>(), Err(not_one("", 0)));
        assert_eq!("joe".parse::<Address>(), Err(not_one("joe", 0)));
        assert_eq!("a@b@c".parse::<Address>(), Err(not_one("a@b@c", 2)));
        assert_eq!(
            "@example.org".parse::<Address>(),
            Err(AddressError::NoLocalPart {
                text: "@example.org".into()
            })
        );
        for (text, bad) in [
            ("\"joe\"@example.org", '"'),
            ("joe doe@example.org", ' '),
            (" joe@example.org", ' '),
            ("joe\u{a0}doe@example.org", '\u{a0}'),
            ("joe\0@example.org", '\0'),
            ("joe\n@example.org", '\n'),
            ("joe\u{202e}@example.org", '\u{202e}'),
            ("joe\u{200b}@example.org", '\u{200b}'),
            ("<joe@example.org", '<'),
            ("joe\\@example.org", '\\'),
            ("joe(x)@example.org", '('),
            ("jo\u{fffd}e@example.org", '\u{fffd}'),
        ] {
            match text.parse::<Address>() {
                Err(AddressError::Character { character, .. }) => assert_eq!(character, bad),
                other => panic!("{text:?}: {other:?}"),
            }
        }
        let longest = format!("{}@example.org", "a".repeat(limits::ADDRESS_BYTES - 12));
        assert!(longest.parse::<Address>().is_ok());
        assert_eq!(
            format!("a{longest}").parse::<Address>(),
            Err(AddressError::TooLong {
                size: limits::ADDRESS_BYTES + 1,
                limit: limits::ADDRESS_BYTES
            })
        );
    }

    #[test]
    fn refuses_what_is_no_domain() {
        for domain in [
            "",
            ".",
            "..",
            "example.org.",
            ".example.org",
            "example..org",
            "-example.org",
            "example-.org",
            "exam_ple.org",
            "example.org/",
            "example.org/../..",
            "[../../../pwned]",
            "[127.0.0.1]",
            "127.0.0.1",
            "example.0x7f",
            "example.0x",
            "example.org:443",
            "example.org?x",
            "example.org#x",
            "example.org>",
            "exam ple.org",
            "example.org\n",
            "example\0.org",
            "example.org%2f",
            "example\u{2044}.org\u{ff0f}x",
            "xn--a.example",
            "xn--.example",
            "a\\b.org",
            "user\u{ff20}example.org",
        ] {
            let expected = AddressError::Domain {
                domain: printable(domain),
            };
            assert_eq!(domain.parse::<Domain>(), Err(expected), "{domain:?}");
        }
        let label = "a".repeat(63);
        let too_long = format!("{label}.{label}.{label}.{}", "a".repeat(51));
        assert_eq!(
            too_long.parse::<Domain>(),
            Err(AddressError::DomainTooLong {
                size: limits::DOMAIN_BYTES + 1,
                limit: limits::DOMAIN_BYTES
            })
        );
        let longest: Domain = too_long[1..].parse().unwrap();
        assert_eq!(longest.host(Method::Advanced).len(), 253);
        assert!(format!("{label}a.org").parse::<Domain>().is_err());
    }

    #[test]
    fn a_user_id_holds_the_address_in_brackets_or_nothing_else() {
        for user_id in [
            "joe@example.org",
            " joe@example.org ",
            "<joe@example.org>",
            "Joe <joe@example.org>",
            "Joe Doe (of sales, \"boss\") <joe@example.org> ",
            "joe@home <JOE@EXAMPLE.org>",
        ] {
            let found = Address::from_user_id(user_id).unwrap();
            assert!(found.is_same_place(&address("joe@example.org")));
            assert!(address("Joe@example.org").matches(user_id), "{user_id}");
            assert!(!address("jo@example.org").matches(user_id), "{user_id}");
            assert!(!address("joe@example.com").matches(user_id), "{user_id}");
        }
        assert!(address("joe@example.org").matches(b"J\xf6rg <joe@example.org>"));
    }

    #[test]
    fn a_user_id_that_programs_read_differently_holds_none() {
        for user_id in [
            "",
            "Joe",
            "Joe <>",
            "Joe <joe>",
            "Joe <joe@example.org",
            "Joe joe@example.org>",
            "joe@example.org <joe>",
            "A <a@example.org> <b@example.org>",
            "A <a@example.org <b@example.org>",
            "A <a@example.org> b>",
            "A <a@example.org> (work)",
            "a@example.org b@example.org",
            "A <a @example.org>",
            "A < a@example.org>",
            "A <\"a\"@example.org>",
            "evil <evil@[../../../pwned]>",
        ] {
            assert!(Address::from_user_id(user_id).is_err(), "{user_id}");
            assert!(!address("a@example.org").matches(user_id), "{user_id}");
        }
        assert!(Address::from_user_id(b"A <\xf6@example.org>").is_err());
    }

    /// Whatever is accepted has a URL and a path of one shape.
    fn assert_in_shape(address: &Address) {
        let hash = address.hash();
        let in_alphabet = |c: char| "ybndrfg8ejkmcpqxot1uwisza345h769".contains(c);
        assert!(hash.len() == 32 && hash.chars().all(in_alphabet));
        let domain = address.domain().as_str();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(
            domain
                .split('.')
                .all(|label| !label.is_empty() && label.chars().all(plain))
        );
        for (method, host, path) in [
            (
                Method::Advanced,
                format!("openpgpkey.{domain}"),
                format!(".well-known/openpgpkey/{domain}/hu/{hash}"),
            ),
            (
                Method::Direct,
                domain.to_owned(),
                format!(".well-known/openpgpkey/hu/{hash}"),
            ),
        ] {
            assert!(host.len() <= 253);
            assert!(!path.contains("..") && !path.contains("//"));
            let url = address.url(method);
            let query = url
                .strip_prefix(&format!("https://{host}/{path}?l="))
                .unwrap();
            let kept = |c: char| c.is_ascii_alphanumeric() || "-._~%".contains(c);
            assert!(query.chars().all(kept), "{query}");
        }
        if let Some(unicode) = address.domain().to_unicode() {
            assert!(!unicode.contains("..") && !unicode.contains(['/', '\\', '\0']));
            assert_eq!(unicode.parse().as_ref(), Ok(address.domain()));
        }
        assert_eq!(address.to_string().parse().as_ref(), Ok(address));
        assert!(address.matches(address.to_string()));
        assert!(address.matches(format!("Name <{address}>")));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_stays_in_shape(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Ok(address) = text.parse() {
                assert_in_shape(&address);
            }
        }

        #[test]
        fn an_address_stays_in_shape(
            text in "[a-zA-Z0-9.+/ö!%-]{1,20}@([a-zA-Z0-9äßπ]{1,10}\\.){0,3}[a-zA-Zπ]{1,6}",
        ) {
            let address: Address = text.parse().unwrap();
            assert_in_shape(&address);
        }

        #[test]
        fn any_user_id_is_refused_or_stays_in_shape(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(address) = Address::from_user_id(&octets) {
                assert_in_shape(&address);
            }
        }

        #[test]
        fn a_hostile_domain_in_a_user_id_never_leaves_the_tree(domain in "[a-z./\\\\\\[\\]:%?#<>@ -]{0,30}") {
            if let Ok(address) = Address::from_user_id(format!("evil <evil@{domain}>")) {
                assert_in_shape(&address);
            }
        }
    }
}
