//! Server-owned records as older versions wrote them must keep opening. One fixture per format; none
//! is ever changed (docs/formats.md §8).

use std::sync::Arc;

use claviger_kmip::enums::Operation;

use super::tests::FakeObjects;
use super::{Access, Refusal};
use crate::clock::ManualClock;
use crate::mount::tests::FakeListeners;
use crate::mount::{Config, MountPath, Mounts, Source};
use crate::pki::{Serial, SubjectField};
use crate::policy::Policies;
use crate::record::Records;
use crate::record::testing::TestStore;
use crate::token::Tokens;

/// The serial of its credential, then each record's key in hexadecimal and its JSON.
const FORMAT_1: &str = include_str!("../../fixtures/records-1.txt");

/// What came to format 1 later: named authorities, a listener, a revoked serial of the same mount.
const FORMAT_1_NAMED: &str = include_str!("../../fixtures/records-1-named.txt");

fn from_hexadecimal(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Stores the records of a fixture; the serial that it names.
fn plant(records: &Records, fixture: &str) -> Option<Serial> {
    let mut serial = None;
    for line in fixture.lines() {
        match line.split_once(' ').unwrap() {
            ("SERIAL", text) => serial = Serial::from_decimal(text),
            (key, json) => {
                records.plant(from_hexadecimal(key), [b"\x01", json.as_bytes()].concat());
            }
        }
    }
    serial
}

#[test]
fn named_records_of_format_1_open() {
    let (_store, records) = TestStore::new();
    plant(&records, FORMAT_1);
    let denied = plant(&records, FORMAT_1_NAMED).unwrap();
    let clock = Arc::new(ManualClock::at(1_800_000_000));
    let listeners = Arc::new(FakeListeners::default());
    let mounts = Mounts::open(records, clock, listeners.clone()).unwrap();
    assert_eq!(mounts.start_listeners(), []);
    let mount = mounts.at(&MountPath::parse("kmip").unwrap()).unwrap();
    let Source::Generated { ttl_seconds, .. } = mount.authority("made").unwrap().source() else {
        panic!("it is a generated one");
    };
    assert_eq!(*ttl_seconds, 31_536_000);
    let Source::Imported { authority, .. } = mount.authority("brought").unwrap().source() else {
        panic!("it is an imported one");
    };
    let mapping = authority.mapping();
    assert_eq!(mapping.scope.fixed(), Some("finance"));
    assert_eq!(mapping.role.field(), Some(SubjectField::CommonName));
    assert!(authority.denies(denied, Some([7; 16])));
    let config = mount.listener("front").unwrap().config();
    assert_eq!((config.ca.as_str(), config.address.as_str()), ("made", "127.0.0.1:7001"));
    assert_eq!(config.additional_client_cas, ["brought"]);
    assert_eq!(listeners.addresses_of(mount.id(), "front").unwrap(), ["127.0.0.1:7001"]);
}

#[test]
fn records_of_format_1_open() {
    let (_store, records) = TestStore::new();
    let serial = plant(&records, FORMAT_1).unwrap();
    let clock = Arc::new(ManualClock::at(1_800_000_000));
    let listeners = Arc::new(FakeListeners::default());
    let mounts = Mounts::open(records.clone(), clock.clone(), listeners).unwrap();
    let mount = mounts.at(&MountPath::parse("kmip").unwrap()).unwrap();
    let engine = mount.engine().unwrap();
    let listen_addrs = vec!["127.0.0.1:5696".to_owned()];
    assert_eq!(engine.config(), &Config { listen_addrs, ..Config::default() });
    assert_eq!(mounts.start_listeners(), []);

    let objects = Arc::new(FakeObjects::default());
    let access = Access::open(records.clone(), clock.clone(), objects).unwrap();
    let role = access.read_role(mount.id(), "finance", "accounting").unwrap();
    assert_eq!((role.granted, role.withheld), (vec!["get"], vec!["query"]));
    assert_eq!(role.tls_client_key_type, "ec");
    assert_eq!((role.tls_client_key_bits, role.tls_client_ttl), (384, 3600));
    let ask = |operation| access.authorize(mount.id(), &serial.into(), operation).map(drop);
    assert_eq!(ask(Operation::GET), Ok(()));
    assert_eq!(ask(Operation::QUERY), Err(Refusal::NotPermitted(Operation::QUERY)));
    let found = access.lookup_credential(&mount, "finance", "accounting", &serial);
    assert_eq!(found.unwrap().unwrap().chain.len(), 2);
    access.generate_credential(&mount, "finance", "accounting").unwrap();
    let policies = Policies::open(records.clone()).unwrap();
    assert_eq!(policies.granted(&["storage".to_owned()], "kmip/ca").names(), ["read"]);
    let tokens = Tokens::new(records, clock);
    assert_eq!(tokens.accessors().unwrap().len(), 1, "the other's time has come");
    assert_eq!((tokens.sweep().unwrap(), tokens.sweep().unwrap()), (1, 0));
}
