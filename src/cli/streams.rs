//! Where the answer goes, where everything else goes, who can be asked, how wide the screen is.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::fault::{E2020, Fault};
use crate::view::Document;
use crate::view::render::{Paper, harmless};
use crate::view::words::quoted;

/// A person who can be asked.
pub trait Prompt: Send {
    /// Asks and waits for a line; `None` when there is nobody any more.
    fn ask(&mut self, question: &str) -> Option<String>;
}

/// Standard error, shared with whoever tells how a command goes on.
#[derive(Clone)]
pub struct Aside(Arc<Mutex<dyn Write + Send>>);

impl Aside {
    /// Writes to this.
    pub fn new(to: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(to)))
    }

    /// Says one or more lines. Nobody listening is no error.
    pub fn say(&self, text: &str) {
        if let Ok(mut to) = self.0.lock() {
            let text = harmless(text.trim_end_matches('\n'));
            // A closed standard error must not end a command that changes the world.
            writeln!(to, "{text}").and_then(|()| to.flush()).unwrap_or_default();
        }
    }
}

/// The surroundings of one command.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of the surroundings")]
pub struct Streams {
    /// Standard output: the answer and nothing else.
    pub out: Box<dyn Write + Send>,
    /// Standard error: progress, warnings, hints, questions.
    pub aside: Aside,
    /// Who can be asked; nobody when standard input is no terminal or `--no-input` is given.
    pub person: Option<Box<dyn Prompt>>,
    /// Width and signs of the answer.
    pub paper: Paper,
    /// The answer is a screen that can be redrawn.
    pub screen: bool,
    /// Progress can be live lines.
    pub live: bool,
    /// One document for programs instead of text.
    pub json: bool,
    /// No hints and no progress.
    pub quiet: bool,
    /// Details that a screen leaves out otherwise.
    pub verbose: bool,
    /// The command as it was typed.
    pub typed: Vec<String>,
    /// The reader of the answer has gone.
    pub gone: bool,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams")
            .field("paper", &self.paper)
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

impl Streams {
    /// Writes a part of the answer. A reader that has gone wants no more: that is success.
    ///
    /// # Errors
    /// The answer cannot be written.
    pub fn answer(&mut self, text: &str) -> Result<(), Fault> {
        self.write(&harmless(text))
    }

    /// Draws a screen over the one before, which took so many lines.
    ///
    /// # Errors
    /// The answer cannot be written.
    pub fn redraw(&mut self, drawn: usize, screen: &str) -> Result<(), Fault> {
        // Up over the last picture, then over it: a screen that is cleared flickers.
        let over = if drawn == 0 { String::new() } else { format!("\u{1b}[{drawn}A\u{1b}[J") };
        self.write(&(over + &harmless(screen)))
    }

    /// Documents come here as they are: JSON has its own way to write signs that move a cursor.
    fn write(&mut self, text: &str) -> Result<(), Fault> {
        if self.gone {
            return Ok(());
        }
        let text = text.trim_end_matches('\n');
        match writeln!(self.out, "{text}").and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            Err(error) => Err(unwritable(&error)),
            Ok(()) => Ok(()),
        }
    }

    /// Writes the answer as one document.
    ///
    /// # Errors
    /// The answer cannot be written.
    pub fn document<T: Serialize>(&mut self, schema: &'static str, says: T) -> Result<(), Fault> {
        let text = serde_json::to_string_pretty(&Document { schema, says });
        self.write(&text.map_err(|error| unwritable(&error.into()))?)
    }

    /// Writes one document of a stream on a line of its own.
    ///
    /// # Errors
    /// The answer cannot be written.
    pub fn document_line<T: Serialize>(
        &mut self,
        schema: &'static str,
        says: T,
    ) -> Result<(), Fault> {
        let text = serde_json::to_string(&Document { schema, says });
        self.write(&text.map_err(|error| unwritable(&error.into()))?)
    }

    /// Says a hint, unless hints are not wanted.
    pub fn hint(&self, text: &str) {
        if !self.quiet {
            self.aside.say(text);
        }
    }

    /// The command as it was typed, with more words at its end, ready to be pasted into a shell.
    pub fn line_with(&self, more: &str) -> String {
        let words = self.typed.iter().enumerate().map(|(i, word)| match i {
            0 => "changeover".to_owned(),
            _ => quoted(word),
        });
        let mut line = words.collect::<Vec<_>>().join(" ");
        line.push(' ');
        line.push_str(more);
        line
    }
}

fn unwritable(error: &io::Error) -> Fault {
    Fault::new(&E2020, "the answer cannot be written").because(error)
}

/// The person at the terminal.
#[derive(Debug)]
pub struct Terminal(pub Aside);

impl std::fmt::Debug for Aside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Aside")
    }
}

impl Prompt for Terminal {
    fn ask(&mut self, question: &str) -> Option<String> {
        if let Ok(mut to) = self.0.0.lock() {
            write!(to, "{question} ").and_then(|()| to.flush()).ok()?;
        }
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim().to_owned())
    }
}
