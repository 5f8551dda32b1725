//! Jobs on hosts with a crontab.

use changeover::machine::{Fact, Owed};
use changeover::model::Verdict;
use changeover::port::{Seen, Sent};
use serde_json::{Value, json};

use super::shell::Hosts;
use super::world::{done, says, settled, todo, words};

const OTHERS: &str = "MAILTO=\"\"\n# by hand, %s 100% \\0041\n\n00 20 * * *\t/bin/refresh  'x'\n";

fn reset(hosts: &Hosts) -> String {
    let dir = hosts.dir().display();
    format!("#Ansible: Reset database every day\n5 10 * * * {dir}/bin/databaseReset latest\n")
}

fn job(name: &str) -> Value {
    json!({ "job": name })
}

#[tokio::test]
async fn off_takes_out_the_pair_and_owes_it() {
    let hosts = Hosts::new();
    hosts.write("sydney-bastion/crontab", &format!("{OTHERS}{}#tail\n", reset(&hosts)));
    let world = hosts.world();
    let action = world.action("job.off", &job("databaseReset"), Some("sydney"));
    let changes = todo(&action.observe().await);
    assert_eq!(changes[0].old.as_deref(), Some(reset(&hosts).as_str()));
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    assert_eq!(hosts.read("sydney-bastion/crontab"), format!("{OTHERS}#tail\n"));
    let owed = Owed::Job { job: "databaseReset".into(), site: "sydney".into() };
    assert_eq!(done(&action.observe().await), [Fact::Owe { owed: owed.clone() }]);
    // Whoever finds it off owes nothing; whoever comes back after a crash does.
    let call = world.call("job.off", &job("databaseReset"), Some("sydney"));
    assert_eq!(done(&world.act(call.clone()).observe().await), []);
    let after = world.after_crash(&call, &changes);
    assert_eq!(done(&world.act(after).observe().await), [Fact::Owe { owed }]);
    assert_eq!(hosts.read("sydney-bastion/crontab.writes"), "x\n");
}

#[tokio::test]
async fn one_call_takes_out_and_sees_what_stands_and_runs_then() {
    let hosts = Hosts::new();
    hosts.write("sydney-bastion/crontab", &format!("{OTHERS}{}", reset(&hosts)));
    let world = hosts.world();
    let action = world.action("job.off", &job("databaseReset"), Some("sydney"));
    let changes = todo(&action.observe().await);
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    done(&action.observe().await);
    let calls = || hosts.read("calls").matches("sh -s").count();
    assert_eq!(calls(), 3, "a look, what is written over, and a write that looks");
    // A later look is a look of its own: it may have been put in again.
    hosts.write("sydney-bastion/crontab", &reset(&hosts));
    todo(&action.observe().await);
    assert_eq!(calls(), 4);
}

#[tokio::test]
async fn what_takes_a_job_out_shows_no_other_job_as_running() {
    let hosts = Hosts::new();
    let other = format!("0 11 * * * {}/bin/sync_dropbox --apply\n", hosts.dir().display());
    hosts.write("sydney-bastion/crontab", &format!("{}{other}", reset(&hosts)));
    let world = hosts.world();
    let action = world.action("job.off", &job("databaseReset"), Some("sydney"));
    let changes = todo(&action.observe().await);
    action.apply(&changes).await;
    assert_eq!(hosts.read("sydney-bastion/crontab"), other);
    // Whatever the call is given stands in the arguments of its processes, where ps finds it.
    let args = hosts.read("calls");
    assert!(args.contains("'take'") && !args.contains("sync_dropbox"), "{args}");
}

#[tokio::test]
async fn what_was_taken_out_is_not_refused_where_nothing_could_be_read_after_it() {
    let hosts = Hosts::new();
    hosts.write("sydney-bastion/crontab", &reset(&hosts));
    hosts.program("ps", "#!/bin/sh\n[ ! -e $HOME/crontab.writes ] && echo '1 init'\n");
    let world = hosts.world();
    let action = world.action("job.off", &job("databaseReset"), Some("sydney"));
    let changes = todo(&action.observe().await);
    let sent = action.apply(&changes).await;
    assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
    let seen = action.observe().await;
    assert!(matches!(seen, Seen::Unknown { .. }), "{seen:?}");
    hosts.program("ps", "#!/bin/sh\necho '1 init'\n");
    let owed = Owed::Job { job: "databaseReset".into(), site: "sydney".into() };
    assert_eq!(done(&action.observe().await), [Fact::Owe { owed }]);
}

#[tokio::test]
async fn by_hand_no_program_that_only_begins_like_the_jobs_is_taken_out() {
    let hosts = Hosts::new();
    // Machines of others run the real one just now, for all this test knows.
    hosts.program("ps", "#!/bin/sh\necho '1 init'\n");
    let near = format!("7 7 * * * {}/bin/databaseResetAll now\n", hosts.dir().display());
    hosts.write("sydney-bastion/crontab", &format!("{OTHERS}{}{near}", reset(&hosts)));
    let world = hosts.world();
    let by_hand = world.by_hand(world.call("job.off", &job("databaseReset"), Some("sydney"))).await;
    let lines = by_hand.shell.join("\n");
    let text = format!("on() {{ {} \"$1\" \"$2\"; }}\n{lines}\n", hosts.path("bin/ssh").display());
    let ran = std::process::Command::new("sh").args(["-e", "-c", &text]).status().unwrap();
    assert!(ran.success(), "{text}");
    assert_eq!(hosts.read("sydney-bastion/crontab"), format!("{OTHERS}{near}"));
}

#[tokio::test]
async fn off_does_not_overwrite_what_changed_in_between() {
    let hosts = Hosts::new();
    hosts.write("sydney-bastion/crontab", &reset(&hosts));
    let world = hosts.world();
    let action = world.action("job.off", &job("databaseReset"), Some("sydney"));
    let changes = todo(&action.observe().await);
    hosts.write("sydney-bastion/crontab", &reset(&hosts).replace("5 10", "6 10"));
    let sent = action.apply(&changes).await;
    assert!(matches!(sent, Sent::Refused { .. }), "{sent:?}");
    // And what changes between the reading and the writing of one attempt.
    hosts.write("sydney-bastion/crontab", &reset(&hosts));
    let racing = "#!/bin/sh\nif [ \"$1\" = -l ]; then\n  cat $HOME/crontab; echo '1 1 * * * new' >>$HOME/crontab\nelse\n  cat >DIR/overwritten\nfi\n";
    hosts.program("crontab", racing);
    let sent = action.apply(&changes).await;
    assert!(matches!(sent, Sent::Refused { .. }), "{sent:?}");
    assert_eq!(hosts.read("overwritten"), "");
}

#[tokio::test]
async fn off_waits_for_the_running_instance() {
    let hosts = Hosts::new();
    hosts.program("databaseReset", "#!/bin/sh\nsleep 1\n");
    let world = hosts.world();
    let mut running =
        std::process::Command::new(hosts.path("bin/databaseReset")).arg("latest").spawn().unwrap();
    let action = world.action("job.off", &job("databaseReset"), Some("sydney"));
    let seen = action.observe().await;
    assert!(matches!(seen, Seen::Busy { .. }), "{seen:?}");
    assert!(says(&seen).contains("databaseReset latest"));
    let check = world.check("jobs.off", &json!({}), None).look().await;
    assert_eq!(check.verdict, Verdict::Fail, "{}", words(&check.evidence));
    running.wait().unwrap();
    assert_eq!(done(&settled(&*action).await), []);
    let check = world.check("jobs.off", &json!({}), None).look().await;
    assert_eq!(check.verdict, Verdict::Pass, "{}", words(&check.evidence));
    assert_eq!(check.evidence.len(), 4, "two sync jobs on two sites");
}

#[tokio::test]
async fn on_adds_one_entry_and_pays() {
    let hosts = Hosts::new();
    hosts.write("sydney-bastion/crontab", OTHERS);
    let mut world = hosts.world();
    let owed = Owed::Job { job: "databaseReset".into(), site: "hk".into() };
    world.record.owed.insert(owed.clone());
    world.record.owed.insert(Owed::Job { job: "s3backup".into(), site: "hk".into() });
    let action = world.action("job.on", &job("databaseReset"), Some("sydney"));
    let changes = todo(&action.observe().await);
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    assert_eq!(hosts.read("sydney-bastion/crontab"), format!("{OTHERS}{}", reset(&hosts)));
    assert_eq!(done(&action.observe().await), [Fact::Pay { owed }]);
    let sent = action.apply(&changes).await;
    assert!(matches!(sent, Sent::Refused { .. }), "a second entry: {sent:?}");
    let check = world.check("jobs.off", &json!({ "jobs": ["databaseReset"] }), None).look().await;
    assert_eq!(check.verdict, Verdict::Fail);
}

#[tokio::test]
async fn an_empty_crontab_is_no_trouble_and_a_strange_entry_is() {
    let hosts = Hosts::new();
    let world = hosts.world();
    let action = world.action("job.on", &job("databaseReset"), Some("sydney"));
    action.apply(&todo(&action.observe().await)).await;
    assert_eq!(hosts.read("sydney-bastion/crontab"), reset(&hosts));
    let strange = format!("9 9 * * * {}/bin/databaseReset 20200101\n", hosts.dir().display());
    hosts.write("sydney-bastion/crontab", &strange);
    for kind in ["job.on", "job.off"] {
        let seen = world.action(kind, &job("databaseReset"), Some("sydney")).observe().await;
        assert!(matches!(seen, Seen::Foreign { .. }), "{kind}: {seen:?}");
        assert!(says(&seen).contains("9 9 * * *"), "{}", says(&seen));
    }
    assert_eq!(hosts.read("sydney-bastion/crontab"), strange);
}

#[tokio::test]
async fn a_crontab_that_cannot_be_read_is_unknown() {
    let hosts = Hosts::new();
    hosts.program(
        "crontab",
        "#!/bin/sh\necho 'you are not allowed to use this program' >&2; exit 1\n",
    );
    let seen =
        hosts.world().action("job.off", &job("databaseReset"), Some("sydney")).observe().await;
    assert!(matches!(seen, Seen::Unknown { .. }), "{seen:?}");
    assert!(says(&seen).contains("not allowed"));
}
