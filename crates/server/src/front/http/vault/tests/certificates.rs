//! Logins with certificates, as their clients call them.

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;

use super::auth::{From, text};
use super::*;
use crate::pki::{Authority, ClientKey, KeySpec, PrivateKey, ServerNames, Subject, pem};

const WRONG: &str = "invalid certificate or no client certificate supplied";
const LOGIN: &str = "auth/cert/login";

struct Holder {
    key: PrivateKey,
    /// Its certificate, then its intermediate, in DER.
    chain: Vec<Vec<u8>>,
}

fn authority() -> Authority {
    authority_at(NOW)
}

fn authority_at(now: i64) -> Authority {
    Authority::generate("storage", KeySpec::Ec256, now).unwrap()
}

/// Who holds a certificate of a key, with OU `unit`, CN `name`, and the host `name.example.com`.
fn holder(authority: &Authority, name: &str, key: Option<PrivateKey>) -> Holder {
    holder_at(authority, name, key, NOW)
}

fn holder_at(authority: &Authority, name: &str, key: Option<PrivateKey>, now: i64) -> Holder {
    let key = key.unwrap_or_else(|| PrivateKey::generate(KeySpec::Ec256).unwrap());
    let names =
        ServerNames { hostnames: vec![format!("{name}.example.com")], addresses: Vec::new() };
    let subject = Subject {
        scope_id: "unit".to_owned(),
        role_id: name.to_owned(),
        uri: format!("kmip://unit/{name}"),
        names,
    };
    let issued = authority.issue_client(&subject, &ClientKey::Private(&key), 3600, now).unwrap();
    let chain = vec![issued.certificate.to_vec(), authority.chain()[0].to_vec()];
    Holder { key, chain }
}

fn root_pem(authority: &Authority) -> String {
    pem::encode("CERTIFICATE", &authority.chain()[1])
}

impl Server {
    async fn with_cert() -> Self {
        let server = Self::new();
        server.write("sys/auth/cert", json!({"type": "cert"})).await.empty();
        server
    }

    fn shows(&self, holder: &Holder, fields: Value) -> Answered {
        let from = From { certificates: &holder.chain, ..From::default() };
        self.write_from(&from, LOGIN, fields)
    }
}

#[tokio::test]
async fn whoever_holds_a_certificate_of_the_authority_logs_in() {
    let server = Server::with_cert().await;
    let (ours, theirs) = (authority(), authority());
    let alice = holder(&ours, "alice", None);
    let fields = json!({"certificate": root_pem(&ours), "token_policies": "storage",
        "display_name": "array", "token_ttl": 600});
    server.write("auth/cert/certs/Arrays", fields).await.empty();
    assert_eq!(server.keys("auth/cert/certs").await.unwrap(), ["arrays"]);
    let read = server.get("auth/cert/certs/arrays").await.data();
    assert_eq!(read["certificate"], root_pem(&ours));
    assert_eq!((&read["display_name"], &read["allowed_names"]), (&json!("array"), &json!([])));
    let auth = server.shows(&alice, json!({})).json()["auth"].clone();
    assert_eq!(auth["policies"], json!(["default", "storage"]));
    assert_eq!(auth["lease_duration"], 600);
    let metadata = &auth["metadata"];
    assert_eq!(metadata["cert_name"], "arrays");
    assert_eq!(metadata["common_name"], "alice");
    assert!(text(metadata, "serial_number").len() > 40);
    assert_eq!(text(metadata, "subject_key_id").split(':').count(), 20);
    let token = text(&auth, "client_token");
    let seen = server.call_as(&token, "GET", "auth/token/lookup-self", b"").await.data();
    assert_eq!(seen["display_name"], "cert-array");

    let none = server.write_from(&From::default(), LOGIN, json!({})).refused(400);
    assert_eq!(none, "client certificate must be supplied");
    let foreign = holder(&theirs, "alice", None);
    assert_eq!(server.shows(&foreign, json!({})).refused(400), WRONG);
    // Of the same names, with our intermediate put beside it.
    let forged =
        Holder { chain: vec![foreign.chain[0].clone(), alice.chain[1].clone()], ..foreign };
    assert_eq!(server.shows(&forged, json!({})).refused(400), WRONG);
    let garbage = Holder { chain: vec![b"garbage".to_vec()], ..forged };
    assert_eq!(server.shows(&garbage, json!({})).refused(400), WRONG);
    server.clock.set(NOW + 3601);
    assert_eq!(server.shows(&alice, json!({})).refused(400), WRONG, "it has expired");
    server.delete("auth/cert/certs/arrays").await.empty();
    assert_eq!(server.get("auth/cert/certs/arrays").await.refused(404), "");
}

#[tokio::test]
async fn what_a_certificate_must_say() {
    let server = Server::with_cert().await;
    let ours = authority();
    let alice = holder(&ours, "alice", None);
    let entry = "auth/cert/certs/one";
    server.write(entry, json!({"certificate": root_pem(&ours)})).await.empty();
    // Basic constraints are in every certificate of an authority, and in no client's.
    let usage = "hex:2.5.29.15:*";
    for (field, fits, does_not) in [
        ("allowed_names", json!("x,alice*"), json!("bob")),
        ("allowed_names", json!(["alice.example.*"]), json!(["*.example.org"])),
        ("allowed_common_names", json!("ali*"), json!("alice.example.com")),
        ("allowed_dns_sans", json!("*.example.com"), json!("alice")),
        ("allowed_uri_sans", json!("kmip://*/alice"), json!("https://*")),
        ("allowed_organizational_units", json!("unit"), json!("units")),
        ("required_extensions", json!([usage]), json!([usage, "hex:2.5.29.19:*"])),
        ("required_extensions", json!("hex:2.5.29.15:0302*"), json!("2.5.29.15:text")),
    ] {
        server.write(entry, json!({ field: does_not })).await.empty();
        assert_eq!(server.shows(&alice, json!({})).refused(400), WRONG, "{field} {does_not}");
        server.write(entry, json!({ field: fits })).await.empty();
        assert_eq!(server.shows(&alice, json!({})).status, 200, "{field} {fits}");
        server.write(entry, json!({ field: null })).await.empty();
    }
    server.write(entry, json!({"allowed_email_sans": "*"})).await.empty();
    server.shows(&alice, json!({})).refused(400);
    for (fields, complaint) in [
        (json!({"certificate": "x"}), "failed to parse certificate"),
        (json!({"certificate": pem::encode("CERTIFICATE", b"x")}), "failed to parse certificate"),
        (json!({"required_extensions": "x"}), "must be of the form"),
        (json!({"ocsp_enabled": true}), "OCSP is not supported by this server"),
        (json!({"token_policies": "root"}), "auth methods cannot create root tokens"),
    ] {
        let refused = server.write(entry, fields).await.refused(400);
        assert!(refused.contains(complaint), "{refused}");
    }
    let without = server.write("auth/cert/certs/two", json!({})).await.refused(400);
    assert_eq!(without, "failed to parse certificate");
}

#[tokio::test]
async fn one_certificate_is_itself_and_goes_before_its_authority() {
    let server = Server::with_cert().await;
    let ours = authority();
    let (alice, bob) = (holder(&ours, "alice", None), holder(&ours, "bob", None));
    let of_alice = pem::encode("CERTIFICATE", &alice.chain[0]);
    let all = json!({"certificate": root_pem(&ours), "token_policies": "all"});
    server.write("auth/cert/certs/all", all).await.empty();
    let one = json!({"certificate": of_alice, "token_policies": "one"});
    server.write("auth/cert/certs/one", one).await.empty();
    let as_whom = |holder, fields| {
        let answered = server.shows(holder, fields);
        assert_eq!(answered.status, 200, "{}", String::from_utf8_lossy(&answered.body));
        text(&answered.json()["auth"]["metadata"], "cert_name")
    };
    assert_eq!(as_whom(&alice, json!({})), "one");
    assert_eq!(as_whom(&bob, json!({})), "all");
    assert_eq!(as_whom(&alice, json!({"name": "all"})), "all");
    for name in ["one", "nothing"] {
        assert_eq!(server.shows(&bob, json!({ "name": name })).refused(400), WRONG);
    }
    let server_key = PrivateKey::generate(KeySpec::Ec256).unwrap();
    let names = ServerNames { hostnames: vec!["x".to_owned()], addresses: Vec::new() };
    let of_server = ours.issue_server(&names, &server_key, NOW).unwrap().certificate;
    let fields = json!({"certificate": pem::encode("CERTIFICATE", &of_server)});
    let refused = server.write("auth/cert/certs/server", fields).await.refused(400);
    assert!(refused.starts_with("nonCA certificates should have TLS client auth"), "{refused}");
}

#[tokio::test]
async fn a_token_is_renewed_with_the_key_that_it_was_given_for() {
    let server = Server::with_cert().await;
    let ours = authority();
    let (alice, bob) = (holder(&ours, "alice", None), holder(&ours, "bob", None));
    let fields = json!({"certificate": root_pem(&ours), "token_ttl": 600});
    server.write("auth/cert/certs/all", fields).await.empty();
    let token = text(&server.shows(&alice, json!({})).json()["auth"], "client_token");
    let renew = |certificates: &[Vec<u8>]| {
        let from = From { certificates, token: Some(&token), ..From::default() };
        server.write_from(&from, "auth/token/renew-self", json!({}))
    };
    assert_eq!(renew(&alice.chain).status, 200);
    assert_eq!(renew(&[]).refused(400), "client certificate must be supplied");
    assert!(renew(&bob.chain).refused(400).starts_with("client identity during renewal"));
    // A new certificate of the same key is the same holder.
    let alice = holder(&ours, "alice", Some(alice.key));
    assert_eq!(renew(&alice.chain).status, 200);
    assert_eq!(server.get("auth/cert/config").await.data(), json!({"disable_binding": false}));
    server.write("auth/cert/config", json!({"disable_binding": "true"})).await.empty();
    assert_eq!(server.get("auth/cert/config").await.data()["disable_binding"], true);
    assert_eq!(renew(&[]).status, 200);
    server.write("auth/cert/config", json!({"disable_binding": false})).await.empty();
    server.write("auth/cert/certs/all", json!({"allowed_common_names": "bob"})).await.empty();
    assert_eq!(renew(&alice.chain).refused(400), WRONG);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_whole_chain_counts_and_no_stranger_gets_that_far() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let server = Server::with_cert().await;
    // TLS knows the system's time: certificates of now.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    server.clock.set(now);
    let ours = authority_at(now);
    let fields = json!({"certificate": root_pem(&ours)});
    server.write("auth/cert/certs/all", fields).await.empty();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(path("cert"), own.cert.pem()).unwrap();
    std::fs::write(path("key"), own.signing_key.serialize_pem()).unwrap();
    std::fs::write(path("ca"), root_pem(&ours)).unwrap();
    let files = crate::front::http::TlsFiles {
        certificate: path("cert"),
        key: path("key"),
        client_ca: Some(path("ca")),
    };
    let tls = Arc::new(crate::front::http::Tls::open(&files).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = server.router.clone();
    tokio::spawn(crate::front::http::serve(listener, router, Some(tls), std::future::pending()));

    let log_in = |holder: Holder| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(own.cert.der().clone()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(holder.key.pem().as_bytes()).unwrap();
        let chain = holder.chain.iter().map(|der| der.clone().into()).collect();
        let config = rustls::ClientConfig::builder_with_provider(crate::pki::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        async move {
            let stream = tokio::net::TcpStream::connect(address).await?;
            let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
            let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await?;
            let request = "POST /v1/auth/cert/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                           Content-Length: 2\r\n\r\n{}";
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            std::io::Result::Ok(String::from_utf8(answer).unwrap())
        }
    };
    let answer = log_in(holder_at(&ours, "alice", None, now)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\"cert_name\":\"all\""), "{answer}");
    assert!(log_in(holder_at(&authority_at(now), "alice", None, now)).await.is_err());
}
