//! Data hashed once, for making a signature over them and for verifying it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use crate::content::{self, ContentHash, Reading};
use crate::hash::HashAlgorithm;
use crate::manifest::Digest;

/// Data on their way through one hash, as they are (not as text). A signer takes its digest from here, and
/// [`Verifier::verify_hashed`](crate::Verifier::verify_hashed) judges the signature that came of it, without reading the
/// data again.
///
/// ```
/// use countersign_verify::{HashAlgorithm, HashedData};
/// let mut data = HashedData::new(HashAlgorithm::Sha256);
/// data.update(b"hello ");
/// data.update(b"world");
/// assert_eq!(data.length(), 11);
/// assert!(data.digest().unwrap().to_string().starts_with("b94d27b9934d3e08"));
/// ```
pub struct HashedData {
    pub(crate) content: ContentHash,
    hash: HashAlgorithm,
    length: u64,
}

impl HashedData {
    /// No data yet.
    #[must_use]
    pub fn new(hash: HashAlgorithm) -> Self {
        Self {
            content: ContentHash::binary(hash),
            hash,
            length: 0,
        }
    }

    /// All that a reader yields, with flat memory.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn from_reader(hash: HashAlgorithm, reader: impl Read) -> io::Result<Self> {
        let mut data = Self::new(hash);
        content::read_all(reader, |part| data.update(part))?;
        Ok(data)
    }

    /// A file from its present position to its end. `progress` is called with the octets of each part that was hashed.
    ///
    /// # Errors
    /// Those of reading.
    pub fn from_file(
        hash: HashAlgorithm,
        file: &File,
        reading: Reading,
        mut progress: impl FnMut(u64),
    ) -> io::Result<Self> {
        let mut data = Self::new(hash);
        read_file(file, reading, |part| {
            data.update(part);
            progress(part.len() as u64);
        })?;
        Ok(data)
    }

    /// More data.
    pub fn update(&mut self, part: &[u8]) {
        self.content.update(part);
        self.length += part.len() as u64;
    }

    /// The algorithm.
    #[must_use]
    pub fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    /// Octets so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest of the data alone, as a manifest lists it; none for an algorithm that manifests do not have.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        Digest::from_octets(self.hash, &self.content.digest_with(&[]))
    }

    /// The digest of the data and what a signature adds to them (RFC 9580, section 5.2.4).
    #[must_use]
    pub fn digest_with(&self, trailer: &[u8]) -> Vec<u8> {
        self.content.digest_with(trailer)
    }
}

impl fmt::Debug for HashedData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashedData")
            .field("hash", &self.hash)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Reads a file to its end and hands out its parts in order. Memory does not grow with the file.
///
/// # Errors
/// Those of reading.
pub fn read_file(file: &File, reading: Reading, take: impl FnMut(&[u8])) -> io::Result<()> {
    content::read_file(file, reading, take)
}

/// Reads all that a reader yields and hands out its parts in order. Memory does not grow with it.
///
/// # Errors
/// Those of the reader.
pub fn read_all(reader: impl Read, take: impl FnMut(&[u8])) -> io::Result<()> {
    content::read_all(reader, take)
}

#[cfg(test)]
mod tests {
    use countersign_testkit::{Key, Over, SignatureBuilder, TestRsa, signature_type};

    use super::*;
    use crate::{Certificate, DetachedSignature, Policy, Timestamp, Trust, Verifier, VerifyError};

    const CREATED: u32 = 1_700_000_000;
    const DATA: &[u8] = b"line one\nline two\n";

    fn judged(signature: SignatureBuilder, hash: HashAlgorithm, data: &[u8]) -> &'static str {
        let key = Key::rsa(TestRsa::Rsa3072A, CREATED);
        let certificate =
            countersign_testkit::simple_certificate(&key, "R <r@example.org>", CREATED);
        let trust = Trust::embedded(vec![Certificate::from_bytes(&certificate).unwrap()]).unwrap();
        let verifier = Verifier::new(trust, Policy::new());
        let signature = signature.sign(&key, Over::Data(DATA));
        let signature = DetachedSignature::from_bytes(&signature).unwrap();
        let hashed = HashedData::from_reader(hash, data).unwrap();
        let now = Timestamp::from_unix(u64::from(CREATED) + 100);
        match verifier.verify_hashed(&signature, &hashed, now) {
            Ok(_) => "verified",
            Err(VerifyError::Refused(refusal)) => refusal.name(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_signature_is_judged_by_hashed_data() {
        let binary = || SignatureBuilder::new(signature_type::BINARY, CREATED);
        assert_eq!(judged(binary(), HashAlgorithm::Sha256, DATA), "verified");
        assert_eq!(
            judged(binary(), HashAlgorithm::Sha256, b"other"),
            "bad-signature"
        );
    }

    #[test]
    fn a_hash_that_was_not_kept_is_no_hash_of_the_data() {
        let binary = SignatureBuilder::new(signature_type::BINARY, CREATED);
        assert_eq!(judged(binary, HashAlgorithm::Sha512, DATA), "not-hashed");
        let text = SignatureBuilder::new(signature_type::TEXT, CREATED);
        assert_eq!(judged(text, HashAlgorithm::Sha256, DATA), "not-hashed");
    }
}
