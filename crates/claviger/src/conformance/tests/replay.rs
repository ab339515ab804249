//! A server in memory that answers what a case publishes, after a change to it.

use std::collections::HashMap;
use std::io;

use claviger_kmip::tags;
use claviger_ttlv::{ItemType, Node, Tag, Value};

use crate::conformance::case::{Case, Direction, Step};
use crate::conformance::catalogue::Group;
use crate::conformance::pattern::{Content, Pattern};
use crate::conformance::play::{Outcome, play_group};
use crate::conformance::presumed;
use crate::conformance::transport::{Encoding, Transport};

pub(super) const NOW: i64 = 1_800_000_000;

/// Changes the response to an exchange, counted from zero over the group.
pub(super) type Change<'a> = &'a mut dyn FnMut(usize, &mut Node);

pub(super) struct Replay<'a> {
    steps: Vec<Step>,
    played: usize,
    presumed: usize,
    variables: HashMap<String, Value>,
    encoding: Encoding,
    change: Change<'a>,
}

/// Plays cases against themselves.
pub(super) fn play(cases: &[Case], encoding: Encoding, change: Change<'_>) -> Vec<Outcome> {
    let group = Group { cases: cases.to_vec() };
    let steps = cases.iter().flat_map(|case| case.steps.clone()).collect();
    let presumed = presumed::requests(&group).expect("our own documents").len();
    let variables = HashMap::new();
    let mut replay = Replay { steps, played: 0, presumed, variables, encoding, change };
    play_group(&group, &mut replay, encoding, &|| NOW, &|_| {})
}

/// Plays one document against itself, with a change to the response of one exchange.
pub(super) fn play_changed(text: &str, step: usize, change: &dyn Fn(&mut Node)) -> Outcome {
    let case = Case::parse("XX-M-1-14", text).expect("a case");
    let mut change = |played, node: &mut Node| {
        if played == step {
            change(node);
        }
    };
    play(&[case], Encoding::Ttlv, &mut change).remove(0)
}

impl Replay<'_> {
    fn step(&mut self) -> Step {
        let step = self.steps[self.played].clone();
        self.played += 1;
        step
    }

    /// What the request says about placeholders that no response has given.
    fn learn(&mut self, pattern: &Pattern, node: &Node) {
        if let Content::Variable(name) = &pattern.content {
            self.variables.insert(name.clone(), node.value.clone());
        }
        for (pattern, node) in pattern.items().iter().zip(node.children()) {
            self.learn(pattern, node);
        }
    }

    fn publish(&mut self, pattern: &Pattern) -> Node {
        let value = match &pattern.content {
            Content::Structure(items) => {
                Value::Structure(items.iter().map(|item| self.publish(item)).collect())
            }
            Content::Literal(value) => value.clone(),
            Content::Now(offset) => Value::DateTime(NOW + offset),
            Content::Variable(name) => {
                let invented = match pattern.item_type {
                    ItemType::ByteString => Value::ByteString(name.clone().into_bytes()),
                    _ => Value::TextString(format!("the {name}")),
                };
                self.variables.entry(name.clone()).or_insert(invented).clone()
            }
        };
        Node::new(pattern.tag, value)
    }
}

impl Transport for Replay<'_> {
    fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        let request = self.encoding.decode(request).expect("a request");
        if self.presumed > 0 {
            self.presumed -= 1;
            let status = Node::new(tags::RESULT_STATUS, Value::Enumeration(0));
            let item = Node::structure(tags::BATCH_ITEM, vec![status]);
            let response = Node::structure(tags::RESPONSE_MESSAGE, vec![item]);
            return Ok(self.encoding.encode(&response));
        }
        let index = self.played;
        let step = self.step();
        assert_eq!(step.direction, Direction::ToServer);
        self.learn(&step.request, &request);
        let mut response = self.publish(&step.response);
        let version = request.child(tags::REQUEST_HEADER).expect("a header").children()[0].clone();
        children(child(&mut response, tags::RESPONSE_HEADER))[0] = version;
        (self.change)(index, &mut response);
        Ok(self.encoding.encode(&response))
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let index = self.played;
        let step = self.step();
        assert_eq!(step.direction, Direction::ToClient);
        let mut request = self.publish(&step.request);
        (self.change)(index, &mut request);
        Ok(self.encoding.encode(&request))
    }

    fn answer(&mut self, response: &[u8]) -> io::Result<()> {
        self.encoding.decode(response).map(drop).map_err(io::Error::other)
    }
}

/// The children of a structure, to change them.
pub(super) fn children(node: &mut Node) -> &mut Vec<Node> {
    match &mut node.value {
        Value::Structure(children) => children,
        other => panic!("{other:?}"),
    }
}

/// The first child with a tag, to change it.
pub(super) fn child(node: &mut Node, tag: Tag) -> &mut Node {
    children(node).iter_mut().find(|child| child.tag == tag).expect("a child")
}

/// An item below a node, to change it.
pub(super) fn at<'a>(node: &'a mut Node, path: &[Tag]) -> &'a mut Node {
    path.iter().fold(node, |node, tag| child(node, *tag))
}
