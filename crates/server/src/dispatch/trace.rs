//! Messages in the log, for scopes whose `kmip_trace` is on: decoded, and without what is secret.

use claviger_kmip::tables::{KmipNames, is_secret};
use claviger_ttlv::{Limits, Node, text};

use super::{Peer, Service};

impl Service {
    /// Writes one request and its answer to the log, if the client's scope asks for that.
    pub(super) fn trace(&self, peer: &Peer, request: &[u8], answer: &[u8]) {
        let grant = self.access.authenticate(peer.mount, &peer.identity);
        let Some(grant) = grant.ok().filter(|grant| grant.is_traced()) else { return };
        let scope = grant.scope_name().as_str();
        for (direction, message) in [("request", request), ("response", answer)] {
            tracing::info!(
                target: "claviger::trace",
                peer = %peer.remote,
                scope,
                role = grant.role_name().as_str(),
                direction,
                "{}",
                decoded(message)
            );
        }
    }
}

fn decoded(message: &[u8]) -> String {
    match Node::from_bytes(message, &Limits { size_max: usize::MAX, ..Limits::default() }) {
        Ok(node) => text::write(&node, &KmipNames, &is_secret),
        Err(error) => format!("{} bytes that are no message: {error}", message.len()),
    }
}
