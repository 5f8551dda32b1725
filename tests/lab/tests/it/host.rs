//! Practice hosts: dumps and loads move rows, crontabs count, sessions can be cut.

use serde_json::{Value, json};

use crate::support::Lab;

const HK: &str = "gigadb-hk-bastion";
const SYDNEY: &str = "gigadb-sydney-bastion";
const COUNT: &str = "set -a; . /home/centos/.env; psql -XAtc 'select count(*) from dataset'";

fn host_calls(lab: &Lab) -> Vec<Value> {
    let calls = lab.control("GET", "calls?service=host&changes=true", &Value::Null);
    calls.as_array().unwrap().clone()
}

#[test]
fn a_backup_and_a_reset_move_rows() {
    let lab = Lab::start("rows", &[]);
    assert_eq!((lab.says(HK, COUNT).as_str(), lab.says(SYDNEY, COUNT).as_str()), ("40", "38"));
    lab.says(HK, "/usr/local/bin/s3backup 202611211200");
    lab.says(SYDNEY, "cd /home/centos && /usr/local/bin/databaseReset 202611211200");
    assert_eq!(lab.says(SYDNEY, COUNT), "40");
    let world = lab.world();
    let (hk, sydney) = (&world["databases"]["hk"], &world["databases"]["sydney"]);
    assert_eq!(hk["digest"], sydney["digest"]);
    assert_eq!((&sydney["loaded"], &sydney["drops"]), (&json!("202611211200"), &json!(1)));
    assert_eq!(lab.ssh(HK, "s3backup tomorrow", "").status.code(), Some(2));
}

#[test]
fn a_reset_without_its_object_empties_the_database() {
    let lab = Lab::start("empty", &[]);
    assert_eq!(lab.ssh(SYDNEY, "databaseReset 20200101", "").status.code(), Some(1));
    let error = lab.ssh(SYDNEY, COUNT, "");
    assert_eq!(error.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&error.stderr).contains("does not exist"));
    assert_eq!(lab.world()["databases"]["sydney"]["tables"], false);
    let address = lab.address("alt-live.gigadb.host");
    assert_eq!(lab.https(&address, "alt-live.gigadb.host", "GET /").unwrap().status, 500);
}

#[test]
fn a_running_reset_is_seen_and_can_die_half_way() {
    let lab = Lab::start("running", &["--host-seconds", "30"]);
    let started = "nohup databaseReset latest >/dev/null 2>&1 & echo $!";
    let pid = lab.says(SYDNEY, started);
    lab.until("seen", |lab| {
        lab.says(SYDNEY, "ps -eo pid,args").contains("/bin/sh /usr/local/bin/databaseReset latest")
    });
    assert_eq!(lab.says(SYDNEY, "pgrep -f '/usr/local/bin/[d]atabaseReset'"), pid);
    assert!(!lab.says(HK, "ps -eo pid,args").contains("databaseReset"));
    lab.until("in the world", |lab| lab.world()["running"][0]["program"] == "databaseReset");
    lab.says(SYDNEY, &format!("kill -9 {pid}; pkill -P {pid} || :"));
    assert_eq!(lab.world()["databases"]["sydney"]["tables"], false);
}

#[test]
fn crontabs_behave_as_cron_has_it() {
    let lab = Lab::start("crontab", &[]);
    let before = lab.says(SYDNEY, "crontab -l");
    assert!(before.contains("5 10 * * * /usr/local/bin/databaseReset latest"));
    lab.says(SYDNEY, "crontab -l | grep -v databaseReset | crontab -");
    lab.says(SYDNEY, "crontab -l | crontab -");
    let applied: Vec<bool> =
        host_calls(&lab).iter().map(|call| call["applied"].as_bool().unwrap()).collect();
    assert_eq!(applied, [true, false]);
    let world = lab.world();
    let crontab = world["hosts"][SYDNEY]["crontab"].as_str().unwrap();
    assert!(!crontab.contains("databaseReset") && crontab.contains("0 23 * * * df -h"));
    lab.says(SYDNEY, "crontab -r");
    let none = lab.ssh(SYDNEY, "crontab -l", "");
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&none.stderr), "no crontab for centos\n");
}

#[test]
fn scripts_on_standard_input_are_mapped_and_kept() {
    let lab = Lab::start("input", &[]);
    let script = "set -e\ncat /home/centos/.env | head -1\necho \"$1 $2\"\nexit 3\n";
    let output = lab.ssh(HK, "sh -s -- one 'two words'", script);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("PGHOST=rds-server-live-gigadb.") && text.ends_with("one two words\n")
    );
    assert_eq!(output.status.code(), Some(3));
    let calls = lab.control("GET", "calls?service=host&operation=session", &Value::Null);
    assert_eq!(calls[0]["headers"]["stdin"], script);
    assert_eq!(calls[0]["status"], 3);
    assert_eq!(lab.ssh("nobody", "true", "").status.code(), Some(255));
}

#[test]
fn sessions_meet_faults() {
    let lab = Lab::start("sessions", &[]);
    let rule =
        |action: &str| json!({"service": "host", "action": action, "hold_s": 0.2, "late_s": 0.3});
    let code = |command: &str| lab.ssh(HK, command, "").status.code();
    lab.fault(&rule("refuse"));
    assert_eq!((code("touch a"), code("test -e a")), (Some(255), Some(1)));
    lab.fault(&rule("timeout_after"));
    assert_eq!((code("touch b"), code("test -e b")), (Some(255), Some(0)));
    lab.fault(&rule("cut"));
    assert_eq!(code("sleep 0.6; touch c"), Some(255));
    assert_eq!(code("test -e c"), Some(1));
    lab.fault(&rule("late"));
    assert_eq!((code("touch d"), code("test -e d")), (Some(255), Some(1)));
    let comes = |name: &str| (0..100).any(|_| code(&format!("test -e {name}")) == Some(0));
    assert!(comes("c") && comes("d"), "both go on without their connection");
    lab.control("POST", "set", &json!({"hosts": {HK: {"down": true}}}));
    assert_eq!((code("true"), lab.ssh(SYDNEY, "true", "").status.code()), (Some(255), Some(0)));
}

#[test]
fn paths_are_those_of_the_host_on_both_sides_of_the_border() {
    let lab = Lab::start("border", &["--host-seconds", "1"]);
    assert_eq!(lab.says(HK, "pwd; command -v s3backup"), "/home/centos\n/usr/local/bin/s3backup");
    let line = "5 10 * * * /usr/local/bin/databaseReset latest\n";
    assert_eq!(lab.ssh(HK, "crontab -", line).status.code(), Some(0));
    assert_eq!(lab.world()["hosts"][HK]["crontab"], line);
    assert_eq!(lab.says(HK, "crontab -l"), line.trim());
    let detached = "setsid /usr/local/bin/databaseReset latest >/dev/null 2>&1 </dev/null &";
    lab.says(SYDNEY, detached);
    let listed = "ps -eo pid,args | grep -F /usr/local/bin/databaseReset | grep -v grep";
    lab.until("listed", |lab| {
        let output = lab.ssh(SYDNEY, listed, "");
        String::from_utf8_lossy(&output.stdout).contains(" /bin/sh /usr/local/bin/databaseReset")
    });
    lab.until("ended", |lab| {
        lab.ssh(SYDNEY, "pgrep -f bin/[d]atabaseReset", "").status.code() == Some(1)
    });
    assert_eq!(lab.says(SYDNEY, COUNT), "38");
}
