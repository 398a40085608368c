//! Limits on outside data, each with the attack or the accident that it answers.

/// Bytes of a signature file. 64 signatures by RSA-4096 keys take 36 KiB; more is not a signature file.
pub const SIGNATURE_FILE_BYTES: usize = 64 * 1024;

/// Signatures in a signature file. One verifier in use takes 40 s over 10,000.
pub const SIGNATURES: usize = 64;

/// Bytes of a certificate file used for verification. The largest in Debian's keyring are below 1 MiB, with every
/// third-party signature that was ever made on them.
pub const CERTIFICATE_FILE_BYTES: usize = 1024 * 1024;

/// Certificates in a certificate file.
pub const CERTIFICATES: usize = 256;

/// Bytes of a key packet. An RSA key of 8192 bits takes 1,036; larger ones are skipped over or refused before they are
/// hashed once for each signature.
pub const KEY_PACKET_BYTES: usize = 8 * 1024;

/// Bytes of a user id. GnuPG has the same limit. A larger one would be hashed once for each signature on it.
pub const USER_ID_BYTES: usize = 2048;

/// Public-key operations spent on certificates' own signatures in one verification. Real certificates need fewer than ten:
/// only those that the verdict rests on are checked. Forged ones could otherwise cost seconds.
pub const SELF_SIGNATURE_CHECKS: u64 = 256;

/// Signatures on certificates that are parsed in one verification, counted each time. A certificate file holds no more than
/// some 12,000; but each subkey that is asked about has all revocations tried on it.
pub const SELF_SIGNATURES_EXAMINED: u64 = 50_000;

/// Octets of certificates hashed in one verification. Real ones take some kilobytes; thousands of forged signatures on one large
/// key could otherwise take gigabytes.
pub const SELF_SIGNATURE_OCTETS: u64 = 64 * 1024 * 1024;

/// Public-key operations spent on the data's signatures in one verification: two for each signature that a file may hold. A
/// signature may name many issuers, and a certificate may hold thousands of subkeys that nobody bound.
pub const DATA_SIGNATURE_CHECKS: u64 = 128;

/// Running hashes over the data. Signatures of version 4 need one for each algorithm and form; each of version 6 has a salt of
/// its own, and 64 of them would make hashing 64 times as long.
pub const CONTENT_HASHES: u64 = 8;

/// Issuers that one signature may name. One key has a fingerprint and a key id.
pub const ISSUERS: usize = 16;

/// Bytes of a manifest or a clear-signed text. 100,000 artifacts fit.
pub const MANIFEST_BYTES: usize = 16 * 1024 * 1024;

/// Bits of an RSA modulus. Verification grows with the square: a key of 65,535 bits costs one verifier 20 s.
pub const RSA_MODULUS_BITS: u32 = 8192;

/// Bits of an integer in a signature. GnuPG has the same limit. Above the one on moduli, so that a key that is too large is
/// refused as such.
pub const SIGNATURE_INTEGER_BITS: usize = 16_384;

/// Seconds by which a signature may be ahead of the checker's clock.
pub const CLOCK_SKEW_SECONDS: u64 = 5 * 60;
