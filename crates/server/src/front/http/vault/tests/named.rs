//! Named authorities and listeners, roles with an authority, imported authorities, revocation lists.

use serde_json::json;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::*;
use crate::access::Refusal;
use crate::mount::{Identity, ImportedClient, Source};
use crate::pki::{ClientSubject, Serial, pem};

const ROLE: &str = "kmip/scope/finance/role/accounting";

/// An authority of somebody else, and a certificate under it with this subject.
struct Foreign {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
}

impl Foreign {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Corporate CA");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let pem = pem::encode("CERTIFICATE", certificate.der());
        Self { issuer: rcgen::Issuer::new(params, key), pem }
    }

    fn client(&self, subject: &[(rcgen::DnType, &str)], serial: u64) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in subject {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.serial_number = Some(serial.into());
        params.not_after = rcgen::date_time_ymd(2100, 1, 1);
        params.signed_by(&key, &self.issuer).unwrap().der().to_vec()
    }
}

#[tokio::test]
async fn a_generated_authority_is_told_in_everybodys_words() {
    let server = Server::ready().await;
    assert_eq!(server.keys("kmip/ca").await, None);
    let body = json!({"key_type": "ec", "key_bits": 256, "ttl": 31_536_000});
    let made = server.write("kmip/ca/my-ca/generate", body).await.data();
    let object = made.as_object().unwrap();
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "ca_chain",
            "ca_pem",
            "certificate",
            "imported",
            "key_bits",
            "key_type",
            "serial_number",
            "ttl"
        ]
    );
    assert_eq!((&made["key_bits"], &made["ttl"]), (&json!(256), &json!(31_536_000)));
    assert_eq!((&made["key_type"], &made["imported"]), (&json!("ec"), &json!(false)));
    let chain: Vec<&str> =
        made["ca_chain"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(made["ca_pem"], chain.join("\n"));
    assert_eq!(made["certificate"], chain[0]);
    assert_eq!(server.get("kmip/ca/my-ca").await.data(), made);
    assert_eq!(server.keys("kmip/ca").await.unwrap(), ["my-ca"]);

    let strings = json!({"key_type": "rsa", "key_bits": "2048", "ttl": "90d"});
    let other = server.write("kmip/ca/other/generate", strings).await.data();
    assert_eq!((&other["key_bits"], &other["ttl"]), (&json!(2048), &json!(7_776_000)));
    let root = pem::decode_all("CERTIFICATE", other["ca_pem"].as_str().unwrap()).unwrap();
    let (_, root) = X509Certificate::from_der(&root[1]).unwrap();
    assert_eq!(root.subject().to_string(), "CN=other");
    assert_eq!(root.validity().not_after.timestamp(), NOW + 7_776_000);

    for (body, text) in [
        (json!({"key_bits": 256}), "missing key_type"),
        (json!({"key_type": "ec"}), "missing key_bits"),
        (json!({"key_type": "ec", "key_bits": 224}), "224"),
        (json!({"key_type": "ec", "key_bits": 256, "ttl": 0}), "ttl"),
        (json!({"key_type": "ec", "key_bits": 256, "ttl": "99999999999999d"}), "ttl"),
    ] {
        let refused = server.write("kmip/ca/bad/generate", body).await.refused(400);
        assert!(refused.contains(text), "{refused}");
    }
    let body = json!({"key_type": "ec", "key_bits": 256});
    let again = server.write("kmip/ca/my-ca/generate", body.clone()).await.refused(400);
    assert!(again.contains("exists already"), "{again}");
    server.write("kmip/ca/-bad-/generate", body).await.refused(400);
    let update = server.write("kmip/ca/my-ca", json!({"scope_name": "finance"})).await;
    assert!(update.refused(400).contains("only imported ones can change"));

    // A restart changes nothing of it.
    let again = Mounts::open(
        server.store.reopen(),
        server.clock.clone(),
        Arc::new(FakeListeners::default()),
    );
    let mount = again.unwrap().at(&MountPath::parse("kmip").unwrap()).unwrap();
    let Source::Generated { authority, ttl_seconds } = mount.authority("my-ca").unwrap().source()
    else {
        panic!("it is a generated one");
    };
    assert_eq!(
        (authority.chain_pem().join("\n").into(), 31_536_000),
        (made["ca_pem"].clone(), *ttl_seconds)
    );

    server.delete("kmip/ca/my-ca").await.empty();
    server.get("kmip/ca/my-ca").await.refused(404);
    server.delete("kmip/ca/my-ca").await.empty();
}

#[tokio::test]
async fn a_listener_echoes_what_was_written_and_changes_in_part() {
    let server = Server::ready().await;
    let body = json!({"key_type": "ec", "key_bits": 256});
    server.write("kmip/ca/a/generate", body.clone()).await.data();
    server.write("kmip/ca/b/generate", body).await.data();
    let written = json!({
        "ca": "a", "address": "127.0.0.1:7001", "server_hostnames": ["z.example", "a.example"],
        "server_ips": ["10.0.0.2", "10.0.0.1"], "additional_client_cas": ["b"],
        "also_use_legacy_ca": true, "tls_min_version": "tls12", "tls_max_version": "tls13",
        "tls_cipher_suites":
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"});
    let made = server.write("kmip/listener/l", written.clone()).await.data();
    assert_eq!(made, written, "lists in their order, nothing added");
    assert_eq!(server.get("kmip/listener/l").await.data(), written);
    assert_eq!(server.keys("kmip/listener").await.unwrap(), ["l"]);
    assert_eq!(server.listens("kmip", "l").unwrap(), ["127.0.0.1:7001"]);

    let cleared = json!({"also_use_legacy_ca": null, "tls_cipher_suites": "",
        "additional_client_cas": [], "server_hostnames": []});
    let data = server.write("kmip/listener/l", cleared).await.data();
    assert_eq!(
        (&data["address"], &data["also_use_legacy_ca"]),
        (&json!("127.0.0.1:7001"), &json!(false))
    );
    assert_eq!((&data["tls_cipher_suites"], &data["server_hostnames"]), (&json!(""), &json!([])));
    assert_eq!(data["server_ips"], json!(["10.0.0.2", "10.0.0.1"]));

    let defaults = json!({"ca": "b", "address": "127.0.0.1"});
    let data = server.write("kmip/listener/m", defaults).await.data();
    assert_eq!(
        data,
        json!({"ca": "b", "address": "127.0.0.1", "server_hostnames": [],
            "server_ips": ["127.0.0.1", "::1"], "additional_client_cas": [],
            "also_use_legacy_ca": false, "tls_min_version": "tls12", "tls_max_version": "",
            "tls_cipher_suites": ""})
    );
    for path in ["kmip/ca/a", "kmip/ca/b"] {
        assert!(server.delete(path).await.refused(400).contains("in use by the listener"));
    }
    server.delete("kmip/listener/l").await.empty();
    assert_eq!(server.listens("kmip", "l"), None);
    server.get("kmip/listener/l").await.refused(404);
    server.delete("kmip/ca/a").await.empty();
}

#[tokio::test]
async fn a_listener_that_cannot_be_leaves_everything_as_it_was() {
    let server = Server::ready().await;
    let body = json!({"key_type": "ec", "key_bits": 256});
    server.write("kmip/ca/a/generate", body).await.data();
    let foreign = json!({"ca_pem": Foreign::new().pem, "scope_name": "s", "role_name": "r"});
    server.write("kmip/ca/foreign/import", foreign).await.data();
    let good = json!({"ca": "a", "address": "127.0.0.1:7001"});
    let before = server.write("kmip/listener/l", good).await.data();
    let bind = json!({"address": "127.0.0.1:1003"});
    let refused = server.write("kmip/listener/l", bind).await.refused(400);
    assert_eq!(refused, "listen tcp4 127.0.0.1:1003: bind: permission denied");
    for wrong in [
        json!({"ca": "nobody"}),
        json!({"ca": "foreign"}),
        json!({"ca": ""}),
        json!({"additional_client_cas": ["nobody"]}),
        json!({"address": ""}),
        json!({"address": "a:b:c"}),
        json!({"tls_min_version": "tls11"}),
        json!({"tls_min_version": "tls13", "tls_max_version": "tls12"}),
        json!({"tls_cipher_suites": "TLS_RSA_WITH_RC4_128_SHA"}),
        json!({"tls_max_version": "tls12",
            "tls_cipher_suites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}),
        json!({"server_ips": ["localhost"]}),
        json!({"server_hostnames": ["ü"]}),
        json!({"also_use_legacy_ca": "perhaps"}),
    ] {
        server.write("kmip/listener/l", wrong).await.refused(400);
    }
    assert_eq!(server.get("kmip/listener/l").await.data(), before);
    assert_eq!(server.listens("kmip", "l").unwrap(), ["127.0.0.1:7001"]);
    for path in ["kmip/listener/new", "kmip/listener/.x"] {
        server.write(path, json!({"ca": "a"})).await.refused(400);
    }
    let bind = json!({"ca": "a", "address": "127.0.0.1:1003"});
    server.write("kmip/listener/new", bind).await.refused(400);
    server.get("kmip/listener/new").await.refused(404);

    let listeners = Arc::new(FakeListeners::default());
    let again = Mounts::open(server.store.reopen(), server.clock.clone(), listeners.clone());
    let again = again.unwrap();
    assert_eq!(again.start_listeners(), []);
    let mount = again.at(&MountPath::parse("kmip").unwrap()).unwrap();
    assert_eq!(listeners.addresses_of(mount.id(), "l").unwrap(), ["127.0.0.1:7001"]);
}

#[tokio::test]
async fn a_roles_authority_issues_its_credentials() {
    let server = Server::ready().await;
    let body = json!({"key_type": "ec", "key_bits": 384, "ttl": "1d"});
    let ca = server.write("kmip/ca/mine/generate", body).await.data();
    for unfit in ["nobody", "foreign"] {
        let foreign = json!({"ca_pem": Foreign::new().pem, "scope_name": "s", "role_name": "r"});
        server.write("kmip/ca/foreign/import", foreign).await;
        server.write(ROLE, json!({"ca": unfit})).await.refused(400);
    }
    assert_eq!(server.get(ROLE).await.data().get("ca"), None);
    server.write(ROLE, json!({"ca": "mine"})).await.empty();
    assert_eq!(server.get(ROLE).await.data()["ca"], "mine");
    let generate = format!("{ROLE}/credential/generate");
    let made = server.write(&generate, json!({"format": "pem"})).await;
    assert!(made.json()["warnings"][0].as_str().unwrap().contains("before its ttl"));
    let made = made.data();
    assert_eq!(made["ca_chain"], ca["ca_chain"]);
    let der = pem::decode(&["CERTIFICATE"], made["certificate"].as_str().unwrap()).unwrap();
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(leaf.issuer().to_string(), "CN=mine-intermediate");
    assert_eq!(leaf.validity().not_after.timestamp(), NOW + 86_400, "not beyond its authority");
    let serial = made["serial_number"].as_str().unwrap();
    let looked = server.get(&format!("{ROLE}/credential/lookup?serial_number={serial}")).await;
    assert_eq!(looked.data()["ca_chain"], ca["ca_chain"]);
    let refused = server.delete("kmip/ca/mine").await.refused(400);
    assert!(
        refused.contains("in use by the role \"accounting\" of scope \"finance\""),
        "{refused}"
    );
    server.write(ROLE, json!({"ca": ""})).await.empty();
    assert_eq!(server.get(ROLE).await.data().get("ca"), None);
    server.delete("kmip/ca/mine").await.empty();

    // Without a configuration of its own, an engine issues by its named authorities.
    server.write("sys/mounts/bare", json!({"type": "kmip"})).await.empty();
    let body = json!({"key_type": "ec", "key_bits": 256});
    server.write("bare/ca/x/generate", body).await.data();
    server.write("bare/scope/s", json!(null)).await.empty();
    server.write("bare/scope/s/role/r", json!({"ca": "x", "operation_all": true})).await.empty();
    server.write("bare/scope/s/role/r/credential/generate", json!(null)).await.data();
}

#[tokio::test]
async fn certificates_show_the_names_that_were_asked_for() {
    let server = Server::ready().await;
    let generate = format!("{ROLE}/credential/generate");
    let body = json!({"format": "pem", "dns_sans": "db1.example,db2.example", "ip_sans": ["::1"]});
    let made = server.write(&generate, body).await.data();
    let der = pem::decode(&["CERTIFICATE"], made["certificate"].as_str().unwrap()).unwrap();
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    let names: Vec<String> = names.value.general_names.iter().map(|it| it.to_string()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names[0].contains("kmip://finance/accounting"), "{names:?}");
    assert!(names[1].contains("db1.example") && names[2].contains("db2.example"), "{names:?}");
    for wrong in [json!({"dns_sans": "a b"}), json!({"ip_sans": "db1"}), json!({"dns_sans": [[]]})]
    {
        server.write(&generate, wrong).await.refused(400);
    }
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused() {
    let server = Server::ready().await;
    let foreign = Foreign::new();
    let import = |body: Value| server.write("kmip/ca/corp/import", body);
    for (wrong, text) in [
        (json!({}), "missing ca_pem"),
        (json!({"ca_pem": "nonsense", "scope_name": "s", "role_name": "r"}), "no certificate"),
        (json!({"ca_pem": foreign.pem, "role_name": "r"}), "exactly one of scope_name"),
        (
            json!({"ca_pem": foreign.pem, "scope_name": "s", "scope_field": "O", "role_name": "r"}),
            "exactly one of scope_name",
        ),
        (json!({"ca_pem": foreign.pem, "scope_name": "s", "role_field": "SN"}), "CN, O, OU or UID"),
    ] {
        let refused = import(wrong).await.refused(400);
        assert!(refused.contains(text), "{refused}");
    }
    let leaf = pem::encode("CERTIFICATE", &foreign.client(&[], 7));
    let no_ca = json!({"ca_pem": leaf, "scope_name": "s", "role_name": "r"});
    assert!(import(no_ca).await.refused(400).contains("not an authority's"));
    assert_eq!(server.keys("kmip/ca").await, None);
}

#[tokio::test]
async fn imported_authorities_map_their_clients() {
    let server = Server::ready().await;
    let foreign = Foreign::new();
    let import = |body: Value| server.write("kmip/ca/corp/import", body);
    let written = format!("{}\n", foreign.pem);
    let body = json!({"ca_pem": written, "scope_field": "OU", "role_name": "accounting"});
    let made = import(body).await.data();
    assert_eq!(
        made,
        json!({"ca_pem": written, "certificate": foreign.pem, "ca_chain": [foreign.pem],
            "imported": true, "scope_field": "OU", "role_name": "accounting"})
    );
    assert_eq!(server.get("kmip/ca/corp").await.data(), made);

    let mount = server.mounts.at(&MountPath::parse("kmip").unwrap()).unwrap();
    let Source::Imported { authority, .. } = mount.authority("corp").unwrap().source() else {
        panic!("it is an imported one");
    };
    let (scope, role) = (rcgen::DnType::OrganizationalUnitName, rcgen::DnType::CommonName);
    let certificate = foreign.client(&[(scope, "finance"), (role, "host-7")], 4242);
    let identity = Identity::Imported(Arc::new(ImportedClient::new(
        authority.clone(),
        ClientSubject::of(&certificate).unwrap(),
    )));
    let ask = || server.access.authenticate(mount.id(), &identity).map(drop);
    assert_eq!(ask(), Ok(()));
    let grant = server.access.authenticate(mount.id(), &identity).unwrap();
    assert_eq!(
        (grant.scope_name().as_str(), grant.role_name().as_str()),
        ("finance", "accounting")
    );
    drop(grant);

    // Whatever is changed acts on who is connected.
    let turned = server.write("kmip/ca/corp", json!({"role_field": "CN"})).await.data();
    assert_eq!((turned.get("role_name"), &turned["role_field"]), (None, &json!("CN")));
    assert_eq!(ask(), Err(Refusal::NoRole));
    server.write("kmip/scope/finance/role/host-7", json!({"operation_get": true})).await.empty();
    assert_eq!(ask(), Ok(()));
    server.write("kmip/ca/corp", json!({"scope_field": "UID"})).await.data();
    assert_eq!(ask(), Err(Refusal::NoField("UID")));
    server.write("kmip/ca/corp", json!({"scope_name": "finance"})).await.data();
    assert_eq!(ask(), Ok(()));
    server.clock.set(4_200_000_000);
    assert_eq!(ask(), Err(Refusal::Expired));
    server.clock.set(NOW);
    server.delete("kmip/scope/finance/role/host-7").await.empty();
    assert_eq!(ask(), Err(Refusal::NoRole));
    server.write("kmip/ca/corp", json!({"role_name": "accounting"})).await.data();
    assert_eq!(ask(), Ok(()));

    server.write("kmip/ca/corp/revoke", json!({"serial_number": "4242"})).await.empty();
    assert_eq!(ask(), Err(Refusal::Revoked));
    let again = json!({"certificate": pem::encode("CERTIFICATE", &certificate)});
    server.write("kmip/ca/corp/revoke", again).await.empty();
    server.write("kmip/ca/corp/revoke", json!({})).await.refused(400);
    server.write("kmip/ca/nobody/revoke", json!({"serial_number": "1"})).await.refused(400);
    let listeners = Arc::new(FakeListeners::default());
    let mounts = Mounts::open(server.store.reopen(), server.clock.clone(), listeners).unwrap();
    let after = mounts.at(&MountPath::parse("kmip").unwrap()).unwrap();
    let Source::Imported { authority, .. } = after.authority("corp").unwrap().source() else {
        panic!("it is an imported one");
    };
    let subject = ClientSubject::of(&certificate).unwrap();
    let issuer = authority.issuer_hash(&subject.issuer);
    let placed = authority.place(&subject, issuer, |_, _| ());
    assert_eq!(placed, Err(crate::mount::Unplaced::Denied), "a restart forgets no revocation");

    let other = foreign.client(&[(rcgen::DnType::CommonName, "x")], 4243);
    let Identity::Imported(client) = &identity else { panic!("it is an imported one") };
    let other = Identity::Imported(Arc::new(ImportedClient::new(
        client.authority.clone(),
        ClientSubject::of(&other).unwrap(),
    )));
    assert!(server.access.authenticate(mount.id(), &other).is_ok());
    server.delete("kmip/ca/corp").await.empty();
    let refused = server.access.authenticate(mount.id(), &other).map(drop);
    assert_eq!(refused, Err(Refusal::AuthorityDeleted));
}

fn revoked(der: &[u8]) -> Vec<Serial> {
    let (_, list) = CertificateRevocationList::from_der(der).unwrap();
    let serials = list.iter_revoked_certificates();
    serials.map(|it| Serial::from_be_bytes(it.raw_serial()).unwrap()).collect()
}

#[tokio::test]
async fn anybody_may_read_which_certificates_are_revoked() {
    let server = Server::ready().await;
    let body = json!({"key_type": "ec", "key_bits": 256});
    server.write("kmip/ca/mine/generate", body).await.data();
    server.write("kmip/scope/finance/role/named", json!({"ca": "mine"})).await.empty();
    let serial = |answered: Answered| {
        Serial::from_decimal(answered.data()["serial_number"].as_str().unwrap()).unwrap()
    };
    let generate = |role: &str| format!("kmip/scope/finance/role/{role}/credential/generate");
    let first = serial(server.write(&generate("accounting"), json!(null)).await);
    let second = serial(server.write(&generate("accounting"), json!(null)).await);
    let third = serial(server.write(&generate("named"), json!(null)).await);

    let list = server.ask("GET", "kmip/crl").await;
    assert_eq!((list.status, list.content_type.as_deref()), (200, Some("application/pkix-crl")));
    assert_eq!(revoked(&list.body), []);
    let body = json!({"serial_number": first.to_string()});
    server.write(&format!("{ROLE}/credential/revoke"), body).await.empty();
    assert_eq!(revoked(&server.ask("GET", "kmip/crl").await.body), [first]);
    assert_eq!(revoked(&server.ask("GET", "kmip/ca/mine/crl").await.body), []);
    server.delete(ROLE).await.empty();
    server.delete("kmip/scope/finance?force=true").await.empty();
    let mut both = [first, second];
    both.sort_unstable();
    assert_eq!(revoked(&server.ask("GET", "kmip/crl").await.body), both);
    assert_eq!(revoked(&server.ask("GET", "kmip/ca/mine/crl").await.body), [third]);
    let text = server.ask("GET", "kmip/ca/mine/crl/pem").await;
    assert_eq!(text.content_type.as_deref(), Some("application/x-pem-file"));
    let der = pem::decode(&["X509 CRL"], &String::from_utf8(text.body).unwrap()).unwrap();
    assert_eq!(revoked(&der), [third]);
    server.ask("GET", "kmip/ca/nobody/crl").await.refused(404);
    server.ask("GET", "other/crl").await.refused(403);
    server.ask("DELETE", "kmip/crl").await.refused(405);

    // Whose life is over needs no list.
    server.clock.set(NOW + 1_209_601);
    assert_eq!(revoked(&server.ask("GET", "kmip/crl").await.body), []);
    let mount = server.mounts.at(&MountPath::parse("kmip").unwrap()).unwrap().id();
    assert_eq!(server.access.forget_expired(mount).unwrap(), 3);
    assert!(server.store.reopen().keys(b"d").unwrap().is_empty());
    server.keeper.seal();
    server.ask("GET", "kmip/crl").await.refused(503);
}
