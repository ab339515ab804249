//! Both components' configurations: what is read, and what is said to be wrong.

use super::*;

const GOOD: &str = r#"{"server_addr": "kms", "server_port": "5697", "client_ca": "c", "client_key": "/k",
    "server_ca": "a", "object_group": "g", "kmip_timeout_ms": 100, "tls_peer_verification": true}"#;

fn read_by(component: Component, text: &str) -> Result<Target, Fault> {
    read(text, Path::new("/data"), component)
}

fn problem(component: Component, text: &str) -> String {
    read_by(component, text).err().unwrap().problem
}

fn endpoints(component: Component, text: &str) -> Vec<String> {
    let servers = read_by(component, text).unwrap().servers;
    servers.iter().map(|server| server.endpoint.to_string()).collect()
}

#[test]
fn the_name_of_the_file_says_whose_it_is() {
    assert_eq!(component(Path::new("/x/component_claviger_kmip.cnf")), Component::Claviger);
    for other in ["component_keyring_kmip.cnf", "copies/other.cnf", ""] {
        assert_eq!(component(Path::new(other)), Component::Percona);
    }
}

#[test]
fn a_good_file() {
    let target = read_by(Component::Percona, GOOD).unwrap();
    assert_eq!(target.servers[0].endpoint.to_string(), "kms:5697");
    let files = target.servers[0].tls.as_ref().unwrap_err();
    assert!(files.problem.starts_with("/data/a: "), "{}", files.problem);
    assert_eq!(target.timeouts, Timeouts::each(Duration::from_millis(100)));
    assert!(matches!(&target.habit, Habit::Mysql { group: Some(group), .. } if group == "g"));
    assert!(target.advice[0].contains("Set tls_hostname_verification to true"));
    assert!(target.advice[1].contains("server_ca, client_ca as absolute"));
    assert!(target.trusts_anybody.is_some());
}

#[test]
fn ours_has_several_servers_a_port_of_its_own_and_verifies() {
    let ours = Component::Claviger;
    let target = read_by(ours, GOOD).unwrap();
    assert!(target.trusts_anybody.is_none() && target.advice.len() == 1, "{:?}", target.advice);
    let list = GOOD.replace("\"kms\"", "\"kms1, kms2:7,[::1],[::1]:9\"");
    assert_eq!(endpoints(ours, &list), ["kms1:5697", "kms2:7", "[::1]:5697", "[::1]:9"]);
    let number = GOOD.replace("\"5697\"", "5698");
    assert_eq!(endpoints(ours, &number), ["kms:5698"]);
    let none = GOOD.replace(r#""server_port": "5697", "#, "");
    assert_eq!(endpoints(ours, &none), ["kms:5696"]);
    let off = GOOD.replace("}", r#", "tls_hostname_verification": false}"#);
    let target = read_by(ours, &off).unwrap();
    assert!(target.advice[0].contains("Set tls_hostname_verification to true"));
    assert!(target.trusts_anybody.is_some());
}

#[test]
fn what_is_wrong_is_said_at_once() {
    let said = problem(
        Component::Percona,
        r#"{"server_addr": " ", "server_port": 5696, "serverca": "x"}"#,
    );
    for part in [
        "server_addr: it is empty",
        "server_port: write it as text",
        "serverca: there is no such option",
        "server_ca: it is missing",
    ] {
        assert!(said.contains(part), "{said}");
    }
    for component in [Component::Percona, Component::Claviger] {
        let problem = |text: &str| problem(component, text);
        assert!(problem(&GOOD.replace("5697", "70000")).contains("server_port"));
        assert!(problem(r#"{"read_local_config": true}"#).contains("another file"));
        assert!(problem(&GOOD.replace("100", "0")).contains("kmip_timeout_ms: write a whole"));
        assert!(problem("[]").contains("a JSON object"));
        assert!(problem("{").contains("EOF"));
        assert!(
            problem(&GOOD.replace("}", r#", "server_ca": "b"}"#))
                .contains("server_ca is there twice")
        );
    }
    for (from, to, said) in [
        ("\"kms\"", "\"kms,\"", "server_addr"),
        ("\"5697\"", "0", "server_port"),
        ("100", "86400001", "kmip_timeout_ms: write a whole number from 1 to 86400000"),
        ("}", r#", "read_local_config": true}"#, "read_local_config: it is true"),
        ("\"g\"", &format!("\"{}\"", "g".repeat(251)), "object_group: it has more than 250 bytes"),
    ] {
        let text = GOOD.replace(from, to);
        let problem = problem(Component::Claviger, &text);
        assert!(problem.contains(said), "{problem}: {text}");
    }
}
