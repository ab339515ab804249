//! A PKCS#11 token that seals the root key with an AES key that never leaves it.
//!
//! The PIN is read where it is needed, from a file or the environment, and is in no error, log or
//! `Debug`. Knows no storage. PKCS#11 v2.40; `docs/formats.md` §10.

use super::{RootKey, SealError};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// The version byte of a root key as a token has sealed it.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BITS: u64 = 128;
/// What binds the ciphertext to its use: the same key may seal other things for other programs.
const ASSOCIATED: &[u8] = b"claviger root key";

/// Where a token is, and which of its keys to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOptions {
    /// The vendor's library.
    pub module: PathBuf,
    /// The label of the token.
    pub token_label: String,
    /// The label of the AES key.
    pub key_label: String,
    /// Where the PIN is.
    pub pin: PinSource,
}

/// Where a PIN is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinSource {
    /// The first line of a file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
}

/// Why a token does not serve. Never holds a PIN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The library cannot be used.
    #[error("{}: not a PKCS#11 library that works: {reason}", module.display())]
    Module {
        /// Which.
        module: PathBuf,
        /// Its own words.
        reason: String,
    },
    /// No token has the label.
    #[error("no PKCS#11 token has the label {0:?}")]
    NoToken(String),
    /// The token has no such key.
    #[error(
        "the PKCS#11 token has no AES key with the label {0:?}; sealing a store with it makes one"
    )]
    NoKey(String),
    /// More than one key has the label: which one seals cannot be left to chance.
    #[error("the PKCS#11 token has several AES keys with the label {0:?}")]
    Ambiguous(String),
    /// The PIN cannot be read.
    #[error("the PIN of the PKCS#11 token cannot be read: {0}")]
    Pin(String),
    /// The token does not take the PIN. It may lock itself after some more attempts.
    #[error("the PKCS#11 token does not take the PIN")]
    WrongPin,
    /// The token has locked the PIN, after too many attempts.
    #[error("the PKCS#11 token has locked its PIN: its security officer can set a new one")]
    LockedPin,
    /// What is in the store was not sealed by this key.
    #[error("the key of the PKCS#11 token does not open the root key of this store")]
    WrongKey,
    /// The token refused.
    #[error("the PKCS#11 token refused: {0}")]
    Refused(String),
}

impl TokenError {
    /// The same for whoever has no token of the API: without paths, labels and the library's words.
    pub const fn summary(&self) -> &'static str {
        match self {
            Self::Module { .. } => "the PKCS#11 library of the seal does not work",
            Self::NoToken(_) => "no PKCS#11 token has the label that the configuration names",
            Self::NoKey(_) => {
                "the PKCS#11 token has no key with the label that the configuration names"
            }
            Self::Ambiguous(_) => {
                "the PKCS#11 token has several keys with the label that the configuration names"
            }
            Self::Pin(_) => "the PIN of the PKCS#11 token cannot be read",
            Self::WrongPin => "the PKCS#11 token does not take the PIN",
            Self::LockedPin => "the PKCS#11 token has locked its PIN",
            Self::WrongKey => "the key of the PKCS#11 token does not open the root key",
            Self::Refused(_) => "the PKCS#11 token refused",
        }
    }
}

/// Libraries that are in use, by path. They stay until the process ends: unloading one that has
/// threads of its own ends badly. And only one thread uses them at a time: the standard promises more,
/// but not all libraries keep it, and a root key is opened seldom.
static LIBRARIES: Mutex<Option<HashMap<PathBuf, Pkcs11>>> = Mutex::new(None);

fn libraries() -> MutexGuard<'static, Option<HashMap<PathBuf, Pkcs11>>> {
    LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token with an AES key.
#[derive(Debug, Clone)]
pub struct Token {
    options: TokenOptions,
    library: Pkcs11,
}

impl Token {
    /// Loads the library. The token itself is asked for its key later.
    ///
    /// # Errors
    /// [`TokenError::Module`].
    pub fn open(options: TokenOptions) -> Result<Self, TokenError> {
        let unusable = |error: Error| TokenError::Module {
            module: options.module.clone(),
            reason: error.to_string(),
        };
        let mut libraries = libraries();
        let known = libraries.get_or_insert_default();
        if let Some(library) = known.get(&options.module) {
            return Ok(Self { library: library.clone(), options });
        }
        let library = Pkcs11::new(&options.module).map_err(unusable)?;
        match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(unusable(error)),
        }
        known.insert(options.module.clone(), library.clone());
        Ok(Self { options, library })
    }

    /// Makes the key, unless it is there: AES-256, for encryption, never to leave the token.
    pub(super) fn prepare(&self) -> Result<(), SealError> {
        let _alone = libraries();
        let session = self.session(true)?;
        match self.key(&session) {
            Err(TokenError::NoKey(_)) => {}
            found => return Ok(found.map(drop)?),
        }
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Label(self.options.key_label.clone().into_bytes()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &template).map_err(refused)?;
        Ok(())
    }

    /// Format, nonce, then what AES-GCM makes of the root key.
    pub(super) fn wrap(&self, root: &RootKey) -> Result<Vec<u8>, SealError> {
        let _alone = libraries();
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut nonce)?;
        let session = self.session(false)?;
        let key = self.key(&session)?;
        let parameters =
            GcmParams::new(&mut nonce, ASSOCIATED, TAG_BITS.into()).map_err(refused)?;
        let mechanism = Mechanism::AesGcm(parameters);
        let sealed = session.encrypt(&mechanism, key, root.bytes()).map_err(refused)?;
        drop(mechanism);
        Ok([&[FORMAT], nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Token::wrap`] made.
    pub(super) fn unwrap(&self, sealed: &[u8]) -> Result<RootKey, SealError> {
        let _alone = libraries();
        let (nonce, body) = match sealed.split_first() {
            Some((&FORMAT, rest)) => rest.split_first_chunk().ok_or(TokenError::WrongKey)?,
            Some((&found, _)) => {
                return Err(SealError::Format { what: "a root key sealed by a token", found });
            }
            None => return Err(TokenError::WrongKey.into()),
        };
        let mut nonce: [u8; NONCE_BYTES] = *nonce;
        let session = self.session(false)?;
        let key = self.key(&session)?;
        let parameters =
            GcmParams::new(&mut nonce, ASSOCIATED, TAG_BITS.into()).map_err(refused)?;
        let opened = session.decrypt(&Mechanism::AesGcm(parameters), key, body);
        let opened = Zeroizing::new(opened.map_err(|error| match error {
            // Tokens do not agree on what they call a tag that does not match.
            Error::Pkcs11(
                RvError::EncryptedDataInvalid
                | RvError::EncryptedDataLenRange
                | RvError::GeneralError
                | RvError::FunctionFailed,
                _,
            ) => TokenError::WrongKey,
            other => refused(other),
        })?);
        let root = opened.as_slice().try_into().map_err(|_| TokenError::WrongKey)?;
        Ok(RootKey::new(Zeroizing::new(root)))
    }

    /// A session that is logged in.
    fn session(&self, writes: bool) -> Result<Session, TokenError> {
        for slot in self.library.get_slots_with_token().map_err(refused)? {
            let info = self.library.get_token_info(slot).map_err(refused)?;
            if info.label() != self.options.token_label || !info.token_initialized() {
                continue;
            }
            let opened = match writes {
                true => self.library.open_rw_session(slot),
                false => self.library.open_ro_session(slot),
            };
            let session = opened.map_err(refused)?;
            return match session.login(UserType::User, Some(&self.pin()?)) {
                Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
                Err(Error::Pkcs11(
                    RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                    _,
                )) => Err(TokenError::WrongPin),
                Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(TokenError::LockedPin),
                Err(other) => Err(refused(other)),
            };
        }
        Err(TokenError::NoToken(self.options.token_label.clone()))
    }

    fn key(&self, session: &Session) -> Result<ObjectHandle, TokenError> {
        let label = &self.options.key_label;
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(label.clone().into_bytes()),
        ];
        match session.find_objects(&template).map_err(refused)?.as_slice() {
            [] => Err(TokenError::NoKey(label.clone())),
            [key] => Ok(*key),
            _ => Err(TokenError::Ambiguous(label.clone())),
        }
    }

    fn pin(&self) -> Result<AuthPin, TokenError> {
        let text = match &self.options.pin {
            PinSource::File(path) => std::fs::read_to_string(path)
                .map_err(|error| TokenError::Pin(format!("{}: {error}", path.display())))?,
            PinSource::Environment(name) => std::env::var(name)
                .map_err(|_| TokenError::Pin(format!("the variable {name} is not set")))?,
        };
        let text = Zeroizing::new(text);
        let line = text.lines().next().unwrap_or_default();
        Ok(AuthPin::new(line.to_owned().into_boxed_str()))
    }
}

fn refused(error: Error) -> TokenError {
    match error {
        Error::Pkcs11(value, function) => TokenError::Refused(format!("{value:?} in {function:?}")),
        other => TokenError::Refused(other.to_string()),
    }
}

#[cfg(test)]
#[path = "pkcs11_tests.rs"]
mod tests;
