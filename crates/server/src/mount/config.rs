//! The configuration of a KMIP engine: its fields, their defaults, and what a write does to them.
//!
//! Pure. Field names and defaults are those of Vault's KMIP engine.

use std::net::IpAddr;

use super::{MountError, address};
use crate::pki::tls::TlsVersion;
use crate::pki::{KeySpec, KeyType, ServerNames};
use crate::record::Change;

/// Most names in a certificate.
const NAMES_MAX: usize = 100;

/// Life of client certificates unless something else is said: 336 hours.
const CLIENT_TTL_SECONDS: i64 = 1_209_600;

/// What is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// As given; a bare host means port 5696. None unless something is said, as in Vault 2: named
    /// listeners have addresses of their own.
    pub listen_addrs: Vec<String>,
    /// DNS names in the server certificate; the first is its CN.
    pub server_hostnames: Vec<String>,
    /// IP addresses in the server certificate, as given.
    pub server_ips: Vec<String>,
    /// Keys of the authorities and of the server.
    pub tls_ca: KeySpec,
    /// The oldest TLS version accepted.
    pub tls_min_version: TlsVersion,
    /// Keys of client certificates, unless the role says otherwise.
    pub default_tls_client: KeySpec,
    /// Life of client certificates in seconds, unless the role says otherwise.
    pub default_tls_client_ttl: i64,
}

impl Default for Config {
    fn default() -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            listen_addrs: Vec::new(),
            server_hostnames: owned(&["localhost"]),
            server_ips: owned(&["127.0.0.1", "::1"]),
            tls_ca: KeySpec::Ec256,
            tls_min_version: TlsVersion::Tls12,
            default_tls_client: KeySpec::Ec256,
            default_tls_client_ttl: CLIENT_TTL_SECONDS,
        }
    }
}

/// What a write says about a configuration: fields left out stay as they are.
#[derive(Debug, Clone, Default)]
pub struct ConfigChange {
    /// See [`Config::listen_addrs`].
    pub listen_addrs: Change<Vec<String>>,
    /// See [`Config::server_hostnames`].
    pub server_hostnames: Change<Vec<String>>,
    /// See [`Config::server_ips`].
    pub server_ips: Change<Vec<String>>,
    /// Family of [`Config::tls_ca`].
    pub tls_ca_key_type: Change<KeyType>,
    /// Size of [`Config::tls_ca`].
    pub tls_ca_key_bits: Change<u32>,
    /// See [`Config::tls_min_version`].
    pub tls_min_version: Change<TlsVersion>,
    /// Family of [`Config::default_tls_client`].
    pub default_tls_client_key_type: Change<KeyType>,
    /// Size of [`Config::default_tls_client`].
    pub default_tls_client_key_bits: Change<u32>,
    /// See [`Config::default_tls_client_ttl`].
    pub default_tls_client_ttl: Change<i64>,
}

impl Config {
    /// The configuration after a write.
    ///
    /// # Errors
    /// When a field cannot be what the write says; nothing is changed then.
    pub fn apply(self, change: ConfigChange) -> Result<Self, MountError> {
        let default = Self::default();
        let config = Self {
            listen_addrs: change.listen_addrs.apply(self.listen_addrs, default.listen_addrs),
            server_hostnames: change
                .server_hostnames
                .apply(self.server_hostnames, default.server_hostnames),
            server_ips: change.server_ips.apply(self.server_ips, default.server_ips),
            tls_ca: key_spec(
                self.tls_ca,
                default.tls_ca,
                change.tls_ca_key_type,
                change.tls_ca_key_bits,
            )?,
            tls_min_version: change
                .tls_min_version
                .apply(self.tls_min_version, default.tls_min_version),
            default_tls_client: key_spec(
                self.default_tls_client,
                default.default_tls_client,
                change.default_tls_client_key_type,
                change.default_tls_client_key_bits,
            )?,
            default_tls_client_ttl: change
                .default_tls_client_ttl
                .apply(self.default_tls_client_ttl, default.default_tls_client_ttl),
        };
        config.addresses()?;
        config.names()?;
        if config.default_tls_client_ttl <= 0 {
            return Err(MountError::BadInput("default_tls_client_ttl must be positive".to_owned()));
        }
        Ok(config)
    }

    /// Where to listen: `host:port`.
    pub(super) fn addresses(&self) -> Result<Vec<String>, MountError> {
        self.listen_addrs.iter().map(|given| address::with_port(given)).collect()
    }

    /// Names in the server certificate.
    pub(super) fn names(&self) -> Result<ServerNames, MountError> {
        server_names(&self.server_hostnames, &self.server_ips)
    }
}

/// Names in a server certificate, from the fields that every listener has.
pub(super) fn server_names(
    hostnames: &[String],
    ips: &[String],
) -> Result<ServerNames, MountError> {
    names("server_hostnames", hostnames, "server_ips", ips)
}

/// Names that a client's certificate shows besides, from the fields of a request.
///
/// # Errors
/// [`MountError::BadInput`] for what is no host name or no address.
pub fn client_names(hostnames: &[String], ips: &[String]) -> Result<ServerNames, MountError> {
    names("dns_sans", hostnames, "ip_sans", ips)
}

fn names(
    hostnames_field: &str,
    hostnames: &[String],
    ips_field: &str,
    ips: &[String],
) -> Result<ServerNames, MountError> {
    if hostnames.len().saturating_add(ips.len()) > NAMES_MAX {
        return Err(MountError::BadInput(format!("a certificate names {NAMES_MAX} hosts at most")));
    }
    for name in hostnames {
        let legal = |c: char| c.is_ascii_alphanumeric() || ".-_*".contains(c);
        if name.is_empty() || name.len() > 253 || !name.chars().all(legal) {
            return Err(MountError::BadInput(format!(
                "{hostnames_field}: {name:?} is not a host name"
            )));
        }
    }
    let addresses: Result<Vec<IpAddr>, MountError> = ips
        .iter()
        .map(|text| {
            text.parse().map_err(|_| {
                MountError::BadInput(format!("{ips_field}: {text:?} is not an IP address"))
            })
        })
        .collect();
    Ok(ServerNames { hostnames: hostnames.to_vec(), addresses: addresses? })
}

/// Family and size change one by one; a family alone brings its own default size.
fn key_spec(
    current: KeySpec,
    default: KeySpec,
    key_type: Change<KeyType>,
    bits: Change<u32>,
) -> Result<KeySpec, MountError> {
    let key_type = key_type.apply(current.key_type(), default.key_type());
    let same_family = key_type == current.key_type();
    let kept = if same_family { current.bits() } else { key_type.default_bits() };
    let bits = bits.apply(kept, key_type.default_bits());
    Ok(KeySpec::new(key_type, bits)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to<T>(value: T) -> Change<T> {
        Change::To(value)
    }

    #[test]
    fn writes_are_partial_and_null_resets() {
        let config = Config::default()
            .apply(ConfigChange {
                listen_addrs: to(vec!["0.0.0.0".to_owned()]),
                tls_ca_key_type: to(KeyType::Rsa),
                default_tls_client_ttl: to(3600),
                ..ConfigChange::default()
            })
            .unwrap();
        assert_eq!(config.listen_addrs, ["0.0.0.0"]);
        assert_eq!(config.addresses().unwrap(), ["0.0.0.0:5696"]);
        assert_eq!(config.tls_ca, KeySpec::Rsa2048);
        let config = config
            .apply(ConfigChange {
                listen_addrs: to(Vec::new()),
                tls_ca_key_bits: to(4096),
                default_tls_client_ttl: Change::Reset,
                ..ConfigChange::default()
            })
            .unwrap();
        assert!(config.listen_addrs.is_empty(), "an empty list is kept as one");
        assert_eq!(config.tls_ca, KeySpec::Rsa4096);
        assert_eq!(config.default_tls_client_ttl, CLIENT_TTL_SECONDS);
        let config = config
            .apply(ConfigChange {
                tls_ca_key_type: Change::Reset,
                tls_ca_key_bits: Change::Reset,
                listen_addrs: Change::Reset,
                ..ConfigChange::default()
            })
            .unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let changes = [
            ConfigChange { tls_ca_key_bits: to(224), ..ConfigChange::default() },
            ConfigChange { default_tls_client_key_bits: to(2048), ..ConfigChange::default() },
            ConfigChange { listen_addrs: to(vec!["x y".to_owned()]), ..ConfigChange::default() },
            ConfigChange {
                server_ips: to(vec!["localhost".to_owned()]),
                ..ConfigChange::default()
            },
            ConfigChange { server_hostnames: to(vec!["ü".to_owned()]), ..ConfigChange::default() },
            ConfigChange { default_tls_client_ttl: to(0), ..ConfigChange::default() },
        ];
        for change in changes {
            let text = format!("{change:?}");
            assert!(Config::default().apply(change).is_err(), "{text}");
        }
    }
}
