//! What signatures add to answers: DS records at the parent, RRSIG records, and what validating resolvers say.
//!
//! Nothing is really signed: the practice resolvers vouch, or refuse, as they are set to.

use hickory_server::proto::op::ResponseCode;
use hickory_server::proto::rr::rdata::NULL;
use hickory_server::proto::rr::{Name, RData, Record, RecordType};

use super::zone::Answer;
use crate::profile::ZONES;
use crate::text;

/// How a question was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Of a resolver; else of an authoritative server.
    pub(super) resolver: bool,
    /// The name, in lower case.
    pub(super) name: &'a str,
    /// The type.
    pub(super) kind: RecordType,
    /// Signatures are wanted.
    pub(super) signatures: bool,
    /// Validation is not wanted.
    pub(super) unchecked: bool,
}

/// The answer as it is when zones are signed in this way, and whether a resolver vouches for it.
pub(super) fn dressed(answer: &Answer, asked: Asked<'_>, how: &str) -> (Answer, bool) {
    if how == "no" || !asked.signatures {
        return (answer.clone(), false);
    }
    if asked.kind == RecordType::DS {
        let ds = asked.resolver && ZONES.contains(&asked.name);
        let records = if ds { record(asked.name, RecordType::DS, digest()) } else { vec![] };
        return (Answer { code: ResponseCode::NoError, records, soa: None }, asked.resolver);
    }
    if asked.resolver && how == "broken" && !asked.unchecked {
        return (Answer::failed(), false);
    }
    let mut signed = answer.clone();
    if !signed.records.is_empty() {
        let hours = if how == "ending" { 1 } else { 24 * 7 };
        let data = signature(asked.kind, hours);
        signed.records.extend(record(asked.name, RecordType::RRSIG, data));
    }
    (signed, asked.resolver && how != "broken")
}

fn record(name: &str, code: RecordType, data: Vec<u8>) -> Vec<Record> {
    let name = Name::from_ascii(format!("{name}."));
    let data = RData::Unknown { code, rdata: NULL::with(data) };
    name.map(|name| vec![Record::from_rdata(name, 60, data)]).unwrap_or_default()
}

/// Key tag, algorithm 13, digest type 2, a digest.
fn digest() -> Vec<u8> {
    [&[0x12, 0x34, 13, 2][..], &[0xAB; 32]].concat()
}

/// Type, algorithm, labels, TTL, end, start, key tag, signer, signature.
fn signature(kind: RecordType, hours: i64) -> Vec<u8> {
    let at = |hours: i64| {
        let at = text::now() + jiff::SignedDuration::from_hours(hours);
        u32::try_from(at.as_second()).unwrap_or(0).to_be_bytes()
    };
    let mut data = u16::from(kind).to_be_bytes().to_vec();
    data.extend([13, 2, 0, 0, 0, 60]);
    data.extend(at(hours));
    data.extend(at(-24));
    data.extend([0x12, 0x34, 0]);
    data.extend([0xCD; 64]);
    data
}
