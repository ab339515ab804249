//! Initialise, unseal, seal. Answers without an envelope, as Vault's. Never logs what it is given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use super::Call;
use super::error::ApiError;
use super::keeper::{KeeperError, Sharing};
use super::reply::Reply;
use super::status;
use crate::record::Change;

/// Vault's numbers where a request leaves them out.
const DEFAULT: Sharing = Sharing { shares: 5, threshold: 3 };

/// `GET sys/init`.
pub(super) fn is_initialised(call: &Call<'_>) -> Result<Reply, ApiError> {
    let initialised = call.api.keeper.status().initialised;
    Ok(Reply::bare(200, json!({ "initialized": initialised })))
}

/// `PUT sys/init`: makes the keys, and shows the shares and the first token, once.
pub(super) fn initialise(call: &Call<'_>) -> Result<Reply, ApiError> {
    for unsupported in ["pgp_keys", "root_token_pgp_key", "recovery_pgp_keys"] {
        if matches!(call.fields.list(unsupported)?, Change::To(keys) if !keys.is_empty()) {
            let text = format!("{unsupported} is not supported: the answer is not encrypted again");
            return Err(ApiError::bad(text));
        }
    }
    let number = |name: &str, default| match call.fields.u32(name)? {
        Change::To(number) => Ok::<_, ApiError>(number),
        Change::Keep | Change::Reset => Ok(default),
    };
    let sharing = Sharing {
        shares: number("secret_shares", DEFAULT.shares)?,
        threshold: number("secret_threshold", DEFAULT.threshold)?,
    };
    // Vault's clients send these, whatever the seal.
    let stored = number("stored_shares", 0)?;
    if stored != 0 && stored != sharing.shares {
        return Err(ApiError::bad("\"stored_shares\" must be 0 or the same as secret_shares"));
    }
    number("recovery_shares", 0)?;
    number("recovery_threshold", 0)?;
    let made = call.api.keeper.initialise(sharing)?;
    let hex: Vec<String> = made.shares.iter().map(|share| encode_hex(share)).collect();
    let base64: Vec<String> = made.shares.iter().map(|share| STANDARD.encode(share)).collect();
    Ok(Reply::bare(
        200,
        json!({ "keys": hex, "keys_base64": base64, "root_token": made.root_token.as_str() }),
    ))
}

/// `PUT sys/unseal`: one key share, or a new beginning.
pub(super) fn unseal(call: &Call<'_>) -> Result<Reply, ApiError> {
    let asks = |name: &str| Ok::<_, ApiError>(call.fields.bool(name)? == Change::To(true));
    if asks("migrate")? {
        return Err(ApiError::bad("there is no seal migration in progress"));
    }
    if asks("reset")? {
        call.api.keeper.reset_unseal();
        return status::seal_status(call);
    }
    let mut text = match call.fields.text("key")? {
        Change::To(text) if !text.is_empty() => text,
        _ => {
            return Err(ApiError::bad(
                "'key' must be specified in request body as JSON, or 'reset' set to true",
            ));
        }
    };
    let share = decode_share(text.trim());
    text.zeroize();
    let share = share.ok_or_else(|| ApiError::bad("'key' must be a valid hex or base64 string"))?;
    call.api.keeper.unseal(share)?;
    status::seal_status(call)
}

/// `PUT sys/seal`.
pub(super) fn seal(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.api.keeper.seal();
    Ok(Reply::empty())
}

impl From<KeeperError> for ApiError {
    fn from(error: KeeperError) -> Self {
        match error {
            KeeperError::Internal(reason) => Self::internal(&reason),
            away @ KeeperError::Away(_) => Self::unavailable(away.to_string()),
            callers => Self::bad(callers.to_string()),
        }
    }
}

/// Wipes the key share, password or secret ID that a request may have carried, when it has been
/// carried out.
pub(super) fn wipe(data: &mut Value) {
    for name in ["key", "password", "secret_id"] {
        if let Some(Value::String(text)) = data.get_mut(name) {
            text.zeroize();
        }
    }
}

pub(super) fn encode_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

/// Hexadecimal, else base64, as Vault reads it.
pub(super) fn decode_share(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if let Some(bytes) = decode_hex(text) {
        return Some(bytes);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    STANDARD.decode_vec(text, &mut bytes).ok()?;
    Some(bytes)
}

fn decode_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else { return None };
        bytes.push(u8::try_from((digit(high)? << 4) | digit(low)?).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_in_hexadecimal_or_base64() {
        let bytes = [0xfb, 0xff, 0x00, 0x3e];
        assert_eq!(encode_hex(&bytes), "fbff003e");
        for text in ["fbff003e", "FBFF003E", "+/8APg=="] {
            assert_eq!(decode_share(text).unwrap().as_slice(), bytes, "{text}");
        }
        for bad in ["fbff00z", "+/8APg", "é", "%"] {
            assert!(decode_share(bad).is_none(), "{bad}");
        }
    }
}
