//! Limits on outside data, each with the attack or the accident that it answers.

/// Bytes of a domain as A-label. A host name has at most 253 (RFC 1035, section 2.3.4, as text), and `openpgpkey.` may go before
/// it.
pub const DOMAIN_BYTES: usize = 253 - "openpgpkey.".len();

/// Bytes of an address. A mail path has at most 256, angle brackets included (RFC 5321, section 4.5.3.1.3).
pub const ADDRESS_BYTES: usize = 254;
