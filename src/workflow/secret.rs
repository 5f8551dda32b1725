//! Secrets are references, never values: what looks like a value is refused and never repeated.

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::fault;
use crate::workflow::path::{Path, Turn};
use crate::workflow::report::Report;
use crate::workflow::tree::Node;

/// Words that, alone or as part of a key, announce a secret.
const KEYS: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "access_key",
    "private_key",
    "credential",
];

/// Shapes that only secrets have: what they are called, and how they look.
const SHAPES: [(&str, &str); 9] = [
    ("an AWS access key", r"\b(AKIA|ASIA)[A-Z0-9]{12,}"),
    ("a GitHub token", r"\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})"),
    ("a GitLab token", r"\bgl[a-z]{2,5}-[A-Za-z0-9_-]{16,}"),
    ("a Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("a payment key", r"\b[rs]k_(live|test)_[A-Za-z0-9]{10,}"),
    ("a signed web token", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    ("an address with a password in it", r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@"),
    (
        "a webhook's address",
        r"https://(hooks\.slack\.com/services|[a-z.]*discord(app)?\.com/api/webhooks)/",
    ),
];

/// A secret handed over inside another text: `--password=…`, `?token=…`.
const HANDED: &str =
    r#"(?i)(password|passwd|secret|token|api_?key|access_?key)["']?\s*[=:]\s*["']?[^\s"'{$]"#;

static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let all = SHAPES.into_iter().chain([("a secret in a longer text", HANDED)]);
    all.filter_map(|(name, pattern)| Some((name, Regex::new(pattern).ok()?))).collect()
});

/// A value that looks like a secret.
pub(super) struct Found {
    pub(super) path: Path,
    /// The text itself, so that nothing else repeats it.
    pub(super) text: String,
    what: &'static str,
}

/// Every value that looks like a secret.
pub(super) fn scan(root: &Node) -> Vec<Found> {
    let mut found = vec![];
    root.each_scalar(&Path::default(), &mut |path, _, text| {
        if let Some(what) = verdict(path, text) {
            found.push(Found { path: path.clone(), text: text.to_owned(), what });
        }
    });
    found
}

/// Reports them; what else was said of these places is forgotten.
pub(super) fn tell(found: &[Found], report: &mut Report) {
    for Found { path, what, .. } in found {
        let hint = "replace it by `{ env: NAME }` or `{ file: PATH }`, and change the secret: it was in a file";
        report.forget(std::slice::from_ref(path));
        report.value(path, &fault::E1018, format!("`{path}` holds {what}"), hint);
    }
}

/// What kind of secret this is, if it looks like one.
fn verdict(path: &Path, text: &str) -> Option<&'static str> {
    let keys: Vec<&str> = path.turns().iter().rev().filter_map(key).take(2).collect();
    match keys[..] {
        ["env", ..] => (!is_variable(text))
            .then_some("something else than a variable's name, perhaps the secret itself"),
        ["file", ..] => shape(text),
        // The digest of a file that we ship, under the file's path: everybody may know it.
        [path, "sha256"] if path.starts_with('/') && is_digest(text) => None,
        // These places are references; a plain text there can only be the secret itself.
        [last, ..] | ["production" | "standby", last]
            if is_secret_key(last) && !text.is_empty() =>
        {
            Some("a secret's value")
        }
        ["url", _] if path.turns().first().and_then(key) == Some("webhooks") => {
            Some("a webhook's address")
        }
        _ => shape(text),
    }
}

/// 64 hexadecimal digits in lower case.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
}

fn key(turn: &Turn) -> Option<&str> {
    match turn {
        Turn::Key(key) => Some(key),
        Turn::Index(_) => None,
    }
}

fn is_secret_key(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    KEYS.iter().any(|it| key.contains(it))
}

fn is_variable(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|it| it.is_ascii_uppercase() || it == '_')
        && letters.all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_')
        && shape(text).is_none()
}

fn shape(text: &str) -> Option<&'static str> {
    let named = PATTERNS.iter().find(|(_, pattern)| pattern.is_match(text)).map(|(name, _)| *name);
    named.or_else(|| {
        text.split(|it: char| !is_random_letter(it)).any(is_random).then_some("a long random text")
    })
}

const fn is_random_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '_' | '=' | '-')
}

/// Long, of many different letters, with digits in it: names and paths are none of these all at once.
fn is_random(word: &str) -> bool {
    let count = |f: fn(&char) -> bool| word.chars().filter(f).count();
    let (digits, upper) = (count(char::is_ascii_digit), count(char::is_ascii_uppercase));
    let lower = count(char::is_ascii_lowercase);
    let hex = word.len() >= 32 && digits >= 4 && word.chars().all(|it| it.is_ascii_hexdigit());
    let mixed = word.len() >= 24 && digits >= 3 && upper >= 3 && lower >= 3;
    // Fewer digits only in longer words that are no paths.
    let long = word.len() >= 32
        && digits >= 1
        && upper >= 4
        && lower >= 4
        && word.matches('/').count() <= 2;
    hex || (mixed && entropy(word) >= 3.8) || (long && entropy(word) >= 4.2)
}

/// Shannon's, bits a letter.
fn entropy(word: &str) -> f64 {
    let mut counts = [0_u32; 256];
    word.bytes().for_each(|it| counts[usize::from(it)] += 1);
    let whole: f64 = counts.iter().copied().map(f64::from).sum();
    let share = |count: &u32| f64::from(*count) / whole;
    counts.iter().filter(|it| **it > 0).map(share).map(|it| -it * it.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_seen() {
        // Put together here so that no scanner of this repository takes them for real ones.
        let made = [
            format!("AKIA{}", "IOSFODNN7EXAMPLE"),
            format!("ghp_{}", "0123456789abcdefghij"),
            format!("glpat-{}", "0123456789abcdefghij"),
            "https://deploy:hunter2@example.org/x".to_owned(),
            "psql --password=hunter2".to_owned(),
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        ];
        for text in made {
            assert!(shape(&text).is_some(), "{text}");
        }
    }

    #[test]
    fn names_are_no_secrets() {
        for text in [
            "gigadb_gigascience-upstream-alt-gigadb-website_live_{{ run.stamp }}.backup",
            "Create database dump file from RDS and upload to S3 every day",
            "FilesUrlsUpdaterDeployLive",
            "eip-gigadb-bastion-live-{{ site.owner }}",
            "https://gigadb.org/",
            "5 10 * * * /usr/local/bin/databaseReset latest",
            "CLOUDFLARE_API_TOKEN",
        ] {
            assert_eq!(shape(text), None, "{text}");
        }
    }
}
