//! Preflight in virtual time: side by side, within its whole, and one that hangs hides nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use changeover::conductor::{Book, Command, Conductor, NoWatcher, Parts};
use changeover::fault::Exit;
use changeover::journal::MemoryJournal;
use changeover::machine::{Body, Input};
use changeover::model::{Evidence, Owned, Sight, SiteName, StepId, SystemName, Time, Verdict};
use changeover::port::{Action, Call, Check, Clock, Finding, Survey, World};
use changeover::workflow::Workflow;
use tokio::sync::mpsc;

use super::rig::{TEXT, fold, person, plain, start};

/// How many checks there are; check `i` takes between one and ten seconds.
const CHECKS: usize = 30;

/// Time that stands while anybody can work, and then goes to the next moment for which somebody waits.
#[derive(Clone, Debug, Default)]
struct Virtual(Arc<Mutex<Hands>>);

#[derive(Debug, Default)]
struct Hands {
    now: Duration,
    waiting: BTreeMap<(Duration, u64), Waker>,
    last: u64,
}

impl Virtual {
    /// Moves time on whenever nobody else has anything to do.
    async fn tick(&self) {
        loop {
            // Whoever can go on does so first; a chain of this many steps has come to rest.
            for _ in 0..500 {
                tokio::task::yield_now().await;
            }
            let mut hands = self.0.lock().unwrap();
            if let Some(((at, _), waker)) = hands.waiting.pop_first() {
                hands.now = hands.now.max(at);
                waker.wake();
            }
        }
    }
}

#[async_trait]
impl Clock for Virtual {
    fn now(&self) -> Time {
        let passed = i64::try_from(self.monotonic().as_secs()).unwrap();
        Time::parse("2026-11-21T08:00:00Z").unwrap().plus_seconds(passed)
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    async fn sleep(&self, lasting: Duration) {
        let key = {
            let mut hands = self.0.lock().unwrap();
            hands.last += 1;
            (hands.now + lasting, hands.last)
        };
        std::future::poll_fn(|context| {
            let mut hands = self.0.lock().unwrap();
            if hands.now >= key.0 {
                return Poll::Ready(());
            }
            hands.waiting.insert(key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Checks that take their time; one of them may hang.
#[derive(Debug)]
struct Slow {
    clock: Virtual,
    hangs: Option<StepId>,
    fails: Option<StepId>,
}

struct Look {
    clock: Virtual,
    lasts: Option<Duration>,
    verdict: Verdict,
}

#[async_trait]
impl Check for Look {
    async fn look(&self) -> Finding {
        match self.lasts {
            Some(lasts) => self.clock.sleep(lasts).await,
            None => std::future::pending().await,
        }
        let (source, at) = ("script".to_owned(), Time::default());
        let says = "looked at".to_owned();
        let evidence = Evidence { source, at, says, data: serde_json::Value::Null };
        Finding { verdict: self.verdict, evidence: vec![evidence], facts: vec![] }
    }
}

#[async_trait]
impl World for Slow {
    fn check(&self, call: Call) -> Box<dyn Check> {
        let number: u64 = call.step.as_str().trim_start_matches("check-").parse().unwrap_or(0);
        let hangs = self.hangs.as_ref() == Some(&call.step);
        let lasts = (!hangs).then(|| Duration::from_secs(1 + number % 10));
        let verdict =
            if self.fails.as_ref() == Some(&call.step) { Verdict::Fail } else { Verdict::Pass };
        Box::new(Look { clock: self.clock.clone(), lasts, verdict })
    }

    fn action(&self, _: Call) -> Box<dyn Action> {
        panic!("preflight changes nothing")
    }

    async fn addresses(
        &self,
        _: &Workflow,
        _: &SiteName,
    ) -> Result<BTreeMap<String, String>, Evidence> {
        Ok(BTreeMap::new())
    }

    async fn survey(&self, _: &Workflow) -> Result<Survey, Vec<Evidence>> {
        Ok(Survey {
            production: "hk".into(),
            releases: BTreeMap::new(),
            addresses: BTreeMap::new(),
            marks: BTreeMap::new(),
            evidence: vec![],
        })
    }

    async fn sight(&self, _: &Workflow, _: &Owned, _: Duration) -> Sight {
        Sight::default()
    }

    async fn first_marks(
        &self,
        _: &Workflow,
        _: &str,
        _: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        Ok(BTreeMap::new())
    }

    async fn take_marks(
        &self,
        _: &Workflow,
        _: &str,
        _: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        Ok(BTreeMap::new())
    }
}

/// The sample with this many checks in its preflight, all with the step's long time-out.
fn text() -> String {
    let list: String =
        (0..CHECKS).map(|it| format!("    - {{ id: check-{it}, check: dns.ttl }}\n")).collect();
    let (before, rest) = TEXT.split_once("  preflight:\n").unwrap();
    let (_, after) = rest.split_once("  deploy:\n").unwrap();
    format!("{before}  preflight:\n{list}  deploy:\n{after}")
}

fn read(text: &str, _: &str) -> Result<Workflow, changeover::fault::Fault> {
    let data: serde_json::Value = serde_yaml::from_str(text).unwrap();
    Ok(serde_json::from_value(data).unwrap())
}

/// One system with a slow world.
struct Rig {
    clock: Virtual,
    journal: MemoryJournal,
    world: Arc<Slow>,
}

impl Rig {
    fn new(hangs: Option<&str>, fails: Option<&str>) -> Self {
        let clock = Virtual::default();
        let (hangs, fails) = (hangs.map(StepId::from), fails.map(StepId::from));
        let world = Arc::new(Slow { clock: clock.clone(), hangs, fails });
        Self { clock, journal: MemoryJournal::new(SystemName::from("gigadb")), world }
    }

    async fn tell(&self, order: changeover::conductor::Order) -> changeover::conductor::Reply {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let (_sender, inbox) = mpsc::channel(4);
        let conductor = Conductor::new(Parts {
            system: SystemName::from("gigadb"),
            book: Book::new(
                Box::new(self.journal.clone()),
                fold(&self.journal),
                Arc::clone(&clock),
            ),
            world: Arc::clone(&self.world) as Arc<dyn World>,
            clock,
            workflow: Arc::new(read(&text(), "").unwrap()),
            text: text(),
            differs: vec![],
            watcher: Arc::new(NoWatcher),
            inbox,
            expected: BTreeMap::new(),
            measured: BTreeMap::new(),
            proven: BTreeMap::new(),
            fresh_id: "0123456789abcdef".to_owned(),
            read,
        });
        let who = person("rob");
        tokio::select! {
            biased;
            reply = conductor.order(&order, &who) => reply.unwrap(),
            () = self.clock.tick() => unreachable!(),
        }
    }

    /// Seconds that an order takes, and its answer.
    async fn timed(&self, command: Command) -> (f64, changeover::conductor::Reply) {
        let before = self.clock.monotonic();
        let reply = self.tell(plain(command)).await;
        ((self.clock.monotonic() - before).as_secs_f64(), reply)
    }

    fn verdicts(&self) -> BTreeMap<StepId, Verdict> {
        fold(&self.journal).record.verdicts
    }
}

#[tokio::test]
async fn the_whole_takes_hardly_longer_than_the_slowest_check() {
    let rig = Rig::new(None, None);
    rig.tell(plain(Command::Init)).await;
    let (took, reply) = rig.timed(start()).await;
    assert_eq!(reply.exit, Exit::Done, "{}", reply.sentence);
    println!("preflight: {CHECKS} checks of 1 to 10 s took {took} s");
    assert!((10.0..=11.0).contains(&took), "{took} s, and the slowest takes 10");
    assert_eq!(rig.verdicts().len(), CHECKS);
}

#[tokio::test]
async fn a_dry_run_looks_side_by_side_too() {
    let rig = Rig::new(Some("check-3"), None);
    rig.tell(plain(Command::Init)).await;
    let order = changeover::conductor::Order { dry_run: true, ..plain(start()) };
    let before = rig.clock.monotonic();
    let plan = rig.tell(order).await.plan.unwrap();
    let took = (rig.clock.monotonic() - before).as_secs();
    assert_eq!(took, 120, "the whole of preflight");
    let of = |verdict: &str| plan.steps.iter().filter(|it| it.verdict == verdict).count();
    assert_eq!((of("pass"), of("unknown")), (CHECKS - 1, 1));
}

#[tokio::test]
async fn what_has_not_ended_by_the_deadline_is_unknown_and_hides_nothing() {
    let rig = Rig::new(Some("check-7"), Some("check-8"));
    rig.tell(plain(Command::Init)).await;
    let (took, reply) = rig.timed(start()).await;
    assert_eq!(reply.exit, Exit::Refused);
    assert!((120.0..=121.0).contains(&took), "{took} s, and the whole is 120");
    let verdicts = rig.verdicts();
    assert_eq!(verdicts.len(), CHECKS);
    assert_eq!(verdicts[&"check-7".into()], Verdict::Unknown);
    assert_eq!(verdicts[&"check-8".into()], Verdict::Fail);
    let passed = verdicts.values().filter(|it| **it == Verdict::Pass).count();
    assert_eq!(passed, CHECKS - 2, "the others have said what they say");
    let lines = rig.journal.lines();
    let told = lines.iter().filter_map(|it| match &it.line.body {
        Body::Decided { input: Input::Step { .. }, evidence, .. } => evidence.last(),
        _ => None,
    });
    let overdue = told.filter(|it| it.says == "not ended within the 120 s of preflight");
    assert_eq!(overdue.count(), 1);
}
