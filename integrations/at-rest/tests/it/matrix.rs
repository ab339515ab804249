//! The matrices of Percona Server for MongoDB: what a start does, by what the keystore and the
//! options say and by the state of the key. Every row against Claviger
//! and stock PyKMIP servers, with certificates for rustls and with RSA ones for OpenSSL.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger_at_rest::options::OptionId;
use claviger_at_rest::{Configured, Error, Kind, Level, Options, Settings, Started};
use claviger_kmip::enums::State;

use crate::world::{World, key_of, kmip};

/// Bytes of keys that are there before.
const KEY: [u8; 32] = [0x4b; 32];
const ACTIVATION: [Option<&str>; 3] = [None, Some("true"), Some("false")];

/// Every server, as far as it is there.
fn worlds() -> impl Iterator<Item = World> {
    let starts: [fn() -> Option<World>; 3] = [World::start, World::pykmip, World::pykmip_rsa];
    starts.into_iter().filter_map(|start| start())
}

/// A directory that was not there before.
fn directory(world: &World) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    world.directory(&COUNT.fetch_add(1, Ordering::SeqCst).to_string())
}

fn settings(
    world: &World,
    level: Level,
    activation: Option<&str>,
    key: Option<&str>,
    rotate: bool,
) -> Settings {
    let mut options = Vec::new();
    options.extend(activation.map(|text| (OptionId::KmipActivateKeys, text)));
    options.extend(key.map(|key| (OptionId::KmipKeyIdentifier, key)));
    options.extend(rotate.then_some((OptionId::KmipRotateMasterKey, "true")));
    world.settings(vec![world.endpoint()], level, &options)
}

/// What a key's state means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Off,
    Tolerant,
    Strict,
}

fn care(level: Level, activation: Option<&str>) -> Care {
    match (level, activation) {
        (_, Some("false")) => Care::Off,
        (Level::V5_0, None) => Care::Tolerant,
        _ => Care::Strict,
    }
}

impl Care {
    fn takes(self, state: State) -> bool {
        match self {
            Self::Off => true,
            Self::Tolerant => state != State::DEACTIVATED,
            Self::Strict => state == State::ACTIVE,
        }
    }

    fn of_new(self) -> State {
        if self == Self::Off { State::PRE_ACTIVE } else { State::ACTIVE }
    }
}

const STATES: [State; 3] = [State::PRE_ACTIVE, State::ACTIVE, State::DEACTIVATED];

fn cases() -> impl Iterator<Item = (Level, Option<&'static str>)> {
    let levels = [Level::V5_0, Level::V8_0].into_iter();
    levels.flat_map(|level| ACTIVATION.map(|activation| (level, activation)))
}

fn in_state(world: &World, state: State) -> String {
    let key = world.register(&KEY);
    world.bring(&key, state);
    key
}

#[test]
fn the_state_at_start_up() {
    for world in worlds() {
        for (level, activation) in cases() {
            let care = care(level, activation);
            let with = |key: Option<&str>| settings(&world, level, activation, key, false);
            let new = directory(&world);
            let started = world.fresh_start(&with(None), &new).unwrap();
            assert_eq!(world.state(&key_of(&started)), care.of_new(), "{level} {activation:?}");
            assert_eq!(started.polling.is_some(), care != Care::Off, "{level} {activation:?}");
            for state in STATES {
                let what = format!("{level} {activation:?} {state:?}");
                let (key, at) = (in_state(&world, state), directory(&world));
                let started = world.fresh_start(&with(Some(&key)), &at);
                assert_eq!(world.state(&key), state, "{what}: it is not changed");
                if !care.takes(state) {
                    let error = started.unwrap_err();
                    assert!(matches!(&error, Error::NotActive { state: it, .. } if *it == state));
                    assert!(!at.join("keystore").exists(), "{what}");
                    continue;
                }
                let started = started.unwrap();
                let is_polled = care != Care::Off && state == State::ACTIVE;
                assert_eq!(started.polling.is_some(), is_polled, "{what}");
                assert_eq!(key_of(&started), key, "{what}");
            }
        }
    }
}

#[test]
fn the_state_at_rotation() {
    for world in worlds() {
        for (level, activation) in cases() {
            let care = care(level, activation);
            for old in STATES {
                for new in [None].into_iter().chain(STATES.map(Some)) {
                    let what = format!("{level} {activation:?} {old:?} {new:?}");
                    let (before, at) = (world.register(&KEY), directory(&world));
                    let off =
                        |key: Option<&str>| settings(&world, level, Some("false"), key, false);
                    drop(world.fresh_start(&off(Some(&before)), &at).unwrap());
                    world.bring(&before, old);
                    let next = new.map(|state| in_state(&world, state));
                    let rotation = settings(&world, level, activation, next.as_deref(), true);
                    let rotated = world.fresh_start(&rotation, &at);
                    if new.is_none_or(|state| care.takes(state)) {
                        let rotated = rotated.unwrap();
                        assert!(rotated.was_rotated && rotated.polling.is_none(), "{what}");
                        let now = key_of(&rotated);
                        assert_eq!(next.as_ref().unwrap_or(&now), &now, "{what}");
                        assert_eq!(world.state(&now), new.unwrap_or(care.of_new()), "{what}");
                    } else {
                        assert_eq!(rotated.unwrap_err().kind(), Kind::NotActive, "{what}");
                        let as_it_was = world.fresh_start(&off(None), &at).unwrap();
                        assert_eq!(key_of(&as_it_was), before, "{what}");
                    }
                    assert_eq!(world.state(&before), old, "{what}: it is left alone");
                }
            }
        }
    }
}

fn refused(started: Result<Started, Error>, kind: Kind) {
    assert_eq!(started.unwrap_err().kind(), kind);
}

#[test]
fn what_a_start_does_by_what_is_configured_and_provided() {
    for world in worlds() {
        let start = |key: Option<&str>, rotate, at: &Path| {
            world.fresh_start(&settings(&world, Level::V8_0, None, key, rotate), at)
        };
        let other = in_state(&world, State::ACTIVE);
        // None yet.
        let at = directory(&world);
        refused(start(None, true, &at), Kind::NothingToRotate);
        refused(start(Some(&other), true, &at), Kind::NothingToRotate);
        refused(start(Some("no-such-key"), false, &at), Kind::Absent);
        let key = key_of(&start(None, false, &at).unwrap());
        let given = directory(&world);
        assert_eq!(key_of(&start(Some(&other), false, &given).unwrap()), other);
        // Of a KMIP key.
        assert_eq!(key_of(&start(None, false, &at).unwrap()), key);
        assert_eq!(key_of(&start(Some(&key), false, &at).unwrap()), key);
        refused(start(Some(&other), false, &at), Kind::OtherKey);
        refused(start(Some(&key), true, &at), Kind::SameKey);
        refused(start(Some("no-such-key"), true, &at), Kind::Absent);
        assert_eq!(key_of(&start(None, false, &at).unwrap()), key, "it is as it was");
        assert_eq!(key_of(&start(Some(&other), true, &at).unwrap()), other);
        let next = key_of(&start(None, true, &at).unwrap());
        assert!(next != other && next != key);
        assert_eq!(key_of(&start(None, false, &at).unwrap()), next);
        // Of a key file.
        let (file, at) = (world.directory("key"), directory(&world));
        let by_file = by_file(&file);
        let started = world.fresh_start(&by_file, &at).unwrap();
        assert_eq!(*started.keystore.configured(), Configured::Nothing);
        drop(started);
        refused(start(None, false, &at), Kind::NotKmip);
        refused(start(None, true, &at), Kind::NotKmip);
        refused(start(Some(&other), true, &at), Kind::NotKmip);
        refused(start(Some(&next), false, &at), Kind::DoesNotOpen);
        assert_eq!(key_of(&start(Some(&other), false, &at).unwrap()), other, "the same bytes");
        assert_eq!(key_of(&start(None, false, &at).unwrap()), other);
        // Any, with the key file: only the same bytes open it.
        assert_eq!(key_of(&world.fresh_start(&by_file, &at).unwrap()), other);
        let elsewhere = directory(&world);
        drop(start(None, false, &elsewhere).unwrap());
        refused(world.fresh_start(&by_file, &elsewhere), Kind::DoesNotOpen);
        std::fs::remove_file(file).unwrap();
        // Of Vault: nothing of KMIP.
        say_vault(&elsewhere.join("keystore"));
        for key in [None, Some(other.as_str())] {
            refused(start(key, false, &elsewhere), Kind::OtherFacility);
            refused(start(key, true, &elsewhere), Kind::OtherFacility);
        }
    }
}

/// Makes a keystore say that Vault keeps its key (docs/formats.md §13).
fn say_vault(keystore: &Path) {
    let mut bytes = std::fs::read(keystore).unwrap();
    assert_eq!(bytes[9], 2, "the facility is KMIP");
    bytes[9] = 1;
    std::fs::write(keystore, bytes).unwrap();
}

/// Settings of a key file with the bytes of `KEY`, which is written.
fn by_file(file: &Path) -> Settings {
    use std::os::unix::fs::PermissionsExt;
    // base64 of 32 times 0x4b.
    std::fs::write(file, format!("{}S0s=", "S0tL".repeat(10))).unwrap();
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o600)).unwrap();
    let mut options = Options::new();
    options.set(OptionId::EncryptionKeyFile, file.to_str().unwrap()).unwrap();
    options.imply_encryption();
    options.settings(Level::V8_0).unwrap()
}

#[test]
fn at_4_2_a_key_identifier_is_a_name_and_a_state_is_no_matter() {
    for world in worlds() {
        let start = |name: &str, rotate, at: &Path| {
            world.fresh_start(&settings(&world, Level::V4_2, None, Some(name), rotate), at)
        };
        let at = directory(&world);
        refused(start("mongo", true, &at), Kind::NothingToRotate);
        let made = start("mongo", false, &at).unwrap();
        assert!(made.polling.is_none());
        let key = key_of(&made);
        drop(made);
        assert_eq!(world.state(&key), State::PRE_ACTIVE);
        assert_eq!(key_of(&start("mongo", false, &at).unwrap()), key);
        for state in STATES {
            let name = format!("{state:?}");
            let there = world.register_as(&KEY, Some(&name));
            world.bring(&there, state);
            assert_eq!(key_of(&start(&name, false, &directory(&world)).unwrap()), there);
            refused(start(&name, false, &at), Kind::NameMoved);
            assert_eq!(world.state(&there), state, "it is not changed");
        }
        refused(start("nobody", false, &at), Kind::NameMoved);
        world.register_as(&[1; 32], Some("mongo"));
        refused(start("mongo", false, &at), Kind::AmbiguousName);
        // At 5.0 the keystore knows its key by identifier.
        let mut later = settings(&world, Level::V5_0, Some("false"), None, false);
        kmip(&mut later).polling = None;
        assert_eq!(key_of(&world.fresh_start(&later, &at).unwrap()), key);
    }
}
