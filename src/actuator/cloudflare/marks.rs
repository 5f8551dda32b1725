//! Not built yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actuator::Wire;
use crate::model::Evidence;
use crate::port::Survey;
use crate::workflow::Workflow;

pub(in crate::actuator) async fn first(
    _: &Arc<Wire>,
    _: &Workflow,
    _: &str,
    _: &Survey,
) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
    Err(vec![])
}

pub(in crate::actuator) async fn take(
    _: &Arc<Wire>,
    _: &Workflow,
    _: &str,
    _: &Survey,
) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
    Err(vec![])
}
