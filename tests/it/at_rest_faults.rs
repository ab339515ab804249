//! What goes wrong around a keystore: crashes at every step, answers that are lost, servers that are
//! somebody else, a full disk. No fault loses a data key, or leaves a key on the server twice.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rcgen::{CertificateParams, KeyPair};

use crate::address::free_address;
use crate::at_rest::{KEY_LOST, Keystore, Kms, fails, json, shown, write_key_file};
use crate::server::Server;

const SIGKILL: i32 = 9;

fn dies_at(mut command: Command, point: &str) {
    let output = command.env("CLAVIGER_TEST_KILL_AT", point).output().unwrap();
    assert_eq!(output.status.signal(), Some(SIGKILL), "{point}: {}", shown(&output));
}

#[test]
fn a_first_start_that_is_killed_leaves_one_key() {
    for point in
        ["NameNoted", "KeyRegistered", "KeyActivated", "KeystoreWritten", "KeystoreInPlace"]
    {
        let server = Server::start();
        let mut kms = Kms::of(&server);
        let keystore = Keystore::on(&server);
        dies_at(keystore.keystore(&["open"], &[]), point);
        let id = keystore.open(&[]);
        assert_eq!(kms.keys(), std::slice::from_ref(&id), "{point}");
        assert_eq!(keystore.open(&["--psmdb-level", "8.0"]), id, "{point}: it is Active");
        assert!(!keystore.directory().join("pending").exists());
    }
}

#[test]
fn a_rotation_that_is_killed_leaves_the_old_key_or_the_new() {
    for (point, happened) in [
        ("NameNoted", false),
        ("KeyRegistered", false),
        ("KeyActivated", false),
        ("KeystoreWritten", false),
        ("KeystoreInPlace", true),
    ] {
        let server = Server::start();
        let mut kms = Kms::of(&server);
        let keystore = Keystore::on(&server);
        let old = keystore.open(&[]);
        keystore.does(&["add-database", "orders"], &[]);
        let key = keystore.key_of("orders");
        dies_at(keystore.keystore(&["rotate"], &[]), point);
        assert_eq!(keystore.key_of("orders"), key, "{point}");
        let now = keystore.open(&[]);
        assert_eq!(now != old, happened, "{point}");
        if !happened {
            keystore.does(&["rotate"], &[]);
        }
        assert_eq!(kms.keys().len(), 2, "{point}: one key for each rotation");
        assert_eq!(keystore.key_of("orders"), key, "{point}");
        assert!(!keystore.directory().join("pending").exists(), "{point}");
    }
}

#[test]
fn a_name_that_moves_while_it_is_killed_is_with_one_key_in_the_end() {
    let named = ["--psmdb-level", "4.2", "--kmipKeyIdentifier", "mongo"];
    for point in ["KeyRegistered", "KeystoreWritten", "KeystoreInPlace", "NameTaken"] {
        let server = Server::start();
        let mut kms = Kms::of(&server);
        let keystore = Keystore::on(&server);
        let old = keystore.open(&named);
        keystore.does(&["add-database", "orders"], &named);
        let key = keystore.does(&["export-key", "orders"], &named);
        dies_at(keystore.keystore(&["rotate"], &named), point);
        let mut now = keystore.open(&named);
        if now == old {
            keystore.does(&["rotate"], &named);
            now = keystore.open(&named);
        }
        assert_ne!(now, old);
        assert_eq!((kms.named("mongo"), kms.keys().len()), (vec![now], 2), "{point}");
        assert_eq!(keystore.does(&["export-key", "orders"], &named), key);
    }
}

#[test]
fn a_data_key_that_was_acknowledged_is_never_lost() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    keystore.open(&[]);
    keystore.does(&["add-database", "before"], &[]);
    let key = keystore.key_of("before");
    for (point, happened) in [("DataKeyWritten", false), ("DataKeyCounted", true)] {
        dies_at(keystore.keystore(&["add-database", point], &[]), point);
        let names = keystore.does(&["status"], &[])["databases"].to_string();
        assert_eq!(names.contains(point), happened, "{point}");
        assert_eq!(keystore.key_of("before"), key);
        if !happened {
            keystore.does(&["add-database", point], &[]);
        }
        keystore.key_of(point);
    }
}

/// Two databases under 32 bytes of 7, in the format before.
const OLD: &[u8] = include_bytes!("../../integrations/at-rest/fixtures/format-1.keystore");

#[test]
fn an_upgrade_that_is_killed_leaves_the_old_format_or_the_new() {
    let server = Server::start();
    for point in ["OldFormatCopied", "KeystoreWritten", "KeystoreInPlace"] {
        let keystore = Keystore::on(&server);
        let key = keystore.scratch.path().join("key");
        write_key_file(&key, &[7; 32]);
        let file = keystore.directory().join("keystore");
        std::fs::create_dir(keystore.directory()).unwrap();
        std::fs::write(&file, OLD).unwrap();
        dies_at(keystore.with_file(&["open"], &key), point);
        let is_new = std::fs::read(&file).unwrap() != OLD;
        assert_eq!(is_new, point == "KeystoreInPlace");
        let exported = json(keystore.with_file(&["export-key", "orders"], &key));
        assert_eq!(exported["key"], "a1".repeat(32));
        let copy = keystore.directory().join("keystore.format-1");
        assert_eq!(std::fs::read(copy).unwrap(), OLD, "{point}");
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    keystore.open(&[]);
    let file = keystore.directory().join("keystore");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[8] = 3;
    std::fs::write(&file, &bytes).unwrap();
    for verb in ["open", "status", "rotate"] {
        keystore.fails(&[verb], &[], 1, "format 3 is newer than this version of claviger");
    }
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

/// The same where files may have no more than so many blocks, of 512 or 1024 bytes, as the shell counts.
fn confined(command: &Command, blocks: u32) -> Command {
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

#[test]
fn a_first_start_on_a_full_disk_leaves_nothing_behind() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let keystore = Keystore::on(&server);
    let said = fails(confined(&keystore.keystore(&["open"], &[]), 0), 1, "too large");
    assert!(said.contains("Free some space"), "{said}");
    assert_eq!(kms.keys(), Vec::<String>::new(), "no server has heard of it");
    let left = std::fs::read_dir(keystore.directory()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
    let id = keystore.open(&[]);
    assert_eq!(kms.keys(), [id]);
}

#[test]
fn a_full_disk_changes_nothing() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let keystore = Keystore::on(&server);
    keystore.open(&[]);
    let name = "x".repeat(200);
    for number in 0..4 {
        keystore.does(&["add-database", &format!("{name}{number}")], &[]);
    }
    let file = keystore.directory().join("keystore");
    let before = std::fs::read(&file).unwrap();
    assert!(before.len() > 1024);
    for verb in [&["add-database", "more"][..], &["rotate"]] {
        let said = fails(confined(&keystore.keystore(verb, &[]), 1), 1, "too large");
        assert!(said.contains("Free some space"), "{said}");
        assert_eq!(std::fs::read(&file).unwrap(), before, "{verb:?}");
    }
    keystore.does(&["add-database", "more"], &[]);
    keystore.does(&["rotate"], &[]);
    assert_eq!(kms.keys().len(), 2, "the key of the rotation that failed is used by the next");
}

#[test]
fn servers_that_are_not_the_one() {
    let (server, other) = (Server::start(), Server::start());
    let elsewhere = Gate::open_at("127.0.0.2", server.kmip);
    let open = |keystore: Keystore, code, said: &str, hint: &str| {
        let told = keystore.fails(&["open"], &[], code, said);
        assert!(told.contains(hint), "{told}");
        assert!(!keystore.directory().join("keystore").exists());
    };
    let foreign = other.client.join("ca.pem");
    let foreign = foreign.to_str().unwrap();
    open(
        Keystore::on(&server).with("--kmipServerCAFile", Some(foreign)),
        1,
        "the server's certificate",
        "serverCAFile",
    );
    open(
        Keystore::at(&server, elsewhere.port()).with("--kmipServerName", Some("127.0.0.2")),
        1,
        "does not name the host",
        "Name the server in serverName",
    );
    let foreign = other.client.join("client.pem");
    open(
        Keystore::on(&server).with("--kmipClientCertificateFile", foreign.to_str()),
        1,
        "does not take our certificate",
        "credential",
    );
    let api: u16 = server.api.rsplit(':').next().unwrap().parse().unwrap();
    open(Keystore::at(&server, api), 1, "does not speak TLS", "KMIP port");
    let closed = free_address().port();
    open(Keystore::at(&server, closed), 1, "no attempts are left", "serverName and port");
    let cert = server.client.join("cert.pem");
    open(
        Keystore::on(&server).with("--kmipClientCertificateFile", cert.to_str()),
        1,
        "cert.pem",
        "private key",
    );
    let key = server.client.join("key.pem");
    let twice = ["--kmipClientKeyFile", key.to_str().unwrap()];
    let keystore = Keystore::on(&server);
    keystore.fails(&["open"], &twice, 1, "and so does");
    let apart = Keystore::on(&server).with("--kmipClientCertificateFile", cert.to_str());
    apart.open(&twice);
}

/// Encrypts a private key with the password `horse`.
const ENCRYPT: &str = "
import sys
from cryptography.hazmat.primitives.serialization import *
key = load_pem_private_key(open(sys.argv[1], 'rb').read(), None)
how = BestAvailableEncryption(b'horse')
open(sys.argv[2], 'wb').write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
";

/// Encrypts the private key of a client with the password `horse`.
pub(crate) fn encrypt_key(client: &Path, encrypted: &Path) {
    let converted = Command::new(crate::clients::python())
        .args(["-c", ENCRYPT])
        .arg(client.join("key.pem"))
        .arg(encrypted)
        .output()
        .unwrap();
    assert!(converted.status.success(), "{}", shown(&converted));
}

#[test]
fn an_encrypted_key_needs_its_password() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    let encrypted = keystore.scratch.path().join("encrypted.pem");
    encrypt_key(&server.client, &encrypted);
    let cert = server.client.join("cert.pem");
    let keystore = keystore.with("--kmipClientCertificateFile", cert.to_str());
    let key = ["--kmipClientKeyFile", encrypted.to_str().unwrap()];
    keystore.fails(&["open"], &key, 1, "no password is given");
    let with = |password| [&key[..], &["--kmipClientCertificatePassword", password]].concat();
    let said = keystore.fails(&["open"], &with("battery"), 1, "the password is wrong");
    assert!(!said.contains("battery"), "{said}");
    keystore.open(&with("horse"));
}

/// A server that is none: it has this certificate, its own authority in `ca`, and answers what it reads with what that
/// makes of it; its port.
pub(crate) fn impostor(
    params: &CertificateParams,
    ca: &Path,
    answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static,
) -> u16 {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(ca, certificate.pem()).unwrap();
    let private = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, socket.unwrap());
            let mut bytes = [0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                let _the_client_may_be_gone = stream.write_all(&answer(&bytes[..count]));
            }
        }
    });
    port
}

/// A server whose certificate, its own authority in `ca`, ended in 2020; its port.
pub(crate) fn expired_server(ca: &Path) -> u16 {
    let mut params = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    impostor(&params, ca, |_| Vec::new())
}

#[test]
fn an_expired_certificate_is_called_that() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    let ca = keystore.scratch.path().join("expired.pem");
    let port = expired_server(&ca);
    let keystore = keystore.with("--kmipPort", Some(&port.to_string()));
    let keystore = keystore.with("--kmipServerCAFile", ca.to_str());
    let said = keystore.fails(&["open"], &[], 1, "has expired");
    assert!(said.contains("Renew the server's certificate"), "{said}");
}

#[test]
fn what_is_no_answer_is_called_that() {
    let server = Server::start();
    let params = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let key = Keystore::on(&server).open(&[]);
    let named = ["--kmipKeyIdentifier", key.as_str()];
    let empty = crate::ttlv::Item::structure(0x42_007b, Vec::new()).encode();
    for answer in [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), &[0x42; 64], &empty] {
        for options in [&[][..], &named] {
            let keystore = Keystore::on(&server);
            let ca = keystore.scratch.path().join("impostor.pem");
            let bytes = answer.to_vec();
            let port = impostor(&params, &ca, move |_| bytes.clone()).to_string();
            let keystore = keystore.with("--kmipPort", Some(&port));
            let keystore = keystore.with("--kmipServerCAFile", ca.to_str());
            let said = keystore.fails(&["open"], options, 1, "no attempts are left");
            assert!(said.contains("See that this is the KMIP port of a KMIP server"), "{said}");
            assert!(!keystore.directory().join("keystore").exists());
        }
    }
}

#[test]
fn a_key_of_another_kind_is_no_master_key() {
    const CAMELLIA: u32 = 0x11;
    let server = Server::start();
    let mut kms = Kms::of(&server);
    for (id, said) in [
        (kms.register_for(CAMELLIA, &[1; 32]), "a key for"),
        (kms.register(&[1; 16], None), "a key of 16 bytes, not of 32"),
        (kms.register(&[1; 24], None), "a key of 24 bytes, not of 32"),
    ] {
        let keystore = Keystore::on(&server);
        let options = ["--kmipActivateKeys", "false", "--kmipKeyIdentifier", id.as_str()];
        let told = keystore.fails(&["open"], &options, 1, said);
        assert!(told.contains("registered as AES in Raw format"), "{told}");
        assert!(!keystore.directory().join("keystore").exists());
    }
}

#[test]
fn servers_are_tried_in_their_order_as_often_as_was_said() {
    let server = Server::start();
    let gate = Gate::open(server.kmip);
    gate.shut();
    // The first name has no server; the second is behind the gate.
    let keystore =
        Keystore::at(&server, gate.port()).with("--kmipServerName", Some("127.0.0.3,127.0.0.1"));
    let said = keystore.fails(&["open"], &["--kmipConnectRetries", "2"], 1, "no attempts are left");
    let failed: Vec<&str> =
        said.lines().filter(|line| line.contains("KMIP session failed")).collect();
    let order: Vec<bool> = failed.iter().map(|line| line.contains("127.0.0.3")).collect();
    assert_eq!(order, [true, false, true, false, true, false], "{said}");
    assert_eq!(said.matches("29118").count(), 2, "{said}");
    gate.admit();
    keystore.open(&[]);
}

#[test]
fn an_answer_that_is_lost_makes_no_second_key() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    for loses in 1..=3 {
        let gate = Gate::open(server.kmip);
        gate.lose_registers(loses);
        let keystore = Keystore::at(&server, gate.port());
        let before = kms.keys().len();
        let retries = ["--kmipConnectRetries", "4"];
        let id = keystore.open(&retries);
        assert_eq!(gate.lost(), 1, "the second time it is found, not registered");
        assert_eq!(kms.keys().len(), before + 1);
        assert_eq!(keystore.open(&["--psmdb-level", "8.0"]), id, "and it is Active");
    }
    // Without retries the next start finds it.
    let gate = Gate::open(server.kmip);
    gate.lose_registers(1);
    let keystore = Keystore::at(&server, gate.port());
    let before = kms.keys().len();
    keystore.fails(&["open"], &[], 1, "no attempts are left");
    keystore.open(&[]);
    assert_eq!((gate.lost(), kms.keys().len()), (1, before + 1));
    // The original would leave one, and says so.
    let gate = Gate::open(server.kmip);
    gate.lose_registers(1);
    let keystore = Keystore::at(&server, gate.port());
    let before = kms.keys().len();
    let wire = ["--psmdb-wire", "--kmipConnectRetries", "1"];
    let output = keystore.keystore(&["open"], &wire).output().unwrap();
    assert!(output.status.success(), "{}", shown(&output));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the answer to Register is lost") && said.contains("time="), "{said}");
    assert_eq!(kms.keys().len(), before + 2);
}

#[test]
fn a_key_that_is_revoked_opens_nothing() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let keystore = Keystore::on(&server);
    let id = keystore.open(&[]);
    kms.deactivate(&id);
    keystore.fails(&["open"], &[], KEY_LOST, "not in the Active state, but Deactivated");
    // The way out: once without states, and a new key.
    keystore.does(&["rotate"], &[]);
    assert_ne!(keystore.open(&[]), id);
}

/// A port before the server's: it can be shut, lose the answers to Register, and break in the middle of answers.
pub(crate) struct Gate {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    server: SocketAddr,
    is_shut: AtomicBool,
    to_lose: AtomicUsize,
    lost: AtomicUsize,
    /// Bytes from the server, on all connections.
    passed: AtomicUsize,
    /// A connection breaks when so many are passed, and whether the gate is shut then.
    breaks_at: AtomicUsize,
    shuts_then: AtomicBool,
}

impl Gate {
    pub(crate) fn open(server: SocketAddr) -> Self {
        Self::open_at("127.0.0.1", server)
    }

    pub(crate) fn open_at(address: &str, server: SocketAddr) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            is_shut: AtomicBool::new(false),
            to_lose: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            passed: AtomicUsize::new(0),
            breaks_at: AtomicUsize::new(usize::MAX),
            shuts_then: AtomicBool::new(false),
        });
        let gate = Self { shared: Arc::clone(&shared), address };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.pass(client));
            }
        });
        gate
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends every connection from now on.
    pub(crate) fn shut(&self) {
        self.shared.is_shut.store(true, Ordering::SeqCst);
    }

    pub(crate) fn admit(&self) {
        self.shared.is_shut.store(false, Ordering::SeqCst);
    }

    pub(crate) fn lose_registers(&self, count: usize) {
        self.shared.to_lose.store(count, Ordering::SeqCst);
    }

    pub(crate) fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// How many bytes the server has said so far.
    pub(crate) fn passed(&self) -> usize {
        self.shared.passed.load(Ordering::SeqCst)
    }

    /// Breaks a connection once when the server has said so many bytes more, and is shut then, if that is wanted.
    pub(crate) fn break_after(&self, bytes: usize, shuts: bool) {
        self.shared.shuts_then.store(shuts, Ordering::SeqCst);
        self.shared.breaks_at.store(self.passed() + bytes, Ordering::SeqCst);
    }

    /// Whether what was to break has broken.
    pub(crate) fn has_broken(&self) -> bool {
        self.shared.breaks_at.load(Ordering::SeqCst) == usize::MAX
    }
}

impl Shared {
    /// Whether a connection breaks before these bytes are passed.
    fn breaks(&self, count: usize) -> bool {
        let passed = self.passed.fetch_add(count, Ordering::SeqCst) + count;
        if passed < self.breaks_at.load(Ordering::SeqCst) {
            return false;
        }
        self.breaks_at.store(usize::MAX, Ordering::SeqCst);
        self.is_shut.fetch_or(self.shuts_then.load(Ordering::SeqCst), Ordering::SeqCst);
        true
    }

    /// Passes TLS records on, one from the client and then whatever the server says.
    fn pass(self: &Arc<Self>, mut client: TcpStream) {
        let Ok(mut server) = TcpStream::connect(self.server) else { return };
        let mut back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let mutes = Arc::new(AtomicBool::new(false));
        let (muted, shared) = (Arc::clone(&mutes), Arc::clone(self));
        let answers = std::thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(count @ 1..) = back.0.read(&mut bytes) {
                if shared.breaks(count)
                    || muted.load(Ordering::SeqCst)
                    || back.1.write_all(&bytes[..count]).is_err()
                {
                    break;
                }
            }
            let _ = back.1.shutdown(std::net::Shutdown::Both);
        });
        while let Some(record) = read_record(&mut client) {
            if self.is_shut.load(Ordering::SeqCst) {
                break;
            }
            // A Register: no other request, and no part of the handshake, is of that size.
            let is_register = record[0] == 23 && (450..700).contains(&record.len());
            let loses = is_register
                && self
                    .to_lose
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                    .is_ok();
            if loses {
                self.lost.fetch_add(1, Ordering::SeqCst);
                mutes.store(true, Ordering::SeqCst);
            }
            if server.write_all(&record).is_err() {
                break;
            }
        }
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = server.shutdown(std::net::Shutdown::Both);
        let _ = answers.join();
    }
}

fn read_record(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).ok()?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    stream.read_exact(&mut record[5..]).ok()?;
    Some(record)
}
