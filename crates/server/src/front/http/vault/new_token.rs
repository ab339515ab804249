//! What a token may give to the tokens it makes (vault's rules of `auth/token/create`).

use zeroize::Zeroizing;

use super::Call;
use super::error::ApiError;
use super::fields::Fields;
use crate::policy::{Capability, DEFAULT, RESPONSE_WRAPPING, ROOT};
use crate::record::Change;
use crate::token::{NewToken, TokenInfo, TokenRole};

/// The token that a request asks for, if its caller may make it. `orphan` is of the path; what it
/// takes has been checked there.
pub(super) fn of_request(
    call: &Call<'_>,
    caller: &TokenInfo,
    path: &str,
    orphan: bool,
) -> Result<NewToken, ApiError> {
    of_request_with(call, caller, path, orphan, policies)
}

/// The token that a request asks for under a token role, and what the role cut.
pub(super) fn under_role(
    call: &Call<'_>,
    caller: &TokenInfo,
    role: &TokenRole,
) -> Result<(NewToken, Vec<String>), ApiError> {
    let path = format!("auth/token/create/{}", role.name);
    let of_role = |fields: Fields<'_>, caller: &TokenInfo, has_sudo| {
        if role.decides_policies() {
            role_policies(fields, caller, role)
        } else {
            policies(fields, caller, has_sudo)
        }
    };
    let mut new = of_request_with(call, caller, &path, role.orphan, of_role)?;
    let mut warnings = Vec::new();
    let mut cut = |name: &str, asked: &mut i64, most: i64| {
        if most > 0 && *asked > most {
            warnings
                .push(format!("{name} of {asked}s exceeds the role's {most}s and is cut to it"));
        }
        if most > 0 && (*asked == 0 || *asked > most) {
            *asked = most;
        }
    };
    cut("explicit_max_ttl", &mut new.explicit_max_ttl, role.explicit_max_ttl);
    cut("period", &mut new.period, role.period);
    if role.num_uses > 0 && (new.num_uses == 0 || new.num_uses > role.num_uses) {
        new.num_uses = role.num_uses;
    }
    if role.no_default_policy {
        new.policies.retain(|name| name != DEFAULT);
    }
    new.renewable &= role.renewable;
    if !role.path_suffix.is_empty() {
        new.path = format!("{path}/{}", role.path_suffix);
    }
    new.role = role.name.clone();
    Ok((new, warnings))
}

fn of_request_with(
    call: &Call<'_>,
    caller: &TokenInfo,
    path: &str,
    orphan: bool,
    policies: impl FnOnce(Fields<'_>, &TokenInfo, bool) -> Result<Vec<String>, ApiError>,
) -> Result<NewToken, ApiError> {
    // Else a token with one use would be good for as many as it likes.
    if caller.num_uses > 0 || call.services()?.tokens.lookup_id(caller.id)?.is_none() {
        return Err(ApiError::bad("restricted use token cannot generate child tokens"));
    }
    let fields = call.fields;
    let granted = call.services()?.policies.granted(&caller.policies, path);
    let has_sudo = granted.has(Capability::Sudo);
    let with_sudo = |wanted: bool, what: &str| match wanted && !has_sudo {
        true => Err(ApiError::bad(format!("root or sudo privileges required to {what}"))),
        false => Ok(wanted),
    };
    refuse_unknown_kinds(fields)?;
    let id = fields.text("id")?.apply(String::new(), String::new());
    with_sudo(!id.is_empty(), "specify token id")?;
    if id.starts_with("hvs.") || id.contains('.') {
        return Err(ApiError::bad("a token id must not contain a dot"));
    }
    let no_parent = fields.bool("no_parent")?.apply(false, false);
    let no_parent = orphan || with_sudo(no_parent, "create orphan token")?;
    let period = fields.seconds("period")?.apply(0, 0);
    with_sudo(period != 0, "create periodic token")?;
    let policies = policies(fields, caller, has_sudo)?;
    let ttl = match fields.seconds("ttl")? {
        Change::To(ttl) => ttl,
        Change::Keep | Change::Reset => fields.seconds("lease")?.apply(0, 0),
    };
    let gets = |name: &str| policies.iter().any(|policy| policy == name);
    if gets(RESPONSE_WRAPPING) {
        return Err(ApiError::bad("the policy response-wrapping cannot be given to a token"));
    }
    if gets(ROOT) && !caller.is_root() {
        let refused = "root tokens may not be created without parent token being root";
        return Err(ApiError::bad(refused));
    }
    if gets(ROOT) && ttl == 0 && caller.expire_time.is_some() {
        return Err(ApiError::bad("expiring root tokens cannot create non-expiring root tokens"));
    }
    Ok(NewToken {
        id: (!id.is_empty()).then(|| Zeroizing::new(id)),
        display_name: display_name(fields)?,
        policies,
        ttl,
        explicit_max_ttl: fields.seconds("explicit_max_ttl")?.apply(0, 0),
        period,
        num_uses: fields.u32("num_uses")?.apply(0, 0),
        renewable: fields.bool("renewable")?.apply(true, true),
        parent: (!no_parent).then_some(caller.id),
        path: path.to_owned(),
        meta: fields.map("meta")?.apply(Default::default(), Default::default()),
        // Else a token bound to addresses would make one that is not.
        bound_cidrs: caller.bound_cidrs.clone(),
        ..NewToken::default()
    })
}

fn refuse_unknown_kinds(fields: Fields<'_>) -> Result<(), ApiError> {
    match fields.text("type")?.apply(String::new(), String::new()).as_str() {
        "" | "service" | "default" | "default-service" => {}
        "batch" => return Err(ApiError::bad("batch tokens are not supported by this server")),
        _ => return Err(ApiError::bad("invalid 'token_type' value")),
    }
    if !fields.text("entity_alias")?.apply(String::new(), String::new()).is_empty() {
        let without = "'entity_alias' is only allowed in combination with token role";
        return Err(ApiError::bad(without));
    }
    Ok(())
}

/// Those asked for, else the caller's; never more than the caller has, unless it has `sudo`.
fn policies(
    fields: Fields<'_>,
    caller: &TokenInfo,
    has_sudo: bool,
) -> Result<Vec<String>, ApiError> {
    let asked = fields.list("policies")?.apply(Vec::new(), Vec::new());
    let asked: Vec<String> = asked.iter().map(|name| name.trim().to_lowercase()).collect();
    let mut policies = if asked.is_empty() { caller.policies.clone() } else { asked };
    let no_default = fields.bool("no_default_policy")?.apply(false, false);
    let is_given = |name: &String| name == DEFAULT || caller.policies.contains(name);
    if !has_sudo && !policies.iter().all(is_given) {
        return Err(ApiError::bad("child policies must be subset of parent"));
    }
    // A caller that was made without it must not come by it through a child.
    let has_default = has_sudo || caller.policies.iter().any(|name| name == DEFAULT);
    if no_default || !has_default {
        policies.retain(|name| name != DEFAULT);
    } else {
        policies.push(DEFAULT.to_owned());
    }
    Ok(policies)
}

/// Those asked for, if the role has nothing against them; else those that it allows, or the caller's.
fn role_policies(
    fields: Fields<'_>,
    caller: &TokenInfo,
    role: &TokenRole,
) -> Result<Vec<String>, ApiError> {
    let asked = fields.list("policies")?.apply(Vec::new(), Vec::new());
    let mut policies: Vec<String> = asked.iter().map(|name| name.trim().to_lowercase()).collect();
    policies.retain(|name| !name.is_empty());
    let no_default = fields.bool("no_default_policy")?.apply(false, false);
    let gets_default = !no_default && !role.no_default_policy && !role.disallows(DEFAULT);
    if policies.is_empty() {
        let allowed = if role.lists_allowed() { &role.allowed_policies } else { &caller.policies };
        policies.clone_from(allowed);
    } else if role.lists_allowed() {
        let fits = |name: &String| role.allows(name) || (gets_default && name == DEFAULT);
        if !policies.iter().all(fits) {
            return Err(ApiError::bad(format!(
                "token policies ({policies:?}) must be subset of the role's allowed policies \
                 ({:?}) or glob policies ({:?})",
                role.allowed_policies, role.allowed_policies_glob
            )));
        }
    }
    if let Some(refused) = policies.iter().find(|name| role.disallows(name)) {
        return Err(ApiError::bad(format!("token policy {refused:?} is disallowed by this role")));
    }
    if gets_default {
        policies.push(DEFAULT.to_owned());
    }
    Ok(policies)
}

/// `token`, and what the request calls it, in the letters that Vault leaves.
fn display_name(fields: Fields<'_>) -> Result<String, ApiError> {
    let asked = fields.text("display_name")?.apply(String::new(), String::new());
    let kept = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = format!("token-{asked}").chars().map(kept).collect();
    Ok(name.trim_end_matches('-').to_owned())
}
