//! Checksum manifests: files hashed in parallel, and the text that lists them.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("tool-1.0.tar.gz");
//! # std::fs::write(&path, "octets")?;
//! use countersign_sign::manifest::{self, Format};
//! use countersign_verify::{ArtifactName, HashAlgorithm};
//!
//! let files = [(ArtifactName::new("tool-1.0.tar.gz")?, path)];
//! let threads = std::thread::available_parallelism()?;
//! let entries: Result<Vec<_>, _> =
//!     manifest::hash_files(&files, HashAlgorithm::Sha256, threads, &|_| ())
//!         .into_iter()
//!         .collect();
//! let text = manifest::write(&entries?, Format::Gnu)?;
//! assert!(text.ends_with("  tool-1.0.tar.gz\n"));
//! # Ok(()) }
//! ```

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use countersign_verify::{
    ArtifactName, Digest, HashAlgorithm, HashedData, Reading, limits, parallel, printable,
};
use thiserror::Error;

/// How a line of a manifest looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `hex  name`, as `sha256sum` writes it.
    Gnu,
    /// `SHA256 (name) = hex`, as the BSDs and `sha256sum --tag` write it.
    Bsd,
}

/// An artifact to be listed: its name and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    name: ArtifactName,
    digest: Digest,
}

impl Entry {
    /// From a digest that is known already. [`hash_files`] makes entries of files.
    #[must_use]
    pub fn new(name: ArtifactName, digest: Digest) -> Self {
        Self { name, digest }
    }

    /// The name as it will be listed.
    #[must_use]
    pub fn name(&self) -> &ArtifactName {
        &self.name
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// Why there is no manifest of some entries.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A verifier refuses a manifest that lists nothing.
    #[error("no artifact to list")]
    Empty,
    /// A verifier refuses a manifest that lists a name twice.
    #[error("`{name}` would be listed twice")]
    RepeatedName {
        /// The name, without control characters.
        name: String,
    },
    /// A verifier would not read it.
    #[error("manifest would have {size} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes of the whole text.
        size: usize,
        /// [`limits::MANIFEST_BYTES`].
        limit: usize,
    },
}

/// Why a file has no entry.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// It is a folder.
    #[error("`{path}` is a folder")]
    Folder {
        /// The path, without control characters.
        path: String,
    },
    /// It is neither a file nor a folder: a named pipe or a device might never end.
    #[error("`{path}` is no regular file")]
    NotAFile {
        /// The path, without control characters.
        path: String,
    },
    /// It is not there, or cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The path, without control characters.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// No manifest has digests of this algorithm.
    #[error("`{path}`: {hash} is not for manifests, SHA-256, SHA-384 and SHA-512 are")]
    UnsupportedHash {
        /// The path, without control characters.
        path: String,
        /// The algorithm asked for.
        hash: HashAlgorithm,
    },
}

/// The text of a manifest: sorted by the octets of the names, one line each, each ended by LF.
///
/// [`Verifier::verify_manifest`](countersign_verify::Verifier::verify_manifest) reads the same names and digests from it, and so
/// does `sha256sum --check` or its like, where all digests are of one algorithm. A name with a line end is escaped as GNU
/// coreutils do it. The same entries give the same text, whatever their order.
///
/// # Errors
/// [`ManifestError`] where a verifier would refuse the manifest.
pub fn write(entries: &[Entry], format: Format) -> Result<String, ManifestError> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.name());
    let twice = |pair: &[&Entry]| match pair {
        [one, other] if one.name == other.name => Some(one.name.to_string()),
        _ => None,
    };
    if let Some(name) = sorted.windows(2).find_map(twice) {
        return Err(ManifestError::RepeatedName { name });
    }
    let text: String = sorted.iter().map(|entry| line(entry, format)).collect();
    let (size, limit) = (text.len(), limits::MANIFEST_BYTES);
    match size {
        0 => Err(ManifestError::Empty),
        size if size > limit => Err(ManifestError::TooLarge { size, limit }),
        _ => Ok(text),
    }
}

fn line(entry: &Entry, format: Format) -> String {
    let name = match entry.name.as_str() {
        // Programs take a bare `-` for standard input. Our verifier drops the `./`.
        "-" => "./-",
        name => name,
    };
    // A name holds no backslash of its own.
    let escaped = name.replace('\n', "\\n").replace('\r', "\\r");
    let mark = if escaped == name { "" } else { "\\" };
    let digest = entry.digest;
    match format {
        Format::Gnu => format!("{mark}{digest}  {escaped}\n"),
        Format::Bsd => {
            let tag = match digest {
                Digest::Sha256(_) => "SHA256",
                Digest::Sha384(_) => "SHA384",
                Digest::Sha512(_) => "SHA512",
            };
            format!("{mark}{tag} ({escaped}) = {digest}\n")
        }
    }
}

/// Octets of a regular file, or what links lead to.
///
/// # Errors
/// [`FileError`] where [`hash_files`] would give no entry, as far as can be told without opening the file.
pub fn file_length(path: &Path) -> Result<u64, FileError> {
    let shown = || printable(&path.to_string_lossy());
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(found.len()),
        Ok(found) if found.is_dir() => Err(FileError::Folder { path: shown() }),
        Ok(_) => Err(FileError::NotAFile { path: shown() }),
        Err(source) => Err(FileError::Read {
            path: shown(),
            source,
        }),
    }
}

/// Hashes files in parallel, on at most `threads` threads, the largest first. The outcomes come in the order of `files`.
/// `progress` is called, from any of the threads, with the octets of each part hashed. Memory stays flat for files of any size.
///
/// An entry speaks of the octets that were read, not of a file that somebody changes meanwhile or afterwards.
pub fn hash_files(
    files: &[(ArtifactName, PathBuf)],
    hash: HashAlgorithm,
    threads: NonZeroUsize,
    progress: &(dyn Fn(u64) + Sync),
) -> Vec<Result<Entry, FileError>> {
    let length = |(_, path): &(ArtifactName, PathBuf)| file_length(path).unwrap_or(0);
    let lengths: Vec<u64> = files.iter().map(length).collect();
    parallel::over_files(&lengths, threads, |place, reading| {
        let (name, path) = files.get(place).expect("there is a length for each file");
        let digest = digest_of(path, hash, reading, progress)?;
        Ok(Entry::new(name.clone(), digest))
    })
}

fn digest_of(
    path: &Path,
    hash: HashAlgorithm,
    reading: Reading,
    progress: impl FnMut(u64),
) -> Result<Digest, FileError> {
    let shown = || printable(&path.to_string_lossy());
    let unsupported = || FileError::UnsupportedHash {
        path: shown(),
        hash,
    };
    // To open a named pipe may take for ever.
    file_length(path)?;
    // What no manifest has need not be computed.
    HashedData::new(hash).digest().ok_or_else(unsupported)?;
    let hashed = File::open(path)
        .and_then(|file| HashedData::from_file(hash, &file, reading, progress))
        .map_err(|source| FileError::Read {
            path: shown(),
            source,
        })?;
    hashed.digest().ok_or_else(unsupported)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU64, Ordering};

    use countersign_testkit::{Key, Over, SignatureBuilder, signature_type, simple_certificate};
    use countersign_verify::{
        Certificate, DetachedSignature, Manifest, Policy, Timestamp, Trust, Verifier,
    };
    use proptest::prelude::*;

    use super::*;

    const CREATED: u32 = 1_700_000_000;

    fn name(name: &str) -> ArtifactName {
        ArtifactName::new(name).unwrap()
    }

    fn entry(own: &str, octet: u8) -> Entry {
        Entry::new(name(own), Digest::Sha256([octet; 32]))
    }

    /// Signs the text and has our verifier read it.
    fn read_back(text: &str) -> BTreeMap<String, Digest> {
        let key = Key::ed25519_legacy([1; 32], CREATED);
        let certificate = simple_certificate(&key, "R <r@example.org>", CREATED);
        let signature = SignatureBuilder::new(signature_type::BINARY, CREATED + 1)
            .sign(&key, Over::Data(text.as_bytes()));
        let trust = Trust::embedded(vec![Certificate::from_bytes(&certificate).unwrap()]).unwrap();
        let verified = Verifier::new(trust, Policy::new())
            .verify_manifest(
                &Manifest::from_bytes(text.as_bytes()).unwrap(),
                &DetachedSignature::from_bytes(&signature).unwrap(),
                Timestamp::from_unix(u64::from(CREATED) + 100),
            )
            .unwrap();
        let listed = verified.artifacts().iter();
        listed
            .map(|own| (own.name().as_str().to_owned(), *own.digest()))
            .collect()
    }

    #[test]
    fn lines_are_sorted_by_octets_and_look_as_asked_for() {
        let entries = [
            entry("é", 0xab),
            entry("b/c", 1),
            entry("b", 2),
            entry("B", 3),
            entry("b-c", 4),
            entry("#x", 5),
            entry("./-", 6),
        ];
        let digits = |octet: &str| octet.repeat(32);
        let expected = [
            ("#x", "05"),
            ("./-", "06"),
            ("B", "03"),
            ("b", "02"),
            ("b-c", "04"),
            ("b/c", "01"),
            ("é", "ab"),
        ];
        let gnu: String = expected
            .iter()
            .map(|(name, octet)| format!("{}  {name}\n", digits(octet)))
            .collect();
        assert_eq!(write(&entries, Format::Gnu), Ok(gnu));
        let bsd: String = expected
            .iter()
            .map(|(name, octet)| format!("SHA256 ({name}) = {}\n", digits(octet)))
            .collect();
        assert_eq!(write(&entries, Format::Bsd), Ok(bsd));
    }

    #[test]
    fn line_ends_in_names_are_escaped() {
        let entries = [entry("a\nb\r", 0)];
        let zeros = "0".repeat(64);
        assert_eq!(
            write(&entries, Format::Gnu).unwrap(),
            format!("\\{zeros}  a\\nb\\r\n")
        );
        assert_eq!(
            write(&entries, Format::Bsd).unwrap(),
            format!("\\SHA256 (a\\nb\\r) = {zeros}\n")
        );
    }

    #[test]
    fn what_a_verifier_would_refuse_is_not_written() {
        assert_eq!(write(&[], Format::Gnu), Err(ManifestError::Empty));
        let repeated = [entry("a", 1), entry("b", 2), entry("./a", 1)];
        let error = write(&repeated, Format::Bsd).unwrap_err();
        assert_eq!(error.to_string(), "`a` would be listed twice");
        // Each line has 64 digits, two spaces, the name and LF.
        let long = "x".repeat(limits::MANIFEST_BYTES - 67);
        let text = write(&[entry(&long, 0)], Format::Gnu).unwrap();
        assert_eq!(text.len(), limits::MANIFEST_BYTES);
        assert!(Manifest::from_bytes(text.as_bytes()).is_ok());
        let (size, limit) = (limits::MANIFEST_BYTES + 1, limits::MANIFEST_BYTES);
        assert_eq!(
            write(&[entry(&format!("{long}x"), 0)], Format::Gnu),
            Err(ManifestError::TooLarge { size, limit })
        );
    }

    /// A folder with files of these lengths, each filled with its place.
    fn files(lengths: &[usize]) -> (tempfile::TempDir, Vec<(ArtifactName, PathBuf)>) {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        for (place, length) in lengths.iter().enumerate() {
            let path = folder.path().join(place.to_string());
            fs::write(&path, vec![u8::try_from(place).unwrap(); *length]).unwrap();
            files.push((name(&format!("file-{place}")), path));
        }
        (folder, files)
    }

    #[test]
    fn files_are_hashed_in_their_order_on_any_number_of_threads() {
        // Little work, work for several threads, and one file that is most of it.
        for lengths in [
            &[0, 1, 5][..],
            &[3 << 20, 1, 3 << 20, 0, 3 << 20],
            &[10, 9 << 20, 1 << 20],
        ] {
            let (_folder, files) = files(lengths);
            for threads in [1, 2, 7] {
                for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha512] {
                    let seen = AtomicU64::new(0);
                    let count = |octets| {
                        seen.fetch_add(octets, Ordering::Relaxed);
                    };
                    let threads = NonZeroUsize::new(threads).unwrap();
                    let outcomes = hash_files(&files, hash, threads, &count);
                    let total: usize = lengths.iter().sum();
                    assert_eq!(seen.into_inner(), total as u64);
                    assert_eq!(outcomes.len(), files.len());
                    for ((name, path), outcome) in files.iter().zip(outcomes) {
                        let octets = fs::read(path).unwrap();
                        let data = HashedData::from_reader(hash, octets.as_slice()).unwrap();
                        let expected = Entry::new(name.clone(), data.digest().unwrap());
                        assert_eq!(outcome.unwrap(), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn each_file_without_an_entry_says_why() {
        let (folder, mut files) = files(&[1, 2]);
        files.insert(1, (name("folder"), folder.path().to_owned()));
        files.insert(1, (name("missing"), folder.path().join("a\nb")));
        let found = hash_files(&files, HashAlgorithm::Sha256, NonZeroUsize::MIN, &|_| ());
        assert!(matches!(
            found.as_slice(),
            [
                Ok(_),
                Err(FileError::Read { path, source }),
                Err(FileError::Folder { .. }),
                Ok(_),
            ] if path.ends_with("a\\u{a}b") && source.kind() == io::ErrorKind::NotFound
        ));
        let found = hash_files(&files[..1], HashAlgorithm::Sha1, NonZeroUsize::MIN, &|_| ());
        assert!(matches!(
            found.as_slice(),
            [Err(FileError::UnsupportedHash {
                hash: HashAlgorithm::Sha1,
                ..
            })]
        ));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_pipes_and_devices_are_not_read() {
        let (folder, files) = files(&[4]);
        let (link, pipe) = (folder.path().join("link"), folder.path().join("pipe"));
        std::os::unix::fs::symlink(&files[0].1, &link).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let files = [
            (name("link"), link),
            (name("pipe"), pipe),
            (name("zero"), PathBuf::from("/dev/zero")),
        ];
        let found = hash_files(&files, HashAlgorithm::Sha256, NonZeroUsize::MIN, &|_| ());
        assert!(matches!(
            found.as_slice(),
            [
                Ok(_),
                Err(FileError::NotAFile { .. }),
                Err(FileError::NotAFile { .. })
            ]
        ));
    }

    fn digests() -> impl Strategy<Value = Digest> {
        prop_oneof![
            any::<[u8; 32]>().prop_map(Digest::Sha256),
            proptest::collection::vec(any::<u8>(), 48).prop_map(|octets| Digest::from_octets(
                HashAlgorithm::Sha384,
                &octets
            )
            .unwrap()),
            proptest::collection::vec(any::<u8>(), 64).prop_map(|octets| Digest::from_octets(
                HashAlgorithm::Sha512,
                &octets
            )
            .unwrap()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever may be named is read back by our verifier as it was, in both forms, in any order.
        #[test]
        fn what_is_written_is_read_back(
            listed in proptest::collection::btree_map(
                r"[-#*()= ./:a-cSHA256\t\r\né\x{1b}\x{202e}]{1,12}|\PC{1,6}",
                digests(),
                1..6,
            ),
            bsd in any::<bool>(),
        ) {
            let entries: Vec<Entry> = listed
                .iter()
                .filter_map(|(name, digest)| Some(Entry::new(ArtifactName::new(name).ok()?, *digest)))
                .collect();
            let expected: BTreeMap<String, Digest> = entries
                .iter()
                .map(|own| (own.name.as_str().to_owned(), own.digest))
                .collect();
            // `./a` and `a` are the same name.
            prop_assume!(!entries.is_empty() && expected.len() == entries.len());
            let format = if bsd { Format::Bsd } else { Format::Gnu };
            let text = write(&entries, format).unwrap();
            prop_assert_eq!(text.lines().count(), entries.len());
            prop_assert_eq!(read_back(&text), expected);
            let reversed: Vec<Entry> = entries.into_iter().rev().collect();
            prop_assert_eq!(write(&reversed, format).unwrap(), text);
        }
    }
}
