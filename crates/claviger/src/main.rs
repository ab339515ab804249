//! claviger
fn main() {}
