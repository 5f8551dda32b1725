//! The one table of order: which phases a run walks, by kind and way.

use crate::model::{Kind, Phase, Way};

/// The phases of a run of this kind walked this way, in order.
pub const fn path(kind: Kind, way: Way) -> &'static [Phase] {
    use Phase::{
        Assess, Backup, Deploy, Embargo, Fence, Lift, Preflight, Renew, Reset, Sanity, Soak, Swap,
        SyncOff, SyncOn, Validate,
    };
    match (kind, way) {
        (Kind::Release, Way::Forth) => &[
            Preflight, Deploy, Embargo, SyncOff, Backup, Reset, Validate, Swap, Sanity, Soak, Lift,
            Renew, SyncOn,
        ],
        (Kind::Switchover, Way::Forth) => &[
            Preflight, Embargo, SyncOff, Backup, Reset, Validate, Swap, Sanity, Soak, Lift, Renew,
            SyncOn,
        ],
        (Kind::Failover, Way::Forth) => &[Assess, Fence, Swap, Sanity, Soak, Lift],
        // Lift is walked where something is owed on production: `sync_off` takes its backup job off too.
        (Kind::Rejoin, Way::Forth) => &[Preflight, SyncOff, Lift, Renew, SyncOn],
        // A drill moves the drill names forth; its way back follows by itself.
        (Kind::Drill, Way::Forth) => &[Preflight, Swap, Sanity],
        (Kind::Release | Kind::Switchover, Way::Back) => &[Swap, Sanity, Lift, Renew, SyncOn],
        (Kind::Failover, Way::Back) => &[Swap, Sanity, Lift],
        (Kind::Drill, Way::Back) => &[Swap],
        (Kind::Drill, Way::Abort) => &[],
        (Kind::Release | Kind::Switchover, Way::Abort) => &[Lift, Renew, SyncOn],
        (Kind::Rejoin | Kind::Failover, Way::Abort) => &[Lift],
        // Rejoin moves no users: there is nothing to go back from.
        (Kind::Rejoin, Way::Back) => &[],
    }
}

/// Whether this phase of a walk means the sites the other way round than the run's start: from `sanity` on users
/// are where they came to; going back, they leave it. A rejoin ends with the roles it began with.
pub const fn turned(kind: Kind, way: Way, phase: Phase) -> bool {
    match phase {
        Phase::Preflight
        | Phase::Deploy
        | Phase::Embargo
        | Phase::SyncOff
        | Phase::Backup
        | Phase::Reset
        | Phase::Validate
        | Phase::Assess
        | Phase::Fence => false,
        Phase::Swap => matches!(way, Way::Back),
        Phase::Sanity | Phase::Soak | Phase::Lift | Phase::Renew | Phase::SyncOn => {
            matches!(way, Way::Forth) && !matches!(kind, Kind::Rejoin)
        }
    }
}

/// Which region a phase lies in.
pub const fn region_of(phase: Phase) -> RegionName {
    match phase {
        Phase::Preflight
        | Phase::Deploy
        | Phase::Embargo
        | Phase::SyncOff
        | Phase::Backup
        | Phase::Reset
        | Phase::Validate
        | Phase::Assess
        | Phase::Fence => RegionName::Preparing,
        Phase::Swap | Phase::Sanity | Phase::Soak => RegionName::Cutover,
        Phase::Lift | Phase::Renew | Phase::SyncOn => RegionName::Closing,
    }
}

/// The three regions of a run; each answers abort, rollback and failover in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionName {
    /// Nothing users see has changed.
    Preparing,
    /// Users are being moved or have just been.
    Cutover,
    /// Putting back what was changed.
    Closing,
}
