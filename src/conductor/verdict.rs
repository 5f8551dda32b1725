//! What a check's word counts for.

use crate::model::{Evidence, Verdict};
use crate::workflow::step::Expect;

/// A check that is expected to fail passes when what it looks for is gone.
pub(super) fn expected(expect: Expect, verdict: Verdict, evidence: &[Evidence]) -> Verdict {
    let gone = evidence.iter().any(|it| it.data.get("unreachable").is_some_and(|it| it == true));
    match (expect, verdict) {
        (Expect::Pass, verdict) => verdict,
        (Expect::Fail, Verdict::Pass) => Verdict::Fail,
        (Expect::Fail, Verdict::Fail) => Verdict::Pass,
        (Expect::Fail, Verdict::Unknown) if gone => Verdict::Pass,
        (Expect::Fail, Verdict::Unknown) => Verdict::Unknown,
    }
}
