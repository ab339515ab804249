//! Every way to say every option, and every way to say it wrongly.

use std::path::{Path, PathBuf};

use claviger_client::Endpoint;

use super::*;

const BASE: &str = "/conf";

fn endpoints(texts: &[&str]) -> Vec<Endpoint> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn base() -> &'static Path {
    Path::new(BASE)
}

fn environment(variables: &[(&str, &str)]) -> Result<Given, Vec<Problem>> {
    let get = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Given::from_environment(get, base())
}

/// Files with the names, all empty, and the directory.
fn files(names: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    names.iter().for_each(|name| std::fs::write(directory.path().join(name), "").unwrap());
    directory
}

const VALUES: &str = "
global: {registry: example}
kmip:
  enabled: true
  port: 5697
  # Both of them.
  hosts:
    - kms-1.example.com
    - 10.0.0.2:5698
    - \"fd00::1\"
  compoundCreate: true
  bucketAttributeName: 'x-bucket'
  pipelineDepth: 4
";

#[test]
fn values_yaml_with_certificates_beside_it() {
    let directory = files(&["kmip-key.pem", "kmip-cert.pem", "kmip-ca.pem", "other.pem"]);
    let certificates = Given::from_certificates(directory.path()).unwrap();
    let given = Given::from_values_yaml(VALUES).unwrap().over(certificates);
    let options = given.options().unwrap();
    assert_eq!(
        options.hosts,
        endpoints(&["kms-1.example.com:5697", "10.0.0.2:5698", "[fd00::1]:5697"])
    );
    assert!(options.enabled && options.compound_create);
    assert_eq!(options.bucket_attribute_name.as_deref(), Some("x-bucket"));
    assert_eq!(options.pipeline_depth, 4);
    let file = |name| directory.path().join(name);
    assert_eq!(options.tls.key, Some(file("kmip-key.pem")));
    assert_eq!(options.tls.certificate, Some(file("kmip-cert.pem")));
    assert_eq!(options.tls.authorities, [file("kmip-ca.pem")]);
    assert!(!options.tls.system_authorities);
}

#[test]
fn the_chart_s_own_values_are_defaults() {
    let chart = "cloudserver:\n  kmip:\n    enabled: false\n    port: 5696\n    hosts: []\n    compoundCreate: false\n    bucketAttributeName: ''\n    pipelineDepth: 8\n";
    let options = Given::from_values_yaml(chart).unwrap().options().unwrap();
    assert_eq!(options, Given::default().options().unwrap());
    assert_eq!((options.enabled, options.pipeline_depth), (false, PIPELINE_DEPTH));
    assert!(Given::from_values_yaml("").unwrap().is_empty());
    assert!(Given::from_values_yaml("other: 1").unwrap().is_empty());
}

#[test]
fn config_json_of_cloudserver() {
    let text = r#"{"backends": {"data": "file", "kms": "kmip"}, "kmip": {
        "providerName": "thales", "codec": {},
        "client": {"compoundCreateActivate": true, "bucketNameAttributeName": "x-b"},
        "transport": {"pipelineDepth": 0, "tls": {"host": "kms", "port": 5697,
            "key": "kmip-key.pem", "cert": "/ssl/cert.pem", "ca": ["a.pem", "b.pem"]}}}}"#;
    let options = Given::from_config_json(text, base()).unwrap().options().unwrap();
    assert_eq!(options.hosts, endpoints(&["kms:5697"]));
    assert!(options.enabled && options.compound_create);
    assert_eq!(options.pipeline_depth, 1, "0 falls back to 1");
    assert_eq!(options.provider.as_deref(), Some("thales"));
    assert_eq!(options.bucket_attribute_name.as_deref(), Some("x-b"));
    assert_eq!(options.tls.key, Some(PathBuf::from("/conf/kmip-key.pem")));
    assert_eq!(options.tls.certificate, Some(PathBuf::from("/ssl/cert.pem")));
    assert_eq!(options.tls.authorities, ["/conf/a.pem", "/conf/b.pem"].map(PathBuf::from));
}

#[test]
fn config_json_of_a_cluster() {
    let member = |host: &str, more: &str| {
        format!(
            r#"{{"pipelineDepth": 8, "tls": {{"host": "{host}", "key": "k", "cert": "c", "ca": "a" {more}}}}}"#
        )
    };
    let cluster = |members: &[String]| {
        let members = members.join(",");
        let text =
            format!(r#"{{"backends": {{"kms": "kmip"}}, "kmip": {{"transport": [{members}]}}}}"#);
        Given::from_config_json(&text, base())
    };
    let given = cluster(&[member("a", ""), member("b", r#", "port": 1"#), member("::1", "")]);
    let options = given.unwrap().options().unwrap();
    assert_eq!(options.hosts, endpoints(&["a:5696", "b:1", "[::1]:5696"]));
    assert_eq!(options.tls.authorities, [PathBuf::from("/conf/a")]);
    let mixed = cluster(&[member("a", ""), member("b", "").replace("\"c\"", "\"d\"")]);
    let problems = mixed.unwrap_err();
    assert_eq!(problems[0].name, "kmip.transport.tls.cert");
}

#[test]
fn every_variable_of_the_environment_and_who_has_the_last_word() {
    let variables = [
        ("S3KMS", "kmip"),
        ("S3KMIP_COMPOUND_CREATE", "true"),
        ("S3KMIP_BUCKET_ATTRIBUTE_NAME", "x-b"),
        ("S3KMIP_PIPELINE_DEPTH", "16"),
        ("S3KMIP_PORT", "5697"),
        ("S3KMIP_HOSTS", "a, b:1,"),
        ("S3KMIP_KEY", "k.pem"),
        ("S3KMIP_CERT", "/c.pem"),
        ("S3KMIP_CA", "a.pem,b.pem"),
    ];
    let given = environment(&variables).unwrap();
    let options = given.options().unwrap();
    assert_eq!(options.hosts, endpoints(&["a:5697", "b:1"]));
    assert!(options.enabled && options.compound_create);
    assert_eq!(options.pipeline_depth, 16);
    assert_eq!(options.tls.authorities, ["/conf/a.pem", "/conf/b.pem"].map(PathBuf::from));
    let json = r#"{"kmip": {"transport": {"pipelineDepth": 2}}}"#;
    let above = Given::from_config_json(json, base()).unwrap();
    let options = above.over(given).options().unwrap();
    assert_eq!((options.pipeline_depth, options.hosts.len()), (2, 2));
    assert!(environment(&[("S3KMS", "file")]).unwrap().options().is_ok_and(|it| !it.enabled));
    // Each variable of the table is among them.
    let known = OPTIONS.iter().filter(|row| !row.environment.is_empty());
    assert_eq!(known.count(), variables.len());
}

#[test]
fn what_is_wrong_is_named_where_it_stands() {
    let yaml =
        |text: &str| Given::from_values_yaml(text).and_then(|given| given.options().map(|_| ()));
    let json = |text: &str| {
        Given::from_config_json(text, base()).and_then(|given| given.options().map(|_| ()))
    };
    let variables = |name: &str, value: &str| {
        environment(&[(name, value)]).and_then(|given| given.options().map(|_| ()))
    };
    for (result, name, problem) in [
        (yaml("kmip: {enabled: maybe}"), "kmip.enabled", "true or false"),
        (yaml("kmip: {port: 70000}"), "kmip.port", "from 0 to 65535"),
        (yaml("kmip: {pipelineDepth: -1}"), "kmip.pipelineDepth", "whole number"),
        (yaml("kmip: {hosts: ['a:b']}"), "kmip.hosts", "HOST[:PORT]"),
        (yaml("kmip: {hosts: {a: 1}}"), "kmip.hosts", "list"),
        (yaml("kmip: {retries: 1}"), "kmip.retries", "no such option"),
        (yaml("kmip: {kmip-key.pem: x}"), "kmip.kmip-key.pem", "no such option"),
        (yaml("kmip: {}\nx: {kmip: {}}"), "x.kmip", "another one"),
        (yaml("a: [}"), "values.yaml", ""),
        (yaml("kmip: {port: 1, port: 2}"), "line 1", "twice"),
        (yaml("kmip: {enabled: true}"), "hosts", "no KMIP server"),
        (yaml("kmip: {enabled: true, hosts: [a]}"), "kmip-cert.pem", "missing"),
        (json("{"), "config.json", ""),
        (json(r#"{"kmip": {"client": {"x": 1}}}"#), "kmip.client.x", "no such option"),
        (json(r#"{"kmip": {"x": 1}}"#), "kmip.x", "no such option"),
        (json(r#"{"kmip": {"transport": {"tls": {"x": 1}}}}"#), "kmip.transport.tls.x", "no such"),
        (
            json(r#"{"kmip": {"transport": {"tls": {"port": "x"}}}}"#),
            "kmip.transport.tls.port",
            "port",
        ),
        (
            json(r#"{"kmip": {"transport": {"tls": {"key": "k"}}}}"#),
            "kmip.transport.tls.key",
            "certificate",
        ),
        (variables("S3KMIP_COMPOUND_CREATE", "yes"), "S3KMIP_COMPOUND_CREATE", "true or false"),
        (variables("S3KMIP_CERT", "c"), "S3KMIP_CERT", "private key"),
    ] {
        let problems = result.expect_err(name);
        assert_eq!(problems[0].name, name, "{problems:?}");
        assert!(problems[0].problem.contains(problem), "{problems:?}");
    }
}

#[test]
fn bucket_attributes_and_providers_that_cannot_be() {
    let with = |change: &dyn Fn(&mut Options)| {
        let tls = Settings { certificate: Some("c".into()), ..Settings::default() };
        let mut options = Options::new(endpoints(&["a"]), tls);
        change(&mut options);
        options.check()
    };
    assert_eq!(with(&|_| {}), Ok(()));
    for name in ["x-bucket", "bucket", "My Bucket"] {
        assert_eq!(with(&|it| it.bucket_attribute_name = Some(name.into())), Ok(()), "{name}");
    }
    assert!(with(&|it| it.bucket_attribute_name = Some("Name".into())).is_err());
    assert!(with(&|it| it.provider = Some("Thales".into())).is_err());
}

#[test]
fn certificates_are_found_by_their_names() {
    let found = |names: &[&str]| {
        let directory = files(names);
        let result = Given::from_certificates(directory.path());
        (directory, result)
    };
    let (directory, given) = found(&["kmip-ca.pem", "kmip-ca-2.pem", "notes.txt"]);
    let options = given.unwrap().options().unwrap();
    let names = ["kmip-ca-2.pem", "kmip-ca.pem"].map(|name| directory.path().join(name));
    assert_eq!(options.tls.authorities, names);
    let (_directory, given) = found(&["kmip-cert.pem", "kmip-client.pem"]);
    assert!(given.unwrap_err()[0].name.ends_with("kmip-client.pem"));
    let (_directory, given) = found(&["kmip-cert.pem"]);
    assert!(given.unwrap().options().unwrap_err()[0].problem.contains("private key"));
    assert!(Given::from_certificates(Path::new("/nowhere/at/all")).is_err());
}

/// The table of docs/zenko.md. `CLAVIGER_WRITE_DOCUMENTS=1` writes it anew instead of comparing it.
#[test]
fn the_document_has_every_option() {
    let mut table = String::from(
        "| values.yaml | config.json | environment | takes | default | |\n|---|---|---|---|---|---|\n",
    );
    for row in OPTIONS {
        let quoted = |name: &str| match name {
            "" => String::new(),
            name => format!("`{name}`"),
        };
        let [yaml, json, variable] =
            [row.values_yaml, row.config_json, row.environment].map(quoted);
        let (takes, default, text) = (row.shape.text(), row.default, row.text);
        table.push_str(&format!(
            "| {yaml} | {json} | {variable} | {takes} | {default} | {text} |\n"
        ));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/zenko.md");
    let mut document = std::fs::read_to_string(path).unwrap();
    let begin = "<!-- options: begin -->\n";
    let from = document.find(begin).unwrap() + begin.len();
    let to = document.find("<!-- options: end -->").unwrap();
    if std::env::var_os("CLAVIGER_WRITE_DOCUMENTS").is_some() {
        document.replace_range(from..to, &table);
        std::fs::write(path, document).unwrap();
    } else {
        let found = document.get(from..to).unwrap();
        assert_eq!(found, table, "write it anew with CLAVIGER_WRITE_DOCUMENTS=1");
    }
}
