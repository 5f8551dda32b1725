//! An armed failover as a file, and why one does not hold any more. Pure.
//!
//! The file is one line, `changeover-armed/v1 DIGEST`, and the plan as JSON; the digest is of those bytes.

use crate::machine::record::Record;
use crate::model::{Armed, Digest, Roles, Time};

/// The first word of the file: its format.
const FORMAT: &str = "changeover-armed/v1";

/// Why an armed plan is of no use now, in one sentence.
pub type Stale = String;

/// The file of a plan, and its digest. `None` if it cannot be written as JSON, which no plan is.
pub fn write_armed(armed: &Armed) -> Option<(String, Digest)> {
    let body = serde_json::to_string_pretty(armed).ok()?;
    let digest = Digest::of(body.as_bytes());
    Some((format!("{FORMAT} {digest}\n{body}"), digest))
}

/// The plan in a file, and its digest.
///
/// # Errors
/// It is of another format, or was changed.
pub fn read_armed(text: &str) -> Result<(Armed, Digest), Stale> {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let Some(digest) = head.strip_prefix(FORMAT).map(str::trim).and_then(Digest::parse) else {
        return Err("the armed plan is of a format that this program does not know".to_owned());
    };
    if Digest::of(body.as_bytes()) != digest {
        return Err("the armed plan was changed: its digest is another".to_owned());
    }
    let armed = serde_json::from_str(body);
    armed.map(|it| (it, digest)).map_err(|why| format!("the armed plan cannot be read: {why}"))
}

/// Why this plan, of this digest, does not hold now: everything that the journal and the workflow's file can tell.
/// What it cannot tell, a move that somebody else made, the marks refuse.
pub fn stale(
    (armed, digest): (&Armed, Digest),
    record: &Record,
    workflow: &Digest,
    now: Time,
    limit_seconds: i64,
) -> Option<Stale> {
    let age = now.seconds_since(armed.at);
    let settled = Some(Roles::Settled { production: armed.lost.clone() });
    let moved = |(zone, mark): (&str, Option<u64>)| record.marks.get(zone).copied() > mark;
    if armed.journal != record.journal {
        Some("the armed plan belongs to another journal".to_owned())
    } else if record.roles != settled {
        Some(format!("roles changed since it was armed: {} was production then", armed.lost))
    } else if armed.epoch != record.epoch {
        Some("there was another run since it was armed".to_owned())
    } else if armed.workflow != *workflow {
        Some("the workflow's file was changed since it was armed".to_owned())
    } else if armed.addresses.iter().any(|(site, own)| record.addresses.get(site) != Some(own)) {
        Some("the sites' addresses are others than when it was armed".to_owned())
    } else if armed.zones.iter().any(|it| moved((it.name.as_str(), it.mark))) {
        Some("the marks moved since it was armed".to_owned())
    } else if record.armed.map(|it| it.plan) != Some(digest) {
        // The digest in the file finds what broke; one that was written anew with it, only the journal.
        Some("the plan on disk is not the one that the journal says was armed".to_owned())
    } else if !(0..=limit_seconds).contains(&age) {
        Some(format!("it was armed {age} s ago, and may be {limit_seconds} s old (limits.armed)"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{read_armed, stale, write_armed};
    use crate::machine::Seal;
    use crate::machine::record::Record;
    use crate::model::{Armed, Digest, Roles, SiteName, Time, ZoneKept};

    fn armed() -> (Armed, Record) {
        let workflow = Digest::of(b"file");
        let zone = ZoneKept { name: "a.org".into(), id: "1".into(), mark: Some(4), rows: vec![] };
        let armed = Armed {
            system: "gigadb".into(),
            journal: "j".into(),
            epoch: 3,
            workflow,
            lost: "hk".into(),
            to: "sydney".into(),
            at: Time(0).plus_seconds(100),
            addresses: [].into(),
            zones: vec![zone],
            moves: vec![],
            checks: vec![],
        };
        let record = Record {
            journal: "j".into(),
            epoch: 3,
            roles: Some(Roles::Settled { production: "hk".into() }),
            marks: [("a.org".to_owned(), 4)].into(),
            armed: Some(Seal { plan: workflow, workflow }),
            ..Record::default()
        };
        (armed, record)
    }

    #[test]
    fn a_file_says_what_was_written_and_shows_that_it_was_changed() {
        let (armed, _) = armed();
        let (text, digest) = write_armed(&armed).unwrap();
        assert_eq!(read_armed(&text), Ok((armed, digest)));
        assert!(read_armed(&text.replace("sydney", "sydnex")).unwrap_err().contains("changed"));
        assert!(read_armed("changeover-armed/v2 00\n{}").unwrap_err().contains("format"));
        assert!(read_armed("").is_err());
    }

    #[test]
    fn it_does_not_outlive_what_it_was_made_of() {
        let (armed, record) = armed();
        let (file, now) = (Digest::of(b"file"), Time(0).plus_seconds(160));
        let said = |record: &Record, file: &Digest, now| {
            stale((&armed, Digest::of(b"file")), record, file, now, 60)
        };
        assert_eq!(said(&record, &file, now), None);
        let other = Seal { plan: Digest::of(b"other"), workflow: file };
        let cases: [(&str, Record); 7] = [
            ("not the one", Record { armed: None, ..record.clone() }),
            ("not the one", Record { armed: Some(other), ..record.clone() }),
            ("journal", Record { journal: "k".into(), ..record.clone() }),
            ("roles", Record { roles: None, ..record.clone() }),
            ("another run", Record { epoch: 4, ..record.clone() }),
            ("marks", Record { marks: [("a.org".to_owned(), 5)].into(), ..record.clone() }),
            (
                "roles",
                Record {
                    roles: Some(Roles::Settled { production: SiteName::from("sydney") }),
                    ..record.clone()
                },
            ),
        ];
        for (word, record) in cases {
            let why = said(&record, &file, now).unwrap_or_default();
            assert!(why.contains(word), "{word}: {why}");
        }
        assert!(said(&record, &Digest::of(b"other"), now).unwrap().contains("file"));
        assert!(said(&record, &file, Time(0).plus_seconds(161)).unwrap().contains("61 s ago"));
        assert!(said(&record, &file, Time(0).plus_seconds(99)).is_some(), "made in the future");
    }
}
