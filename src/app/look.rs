//! The journal beside what the witnesses of an incident say now; takes no lock and never opens the store.

use std::sync::Arc;

use crate::actuator::{Actuators, Wire};
use crate::app::{Glance, Settings, glance};
use crate::fault::Fault;
use crate::model::SystemName;
use crate::port::{Asked, NoTap, World};
use crate::view::Heard;

/// The journal, and what was heard of the world.
#[derive(Clone, Debug)]
pub struct Looked {
    /// What the journal says.
    pub glance: Glance,
    /// What the world says; `Err` says why nobody was asked.
    pub heard: Result<Heard, String>,
}

/// Asks the witnesses that a failover would ask, side by side, each within `limits.witness`. Whoever cannot be
/// asked is one that says nothing: that fails nothing.
///
/// # Errors
/// The journal is damaged.
pub async fn look(settings: &Settings, system: &SystemName) -> Result<Looked, Fault> {
    let heard = match asked(&glance(settings, system)?) {
        Err(why) => Err(why),
        Ok(asked) => Ok(hear(settings, asked).await),
    };
    // The journal may have moved while the world was asked: what it says now counts.
    Ok(Looked { glance: glance(settings, system)?, heard })
}

fn asked(it: &Glance) -> Result<Asked, String> {
    let record = &it.life.record;
    let production = record.production().ok_or("nobody has read yet which site is production")?;
    let workflow = it.workflow.as_ref().ok_or("the workflow file says whom, and cannot be read")?;
    let standby = workflow.other(production).ok_or("the workflow has no second site")?;
    Ok(Asked {
        workflow: Arc::clone(workflow),
        record: Arc::new(record.clone()),
        production: production.clone(),
        standby: standby.clone(),
        deadline: workflow.limits.witness.0,
    })
}

async fn hear(settings: &Settings, asked: Asked) -> Heard {
    let wire = Wire::new(settings.outside.clone(), Arc::clone(&settings.clock), Arc::new(NoTap));
    let heard = Actuators::new(Arc::new(wire)).witness(&asked).await;
    let Asked { production, standby, .. } = asked;
    Heard { production, standby, witnesses: heard.witnesses }
}
