//! The life cycle in plain text, 80 columns wide, with the place of the run marked.

use crate::machine::{At, RegionName, State, path, region_of};
use crate::model::{Kind, Phase, Way};

/// Which characters may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Arrows.
    Unicode,
    /// Nothing beyond ASCII.
    Ascii,
}

impl Letters {
    const fn arrow(self) -> &'static str {
        match self {
            Self::Unicode => " → ",
            Self::Ascii => " > ",
        }
    }
}

/// The phases of a run of this kind, one line for each region and way, and where the run stands in it.
///
/// The phase a run is in stands in brackets. Without a run (`State::Steady`) nothing is marked.
pub fn text(kind: Kind, state: &State, letters: Letters) -> String {
    let here = state.at().filter(|at| at.kind == kind);
    let mut lines = vec![];
    let regions = [
        ("preparing", RegionName::Preparing),
        ("cutover", RegionName::Cutover),
        ("closing", RegionName::Closing),
    ];
    for (name, region) in regions {
        let phases = path(kind, Way::Forth).iter().filter(|it| region_of(**it) == region);
        line(name, &phases.copied().collect::<Vec<_>>(), Way::Forth, here, letters, &mut lines);
    }
    for (name, way) in [(back_name(kind), Way::Back), ("abort", Way::Abort)] {
        line(name, path(kind, way), way, here, letters, &mut lines);
    }
    lines.push(match here {
        Some(at) => format!("{:<10} {}: {}", "here", state.mode(), at.phase.name()),
        None => format!("{:<10} steady", "here"),
    });
    lines.join("\n") + "\n"
}

const fn back_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Release | Kind::Switchover | Kind::Failover | Kind::Rejoin => "rollback",
        Kind::Drill => "back",
    }
}

fn line(
    name: &str,
    phases: &[Phase],
    way: Way,
    here: Option<At>,
    letters: Letters,
    lines: &mut Vec<String>,
) {
    if phases.is_empty() {
        return;
    }
    let mark = |phase: &Phase| {
        if here.is_some_and(|at| at.way == way && at.phase == *phase) {
            format!("[{}]", phase.name())
        } else {
            phase.name().to_owned()
        }
    };
    let phases: Vec<String> = phases.iter().map(mark).collect();
    lines.push(format!("{name:<10} {}", phases.join(letters.arrow())));
}
