//! `failover`: production is lost. The person sees what is seen and what is lost, and accepts that figure.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use crate::app::{self, Settings};
use crate::cli::args::Change;
use crate::cli::order::{Typed, carry_out, plan_text};
use crate::cli::{Outcome, Scene, Verb};
use crate::conductor::{Command, GivenUp, MayLose, NoWatcher, Order, Plan, Preview};
use crate::fault::{E2005, E2021, E2062, E4012, Exit, Fault};
use crate::machine::State;
use crate::model::{SiteName, Time};

/// Gives production up.
#[derive(Debug, Args)]
pub struct Failover {
    /// The system; needless when there is one
    system: Option<String>,
    /// The site that will be production
    #[arg(long, value_name = "SITE")]
    confirm: Option<String>,
    /// The loss accepted: a duration such as 12h, or `unknown` where nothing proves it
    #[arg(long, value_name = "DURATION", value_parser = may_lose)]
    accept_data_loss: Option<MayLose>,
    /// The plan that was shown, by its digest or the first digits of it
    #[arg(long, value_name = "DIGEST")]
    plan: Option<String>,
    /// Why, in spite of a failover just before or of what is not known; kept in the journal
    #[arg(long, value_name = "REASON")]
    acknowledge: Option<String>,
    /// Since when production is down, for the account of the time it took: 2026-11-21T02:58:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    down_since: Option<Time>,
    /// The journal's disk is dead: go on with a copy of it in this folder; `run adopt --journal` joins it
    #[arg(long, value_name = "DIR")]
    journal: Option<std::path::PathBuf>,
    /// Only from an armed plan: refused (3) rather than read the world first, which is slower
    #[arg(long)]
    armed: bool,
    #[command(flatten)]
    change: Change,
}

/// The settings of a command: of a failover whose journal goes on in another folder, those of that folder.
///
/// # Errors
/// The journal cannot be read any more, or not be written there.
pub(super) fn settled(settings: Settings, verb: &Verb) -> Result<Settings, Fault> {
    let asked = if let Verb::WhyNot(it) = verb { it.failover() } else { None };
    let given = if let Verb::Failover(it) = verb { Some(it) } else { asked };
    let Some((given, folder)) = given.and_then(|it| Some((it, it.journal.clone()?))) else {
        return Ok(settings);
    };
    let system = given.system.as_deref();
    let there = if asked.is_some() {
        app::looked_at_elsewhere(&settings, system, folder)
    } else {
        app::elsewhere(&settings, system, folder)
    };
    there.map_err(by_hand)
}

pub(super) async fn run(it: Failover, scene: &mut Scene<'_>) -> Outcome {
    let ended = match it.journal.clone() {
        Some(folder) => elsewhere(it, &folder, scene).await,
        None => given_up(it, scene).await,
    };
    ended.map_err(by_hand)
}

/// Production is down and the journal cannot be relied on: a command cannot go on, people can.
fn by_hand(fault: Fault) -> Fault {
    if fault.exit() != Exit::Unverified && fault.code != &E4012 {
        return fault;
    }
    let first = fault.hint.clone().map(|it| it + "; ").unwrap_or_default();
    fault.hint(format!(
        "{first}meanwhile users can be moved by hand: runbook.md in the system's state folder, or its copy"
    ))
}

/// The journal goes on in this folder; a failover that was under way goes on with it.
async fn elsewhere(it: Failover, folder: &Path, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(it.system.as_deref())?;
    let life = scene.desk.glance(&system)?.life;
    // One that leads elsewhere is another failover: the site that the open one led to is lost as well.
    let open = life.record.failing_over().map(|it| it.consent.to.as_str());
    let same = open.is_some_and(|to| it.confirm.as_deref().is_none_or(|site| site == to));
    let begun = same && !it.change.dry_run;
    let ended = if begun {
        // Its consent is in the journal. After a process that died a person goes on, and that is this one.
        let halted = matches!(life.state, State::Halted { .. }) && !life.record.paused;
        let command = if halted { Command::Retry } else { Command::Resume };
        let typed = Typed::new(command, Change { yes: true, ..it.change });
        carry_out(Typed { system: it.system, ..typed }, scene).await?
    } else {
        given_up(it, scene).await?
    };
    if scene.asks {
        return Ok(ended);
    }
    let (at, line) = (folder.display(), "changeover");
    scene.streams.hint(&format!(
        "until the disk is back, every command is {line} --state {at} …; then: {line} -s {system} run adopt \
         --journal {at} --reason TEXT"
    ));
    Ok(ended)
}

async fn given_up(it: Failover, scene: &mut Scene<'_>) -> Outcome {
    let mut given = GivenUp {
        confirm: it.confirm.map(SiteName),
        accept_data_loss: it.accept_data_loss,
        plan: it.plan,
        acknowledge: it.acknowledge,
        down: it.down_since,
        shown: None,
        armed: it.armed,
    };
    let asked = given.confirm.is_none() || given.accept_data_loss.is_none();
    let speaks = scene.streams.person.is_some() && !scene.asks;
    if asked && !it.change.dry_run && speaks {
        given = typed(it.system.as_deref(), given, it.change.reason.as_deref(), scene).await?;
    }
    let typed = Typed::new(Command::Failover(given), it.change);
    carry_out(Typed { system: it.system, ..typed }, scene).await
}

/// Shows the plan and asks for the name and the figure.
async fn typed(
    system: Option<&str>,
    given: GivenUp,
    reason: Option<&str>,
    scene: &mut Scene<'_>,
) -> Result<GivenUp, Fault> {
    let system = scene.desk.pick(system)?;
    let glance = scene.desk.glance(&system)?;
    let command = Command::Failover(given.clone());
    let order = Order { command, reason: reason.map(str::to_owned), dry_run: true };
    let reply = scene.desk.order(&system, order, Arc::new(NoWatcher)).await?;
    let Some((plan, preview)) = reply.plan.as_ref().and_then(|it| Some((it, it.preview.as_ref()?)))
    else {
        return Ok(given);
    };
    let text = plan_text(plan, &glance, scene);
    scene.streams.aside.say(&text);
    if let Some(refused) = &preview.refused
        && given.acknowledge.is_none()
    {
        return Err(Fault::new(&E2062, preview.says.clone()).hint(refused.clone()));
    }
    agreed(given, plan, preview, scene)
}

fn agreed(
    given: GivenUp,
    plan: &Plan,
    preview: &Preview,
    scene: &mut Scene<'_>,
) -> Result<GivenUp, Fault> {
    let shown = Some(plan_shown(preview));
    let mut ask = |question: &str| {
        let person = scene.streams.person.as_mut();
        person.and_then(|it| it.ask(question)).ok_or_else(|| {
            Fault::new(&E2005, "nobody answered").hint(format!("run: {}", preview.command))
        })
    };
    if given.confirm.is_none() {
        let said = ask("Type the name of the site that will be production to go on:")?;
        if said != preview.to.as_str() {
            let says = format!("`{said}` is not {}; nothing was changed", preview.to);
            return Err(Fault::new(&E2021, says));
        }
    }
    let loss = match given.accept_data_loss {
        Some(loss) => loss,
        None => {
            let said = ask("Type how much may be lost (a duration such as 12h, or `unknown`):")?;
            may_lose(&said).map_err(|why| Fault::new(&E2005, why))?
        }
    };
    Ok(GivenUp {
        confirm: Some(preview.to.clone()),
        accept_data_loss: Some(loss),
        plan: Some(given.plan.unwrap_or_else(|| plan.digest.short())),
        shown,
        ..given
    })
}

/// When the plan was made: its last witness.
fn plan_shown(preview: &Preview) -> Time {
    preview.witnesses.iter().map(|it| it.at).max().unwrap_or_default()
}

fn may_lose(text: &str) -> Result<MayLose, String> {
    if text == "unknown" {
        return Ok(MayLose::Unknown);
    }
    let lasting: jiff::SignedDuration = text
        .parse()
        .map_err(|_| format!("`{text}` is not a duration such as 12h, nor `unknown`"))?;
    Ok(MayLose::Seconds(lasting.as_secs()))
}

fn time(text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| format!("`{text}` is not a time such as 2026-11-21T02:58:00Z"))
}
