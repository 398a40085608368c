//! Limits on outside data, each with the attack or the accident that it answers.

/// Bytes of a domain as A-label. A host name has at most 253 (RFC 1035, section 2.3.4, as text), and `openpgpkey.` may go before
/// it.
pub const DOMAIN_BYTES: usize = 253 - "openpgpkey.".len();

/// Bytes of an address. A mail path has at most 256, angle brackets included (RFC 5321, section 4.5.3.1.3).
pub const ADDRESS_BYTES: usize = 254;

/// Bytes of a certificate in a keyring. The largest in Debian's keyring are below 1 MiB, with every third-party signature that
/// was ever made on them.
pub const CERTIFICATE_BYTES: usize = 4 * 1024 * 1024;

/// User ids of one certificate that are published for one domain. Each is a file with a copy of the keys; real certificates have
/// fewer than twenty.
pub const USER_IDS: usize = 256;

/// Keys that a certificate names to revoke it for its owner. Each is compared with the issuer of each revocation; one is common.
pub const DESIGNATED_REVOKERS: usize = 16;

/// Bytes of a served file. GnuPG reads no more of an answer.
pub const FILE_BYTES: usize = 256 * 1024;

/// Bytes of a served file that are worth a warning: a certificate alone takes some kilobytes.
pub const LARGE_FILE_BYTES: usize = 64 * 1024;

/// Bytes of a policy file. All keywords together take some hundred.
pub const POLICY_BYTES: usize = 64 * 1024;

/// Bytes of a directory's answer: what publishers may serve.
pub const ANSWER_BYTES: usize = FILE_BYTES;

/// Redirects that a fetch follows. A loop must end; publishers are told to need no more.
pub const REDIRECTS: usize = 2;
