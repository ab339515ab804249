//! Create, Create Key Pair, Re-key, Re-key Key Pair, Register.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use claviger_kmip::attributes::values::{CryptographicDomainParameters, Name, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, Attributes};
use claviger_kmip::codec::{ByteString, DateTime, Interval, Secret};
use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::{
    CertificateType, CryptographicAlgorithm, KeyFormatType, ObjectType, OpaqueDataType,
    RecommendedCurve, SecretDataType,
};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::objects::{
    Certificate, Key, KeyBlock, KeyMaterial, KeyValue, Object, OpaqueObject, SecretData,
};
use claviger_kmip::payload::{
    CreateKeyPairRequest, CreateRequest, ReKeyKeyPairRequest, ReKeyRequest, RegisterRequest,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::lifecycle::{UniqueIdentifierArgument, now};
use super::{identifier, report, words};
use crate::connection::Session;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{self, Format};

type Usage = CryptographicUsageMask;

/// Attributes that any new object may get.
#[derive(Args, Debug)]
struct NewObject {
    /// Make it Active at once
    #[arg(long)]
    activate: bool,
    /// Another attribute; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = words::assignment)]
    attributes: Vec<Attribute>,
}

impl NewObject {
    fn extend(&self, attributes: &mut Attributes) {
        if self.activate {
            attributes.push(Attribute::ActivationDate(DateTime(now())));
        }
        self.attributes.iter().for_each(|attribute| attributes.push(attribute.clone()));
    }
}

/// A key to make.
#[derive(Args, Debug)]
pub(super) struct CreateArguments {
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// Its algorithm
    #[arg(long, default_value = "AES", value_parser = words::enumeration::<CryptographicAlgorithm>)]
    algorithm: CryptographicAlgorithm,
    /// Its length in bits
    #[arg(long, default_value = "256")]
    length: i32,
    /// What it may be used for
    #[arg(long, default_value = "encrypt,decrypt", value_parser = words::mask::<Usage>)]
    usage: Usage,
    #[command(flatten)]
    object: NewObject,
}

/// A key pair to make.
#[derive(Args, Debug)]
pub(super) struct CreatePairArguments {
    /// Its algorithm: RSA, EC, ECDSA, …
    #[arg(long, default_value = "RSA", value_parser = words::enumeration::<CryptographicAlgorithm>)]
    algorithm: CryptographicAlgorithm,
    /// Its length in bits [default: 2048 for RSA, else that of the curve]
    #[arg(long)]
    length: Option<i32>,
    /// Its curve [default: P-256, except for RSA]
    #[arg(long, value_parser = words::enumeration::<RecommendedCurve>)]
    curve: Option<RecommendedCurve>,
    /// Name of the private key
    #[arg(long)]
    private_name: Option<String>,
    /// Name of the public key
    #[arg(long)]
    public_name: Option<String>,
    /// What the private key may be used for
    #[arg(long, default_value = "sign", value_parser = words::mask::<Usage>)]
    private_usage: Usage,
    /// What the public key may be used for
    #[arg(long, default_value = "verify", value_parser = words::mask::<Usage>)]
    public_usage: Usage,
    #[command(flatten)]
    object: NewObject,
}

/// A key to replace; of a pair, the private key.
#[derive(Args, Debug)]
pub(super) struct RekeyArguments {
    #[command(flatten)]
    existing: UniqueIdentifierArgument,
    /// Seconds until the new key is Active; its other dates move with it
    /// [default: the dates of the existing key]
    #[arg(long, value_name = "SECONDS", conflicts_with = "activate")]
    offset: Option<u32>,
    #[command(flatten)]
    object: NewObject,
}

/// What is registered.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A symmetric key
    SymmetricKey,
    /// A private key, DER
    PrivateKey,
    /// A public key, DER
    PublicKey,
    /// A password or another secret
    SecretData,
    /// An X.509 certificate, DER or PEM
    Certificate,
    /// Anything else
    Opaque,
}

/// An object to store.
#[derive(Args, Debug)]
pub(super) struct RegisterArguments {
    /// What it is
    #[arg(long = "type", value_enum)]
    kind: Kind,
    /// The file it is in; `-` is stdin
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// Its algorithm [default for symmetric keys: AES; else the server finds it out]
    #[arg(long, value_parser = words::enumeration::<CryptographicAlgorithm>)]
    algorithm: Option<CryptographicAlgorithm>,
    /// Its length in bits [default for symmetric keys: that of the file]
    #[arg(long)]
    length: Option<i32>,
    /// The format of a private or public key [default: PKCS#8 or X.509]
    #[arg(long, value_parser = words::enumeration::<KeyFormatType>)]
    key_format: Option<KeyFormatType>,
    /// What it may be used for
    #[arg(long, value_parser = words::mask::<Usage>)]
    usage: Option<Usage>,
    #[command(flatten)]
    object: NewObject,
}

/// Makes a symmetric key.
pub(super) fn create(
    session: &mut Session,
    arguments: &CreateArguments,
    format: Format,
) -> Outcome {
    let mut attributes = Attributes::from_iter([
        Attribute::CryptographicAlgorithm(arguments.algorithm),
        Attribute::CryptographicLength(arguments.length),
        Attribute::CryptographicUsageMask(arguments.usage),
    ]);
    name(&mut attributes, arguments.name.as_deref());
    arguments.object.extend(&mut attributes);
    let request = CreateRequest {
        object_type: ObjectType::SYMMETRIC_KEY,
        attributes: TemplateAttributes::from(attributes),
        protection_storage_masks: None,
    };
    report(format, &session.call(&request)?.unique_identifier)
}

fn name(attributes: &mut Attributes, name: Option<&str>) {
    if let Some(name) = name {
        attributes.push(Attribute::Name(Name::text(name)));
    }
}

/// Makes a key pair.
pub(super) fn create_pair(
    session: &mut Session,
    arguments: &CreatePairArguments,
    format: Format,
) -> Outcome {
    let is_rsa = arguments.algorithm == CryptographicAlgorithm::RSA;
    let mut common =
        Attributes::from_iter([Attribute::CryptographicAlgorithm(arguments.algorithm)]);
    let length = arguments.length.or_else(|| is_rsa.then_some(2048));
    if let Some(length) = length {
        common.push(Attribute::CryptographicLength(length));
    }
    let curve = arguments.curve.or_else(|| (!is_rsa).then_some(RecommendedCurve::P_256));
    if let Some(curve) = curve {
        let parameters =
            CryptographicDomainParameters { qlength: None, recommended_curve: Some(curve) };
        common.push(Attribute::CryptographicDomainParameters(parameters));
    }
    arguments.object.extend(&mut common);
    let half = |usage, its_name: &Option<String>| {
        let mut attributes = Attributes::from_iter([Attribute::CryptographicUsageMask(usage)]);
        name(&mut attributes, its_name.as_deref());
        TemplateAttributes::from(attributes)
    };
    let response = session.call(&CreateKeyPairRequest {
        common_attributes: TemplateAttributes::from(common),
        private_key_attributes: half(arguments.private_usage, &arguments.private_name),
        public_key_attributes: half(arguments.public_usage, &arguments.public_name),
        ..CreateKeyPairRequest::default()
    })?;
    let private = &response.private_key_unique_identifier;
    report_pair(format, private, &response.public_key_unique_identifier)
}

/// Makes a symmetric key in the place of another.
pub(super) fn rekey(session: &mut Session, arguments: &RekeyArguments, format: Format) -> Outcome {
    let mut attributes = Attributes::new();
    arguments.object.extend(&mut attributes);
    let request = ReKeyRequest {
        unique_identifier: arguments.existing.wire(),
        offset: arguments.offset.map(Interval),
        attributes: TemplateAttributes::from(attributes),
        protection_storage_masks: None,
    };
    report(format, &session.call(&request)?.unique_identifier)
}

/// Makes a key pair in the place of another.
pub(super) fn rekey_pair(
    session: &mut Session,
    arguments: &RekeyArguments,
    format: Format,
) -> Outcome {
    let mut common = Attributes::new();
    arguments.object.extend(&mut common);
    let response = session.call(&ReKeyKeyPairRequest {
        private_key_unique_identifier: arguments.existing.wire(),
        offset: arguments.offset.map(Interval),
        common_attributes: TemplateAttributes::from(common),
        ..ReKeyKeyPairRequest::default()
    })?;
    let private = &response.private_key_unique_identifier;
    report_pair(format, private, &response.public_key_unique_identifier)
}

fn report_pair(format: Format, private: &UniqueIdentifier, public: &UniqueIdentifier) -> Outcome {
    let (private, public) = (identifier(private), identifier(public));
    match format {
        Format::Json => output::json(&serde_json::json!({
            "private_key_unique_identifier": private,
            "public_key_unique_identifier": public,
        })),
        Format::Text => output::table(
            &[],
            [("private key", private), ("public key", public)]
                .map(|(what, uid)| vec![what.to_owned(), uid.to_owned()]),
        ),
    }
}

/// Stores an object.
pub(super) fn register(
    session: &mut Session,
    arguments: &RegisterArguments,
    format: Format,
) -> Outcome {
    let bytes = input::bytes(&arguments.file)?;
    let (object, usage) = object(arguments, &bytes)?;
    let mut attributes = Attributes::new();
    if let Some(usage) = arguments.usage.or(usage) {
        attributes.push(Attribute::CryptographicUsageMask(usage));
    }
    if let Some(block) = object.key_block() {
        if let Some(algorithm) = block.cryptographic_algorithm {
            attributes.push(Attribute::CryptographicAlgorithm(algorithm));
        }
        if let Some(length) = block.cryptographic_length {
            attributes.push(Attribute::CryptographicLength(length));
        }
    }
    name(&mut attributes, arguments.name.as_deref());
    arguments.object.extend(&mut attributes);
    let request = RegisterRequest {
        object_type: object.object_type(),
        attributes: TemplateAttributes::from(attributes),
        object,
        protection_storage_masks: None,
    };
    report(format, &session.call(&request)?.unique_identifier)
}

/// The object in a file, and what it is used for unless the caller says otherwise.
fn object(arguments: &RegisterArguments, bytes: &[u8]) -> Outcome<(Object, Option<Usage>)> {
    let block = |format, algorithm: Option<CryptographicAlgorithm>, length| {
        Some(KeyBlock {
            key_format_type: arguments.key_format.unwrap_or(format),
            key_compression_type: None,
            key_value: Some(KeyValue::plain(KeyMaterial::Bytes(Secret::new(bytes.to_vec())))),
            cryptographic_algorithm: arguments.algorithm.or(algorithm),
            cryptographic_length: arguments.length.or(length),
            key_wrapping_data: None,
        })
    };
    let object = match arguments.kind {
        Kind::SymmetricKey => {
            let length = i32::try_from(bytes.len().saturating_mul(8)).map_err(Failure::new)?;
            let aes = Some(CryptographicAlgorithm::AES);
            let key = Key { key_block: block(KeyFormatType::RAW, aes, Some(length)) };
            (Object::SymmetricKey(key), Some(Usage::ENCRYPT | Usage::DECRYPT))
        }
        Kind::PrivateKey => {
            let key = Key { key_block: block(KeyFormatType::PKCS_8, None, None) };
            (Object::PrivateKey(key), Some(Usage::SIGN))
        }
        Kind::PublicKey => {
            let key = Key { key_block: block(KeyFormatType::X_509, None, None) };
            (Object::PublicKey(key), Some(Usage::VERIFY))
        }
        Kind::SecretData => {
            let secret = SecretData {
                secret_data_type: SecretDataType::PASSWORD,
                key_block: block(KeyFormatType::OPAQUE, None, None),
            };
            (Object::SecretData(secret), Some(Usage::EMPTY))
        }
        Kind::Certificate => {
            let der = CertificateDer::from_pem_slice(bytes).map(|der| der.to_vec());
            let certificate = Certificate {
                certificate_type: CertificateType::X_509,
                certificate_value: ByteString(der.unwrap_or_else(|_| bytes.to_vec())),
            };
            (Object::Certificate(certificate), Some(Usage::VERIFY))
        }
        Kind::Opaque => {
            let opaque = OpaqueObject {
                // The specification defines no kind; this is the first of the extensions.
                opaque_data_type: OpaqueDataType(0x8000_0001),
                opaque_data_value: Secret::new(bytes.to_vec()),
            };
            (Object::OpaqueObject(opaque), None)
        }
    };
    Ok(object)
}
