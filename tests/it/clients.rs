//! Real client libraries, unmodified, from PyPI, against a server of their own each.
//!
//! The checks themselves are in `tests/clients`; here is only who runs them. `./test` makes the virtual environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::address::free_address;
use crate::lifecycle::Place;
use crate::server::{ROOT_TOKEN, Server};

/// The interpreter with the client libraries: `CLAVIGER_PYTHON`, or the environment that `./test` makes.
pub(crate) fn python() -> PathBuf {
    let python = std::env::var_os("CLAVIGER_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python"),
        PathBuf::from,
    );
    assert!(python.exists(), "{} is not there: run ./test clients", python.display());
    python
}

/// Runs one script on a server in development.
fn run(script: &str, server: &Server, checks_min: usize) {
    run_with(script, checks_min, |command| {
        command
            .args(["--kmip", &server.kmip.to_string()])
            .arg("--client")
            .arg(&server.client)
            .args(["--api", &server.api, "--token", ROOT_TOKEN]);
    });
}

/// Runs one script to its end; it must pass, and must have checked at least `checks_min` things.
pub(crate) fn run_with(script: &str, checks_min: usize, arguments: impl FnOnce(&mut Command)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script);
    let mut command = Command::new(python());
    command.args(["-B", "-W", "ignore"]).arg(path);
    arguments(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {}:\n{said}\n{errors}", output.status);
    let checks = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(checks >= checks_min, "{script} made {checks} checks only:\n{said}");
}

#[test]
fn pykmip_proxy_client_at_every_version() {
    run("pykmip_proxy.py", &Server::start(), 270);
}

#[test]
fn pykmip_low_level_client_at_every_version() {
    run("pykmip_low_level.py", &Server::start(), 90);
}

#[test]
fn pymongocrypt_with_both_kinds_of_master_key() {
    run("pymongocrypt_kmip.py", &Server::start(), 9);
}

#[test]
fn hvac_walks_the_vault_tutorial() {
    run("hvac_tutorial.py", &Server::start(), 28);
}

#[test]
fn hvac_leads_a_production_server_from_its_first_start() {
    let place = Place::new("type = \"shamir\"");
    let server = place.start();
    let named = free_address();
    run_with("hvac_operations.py", 20, |command| {
        command.args(["--api", &server.api, "--kmip", &place.kmip.to_string()]);
        command.args(["--named", &named.to_string(), "--ca"]).arg(place.path("api.pem"));
    });
}

#[test]
fn hvac_wraps_and_unwraps() {
    run("wrapping.py", &Server::start(), 4);
}

#[test]
fn curl_in_the_form_of_the_vault_command() {
    run("curl_vault.py", &Server::start(), 20);
}

#[test]
fn clients_see_the_same_server_on_a_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_on(directory.path());
    run("pymongocrypt_kmip.py", &server, 9);
    run("hvac_tutorial.py", &server, 28);
}
