//! claviger-kmip
