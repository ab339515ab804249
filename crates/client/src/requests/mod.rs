//! Requests as they are mostly made: one table, from which come the functions of this module and
//! the methods of the sessions and clients.
//!
//! A request that has more to say is written out: `session.call(&EncryptRequest { … })`. In a
//! batch, they are what [`Batch::add`](crate::Batch::add) takes.
//!
//! ```
//! use claviger_client::{Batch, requests};
//! use claviger_kmip::Version;
//! use claviger_kmip::attributes::Attribute;
//! use claviger_kmip::attributes::values::Name;
//! use claviger_kmip::payload::GetRequest;
//!
//! # fn main() -> Result<(), claviger_client::Error> {
//! // Locate, and Get what was located: the ID Placeholder.
//! let mut batch = Batch::new(Version::V1_4);
//! batch.header.batch_order_option = Some(true);
//! batch.add(&requests::locate([Attribute::Name(Name::text("backup"))]))?;
//! let key = batch.add(&GetRequest::default())?;
//! let outgoing = batch.finish()?;
//! // Whatever carries `outgoing.bytes` brings an answer, and `Replies` finds the key in it.
//! # let _ = (key, outgoing);
//! # Ok(()) }
//! ```

pub(crate) mod attributes;
pub(crate) mod cryptography;
pub(crate) mod objects;
pub(crate) mod service;

use claviger_kmip::attributes::{Attribute, Attributes, Instance};
use claviger_kmip::compat::TemplateAttributes;

pub use attributes::*;
pub use cryptography::*;
pub use objects::*;
pub use service::*;

/// The types that the tables speak of, for the modules that make something of them.
pub(crate) mod vocabulary {
    pub(crate) use claviger_kmip::Version;
    pub(crate) use claviger_kmip::attributes::values::{
        CryptographicParameters, RevocationReason, UniqueIdentifier,
    };
    pub(crate) use claviger_kmip::attributes::{
        Attribute, AttributeReference, Attributes, Instance,
    };
    pub(crate) use claviger_kmip::codec::{ByteString, Secret};
    pub(crate) use claviger_kmip::compat::{
        AttributeList, CurrentAttribute, DeletedAttribute, NewAttribute, References,
        TemplateAttributes,
    };
    pub(crate) use claviger_kmip::enums::{
        CryptographicAlgorithm, KeyFormatType, ObjectType, QueryFunction, RevocationReasonCode,
    };
    pub(crate) use claviger_kmip::masks::CryptographicUsageMask;
    pub(crate) use claviger_kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
    pub(crate) use claviger_kmip::payload::*;
}

/// Every row of the tables, `name(arguments) -> Request => Response { how the request is made }`,
/// becomes what the callback makes of it.
macro_rules! for_each_request {
    ($callback:ident $context:tt) => {
        $crate::requests::objects::objects!($callback $context);
        $crate::requests::attributes::attributes!($callback $context);
        $crate::requests::cryptography::cryptography!($callback $context);
        $crate::requests::service::service!($callback $context);
    };
}
pub(crate) use for_each_request;

/// The function of each row.
macro_rules! functions {
    (($operations:ident) $(
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $type:ty),* $(,)?) -> $request:ident => $response:ty
        { $($body:tt)* }
    )*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name($($argument: $type),*) -> $request {
                $($body)*
            }
        )*

        #[cfg(test)]
        pub(super) const $operations: &[claviger_kmip::enums::Operation] =
            &[$(<$request as Request>::OPERATION),*];
    };
}
use functions;

fn list(attributes: impl IntoIterator<Item = Attribute>) -> Attributes {
    Attributes(attributes.into_iter().map(Instance::from).collect())
}

fn template(attributes: impl IntoIterator<Item = Attribute>) -> TemplateAttributes {
    TemplateAttributes::from(attributes.into_iter().collect::<Attributes>())
}

#[cfg(test)]
mod tests {
    use claviger_kmip::enums::Operation;
    use claviger_kmip::tables::Enumeration;

    use super::*;

    /// What servers ask clients.
    const SERVERS_ASK: [Operation; 2] = [Operation::NOTIFY, Operation::PUT];

    #[test]
    fn every_operation_of_a_client_has_a_call() {
        let covered = [ATTRIBUTES, CRYPTOGRAPHY, OBJECTS, SERVICE].concat();
        for row in Operation::rows() {
            let operation = Operation(row.code);
            assert_eq!(
                covered.contains(&operation),
                !SERVERS_ASK.contains(&operation),
                "{operation:?}"
            );
        }
    }
}
