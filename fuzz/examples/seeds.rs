//! Writes the test kit's seeds below a folder, one folder for each target: `seeds FOLDER`.

use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("usage: seeds FOLDER"));
    };
    for seed in countersign_fuzz::seeds() {
        let target = Path::new(&folder).join(seed.target);
        std::fs::create_dir_all(&target)?;
        std::fs::write(target.join(seed.name), seed.octets)?;
    }
    Ok(())
}
