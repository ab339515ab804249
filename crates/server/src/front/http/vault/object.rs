//! Managed objects, as far as an operator needs them: who holds one, and what to do when it is in
//! the wrong hands. Never the key itself: that is what KMIP is for.

use std::sync::Arc;

use claviger_kmip::attributes::values::RevocationReason;
use claviger_kmip::codec::DateTime;
use claviger_kmip::enums::{self, RevocationReasonCode};
use serde_json::{Value, json};

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::access::Refusal;
use crate::audit::seconds_text;
use crate::failure::Failure;
use crate::mount::{Identity, Mount, NamedAuthority, Source};
use crate::object::lifecycle::State;
use crate::object::{Held, ObjectId, Objects, Partition};
use crate::ops::revoke::revoked;
use crate::pki::Serial;
use crate::record::{Change, RecordError};
use crate::seal::CommitError;

/// How often a change is tried again when another came first.
const RETRIES_MAX: usize = 16;

/// `GET scope/:scope/object/:id/holders`.
pub(super) fn holders(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (partition, id) = named(call)?;
    let now = call.api.clock.now();
    let objects = &call.services()?.objects;
    objects.begin(partition, now).object(&id.to_string()).map_err(refused)?;
    describe(call, objects, partition, id, &[])
}

/// `POST scope/:scope/object/:id/compromise`: Revoke with Key Compromise, and who holds it. Once more
/// changes nothing.
pub(super) fn compromise(call: &Call<'_>) -> Result<Reply, ApiError> {
    let message = match call.fields.text("message")? {
        Change::To(text) if !text.is_empty() => Some(text),
        _ => None,
    };
    let occurrence = match call.fields.seconds("compromise_occurrence_date")? {
        Change::To(at) => Some(DateTime(at)),
        Change::Keep | Change::Reset => None,
    };
    let (partition, id) = named(call)?;
    let code = RevocationReasonCode::KEY_COMPROMISE;
    let reason = RevocationReason { revocation_reason_code: code, revocation_message: message };
    let objects = &call.services()?.objects;
    for _ in 0..RETRIES_MAX {
        let now = call.api.clock.now();
        let mut tx = objects.begin(partition, now);
        let object = tx.object(&id.to_string()).map_err(refused)?;
        if is_compromised(object.state(now)) {
            return describe(call, objects, partition, id, &[]);
        }
        tx.update(revoked(&object, reason.clone(), occurrence, now).map_err(refused)?);
        // The change takes from memory what the store has not of last fetches.
        let before = objects.holders(partition, id).map_err(|error| ApiError::internal(&error))?;
        match tx.commit().wait() {
            Ok(()) => return describe(call, objects, partition, id, &before),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(RecordError::Storage(error).into()),
        }
    }
    Err(ApiError::internal(&"too many concurrent changes of one object"))
}

/// The object of the path.
fn named(call: &Call<'_>) -> Result<(Partition, ObjectId), ApiError> {
    let (mount, scope) = (call.mount()?.id(), call.captured("scope"));
    let scope_id = call.services()?.access.scope_id(mount, scope);
    let scope_id = scope_id.ok_or_else(ApiError::nothing)?;
    let id = ObjectId::parse(call.captured("unique_identifier")).ok_or_else(ApiError::nothing)?;
    Ok((Partition { mount: *mount.as_bytes(), scope: *scope_id.as_bytes() }, id))
}

fn describe(
    call: &Call<'_>,
    objects: &Objects,
    partition: Partition,
    id: ObjectId,
    before: &[Held],
) -> Result<Reply, ApiError> {
    let now = call.api.clock.now();
    let object = objects.begin(partition, now).object(&id.to_string()).map_err(refused)?;
    let mut holders = objects.holders(partition, id).map_err(|error| ApiError::internal(&error))?;
    for held in &mut holders {
        if let Some(known) = before.iter().find(|known| known.holder == held.holder) {
            held.fetches.last = held.fetches.last.max(known.fetches.last);
        }
    }
    let holders: Vec<Value> =
        holders.iter().map(|held| holder(call, held)).collect::<Result<_, _>>()?;
    Ok(Reply::data(json!({
        "unique_identifier": id.to_string(),
        "state": enums::State::from(object.state(now)).name(),
        "holders": holders,
    })))
}

fn holder(call: &Call<'_>, held: &Held) -> Result<Value, ApiError> {
    let mount = call.mount()?;
    let serial = Serial::from_be_bytes(&held.holder.serial);
    let (ca, credential) = if held.holder.authority == [0; 16] {
        (Value::Null, standing(call, mount, serial)?)
    } else {
        let mut authorities = mount.authorities();
        let found = authorities.find(|it| *it.id().as_bytes() == held.holder.authority);
        (found.map_or(Value::Null, |found| found.name().into()), imported_standing(found, held))
    };
    let issuer = Some(held.fetches.issuer.as_str()).filter(|issuer| !issuer.is_empty());
    Ok(json!({
        "serial_number": serial.map(|serial| serial.to_string()),
        "role": held.fetches.role,
        "ca": ca,
        "issuer": issuer,
        "credential": credential,
        "first_fetched": seconds_text(held.fetches.first),
        "last_fetched": seconds_text(held.fetches.last),
    }))
}

/// How a credential of this server stands.
fn standing(
    call: &Call<'_>,
    mount: &Mount,
    serial: Option<Serial>,
) -> Result<&'static str, ApiError> {
    let Some(serial) = serial else { return Ok("unknown") };
    let access = &call.services()?.access;
    let refusal = match access.authenticate(mount.id(), &Identity::Issued(serial)) {
        Ok(_) => return Ok("valid"),
        // Since the last start only the store knows.
        Err(Refusal::Unknown) => access.remembered(mount, &serial)?.unwrap_or(Refusal::Unknown),
        Err(refusal) => refusal,
    };
    Ok(match refusal {
        Refusal::ScopeClosing => "valid",
        Refusal::Revoked => "revoked",
        Refusal::Expired => "expired",
        Refusal::RoleDeleted => "role_deleted",
        Refusal::ScopeDeleted => "scope_deleted",
        _ => "unknown",
    })
}

/// How a certificate of an imported authority stands, of which nothing is stored but that it is denied.
fn imported_standing(authority: Option<&Arc<NamedAuthority>>, held: &Held) -> &'static str {
    let Some(Source::Imported { authority, .. }) = authority.map(|it| it.source()) else {
        return "authority_deleted";
    };
    let issuer = Some(held.holder.issuer).filter(|issuer| *issuer != [0; 16]);
    match authority.denies(held.holder.serial.into(), issuer) {
        true => "revoked",
        false => "imported",
    }
}

/// Whether it is known already.
const fn is_compromised(state: State) -> bool {
    matches!(state, State::Compromised | State::DestroyedCompromised)
}

/// A failure of the object's own rules is the caller's to put right.
fn refused(failure: Failure) -> ApiError {
    use crate::failure::Reason;
    match failure.reason {
        Reason::ObjectNotFound => ApiError::nothing(),
        Reason::GeneralFailure => ApiError::internal(&failure.message),
        _ => ApiError::bad(failure.message),
    }
}
