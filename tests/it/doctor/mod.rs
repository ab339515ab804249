//! `claviger doctor` with the configuration of each product, against real servers: all is well, and nothing but the
//! probe key was touched. What goes wrong is in `failures`.

mod failures;
mod levels;
mod roles;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::at_rest::{ACTIVE, DEACTIVATED, KEY_LOST, Kms, PRE_ACTIVE, shown};
use crate::kmip::{Client, on, op, reason};
use crate::pykmip::PyKmip;
use crate::server::{Server, binary};

/// `component` is our own for MySQL, `mysql` is Percona's.
const PRODUCTS: [&str; 4] = ["mongod", "mysql", "component", "zenko"];

/// How a product reaches its servers; what each test makes wrong.
pub(super) struct Setup {
    pub(super) scratch: tempfile::TempDir,
    pub(super) hosts: Vec<String>,
    pub(super) port: u16,
    pub(super) ca: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// More of each configuration.
    pub(super) more: Value,
}

impl Setup {
    /// A server by the directory of its client.
    pub(super) fn of(client: &Path, port: u16) -> Self {
        let file = |name: &str| client.join(name);
        Self {
            scratch: tempfile::tempdir().unwrap(),
            hosts: vec!["127.0.0.1".into()],
            port,
            ca: file("ca.pem"),
            certificate: file("cert.pem"),
            key: file("key.pem"),
            more: json!({}),
        }
    }

    pub(super) fn on(server: &Server) -> Self {
        Self::of(&server.client, server.kmip.port())
    }

    pub(super) fn host(mut self, host: &str) -> Self {
        self.hosts = vec![host.into()];
        self
    }

    pub(super) fn more(mut self, more: Value) -> Self {
        self.more = more;
        self
    }

    /// The configuration of a product, in a file of its own.
    pub(super) fn write(&self, product: &str) -> PathBuf {
        let file = self.scratch.path().join(match product {
            "component" => "component_claviger_kmip.cnf",
            product => product,
        });
        let mut value = match product {
            // YAML takes JSON.
            "mongod" => json!({
                "serverName": self.hosts.join(","), "port": self.port, "serverCAFile": self.ca,
                "clientCertificateFile": self.certificate, "clientKeyFile": self.key,
            }),
            "mysql" => json!({
                "server_addr": self.hosts[0], "server_port": self.port.to_string(), "server_ca": self.ca,
                "client_ca": self.certificate, "client_key": self.key, "object_group": "heron",
            }),
            "component" => json!({
                "server_addr": self.hosts.join(","), "server_port": self.port, "server_ca": self.ca,
                "client_ca": self.certificate, "client_key": self.key, "object_group": "heron",
            }),
            _ => {
                let transport = |host: &String| {
                    json!({"tls": {
                        "host": host, "port": self.port, "ca": [self.ca], "cert": self.certificate, "key": self.key,
                    }})
                };
                json!({"transport": self.hosts.iter().map(transport).collect::<Vec<_>>()})
            }
        };
        for (name, more) in self.more.as_object().unwrap() {
            value[name] = more.clone();
        }
        let whole = match product {
            "mongod" => json!({"security": {"enableEncryption": true, "kmip": value}}),
            "mysql" | "component" => value,
            _ => json!({"kmip": value}),
        };
        std::fs::write(&file, whole.to_string()).unwrap();
        file
    }

    pub(super) fn examine(&self, product: &str) -> Report {
        examine(product, &self.write(product))
    }
}

pub(super) fn doctor(product: &str, file: &Path) -> Command {
    let mut command = Command::new(binary());
    command.args(["doctor", if product == "component" { "mysql" } else { product }]).arg(file);
    command
}

pub(super) fn examine(product: &str, file: &Path) -> Report {
    Report::read(doctor(product, file).arg("--json").output().unwrap())
}

/// What the doctor found.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) code: Option<i32>,
    pub(super) value: Value,
    pub(super) stderr: String,
}

impl Report {
    fn read(output: Output) -> Self {
        let value = serde_json::from_slice(&output.stdout);
        let value = value.unwrap_or_else(|error| panic!("{error}: {}", shown(&output)));
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { code: output.status.code(), value, stderr }
    }

    fn steps(&self, server: usize) -> &[Value] {
        self.value["servers"][server]["steps"].as_array().unwrap()
    }

    /// What came of a step with the nth server.
    pub(super) fn step(&self, server: usize, name: &str) -> &Value {
        let found = self.steps(server).iter().find(|step| step["step"] == name);
        found.unwrap_or_else(|| panic!("no step {name}: {self:?}"))
    }

    pub(super) fn result(&self, server: usize, name: &str) -> &str {
        self.step(server, name)["result"].as_str().unwrap()
    }

    /// The steps that came to that, by their names.
    pub(super) fn all(&self, server: usize, result: &str) -> Vec<&str> {
        let steps = self.steps(server).iter().filter(|step| step["result"] == result);
        steps.map(|step| step["step"].as_str().unwrap()).collect()
    }

    /// Everything is well.
    pub(super) fn is_well(&self) {
        assert_eq!((self.code, &self.value["ok"]), (Some(0), &true.into()), "{self:#?}");
        assert_eq!(self.value["configuration"]["result"], "ok", "{self:#?}");
        assert_eq!(self.stderr, "", "{self:#?}");
    }

    /// That step failed first, with that error, and those after it that need it were skipped.
    #[track_caller]
    pub(super) fn failed(&self, server: usize, name: &str, error: &str) -> &Value {
        let failed = self.all(server, "failed");
        assert_eq!(failed.first(), Some(&name), "{self:#?}");
        let step = self.step(server, name);
        assert_eq!(step["error"], error, "{self:#?}");
        assert_eq!(self.value["ok"], false, "{self:#?}");
        assert!(self.stderr.contains(step["answer"].as_str().unwrap()), "{self:#?}");
        assert!(self.stderr.contains(step["change"].as_str().unwrap()), "{self:#?}");
        step
    }
}

/// The identifiers of all keys that a client of a server can see.
fn objects(setup: &Setup) -> Vec<String> {
    let output = Command::new(binary())
        .args(["object", "locate", "--json", "--kmip-version", "1.2"])
        .args(["--server", &format!("127.0.0.1:{}", setup.port), "--ca"])
        .arg(&setup.ca)
        .arg("--cert")
        .arg(&setup.certificate)
        .arg("--key")
        .arg(&setup.key)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", shown(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids = found.as_array().or_else(|| found["unique_identifiers"].as_array());
    let ids = ids.unwrap_or_else(|| panic!("{found}"));
    let mut ids: Vec<String> = ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// Which steps each product does without.
fn spared(product: &str) -> &'static [&'static str] {
    match product {
        "mongod" => &["key"],
        "mysql" | "component" => &[],
        _ => &["state", "get"],
    }
}

#[test]
fn every_product_is_well_with_claviger_and_no_other_key_is_touched() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let existing = [ACTIVE, PRE_ACTIVE, DEACTIVATED].map(|state| kms.key_in(state));
    let mut client = Client::connect(&server, (1, 4));
    let mut attributes = || -> Vec<_> {
        existing.iter().map(|id| client.call(on(op::GET_ATTRIBUTES, id)).success()).collect()
    };
    let setup = Setup::on(&server);
    let (objects_before, attributes_before) = (objects(&setup), attributes());
    let mut probes = Vec::new();
    for product in PRODUCTS {
        let report = setup.examine(product);
        report.is_well();
        assert_eq!(report.all(0, "not needed"), spared(product), "{report:#?}");
        assert_eq!(report.value["left_over"], json!([]));
        assert_eq!(report.step(0, "resolve")["answer"], "127.0.0.1");
        assert_eq!(report.step(0, "connect")["answer"], server.kmip.to_string());
        probes.push(report.step(0, "create")["answer"].as_str().unwrap().to_owned());
    }
    assert_eq!(objects(&setup), objects_before);
    assert_eq!(attributes(), attributes_before);
    for probe in probes {
        let gone = client.call(on(op::GET, &probe)).failure();
        assert!(reason::ABSENT.contains(&gone), "{probe}");
    }
}

#[test]
fn every_product_is_well_with_pykmip_and_no_other_key_is_touched() {
    let server = PyKmip::start();
    let setup = Setup::of(server.client(), server.port);
    let made = Command::new(binary())
        .args(["object", "create", "--kmip-version", "1.2", "--name", "existing"])
        .args(["--server", &format!("127.0.0.1:{}", server.port), "--client"])
        .arg(server.client())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", shown(&made));
    let before = objects(&setup);
    assert_eq!(before.len(), 1);
    for product in PRODUCTS {
        let report = setup.examine(product);
        report.is_well();
        assert_eq!(report.value["left_over"], json!([]));
    }
    assert_eq!(objects(&setup), before);
}

#[test]
fn what_people_read_is_what_programs_read() {
    let server = Server::start();
    let setup = Setup::on(&server);
    for product in PRODUCTS {
        let output = doctor(product, &setup.write(product)).output().unwrap();
        assert!(output.status.success(), "{}", shown(&output));
        let said = String::from_utf8(output.stdout).unwrap();
        let report = setup.examine(product);
        for step in report.steps(0) {
            let line = format!(
                "{:<12}{}",
                step["step"].as_str().unwrap(),
                step["result"].as_str().unwrap()
            );
            assert!(said.lines().any(|it| it.starts_with(&line)), "{line}:\n{said}");
        }
    }
}

#[test]
fn the_variants_of_each_product() {
    let server = Server::start();
    let setup = || Setup::on(&server);
    let report = setup().more(json!({"activateKeys": false})).examine("mongod");
    report.is_well();
    assert_eq!(report.all(0, "not needed"), ["activate", "state", "revoke", "key"]);

    let client = json!({"compoundCreateActivate": true, "bucketNameAttributeName": "x-bucket"});
    let report = setup().more(json!({"client": client})).examine("zenko");
    report.is_well();
    assert_eq!(report.all(0, "not needed"), ["activate", "state", "get"]);
    // Another server does not take the Activation Date, as CloudServer's documents say of it.
    let pykmip = PyKmip::start();
    let setup = Setup::of(pykmip.client(), pykmip.port).more(json!({"client": client}));
    let report = setup.examine("zenko");
    let step = report.failed(0, "create", "Refused");
    assert!(step["answer"].as_str().unwrap().contains("unsupported"), "{step}");
    assert_eq!(report.code, Some(1));
}

#[test]
fn a_chart_and_a_file_of_variables() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    for (name, of) in
        [("kmip-ca.pem", "ca.pem"), ("kmip-cert.pem", "cert.pem"), ("kmip-key.pem", "key.pem")]
    {
        std::fs::copy(server.client.join(of), directory.path().join(name)).unwrap();
    }
    let port = server.kmip.port();
    let values = directory.path().join("values.yaml");
    std::fs::write(
        &values,
        format!("kmip:\n  enabled: true\n  hosts: [127.0.0.1]\n  port: {port}\n"),
    )
    .unwrap();
    examine("zenko", &values).is_well();

    let variables = directory.path().join("variables");
    let lines = format!(
        "S3KMS=kmip\nS3KMIP_HOSTS=127.0.0.1\nS3KMIP_PORT={port}\nS3KMIP_KEY=kmip-key.pem\nS3KMIP_CERT=kmip-cert.pem\n\
         S3KMIP_CA=kmip-ca.pem\n"
    );
    std::fs::write(&variables, &lines).unwrap();
    examine("zenko", &variables).is_well();

    // The environment fills in what config.json leaves out.
    let config = directory.path().join("config.json");
    std::fs::write(&config, json!({"kmip": {"transport": {}}}).to_string()).unwrap();
    let mut command = doctor("zenko", &config);
    command.arg("--json").envs(lines.lines().filter_map(|line| line.split_once('=')));
    Report::read(command.output().unwrap()).is_well();
}

#[test]
fn the_key_that_mongod_is_told_to_use() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let examine = |id: &str, more: Value| {
        let mut more = more;
        more["keyIdentifier"] = id.into();
        Setup::on(&server).more(more).examine("mongod")
    };
    let id = kms.key_in(ACTIVE);
    let report = examine(&id, json!({}));
    report.is_well();
    assert_eq!(report.step(0, "key")["answer"], format!("{id} is Active"));

    let id = kms.key_in(PRE_ACTIVE);
    let report = examine(&id, json!({}));
    report.is_well();
    assert!(report.step(0, "key")["change"].as_str().unwrap().contains("activate"), "{report:#?}");
    let report = examine(&id, json!({"activateKeys": true}));
    report.failed(0, "key", "KeyNotActive");
    assert_eq!(report.code, Some(KEY_LOST));
    assert_eq!(kms.state(&id), PRE_ACTIVE);

    let id = kms.key_in(DEACTIVATED);
    assert_eq!(examine(&id, json!({})).code, Some(KEY_LOST));
    examine(&id, json!({"activateKeys": false})).is_well();
    let report = examine("no-such-key", json!({}));
    report.failed(0, "key", "KeyAbsent");
    assert_eq!(report.code, Some(KEY_LOST));
}
