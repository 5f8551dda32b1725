//! FQDN-ZONE: users' names lie in the first zone, standby names in the last, addresses asked for in a declared one.

use super::Look;
use super::deed::Deed;
use crate::workflow::check;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    look.judged(check::elsewhere);
    let draft = look.draft;
    let cloudflare = draft.workflow.cloudflare();
    for (at, record) in cloudflare.records.iter().enumerate() {
        let zone = draft.workflow.zone_of(&record.standby);
        if let Some(wanted) = cloudflare.zones.last().filter(|it| zone != Some(*it)) {
            let place = Path::of("switch.cloudflare.records").index(at).key("standby");
            let message =
                format!("the standby name `{}` lies outside `{}`", record.standby, wanted.name);
            let base = zone.and_then(|it| record.standby.strip_suffix(&it.name));
            let help = match base.filter(|it| !it.is_empty()) {
                Some(base) => format!("did you mean `{base}{}`?", wanted.name),
                None => format!("standby names end in `.{}`", wanted.name),
            };
            let zone = Path::of("switch.cloudflare.zones").index(cloudflare.zones.len() - 1);
            look.say_with(&place, message, help, &zone, "the zone of standby names");
        }
    }
    for (placed, deed) in draft.deeds() {
        let Deed::Asks(http) = deed else { continue };
        let host = url::Url::parse(&http.url).ok().and_then(|it| it.host_str().map(str::to_owned));
        let place = placed.path.key("with").key("url");
        match host {
            Some(host) if draft.workflow.zone_of(&host).is_none() => {
                let message = format!("`{host}` lies in no declared zone");
                look.say(&place, message, "ask a name of this system");
            }
            Some(_) => (),
            None => look.say(&place, "this is not an address", "write `https://NAME/PATH`"),
        }
    }
}
