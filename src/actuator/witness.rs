//! Witnesses of an incident: HTTP from here, DNS at the authority, the providers, the site's own machine, and
//! commands from elsewhere. All are asked side by side within one deadline; none changes anything.

use std::process::Stdio;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use hickory_resolver::proto::rr::RecordType;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::Wire;
use super::aws::rds::instance;
use super::cloudflare::{Client, Group};
use super::dns::asking::{ask, authority};
use super::host::{Machine, STRUCK};
use super::http::{self, Missing};
use super::wire::NoAnswer;
use crate::fault::E3501;
use crate::machine::At;
use crate::model::{About, Kind, Phase, Says, Seer, SiteName, Way, Witness};
use crate::port::{Asked, Testimony};
use crate::workflow::{Elsewhere, Record};

/// Does nothing on a machine that answers.
const THERE: &str = "exit 0\n";

/// How ssh says that it has no key for a machine, or does not know it: that says nothing of the machine.
const KEPT_OUT: [&str; 2] = ["Permission denied", "Host key verification failed"];

/// Asks all of them.
pub(super) async fn testimony(wire: &Arc<Wire>, asked: &Asked) -> Testimony {
    let one = Room { wire, asked };
    let (heard, (lever, unmarked), writes) =
        tokio::join!(join_all(one.each()), one.lever().boxed(), one.writes().boxed());
    let witnesses = heard.into_iter().flatten().chain(lever).collect();
    Testimony { witnesses, writes, unmarked }
}

/// What every witness needs.
#[derive(Clone, Copy)]
struct Room<'a> {
    wire: &'a Arc<Wire>,
    asked: &'a Asked,
}

/// What a command from elsewhere answers.
#[derive(Debug, Deserialize)]
struct Answer {
    says: Says,
    #[serde(default)]
    text: String,
}

impl<'a> Room<'a> {
    fn each(self) -> Vec<BoxFuture<'a, Vec<Witness>>> {
        let production = self.asked.production.clone();
        let mut all: Vec<BoxFuture<'a, Vec<Witness>>> = vec![
            self.page(About::Users, None).boxed(),
            self.page(About::Production, Some(production)).boxed(),
            self.page(About::Standby, Some(self.asked.standby.clone())).boxed(),
            self.names().boxed(),
            self.account().boxed(),
            self.machine().boxed(),
        ];
        let elsewhere = self.asked.workflow.failover.iter().flat_map(|it| &it.witnesses);
        all.extend(elsewhere.map(|it| self.elsewhere(it).boxed()));
        all
    }

    fn heard(self, about: About, seer: Seer, says: Says, source: &str, text: &str) -> Witness {
        let text = self.wire.clean(text);
        Witness { about, seer, says, source: source.to_owned(), at: self.wire.clock.now(), text }
    }

    /// The record that users' first name is.
    fn first(self) -> Option<&'a Record> {
        self.asked.workflow.records(Kind::Release).first()
    }

    fn address(self, site: &SiteName) -> Option<&'a str> {
        let own = self.asked.record.addresses.get(site)?;
        own.get(self.first()?.id.as_str()).map(String::as_str)
    }

    /// What users' name answers, at the address that DNS gives or at a site's own.
    async fn page(self, about: About, site: Option<SiteName>) -> Vec<Witness> {
        let Some(record) = self.first() else { return vec![] };
        let url = format!("https://{}/", record.production);
        let address = site.as_ref().and_then(|it| self.address(it));
        let source = match &site {
            None => format!("http {url}"),
            Some(site) => format!("http {url} at {site}"),
        };
        if site.is_some() && address.is_none() {
            let text = "the site's address was never read";
            return vec![self.heard(about, Seer::Http, Says::Unknown, &source, text)];
        }
        let got = http::get(self.wire, &url, address, self.asked.deadline).await;
        let (says, text) = match got {
            Ok(answer) if answer.status < 400 => (Says::Up, format!("answers {}", answer.status)),
            Ok(answer) => (Says::Down, format!("answers {}", answer.status)),
            Err(Missing::Nowhere(why)) => (Says::Unknown, why),
            Err(Missing::NoAnswer(why @ NoAnswer::Unmade(_))) => (Says::Unknown, why.to_string()),
            Err(Missing::NoAnswer(why)) => (Says::Down, why.to_string()),
        };
        vec![self.heard(about, Seer::Http, says, &source, &text)]
    }

    /// Where the authority says that users' first name leads.
    async fn names(self) -> Vec<Witness> {
        let Some(record) = self.first() else { return vec![] };
        let zone = self.asked.workflow.zone_of(&record.production);
        let Some(zone) = zone.map(|it| it.name.as_str()) else { return vec![] };
        let source = format!("dns {}", record.production);
        let own = |site: &SiteName| self.address(site).and_then(|it| it.parse().ok());
        let sites = [own(&self.asked.production), own(&self.asked.standby)];
        let looked = async {
            let mut last = Err("no authoritative server answers".to_owned());
            for server in authority(self.wire, zone).await? {
                last = ask(self.wire, server, &record.production, RecordType::A, false).await;
                if last.is_ok() {
                    break;
                }
            }
            last
        };
        let (says, text) = match tokio::time::timeout(self.asked.deadline, looked).await {
            Err(_) => (Says::Unknown, "no answer in time".to_owned()),
            Ok(Err(why)) => (Says::Unknown, why),
            Ok(Ok(answer)) => {
                let ours = answer.addresses.iter().any(|it| sites.contains(&Some(*it)));
                let listed: Vec<String> =
                    answer.addresses.iter().map(ToString::to_string).collect();
                let says = if ours { Says::Up } else { Says::Down };
                (says, format!("the authority answers {}", listed.join(", ")))
            }
        };
        vec![self.heard(About::Names, Seer::Dns, says, &source, &text)]
    }

    /// What production's provider says of its database.
    async fn account(self) -> Vec<Witness> {
        let (workflow, site) = (&self.asked.workflow, &self.asked.production);
        let Ok(name) = workflow.rds(site) else { return vec![] };
        let region = workflow.sites.get(site).map_or("", |it| it.aws.region.as_str());
        let source = format!("aws rds {region}");
        let looked = instance(self.wire, workflow, site, &name);
        let (says, text) = match tokio::time::timeout(self.asked.deadline, looked).await {
            Err(_) => (Says::Down, "no answer in time".to_owned()),
            // Refused, or nobody has given us credentials: that says nothing of production.
            Ok(Err(it)) if it.harmless || it.code == &E3501 => (Says::Unknown, it.says),
            Ok(Err(trouble)) => (Says::Down, trouble.says),
            Ok(Ok(None)) => (Says::Down, format!("{name} does not exist")),
            Ok(Ok(Some(it))) if it.status == "available" => {
                (Says::Up, format!("{name} is {}", it.status))
            }
            Ok(Ok(Some(it))) => (Says::Down, format!("{name} is {}", it.status)),
        };
        vec![self.heard(About::Machines, Seer::Provider, says, &source, &text)]
    }

    /// Whether a machine of production lets us in.
    async fn machine(self) -> Vec<Witness> {
        let workflow = &self.asked.workflow;
        let Some(host) = workflow.hosts.keys().next() else { return vec![] };
        let machine = match Machine::of(workflow, &self.asked.production, host) {
            Ok(machine) => machine,
            Err(trouble) => {
                return vec![self.heard(
                    About::Machines,
                    Seer::Host,
                    Says::Unknown,
                    &trouble.source,
                    &trouble.says,
                )];
            }
        };
        let looked = machine.run(self.wire, workflow, "witness", THERE, &[]);
        let (says, text) = match tokio::time::timeout(self.asked.deadline, looked).await {
            Ok(Ok(_)) => (Says::Up, "lets us in".to_owned()),
            Ok(Err(it)) if KEPT_OUT.iter().any(|why| it.says.contains(why)) => {
                (Says::Unknown, it.says)
            }
            Ok(Err(it)) => (Says::Down, it.says),
            Err(_) => (Says::Down, "no answer in time".to_owned()),
        };
        vec![self.heard(About::Machines, Seer::Host, says, &machine.source(), &text)]
    }

    /// The records at their provider: can they be read, and do they lead to our sites.
    async fn lever(self) -> (Vec<Witness>, Vec<String>) {
        let asked = self.asked;
        let (kind, way, phase) = (Kind::Failover, Way::Forth, Phase::Assess);
        let at = At { kind, way, phase, group: 0, tried: 1 };
        let lever =
            |says, text: &str| self.heard(About::Lever, Seer::Provider, says, "cloudflare", text);
        let client = match Client::new(self.wire, &asked.workflow, Some(at)) {
            Ok(client) => client,
            // Without a token nobody was asked.
            Err(why) => return (vec![lever(Says::Unknown, &why.says)], vec![]),
        };
        let looked = async {
            Group::read(&client, &asked.workflow, Kind::Release)
                .await
                .map_err(|it| it.evidence.says)
        };
        match tokio::time::timeout(asked.deadline, looked).await {
            Err(_) => (vec![lever(Says::Down, "no answer in time")], vec![]),
            Ok(Err(why)) => (vec![lever(Says::Down, &why)], vec![]),
            Ok(Ok(group)) => {
                let mut heard = vec![lever(Says::Up, "all zones can be read")];
                let foreign = group.elsewhere(&asked.record.addresses);
                let (says, text) = if foreign.is_empty() {
                    (Says::Up, "every record leads to one of the sites".to_owned())
                } else {
                    (Says::Down, format!("neither site: {}", foreign.join(", ")))
                };
                heard.push(self.heard(About::Names, Seer::Provider, says, "cloudflare", &text));
                (heard, group.unmarked())
            }
        }
    }

    /// A command that looks from somewhere else.
    async fn elsewhere(self, it: &Elsewhere) -> Vec<Witness> {
        let source = format!("elsewhere {}", it.id);
        let heard = self.told(&it.id, &it.command).await;
        let answer = heard
            .and_then(|text| serde_json::from_str::<Answer>(&text).map_err(|it| it.to_string()));
        let (says, text) = match answer {
            Ok(answer) => (answer.says, answer.text),
            Err(why) => (Says::Unknown, why),
        };
        vec![self.heard(About::Production, Seer::Elsewhere, says, &source, &text)]
    }

    /// The workflow's count of the writes at stake.
    async fn writes(self) -> Option<u64> {
        let command = self.asked.workflow.failover.as_ref()?.writes.as_ref()?;
        self.told("writes", command).await.ok()?.trim().parse().ok()
    }

    /// What a program says that is told about the two sites.
    async fn told(self, id: &str, command: &[String]) -> Result<String, String> {
        let (program, words) = command.split_first().ok_or("no program is named")?;
        let name = self.first().map(|it| it.production.as_str());
        let asked = self.asked;
        let side =
            |site: &SiteName| json!({ "site": site, "name": name, "address": self.address(site) });
        let told =
            json!({ "production": side(&asked.production), "standby": side(&asked.standby) });
        let mut process = tokio::process::Command::new(program);
        process.args(words).env_clear().kill_on_drop(true).current_dir(&self.wire.outside.folder);
        // A look from elsewhere needs no token of ours: what the wire would strike out stays here.
        for (name, value) in &self.wire.outside.env {
            if !self.wire.clean(value.expose_secret()).contains(STRUCK) {
                process.env(name, value.expose_secret());
            }
        }
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let work = async {
            let mut child = process.spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // One that does not read what it is told may end before it has been told all.
                drop(stdin.write_all(told.to_string().as_bytes()).await);
            }
            child.wait_with_output().await
        };
        let answer = self.wire.call(&format!("elsewhere {id}"), asked.deadline, work).await;
        let output = answer
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("it ended with {}", output.status));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
