//! Making bytes and names durable, and what stands in for that where a check must be able to fail.

use std::fmt;
use std::fs::File;
use std::io;

/// Brings bytes to the disk. The product has [`Disk`] alone; the power-cut check's control run has one
/// that does nothing, to show that the check can fail.
pub trait Syncer: Send + fmt::Debug {
    /// Makes a file's content durable.
    ///
    /// # Errors
    /// What the operating system says; nobody knows what is on the disk then.
    fn data(&self, file: &File) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// As above.
    fn folder(&self, folder: &File) -> io::Result<()>;
}

/// `fdatasync` for content, `fsync` for folders.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Syncer for Disk {
    fn data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn folder(&self, folder: &File) -> io::Result<()> {
        folder.sync_all()
    }
}
