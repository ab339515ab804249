//! Server Information: what a server says about itself (KMIP 2.1 §7.37).
//!
//! 1.x leaves the content to the vendor; 2.0 names some fields and leaves the rest. It must never
//! know what this server says.

use claviger_ttlv::{Item, Node, Tag, Value};

use crate::codec::{Encoder, Field, Wire};
use crate::error::Error;
use crate::{Version, tags};

/// What a server says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerInformation {
    /// Name, serial number, version and so on, in the order of the specification's table (2.x).
    pub fields: Vec<(Tag, String)>,
    /// What the vendor adds.
    pub vendor_specific: Vec<Node>,
}

impl ServerInformation {
    /// The text fields of 2.x in their order.
    pub const FIELDS: [Tag; 9] = [
        tags::SERVER_NAME,
        tags::SERVER_SERIAL_NUMBER,
        tags::SERVER_VERSION,
        tags::SERVER_LOAD,
        tags::PRODUCT_NAME,
        tags::BUILD_LEVEL,
        tags::BUILD_DATE,
        tags::CLUSTER_INFO,
        tags::ALTERNATE_FAILOVER_ENDPOINTS,
    ];

    /// The first value of a text field.
    #[must_use]
    pub fn field(&self, tag: Tag) -> Option<&str> {
        self.fields.iter().find(|(it, _)| *it == tag).map(|(_, text)| text.as_str())
    }
}

impl Wire for ServerInformation {
    fn decode(item: &Item<'_>, _: Version) -> Result<Self, Error> {
        let mut information = Self::default();
        let mut reader = item.structure()?;
        while let Some(item) = reader.next_item()? {
            let node = Node::from_item(&item)?;
            match &node.value {
                Value::TextString(text) if Self::FIELDS.contains(&node.tag) => {
                    information.fields.push((node.tag, text.clone()));
                }
                _ => information.vendor_specific.push(node),
            }
        }
        Ok(information)
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        encoder.structure(tag, |encoder| {
            if !encoder.version().is_1x() {
                for (tag, text) in &self.fields {
                    text.put(encoder, *tag);
                }
            }
            for node in &self.vendor_specific {
                node.put(encoder, node.tag);
            }
        });
    }
}
