//! Whatever changes the keys of a store or moves it is killed at each of its steps, and leaves the old state or the
//! new one. The steps are those of `seal::fault::Point`; `CLAVIGER_TEST_KILL_AT` names one to a debug build.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Api;
use crate::kmip::{Client, on, op, register};
use crate::lifecycle::Place;
use crate::server::{ROOT_TOKEN, Server, binary};

const VARIABLE: &str = "CLAVIGER_TEST_KILL_AT";
const SIGKILL: i32 = 9;
const VERSION: (i32, i32) = (1, 4);

/// A server's directory with some keys in it, too much for one part of a backup or one batch of a restore.
pub(crate) struct Store {
    scratch: tempfile::TempDir,
    objects: Vec<String>,
}

impl Store {
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let server = Server::start_on(scratch.path());
        let mut client = Client::connect(&server, VERSION);
        let large = vec![0x5a; 700_000];
        let objects =
            (0..7).map(|_| client.call(register(VERSION, &large, None)).unique_identifier());
        let objects = objects.collect();
        assert!(server.terminate(Duration::from_secs(20)).success());
        Self { scratch, objects }
    }

    pub(crate) fn path(&self) -> &Path {
        self.scratch.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn start(&self) -> Server {
        Server::start_on(self.path())
    }

    fn start_to_die_at(&self, point: &str) -> Server {
        Server::start_under(self.path(), |command| {
            command.env(VARIABLE, point);
        })
    }

    /// Everything is there, on a server that runs on it.
    pub(crate) fn check(&self, server: &Server) {
        let mut client = Client::connect(server, VERSION);
        for id in &self.objects {
            client.call(on(op::GET, id)).success();
        }
    }
}

pub(crate) fn operator(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("operator").args(arguments);
    command
}

/// An operator command that asks a server.
pub(crate) fn ask(server: &Server, arguments: &[&str]) -> Command {
    let mut command = operator(arguments);
    command.env("CLAVIGER_ADDR", &server.api).env("CLAVIGER_TOKEN", ROOT_TOKEN);
    command
}

pub(crate) fn succeeds(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn dies_at(mut command: Command, point: &str) -> Output {
    let output = command.env(VARIABLE, point).output().unwrap();
    assert_eq!(output.status.signal(), Some(SIGKILL), "{point}: {command:?}: {output:?}");
    output
}

pub(crate) fn fails(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The server is gone, by the signal that it sent itself.
pub(crate) fn died(mut server: Server) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while server.alive() {
        assert!(Instant::now() < deadline, "the server did not reach the step");
        std::thread::yield_now();
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_initialisation_that_is_killed_leaves_none_or_all_of_it() {
    for point in ["InitialisationCommit", "InitialisationCommitted"] {
        let scratch = tempfile::tempdir().unwrap();
        let mut command = Command::new(binary());
        command.args([
            "server",
            "--dev",
            "--kmip-addr",
            "127.0.0.1:0",
            "--api-addr",
            "127.0.0.1:0",
        ]);
        command.arg("--data-dir").arg(scratch.path().join("data"));
        dies_at(command, point);
        let server = Server::start_on(scratch.path());
        let mut client = Client::connect(&server, VERSION);
        client.call(register(VERSION, &[1; 16], None)).success();
    }
}

#[test]
fn an_initialisation_over_the_api_that_is_killed_loses_nothing_but_itself() {
    for (seal, opens_itself) in [("type = \"shamir\"", false), ("type = \"key_file\"", true)] {
        let place = Place::new(seal);
        let initialise = |point: &str| {
            let server = place.start_to_die_at(point);
            let (code, said, _) = place.run(&server, "", &["operator", "init"]);
            assert!(code != 0 && said.is_empty(), "{point}: {said}");
            died(server);
        };
        initialise("InitialisationCommit");
        initialise("InitialisationCommitted");
        // Nobody has its shares or its token, and there is nothing in it yet.
        let server = place.start();
        let api = place.api(&server, None);
        assert_eq!(api.get("sys/seal-status").json()["sealed"], !opens_itself);
        let again = api.write("sys/init", &json!({"secret_shares": 1, "secret_threshold": 1}));
        assert_eq!(again.status, 400, "{again:?}");
        drop(server);
        std::fs::remove_dir_all(place.path("data")).unwrap();
        let server = place.start();
        let (shares, token) = place.init(&server);
        if !opens_itself {
            place.unseal(&server, &shares[..3]);
        }
        assert_eq!(place.api(&server, Some(&token)).get("sys/mounts").status, 200);
    }
}

#[test]
fn a_rotation_that_is_killed_leaves_the_old_key_or_the_new() {
    let store = Store::new();
    let mut term = 1;
    for (point, happened) in [("KeyringCommit", 0), ("KeyringCommitted", 1)] {
        let server = store.start_to_die_at(point);
        fails(ask(&server, &["rotate"]));
        died(server);
        let server = store.start();
        store.check(&server);
        term += happened;
        assert_eq!(Api::root(&server).get("sys/key-status").data()["term"], term, "{point}");
        let said = succeeds(ask(&server, &["rotate", "--json"]));
        term += 1;
        assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["term"], term);
        store.check(&server);
    }
}

#[test]
fn a_backup_that_is_killed_leaves_no_file_that_looks_like_one() {
    let store = Store::new();
    let file = store.path().join("backup");
    let partial = store.path().join("backup.partial");

    let server = store.start_to_die_at("BackupPart");
    let said = fails(ask(&server, &["backup", text(&file)]));
    died(server);
    assert!(!file.exists() && !partial.exists(), "{said}");

    let server = store.start();
    store.check(&server);
    dies_at(ask(&server, &["backup", text(&file)]), "BackupWritten");
    assert!(!file.exists() && partial.exists());
    succeeds(ask(&server, &["backup", text(&file)]));
    assert!(file.exists() && !partial.exists());
    succeeds(operator(&[
        "verify",
        text(&file),
        "--key-file",
        text(&store.data().join("seal.key")),
    ]));
    let said = fails(ask(&server, &["backup", text(&file)]));
    assert!(said.contains("it is there already"), "{said}");
}

#[test]
fn a_restore_that_is_killed_leaves_an_empty_directory_or_the_store() {
    let store = Store::new();
    let (file, key) = (store.path().join("backup"), store.path().join("kept.key"));
    std::fs::copy(store.data().join("seal.key"), &key).unwrap();
    let server = store.start();
    succeeds(ask(&server, &["backup", text(&file)]));
    drop(server);
    for (point, happened) in
        [("DatabasePart", false), ("DatabaseWritten", false), ("DatabaseInPlace", true)]
    {
        std::fs::remove_dir_all(store.data()).unwrap();
        let data = store.data();
        let restore = || {
            operator(&["restore", text(&file), "--data-dir", text(&data), "--key-file", text(&key)])
        };
        dies_at(restore(), point);
        assert_eq!(data.join("claviger.db").exists(), happened, "{point}");
        if happened {
            assert!(fails(restore()).contains("into an empty directory only"));
        } else {
            succeeds(restore());
        }
        assert!(!data.join("claviger.db.draft").exists() || happened);
        store.check(&store.start());
    }
}

#[test]
fn a_backup_is_refused_by_name_without_its_seal() {
    let store = Store::new();
    let file = store.path().join("backup");
    let server = store.start();
    succeeds(ask(&server, &["backup", text(&file)]));
    let elsewhere = tempfile::tempdir().unwrap();
    let (data, foreign) = (elsewhere.path().join("data"), elsewhere.path().join("foreign"));
    drop(Server::start_on(&foreign));
    let foreign = foreign.join("data/seal.key");
    let restore = |opener: &[&str]| {
        let mut command = operator(&["restore", text(&file), "--data-dir", text(&data)]);
        command.args(opener);
        command
    };
    let said = fails(restore(&["--key-file", text(&foreign)]));
    assert!(said.contains("this key does not open this store"), "{said}");
    let said = fails(restore(&["--key-file", text(&elsewhere.path().join("no.key"))]));
    assert!(said.contains("the key file of an initialised store is missing"), "{said}");
    let shares = elsewhere.path().join("shares");
    std::fs::write(&shares, "00".repeat(32)).unwrap();
    let said = fails(restore(&["--shares", text(&shares)]));
    assert!(said.contains("the root key of this store is kept by a key file"), "{said}");
    assert_eq!(restore(&[]).output().unwrap().status.code(), Some(2));
    assert!(!data.join("claviger.db").exists() && !data.join("seal.key").exists());
}

#[test]
fn a_change_of_the_seal_that_is_killed_leaves_the_old_keeper_or_the_new() {
    let store = Store::new();
    let data = store.data();
    for (point, happened) in [
        ("KeyFileWritten", false),
        ("KeyringCommit", false),
        ("KeyringCommitted", true),
        ("KeyFileObsolete", true),
    ] {
        let (old, new) = (data.join("seal.key"), store.path().join(point));
        let migrate = |from: &Path, to: &Path| {
            let mut command = operator(&["migrate-seal", "--data-dir", text(&data)]);
            command.args(["--key-file", text(from), "--to-key-file", text(to)]);
            command
        };
        dies_at(migrate(&old, &new), point);
        let opens = |key: &Path| migrate(key, key).output().unwrap().status.success();
        assert_eq!((opens(&old), opens(&new)), (!happened, happened), "{point}");
        if !happened {
            succeeds(migrate(&old, &new));
            assert!(!old.exists(), "{point}: what opens nothing any more is removed");
        }
        // Where a server in development looks for it.
        std::fs::rename(&new, &old).unwrap();
        store.check(&store.start());
    }
}

#[test]
fn shares_that_were_never_printed_are_no_loss() {
    let store = Store::new();
    let data = store.data();
    let key = data.join("seal.key");
    let migrate = || {
        let mut command = operator(&["migrate-seal", "--json", "--data-dir", text(&data)]);
        command.args(["--key-file", text(&key), "--to-shares", "3", "--to-threshold", "2"]);
        command
    };
    for point in ["KeyringCommit", "KeyringCommitted"] {
        let output = dies_at(migrate(), point);
        assert!(output.stdout.is_empty());
        store.check(&store.start());
    }
    let dealt: Value = serde_json::from_str(&succeeds(migrate())).unwrap();
    let shares: Vec<&str> =
        dealt["keys_base64"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(shares.len(), 3);
    let file = store.path().join("shares");
    std::fs::write(&file, shares[1..].join("\n")).unwrap();
    let mut back = operator(&["migrate-seal", "--data-dir", text(&data)]);
    back.args(["--shares", text(&file), "--to-key-file", text(&key)]);
    succeeds(back);
    store.check(&store.start());
}

#[test]
fn an_import_that_is_killed_takes_nothing_or_all_of_it() {
    let store = Store::new();
    let (export, passphrase) = (store.path().join("export"), store.path().join("passphrase"));
    std::fs::write(&passphrase, "a passphrase for two").unwrap();
    let mut command = operator(&["export", text(&export), "--passphrase-file", text(&passphrase)]);
    let key = store.data().join("seal.key");
    command.args(["--data-dir", text(&store.data()), "--key-file", text(&key)]);
    succeeds(command);

    let place = Place::new("type = \"key_file\"");
    let server = place.start();
    let (_, token) = place.init(&server);
    drop(server);
    let data = place.path("data");
    let import = || {
        let mut command = operator(&["import", text(&export), "--data-dir", text(&data)]);
        command.args(["--key-file", text(&data.join("seal.key"))]);
        command.args(["--passphrase-file", text(&passphrase)]);
        command
    };
    for (point, happened) in
        [("DatabasePart", false), ("DatabaseWritten", false), ("DatabaseInPlace", true)]
    {
        dies_at(import(), point);
        let server = place.start();
        let mounts = place.api(&server, Some(&token)).get("sys/mounts").data();
        assert_eq!(mounts.get("kmip/").is_some(), happened, "{point}: {mounts}");
    }
    assert!(fails(import()).contains("already"));
    let server = place.start();
    let config = json!({"listen_addrs": place.kmip.to_string()});
    assert_eq!(place.api(&server, Some(&token)).write("kmip/config", &config).status, 204);
    std::fs::rename(store.path().join("client"), place.path("client")).unwrap();
    store.check(&server);
}

#[test]
fn no_step_is_left_out() {
    let points = include_str!("../../crates/server/src/seal/fault.rs");
    let (_, points) = points.split_once("pub const ALL: &[Self] = &[").unwrap();
    let points: Vec<&str> = points
        .lines()
        .map_while(|line| line.trim().strip_prefix("Self::").or(line.is_empty().then_some("")))
        .filter_map(|line| line.strip_suffix(','))
        .collect();
    assert!(points.len() > 10, "{points:?}");
    let tests = [include_str!("killed.rs"), include_str!("custody.rs")].concat();
    for point in points {
        assert!(tests.contains(&format!("\"{point}\"")), "nothing is killed at {point}");
    }
}
