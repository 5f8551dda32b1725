//! One line onto the disk: one write, then a sync, or an error after which nothing is known.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::fault::{E4007, Fault};
use crate::journal::layout::{self, Place, SEGMENT_BYTES, START, io_fault};
use crate::journal::sync::Syncer;

/// What is said of it when later lines are refused: many are written side by side, and whoever is told first
/// need not be the one that failed first.
fn first(fault: &Fault) -> String {
    let cause = fault.cause.as_deref().unwrap_or_default();
    format!("{}: {cause}", fault.message)
}

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Segments {
    file: Option<File>,
    next: Place,
    rolling: bool,
    /// What went wrong with an earlier line.
    poisoned: Option<String>,
    /// Lines were written that are not durable yet.
    soft: bool,
    sync: Box<dyn Syncer>,
}

impl Segments {
    /// Continues at `next`, the end of the last segment. Lines that are there already were perhaps
    /// written by a process that died before its sync: they are made durable here, before anybody
    /// relies on them.
    pub(super) fn resume(dir: &Path, next: Place, sync: Box<dyn Syncer>) -> Result<Self, Fault> {
        let path = layout::segment(dir, next.segment);
        let file = if next == START && !path.exists() {
            None
        } else {
            let file = OpenOptions::new()
                .append(true)
                .open(&path)
                .map_err(|err| io_fault("open", &path, &err))?;
            sync.data(&file).map_err(|err| io_fault("sync", &path, &err))?;
            layout::sync_folder(&layout::journal_folder(dir), &*sync)?;
            Some(file)
        };
        Ok(Self { file, next, rolling: false, poisoned: None, soft: false, sync })
    }

    /// Continues at `next`, the end of the last segment, whose lines are known to be durable.
    pub(super) fn at_rest(
        dir: &Path,
        next: Place,
        rolling: bool,
        sync: Box<dyn Syncer>,
    ) -> Result<Self, Fault> {
        let path = layout::segment(dir, next.segment);
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(|err| io_fault("open", &path, &err))?;
        Ok(Self { file: Some(file), next, rolling, poisoned: None, soft: false, sync })
    }

    /// Where the next line begins, and whether it begins a new segment instead.
    pub(super) const fn end(&self) -> (Place, bool) {
        (self.next, self.rolling)
    }

    pub(super) fn sync(&self) -> &dyn Syncer {
        &*self.sync
    }

    /// The next line begins a new segment.
    pub(super) fn roll(&mut self) {
        self.rolling = true;
    }

    /// Writes one line and says where it begins. It is durable then, and all before it, unless it is a soft
    /// one: those become durable with the next that is not, or with [`Self::flush`].
    ///
    /// # Errors
    /// E4001; every later call is refused with E4007.
    pub(super) fn append(&mut self, dir: &Path, bytes: &[u8], soft: bool) -> Result<Place, Fault> {
        if let Some(first) = &self.poisoned {
            return Err(Fault::new(&E4007, "an earlier line could not be made durable")
                .because(first)
                .hint("the process must end; the next one looks at what is on the disk"));
        }
        let written = self.write(dir, bytes, soft);
        self.poisoned = written.as_ref().err().map(first);
        written
    }

    /// Makes soft lines durable.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(super) fn flush(&mut self, dir: &Path) -> Result<(), Fault> {
        if !self.soft {
            return Ok(());
        }
        let synced = match &self.file {
            Some(file) => self.sync.data(file),
            None => Ok(()),
        };
        let path = layout::segment(dir, self.next.segment);
        self.soft = false;
        let synced = synced.map_err(|err| io_fault("sync", &path, &err));
        if let Err(fault) = &synced {
            self.poisoned.get_or_insert_with(|| first(fault));
        }
        synced
    }

    fn write(&mut self, dir: &Path, bytes: &[u8], soft: bool) -> Result<Place, Fault> {
        let length = bytes.len() as u64;
        let full = self.next.offset > 0 && self.next.offset + length > SEGMENT_BYTES;
        if full || (self.rolling && self.next.offset > 0) {
            self.flush(dir)?;
            self.next = Place { segment: self.next.segment + 1, number: 1, offset: 0 };
            self.file = None;
        }
        self.rolling = false;
        let path = layout::segment(dir, self.next.segment);
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.create(dir, &path)?,
        };
        let short = || io::Error::new(io::ErrorKind::WriteZero, "a part of the line was written");
        match file.write(bytes) {
            Ok(count) if count == bytes.len() => (),
            Ok(_) => return Err(io_fault("append to", &path, &short())),
            Err(err) => return Err(io_fault("append to", &path, &err)),
        }
        if !soft {
            self.sync.data(&file).map_err(|err| io_fault("sync", &path, &err))?;
        }
        self.soft = soft;
        self.file = Some(file);
        let begin = self.next;
        self.next = Place { number: begin.number + 1, offset: begin.offset + length, ..begin };
        Ok(begin)
    }

    fn create(&self, dir: &Path, path: &Path) -> Result<File, Fault> {
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)
            .map_err(|err| io_fault("create", path, &err))?;
        layout::sync_folder(&layout::journal_folder(dir), &*self.sync)?;
        Ok(file)
    }
}
