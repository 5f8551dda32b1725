//! `lint`: check workflow files, and say it as a good compiler does.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use clap::Args;
use serde::Serialize;

use crate::app::{LintFinding, LintReport};
use crate::cli::{Outcome, Scene};
use crate::fault::{E2020, Exit, Fault};

/// Exit status 0: clean or warnings only; 1: errors; 2: not readable as a workflow.
#[derive(Debug, Args)]
pub struct Lint {
    /// Files; those of all systems when none is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Warnings count as errors
    #[arg(long)]
    strict: bool,
}

#[derive(Serialize)]
struct Findings {
    findings: Vec<LintFinding>,
}

pub(super) fn run(args: &Lint, scene: &mut Scene<'_>) -> Outcome {
    let files = if args.files.is_empty() {
        scene.desk.systems()?.iter().map(|system| scene.desk.file(system)).collect()
    } else {
        args.files.clone()
    };
    let mut reports = vec![];
    for file in &files {
        reports.push(scene.desk.lint(file)?);
    }
    let exit = exit(&reports, args.strict);
    if scene.streams.json {
        let findings = reports.into_iter().flat_map(|it| it.findings).collect();
        // Other tools read this one: its shape is fixed, without the name of a schema in it.
        let text = serde_json::to_string_pretty(&Findings { findings })
            .map_err(|error| Fault::new(&E2020, "the answer cannot be written").because(error))?;
        scene.streams.answer(&text)?;
    } else {
        print(&reports, files.len(), scene)?;
    }
    Ok(exit.status())
}

fn count(reports: &[LintReport], severity: &str) -> usize {
    reports.iter().flat_map(|it| &it.findings).filter(|it| it.severity == severity).count()
}

fn exit(reports: &[LintReport], strict: bool) -> Exit {
    let errors = count(reports, "error");
    if reports.iter().any(|it| !it.readable) {
        Exit::Usage
    } else if errors != 0 || strict && count(reports, "warning") != 0 {
        Exit::Failed
    } else {
        Exit::Done
    }
}

fn print(reports: &[LintReport], files: usize, scene: &mut Scene<'_>) -> Result<(), Fault> {
    for report in reports {
        // As compilers do: why there is a rule is said once, what to write each time.
        let mut told = BTreeSet::new();
        for finding in &report.findings {
            let why = told.insert(&finding.rule) && !finding.why.is_empty();
            let text = shown(finding, &report.text, scene.streams.paper.ascii, why);
            scene.streams.answer(&format!("{text}\n"))?;
            scene.streams.answer("")?;
        }
    }
    let of = |number: usize, noun| crate::view::words::count(number, noun);
    let (errors, warnings) = (count(reports, "error"), count(reports, "warning"));
    let mut text =
        format!("{}, {} in {}", of(errors, "error"), of(warnings, "warning"), of(files, "file"));
    if let Some(finding) = reports.iter().flat_map(|it| &it.findings).next() {
        text.push_str("; more on each: changeover explain ");
        text.push_str(&finding.rule);
    }
    scene.streams.answer(&text)
}

/// `FILE:LINE:COLUMN: error[RULE]: message`, the line with what is meant, why, the help.
fn shown(finding: &LintFinding, text: &str, ascii: bool, why: bool) -> String {
    let LintFinding { severity, rule, file, line, column, message, .. } = finding;
    let head = format!("{file}:{line}:{column}: {severity}[{rule}]: {message}");
    let why = if why { finding.why.replace('\n', " ") } else { String::new() };
    let Some(span) = span(text, *line, *column) else {
        return if finding.help.is_empty() {
            head
        } else {
            format!("{head}\n  = help: {}", finding.help)
        };
    };
    let mut snippet: Snippet<'_, annotate_snippets::Annotation<'_>> =
        Snippet::source(text).path(file.as_str()).annotation(AnnotationKind::Primary.span(span));
    let there = finding.related.as_ref();
    if let Some((at, it)) = there.and_then(|it| Some((self::span(text, it.line, it.column)?, it))) {
        snippet = snippet.annotation(AnnotationKind::Context.span(at).label(it.label));
    }
    let level = if *severity == "error" { Level::ERROR } else { Level::WARNING };
    let mut group = Group::with_level(level).element(snippet);
    if !why.is_empty() {
        group = group.element(Level::NOTE.message(why.as_str()));
    }
    if !finding.help.is_empty() {
        group = group.element(Level::HELP.message(finding.help.as_str()));
    }
    let style = if ascii {
        annotate_snippets::renderer::DecorStyle::Ascii
    } else {
        annotate_snippets::renderer::DecorStyle::Unicode
    };
    format!("{head}\n{}", Renderer::styled().decor_style(style).render(&[group]))
}

/// The bytes meant by a line and a column in characters: up to the end of the word there.
fn span(text: &str, line: usize, column: usize) -> Option<Range<usize>> {
    let mut start = 0;
    let whole = text.split_inclusive('\n').nth(line.checked_sub(1)?)?;
    for earlier in text.split_inclusive('\n').take(line - 1) {
        start += earlier.len();
    }
    let whole = whole.trim_end();
    let before: usize = whole.chars().take(column.checked_sub(1)?).map(char::len_utf8).sum();
    let rest = whole.get(before..)?;
    let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''));
    let end = match quote {
        Some(quote) => rest[1..].find(quote).map(|at| at + 2),
        None => rest.find([' ', ',', '}', ']', '#']),
    };
    let length = end.unwrap_or(rest.len()).max(1).min(rest.len());
    Some(start + before..start + before + length)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_column_counts_characters() {
        let text = "a: ü, b: 30\n";
        assert_eq!(&text[span(text, 1, 10).unwrap()], "30");
        assert_eq!(&text[span("x: \"a b\"\n", 1, 4).unwrap()].len(), &5);
        assert_eq!(span(text, 7, 1), None);
        assert_eq!(span(text, 0, 0), None);
    }
}
