//! `ps` and `pgrep` of a practice host: only the processes that run on it.

use std::fs;
use std::process::ExitCode;

use super::HOST_VARIABLE;
use super::program::report;

/// Clock ticks of the kernel in a second, as every Linux shows them to programs.
const TICKS: f64 = 100.0;

/// A process of the host.
#[derive(Debug)]
struct Process {
    pid: u32,
    ppid: u32,
    pgid: u32,
    state: String,
    comm: String,
    args: String,
    age_s: u64,
}

fn processes(alias: &str) -> Vec<Process> {
    let mine = format!("{HOST_VARIABLE}={alias}");
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let uptime: f64 = uptime.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut found: Vec<Process> = pids
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == mine.as_bytes())
        })
        .filter_map(|pid| process(pid, uptime))
        .filter(|process| !helper(process))
        .collect();
    found.sort_by_key(|process| process.pid);
    found
}

/// Whether a process is a part of the practice that a real host does not have.
fn helper(process: &Process) -> bool {
    let own = std::env::current_exe().unwrap_or_default();
    process.args.starts_with(&format!("{} host ", own.display()))
}

fn process(pid: u32, uptime: f64) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let rest: Vec<&str> = stat[close + 1..].split_whitespace().collect();
    let number = |at: usize| rest.get(at).and_then(|text| text.parse::<f64>().ok());
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).trim_end_matches('\0').replace('\0', " ");
    let comm = stat[open + 1..close].to_owned();
    let args = if line.is_empty() { format!("[{comm}]") } else { line };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small seconds")]
    let age_s = (uptime - number(19)? / TICKS).max(0.0) as u64;
    let small = |at: usize| rest.get(at).and_then(|text| text.parse().ok());
    Some(Process {
        pid,
        ppid: small(1)?,
        pgid: small(2)?,
        state: (*rest.first()?).to_owned(),
        comm,
        args,
        age_s,
    })
}

/// `ps`, with `-e`, `-A`, `-f`, `aux`, `-o FORMAT`, `-p PIDS`, `-C NAME`, `-u USER`.
pub(super) fn ps(alias: &str, args: &[String]) -> ExitCode {
    let (mut format, mut pids, mut name) = (Vec::new(), None, None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let plain = arg.trim_start_matches('-');
        let letters = if arg.starts_with("--") { "" } else { plain };
        if letters.ends_with('o') || letters == "format" {
            format.extend(args.next().map(String::as_str).unwrap_or_default().split(','));
        } else if letters == "p" {
            pids = Some(args.next().cloned().unwrap_or_default());
        } else if letters == "C" {
            name = args.next().cloned();
        } else if letters == "u" || letters == "U" {
            args.next();
        } else if letters.contains('f') || letters == "aux" {
            format.extend(["user", "pid", "ppid", "etime", "args"]);
        }
    }
    if format.is_empty() {
        format.extend(["pid", "comm"]);
    }
    let pids: Option<Vec<u32>> = pids
        .map(|list: String| list.split([',', ' ']).filter_map(|pid| pid.parse().ok()).collect());
    let shown: Vec<Process> = processes(alias)
        .into_iter()
        .filter(|process| pids.as_ref().is_none_or(|pids| pids.contains(&process.pid)))
        .filter(|process| name.as_ref().is_none_or(|name| &process.comm == name))
        .collect();
    let titles: Vec<&str> = format.iter().map(|field| title(field)).collect();
    let mut out = String::new();
    if titles.iter().any(|title| !title.is_empty()) {
        out += &(titles.join(" ") + "\n");
    }
    for process in &shown {
        let fields: Vec<String> = format.iter().map(|field| value(process, field)).collect();
        out += &(fields.join(" ") + "\n");
    }
    report(&out, "", u8::from(shown.is_empty()))
}

fn title(field: &str) -> &str {
    match field.split_once('=') {
        Some((_, title)) => title,
        None => match field {
            "args" | "command" | "cmd" => "COMMAND",
            "pid" => "PID",
            "ppid" => "PPID",
            "user" => "USER",
            "etime" | "etimes" => "ELAPSED",
            other => other,
        },
    }
}

fn value(process: &Process, field: &str) -> String {
    match field.split('=').next().unwrap_or_default() {
        "pid" => process.pid.to_string(),
        "ppid" => process.ppid.to_string(),
        "pgid" | "pgrp" => process.pgid.to_string(),
        "user" | "uname" | "euser" => "centos".to_owned(),
        "stat" | "s" | "state" => process.state.clone(),
        "comm" | "ucmd" => process.comm.clone(),
        "args" | "command" | "cmd" => process.args.clone(),
        "etimes" => process.age_s.to_string(),
        "etime" => format!("{:02}:{:02}", process.age_s / 60, process.age_s % 60),
        _ => "-".to_owned(),
    }
}

/// `pgrep [-f] [-x] [-a] [-l] [-c] [-u USER] PATTERN`; the pattern is plain but for `[x]` and `^$`.
pub(super) fn pgrep(alias: &str, args: &[String]) -> ExitCode {
    let (mut full, mut exact, mut shown, mut count) = (false, false, false, false);
    let mut pattern = String::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.strip_prefix('-') {
            Some("u" | "U") => drop(args.next()),
            Some("-") => pattern = args.next().cloned().unwrap_or_default(),
            Some(letters) => {
                full |= letters.contains('f');
                exact |= letters.contains('x');
                shown |= letters.contains(['a', 'l']);
                count |= letters.contains('c');
            }
            None => pattern.clone_from(arg),
        }
    }
    // `[d]atabaseReset` finds databaseReset and not itself.
    let exact = exact || pattern.starts_with('^') && pattern.ends_with('$');
    let start = pattern.starts_with('^');
    let plain: String = pattern.chars().filter(|c| !"[]^$\\".contains(*c)).collect();
    let found: Vec<Process> = processes(alias)
        .into_iter()
        .filter(|process| {
            let text = if full { &process.args } else { &process.comm };
            match (exact, start) {
                (true, _) => *text == plain,
                (false, true) => text.starts_with(&plain),
                (false, false) => text.contains(&plain),
            }
        })
        .collect();
    let out = if count {
        format!("{}\n", found.len())
    } else {
        let line = |p: &Process| {
            if shown { format!("{} {}\n", p.pid, p.args) } else { format!("{}\n", p.pid) }
        };
        found.iter().map(line).collect()
    };
    report(&out, "", u8::from(found.is_empty()))
}
