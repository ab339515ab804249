//! Attribute values that are structures (KMIP 2.1 §4, KMIP 1.4 §3), and the identifier of an
//! object. What an attribute may do is in [`super::table`]; nothing here knows it.

use claviger_ttlv::{Item, Tag};

use crate::Version;
use crate::codec::{ByteString, Encoder, Wire, structure::structure};
use crate::enums::{
    self, AlternativeNameType, BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm,
    DrbgAlgorithm, Fips186Variation, HashingAlgorithm, KeyFormatType, KeyRoleType,
    KeyValueLocationType, LinkType, MaskGenerator, NameType, PaddingMethod, RecommendedCurve,
    RevocationReasonCode, RngAlgorithm, RotateNameType, UsageLimitsUnit,
};
use crate::error::Error;
use crate::masks::ProtectionStorageMask;

/// How a request names a managed object (KMIP 2.1 §4.60).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UniqueIdentifier {
    /// By its identifier, the only form of 1.x.
    Text(String),
    /// By the operation of this batch that produced it (KMIP 2.0 and later).
    Produced(enums::UniqueIdentifier),
    /// By the position in this batch of the item that produced it (KMIP 2.0 and later).
    Index(i32),
}

impl From<String> for UniqueIdentifier {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for UniqueIdentifier {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Wire for UniqueIdentifier {
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
        match item.item_type {
            claviger_ttlv::ItemType::Enumeration if !version.is_1x() => {
                Ok(Self::Produced(enums::UniqueIdentifier(item.enumeration()?)))
            }
            claviger_ttlv::ItemType::Integer if !version.is_1x() => {
                Ok(Self::Index(item.integer()?))
            }
            _ => Ok(Self::Text(item.text()?.to_owned())),
        }
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        match self {
            Self::Text(text) => encoder.writer.text(tag, text),
            Self::Produced(operation) => operation.encode(encoder, tag),
            Self::Index(index) => {
                if encoder.version().is_1x() {
                    encoder.refuse(tag);
                }
                encoder.writer.integer(tag, *index);
            }
        }
    }
}

structure! {
    /// A name that the client gave an object (KMIP 2.1 §4.32).
    pub struct Name {
        /// The name.
        name_value: String = NAME_VALUE,
        /// How to read it.
        name_type: NameType = NAME_TYPE,
    }

    /// Another name, which need not be unique (KMIP 2.1 §4.2).
    pub struct AlternativeName {
        /// The name.
        alternative_name_value: String = ALTERNATIVE_NAME_VALUE,
        /// How to read it.
        alternative_name_type: AlternativeNameType = ALTERNATIVE_NAME_TYPE,
    }

    /// Parameters of a cryptographic operation (KMIP 2.1 §4.17).
    pub struct CryptographicParameters {
        /// Block cipher mode.
        block_cipher_mode: Option<BlockCipherMode> = BLOCK_CIPHER_MODE,
        /// Padding.
        padding_method: Option<PaddingMethod> = PADDING_METHOD,
        /// Hash.
        hashing_algorithm: Option<HashingAlgorithm> = HASHING_ALGORITHM,
        /// Role of the key.
        key_role_type: Option<KeyRoleType> = KEY_ROLE_TYPE,
        /// Signature scheme.
        digital_signature_algorithm: Option<DigitalSignatureAlgorithm> =
            DIGITAL_SIGNATURE_ALGORITHM since V1_2,
        /// Algorithm.
        cryptographic_algorithm: Option<CryptographicAlgorithm> =
            CRYPTOGRAPHIC_ALGORITHM since V1_2,
        /// Whether the server makes the IV.
        random_iv: Option<bool> = RANDOM_IV since V1_2,
        /// Length of the IV in bits.
        iv_length: Option<i32> = IV_LENGTH since V1_2,
        /// Length of the authentication tag in bytes.
        tag_length: Option<i32> = TAG_LENGTH since V1_2,
        /// Length of the fixed field of a nonce in bits.
        fixed_field_length: Option<i32> = FIXED_FIELD_LENGTH since V1_2,
        /// Length of the invocation field of a nonce in bits.
        invocation_field_length: Option<i32> = INVOCATION_FIELD_LENGTH since V1_2,
        /// Length of the counter in bits.
        counter_length: Option<i32> = COUNTER_LENGTH since V1_2,
        /// Where the counter begins.
        initial_counter_value: Option<i32> = INITIAL_COUNTER_VALUE since V1_2,
        /// Length of the salt of PSS in bytes.
        salt_length: Option<i32> = SALT_LENGTH since V1_4,
        /// Mask generation function of OAEP and PSS.
        mask_generator: Option<MaskGenerator> = MASK_GENERATOR since V1_4,
        /// Its hash.
        mask_generator_hashing_algorithm: Option<HashingAlgorithm> =
            MASK_GENERATOR_HASHING_ALGORITHM since V1_4,
        /// Label of OAEP.
        p_source: Option<ByteString> = P_SOURCE since V1_4,
        /// Trailer field of PSS.
        trailer_field: Option<i32> = TRAILER_FIELD since V1_4,
    }

    /// Parameters to make a key pair with (KMIP 2.1 §4.15).
    pub struct CryptographicDomainParameters {
        /// Length of Q in bits, for DSA and DH.
        qlength: Option<i32> = QLENGTH,
        /// The curve.
        recommended_curve: Option<RecommendedCurve> = RECOMMENDED_CURVE,
    }

    /// Identification of a certificate by issuer and serial number, 1.0's form.
    pub struct CertificateIdentifier {
        /// Distinguished name of the issuer.
        issuer: String = ISSUER,
        /// Serial number.
        serial_number: Option<String> = SERIAL_NUMBER,
    }

    /// Subject of a certificate, 1.0's form.
    pub struct CertificateSubject {
        /// Distinguished name.
        certificate_subject_distinguished_name: String = CERTIFICATE_SUBJECT_DISTINGUISHED_NAME,
        /// Alternative names.
        certificate_subject_alternative_name: Vec<String> = CERTIFICATE_SUBJECT_ALTERNATIVE_NAME,
    }

    /// Issuer of a certificate, 1.0's form.
    pub struct CertificateIssuer {
        /// Distinguished name.
        certificate_issuer_distinguished_name: String = CERTIFICATE_ISSUER_DISTINGUISHED_NAME,
        /// Alternative names.
        certificate_issuer_alternative_name: Vec<String> = CERTIFICATE_ISSUER_ALTERNATIVE_NAME,
    }

    /// Identification of an X.509 certificate (KMIP 2.1 §4.63).
    pub struct X509CertificateIdentifier {
        /// Distinguished name of the issuer, DER.
        issuer_distinguished_name: ByteString = ISSUER_DISTINGUISHED_NAME,
        /// Serial number, DER.
        certificate_serial_number: ByteString = CERTIFICATE_SERIAL_NUMBER,
    }

    /// Subject of an X.509 certificate (KMIP 2.1 §4.65).
    pub struct X509CertificateSubject {
        /// Distinguished name, DER.
        subject_distinguished_name: ByteString = SUBJECT_DISTINGUISHED_NAME,
        /// Alternative names, DER.
        subject_alternative_name: Vec<ByteString> = SUBJECT_ALTERNATIVE_NAME,
    }

    /// Issuer of an X.509 certificate (KMIP 2.1 §4.64).
    pub struct X509CertificateIssuer {
        /// Distinguished name, DER.
        issuer_distinguished_name: ByteString = ISSUER_DISTINGUISHED_NAME,
        /// Alternative names, DER.
        issuer_alternative_name: Vec<ByteString> = ISSUER_ALTERNATIVE_NAME,
    }

    /// Digest of the key value (KMIP 2.1 §4.22).
    pub struct Digest {
        /// Which hash.
        hashing_algorithm: HashingAlgorithm = HASHING_ALGORITHM,
        /// Its value.
        digest_value: Option<ByteString> = DIGEST_VALUE,
        /// The format of the key value that was hashed.
        key_format_type: Option<KeyFormatType> = KEY_FORMAT_TYPE since V1_1,
    }

    /// How much a key may still be used (KMIP 2.1 §4.61).
    pub struct UsageLimits {
        /// What was granted.
        usage_limits_total: i64 = USAGE_LIMITS_TOTAL,
        /// What is left.
        usage_limits_count: Option<i64> = USAGE_LIMITS_COUNT,
        /// In which unit.
        usage_limits_unit: UsageLimitsUnit = USAGE_LIMITS_UNIT,
    }

    /// Why an object was revoked (KMIP 2.1 §4.50).
    pub struct RevocationReason {
        /// The reason.
        revocation_reason_code: RevocationReasonCode = REVOCATION_REASON_CODE,
        /// In the client's words.
        revocation_message: Option<String> = REVOCATION_MESSAGE,
    }

    /// A link to another object (KMIP 2.1 §4.31).
    pub struct Link {
        /// What the other object is to this one.
        link_type: LinkType = LINK_TYPE,
        /// The other object.
        linked_object_identifier: UniqueIdentifier = LINKED_OBJECT_IDENTIFIER,
    }

    /// Data of an application (KMIP 2.1 §4.4).
    pub struct ApplicationSpecificInformation {
        /// Whose data.
        application_namespace: String = APPLICATION_NAMESPACE,
        /// The data; in 1.3 and later the server may be asked to make it.
        application_data: Option<String> = APPLICATION_DATA,
    }

    /// Where the key value of an object without one is (KMIP 2.1 §4.29).
    pub struct KeyValueLocation {
        /// The place.
        key_value_location_value: String = KEY_VALUE_LOCATION_VALUE,
        /// How to read it.
        key_value_location_type: KeyValueLocationType = KEY_VALUE_LOCATION_TYPE,
    }

    /// A random number generator (KMIP 2.1 §4.45, and RNG Parameters).
    pub struct RngParameters {
        /// The kind of generator.
        rng_algorithm: RngAlgorithm = RNG_ALGORITHM,
        /// Its cipher.
        cryptographic_algorithm: Option<CryptographicAlgorithm> = CRYPTOGRAPHIC_ALGORITHM,
        /// The key length of its cipher in bits.
        cryptographic_length: Option<i32> = CRYPTOGRAPHIC_LENGTH,
        /// Its hash.
        hashing_algorithm: Option<HashingAlgorithm> = HASHING_ALGORITHM,
        /// Its construction.
        drbg_algorithm: Option<DrbgAlgorithm> = DRBG_ALGORITHM,
        /// Its curve.
        recommended_curve: Option<RecommendedCurve> = RECOMMENDED_CURVE,
        /// Its variation.
        fips186_variation: Option<Fips186Variation> = FIPS186_VARIATION,
        /// Whether it resists prediction.
        prediction_resistance: Option<bool> = PREDICTION_RESISTANCE,
    }

    /// Storage protections, in order of preference (KMIP 2.1 §4.42).
    pub struct ProtectionStorageMasks {
        /// The alternatives.
        protection_storage_mask: Vec<ProtectionStorageMask> = PROTECTION_STORAGE_MASK,
    }

    /// The name of a set of keys that replace each other (KMIP 2.1 §4.54).
    pub struct RotateName {
        /// The name.
        rotate_name_value: String = ROTATE_NAME_VALUE,
        /// How to read it.
        rotate_name_type: RotateNameType = ROTATE_NAME_TYPE,
    }
}

impl Name {
    /// An uninterpreted name.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self { name_value: value.into(), name_type: NameType::UNINTERPRETED_TEXT_STRING }
    }
}

impl CryptographicParameters {
    /// No parameter at all.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            block_cipher_mode: None,
            padding_method: None,
            hashing_algorithm: None,
            key_role_type: None,
            digital_signature_algorithm: None,
            cryptographic_algorithm: None,
            random_iv: None,
            iv_length: None,
            tag_length: None,
            fixed_field_length: None,
            invocation_field_length: None,
            counter_length: None,
            initial_counter_value: None,
            salt_length: None,
            mask_generator: None,
            mask_generator_hashing_algorithm: None,
            p_source: None,
            trailer_field: None,
        }
    }
}

/// An attribute of the client's or vendor's own (KMIP 2.1 §4.62): 1.x's custom attribute `x-…`.
#[derive(Clone, Debug, PartialEq)]
pub struct VendorAttribute {
    /// Who defines it: `x` and `y` are the prefixes of 1.x's client and server attributes.
    pub vendor_identification: String,
    /// Its name, without the prefix.
    pub attribute_name: String,
    /// Its value: any item; the tag is always Attribute Value.
    pub attribute_value: claviger_ttlv::Node,
}
