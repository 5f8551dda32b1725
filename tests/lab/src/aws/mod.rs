//! The layer before moto: records, delays what the emulator does at once, passes the rest on.

mod layer;
mod moto;
mod provision;
mod rds;

use crate::call::Arrival;
use crate::front::{Ask, Reply};
use crate::lab::Lab;
use crate::profile::Site;
use crate::text;
pub(crate) use moto::Moto;
pub(crate) use provision::{list_keys, list_snapshots, object, provision, put_object};
pub(crate) use rds::Snapshots;

/// Verbs of operations that read only.
const READS: [&str; 6] = ["Describe", "Get", "List", "Head", "Lookup", "Simulate"];

/// Service and region of a request's credential scope.
fn scope(ask: &Ask) -> Option<(String, String)> {
    let header = ask.header("authorization")?;
    let credential = header.split("Credential=").nth(1)?.split(',').next()?;
    let parts: Vec<&str> = credential.split('/').collect();
    match parts.as_slice() {
        [.., region, service, "aws4_request"] => {
            Some(((*service).to_owned(), (*region).to_owned()))
        }
        _ => None,
    }
}

/// The operation's name without its service.
fn action(ask: &Ask, service: &str) -> String {
    let form = text::pairs(&String::from_utf8_lossy(&ask.body));
    let query = ask.pairs();
    if let Some(target) = ask.header("x-amz-target") {
        return target.rsplit('.').next().unwrap_or(target).to_owned();
    }
    if service != "s3" {
        let named = text::value(&form, "Action").or_else(|| text::value(&query, "Action"));
        return named.map_or_else(|| format!("{} {}", ask.method, ask.path), str::to_owned);
    }
    let key = ask.path.trim_matches('/').contains('/');
    let copy = ask.header("x-amz-copy-source").is_some();
    let name = match (ask.method.as_str(), key) {
        ("GET", true) => "GetObject",
        ("HEAD", true) => "HeadObject",
        ("PUT", true) if copy => "CopyObject",
        ("PUT", true) => "PutObject",
        ("DELETE", true) => "DeleteObject",
        ("GET", false) if ask.path == "/" => "ListBuckets",
        ("GET", false) => "ListObjects",
        ("HEAD", false) => "HeadBucket",
        ("PUT", false) => "CreateBucket",
        ("DELETE", false) => "DeleteBucket",
        ("POST", _) => "PostObject",
        _ => "Unknown",
    };
    name.to_owned()
}

/// Names the operation of a request.
pub(crate) fn classify(ask: &Ask, arrival: &mut Arrival) {
    let (service, region) = scope(ask).unwrap_or_default();
    let action = action(ask, &service);
    arrival.changes = !READS.iter().any(|verb| action.starts_with(verb));
    arrival.operation = format!("{service}.{action}");
    arrival.place = Some(region).filter(|region| !region.is_empty());
}

/// An error in AWS's words.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    let xml = format!(
        "<ErrorResponse><Error><Type>{}</Type><Code>{code}</Code><Message>{message}</Message>\
         </Error><RequestId>{}</RequestId></ErrorResponse>",
        if status < 500 { "Sender" } else { "Receiver" },
        text::hex32(message),
    );
    Reply::text(status, "text/xml", xml)
}

/// Answers a request.
pub(crate) async fn answer(lab: &Lab, ask: Ask) -> Reply {
    let (service, region) = scope(&ask).unwrap_or_default();
    let action = action(&ask, &service);
    if lab.with(|world| world.settings.regions_down.contains(&region)) {
        return error(503, "ServiceUnavailable", "the region was set to be down");
    }
    let form = text::pairs(&String::from_utf8_lossy(&ask.body));
    if service == "rds" && action == "CreateDBSnapshot" {
        let refused = lab.with(|world| world.snapshots.refuses(&region, &form, &world.settings));
        if let Some(refused) = refused {
            return refused;
        }
    }
    let layered = lab.with(|world| layer::instead(&service, &action, &form, &region, world));
    if let Some(reply) = layered {
        return reply;
    }
    let mut reply = forward(lab, &ask).await;
    if service == "ec2" || service == "rds" {
        let xml = String::from_utf8_lossy(&reply.body).into_owned();
        let xml = lab.with(|world| layer::over(&xml, &action, &region, world));
        reply.body = xml.into();
    }
    if service == "rds" {
        let xml = String::from_utf8_lossy(&reply.body).into_owned();
        let xml = lab.with(|world| {
            if action == "CreateDBSnapshot" && reply.status < 300 {
                world.snapshots.begin(&region, &form);
            }
            world.snapshots.delayed(&region, &xml, &world.settings)
        });
        reply.body = xml.into();
    }
    if reply.status == 500 && reply.body.starts_with(b"<!doctype html>") {
        reply = error(501, "NotImplemented", "the emulator does not know this operation");
    }
    let reads = READS.iter().any(|verb| action.starts_with(verb));
    reply.applied = !reads && reply.status < 300;
    reply
}

/// Passes a request on, with the access key that moto really knows.
async fn forward(lab: &Lab, ask: &Ask) -> Reply {
    let Some(moto) = lab.fixed.moto else {
        return error(503, "ServiceUnavailable", "this practice cloud was started without moto");
    };
    let (keys, one) = lab.with(|world| (world.cloud.keys.clone(), world.settings.one_principal));
    let skipped = ["connection", "content-length", "transfer-encoding", "expect"];
    let headers = ask.headers.iter().filter(|(name, _)| !skipped.contains(&name.as_str()));
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| {
            let mut value = value.clone();
            if name == "authorization" {
                for site in Site::ALL {
                    let at = if one { 0 } else { site.index() };
                    value = value.replace(site.access_key(), &keys[at]);
                }
            }
            (name.clone(), value)
        })
        .collect();
    let target =
        if ask.query.is_empty() { ask.path.clone() } else { format!("{}?{}", ask.path, ask.query) };
    let sent = lab.fixed.client.send(moto, &ask.method, &target, &headers, ask.body.clone()).await;
    sent.unwrap_or_else(|problem| error(503, "ServiceUnavailable", &problem))
}
