//! Where signers come from: named backends, and a registry of them.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use crate::local::{LocalBackend, LocalError};
use crate::public_key::PublicKey;
use crate::signer::{BoxFuture, Signer};

/// Finds signers by key id. See the crate's `examples/custom_backend.rs` for one of your own.
pub trait Backend: Send + Sync {
    /// The name that it is registered under, unless another one is given.
    fn name(&self) -> &str;

    /// What a front-end puts before the options' names to make flags: `local` and `passphrase-file` give
    /// `--local-passphrase-file`.
    fn flag_prefix(&self) -> &str {
        self.name()
    }

    /// The options it takes.
    fn options(&self) -> &[BackendOption] {
        &[]
    }

    /// The signer of a key.
    ///
    /// # Errors
    /// The key cannot be had, or an option's value makes no sense.
    fn signer<'a>(&'a self, wanted: WantedKey<'a>) -> SignerFuture<'a>;
}

/// What [`Backend::signer`] returns.
pub type SignerFuture<'a> = BoxFuture<'a, Result<Box<dyn Signer>, BackendError>>;

/// Which key a backend is asked for.
#[derive(Debug, Clone, Copy)]
pub struct WantedKey<'a> {
    key_id: &'a str,
    options: &'a Options,
    public_key: Option<&'a PublicKey>,
}

impl<'a> WantedKey<'a> {
    /// The key's id, in the backend's own terms.
    #[must_use]
    pub fn key_id(&self) -> &'a str {
        self.key_id
    }

    /// Values of [`Backend::options`] alone, defaults included.
    #[must_use]
    pub fn options(&self) -> &'a Options {
        self.options
    }

    /// The public key, where the caller has it, from a certificate: then none need be fetched.
    #[must_use]
    pub fn public_key(&self) -> Option<&'a PublicKey> {
        self.public_key
    }
}

/// An option of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendOption {
    name: &'static str,
    value: &'static str,
    help: &'static str,
    default: Option<&'static str>,
}

impl BackendOption {
    /// `name` in lower case with hyphens; `value` names the value in a help text (`FILE`); `help` is one line.
    #[must_use]
    pub const fn new(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self {
            name,
            value,
            help,
            default: None,
        }
    }

    /// The same with a default.
    #[must_use]
    pub const fn with_default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What its value is called.
    #[must_use]
    pub fn value(&self) -> &'static str {
        self.value
    }

    /// One line about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.help
    }

    /// The value where none is given.
    #[must_use]
    pub fn default(&self) -> Option<&'static str> {
        self.default
    }
}

/// Values of options, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// No option given.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more; a second value for the same name takes the place of the first.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The value of an option.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Backends by name: an ordinary value, no global state.
///
/// ```
/// use countersign_sign::{LocalBackend, Registry};
/// let mut registry = Registry::new();
/// registry.register(LocalBackend::new())?;
/// // A second one under a name of its own, and one in place of the first.
/// registry.register_as("escrow", LocalBackend::new())?;
/// registry.replace(LocalBackend::new().with_prompt(|path| {
///     Err(std::io::Error::other(format!("nobody is here to unlock {path}")))
/// }));
/// assert_eq!(registry.names().collect::<Vec<_>>(), ["escrow", "local"]);
/// # Ok::<(), countersign_sign::RegistryError>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<String, Arc<dyn Backend>>);

impl Registry {
    /// No backend.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The backends that are compiled in: `local`, and with the feature of that name `aws-kms`.
    #[must_use]
    pub fn builtin() -> Self {
        let mut registry = Self::new();
        registry.replace(LocalBackend::new());
        #[cfg(feature = "aws-kms")]
        registry.replace(crate::aws_kms::AwsKmsBackend::new());
        registry
    }

    /// Adds a backend under its own name.
    ///
    /// # Errors
    /// [`RegistryError::NameTaken`].
    pub fn register(&mut self, backend: impl Backend + 'static) -> Result<(), RegistryError> {
        self.register_as(backend.name().to_owned(), backend)
    }

    /// Adds a backend under another name, such as a second instance with other settings.
    ///
    /// # Errors
    /// [`RegistryError::NameTaken`].
    pub fn register_as(
        &mut self,
        name: impl Into<String>,
        backend: impl Backend + 'static,
    ) -> Result<(), RegistryError> {
        let name = name.into();
        if self.0.contains_key(&name) {
            return Err(RegistryError::NameTaken { name });
        }
        self.0.insert(name, Arc::new(backend));
        Ok(())
    }

    /// Puts a backend in the place of the one that has its name, such as one configured in code in place of a built-in one.
    pub fn replace(&mut self, backend: impl Backend + 'static) -> Option<Arc<dyn Backend>> {
        self.0.insert(backend.name().to_owned(), Arc::new(backend))
    }

    /// The backend of that name.
    ///
    /// # Errors
    /// [`RegistryError::UnknownBackend`], which lists the known ones.
    pub fn get(&self, name: &str) -> Result<&dyn Backend, RegistryError> {
        let found = self.0.get(name).map(AsRef::as_ref);
        found.ok_or_else(|| RegistryError::UnknownBackend {
            name: name.to_owned(),
            known: self.names().map(str::to_owned).collect(),
        })
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The signer of a key id, from the backend of that name, with the options' defaults filled in.
    ///
    /// # Errors
    /// No such backend, an option that it does not take, or what the backend says.
    pub async fn signer(
        &self,
        backend: &str,
        key_id: &str,
        options: &Options,
        public_key: Option<&PublicKey>,
    ) -> Result<Box<dyn Signer>, BackendError> {
        let found = self.get(backend)?;
        let known = found.options();
        for name in options.names() {
            if !known.iter().any(|own| own.name == name) {
                return Err(BackendError::UnknownOption {
                    backend: backend.to_owned(),
                    name: name.to_owned(),
                    known: known.iter().map(|own| own.name).collect(),
                });
            }
        }
        let mut complete = options.clone();
        for option in known {
            if let (None, Some(default)) = (complete.get(option.name), option.default) {
                complete = complete.with(option.name, default);
            }
        }
        let wanted = WantedKey {
            key_id,
            options: &complete,
            public_key,
        };
        found.signer(wanted).await
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Why a registry has no such backend, or takes none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Another backend has that name.
    #[error("a backend `{name}` is registered already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// No backend has that name.
    #[error("no backend `{name}`: there is {}", listed(.known))]
    UnknownBackend {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

/// Why there is no signer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No such backend.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// An option that the backend does not take.
    #[error("backend `{backend}` has no option `{name}`: there is {}", listed(.known))]
    UnknownOption {
        /// The backend.
        backend: String,
        /// The option.
        name: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// An option's value makes no sense.
    #[error("option `{name}`: {problem}")]
    OptionValue {
        /// The option.
        name: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// The key on disk cannot be used.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// What another backend says.
    #[error("{message}")]
    Other {
        /// What happened, with the key's name.
        message: String,
        /// Its cause.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl BackendError {
    /// A failure of a backend's own, in a sentence that names the key.
    pub fn other(message: impl std::fmt::Display) -> Self {
        Self::Other {
            message: message.to_string(),
            source: None,
        }
    }
}

fn listed<T: AsRef<str>>(known: &[T]) -> String {
    if known.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = known
        .iter()
        .map(|own| format!("`{}`", own.as_ref()))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_once() {
        let mut registry = Registry::builtin();
        let error = registry.register(LocalBackend::new()).unwrap_err();
        assert_eq!(error.to_string(), "a backend `local` is registered already");
        registry.register_as("other", LocalBackend::new()).unwrap();
        assert!(registry.replace(LocalBackend::new()).is_some());
    }

    #[test]
    fn what_is_unknown_is_answered_with_what_is_known() {
        // Whatever features are on.
        let mut registry = Registry::new();
        registry.register(LocalBackend::new()).unwrap();
        let unknown = pollster::block_on(registry.signer("aws", "k", &Options::new(), None));
        let said = |result: Result<Box<dyn Signer>, BackendError>| match result {
            Ok(_) => panic!("there is a signer"),
            Err(error) => error.to_string(),
        };
        assert_eq!(said(unknown), "no backend `aws`: there is `local`");
        let options = Options::new().with("region", "x");
        let option = pollster::block_on(registry.signer("local", "k", &options, None));
        assert_eq!(
            said(option),
            "backend `local` has no option `region`: there is `passphrase-file`, `passphrase-env`"
        );
        assert_eq!(
            Registry::new().get("x").err().unwrap().to_string(),
            "no backend `x`: there is none"
        );
    }
}
