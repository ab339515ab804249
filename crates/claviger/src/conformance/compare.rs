//! Compares a published response with a real one and stops at the first deviation.
//!
//! Must never know what may differ: it asks `permitted`.

use std::fmt;

use claviger_kmip::tags;
use claviger_ttlv::{Node, Siblings, Tag, Value};

use super::bindings::Bindings;
use super::pattern::{Content, Pattern, node_label, tag_label, value_label};
use super::permitted::{self, Exchange, Order, Rule};
use super::request::Moment;

/// The first place at which a response is not what is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deviation {
    /// Where, from the outermost item in.
    pub(crate) path: String,
    /// What is published.
    pub(crate) expected: String,
    /// What came.
    pub(crate) actual: String,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.path, self.expected, self.actual)
    }
}

/// How far a clock may be from ours, in seconds, where a published date is the present.
const CLOCK_SLACK: i64 = 60;

/// One comparison.
pub(crate) struct Comparison<'a> {
    pub(crate) bindings: &'a mut Bindings,
    pub(crate) exchange: &'a Exchange,
    pub(crate) moment: Moment,
}

type Outcome = Result<(), Deviation>;

fn deviation(path: &str, expected: impl Into<String>, actual: impl Into<String>) -> Outcome {
    let (expected, actual) = (expected.into(), actual.into());
    Err(Deviation { path: path.to_owned(), expected, actual })
}

impl Comparison<'_> {
    /// Compares one item; `context` is the meaning of the real one, `parent` that of the structure
    /// around.
    pub(crate) fn item(
        &mut self,
        expected: &Pattern,
        actual: &Node,
        parent: Tag,
        path: &str,
    ) -> Outcome {
        let path = &format!("{path}/{}", tag_label(expected.tag));
        if expected.tag != actual.tag {
            return deviation(path, expected.named_label(), label(actual));
        }
        if expected.item_type != actual.item_type() {
            let (expected, actual) = (expected.item_type.name(), actual.item_type().name());
            return deviation(path, format!("type {expected}"), format!("type {actual}"));
        }
        match &expected.content {
            Content::Structure(_) if permitted::is_free_inside(expected.context) => Ok(()),
            Content::Structure(items) => self.structure(items, actual, expected.context, path),
            Content::Literal(printed) => self.literal(expected, printed, actual, parent, path),
            Content::Variable(name) => self.variable(name, expected, actual, path),
            Content::Now(_) if expected.context == tags::TIME_STAMP => Ok(()),
            Content::Now(offset) => self.now(*offset, actual, path),
        }
    }

    fn literal(
        &mut self,
        expected: &Pattern,
        printed: &Value,
        actual: &Node,
        parent: Tag,
        path: &str,
    ) -> Outcome {
        let mismatch = |wanted: &Value| {
            let wanted = value_label(wanted, expected.context);
            deviation(path, wanted, value_label(&actual.value, expected.context))
        };
        self.bindings.note_last(actual.tag, &actual.value);
        let rule = permitted::rule(expected, printed, parent, self.exchange, self.bindings);
        if rule == Rule::Any {
            return Ok(());
        }
        if let Some(known) = self.bindings.stand(printed) {
            return if *known == actual.value { Ok(()) } else { mismatch(&known.clone()) };
        }
        let is_length_free = !matches!(rule, Rule::AnyOfLength | Rule::StandsOfLength);
        if !is_length_free && printed.wire_size() != actual.value.wire_size() {
            let actual = format!("{} bytes", actual.value.wire_size());
            return deviation(path, format!("{} bytes", printed.wire_size()), actual);
        }
        match rule {
            Rule::Exact if *printed == actual.value => Ok(()),
            Rule::Exact => mismatch(printed),
            Rule::Stands | Rule::StandsOfLength => {
                if actual.value.wire_size() == 0 {
                    return mismatch(printed);
                }
                self.bindings.let_stand(printed, &actual.value);
                Ok(())
            }
            Rule::Any | Rule::AnyOfLength => Ok(()),
        }
    }

    /// A placeholder has one value for a whole case. Those of a stream or of an asynchronous
    /// operation are given anew by every operation that begins one.
    fn variable(&mut self, name: &str, expected: &Pattern, actual: &Node, path: &str) -> Outcome {
        self.bindings.note_last(actual.tag, &actual.value);
        let is_echo = self.exchange.variables.iter().any(|variable| variable == name);
        let is_renewed = name.contains("CORRELATION_VALUE") && !is_echo;
        match self.bindings.variable(name) {
            Some(known) if *known == actual.value => Ok(()),
            Some(known) if !is_renewed => {
                let known = value_label(known, expected.context);
                let actual = value_label(&actual.value, expected.context);
                deviation(path, format!("{known} (${name})"), actual)
            }
            _ if actual.value.wire_size() == 0 => deviation(path, format!("${name}"), "nothing"),
            _ => {
                self.bindings.bind(name, &actual.value);
                Ok(())
            }
        }
    }

    fn now(&mut self, offset: i64, actual: &Node, path: &str) -> Outcome {
        let earliest = self.moment.began.saturating_add(offset).saturating_sub(CLOCK_SLACK);
        let latest = self.moment.now.saturating_add(offset).saturating_add(CLOCK_SLACK);
        self.bindings.note_last(actual.tag, &actual.value);
        match actual.value {
            Value::DateTime(date) if (earliest..=latest).contains(&date) => Ok(()),
            _ => {
                let window = format!("a date within {CLOCK_SLACK} s of $NOW{offset:+}");
                deviation(path, window, value_label(&actual.value, actual.tag))
            }
        }
    }

    /// Compares the items of a structure: in order of the published tags, and the items with one
    /// tag by the rule for that tag.
    pub(crate) fn structure(
        &mut self,
        expected: &[Pattern],
        actual: &Node,
        parent: Tag,
        path: &str,
    ) -> Outcome {
        let mut rest = actual.children();
        if parent == tags::ATTRIBUTES {
            let all: Vec<_> = expected.iter().collect();
            return self.bag(&all, rest, parent, path, true);
        }
        let is_other_format = self.is_other_format(expected, actual, parent);
        let mut expected = expected;
        while let Some(first) = expected.first() {
            let tag = first.tag;
            let count = expected.iter().take_while(|item| item.tag == tag).count();
            let (run, after) = expected.split_at_checked(count).unwrap_or((expected, &[]));
            rest = skip_added(rest, parent, Some(tag));
            let count = rest.iter().take_while(|item| item.tag == tag).count();
            let (found, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            expected = after;
            if is_other_format && matches!(tag, tags::KEY_FORMAT_TYPE | tags::KEY_VALUE) {
                rest = others;
                continue;
            }
            if found.is_empty() && permitted::may_be_missing(parent, first) {
                continue;
            }
            rest = others;
            match permitted::order(parent, tag, self.exchange) {
                Order::Fixed => self.run(run, found, others, parent, path)?,
                Order::Any => {
                    self.bag(&run.iter().collect::<Vec<_>>(), found, parent, path, false)?
                }
                Order::AnyAndMore => {
                    self.bag(&run.iter().collect::<Vec<_>>(), found, parent, path, true)?;
                }
            }
        }
        match skip_added(rest, parent, None).first() {
            None => Ok(()),
            Some(item) if self.is_more(item, parent) => Ok(()),
            Some(item) => {
                let path = format!("{path}/{}", tag_label(item.tag));
                deviation(&path, "nothing", label(item))
            }
        }
    }

    fn is_more(&self, item: &Node, parent: Tag) -> bool {
        let order = permitted::order(parent, item.tag, self.exchange);
        order == Order::AnyAndMore && permitted::may_be_more(item, self.exchange)
    }

    /// Items with one tag, in the published order.
    fn run(
        &mut self,
        expected: &[Pattern],
        found: &[Node],
        others: &[Node],
        parent: Tag,
        path: &str,
    ) -> Outcome {
        let mut found = found.iter();
        for (index, item) in expected.iter().enumerate() {
            let place =
                if expected.len() > 1 { format!("{path}[{index}]") } else { path.to_owned() };
            match found.next() {
                Some(actual) => self.item(item, actual, parent, &place)?,
                None => {
                    let path = format!("{place}/{}", tag_label(item.tag));
                    let next = others.first().map_or_else(|| "nothing".to_owned(), label);
                    return deviation(&path, item.named_label(), next);
                }
            }
        }
        match found.next() {
            None => Ok(()),
            Some(item) => {
                let path = format!("{path}/{}", tag_label(item.tag));
                deviation(&path, format!("{} of it", expected.len()), label(item))
            }
        }
    }

    /// Items in any order. The deviation of the item that is most alike is told.
    fn bag(
        &mut self,
        expected: &[&Pattern],
        found: &[Node],
        parent: Tag,
        path: &str,
        more: bool,
    ) -> Outcome {
        let mut left: Vec<&Node> = found.iter().collect();
        for item in expected {
            let mut closest = None;
            let mut matched = None;
            for (index, actual) in left.iter().enumerate() {
                let checkpoint = self.bindings.checkpoint();
                match self.item(item, actual, parent, path) {
                    Ok(()) => {
                        matched = Some(index);
                        break;
                    }
                    Err(deviation) => {
                        self.bindings.roll_back(checkpoint);
                        let is_alike = actual.tag == item.tag && same_attribute(item, actual);
                        if is_alike && closest.is_none() {
                            closest = Some(deviation);
                        }
                    }
                }
            }
            match (matched, closest) {
                (Some(index), _) => drop(left.remove(index)),
                (None, Some(closest)) => return Err(closest),
                (None, None) => {
                    let path = format!("{path}/{}", tag_label(item.tag));
                    return deviation(&path, item.named_label(), "nothing like it");
                }
            }
        }
        let extra = left.iter().find(|item| !more || !permitted::may_be_more(item, self.exchange));
        match extra {
            None => Ok(()),
            Some(item) => {
                let path = format!("{path}/{}", tag_label(item.tag));
                deviation(&path, "nothing more", label(item))
            }
        }
    }

    /// Whether a server-made key comes in another format than the published one, which it may if
    /// the request names none.
    fn is_other_format(&self, expected: &[Pattern], actual: &Node, parent: Tag) -> bool {
        if parent != tags::KEY_BLOCK || !self.exchange.is_generated || self.exchange.names_format {
            return false;
        }
        let printed = expected.iter().find(|item| item.tag == tags::KEY_FORMAT_TYPE);
        let printed = printed.map(|item| &item.content);
        let actual_format = actual.child(tags::KEY_FORMAT_TYPE).map(|item| &item.value);
        let has_value = actual.child(tags::KEY_VALUE).is_some();
        match (printed, actual_format) {
            (
                Some(Content::Literal(Value::Enumeration(printed))),
                Some(Value::Enumeration(actual)),
            ) => has_value && permitted::is_format_like(*printed, *actual),
            _ => false,
        }
    }
}

/// Items that may be there although they are not published, unless they are just wanted.
fn skip_added(items: &[Node], parent: Tag, wanted: Option<Tag>) -> &[Node] {
    let is_added = |item: &&Node| Some(item.tag) != wanted && permitted::may_be_added(parent, item);
    let added = items.iter().take_while(is_added).count();
    items.get(added..).unwrap_or_default()
}

/// Whether two attributes have the same name; other items with one tag always do.
fn same_attribute(expected: &Pattern, actual: &Node) -> bool {
    let Some(name) = expected.text(tags::ATTRIBUTE_NAME) else { return true };
    let name = Value::TextString(name.to_owned());
    actual.child(tags::ATTRIBUTE_NAME).is_some_and(|actual| actual.value == name)
}

fn label(node: &Node) -> String {
    let context = Siblings::default().context(node.tag);
    format!("{} {}", tag_label(node.tag), node_label(node, context))
}
