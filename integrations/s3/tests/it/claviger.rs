//! A real Claviger server, and what it holds.

use claviger_client::blocking::Client;
use claviger_client::tls::{Config, Files};
use claviger_client::{Endpoint, Options, requests};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{CryptographicAlgorithm, State};
use claviger_kmip::masks::CryptographicUsageMask as Usage;

use crate::process::ServerProcess;

/// A server, ended when it is dropped.
pub(crate) struct Claviger {
    _process: ServerProcess,
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
        let process = ServerProcess::claviger(&directory).expect("claviger is built");
        let endpoint: Endpoint = process.address.parse().unwrap();
        let files = Files::in_directory(&directory);
        let tls = files.load().unwrap();
        let client = Client::new(Options::new(vec![endpoint.clone()], tls.clone()));
        Self { _process: process, endpoint, files, tls, client, _scratch: scratch }
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

fn text(identifier: &claviger_kmip::attributes::values::UniqueIdentifier) -> String {
    match identifier {
        claviger_kmip::attributes::values::UniqueIdentifier::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}
