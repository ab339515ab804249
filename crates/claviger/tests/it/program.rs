//! Runs the program: as a server in the background, as a command to its end.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The root token of every server.
pub(crate) const TOKEN: &str = "command-line-root-token";

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// What a command printed that must succeed.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// What a command printed with `--json`, which must succeed.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.success()).expect("one JSON document")
    }

    /// What a command said that must fail with this exit code.
    #[track_caller]
    pub(crate) fn failure(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stdout.is_empty(), "{self:?}");
        assert!(self.stderr.starts_with("error: "), "{self:?}");
        self.stderr
    }
}

/// The program, without what the environment of the tests would tell it.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    for name in ["CLAVIGER_ADDR", "CLAVIGER_TOKEN", "CLAVIGER_CACERT"] {
        command.env_remove(name);
    }
    for name in ["VAULT_ADDR", "VAULT_TOKEN", "VAULT_CACERT"] {
        command.env_remove(name);
    }
    // Where a token may lie.
    command.env("HOME", "/nonexistent");
    command
}

/// Runs a command that needs no server.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Ran {
    finish(program().args(arguments), input)
}

fn finish(command: &mut Command, input: &[u8]) -> Ran {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that reads no input may be gone already.
    let _unread = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code().unwrap(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// A server that forgets everything when it ends.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    directory: tempfile::TempDir,
    pub(crate) kmip: String,
    pub(crate) api: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::launch(false)
    }

    /// A server that keeps its data in the directory `data` of the test.
    pub(crate) fn start_with_data() -> Self {
        Self::launch(true)
    }

    fn launch(keeps_data: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let mut child = program()
            .args(["server", "--dev", "--kmip-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"])
            .args(["--root-token", TOKEN, "--log-level", "error", "--export-client"])
            .arg(directory.path().join("client"))
            .args(keeps_data.then_some("--data-dir"))
            .args(keeps_data.then_some(data))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("ready"), "{line}");
        let kmip = words.next().unwrap().trim_start_matches("kmip=").to_owned();
        let api = words.next().unwrap().trim_start_matches("api=").to_owned();
        Self { child, stdout, directory, kmip, api }
    }

    /// The next line that the server prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// A path for a file of the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs an administration command with the root token.
    pub(crate) fn admin(&self, arguments: &[&str]) -> Ran {
        self.admin_as(TOKEN, arguments, b"")
    }

    /// Runs an administration command with a token and input.
    pub(crate) fn admin_as(&self, token: &str, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = program();
        command.args(arguments).env("CLAVIGER_ADDR", &self.api).env("CLAVIGER_TOKEN", token);
        finish(&mut command, input)
    }

    /// Runs `object` or `bench` with the exported credential.
    pub(crate) fn kmip(&self, arguments: &[&str]) -> Ran {
        self.kmip_as(&self.path("client"), arguments, b"")
    }

    /// Runs `object` or `bench` with a credential and input.
    pub(crate) fn kmip_as(&self, client: &Path, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = program();
        command.args(arguments).arg("--client").arg(client).args(["--server", &self.kmip]);
        finish(&mut command, input)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already = self.child.kill();
        let _status = self.child.wait();
    }
}
