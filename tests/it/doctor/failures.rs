//! What goes wrong on the way: each fault is found at its step, with its error, and in the words of the product.

use std::net::TcpListener;
use std::process::Command;

use serde_json::json;

use super::{PRODUCTS, Setup, doctor, examine};
use crate::at_rest::{Kms, shown};
use crate::at_rest_faults::{Gate, encrypt_key, expired_server};
use crate::pykmip::PyKmip;
use crate::server::{Server, binary};

/// What each product calls the host, the port, the authority, the certificate.
fn words(product: &str) -> [&'static str; 4] {
    match product {
        "mongod" => [
            "security.kmip.serverName",
            "security.kmip.port",
            "security.kmip.serverCAFile",
            "security.kmip.clientCertificateFile",
        ],
        "mysql" | "component" => ["server_addr", "server_port", "server_ca", "client_ca"],
        _ => [
            "kmip.transport.tls.host",
            "kmip.transport.tls.port",
            "kmip.transport.tls.ca",
            "kmip.transport.tls.cert",
        ],
    }
}

/// Every product fails at that step with that error, and is told to change what it calls that.
#[track_caller]
fn each_fails(setup: &Setup, step: &str, error: &str, word: Option<usize>) {
    for product in PRODUCTS {
        let report = setup.examine(product);
        let found = report.failed(0, step, error);
        if let Some(word) = word {
            let change = found["change"].as_str().unwrap();
            assert!(change.contains(words(product)[word]), "{product}: {change}");
        }
        assert_eq!(report.code, Some(1), "{report:#?}");
        // Nothing was made on a server that was not reached.
        assert_eq!(report.result(0, "create"), "skipped", "{report:#?}");
        assert_eq!(report.all(0, "failed"), [step], "{report:#?}");
    }
}

#[test]
fn a_host_that_nobody_knows() {
    let server = Server::start();
    let setup = Setup::on(&server).host("no-such-host.invalid");
    each_fails(&setup, "resolve", "Resolve", Some(0));
}

#[test]
fn a_port_at_which_nobody_listens_and_one_that_is_something_else() {
    let server = Server::start();
    let mut setup = Setup::on(&server);
    setup.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    each_fails(&setup, "connect", "NobodyListens", Some(1));
    setup.port = server.api.rsplit(':').next().unwrap().parse().unwrap();
    each_fails(&setup, "tls", "NotTls", Some(1));
}

#[test]
fn a_port_that_takes_the_connection_and_says_nothing() {
    let server = Server::start();
    let mut setup = Setup::on(&server).more(json!({"connectTimeoutMS": 1000}));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    setup.port = silent.local_addr().unwrap().port();
    let report = setup.examine("mongod");
    report.failed(0, "tls", "Mute");
}

#[test]
fn an_authority_that_is_not_trusted() {
    let (server, other) = (Server::start(), Server::start());
    let mut setup = Setup::on(&server);
    setup.ca = other.client.join("ca.pem");
    each_fails(&setup, "tls", "UnknownAuthority", Some(2));
    let report = setup.examine("mysql");
    let change = report.step(0, "tls")["change"].as_str().unwrap();
    assert!(change.contains("mysqld connects all the same"), "{change}");
    let strict = json!({"tls_peer_verification": true, "tls_hostname_verification": true});
    let report = setup.more(strict).examine("mysql");
    let change = report.step(0, "tls")["change"].as_str().unwrap();
    assert!(!change.contains("all the same"), "{change}");
    assert_eq!(report.value["configuration"]["advice"], json!([]));
}

#[test]
fn a_certificate_that_has_expired() {
    let server = Server::start();
    let mut setup = Setup::on(&server);
    setup.ca = setup.scratch.path().join("expired.pem");
    setup.port = expired_server(&setup.ca);
    each_fails(&setup, "tls", "Expired", None);
}

#[test]
fn a_certificate_for_another_host() {
    let server = Server::start();
    let elsewhere = Gate::open_at("127.0.0.2", server.kmip);
    let mut setup = Setup::on(&server).host("127.0.0.2");
    setup.port = elsewhere.port();
    each_fails(&setup, "tls", "WrongHost", Some(0));
}

#[test]
fn a_client_whom_the_server_does_not_know() {
    let (server, stranger) = (Server::start(), Server::start());
    let pykmip = PyKmip::start();
    // TLS 1.3, where the refusal comes with the first answer, and 1.2, where it comes in the handshake.
    for mut setup in [Setup::on(&server), Setup::of(pykmip.client(), pykmip.port)] {
        setup.certificate = stranger.client.join("cert.pem");
        setup.key = stranger.client.join("key.pem");
        each_fails(&setup, "identity", "CertificateRejected", Some(3));
    }
}

#[test]
fn files_that_cannot_be_used() {
    let server = Server::start();
    let mut setup = Setup::on(&server);
    setup.certificate = setup.scratch.path().join("absent.pem");
    each_fails(&setup, "files", "Files", None);

    let mut setup = Setup::on(&server);
    setup.key = setup.scratch.path().join("encrypted.pem");
    encrypt_key(&server.client, &setup.key);
    each_fails(&setup, "files", "Password", None);
    let report = setup.examine("mysql");
    let change = report.step(0, "files")["change"].as_str().unwrap();
    assert!(change.contains("takes no password") && change.contains("openssl pkcs8"), "{change}");

    let wrong = setup.more(json!({"clientCertificatePassword": "battery"}));
    let report = wrong.examine("mongod");
    let step = report.failed(0, "files", "Password");
    assert!(step["answer"].as_str().unwrap().contains("the password is wrong"), "{step}");
    assert!(step["change"].as_str().unwrap().contains("clientCertificatePassword"), "{step}");
    assert!(!format!("{report:?}").contains("battery"), "{report:#?}");
    wrong.more(json!({"clientCertificatePassword": "horse"})).examine("mongod").is_well();
}

/// What another command says of the same.
fn query(setup: &Setup) -> String {
    let host = &setup.hosts[0];
    let output = Command::new(binary())
        .args(["object", "query", "--server", &format!("{host}:{}", setup.port), "--ca"])
        .arg(&setup.ca)
        .arg("--cert")
        .arg(&setup.certificate)
        .arg("--key")
        .arg(&setup.key)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn every_command_says_what_to_do_in_its_own_words() {
    let (server, stranger) = (Server::start(), Server::start());
    let setup = || Setup::on(&server);
    let said = query(&setup().host("no-such-host.invalid"));
    assert!(said.contains("See that --server is spelled right"), "{said}");
    let mut trusting = setup();
    trusting.ca = stranger.client.join("ca.pem");
    assert!(query(&trusting).contains("as --ca."), "{}", query(&trusting));
    let mut other = setup();
    other.certificate = stranger.client.join("cert.pem");
    other.key = stranger.client.join("key.pem");
    assert!(query(&other).contains("a new credential for --cert"), "{}", query(&other));
    let mut closed = setup();
    closed.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert!(query(&closed).contains("is --server its KMIP port?"), "{}", query(&closed));
    let mut sealed = setup();
    sealed.key = sealed.scratch.path().join("encrypted.pem");
    encrypt_key(&server.client, &sealed.key);
    assert!(query(&sealed).contains("openssl pkcs8"), "{}", query(&sealed));
}

#[test]
fn a_second_server_that_is_down() {
    let server = Server::start();
    let mut setup = Setup::on(&server);
    setup.hosts = vec!["127.0.0.1".into(), "127.0.0.3".into()];
    for product in ["mongod", "component", "zenko"] {
        let report = setup.examine(product);
        assert_eq!(report.all(0, "failed"), Vec::<&str>::new(), "{report:#?}");
        assert_eq!(report.result(0, "destroy"), "ok");
        report.failed(1, "connect", "NobodyListens");
        assert_eq!(report.code, Some(1));
        assert!(report.stderr.contains("127.0.0.3"), "{report:#?}");
    }
}

#[test]
fn a_server_that_is_too_old() {
    let server = PyKmip::start_old();
    let setup = Setup::of(server.client(), server.port);
    for product in ["mysql", "zenko"] {
        let report = setup.examine(product);
        let step = report.failed(0, "version", "Version");
        assert!(step["answer"].as_str().unwrap().contains("the server speaks 1.1, 1.0"), "{step}");
        assert_eq!(report.result(0, "create"), "skipped", "{report:#?}");
        assert_eq!(report.result(0, "identity"), "ok", "{report:#?}");
    }
    setup.examine("mongod").is_well();
    // Ours speaks what the server does.
    let report = setup.examine("component");
    report.is_well();
    assert_eq!(report.step(0, "version")["answer"], "KMIP 1.1");
}

#[test]
fn an_answer_that_is_lost_leaves_a_key_that_is_named() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    for product in ["mongod", "mysql"] {
        let gate = Gate::open(server.kmip);
        gate.lose_registers(1);
        let mut setup = Setup::on(&server);
        setup.port = gate.port();
        // With its chain the certificate is larger than what the gate takes for a Register.
        let chain =
            ["cert.pem", "ca.pem"].map(|name| std::fs::read(server.client.join(name)).unwrap());
        setup.certificate = setup.scratch.path().join("chain.pem");
        std::fs::write(&setup.certificate, chain.concat()).unwrap();
        let before = kms.keys().len();
        let report = setup.examine(product);
        report.failed(0, "create", "Ended");
        assert_eq!(kms.keys().len(), before + 1);
        let left_over = &report.value["left_over"][0];
        assert!(left_over["unique_identifier"].is_null(), "{left_over}");
        match left_over["name"].as_str() {
            Some(name) => assert_eq!(kms.named(name).len(), 1, "{left_over}"),
            None => assert_eq!(product, "mongod"),
        }
    }
}

#[test]
fn a_file_that_is_not_there_or_says_what_nobody_knows() {
    let server = Server::start();
    let scratch = tempfile::tempdir().unwrap();
    for product in PRODUCTS {
        let report = examine(product, &scratch.path().join("absent"));
        assert_eq!(report.code, Some(1), "{report:#?}");
        assert_eq!(report.value["configuration"]["error"], "ConfigurationFile");
        assert!(report.stderr.contains("No such file"), "{report:#?}");

        let setup = Setup::on(&server).more(json!({"serverNames": "x"}));
        let report = setup.examine(product);
        assert_eq!(report.code, Some(2), "{report:#?}");
        let configuration = &report.value["configuration"];
        assert_eq!(
            (&configuration["result"], &configuration["error"]),
            (&"failed".into(), &"Configuration".into())
        );
        let said = configuration["answer"].as_str().unwrap();
        assert!(said.contains("serverNames: there is no such option"), "{said}");
        assert!(report.stderr.contains(said), "{report:#?}");
        assert_eq!(report.value["servers"], json!([]));
        let output = doctor(product, &setup.write(product)).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", shown(&output));
    }
}
