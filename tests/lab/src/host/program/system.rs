//! `df`, `mount` and `sha256sum` of a practice host.

use super::{Lab, Output, Step};
use crate::text;

/// Where a bastion has its shared file systems.
const SHARES: [&str; 2] = ["/share/dropbox", "/share/config"];
/// The scripts that a bastion has besides the service's own; the practice programs of these names stand for them.
const SHIPPED: [(&str, &[u8]); 2] = [
    ("s3backup", include_bytes!("../../../../../docs/gigadb/s3backup")),
    ("databaseReset", include_bytes!("../../../../../docs/gigadb/databaseReset")),
];

/// `df -P PATH…`, in POSIX columns.
pub(super) fn df(lab: &Lab, step: &Step<'_>) -> Output {
    let used = lab.with(|world| {
        let settings = world.settings.hosts.get(step.site.alias());
        settings.and_then(|it| it.disk_used).unwrap_or(40)
    });
    let blocks = 20_000_000_u64;
    let (taken, left) =
        (blocks / 100 * u64::from(used), blocks / 100 * u64::from(100 - used.min(100)));
    let head = "Filesystem     1024-blocks      Used Available Capacity Mounted on\n";
    let paths = step.args.iter().filter(|it| !it.starts_with('-'));
    let lines: Vec<String> = paths
        .map(|_| format!("/dev/nvme0n1p1   {blocks} {taken} {left}      {used}% /\n"))
        .collect();
    Output::ok(&format!("{head}{}", lines.concat()))
}

/// `mount` without arguments.
pub(super) fn mount(lab: &Lab, step: &Step<'_>) -> Output {
    let gone = lab.with(|world| {
        let settings = world.settings.hosts.get(step.site.alias());
        settings.map(|it| it.unmounted.clone()).unwrap_or_default()
    });
    let here = SHARES.iter().filter(|path| !gone.iter().any(|it| it == *path));
    let lines: Vec<String> = here
        .map(|path| format!("127.0.0.1:/ on {path} type nfs4 (rw,relatime,vers=4.1,_netdev)\n"))
        .collect();
    Output::ok(&format!("/dev/nvme0n1p1 on / type xfs (rw,relatime)\n{}", lines.concat()))
}

/// `sha256sum` of standard input. Practice programs are small parts that ask the practice cloud, each in the
/// place of a script: what is digested is the script, as long as nobody has put another file there.
pub(super) fn sha256sum(step: &Step<'_>) -> Output {
    let shipped = SHIPPED.iter().find(|(name, _)| {
        // Four lines: two of them name the practice cloud. Whatever else stands there is another file.
        step.stdin.contains(super::CONTROL_VARIABLE)
            && step.stdin.lines().count() == 4
            && step.stdin.trim_end().ends_with(&format!("host {name} \"$@\""))
    });
    let digest = text::sha256(shipped.map_or(step.stdin.as_bytes(), |it| it.1));
    Output::ok(&format!("{digest}  -\n"))
}
