//! Query: ask what the other side can do (KMIP 2.1 §6.1.40, KMIP 1.4 §4.25).
//!
//! Shapes only: it must never know what the operation does.

use super::capability::{CapabilityInformation, ProfileInformation};
use super::defaults::DefaultsInformation;
use super::extension::ExtensionInformation;
use super::groups::ObjectGroups;
use super::server_information::ServerInformation;
use super::validation::ValidationInformation;
use crate::attributes::values::{ProtectionStorageMasks, RngParameters};
use crate::codec::structure::structure;
use crate::enums::{
    AttestationType, ClientRegistrationMethod, ObjectType, Operation, QueryFunction,
};

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct QueryRequest {
        /// What to tell.
        query_function: Vec<QueryFunction> = QUERY_FUNCTION,
        /// The groups to tell it for.
        object_groups: Option<ObjectGroups> = OBJECT_GROUPS since V2_1,
    }

    /// Response payload.
    #[derive(Default)]
    pub struct QueryResponse {
        /// Operations.
        operation: Vec<Operation> = OPERATION,
        /// Object types.
        object_type: Vec<ObjectType> = OBJECT_TYPE,
        /// The vendor.
        vendor_identification: Option<String> = VENDOR_IDENTIFICATION,
        /// The server, in the words of the vendor.
        server_information: Option<ServerInformation> = SERVER_INFORMATION,
        /// Namespaces for which the server makes Application Data.
        application_namespace: Vec<String> = APPLICATION_NAMESPACE,
        /// Extensions.
        extension_information: Vec<ExtensionInformation> = EXTENSION_INFORMATION since V1_1,
        /// Attestation types.
        attestation_type: Vec<AttestationType> = ATTESTATION_TYPE since V1_2,
        /// Random number generators.
        rng_parameters: Vec<RngParameters> = RNG_PARAMETERS since V1_3,
        /// Profiles.
        profile_information: Vec<ProfileInformation> = PROFILE_INFORMATION since V1_3,
        /// Validations.
        validation_information: Vec<ValidationInformation> = VALIDATION_INFORMATION since V1_3,
        /// Capabilities.
        capability_information: Vec<CapabilityInformation> = CAPABILITY_INFORMATION since V1_3,
        /// How clients are registered.
        client_registration_method: Vec<ClientRegistrationMethod> =
            CLIENT_REGISTRATION_METHOD since V1_3,
        /// Defaults of new objects.
        defaults_information: Option<DefaultsInformation> = DEFAULTS_INFORMATION since V2_0,
        /// Storage protections.
        protection_storage_masks: Option<ProtectionStorageMasks> =
            PROTECTION_STORAGE_MASKS since V2_0,
    }
}
