//! `sys/storage/snapshot`: a backup of the store, taken while it is in use.

use std::io;

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::backup;

/// `GET sys/storage/snapshot`.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let barrier = call.services()?.custody.barrier();
    let write = backup::write(barrier, call.api.clock.now_us())?;
    Ok(Reply::download(move |out| {
        let written = write(out).map_err(io::Error::other)?;
        tracing::info!(records = written.records, bytes = written.bytes, "a backup was taken");
        Ok(())
    }))
}
