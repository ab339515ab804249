//! What a role may do: a set of KMIP operations and the rules by which writes change it.
//!
//! Pure: no storage, no clock. The rules are those of Vault's KMIP engine; the table in the tests
//! is their statement. Permission names are made from the operation's name in the specification
//! (KMIP 2.1 §11.37): lower case, hyphens and signs dropped, spaces as underscores.

use std::fmt;
use std::sync::LazyLock;

use claviger_kmip::enums::Operation;
use serde::{Deserialize, Serialize};

use super::AccessError;
use crate::record::Change;

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

    fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn both(self, other: Self) -> Self {
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

/// Open to any live credential, unless the role says `false` to them in so many words: a client
/// that cannot ask what the server speaks cannot say what it is missing.
const OPEN: [Operation; 2] = [Operation::DISCOVER_VERSIONS, Operation::QUERY];

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

/// What the role was last written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Base {
    /// Operation by operation.
    #[default]
    Explicit,
    /// `operation_all`.
    All,
    /// `operation_none`.
    None,
}

/// The permissions of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Permissions {
    base: Base,
    granted: OperationSet,
    denied: OperationSet,
}

/// What a write says about permissions.
#[derive(Debug, Clone, Default)]
pub struct PermissionChange {
    /// `operation_all`.
    pub all: Change<bool>,
    /// `operation_none`.
    pub none: Change<bool>,
    /// Operations sent as true.
    pub granted: OperationSet,
    /// Operations sent as false.
    pub denied: OperationSet,
    /// Operations sent as null.
    pub reset: OperationSet,
}

impl PermissionChange {
    /// Grants everything, as `operation_all=true` does.
    pub fn everything() -> Self {
        Self { all: Change::To(true), ..Self::default() }
    }
}

impl Permissions {
    /// The permissions after a write.
    ///
    /// # Errors
    /// [`AccessError::BadInput`] for `operation_all` together with `operation_none`.
    pub fn apply(self, change: &PermissionChange) -> Result<Self, AccessError> {
        let (all, none) = (change.all == Change::To(true), change.none == Change::To(true));
        if all && none {
            return Err(AccessError::BadInput(
                "operation_all and operation_none exclude each other".to_owned(),
            ));
        }
        let open_denied = change.denied.both(OperationSet::of(OPEN));
        if all {
            return Ok(Self {
                base: Base::All,
                granted: OperationSet::EMPTY,
                denied: change.denied,
            });
        }
        if none {
            return Ok(Self { base: Base::None, granted: change.granted, denied: open_denied });
        }
        let explicit = !change.granted.union(change.denied).is_empty();
        if explicit && self.base != Base::Explicit {
            return Ok(Self { base: Base::Explicit, granted: change.granted, denied: open_denied });
        }
        let withdrawn = match self.base {
            Base::Explicit => false,
            Base::All => change.all != Change::Keep,
            Base::None => change.none != Change::Keep,
        };
        let current = if withdrawn {
            Self {
                base: Base::Explicit,
                granted: self.granted,
                denied: self.denied.both(OperationSet::of(OPEN)),
            }
        } else {
            self
        };
        Ok(Self {
            base: current.base,
            granted: current
                .granted
                .union(change.granted)
                .without(change.denied)
                .without(change.reset),
            denied: current.denied.union(open_denied).without(change.granted).without(change.reset),
        })
    }

    /// Every operation that a request may carry out.
    pub fn effective(self) -> OperationSet {
        let granted = match self.base {
            Base::All => OperationSet::ALL,
            Base::Explicit | Base::None => self.granted.union(OperationSet::of(OPEN)),
        };
        granted.without(self.denied)
    }

    /// What a read shows, without the prefix `operation_`: `all` or `none` if written so, granted
    /// operations as true, and refusals only where leaving them out would tell a different story.
    pub fn shown(self) -> Vec<(&'static str, bool)> {
        let mut shown = Vec::new();
        match self.base {
            Base::Explicit => {}
            Base::All => shown.push(("all", true)),
            Base::None => shown.push(("none", true)),
        }
        for (operation, name) in permission_names() {
            if self.granted.contains(*operation) {
                shown.push((name.as_str(), true));
            } else if self.denied.contains(*operation) {
                shown.push((name.as_str(), false));
            }
        }
        shown
    }
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

    fn change(words: &str) -> PermissionChange {
        let mut change = PermissionChange::default();
        for word in words.split_whitespace() {
            let (sign, name) = word.split_at(1);
            let value = match sign {
                "+" => Change::To(true),
                "-" => Change::To(false),
                "0" => Change::Reset,
                other => panic!("{other}"),
            };
            match name {
                "all" => change.all = value,
                "none" => change.none = value,
                name => {
                    let set = OperationSet::of([operation_named(name).unwrap()]);
                    let field = match value {
                        Change::To(true) => &mut change.granted,
                        Change::To(false) => &mut change.denied,
                        _ => &mut change.reset,
                    };
                    *field = field.union(set);
                }
            }
        }
        change
    }

    fn shown(permissions: Permissions) -> String {
        let words = permissions.shown();
        let mut words: Vec<String> = words
            .into_iter()
            .map(|(name, value)| format!("{}{name}", if value { '+' } else { '-' }))
            .collect();
        words.sort();
        words.join(" ")
    }

    /// Writes one after another, and what is then read. `+` true, `-` false, `0` null.
    const RULES: [(&[&str], &str); 21] = [
        // 4: written with no operations at all.
        (&[""], ""),
        (&["", "+get"], "+get"),
        // 1: explicit operations merge.
        (&["+activate +get", "+create"], "+activate +create +get"),
        (&["+activate +get", "-get"], "+activate"),
        (&["+activate +get", ""], "+activate +get"),
        (&["+activate +get", "0get"], "+activate"),
        // 2: a pseudo-operation is replaced by explicit ones.
        (&["+all", "+activate +create +get"], "+activate +create +get"),
        (&["+none", "+get"], "+get"),
        (&["+all", "-destroy"], ""),
        (&["+none +create", "+get"], "+get"),
        // 3: pseudo-operations, and what overrides them within the same request.
        (&["+all"], "+all"),
        (&["+get", "+all"], "+all"),
        (&["+all -destroy"], "+all -destroy"),
        (&["+all +get -destroy"], "+all -destroy"),
        (&["+none"], "+none"),
        (&["+get", "+none"], "+none"),
        (&["+none +get"], "+get +none"),
        // Withdrawn without replacement.
        (&["+all", "-all"], ""),
        (&["+all", "0all"], ""),
        (&["+all", ""], "+all"),
        (&["+get", "-all"], "+get"),
    ];

    #[test]
    fn writes_merge_by_the_rules() {
        for (writes, expected) in RULES {
            let mut permissions = Permissions::default();
            for write in writes {
                permissions = permissions.apply(&change(write)).unwrap();
            }
            assert_eq!(shown(permissions), expected, "{writes:?}");
        }
    }

    #[test]
    fn all_and_none_together_are_refused() {
        let both = Permissions::default().apply(&change("+all +none"));
        assert!(matches!(both, Err(AccessError::BadInput(_))));
    }

    #[test]
    fn discover_versions_and_query_are_open_unless_refused_in_so_many_words() {
        let effective = |writes: &[&str]| {
            let mut permissions = Permissions::default();
            for write in writes {
                permissions = permissions.apply(&change(write)).unwrap();
            }
            permissions.effective()
        };
        for open in OPEN {
            for writes in [&[""][..], &["+none"], &["+get"], &["+all"]] {
                assert!(effective(writes).contains(open), "{writes:?}");
            }
        }
        for writes in
            [&["-query"][..], &["+all -query"], &["+none -query"], &["+get -query", "+create"]]
        {
            assert!(!effective(writes).contains(Operation::QUERY), "{writes:?}");
            assert!(effective(writes).contains(Operation::DISCOVER_VERSIONS));
        }
        assert!(effective(&["-query", "+query"]).contains(Operation::QUERY));
        assert!(effective(&["-query", "0query"]).contains(Operation::QUERY));
        assert!(!effective(&["+none"]).contains(Operation::GET));
        assert!(!effective(&[""]).contains(Operation::GET));
        assert!(effective(&["+all -destroy"]).contains(Operation::GET));
        assert!(!effective(&["+all -destroy"]).contains(Operation::DESTROY));
    }

    #[test]
    fn permissions_survive_being_stored() {
        let permissions = Permissions::default().apply(&change("+all -destroy -query")).unwrap();
        let text = serde_json::to_string(&permissions).unwrap();
        assert_eq!(serde_json::from_str::<Permissions>(&text).unwrap(), permissions);
    }
}
