//! DNS: two authoritative servers and three resolvers, on their own ports.

mod signed;
mod zone;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::{Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo, Server};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use crate::call::{Arrival, Service};
use crate::lab::Lab;
use crate::text;
use crate::world::World;
use zone::Answer;

/// How many authoritative servers there are.
pub(crate) const AUTHORITIES: usize = 2;
/// How many resolvers there are.
pub(crate) const RESOLVERS: usize = 3;

/// What one server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Authority,
    Resolver,
}

/// What the resolvers remember, by resolver, name and type.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    kept: BTreeMap<(usize, String, u16), (Instant, Arc<Answer>)>,
}

struct Handler {
    lab: Lab,
    kind: Kind,
    index: usize,
}

/// Sockets of one server.
#[derive(Debug)]
pub(crate) struct Port {
    udp: UdpSocket,
    tcp: TcpListener,
    /// The address of both.
    pub(crate) address: SocketAddr,
}

impl Port {
    /// A port that is free for UDP and TCP.
    pub(crate) async fn free() -> std::io::Result<Self> {
        let mut last = std::io::Error::other("no port is free for both UDP and TCP");
        for _ in 0..50 {
            let tcp = TcpListener::bind("127.0.0.1:0").await?;
            let address = tcp.local_addr()?;
            match UdpSocket::bind(address).await {
                Ok(udp) => return Ok(Self { udp, tcp, address }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Starts all servers: the authoritative ones first, then the resolvers.
pub(crate) fn start(lab: &Lab, ports: Vec<Port>) {
    for (number, port) in ports.into_iter().enumerate() {
        let (kind, index) = if number < AUTHORITIES {
            (Kind::Authority, number)
        } else {
            (Kind::Resolver, number - AUTHORITIES)
        };
        let mut server = Server::new(Handler { lab: lab.clone(), kind, index });
        server.register_socket(port.udp);
        server.register_listener(port.tcp, Duration::from_secs(10), 64);
        tokio::spawn(async move { server.block_until_done().await });
    }
}

impl Handler {
    fn place(&self) -> String {
        let word = if self.kind == Kind::Authority { "authority" } else { "resolver" };
        format!("{word}{}", self.index)
    }

    /// The answer, or nothing when the server is set to be down.
    fn look_up(&self, world: &mut World, name: &str, kind: RecordType) -> Option<Arc<Answer>> {
        let settings = &world.settings;
        if self.kind == Kind::Authority {
            let down = settings.dns_down.of(self.index);
            return (!down).then(|| Arc::new(authoritative(world, self.index, name, kind)));
        }
        if settings.resolver_down.of(self.index) {
            return None;
        }
        let keep = text::seconds(settings.resolver_cache_s.of(self.index));
        let key = (self.index, name.to_owned(), u16::from(kind));
        if let Some((since, answer)) = world.caches.kept.get(&key) {
            let age = since.elapsed();
            if age < keep.min(Duration::from_secs(answer.least_ttl().into())) {
                return Some(Arc::new(answer.aged(age)));
            }
        }
        // The first authoritative server that answers, beginning with the resolver's own.
        let asked = (0..AUTHORITIES).map(|step| (self.index + step) % AUTHORITIES);
        let up = asked.into_iter().find(|at| !world.settings.dns_down.of(*at));
        let Some(up) = up else { return Some(Arc::new(Answer::failed())) };
        let answer = Arc::new(authoritative(world, up, name, kind));
        world.caches.kept.insert(key, (Instant::now(), Arc::clone(&answer)));
        Some(answer)
    }

    fn recorded(&self, request: &Request, name: &str, kind: RecordType) -> Option<Arc<Answer>> {
        let arrival = Arrival {
            operation: format!("query {kind}"),
            place: Some(self.place()),
            method: if request.protocol() == Protocol::Udp { "UDP" } else { "TCP" }.to_owned(),
            path: name.to_owned(),
            query: kind.to_string(),
            ..Arrival::default()
        };
        self.lab.with(|world| {
            let n = world.calls.begin(Service::Dns, &arrival);
            let answer = self.look_up(world, name, kind);
            let (code, shown) = answer.as_ref().map_or_else(
                || (0, String::new()),
                |answer| (u16::from(answer.code), answer.to_string()),
            );
            world.calls.end(n, code, shown.as_bytes(), false);
            answer
        })
    }
}

/// What an authoritative server knows.
fn authoritative(world: &World, index: usize, name: &str, kind: RecordType) -> Answer {
    if world.settings.dns_foreign && kind == RecordType::NS {
        return zone::foreign(name);
    }
    let delay = text::seconds(world.settings.dns_delay.of(index));
    let known = Instant::now().checked_sub(delay);
    zone::answer(&world.cloudflare.zones, known, name, kind)
}

#[async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut handle: R,
    ) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.recursion_available = self.kind == Kind::Resolver;
        let fallback = hickory_server::proto::op::Header {
            metadata,
            counts: hickory_server::proto::op::HeaderCounts::default(),
        };
        let builder = MessageResponseBuilder::from_message_request(request);
        let info =
            request.request_info().ok().filter(|_| request.metadata.op_code == OpCode::Query);
        let Some(info) = info else {
            let answer = builder.error_msg(&request.metadata, ResponseCode::NotImp);
            return handle.send_response(answer).await.unwrap_or_else(|_| fallback.into());
        };
        let name = info.query.name().to_string().trim_end_matches('.').to_ascii_lowercase();
        let kind = info.query.query_type();
        let Some(answer) = self.recorded(request, &name, kind) else {
            return fallback.into(); // down: no answer at all
        };
        let asked = signed::Asked {
            resolver: self.kind == Kind::Resolver,
            name: &name,
            kind,
            signatures: request.edns.as_ref().is_some_and(|it| it.flags().dnssec_ok),
            unchecked: request.metadata.checking_disabled,
        };
        let how = self.lab.with(|world| world.settings.dnssec.clone());
        let (answer, vouched) = signed::dressed(&answer, asked, &how);
        metadata.authentic_data = vouched;
        metadata.response_code = answer.code;
        metadata.authoritative =
            self.kind == Kind::Authority && answer.code != ResponseCode::Refused;
        let none: [Record; 0] = [];
        let answer =
            builder.build(metadata, &answer.records, none.iter(), answer.soa.iter(), none.iter());
        handle.send_response(answer).await.unwrap_or_else(|_| fallback.into())
    }
}
