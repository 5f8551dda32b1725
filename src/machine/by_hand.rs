//! Users were moved by hand and that was recorded: what a failover would have left behind.

use std::collections::BTreeMap;

use crate::machine::consent::Consent;
use crate::machine::entry::Owed;
use crate::machine::record::{Incident, Record};
use crate::model::{Digest, SiteName};

impl Record {
    /// The site that users have left lost production, as in a failover of which nobody wrote anything down. It has a
    /// number of its own: what is sent to fence the site is never taken for what an earlier run has sent.
    pub(super) fn left_by_hand(&mut self, lost: &SiteName) {
        let Some(to) = self.production().filter(|it| *it != lost).cloned() else { return };
        self.runs += 1;
        self.epoch += 1;
        // Nobody wrote down when users left.
        self.loads.remove(lost);
        self.loads.remove(&to);
        self.quarantined = Some(lost.clone());
        self.owed.insert(Owed::Standby);
        let consent = Consent {
            lost: lost.clone(),
            to,
            diagnosis: "moved by hand".to_owned(),
            fence_first: false,
            data_of: None,
            figure: None,
            accepted: None,
            writes: None,
            missing: vec![],
            acknowledged: None,
            plan: Digest::default(),
            armed: None,
            down: None,
            shown: None,
            asked: self.now,
        };
        self.incident = Some(Incident {
            run: self.runs,
            at: self.now,
            consent,
            fence: BTreeMap::new(),
            counts: BTreeMap::new(),
            found: None,
            gone_back: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::machine::entry::{Body, Entry, Fact, Owed};
    use crate::machine::record::Record;
    use crate::model::{Roles, Time};

    /// After a failover whose fence could not be made people bring users back to the lost site by hand.
    #[test]
    fn the_site_that_users_are_brought_back_to_is_not_fenced() {
        let fence = |site: &str| Owed::Fence { part: "stop".into(), site: site.into() };
        let record = Record {
            roles: Some(Roles::Settled { production: "sydney".into() }),
            quarantined: Some("hk".into()),
            owed: [fence("hk"), Owed::Standby].into(),
            ..Record::default()
        };
        let facts = vec![
            Fact::RolesSettled { production: "hk".into() },
            Fact::LeftByHand { site: "sydney".into() },
            Fact::Owe { owed: fence("sydney") },
        ];
        let body = Body::Note { text: String::new(), reason: None, evidence: vec![], facts };
        let after = record.after(&Entry { at: Time(0), body }, "mira");
        assert_eq!(after.unfenced(), [("stop".into(), "sydney".into())]);
        assert_eq!(after.quarantined, Some("sydney".into()));
        assert_eq!(after.incident.map(|it| it.consent.to), Some("hk".into()));
    }
}
