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
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{CryptographicAlgorithm, ObjectType, RevocationReasonCode, State};
use claviger_kmip::masks::CryptographicUsageMask;

/// A debug build on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// `claviger server --dev`, ended when it is dropped.
pub(crate) struct World {
    child: Child,
    pub(crate) address: SocketAddr,
    admin: Client,
    scratch: tempfile::TempDir,
}

impl World {
    /// Starts it. Without a binary the test is skipped, and says so, but not under `CI`.
    pub(crate) fn start() -> Option<Self> {
        let Some(binary) = binary() else {
            assert!(std::env::var_os("CI").is_none(), "this is CI, and claviger is not built");
            println!("skipped: claviger is not built, and CLAVIGER_BIN names none");
            return None;
        };
        let scratch = in_memory();
        let client = scratch.path().join("client");
        let mut child = Command::new(binary)
            .args(["server", "--dev", "--kmip-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"])
            .args(["--log-level", "error", "--export-client"])
            .arg(&client)
            .stdin(Stdio::null())
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
        Some(Self { child, address: address.parse().unwrap(), admin, scratch })
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
        let (aes, usage) = (CryptographicAlgorithm::AES, CryptographicUsageMask::ENCRYPT);
        let bytes = Secret::copy_of(bytes);
        let made = self.admin.register_symmetric_key(aes, bytes, usage, []).unwrap();
        text(made.unique_identifier)
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
        self.child.kill().unwrap();
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
