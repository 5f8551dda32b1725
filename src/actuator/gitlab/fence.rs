//! What was there before a job was pushed, and what the world now says against it.
//!
//! GitLab's clock is not ours: what is new is told by ids and states seen before, never by times.

use std::fmt;

use crate::actuator::gitlab::client::{Push, Status};

/// One try of a job: its id and what it does.
pub(super) type Try = (u64, Status);

/// What was seen before the first push; travels in the text of the planned change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    /// The job to be pushed.
    pub job: Try,
    /// The job that deploys.
    pub awaited: Try,
    /// The newest successful deployment that job made of this commit; 0 if none.
    pub deployment: u64,
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (job, is) = self.job;
        let (awaited, was) = self.awaited;
        write!(f, "job {job} {is}, awaited {awaited} {was}, deployment {}", self.deployment)
    }
}

impl Fence {
    /// Reads what `Display` wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let [job, awaited, deployment] = text.split(", ").collect::<Vec<_>>().try_into().ok()?;
        Some(Self {
            job: parse_try(job, "job ")?,
            awaited: parse_try(awaited, "awaited ")?,
            deployment: deployment.strip_prefix("deployment ")?.parse().ok()?,
        })
    }
}

fn parse_try(text: &str, name: &str) -> Option<Try> {
    let (id, status) = text.strip_prefix(name)?.split_once(' ')?;
    Some((id.parse().ok()?, serde_json::from_value(status.into()).ok()?))
}

/// Which of the two jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The one the step names.
    Job,
    /// The one that deploys.
    Awaited,
}

/// What follows from a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A deployment newer than the fence is there.
    Done,
    /// This is to be pushed.
    Push(Push, Which),
    /// Look again.
    Busy(&'static str),
    /// It ended badly.
    Failed(&'static str),
    /// Somebody else is at it.
    Foreign(&'static str),
}

/// What follows when nothing of ours has been pushed. An old green job proves nothing: it is made again.
pub(super) const fn first(now: &Fence) -> Next {
    if matches!(now.awaited.1, Status::Active) {
        return Next::Foreign("the job that deploys runs already; this run did not start it");
    }
    match now.job.1 {
        Status::Manual => Next::Push(Push::Play, Which::Job),
        Status::Success | Status::Failed | Status::Canceled => Next::Push(Push::Retry, Which::Job),
        Status::Skipped => Next::Failed("the job was skipped by its pipeline"),
        Status::Created => Next::Busy("the job waits for earlier jobs"),
        Status::Active => Next::Foreign("the job runs already; this run did not start it"),
    }
}

/// What follows when something of ours may have been pushed after `before` was seen.
pub(super) fn later(before: &Fence, now: &Fence) -> Next {
    if now.deployment > before.deployment {
        return Next::Done;
    }
    if now.job == before.job {
        return first(before);
    }
    match now.job.1 {
        Status::Active | Status::Created => Next::Busy("the job is on its way"),
        Status::Manual => Next::Failed("the new try of the job waits for a person"),
        Status::Failed | Status::Canceled | Status::Skipped => Next::Failed("the job failed"),
        Status::Success => deploying(before.awaited, now.awaited),
    }
}

/// What follows when the pushed job has succeeded.
const fn deploying(before: Try, now: Try) -> Next {
    let same = before.0 == now.0;
    match now.1 {
        Status::Active => Next::Busy("the job that deploys is on its way"),
        Status::Created => Next::Busy("the job that deploys is about to start"),
        Status::Manual => {
            Next::Failed("the job that deploys waits for a person: it needs a step of its own")
        }
        // GitLab starts what was skipped or created again after a retry, never what had ended.
        Status::Success if same && matches!(before.1, Status::Success) => AGAIN,
        Status::Failed if same && matches!(before.1, Status::Failed) => AGAIN,
        Status::Canceled if same && matches!(before.1, Status::Canceled) => AGAIN,
        Status::Skipped => Next::Busy("the job that deploys is still skipped"),
        Status::Success => Next::Busy("the job that deploys has ended; its deployment is awaited"),
        Status::Failed | Status::Canceled => Next::Failed("the job that deploys failed"),
    }
}

const AGAIN: Next = Next::Push(Push::Retry, Which::Awaited);

#[cfg(test)]
mod tests {
    use super::{AGAIN, Fence, Next, Push, Status, Which, first, later};

    const fn fence(job: (u64, Status), awaited: (u64, Status), deployment: u64) -> Fence {
        Fence { job, awaited, deployment }
    }

    const FRESH: Fence = fence((7, Status::Manual), (8, Status::Created), 3);
    const OLD: Fence = fence((7, Status::Success), (8, Status::Success), 3);

    #[test]
    fn travels_as_text() {
        for status in [
            Status::Manual,
            Status::Success,
            Status::Failed,
            Status::Canceled,
            Status::Skipped,
            Status::Created,
            Status::Active,
        ] {
            let it = fence((7, status), (8, status), 0);
            assert_eq!(Fence::parse(&it.to_string()), Some(it));
        }
        assert_eq!(Fence::parse("job x manual"), None);
    }

    #[test]
    fn an_old_green_job_proves_nothing() {
        assert_eq!(first(&FRESH), Next::Push(Push::Play, Which::Job));
        assert_eq!(first(&OLD), Next::Push(Push::Retry, Which::Job));
        assert_eq!(later(&OLD, &OLD), Next::Push(Push::Retry, Which::Job));
        assert_eq!(later(&FRESH, &FRESH), Next::Push(Push::Play, Which::Job));
    }

    #[test]
    fn somebody_elses_job_is_foreign() {
        for it in [
            fence((7, Status::Active), (8, Status::Created), 3),
            fence((7, Status::Success), (8, Status::Active), 3),
        ] {
            assert!(matches!(first(&it), Next::Foreign(_)));
        }
    }

    #[test]
    fn a_first_play_is_followed_to_its_deployment() {
        let turns = [
            (fence((7, Status::Active), (8, Status::Created), 3), "busy"),
            (fence((7, Status::Success), (8, Status::Created), 3), "busy"),
            (fence((7, Status::Success), (8, Status::Active), 3), "busy"),
            (fence((7, Status::Success), (8, Status::Success), 3), "busy"),
            (fence((7, Status::Success), (8, Status::Success), 4), "done"),
            (fence((7, Status::Failed), (8, Status::Skipped), 3), "failed"),
            (fence((7, Status::Success), (8, Status::Failed), 3), "failed"),
        ];
        for (now, wanted) in turns {
            let next = later(&FRESH, &now);
            let right = match wanted {
                "busy" => matches!(next, Next::Busy(_)),
                "done" => next == Next::Done,
                _ => matches!(next, Next::Failed(_)),
            };
            assert!(right, "{now} gave {next:?}, not {wanted}");
        }
    }

    #[test]
    fn a_retry_deploys_again() {
        let built = fence((12, Status::Success), (8, Status::Success), 3);
        assert_eq!(later(&OLD, &built), AGAIN);
        let deploying = fence((12, Status::Success), (13, Status::Active), 3);
        assert!(matches!(later(&OLD, &deploying), Next::Busy(_)));
        let deployed = fence((12, Status::Success), (13, Status::Success), 14);
        assert_eq!(later(&OLD, &deployed), Next::Done);
        let failed = fence((12, Status::Success), (13, Status::Failed), 3);
        assert!(matches!(later(&OLD, &failed), Next::Failed(_)));
    }
}
