//! The operations table: which versions have an operation, what kind of change it is, who carries
//! it out. Dispatch, Query, permissions and audit follow from it (KMIP 2.1 §6.1, KMIP 1.4 §4).

use claviger_kmip::Version;
use claviger_kmip::codec::{Encoder, Wire};
use claviger_kmip::enums::Operation;
use claviger_kmip::message::RequestItem;
use claviger_kmip::payload::Request;
use claviger_kmip::tags;

use crate::failure::Failure;
use crate::ops::{self, Context};

/// Whether an operation changes anything that lasts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only looks.
    Read,
    /// It changes objects.
    Write,
}

/// Carries out one batch item and writes the payload of its answer.
pub type Handler =
    fn(&mut Context<'_, '_>, &RequestItem<'_>, &mut Encoder<'_>) -> Result<(), Failure>;

/// One operation.
pub struct Row {
    /// Which.
    pub operation: Operation,
    /// The first version that has it.
    pub since: Version,
    /// Whether it changes anything.
    pub kind: Kind,
    /// Who carries it out.
    pub handler: Handler,
}

macro_rules! operations {
    ($($operation:ident $since:ident $kind:ident $handler:path;)*) => {
        /// Every operation of this server, in the order of its number.
        pub static ROWS: &[Row] = &[$(Row {
            operation: Operation::$operation,
            since: Version::$since,
            kind: Kind::$kind,
            handler: |context, item, encoder| call(context, item, encoder, $handler),
        },)*];
    };
}

operations! {
    CREATE V1_0 Write ops::create::create;
    CREATE_KEY_PAIR V1_0 Write ops::create_key_pair::create_key_pair;
    REGISTER V1_0 Write ops::register::register;
    RE_KEY V1_0 Write ops::re_key::re_key;
    DERIVE_KEY V1_0 Write ops::derive_key::derive_key;
    LOCATE V1_0 Read ops::locate::locate;
    CHECK V1_0 Read ops::check::check;
    GET V1_0 Read ops::get::get;
    GET_ATTRIBUTES V1_0 Read ops::get_attributes::get_attributes;
    GET_ATTRIBUTE_LIST V1_0 Read ops::get_attribute_list::get_attribute_list;
    ADD_ATTRIBUTE V1_0 Write ops::add_attribute::add_attribute;
    MODIFY_ATTRIBUTE V1_0 Write ops::modify_attribute::modify_attribute;
    DELETE_ATTRIBUTE V1_0 Write ops::delete_attribute::delete_attribute;
    OBTAIN_LEASE V1_0 Read ops::obtain_lease::obtain_lease;
    GET_USAGE_ALLOCATION V1_0 Write ops::get_usage_allocation::get_usage_allocation;
    ACTIVATE V1_0 Write ops::activate::activate;
    REVOKE V1_0 Write ops::revoke::revoke;
    DESTROY V1_0 Write ops::destroy::destroy;
    QUERY V1_0 Read ops::query::query;
    RE_KEY_KEY_PAIR V1_1 Write ops::re_key_key_pair::re_key_key_pair;
    DISCOVER_VERSIONS V1_1 Read ops::discover_versions::discover_versions;
    ENCRYPT V1_2 Write ops::encrypt::encrypt;
    DECRYPT V1_2 Read ops::decrypt::decrypt;
    SIGN V1_2 Write ops::sign::sign;
    SIGNATURE_VERIFY V1_2 Read ops::signature_verify::signature_verify;
    MAC V1_2 Write ops::mac::mac;
    MAC_VERIFY V1_2 Read ops::mac_verify::mac_verify;
    RNG_RETRIEVE V1_2 Read ops::rng_retrieve::rng_retrieve;
    RNG_SEED V1_2 Read ops::rng_seed::rng_seed;
    HASH V1_2 Read ops::hash::hash;
    IMPORT V1_4 Write ops::import::import;
    EXPORT V1_4 Read ops::export::export;
    LOG V2_0 Read ops::log::log;
    SET_ATTRIBUTE V2_0 Write ops::set_attribute::set_attribute;
    INTEROP V2_0 Read ops::interop::interop;
}

/// The row of an operation.
#[must_use]
pub fn row(operation: Operation) -> Option<&'static Row> {
    ROWS.binary_search_by_key(&operation, |row| row.operation).ok().and_then(|at| ROWS.get(at))
}

/// The operations that a version has.
#[must_use]
pub fn operations(version: Version) -> Vec<Operation> {
    ROWS.iter().filter(|row| row.since <= version).map(|row| row.operation).collect()
}

fn call<T: Request>(
    context: &mut Context<'_, '_>,
    item: &RequestItem<'_>,
    encoder: &mut Encoder<'_>,
    handler: fn(&mut Context<'_, '_>, T) -> Result<T::Response, Failure>,
) -> Result<(), Failure> {
    let request = item.payload::<T>(context.version)?;
    let response = handler(context, request)?;
    response.encode(encoder, tags::RESPONSE_PAYLOAD);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_unique() {
        assert!(ROWS.is_sorted_by(|a, b| a.operation < b.operation));
    }

    #[test]
    fn versions_agree_with_the_enumeration() {
        for row in ROWS {
            assert_eq!(row.operation.since(), Some(row.since), "{:?}", row.operation);
        }
    }
}
