//! What goes into the log of every request: which server, how long, how many others.

use claviger_client::Event;

/// Logs what the client tells.
pub(super) fn event(event: &Event<'_>) {
    match event {
        Event::Answered { server, operation, waited, took, under_way } => tracing::debug!(
            target: "claviger::kmip",
            host = %server,
            ?operation,
            latency_total_ms = milliseconds(waited.saturating_add(*took)),
            latency_deferred_ms = milliseconds(*waited),
            latency_request_ms = milliseconds(*took),
            under_way,
            "the KMIP server answered"
        ),
        Event::ServerFailed { server, error } => tracing::warn!(
            target: "claviger::kmip",
            host = %server,
            %error,
            "the KMIP server failed; it is asked last for a while"
        ),
        Event::RoundFailed { .. } => {
            tracing::error!(target: "claviger::kmip", "no KMIP server answered");
        }
        _ => {}
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
