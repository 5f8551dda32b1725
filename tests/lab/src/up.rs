//! Starting and stopping the practice cloud.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::aws::{self, Moto};
use crate::call::Service;
use crate::client::Client;
use crate::dns::{self, Port};
use crate::host;
use crate::lab::{Fixed, Lab};
use crate::profile::{CLOUDFLARE_TOKEN, GITLAB_TOKEN, Site};
use crate::settings::{PerServer, Settings};
use crate::site::{self, Authority, SiteState};
use crate::world::{Cloud, World};
use crate::{cloudflare, text};

/// How `up` is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// The folder that everything is written under.
    pub(crate) dir: PathBuf,
    /// The emulator's program.
    pub(crate) moto: Option<PathBuf>,
    /// Seconds of a GitLab job, a snapshot, a host program; the delay of DNS.
    pub(crate) seconds: [f64; 4],
}

/// The listeners of the HTTP services.
struct Listeners {
    http: Vec<(Service, TcpListener)>,
    sites: TcpListener,
}

/// The HTTP services with ports of their own.
const SERVICES: [Service; 5] =
    [Service::Control, Service::Cloudflare, Service::Gitlab, Service::Aws, Service::Webhook];

/// Runs the practice cloud until it is told to stop.
pub(crate) async fn run(options: Options) -> Result<(), String> {
    let dir = prepared(&options.dir)?;
    let mut stop = signal(SignalKind::terminate()).map_err(said)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(said)?;
    let client = Client::new();
    let moto = match &options.moto {
        Some(program) => Some(Moto::start(program, &dir, &client).await?),
        None => None,
    };
    let address = moto.as_ref().map(|moto| moto.address);
    let started = tokio::select! {
        started = start(&options, &dir, client, address) => started.map(|_| true),
        _ = stop.recv() => Ok(false),
        _ = interrupt.recv() => Ok(false),
    };
    if matches!(started, Ok(true)) {
        tokio::select! {
            _ = stop.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    drop(fs::remove_file(dir.join("ready"))); // absent when the start failed
    if let Some(moto) = moto {
        moto.stop().await;
    }
    drop(fs::remove_file(dir.join("lab.pid"))); // the last thing, so that `down` waits for it
    started.map(|_| ())
}

/// Makes the folder, refuses one that is in use, and leaves this process's number in it.
fn prepared(dir: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(dir).map_err(said)?;
    let dir = dir.canonicalize().map_err(said)?;
    if let Some(pid) = living(&dir) {
        return Err(format!("{} is in use by process {pid}", dir.display()));
    }
    drop(fs::remove_file(dir.join("ready"))); // left behind by a killed one
    fs::write(dir.join("lab.pid"), format!("{}\n", std::process::id())).map_err(said)?;
    Ok(dir)
}

/// The process that uses a folder, if it lives.
fn living(dir: &Path) -> Option<u32> {
    let pid: u32 = fs::read_to_string(dir.join("lab.pid")).ok()?.trim().parse().ok()?;
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    String::from_utf8_lossy(&line).contains("changeover-lab").then_some(pid)
}

async fn start(
    options: &Options,
    dir: &Path,
    client: Client,
    moto: Option<SocketAddr>,
) -> Result<Lab, String> {
    let [job_seconds, rds_seconds, host_seconds, delay] = options.seconds;
    let settings = Settings {
        job_seconds,
        rds_seconds,
        host_seconds,
        dns_delay: PerServer::All(delay),
        ..Settings::default()
    };
    let cloud = match moto {
        Some(moto) => {
            // Twice: the emulator repeats its addresses from the second time on only.
            aws::provision(&client, moto).await?;
            aws::provision(&client, moto).await?
        }
        None => Cloud::fixed(),
    };
    let authority = Authority::new().map_err(said)?;
    let sites = sites(&authority, &settings)?;
    let (listeners, ports) = (listeners().await?, dns_ports().await?);
    let control = listeners.http[0].1.local_addr().map_err(said)?;
    let exe = std::env::current_exe().map_err(said)?;
    let fixed = Fixed { dir: dir.to_owned(), exe, moto, control, authority, client };
    host::write_files(&fixed).map_err(said)?;
    write_files(&fixed, &listeners, &ports).map_err(said)?;
    let lab = Lab::new(fixed, World::first(1, settings, cloud, sites));
    dns::start(&lab, ports);
    for (service, listener) in listeners.http {
        tokio::spawn(crate::front::serve(lab.clone(), service, listener));
    }
    tokio::spawn(site::serve(lab.clone(), listeners.sites));
    // The last thing of all: who sees it may begin.
    fs::write(dir.join("ready"), "ready\n").map_err(said)?;
    Ok(lab)
}

/// Both sites of the initial world, with new certificates.
pub(crate) fn sites(authority: &Authority, settings: &Settings) -> Result<[SiteState; 2], String> {
    let site = |site: Site| {
        let settings = settings.sites.get(site.name()).cloned().unwrap_or_default();
        authority.identity(&settings).map(|identity| SiteState::first(site, identity))
    };
    Ok([site(Site::Hk)?, site(Site::Sydney)?])
}

async fn listeners() -> Result<Listeners, String> {
    let mut http = Vec::new();
    for service in SERVICES {
        http.push((service, TcpListener::bind("127.0.0.1:0").await.map_err(said)?));
    }
    let sites = TcpListener::bind("0.0.0.0:0").await.map_err(said)?;
    Ok(Listeners { http, sites })
}

async fn dns_ports() -> Result<Vec<Port>, String> {
    let mut ports = Vec::new();
    for _ in 0..dns::AUTHORITIES + dns::RESOLVERS {
        ports.push(Port::free().await.map_err(said)?);
    }
    Ok(ports)
}

/// Writes the files that clients need: the authority, the AWS configuration, `env.sh`.
fn write_files(fixed: &Fixed, listeners: &Listeners, ports: &[Port]) -> std::io::Result<()> {
    let dir = &fixed.dir;
    fs::write(dir.join("ca.pem"), fixed.authority.pem())?;
    let config = Site::ALL.map(|site| {
        let (profile, region) = (site.aws_profile(), site.region());
        format!("[profile {profile}]\nregion = {region}\noutput = json\n")
    });
    let credentials = Site::ALL.map(|site| {
        let (profile, key) = (site.aws_profile(), site.access_key());
        format!("[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = practice-only\n")
    });
    fs::create_dir_all(dir.join("aws"))?;
    fs::write(dir.join("aws/config"), config.join("\n"))?;
    fs::write(dir.join("aws/credentials"), credentials.join("\n"))?;
    let address = |service: Service| {
        let found = listeners.http.iter().find(|(of, _)| *of == service);
        found.map_or(Ok(fixed.control), |(_, listener)| listener.local_addr())
    };
    let (authorities, resolvers) = ports.split_at(dns::AUTHORITIES);
    let list = |ports: &[Port]| {
        ports.iter().map(|port| port.address.to_string()).collect::<Vec<_>>().join(",")
    };
    let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let cloudflare = format!("http://{}{}", address(Service::Cloudflare)?, cloudflare::BASE);
    let variables = [
        ("AWS_ENDPOINT_URL", format!("http://{}", address(Service::Aws)?)),
        ("AWS_CONFIG_FILE", path("aws/config")),
        ("AWS_SHARED_CREDENTIALS_FILE", path("aws/credentials")),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("CLOUDFLARE_BASE_URL", cloudflare),
        ("CLOUDFLARE_API_TOKEN", CLOUDFLARE_TOKEN.to_owned()),
        ("CI_SERVER_URL", format!("http://{}", address(Service::Gitlab)?)),
        ("GITLAB_TOKEN", GITLAB_TOKEN.to_owned()),
        ("CHANGEOVER_RESOLVERS", list(resolvers)),
        ("CHANGEOVER_AUTHORITY", list(authorities)),
        ("CHANGEOVER_CONNECT_TO", format!(":443::{}", listeners.sites.local_addr()?.port())),
        ("SSL_CERT_FILE", path("ca.pem")),
        ("CHANGEOVER_SSH", path("bin/ssh")),
        ("GIGADB_ANNOUNCE_URL", format!("http://{}/announce", address(Service::Webhook)?)),
        ("CHANGEOVER_LAB_URL", format!("http://{}", fixed.control)),
    ];
    let lines = variables.map(|(name, value)| format!("export {name}={}\n", host::quoted(&value)));
    fs::write(dir.join("env.sh"), lines.concat())
}

/// Stops the practice cloud that uses a folder.
pub(crate) async fn down(dir: &Path) -> Result<(), String> {
    let Some(pid) = living(dir) else { return Ok(()) };
    let told = std::process::Command::new("/bin/sh")
        .args(["-c", "kill -TERM \"$0\"", &pid.to_string()])
        .status();
    if !told.is_ok_and(|status| status.success()) {
        return Err(format!("process {pid} cannot be told to stop"));
    }
    for _ in 0..500 {
        if living(dir).is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(format!("process {pid} goes on after {:?}", text::seconds(10.0)))
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
