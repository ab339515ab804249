//! Every request that was recorded from unmodified third-party clients, sent again over TLS, connection by connection.
//!
//! The recorded answers are another server's. They say which operations succeed and with what result; [`DIFFERENCES`]
//! says where ours must not follow them. Identifiers are mapped as they go: what the recorded server called `5` is
//! whatever ours answered to the same Create.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::kmip::{Reply, SUCCESS, Version, op, reason, tag};
use crate::server::Server;
use crate::tls::{Connection, Identity};
use crate::ttlv::{Item, Value};
use crate::{data, hex};

/// Status and reason of a batch item.
type Outcome = (u32, Option<u32>);

/// Where the recorded answer is not what ours has to be.
struct Difference {
    why: &'static str,
    applies: fn(&Item, &Reply) -> bool,
    /// The items that we answer instead: status and reason of each.
    /// Given whether the object that it names is there.
    ours: fn(&Item, bool) -> Vec<Outcome>,
}

const DIFFERENCES: &[Difference] = &[Difference {
    why: "kmipclient 2.0 asks for attributes with a wrong tag, then by 1.x names; the recorded server could not read \
          that and answered Invalid Message at 1.0. Unknown fields of a payload are ignored, so that all attributes \
          come, at the request's version",
    applies: |_, recorded| {
        recorded.items.iter().any(|item| item.reason == Some(reason::INVALID_MESSAGE))
    },
    ours: |request, there| match there {
        true => operations(request).iter().map(|_| (SUCCESS, None)).collect(),
        false => vec![(1, Some(reason::ITEM_NOT_FOUND))],
    },
}];

/// What all recorded exchanges must add up to, so that a truncated file does not pass.
const EXCHANGES: usize = 658;

/// One line of the recording.
struct Line {
    step: String,
    connection: u64,
    request: bool,
    bytes: Vec<u8>,
}

#[test]
fn every_recorded_request_is_answered_as_its_client_needs() {
    let Some(directory) = data::directory("CLAVIGER_KMIP_RECORDED", "recorded client messages")
    else {
        return;
    };
    let lines = read(&std::fs::read_to_string(directory.join("messages.jsonl")).unwrap());
    let server = Server::start();
    let mut replay = Replay::new(&server);
    let mut exchanges = 0;
    // A connection has at most one request under way, also where connections interleave.
    let mut waiting: HashMap<u64, usize> = HashMap::new();
    for (number, line) in lines.iter().enumerate() {
        if line.request {
            assert!(waiting.insert(line.connection, number).is_none(), "line {number}: pipelined");
            continue;
        }
        let request = waiting.remove(&line.connection).expect("a request before its response");
        let what = format!("line {} ({})", request + 1, line.step);
        replay.exchange(&what, line.connection, &lines[request].bytes, &line.bytes);
        exchanges += 1;
    }
    assert!(
        replay.faults.is_empty(),
        "{} faults:\n{}",
        replay.faults.len(),
        replay.faults.join("\n")
    );
    assert_eq!((exchanges, waiting.len()), (EXCHANGES, 0));
}

#[test]
fn the_test_s_own_codec_keeps_every_recorded_byte() {
    let Some(directory) = data::directory("CLAVIGER_KMIP_RECORDED", "recorded client messages")
    else {
        return;
    };
    let lines = read(&std::fs::read_to_string(directory.join("messages.jsonl")).unwrap());
    for (number, line) in lines.iter().enumerate() {
        let item =
            Item::decode(&line.bytes).unwrap_or_else(|error| panic!("line {number}: {error}"));
        assert_eq!(item.encode(), line.bytes, "line {number}");
        if !line.request {
            Reply::read(&line.bytes).unwrap_or_else(|error| panic!("line {number}: {error}"));
        }
    }
    assert_eq!(lines.len(), 2 * EXCHANGES);
}

fn read(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        Line {
            step: value["step"].as_str().unwrap().to_owned(),
            connection: value["connection"].as_u64().unwrap(),
            request: value["direction"] == "request",
            bytes: hex::decode(value["hex"].as_str().unwrap()),
        }
    };
    text.lines().map(line).collect()
}

/// What is known so far.
struct Replay<'a> {
    server: &'a Server,
    identity: Identity,
    connections: HashMap<u64, Connection>,
    /// The recorded server's identifiers → ours.
    identifiers: HashMap<String, String>,
    /// Ours → the bytes that were registered under it.
    material: HashMap<String, Vec<u8>>,
    /// Ours that are not destroyed.
    alive: HashSet<String>,
    faults: Vec<String>,
}

impl<'a> Replay<'a> {
    fn new(server: &'a Server) -> Self {
        Self {
            server,
            identity: Identity::exported(&server.client),
            connections: HashMap::new(),
            identifiers: HashMap::new(),
            material: HashMap::new(),
            alive: HashSet::new(),
            faults: Vec::new(),
        }
    }

    fn exchange(&mut self, what: &str, connection: u64, request: &[u8], recorded: &[u8]) {
        let mut request = Item::decode(request).unwrap();
        self.map(&mut request);
        let recorded = Reply::read(recorded).unwrap();
        let connection = self
            .connections
            .entry(connection)
            .or_insert_with(|| Connection::open(self.server.kmip, &self.identity).unwrap());
        let frame = match connection.exchange(&request.encode()) {
            Ok(frame) => frame,
            Err(error) => return self.faults.push(format!("{what}: no answer: {error}")),
        };
        if (frame.records, frame.ends_record) != (1, true) {
            self.faults.push(format!("{what}: {} TLS records", frame.records));
        }
        if let Some(limit) = integer(&request, &[tag::REQUEST_HEADER, tag::MAXIMUM_RESPONSE_SIZE])
            && frame.bytes.len() > limit as usize
        {
            self.faults.push(format!("{what}: {} bytes, allowed {limit}", frame.bytes.len()));
        }
        match Reply::read(&frame.bytes) {
            Ok(reply) => {
                let found = self.compare(&request, &recorded, &reply);
                self.faults.extend(found.into_iter().map(|fault| format!("{what}: {fault}")));
                self.learn(&request, &recorded, &reply);
            }
            Err(error) => self.faults.push(format!("{what}: {error}")),
        }
    }

    /// Puts our identifiers where the recorded ones are.
    fn map(&self, item: &mut Item) {
        item.walk_mut(&mut |item| {
            if item.tag == tag::UNIQUE_IDENTIFIER
                && let Value::TextString(id) = &mut item.value
                && let Some(ours) = self.identifiers.get(id)
            {
                id.clone_from(ours);
            }
        });
    }

    /// Remembers which of our identifiers is which of theirs, and what was registered.
    fn learn(&mut self, request: &Item, recorded: &Reply, reply: &Reply) {
        for ((request, theirs), ours) in batch(request).zip(&recorded.items).zip(&reply.items) {
            let operation = ours.operation;
            let made = matches!(operation, Some(op::CREATE | op::REGISTER));
            let (Some(theirs), Some(ours)) =
                (identifier(&theirs.payload), identifier(&ours.payload))
            else {
                continue;
            };
            if operation == Some(op::DESTROY) {
                self.alive.remove(ours);
            }
            if made {
                self.alive.insert(ours.to_owned());
                if let Some(bytes) = key_material(request) {
                    self.material.insert(ours.to_owned(), bytes.to_vec());
                }
                self.identifiers.insert(theirs.to_owned(), ours.to_owned());
            }
        }
    }

    /// The object that a request names first is one of ours, and not destroyed.
    fn is_there(&self, request: &Item) -> bool {
        let named = batch(request).next();
        let path = [tag::REQUEST_PAYLOAD, tag::UNIQUE_IDENTIFIER];
        let named = named.and_then(|item| item.at(&path)).and_then(Item::as_text);
        named.is_some_and(|id| self.alive.contains(id))
    }

    fn compare(&self, request: &Item, recorded: &Reply, reply: &Reply) -> Vec<String> {
        let mut faults = Vec::new();
        let asked = version(request);
        if reply.version != asked {
            faults.push(format!("answered at {:?}, asked at {asked:?}", reply.version));
        }
        if reply.header.child(tag::SERVER_CORRELATION_VALUE).is_some() {
            faults.push("a Server Correlation Value that nobody asked for".into());
        }
        let difference = DIFFERENCES.iter().find(|row| (row.applies)(request, recorded));
        let expected: Vec<_> = match difference {
            Some(row) => (row.ours)(request, self.is_there(request)),
            None => recorded.items.iter().map(|item| (item.status, item.reason)).collect(),
        };
        // 2.x has finer words for an object that is not there.
        let coarse = |code: u32| match reason::ABSENT.contains(&code) && asked.0 >= 2 {
            true => reason::ITEM_NOT_FOUND,
            false => code,
        };
        let found: Vec<_> =
            reply.items.iter().map(|item| (item.status, item.reason.map(coarse))).collect();
        if found != expected {
            let messages: Vec<_> =
                reply.items.iter().filter_map(|i| i.message.as_deref()).collect();
            let why = difference.map_or("as recorded", |row| row.why);
            let operations = operations(request);
            faults.push(format!(
                "operations {operations:02x?}: {found:02x?} {messages:?}, expected {expected:02x?} ({why})"
            ));
            return faults;
        }
        for (index, (request, ours)) in batch(request).zip(&reply.items).enumerate() {
            let operation = request.child(tag::OPERATION).and_then(Item::as_enumeration);
            let id = request.child(tag::UNIQUE_BATCH_ITEM_ID).and_then(Item::as_bytes);
            if (ours.operation, ours.id.as_deref()) != (operation, id) {
                faults.push(format!("item {index}: operation and batch item id are not echoed"));
            }
            let theirs = recorded.items.get(index).and_then(|item| item.payload.as_ref());
            let (Some(payload), SUCCESS) = (&ours.payload, ours.status) else { continue };
            let fault = match ours.operation {
                Some(op::LOCATE) => self.compare_locate(asked, request, theirs, payload),
                Some(op::GET) => self.compare_get(payload),
                Some(op::GET_ATTRIBUTES) => compare_attributes(request, theirs, payload),
                Some(op::ACTIVATE | op::REVOKE | op::DESTROY) => {
                    echoed_identifier(request, payload)
                }
                _ => None,
            };
            faults.extend(fault);
        }
        faults
    }

    /// The same objects; a full page may be another part of them, because the recorded server's order is not ours.
    fn compare_locate(
        &self,
        asked: Version,
        request: &Item,
        theirs: Option<&Item>,
        ours: &Item,
    ) -> Option<String> {
        if ours.child(tag::LOCATED_ITEMS).is_some() != (asked >= (1, 3)) {
            return Some(
                "Located Items belongs to every answer from 1.3 on, and to none before".into(),
            );
        }
        let theirs: BTreeSet<_> = identifiers(theirs?)
            .map(|id| self.identifiers.get(id).map_or(id, String::as_str))
            .collect();
        let ours: BTreeSet<_> = identifiers(ours).collect();
        let page = integer(request, &[tag::REQUEST_PAYLOAD, tag::MAXIMUM_ITEMS]);
        let offset = integer(request, &[tag::REQUEST_PAYLOAD, OFFSET_ITEMS]).is_some();
        let partial = offset || page.is_some_and(|page| page as usize <= theirs.len());
        let equal = if partial { ours.len() == theirs.len() } else { ours == theirs };
        (!equal).then(|| format!("located {ours:?}, expected {theirs:?}"))
    }

    /// What was registered comes back, byte for byte.
    fn compare_get(&self, payload: &Item) -> Option<String> {
        let id = payload.child(tag::UNIQUE_IDENTIFIER)?.as_text()?;
        let registered = self.material.get(id)?;
        (key_material(payload) != Some(registered.as_slice()))
            .then(|| "the key material is not what was registered".into())
    }
}

const OFFSET_ITEMS: u32 = 0x42_00d4;

/// Attributes that have one true value, whichever server answers: name in 1.x, tag in 2.x.
const COMPARED: &[(&str, u32)] = &[
    ("Object Type", tag::OBJECT_TYPE),
    ("Name", tag::NAME),
    ("Cryptographic Algorithm", tag::CRYPTOGRAPHIC_ALGORITHM),
    ("Cryptographic Length", tag::CRYPTOGRAPHIC_LENGTH),
    ("Cryptographic Usage Mask", tag::CRYPTOGRAPHIC_USAGE_MASK),
    ("State", 0x42_008d),
    ("Object Group", 0x42_0056),
];

/// Only what was asked for, and what the recorded server said of it where there is one truth.
fn compare_attributes(request: &Item, theirs: Option<&Item>, ours: &Item) -> Option<String> {
    let payload = request.child(tag::REQUEST_PAYLOAD)?;
    let asked: Vec<_> = payload
        .children()
        .iter()
        .filter(|item| item.tag == tag::ATTRIBUTE_NAME)
        .filter_map(Item::as_text)
        .collect();
    let named =
        ours.children().iter().filter_map(|item| item.child(tag::ATTRIBUTE_NAME)?.as_text());
    if let Some(name) = named.into_iter().find(|name| !asked.is_empty() && !asked.contains(name)) {
        return Some(format!("{name} was not asked for"));
    }
    let theirs = theirs?;
    let wrong = COMPARED.iter().find(|row| {
        let values = attribute_values(theirs, row);
        !values.is_empty() && values != attribute_values(ours, row)
    })?;
    let (theirs, ours) = (attribute_values(theirs, wrong), attribute_values(ours, wrong));
    Some(format!("{} is {ours:?}, expected {theirs:?}", wrong.0))
}

/// The values of one attribute in a payload of either shape.
fn attribute_values<'a>(payload: &'a Item, (name, number): &(&str, u32)) -> Vec<&'a Value> {
    if let Some(attributes) = payload.child(tag::ATTRIBUTES) {
        let found = attributes.children().iter().filter(|item| item.tag == *number);
        return found.map(|item| &item.value).collect();
    }
    let is_named =
        |item: &&Item| item.child(tag::ATTRIBUTE_NAME).and_then(Item::as_text) == Some(*name);
    let found = payload.children().iter().filter(is_named);
    found.filter_map(|item| Some(&item.child(tag::ATTRIBUTE_VALUE)?.value)).collect()
}

fn echoed_identifier(request: &Item, ours: &Item) -> Option<String> {
    let asked = request.at(&[tag::REQUEST_PAYLOAD, tag::UNIQUE_IDENTIFIER]);
    (asked != ours.child(tag::UNIQUE_IDENTIFIER)).then(|| "another identifier is answered".into())
}

fn version(request: &Item) -> Version {
    let part = |part| {
        integer(request, &[tag::REQUEST_HEADER, tag::PROTOCOL_VERSION, part]).expect("a version")
    };
    (part(tag::PROTOCOL_VERSION_MAJOR), part(tag::PROTOCOL_VERSION_MINOR))
}

fn batch(request: &Item) -> impl Iterator<Item = &Item> {
    request.children().iter().filter(|item| item.tag == tag::BATCH_ITEM)
}

fn operations(request: &Item) -> Vec<u32> {
    batch(request)
        .filter_map(|item| item.child(tag::OPERATION).and_then(Item::as_enumeration))
        .collect()
}

fn integer(item: &Item, path: &[u32]) -> Option<i32> {
    item.at(path).and_then(Item::as_integer)
}

fn identifier(payload: &Option<Item>) -> Option<&str> {
    payload.as_ref()?.child(tag::UNIQUE_IDENTIFIER)?.as_text()
}

fn identifiers(payload: &Item) -> impl Iterator<Item = &str> {
    payload
        .children()
        .iter()
        .filter(|item| item.tag == tag::UNIQUE_IDENTIFIER)
        .filter_map(Item::as_text)
}

fn key_material(item: &Item) -> Option<&[u8]> {
    let mut found = None;
    item.walk(&mut |item| {
        if item.tag == tag::KEY_MATERIAL {
            found = item.as_bytes();
        }
    });
    found
}
