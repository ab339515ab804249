//! Tables of policies: what they grant, what is not understood.

use super::*;
use crate::record::testing::TestStore;

/// Rules, in one line each: pattern, capabilities by their first letters (`!` denies).
fn rules(text: &str) -> Vec<Rule> {
    let rule = |line: &str| {
        let (pattern, letters) = line.split_once(' ').unwrap();
        let capability = |letter| match letter {
            'c' => Capability::Create,
            'r' => Capability::Read,
            'u' => Capability::Update,
            'd' => Capability::Delete,
            'l' => Capability::List,
            's' => Capability::Sudo,
            '!' => Capability::Deny,
            other => panic!("{other}"),
        };
        let some: Vec<Capability> = letters.chars().map(capability).collect();
        Rule::new(pattern, Grant { capabilities: Capabilities::of(&some), ..Grant::default() })
    };
    text.split("; ").map(rule).collect()
}

#[test]
fn the_most_specific_rule_decides() {
    for (text, path, expected) in [
        // One rule.
        ("kmip/scope r", "kmip/scope", "read"),
        ("kmip/scope r", "kmip/scopes", "deny"),
        ("kmip/scope r", "kmip/scope/a", "deny"),
        ("/kmip/scope r", "kmip/scope", "read"),
        ("kmip/* r", "kmip/scope/a", "read"),
        ("kmip/* r", "kmip", "deny"),
        ("kmip/* r", "kmip2/x", "deny"),
        ("kmip* r", "kmip2/x", "read"),
        ("* r", "anything/at/all", "read"),
        ("kmip/*/role r", "kmip/a/role", "deny"),
        ("kmip/+ r", "kmip/a", "read"),
        ("kmip/+ r", "kmip/a/b", "deny"),
        ("+/scope r", "kmip/scope", "read"),
        ("+ r", "kmip", "read"),
        ("kmip/scope/+/role/* r", "kmip/scope/a/role/b/credential", "read"),
        ("kmip/scope/+/role/* r", "kmip/scope/a/roles", "deny"),
        ("kmip/scope/+/ro* r", "kmip/scope/a/role/b", "read"),
        ("kmip/scope/+/ro* r", "kmip/scope/a", "deny"),
        ("kmip/a+ r", "kmip/ab", "deny"),
        // Exact before any wildcard, whatever its order.
        ("kmip/* rl; kmip/ca r", "kmip/ca", "read"),
        ("kmip/ca r; kmip/* !", "kmip/ca", "read"),
        ("kmip/+ !; kmip/ca r", "kmip/ca", "read"),
        // The wildcard that begins later.
        ("kmip/* r; kmip/scope/* l", "kmip/scope/a", "list"),
        ("kmip/+/a r; kmip/scope/* l", "kmip/scope/a", "list"),
        ("kmip/+/a r; kmip/scope/+ l", "kmip/scope/a", "list"),
        // At the same place: no star at the end, then fewer plus, then longer, then the alphabet.
        ("kmip/+ r; kmip/* l", "kmip/a", "read"),
        ("kmip/+/role r; kmip/+/* l", "kmip/a/role", "read"),
        ("kmip/+/a/b r; kmip/+/+/b l", "kmip/x/a/b", "read"),
        ("kmip/+/r* r; kmip/+/role* l", "kmip/x/role", "list"),
        ("kmip/+/+/b r; kmip/+/a/+ l", "kmip/x/a/b", "list"),
        // The same path in several policies: added up, and denied wins.
        ("kmip/* r; kmip/* l", "kmip/a", "list,read"),
        ("kmip/* rcudls; kmip/* !", "kmip/a", "deny"),
        ("kmip/ca !r", "kmip/ca", "deny"),
        // A denial elsewhere does not reach here, nor a grant there.
        ("kmip/* !; kmip/scope/* l", "kmip/scope/a", "list"),
        ("kmip/* rcudl; kmip/scope/a !", "kmip/scope/a", "deny"),
        // A slash at the end, as of a list.
        ("kmip/scope l", "kmip/scope/", "list"),
        ("kmip/scope/ l", "kmip/scope/", "list"),
        ("kmip/scope/ l; kmip/scope r", "kmip/scope/", "list"),
        ("kmip/scope/ l; kmip/scope r", "kmip/scope", "read"),
        ("kmip/scope/* l", "kmip/scope/", "list"),
        ("kmip/scope/* l", "kmip/scope", "deny"),
        ("kmip/scope/+/role l", "kmip/scope/a/role/", "list"),
        ("kmip/* rcudl; kmip/scope/+ !", "kmip/scope/a/", "deny"),
    ] {
        let names = granted(rules(text).iter(), path).capabilities.names().join(",");
        assert_eq!(names, expected, "{text} on {path}");
        let mut reversed = rules(text);
        reversed.reverse();
        let names = granted(reversed.iter(), path).capabilities.names().join(",");
        assert_eq!(names, expected, "{text}, from behind, on {path}");
    }
}

#[test]
fn hcl_and_json_mean_the_same() {
    let expected = rules("kmip/* crudl; sys/mounts/* crudl; sys/seal us");
    let all = r#"["create", "read", "update", "delete", "list"]"#;
    let hcl = format!(
        "# One\nname = \"x\"\npath \"kmip/*\" {{ capabilities = {all} }}\n// Two\n\
         path \"sys/mounts/*\" {{\n  /* three\n*/ capabilities = {all}\n}}\n\
         \"path\" \"sys/seal\" {{ capabilities = [\"update\", \"sudo\",] }}"
    );
    assert_eq!(parse(&hcl).unwrap(), expected);
    let json = format!(
        r#" {{"path": {{"kmip/*": {{"capabilities": {all}}}, "sys/mounts/*": {{"capabilities": {all}}},
            "sys/seal": {{"capabilities": ["sudo", "update"]}}}}}}"#
    );
    assert_eq!(parse(&json).unwrap(), expected);
    let several = r#"{"path": [{"a": {"policy": "read"}}, {"b": {"capabilities": "deny"}}]}"#;
    assert_eq!(parse(several).unwrap(), rules("a rl; b !"));
    let old = "path \"a\" { policy = \"write\" }\npath \"b\" { policy = \"sudo\" }";
    assert_eq!(parse(old).unwrap(), rules("a crudl; b crudls"));
    assert_eq!(parse("path \"a\\\"b\" { capabilities = [] }").unwrap().len(), 1);
    for nothing in ["", "  # nothing\n", "{}"] {
        assert_eq!(parse(nothing).unwrap(), []);
    }
}

#[test]
fn what_is_said_twice_in_json_is_added_up_and_no_comment_grants() {
    let text = r#"{
        "path": {"a": {"capabilities": ["deny"]}, "a": {"capabilities": ["read"]}},
        "path": {"b": {"capabilities": ["read"], "capabilities": ["list"]}}
    }"#;
    let rules = parse(text).unwrap();
    for (path, expected) in [("a", vec!["deny"]), ("b", vec!["list", "read"])] {
        assert_eq!(granted(rules.iter(), path).capabilities.names(), expected, "{path}");
    }
    let comment = "/*/ path \"a\" { capabilities = [\"read\"] } */";
    assert_eq!(parse(comment).unwrap(), []);
    assert!(parse("/*/").is_err());
}

#[test]
fn what_is_not_enforced_is_refused_by_name() {
    let block = |inside: &str| format!("path \"a\" {{\n  {inside}\n}}");
    for name in ["allowed_parameters", "denied_parameters", "mfa_methods", "control_group"] {
        let hcl = block(&format!("capabilities = [\"read\"]\n  {name} = {{ \"x\" = [] }}"));
        let json = format!(r#"{{"path": {{"a": {{"{name}": {{}}}}}}}}"#);
        for text in [hcl, block(&format!("{name} {{ x = 1 }}")), json] {
            let error = parse(&text).unwrap_err().to_string();
            let expected = format!("path \"a\": {name} is not supported by this server");
            assert!(error.ends_with(&expected), "{text}: {error}");
        }
    }
    for (text, complaint) in [
        ("path", "line 1: expected a path in quotes"),
        ("path \"a\"", "line 1: expected '{'"),
        ("path \"a\" {", "expected a name or \"}\""),
        ("path \"a\" { capabilities }", "expected '='"),
        ("path \"a\" {\n\ncapabilities = [read] }", "line 3: expected a capability in quotes"),
        ("path \"a\" { capabilities = [\"read\" \"list\"] }", "expected ']'"),
        ("path \"a\" { capabilities = [\"fly\"] }", "path \"a\": invalid capability \"fly\""),
        ("path \"a\" { policy = \"fly\" }", "invalid capability \"fly\""),
        ("path \"a\" { colour = \"red\" }", "path \"a\": invalid key \"colour\""),
        ("paths \"a\" {}", "invalid key \"paths\", expected path"),
        ("path \"a/+*\" {}", "invalid use of wildcards"),
        ("path \"a/{{identity.entity.id}}\" {}", "templates are not supported"),
        ("path \"a\n\" {}", "string without end"),
        ("path \"a", "string without end"),
        ("path \"\\q\" {}", "unknown escape"),
        ("/* path", "comment without end"),
        ("path \"a\" { & }", "unexpected character '&'"),
        ("{\"path\": 1}", "path must be an object of paths"),
        ("{\"path\": {\"a\": []}}", "path must be an object of paths"),
        ("{\"path\": {\"a\": {\"capabilities\": 1}}}", "capabilities must be text or a list"),
        ("{\"rules\": {}}", "invalid key \"rules\""),
        ("{\"path\"", "line 1: not JSON"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(complaint), "{text}: {error}");
    }
}

#[test]
fn answers_can_have_to_be_wrapped() {
    let policy = |ttls: &str| format!("path \"a\" {{\n capabilities = [\"read\"]\n{ttls}\n}}\n");
    let allowed = |texts: &[&str]| {
        let parsed: Vec<Rule> = texts.iter().flat_map(|it| parse(&policy(it)).unwrap()).collect();
        let grant = granted(parsed.iter(), "a");
        assert_eq!(grant.capabilities.names(), ["read"]);
        [None, Some(1), Some(60), Some(3600)].map(|ttl| grant.wrapping.allows(ttl))
    };
    let (min, max) = ("min_wrapping_ttl = \"1m\"", "max_wrapping_ttl = 60");
    assert_eq!(allowed(&[""]), [true; 4]);
    assert_eq!(allowed(&[min]), [false, false, true, true]);
    assert_eq!(allowed(&[max]), [false, true, true, false]);
    assert_eq!(allowed(&[&format!("{min}\n{max}")]), [false, false, true, false]);
    // Of several policies the shorter of each, where one says anything.
    assert_eq!(allowed(&[min, "min_wrapping_ttl = \"1s\""]), [false, true, true, true]);
    assert_eq!(allowed(&[max, ""]), [false, true, true, false]);
    assert_eq!(allowed(&["min_wrapping_ttl = 3600", max]), [false; 4]);
    let json = r#"{"path": {"a": {"capabilities": ["read"], "min_wrapping_ttl": 60, "max_wrapping_ttl": "1h"}}}"#;
    let wrapping = granted(parse(json).unwrap().iter(), "a").wrapping;
    assert_eq!(wrapping, Wrapping { min_ttl: 60, max_ttl: 3600 });
    for (bad, complaint) in [
        ("min_wrapping_ttl = \"soon\"", "invalid wrapping ttl"),
        ("max_wrapping_ttl = \"-1s\"", "invalid wrapping ttl"),
        ("min_wrapping_ttl = [\"1s\"]", "expected a duration"),
        ("min_wrapping_ttl = 2\nmax_wrapping_ttl = 1", "cannot be less than min_wrapping_ttl"),
    ] {
        let error = parse(&policy(bad)).unwrap_err().to_string();
        assert!(error.contains(complaint), "{bad}: {error}");
    }
}

#[test]
fn policies_outlive_a_restart_and_root_is_written_by_nobody() {
    let (store, records) = TestStore::new();
    let policies = Policies::open(records).unwrap();
    let text = "path \"kmip/*\" { capabilities = [\"read\"] }\n";
    policies.write("Storage", text).unwrap();
    policies.write("default", text).unwrap();
    policies.write("gone", text).unwrap();
    policies.delete("GONE").unwrap();
    policies.delete("never").unwrap();
    for name in ["root", "response-wrapping", "ROOT", "", "a,b", " a", &"x".repeat(256)] {
        assert!(matches!(policies.write(name, text), Err(PolicyError::BadInput(_))), "{name:?}");
    }
    for name in ["root", "default", "response-wrapping"] {
        assert!(matches!(policies.delete(name), Err(PolicyError::BadInput(_))), "{name}");
    }
    assert!(matches!(policies.write("storage", "nonsense"), Err(PolicyError::Parse(_))));
    assert!(matches!(policies.write("storage", " "), Err(PolicyError::BadInput(_))));
    store.fail_commits();
    assert!(matches!(policies.write("storage", "# other"), Err(PolicyError::Record(_))));

    let policies = Policies::open(store.reopen()).unwrap();
    assert_eq!(policies.names(), ["default", "root", "storage"]);
    assert_eq!(policies.text("storage").as_deref(), Some(text));
    let ask = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        policies.granted(&names, "kmip/ca").names()
    };
    assert_eq!(ask(&["storage"]), ["read"]);
    assert_eq!(ask(&["gone"]), ["deny"]);
    assert_eq!(ask(&[]), ["deny"]);
    assert!(ask(&["root"]).contains(&"sudo"));
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd_to_be_read(text in "([a-z\\[\\]{}=,\"\\\\#/* \n]|path|capabilities|\\PC){0,60}") {
        // Either is fine; a panic is not.
        let understood = parse(&text).is_ok();
        let framed = format!("path \"a\" {{ capabilities = [\"read\"] }} # {}", text.replace('\n', " "));
        proptest::prop_assert_eq!(parse(&framed), Ok(rules("a r")), "{} {}", text, understood);
    }
}
