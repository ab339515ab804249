//! How the commands `rotate` and `rewrap` reach a gateway that runs: through a socket, which only the user that the gateway runs
//! as, and root, may speak on.
//!
//! A connection has one [`Request`], a line of JSON; the gateway answers with lines of JSON, each an [`Answer`], the last of
//! which is not [`Answer::Progress`]. Who hangs up before that has the work stopped; it goes on when it is asked for again.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::gateway::Gateway;
use crate::rotation::{Progress, RotationError};

/// Longest line. A bucket's name has 63 characters, and an answer names a few keys.
const LINE_LEN_MAX: u64 = 64 << 10;
/// How long a request may take to come.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);

/// What a gateway is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// [`crate::rotation::rotate`].
    Rotate {
        /// The bucket.
        bucket: String,
    },
    /// [`crate::rotation::rewrap`].
    Rewrap {
        /// The bucket.
        bucket: String,
        /// Old keys are destroyed in the end.
        destroy: bool,
    },
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// How far a rewrapping has come.
    Progress(Progress),
    /// The new key of the bucket.
    Rotated(String),
    /// A rewrapping is done.
    Rewrapped(Progress),
    /// Why nothing, or not everything, was done.
    Refused(String),
}

/// Why a gateway did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket.
    #[error("the running gateway cannot be asked: {0}")]
    Socket(#[from] io::Error),
    /// It hung up.
    #[error("the gateway ended before it was done; what is done is done, call again")]
    Ended,
    /// It speaks otherwise.
    #[error("the gateway's answer is none: is it of another version?")]
    NoAnswer,
}

/// The socket of a gateway that runs.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// The user that this process runs as.
    own: u32,
}

impl Control {
    /// Listens on a socket that only one gateway at a time has: what is there is of one that is not any more.
    ///
    /// # Errors
    /// The file system's.
    pub fn listen(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let near = Near::of(path)?;
        let (_end, other_end) = UnixStream::pair()?;
        let own = other_end.peer_cred()?.uid();
        Ok(Self { listener: UnixListener::bind(near.path())?, path: path.to_owned(), own })
    }

    /// Does what it is asked, until it is dropped.
    pub async fn serve(&self, gateway: &Arc<Gateway>) {
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection for control was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let gateway = Arc::clone(gateway);
            let own = self.own;
            tokio::spawn(async move {
                if let Err(error) = converse(stream, &gateway, own).await {
                    tracing::debug!(%error, "a connection for control ended");
                }
            });
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // The next gateway removes what is left.
        drop(std::fs::remove_file(&self.path));
    }
}

/// A socket by the descriptor of its directory: a path may have 107 bytes to a socket, and more to a store.
struct Near<'a> {
    directory: File,
    name: &'a OsStr,
}

impl<'a> Near<'a> {
    fn of(path: &'a Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(Self { directory: File::open(parent.unwrap_or(Path::new(".")))?, name })
    }

    fn path(&self) -> PathBuf {
        Path::new("/proc/self/fd").join(self.directory.as_raw_fd().to_string()).join(self.name)
    }
}

async fn converse(stream: UnixStream, gateway: &Gateway, own: u32) -> io::Result<()> {
    let user = stream.peer_cred()?.uid();
    let (reader, mut writer) = stream.into_split();
    if user != own && user != 0 {
        return say(&mut writer, &refused("another user's gateway")).await;
    }
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    let mut start = (&mut reader).take(LINE_LEN_MAX);
    tokio::time::timeout(REQUEST_TIME_MAX, start.read_line(&mut line)).await??;
    let Ok(request) = serde_json::from_str(&line) else {
        return say(&mut writer, &refused("that is no request")).await;
    };
    tracing::info!(?request, "asked for");
    let last = tokio::select! {
        last = act_and_tell(gateway, &request, &mut writer) => last?,
        () = gone(&mut reader) => {
            tracing::warn!(?request, "stopped: who asked for it has gone");
            return Ok(());
        }
    };
    tracing::info!(answer = ?last, "answered");
    say(&mut writer, &last).await
}

/// Does what is asked. Says its last answer.
pub async fn act(
    gateway: &Gateway,
    request: &Request,
    tell: &(dyn Fn(&Progress) + Send + Sync),
) -> Answer {
    let outcome: Result<Answer, RotationError> = match request {
        Request::Rotate { bucket } => {
            gateway.rotate(bucket).await.map(|key| Answer::Rotated(key.to_string()))
        }
        Request::Rewrap { bucket, destroy } => {
            gateway.rewrap(bucket, *destroy, tell).await.map(Answer::Rewrapped)
        }
    };
    outcome.unwrap_or_else(|error| Answer::Refused(error.to_string()))
}

/// As [`act`]; says meanwhile how far it has come.
async fn act_and_tell(
    gateway: &Gateway,
    request: &Request,
    writer: &mut OwnedWriteHalf,
) -> io::Result<Answer> {
    // Only the last is of interest: who reads slowly holds nothing up.
    let (tell, mut told) = watch::channel(Progress::default());
    let tell = move |progress: &Progress| drop(tell.send(progress.clone()));
    let mut work = std::pin::pin!(act(gateway, request, &tell));
    loop {
        tokio::select! {
            last = &mut work => return Ok(last),
            Ok(()) = told.changed() => {
                let progress = told.borrow_and_update().clone();
                say(writer, &Answer::Progress(progress)).await?;
            }
        }
    }
}

/// Ends when the other end has.
async fn gone(reader: &mut BufReader<OwnedReadHalf>) {
    let mut more = [0; 64];
    while reader.read(&mut more).await.is_ok_and(|count| count > 0) {}
}

fn refused(reason: &str) -> Answer {
    Answer::Refused(reason.to_owned())
}

async fn say(writer: &mut OwnedWriteHalf, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

/// Asks the gateway that listens on a socket. Says its last answer; nothing if no gateway runs.
///
/// # Errors
/// A gateway runs, and does not answer.
pub async fn ask(
    path: &Path,
    request: &Request,
    tell: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<Option<Answer>, ControlError> {
    let absent = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
    };
    let near = match Near::of(path) {
        Err(error) if absent(&error) => return Ok(None),
        near => near?,
    };
    let stream = match UnixStream::connect(near.path()).await {
        Err(error) if absent(&error) => return Ok(None),
        stream => stream?,
    };
    let (reader, mut writer) = stream.into_split();
    let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = String::new();
        if (&mut reader).take(LINE_LEN_MAX).read_line(&mut line).await? == 0 {
            return Err(ControlError::Ended);
        }
        match serde_json::from_str(&line).map_err(|_| ControlError::NoAnswer)? {
            Answer::Progress(progress) => tell(&progress),
            last => return Ok(Some(last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{CacheLimits, Encrypt, Options};
    use crate::store::{Format, Local, Store};

    fn gateway(directory: &Path) -> Arc<Gateway> {
        let store: Arc<dyn Store> = Arc::new(Local::open(directory).unwrap());
        let options = Options {
            encrypt: Encrypt::Asked,
            format: Format::Segments,
            cache: CacheLimits::default(),
        };
        Arc::new(Gateway::new(store, None, options))
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let socket = scratch.path().join("control.sock");
        let gateway = gateway(scratch.path());
        let control = Control::listen(&socket).unwrap();
        for line in ["\n", "{}\n", "{\"destroy\":{}}\n", &format!("{}\n", "x".repeat(60_000))] {
            let said = async {
                let near = Near::of(&socket).unwrap();
                let mut stream = UnixStream::connect(near.path()).await.unwrap();
                // It may answer before it has read all.
                drop(stream.write_all(line.as_bytes()).await);
                let mut said = String::new();
                BufReader::new(stream).read_line(&mut said).await.unwrap();
                serde_json::from_str(&said).unwrap()
            };
            let said: Answer = tokio::select! {
                () = control.serve(&gateway) => refused(""),
                said = said => said,
            };
            assert_eq!(said, refused("that is no request"));
        }
    }

    #[tokio::test]
    async fn a_gateway_is_found_where_its_store_is_and_only_while_it_runs() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("d".repeat(120));
        let socket = directory.join("control.sock");
        let request = Request::Rotate { bucket: "bucket".to_owned() };
        assert!(ask(&socket, &request, &|_| {}).await.unwrap().is_none(), "no directory");
        let gateway = gateway(&directory);
        assert!(ask(&socket, &request, &|_| {}).await.unwrap().is_none(), "no socket");
        // As a gateway leaves it that is killed.
        drop(UnixListener::bind(Near::of(&socket).unwrap().path()).unwrap());
        assert!(socket.exists());
        assert!(ask(&socket, &request, &|_| {}).await.unwrap().is_none(), "nobody listens");
        let control = Control::listen(&socket).unwrap();
        let answer = tokio::select! {
            () = control.serve(&gateway) => None,
            answer = ask(&socket, &request, &|_| {}) => answer.unwrap(),
        };
        assert_eq!(answer, Some(Answer::Refused(RotationError::NoServer.to_string())));
        drop(control);
        assert!(ask(&socket, &request, &|_| {}).await.unwrap().is_none(), "it has ended");
    }
}
