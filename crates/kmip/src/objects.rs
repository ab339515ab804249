//! Managed objects and what they are made of (KMIP 2.1 §2 and §3, KMIP 1.4 §2.2 and §2.1).

use claviger_ttlv::{Item, ItemType, Tag};

use crate::Version;
use crate::attributes::Attributes;
use crate::attributes::values::{CryptographicParameters, UniqueIdentifier};
use crate::codec::{
    BigInteger, ByteString, Decoder, Encoder, Field, Secret, Wire, structure::structure,
};
use crate::compat::{AttributeList, References};
use crate::enums::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm, EncodingOption,
    KeyCompressionType, KeyFormatType, ObjectType, OpaqueDataType, RecommendedCurve,
    SecretDataType, SplitKeyMethod, WrappingMethod,
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

    /// Transparent Symmetric Key.
    pub struct TransparentSymmetricKey {
        /// The key.
        key: Secret = KEY,
    }

    /// Transparent DSA and DH private keys.
    pub struct TransparentDhPrivateKey {
        /// Prime.
        p: BigInteger = P,
        /// Order.
        q: Option<BigInteger> = Q,
        /// Generator.
        g: BigInteger = G,
        /// Cofactor (DH).
        j: Option<BigInteger> = J,
        /// Private value.
        x: BigInteger = X,
    }

    /// Transparent DSA and DH public keys.
    pub struct TransparentDhPublicKey {
        /// Prime.
        p: BigInteger = P,
        /// Order.
        q: Option<BigInteger> = Q,
        /// Generator.
        g: BigInteger = G,
        /// Cofactor (DH).
        j: Option<BigInteger> = J,
        /// Public value.
        y: BigInteger = Y,
    }

    /// Transparent RSA Private Key.
    pub struct TransparentRsaPrivateKey {
        /// Modulus.
        modulus: BigInteger = MODULUS,
        /// Private exponent.
        private_exponent: Option<BigInteger> = PRIVATE_EXPONENT,
        /// Public exponent.
        public_exponent: Option<BigInteger> = PUBLIC_EXPONENT,
        /// First prime.
        p: Option<BigInteger> = P,
        /// Second prime.
        q: Option<BigInteger> = Q,
        /// d mod (p-1).
        prime_exponent_p: Option<BigInteger> = PRIME_EXPONENT_P,
        /// d mod (q-1).
        prime_exponent_q: Option<BigInteger> = PRIME_EXPONENT_Q,
        /// Inverse of q mod p.
        crt_coefficient: Option<BigInteger> = CRT_COEFFICIENT,
    }

    /// Transparent RSA Public Key.
    pub struct TransparentRsaPublicKey {
        /// Modulus.
        modulus: BigInteger = MODULUS,
        /// Public exponent.
        public_exponent: BigInteger = PUBLIC_EXPONENT,
    }

    /// Transparent EC, ECDSA, ECDH and ECMQV private keys.
    pub struct TransparentEcPrivateKey {
        /// The curve.
        recommended_curve: RecommendedCurve = RECOMMENDED_CURVE,
        /// The private scalar.
        d: BigInteger = D,
    }

    /// Transparent EC, ECDSA, ECDH and ECMQV public keys.
    pub struct TransparentEcPublicKey {
        /// The curve.
        recommended_curve: RecommendedCurve = RECOMMENDED_CURVE,
        /// The point, X9.62 encoded.
        q_string: ByteString = Q_STRING,
    }
}

/// The key itself, in the form that the Key Format Type names (KMIP 2.1 §3.1).
#[derive(Clone, Debug, PartialEq)]
pub enum KeyMaterial {
    /// Raw, Opaque, PKCS#1, PKCS#8, X.509, EC Private Key and extensions: an encoding.
    Bytes(Secret),
    /// Transparent Symmetric Key.
    TransparentSymmetricKey(TransparentSymmetricKey),
    /// Transparent DSA or DH private key.
    TransparentDhPrivateKey(TransparentDhPrivateKey),
    /// Transparent DSA or DH public key.
    TransparentDhPublicKey(TransparentDhPublicKey),
    /// Transparent RSA Private Key.
    TransparentRsaPrivateKey(TransparentRsaPrivateKey),
    /// Transparent RSA Public Key.
    TransparentRsaPublicKey(TransparentRsaPublicKey),
    /// Transparent EC private key of any use.
    TransparentEcPrivateKey(TransparentEcPrivateKey),
    /// Transparent EC public key of any use.
    TransparentEcPublicKey(TransparentEcPublicKey),
}

impl KeyMaterial {
    fn decode(item: &Item<'_>, format: KeyFormatType, version: Version) -> Result<Self, Error> {
        if item.item_type != ItemType::Structure {
            return Secret::decode(item, version).map(Self::Bytes);
        }
        macro_rules! transparent {
            ($variant:ident, $type:ident) => {
                $type::decode(item, version).map(Self::$variant)
            };
        }
        match format {
            KeyFormatType::TRANSPARENT_SYMMETRIC_KEY => {
                transparent!(TransparentSymmetricKey, TransparentSymmetricKey)
            }
            KeyFormatType::TRANSPARENT_DSA_PRIVATE_KEY
            | KeyFormatType::TRANSPARENT_DH_PRIVATE_KEY => {
                transparent!(TransparentDhPrivateKey, TransparentDhPrivateKey)
            }
            KeyFormatType::TRANSPARENT_DSA_PUBLIC_KEY
            | KeyFormatType::TRANSPARENT_DH_PUBLIC_KEY => {
                transparent!(TransparentDhPublicKey, TransparentDhPublicKey)
            }
            KeyFormatType::TRANSPARENT_RSA_PRIVATE_KEY => {
                transparent!(TransparentRsaPrivateKey, TransparentRsaPrivateKey)
            }
            KeyFormatType::TRANSPARENT_RSA_PUBLIC_KEY => {
                transparent!(TransparentRsaPublicKey, TransparentRsaPublicKey)
            }
            KeyFormatType::TRANSPARENT_EC_PRIVATE_KEY
            | KeyFormatType::TRANSPARENT_ECDSA_PRIVATE_KEY
            | KeyFormatType::TRANSPARENT_ECDH_PRIVATE_KEY
            | KeyFormatType::TRANSPARENT_ECMQV_PRIVATE_KEY => {
                transparent!(TransparentEcPrivateKey, TransparentEcPrivateKey)
            }
            KeyFormatType::TRANSPARENT_EC_PUBLIC_KEY
            | KeyFormatType::TRANSPARENT_ECDSA_PUBLIC_KEY
            | KeyFormatType::TRANSPARENT_ECDH_PUBLIC_KEY
            | KeyFormatType::TRANSPARENT_ECMQV_PUBLIC_KEY => {
                transparent!(TransparentEcPublicKey, TransparentEcPublicKey)
            }
            _ => Err(Error::new(Problem::BadValue, tags::KEY_MATERIAL).within(tags::KEY_VALUE)),
        }
    }

    fn encode(&self, encoder: &mut Encoder<'_>) {
        let tag = tags::KEY_MATERIAL;
        match self {
            Self::Bytes(bytes) => bytes.encode(encoder, tag),
            Self::TransparentSymmetricKey(key) => key.encode(encoder, tag),
            Self::TransparentDhPrivateKey(key) => key.encode(encoder, tag),
            Self::TransparentDhPublicKey(key) => key.encode(encoder, tag),
            Self::TransparentRsaPrivateKey(key) => key.encode(encoder, tag),
            Self::TransparentRsaPublicKey(key) => key.encode(encoder, tag),
            Self::TransparentEcPrivateKey(key) => key.encode(encoder, tag),
            Self::TransparentEcPublicKey(key) => key.encode(encoder, tag),
        }
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
