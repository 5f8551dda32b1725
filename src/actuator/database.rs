//! Not built yet.

use std::sync::Arc;

use crate::actuator::Misplaced;
use crate::actuator::Wire;
use crate::port::{Call, Check};
use crate::workflow::step::params::{DatabaseEqual, DatabaseTarget};

pub(super) fn target(wire: Arc<Wire>, _: Call, _: DatabaseTarget) -> Box<dyn Check> {
    Box::new(Misplaced(wire))
}

pub(super) fn equal(wire: Arc<Wire>, _: Call, _: DatabaseEqual) -> Box<dyn Check> {
    Box::new(Misplaced(wire))
}
