//! Known answers and properties of key formats.
