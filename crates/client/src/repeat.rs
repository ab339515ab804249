//! What may be asked again after the answer was lost: one table over the operations.

use claviger_kmip::enums::Operation;

/// Whether a request may be sent again when nobody knows if it was carried out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Yes: it only reads, or a second time leaves what the first time left.
    Yes,
    /// Yes, unless it is a part of a stream, which would then have that part twice.
    Whole,
    /// No: a second time makes a second object, uses something up, or is refused because the
    /// first time worked.
    No,
}

/// Every operation, and whether it may be asked again. KMIP 2.1 §6.1 in the order of the codes.
const TABLE: &[(Operation, Repeat)] = &[
    (Operation::CREATE, Repeat::No),
    (Operation::CREATE_KEY_PAIR, Repeat::No),
    (Operation::REGISTER, Repeat::No),
    (Operation::RE_KEY, Repeat::No),
    (Operation::DERIVE_KEY, Repeat::No),
    (Operation::CERTIFY, Repeat::No),
    (Operation::RE_CERTIFY, Repeat::No),
    (Operation::LOCATE, Repeat::Yes),
    (Operation::CHECK, Repeat::Yes),
    (Operation::GET, Repeat::Yes),
    (Operation::GET_ATTRIBUTES, Repeat::Yes),
    (Operation::GET_ATTRIBUTE_LIST, Repeat::Yes),
    (Operation::ADD_ATTRIBUTE, Repeat::No),
    (Operation::MODIFY_ATTRIBUTE, Repeat::No),
    (Operation::DELETE_ATTRIBUTE, Repeat::No),
    (Operation::OBTAIN_LEASE, Repeat::Yes),
    (Operation::GET_USAGE_ALLOCATION, Repeat::No),
    (Operation::ACTIVATE, Repeat::No),
    (Operation::REVOKE, Repeat::No),
    (Operation::DESTROY, Repeat::No),
    (Operation::ARCHIVE, Repeat::No),
    (Operation::RECOVER, Repeat::No),
    (Operation::VALIDATE, Repeat::Yes),
    (Operation::QUERY, Repeat::Yes),
    (Operation::CANCEL, Repeat::No),
    // A server may forget a result that it has handed over.
    (Operation::POLL, Repeat::No),
    (Operation::NOTIFY, Repeat::No),
    (Operation::PUT, Repeat::No),
    (Operation::RE_KEY_KEY_PAIR, Repeat::No),
    (Operation::DISCOVER_VERSIONS, Repeat::Yes),
    (Operation::ENCRYPT, Repeat::Whole),
    (Operation::DECRYPT, Repeat::Whole),
    (Operation::SIGN, Repeat::Whole),
    (Operation::SIGNATURE_VERIFY, Repeat::Whole),
    (Operation::MAC, Repeat::Whole),
    (Operation::MAC_VERIFY, Repeat::Whole),
    (Operation::RNG_RETRIEVE, Repeat::Yes),
    (Operation::RNG_SEED, Repeat::Yes),
    (Operation::HASH, Repeat::Whole),
    (Operation::CREATE_SPLIT_KEY, Repeat::No),
    (Operation::JOIN_SPLIT_KEY, Repeat::No),
    // With Replace Existing it could be repeated, but not without.
    (Operation::IMPORT, Repeat::No),
    (Operation::EXPORT, Repeat::Yes),
    (Operation::LOG, Repeat::No),
    (Operation::LOGIN, Repeat::No),
    (Operation::LOGOUT, Repeat::No),
    (Operation::DELEGATED_LOGIN, Repeat::No),
    (Operation::ADJUST_ATTRIBUTE, Repeat::No),
    (Operation::SET_ATTRIBUTE, Repeat::Yes),
    (Operation::SET_ENDPOINT_ROLE, Repeat::No),
    (Operation::PKCS_11, Repeat::No),
    (Operation::INTEROP, Repeat::No),
    (Operation::RE_PROVISION, Repeat::No),
    (Operation::SET_DEFAULTS, Repeat::Yes),
    (Operation::SET_CONSTRAINTS, Repeat::Yes),
    (Operation::GET_CONSTRAINTS, Repeat::Yes),
    (Operation::QUERY_ASYNCHRONOUS_REQUESTS, Repeat::Yes),
    (Operation::PROCESS, Repeat::No),
    (Operation::PING, Repeat::Yes),
];

impl Repeat {
    /// What the table says; an operation that is not in it is not repeated.
    #[must_use]
    pub fn of(operation: Operation) -> Self {
        let row = TABLE.iter().find(|(known, _)| *known == operation);
        row.map_or(Self::No, |(_, repeat)| *repeat)
    }
}

#[cfg(test)]
mod tests {
    use claviger_kmip::tables::Enumeration;

    use super::*;

    #[test]
    fn every_operation_stands_once_in_the_order_of_the_codes() {
        let known: Vec<_> = Operation::rows().iter().map(|row| Operation(row.code)).collect();
        let listed: Vec<_> = TABLE.iter().map(|(operation, _)| *operation).collect();
        assert_eq!(listed, known);
    }

    #[test]
    fn what_makes_or_ends_an_object_is_never_repeated() {
        for operation in [
            Operation::CREATE,
            Operation::REGISTER,
            Operation::ACTIVATE,
            Operation::REVOKE,
            Operation::DESTROY,
            Operation::RE_KEY,
            Operation(0x7fff),
        ] {
            assert_eq!(Repeat::of(operation), Repeat::No, "{operation:?}");
        }
        assert_eq!(Repeat::of(Operation::GET), Repeat::Yes);
        assert_eq!(Repeat::of(Operation::DECRYPT), Repeat::Whole);
    }
}
