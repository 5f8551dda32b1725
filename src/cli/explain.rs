//! `explain`: print the page of an error code, a kind of check, a rule of the linter or a kind of drift.

use clap::Args;
use serde::Serialize;

use crate::app;
use crate::cli::{Outcome, Scene, done};
use crate::drift::Name;
use crate::fault::{self, Code, E2015, Exit, Fault};
use crate::workflow::step::pages;

/// Without a code: the list of all.
#[derive(Debug, Args)]
pub struct Explain {
    /// For example E2001, a check (dns.ttl), a rule of the linter (EIP-NAME) or a drift (two-writers)
    code: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    code: &'static str,
    title: &'static str,
    exit: u8,
    outcome: Exit,
    page: &'static str,
}

impl From<&'static Code> for Shown {
    fn from(it: &'static Code) -> Self {
        let exit = it.exit.status();
        Self { code: it.id, title: it.title, exit, outcome: it.exit, page: it.page }
    }
}

#[derive(Serialize)]
struct Drifted {
    name: Name,
    title: &'static str,
    page: &'static str,
}

#[derive(Serialize)]
struct Check<'a> {
    check: &'a str,
    page: &'static str,
}

#[derive(Serialize)]
struct Pages {
    codes: Vec<Shown>,
}

pub(super) fn run(args: &Explain, scene: &mut Scene<'_>) -> Outcome {
    let Some(named) = &args.code else { return list(scene) };
    if let Some(name) = Name::find(named) {
        if scene.streams.json {
            let says = Drifted { name, title: name.title(), page: name.page() };
            scene.streams.document("changeover.explanation/v1", says)?;
        } else {
            scene.streams.answer(name.page())?;
        }
        return done();
    }
    if let Some(page) = pages::page(named) {
        if scene.streams.json {
            scene.streams.document("changeover.check/v1", Check { check: named, page })?;
        } else {
            scene.streams.answer(page)?;
        }
        return done();
    }
    if let Some(rule) = app::rule(named) {
        if scene.streams.json {
            scene.streams.document("changeover.explanation/v1", rule)?;
        } else {
            scene.streams.answer(rule.page)?;
        }
        return done();
    }
    let code = fault::find(named).ok_or_else(|| unknown(named))?;
    if scene.streams.json {
        scene.streams.document("changeover.explanation/v1", Shown::from(code))?;
    } else {
        scene.streams.answer(code.page)?;
    }
    done()
}

fn list(scene: &mut Scene<'_>) -> Outcome {
    if scene.streams.json {
        let codes = fault::all().map(Shown::from).collect();
        scene.streams.document("changeover.explanations/v1", Pages { codes })?;
        return done();
    }
    for code in fault::all() {
        scene.streams.answer(&format!("{}  {}  {}", code.id, code.exit.status(), code.title))?;
    }
    let drift: Vec<&str> = Name::ALL.iter().map(|it| it.slug()).collect();
    scene.streams.hint(&format!("kinds of drift: {}", drift.join(", ")));
    done()
}

/// The nearest code by spelling; a bare number is meant as one.
fn unknown(named: &str) -> Fault {
    let wanted = format!("E{}", named.trim_start_matches(['e', 'E']));
    let nearest = fault::all().min_by_key(|code| strsim::damerau_levenshtein(code.id, &wanted));
    let near = app::nearest_rule(named);
    if let Some(rule) = near {
        let fault = Fault::new(&E2015, format!("there is no rule `{named}`"));
        return fault.hint(format!("did you mean {rule}? all rules: docs/lint/README.md"));
    }
    let fault = Fault::new(&E2015, format!("there is no code `{named}`"));
    match nearest {
        Some(code) => fault.hint(format!(
            "did you mean {} ({})? all codes: changeover explain",
            code.id, code.title
        )),
        None => fault,
    }
}
