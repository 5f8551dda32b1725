"""The practice GigaDB with real parts: what stands where, and how it comes up and goes."""

import os
import random
import socket
import subprocess
from pathlib import Path

from cloud import ROOT, Cloud
from databases import PASSWORD, Cluster
from hosts import BOUND, HERE, Host, run, until

SITES = {
    "hk": {"owner": "gigadb", "region": "ap-east-1", "project": "gigascience/upstream/gigadb-website", "datasets": 40, "profile": "Upstream"},
    "sydney": {"owner": "gigadbalt", "region": "ap-southeast-2", "project": "gigascience/upstream/alt-gigadb-website", "datasets": 38, "profile": "UpstreamAlt"},
}
NAMES = ["gigadb.org", "portainer.gigadb.org", "files.gigadb.org", "bastion.gigadb.host"]
NAMES += ["alt-live.gigadb.host", "portainer.alt-live.gigadb.host", "files.alt-live.gigadb.host", "bastion.alt-live.gigadb.host"]
# Lines of other people, in every way that a crontab allows.
BEFORE = 'MAILTO=""\n# by hand, 2019:  do not touch\n\n*/1 * * * * date +\\%s >>/home/centos/cron-was-here\n'
AFTER = "#Ansible: Check disk usage every day\n0 23 * * *  df -h   \n\t# the end, with a tab\n"
BACKUP = "#Ansible: Create database dump file from RDS and upload to S3 every day\n0 22 * * * /usr/local/bin/s3backup\n"
RESET = "#Ansible: Reset database every day after a new backup is available on the ftp server\n5 10 * * * /usr/local/bin/databaseReset latest\n"
SYNC = "#Ansible: Sync efs dropbox from upstream to alt upstream\n0 11 * * * /usr/local/bin/sync_dropbox --apply\n"
BUCKET = "s3_remote:gigadb-database-backups"


def free_port():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        return taken.getsockname()[1]


class World:
    """Two sites with a bastion, a files host, a web host and a database each, one hop before the bastions. Use it in a `with`."""

    def __init__(self, folder, programs, moto):
        self.folder, self.cloud = Path(folder), Cloud(folder, programs, moto)
        self.children, self.hosts, self.databases, self.addresses = [], {}, {}, {}
        self.ssh_port, self.web_port, self.sql_port, self.ftp_port = (free_port() for _ in range(4))
        self.net = f"127.{random.randrange(100, 250)}.{random.randrange(1, 250)}"

    def __enter__(self):
        # Others must get through to what is theirs inside.
        self.folder.chmod(0o755)
        try:
            self.cloud.__enter__()
            self.env = os.environ | self.cloud.env
            self.addresses = self.owned()
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / "id")
            for number, site in enumerate(SITES, 1):
                self.databases[site] = Cluster(self.folder / f"db-{site}", self.endpoint(site), f"{self.net}.{20 + number}", self.sql_port, SITES[site]["datasets"])
            self.hop()
            for number, site in enumerate(SITES, 1):
                self.bastion(site, f"{self.net}.{10 + number}")
                self.files_host(site, f"{self.net}.{30 + number}")
                self.web_host(site, f"{self.net}.{40 + number}")
            login = (self.folder / "id.pub").read_text()
            for host in self.hosts.values():
                host.start(login)
            self.fill()
            for site in SITES:
                self.hosts[f"{site}-files"].do("docker", "compose", "start", "ftpd")
            self.certificates()
            self.webs()
            self.operators_files()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for part in [*self.hosts.values(), *self.databases.values()]:
            part.stop()
        for child in self.children:
            child.kill()
            child.wait()
        self.cloud.__exit__()

    def endpoint(self, site):
        """The name that AWS gives for the site's database; the lab refuses to start should moto give another."""
        return f"rds-server-live-{SITES[site]['owner']}.aaaaaaaaaa.{SITES[site]['region']}.rds.amazonaws.com"

    def owned(self):
        """Each site's addresses: where its names point to in the first world."""
        records = {it["name"]: it["content"] for zone in self.cloud.control("world")["records"].values() for it in zone if it["type"] == "A"}
        part = lambda names: dict(zip(["web", "portainer", "files", "bastion"], [records[it] for it in names]))
        return {"hk": part(NAMES[:4]), "sydney": part(NAMES[4:])}

    def hop(self):
        hop = Host(self.folder, "hop", "jump", f"{self.net}.10", self.ssh_port)
        targets = " ".join(f"{self.net}.{number}:{self.ssh_port}" for number in (11, 12, 31, 32))
        hop.settings = [f"PermitOpen {targets}", "PermitTTY no", "ForceCommand /usr/sbin/nologin"]
        self.hosts["hop"] = hop

    def bastion(self, site, address):
        host = Host(self.folder, f"gigadb-{site}-bastion", "centos", address, self.ssh_port, [self.addresses[site]["bastion"]])
        host.settings = ["AllowTcpForwarding no"]
        databases = "".join(f"{it.address} {it.name}\n" for it in self.databases.values())
        host.write("etc/hosts", f"127.0.0.1 localhost\n{databases}")
        self.hosts[site] = host
        self.dotenv(site, self.endpoint(site))
        for program in ("docker", "deployed", "sync_dropbox", "ask"):
            host.install(HERE / "host" / program, f"usr/local/bin/{program}")
        for program in ("s3backup", "databaseReset", "site_stop", "site_requests"):
            host.install(ROOT / "docs/gigadb" / program, f"usr/local/bin/{program}")
        host.install(HERE / "upstream/databaseReset", "usr/local/bin/databaseReset.upstream")
        host.install(HERE / "images", "opt/images")
        host.write("opt/site", f"{site} {self.cloud.env['CHANGEOVER_LAB_URL']}\n")
        s3 = {
            "type": "s3", "provider": "Other", "access_key_id": "AKIAPRACTICEGIGADB01", "secret_access_key": PASSWORD, "region": "ap-east-1",
            "endpoint": self.cloud.env["AWS_ENDPOINT_URL"], "force_path_style": "true", "no_check_bucket": "true",
        }
        host.write("home/centos/.config/rclone/rclone.conf", "[s3_remote]\n" + "".join(f"{k} = {v}\n" for k, v in s3.items()))
        sftp = {"type": "sftp", "user": "centos", "port": self.ssh_port, "key_file": "/etc/sync_dropbox/id", "known_hosts_file": "/etc/sync_dropbox/known_hosts", "shell_type": "unix"}
        host.write("etc/sync_dropbox/rclone.conf", "[production-live]\n" + "".join(f"{k} = {v}\n" for k, v in sftp.items()))
        host.write("etc/sync_dropbox/from", f"ASK='/usr/local/bin/ask {self.cloud.env['CHANGEOVER_RESOLVERS'].split(',')[0]}'\n")
        host.write("etc/sync_dropbox/id", (self.folder / "id").read_text())
        host.write("share/config/readme", "for all hosts of the site\n")
        for user in ("user1", "user2", "user3"):
            if user != "user3" or site == "hk":
                host.write(f"share/dropbox/{user}/upload.dat", user * 20)

    def files_host(self, site, address):
        host = Host(self.folder, f"gigadb-{site}-files", "centos", address, self.ssh_port)
        host.settings = ["AllowTcpForwarding no"]
        host.install(HERE / "host/docker", "usr/local/bin/docker")
        host.install(HERE / "host/ftpd", "opt/ftpd")
        host.write("opt/ftp-address", f"{self.addresses[site]['files']} {self.ftp_port}\n")
        host.write("home/centos/docker-compose.yml", "services: { ftpd: { image: production_ftpd } }\n")
        self.hosts[f"{site}-files"] = host

    def web_host(self, site, address):
        """Where `docker logs` has what the site's web server logs; the bastion alone goes there, with its own key."""
        host = Host(self.folder, f"gigadb-{site}-web", "centos", address, self.ssh_port)
        host.settings = ["AllowTcpForwarding no"]
        host.install(HERE / "host/docker", "usr/local/bin/docker")
        host.write("var/log/production_web", "")
        self.hosts[f"{site}-web"] = host
        bastion, home = self.hosts[site], "home/centos/.ssh"
        bastion.write(f"{home}/id", (self.folder / "id").read_text())
        bastion.write(f"{home}/known_hosts", f"[{address}]:{self.ssh_port} {host.key}\n")
        bastion.write(f"{home}/config", f"Host {address}\n  Port {self.ssh_port}\n  IdentityFile ~/.ssh/id\n  StrictHostKeyChecking yes\n")

    def dotenv(self, site, endpoint):
        """Writes the file that the scripts trust; `endpoint` may be the wrong one."""
        [database] = [it for it in self.databases.values() if it.name == endpoint]
        values = database.env() | {"PGHOST": endpoint, "GITLAB_PROJECT_NAME": SITES[site]["project"], "GIGADB_ENVIRONMENT": "live", "WEB_HOST": f"{self.net}.{41 + list(SITES).index(site)}"}
        self.hosts[site].write("home/centos/.env", "".join(f"{k}={v}\n" for k, v in values.items()))

    def fill(self):
        """What only a living host can have: crontabs, what is pinned, a backup of yesterday."""
        known = "".join(f"[{address}]:{self.ssh_port} {self.hosts[site].key}\n" for site in SITES for address in self.hosts[site].listens)
        for site in SITES:
            host = self.hosts[site]
            host.write("etc/sync_dropbox/known_hosts", known)
            host.do("chown", "-R", "centos:centos", "/etc/sync_dropbox", "/home/centos/.ssh", user="root")
            host.do("chmod", "600", "/etc/sync_dropbox/id", "/home/centos/.ssh/id", user="root")
            host.do("crontab", "-", input=BEFORE + (BACKUP if site == "hk" else RESET + SYNC) + AFTER)
        yesterday = self.hosts["hk"].do("date", "-u", "--date=1 day ago", "+%Y%m%d").strip()
        self.hosts["hk"].do("/usr/local/bin/s3backup", yesterday)

    def certificates(self):
        """A private authority, and a certificate of all names for each site."""
        at = self.folder / "tls"
        at.mkdir()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=Practice authority of the real parts",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign", "-keyout", at / "ca.key", "-out", at / "ca.pem")
        for site in SITES:
            (at / "extensions").write_text(f"subjectAltName={','.join('DNS:' + it for it in NAMES)}\nextendedKeyUsage=serverAuth\n")
            run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=gigadb.org", "-keyout", at / f"{site}.key", "-out", at / f"{site}.csr")
            run("openssl", "x509", "-req", "-in", at / f"{site}.csr", "-CA", at / "ca.pem", "-CAkey", at / "ca.key", "-days", "20", "-extfile", at / "extensions", "-out", at / f"{site}.pem")

    def webs(self):
        for site in SITES:
            at = self.folder / "tls"
            addresses = sorted(set(self.addresses[site].values()))
            command = [*BOUND, "python3", "-B", HERE / "web.py", site, self.cloud.env["CHANGEOVER_LAB_URL"], at / f"{site}.pem", at / f"{site}.key", self.hosts[f"{site}-web"].file("var/log/production_web"), self.web_port, *addresses]
            log = self.folder / f"web-{site}.log"
            self.children.append(subprocess.Popen([str(it) for it in command], env=os.environ | self.databases[site].env(), stdin=subprocess.DEVNULL, stdout=log.open("w"), stderr=subprocess.STDOUT))
            until(f"the web server of {site}", lambda: "ready" in log.read_text())

    def operators_files(self):
        """The operator's ssh: pinned keys, one hop; and where everything is."""
        self.pin({name: host.key for name, host in self.hosts.items()})
        lines = [
            "Host *", "  StrictHostKeyChecking yes", f"  UserKnownHostsFile {self.folder}/known_hosts", "  GlobalKnownHostsFile none",
            f"  IdentityFile {self.folder}/id", "  IdentitiesOnly yes", f"  Port {self.ssh_port}", "  LogLevel ERROR",
            "Host hop", f"  HostName {self.hosts['hop'].address}", "  User jump", "  HostKeyAlias hop",
        ]
        for host in (host for name, host in self.hosts.items() if name != "hop"):
            lines += [f"Host {host.name}", f"  HostName {host.address}", "  User centos", f"  HostKeyAlias {host.name}", "  ProxyJump hop"]
        (self.folder / "ssh_config").write_text("\n".join(lines) + "\n")
        program = self.folder / "ssh"
        program.write_text(f"#!/bin/sh\nexec /usr/bin/ssh -F {self.folder}/ssh_config \"$@\"\n")
        program.chmod(0o755)
        self.env |= {"CHANGEOVER_SSH": str(program), "CHANGEOVER_CONNECT_TO": f":443::{self.web_port}", "SSL_CERT_FILE": str(self.folder / "tls/ca.pem")}

    def pin(self, keys):
        """Writes known_hosts: by alias, this key and no other."""
        (self.folder / "known_hosts").write_text("".join(f"{self.hosts[it].name} {key}\n" for it, key in keys.items()))

    def bucket(self, *words):
        """rclone in the bucket of the dumps."""
        return self.hosts["hk"].do("rclone", *words)

    def ftp(self, site):
        """Whether somebody answers where uploads go."""
        with socket.socket() as client:
            client.settimeout(5)
            return client.connect_ex((self.addresses[site]["files"], self.ftp_port)) == 0

    def get(self, site, name, path="/", *more):
        """What the site answers under a name; its status and its text."""
        words = ["--cacert", self.env["SSL_CERT_FILE"], "--connect-to", f"{name}:443:{self.addresses[site]['web']}:{self.web_port}", "-sS", "-w", "\n%{http_code}", *more]
        text, _, status = run("curl", *words, f"https://{name}{path}").rpartition("\n")
        return int(status), text
