//! claviger-server
