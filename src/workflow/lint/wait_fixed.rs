//! WAIT-FIXED: a wait is for something, with an end; never for a number of seconds.

use super::Look;
use super::scripts::commands;

pub(super) fn look(look: &mut Look<'_>) {
    for command in commands(look.draft) {
        let mut words = command.argv.iter().flat_map(|it| it.split([' ', ';', '&']));
        if words.any(|word| word == "sleep" || word.ends_with("/sleep")) {
            let message =
                "`sleep` is too short on the day that matters, and too long on all others";
            let help = "poll a check instead: `check: …` with `wait: 5m`";
            look.say(&command.place, message, help);
        }
    }
}
