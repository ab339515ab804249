//! What may differ between a published response and a real one (KMIP Profiles 1.0 §4.7.1 and, in
//! the same words, every later version). Everything that is not permitted here is a deviation:
//! "other variations not explicitly noted shall be deemed non-conformant".
//!
//! Must never know how trees are walked: it answers about one place at a time.

use claviger_kmip::enums::{CryptographicAlgorithm, KeyFormatType, Operation, PaddingMethod};
use claviger_kmip::tags;
use claviger_ttlv::{Node, Tag, Value};

use super::bindings::Bindings;
use super::pattern::Pattern;

/// How a printed value is compared with a real one of the same type.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// They are equal.
    Exact,
    /// Any value will do.
    Any,
    /// Any value as long as the printed one.
    AnyOfLength,
    /// Any value on first sight; later the printed value stands for that one.
    Stands,
    /// The same, and it is as long as the printed one.
    StandsOfLength,
}

/// What the comparison of one batch item needs to know of its request.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) operation: Option<Operation>,
    /// The server chose a key that takes part.
    pub(crate) is_generated: bool,
    /// The result differs every time.
    pub(crate) is_variable: bool,
    /// The request says which attributes it wants.
    pub(crate) names_attributes: bool,
    /// The request says which versions it knows.
    pub(crate) lists_versions: bool,
    /// The request says in which format it wants the key.
    pub(crate) names_format: bool,
    /// The placeholders in the request.
    pub(crate) variables: Vec<String>,
}

/// Attributes that the clock sets, unless a request fixes them.
const DATES: [Tag; 16] = [
    tags::TIME_STAMP,
    tags::ACTIVATION_DATE,
    tags::ARCHIVE_DATE,
    tags::COMPROMISE_DATE,
    tags::COMPROMISE_OCCURRENCE_DATE,
    tags::DEACTIVATION_DATE,
    tags::DESTROY_DATE,
    tags::INITIAL_DATE,
    tags::LAST_CHANGE_DATE,
    tags::ORIGINAL_CREATION_DATE,
    tags::PROCESS_START_DATE,
    tags::PROTECT_STOP_DATE,
    tags::VALIDITY_DATE,
    tags::BUILD_DATE,
    tags::ROTATE_DATE,
    tags::SUBMISSION_DATE,
];

/// Names that a server chooses.
const IDENTIFIERS: [Tag; 7] = [
    tags::UNIQUE_IDENTIFIER,
    tags::PRIVATE_KEY_UNIQUE_IDENTIFIER,
    tags::PUBLIC_KEY_UNIQUE_IDENTIFIER,
    tags::REPLACED_UNIQUE_IDENTIFIER,
    tags::SHORT_UNIQUE_IDENTIFIER,
    tags::LINKED_OBJECT_IDENTIFIER,
    tags::ASYNCHRONOUS_CORRELATION_VALUE,
];

/// What of a certificate its issuer chooses.
const ISSUERS: [Tag; 6] = [
    tags::SERIAL_NUMBER,
    tags::CERTIFICATE_SERIAL_NUMBER,
    tags::ISSUER,
    tags::ISSUER_DISTINGUISHED_NAME,
    tags::CERTIFICATE_ISSUER_DISTINGUISHED_NAME,
    tags::CERTIFICATE_LENGTH,
];

/// A symmetric key has a fixed length, an encoded asymmetric key has not; none of the published
/// symmetric keys is longer.
const SYMMETRIC_LENGTH_MAX: usize = 64;

/// The rule for a printed value under `pattern`, in a structure whose meaning is `parent`.
pub(crate) fn rule(
    pattern: &Pattern,
    printed: &Value,
    parent: Tag,
    exchange: &Exchange,
    bindings: &Bindings,
) -> Rule {
    let tag = pattern.context;
    match tag {
        tags::TIME_STAMP
        | tags::RESULT_MESSAGE
        | tags::SERVER_CORRELATION_VALUE
        | tags::CLIENT_CORRELATION_VALUE
        | tags::DIGEST_VALUE
        | tags::CANCELLATION_RESULT => return Rule::Any,
        tags::HASHING_ALGORITHM | tags::KEY_FORMAT_TYPE if parent == tags::DIGEST => {
            return Rule::Any;
        }
        tags::VENDOR_IDENTIFICATION if parent == tags::RESPONSE_PAYLOAD => return Rule::Any,
        tags::PKCS_11_OUTPUT_PARAMETERS => return Rule::AnyOfLength,
        _ => {}
    }
    if bindings.was_sent(printed) {
        return Rule::Exact;
    }
    if IDENTIFIERS.contains(&tag) {
        return Rule::Stands;
    }
    if DATES.contains(&tag) {
        return Rule::Any;
    }
    let is_result = matches!(
        tag,
        tags::DATA | tags::MAC_DATA | tags::IV_COUNTER_NONCE | tags::AUTHENTICATED_ENCRYPTION_TAG
    );
    if exchange.is_variable && is_result {
        return Rule::StandsOfLength;
    }
    if exchange.is_variable && tag == tags::SIGNATURE_DATA {
        return Rule::Stands;
    }
    if exchange.is_generated {
        return of_generated_object(tag, printed, parent);
    }
    Rule::Exact
}

fn of_generated_object(tag: Tag, printed: &Value, parent: Tag) -> Rule {
    let is_key =
        parent == tags::KEY_MATERIAL || tag == tags::KEY_MATERIAL || tag == tags::KEY_VALUE;
    let is_bytes = matches!(printed, Value::ByteString(_));
    if is_key && is_bytes && printed.wire_size() <= SYMMETRIC_LENGTH_MAX {
        return Rule::StandsOfLength;
    }
    if is_key || tag == tags::CERTIFICATE_VALUE || ISSUERS.contains(&tag) {
        return Rule::Stands;
    }
    Rule::Exact
}

/// Whether a server may choose another format for a key that it made: a known one, and for a
/// symmetric key one that is for symmetric keys.
pub(crate) fn is_format_like(printed: u32, actual: u32) -> bool {
    let (printed, actual) = (KeyFormatType(printed), KeyFormatType(actual));
    let symmetric = [KeyFormatType::RAW, KeyFormatType::TRANSPARENT_SYMMETRIC_KEY];
    let is_alike = symmetric.contains(&printed) == symmetric.contains(&actual);
    printed != actual && is_alike && actual.row().is_some()
}

/// Whether nothing inside a structure of this meaning is compared.
pub(crate) fn is_free_inside(context: Tag) -> bool {
    matches!(
        context,
        tags::SERVER_INFORMATION
            | tags::RNG_PARAMETERS
            | tags::RANDOM_NUMBER_GENERATOR
            | tags::EXTENSION_INFORMATION
    )
}

/// Whether a published item may be missing.
pub(crate) fn may_be_missing(parent: Tag, item: &Pattern) -> bool {
    use super::pattern::Content;
    match (parent, item.tag) {
        (
            tags::RESPONSE_HEADER,
            tags::SERVER_CORRELATION_VALUE | tags::CLIENT_CORRELATION_VALUE,
        ) => !matches!(item.content, Content::Variable(_)),
        (tags::BATCH_ITEM, tags::RESULT_MESSAGE) => true,
        (tags::ATTRIBUTE, tags::ATTRIBUTE_INDEX) => {
            item.content == Content::Literal(Value::Integer(0))
        }
        (tags::RESPONSE_PAYLOAD, tag) => is_optional_payload(tag),
        _ => false,
    }
}

/// Whether an item that is not published may be there.
pub(crate) fn may_be_added(parent: Tag, item: &Node) -> bool {
    match (parent, item.tag) {
        (
            tags::RESPONSE_HEADER,
            tags::SERVER_CORRELATION_VALUE | tags::CLIENT_CORRELATION_VALUE,
        )
        | (tags::BATCH_ITEM, tags::RESULT_MESSAGE) => matches!(item.value, Value::TextString(_)),
        (tags::BATCH_ITEM, tags::MESSAGE_EXTENSION) => {
            let critical = item.child(tags::CRITICALITY_INDICATOR).map(|item| &item.value);
            critical == Some(&Value::Boolean(false))
        }
        (tags::ATTRIBUTE, tags::ATTRIBUTE_INDEX) => item.value == Value::Integer(0),
        (tags::RESPONSE_PAYLOAD, tag) => is_optional_payload(tag),
        _ => false,
    }
}

fn is_optional_payload(tag: Tag) -> bool {
    matches!(
        tag,
        tags::TEMPLATE_ATTRIBUTE
            | tags::PRIVATE_KEY_TEMPLATE_ATTRIBUTE
            | tags::PUBLIC_KEY_TEMPLATE_ATTRIBUTE
            | tags::EXTENSION_INFORMATION
            | tags::APPLICATION_NAMESPACE
    )
}

/// How the items with one tag in a structure are compared.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// In the published order, all of them.
    Fixed,
    /// In any order, all of them.
    Any,
    /// In any order, and there may be more.
    AnyAndMore,
}

/// The order rule for the items with `tag` in a structure.
pub(crate) fn order(parent: Tag, tag: Tag, exchange: &Exchange) -> Order {
    if parent == tags::ATTRIBUTES {
        return Order::AnyAndMore;
    }
    if (parent, tag) == (tags::REQUEST_PAYLOAD, tags::ATTRIBUTE) {
        // Notify and Put carry attributes as a response does.
        return Order::AnyAndMore;
    }
    if parent != tags::RESPONSE_PAYLOAD {
        return Order::Fixed;
    }
    match (exchange.operation, tag) {
        (Some(Operation::GET_ATTRIBUTES), tags::ATTRIBUTE)
        | (Some(Operation::GET_ATTRIBUTE_LIST), tags::ATTRIBUTE_NAME | tags::ATTRIBUTE_REFERENCE)
        | (Some(Operation::QUERY), tags::OPERATION | tags::OBJECT_TYPE | tags::RNG_PARAMETERS) => {
            Order::AnyAndMore
        }
        (
            Some(Operation::QUERY),
            tags::PROFILE_INFORMATION
            | tags::VALIDATION_INFORMATION
            | tags::CAPABILITY_INFORMATION
            | tags::CLIENT_REGISTRATION_METHOD
            | tags::ATTESTATION_TYPE,
        ) => Order::Any,
        (Some(Operation::DISCOVER_VERSIONS), tags::PROTOCOL_VERSION)
            if !exchange.lists_versions =>
        {
            Order::AnyAndMore
        }
        _ => Order::Fixed,
    }
}

/// Whether an item that is left over where [`Order::AnyAndMore`] holds may be there: any, except
/// that a request which names its attributes gets no others than Object Groups and `y-` ones.
pub(crate) fn may_be_more(item: &Node, exchange: &Exchange) -> bool {
    if exchange.operation != Some(Operation::GET_ATTRIBUTES) || !exchange.names_attributes {
        return true;
    }
    let text = |tag| match item.child(tag).map(|child| &child.value) {
        Some(Value::TextString(text)) => Some(text.as_str()),
        _ => None,
    };
    let name = text(tags::ATTRIBUTE_NAME);
    item.tag == tags::OBJECT_GROUP
        || name == Some("Object Group")
        || name.is_some_and(|name| name.starts_with("y-"))
        || text(tags::VENDOR_IDENTIFICATION) == Some("y")
}

/// Whether a request has a result that differs every time: random numbers, padding that draws
/// them, an initialisation vector that the server chooses, signatures with a random part.
pub(crate) fn is_randomised(operation: Option<Operation>, request: &Node) -> bool {
    if operation == Some(Operation::RNG_RETRIEVE) {
        return true;
    }
    any(request, &|node| match (node.tag, &node.value) {
        (tags::RANDOM_IV, value) => *value == Value::Boolean(true),
        (tags::PADDING_METHOD, Value::Enumeration(padding)) => {
            let padding = PaddingMethod(*padding);
            let is_encryption = operation != Some(Operation::SIGN);
            padding == PaddingMethod::OAEP
                || padding == PaddingMethod::PSS
                || padding == PaddingMethod::PKCS1V1_5 && is_encryption
        }
        (tags::CRYPTOGRAPHIC_ALGORITHM, Value::Enumeration(algorithm)) => {
            let algorithm = CryptographicAlgorithm(*algorithm);
            matches!(algorithm, CryptographicAlgorithm::ECDSA | CryptographicAlgorithm::DSA)
        }
        _ => false,
    })
}

/// Whether any item in a tree has the property.
pub(crate) fn any(node: &Node, property: &dyn Fn(&Node) -> bool) -> bool {
    property(node) || node.children().iter().any(|child| any(child, property))
}
