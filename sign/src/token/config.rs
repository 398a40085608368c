//! The block `token` of a configuration file, as operators of docker_auth know it, read strictly.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_verify::printable;
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::issuer::{KeyIdForm, MAX_LIFETIME};

/// Octets of a configuration file. Access lists of thousands of entries fit.
pub const CONFIG_OCTETS: usize = 1024 * 1024;

/// Levels of the file. The parser's own stack grows with them.
const DEPTH: usize = 64;

/// Octets of one value of ours.
const VALUE_OCTETS: usize = 4096;

/// How tokens are to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenConfig {
    issuer: String,
    lifetime: Duration,
    key: KeySource,
    disable_legacy_key_id: Option<bool>,
}

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// A private key on disk and its certificate.
    Files {
        /// PEM, the key's own certificate first.
        certificate: String,
        /// PEM.
        key: String,
    },
    /// A key in AWS KMS.
    Kms {
        /// A key id, a key ARN, `alias/NAME` or an alias ARN.
        key_id: String,
        /// The region; none if the key id or the environment says it.
        region: Option<String>,
        /// PEM, the key's own certificate first.
        certificate: Option<String>,
    },
}

const SECTION: &str = "token";
const KEYS: &[&str] = &[
    "issuer",
    "expiration",
    "certificate",
    "key",
    "disable_legacy_key_id",
    "kms_signer",
];
const KMS_KEYS: &[&str] = &["key_id", "region", "certificate"];

impl TokenConfig {
    /// Reads the section `token` of a YAML file, and leaves all other sections alone.
    ///
    /// Stricter than docker_auth: a key that is not known is an error, and so is one that is there twice. Nothing falls back to
    /// the key of the server's TLS.
    ///
    /// ```
    /// use countersign_sign::token::config::TokenConfig;
    /// let text = "token: {issuer: auth.example.org, expiration: 900, kms_signer: {key_id: alias/registry}}";
    /// assert_eq!(TokenConfig::from_yaml(text)?.lifetime().as_secs(), 900);
    /// let wrong = TokenConfig::from_yaml("token: {isuer: auth.example.org}").unwrap_err();
    /// assert_eq!(wrong.to_string(), "line 1: unknown key `token.isuer`: did you mean `issuer`?");
    /// # Ok::<(), countersign_sign::token::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        if text.len() > CONFIG_OCTETS {
            return Err(ConfigError::TooLarge {
                limit: CONFIG_OCTETS,
            });
        }
        let mut reader = Reader::new(text);
        let section = reader.section()?;
        Self::from_section(&section)
    }

    fn from_section(section: &Mapping) -> Result<Self, ConfigError> {
        known(section, SECTION, KEYS)?;
        let need = |name: &'static str| ConfigError::Missing {
            key: format!("{SECTION}.{name}"),
            line: section.line,
        };
        let issuer = text(section, SECTION, "issuer")?.ok_or_else(|| need("issuer"))?;
        let expiration = scalar(section, SECTION, "expiration")?;
        let expiration = expiration.ok_or_else(|| need("expiration"))?;
        let lifetime = seconds(expiration).ok_or_else(|| ConfigError::Value {
            key: format!("{SECTION}.expiration"),
            line: expiration.line,
            expected: "a whole number of seconds from 1 to a year",
        })?;
        let legacy = scalar(section, SECTION, "disable_legacy_key_id")?;
        let disable_legacy_key_id = match legacy {
            None => None,
            Some(own) => Some(match (own.plain, own.text.as_str()) {
                (true, "true" | "True" | "TRUE") => true,
                (true, "false" | "False" | "FALSE") => false,
                _ => {
                    return Err(ConfigError::Value {
                        key: format!("{SECTION}.disable_legacy_key_id"),
                        line: own.line,
                        expected: "`true` or `false`",
                    });
                }
            }),
        };
        Ok(Self {
            issuer,
            lifetime,
            key: key_source(section)?,
            disable_legacy_key_id,
        })
    }

    /// Who issues, to the letter.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// How long a token lives.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Where the key is.
    #[must_use]
    pub fn key(&self) -> &KeySource {
        &self.key
    }

    /// The path of the certificate, where there is one.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        match &self.key {
            KeySource::Files { certificate, .. } => Some(certificate),
            KeySource::Kms { certificate, .. } => certificate.as_deref(),
        }
    }

    /// RFC 7638, unless the file says `disable_legacy_key_id: false`: that is libtrust, as there.
    #[must_use]
    pub fn key_id(&self) -> KeyIdForm {
        match self.disable_legacy_key_id {
            Some(false) => KeyIdForm::Libtrust,
            Some(true) | None => KeyIdForm::Thumbprint,
        }
    }
}

fn key_source(section: &Mapping) -> Result<KeySource, ConfigError> {
    let certificate = text(section, SECTION, "certificate")?;
    let key = text(section, SECTION, "key")?;
    let line = section.line;
    let Some((_, _, kms)) = section.entries.get("kms_signer") else {
        return match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(KeySource::Files { certificate, key }),
            (None, None) => Err(ConfigError::NoKey { line }),
            (Some(_), None) => Err(ConfigError::Missing {
                key: "token.key".to_owned(),
                line,
            }),
            (None, Some(_)) => Err(ConfigError::Missing {
                key: "token.certificate".to_owned(),
                line,
            }),
        };
    };
    if certificate.is_some() || key.is_some() {
        return Err(ConfigError::TwoKeys { line });
    }
    let prefix = "token.kms_signer";
    let Value::Mapping(kms) = kms else {
        return Err(ConfigError::Value {
            key: prefix.to_owned(),
            line,
            expected: "a mapping with `key_id`",
        });
    };
    known(kms, prefix, KMS_KEYS)?;
    let key_id = text(kms, prefix, "key_id")?.ok_or_else(|| ConfigError::Missing {
        key: format!("{prefix}.key_id"),
        line: kms.line,
    })?;
    Ok(KeySource::Kms {
        key_id,
        region: text(kms, prefix, "region")?,
        certificate: text(kms, prefix, "certificate")?,
    })
}

fn known(mapping: &Mapping, prefix: &str, keys: &[&'static str]) -> Result<(), ConfigError> {
    let entries = mapping.entries.iter();
    let unknown = entries.filter(|(name, _)| !keys.contains(&name.as_str()));
    match unknown.min_by_key(|(_, (place, ..))| *place) {
        None => Ok(()),
        Some((name, (_, line, _))) => Err(ConfigError::UnknownKey {
            key: printable(&format!("{prefix}.{name}")),
            line: *line,
            nearest: nearest(name, keys),
        }),
    }
}

fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    /// Below this, a suggestion is more of a riddle than a help.
    const SIMILAR: f64 = 0.75;
    let given: String = given.chars().take(64).collect();
    let scored = known
        .iter()
        .map(|own| (strsim::jaro_winkler(&given, own), *own));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(score, _)| *score > SIMILAR)
        .map(|(_, own)| own)
}

fn scalar<'m>(
    mapping: &'m Mapping,
    prefix: &str,
    name: &str,
) -> Result<Option<&'m Scalar>, ConfigError> {
    match mapping.entries.get(name) {
        None => Ok(None),
        Some((_, _, Value::Scalar(own))) if own.text.len() <= VALUE_OCTETS => Ok(Some(own)),
        Some((_, line, _)) => Err(ConfigError::Value {
            key: format!("{prefix}.{name}"),
            line: *line,
            expected: "one value",
        }),
    }
}

/// A text that is not empty. A plain `~` or `null` is none.
fn text(mapping: &Mapping, prefix: &str, name: &str) -> Result<Option<String>, ConfigError> {
    let Some(own) = scalar(mapping, prefix, name)? else {
        return Ok(None);
    };
    let nothing = own.plain && matches!(own.text.as_str(), "" | "~" | "null" | "Null" | "NULL");
    if nothing || own.text.is_empty() || own.text.chars().any(char::is_control) {
        return Err(ConfigError::Value {
            key: format!("{prefix}.{name}"),
            line: own.line,
            expected: "a text",
        });
    }
    Ok(Some(own.text.clone()))
}

fn seconds(own: &Scalar) -> Option<Duration> {
    let digits = own.plain && own.text.bytes().all(|octet| octet.is_ascii_digit());
    let number: u64 = own.text.parse().ok().filter(|_| digits)?;
    let lifetime = Duration::from_secs(number);
    (number > 0 && lifetime <= MAX_LIFETIME).then_some(lifetime)
}

#[derive(Debug, Clone)]
enum Value {
    Scalar(Scalar),
    Mapping(Mapping),
    /// A list, or an alias of something that is no scalar: none of our keys takes it.
    Other,
}

#[derive(Debug, Clone)]
struct Scalar {
    text: String,
    /// Neither quoted nor tagged: only such a one is a number.
    plain: bool,
    line: usize,
}

#[derive(Debug, Clone, Default)]
struct Mapping {
    /// By key: which one it is, its line, its value.
    entries: BTreeMap<String, (usize, usize, Value)>,
    line: usize,
}

/// Goes through a file once, event by event. Aliases are never expanded, but for scalars: what is small stays small.
struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    anchors: BTreeMap<usize, Scalar>,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            anchors: BTreeMap::new(),
            depth: 0,
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, usize), ConfigError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let line = span.start.line();
                match &event {
                    Event::MappingStart(..) | Event::SequenceStart(..) => self.depth += 1,
                    Event::MappingEnd | Event::SequenceEnd => {
                        self.depth = self.depth.saturating_sub(1);
                    }
                    Event::Scalar(text, style, anchor, tag)
                        if *anchor > 0 && text.len() <= VALUE_OCTETS =>
                    {
                        let scalar = Scalar {
                            text: text.to_string(),
                            plain: *style == ScalarStyle::Plain && tag.is_none(),
                            line,
                        };
                        self.anchors.insert(*anchor, scalar);
                    }
                    _ => {}
                }
                if self.depth > DEPTH {
                    return Err(ConfigError::TooDeep { limit: DEPTH, line });
                }
                Ok((event, line))
            }
            Some(Err(error)) => Err(ConfigError::Yaml {
                line: error.marker().line(),
                problem: printable(error.info()),
            }),
            None => Err(ConfigError::Yaml {
                line: 0,
                problem: "the file ends too early".to_owned(),
            }),
        }
    }

    /// The one mapping below `token`.
    fn section(&mut self) -> Result<Mapping, ConfigError> {
        let nothing = || ConfigError::NoSection { nearest: None };
        loop {
            match self.next()?.0 {
                Event::StreamStart | Event::DocumentStart(_) => {}
                Event::MappingStart(..) => break,
                _ => return Err(nothing()),
            }
        }
        let mut found = None;
        let mut names: Vec<String> = Vec::new();
        loop {
            let (event, line) = self.next()?;
            let name = match event {
                Event::MappingEnd => break,
                Event::Scalar(name, ..) => name.into_owned(),
                _ => {
                    return Err(ConfigError::Yaml {
                        line,
                        problem: "a section's name is a text".to_owned(),
                    });
                }
            };
            if names.contains(&name) {
                return Err(ConfigError::DuplicateKey {
                    key: printable(&name),
                    line,
                });
            }
            if name == SECTION {
                let Value::Mapping(mapping) = self.value(SECTION)? else {
                    return Err(ConfigError::Value {
                        key: SECTION.to_owned(),
                        line,
                        expected: "a mapping",
                    });
                };
                found = Some(mapping);
            } else {
                self.skip()?;
            }
            // As many as a file has sections: a dozen. More are still found out, at the price of a search.
            names.push(name);
            if names.len() > 1024 {
                return Err(ConfigError::Yaml {
                    line,
                    problem: "more sections than any configuration has".to_owned(),
                });
            }
        }
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::DocumentEnd, _) => {}
                (_, line) => return Err(ConfigError::SecondDocument { line }),
            }
        }
        found.ok_or_else(|| ConfigError::NoSection {
            nearest: names
                .iter()
                .find(|own| nearest(own, &[SECTION]).is_some())
                .map(|own| printable(own)),
        })
    }

    fn skip(&mut self) -> Result<(), ConfigError> {
        let start = self.depth;
        loop {
            self.next()?;
            if self.depth == start {
                return Ok(());
            }
        }
    }

    /// One value. No deeper than [`DEPTH`].
    fn value(&mut self, prefix: &str) -> Result<Value, ConfigError> {
        let (event, line) = self.next()?;
        match event {
            Event::Scalar(text, style, _, tag) => Ok(Value::Scalar(Scalar {
                text: text.into_owned(),
                plain: style == ScalarStyle::Plain && tag.is_none(),
                line,
            })),
            Event::Alias(anchor) => Ok(self
                .anchors
                .get(&anchor)
                .map_or(Value::Other, |own| Value::Scalar(own.clone()))),
            Event::SequenceStart(..) => {
                let inside = self.depth;
                while self.depth >= inside {
                    self.next()?;
                }
                Ok(Value::Other)
            }
            Event::MappingStart(..) => {
                let mut mapping = Mapping {
                    line,
                    ..Mapping::default()
                };
                loop {
                    let (event, line) = self.next()?;
                    let name = match event {
                        Event::MappingEnd => return Ok(Value::Mapping(mapping)),
                        Event::Scalar(name, ..) => name.into_owned(),
                        _ => {
                            return Err(ConfigError::Yaml {
                                line,
                                problem: format!("a key below `{prefix}` is a text"),
                            });
                        }
                    };
                    if mapping.entries.contains_key(&name) {
                        return Err(ConfigError::DuplicateKey {
                            key: printable(&format!("{prefix}.{name}")),
                            line,
                        });
                    }
                    let value = self.value(&format!("{prefix}.{name}"))?;
                    let place = mapping.entries.len();
                    mapping.entries.insert(name, (place, line, value));
                }
            }
            _ => Err(ConfigError::Yaml {
                line,
                problem: format!("no value of `{prefix}`"),
            }),
        }
    }
}

/// Why a file is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Larger than any.
    #[error("more than {limit} bytes are no configuration")]
    TooLarge {
        /// Octets at the most.
        limit: usize,
    },
    /// Deeper than any.
    #[error("line {line}: more than {limit} levels")]
    TooDeep {
        /// Levels at the most.
        limit: usize,
        /// Where.
        line: usize,
    },
    /// Not YAML.
    #[error("line {line}: {problem}")]
    Yaml {
        /// Where.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Which of them is meant?
    #[error("line {line}: a second document begins")]
    SecondDocument {
        /// Where.
        line: usize,
    },
    /// Nothing about tokens.
    #[error("no section `token`{}", suggestion(.nearest.as_deref(), "is `", "` it?"))]
    NoSection {
        /// A section whose name is close.
        nearest: Option<String>,
    },
    /// A key that is not known here.
    #[error("line {line}: unknown key `{key}`{}", suggestion(*.nearest, "did you mean `", "`?"))]
    UnknownKey {
        /// The key, with where it stands.
        key: String,
        /// Where.
        line: usize,
        /// The known one that is closest.
        nearest: Option<&'static str>,
    },
    /// A key that is there twice.
    #[error("line {line}: `{key}` is given twice")]
    DuplicateKey {
        /// The key, with where it stands.
        key: String,
        /// Where the second one is.
        line: usize,
    },
    /// A key that must be there.
    #[error("line {line}: `{key}` is missing")]
    Missing {
        /// The key, with where it stands.
        key: String,
        /// Where its section begins.
        line: usize,
    },
    /// A value that makes no sense.
    #[error("line {line}: `{key}` is not {expected}")]
    Value {
        /// The key, with where it stands.
        key: String,
        /// Where.
        line: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// No key to sign with.
    #[error(
        "line {line}: neither `token.kms_signer` nor `token.certificate` and `token.key`: the server's TLS key signs no tokens here"
    )]
    NoKey {
        /// Where the section begins.
        line: usize,
    },
    /// Two keys to sign with.
    #[error(
        "line {line}: `token.kms_signer` is given together with `token.certificate` or `token.key`"
    )]
    TwoKeys {
        /// Where the section begins.
        line: usize,
    },
}

fn suggestion(nearest: Option<&str>, before: &str, behind: &str) -> String {
    nearest
        .map(|own| format!(": {before}{own}{behind}"))
        .unwrap_or_default()
}
