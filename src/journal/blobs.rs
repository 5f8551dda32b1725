//! Texts kept by their digest.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::fault::{E4008, Fault};
use crate::journal::layout::{self, io_fault};
use crate::journal::sync::Syncer;
use crate::model::Digest;

/// Keeps a text durably: a temporary file, a sync, a rename, a sync of the folder.
pub(super) fn keep(dir: &Path, text: &str, sync: &dyn Syncer) -> Result<Digest, Fault> {
    let digest = Digest::of(text.as_bytes());
    let (path, folder) = (layout::blob(dir, &digest), dir.join("blobs"));
    if kept(dir, &digest).is_err() {
        let temporary = folder.join(format!(".{digest}"));
        File::create(&temporary)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| sync.data(&file)))
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(|err| io_fault("write", &path, &err))?;
    }
    layout::sync_folder(&folder, sync)?;
    Ok(digest)
}

/// Writes a page of this name into the system's folder, over the one before.
pub(super) fn page(
    dir: &Path,
    name: &str,
    text: &str,
    sync: &dyn Syncer,
) -> Result<PathBuf, Fault> {
    let (path, temporary) = (dir.join(name), dir.join(format!(".{name}")));
    File::create(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| sync.data(&file)))
        .and_then(|()| fs::rename(&temporary, &path))
        .map_err(|err| io_fault("write", &path, &err))?;
    layout::sync_folder(dir, sync)?;
    Ok(path)
}

/// A kept text.
///
/// # Errors
/// E4008.
pub fn kept(dir: &Path, digest: &Digest) -> Result<String, Fault> {
    let path = layout::blob(dir, digest);
    let name = path.display();
    let text = fs::read_to_string(&path)
        .map_err(|err| Fault::new(&E4008, format!("cannot read {name}")).because(err))?;
    if Digest::of(text.as_bytes()) == *digest {
        Ok(text)
    } else {
        Err(Fault::new(&E4008, format!("{name} was changed: its digest is not its name")))
    }
}

/// Checks every kept text against its name and counts them.
///
/// # Errors
/// E4008 for the first that differs.
pub(super) fn verify(dir: &Path) -> Result<u64, Fault> {
    let folder = dir.join("blobs");
    let fault = |err: std::io::Error| io_fault("list", &folder, &err);
    if !folder.is_dir() {
        return Ok(0);
    }
    let mut count = 0;
    for entry in fs::read_dir(&folder).map_err(fault)? {
        let name = entry.map_err(fault)?.file_name();
        if let Some(digest) = name.to_str().and_then(Digest::parse) {
            kept(dir, &digest)?;
            count += 1;
        }
    }
    Ok(count)
}
