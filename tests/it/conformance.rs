//! The OASIS test cases, through `claviger conformance`: which families have to pass whole, and that nothing is
//! quietly left out. The cases are not in the repository (`CLAVIGER_KMIP_CASES`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::{data, server};

/// Families whose mandatory cases must all pass; CS-BC where the cipher is AES.
const FAMILIES: [&str; 7] = ["SKLC-", "SKFF-", "AKLC-", "OMOS-", "SASED-", "TL-", "CS-BC-"];

#[test]
fn the_mandatory_oasis_cases_pass() {
    let Some(cases) = data::directory("CLAVIGER_KMIP_CASES", "OASIS test cases") else { return };
    let output = Command::new(server::binary())
        .args(["conformance", "--json", "--cases"])
        .arg(&cases)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}; {}\n{stderr}", String::from_utf8_lossy(&output.stdout))
    });
    let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for version in report.as_array().expect("one report for each version") {
        let number = version["version"].as_str().unwrap();
        let count = |field: &str| version[field].as_u64().unwrap();
        println!(
            "{number}: {} pass, {} fail, {} excluded",
            count("pass"),
            count("fail"),
            count("excluded")
        );
        for case in version["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let Some(family) = required_family(name) else { continue };
            match case["result"].as_str().unwrap() {
                "pass" => *passed.entry(family).or_default() += 1,
                result => faults.push(format!("{number} {name}: {result}: {}", case["reason"])),
            }
        }
        assert!(count("pass") > 0, "{number}: nothing passed");
    }
    assert!(faults.is_empty(), "{} of the required cases:\n{}", faults.len(), faults.join("\n"));
    // Some cases carry a version of their own; these four are published as sets.
    for version in ["1.0", "1.2", "1.4", "2.1"] {
        assert!(report.as_array().unwrap().iter().any(|v| v["version"] == version), "no {version}");
    }
    for family in FAMILIES {
        assert!(passed.contains_key(family), "no case of {family} ran: {passed:?}");
    }
    println!("{passed:?}");
    compare_with_docs(&table(&report));
}

/// Every version and family with what passes, and every case that does not, with the reason.
fn table(report: &Value) -> String {
    let mut text = String::new();
    for version in report.as_array().unwrap() {
        let count = |field: &str| version[field].as_u64().unwrap();
        let number = version["version"].as_str().unwrap();
        let (pass, fail, excluded) = (count("pass"), count("fail"), count("excluded"));
        writeln!(text, "\n### KMIP {number}: {pass} pass, {fail} fail, {excluded} excluded\n")
            .unwrap();
        let mut families: BTreeMap<String, (usize, Vec<&str>)> = BTreeMap::new();
        for case in version["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let family = families.entry(family_of(name)).or_default();
            match case["result"].as_str().unwrap() {
                "pass" => family.0 += 1,
                "fail" => family.1.push(name),
                _ => {}
            }
        }
        writeln!(text, "| family | pass | fail |\n|---|---|---|").unwrap();
        for (family, (pass, failed)) in families {
            writeln!(text, "| {family} | {pass} | {} |", failed.join(", ")).unwrap();
        }
    }
    text
}

/// A case's name without its number and version.
fn family_of(name: &str) -> String {
    let words = name.split('-').take_while(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join("-")
}

/// `CLAVIGER_WRITE_DOCUMENTS=1` writes the table instead of comparing it.
fn compare_with_docs(table: &str) {
    const BEGIN: &str = "<!-- conformance: begin -->";
    const END: &str = "<!-- conformance: end -->";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/conformance.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning is marked");
    let (_, after) = rest.split_once(END).expect("the table's end is marked");
    let fresh = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    if std::env::var_os("CLAVIGER_WRITE_DOCUMENTS").is_some() {
        std::fs::write(path, fresh).unwrap();
        return;
    }
    assert!(
        text == fresh,
        "docs/conformance.md is not what the cases say now; run CLAVIGER_WRITE_DOCUMENTS=1 cargo test -p it oasis"
    );
}

/// The family of a mandatory case that has to pass.
fn required_family(name: &str) -> Option<&'static str> {
    let name = name.rsplit('/').next().unwrap_or(name).replace('_', "-");
    let family = FAMILIES.into_iter().find(|family| name.starts_with(family))?;
    // Not AES; and one file that is not OASIS's own and mixes fields of 1.4 into 1.2.
    let other = name.contains("CHACHA20") || name.contains("Encrypt-with-All-Fields");
    (name.contains("-M-") && !other).then_some(family)
}

#[test]
fn families_are_told_by_name() {
    assert_eq!(required_family("SKLC-M-1-21"), Some("SKLC-"));
    assert_eq!(
        required_family("1.0/testcases-ovh/SKFF_M_10_10_SymmetricKeyFoundryAdvanced_10.xml"),
        Some("SKFF-")
    );
    assert_eq!(required_family("CS-BC-M-GCM-3-21"), Some("CS-BC-"));
    assert_eq!(required_family("CS-BC-M-CHACHA20-1-21"), None);
    assert_eq!(required_family("SKLC-O-1-21"), None);
    assert_eq!(required_family("TC-SJ-3-21"), None);
}
