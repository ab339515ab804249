//! `kmip_trace` of a scope: its messages stand in the log, decoded, without what is secret, and nobody else's do.

use serde_json::json;

use crate::api::Api;
use crate::hex;
use crate::kmip::{Client, on, op, register};
use crate::server::Server;

const KEY: &[u8; 32] = b"traced-key-traced-key-traced-key";

#[test]
fn messages_of_a_traced_scope_are_logged_without_their_keys() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    client.call(register((1, 4), KEY, Some("before"))).success();
    assert!(!server.stderr().contains("RequestMessage"), "nothing is traced unless asked for");

    let api = Api::root(&server);
    assert_eq!(api.write("kmip/scope/default", &json!({"kmip_trace": "true"})).status, 204);
    let id = client.call(register((1, 4), KEY, Some("traced"))).unique_identifier();
    client.call(on(op::GET, &id)).success();
    let log = server.stderr();
    for expected in ["RequestMessage", "ResponseMessage", "\"traced\"", "Operation", "Get", &id] {
        assert!(log.contains(expected), "{expected:?} is not in the log:\n{log}");
    }
    let (lower, upper) = (hex::encode(KEY), hex::encode(KEY).to_uppercase());
    for secret in ["traced-key", lower.as_str(), upper.as_str()] {
        assert!(!log.contains(secret), "the key is in the log");
    }

    assert_eq!(api.write("kmip/scope/default", &json!({"kmip_trace": false})).status, 204);
    let before = server.stderr().len();
    client.call(on(op::GET, &id)).success();
    assert_eq!(server.stderr().len(), before, "tracing ends when it is turned off");
}
