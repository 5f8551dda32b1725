//! One question to one server: over UDP, again over TCP when the answer does not fit.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::actuator::Wire;

/// How long one try over UDP may take; a lost packet costs this.
pub(super) const TRY: Duration = Duration::from_millis(1500);

/// Tries over UDP.
const TRIES: u32 = 2;

/// Public resolvers, asked when none are given: Cloudflare, Google, Quad9.
const PUBLIC: [Ipv4Addr; 3] =
    [Ipv4Addr::new(1, 1, 1, 1), Ipv4Addr::new(8, 8, 8, 8), Ipv4Addr::new(9, 9, 9, 9)];

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::actuator) struct Answered {
    /// It says it is an authority for the name.
    pub(super) authoritative: bool,
    /// `NoError`, `NXDomain`, …
    pub(super) code: ResponseCode,
    /// The addresses in the answer.
    pub(in crate::actuator) addresses: BTreeSet<IpAddr>,
    /// The name servers in the answer, lower case, without the last dot.
    pub(super) servers: BTreeSet<String>,
    /// The serial of the zone, when its SOA was asked for and is in the answer.
    pub(super) serial: Option<u32>,
    /// The least TTL in the answer, seconds.
    pub(super) ttl: u32,
}

/// Asks one server. `recurse` is for resolvers.
///
/// # Errors
/// One sentence: no answer, or one that cannot be read.
pub(in crate::actuator) async fn ask(
    wire: &Wire,
    server: SocketAddr,
    name: &str,
    kind: RecordType,
    recurse: bool,
) -> Result<Answered, String> {
    let mut message = Message::query();
    message.metadata.recursion_desired = recurse;
    let name = Name::from_ascii(format!("{}.", name.trim_end_matches('.')))
        .map_err(|error| format!("`{name}` is not a name: {error}"))?;
    message.add_query(Query::query(name.clone(), kind));
    let call = format!("dns {kind} {}", name.to_ascii().trim_end_matches('.'));
    let deadline = TRY * (TRIES + 2);
    match wire.call(&call, deadline, exchange(server, &message)).await {
        Ok(answer) => {
            answer.map(|it| read(&it, &name)).map_err(|error| format!("{server}: {error}"))
        }
        Err(_) => Err(format!("{server}: no answer within {deadline:?}")),
    }
}

/// Sends a question, over TCP when the answer does not fit.
pub(super) async fn exchange(server: SocketAddr, message: &Message) -> Result<Message, String> {
    let bytes = message.to_vec().map_err(|error| error.to_string())?;
    let mut last = Err(String::new());
    for _ in 0..TRIES {
        last = match tokio::time::timeout(TRY, by_udp(server, &bytes, message)).await {
            Ok(Ok(answer)) if answer.metadata.truncation => {
                return by_tcp(server, &bytes, message).await.map_err(|it| it.to_string());
            }
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {TRY:?}, asked {TRIES} times")),
        };
    }
    last
}

async fn by_udp(server: SocketAddr, bytes: &[u8], asked: &Message) -> std::io::Result<Message> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    // A connected socket takes packets of this server only.
    socket.connect(server).await?;
    socket.send(bytes).await?;
    let mut buffer = [0; 4096];
    loop {
        let size = socket.recv(&mut buffer).await?;
        // Something else's answer, or a forged one: go on waiting.
        if let Some(answer) = fitting(buffer.get(..size).unwrap_or_default(), asked) {
            return Ok(answer);
        }
    }
}

async fn by_tcp(server: SocketAddr, bytes: &[u8], asked: &Message) -> std::io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let size = u16::try_from(bytes.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&size.to_be_bytes(), bytes].concat()).await?;
    let size = stream.read_u16().await?;
    let mut buffer = vec![0; usize::from(size)];
    stream.read_exact(&mut buffer).await?;
    fitting(&buffer, asked).ok_or_else(|| std::io::Error::other("not an answer to the question"))
}

/// The message, if it answers exactly this question.
fn fitting(bytes: &[u8], asked: &Message) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    (answer.metadata.id == asked.metadata.id && answer.queries == asked.queries).then_some(answer)
}

fn read(message: &Message, name: &Name) -> Answered {
    let mut it = Answered {
        authoritative: message.metadata.authoritative,
        code: message.metadata.response_code,
        ttl: message.answers.iter().map(|it| it.ttl).min().unwrap_or(0),
        ..Answered::default()
    };
    for record in &message.answers {
        if let RData::A(address) = &record.data {
            it.addresses.insert(address.0.into());
        } else if let RData::AAAA(address) = &record.data {
            it.addresses.insert(address.0.into());
        } else if let RData::NS(server) = &record.data {
            let server = server.0.to_ascii().to_ascii_lowercase();
            it.servers.insert(server.trim_end_matches('.').to_owned());
        } else if let RData::SOA(soa) = &record.data
            && record.name.to_lowercase() == name.to_lowercase()
        {
            it.serial = Some(soa.serial);
        }
    }
    it
}

/// The resolvers to ask.
pub(super) fn resolvers(wire: &Wire) -> Vec<SocketAddr> {
    if wire.outside.resolvers.is_empty() {
        PUBLIC.iter().map(|it| SocketAddr::from((*it, 53))).collect()
    } else {
        wire.outside.resolvers.clone()
    }
}

/// Asks the resolvers one after the other until one answers.
///
/// # Errors
/// What the last one said.
pub(super) async fn resolve(wire: &Wire, name: &str, kind: RecordType) -> Result<Answered, String> {
    let mut last = Err("there is no resolver".to_owned());
    for server in resolvers(wire) {
        last = ask(wire, server, name, kind, true).await;
        if last
            .as_ref()
            .is_ok_and(|it| it.code == ResponseCode::NoError || it.code == ResponseCode::NXDomain)
        {
            break;
        }
    }
    last
}

/// The authoritative servers of a zone: those given, else the ones its delegation names.
///
/// # Errors
/// They cannot be found.
pub(in crate::actuator) async fn authority(
    wire: &Wire,
    zone: &str,
) -> Result<Vec<SocketAddr>, String> {
    if !wire.outside.authority.is_empty() {
        return Ok(wire.outside.authority.clone());
    }
    let delegation = resolve(wire, zone, RecordType::NS).await?;
    let mut servers = vec![];
    for server in &delegation.servers {
        let found = resolve(wire, server, RecordType::A).await?;
        let address = found.addresses.first().ok_or_else(|| format!("{server} has no address"))?;
        servers.push(SocketAddr::from((*address, 53)));
    }
    if servers.is_empty() {
        return Err(format!("{zone} is not delegated to any name server"));
    }
    Ok(servers)
}
