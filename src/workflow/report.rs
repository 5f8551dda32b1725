//! Collects what is wrong with a file, each at its place.

use crate::fault::{Code, Fault, Place};
use crate::workflow::path::Path;
use crate::workflow::spans::Spans;

/// All that was found so far.
#[derive(Debug)]
pub(super) struct Report {
    /// Where everything stands.
    pub(super) spans: Spans,
    found: Vec<(Path, Fault)>,
}

impl Report {
    /// Nothing found so far.
    pub(super) const fn new(spans: Spans) -> Self {
        Self { spans, found: vec![] }
    }

    /// Something is wrong with the value at this way.
    pub(super) fn value(
        &mut self,
        path: &Path,
        code: &'static Code,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.at(self.spans.value(path), path, code, message, hint);
    }

    /// Something is wrong with the key at this way, or with what is missing below it.
    pub(super) fn key(
        &mut self,
        path: &Path,
        code: &'static Code,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.at(self.spans.key(path), path, code, message, hint);
    }

    /// Something is wrong at this place.
    pub(super) fn at(
        &mut self,
        place: Place,
        path: &Path,
        code: &'static Code,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let fault = Fault::new(code, message).hint(hint);
        self.found.push((path.clone(), fault.at(place.file, place.line, place.column)));
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Forgets what was found at or below these ways, since something else explains it.
    pub(super) fn forget(&mut self, explained: &[Path]) {
        self.found.retain(|(path, _)| !explained.iter().any(|it| path.within(it)));
    }

    /// What was found since the last call, with its way.
    pub(super) fn take_placed(&mut self) -> Vec<(Path, Fault)> {
        std::mem::take(&mut self.found)
    }

    /// What was found since the last call, in the order of the file.
    pub(super) fn take(&mut self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self.found.drain(..).map(|(_, fault)| fault).collect();
        faults.sort_by_key(|it| it.place.as_ref().map(|at| (at.line, at.column)));
        faults
    }
}
