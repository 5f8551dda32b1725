//! The switch as people do it with curl: the same batches, each after a look at what it replaces.

use std::sync::Arc;

use super::client::{Client, batch_path, switch};
use super::group::zone_of;
use super::swap::prepared;
use crate::actuator::Wire;
use crate::actuator::host::quoted;
use crate::model::{Change, Evidence, Verb};
use crate::port::{ByHand, Call};

/// One batch a zone. The provider refuses the whole batch when somebody else has made the mark it makes; the
/// look before it stops at a record that was changed by hand.
///
/// # Errors
/// What was seen when the batches cannot be made.
pub(in crate::actuator) async fn moves(
    wire: &Arc<Wire>,
    call: Call,
) -> Result<ByHand, Vec<Evidence>> {
    let mut shell = vec![];
    let zones = prepared(wire, call).await?;
    for it in &zones {
        shell.push(format!("# {}: what is replaced must still be what it was", it.zone));
        let records = it.changes.iter().filter(|it| it.verb == Verb::Change);
        shell.extend(records.filter_map(|change| leads(&it.id, change, false)));
        let body = serde_json::to_string_pretty(&it.body).unwrap_or_default();
        shell.push(format!("cf -X POST \"$CF/{}\" -d @- <<'BODY' &&", batch_path(&it.id)));
        shell.push(body);
        shell.push("BODY".to_owned());
        shell.push(format!("echo && echo 'ok    {} is moved' ||", it.zone));
        shell.push(format!("echo 'STOP  {}: see the answer above'", it.zone));
    }
    shell.push("# what stands there now".to_owned());
    for it in &zones {
        let records = it.changes.iter().filter(|it| it.verb == Verb::Change);
        shell.extend(records.filter_map(|change| leads(&it.id, change, true)));
    }
    let many = zones.len();
    let says = format!(
        "The switch: {many} batches, each all or nothing. A batch that answers 81057 or 81058 was overtaken by \
         another move: stop and look."
    );
    Ok(ByHand { says, shell })
}

fn leads(zone: &str, change: &Change, after: bool) -> Option<String> {
    let mut key = change.key.split('/').skip(2);
    let (id, name) = (key.next()?, key.next()?);
    let to = if after { change.new.as_ref()? } else { change.old.as_ref()? };
    let end = if after { "" } else { " &&" };
    Some(format!("leads {name} \"$CF/zones/{zone}/dns_records/{id}\" {to}{end}"))
}

/// Each name asked of each authoritative server.
///
/// # Errors
/// What was seen when the servers are not known.
pub(in crate::actuator) async fn confirms(
    wire: &Arc<Wire>,
    call: &Call,
) -> Result<ByHand, Vec<Evidence>> {
    let client = Client::new(wire, &call.workflow, Some(call.at)).map_err(|it| vec![it])?;
    let config = switch(&call.workflow);
    let mut servers = vec![];
    for zone in &config.zones {
        let own = if wire.outside.authority.is_empty() {
            let found = client.zone(zone).await.map_err(|it| vec![it.evidence])?;
            found.name_servers.into_iter().map(|it| format!("{it}:53")).collect()
        } else {
            wire.outside.authority.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        servers.push(own.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(" "));
    }
    let mut shell = vec![];
    let of = |site, record: &str| call.record.addresses.get(site)?.get(record).cloned();
    for record in call.workflow.records(call.at.kind) {
        let id = record.id.as_str();
        let names = [
            (&record.production, of(&call.standby, id)),
            (&record.standby, of(&call.production, id)),
        ];
        for (name, address) in names {
            let zone = zone_of(&config.zones, name).and_then(|it| servers.get(it));
            if let (Some(address), Some(zone)) = (address, zone) {
                shell.push(format!("answers {name} {address} {zone}"));
            }
        }
    }
    let says = "Every authoritative server must give the new address for every name; resolvers follow when what \
                they remember has run out."
        .to_owned();
    Ok(ByHand { says, shell })
}
