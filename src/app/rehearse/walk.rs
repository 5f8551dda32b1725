//! The people of a rehearsal: they give the command that is next, approve, accept, until the run is over or halts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::app::read;
use crate::app::rehearse::world::Stage;
use crate::app::rehearse::{Happened, Moment, Rehearsed, Wanted};
use crate::conductor::{
    Book, Command, Conductor, GivenUp, MayLose, Order, Parts, Progress, Reply, Watcher,
};
use crate::fault::{Exit, Fault};
use crate::journal::MemoryJournal;
use crate::machine::{Ended, Life, State};
use crate::model::{Actor, Identity, Kind, Phase, SiteName, StepId, SystemName, Time};
use crate::port::Clock;
use crate::view::Mark;
use crate::workflow::Workflow;

/// So many commands lead any run to its end.
const COMMANDS_MAX: usize = 200;

pub(super) struct Walk {
    stage: Stage,
    conductor: Conductor,
    workflow: Arc<Workflow>,
    person: String,
    told: Arc<Told>,
}

/// What was told, as long as somebody listens.
#[derive(Debug)]
struct Told {
    began: Mutex<Option<Time>>,
    moments: Mutex<Vec<Moment>>,
    measured: BTreeMap<StepId, i64>,
}

impl Told {
    fn add(&self, now: Time, what: Happened) {
        let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(began) = began {
            let after = now.seconds_since(began);
            let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
            moments.push(Moment { after, what });
        }
    }
}

impl Watcher for Told {
    fn tell(&self, progress: &Progress) {
        match progress {
            Progress::Phase { at, time } => {
                self.add(*time, Happened::Phase { phase: at.phase, way: at.way });
            }
            Progress::Ended { step, ended, says, time, took_ms, .. } => {
                let mark = match ended {
                    Ended::Done => Mark::Done,
                    Ended::Failed => Mark::Failed,
                    Ended::Unknown => Mark::Unknown,
                };
                let took = i64::try_from(took_ms / 1000).unwrap_or(i64::MAX);
                let assumed = !self.measured.contains_key(step);
                let (step, says) = (step.clone(), says.clone());
                let began = time.plus_seconds(-took);
                self.add(began, Happened::Step { step, mark, took, assumed, says });
            }
            Progress::Started { .. } | Progress::Seen { .. } | Progress::Said { .. } => (),
        }
    }
}

impl Walk {
    pub(super) fn new(
        system: &SystemName,
        workflow: Arc<Workflow>,
        text: String,
        stage: Stage,
        person: &str,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(stage.clock.clone());
        let told = Arc::new(Told {
            began: Mutex::default(),
            moments: Mutex::default(),
            measured: stage.takes.clone(),
        });
        let journal = Box::new(MemoryJournal::new(system.clone()));
        let watcher: Arc<dyn Watcher> = Arc::<Told>::clone(&told);
        // Nobody hands an order over: the other end is gone.
        let (_, inbox) = mpsc::channel(1);
        let conductor = Conductor::new(Parts {
            system: system.clone(),
            book: Book::new(journal, Life::default(), Arc::clone(&clock)),
            world: Arc::new(stage.clone()),
            clock,
            workflow: Arc::clone(&workflow),
            text,
            differs: vec![],
            watcher,
            inbox,
            expected: BTreeMap::new(),
            measured: stage.takes.clone(),
            // What was proven is not what is rehearsed.
            proven: BTreeMap::new(),
            fresh_id: "rehearsal".to_owned(),
            read,
        });
        Self { stage, conductor, workflow, person: person.to_owned(), told }
    }

    /// The whole plan, until it is over or halts.
    pub(super) async fn whole(self, wanted: &Wanted) -> Result<Rehearsed, Fault> {
        self.give(&self.person, Command::Init).await?;
        if wanted.kind == Kind::Rejoin {
            // There is nothing to rejoin before a site was lost.
            self.lose_production();
            self.to_the_end(self.failover()).await?;
            self.stage.so().lost = None;
        }
        if wanted.kind == Kind::Failover {
            self.lose_production();
        }
        self.stage.so().faults.clone_from(&wanted.faults);
        let began = self.stage.clock.now();
        *self.told.began.lock().unwrap_or_else(PoisonError::into_inner) = Some(began);
        let from = self.production();
        let reply = self.to_the_end(self.first(wanted)).await?;
        let met = self.stage.so().met.clone();
        let unmet = wanted.faults.keys().filter(|id| !met.contains(*id)).cloned().collect();
        let timeline =
            std::mem::take(&mut *self.told.moments.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Rehearsed {
            plan: wanted.kind,
            from,
            timeline,
            took: self.stage.clock.now().seconds_since(began),
            state: reply.state,
            exit: reply.exit,
            sentence: reply.sentence,
            next: reply.next,
            unmet,
        })
    }

    fn lose_production(&self) {
        self.stage.so().lost = Some(self.production());
    }

    fn production(&self) -> SiteName {
        let record = self.conductor.life().record;
        record.production().cloned().unwrap_or_else(|| self.stage.production.clone())
    }

    /// The command that opens the plan.
    fn first(&self, wanted: &Wanted) -> Command {
        let (auto, confirm, waive) = (false, None, vec![]);
        // A rehearsal is nothing that was proven, so none is refused for that.
        let unproven = || {
            let asked = self.workflow.limits.proven.is_some();
            asked.then(|| StepId::from("proven")).into_iter().collect()
        };
        match wanted.kind {
            Kind::Release => {
                let version = wanted.release.clone();
                Command::Start { version, auto, confirm, waive: unproven() }
            }
            Kind::Switchover => Command::Switchover { auto, confirm, waive: unproven() },
            Kind::Failover => self.failover(),
            Kind::Rejoin => Command::Rejoin { auto, waive },
            Kind::Drill => Command::Drill { waive, plan: None },
        }
    }

    fn failover(&self) -> Command {
        let confirm = self.workflow.other(&self.production()).cloned();
        // In memory nothing proves how old the standby's data is.
        let accept_data_loss = Some(MayLose::Unknown);
        Command::Failover(GivenUp { confirm, accept_data_loss, ..GivenUp::default() })
    }

    /// Gives this command, then whatever is next, until the run is over or halts.
    async fn to_the_end(&self, first: Command) -> Result<Reply, Fault> {
        let mut reply = self.give(&self.person, first).await?;
        for _ in 0..COMMANDS_MAX {
            let life = self.conductor.life();
            let (by, command) = match life.state {
                State::Steady | State::Halted { .. } => return Ok(reply),
                State::Asking { .. } => match self.approver(&life) {
                    Some(by) => (by, Command::Approve { comment: None, packet: None }),
                    None => return Ok(reply),
                },
                State::Ready { at } if at.phase == Phase::Soak => {
                    let planned = life.rules.soak_of(at.kind);
                    let planned = u64::try_from(planned).unwrap_or_default();
                    self.stage.clock.advance(Duration::from_secs(planned));
                    (self.person.clone(), Command::Accept)
                }
                // Nobody knows how something ended, and nobody can look.
                State::Settling { .. } if reply.exit == Exit::Unknown => return Ok(reply),
                State::Ready { .. } | State::Doing { .. } | State::Settling { .. } => {
                    let confirm = crate::view::target(&life, false).map(|it| it.site);
                    let next = Command::Next { auto: false, confirm, waive: vec![] };
                    (self.person.clone(), next)
                }
            };
            reply = self.give(&by, command).await?;
        }
        Ok(reply)
    }

    /// Somebody whose word is still missing.
    fn approver(&self, life: &Life) -> Option<String> {
        let gate = life.rules.gate.as_ref()?;
        let groups = gate.approvers.iter();
        let missing =
            groups.filter(|(group, count)| life.record.approvals_of(group) < usize::from(**count));
        let mut people = missing.filter_map(|(group, _)| self.workflow.people.get(group)).flatten();
        let free = |name: &&String| {
            (gate.requester_may || **name != self.person)
                && life.record.approvals.iter().all(|it| it.by != **name)
        };
        people.find(free).cloned()
    }

    async fn give(&self, by: &str, command: Command) -> Result<Reply, Fault> {
        let now = self.stage.clock.now();
        self.told.add(now, Happened::Typed { by: by.to_owned(), command: typed(&command) });
        let who = Actor { name: by.to_owned(), identity: Identity::Oidc };
        let reason = Some("rehearsal".to_owned());
        let order = Order { command, reason, dry_run: false };
        Box::pin(self.conductor.order(&order, &who)).await
    }
}

/// The command as a person would type it.
fn typed(command: &Command) -> String {
    let confirm = if let Command::Next { confirm, .. } = command {
        confirm.as_ref()
    } else if let Command::Failover(it) = command {
        it.confirm.as_ref()
    } else {
        None
    };
    let confirm = confirm.map(|it| format!(" --confirm {it}")).unwrap_or_default();
    let what = if let Command::Start { version, .. } = command { version.as_str() } else { "" };
    let line = format!("changeover {} {what}", command.name());
    format!("{}{confirm}", line.trim_end())
}
