//! What an armed failover keeps of the zones, and the group made of it again without a look at the provider.

use std::collections::BTreeSet;

use super::client::{Client, Row, switch};
use super::group::Group;
use super::marks::{Mark, mark_name};
use super::seen::DECIDING;
use crate::model::{Evidence, Kind, ZoneKept};
use crate::workflow::Workflow;

/// Reads every zone of the switch once, and keeps what a move of the group needs.
///
/// # Errors
/// What was seen when one could not be read.
pub(in crate::actuator) async fn kept(
    client: &Client,
    workflow: &Workflow,
) -> Result<Vec<ZoneKept>, Evidence> {
    let group: BTreeSet<String> = workflow
        .records(Kind::Failover)
        .iter()
        .flat_map(|it| [&it.production, &it.standby])
        .map(|it| it.to_ascii_lowercase())
        .collect();
    let mut zones = vec![];
    for zone in &switch(workflow).zones {
        let id = client.zone(zone).await.map_err(|it| it.evidence)?.id;
        let rows = client.rows(&zone.name, &id).await.map_err(|it| it.evidence)?;
        let mark = format!("{}.{}", mark_name(workflow, Kind::Failover), zone.name);
        let ours = |row: &&Row| {
            let deciding = DECIDING.contains(&row.r#type.as_str());
            deciding && group.contains(&row.name.to_ascii_lowercase())
                || row.r#type == "TXT" && row.name.eq_ignore_ascii_case(&mark)
        };
        let highest = Mark::all(&rows, &mark).pop().map(|it| it.number);
        let rows = rows.iter().filter(ours).map(Row::kept).collect();
        zones.push(ZoneKept { name: zone.name.clone(), id, mark: highest, rows });
    }
    Ok(zones)
}

/// The group as it was kept; nothing if the zones are not those of the file.
pub(super) fn group(workflow: &Workflow, kept: &[ZoneKept]) -> Option<Group> {
    let zones = &switch(workflow).zones;
    let same = zones.iter().map(|it| &it.name).eq(kept.iter().map(|it| &it.name));
    let read = kept.iter().map(|it| (it.id.clone(), it.rows.iter().map(Row::of).collect()));
    same.then(|| Group::of(workflow, Kind::Failover, read.collect()))
}
