//! Every limit of the KMIP service, with its reason; the API's, the store's and cryptography's stand
//! in their modules.

use std::time::Duration;

/// The limits of one server. Sizes in bytes, counts in pieces.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest KMIP request: a 1 MiB object and its attributes fit.
    pub request_bytes_max: usize,
    /// How deeply a request may nest: the deepest of the specification's messages needs 12.
    pub request_depth_max: usize,
    /// How many items a request may have; bounds the work of decoding.
    pub request_items_max: usize,
    /// How many batch items a request may have: the Tape Library profile asks for 32.
    pub batch_items_max: usize,
    /// The largest KMIP response that is built, whatever the client takes.
    pub response_bytes_max: usize,
    /// How many identifiers one Locate answers when the client sets no maximum.
    pub locate_items_max: usize,
    /// How many attribute values one object may have: the profiles ask for 30 custom ones.
    pub attributes_max: usize,
    /// The largest text or byte string in an attribute.
    pub attribute_bytes_max: usize,
    /// How many bytes the attributes of one object may take together: it is read whole.
    pub object_attributes_bytes_max: usize,
    /// How many random bytes one request can retrieve.
    pub random_bytes_max: usize,
    /// How many iterations a derivation may have for all of its result: about a second of one
    /// processor.
    pub iteration_count_max: usize,
    /// How many messages in parts may be under way.
    pub streams_max: usize,
    /// How many of them may be one scope's: its oldest gives way to a new one.
    pub scope_streams_max: usize,
    /// What may be kept of one of them until its last part, where nothing can be given before.
    pub stream_bytes_max: usize,
    /// How long a message in parts may wait for its next part.
    pub stream_idle_timeout: Duration,
    /// How often an operation is run again when another changed what it read.
    pub conflict_retries_max: usize,
    /// How many KMIP connections may be open; each costs two buffers and a TLS session.
    pub connections_max: usize,
    /// How long a client may take for its TLS handshake.
    pub handshake_timeout: Duration,
    /// How long a connection may be silent between requests: clients keep theirs for hours.
    pub idle_timeout: Duration,
    /// How long a client may take to send a request it has begun, or to take its answer.
    pub transfer_timeout: Duration,
    /// How long open connections may finish their request when the server stops.
    pub drain_timeout: Duration,
    /// How much unsealed object data is kept in memory.
    pub cache_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes_max: 2 << 20,
            request_depth_max: 24,
            request_items_max: 65_536,
            batch_items_max: 256,
            response_bytes_max: 4 << 20,
            locate_items_max: 10_000,
            attributes_max: 512,
            attribute_bytes_max: 64 << 10,
            object_attributes_bytes_max: 1 << 20,
            random_bytes_max: 64 << 10,
            iteration_count_max: 2_000_000,
            streams_max: 1_024,
            scope_streams_max: 32,
            stream_bytes_max: 1 << 20,
            stream_idle_timeout: Duration::from_mins(10),
            conflict_retries_max: 16,
            connections_max: 4_096,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_hours(24),
            transfer_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
            cache_bytes_max: 72 << 20,
        }
    }
}

impl Limits {
    /// The limits of the reader of requests.
    #[must_use]
    pub const fn ttlv(&self) -> claviger_ttlv::Limits {
        claviger_ttlv::Limits {
            size_max: self.request_bytes_max,
            depth_max: self.request_depth_max,
            items_max: self.request_items_max,
        }
    }
}
