//! Which server is asked, how often, for how long, and when no other one is.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use claviger_at_rest::options::OptionId;
use claviger_at_rest::{Error, Keeper, Kind, Level, Settings};
use claviger_client::Endpoint;
use claviger_kmip::enums::{RevocationReasonCode, State};

use crate::proxy::{Direction, Fault, Harm, Proxy};
use crate::world::{World, fresh_start, key_of, kmip};

/// The shortest time that the options allow.
const TIMEOUT: Duration = Duration::from_secs(1);

fn ask(settings: &Settings, key: &str) -> Result<(), Error> {
    let Keeper::Kmip(kms) = Keeper::new(settings)? else { panic!("a key file") };
    kms.check(key)
}

fn first_record(harm: Harm) -> Fault {
    Fault { direction: Direction::ToServer, record: 0, at: 0, harm }
}

#[test]
fn hosts_are_tried_in_their_order_connect_retries_and_once_more() {
    let Some(world) = World::start() else { return };
    let hosts: Vec<Proxy> = (0..3).map(|_| Proxy::open(world.address)).collect();
    let endpoints: Vec<Endpoint> = hosts.iter().map(Proxy::endpoint).collect();
    for host in &hosts {
        host.harm_each(Some(first_record(Harm::Cut)));
    }
    for (retries, psmdb_wire) in [("0", false), ("2", false), ("0", true), ("3", true)] {
        let retry = [(OptionId::KmipConnectRetries, retries)];
        let mut settings = world.settings(endpoints.clone(), Level::V5_0, &retry);
        kmip(&mut settings).psmdb_wire = psmdb_wire;
        let error = ask(&settings, "key").unwrap_err();
        let Error::Servers(failures) = &error else { panic!("{error}") };
        let named: Vec<_> = failures.iter().map(|failure| failure.server.clone()).collect();
        assert_eq!(named, endpoints, "each is named once, in their order");
        let mut tried: Vec<(Instant, usize)> = Vec::new();
        for (number, host) in hosts.iter().enumerate() {
            tried.extend(host.times().iter().map(|(began, _)| (*began, number)));
            host.end_all();
        }
        tried.sort();
        let rounds = retries.parse::<usize>().unwrap() + 1;
        let order: Vec<usize> = tried.iter().map(|(_, number)| *number).collect();
        assert_eq!(order, [0, 1, 2].repeat(rounds), "{retries} {psmdb_wire}");
        // A pause before the next round, which the original does not make.
        for next in (3..tried.len()).step_by(3) {
            let pause = tried[next].0 - tried[next - 1].0;
            assert_eq!(pause >= Duration::from_millis(50), !psmdb_wire, "{pause:?}");
        }
    }
    // The last in the list is the one that answers, in the second round.
    hosts[2].harm_each(None);
    hosts[2].harm(0, first_record(Harm::Cut));
    let retry = [(OptionId::KmipConnectRetries, "1")];
    let settings = world.settings(endpoints, Level::V5_0, &retry);
    assert_eq!(ask(&settings, "key").unwrap_err().kind(), Kind::Absent);
    assert_eq!(hosts.iter().map(Proxy::connections).collect::<Vec<_>>(), [2, 2, 2]);
}

#[test]
fn an_answer_about_the_key_is_final_and_no_other_server_is_asked() {
    let Some(world) = World::start() else { return };
    let (first, other) = (Proxy::open(world.address), Proxy::open(world.address));
    let servers = vec![first.endpoint(), other.endpoint()];
    let retry = (OptionId::KmipConnectRetries, "3");
    let directory = world.directory("keys");
    let settings = world.settings(servers.clone(), Level::V5_0, &[retry]);
    let key = key_of(&fresh_start(&settings, &directory).unwrap());
    first.end_all();

    assert_eq!(ask(&settings, "no-such-key").unwrap_err().kind(), Kind::Absent);
    world.revoke(&key, RevocationReasonCode::CESSATION_OF_OPERATION);
    let error = fresh_start(&settings, &directory).unwrap_err();
    assert!(matches!(error, Error::NotActive { state: State::DEACTIVATED, .. }), "{error}");
    let short = world.register(&[7; 16]);
    let mut named = settings.clone();
    kmip(&mut named).key_identifier = Some(short);
    let error = fresh_start(&named, &world.directory("short")).unwrap_err();
    assert_eq!(error.kind(), Kind::WrongKey, "{error}");
    assert_eq!((first.connections(), other.connections()), (3, 0));

    // A refusal is not about the key: the next server may know better.
    let refusing = World::start().unwrap();
    let mixed = world.settings(vec![refusing.endpoint(), first.endpoint()], Level::V5_0, &[]);
    let error = ask(&mixed, "no-such-key").unwrap_err();
    assert_eq!(error.kind(), Kind::Absent, "{error}");
}

/// A port that no connection gets through to: as many wait for it as may.
struct Full {
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
    address: SocketAddr,
}

impl Full {
    fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(socket) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(socket);
            assert!(waiting.len() < 5000, "the queue of this system has no end");
        }
        Self { _listener: listener, _waiting: waiting, address }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint { host: self.address.ip().to_string(), port: self.address.port() }
    }
}

/// Within a tenth of the time that the options say, in the middle of several.
fn assert_timed(mut attempts: Vec<Duration>, what: &str) {
    attempts.sort();
    assert!(attempts[0] >= TIMEOUT.mul_f64(0.9), "{what}: {attempts:?}");
    assert!(attempts[attempts.len() / 2] <= TIMEOUT.mul_f64(1.1), "{what}: {attempts:?}");
}

#[test]
fn an_attempt_takes_as_long_as_the_options_say() {
    let Some(world) = World::start() else { return };
    let settings = |servers| {
        let options =
            [(OptionId::KmipConnectRetries, "1"), (OptionId::KmipConnectTimeoutMs, "1000")];
        let mut settings = world.settings(servers, Level::V5_0, &options);
        kmip(&mut settings).psmdb_wire = true;
        settings
    };
    // Nobody takes the connection; the handshake is not answered; the request is not.
    let answer = last_answer(&world);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let full = Full::open();
            let settings = settings(vec![full.endpoint(), full.endpoint()]);
            let began = Instant::now();
            let error = ask(&settings, "key").unwrap_err();
            assert_eq!(error.kind(), Kind::Unreachable, "{error}");
            assert_timed(vec![began.elapsed() / 4; 4], "connecting");
        });
        for (what, fault) in
            [("the handshake", first_record(Harm::Silence)), ("the answer", answer)]
        {
            let (world, settings) = (&world, &settings);
            scope.spawn(move || {
                let hosts = [Proxy::open(world.address), Proxy::open(world.address)];
                for host in &hosts {
                    host.harm_each(Some(fault));
                }
                let servers = hosts.iter().map(Proxy::endpoint).collect();
                let error = ask(&settings(servers), "key").unwrap_err();
                assert_eq!(error.kind(), Kind::Unreachable, "{what}: {error}");
                let mut attempts = BTreeSet::new();
                for host in &hosts {
                    let times = host.times();
                    assert_eq!(times.len(), 2, "{what}: connectRetries and one more");
                    attempts.extend(times.iter().map(|(began, _)| *began));
                }
                attempts.insert(Instant::now());
                let attempts: Vec<Instant> = attempts.into_iter().collect();
                let lengths = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
                assert_timed(lengths, what);
            });
        }
    });
}

#[test]
fn all_that_comes_before_the_first_answer_has_one_time_together() {
    let Some(world) = World::start() else { return };
    // Each step comes in time; together they do not.
    let late = TIMEOUT * 3 / 5;
    let answers = Proxy::open(world.address);
    answers.harm_each(Some(Fault { harm: Harm::Delay(late), ..last_answer(&world) }));
    let handshakes = Proxy::open(answers.address);
    handshakes.harm_each(Some(first_record(Harm::Delay(late))));
    let ask_by = |timeout_ms: &str| {
        let timeout = [(OptionId::KmipConnectTimeoutMs, timeout_ms)];
        ask(&world.settings(vec![handshakes.endpoint()], Level::V5_0, &timeout), "key")
    };
    let began = Instant::now();
    let error = ask_by("1000").unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert_timed(vec![began.elapsed()], "all together");
    assert_eq!(ask_by("60000").unwrap_err().kind(), Kind::Absent);
}

/// Silence from the answer to the first request on.
fn last_answer(world: &World) -> Fault {
    let proxy = Proxy::open(world.address);
    let settings = world.settings(vec![proxy.endpoint()], Level::V5_0, &[]);
    let Ok(Keeper::Kmip(kms)) = Keeper::new(&settings) else { panic!("a key file") };
    kms.check("key").unwrap_err();
    let record = proxy.traffic()[0].to_client.len() - 1;
    Fault { direction: Direction::ToClient, record, at: 0, harm: Harm::Silence }
}
