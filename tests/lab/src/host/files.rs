//! The folders of the practice hosts and what is in them at first.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::lab::Fixed;
use crate::profile::Site;

use super::{CONTROL_VARIABLE, SITE_PROGRAMS, SYSTEM_PROGRAMS};

/// The folder of a site's bastion.
pub(crate) fn folder(dir: &Path, site: Site) -> PathBuf {
    folder_of(dir, site.alias())
}

/// A host's folder.
pub(crate) fn folder_of(dir: &Path, alias: &str) -> PathBuf {
    dir.join("hosts").join(alias)
}

/// A host's crontab file.
pub(super) fn crontab(dir: &Path, site: Site) -> PathBuf {
    folder(dir, site).join("var/spool/cron/centos")
}

/// A host's dropbox.
pub(super) fn dropbox(dir: &Path, site: Site) -> PathBuf {
    folder(dir, site).join("share/dropbox")
}

/// Writes all hosts anew, and the practice ssh.
pub(crate) fn write(fixed: &Fixed) -> io::Result<()> {
    let hosts = fixed.dir.join("hosts");
    if hosts.exists() {
        // Renamed first: a program that is still writing cannot hinder the removal's effect.
        let old = fixed.dir.join(format!("hosts.old.{}", std::process::id()));
        fs::rename(&hosts, &old)?;
        drop(fs::remove_dir_all(&old)); // what is left is out of the way
    }
    let bin = fixed.dir.join("bin");
    fs::create_dir_all(&bin)?;
    script(&bin.join("ssh"), fixed, "exec", "ssh")?;
    Site::ALL.into_iter().try_for_each(|site| {
        files_host(fixed, site)?;
        host(fixed, site)
    })
}

/// The files host runs the FTP server; nobody has a crontab or a database there.
fn files_host(fixed: &Fixed, site: Site) -> io::Result<()> {
    let folder = folder_of(&fixed.dir, site.files_alias());
    for inner in ["bin", "home/centos"] {
        fs::create_dir_all(folder.join(inner))?;
    }
    for program in ["docker", "ps"] {
        script(&folder.join("bin").join(program), fixed, "exec", &format!("host {program}"))?;
    }
    Ok(())
}

fn host(fixed: &Fixed, site: Site) -> io::Result<()> {
    let folder = folder(&fixed.dir, site);
    for inner in ["bin", "usr/local/bin", "home/centos", "share/dropbox", "var/spool/cron"] {
        fs::create_dir_all(folder.join(inner))?;
    }
    for program in SYSTEM_PROGRAMS {
        script(&folder.join("bin").join(program), fixed, "exec", &format!("host {program}"))?;
    }
    // Without `exec`, so that a process list shows the script itself, as on a real host.
    for program in SITE_PROGRAMS {
        script(&folder.join("usr/local/bin").join(program), fixed, "", &format!("host {program}"))?;
    }
    fs::write(crontab(&fixed.dir, site), site.first_crontab())?;
    let environment = format!(
        "PGHOST={}\nPGDATABASE=gigadb\nPGUSER=gigadb\nPROJECT={}\n",
        site.endpoint(),
        site.project()
    );
    fs::write(folder.join("home/centos/.env"), environment)?;
    let dropbox = dropbox(&fixed.dir, site);
    for (user, size) in [("user1", 64), ("user2", 128), ("user3", 32)] {
        // The standby has the copy of yesterday: one upload less.
        if user == "user3" && site != Site::Hk {
            continue;
        }
        fs::create_dir_all(dropbox.join(user))?;
        fs::write(dropbox.join(user).join("upload.dat"), "x".repeat(size))?;
    }
    Ok(())
}

fn script(path: &Path, fixed: &Fixed, before: &str, what: &str) -> io::Result<()> {
    let text = format!(
        "#!/bin/sh\n{CONTROL_VARIABLE}={}\nexport {CONTROL_VARIABLE}\n{before} {} {what} \"$@\"\n",
        fixed.control,
        quoted(&fixed.exe.to_string_lossy()),
    );
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// A word in single quotes for the shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// All files below a folder with their digests, by relative path.
pub(crate) fn listing(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if let (Ok(name), Ok(bytes)) = (path.strip_prefix(root), fs::read(&path)) {
                found.push((name.to_string_lossy().into_owned(), crate::text::sha256(&bytes)));
            }
        }
    }
    found.sort();
    found
}

/// Makes a folder equal to another one; says which files that changes.
pub(super) fn sync(from: &Path, to: &Path, apply: bool) -> io::Result<Vec<String>> {
    let (source, target) = (listing(from), listing(to));
    let mut changes = Vec::new();
    for (name, digest) in &source {
        if !target.iter().any(|(other, same)| other == name && same == digest) {
            changes.push(format!("{name}: Copied"));
            if apply {
                let path = to.join(name);
                fs::create_dir_all(path.parent().unwrap_or(to))?;
                fs::copy(from.join(name), path)?;
            }
        }
    }
    for (name, _) in target.iter().filter(|(name, _)| !source.iter().any(|(n, _)| n == name)) {
        changes.push(format!("{name}: Deleted"));
        if apply {
            fs::remove_file(to.join(name))?;
        }
    }
    Ok(changes)
}
