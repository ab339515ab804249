//! The options as the server hands them over, made into what a client needs.

use std::path::PathBuf;
use std::time::Duration;

use claviger_client::tls;
use claviger_client::{Endpoint, Error, Options, Pool, Timeouts};
use zeroize::Zeroizing;

use crate::naming::Group;

/// The options, as they are named without their prefix.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) servers: Option<String>,
    pub(crate) port: u64,
    pub(crate) ca: Option<String>,
    pub(crate) certificate: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) key_password: Option<Zeroizing<String>>,
    pub(crate) connect_timeout_ms: u64,
    pub(crate) request_timeout_ms: u64,
    pub(crate) retries: u64,
    pub(crate) cache_timeout_ms: u64,
    pub(crate) cache_version_timeout_ms: u64,
    pub(crate) use_cache_on_timeout: bool,
    pub(crate) key_group: Option<String>,
    pub(crate) create_missing: bool,
}

/// What an option says wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {problem}")]
pub(crate) struct Wrong {
    /// Without the prefix.
    pub(crate) option: &'static str,
    /// For people.
    pub(crate) problem: String,
}

/// How the plugin works.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) client: Options,
    pub(crate) group: Group,
    /// How often the latest versions are read again.
    pub(crate) versions_every: Duration,
    /// How often the bytes of known versions are read again; none never.
    pub(crate) keys_every: Option<Duration>,
    pub(crate) use_cache_on_timeout: bool,
    pub(crate) create_missing: bool,
}

impl Given {
    /// Reads the options and the files that they name.
    pub(crate) fn read(self) -> Result<Settings, Wrong> {
        let servers = endpoints(required("servers", self.servers)?.as_str(), self.port)?;
        let group = self.key_group.unwrap_or_default();
        let group = group.parse().map_err(|problem| wrong("key-group", problem))?;
        let certificate = PathBuf::from(required("certificate", self.certificate)?);
        let settings = tls::Settings {
            authorities: vec![PathBuf::from(required("ca", self.ca)?)],
            certificate: Some(certificate.clone()),
            key: self.key.map(PathBuf::from),
            password: self.key_password,
            ..tls::Settings::default()
        };
        let tls = settings.load().map_err(|error| of_files(&settings, &error))?;
        let connect = Duration::from_millis(self.connect_timeout_ms);
        let timeouts = Timeouts {
            request: Duration::from_millis(self.request_timeout_ms),
            ..Timeouts::each(connect)
        };
        let versions_every = Duration::from_millis(self.cache_version_timeout_ms);
        let client = Options {
            timeouts,
            connect_retries: u32::try_from(self.retries).unwrap_or(u32::MAX),
            pool: Pool {
                // From one look at the versions to the next.
                idle_max: versions_every.saturating_mul(2).max(Pool::default().idle_max),
                ..Pool::default()
            },
            ..Options::new(servers, tls)
        };
        Ok(Settings {
            client,
            group,
            versions_every,
            keys_every: (self.cache_timeout_ms != 0)
                .then(|| Duration::from_millis(self.cache_timeout_ms)),
            use_cache_on_timeout: self.use_cache_on_timeout,
            create_missing: self.create_missing,
        })
    }
}

fn wrong(option: &'static str, problem: impl ToString) -> Wrong {
    Wrong { option, problem: problem.to_string() }
}

fn required(option: &'static str, value: Option<String>) -> Result<String, Wrong> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| wrong(option, "is not set"))
}

/// The servers; those without a port get the one of the options.
fn endpoints(list: &str, port: u64) -> Result<Vec<Endpoint>, Wrong> {
    let port = u16::try_from(port).map_err(|_| wrong("port", "is above 65535"))?;
    let one = |text: &str| {
        let text = text.trim();
        let read: Endpoint = text.parse().map_err(|error| wrong("servers", error))?;
        let has_port = text.ends_with(&format!(":{}", read.port)) && text != read.host;
        Ok(Endpoint { port: if has_port { read.port } else { port }, ..read })
    };
    list.split(',').map(one).collect()
}

/// Which option named the file that cannot be used.
fn of_files(settings: &tls::Settings, error: &Error) -> Wrong {
    let (Error::Pem { path, .. } | Error::Password { path, .. }) = error else {
        return wrong("certificate", error);
    };
    let option = match error {
        Error::Password { .. } => "key-password",
        _ if settings.authorities.contains(path) => "ca",
        _ if settings.key.as_ref() == Some(path) => "key",
        _ => "certificate",
    };
    wrong(option, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> Given {
        Given {
            servers: Some(String::from("kms1, kms2:7,[::1],::1,[::1]:9")),
            port: 5697,
            key_group: Some(String::from("mariadb")),
            ..Given::default()
        }
    }

    #[test]
    fn servers_without_a_port_get_that_of_the_options() {
        let read = endpoints(&given().servers.unwrap(), 5697).unwrap();
        let shown: Vec<_> = read.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["kms1:5697", "kms2:7", "[::1]:5697", "[::1]:5697", "[::1]:9"]);
        assert_eq!(endpoints("kms,", 1).unwrap_err().option, "servers");
        assert_eq!(endpoints("kms", 70_000).unwrap_err().option, "port");
    }

    #[test]
    fn what_is_wrong_is_said_of_its_option() {
        let said = |change: fn(&mut Given)| {
            let mut given = given();
            given.ca = Some(String::from("no-such-ca.pem"));
            given.certificate = Some(String::from("no-such-cert.pem"));
            change(&mut given);
            given.read().unwrap_err()
        };
        assert_eq!(said(|given| given.servers = None), wrong("servers", "is not set"));
        assert_eq!(said(|given| given.ca = None), wrong("ca", "is not set"));
        assert_eq!(said(|given| given.certificate = None), wrong("certificate", "is not set"));
        assert_eq!(said(|given| given.key_group = Some("a/b".into())).option, "key-group");
        let missing = said(|_| {});
        assert!(missing.option == "ca" && missing.problem.contains("no-such-ca.pem"), "{missing}");
    }
}
