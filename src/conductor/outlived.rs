//! The site that a failover led to is lost as well: that failover is ended with what it owes, and the next begins.

use crate::conductor::Conductor;
use crate::fault::{E2061, Fault};
use crate::machine::{Input, Record};
use crate::model::{Actor, SiteName, Way};

impl Conductor {
    /// Two failovers at once move nobody against each other: another one is heard only when the one before has
    /// brought users where it led, and leads away from there.
    pub(super) fn not_twice(
        &self,
        record: &Record,
        confirm: Option<&SiteName>,
    ) -> Result<(), Fault> {
        let production = record.production();
        if record.failing_over().is_none() {
            return Ok(());
        }
        let ends = self.may_end(record);
        if ends && confirm.is_some_and(|site| Some(site) != production) {
            return Ok(());
        }
        let back = self.life().state.at().is_some_and(|at| at.way == Way::Back);
        let way = match production {
            Some(site) if ends => {
                format!("if {site} is lost as well: changeover failover --dry-run")
            }
            Some(_) | None if back && record.moving() => {
                "to go on with it: changeover run retry; to give going back up: changeover release \
                 abort --reason TEXT"
                    .to_owned()
            }
            Some(_) | None => "to go on with it: changeover run retry".to_owned(),
        };
        Err(Fault::new(&E2061, "a failover is already under way")
            .because("two at once would move the same records against each other")
            .hint(format!("changeover status; {way}")))
    }

    fn may_end(&self, record: &Record) -> bool {
        let by = Actor { name: String::new(), identity: crate::model::Identity::Claimed };
        !record.moving() && self.book().try_input(&by, &Input::Close).is_ok()
    }

    /// Ends the failover that brought users to the site that is given up now. What it owes stays owed.
    pub(super) fn end_the_one_before(
        &self,
        by: &Actor,
        reason: Option<&String>,
    ) -> Result<(), Fault> {
        if self.life().record.failing_over().is_none() {
            return Ok(());
        }
        let why = reason.cloned().unwrap_or_else(|| "the site that it led to is lost".to_owned());
        self.decide(by, Input::Close, (Some(why), vec![], vec![]))
    }
}
