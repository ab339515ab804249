//! What a write asks of the object that it replaces.

use super::StoreError;

/// What an entity tag must be, or must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// There is an object, whichever.
    Any,
    /// The object with this entity tag, without its quotes.
    ETag(String),
}

/// What must hold of the bucket and of the object that a write replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// It must be this one.
    pub if_match: Option<Match>,
    /// It must not be this one.
    pub if_none_match: Option<Match>,
    /// The bucket is still the one that was made then: a key of another of its name may be destroyed.
    pub bucket_created_ms: Option<u64>,
}

impl Condition {
    /// Whether anything is asked of the object.
    pub fn asks(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }

    /// Checks the entity tag of the current object, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Precondition`], or [`StoreError::NoSuchKey`] if an object is required and there is none.
    pub fn check(&self, current: Option<&str>) -> Result<(), StoreError> {
        if let Some(required) = &self.if_match {
            let Some(current) = current else {
                return Err(StoreError::NoSuchKey { delete_marker: None });
            };
            if !required.holds(current) {
                return Err(StoreError::Precondition);
            }
        }
        match (&self.if_none_match, current) {
            (Some(refused), Some(current)) if refused.holds(current) => {
                Err(StoreError::Precondition)
            }
            _ => Ok(()),
        }
    }
}

impl Match {
    /// Whether an object with this entity tag is meant.
    pub fn holds(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::ETag(wanted) => wanted == etag,
        }
    }
}
