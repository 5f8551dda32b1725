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

/// Breaks text at spaces; a word longer than the width stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if wide(line) + 1 + wide(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
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
