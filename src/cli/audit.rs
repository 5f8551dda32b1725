//! `audit`: read and verify the journal.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::{Outcome, Scene, done};
use crate::fault::{E2012, Exit, Fault};
use crate::machine::Record;
use crate::model::{Digest, Roles, SiteName, Time};
use crate::port::Line;
use crate::view::{self, render};
use crate::workflow::Lasting;

/// The verbs of an auditor.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// One line for each entry; refusals are entries too
    Log(Log),
    /// Everything one entry says: who, why, evidence, before and after, digest
    Show(Show),
    /// Prove that nothing was changed or left out; exit status 9 when that fails
    Verify,
}

/// Which lines.
#[derive(Debug, Args)]
pub struct Log {
    /// Only lines of this run
    #[arg(long, value_name = "N")]
    run: Option<u32>,
    /// Only lines of this person
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Only lines from this time on: `2026-11-21T05:00:00Z`, `2026-11-21`, or `2h` ago
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Only the last lines of those
    #[arg(long, value_name = "N")]
    last: Option<usize>,
}

/// From when on.
#[derive(Clone, Copy, Debug)]
enum Since {
    At(Time),
    Ago(Lasting),
}

fn since(text: &str) -> Result<Since, String> {
    let day = || Time::parse(&format!("{text}T00:00:00Z"));
    if let Some(at) = Time::parse(text).or_else(day) {
        return Ok(Since::At(at));
    }
    let ago: Result<Lasting, _> = serde_json::from_value(text.into());
    ago.map(Since::Ago)
        .map_err(|_| "neither a time, nor a day, nor a duration such as 2h".to_owned())
}

/// Which entry.
#[derive(Debug, Args)]
pub struct Show {
    /// Its number
    seq: u64,
}

/// A journal that holds, for programs.
#[derive(Serialize)]
struct Verification {
    verified: bool,
    lines: u64,
    segments: u32,
    runs: u32,
    head: Digest,
    last: Time,
    torn_bytes: u64,
    roles: Option<Roles>,
    releases: BTreeMap<SiteName, String>,
}

pub(super) fn run(audit: &Audit, scene: &mut Scene<'_>) -> Outcome {
    match audit {
        Audit::Log(it) => log(it, scene),
        Audit::Show(it) => show(it, scene),
        Audit::Verify => verify(scene),
    }
}

fn log(args: &Log, scene: &mut Scene<'_>) -> Outcome {
    let glance = scene.desk.glance(&scene.desk.pick(None)?)?;
    let from = args.since.map(|it| match it {
        Since::At(at) => at,
        Since::Ago(ago) => {
            glance.now.plus_seconds(-i64::try_from(ago.0.as_secs()).unwrap_or(i64::MAX))
        }
    });
    let meant = |line: &Line| {
        args.run.is_none_or(|run| line.run == Some(run))
            && args.by.as_ref().is_none_or(|by| *by == line.by.name)
            && from.is_none_or(|from| line.at >= from)
    };
    let lines: Vec<_> = view::with_rules(&glance.lines).filter(|it| meant(it.0)).collect();
    let skipped = args.last.map_or(0, |last| lines.len().saturating_sub(last));
    let rto = view::rto(&glance.lines, args.run, None);
    for (line, rules) in lines.into_iter().skip(skipped) {
        if scene.streams.json {
            scene.streams.document_line("changeover.line/v1", line)?;
            continue;
        }
        let mut says = view::log_line(line, rules);
        if let Some(rto) = rto.as_ref().filter(|it| it.line == line.seq && it.whole.is_some()) {
            says = format!("{says}; took {}", rto.says());
        }
        let paper = scene.streams.paper;
        scene.streams.answer(&render::log(line.seq, line.at, &line.by.name, &says, paper))?;
    }
    done()
}

fn show(args: &Show, scene: &mut Scene<'_>) -> Outcome {
    let glance = scene.desk.glance(&scene.desk.pick(None)?)?;
    let mut lines = view::with_rules(&glance.lines).skip_while(|it| it.0.seq != args.seq);
    let Some((line, rules)) = lines.next() else {
        let last = glance.lines.last().map_or(0, |line| line.seq);
        return Err(Fault::new(&E2012, format!("there is no entry {}", args.seq))
            .hint(format!("the journal has entries 1 to {last}")));
    };
    let entry = view::entry(line, lines.next().map(|it| it.0), rules);
    if scene.streams.json {
        scene.streams.document("changeover.entry/v1", entry)?;
    } else {
        let text = render::entry(&entry, scene.streams.paper);
        scene.streams.answer(&text)?;
    }
    done()
}

fn verify(scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(None)?;
    let verified = match scene.desk.verify(&system) {
        Ok(verified) => verified,
        // Whatever is wrong with the journal: this verb proves, and the proof has failed.
        Err(fault) => {
            crate::cli::problem::told(&fault, scene.streams);
            return Ok(Exit::Unverified.status());
        }
    };
    let record = &verified.life.record;
    let runs = record.runs;
    if scene.streams.json {
        scene.streams.document(
            "changeover.verified/v1",
            Verification {
                verified: true,
                lines: verified.lines,
                segments: verified.segments,
                runs,
                head: verified.head.hash,
                last: verified.at,
                torn_bytes: verified.torn,
                roles: record.roles.clone(),
                releases: record.releases.clone(),
            },
        )?;
        return done();
    }
    let (lines, segments) = (verified.lines, verified.segments);
    scene
        .streams
        .answer(&format!("journal verified: {lines} lines, head {}", verified.head.hash))?;
    scene.streams.answer(&format!(
        "  {}, {}, {}, last line {} UTC",
        many(u64::from(segments), "segment"),
        many(u64::from(runs), "run"),
        many(verified.blobs, "kept text"),
        verified.at.screen()
    ))?;
    if let Some(says) = standing(record) {
        scene.streams.answer(&format!("  by this journal: {says}"))?;
    }
    if verified.torn != 0 {
        let says = format!("  {} bytes after the last line: being written, or torn", verified.torn);
        scene.streams.answer(&says)?;
    }
    done()
}

/// Who is what with which release: `production hk v4.3.4, standby sydney v4.3.4`.
fn standing(record: &Record) -> Option<String> {
    let release =
        |site: &SiteName| record.releases.get(site).map_or("?", String::as_str).to_owned();
    let roles = match record.roles.as_ref()? {
        Roles::Settled { production } => {
            let others = record.releases.keys().filter(|it| *it != production);
            let lost = |site: &SiteName| record.quarantined.as_ref() == Some(site);
            let role = |site| if lost(site) { "quarantined" } else { "standby" };
            let mut said = vec![format!("production {production} {}", release(production))];
            said.extend(others.map(|it| format!("{} {it} {}", role(it), release(it))));
            said
        }
        Roles::Moving { from, to } => vec![
            format!("users move from {from} {}", release(from)),
            format!("to {to} {}", release(to)),
        ],
    };
    Some(roles.join(", "))
}

fn many(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
