//! A port before a server. It passes TLS records on, and does to one of them what a test says: it
//! delays, loses, cuts off or reorders bytes, or says nothing any more.
//!
//! It must never know what is in a record.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use claviger_client::Endpoint;

/// Which way bytes go.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
}

/// What happens at a byte of a record.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    /// The connection ends before it.
    Cut,
    /// Nothing comes any more from there on, either way, and the connection stays open.
    Silence,
    /// It is lost.
    Loss,
    /// It changes places with the next one.
    Swap,
    /// It, and all behind it, comes late.
    Delay(Duration),
}

/// What is to happen on a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) direction: Direction,
    /// Which record of that direction, from 0.
    pub(crate) record: usize,
    /// Which byte of it, from 0.
    pub(crate) at: usize,
    pub(crate) harm: Harm,
}

/// The sizes of the records of a connection that came to this port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) to_server: Vec<usize>,
    pub(crate) to_client: Vec<usize>,
}

impl Traffic {
    pub(crate) fn records(&self, direction: Direction) -> &[usize] {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

/// A connection that was made.
#[derive(Debug)]
struct Seen {
    traffic: Traffic,
    began: Instant,
    /// When the client went.
    ended: Option<Instant>,
    sockets: [TcpStream; 2],
}

#[derive(Debug, Default)]
struct State {
    coming: Option<(usize, Fault)>,
    each: Option<Fault>,
    hit: Option<usize>,
    seen: Vec<Seen>,
}

/// The port. It is open for as long as the process lives.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
}

impl Proxy {
    pub(crate) fn open(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { server, state: Mutex::default() });
        let passing = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                passing.begin(client);
            }
        });
        Self { address, shared }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { host: self.address.ip().to_string(), port: self.address.port() }
    }

    /// A connection suffers this: the next one, or that which comes so many after it.
    pub(crate) fn harm(&self, after: usize, fault: Fault) {
        let mut state = self.shared.lock();
        state.coming = Some((after, fault));
        state.hit = None;
    }

    /// Every connection suffers this, or none any more.
    pub(crate) fn harm_each(&self, fault: Option<Fault>) {
        self.shared.lock().each = fault;
    }

    /// The size of the record that a fault hit last; none if there was no such record.
    pub(crate) fn hit(&self) -> Option<usize> {
        self.shared.lock().hit
    }

    /// What went over each connection, in their order.
    pub(crate) fn traffic(&self) -> Vec<Traffic> {
        self.shared.lock().seen.iter().map(|seen| seen.traffic.clone()).collect()
    }

    /// When each connection began, and when its client went.
    pub(crate) fn times(&self) -> Vec<(Instant, Option<Instant>)> {
        self.shared.lock().seen.iter().map(|seen| (seen.began, seen.ended)).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.lock().seen.len()
    }

    /// Ends every connection and forgets it.
    pub(crate) fn end_all(&self) {
        let seen = std::mem::take(&mut self.shared.lock().seen);
        for socket in seen.iter().flat_map(|seen| &seen.sockets) {
            end(socket);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn begin(self: &Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(self.server) else { return };
        for socket in [&client, &server] {
            socket.set_nodelay(true).unwrap();
        }
        let (began, traffic) = (Instant::now(), Traffic::default());
        let sockets = [client.try_clone().unwrap(), server.try_clone().unwrap()];
        let mut state = self.lock();
        let fault = match state.coming.take() {
            Some((0, fault)) => Some(fault),
            Some((after, fault)) => {
                state.coming = Some((after - 1, fault));
                state.each
            }
            None => state.each,
        };
        state.seen.push(Seen { traffic, began, ended: None, sockets });
        drop(state);
        let is_silent = Arc::<AtomicBool>::default();
        for (direction, from, to) in [
            (Direction::ToServer, client.try_clone().unwrap(), server.try_clone().unwrap()),
            (Direction::ToClient, server, client),
        ] {
            let way = Way {
                shared: Arc::clone(self),
                began,
                direction,
                fault: fault.filter(|fault| fault.direction == direction),
                is_silent: Arc::clone(&is_silent),
            };
            std::thread::spawn(move || way.pass(from, to));
        }
    }
}

/// One direction of a connection.
struct Way {
    shared: Arc<Shared>,
    /// Which connection it is.
    began: Instant,
    direction: Direction,
    fault: Option<Fault>,
    is_silent: Arc<AtomicBool>,
}

impl Way {
    fn pass(self, mut from: TcpStream, mut to: TcpStream) {
        let _one_of_the_two_is_gone = self.pass_records(&mut from, &mut to);
        if self.is_silent.load(Ordering::SeqCst) {
            // Until whoever waits has waited enough.
            let _until_it_goes = io::copy(&mut from, &mut io::sink());
        }
        if self.direction == Direction::ToServer {
            self.note(|seen| seen.ended = Some(Instant::now()));
        }
        end(&from);
        end(&to);
    }

    fn pass_records(&self, from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
        for nth in 0.. {
            let record = read_record(from)?;
            if self.is_silent.load(Ordering::SeqCst) {
                break;
            }
            self.note(|seen| match self.direction {
                Direction::ToServer => seen.traffic.to_server.push(record.len()),
                Direction::ToClient => seen.traffic.to_client.push(record.len()),
            });
            match self.fault.filter(|fault| fault.record == nth) {
                None => to.write_all(&record)?,
                Some(fault) => {
                    self.shared.lock().hit = Some(record.len());
                    let (before, behind) = record.split_at(fault.at);
                    to.write_all(before)?;
                    match fault.harm {
                        Harm::Cut => break,
                        Harm::Silence => {
                            self.is_silent.store(true, Ordering::SeqCst);
                            break;
                        }
                        Harm::Loss => to.write_all(&behind[1..])?,
                        Harm::Swap => {
                            let mut swapped = behind.to_vec();
                            // The last byte has no next one.
                            swapped.swap(0, behind.len().min(2) - 1);
                            to.write_all(&swapped)?;
                        }
                        Harm::Delay(time) => {
                            std::thread::sleep(time);
                            to.write_all(behind)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        let mut state = self.shared.lock();
        // The test may have forgotten it.
        if let Some(seen) = state.seen.iter_mut().find(|seen| seen.began == self.began) {
            change(seen);
        }
    }
}

fn end(socket: &TcpStream) {
    let _it_may_have_ended_already = socket.shutdown(Shutdown::Both);
}

/// RFC 8446 §5.1: type, version, length, and so many bytes.
fn read_record(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record)?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    stream.read_exact(&mut record[5..])?;
    Ok(record)
}
