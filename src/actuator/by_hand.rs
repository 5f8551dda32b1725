//! Steps as people do them in a shell: what the actuators would do, written out.

use std::sync::Arc;

use url::Url;

use crate::actuator::crontab::{self, MARKER};
use crate::actuator::embargo::statements;
use crate::actuator::host::{Machine, quoted};
use crate::actuator::trouble::Trouble;
use crate::actuator::{Wire, cloudflare};
use crate::model::{Evidence, Role, SiteName};
use crate::port::{ByHand, Call};
use crate::workflow::step::Params;
use crate::workflow::step::params::Http;
use crate::workflow::{Secret, Switch, Workflow};

/// What the lines of all steps use.
const SETUP: &str = include_str!("by_hand.sh");

/// What cannot follow a program's name within a longer one.
const END: &str = "([^[:alnum:]_./-]|$)";

/// The set-up of the shell, with this machine's addresses. The token is asked for, never written.
pub(super) fn setup(wire: &Wire, workflow: &Workflow) -> String {
    let Switch::Cloudflare(switch) = &workflow.switch;
    let token = match &switch.token {
        Secret::Env(name) => format!("TOKEN=${{{name}:?type first: export {name}=...}}"),
        Secret::File(path) => {
            format!(
                "TOKEN=$(cat {})",
                quoted(&wire.outside.folder.join(path).display().to_string())
            )
        }
    };
    let (base, ssh) = (quoted(&wire.outside.cloudflare), quoted(&wire.outside.ssh));
    format!("{token}\nCF={base}\nSSH={ssh}\n{SETUP}")
}

/// One step by hand; nothing for a step that is not done so.
pub(super) async fn by_hand(wire: &Arc<Wire>, call: Call) -> Result<Option<ByHand>, Vec<Evidence>> {
    if let Params::Move(_) = call.params {
        return cloudflare::by_hand::moves(wire, call).await.map(Some);
    }
    if let Params::SwitchConfirm(_) = call.params {
        return cloudflare::by_hand::confirms(wire, &call).await.map(Some);
    }
    written(wire, &call).transpose().map_err(|trouble| vec![trouble.evidence(wire)])
}

/// What needs no look at the world to be written down.
fn written(wire: &Wire, call: &Call) -> Option<Result<ByHand, Trouble>> {
    let params = &call.params;
    if let Params::Http(with) = params {
        Some(Ok(answers(wire, call, with)))
    } else if let Params::JobOff(with) = params {
        job(call, &with.job, false)
    } else if let Params::JobOn(with) = params {
        job(call, &with.job, true)
    } else if let Params::EmbargoOn(_) = params {
        embargo(call, true)
    } else if let Params::EmbargoOff(_) = params {
        embargo(call, false)
    } else if let Params::HostRun(with) = params {
        let site = call.on.as_ref().unwrap_or(&call.standby);
        let machine = Machine::of(&call.workflow, site, &with.host);
        Some(machine.map(|it| ByHand {
            says: format!("Run {} on {}.", with.argv.join(" "), it.alias),
            shell: vec![on(&it, &joined(&with.argv))],
        }))
    } else if let Params::Announce(with) = params {
        Some(Ok(ByHand { says: format!("Tell {}: {}", with.to, with.text), shell: vec![] }))
    } else {
        None
    }
}

/// A page asked for at the address that its name has after the switch: DNS is looked at elsewhere.
fn answers(wire: &Wire, call: &Call, with: &Http) -> ByHand {
    let host = Url::parse(&with.url).ok().and_then(|it| it.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    let port = wire
        .outside
        .connect_to
        .iter()
        .find(|it| {
            it.host.as_deref().is_none_or(|it| it == host) && it.port.is_none_or(|it| it == 443)
        })
        .and_then(|it| it.to_port)
        .unwrap_or(443);
    let by_name = |site: &SiteName| {
        let records = call.workflow.records(call.at.kind);
        let record = records.iter().find(|it| it.production == host)?;
        call.record.addresses.get(site)?.get(record.id.as_str()).cloned()
    };
    let address = with.address.clone().or_else(|| by_name(&call.production));
    let address = address.unwrap_or_else(|| host.clone());
    let text = with.body.clone().unwrap_or_default();
    let line = format!(
        "page {} {} {address} {port} {} {}",
        quoted(&with.url),
        quoted(&host),
        with.status,
        quoted(&text)
    );
    ByHand { says: format!("{} answers at {address}.", with.url), shell: vec![line] }
}

/// A job taken out of its crontab, or put into it once.
fn job(call: &Call, name: &str, wanted: bool) -> Option<Result<ByHand, Trouble>> {
    let job = call.workflow.jobs.get(name)?;
    let by_role = match job.runs_on {
        Role::Production => &call.production,
        Role::Standby | Role::Quarantined => &call.standby,
    };
    let site = call.on.as_ref().unwrap_or(by_role);
    let machine = match Machine::of(&call.workflow, site, &job.host) {
        Ok(machine) => machine,
        Err(trouble) => return Some(Err(trouble)),
    };
    let (marker, line) = (quoted(&format!("{MARKER}{}", job.marker)), quoted(&job.line));
    let program = crontab::program(&job.line);
    let file = program.rsplit('/').next().unwrap_or(program);
    // Any entry that runs its program, whatever stands around it; no other program that begins like it.
    let entry = quoted(&format!("^[[:space:]]*[^#[:space:]].*[/ ]{}{END}", regular(file)));
    // A table that cannot be read is not written over.
    let before = format!("crontab -l >crontab.before-{name} && ");
    if wanted {
        let edit = format!(
            "{before}{{ grep -Eq {entry} crontab.before-{name} || \
             {{ cat crontab.before-{name}; echo {marker}; echo {line}; }} | crontab -; }}"
        );
        let says = format!("{name} runs on {}: its crontab has it.", machine.alias);
        return Some(Ok(ByHand { says, shell: vec![on(&machine, &edit)] }));
    }
    let edit = format!(
        "{before}{{ grep -vxF {marker} crontab.before-{name} | grep -Ev {entry} | crontab -; \
         ! crontab -l | grep -E {entry}; }}"
    );
    // Written so that the question does not find itself.
    let mut letters = file.chars();
    let hidden = letters.next().map_or_else(String::new, |it| format!("[/ ][{it}]"));
    let runs = hidden + &regular(letters.as_str()) + END;
    let runs = format!("! ps -eo pid,args | grep -E {}", quoted(&runs));
    let says = format!(
        "{name} is off on {}: no entry, and no running instance. Where one still runs, wait for its end.",
        machine.alias
    );
    Some(Ok(ByHand { says, shell: vec![on(&machine, &edit), on(&machine, &runs)] }))
}

/// This text letter by letter in a regular expression.
fn regular(text: &str) -> String {
    let special = |it: char| r"\.[]{}()*+?|^$".contains(it);
    text.chars().map(|it| if special(it) { format!("\\{it}") } else { it.to_string() }).collect()
}

/// Writes refused on a site, or taken again.
fn embargo(call: &Call, refuse: bool) -> Option<Result<ByHand, Trouble>> {
    let (by, database) = (call.workflow.embargo.as_ref()?, call.workflow.database.as_ref()?);
    let site = call.on.as_ref().unwrap_or(&call.production);
    let made = || -> Result<ByHand, Trouble> {
        let machine = Machine::of(&call.workflow, site, &database.host)?;
        let client = joined(&database.client);
        let settings = format!("set -a; . {}; set +a; ", quoted(&database.env_file));
        let writable = "export PGOPTIONS='-c default_transaction_read_only=off'; ";
        let asked = statements(by, refuse).map(|it| format!("{client} {}", quoted(&it)));
        let mut shell = vec![on(&machine, &format!("{settings}{writable}{}", asked.join(" && ")))];
        if let Some(ftp) = &by.ftp {
            let machine = Machine::of(&call.workflow, site, &ftp.host)?;
            shell.push(on(&machine, &joined(if refuse { &ftp.stop } else { &ftp.start })));
        }
        let what = if refuse { "refused" } else { "taken again" };
        Ok(ByHand { says: format!("Writes are {what} on {site}."), shell })
    };
    Some(made())
}

fn joined(argv: &[String]) -> String {
    let plain =
        |it: &String| it.chars().all(|it| it.is_ascii_alphanumeric() || "-_./=:".contains(it));
    let words = argv.iter().map(|it| if plain(it) { it.clone() } else { quoted(it) });
    words.collect::<Vec<_>>().join(" ")
}

fn on(machine: &Machine, command: &str) -> String {
    format!("on {} {}", machine.alias, quoted(&format!("cd {} && {{ {command}; }}", machine.cwd)))
}
