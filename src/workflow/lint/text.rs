//! TEXT: what programs read holds no characters that people cannot tell apart.

use super::Look;

/// Keys whose values only people read.
const PROSE: [&str; 6] = ["text", "skip", "elsewhere", "reason", "marker", "body"];

pub(super) fn look(look: &mut Look<'_>) {
    for (path, text) in look.texts() {
        if path.last_key().is_some_and(|it| PROSE.contains(&it)) {
            continue;
        }
        if let Some((odd, what)) = text.chars().find_map(|it| Some((it, odd(it)?))) {
            let message =
                format!("{what} (U+{:04X}) stands in a value that a program reads", u32::from(odd));
            look.say(&path, message, "type it again on the keyboard");
        } else if text.trim() != text {
            let message = format!("`{text}` has a space at its beginning or end");
            look.say(&path, message, format!("write `{}`", text.trim()));
        }
    }
}

/// What this character looks like and is not.
const fn odd(letter: char) -> Option<&'static str> {
    match letter {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => {
            Some("a space of another kind")
        }
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {
            Some("an invisible character")
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some("a dash that is no hyphen"),
        '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => Some("a typographic quote"),
        '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{4ff}' => Some("a letter of another alphabet"),
        '\u{fffd}' => Some("a character that was lost"),
        _ => None,
    }
}
