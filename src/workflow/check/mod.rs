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

/// What holds between phases; looked at when each place is right by itself.
pub(super) fn whole(draft: &Draft<'_>, report: &mut Report) {
    switch::lever(draft, report);
    order::check(draft, report);
    owed::check(draft, report);
    references::drops(draft, report);
}
