//! TLS-COVERAGE: before users are moved, the standby shows a certificate for the name they use.

use super::Look;
use super::deed::Deed;
use crate::model::{Phase, Role};
use crate::workflow::draft::path_of;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let Some(users) = draft.workflow.cloudflare().records.first() else { return };
    let covers = |phase: Phase| {
        draft.deeds_of(phase).any(|(placed, deed)| {
            let Deed::Certificate(tls) = deed else { return false };
            let name = tls.name.as_ref().is_none_or(|it| *it == users.production);
            name && placed.step.on == Some(Role::Standby) && tls.address.contains("standby.")
        })
    };
    let failover = draft.workflow.failover.is_some();
    for (phase, _) in [(Phase::Validate, true), (Phase::Assess, failover)]
        .into_iter()
        .filter(|(phase, has)| *has && !covers(*phase))
    {
        let message = format!(
            "nobody looks whether the standby has a certificate for `{}`",
            users.production
        );
        let help = format!(
            "add `check: tls` on the standby with `address: \"{{{{ standby.eip.{} }}}}:443\"` and `name: {}`",
            users.id, users.production
        );
        let name = Path::of("switch.cloudflare.records").index(0).key("production");
        look.say_with(&path_of(phase), message, help, &name, "the name that users use");
    }
}
