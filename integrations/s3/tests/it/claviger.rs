//! A real Claviger server, and what it holds.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use claviger_client::blocking::Client;
use claviger_client::tls::{Config, Files};
use claviger_client::{Endpoint, Options, requests};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{CryptographicAlgorithm, State};
use claviger_kmip::masks::CryptographicUsageMask as Usage;

/// A debug build on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A server, ended when it is dropped.
pub(crate) struct Claviger {
    child: Child,
    pub(crate) endpoint: Endpoint,
    pub(crate) files: Files,
    pub(crate) tls: Config,
    client: Client,
    _scratch: tempfile::TempDir,
}

impl Claviger {
    pub(crate) fn start() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("client");
        let mut child = Command::new(binary())
            .args(["server", "--dev", "--kmip-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"])
            .arg("--export-client")
            .arg(&directory)
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
        let endpoint: Endpoint = address.parse().unwrap();
        let files = Files::in_directory(&directory);
        let tls = files.load().unwrap();
        let client = Client::new(Options::new(vec![endpoint.clone()], tls.clone()));
        Self { child, endpoint, files, tls, client, _scratch: scratch }
    }

    /// An Active AES key with these bytes; its identifier.
    pub(crate) fn register(&self, key: &[u8; 32]) -> String {
        let usage = Usage::ENCRYPT | Usage::DECRYPT;
        let (aes, key) = (CryptographicAlgorithm::AES, Secret::copy_of(key));
        let made = self.client.register_symmetric_key(aes, key, usage, []).unwrap();
        self.client.activate(made.unique_identifier.clone()).unwrap();
        text(&made.unique_identifier)
    }

    pub(crate) fn revoke(&self, key: &str) {
        let reason = claviger_kmip::enums::RevocationReasonCode::SUPERSEDED;
        self.client.revoke(key, reason, None).unwrap();
    }

    /// All keys with an attribute that are not destroyed.
    pub(crate) fn keys_with(&self, attributes: Vec<Attribute>) -> Vec<String> {
        let found = self.client.call(&requests::locate(attributes)).unwrap();
        found.unique_identifier.iter().map(text).collect()
    }

    /// All keys that are not destroyed.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.keys_with(Vec::new())
    }

    pub(crate) fn state(&self, key: &str) -> State {
        let wanted = [AttributeReference::Standard(AttributeId::State)];
        let answer = self.client.get_attributes(key, wanted).unwrap();
        let mut states = answer.attributes.0.iter().filter_map(|attribute| match attribute {
            Attribute::State(state) => Some(*state),
            _ => None,
        });
        states.next().unwrap()
    }
}

impl Drop for Claviger {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(identifier: &claviger_kmip::attributes::values::UniqueIdentifier) -> String {
    match identifier {
        claviger_kmip::attributes::values::UniqueIdentifier::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("CLAVIGER_BIN") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("claviger");
    assert!(built.exists(), "{} is not built", built.display());
    built
}
