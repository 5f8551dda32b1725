//! Users: they follow DNS through resolvers that remember, and write all the time.

use super::earth::{Earth, Event};
use super::oracle::Hand;
use super::time::Ms;

/// A write that somebody was told is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) number: u32,
    pub(crate) site: usize,
    pub(crate) at: Ms,
    /// A file by FTP; otherwise a row.
    pub(crate) file: bool,
    /// A person had lifted the embargo there and nothing had looked since, or agreed to the loss.
    pub(crate) forgiven: bool,
}

impl Earth {
    pub(crate) fn users_write(&mut self) {
        let every = self.every;
        self.later(every, Event::Write);
        let resolver = usize::try_from(self.faults.dice.below(4)).unwrap();
        let file = self.faults.dice.one_in(4);
        let (record, name) =
            if file { ("files", "files.gigadb.org") } else { ("web", "gigadb.org") };
        let now = self.now;
        let found = self.resolvers[resolver].ask(&self.zones, name, now);
        let Some(at) = found.and_then(|it| self.owner(record, &it)) else { return };
        let site = &mut self.sites[at];
        let open = site.serves() && site.db.tables && !site.db.refuses;
        if !open {
            self.oracle.refused_writes += 1;
            return;
        }
        let number = self.next_write;
        self.next_write += 1;
        if file {
            site.files.push(number);
        } else {
            site.db.rows.push(number);
        }
        let mut forgiven = self.judge_write(at, record, name);
        // Nobody counts files: what a person lets in and shuts out again leaves no trace.
        // Nor is anything compared with the old side once users have moved.
        let lifted = self.oracle.by_hand(Hand::Lifted(at)).is_some();
        let moved = self.oracle.came(at) > 0 && self.oracle.embargoed.len() > 1;
        forgiven |= lifted && (file || moved);
        self.oracle.kept.push(Kept { number, site: at, at: now, file, forgiven });
    }
}
