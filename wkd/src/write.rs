//! Writes a planned tree. Each file is written beside its place and moved there once it is on the disk, so that whoever looks finds
//! the old one or the new one, whole. Below the root no link is followed.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use countersign_verify::Fingerprint;
use countersign_verify::parallel::in_parallel;
use tempfile::NamedTempFile;

use crate::address::{Method, WELL_KNOWN};
use crate::keyring::{Found, Keyring};
use crate::limits;
use crate::policy::PolicyFile;
use crate::published::Components;
use crate::tree::{
    Change, Layout, Served, Tree, TreeError, Warning, Written, WrittenFile, fingerprints, place,
};

/// Mode of a file that a web server of any user can serve.
#[cfg(unix)]
const FILE_MODE: u32 = 0o644;

/// Mode of a folder that a web server of any user can serve from.
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o755;

/// Files that are on their way to the disk at once. Each has an open file, of which some systems let a process have 256.
const FILES_AT_ONCE: usize = 128;

/// Threads that write: most of the time is waiting for the disk.
const WRITERS: NonZeroUsize = NonZeroUsize::new(16).unwrap();

impl Tree {
    /// Writes the files below `root`, the root of a web server, which is made where it is not there (the folder above it is not).
    ///
    /// What is there is merged with: a file keeps the certificates that it has and gets those that it lacks; files of other
    /// addresses and a `policy` stay. A file that holds other things than certificates for its address is left alone, and
    /// reported. The same call again changes no octet. Files get mode 0644, folders below the root at least 0755, whatever the
    /// umask.
    ///
    /// Where nothing is to be published, or a folder cannot be made, nothing is written. Otherwise every file is tried, until
    /// the operating system refuses one. Two processes that write the same tree at once may lose what one of them adds, and whoever
    /// may change the folders of the tree while it is written can have files put elsewhere: do not let strangers write there.
    pub fn write(self, root: &Path, layout: Layout) -> Written {
        let mut written = Written {
            failures: self.missing(),
            ..Written::default()
        };
        if !self.served.is_empty() {
            let mut writer = Writer {
                root,
                tree: &self,
                written: &mut written,
            };
            if let Err(error) = writer.write(layout) {
                written.failures.push(error);
            }
        }
        written
            .files
            .sort_by(|one, other| one.path.cmp(&other.path));
        let mut warnings = self.warnings;
        warnings.append(&mut written.warnings);
        written.warnings = warnings;
        written.skipped = self.skipped;
        written
    }
}

struct Writer<'t> {
    root: &'t Path,
    tree: &'t Tree,
    written: &'t mut Written,
}

/// A file of which everything is known but whether it can be moved to its place.
struct Prepared {
    file: WrittenFile,
    /// None where there is nothing to move.
    temporary: Option<NamedTempFile>,
}

impl Writer<'_> {
    fn write(&mut self, layout: Layout) -> Result<(), TreeError> {
        self.make_root()?;
        let folders = self.folders(layout);
        for folder in &folders {
            self.make_folders(&folder.join("hu"))?;
        }
        // Before the first certificate: without a policy gpg marks the whole domain as having no directory.
        for folder in &folders {
            self.policy(&folder.join("policy"))?;
            self.submission_address(&folder.join("submission-address"))?;
        }
        let jobs: Vec<(&String, &Served, PathBuf)> = self
            .tree
            .served
            .iter()
            .flat_map(|(hash, served)| {
                let paths = folders
                    .iter()
                    .map(move |folder| folder.join("hu").join(hash));
                paths.map(move |path| (hash, served, path))
            })
            .collect();
        for jobs in jobs.chunks(FILES_AT_ONCE) {
            let order: Vec<usize> = (0..jobs.len()).collect();
            let prepared = in_parallel(&order, WRITERS, |place| {
                let (hash, served, path) = jobs.get(place)?;
                Some(self.prepare(hash, served, path))
            });
            for prepared in prepared.into_iter().flatten() {
                match prepared.and_then(|prepared| self.publish(prepared)) {
                    Ok(()) => {}
                    Err(error @ TreeError::Io { .. }) => return Err(error),
                    Err(error) => self.written.failures.push(error),
                }
            }
        }
        // The names, too. Not every file system can.
        for folder in folders.iter().flat_map(|own| [own.clone(), own.join("hu")]) {
            if let Ok(folder) = File::open(self.root.join(folder)) {
                let _ = folder.sync_all();
            }
        }
        Ok(())
    }

    /// The folders to fill, below the root.
    fn folders(&self, layout: Layout) -> Vec<PathBuf> {
        let domain = &self.tree.domain;
        let mut folders = Vec::new();
        for method in layout.methods() {
            folders.push(PathBuf::from(domain.relative_path(*method)));
            // Some clients ask for the domain as people write it.
            if let (Method::Advanced, Some(unicode)) = (method, domain.to_unicode()) {
                folders.push(Path::new(WELL_KNOWN).join(unicode));
            }
        }
        folders
    }

    fn make_root(&self) -> Result<(), TreeError> {
        match fs::metadata(self.root) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(TreeError::NotAFolder {
                path: self.root.to_owned(),
            }),
            Err(_) => {
                let made = fs::create_dir(self.root).and_then(|()| open_to_all(self.root));
                made.map_err(|error| io_error("make", self.root, error))
            }
        }
    }

    /// Makes what is missing of a path of folders below the root.
    fn make_folders(&self, path: &Path) -> Result<(), TreeError> {
        let mut below = PathBuf::new();
        for part in path.components() {
            below.push(part);
            let folder = self.root.join(&below);
            match fs::symlink_metadata(&folder) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(TreeError::NotAFolder { path: below }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir(&folder).map_err(|error| io_error("make", &below, error))?;
                }
                Err(error) => return Err(io_error("read", &below, error)),
            }
            open_to_all(&folder).map_err(|error| io_error("make", &below, error))?;
        }
        Ok(())
    }

    fn policy(&mut self, path: &Path) -> Result<(), TreeError> {
        let limit = limits::POLICY_BYTES;
        let existing = self.existing(path, limit)?;
        if let Some(Err(error)) = existing.as_deref().map(PolicyFile::from_bytes) {
            let path = path.to_owned();
            self.written.warnings.push(Warning::Policy { path, error });
        }
        let octets = existing.clone().unwrap_or_default();
        let prepared = self.file(path, existing.as_deref(), &octets)?;
        self.publish(prepared)
    }

    fn submission_address(&mut self, path: &Path) -> Result<(), TreeError> {
        let existing = self.existing(path, limits::POLICY_BYTES)?;
        let octets = match (&self.tree.submission_address, &existing) {
            (Some(address), _) => format!("{address}\n").into_bytes(),
            (None, Some(existing)) => existing.clone(),
            (None, None) => return Ok(()),
        };
        let prepared = self.file(path, existing.as_deref(), &octets)?;
        self.publish(prepared)
    }

    /// A file of certificates, merged with what is there, on the disk but not in its place.
    fn prepare(&self, hash: &str, served: &Served, path: &Path) -> Result<Prepared, TreeError> {
        let too_large = |size| TreeError::TooLarge {
            path: path.to_owned(),
            address: served.address.clone(),
            size,
            limit: limits::FILE_BYTES,
        };
        if served.size > limits::FILE_BYTES {
            return Err(too_large(served.size));
        }
        // Other programs' trees hold certificates with everybody's signatures.
        let existing = self.existing(path, limits::CERTIFICATE_BYTES)?;
        let mut certificates = match existing.as_deref() {
            None | Some([]) => Vec::new(),
            Some(existing) => {
                self.certificates(hash, existing)
                    .ok_or_else(|| TreeError::Foreign {
                        path: path.to_owned(),
                        address: served.address.clone(),
                    })?
            }
        };
        for (fingerprint, octets) in &served.certificates {
            place(&mut certificates, *fingerprint, octets.clone());
        }
        let octets: Vec<u8> = certificates
            .iter()
            .flat_map(|(_, own)| own.iter().copied())
            .collect();
        if octets.len() > limits::FILE_BYTES {
            return Err(too_large(octets.len()));
        }
        let prepared = self.file(path, existing.as_deref(), &octets)?;
        Ok(Prepared {
            file: WrittenFile {
                address: Some(served.address.clone()),
                certificates: fingerprints(&certificates),
                ..prepared.file
            },
            ..prepared
        })
    }

    /// The certificates of a file that is there, reduced as those of a keyring are. None if there is anything else in it.
    fn certificates(&self, hash: &str, existing: &[u8]) -> Option<Vec<(Fingerprint, Vec<u8>)>> {
        let domain = &self.tree.domain;
        let mut certificates = Vec::new();
        let mut keyring = Keyring::open(existing).ok()?;
        while let Some(found) = keyring.next().ok()? {
            let Found::Certificate(octets) = found else {
                return None;
            };
            let components = Components::parse(&octets).ok()?.own();
            let reduced = components.with_user_ids(|own| {
                let address = own.address();
                address.is_ok_and(|own| own.domain() == domain && own.hash() == hash)
            });
            reduced.user_ids().next()?;
            place(&mut certificates, reduced.fingerprint, reduced.to_bytes());
        }
        Some(certificates)
    }

    /// The octets of a file that is there.
    fn existing(&self, path: &Path, limit: usize) -> Result<Option<Vec<u8>>, TreeError> {
        let whole = self.root.join(path);
        match fs::symlink_metadata(&whole) {
            Ok(found) if found.is_file() => {}
            Ok(_) => {
                return Err(TreeError::NotAFile {
                    path: path.to_owned(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", path, error)),
        }
        let mut octets = Vec::new();
        let read = File::open(&whole).and_then(|file| {
            let limit = u64::try_from(limit).unwrap_or(u64::MAX);
            file.take(limit.saturating_add(1)).read_to_end(&mut octets)
        });
        read.map_err(|error| io_error("read", path, error))?;
        if octets.len() > limit {
            return Err(TreeError::TooLarge {
                path: path.to_owned(),
                address: String::new(),
                size: octets.len(),
                limit,
            });
        }
        Ok(Some(octets))
    }

    /// Writes octets beside their place, unless they are there already.
    fn file(
        &self,
        path: &Path,
        existing: Option<&[u8]>,
        octets: &[u8],
    ) -> Result<Prepared, TreeError> {
        let failed = |error| io_error("write", path, error);
        let change = match existing {
            None => Change::Created,
            Some(existing) if existing == octets => Change::Unchanged,
            Some(_) => Change::Updated,
        };
        let whole = self.root.join(path);
        // Modes are not changed in place: the file may have another name elsewhere.
        let stays = change == Change::Unchanged && is_readable_by_all(&whole).map_err(failed)?;
        let temporary = if stays {
            None
        } else {
            Some(temporary(&whole, octets).map_err(failed)?)
        };
        Ok(Prepared {
            file: WrittenFile {
                path: path.to_owned(),
                change,
                size: octets.len(),
                address: None,
                certificates: Vec::new(),
            },
            temporary,
        })
    }

    /// Moves a file to its place.
    fn publish(&mut self, prepared: Prepared) -> Result<(), TreeError> {
        let file = prepared.file;
        if let Some(temporary) = prepared.temporary {
            let moved = temporary.persist(self.root.join(&file.path));
            moved.map_err(|error| io_error("write", &file.path, error.error))?;
        }
        if file.size > limits::LARGE_FILE_BYTES {
            self.written.warnings.push(Warning::Large {
                path: file.path.clone(),
                size: file.size,
            });
        }
        self.written.files.push(file);
        Ok(())
    }
}

fn io_error(action: &'static str, path: &Path, error: io::Error) -> TreeError {
    TreeError::Io {
        action,
        path: path.to_owned(),
        error,
    }
}

/// A new file in the folder of `place`, with its octets on the disk.
fn temporary(place: &Path, octets: &[u8]) -> io::Result<NamedTempFile> {
    let folder = place.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".countersign-").suffix(".tmp");
    // Opened here: the errors of `tempfile_in` name a file that nobody has heard of.
    let new = |path: &Path| File::options().write(true).create_new(true).open(path);
    let mut file = builder.make_in(folder, new)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::Permissions::from_mode(FILE_MODE);
        file.as_file().set_permissions(mode)?;
    }
    file.as_file_mut().write_all(octets)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(unix)]
fn is_readable_by_all(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = fs::symlink_metadata(path)?;
    Ok(found.is_file() && found.permissions().mode() & 0o7777 == FILE_MODE)
}

#[cfg(not(unix))]
fn is_readable_by_all(_path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Adds what is missing for a web server to pass through a folder.
#[cfg(unix)]
fn open_to_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(folder)?.permissions().mode() & 0o7777;
    if mode & FOLDER_MODE == FOLDER_MODE {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(mode | FOLDER_MODE))
}

#[cfg(not(unix))]
fn open_to_all(_folder: &Path) -> io::Result<()> {
    Ok(())
}
