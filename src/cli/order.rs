//! Carrying out one command: plan or consent, progress, the reply.

use std::sync::Arc;

use serde::Serialize;

use crate::app::Glance;
use crate::cli::args::Change;
use crate::cli::consent::{self, Danger};
use crate::cli::{INTERRUPTED, Outcome, Scene, progress, whynot};
use crate::conductor::{Command, NoWatcher, Order, Plan, Preview, Reply, Watcher};
use crate::fault::{E2012, Exit, Fault};
use crate::model::{SiteName, SystemName};
use crate::view;
use crate::view::render::{self, Planned};
use crate::view::words::Mark;

/// One command as it was typed.
pub(super) struct Typed {
    /// The bare verb's system.
    pub system: Option<String>,
    /// The run it is meant for; the open one when absent.
    pub run: Option<u32>,
    /// What.
    pub command: Command,
    /// How.
    pub change: Change,
}

impl Typed {
    /// A command of the system and run that are open.
    pub(super) fn new(command: Command, change: impl Into<Change>) -> Self {
        Self { system: None, run: None, command, change: change.into() }
    }

    /// The same, for this run only.
    #[must_use]
    pub(super) fn of(self, run: Option<u32>) -> Self {
        Self { run, ..self }
    }
}

/// Carries it out.
pub(super) async fn carry_out(typed: Typed, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(typed.system.as_deref())?;
    if !scene.asks && confirmed_failover(&typed) {
        // Everything was said with the plan; nothing is read that it does not need.
        let Change { reason, .. } = typed.change;
        let order = Order { command: typed.command, reason, dry_run: false };
        return told(&system, order, scene).await;
    }
    let glance = scene.desk.glance(&system)?;
    meant(typed.run, &glance)?;
    if scene.asks {
        return whynot::answer(typed, &system, scene).await;
    }
    let Change { dry_run, yes, reason } = typed.change;
    let order = Order { command: typed.command, reason, dry_run };
    if dry_run {
        return plan_only(&system, &glance, order, scene).await;
    }
    let danger = consent::danger(&order.command, &glance.look());
    let command = agreed(danger, &system, &glance, &order, yes, scene).await?;
    told(&system, Order { command, ..order }, scene).await
}

/// A failover with all that its verb would ask for.
fn confirmed_failover(typed: &Typed) -> bool {
    let given = matches!(&typed.command, Command::Failover(it)
        if it.plan.is_some() && it.confirm.is_some() && it.accept_data_loss.is_some());
    given && !typed.change.dry_run && typed.run.is_none()
}

/// Carries it out and shows how it goes.
async fn told(system: &SystemName, order: Order, scene: &mut Scene<'_>) -> Outcome {
    let teller = progress::teller(scene.streams);
    let watcher: Arc<dyn Watcher> = teller.watcher();
    let ended = tokio::select! {
        ended = scene.desk.order(system, order, watcher) => Some(ended),
        pressed = tokio::signal::ctrl_c() => pressed.err().map(|error| Err(deaf(&error))),
    };
    teller.finish();
    match ended {
        Some(ended) => reply(system, &ended?, scene),
        None => interrupted(system, scene),
    }
}

fn deaf(error: &std::io::Error) -> Fault {
    Fault::new(&crate::fault::E2015, "the terminal's interrupt cannot be heard").because(error)
}

/// A number that was typed must be the open run's.
fn meant(run: Option<u32>, glance: &Glance) -> Result<(), Fault> {
    let Some(wanted) = run else { return Ok(()) };
    match glance.life.record.run.as_ref().map(|run| run.number) {
        Some(open) if open == wanted => Ok(()),
        Some(open) => Err(Fault::new(&E2012, format!("run {wanted} is not open: run {open} is"))),
        None => Err(Fault::new(&E2012, format!("run {wanted} is not open: no run is"))
            .hint("changeover run list")),
    }
}

/// What the person agrees to, as the command to be carried out.
async fn agreed(
    danger: Danger,
    system: &SystemName,
    glance: &Glance,
    order: &Order,
    yes: bool,
    scene: &mut Scene<'_>,
) -> Result<Command, Fault> {
    let target = match danger {
        Danger::None => return Ok(order.command.clone()),
        Danger::Ask(question) => {
            show_packet(&order.command, glance, scene);
            consent::yes(&question, yes, scene.streams)?;
            return Ok(order.command.clone());
        }
        Danger::Typed(target) => target,
    };
    let (given, loss) = given(&order.command);
    if let Some(given) = given {
        consent::matching(&given, &target, scene.streams)?;
        if target.loses_writes && !loss {
            return Err(consent::loss(scene.streams));
        }
        return Ok(order.command.clone());
    }
    if scene.streams.person.is_none() {
        return Err(consent::missing(&target, loss, scene.streams));
    }
    let plan = Order { dry_run: true, ..order.clone() };
    let reply = scene.desk.order(system, plan, Arc::new(NoWatcher)).await?;
    if let Some(plan) = &reply.plan {
        let text = plan_text(plan, glance, scene);
        scene.streams.aside.say(&text);
    }
    consent::typed(&target, loss, scene.streams)?;
    Ok(consented(order.command.clone(), target.site, target.loses_writes))
}

/// The consent that stands on the line: the site's name, and the loss.
fn given(command: &Command) -> (Option<SiteName>, bool) {
    if let Command::Next { confirm, .. } = command {
        return (confirm.clone(), false);
    }
    if let Command::Rollback { confirm, accept_data_loss } = command {
        return (confirm.clone(), *accept_data_loss);
    }
    (None, false)
}

/// The command with the consent that was typed.
fn consented(mut command: Command, site: SiteName, loss: bool) -> Command {
    if let Command::Next { confirm, .. } = &mut command {
        *confirm = Some(site);
    } else if let Command::Rollback { confirm, accept_data_loss } = &mut command {
        *confirm = Some(site);
        *accept_data_loss |= loss;
    }
    command
}

/// People see what they approve or reject before they are asked.
fn show_packet(command: &Command, glance: &Glance, scene: &Scene<'_>) {
    let record = &glance.life.record;
    let shown = matches!(command, Command::Approve { .. } | Command::Reject);
    let Some(packet) = record.packet.filter(|_| shown) else { return };
    let text = render::packet(packet, &record.packet_parts, scene.streams.paper);
    scene.streams.aside.say(&text);
}

async fn plan_only(
    system: &SystemName,
    glance: &Glance,
    order: Order,
    scene: &mut Scene<'_>,
) -> Outcome {
    let ended = scene.desk.order(system, order, Arc::new(NoWatcher)).await?;
    if scene.streams.json {
        return reply(system, &ended, scene);
    }
    if let Some(plan) = &ended.plan {
        let text = plan_text(plan, glance, scene);
        scene.streams.answer(&text)?;
    }
    scene.streams.hint(&format!("next: {}", ended.next));
    Ok(ended.exit.status())
}

pub(super) fn plan_text(plan: &Plan, glance: &Glance, scene: &Scene<'_>) -> String {
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| Planned {
            phase: &step.phase,
            id: step.id.as_str(),
            kind: &step.kind,
            verdict: &step.verdict,
            changes: &step.changes,
            evidence: &step.evidence,
        })
        .collect();
    let steps = render::plan(&steps, glance.now, scene.streams.paper);
    let mut page = render::Page::new(scene.streams.paper);
    page.hang(&format!("PLAN {}  ", plan.digest.short()), 19, &plan.sentence);
    let head = page.into_text();
    let mut page = render::Page::new(scene.streams.paper);
    let now = view::way_back(&glance.life, None, &view::measured(&glance.lines));
    if now != plan.way_back {
        page.hang("WAY BACK now:        ", 21, &now.says);
    }
    page.hang("WAY BACK afterwards: ", 21, &plan.way_back.says);
    let preview = plan.preview.as_deref();
    let preview = preview.map(|it| preview_text(it, glance, scene)).unwrap_or_default();
    format!("{head}{preview}{steps}{}", page.into_text())
}

/// What a failover costs, before its steps.
fn preview_text(preview: &Preview, glance: &Glance, scene: &Scene<'_>) -> String {
    let loss = render::Loss {
        lost: preview.lost.as_str(),
        to: preview.to.as_str(),
        diagnosis: preview.diagnosis.name(),
        says: &preview.says,
        refused: preview.refused.as_deref(),
        fence_first: preview.fence_first,
        witnesses: &preview.witnesses,
        data_of: preview.data_of,
        loss_seconds: preview.loss_seconds,
        writes: preview.writes,
        missing: &preview.missing,
        release: preview.release.as_deref(),
        expected_seconds: preview.expected_seconds,
        asked: &preview.asked,
    };
    render::loss(&loss, glance.now, scene.streams.paper)
}

/// The document of a reply.
#[derive(Serialize)]
struct ReplyDocument<'a> {
    system: &'a SystemName,
    exit: u8,
    outcome: Exit,
    #[serde(flatten)]
    reply: Rest<'a>,
}

/// A reply without its exit, which the document has as a number and as a name.
#[derive(Serialize)]
struct Rest<'a> {
    sentence: &'a str,
    next: &'a str,
    state: crate::machine::State,
    code: Option<&'a str>,
    plan: Option<&'a Plan>,
}

fn reply(system: &SystemName, reply: &Reply, scene: &mut Scene<'_>) -> Outcome {
    let exit = reply.exit.status();
    if scene.streams.json {
        let rest = Rest {
            sentence: &reply.sentence,
            next: &reply.next,
            state: reply.state,
            code: reply.code.as_deref(),
            plan: reply.plan.as_ref(),
        };
        let document = ReplyDocument { system, exit, outcome: reply.exit, reply: rest };
        scene.streams.document("changeover.reply/v1", document)?;
        return Ok(exit);
    }
    let mark = match reply.exit {
        Exit::Done => Mark::Done,
        Exit::Waiting => Mark::Waiting,
        Exit::Unknown => Mark::Unknown,
        Exit::Failed
        | Exit::Usage
        | Exit::Refused
        | Exit::NotAllowed
        | Exit::Conflict
        | Exit::Differences
        | Exit::Unverified => Mark::Failed,
    };
    let code = reply.code.as_deref().map(|code| format!(" [{code}]")).unwrap_or_default();
    let sign = mark.sign(scene.streams.paper.ascii);
    scene.streams.answer(&format!("{sign}{code} {}", reply.sentence))?;
    scene.streams.hint(&format!("next: {}", reply.next));
    Ok(exit)
}

/// What was begun is in the journal; the next command settles it before anything else.
fn interrupted(system: &SystemName, scene: &Scene<'_>) -> Outcome {
    scene.streams.aside.say("interrupted: what was begun is in the journal and is looked at first");
    scene.streams.aside.say(&format!("  where it stands: changeover status {system}"));
    scene.streams.aside.say(&format!("  go on: changeover -s {system} run resume"));
    Ok(INTERRUPTED)
}
