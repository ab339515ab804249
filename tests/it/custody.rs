//! Who keeps the root key of a production server, over its whole life: new shares and what a kill in the middle of
//! them leaves, a PKCS#11 token, backup under shares, and what moves to a server under another seal.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};

use crate::killed::died;
use crate::kmip::{Client, create, on, op};
use crate::lifecycle::Place;
use crate::secrets::{Needle, scan};
use crate::server::{Server, binary};

const DRAINED: Duration = Duration::from_secs(30);
const VERSION: (i32, i32) = (1, 4);
const SHAMIR: &str = "type = \"shamir\"";

/// A server under five shares, with `kmip/` and one key with the name `precious`.
struct Shared {
    place: Place,
    shares: Vec<String>,
    token: String,
    id: String,
}

impl Shared {
    fn new() -> (Self, Server) {
        let place = Place::new(SHAMIR);
        let server = place.start();
        let (shares, token) = place.init(&server);
        place.unseal(&server, &shares[..3]);
        place.mount(&server, &token);
        let mut client = Client::connect(&server, VERSION);
        let id = client.call(create(VERSION, Some("precious"))).unique_identifier();
        (Self { place, shares, token, id }, server)
    }

    fn operator(&self, server: &Server, arguments: &[&str]) -> Value {
        self.place.json(server, &self.token, &[&["operator"], arguments].concat())
    }

    /// Whether the shares unseal a server that has just started.
    fn unseals(&self, shares: &[String]) -> bool {
        let server = self.place.start();
        for share in shares {
            self.place.run(&server, "", &["operator", "unseal", share]);
        }
        let opened = self.place.api(&server, None).get("sys/seal-status").json()["sealed"] == false;
        if opened {
            Client::connect(&server, VERSION).call(on(op::GET, &self.id)).success();
        }
        assert!(server.terminate(DRAINED).success());
        opened
    }

    /// Gives the present shares to a rekeying; what the last one brought, if it came back.
    fn rekey(&self, server: &Server, shares: &[String]) -> Option<Value> {
        let begin = ["rekey", "--init", "--key-shares", "3", "--key-threshold", "2"];
        self.operator(server, &begin);
        let mut last = None;
        for share in shares {
            let line = ["operator", "rekey", share, "--json"];
            let (code, out, _) = self.place.run(server, &self.token, &line);
            last = (code == 0).then(|| serde_json::from_str(&out).unwrap());
        }
        last
    }
}

fn keys(dealt: &Value) -> Vec<String> {
    serde_json::from_value(dealt["keys_base64"].clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The library of SoftHSM2, where it is installed.
fn softhsm() -> Option<&'static str> {
    let modules =
        ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
    let found = modules.into_iter().find(|module| Path::new(module).exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "SoftHSM2 is missing: install softhsm2");
        println!("skipped: SoftHSM2 is missing");
    }
    found
}

/// The section `seal` of a server whose root key the token `vault` keeps, with its PIN in the file `pin`.
fn seal_of_token(module: &str) -> String {
    format!(
        "type = \"pkcs11\"\npkcs11_module = \"{module}\"\npkcs11_token = \"vault\"\npkcs11_pin_file = \"pin\""
    )
}

/// The initialisation of this server is refused, in these words, which the log says more of.
fn refuses_to_initialise(place: &Place, server: &Server, body: &str, log: &str) {
    let answer = place.api(server, None).write("sys/init", &json!({}));
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.errors(), [format!("{body}; the server's log says more")]);
    assert!(server.stderr().contains(log), "{}", server.stderr());
    assert_eq!(place.api(server, None).get("sys/init").json()["initialized"], false);
}

/// A new token `vault`, its PIN in the file `pin`; SoftHSM's configuration file.
fn new_token(place: &Place, pin: &str) -> PathBuf {
    let (hsm, tokens) = (place.path("softhsm2.conf"), place.path("tokens"));
    std::fs::create_dir(&tokens).unwrap();
    std::fs::write(&hsm, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    let made = Command::new("softhsm2-util")
        .env("SOFTHSM2_CONF", &hsm)
        .args(["--init-token", "--free", "--label", "vault", "--so-pin", "1234567", "--pin", pin])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::write(place.path("pin"), format!("{pin}\n")).unwrap();
    hsm
}

fn claviger(arguments: &[&str]) -> (Option<i32>, String) {
    done(Command::new(binary()).args(arguments).output().unwrap())
}

fn done(output: Output) -> (Option<i32>, String) {
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn written(path: PathBuf, lines: &[String]) -> PathBuf {
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

#[test]
fn a_rekeying_that_is_killed_leaves_shares_that_open_the_store() {
    let (shared, server) = Shared::new();
    assert!(server.terminate(DRAINED).success());
    for point in ["KeyringCommit", "KeyringCommitted"] {
        let server = shared.place.start_to_die_at(point);
        shared.place.unseal(&server, &shared.shares[..3]);
        assert_eq!(shared.rekey(&server, &shared.shares[1..4]), None, "{point}: nobody was told");
        died(server);
        assert!(shared.unseals(&shared.shares[2..]), "{point}: the shares that people have");
    }
    let server = shared.place.start();
    shared.place.unseal(&server, &shared.shares[..3]);
    let new = keys(&shared.rekey(&server, &shared.shares[..3]).unwrap());
    assert_eq!(new.len(), 3);
    assert!(server.terminate(DRAINED).success());

    // The first unsealing with them ends the old ones, whenever it is killed.
    for point in ["SealConfigCommit", "SealConfigCommitted"] {
        let server = shared.place.start_to_die_at(point);
        for share in &new[..2] {
            shared.place.run(&server, "", &["operator", "unseal", share]);
        }
        died(server);
    }
    assert!(shared.unseals(&new[1..]));
    assert!(!shared.unseals(&shared.shares));
}

#[test]
fn a_backup_under_load_restores_elsewhere_with_its_shares() {
    let (shared, server) = Shared::new();
    let file = shared.place.path("backup");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = Client::connect(&server, VERSION);
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                client.call(create(VERSION, None)).unique_identifier();
            }
        });
        shared.operator(&server, &["backup", text(&file)]);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(server.terminate(DRAINED).success());
    let few = written(shared.place.path("few"), &shared.shares[..2]);
    let enough = written(shared.place.path("enough"), &shared.shares[2..]);
    let data = shared.place.path("data");
    std::fs::rename(&data, shared.place.path("lost")).unwrap();
    let restore = |shares: &Path| {
        let arguments = ["operator", "restore", text(&file), "--data-dir", text(&data)];
        claviger(&[&arguments[..], &["--shares", text(shares)]].concat())
    };
    let (code, said) = restore(&few);
    assert!(code == Some(1) && said.contains("it takes 3 key shares"), "{said}");
    assert!(!data.join("claviger.db").exists());
    let (code, said) = restore(&enough);
    assert_eq!(code, Some(0), "{said}");
    assert!(shared.unseals(&shared.shares[..3]));
}

#[test]
fn what_a_server_holds_moves_under_another_seal() {
    let (shared, server) = Shared::new();
    let (backup, export) = (shared.place.path("backup"), shared.place.path("export"));
    shared.operator(&server, &["backup", text(&backup)]);
    assert!(server.terminate(DRAINED).success());
    let passphrase = written(shared.place.path("passphrase"), &["a passphrase for two".to_owned()]);
    let shares = written(shared.place.path("shares"), &shared.shares);
    let (code, said) = claviger(&[
        "operator",
        "export",
        text(&export),
        "--backup",
        text(&backup),
        "--shares",
        text(&shares),
        "--passphrase-file",
        text(&passphrase),
    ]);
    assert_eq!(code, Some(0), "{said}");

    let other = Place::new("type = \"key_file\"\nkey_file = \"root.key\"");
    let server = other.start();
    let (_, token) = other.init(&server);
    let (data, key) = (other.path("data"), other.path("root.key"));
    let import = || {
        claviger(&[
            "operator",
            "import",
            text(&export),
            "--data-dir",
            text(&data),
            "--key-file",
            text(&key),
            "--passphrase-file",
            text(&passphrase),
        ])
    };
    let (code, said) = import();
    assert!(code == Some(1) && said.contains("in use"), "{said}");
    assert!(server.terminate(DRAINED).success());
    let (code, said) = import();
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = import();
    assert!(code == Some(1) && said.contains("already"), "{said}");

    // The same address and the credential that was made before: nothing changes for clients.
    let server = other.start();
    let config = json!({"listen_addrs": other.kmip.to_string(), "server_ips": "127.0.0.1"});
    assert_eq!(other.api(&server, Some(&token)).write("kmip/config", &config).status, 204);
    std::fs::rename(shared.place.path("client"), other.path("client")).unwrap();
    let client = other.path("client");
    let address = other.kmip.to_string();
    let (code, said) = claviger(&[
        "object",
        "locate",
        "--name",
        "precious",
        "--client",
        text(&client),
        "--server",
        &address,
    ]);
    assert!(code == Some(0) && said.contains(&shared.id), "{said}");
    Client::connect(&server, VERSION).call(on(op::GET, &shared.id)).success();
}

#[test]
fn a_token_keeps_the_root_key_of_a_server() {
    let Some(module) = softhsm() else { return };
    let pin = "314159-pin";
    let of_token = seal_of_token(module);
    let place = Place::new(&of_token);
    let hsm = new_token(&place, pin);
    let start = || {
        place.start_under(|command| {
            command.env("SOFTHSM2_CONF", &hsm);
        })
    };

    let server = start();
    let (shares, token) = place.init(&server);
    assert!(shares.is_empty());
    assert_eq!(place.api(&server, None).get("sys/seal-status").json()["type"], "pkcs11");
    place.mount(&server, &token);
    let id = Client::connect(&server, VERSION).call(create(VERSION, None)).unique_identifier();
    server.kill();
    let server = start();
    Client::connect(&server, VERSION).call(on(op::GET, &id)).success();
    assert!(server.terminate(DRAINED).success());
    let needles = [Needle::new("the PIN", pin.as_bytes())];
    let but = [place.path("pin"), place.path("tokens")];
    assert!(scan(&place.path(""), &but, &needles) > 10_000);

    // From the token to a file, killed at every step.
    let (data, key) = (place.path("data"), place.path("root.key"));
    let migrate = |point: &str| {
        Command::new(binary())
            .args([
                "operator",
                "migrate-seal",
                "--data-dir",
                text(&data),
                "--pkcs11-module",
                module,
            ])
            .args(["--pkcs11-token", "vault", "--to-key-file", text(&key)])
            .env("CLAVIGER_PKCS11_PIN", pin)
            .env("SOFTHSM2_CONF", &hsm)
            .env("CLAVIGER_TEST_KILL_AT", point)
            .output()
            .unwrap()
    };
    for point in ["KeyFileWritten", "KeyringCommit"] {
        assert_eq!(migrate(point).status.code(), None, "{point}");
        let server = start();
        Client::connect(&server, VERSION).call(on(op::GET, &id)).success();
        assert!(server.terminate(DRAINED).success());
    }
    assert_eq!(migrate("KeyringCommitted").status.code(), None);
    place.configure("info", "type = \"key_file\"\nkey_file = \"root.key\"");
    let server = place.start();
    Client::connect(&server, VERSION).call(on(op::GET, &id)).success();
    assert!(server.terminate(DRAINED).success());

    // And back: a file opens it, the token keeps it.
    let to_token = |more: &[&str]| {
        Command::new(binary())
            .args(["operator", "migrate-seal", "--data-dir", text(&data), "--to-pkcs11"])
            .args(more)
            .env("CLAVIGER_PKCS11_PIN", pin)
            .env("SOFTHSM2_CONF", &hsm)
            .output()
            .unwrap()
    };
    let token = ["--pkcs11-module", module, "--pkcs11-token", "vault"];
    let (code, said) = done(to_token(&["--key-file", text(&key)]));
    assert!(code == Some(2) && said.contains("--pkcs11-module"), "{said}");
    let (code, said) = done(to_token(&[&token[..], &["--key-file", text(&key)]].concat()));
    assert!(code == Some(0) && said.contains("kept by a PKCS#11 token"), "{said}");
    assert!(!key.exists(), "the file opens nothing any more");
    place.configure("info", &of_token);
    let server = start();
    Client::connect(&server, VERSION).call(on(op::GET, &id)).success();
    assert!(server.terminate(DRAINED).success());

    // Which of two opens it is not guessed.
    let backup = place.path("backup");
    let two = [&token[..], &["--key-file", text(&key)]].concat();
    let (code, said) = claviger(&[&["operator", "verify", text(&backup)], &two[..]].concat());
    assert!(code == Some(2) && said.contains("more than one thing"), "{said}");
}

#[test]
fn a_token_that_does_not_serve_is_named_and_nothing_is_initialised() {
    let Some(module) = softhsm() else { return };
    let seal = seal_of_token(module);
    let place = Place::new(&seal.replace("vault", "elsewhere"));
    let hsm = new_token(&place, "161803-pin");
    let start = || {
        place.start_under(|command| {
            command.env("SOFTHSM2_CONF", &hsm);
        })
    };
    let server = start();
    let no_token = "no PKCS#11 token has the label that the configuration names";
    refuses_to_initialise(&place, &server, no_token, "elsewhere");
    assert!(server.terminate(DRAINED).success());

    place.configure("info", &seal);
    let server = start();
    std::fs::write(place.path("pin"), "271828-wrong\n").unwrap();
    let wrong = "the PKCS#11 token does not take the PIN";
    refuses_to_initialise(&place, &server, wrong, wrong);
    std::fs::remove_file(place.path("pin")).unwrap();
    let unread = "the PIN of the PKCS#11 token cannot be read";
    refuses_to_initialise(&place, &server, unread, "No such file");
    assert!(!server.stderr().contains("271828"), "the log holds a PIN");
    std::fs::write(place.path("pin"), "161803-pin\n").unwrap();
    place.init(&server);
    assert!(server.terminate(DRAINED).success());

    // At a start it is told apart, so that nobody tries it until the token locks itself.
    std::fs::write(place.path("pin"), "271828-wrong\n").unwrap();
    let config = place.path("claviger.toml");
    let mut start = Command::new(binary());
    start.args(["server", "--config", text(&config)]).env("SOFTHSM2_CONF", &hsm);
    let (code, said) = done(start.output().unwrap());
    assert!(code == Some(2) && said.contains(wrong), "{code:?} {said}");
    assert!(said.contains("pkcs11_pin_file") && !said.contains("271828"), "{said}");

    place.configure("info", &seal.replace(module, "/nowhere/lib.so"));
    let (code, said) = claviger(&["server", "--config", text(&config)]);
    assert!(code == Some(1) && said.contains("/nowhere/lib.so: not a PKCS#11 library"), "{said}");
}

#[test]
fn a_key_file_that_cannot_be_is_named_and_nothing_is_initialised() {
    let place = Place::new("type = \"key_file\"\nkey_file = \"keys/root.key\"");
    let server = place.start();
    let unmade = "the key file cannot be made or read";
    refuses_to_initialise(&place, &server, unmade, "keys/root.key");
    std::fs::create_dir(place.path("keys")).unwrap();
    std::fs::write(place.path("keys/root.key"), "no key").unwrap();
    let open = "the key file can be used by others than its owner";
    refuses_to_initialise(&place, &server, open, "chmod 600");
    std::fs::remove_file(place.path("keys/root.key")).unwrap();
    place.init(&server);
    assert!(server.terminate(DRAINED).success());
}

#[test]
fn people_hand_the_root_key_to_a_token() {
    let Some(module) = softhsm() else { return };
    let (shared, server) = Shared::new();
    assert!(server.terminate(DRAINED).success());
    let hsm = new_token(&shared.place, "271828-pin");
    let shares = written(shared.place.path("shares"), &shared.shares);
    let data = shared.place.path("data");
    let moved = Command::new(binary())
        .args(["operator", "migrate-seal", "--data-dir", text(&data), "--to-pkcs11"])
        .args(["--shares", text(&shares), "--pkcs11-module", module, "--pkcs11-token", "vault"])
        .args(["--pkcs11-pin-file", text(&shared.place.path("pin"))])
        .env("SOFTHSM2_CONF", &hsm)
        .output();
    let (code, said) = done(moved.unwrap());
    assert_eq!(code, Some(0), "{said}");
    shared.place.configure("info", &seal_of_token(module));
    let server = shared.place.start_under(|command| {
        command.env("SOFTHSM2_CONF", &hsm);
    });
    Client::connect(&server, VERSION).call(on(op::GET, &shared.id)).success();
}
