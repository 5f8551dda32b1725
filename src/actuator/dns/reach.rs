//! Where a name is reached: resolvers given, else the system's; then curl's `connect-to` rules.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::proto::rr::RecordType;

use super::asking::resolve;
use crate::actuator::Wire;
use crate::port::ConnectTo;

/// The addresses at which `host` is reached. `address` (`IP` or `IP:PORT`) replaces what DNS says; a rule
/// that names the host does not lead away from it.
///
/// # Errors
/// One sentence: the name leads nowhere.
pub(in crate::actuator) async fn reach(
    wire: &Wire,
    host: &str,
    port: u16,
    address: Option<&str>,
) -> Result<Vec<SocketAddr>, String> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Some(address) = address {
        let (ip, port) = split(address, port)?;
        return redirected(wire, &ip.to_string(), port, Some(ip)).await;
    }
    if let Ok(ip) = host.parse() {
        return redirected(wire, host, port, Some(ip)).await;
    }
    redirected(wire, host, port, None).await
}

/// `IP` or `IP:PORT`.
///
/// # Errors
/// It is neither.
pub(in crate::actuator) fn split(address: &str, port: u16) -> Result<(IpAddr, u16), String> {
    let whole: Option<SocketAddr> = address.parse().ok();
    whole
        .map(|it| (it.ip(), it.port()))
        .or_else(|| address.trim_matches(['[', ']']).parse().ok().map(|ip| (ip, port)))
        .ok_or_else(|| format!("`{address}` is not an address such as `192.0.2.1:443`"))
}

async fn redirected(
    wire: &Wire,
    host: &str,
    port: u16,
    ip: Option<IpAddr>,
) -> Result<Vec<SocketAddr>, String> {
    let rule = wire.outside.connect_to.iter().find(|it| applies(it, host, port));
    let port = rule.and_then(|it| it.to_port).unwrap_or(port);
    let other = rule.and_then(|it| it.to_host.as_deref());
    if let Some(ip) = other.map_or(ip, |it| it.trim_matches(['[', ']']).parse().ok()) {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let ips = look_up(wire, other.unwrap_or(host)).await?;
    Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

fn applies(rule: &ConnectTo, host: &str, port: u16) -> bool {
    rule.host.as_deref().is_none_or(|it| it.trim_matches(['[', ']']).eq_ignore_ascii_case(host))
        && rule.port.is_none_or(|it| it == port)
}

async fn look_up(wire: &Wire, host: &str) -> Result<Vec<IpAddr>, String> {
    if wire.outside.resolvers.is_empty() {
        let found = tokio::net::lookup_host((host, 0)).await;
        let found = found.map_err(|error| format!("{host} is not resolved: {error}"))?;
        return Ok(found.map(|it| it.ip()).collect());
    }
    let found = resolve(wire, host, RecordType::A).await?;
    if found.addresses.is_empty() {
        return Err(format!("{host} leads nowhere: {}", found.code));
    }
    Ok(found.addresses.into_iter().collect())
}
