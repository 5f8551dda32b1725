//! What scheduled loads make of a standby's data: a daily job loads the dump of the day before, whatever was loaded
//! by a run. Just after a release that is older than what the release proved.

use crate::model::{Role, Time};
use crate::workflow::{Job, Workflow};

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// How old a standby's data may be that was proven to be a copy of production at `of`, if its jobs could fire
/// until `until`: the first load after it brings the dump of the day before, later ones bring later dumps.
pub fn data_of(workflow: &Workflow, of: Time, until: Time) -> Time {
    let loads = workflow.jobs.values().filter(|job| {
        job.runs_on == Role::Standby && job.sync.is_some() && loads_data(workflow, job)
    });
    loads.filter_map(|job| brought(workflow, job, of, until)).fold(of, Time::min)
}

/// What the first firing of this load after `of` has brought, at the oldest; `None` before it fires.
fn brought(workflow: &Workflow, job: &Job, of: Time, until: Time) -> Option<Time> {
    let since = of.0.div_euclid(MICROS);
    let at = daily(&job.line).map_or(since, |second| {
        let today = since - since.rem_euclid(DAY) + second;
        if today > since { today } else { today + DAY }
    });
    let fired = at * MICROS <= until.0;
    // The dump of the day before was begun by that day's firing of the backup, or at any time of it.
    let backup =
        workflow.jobs.values().filter(|it| it.backup.is_some() && it.runs_on == Role::Production);
    let begun = backup.filter_map(|it| daily(&it.line)).min().unwrap_or_default();
    let day_before = at - at.rem_euclid(DAY) - DAY;
    fired.then(|| Time((day_before + begun) * MICROS))
}

/// Whether this job runs the program with which steps replace a database.
fn loads_data(workflow: &Workflow, job: &Job) -> bool {
    workflow.all_steps().any(|step| {
        let with = |key: &str| step.with.get(key);
        let program = with("argv").and_then(|it| it.get(0)).and_then(serde_json::Value::as_str);
        step.kind() == "host.run"
            && with("destructive").and_then(serde_json::Value::as_bool) == Some(true)
            && program.is_some_and(|it| job.line.split_whitespace().any(|word| word == it))
    })
}

/// The second of the day, UTC, at which a line fires that fires once a day.
fn daily(line: &str) -> Option<i64> {
    let mut words = line.split_whitespace();
    let (minute, hour) = (words.next()?.parse::<i64>().ok()?, words.next()?.parse::<i64>().ok()?);
    let every_day = words.take(3).all(|it| it == "*");
    every_day.then_some(hour * 3_600 + minute * 60)
}

#[cfg(test)]
mod tests {
    use super::{daily, data_of};
    use crate::model::Time;

    #[test]
    fn a_load_of_the_day_before_is_older_than_what_a_release_proved() {
        let text = include_str!("../../workflows/gigadb.yaml");
        let workflow = crate::workflow::parse(text, "gigadb.yaml").unwrap().workflow;
        let at = |text: &str| Time::parse(text).unwrap();
        let of = |of: &str, until: &str| data_of(&workflow, at(of), at(until)).screen();
        let same = |text: &str| at(text).screen();
        // Released at 9; the load of 10:05 brings the dump that was begun at 22:00 the day before.
        assert_eq!(
            of("2026-11-24T09:00:00Z", "2026-11-24T10:04:59Z"),
            same("2026-11-24T09:00:00Z")
        );
        assert_eq!(
            of("2026-11-24T09:00:00Z", "2026-11-24T10:05:00Z"),
            same("2026-11-23T22:00:00Z")
        );
        assert_eq!(
            of("2026-11-24T09:00:00Z", "2026-12-24T10:05:00Z"),
            same("2026-11-23T22:00:00Z")
        );
        // Released after it: the next one brings that evening's dump, which is younger.
        assert_eq!(
            of("2026-11-24T12:00:00Z", "2026-11-25T12:00:00Z"),
            same("2026-11-24T12:00:00Z")
        );
        assert_eq!(
            of("2026-11-24T23:00:00Z", "2026-11-25T12:00:00Z"),
            same("2026-11-24T22:00:00Z")
        );
    }

    #[test]
    fn what_does_not_fire_daily_has_no_time_of_day() {
        assert_eq!(daily("5 10 * * * /bin/a"), Some(36_300));
        assert_eq!(
            (daily("5 10 * * 1 /bin/a"), daily("@daily /bin/a"), daily("")),
            (None, None, None)
        );
    }
}
