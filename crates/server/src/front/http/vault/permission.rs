//! Whether a token may do what it asks: the one place where the API's permissions are checked, before
//! any handler. Says nothing of what there is. Pure.

use super::error::ApiError;
use super::request::{Operation, Path, Request};
use super::routes::Auth;
use crate::policy::{Capabilities, Capability, Grant, Policies};
use crate::token::TokenInfo;

/// Refuses what the token's policies do not grant on a path: the request's, or what it means.
pub(super) fn check(
    policies: &Policies,
    token: &TokenInfo,
    request: &Request,
    path: &Path,
    auth: Auth,
) -> Result<(), ApiError> {
    let mut text = path.text();
    if path.has_slash || request.operation == Operation::List {
        text.push('/');
    }
    let Grant { capabilities: granted, wrapping } = policies.grant(&token.policies, &text);
    let is_wrapped_enough =
        request.operation == Operation::Help || wrapping.allows(request.wrap_ttl);
    let has_sudo = auth != Auth::Sudo || granted.has(Capability::Sudo);
    if has_sudo && is_wrapped_enough && allows(granted, request.operation) {
        return Ok(());
    }
    Err(ApiError::not_granted())
}

fn allows(granted: Capabilities, operation: Operation) -> bool {
    match operation {
        Operation::Read => granted.has(Capability::Read),
        // Nobody looks whether it is there before it is written.
        Operation::Update => granted.has(Capability::Create) || granted.has(Capability::Update),
        Operation::Delete => granted.has(Capability::Delete),
        Operation::List => granted.has(Capability::List),
        Operation::Help => !granted.is_empty(),
    }
}
