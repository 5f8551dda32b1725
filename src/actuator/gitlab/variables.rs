//! Not built yet.

use std::sync::Arc;

use crate::actuator::Misplaced;
use crate::actuator::Wire;
use crate::port::{Action, Call};
use crate::workflow::step::params::GitlabVariables;

pub(in crate::actuator) fn action(wire: Arc<Wire>, _: Call, _: GitlabVariables) -> Box<dyn Action> {
    Box::new(Misplaced(wire))
}
