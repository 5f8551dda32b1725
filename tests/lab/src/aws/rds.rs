//! Database snapshots that take time, which the emulator makes at once.

use std::time::{Duration, Instant};

use crate::front::Reply;
use crate::settings::Settings;
use crate::text;

#[derive(Debug)]
struct Snapshot {
    region: String,
    instance: String,
    name: String,
    since: Instant,
}

/// Snapshots that were asked for in this world.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    list: Vec<Snapshot>,
}

impl Snapshots {
    /// Why a new snapshot is refused, if it is.
    pub(crate) fn refuses(
        &self,
        region: &str,
        form: &[(String, String)],
        settings: &Settings,
    ) -> Option<Reply> {
        let instance = text::value(form, "DBInstanceIdentifier")?;
        let name = text::value(form, "DBSnapshotIdentifier");
        let busy = self.list.iter().find(|snapshot| {
            snapshot.region == region
                && snapshot.instance == instance
                && snapshot.progress(settings).is_some()
        })?;
        if Some(busy.name.as_str()) == name {
            return None; // the emulator itself says that it exists
        }
        let message = format!("Database instance {instance} is not in available state.");
        Some(super::error(400, "InvalidDBInstanceState", &message))
    }

    /// Remembers a snapshot that is being made from now on.
    pub(crate) fn begin(&mut self, region: &str, form: &[(String, String)]) {
        let field = |name| text::value(form, name).unwrap_or_default().to_owned();
        self.list.push(Snapshot {
            region: region.to_owned(),
            instance: field("DBInstanceIdentifier"),
            name: field("DBSnapshotIdentifier"),
            since: Instant::now(),
        });
    }

    /// The emulator's answer with the states that hold while snapshots are being made.
    pub(crate) fn delayed(&self, region: &str, xml: &str, settings: &Settings) -> String {
        let here = self.list.iter().filter(|snapshot| snapshot.region == region);
        here.fold(xml.to_owned(), |xml, snapshot| {
            let Some(percent) = snapshot.progress(settings) else { return xml };
            let xml =
                rewritten(&xml, "DBSnapshot", "DBSnapshotIdentifier", &snapshot.name, |inner| {
                    let percent = format!("<PercentProgress>{percent}</PercentProgress>");
                    inner.replace(
                        "<Status>available</Status>",
                        &format!("<Status>creating</Status>{percent}"),
                    )
                });
            rewritten(&xml, "DBInstance", "DBInstanceIdentifier", &snapshot.instance, |inner| {
                inner.replace(
                    "<DBInstanceStatus>available</DBInstanceStatus>",
                    "<DBInstanceStatus>backing-up</DBInstanceStatus>",
                )
            })
        })
    }
}

impl Snapshot {
    /// Percent done; nothing once it is available.
    fn progress(&self, settings: &Settings) -> Option<u32> {
        let whole = text::seconds(settings.rds_seconds);
        let (age, step) = (self.since.elapsed(), whole / 100);
        if age >= whole || step == Duration::ZERO {
            return None;
        }
        Some(u32::try_from(age.as_micros() / step.as_micros().max(1)).unwrap_or(0).min(99))
    }
}

/// Rewrites those elements whose identifier is the wanted one.
pub(super) fn rewritten(
    xml: &str,
    element: &str,
    identifier: &str,
    wanted: &str,
    change: impl Fn(&str) -> String,
) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let mut out = String::with_capacity(xml.len() + 64);
    let mut rest = xml;
    while let Some(start) = rest.find(&open) {
        let Some(end) = rest[start..].find(&close).map(|end| start + end) else { break };
        let inner = &rest[start..end];
        out += &rest[..start];
        let own = text::element(inner, identifier) == Some(wanted);
        out += &if own { change(inner) } else { inner.to_owned() };
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_element_is_rewritten() {
        let xml = "<L><S><I>a</I><T>x</T></S><S><I>b</I><T>x</T></S></L>";
        let out = rewritten(xml, "S", "I", "b", |inner| inner.replace('x', "y"));
        assert_eq!(out, "<L><S><I>a</I><T>x</T></S><S><I>b</I><T>y</T></S></L>");
    }
}
