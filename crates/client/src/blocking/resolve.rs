//! Names to addresses, within a time.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::timeouts::{Deadline, FirstAnswer};
use crate::{Endpoint, Error, Step, Timeouts};

/// How many resolvers may be left behind. The system's resolver cannot be told to stop: one that
/// hangs keeps its thread until it returns.
const LEFT_BEHIND_MAX: usize = 16;

static RESOLVING: AtomicUsize = AtomicUsize::new(0);

/// Connects to the first address of the name that takes the connection.
pub(super) fn connect(
    endpoint: &Endpoint,
    timeouts: Timeouts,
    first_answer: FirstAnswer,
) -> Result<TcpStream, Error> {
    let addresses = resolve(endpoint, first_answer.bound(timeouts.resolve))?;
    first_of(addresses, first_answer.bound(timeouts.connect))
}

/// Connects to the first of the addresses that takes the connection.
fn first_of(addresses: Vec<SocketAddr>, timeout: Duration) -> Result<TcpStream, Error> {
    let deadline = Deadline::after(timeout);
    let mut last = Error::Connect(io::ErrorKind::NotFound.into());
    let mut left_over = addresses.len();
    for address in addresses {
        // One address that swallows packets must not take the time of those after it.
        let share = u32::try_from(left_over).unwrap_or(u32::MAX).max(1);
        left_over = left_over.saturating_sub(1);
        let Ok(left) = deadline.left() else { return Err(Error::TimedOut(Step::Connect)) };
        let left = left.checked_div(share).unwrap_or(left).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, left) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Error::at(Step::Connect, error),
        }
    }
    Err(last)
}

/// All addresses of the name, at least one.
pub(super) fn resolve(endpoint: &Endpoint, timeout: Duration) -> Result<Vec<SocketAddr>, Error> {
    let (host, port) = (endpoint.host.clone(), endpoint.port);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = on_a_thread(&RESOLVING, timeout, move || (host.as_str(), port).to_socket_addrs());
    match found {
        Ok(Some(Ok(addresses))) => nonempty(endpoint, addresses.collect()),
        Ok(Some(Err(error))) => Err(unresolved(endpoint, &error)),
        Ok(None) => Err(Error::TimedOut(Step::Resolve)),
        Err(error) => Err(unresolved(endpoint, &error)),
    }
}

pub(crate) fn nonempty(
    endpoint: &Endpoint,
    addresses: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, Error> {
    if addresses.is_empty() {
        return Err(unresolved(endpoint, &"the name has no address"));
    }
    Ok(addresses)
}

pub(crate) fn unresolved(endpoint: &Endpoint, problem: &dyn std::fmt::Display) -> Error {
    Error::Resolve { host: endpoint.host.clone(), problem: problem.to_string() }
}

/// Does something that cannot be stopped; `None` if it does not end in time.
fn on_a_thread<T: Send + 'static>(
    under_way: &'static AtomicUsize,
    timeout: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    if under_way.fetch_add(1, Ordering::Relaxed) >= LEFT_BEHIND_MAX {
        under_way.fetch_sub(1, Ordering::Relaxed);
        return Err(io::Error::other("the system's resolver hangs"));
    }
    let (send, receive) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name(String::from("kmip-resolve")).spawn(move || {
        let found = work();
        under_way.fetch_sub(1, Ordering::Relaxed);
        // Nobody waits any more: then nobody wants it.
        let _unwanted = send.send(found);
    });
    if let Err(error) = thread {
        under_way.fetch_sub(1, Ordering::Relaxed);
        return Err(error);
    }
    match receive.recv_timeout(timeout) {
        Ok(found) => Ok(Some(found)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the resolver failed")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), port: 1 }
    }

    #[test]
    fn addresses_need_no_resolver_and_names_do() {
        let none = Duration::ZERO;
        assert_eq!(resolve(&endpoint("::1"), none).unwrap(), ["[::1]:1".parse().unwrap()]);
        let second = Duration::from_secs(5);
        let local = resolve(&endpoint("localhost"), second).unwrap();
        assert!(local.iter().all(|address| address.ip().is_loopback() && address.port() == 1));
        let error = resolve(&endpoint("no-such-host.invalid"), second).unwrap_err();
        assert!(matches!(error, Error::Resolve { .. } | Error::TimedOut(Step::Resolve)), "{error}");
    }

    #[test]
    fn every_address_is_tried() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let live = listener.local_addr().unwrap();
        let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);
        let second = Duration::from_secs(5);
        let socket = first_of(vec![dead, live], second).unwrap();
        assert_eq!(socket.peer_addr().unwrap(), live);
        let refused = first_of(vec![dead, dead], second).unwrap_err();
        assert!(matches!(refused, Error::Connect(_)), "{refused}");
        let late = first_of(vec![dead, live], Duration::ZERO).unwrap_err();
        assert!(matches!(late, Error::TimedOut(Step::Connect)), "{late}");
    }

    #[test]
    fn resolvers_that_hang_are_left_behind_but_not_without_end() {
        static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
        static MAY_END: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
        let hang = || {
            let may_end = MAY_END.0.lock().unwrap();
            drop(MAY_END.1.wait_while(may_end, |may_end| !*may_end).unwrap());
        };
        let mut left_behind = 0;
        let refused = loop {
            match on_a_thread(&UNDER_WAY, Duration::from_millis(1), hang) {
                Ok(ended) => assert!(ended.is_none()),
                Err(error) => break error,
            }
            left_behind += 1;
            assert!(left_behind <= LEFT_BEHIND_MAX);
        };
        assert!(refused.to_string().contains("hangs"), "{refused}");
        *MAY_END.0.lock().unwrap() = true;
        MAY_END.1.notify_all();
        while on_a_thread(&UNDER_WAY, Duration::from_secs(5), || ()).is_err() {
            thread::yield_now();
        }
    }
}
