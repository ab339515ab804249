//! The Debian packages, as the manifests describe them for `cargo deb`: what they name is there, and what they bring works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::server::binary;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The packages of the workspace.
fn workspace() -> Vec<Value> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Those that become packages of Debian.
fn packages() -> Vec<Value> {
    let is_debian = |package: &Value| package["metadata"]["deb"].is_object();
    workspace().into_iter().filter(is_debian).collect()
}

/// Whether cargo builds the file: a program, or a library that is loaded.
fn is_built(package: &Value, file: &str) -> bool {
    package["targets"].as_array().unwrap().iter().any(|target| {
        let name = target["name"].as_str().unwrap();
        let kinds = target["kind"].as_array().unwrap();
        kinds.iter().any(|kind| match kind.as_str() {
            Some("bin") => file == name,
            Some("cdylib") => file == format!("lib{name}.so"),
            _ => false,
        })
    })
}

#[test]
fn what_the_packages_name_is_there() {
    let packages = packages();
    assert!(packages.len() >= 2, "{} packages", packages.len());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let directory = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        let deb = &package["metadata"]["deb"];
        let mut places = Vec::new();
        for asset in deb["assets"].as_array().unwrap() {
            let [source, place, mode] = [0, 1, 2].map(|part| asset[part].as_str().unwrap());
            match source.strip_prefix("target/release/") {
                Some(built) => assert!(is_built(&package, built), "{name}: nobody builds {built}"),
                None => assert!(directory.join(source).is_file(), "{name}: {source} is not there"),
            }
            assert!(!place.starts_with('/') && !place.ends_with('/'), "{name}: {place}");
            assert!(["644", "755"].contains(&mode), "{name}: {place}: {mode}");
            places.push(format!("/{place}"));
        }
        for file in deb["conf-files"].as_array().unwrap() {
            let file = file.as_str().unwrap();
            assert!(file.starts_with("/etc/"), "{name}: {file}");
            assert!(places.iter().any(|place| place == file), "{name}: {file} is not brought");
        }
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(places.iter().any(|place| place.ends_with(licence)), "{name}: no {licence}");
        }
        let units = &deb["systemd-units"];
        if let Some(unit) = units["unit-name"].as_str() {
            let scripts = directory.join(units["unit-scripts"].as_str().unwrap());
            assert!(scripts.join(format!("{unit}.service")).is_file(), "{name}: {unit}.service");
        }
    }
}

#[test]
fn the_service_s_configuration_and_command_are_right() {
    let directory = root().join("crates/claviger/debian");
    let scratch = tempfile::tempdir().unwrap();
    let configuration = scratch.path().join("claviger.toml");
    fs::copy(directory.join("claviger.toml"), &configuration).unwrap();
    let checked = Command::new(binary()).arg("check-config").arg(&configuration).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));

    let unit = fs::read_to_string(directory.join("claviger.service")).unwrap();
    assert!(
        unit.contains(
            "\nExecStart=/usr/bin/claviger server --config /etc/claviger/claviger.toml\n"
        )
    );
    // The code of a PIN that a token does not take: tried again and again, it locks the token.
    assert!(unit.contains("\nRestartPreventExitStatus=2\n"));
    let text = fs::read_to_string(&configuration).unwrap();
    // What the unit makes for it is what it uses.
    for (key, place) in [("StateDirectory", "/var/lib/"), ("LogsDirectory", "/var/log/")] {
        assert!(unit.contains(&format!("\n{key}=claviger\n")), "{key}");
        assert!(text.contains(&format!("\"{place}claviger")), "{place}");
    }
}

/// Cargo publishes what is not forbidden, and names what it needs by version.
#[test]
fn the_client_can_be_published_with_what_it_needs() {
    let all = workspace();
    let (mut named, mut next) = (Vec::new(), vec![String::from("claviger-client")]);
    while let Some(name) = next.pop() {
        let package = all.iter().find(|package| package["name"] == name.as_str()).unwrap();
        assert!(package["publish"].is_null(), "{name}: it may not be published");
        for field in ["description", "license", "repository", "rust_version"] {
            assert!(package[field].is_string(), "{name}: {field}");
        }
        for field in ["keywords", "categories"] {
            let count = package[field].as_array().unwrap().len();
            assert!((1..=5).contains(&count), "{name}: {field}");
        }
        for needed in package["dependencies"].as_array().unwrap() {
            if needed["path"].is_string() && needed["kind"].is_null() {
                assert_ne!(needed["req"], "*", "{name} needs {}", needed["name"]);
                next.push(needed["name"].as_str().unwrap().to_owned());
            }
        }
        named.push(name);
    }
    assert!(root().join("crates/client/README.md").is_file());
    named.sort();
    named.dedup();
    assert_eq!(named, ["claviger-client", "claviger-kmip", "claviger-ttlv"]);
}
