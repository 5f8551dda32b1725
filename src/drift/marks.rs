//! Disagreements of marks and releases.

use crate::drift::{Difference, Known, Name, adopt};
use crate::machine::State;
use crate::model::{MarkSeen, Part, Phase, Sight, SiteName, ZoneSeen};

pub(super) fn differences(known: &Known<'_>, sight: &Sight) -> Vec<Difference> {
    let zones = sight.zones.iter().filter_map(|(zone, part)| {
        let now = part.known()?;
        mark(known, zone, part, now.mark.as_ref())
    });
    let releases = sight.releases.iter().filter_map(|(site, part)| release(known, site, part));
    zones.chain(releases).collect()
}

fn mark(
    known: &Known<'_>,
    zone: &str,
    part: &Part<ZoneSeen>,
    mark: Option<&MarkSeen>,
) -> Option<Difference> {
    let record = known.record();
    let last = record.marks.get(zone).copied().unwrap_or(0);
    let declared = format!("mark {last} of this journal, {}", record.journal);
    let production = record.production()?;
    let found = |name, observed: String, since, settle: &str, command| Difference {
        name,
        site: None,
        subject: format!("zone {zone}"),
        declared: declared.clone(),
        evidence: vec![part.says(observed.clone())],
        observed,
        since,
        settle: settle.to_owned(),
        command: Some(command),
    };
    // A move that has been asked for may have set the next one already.
    let asked = record.intents.values().any(|it| it.intent.action == "switch");
    match mark {
        None => Some(found(
            Name::MissingMark,
            format!("{zone} carries no mark"),
            None,
            "another tool may have removed it; set the next one",
            adopt(production),
        )),
        Some(it) if it.journal.as_deref() != Some(record.journal.as_str()) => Some(found(
            Name::ForeignMark,
            format!("mark {} of journal {}", it.number, it.journal.as_deref().unwrap_or("unknown")),
            it.made,
            "find out who drives that journal; if it is gone for good, take the marks over",
            "changeover run adopt --reason TEXT".to_owned(),
        )),
        Some(it) if it.number > last && !asked && !known.working => Some(found(
            Name::ForeignMark,
            format!("mark {} of this journal, which never set it", it.number),
            it.made,
            "a copy of this journal moves the records, or lines were lost: `changeover audit verify`; if \
            that is settled, record it",
            adopt(production),
        )),
        Some(_) => None,
    }
}

fn release(known: &Known<'_>, site: &SiteName, part: &Part<Option<String>>) -> Option<Difference> {
    let record = known.record();
    let (declared, observed) = (record.releases.get(site)?, part.known()?.as_ref());
    let run = record.run.as_ref();
    let at = known.at();
    // While it is being deployed it has either; a half-done deploy stays so until the run goes on.
    let deployed = at.is_some_and(|at| matches!(at.phase, Phase::Deploy | Phase::Renew))
        && !matches!(known.life.state, State::Ready { .. })
        && record.production() != Some(site);
    if observed == Some(declared) || deployed {
        return None;
    }
    let observed = observed.map_or("no release", String::as_str);
    let open = run.is_some();
    Some(Difference {
        name: Name::ReleaseNotJournal,
        site: Some(site.clone()),
        subject: format!("release of {site}"),
        declared: declared.clone(),
        observed: observed.to_owned(),
        since: None,
        evidence: vec![part.says(format!("{site} answers with {observed}"))],
        settle: if open {
            "find out who deployed it; a run is open, so deploy what the journal says, or give the run up"
        } else {
            "find out who deployed it; if it was meant, record it"
        }
        .to_owned(),
        command: if open { None } else { record.production().map(adopt) },
    })
}
