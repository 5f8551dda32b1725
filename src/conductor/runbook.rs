//! The runbook: the switch as people do it by hand, when this program, its store or its host is gone. Made from
//! the workflow's own steps, by the same calls and the same actuators that would carry them out.

use std::sync::{Arc, PoisonError};

use crate::conductor::Conductor;
use crate::conductor::command::Reply;
use crate::conductor::fence::given_up;
use crate::conductor::preview::place;
use crate::fault::{E2002, Exit, Fault};
use crate::machine::Record;
use crate::model::{Actor, Digest, Evidence, Phase, Roles, SiteName};
use crate::port::ByHand;
use crate::workflow::Workflow;
use crate::workflow::step::{Expect, InFailover, Step};

/// The name of the page, beside the journal.
const NAME: &str = "runbook.md";

impl Conductor {
    /// Makes the page anew, writes it beside the journal, keeps it by its digest, and writes the digest down.
    ///
    /// # Errors
    /// What the switch would change cannot be read: the page before stays. Or nothing can be written.
    pub(super) async fn refresh_runbook(&self, by: &Actor) -> Result<Digest, Fault> {
        let (page, (lost, to)) = Box::pin(self.runbook()).await?;
        let digest = self.book().keep(&page)?;
        let place = self.book().page(NAME, &page)?;
        let place = place.map_or_else(|| NAME.to_owned(), |it| it.display().to_string());
        let text = format!("runbook {lost} → {to} written: sha256 {digest}");
        let data = serde_json::json!({ "runbook": digest, "from": lost, "to": to });
        let evidence = Evidence { data, ..self.evidence(&text) };
        self.book().note(by, text.clone(), None, vec![evidence], vec![])?;
        let says = format!("{text}; {place}: keep a copy where this host is not needed");
        *self.wrote.lock().unwrap_or_else(PoisonError::into_inner) = Some(Ok(says));
        Ok(digest)
    }

    /// The answer to the command that asked for it.
    pub(super) fn wrote_runbook(&self, reply: Reply) -> Reply {
        let wrote = self.wrote.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sentence = wrote.and_then(Result::ok).unwrap_or_default();
        Reply { exit: Exit::Done, code: None, sentence, ..reply }
    }

    /// The page, and the two sites.
    async fn runbook(&self) -> Result<(String, (SiteName, SiteName)), Fault> {
        let (record, workflow) = (self.life().record, self.run_workflow()?);
        let (lost, to) = self.sides(&record)?;
        let number = record.run.as_ref().map_or(record.runs + 1, |it| it.number);
        let before = given_up(record.clone(), lost.clone(), to.clone(), number);
        let after =
            Record { roles: Some(Roles::Settled { production: to.clone() }), ..before.clone() };
        let mut page = self.head(&record, &lost, &to);
        section(&mut page, "1. Set up", &[ByHand {
            says: "In one shell, and stay in it. Needed: curl 7.76 or newer, ssh with the aliases of the \
                   sites, dig or python3."
                .to_owned(),
            shell: vec![self.world.by_hand_setup(&workflow)],
        }]);
        let is_http = |it: &Step| it.kind() == "http" && it.expect == Expect::Pass;
        let is_action = |it: &Step| !it.is_check();
        let is = |kind: &'static str| move |it: &Step| it.kind() == kind;
        let steps = self.by_hand(&workflow, &before, Phase::Assess, is_http).await?;
        section(&mut page, &format!("2. Look: {to} must serve"), &steps);
        let steps = self.by_hand(&workflow, &before, Phase::Assess, is_action).await?;
        section(&mut page, &format!("3. Keep jobs from writing into {to}"), &steps);
        let steps = self.by_hand(&workflow, &before, Phase::Swap, is("switch")).await?;
        section(&mut page, &format!("4. Move users to {to}"), &steps);
        let steps = self.by_hand(&workflow, &before, Phase::Swap, is("switch.confirm")).await?;
        section(&mut page, "5. See that they are moved", &steps);
        let steps = self.by_hand(&workflow, &before, Phase::Fence, is_action).await?;
        section(
            &mut page,
            &format!("6. Take away {lost}'s power to act, as far as it can be reached"),
            &steps,
        );
        let steps = self.by_hand(&workflow, &after, Phase::Sanity, |_| true).await?;
        section(&mut page, &format!("7. See that {to} serves as production"), &steps);
        let steps = self.by_hand(&workflow, &after, Phase::Lift, is_action).await?;
        section(&mut page, &format!("8. Let {to} be production"), &steps);
        afterwards(&mut page, &self.system.to_string(), &to);
        let mut steps = self.by_hand(&workflow, &after, Phase::SyncOn, is_action).await?;
        steps.extend(self.by_hand(&workflow, &after, Phase::Renew, is("embargo.off")).await?);
        section(
            &mut page,
            &format!("10. Later: when {lost} is back and was rebuilt from {to}"),
            &steps,
        );
        Ok((page, (lost, to)))
    }

    fn head(&self, record: &Record, lost: &SiteName, to: &SiteName) -> String {
        let marks: Vec<String> =
            record.marks.iter().map(|(zone, mark)| format!("{zone} e={mark}")).collect();
        format!(
            "# {system}: move users from {lost} to {to} by hand\n\n\
             Made {now} UTC by `changeover runbook`, after marks {marks}. Use it when Changeover, its store or \
             its host is gone; else `changeover failover` does the same, asks what is seen, and writes it down.\n\n\
             * It is right until users are moved, or an address or a record changes: each record is looked at \
             before it is replaced, and a batch is refused if anybody has moved users since.\n\
             * Lines begin with `ok`, `LOOK`, `OWED` or `STOP`. At `STOP` go no further: find out first.\n\
             * Writes on {lost} that {to} does not hold are lost. Who decides that, and when, is noted by hand.\n\
             * Note each time and each line that is not `ok`.\n",
            system = self.system,
            now = self.clock.now().screen(),
            marks = if marks.is_empty() { "(none)".to_owned() } else { marks.join(", ") },
        )
    }

    /// The steps of a phase that are wanted, by hand, in their order.
    async fn by_hand(
        &self,
        workflow: &Arc<Workflow>,
        record: &Record,
        phase: Phase,
        wanted: impl Fn(&Step) -> bool,
    ) -> Result<Vec<ByHand>, Fault> {
        let steps = workflow.steps(phase).iter().filter(|it| !it.is_gate()).enumerate();
        let dropped = |it: &Step| it.failover == Some(InFailover::Dropped);
        let mut all = vec![];
        for (position, step) in steps.filter(|(_, it)| wanted(it) && !dropped(it)) {
            let position = u8::try_from(position).unwrap_or(u8::MAX);
            let call =
                self.call_in(Arc::clone(workflow), record.clone(), place(phase), position, step);
            let made = match call {
                Ok(call) => self.world.by_hand(call).await,
                Err(evidence) => Err(vec![evidence]),
            };
            let made = made.map_err(|seen| {
                let says: Vec<String> =
                    seen.into_iter().map(|it| format!("{}: {}", it.source, it.says)).collect();
                Fault::new(
                    &E2002,
                    format!("the runbook was not written: `{}` could not be", step.id),
                )
                .because(says.join("; "))
                .hint("the page that was written before stays; changeover drift")
            })?;
            all.extend(made);
        }
        Ok(all)
    }
}

fn section(page: &mut String, title: &str, steps: &[ByHand]) {
    page.push_str(&format!("\n## {title}\n"));
    for it in steps {
        page.push_str(&format!("\n{}\n", it.says));
        if !it.shell.is_empty() {
            page.push_str(&format!("\n```sh\n{}\n```\n", it.shell.join("\n").trim_end()));
        }
    }
    if steps.is_empty() {
        page.push_str("\nNothing: the workflow has no step for it.\n");
    }
}

fn afterwards(page: &mut String, system: &str, to: &SiteName) {
    let text = format!(
        "\n## 9. Afterwards: tell Changeover\n\nWhen it runs again, before any other command:\n\n\
         ```text\nchangeover -s {system} drift\n\
         changeover -s {system} drift adopt --confirm {to} --reason 'moved by hand: who, when, why'\n```\n\n\
         `drift` names each difference between the world and the journal and what settles it; `drift adopt` \
         records that users are on {to}, with what was read, as done by people. The site that they left is \
         quarantined then: `changeover -s {system} rejoin` rebuilds it, and section 10 is not needed.\n"
    );
    page.push_str(&text);
}
