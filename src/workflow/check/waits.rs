//! Waits within their bounds, closed windows that can be read.

use crate::fault;
use crate::workflow::draft::Draft;
use crate::workflow::parts::Lasting;
use crate::workflow::path::Path;
use crate::workflow::report::Report;
use crate::workflow::step::Params;
use crate::workflow::types::Soak;
use crate::workflow::window::Window;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A wait, and the least and most it may be, seconds.
type Bounds = (Path, Option<Lasting>, u64, u64);

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    let workflow = draft.workflow;
    let mut all = bounds(draft);
    for (place, wait, least, most) in all.drain(..) {
        let Some(wait) = wait else { continue };
        let seconds = wait.0.as_secs();
        // A practice copy may hurry; nobody may wait for ever.
        let short = seconds < least && !workflow.practice;
        if short || seconds > most {
            let [least, most] = [least, most].map(Lasting::seconds);
            let way = if short { "short" } else { "long" };
            let message = format!("`{place}` is too {way}: {wait}");
            let hint = format!("between {least} and {most}; less only with `practice: true`");
            report.value(&place, &fault::E1020, message, hint);
        }
    }
    for (section, soak) in [
        ("release.soak", Some(&workflow.release.soak)),
        ("failover.soak", workflow.failover.as_ref().map(|it| &it.soak)),
    ] {
        if let Some(Soak { planned, at_most }) = soak
            && planned > at_most
        {
            let place = Path::of(section).key("at_most");
            report.value(
                &place,
                &fault::E1020,
                "the soak would page before it is over",
                "`planned` ends before `at_most`",
            );
        }
    }
    drained(draft, report);
    for (at, text) in workflow.closed.iter().enumerate() {
        if Window::parse(text).is_none() {
            let message = format!("`{text}` is not a window of the day");
            let hint = "write `03:00-06:00` or `Mon 00:00-03:00`, UTC; one over midnight as two";
            report.value(&Path::of("closed").index(at), &fault::E1010, message, hint);
        }
    }
    let ratio = workflow.backup.as_ref().map(|it| it.size_ratio_min);
    if ratio.is_some_and(|it| !(0.0..=1.0).contains(&it)) {
        let message = "`size_ratio_min` is a share of the last backup's size";
        report.value(
            &Path::of("backup.size_ratio_min"),
            &fault::E1008,
            message,
            "between 0 and 1, for example 0.8",
        );
    }
}

/// A count over `for` takes longer than `for`: a shorter wait halts at each try, with nobody left to wait for.
fn drained(draft: &Draft<'_>, report: &mut Report) {
    for placed in &draft.steps {
        let Some(Params::Drained(with)) = &placed.params else { continue };
        let wait = placed.step.wait;
        if wait.is_none_or(|it| it.0 <= with.r#for.0) {
            let waits = wait.map_or_else(|| "does not wait".to_owned(), |it| format!("waits {it}"));
            let message = format!("`drained` counts for {} and {waits}", with.r#for);
            let place = placed.path.key(if wait.is_some() { "wait" } else { "id" });
            report.value(&place, &fault::E1020, message, "a `wait` longer than `for`");
        }
    }
}

fn bounds(draft: &Draft<'_>) -> Vec<Bounds> {
    let workflow = draft.workflow;
    let limits = &workflow.limits;
    let mut all: Vec<Bounds> = vec![
        // Two equal readings five seconds apart settle an unknown outcome.
        (Path::of("limits.settle"), Some(limits.settle), 5, 10 * MINUTE),
        (Path::of("limits.poll"), Some(limits.poll), 1, 10 * MINUTE),
        (Path::of("limits.call"), Some(limits.call), 5, 10 * MINUTE),
        (Path::of("limits.counting"), Some(limits.counting), 5, 10 * MINUTE),
        (Path::of("limits.action"), Some(limits.action), MINUTE, DAY),
        (Path::of("limits.late"), Some(limits.late), MINUTE, DAY),
        (Path::of("limits.witness"), Some(limits.witness), 2, MINUTE),
        (Path::of("limits.fence"), Some(limits.fence), 2, MINUTE),
        (Path::of("limits.cooldown"), Some(limits.cooldown), 10 * MINUTE, 7 * DAY),
        // Marks are kept for a day: an older plan could take a number that was there once.
        (Path::of("limits.armed"), Some(limits.armed), 5 * MINUTE, DAY / 2),
        (Path::of("limits.shown"), Some(limits.shown), 30, 15 * MINUTE),
        (Path::of("limits.proven"), limits.proven, DAY, 10 * 365 * DAY),
        (Path::of("limits.preflight"), Some(limits.preflight), 30, 10 * MINUTE),
        // Below a minute name servers make their own; above an hour a swap is not seen by users.
        (Path::of("switch.cloudflare.ttl_max"), Some(workflow.cloudflare().ttl_max), MINUTE, HOUR),
        (
            Path::of("release.soak.planned"),
            Some(workflow.release.soak.planned),
            10 * MINUTE,
            7 * DAY,
        ),
        (
            Path::of("release.soak.at_most"),
            Some(workflow.release.soak.at_most),
            10 * MINUTE,
            30 * DAY,
        ),
    ];
    if let Some(failover) = &workflow.failover {
        all.push((Path::of("failover.soak.planned"), Some(failover.soak.planned), 0, 7 * DAY));
        all.push((
            Path::of("failover.soak.at_most"),
            Some(failover.soak.at_most),
            10 * MINUTE,
            30 * DAY,
        ));
    }
    for (name, gate) in &workflow.gates {
        all.push((Path::of("gates").key(name).key("expires"), gate.expires, 10 * MINUTE, 30 * DAY));
    }
    for placed in &draft.steps {
        all.push((placed.path.key("wait"), placed.step.wait, 1, DAY));
        all.push((placed.path.key("timeout"), placed.step.timeout, 5, DAY));
        if let Some(Params::Drained(it)) = &placed.params {
            all.push((placed.path.key("with").key("for"), Some(it.r#for), 30, DAY));
        }
        if let Some(Params::EmbargoOn(it)) = &placed.params {
            all.push((
                placed.path.key("with").key("expires"),
                Some(it.expires),
                10 * MINUTE,
                30 * DAY,
            ));
        }
    }
    all
}
