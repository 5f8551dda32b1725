//! BUCKET-NAME: a bucket is called what S3 allows.

use super::Look;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let Some(backup) = &look.draft.workflow.backup else { return };
    let name = &backup.bucket;
    let end =
        |it: Option<char>| it.is_some_and(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    let wrong = if name.contains("://") || name.contains('/') {
        Some("a bucket is named without scheme and path; paths belong in `key`")
    } else if !(3..=63).contains(&name.len()) {
        Some("a bucket's name has 3 to 63 characters")
    } else if !name
        .chars()
        .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || "-.".contains(it))
    {
        Some("a bucket's name has small letters, digits, hyphens and dots")
    } else if !end(name.chars().next()) || !end(name.chars().last()) || name.contains("..") {
        Some("a bucket's name begins and ends with a letter or digit, and has single dots")
    } else {
        None
    };
    if let Some(help) = wrong {
        look.say(&Path::of("backup.bucket"), format!("no bucket can be called `{name}`"), help);
    }
}
