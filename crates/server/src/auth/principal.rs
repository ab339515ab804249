//! Who can log in by a method: records under a name, whatever the kind of method.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{AuthError, AuthMethods, Method};
use crate::record::{Edit, Kind, RecordError, Stored, key};

/// The longest name.
pub(super) const NAME_BYTES_MAX: usize = 255;

/// A record that is found by its name.
pub(super) trait Principal: Serialize + DeserializeOwned {
    /// The name, as it is kept.
    fn name(&self) -> &str;
}

/// The principals of one method.
#[derive(Clone, Copy)]
pub(super) struct Principals<'a> {
    pub(super) methods: &'a AuthMethods,
    pub(super) method: &'a Method,
}

impl Principals<'_> {
    /// The principal of a name.
    pub(super) fn get<T: Principal>(&self, name: &str) -> Result<Option<Stored<T>>, RecordError> {
        self.methods.records.get(&self.key(name))
    }

    /// Every principal, by name.
    pub(super) fn all<T: Principal>(&self) -> Result<Vec<T>, RecordError> {
        let rows = key(Kind::Principal, &[self.method.id().as_bytes()]);
        let stored = self.methods.records.scan::<T>(&rows)?;
        let mut all: Vec<T> = stored.into_iter().map(|(_, stored)| stored.value).collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(all)
    }

    /// The names of all.
    pub(super) fn names<T: Principal>(&self) -> Result<Vec<String>, RecordError> {
        Ok(self.all::<T>()?.iter().map(|it| it.name().to_owned()).collect())
    }

    /// Writes the principal of a name: what `change` makes of the one before, if there was one.
    /// Blocks until durable.
    pub(super) fn write<T: Principal>(
        &self,
        name: &str,
        change: impl FnOnce(Option<T>) -> Result<T, AuthError>,
    ) -> Result<(), AuthError> {
        let name = checked(name)?;
        let _one = self.methods.hold_to_write(self.method)?;
        let mut edit = Edit::default();
        self.put(&mut edit, self.get(name)?, change)?;
        Ok(self.methods.records.commit(edit)?)
    }

    /// Adds to an edit what `change` makes of the principal before; what that is.
    pub(super) fn put<T: Principal>(
        &self,
        edit: &mut Edit,
        before: Option<Stored<T>>,
        change: impl FnOnce(Option<T>) -> Result<T, AuthError>,
    ) -> Result<(), AuthError> {
        let (version, before) = match before {
            Some(stored) => (Some(stored.version), Some(stored.value)),
            None => (None, None),
        };
        let after = change(before)?;
        let at = self.key(after.name());
        match version {
            Some(version) => edit.update(at, version, &after)?,
            None => edit.create(at, &after)?,
        };
        Ok(())
    }

    /// Removes the principal of a name; one that is not there is no error. Blocks until durable.
    pub(super) fn delete(&self, name: &str) -> Result<(), AuthError> {
        let _one = self.methods.hold_to_write(self.method)?;
        Ok(self.methods.delete_rows(vec![self.key(name)])?)
    }

    /// Where it is stored.
    pub(super) fn key(&self, name: &str) -> Vec<u8> {
        let hash = self.methods.records.blind("principal", name);
        key(Kind::Principal, &[self.method.id().as_bytes(), &hash])
    }
}

/// A name that can be kept.
pub(super) fn checked(name: &str) -> Result<&str, AuthError> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
    if !fits || name.chars().any(|c| c == '/' || c.is_control()) {
        return Err(AuthError::bad(
            "a name has 1 to 255 bytes, without \"/\" and control characters",
        ));
    }
    Ok(name)
}
