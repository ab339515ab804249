//! From mongod.conf, which is YAML, to [`Options`]: nested maps are paths with dots, as mongod reads
//! them too.

use saphyr_parser::{Event, Parser};

use super::table::OPTIONS;
use super::{Options, Problem, Source};

/// The sections of which every key is in the table.
const OURS: &[&str] = &["security.kmip."];

/// Deeper than any mongod.conf.
const DEPTH_MAX: usize = 16;

/// One nested map or list that is being read.
struct Level {
    /// Length of the path up to here.
    path: usize,
    /// Whether the next scalar is a key.
    at_key: bool,
    is_list: bool,
}

/// Reads the text of a file.
pub(super) fn read(text: &str) -> Result<Options, Vec<Problem>> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => reader.event(event, span.start.line()),
            Err(error) => {
                reader.problems.push(Problem::new("mongod.conf", error));
                break;
            }
        }
    }
    if reader.problems.is_empty() { Ok(reader.options) } else { Err(reader.problems) }
}

#[derive(Default)]
struct Reader {
    options: Options,
    problems: Vec<Problem>,
    levels: Vec<Level>,
    path: String,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, line: usize) {
        match event {
            Event::Scalar(text, ..) => self.scalar(&text, line),
            Event::MappingStart(..) => self.enter(false, line),
            Event::SequenceStart(..) => self.enter(true, line),
            Event::MappingEnd | Event::SequenceEnd => self.leave(),
            Event::Alias(_) => self.value(None, line),
            _ => {}
        }
    }

    fn scalar(&mut self, text: &str, line: usize) {
        match self.levels.last_mut() {
            Some(level) if level.at_key => {
                level.at_key = false;
                if !self.path.is_empty() {
                    self.path.push('.');
                }
                self.path.push_str(text);
            }
            _ => self.value(Some(text), line),
        }
    }

    /// A value is over: a scalar, or something that is no value of an option.
    fn value(&mut self, text: Option<&str>, line: usize) {
        self.option(text, line);
        self.forget_key();
    }

    fn enter(&mut self, is_list: bool, line: usize) {
        if self.levels.len() >= DEPTH_MAX {
            self.problems
                .push(Problem::new(format_args!("line {line}"), "it is nested too deeply"));
        }
        if is_list || self.is_option() {
            self.option(None, line);
        }
        self.levels.push(Level { path: self.path.len(), at_key: !is_list, is_list });
    }

    fn leave(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.path.truncate(level.path);
        }
        self.forget_key();
    }

    /// Goes back to the path of the innermost map, whose next key comes.
    fn forget_key(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            self.path.truncate(level.path);
            level.at_key = !level.is_list;
        }
    }

    fn is_option(&self) -> bool {
        OPTIONS.iter().any(|row| row.key == self.path)
    }

    fn option(&mut self, text: Option<&str>, line: usize) {
        let at = |path: &str| format!("line {line}: {path}");
        let Some(row) = OPTIONS.iter().find(|row| row.key == self.path) else {
            if OURS.iter().any(|section| self.path.starts_with(section)) {
                self.problems.push(Problem::new(at(&self.path), "there is no such option"));
            }
            return;
        };
        if self.options.is_given(row.option) {
            self.problems.push(Problem::new(at(row.key), "it is given twice"));
            return;
        }
        let taken = match text {
            None => {
                Err(Problem::new(at(row.key), format_args!("write {}", row.shape.values_text())))
            }
            Some(text) => self.options.take(row.option, at(row.key), text, Source::File),
        };
        self.problems.extend(taken.err());
    }
}
