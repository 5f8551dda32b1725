//! What a person is told when something cannot be done: a code, what happened, why, what to do, an exit status.
//!
//! Every code has a page under `docs/errors/`; a code without its page does not compile. Codes are
//! grouped by thousands in files of their own: 1xxx workflow, 2xxx run, 3xxx provider, 4xxx journal.

mod journal;
mod provider;
mod run;
mod workflow;

pub use journal::*;
pub use provider::*;
pub use run::*;
pub use workflow::*;

use std::fmt;

use serde::{Deserialize, Serialize};

/// The exit status of a command; part of the contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done,
    /// 1: failed; stopped in a known state.
    Failed,
    /// 2: wrong usage; nothing changed.
    Usage,
    /// 3: refused by a check (unknown included), policy, freeze or gate.
    Refused,
    /// 4: this person may not do that.
    NotAllowed,
    /// 5: conflict: stale plan, other run, lock, foreign mark.
    Conflict,
    /// 6: a request was sent and its outcome is unknown.
    Unknown,
    /// 7: waiting for people.
    Waiting,
    /// 8: differences found, with `--exit-code` only.
    Differences,
    /// 9: verification failed.
    Unverified,
}

impl Exit {
    /// The number given to the operating system.
    pub const fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::NotAllowed => 4,
            Self::Conflict => 5,
            Self::Unknown => 6,
            Self::Waiting => 7,
            Self::Differences => 8,
            Self::Unverified => 9,
        }
    }
}

/// One error code. Defined with [`code!`], which embeds its page.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `E` and four digits.
    pub id: &'static str,
    /// The exit status of a command that ends with it.
    pub exit: Exit,
    /// One line for lists.
    pub title: &'static str,
    /// The page that `changeover explain` prints, in Markdown.
    pub page: &'static str,
}

/// Defines codes as statics and lists them: `codes!(LIST; E1001 Usage "title", …)`.
macro_rules! codes {
    ($list:ident; $($id:ident $exit:ident $title:literal),+ $(,)?) => {
        $(
            #[doc = $title]
            pub static $id: $crate::fault::Code = $crate::fault::Code {
                id: stringify!($id),
                exit: $crate::fault::Exit::$exit,
                title: $title,
                page: include_str!(concat!("../../docs/errors/", stringify!($id), ".md")),
            };
        )+
        /// The codes of this group, in order.
        pub static $list: &[&$crate::fault::Code] = &[$(&$id),+];
    };
}
pub(crate) use codes;

/// All codes, in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [WORKFLOW, RUN, PROVIDER, SITE, JOURNAL].into_iter().flatten().copied()
}

/// The code with this name, in any case.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|it| it.id.eq_ignore_ascii_case(id))
}

/// A place in a file a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// An error on its way to a person.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which error.
    pub code: &'static Code,
    /// What happened, one sentence, without a full stop at the end.
    pub message: String,
    /// Why, if that is another sentence.
    pub cause: Option<String>,
    /// What to do or run.
    pub hint: Option<String>,
    /// Where, if a file is to blame.
    pub place: Option<Place>,
    /// Nobody could see whether it is so; it refuses like what is seen not to hold.
    pub unknown: bool,
}

impl Fault {
    /// A fault of this code with its sentence.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cause: None, hint: None, place: None, unknown: false }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says whether nobody could see if it is so.
    #[must_use]
    pub fn unknown(mut self, unknown: bool) -> Self {
        self.unknown = unknown;
        self
    }

    /// Adds where.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, line: usize, column: usize) -> Self {
        self.place = Some(Place { file: file.into(), line, column });
        self
    }

    /// The exit status it ends with.
    pub fn exit(&self) -> Exit {
        self.code.exit
    }
}

impl fmt::Display for Fault {
    /// `FILE:LINE:COLUMN: error[E1001]: message`, then why and what to do on lines of their own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}:{}:{}: ", place.file, place.line, place.column)?;
        }
        write!(f, "error[{}]: {}", self.code.id, self.message)?;
        if let Some(cause) = &self.cause {
            write!(f, "\n  because: {cause}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
