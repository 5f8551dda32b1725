//! The table of sites, roles and releases, written between markers in a file of the repository.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use crate::actuator::Wire;
use crate::actuator::trouble::{Trouble, coded};
use crate::fault::E3902;
use crate::machine::Record;
use crate::model::{Change, Digest, Roles, SiteName, Verb};
use crate::port::{Action, Call, Seen, Sent};
use crate::workflow::Workflow;
use crate::workflow::step::params::StatusRender;

const BEGIN: &str = "<!-- changeover:status:begin -->";
const END: &str = "<!-- changeover:status:end -->";

pub(super) fn action(wire: Arc<Wire>, call: Call, with: StatusRender) -> Box<dyn Action> {
    Box::new(Status { wire, call, with })
}

#[derive(Debug)]
struct Status {
    wire: Arc<Wire>,
    call: Call,
    with: StatusRender,
}

#[async_trait]
impl Action for Status {
    async fn observe(&self) -> Seen {
        let file = &self.with.file;
        match self.texts() {
            Ok((_, before, after)) if before == after => {
                let says = "the table is as the journal says";
                Seen::Done { evidence: vec![self.wire.evidence(file, says)], facts: vec![] }
            }
            Ok((_, before, after)) => {
                let digest = |text: &str| Digest::of(text.as_bytes()).short();
                let changes = vec![Change {
                    verb: if before.is_empty() { Verb::Create } else { Verb::Change },
                    key: format!("file/{file}"),
                    old: (!before.is_empty()).then(|| digest(&before)),
                    new: Some(digest(&after)),
                    sentence: format!("Writes the table of sites and roles into {file}"),
                }];
                let evidence =
                    vec![self.wire.evidence(file, "the table is not as the journal says")];
                Seen::Todo { changes, evidence }
            }
            Err(says) => Seen::Failed { evidence: vec![coded(&self.wire, &E3902, file, says)] },
        }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        let done = self
            .texts()
            .and_then(|(path, _, after)| write(&path, &after).map_err(|error| error.to_string()));
        match done {
            Ok(()) => {
                let evidence = vec![self.wire.evidence(&self.with.file, "the table is written")];
                Sent::Accepted { evidence, facts: vec![] }
            }
            Err(says) => Trouble::harmless(&E3902, &self.with.file, says).sent(&self.wire),
        }
    }
}

impl Status {
    /// The file, its text now, and its text as it should be.
    fn texts(&self) -> Result<(PathBuf, String, String), String> {
        let file = Path::new(&self.with.file);
        if !file.components().all(|it| matches!(it, Component::Normal(_) | Component::CurDir)) {
            return Err("the file must lie in the workflow's folder".to_owned());
        }
        let path = self.wire.outside.folder.join(file);
        let before = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.to_string()),
        };
        let table = table(&self.call.workflow, &self.call.record);
        let after = placed(&before, &table)?;
        Ok((path, before, after))
    }
}

/// The text with the table between the markers; at its end if it has none.
fn placed(text: &str, table: &str) -> Result<String, String> {
    let block = format!("{BEGIN}\n{table}{END}");
    match (text.split_once(BEGIN), text.split_once(END)) {
        (Some((before, _)), Some((first, after))) if first.len() > before.len() => {
            Ok(format!("{before}{block}{after}"))
        }
        (None, None) => {
            let gap = match text {
                "" => "",
                text if text.ends_with('\n') => "\n",
                _ => "\n\n",
            };
            Ok(format!("{text}{gap}{block}\n"))
        }
        _ => Err("one of the two markers is missing, or they stand the wrong way round".to_owned()),
    }
}

fn table(workflow: &Workflow, record: &Record) -> String {
    let mut table = "| site | project | profile | region | role | release |\n".to_owned();
    table.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for (name, site) in &workflow.sites {
        let project = site.vars.get("gitlab").map_or("", String::as_str);
        let release = record.releases.get(name).map_or("unknown", String::as_str);
        let (profile, region, role) = (&site.aws.profile, &site.aws.region, role(record, name));
        // Writing to a string cannot fail.
        let _written =
            writeln!(table, "| {name} | {project} | {profile} | {region} | {role} | {release} |");
    }
    table
}

fn role(record: &Record, site: &SiteName) -> &'static str {
    match &record.roles {
        _ if record.quarantined.as_ref() == Some(site) => "quarantined",
        Some(Roles::Settled { production }) if production == site => "production",
        Some(Roles::Settled { .. }) => "standby",
        Some(Roles::Moving { from, .. }) if from == site => "being left",
        Some(Roles::Moving { .. }) => "being moved to",
        None => "unknown",
    }
}

/// Whole or not at all: a file beside it, synced, then renamed over it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().ok_or_else(|| std::io::Error::other("no folder"))?;
    std::fs::create_dir_all(folder)?;
    let beside = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, placed};

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = format!("# Head\n{BEGIN}\nold\n{END}\ntail without end");
        let after = placed(&text, "| new |\n").unwrap();
        assert_eq!(after, format!("# Head\n{BEGIN}\n| new |\n{END}\ntail without end"));
        assert_eq!(placed(&after, "| new |\n").unwrap(), after);
    }

    #[test]
    fn a_file_without_markers_gets_them_at_its_end() {
        assert_eq!(placed("", "t\n").unwrap(), format!("{BEGIN}\nt\n{END}\n"));
        assert_eq!(placed("a\n", "t\n").unwrap(), format!("a\n\n{BEGIN}\nt\n{END}\n"));
        assert!(placed(&format!("{END}\n{BEGIN}"), "t\n").is_err());
        assert!(placed(BEGIN, "t\n").is_err());
    }
}
