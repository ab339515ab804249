//! A MariaDB server with the plugin, in a directory of the test's own, ended by its own process id.
//!
//! It knows the server's command line and its client; nothing of KMIP.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::data;
use crate::server::{Server, binary};

const SERVER: &str = "/usr/sbin/mariadbd";
/// Two busy cores.
const WITHIN: Duration = Duration::from_secs(90);

/// Whether MariaDB is there; under CI it must be.
pub(super) fn is_installed() -> bool {
    let is_there = Path::new(SERVER).exists();
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "{SERVER} is missing: install mariadb-server");
        println!("skipped: {SERVER} is missing");
    }
    is_there
}

/// The plugin that cargo built with the binary under test.
pub(super) fn library() -> PathBuf {
    let name = "libkmip_key_management.so";
    let profile = binary().canonicalize().unwrap().parent().unwrap().to_owned();
    let places = [profile.join(name), profile.join("deps").join(name)];
    let found = places.into_iter().filter(|path| path.exists());
    let newest = found.max_by_key(|path| path.metadata().unwrap().modified().unwrap());
    newest.unwrap_or_else(|| panic!("{name} is not built in {}", profile.display()))
}

/// The option that a database needs to run as root, which is who made that directory.
fn user(directory: &Path) -> Option<&'static str> {
    (directory.metadata().unwrap().uid() == 0).then_some("--user=root")
}

/// The directory of a database, and how it reaches its keys.
pub(super) struct Database {
    scratch: tempfile::TempDir,
    /// Options of the plugin, without their prefix.
    pub(super) options: Vec<(String, String)>,
    /// A file of options instead of those and of what is to be encrypted.
    pub(super) settings: Option<PathBuf>,
}

impl Database {
    /// A new one, whose keys are on those servers, which trust the same client.
    pub(super) fn new(servers: &[&Server]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("data");
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .arg("--skip-test-db")
            .args(user(scratch.path()))
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--tmpdir={}", scratch.path().display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let plugins = scratch.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        fs::copy(library(), plugins.join("kmip_key_management.so")).unwrap();
        let list: Vec<_> = servers.iter().map(|server| server.kmip.to_string()).collect();
        let client = &servers[0].client;
        let file = |name: &str| client.join(name).to_str().unwrap().to_owned();
        let options = [
            ("servers", list.join(",")),
            ("ca", file("ca.pem")),
            ("certificate", file("cert.pem")),
            ("key", file("key.pem")),
            ("retries", String::from("0")),
            ("cache-version-timeout-ms", String::from("200")),
        ];
        let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { scratch, options, settings: None }
    }

    /// The same with another value of an option.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.options.retain(|(known, _)| known != name);
        self.options.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// A place beside the data, which [`Database::find`] looks into as well.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.scratch.path().join("socket")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.scratch.path().join("error.log")).unwrap_or_default()
    }

    fn spawn(&self) -> Child {
        let log = self.scratch.path().join("error.log");
        let log = File::create(log).unwrap();
        let path = self.scratch.path();
        Command::new(SERVER)
            // Has to be the first.
            .arg(self.settings.as_ref().map_or_else(
                || String::from("--no-defaults"),
                |file| format!("--defaults-file={}", file.display()),
            ))
            .arg("--skip-networking")
            .args(user(path))
            .arg(format!("--datadir={}", self.data().display()))
            .arg(format!("--socket={}", self.socket().display()))
            .arg(format!("--tmpdir={}", path.display()))
            .arg(format!("--pid-file={}", path.join("pid").display()))
            .arg(format!("--plugin-dir={}", path.join("plugins").display()))
            .args(["--log-bin=binlog", "--server-id=1"])
            .args(["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"])
            .args(self.encrypting())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// The plugin with its options, and what is encrypted.
    fn encrypting(&self) -> Vec<String> {
        if self.settings.is_some() {
            return Vec::new();
        }
        let fixed = [
            "--plugin-load-add=kmip_key_management",
            "--kmip-key-management=FORCE",
            "--innodb-encrypt-tables=FORCE",
            "--innodb-encrypt-log=ON",
            "--innodb-encrypt-temporary-tables=ON",
            "--aria-encrypt-tables=ON",
            "--encrypt-tmp-disk-tables=ON",
            "--encrypt-tmp-files=ON",
            "--encrypt-binlog=ON",
            "--innodb-encryption-threads=2",
            "--innodb-encryption-rotate-key-age=1",
        ];
        let options = self.options.iter();
        let options = options.map(|(name, value)| format!("--kmip-key-management-{name}={value}"));
        fixed.into_iter().map(str::to_owned).chain(options).collect()
    }

    /// Starts the server, and waits until it answers.
    pub(super) fn start(&self) -> Running<'_> {
        let mut running = Running { database: self, child: self.spawn() };
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("the database did not start ({status}):\n{}", self.log());
            }
            if self.socket().exists() && running.try_ask("SELECT 1").is_ok() {
                return running;
            }
            assert!(Instant::now() < deadline, "the database does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The server refuses to start; the lines of the plugin in its error log.
    pub(super) fn refuses(&self) -> Vec<String> {
        let mut running = Running { database: self, child: self.spawn() };
        let status = running.ended();
        assert!(!status.success(), "{status}:\n{}", self.log());
        let ours = |line: &&str| line.contains("kmip_key_management: ");
        self.log().lines().filter(ours).map(str::to_owned).collect()
    }

    /// The files of the database that have a text in them, its temporary ones included.
    pub(super) fn find(&self, text: &str) -> Vec<PathBuf> {
        data::files_with(self.scratch.path().to_owned(), text)
    }
}

/// A server that runs.
pub(super) struct Running<'a> {
    database: &'a Database,
    child: Child,
}

impl Running<'_> {
    /// The answer, one row a line.
    pub(super) fn ask(&self, sql: &str) -> String {
        self.try_ask(sql).unwrap_or_else(|said| panic!("{sql}: {said}\n{}", self.log()))
    }

    pub(super) fn try_ask(&self, sql: &str) -> Result<String, String> {
        let output = Command::new("mariadb")
            .args(["--no-defaults", "--batch", "--skip-column-names", "--user=root"])
            .arg(format!("--socket={}", self.database.socket().display()))
            .args(["-e", sql])
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    pub(super) fn log(&self) -> String {
        self.database.log()
    }

    /// Waits until the answer is that.
    pub(super) fn until(&self, sql: &str, answer: &str) {
        let deadline = Instant::now() + WITHIN;
        loop {
            let said = self.ask(sql);
            if said == answer {
                return;
            }
            let log = || self.log();
            assert!(Instant::now() < deadline, "{sql}: {said}, not {answer}\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until it is done.
    pub(super) fn eventually(&self, sql: &str) {
        let deadline = Instant::now() + WITHIN;
        while let Err(said) = self.try_ask(sql) {
            assert!(Instant::now() < deadline, "{sql}: {said}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the error log has a text.
    pub(super) fn says(&self, text: &str) {
        let deadline = Instant::now() + WITHIN;
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "not said: {text}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it in order; its error log.
    pub(super) fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.ended();
        assert!(status.success(), "{status}:\n{}", self.log());
        self.log()
    }

    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the database does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
