//! What a token grants: entries as the registry reads them, from scopes as clients write them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use countersign_verify::printable;
use serde::{Serialize, Serializer};

/// Entries of one token. Clients ask for one or two; a build that mounts from many repositories asks for dozens.
pub const MAX_ENTRIES: usize = 256;

/// Octets of a resource's name. The registry has the same limit for a repository's (255).
const NAME_OCTETS: usize = 255;

/// Octets of a resource's type, and of its class. `repository`, `registry` and `plugin` are known.
const TYPE_OCTETS: usize = 32;

/// What may be done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action {
    /// `*`: the catalogue is read by it, and registries before 2.7 deleted by it.
    All,
    /// `delete`.
    Delete,
    /// `pull`.
    Pull,
    /// `push`.
    Push,
}

impl Action {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "*",
            Self::Delete => "delete",
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let all = [Self::All, Self::Delete, Self::Pull, Self::Push];
        let found = all.into_iter().find(|own| own.as_str() == text);
        found.ok_or_else(|| ScopeError::UnknownAction {
            action: printable(text),
        })
    }
}

/// One entry of the claim `access`: actions on one resource. Reads and prints as docker writes a scope,
/// `repository:team/tool:pull,push`.
///
/// The name may hold colons: what stands before the first is the type, what stands behind the last is the actions. A class is
/// written behind the type, `repository(plugin):team/plugin:pull`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Access {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    name: String,
    actions: BTreeSet<Action>,
}

impl Access {
    /// Actions on a resource: `("repository", "team/tool", [Pull, Push])`.
    ///
    /// # Errors
    /// A type other than of small letters and digits, a name of other characters than the registry's names have, no action.
    pub fn new(
        kind: &str,
        name: &str,
        actions: impl IntoIterator<Item = Action>,
    ) -> Result<Self, ScopeError> {
        let plain = |own: &str| {
            let fits = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
            (1..=TYPE_OCTETS).contains(&own.len()) && own.bytes().all(fits)
        };
        let (kind, class) = match kind.strip_suffix(')').and_then(|own| own.split_once('(')) {
            Some((kind, class)) => (kind, Some(class)),
            None => (kind, None),
        };
        if !plain(kind) || !class.is_none_or(plain) {
            return Err(ScopeError::Type {
                kind: printable(kind),
            });
        }
        let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"._-/:".contains(&octet);
        if !(1..=NAME_OCTETS).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(ScopeError::Name {
                name: printable(name.get(..NAME_OCTETS).unwrap_or(name)),
                limit: NAME_OCTETS,
            });
        }
        let actions: BTreeSet<Action> = actions.into_iter().collect();
        if actions.is_empty() {
            return Err(ScopeError::NoAction {
                name: name.to_owned(),
            });
        }
        Ok(Self {
            kind: kind.to_owned(),
            class: class.map(str::to_owned),
            name: name.to_owned(),
            actions,
        })
    }

    /// The resource's type: `repository` or `registry`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The resource's class, such as `plugin`.
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        self.class.as_deref()
    }

    /// The resource's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What may be done, sorted. Never empty.
    pub fn actions(&self) -> impl Iterator<Item = Action> + '_ {
        self.actions.iter().copied()
    }

    /// The same resource with those of its actions that are allowed; none where none is.
    #[must_use]
    pub fn restricted_to(&self, allowed: impl IntoIterator<Item = Action>) -> Option<Self> {
        let allowed: BTreeSet<Action> = allowed.into_iter().collect();
        let actions: BTreeSet<Action> = self.actions.intersection(&allowed).copied().collect();
        (!actions.is_empty()).then(|| Self {
            actions,
            ..self.clone()
        })
    }
}

impl FromStr for Access {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let malformed = || ScopeError::Malformed {
            scope: printable(text.chars().take(NAME_OCTETS).collect::<String>().as_str()),
        };
        let (kind, rest) = text.split_once(':').ok_or_else(malformed)?;
        let (name, actions) = rest.rsplit_once(':').ok_or_else(malformed)?;
        if actions.is_empty() {
            return Access::new(kind, name, []);
        }
        let actions: Result<Vec<Action>, _> = actions.split(',').map(str::parse).collect();
        Self::new(kind, name, actions?)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(class) = &self.class {
            write!(f, "({class})")?;
        }
        write!(f, ":{}:", self.name)?;
        for (place, action) in self.actions.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{action}")?;
        }
        Ok(())
    }
}

/// The claim `access`: entries sorted, one for each resource. The same grant is the same list, however it was asked for.
///
/// Reads a scope parameter, entries with spaces between; an empty one grants nothing beyond `GET /v2/`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct AccessList(Vec<Access>);

impl AccessList {
    /// Entries for the same resource become one with the actions of all.
    ///
    /// # Errors
    /// More than [`MAX_ENTRIES`].
    pub fn new(entries: impl IntoIterator<Item = Access>) -> Result<Self, ScopeError> {
        let mut list: Vec<Access> = Vec::new();
        let order = |one: &Access, other: &Access| {
            let key = |own: &Access| (own.kind.clone(), own.class.clone(), own.name.clone());
            key(one).cmp(&key(other))
        };
        for (place, entry) in entries.into_iter().enumerate() {
            if place >= MAX_ENTRIES {
                return Err(ScopeError::TooMany { limit: MAX_ENTRIES });
            }
            match list.binary_search_by(|own| order(own, &entry)) {
                Ok(place) => {
                    if let Some(own) = list.get_mut(place) {
                        own.actions.extend(entry.actions);
                    }
                }
                Err(place) => list.insert(place, entry),
            }
        }
        Ok(Self(list))
    }

    /// The entries, sorted.
    #[must_use]
    pub fn entries(&self) -> &[Access] {
        &self.0
    }
}

impl FromStr for AccessList {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let scopes = text.split(' ').filter(|own| !own.is_empty());
        let mut entries = Vec::new();
        for scope in scopes {
            if entries.len() == MAX_ENTRIES {
                return Err(ScopeError::TooMany { limit: MAX_ENTRIES });
            }
            entries.push(scope.parse()?);
        }
        Self::new(entries)
    }
}

impl fmt::Display for AccessList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, entry) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{entry}")?;
        }
        Ok(())
    }
}

/// Why a text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Not of three parts.
    #[error("scope `{scope}` is not TYPE:NAME:ACTION[,ACTION...]")]
    Malformed {
        /// The scope.
        scope: String,
    },
    /// No type of a resource.
    #[error("resource type `{kind}` is not of small letters and digits")]
    Type {
        /// The type.
        kind: String,
    },
    /// No name of a resource.
    #[error("resource name `{name}` is not 1 to {limit} of letters, digits and `._-/:`")]
    Name {
        /// The name.
        name: String,
        /// Octets at the most.
        limit: usize,
    },
    /// Nothing is to be done with the resource.
    #[error("no action on `{name}`: `pull`, `push`, `delete` and `*` are known")]
    NoAction {
        /// The resource.
        name: String,
    },
    /// The registry knows no such action.
    #[error("unknown action `{action}`: `pull`, `push`, `delete` and `*` are known")]
    UnknownAction {
        /// The action.
        action: String,
    },
    /// More than any client asks for.
    #[error("more than {limit} scopes")]
    TooMany {
        /// How many are taken.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Access {
        text.parse().unwrap()
    }

    #[test]
    fn scopes_of_docker_are_read() {
        let own = parsed("repository:team/tool:push,pull");
        assert_eq!(
            (own.kind(), own.class(), own.name()),
            ("repository", None, "team/tool")
        );
        assert_eq!(
            own.actions().collect::<Vec<_>>(),
            [Action::Pull, Action::Push]
        );
        let own = parsed("repository(plugin):team/plugin:pull");
        assert_eq!((own.kind(), own.class()), ("repository", Some("plugin")));
        assert_eq!(
            serde_json::to_string(&own).unwrap(),
            r#"{"type":"repository","class":"plugin","name":"team/plugin","actions":["pull"]}"#
        );
        let own = parsed("repository:localhost:5000/a/b:pull");
        assert_eq!(own.name(), "localhost:5000/a/b");
        assert_eq!(
            parsed("registry:catalog:*").actions().collect::<Vec<_>>(),
            [Action::All]
        );
    }

    #[test]
    fn what_no_client_writes_is_refused() {
        for text in [
            "",
            "repository",
            "repository:x",
            "repository:x:",
            "repository::pull",
            ":x:pull",
            "Repository:x:pull",
            "repository():x:pull",
            "repository(plugin:x:pull",
            "repository)x(:x:pull",
            "repository:x:PULL",
            "repository:x:pull,",
            "repository:x:,pull",
            "repository:x:pull,read",
            "repository:a b:pull",
            "repository:a\"b:pull",
            "repository:\u{e9}:pull",
            "repository:a\nb:pull",
            "repository:*:pull",
        ] {
            assert!(text.parse::<Access>().is_err(), "{text}");
        }
        let long = format!("repository:{}:pull", "x".repeat(256));
        assert!(matches!(
            long.parse::<Access>(),
            Err(ScopeError::Name { .. })
        ));
        let many = "registry:catalog:* ".repeat(MAX_ENTRIES + 1);
        assert_eq!(
            many.parse::<AccessList>(),
            Err(ScopeError::TooMany { limit: MAX_ENTRIES })
        );
        let error = "repository:a\u{1b}[2J:pull".parse::<Access>().unwrap_err();
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }

    #[test]
    fn the_same_grant_is_the_same_list() {
        let one: AccessList = "repository:b:pull repository:a:push repository:b:push"
            .parse()
            .unwrap();
        let other: AccessList = " repository:a:push  repository:b:push,pull,pull "
            .parse()
            .unwrap();
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "repository:a:push repository:b:pull,push");
        assert_eq!("".parse::<AccessList>(), Ok(AccessList::default()));
    }

    #[test]
    fn entries_are_restricted_to_what_is_allowed() {
        let own = parsed("repository:a:pull,push");
        assert_eq!(
            own.restricted_to([Action::Pull, Action::Delete]),
            Some(parsed("repository:a:pull"))
        );
        assert_eq!(own.restricted_to([Action::Delete]), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(text in "[a-z(){}:*,./ pullsh]{0,60}") {
            if let Ok(list) = text.parse::<AccessList>() {
                prop_assert_eq!(list.to_string().parse::<AccessList>(), Ok(list));
            }
        }
    }
}
