//! How many requests a credential may still make, with a share kept for the way back.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The share of a provider's allowance that only rollback and failover may use.
const KEPT_FOR_WAY_BACK: f64 = 0.3;

/// This process has used what its provider allows in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The earliest time that something is left again.
    pub after: Duration,
}

/// What each credential has used, by the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Budget(BTreeMap<String, VecDeque<Duration>>);

impl Budget {
    pub(super) fn spend(
        &mut self,
        credential: &str,
        now: Duration,
        most: usize,
        window: Duration,
        back: bool,
    ) -> Result<(), Spent> {
        let used = self.0.entry(credential.to_owned()).or_default();
        while used.front().is_some_and(|at| now.saturating_sub(*at) >= window) {
            used.pop_front();
        }
        let kept = if back { 0 } else { share(most) };
        if used.len() >= most.saturating_sub(kept) {
            let oldest = used.front().copied().unwrap_or(now);
            return Err(Spent { after: (oldest + window).saturating_sub(now) });
        }
        used.push_back(now);
        Ok(())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a few thousand"
)]
fn share(most: usize) -> usize {
    (most as f64 * KEPT_FOR_WAY_BACK).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_tenths_are_kept_for_the_way_back() {
        let mut budget = Budget::default();
        let window = Duration::from_mins(5);
        let mut spend = |at, back| budget.spend("c", Duration::from_secs(at), 10, window, back);
        for _ in 0..7 {
            assert_eq!(spend(1, false), Ok(()));
        }
        assert_eq!(spend(2, false), Err(Spent { after: Duration::from_secs(299) }));
        for _ in 0..3 {
            assert_eq!(spend(2, true), Ok(()));
        }
        assert!(spend(2, true).is_err());
        assert_eq!(spend(301, false), Ok(()), "the first seven no longer count");
    }
}
