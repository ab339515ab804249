//! Connections that do not get as far as a message: no certificate, another CA's, no TLS at all, silence.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Bystander;
use crate::kmip::{on, op, request};
use crate::server::Server;
use crate::tls::{Connection, Identity};

/// The connection gives nothing: refused in the handshake, or closed before a byte of an answer.
fn assert_refused(server: &Server, identity: &Identity, who: &str) {
    let Ok(mut connection) = Connection::open(server.kmip, identity) else { return };
    let bytes = request((1, 4), Vec::new(), &[on(op::GET, "x")]).encode();
    let _ = connection.send(&bytes);
    let answer = connection.receive();
    let error = answer.expect_err(&format!("{who} was answered"));
    assert!(
        !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        "{who} was left waiting"
    );
}

#[test]
fn wrong_and_missing_client_certificates_end_in_the_handshake() {
    let server = Server::start();
    let other = Server::start();
    let mut bystander = Bystander::new(&server);
    let ca = server.client.join("ca.pem");
    let anonymous = Identity::anonymous(&std::fs::read(&ca).unwrap());
    assert_refused(&server, &anonymous, "a client without a certificate");
    let foreign = Identity::exported(&other.client).trusting(&ca);
    assert_refused(&server, &foreign, "a client of another authority");
    bystander.is_unharmed("refused handshakes");
    assert!(!server.stderr().is_empty(), "each refused handshake is a line of the support log");
}

#[test]
fn what_is_not_tls_is_closed() {
    let server = Server::start();
    let mut bystander = Bystander::new(&server);
    let ttlv = request((1, 4), Vec::new(), &[on(op::GET, "x")]).encode();
    let garbage: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00\x00\x00\x00\x00\x00\x00\x00",
        &[0xff; 4096],
        &ttlv,
    ];
    for bytes in garbage {
        let mut stream = TcpStream::connect(server.kmip).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        // A reset is as good as a close; an alert may come first.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.len() < 100, "{} bytes of an answer to garbage", answer.len());
        bystander.is_unharmed("bytes that are no TLS");
    }
}

#[test]
fn silent_connections_keep_nobody_out() {
    let server = Server::start();
    let mut bystander = Bystander::new(&server);
    let identity = Identity::exported(&server.client);
    let silent: Vec<_> = (0..64).map(|_| TcpStream::connect(server.kmip).unwrap()).collect();
    let idle: Vec<_> = (0..16).map(|_| Connection::open(server.kmip, &identity).unwrap()).collect();
    bystander.is_unharmed("silent connections");
    let mut late = Connection::open(server.kmip, &identity).unwrap();
    late.exchange(&request((1, 4), Vec::new(), &[on(op::GET, "x")]).encode()).unwrap();
    drop((silent, idle));
}
