//! Certificate authorities of a KMIP engine: its own, named ones, and their revocation lists.

use serde_json::{Map, Value, json};

use super::Call;
use super::credential::{Revocation, named_serial};
use super::error::ApiError;
use super::mounts::Unmount;
use super::reply::Reply;
use crate::mount::{MappingChange, NamedAuthority, Selector, Source};
use crate::pki::{KeySpec, KeyType, Serial, SubjectField, pem};
use crate::record::{AuthorityId, Change};

/// Life of a generated authority unless something else is said: 365 days.
const TTL_SECONDS: i64 = 31_536_000;

/// `GET ca`: the engine's own.
pub(super) fn own(call: &Call<'_>) -> Result<Reply, ApiError> {
    let mount = call.mount()?;
    let engine = mount.engine().ok_or_else(|| {
        ApiError::bad(format!("the engine has no CA yet: write {}config first", mount.path()))
    })?;
    Ok(Reply::data(json!({ "ca_pem": engine.ca_pem() })))
}

/// `LIST ca`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(call.mount()?.authorities().map(|authority| authority.name()))
}

/// `GET ca/:name`.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let found = call.mount()?.authority(call.captured("name"));
    Ok(describe(found.ok_or_else(ApiError::nothing)?))
}

/// `POST ca/:name/generate`.
pub(super) fn generate(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields;
    let key_type = match fields.named("key_type", KeyType::from_name)? {
        Change::To(key_type) => key_type,
        Change::Keep | Change::Reset => return Err(ApiError::bad("missing key_type: ec or rsa")),
    };
    let bits = match fields.u32("key_bits")? {
        Change::To(bits) => bits,
        Change::Keep | Change::Reset => return Err(ApiError::bad("missing key_bits")),
    };
    let spec = KeySpec::new(key_type, bits)?;
    let ttl = fields.seconds("ttl")?.apply(TTL_SECONDS, TTL_SECONDS);
    let (path, name) = (call.mount()?.path(), call.captured("name"));
    let made = call.services()?.mounts.generate_authority(path, name, spec, ttl)?;
    Ok(describe(&made))
}

/// `POST ca/:name/import`.
pub(super) fn import(call: &Call<'_>) -> Result<Reply, ApiError> {
    let pem = call.fields.required("ca_pem")?;
    let (path, name) = (call.mount()?.path(), call.captured("name"));
    let made = call.services()?.mounts.import_authority(path, name, &pem, mapping(call)?)?;
    Ok(describe(&made))
}

/// `POST ca/:name`.
pub(super) fn update(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (path, name) = (call.mount()?.path(), call.captured("name"));
    let changed = call.services()?.mounts.update_authority(path, name, mapping(call)?)?;
    Ok(describe(&changed))
}

/// `DELETE ca/:name`.
pub(super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (services, mount, name) = (call.services()?, call.mount()?, call.captured("name"));
    services.mounts.delete_authority(mount.path(), name, |delete| -> Result<(), Unmount> {
        services.access.guard_authority(mount.id(), name, delete)
    })?;
    Ok(Reply::empty())
}

/// `POST ca/:name/revoke`: of a certificate that an imported authority vouches for; of a serial number,
/// whoever issued it under that authority.
pub(super) fn revoke(call: &Call<'_>) -> Result<Reply, ApiError> {
    let Revocation { serial, issuer, not_after } = named_serial(call)?;
    let (mount, name) = (call.mount()?, call.captured("name"));
    let authority = mount.authority(name);
    let missing = || ApiError::bad(format!("there is no certificate authority {name:?}"));
    let authority = authority.ok_or_else(missing)?;
    call.services()?.access.deny_imported(
        mount,
        authority,
        serial,
        issuer.as_deref(),
        not_after,
    )?;
    Ok(Reply::empty())
}

/// `GET crl`: of the engine's own authority, in DER.
pub(super) fn own_list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::raw("application/pkix-crl", own_der(call)?))
}

/// `GET crl/pem`.
pub(super) fn own_list_pem(call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(in_pem(&own_der(call)?))
}

/// `GET ca/:name/crl`: of a generated authority, in DER.
pub(super) fn named_list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::raw("application/pkix-crl", named_der(call)?))
}

/// `GET ca/:name/crl/pem`.
pub(super) fn named_list_pem(call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(in_pem(&named_der(call)?))
}

fn own_der(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let (id, _) = call.mount()?.engine().ok_or_else(ApiError::nothing)?.authority();
    der(call, id)
}

fn named_der(call: &Call<'_>) -> Result<Vec<u8>, ApiError> {
    let found = call.mount()?.authority(call.captured("name"));
    der(call, found.ok_or_else(ApiError::nothing)?.id())
}

fn der(call: &Call<'_>, authority: AuthorityId) -> Result<Vec<u8>, ApiError> {
    let list = call.services()?.access.revocation_list(call.mount()?, authority)?;
    Ok(list.ok_or_else(ApiError::nothing)?.to_vec())
}

fn in_pem(der: &[u8]) -> Reply {
    let text = pem::encode("X509 CRL", der);
    Reply::raw("application/x-pem-file", format!("{text}\n").into_bytes())
}

fn mapping(call: &Call<'_>) -> Result<MappingChange, ApiError> {
    let fields = call.fields;
    Ok(MappingChange {
        scope_name: fields.text("scope_name")?,
        scope_field: fields.named("scope_field", SubjectField::from_name)?,
        role_name: fields.text("role_name")?,
        role_field: fields.named("role_field", SubjectField::from_name)?,
    })
}

/// What every client of Vault's looks for: the documents name some fields, Terraform others.
fn describe(authority: &NamedAuthority) -> Reply {
    match authority.source() {
        Source::Generated { authority, ttl_seconds } => {
            let chain = authority.chain_pem();
            let [intermediate, _] = authority.chain();
            Reply::data(json!({
                "ca_pem": chain.join("\n"),
                "certificate": chain.first(),
                "ca_chain": chain,
                "serial_number": Serial::of_certificate(&intermediate).map(|it| it.to_string()),
                "key_type": authority.spec().key_type().name(),
                "key_bits": authority.spec().bits(),
                "ttl": ttl_seconds,
                "imported": false,
            }))
        }
        Source::Imported { authority, pem } => {
            let chain: Vec<String> = authority
                .certificates()
                .iter()
                .map(|der| pem::encode("CERTIFICATE", der))
                .collect();
            let mut data = Map::new();
            data.insert("ca_pem".to_owned(), pem.as_str().into());
            data.insert("certificate".to_owned(), chain.first().cloned().into());
            data.insert("ca_chain".to_owned(), chain.into());
            data.insert("imported".to_owned(), true.into());
            let mapping = authority.mapping();
            for (what, selector) in [("scope", &mapping.scope), ("role", &mapping.role)] {
                let (suffix, value) = match selector {
                    Selector::Name(name) => ("name", name.as_str()),
                    Selector::Field(field) => ("field", field.name()),
                };
                data.insert(format!("{what}_{suffix}"), value.into());
            }
            Reply::data(Value::Object(data))
        }
    }
}
