//! Scopes.

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::access::{Name, ScopeChange};
use crate::record::Change;

/// `LIST scope`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(call.services()?.access.list_scopes(call.mount()?.id()))
}

/// `POST scope/:scope`.
pub(super) fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let name = Name::parse(call.captured("scope"))?;
    let change = ScopeChange {
        force: call.fields.bool("force")?,
        kmip_trace: call.fields.bool("kmip_trace")?,
        unique_names: call.fields.bool("unique_names")?,
    };
    let (services, mount) = (call.services()?, call.mount()?);
    // One that is made while its mount goes would be left behind.
    let _kept = services.mounts.hold(mount)?;
    services.access.create_scope(mount.id(), &name, change)?;
    Ok(Reply::empty())
}

/// `DELETE scope/:scope`.
pub(super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let force = call.fields.bool("force")? == Change::To(true);
    let access = &call.services()?.access;
    access.delete_scope(call.mount()?.id(), call.captured("scope"), force)?;
    Ok(Reply::empty())
}
