//! A MySQL server with the component, in a directory of the test's own, ended by its own process id: Debian sid's, unpacked
//! beside the system by `tests/clients/mysql_server`.
//!
//! It knows the server's command line and a client; nothing of KMIP.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::files::{Options, library, write};
use crate::data;

/// Two busy cores.
const WITHIN: Duration = Duration::from_secs(90);
const NAME: &str = "component_claviger_kmip";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/mysql/root")
}

/// Whether MySQL is there. It is of a suite that is not released, and so may not be had; that is said in any case.
pub(super) fn is_installed() -> bool {
    let server = root().join("usr/sbin/mysqld");
    if !server.exists() {
        let hint =
            "./test clients unpacks it; what was tested is the component in its own host only";
        eprintln!("SKIPPED: no MySQL in {}: {hint}", server.display());
    }
    server.exists()
}

/// A program of MySQL's, run by the loader that it came with.
pub(super) fn program(path: &Path) -> Command {
    let libraries = root().join("usr/lib/x86_64-linux-gnu");
    let private = root().join("usr/lib/mysql/private");
    let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
    command
        .arg("--library-path")
        .arg(format!("{}:{}", libraries.display(), private.display()))
        .arg(path);
    command
}

/// A program of MySQL's beside its server.
pub(super) fn tool(name: &str) -> PathBuf {
    root().join("usr/bin").join(name)
}

/// A data directory as a server makes it, made once.
fn template() -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().unwrap();
    let place = root().parent().unwrap().join("data");
    if !place.exists() {
        let scratch = tempfile::tempdir_in(root().parent().unwrap()).unwrap();
        let data = scratch.path().join("data");
        let made = program(&root().join("usr/sbin/mysqld"))
            .args(fixed(&data))
            .arg("--initialize-insecure")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::rename(data, &place).unwrap();
    }
    place
}

/// Options of every start.
fn fixed(data: &Path) -> Vec<String> {
    let share = root().join("usr/share/mysql");
    let mut options = vec![
        String::from("--no-defaults"),
        format!("--basedir={}", root().join("usr").display()),
        format!("--datadir={}", data.display()),
        format!("--lc-messages-dir={}", share.display()),
        String::from("--mysqlx=OFF"),
        String::from("--skip-networking"),
        String::from("--secure-file-priv="),
        String::from("--innodb-buffer-pool-size=16M"),
        String::from("--innodb-redo-log-capacity=16M"),
        String::from("--log-error-verbosity=3"),
        String::from("--server-id=1"),
    ];
    // Of root's directory nobody else may be the server.
    let is_root = root().metadata().unwrap().uid() == 0;
    options.extend(is_root.then(|| String::from("--user=root")));
    options
}

/// The directory of a database.
pub(super) struct Database {
    scratch: tempfile::TempDir,
    /// More options of the server.
    pub(super) arguments: Vec<String>,
}

impl Database {
    /// A new one, with the component in its manifest and those options.
    pub(super) fn new(options: &Options) -> Self {
        // Beside the template, so that copying is quick and a small file system elsewhere is not filled.
        let scratch = tempfile::tempdir_in(root().parent().unwrap()).unwrap();
        let path = scratch.path();
        let copied = Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .args([template(), path.join("data")])
            .status();
        assert!(copied.unwrap().success());
        fs::remove_file(path.join("data/auto.cnf")).unwrap();
        for directory in ["plugins", "sbin"] {
            fs::create_dir(path.join(directory)).unwrap();
        }
        for plugin in fs::read_dir(root().join("usr/lib/mysql/plugin")).unwrap() {
            let plugin = plugin.unwrap();
            symlink(plugin.path(), path.join("plugins").join(plugin.file_name())).unwrap();
        }
        fs::copy(library(), path.join("plugins").join(format!("{NAME}.so"))).unwrap();
        // The manifest is looked for beside the program.
        symlink(root().join("usr/sbin/mysqld"), path.join("sbin/mysqld")).unwrap();
        let database = Self { scratch, arguments: Vec::new() };
        database.manifest(&format!(r#"{{"components": "file://{NAME}"}}"#));
        database.configure(options);
        database
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub(super) fn manifest(&self, text: &str) {
        fs::write(self.path("sbin/mysqld.my"), text).unwrap();
    }

    pub(super) fn configure(&self, options: &Options) {
        write(&self.path("plugins"), options);
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.path("error.log")).unwrap_or_default()
    }

    /// The component's lines of the last start in the error log.
    pub(super) fn lines(&self) -> Vec<String> {
        let ours = |line: &&str| line.contains(&format!("{NAME}: "));
        self.log().lines().filter(ours).map(str::to_owned).collect()
    }

    fn spawn(&self) -> Child {
        let _old = fs::remove_file(self.path("error.log"));
        let output = File::create(self.path("output")).unwrap();
        program(&self.path("sbin/mysqld"))
            .args(fixed(&self.path("data")))
            .arg(format!("--socket={}", self.path("socket").display()))
            .arg(format!("--tmpdir={}", self.scratch.path().display()))
            .arg(format!("--pid-file={}", self.path("pid").display()))
            .arg(format!("--plugin-dir={}", self.path("plugins").display()))
            .arg(format!("--log-error={}", self.path("error.log").display()))
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap()
    }

    /// Starts the server, and waits until it answers.
    pub(super) fn start(&self) -> Running<'_> {
        let mut running = Running { database: self, child: self.spawn() };
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("the database did not start ({status}):\n{}", self.log());
            }
            if self.path("socket").exists() && running.try_ask("SELECT 1").is_ok() {
                return running;
            }
            assert!(Instant::now() < deadline, "the database does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The server refuses to start.
    pub(super) fn refuses(&self) {
        let mut running = Running { database: self, child: self.spawn() };
        let status = running.ended();
        assert!(!status.success(), "{status}:\n{}", self.log());
    }

    /// The files of the database that have a text in them.
    pub(super) fn find(&self, text: &str) -> Vec<PathBuf> {
        data::files_with(self.path("data"), text)
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
        self.try_ask(sql).unwrap_or_else(|said| panic!("{sql}: {said}\n{}", self.database.log()))
    }

    pub(super) fn try_ask(&self, sql: &str) -> Result<String, String> {
        self.try_ask_as("root", sql)
    }

    pub(super) fn ask_as(&self, user: &str, sql: &str) -> String {
        self.try_ask_as(user, sql).unwrap_or_else(|said| panic!("{sql}: {said}"))
    }

    pub(super) fn try_ask_as(&self, user: &str, sql: &str) -> Result<String, String> {
        let output = Command::new("mariadb")
            .args(["--no-defaults", "--batch", "--skip-column-names"])
            .arg(format!("--user={user}"))
            .arg(format!("--socket={}", self.database.path("socket").display()))
            .args(["-e", sql])
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// Ends it as a power cut of the process would.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in order.
    pub(super) fn stop(mut self) {
        self.ask("SHUTDOWN");
        let status = self.ended();
        assert!(status.success(), "{status}:\n{}", self.database.log());
    }

    /// It ends by itself.
    pub(super) fn ends(mut self) {
        self.ended();
    }

    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "does not end:\n{}", self.database.log());
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
