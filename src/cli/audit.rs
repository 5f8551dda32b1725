//! `audit`: read and verify the journal.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::{Outcome, Scene, done};
use crate::fault::{E2012, Exit, Fault};
use crate::model::{Digest, Time};
use crate::view::{self, render};

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
    for (line, rules) in view::with_rules(&glance.lines) {
        let run = args.run.is_none_or(|run| line.run == Some(run));
        if !run || args.by.as_ref().is_some_and(|by| *by != line.by.name) {
            continue;
        }
        if scene.streams.json {
            scene.streams.document_line("changeover.line/v1", line)?;
            continue;
        }
        let says = view::log_line(line, rules);
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
    let runs = verified.life.record.runs;
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
            },
        )?;
        return done();
    }
    let (lines, segments) = (verified.lines, verified.segments);
    scene
        .streams
        .answer(&format!("journal verified: {lines} lines, head {}", verified.head.hash))?;
    scene.streams.answer(&format!(
        "  {segments} segments, {runs} runs, {} kept texts, last line {} UTC",
        verified.blobs,
        verified.at.screen()
    ))?;
    if verified.torn != 0 {
        let says = format!("  {} bytes after the last line: being written, or torn", verified.torn);
        scene.streams.answer(&says)?;
    }
    done()
}
