//! The ledger of a system: its journal's lines against the workflow as the file has it now.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::{Settings, folder, read, read_own, text_of};
use crate::fault::Fault;
use crate::journal;
use crate::model::{Digest, StepId, SystemName, Time};
use crate::port::Line;
use crate::view::{self, LedgerRow};
use crate::workflow::Workflow;

/// When each step of each plan was last proven, and when that was looked up. Locks nothing.
///
/// # Errors
/// The journal is damaged, or the workflow's file cannot be read.
pub fn ledger(settings: &Settings, system: &SystemName) -> Result<(Vec<LedgerRow>, Time), Fault> {
    let (text, file) = text_of(settings, system)?;
    let workflow = read_own(system, &text, &file)?;
    let lines = journal::read(&folder(settings, system))?;
    let lines: Vec<Line> = lines.into_iter().map(|it| it.line).collect();
    Ok((rows(settings, system, &workflow, &lines), settings.clock.now()))
}

/// When each step was last proven as it is written now.
pub(super) fn proven(
    settings: &Settings,
    system: &SystemName,
    workflow: &Workflow,
    lines: &[Line],
) -> BTreeMap<StepId, Time> {
    // Read only where somebody asks for it: every command comes by here.
    if workflow.limits.proven.is_none() {
        return BTreeMap::new();
    }
    let rows = rows(settings, system, workflow, lines);
    rows.into_iter().filter_map(|it| Some((it.step.clone(), it.proven()?))).collect()
}

fn rows(
    settings: &Settings,
    system: &SystemName,
    workflow: &Workflow,
    lines: &[Line],
) -> Vec<LedgerRow> {
    let dir = folder(settings, system);
    let kept = |digest: &Digest| {
        let text = journal::kept(&dir, digest).ok()?;
        read(&text, system.as_str()).ok().map(Arc::new)
    };
    view::ledger(workflow, lines, &kept)
}
