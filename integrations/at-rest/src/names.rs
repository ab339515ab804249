//! Names on the server: of a key that is on its way, of a keystore that uses a key, and, at level
//! 4.2, the one that the options give instead of an identifier.

use aws_lc_rs::rand;
use claviger_kmip::enums::State;

use crate::Error;
use crate::fault::{self, Point};
use crate::keystore::note::Takes;
use crate::kms::Kms;
use crate::master_key::MasterKey;

/// What the Name of a new key begins with.
const KEY_PREFIX: &str = "psmdb/";
/// What a Name begins with that says which keystore uses the key.
const KEYSTORE_PREFIX: &str = "claviger-keystore/";

/// A name that nothing else has.
pub(crate) fn unique() -> Result<String, Error> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| Error::Randomness)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{KEY_PREFIX}{hex}"))
}

/// The key of that name, if an earlier start registered it and it can still be used.
pub(crate) fn pending(kms: &Kms, name: &str) -> Result<Option<(String, MasterKey)>, Error> {
    let identifier = match kms.find(name) {
        Ok(Some(identifier)) => identifier,
        Ok(None) => return Ok(None),
        // A server carried out a request that was given up as lost, after it had been repeated.
        Err(error @ Error::AmbiguousName { .. }) => {
            tracing::warn!(%error, "these keys will not be used");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    match kms.finish(&identifier) {
        Ok(key) => {
            tracing::info!(
                kmip_key_identifier = %identifier,
                "an earlier start registered this key and did not come to use it; it is used now"
            );
            Ok(Some((identifier, key)))
        }
        Err(Error::NotActive { state, .. }) if state != State::PRE_ACTIVE => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says on the key that a keystore uses it. Where the role does not allow that, a rotation will say
/// so; a start goes on.
pub(crate) fn mark(kms: &Kms, identifier: &str, keystore: &str) {
    if let Err(error) = kms.add_name(identifier, &mark_of(keystore)) {
        tracing::warn!(%error, "the key cannot be marked as used by this keystore");
    }
}

fn mark_of(keystore: &str) -> String {
    format!("{KEYSTORE_PREFIX}{keystore}")
}

/// Refuses a name whose key another keystore uses: it would look for it in vain.
pub(crate) fn refuse_shared(
    kms: &Kms,
    identifier: &str,
    name: &str,
    keystore: &str,
) -> Result<(), Error> {
    kms.add_name(identifier, &mark_of(keystore))?;
    let ours = mark_of(keystore);
    let names = kms.names(identifier)?;
    if names.iter().any(|known| known.starts_with(KEYSTORE_PREFIX) && *known != ours) {
        return Err(Error::NameShared { name: name.to_owned() });
    }
    Ok(())
}

/// Takes a name from the key before and gives it to the one that the keystore is sealed with. May
/// be done again after it was cut short anywhere.
pub(crate) fn take(
    kms: &Kms,
    takes: &Takes,
    identifier: &str,
    keystore: &str,
) -> Result<(), Error> {
    match kms.remove_name(&takes.from, &takes.name) {
        // Whoever destroyed the old key has taken its names too.
        Ok(()) | Err(Error::Absent { .. }) => {}
        Err(error) => return Err(error),
    }
    fault::point(Point::NameTaken);
    kms.add_name(identifier, &takes.name)?;
    mark(kms, identifier, keystore);
    Ok(())
}
