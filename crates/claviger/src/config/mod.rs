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

use claviger_server::Durability;
use claviger_server::assemble::{Options, TlsFiles};
use claviger_server::audit::DeviceConfig;
use claviger_server::limits::Limits;
use claviger_server::node::{NodeOptions, SealSource};
use claviger_server::seal::KeyFile;

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
        match (self.seal_type, shown(&self.key_file)) {
            ("shamir", Some(path)) => found.push(Problem::value(
                "seal.key_file",
                path,
                "key shares are kept by people, not in a file",
                "Leave it out, or set type = \"key_file\".",
            )),
            ("key_file", None) if self.storage_path.is_none() => found.push(Problem::missing(
                "seal.key_file",
                "Name the file that holds the root key; it is made by the initialisation.",
            )),
            _ => {}
        }
        found
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
            _ => SealSource::Shamir,
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
