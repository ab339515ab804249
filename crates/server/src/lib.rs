//! claviger-server

pub mod pki;
pub mod seal;
