//! The client against real servers: Claviger and PyKMIP.

use std::path::Path;

use claviger_client::blocking::{Client, Session};
use claviger_client::tls::{Config, Files};
use claviger_client::{Depth, Dialect, Endpoint, Error, Options, Timeouts, requests};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{CryptographicParameters, Name};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::{ByteString, Secret};
use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm, ObjectType, PaddingMethod,
    ResultReason, RevocationReasonCode, State,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::payload::GetRequest;

use crate::process::ServerProcess;

/// A server, ended when it is dropped.
struct Real {
    process: ServerProcess,
    endpoint: Endpoint,
    tls: Config,
    _scratch: tempfile::TempDir,
}

impl Real {
    /// `claviger server --dev`, if there is one to start.
    fn start() -> Option<Self> {
        Self::of(ServerProcess::claviger)
    }

    /// A stock PyKMIP server, if there is one to start.
    fn pykmip() -> Option<Self> {
        Self::of(ServerProcess::pykmip)
    }

    fn of(start: impl FnOnce(&Path) -> Option<ServerProcess>) -> Option<Self> {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("client");
        let process = start(&directory)?;
        let tls = Files::in_directory(&directory).load().unwrap();
        let endpoint = process.address.parse().unwrap();
        Some(Self { process, endpoint, tls, _scratch: scratch })
    }

    fn client(&self, dialect: Dialect) -> Client {
        let servers = vec![self.endpoint.clone()];
        Client::new(Options { dialect, ..Options::new(servers, self.tls.clone()) })
    }
}

/// What is left of the life of a key in every version.
fn live(client: &Client, version: Version) -> Result<(), Error> {
    let name = Attribute::Name(Name::text(format!("client {version}")));
    let usage = Usage::ENCRYPT | Usage::DECRYPT;
    let aes = CryptographicAlgorithm::AES;
    let made = client.create_symmetric_key(aes, 256, usage, [name.clone()])?;
    assert_eq!(made.object_type, ObjectType::SYMMETRIC_KEY);
    let uid = made.unique_identifier;
    assert_eq!(client.locate([name])?.unique_identifier, std::slice::from_ref(&uid));
    client.activate(uid.clone())?;
    let state = AttributeReference::Standard(AttributeId::State);
    let attributes = client.get_attributes(uid.clone(), [state])?.attributes.0;
    assert_eq!(attributes.first(AttributeId::State), Some(&Attribute::State(State::ACTIVE)));
    let key = client.get(uid.clone())?.object;
    assert_eq!(key.key_block().and_then(|block| block.cryptographic_length), Some(256));
    if version >= Version::V1_2 {
        compute(client, &uid)?;
    }
    client.revoke(uid.clone(), RevocationReasonCode::CESSATION_OF_OPERATION, None)?;
    client.destroy(uid.clone())?;
    let gone = client.get(uid).unwrap_err();
    assert!(
        matches!(
            gone.reason(),
            Some(ResultReason::ITEM_NOT_FOUND | ResultReason::OBJECT_DESTROYED)
        ),
        "{gone}"
    );

    let bytes = Secret::new(vec![7; 32]);
    let registered = client.register_symmetric_key(aes, bytes, usage, [])?.unique_identifier;
    client.destroy(registered)?;
    Ok(())
}

fn compute(
    client: &Client,
    uid: &claviger_kmip::attributes::values::UniqueIdentifier,
) -> Result<(), Error> {
    let cbc = Some(CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        ..CryptographicParameters::none()
    });
    let iv = Some(ByteString(vec![0; 16]));
    let clear = b"whatever".to_vec();
    let sealed = client.encrypt(uid.clone(), cbc.clone(), iv.clone(), clear.clone())?;
    let opened = client.decrypt(uid.clone(), cbc, iv, sealed.data.unwrap().0)?;
    assert_eq!(opened.data.unwrap().expose(), clear);
    let sha256 = CryptographicParameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA_256),
        ..CryptographicParameters::none()
    };
    assert_eq!(client.hash(sha256, clear)?.data.unwrap().0.len(), 32);
    assert_eq!(client.rng_retrieve(16)?.data.len(), 16);
    Ok(())
}

#[test]
fn a_key_lives_and_dies_in_every_version() {
    let Some(server) = Real::start() else { return };
    for version in Version::ALL {
        let client = server.client(Dialect::fixed(version));
        live(&client, version).unwrap_or_else(|error| panic!("{version}: {error}"));
    }
}

#[test]
fn the_newest_version_is_agreed_on_and_pipelines_keep_their_order() {
    let Some(server) = Real::start() else { return };
    let (dialect, timeouts) = (Dialect::default(), Timeouts::default());
    let mut session = Session::open(&server.endpoint, &server.tls, &dialect, timeouts).unwrap();
    assert_eq!(session.version(), Version::V2_1);
    let aes = CryptographicAlgorithm::AES;
    let keys: Vec<_> = (0..20)
        .map(|_| session.create_symmetric_key(aes, 128, Usage::ENCRYPT, []).unwrap())
        .map(|made| made.unique_identifier)
        .collect();
    let outgoing: Vec<_> =
        keys.iter().map(|uid| session.outgoing(&requests::get(uid.clone())).unwrap()).collect();
    let mut got = Vec::new();
    session
        .pipeline(outgoing, Depth::default(), |answer| {
            got.push(answer.only::<GetRequest>()?.unique_identifier);
            Ok(())
        })
        .unwrap();
    assert_eq!(got, keys);

    // A batch whose second item takes what the first one found.
    let mut batch = session.batch();
    let by_id = Attribute::UniqueIdentifier(keys[3].clone());
    batch.add(&requests::locate([by_id])).unwrap();
    let slot = batch.add(&GetRequest::default()).unwrap();
    let answer = session.exchange(batch.finish().unwrap()).unwrap();
    assert_eq!(answer.replies().unwrap().take(slot).unwrap().unique_identifier, keys[3]);
    assert!(session.is_ready());
}

#[test]
fn when_one_server_dies_the_other_answers() {
    let (Some(mut first), Some(second)) = (Real::start(), Real::start()) else { return };
    // Each has an authority of its own, and each knows its own clients: this one is known to the
    // second alone, so the first is one that does not let us in.
    let servers = vec![first.endpoint.clone(), second.endpoint.clone()];
    let client = Client::new(Options::new(servers, second.tls.clone()));
    client.query([]).unwrap();
    first.process.kill();
    client.query([]).unwrap();
    let only = Client::new(Options::new(vec![first.endpoint.clone()], first.tls.clone()));
    let error = only.query([]).unwrap_err();
    assert!(matches!(error.cause(), Error::Connect(_)), "{error}");
}

/// PyKMIP knows 1.0 to 2.0, and computes and hashes less.
#[test]
fn a_stock_pykmip_server_is_understood() {
    let Some(server) = Real::pykmip() else { return };
    let (dialect, timeouts) = (Dialect::default(), Timeouts::default());
    let session = Session::open(&server.endpoint, &server.tls, &dialect, timeouts).unwrap();
    assert_eq!(session.version(), Version::V2_0);
    drop(session);
    for version in [Version::V1_0, Version::V1_2, Version::V1_4, Version::V2_0] {
        let client = server.client(Dialect::fixed(version));
        let usage = Usage::ENCRYPT | Usage::DECRYPT;
        let made = client.create_symmetric_key(CryptographicAlgorithm::AES, 256, usage, []);
        let uid = made.unwrap_or_else(|error| panic!("{version}: {error}")).unique_identifier;
        client.activate(uid.clone()).unwrap();
        assert_eq!(client.get(uid.clone()).unwrap().object_type, ObjectType::SYMMETRIC_KEY);
        let error = client.destroy(uid.clone()).unwrap_err();
        assert_eq!(error.reason(), Some(ResultReason::PERMISSION_DENIED), "{error}");
        let reason = RevocationReasonCode::CESSATION_OF_OPERATION;
        client.revoke(uid.clone(), reason, None).unwrap();
        client.destroy(uid).unwrap();
    }
}
