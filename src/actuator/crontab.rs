//! Crontabs as text: which lines are a job's, and the text with them. Everything else stays as it is.

use crate::actuator::trouble::Trouble;
use crate::fault::E3708;
use crate::model::Evidence;
use crate::workflow::Job;

/// What Ansible writes above an entry, before its name.
pub(super) const MARKER: &str = "#Ansible: ";
/// Programs that run another one named later in the line.
const WRAPPERS: [&str; 14] = [
    "sh", "bash", "dash", "env", "php", "python", "python3", "perl", "ruby", "nice", "ionice",
    "flock", "timeout", "sudo",
];

/// Where a job stands in a crontab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Its marker with an entry under it, from this line on: two lines.
    Pair {
        /// The marker's line, from 0.
        at: usize,
        /// The entry is the job's line, letter by letter.
        exact: bool,
    },
    /// Its line without its marker.
    Bare(usize),
    /// Its marker with nothing that runs under it.
    Lone(usize),
    /// Another entry that runs its program.
    Other(usize),
}

/// Where this job stands. Entries of the other jobs of the workflow are theirs.
pub(super) fn places(text: &str, job: &Job, others: &[&Job]) -> Vec<Place> {
    let lines: Vec<&str> = text.lines().collect();
    let program = program(&job.line);
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let next = lines.get(at + 1).filter(|it| runs(it));
        if is_marker(line, job) {
            places.push(match next {
                Some(next) => Place::Pair { at, exact: next.trim_end() == job.line.trim_end() },
                None => Place::Lone(at),
            });
            at += usize::from(next.is_some());
        } else if others.iter().any(|other| is_marker(line, other)) {
            at += usize::from(next.is_some());
        } else if line.trim_end() == job.line.trim_end() {
            places.push(Place::Bare(at));
        } else if runs(line)
            && names(line, program)
            && !others.iter().any(|other| line.trim_end() == other.line.trim_end())
        {
            places.push(Place::Other(at));
        }
        at += 1;
    }
    places
}

/// The lines of these places, from 0. A lone marker and others' entries stay.
fn gone(places: &[Place]) -> impl Iterator<Item = usize> {
    places.iter().flat_map(|it| match *it {
        Place::Pair { at, .. } => at..at + 2,
        Place::Bare(line) => line..line + 1,
        Place::Lone(_) | Place::Other(_) => 0..0,
    })
}

/// What is taken out of the text with these places.
pub(super) fn own(text: &str, places: &[Place]) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    gone(places).filter_map(|at| lines.get(at).copied()).collect()
}

/// The same as sed is told to leave them out.
pub(super) fn lines(places: &[Place]) -> String {
    gone(places).map(|at| format!("{}d", at + 1)).collect::<Vec<_>>().join(";")
}

/// The text with the job's marker and line at its end.
pub(super) fn with(text: &str, job: &Job) -> String {
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{gap}{MARKER}{}\n{}\n", job.marker, job.line)
}

/// The program a line runs: its first absolute path that is not a wrapper's or the folder it changes to,
/// else its first word.
pub(super) fn program(line: &str) -> &str {
    let schedule = if line.trim_start().starts_with('@') { 1 } else { 5 };
    let words: Vec<&str> = line
        .split_whitespace()
        .skip(schedule)
        .map(|it| it.trim_matches(|c| "\"';&|()".contains(c)))
        .collect();
    let is_program = |(at, word): &(usize, &&str)| {
        let name = word.rsplit('/').next().unwrap_or_default();
        let folder = at.checked_sub(1).and_then(|it| words.get(it)) == Some(&"cd");
        word.starts_with('/') && !WRAPPERS.contains(&name) && !folder
    };
    let found = words.iter().enumerate().find(is_program).map(|(_, word)| *word);
    found.or_else(|| words.first().copied()).unwrap_or_default()
}

/// Whether a command line names this program, as a word of its own.
pub(super) fn names(line: &str, program: &str) -> bool {
    let part = |it: char| it.is_alphanumeric() || "_./-".contains(it);
    !program.is_empty() && line.split(|it| !part(it)).any(|word| word == program)
}

fn is_marker(line: &str, job: &Job) -> bool {
    line.trim_end().strip_prefix(MARKER) == Some(job.marker.trim_end())
}

/// Whether a line is an entry: not empty, not a comment, not a variable.
fn runs(line: &str) -> bool {
    let line = line.trim_start();
    let first = line.split_whitespace().next().unwrap_or_default();
    !line.is_empty() && !line.starts_with('#') && !first.contains('=')
}

/// How often a table that somebody else changes meanwhile is read anew.
const READ_ANEW: u32 = 3;

/// Another job of the same table may be taken out or put in at the same moment: what this one changes is looked
/// for in the table as it is then, and refused only if that has changed.
pub(super) async fn again<W: Future<Output = Result<Evidence, Trouble>>>(
    send: impl Fn() -> W,
) -> Result<Evidence, Trouble> {
    let mut left = READ_ANEW;
    loop {
        left -= 1;
        match send().await {
            Err(trouble) if trouble.harmless && trouble.code == &E3708 && left > 0 => (),
            sent => return sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Place, lines, names, own, places, program, with};
    use crate::model::Role;
    use crate::workflow::Job;

    fn job(line: &str, marker: &str) -> Job {
        let (line, marker, host) = (line.to_owned(), marker.to_owned(), "bastion".to_owned());
        Job { sync: None, backup: None, runs_on: Role::Standby, host, line, marker }
    }

    fn reset() -> Job {
        job("5 10 * * * /usr/local/bin/databaseReset latest", "Reset database")
    }

    const BEFORE: &str = "MAILTO=\"\"\n#Ansible: Refresh\n00 20 * * * /usr/local/bin/refresh\n";
    const PAIR: &str = "#Ansible: Reset database\n5 10 * * * /usr/local/bin/databaseReset latest\n";
    const AFTER: &str =
        "# by hand\n\n0 23 * * *  df -h  \n#5 10 * * * /usr/local/bin/databaseReset latest\n";

    /// What is left, as sed would leave it, and what is taken out.
    fn without(text: &str, found: &[Place]) -> (String, String) {
        let gone = lines(found);
        let gone: Vec<&str> = gone.split(';').collect();
        let each = text.split_inclusive('\n').enumerate();
        let left = each.filter(|(at, _)| !gone.contains(&format!("{}d", at + 1).as_str()));
        (left.map(|(_, line)| line).collect(), own(text, found))
    }

    #[test]
    fn takes_out_the_pair_and_nothing_else() {
        let text = format!("{BEFORE}{PAIR}{AFTER}");
        let found = places(&text, &reset(), &[]);
        assert_eq!(found, [Place::Pair { at: 3, exact: true }]);
        assert_eq!(without(&text, &found), (format!("{BEFORE}{AFTER}"), PAIR.to_owned()));
        assert_eq!(places(&format!("{BEFORE}{AFTER}"), &reset(), &[]), []);
    }

    #[test]
    fn an_entry_with_another_time_under_the_marker_is_the_jobs() {
        let text = PAIR.replace("5 10", "7 11");
        assert_eq!(places(&text, &reset(), &[]), [Place::Pair { at: 0, exact: false }]);
        assert_eq!(without(&text, &places(&text, &reset(), &[])).0, "");
    }

    #[test]
    fn a_line_without_marker_counts_and_a_strange_one_is_seen() {
        let bare = reset().line + "\n";
        assert_eq!(places(&bare, &reset(), &[]), [Place::Bare(0)]);
        let strange = "1 1 * * * cd /tmp && /usr/local/bin/databaseReset 20260101 >/dev/null\n";
        assert_eq!(places(strange, &reset(), &[]), [Place::Other(0)]);
        assert_eq!(places("#Ansible: Reset database\n", &reset(), &[]), [Place::Lone(0)]);
    }

    #[test]
    fn another_jobs_entry_is_that_jobs() {
        let sync = |to: &str| job(&format!("0 1 * * * /usr/local/bin/sync {to}"), to);
        let (a, b) = (sync("a"), sync("b"));
        let text = with(&with("", &a), &b);
        assert_eq!(places(&text, &a, &[&b]), [Place::Pair { at: 0, exact: true }]);
        assert_eq!(places(&text, &b, &[&a]), [Place::Pair { at: 2, exact: true }]);
    }

    #[test]
    fn finds_programs() {
        for (line, wanted) in [
            ("5 10 * * * /usr/local/bin/databaseReset latest", "/usr/local/bin/databaseReset"),
            ("@daily /opt/x --y", "/opt/x"),
            ("0 1 * * * cd /srv && /usr/bin/php /srv/yii job", "/srv/yii"),
            ("0 1 * * * sync_dropbox --apply", "sync_dropbox"),
        ] {
            assert_eq!(program(line), wanted);
        }
        assert!(names("12 /bin/sh /opt/x 2026", "/opt/x") && names("sh -c '/opt/x;'", "/opt/x"));
        assert!(!names("vi /opt/x.conf /opt/xy /srv/opt/x", "/opt/x"));
    }

    proptest! {
        #[test]
        fn off_after_on_is_as_before(text in "([ #a-z/*0-9]{0,12}\n){0,6}") {
            let on = with(&text, &reset());
            let found = places(&on, &reset(), &[]);
            prop_assert_eq!(without(&on, &found), (text, PAIR.to_owned()));
        }
    }
}
