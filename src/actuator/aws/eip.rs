//! Not built yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actuator::Misplaced;
use crate::actuator::Wire;
use crate::model::{Evidence, SiteName};
use crate::port::{Call, Check};
use crate::workflow::step::params::AwsEip;

pub(in crate::actuator) fn check(wire: Arc<Wire>, _: Call, _: AwsEip) -> Box<dyn Check> {
    Box::new(Misplaced(wire))
}

pub(in crate::actuator) async fn addresses(
    wire: &Arc<Wire>,
    _: &crate::workflow::Workflow,
    _: &SiteName,
) -> Result<BTreeMap<String, String>, Evidence> {
    Err(wire.evidence("aws", "not built yet"))
}
