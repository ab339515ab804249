//! Real KMIP servers for the tests of libraries: Claviger (`CLAVIGER_BIN`, or what cargo built beside the test) and a stock PyKMIP
//! (`CLAVIGER_PYTHON` is the interpreter that has it). Without them the tests say that they are skipped, except under `CI`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A debug build on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A server, ended when it is dropped.
pub(crate) struct ServerProcess {
    child: Child,
    /// PyKMIP ends what it has started when its input ends; Claviger has nothing to end.
    ends_with_its_input: bool,
    /// Where it accepts clients: host and port.
    pub(crate) address: String,
}

impl ServerProcess {
    /// `claviger server --dev`, which writes its client's files to that directory.
    pub(crate) fn claviger(client: &Path) -> Option<Self> {
        let binary = there_or_skipped(binary(), "claviger: build it, or set CLAVIGER_BIN")?;
        let mut command = Command::new(binary);
        command
            .args(["server", "--dev", "--kmip-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"])
            .args(["--log-level", "error", "--export-client"]);
        Some(Self::run(command.arg(client), false))
    }

    /// PyKMIP's server, likewise.
    #[allow(dead_code, reason = "not every package tries it")]
    pub(crate) fn pykmip(client: &Path) -> Option<Self> {
        Self::pykmip_with(&[], client)
    }

    /// PyKMIP's server with RSA certificates, to which it offers CBC suites only.
    #[allow(dead_code, reason = "not every package tries it")]
    pub(crate) fn pykmip_rsa(client: &Path) -> Option<Self> {
        Self::pykmip_with(&["--rsa"], client)
    }

    #[allow(dead_code, reason = "not every package tries it")]
    fn pykmip_with(options: &[&str], client: &Path) -> Option<Self> {
        let python = std::env::var_os("CLAVIGER_PYTHON").map(PathBuf::from);
        let python = there_or_skipped(python, "PyKMIP: set CLAVIGER_PYTHON")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR"));
        let script = script.join("../../tests/clients/pykmip_server.py");
        let mut command = Command::new(python);
        command.args(["-B", "-W", "ignore"]).arg(script).args(options).arg(client);
        Some(Self::run(&mut command, true))
    }

    /// Ends it as a power cut would.
    #[allow(dead_code, reason = "not every package does that")]
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn run(command: &mut Command, ends_with_its_input: bool) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let ready = line.strip_prefix("ready kmip=");
                if let Some(address) = ready.and_then(|rest| rest.split(' ').next()) {
                    let _nobody_waits = send.send(address.to_owned());
                }
            }
        });
        let address = receive.recv_timeout(READY_WITHIN).expect("the server gets ready");
        Self { child, ends_with_its_input, address }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if !self.ends_with_its_input {
            let _it_may_have_ended = self.child.kill();
        }
        self.child.wait().unwrap();
    }
}

fn there_or_skipped(program: Option<PathBuf>, what: &str) -> Option<PathBuf> {
    if program.is_none() {
        assert!(std::env::var_os("CI").is_none(), "this is CI, and there is no {what}");
        println!("skipped: there is no {what}");
    }
    program
}

fn binary() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CLAVIGER_BIN") {
        return Some(PathBuf::from(path));
    }
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("claviger");
    built.exists().then_some(built)
}
