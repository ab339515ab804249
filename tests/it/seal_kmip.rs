//! Another KMIP server keeps the root key: `keeper` does, for the server of `Sealed`. What happens when it is away,
//! when its key is revoked, and when something else is to keep the root key.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kmip::{Client, Operation, create, on, op, revoke};
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
    Client::connect(keeper, VERSION)
        .call(Operation::new(op::LOCATE, Vec::new()))
        .unique_identifier()
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
