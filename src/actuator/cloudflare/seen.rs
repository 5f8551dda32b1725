//! A zone as it is now, for a look at the whole world: what leads somewhere, and the highest mark.

use super::client::{Client, Row};
use super::marks::{Mark, mark_name};
use crate::model::{Evidence, Kind, MarkSeen, RowSeen, ZoneSeen};
use crate::workflow::{Workflow, Zone};

/// Types that decide where a name leads; only the first may stand at a name of the group.
pub(super) const DECIDING: [&str; 5] = ["A", "AAAA", "CNAME", "HTTPS", "SVCB"];

/// Reads one zone.
///
/// # Errors
/// What was seen when it could not be read.
pub(in crate::actuator) async fn zone_seen(
    client: &Client,
    workflow: &Workflow,
    zone: &Zone,
) -> Result<ZoneSeen, Evidence> {
    let id = client.zone(zone).await.map_err(|it| it.evidence)?.id;
    let rows = client.rows(&zone.name, &id).await.map_err(|it| it.evidence)?;
    let name = format!("{}.{}", mark_name(workflow, Kind::Release), zone.name);
    let mark = Mark::all(&rows, &name).pop();
    let mark =
        mark.map(|it| MarkSeen { number: it.number, journal: it.journal.clone(), made: it.made() });
    let leads = |it: &&Row| DECIDING.contains(&it.r#type.as_str());
    let seen = |it: &Row| RowSeen {
        name: it.name.to_ascii_lowercase(),
        kind: it.r#type.clone(),
        content: it.content.clone(),
        proxied: it.proxied,
        changed: it.modified(),
    };
    Ok(ZoneSeen { rows: rows.iter().filter(leads).map(seen).collect(), mark })
}
