//! The S3 gateway.
fn main() {}
