//! The command line and the configuration file: the same settings, the command line first.

mod place;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand, ValueEnum};
use claviger_client::Endpoint;
use claviger_client::tls::Settings;
use claviger_s3::driver::options::Given;
use claviger_s3::driver::{self, Driver};
use claviger_s3::gateway::{self, CacheLimits, Credentials, Encrypt, Limits, Options};
use claviger_s3::store::Format;
use s3s::auth::SecretKey;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_rustls::TlsAcceptor;
use tracing::level_filters::LevelFilter;

pub(crate) use place::StorePlace;

/// An S3 server that encrypts what it stores with keys on a KMIP server.
#[derive(Parser, Default, Deserialize)]
#[command(version, max_term_width = 100)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Arguments {
    /// Where to listen [default: 127.0.0.1:9000]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Certificate of the gateway, followed by its chain: it speaks HTTPS then
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The private key of that certificate
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Where objects rest: a directory, or another S3 store as http://HOST[:PORT] or https://HOST[:PORT]
    #[arg(long, value_name = "DIR|URL")]
    store: Option<PathBuf>,
    /// File with access_key and secret_key, and session_token if there is one, for the other store [default: AWS_ACCESS_KEY_ID,
    /// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the environment]
    #[arg(long, value_name = "FILE")]
    store_credentials: Option<PathBuf>,
    /// The region of the other store [default: us-east-1]
    #[arg(long, value_name = "REGION")]
    store_region: Option<String>,
    /// Certificates of the authorities that the other store's certificate may come from [default: the system's]
    #[arg(long, value_name = "FILE")]
    store_ca: Option<PathBuf>,
    /// The socket by which `rotate` and `rewrap` reach the gateway that runs [default: control.sock in the store's directory]
    #[arg(long, value_name = "FILE")]
    control: Option<PathBuf>,
    /// KMIP servers with the same keys, each in its turn; without one nothing is encrypted
    #[arg(long, value_name = "HOST[:PORT]", value_delimiter = ',')]
    kmip_server: Vec<String>,
    /// Directory with ca.pem, cert.pem and key.pem, as `claviger server --export-client` writes it
    #[arg(long, value_name = "DIR", conflicts_with_all = ["kmip_ca", "kmip_cert", "kmip_key"])]
    client: Option<PathBuf>,
    /// Zenko's values.yaml, with kmip-*.pem beside it, or CloudServer's config.json: its KMIP servers and options
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kmip_server", "client", "kmip_ca", "kmip_cert", "kmip_key"])]
    zenko: Option<PathBuf>,
    /// Certificates of the authorities that the KMIP server's certificate may come from
    #[arg(long, value_name = "FILE")]
    kmip_ca: Option<PathBuf>,
    /// The KMIP client's certificate, followed by its chain
    #[arg(long, value_name = "FILE")]
    kmip_cert: Option<PathBuf>,
    /// The KMIP client's private key
    #[arg(long, value_name = "FILE")]
    kmip_key: Option<PathBuf>,
    /// An access key that may sign requests
    #[arg(
        long,
        value_name = "ACCESS-KEY",
        requires = "secret_key",
        env = "CLAVIGER_S3_ACCESS_KEY"
    )]
    access_key: Option<String>,
    /// Its secret
    #[arg(
        long,
        value_name = "SECRET-KEY",
        requires = "access_key",
        env = "CLAVIGER_S3_SECRET_KEY",
        hide_env_values = true
    )]
    secret_key: Option<String>,
    /// File with access keys and their secrets
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Which objects are encrypted [default: all]
    #[arg(long, value_name = "WHICH")]
    encrypt: Option<Which>,
    /// How new objects are encrypted [default: segments]
    #[arg(long, value_name = "FORMAT")]
    format: Option<How>,
    /// How long data keys are remembered, in seconds; 0 asks the KMIP server every time [default: 60]
    #[arg(long, value_name = "SECONDS")]
    data_key_cache_seconds: Option<u64>,
    /// How many data keys are remembered [default: 10000]
    #[arg(long, value_name = "NUMBER")]
    data_key_cache_size: Option<usize>,
    /// Connections at once [default: 1024]
    #[arg(long, value_name = "NUMBER")]
    connections: Option<usize>,
    /// What is logged: error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Log in JSON
    #[arg(long)]
    log_json: bool,
    /// File with these settings, named as here with underscores
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    #[serde(skip)]
    pub(crate) command: Option<Command>,
}

/// What else there is to do than to serve; the settings come before it. A gateway that has the store open does it; else the
/// settings must name the KMIP servers.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a new key for a bucket, for objects that are written from now on
    Rotate {
        /// The bucket
        bucket: String,
    },
    /// Puts data keys that are under old keys of a bucket under its key; no content is read or written. Interrupted, it
    /// goes on when it is called again
    Rewrap {
        /// The bucket
        bucket: String,
        /// Destroys the old keys when nothing is under them any more
        #[arg(long)]
        destroy: bool,
    },
}

/// Which objects are encrypted.
#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    /// All
    All,
    /// Those whose bucket or whose own headers say so
    Asked,
}

/// How new objects are encrypted.
#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    /// In segments that are authenticated
    Segments,
    /// As Zenko does, cryptoScheme 1: not authenticated
    Scheme1,
}

/// What the program is told.
pub(crate) struct Configuration {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) store: StorePlace,
    /// Where commands reach the gateway that runs.
    pub(crate) control: Option<PathBuf>,
    pub(crate) credentials: Credentials,
    pub(crate) options: Options,
    pub(crate) limits: Limits,
    pub(crate) log_level: LevelFilter,
    pub(crate) log_json: bool,
    /// What there is to do, if it is not to serve.
    pub(crate) command: Option<Command>,
    kmip: Option<driver::Options>,
}

impl Configuration {
    /// Reads the configuration file, if one is named, and checks everything that can be checked without a socket.
    pub(crate) fn read(arguments: Arguments) -> anyhow::Result<Self> {
        let given = match arguments.config.clone() {
            None => arguments,
            Some(path) => arguments.over(read_file(&path)?),
        };
        let Some(store) = given.store.clone() else {
            bail!("where objects rest is not said: give --store DIR or --store URL");
        };
        let credentials = given.credentials()?;
        if credentials.is_empty() && given.command.is_none() {
            bail!(
                "nobody could sign a request: give --access-key and --secret-key, or --credentials"
            );
        }
        let kmip = given.kmip()?;
        let defaults = CacheLimits::default();
        let lifetime = given.data_key_cache_seconds.map(Duration::from_secs);
        let cache = CacheLimits {
            keys_max: given.data_key_cache_size.unwrap_or(defaults.keys_max),
            lifetime: lifetime.unwrap_or(defaults.lifetime),
        };
        let encrypt = match given.encrypt {
            // Without a KMIP server there is no key to encrypt with, and a request that asks for it is refused.
            _ if kmip.is_none() => Encrypt::Asked,
            Some(Which::Asked) => Encrypt::Asked,
            None | Some(Which::All) => Encrypt::All,
        };
        if kmip.is_none() && matches!(given.encrypt, Some(Which::All)) {
            bail!("objects cannot be encrypted without a KMIP server: give --kmip-server");
        }
        let format = match given.format {
            None | Some(How::Segments) => Format::Segments,
            Some(How::Scheme1) => Format::Scheme1,
        };
        let level = given.log_level.as_deref().unwrap_or("info");
        let log_level = level.parse().ok();
        let listen = given.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 9000)));
        let limits = Limits {
            connections_max: given.connections.unwrap_or(Limits::default().connections_max).max(1),
            ..Limits::default()
        };
        let control = given.control(&store);
        if control.is_none() && matches!(given.command, Some(Command::Rewrap { destroy: true, .. }))
        {
            bail!(
                "a gateway that runs before that store would not hear of it: give --control FILE, its socket"
            );
        }
        Ok(Self {
            listen,
            tls: given.tls()?,
            control,
            store: given.place(store)?,
            credentials,
            options: Options { encrypt, format, cache },
            limits,
            log_level: log_level.with_context(|| format!("{level} is no log level"))?,
            log_json: given.log_json,
            command: given.command,
            kmip,
        })
    }

    /// What speaks to the KMIP servers, if any is named.
    pub(crate) fn driver(&self) -> anyhow::Result<Option<Driver>> {
        Ok(self.kmip.clone().map(Driver::new).transpose()?)
    }
}

/// Options as Zenko has them, the environment below the file.
fn zenko(path: &Path) -> Result<driver::Options, Vec<driver::Problem>> {
    let base = path.parent().unwrap_or(Path::new(""));
    let environment = Given::from_environment(|name| std::env::var(name).ok(), base)?;
    Given::from_file(path)?.over(environment).options()
}

fn read_file<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    // Its own text would show the line, which may have a secret.
    toml::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), error.message()))
}

impl Arguments {
    /// These, and the others where these say nothing.
    fn over(self, file: Self) -> Self {
        let keep = |mine: Vec<String>, other| if mine.is_empty() { other } else { mine };
        // The ways to name the client's files exclude each other.
        let files = self.client.is_some() || self.kmip_ca.is_some() || self.zenko.is_some();
        let servers = !self.kmip_server.is_empty();
        let from_file = |path: Option<PathBuf>| path.filter(|_| !files);
        Self {
            listen: self.listen.or(file.listen),
            tls_certificate: self.tls_certificate.or(file.tls_certificate),
            tls_key: self.tls_key.or(file.tls_key),
            store: self.store.or(file.store),
            store_credentials: self.store_credentials.or(file.store_credentials),
            store_region: self.store_region.or(file.store_region),
            store_ca: self.store_ca.or(file.store_ca),
            control: self.control.or(file.control),
            kmip_server: match self.zenko {
                None => keep(self.kmip_server, file.kmip_server),
                Some(_) => Vec::new(),
            },
            zenko: self.zenko.or(file.zenko.filter(|_| !servers)),
            client: self.client.or(from_file(file.client)),
            kmip_ca: self.kmip_ca.or(from_file(file.kmip_ca)),
            kmip_cert: self.kmip_cert.or(from_file(file.kmip_cert)),
            kmip_key: self.kmip_key.or(from_file(file.kmip_key)),
            access_key: self.access_key.or(file.access_key),
            secret_key: self.secret_key.or(file.secret_key),
            credentials: self.credentials.or(file.credentials),
            encrypt: self.encrypt.or(file.encrypt),
            format: self.format.or(file.format),
            data_key_cache_seconds: self.data_key_cache_seconds.or(file.data_key_cache_seconds),
            data_key_cache_size: self.data_key_cache_size.or(file.data_key_cache_size),
            connections: self.connections.or(file.connections),
            log_level: self.log_level.or(file.log_level),
            log_json: self.log_json || file.log_json,
            config: None,
            command: self.command,
        }
    }

    fn tls(&self) -> anyhow::Result<Option<TlsAcceptor>> {
        match (&self.tls_certificate, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(gateway::acceptor(certificate, key)?)),
            _ => bail!("HTTPS needs both: give --tls-certificate and --tls-key"),
        }
    }

    fn credentials(&self) -> anyhow::Result<Credentials> {
        let mut credentials = Credentials::default();
        if let (Some(access_key), Some(secret_key)) = (&self.access_key, &self.secret_key) {
            credentials.add(access_key, SecretKey::from(secret_key.as_str()))?;
        }
        if let Some(path) = &self.credentials {
            credentials.add_file(path)?;
        }
        Ok(credentials)
    }

    fn kmip(&self) -> anyhow::Result<Option<driver::Options>> {
        if let Some(path) = &self.zenko {
            if !self.kmip_server.is_empty() {
                bail!("both --zenko and --kmip-server name KMIP servers");
            }
            let options = zenko(path).map_err(driver::DriverError::Options);
            let options = options.with_context(|| path.display().to_string())?;
            if !options.enabled {
                bail!(
                    "{}: KMIP is not enabled there; leave --zenko out to store in the open",
                    path.display()
                );
            }
            return Ok(Some(options));
        }
        if self.kmip_server.is_empty() {
            if self.client.is_some() || self.kmip_ca.is_some() {
                bail!("the KMIP client has no server: give --kmip-server");
            }
            return Ok(None);
        }
        let servers: Result<Vec<Endpoint>, _> =
            self.kmip_server.iter().map(|server| server.parse()).collect();
        let (ca, certificate, key) = match (
            &self.client,
            &self.kmip_ca,
            &self.kmip_cert,
            &self.kmip_key,
        ) {
            (Some(directory), ..) => {
                (directory.join("ca.pem"), directory.join("cert.pem"), directory.join("key.pem"))
            }
            (None, Some(ca), Some(certificate), Some(key)) => {
                (ca.clone(), certificate.clone(), key.clone())
            }
            _ => bail!(
                "a KMIP server demands a client certificate: give --client DIR, or --kmip-ca, --kmip-cert and --kmip-key"
            ),
        };
        let tls = Settings {
            authorities: vec![ca],
            certificate: Some(certificate),
            key: Some(key),
            ..Settings::default()
        };
        Ok(Some(driver::Options::new(servers?, tls)))
    }
}
