//! Roles.

use serde_json::{Map, Value};

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::access::{Name, OperationSet, PermissionChange, RoleChange, permission_names};
use crate::pki::KeyType;
use crate::record::Change;

/// `LIST scope/:scope/role`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let access = &call.services()?.access;
    Reply::keys(access.list_roles(call.mount()?.id(), call.captured("scope")))
}

/// `GET scope/:scope/role/:role`: what it grants, never what it does not. What a role that grants
/// all withholds all the same is said in a warning.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    let view = call.services()?.access.read_role(call.mount()?.id(), scope, role);
    let view = view.ok_or_else(ApiError::nothing)?;
    let mut data = Map::new();
    for name in &view.granted {
        data.insert(format!("operation_{name}"), Value::Bool(true));
    }
    data.insert("tls_client_key_type".to_owned(), view.tls_client_key_type.into());
    data.insert("tls_client_key_bits".to_owned(), view.tls_client_key_bits.into());
    data.insert("tls_client_ttl".to_owned(), view.tls_client_ttl.into());
    if !view.ca.is_empty() {
        data.insert("ca".to_owned(), view.ca.into());
    }
    let withheld: Vec<String> =
        view.withheld.iter().map(|name| format!("operation_{name}")).collect();
    let warning = (!withheld.is_empty())
        .then(|| format!("the role withholds these operations: [{}]", withheld.join(" ")));
    Ok(Reply::data(Value::Object(data)).warning(warning))
}

/// `POST scope/:scope/role/:role`.
pub(super) fn write(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields;
    let name = Name::parse(call.captured("role"))?;
    let change = RoleChange {
        permissions: permissions(call)?,
        key_type: fields.named("tls_client_key_type", KeyType::from_name)?,
        key_bits: fields.u32("tls_client_key_bits")?,
        ttl_seconds: fields.seconds("tls_client_ttl")?,
        ca: fields.text("ca")?,
    };
    let access = &call.services()?.access;
    access.write_role(call.mount()?, call.captured("scope"), &name, change)?;
    Ok(Reply::empty())
}

/// `DELETE scope/:scope/role/:role`.
pub(super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    call.services()?.access.delete_role(call.mount()?.id(), scope, role)?;
    Ok(Reply::empty())
}

fn permissions(call: &Call<'_>) -> Result<PermissionChange, ApiError> {
    let (mut granted, mut denied, mut reset) = (Vec::new(), Vec::new(), Vec::new());
    for (operation, name) in permission_names() {
        match call.fields.bool(&format!("operation_{name}"))? {
            Change::Keep => {}
            Change::Reset => reset.push(*operation),
            Change::To(true) => granted.push(*operation),
            Change::To(false) => denied.push(*operation),
        }
    }
    Ok(PermissionChange {
        all: call.fields.bool("operation_all")?,
        none: call.fields.bool("operation_none")?,
        granted: OperationSet::of(granted),
        denied: OperationSet::of(denied),
        reset: OperationSet::of(reset),
    })
}
