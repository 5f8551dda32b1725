//! Cloudflare's zones as its API gives them, what the authority answers, and what resolvers remember.

use std::collections::BTreeMap;

use super::time::Ms;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) content: String,
    pub(crate) ttl: Ms,
    pub(crate) comment: String,
    pub(crate) created: Ms,
}

/// Records by id.
pub(crate) type Rows = BTreeMap<u64, Row>;

/// What one batch asks for; one transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) deletes: Vec<u64>,
    /// Id, new content, new comment.
    pub(crate) patches: Vec<(u64, String, String)>,
    pub(crate) posts: Vec<Row>,
}

/// One zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) rows: Rows,
    /// What every authoritative server answers.
    pub(crate) authority: Rows,
    /// What was there before the last change, and when it changed.
    before: (Ms, Rows),
    next: u64,
}

impl Zone {
    pub(crate) fn new(name: &str, rows: Vec<Row>) -> Self {
        let rows: Rows = (1..).zip(rows).collect();
        let next = rows.len() as u64 + 1;
        let before = (0, rows.clone());
        Self { name: name.to_owned(), authority: rows.clone(), rows, before, next }
    }

    /// What the API answers; half a minute behind if that is what goes wrong.
    pub(crate) fn read(&self, now: Ms, stale: bool) -> &Rows {
        if stale && now < self.before.0 + 30_000 { &self.before.1 } else { &self.rows }
    }

    /// All or nothing, in Cloudflare's order: deletes, patches, posts. A record that exists may not be
    /// posted again (81058), one that does not exist may not be changed (81044).
    pub(crate) fn batch(&mut self, now: Ms, batch: &Batch, fences: bool) -> Result<(), String> {
        let mut rows = self.rows.clone();
        for id in &batch.deletes {
            rows.remove(id).ok_or("81044: record does not exist")?;
        }
        for (id, content, comment) in &batch.patches {
            let row = rows.get_mut(id).ok_or("81044: record does not exist")?;
            row.content.clone_from(content);
            row.comment.clone_from(comment);
        }
        let mut next = self.next;
        for post in &batch.posts {
            let same = |it: &Row| {
                it.name == post.name && it.kind == post.kind && it.content == post.content
            };
            if rows.values().any(same) {
                if !fences {
                    continue;
                }
                return Err("81058: an identical record already exists".to_owned());
            }
            rows.insert(next, Row { created: now, ..post.clone() });
            next += 1;
        }
        if ["A", "AAAA"].iter().any(|kind| emptied(&self.rows, &rows, kind)) {
            return Err("1004: a name would be left without an address".to_owned());
        }
        self.before = (now, std::mem::replace(&mut self.rows, rows));
        self.next = next;
        Ok(())
    }

    /// A person changes one record in the dashboard.
    pub(crate) fn by_hand(&mut self, now: Ms, id: u64, content: &str) {
        self.before = (now, self.rows.clone());
        if let Some(row) = self.rows.get_mut(&id) {
            content.clone_into(&mut row.content);
        }
    }
}

fn emptied(before: &Rows, after: &Rows, kind: &str) -> bool {
    let has = |rows: &Rows, name: &str| rows.values().any(|it| it.name == name && it.kind == kind);
    before.values().any(|it| it.kind == kind && !has(after, &it.name))
}

/// The zone a name lies in.
pub(crate) fn zone_of(zones: &[Zone], name: &str) -> usize {
    let inside = |it: &Zone| {
        name.strip_suffix(it.name.as_str()).is_some_and(|it| it.is_empty() || it.ends_with('.'))
    };
    zones.iter().position(inside).unwrap()
}

/// The address of a name, with its TTL, as the authority has it.
pub(crate) fn authority(zones: &[Zone], name: &str) -> Option<(String, Ms)> {
    let zone = &zones[zone_of(zones, name)];
    let row = zone.authority.values().find(|it| it.name == name && it.kind == "A")?;
    Some((row.content.clone(), row.ttl))
}

/// A resolver with its memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolver(BTreeMap<String, (String, Ms)>);

impl Resolver {
    pub(crate) fn ask(&mut self, zones: &[Zone], name: &str, now: Ms) -> Option<String> {
        if let Some((address, until)) = self.0.get(name)
            && *until > now
        {
            return Some(address.clone());
        }
        let (address, ttl) = authority(zones, name)?;
        self.0.insert(name.to_owned(), (address.clone(), now + ttl));
        Some(address)
    }

    /// Whether it still sends somebody to this address under a name of production.
    pub(crate) fn leads_to(&self, address: &str, now: Ms) -> bool {
        let production = |name: &str| ["gigadb.org", "files.gigadb.org"].contains(&name);
        self.0.iter().any(|(name, (it, until))| production(name) && it == address && *until > now)
    }
}
