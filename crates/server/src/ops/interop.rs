//! Interop: marks in a test run (KMIP 2.1 §6.1.24; KMIP 2.0 and later).

use claviger_kmip::enums::InteropFunction;
use claviger_kmip::payload::{InteropRequest, InteropResponse};

use super::Context;
use crate::failure::{Failure, Reason};

/// Carries out Interop: Begin and End are marks in the log.
///
/// # Errors
/// Reset is asked for: it would have to destroy the scope's objects.
pub fn interop(
    context: &mut Context<'_, '_>,
    request: InteropRequest,
) -> Result<InteropResponse, Failure> {
    if !matches!(request.interop_function, InteropFunction::BEGIN | InteropFunction::END) {
        let message = "Interop marks Begin and End only: nothing is reset";
        return Err(Failure::new(Reason::FeatureNotSupported, message));
    }
    tracing::info!(
        scope = context.grant.scope_name().as_str(),
        function = ?request.interop_function,
        identifier = request.interop_identifier,
        "interop"
    );
    Ok(InteropResponse {})
}
