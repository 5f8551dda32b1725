//! Where seeds begin: every moment between two commands of one undisturbed release, for each site as production.

use std::sync::OnceLock;

use changeover::conductor::Command;
use changeover::machine::State;
use changeover::model::Phase;

use crate::chaos::door::{Defect, Lean};
use crate::chaos::fault::Dice;
use crate::chaos::people::{self, MANAGER};
use crate::chaos::rig::{Base, Rig};

/// The moments of one release, by the phase it stands in; without one before and after it.
type Moments = Vec<(Option<Phase>, Base)>;

fn walked(production: u64) -> Moments {
    let rig = Rig::new(production, Defect::None, Lean::Nothing);
    let mut moments = vec![];
    let mut tell = |who: &str, command: &Command| {
        let reply = rig.give(who, command).expect("nobody dies here");
        assert!(reply.is_ok(), "{command:?}: {reply:?}");
        let phase = rig.state().at().map(|it| it.phase);
        moments.extend(rig.base().map(|it| (phase, it)));
        rig.wait(60);
    };
    tell(MANAGER, &Command::Init);
    tell(MANAGER, &people::start("v4.3.1", true));
    for turn in 0..60 {
        let Some((who, command)) = people::onward(&rig, turn) else { break };
        tell(who, &command);
    }
    assert_eq!(rig.state(), State::Steady);
    moments
}

/// A world with a journal. Most begin after a release, some in the middle of one, a few before the first.
pub(crate) fn base(dice: &mut Dice) -> &'static Base {
    static MOMENTS: OnceLock<[Moments; 2]> = OnceLock::new();
    let both = MOMENTS.get_or_init(|| [walked(1), walked(2)]);
    let moments = &both[usize::try_from(dice.below(2)).unwrap()];
    let last = moments.len() - 1;
    let at = match dice.below(20) {
        0 => 0,
        1..=6 => usize::try_from(dice.between(1, last as u64 - 1)).unwrap(),
        _ => last,
    };
    &moments[at].1
}
