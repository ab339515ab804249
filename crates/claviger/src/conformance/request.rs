//! From a published request to the one that is sent: placeholders are filled in.

use claviger_ttlv::{Node, Tag, Value};

use super::bindings::Bindings;
use super::pattern::{Content, Pattern, tag_label};

/// When a group is played.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Moment {
    /// When its first case began, in POSIX seconds.
    pub(crate) began: i64,
    /// Now, in POSIX seconds.
    pub(crate) now: i64,
}

/// The message that a pattern means now. What it prints is noted as sent.
pub(crate) fn fill(
    pattern: &Pattern,
    bindings: &mut Bindings,
    moment: Moment,
) -> Result<Node, String> {
    let value = match &pattern.content {
        Content::Structure(items) => {
            let items: Result<_, _> =
                items.iter().map(|item| fill(item, bindings, moment)).collect();
            Value::Structure(items?)
        }
        Content::Literal(printed) => {
            let value = bindings.stand(printed).unwrap_or(printed).clone();
            bindings.note_sent(printed);
            value
        }
        Content::Variable(name) => variable(name, pattern.tag, bindings, moment)?,
        Content::Now(offset) => Value::DateTime(moment.now.saturating_add(*offset)),
    };
    Ok(Node::new(pattern.tag, value))
}

/// A placeholder that no response has given yet: either the response printed a value in its place,
/// then it is the last one under the same tag; or the client invents it.
fn variable(
    name: &str,
    tag: Tag,
    bindings: &mut Bindings,
    moment: Moment,
) -> Result<Value, String> {
    if let Some(value) = bindings.variable(name) {
        return Ok(value.clone());
    }
    let value = if name.contains("_RANDOM_") {
        Value::TextString(format!("claviger-{}-{}", moment.began, name.to_lowercase()))
    } else {
        let last = bindings.last(tag).cloned();
        last.ok_or_else(|| format!("no response has given ${name} for {}", tag_label(tag)))?
    };
    bindings.bind(name, &value);
    Ok(value)
}
