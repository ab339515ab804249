//! Bucket encryption with keys on a KMIP server, as Zenko does it: every bucket has a key that never
//! leaves the KMIP server, and every object a data key that the bucket's key wraps.

pub mod control;
pub mod driver;
pub mod gateway;
pub mod rotation;
pub mod scheme1;
pub mod segments;
pub mod store;
