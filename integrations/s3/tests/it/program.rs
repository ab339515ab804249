//! The program's arguments and files; what it does as a server is in the tests of the whole project.

use std::path::Path;
use std::process::Command;

const ACCESS_KEY: &str = "TESTACCESSKEY";
const SECRET_KEY: &str = "test secret key";

#[test]
fn wrong_arguments_are_refused_and_no_secret_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("gateway.toml");
    let refused = |arguments: &[&str], expected: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_claviger-s3"))
            .args(arguments)
            .env_remove("AWS_ACCESS_KEY_ID")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains(SECRET_KEY), "{said}");
    };
    let signed = ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY];
    let store = ["--store", "store"];
    refused(&signed, "--store");
    refused(&store, "--access-key");
    refused(&[&store[..], &signed[..2]].concat(), "--secret-key");
    refused(&[&store[..], &signed, &["--kmip-server", "kms"]].concat(), "--client");
    refused(&[&store[..], &signed, &["--client", "client"]].concat(), "--kmip-server");
    refused(&[&store[..], &signed, &["--encrypt", "all"]].concat(), "--kmip-server");
    refused(&["--store", "ftp://store", signed[0], signed[1], signed[2], signed[3]], "ftp://store");
    let other = |url| [&["--store", url][..], &signed].concat();
    refused(&other("http://store"), "--store-credentials");
    refused(&[&store[..], &signed, &["--store-region", "eu"]].concat(), "--store URL");
    let keys = directory.path().join("store.toml");
    let known = |url| [&other(url)[..], &["--store-credentials", text_of(&keys)]].concat();
    std::fs::write(&keys, format!("access_key = \"A\"\nsecret_key = \"{SECRET_KEY}\"\nx = 1\n"))
        .unwrap();
    refused(&known("http://store"), "store.toml");
    std::fs::write(&keys, format!("access_key = \"A\"\nsecret_key = \"{SECRET_KEY}\"\n")).unwrap();
    refused(&known("http://store/bucket"), "http://store/bucket");
    refused(&known("https://somebody@store"), "somebody@store");
    refused(&[&known("https://store")[..], &["--store-ca", "absent.pem"]].concat(), "absent.pem");
    for text in [
        format!("access_key = \"{ACCESS_KEY}\"\nsecret_key = \"{SECRET_KEY}\"\nunknown = 1\n"),
        format!("access_key = \"{ACCESS_KEY}\"\nsecret_key = \"{SECRET_KEY}\n"),
    ] {
        std::fs::write(&file, text).unwrap();
        refused(&["--config", text_of(&file)], "gateway.toml");
    }
    let values = directory.path().join("values.yaml");
    let zenko = [&store[..], &signed, &["--zenko", text_of(&values)]].concat();
    refused(&zenko, "values.yaml");
    std::fs::write(&values, "kmip: {enabled: false}").unwrap();
    refused(&zenko, "KMIP is not enabled there");
    refused(&[&zenko[..], &["--kmip-server", "kms"]].concat(), "--zenko");
    std::fs::write(&values, "kmip: {enabled: true, retries: 1}").unwrap();
    refused(&zenko, "kmip.retries: there is no such option");
    std::fs::write(&values, "kmip: {enabled: true, hosts: [kms]}").unwrap();
    refused(&zenko, "kmip-cert.pem: the client's certificate is missing");
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}
