//! Addresses for servers whose port has to be known before they start, or that come back at the same one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that Linux gives to whoever asks for any, connections among them: there, another test's connection
/// would take the port now and then before the server is back.
const FIRST: u32 = 10_240;
const COUNT: u32 = 22_000;

/// An address that nobody listens on, and that no other test of this process is given.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes of tests that run at the same time begin far from each other.
    let begin = std::process::id().wrapping_mul(7919) % COUNT;
    loop {
        let port = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port as u16));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
