//! Many keystores of one process: whoever's key is compromised ends within two periods, and nobody
//! else does.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use claviger_at_rest::{Error, Keeper, Kms, Level, Monitor, Polled, Watch, start};
use claviger_kmip::enums::{RevocationReasonCode, State};

use crate::proxy::Proxy;
use crate::world::{World, kmip};

const KEYSTORES: usize = 500;
/// Longer than a busy machine is late.
const PERIOD: Duration = Duration::from_secs(2);
/// Nobody waits longer for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a poll said, and when.
struct Report {
    watch: Watch,
    at: Instant,
    lost: Option<Error>,
}

#[test]
fn a_compromised_key_ends_its_keystore_within_two_periods_and_no_other() {
    let Some(world) = World::start() else { return };
    let proxy = Proxy::open(world.address);
    let mut settings = world.settings(vec![proxy.endpoint()], Level::V8_0, &[]);
    kmip(&mut settings).polling = Some(PERIOD);
    let keeper = Keeper::new(&settings).unwrap();
    let keystores: Vec<_> = (0..KEYSTORES)
        .map(|number| start(&settings, &keeper, &world.directory(&number.to_string())).unwrap())
        .collect();

    let (send, receive) = mpsc::channel();
    let kms = Arc::new(Kms::new(kmip(&mut settings)).unwrap());
    let monitor = Monitor::new(kms, move |watch, _, polled| {
        let lost = match polled {
            Polled::Active => None,
            Polled::Lost(error) => Some(error),
            Polled::Unknown(error) => panic!("{error}"),
        };
        let _the_test_is_over = send.send(Report { watch, at: Instant::now(), lost });
    })
    .unwrap();
    let pollings = keystores.iter().map(|keystore| keystore.polling.as_ref().unwrap());
    let watches: Vec<(Watch, String)> =
        pollings.map(|polling| (monitor.watch(polling), polling.key_identifier.clone())).collect();
    let next = || receive.recv_timeout(PATIENCE).expect("polls go on");

    // Everybody is polled once before anything happens.
    let mut polled = HashSet::new();
    while polled.len() < KEYSTORES {
        let report = next();
        assert!(report.lost.is_none(), "{:?}", report.lost);
        polled.insert(report.watch);
    }
    let mut ends = HashMap::new();
    for (watch, key) in watches.iter().step_by(7) {
        world.revoke(key, RevocationReasonCode::KEY_COMPROMISE);
        ends.insert(*watch, Instant::now());
    }
    let (mut slowest, mut active) = (Duration::ZERO, HashMap::<Watch, u32>::new());
    let mut ended = HashSet::new();
    // Until every other one was polled three times more.
    while ended.len() < ends.len()
        || active.len() < KEYSTORES - ends.len()
        || active.values().any(|count| *count < 3)
    {
        let report = next();
        let Some(error) = report.lost else {
            assert!(!ended.contains(&report.watch), "it is polled no more");
            *active.entry(report.watch).or_default() += 1;
            continue;
        };
        let state = matches!(error, Error::NotActive { state: State::COMPROMISED, .. });
        assert!(state, "{error}");
        let began = ends.get(&report.watch).expect("nobody else is ended");
        slowest = slowest.max(report.at.saturating_duration_since(*began));
        assert!(ended.insert(report.watch), "it is told once");
        active.remove(&report.watch);
    }
    println!("{} of {KEYSTORES} ended, the last after {slowest:?}", ended.len());
    assert!(slowest <= 2 * PERIOD, "{slowest:?}");
    // One connection of those that made the keystores, and one of the monitor.
    assert_eq!(proxy.connections(), 2);
    drop(monitor);
}
