//! Interop: marks in a test run (KMIP 2.1 §6.1.24; KMIP 2.0 and later).

use claviger_kmip::payload::{InteropRequest, InteropResponse};

use super::Context;
use crate::failure::Failure;

/// Carries out Interop: a mark in the log. Nothing is reset.
///
/// # Errors
/// Never.
pub fn interop(
    context: &mut Context<'_, '_>,
    request: InteropRequest,
) -> Result<InteropResponse, Failure> {
    tracing::info!(
        scope = context.grant.scope_name().as_str(),
        function = ?request.interop_function,
        identifier = request.interop_identifier,
        "interop"
    );
    Ok(InteropResponse {})
}
