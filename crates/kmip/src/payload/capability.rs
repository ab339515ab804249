//! What a server or client can do: Capability and Profile Information (KMIP 2.1 §7.5 and §7.31).
//!
//! Shapes only: it must never know what this server can do.

use crate::codec::structure::structure;
use crate::enums::{DestroyAction, ProfileName, RngMode, ShreddingAlgorithm, UnwrapMode};

structure! {
    /// Optional behaviour (KMIP 2.1 §7.5).
    #[derive(Default)]
    pub struct CapabilityInformation {
        /// Whether cryptographic operations take data in parts.
        streaming_capability: Option<bool> = STREAMING_CAPABILITY,
        /// Whether operations can be asynchronous.
        asynchronous_capability: Option<bool> = ASYNCHRONOUS_CAPABILITY,
        /// Whether attestation is understood.
        attestation_capability: Option<bool> = ATTESTATION_CAPABILITY,
        /// Whether a batch can be undone.
        batch_undo_capability: Option<bool> = BATCH_UNDO_CAPABILITY since V1_4,
        /// Whether a batch can go on after a failure.
        batch_continue_capability: Option<bool> = BATCH_CONTINUE_CAPABILITY since V1_4,
        /// What happens to a wrapped key that is registered.
        unwrap_mode: Option<UnwrapMode> = UNWRAP_MODE,
        /// What Destroy does to the key material.
        destroy_action: Option<DestroyAction> = DESTROY_ACTION,
        /// How it is overwritten.
        shredding_algorithm: Option<ShreddingAlgorithm> = SHREDDING_ALGORITHM,
        /// Whether random number generators are shared.
        rng_mode: Option<RngMode> = RNG_MODE,
        /// Whether quantum-safe algorithms are there.
        quantum_safe_capability: Option<bool> = QUANTUM_SAFE_CAPABILITY since V2_0,
    }

    /// A profile that is kept to, and where (KMIP 2.1 §7.31).
    pub struct ProfileInformation {
        /// The profile.
        profile_name: ProfileName = PROFILE_NAME,
        /// Its version.
        profile_version: Option<ProfileVersion> = PROFILE_VERSION since V2_0,
        /// Where it is offered.
        server_uri: Option<String> = SERVER_URI,
        /// On which port.
        server_port: Option<i32> = SERVER_PORT,
    }

    /// The version of a profile (KMIP 2.1 §7.32).
    pub struct ProfileVersion {
        /// Major version.
        profile_version_major: i32 = PROFILE_VERSION_MAJOR,
        /// Minor version.
        profile_version_minor: i32 = PROFILE_VERSION_MINOR,
    }
}
