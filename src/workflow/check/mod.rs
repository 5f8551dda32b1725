//! What a file that fits the types can still have wrong: each check reports all it finds, each at its place.

mod gates;
mod kinds;
mod names;
mod order;
mod owed;
mod phases;
mod references;
mod switch;
mod templates;
mod waits;

use crate::workflow::draft::Draft;
use crate::workflow::path::Path;
use crate::workflow::report::Report;
use crate::workflow::step::{Params, Step};

/// Reads what a step does and reports what is wrong with it.
pub(super) fn step(
    report: &mut Report,
    path: &Path,
    step: &Step,
    repaired: &mut Vec<Path>,
) -> Option<Params> {
    kinds::read(report, path, step, repaired)
}

/// Everything that concerns one place.
pub(super) fn places(draft: &Draft<'_>, report: &mut Report) {
    names::check(draft, report);
    phases::check(draft, report);
    gates::check(draft, report);
    references::check(draft, report);
    switch::check(draft, report);
    waits::check(draft, report);
    templates::check(draft, report);
}

/// What holds between places; looked at when each is right by itself. Each of these is a rule of the linter too.
pub(super) fn whole(draft: &Draft<'_>, report: &mut Report) {
    elsewhere(draft, report);
    lever(draft, report);
    group(draft, report);
    proofs(draft, report);
    debts(draft, report);
}

/// Users' names lie in the first zone, or the file says why not.
pub(super) fn elsewhere(draft: &Draft<'_>, report: &mut Report) {
    switch::elsewhere(draft, report);
}

/// `swap` moves users once and proves it.
pub(super) fn lever(draft: &Draft<'_>, report: &mut Report) {
    switch::lever(draft, report);
}

/// Whoever lists the records that move lists all of them.
pub(super) fn group(draft: &Draft<'_>, report: &mut Report) {
    switch::group(draft, report);
}

/// Data is replaced only after what will replace it was proven, and where it is meant.
pub(super) fn proofs(draft: &Draft<'_>, report: &mut Report) {
    order::check(draft, report);
}

/// What a run changes and must put back.
pub(super) fn debts(draft: &Draft<'_>, report: &mut Report) {
    owed::check(draft, report);
    references::drops(draft, report);
}
