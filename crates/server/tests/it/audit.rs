//! KMIP and the audit: what no device takes is not done, and what is recorded tells no key.

use std::os::unix::net::UnixListener;

use claviger_kmip::Version;
use claviger_kmip::enums::{Operation, ResultStatus};
use claviger_kmip::payload::{DestroyRequest, LocateRequest, LocateResponse};
use claviger_server::access::{Name, OperationSet, RoleChange};
use claviger_server::audit::{DeviceConfig, verify};

use crate::fixture::{Fixture, create_request, name};

fn device(path: &str, kind: &str, options: &[(&str, &str)]) -> DeviceConfig {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    DeviceConfig::parse(path, kind, "", options.iter().map(owned).collect()).unwrap()
}

#[tokio::test]
async fn a_request_that_no_device_takes_is_refused_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let peer = directory.path().join("peer");
    let listener = UnixListener::bind(&peer).unwrap();
    let fixture = Fixture::new();
    let audit = &fixture.service.audit;
    let options = [("address", peer.to_str().unwrap()), ("socket_type", "unix")];
    audit.enable(device("peer", "socket", &options), &[1; 32], 0).unwrap();
    fixture.create(vec![name("recorded")]).await;

    drop(listener);
    std::fs::remove_file(&peer).unwrap();
    let refused = fixture.attempt(Version::V1_4, &create_request(vec![])).await;
    assert_eq!(refused.status, ResultStatus::OPERATION_FAILED);

    // Another device makes up for it; the refused object is not there.
    let file = directory.path().join("audit.log");
    let options = [("file_path", file.to_str().unwrap())];
    audit.enable(device("file", "file", &options), &[2; 32], 0).unwrap();
    let found: LocateResponse = fixture.call(Version::V1_4, &LocateRequest::default()).await;
    assert_eq!(found.unique_identifier.len(), 1);
    fixture.create(vec![]).await;
    audit.sync().wait().unwrap();
    assert_eq!(verify(&file).unwrap().lines, 5, "enabled, then two requests and their outcomes");
}

#[tokio::test]
async fn a_request_that_the_role_forbids_is_recorded_too() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("audit.log");
    let fixture = Fixture::new();
    let options = [("file_path", file.to_str().unwrap())];
    fixture.service.audit.enable(device("file", "file", &options), &[2; 32], 0).unwrap();
    let mut change = RoleChange::everything();
    change.permissions.denied = OperationSet::of([Operation::DESTROY]);
    let mount = fixture.mount.clone();
    fixture
        .service
        .access
        .write_role(&mount, "scope", &Name::parse("role").unwrap(), change)
        .unwrap();
    let request = DestroyRequest { unique_identifier: Some("any".into()) };
    let refused = fixture.attempt(Version::V1_4, &request).await;
    assert_eq!(refused.status, ResultStatus::OPERATION_FAILED);

    let text = std::fs::read_to_string(&file).unwrap();
    let last = text.lines().last().unwrap();
    for part in [
        "\"phase\":\"response\"",
        "\"operation\":\"Destroy\"",
        "\"result_reason\":\"PermissionDenied\"",
        &format!("\"serial\":\"{}\"", fixture.credential.serial),
    ] {
        assert!(last.contains(part), "{part}: {last}");
    }
}
