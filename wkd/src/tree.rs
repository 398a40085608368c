//! A directory's files: planned in memory from keyrings, then written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use countersign_verify::parallel::in_parallel;
use countersign_verify::{
    Certificate, Fingerprint, Policy, SignatureRefusal, Timestamp, UserIdStanding, printable,
};

use crate::address::{Address, Domain, Method};
use crate::keyring::{Found, Keyring, KeyringError};
use crate::limits;
use crate::packet::{Packets, tag};
use crate::published::{
    self, CERTIFICATION_REVOCATION, CERTIFICATIONS, Component, Components, KEY_REVOCATION,
    Unpublishable, kind,
};

/// Where a tree's files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// For the host `openpgpkey.DOMAIN`.
    Advanced,
    /// For the host `DOMAIN`.
    Direct,
    /// For both, from one root.
    Both,
}

impl Layout {
    pub(crate) fn methods(self) -> &'static [Method] {
        match self {
            Self::Advanced => &[Method::Advanced],
            Self::Direct => &[Method::Direct],
            Self::Both => &[Method::Advanced, Method::Direct],
        }
    }
}

/// A directory for one domain, planned in memory. [`Tree::add`] takes in keyrings, [`Tree::write`] writes the files.
///
/// For each mail address of the domain there is one file with every certificate that has a user id with it. A certificate is
/// reduced to its keys, to the user ids with that address and to the signatures that its own key made on these; the packets that
/// stay are copied as they came. What is expired or revoked is served like the rest, since clients learn of it that way, and
/// comes with a warning.
///
/// A keyring is read as a stream. What is kept is what will be served, at most [`limits::FILE_BYTES`] an address, and while
/// reading some certificates, each at most [`limits::CERTIFICATE_BYTES`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keyring = countersign_testkit::release().certificate;
/// # let root = tempfile::tempdir()?;
/// # let root = root.path();
/// use countersign_wkd::{Layout, Tree};
/// let mut tree = Tree::new("example.org".parse()?, std::time::SystemTime::now().into());
/// tree.add("release.asc", keyring.as_slice())?;
/// let written = tree.write(root, Layout::Advanced);
/// for file in written.files() {
///     println!("{}", file.path().display());
/// }
/// # assert!(written.failures().is_empty(), "{written:?}");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Tree {
    pub(crate) domain: Domain,
    now: Timestamp,
    threads: NonZeroUsize,
    wanted: Vec<Address>,
    pub(crate) submission_address: Option<Address>,
    /// By hash.
    pub(crate) served: BTreeMap<String, Served>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) skipped: Vec<Skipped>,
}

/// What one file will hold.
#[derive(Debug)]
pub(crate) struct Served {
    /// As the first user id has it.
    pub(crate) address: String,
    /// Sorted by fingerprint.
    pub(crate) certificates: Vec<(Fingerprint, Vec<u8>)>,
    /// Octets in all; above the limit the certificates are gone.
    pub(crate) size: usize,
}

/// Certificates are worked on together once they have this many octets in all.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

impl Tree {
    /// A directory without a file. `now` is when expiry and revocation are judged.
    #[must_use]
    pub fn new(domain: Domain, now: Timestamp) -> Self {
        Self {
            domain,
            now,
            threads: NonZeroUsize::MIN,
            wanted: Vec::new(),
            submission_address: None,
            served: BTreeMap::new(),
            warnings: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// With at most that many threads; otherwise one.
    #[must_use]
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// With this address, and without every other that is not asked for in this way. Without any, all addresses of the domain are
    /// served.
    ///
    /// # Errors
    /// It is of another domain.
    pub fn with_address(mut self, address: Address) -> Result<Self, TreeError> {
        if address.domain() != &self.domain {
            return Err(TreeError::OtherDomain {
                address: address.to_string(),
                domain: self.domain.to_string(),
            });
        }
        self.wanted.push(address);
        Ok(self)
    }

    /// With the address to which new certificates are sent by mail (draft-koch-openpgp-webkey-service-22, section 4.4). It may be
    /// of any domain.
    #[must_use]
    pub fn with_submission_address(self, address: Address) -> Self {
        Self {
            submission_address: Some(address),
            ..self
        }
    }

    /// Takes in a keyring: certificates in any number, binary or armored. `name` stands for it in the report.
    ///
    /// What cannot be published is skipped and reported, and does not keep the rest from being published.
    ///
    /// # Errors
    /// It cannot be read. What was read before is taken in.
    pub fn add(&mut self, name: &str, keyring: impl Read) -> io::Result<()> {
        let mut keyring = Keyring::open(keyring)?;
        let (mut batch, mut octets, mut number) = (Vec::new(), 0, 0);
        loop {
            let found = match keyring.next() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error) => {
                    self.take(name, &batch);
                    return Err(error);
                }
            };
            number += 1;
            let (Found::Certificate(own) | Found::TooLarge(own) | Found::Damaged(own, _)) = &found;
            octets += own.len();
            batch.push((number, found));
            // Many small ones cost more than their octets.
            if octets + batch.len() * 64 >= BATCH_BYTES {
                self.take(name, &batch);
                batch.clear();
                octets = 0;
            }
        }
        self.take(name, &batch);
        Ok(())
    }

    fn take(&mut self, keyring: &str, batch: &[(usize, Found)]) {
        /// Fewer are not worth a thread.
        const SHARE: usize = 8;
        let threads = NonZeroUsize::new(batch.len() / SHARE).unwrap_or(NonZeroUsize::MIN);
        let order: Vec<usize> = (0..batch.len()).collect();
        let examined = in_parallel(&order, threads.min(self.threads), |place| {
            batch.get(place).map(|(_, found)| self.examine(found))
        });
        for ((number, _), examined) in batch.iter().zip(examined) {
            let Some(examined) = examined else { continue };
            for own in examined.published {
                self.serve(own);
            }
            self.warnings.extend(examined.warnings);
            let skipped = examined.skipped.into_iter().map(|reason| Skipped {
                keyring: printable(keyring),
                number: *number,
                fingerprint: examined.fingerprint,
                user_id: examined.user_id.clone(),
                reason,
            });
            self.skipped.extend(skipped);
        }
    }

    fn serve(&mut self, own: Published) {
        let served = self.served.entry(own.hash).or_insert_with(|| Served {
            address: own.address,
            certificates: Vec::new(),
            size: 0,
        });
        if served.size > limits::FILE_BYTES {
            served.size = served.size.saturating_add(own.octets.len());
            return;
        }
        place(&mut served.certificates, own.fingerprint, own.octets);
        served.size = served.certificates.iter().map(|(_, own)| own.len()).sum();
        if served.size > limits::FILE_BYTES {
            served.certificates.clear();
        }
    }

    fn is_wanted(&self, address: &Address) -> bool {
        let asked = |wanted: &Address| wanted.is_same_place(address);
        address.domain() == &self.domain
            && (self.wanted.is_empty() || self.wanted.iter().any(asked))
    }

    /// Addresses that were asked for and have no certificate.
    pub(crate) fn missing(&self) -> Vec<TreeError> {
        let missing = |wanted: &&Address| !self.served.contains_key(&wanted.hash());
        let missing = self.wanted.iter().filter(missing);
        let mut missing: Vec<TreeError> = missing
            .map(|wanted| TreeError::NoCertificate {
                address: wanted.to_string(),
            })
            .collect();
        if self.served.is_empty() && missing.is_empty() {
            missing.push(TreeError::Nothing {
                domain: self.domain.to_string(),
            });
        }
        missing
    }

    fn examine(&self, found: &Found) -> Examined {
        let (octets, skipped) = match found {
            Found::Certificate(octets) => match Components::parse(octets) {
                Ok(components) => return self.reduce(&components),
                Err(error) => (octets, SkipReason::Unpublishable(error)),
            },
            Found::TooLarge(octets) => (
                octets,
                SkipReason::TooLarge {
                    limit: limits::CERTIFICATE_BYTES,
                },
            ),
            Found::Damaged(octets, error) => (octets, SkipReason::Keyring(error.clone())),
        };
        let whole = || Packets::new(octets).map_while(Result::ok);
        let mut user_ids = whole().filter(|packet| packet.tag == tag::USER_ID);
        Examined {
            fingerprint: whole().next().and_then(|packet| {
                let parsed = Components::parse(packet.raw);
                parsed.ok().map(|own| own.fingerprint)
            }),
            user_id: user_ids.next().map(|own| shown(own.body)),
            skipped: vec![skipped],
            ..Examined::default()
        }
    }

    /// One copy of the certificate for each address.
    fn reduce(&self, whole: &Components<'_>) -> Examined {
        let mut examined = Examined {
            fingerprint: Some(whole.fingerprint),
            user_id: whole.user_ids().next().map(|own| shown(own.head.body)),
            ..Examined::default()
        };
        let address =
            |own: &Component<'_>| own.address().ok().filter(|address| self.is_wanted(address));
        let count = whole
            .user_ids()
            .filter(|own| address(own).is_some())
            .count();
        if count == 0 {
            examined.skipped.push(SkipReason::NoAddress {
                domain: self.domain.to_string(),
            });
            return examined;
        }
        if count > limits::USER_IDS {
            let limit = limits::USER_IDS;
            examined.skipped.push(SkipReason::TooManyUserIds { limit });
            return examined;
        }
        let own = whole.own().with_user_ids(|own| address(own).is_some());
        let judged = Judged::new(&own, self.now);
        let mut addresses: BTreeMap<String, (Address, Vec<&[u8]>)> = BTreeMap::new();
        for (place, user_id) in own.user_ids().enumerate() {
            let Some(address) = address(user_id) else {
                continue;
            };
            match judged.user_id(place, user_id) {
                Standing::Forged => {
                    examined.skipped.push(SkipReason::NotCertified {
                        user_id: shown(user_id.head.body),
                    });
                    continue;
                }
                Standing::Holds => {}
                Standing::Warn(what) => examined.warnings.push(Warning::UserId {
                    certificate: own.fingerprint,
                    user_id: shown(user_id.head.body),
                    what,
                }),
            }
            let (_, user_ids) = addresses
                .entry(address.hash())
                .or_insert_with(|| (address, Vec::new()));
            user_ids.push(user_id.head.body);
        }
        if !addresses.is_empty() {
            let key = judged.key_warnings(&own).into_iter();
            examined.warnings.extend(key.map(|what| Warning::Key {
                certificate: own.fingerprint,
                what,
            }));
        }
        for (hash, (address, user_ids)) in addresses {
            let octets = own
                .with_user_ids(|own| user_ids.contains(&own.head.body))
                .to_bytes();
            examined.published.push(Published {
                hash,
                address: address.to_string(),
                fingerprint: own.fingerprint,
                octets,
            });
        }
        examined
    }
}

/// Puts a certificate among those of a file, or merges it with the copy that is there.
pub(crate) fn place(
    certificates: &mut Vec<(Fingerprint, Vec<u8>)>,
    fingerprint: Fingerprint,
    octets: Vec<u8>,
) {
    let start = certificates.partition_point(|(own, _)| *own < fingerprint);
    let copies = certificates.iter_mut().skip(start);
    let mut copies = copies.take_while(|(own, _)| *own == fingerprint);
    if let Some((_, copy)) = copies.find(|(_, own)| published::same_primary(own, &octets))
        && let Ok(whole) = published::merged(copy, &octets)
    {
        *copy = whole;
        return;
    }
    certificates.insert(start, (fingerprint, octets));
}

/// One certificate as it will be served for one address.
struct Published {
    hash: String,
    address: String,
    fingerprint: Fingerprint,
    octets: Vec<u8>,
}

/// What one certificate came to.
#[derive(Default)]
struct Examined {
    fingerprint: Option<Fingerprint>,
    user_id: Option<String>,
    published: Vec<Published>,
    warnings: Vec<Warning>,
    skipped: Vec<SkipReason>,
}

/// What the verifier makes of a certificate, as far as it can.
struct Judged {
    assessment: Option<countersign_verify::Assessment>,
    certificate: Option<Certificate>,
    now: Timestamp,
}

enum Standing {
    Holds,
    /// Every signature that could bind it can be checked, and none holds.
    Forged,
    Warn(UserIdWarning),
}

impl Judged {
    fn new(own: &Components<'_>, now: Timestamp) -> Self {
        // Subkeys are left out, but not what was appended after them: checking their bindings would cost most of the time.
        let mut without_subkeys = Vec::new();
        for component in &own.all {
            let is_subkey = component.head.tag == tag::PUBLIC_SUBKEY;
            if !is_subkey {
                without_subkeys.extend_from_slice(component.head.raw);
            }
            for signature in &component.signatures {
                let on_subkey = matches!(kind(signature.body), Some(0x18 | 0x19 | 0x28));
                if !(is_subkey && on_subkey) {
                    without_subkeys.extend_from_slice(signature.raw);
                }
            }
        }
        let certificate = Certificate::from_bytes(&without_subkeys).ok();
        Self {
            assessment: certificate
                .as_ref()
                .map(|own| own.assess(&Policy::new(), now)),
            certificate,
            now,
        }
    }

    fn user_id(&self, place: usize, user_id: &Component<'_>) -> Standing {
        let own = &user_id.signatures;
        let certifications = || {
            let is = |kind| CERTIFICATIONS.contains(&kind);
            own.iter().filter(move |own| kind(own.body).is_some_and(is))
        };
        let mut revocations = own
            .iter()
            .filter(|own| kind(own.body) == Some(CERTIFICATION_REVOCATION));
        let Some(newest) = certifications().max_by_key(|own| published::created(own.body)) else {
            // Some programs drop what was revoked and keep the revocation.
            return match revocations.next() {
                Some(_) => Standing::Warn(UserIdWarning::Revoked),
                None => Standing::Forged,
            };
        };
        let standing = self.standing(place, self.now);
        match standing {
            Some(UserIdStanding::Certified { .. }) => return Standing::Holds,
            Some(UserIdStanding::Revoked) => return Standing::Warn(UserIdWarning::Revoked),
            _ => {}
        }
        // What cannot be checked here is taken at its word: clients check it themselves.
        let checkable = standing == Some(UserIdStanding::NotCertified)
            && self.key_is_checkable()
            && certifications().all(|own| is_checkable(own.body));
        if checkable {
            let then =
                published::created(newest.body).map(|then| Timestamp::from_unix(then.into()));
            return match then.and_then(|then| self.standing(place, then)) {
                Some(UserIdStanding::Certified { .. } | UserIdStanding::Revoked) => {
                    Standing::Warn(UserIdWarning::Expired)
                }
                _ => Standing::Forged,
            };
        }
        let revoked =
            revocations.any(|own| published::created(own.body) >= published::created(newest.body));
        Standing::Warn(if revoked {
            UserIdWarning::Revoked
        } else {
            UserIdWarning::NotChecked
        })
    }

    /// Whether the verifier can work with the key at all: there are RSA keys of 10240 bits in Debian's keyring.
    fn key_is_checkable(&self) -> bool {
        let primary = self.assessment.as_ref().map(|own| own.primary());
        !matches!(
            primary.and_then(|own| own.refusal()),
            Some(
                SignatureRefusal::KeyTooLarge { .. }
                    | SignatureRefusal::UnsafeRsaKey { .. }
                    | SignatureRefusal::UnsafePoint { .. }
                    | SignatureRefusal::UnsupportedKeyAlgorithm { .. }
            )
        )
    }

    fn standing(&self, place: usize, at: Timestamp) -> Option<UserIdStanding> {
        let again;
        let assessment = if at == self.now {
            self.assessment.as_ref()?
        } else {
            again = self.certificate.as_ref()?.assess(&Policy::new(), at);
            &again
        };
        Some(assessment.user_ids().get(place)?.standing().clone())
    }

    fn key_warnings(&self, own: &Components<'_>) -> Vec<KeyWarning> {
        let mut found = Vec::new();
        let primary = self.assessment.as_ref().map(|own| own.primary());
        let claimed = || {
            let all = own.all.iter().flat_map(|own| &own.signatures);
            let mut kinds = all.map(|own| kind(own.body));
            kinds.any(|kind| kind == Some(KEY_REVOCATION))
        };
        match primary.and_then(|own| own.revocations().first()) {
            Some(revocation) => found.push(KeyWarning::Revoked {
                revoked: revocation.created(),
            }),
            None if claimed() => found.push(KeyWarning::RevokedUnchecked),
            None => {}
        }
        let expires = primary.and_then(|own| own.expires());
        if let Some(expired) = expires.filter(|expires| *expires <= self.now) {
            found.push(KeyWarning::Expired { expired });
        }
        found
    }
}

/// Whether the verifier takes such signatures: by algorithm and hash (RFC 9580, sections 9.1 and 9.5).
fn is_checkable(body: &[u8]) -> bool {
    matches!(body, [4 | 6, _, 1 | 3 | 22 | 27, 8..=10 | 12 | 14, ..])
}

fn shown(user_id: &[u8]) -> String {
    printable(&String::from_utf8_lossy(user_id))
}

/// Something that is served and that its owner should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// About the primary key of a certificate.
    Key {
        /// The certificate.
        certificate: Fingerprint,
        /// What it is.
        what: KeyWarning,
    },
    /// About a user id.
    UserId {
        /// The certificate.
        certificate: Fingerprint,
        /// The user id, as [`printable`] shows it.
        user_id: String,
        /// What it is.
        what: UserIdWarning,
    },
    /// A file above [`limits::LARGE_FILE_BYTES`].
    Large {
        /// The file, below the root.
        path: PathBuf,
        /// Its octets.
        size: usize,
    },
    /// A policy file that is kept and that clients cannot read.
    Policy {
        /// The file, below the root.
        path: PathBuf,
        /// What is wrong with it.
        error: crate::policy::PolicyFileError,
    },
}

impl Warning {
    /// A stable name, such as `expired`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Key { what, .. } => match what {
                KeyWarning::Revoked { .. } => "revoked",
                KeyWarning::RevokedUnchecked => "revocation-not-checked",
                KeyWarning::Expired { .. } => "expired",
            },
            Self::UserId { what, .. } => match what {
                UserIdWarning::Revoked => "user-id-revoked",
                UserIdWarning::Expired => "user-id-expired",
                UserIdWarning::NotChecked => "user-id-not-checked",
            },
            Self::Large { .. } => "large-file",
            Self::Policy { .. } => "malformed-policy",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { certificate, what } => match what {
                KeyWarning::Revoked { revoked: Some(at) } => {
                    write!(f, "certificate {certificate} was revoked {at}")
                }
                KeyWarning::Revoked { revoked: None } => {
                    write!(f, "certificate {certificate} is revoked")
                }
                KeyWarning::RevokedUnchecked => write!(
                    f,
                    "certificate {certificate} comes with a revocation that could not be checked"
                ),
                KeyWarning::Expired { expired } => {
                    write!(f, "certificate {certificate} expired {expired}")
                }
            },
            Self::UserId {
                certificate,
                user_id,
                what,
            } => {
                let what = match what {
                    UserIdWarning::Revoked => "is revoked",
                    UserIdWarning::Expired => "is certified by no signature of today",
                    UserIdWarning::NotChecked => {
                        "rests on a signature of a kind that is not checked here"
                    }
                };
                write!(f, "certificate {certificate}: user id `{user_id}` {what}")
            }
            Self::Large { path, size } => write!(
                f,
                "`{}` has {size} octets; clients stop at {}",
                path.display(),
                limits::FILE_BYTES
            ),
            Self::Policy { path, error } => write!(f, "`{}` is kept: {error}", path.display()),
        }
    }
}

/// What is to be known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyWarning {
    /// By a revocation that holds.
    Revoked {
        /// When, if it says so.
        revoked: Option<Timestamp>,
    },
    /// There is a revocation that the verifier cannot check, such as one by a designated revoker.
    RevokedUnchecked,
    /// Its life is over.
    Expired {
        /// Since when.
        expired: Timestamp,
    },
}

/// What is to be known of a user id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserIdWarning {
    /// It is served with its revocation.
    Revoked,
    /// Its self-signature held once, and does not now.
    Expired,
    /// Its self-signature is of an algorithm that the verifier does not know, or of a weak hash.
    NotChecked,
}

/// A certificate of a keyring, or a user id of one, that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    keyring: String,
    number: usize,
    fingerprint: Option<Fingerprint>,
    user_id: Option<String>,
    reason: SkipReason,
}

impl Skipped {
    /// The keyring, as it was named, and as [`printable`] shows it.
    #[must_use]
    pub fn keyring(&self) -> &str {
        &self.keyring
    }

    /// Which certificate of the keyring, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// The certificate's fingerprint, if its key can be read.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }

    /// Its first user id, if there is one that can be read, as [`printable`] shows it.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &SkipReason {
        &self.reason
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`, certificate {}", self.keyring, self.number)?;
        if let Some(fingerprint) = self.fingerprint {
            write!(f, ", {fingerprint}")?;
        }
        if let Some(user_id) = &self.user_id {
            write!(f, " ({user_id})")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Why a certificate or a user id is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// It was not asked for. Not a failure.
    #[error("no user id with an address of {domain} that was asked for")]
    NoAddress {
        /// The domain.
        domain: String,
    },
    /// None of the signatures on the user id is by the certificate's key. Somebody else has added it. Not a failure.
    #[error("user id `{user_id}` is certified by no signature of its key")]
    NotCertified {
        /// The user id, as [`printable`] shows it.
        user_id: String,
    },
    /// More user ids of the domain than [`limits::USER_IDS`].
    #[error("more than {limit} user ids to publish")]
    TooManyUserIds {
        /// The limit.
        limit: usize,
    },
    /// More than [`limits::CERTIFICATE_BYTES`].
    #[error("more than {limit} octets")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It cannot or must not be published.
    #[error(transparent)]
    Unpublishable(Unpublishable),
    /// The keyring cannot be read here, and perhaps from here on.
    #[error(transparent)]
    Keyring(KeyringError),
}

/// How grave it is that something was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gravity {
    /// As it should be.
    Expected,
    /// Somebody meant it to be served, and it is not.
    Failure,
}

impl SkipReason {
    /// A stable name, such as `secret-key`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoAddress { .. } => "no-address",
            Self::NotCertified { .. } => "not-certified",
            Self::TooManyUserIds { .. } => "too-many-user-ids",
            Self::TooLarge { .. } => "certificate-too-large",
            Self::Unpublishable(Unpublishable::SecretKey) => "secret-key",
            Self::Unpublishable(Unpublishable::KeyVersion { .. }) => "key-version",
            Self::Unpublishable(_) => "malformed-certificate",
            Self::Keyring(_) => "malformed-keyring",
        }
    }

    /// Whether the outcome as a whole is a failure because of it.
    #[must_use]
    pub fn gravity(&self) -> Gravity {
        match self {
            Self::NoAddress { .. } | Self::NotCertified { .. } => Gravity::Expected,
            _ => Gravity::Failure,
        }
    }
}

/// Why a tree, or a file of it, was not written. Paths are below the root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// An address of another domain.
    #[error("`{address}` is no address of {domain}")]
    OtherDomain {
        /// The address.
        address: String,
        /// The tree's domain.
        domain: String,
    },
    /// An address was asked for, and no certificate has it.
    #[error("no certificate for `{address}`")]
    NoCertificate {
        /// The address.
        address: String,
    },
    /// No certificate has an address of the domain.
    #[error("no certificate for an address of {domain}")]
    Nothing {
        /// The domain.
        domain: String,
    },
    /// More than [`limits::FILE_BYTES`]: clients would stop reading.
    #[error("`{path}` for `{address}` would have {size} octets, limit {limit}", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The address.
        address: String,
        /// Its octets.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// What is there is a link or no regular file.
    #[error("`{path}` is there and is no regular file", path = path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// What is there is a link or no folder.
    #[error("`{path}` is there and is no folder", path = path.display())]
    NotAFolder {
        /// The folder.
        path: PathBuf,
    },
    /// What is there cannot be merged with: no certificate, or one without the address.
    #[error("`{path}` is there and holds other things than certificates for `{address}`", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The address.
        address: String,
    },
    /// The operating system does not let us. Nothing more was tried after it.
    #[error("cannot {action} `{path}`", path = path.display())]
    Io {
        /// `read`, `write` or `make`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

impl TreeError {
    /// A stable name, such as `file-too-large`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OtherDomain { .. } => "other-domain",
            Self::NoCertificate { .. } | Self::Nothing { .. } => "no-certificate",
            Self::TooLarge { .. } => "file-too-large",
            Self::NotAFile { .. } => "not-a-file",
            Self::NotAFolder { .. } => "not-a-folder",
            Self::Foreign { .. } => "foreign-file",
            Self::Io { action: "read", .. } => "read-failed",
            Self::Io { .. } => "write-failed",
        }
    }
}

/// What writing a tree came to.
#[derive(Debug, Default)]
#[must_use]
pub struct Written {
    pub(crate) files: Vec<WrittenFile>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) failures: Vec<TreeError>,
}

impl Written {
    /// The files of the tree, those that were there already and say the same among them. Sorted by path.
    #[must_use]
    pub fn files(&self) -> &[WrittenFile] {
        &self.files
    }

    /// What is served and should be known of.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What of the keyrings is not served, in their order.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Files that were not written, and addresses that have no certificate. Files beside them were written.
    #[must_use]
    pub fn failures(&self) -> &[TreeError] {
        &self.failures
    }
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    pub(crate) path: PathBuf,
    pub(crate) change: Change,
    pub(crate) size: usize,
    pub(crate) address: Option<String>,
    pub(crate) certificates: Vec<Fingerprint>,
}

impl WrittenFile {
    /// Its path below the root.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// What became of it.
    #[must_use]
    pub fn change(&self) -> Change {
        self.change
    }

    /// Its octets.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The address that it is for; none for `policy` and `submission-address`.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// The certificates in it, in their order.
    #[must_use]
    pub fn certificates(&self) -> &[Fingerprint] {
        &self.certificates
    }
}

/// What became of a file. Prints as `created`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was none.
    Created,
    /// It said something else.
    Updated,
    /// It is as it was.
    Unchanged,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        })
    }
}

/// The fingerprints of a file's certificates, each once.
pub(crate) fn fingerprints(certificates: &[(Fingerprint, Vec<u8>)]) -> Vec<Fingerprint> {
    let all: BTreeSet<Fingerprint> = certificates.iter().map(|(own, _)| *own).collect();
    all.into_iter().collect()
}
