//! `sys/raw`: from a certificate's subject to what its role allows, and to nothing else.

use super::*;

/// OU and CN of a certificate.
fn subject(pem: &str) -> (String, String) {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let subject = certificate.subject();
    let unit = subject.iter_organizational_unit().next().unwrap().as_str().unwrap().to_owned();
    let name = subject.iter_common_name().next().unwrap().as_str().unwrap().to_owned();
    (unit, name)
}

#[tokio::test]
async fn the_subject_of_a_certificate_leads_to_the_operations_of_its_role() {
    let server = Server::ready().await;
    server.api.set_raw_storage(true);
    let role = "kmip/scope/finance/role/reader";
    server.write(role, json!({"operation_get": true, "operation_locate": "true"})).await.empty();
    server.write("kmip/scope/other", json!({})).await.empty();
    let generate = format!("{role}/credential/generate");
    let made = server.write(&generate, json!({"format": "pem"})).await.data();
    let (unit, name) = subject(made["certificate"].as_str().unwrap());

    let uuid = server.get("sys/mounts/kmip").await.data()["uuid"].as_str().unwrap().to_owned();
    let keys = async |path: &str| server.keys(path).await.unwrap();
    assert_eq!(keys("sys/raw").await, ["logical/"]);
    assert_eq!(keys("sys/raw/logical/").await, [format!("{uuid}/")]);
    let mount = format!("sys/raw/logical/{uuid}");
    assert_eq!(keys(&format!("{mount}/")).await, ["scope/"]);
    let scopes = keys(&format!("{mount}/scope/")).await;
    assert_eq!(scopes.len(), 4, "two scopes, each a value and a folder");
    assert!(scopes.contains(&unit) && scopes.contains(&format!("{unit}/")));
    let listed = server.call("LIST", &format!("{mount}/scope/{unit}"), b"").await.data();
    assert_eq!(listed["keys"], json!(["role/"]));
    let roles = keys(&format!("{mount}/scope/{unit}/role/")).await;
    assert!(roles.len() == 2 && roles.contains(&name));

    let at = format!("{mount}/scope/{unit}/role/{name}");
    let value = server.get(&at).await.data()["value"].as_str().unwrap().to_owned();
    let value: Value = serde_json::from_str(&value).unwrap();
    assert_eq!(value["name"], "reader");
    assert_eq!(value["scope"], json!({"id": unit, "name": "finance"}));
    let allowed: Vec<&str> = value["allowed_operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect();
    assert!(allowed.contains(&"operation_get") && allowed.contains(&"operation_locate"));
    assert!(!allowed.contains(&"operation_destroy"));
    server.write(role, json!({"operation_get": false})).await.empty();
    let value = server.get(&at).await.data()["value"].to_string();
    assert!(!value.contains("operation_get\\\""), "{value}");
    let value = server.get(&format!("{mount}/scope/{unit}")).await.data()["value"].to_string();
    assert!(value.contains("finance"));
}

#[tokio::test]
async fn nothing_else_can_be_reached_and_nothing_written() {
    let server = Server::ready().await;
    let uuid = server.get("sys/mounts/kmip").await.data()["uuid"].as_str().unwrap().to_owned();
    let mount = format!("sys/raw/logical/{uuid}");
    let off = server.get(&format!("{mount}/scope")).await.refused(404);
    assert!(off.contains("unsupported path"));
    server.call("LIST", "sys/raw", b"").await.refused(404);

    server.api.set_raw_storage(true);
    for path in [
        "sys/raw/core/keyring",
        "sys/raw/core/seal-config",
        "sys/raw/sys/token/id",
        "sys/raw/k",
        "sys/raw/logical",
        &mount,
        &format!("{mount}/ca"),
        &format!("{mount}/config"),
        &format!("{mount}/scope/finance"),
        &format!("{mount}/scope/finance/role/accounting"),
        &format!("{mount}/object"),
        "sys/raw/logical/00000000-0000-4000-8000-000000000000/scope",
    ] {
        server.get(path).await.refused(404);
        server.write(path, json!({"value": "x"})).await.refused(405);
        server.delete(path).await.refused(405);
    }
}
