//! The journal's disk takes nothing more while production is given up: the way on is named.

use crate::app::{Settings, glance};
use crate::conductor::Command;
use crate::fault::{E4001, E4007, E4010, Fault};
use crate::model::SystemName;

/// The same fault; in a failover with what a person can do at once, before anybody has mended the disk.
pub(super) fn way_on(
    fault: Fault,
    settings: &Settings,
    system: &SystemName,
    command: &Command,
) -> Fault {
    if ![&E4001, &E4007, &E4010].contains(&fault.code) {
        return fault;
    }
    // What can still be read says whether the consent was written down.
    let begun = glance(settings, system).is_ok_and(|it| it.life.record.failing_over().is_some());
    let does = match (begun, matches!(command, Command::Failover(_))) {
        (true, _) => {
            format!("changeover -s {system} failover --journal DIR goes on from where it stands")
        }
        (false, true) => "the same command with --journal DIR does it all the same".to_owned(),
        (false, false) => return fault,
    };
    fault.hint(format!(
        "if this disk is dead: {does}, with a copy of the journal in DIR, on another disk"
    ))
}
