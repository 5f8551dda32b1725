//! What enforces an embargo on a site: a database role that only reads, and an FTP server that is stopped.
//!
//! The role's setting, not the database's: that one would travel with the dump to the other site. A client
//! may still set it off for itself; it keeps programs and people who do not know of it from writing.

use crate::actuator::Wire;
use crate::actuator::host::Machine;
use crate::actuator::host::sql::{self, How, Said, declared};
use crate::actuator::trouble::Trouble;
use crate::fault::{E3702, E3821};
use crate::model::{Evidence, SiteName, Time};
use crate::port::Call;
use crate::workflow::Enforced;

/// Runs a program of the workflow on a host.
const PLAIN: &str = include_str!("../host/plain.sh");
/// A write that leaves nothing behind where it is accepted.
const PROBE: &str = "create temporary table changeover_probe ()";

/// How a site really stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// What was read, as evidence.
    pub evidence: Vec<Evidence>,
    /// What refuses writes.
    pub refuses: Vec<String>,
    /// What takes them.
    pub takes: Vec<String>,
}

/// Reads how a site stands. `since`: connections that began before then still have the role as it was.
pub(super) async fn read(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    by: &Enforced,
    since: Option<Time>,
) -> Result<Standing, Trouble> {
    let mut standing = Standing::default();
    let source = database(wire, call, site, by, since, &mut standing).await?;
    let words = |list: &[String]| list.join("; ");
    let says = words(&[standing.refuses.clone(), standing.takes.clone()].concat());
    standing.evidence.push(wire.evidence(&source, says));
    if let Some(ftp) = &by.ftp {
        let machine = Machine::of(&call.workflow, site, &ftp.host)?;
        let runs = !plain(wire, call, &machine, "ftp", &ftp.running).await?.trim().is_empty();
        let says = if runs { "the FTP server runs" } else { "the FTP server is off" }.to_owned();
        standing.evidence.push(wire.evidence(&machine.source(), says.clone()));
        if runs { &mut standing.takes } else { &mut standing.refuses }.push(says);
    }
    Ok(standing)
}

async fn database(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    by: &Enforced,
    since: Option<Time>,
    standing: &mut Standing,
) -> Result<String, Trouble> {
    let role = literal(&by.role);
    let setting = format!("select session_user, rolconfig from pg_roles where rolname = {role}");
    let oldest = format!(
        "select coalesce(max(extract(epoch from clock_timestamp() - backend_start)), 0)::bigint \
         from pg_stat_activity where usename = {role} and pid <> pg_backend_pid()"
    );
    let asked = [(How::Own, setting.as_str()), (How::Own, PROBE), (How::Own, oldest.as_str())];
    let (source, said) = ask(wire, call, site, &asked).await?;
    let [setting, probe, oldest] = &said[..] else {
        return Err(Trouble::new(&E3702, &source, "an odd answer"));
    };
    let odd = |says: String| Trouble::harmless(&E3821, &source, says);
    let (user, config) = setting
        .good(&source)?
        .split_once('|')
        .map(|(user, config)| (user.trim(), config.trim()))
        .ok_or_else(|| odd(format!("there is no role {}", by.role)))?;
    if user != by.role {
        // Its settings are another role's: what it may write proves nothing about the site.
        return Err(odd(format!("the host's programs are {user}, not {}", by.role)));
    }
    let only = if reads_only(config) { &mut standing.refuses } else { &mut standing.takes };
    let how = if reads_only(config) { "only reads" } else { "may write" };
    only.push(format!("the role {} {how}", by.role));
    match written(probe) {
        Some(true) => standing.takes.push("a write was accepted".to_owned()),
        Some(false) => standing.refuses.push("a write was refused".to_owned()),
        None => return Err(odd(format!("a write could not be tried: {}", probe.text))),
    }
    if let Some(since) = since {
        let age: i64 = oldest
            .good(&source)?
            .parse()
            .map_err(|_| odd("the age of connections cannot be read".to_owned()))?;
        // Ages are compared, so the two clocks need not agree; the server rounds to whole seconds.
        if age > wire.clock.now().seconds_since(since) + 1 {
            let says = format!("a connection is {age} s old: it began before and may still write");
            standing.takes.push(says);
        }
    }
    Ok(source)
}

/// Makes it so that writes are refused, or taken again: the role, its open connections, the FTP server.
pub(super) async fn make(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    by: &Enforced,
    refuse: bool,
) -> Result<(), Trouble> {
    let [alter, end] = statements(by, refuse);
    let asked = [(How::Writable, alter.as_str()), (How::Writable, end.as_str())];
    let (source, said) = ask(wire, call, site, &asked).await?;
    for it in &said {
        it.good(&source)?;
    }
    if let Some(ftp) = &by.ftp {
        let machine = Machine::of(&call.workflow, site, &ftp.host)?;
        let argv = if refuse { &ftp.stop } else { &ftp.start };
        plain(wire, call, &machine, "ftp", argv).await?;
    }
    Ok(())
}

/// What the database is told: the role's default, and the end of what it has open, which keeps the default it
/// began with. In a connection that may write.
pub(in crate::actuator) fn statements(by: &Enforced, refuse: bool) -> [String; 2] {
    let what = if refuse { "set" } else { "reset" };
    let value = if refuse { " = on" } else { "" };
    let alter = format!(
        "alter role \"{}\" {what} default_transaction_read_only{value}",
        by.role.replace('"', "\"\"")
    );
    let end = format!(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity \
         where usename = {} and pid <> pg_backend_pid()",
        literal(&by.role)
    );
    [alter, end]
}

async fn ask(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    asked: &[(How, &str)],
) -> Result<(String, Vec<Said>), Trouble> {
    let database = declared(&call.workflow)?;
    let place = (database.host.as_str(), database.env_file.as_str());
    let source = Machine::of(&call.workflow, site, &database.host)?.source();
    Ok((source, sql::ask(wire, &call.workflow, site, place, "embargo", asked).await?))
}

async fn plain(
    wire: &Wire,
    call: &Call,
    machine: &Machine,
    verb: &str,
    argv: &[String],
) -> Result<String, Trouble> {
    let mut args = vec![machine.cwd.as_str()];
    args.extend(argv.iter().map(String::as_str));
    machine.run(wire, &call.workflow, verb, PLAIN, &args).await?.good(&machine.source())
}

/// A text as SQL writes it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a role's settings, as `pg_roles` shows them, make its connections read only.
fn reads_only(config: &str) -> bool {
    let list = config.trim_matches(['{', '}']).split(',');
    let mut value = list.filter_map(|it| {
        it.trim_matches('"').strip_prefix("default_transaction_read_only=").map(str::to_owned)
    });
    value.next_back().is_some_and(|it| matches!(it.as_str(), "on" | "true" | "yes" | "1"))
}

/// Whether the probe's write was accepted; `None` if it failed for another reason.
fn written(probe: &Said) -> Option<bool> {
    match probe.code {
        0 => Some(true),
        _ if probe.text.contains("read-only transaction") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, literal, reads_only, written};

    #[test]
    fn reads_what_the_catalogue_says() {
        assert!(reads_only("{default_transaction_read_only=on}"));
        assert!(reads_only("{search_path=public,default_transaction_read_only=true}"));
        assert!(!reads_only("{default_transaction_read_only=off}"));
        assert!(!reads_only("{transaction_read_only=on}") && !reads_only(""));
        assert_eq!(literal("o'x"), "'o''x'");
    }

    #[test]
    fn only_a_refusal_of_writing_counts_as_one() {
        let said = |code, text: &str| Said { code, text: text.to_owned() };
        let refused = "ERROR:  cannot execute CREATE TABLE in a read-only transaction";
        assert_eq!(written(&said(1, refused)), Some(false));
        assert_eq!(written(&said(0, "CREATE TABLE")), Some(true));
        assert_eq!(written(&said(2, "psql: error: no such host")), None);
    }
}
