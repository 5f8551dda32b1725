//! Who has approved, who is missing, what was shown, until when.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::machine::{Standing, State};
use crate::model::{Digest, Phase, Time, Way};
use crate::view::Look;

/// One group's part of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupOfPeople {
    /// The group.
    pub group: String,
    /// How many it needs.
    pub needed: usize,
    /// Who has approved, and when.
    pub approved: Vec<Standing>,
    /// Who still could; empty when enough have, or when the workflow cannot be read.
    pub could: Vec<String>,
}

/// A gate that people are asked at, or whose approvals stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// The digest of what was shown; approvals are bound to it.
    pub packet: Digest,
    /// What it covers, by name.
    pub parts: BTreeMap<String, String>,
    /// When it expires, while it waits.
    pub until: Option<Time>,
    /// By group.
    pub groups: Vec<GroupOfPeople>,
    /// Who may not approve: the person who started the run.
    pub not: Option<String>,
}

impl Gate {
    /// How many approvals stand that count, and how many are needed.
    pub fn tally(&self) -> (usize, usize) {
        let got = self.groups.iter().map(|it| it.approved.len().min(it.needed)).sum();
        (got, self.groups.iter().map(|it| it.needed).sum())
    }
}

/// The gate of the open run, from its packet to the swap.
pub(crate) fn gate(look: &Look<'_>) -> Option<Gate> {
    let record = &look.life.record;
    let at = look.life.state.at()?;
    if at.way != Way::Forth || !matches!(at.phase, Phase::Validate | Phase::Swap) {
        return None;
    }
    let (packet, rule) = (record.packet?, look.life.rules.gate.as_ref()?);
    let requester = record.run.as_ref().map(|run| run.requester.clone());
    let not = requester.filter(|_| !rule.requester_may);
    let until = match look.life.state {
        State::Asking { until, .. } => Some(until),
        State::Steady
        | State::Doing { .. }
        | State::Ready { .. }
        | State::Settling { .. }
        | State::Halted { .. } => None,
    };
    let groups = rule.approvers.iter().map(|(group, needed)| {
        let standing = record.approvals.iter().filter(|it| it.groups.contains(group));
        let approved: Vec<_> = standing.cloned().collect();
        let needed = usize::from(*needed);
        let could =
            if approved.len() >= needed { vec![] } else { could(look, group, not.as_deref()) };
        GroupOfPeople { group: group.clone(), needed, approved, could }
    });
    let groups = groups.collect();
    Some(Gate { packet, parts: record.packet_parts.clone(), until, groups, not })
}

fn could(look: &Look<'_>, group: &str, not: Option<&str>) -> Vec<String> {
    let people = look.workflow.and_then(|it| it.people.get(group)).into_iter().flatten();
    let has = |name: &String| look.life.record.approvals.iter().any(|it| it.by == *name);
    people.filter(|name| !has(name) && not != Some(name.as_str())).cloned().collect()
}
