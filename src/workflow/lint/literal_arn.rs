//! LITERAL-ARN: a step names no account.

use super::Look;

pub(super) fn look(look: &mut Look<'_>) {
    for (_, place, text) in look.step_texts() {
        if text.contains("arn:aws") {
            let message = "an ARN is one account's, and sites alternate roles";
            let help = "put it into `vars` of each site and write `{{ standby.NAME }}`";
            look.say(&place, message, help);
        }
    }
}
