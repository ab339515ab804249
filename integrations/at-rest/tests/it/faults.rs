//! A fault at any byte of any message, in either direction: no key is lost, and none is made twice.
//!
//! Each time the first connection of a start suffers one fault. Either there is another way to the
//! server, and the start succeeds all the same; or there is none, and the next start does.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use claviger_at_rest::options::OptionId;
use claviger_at_rest::{Keeper, Level, Settings, Started, start};
use claviger_client::Endpoint;
use claviger_kmip::enums::State;

use crate::proxy::{Direction, Fault, Harm, Proxy, Traffic};
use crate::world::{World, fresh_start, key_of, kmip};

/// How long a step may take where something is lost without a word.
const SHORT: Duration = Duration::from_millis(800);
/// Every byte.
const ALL: usize = 1;
/// The size of a record that ends a connection: no message is as small.
const ALERT: usize = 24;

/// A record that is a message.
#[derive(Clone, Copy, Debug)]
struct Place {
    connection: usize,
    direction: Direction,
    record: usize,
    size: usize,
}

impl Place {
    fn fault(self, at: usize, harm: Harm) -> Fault {
        Fault { direction: self.direction, record: self.record, at, harm }
    }
}

/// Another way to the server, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ways {
    One,
    Two,
}

/// A server behind a port that harms what passes.
struct Stage {
    world: World,
    proxy: Proxy,
    level: Level,
    options: Vec<(OptionId, &'static str)>,
    psmdb_wire: bool,
    /// How many faults were not reached.
    missed: Cell<usize>,
}

impl Stage {
    fn new() -> Option<Self> {
        let world = World::start()?;
        let proxy = Proxy::open(world.address);
        let level = Level::V5_0;
        let (options, psmdb_wire, missed) = (Vec::new(), false, Cell::default());
        Some(Self { world, proxy, level, options, psmdb_wire, missed })
    }

    /// Keys by Name, as long ago.
    fn named(self) -> Self {
        let options = vec![(OptionId::KmipKeyIdentifier, "mongo")];
        Self { level: Level::V4_2, options, ..self }
    }

    /// What the original sends, byte by byte.
    fn psmdb_wire(self) -> Self {
        Self { psmdb_wire: true, ..self }
    }

    fn to(&self, servers: Vec<Endpoint>) -> Settings {
        let mut settings = self.world.settings(servers, self.level, &self.options);
        kmip(&mut settings).psmdb_wire = self.psmdb_wire;
        settings
    }

    fn open(&self) -> Settings {
        self.to(vec![self.proxy.endpoint()])
    }

    fn rotation(&self, ways: Ways) -> Settings {
        let mut settings = self.by(ways);
        kmip(&mut settings).rotate_master_key = true;
        settings
    }

    fn by(&self, ways: Ways) -> Settings {
        let mut servers = vec![self.proxy.endpoint()];
        if ways == Ways::Two {
            servers.push(self.world.endpoint());
        }
        self.to(servers)
    }

    /// What goes over a connection with one message, about nothing.
    fn handshake(&self) -> Traffic {
        self.proxy.end_all();
        let Ok(Keeper::Kmip(kms)) = Keeper::new(&self.open()) else { panic!("a key file") };
        kms.check("nothing").unwrap_err();
        let shaking = self.proxy.traffic().remove(0);
        drop(kms);
        self.proxy.end_all();
        shaking
    }

    /// The records that are messages while `work` is done: those behind the handshakes.
    fn places(&self, work: impl FnOnce()) -> Vec<Place> {
        let shaking = self.handshake();
        work();
        let mut places = Vec::new();
        for (connection, traffic) in self.proxy.traffic().iter().enumerate() {
            let messages = |direction| {
                let handshake = messages_of(shaking.records(direction)).count() - 1;
                let sizes = messages_of(traffic.records(direction)).skip(handshake);
                sizes.map(move |(record, size)| Place { connection, direction, record, size })
            };
            let (sent, answered): (Vec<_>, Vec<_>) =
                (messages(Direction::ToServer).collect(), messages(Direction::ToClient).collect());
            assert!(!sent.is_empty() && sent.len() == answered.len(), "{traffic:?}");
            places.extend(sent.into_iter().chain(answered));
        }
        places
    }

    /// Starts with a connection that suffers the fault; if there is no other way to the server, the
    /// start may fail, and `next` starts again.
    fn start_under(
        &self,
        place: Place,
        fault: Fault,
        settings: &Settings,
        directory: &Path,
        next: impl FnOnce() -> Started,
    ) -> Started {
        self.proxy.end_all();
        self.proxy.harm(place.connection, fault);
        let started = fresh_start(settings, directory);
        match self.proxy.hit() {
            // On a busy machine the time may be over before the fault is reached.
            None if fault.harm != Harm::Cut => self.missed.set(self.missed.get() + 1),
            // A signature has a byte more or less.
            hit => assert!(hit.is_some_and(|size| size.abs_diff(place.size) < 8), "{fault:?}"),
        }
        started.unwrap_or_else(|error| {
            let servers = kmip(&mut settings.clone()).servers.len();
            assert_eq!(servers, 1, "{fault:?}: {error}");
            next()
        })
    }

    /// A start makes a key and a keystore.
    fn start_up(&self, place: Place, fault: Fault, ways: Ways) {
        let settings = self.timed(self.by(ways), fault.harm);
        let directory = self.world.directory("new");
        let next = || fresh_start(&self.open(), &directory).unwrap();
        let mut started = self.start_under(place, fault, &settings, &directory, next);
        started.keystore.add("orders").unwrap();
        let data_key = *started.keystore.data_key("orders").unwrap().expose();
        let key = key_of(&started);
        drop(started);
        let started = fresh_start(&self.open(), &directory).unwrap();
        assert_eq!(key_of(&started), key, "{fault:?} {ways:?}");
        assert_eq!(*started.keystore.data_key("orders").unwrap().expose(), data_key);
        drop(started);
        let keys = self.world.keys();
        if self.psmdb_wire {
            assert!(keys.contains(&key), "{fault:?} {ways:?}: {keys:?}");
        } else {
            assert_eq!(keys, [key.as_str()], "{fault:?} {ways:?}");
        }
        if self.level != Level::V4_2 {
            assert_eq!(self.world.state(&key), State::ACTIVE, "{fault:?} {ways:?}");
        }
        for key in keys {
            self.world.destroy(&key);
        }
        std::fs::remove_dir_all(directory).unwrap();
    }

    /// A keystore with a database, and its master key and the database's.
    fn keystore(&self) -> (std::path::PathBuf, String, [u8; 32]) {
        let directory = self.world.directory("old");
        let mut started = fresh_start(&self.open(), &directory).unwrap();
        started.keystore.add("orders").unwrap();
        let data_key = *started.keystore.data_key("orders").unwrap().expose();
        (directory, key_of(&started), data_key)
    }

    /// After a rotation: the key before and the next one are there, and the next one opens.
    fn rotated(&self, directory: &Path, before: &mut String, data_key: &[u8; 32], what: &str) {
        let started = fresh_start(&self.open(), directory).unwrap();
        let key = key_of(&started);
        assert_eq!(started.keystore.data_key("orders").unwrap().expose(), data_key, "{what}");
        drop(started);
        assert_ne!(key, *before, "{what}");
        let mut keys = self.world.keys();
        keys.sort();
        let mut expected = [before.clone(), key.clone()];
        expected.sort();
        if self.psmdb_wire {
            assert!(expected.iter().all(|key| keys.contains(key)), "{what}: {keys:?}");
        } else {
            assert_eq!(keys, expected, "{what}");
        }
        for old in keys.iter().filter(|old| **old != key) {
            self.world.destroy(old);
        }
        *before = key;
    }

    /// Does not wait as long as usual for what never comes. Where there is another way to the
    /// server, a busy machine may need it more than once.
    fn timed(&self, mut settings: Settings, harm: Harm) -> Settings {
        let kmip = kmip(&mut settings);
        if harm != Harm::Cut {
            kmip.connect_timeout = SHORT;
            kmip.connect_retries = if kmip.servers.len() > 1 { 3 } else { 0 };
        }
        settings
    }

    fn finish(&self, count: usize, what: &str, places: &[Place]) {
        let missed = self.missed.take();
        println!("{count} {what} with a fault in {} messages; {missed} not reached", places.len());
        assert!(missed * 2 <= count, "the machine is too busy: {missed} of {count}");
    }

    /// Makes new keystores, with a fault at every `stride`-th byte of each message.
    fn sweep_start_up(&self, stride: usize, harms: &[Harm]) {
        let directory = self.world.directory("first");
        let places = self.places(|| drop(fresh_start(&self.open(), &directory).unwrap()));
        self.world.keys().iter().for_each(|key| self.world.destroy(key));
        let mut count = 0;
        for (place, at) in every(&places, stride) {
            for harm in harms {
                for ways in ways(stride, at).iter().copied() {
                    self.start_up(place, place.fault(at, *harm), ways);
                    count += 1;
                }
            }
        }
        self.finish(count, "starts", &places);
    }

    /// Rotates one keystore again and again, with a fault at every `stride`-th byte of each message.
    fn sweep_rotation(&self, stride: usize, harms: &[Harm]) {
        let (directory, mut before, data_key) = self.keystore();
        let rotation = self.rotation(Ways::One);
        let mut places = Vec::new();
        // The second key has as many names as all that follow.
        for _ in 0..2 {
            places = self.places(|| drop(fresh_start(&rotation, &directory).unwrap()));
            self.rotated(&directory, &mut before, &data_key, "without a fault");
        }
        let mut count = 0;
        for (place, at) in every(&places, stride) {
            for harm in harms {
                for ways in ways(stride, at).iter().copied() {
                    let fault = place.fault(at, *harm);
                    let settings = self.timed(self.rotation(ways), *harm);
                    drop(self.start_under(place, fault, &settings, &directory, || {
                        let now = fresh_start(&self.open(), &directory).unwrap();
                        let key = now.keystore.data_key("orders").unwrap();
                        assert_eq!(key.expose(), &data_key, "{fault:?}");
                        if key_of(&now) == before {
                            drop(now);
                            return fresh_start(&self.rotation(Ways::One), &directory).unwrap();
                        }
                        // Only a name was left to be moved.
                        assert_eq!(self.level, Level::V4_2, "{fault:?}");
                        now
                    }));
                    let what = format!("{fault:?} {ways:?}");
                    self.rotated(&directory, &mut before, &data_key, &what);
                    count += 1;
                }
            }
        }
        self.finish(count, "rotations", &places);
    }
}

/// Records with their numbers, without those that end a connection.
fn messages_of(records: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    records.iter().copied().enumerate().filter(|(_, size)| *size != ALERT)
}

/// Both, or where every byte is harmed, the one and the other in turn.
fn ways(stride: usize, at: usize) -> &'static [Ways] {
    match (stride, at % 2) {
        (ALL, 0) => &[Ways::Two],
        (ALL, _) => &[Ways::One],
        _ => &[Ways::Two, Ways::One],
    }
}

/// Every `stride`-th byte of each place.
fn every(places: &[Place], stride: usize) -> impl Iterator<Item = (Place, usize)> {
    places.iter().flat_map(move |place| (0..place.size).step_by(stride).map(|at| (*place, at)))
}

#[test]
fn a_start_that_is_cut_off_at_any_byte_makes_one_key() {
    let Some(stage) = Stage::new() else { return };
    stage.sweep_start_up(ALL, &[Harm::Cut]);
}

#[test]
fn a_rotation_that_is_cut_off_at_any_byte_makes_one_key() {
    let Some(stage) = Stage::new() else { return };
    stage.sweep_rotation(ALL, &[Harm::Cut]);
}

#[test]
fn a_handshake_that_is_cut_off_makes_no_key_too_many() {
    let Some(stage) = Stage::new() else { return };
    let shaking = stage.handshake();
    for direction in [Direction::ToServer, Direction::ToClient] {
        let records = shaking.records(direction);
        for (record, size) in messages_of(&records[..records.len() - 1]) {
            let place = Place { connection: 0, direction, record, size };
            for at in (0..size.saturating_sub(8)).step_by(157) {
                for ways in [Ways::Two, Ways::One] {
                    stage.start_up(place, place.fault(at, Harm::Cut), ways);
                }
            }
        }
    }
}

/// What TLS does not let pass, and what the clock has to notice.
const HARMS: [Harm; 3] = [Harm::Silence, Harm::Loss, Harm::Swap];

#[test]
fn bytes_that_are_lost_swapped_or_never_come_make_no_second_key() {
    let Some(stage) = Stage::new() else { return };
    stage.sweep_start_up(199, &HARMS);
}

#[test]
fn bytes_of_a_rotation_that_are_lost_swapped_or_never_come_make_no_second_key() {
    let Some(stage) = Stage::new() else { return };
    stage.sweep_rotation(199, &HARMS);
}

#[test]
fn a_name_that_moves_is_with_one_key_whatever_is_cut_off() {
    let Some(stage) = Stage::new() else { return };
    let stage = stage.named();
    stage.sweep_start_up(61, &[Harm::Cut]);
    stage.sweep_rotation(61, &[Harm::Cut]);
}

#[test]
fn what_the_original_sends_loses_no_key() {
    let Some(stage) = Stage::new() else { return };
    let stage = stage.psmdb_wire();
    stage.sweep_start_up(61, &[Harm::Cut]);
    stage.sweep_rotation(61, &[Harm::Cut]);
}

/// A connection that was kept from the opening before may end at any moment: that is no failure of
/// the server, and there need not be another one.
#[test]
fn a_kept_connection_that_is_cut_off_anywhere_is_replaced() {
    let Some(stage) = Stage::new() else { return };
    let (directory, mut before, data_key) = stage.keystore();
    let rotation = stage.rotation(Ways::One);
    let open_and_rotate = || {
        let keeper = Keeper::new(&rotation).unwrap();
        drop(start(&stage.open(), &keeper, &directory).unwrap());
        drop(start(&rotation, &keeper, &directory).unwrap());
    };
    let places = stage.places(open_and_rotate);
    stage.rotated(&directory, &mut before, &data_key, "without a fault");
    // Opening is Get Attributes and Get; the rotation's are those behind.
    let is_of_rotation = |place: &&Place| {
        let first = places.iter().find(|other| other.direction == place.direction).unwrap();
        place.record >= first.record + 2
    };
    for place in places.iter().filter(is_of_rotation) {
        for at in (0..place.size).step_by(43) {
            let fault = place.fault(at, Harm::Cut);
            stage.proxy.end_all();
            stage.proxy.harm(0, fault);
            open_and_rotate();
            assert_eq!(stage.proxy.hit(), Some(place.size), "{fault:?}");
            stage.rotated(&directory, &mut before, &data_key, &format!("{fault:?}"));
        }
    }
}

#[test]
fn what_comes_late_but_in_time_is_no_fault() {
    let Some(stage) = Stage::new() else { return };
    let delays = [Harm::Delay(Duration::from_millis(20))];
    stage.sweep_start_up(211, &delays);
    stage.sweep_rotation(211, &delays);
}

/// The network may deliver what nobody waits for any more.
#[test]
fn a_request_that_arrives_after_it_was_given_up_loses_no_key() {
    let Some(stage) = Stage::new() else { return };
    let first = stage.world.directory("first");
    let places = stage.places(|| drop(fresh_start(&stage.open(), &first).unwrap()));
    stage.world.keys().iter().for_each(|key| stage.world.destroy(key));
    let register = places[0].fault(0, Harm::Delay(2 * SHORT));
    let wait_for = |count| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while stage.world.keys().len() < count {
            assert!(Instant::now() < deadline, "the request never arrives");
            std::thread::yield_now();
        }
    };

    // With no other way the start fails, and the next one finds the key.
    let directory = stage.world.directory("one");
    stage.proxy.end_all();
    stage.proxy.harm(0, register);
    fresh_start(&stage.timed(stage.by(Ways::One), register.harm), &directory).unwrap_err();
    wait_for(1);
    let key = key_of(&fresh_start(&stage.open(), &directory).unwrap());
    assert_eq!(stage.world.keys(), [key.as_str()]);
    stage.world.destroy(&key);

    // With another way there are two keys in the end, of the same bytes: the one in use opens.
    let directory = stage.world.directory("two");
    stage.proxy.end_all();
    stage.proxy.harm(0, register);
    let settings = stage.timed(stage.by(Ways::Two), register.harm);
    let key = key_of(&fresh_start(&settings, &directory).unwrap());
    wait_for(2);
    assert_eq!(key_of(&fresh_start(&stage.open(), &directory).unwrap()), key);
    let next = key_of(&fresh_start(&stage.rotation(Ways::One), &directory).unwrap());
    assert_eq!((stage.world.keys().len(), next == key), (3, false));
}
