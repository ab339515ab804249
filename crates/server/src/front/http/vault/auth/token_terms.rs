//! The `token_…` fields, which users, roles and certificates share, and their older names.

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::fields::{Field, Fields, Kind};
use crate::auth::{TokenTerms, TokenTermsChange, TokenType};
use crate::record::Change;
use crate::token::AddressBlock;

/// What a route that takes them knows.
#[rustfmt::skip]
pub(in super::super) const FIELDS: &[Field] = &[
    Field::new("token_policies", Kind::List, "Policies of the tokens."),
    Field::new("token_ttl", Kind::Duration, "How long the tokens live."),
    Field::new("token_max_ttl", Kind::Duration, "How long they live at most, renewals included."),
    Field::new("token_explicit_max_ttl", Kind::Duration, "The same, as it is at the login, whatever changes later."),
    Field::new("token_period", Kind::Duration, "How much time each renewal gives, without a maximum."),
    Field::new("token_num_uses", Kind::Int, "How many requests they are good for; 0 without limit."),
    Field::new("token_bound_cidrs", Kind::List, "Addresses to log in from, and to use the tokens from."),
    Field::new("token_no_default_policy", Kind::Bool, "Leaves the policy default out."),
    Field::new("token_type", Kind::Text, "default, service or default-service: there are no batch tokens."),
    Field::new("policies", Kind::List, "token_policies, as older clients name it."),
    Field::new("ttl", Kind::Duration, "token_ttl, as older clients name it."),
    Field::new("max_ttl", Kind::Duration, "token_max_ttl, as older clients name it."),
    Field::new("period", Kind::Duration, "token_period, as older clients name it."),
    Field::new("bound_cidrs", Kind::List, "token_bound_cidrs, as older clients name it."),
];

/// What a write says.
pub(super) fn change(fields: Fields<'_>) -> Result<TokenTermsChange, ApiError> {
    Ok(TokenTermsChange {
        policies: policies(fields)?,
        ttl: either(fields.seconds("token_ttl")?, fields.seconds("ttl")?),
        max_ttl: either(fields.seconds("token_max_ttl")?, fields.seconds("max_ttl")?),
        explicit_max_ttl: fields.seconds("token_explicit_max_ttl")?,
        period: either(fields.seconds("token_period")?, fields.seconds("period")?),
        num_uses: fields.u32("token_num_uses")?,
        bound_cidrs: either(fields.list("token_bound_cidrs")?, fields.list("bound_cidrs")?),
        no_default_policy: fields.bool("token_no_default_policy")?,
        kind: fields.named("token_type", TokenType::from_name)?,
    })
}

/// What a write says of the policies alone.
pub(super) fn policies(fields: Fields<'_>) -> Result<Change<Vec<String>>, ApiError> {
    Ok(either(fields.list("token_policies")?, fields.list("policies")?))
}

/// The newer name counts.
pub(super) fn either<T>(newer: Change<T>, older: Change<T>) -> Change<T> {
    match newer {
        Change::Keep => older,
        newer => newer,
    }
}

/// Adds what a read shows.
pub(super) fn describe(terms: &TokenTerms, data: &mut Map<String, Value>) {
    let shown = json!({
        "token_policies": terms.policies,
        "token_ttl": terms.ttl,
        "token_max_ttl": terms.max_ttl,
        "token_explicit_max_ttl": terms.explicit_max_ttl,
        "token_period": terms.period,
        "token_num_uses": terms.num_uses,
        "token_bound_cidrs": texts(&terms.bound_cidrs),
        "token_no_default_policy": terms.no_default_policy,
        "token_type": terms.kind.name(),
    });
    if let Value::Object(shown) = shown {
        data.extend(shown);
    }
}

/// Blocks as they were written.
pub(super) fn texts(blocks: &[AddressBlock]) -> Vec<String> {
    blocks.iter().map(ToString::to_string).collect()
}
