//! The keys of buckets on a KMIP server.
