//! A journal that stops where a test wants it to: before a line is durable, or just after it.

use std::fmt::Debug;
use std::path::PathBuf;

use changeover::fault::Fault;
use changeover::machine::{Body, Life};
use changeover::model::Digest;
use changeover::port::{Draft, Head, Journal, Line};

/// Where it stops.
pub(crate) trait Stops: Debug + Send {
    /// An error keeps the line from becoming durable.
    fn before(&mut self, body: &Body) -> Result<(), Fault>;

    /// An error leaves the line durable and never acknowledged.
    fn after(&mut self, line: &Line) -> Result<(), Fault>;

    /// The line that comes next waits for a later sync.
    fn soft(&mut self) {}

    /// All lines so far are durable.
    fn synced(&mut self) {}
}

/// Another journal, asked before and after each line, soft ones too.
#[derive(Debug)]
pub(crate) struct Frail<S> {
    pub(crate) inner: Box<dyn Journal>,
    pub(crate) stops: S,
}

impl<S: Stops> Journal for Frail<S> {
    fn head(&self) -> Head {
        self.inner.head()
    }

    fn append(&mut self, draft: Draft) -> Result<Line, Fault> {
        self.stops.before(&draft.body)?;
        let line = self.inner.append(draft)?;
        self.stops.synced();
        self.stops.after(&line)?;
        Ok(line)
    }

    fn append_soft(&mut self, draft: Draft) -> Result<Line, Fault> {
        self.stops.before(&draft.body)?;
        self.stops.soft();
        let line = self.inner.append_soft(draft)?;
        self.stops.after(&line)?;
        Ok(line)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.inner.flush()?;
        self.stops.synced();
        Ok(())
    }

    fn shelve(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        self.inner.shelve(name, text)
    }

    fn shelved(&self, name: &str) -> Option<String> {
        self.inner.shelved(name)
    }

    fn remember(&mut self, life: &Life) {
        self.inner.remember(life);
    }

    fn keep(&mut self, text: &str) -> Result<Digest, Fault> {
        self.inner.keep(text)
    }

    fn kept(&self, digest: &Digest) -> Result<String, Fault> {
        self.inner.kept(digest)
    }

    fn page(&mut self, name: &str, text: &str) -> Result<Option<PathBuf>, Fault> {
        self.inner.page(name, text)
    }

    fn roll(&mut self) {
        self.inner.roll();
    }
}
