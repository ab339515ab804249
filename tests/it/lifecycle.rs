//! The life of a production server, over HTTPS from a configuration file: initialise, unseal, serve, restart, seal.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::address::free_address;
use crate::api::Api;
use crate::kmip::{Client, create, on, op};
use crate::server::{Server, binary};
use crate::tls::Identity;

const DRAINED: Duration = Duration::from_secs(30);

/// A directory with a configuration file and a certificate for the API.
pub(crate) struct Place {
    directory: tempfile::TempDir,
    pub(crate) kmip: SocketAddr,
}

impl Place {
    pub(crate) fn new(seal: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let kmip = free_address();
        let place = Self { directory, kmip };
        place.new_certificate();
        place.configure("info", seal);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn configure(&self, level: &str, seal: &str) {
        let text = format!(
            "[api]\naddress = \"127.0.0.1:0\"\ntls_certificate = \"api.pem\"\ntls_key = \"api.key\"\n\
             [storage]\npath = \"data\"\n[seal]\n{seal}\n\
             [audit.file]\ntype = \"file\"\nfile_path = \"data/audit.log\"\n\
             [log]\nformat = \"json\"\nlevel = \"{level}\"\n"
        );
        fs::write(self.path("claviger.toml"), text).unwrap();
    }

    /// A new certificate at the same place, and whom to trust with it.
    fn new_certificate(&self) {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        fs::write(self.path("api.pem"), made.cert.pem()).unwrap();
        fs::write(self.path("api.key"), made.signing_key.serialize_pem()).unwrap();
    }

    fn trust(&self) -> Identity {
        Identity::anonymous(&fs::read(self.path("api.pem")).unwrap())
    }

    pub(crate) fn start(&self) -> Server {
        Server::start_configured(self.directory.path(), self.kmip)
    }

    pub(crate) fn api(&self, server: &Server, token: Option<&str>) -> Api {
        Api::https(server, token, &self.trust())
    }

    /// A command of ours, as an operator has set the environment: exit code, stdout, stderr.
    pub(crate) fn run(
        &self,
        server: &Server,
        token: &str,
        arguments: &[&str],
    ) -> (i32, String, String) {
        let output = Command::new(binary())
            .args(arguments)
            .env("CLAVIGER_ADDR", &server.api)
            .env("CLAVIGER_TOKEN", token)
            .env("CLAVIGER_CACERT", self.path("api.pem"))
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    pub(crate) fn json(&self, server: &Server, token: &str, arguments: &[&str]) -> Value {
        let (code, out, error) = self.run(server, token, &[arguments, &["--json"]].concat());
        assert_eq!(code, 0, "{arguments:?}: {out}{error}");
        serde_json::from_str(&out).unwrap()
    }

    /// Initialises; the shares in base64 and the root token.
    pub(crate) fn init(&self, server: &Server) -> (Vec<String>, String) {
        let made = self.json(server, "", &["operator", "init"]);
        let shares = serde_json::from_value(made["keys_base64"].clone()).unwrap();
        (shares, made["root_token"].as_str().unwrap().to_owned())
    }

    pub(crate) fn unseal(&self, server: &Server, shares: &[String]) {
        let mut last = Value::Null;
        for share in shares {
            last = self.json(server, "", &["operator", "unseal", share]);
        }
        assert_eq!(last["sealed"], false, "{last}");
    }

    /// `kmip/` listening, and a credential that may do everything, in `client`.
    pub(crate) fn mount(&self, server: &Server, token: &str) {
        let api = self.api(server, Some(token));
        assert_eq!(api.write("sys/mounts/kmip", &json!({"type": "kmip"})).status, 204);
        let config = json!({"listen_addrs": self.kmip.to_string(), "server_ips": "127.0.0.1"});
        assert_eq!(api.write("kmip/config", &config).status, 204);
        self.json(server, token, &["scope", "create", "finance"]);
        self.json(server, token, &["role", "write", "finance", "app", "--all"]);
        let client = self.path("client");
        let out = client.to_str().unwrap();
        self.json(server, token, &["credential", "generate", "finance", "app", "--out", out]);
    }

    /// The same server, to be killed where `CLAVIGER_TEST_KILL_AT` says.
    pub(crate) fn start_to_die_at(&self, point: &str) -> Server {
        self.start_under(|command| {
            command.env("CLAVIGER_TEST_KILL_AT", point);
        })
    }

    /// The same server, with more to the command: an environment to run it under.
    pub(crate) fn start_under(&self, prepare: impl FnOnce(&mut Command)) -> Server {
        Server::start_configured_under(self.directory.path(), self.kmip, prepare)
    }

    /// While sealed: the KMIP port refuses, the API answers 503 and nothing else.
    fn assert_sealed(&self, server: &Server, token: &str) {
        assert!(TcpStream::connect(self.kmip).is_err(), "the KMIP port is open");
        let api = self.api(server, Some(token));
        assert_eq!(api.get("sys/health").status, 503);
        let refused = api.get("kmip/config");
        assert_eq!((refused.status, refused.errors()), (503, vec!["Vault is sealed".to_owned()]));
        let (code, _, said) = self.run(server, token, &["status"]);
        assert!(code == 2 && said.contains("sealed"), "{code}: {said}");
    }
}

/// Every file below a directory.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn init_unseal_restart_unseal_and_the_keys_are_there() {
    let place = Place::new("type = \"shamir\"");
    let server = place.start();
    let api = place.api(&server, None);
    assert_eq!((api.get("sys/health").status, api.get("sys/seal-status").status), (501, 200));
    let (code, _, said) = place.run(&server, "", &["status"]);
    assert!(code == 2 && said.contains("operator init"), "{said}");
    let (shares, token) = place.init(&server);
    assert_eq!(shares.len(), 5);
    place.assert_sealed(&server, &token);
    place.unseal(&server, &shares[..3]);
    place.mount(&server, &token);
    let mut client = Client::connect(&server, (1, 4));
    let id = client.call(create((1, 4), None)).unique_identifier();
    let key = client.call(on(op::GET, &id)).success();
    assert!(server.terminate(DRAINED).success());

    let server = place.start();
    place.assert_sealed(&server, &token);
    place.unseal(&server, &[shares[4].clone(), shares[1].clone(), shares[2].clone()]);
    let mut client = Client::connect(&server, (1, 4));
    assert_eq!(client.call(on(op::GET, &id)).success(), key);

    assert_eq!(place.json(&server, &token, &["operator", "seal"])["result"], "sealed");
    assert!(client.connection.closes(), "a connection that was open ends");
    place.assert_sealed(&server, &token);
    // Once more, killed in the middle of it.
    place.json(&server, "", &["operator", "unseal", &shares[0]]);
    server.kill();
    let server = place.start();
    assert_eq!(place.api(&server, None).get("sys/seal-status").json()["progress"], 0);
    place.unseal(&server, &shares[..3]);
    assert_eq!(Client::connect(&server, (1, 4)).call(on(op::GET, &id)).success(), key);
    assert!(server.terminate(DRAINED).success());

    let audit = place.path("data/audit.log");
    let verified = Command::new(binary()).args(["audit", "verify"]).arg(audit).status().unwrap();
    assert!(verified.success(), "one chain over all of it");
    let mut paths = Vec::new();
    files(&place.path("data"), &mut paths);
    files(&place.path("logs"), &mut paths);
    for share in &shares {
        let raw = STANDARD.decode(share).unwrap();
        let hex = crate::hex::encode(&raw);
        for path in &paths {
            let content = fs::read(path).unwrap();
            for needle in [raw.as_slice(), hex.as_bytes(), share.as_bytes(), token.as_bytes()] {
                let is_in = content.windows(needle.len()).any(|window| window == needle);
                assert!(!is_in, "a share or the token is in {}", path.display());
            }
        }
    }
}

#[test]
fn a_key_file_server_serves_after_a_restart_by_itself() {
    let place = Place::new("type = \"key_file\"\nkey_file = \"root.key\"");
    let server = place.start();
    let (shares, token) = place.init(&server);
    assert!(shares.is_empty());
    place.mount(&server, &token);
    let id = Client::connect(&server, (1, 4)).call(create((1, 4), None)).unique_identifier();
    server.kill();
    let server = place.start();
    Client::connect(&server, (1, 4)).call(on(op::GET, &id)).success();
    place.json(&server, &token, &["operator", "seal"]);
    place.assert_sealed(&server, &token);
    assert!(server.terminate(DRAINED).success());
    place.configure("info", "type = \"shamir\"");
    let output = Command::new(binary())
        .args(["server", "--config", place.path("claviger.toml").to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("key_file"), "{said}");
}

#[test]
fn sighup_takes_over_certificate_and_log_level_and_nothing_broken() {
    let place = Place::new("type = \"shamir\"");
    let server = place.start();
    let old = place.api(&server, None);
    assert!(old.is_trusted());
    assert!(!server.stderr().contains("DEBUG"));
    let good = fs::read(place.path("api.key")).unwrap();
    fs::write(place.path("api.key"), "nothing").unwrap();
    place.configure("debug", "type = \"shamir\"\n[limits]\nstreams_max = 9");
    server.reload(|server| server.stderr().contains("has been read again"));
    let said = server.stderr();
    assert!(said.contains("api.key") && said.contains("limits.streams_max"), "{said}");
    assert!(old.is_trusted(), "the certificate so far stays");
    fs::write(place.path("api.key"), good).unwrap();

    place.new_certificate();
    let new = place.api(&server, None);
    server.reload(|_| new.is_trusted());
    assert!(!old.is_trusted(), "new connections get the new certificate");
    assert!(server.terminate(DRAINED).success());
}

#[test]
fn sighup_lets_the_audit_be_rotated() {
    let place = Place::new("type = \"shamir\"");
    let server = place.start();
    let (shares, token) = place.init(&server);
    place.unseal(&server, &shares[..3]);
    let api = place.api(&server, Some(&token));
    assert_eq!(api.get("sys/mounts").status, 200);
    let (older, newer) = (place.path("data/audit.1"), place.path("data/audit.log"));
    fs::rename(&newer, &older).unwrap();
    server.reload(|_| newer.exists());
    assert_eq!(api.get("sys/mounts").status, 200);
    // A second life of the barrier records in the same chain.
    place.json(&server, &token, &["operator", "seal"]);
    place.unseal(&server, &shares[..3]);
    assert_eq!(api.get("sys/mounts").status, 200);
    assert!(server.terminate(DRAINED).success());
    let verify = ["audit", "verify", older.to_str().unwrap(), newer.to_str().unwrap()];
    let verified = Command::new(binary()).args(verify).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    assert!(fs::read_to_string(&newer).unwrap().lines().count() >= 4);
}

#[test]
fn a_file_that_cannot_be_is_refused_by_key_and_value() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("claviger.toml");
    let path = file.to_str().unwrap();
    fs::write(
        &file,
        "[api]\naddress = \"0.0.0.0:8200\"\n[storage]\npath = \"data\"\nfast = true\n",
    )
    .unwrap();
    for arguments in [["check-config", path].as_slice(), &["server", "--config", path]] {
        let output = Command::new(binary()).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("storage.fast = true") && said.contains("type, path"), "{said}");
    }
    assert!(!directory.path().join("data").exists(), "nothing was made");
    fs::write(&file, "[storage]\npath = \"data\"\n").unwrap();
    let output = Command::new(binary()).args(["check-config", path, "--json"]).output().unwrap();
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&checked["valid"], output.status.code()), (&json!(true), Some(0)));
    assert!(checked["keys"].as_array().unwrap().len() > 30);
}
