//! What the authoritative servers of a zone answer, each by itself, for a look at the whole world.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::RecordType;

use super::asking::{ask, authority};
use crate::actuator::Wire;
use crate::model::{Answers, Part, Read};

/// Asks every authoritative server of a zone for these names, all at once. A server that is silent on one
/// name is not known.
pub(in crate::actuator) async fn answers(
    wire: &Wire,
    zone: &str,
    names: &[&str],
    deadline: Duration,
) -> Vec<Part<Answers>> {
    let late = || Err(format!("no answer within {deadline:?}"));
    let source = format!("dns {zone}");
    let servers = tokio::time::timeout(deadline, authority(wire, zone)).await;
    match servers.unwrap_or_else(|_| late()) {
        Ok(servers) => {
            join_all(servers.into_iter().map(|server| async move {
                let read = tokio::time::timeout(deadline, one(wire, server, names)).await;
                let read = read.unwrap_or_else(|_| Err(format!("no answer within {deadline:?}")));
                part(wire, format!("dns {zone} {server}"), read)
            }))
            .await
        }
        Err(why) => vec![part(wire, source, Err(why))],
    }
}

async fn one(wire: &Wire, server: SocketAddr, names: &[&str]) -> Result<Answers, String> {
    let asked = names.iter().map(|name| async move {
        let answer = ask(wire, server, name, RecordType::A, false).await?;
        if !answer.authoritative {
            return Err(format!("{server} is no authority for {name}: {}", answer.code));
        }
        let addresses = answer.addresses.iter().map(ToString::to_string).collect();
        Ok(((*name).to_owned(), addresses))
    });
    join_all(asked).await.into_iter().collect()
}

fn part(wire: &Wire, source: String, read: Result<Answers, String>) -> Part<Answers> {
    let read = read.map_or_else(Read::Unknown, Read::Known);
    Part { source, at: wire.clock.now(), read }
}
