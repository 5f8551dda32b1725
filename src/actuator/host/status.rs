//! What the wrapper on a host says of a command.

use crate::actuator::Wire;
use crate::actuator::host::{Machine, last_line};
use crate::actuator::trouble::Trouble;
use crate::fault::E3702;
use crate::port::Call;

/// The wrapper; its first comment says what it does.
const WRAPPER: &str = include_str!("wrapper.sh");

/// What the wrapper is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Say what became of it.
    Status,
    /// Start it unless it was started before.
    Start,
    /// Start it although an earlier attempt ended badly.
    Again,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was never started.
    Absent,
    /// Something of it lives.
    Running,
    /// It ended with this status.
    Exited(i32),
    /// It was started, does not live, and left no status: killed, or the machine went down.
    Lost,
}

/// The wrapper's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// What became of it.
    pub state: State,
    /// The attempt this is about; 0 for none.
    pub attempt: u32,
    /// The digest of the output so far.
    pub digest: String,
    /// The end of the output.
    pub tail: String,
}

impl Status {
    /// Its last line of output.
    pub(super) fn last_line(&self) -> String {
        last_line(&self.tail)
    }

    /// Reads the answer; lines before it (a greeting) do not count.
    fn parse(text: &str) -> Option<Self> {
        let at = text.lines().position(|it| it.starts_with("changeover "))?;
        let mut lines = text.lines().skip(at);
        let words: Vec<&str> = lines.next()?.split(' ').collect();
        let [_, state, code, attempt, digest] = words.try_into().ok()?;
        let state = match state {
            "absent" => State::Absent,
            "running" => State::Running,
            "exited" => State::Exited(code.parse().ok()?),
            "lost" => State::Lost,
            _ => return None,
        };
        let tail = lines.collect::<Vec<_>>().join("\n");
        Some(Self { state, attempt: attempt.parse().ok()?, digest: digest.to_owned(), tail })
    }
}

/// Asks the wrapper. `Start` and `Again` may change the world; they are sent once.
pub(super) async fn ask(
    wire: &Wire,
    call: &Call,
    machine: &Machine,
    ask: Ask,
    argv: &[String],
) -> Result<Status, Trouble> {
    let (word, verb) = match ask {
        Ask::Status => ("status", "status"),
        Ask::Start => ("start", "run"),
        Ask::Again => ("again", "run"),
    };
    let attempt = call.attempt.to_string();
    let mut args = vec![word, &call.op.0, &attempt, &machine.cwd];
    args.extend(argv.iter().map(String::as_str));
    let output = machine.run(wire, &call.workflow, verb, WRAPPER, &args).await?;
    let source = machine.source();
    let text = output.good(&source)?;
    let odd = || Trouble::new(&E3702, &source, format!("an odd answer: {}", last_line(&text)));
    Status::parse(&text).ok_or_else(odd)
}

#[cfg(test)]
mod tests {
    use super::{State, Status};

    #[test]
    fn reads_the_answer_behind_a_greeting() {
        let it = Status::parse("Welcome!\nchangeover exited 3 2 abc\none\ntwo\n").unwrap();
        assert_eq!((it.state, it.attempt), (State::Exited(3), 2));
        assert_eq!(it.last_line(), "two");
        assert_eq!(Status::parse("changeover exited x 2 abc"), None);
        assert_eq!(Status::parse("Welcome!"), None);
    }
}
