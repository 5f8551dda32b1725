//! Not built yet.

use std::sync::Arc;

use crate::actuator::Misplaced;
use crate::actuator::Wire;
use crate::port::{Action, Call, Check};
use crate::workflow::step::params::{BackupCopy, BackupWhole};

pub(super) fn check(wire: Arc<Wire>, _: Call, _: BackupWhole) -> Box<dyn Check> {
    Box::new(Misplaced(wire))
}

pub(super) fn copy(wire: Arc<Wire>, _: Call, _: BackupCopy) -> Box<dyn Action> {
    Box::new(Misplaced(wire))
}
