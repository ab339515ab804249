//! Managed objects and what they are made of (KMIP 2.1 §2 and §3, KMIP 1.4 §2.2 and §2.1).

mod key_block;
mod transparent;

use claviger_ttlv::{Item, Tag};

pub use key_block::{
    EncryptionKeyInformation, KeyBlock, KeyValue, KeyWrappingData, KeyWrappingSpecification,
    MacSignatureKeyInformation,
};
pub use transparent::{
    KeyMaterial, TransparentDhPrivateKey, TransparentDhPublicKey, TransparentEcPrivateKey,
    TransparentEcPublicKey, TransparentRsaPrivateKey, TransparentRsaPublicKey,
    TransparentSymmetricKey,
};

use crate::Version;
use crate::attributes::Attributes;
use crate::codec::{
    BigInteger, ByteString, Decoder, Encoder, Field, Secret, Wire, structure::structure,
};
use crate::compat::AttributeList;
use crate::enums::{
    CertificateRequestType, CertificateType, ObjectType, OpaqueDataType, SecretDataType,
    SplitKeyMethod,
};
use crate::error::{Error, Problem};
use crate::tags;

structure! {
    /// A certificate (KMIP 2.1 §2.1).
    pub struct Certificate {
        /// Its kind.
        certificate_type: CertificateType = CERTIFICATE_TYPE,
        /// Its encoding.
        certificate_value: ByteString = CERTIFICATE_VALUE,
    }

    /// A request for a certificate (KMIP 2.1 §2.2).
    pub struct CertificateRequest {
        /// Its kind.
        certificate_request_type: CertificateRequestType = CERTIFICATE_REQUEST_TYPE,
        /// Its encoding.
        certificate_request_value: ByteString = CERTIFICATE_REQUEST_VALUE,
    }

    /// A symmetric, public or private key, which differ in their tag alone.
    pub struct Key {
        /// The key.
        key_block: Option<KeyBlock> = KEY_BLOCK,
    }

    /// A part of a key (KMIP 2.1 §2.8).
    pub struct SplitKey {
        /// How many parts there are.
        split_key_parts: i32 = SPLIT_KEY_PARTS,
        /// Which part this is.
        key_part_identifier: i32 = KEY_PART_IDENTIFIER,
        /// How many parts are needed.
        split_key_threshold: i32 = SPLIT_KEY_THRESHOLD,
        /// How it was split.
        split_key_method: SplitKeyMethod = SPLIT_KEY_METHOD,
        /// The field, for the prime field method.
        prime_field_size: Option<BigInteger> = PRIME_FIELD_SIZE,
        /// The part.
        key_block: Option<KeyBlock> = KEY_BLOCK,
    }

    /// A shared secret that is no key: a password or a seed (KMIP 2.1 §2.7).
    pub struct SecretData {
        /// Its kind.
        secret_data_type: SecretDataType = SECRET_DATA_TYPE,
        /// The secret.
        key_block: Option<KeyBlock> = KEY_BLOCK,
    }

    /// Something that the server does not look into (KMIP 2.1 §2.3).
    pub struct OpaqueObject {
        /// Its kind, in the client's numbering.
        opaque_data_type: OpaqueDataType = OPAQUE_DATA_TYPE,
        /// Its bytes.
        opaque_data_value: Secret = OPAQUE_DATA_VALUE,
    }

    /// A PGP key (KMIP 2.1 §2.4).
    pub struct PgpKey {
        /// Version of the PGP key format.
        pgp_key_version: i32 = PGP_KEY_VERSION,
        /// The key.
        key_block: Option<KeyBlock> = KEY_BLOCK,
    }
}

macro_rules! objects {
    ($($variant:ident($type:ident) $tag:ident $object_type:ident;)*) => {
        /// A managed object of any type.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object {
            $(#[doc = concat!("`", stringify!($object_type), "`.")] $variant($type),)*
        }

        impl Object {
            /// Which type of object it is.
            #[must_use]
            pub const fn object_type(&self) -> ObjectType {
                match self {
                    $(Self::$variant(_) => ObjectType::$object_type,)*
                }
            }

            /// Reads an object whose tag says what it is.
            ///
            /// # Errors
            /// The tag is no object's, or the object cannot be read.
            pub fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
                match item.tag {
                    $(tags::$tag => $type::decode(item, version).map(Self::$variant),)*
                    tag => Err(Error::new(Problem::UnknownField, tag)),
                }
            }

            /// Writes the object under its own tag.
            pub fn encode(&self, encoder: &mut Encoder<'_>) {
                match self {
                    $(Self::$variant(object) => object.encode(encoder, tags::$tag),)*
                }
            }
        }

        impl Field for Option<Object> {
            fn take(decoder: &mut Decoder<'_>, _: Tag) -> Result<Self, Error> {
                match decoder.peek()? {
                    $(Some(tags::$tag) => match decoder.next_if(tags::$tag)? {
                        Some(item) => Object::decode(&item, decoder.version()).map(Some),
                        None => Ok(None),
                    },)*
                    _ => Ok(None),
                }
            }

            fn put(&self, encoder: &mut Encoder<'_>, _: Tag) {
                if let Some(object) = self {
                    object.encode(encoder);
                }
            }
        }
    };
}

objects! {
    Certificate(Certificate) CERTIFICATE CERTIFICATE;
    SymmetricKey(Key) SYMMETRIC_KEY SYMMETRIC_KEY;
    PublicKey(Key) PUBLIC_KEY PUBLIC_KEY;
    PrivateKey(Key) PRIVATE_KEY PRIVATE_KEY;
    SplitKey(SplitKey) SPLIT_KEY SPLIT_KEY;
    Template(Template) TEMPLATE TEMPLATE;
    SecretData(SecretData) SECRET_DATA SECRET_DATA;
    OpaqueObject(OpaqueObject) OPAQUE_OBJECT OPAQUE_OBJECT;
    PgpKey(PgpKey) PGP_KEY PGP_KEY;
    CertificateRequest(CertificateRequest) CERTIFICATE_REQUEST CERTIFICATE_REQUEST;
}

impl Field for Object {
    fn take(decoder: &mut Decoder<'_>, tag: Tag) -> Result<Self, Error> {
        let object: Option<Self> = Field::take(decoder, tag)?;
        object.ok_or_else(|| decoder.missing(tag))
    }

    fn put(&self, encoder: &mut Encoder<'_>, _: Tag) {
        self.encode(encoder);
    }
}

impl Object {
    /// The key block, for the objects that have one.
    #[must_use]
    pub const fn key_block(&self) -> Option<&KeyBlock> {
        match self {
            Self::SymmetricKey(key) | Self::PublicKey(key) | Self::PrivateKey(key) => {
                key.key_block.as_ref()
            }
            Self::SplitKey(key) => key.key_block.as_ref(),
            Self::SecretData(secret) => secret.key_block.as_ref(),
            Self::PgpKey(key) => key.key_block.as_ref(),
            Self::Certificate(_)
            | Self::Template(_)
            | Self::OpaqueObject(_)
            | Self::CertificateRequest(_) => None,
        }
    }

    /// The key block, to change it.
    pub const fn key_block_mut(&mut self) -> Option<&mut KeyBlock> {
        match self {
            Self::SymmetricKey(key) | Self::PublicKey(key) | Self::PrivateKey(key) => {
                key.key_block.as_mut()
            }
            Self::SplitKey(key) => key.key_block.as_mut(),
            Self::SecretData(secret) => secret.key_block.as_mut(),
            Self::PgpKey(key) => key.key_block.as_mut(),
            Self::Certificate(_)
            | Self::Template(_)
            | Self::OpaqueObject(_)
            | Self::CertificateRequest(_) => None,
        }
    }
}

/// A set of attributes to make objects with (KMIP 1.4 §2.2.6); gone in 2.0.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The attributes.
    pub attributes: Attributes,
}

impl Wire for Template {
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
        const KNOWN: &[Tag] = &[tags::ATTRIBUTE, tags::ATTRIBUTES];
        let mut decoder = Decoder::new(item, version, KNOWN)?;
        let AttributeList(attributes) = Field::take(&mut decoder, tags::ATTRIBUTES)?;
        decoder.finish()?;
        Ok(Self { attributes })
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        encoder.structure(tag, |encoder| {
            AttributeList(self.attributes.clone()).put(encoder, tags::ATTRIBUTES);
        });
    }
}
