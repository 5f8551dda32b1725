//! `switch`: the group of records is moved to the site that is standby when the phase is entered.
//!
//! One batch a zone, in the order of the file: every record is patched in place and the next mark is
//! posted. A way back, and a failover, is done only when its own mark is the highest in each zone, even
//! where every record already leads to the right site: the number it takes is the one that a late request
//! of the move before would need, which is dead from then on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::{Batch, Client, Row, Trouble, Why};
use super::group::{self, Group, Named, Sites, ZoneNow};
use super::kept;
use super::marks::{self, Mark};
use super::whole::{known_sites, position};
use crate::actuator::Wire;
use crate::machine::Fact;
use crate::model::{Change, Evidence, Kind, SiteName, Verb, Way};
use crate::port::{Action, Call, Seen, Sent};
use crate::workflow::step::params::Move;

pub(in crate::actuator) fn action(wire: Arc<Wire>, call: Call, _: Move) -> Box<dyn Action> {
    Box::new(Swap {
        wire,
        call,
        planned: Mutex::default(),
        looked: AtomicBool::new(false),
        leads: Mutex::default(),
    })
}

#[derive(Debug)]
struct Swap {
    wire: Arc<Wire>,
    call: Call,
    /// What the last look led to.
    planned: Mutex<Vec<ZonePlan>>,
    /// The first look has been made; only that one may be at what an armed plan kept.
    looked: AtomicBool,
    /// The site that a drill's names led to at the last look before they were moved.
    leads: Mutex<Option<SiteName>>,
}

/// What is done in one zone.
#[derive(Clone, Debug)]
struct ZonePlan {
    zone: String,
    id: String,
    batch: Batch,
    changes: Vec<Change>,
}

/// One zone's batch as it would be sent now.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) zone: String,
    pub(super) id: String,
    pub(super) body: Value,
    pub(super) changes: Vec<Change>,
}

/// The batches that this move would send now, in their order.
///
/// # Errors
/// What was seen: records of somebody else, nothing to move, or nothing could be read.
pub(super) async fn prepared(wire: &Arc<Wire>, call: Call) -> Result<Vec<Prepared>, Vec<Evidence>> {
    let swap = Swap {
        wire: Arc::clone(wire),
        call,
        planned: Mutex::default(),
        looked: AtomicBool::default(),
        leads: Mutex::default(),
    };
    let seen = swap.look().await.map_err(|it| vec![it])?;
    if !matches!(seen, Seen::Todo { .. }) {
        return Err(seen.into_evidence());
    }
    let plans = swap.planned.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let one = |it: ZonePlan| Prepared {
        body: it.batch.body(),
        zone: it.zone,
        id: it.id,
        changes: it.changes,
    };
    Ok(plans.into_iter().map(one).collect())
}

/// What became of one zone's batch.
#[derive(Debug)]
enum Outcome {
    Landed,
    Failed(Trouble),
    NotSent,
}

#[async_trait]
impl Action for Swap {
    async fn observe(&self) -> Seen {
        match self.look().await {
            Ok(seen) => seen,
            Err(evidence) => Seen::Unknown { evidence: vec![evidence] },
        }
    }

    async fn apply(&self, changes: &[Change]) -> Sent {
        let plans = self.planned.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if plans.iter().flat_map(|it| &it.changes).ne(changes) || plans.is_empty() {
            let says = "these are not the changes of the last look; nothing was sent";
            return Sent::Refused { evidence: vec![self.wire.evidence("cloudflare", says)] };
        }
        let client = match Client::new(&self.wire, &self.call.workflow, Some(self.call.at)) {
            Ok(client) => client,
            Err(evidence) => return Sent::Refused { evidence: vec![evidence] },
        };
        let outcomes = if self.call.at.kind == Kind::Failover {
            side_by_side(&client, &plans).await
        } else {
            one_by_one(&client, &plans).await
        };
        self.told(&plans, outcomes)
    }

    fn intends(&self) -> Vec<Fact> {
        if self.call.at.kind == Kind::Drill {
            let leads = self.leads.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return leads.map(|from| Fact::Drilled { from }).into_iter().collect();
        }
        let (from, to) = (self.call.production.clone(), self.call.standby.clone());
        vec![Fact::RolesMoving { from, to }]
    }
}

impl Swap {
    async fn look(&self) -> Result<Seen, Evidence> {
        let call = &self.call;
        let sites = known_sites(&self.wire, call)?;
        let client = Client::new(&self.wire, &call.workflow, Some(call.at))?;
        let group = match self.armed() {
            Some(group) => group,
            None => Group::read(&client, &call.workflow, call.at.kind)
                .await
                .map_err(|it| it.evidence)?,
        };
        let call = &self.oriented(&group, &sites);
        let highest = |zone: &ZoneNow| zone.marks.last().cloned();
        let foreign: Vec<Evidence> = group
            .zones
            .iter()
            .filter_map(|it| Some((it, highest(it).filter(|m| !m.is_of(&call.record.journal))?)))
            .map(|(zone, mark)| marks::foreign(&self.wire, &zone.name, &mark))
            .collect();
        let count =
            |what| group.names.iter().filter(|it| position(it, call, &sites) == what).count();
        let (before, wanted, other) = (count("before"), count("wanted"), count("foreign"));
        let says = format!(
            "of {} records {wanted} lead to where they shall, {before} to where they did, {other} elsewhere",
            group.names.len()
        );
        let more = match (other > 0, before > 0 && wanted > 0) {
            (true, _) => json!({ "code": "E3102" }),
            (false, true) => json!({ "half": true }),
            (false, false) => Value::Null,
        };
        let verdict = |it: &Named| position(it, call, &sites);
        let mut evidence = vec![group::evidence(&client, &group, says, verdict, more)];
        if other > 0 || !foreign.is_empty() {
            evidence.extend(foreign);
            return Ok(Seen::Foreign { evidence });
        }
        if group.names.is_empty() || self.drills_on_users(&group) {
            return Ok(Seen::Failed { evidence });
        }
        let plans = self.plan(call, &group, &sites);
        let changes: Vec<Change> = plans.iter().flat_map(|it| it.changes.clone()).collect();
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = plans;
        if changes.is_empty() {
            return Ok(Seen::Done { evidence, facts: self.marks_seen(&group) });
        }
        Ok(Seen::Todo { changes, evidence })
    }

    /// What an armed plan kept, at the first look: the marks fence what it leads to.
    fn armed(&self) -> Option<Group> {
        let first = !self.looked.swap(true, Ordering::SeqCst);
        let kept = self.call.kept.as_ref().filter(|_| first)?;
        kept::group(&self.call.workflow, kept)
    }

    fn marks_seen(&self, group: &Group) -> Vec<Fact> {
        let fact = |zone: &ZoneNow| {
            let number = zone.marks.last()?.number;
            Some(Fact::Mark { zone: marks::key(&zone.name, self.call.at.kind), number })
        };
        group.zones.iter().filter_map(fact).collect()
    }

    /// The call with the roles that a drill's names have before they are first moved; nobody has to put them
    /// back after a release has left them where they were. Half-way names have those of production.
    fn oriented(&self, group: &Group, sites: &Sites) -> Call {
        let mut call = self.call.clone();
        if call.at.kind != Kind::Drill || call.record.drilled.is_some() {
            return call;
        }
        let forth = call.at.way == Way::Forth;
        let here = if forth { call.production.clone() } else { call.standby.clone() };
        let mut first = self.leads.lock().unwrap_or_else(PoisonError::into_inner);
        let lead = || group::production_of(group, sites).unwrap_or_else(|_| here.clone());
        // What the first look saw: later ones may see what this very action has moved.
        let leads = first.clone().unwrap_or_else(lead);
        if leads != here {
            std::mem::swap(&mut call.production, &mut call.standby);
        }
        *first = forth.then_some(leads);
        call
    }

    /// Whatever the file says, a drill moves none of the switch's own names.
    fn drills_on_users(&self, group: &Group) -> bool {
        let users = self.call.workflow.records(Kind::Release);
        let moved = |name: &str| group.names.iter().any(|it| it.name == name);
        self.call.at.kind == Kind::Drill
            && users.iter().any(|it| moved(&it.production) || moved(&it.standby))
    }

    fn plan(&self, call: &Call, group: &Group, sites: &Sites) -> Vec<ZonePlan> {
        let zones = group.zones.iter().enumerate();
        zones.filter_map(|(at, zone)| self.plan_zone(call, group, sites, at, zone)).collect()
    }

    fn plan_zone(
        &self,
        call: &Call,
        group: &Group,
        sites: &Sites,
        at: usize,
        zone: &ZoneNow,
    ) -> Option<ZonePlan> {
        let mut here = group.names.iter().filter(|it| it.zone == at).peekable();
        here.peek()?;
        let late_ones_possible = call.at.way == Way::Back || call.at.kind == Kind::Failover;
        let fenced = zone.marks.last().is_some_and(|it| it.is_move_of(call));
        let (mut batch, mut changes) = (Batch::default(), vec![]);
        for named in here.filter(|it| position(it, call, sites) == "before") {
            let to = if named.as_production { &call.standby } else { &call.production };
            let new = sites.get(to).and_then(|own| own.get(named.record.as_str()));
            if let (Ok(row), Some(new)) = (&named.row, new) {
                batch.patches.push(self.patch(named, row, new));
                changes.push(Change {
                    verb: Verb::Change,
                    key: format!("cloudflare/{}/{}/{}", zone.name, row.id, named.name),
                    old: Some(row.content.clone()),
                    new: Some(new.clone()),
                    sentence: format!("{} leads to {to}", named.name),
                });
            }
        }
        if changes.is_empty() && (fenced || !late_ones_possible) {
            return None;
        }
        self.plan_marks(zone, &mut batch, &mut changes);
        Some(ZonePlan { zone: zone.name.clone(), id: zone.id.clone(), batch, changes })
    }

    fn patch(&self, named: &Named, row: &Row, new: &str) -> Value {
        let (system, epoch) = (&self.call.workflow.system, self.call.record.epoch);
        json!({
            "id": row.id, "type": row.r#type, "name": row.name, "content": new, "ttl": row.ttl,
            "proxied": row.proxied,
            "comment": marks::cut(&format!("changeover {system} {} epoch {epoch}", named.record)),
        })
    }

    /// The next mark, and the removal of those that nothing sent can need any more.
    fn plan_marks(&self, zone: &ZoneNow, batch: &mut Batch, changes: &mut Vec<Change>) {
        let call = &self.call;
        let name = format!("{}.{}", marks::mark_name(&call.workflow, call.at.kind), zone.name);
        let known = call.record.marks.get(&marks::key(&zone.name, call.at.kind)).copied();
        let seen = zone.marks.last().map(|it| it.number);
        let number = known.max(seen).unwrap_or(0) + 1;
        let now = self.wire.clock.now();
        let past = zone.marks.iter().rev().skip(1).rev();
        for old in past.filter(|it: &&Mark| it.is_of(&call.record.journal) && it.is_old(now)) {
            batch.deletes.push(json!({ "id": old.id }));
            changes.push(Change {
                verb: Verb::Delete,
                key: format!("cloudflare/{}/{}/{name}", zone.name, old.id),
                old: Some(format!("e={}", old.number)),
                new: None,
                sentence: format!("mark {} of {} is older than a day", old.number, zone.name),
            });
        }
        batch.posts.push(marks::post(&name, number, &marks::comment(call)));
        changes.push(Change {
            verb: Verb::Create,
            key: format!("cloudflare/{}/{name}", zone.name),
            old: None,
            new: Some(format!("e={number}")),
            sentence: format!("mark {number} of {} fences this move", zone.name),
        });
    }

    /// Refused only when nothing changed at all; half a move is accepted, and seen as half by the next look.
    fn told(&self, plans: &[ZonePlan], outcomes: Vec<Outcome>) -> Sent {
        let mut evidence = vec![];
        let (mut landed, mut missing, mut unknown) = (vec![], vec![], false);
        for (plan, outcome) in plans.iter().zip(outcomes) {
            match outcome {
                Outcome::Landed => landed.push(plan.zone.as_str()),
                Outcome::NotSent => missing.push(plan.zone.as_str()),
                Outcome::Failed(trouble) => {
                    missing.push(plan.zone.as_str());
                    unknown |= trouble.kind == Why::Unknown;
                    if trouble.kind == Why::Taken {
                        evidence.push(self.taken(&plan.zone));
                    }
                    evidence.push(trouble.evidence);
                }
            }
        }
        let half = !landed.is_empty() && !missing.is_empty();
        let says = match (half, unknown, landed.is_empty()) {
            (true, _, _) => {
                format!("half done: {} moved, {} not", landed.join(", "), missing.join(", "))
            }
            (false, true, _) => format!("nobody knows whether {} moved", missing.join(", ")),
            (false, false, true) => format!("nothing moved in {}", missing.join(", ")),
            (false, false, false) => format!("moved in {}", landed.join(", ")),
        };
        let data = json!({ "half": half, "landed": landed, "not": missing });
        evidence.insert(0, self.wire.evidence_with("cloudflare", says, data));
        if unknown {
            Sent::Unknown { evidence }
        } else if landed.is_empty() {
            Sent::Refused { evidence }
        } else {
            Sent::Accepted { evidence, facts: vec![] }
        }
    }

    fn taken(&self, zone: &str) -> Evidence {
        let says =
            format!("somebody else moved {zone} first: the mark that this move needs is taken");
        let data = json!({ "code": "E3104", "zone": zone });
        self.wire.evidence_with(&format!("cloudflare {zone}"), says, data)
    }
}

/// Users are right if a later batch fails: production's zone is the first of the file.
async fn one_by_one(client: &Client, plans: &[ZonePlan]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = vec![];
    for plan in plans {
        let go_on = outcomes.iter().all(|it| matches!(it, Outcome::Landed));
        outcomes.push(if go_on { send(client, plan).await } else { Outcome::NotSent });
    }
    outcomes
}

/// A zone that hangs does not keep the other one from moving.
async fn side_by_side(client: &Client, plans: &[ZonePlan]) -> Vec<Outcome> {
    let mut set = JoinSet::new();
    for (position, plan) in plans.iter().enumerate() {
        let (client, plan) = (client.clone(), plan.clone());
        set.spawn(async move { (position, send(&client, &plan).await) });
    }
    // What a task that ended badly has sent, nobody knows.
    let lost = |plan: &ZonePlan| {
        let says = format!("the batch of {} was not followed to its end", plan.zone);
        let evidence = client.wire.evidence("cloudflare", says);
        Outcome::Failed(Trouble { kind: Why::Unknown, evidence })
    };
    let mut outcomes: Vec<Outcome> = plans.iter().map(lost).collect();
    while let Some(ended) = set.join_next().await {
        if let Ok((position, outcome)) = ended
            && let Some(place) = outcomes.get_mut(position)
        {
            *place = outcome;
        }
    }
    outcomes
}

async fn send(client: &Client, plan: &ZonePlan) -> Outcome {
    match client.batch(&plan.zone, &plan.id, &plan.batch).await {
        Ok(()) => Outcome::Landed,
        Err(trouble) => Outcome::Failed(trouble),
    }
}
