//! What the documents say is what the server does: the table of operations against the answers to Query, the
//! permissions against what roles take, and the files they name against those that are there.
//!
//! `CLAVIGER_WRITE_DOCUMENTS=1` writes the table instead of comparing it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::api::Api;
use crate::server::{Server, binary};

const VERSIONS: [&str; 7] = ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1"];
const DOCUMENTS: [&str; 11] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/operations.md",
    "docs/conformance.md",
    "docs/formats.md",
    "docs/config.md",
    "docs/at-rest.md",
    "docs/doctor.md",
];
const BEGIN: &str = "<!-- operations: begin -->\n";
const END: &str = "<!-- operations: end -->\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What Query answers in one version.
fn operations(server: &Server, version: &str) -> Vec<String> {
    let output = Command::new(binary())
        .args(["object", "query", "--json", "--kmip-version", version])
        .args(["--server", &server.kmip.to_string(), "--client"])
        .arg(&server.client)
        .output()
        .unwrap();
    assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = answer["operations"].as_array().unwrap();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The table's rows: operation, first version, permission.
fn rows(server: &Server) -> Vec<(String, &'static str, String)> {
    let mut rows: Vec<(String, &str, String)> = Vec::new();
    for version in VERSIONS {
        for name in operations(server, version) {
            if !rows.iter().any(|(known, ..)| *known == name) {
                let permission = permission(&name);
                rows.push((name, version, permission));
            }
        }
    }
    rows
}

/// The permission of an operation: its name in snake_case, where `Re-key` counts as one word.
fn permission(name: &str) -> String {
    let letters: Vec<char> = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut words = String::new();
    for (position, letter) in letters.iter().enumerate() {
        let after_lower = position > 0 && letters[position - 1].is_ascii_lowercase();
        let before_lower = letters.get(position + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && position > 0 && (after_lower || before_lower) {
            words.push('_');
        }
        words.push(letter.to_ascii_lowercase());
    }
    match words.strip_prefix("re_") {
        Some(rest) => format!("operation_re{rest}"),
        None => format!("operation_{words}"),
    }
}

fn table(rows: &[(String, &str, String)]) -> String {
    let mut text = String::from("| operation | since | permission |\n|---|---|---|\n");
    for (name, since, permission) in rows {
        text.push_str(&format!("| {name} | {since} | `{permission}` |\n"));
    }
    text
}

#[test]
fn the_operations_are_those_that_query_names() {
    let server = Server::start();
    let rows = rows(&server);
    assert!(rows.len() > 15, "{rows:?}");
    let path = root().join("docs/operations.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning is marked");
    let (found, after) = rest.split_once(END).expect("the table's end is marked");
    let expected = table(&rows);
    if std::env::var_os("CLAVIGER_WRITE_DOCUMENTS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(
        found, expected,
        "docs/operations.md is not what Query answers; CLAVIGER_WRITE_DOCUMENTS=1 writes it anew"
    );
}

#[test]
fn every_permission_of_the_table_is_one() {
    let server = Server::start();
    let api = Api::root(&server);
    assert_eq!(api.write("kmip/scope/documents", &json!({})).status, 204);
    for (name, _, permission) in rows(&server) {
        let role = "kmip/scope/documents/role/one";
        let written = api.write(role, &json!({ &permission: true }));
        assert_eq!(written.status, 204, "{name}: {written:?}");
        assert_eq!(api.get(role).data()[&permission], Value::Bool(true), "{name}");
    }
}

#[test]
fn the_documents_link_to_files_that_are_there() {
    let mut missing = Vec::new();
    let mut links = 0;
    for name in DOCUMENTS {
        let path = root().join(name);
        let directory = path.parent().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") || link.starts_with('#') {
                continue;
            }
            links += 1;
            if !directory.join(link).exists() {
                missing.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(links > 10, "only {links} links found");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Paths in backticks, in the document that lives by them. What is no path of ours has no `crates/` before it.
#[test]
fn the_architecture_names_files_that_are_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut missing = Vec::new();
    let paths = text.split('`').skip(1).step_by(2).filter(|word| word.starts_with("crates/"));
    for path in paths.filter(|path| !path.contains("/x.rs")) {
        if !root().join(path).exists() {
            missing.push(path);
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
