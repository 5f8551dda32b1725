//! A page being written: headings, wrapped sentences, marks.

use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};

use crate::view::render::Paper;
use crate::view::words::Mark;

/// Text of a given width.
#[derive(Debug)]
pub struct Page {
    paper: Paper,
    text: String,
}

impl Page {
    /// An empty page.
    pub fn new(paper: Paper) -> Self {
        Self { paper, text: String::new() }
    }

    /// What is written.
    pub fn into_text(self) -> String {
        if self.paper.ascii { ascii(&self.text) } else { self.text }
    }

    /// Its width.
    pub fn width(&self) -> usize {
        self.paper.width
    }

    /// The sign of a mark, coloured.
    pub fn sign(&self, mark: Mark) -> String {
        let sign = mark.sign(self.paper.ascii);
        let style = match mark {
            Mark::Done => AnsiColor::Green.on_default(),
            Mark::Doing => AnsiColor::Cyan.on_default(),
            Mark::Failed => AnsiColor::Red.on_default().bold(),
            Mark::Unknown => AnsiColor::Magenta.on_default().bold(),
            Mark::Waiting => AnsiColor::Yellow.on_default(),
            Mark::ToCome | Mark::Skipped => Style::new().dimmed(),
        };
        format!("{style}{sign}{style:#}")
    }

    /// One line as it is; never broken.
    pub fn line(&mut self, line: &str) {
        // Styles end a line, so spaces before them are looked for too.
        let empty = strip_str(line).all(|part| part.trim().is_empty());
        self.text.push_str(if empty { "" } else { line.trim_end() });
        self.text.push('\n');
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A word in the margin, then text that hangs beside it.
    pub fn block(&mut self, word: &str, text: &str) {
        let bold = Style::new().bold();
        let head = format!("{bold}{word:<12}{bold:#}");
        self.hang(&head, 12, text);
    }

    /// Text that hangs `indent` columns deep beside a head that is as wide as that.
    pub fn hang(&mut self, head: &str, indent: usize, text: &str) {
        let lines = wrap(text, self.paper.width.saturating_sub(indent).max(20));
        for (i, line) in lines.iter().enumerate() {
            let margin = if i == 0 { head.to_owned() } else { " ".repeat(indent) };
            self.line(&format!("{margin}{line}"));
        }
        if lines.is_empty() {
            self.line(head);
        }
    }

    /// A word in the margin, then a command to type, whole whatever its length.
    pub fn command(&mut self, word: &str, command: &str) {
        let (bold, style) = (Style::new().bold(), AnsiColor::Cyan.on_default());
        self.line(&format!("{bold}{word:<12}{bold:#}{style}{command}{style:#}"));
    }

    /// Text on the left, text on the right end of the line if there is room for both.
    pub fn ends(&mut self, left: &str, right: &str) {
        let (bold, used) = (Style::new().bold(), wide(left) + wide(right));
        let room = self.paper.width.saturating_sub(used).max(2);
        self.line(&format!("{bold}{left}{bold:#}{}{right}", " ".repeat(room)));
    }
}

/// Columns that a text without styles takes.
pub(crate) fn wide(text: &str) -> usize {
    text.chars().count()
}

/// Breaks text at spaces and where it is broken itself; a word longer than the width stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    // Every line of it hangs: one that began at the margin could pass for a line of ours.
    for row in text.trim_end().split('\n') {
        let begun = lines.len();
        for word in row.split(' ') {
            match lines.get_mut(begun..).and_then(<[String]>::last_mut) {
                Some(line) if wide(line) + 1 + wide(word) <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
    }
    lines
}

/// A text of others on its way to a terminal: what could move the cursor, redraw, rename the window or turn the
/// direction of writing is a `?`. Line feeds stay, and the colours that pages are written with.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let style = styled(rest);
        let whole = if style == 0 { sign.len_utf8() } else { style };
        let (head, tail) = rest.split_at(whole);
        let turns = matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let moves = style == 0 && sign.is_control() && sign != '\n';
        shown.push_str(if turns || moves { "?" } else { head });
        rest = tail;
    }
    shown
}

/// How long the colour is that this text begins with; 0 when it begins with none.
fn styled(text: &str) -> usize {
    let Some(codes) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = codes.find(|it: char| !it.is_ascii_digit() && it != ';');
    end.filter(|at| codes[*at..].starts_with('m')).map_or(0, |at| at + 3)
}

/// At most this many columns, with a sign where something was left out.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if wide(text) <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// The signs of our own texts that are not ASCII, replaced.
fn ascii(text: &str) -> String {
    text.replace('→', "->").replace('…', "~").replace('█', "#").replace('·', "-").replace('≠', "!=")
}

#[cfg(test)]
mod tests {
    use super::{harmless, wrap};

    #[test]
    fn what_others_wrote_moves_no_cursor() {
        let wrote = "a\u{1b}[2Jb\u{1b}]0;title\u{7}c\rd\u{9b}1Ae\u{202e}f\u{7f}";
        assert_eq!(harmless(wrote), "a?[2Jb?]0;title?c?d?1Ae?f?");
        let ours = "\u{1b}[1mPRODUCTION\u{1b}[0m  ✔ →\n\u{1b}[38;5;1mx";
        assert_eq!(harmless(ours), ours);
        assert_eq!(harmless("\u{1b}[1"), "?[1");
        assert_eq!(harmless("\u{1b}"), "?");
    }

    #[test]
    fn a_line_of_a_text_is_a_line_of_the_block() {
        assert_eq!(wrap("a b\n  600  root\n", 20), ["a b", "  600  root"]);
        assert_eq!(wrap("", 20), [""]);
    }
}
