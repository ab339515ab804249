//! Every published case passes against a server that answers what is published: the rules are not
//! stricter than OASIS's own dialogues, in any encoding.

use std::path::PathBuf;

use claviger_kmip::Version;
use claviger_kmip::tags::RESULT_STATUS;
use claviger_ttlv::{Node, Value};

use super::replay::{child, children, play};
use crate::conformance::case::{Case, Direction, Step, name};
use crate::conformance::catalogue::Catalogue;
use crate::conformance::play::Outcome;
use crate::conformance::transport::Encoding;

/// Unset, a test says that it is skipped; under CI it fails instead.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("CLAVIGER_KMIP_CASES").map(PathBuf::from);
    if folder.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CLAVIGER_KMIP_CASES must be set under CI");
        println!("skipped: CLAVIGER_KMIP_CASES is not set");
    }
    folder
}

#[test]
fn every_published_dialogue_passes_against_itself() {
    let Some(folder) = folder() else { return };
    let catalogue = Catalogue::read(&folder).expect("a readable folder");
    for encoding in [Encoding::Ttlv, Encoding::Json, Encoding::Xml] {
        for group in &catalogue.groups {
            let outcomes = play(&group.cases, encoding, &mut |_, _| {});
            for (case, outcome) in group.cases.iter().zip(outcomes) {
                if let Outcome::Fail(failure) = outcome {
                    panic!("{} in {encoding:?}: {}", case.name, failure.reason);
                }
                assert_eq!(outcome, Outcome::Pass, "{}", case.name);
            }
        }
    }
}

/// The last exchange of every case is judged: what it is worth depends on all before it.
#[test]
fn a_wrong_status_at_the_end_of_any_case_is_caught() {
    let Some(folder) = folder() else { return };
    let catalogue = Catalogue::read(&folder).expect("a readable folder");
    let is_to_server = |step: &Step| step.direction == Direction::ToServer;
    for group in &catalogue.groups {
        let steps: Vec<&Step> = group.cases.iter().flat_map(|case| &case.steps).collect();
        let Some(last) = steps.iter().rposition(|step| is_to_server(step)) else { continue };
        let mut change = |step, response: &mut Node| {
            if step == last {
                let item = children(response).last_mut().expect("a batch item");
                child(item, RESULT_STATUS).value = Value::Enumeration(2);
            }
        };
        let outcomes = play(&group.cases, Encoding::Ttlv, &mut change);
        let failed = |outcome: &Outcome| matches!(outcome, Outcome::Fail(failure) if failure.reason.contains("ResultStatus"));
        let is_one = outcomes.iter().filter(|outcome| failed(outcome)).count() == 1;
        assert!(is_one, "{}: {outcomes:?}", group.cases[0].name);
    }
}

#[test]
fn the_catalogue_holds_every_case_once() {
    let Some(folder) = folder() else { return };
    let catalogue = Catalogue::read(&folder).expect("a readable folder");
    let cases: Vec<&Case> = catalogue.groups.iter().flat_map(|group| &group.cases).collect();
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "a name twice");
    let excluded: Vec<&str> = catalogue.excluded.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(excluded, ["TC-92-10"]);
    let of = |version| cases.iter().filter(|case| case.version == version).count();
    // 468 files, less 28 that occur twice, 3 that are not OASIS's, and one that is excluded.
    assert_eq!(count, 436);
    assert_eq!(of(Version::V2_1), 97);
    let chains: Vec<Vec<&str>> = catalogue
        .groups
        .iter()
        .filter(|group| group.cases.len() > 1)
        .map(|group| group.cases.iter().map(|case| case.name.as_str()).collect())
        .collect();
    assert!(chains.contains(&vec!["SASED-M-1-21", "SASED-M-2-21", "SASED-M-3-21"]), "{chains:?}");
    assert!(chains.contains(&vec!["TL-M-1-10", "TL-M-2-10", "TL-M-3-10"]), "{chains:?}");
    assert_eq!(chains.len(), 8, "{chains:?}");
}

#[test]
fn what_servers_send_is_known() {
    let Some(folder) = folder() else { return };
    let catalogue = Catalogue::read(&folder).expect("a readable folder");
    let to_client =
        |case: &&Case| case.steps.iter().any(|step| step.direction == Direction::ToClient);
    let cases = catalogue.groups.iter().flat_map(|group| &group.cases).filter(to_client);
    let mut names: Vec<&str> = cases.map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "TC-NP-1-10",
            "TC-NP-1-12",
            "TC-NP-1-14",
            "TC-NP-2-10",
            "TC-NP-2-12",
            "TC-NP-2-14",
            "TC-Q-S2C-1-14",
            "TC-Q-S2C-2-14",
            "TC-Q-S2C-PROF-1-14",
            "TC-Q-S2C-PROF-2-14",
        ]
    );
}

#[test]
fn names_of_files() {
    let names = [
        ("TC_311_12_Create_Destroy", "TC-311-12"),
        ("CS-BC-M-10-12_Encrypt_and_Decrypt_with_Known_Symmetric_Key", "CS-BC-M-10-12"),
        ("SKFF_M_11_10_SymmetricKeyFoundryAdvanced_11", "SKFF-M-11-10"),
        ("SKLC_O_1_10-SymmetricKeysLifecycle_1", "SKLC-O-1-10"),
        ("BL-M-12-21", "BL-M-12-21"),
        ("PKCS11-M-1-21", "PKCS11-M-1-21"),
        ("TC-Q-S2C-PROF-1-14", "TC-Q-S2C-PROF-1-14"),
    ];
    for (stem, expected) in names {
        assert_eq!(name(stem), expected);
    }
}
