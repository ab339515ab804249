//! TTLV for tests: a tree, written and read strictly.
//!
//! It shares no line with the server's codec, so that both cannot be wrong in the same way. It must never learn a
//! KMIP name beyond what [`crate::kmip`] hands it. KMIP 1.4 §9.1.

/// One item: a tag and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) tag: u32,
    pub(crate) value: Value,
}

/// The value of an item, one variant per type of KMIP 1.0 to 2.1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Structure(Vec<Item>),
    Integer(i32),
    LongInteger(i64),
    BigInteger(Vec<u8>),
    Enumeration(u32),
    Boolean(bool),
    TextString(String),
    ByteString(Vec<u8>),
    DateTime(i64),
    Interval(u32),
    DateTimeExtended(i64),
}

impl Item {
    pub(crate) fn structure(tag: u32, children: Vec<Item>) -> Self {
        Self { tag, value: Value::Structure(children) }
    }
    pub(crate) fn integer(tag: u32, value: i32) -> Self {
        Self { tag, value: Value::Integer(value) }
    }
    pub(crate) fn long_integer(tag: u32, value: i64) -> Self {
        Self { tag, value: Value::LongInteger(value) }
    }
    pub(crate) fn enumeration(tag: u32, value: u32) -> Self {
        Self { tag, value: Value::Enumeration(value) }
    }
    pub(crate) fn boolean(tag: u32, value: bool) -> Self {
        Self { tag, value: Value::Boolean(value) }
    }
    pub(crate) fn text(tag: u32, value: &str) -> Self {
        Self { tag, value: Value::TextString(value.to_owned()) }
    }
    pub(crate) fn bytes(tag: u32, value: &[u8]) -> Self {
        Self { tag, value: Value::ByteString(value.to_vec()) }
    }
    pub(crate) fn date_time(tag: u32, value: i64) -> Self {
        Self { tag, value: Value::DateTime(value) }
    }

    /// The children of a structure; nothing for any other type.
    pub(crate) fn children(&self) -> &[Item] {
        match &self.value {
            Value::Structure(children) => children,
            _ => &[],
        }
    }

    /// The first child with this tag.
    pub(crate) fn child(&self, tag: u32) -> Option<&Item> {
        self.children().iter().find(|child| child.tag == tag)
    }

    /// Follows first children with these tags.
    pub(crate) fn at(&self, path: &[u32]) -> Option<&Item> {
        path.iter().try_fold(self, |item, tag| item.child(*tag))
    }

    /// Every item of the tree, outermost first.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Item)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// Every item of the tree, to be changed in place.
    pub(crate) fn walk_mut(&mut self, visit: &mut dyn FnMut(&mut Item)) {
        visit(self);
        if let Value::Structure(children) = &mut self.value {
            for child in children {
                child.walk_mut(visit);
            }
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::TextString(text) => Some(text),
            _ => None,
        }
    }
    pub(crate) fn as_bytes(&self) -> Option<&[u8]> {
        match &self.value {
            Value::ByteString(bytes) => Some(bytes),
            _ => None,
        }
    }
    pub(crate) fn as_integer(&self) -> Option<i32> {
        match self.value {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }
    pub(crate) fn as_enumeration(&self) -> Option<u32> {
        match self.value {
            Value::Enumeration(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut value = Vec::new();
        let kind = match &self.value {
            Value::Structure(children) => {
                for child in children {
                    child.write(&mut value);
                }
                1
            }
            Value::Integer(v) => put(&mut value, &v.to_be_bytes(), 2),
            Value::LongInteger(v) => put(&mut value, &v.to_be_bytes(), 3),
            Value::BigInteger(v) => put(&mut value, v, 4),
            Value::Enumeration(v) => put(&mut value, &v.to_be_bytes(), 5),
            Value::Boolean(v) => put(&mut value, &u64::from(*v).to_be_bytes(), 6),
            Value::TextString(v) => put(&mut value, v.as_bytes(), 7),
            Value::ByteString(v) => put(&mut value, v, 8),
            Value::DateTime(v) => put(&mut value, &v.to_be_bytes(), 9),
            Value::Interval(v) => put(&mut value, &v.to_be_bytes(), 10),
            Value::DateTimeExtended(v) => put(&mut value, &v.to_be_bytes(), 11),
        };
        out.extend_from_slice(&raw(self.tag, kind, value.len() as u32, &value));
    }

    /// Reads exactly one item that fills `bytes`; anything the specification does not allow is an error.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Item, String> {
        let mut rest = bytes;
        let item = read(&mut rest, 0)?;
        if rest.is_empty() {
            Ok(item)
        } else {
            Err(format!("{} bytes follow the item", rest.len()))
        }
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8], kind: u8) -> u8 {
    out.extend_from_slice(bytes);
    kind
}

/// Header, value and padding, with the type and length that the caller wants, true or not.
pub(crate) fn raw(tag: u32, kind: u8, length: u32, value: &[u8]) -> Vec<u8> {
    let mut out = tag.to_be_bytes()[1..].to_vec();
    out.push(kind);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

fn read(rest: &mut &[u8], depth: usize) -> Result<Item, String> {
    let (header, after) = rest.split_at_checked(8).ok_or("the header is cut short")?;
    let tag = u32::from_be_bytes([0, header[0], header[1], header[2]]);
    let kind = header[3];
    let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
    let fail = |what: &str| Err(format!("{tag:06x}, type {kind}, {length} bytes: {what}"));
    if depth > 32 {
        return fail("nested too deep");
    }
    let Some((value, after)) = after.split_at_checked(length) else {
        return fail("the value is cut short");
    };
    let Some((padding, after)) = after.split_at_checked(length.next_multiple_of(8) - length) else {
        return fail("the padding is cut short");
    };
    if padding.iter().any(|byte| *byte != 0) {
        return fail("the padding is not zero");
    }
    *rest = after;
    let value = match (kind, length) {
        (1, _) => {
            let mut inner = value;
            let mut children = Vec::new();
            while !inner.is_empty() {
                children.push(read(&mut inner, depth + 1)?);
            }
            Value::Structure(children)
        }
        (2, 4) => Value::Integer(i32::from_be_bytes(value.try_into().unwrap())),
        (3, 8) => Value::LongInteger(i64::from_be_bytes(value.try_into().unwrap())),
        (4, _) if length > 0 && length.is_multiple_of(8) => Value::BigInteger(value.to_vec()),
        (5, 4) => Value::Enumeration(u32::from_be_bytes(value.try_into().unwrap())),
        (6, 8) if value == 0u64.to_be_bytes() => Value::Boolean(false),
        (6, 8) if value == 1u64.to_be_bytes() => Value::Boolean(true),
        (7, _) => match String::from_utf8(value.to_vec()) {
            Ok(text) => Value::TextString(text),
            Err(_) => return fail("not UTF-8"),
        },
        (8, _) => Value::ByteString(value.to_vec()),
        (9, 8) => Value::DateTime(i64::from_be_bytes(value.try_into().unwrap())),
        (10, 4) => Value::Interval(u32::from_be_bytes(value.try_into().unwrap())),
        (11, 8) => Value::DateTimeExtended(i64::from_be_bytes(value.try_into().unwrap())),
        _ => return fail("no such type, or the wrong length for it"),
    };
    Ok(Item { tag, value })
}

#[test]
fn the_specification_s_vectors_encode_and_decode() {
    let vectors = [
        (Item::integer(0x42_0020, 8), "42002002000000040000000800000000"),
        (Item::enumeration(0x42_0020, 255), "4200200500000004000000FF00000000"),
        (Item::boolean(0x42_0020, true), "42002006000000080000000000000001"),
        (Item::text(0x42_0020, "Hello World"), "420020070000000B48656C6C6F20576F726C640000000000"),
        (Item::bytes(0x42_0020, &[1, 2, 3]), "42002008000000030102030000000000"),
        (Item::date_time(0x42_0020, 0x47da_67f8), "42002009000000080000000047DA67F8"),
        (
            Item::structure(
                0x42_0020,
                vec![Item::enumeration(0x42_0004, 254), Item::integer(0x42_0005, 255)],
            ),
            "42002001000000204200040500000004000000FE000000004200050200000004000000FF00000000",
        ),
    ];
    for (item, hex) in vectors {
        assert_eq!(crate::hex::encode(&item.encode()), hex.to_lowercase());
        assert_eq!(Item::decode(&crate::hex::decode(hex)), Ok(item));
    }
}
