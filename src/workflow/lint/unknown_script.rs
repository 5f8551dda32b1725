//! UNKNOWN-SCRIPT: what steps and jobs run is declared under `scripts`, spelt exactly so, on that host.

use regex_lite::Regex;

use super::Look;
use super::scripts::{Command, commands, script_of};
use crate::workflow::path::Path;
use crate::workflow::suggest;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    if draft.workflow.scripts.is_empty() {
        return;
    }
    for command in commands(draft) {
        known(look, &command);
    }
}

fn known(look: &mut Look<'_>, command: &Command) {
    let workflow = look.draft.workflow;
    let program = &command.argv[0];
    let Some((name, script)) = script_of(workflow, &command.argv) else {
        let base = program.rsplit('/').next().unwrap_or(program);
        let of = |path: &'_ str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let near = |it: &&String| of(it).eq_ignore_ascii_case(base);
        let paths: Vec<&String> = workflow.scripts.values().map(|it| &it.path).collect();
        let bases: Vec<String> = paths.iter().map(|it| of(it)).collect();
        let nearest = paths.iter().copied().find(near).or_else(|| {
            let meant = suggest::nearest(base, bases.iter())?;
            paths.iter().copied().find(|it| of(it) == meant)
        });
        let help = match nearest {
            Some(path) => format!("did you mean `{path}`?"),
            None => {
                let list: Vec<String> = paths.iter().map(|it| format!("`{it}`")).collect();
                format!(
                    "there is {}; declare it under `scripts` if it is installed",
                    list.join(", ")
                )
            }
        };
        let message = format!("no script `{program}` is installed on `{}`", command.host);
        look.say_with(
            &command.place,
            message,
            help,
            &Path::of("scripts"),
            "scripts are declared here",
        );
        return;
    };
    let declared = Path::of("scripts").key(name);
    if script.host != command.host {
        let message =
            format!("`{name}` is installed on `{}`, not on `{}`", script.host, command.host);
        let help = format!("run it with `host: {}`", script.host);
        look.say_with(&command.place, message, help, &declared.key("host"), "declared here");
    }
    let Some(patterns) = &script.arguments else { return };
    let given = &command.argv[1..];
    let misfit = given.iter().enumerate().find(|(at, it)| {
        // What a template brings is known when it runs; stamps are STAMP-FORMAT's.
        !it.contains("{{") && patterns.get(*at).is_none_or(|pattern| !fits(pattern, it))
    });
    if let Some((_, word)) = misfit {
        let message = format!("`{name}` does not take `{word}`");
        let help = format!("it takes `{}`", patterns.join(" "));
        look.say_with(&command.place, message, help, &declared.key("arguments"), "what it takes");
    }
}

fn fits(pattern: &str, word: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|it| it.is_match(word))
}
