//! `psql`, `docker` and `sync_dropbox`.

use super::{Lab, Output, Step, files, json};
use crate::profile::TAGS;

/// Container images that a bastion has.
const IMAGES: [&str; 6] = [
    "production_s3backup",
    "production_app",
    "production_updater",
    "production_xls_uploader",
    "production_pgclient",
    "production_tool",
];

/// Options of `psql` that are followed by a value, in their short and long forms.
const VALUED: [(&str, &str); 7] = [
    ("-h", "--host"),
    ("-d", "--dbname"),
    ("-U", "--username"),
    ("-p", "--port"),
    ("-v", "--set"),
    ("-F", "--field-separator"),
    ("-f", "--file"),
];

/// Options of a `psql` call: its queries and its host.
struct Parsed {
    queries: Vec<String>,
    host: String,
}

fn parsed(step: &Step<'_>) -> Parsed {
    let mut parsed = Parsed { queries: Vec::new(), host: step.server.host.to_owned() };
    let mut args = step.args.iter();
    while let Some(arg) = args.next() {
        let (name, inline) = match arg.split_once('=') {
            Some((name, value)) if arg.starts_with("--") => (name, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        let long = name.starts_with("--");
        let command = name == "--command" || !long && name.starts_with('-') && name.ends_with('c');
        if command {
            parsed.queries.extend(inline.or_else(|| args.next().cloned()));
        } else if let Some((short, _)) = VALUED.iter().find(|(s, l)| name == *s || name == *l) {
            let value = inline.or_else(|| args.next().cloned()).unwrap_or_default();
            if *short == "-h" {
                parsed.host = value;
            }
        }
    }
    if parsed.queries.is_empty() {
        parsed.queries = step.stdin.split(';').map(|q| q.trim().to_owned()).collect();
        parsed.queries.retain(|query| !query.is_empty());
    }
    parsed
}

/// Stops what serves users at this site; the next deployment starts it again.
pub(super) fn site_stop(lab: &Lab, step: &Step<'_>) -> Output {
    if !step.args.is_empty() {
        return Output::failed(2, "site_stop: usage: site_stop\n");
    }
    let stopped = lab.with(|world| world.sites[step.site.index()].stop());
    Output::ok("stopped\n").applied(stopped)
}

/// The queries of a `psql` call as one text.
pub(super) fn query_of(step: &Step<'_>) -> String {
    parsed(step).queries.join("; ")
}

/// Asks the database that the environment or the arguments name.
pub(super) fn psql(lab: &Lab, step: &Step<'_>) -> Output {
    let Parsed { queries, mut host } = parsed(step);
    if !step.server.address.is_empty() {
        step.server.address.clone_into(&mut host);
    }
    let writable = step.server.options.contains("default_transaction_read_only=off");
    if host.is_empty() {
        let said = "psql: error: connection to server on socket \
                    \"/var/run/postgresql/.s.PGSQL.5432\" failed: No such file or directory\n";
        return Output::failed(2, said);
    }
    lab.with(|world| {
        let Some((site, database)) = world.database(&host) else {
            let said = format!(
                "psql: error: could not translate host name \"{host}\" to address: \
                 Name or service not known\n"
            );
            return Output::failed(2, &said);
        };
        let mut output = Output::ok("");
        for query in queries {
            match database.query(&query, site, writable) {
                Ok((answer, changed)) => {
                    output.stdout += &answer;
                    output.stdout.push('\n');
                    output.applied |= changed;
                }
                Err(error) => {
                    output.stderr += &error;
                    output.stderr.push('\n');
                    output.status = 1;
                    break;
                }
            }
        }
        output
    })
}

/// The verb of `docker compose VERB … ftpd`.
pub(super) fn compose<'a>(step: &'a Step<'_>) -> Option<&'a str> {
    let args: Vec<&str> = step.args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["compose", verb @ ("stop" | "start" | "ps"), .., "ftpd"] => Some(verb),
        _ => None,
    }
}

/// `docker compose stop|start|ps … ftpd` on a files host.
fn ftpd(lab: &Lab, step: &Step<'_>, verb: &str) -> Output {
    if step.alias != step.site.files_alias() {
        return Output::failed(1, "no such service: ftpd\n");
    }
    lab.with(|world| {
        let runs = &mut world.ftp[step.site.index()];
        let before = *runs;
        match verb {
            "ps" if before => return Output::ok("0123456789ab\n"),
            "ps" => return Output::ok(""),
            "stop" => *runs = false,
            _ => *runs = true,
        }
        Output::ok("").applied(before != *runs)
    })
}

/// The images that the host lacks.
fn missing(lab: &Lab, step: &Step<'_>) -> Vec<String> {
    lab.with(|world| {
        let settings = world.settings.hosts.get(step.alias);
        settings.map(|settings| settings.missing_images.clone()).unwrap_or_default()
    })
}

/// What `docker run` says of an image that is not there: nobody is logged in to the registry.
pub(super) fn gone(lab: &Lab, step: &Step<'_>, image: &str) -> Option<Output> {
    let name = format!("registry.gitlab.com/{}/{image}", step.site.project());
    let said = format!(
        "Unable to find image '{name}:live' locally\ndocker: Error response from daemon: pull \
         access denied for {name}, repository does not exist or may require 'docker login'.\n"
    );
    missing(lab, step).iter().any(|it| it == image).then(|| Output::failed(125, &said))
}

/// `docker image inspect NAME…` and `docker compose … ftpd`.
pub(super) fn docker(lab: &Lab, step: &Step<'_>) -> Output {
    if let Some(verb) = compose(step) {
        return ftpd(lab, step, verb);
    }
    let args: Vec<&str> = step.args.iter().map(String::as_str).collect();
    let (["image", "inspect", rest @ ..] | ["inspect", "--type=image", rest @ ..]) =
        args.as_slice()
    else {
        return Output::failed(
            125,
            "docker: the practice host knows `docker image inspect` and `docker compose` only\n",
        );
    };
    let missing = missing(lab, step);
    let mut formatted = false;
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    let mut names = rest.iter();
    while let Some(name) = names.next() {
        if *name == "--format" || *name == "-f" {
            formatted = names.next().is_some();
            continue;
        }
        if name.starts_with("--format=") {
            formatted = true;
            continue;
        }
        let last = name.rsplit('/').next().unwrap_or_default();
        let image = last.split(':').next().unwrap_or_default();
        if IMAGES.contains(&image) && !missing.iter().any(|gone| gone == image) {
            let id = format!(
                "sha256:{}",
                crate::text::sha256(format!("{image} {}", TAGS[0]).as_bytes())
            );
            found.push(json!({"Id": id, "RepoTags": [name]}));
        } else {
            errors.push(format!("Error response from daemon: No such image: {name}"));
        }
    }
    let stdout = if formatted {
        let ids: Vec<&str> = found.iter().filter_map(|image| image["Id"].as_str()).collect();
        lines(&ids)
    } else {
        format!("{}\n", json!(found))
    };
    Output {
        status: u8::from(!errors.is_empty()),
        stdout,
        stderr: lines(&errors),
        ..Output::default()
    }
}

/// Copies the dropbox of the host that `bastion.gigadb.host` names over this host's.
pub(super) fn sync_dropbox(lab: &Lab, step: &Step<'_>) -> Output {
    let apply = match step.args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--apply"] => true,
        ["--dry-run"] => false,
        _ => return Output::failed(2, "usage: sync_dropbox --dry-run|--apply\n"),
    };
    let source = lab.with(|world| {
        let address = world.cloudflare.address("bastion.gigadb.host")?.parse().ok()?;
        world.cloud.site_at(address)
    });
    let Some(source) = source else {
        return Output::failed(1, "sync_dropbox: couldn't connect SSH: bastion.gigadb.host\n");
    };
    if lab.with(|world| world.settings.hosts.get(source.alias()).is_some_and(|host| host.down)) {
        return Output::failed(1, "sync_dropbox: couldn't connect SSH: bastion.gigadb.host\n");
    }
    let dir = &lab.fixed.dir;
    let done = files::sync(&files::dropbox(dir, source), &files::dropbox(dir, step.site), apply);
    match done {
        Ok(changes) => {
            let word = if apply { "applied" } else { "not applied (dry run)" };
            let list = lines(&changes);
            let said = format!("{list}sync_dropbox: {} changes {word}\n", changes.len());
            Output::ok(&said).applied(apply && !changes.is_empty())
        }
        Err(error) => Output::failed(1, &format!("sync_dropbox: {error}\n")),
    }
}

/// How many requests for production's names the site's access log has.
pub(super) fn site_requests(lab: &Lab, step: &Step<'_>) -> Output {
    let users = lab.with(|world| world.sites[step.site.index()].users());
    Output::ok(&format!("{users}\n"))
}

/// Lines, each with its end.
fn lines<T: AsRef<str>>(list: &[T]) -> String {
    list.iter().flat_map(|line| [line.as_ref(), "\n"]).collect()
}
