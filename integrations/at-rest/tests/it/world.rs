//! A real server, what it holds, and a keystore that uses it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use claviger_at_rest::options::{Facility, KmipSettings, OptionId};
use claviger_at_rest::{Error, Keeper, Kms, Level, Options, Settings, Started, start};
use claviger_client::blocking::Client;
use claviger_client::tls::{Config, Files};
use claviger_client::{Dialect, Endpoint};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{Name, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{CryptographicAlgorithm, ObjectType, RevocationReasonCode, State};
use claviger_kmip::masks::CryptographicUsageMask;

use crate::process::ServerProcess;

/// A server, what it holds, and its administrator.
pub(crate) struct World {
    _process: ServerProcess,
    pub(crate) address: SocketAddr,
    admin: Client,
    /// Of another library than the keystore takes by itself.
    tls: Option<Config>,
    scratch: tempfile::TempDir,
}

impl World {
    /// With `claviger server --dev`. Without a binary the test is skipped, and says so, but not
    /// under `CI`.
    pub(crate) fn start() -> Option<Self> {
        let scratch = in_memory();
        let process = ServerProcess::claviger(&scratch.path().join("client"))?;
        Some(Self::of(process, scratch, None))
    }

    /// With a stock PyKMIP server, likewise.
    pub(crate) fn pykmip() -> Option<Self> {
        let scratch = in_memory();
        let process = ServerProcess::pykmip(&scratch.path().join("client"))?;
        Some(Self::of(process, scratch, None))
    }

    /// With one that has RSA certificates, and so offers nothing that rustls takes: by OpenSSL.
    pub(crate) fn pykmip_rsa() -> Option<Self> {
        let scratch = in_memory();
        let client = scratch.path().join("client");
        let process = ServerProcess::pykmip_rsa(&client)?;
        let tls = Files::in_directory(&client).settings().load_openssl().unwrap();
        Some(Self::of(process, scratch, Some(tls)))
    }

    fn of(process: ServerProcess, scratch: tempfile::TempDir, openssl: Option<Config>) -> Self {
        let files = Files::in_directory(&scratch.path().join("client"));
        let tls = openssl.clone().unwrap_or_else(|| files.load().unwrap());
        let options = claviger_client::Options::new(vec![process.address.parse().unwrap()], tls);
        let dialect = Dialect::fixed(Version::V1_4);
        let admin = Client::new(claviger_client::Options { dialect, ..options });
        let address = process.address.parse().unwrap();
        Self { _process: process, address, admin, tls: openssl, scratch }
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

    /// A start as a new process makes it: no connection is there yet.
    pub(crate) fn fresh_start(
        &self,
        settings: &Settings,
        directory: &Path,
    ) -> Result<Started, Error> {
        match (&settings.facility, &self.tls) {
            (Facility::Kmip(kmip), Some(tls)) => {
                let keeper = Keeper::Kmip(Kms::with_tls(kmip, tls.clone()));
                start(settings, &keeper, directory)
            }
            _ => fresh_start(settings, directory),
        }
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

pub(crate) fn kmip(settings: &mut Settings) -> &mut KmipSettings {
    match &mut settings.facility {
        Facility::Kmip(kmip) => kmip,
        Facility::KeyFile(_) => panic!("the settings are of a key file"),
    }
}

/// The same, with the files of the settings.
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
