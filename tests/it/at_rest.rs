//! `claviger keystore` against a real server: every row of the matrices of Percona Server for MongoDB.
//!
//! `Keystore` is the tool of the modules `at_rest_*`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::kmip::{Client, on, op, register, revoke, tag};
use crate::pykmip::PyKmip;
use crate::server::{Server, binary};
use crate::ttlv::Item;

const VERSION: (i32, i32) = (1, 4);
/// Bytes of master keys that tests register.
const KEY: [u8; 32] = [0x4b; 32];

/// The exit code of whoever lost its key.
pub(crate) const KEY_LOST: i32 = 233;

/// States of a key, by their numbers on the wire.
pub(crate) const PRE_ACTIVE: u32 = 1;
pub(crate) const ACTIVE: u32 = 2;
pub(crate) const DEACTIVATED: u32 = 3;

/// A directory for a keystore, and how to reach the server of its key.
pub(crate) struct Keystore {
    pub(crate) scratch: tempfile::TempDir,
    connection: Vec<String>,
}

impl Keystore {
    pub(crate) fn on(server: &Server) -> Self {
        Self::at(server, server.kmip.port())
    }

    /// The server behind another port.
    pub(crate) fn at(server: &Server, port: u16) -> Self {
        Self::of(&server.client, port)
    }

    /// Any server, by the directory of its client.
    pub(crate) fn of(client: &Path, port: u16) -> Self {
        let file = |name: &str| client.join(name).to_str().unwrap().to_owned();
        let flags = [
            ("--kmipServerName", String::from("127.0.0.1")),
            ("--kmipPort", port.to_string()),
            ("--kmipServerCAFile", file("ca.pem")),
            ("--kmipClientCertificateFile", file("client.pem")),
        ];
        let connection = flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
        Self { scratch: tempfile::tempdir().unwrap(), connection: connection.collect() }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.scratch.path().join("keys")
    }

    /// Another value for a flag of the connection; none to leave it out.
    pub(crate) fn with(mut self, flag: &str, value: Option<&str>) -> Self {
        let at = self.connection.iter().position(|known| known == flag).unwrap();
        self.connection.drain(at..at + 2);
        self.connection.extend(value.into_iter().flat_map(|it| [flag.into(), it.to_owned()]));
        self
    }

    /// `claviger WORDS… --dir … the connection OPTIONS…`
    pub(crate) fn command(&self, words: &[&str], options: &[&str]) -> Command {
        self.command_by(words, &self.connection, options)
    }

    fn command_by(&self, words: &[&str], connection: &[String], options: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).arg("--dir").arg(self.directory()).args(connection).args(options);
        command
    }

    pub(crate) fn keystore(&self, verb: &[&str], options: &[&str]) -> Command {
        self.command(&[&["keystore"], verb].concat(), options)
    }

    /// The command succeeds; its JSON.
    pub(crate) fn does(&self, verb: &[&str], options: &[&str]) -> Value {
        json(self.keystore(verb, &[options, &["--json"]].concat()))
    }

    /// The command fails with that exit code, and says that.
    pub(crate) fn fails(&self, verb: &[&str], options: &[&str], code: i32, said: &str) -> String {
        fails(self.keystore(verb, options), code, said)
    }

    /// Opens or makes it; the master key's identifier.
    pub(crate) fn open(&self, options: &[&str]) -> String {
        self.does(&["open"], options)["key_identifier"].as_str().unwrap().to_owned()
    }

    /// The same with a key in a file.
    pub(crate) fn with_file(&self, verb: &[&str], file: &Path) -> Command {
        let flags = ["--encryptionKeyFile".to_owned(), file.to_str().unwrap().to_owned()];
        self.command_by(&[&["keystore", "--json"], verb].concat(), &flags, &[])
    }

    pub(crate) fn key_of(&self, database: &str) -> String {
        self.does(&["export-key", database], &[])["key"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn json(mut command: Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", shown(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", shown(&output)))
}

pub(crate) fn fails(mut command: Command, code: i32, said: &str) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {}", shown(&output));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains(said), "{command:?}: {stderr}");
    stderr
}

pub(crate) fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The server's side of the keys.
pub(crate) struct Kms(Client);

impl Kms {
    pub(crate) fn of(server: &Server) -> Self {
        Self(Client::connect(server, VERSION))
    }

    pub(crate) fn register(&mut self, key: &[u8], name: Option<&str>) -> String {
        self.0.call(register(VERSION, key, name)).unique_identifier()
    }

    /// A new key in a state.
    pub(crate) fn key_in(&mut self, state: u32) -> String {
        let id = self.register(&KEY, None);
        if state != PRE_ACTIVE {
            self.0.call(on(op::ACTIVATE, &id)).success();
        }
        if state == DEACTIVATED {
            self.deactivate(&id);
        }
        assert_eq!(self.state(&id), state);
        id
    }

    pub(crate) fn deactivate(&mut self, id: &str) {
        self.0.call(revoke(id, 5)).success();
    }

    pub(crate) fn destroy(&mut self, id: &str) {
        self.0.call(on(op::DESTROY, id)).success();
    }

    pub(crate) fn state(&mut self, id: &str) -> u32 {
        let mut asked = on(op::GET_ATTRIBUTES, id);
        asked.payload.push(Item::text(tag::ATTRIBUTE_NAME, "State"));
        let answer = self.0.call(asked).success();
        answer.at(&[tag::ATTRIBUTE, tag::ATTRIBUTE_VALUE]).and_then(Item::as_enumeration).unwrap()
    }

    /// Every symmetric key of the scope.
    pub(crate) fn keys(&mut self) -> Vec<String> {
        let by_type = crate::kmip::attribute("Object Type", crate::ttlv::Value::Enumeration(2));
        self.locate(by_type)
    }

    pub(crate) fn named(&mut self, name: &str) -> Vec<String> {
        self.locate(crate::kmip::attribute("Name", crate::kmip::name_fields(name)))
    }

    fn locate(&mut self, by: Item) -> Vec<String> {
        let answer = self.0.call(crate::kmip::Operation::new(op::LOCATE, vec![by])).success();
        let ids = answer.children().iter().filter(|item| item.tag == tag::UNIQUE_IDENTIFIER);
        ids.map(|id| id.as_text().unwrap().to_owned()).collect()
    }
}

/// How the options say whether keys are activated.
const ACTIVATION: [(&str, &[&str]); 3] = [
    ("off", &["--kmipActivateKeys", "false"]),
    ("on", &["--kmipActivateKeys", "true"]),
    ("defaulted", &[]),
];

fn make_readable(file: &Path, mode: u32) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(file, mode).unwrap();
}

/// A key file.
pub(crate) fn write_key_file(file: &Path, key: &[u8]) {
    std::fs::write(file, base64(key)).unwrap();
    make_readable(file, 0o600);
}

fn base64(key: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(key)
}

#[test]
fn a_new_keystore() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let keystore = Keystore::on(&server);
    keystore.fails(&["rotate"], &[], 1, "there is no keystore yet");
    let opened = keystore.does(&["open"], &[]);
    let id = opened["key_identifier"].as_str().unwrap();
    assert_eq!((&opened["database_count"], &opened["polling_seconds"]), (&0.into(), &900.into()));
    assert_eq!((kms.state(id), kms.keys()), (ACTIVE, vec![id.to_owned()]));
    assert_eq!(keystore.open(&[]), id);
    assert_eq!(kms.keys().len(), 1);

    let given = kms.key_in(ACTIVE);
    let keystore = Keystore::on(&server);
    assert_eq!(keystore.open(&["--kmipKeyIdentifier", &given]), given);
    assert_eq!(keystore.open(&[]), given, "the identifier is kept");
    assert_eq!(kms.keys().len(), 2);
}

#[test]
fn databases_have_keys_that_stay_the_same() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    keystore.fails(&["add-database", "orders"], &[], 1, "there is no keystore");
    keystore.open(&[]);
    keystore.does(&["add-database", "orders"], &[]);
    keystore.fails(&["add-database", "orders"], &[], 1, "already");
    keystore.fails(&["export-key", "other"], &[], 1, "no key for a database");
    keystore.fails(&["add-database", ""], &[], 2, "no name of a database");
    let key = keystore.key_of("orders");
    let text = keystore.keystore(&["export-key", "orders"], &[]).output().unwrap();
    assert_eq!(String::from_utf8(text.stdout).unwrap(), format!("{key}\n"));
    let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(key.len() == 64 && key.chars().all(digits));

    let before = keystore.open(&[]);
    let rotated = keystore.does(&["rotate"], &[]);
    assert_eq!(rotated["rotated"], true);
    assert_ne!(rotated["key_identifier"], before.as_str());
    assert_eq!(keystore.key_of("orders"), key);

    let status = keystore.does(&["status"], &[]);
    assert_eq!(status["key_identifier"], rotated["key_identifier"]);
    assert_eq!(status["state"], "Active");
    assert_eq!(status["databases"], serde_json::json!(["orders"]));
    assert_eq!(status["servers"][0]["reachable"], true);
}

#[test]
fn a_keystore_of_kmip() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let keystore = Keystore::on(&server);
    let id = keystore.open(&[]);
    assert_eq!(keystore.open(&["--kmipKeyIdentifier", &id]), id);
    let other = kms.key_in(ACTIVE);
    let named = ["--kmipKeyIdentifier", other.as_str()];
    let said = keystore.fails(&["open"], &named, 1, "is sealed with the key");
    assert!(said.contains("rotateMasterKey"), "{said}");
    keystore.fails(&["rotate"], &["--kmipKeyIdentifier", &id], 1, "is the key that is in use");
    // The option does what the command does.
    let rotated = keystore.does(&["open"], &[&named[..], &["--kmipRotateMasterKey"]].concat());
    assert_eq!(
        (&rotated["rotated"], &rotated["key_identifier"]),
        (&true.into(), &other.clone().into())
    );
    let said = keystore.keystore(&["rotate"], &[]).output().unwrap();
    assert!(said.status.success(), "{}", shown(&said));
    let logged = String::from_utf8(said.stderr).unwrap();
    assert!(logged.contains("Rotated master encryption key"), "{logged}");
    assert_ne!(keystore.open(&[]), other);
    // Old keys are left alone.
    assert_eq!((kms.state(&id), kms.state(&other), kms.keys().len()), (ACTIVE, ACTIVE, 3));
    keystore.fails(
        &["open"],
        &["--encryptionKeyFile", "k"],
        2,
        "--encryptionKeyFile: it excludes --kmipServerName",
    );
}

#[test]
fn a_keystore_of_a_key_file() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let keystore = Keystore::on(&server);
    let file = keystore.scratch.path().join("key");
    std::fs::write(&file, base64(&KEY)).unwrap();
    make_readable(&file, 0o644);
    fails(keystore.with_file(&["open"], &file), 1, "others than its owner");
    make_readable(&file, 0o600);
    assert_eq!(json(keystore.with_file(&["open"], &file))["key_identifier"], Value::Null);

    keystore.fails(&["open"], &[], 1, "not configured with KMIP");
    keystore.fails(&["rotate"], &[], 1, "not configured with KMIP");
    let same = kms.key_in(ACTIVE);
    let other = kms.register(&[9; 32], None);
    let off = ["--kmipActivateKeys", "false"];
    let with_other = [&["--kmipKeyIdentifier", other.as_str()][..], &off].concat();
    keystore.fails(&["rotate"], &with_other, 1, "not configured with KMIP");
    keystore.fails(&["open"], &with_other, 1, "does not open with that key");
    assert_eq!(keystore.open(&["--kmipKeyIdentifier", &same]), same);
    assert_eq!(keystore.open(&[]), same, "it is configured with KMIP now");
    // The same bytes from the file still open it.
    assert_eq!(json(keystore.with_file(&["open"], &file))["key_identifier"], same.as_str());
}

#[test]
fn the_state_at_start_up() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    for level in ["5.0", "8.0"] {
        for (activation, flags) in ACTIVATION {
            let flags = [flags, &["--psmdb-level", level]].concat();
            let new = Keystore::on(&server);
            let id = new.open(&flags);
            let expected = if activation == "off" { PRE_ACTIVE } else { ACTIVE };
            assert_eq!(kms.state(&id), expected, "{activation} {level}");
            for state in [ACTIVE, PRE_ACTIVE, DEACTIVATED] {
                let id = kms.key_in(state);
                let keystore = Keystore::on(&server);
                let flags = [&flags[..], &["--kmipKeyIdentifier", &id]].concat();
                let is_tolerant = activation == "defaulted" && level == "5.0";
                let opens =
                    activation == "off" || state == ACTIVE || (state == PRE_ACTIVE && is_tolerant);
                if !opens {
                    let said =
                        keystore.fails(&["open"], &flags, KEY_LOST, "not in the Active state");
                    assert!(said.contains("claviger keystore activate"), "{said}");
                    let json = [&flags[..], &["--json"]].concat();
                    let output = keystore.keystore(&["open"], &json).output().unwrap();
                    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
                    assert_eq!(document["what"], "Can't create encryption key database");
                    let cause = &document["reason"];
                    assert_eq!(cause["keyIdentifier"]["kmipKeyIdentifier"], id.as_str());
                    let name = if state == PRE_ACTIVE { "PreActive" } else { "Deactivated" };
                    assert_eq!(cause["keyState"], name);
                    assert!(!keystore.directory().join("keystore").exists());
                    continue;
                }
                let opened = keystore.does(&["open"], &flags);
                let is_polled = activation != "off" && state == ACTIVE;
                let polling = if is_polled { 900.into() } else { Value::Null };
                assert_eq!(opened["polling_seconds"], polling, "{activation} {level} {state}");
                assert_eq!(kms.state(&id), state, "a key that was there is not activated");
            }
        }
    }
}

#[test]
fn a_pre_active_key_is_activated_on_demand() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let id = kms.key_in(PRE_ACTIVE);
    let keystore = Keystore::on(&server);
    keystore.open(&["--kmipKeyIdentifier", &id]);
    keystore.fails(&["open"], &["--psmdb-level", "8.0"], KEY_LOST, "Pre");
    assert_eq!(keystore.does(&["activate"], &[])["activated"], true);
    assert_eq!(keystore.does(&["activate"], &[])["activated"], false);
    assert_eq!(keystore.open(&["--psmdb-level", "8.0"]), id);
    kms.deactivate(&id);
    keystore.fails(&["activate"], &[], KEY_LOST, "Deactivated");
    assert_eq!(keystore.does(&["status"], &[])["state"], "Deactivated");
}

#[test]
fn the_state_at_rotation() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    for (activation, flags) in ACTIVATION {
        for old in [PRE_ACTIVE, ACTIVE, DEACTIVATED] {
            for new in [None, Some(PRE_ACTIVE), Some(ACTIVE), Some(DEACTIVATED)] {
                let keystore = Keystore::on(&server);
                let id = kms.key_in(if old == DEACTIVATED { ACTIVE } else { old });
                let off = ["--kmipActivateKeys", "false", "--kmipKeyIdentifier", id.as_str()];
                keystore.open(&off);
                if old == DEACTIVATED {
                    kms.deactivate(&id);
                }
                let next = new.map(|state| kms.key_in(state));
                let named = next.iter().flat_map(|id| ["--kmipKeyIdentifier", id.as_str()]);
                let flags: Vec<&str> = flags.iter().copied().chain(named).collect();
                let rotates = match new {
                    None | Some(ACTIVE) => true,
                    Some(PRE_ACTIVE) => activation != "on",
                    _ => activation == "off",
                };
                if !rotates {
                    keystore.fails(&["rotate"], &flags, KEY_LOST, "not in the Active state");
                    let status = keystore.does(&["status"], &[]);
                    assert_eq!(status["key_identifier"], id.as_str(), "it is as it was");
                    continue;
                }
                let rotated = keystore.does(&["rotate"], &flags);
                let now = rotated["key_identifier"].as_str().unwrap();
                assert_eq!(next.as_deref().unwrap_or(now), now);
                let state = new.unwrap_or(if activation == "off" { PRE_ACTIVE } else { ACTIVE });
                assert_eq!(kms.state(now), state, "{activation} {old} {new:?}");
            }
        }
    }
}

#[test]
fn a_key_that_is_no_master_key() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let off = ["--kmipActivateKeys", "false"];
    let legacy = kms.register(base64(&KEY).as_bytes(), None);
    let keystore = Keystore::on(&server);
    let flags = [&off[..], &["--kmipKeyIdentifier", &legacy]].concat();
    assert_eq!(keystore.open(&flags), legacy, "the text of a key is read as the key");
    let short = kms.register(&[1; 16], None);
    let flags = [&off[..], &["--kmipKeyIdentifier", &short]].concat();
    let keystore = Keystore::on(&server);
    keystore.fails(&["open"], &flags, 1, "a key of 16 bytes, not of 32");
    let absent = ["--kmipKeyIdentifier", "no-such-key"];
    keystore.fails(&["open"], &absent, KEY_LOST, "is absent on the KMIP server");
    assert!(!keystore.directory().join("keystore").exists());
}

#[test]
fn level_4_2_knows_keys_by_name() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let level = ["--psmdb-level", "4.2"];
    let named = |name| [&level[..], &["--kmipKeyIdentifier", name]].concat();
    let (one, two) = (Keystore::on(&server), Keystore::on(&server));
    one.fails(&["open"], &level, 2, "level 4.2 needs it");
    let id = one.open(&named("mongo"));
    assert_eq!(kms.named("mongo"), std::slice::from_ref(&id));
    assert_eq!(kms.state(&id), PRE_ACTIVE, "nothing is activated");
    assert_eq!(one.open(&named("mongo")), id);
    one.does(&["add-database", "orders"], &named("mongo"));

    // Alone with the key: a rotation gives its name to the next.
    let rotated = one.does(&["rotate"], &named("mongo"));
    let next = rotated["key_identifier"].as_str().unwrap().to_owned();
    assert_ne!(next, id);
    assert_eq!(kms.named("mongo"), std::slice::from_ref(&next));
    assert_eq!(one.open(&named("mongo")), next);

    // Two keystores of one name: neither may rotate.
    assert_eq!(two.open(&named("mongo")), next);
    for keystore in [&one, &two] {
        keystore.fails(&["rotate"], &named("mongo"), 1, "another keystore uses the key");
    }
    assert_eq!(kms.named("mongo"), std::slice::from_ref(&next));

    // A name that nobody has is given to the next key; one that another key has is not.
    let other = kms.register(&KEY, Some("taken"));
    one.fails(&["rotate"], &named("taken"), 1, "another keystore uses the key");
    assert_eq!(kms.named("taken"), [other]);
    kms.register(&[1; 32], Some("mongo"));
    two.fails(&["open"], &named("mongo"), 1, "2 keys have the name");
    assert_eq!(two.open(&[]), next, "at 5.0 the keystore knows its key by identifier");
}

#[test]
fn what_the_original_sends_leaves_no_name() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let keystore = Keystore::on(&server);
    let id = keystore.open(&["--psmdb-wire"]);
    assert_eq!(kms.state(&id), ACTIVE);
    keystore.does(&["rotate"], &["--psmdb-wire"]);
    assert_eq!(kms.keys().len(), 2);
    assert!(!keystore.directory().join("pending").exists());
    keystore.fails(
        &["open"],
        &["--psmdb-wire", "--psmdb-level", "4.2", "--kmipKeyIdentifier", "n"],
        2,
        "--psmdb-wire",
    );
}

#[test]
fn a_stock_pykmip_server_will_do() {
    let server = PyKmip::start();
    let keystore = Keystore::of(server.client(), server.port);
    let first = keystore.open(&[]);
    keystore.does(&["add-database", "orders"], &[]);
    let key = keystore.key_of("orders");
    for wire in [&[][..], &["--psmdb-wire"]] {
        assert_eq!(keystore.does(&["rotate"], wire)["rotated"], true);
        assert_ne!(keystore.open(&[&["--psmdb-level", "8.0"], wire].concat()), first);
        assert_eq!(keystore.key_of("orders"), key);
    }
    assert_eq!(keystore.does(&["status"], &[])["state"], "Active");
    // It has no Add Attribute, without which a Name cannot move.
    let named = ["--psmdb-level", "4.2", "--kmipKeyIdentifier", "mongo"];
    let keystore = Keystore::of(server.client(), server.port);
    let id = keystore.open(&named);
    keystore.fails(&["rotate"], &named, 1, "InvalidMessage");
    assert_eq!(keystore.open(&named), id);
}
