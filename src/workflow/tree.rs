//! The first pass: what stands where. Refuses what YAML allows and this file does not.
//!
//! Keys given twice, tabs and unseen line ends, several documents, merge keys, aliases, anchors, tags, great depth and
//! great size are refused here, all of them at once, before a typed reader can misread them.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use crate::fault::{self, Code, Fault};
use crate::workflow::path::{Path, Turn};
use crate::workflow::yaml;

/// The largest file, bytes. A workflow has some 20 kB; a bigger file is not one.
pub(super) const SIZE_MAX: usize = 1 << 20;
/// The deepest nesting. A workflow needs some 8.
const DEPTH_MAX: usize = 32;

/// A point of the text, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<Marker> for Mark {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// Something in the file, and where.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) start: Mark,
    /// Just behind it.
    pub(super) end: Mark,
    pub(super) what: What,
}

/// A key and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) at: Mark,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// One value, as text; quoted text is never a number.
    Scalar { text: String, quoted: bool },
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in the order of the file.
    Map(Vec<(Key, Node)>),
}

impl Node {
    /// Whether it is a list or a map.
    pub(super) const fn is_group(&self) -> bool {
        match self.what {
            What::List(_) | What::Map(_) => true,
            What::Scalar { .. } => false,
        }
    }

    /// What this turn leads to.
    pub(super) fn turn(&self, turn: &Turn) -> Option<&Self> {
        match (&self.what, turn) {
            (What::Map(pairs), Turn::Key(key)) => {
                pairs.iter().find(|(it, _)| it.text == *key).map(|(_, node)| node)
            }
            (What::List(nodes), Turn::Index(index)) => nodes.get(*index),
            (What::Map(_) | What::List(_) | What::Scalar { .. }, _) => None,
        }
    }

    /// As [`Self::turn`], to change it.
    pub(super) fn turn_mut(&mut self, turn: &Turn) -> Option<&mut Self> {
        match (&mut self.what, turn) {
            (What::Map(pairs), Turn::Key(key)) => {
                pairs.iter_mut().find(|(it, _)| it.text == *key).map(|(_, node)| node)
            }
            (What::List(nodes), Turn::Index(index)) => nodes.get_mut(*index),
            (What::Map(_) | What::List(_) | What::Scalar { .. }, _) => None,
        }
    }

    /// What this way leads to.
    pub(super) fn at(&self, path: &Path) -> Option<&Self> {
        path.turns().iter().try_fold(self, |node, turn| node.turn(turn))
    }

    /// The key at the end of this way, if that is a key.
    pub(super) fn key_at(&self, path: &Path) -> Option<&Key> {
        let What::Map(pairs) = &self.at(&path.up())?.what else { return None };
        let wanted = path.last_key()?;
        pairs.iter().map(|(key, _)| key).find(|key| key.text == wanted)
    }

    /// Calls `f` for every value, with its way.
    pub(super) fn each_scalar<'a>(
        &'a self,
        path: &Path,
        f: &mut dyn FnMut(&Path, &'a Self, &'a str),
    ) {
        match &self.what {
            What::Scalar { text, .. } => f(path, self, text),
            What::List(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    node.each_scalar(&path.index(index), f);
                }
            }
            What::Map(pairs) => {
                for (key, node) in pairs {
                    node.each_scalar(&path.key(&key.text), f);
                }
            }
        }
    }
}

/// A list or map that is not closed yet.
struct Open {
    start: Mark,
    /// The key that waits for its value.
    key: Option<Key>,
    what: What,
}

struct Builder<'a> {
    file: &'a str,
    open: Vec<Open>,
    root: Option<Node>,
    faults: Vec<Fault>,
    documents: usize,
}

/// Reads the text into a tree.
pub(super) fn read(text: &str, file: &str) -> Result<Node, Vec<Fault>> {
    if text.len() > SIZE_MAX {
        let message = format!("the file has {} bytes, a workflow at most {SIZE_MAX}", text.len());
        return Err(vec![Fault::new(&fault::E1004, message).at(file, 1, 1)]);
    }
    let mut builder =
        Builder { file, open: vec![], root: None, faults: unseen(text, file), documents: 0 };
    for event in Parser::new_from_str(&yaml::ended(text)) {
        match event {
            Ok((event, span)) => builder.take(&event, span),
            Err(error) => {
                builder.unreadable((*error.marker()).into(), error.info());
                break;
            }
        }
        if builder.open.len() > DEPTH_MAX {
            break;
        }
    }
    builder.end()
}

const TOO_DEEP: &str = "more lists and maps inside each other than anybody can read";
const UNREADABLE: &str =
    "look for a bracket or quote that is not closed, or a line with another indentation";

/// Characters that people cannot see. YAML forbids tabs as indentation; the other three end a line for
/// readers of YAML 1.1 and not for those of 1.2, so that one text would have two meanings.
fn unseen(text: &str, file: &str) -> Vec<Fault> {
    let first = |(line, text): (usize, &str)| {
        let is_unseen = |it: &char| matches!(it, '\t' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let (column, found) = text.chars().enumerate().find(|(_, it)| is_unseen(it))?;
        let fault = if found == '\t' {
            Fault::new(&fault::E1003, "a tab stands here").hint("write spaces")
        } else {
            Fault::new(&fault::E1003, "a line separator that nobody sees stands here")
                .hint(format!("remove it, or write \\u{:04x} in double quotes", u32::from(found)))
        };
        Some(fault.at(file, line + 1, column + 1))
    };
    text.lines().enumerate().filter_map(first).collect()
}

impl Builder<'_> {
    fn say(&mut self, code: &'static Code, at: Mark, message: impl Into<String>, hint: &str) {
        self.faults.push(Fault::new(code, message).hint(hint).at(self.file, at.line, at.column));
    }

    /// A tab or an unseen line end in the same line is the reason, and already told.
    fn unreadable(&mut self, at: Mark, info: &str) {
        let told =
            self.faults.iter().filter_map(|it| it.place.as_ref()).any(|it| it.line == at.line);
        if info.contains("recursion limit") {
            self.say(&fault::E1004, at, TOO_DEEP, "a workflow needs some 8");
        } else if !told {
            self.say(&fault::E1002, at, format!("this is not YAML: {info}"), UNREADABLE);
        }
    }

    fn take(&mut self, event: &Event<'_>, span: Span) {
        let start = Mark::from(span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => (),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 2 {
                    let message = "a second document begins here";
                    self.say(
                        &fault::E1003,
                        start,
                        message,
                        "keep one system in one file, without `---`",
                    );
                }
            }
            Event::Alias(_) => {
                self.say(&fault::E1003, start, "an alias stands here", "write the value itself");
                self.done(Node { start, end: span.end.into(), what: text("", false) });
            }
            Event::Scalar(value, style, anchor, tag) => {
                self.plain(*anchor, tag.is_some(), start);
                let what = text(value, *style != ScalarStyle::Plain);
                self.done(Node { start, end: span.end.into(), what });
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain(*anchor, tag.is_some(), start);
                self.begin(start, What::List(vec![]));
            }
            Event::MappingStart(anchor, tag) => {
                self.plain(*anchor, tag.is_some(), start);
                self.begin(start, What::Map(vec![]));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.done(Node { start: open.start, end: span.end.into(), what: open.what });
                }
            }
        }
    }

    fn plain(&mut self, anchor: usize, tagged: bool, at: Mark) {
        if anchor != 0 {
            self.say(
                &fault::E1003,
                at,
                "an anchor stands here",
                "write the value where it is used",
            );
        }
        if tagged {
            self.say(&fault::E1003, at, "a tag stands here", "remove the `!…` before the value");
        }
    }

    fn begin(&mut self, start: Mark, what: What) {
        self.open.push(Open { start, key: None, what });
        if self.open.len() > DEPTH_MAX {
            self.say(&fault::E1004, start, TOO_DEEP, "a workflow needs some 8");
        }
    }

    fn done(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match (&mut open.what, open.key.take()) {
            (What::List(nodes), _) => nodes.push(node),
            (What::Map(pairs), Some(key)) => pairs.push((key, node)),
            (What::Map(pairs), None) => {
                let What::Scalar { text, .. } = node.what else {
                    open.key = Some(Key { text: String::new(), at: node.start });
                    self.say(
                        &fault::E1003,
                        node.start,
                        "a list or map is used as a key",
                        "keys are text",
                    );
                    return;
                };
                let first = pairs.iter().find(|(it, _)| it.text == text).map(|(it, _)| it.at.line);
                let merge = text == "<<";
                open.key = Some(Key { text: text.clone(), at: node.start });
                if let Some(line) = first {
                    let message = format!("`{text}` is given twice, first in line {line}");
                    self.say(&fault::E1005, node.start, message, "keep one of the two");
                } else if merge {
                    self.say(
                        &fault::E1003,
                        node.start,
                        "a merge key stands here",
                        "write the keys themselves",
                    );
                }
            }
            (What::Scalar { .. }, _) => (),
        }
    }

    fn end(mut self) -> Result<Node, Vec<Fault>> {
        if self.root.is_none() && self.faults.is_empty() {
            self.say(
                &fault::E1002,
                Mark { line: 1, column: 1 },
                "the file is empty",
                "begin with a copy of one that is whole; `changeover schema` prints what may stand in it",
            );
        }
        match self.root {
            Some(root) if self.faults.is_empty() => Ok(root),
            Some(_) | None => Err(self.faults),
        }
    }
}

fn text(value: &str, quoted: bool) -> What {
    What::Scalar { text: value.to_owned(), quoted }
}
