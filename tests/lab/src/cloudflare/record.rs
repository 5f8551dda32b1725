//! One DNS record: its fields, what they may hold, how it is shown.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::transaction::Failure;
use crate::text;

/// The longest comment of a free zone.
const COMMENT_LIMIT: usize = 100;
/// What a record may say of itself.
const FIELDS: [&str; 8] =
    ["type", "name", "content", "ttl", "proxied", "comment", "tags", "settings"];
/// The switches that `settings` may hold.
const SETTINGS: [&str; 3] = ["ipv4_only", "ipv6_only", "flatten_cname"];

/// The types of records that the practice Cloudflare keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// Text.
    Txt,
}

impl Kind {
    /// The type's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Txt => "TXT",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::A, Self::Aaaa, Self::Cname, Self::Txt].into_iter().find(|kind| kind.name() == name)
    }

    const fn proxiable(self) -> bool {
        !matches!(self, Self::Txt)
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// The record's id.
    pub(crate) id: String,
    /// The record's type.
    pub(crate) kind: Kind,
    /// The full name, in lower case.
    pub(crate) name: String,
    /// The content as it was written.
    pub(crate) content: String,
    /// Seconds; 1 is automatic.
    pub(crate) ttl: u32,
    /// Whether Cloudflare's proxy answers for it.
    pub(crate) proxied: bool,
    /// A remark for people.
    pub(crate) comment: Option<String>,
    settings: Value,
    created_on: String,
    modified_on: String,
}

impl Record {
    /// A record with TTL 60, not proxied.
    pub(crate) fn new(kind: Kind, name: &str, content: &str, number: u64, now: &str) -> Self {
        Self {
            id: text::hex32(&format!("record {number} {now}")),
            kind,
            name: name.to_owned(),
            content: content.to_owned(),
            ttl: 60,
            proxied: false,
            comment: None,
            settings: json!({}),
            created_on: now.to_owned(),
            modified_on: now.to_owned(),
        }
    }

    /// The record as the API shows it.
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "type": self.kind.name(), "content": self.content,
            "proxiable": self.kind.proxiable(), "proxied": self.proxied, "ttl": self.ttl,
            "settings": self.settings, "meta": {}, "comment": self.comment, "tags": [],
            "created_on": self.created_on, "modified_on": self.modified_on,
        })
    }

    /// The content without the quotes that a TXT record may have been written with.
    pub(crate) fn plain(&self) -> String {
        if self.kind != Kind::Txt {
            return self.content.clone();
        }
        let parts = self.content.trim().strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        parts.map_or_else(|| self.content.clone(), |text| text.replace("\" \"", ""))
    }

    /// Reads a record that is written whole; what is not named has its default.
    pub(crate) fn written(
        body: &Map<String, Value>,
        zone: &str,
        number: u64,
        now: &str,
    ) -> Result<Self, Failure> {
        for field in ["type", "name", "content"] {
            if !body.contains_key(field) {
                return Err(Failure::invalid(&format!("{field} is required")));
            }
        }
        let mut record = Self::new(Kind::A, "", "", number, now);
        record.ttl = 1;
        record.change(body, zone, now)?;
        Ok(record)
    }

    /// Changes the fields that a body names.
    pub(crate) fn change(
        &mut self,
        body: &Map<String, Value>,
        zone: &str,
        now: &str,
    ) -> Result<(), Failure> {
        if let Some(unknown) =
            body.keys().find(|key| *key != "id" && !FIELDS.contains(&key.as_str()))
        {
            return Err(Failure::invalid(&format!("unknown field {unknown}")));
        }
        for (field, value) in body {
            self.set(field, value, zone)?;
        }
        if self.proxied {
            self.ttl = 1;
        }
        now.clone_into(&mut self.modified_on);
        self.check()
    }

    fn set(&mut self, field: &str, value: &Value, zone: &str) -> Result<(), Failure> {
        let wrong = || Failure::invalid(&format!("{field} has a value of the wrong type"));
        match field {
            "type" => {
                self.kind = value.as_str().and_then(Kind::named).ok_or_else(wrong)?;
            }
            "name" => self.name = full_name(value.as_str().ok_or_else(wrong)?, zone)?,
            "content" => value.as_str().ok_or_else(wrong)?.clone_into(&mut self.content),
            "ttl" => {
                let ttl = whole(value).ok_or_else(wrong)?;
                self.ttl = u32::try_from(ttl).unwrap_or(u32::MAX);
            }
            "proxied" => self.proxied = value.as_bool().ok_or_else(wrong)?,
            "comment" if value.is_null() => self.comment = None,
            "comment" => {
                let comment = value.as_str().ok_or_else(wrong)?.to_owned();
                self.comment = Some(comment).filter(|text| !text.is_empty());
            }
            "tags" if value.as_array().is_some_and(Vec::is_empty) => {}
            "tags" => return Err(Failure::invalid("this plan has no tags")),
            "settings" => {
                let map = value.as_object().ok_or_else(wrong)?;
                if map.iter().any(|(k, v)| !SETTINGS.contains(&k.as_str()) || !v.is_boolean()) {
                    return Err(wrong());
                }
                self.settings = value.clone();
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Failure> {
        let refuse = |code, message: &str| Err(Failure::new(400, code, message));
        if self.ttl != 1 && !(60..=86400).contains(&self.ttl) {
            return refuse(
                9021,
                "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
            );
        }
        let comment = self.comment.as_deref().unwrap_or_default();
        if comment.chars().count() > COMMENT_LIMIT || comment.contains(['\r', '\n']) {
            return refuse(9207, "comment must have at most 100 characters and no line breaks");
        }
        if self.proxied && !self.kind.proxiable() {
            return refuse(9004, "This record type cannot be proxied.");
        }
        let fits = match self.kind {
            Kind::A => self.content.parse::<Ipv4Addr>().is_ok(),
            Kind::Aaaa => self.content.parse::<Ipv6Addr>().is_ok(),
            Kind::Cname => is_host(&self.content) && self.content != self.name,
            Kind::Txt => (1..=4096).contains(&self.content.len()),
        };
        if fits {
            return Ok(());
        }
        let message = format!("Content for {} record is invalid.", self.kind.name());
        refuse(9005, &message)
    }
}

/// A whole number; 60.0 is one too, and Cloudflare's own client writes it so.
fn whole(value: &Value) -> Option<u64> {
    let text = value.as_number()?.to_string();
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

/// The full name of what was written, which may lack the zone or be `@`.
fn full_name(name: &str, zone: &str) -> Result<String, Failure> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let full = if name == "@" || name == zone {
        zone.to_owned()
    } else if name.ends_with(&format!(".{zone}")) {
        name
    } else {
        format!("{name}.{zone}")
    };
    if is_host(&full) { Ok(full) } else { Err(Failure::new(400, 9000, "DNS name is invalid.")) }
}

fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte))
    };
    name.len() <= 253 && name.trim_end_matches('.').split('.').all(label)
}

impl Record {
    /// This record under the id and birth time of the one that it replaces.
    pub(crate) fn in_place_of(self, old: &Self) -> Self {
        Self { id: old.id.clone(), created_on: old.created_on.clone(), ..self }
    }
}
