//! What people are told to type exists: each command that a text of the program or a page names, with its flags.

use std::path::Path;

use changeover::cli::Cli;
use clap::{Command, CommandFactory as _};

use crate::tidy::{File, read};

/// Words after `changeover` that tell what it does, and are no verbs.
const PROSE: &[&str] = &["exited"];

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|it| it.is_ascii_lowercase() || it == '-')
}

/// What is wrong with a command, given as what follows `changeover ` up to its end.
fn wrong(cli: &Command, line: &str) -> Option<String> {
    let mut words = line.split_whitespace().peekable();
    while words.next_if(|it| matches!(*it, "-s" | "--state" | "--system" | "--as")).is_some() {
        words.next();
    }
    let mut verb = cli;
    while let Some(word) = words.next_if(|it| is_word(it.trim_end_matches(['.', ',', ':', ')']))) {
        let word = word.trim_end_matches(['.', ',', ':', ')']);
        match verb.find_subcommand(word) {
            Some(found) => verb = found,
            None if std::ptr::eq(verb, cli) && PROSE.contains(&word) => return None,
            None if std::ptr::eq(verb, cli) || verb.is_subcommand_required_set() => {
                return Some(format!("`{}` has no `{word}`", verb.get_name()));
            }
            None => break,
        }
    }
    let mut flags = words.filter_map(|it| {
        let flag = it.trim_start_matches(['[', '(']).strip_prefix("--")?;
        Some(flag.split(|it: char| !it.is_ascii_alphanumeric() && it != '-').next().unwrap())
    });
    let known = |flag: &str| {
        let own = |of: &Command| of.get_arguments().any(|it| it.get_long() == Some(flag));
        matches!(flag, "" | "help" | "version") || own(verb) || own(cli)
    };
    let strange = flags.find(|it| !known(it))?;
    Some(format!("`{}` has no --{strange}", verb.get_name()))
}

/// Commands in a text: from each `changeover ` to where its line, its quotation or its sentence ends.
fn commands(text: &str, in_code: bool) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(move |(at, line)| {
        line.match_indices("changeover ").filter_map(move |(from, name)| {
            let before = line[..from].chars().next_back();
            let quoted = in_code || before == Some('`') || line.starts_with("    ");
            let rest = &line[from + name.len()..];
            let end = rest.find(['`', '"', ';', '#', '|', '\\', '\'', '{']).unwrap_or(rest.len());
            let starts = before.is_none_or(|it| !it.is_ascii_alphanumeric() && !"-_/".contains(it));
            (quoted && starts).then_some((at + 1, &rest[..end]))
        })
    })
}

#[test]
fn every_command_that_people_are_told_to_type_exists() {
    let cli = Cli::command();
    let mut faults = vec![];
    let texts =
        read("src", "rs").into_iter().chain(read("docs", "md")).chain([File::at("README.md")]);
    let mut seen = 0;
    for File { path, text } in texts {
        let in_code = path.starts_with("src");
        if path.starts_with("docs/adr") || path == Path::new("src/actuator/cloudflare/marks.rs") {
            continue;
        }
        for (line, command) in commands(&text, in_code) {
            seen += 1;
            let wrong = wrong(&cli, command);
            faults.extend(wrong.map(|it| format!("{}:{line}: {it}: {command}", path.display())));
        }
    }
    assert!(seen > 100, "commands are not where this test looks: {seen}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_command_that_does_not_exist_is_seen() {
    let cli = Cli::command();
    let wrong = |it| wrong(&cli, it);
    assert!(wrong("freeze off --reason TEXT").is_some());
    assert!(wrong("-s gigadb run mend").is_some());
    assert!(wrong("release rollback --lose").is_some());
    assert!(wrong("release rollback --accept-data-loss").is_none());
    assert!(wrong("drift names each").is_none());
    assert!(wrong("-s gigadb status -v").is_none());
}
