//! Where the lines of a stream device go: a descriptor, a socket, syslog. Each write has a time in
//! which it ends, one way or the other.

use super::config::{Address, Host};
use super::entry::push_time;
use crate::clock::{Clock as _, SystemClock};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// Takes lines.
pub(super) trait Sink: Send {
    /// Hands lines to the kernel, each with its newline. After an error some of them may have left.
    fn write(&mut self, lines: &[u8]) -> io::Result<()>;
}

impl Sink for File {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.write_all(lines)
    }
}

/// The standard output of this process.
pub(super) fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Something that has a name in the file system but is no regular file: nothing can be read back
/// or taken back.
pub(super) fn special_file(path: &Path) -> io::Result<File> {
    // Opened for both, a pipe does not wait for a reader.
    OpenOptions::new().read(true).append(true).open(path)
}

/// A socket, connected when it is first needed and again when it fails.
pub(super) struct Socket {
    address: Address,
    timeout: Duration,
    link: Option<Link>,
}

enum Link {
    Tcp(TcpStream),
    Udp(UdpSocket),
    Unix(UnixStream),
    UnixDatagram(UnixDatagram),
}

impl Socket {
    pub(super) fn new(address: Address, timeout: Duration) -> Self {
        Self { address, timeout, link: None }
    }
}

impl Sink for Socket {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let deadline = Instant::now().checked_add(self.timeout).ok_or(ErrorKind::InvalidInput)?;
        let mut sent = 0;
        let mut again = true;
        loop {
            let rest = lines.get(sent..).unwrap_or_default();
            let mut link = match self.link.take().filter(Link::is_alive) {
                Some(link) => link,
                None => Link::connect(&self.address, deadline)?,
            };
            let mut written = 0;
            match link.send(rest, deadline, &mut written) {
                Ok(()) => {
                    self.link = Some(link);
                    return Ok(());
                }
                // The peer may have been started anew since: what it lacks is sent once more.
                Err(error)
                    if again && !is_late(&error) && error.kind() != ErrorKind::InvalidInput =>
                {
                    again = false;
                    let whole = rest.get(..written).unwrap_or_default();
                    let whole =
                        whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                    sent += whole;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// What is left until the deadline; an error when nothing is.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

impl Link {
    /// Connects; an error names the address.
    fn connect(address: &Address, deadline: Instant) -> io::Result<Self> {
        Self::reach(address, deadline)
            .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
    }

    fn reach(address: &Address, deadline: Instant) -> io::Result<Self> {
        match address {
            Address::Tcp(host) => {
                let mut refused = io::Error::from(ErrorKind::AddrNotAvailable);
                for address in resolve(host)? {
                    match TcpStream::connect_timeout(&address, left(deadline)?) {
                        Ok(stream) => {
                            stream.set_nodelay(true)?;
                            return Ok(Self::Tcp(stream));
                        }
                        Err(error) => refused = error,
                    }
                }
                Err(refused)
            }
            Address::Udp(host) => {
                let address = resolve(host)?.next().ok_or(ErrorKind::AddrNotAvailable)?;
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any)?;
                socket.connect(address)?;
                Ok(Self::Udp(socket))
            }
            Address::Unix(path) => Ok(Self::Unix(UnixStream::connect(path)?)),
            Address::UnixDatagram(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                Ok(Self::UnixDatagram(socket))
            }
        }
    }

    /// Whether the peer is still there, as far as can be told: writing to one that has gone
    /// succeeds once. What a peer sends is not read.
    fn is_alive(&self) -> bool {
        let mut byte = [0];
        let read = match self {
            Self::Udp(_) | Self::UnixDatagram(_) => return true,
            Self::Tcp(stream) => stream.set_nonblocking(true).and_then(|()| {
                let read = (&*stream).read(&mut byte);
                stream.set_nonblocking(false).and(read)
            }),
            Self::Unix(stream) => stream.set_nonblocking(true).and_then(|()| {
                let read = (&*stream).read(&mut byte);
                stream.set_nonblocking(false).and(read)
            }),
        };
        match read {
            Ok(bytes) => bytes > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    /// Sends lines; `written` counts the bytes that the kernel has taken.
    fn send(&mut self, lines: &[u8], deadline: Instant, written: &mut usize) -> io::Result<()> {
        while let Some(rest) = lines.get(*written..).filter(|rest| !rest.is_empty()) {
            let time = Some(left(deadline)?);
            let line = rest.split_inclusive(|byte| *byte == b'\n').next().unwrap_or(rest);
            let sent = match self {
                Self::Tcp(stream) => {
                    stream.set_write_timeout(time).and_then(|()| stream.write(rest))
                }
                Self::Unix(stream) => {
                    stream.set_write_timeout(time).and_then(|()| stream.write(rest))
                }
                Self::Udp(socket) => {
                    socket.set_write_timeout(time).and_then(|()| socket.send(line))
                }
                Self::UnixDatagram(socket) => {
                    socket.set_write_timeout(time).and_then(|()| socket.send(line))
                }
            };
            match sent {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => *written = written.saturating_add(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn resolve(host: &Host) -> io::Result<impl Iterator<Item = SocketAddr>> {
    let only_v4 = host.only_v4;
    let found = host.text.to_socket_addrs()?;
    Ok(found.filter(move |address| only_v4.is_none_or(|only_v4| only_v4 == address.is_ipv4())))
}

/// Lines as messages of syslog: one datagram each.
pub(super) struct Syslog {
    socket: Socket,
    priority: u8,
    /// `TAG[PID]`.
    sender: String,
    /// The name of this machine, where the message goes to another.
    host: Option<String>,
}

impl Syslog {
    pub(super) fn new(address: Address, priority: u8, tag: &str, timeout: Duration) -> Self {
        let is_remote = matches!(address, Address::Udp(_));
        let sender = format!("{tag}[{}]", std::process::id());
        let host = is_remote.then(|| {
            let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let name = name.trim();
            if name.is_empty() { "-".to_owned() } else { name.to_owned() }
        });
        Self { socket: Socket::new(address, timeout), priority, sender, host }
    }

    fn header(&self, now_us: i64) -> String {
        let Self { priority, sender, host, .. } = self;
        let mut time = Vec::new();
        push_time(&mut time, now_us);
        let time = String::from_utf8(time).unwrap_or_default();
        match host {
            Some(host) => format!("<{priority}>{time} {host} {sender}: "),
            None => format!("<{priority}>{} {sender}: ", bsd_time(&time).unwrap_or_default()),
        }
    }
}

impl Sink for Syslog {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let header = self.header(SystemClock::default().now_us());
        let mut messages = Vec::with_capacity(lines.len().saturating_add(header.len()));
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            messages.extend_from_slice(header.as_bytes());
            messages.extend_from_slice(line);
        }
        self.socket.write(&messages)
    }
}

/// `Nov 21 20:00:00` of RFC 3164 §4.1.2, which local daemons read, out of an RFC 3339 time.
fn bsd_time(time: &str) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month: usize = time.get(5..7)?.parse().ok()?;
    let day: u32 = time.get(8..10)?.parse().ok()?;
    Some(format!("{} {day:>2} {}", MONTHS.get(month.checked_sub(1)?)?, time.get(11..19)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn syslog_messages_begin_as_daemons_read_them() {
        let local = Address::UnixDatagram(PathBuf::from("/dev/log"));
        let local = Syslog::new(local, 86, "vault", Duration::from_secs(1));
        let pid = std::process::id();
        assert_eq!(
            local.header(951_827_696_000_001),
            format!("<86>Feb 29 12:34:56 vault[{pid}]: ")
        );
        assert_eq!(local.header(0), format!("<86>Jan  1 00:00:00 vault[{pid}]: "));
        let host = Host { text: "h:514".to_owned(), only_v4: None };
        let mut remote = Syslog::new(Address::Udp(host), 86, "vault", Duration::from_secs(1));
        remote.host = Some("kms1".to_owned());
        let expected = format!("<86>1970-01-01T00:00:00.000000Z kms1 vault[{pid}]: ");
        assert_eq!(remote.header(0), expected);
    }
}
