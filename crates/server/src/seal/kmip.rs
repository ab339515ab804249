//! Another KMIP server that seals the root key with an AES key that never leaves it.
//!
//! The one place of this crate that is a client of KMIP. Blocks. Knows no storage and does not try
//! again later: who calls decides that. KMIP 1.4 §4.29, §4.30; `docs/formats.md` §10.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use claviger_client::blocking::Client;
use claviger_client::tls::Settings;
use claviger_client::{Dialect, Endpoint, Error, Options, Timeouts, Versions};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{CryptographicParameters, Name, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::{ByteString, Secret};
use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm, ObjectType, State};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::payload::{DecryptRequest, EncryptRequest};
use zeroize::Zeroizing;

use super::{RootKey, SealError};

/// The version byte of a root key as a KMIP server has sealed it.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const ROOT_BYTES: usize = 32;
const KEY_BITS: i32 = 256;
/// What binds the ciphertext to its use: the same key may seal other things for other programs.
const ASSOCIATED: &[u8] = b"claviger root key";

/// Where the other server is, and which of its keys to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerOptions {
    /// The servers, `host[:port]`, in the order in which they are asked.
    pub servers: Vec<String>,
    /// The authority of their certificates, in PEM.
    pub ca: PathBuf,
    /// Our certificate, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
    /// A file whose first line is the password of the private key.
    pub password_file: Option<PathBuf>,
    /// The identifier of the key; without one, a new key is made for each store.
    pub key_identifier: Option<String>,
    /// The Name of the key, which is made if no key has it, instead of an identifier.
    pub key_name: Option<String>,
    /// The name that their certificates must have, instead of the host's.
    pub server_name: Option<String>,
    /// How long each step of a request may take.
    pub timeout: Duration,
}

/// Why another KMIP server does not serve. Never holds a key or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// What was configured cannot be used.
    #[error("the KMIP server that keeps the root key cannot be asked: {0}")]
    Settings(String),
    /// None of the servers answers, or they and we do not trust each other.
    #[error("the KMIP server that keeps the root key does not answer: {0}")]
    Unreachable(String),
    /// It speaks no version with authenticated encryption.
    #[error(
        "the KMIP server that is to keep the root key speaks no KMIP 1.4 or later, which AES-GCM with additional data takes; use another"
    )]
    TooOld,
    /// The key is not active.
    #[error(
        "the key {key} of the KMIP server that keeps the root key is {state}; only an active key opens the store: restore the key there, or restore a backup that something else opens"
    )]
    KeyState {
        /// Its identifier.
        key: String,
        /// The state that it is in.
        state: String,
    },
    /// The server refused to use or show the key.
    #[error(
        "the KMIP server that keeps the root key refuses the key {key}: {reason}; allow this client to use it, or restore it there if it was destroyed"
    )]
    KeyRefused {
        /// Its identifier.
        key: String,
        /// The server's words.
        reason: String,
    },
    /// It refused to make a key.
    #[error(
        "the KMIP server that is to keep the root key makes no key for it: {0}; allow this client Locate, Create and Activate, or name a key with kmip_key_identifier"
    )]
    NoKey(String),
    /// What is in the store was not sealed by this key.
    #[error("the key {0} of the KMIP server does not open the root key of this store")]
    WrongKey(String),
}

impl PeerError {
    /// The same for whoever may know no more than that: without a name or an address.
    #[must_use]
    pub const fn summary(&self) -> &'static str {
        match self {
            Self::Settings(_) => "the KMIP server that keeps the root key cannot be asked",
            Self::Unreachable(_) => "the KMIP server that keeps the root key does not answer",
            Self::TooOld => "the KMIP server that keeps the root key speaks no KMIP 1.4",
            Self::KeyState { .. } => {
                "the key that seals the root key is not active in the KMIP server that keeps it"
            }
            Self::KeyRefused { .. } | Self::NoKey(_) => {
                "the KMIP server that keeps the root key refuses its key"
            }
            Self::WrongKey(_) => "the key of the KMIP server does not open the root key",
        }
    }
}

/// Another KMIP server with an AES key.
#[derive(Clone)]
pub struct Peer {
    options: PeerOptions,
    /// The key in use, once it is known: named, made, or that of the store which was opened.
    key: Arc<OnceLock<String>>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Peer {
    /// Checks what is configured. The server itself is asked later.
    ///
    /// # Errors
    /// [`PeerError::Settings`].
    pub fn open(options: PeerOptions) -> Result<Self, PeerError> {
        let key = options.key_identifier.clone().map_or_else(OnceLock::new, OnceLock::from);
        let peer = Self { options, key: Arc::new(key) };
        peer.client()?;
        Ok(peer)
    }

    /// Makes the key, unless it is there: AES-256, active, for encryption and decryption only.
    pub(super) fn prepare(&self) -> Result<(), SealError> {
        let client = self.client()?;
        if let Some(key) = self.key.get() {
            return Ok(is_active(&client, key)?);
        }
        let key = match &self.options.key_name {
            Some(name) => match find(&client, name)? {
                Some(key) => {
                    is_active(&client, &key)?;
                    key
                }
                None => make(&client, name)?,
            },
            None => {
                let mut random = [0; 8];
                aws_lc_rs::rand::fill(&mut random)?;
                make(&client, &format!("claviger root key {:016x}", u64::from_be_bytes(random)))?
            }
        };
        let _ = self.key.set(key);
        Ok(())
    }

    /// The identifier of the key, then format, nonce, and what AES-GCM makes of the root key.
    pub(super) fn wrap(&self, root: &RootKey) -> Result<(String, Vec<u8>), SealError> {
        let Some(key) = self.key.get() else {
            return Err(PeerError::NoKey("none was made".to_owned()).into());
        };
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut nonce)?;
        let answer = self.client()?.call(&EncryptRequest {
            unique_identifier: Some(key.as_str().into()),
            cryptographic_parameters: Some(gcm()),
            data: Some(Secret::new(root.bytes().to_vec()).into()),
            iv_counter_nonce: Some(ByteString(nonce.to_vec())),
            authenticated_encryption_additional_data: Some(ByteString(ASSOCIATED.to_vec())),
            ..EncryptRequest::default()
        });
        let answer = answer.map_err(|error| key_refused(key, error))?;
        let sealed = answer.data.map(|data| data.0).unwrap_or_default();
        let tag = answer.authenticated_encryption_tag.map(|tag| tag.0).unwrap_or_default();
        if (sealed.len(), tag.len()) != (ROOT_BYTES, TAG_BYTES) {
            let reason = "its answer is no AES-GCM ciphertext and tag".to_owned();
            return Err(PeerError::KeyRefused { key: key.clone(), reason }.into());
        }
        Ok((key.clone(), [&[FORMAT], nonce.as_slice(), &sealed, &tag].concat()))
    }

    /// Opens what [`Peer::wrap`] made with that key, as long as the key is active.
    pub(super) fn unwrap(&self, key: &str, sealed: &[u8]) -> Result<RootKey, SealError> {
        let wrong = || PeerError::WrongKey(key.to_owned());
        let rest = match sealed.split_first() {
            Some((&FORMAT, rest)) => rest,
            Some((&found, _)) => {
                return Err(SealError::Format {
                    what: "a root key sealed by a KMIP server",
                    found,
                });
            }
            None => return Err(wrong().into()),
        };
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(wrong)?;
        let (body, tag) = rest.split_first_chunk::<ROOT_BYTES>().ok_or_else(wrong)?;
        let client = self.client()?;
        // A deactivated key may still decrypt: here it may not.
        is_active(&client, key)?;
        let answer = client.call(&DecryptRequest {
            unique_identifier: Some(key.into()),
            cryptographic_parameters: Some(gcm()),
            data: Some(body.to_vec().into()),
            iv_counter_nonce: Some(ByteString(nonce.to_vec())),
            authenticated_encryption_additional_data: Some(ByteString(ASSOCIATED.to_vec())),
            authenticated_encryption_tag: Some(ByteString(tag.to_vec())),
            ..DecryptRequest::default()
        });
        let opened = answer.map_err(|error| key_refused(key, error))?.data.ok_or_else(wrong)?;
        let root: [u8; ROOT_BYTES] = opened.expose().try_into().map_err(|_| wrong())?;
        let root = RootKey::new(Zeroizing::new(root));
        let _ = self.key.set(key.to_owned());
        Ok(root)
    }

    /// A client that reads the files anew: certificates are renewed while a server runs.
    fn client(&self) -> Result<Client, PeerError> {
        let settings = |error: Error| PeerError::Settings(error.to_string());
        let options = &self.options;
        let servers = options.servers.iter().map(|server| server.parse::<Endpoint>());
        let servers = servers.collect::<Result<Vec<_>, _>>().map_err(settings)?;
        if servers.is_empty() {
            return Err(settings(Error::NoServer));
        }
        let tls = Settings {
            authorities: vec![options.ca.clone()],
            certificate: Some(options.certificate.clone()),
            key: Some(options.key.clone()),
            password: self.password()?,
            server_name: options.server_name.clone(),
            ..Settings::default()
        };
        let versions = Versions::Negotiated { oldest: Version::V1_4, newest: Version::V2_1 };
        Ok(Client::new(Options {
            dialect: Dialect { versions, ..Dialect::default() },
            timeouts: Timeouts::each(options.timeout),
            ..Options::new(servers, tls.load().map_err(settings)?)
        }))
    }

    fn password(&self) -> Result<Option<Zeroizing<String>>, PeerError> {
        let Some(path) = &self.options.password_file else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| PeerError::Settings(format!("{}: {error}", path.display())))?;
        let text = Zeroizing::new(text);
        Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())))
    }
}

/// The only symmetric key with that Name, if there is one.
fn find(client: &Client, name: &str) -> Result<Option<String>, PeerError> {
    let wanted =
        [Attribute::ObjectType(ObjectType::SYMMETRIC_KEY), Attribute::Name(Name::text(name))];
    let found = client.locate(wanted).map_err(|error| failed(error, PeerError::NoKey))?;
    match found.unique_identifier.as_slice() {
        [] => Ok(None),
        [UniqueIdentifier::Text(key)] => Ok(Some(key.clone())),
        several => {
            Err(PeerError::NoKey(format!("{} of its keys are called {name}", several.len())))
        }
    }
}

/// A new key with that Name.
fn make(client: &Client, name: &str) -> Result<String, PeerError> {
    let made = client.create_symmetric_key(
        CryptographicAlgorithm::AES,
        KEY_BITS,
        CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT,
        [Attribute::Name(Name::text(name))],
    );
    let refused = |error| failed(error, PeerError::NoKey);
    let UniqueIdentifier::Text(key) = made.map_err(refused)?.unique_identifier else {
        return Err(PeerError::NoKey("it does not name the key".to_owned()));
    };
    if let Err(error) = client.activate(key.as_str()) {
        // A key that was never active has sealed nothing; one that stays does no harm.
        let _ = client.destroy(key.as_str());
        return Err(refused(error));
    }
    Ok(key)
}

fn gcm() -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::GCM),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        tag_length: i32::try_from(TAG_BYTES).ok(),
        ..CryptographicParameters::none()
    }
}

fn is_active(client: &Client, key: &str) -> Result<(), PeerError> {
    let wanted = [AttributeReference::Standard(AttributeId::State)];
    let answer = client.get_attributes(key, wanted).map_err(|error| key_refused(key, error))?;
    let state = answer.attributes.0.iter().find_map(|attribute| match attribute {
        Attribute::State(state) => Some(*state),
        _ => None,
    });
    match state {
        Some(State::ACTIVE) => Ok(()),
        other => {
            let state = other.map_or_else(|| "in no state".to_owned(), |it| format!("{it:?}"));
            Err(PeerError::KeyState { key: key.to_owned(), state })
        }
    }
}

fn key_refused(key: &str, error: Error) -> PeerError {
    failed(error, |reason| PeerError::KeyRefused { key: key.to_owned(), reason })
}

/// Whether a server said no, or none said anything.
fn failed(error: Error, refused: impl FnOnce(String) -> PeerError) -> PeerError {
    match error.cause() {
        Error::Version => PeerError::TooOld,
        cause if cause.is_answer() => refused(cause.to_string()),
        _ => PeerError::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
#[path = "kmip_tests.rs"]
mod tests;
