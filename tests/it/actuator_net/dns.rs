//! DNS checks against name servers of our own, over UDP and TCP.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use changeover::machine::Fact;
use changeover::model::{Kind, Verdict};
use changeover::port::{Finding, Outside, World};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NS, SOA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::stand_in::Cloudflare;
use super::world::{NAMES, back, call, outside, params, setting, text, workflow};

/// How a server is.
#[derive(Clone, Debug)]
struct Manner {
    authoritative: bool,
    /// Answers do not fit into a packet.
    truncated: bool,
    silent: bool,
    ttl: u32,
    /// The first of its two name servers' names.
    ns: &'static str,
    addresses: BTreeMap<String, Ipv4Addr>,
}

#[derive(Clone, Debug)]
struct Server {
    at: SocketAddr,
    manner: Arc<Mutex<Manner>>,
}

/// Addresses by name, before or after the move.
fn zone_data(moved: bool) -> BTreeMap<String, Ipv4Addr> {
    let changeover::workflow::Switch::Cloudflare(switch) = workflow().switch;
    let mut addresses = BTreeMap::new();
    for (record, (_, hk, sydney)) in switch.records.iter().zip(NAMES) {
        let (production, standby) = if moved { (sydney, hk) } else { (hk, sydney) };
        addresses.insert(record.production.clone(), production.parse().unwrap());
        addresses.insert(record.standby.clone(), standby.parse().unwrap());
    }
    addresses
}

impl Server {
    async fn start(moved: bool) -> Self {
        // One port for both; another process may hold it for TCP, then the next is tried.
        let (tcp, udp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (tcp, udp);
            }
        };
        let manner = Manner {
            authoritative: true,
            truncated: false,
            silent: false,
            ttl: 60,
            ns: "ada.ns.example.",
            addresses: zone_data(moved),
        };
        let it = Self { at: tcp.local_addr().unwrap(), manner: Arc::new(Mutex::new(manner)) };
        let (by_udp, by_tcp) = (it.clone(), it.clone());
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            loop {
                let (size, from) = udp.recv_from(&mut buffer).await.unwrap();
                let truncated = by_udp.manner.lock().unwrap().truncated;
                if let Some(answer) = by_udp.answer(&buffer[..size], truncated) {
                    udp.send_to(&answer, from).await.unwrap();
                }
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut question).await.unwrap();
                let answer = by_tcp.answer(&question, false).unwrap();
                stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        });
        it
    }

    fn set(&self, with: impl FnOnce(&mut Manner)) {
        with(&mut self.manner.lock().unwrap());
    }

    fn answer(&self, question: &[u8], truncated: bool) -> Option<Vec<u8>> {
        let manner = self.manner.lock().unwrap().clone();
        let asked = Message::from_vec(question).unwrap();
        let query = asked.queries[0].clone();
        let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
        answer.add_query(query.clone());
        answer.metadata.authoritative = manner.authoritative;
        answer.metadata.truncation = truncated;
        let name = query.name().to_ascii();
        let data = match query.query_type() {
            RecordType::A => {
                manner.addresses.get(name.trim_end_matches('.')).map(|it| RData::A(A(*it)))
            }
            RecordType::NS => Some(RData::NS(NS(Name::from_ascii(manner.ns).unwrap()))),
            RecordType::SOA => {
                let name = Name::from_ascii("ns.example.").unwrap();
                Some(RData::SOA(SOA::new(name.clone(), name, 7, 1, 1, 1, 1)))
            }
            other => panic!("{other}"),
        };
        match data {
            _ if truncated => (),
            None => answer.metadata.response_code = ResponseCode::NXDomain,
            Some(data) => {
                let ns = query.query_type() == RecordType::NS;
                answer.add_answer(Record::from_rdata(query.name().clone(), manner.ttl, data));
                if ns {
                    let bob = NS(Name::from_ascii("bob.ns.example.").unwrap());
                    let bob = Record::from_rdata(query.name().clone(), manner.ttl, RData::NS(bob));
                    answer.add_answer(bob);
                }
            }
        }
        (!manner.silent).then(|| answer.to_vec().unwrap())
    }
}

async fn look(kind: &str, with: &str, authority: &[&Server], resolvers: &[&Server]) -> Finding {
    let at = |servers: &[&Server]| servers.iter().map(|it| it.at).collect();
    let cloudflare = Cloudflare::start().await;
    let outside = Outside {
        cloudflare: cloudflare.url.clone(),
        authority: at(authority),
        resolvers: at(resolvers),
        ..outside()
    };
    setting(outside).world.check(call(params(kind, with))).look().await
}

const CONFIRM: &str = "{ resolvers_min: 1 }";

#[tokio::test]
async fn all_authorities_with_the_new_addresses_settle_the_roles() {
    let (one, two, resolver) =
        (Server::start(true).await, Server::start(true).await, Server::start(false).await);
    resolver.set(|it| it.ttl = 41);
    let found = look("switch.confirm", CONFIRM, &[&one, &two], &[&resolver]).await;
    assert_eq!(found.verdict, Verdict::Pass, "{found:?}");
    // What resolvers remember of both sides is what a way back would have to wait out.
    let remembered = Fact::Remembered { old: 41, ttl: 60 };
    assert_eq!(found.facts, [remembered, Fact::RolesSettled { production: "sydney".into() }]);
    let last = &found.evidence.last().unwrap().says;
    assert!(
        last.contains("at most 41 s more"),
        "resolvers are reported and decide nothing: {last}"
    );
}

#[tokio::test]
async fn one_authority_behind_keeps_the_roles_moving() {
    let (one, two, resolver) =
        (Server::start(true).await, Server::start(true).await, Server::start(true).await);
    two.set(|it| {
        it.addresses.insert("files.gigadb.org".into(), NAMES[2].1.parse().unwrap());
    });
    let found = look("switch.confirm", CONFIRM, &[&one, &two], &[&resolver]).await;
    assert_eq!((found.verdict, settled(&found.facts)), (Verdict::Fail, false));
    assert!(text(&found.evidence).contains(NAMES[2].1));
    two.set(|it| it.authoritative = false);
    one.set(|it| it.authoritative = false);
    let found = look("switch.confirm", CONFIRM, &[&one, &two], &[&resolver]).await;
    assert_eq!(found.verdict, Verdict::Fail, "an answer without authority confirms nothing");
}

#[tokio::test]
async fn a_silent_authority_is_unknown() {
    let (one, two, resolver) =
        (Server::start(true).await, Server::start(true).await, Server::start(true).await);
    two.set(|it| it.silent = true);
    let found = look("switch.confirm", CONFIRM, &[&one, &two], &[&resolver]).await;
    assert_eq!((found.verdict, settled(&found.facts)), (Verdict::Unknown, false));
}

#[tokio::test]
async fn the_way_back_and_a_drill_are_confirmed_by_their_own_roles_and_names() {
    let (one, resolver) = (Server::start(false).await, Server::start(false).await);
    one.set(|it| {
        it.addresses.insert("drill.gigadb.org".into(), NAMES[0].2.parse().unwrap());
        it.addresses.insert("drill.gigadb.host".into(), NAMES[0].1.parse().unwrap());
    });
    let setting =
        setting(Outside { authority: vec![one.at], resolvers: vec![resolver.at], ..outside() });
    let forth = call(params("switch.confirm", CONFIRM));
    let found = setting.world.check(back(forth.clone())).look().await;
    let remembered = Fact::Remembered { old: 0, ttl: 60 };
    let settled = Fact::RolesSettled { production: "hk".into() };
    assert_eq!(found.facts, [remembered, settled], "{found:?}");
    let mut drill = forth;
    drill.at.kind = Kind::Drill;
    let found = setting.world.check(drill).look().await;
    assert_eq!((found.verdict, found.facts.len()), (Verdict::Pass, 0), "{found:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again_over_tcp() {
    let (one, resolver) = (Server::start(true).await, Server::start(true).await);
    one.set(|it| it.truncated = true);
    let found = look("switch.confirm", CONFIRM, &[&one], &[&resolver]).await;
    assert_eq!(found.verdict, Verdict::Pass, "{found:?}");
}

#[tokio::test]
async fn the_ttl_is_the_authoritys() {
    let one = Server::start(false).await;
    assert_eq!(look("dns.ttl", "{}", &[&one], &[]).await.verdict, Verdict::Pass);
    one.set(|it| it.ttl = 301);
    let found = look("dns.ttl", "{}", &[&one], &[]).await;
    assert_eq!(found.verdict, Verdict::Fail);
    assert!(found.evidence[0].says.contains("files.alt-live.gigadb.host"));
    one.set(|it| it.authoritative = false);
    assert_eq!(look("dns.ttl", "{}", &[&one], &[]).await.verdict, Verdict::Unknown);
}

#[tokio::test]
async fn a_zone_must_lie_where_the_provider_says() {
    let (one, two) = (Server::start(false).await, Server::start(false).await);
    assert_eq!(look("dns.delegated", "{}", &[&one, &two], &[]).await.verdict, Verdict::Pass);
    two.set(|it| it.ns = "dns1.elsewhere.example.");
    let found = look("dns.delegated", "{}", &[&one, &two], &[]).await;
    assert_eq!(found.verdict, Verdict::Fail);
    assert!(found.evidence[0].says.contains("dns1.elsewhere.example"));
    two.set(|it| it.authoritative = false);
    assert_eq!(look("dns.delegated", "{}", &[&two], &[]).await.verdict, Verdict::Fail);
    two.set(|it| it.silent = true);
    assert_eq!(look("dns.delegated", "{}", &[&one, &two], &[]).await.verdict, Verdict::Unknown);
}

fn settled(facts: &[Fact]) -> bool {
    facts.iter().any(|it| matches!(it, Fact::RolesSettled { .. }))
}
