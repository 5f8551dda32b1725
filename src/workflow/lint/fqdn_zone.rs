//! FQDN-ZONE: standby names lie in the last declared zone, and addresses asked for lie in a declared one.

use super::Look;
use crate::workflow::path::Path;
use crate::workflow::step::Params;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let cloudflare = workflow.cloudflare();
    let mut found = vec![];
    for (at, record) in cloudflare.records.iter().enumerate() {
        let zone = workflow.zone_of(&record.standby);
        if let Some(wanted) = cloudflare.zones.last().filter(|it| zone != Some(*it)) {
            let place = Path::of("switch.cloudflare.records").index(at).key("standby");
            let message =
                format!("the standby name `{}` lies outside `{}`", record.standby, wanted.name);
            found.push((place, message, format!("standby names end in `.{}`", wanted.name)));
        }
    }
    for placed in &look.draft.steps {
        let Some(Params::Http(http)) = &placed.params else { continue };
        let host = url::Url::parse(&http.url).ok().and_then(|it| it.host_str().map(str::to_owned));
        let place = placed.path.key("with").key("url");
        match host {
            Some(host) if workflow.zone_of(&host).is_none() => {
                let message = format!("`{host}` lies in no declared zone");
                found.push((place, message, "ask a name of this system".to_owned()));
            }
            Some(_) => (),
            None => found.push((
                place,
                "this is not an address".to_owned(),
                "write `https://NAME/PATH`".to_owned(),
            )),
        }
    }
    found.into_iter().for_each(|(place, message, help)| look.say(&place, message, help));
}
