//! Every operation with its payload type, for the tests that walk over all of them.

/// Calls `$visit!(RequestType)` for the request type of an operation.
macro_rules! by_operation {
    ($operation:expr, $visit:ident) => {
        match $operation {
            claviger_kmip::enums::Operation::ACTIVATE => $visit!(ActivateRequest),
            claviger_kmip::enums::Operation::ADD_ATTRIBUTE => $visit!(AddAttributeRequest),
            claviger_kmip::enums::Operation::ADJUST_ATTRIBUTE => $visit!(AdjustAttributeRequest),
            claviger_kmip::enums::Operation::ARCHIVE => $visit!(ArchiveRequest),
            claviger_kmip::enums::Operation::CANCEL => $visit!(CancelRequest),
            claviger_kmip::enums::Operation::CERTIFY => $visit!(CertifyRequest),
            claviger_kmip::enums::Operation::CHECK => $visit!(CheckRequest),
            claviger_kmip::enums::Operation::CREATE => $visit!(CreateRequest),
            claviger_kmip::enums::Operation::CREATE_KEY_PAIR => $visit!(CreateKeyPairRequest),
            claviger_kmip::enums::Operation::CREATE_SPLIT_KEY => $visit!(CreateSplitKeyRequest),
            claviger_kmip::enums::Operation::DECRYPT => $visit!(DecryptRequest),
            claviger_kmip::enums::Operation::DELEGATED_LOGIN => $visit!(DelegatedLoginRequest),
            claviger_kmip::enums::Operation::DELETE_ATTRIBUTE => $visit!(DeleteAttributeRequest),
            claviger_kmip::enums::Operation::DERIVE_KEY => $visit!(DeriveKeyRequest),
            claviger_kmip::enums::Operation::DESTROY => $visit!(DestroyRequest),
            claviger_kmip::enums::Operation::DISCOVER_VERSIONS => $visit!(DiscoverVersionsRequest),
            claviger_kmip::enums::Operation::ENCRYPT => $visit!(EncryptRequest),
            claviger_kmip::enums::Operation::EXPORT => $visit!(ExportRequest),
            claviger_kmip::enums::Operation::GET => $visit!(GetRequest),
            claviger_kmip::enums::Operation::GET_ATTRIBUTE_LIST => $visit!(GetAttributeListRequest),
            claviger_kmip::enums::Operation::GET_ATTRIBUTES => $visit!(GetAttributesRequest),
            claviger_kmip::enums::Operation::GET_CONSTRAINTS => $visit!(GetConstraintsRequest),
            claviger_kmip::enums::Operation::GET_USAGE_ALLOCATION => {
                $visit!(GetUsageAllocationRequest)
            }
            claviger_kmip::enums::Operation::HASH => $visit!(HashRequest),
            claviger_kmip::enums::Operation::IMPORT => $visit!(ImportRequest),
            claviger_kmip::enums::Operation::INTEROP => $visit!(InteropRequest),
            claviger_kmip::enums::Operation::JOIN_SPLIT_KEY => $visit!(JoinSplitKeyRequest),
            claviger_kmip::enums::Operation::LOCATE => $visit!(LocateRequest),
            claviger_kmip::enums::Operation::LOG => $visit!(LogRequest),
            claviger_kmip::enums::Operation::LOGIN => $visit!(LoginRequest),
            claviger_kmip::enums::Operation::LOGOUT => $visit!(LogoutRequest),
            claviger_kmip::enums::Operation::MAC => $visit!(MacRequest),
            claviger_kmip::enums::Operation::MAC_VERIFY => $visit!(MacVerifyRequest),
            claviger_kmip::enums::Operation::MODIFY_ATTRIBUTE => $visit!(ModifyAttributeRequest),
            claviger_kmip::enums::Operation::NOTIFY => $visit!(NotifyRequest),
            claviger_kmip::enums::Operation::OBTAIN_LEASE => $visit!(ObtainLeaseRequest),
            claviger_kmip::enums::Operation::PING => $visit!(PingRequest),
            claviger_kmip::enums::Operation::PKCS_11 => $visit!(Pkcs11Request),
            claviger_kmip::enums::Operation::POLL => $visit!(PollRequest),
            claviger_kmip::enums::Operation::PROCESS => $visit!(ProcessRequest),
            claviger_kmip::enums::Operation::PUT => $visit!(PutRequest),
            claviger_kmip::enums::Operation::QUERY => $visit!(QueryRequest),
            claviger_kmip::enums::Operation::QUERY_ASYNCHRONOUS_REQUESTS => {
                $visit!(QueryAsynchronousRequestsRequest)
            }
            claviger_kmip::enums::Operation::RE_CERTIFY => $visit!(ReCertifyRequest),
            claviger_kmip::enums::Operation::RE_KEY => $visit!(ReKeyRequest),
            claviger_kmip::enums::Operation::RE_KEY_KEY_PAIR => $visit!(ReKeyKeyPairRequest),
            claviger_kmip::enums::Operation::RE_PROVISION => $visit!(ReProvisionRequest),
            claviger_kmip::enums::Operation::RECOVER => $visit!(RecoverRequest),
            claviger_kmip::enums::Operation::REGISTER => $visit!(RegisterRequest),
            claviger_kmip::enums::Operation::REVOKE => $visit!(RevokeRequest),
            claviger_kmip::enums::Operation::RNG_RETRIEVE => $visit!(RngRetrieveRequest),
            claviger_kmip::enums::Operation::RNG_SEED => $visit!(RngSeedRequest),
            claviger_kmip::enums::Operation::SET_ATTRIBUTE => $visit!(SetAttributeRequest),
            claviger_kmip::enums::Operation::SET_CONSTRAINTS => $visit!(SetConstraintsRequest),
            claviger_kmip::enums::Operation::SET_DEFAULTS => $visit!(SetDefaultsRequest),
            claviger_kmip::enums::Operation::SET_ENDPOINT_ROLE => $visit!(SetEndpointRoleRequest),
            claviger_kmip::enums::Operation::SIGN => $visit!(SignRequest),
            claviger_kmip::enums::Operation::SIGNATURE_VERIFY => $visit!(SignatureVerifyRequest),
            claviger_kmip::enums::Operation::VALIDATE => $visit!(ValidateRequest),
            other => panic!("{other:?} has no payload"),
        }
    };
}

pub(crate) use by_operation;
