//! The service in one process, over a store in memory, with a clock that the test moves.

mod conflict;
mod fixture;
mod time;
mod undo;
