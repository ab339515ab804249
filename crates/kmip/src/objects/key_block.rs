//! Key blocks: a key, how to read it, and how it is wrapped (KMIP 2.1 §3.1 to §3.3).

use claviger_ttlv::{Item, ItemType, Tag};

use super::KeyMaterial;
use crate::Version;
use crate::attributes::Attributes;
use crate::attributes::values::{CryptographicParameters, UniqueIdentifier};
use crate::codec::{ByteString, Decoder, Encoder, Field, Secret, Wire, structure::structure};
use crate::compat::{AttributeList, References};
use crate::enums::{
    CryptographicAlgorithm, EncodingOption, KeyCompressionType, KeyFormatType, WrappingMethod,
};
use crate::error::Error;
use crate::tags;

structure! {
    /// Which key wrapped another (KMIP 2.1 §3.2).
    pub struct EncryptionKeyInformation {
        /// The wrapping key.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// How it was used.
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS,
    }

    /// Which key authenticated a wrapped key (KMIP 2.1 §3.2).
    pub struct MacSignatureKeyInformation {
        /// The key.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// How it was used.
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS,
    }

    /// How a key value is wrapped (KMIP 2.1 §3.2).
    pub struct KeyWrappingData {
        /// Encrypted, authenticated, or both.
        wrapping_method: WrappingMethod = WRAPPING_METHOD,
        /// The key that encrypts.
        encryption_key_information: Option<EncryptionKeyInformation> = ENCRYPTION_KEY_INFORMATION,
        /// The key that authenticates.
        mac_signature_key_information: Option<MacSignatureKeyInformation> =
            MAC_SIGNATURE_KEY_INFORMATION,
        /// The authentication.
        mac_signature: Option<ByteString> = MAC_SIGNATURE,
        /// The initialization vector.
        iv_counter_nonce: Option<ByteString> = IV_COUNTER_NONCE,
        /// What was encrypted: the key material alone or the encoded Key Value.
        encoding_option: Option<EncodingOption> = ENCODING_OPTION since V1_1,
    }

    /// How a client wants a key to be wrapped (KMIP 2.1 §3.3).
    pub struct KeyWrappingSpecification {
        /// Encrypt, authenticate, or both.
        wrapping_method: WrappingMethod = WRAPPING_METHOD,
        /// The key that encrypts.
        encryption_key_information: Option<EncryptionKeyInformation> = ENCRYPTION_KEY_INFORMATION,
        /// The key that authenticates.
        mac_signature_key_information: Option<MacSignatureKeyInformation> =
            MAC_SIGNATURE_KEY_INFORMATION,
        /// The attributes to wrap together with the key.
        attribute_name: References = ATTRIBUTE_NAME | ATTRIBUTE_REFERENCE,
        /// What to encrypt.
        encoding_option: Option<EncodingOption> = ENCODING_OPTION since V1_1,
    }
}

/// A key with the attributes that were registered inside it, or its wrapped form.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyValue {
    /// In the clear, or wrapped without encoding: then the key material is the wrapped key.
    Plain {
        /// The key.
        key_material: KeyMaterial,
        /// Attributes inside the Key Value.
        attributes: Attributes,
    },
    /// An encoded Key Value that was wrapped as a whole.
    Wrapped(Secret),
}

impl KeyValue {
    /// A key in the clear without attributes.
    #[must_use]
    pub const fn plain(key_material: KeyMaterial) -> Self {
        Self::Plain { key_material, attributes: Attributes::new() }
    }

    /// Reads a Key Value of that format; also one that was unwrapped.
    ///
    /// # Errors
    /// It is no Key Value of that format.
    pub fn decode(item: &Item<'_>, format: KeyFormatType, version: Version) -> Result<Self, Error> {
        const KNOWN: &[Tag] = &[tags::KEY_MATERIAL, tags::ATTRIBUTES, tags::ATTRIBUTE];
        if item.item_type != ItemType::Structure {
            return Secret::decode(item, version).map(Self::Wrapped);
        }
        let mut decoder = Decoder::new(item, version, KNOWN)?;
        let Some(material) = decoder.next_if(tags::KEY_MATERIAL)? else {
            return Err(decoder.missing(tags::KEY_MATERIAL));
        };
        let key_material = KeyMaterial::decode(&material, format, version)?;
        let AttributeList(attributes) = Field::take(&mut decoder, tags::ATTRIBUTES)?;
        decoder.finish()?;
        Ok(Self::Plain { key_material, attributes })
    }

    /// Writes the Key Value; also to wrap it.
    pub fn encode(&self, encoder: &mut Encoder<'_>) {
        match self {
            Self::Wrapped(bytes) => bytes.encode(encoder, tags::KEY_VALUE),
            Self::Plain { key_material, attributes } => {
                encoder.structure(tags::KEY_VALUE, |encoder| {
                    key_material.encode(encoder);
                    if !attributes.is_empty() {
                        AttributeList(attributes.clone()).put(encoder, tags::ATTRIBUTES);
                    }
                });
            }
        }
    }
}

/// A key and how to read it (KMIP 2.1 §3.1).
#[derive(Clone, Debug, PartialEq)]
pub struct KeyBlock {
    /// The form of the key material.
    pub key_format_type: KeyFormatType,
    /// How a point is compressed.
    pub key_compression_type: Option<KeyCompressionType>,
    /// The key; absent in objects that are registered without it (KMIP 1.2 and later).
    pub key_value: Option<KeyValue>,
    /// Cryptographic Algorithm.
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    /// Cryptographic Length in bits.
    pub cryptographic_length: Option<i32>,
    /// How the key value is wrapped, if it is.
    pub key_wrapping_data: Option<KeyWrappingData>,
}

impl Wire for KeyBlock {
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
        const KNOWN: &[Tag] = &[
            tags::KEY_FORMAT_TYPE,
            tags::KEY_COMPRESSION_TYPE,
            tags::KEY_VALUE,
            tags::CRYPTOGRAPHIC_ALGORITHM,
            tags::CRYPTOGRAPHIC_LENGTH,
            tags::KEY_WRAPPING_DATA,
        ];
        let mut decoder = Decoder::new(item, version, KNOWN)?;
        let key_format_type = Field::take(&mut decoder, tags::KEY_FORMAT_TYPE)?;
        let key_compression_type = Field::take(&mut decoder, tags::KEY_COMPRESSION_TYPE)?;
        let key_value = match decoder.next_if(tags::KEY_VALUE)? {
            Some(item) => Some(KeyValue::decode(&item, key_format_type, version)?),
            None => None,
        };
        let block = Self {
            key_format_type,
            key_compression_type,
            key_value,
            cryptographic_algorithm: Field::take(&mut decoder, tags::CRYPTOGRAPHIC_ALGORITHM)?,
            cryptographic_length: Field::take(&mut decoder, tags::CRYPTOGRAPHIC_LENGTH)?,
            key_wrapping_data: Field::take(&mut decoder, tags::KEY_WRAPPING_DATA)?,
        };
        decoder.finish()?;
        Ok(block)
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        encoder.structure(tag, |encoder| {
            self.key_format_type.put(encoder, tags::KEY_FORMAT_TYPE);
            self.key_compression_type.put(encoder, tags::KEY_COMPRESSION_TYPE);
            if let Some(value) = &self.key_value {
                value.encode(encoder);
            }
            self.cryptographic_algorithm.put(encoder, tags::CRYPTOGRAPHIC_ALGORITHM);
            self.cryptographic_length.put(encoder, tags::CRYPTOGRAPHIC_LENGTH);
            self.key_wrapping_data.put(encoder, tags::KEY_WRAPPING_DATA);
        });
    }
}
