//! One look at the world beside one look at the journal; takes no lock and never opens the store.

use std::sync::Arc;
use std::time::Duration;

use crate::actuator::{Actuators, Wire};
use crate::app::{Glance, Settings, glance, read_own, text_of};
use crate::drift::{Adoption, Known, Report, adoption, compare};
use crate::fault::{E2009, Fault};
use crate::model::{Sight, SystemName};
use crate::port::{NoTap, World};

/// The journal and the world at one moment.
#[derive(Clone, Debug)]
pub struct Drift {
    /// What the journal says.
    pub glance: Glance,
    /// What the world says.
    pub sight: Sight,
    /// Where they differ.
    pub report: Report,
    /// What adopting the world would record, or what keeps it from being believed.
    pub adoption: Result<Adoption, Vec<String>>,
}

/// Looks at both. Each source has the deadline, else the workflow's for one call.
///
/// # Errors
/// The journal is damaged, the system has none, or its workflow cannot be read.
pub async fn drift(
    settings: &Settings,
    system: &SystemName,
    deadline: Option<Duration>,
) -> Result<Drift, Fault> {
    let before = glance(settings, system)?;
    if before.life.record.roles.is_none() {
        return Err(Fault::new(&E2009, format!("{system} is not initialised"))
            .because("without a journal there is nothing that the world could differ from")
            .hint(format!("changeover init {system}")));
    }
    let workflow = match &before.workflow {
        Some(workflow) => Arc::clone(workflow),
        None => {
            let (text, file) = text_of(settings, system)?;
            Arc::new(read_own(system, &text, &file)?)
        }
    };
    let wire = Wire::new(settings.outside.clone(), Arc::clone(&settings.clock), Arc::new(NoTap));
    let world = Actuators::new(Arc::new(wire));
    let deadline = deadline.unwrap_or(workflow.limits.call.0).min(workflow.limits.call.0);
    let sight = world.sight(&workflow, &before.life.record.addresses, deadline).await;
    // The journal may have moved while the world was read: what it says now counts, and a line that was
    // written meanwhile means that somebody is at work.
    let glance = glance(settings, system)?;
    let working = glance.holder.is_some() || glance.lines.len() != before.lines.len();
    let known = Known { workflow: &workflow, life: &glance.life, working, now: glance.now };
    let (report, adoption) = (compare(&known, &sight), adoption(&known, &sight));
    Ok(Drift { glance, sight, report, adoption })
}
