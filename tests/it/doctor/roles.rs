//! Roles that do not grant everything: what a product does not need may be missing, what it needs is named.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Report, Setup};
use crate::api::Api;
use crate::at_rest::{ACTIVE, Kms, shown};
use crate::server::{ROOT_TOKEN, Server, binary};

/// A credential of a new role of the scope `default`, in a directory.
fn credential(server: &Server, directory: &Path, role: &Value) -> PathBuf {
    let api = Api::root(server);
    assert_eq!(api.write("kmip/scope/default/role/limited", role).status, 204);
    let out = directory.join("limited");
    let output = Command::new(binary())
        .args(["credential", "generate", "default", "limited", "--for", "pykmip"])
        .args(["--server", &server.kmip.to_string(), "--out"])
        .arg(&out)
        .env("CLAVIGER_ADDR", &server.api)
        .env("CLAVIGER_TOKEN", ROOT_TOKEN)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", shown(&output));
    out
}

fn examine(server: &Server, product: &str, role: Value) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let client = credential(server, directory.path(), &role);
    Setup::of(&client, server.kmip.port()).examine(product)
}

fn allowing(operations: &[&str]) -> Value {
    let mut role = json!({});
    for operation in operations {
        role[format!("operation_{operation}")] = true.into();
    }
    role
}

const MONGOD: [&str; 4] = ["register", "activate", "get_attributes", "get"];
const MYSQL: [&str; 7] =
    ["register", "activate", "get_attributes", "get", "locate", "revoke", "destroy"];
const ZENKO: [&str; 6] = ["create", "activate", "encrypt", "decrypt", "revoke", "destroy"];

#[test]
fn mongod_needs_no_more_than_it_asks() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let mut role = allowing(&MONGOD);
    role["operation_query"] = false.into();
    let report = examine(&server, "mongod", role);
    report.is_well();
    assert_eq!(report.all(0, "not needed"), ["operations", "revoke", "destroy", "key"]);
    // What may not be removed is named, and is the only thing that is there.
    let left_over = &report.value["left_over"][0];
    let id = left_over["unique_identifier"].as_str().unwrap();
    assert_eq!(kms.keys(), [id]);
    assert_eq!(kms.state(id), ACTIVE);
    assert_eq!(left_over["server"], server.kmip.to_string());
}

#[test]
fn people_are_told_of_what_is_left_over() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let client = credential(&server, directory.path(), &allowing(&MONGOD));
    let setup = Setup::of(&client, server.kmip.port());
    let output = super::doctor("mongod", &setup.write("mongod")).output().unwrap();
    assert!(output.status.success(), "{}", shown(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let mut kms = Kms::of(&server);
    let [id] = kms.keys().try_into().unwrap();
    assert!(said.contains(&format!("`claviger object destroy {id}`")), "{said}");
}

#[test]
fn an_operation_that_a_product_needs_is_named() {
    let server = Server::start();
    let steps = |operation: &str| match operation {
        "register" | "create" => "create",
        "get_attributes" => "state",
        "activate" => "activate",
        "get" => "get",
        "locate" => "locate",
        "encrypt" => "encrypt",
        "decrypt" => "decrypt",
        "revoke" => "revoke",
        _ => "destroy",
    };
    let products =
        [("mongod", &MONGOD[..]), ("mysql", &MYSQL), ("component", &MYSQL), ("zenko", &ZENKO)];
    for (product, operations) in products {
        for missing in operations {
            let mut role = allowing(operations);
            role[format!("operation_{missing}")] = false.into();
            let report = examine(&server, product, role);
            let step = report.failed(0, steps(missing), "PermissionDenied");
            let change = step["change"].as_str().unwrap();
            assert!(change.contains(&format!("--allow {missing}`")), "{product}: {change}");
            assert_eq!(report.code, Some(1), "{report:#?}");
        }
    }
}

#[test]
fn a_credential_that_was_revoked() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let client = credential(&server, directory.path(), &allowing(&MYSQL));
    let api = Api::root(&server);
    assert_eq!(api.delete("kmip/scope/default/role/limited").status, 204);
    for product in super::PRODUCTS {
        let report = Setup::of(&client, server.kmip.port()).examine(product);
        let failed = report.all(0, "failed");
        assert_eq!(failed, ["identity"], "{report:#?}");
        assert_eq!(report.result(0, "create"), "skipped");
    }
}
