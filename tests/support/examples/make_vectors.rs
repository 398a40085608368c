//! Writes the generated cases below `tests/vectors/`, in place of those that are there:
//! `cargo run -p countersign-testkit --example make_vectors`

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors"));
    let vectors = countersign_testkit::vectors();
    let groups: BTreeSet<&str> = vectors
        .iter()
        .filter_map(|vector| vector.path.split('/').next())
        .collect();
    for group in groups {
        match fs::remove_dir_all(root.join(group)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for vector in &vectors {
        let folder = root.join(&vector.path);
        fs::create_dir_all(&folder)?;
        for (name, octets) in &vector.files {
            fs::write(folder.join(name), octets)?;
        }
    }
    println!("{} cases", vectors.len());
    Ok(())
}
