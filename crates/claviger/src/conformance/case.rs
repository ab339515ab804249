//! One test case: a dialogue of requests and the responses that are published for them.
//!
//! Must never know a file system: it is given the text.

use claviger_kmip::{Version, enums, tags};
use claviger_ttlv::xml::{self, Element};
use claviger_ttlv::{Limits, Value};

use super::pattern::{Content, Pattern};
use super::transport::Encoding;

/// A dialogue, in the order in which it is played.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The name without title, with `-` between its parts: `TC-311-12`.
    pub(crate) name: String,
    /// The version that the name carries, else the first message's.
    pub(crate) version: Version,
    /// The exchanges.
    pub(crate) steps: Vec<Step>,
}

/// One exchange.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Who asks.
    pub(crate) direction: Direction,
    /// The Request Message.
    pub(crate) request: Pattern,
    /// The Response Message that is published for it.
    pub(crate) response: Pattern,
    /// How long the runner waits before it sends the request.
    pub(crate) wait_seconds: u64,
}

/// Who sends the request of an exchange.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The client asks, the server answers.
    ToServer,
    /// The server asks, the client answers.
    ToClient,
}

/// How far TC-92-12 puts its Deactivation Date ahead, and how far it is put instead.
const AHEAD_SECONDS: i64 = 120;
const NEAR_SECONDS: i64 = 3;
/// The exchange of TC-92-12 before which the date must have passed.
const STEP_AFTER_WAIT: usize = 3;

/// A whole dialogue in one document is larger than one message may be.
const DOCUMENT: Limits = Limits { size_max: 1 << 24, depth_max: 24, items_max: 1 << 20 };

impl Case {
    /// Reads a test-case document; the error says what makes no sense in it.
    pub(crate) fn parse(stem: &str, text: &str) -> Result<Self, String> {
        let roots = xml::elements(first_document(text), &DOCUMENT).map_err(|e| e.to_string())?;
        let [root] = roots.as_slice() else {
            return Err("the document has not exactly one root".to_owned());
        };
        let messages: Result<Vec<_>, _> =
            root.children.iter().filter(is_message).map(Pattern::from_element).collect();
        let name = name(stem);
        let steps = pair(messages?, &name)?;
        let first = steps.first().ok_or_else(|| "the document has no message".to_owned())?;
        let version = name_version(&name).or_else(|| header_version(&first.request));
        let version = version.ok_or_else(|| "no message says its version".to_owned())?;
        let mut case = Self { name, version, steps };
        case.hasten();
        Ok(case)
    }

    /// One case sets a date two minutes ahead and waits for it without saying so: the date is
    /// brought nearer and the wait put in.
    fn hasten(&mut self) {
        if self.name != "TC-92-12" {
            return;
        }
        for step in &mut self.steps {
            step.request.bring_nearer(AHEAD_SECONDS, NEAR_SECONDS);
            step.response.bring_nearer(AHEAD_SECONDS, NEAR_SECONDS);
        }
        if let Some(step) = self.steps.get_mut(STEP_AFTER_WAIT) {
            step.wait_seconds = NEAR_SECONDS.unsigned_abs().saturating_add(1);
        }
    }

    /// The name without version and number: `CS-BC-M`, `TC-STREAM-ENC`.
    pub(crate) fn family(&self) -> &str {
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let mut family = self.name.as_str();
        while let Some((rest, part)) = family.rsplit_once('-') {
            if !is_number(part) {
                break;
            }
            family = rest;
        }
        family
    }

    /// The encoding in which a case of the MSGENC families is meant to be played.
    pub(crate) fn encoding(&self) -> Option<Encoding> {
        match self.family() {
            "MSGENC-HTTPS-M" => Some(Encoding::Https),
            "MSGENC-JSON-M" => Some(Encoding::Json),
            "MSGENC-XML-M" => Some(Encoding::Xml),
            _ => None,
        }
    }
}

/// One published file closes its root twice.
fn first_document(text: &str) -> &str {
    const END: &str = "</KMIP>";
    let end = text.find(END).and_then(|at| at.checked_add(END.len()));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn is_message(element: &&Element) -> bool {
    matches!(element.name.as_str(), "RequestMessage" | "ResponseMessage")
}

/// Pairs requests with responses. They alternate, except in one published file, where two requests
/// come before two responses: there each response belongs to the last request with its operations
/// that is still open, and the exchanges are played in the order of the responses.
fn pair(messages: Vec<Pattern>, name: &str) -> Result<Vec<Step>, String> {
    let mut open: Vec<Pattern> = Vec::new();
    let mut steps = Vec::new();
    for message in messages {
        if message.tag == tags::REQUEST_MESSAGE {
            open.push(message);
            continue;
        }
        let wanted = operations(&message);
        let at = match open.len() {
            1 => Some(0),
            _ => open.iter().rposition(|request| operations(request) == wanted),
        };
        let at = at.ok_or_else(|| "a response without a request".to_owned())?;
        let request = open.remove(at);
        let direction = direction(&request, name);
        steps.push(Step { direction, request, response: message, wait_seconds: 0 });
    }
    if open.is_empty() { Ok(steps) } else { Err("a request without a response".to_owned()) }
}

fn operations(message: &Pattern) -> Vec<u32> {
    let items = message.all(tags::BATCH_ITEM);
    items.filter_map(|item| item.enumeration(tags::OPERATION)).collect()
}

/// Notify and Put are the server's; so is everything in the server-to-client families.
fn direction(request: &Pattern, name: &str) -> Direction {
    let server = [enums::Operation::NOTIFY.0, enums::Operation::PUT.0];
    let is_servers = operations(request).iter().any(|operation| server.contains(operation));
    if is_servers || name.starts_with("TC-Q-S2C") {
        Direction::ToClient
    } else {
        Direction::ToServer
    }
}

/// The published file names have titles and two kinds of separators: `TC_311_12_Create_Destroy`,
/// `CS-BC-M-1-12_Encrypt_with_New_Symmetric_Key`. The version, two digits, ends the name; the
/// number before it may look like one (`SKFF-M-10-12`).
pub(crate) fn name(stem: &str) -> String {
    let parts: Vec<&str> = stem.split(['-', '_']).collect();
    let is_version = |part: &&str| version_of(part).is_some();
    let first = parts.iter().skip(2).position(is_version).map(|at| at.saturating_add(2));
    let Some(first) = first else { return parts.join("-") };
    let versions = parts.iter().skip(first).take_while(|part| is_version(part)).count();
    let name: Vec<&str> = parts.iter().copied().take(first.saturating_add(versions)).collect();
    name.join("-")
}

fn name_version(name: &str) -> Option<Version> {
    version_of(name.rsplit('-').next()?)
}

fn version_of(part: &str) -> Option<Version> {
    let is_version = |version: &Version| part == format!("{}{}", version.major, version.minor);
    Version::ALL.into_iter().find(is_version)
}

/// The Protocol Version of a message.
pub(crate) fn header_version(message: &Pattern) -> Option<Version> {
    let header = message.item(tags::REQUEST_HEADER).or(message.item(tags::RESPONSE_HEADER))?;
    let version = header.item(tags::PROTOCOL_VERSION)?;
    let number = |tag| match version.item(tag)?.content {
        Content::Literal(Value::Integer(number)) => Some(number),
        _ => None,
    };
    Some(Version::new(number(tags::PROTOCOL_VERSION_MAJOR)?, number(tags::PROTOCOL_VERSION_MINOR)?))
}
