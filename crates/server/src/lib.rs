//! claviger-server

pub mod access;
pub mod audit;
pub mod clock;
pub mod dispatch;
pub mod ops;
pub mod failure;
pub mod front;
pub mod limits;
pub mod mount;
pub mod object;
pub mod pki;
pub mod record;
pub mod seal;
pub mod token;
