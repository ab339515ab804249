//! The life of the root key over the API: rotation, and new key shares. Answers of `sys/rekey` have no
//! envelope, as Vault's; unlike Vault's older releases it wants a token, so that each step is audited.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::seal::{decode_share, encode_hex};
use crate::audit::timestamp;
use crate::duration::in_units;
use crate::record::{Change, RequestId};
use crate::rotation::{RotationChange, RotationTerms};
use crate::seal::shamir::Share;
use crate::seal::{Dealt, Given, RekeyStatus, RekeyTerms};

/// Vault's numbers where a request leaves them out.
const SHARES: u32 = 5;
const THRESHOLD: u32 = 3;

/// `PUT sys/rotate`.
pub(super) fn rotate(call: &Call<'_>) -> Result<Reply, ApiError> {
    let number = call.services()?.custody.barrier().rotate(call.api.clock.now_us())?;
    tracing::info!(number, "a new record key seals what is written from now on");
    Ok(Reply::empty())
}

/// `GET sys/key-status`.
pub(super) fn status(call: &Call<'_>) -> Result<Reply, ApiError> {
    let barrier = call.services()?.custody.barrier();
    let (number, sealed) = barrier.sealed_by_active();
    Ok(Reply::data(json!({
        "term": number,
        "install_time": timestamp(barrier.active_since()),
        "encryptions": sealed,
    })))
}

/// `GET sys/rotate/config`.
pub(super) fn rotation(call: &Call<'_>) -> Result<Reply, ApiError> {
    let RotationTerms { enabled, max_operations, interval } = call.services()?.rotation.terms();
    let interval = match interval {
        0 => json!(0),
        seconds => json!(in_units(seconds)),
    };
    let data =
        json!({ "enabled": enabled, "max_operations": max_operations, "interval": interval });
    Ok(Reply::data(data))
}

/// `POST sys/rotate/config`.
pub(super) fn change_rotation(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.services()?.rotation.change(RotationChange {
        enabled: call.fields.bool("enabled")?,
        max_operations: call.fields.u32("max_operations")?,
        interval: call.fields.seconds("interval")?,
    })?;
    Ok(Reply::empty())
}

/// `GET sys/rekey/init`.
pub(super) fn rekey_status(call: &Call<'_>) -> Result<Reply, ApiError> {
    let custody = &call.services()?.custody;
    let required = custody.config()?.threshold;
    Ok(Reply::bare(200, describe(custody.rekey_status()?.as_ref(), required)))
}

fn describe(status: Option<&RekeyStatus>, required: u8) -> Value {
    let terms = status.map(|it| it.terms);
    let verification = status.and_then(|it| it.verification.as_ref());
    json!({
        "nonce": status.map_or("", |it| it.nonce.as_str()),
        "started": status.is_some(),
        "t": terms.map_or(0, |it| it.threshold),
        "n": terms.map_or(0, |it| it.shares),
        "progress": status.map_or(0, |it| it.progress),
        "required": required,
        "pgp_fingerprints": null,
        "backup": false,
        "verification_required": terms.is_some_and(|it| it.verify),
        "verification_nonce": verification.map_or("", |(nonce, _)| nonce.as_str()),
    })
}

/// `PUT sys/rekey/init`.
pub(super) fn rekey_start(call: &Call<'_>) -> Result<Reply, ApiError> {
    if matches!(call.fields.list("pgp_keys")?, Change::To(keys) if !keys.is_empty()) {
        let text = "pgp_keys is not supported: the answer is not encrypted again";
        return Err(ApiError::bad(text));
    }
    let number = |name: &str, default| match call.fields.u32(name)? {
        Change::To(number) => small(name, number),
        Change::Keep | Change::Reset => small(name, default),
    };
    let terms = RekeyTerms {
        shares: number("secret_shares", SHARES)?,
        threshold: number("secret_threshold", THRESHOLD)?,
        verify: call.fields.bool("require_verification")? == Change::To(true),
    };
    call.services()?.custody.rekey_start(terms, nonce()?)?;
    rekey_status(call)
}

fn small(name: &str, number: u32) -> Result<u8, ApiError> {
    u8::try_from(number).map_err(|_| ApiError::bad(format!("{name} must be less than 256")))
}

/// A fresh name of an attempt.
pub(super) fn nonce() -> Result<String, ApiError> {
    let id = RequestId::random().map_err(|error| ApiError::internal(&error))?;
    Ok(id.to_string())
}

/// `DELETE sys/rekey/init`.
pub(super) fn rekey_cancel(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.services()?.custody.rekey_cancel();
    Ok(Reply::empty())
}

/// The share of a request, and the nonce of the attempt that it is for.
pub(super) fn share(call: &Call<'_>) -> Result<(Share, String), ApiError> {
    let text = zeroize::Zeroizing::new(call.fields.required("key")?);
    let share = decode_share(text.trim());
    let share = share.ok_or_else(|| ApiError::bad("'key' must be a valid hex or base64 string"))?;
    Ok((Share::new(share), call.fields.required("nonce")?))
}

/// `PUT sys/rekey/update`.
pub(super) fn rekey_give(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (share, attempt) = share(call)?;
    let custody = &call.services()?.custody;
    let Given::Complete(dealt) = custody.rekey_give(&attempt, share, nonce()?)? else {
        return rekey_status(call);
    };
    let Dealt { shares, verification } = dealt;
    tracing::info!(shares = shares.len(), "there are new key shares");
    let hex: Vec<String> = shares.iter().map(|share| encode_hex(share.bytes())).collect();
    let base64: Vec<String> = shares.iter().map(|share| STANDARD.encode(share.bytes())).collect();
    Ok(Reply::bare(
        200,
        json!({
            "nonce": attempt,
            "complete": true,
            "keys": hex,
            "keys_base64": base64,
            "pgp_fingerprints": null,
            "backup": false,
            "verification_required": verification.is_some(),
            "verification_nonce": verification.unwrap_or_default(),
        }),
    ))
}

/// `GET sys/rekey/verify`.
pub(super) fn verify_status(call: &Call<'_>) -> Result<Reply, ApiError> {
    let status = call.services()?.custody.rekey_status()?;
    let status = status.as_ref().and_then(|it| Some((it.terms, it.verification.as_ref()?)));
    let Some((terms, (nonce, progress))) = status else {
        return Err(ApiError::bad("no rekey verification is in progress"));
    };
    Ok(Reply::bare(
        200,
        json!({
            "nonce": nonce,
            "started": true,
            "t": terms.threshold,
            "n": terms.shares,
            "progress": progress,
        }),
    ))
}

/// `PUT sys/rekey/verify`.
pub(super) fn verify_give(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (share, attempt) = share(call)?;
    match call.services()?.custody.rekey_verify(&attempt, share)? {
        Given::More => verify_status(call),
        Given::Complete(()) => {
            tracing::info!("the new key shares count");
            Ok(Reply::bare(200, json!({ "nonce": attempt, "complete": true })))
        }
    }
}

/// `DELETE sys/rekey/verify`.
pub(super) fn verify_reset(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.services()?.custody.rekey_verify_reset(nonce()?);
    verify_status(call)
}
