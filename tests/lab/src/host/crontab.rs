//! The program `crontab`, with cron's own words.

use std::fs;
use std::path::Path;

use super::program::Output;
use super::{files, paths};
use crate::profile::Site;

const NONE: &str = "no crontab for centos\n";

/// Carries out `crontab` with these arguments; `stdin` is the new crontab of `crontab -`.
pub(super) fn run(dir: &Path, site: Site, args: &[String], stdin: &str) -> Output {
    let path = files::crontab(dir, site);
    // A crontab holds the paths that the host has, however its text came in.
    let own = |text: &str| paths::unmapped(text, &files::folder(dir, site).to_string_lossy());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["-l"] => match fs::read_to_string(&path) {
            Ok(text) => Output::ok(&text),
            Err(_) => Output::failed(1, NONE),
        },
        ["-r"] => match fs::remove_file(&path) {
            Ok(()) => Output::ok("").applied(true),
            Err(_) => Output::failed(1, NONE),
        },
        [] | ["-"] => install(&path, "-", &own(stdin)),
        ["-u", ..] => Output::failed(1, "must be privileged to use -u\n"),
        [file] if !file.starts_with('-') => match fs::read_to_string(file) {
            Ok(text) => install(&path, file, &own(&text)),
            Err(_) => Output::failed(1, &format!("{file}: No such file or directory\n")),
        },
        _ => Output::failed(1, "crontab: usage error: unrecognized option\n"),
    }
}

/// Whether these arguments change a crontab.
pub(super) fn changes(args: &[String]) -> bool {
    args.first().is_none_or(|arg| arg != "-l")
}

fn install(path: &Path, name: &str, text: &str) -> Output {
    if !text.is_empty() && !text.ends_with('\n') {
        return Output::failed(
            1,
            "new crontab file is missing newline before EOF, can't install.\n",
        );
    }
    if let Some(line) = text.lines().position(|line| !fine(line)) {
        let said =
            format!("\"{name}\":{line}: bad minute\nerrors in crontab file, can't install.\n");
        return Output::failed(1, &said);
    }
    let before = fs::read_to_string(path).ok();
    // Renamed into place, as cron does it: a reader sees the old or the new one.
    let fresh = path.with_extension("new");
    match fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, path)) {
        Ok(()) => Output::ok("").applied(before.as_deref() != Some(text)),
        Err(error) => Output::failed(1, &format!("crontab: {error}\n")),
    }
}

/// Whether cron would take a line.
fn fine(line: &str) -> bool {
    let line = line.trim_start();
    if line.is_empty() || line.starts_with('#') {
        return true;
    }
    let word = line.split_whitespace().next().unwrap_or_default();
    let names = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if line.split_once('=').is_some_and(|(name, _)| names(name.trim_end())) {
        return true;
    }
    let time = |field: &str| field.chars().all(|c| c.is_ascii_alphanumeric() || "*,-/".contains(c));
    let fields: Vec<&str> = line.split_whitespace().collect();
    word.starts_with('@') && fields.len() >= 2
        || fields.len() >= 6
            && fields[..5].iter().all(|field| time(field))
            && !word.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_checked() {
        assert!(["", "# x", "PATH=/bin", "0 22 * * * /bin/true", "@daily x"].into_iter().all(fine));
        assert!(
            ["x", "0 22 * * *", "no crontab for centos at all here"].into_iter().all(|l| !fine(l))
        );
    }
}
