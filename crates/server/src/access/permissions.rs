//! What a role may do, and the rules by which writes change it.
//!
//! Pure: no storage, no clock. The rules are those of Vault's KMIP engine; the table in the tests
//! is their statement.

use claviger_kmip::enums::Operation;
use serde::{Deserialize, Serialize};

use super::AccessError;
use super::operations::{OperationSet, names_in};
use crate::record::Change;

/// Open to any live credential, unless the role says `false` to them in so many words: a client
/// that cannot ask what the server speaks cannot say what it is missing.
const OPEN: [Operation; 2] = [Operation::DISCOVER_VERSIONS, Operation::QUERY];

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

    /// What a read shows, without the prefix `operation_`: `all` or `none` if it was written so, and
    /// the operations granted by name.
    pub fn granted(self) -> Vec<&'static str> {
        let pseudo = match self.base {
            Base::Explicit => None,
            Base::All => Some("all"),
            Base::None => Some("none"),
        };
        pseudo.into_iter().chain(names_in(self.granted)).collect()
    }

    /// Operations refused in so many words, without the prefix `operation_`.
    pub fn withheld(self) -> Vec<&'static str> {
        names_in(self.denied).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::operations::operation_named;
    use super::*;

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
        let granted = permissions.granted().into_iter().map(|name| format!("+{name}"));
        let withheld = permissions.withheld().into_iter().map(|name| format!("-{name}"));
        let mut words: Vec<String> = granted.chain(withheld).collect();
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
