//! ZONE-DELEGATION: the records that are written are the ones that users' resolvers read.

use super::Look;
use super::deed::Deed;
use crate::model::Phase;
use crate::workflow::draft::path_of;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let place = Path::of("switch.cloudflare");
    if draft.workflow.cloudflare().proxied {
        let message = "behind the proxy every name answers with Cloudflare's addresses: nobody can see from \
                       outside where users are";
        look.say(&place.key("proxied"), message, "write `proxied: false`");
    }
    let looks = |wanted: fn(Deed<'_>) -> bool| {
        draft.deeds_of(Phase::Preflight).any(|(_, deed)| wanted(deed))
    };
    let preflight = path_of(Phase::Preflight);
    if !looks(|it| matches!(it, Deed::DelegationLook)) {
        let message = "nobody looks whether the zones are delegated to Cloudflare: records written there \
                       may be read by no one";
        let help = "add `check: dns.delegated` to `release.preflight`";
        look.say_with(&preflight, message, help, &place.key("zones"), "these zones");
    }
    if !looks(|it| matches!(it, Deed::TtlLook)) {
        let message = "nobody looks at the TTL of the records: some users would stay on the old side for \
                       as long as it lasts";
        let help = "add `check: dns.ttl` to `release.preflight`";
        look.say_with(&preflight, message, help, &place.key("ttl_max"), "the limit");
    }
}
