//! Known answers of key derivation.
