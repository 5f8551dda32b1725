//! What a zone answers to a question, as of a time.

use std::fmt;
use std::time::{Duration, Instant};

use hickory_server::proto::op::ResponseCode;
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, NS, SOA, TXT};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};

use crate::cloudflare::{self, Kind, Zone};

/// Seconds for which a missing name may be remembered.
const NEGATIVE_TTL: u32 = 60;
/// The TTL that Cloudflare gives to records on automatic.
const AUTOMATIC_TTL: u32 = 300;
/// How many aliases are followed.
const ALIASES: usize = 8;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The response code.
    pub(crate) code: ResponseCode,
    /// The answer section.
    pub(crate) records: Vec<Record>,
    /// The SOA record, where nothing was found.
    pub(crate) soa: Option<Record>,
}

impl Answer {
    const fn empty(code: ResponseCode) -> Self {
        Self { code, records: Vec::new(), soa: None }
    }

    /// The answer of a resolver that reaches nobody.
    pub(crate) const fn failed() -> Self {
        Self::empty(ResponseCode::ServFail)
    }

    /// The least TTL of its records.
    pub(crate) fn least_ttl(&self) -> u32 {
        self.records.iter().chain(&self.soa).map(|record| record.ttl).min().unwrap_or(0)
    }

    /// The answer some time later, its TTLs counted down.
    pub(crate) fn aged(&self, age: Duration) -> Self {
        let age = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
        let mut aged = self.clone();
        for record in aged.records.iter_mut().chain(&mut aged.soa) {
            record.ttl = record.ttl.saturating_sub(age);
        }
        aged
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.records.iter().try_for_each(|record| write!(f, "\n{record}"))
    }
}

/// The answer of the zones as they were at a time.
pub(crate) fn answer(zones: &[Zone], at: Option<Instant>, name: &str, kind: RecordType) -> Answer {
    let zone = cloudflare::zone_of(name).and_then(|of| zones.iter().find(|z| z.name == of));
    let Some(zone) = zone else { return Answer::empty(ResponseCode::Refused) };
    let (version, records) = zone.as_of(at);
    let soa = soa(zone, version);
    let mut found = Vec::new();
    let mut name = name.to_owned();
    for _ in 0..ALIASES {
        if name == zone.name && kind == RecordType::SOA {
            found.extend(soa.clone());
        }
        if name == zone.name && kind == RecordType::NS {
            let servers = zone.name_servers.iter().filter_map(|server| fqdn(server));
            found.extend(servers.filter_map(|server| {
                Some(Record::from_rdata(fqdn(&name)?, 86_400, RData::NS(NS(server))))
            }));
        }
        let here = records.iter().filter(|record| record.name == name);
        let (asked, rest): (Vec<_>, Vec<_>) = here.partition(|record| typed(record.kind) == kind);
        found.extend(asked.into_iter().filter_map(shown));
        let alias = rest.into_iter().find(|record| record.kind == Kind::Cname);
        let Some(alias) = alias else { break };
        found.extend(shown(alias));
        name = alias.content.trim_end_matches('.').to_ascii_lowercase();
        if cloudflare::zone_of(&name) != Some(zone.name.as_str()) {
            break;
        }
    }
    if !found.is_empty() {
        return Answer { code: ResponseCode::NoError, records: found, soa: None };
    }
    let below = format!(".{name}");
    let exists = name == zone.name
        || records.iter().any(|record| record.name == name || record.name.ends_with(&below));
    let code = if exists { ResponseCode::NoError } else { ResponseCode::NXDomain };
    Answer { code, records: found, soa }
}

/// The answer of a zone that was delegated to somebody else.
pub(crate) fn foreign(name: &str) -> Answer {
    let record =
        |server: &str| Some(Record::from_rdata(fqdn(name)?, 86_400, RData::NS(NS(fqdn(server)?))));
    let records = ["ns1.elsewhere.example", "ns2.elsewhere.example"].into_iter().filter_map(record);
    Answer { code: ResponseCode::NoError, records: records.collect(), soa: None }
}

const fn typed(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Cname => RecordType::CNAME,
        Kind::Txt => RecordType::TXT,
    }
}

fn shown(record: &cloudflare::Record) -> Option<Record> {
    let plain = record.plain();
    let data = match record.kind {
        Kind::A => RData::A(A(plain.parse().ok()?)),
        Kind::Aaaa => RData::AAAA(AAAA(plain.parse().ok()?)),
        Kind::Cname => RData::CNAME(CNAME(fqdn(&plain)?)),
        Kind::Txt => {
            let parts = plain.as_bytes().chunks(255);
            let parts = parts.map(|part| String::from_utf8_lossy(part).into_owned());
            RData::TXT(TXT::new(parts.collect()))
        }
    };
    let ttl = if record.ttl == 1 { AUTOMATIC_TTL } else { record.ttl };
    Some(Record::from_rdata(fqdn(&record.name)?, ttl, data))
}

fn soa(zone: &Zone, version: usize) -> Option<Record> {
    let serial = 2_026_000_000 + u32::try_from(version).unwrap_or(0);
    let server = fqdn(&zone.name_servers[0])?;
    let mail = fqdn("dns.cloudflare.com")?;
    let data = SOA::new(server, mail, serial, 10_000, 2400, 604_800, NEGATIVE_TTL);
    Some(Record::from_rdata(fqdn(&zone.name)?, NEGATIVE_TTL, RData::SOA(data)))
}

fn fqdn(name: &str) -> Option<Name> {
    Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).ok()
}
