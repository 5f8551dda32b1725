//! TLS-COVERAGE: before users are moved, the standby shows a certificate for the name they use.

use super::Look;
use crate::model::{Phase, Role};
use crate::workflow::draft::path_of;
use crate::workflow::step::Params;

pub(super) fn look(look: &mut Look<'_>) {
    let Some(users) = look.draft.workflow.cloudflare().records.first() else { return };
    let covers = |phase: Phase| {
        look.draft.phase(phase).any(|it| {
            let Some(Params::Tls(tls)) = &it.params else { return false };
            let name = tls.name.as_ref().is_none_or(|it| *it == users.production);
            name && it.step.on == Some(Role::Standby) && tls.address.contains("standby.")
        })
    };
    let name = &users.production;
    let failover = look.draft.workflow.failover.is_some();
    let wanted = [(Phase::Validate, true), (Phase::Assess, failover)];
    let missing: Vec<Phase> =
        wanted.into_iter().filter(|(phase, has)| *has && !covers(*phase)).map(|it| it.0).collect();
    let message = format!("nobody looks whether the standby has a certificate for `{name}`");
    let help = format!(
        "add `check: tls` on the standby with `address: \"{{{{ standby.eip.{} }}}}:443\"` and `name: {name}`",
        users.id
    );
    missing.into_iter().for_each(|phase| look.say(&path_of(phase), message.clone(), help.clone()));
}
