//! What is known while a group of cases is played: the values of placeholders, which printed
//! values stand for other values, what has been sent, and which objects the server made.
//!
//! Changes are recorded, so that a comparison that fails can be taken back.

use std::collections::{HashMap, HashSet};

use claviger_ttlv::{Node, Tag, Value};

/// Where an object came from, which decides what of it can be foreseen.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    /// The server chose the key, or the key derives from one that it chose.
    pub(crate) is_generated: bool,
    /// The key was given with parameters under which its results differ every time.
    pub(crate) is_randomised: bool,
}

#[derive(Debug)]
enum Change {
    Variable(String, Option<Value>),
    Stand(Vec<u8>, Option<Value>),
    Last(Tag, Option<Value>),
}

/// The state of a group. See the module.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    variables: HashMap<String, Value>,
    stands: HashMap<Vec<u8>, Value>,
    last: HashMap<Tag, Value>,
    sent: HashSet<Vec<u8>>,
    origins: HashMap<String, Origin>,
    changes: Vec<Change>,
}

/// A place in the record of changes.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Checkpoint(usize);

fn key(value: &Value) -> Vec<u8> {
    Node::new(Tag::new(0), value.clone()).to_bytes()
}

impl Bindings {
    /// Begins the next case of a group: placeholders are a case's own, all else stays known.
    pub(crate) fn begin_case(&mut self) {
        self.variables.clear();
        self.last.clear();
        self.changes.clear();
    }

    /// The value of a placeholder.
    pub(crate) fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    /// Gives a placeholder its value, or a new one.
    pub(crate) fn bind(&mut self, name: &str, value: &Value) {
        let before = self.variables.insert(name.to_owned(), value.clone());
        self.changes.push(Change::Variable(name.to_owned(), before));
    }

    /// The value for which a printed one stands.
    pub(crate) fn stand(&self, printed: &Value) -> Option<&Value> {
        self.stands.get(&key(printed))
    }

    /// Lets a printed value stand for another from now on.
    pub(crate) fn let_stand(&mut self, printed: &Value, actual: &Value) {
        let key = key(printed);
        let before = self.stands.insert(key.clone(), actual.clone());
        self.changes.push(Change::Stand(key, before));
    }

    /// The value that a response had last under a tag.
    pub(crate) fn last(&self, tag: Tag) -> Option<&Value> {
        self.last.get(&tag)
    }

    /// Notes a value of a response.
    pub(crate) fn note_last(&mut self, tag: Tag, value: &Value) {
        let before = self.last.insert(tag, value.clone());
        self.changes.push(Change::Last(tag, before));
    }

    /// Notes that a request had this printed value.
    pub(crate) fn note_sent(&mut self, printed: &Value) {
        self.sent.insert(key(printed));
    }

    /// Whether a request had this printed value: then a response that has it repeats it.
    pub(crate) fn was_sent(&self, printed: &Value) -> bool {
        self.sent.contains(&key(printed))
    }

    /// Where an object came from.
    pub(crate) fn origin(&self, unique_identifier: &str) -> Origin {
        self.origins.get(unique_identifier).copied().unwrap_or_default()
    }

    /// Notes where an object came from.
    pub(crate) fn note_origin(&mut self, unique_identifier: &str, origin: Origin) {
        self.origins.insert(unique_identifier.to_owned(), origin);
    }

    /// The present place in the record of changes.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint(self.changes.len())
    }

    /// Takes back what a comparison has changed since.
    pub(crate) fn roll_back(&mut self, checkpoint: Checkpoint) {
        while self.changes.len() > checkpoint.0 {
            match self.changes.pop() {
                Some(Change::Variable(name, before)) => restore(&mut self.variables, name, before),
                Some(Change::Stand(key, before)) => restore(&mut self.stands, key, before),
                Some(Change::Last(tag, before)) => restore(&mut self.last, tag, before),
                None => return,
            }
        }
    }
}

fn restore<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Value>, key: K, before: Option<Value>) {
    match before {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}
