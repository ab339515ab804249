//! A real server, what it holds, and a keystore that uses it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use claviger_at_rest::options::{Facility, KmipSettings, OptionId};
use claviger_at_rest::{Error, Keeper, Level, Options, Settings, Started, start};
use claviger_client::blocking::Client;
use claviger_client::tls::Files;
use claviger_client::{Dialect, Endpoint};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{Name, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{CryptographicAlgorithm, ObjectType, RevocationReasonCode, State};
use claviger_kmip::masks::CryptographicUsageMask;

/// A debug build on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A server, ended when it is dropped.
pub(crate) struct World {
    child: Child,
    /// PyKMIP ends what it has started when its input ends; Claviger has nothing to end.
    ends_with_its_input: bool,
    pub(crate) address: SocketAddr,
    admin: Client,
    scratch: tempfile::TempDir,
}

impl World {
    /// Starts `claviger server --dev`. Without a binary the test is skipped, and says so, but not
    /// under `CI`.
    pub(crate) fn start() -> Option<Self> {
        let mut command = Command::new(there_or_skipped(binary(), "claviger")?);
        command
            .args(["server", "--dev", "--kmip-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"])
            .args(["--log-level", "error", "--export-client"]);
        Some(Self::run(command, false))
    }

    /// Starts a stock PyKMIP server, likewise; `CLAVIGER_PYTHON` is the interpreter that has it.
    pub(crate) fn pykmip() -> Option<Self> {
        let python = std::env::var_os("CLAVIGER_PYTHON").map(PathBuf::from);
        let script = Path::new(env!("CARGO_MANIFEST_DIR"));
        let script = script.join("../../tests/clients/pykmip_server.py");
        let mut command = Command::new(there_or_skipped(python, "PyKMIP")?);
        command.args(["-B", "-W", "ignore"]).arg(script);
        Some(Self::run(command, true))
    }

    /// Runs a command whose last argument is the directory for the client's files.
    fn run(mut command: Command, ends_with_its_input: bool) -> Self {
        let scratch = in_memory();
        let client = scratch.path().join("client");
        let mut child = command
            .arg(&client)
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
        let tls = Files::in_directory(&client).load().unwrap();
        let options = claviger_client::Options::new(vec![address.parse().unwrap()], tls);
        let dialect = Dialect::fixed(Version::V1_4);
        let admin = Client::new(claviger_client::Options { dialect, ..options });
        let address = address.parse().unwrap();
        Self { child, ends_with_its_input, address, admin, scratch }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { host: self.address.ip().to_string(), port: self.address.port() }
    }

    /// Settings for these servers, which all take this one's client.
    pub(crate) fn settings(
        &self,
        servers: Vec<Endpoint>,
        level: Level,
        options: &[(OptionId, &str)],
    ) -> Settings {
        let client = self.scratch.path().join("client");
        let file = |name: &str| client.join(name).to_str().unwrap().to_owned();
        let mut all = Options::new();
        let (ca, pem) = (file("ca.pem"), file("client.pem"));
        let connection = [
            (OptionId::KmipServerName, "127.0.0.1"),
            (OptionId::KmipServerCaFile, &ca),
            (OptionId::KmipClientCertificateFile, &pem),
        ];
        for (option, text) in connection.iter().chain(options) {
            all.set(*option, text).unwrap();
        }
        all.imply_encryption();
        let mut settings = all.settings(level).unwrap();
        kmip(&mut settings).servers = servers;
        settings
    }

    /// A directory of the test's own.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Every symmetric key that the server holds.
    pub(crate) fn keys(&self) -> Vec<String> {
        let wanted = [Attribute::ObjectType(ObjectType::SYMMETRIC_KEY)];
        let found = self.admin.locate(wanted).unwrap().unique_identifier;
        found.into_iter().map(text).collect()
    }

    /// A key of those bytes.
    pub(crate) fn register(&self, bytes: &[u8]) -> String {
        self.register_as(bytes, None)
    }

    /// A key of those bytes, with a Name.
    pub(crate) fn register_as(&self, bytes: &[u8], name: Option<&str>) -> String {
        let (aes, usage) = (CryptographicAlgorithm::AES, CryptographicUsageMask::ENCRYPT);
        let (bytes, name) =
            (Secret::copy_of(bytes), name.map(|name| Attribute::Name(Name::text(name))));
        let made = self.admin.register_symmetric_key(aes, bytes, usage, name).unwrap();
        text(made.unique_identifier)
    }

    /// Brings a new key into a state.
    pub(crate) fn bring(&self, key: &str, state: State) {
        if state != State::PRE_ACTIVE {
            self.admin.activate(key).unwrap();
        }
        if state == State::DEACTIVATED {
            self.revoke(key, RevocationReasonCode::CESSATION_OF_OPERATION);
        }
        assert_eq!(self.state(key), state);
    }

    pub(crate) fn state(&self, key: &str) -> State {
        let wanted = [AttributeReference::Standard(AttributeId::State)];
        let answer = self.admin.get_attributes(key, wanted).unwrap();
        let states = answer.attributes.0.iter().find_map(|attribute| match attribute {
            Attribute::State(state) => Some(*state),
            _ => None,
        });
        states.unwrap()
    }

    pub(crate) fn revoke(&self, key: &str, reason: RevocationReasonCode) {
        self.admin.revoke(key, reason, None).unwrap();
    }

    /// Takes a key away, whatever state it is in.
    pub(crate) fn destroy(&self, key: &str) {
        if self.state(key) == State::ACTIVE {
            self.revoke(key, RevocationReasonCode::CESSATION_OF_OPERATION);
        }
        self.admin.destroy(key).unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if !self.ends_with_its_input {
            self.child.kill().unwrap();
        }
        self.child.wait().unwrap();
    }
}

/// A directory in memory, if the system has any: these tests are not about the disk, and make more
/// keystores than a disk has time for.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn text(identifier: UniqueIdentifier) -> String {
    match identifier {
        UniqueIdentifier::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn there_or_skipped(program: Option<PathBuf>, what: &str) -> Option<PathBuf> {
    if program.is_none() {
        assert!(std::env::var_os("CI").is_none(), "this is CI, and there is no {what}");
        println!("skipped: there is no {what}");
    }
    program
}

/// `CLAVIGER_BIN`, or what cargo built beside this test.
fn binary() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CLAVIGER_BIN") {
        return Some(PathBuf::from(path));
    }
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("claviger");
    built.exists().then_some(built)
}

pub(crate) fn kmip(settings: &mut Settings) -> &mut KmipSettings {
    match &mut settings.facility {
        Facility::Kmip(kmip) => kmip,
        Facility::KeyFile(_) => panic!("the settings are of a key file"),
    }
}

/// A start as a new process makes it: no connection is there yet.
pub(crate) fn fresh_start(settings: &Settings, directory: &Path) -> Result<Started, Error> {
    start(settings, &Keeper::new(settings)?, directory)
}

/// The master key of a keystore.
pub(crate) fn key_of(started: &Started) -> String {
    match started.keystore.configured() {
        claviger_at_rest::Configured::Kmip(identifier) => identifier.clone(),
        other => panic!("{other:?}"),
    }
}
