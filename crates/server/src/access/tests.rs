//! Scopes, roles and credentials on a memory store; `authorize` before and after every change.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use claviger_kmip::enums::Operation;

use super::*;
use crate::clock::ManualClock;
use crate::mount::tests::FakeListeners;
use crate::mount::{ConfigChange, Mount, MountPath, Mounts};
use crate::pki::{KeyType, PrivateKey, Serial};
use crate::record::testing::TestStore;
use crate::record::{Change, Records};

const NOW: i64 = 1_800_000_000;

/// Objects that are only scopes that have some.
#[derive(Default)]
pub(crate) struct FakeObjects {
    pub(crate) present: Mutex<HashSet<(MountId, ScopeId)>>,
}

impl Objects for FakeObjects {
    fn any(&self, mount: MountId, scope: ScopeId) -> Result<bool, String> {
        Ok(self.present.lock().unwrap().contains(&(mount, scope)))
    }

    fn delete_all(&self, mount: MountId, scope: ScopeId) -> Result<(), String> {
        self.present.lock().unwrap().remove(&(mount, scope));
        Ok(())
    }
}

struct Fixture {
    store: TestStore,
    clock: Arc<ManualClock>,
    objects: Arc<FakeObjects>,
    listeners: Arc<FakeListeners>,
    mounts: Mounts,
    access: Access,
}

impl Fixture {
    /// `kmip/` configured, scope `finance`, role `accounting` with everything.
    fn new() -> Self {
        let fixture = Self::bare();
        fixture.mounts.create(&kmip(), "").unwrap();
        fixture.mounts.configure(&kmip(), ConfigChange::default(), false).unwrap();
        fixture.access.create_scope(fixture.id(), &name("finance"), Change::Keep).unwrap();
        fixture.write_role(RoleChange::everything());
        fixture
    }

    fn bare() -> Self {
        let (store, records) = TestStore::new();
        let clock = Arc::new(ManualClock::at(NOW));
        let objects = Arc::new(FakeObjects::default());
        let listeners = Arc::new(FakeListeners::default());
        let (mounts, access) = open(records, &clock, &objects, &listeners);
        Self { store, clock, objects, listeners, mounts, access }
    }

    fn reopen(&mut self) {
        let records = self.store.reopen();
        let opened = open(records, &self.clock, &self.objects, &self.listeners);
        (self.mounts, self.access) = opened;
    }

    fn mount(&self) -> Arc<Mount> {
        self.mounts.at(&kmip()).unwrap()
    }

    fn id(&self) -> MountId {
        self.mount().id()
    }

    fn write_role(&self, change: RoleChange) {
        let accounting = name("accounting");
        self.access.write_role(&self.mount(), "finance", &accounting, change).unwrap();
    }

    fn generate(&self) -> Serial {
        self.access.generate_credential(&self.mount(), "finance", "accounting").unwrap().serial
    }

    fn ask(&self, serial: &Serial, operation: Operation) -> Result<(), Refusal> {
        self.access.authorize(self.id(), &(*serial).into(), operation).map(drop)
    }
}

fn open(
    records: Records,
    clock: &Arc<ManualClock>,
    objects: &Arc<FakeObjects>,
    listeners: &Arc<FakeListeners>,
) -> (Mounts, Access) {
    let mounts = Mounts::open(records.clone(), clock.clone(), listeners.clone()).unwrap();
    (mounts, Access::open(records, clock.clone(), objects.clone()).unwrap())
}

fn kmip() -> MountPath {
    MountPath::parse("kmip").unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn granting(operations: &[Operation]) -> RoleChange {
    let granted = OperationSet::of(operations.iter().copied());
    let permissions = PermissionChange { granted, ..PermissionChange::default() };
    RoleChange { permissions, ..RoleChange::default() }
}

#[test]
fn a_grant_says_whose_request_it_is() {
    let fixture = Fixture::new();
    let serial = fixture.generate();
    let grant = fixture.access.authorize(fixture.id(), &serial.into(), Operation::GET).unwrap();
    assert_eq!(grant.mount(), fixture.id());
    assert_eq!(Some(grant.scope()), fixture.access.scope_id(fixture.id(), "finance"));
    assert_eq!(grant.scope_name().as_str(), "finance");
    assert_eq!(grant.role_name().as_str(), "accounting");
    assert_eq!(grant.serial(), serial);
    assert!(grant.allows(Operation::DESTROY));
}

#[test]
fn every_operation_is_asked_of_the_role_as_it_is_now() {
    let fixture = Fixture::new();
    fixture.write_role(granting(&[Operation::GET]));
    let serial = fixture.generate();
    for row in Operation::ALL {
        let operation = Operation(row.code);
        let open = [Operation::GET, Operation::QUERY, Operation::DISCOVER_VERSIONS];
        let expected =
            if open.contains(&operation) { Ok(()) } else { Err(Refusal::NotPermitted(operation)) };
        assert_eq!(fixture.ask(&serial, operation), expected, "{operation}");
    }
    fixture.write_role(granting(&[Operation::CREATE]));
    assert_eq!(fixture.ask(&serial, Operation::CREATE), Ok(()));
    fixture.write_role(RoleChange::everything());
    assert_eq!(fixture.ask(&serial, Operation::DESTROY), Ok(()));
    let denied = OperationSet::of([Operation::QUERY]);
    let permissions = PermissionChange { denied, ..PermissionChange::everything() };
    fixture.write_role(RoleChange { permissions, ..RoleChange::default() });
    let refused = Err(Refusal::NotPermitted(Operation::QUERY));
    assert_eq!(fixture.ask(&serial, Operation::QUERY), refused);
}

#[test]
fn revocation_deletion_and_expiry_act_at_once() {
    let fixture = Fixture::new();
    let (first, second) = (fixture.generate(), fixture.generate());
    let mount = fixture.id();
    fixture.access.revoke_credential(mount, "finance", "accounting", &first).unwrap();
    assert_eq!(fixture.ask(&first, Operation::GET), Err(Refusal::Revoked));
    assert_eq!(fixture.ask(&second, Operation::GET), Ok(()));

    fixture.access.delete_role(mount, "finance", "accounting").unwrap();
    assert_eq!(fixture.ask(&second, Operation::GET), Err(Refusal::RoleDeleted));

    fixture.write_role(RoleChange::everything());
    let third = fixture.generate();
    assert_eq!(fixture.ask(&second, Operation::GET), Err(Refusal::RoleDeleted), "not revived");
    fixture.access.delete_scope(mount, "finance", false).unwrap();
    assert_eq!(fixture.ask(&third, Operation::GET), Err(Refusal::ScopeDeleted));

    fixture.access.create_scope(mount, &name("finance"), Change::Keep).unwrap();
    fixture.write_role(RoleChange::everything());
    let fourth = fixture.generate();
    fixture.clock.set(NOW + 1_209_600);
    assert_eq!(fixture.ask(&fourth, Operation::GET), Ok(()), "its last second");
    fixture.clock.set(NOW + 1_209_601);
    assert_eq!(fixture.ask(&fourth, Operation::GET), Err(Refusal::Expired));
}

#[test]
fn a_serial_is_worth_nothing_elsewhere() {
    let fixture = Fixture::new();
    let serial = fixture.generate();
    let other = MountPath::parse("other").unwrap();
    let other = fixture.mounts.create(&other, "").unwrap().id();
    let asked = fixture.access.authorize(other, &serial.into(), Operation::GET);
    assert_eq!(asked.unwrap_err(), Refusal::Unknown);
    let unknown = Serial::random().unwrap();
    assert_eq!(fixture.ask(&unknown, Operation::QUERY), Err(Refusal::Unknown));
}

#[test]
fn everything_outlives_a_restart() {
    let mut fixture = Fixture::new();
    fixture.write_role(granting(&[Operation::GET]));
    let (kept, revoked) = (fixture.generate(), fixture.generate());
    let mount = fixture.id();
    fixture.access.revoke_credential(mount, "finance", "accounting", &revoked).unwrap();
    let role = fixture.access.read_role(mount, "finance", "accounting");
    fixture.reopen();
    assert_eq!(fixture.access.read_role(mount, "finance", "accounting"), role);
    assert_eq!(fixture.ask(&kept, Operation::GET), Ok(()));
    let refused = Err(Refusal::NotPermitted(Operation::CREATE));
    assert_eq!(fixture.ask(&kept, Operation::CREATE), refused);
    assert_eq!(fixture.ask(&revoked, Operation::GET), Err(Refusal::Unknown));
    let found = fixture.access.lookup_credential(&fixture.mount(), "finance", "accounting", &kept);
    assert_eq!(found.unwrap().unwrap().chain.len(), 2);
    fixture.access.delete_scope(mount, "finance", false).unwrap();
    fixture.reopen();
    assert!(fixture.access.list_scopes(mount).is_empty());
    for kind in [b's', b'r', b'e'] {
        assert!(fixture.store.reopen().keys(&[kind]).unwrap().is_empty());
    }
}

#[test]
fn a_scope_with_objects_goes_only_by_force() {
    let fixture = Fixture::new();
    let mount = fixture.id();
    let serial = fixture.generate();
    let put_object = || {
        let scope = fixture.access.scope_id(mount, "finance").unwrap();
        fixture.objects.present.lock().unwrap().insert((mount, scope));
    };
    put_object();
    let refused = fixture.access.delete_scope(mount, "finance", false).unwrap_err();
    assert!(matches!(refused, AccessError::Refused(_)));
    assert_eq!(fixture.ask(&serial, Operation::GET), Ok(()), "it is open again");
    fixture.access.delete_scope(mount, "finance", true).unwrap();
    assert!(fixture.objects.present.lock().unwrap().is_empty());
    fixture.access.delete_scope(mount, "finance", false).unwrap();

    // Force given at creation is remembered, and can be taken back.
    fixture.access.create_scope(mount, &name("finance"), Change::To(true)).unwrap();
    put_object();
    fixture.access.create_scope(mount, &name("finance"), Change::To(false)).unwrap();
    assert!(fixture.access.delete_scope(mount, "finance", false).is_err());
    fixture.access.create_scope(mount, &name("finance"), Change::To(true)).unwrap();
    fixture.access.create_scope(mount, &name("finance"), Change::Keep).unwrap();
    fixture.access.delete_scope(mount, "finance", false).unwrap();
}

#[test]
fn a_deletion_waits_for_running_requests_and_lets_none_start() {
    let fixture = Arc::new(Fixture::new());
    let mount = fixture.id();
    let serial = fixture.generate();
    let running = fixture.access.authorize(mount, &serial.into(), Operation::CREATE).unwrap();
    let deleting = {
        let fixture = fixture.clone();
        std::thread::spawn(move || fixture.access.delete_scope(mount, "finance", false))
    };
    // Once it is closing, nobody else gets in.
    while fixture.ask(&serial, Operation::CREATE) != Err(Refusal::ScopeClosing) {
        std::thread::yield_now();
    }
    // The request that was running puts its object, durably, and ends.
    fixture.objects.present.lock().unwrap().insert((mount, running.scope()));
    drop(running);
    let refused = deleting.join().unwrap().unwrap_err();
    assert!(refused.to_string().contains("contains managed objects"), "{refused}");
    assert_eq!(fixture.ask(&serial, Operation::CREATE), Ok(()));
}

#[test]
fn generated_credentials_carry_identifiers_and_the_roles_wishes() {
    let fixture = Fixture::new();
    let generate = || {
        let made = fixture.access.generate_credential(&fixture.mount(), "finance", "accounting");
        made.unwrap()
    };
    let subject = |credential: &Credential| {
        let parsed = x509_parser::parse_x509_certificate(&credential.certificate);
        let certificate = parsed.unwrap().1;
        let san = certificate.subject_alternative_name().unwrap().unwrap();
        (certificate.subject().to_string(), format!("{:?}", san.value.general_names))
    };
    let first = generate();
    assert_eq!(first.private_key.as_ref().unwrap().spec().bits(), 256);
    assert_eq!(first.not_after, NOW + 1_209_600);
    let (dn, san) = subject(&first);
    let (ou, cn) = dn.strip_prefix("OU=").unwrap().split_once(", CN=").unwrap();
    assert_eq!((ou.len(), cn.len()), (5, 5));
    assert_eq!(san, "[URI(\"kmip://finance/accounting\")]");
    assert_eq!(subject(&generate()).0, dn, "same scope, same role");

    fixture.write_role(RoleChange {
        key_type: Change::To(KeyType::Rsa),
        ttl_seconds: Change::To(3600),
        ..RoleChange::default()
    });
    let rsa = generate();
    assert_eq!(rsa.private_key.as_ref().unwrap().spec().bits(), 2048);
    assert_eq!(rsa.not_after, NOW + 3600);
    let bundle = rsa.bundle_pem();
    assert!(bundle.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 3);
    assert!(!bundle.contains("\n\n"));

    fixture.access.delete_scope(fixture.id(), "finance", false).unwrap();
    fixture.access.create_scope(fixture.id(), &name("finance"), Change::Keep).unwrap();
    fixture.write_role(RoleChange::everything());
    assert_ne!(subject(&generate()).0, dn, "another scope of the same name");
}

#[test]
fn requests_are_signed_only_for_the_roles_kind_of_key() {
    let fixture = Fixture::new();
    let request = |spec| {
        let signer = PrivateKey::generate(spec).unwrap();
        crate::pki::testing::request_pem(&signer)
    };
    let sign = |pem: &str| {
        let (mount, names) = (fixture.mount(), crate::pki::ServerNames::default());
        fixture.access.sign_credential(&mount, "finance", "accounting", names, pem)
    };
    let signed = sign(&request(crate::pki::KeySpec::Ec256)).unwrap();
    assert!(signed.private_key.is_none());
    assert_eq!(fixture.ask(&signed.serial, Operation::GET), Ok(()));
    assert!(signed.bundle_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    let refused = sign(&request(crate::pki::KeySpec::Ec384)).unwrap_err();
    assert!(matches!(refused, AccessError::Pki(ref error) if error.is_callers()));
}

#[test]
fn lists_lookups_and_revocations_stay_within_their_role() {
    let fixture = Fixture::new();
    let mount = fixture.mount();
    let mut serials = vec![fixture.generate(), fixture.generate()];
    serials.sort();
    let listed = |role| -> Vec<Serial> {
        let views = fixture.access.list_credentials(mount.id(), Some("finance"), Some(role), None);
        views.into_iter().map(|view| view.serial).collect()
    };
    assert_eq!(listed("accounting"), serials);
    let change = RoleChange::everything();
    fixture.access.write_role(&mount, "finance", &name("other"), change).unwrap();
    assert!(listed("other").is_empty() && listed("absent").is_empty());
    let lookup = |role| {
        let found = fixture.access.lookup_credential(&mount, "finance", role, &serials[0]);
        found.unwrap().map(|found| found.private_key.is_none())
    };
    assert_eq!(lookup("accounting"), Some(true));
    assert_eq!((lookup("other"), lookup("absent")), (None, None));
    let revoke = |role| fixture.access.revoke_credential(mount.id(), "finance", role, &serials[0]);
    assert!(matches!(revoke("other"), Err(AccessError::Missing(_))));
    revoke("accounting").unwrap();
    assert!(matches!(revoke("accounting"), Err(AccessError::Missing(_))));
    assert_eq!(listed("accounting"), serials[1..]);
    assert_eq!(lookup("accounting"), None);
}

#[test]
fn what_is_missing_is_said() {
    let fixture = Fixture::bare();
    let mount = fixture.mounts.create(&kmip(), "").unwrap();
    let write =
        |scope| fixture.access.write_role(&mount, scope, &name("r"), RoleChange::everything());
    assert!(matches!(write("finance"), Err(AccessError::Missing(_))));
    fixture.access.create_scope(mount.id(), &name("finance"), Change::Keep).unwrap();
    write("finance").unwrap();
    let generate = |role| fixture.access.generate_credential(&mount, "finance", role);
    assert!(matches!(generate("absent"), Err(AccessError::Missing(_))));
    let unconfigured = generate("r").unwrap_err();
    assert!(matches!(unconfigured, AccessError::Refused(_)));
    assert!(unconfigured.to_string().contains("write kmip/config first"));
}

#[test]
fn a_failed_commit_changes_nothing_in_memory() {
    let fixture = Fixture::new();
    let serial = fixture.generate();
    let mount = fixture.id();
    fixture.store.fail_commits();
    assert!(fixture.access.create_scope(mount, &name("late"), Change::Keep).is_err());
    assert_eq!(fixture.access.list_scopes(mount), [name("finance")]);
    let change = granting(&[Operation::GET]);
    let accounting = name("accounting");
    assert!(fixture.access.write_role(&fixture.mount(), "finance", &accounting, change).is_err());
    assert_eq!(fixture.ask(&serial, Operation::DESTROY), Ok(()));
    let generated = fixture.access.generate_credential(&fixture.mount(), "finance", "accounting");
    assert!(generated.is_err());
    assert_eq!(
        fixture.access.list_credentials(mount, Some("finance"), Some("accounting"), None).len(),
        1
    );
    let revoked = fixture.access.revoke_credential(mount, "finance", "accounting", &serial);
    assert!(revoked.is_err());
}
