//! What can be told without another server; with one: the integration tests.

use super::*;

fn options() -> (tempfile::TempDir, PeerOptions) {
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let path = |name| directory.path().join(name);
    std::fs::write(path("ca.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(path("password"), "a-password-of-a-key\n").unwrap();
    let nobody = crate::address::free_address();
    let options = PeerOptions {
        servers: vec![nobody.to_string()],
        ca: path("ca.pem"),
        certificate: path("ca.pem"),
        key: path("key.pem"),
        password_file: Some(path("password")),
        key_identifier: Some("a-key".to_owned()),
        key_name: None,
        server_name: None,
        timeout: Duration::from_secs(5),
    };
    (directory, options)
}

#[test]
fn what_is_configured_wrongly_is_said_at_once_and_without_the_password() {
    let (directory, good) = options();
    let said = format!("{:?}", Peer::open(good.clone()).unwrap());
    assert!(!said.contains("a-password-of-a-key"), "{said}");
    let missing = directory.path().join("missing");
    for bad in [
        PeerOptions { servers: Vec::new(), ..good.clone() },
        PeerOptions { servers: vec![":1".to_owned()], ..good.clone() },
        PeerOptions { ca: missing.clone(), ..good.clone() },
        PeerOptions { key: missing.clone(), ..good.clone() },
        PeerOptions { password_file: Some(missing), ..good },
    ] {
        assert!(matches!(Peer::open(bad), Err(PeerError::Settings(_))));
    }
}

#[test]
fn a_server_that_is_not_there_is_no_refusal_and_what_is_damaged_is_not_asked_for() {
    let (_directory, options) = options();
    let peer = Peer::open(options).unwrap();
    let sealed = [&[FORMAT][..], &[0; NONCE_BYTES + ROOT_BYTES + TAG_BYTES]].concat();
    let error = |sealed: &[u8]| peer.unwrap("a-key", sealed).unwrap_err();
    let away = error(&sealed);
    assert!(matches!(away, SealError::Peer(PeerError::Unreachable(_))), "{away:?}");
    assert!(matches!(peer.prepare(), Err(SealError::Peer(PeerError::Unreachable(_)))));
    assert!(matches!(error(&[]), SealError::Peer(PeerError::WrongKey(_))));
    assert!(matches!(error(&sealed[..40]), SealError::Peer(PeerError::WrongKey(_))));
    let newer = [&[2], &sealed[1..]].concat();
    assert!(matches!(error(&newer), SealError::Format { found: 2, .. }));
}
