//! The names of what can be otherwise than it should, worst first; each has a page.

use serde::{Serialize, Serializer};

/// What a difference is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// Writes are accepted on two sites that users or the journal call writable.
    TwoWriters,
    /// Users are led to a site that refuses writes, or to none.
    NoWriter,
    /// Records lead to both sites.
    HalfASwap,
    /// Users are led to another site than the journal's production.
    ProductionNotJournal,
    /// A record leads to an address that its site does not own, or the address changed.
    RecordNotOwner,
    /// A job writes into production, or in the wrong direction.
    SyncBackwards,
    /// A zone carries another journal's mark.
    ForeignMark,
    /// A zone carries no mark.
    MissingMark,
    /// Writes are accepted where the journal says they are refused.
    EmbargoMissing,
    /// An embargo should have been lifted.
    EmbargoExpired,
    /// Writes are refused where no embargo lies.
    EmbargoStray,
    /// A job has an entry or runs where it must be off.
    JobOn,
    /// A job has no entry where it must be on.
    JobMissing,
    /// A job's entry is not the workflow's.
    JobChanged,
    /// A name of the group stands in another declared zone.
    WrongZone,
    /// A site answers with another release than the journal says.
    ReleaseNotJournal,
}

macro_rules! names {
    ($($name:ident $slug:literal $title:literal),+ $(,)?) => {
        impl Name {
            /// All of them, worst first.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name for programs, on the command line and as its page's file.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),+ }
            }

            /// Its name for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// The page that `changeover explain` prints, in Markdown.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../../docs/drift/", $slug, ".md"))),+ }
            }
        }
    };
}

names! {
    TwoWriters "two-writers" "two writers",
    NoWriter "no-writer" "no writer",
    HalfASwap "half-a-swap" "half a swap",
    ProductionNotJournal "production-not-journal" "production ≠ journal",
    RecordNotOwner "record-not-owner" "record ≠ owner",
    SyncBackwards "sync-backwards" "sync backwards",
    ForeignMark "foreign-mark" "foreign mark",
    MissingMark "missing-mark" "missing mark",
    EmbargoMissing "embargo-missing" "embargo missing",
    EmbargoExpired "embargo-expired" "embargo expired",
    EmbargoStray "embargo-stray" "embargo stray",
    JobOn "job-on" "job on",
    JobMissing "job-missing" "job missing",
    JobChanged "job-changed" "job changed",
    WrongZone "wrong-zone" "name in the wrong zone",
    ReleaseNotJournal "release-not-journal" "release ≠ journal",
}

impl Name {
    /// The name that is written so, in any case, with hyphens or spaces.
    pub fn find(text: &str) -> Option<Self> {
        let wanted = text.trim().to_lowercase().replace(' ', "-");
        Self::ALL.iter().copied().find(|it| it.slug() == wanted)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}
