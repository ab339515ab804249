//! Log: the client leaves a message in the server's log (KMIP 2.1 §6.1.29; KMIP 2.0 and later).

use claviger_kmip::payload::{LogRequest, LogResponse};

use super::Context;
use crate::failure::Failure;

/// The longest message that is logged whole.
const MESSAGE_CHARACTERS_MAX: usize = 1_024;

/// Carries out Log.
///
/// # Errors
/// Never.
pub fn log(context: &mut Context<'_, '_>, request: LogRequest) -> Result<LogResponse, Failure> {
    // Escaped: a line of a client must not look like one of ours.
    let message: String = request
        .log_message
        .chars()
        .take(MESSAGE_CHARACTERS_MAX)
        .flat_map(char::escape_debug)
        .collect();
    tracing::info!(
        scope = context.grant.scope_name().as_str(),
        role = context.grant.role_name().as_str(),
        message,
        "logged by a client"
    );
    Ok(LogResponse {})
}
