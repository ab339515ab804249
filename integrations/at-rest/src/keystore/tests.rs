//! Keystores on a disk: what is kept, what is refused, and that a change is whole or not there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::Kind;

fn master(byte: u8) -> MasterKey {
    MasterKey::parse(&[byte; 32]).unwrap()
}

fn used() -> Configured {
    Configured::Kmip("4f7d".into())
}

fn create(path: &Path) -> Keystore {
    Closed::lock(path).unwrap().create(&master(1), used()).unwrap()
}

fn open(path: &Path) -> Result<Keystore, Error> {
    open_with(path, 1)
}

fn open_with(path: &Path, byte: u8) -> Result<Keystore, Error> {
    Closed::lock(path)?.open(&master(byte))
}

fn keys(keystore: &Keystore) -> BTreeMap<String, [u8; 32]> {
    let names = keystore.places.keys();
    names.map(|name| (name.to_string(), *keystore.data_key(name).unwrap().expose())).collect()
}

/// A keystore that three changes made, and its file.
fn filled(path: &Path) -> (BTreeMap<String, [u8; 32]>, PathBuf) {
    let mut keystore = create(path);
    keystore.add("orders").unwrap();
    keystore.add_all(&["/default", "größe", &"x".repeat(255)]).unwrap();
    keystore.add("local").unwrap();
    (keys(&keystore), path.join(FILE))
}

#[test]
fn what_was_added_is_there_when_it_is_opened_again() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a/b");
    let (before, file) = filled(&path);
    assert_eq!(before.len(), 5);
    let distinct: std::collections::BTreeSet<_> = before.values().collect();
    assert_eq!(distinct.len(), 5, "each database has a key of its own");
    let mut keystore = open(&path).unwrap();
    assert_eq!(keys(&keystore), before);
    assert_eq!((keystore.len(), keystore.configured()), (5, &used()));
    keystore.add("more").unwrap();
    drop(keystore);
    assert_eq!(open(&path).unwrap().len(), 6);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&file)), (0o700, 0o600));
    let bytes = fs::read(&file).unwrap();
    for key in before.values() {
        assert!(!bytes.windows(32).any(|window| window == key), "a key stands in the file");
    }
    let summary = summary(&path).unwrap();
    assert_eq!(summary.configured, used());
    assert_eq!(summary.databases.len(), 6);
    assert_eq!(summary.databases.first().map(String::as_str), Some("orders"));
}

#[test]
fn names_are_checked_and_all_or_none_are_added() {
    let scratch = tempfile::tempdir().unwrap();
    let (before, _) = filled(scratch.path());
    let mut keystore = open(scratch.path()).unwrap();
    for (names, kind) in [
        (&["new", "orders"][..], Kind::KnownDatabase),
        (&["new", "new"], Kind::KnownDatabase),
        (&["new", ""], Kind::DatabaseName),
        (&["new", "a\nb"], Kind::DatabaseName),
        (&["new", &"x".repeat(256)], Kind::DatabaseName),
    ] {
        assert_eq!(keystore.add_all(names).unwrap_err().kind(), kind, "{names:?}");
        assert_eq!(keys(&keystore), before);
    }
    assert_eq!(keystore.data_key("new").unwrap_err().kind(), Kind::UnknownDatabase);
}

#[test]
fn one_process_uses_it() {
    let scratch = tempfile::tempdir().unwrap();
    let keystore = create(scratch.path());
    assert_eq!(open(scratch.path()).unwrap_err().kind(), Kind::InUse);
    // Reading what needs no key is no use of it.
    summary(scratch.path()).unwrap();
    drop(keystore);
    open(scratch.path()).unwrap();
}

#[test]
fn a_rotation_seals_every_key_anew() {
    let scratch = tempfile::tempdir().unwrap();
    let (before, file) = filled(scratch.path());
    let mut keystore = open(scratch.path()).unwrap();
    let next = Configured::Kmip("a longer identifier".into());
    keystore.rotate(&master(2), next.clone()).unwrap();
    assert_eq!(keys(&keystore), before);
    keystore.add("after").unwrap();
    let after = keys(&keystore);
    drop(keystore);
    assert_eq!(open(scratch.path()).unwrap_err().kind(), Kind::DoesNotOpen);
    let keystore = open_with(scratch.path(), 2).unwrap();
    assert_eq!(keys(&keystore), after);
    assert_eq!(keystore.configured(), &next);
    assert!(!file.with_extension("draft").exists());
    assert!(!scratch.path().join("keystore.draft").exists());
}

#[test]
fn who_keeps_the_key_can_be_noted_without_another_key() {
    let scratch = tempfile::tempdir().unwrap();
    let mut keystore =
        Closed::lock(scratch.path()).unwrap().create(&master(1), Configured::Nothing).unwrap();
    keystore.add("orders").unwrap();
    let before = keys(&keystore);
    keystore.configure(used()).unwrap();
    drop(keystore);
    let keystore = open(scratch.path()).unwrap();
    assert_eq!((keys(&keystore), keystore.configured()), (before, &used()));
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, file) = filled(scratch.path());
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        let kind = open(scratch.path()).unwrap_err().kind();
        let expected = [Kind::Damaged, Kind::DoesNotOpen, Kind::Newer];
        assert!(expected.contains(&kind), "byte {at}: {kind:?}");
    }
}

#[test]
fn no_part_of_it_is_taken_for_the_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, file) = filled(scratch.path());
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(open(scratch.path()).unwrap_err().kind(), Kind::Damaged, "{length}");
        if length > 0 {
            let _may_not_panic = summary(scratch.path());
        }
    }
}

#[test]
fn what_the_header_does_not_count_was_never_there() {
    let scratch = tempfile::tempdir().unwrap();
    let (before, file) = filled(scratch.path());
    let mut bytes = fs::read(&file).unwrap();
    // A crash behind the data, before the header: half a record, or a whole one.
    bytes.extend_from_slice(b"\x06\0\0\0\x01half a");
    fs::write(&file, &bytes).unwrap();
    let mut keystore = open(scratch.path()).unwrap();
    assert_eq!(keys(&keystore), before);
    keystore.add("after").unwrap();
    drop(keystore);
    assert_eq!(open(scratch.path()).unwrap().len(), before.len() + 1);
}

#[test]
fn a_record_of_another_keystore_does_not_open() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for scratch in [&one, &other] {
        create(scratch.path()).add("orders").unwrap();
    }
    let bytes = |scratch: &tempfile::TempDir| fs::read(scratch.path().join(FILE)).unwrap();
    let begin = usize::try_from(Header::parse(&bytes(&one)).unwrap().length()).unwrap();
    let mixed = [&bytes(&one)[..begin], &bytes(&other)[begin..]].concat();
    fs::write(one.path().join(FILE), mixed).unwrap();
    assert_eq!(open(one.path()).unwrap_err().kind(), Kind::Damaged);
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let scratch = tempfile::tempdir().unwrap();
    let (_, file) = filled(scratch.path());
    let mut bytes = fs::read(&file).unwrap();
    for (format, kind) in [(FORMAT + 1, Kind::Newer), (255, Kind::Newer), (0, Kind::Damaged)] {
        bytes[8] = format;
        fs::write(&file, &bytes).unwrap();
        let error = open(scratch.path()).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(summary(scratch.path()).unwrap_err().kind(), kind);
        if kind == Kind::Newer {
            assert!(error.to_string().contains(&format!("format {format} is newer")), "{error}");
        }
    }
    assert_eq!(fs::read(&file).unwrap(), bytes, "nothing is written");
}

/// `fixtures/format-1.keystore` was sealed with 32 bytes of 7 for the key `4f7d`, and holds two databases
/// whose keys are 32 bytes of 0xa1 and of 0xb2.
const OLD: &[u8] = include_bytes!("../../fixtures/format-1.keystore");

fn old_keys() -> BTreeMap<String, [u8; 32]> {
    BTreeMap::from([("orders".into(), [0xa1; 32]), ("/default".into(), [0xb2; 32])])
}

#[test]
fn an_older_format_is_copied_and_written_anew() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join(FILE);
    fs::write(&file, OLD).unwrap();
    assert_eq!(summary(scratch.path()).unwrap().databases, ["orders", "/default"]);
    assert_eq!(open_with(scratch.path(), 8).unwrap_err().kind(), Kind::DoesNotOpen);
    assert_eq!(fs::read(&file).unwrap(), OLD, "what does not open is left alone");
    for _ in 0..2 {
        let keystore = open_with(scratch.path(), 7).unwrap();
        assert_eq!((keys(&keystore), keystore.configured()), (old_keys(), &used()));
        assert_eq!(fs::read(scratch.path().join("keystore.format-1")).unwrap(), OLD);
        assert_eq!(fs::read(&file).unwrap()[8], FORMAT);
    }
}

#[test]
fn an_older_format_without_an_identifier_was_configured_with_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let old = format::old::write(&master(7), "", &[("orders", [0xa1; 32])]);
    fs::write(scratch.path().join(FILE), old).unwrap();
    assert_eq!(summary(scratch.path()).unwrap().configured, Configured::Nothing);
    assert_eq!(open_with(scratch.path(), 7).unwrap().len(), 1);
}

#[test]
fn a_directory_without_a_keystore_is_said_to_have_none() {
    let scratch = tempfile::tempdir().unwrap();
    assert_eq!(summary(scratch.path()).unwrap_err().kind(), Kind::NoKeystore);
    assert_eq!(open(scratch.path()).unwrap_err().kind(), Kind::NoKeystore);
    fs::write(scratch.path().join(FILE), b"something else").unwrap();
    assert_eq!(open(scratch.path()).unwrap_err().kind(), Kind::Damaged);
}

/// The targets, less than a second and less than five, are for a release build.
#[test]
fn a_hundred_thousand_databases_are_opened_and_rotated_in_time() {
    let scratch = tempfile::tempdir().unwrap();
    let mut keystore = create(scratch.path());
    let names: Vec<String> = (0..100_000).map(|number| format!("database {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    keystore.add_all(&names).unwrap();
    drop(keystore);
    let began = Instant::now();
    let mut keystore = open(scratch.path()).unwrap();
    let opened = began.elapsed();
    assert_eq!(keystore.len(), names.len());
    let began = Instant::now();
    keystore.rotate(&master(2), used()).unwrap();
    let rotated = began.elapsed();
    keystore.data_key("database 99999").unwrap();
    println!("opened in {opened:?}, rotated in {rotated:?}");
    let slack = if cfg!(debug_assertions) { 30 } else { 1 };
    assert!(opened < Duration::from_secs(slack) && rotated < Duration::from_secs(5 * slack));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0_usize..400) {
        let scratch = tempfile::tempdir().unwrap();
        let mut mixed = OLD.to_vec();
        let at = at.min(mixed.len());
        mixed.truncate(at);
        mixed.extend(bytes);
        fs::write(scratch.path().join(FILE), mixed).unwrap();
        let _no_panic = summary(scratch.path());
        let _no_panic = open_with(scratch.path(), 7);
    }

    #[test]
    fn any_sequence_of_changes_is_what_is_opened(steps in prop::collection::vec((0_u8..12, any::<bool>()), 1..20)) {
        let scratch = tempfile::tempdir().unwrap();
        let mut byte = 1;
        let mut keystore = create(scratch.path());
        let mut model = BTreeMap::new();
        for (name, rotates) in steps {
            if rotates {
                byte += 1;
                keystore.rotate(&master(byte), Configured::Kmip("k".repeat(usize::from(name) + 1))).unwrap();
            } else {
                let name = format!("database {name}");
                let added = keystore.add(&name);
                prop_assert_eq!(added.is_ok(), !model.contains_key(&name));
                if added.is_ok() {
                    model.insert(name.clone(), *keystore.data_key(&name).unwrap().expose());
                }
            }
            drop(keystore);
            keystore = open_with(scratch.path(), byte).unwrap();
            prop_assert_eq!(&keys(&keystore), &model);
        }
    }
}
