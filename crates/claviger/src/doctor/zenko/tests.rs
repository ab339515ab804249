//! The three forms, and what counts more.

use super::*;

fn environment(lines: &str) -> Variables {
    Variables::of_file(lines)
}

fn read_in(text: &str, lines: &str) -> Result<Target, Fault> {
    read(text, Path::new("/conf"), &environment(lines))
}

fn endpoints(target: &Target) -> Vec<String> {
    target.servers.iter().map(|server| server.endpoint.to_string()).collect()
}

/// The first file that is missed tells where files are looked for.
fn missed(target: &Target) -> String {
    target.servers[0].tls.as_ref().unwrap_err().problem.clone()
}

const VARIABLES: &str =
    "S3KMS=kmip\nexport S3KMIP_HOSTS='kms1'\nS3KMIP_PORT=5697\nS3KMIP_CA=/e/ca.pem\n";

#[test]
fn variables_alone() {
    let target = read_in(VARIABLES, "").unwrap();
    assert_eq!(endpoints(&target), ["kms1:5697"]);
    assert!(missed(&target).starts_with("/e/ca.pem: "), "{}", missed(&target));
    assert!(target.advice.is_empty(), "{:?}", target.advice);
    let target = read_in("S3KMIP_HOSTS=a,b\nS3KMIP_COMPOUND_CREATE=true", "").unwrap();
    assert_eq!(endpoints(&target), ["a:5696", "b:5696"]);
    assert!(matches!(target.habit, Habit::Zenko { compound: true, .. }));
    assert!(target.advice[0].contains("S3KMS=kmip") && target.advice[1].contains("one host"));
}

#[test]
fn config_json_counts_more_than_the_environment_which_fills_it_in() {
    let target = read_in(r#"{"kmip": {"providerName": "x"}}"#, VARIABLES).unwrap();
    assert_eq!(endpoints(&target), ["kms1:5697"]);
    assert!(missed(&target).starts_with("/e/ca.pem: "), "{}", missed(&target));
    let text = r#"{"port": 8000, "kmip": {"client": {"bucketNameAttributeName": "x-bucket"},
        "transport": {"tls": {"host": "kms2", "ca": ["c.pem"]}}}}"#;
    let target = read_in(text, VARIABLES).unwrap();
    assert_eq!(endpoints(&target), ["kms2:5697"]);
    assert!(missed(&target).starts_with("/conf/c.pem: "), "{}", missed(&target));
    let Habit::Zenko { bucket_attribute, .. } = &target.habit else { panic!() };
    assert_eq!(bucket_attribute.as_deref(), Some("x-bucket"));
}

#[test]
fn several_transports_are_several_servers() {
    let text =
        r#"{"kmip": {"transport": [{"tls": {"host": "a", "port": 1}}, {"tls": {"host": "b"}}]}}"#;
    let target = read_in(text, "").unwrap();
    assert_eq!(endpoints(&target), ["a:1", "b:5696"]);
    assert!(target.advice.is_empty());
}

#[test]
fn values_of_the_chart_have_their_files_beside_them() {
    let text = "kmip:\n  enabled: true\n  hosts: [kms1]\n  compoundCreate: true\n";
    let target = read_in(text, "").unwrap();
    assert_eq!(endpoints(&target), ["kms1:5696"]);
    assert!(missed(&target).starts_with("/conf/kmip-ca.pem: "), "{}", missed(&target));
    assert_eq!(
        endpoints(
            &read_in(&format!("cloudserver:\n  {}", text.replace('\n', "\n  ")), "").unwrap()
        )
        .len(),
        1
    );
}

#[test]
fn what_is_wrong_is_named() {
    for (text, said) in [
        ("{", "EOF"),
        ("[", "line"),
        ("a: 1", "no section kmip"),
        ("kmip: {enabled: false, hosts: [a]}", "kmip.enabled"),
        ("kmip: {enabled: true, hosts: a}", "kmip.hosts: write a list"),
        ("kmip: {enabled: true, host: a}", "kmip.host: there is no such option"),
        ("kmip: {enabled: true, hosts: [a], port: 70000}", "kmip.port"),
        (r#"{"kmip": {}}"#, "no server is named"),
        (r#"{"kmip": {"transports": []}}"#, "kmip.transports: there is no such option"),
        (r#"{"kmip": {"transport": {"tls": {"hosts": "a"}}}}"#, "kmip.transport.tls.hosts"),
        (r#"{"kmip": {"transport": {"tls": {"host": "a", "key": "k"}}}}"#, "come together"),
        (r#"{"kmip": {"transport": {"tls": {"host": "a", "port": "1"}}}}"#, "port as a number"),
        (
            r#"{"kmip": {"client": {"bucketNameAttributeName": "Name"}, "transport": {"tls": {"host": "a"}}}}"#,
            "Name cannot be a text",
        ),
    ] {
        let fault = read_in(text, "").err().unwrap();
        assert!(fault.problem.contains(said), "{text}: {}", fault.problem);
        assert_eq!(fault.kind, Kind::Configuration);
    }
}
