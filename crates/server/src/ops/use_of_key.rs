//! What the operations that use a key have in common: finding it, reading it, charging its use.

use std::sync::Arc;

use claviger_kmip::attributes::values::UniqueIdentifier;

use super::Context;
use super::key::Key;
use super::wrapping;
use crate::failure::Failure;
use crate::object::ManagedObject;
use crate::object::usage::{self, Cost};

/// The key that a request means, and its identifier.
///
/// # Errors
/// There is none, or it is destroyed.
pub(super) fn find(
    context: &mut Context<'_, '_>,
    given: Option<&UniqueIdentifier>,
) -> Result<(String, Arc<ManagedObject>), Failure> {
    let identifier = context.identifier(given)?;
    let managed = context.tx.live(&identifier)?;
    context.concerns(&managed);
    Ok((identifier, managed))
}

/// The key itself, unwrapped if it was registered wrapped.
///
/// # Errors
/// The object is no key that cryptography knows, or cannot be unwrapped.
pub(super) fn read(context: &mut Context<'_, '_>, managed: &ManagedObject) -> Result<Key, Failure> {
    match &managed.object {
        Some(object)
            if object.key_block().is_none_or(|block| block.key_wrapping_data.is_none()) =>
        {
            Key::of(object, &managed.attributes)
        }
        _ => Key::of(&wrapping::plain(context, managed)?, &managed.attributes),
    }
}

/// Takes a use that protects so many bytes off the key's Usage Limits.
///
/// # Errors
/// Not that much is left.
pub(super) fn charge(
    context: &mut Context<'_, '_>,
    managed: &ManagedObject,
    bytes: usize,
) -> Result<(), Failure> {
    if let Some(spent) = usage::spend(managed, Cost { bytes })? {
        context.tx.update(spent);
    }
    Ok(())
}
