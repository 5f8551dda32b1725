//! A bastion: its crontab, what runs on it, and the three scripts, which do what the documents say they do.

use std::collections::BTreeMap;

use changeover::model::Time;
use changeover::workflow::Workflow;

use super::earth::{DAY, Earth, Event, MINUTE, Object};
use super::lost::Gone;
use super::time::Ms;

/// What the restore script reads, whoever is production: it is written into it.
pub(crate) const RESTORES: &str = "gigadb_gigascience-upstream-gigadb-website_live_";

/// A firing time of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cron {
    hour: u64,
    minute: u64,
}

impl Cron {
    fn of(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let minute = words.next()?.parse().ok()?;
        Some(Self { minute, hour: words.next()?.parse().ok()? })
    }

    pub(crate) fn all(workflow: &Workflow) -> Vec<Self> {
        let mut all: Vec<Self> =
            workflow.jobs.values().filter_map(|it| Self::of(&it.line)).collect();
        all.sort();
        all.dedup();
        all
    }

    /// How long from now until it fires.
    pub(crate) fn next(self, start: Time, now: Ms) -> Ms {
        let started = u64::try_from(start.0 / 1000).unwrap();
        let today = (started + now) % DAY;
        let at = self.hour * 60 * MINUTE + self.minute * MINUTE;
        if at > today { at - today } else { at + DAY - today }
    }
}

/// Something that runs.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) id: u64,
    pub(crate) argv: Vec<String>,
    /// The wrapper's name of it; a cron's has none.
    pub(crate) op: Option<String>,
    /// 0: about to do its first thing.
    stage: u8,
    /// The database that `.env` named when it started: the container keeps its environment.
    target: Option<usize>,
    /// What it has dumped.
    held: Option<Object>,
}

impl Process {
    pub(crate) fn new(id: u64, argv: Vec<String>, op: Option<String>) -> Self {
        Self { id, argv, op, stage: 0, target: None, held: None }
    }

    pub(crate) fn program(&self) -> &str {
        self.argv[0].rsplit('/').next().unwrap()
    }
}

/// What the wrapper says of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    Running,
    Exited(i32),
    /// Killed with its machine.
    Lost,
}

#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Nobody can reach it.
    pub(crate) away: bool,
    pub(crate) crontab: Vec<String>,
    pub(crate) processes: Vec<Process>,
    /// `PGHOST` of `/home/centos/.env`.
    pub(crate) pghost: String,
    /// By op id: the attempt and what became of it.
    pub(crate) ops: BTreeMap<String, (u32, Ran)>,
}

impl Host {
    pub(crate) fn new(endpoint: &str) -> Self {
        let (processes, ops) = (vec![], BTreeMap::new());
        Self { away: false, crontab: vec![], processes, pghost: endpoint.to_owned(), ops }
    }

    pub(crate) fn install(&mut self, marker: &str, line: &str) {
        self.crontab.push(format!("#Ansible: {marker}"));
        self.crontab.push(line.to_owned());
    }

    pub(crate) fn has(&self, line: &str) -> bool {
        self.crontab.iter().any(|it| it == line)
    }

    pub(crate) fn remove(&mut self, marker: &str, line: &str) {
        let marker = format!("#Ansible: {marker}");
        self.crontab.retain(|it| it != line && *it != marker);
    }

    pub(crate) fn runs(&self, program: &str) -> bool {
        self.processes.iter().any(|it| it.program() == program)
    }

    /// A cron's own instance of it, not one that somebody asked for.
    pub(crate) fn fired(&self, program: &str) -> bool {
        self.processes.iter().any(|it| it.program() == program && it.op.is_none())
    }
}

impl Earth {
    pub(crate) fn fire(&mut self, cron: Cron) {
        for site in 0..self.sites.len() {
            if self.sites[site].gone.contains(&Gone::Power) {
                continue;
            }
            let due = |it: &&String| !it.starts_with('#') && Cron::of(it) == Some(cron);
            let lines: Vec<String> =
                self.sites[site].host.crontab.iter().filter(due).cloned().collect();
            for line in lines {
                let argv: Vec<String> = line.split(' ').skip(5).map(str::to_owned).collect();
                self.note(format!("cron at {}: {}", self.sites[site].name, argv.join(" ")));
                self.faults.counts.entry("cron fires").and_modify(|it| *it += 1).or_insert(1);
                let id = self.fresh_id();
                self.start_process(site, Process::new(id, argv, None));
            }
        }
        let next = cron.next(self.start, self.now);
        self.later(next, Event::Cron(cron));
    }

    pub(crate) fn process_goes_on(&mut self, site: usize, id: u64) {
        let found = self.sites[site].host.processes.iter().position(|it| it.id == id);
        let Some(at) = found else { return };
        let mut process = self.sites[site].host.processes.remove(at);
        let ended = match (process.program(), process.stage) {
            ("s3backup", 0) => self.dump(site, &mut process),
            ("s3backup", _) => Some(self.upload(site, &process)),
            ("databaseReset", 0) => self.drop_database(site, &mut process),
            ("databaseReset", _) => Some(self.load(&process)),
            ("sync_dropbox", 0) => None,
            ("sync_dropbox", _) => Some(self.sync_files(site)),
            ("site_stop", _) => {
                self.sites[site].stopped = true;
                Some(0)
            }
            (_, _) => Some(127),
        };
        if let Some(code) = ended {
            if let Some(op) = &process.op
                && let Some(known) = self.sites[site].host.ops.get_mut(op)
            {
                known.1 = Ran::Exited(code);
            }
            self.note(format!(
                "{} at {} ends with {code}",
                process.argv.join(" "),
                self.sites[site].name
            ));
            return;
        }
        process.stage += 1;
        self.sites[site].host.processes.push(process);
        let after = self.faults.dice.between(2, 9) * MINUTE;
        self.later(after, Event::Process { site, id });
    }

    fn stamp(&self, process: &Process, days_ago: Ms) -> Result<String, i32> {
        match process.argv.get(1).map(String::as_str) {
            None | Some("latest") => {
                let day = self.wall().plus_seconds(-i64::try_from(days_ago * DAY / 1000).unwrap());
                Ok(day.stamp()[..8].to_owned())
            }
            Some(it) if [8, 12].contains(&it.len()) && it.bytes().all(|it| it.is_ascii_digit()) => {
                Ok(it.to_owned())
            }
            Some(_) => Err(2),
        }
    }

    /// One moment of the database that `.env` names.
    fn dump(&mut self, site: usize, process: &mut Process) -> Option<i32> {
        let Some(from) = self.by_endpoint(&self.sites[site].host.pghost) else { return Some(1) };
        let db = &self.sites[from].db;
        let (rows, tables) = (db.rows.clone(), db.tables);
        let whole = !self.faults.rarely("dump: cut, exit 0", 25);
        let etag = format!("etag-{}", self.fresh_id());
        process.held = Some(Object { etag, rows, tables, whole, written: 0 });
        None
    }

    fn upload(&mut self, site: usize, process: &Process) -> i32 {
        let Ok(stamp) = self.stamp(process, 0) else { return 2 };
        let Some(held) = process.held.clone() else { return 1 };
        if self.bucket_gone() {
            return 1;
        }
        let key = format!("gigadb_{}_live_{stamp}.backup", self.sites[site].dashed);
        // S3 says whole seconds.
        let written = self.now / 1000 * 1000;
        if stamp.len() == 8 {
            // The standby's nightly load reads it there, whoever is production.
            self.bucket
                .insert(format!("{RESTORES}{stamp}.backup"), Object { written, ..held.clone() });
        }
        self.bucket.insert(key, Object { written, ..held });
        0
    }

    /// The script of docs/gigadb: it looks for a whole dump before it drops anything.
    fn drop_database(&mut self, site: usize, process: &mut Process) -> Option<i32> {
        let Ok(stamp) = self.stamp(process, 1) else { return Some(2) };
        let there = self.bucket.get(&format!("{RESTORES}{stamp}.backup"));
        if self.bucket_gone() || there.is_none_or(|it| !it.whole) {
            return Some(1);
        }
        let Some(target) = self.by_endpoint(&self.sites[site].host.pghost) else { return Some(1) };
        process.target = Some(target);
        self.judge_drop(target, site, process.op.is_some());
        let db = &mut self.sites[target].db;
        db.tables = false;
        db.rows.clear();
        None
    }

    fn load(&mut self, process: &Process) -> i32 {
        let Ok(stamp) = self.stamp(process, 1) else { return 2 };
        let Some(target) = process.target else { return 1 };
        let Some(object) = self.bucket.get(&format!("{RESTORES}{stamp}.backup")).cloned() else {
            return 1;
        };
        let db = &mut self.sites[target].db;
        db.tables = object.tables;
        let half = object.rows.len() / 2;
        db.rows = if object.whole { object.rows } else { object.rows[..half].to_vec() };
        0
    }

    /// `rclone sync` from wherever `bastion.gigadb.host` leads; what is not there is deleted here.
    fn sync_files(&mut self, site: usize) -> i32 {
        let Some(from) = self.users_are_at("bastion", "bastion.gigadb.host") else { return 1 };
        if self.sites[from].host.away || self.sites[from].gone.contains(&Gone::Power) {
            return 1;
        }
        if from != site {
            self.sites[site].files = self.sites[from].files.clone();
            self.sites[site].synced = self.now;
        }
        0
    }

    /// A machine goes away: it cannot be reached, or it starts anew and what ran is gone.
    pub(crate) fn host_away(&mut self, site: usize, restarts: bool, lasting: Ms) {
        self.note(format!("host of {} away, restarts: {restarts}", self.sites[site].name));
        let host = &mut self.sites[site].host;
        host.away = true;
        if restarts {
            for process in std::mem::take(&mut host.processes) {
                if let Some(known) = process.op.and_then(|op| host.ops.get_mut(&op)) {
                    known.1 = Ran::Lost;
                }
            }
        }
        self.later(lasting, Event::HostBack { site });
    }
}
