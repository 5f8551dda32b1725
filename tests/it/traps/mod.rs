//! The sixteen traps of `docs/traps.md`: each is set in the practice cloud, nothing is changed after it, and the
//! answer names it. Then the same again with its guards answering "passed": what they protect is touched.

mod hosts;
mod load;
mod page;
mod start;
mod unguarded;
mod users;
mod written;

use changeover::app::Hooks;
use changeover::conductor::Command;
use changeover::machine::State;
use serde_json::Value;

use crate::practice::{Lab, Operator, last_call};
use unguarded::hooks;

/// What a trap is about.
struct Trap {
    /// What the answer must hold.
    says: &'static [&'static str],
    /// The guards that hold it, by step; `engine KIND` is a look of the engine's own, `own look` the one of a load
    /// just before it. All of them answer "passed" in the second try; that is the one switch.
    guards: &'static [&'static str],
    /// Whether a call changes what is protected.
    touches: fn(&Value) -> bool,
}

/// A release that is on its way to a trap.
struct Run {
    lab: Lab,
    operator: Operator,
    release: &'static str,
    to: &'static str,
}

impl Run {
    fn start(name: &str) -> Self {
        let lab = Lab::start();
        let operator = Operator::new(&lab, name);
        Self { lab, operator, release: "v4.3.4", to: "sydney" }
    }

    /// The trap is set: the tool refuses, names it, and changes nothing; without the guards it does.
    async fn springs(&self, trap: &Trap) {
        let since = last_call(&self.lab);
        let said = self.turn(Hooks::default()).await;
        for word in trap.says {
            assert!(said.contains(word), "{word:?} is not in: {said}");
        }
        assert_eq!(self.changes(since), Vec::<Value>::new(), "after the trap was set: {said}");
        let (since, mut all) = (last_call(&self.lab), vec![]);
        for _ in 0..20 {
            all.push(self.turn(hooks(trap.guards)).await);
            if self.changes(since).iter().any(trap.touches) {
                return;
            }
        }
        panic!("nothing is touched without {:?}: {}", trap.guards, all.join("\n"));
    }

    /// The next command of a release, and what it came to.
    async fn turn(&self, hooks: Hooks) -> String {
        let Some((who, command)) = self.operator.turn(self.release, self.to) else {
            return "the release is over".to_owned();
        };
        match self.operator.order_in(who, command, hooks).await {
            // What a screen shows of a halt: the sentence, and the evidence with its codes and sources.
            Ok(reply) => format!("{reply:?}\n{}", self.operator.last_lines()),
            Err(fault) => fault.to_string(),
        }
    }

    /// Goes on with all guards until this is so.
    async fn until(&self, there: impl Fn(State) -> bool) {
        for _ in 0..40 {
            if there(self.operator.life().state) {
                return;
            }
            let said = self.turn(Hooks::default()).await;
            let halted = matches!(self.operator.life().state, State::Halted { .. });
            assert!(!halted, "{said}\n{}", self.operator.last_lines());
        }
        panic!("it was not reached: {:?}", self.operator.life().state);
    }

    async fn init(&self) {
        self.operator.order("engineer-a", Command::Init).await.unwrap();
    }

    /// Requests of a kind that changes something, since then; announcements aside.
    fn changes(&self, since: u64) -> Vec<Value> {
        let calls = self.lab.get(&format!("/_lab/calls?changes=true&since={since}"));
        let mut calls = calls.as_array().unwrap().clone();
        calls.retain(|it| it["service"] != "webhook");
        calls
    }

    fn database(&self, site: &str) -> Value {
        self.lab.world()["databases"][site].clone()
    }

    /// A file of a site's bastion.
    fn file(&self, site: &str, path: &str) -> std::path::PathBuf {
        self.lab.dir.path().join("hosts").join(format!("gigadb-{site}-bastion")).join(path)
    }

    /// What users get of a site under production's name: the status, 0 where TLS refuses.
    fn users_get(&self, site: &str, path: &str) -> u16 {
        let life = self.operator.life();
        let address = &life.record.addresses[&changeover::model::SiteName::from(site)]["web"];
        let port = self.operator.env["CHANGEOVER_CONNECT_TO"].rsplit(':').next().unwrap();
        let out = std::process::Command::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"])
            .arg(&self.operator.env["SSL_CERT_FILE"])
            .args(["--resolve", &format!("gigadb.org:{port}:{address}")])
            .arg(format!("https://gigadb.org:{port}{path}"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&out.stdout).trim().parse().unwrap()
    }
}

/// A load that did something to a database.
fn loads(call: &Value) -> bool {
    call["operation"] == "databaseReset" && call["applied"] == true
}

/// A dump that was uploaded.
fn dumps(call: &Value) -> bool {
    call["operation"] == "s3backup" && call["applied"] == true
}

/// Records of the switch that moved.
fn moves(call: &Value) -> bool {
    call["service"] == "cloudflare"
        && call["path"].as_str().unwrap().ends_with("/batch")
        && call["applied"] == true
}

/// A deployment to a site.
fn deploys(call: &Value) -> bool {
    call["service"] == "gitlab"
        && call["path"].as_str().unwrap().ends_with("/play")
        && call["applied"] == true
}
