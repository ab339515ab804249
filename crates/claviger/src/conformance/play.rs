//! Plays the cases of a group, in order, on one connection.

use std::io;

use claviger_kmip::enums::Operation;
use claviger_kmip::tables::KmipNames;
use claviger_kmip::tags;
use claviger_ttlv::{Node, text};

use super::bindings::Bindings;
use super::case::{Case, Direction, Step};
use super::catalogue::Group;
use super::dialogue::{compare_request, compare_response, note_presumed};
use super::presumed;
use super::request::{Moment, fill};
use super::transport::{Encoding, Transport};

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every response was what is published.
    Pass,
    /// A response was not.
    Fail(Failure),
    /// The case was not played.
    Excluded(String),
}

/// Where and how a case failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exchange, its operation, and the first deviation.
    pub(crate) reason: String,
    /// The request and response of that exchange, for people.
    pub(crate) messages: String,
}

/// Plays a group. `now` is the clock in POSIX seconds, `wait` sleeps.
pub(crate) fn play_group(
    group: &Group,
    transport: &mut dyn Transport,
    encoding: Encoding,
    now: &dyn Fn() -> i64,
    wait: &dyn Fn(u64),
) -> Vec<Outcome> {
    let began = now();
    let mut bindings = Bindings::default();
    let mut player = Player { transport, encoding, bindings: &mut bindings };
    let moment = || Moment { began, now: now() };
    if let Err(reason) = player.presume(group, &moment) {
        let reason = format!("what the case presumes cannot be set up: {reason}");
        let failure = Failure { reason, messages: String::new() };
        return vec![Outcome::Fail(failure); group.cases.len()];
    }
    let play = |case| {
        player.bindings.begin_case();
        player.case(case, &moment, wait)
    };
    group.cases.iter().map(play).collect()
}

struct Player<'a> {
    transport: &'a mut dyn Transport,
    encoding: Encoding,
    bindings: &'a mut Bindings,
}

/// Why an exchange did not go as published.
enum Stop {
    Unsupported,
    Failed { reason: String, sent: Option<Node>, received: Option<Node> },
}

impl Stop {
    fn because(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), sent: None, received: None }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::Unsupported => Self::Unsupported,
            _ => Self::because(format!("the connection failed: {error}")),
        }
    }
}

impl Player<'_> {
    fn presume(&mut self, group: &Group, moment: &dyn Fn() -> Moment) -> Result<(), String> {
        for request in presumed::requests(group)? {
            let sent = fill(&request, self.bindings, moment())?;
            let received = self.transport.exchange(&self.encoding.encode(&sent));
            let received = self.encoding.decode(&received.map_err(|error| error.to_string())?)?;
            note_presumed(&sent, &received, self.bindings)?;
        }
        Ok(())
    }

    fn case(&mut self, case: &Case, moment: &dyn Fn() -> Moment, wait: &dyn Fn(u64)) -> Outcome {
        for (index, step) in case.steps.iter().enumerate() {
            if step.wait_seconds != 0 {
                wait(step.wait_seconds);
            }
            let played = match step.direction {
                Direction::ToServer => self.ask(step, moment),
                Direction::ToClient => self.answer(step, moment),
            };
            match played {
                Ok(()) => {}
                Err(Stop::Unsupported) => {
                    let reason = "it needs a connection from the server to the client";
                    return Outcome::Excluded(reason.to_owned());
                }
                Err(Stop::Failed { reason, sent, received }) => {
                    let number = index.saturating_add(1);
                    let operations = operations(step);
                    return Outcome::Fail(Failure {
                        reason: format!("exchange {number} ({operations}): {reason}"),
                        messages: messages(sent.as_ref(), received.as_ref()),
                    });
                }
            }
        }
        Outcome::Pass
    }

    fn ask(&mut self, step: &Step, moment: &dyn Fn() -> Moment) -> Result<(), Stop> {
        let sent = fill(&step.request, self.bindings, moment()).map_err(Stop::because)?;
        let received = self.transport.exchange(&self.encoding.encode(&sent))?;
        let received = match self.encoding.decode(&received) {
            Ok(received) => received,
            Err(reason) => {
                let reason = format!("the response cannot be read: {reason}");
                return Err(Stop::Failed { reason, sent: Some(sent), received: None });
            }
        };
        let published = (&step.request, &step.response);
        let compared = compare_response(published, &sent, &received, self.bindings, moment());
        compared.map_err(|deviation| Stop::Failed {
            reason: deviation.to_string(),
            sent: Some(sent),
            received: Some(received),
        })
    }

    fn answer(&mut self, step: &Step, moment: &dyn Fn() -> Moment) -> Result<(), Stop> {
        let received = self.transport.receive()?;
        let received = self.encoding.decode(&received);
        let received = received
            .map_err(|reason| Stop::because(format!("the request cannot be read: {reason}")))?;
        let compared = compare_request(&step.request, &received, self.bindings, moment());
        if let Err(deviation) = compared {
            let reason = deviation.to_string();
            return Err(Stop::Failed { reason, sent: None, received: Some(received) });
        }
        let answer = fill(&step.response, self.bindings, moment()).map_err(Stop::because)?;
        Ok(self.transport.answer(&self.encoding.encode(&answer))?)
    }
}

fn operations(step: &Step) -> String {
    let items = step.request.all(tags::BATCH_ITEM);
    let names: Vec<_> = items
        .filter_map(|item| item.enumeration(tags::OPERATION))
        .map(|operation| Operation(operation).to_string())
        .collect();
    names.join(", ")
}

/// The cases are published, so nothing in them is secret.
fn messages(sent: Option<&Node>, received: Option<&Node>) -> String {
    let show = |node: &Node| text::write(node, &KmipNames, &|_| false);
    let sent = sent.map(|node| format!("sent:\n{}", show(node)));
    let received = received.map(|node| format!("received:\n{}", show(node)));
    sent.into_iter().chain(received).collect::<Vec<_>>().join("")
}
