//! Nothing acknowledged is lost: the server is killed at random moments while several clients create, register and
//! destroy, and afterwards every acknowledged object is there with its bytes, and every acknowledged Destroy holds.
//!
//! `CLAVIGER_CRASH_ROUNDS` sets the number of rounds. One data directory serves them all. What a round left is checked
//! before the next one; everything, every [`ALL_EVERY`] rounds and in the end: no later round may damage it either.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::kmip::{
    Client, Operation, Reply, SUCCESS, create, on, op, reason, register, request, tag,
};
use crate::server::Server;
use crate::tls::{Connection, Identity};
use crate::ttlv::Item;

const CLIENTS: usize = 4;
const VERSION: (i32, i32) = (1, 4);
const ALL_EVERY: u32 = 25;

/// What the server has acknowledged of one object.
#[derive(Clone, Debug)]
enum Known {
    /// Registered with these bytes, or created (the bytes are learnt at the first check).
    Present(Option<Vec<u8>>),
    /// Destroyed.
    Gone,
    /// A Destroy was sent and never answered: both are right.
    Unknown,
}

type Ledger = HashMap<String, Known>;

/// A small generator (SplitMix64): the seed is printed, so that a failure can be tried again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Many rounds of load and sudden death on one data directory.
pub(crate) struct Rounds {
    random: Random,
    /// Of the last round.
    ledger: Arc<Mutex<Ledger>>,
    /// Of the rounds before: nothing of it changes again.
    settled: Ledger,
    round: u32,
}

impl Rounds {
    pub(crate) fn new(seed: u64) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::new()));
        Self { random: Random(seed), ledger, settled: Ledger::new(), round: 0 }
    }

    /// Checks what earlier rounds left on this server, then loads it and kills it in the middle.
    pub(crate) fn load_and_kill(&mut self, server: Server) {
        self.check(&server, self.round.is_multiple_of(ALL_EVERY));
        load_until_killed(server, &self.ledger, &mut self.random);
        self.round += 1;
    }

    fn check(&mut self, server: &Server, all: bool) {
        let mut last = std::mem::take(&mut *self.ledger.lock().unwrap());
        check(server, &mut last, self.round);
        if all {
            check(server, &mut self.settled, self.round);
        }
        self.settled.extend(last);
    }

    /// A number for whatever else a round leaves to chance.
    pub(crate) fn chance(&mut self) -> u64 {
        self.random.next()
    }

    /// Checks everything a last time, and that it was enough to mean something.
    pub(crate) fn finish(mut self, server: &Server) {
        self.check(server, true);
        let known = self.settled.values();
        let count = |wanted: fn(&Known) -> bool| known.clone().filter(|k| wanted(k)).count();
        let present = count(|known| matches!(known, Known::Present(_)));
        let gone = count(|known| matches!(known, Known::Gone));
        println!("{present} objects and {gone} destroys were acknowledged, and hold");
        let least = self.round as usize;
        assert!(present > least && gone > least, "the load was too small to mean anything");
    }
}

/// A number from the environment.
pub(crate) fn setting(variable: &str, usual: u64) -> u64 {
    let read = |text: String| text.parse().unwrap_or_else(|_| panic!("{variable} is a number"));
    std::env::var(variable).map_or(usual, read)
}

/// A seed that is different every time, unless the environment says which.
pub(crate) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    setting("CLAVIGER_CRASH_SEED", now)
}

#[test]
fn no_acknowledged_object_or_destroy_is_lost_by_a_kill() {
    let (count, seed) = (setting("CLAVIGER_CRASH_ROUNDS", 50), seed());
    println!("{count} rounds, CLAVIGER_CRASH_SEED={seed}");
    let directory = tempfile::tempdir().unwrap();
    let mut rounds = Rounds::new(seed);
    for _ in 0..count {
        rounds.load_and_kill(Server::start_on(directory.path()));
    }
    rounds.finish(&Server::start_on(directory.path()));
}

/// Runs the clients, and kills the server at a random moment of it.
fn load_until_killed(server: Server, ledger: &Arc<Mutex<Ledger>>, random: &mut Random) {
    let stop = Arc::new(AtomicBool::new(false));
    let identity = Arc::new(Identity::exported(&server.client));
    let address = server.kmip;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (ledger, stop, identity) = (ledger.clone(), stop.clone(), identity.clone());
            let random = Random(random.next());
            std::thread::spawn(move || {
                if let Ok(connection) = Connection::open(address, &identity) {
                    Load { connection, ledger, random, own: Vec::new() }.run(&stop);
                }
            })
        })
        .collect();
    // The moment is the point of the test: nothing tells when the server is in the middle of a write.
    std::thread::sleep(Duration::from_micros(20_000 + random.below(280_000)));
    server.kill();
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
}

/// One client: creates, registers and destroys until the connection breaks.
struct Load {
    connection: Connection,
    ledger: Arc<Mutex<Ledger>>,
    random: Random,
    /// Objects of this client that it has not destroyed.
    own: Vec<String>,
}

impl Load {
    fn run(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) && self.step().is_some() {}
    }

    fn step(&mut self) -> Option<()> {
        match self.random.below(3) {
            0 if !self.own.is_empty() => {
                let index = self.random.below(self.own.len() as u64) as usize;
                let id = self.own.swap_remove(index);
                let before = self.set(&id, Known::Unknown);
                let item = self.call(on(op::DESTROY, &id))?;
                assert_eq!(
                    item.status, SUCCESS,
                    "destroy of a Pre-Active object: {item:?}, {before:?}"
                );
                self.set(&id, Known::Gone);
            }
            1 => {
                let key: Vec<u8> = (0..4).flat_map(|_| self.random.next().to_be_bytes()).collect();
                let id = self.call(register(VERSION, &key, None))?.unique_identifier();
                self.set(&id, Known::Present(Some(key)));
                self.own.push(id);
            }
            _ => {
                let id = self.call(create(VERSION, None))?.unique_identifier();
                self.set(&id, Known::Present(None));
                self.own.push(id);
            }
        }
        Some(())
    }

    fn set(&self, id: &str, known: Known) -> Option<Known> {
        self.ledger.lock().unwrap().insert(id.to_owned(), known)
    }

    /// `None` when the connection broke before the whole answer was there.
    fn call(&mut self, operation: Operation) -> Option<crate::kmip::ReplyItem> {
        let message = request(VERSION, Vec::new(), &[operation]);
        let frame = self.connection.exchange(&message.encode()).ok()?;
        Some(Reply::read(&frame.bytes).unwrap().only())
    }
}

/// Every entry of the ledger holds on this server.
fn check(server: &Server, ledger: &mut Ledger, round: u32) {
    let mut client = Client::connect(server, VERSION);
    for (id, known) in ledger {
        let item = client.call(on(op::GET, id));
        let found = (item.status == SUCCESS).then(|| material(item.payload.as_ref().unwrap()));
        match (&mut *known, found) {
            (Known::Present(Some(expected)), Some(found)) => {
                assert_eq!(*expected, found, "round {round}: {id} has other bytes");
            }
            (Known::Present(bytes @ None), Some(found)) => *bytes = Some(found),
            (Known::Present(_), None) => {
                panic!("round {round}: acknowledged object {id} is lost: {item:?}");
            }
            (Known::Gone, None) => assert_eq!(item.failure(), reason::ITEM_NOT_FOUND, "{id}"),
            (Known::Gone, Some(_)) => panic!("round {round}: destroyed object {id} is back"),
            (Known::Unknown, Some(found)) => *known = Known::Present(Some(found)),
            (Known::Unknown, None) => *known = Known::Gone,
        }
    }
}

fn material(payload: &Item) -> Vec<u8> {
    let path = [tag::SYMMETRIC_KEY, tag::KEY_BLOCK, tag::KEY_VALUE, tag::KEY_MATERIAL];
    payload.at(&path).and_then(Item::as_bytes).expect("key material").to_vec()
}
