//! What the component is given: the library, its configuration, and credentials of a server.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::server::{Server, binary};

/// The name of the configuration.
pub(super) const CONFIGURATION: &str = "component_claviger_kmip.cnf";

/// The component that cargo built with the binary under test.
pub(super) fn library() -> PathBuf {
    let name = "libcomponent_claviger_kmip.so";
    let profile = binary().canonicalize().unwrap().parent().unwrap().to_owned();
    let places = [profile.join(name), profile.join("deps").join(name)];
    let found = places.into_iter().filter(|path| path.exists());
    let newest = found.max_by_key(|path| path.metadata().unwrap().modified().unwrap());
    newest.unwrap_or_else(|| panic!("{name} is not built in {}", profile.display()))
}

/// Options of the component.
pub(super) type Options = Map<String, Value>;

/// The options for those servers, which trust the same client.
pub(super) fn options(servers: &[&Server]) -> Options {
    let list: Vec<_> = servers.iter().map(|server| server.kmip.to_string()).collect();
    let mut options = as_client(&servers[0].client);
    options.insert(String::from("server_addr"), json!(list.join(",")));
    // As Percona's component wants it; each server has its own.
    options.insert(String::from("server_port"), json!("5696"));
    options.insert(String::from("object_group"), json!("TestGroup"));
    // Two busy cores.
    options.insert(String::from("kmip_timeout_ms"), json!(30_000));
    options
}

/// The options that say who the client is, and whom it trusts.
pub(super) fn as_client(directory: &Path) -> Options {
    let files = [("client_ca", "cert.pem"), ("client_key", "key.pem"), ("server_ca", "ca.pem")];
    let path = |name: &str| json!(directory.join(name).to_str().unwrap());
    files.iter().map(|(option, name)| ((*option).to_owned(), path(name))).collect()
}

/// Writes the configuration.
pub(super) fn write(directory: &Path, options: &Options) {
    let text = serde_json::to_string_pretty(options).unwrap();
    fs::write(directory.join(CONFIGURATION), text).unwrap();
}

/// The credential of a new role with those operations: its files, and its serial.
pub(super) fn issue(
    server: &Server,
    role: &str,
    operations: &[&str],
) -> (tempfile::TempDir, Value) {
    let api = Api::root(server);
    let allowed = operations.iter().map(|name| (format!("operation_{name}"), json!(true)));
    let path = format!("kmip/scope/default/role/{role}");
    assert_eq!(api.write(&path, &Value::Object(allowed.collect())).status, 204);
    let issued = api.write(&format!("{path}/credential/generate"), &json!({})).data();
    let scratch = tempfile::tempdir().unwrap();
    let chain = issued["ca_chain"].as_array().unwrap().iter().filter_map(Value::as_str);
    let certificates = std::iter::once(issued["certificate"].as_str().unwrap()).chain(chain);
    let write = |file: &str, text: &str| fs::write(scratch.path().join(file), text).unwrap();
    write("cert.pem", &certificates.collect::<Vec<_>>().join("\n"));
    write("key.pem", issued["private_key"].as_str().unwrap());
    fs::copy(server.client.join("ca.pem"), scratch.path().join("ca.pem")).unwrap();
    (scratch, issued["serial_number"].clone())
}
