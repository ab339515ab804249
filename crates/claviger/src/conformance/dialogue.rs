//! One exchange: the whole response is compared, and what it teaches is noted.
//!
//! Must never know a transport.

use claviger_kmip::enums::{Operation, ResultStatus};
use claviger_kmip::tags;
use claviger_ttlv::{Node, Tag, Value};

use super::bindings::{Bindings, Origin};
use super::compare::{Comparison, Deviation};
use super::pattern::{Content, Pattern, node_label, tag_label};
use super::permitted::{self, Exchange};
use super::request::Moment;

/// Compares a response with the published one, for the request that was sent.
pub(crate) fn compare_response(
    published: (&Pattern, &Pattern),
    sent: &Node,
    received: &Node,
    bindings: &mut Bindings,
    moment: Moment,
) -> Result<(), Deviation> {
    let (request, expected) = published;
    let root = tag_label(expected.tag);
    let is_message = received.tag == expected.tag && !received.children().is_empty();
    let Some((header, items)) = received.children().split_first().filter(|_| is_message) else {
        let actual = tag_label(received.tag);
        return Err(Deviation { path: String::new(), expected: root, actual });
    };
    let expected_header = header_for(expected, sent);
    let header_exchange = Exchange::default();
    let mut comparison = Comparison { bindings, exchange: &header_exchange, moment };
    comparison.item(&expected_header, header, tags::RESPONSE_MESSAGE, &root)?;

    let expected_items: Vec<_> = expected.all(tags::BATCH_ITEM).collect();
    if items.len() != expected_items.len() {
        let expected = format!("{} batch items", expected_items.len());
        let actual: Vec<_> = items.iter().map(|item| node_label(item, item.tag)).collect();
        let actual = format!("{}: {}", items.len(), actual.join(" "));
        return Err(Deviation { path: root, expected, actual });
    }
    let requests: Vec<_> = request.all(tags::BATCH_ITEM).collect();
    let sent_items: Vec<_> =
        sent.children().iter().filter(|item| item.tag == tags::BATCH_ITEM).collect();
    for (index, (expected, actual)) in expected_items.iter().zip(items).enumerate() {
        let sent = sent_items.get(index).copied();
        let exchange = exchange(requests.get(index).copied(), sent, expected, actual, bindings);
        let path = format!("{root}[{index}]");
        let mut comparison = Comparison { bindings, exchange: &exchange, moment };
        comparison.item(expected, actual, tags::RESPONSE_MESSAGE, &path)?;
        note_origins(&exchange, sent, actual, bindings);
    }
    Ok(())
}

/// Compares a request that the server sends with the published one.
pub(crate) fn compare_request(
    expected: &Pattern,
    received: &Node,
    bindings: &mut Bindings,
    moment: Moment,
) -> Result<(), Deviation> {
    let is_generated = any_origin(received, bindings, |origin| origin.is_generated);
    let exchange = Exchange { is_generated, ..Exchange::default() };
    let mut comparison = Comparison { bindings, exchange: &exchange, moment };
    comparison.item(expected, received, tags::REQUEST_MESSAGE, "")
}

/// Notes what came of a request that sets up what a case presumes; it must have succeeded.
pub(crate) fn note_presumed(
    sent: &Node,
    received: &Node,
    bindings: &mut Bindings,
) -> Result<(), String> {
    let is_item = |item: &&Node| item.tag == tags::BATCH_ITEM;
    for sent in sent.children().iter().filter(is_item) {
        let item = received.children().iter().find(is_item).filter(|item| is_success(item));
        let item = item.ok_or_else(|| node_label(received, received.tag))?;
        let exchange = Exchange { operation: operation(Some(sent)), ..Exchange::default() };
        note_origins(&exchange, Some(sent), item, bindings);
    }
    Ok(())
}

fn is_success(item: &Node) -> bool {
    let status = item.child(tags::RESULT_STATUS).map(|status| &status.value);
    status == Some(&Value::Enumeration(ResultStatus::SUCCESS.0))
}

fn operation(sent: Option<&Node>) -> Option<Operation> {
    match sent?.child(tags::OPERATION)?.value {
        Value::Enumeration(operation) => Some(Operation(operation)),
        _ => None,
    }
}

/// The published header with the version of the request: a server answers in that.
fn header_for(expected: &Pattern, sent: &Node) -> Pattern {
    let mut header = expected.item(tags::RESPONSE_HEADER).cloned().unwrap_or(Pattern {
        tag: tags::RESPONSE_HEADER,
        context: tags::RESPONSE_HEADER,
        item_type: claviger_ttlv::ItemType::Structure,
        content: Content::Structure(Vec::new()),
    });
    let version = sent.child(tags::REQUEST_HEADER).and_then(|h| h.child(tags::PROTOCOL_VERSION));
    let Content::Structure(items) = &mut header.content else { return header };
    let published = items.iter_mut().find(|item| item.tag == tags::PROTOCOL_VERSION);
    if let (Some(version), Some(published)) = (version, published) {
        for (number, item) in version.children().iter().zip(items_of(published)) {
            item.content = Content::Literal(number.value.clone());
        }
    }
    header
}

fn items_of(pattern: &mut Pattern) -> &mut [Pattern] {
    match &mut pattern.content {
        Content::Structure(items) => items,
        _ => &mut [],
    }
}

/// What the comparison of one batch item needs to know.
fn exchange(
    request: Option<&Pattern>,
    sent: Option<&Node>,
    expected: &Pattern,
    actual: &Node,
    bindings: &Bindings,
) -> Exchange {
    let operation = operation(sent);
    let has = |tag: Tag| {
        let payload = sent.and_then(|sent| sent.child(tags::REQUEST_PAYLOAD));
        payload.is_some_and(|payload| payload.child(tag).is_some())
    };
    let any_of = |property: fn(Origin) -> bool| {
        sent.is_some_and(|sent| any_origin(sent, bindings, property))
            || any_origin(actual, bindings, property)
    };
    let is_generated = any_of(|origin| origin.is_generated);
    let is_variable = is_generated
        || any_of(|origin| origin.is_randomised)
        || sent.is_some_and(|sent| permitted::is_randomised(operation, sent))
        || returns_new_iv(expected, bindings);
    let mut variables = Vec::new();
    if let Some(request) = request {
        request.visit(&mut |item| {
            if let Content::Variable(name) = &item.content {
                variables.push(name.clone());
            }
        });
    }
    Exchange {
        operation,
        is_generated,
        is_variable: is_variable && operation != Some(Operation::HASH),
        names_attributes: has(tags::ATTRIBUTE_NAME) || has(tags::ATTRIBUTE_REFERENCE),
        lists_versions: has(tags::PROTOCOL_VERSION),
        names_format: has(tags::KEY_FORMAT_TYPE),
        variables,
    }
}

/// A response that returns an initialisation vector which nobody sent: the server chose it.
fn returns_new_iv(expected: &Pattern, bindings: &Bindings) -> bool {
    let payload = expected.item(tags::RESPONSE_PAYLOAD);
    match payload.and_then(|payload| payload.item(tags::IV_COUNTER_NONCE)).map(|iv| &iv.content) {
        Some(Content::Literal(printed)) => !bindings.was_sent(printed),
        Some(Content::Variable(_)) => true,
        _ => false,
    }
}

fn any_origin(node: &Node, bindings: &Bindings, property: impl Fn(Origin) -> bool) -> bool {
    permitted::any(node, &|item| {
        unique_identifier(item).is_some_and(|name| property(bindings.origin(name)))
    })
}

fn unique_identifier(item: &Node) -> Option<&str> {
    let is_name = matches!(
        item.tag,
        tags::UNIQUE_IDENTIFIER
            | tags::PRIVATE_KEY_UNIQUE_IDENTIFIER
            | tags::PUBLIC_KEY_UNIQUE_IDENTIFIER
    );
    match &item.value {
        Value::TextString(name) if is_name => Some(name),
        _ => None,
    }
}

/// Notes where the objects came from that an operation made.
fn note_origins(exchange: &Exchange, sent: Option<&Node>, actual: &Node, bindings: &mut Bindings) {
    if !is_success(actual) {
        return;
    }
    let is_generated = match exchange.operation {
        Some(
            Operation::CREATE
            | Operation::CREATE_KEY_PAIR
            | Operation::CREATE_SPLIT_KEY
            | Operation::RE_KEY
            | Operation::RE_KEY_KEY_PAIR
            | Operation::CERTIFY
            | Operation::RE_CERTIFY,
        ) => true,
        Some(Operation::REGISTER | Operation::IMPORT) => false,
        Some(Operation::DERIVE_KEY | Operation::JOIN_SPLIT_KEY) => exchange.is_generated,
        _ => return,
    };
    let is_randomised = sent.is_some_and(|sent| permitted::is_randomised(exchange.operation, sent));
    let origin = Origin { is_generated, is_randomised };
    let Some(payload) = actual.child(tags::RESPONSE_PAYLOAD) else { return };
    for item in payload.children() {
        if let Some(name) = unique_identifier(item) {
            bindings.note_origin(name, origin);
        }
    }
}
