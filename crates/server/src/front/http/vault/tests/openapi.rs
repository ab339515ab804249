//! The OpenAPI document is generated from the routes, committed, and compared.
//!
//! `CLAVIGER_WRITE_DOCUMENTS=1` writes it instead.

use std::path::Path;

use super::*;
use crate::front::http::vault::openapi;

fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")
}

#[tokio::test]
async fn the_committed_document_is_the_one_that_is_served() {
    let text = serde_json::to_string_pretty(&openapi::whole()).unwrap() + "\n";
    if std::env::var_os("CLAVIGER_WRITE_DOCUMENTS").is_some_and(|value| value == "1") {
        std::fs::write(committed(), &text).unwrap();
    }
    let kept = std::fs::read_to_string(committed()).unwrap();
    // Not shown: it is long, and git shows the difference once it is written anew.
    assert!(kept == text, "write docs/openapi.json anew with CLAVIGER_WRITE_DOCUMENTS=1");
    let served = Server::ready().await.get("sys/internal/specs/openapi").await;
    assert_eq!((served.status, served.json()), (200, serde_json::from_str(&kept).unwrap()));
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_capture_a_parameter() {
    let document = openapi::whole();
    let mut names = std::collections::HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["parameters"].as_array().map_or(0, Vec::len);
        assert_eq!(path.matches('{').count(), parameters, "{path}");
        for verb in ["get", "post", "delete"] {
            let Some(name) = item[verb]["operationId"].as_str() else { continue };
            let mounted = path.contains("kmip_mount_path");
            assert!(names.insert((mounted, name.to_owned())), "{name}");
        }
    }
}
