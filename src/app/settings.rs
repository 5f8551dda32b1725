//! Settings: flags, then the environment, then defaults. The one place that reads the environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use crate::clock::SystemClock;
use crate::fault::{E2015, Fault};
use crate::model::{Actor, Identity, SystemName, Time};
use crate::port::{Clock, ConnectTo, Outside};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--state DIR`
    pub state: Option<PathBuf>,
    /// `--workflows DIR`
    pub workflows: Option<PathBuf>,
    /// `-s NAME`
    pub system: Option<String>,
    /// `--as NAME`
    pub as_name: Option<String>,
}

/// What it means.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where journals and stores live.
    pub state: PathBuf,
    /// Where workflow files live.
    pub workflows: PathBuf,
    /// The system named by flag or environment.
    pub system: Option<SystemName>,
    /// Who gives the command.
    pub actor: Actor,
    /// Where the outside is.
    pub outside: Outside,
    /// When the command was given.
    pub now: Time,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl Settings {
    /// Reads flags and environment.
    ///
    /// # Errors
    /// A value is not of its form.
    pub fn read(flags: Flags) -> Result<Self, Fault> {
        Self::of(flags, &std::env::vars().collect())
    }

    /// As [`Self::read`], from a given environment.
    ///
    /// # Errors
    /// A value is not of its form.
    pub fn of(flags: Flags, env: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let get = |name: &str| env.get(name).filter(|it| !it.is_empty()).cloned();
        let path = |flag: Option<PathBuf>, name: &str, default: &str| {
            flag.or_else(|| get(name).map(PathBuf::from)).unwrap_or_else(|| PathBuf::from(default))
        };
        let claimed = flags.as_name.or_else(|| get("CHANGEOVER_USER"));
        if let Some(name) = claimed.as_ref().filter(|it| unfit(it)) {
            let says = format!("{name:?} is nobody's name");
            return Err(Fault::new(&E2015, says)
                .hint("--as NAME, or CHANGEOVER_USER: one line that is not empty"));
        }
        let actor = match claimed {
            Some(name) => Actor { name, identity: Identity::Claimed },
            None => Actor { name: os_user(), identity: Identity::Os },
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Ok(Self {
            state: path(flags.state, "CHANGEOVER_STATE", "state"),
            workflows: path(flags.workflows, "CHANGEOVER_WORKFLOWS", "workflows"),
            system: flags.system.or_else(|| get("CHANGEOVER_SYSTEM")).map(SystemName),
            actor,
            now: clock.now(),
            outside: outside(&get, env)?,
            clock,
        })
    }
}

/// A name stands in the margin of a log: with a line break in it, it would write lines of others.
fn unfit(name: &str) -> bool {
    name.trim().is_empty() || name.chars().any(char::is_control)
}

const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";
const GITLAB: &str = "https://gitlab.com";

fn outside(
    get: &dyn Fn(&str) -> Option<String>,
    env: &BTreeMap<String, String>,
) -> Result<Outside, Fault> {
    let mut differs = vec![];
    for name in [
        "CLOUDFLARE_BASE_URL",
        "CI_SERVER_URL",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_EC2",
        "AWS_ENDPOINT_URL_RDS",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "CHANGEOVER_CONNECT_TO",
        "CHANGEOVER_RESOLVERS",
        "CHANGEOVER_AUTHORITY",
        "CHANGEOVER_SSH",
        "SSL_CERT_FILE",
    ] {
        differs.extend(get(name).map(|value| format!("{name}={}", without_userinfo(&value))));
    }
    let base = |name: &str, default: &str| {
        get(name).unwrap_or_else(|| default.to_owned()).trim_end_matches('/').to_owned()
    };
    let connect_to = get("CHANGEOVER_CONNECT_TO").unwrap_or_default();
    let secrets = env.iter().map(|(name, value)| (name.clone(), SecretString::from(value.clone())));
    Ok(Outside {
        cloudflare: base("CLOUDFLARE_BASE_URL", CLOUDFLARE),
        gitlab: base("CI_SERVER_URL", GITLAB),
        connect_to: list(&connect_to).map(connect).collect::<Result<_, _>>()?,
        resolvers: addresses("CHANGEOVER_RESOLVERS", get)?,
        authority: addresses("CHANGEOVER_AUTHORITY", get)?,
        ssh: get("CHANGEOVER_SSH").unwrap_or_else(|| "ssh".to_owned()),
        folder: PathBuf::from("."),
        env: secrets.collect(),
        differs,
    })
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|it| !it.is_empty())
}

fn addresses(name: &str, get: &dyn Fn(&str) -> Option<String>) -> Result<Vec<SocketAddr>, Fault> {
    let text = get(name).unwrap_or_default();
    list(&text)
        .map(|part| {
            part.parse().map_err(|_| {
                Fault::new(&E2015, format!("{name} holds `{part}`, which is not `IP:PORT`"))
            })
        })
        .collect()
}

/// curl's form, with a bracketed address on either side.
fn connect(text: &str) -> Result<ConnectTo, Fault> {
    let wrong = || {
        let says =
            format!("CHANGEOVER_CONNECT_TO holds `{text}`, which is not `HOST:PORT:ADDR:PORT`");
        Fault::new(&E2015, says).hint("an empty part means any on the left, the same on the right")
    };
    let mut parts = vec![];
    let mut rest = text;
    while parts.len() < 4 {
        let (part, after) = match rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
            Some((inside, after)) => (inside, after.strip_prefix(':').unwrap_or(after)),
            None => rest.split_once(':').unwrap_or((rest, "")),
        };
        parts.push(part.to_owned());
        rest = after;
    }
    let colons = text.matches(':').count();
    if !rest.is_empty() || colons < 3 {
        return Err(wrong());
    }
    let port = |text: &String| match text.as_str() {
        "" => Ok(None),
        text => text.parse::<u16>().map(Some).map_err(|_| wrong()),
    };
    let name = |text: &String| Some(text.clone()).filter(|it| !it.is_empty());
    Ok(ConnectTo {
        host: name(&parts[0]),
        port: port(&parts[1])?,
        to_host: name(&parts[2]),
        to_port: port(&parts[3])?,
    })
}

/// An address for screens, never with credentials in it.
fn without_userinfo(value: &str) -> String {
    match url::Url::parse(value) {
        Ok(mut url)
            if url.has_host() && (!url.username().is_empty() || url.password().is_some()) =>
        {
            let cleared = url.set_username("").is_ok() && url.set_password(None).is_ok();
            if cleared { url.to_string() } else { "[address]".to_owned() }
        }
        Ok(_) | Err(_) => value.to_owned(),
    }
}

/// The operating system's user, by number if it has no name.
fn os_user() -> String {
    let uid = nix::unistd::getuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => format!("uid-{uid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        let of = |name: &str| {
            let flags = Flags { as_name: Some(name.to_owned()), ..Flags::default() };
            Settings::of(flags, &BTreeMap::new()).map(|it| it.actor.name)
        };
        assert_eq!(of("Éva Ő").unwrap(), "Éva Ő");
        for name in ["", " ", "eve\n  9  engineer-b", "\u{1b}[2Jeve"] {
            assert_eq!(of(name).unwrap_err().code.id, "E2015", "{name:?}");
        }
    }

    #[test]
    fn connect_to_is_read_as_curl_reads_it() {
        let all = connect(":443::8443").unwrap();
        assert_eq!(
            all,
            ConnectTo { host: None, port: Some(443), to_host: None, to_port: Some(8443) }
        );
        let one = connect("gigadb.org:443:127.0.0.1:8443").unwrap();
        assert_eq!(one.to_host.as_deref(), Some("127.0.0.1"));
        let six = connect("gigadb.org:443:[::1]:8443").unwrap();
        assert_eq!(six.to_host.as_deref(), Some("::1"));
        assert!(connect("gigadb.org").is_err());
        assert!(connect("a:b:c:d").is_err());
    }

    #[test]
    fn credentials_in_an_address_are_not_shown() {
        assert_eq!(without_userinfo("http://me:secret@h:1/x"), "http://h:1/x");
        assert_eq!(without_userinfo(":443::8443"), ":443::8443");
    }
}
