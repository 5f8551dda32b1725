//! How production is lost, and how it comes back.

use std::collections::BTreeSet;

use crate::chaos::earth::{Earth, Event};
use crate::chaos::host::Ran;

use super::Gone;

/// How production is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// All of it: no power, no region.
    Dead,
    /// Its web server only; its machine and region answer.
    Web,
    /// The web server and the machine; its region's API answers.
    Machines,
    /// From where the operator is; users reach it.
    CutOff,
    /// From where the operator is, but for its machine; users reach it.
    Hidden,
    /// The API of its region, and the web server.
    Region,
}

impl Way {
    pub(crate) const ALL: [Self; 6] =
        [Self::Dead, Self::Web, Self::Machines, Self::CutOff, Self::Hidden, Self::Region];

    fn takes(self) -> &'static [Gone] {
        match self {
            Self::Dead => &[Gone::Web, Gone::Ssh, Gone::Api, Gone::Power],
            Self::Web => &[Gone::Web],
            Self::Machines => &[Gone::Web, Gone::Ssh, Gone::Power],
            Self::CutOff => &[Gone::Sight, Gone::Ssh, Gone::Api],
            Self::Hidden => &[Gone::Sight],
            Self::Region => &[Gone::Web, Gone::Api],
        }
    }
}

impl Earth {
    pub(crate) fn loses(&mut self, site: usize, way: Way) {
        self.note(format!("{} is lost: {way:?}", self.sites[site].name));
        self.sites[site].gone = way.takes().iter().copied().collect();
        if !self.sites[site].gone.contains(&Gone::Power) {
            return;
        }
        let host = &mut self.sites[site].host;
        for process in std::mem::take(&mut host.processes) {
            if let Some(known) = process.op.and_then(|op| host.ops.get_mut(&op)) {
                known.1 = Ran::Lost;
            }
        }
    }

    /// It is back, as it was.
    pub(crate) fn comes_back(&mut self, site: usize) {
        if !self.sites[site].gone.is_empty() {
            self.note(format!("{} is back", self.sites[site].name));
            self.sites[site].gone = BTreeSet::new();
        }
    }

    /// The same after a while.
    pub(crate) fn comes_back_in(&mut self, site: usize, seconds: u64) {
        let back = move |earth: &mut Self| earth.comes_back(site);
        self.later(seconds * 1000, Event::Other(Box::new(back)));
    }
}
