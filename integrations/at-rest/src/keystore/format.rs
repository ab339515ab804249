//! The bytes of a keystore file (docs/formats.md §13): its header, its records, and their seals.
//!
//! It must never know a file system or a server.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::Error;
use crate::master_key::{KEY_LENGTH, MasterKey};

/// The format that is written.
pub const FORMAT: u8 = 2;
/// The oldest format that is read.
const OLDEST: u8 = 1;

const MAGIC: &[u8; 8] = b"clvgkeys";
/// Bytes before the identifier in format 2.
const FIXED: usize = 64;
/// Bytes before the identifier in format 1.
const FIXED_OLD: usize = 55;
const ID_LENGTH: usize = 16;
const TAG_LENGTH: usize = 16;

/// The longest identifier of a master key, in bytes.
pub(crate) const IDENTIFIER_MAX: usize = 1024;
/// The longest name of a database, in bytes.
pub(crate) const NAME_MAX: usize = 255;
/// The most bytes a header has.
pub(crate) const HEADER_MAX: usize = FIXED + IDENTIFIER_MAX;
/// What a record has beside its name.
const RECORD_FIXED: usize = 1 + 4 + NONCE_LEN + KEY_LENGTH + TAG_LENGTH;
/// The most bytes a record has.
pub(crate) const RECORD_MAX: usize = RECORD_FIXED + NAME_MAX;
/// The version of every data key: a database keeps its key.
const KEY_VERSION: u32 = 1;

/// Who keeps the master key of a keystore, as its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Configured {
    /// Nobody that the keystore knows of: a key file, or a keystore of a format that did not say.
    Nothing,
    /// A Vault server.
    Vault(String),
    /// A KMIP server, with the Unique Identifier.
    Kmip(String),
}

impl Configured {
    const fn code(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Vault(_) => 1,
            Self::Kmip(_) => 2,
        }
    }

    fn identifier(&self) -> &str {
        match self {
            Self::Nothing => "",
            Self::Vault(identifier) | Self::Kmip(identifier) => identifier,
        }
    }

    fn new(code: u8, identifier: String) -> Option<Self> {
        match code {
            0 if identifier.is_empty() => Some(Self::Nothing),
            1 => Some(Self::Vault(identifier)),
            2 if !identifier.is_empty() => Some(Self::Kmip(identifier)),
            _ => None,
        }
    }
}

/// What stands before the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) format: u8,
    pub(crate) configured: Configured,
    /// The keystore's own name, so that a record of another one does not open.
    pub(crate) id: [u8; ID_LENGTH],
    /// Where the records end; what is behind was never acknowledged. Unknown in format 1, where
    /// they end with the file.
    pub(crate) end: Option<u64>,
    seal: [u8; NONCE_LEN + TAG_LENGTH],
}

/// Why a header cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Its format is newer.
    Newer(u8),
    /// It is no header.
    Damaged(&'static str),
}

impl Header {
    /// A new keystore's.
    pub(crate) fn new(configured: Configured) -> Result<Self, Error> {
        let mut id = [0; ID_LENGTH];
        rand::fill(&mut id).map_err(|_| Error::Randomness)?;
        Ok(Self { format: FORMAT, configured, id, end: None, seal: [0; NONCE_LEN + TAG_LENGTH] })
    }

    /// The same keystore's, with another keeper of its key, and not sealed yet.
    pub(crate) fn configured_as(&self, configured: Configured) -> Self {
        Self { format: FORMAT, configured, ..self.clone() }
    }

    /// Reads the header at the beginning of a file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        const SHORT: Unreadable = Unreadable::Damaged("the header is not whole");
        let mut rest = Rest(bytes);
        if rest.array().as_ref() != Some(MAGIC) {
            return Err(Unreadable::Damaged("it is no keystore"));
        }
        let [format] = rest.array().ok_or(SHORT)?;
        if format > FORMAT {
            return Err(Unreadable::Newer(format));
        }
        if format < OLDEST {
            return Err(Unreadable::Damaged("it has a format that never was"));
        }
        let code = if format == OLDEST { None } else { Some(rest.array::<1>().ok_or(SHORT)?) };
        let id = rest.array().ok_or(SHORT)?;
        let end = if format == OLDEST { None } else { Some(rest.array().ok_or(SHORT)?) };
        let seal = rest.array().ok_or(SHORT)?;
        let length = u16::from_be_bytes(rest.array().ok_or(SHORT)?);
        let identifier = rest.take(usize::from(length)).ok_or(SHORT)?;
        let identifier = String::from_utf8(identifier.to_vec());
        let identifier =
            identifier.map_err(|_| Unreadable::Damaged("the identifier is no text"))?;
        let code = code.map_or(if identifier.is_empty() { 0 } else { 2 }, |[code]| code);
        let configured = Configured::new(code, identifier);
        let configured = configured.ok_or(Unreadable::Damaged("the facility is none"))?;
        Ok(Self { format, configured, id, end: end.map(u64::from_be_bytes), seal })
    }

    /// The keystore's own name in hex.
    pub(crate) fn id_text(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How many bytes it has, which is where the records begin.
    pub(crate) fn length(&self) -> u64 {
        let fixed = if self.format == OLDEST { FIXED_OLD } else { FIXED };
        u64::try_from(fixed.saturating_add(self.configured.identifier().len())).unwrap_or(u64::MAX)
    }

    /// The bytes, sealed for records that end there. Always of [`FORMAT`].
    pub(crate) fn seal(&mut self, sealer: &Sealer, end: u64) -> Result<Vec<u8>, Error> {
        self.format = FORMAT;
        self.end = Some(end);
        self.seal = sealer.seal_nothing(&self.associated())?;
        let mut bytes = self.associated();
        let identifier = bytes.split_off(FIXED - self.seal.len() - 2);
        bytes.extend_from_slice(&self.seal);
        bytes.extend_from_slice(&identifier);
        Ok(bytes)
    }

    /// Whether the key sealed this header.
    pub(crate) fn opens_with(&self, sealer: &Sealer) -> bool {
        sealer.opens_nothing(&self.associated(), &self.seal)
    }

    /// Everything but the seal.
    fn associated(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_MAX);
        bytes.extend_from_slice(MAGIC);
        bytes.push(self.format);
        if self.format != OLDEST {
            bytes.push(self.configured.code());
        }
        bytes.extend_from_slice(&self.id);
        if self.format != OLDEST {
            bytes.extend_from_slice(&self.end.unwrap_or_default().to_be_bytes());
        }
        let identifier = self.configured.identifier();
        bytes.extend_from_slice(&u16::try_from(identifier.len()).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(identifier.as_bytes());
        bytes
    }
}

/// A sealed data key as it stands in the file.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) name: &'a str,
    version: u32,
    nonce: [u8; NONCE_LEN],
    sealed: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the record at the front, and says how long it is; `None` if there is no whole one.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let mut rest = Rest(bytes);
        let [length] = rest.array()?;
        let version = u32::from_be_bytes(rest.array()?);
        let name = str::from_utf8(rest.take(usize::from(length))?).ok()?;
        let nonce = rest.array()?;
        let sealed = rest.take(KEY_LENGTH + TAG_LENGTH)?;
        let length = bytes.len().saturating_sub(rest.0.len());
        Some((Self { name, version, nonce, sealed }, length))
    }

    /// Opens it.
    pub(crate) fn open(&self, sealer: &Sealer, id: &[u8; ID_LENGTH]) -> Option<DataKey> {
        let associated = associated(id, self.version, self.name);
        sealer.open(&associated, self.nonce, self.sealed)
    }
}

/// Appends the record of a data key.
pub(crate) fn write_record(
    bytes: &mut Vec<u8>,
    sealer: &Sealer,
    id: &[u8; ID_LENGTH],
    name: &str,
    key: &DataKey,
) -> Result<(), Error> {
    let length = u8::try_from(name.len()).map_err(|_| Error::DatabaseName(name.to_owned()))?;
    bytes.push(length);
    bytes.extend_from_slice(&KEY_VERSION.to_be_bytes());
    bytes.extend_from_slice(name.as_bytes());
    sealer.seal(bytes, &associated(id, KEY_VERSION, name), key)
}

fn associated(id: &[u8; ID_LENGTH], version: u32, name: &str) -> Vec<u8> {
    [id.as_slice(), &version.to_be_bytes(), name.as_bytes()].concat()
}

/// A key that a database encrypts its data with. Wiped when dropped, never printed.
pub struct DataKey(Zeroizing<[u8; KEY_LENGTH]>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    pub(crate) fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| Error::Randomness)?;
        Ok(Self(bytes))
    }

    /// The bytes. The name is long so that every use stands out in a review.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }
}

/// What a master key does: AES-256-GCM with random nonces.
pub(crate) struct Sealer(LessSafeKey);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl Sealer {
    pub(crate) fn new(key: &MasterKey) -> Result<Self, Error> {
        // 32 bytes are a key; the error has no other reason.
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| Error::Randomness)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    fn seal(&self, bytes: &mut Vec<u8>, associated: &[u8], key: &DataKey) -> Result<(), Error> {
        let nonce = nonce()?;
        let mut sealed = Zeroizing::new(*key.expose());
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated),
            sealed.as_mut_slice(),
        );
        let tag = tag.map_err(|_| Error::Randomness)?;
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(sealed.as_slice());
        bytes.extend_from_slice(tag.as_ref());
        Ok(())
    }

    fn open(&self, associated: &[u8], nonce: [u8; NONCE_LEN], sealed: &[u8]) -> Option<DataKey> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let mut bytes = Zeroizing::new([0; KEY_LENGTH + TAG_LENGTH]);
        if sealed.len() != bytes.len() {
            return None;
        }
        bytes.copy_from_slice(sealed);
        let opened = self.0.open_in_place(nonce, Aad::from(associated), bytes.as_mut_slice());
        let opened = <&[u8; KEY_LENGTH]>::try_from(&*opened.ok()?).ok()?;
        Some(DataKey(Zeroizing::new(*opened)))
    }

    fn seal_nothing(&self, associated: &[u8]) -> Result<[u8; NONCE_LEN + TAG_LENGTH], Error> {
        let nonce = nonce()?;
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated),
            &mut [],
        );
        let tag = tag.map_err(|_| Error::Randomness)?;
        let mut seal = [0; NONCE_LEN + TAG_LENGTH];
        seal.iter_mut().zip(nonce.iter().chain(tag.as_ref())).for_each(|(to, from)| *to = *from);
        Ok(seal)
    }

    fn opens_nothing(&self, associated: &[u8], seal: &[u8; NONCE_LEN + TAG_LENGTH]) -> bool {
        let mut rest = Rest(seal);
        let Some(nonce) = rest.array() else { return false };
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place(nonce, Aad::from(associated), &mut rest.0.to_vec()).is_ok()
    }
}

fn nonce() -> Result<[u8; NONCE_LEN], Error> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| Error::Randomness)?;
    Ok(nonce)
}

/// Bytes that are read from the front.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

#[cfg(test)]
pub(crate) mod old {
    //! How the program before wrote keystores, for the fixture of format 1.
    use super::*;

    pub(crate) fn write(
        master: &MasterKey,
        identifier: &str,
        keys: &[(&str, [u8; 32])],
    ) -> Vec<u8> {
        let sealer = Sealer::new(master).unwrap();
        let configured =
            Configured::new(if identifier.is_empty() { 0 } else { 2 }, identifier.into());
        let mut header = Header::new(configured.unwrap()).unwrap();
        header.format = OLDEST;
        header.seal = sealer.seal_nothing(&header.associated()).unwrap();
        let mut bytes = header.associated();
        let identifier = bytes.split_off(FIXED_OLD - header.seal.len() - 2);
        bytes.extend_from_slice(&header.seal);
        bytes.extend_from_slice(&identifier);
        for (name, key) in keys {
            let key = DataKey(Zeroizing::new(*key));
            write_record(&mut bytes, &sealer, &header.id, name, &key).unwrap();
        }
        bytes
    }
}
