//! Another KMIP server keeps the root key: `keeper` does, for the server of `Sealed`. What happens when it is away,
//! when its key is revoked, and when something else is to keep the root key.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::at_rest::Kms;
use crate::kmip::{Client, create, on, op, revoke};
use crate::lifecycle::Place;
use crate::server::{Server, binary};

const DRAINED: Duration = Duration::from_secs(30);
const VERSION: (i32, i32) = (1, 4);
const CESSATION_OF_OPERATION: u32 = 5;
/// Longer than the longest pause between two attempts.
const ASKED_AGAIN: Duration = Duration::from_secs(60);

/// An address that leads to a server as long as this lives.
struct Road {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
}

impl Road {
    fn open(address: SocketAddr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let closed = Arc::new(AtomicBool::new(false));
        let is_closed = closed.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if is_closed.load(Ordering::SeqCst) {
                    return;
                }
                let (client, server) = (client.unwrap(), TcpStream::connect(to).unwrap());
                for (mut from, mut to) in
                    [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                }
            }
        });
        Self { address, closed }
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(self.address);
        let deadline = Instant::now() + DRAINED;
        while TcpStream::connect(self.address).is_ok() {
            assert!(Instant::now() < deadline, "the listener does not end");
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn operator(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(binary()).arg("operator").args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn seal(address: SocketAddr, client: &Path, ca: &Path) -> String {
    let file = |name: &str| client.join(name).display().to_string();
    format!(
        "type = \"kmip\"\nkmip_servers = [\"{address}\"]\nkmip_ca = \"{}\"\nkmip_certificate = \"{}\"\n\
         kmip_key = \"{}\"\nkmip_timeout = 5",
        ca.display(),
        file("cert.pem"),
        file("key.pem"),
    )
}

/// The only key that a server holds.
fn only_key(keeper: &Server) -> String {
    let [key] = Kms::of(keeper).keys().try_into().unwrap();
    key
}

fn status(place: &Place, server: &Server) -> Value {
    place.api(server, None).get("sys/seal-status").json()
}

fn assert_sealed(place: &Place, server: &Server, why: &str) {
    let said = status(place, server);
    assert_eq!((&said["type"], &said["sealed"]), (&"kmip".into(), &true.into()), "{said}");
    assert!(said["seal_error"].as_str().unwrap().contains(why), "{said}");
    let health = place.api(server, None).get("sys/health");
    assert_eq!((health.status, &health.json()["seal_error"]), (503, &said["seal_error"]));
}

/// A server that another one's key keeps, with one key of its own.
fn sealed(keeper: &Server, road: &Road) -> (Place, Server, String, String) {
    let place = Place::new(&seal(road.address, &keeper.client, &keeper.client.join("ca.pem")));
    let server = place.start();
    let (shares, token) = place.init(&server);
    assert!(shares.is_empty());
    place.mount(&server, &token);
    let id = Client::connect(&server, VERSION).call(create(VERSION, None)).unique_identifier();
    (place, server, token, id)
}

fn serves(place: &Place, id: &str) {
    let server = place.start();
    Client::connect(&server, VERSION).call(on(op::GET, id)).success();
    assert!(server.terminate(DRAINED).success());
}

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[test]
fn a_server_stays_sealed_until_its_keeper_answers_and_goes_on_without_it() {
    let keeper = Server::start();
    let road = Road::open(any(), keeper.kmip);
    let address = road.address;
    let (place, server, _, id) = sealed(&keeper, &road);
    assert_eq!(status(&place, &server)["sealed"], false);
    drop(road);
    Client::connect(&server, VERSION).call(on(op::GET, &id)).success();
    server.kill();

    let server = place.start();
    assert_sealed(&place, &server, "does not answer");
    assert!(server.stderr().contains("asks again"));
    let _road = Road::open(address, keeper.kmip);
    let deadline = Instant::now() + ASKED_AGAIN;
    while status(&place, &server)["sealed"] == true {
        assert!(Instant::now() < deadline, "it does not ask again:\n{}", server.stderr());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(status(&place, &server)["seal_error"], Value::Null);
    Client::connect(&server, VERSION).call(on(op::GET, &id)).success();
    assert!(server.terminate(DRAINED).success());
}

#[test]
fn a_key_that_is_revoked_or_a_keeper_that_is_not_trusted_opens_nothing() {
    let (keeper, stranger) = (Server::start(), Server::start());
    let road = Road::open(any(), keeper.kmip);
    let (place, server, _, _) = sealed(&keeper, &road);
    assert!(server.terminate(DRAINED).success());

    let good = seal(road.address, &keeper.client, &keeper.client.join("ca.pem"));
    place.configure("info", &seal(road.address, &keeper.client, &stranger.client.join("ca.pem")));
    let server = place.start();
    assert_sealed(&place, &server, "does not answer");
    assert!(server.stderr().contains("TLS"), "{}", server.stderr());
    assert!(server.terminate(DRAINED).success());

    place.configure("info", &good);
    let key = only_key(&keeper);
    let mut client = Client::connect(&keeper, VERSION);
    client.call(revoke(&key, CESSATION_OF_OPERATION)).success();
    let server = place.start();
    assert_sealed(&place, &server, "not active");
    let said = server.stderr();
    assert!(said.contains(&key) && said.contains("Deactivated"), "{said}");
    assert!(server.terminate(DRAINED).success());

    client.call(on(op::DESTROY, &key)).success();
    let server = place.start();
    let said = status(&place, &server);
    assert!(said["sealed"] == true && said["seal_error"].is_string(), "{said}");
    assert!(server.terminate(DRAINED).success());
}

#[test]
fn the_root_key_moves_from_a_file_to_a_keeper_and_back() {
    let keeper = Server::start();
    let place = Place::new("type = \"key_file\"\nkey_file = \"root.key\"");
    let server = place.start();
    let (_, token) = place.init(&server);
    place.mount(&server, &token);
    let id = Client::connect(&server, VERSION).call(create(VERSION, None)).unique_identifier();
    assert!(server.terminate(DRAINED).success());

    let (data, file, config) =
        (place.path("data"), place.path("root.key"), place.path("claviger.toml"));
    let migrate = |arguments: &[&str]| {
        operator(&[&["migrate-seal", "--data-dir", text(&data)], arguments].concat())
    };
    let to_kmip = ["--key-file", text(&file), "--to-kmip", text(&config)];
    let (code, said) = migrate(&to_kmip);
    assert!(code != Some(0) && said.contains("another KMIP server"), "{said}");
    serves(&place, &id);
    place.configure("info", &seal(keeper.kmip, &keeper.client, &keeper.client.join("ca.pem")));
    let (code, said) = migrate(&to_kmip);
    assert_eq!(code, Some(0), "{said}");
    assert!(!file.exists(), "what keeps nothing any more is gone");
    serves(&place, &id);

    // Killed on the way back, one of the two opens it, and the server says which.
    let back = ["--kmip-config", text(&config), "--to-key-file", text(&file)];
    for point in ["KeyFileWritten", "KeyringCommit"] {
        let line = [&["operator", "migrate-seal", "--data-dir", text(&data)][..], &back].concat();
        let killed =
            Command::new(binary()).args(line).env("CLAVIGER_TEST_KILL_AT", point).output().unwrap();
        assert_eq!(killed.status.code(), None, "{point}");
        serves(&place, &id);
    }
    let (code, said) = migrate(&back);
    assert_eq!(code, Some(0), "{said}");
    place.configure("info", "type = \"key_file\"\nkey_file = \"root.key\"");
    serves(&place, &id);
}

#[test]
fn a_backup_opens_with_the_keeper_and_nothing_else() {
    let keeper = Server::start();
    let road = Road::open(any(), keeper.kmip);
    let (place, server, token, id) = sealed(&keeper, &road);
    let (backup, config, data) =
        (place.path("backup"), place.path("claviger.toml"), place.path("data"));
    place.json(&server, &token, &["operator", "rotate"]);
    place.json(&server, &token, &["operator", "backup", text(&backup)]);
    assert!(server.terminate(DRAINED).success());
    let opener = ["--kmip-config", text(&config)];
    let (code, said) = operator(&[&["verify", text(&backup)], &opener[..]].concat());
    assert!(code == Some(0) && said.contains("every record opens"), "{said}");
    std::fs::rename(&data, place.path("lost")).unwrap();
    let restore = ["restore", text(&backup), "--data-dir", text(&data)];
    let address = road.address;
    drop(road);
    let (code, said) = operator(&[&restore[..], &opener].concat());
    assert!(code == Some(1) && said.contains("does not answer"), "{said}");
    assert!(!data.join("claviger.db").exists());
    let _road = Road::open(address, keeper.kmip);
    let (code, said) = operator(&[&restore[..], &opener].concat());
    assert_eq!(code, Some(0), "{said}");
    serves(&place, &id);
}

#[test]
fn an_initialisation_without_its_keeper_says_so_and_can_be_made_later() {
    let keeper = Server::start();
    let road = Road::open(any(), keeper.kmip);
    let address = road.address;
    drop(road);
    let good = seal(address, &keeper.client, &keeper.client.join("ca.pem"));
    let place = Place::new(&good);
    let server = place.start();
    let body = serde_json::json!({"secret_shares": 1, "secret_threshold": 1});
    let refused = place.api(&server, None).write("sys/init", &body);
    let said = refused.errors().join(" ");
    assert_eq!(refused.status, 503, "{said}");
    assert!(said.contains("does not answer") && !said.contains("127.0.0.1"), "{said}");
    assert!(server.stderr().contains(&address.to_string()), "{}", server.stderr());
    let (code, _, said) = place.run(&server, "", &["operator", "init"]);
    assert!(code == 1 && said.contains("does not answer"), "{said}");
    assert_eq!(status(&place, &server)["initialized"], false);

    // A keeper that refuses is for the operator to put right, not for a client to ask again.
    let road = Road::open(address, keeper.kmip);
    assert!(server.terminate(DRAINED).success());
    place.configure("info", &format!("{good}\nkmip_key_identifier = \"no-such-key\""));
    let server = place.start();
    let refused = place.api(&server, None).write("sys/init", &body);
    let said = refused.errors().join(" ");
    assert!(refused.status == 400 && said.contains("refuses its key"), "{said}");
    assert!(server.terminate(DRAINED).success());

    place.configure("info", &good);
    let server = place.start();
    place.init(&server);
    assert_eq!(status(&place, &server)["sealed"], false);
    drop(road);
}

#[test]
fn a_key_is_named_by_identifier_or_by_name() {
    let keeper = Server::start();
    let mut client = Client::connect(&keeper, VERSION);
    let good = seal(keeper.kmip, &keeper.client, &keeper.client.join("ca.pem"));
    let opened_by = |more: &str| {
        let place = Place::new(&format!("{good}\n{more}"));
        let server = place.start();
        let (_, token) = place.init(&server);
        place.mount(&server, &token);
        let id = Client::connect(&server, VERSION).call(create(VERSION, None)).unique_identifier();
        assert!(server.terminate(DRAINED).success());
        // Whatever is configured later, the store knows the key that sealed it.
        place.configure("info", &good);
        serves(&place, &id);
    };
    // One that is there, by its identifier; none is made.
    let own = client.call(create(VERSION, Some("the other one"))).unique_identifier();
    client.call(on(op::ACTIVATE, &own)).success();
    opened_by(&format!("kmip_key_identifier = \"{own}\""));
    assert_eq!(only_key(&keeper), own);
    // By a name: that key; then one that is made, which the next store uses as well.
    opened_by("kmip_key_name = \"the other one\"");
    assert_eq!(only_key(&keeper), own);
    for _ in 0..2 {
        opened_by("kmip_key_name = \"a new one\"");
        assert_eq!(Kms::of(&keeper).keys().len(), 2);
    }
    // Of two of one name neither is taken, nor one that is not active.
    for (name, said) in [("twice", "refuses its key"), ("not active", "not active")] {
        client.call(create(VERSION, Some(name))).success();
        if name == "twice" {
            client.call(create(VERSION, Some(name))).success();
        }
        let place = Place::new(&format!("{good}\nkmip_key_name = \"{name}\""));
        let server = place.start();
        let (code, _, error) = place.run(&server, "", &["operator", "init"]);
        assert!(code == 1 && error.contains(said), "{error}");
    }
    let both = format!("{good}\nkmip_key_name = \"x\"\nkmip_key_identifier = \"{own}\"");
    let place = Place::new(&both);
    let config = place.path("claviger.toml");
    let output = Command::new(binary()).args(["check-config", text(&config)]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("kmip_key_name"), "{said}");
}

#[test]
fn the_next_keeper_is_asked_when_the_first_is_away() {
    let keeper = Server::start();
    let (first, second) = (Road::open(any(), keeper.kmip), Road::open(any(), keeper.kmip));
    let (one, two) = (first.address, second.address);
    let servers =
        |text: String| text.replace(&format!("[\"{one}\"]"), &format!("[\"{one}\", \"{two}\"]"));
    let place = Place::new(&servers(seal(one, &keeper.client, &keeper.client.join("ca.pem"))));
    drop(first);
    let server = place.start();
    let (_, token) = place.init(&server);
    place.mount(&server, &token);
    let id = Client::connect(&server, VERSION).call(create(VERSION, None)).unique_identifier();
    assert!(server.terminate(DRAINED).success());
    serves(&place, &id);
    // The first is back, and the second away.
    let _first = Road::open(one, keeper.kmip);
    drop(second);
    serves(&place, &id);
}

#[test]
fn a_private_key_with_a_password_serves() {
    let keeper = Server::start();
    let place = Place::new("type = \"shamir\"");
    let encrypted = place.path("encrypted.pem");
    crate::at_rest_faults::encrypt_key(&keeper.client, &encrypted);
    let plain = seal(keeper.kmip, &keeper.client, &keeper.client.join("ca.pem"));
    let with_key = plain.replace(text(&keeper.client.join("key.pem")), text(&encrypted));
    let password = place.path("password");
    let with_password = format!("{with_key}\nkmip_key_password_file = \"{}\"", password.display());
    for (word, config, said) in [
        ("horse", &with_key, "no password is given"),
        ("battery", &with_password, "the password is wrong"),
    ] {
        std::fs::write(&password, format!("{word}\n")).unwrap();
        place.configure("info", config);
        let output = Command::new(binary())
            .args(["server", "--config", text(&place.path("claviger.toml"))])
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(said), "{stderr}");
        assert!(!stderr.contains("battery"), "{stderr}");
    }
    std::fs::write(&password, "horse\n").unwrap();
    let server = place.start();
    place.init(&server);
    assert!(server.terminate(DRAINED).success());
    let server = place.start();
    assert_eq!(status(&place, &server)["sealed"], false);
}

#[test]
fn the_root_key_moves_from_a_keeper_to_key_shares() {
    let keeper = Server::start();
    let road = Road::open(any(), keeper.kmip);
    let (place, server, _, id) = sealed(&keeper, &road);
    assert!(server.terminate(DRAINED).success());
    let (data, config) = (place.path("data"), place.path("claviger.toml"));
    let line = [
        "operator",
        "migrate-seal",
        "--data-dir",
        text(&data),
        "--kmip-config",
        text(&config),
        "--to-shares",
        "3",
        "--to-threshold",
        "2",
        "--json",
    ];
    let output = Command::new(binary()).args(line).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shares: Vec<String> = serde_json::from_value(made["keys_base64"].clone()).unwrap();
    // The keeper is needed no more.
    drop(road);
    place.configure("info", "type = \"shamir\"");
    let server = place.start();
    place.unseal(&server, &shares[1..]);
    Client::connect(&server, VERSION).call(on(op::GET, &id)).success();
}
