//! Small text tools: query strings, digests, XML elements, times.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Percent-decoding; `+` stands for a blank only where `plus` says so.
pub(crate) fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) if plus => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoding of everything but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The pairs of a query string or of a form body.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key, true), decode(value, true))
        })
        .collect()
}

/// The first value of a key among pairs.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
}

/// SHA-256 in lower-case hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// An id of 32 hex digits, as Cloudflare has them.
pub(crate) fn hex32(seed: &str) -> String {
    sha256(seed.as_bytes())[..32].to_owned()
}

/// A commit-like id of 40 hex digits.
pub(crate) fn hex40(seed: &str) -> String {
    sha256(seed.as_bytes())[..40].to_owned()
}

/// The text of the first element of this name.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    elements(xml, name).into_iter().next()
}

/// The inner text of all elements of this name; elements of one name must not nest.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find(&open) {
        let inner = &rest[start + open.len()..];
        let Some(end) = inner.find(&close) else { break };
        found.push(&inner[..end]);
        rest = &inner[end + close.len()..];
    }
    found
}

/// Seconds as a duration; nonsense counts as zero.
pub(crate) fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

/// The wall clock's time.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// RFC 3339 with microseconds.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// RFC 3339 with milliseconds, as GitLab prints times.
pub(crate) fn stamp_ms(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The day in UTC, some days back, as backup stamps have it.
pub(crate) fn day(back: i64) -> String {
    let at = now() - jiff::SignedDuration::from_hours(24 * back);
    at.strftime("%Y%m%d").to_string()
}

/// The first `limit` bytes as text.
pub(crate) fn head(bytes: &[u8], limit: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let found = pairs("filter%5Benvironment_scope%5D=live&a=b+c&d");
        assert_eq!(value(&found, "filter[environment_scope]"), Some("live"));
        assert_eq!(value(&found, "a"), Some("b c"));
        assert_eq!(value(&found, "d"), Some(""));
        assert_eq!(decode(&encode("a/b c%"), false), "a/b c%");
    }

    #[test]
    fn elements_are_found() {
        let xml = "<a><b>1</b><b>2</b></a>";
        assert_eq!(elements(xml, "b"), ["1", "2"]);
        assert_eq!(element(xml, "c"), None);
    }
}
