//! Commands on hosts: started once, asked after, judged.

use std::collections::BTreeMap;

use changeover::machine::Fact;
use changeover::model::Verdict;
use changeover::port::{Seen, Sent};
use serde_json::{Value, json};

use super::shell::Hosts;
use super::world::{done, says, settled, todo, words};

fn run(argv: &[&str]) -> Value {
    json!({ "host": "bastion", "argv": argv })
}

#[tokio::test]
async fn a_command_runs_once_however_often_it_is_started() {
    let hosts = Hosts::new();
    hosts.program(
        "work",
        "#!/bin/sh\necho \"$2\" >>DIR/count; sleep 2; echo ended; env >DIR/env.seen\n",
    );
    let world = hosts.world();
    let with = run(&["work", "it's", "a b; $(id)"]);
    let action = world.action("host.run", &with, Some("sydney"));
    let changes = todo(&action.observe().await);
    assert!(changes[0].sentence.contains("sydney-bastion"), "{changes:?}");
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    // A second conductor that knows nothing of the first sends the same again.
    let second = world.action("host.run", &with, Some("sydney"));
    assert!(matches!(second.apply(&changes).await, Sent::Accepted { .. }));
    assert!(matches!(second.observe().await, Seen::Busy { .. }));
    let seen = settled(&*action).await;
    done(&seen);
    assert!(says(&seen).contains("\"output\":\""), "{}", says(&seen));
    done(&second.observe().await);
    second.apply(&changes).await;
    assert_eq!(hosts.read("count"), "a b; $(id)\n");
    assert!(!hosts.read("env.seen").contains("tokentoken"), "a token went to the host");
}

#[tokio::test]
async fn a_failed_attempt_is_run_again_by_the_next_one_only() {
    let hosts = Hosts::new();
    let work = "#!/bin/sh\necho x >>DIR/count; echo broken >&2; test -e DIR/good || exit 3\n";
    hosts.program("work", work);
    let world = hosts.world();
    let mut call = world.call("host.run", &run(&["work"]), Some("sydney"));
    let first = world.act(call.clone());
    first.apply(&todo(&first.observe().await)).await;
    let seen = settled(&*first).await;
    assert!(matches!(&seen, Seen::Failed { .. }), "{seen:?}");
    assert!(says(&seen).contains("status 3: broken") && says(&seen).contains("E3703"));
    first.apply(&[]).await;
    assert_eq!(hosts.read("count"), "x\n", "the same attempt ran twice");
    hosts.write("good", "");
    call.attempt = 2;
    let second = world.act(call.clone());
    let changes = todo(&second.observe().await);
    assert_eq!(changes[0].old.as_deref(), Some("status 3"));
    second.apply(&changes).await;
    second.apply(&changes).await;
    done(&settled(&*second).await);
    assert_eq!(hosts.read("count"), "x\nx\n");
    call.attempt = 3;
    let third = world.act(call);
    done(&third.observe().await);
}

#[tokio::test]
async fn what_was_killed_is_lost_and_what_outlives_its_shell_is_running() {
    let hosts = Hosts::new();
    hosts.program("work", "#!/bin/sh\necho $$ >DIR/pid; echo $PPID >DIR/parent; exec sleep 30\n");
    let world = hosts.world();
    let action = world.action("host.run", &run(&["work"]), Some("sydney"));
    action.apply(&todo(&action.observe().await)).await;
    while hosts.read("parent").is_empty() {
        assert!(matches!(action.observe().await, Seen::Busy { .. }));
    }
    kill(&hosts.read("parent"));
    let seen = action.observe().await;
    assert!(matches!(seen, Seen::Busy { .. }), "the command lives: {seen:?}");
    kill(&hosts.read("pid"));
    let seen = settled(&*action).await;
    assert!(matches!(seen, Seen::Failed { .. }), "{seen:?}");
    assert!(says(&seen).contains("E3704"), "{}", says(&seen));
    let mut next = world.call("host.run", &run(&["work"]), Some("sydney"));
    next.attempt = 2;
    assert_eq!(todo(&world.act(next).observe().await)[0].old.as_deref(), Some("no exit status"));
}

fn kill(pid: &str) {
    let done = std::process::Command::new("kill").args(["-9", pid.trim()]).status().unwrap();
    assert!(done.success());
    // The kernel frees the lock when the process is gone, a moment after the signal.
    while std::path::Path::new("/proc").join(pid.trim()).join("exe").read_link().is_ok() {}
}

#[tokio::test]
async fn a_host_is_named_by_whatever_the_linter_lets_stand() {
    let hosts = Hosts::new();
    let mut world = hosts.world();
    let workflow = std::sync::Arc::make_mut(&mut world.workflow);
    workflow.hosts.get_mut("bastion").unwrap().ssh = "{{ site.profile }}-host".to_owned();
    let seen = world.action("host.run", &run(&["work"]), Some("sydney")).observe().await;
    assert!(says(&seen).contains("UpstreamAlt-host"), "{seen:?}");
}

#[tokio::test]
async fn a_host_without_flock_runs_a_command_once_too() {
    let hosts = Hosts::new();
    let world = hosts.poor_world();
    hosts.program("work", "#!/bin/sh\necho x >>DIR/count; sleep 0.3; exit 4\n");
    let action = world.action("host.run", &run(&["work"]), Some("sydney"));
    let changes = todo(&action.observe().await);
    action.apply(&changes).await;
    action.apply(&changes).await;
    assert!(matches!(action.observe().await, Seen::Busy { .. }));
    assert!(says(&settled(&*action).await).contains("status 4"));
    action.apply(&changes).await;
    let mut next = world.call("host.run", &run(&["work"]), Some("sydney"));
    next.attempt = 2;
    let next = world.act(next);
    next.apply(&todo(&next.observe().await)).await;
    assert!(matches!(settled(&*next).await, Seen::Failed { .. }));
    assert_eq!(hosts.read("count"), "x\nx\n");
}

#[tokio::test]
async fn a_missing_folder_and_a_missing_program_are_failures() {
    let hosts = Hosts::new();
    let world = hosts.world();
    let action = world.action("host.run", &run(&["/no/such/program"]), Some("sydney"));
    action.apply(&todo(&action.observe().await)).await;
    assert!(says(&settled(&*action).await).contains("status 127"));
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_unknown() {
    let hosts = Hosts::new();
    std::fs::remove_dir(hosts.path("sydney-bastion")).unwrap();
    let world = hosts.world();
    let action = world.action("host.run", &run(&["work"]), Some("sydney"));
    let seen = action.observe().await;
    assert!(matches!(seen, Seen::Unknown { .. }), "{seen:?}");
    assert!(says(&seen).contains("Connection refused") && says(&seen).contains("E3701"));
    assert!(matches!(action.apply(&[]).await, Sent::Unknown { .. }));
}

#[tokio::test]
async fn a_proof_of_equal_counts_is_looked_for_on_both_sites() {
    let hosts = Hosts::new();
    hosts.program("load", "#!/bin/sh\ncp DIR/count.db-hk DIR/count.db-sydney\n");
    // Each host's `env` is in its working folder; both share one here, so the host decides.
    hosts.program("psql", "#!/bin/sh\ncat \"DIR/count.db-$(basename \"$HOME\" -bastion)\"\n");
    hosts.write("env", "PGHOST=db\nPATH=/nowhere\n$(touch DIR/hacked)\n");
    hosts.write("count.db-hk", "2342\n");
    hosts.write("count.db-sydney", "7\n");
    let world = hosts.world();
    let with = json!({ "host": "bastion", "argv": ["true"], "proves": { "counts": "equal" } });
    let idle = world.action("host.run", &with, Some("sydney"));
    idle.apply(&todo(&idle.observe().await)).await;
    let seen = settled(&*idle).await;
    assert!(matches!(seen, Seen::Failed { .. }), "{seen:?}");
    assert!(says(&seen).contains("2342 on hk, 7 on sydney"), "{}", says(&seen));
    let with = json!({ "host": "bastion", "argv": ["load"], "proves": { "counts": "equal" } });
    let action = world.action("host.run", &with, Some("sydney"));
    action.apply(&todo(&action.observe().await)).await;
    let seen = settled(&*action).await;
    done(&seen);
    assert!(says(&seen).contains("2342 on both"), "{}", says(&seen));
}

#[tokio::test]
async fn a_dump_says_what_its_database_held_even_when_that_could_not_be_counted() {
    let hosts = Hosts::new();
    hosts.write("env", "PGHOST=db\n");
    let world = hosts.world();
    let with = |proves: Value| json!({ "host": "bastion", "argv": ["dump"], "proves": proves });
    let dump = with(json!({ "backup": "written" }));
    let held = async |count: &str| {
        hosts.write("count.db", count);
        let action = world.action("host.run", &dump, Some("hk"));
        todo(&action.observe().await);
        action.intends()
    };
    let rows = [("select count(*) from dataset".to_owned(), 12)].into();
    assert_eq!(held("12\n").await, [Fact::Held { rows }]);
    // Not a number: an older count must not stand for it.
    assert_eq!(held("many\n").await, [Fact::Held { rows: BTreeMap::new() }]);
    let load = world.action("host.run", &with(json!({ "counts": "equal" })), Some("hk"));
    todo(&load.observe().await);
    assert_eq!(load.intends(), []);
}

#[tokio::test]
async fn a_site_whose_database_names_no_page_is_not_called_warm() {
    let hosts = Hosts::new();
    hosts.write("env", "PGHOST=db\n");
    let world = hosts.world();
    let with = json!({ "query": "select name from page", "url": "http://gigadb.org/{}",
        "address": "127.0.0.1", "within": "1s" });
    let look = async |names: &str| {
        hosts.write("count.db", names);
        world.check("site.warm", &with, Some("sydney")).look().await
    };
    let found = look("").await;
    assert_eq!(found.verdict, Verdict::Fail, "{found:?}");
    let said = words(&found.evidence);
    assert!(said.contains("the database names no page") && said.contains("E3303"), "{said}");
    // A name is asked for: nobody answers there.
    let found = look("dataset/100001\n").await;
    assert_eq!(found.verdict, Verdict::Unknown, "{found:?}");
    assert!(words(&found.evidence).contains("0 of 1 pages"), "{found:?}");
}

#[tokio::test]
async fn nothing_is_loaded_over_production() {
    let hosts = Hosts::new();
    let world = hosts.world();
    let with = json!({ "host": "bastion", "argv": ["load"], "destructive": true });
    let seen = world.action("host.run", &with, Some("hk")).observe().await;
    assert!(matches!(seen, Seen::Foreign { .. }), "{seen:?}");
    assert!(says(&seen).contains("hk may not be overwritten"), "{}", says(&seen));
    // Without AWS neither the target nor the backup can be seen.
    let seen = world.action("host.run", &with, Some("sydney")).observe().await;
    assert!(matches!(seen, Seen::Unknown { .. } | Seen::Foreign { .. }), "{seen:?}");
}

#[tokio::test]
async fn files_and_images() {
    let hosts = Hosts::new();
    hosts.program("s3backup", "#!/bin/sh\n");
    hosts.write("plain", "");
    let world = hosts.world();
    let path = |name: &str| hosts.path(name).to_string_lossy().into_owned();
    let with = json!({ "host": "bastion", "paths": [path("bin/s3backup")] });
    let found = world.check("host.file", &with, None).look().await;
    assert_eq!(found.verdict, Verdict::Pass);
    assert_eq!(found.evidence.len(), 2, "both sites");
    assert!(words(&found.evidence).contains("sha256"));
    let with = json!({ "host": "bastion", "paths": [path("plain"), path("gone it's")] });
    let found = world.check("host.file", &with, Some("hk")).look().await;
    assert_eq!(found.verdict, Verdict::Fail);
    assert!(words(&found.evidence).contains("not executable"));
    let image = async |name: &str| {
        let with = json!({ "host": "bastion", "images": ["production_app", name] });
        world.check("host.image", &with, Some("sydney")).look().await.verdict
    };
    assert_eq!(image("production_app").await, Verdict::Pass);
    assert_eq!(image("production_s3backup").await, Verdict::Fail);
    assert_eq!(image("broken").await, Verdict::Unknown);
}
