//! What stands in the way of a command: read from the files of the journal and from the world, with a journal
//! in memory that is thrown away. Takes no lock, so it can be asked while somebody works.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::actuator::{Actuators, Wire};
use crate::app::{Settings, folder, glance, ledger, read, read_own, text_of, usual};
use crate::conductor::{Book, NoWatcher, Order, Parts, WhyNot};
use crate::fault::Fault;
use crate::journal::{self, MemoryJournal};
use crate::model::SystemName;
use crate::port::{Journal, NoTap};
use crate::view::Look;

/// Finds what stands in the way of a command; changes nothing and writes nothing.
///
/// # Errors
/// The journal is damaged, the workflow cannot be read, or there is no such command here.
pub async fn why_not(
    settings: &Settings,
    system: &SystemName,
    order: &Order,
) -> Result<WhyNot, Fault> {
    let glance = glance(settings, system)?;
    let (text, file) = text_of(settings, system)?;
    let workflow = Arc::new(read_own(system, &text, &file)?);
    let make = || {
        let mut journal = MemoryJournal::new(system.clone());
        if let Some(run) = &glance.life.record.run {
            journal.keep(&journal::kept(&folder(settings, system), &run.workflow)?)?;
        }
        let clock = Arc::clone(&settings.clock);
        let wire = Wire::new(settings.outside.clone(), Arc::clone(&clock), Arc::new(NoTap));
        let (_, inbox) = mpsc::channel(1);
        Ok(Parts {
            system: system.clone(),
            book: Book::new(Box::new(journal), glance.life.clone(), Arc::clone(&clock)),
            world: Arc::new(Actuators::new(Arc::new(wire))),
            clock,
            workflow: Arc::clone(&workflow),
            text: text.clone(),
            differs: settings.outside.differs.clone(),
            watcher: Arc::new(NoWatcher),
            inbox,
            expected: usual(&glance.lines),
            measured: crate::view::measured(&glance.lines),
            fresh_id: String::new(),
            proven: ledger::proven(settings, system, &workflow, &glance.lines),
            read,
        })
    };
    let known = glance.workflow.as_deref().or(Some(&workflow));
    let look = Look { workflow: known, ..glance.look() };
    crate::conductor::why_not(&make, order, &settings.actor, &look).await
}
