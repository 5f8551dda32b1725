//! Patterns under `names`: filled in with a site's variables, tried, and spelt out for a suggestion.

use std::iter::Peekable;
use std::str::Chars;

use regex_lite::Regex;

use crate::model::SiteName;
use crate::workflow::suggest;
use crate::workflow::types::Workflow;

/// More names than this are not spelt out.
const MANY: usize = 512;

/// The pattern with a site's variables in place of `{var}`.
pub(super) fn filled(workflow: &Workflow, pattern: &str, site: &SiteName) -> String {
    let vars = workflow.sites.get(site).map(|it| &it.vars);
    vars.into_iter().flatten().fold(pattern.to_owned(), |pattern, (var, value)| {
        pattern.replace(&format!("{{{var}}}"), value)
    })
}

/// What to write instead, if the name does not fit the pattern.
pub(super) fn misfit(pattern: &str, name: &str) -> Option<String> {
    let Ok(regex) = Regex::new(&format!("^(?:{pattern})$")) else {
        return Some(format!("`{pattern}` under `names` is not a pattern"));
    };
    if regex.is_match(name) {
        return None;
    }
    let fits = possible(pattern);
    Some(suggest::nearest(name, fits.iter()).map_or_else(
        || format!("it must fit `{pattern}`"),
        |near| format!("did you mean `{near}`?"),
    ))
}

/// The names that a pattern of groups, choices and `?` can make; none when it holds more than that.
pub(super) fn possible(pattern: &str) -> Vec<String> {
    let mut rest = pattern.chars().peekable();
    let all = choices(&mut rest);
    if rest.next().is_some() { vec![] } else { all.unwrap_or_default() }
}

/// `a|b|c`, up to the bracket that closes it.
fn choices(rest: &mut Peekable<Chars<'_>>) -> Option<Vec<String>> {
    let mut all = sequence(rest)?;
    while rest.next_if_eq(&'|').is_some() {
        all.extend(sequence(rest)?);
    }
    (all.len() <= MANY).then_some(all)
}

/// Letters, escaped letters and groups, each perhaps with `?` behind it.
fn sequence(rest: &mut Peekable<Chars<'_>>) -> Option<Vec<String>> {
    let mut made = vec![String::new()];
    while let Some(next) = rest.next_if(|it| !matches!(it, '|' | ')')) {
        let mut part = match next {
            '(' => {
                if rest.next_if_eq(&'?').is_some() {
                    rest.next_if_eq(&':')?;
                }
                let inner = choices(rest)?;
                rest.next_if_eq(&')')?;
                inner
            }
            '\\' => vec![rest.next().filter(|it| !it.is_ascii_alphanumeric())?.to_string()],
            '[' | ']' | '*' | '+' | '{' | '}' | '^' | '$' | '?' => return None,
            letter => vec![letter.to_string()],
        };
        if rest.next_if_eq(&'?').is_some() {
            part.push(String::new());
        }
        if made.len() * part.len() > MANY {
            return None;
        }
        made =
            made.iter().flat_map(|it| part.iter().map(move |more| format!("{it}{more}"))).collect();
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::{misfit, possible};

    #[test]
    fn groups_are_spelt_out() {
        assert_eq!(possible("a(-b|-c)?-d"), ["a-b-d", "a-c-d", "a-d"]);
        assert_eq!(possible("(a|b(c|d))\\.e?"), ["a.e", "a.", "bc.e", "bc.", "bd.e", "bd."]);
        assert_eq!(possible("a"), ["a"]);
        assert_eq!(possible("a|b"), ["a", "b"]);
    }

    #[test]
    fn what_is_more_than_that_is_not() {
        for pattern in ["a+", "[ab]", "a)", "(a", "\\d", &"(a|b)".repeat(12)] {
            assert_eq!(possible(pattern), [""; 0], "{pattern}");
        }
        assert_eq!(misfit("[ab]{2}", "c").as_deref(), Some("it must fit `[ab]{2}`"));
        assert_eq!(misfit("(a", "c").as_deref(), Some("`(a` under `names` is not a pattern"));
    }
}
