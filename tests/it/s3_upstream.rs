//! The S3 gateway before another S3 store: moto from PyPI, and another gateway behind HTTPS. What holds before a directory holds
//! here too, by the same scripts; `clients/s3_upstream.py` says what has to hold besides.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::clients::python;
use crate::s3::{Gateway, rounds, self_signed, with_binaries};

/// Smaller than before a directory: what large objects go through does not depend on the store.
const SIZE: &str = "9000001";

/// moto, which ends with its standard input.
struct Moto {
    child: Child,
    endpoint: String,
}

impl Moto {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/s3_moto.py");
        let mut child = Command::new(python())
            .args(["-B", "-W", "ignore"])
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let endpoint = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ready store=").map(str::to_owned))
            .expect("moto got ready");
        Self { child, endpoint }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn boto3_drives_every_operation_before_moto() {
    let moto = Moto::start();
    let gateway = Gateway::start_on(Some(&moto.endpoint), &[]);
    gateway.drive_with("s3_boto3.py", 110, |command| {
        command.args(["--upstream", "moto"]);
    });
}

#[test]
fn boto3_drives_every_operation_in_zenkos_format_before_moto() {
    let moto = Moto::start();
    let gateway = Gateway::start_on(Some(&moto.endpoint), &["--format", "scheme1"]);
    gateway.drive_with("s3_boto3.py", 110, |command| {
        command.args(["--upstream", "moto", "--size", SIZE]);
    });
}

#[test]
fn the_aws_command_does_what_people_type_before_moto() {
    let moto = Moto::start();
    Gateway::start_on(Some(&moto.endpoint), &[]).drive("s3_awscli.py", 7);
}

/// A store that has all of S3's versioning, and a certificate that the system does not trust.
#[test]
fn boto3_drives_every_operation_before_another_gateway_behind_tls() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = self_signed(directory.path());
    let files = [certificate.to_str().unwrap(), key.to_str().unwrap()];
    let tls = ["--tls-certificate", files[0], "--tls-key", files[1], "--encrypt", "asked"];
    let store = Gateway::start(&tls);
    assert!(store.endpoint.starts_with("https://"), "{}", store.endpoint);
    let gateway = Gateway::start_on(Some(&store.endpoint), &["--store-ca", files[0]]);
    gateway.drive_with("s3_boto3.py", 110, |command| {
        command.args(["--size", SIZE]);
    });
}

#[test]
fn what_the_other_store_has_is_not_believed_and_not_in_the_clear() {
    with_binaries("s3_upstream.py", 59, &[]);
}

#[test]
fn an_outage_of_the_kmip_server_is_said_and_ends_before_moto() {
    with_binaries("s3_faults.py", 5, &["outage", "--upstream"]);
}

#[test]
fn the_kmip_server_is_asked_no_more_often_before_moto() {
    with_binaries("s3_faults.py", 28, &["counts", "--upstream"]);
}

#[test]
fn killed_at_any_moment_an_object_before_moto_is_the_old_one_or_the_new_one() {
    with_binaries("s3_faults.py", 2, &["killed", "--upstream", "--rounds", &rounds()]);
}
