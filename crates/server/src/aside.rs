//! Work that takes long, beside what serves other connections.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs something long while other connections go on, where the runtime has threads for that.
pub fn aside<T>(run: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    match flavor {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(run),
        _ => run(),
    }
}
