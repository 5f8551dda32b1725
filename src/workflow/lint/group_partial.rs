//! GROUP-PARTIAL: the swap moves every record of the group.

use super::Look;
use crate::workflow::check;

pub(super) fn look(look: &mut Look<'_>) {
    look.judged(check::group);
}
