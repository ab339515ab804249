//! Sets of KMIP operations, and the names of permissions.
//!
//! Pure. Permission names are made from the operation's name in the specification (KMIP 2.1 §11.37):
//! lower case, hyphens and signs dropped, spaces as underscores.

use std::fmt;
use std::sync::LazyLock;

use claviger_kmip::enums::Operation;
use serde::{Deserialize, Serialize};

/// Operation codes that fit a permission set. KMIP 2.1 ends at 0x3B.
const OPERATION_CODES: u32 = 128;

/// A set of operations.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationSet(#[serde(with = "hexadecimal")] u128);

impl OperationSet {
    /// No operation.
    pub const EMPTY: Self = Self(0);
    /// Every operation, those still to be specified included.
    pub const ALL: Self = Self(u128::MAX);

    /// The set of these operations.
    pub fn of(operations: impl IntoIterator<Item = Operation>) -> Self {
        let bits = operations.into_iter().map(|operation| Self::bit(operation).0);
        Self(bits.fold(0, |all, bit| all | bit))
    }

    fn bit(operation: Operation) -> Self {
        if operation.0 < OPERATION_CODES { Self(1 << operation.0) } else { Self::EMPTY }
    }

    /// Whether it holds an operation; never true of one that no table knows a bit for.
    pub fn contains(self, operation: Operation) -> bool {
        self.0 & Self::bit(operation).0 != 0
    }

    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Its halves, for storage in two atomics.
    pub(super) fn halves(self) -> [u64; 2] {
        [self.0 as u64, (self.0 >> 64) as u64]
    }
}

impl fmt::Debug for OperationSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = permission_names().iter();
        f.debug_set()
            .entries(named.filter(|(operation, _)| self.contains(*operation)).map(|(_, name)| name))
            .finish()
    }
}

/// Where in the two halves an operation's bit is: index and mask.
pub(super) fn position(operation: Operation) -> Option<(usize, u64)> {
    (operation.0 < OPERATION_CODES).then(|| ((operation.0 / 64) as usize, 1 << (operation.0 % 64)))
}

/// Every operation with its permission name, without the prefix `operation_`.
pub fn permission_names() -> &'static [(Operation, String)] {
    static NAMES: LazyLock<Vec<(Operation, String)>> = LazyLock::new(|| {
        let rows = Operation::ALL.iter();
        rows.map(|row| (Operation(row.code), permission_name(row.title))).collect()
    });
    &NAMES
}

fn permission_name(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ');
    kept.map(|c| if c == ' ' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// The operation with a permission name, without the prefix.
pub fn operation_named(name: &str) -> Option<Operation> {
    let found = permission_names().iter().find(|(_, known)| known == name);
    found.map(|(operation, _)| *operation)
}

/// Names of the operations in a set.
pub(super) fn names_in(set: OperationSet) -> impl Iterator<Item = &'static str> {
    let names = permission_names().iter();
    names.filter(move |(operation, _)| set.contains(*operation)).map(|(_, name)| name.as_str())
}

/// 128 bits as hexadecimal text: JSON numbers end at 53 bits.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bits: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{bits:x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u128, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        u128::from_str_radix(text, 16).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 26 names of Vault's API.
    const VAULT: [&str; 26] = [
        "activate",
        "add_attribute",
        "create",
        "create_key_pair",
        "decrypt",
        "delete_attribute",
        "destroy",
        "discover_versions",
        "encrypt",
        "get",
        "get_attribute_list",
        "get_attributes",
        "import",
        "locate",
        "mac",
        "mac_verify",
        "modify_attribute",
        "query",
        "register",
        "rekey",
        "rekey_key_pair",
        "revoke",
        "rng_retrieve",
        "rng_seed",
        "sign",
        "signature_verify",
    ];

    #[test]
    fn names_are_vaults_and_distinct() {
        for name in VAULT {
            assert!(operation_named(name).is_some(), "{name}");
        }
        let names: std::collections::HashSet<&str> =
            permission_names().iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
        assert_eq!(operation_named("rekey"), Some(Operation::RE_KEY));
        assert_eq!(operation_named("rekey_key_pair"), Some(Operation::RE_KEY_KEY_PAIR));
        assert_eq!(operation_named("pkcs11"), Some(Operation::PKCS_11));
        assert_eq!(operation_named("recertify"), Some(Operation::RE_CERTIFY));
        assert_eq!(operation_named("all"), None);
    }

    #[test]
    fn every_known_operation_has_a_bit() {
        for row in Operation::ALL {
            let operation = Operation(row.code);
            assert!(OperationSet::of([operation]).contains(operation));
            let (half, mask) = position(operation).unwrap();
            assert_ne!(OperationSet::of([operation]).halves()[half] & mask, 0);
        }
        assert!(!OperationSet::ALL.contains(Operation(OPERATION_CODES)));
    }
}
