//! Starts the real binary, waits until it says that it is ready, and ends it, by its own process id only.
//!
//! What the process prints goes to files of its directory, so that a failing test can show them and the secret scan
//! can read them. It knows the command line and nothing of KMIP or HTTP.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The root token that every server of the tests is given.
pub(crate) const ROOT_TOKEN: &str = "integration-root-token";

/// A debug build on two busy cores; the measured start-up time is another test's concern.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// The binary under test: `CLAVIGER_BIN`, or what cargo built beside this test.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("CLAVIGER_BIN") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("claviger");
    assert!(binary.exists(), "{} is not built: cargo build -p claviger", binary.display());
    binary
}

/// A running `claviger server --dev`.
pub(crate) struct Server {
    child: Child,
    /// Where the KMIP port is.
    pub(crate) kmip: SocketAddr,
    /// `http://host:port` of the API.
    pub(crate) api: String,
    /// What `--export-client` wrote.
    pub(crate) client: PathBuf,
    /// Where stdout and stderr of the process go.
    pub(crate) logs: PathBuf,
    // Held for its Drop, when the test did not bring a directory of its own.
    _scratch: Option<tempfile::TempDir>,
}

impl Server {
    /// A server whose data die with it.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server whose data die with it, with more arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().to_owned();
        let mut server = Self::launch(&path, arguments, |_| {});
        server._scratch = Some(scratch);
        server
    }

    /// A server on `directory/data`, which keeps what it holds; starting it again there continues.
    pub(crate) fn start_on(directory: &Path) -> Self {
        Self::start_under(directory, |_| {})
    }

    /// The same, with more to the command: an environment to run it under.
    pub(crate) fn start_under(directory: &Path, prepare: impl FnOnce(&mut Command)) -> Self {
        let data = directory.join("data");
        Self::launch(directory, &["--data-dir", path_text(&data)], prepare)
    }

    /// A server as `directory/claviger.toml` configures it. Where KMIP will listen is configured over the API: the
    /// caller knows.
    pub(crate) fn start_configured(directory: &Path, kmip: SocketAddr) -> Self {
        Self::start_configured_under(directory, kmip, |_| {})
    }

    /// The same, with more to the command: an environment to run it under.
    pub(crate) fn start_configured_under(
        directory: &Path,
        kmip: SocketAddr,
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        let mut command = Command::new(binary());
        command.args(["server", "--config", path_text(&directory.join("claviger.toml"))]);
        prepare(&mut command);
        Self::run(directory, command, move |line| {
            Some((kmip, line.strip_prefix("ready api=")?.to_owned()))
        })
    }

    fn launch(directory: &Path, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        let client = directory.join("client");
        let mut command = Command::new(binary());
        command
            .args(["server", "--dev", "--kmip-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"])
            .args(["--root-token", ROOT_TOKEN, "--export-client", path_text(&client)])
            .args(arguments);
        prepare(&mut command);
        Self::run(directory, command, ready_line)
    }

    fn run(
        directory: &Path,
        mut command: Command,
        ready: impl Fn(&str) -> Option<(SocketAddr, String)> + Send + 'static,
    ) -> Self {
        let client = directory.join("client");
        let logs = directory.join("logs");
        fs::create_dir_all(&logs).unwrap();
        let stderr_path = logs.join("stderr.txt");
        let stderr = File::options().create(true).append(true).open(&stderr_path).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().unwrap();

        let stdout = child.stdout.take().unwrap();
        let copy = File::options().create(true).append(true).open(logs.join("stdout.txt")).unwrap();
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || drain(stdout, copy, &send, ready));
        let Ok((kmip, api)) = receive.recv_timeout(READY_WITHIN) else {
            let _ = child.kill();
            let status = child.wait().unwrap();
            let said = fs::read_to_string(&stderr_path).unwrap_or_default();
            panic!(
                "the server did not get ready within {READY_WITHIN:?} ({status}); it said:\n{said}"
            );
        };
        Self { child, kmip, api, client, logs, _scratch: None }
    }

    /// Ends the process as a power cut of the process would: SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end (SIGTERM) and waits for it.
    pub(crate) fn terminate(mut self, within: Duration) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the server did not end within {within:?} of SIGTERM"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the process as a defect of its own would: SIGABRT, which asks for a core dump.
    pub(crate) fn abort(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-ABRT", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// What the kernel says of the process: a file of its directory in `/proc`.
    pub(crate) fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// Sends SIGHUP and waits until the server has done what `done` looks for.
    pub(crate) fn reload(&self, done: impl Fn(&Self) -> bool) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
        let deadline = Instant::now() + READY_WITHIN;
        while !done(self) {
            assert!(Instant::now() < deadline, "SIGHUP had no effect:\n{}", self.stderr());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The process is there and has not ended by itself.
    pub(crate) fn alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What the process wrote to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.logs.join("stderr.txt")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the server's stderr ---\n{}", self.stderr());
        }
    }
}

fn path_text(path: &Path) -> &str {
    path.to_str().expect("test directories have UTF-8 names")
}

/// Copies stdout to a file for as long as the process lives, and reports the ready line.
fn drain(
    stdout: std::process::ChildStdout,
    mut copy: File,
    ready: &mpsc::Sender<(SocketAddr, String)>,
    ready_line: impl Fn(&str) -> Option<(SocketAddr, String)>,
) {
    for line in BufReader::new(stdout).lines() {
        let Ok(line) = line else { return };
        let _ = writeln!(copy, "{line}");
        if let Some(found) = ready_line(&line) {
            let _ = ready.send(found);
        }
    }
}

/// `ready kmip=127.0.0.1:5696 api=http://127.0.0.1:8200`
fn ready_line(line: &str) -> Option<(SocketAddr, String)> {
    let mut words = line.split(' ');
    let (Some("ready"), Some(kmip), Some(api), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return None;
    };
    let api = api.strip_prefix("api=")?;
    assert!(api.starts_with("http://"), "the API of a dev server speaks plain HTTP: {line}");
    Some((kmip.strip_prefix("kmip=")?.parse().ok()?, api.to_owned()))
}

#[test]
fn the_ready_line_is_read_as_the_contract_writes_it() {
    let found = ready_line("ready kmip=127.0.0.1:5696 api=http://127.0.0.1:8200").unwrap();
    assert_eq!(found, ("127.0.0.1:5696".parse().unwrap(), "http://127.0.0.1:8200".to_owned()));
    assert_eq!(ready_line("root token: x"), None);
    assert_eq!(ready_line("ready kmip=127.0.0.1:5696 api=http://127.0.0.1:8200 more"), None);
}
