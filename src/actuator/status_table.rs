//! The table of sites, roles and releases, written between markers in a file of the repository, from what was
//! read of the world at that moment.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;

use crate::actuator::trouble::{Trouble, coded};
use crate::actuator::{Actuators, survey};
use crate::fault::E3902;
use crate::machine::{Life, Rules, State};
use crate::model::{Change, Digest, Evidence, Verb};
use crate::port::{Action, Call, Seen, Sent};
use crate::view::{OBSERVED, Observed, Table, table};
use crate::workflow::Workflow;
use crate::workflow::step::Params;
use crate::workflow::step::params::StatusRender;

const BEGIN: &str = "<!-- changeover:status:begin -->";
const END: &str = "<!-- changeover:status:end -->";

pub(super) fn action(world: Actuators, call: Call, with: StatusRender) -> Box<dyn Action> {
    Box::new(Status { world, call, with })
}

#[derive(Debug)]
struct Status {
    world: Actuators,
    call: Call,
    with: StatusRender,
}

/// A file as it is and as it should be.
struct Texts {
    path: PathBuf,
    before: String,
    after: String,
    /// It has this very table, whenever that was known.
    same: bool,
    /// The digest of its rows, whenever they are known.
    wanted: String,
    /// When that was, as the file says it.
    known: String,
}

#[async_trait]
impl Action for Status {
    async fn observe(&self) -> Seen {
        let (file, wire) = (&self.with.file, &self.world.wire);
        match self.texts().await {
            Ok(it) if it.same && it.known.as_str() >= self.entered().as_str() => {
                let says = "the table is as the world is";
                Seen::Done { evidence: vec![wire.evidence(file, says)], facts: vec![] }
            }
            Ok(it) => {
                let digest = |text: &str| Digest::of(text.as_bytes()).short();
                let changes = vec![Change {
                    verb: if it.before.is_empty() { Verb::Create } else { Verb::Change },
                    key: format!("file/{file}"),
                    old: (!it.before.is_empty()).then(|| digest(&it.before)),
                    new: Some(it.wanted),
                    sentence: format!("Writes the table of sites and roles into {file}"),
                }];
                let evidence = vec![wire.evidence(file, "the table is not as the world is")];
                Seen::Todo { changes, evidence }
            }
            Err(says) => Seen::Failed { evidence: vec![coded(wire, &E3902, file, says)] },
        }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        let wire = &self.world.wire;
        let done = self
            .texts()
            .await
            .and_then(|it| write(&it.path, &it.after).map_err(|error| error.to_string()));
        match done {
            Ok(()) => {
                let evidence = vec![wire.evidence(&self.with.file, "the table is written")];
                Sent::Accepted { evidence, facts: vec![] }
            }
            Err(says) => Trouble::harmless(&E3902, &self.with.file, says).sent(wire),
        }
    }
}

impl Status {
    /// When this phase was entered: a table known before that is written anew.
    fn entered(&self) -> String {
        let run = self.call.record.run.as_ref();
        let entered = run.and_then(|run| run.entered.get(&self.call.at.phase));
        entered.map(|it| it.screen()).unwrap_or_default()
    }

    async fn texts(&self) -> Result<Texts, String> {
        let call = &self.call;
        let at = call.at;
        let life = Life {
            record: (*call.record).clone(),
            state: State::Ready { at },
            rules: Rules::of(&call.workflow),
        };
        let observed = observe(&self.world, &call.workflow).await;
        let table = table(&call.workflow, &life, Some(&observed), observed.at);
        texts(&self.world, &self.with.file, &table)
    }
}

/// Writes every table that the workflow wants, outside its own step: on every way out and when a cutover
/// halts.
///
/// # Errors
/// The first that could not be written.
pub(super) async fn publish(
    world: &Actuators,
    workflow: &Workflow,
    life: &Life,
    ask: bool,
) -> Result<(), Evidence> {
    let files = workflow.all_steps().filter_map(|step| {
        let params = Params::read(step.kind(), &step.with)?.ok()?;
        if let Params::StatusRender(it) = params { Some(it.file) } else { None }
    });
    let files: BTreeSet<String> = files.collect();
    if files.is_empty() {
        return Ok(());
    }
    let observed = if ask { Some(observe(world, workflow).await) } else { None };
    let table = table(workflow, life, observed.as_ref(), world.wire.clock.now());
    for file in &files {
        let written = texts(world, file, &table).and_then(|it| {
            if it.same { Ok(()) } else { write(&it.path, &it.after).map_err(|it| it.to_string()) }
        });
        written.map_err(|says| coded(&world.wire, &E3902, file, says))?;
    }
    Ok(())
}

/// Roles as the switch says them, releases as the sites answer.
async fn observe(world: &Actuators, workflow: &Workflow) -> Observed {
    let at = world.wire.clock.now();
    match survey::survey(world, &world.wire, workflow).await {
        Ok(it) => {
            let says = it.evidence.into_iter().map(|it| it.says).collect();
            Observed { at, production: Some(it.production), releases: it.releases, says }
        }
        Err(evidence) => {
            let (releases, seen) = survey::releases(world, &world.wire, workflow).await;
            let says = evidence.into_iter().chain(seen).map(|it| it.says).collect();
            Observed { at, production: None, releases, says }
        }
    }
}

fn texts(world: &Actuators, file: &str, table: &Table) -> Result<Texts, String> {
    let file = Path::new(file);
    if !file.components().all(|it| matches!(it, Component::Normal(_) | Component::CurDir)) {
        return Err("the file must lie in the workflow's folder".to_owned());
    }
    let path = world.wire.outside.folder.join(file);
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => format!("{BEGIN}\n{END}\n"),
        Err(error) => return Err(error.to_string()),
    };
    let (head, own, tail) = parted(&before)?;
    let same = table.is_in(own);
    let known = own.split(OBSERVED).nth(1).unwrap_or_default().chars().take(19).collect();
    let after = format!("{head}\n{}{tail}", table.markdown());
    let before = if path.exists() { before } else { String::new() };
    let wanted = Digest::of(table.rows.concat().join("|").as_bytes()).short();
    Ok(Texts { path, before, after, same, wanted, known })
}

/// The text up to and with the first marker, what stands between, and the rest from the second marker on.
fn parted(text: &str) -> Result<(&str, &str, &str), String> {
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let places = |marker: &str| text.match_indices(marker).map(|it| it.0).collect::<Vec<_>>();
    let (begins, ends) = (places(BEGIN), places(END));
    match (&begins[..], &ends[..]) {
        ([begin], [end]) if begin < end => {
            let inner = begin + BEGIN.len();
            Ok((&text[..inner], &text[inner..*end], &text[*end..]))
        }
        ([], []) => Err(format!(
            "it has {} lines and no marker: put `{BEGIN}` and `{END}` where the table shall stand",
            text.lines().count()
        )),
        ([begin], [end]) => Err(format!(
            "line {}: `{END}` stands before `{BEGIN}` in line {}",
            line(*end),
            line(*begin)
        )),
        ([_, second, ..], _) => {
            Err(format!("line {}: a second `{BEGIN}`; one table has one", line(*second)))
        }
        (_, [_, second, ..]) => {
            Err(format!("line {}: a second `{END}`; one table has one", line(*second)))
        }
        ([begin], []) => Err(format!("line {}: `{BEGIN}` without `{END}`", line(*begin))),
        ([], [end]) => Err(format!("line {}: `{END}` without `{BEGIN}`", line(*end))),
    }
}

/// Whole or not at all: a file beside it, synced, then renamed over it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().ok_or_else(|| std::io::Error::other("no folder"))?;
    std::fs::create_dir_all(folder)?;
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = std::fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BEGIN, END, parted};

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = format!("# Head\r\n  {BEGIN} \nold\n{END}\ttail without end");
        let (head, own, tail) = parted(&text).unwrap();
        assert_eq!(head, format!("# Head\r\n  {BEGIN}"));
        assert_eq!(own, " \nold\n");
        assert_eq!(tail, format!("{END}\ttail without end"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let said = |text: &str| parted(text).unwrap_err();
        assert!(said("a\nb\n").contains("2 lines and no marker"));
        assert!(said(&format!("a\n{BEGIN}\n")).starts_with("line 2: "));
        assert!(said(&format!("a\n\n{END}\n")).starts_with("line 3: "));
        assert!(said(&format!("{END}\n{BEGIN}\n")).starts_with("line 1: "));
        assert!(said(&format!("{BEGIN}\n{BEGIN}\n{END}\n")).starts_with("line 2: a second"));
        assert!(said(&format!("{BEGIN}\n{END}\nx{END}\n")).starts_with("line 3: a second"));
    }

    proptest! {
        #[test]
        fn text_outside_is_kept_byte_for_byte(head in "[^<]{0,40}", old in "[^<]{0,40}", tail in "[^<]{0,40}") {
            let text = format!("{head}{BEGIN}{old}{END}{tail}");
            let (before, own, after) = parted(&text).unwrap();
            prop_assert_eq!(before, format!("{head}{BEGIN}"));
            prop_assert_eq!(own, old);
            prop_assert_eq!(after, format!("{END}{tail}"));
        }
    }
}
