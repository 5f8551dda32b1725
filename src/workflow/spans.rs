//! From a way through the file to line and column.

use crate::fault::Place;
use crate::workflow::path::Path;
use crate::workflow::tree::{Mark, Node, What};

/// Knows where everything of a file stands.
#[derive(Clone, Debug)]
pub struct Spans {
    pub(super) file: String,
    pub(super) root: Node,
}

impl Spans {
    /// The file as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where the value at this way of keys stands, for example `release.deploy`; the nearest thing
    /// above it when it is absent.
    pub fn of(&self, keys: &str) -> Place {
        self.value(&Path::of(keys))
    }

    /// Where the value stands.
    pub(super) fn value(&self, path: &Path) -> Place {
        match self.root.at(path) {
            Some(node) => self.place(node.start),
            None => self.key(&path.up()),
        }
    }

    /// Where the key stands that holds the value; the element itself in a list.
    pub(super) fn key(&self, path: &Path) -> Place {
        if path.turns().is_empty() {
            return self.place(self.root.start);
        }
        match (self.root.key_at(path), self.root.at(path)) {
            (Some(key), _) => self.place(key.at),
            (None, Some(node)) => self.place(node.start),
            (None, None) => self.key(&path.up()),
        }
    }

    /// Where this character of a value stands; the value's start when it is broken over lines.
    pub(super) fn inside(&self, path: &Path, offset: usize) -> Place {
        let mut place = self.value(path);
        if let Some(Node { start, end, what: What::Scalar { text, quoted } }) = self.root.at(path) {
            let quotes = usize::from(*quoted);
            let verbatim = text.chars().count() + 2 * quotes;
            if start.line == end.line && end.column == start.column + verbatim {
                place.column += quotes + offset;
            }
        }
        place
    }

    /// Treats a misspelt key as the one that was meant, so that what is below it is found.
    pub(super) fn rename(&mut self, path: &Path, meant: &str) {
        let around = path.up();
        let node = around.turns().iter().try_fold(&mut self.root, |node, turn| node.turn_mut(turn));
        if let (Some(What::Map(pairs)), Some(name)) = (node.map(|it| &mut it.what), path.last_key())
        {
            pairs
                .iter_mut()
                .filter(|(key, _)| key.text == name)
                .for_each(|(key, _)| meant.clone_into(&mut key.text));
        }
    }

    fn place(&self, mark: Mark) -> Place {
        Place { file: self.file.clone(), line: mark.line, column: mark.column }
    }
}
