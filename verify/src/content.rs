//! Data on their way into running hashes: in one pass, whatever the number of signatures.

use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc::sync_channel;

use crate::hash::{HashAlgorithm, Hasher};
use crate::signature::Signature;

/// Whether line ends are made CRLF before hashing (RFC 9580, section 5.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataForm {
    Binary,
    Text,
}

/// The running hash of the signed data, for one algorithm, salt and form.
pub(crate) struct ContentHash {
    hash_id: u8,
    salt: Vec<u8>,
    form: DataForm,
    hasher: Hasher,
    /// Text only: the last octet was a CR, so that a LF now needs none before it.
    after_cr: bool,
}

impl ContentHash {
    /// None if the signature's hash is unknown.
    pub(crate) fn new(signature: &Signature, form: DataForm) -> Option<Self> {
        let (hash_id, salt) = (signature.hash_id, signature.salt.clone());
        Some(Self {
            hash_id,
            salt,
            form,
            hasher: signature.hasher()?,
            after_cr: false,
        })
    }

    /// The running hash of data as they are, unsalted.
    pub(crate) fn binary(hash: HashAlgorithm) -> Self {
        Self {
            hash_id: hash.id(),
            salt: Vec::new(),
            form: DataForm::Binary,
            hasher: hash.hasher(),
            after_cr: false,
        }
    }

    /// Whether both hash the same way.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.is_for((other.hash_id, &other.salt, other.form))
    }

    pub(crate) fn is_for(&self, (hash_id, salt, form): (u8, &[u8], DataForm)) -> bool {
        self.hash_id == hash_id && self.salt == salt && self.form == form
    }

    pub(crate) fn update(&mut self, part: &[u8]) {
        match self.form {
            DataForm::Binary => self.hasher.update(part),
            DataForm::Text => self.update_text(part),
        }
    }

    fn update_text(&mut self, part: &[u8]) {
        for line in part.split_inclusive(|octet| *octet == b'\n') {
            let before = match line {
                [.., last, b'\n'] => Some(*last == b'\r'),
                [b'\n'] => Some(self.after_cr),
                _ => None,
            };
            match (before, line.split_last()) {
                (Some(false), Some((_, text))) => {
                    self.hasher.update(text);
                    self.hasher.update(b"\r\n");
                }
                _ => self.hasher.update(line),
            }
            self.after_cr = line.last() == Some(&b'\r');
        }
    }

    pub(crate) fn digest_with(&self, trailer: &[u8]) -> Vec<u8> {
        self.hasher.digest_with(trailer)
    }
}

/// Octets in a part that is read at once and hashed in the same thread: a quarter of a common level 2 cache, so that a part is
/// still there when it is hashed. Half of it is too much already: reading then takes five times as long.
const PART: usize = 128 * 1024;

/// Octets in a part that goes from one thread to another: handing it over costs as much as hashing some ten kilobytes, and the
/// two processors should not write and read next to each other.
const PASSED_PART: usize = 2 * 1024 * 1024;

/// What is read at once from something that says that it is empty, such as a pipe.
const SMALL_PART: usize = 16 * 1024;

/// Parts on their way between reading and hashing: one in each hand, one waiting.
const PARTS: usize = 3;

/// Below this much to hash, a thread costs more than it gains.
pub(crate) const OVERLAP_FROM: u64 = 2 * PASSED_PART as u64;

/// Where a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// In the calling thread, between hashing.
    InTurn,
    /// In a thread of its own if the file is large, so that reading and hashing overlap.
    Beside,
}

/// Reads a file to its end and hands out its parts in order. Memory does not grow with the file.
pub(crate) fn read_file(
    file: &File,
    reading: Reading,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let length = file.metadata()?.len();
    if reading == Reading::InTurn || length < OVERLAP_FROM {
        let room = match usize::try_from(length) {
            Ok(0) => SMALL_PART,
            // One octet more than a small file has, so that its end is seen at the second read.
            Ok(length) => length.saturating_add(1).min(PART),
            Err(_) => PART,
        };
        return read_with(vec![0; room], file, take);
    }
    std::thread::scope(|scope| {
        let (full_in, full_out) = sync_channel::<io::Result<Vec<u8>>>(PARTS);
        let (empty_in, empty_out) = sync_channel::<Vec<u8>>(PARTS);
        for _ in 0..PARTS {
            // The channel has room for all of them and its other end is held below.
            let _ = empty_in.send(vec![0; PASSED_PART]);
        }
        let reader = std::thread::Builder::new().spawn_scoped(scope, move || {
            // Ends at the end of the file, at an error, or when the other side is gone.
            while let Ok(mut part) = empty_out.recv() {
                part.resize(PASSED_PART, 0);
                let read = read_part(file, &mut part);
                let last = !matches!(read, Ok(length) if length > 0);
                let sent = full_in.send(read.map(|length| {
                    part.truncate(length);
                    part
                }));
                if last || sent.is_err() {
                    return;
                }
            }
        });
        if reader.is_err() {
            // No thread is to be had: nothing is lost but time.
            return read_all(file, take);
        }
        while let Ok(part) = full_out.recv() {
            let part = part?;
            if part.is_empty() {
                return Ok(());
            }
            take(&part);
            // The reader may be done already.
            let _ = empty_in.send(part);
        }
        Err(io::Error::other("the reading thread ended early"))
    })
}

/// Reads to the end in the calling thread.
pub(crate) fn read_all(reader: impl Read, take: impl FnMut(&[u8])) -> io::Result<()> {
    read_with(vec![0; PART], reader, take)
}

fn read_with(
    mut part: Vec<u8>,
    mut reader: impl Read,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    loop {
        match read_part(&mut reader, &mut part)? {
            0 => return Ok(()),
            length => take(part.get(..length).unwrap_or(&part)),
        }
    }
}

fn read_part(mut reader: impl Read, part: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(part) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
