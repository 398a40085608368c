//! Files that are written whole or not at all.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::inputs::{is_stdin, shown};
use super::outcome::{Failure, failed};

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and nothing is written.
    Keep,
    Replace,
}

impl Existing {
    /// What `--force` says of it.
    pub(crate) fn with_force(force: bool) -> Self {
        if force { Self::Replace } else { Self::Keep }
    }
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whom the umask admits.
    Public,
    /// The owner.
    Private,
}

/// What a path leads to, whatever its spelling: links, hard ones too.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    #[cfg(unix)]
    File { device: u64, inode: u64 },
    #[cfg(not(unix))]
    File(PathBuf),
    /// One that is not there yet: its folder and its name.
    Place(PathBuf, PathBuf),
    /// One that can be nowhere.
    Nowhere(PathBuf),
}

impl Identity {
    pub(crate) fn of(path: &Path) -> Self {
        #[cfg(unix)]
        if let Ok(found) = fs::metadata(path) {
            use std::os::unix::fs::MetadataExt as _;
            let (device, inode) = (found.dev(), found.ino());
            return Self::File { device, inode };
        }
        #[cfg(not(unix))]
        if let Ok(found) = fs::canonicalize(path) {
            return Self::File(found);
        }
        match place(path) {
            Ok((folder, name)) => Self::Place(folder, name),
            Err(_) => Self::Nowhere(path.to_owned()),
        }
    }
}

/// Whether two paths lead to the same file.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    Identity::of(one) == Identity::of(other)
}

/// Files that are read, and so are not written over.
pub(crate) struct Inputs<'a>(HashMap<Identity, &'a Path>);

impl<'a> Inputs<'a> {
    pub(crate) fn new(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let named = paths.into_iter().filter_map(|path| {
            let file = behind(path, "/dev/stdin")?;
            Some((Identity::of(file), file))
        });
        Self(named.collect())
    }

    /// Refuses to write over one of them. `-` is the file that the shell has put there, if it is one.
    pub(crate) fn spare(&self, output: &Path) -> Result<(), Failure> {
        let Some(output) = behind(output, "/dev/stdout") else {
            return Ok(());
        };
        match self.0.get(&Identity::of(output)) {
            None => Ok(()),
            Some(input) => {
                let (output, input) = (shown(output), shown(input));
                let message = if output == input {
                    format!("`{output}` is both read and to be written")
                } else {
                    format!("`{output}` is to be written and is the same file as `{input}`")
                };
                Err(failed("output-is-input", message))
            }
        }
    }
}

/// Refuses to write over something that is read.
pub(crate) fn spare<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    Inputs::new(inputs).spare(output)
}

fn behind<'a>(path: &'a Path, stream: &'static str) -> Option<&'a Path> {
    if !is_stdin(path) {
        return Some(path);
    }
    let stream = Path::new(stream);
    stream.is_file().then_some(stream)
}

/// Writes what others may read, unless the file says just that already. `hint` helps where it says something else.
pub(crate) fn publish(
    path: &Path,
    octets: &[u8],
    existing: Existing,
    hint: &str,
) -> Result<(), Failure> {
    if holds(path, octets) {
        return Ok(());
    }
    write(path, octets, Access::Public, existing).map_err(|failure| match failure.reason {
        "output-exists" => failure.with_hint(hint),
        _ => failure,
    })
}

/// Whether a file says just that. One of another length is not read.
fn holds(path: &Path, octets: &[u8]) -> bool {
    fs::metadata(path).is_ok_and(|found| found.len() == octets.len() as u64)
        && fs::read(path).is_ok_and(|found| found == octets)
}

/// Waits until no other one of us changes files of the same folder, and keeps others waiting until it is dropped. Best effort:
/// not every system and file system can.
pub(crate) fn take_turn(path: &Path) -> Option<File> {
    // Where a link leads, since that is what is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (folder, _) = place(&target).ok()?;
    let folder = File::open(folder).ok()?;
    #[cfg(unix)]
    rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive).ok()?;
    Some(folder)
}

/// Refuses, before work is spent on it, a file that could not be written: in a folder that is not there, or a folder itself.
pub(crate) fn has_place(path: &Path) -> Result<(), Failure> {
    let unwritten = |why: &str| {
        failed(
            "write-failed",
            format!("cannot write `{}`: {why}", shown(path)),
        )
    };
    match place(path) {
        Err(error) => Err(unwritten(&error.to_string())),
        Ok((folder, _)) if !folder.is_dir() => Err(unwritten("Not a directory")),
        Ok(_) if path.exists() && !path.is_file() => Err(unwritten("it is no regular file")),
        Ok(_) if path.is_symlink() && !path.exists() => {
            Err(unwritten("it is a link that leads nowhere"))
        }
        Ok(_) => Ok(()),
    }
}

/// A copy of a file that is about to be replaced. Gone when it is dropped.
pub(crate) struct Aside(tempfile::NamedTempFile);

/// Keeps a copy of a private file, if it is there, on the disk and beside it: it outlives even a killed program.
pub(crate) fn keep_aside(path: &Path) -> Result<Option<Aside>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let unkept = |error: io::Error| {
        failed(
            "write-failed",
            format!("cannot write `{}`: {error}", shown(path)),
        )
    };
    let target = fs::canonicalize(path).map_err(unkept)?;
    let mut copy = beside(&target, Access::Private).map_err(unkept)?;
    let mut old = File::open(&target).map_err(unkept)?;
    io::copy(&mut old, copy.as_file_mut()).map_err(unkept)?;
    let mode = old.metadata().map_err(unkept)?.permissions();
    copy.as_file().set_permissions(mode).map_err(unkept)?;
    copy.as_file().sync_all().map_err(unkept)?;
    Ok(Some(Aside(copy)))
}

impl Aside {
    /// Puts the copy back in its place.
    pub(crate) fn restore(self, path: &Path) -> io::Result<()> {
        let target = fs::canonicalize(path)?;
        self.0.persist(target).map_err(|error| error.error)?;
        Ok(())
    }
}

/// A new file of a passing name in the same folder.
fn beside(target: &Path, access: Access) -> io::Result<tempfile::NamedTempFile> {
    let (folder, _) = place(target)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".countersign-").suffix(".tmp");
    // Opened here: the errors of `tempfile_in` name a file that nobody has heard of.
    let file = builder.make_in(&folder, |path| new_file(path, access))?;
    // As a type that does not care who opened it.
    let (file, path) = file.into_parts();
    Ok(tempfile::NamedTempFile::from_parts(file, path))
}

/// Writes a file beside its place and moves it there once it is on the disk: whoever looks finds the old file or the new one,
/// whole.
pub(crate) fn write(
    path: &Path,
    octets: &[u8],
    access: Access,
    existing: Existing,
) -> Result<(), Failure> {
    let unwritten = |error: io::Error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            failed("output-exists", format!("`{}` exists", shown(path)))
        } else {
            failed(
                "write-failed",
                format!("cannot write `{}`: {error}", shown(path)),
            )
        }
    };
    has_place(path)?;
    // A link stays one, and what it leads to is replaced.
    let target = if existing == Existing::Replace && path.exists() {
        fs::canonicalize(path).map_err(unwritten)?
    } else {
        path.to_owned()
    };
    let (folder, _) = place(&target).map_err(unwritten)?;
    let mut file = beside(&target, access).map_err(unwritten)?;
    if access == Access::Public
        && let Ok(old) = fs::metadata(&target)
    {
        file.as_file()
            .set_permissions(old.permissions())
            .map_err(unwritten)?;
    }
    file.as_file_mut().write_all(octets).map_err(unwritten)?;
    file.as_file().sync_all().map_err(unwritten)?;
    let moved = match existing {
        Existing::Keep => file.persist_noclobber(&target),
        Existing::Replace => file.persist(&target),
    };
    moved.map_err(|error| unwritten(error.error))?;
    // The name, too. Not every file system can.
    if let Ok(folder) = File::open(&folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn new_file(path: &Path, access: Access) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(match access {
            Access::Public => 0o666,
            Access::Private => 0o600,
        });
    }
    #[cfg(not(unix))]
    let _ = access;
    options.open(path)
}

/// A file's folder, without links, and its name.
fn place(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(io::Error::other("it is no file")),
    };
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("it is no file name"))?;
    Ok((fs::canonicalize(folder)?, PathBuf::from(name)))
}
