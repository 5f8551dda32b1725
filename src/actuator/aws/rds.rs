//! Not built yet.

use std::sync::Arc;

use crate::actuator::Misplaced;
use crate::actuator::Wire;
use crate::port::{Call, Check};
use crate::workflow::step::params::AwsRds;

pub(in crate::actuator) fn check(wire: Arc<Wire>, _: Call, _: AwsRds) -> Box<dyn Check> {
    Box::new(Misplaced(wire))
}
