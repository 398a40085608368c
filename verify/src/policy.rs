//! What is demanded of a signature. Callers may raise the bar, never lower it.

use std::time::Duration;

use crate::error::PolicyError;
use crate::limits;
use crate::time::Timestamp;

/// The shortest RSA modulus that is ever accepted, in bits.
pub const MIN_RSA_BITS: u32 = 3072;

/// At which time a key must have been alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expiry {
    /// When the signature was made: an old release stays good after its key expired.
    #[default]
    Signing,
    /// When the signature was made, and also at the time of checking.
    Now,
}

/// A notation (RFC 9580, section 5.2.3.24): a name and a value in the signed part of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notation {
    /// The name, such as `tag@example.org`.
    pub name: String,
    /// The value; text, as a rule, but any octets may stand here.
    pub value: Vec<u8>,
}

/// What is demanded of a signature beyond the rules that always hold. [`Policy::new`] demands the least that is safe.
///
/// ```
/// use countersign_verify::{Expiry, Policy};
/// use std::time::Duration;
/// let policy = Policy::new()
///     .with_min_rsa_bits(4096)?
///     .with_expiry(Expiry::Now)
///     .with_max_age(Duration::from_secs(90 * 24 * 3600));
/// assert!(Policy::new().with_min_rsa_bits(2048).is_err());
/// # Ok::<(), countersign_verify::PolicyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    min_rsa_bits: u32,
    expiry: Expiry,
    max_age: Option<Duration>,
    not_before: Option<Timestamp>,
    notations: Vec<Notation>,
    threshold: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy {
    /// One good signature by an RSA key of 3072 bits or an Ed25519 key that was alive when it signed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            min_rsa_bits: MIN_RSA_BITS,
            expiry: Expiry::default(),
            max_age: None,
            not_before: None,
            notations: Vec::new(),
            threshold: 1,
        }
    }

    /// Demands RSA keys of so many bits, for the primary and the signing key. Ed25519 keys are not touched.
    ///
    /// # Errors
    /// Below 3072: the bar may not be lowered. Above 8192: no such key is accepted.
    pub fn with_min_rsa_bits(self, bits: u32) -> Result<Self, PolicyError> {
        if bits < MIN_RSA_BITS {
            return Err(PolicyError::BelowFloor {
                asked: bits,
                floor: MIN_RSA_BITS,
            });
        }
        if bits > limits::RSA_MODULUS_BITS {
            return Err(PolicyError::AboveMaximum {
                asked: bits,
                max: limits::RSA_MODULUS_BITS,
            });
        }
        Ok(Self {
            min_rsa_bits: bits,
            ..self
        })
    }

    /// Says at which time keys must have been alive.
    #[must_use]
    pub fn with_expiry(self, expiry: Expiry) -> Self {
        Self { expiry, ..self }
    }

    /// Refuses signatures older than that at the time of checking: an old release replayed.
    #[must_use]
    pub fn with_max_age(self, age: Duration) -> Self {
        Self {
            max_age: Some(age),
            ..self
        }
    }

    /// Refuses signatures made before that time, such as the time of the release that is installed.
    #[must_use]
    pub fn with_not_before(self, time: Timestamp) -> Self {
        Self {
            not_before: Some(time),
            ..self
        }
    }

    /// Demands that the signature carries this notation, hashed, with this very value. May be called several times.
    #[must_use]
    pub fn with_notation(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.notations.push(Notation {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Demands good signatures by that many distinct certificates. Zero counts as one.
    #[must_use]
    pub fn with_threshold(self, certificates: usize) -> Self {
        Self {
            threshold: certificates.max(1),
            ..self
        }
    }

    pub(crate) fn min_rsa_bits(&self) -> u32 {
        self.min_rsa_bits
    }

    pub(crate) fn expiry(&self) -> Expiry {
        self.expiry
    }

    pub(crate) fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    pub(crate) fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    pub(crate) fn notations(&self) -> &[Notation] {
        &self.notations
    }

    pub(crate) fn threshold(&self) -> usize {
        self.threshold
    }
}
