//! Keys of data at rest, as Percona Server for MongoDB manages them.
//!
//! A master key on a KMIP server seals the data keys of databases in a directory. The options, what
//! a start does with them, rotation, polling and exit codes are those of the original; docs/at-rest.md
//! tells where and why not.
//!
//! - [`Options`] are read from mongod.conf or flags and become [`Settings`].
//! - [`Keeper`] asks the servers; [`start`] makes, opens or rotates a [`Keystore`].
//! - [`Monitor`] polls the states of the keys of any number of keystores.
//!
//! ```no_run
//! use claviger_at_rest::{Keeper, Level, Options, start};
//!
//! # fn main() -> Result<(), claviger_at_rest::Error> {
//! let text = std::fs::read_to_string("mongod.conf").unwrap_or_default();
//! let options = Options::from_mongod_conf(&text).map_err(claviger_at_rest::Error::Options)?;
//! let settings = options.settings(Level::V5_0).map_err(claviger_at_rest::Error::Options)?;
//! let keeper = Keeper::new(&settings)?;
//! let mut started = start(&settings, &keeper, "keys".as_ref())?;
//! if !started.keystore.contains("orders") {
//!     started.keystore.add("orders")?;
//! }
//! let key = started.keystore.data_key("orders")?;
//! # let _ = key;
//! # Ok(()) }
//! ```
//!
//! Nothing here starts a runtime, installs a logger or handles a signal.

#[cfg(test)]
mod documents_tests;
mod error;
pub mod fault;
pub mod keystore;
mod kms;
mod level;
mod master_key;
mod monitor;
mod names;
pub mod options;
mod plan;
mod start;

pub use error::{Error, KEY_LOST, Kind, ServerFailure};
pub use keystore::{Configured, DataKey, Keystore};
pub use kms::{Kms, load_tls};
pub use level::Level;
pub use master_key::{KEY_LENGTH, MasterKey};
pub use monitor::{Monitor, Polled, Watch};
pub use options::{Options, Settings};
pub use start::{Keeper, Polling, Started, start};
