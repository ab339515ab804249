//! Get, the attributes of an object, Locate, Query.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use claviger_kmip::attributes::{Attribute, AttributeReference, Attributes};
use claviger_kmip::codec::Encoder;
use claviger_kmip::compat::{
    AttributeList, CurrentAttribute, DeletedAttribute, NewAttribute, References,
};
use claviger_kmip::enums::{KeyFormatType, QueryFunction};
use claviger_kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::{
    AddAttributeRequest, DeleteAttributeRequest, DiscoverVersionsRequest, GetAttributesRequest,
    GetRequest, LocateRequest, ModifyAttributeRequest, QueryRequest, QueryResponse,
    SetAttributeRequest,
};
use claviger_kmip::tables::{KmipNames, is_secret};
use claviger_kmip::{Version, tags};
use claviger_ttlv::{Limits, Node, Writer, text};
use serde_json::json;

use super::lifecycle::UniqueIdentifierArgument;
use super::{describe, hex, identifier, report, words, write_output};
use crate::connection::Session;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// Which object, and how.
#[derive(Args, Debug)]
pub(super) struct GetArguments {
    #[command(flatten)]
    object: UniqueIdentifierArgument,
    /// The format that the key shall come in: Raw, PKCS_8, X_509, …
    #[arg(long, value_parser = words::enumeration::<KeyFormatType>)]
    key_format: Option<KeyFormatType>,
    /// Write the bytes of the object to this file, readable for its owner only; `-` is stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What to do with attributes.
#[derive(Debug, Subcommand)]
pub(super) enum AttributesCommand {
    /// Show attributes; all if none is named
    List {
        #[command(flatten)]
        object: UniqueIdentifierArgument,
        /// Names of attributes
        #[arg(value_parser = words::reference)]
        names: Vec<AttributeReference>,
    },
    /// Add a value
    Add(AssignArguments),
    /// Change a value
    Modify(AssignArguments),
    /// Set the value of a single-valued attribute (KMIP 2.0 and later)
    Set(AssignArguments),
    /// Delete a value
    Delete {
        #[command(flatten)]
        object: UniqueIdentifierArgument,
        /// Name of the attribute
        #[arg(value_parser = words::reference)]
        name: AttributeReference,
        /// Index of the value (KMIP 1.x)
        #[arg(long)]
        index: Option<i32>,
    },
}

/// An attribute of an object, with its new value.
#[derive(Args, Debug)]
pub(super) struct AssignArguments {
    #[command(flatten)]
    object: UniqueIdentifierArgument,
    /// The attribute
    #[arg(value_name = "NAME=VALUE", value_parser = words::assignment)]
    attribute: Attribute,
}

/// What to look for.
#[derive(Args, Debug)]
pub(super) struct LocateArguments {
    /// Objects of this name
    #[arg(long)]
    name: Option<String>,
    /// Objects with this attribute; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = words::assignment)]
    attributes: Vec<Attribute>,
    /// How many to find at most
    #[arg(long, value_name = "N")]
    max: Option<i32>,
    /// How many to skip (KMIP 1.3 and later)
    #[arg(long, value_name = "N")]
    offset: Option<i32>,
}

/// Gets an object.
pub(super) fn get(session: &mut Session, arguments: &GetArguments, format: Format) -> Outcome {
    let response = session.call(&GetRequest {
        unique_identifier: arguments.object.wire(),
        key_format_type: arguments.key_format,
        ..GetRequest::default()
    })?;
    let object = &response.object;
    let bytes = bytes_of(object);
    if let Some(path) = &arguments.out {
        let bytes = bytes.ok_or_else(|| {
            Failure::new("the object is not one string of bytes")
                .next("Give --key-format Raw, PKCS_8 or X_509, or leave --out out.")
        })?;
        write_output(path, bytes)?;
        return match path.as_os_str() == "-" {
            true => Ok(()),
            false => report(format, &response.unique_identifier),
        };
    }
    let block = object.key_block();
    match format {
        Format::Json => output::json(&json!({
            "unique_identifier": identifier(&response.unique_identifier),
            "object_type": format!("{:?}", response.object_type),
            "key_format_type": block.map(|block| format!("{:?}", block.key_format_type)),
            "cryptographic_algorithm":
                block.and_then(|block| block.cryptographic_algorithm.map(|it| format!("{it:?}"))),
            "cryptographic_length": block.and_then(|block| block.cryptographic_length),
            "value": bytes.map(hex),
        })),
        Format::Text => match bytes {
            Some(bytes) => output::line(hex(bytes)),
            None => output::print(&tree(object, session.version)?),
        },
    }
}

/// The bytes of an object that is one string of bytes, wrapped or not.
fn bytes_of(object: &Object) -> Option<&[u8]> {
    match object {
        Object::Certificate(certificate) => Some(&certificate.certificate_value.0),
        Object::CertificateRequest(request) => Some(&request.certificate_request_value.0),
        Object::OpaqueObject(opaque) => Some(opaque.opaque_data_value.expose()),
        other => other.key_block().and_then(material),
    }
}

fn material(block: &KeyBlock) -> Option<&[u8]> {
    match block.key_value.as_ref()? {
        KeyValue::Wrapped(bytes) => Some(bytes.expose()),
        KeyValue::Plain { key_material: KeyMaterial::Bytes(bytes), .. } => Some(bytes.expose()),
        KeyValue::Plain { key_material: KeyMaterial::TransparentSymmetricKey(key), .. } => {
            Some(key.key.expose())
        }
        KeyValue::Plain { .. } => None,
    }
}

/// A transparent key, item by item; private parts are what was asked for.
fn tree(object: &Object, version: Version) -> Outcome<String> {
    use claviger_kmip::codec::Field;
    let mut writer = Writer::new();
    let mut encoder = Encoder::new(&mut writer, version);
    object.put(&mut encoder, tags::SYMMETRIC_KEY);
    let node = Node::from_bytes(writer.as_bytes(), &Limits::default()).map_err(Failure::new)?;
    Ok(text::write(&node, &KmipNames, &|_| false))
}

/// Shows or changes attributes.
pub(super) fn attributes(
    session: &mut Session,
    command: &AttributesCommand,
    format: Format,
) -> Outcome {
    match command {
        AttributesCommand::List { object, names } => list(session, object, names, format),
        AttributesCommand::Add(AssignArguments { object, attribute }) => {
            let response = session.call(&AddAttributeRequest {
                unique_identifier: object.wire(),
                new_attribute: NewAttribute(attribute.clone().into()),
            })?;
            report(format, &response.unique_identifier)
        }
        AttributesCommand::Modify(AssignArguments { object, attribute }) => {
            let response = session.call(&ModifyAttributeRequest {
                unique_identifier: object.wire(),
                current_attribute: CurrentAttribute(None),
                new_attribute: NewAttribute(attribute.clone().into()),
            })?;
            report(format, &response.unique_identifier)
        }
        AttributesCommand::Set(AssignArguments { object, attribute }) => {
            let response = session.call(&SetAttributeRequest {
                unique_identifier: object.wire(),
                new_attribute: NewAttribute(attribute.clone().into()),
            })?;
            report(format, &response.unique_identifier)
        }
        AttributesCommand::Delete { object, name, index } => {
            let response = session.call(&DeleteAttributeRequest {
                unique_identifier: object.wire(),
                attribute: DeletedAttribute {
                    current: None,
                    reference: Some(name.clone()),
                    index: *index,
                },
            })?;
            report(format, &response.unique_identifier)
        }
    }
}

fn list(
    session: &mut Session,
    object: &UniqueIdentifierArgument,
    names: &[AttributeReference],
    format: Format,
) -> Outcome {
    let response = session.call(&GetAttributesRequest {
        unique_identifier: object.wire(),
        attribute_reference: References(names.to_vec()),
    })?;
    let AttributeList(attributes) = response.attributes;
    match format {
        Format::Json => {
            let attributes = attributes.0.iter().map(|instance| {
                json!({
                    "name": describe::name(&instance.attribute),
                    "index": instance.index.unwrap_or(0),
                    "value": describe::value(&instance.attribute),
                })
            });
            output::json(&attributes.collect::<Vec<_>>())
        }
        Format::Text => {
            let row = |attribute| vec![describe::name(attribute), describe::text(attribute)];
            output::table(&[], attributes.iter().map(row))
        }
    }
}

/// Finds objects.
pub(super) fn locate(
    session: &mut Session,
    arguments: &LocateArguments,
    format: Format,
) -> Outcome {
    let name = arguments
        .name
        .iter()
        .map(|name| Attribute::Name(claviger_kmip::attributes::values::Name::text(name.as_str())));
    let attributes: Attributes = name.chain(arguments.attributes.iter().cloned()).collect();
    let response = session.call(&LocateRequest {
        maximum_items: arguments.max,
        offset_items: arguments.offset,
        attributes: AttributeList(attributes),
        ..LocateRequest::default()
    })?;
    let found: Vec<&str> = response.unique_identifier.iter().map(identifier).collect();
    match format {
        Format::Json => output::json(&json!({
            "unique_identifiers": found,
            "located_items": response.located_items,
        })),
        Format::Text => found.iter().try_for_each(output::line),
    }
}

/// Asks the server what it can do.
pub(super) fn query(session: &mut Session, format: Format) -> Outcome {
    let mut functions = vec![
        QueryFunction::QUERY_OPERATIONS,
        QueryFunction::QUERY_OBJECTS,
        QueryFunction::QUERY_SERVER_INFORMATION,
        QueryFunction::QUERY_APPLICATION_NAMESPACES,
    ];
    if session.version >= Version::V1_3 {
        functions.extend([QueryFunction::QUERY_PROFILES, QueryFunction::QUERY_CAPABILITIES]);
    }
    let response =
        session.call(&QueryRequest { query_function: functions, object_groups: None })?;
    let versions = if session.version >= Version::V1_1 {
        let response = session.call(&DiscoverVersionsRequest::default())?;
        response.protocol_version.iter().map(|it| Version::from(it).to_string()).collect()
    } else {
        vec![session.version.to_string()]
    };
    print_query(&response, &versions, session.version, format)
}

fn print_query(
    response: &QueryResponse,
    versions: &[String],
    version: Version,
    format: Format,
) -> Outcome {
    let operations: Vec<_> = response.operation.iter().map(|it| format!("{it:?}")).collect();
    let objects: Vec<_> = response.object_type.iter().map(|it| format!("{it:?}")).collect();
    let profiles: Vec<_> = response
        .profile_information
        .iter()
        .map(|profile| format!("{:?}", profile.profile_name))
        .collect();
    let vendor = response.vendor_identification.clone();
    if format == Format::Json {
        return output::json(&json!({
            "vendor_identification": vendor,
            "versions": versions,
            "operations": operations,
            "object_types": objects,
            "profiles": profiles,
            "application_namespaces": response.application_namespace,
        }));
    }
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let rows = [
        row("Vendor", vendor.unwrap_or_default()),
        row("KMIP", versions.join(" ")),
        row("Operations", operations.join(" ")),
        row("Objects", objects.join(" ")),
        row("Profiles", profiles.join(" ")),
    ];
    output::table(&[], rows)?;
    match &response.server_information {
        Some(information) => {
            let mut writer = Writer::new();
            let mut encoder = Encoder::new(&mut writer, version);
            claviger_kmip::codec::Wire::encode(information, &mut encoder, tags::SERVER_INFORMATION);
            let node =
                Node::from_bytes(writer.as_bytes(), &Limits::default()).map_err(Failure::new)?;
            output::print(&text::write(&node, &KmipNames, &is_secret))
        }
        None => Ok(()),
    }
}
