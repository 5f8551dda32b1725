//! One call to the world, bounded: what hangs is unknown and never a guess.

use std::time::Duration;

use crate::conductor::Conductor;
use crate::model::{Change, Evidence, Verdict};
use crate::port::{Action, Call, Finding, Seen, Sent};

impl Conductor {
    /// One look, bounded by the step's time-out: what hangs is unknown.
    pub(super) async fn look_once(&self, call: Call) -> Finding {
        let (timeout, check) = (call.timeout, self.world.check(call));
        self.bounded(timeout, check.look()).await.unwrap_or_else(|| Finding {
            verdict: Verdict::Unknown,
            evidence: vec![self.no_answer(timeout)],
            facts: vec![],
        })
    }

    /// One observation, bounded: what hangs is unknown.
    pub(super) async fn observe_once(&self, timeout: Duration, action: &dyn Action) -> Seen {
        let seen = self.bounded(timeout, action.observe()).await;
        seen.unwrap_or_else(|| Seen::Unknown { evidence: vec![self.no_answer(timeout)] })
    }

    /// One request, bounded: of what hangs nobody knows what became of it.
    pub(super) async fn apply_once(
        &self,
        timeout: Duration,
        action: &dyn Action,
        changes: &[Change],
    ) -> Sent {
        let sent = self.bounded(timeout, action.apply(changes)).await;
        sent.unwrap_or_else(|| Sent::Unknown { evidence: vec![self.no_answer(timeout)] })
    }

    /// What this comes to, unless it takes longer.
    pub(super) async fn bounded<T>(
        &self,
        timeout: Duration,
        call: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            answer = call => Some(answer),
            () = self.clock.sleep(timeout) => None,
        }
    }

    fn no_answer(&self, timeout: Duration) -> Evidence {
        self.evidence(&format!("no answer within {} s", timeout.as_secs()))
    }
}
