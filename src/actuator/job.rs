//! Not built yet.

use std::sync::Arc;

use crate::actuator::Misplaced;
use crate::actuator::Wire;
use crate::port::{Action, Call, Check};
use crate::workflow::step::params::{JobOff, JobOn, JobsOff};

pub(super) fn check(wire: Arc<Wire>, _: Call, _: JobsOff) -> Box<dyn Check> {
    Box::new(Misplaced(wire))
}

pub(super) fn off(wire: Arc<Wire>, _: Call, _: JobOff) -> Box<dyn Action> {
    Box::new(Misplaced(wire))
}

pub(super) fn on(wire: Arc<Wire>, _: Call, _: JobOn) -> Box<dyn Action> {
    Box::new(Misplaced(wire))
}
