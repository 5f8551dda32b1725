//! The workflow as it was read when a failover was armed, so that it need not be read from its text again: finding
//! every key's place in the file takes longer than the whole move. Only of this very text, by this very program.

use std::path::Path;

use crate::fault::Fault;
use crate::journal;
use crate::model::Digest;
use crate::workflow::Workflow;

/// Its name beside the journal.
const NAME: &str = "armed-workflow.json";

/// What the first line says: of which text, by which program, and of which rest of the file.
fn head(text: &str, body: &str) -> String {
    let program = env!("CARGO_PKG_VERSION");
    format!("{} {program} {}", Digest::of(text.as_bytes()), Digest::of(body.as_bytes()))
}

/// Keeps it.
///
/// # Errors
/// It could not be written.
pub(super) fn keep(dir: &Path, text: &str, workflow: &Workflow) -> Result<(), Fault> {
    // One that cannot be written down is read from its text, which is slower.
    let Some(body) = workflow.as_read() else { return Ok(()) };
    journal::shelve(dir, NAME, &format!("{}\n{body}", head(text, &body)))
}

/// What was kept of this text, if it was, and its digest: only the journal can say that `arm` kept it.
pub(super) fn workflow(dir: &Path, text: &str) -> Option<(Workflow, Digest)> {
    let file = journal::shelved(dir, NAME)?;
    let (said, body) = file.split_once('\n')?;
    if said != head(text, body) {
        return None;
    }
    Some((serde_json::from_str(body).ok()?, Digest::of(body.as_bytes())))
}
