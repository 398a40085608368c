//! The policy file of a directory (draft-koch-openpgp-webkey-service-22, section 4.5).

use countersign_verify::printable;

use crate::address::{Address, AddressError};
use crate::limits;

/// What a policy file says: keywords, each with a value or without. An empty file is a policy that asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFile {
    entries: Vec<(String, Option<String>)>,
}

impl PolicyFile {
    /// From the octets of a policy file: lines `keyword` or `keyword: value`; empty lines and those that begin with `#` are
    /// comments. Keywords are the same in upper and lower case; unknown ones are kept.
    ///
    /// # Errors
    /// More than [`limits::POLICY_BYTES`], octets that are no UTF-8, a line that does not begin with a keyword, a keyword that is
    /// repeated.
    pub fn from_bytes(octets: &[u8]) -> Result<Self, PolicyFileError> {
        if octets.len() > limits::POLICY_BYTES {
            let (size, limit) = (octets.len(), limits::POLICY_BYTES);
            return Err(PolicyFileError::TooLarge { size, limit });
        }
        let text = std::str::from_utf8(octets).map_err(|_| PolicyFileError::NotUtf8)?;
        let mut policy = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (keyword, value) = match line.split_once(':') {
                Some((keyword, value)) => (keyword.trim_end(), Some(value.trim().to_owned())),
                None => (line, None),
            };
            if !is_keyword(keyword) {
                return Err(PolicyFileError::Keyword {
                    line: number,
                    keyword: printable(keyword),
                });
            }
            let keyword = keyword.to_ascii_lowercase();
            if policy.entries.iter().any(|(own, _)| *own == keyword) {
                return Err(PolicyFileError::Repeated {
                    line: number,
                    keyword,
                });
            }
            policy.entries.push((keyword, value));
        }
        Ok(policy)
    }

    /// The keywords in lower case, each with its value, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let all = self.entries.iter();
        all.map(|(keyword, value)| (keyword.as_str(), value.as_deref()))
    }

    /// The value of `submission-address`, if there is one.
    ///
    /// # Errors
    /// It is no mail address.
    pub fn submission_address(&self) -> Result<Option<Address>, AddressError> {
        let mut values = self
            .entries()
            .filter(|(own, _)| *own == "submission-address");
        let value = values.next().and_then(|(_, value)| value);
        value.map(str::parse).transpose()
    }
}

/// A letter, then letters, digits, hyphens, underscores and the dots of keywords that belong to a site.
fn is_keyword(text: &str) -> bool {
    let mut characters = text.chars();
    let starts = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    starts && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Why octets are no policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// More than [`limits::POLICY_BYTES`].
    #[error("policy file has {size} octets, limit {limit}")]
    TooLarge {
        /// Its octets, as far as they were read.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("policy file is not UTF-8")]
    NotUtf8,
    /// A line that does not begin with a keyword.
    #[error("line {line} of the policy file: `{keyword}` is no keyword")]
    Keyword {
        /// Which line, from 1.
        line: usize,
        /// What stands in the keyword's place.
        keyword: String,
    },
    /// A keyword that stands there already.
    #[error("line {line} of the policy file repeats `{keyword}`")]
    Repeated {
        /// Which line, from 1.
        line: usize,
        /// The keyword.
        keyword: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, Option<String>)> {
        PolicyFile::from_bytes(text.as_bytes()).unwrap().entries
    }

    #[test]
    fn reads_keywords_in_any_case_with_values_and_comments() {
        assert_eq!(entries(""), []);
        assert_eq!(entries("# nothing\n\n"), []);
        let text = "# ours\nMailbox-Only\r\nprotocol-version: 7\nsubmission-address: key@example.org\norg.example.x:\n";
        let value = |text: &str| Some(text.to_owned());
        assert_eq!(
            entries(text),
            [
                ("mailbox-only".to_owned(), None),
                ("protocol-version".to_owned(), value("7")),
                ("submission-address".to_owned(), value("key@example.org")),
                ("org.example.x".to_owned(), value("")),
            ]
        );
        let policy = PolicyFile::from_bytes(text.as_bytes()).unwrap();
        let address = policy.submission_address().unwrap().unwrap();
        assert_eq!(address.to_string(), "key@example.org");
    }

    #[test]
    fn refuses_what_is_no_policy() {
        let keyword = |line, keyword: &str| PolicyFileError::Keyword {
            line,
            keyword: keyword.into(),
        };
        for (text, error) in [
            ("<html>", keyword(1, "<html>")),
            ("mailbox-only\n: 7", keyword(2, "")),
            ("mailbox only", keyword(1, "mailbox only")),
            ("-x", keyword(1, "-x")),
            (
                "auth-submit\nAUTH-SUBMIT",
                PolicyFileError::Repeated {
                    line: 2,
                    keyword: "auth-submit".into(),
                },
            ),
        ] {
            assert_eq!(
                PolicyFile::from_bytes(text.as_bytes()),
                Err(error),
                "{text}"
            );
        }
        assert_eq!(
            PolicyFile::from_bytes(b"\xff"),
            Err(PolicyFileError::NotUtf8)
        );
        let large = vec![b'\n'; limits::POLICY_BYTES + 1];
        assert!(matches!(
            PolicyFile::from_bytes(&large),
            Err(PolicyFileError::TooLarge { .. })
        ));
        let wrong = PolicyFile::from_bytes(b"submission-address: nobody").unwrap();
        assert!(wrong.submission_address().is_err());
    }
}
