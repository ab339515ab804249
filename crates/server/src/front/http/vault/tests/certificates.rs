//! Logins with certificates, as their clients call them.

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;

use super::auth::{From, text};
use super::*;
use crate::pki::{
    Authority, ClientKey, KeySpec, PrivateKey, Revoked, Serial, ServerNames, Subject, pem,
};

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
        (json!({"ocsp_enabled": true}), "ocsp_enabled is not supported"),
        (json!({"ocsp_fail_open": "true"}), "ocsp_fail_open is not supported"),
        (json!({"ocsp_query_all_servers": 1}), "ocsp_query_all_servers is not supported"),
        (json!({"ocsp_servers_override": "http://a"}), "ocsp_servers_override is not supported"),
        (json!({"ocsp_ca_certificates": "x"}), "ocsp_ca_certificates is not supported"),
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

fn crl(authority: &Authority, revoked: &[&Holder]) -> String {
    let serial = |holder: &&Holder| Serial::of_certificate(&holder.chain[0]).unwrap();
    let revoked: Vec<Revoked> =
        revoked.iter().map(|holder| Revoked { serial: serial(holder), at: NOW }).collect();
    let list = authority.revocation_list(&revoked, NOW, NOW + 60).unwrap();
    pem::encode("X509 CRL", &list)
}

#[tokio::test]
async fn whom_a_revocation_list_names_logs_in_no_more() {
    let mut server = Server::with_cert().await;
    let ours = authority();
    let (alice, bob) = (holder(&ours, "alice", None), holder(&ours, "bob", None));
    let all = json!({"certificate": root_pem(&ours), "token_ttl": 600});
    server.write("auth/cert/certs/all", all).await.empty();
    let one = json!({"certificate": pem::encode("CERTIFICATE", &alice.chain[0])});
    server.write("auth/cert/certs/one", one).await.empty();
    let token = text(&server.shows(&alice, json!({})).json()["auth"], "client_token");
    let named = json!({"name": "all"});
    let of_all = text(&server.shows(&alice, named.clone()).json()["auth"], "client_token");
    assert_eq!(server.keys("auth/cert/crls").await, None);

    server.write("auth/cert/crls/Ours", json!({"crl": crl(&ours, &[&alice])})).await.empty();
    assert_eq!(server.keys("auth/cert/crls").await.unwrap(), ["ours"]);
    let serial = Serial::of_certificate(&alice.chain[0]).unwrap().to_string();
    let read = server.get("auth/cert/crls/ours").await.data();
    assert_eq!(read, json!({"cdp": null, "serials": {serial: {}}}));
    for fields in [json!({}), named, json!({"name": "one"})] {
        assert_eq!(server.shows(&alice, fields).refused(400), WRONG);
    }
    assert_eq!(server.shows(&bob, json!({})).status, 200);
    // Its tokens live on, and are not renewed.
    let renew = |token: &str| {
        let from = From { certificates: &alice.chain, token: Some(token), ..From::default() };
        server.write_from(&from, "auth/token/renew-self", json!({}))
    };
    assert_eq!(renew(&token).refused(400), WRONG);
    assert_eq!(renew(&of_all).refused(400), WRONG);

    server.restart();
    assert_eq!(server.shows(&alice, json!({})).refused(400), WRONG, "over a restart");
    // Lists of other issuers, and one written over.
    let theirs = json!({"crl": crl(&authority(), &[])});
    server.write("auth/cert/crls/theirs", theirs).await.empty();
    server.write("auth/cert/crls/ours", json!({"crl": crl(&ours, &[&bob])})).await.empty();
    assert_eq!(server.shows(&alice, json!({})).status, 200);
    assert_eq!(server.shows(&bob, json!({})).refused(400), WRONG);
    server.delete("auth/cert/crls/OURS").await.empty();
    assert_eq!(server.shows(&bob, json!({})).status, 200);
    for verb in ["GET", "DELETE"] {
        let missing = server.call(verb, "auth/cert/crls/ours", b"").await.refused(400);
        assert_eq!(missing, "no such CRL ours");
    }
    for (fields, complaint) in [
        (json!({}), "one of 'crl' or 'url' must be provided"),
        (json!({"url": "http://127.0.0.1/crl"}), "url is not supported"),
        (json!({"crl": "nonsense"}), "failed to parse CRL"),
        (json!({"crl": root_pem(&ours)}), "failed to parse CRL"),
    ] {
        let refused = server.write("auth/cert/crls/x", fields).await.refused(400);
        assert!(refused.contains(complaint), "{refused}");
    }
    server.delete("sys/auth/cert").await.empty();
    assert!(server.store.reopen().keys(b"C").unwrap().is_empty());
}

#[tokio::test]
async fn a_revoked_intermediate_vouches_for_nobody() {
    let server = Server::with_cert().await;
    let ours = authority();
    let alice = holder(&ours, "alice", None);
    let [intermediate, root] = ours.chain();
    let both = [&root, &intermediate].map(|der| pem::encode("CERTIFICATE", der)).join("\n");
    server.write("auth/cert/certs/all", json!({ "certificate": both })).await.empty();
    assert_eq!(server.shows(&alice, json!({})).status, 200);
    let revoked = signed_by_root(&ours, &intermediate);
    server.write("auth/cert/crls/root", json!({ "crl": revoked })).await.empty();
    assert_eq!(server.shows(&alice, json!({})).refused(400), WRONG);
}

/// A list of the root, with its intermediate in it, in DER and base64.
fn signed_by_root(authority: &Authority, intermediate: &[u8]) -> String {
    use base64::Engine as _;
    use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, RevokedCertParams};

    let key = KeyPair::from_pem(&authority.parts().root_key.pem()).unwrap();
    let root = authority.chain()[1].clone();
    let issuer = Issuer::from_ca_cert_der(&root, key).unwrap();
    let serial = Serial::of_certificate(intermediate).unwrap();
    let at = rcgen::date_time_ymd(2027, 1, 1);
    let list = CertificateRevocationListParams {
        this_update: at,
        next_update: rcgen::date_time_ymd(2028, 1, 1),
        crl_number: rcgen::SerialNumber::from(1u64),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: rcgen::SerialNumber::from_slice(serial.as_bytes()),
            revocation_time: at,
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let der = list.signed_by(&issuer).unwrap().der().to_vec();
    base64::engine::general_purpose::STANDARD.encode(der)
}

/// A client certificate of our own mounts may log in too, while it is not revoked there.
#[tokio::test]
async fn a_revoked_credential_of_this_server_logs_in_no_more() {
    let server = Server::ready().await;
    server.write("sys/auth/cert", json!({"type": "cert"})).await.empty();
    let ca = server.get("kmip/ca").await.data();
    server.write("auth/cert/certs/kmip", json!({"certificate": ca["ca_pem"]})).await.empty();
    let role = "kmip/scope/finance/role/accounting";
    let issue = || async {
        let generate = format!("{role}/credential/generate");
        let made = server.write(&generate, json!({"format": "pem"})).await.data();
        let certificate = pem::decode(&["CERTIFICATE"], made["certificate"].as_str().unwrap());
        (text(&made, "serial_number"), vec![certificate.unwrap()])
    };
    let shows = |certificates: &[Vec<u8>]| {
        let from = From { certificates, ..From::default() };
        server.write_from(&from, LOGIN, json!({}))
    };
    let ((serial, first), (_, second)) = (issue().await, issue().await);
    assert_eq!((shows(&first).status, shows(&second).status), (200, 200));
    let revoke = format!("{role}/credential/revoke");
    server.write(&revoke, json!({"serial_number": serial})).await.empty();
    assert_eq!(shows(&first).refused(400), WRONG);
    assert_eq!(shows(&second).status, 200);
    server.delete(role).await.empty();
    assert_eq!(shows(&second).refused(400), WRONG, "it went with its role");
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
