//! The attributes of KMIP 1.0 to 2.1 and their rules (KMIP 2.1 §4, KMIP 1.4 §3).
//!
//! One row each: `Variant TAG: Type [versions], instances, source, change by the client, deletion
//! by the client, why or since when`. The 1.x name is the tag's printed name. Everything else is
//! derived: [`Attribute`], [`AttributeId`], the codec, [`RULES`].

use claviger_ttlv::{Item, Tag};

use super::values::{
    AlternativeName, ApplicationSpecificInformation, CertificateIdentifier, CertificateIssuer,
    CertificateSubject, CryptographicDomainParameters, CryptographicParameters, Digest,
    KeyValueLocation, Link, Name, RevocationReason, RngParameters, RotateName, UniqueIdentifier,
    UsageLimits, VendorAttribute, X509CertificateIdentifier, X509CertificateIssuer,
    X509CertificateSubject,
};
use crate::Version;
use crate::codec::{ByteString, DateTime, Encoder, Interval, Wire};
use crate::enums::{
    CertificateType, CryptographicAlgorithm, DigitalSignatureAlgorithm, KeyFormatType, NistKeyType,
    ObjectType, OpaqueDataType, ProtectionLevel, State,
};
use crate::error::Error;
use crate::masks::{CryptographicUsageMask, ProtectionStorageMask};
use crate::{tables, tags};

/// How many values an object may have for the attribute.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Instances {
    /// At most one.
    One,
    /// Any number, told apart by their index in 1.x.
    Many,
}

/// Who gives the attribute its first value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Only the server.
    Server,
    /// The client, with the object or later; the server may where the client does not.
    Client,
}

/// What a client may do to a value that is there.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    No,
    /// Replace it.
    Modify,
    /// Replace it or delete it.
    ModifyDelete,
    /// Replace it while the object's state allows that (dates).
    ModifyByState,
}

/// The rules of one attribute.
#[derive(Debug)]
pub struct Rule {
    /// Which attribute.
    pub id: AttributeId,
    /// Its tag in 2.x; its 1.x name is the tag's printed name.
    pub tag: Tag,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it; `None` if it was never dropped.
    pub until: Option<Version>,
    /// How many values an object may have.
    pub instances: Instances,
    /// Who gives the first value.
    pub source: Source,
    /// What a client may do to it.
    pub change: Change,
}

impl Rule {
    /// Whether that version has the attribute.
    #[must_use]
    pub fn is_in(&self, version: Version) -> bool {
        version == Version::EVERY
            || (self.since <= version && self.until.is_none_or(|until| version <= until))
    }

    /// The name of the attribute in 1.x and in texts for people.
    #[must_use]
    pub fn title(&self) -> &'static str {
        tables::tag_title(self.tag).unwrap_or("Attribute")
    }
}

macro_rules! attributes {
    ($(
        $variant:ident $tag:ident: $type:ty [$since:ident $(.. $until:ident)?],
            $instances:ident, $source:ident, $change:ident;
    )*) => {
        /// Which attribute.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AttributeId {
            $(#[doc = concat!("`", stringify!($tag), "`.")] $variant,)*
        }

        /// An attribute with its value.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Attribute {
            $(#[doc = concat!("`", stringify!($tag), "`.")] $variant($type),)*
        }

        /// The rules of every attribute, in the order of [`AttributeId`].
        pub static RULES: &[Rule] = &[
            $(Rule {
                id: AttributeId::$variant,
                tag: tags::$tag,
                since: Version::$since,
                until: attributes!(@until $($until)?),
                instances: Instances::$instances,
                source: Source::$source,
                change: Change::$change,
            },)*
        ];

        impl AttributeId {
            /// Its row in the table.
            #[must_use]
            pub const fn rule(self) -> &'static Rule {
                match self {
                    $(Self::$variant => {
                        const RULE: Rule = Rule {
                            id: AttributeId::$variant,
                            tag: tags::$tag,
                            since: Version::$since,
                            until: attributes!(@until $($until)?),
                            instances: Instances::$instances,
                            source: Source::$source,
                            change: Change::$change,
                        };
                        &RULE
                    })*
                }
            }

            /// The attribute that has this tag in 2.x.
            #[must_use]
            pub fn from_tag(tag: Tag) -> Option<Self> {
                match tag {
                    $(tags::$tag => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl Attribute {
            /// Which attribute it is.
            #[must_use]
            pub const fn id(&self) -> AttributeId {
                match self {
                    $(Self::$variant(_) => AttributeId::$variant,)*
                }
            }

            /// Reads the value of an attribute; the tag of the item does not matter.
            ///
            /// # Errors
            /// The item has the wrong type or content.
            pub fn decode_value(
                id: AttributeId,
                item: &Item<'_>,
                version: Version,
            ) -> Result<Self, Error> {
                match id {
                    $(AttributeId::$variant => {
                        <$type as Wire>::decode(item, version).map(Self::$variant)
                    })*
                }
            }

            /// Writes the value of an attribute under that tag.
            pub fn encode_value(&self, encoder: &mut Encoder<'_>, tag: Tag) {
                match self {
                    $(Self::$variant(value) => value.encode(encoder, tag),)*
                }
            }
        }
    };
    (@until) => { None };
    (@until $until:ident) => { Some(Version::$until) };
}

attributes! {
    UniqueIdentifier UNIQUE_IDENTIFIER: UniqueIdentifier [V1_0], One, Server, No;
    ShortUniqueIdentifier SHORT_UNIQUE_IDENTIFIER: ByteString [V2_0], One, Server, No;
    Name NAME: Name [V1_0], Many, Client, ModifyDelete;
    ObjectType OBJECT_TYPE: ObjectType [V1_0], One, Server, No;
    CryptographicAlgorithm CRYPTOGRAPHIC_ALGORITHM: CryptographicAlgorithm [V1_0], One, Client, No;
    CryptographicLength CRYPTOGRAPHIC_LENGTH: i32 [V1_0], One, Client, No;
    CryptographicParameters CRYPTOGRAPHIC_PARAMETERS: Box<CryptographicParameters> [V1_0], Many, Client, ModifyDelete;
    CryptographicDomainParameters CRYPTOGRAPHIC_DOMAIN_PARAMETERS: CryptographicDomainParameters [V1_0], One, Client, No;
    CertificateType CERTIFICATE_TYPE: CertificateType [V1_0], One, Server, No;
    CertificateLength CERTIFICATE_LENGTH: i32 [V1_1], One, Server, No;
    X509CertificateIdentifier X_509_CERTIFICATE_IDENTIFIER: X509CertificateIdentifier [V1_1], One, Server, No;
    X509CertificateSubject X_509_CERTIFICATE_SUBJECT: X509CertificateSubject [V1_1], One, Server, No;
    X509CertificateIssuer X_509_CERTIFICATE_ISSUER: X509CertificateIssuer [V1_1], One, Server, No;
    CertificateIdentifier CERTIFICATE_IDENTIFIER: CertificateIdentifier [V1_0 .. V1_4], One, Server, No;
    CertificateSubject CERTIFICATE_SUBJECT: CertificateSubject [V1_0 .. V1_4], One, Server, No;
    CertificateIssuer CERTIFICATE_ISSUER: CertificateIssuer [V1_0 .. V1_4], One, Server, No;
    CertificateSubjectCn CERTIFICATE_SUBJECT_CN: String [V1_4], Many, Server, No;
    CertificateSubjectO CERTIFICATE_SUBJECT_O: String [V1_4], Many, Server, No;
    CertificateSubjectOu CERTIFICATE_SUBJECT_OU: String [V1_4], Many, Server, No;
    CertificateSubjectEmail CERTIFICATE_SUBJECT_EMAIL: String [V1_4], Many, Server, No;
    CertificateSubjectC CERTIFICATE_SUBJECT_C: String [V1_4], Many, Server, No;
    CertificateSubjectSt CERTIFICATE_SUBJECT_ST: String [V1_4], Many, Server, No;
    CertificateSubjectL CERTIFICATE_SUBJECT_L: String [V1_4], Many, Server, No;
    CertificateSubjectUid CERTIFICATE_SUBJECT_UID: String [V1_4], Many, Server, No;
    CertificateSubjectSerialNumber CERTIFICATE_SUBJECT_SERIAL_NUMBER: String [V1_4], Many, Server, No;
    CertificateSubjectTitle CERTIFICATE_SUBJECT_TITLE: String [V1_4], Many, Server, No;
    CertificateSubjectDc CERTIFICATE_SUBJECT_DC: String [V1_4], Many, Server, No;
    CertificateSubjectDnQualifier CERTIFICATE_SUBJECT_DN_QUALIFIER: String [V1_4], Many, Server, No;
    CertificateIssuerCn CERTIFICATE_ISSUER_CN: String [V1_4], Many, Server, No;
    CertificateIssuerO CERTIFICATE_ISSUER_O: String [V1_4], Many, Server, No;
    CertificateIssuerOu CERTIFICATE_ISSUER_OU: String [V1_4], Many, Server, No;
    CertificateIssuerEmail CERTIFICATE_ISSUER_EMAIL: String [V1_4], Many, Server, No;
    CertificateIssuerC CERTIFICATE_ISSUER_C: String [V1_4], Many, Server, No;
    CertificateIssuerSt CERTIFICATE_ISSUER_ST: String [V1_4], Many, Server, No;
    CertificateIssuerL CERTIFICATE_ISSUER_L: String [V1_4], Many, Server, No;
    CertificateIssuerUid CERTIFICATE_ISSUER_UID: String [V1_4], Many, Server, No;
    CertificateIssuerSerialNumber CERTIFICATE_ISSUER_SERIAL_NUMBER: String [V1_4], Many, Server, No;
    CertificateIssuerTitle CERTIFICATE_ISSUER_TITLE: String [V1_4], Many, Server, No;
    CertificateIssuerDc CERTIFICATE_ISSUER_DC: String [V1_4], Many, Server, No;
    CertificateIssuerDnQualifier CERTIFICATE_ISSUER_DN_QUALIFIER: String [V1_4], Many, Server, No;
    DigitalSignatureAlgorithm DIGITAL_SIGNATURE_ALGORITHM: DigitalSignatureAlgorithm [V1_1], Many, Client, No;
    Digest DIGEST: Digest [V1_0], Many, Server, No;
    OperationPolicyName OPERATION_POLICY_NAME: String [V1_0 .. V1_4], One, Client, Modify;
    CryptographicUsageMask CRYPTOGRAPHIC_USAGE_MASK: CryptographicUsageMask [V1_0], One, Client, No;
    LeaseTime LEASE_TIME: Interval [V1_0], One, Server, No;
    UsageLimits USAGE_LIMITS: UsageLimits [V1_0], One, Client, ModifyDelete;
    State STATE: State [V1_0], One, Server, No;
    InitialDate INITIAL_DATE: DateTime [V1_0], One, Server, No;
    ActivationDate ACTIVATION_DATE: DateTime [V1_0], One, Client, ModifyByState;
    ProcessStartDate PROCESS_START_DATE: DateTime [V1_0], One, Client, ModifyByState;
    ProtectStopDate PROTECT_STOP_DATE: DateTime [V1_0], One, Client, ModifyByState;
    DeactivationDate DEACTIVATION_DATE: DateTime [V1_0], One, Client, ModifyByState;
    DestroyDate DESTROY_DATE: DateTime [V1_0], One, Server, No;
    CompromiseOccurrenceDate COMPROMISE_OCCURRENCE_DATE: DateTime [V1_0], One, Server, No;
    CompromiseDate COMPROMISE_DATE: DateTime [V1_0], One, Server, No;
    RevocationReason REVOCATION_REASON: RevocationReason [V1_0], One, Server, No;
    ArchiveDate ARCHIVE_DATE: DateTime [V1_0], One, Server, No;
    ObjectGroup OBJECT_GROUP: String [V1_0], Many, Client, ModifyDelete;
    Fresh FRESH: bool [V1_1], One, Server, No;
    Link LINK: Link [V1_0], Many, Client, ModifyDelete;
    ApplicationSpecificInformation APPLICATION_SPECIFIC_INFORMATION: ApplicationSpecificInformation [V1_0], Many, Client, ModifyDelete;
    ContactInformation CONTACT_INFORMATION: String [V1_0], One, Client, ModifyDelete;
    LastChangeDate LAST_CHANGE_DATE: DateTime [V1_0], One, Server, No;
    Vendor ATTRIBUTE: VendorAttribute [V1_0], Many, Client, ModifyDelete;
    AlternativeName ALTERNATIVE_NAME: AlternativeName [V1_2], Many, Client, ModifyDelete;
    KeyValuePresent KEY_VALUE_PRESENT: bool [V1_2], One, Server, No;
    KeyValueLocation KEY_VALUE_LOCATION: KeyValueLocation [V1_2], Many, Client, ModifyDelete;
    OriginalCreationDate ORIGINAL_CREATION_DATE: DateTime [V1_2], One, Client, No;
    RandomNumberGenerator RANDOM_NUMBER_GENERATOR: Box<RngParameters> [V1_3], One, Client, No;
    Pkcs12FriendlyName PKCS_12_FRIENDLY_NAME: String [V1_4], One, Client, ModifyDelete;
    Description DESCRIPTION: String [V1_4], One, Client, ModifyDelete;
    Comment COMMENT: String [V1_4], One, Client, ModifyDelete;
    Sensitive SENSITIVE: bool [V1_4], One, Client, Modify;
    AlwaysSensitive ALWAYS_SENSITIVE: bool [V1_4], One, Server, No;
    Extractable EXTRACTABLE: bool [V1_4], One, Client, Modify;
    NeverExtractable NEVER_EXTRACTABLE: bool [V1_4], One, Server, No;
    KeyFormatType KEY_FORMAT_TYPE: KeyFormatType [V2_0], One, Server, No;
    NistKeyType NIST_KEY_TYPE: NistKeyType [V2_0], Many, Client, ModifyDelete;
    OpaqueDataType OPAQUE_DATA_TYPE: OpaqueDataType [V2_0], One, Server, No;
    ProtectionLevel PROTECTION_LEVEL: ProtectionLevel [V2_0], One, Client, ModifyDelete;
    ProtectionPeriod PROTECTION_PERIOD: Interval [V2_0], One, Client, ModifyDelete;
    ProtectionStorageMask PROTECTION_STORAGE_MASK: ProtectionStorageMask [V2_0], One, Server, No;
    QuantumSafe QUANTUM_SAFE: bool [V2_0], One, Client, ModifyDelete;
    RotateAutomatic ROTATE_AUTOMATIC: bool [V2_1], One, Client, ModifyDelete;
    RotateDate ROTATE_DATE: DateTime [V2_1], One, Server, No;
    RotateGeneration ROTATE_GENERATION: i32 [V2_1], One, Server, No;
    RotateInterval ROTATE_INTERVAL: Interval [V2_1], One, Client, ModifyDelete;
    RotateLatest ROTATE_LATEST: bool [V2_1], One, Server, No;
    RotateName ROTATE_NAME: RotateName [V2_1], One, Client, ModifyDelete;
    RotateOffset ROTATE_OFFSET: Interval [V2_1], One, Client, ModifyDelete;
}
