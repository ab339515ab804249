//! `auth/token`: what the caller's own token is.

use serde_json::json;

use super::Call;
use super::error::ApiError;
use super::reply::Reply;

/// `GET auth/token/lookup-self`.
pub(super) fn lookup_self(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (info, token) = call.caller.ok_or_else(ApiError::denied)?;
    Ok(Reply::data(json!({
        "id": token,
        "accessor": info.accessor,
        "creation_time": info.creation_time,
        "creation_ttl": info.creation_ttl,
        "display_name": info.display_name,
        "entity_id": "",
        "expire_time": null,
        "explicit_max_ttl": 0,
        "meta": null,
        "num_uses": 0,
        "orphan": true,
        "path": info.path,
        "policies": info.policies,
        "renewable": false,
        "ttl": 0,
        "type": "service",
    })))
}
