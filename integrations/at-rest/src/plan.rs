//! What a start does, from what the keystore says of itself and what the options say: the matrix of
//! the original.
//!
//! Pure rules: it must never ask a server or a disk.

use crate::Error;
use crate::keystore::Configured;

/// Which master key the options want.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// That of a file.
    KeyFile,
    /// One of a KMIP server.
    Kmip {
        /// The Unique Identifier that was named.
        provided: Option<&'a str>,
        /// Whether the keystore gets another key.
        rotate: bool,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Make a keystore, with a new key.
    CreateWithNew,
    /// Make a keystore, with this key.
    CreateWith(String),
    /// Make a keystore, with the key of the file.
    CreateWithFile,
    /// Open the keystore with this key, and note the key if nothing is noted yet.
    Open(String),
    /// Open the keystore with the key of the file.
    OpenWithFile,
    /// Seal the keystore with a new key.
    RotateToNew {
        /// The key in use.
        from: String,
    },
    /// Seal the keystore with that key.
    RotateTo {
        /// The key in use.
        from: String,
        /// The next one.
        to: String,
    },
}

/// From 5.0 on, where a key identifier is a Unique Identifier. `configured` is `None` where there is
/// no keystore yet.
pub(crate) fn plan(configured: Option<&Configured>, wanted: Wanted<'_>) -> Result<Plan, Error> {
    let (provided, rotate) = match (configured, wanted) {
        (None, Wanted::KeyFile) => return Ok(Plan::CreateWithFile),
        // The same bytes may come from a file and from a server.
        (Some(_), Wanted::KeyFile) => return Ok(Plan::OpenWithFile),
        (_, Wanted::Kmip { provided, rotate }) => (provided, rotate),
    };
    match (configured, rotate, provided) {
        (None, true, _) => Err(Error::NothingToRotate),
        (None, false, None) => Ok(Plan::CreateWithNew),
        (None, false, Some(key)) => Ok(Plan::CreateWith(key.to_owned())),
        (Some(Configured::Vault(_)), ..) => Err(Error::OtherFacility),
        (Some(Configured::Nothing), true, _) | (Some(Configured::Nothing), false, None) => {
            Err(Error::NotKmip)
        }
        (Some(Configured::Nothing), false, Some(key)) => Ok(Plan::Open(key.to_owned())),
        (Some(Configured::Kmip(used)), false, None) => Ok(Plan::Open(used.clone())),
        (Some(Configured::Kmip(used)), false, Some(key)) if key == used => {
            Ok(Plan::Open(used.clone()))
        }
        (Some(Configured::Kmip(used)), false, Some(key)) => {
            Err(Error::OtherKey { configured: used.clone(), provided: key.to_owned() })
        }
        (Some(Configured::Kmip(used)), true, None) => Ok(Plan::RotateToNew { from: used.clone() }),
        (Some(Configured::Kmip(used)), true, Some(key)) if key == used => {
            Err(Error::SameKey(used.clone()))
        }
        (Some(Configured::Kmip(used)), true, Some(key)) => {
            Ok(Plan::RotateTo { from: used.clone(), to: key.to_owned() })
        }
    }
}

/// At 4.2, where a key identifier is a Name. `located` is the only key that has it.
pub(crate) fn plan_named(
    configured: Option<&Configured>,
    name: &str,
    located: Option<&str>,
    rotate: bool,
) -> Result<Plan, Error> {
    let shared = || Error::NameShared { name: name.to_owned() };
    match (configured, rotate, located) {
        (None, true, _) => Err(Error::NothingToRotate),
        (None, false, None) => Ok(Plan::CreateWithNew),
        (None, false, Some(key)) => Ok(Plan::CreateWith(key.to_owned())),
        (Some(Configured::Vault(_)), ..) => Err(Error::OtherFacility),
        (Some(Configured::Nothing), false, Some(key)) => Ok(Plan::Open(key.to_owned())),
        (Some(Configured::Nothing), ..) => Err(Error::NotKmip),
        (Some(Configured::Kmip(used)), false, Some(key)) if key == used => {
            Ok(Plan::Open(used.clone()))
        }
        (Some(Configured::Kmip(used)), false, _) => {
            Err(Error::NameMoved { name: name.to_owned(), configured: used.clone() })
        }
        (Some(Configured::Kmip(used)), true, None) => Ok(Plan::RotateToNew { from: used.clone() }),
        (Some(Configured::Kmip(used)), true, Some(key)) if key == used => {
            Ok(Plan::RotateToNew { from: used.clone() })
        }
        (Some(Configured::Kmip(_)), true, Some(_)) => Err(shared()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kmip(provided: Option<&str>, rotate: bool) -> Wanted<'_> {
        Wanted::Kmip { provided, rotate }
    }

    fn used() -> Configured {
        Configured::Kmip("used".into())
    }

    #[test]
    fn a_new_keystore_takes_any_key_and_no_rotation() {
        for provided in [None, Some("key")] {
            let refused = plan(None, kmip(provided, true));
            assert!(matches!(refused, Err(Error::NothingToRotate)));
        }
        assert_eq!(plan(None, kmip(None, false)).unwrap(), Plan::CreateWithNew);
        assert_eq!(plan(None, kmip(Some("key"), false)).unwrap(), Plan::CreateWith("key".into()));
        assert_eq!(plan(None, Wanted::KeyFile).unwrap(), Plan::CreateWithFile);
    }

    #[test]
    fn a_keystore_of_a_key_file_goes_on_with_a_named_key_only() {
        let was = Some(&Configured::Nothing);
        for wanted in [kmip(None, false), kmip(None, true), kmip(Some("key"), true)] {
            assert!(matches!(plan(was, wanted), Err(Error::NotKmip)), "{wanted:?}");
        }
        assert_eq!(plan(was, kmip(Some("key"), false)).unwrap(), Plan::Open("key".into()));
        assert_eq!(plan(was, Wanted::KeyFile).unwrap(), Plan::OpenWithFile);
    }

    #[test]
    fn a_keystore_of_vault_takes_no_key_of_kmip() {
        let was = Configured::Vault("secret/data/hw:3".into());
        for provided in [None, Some("key")] {
            for rotate in [false, true] {
                let refused = plan(Some(&was), kmip(provided, rotate));
                assert!(matches!(refused, Err(Error::OtherFacility)));
            }
        }
    }

    #[test]
    fn a_keystore_of_kmip_keeps_its_key_unless_it_is_rotated() {
        let was = used();
        let was = Some(&was);
        assert_eq!(plan(was, Wanted::KeyFile).unwrap(), Plan::OpenWithFile);
        for provided in [None, Some("used")] {
            assert_eq!(plan(was, kmip(provided, false)).unwrap(), Plan::Open("used".into()));
        }
        let refused = plan(was, kmip(Some("other"), false));
        assert!(matches!(refused, Err(Error::OtherKey { .. })));
        assert_eq!(plan(was, kmip(None, true)).unwrap(), Plan::RotateToNew { from: "used".into() });
        assert_eq!(
            plan(was, kmip(Some("other"), true)).unwrap(),
            Plan::RotateTo { from: "used".into(), to: "other".into() }
        );
        assert!(matches!(plan(was, kmip(Some("used"), true)), Err(Error::SameKey(_))));
    }

    #[test]
    fn a_name_is_made_used_or_refused() {
        let with = |was, located, rotate| plan_named(was, "name", located, rotate);
        assert_eq!(with(None, None, false).unwrap(), Plan::CreateWithNew);
        assert_eq!(with(None, Some("key"), false).unwrap(), Plan::CreateWith("key".into()));
        assert!(matches!(with(None, None, true), Err(Error::NothingToRotate)));
        let was = used();
        let was = Some(&was);
        assert_eq!(with(was, Some("used"), false).unwrap(), Plan::Open("used".into()));
        for located in [None, Some("other")] {
            assert!(matches!(with(was, located, false), Err(Error::NameMoved { .. })));
        }
        for located in [None, Some("used")] {
            assert_eq!(
                with(was, located, true).unwrap(),
                Plan::RotateToNew { from: "used".into() }
            );
        }
        assert!(matches!(with(was, Some("other"), true), Err(Error::NameShared { .. })));
        let was = Some(&Configured::Nothing);
        assert_eq!(with(was, Some("key"), false).unwrap(), Plan::Open("key".into()));
        assert!(matches!(with(was, None, false), Err(Error::NotKmip)));
        assert!(matches!(with(was, Some("key"), true), Err(Error::NotKmip)));
    }
}
