//! The requests of each kind of benchmark.

use std::sync::Arc;

use claviger_client::{Error, Expected, Outgoing, Replies};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{CryptographicParameters, Name, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference, Attributes};
use claviger_kmip::codec::DateTime;
use claviger_kmip::compat::{AttributeList, References, TemplateAttributes};
use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm, ObjectType};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::message::RequestHeader;
use claviger_kmip::payload::{
    CreateRequest, Data, EncryptRequest, GetAttributesRequest, GetRequest, LocateRequest,
};

use super::drive::Source;
use super::population::Key;

/// What is asked for again and again.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Get,
    Create,
    Locate,
    Encrypt,
    Poll,
}

/// The requests of one connection.
pub(super) struct Requests {
    work: Work,
    version: Version,
    keys: Arc<Vec<Key>>,
    random: u64,
    created: Vec<String>,
}

impl Requests {
    /// The requests of the n-th connection.
    pub(super) fn new(work: Work, version: Version, keys: Arc<Vec<Key>>, nth: usize) -> Self {
        // Any odd number apart from the others will do: the connections must not walk in step.
        let random = (nth as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Self { work, version, keys, random, created: Vec::new() }
    }

    /// What Create made.
    pub(super) fn into_created(self) -> Vec<String> {
        self.created
    }

    /// A key at random (xorshift64).
    fn key(&mut self) -> Result<&Key, Error> {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let count = u64::try_from(self.keys.len()).unwrap_or(1).max(1);
        let index = usize::try_from(self.random % count).unwrap_or(0);
        self.keys.get(index).ok_or(Error::NotDone)
    }
}

impl Source for Requests {
    fn next(&mut self) -> Result<Outgoing, Error> {
        let version = self.version;
        match self.work {
            Work::Get => Outgoing::single(version, &get(&self.key()?.unique_identifier)),
            Work::Create => Outgoing::single(version, &create(None, false)),
            Work::Locate => {
                let name = Attribute::Name(Name::text(self.key()?.name.as_str()));
                let attributes = AttributeList(Attributes::from_iter([name]));
                let request = LocateRequest { attributes, ..LocateRequest::default() };
                Outgoing::single(version, &request)
            }
            Work::Encrypt => Outgoing::single(version, &encrypt(&self.key()?.unique_identifier)),
            Work::Poll => poll(&self.key()?.unique_identifier),
        }
    }

    fn succeeded(&mut self, answer: &Replies<'_>) {
        if let Ok(response) = answer.take(Expected::only::<CreateRequest>())
            && let UniqueIdentifier::Text(uid) = response.unique_identifier
        {
            self.created.push(uid);
        }
    }

    fn wants_answers(&self) -> bool {
        self.work == Work::Create
    }
}

/// Get of an object as it is.
pub(super) fn get(uid: &str) -> GetRequest {
    GetRequest { unique_identifier: Some(UniqueIdentifier::from(uid)), ..GetRequest::default() }
}

/// Create of an AES-256 key.
pub(super) fn create(name: Option<&str>, is_active: bool) -> CreateRequest {
    let mut attributes = Attributes::from_iter([
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(
            CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT,
        ),
    ]);
    if let Some(name) = name {
        attributes.push(Attribute::Name(Name::text(name)));
    }
    if is_active {
        attributes.push(Attribute::ActivationDate(DateTime(1)));
    }
    CreateRequest {
        object_type: ObjectType::SYMMETRIC_KEY,
        attributes: TemplateAttributes::from(attributes),
        protection_storage_masks: None,
    }
}

/// What a keystore asks that polls: the State, in KMIP 1.0.
fn poll(uid: &str) -> Result<Outgoing, Error> {
    let header = RequestHeader {
        maximum_response_size: Some(8192),
        time_stamp: Some(DateTime(super::now())),
        ..RequestHeader::new(Version::V1_0, 1)
    };
    let state = AttributeReference::Standard(AttributeId::State);
    let request = GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::from(uid)),
        attribute_reference: References(vec![state]),
    };
    Outgoing::with_header(&header, &request)
}

/// Encrypt of one kilobyte, the server making the nonce.
fn encrypt(uid: &str) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: Some(UniqueIdentifier::from(uid)),
        cryptographic_parameters: Some(CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::GCM),
            cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
            random_iv: Some(true),
            ..CryptographicParameters::none()
        }),
        data: Some(Data::from(vec![0x5A; 1024])),
        ..EncryptRequest::default()
    }
}
