//! Hosts made of folders: an ssh program, a crontab and the like, all small shell scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::world::World;

/// Two hosts in one folder: `hk-bastion` and `sydney-bastion`, each with a home and programs.
pub(super) struct Hosts {
    dir: TempDir,
}

const SSH: &str = r#"#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
alias=$1; shift
printf '%s\n' "$*" >>DIR/calls
[ -d "DIR/$alias" ] || { echo "ssh: connect to host $alias: Connection refused" >&2; exit 255; }
HOME=DIR/$alias PATH=DIR/bin:$PATH exec sh -c "$*"
"#;

const CRONTAB: &str = r#"#!/bin/sh
case $1 in
  -l) cat "$HOME/crontab" 2>/dev/null || { echo "no crontab for centos" >&2; exit 1; } ;;
  -) cat >"$HOME/crontab.new" && mv "$HOME/crontab.new" "$HOME/crontab" && echo x >>"$HOME/crontab.writes" ;;
esac
"#;

const DOCKER: &str = r#"#!/bin/sh
case $3 in
  */production_app:live) echo '[{"Id": "sha256:abc"}]' ;;
  */broken:live) echo "Cannot connect to the Docker daemon" >&2; exit 1 ;;
  *) echo "Error response from daemon: No such image: $3" >&2; exit 1 ;;
esac
"#;

const PSQL: &str = r#"#!/bin/sh
[ -n "$PGHOST" ] || exit 3
[ "$1" = -tAc ] || exit 4
cat "DIR/count.$PGHOST"
"#;

impl Hosts {
    pub(super) fn new() -> Self {
        let hosts = Self { dir: TempDir::new().unwrap() };
        for folder in ["bin", "hk-bastion", "sydney-bastion"] {
            fs::create_dir(hosts.path(folder)).unwrap();
        }
        hosts.program("ssh", SSH);
        hosts.program("crontab", CRONTAB);
        hosts.program("docker", DOCKER);
        hosts.program("psql", PSQL);
        hosts
    }

    /// A program on both hosts.
    pub(super) fn program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, text.replace("DIR", &self.dir.path().to_string_lossy())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A world whose hosts have neither flock nor setsid.
    pub(super) fn poor_world(&self) -> World {
        for name in "sh cat cut mkdir mv nohup rm sha256sum sleep sync tail".split(' ') {
            let path = ["/bin", "/usr/bin"].map(|it| Path::new(it).join(name));
            let path = path.into_iter().find(|it| it.exists()).unwrap();
            std::os::unix::fs::symlink(path, self.path("bin").join(name)).unwrap();
        }
        let only = self.path("bin").to_string_lossy().into_owned();
        self.world().env("PATH", &only)
    }

    /// A world that reaches these hosts.
    pub(super) fn world(&self) -> World {
        World::new(self.dir.path())
            .ssh(&self.path("bin/ssh"))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("SOME_TOKEN", "tokentoken")
    }
}
