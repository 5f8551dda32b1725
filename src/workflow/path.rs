//! Where something stands in a file: keys and positions from the top.

use std::fmt;

/// One turn on the way down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Into the value of this key.
    Key(String),
    /// Into the element at this position.
    Index(usize),
}

/// The way from the top of the file to something in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path(Vec<Turn>);

impl Path {
    /// The way through these keys: `release.deploy`.
    pub(super) fn of(keys: &str) -> Self {
        Self(keys.split('.').map(|key| Turn::Key(key.to_owned())).collect())
    }

    /// One key further down.
    #[must_use]
    pub(super) fn key(&self, key: impl Into<String>) -> Self {
        self.and(Turn::Key(key.into()))
    }

    /// One element further down.
    #[must_use]
    pub(super) fn index(&self, position: usize) -> Self {
        self.and(Turn::Index(position))
    }

    /// One turn further down.
    #[must_use]
    pub(super) fn and(&self, turn: Turn) -> Self {
        let mut turns = self.0.clone();
        turns.push(turn);
        Self(turns)
    }

    /// This way, then that one.
    #[must_use]
    pub(super) fn join(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).cloned().collect())
    }

    /// The turns, from the top.
    pub(super) fn turns(&self) -> &[Turn] {
        &self.0
    }

    /// Without the last turn.
    pub(super) fn up(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// The last turn, if it is a key.
    pub(super) fn last_key(&self) -> Option<&str> {
        match self.0.last()? {
            Turn::Key(key) => Some(key),
            Turn::Index(_) => None,
        }
    }

    /// Whether this is `above` or lies below it.
    pub(super) fn within(&self, above: &Self) -> bool {
        self.0.starts_with(&above.0)
    }
}

impl From<&serde_path_to_error::Path> for Path {
    fn from(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment::{Enum, Map, Seq, Unknown};
        let turn = |it: &serde_path_to_error::Segment| match it {
            Seq { index } => Some(Turn::Index(*index)),
            Map { key } => Some(Turn::Key(key.clone())),
            Enum { variant } => Some(Turn::Key(variant.clone())),
            Unknown => None,
        };
        Self(path.iter().map_while(turn).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, turn) in self.0.iter().enumerate() {
            match turn {
                Turn::Key(key) if position == 0 => write!(f, "{key}")?,
                Turn::Key(key) => write!(f, ".{key}")?,
                Turn::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
