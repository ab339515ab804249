//! What a store holds moves under another seal with its identifiers, its index and its credentials,
//! all of it or none.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use claviger_kmip::attributes::values::Name as ObjectName;
use claviger_kmip::attributes::{Attribute, Attributes};
use claviger_kmip::enums::{NameType, ObjectType};
use claviger_store::{Durability, Engine, Memory, Range, Sqlite};

use super::*;
use crate::access::tests::FakeObjects;
use crate::access::{Access, Name, RoleChange};
use crate::auth::{AppRole, AppRoleChange, AuthMethods, Client, MethodKind, NewSecretId};
use crate::clock::ManualClock;
use crate::mount::tests::FakeListeners;
use crate::mount::{ConfigChange, MountPath, Mounts, Tuning};
use crate::object::{ManagedObject, ObjectId, Objects, Partition, Query};
use crate::record::{Change, Records};
use crate::seal::{Barrier, Custodian, KeyFile, Opener};
use crate::token::Tokens;

const NOW: i64 = 1_800_000_000;
const PASSPHRASE: &[u8] = b"correct horse battery staple";

/// A store with a key file of its own, as services see it.
struct Store {
    barrier: Arc<Barrier>,
    mounts: Mounts,
    access: Access,
    objects: Objects,
}

fn on(engine: Arc<dyn Engine>, key: &KeyFile) -> Store {
    let root = if key.exists() { key.read().unwrap() } else { key.create().unwrap() };
    let barrier = match Barrier::is_initialised(&*engine).unwrap() {
        true => Barrier::unseal(engine, &root).unwrap(),
        false => Barrier::initialise(engine, &root, NOW).unwrap(),
    };
    let barrier = Arc::new(barrier);
    let (records, clock) = (Records::new(Arc::clone(&barrier)), Arc::new(ManualClock::at(NOW)));
    let listeners = Arc::new(FakeListeners::default());
    let mounts = Mounts::open(records.clone(), clock.clone(), listeners).unwrap();
    let access = Access::open(records, clock, Arc::new(FakeObjects::default())).unwrap();
    let objects = Objects::new(Arc::clone(&barrier), 1 << 20);
    Store { barrier, mounts, access, objects }
}

fn opener(key: &KeyFile) -> Opener {
    Opener::Custodian(Custodian::KeyFile(key.clone()))
}

fn named(text: &str) -> Attribute {
    Attribute::Name(ObjectName {
        name_value: text.to_owned(),
        name_type: NameType::UNINTERPRETED_TEXT_STRING,
    })
}

impl Store {
    fn partition(&self, mount: &MountPath) -> Partition {
        let mount = self.mounts.at(mount).unwrap().id();
        let scope = self.access.scope_id(mount, "finance").unwrap();
        Partition { mount: *mount.as_bytes(), scope: *scope.as_bytes() }
    }

    /// Some of everything at that path; the serial number of the credential.
    fn populate(&self, path: &MountPath) -> String {
        self.mounts.create(path, "").unwrap();
        self.mounts.configure(path, ConfigChange::default(), true).unwrap();
        let mount = self.mounts.at(path).unwrap();
        let role = Name::parse("app").unwrap();
        self.access
            .create_scope(mount.id(), &Name::parse("finance").unwrap(), Change::Keep)
            .unwrap();
        self.access.write_role(&mount, "finance", &role, RoleChange::everything()).unwrap();
        let credential = self.access.generate_credential(&mount, "finance", "app").unwrap();
        let mut attributes = Attributes::new();
        attributes.push(named("first"));
        let id = ObjectId::from_bytes([7; 16]);
        let object_type = ObjectType::SYMMETRIC_KEY;
        let mut tx = self.objects.begin(self.partition(path), NOW);
        tx.insert(ManagedObject { id, object_type, object: None, attributes });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(tx.commit().done()).unwrap();
        credential.serial.to_string()
    }

    fn locate(&self, path: &MountPath, name: &str) -> Vec<ObjectId> {
        let query = Query { attributes: vec![named(name)], ..Query::default() };
        self.objects.begin(self.partition(path), NOW).locate(&query).unwrap()
    }

    fn serials(&self, path: &MountPath) -> Vec<String> {
        let mount = self.mounts.at(path).unwrap().id();
        let found = self.access.list_credentials(mount, Some("finance"), Some("app"), None);
        found.iter().map(|credential| credential.serial.to_string()).collect()
    }
}

fn kmip() -> MountPath {
    MountPath::parse("kmip").unwrap()
}

fn export_of(engine: Arc<dyn Engine>, key: &KeyFile) -> Vec<u8> {
    let mut file = Vec::new();
    export(Source::Store(engine), &opener(key), PASSPHRASE, &mut file).unwrap();
    file
}

fn open(directory: &Path) -> Arc<dyn Engine> {
    Arc::new(Sqlite::open(directory, Durability::Full).unwrap())
}

fn everything(directory: &Path) -> Vec<(Vec<u8>, claviger_store::Record)> {
    open(directory).scan(&Range::all()).unwrap()
}

#[test]
fn an_import_brings_everything_under_another_seal() {
    let place = tempfile::tempdir().unwrap();
    let key = KeyFile::new(place.path().join("source.key"));
    let engine = Arc::new(Memory::new());
    let source = on(engine.clone(), &key);
    let serial = source.populate(&kmip());
    let tokens =
        Tokens::new(Records::new(Arc::clone(&source.barrier)), Arc::new(ManualClock::at(NOW)));
    tokens.create_root(Some("the-token-of-the-source")).unwrap();
    let file = export_of(engine, &key);
    for secret in ["kmip/", "finance", "first", "the-token-of-the-source"] {
        let found = file.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "{secret} is in the clear");
    }

    let other = KeyFile::new(place.path().join("target.key"));
    let directory = place.path().join("target");
    let before = on(open(&directory), &other);
    before.mounts.create(&MountPath::parse("already").unwrap(), "").unwrap();
    drop(before);
    let rows = everything(&directory).len();
    let count = import(Cursor::new(&file), PASSPHRASE, &opener(&other), &directory).unwrap();
    // The index row of the name besides.
    assert_eq!(everything(&directory).len(), rows + count as usize + 1);

    let target = on(open(&directory), &other);
    assert!(target.mounts.at(&MountPath::parse("already").unwrap()).is_some());
    assert_eq!(target.partition(&kmip()).scope, source.partition(&kmip()).scope);
    assert_eq!(target.serials(&kmip()), [serial]);
    let mount = target.mounts.at(&kmip()).unwrap().id();
    assert!(!target.access.read_role(mount, "finance", "app").unwrap().granted.is_empty());
    assert_eq!(target.locate(&kmip(), "first"), [ObjectId::from_bytes([7; 16])]);
    assert!(target.locate(&kmip(), "second").is_empty());
    let tokens = Tokens::new(Records::new(target.barrier), Arc::new(ManualClock::at(NOW)));
    assert_eq!(tokens.lookup("the-token-of-the-source").unwrap(), None);
}

#[test]
fn who_could_log_in_can_do_so_on_the_other_server() {
    let place = tempfile::tempdir().unwrap();
    let key = KeyFile::new(place.path().join("source.key"));
    let engine = Arc::new(Memory::new());
    let path = MountPath::parse("approle").unwrap();
    let methods_of = |store: &Store| {
        let records = Records::new(Arc::clone(&store.barrier));
        let clock = Arc::new(ManualClock::at(NOW));
        AuthMethods::quick(records.clone(), Tokens::new(records, clock.clone()), clock)
    };
    let source = methods_of(&on(engine.clone(), &key));
    source.enable(&path, MethodKind::AppRole, "", Tuning::default()).unwrap();
    let method = source.at(&path).unwrap();
    let roles = AppRole::of(&source, &method);
    roles.write("ci", AppRoleChange::default()).unwrap();
    let role_id = roles.role_id("ci").unwrap().unwrap();
    let made = roles.make_secret_id("ci", NewSecretId::default()).unwrap();
    roles.login(&role_id, &made.secret_id, Client::default()).unwrap();
    let file = export_of(engine, &key);

    let other = KeyFile::new(place.path().join("target.key"));
    let directory = place.path().join("target");
    drop(on(open(&directory), &other));
    import(Cursor::new(&file), PASSPHRASE, &opener(&other), &directory).unwrap();
    let target = methods_of(&on(open(&directory), &other));
    let method = target.at(&path).unwrap();
    let roles = AppRole::of(&target, &method);
    assert_eq!(roles.secret_id_accessors("ci").unwrap(), [made.accessor]);
    assert!(roles.login(&role_id, "another", Client::default()).is_err());
    roles.login(&role_id, &made.secret_id, Client::default()).unwrap();
}

#[test]
fn a_backup_exports_what_its_store_would() {
    let place = tempfile::tempdir().unwrap();
    let key = KeyFile::new(place.path().join("source.key"));
    let engine = Arc::new(Memory::new());
    let source = on(engine.clone(), &key);
    source.populate(&kmip());
    let path = place.path().join("backup");
    let mut file = std::fs::File::create_new(&path).unwrap();
    write(&source.barrier, NOW).unwrap()(&mut file).unwrap();
    let mut file = std::fs::File::open(&path).unwrap();
    let mut exported = Vec::new();
    export(Source::Backup(&mut file), &opener(&key), PASSPHRASE, &mut exported).unwrap();
    assert_eq!(exported.len(), export_of(engine, &key).len());
    let refused = export(Source::Backup(&mut file), &opener(&key), b"short", &mut Vec::new());
    assert!(matches!(refused, Err(BackupError::ShortPassphrase)));
}

#[test]
fn whatever_is_wrong_nothing_is_imported() {
    let place = tempfile::tempdir().unwrap();
    let key = KeyFile::new(place.path().join("source.key"));
    let engine = Arc::new(Memory::new());
    on(engine.clone(), &key).populate(&kmip());
    let file = export_of(engine, &key);
    let other = KeyFile::new(place.path().join("target.key"));
    let directory = place.path().join("target");
    drop(on(open(&directory), &other));
    let before = everything(&directory);
    let try_import = |file: &[u8], passphrase: &[u8], key: &KeyFile| {
        let refused = import(Cursor::new(file), passphrase, &opener(key), &directory).unwrap_err();
        assert_eq!(everything(&directory), before, "{refused}");
        refused
    };
    let refused = try_import(&file, b"wrong horse battery staple", &other);
    assert!(matches!(refused, BackupError::WrongPassphrase));
    let refused = try_import(&file, PASSPHRASE, &key);
    assert!(matches!(refused, BackupError::Seal(_)), "{refused}");
    let refused = try_import(&file[..file.len() - 1], PASSPHRASE, &other);
    assert!(matches!(refused, BackupError::CutOff(_)));
    // Without its last part: five bytes of head, eight of number, a tag.
    let refused = try_import(&file[..file.len() - 29], PASSPHRASE, &other);
    assert!(matches!(refused, BackupError::CutOff(_)));
    let refused = try_import(&[&file[..], b"x"].concat(), PASSPHRASE, &other);
    assert!(matches!(refused, BackupError::Trailing(_)));
    for at in [0, 8, 20, 60, file.len() - 20] {
        let mut bad = file.clone();
        bad[at] ^= 1;
        try_import(&bad, PASSPHRASE, &other);
    }
    drop(on(open(&directory), &other).mounts.create(&kmip(), "").unwrap());
    let before = everything(&directory);
    let refused = import(Cursor::new(&file), PASSPHRASE, &opener(&other), &directory).unwrap_err();
    assert!(matches!(refused, BackupError::Conflict('m')), "{refused}");
    assert_eq!(everything(&directory), before);
    let nowhere = place.path().join("nowhere");
    assert!(import(Cursor::new(&file), PASSPHRASE, &opener(&other), &nowhere).is_err());
    assert!(!nowhere.exists());
}

#[test]
fn a_record_of_an_unknown_kind_stops_an_export() {
    let place = tempfile::tempdir().unwrap();
    let key = KeyFile::new(place.path().join("source.key"));
    let engine = Arc::new(Memory::new());
    let source = on(engine.clone(), &key);
    Records::new(source.barrier).plant(b"~of the future".to_vec(), b"\x01{}".to_vec());
    let refused = export(Source::Store(engine), &opener(&key), PASSPHRASE, &mut Vec::new());
    assert!(matches!(refused, Err(BackupError::UnknownKind('~'))));
}
