//! `sys/raw`: scopes and roles by the identifiers that stand in the subject of a client certificate
//! (OU and CN), for an operator who holds one and asks what it may do. In Vault this is a window on
//! the storage; here it shows what was made for being shown:
//!
//! ```text
//! logical/MOUNT UUID/scope/OU             a scope
//! logical/MOUNT UUID/scope/OU/role/CN     a role and its allowed operations
//! ```
//!
//! It must never reach key material, authorities, tokens or the keyring: it asks `access`, not the
//! storage. Read only, and off unless the configuration turns it on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::error::ApiError;
use super::reply::Reply;
use super::{Call, Services};
use crate::access::{RoleSubject, ScopeSubject};
use crate::mount::Mount;

/// `LIST sys/raw/:path`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let services = services(call)?;
    let keys: Vec<String> = match segments(call).as_slice() {
        [] => vec!["logical/".to_owned()],
        ["logical"] => {
            let mounts = services.mounts.list();
            mounts.iter().map(|mount| format!("{}/", mount.id())).collect()
        }
        ["logical", uuid] => {
            mount(services, uuid)?;
            vec!["scope/".to_owned()]
        }
        ["logical", uuid, "scope"] => {
            let scopes = services.access.subjects(mount(services, uuid)?.id());
            scopes.iter().flat_map(|scope| [scope.id.clone(), format!("{}/", scope.id)]).collect()
        }
        ["logical", uuid, "scope", ou] => {
            scope(services, &*mount(services, uuid)?, ou)?;
            vec!["role/".to_owned()]
        }
        ["logical", uuid, "scope", ou, "role"] => {
            let scope = scope(services, &*mount(services, uuid)?, ou)?;
            scope.roles.into_iter().map(|role| role.id).collect()
        }
        _ => Vec::new(),
    };
    Reply::keys(keys)
}

/// `GET sys/raw/:path`.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let services = services(call)?;
    let value = match segments(call).as_slice() {
        ["logical", uuid, "scope", ou] => {
            let mount = mount(services, uuid)?;
            scope_value(&mount, &scope(services, &mount, ou)?)
        }
        ["logical", uuid, "scope", ou, "role", cn] => {
            let mount = mount(services, uuid)?;
            let scope = scope(services, &mount, ou)?;
            let mut roles = scope.roles.iter();
            let role = roles.find(|role| role.id == *cn).ok_or_else(ApiError::nothing)?;
            role_value(&mount, &scope, role)
        }
        _ => return Err(ApiError::nothing()),
    };
    Ok(Reply::data(json!({ "value": value.to_string() })))
}

fn services<'c>(call: &'c Call<'_>) -> Result<&'c Services, ApiError> {
    if call.api.raw_storage.load(Ordering::Relaxed) {
        call.services()
    } else {
        Err(ApiError::unsupported_path())
    }
}

fn segments<'c>(call: &'c Call<'_>) -> Vec<&'c str> {
    call.captured("path").split('/').filter(|segment| !segment.is_empty()).collect()
}

fn mount(services: &Services, uuid: &str) -> Result<Arc<Mount>, ApiError> {
    let mut mounts = services.mounts.list().into_iter();
    mounts.find(|mount| mount.id().to_string() == uuid).ok_or_else(ApiError::nothing)
}

fn scope(services: &Services, mount: &Mount, ou: &str) -> Result<ScopeSubject, ApiError> {
    let mut scopes = services.access.subjects(mount.id()).into_iter();
    scopes.find(|scope| scope.id == ou).ok_or_else(ApiError::nothing)
}

fn scope_value(mount: &Mount, scope: &ScopeSubject) -> Value {
    json!({
        "id": scope.id,
        "name": scope.name,
        "mount": mount.path().as_str(),
        "created": scope.created,
    })
}

fn role_value(mount: &Mount, scope: &ScopeSubject, role: &RoleSubject) -> Value {
    let operations: Vec<String> =
        role.allowed.iter().map(|name| format!("operation_{name}")).collect();
    json!({
        "id": role.id,
        "name": role.name,
        "scope": { "id": scope.id, "name": scope.name },
        "mount": mount.path().as_str(),
        "allowed_operations": operations,
        "created": role.created,
    })
}
