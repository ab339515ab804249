//! The S3 gateway before a real KMIP server, driven by boto3, by the `aws` command, and by what no client sends; the scripts in
//! `clients/s3_*.py` say what has to hold. Those about faults start, kill and damage processes of their own.
//!
//! `CLAVIGER_CRASH_ROUNDS` is how often a gateway is killed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::clients::run_with;
use crate::server::{Server, binary};

const ACCESS_KEY: &str = "TESTACCESSKEY";
const SECRET_KEY: &str = "test secret key";

/// The gateway, beside the binary under test.
pub(crate) fn gateway() -> PathBuf {
    let gateway = binary().with_file_name("claviger-s3");
    assert!(gateway.exists(), "{} is not built: cargo build --workspace", gateway.display());
    gateway
}

/// A running gateway with a store of its own.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) endpoint: String,
    scratch: tempfile::TempDir,
    server: Server,
}

impl Gateway {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_on(None, arguments)
    }

    /// Before another S3 store, which has an address.
    pub(crate) fn start_on(store: Option<&str>, arguments: &[&str]) -> Self {
        let server = Server::start();
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("store");
        let mut child = Command::new(gateway())
            .args(["--listen", "127.0.0.1:0", "--store"])
            .arg(store.map_or(directory.as_os_str(), OsStr::new))
            .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)])
            .args(["--kmip-server", &server.kmip.to_string(), "--client"])
            .arg(&server.client)
            .args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let endpoint = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ready s3=").map(str::to_owned))
            .expect("the gateway got ready");
        Self { child, endpoint, scratch, server }
    }

    pub(crate) fn drive(&self, script: &str, checks_min: usize) {
        self.drive_with(script, checks_min, |_| {});
    }

    pub(crate) fn drive_with(
        &self,
        script: &str,
        checks_min: usize,
        more: impl FnOnce(&mut Command),
    ) {
        run_with(script, checks_min, |command| {
            more(command);
            command
                .args(["--endpoint", &self.endpoint, "--access-key", ACCESS_KEY])
                .args(["--secret-key", SECRET_KEY, "--scratch"])
                .arg(self.scratch.path());
        });
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the KMIP server's stderr ---\n{}", self.server.stderr());
        }
    }
}

pub(crate) fn with_binaries(script: &str, checks_min: usize, more: &[&str]) {
    run_with(script, checks_min, |command| {
        command.arg("--gateway").arg(gateway()).arg("--claviger").arg(binary()).args(more);
    });
}

/// How often a gateway is killed.
pub(crate) fn rounds() -> String {
    std::env::var("CLAVIGER_CRASH_ROUNDS").unwrap_or_else(|_| "50".to_owned())
}

/// Files with a certificate for this machine, and with its key.
pub(crate) fn self_signed(directory: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}

#[test]
fn boto3_drives_every_operation() {
    Gateway::start(&[]).drive("s3_boto3.py", 122);
}

#[test]
fn boto3_drives_every_operation_in_zenkos_format() {
    Gateway::start(&["--format", "scheme1"]).drive("s3_boto3.py", 122);
}

#[test]
fn the_aws_command_does_what_people_type() {
    Gateway::start(&[]).drive("s3_awscli.py", 7);
}

#[test]
fn behind_tls_clients_find_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = self_signed(directory.path());
    let files = [certificate.to_str().unwrap(), key.to_str().unwrap()];
    let gateway = Gateway::start(&["--tls-certificate", files[0], "--tls-key", files[1]]);
    assert!(gateway.endpoint.starts_with("https://"), "{}", gateway.endpoint);
    // Over TLS clients sign no payloads, and send checksums behind them.
    for (script, checks_min) in [("s3_awscli.py", 7), ("s3_boto3.py", 122)] {
        gateway.drive_with(script, checks_min, |command| {
            command.env("AWS_CA_BUNDLE", &certificate).env("SSL_CERT_FILE", &certificate);
        });
    }
}

#[test]
fn what_no_client_sends_is_refused_and_stores_nothing() {
    with_binaries("s3_wire.py", 50, &[]);
}

#[test]
fn no_wrong_byte_of_a_damaged_store_leaves() {
    with_binaries("s3_faults.py", 40, &["damage"]);
}

#[test]
fn an_outage_of_the_kmip_server_is_said_and_ends() {
    with_binaries("s3_faults.py", 5, &["outage"]);
}

#[test]
fn the_kmip_server_is_asked_no_more_often_than_by_zenko() {
    with_binaries("s3_faults.py", 28, &["counts"]);
}

#[test]
fn killed_at_any_moment_an_object_is_the_old_one_or_the_new_one() {
    with_binaries("s3_faults.py", 4, &["interrupted", "killed", "--rounds", &rounds()]);
}

#[test]
fn keys_of_buckets_are_rotated_and_data_keys_rewrapped() {
    with_binaries("s3_rotation.py", 11, &[]);
}

#[test]
fn keys_of_buckets_are_rotated_while_clients_write() {
    with_binaries("s3_rotation_running.py", 11, &[]);
}
