//! Marks: numbered TXT records, one for every move of a group in a zone; the comment says whose move.
//!
//! The next number is one more than the highest that is in the zone or was ever seen there. An intent alone
//! does not count as seen: a way back after a move of which nobody knows takes the number that move would
//! have taken, so that one of the two lands. Of two posts of one number the provider lets one through.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::client::{Batch, Client, Row, Why, switch};
use crate::actuator::Wire;
use crate::model::{Evidence, Kind, Time, Way};
use crate::port::{Call, Survey};
use crate::workflow::{Workflow, Zone};

/// The longest comment on every plan, characters.
const COMMENT_MAX: usize = 100;
/// Seconds after which no request that was sent can still arrive and take a deleted number.
const KEPT: i64 = 24 * 60 * 60;

/// One mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) number: u64,
    /// The id of its record.
    pub(super) id: String,
    /// The journal it belongs to; absent when its comment was changed.
    pub(super) journal: Option<String>,
    /// The words of its comment after the journal: the way, the epoch, the run.
    words: Vec<String>,
    created: Option<Time>,
}

impl Mark {
    /// The marks of this name among these records, lowest first.
    pub(super) fn all(rows: &[Row], name: &str) -> Vec<Self> {
        let mut all: Vec<Self> = rows
            .iter()
            .filter(|it| it.r#type == "TXT" && it.name.eq_ignore_ascii_case(name))
            .filter_map(Self::read)
            .collect();
        all.sort_by_key(|it| it.number);
        all
    }

    fn read(row: &Row) -> Option<Self> {
        let number = row.content.trim_matches('"').strip_prefix("e=")?.parse().ok()?;
        let mut words = row.comment.as_deref().unwrap_or_default().split_whitespace();
        let ours = words.next() == Some("changeover");
        let journal = words.nth(2).filter(|_| ours).map(str::to_owned);
        let words = words.map(str::to_owned).collect();
        Some(Self { number, id: row.id.clone(), journal, words, created: row.created() })
    }

    /// It belongs to this journal.
    pub(super) fn is_of(&self, journal: &str) -> bool {
        self.journal.as_deref() == Some(journal)
    }

    /// It was posted by the move that this call makes, in whatever epoch.
    pub(super) fn is_move_of(&self, call: &Call) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let number = call.run.number.to_string();
        self.is_of(&call.record.journal)
            && matches!(words.as_slice(), [way, "epoch", _, kind, run]
                if *way == direction(call) && *kind == call.at.kind.name() && *run == number)
    }

    /// When it was made.
    pub(super) const fn made(&self) -> Option<Time> {
        self.created
    }

    /// When it was posted, if a move posted it: the first marks of `init` and `adopt` move nothing.
    pub(super) fn moved(&self) -> Option<Time> {
        self.created.filter(|_| self.words.get(1).is_some_and(|it| it == "epoch"))
    }

    /// Nothing that was sent before it can still arrive.
    pub(super) fn is_old(&self, now: Time) -> bool {
        self.created.is_some_and(|it| now.seconds_since(it) > KEPT)
    }
}

/// The name of a group's marks, before the zone: `_changeover-gigadb`.
pub(super) fn mark_name(workflow: &Workflow, kind: Kind) -> String {
    let group = if kind == Kind::Drill { "-drill" } else { "" };
    format!("_changeover-{}{group}", workflow.system)
}

/// Under which name the journal keeps the marks of a zone.
pub(super) fn key(zone: &str, kind: Kind) -> String {
    if kind == Kind::Drill { format!("{zone}/drill") } else { zone.to_owned() }
}

const fn direction(call: &Call) -> &'static str {
    match call.at.way {
        Way::Forth => "forth",
        Way::Back | Way::Abort => "back",
    }
}

/// The comment of the mark that this call posts.
pub(super) fn comment(call: &Call) -> String {
    let (system, journal) = (&call.workflow.system, &call.record.journal);
    let (way, epoch) = (direction(call), call.record.epoch);
    let (kind, run) = (call.at.kind.name(), call.run.number);
    cut(&format!("changeover {system} journal {journal} {way} epoch {epoch} {kind} {run}"))
}

/// As long as a comment may be.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(COMMENT_MAX).collect()
}

/// The record that is a mark.
pub(super) fn post(name: &str, number: u64, comment: &str) -> Value {
    json!({ "type": "TXT", "name": name, "content": format!("e={number}"), "ttl": 60, "comment": comment })
}

/// Sets the first mark of this journal in every zone without one; where the survey gives a number that the
/// zone had once, the next one. A zone whose highest mark is another journal's is refused.
///
/// # Errors
/// What was seen; nothing is undone, and marks already set are found by the next try.
pub(in crate::actuator) async fn first(
    wire: &Arc<Wire>,
    workflow: &Workflow,
    journal: &str,
    survey: &Survey,
) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
    ours(wire, workflow, journal, &survey.marks, false).await
}

/// Sets the next mark of this journal in every zone, whoever the highest one belongs to, if that is still
/// the one the survey saw. Requests that the other journal has sent and that are still on their way need
/// the number taken here, or lower ones.
///
/// # Errors
/// As [`first`].
pub(in crate::actuator) async fn take(
    wire: &Arc<Wire>,
    workflow: &Workflow,
    journal: &str,
    survey: &Survey,
) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
    ours(wire, workflow, journal, &survey.marks, true).await
}

async fn ours(
    wire: &Arc<Wire>,
    workflow: &Workflow,
    journal: &str,
    known: &BTreeMap<String, (u64, String)>,
    take: bool,
) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
    let client = Client::new(wire, workflow, None).map_err(|it| vec![it])?;
    let mut numbers = BTreeMap::new();
    for zone in &switch(workflow).zones {
        let known = known.get(&zone.name).map(|it| it.0);
        let number = first_in(&client, workflow, journal, zone, (known, take)).await;
        numbers.insert(zone.name.clone(), number.map_err(|it| vec![it])?);
    }
    Ok(numbers)
}

async fn first_in(
    client: &Client,
    workflow: &Workflow,
    journal: &str,
    zone: &Zone,
    (known, take): (Option<u64>, bool),
) -> Result<u64, Evidence> {
    let id = client.zone(zone).await.map_err(|it| it.evidence)?.id;
    let name = format!("{}.{}", mark_name(workflow, Kind::Release), zone.name);
    let number = match &highest(client, zone, &id, &name).await? {
        None => known.map_or(1, |it| it + 1),
        Some(mark) if mark.is_of(journal) => return Ok(mark.number),
        Some(mark) if take && known == Some(mark.number) => mark.number + 1,
        Some(mark) => return Err(foreign(&client.wire, &zone.name, mark)),
    };
    let how = if take { "adopt" } else { "init" };
    let comment = cut(&format!("changeover {} journal {journal} {how}", workflow.system));
    let batch = Batch { posts: vec![post(&name, number, &comment)], ..Batch::default() };
    let Err(trouble) = client.batch(&zone.name, &id, &batch).await else { return Ok(number) };
    match trouble.kind {
        Why::Refused => Err(trouble.evidence),
        // Read once: ours has landed, or the person tries again.
        Why::Taken | Why::Unknown => match highest(client, zone, &id, &name).await? {
            Some(mark) if mark.is_of(journal) => Ok(mark.number),
            Some(_) | None => Err(trouble.evidence),
        },
    }
}

async fn highest(
    client: &Client,
    zone: &Zone,
    id: &str,
    name: &str,
) -> Result<Option<Mark>, Evidence> {
    let rows = client.rows(&zone.name, id).await.map_err(|it| it.evidence)?;
    Ok(Mark::all(&rows, name).pop())
}

/// Evidence that a zone's mark belongs to another journal.
pub(super) fn foreign(wire: &Wire, zone: &str, mark: &Mark) -> Evidence {
    let journal = mark.journal.as_deref().unwrap_or("unknown");
    let says = format!("mark {} in {zone} belongs to another journal: {journal}", mark.number);
    let data = json!({
        "code": "E3101", "foreign_mark": journal, "zone": zone, "number": mark.number
    });
    wire.evidence_with(&format!("cloudflare {zone}"), says, data)
}
