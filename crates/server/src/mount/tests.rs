//! Mounts and their configuration, on a memory store and with listeners that only remember.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::clock::ManualClock;
use crate::pki::KeySpec;
use crate::record::testing::TestStore;
use crate::record::{Change, Records};

/// Listeners that remember their plans, and refuse port 1003.
#[derive(Default)]
pub(crate) struct FakeListeners {
    pub(crate) plans: Mutex<BTreeMap<(MountId, String), ListenerPlan>>,
    applied: Mutex<usize>,
}

impl FakeListeners {
    fn addresses(&self, mount: MountId) -> Option<Vec<String>> {
        self.addresses_of(mount, DEFAULT_LISTENER)
    }

    pub(crate) fn addresses_of(&self, mount: MountId, name: &str) -> Option<Vec<String>> {
        let plans = self.plans.lock().unwrap();
        plans.get(&(mount, name.to_owned())).map(|plan| plan.addresses.clone())
    }

    pub(crate) fn applied(&self) -> usize {
        *self.applied.lock().unwrap()
    }
}

impl Listeners for FakeListeners {
    fn apply(&self, mount: MountId, plan: &ListenerPlan) -> Result<(), String> {
        if let Some(address) = plan.addresses.iter().find(|address| address.ends_with(":1003")) {
            return Err(format!("listen tcp4 {address}: bind: permission denied"));
        }
        *self.applied.lock().unwrap() += 1;
        self.plans.lock().unwrap().insert((mount, plan.name.clone()), plan.clone());
        Ok(())
    }

    fn close(&self, mount: MountId) {
        self.plans.lock().unwrap().retain(|(owner, _), _| *owner != mount);
    }

    fn close_one(&self, mount: MountId, name: &str) {
        self.plans.lock().unwrap().remove(&(mount, name.to_owned()));
    }
}

const NOW: i64 = 1_800_000_000;

struct Fixture {
    store: TestStore,
    listeners: Arc<FakeListeners>,
    mounts: Mounts,
}

fn open(records: Records, listeners: &Arc<FakeListeners>) -> Mounts {
    Mounts::open(records, Arc::new(ManualClock::at(NOW)), listeners.clone()).unwrap()
}

fn fixture() -> Fixture {
    let (store, records) = TestStore::new();
    let listeners = Arc::new(FakeListeners::default());
    let mounts = open(records, &listeners);
    Fixture { store, listeners, mounts }
}

fn path(text: &str) -> MountPath {
    MountPath::parse(text).unwrap()
}

fn listen(address: &str) -> ConfigChange {
    ConfigChange { listen_addrs: Change::To(vec![address.to_owned()]), ..ConfigChange::default() }
}

#[test]
fn mounts_do_not_overlap_and_are_found_by_request_path() {
    let fixture = fixture();
    fixture.mounts.create(&path("a/b"), "").unwrap();
    fixture.mounts.create(&path("kmip"), "keys").unwrap();
    for taken in ["a", "a/b", "a/b/c"] {
        let error = fixture.mounts.create(&path(taken), "").unwrap_err();
        assert_eq!(error.to_string(), "path is already in use at a/b/");
    }
    assert_eq!(fixture.mounts.of_request("a/b/scope/x").unwrap().path(), &path("a/b"));
    assert_eq!(fixture.mounts.of_request("kmip/ca").unwrap().description(), "keys");
    assert!(fixture.mounts.of_request("kmip2/ca").is_none());
}

#[test]
fn the_first_write_makes_authorities_and_a_listener_that_outlive_a_restart() {
    let fixture = fixture();
    let id = fixture.mounts.create(&path("kmip"), "").unwrap().id();
    assert!(fixture.mounts.at(&path("kmip")).unwrap().engine().is_none());
    let change = listen("127.0.0.1");
    fixture.mounts.configure(&path("kmip"), change, false).unwrap();
    assert_eq!(fixture.listeners.addresses(id).unwrap(), ["127.0.0.1:5696"]);
    let before = fixture.mounts.at(&path("kmip")).unwrap();
    let before = before.engine().unwrap();
    assert_eq!(before.ca_pem().matches("BEGIN CERTIFICATE").count(), 2);

    fixture.listeners.plans.lock().unwrap().clear();
    let again = open(fixture.store.reopen(), &fixture.listeners);
    assert!(fixture.listeners.addresses(id).is_none(), "opening alone listens nowhere");
    assert!(again.start_listeners().is_empty());
    let mount = again.at(&path("kmip")).unwrap();
    let after = mount.engine().unwrap();
    assert_eq!(mount.id(), id);
    assert_eq!(after.config(), before.config());
    assert_eq!(after.ca_pem(), before.ca_pem());
    assert_eq!(after.server_certificate(), before.server_certificate());
    assert_eq!(fixture.listeners.addresses(id).unwrap(), ["127.0.0.1:5696"]);
}

#[test]
fn a_listener_that_cannot_bind_leaves_everything_as_it_was() {
    let fixture = fixture();
    let id = fixture.mounts.create(&path("kmip"), "").unwrap().id();
    let refused = fixture.mounts.configure(&path("kmip"), listen("127.0.0.1:1003"), false);
    let text = "listen tcp4 127.0.0.1:1003: bind: permission denied";
    assert_eq!(refused.unwrap_err().to_string(), text);
    assert!(fixture.mounts.at(&path("kmip")).unwrap().engine().is_none());

    fixture.mounts.configure(&path("kmip"), listen("127.0.0.1:7000"), false).unwrap();
    let refused = fixture.mounts.configure(&path("kmip"), listen("127.0.0.1:1003"), false);
    assert_eq!(refused.unwrap_err().to_string(), text);
    assert_eq!(fixture.listeners.addresses(id).unwrap(), ["127.0.0.1:7000"]);
    let again = open(fixture.store.reopen(), &fixture.listeners);
    let mount = again.at(&path("kmip")).unwrap();
    assert_eq!(mount.engine().unwrap().config().listen_addrs, ["127.0.0.1:7000"]);
}

#[test]
fn a_storage_fault_puts_the_listener_back() {
    let fixture = fixture();
    let id = fixture.mounts.create(&path("kmip"), "").unwrap().id();
    fixture.mounts.configure(&path("kmip"), listen("127.0.0.1:7000"), false).unwrap();
    fixture.store.fail_commits();
    let refused = fixture.mounts.configure(&path("kmip"), listen("127.0.0.1:7001"), false);
    assert!(matches!(refused, Err(MountError::Record(_))));
    assert_eq!(fixture.listeners.addresses(id).unwrap(), ["127.0.0.1:7000"]);
    let mount = fixture.mounts.at(&path("kmip")).unwrap();
    assert_eq!(mount.engine().unwrap().config().listen_addrs, ["127.0.0.1:7000"]);
}

#[test]
fn what_a_change_does_not_touch_stays() {
    let fixture = fixture();
    fixture.mounts.create(&path("kmip"), "").unwrap();
    let configure = |change| fixture.mounts.configure(&path("kmip"), change, true).unwrap();
    let state = || {
        let mount = fixture.mounts.at(&path("kmip")).unwrap();
        let engine = mount.engine().unwrap();
        (engine.ca_pem(), engine.server_certificate().cloned(), fixture.listeners.applied())
    };
    configure(ConfigChange::default());
    let (ca, server, applied) = state();

    let ttl = Change::To(60);
    configure(ConfigChange { default_tls_client_ttl: ttl, ..ConfigChange::default() });
    assert_eq!(state(), (ca.clone(), server.clone(), applied), "no listener was touched");

    configure(listen("127.0.0.1:7001"));
    assert_eq!(state(), (ca.clone(), server.clone(), applied + 1));

    let names = Change::To(vec!["kms1".to_owned()]);
    configure(ConfigChange { server_hostnames: names, ..ConfigChange::default() });
    let (ca_after, server_after, applied_after) = state();
    assert_eq!((ca_after, applied_after), (ca, applied + 2));
    assert_ne!(server_after, server);
}

#[test]
fn another_kind_of_authority_retires_the_old_one_or_drops_it() {
    for keep in [true, false] {
        let fixture = fixture();
        fixture.mounts.create(&path("kmip"), "").unwrap();
        fixture.mounts.configure(&path("kmip"), ConfigChange::default(), keep).unwrap();
        let old = fixture.mounts.at(&path("kmip")).unwrap();
        let (old_id, _) = old.engine().unwrap().authority();
        let bits = Change::To(384);
        let change = ConfigChange { tls_ca_key_bits: bits, ..ConfigChange::default() };
        let done = fixture.mounts.configure(&path("kmip"), change, keep).unwrap();
        assert_eq!(done.warnings.len(), usize::from(keep));
        for mounts in [&fixture.mounts, &open(fixture.store.reopen(), &fixture.listeners)] {
            let mount = mounts.at(&path("kmip")).unwrap();
            let engine = mount.engine().unwrap();
            let (id, authority) = engine.authority();
            assert_ne!(id, old_id);
            assert_eq!(authority.spec(), KeySpec::Ec384);
            assert_eq!(engine.authority_of(old_id).is_some(), keep);
        }
    }
}

#[test]
fn unmounting_forgets_everything_or_nothing() {
    let fixture = fixture();
    let id = fixture.mounts.create(&path("kmip"), "").unwrap().id();
    fixture.mounts.configure(&path("kmip"), ConfigChange::default(), false).unwrap();
    let made = fixture.mounts.generate_authority(&path("kmip"), "x", KeySpec::Ec256, 60);
    made.unwrap();
    let listener = ListenerChange {
        ca: Change::To("x".to_owned()),
        address: Change::To("127.0.0.1:7001".to_owned()),
        ..ListenerChange::default()
    };
    fixture.mounts.write_listener(&path("kmip"), "l", listener).unwrap();
    let failing = |_: &Mount| Err(MountError::BadInput("not now".to_owned()));
    assert!(fixture.mounts.remove(&path("kmip"), failing).is_err());
    assert!(fixture.listeners.addresses(id).is_some(), "its listener is back");
    assert!(fixture.listeners.addresses_of(id, "l").is_some(), "the named one too");
    assert!(fixture.mounts.at(&path("kmip")).is_some());

    fixture.mounts.remove(&path("kmip"), |_| Ok::<_, MountError>(())).unwrap();
    assert!(fixture.listeners.addresses(id).is_none());
    assert!(fixture.listeners.addresses_of(id, "l").is_none());
    let records = fixture.store.reopen();
    for kind in [b'm', b'g', b'a', b'c', b'l', b'd'] {
        assert!(records.keys(&[kind]).unwrap().is_empty(), "{kind}");
    }
    fixture.mounts.remove(&path("kmip"), |_| Ok::<_, MountError>(())).unwrap();
    assert_ne!(fixture.mounts.create(&path("kmip"), "").unwrap().id(), id);
}

#[test]
fn a_mount_that_is_gone_takes_nothing_more() {
    let Fixture { mounts, .. } = fixture();
    let mount = mounts.create(&path("kmip"), "").unwrap();
    drop(mounts.hold(&mount).unwrap());
    mounts.remount(&path("kmip"), &path("moved")).unwrap();
    drop(mounts.hold(&mount).unwrap());
    mounts.remove(&path("moved"), |_| Ok::<_, MountError>(())).unwrap();
    assert!(matches!(mounts.hold(&mount), Err(MountError::Missing(_))));
    mounts.create(&path("kmip"), "").unwrap();
    assert!(mounts.hold(&mount).is_err(), "another one at its path is not it");
}
