//! A world kept as it stands, to be brought back many times: what a move of users changes, in a moment.

use std::path::PathBuf;

use crate::cloudflare::Cloudflare;
use crate::database::Database;
use crate::dns::Caches;
use crate::host;
use crate::lab::Lab;
use crate::profile::Site;
use crate::settings::Settings;
use crate::site::SiteState;

/// All but GitLab and what moto holds: users are moved without them.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    settings: Settings,
    cloudflare: Cloudflare,
    databases: [Database; 2],
    ftp: [bool; 2],
    sites: [SiteState; 2],
    crontabs: Vec<Option<String>>,
}

fn crontabs(lab: &Lab) -> [PathBuf; 2] {
    Site::ALL.map(|site| host::folder(&lab.fixed.dir, site).join("var/spool/cron/centos"))
}

/// Keeps the world as it stands.
pub(super) fn keep(lab: &Lab) {
    let crontabs = crontabs(lab).iter().map(|it| std::fs::read_to_string(it).ok()).collect();
    lab.with(|world| {
        world.kept = Some(Kept {
            settings: world.settings.clone(),
            cloudflare: world.cloudflare.clone(),
            databases: world.databases.clone(),
            ftp: world.ftp,
            sites: world.sites.clone(),
            crontabs,
        });
    });
}

/// Brings the kept world back; calls stay recorded, faults are cleared.
pub(super) fn back(lab: &Lab) -> Result<(), String> {
    let kept = lab.with(|world| {
        world.generation += 1;
        world.kept.clone()
    });
    let kept = kept.ok_or("no world is kept")?;
    for (path, text) in crontabs(lab).iter().zip(&kept.crontabs) {
        let put = match text {
            Some(text) => std::fs::write(path, text),
            None => std::fs::remove_file(path),
        };
        put.or_else(|error| if text.is_none() { Ok(()) } else { Err(error.to_string()) })?;
    }
    lab.with(|world| {
        world.faults.clear();
        world.caches = Caches::default();
        world.settings = kept.settings;
        world.cloudflare = kept.cloudflare;
        world.databases = kept.databases;
        world.ftp = kept.ftp;
        world.sites = kept.sites;
    });
    Ok(())
}
