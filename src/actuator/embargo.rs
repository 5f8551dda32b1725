//! Not built yet.

use std::sync::Arc;

use crate::actuator::Misplaced;
use crate::actuator::Wire;
use crate::port::{Action, Call};
use crate::workflow::step::params::{EmbargoOff, EmbargoOn};

pub(super) fn on(wire: Arc<Wire>, _: Call, _: EmbargoOn) -> Box<dyn Action> {
    Box::new(Misplaced(wire))
}

pub(super) fn off(wire: Arc<Wire>, _: Call, _: EmbargoOff) -> Box<dyn Action> {
    Box::new(Misplaced(wire))
}
