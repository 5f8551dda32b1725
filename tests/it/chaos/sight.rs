//! The whole world at one look, as `drift` asks for it.

use std::collections::{BTreeMap, BTreeSet};

use changeover::model::{Answers, MarkSeen, Part, Read, RowSeen, Sight, SiteName, ZoneSeen};

use super::dns::{Row, Zone};
use super::earth::Earth;
use super::lost::Gone;

impl Earth {
    pub(crate) fn sight(&self, hidden: bool) -> Sight {
        let sites = || self.sites.iter().map(|it| (SiteName(it.name.clone()), it));
        Sight {
            began: self.wall(),
            addresses: sites()
                .map(|(name, it)| {
                    let silent = it.gone.contains(&Gone::Api);
                    (name, self.part_of(silent, it.addresses.clone()))
                })
                .collect(),
            zones: self.zones.iter().map(|it| (it.name.clone(), self.part(zone(it)))).collect(),
            answers: self
                .zones
                .iter()
                .map(|it| (it.name.clone(), vec![self.part(answers(it))]))
                .collect(),
            writes: sites()
                .map(|(name, it)| {
                    let silent = hidden || it.host.away || it.gone.contains(&Gone::Ssh);
                    (name, self.part_of(silent, !it.db.refuses))
                })
                .collect(),
            jobs: BTreeMap::new(),
            releases: sites()
                .map(|(name, it)| (name, self.part_of(!it.shown(), Some(it.version.clone()))))
                .collect(),
        }
    }

    fn part_of<T>(&self, silent: bool, read: T) -> Part<T> {
        let read = if silent { Read::Unknown("no answer".to_owned()) } else { Read::Known(read) };
        Part { source: "world".to_owned(), at: self.wall(), read }
    }

    fn part<T>(&self, read: T) -> Part<T> {
        Part { source: "world".to_owned(), at: self.wall(), read: Read::Known(read) }
    }
}

fn zone(zone: &Zone) -> ZoneSeen {
    let row = |it: &Row| RowSeen {
        name: it.name.clone(),
        kind: it.kind.to_owned(),
        content: it.content.clone(),
        proxied: false,
        changed: None,
    };
    let mark = |it: &Row| {
        let number = it.content.strip_prefix("e=")?.parse().ok()?;
        let journal = it.comment.split(' ').nth(3).map(str::to_owned);
        Some(MarkSeen { number, journal, made: None })
    };
    let rows = zone.rows.values();
    ZoneSeen {
        rows: rows.clone().filter(|it| it.kind == "A").map(row).collect(),
        mark: rows.filter_map(mark).max_by_key(|it| it.number),
    }
}

fn answers(zone: &Zone) -> Answers {
    let rows = zone.authority.values().filter(|it| it.kind == "A");
    rows.map(|it| (it.name.clone(), BTreeSet::from([it.content.clone()]))).collect()
}
