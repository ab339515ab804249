//! `auth/token/roles`: what the tokens get that are made under a name.

use serde_json::json;

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::policy::RESPONSE_WRAPPING;
use crate::record::Change;
use crate::token::TokenRole;

/// `LIST auth/token/roles`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(call.services()?.tokens.role_names()?)
}

/// `GET auth/token/roles/:role_name`.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let role = call.services()?.tokens.role(call.captured("role_name"))?;
    let role = role.ok_or_else(ApiError::nothing)?;
    Ok(Reply::data(json!({
        "name": role.name,
        "allowed_policies": role.allowed_policies,
        "allowed_policies_glob": role.allowed_policies_glob,
        "disallowed_policies": role.disallowed_policies,
        "disallowed_policies_glob": role.disallowed_policies_glob,
        "allowed_entity_aliases": null,
        "orphan": role.orphan,
        "renewable": role.renewable,
        "path_suffix": role.path_suffix,
        "period": role.period,
        "explicit_max_ttl": role.explicit_max_ttl,
        "token_no_default_policy": role.no_default_policy,
        "token_period": role.period,
        "token_explicit_max_ttl": role.explicit_max_ttl,
        "token_num_uses": role.num_uses,
        "token_bound_cidrs": [],
        "token_type": "default-service",
    })))
}

/// `POST auth/token/roles/:role_name`: what is left out stays as it is.
pub(super) fn write(call: &Call<'_>) -> Result<Reply, ApiError> {
    let name = call.captured("role_name");
    refuse_unknown_kinds(call)?;
    call.services()?.tokens.change_role(name, |role| change(call, role))?;
    Ok(Reply::empty())
}

fn change(call: &Call<'_>, role: &mut TokenRole) -> Result<(), ApiError> {
    let fields = call.fields;
    for (list, name) in [
        (&mut role.allowed_policies, "allowed_policies"),
        (&mut role.allowed_policies_glob, "allowed_policies_glob"),
        (&mut role.disallowed_policies, "disallowed_policies"),
        (&mut role.disallowed_policies_glob, "disallowed_policies_glob"),
    ] {
        *list = policies(fields.list(name)?.apply(std::mem::take(list), Vec::new()));
    }
    if role.allowed_policies.iter().any(|policy| policy == RESPONSE_WRAPPING) {
        return Err(ApiError::bad("the policy response-wrapping cannot be given to a token"));
    }
    role.orphan = fields.bool("orphan")?.apply(role.orphan, false);
    role.renewable = fields.bool("renewable")?.apply(role.renewable, true);
    role.no_default_policy =
        fields.bool("token_no_default_policy")?.apply(role.no_default_policy, false);
    role.path_suffix = suffix(
        fields.text("path_suffix")?.apply(std::mem::take(&mut role.path_suffix), String::new()),
    )?;
    role.period = seconds(call, "token_period", "period", role.period)?;
    role.explicit_max_ttl =
        seconds(call, "token_explicit_max_ttl", "explicit_max_ttl", role.explicit_max_ttl)?;
    role.num_uses = fields.u32("token_num_uses")?.apply(role.num_uses, 0);
    Ok(())
}

/// `DELETE auth/token/roles/:role_name`.
pub(super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.services()?.tokens.delete_role(call.captured("role_name"))?;
    Ok(Reply::empty())
}

/// What this server does not have: refused by name, so that nobody counts on it.
fn refuse_unknown_kinds(call: &Call<'_>) -> Result<(), ApiError> {
    let kind = call.fields.text("token_type")?.apply(String::new(), String::new());
    match kind.as_str() {
        "" | "service" | "default" | "default-service" => {}
        "batch" | "default-batch" => {
            return Err(ApiError::bad("batch tokens are not supported by this server"));
        }
        _ => return Err(ApiError::bad("invalid 'token_type' value")),
    }
    for name in ["token_bound_cidrs", "bound_cidrs", "allowed_entity_aliases"] {
        if matches!(call.fields.list(name)?, Change::To(list) if !list.is_empty()) {
            return Err(ApiError::bad(format!("{name} is not supported by this server")));
        }
    }
    Ok(())
}

fn policies(names: Vec<String>) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}

/// A path's end, in the letters of a name.
fn suffix(text: String) -> Result<String, ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.chars().all(fits) {
        return Err(ApiError::bad("path_suffix has other characters than a-z, A-Z, 0-9, -, _, ."));
    }
    Ok(text)
}

/// Seconds under their newer name, else under their older.
fn seconds(call: &Call<'_>, newer: &str, older: &str, current: i64) -> Result<i64, ApiError> {
    let (newer_value, older_value) = (call.fields.seconds(newer)?, call.fields.seconds(older)?);
    let seconds = newer_value.apply(older_value.apply(current, 0), 0);
    if seconds < 0 {
        return Err(ApiError::bad(format!("{newer:?} must not be negative")));
    }
    Ok(seconds)
}
