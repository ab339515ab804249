//! The shortest proof that one command gives a working server. Fails first when anything basic is broken.

use std::time::Duration;

use crate::api::Api;
use crate::kmip::{Client, create, on, op, revoke, tag};
use crate::server::Server;
use crate::ttlv::Item;

#[test]
fn one_command_is_a_working_server() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    let id = client.call(create((1, 4), Some("first"))).unique_identifier();
    let payload = client.call(on(op::GET, &id)).success();
    let path = [tag::SYMMETRIC_KEY, tag::KEY_BLOCK, tag::KEY_VALUE, tag::KEY_MATERIAL];
    assert_eq!(payload.at(&path).and_then(Item::as_bytes).map(<[u8]>::len), Some(32));
    assert_eq!(client.call(on(op::ACTIVATE, &id)).unique_identifier(), id);
    assert_eq!(client.call(revoke(&id, 6)).unique_identifier(), id);
    assert_eq!(client.call(on(op::DESTROY, &id)).unique_identifier(), id);

    let health = Api::anonymous(&server).get("sys/health");
    assert_eq!((health.status, health.json()["sealed"].as_bool()), (200, Some(false)));
    assert!(server.terminate(Duration::from_secs(30)).success(), "SIGTERM ends with exit code 0");
}

#[test]
fn a_data_directory_starts_again_with_its_keys_and_credentials() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_on(directory.path());
    let mut client = Client::connect(&server, (1, 4));
    let id = client.call(create((1, 4), None)).unique_identifier();
    let before = client.call(on(op::GET, &id)).success();
    let credential = std::fs::read(server.client.join("cert.pem")).unwrap();
    assert!(server.terminate(Duration::from_secs(30)).success());

    let server = Server::start_on(directory.path());
    let mut client = Client::connect(&server, (1, 4));
    assert_eq!(client.call(on(op::GET, &id)).success(), before);
    assert_eq!(std::fs::read(server.client.join("cert.pem")).unwrap(), credential, "reused");
}
