//! The configuration file of a server: TOML, read against the one table of keys (`keys`).
//!
//! Everything wrong with a file is found at once, and each problem names the key, the value and what to
//! do. It must never hold a secret: keys and certificates are files that it names.

mod check;
#[cfg(test)]
mod document;
mod keys;
mod problem;
mod read;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger_server::Durability;
use claviger_server::assemble::{Options, TlsFiles};
use claviger_server::audit::DeviceConfig;
use claviger_server::limits::Limits;
use claviger_server::node::{NodeOptions, SealSource};
use claviger_server::seal::{KeyFile, PeerOptions, PinSource, TokenOptions};

pub(crate) use check::{CheckArguments, check, failure};
pub(crate) use problem::Problem;

use keys::{KEYS, Key};

/// A configuration whose every key has a value.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    address: SocketAddr,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
    raw_storage_endpoint: bool,
    storage_type: &'static str,
    storage_path: Option<PathBuf>,
    seal_type: &'static str,
    key_file: Option<PathBuf>,
    audit: Vec<DeviceConfig>,
    pkcs11_module: Option<PathBuf>,
    pkcs11_token: Option<String>,
    pkcs11_key: Option<String>,
    pkcs11_pin_file: Option<PathBuf>,
    kmip_servers: Vec<String>,
    kmip_ca: Option<PathBuf>,
    kmip_certificate: Option<PathBuf>,
    kmip_key: Option<PathBuf>,
    kmip_key_password_file: Option<PathBuf>,
    kmip_key_identifier: Option<String>,
    kmip_key_name: Option<String>,
    kmip_server_name: Option<String>,
    kmip_timeout: u64,
    limits: Limits,
    log_format: &'static str,
    log_level: &'static str,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8200)),
            tls_certificate: None,
            tls_key: None,
            client_ca: None,
            raw_storage_endpoint: false,
            storage_type: "sqlite",
            storage_path: None,
            seal_type: "shamir",
            key_file: None,
            pkcs11_module: None,
            pkcs11_token: None,
            pkcs11_key: None,
            pkcs11_pin_file: None,
            kmip_servers: Vec::new(),
            kmip_ca: None,
            kmip_certificate: None,
            kmip_key: None,
            kmip_key_password_file: None,
            kmip_key_identifier: None,
            kmip_key_name: None,
            kmip_server_name: None,
            kmip_timeout: 10,
            audit: Vec::new(),
            limits: Limits::default(),
            log_format: "text",
            log_level: "info",
        }
    }
}

impl Config {
    /// Reads and checks a file. Paths in it are relative to its directory.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn read(file: &Path) -> Result<Self, Vec<Problem>> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            vec![Problem::file(format!("{error}"), "Name a file that can be read.")]
        })?;
        let directory = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, directory)
    }

    fn parse(text: &str, directory: &Path) -> Result<Self, Vec<Problem>> {
        let config = read::read(text, directory)?;
        let problems = config.contradictions();
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// What its keys, each good by itself, are together that cannot be.
    fn contradictions(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => found.push(Problem::missing(
                "api.tls_key",
                "Name the file of the private key of tls_certificate.",
            )),
            (None, Some(_)) => found.push(Problem::missing(
                "api.tls_certificate",
                "Name the file of the certificate of tls_key.",
            )),
            _ => {}
        }
        let has_tls = self.tls_certificate.is_some() || self.tls_key.is_some();
        if !has_tls && !self.address.ip().is_loopback() {
            found.push(Problem::value(
                "api.address",
                self.address,
                "plain HTTP is for loopback only: tokens and keys would be readable on the network",
                "Set tls_certificate and tls_key, or listen on 127.0.0.1.",
            ));
        }
        if let (false, Some(authority)) = (has_tls, shown(&self.client_ca)) {
            found.push(Problem::value(
                "api.client_ca",
                authority,
                "without TLS no client has a certificate",
                "Set tls_certificate and tls_key, or leave it out.",
            ));
        }
        match (self.storage_type, shown(&self.storage_path)) {
            ("memory", Some(path)) => found.push(Problem::value(
                "storage.path",
                path,
                "storage in memory has no directory",
                "Leave it out, or set type = \"sqlite\".",
            )),
            ("sqlite", None) => found.push(Problem::missing(
                "storage.path",
                "Name the directory that holds the data; it is made if it is not there.",
            )),
            _ => {}
        }
        found.extend(self.seal_contradictions());
        found
    }

    fn seal_contradictions(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        match (self.seal_type, shown(&self.key_file)) {
            ("shamir" | "pkcs11" | "kmip", Some(path)) => found.push(Problem::value(
                "seal.key_file",
                path,
                "key shares, tokens and other servers keep the root key, not a file",
                "Leave it out, or set type = \"key_file\".",
            )),
            ("key_file", None) if self.storage_path.is_none() => found.push(Problem::missing(
                "seal.key_file",
                "Name the file that holds the root key; it is made by the initialisation.",
            )),
            _ => {}
        }
        let token = [
            ("seal.pkcs11_module", shown(&self.pkcs11_module)),
            ("seal.pkcs11_token", self.pkcs11_token.clone()),
            ("seal.pkcs11_key", self.pkcs11_key.clone()),
            ("seal.pkcs11_pin_file", shown(&self.pkcs11_pin_file)),
        ];
        for (number, (key, value)) in token.into_iter().enumerate() {
            match (self.seal_type, value) {
                ("pkcs11", None) if number < 2 => {
                    found.push(Problem::missing(key, "Name the library and the token."));
                }
                ("pkcs11", _) | (_, None) => {}
                (_, Some(value)) => found.push(Problem::value(
                    key,
                    value,
                    "the seal is not that of a token",
                    "Leave it out, or set type = \"pkcs11\".",
                )),
            }
        }
        found.extend(self.peer_contradictions());
        found
    }

    fn peer_contradictions(&self) -> Vec<Problem> {
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let servers = (!self.kmip_servers.is_empty()).then(|| self.kmip_servers.join(", "));
        let keys = [
            ("seal.kmip_servers", servers, true),
            ("seal.kmip_ca", shown(&self.kmip_ca), true),
            ("seal.kmip_certificate", shown(&self.kmip_certificate), true),
            ("seal.kmip_key", shown(&self.kmip_key), true),
            ("seal.kmip_key_password_file", shown(&self.kmip_key_password_file), false),
            ("seal.kmip_key_identifier", self.kmip_key_identifier.clone(), false),
            ("seal.kmip_key_name", self.kmip_key_name.clone(), false),
            ("seal.kmip_server_name", self.kmip_server_name.clone(), false),
        ];
        let problem = |(key, value, must): (&'static str, Option<String>, bool)| match value {
            None if must && self.seal_type == "kmip" => Some(Problem::missing(
                key,
                "Name the servers, their authority, and the certificate and key to show them.",
            )),
            Some(value) if self.seal_type != "kmip" => Some(Problem::value(
                key,
                value,
                "the seal is not that of another KMIP server",
                "Leave it out, or set type = \"kmip\".",
            )),
            _ => None,
        };
        let mut found: Vec<Problem> = keys.into_iter().filter_map(problem).collect();
        if let (Some(_), Some(name)) = (&self.kmip_key_identifier, &self.kmip_key_name) {
            found.push(Problem::value(
                "seal.kmip_key_name",
                name.clone(),
                "kmip_key_identifier names the key already",
                "Leave one of them out.",
            ));
        }
        found
    }

    /// The KMIP server that keeps the root key, if one does.
    pub(crate) fn peer(&self) -> Option<PeerOptions> {
        (self.seal_type == "kmip").then(|| PeerOptions {
            servers: self.kmip_servers.clone(),
            ca: self.kmip_ca.clone().unwrap_or_default(),
            certificate: self.kmip_certificate.clone().unwrap_or_default(),
            key: self.kmip_key.clone().unwrap_or_default(),
            password_file: self.kmip_key_password_file.clone(),
            key_identifier: self.kmip_key_identifier.clone(),
            key_name: self.kmip_key_name.clone(),
            server_name: self.kmip_server_name.clone(),
            timeout: Duration::from_secs(self.kmip_timeout),
        })
    }

    /// What the API shows, if it speaks TLS.
    pub(crate) fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_certificate.clone()?,
            key: self.tls_key.clone()?,
            client_ca: self.client_ca.clone(),
        })
    }

    /// For the server.
    pub(crate) fn options(&self, durability: Durability) -> Options {
        let beside_data = || self.storage_path.clone().unwrap_or_default().join("seal.key");
        let seal = match self.seal_type {
            "key_file" => {
                let path = self.key_file.clone().unwrap_or_else(beside_data);
                SealSource::KeyFile(KeyFile::new(path))
            }
            "pkcs11" => SealSource::Pkcs11(TokenOptions {
                module: self.pkcs11_module.clone().unwrap_or_default(),
                token_label: self.pkcs11_token.clone().unwrap_or_default(),
                key_label: self.pkcs11_key.clone().unwrap_or_else(|| "claviger".to_owned()),
                pin: match &self.pkcs11_pin_file {
                    Some(path) => PinSource::File(path.clone()),
                    None => PinSource::Environment("CLAVIGER_PKCS11_PIN".to_owned()),
                },
            }),
            _ => self.peer().map_or(SealSource::Shamir, SealSource::Kmip),
        };
        Options {
            data_dir: self.storage_path.clone(),
            durability,
            api_addr: self.address.to_string(),
            tls: self.tls(),
            raw_storage: self.raw_storage_endpoint,
            node: NodeOptions { seal, audit: self.audit.clone(), limits: self.limits.clone() },
        }
    }

    /// Whether log lines are JSON.
    pub(crate) fn logs_json(&self) -> bool {
        self.log_format == "json"
    }

    /// The word for the least important lines that are logged.
    pub(crate) fn log_level(&self) -> &'static str {
        self.log_level
    }

    /// The keys that differ and take effect with a restart only.
    pub(crate) fn needs_restart(&mut self, other: &mut Self) -> Vec<String> {
        let differ = |key: &&Key| key.shown(self) != key.shown(other);
        let keys = KEYS.iter().chain(keys::limits()).filter(|key| !key.reloads).filter(differ);
        let mut names: Vec<String> = keys.map(Key::path).collect();
        if self.audit != other.audit {
            names.push("audit".to_owned());
        }
        names
    }

    /// Takes over what a file read again says, as far as it takes effect at once.
    pub(crate) fn take_reloaded(&mut self, next: &mut Self) {
        for key in KEYS.iter().filter(|key| key.reloads) {
            key.copy(next, self);
        }
    }
}

#[cfg(test)]
mod tests;
