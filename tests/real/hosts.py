"""Hosts of their own on this machine: namespaces, a file tree, users, sshd, cron; gone when their process is."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A child that does not outlive this process, however that ends.
BOUND = ["setpriv", "--pdeathsig", "KILL"]


def run(*words, **more):
    """Runs a command that must succeed; what it says."""
    more = {"stdin": subprocess.DEVNULL} | more if "input" not in more else more
    done = subprocess.run([str(it) for it in words], capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, f"{words}: status {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def until(what, holds, seconds=20):
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return found


class Host:
    """One host: `user` may log in with the practice key, at `address` and `also`, on `port`."""

    def __init__(self, folder, name, user, address, port, also=()):
        self.name, self.user, self.address, self.port = name, user, address, port
        self.listens = [address, *also]
        self.folder, self.files = folder / name, folder / f"{name}.files"
        self.folder.mkdir()
        key = self.path("etc/changeover/host_key")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key)
        self.key = " ".join(key.with_suffix(".pub").read_text().split()[:2])
        self.settings = []
        self.child = self.first = None

    def path(self, path):
        """A file that the host starts with."""
        path = self.files / path
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, path, text, mode=0o644):
        """Writes a file: one that the host starts with, or of the living host."""
        path = self.path(path) if self.child is None else self.file(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def install(self, source, path):
        shutil.copytree(source, self.path(path)) if source.is_dir() else shutil.copy(source, self.path(path))

    def file(self, path):
        """A file of the living host, from outside."""
        return Path(f"/proc/{self.first}/root/{path}")

    def start(self, login_key):
        lines = [
            f"Port {self.port}",
            *(f"ListenAddress {it}" for it in self.listens),
            "HostKey /etc/changeover/host_key",
            "AuthorizedKeysFile /etc/changeover/authorized_keys",
            "PidFile none",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "MaxStartups 200",
            "LogLevel VERBOSE",
            f"AllowUsers {self.user}",
            "Subsystem sftp internal-sftp",
            *self.settings,
        ]
        self.write("etc/changeover/sshd_config", "\n".join(lines) + "\n")
        self.write("etc/changeover/authorized_keys", login_key)
        self.install(HERE / "host/inside", "opt/inside")
        log = (self.folder.parent / f"{self.name}.log").open("w")
        spaces = ["unshare", "--mount", "--propagation", "private", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL"]
        command = [*BOUND, *spaces, "sh", HERE / "host/boot", self.folder, self.name, self.files, self.user]
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        self.child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        self.first = until(f"{self.name} starts", lambda: children.read_text().split())[0]
        try:
            until(f"{self.name} is up", lambda: self.file("run/ready").exists())
        except AssertionError as error:
            raise AssertionError(f"{error}: {Path(log.name).read_text()}") from None

    def do(self, *words, user=None, ok=True, **more):
        """Runs a command on the host, as its user unless told otherwise; what it says, and its status if it may fail."""
        user = user or self.user
        spaces = ["nsenter", "--target", self.first, "--mount", "--pid", "--uts", "--ipc", "--root", "--wd"]
        home = "/root" if user == "root" else f"/home/{user}"
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, "LOGNAME": user, "SHELL": "/bin/sh"}
        command = [*spaces, "setpriv", "--reuid", user, "--regid", user, "--init-groups", "env", f"--chdir={home}", *words]
        if ok:
            return run(*command, env=env, **more)
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def begin(self, *words):
        """Starts a command on the host and leaves it alone."""
        self.do("setsid", "--fork", "sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh", *words)

    def processes(self):
        """The host's processes: (number on this machine, command line)."""
        space = os.readlink(f"/proc/{self.first}/ns/pid")
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(entry / "ns/pid") == space:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append((int(entry.name), line.strip()))
            except OSError:
                continue  # ended meanwhile
        return found

    def cut(self):
        """Kills every open ssh connection; commands that were started on the host go on."""
        cut = [number for number, line in self.processes() if line.startswith("sshd: ") and "[listener]" not in line]
        for number in cut:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return len(cut)

    def deaf(self):
        """Ends sshd: nobody gets in any more."""
        [number] = [number for number, line in self.processes() if "[listener]" in line]
        os.kill(number, signal.SIGKILL)
        self.cut()

    def hear(self):
        """Starts sshd again."""
        self.do("sh", "-c", "exec /usr/sbin/sshd -e -f /etc/changeover/sshd_config 2>>/var/log/sshd.log", user="root")

    def crontab(self):
        return self.do("crontab", "-l")

    def stop(self):
        if self.child:
            self.child.kill()
            self.child.wait()
