//! Reads a policy, in HCL or JSON, as Vault's.
//!
//! What this server does not enforce is refused by name: a policy must never allow more than it
//! says. Pure.

use std::fmt;

use super::hcl::{Word, Words};
use super::json::Node;
use super::rules::{Capabilities, Capability, Grant, Rule, Wrapping};
use crate::duration::parse_seconds_up;

/// What Vault's policies may hold and this server does not enforce.
const NOT_ENFORCED: [&str; 7] = [
    "allowed_parameters",
    "denied_parameters",
    "required_parameters",
    "mfa_methods",
    "control_group",
    "subscribe_event_types",
    "pagination_limit",
];

/// Why a policy does not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError(String);

impl ParseError {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    pub(super) fn at(line: usize, reason: impl Into<String>) -> Self {
        Self(format!("line {line}: {}", reason.into()))
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

/// The rules of a policy.
///
/// # Errors
/// What is not understood, and where.
pub fn parse(text: &str) -> Result<Vec<Rule>, ParseError> {
    if text.trim_start().starts_with('{') { parse_json(text) } else { parse_hcl(text) }
}

fn parse_hcl(text: &str) -> Result<Vec<Rule>, ParseError> {
    let mut words = Words::new(text);
    let mut rules = Vec::new();
    while let Some(word) = words.next()? {
        let (Word::Name(name) | Word::Text(name)) = word else {
            return Err(words.wrong("expected path"));
        };
        match name.as_str() {
            "path" => {
                let pattern = words.text("a path")?;
                words.expect('{')?;
                let block = hcl_block(&mut words, &pattern)?;
                rules.push(block.rule(&pattern)?);
            }
            "name" => {
                words.expect('=')?;
                words.text("a name")?;
            }
            other => return Err(words.wrong(format!("invalid key {other:?}, expected path"))),
        }
    }
    Ok(rules)
}

/// What stands between the braces of a path.
fn hcl_block(words: &mut Words<'_>, pattern: &str) -> Result<Block, ParseError> {
    let mut block = Block::default();
    while !words.take('}')? {
        let Some(Word::Name(name) | Word::Text(name)) = words.next()? else {
            return Err(words.wrong("expected a name or \"}\""));
        };
        let known = Key::of(&name, pattern).map_err(|error| words.wrong(error.0))?;
        words.expect('=')?;
        let values = match known {
            Key::Capabilities => hcl_list(words)?,
            Key::Legacy => vec![words.text("a policy")?],
            Key::MinWrappingTtl | Key::MaxWrappingTtl => vec![hcl_scalar(words)?],
        };
        block.add(known, &values, pattern).map_err(|error| words.wrong(error.0))?;
        // Blocks on one line, as JSON writes them.
        words.take(',')?;
    }
    Ok(block)
}

fn hcl_scalar(words: &mut Words<'_>) -> Result<String, ParseError> {
    match words.next()? {
        Some(Word::Text(text) | Word::Name(text)) => Ok(text),
        _ => Err(words.wrong("expected a duration")),
    }
}

fn hcl_list(words: &mut Words<'_>) -> Result<Vec<String>, ParseError> {
    words.expect('[')?;
    let mut values = Vec::new();
    loop {
        if words.take(']')? {
            return Ok(values);
        }
        values.push(words.text("a capability")?);
        if !words.take(',')? {
            words.expect(']')?;
            return Ok(values);
        }
    }
}

fn parse_json(text: &str) -> Result<Vec<Rule>, ParseError> {
    let node: Node = serde_json::from_str(text).map_err(|error| {
        ParseError::at(error.line(), format!("not JSON at column {}", error.column()))
    })?;
    let mut rules = Vec::new();
    for (name, node) in node.fields().into_iter().flatten() {
        match name.as_str() {
            "path" => json_paths(node, &mut rules)?,
            "name" => {}
            other => return Err(ParseError::new(format!("invalid key {other:?}, expected path"))),
        }
    }
    Ok(rules)
}

/// One object of paths, or several in an array.
fn json_paths(node: &Node, rules: &mut Vec<Rule>) -> Result<(), ParseError> {
    let shape = || ParseError::new("path must be an object of paths");
    let objects: &[Node] = match node {
        Node::Array(items) => items,
        other => std::slice::from_ref(other),
    };
    for object in objects {
        for (pattern, block) in object.fields().ok_or_else(shape)? {
            let mut read = Block::default();
            for (name, node) in block.fields().ok_or_else(shape)? {
                let known = Key::of(name, pattern)?;
                read.add(known, &json_values(node, known, name)?, pattern)?;
            }
            rules.push(read.rule(pattern)?);
        }
    }
    Ok(())
}

fn json_values(node: &Node, key: Key, name: &str) -> Result<Vec<String>, ParseError> {
    let text = |node: &Node| match node {
        Node::Text(text) => Some(text.clone()),
        Node::Number(number) if matches!(key, Key::MinWrappingTtl | Key::MaxWrappingTtl) => {
            Some(number.clone())
        }
        _ => None,
    };
    let values = match node {
        Node::Array(items) => items.iter().map(text).collect(),
        other => text(other).map(|text| vec![text]),
    };
    values.ok_or_else(|| ParseError::new(format!("{name} must be text or a list of texts")))
}

/// A name that a path's block may hold.
#[derive(Clone, Copy)]
enum Key {
    Capabilities,
    /// `policy`, of the time before capabilities.
    Legacy,
    MinWrappingTtl,
    MaxWrappingTtl,
}

impl Key {
    fn of(name: &str, pattern: &str) -> Result<Self, ParseError> {
        match name {
            "capabilities" => Ok(Self::Capabilities),
            "policy" => Ok(Self::Legacy),
            "min_wrapping_ttl" => Ok(Self::MinWrappingTtl),
            "max_wrapping_ttl" => Ok(Self::MaxWrappingTtl),
            other if NOT_ENFORCED.contains(&other) => Err(ParseError::new(format!(
                "path {pattern:?}: {other} is not supported by this server"
            ))),
            other => Err(ParseError::new(format!("path {pattern:?}: invalid key {other:?}"))),
        }
    }
}

/// What a block says, as far as it is read.
#[derive(Default)]
struct Block {
    grant: Grant,
}

impl Block {
    fn add(&mut self, key: Key, values: &[String], pattern: &str) -> Result<(), ParseError> {
        for value in values {
            match key {
                Key::Capabilities => {
                    let one = Capability::from_name(value).map(|one| Capabilities::of(&[one]));
                    self.allow(one, value, pattern)?;
                }
                Key::Legacy => self.allow(legacy(value), value, pattern)?,
                Key::MinWrappingTtl => self.grant.wrapping.min_ttl = ttl(value, pattern)?,
                Key::MaxWrappingTtl => self.grant.wrapping.max_ttl = ttl(value, pattern)?,
            }
        }
        Ok(())
    }

    fn allow(
        &mut self,
        granted: Option<Capabilities>,
        value: &str,
        pattern: &str,
    ) -> Result<(), ParseError> {
        let granted = granted.ok_or_else(|| {
            ParseError::new(format!("path {pattern:?}: invalid capability {value:?}"))
        })?;
        self.grant.capabilities = self.grant.capabilities.and(granted);
        Ok(())
    }

    fn rule(self, pattern: &str) -> Result<Rule, ParseError> {
        let refused = |reason: &str| Err(ParseError::new(format!("path {pattern:?}: {reason}")));
        if pattern.contains("+*") {
            return refused("invalid use of wildcards (\"+*\" is forbidden)");
        }
        if pattern.contains("{{") {
            return refused("templates are not supported by this server");
        }
        let Wrapping { min_ttl, max_ttl } = self.grant.wrapping;
        if max_ttl != 0 && max_ttl < min_ttl {
            return refused("max_wrapping_ttl cannot be less than min_wrapping_ttl");
        }
        Ok(Rule::new(pattern, self.grant))
    }
}

/// Seconds of `min_wrapping_ttl` and `max_wrapping_ttl`.
fn ttl(text: &str, pattern: &str) -> Result<i64, ParseError> {
    parse_seconds_up(text.trim())
        .filter(|seconds| *seconds >= 0)
        .ok_or_else(|| ParseError::new(format!("path {pattern:?}: invalid wrapping ttl {text:?}")))
}

/// The words of the time before capabilities.
fn legacy(policy: &str) -> Option<Capabilities> {
    use Capability::{Create, Delete, Deny, List, Read, Sudo, Update};
    Some(Capabilities::of(match policy {
        "deny" => &[Deny],
        "read" => &[Read, List],
        "write" => &[Create, Read, Update, Delete, List],
        "sudo" => &[Create, Read, Update, Delete, List, Sudo],
        _ => return None,
    }))
}
