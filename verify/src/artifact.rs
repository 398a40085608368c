//! Artifacts hashed against a verified manifest: from a reader, through a writer, from files, many in parallel.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::Path;

use sha2::Digest as _;
use sha2::{Sha256, Sha384, Sha512};

use crate::content::{self, Reading};
use crate::error::ArtifactError;
use crate::manifest::{ArtifactName, Digest, VerifiedManifest, printable};
use crate::parallel;

/// An artifact that a verified manifest lists: its name and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    name: ArtifactName,
    digest: Digest,
}

impl Artifact {
    pub(crate) fn new(name: ArtifactName, digest: Digest) -> Self {
        Self { name, digest }
    }

    /// The name as listed.
    #[must_use]
    pub fn name(&self) -> &ArtifactName {
        &self.name
    }

    /// The digest as listed.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Checks all that a reader yields.
    ///
    /// # Errors
    /// [`ArtifactError::Mismatch`] or [`ArtifactError::Read`].
    pub fn check(&self, reader: impl Read) -> Result<VerifiedArtifact, ArtifactError> {
        let mut hasher = Hasher::new(&self.digest);
        content::read_all(reader, |part| hasher.update(part))
            .map_err(|source| self.unreadable(source))?;
        self.compare(hasher)
    }

    /// A writer that passes everything on to `inner` and checks it meanwhile, such as a download on its way to disk. The
    /// outcome comes from [`ArtifactWriter::finish`]; until then nothing that was written may be trusted.
    pub fn writer<W: Write>(&self, inner: W) -> ArtifactWriter<'_, W> {
        ArtifactWriter {
            artifact: self,
            hasher: Hasher::new(&self.digest),
            inner,
        }
    }

    /// Checks the file of that name below a folder. `progress` is called with the octets of each part that was hashed.
    ///
    /// # Errors
    /// [`ArtifactError`], except [`ArtifactError::NotListed`].
    pub fn check_below(
        &self,
        folder: &Path,
        progress: impl FnMut(u64),
    ) -> Result<VerifiedArtifact, ArtifactError> {
        self.check_file(folder, Reading::Beside, progress)
    }

    fn check_file(
        &self,
        folder: &Path,
        reading: Reading,
        mut progress: impl FnMut(u64),
    ) -> Result<VerifiedArtifact, ArtifactError> {
        let file = self.open(folder)?;
        let mut hasher = Hasher::new(&self.digest);
        content::read_file(&file, reading, |part| {
            hasher.update(part);
            progress(part.len() as u64);
        })
        .map_err(|source| self.unreadable(source))?;
        self.compare(hasher)
    }

    /// Opens a regular file only: a named pipe or a device might never end.
    fn open(&self, folder: &Path) -> Result<File, ArtifactError> {
        let path = folder.join(self.name.as_str());
        let found = fs::metadata(&path).and_then(|found| {
            if found.is_file() {
                File::open(&path).map(Some)
            } else {
                Ok(None)
            }
        });
        match found {
            Ok(Some(file)) => Ok(file),
            Ok(None) => Err(ArtifactError::NotAFile { name: self.shown() }),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    Err(ArtifactError::Missing { name: self.shown() })
                }
                _ => Err(self.unreadable(error)),
            },
        }
    }

    fn compare(&self, hasher: Hasher) -> Result<VerifiedArtifact, ArtifactError> {
        let found = hasher.finish();
        if found == self.digest {
            return Ok(VerifiedArtifact {
                name: self.name.clone(),
                digest: self.digest,
            });
        }
        let (expected, found) = (self.digest.to_string(), found.to_string());
        Err(ArtifactError::Mismatch {
            name: self.shown(),
            expected,
            found,
        })
    }

    fn unreadable(&self, source: io::Error) -> ArtifactError {
        ArtifactError::Read {
            name: self.shown(),
            source,
        }
    }

    fn shown(&self) -> String {
        printable(self.name.as_str())
    }
}

/// Proof that the octets of an artifact are those that the publisher signed for. Only checking makes it.
///
/// It speaks of the octets that were read or written, not of a file that somebody may change afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct VerifiedArtifact {
    name: ArtifactName,
    digest: Digest,
}

impl VerifiedArtifact {
    /// The name as listed.
    #[must_use]
    pub fn name(&self) -> &ArtifactName {
        &self.name
    }

    /// The digest, listed and found.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// Passes everything on and checks meanwhile. See [`Artifact::writer`].
#[must_use = "nothing is checked until `finish` is called"]
pub struct ArtifactWriter<'a, W> {
    artifact: &'a Artifact,
    hasher: Hasher,
    inner: W,
}

impl<W: Write> ArtifactWriter<'_, W> {
    /// The outcome for all that was written, and the inner writer.
    ///
    /// # Errors
    /// [`ArtifactError::Mismatch`] when it was not exactly the artifact: altered, short or long. The inner writer is
    /// dropped then; what it wrote is not to be used.
    pub fn finish(self) -> Result<(VerifiedArtifact, W), ArtifactError> {
        self.artifact
            .compare(self.hasher)
            .map(|verified| (verified, self.inner))
    }
}

impl<W: Write> Write for ArtifactWriter<'_, W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(part)?;
        self.hasher.update(part.get(..written).unwrap_or(part));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W> fmt::Debug for ArtifactWriter<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactWriter")
            .field("artifact", self.artifact)
            .finish_non_exhaustive()
    }
}

impl VerifiedManifest {
    /// Checks artifacts below a folder in parallel, on at most `threads` threads, the largest first. The outcomes come in
    /// the order of `artifacts`. `progress` is called, from any of the threads, with the octets of each part hashed.
    pub fn check_below(
        &self,
        folder: &Path,
        artifacts: &[&Artifact],
        threads: NonZeroUsize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Vec<Result<VerifiedArtifact, ArtifactError>> {
        let size = |artifact: &Artifact| {
            fs::metadata(folder.join(artifact.name.as_str())).map_or(0, |found| found.len())
        };
        let lengths: Vec<u64> = artifacts.iter().map(|artifact| size(artifact)).collect();
        parallel::over_files(&lengths, threads, |place, reading| {
            let artifact = artifacts
                .get(place)
                .expect("there is a length for each artifact");
            artifact.check_file(folder, reading, progress)
        })
    }
}

/// A running hash of the algorithm that a digest is of.
enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    fn new(digest: &Digest) -> Self {
        match digest {
            Digest::Sha256(_) => Self::Sha256(Sha256::new()),
            Digest::Sha384(_) => Self::Sha384(Sha384::new()),
            Digest::Sha512(_) => Self::Sha512(Sha512::new()),
        }
    }

    fn update(&mut self, part: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(part),
            Self::Sha384(hasher) => hasher.update(part),
            Self::Sha512(hasher) => hasher.update(part),
        }
    }

    fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::Sha256(hasher.finalize().into()),
            Self::Sha384(hasher) => Digest::Sha384(hasher.finalize().into()),
            Self::Sha512(hasher) => Digest::Sha512(hasher.finalize().into()),
        }
    }
}
