//! `claviger doctor mongod --psmdb-level`: what mongod makes of a key that it is told to use differs from line to line.

use serde_json::{Value, json};

use super::{Report, Setup, doctor, objects};
use crate::at_rest::{ACTIVE, KEY_LOST, Kms, PRE_ACTIVE};
use crate::pykmip::PyKmip;
use crate::server::Server;

fn examine_at(level: &str, setup: &Setup) -> Report {
    let mut command = doctor("mongod", &setup.write("mongod"));
    Report::read(command.args(["--psmdb-level", level, "--json"]).output().unwrap())
}

#[test]
fn at_8_0_a_key_must_be_active() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let examine = |id: &str, more: Value| {
        let mut more = more;
        more["keyIdentifier"] = id.into();
        examine_at("8.0", &Setup::on(&server).more(more))
    };
    examine(&kms.key_in(ACTIVE), json!({})).is_well();
    let id = kms.key_in(PRE_ACTIVE);
    let report = examine(&id, json!({}));
    let step = report.failed(0, "key", "KeyNotActive");
    assert!(step["change"].as_str().unwrap().contains("claviger object activate"), "{step}");
    assert_eq!(report.code, Some(KEY_LOST));
    examine(&id, json!({"activateKeys": false})).is_well();
    assert_eq!(kms.state(&id), PRE_ACTIVE);
}

#[test]
fn at_4_2_a_key_is_known_by_its_name_and_states_are_no_matter() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let key = [7; 32];
    let named = |name: &str| Setup::on(&server).more(json!({"keyIdentifier": name}));
    let one = kms.register(&key, Some("one"));
    kms.register(&key, Some("two"));
    kms.register(&key, Some("two"));
    let before = objects(&named("one"));

    let report = examine_at("4.2", &named("one"));
    report.is_well();
    assert_eq!(report.step(0, "key")["answer"], format!("one is {one}"));
    assert_eq!(report.all(0, "not needed"), ["activate", "state", "revoke"]);
    assert_eq!(report.step(0, "locate")["answer"], "by its Name");
    let report = examine_at("4.2", &named("nobody"));
    report.is_well();
    assert!(report.step(0, "key")["answer"].as_str().unwrap().contains("mongod will make it"));
    let report = examine_at("4.2", &named("two"));
    report.failed(0, "key", "KeyAmbiguous");
    assert_eq!(report.code, Some(1));
    assert_eq!(objects(&named("one")), before, "nothing is made or taken but the probe key");

    for (more, said) in [
        (json!({}), "security.kmip.keyIdentifier: level 4.2 needs it"),
        (json!({"keyIdentifier": "one", "activateKeys": true}), "does not exist at level 4.2"),
    ] {
        let report = examine_at("4.2", &Setup::on(&server).more(more));
        assert_eq!(report.code, Some(2), "{report:#?}");
        let answer = report.value["configuration"]["answer"].as_str().unwrap();
        assert!(answer.contains(said), "{answer}");
    }
}

#[test]
fn at_4_2_pykmip_will_do() {
    let server = PyKmip::start();
    let setup = Setup::of(server.client(), server.port).more(json!({"keyIdentifier": "nobody"}));
    let report = examine_at("4.2", &setup);
    report.is_well();
    assert_eq!(report.step(0, "locate")["answer"], "by its Name");
    assert_eq!(objects(&setup), Vec::<String>::new());
}
