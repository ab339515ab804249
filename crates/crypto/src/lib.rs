//! claviger-crypto
