//! Query: what this server can do, from the tables that make it do so (KMIP 2.1 §6.1.38, KMIP 1.4
//! §4.25).

use claviger_kmip::Version;
use claviger_kmip::enums::{
    DestroyAction, ObjectType, ProfileName, QueryFunction, RngMode, ShreddingAlgorithm, UnwrapMode,
};
use claviger_kmip::payload::{
    CapabilityInformation, ProfileInformation, QueryRequest, QueryResponse, ServerInformation,
};
use claviger_kmip::tags;

use super::Context;
use super::new_object::generator;
use crate::failure::Failure;

/// The types of objects that Register takes; what a version does not have is left out of its
/// answer.
const OBJECT_TYPES: [ObjectType; 10] = [
    ObjectType::CERTIFICATE,
    ObjectType::SYMMETRIC_KEY,
    ObjectType::PUBLIC_KEY,
    ObjectType::PRIVATE_KEY,
    ObjectType::SPLIT_KEY,
    ObjectType::TEMPLATE,
    ObjectType::SECRET_DATA,
    ObjectType::OPAQUE_OBJECT,
    ObjectType::PGP_KEY,
    ObjectType::CERTIFICATE_REQUEST,
];

/// Any Application Namespace is taken; these are named because Tape Library clients look for them.
const APPLICATION_NAMESPACES: [&str; 2] = ["LIBRARY-LTO", "LIBRARY-LTO4"];

/// Profiles of 1.x whose mandatory test cases pass; docs/conformance.md has the results. A name that
/// is younger than the request's version is left out of its answer.
const PROFILES_1X: [ProfileName; 20] = [
    ProfileName::SYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_0,
    ProfileName::SYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_2,
    ProfileName::SYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_4,
    ProfileName::ASYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_0,
    ProfileName::ASYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_2,
    ProfileName::ASYMMETRIC_KEY_LIFECYCLE_SERVER_KMIP_V1_4,
    ProfileName::SYMMETRIC_KEY_FOUNDRY_SERVER_KMIP_V1_0,
    ProfileName::SYMMETRIC_KEY_FOUNDRY_SERVER_KMIP_V1_2,
    ProfileName::SYMMETRIC_KEY_FOUNDRY_SERVER_KMIP_V1_4,
    ProfileName::OPAQUE_MANAGED_OBJECT_STORE_SERVER_KMIP_V1_0,
    ProfileName::OPAQUE_MANAGED_OBJECT_STORE_SERVER_KMIP_V1_2,
    ProfileName::OPAQUE_MANAGED_OBJECT_STORE_SERVER_KMIP_V1_4,
    ProfileName::TAPE_LIBRARY_SERVER_KMIP_V1_0,
    ProfileName::TAPE_LIBRARY_SERVER_KMIP_V1_4,
    ProfileName::STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER_KMIP_V1_0,
    ProfileName::STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER_KMIP_V1_4,
    ProfileName::BASIC_CRYPTOGRAPHIC_SERVER_KMIP_V1_2,
    ProfileName::BASIC_CRYPTOGRAPHIC_SERVER_KMIP_V1_4,
    ProfileName::ADVANCED_CRYPTOGRAPHIC_SERVER_KMIP_V1_4,
    ProfileName::RNG_CRYPTOGRAPHIC_SERVER_KMIP_V1_4,
];

/// The same of 2.x, whose names have no version.
const PROFILES_2X: [ProfileName; 9] = [
    ProfileName::SYMMETRIC_KEY_LIFECYCLE_SERVER,
    ProfileName::ASYMMETRIC_KEY_LIFECYCLE_SERVER,
    ProfileName::SYMMETRIC_KEY_FOUNDRY_SERVER,
    ProfileName::OPAQUE_MANAGED_OBJECT_STORE_SERVER,
    ProfileName::TAPE_LIBRARY_SERVER,
    ProfileName::STORAGE_ARRAY_WITH_SELF_ENCRYPTING_DRIVE_SERVER,
    ProfileName::BASIC_CRYPTOGRAPHIC_SERVER,
    ProfileName::ADVANCED_CRYPTOGRAPHIC_SERVER,
    ProfileName::RNG_CRYPTOGRAPHIC_SERVER,
];

/// Carries out Query. A function that is not known, or has nothing to say, adds nothing.
///
/// # Errors
/// Never.
pub fn query(
    context: &mut Context<'_, '_>,
    request: QueryRequest,
) -> Result<QueryResponse, Failure> {
    let mut response = QueryResponse::default();
    for function in &request.query_function {
        match *function {
            QueryFunction::QUERY_OPERATIONS => {
                response.operation = (context.operations)(context.version)
            }
            QueryFunction::QUERY_OBJECTS => response.object_type = OBJECT_TYPES.to_vec(),
            QueryFunction::QUERY_SERVER_INFORMATION => {
                let vendor = &context.resources.vendor_identification;
                response.vendor_identification = Some(vendor.clone());
                response.server_information = Some(server_information());
            }
            QueryFunction::QUERY_APPLICATION_NAMESPACES => {
                response.application_namespace = APPLICATION_NAMESPACES.map(String::from).into();
            }
            QueryFunction::QUERY_RNGS => response.rng_parameters = vec![generator()],
            QueryFunction::QUERY_PROFILES => {
                response.profile_information = profiles(context.version)
            }
            QueryFunction::QUERY_CAPABILITIES => {
                response.capability_information = vec![capabilities(context.version)];
            }
            _ => {}
        }
    }
    Ok(response)
}

fn server_information() -> ServerInformation {
    ServerInformation {
        fields: vec![
            (tags::SERVER_NAME, String::from("claviger")),
            (tags::SERVER_VERSION, String::from(env!("CARGO_PKG_VERSION"))),
            (tags::PRODUCT_NAME, String::from("Claviger")),
        ],
        vendor_specific: Vec::new(),
    }
}

fn profiles(version: Version) -> Vec<ProfileInformation> {
    let information = |profile_name| ProfileInformation {
        profile_name,
        profile_version: None,
        server_uri: None,
        server_port: None,
    };
    let names: &[ProfileName] = if version.is_1x() { &PROFILES_1X } else { &PROFILES_2X };
    names.iter().copied().map(information).collect()
}

fn capabilities(version: Version) -> CapabilityInformation {
    CapabilityInformation {
        streaming_capability: Some(true),
        asynchronous_capability: Some(false),
        attestation_capability: Some(false),
        batch_undo_capability: Some(true),
        batch_continue_capability: Some(true),
        unwrap_mode: Some(UnwrapMode::UNSPECIFIED),
        destroy_action: Some(DestroyAction::KEY_MATERIAL_DELETED),
        shredding_algorithm: Some(ShreddingAlgorithm::UNSPECIFIED),
        rng_mode: Some(RngMode::SHARED_INSTANTIATION),
        // Optional, and unknown to the clients of 2.0.
        quantum_safe_capability: (version >= Version::V2_1).then_some(false),
    }
}
