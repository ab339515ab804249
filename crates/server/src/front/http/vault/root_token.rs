//! A root token for whoever holds enough key shares and no token: `sys/generate-root`. Answers without
//! an envelope, as Vault's. The token leaves hidden under a one-time pad that only the first asker knows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Call;
use super::error::ApiError;
use super::reply::{Content, Reply};
use super::root_key::{nonce, share};
use crate::record::{Change, base62};
use crate::seal::Given;
use crate::token::ROOT_TOKEN_BYTES;

/// `GET sys/generate-root/attempt`.
pub(super) fn status(call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::bare(200, describe(call, "", None)?))
}

fn describe(call: &Call<'_>, pad: &str, token: Option<&str>) -> Result<Value, ApiError> {
    let custody = &call.services()?.custody;
    let status = custody.root_token_status()?;
    let required = custody.config()?.threshold;
    Ok(json!({
        "nonce": status.as_ref().map_or("", |it| it.nonce.as_str()),
        "started": status.is_some() || token.is_some(),
        "progress": status.as_ref().map_or(token.map_or(0, |_| usize::from(required)), |it| it.progress),
        "required": required,
        "complete": token.is_some(),
        "encoded_token": token.unwrap_or_default(),
        "encoded_root_token": token.unwrap_or_default(),
        "pgp_fingerprint": "",
        "otp": pad,
        "otp_length": ROOT_TOKEN_BYTES,
    }))
}

/// `PUT sys/generate-root/attempt`.
pub(super) fn start(call: &Call<'_>) -> Result<Reply, ApiError> {
    if matches!(call.fields.text("pgp_key")?, Change::To(key) if !key.is_empty()) {
        return Err(ApiError::bad("pgp_key is not supported: give an otp, or take one"));
    }
    let (pad, is_made) = match call.fields.text("otp")? {
        Change::To(pad) if !pad.is_empty() => (Zeroizing::new(pad), false),
        _ => {
            let made = base62(ROOT_TOKEN_BYTES).map_err(|error| ApiError::internal(&error))?;
            (Zeroizing::new(made), true)
        }
    };
    if pad.len() != ROOT_TOKEN_BYTES {
        let text = format!("OTP string is wrong length: it must have {ROOT_TOKEN_BYTES} bytes");
        return Err(ApiError::bad(text));
    }
    call.services()?.custody.root_token_start(nonce()?, pad.clone())?;
    Ok(Reply::bare(200, describe(call, if is_made { &pad } else { "" }, None)?))
}

/// `DELETE sys/generate-root/attempt`.
pub(super) fn cancel(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.services()?.custody.root_token_cancel();
    Ok(Reply::empty())
}

/// `PUT sys/generate-root/update`.
pub(super) fn give(call: &Call<'_>) -> Result<Reply, ApiError> {
    let services = call.services()?;
    let (share, attempt) = share(call)?;
    let Given::Complete(pad) = services.custody.root_token_give(&attempt, share)? else {
        return status(call);
    };
    let token = services.tokens.create_root(None)?;
    tracing::warn!("a root token was made with key shares");
    let hidden: Vec<u8> =
        token.bytes().zip(pad.bytes()).map(|(left, right)| left ^ right).collect();
    Ok(Reply::bare(200, describe(call, "", Some(&STANDARD_NO_PAD.encode(hidden)))?))
}

/// `GET sys/generate-root-token/attempt`: OpenBao's clients want a token, and an envelope.
pub(super) fn status_with_token(call: &Call<'_>) -> Result<Reply, ApiError> {
    status(call).map(enveloped)
}

/// `PUT sys/generate-root-token/attempt`.
pub(super) fn start_with_token(call: &Call<'_>) -> Result<Reply, ApiError> {
    start(call).map(enveloped)
}

/// `PUT sys/generate-root-token/update`.
pub(super) fn give_with_token(call: &Call<'_>) -> Result<Reply, ApiError> {
    give(call).map(enveloped)
}

fn enveloped(reply: Reply) -> Reply {
    match reply.content {
        Content::Bare(_, body) => Reply::data(body),
        content => Reply { content, ..reply },
    }
}
