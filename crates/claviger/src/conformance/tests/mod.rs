//! The runner is tested against a server that answers exactly what is published, and against the
//! same server with one thing changed.

mod mutations;
mod published;
mod replay;
mod small;
mod variations;
