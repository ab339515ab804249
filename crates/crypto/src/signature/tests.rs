//! Known answers and properties of signatures.
