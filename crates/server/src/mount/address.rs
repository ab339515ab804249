//! Addresses that listeners accept on: `host:port`, where a bare host means the KMIP port.

use super::MountError;

/// The port registered for KMIP.
const KMIP_PORT: u16 = 5696;

/// `host:port` with the port filled in and IPv6 in brackets.
///
/// # Errors
/// [`MountError::BadInput`] for what is not an address.
pub(super) fn with_port(address: &str) -> Result<String, MountError> {
    let bad = || {
        MountError::BadInput(format!(
            "{address:?} is not a listen address: use host:port, [ipv6]:port or host"
        ))
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-_:[]%".contains(c);
    if address.is_empty() || !address.chars().all(legal) {
        return Err(bad());
    }
    if address.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(format!("[{address}]:{KMIP_PORT}"));
    }
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            (host, port.parse::<u16>().map_err(|_| bad())?)
        }
        _ => (address, KMIP_PORT),
    };
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(inside) if inside.parse::<std::net::Ipv6Addr>().is_err() => return Err(bad()),
        None if host.contains([':', '[', ']']) => return Err(bad()),
        _ => {}
    }
    // As in Go, where ":5696" means every address of the machine.
    let host = if host.is_empty() { "[::]" } else { host };
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::with_port;

    #[test]
    fn ports_are_filled_in() {
        for (given, expected) in [
            ("127.0.0.1:5696", "127.0.0.1:5696"),
            ("0.0.0.0", "0.0.0.0:5696"),
            ("[::]:15696", "[::]:15696"),
            ("[::1]", "[::1]:5696"),
            ("::1", "[::1]:5696"),
            (":0", "[::]:0"),
            ("localhost", "localhost:5696"),
            ("kms.example.com:1", "kms.example.com:1"),
        ] {
            assert_eq!(with_port(given).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in
            ["", "a b", "host:port", "host:70000", "host:", "[zz]:1", "a:b:1", "http://x", "[::1"]
        {
            assert!(with_port(bad).is_err(), "{bad:?}");
        }
    }
}
