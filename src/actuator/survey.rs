//! Not built yet.

use std::sync::Arc;

use crate::actuator::{Actuators, Wire};
use crate::model::Evidence;
use crate::port::Survey;
use crate::workflow::Workflow;

pub(super) async fn survey(
    _: &Actuators,
    _: &Arc<Wire>,
    _: &Workflow,
) -> Result<Survey, Vec<Evidence>> {
    Err(vec![])
}
