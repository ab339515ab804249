//! Just enough KMIP to write requests and read replies: names for the numbers that the tests use, a request builder,
//! a reply reader. KMIP 1.4 §9.1.3, KMIP 2.1 §11.
//!
//! The numbers are the specification's, written here a second time on purpose: a wrong table in the server shows.

use crate::server::Server;
use crate::tls::{Connection, Frame, Identity};
use crate::ttlv::{Item, Value};

/// Tags.
pub(crate) mod tag {
    pub(crate) const ATTRIBUTE: u32 = 0x42_0008;
    pub(crate) const ATTRIBUTE_NAME: u32 = 0x42_000a;
    pub(crate) const ATTRIBUTE_VALUE: u32 = 0x42_000b;
    pub(crate) const BATCH_COUNT: u32 = 0x42_000d;
    pub(crate) const BATCH_ERROR_CONTINUATION_OPTION: u32 = 0x42_000e;
    pub(crate) const BATCH_ITEM: u32 = 0x42_000f;
    pub(crate) const BATCH_ORDER_OPTION: u32 = 0x42_0010;
    pub(crate) const BLOCK_CIPHER_MODE: u32 = 0x42_0011;
    pub(crate) const CRYPTOGRAPHIC_ALGORITHM: u32 = 0x42_0028;
    pub(crate) const CRYPTOGRAPHIC_LENGTH: u32 = 0x42_002a;
    pub(crate) const CRYPTOGRAPHIC_PARAMETERS: u32 = 0x42_002b;
    pub(crate) const CRYPTOGRAPHIC_USAGE_MASK: u32 = 0x42_002c;
    pub(crate) const EXTENSION_INFORMATION: u32 = 0x42_00a4;
    pub(crate) const IV_COUNTER_NONCE: u32 = 0x42_003d;
    pub(crate) const KEY_BLOCK: u32 = 0x42_0040;
    pub(crate) const KEY_FORMAT_TYPE: u32 = 0x42_0042;
    pub(crate) const KEY_MATERIAL: u32 = 0x42_0043;
    pub(crate) const KEY_VALUE: u32 = 0x42_0045;
    pub(crate) const MAXIMUM_ITEMS: u32 = 0x42_004f;
    pub(crate) const MAXIMUM_RESPONSE_SIZE: u32 = 0x42_0050;
    pub(crate) const NAME: u32 = 0x42_0053;
    pub(crate) const NAME_TYPE: u32 = 0x42_0054;
    pub(crate) const NAME_VALUE: u32 = 0x42_0055;
    pub(crate) const OBJECT_TYPE: u32 = 0x42_0057;
    pub(crate) const OPERATION: u32 = 0x42_005c;
    pub(crate) const PADDING_METHOD: u32 = 0x42_005f;
    pub(crate) const PROTOCOL_VERSION: u32 = 0x42_0069;
    pub(crate) const PROTOCOL_VERSION_MAJOR: u32 = 0x42_006a;
    pub(crate) const PROTOCOL_VERSION_MINOR: u32 = 0x42_006b;
    pub(crate) const QUERY_FUNCTION: u32 = 0x42_0074;
    pub(crate) const REQUEST_HEADER: u32 = 0x42_0077;
    pub(crate) const REQUEST_MESSAGE: u32 = 0x42_0078;
    pub(crate) const REQUEST_PAYLOAD: u32 = 0x42_0079;
    pub(crate) const RESPONSE_HEADER: u32 = 0x42_007a;
    pub(crate) const RESPONSE_MESSAGE: u32 = 0x42_007b;
    pub(crate) const RESPONSE_PAYLOAD: u32 = 0x42_007c;
    pub(crate) const RESULT_MESSAGE: u32 = 0x42_007d;
    pub(crate) const RESULT_REASON: u32 = 0x42_007e;
    pub(crate) const RESULT_STATUS: u32 = 0x42_007f;
    pub(crate) const REVOCATION_MESSAGE: u32 = 0x42_0080;
    pub(crate) const REVOCATION_REASON: u32 = 0x42_0081;
    pub(crate) const REVOCATION_REASON_CODE: u32 = 0x42_0082;
    pub(crate) const SECRET_DATA: u32 = 0x42_0085;
    pub(crate) const SECRET_DATA_TYPE: u32 = 0x42_0086;
    pub(crate) const SERVER_INFORMATION: u32 = 0x42_0088;
    pub(crate) const SYMMETRIC_KEY: u32 = 0x42_008f;
    pub(crate) const TEMPLATE_ATTRIBUTE: u32 = 0x42_0091;
    pub(crate) const TIME_STAMP: u32 = 0x42_0092;
    pub(crate) const UNIQUE_BATCH_ITEM_ID: u32 = 0x42_0093;
    pub(crate) const UNIQUE_IDENTIFIER: u32 = 0x42_0094;
    pub(crate) const VENDOR_IDENTIFICATION: u32 = 0x42_009d;
    pub(crate) const DATA: u32 = 0x42_00c2;
    pub(crate) const LOCATED_ITEMS: u32 = 0x42_00d5;
    pub(crate) const SERVER_CORRELATION_VALUE: u32 = 0x42_0106;
    pub(crate) const ATTRIBUTES: u32 = 0x42_0125;
}

/// Operations.
pub(crate) mod op {
    pub(crate) const CREATE: u32 = 0x01;
    pub(crate) const CREATE_KEY_PAIR: u32 = 0x02;
    pub(crate) const REGISTER: u32 = 0x03;
    pub(crate) const RE_KEY: u32 = 0x04;
    pub(crate) const LOCATE: u32 = 0x08;
    pub(crate) const GET: u32 = 0x0a;
    pub(crate) const GET_ATTRIBUTES: u32 = 0x0b;
    pub(crate) const GET_ATTRIBUTE_LIST: u32 = 0x0c;
    pub(crate) const ADD_ATTRIBUTE: u32 = 0x0d;
    pub(crate) const MODIFY_ATTRIBUTE: u32 = 0x0e;
    pub(crate) const DELETE_ATTRIBUTE: u32 = 0x0f;
    pub(crate) const ACTIVATE: u32 = 0x12;
    pub(crate) const REVOKE: u32 = 0x13;
    pub(crate) const DESTROY: u32 = 0x14;
    pub(crate) const QUERY: u32 = 0x18;
    pub(crate) const DISCOVER_VERSIONS: u32 = 0x1e;
    pub(crate) const ENCRYPT: u32 = 0x1f;
    pub(crate) const DECRYPT: u32 = 0x20;
}

/// Result reasons.
pub(crate) mod reason {
    pub(crate) const ITEM_NOT_FOUND: u32 = 0x01;
    pub(crate) const RESPONSE_TOO_LARGE: u32 = 0x02;
    pub(crate) const AUTHENTICATION_NOT_SUCCESSFUL: u32 = 0x03;
    pub(crate) const INVALID_MESSAGE: u32 = 0x04;
    pub(crate) const OPERATION_NOT_SUPPORTED: u32 = 0x05;
    pub(crate) const MISSING_DATA: u32 = 0x06;
    pub(crate) const INVALID_FIELD: u32 = 0x07;
    pub(crate) const PERMISSION_DENIED: u32 = 0x0c;
    pub(crate) const CODEC_ERROR: u32 = 0x26;
    pub(crate) const OBJECT_DESTROYED: u32 = 0x36;
    pub(crate) const OBJECT_NOT_FOUND: u32 = 0x37;
    pub(crate) const UNSUPPORTED_PROTOCOL_VERSION: u32 = 0x3f;

    /// What says that an object is not there: one reason in 1.x, names of its own in 2.x.
    pub(crate) const ABSENT: [u32; 3] = [ITEM_NOT_FOUND, OBJECT_NOT_FOUND, OBJECT_DESTROYED];
}

/// The value of Result Status for a success; 1 is a failure, 3 an undone item.
pub(crate) const SUCCESS: u32 = 0;

/// A protocol version, major then minor.
pub(crate) type Version = (i32, i32);

/// One operation of a request.
pub(crate) struct Operation {
    pub(crate) code: u32,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) payload: Vec<Item>,
}

impl Operation {
    pub(crate) fn new(code: u32, payload: Vec<Item>) -> Self {
        Self { code, id: None, payload }
    }

    /// With a Unique Batch Item ID.
    pub(crate) fn id(mut self, id: &[u8]) -> Self {
        self.id = Some(id.to_vec());
        self
    }

    fn item(&self) -> Item {
        let mut children = vec![Item::enumeration(tag::OPERATION, self.code)];
        children.extend(self.id.iter().map(|id| Item::bytes(tag::UNIQUE_BATCH_ITEM_ID, id)));
        children.push(Item::structure(tag::REQUEST_PAYLOAD, self.payload.clone()));
        Item::structure(tag::BATCH_ITEM, children)
    }
}

/// A request: header fields in the specification's order, then its operations.
pub(crate) fn request(version: Version, header: Vec<Item>, operations: &[Operation]) -> Item {
    let mut fields = vec![version_item(version)];
    fields.extend(header);
    fields.push(Item::integer(tag::BATCH_COUNT, operations.len() as i32));
    let mut children = vec![Item::structure(tag::REQUEST_HEADER, fields)];
    children.extend(operations.iter().map(Operation::item));
    Item::structure(tag::REQUEST_MESSAGE, children)
}

/// Protocol Version.
pub(crate) fn version_item((major, minor): Version) -> Item {
    Item::structure(
        tag::PROTOCOL_VERSION,
        vec![
            Item::integer(tag::PROTOCOL_VERSION_MAJOR, major),
            Item::integer(tag::PROTOCOL_VERSION_MINOR, minor),
        ],
    )
}

/// Unique Identifier.
pub(crate) fn unique_identifier(id: &str) -> Item {
    Item::text(tag::UNIQUE_IDENTIFIER, id)
}

/// An attribute in the shape of 1.x; the value's own tag is replaced.
pub(crate) fn attribute(name: &str, value: Value) -> Item {
    Item::structure(
        tag::ATTRIBUTE,
        vec![Item::text(tag::ATTRIBUTE_NAME, name), Item { tag: tag::ATTRIBUTE_VALUE, value }],
    )
}

/// The fields of a Name of type Uninterpreted Text String.
pub(crate) fn name_fields(name: &str) -> Value {
    Value::Structure(vec![Item::text(tag::NAME_VALUE, name), Item::enumeration(tag::NAME_TYPE, 1)])
}

/// What Create and Register say about an AES-256 key, in the shape of the version.
pub(crate) fn aes_attributes(version: Version, usage_mask: i32, name: Option<&str>) -> Item {
    key_attributes(version, 256, usage_mask, name)
}

/// The same for an AES key of any length, also one that AES does not have.
fn key_attributes(version: Version, bits: i32, usage_mask: i32, name: Option<&str>) -> Item {
    if version.0 >= 2 {
        let mut fields = vec![
            Item::enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3),
            Item::integer(tag::CRYPTOGRAPHIC_LENGTH, bits),
            Item::integer(tag::CRYPTOGRAPHIC_USAGE_MASK, usage_mask),
        ];
        fields.extend(name.map(|name| Item { tag: tag::NAME, value: name_fields(name) }));
        return Item::structure(tag::ATTRIBUTES, fields);
    }
    let mut attributes = vec![
        attribute("Cryptographic Algorithm", Value::Enumeration(3)),
        attribute("Cryptographic Length", Value::Integer(bits)),
        attribute("Cryptographic Usage Mask", Value::Integer(usage_mask)),
    ];
    attributes.extend(name.map(|name| attribute("Name", name_fields(name))));
    Item::structure(tag::TEMPLATE_ATTRIBUTE, attributes)
}

/// Create of an AES-256 key for Encrypt and Decrypt.
pub(crate) fn create(version: Version, name: Option<&str>) -> Operation {
    let object_type = Item::enumeration(tag::OBJECT_TYPE, 2);
    Operation::new(op::CREATE, vec![object_type, aes_attributes(version, 12, name)])
}

/// Register of a raw AES key.
pub(crate) fn register(version: Version, key: &[u8], name: Option<&str>) -> Operation {
    let bits = key.len() as i32 * 8;
    let block = key_block(1, key, Some((3, bits)));
    let payload = vec![
        Item::enumeration(tag::OBJECT_TYPE, 2),
        key_attributes(version, bits, 12, name),
        Item::structure(tag::SYMMETRIC_KEY, vec![block]),
    ];
    Operation::new(op::REGISTER, payload)
}

/// A Key Block: format, bytes, and algorithm with length where the object has them.
pub(crate) fn key_block(format: u32, material: &[u8], algorithm: Option<(u32, i32)>) -> Item {
    let mut fields = vec![
        Item::enumeration(tag::KEY_FORMAT_TYPE, format),
        Item::structure(tag::KEY_VALUE, vec![Item::bytes(tag::KEY_MATERIAL, material)]),
    ];
    if let Some((algorithm, length)) = algorithm {
        fields.push(Item::enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, algorithm));
        fields.push(Item::integer(tag::CRYPTOGRAPHIC_LENGTH, length));
    }
    Item::structure(tag::KEY_BLOCK, fields)
}

/// An operation whose payload is a Unique Identifier.
pub(crate) fn on(code: u32, id: &str) -> Operation {
    Operation::new(code, vec![unique_identifier(id)])
}

/// Revoke with a reason code.
pub(crate) fn revoke(id: &str, code: u32) -> Operation {
    let reason = Item::structure(
        tag::REVOCATION_REASON,
        vec![
            Item::enumeration(tag::REVOCATION_REASON_CODE, code),
            Item::text(tag::REVOCATION_MESSAGE, "About to be deleted"),
        ],
    );
    Operation::new(op::REVOKE, vec![unique_identifier(id), reason])
}

/// A reply, checked for the shape that every reply has.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) version: Version,
    pub(crate) header: Item,
    pub(crate) items: Vec<ReplyItem>,
}

/// The last tag that a version knows; tags were given out in order.
fn youngest_tag(version: Version) -> u32 {
    match version {
        (1, 0) => 0x42_00a1,
        (1, 1) => 0x42_00b7,
        (1, 2) => 0x42_00d3,
        (1, 3) => 0x42_00f7,
        (1, _) => 0x42_0124,
        (2, 0) => 0x42_0165,
        _ => 0x42_0169,
    }
}

/// One batch item of a reply.
#[derive(Debug)]
pub(crate) struct ReplyItem {
    pub(crate) operation: Option<u32>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) status: u32,
    pub(crate) reason: Option<u32>,
    pub(crate) message: Option<String>,
    pub(crate) payload: Option<Item>,
}

impl Reply {
    /// Reads a reply; what no reply may lack (or have) is an error.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let message = Item::decode(bytes)?;
        if message.tag != tag::RESPONSE_MESSAGE {
            return Err(format!("not a Response Message but {:06x}", message.tag));
        }
        let [header, items @ ..] = message.children() else {
            return Err("an empty message".into());
        };
        let number = |path: &[u32]| header.at(path).and_then(Item::as_integer);
        let version = number(&[tag::PROTOCOL_VERSION, tag::PROTOCOL_VERSION_MAJOR])
            .zip(number(&[tag::PROTOCOL_VERSION, tag::PROTOCOL_VERSION_MINOR]))
            .ok_or("no Protocol Version")?;
        match header.child(tag::TIME_STAMP).map(|item| &item.value) {
            Some(Value::DateTime(_)) => {}
            other => return Err(format!("Time Stamp is {other:?}")),
        }
        let count = number(&[tag::BATCH_COUNT]).ok_or("no Batch Count")?;
        if header.tag != tag::RESPONSE_HEADER || usize::try_from(count) != Ok(items.len()) {
            return Err(format!("Batch Count {count} over {} items", items.len()));
        }
        let mut young = None;
        message.walk(&mut |item| {
            if item.tag > youngest_tag(version) && item.tag >> 16 == 0x42 {
                young = Some(item.tag);
            }
        });
        if let Some(tag) = young {
            return Err(format!("tag {tag:06x} is younger than {version:?}"));
        }
        let items = items.iter().map(ReplyItem::read).collect::<Result<_, _>>()?;
        Ok(Self { version, header: header.clone(), items })
    }

    /// The only item of the reply to a request of one operation.
    pub(crate) fn only(self) -> ReplyItem {
        let [item] = <[ReplyItem; 1]>::try_from(self.items).expect("one batch item");
        item
    }
}

impl ReplyItem {
    fn read(item: &Item) -> Result<Self, String> {
        if item.tag != tag::BATCH_ITEM {
            return Err(format!("not a Batch Item but {:06x}", item.tag));
        }
        let status = item.child(tag::RESULT_STATUS).and_then(Item::as_enumeration);
        let found = Self {
            operation: item.child(tag::OPERATION).and_then(Item::as_enumeration),
            id: item.child(tag::UNIQUE_BATCH_ITEM_ID).and_then(Item::as_bytes).map(<[u8]>::to_vec),
            status: status.ok_or("no Result Status")?,
            reason: item.child(tag::RESULT_REASON).and_then(Item::as_enumeration),
            message: item.child(tag::RESULT_MESSAGE).and_then(Item::as_text).map(str::to_owned),
            payload: item.child(tag::RESPONSE_PAYLOAD).cloned(),
        };
        if (found.status == 1) != found.reason.is_some() {
            return Err(format!("a reason goes with a failure and only with it: {found:?}"));
        }
        Ok(found)
    }

    /// The payload of a success.
    pub(crate) fn success(self) -> Item {
        assert_eq!(
            self.status, SUCCESS,
            "{:?}: {:?} {:?}",
            self.operation, self.reason, self.message
        );
        self.payload.unwrap_or_else(|| Item::structure(tag::RESPONSE_PAYLOAD, Vec::new()))
    }

    /// The reason of a failure.
    pub(crate) fn failure(&self) -> u32 {
        self.reason.unwrap_or_else(|| panic!("expected a failure, got {self:?}"))
    }

    /// The Unique Identifier of a success.
    pub(crate) fn unique_identifier(self) -> String {
        let payload = self.success();
        let id = payload.child(tag::UNIQUE_IDENTIFIER).and_then(Item::as_text);
        id.expect("a Unique Identifier").to_owned()
    }
}

/// A KMIP client on one connection.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) version: Version,
}

impl Client {
    /// The credential that `--export-client` wrote, on a new connection.
    pub(crate) fn connect(server: &Server, version: Version) -> Self {
        Self::connect_as(server, version, &Identity::exported(&server.client))
    }

    /// Another credential, on a new connection.
    pub(crate) fn connect_as(server: &Server, version: Version, identity: &Identity) -> Self {
        let connection = Connection::open(server.kmip, identity).unwrap();
        Self { connection, version }
    }

    /// One operation, one reply.
    pub(crate) fn call(&mut self, operation: Operation) -> ReplyItem {
        let message = request(self.version, Vec::new(), &[operation]);
        self.send(&message).only()
    }

    /// Any request, its reply; the version must be the request's.
    pub(crate) fn send(&mut self, message: &Item) -> Reply {
        let frame = self.exchange(&message.encode());
        let reply = Reply::read(&frame.bytes).unwrap();
        assert_eq!(reply.version, self.version, "answered in another version");
        reply
    }

    /// Bytes, and the frame that answers them.
    pub(crate) fn exchange(&mut self, bytes: &[u8]) -> Frame {
        self.connection.exchange(bytes).unwrap()
    }
}
