//! The keys that a benchmark uses: made before, destroyed after, or kept in a file for the next.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger_client::blocking::Timeouts;
use claviger_client::tls::Config;
use claviger_client::tokio::Connection;
use claviger_client::{Endpoint, Error};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{RevocationReason, UniqueIdentifier};
use claviger_kmip::enums::RevocationReasonCode;
use claviger_kmip::payload::{DestroyRequest, RevokeRequest};
use indicatif::{ProgressBar, ProgressStyle};

use super::workload::create;
use crate::failure::{Failure, Outcome};

/// So many connections keep a server's group commit busy.
const CONNECTIONS: usize = 32;

/// A key on the server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) unique_identifier: String,
    pub(super) name: String,
}

/// Where keys are made.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) endpoint: Endpoint,
    pub(super) config: Config,
    pub(super) version: Version,
}

impl Place {
    async fn open(&self) -> Result<Connection, Error> {
        Connection::open(&self.endpoint, &self.config, Timeouts::default()).await
    }

    /// Makes keys with names of their own.
    pub(super) async fn create(&self, count: usize, is_active: bool) -> Outcome<Vec<Key>> {
        let run = format!("bench-{:x}-{:x}", std::process::id(), super::now());
        let next = Arc::new(AtomicUsize::new(0));
        let progress = progress(count, "making keys");
        let tasks: Vec<_> = (0..CONNECTIONS.min(count))
            .map(|_| {
                let (place, next, run) = (self.clone(), Arc::clone(&next), run.clone());
                let progress = progress.clone();
                tokio::spawn(async move {
                    let mut connection = place.open().await?;
                    let mut made = Vec::new();
                    loop {
                        let nth = next.fetch_add(1, Ordering::Relaxed);
                        if nth >= count {
                            return Ok::<_, Error>(made);
                        }
                        let name = format!("{run}-{nth}");
                        let request = create(Some(&name), is_active);
                        let response = connection.call(place.version, &request).await?;
                        if let UniqueIdentifier::Text(unique_identifier) =
                            response.unique_identifier
                        {
                            made.push(Key { unique_identifier, name });
                        }
                        progress.inc(1);
                    }
                })
            })
            .collect();
        let mut keys = Vec::with_capacity(count);
        for task in tasks {
            keys.extend(task.await.map_err(Failure::new)??);
        }
        progress.finish_and_clear();
        Ok(keys)
    }

    /// Destroys keys; says how many it could not.
    pub(super) async fn destroy(&self, uids: Vec<String>, is_active: bool) -> Outcome<usize> {
        let progress = progress(uids.len(), "destroying keys");
        let share = uids.len().div_ceil(CONNECTIONS).max(1);
        let tasks: Vec<_> = uids
            .chunks(share)
            .map(|uids| {
                let (place, progress, uids) = (self.clone(), progress.clone(), uids.to_vec());
                tokio::spawn(async move {
                    let mut connection = place.open().await?;
                    let mut left = 0_usize;
                    for uid in &uids {
                        let gone = destroy(&mut connection, place.version, uid, is_active).await;
                        match gone {
                            Ok(()) => {}
                            Err(error) if error.leaves_connection_usable() => {
                                left = left.saturating_add(1);
                            }
                            Err(error) => return Err(error),
                        }
                        progress.inc(1);
                    }
                    Ok::<_, Error>(left)
                })
            })
            .collect();
        let mut left = 0_usize;
        for task in tasks {
            left = left.saturating_add(task.await.map_err(Failure::new)??);
        }
        progress.finish_and_clear();
        Ok(left)
    }
}

async fn destroy(
    connection: &mut Connection,
    version: Version,
    uid: &str,
    is_active: bool,
) -> Result<(), Error> {
    let unique_identifier = Some(UniqueIdentifier::from(uid));
    if is_active {
        let revocation_reason = RevocationReason {
            revocation_reason_code: RevocationReasonCode::CESSATION_OF_OPERATION,
            revocation_message: None,
        };
        let request = RevokeRequest {
            unique_identifier: unique_identifier.clone(),
            revocation_reason,
            compromise_occurrence_date: None,
        };
        connection.call(version, &request).await?;
    }
    connection.call(version, &DestroyRequest { unique_identifier }).await.map(drop)
}

/// A bar on stderr, if a person is there to see it.
fn progress(count: usize, doing: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(count).unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec}") {
        bar.set_style(style);
    }
    bar.set_message(doing);
    bar
}

/// Reads keys from a file; none if there is no file yet.
pub(super) fn read(path: &Path) -> Outcome<Vec<Key>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::file(path, &error)),
    };
    let key = |line: &str| {
        let (uid, name) = line.split_once(' ')?;
        Some(Key { unique_identifier: uid.to_owned(), name: name.to_owned() })
    };
    let keys: Option<Vec<Key>> = text.lines().map(key).collect();
    keys.ok_or_else(|| {
        Failure::new(format_args!("{}: it is no list of keys", path.display()))
            .next("Each line is a unique identifier, a blank and a name; delete it to begin anew.")
    })
}

/// Writes keys to a file.
pub(super) fn write(path: &Path, keys: &[Key]) -> Outcome {
    let lines: String =
        keys.iter().map(|key| format!("{} {}\n", key.unique_identifier, key.name)).collect();
    std::fs::write(path, lines).map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        assert_eq!(read(&path).unwrap(), []);
        let key =
            Key { unique_identifier: String::from("1"), name: String::from("a name with blanks") };
        write(&path, std::slice::from_ref(&key)).unwrap();
        assert_eq!(read(&path).unwrap(), [key]);
        std::fs::write(&path, "nonsense").unwrap();
        assert!(read(&path).is_err());
    }
}
