//! The payloads of every operation of KMIP 1.0 to 2.1 (KMIP 2.1 §6, KMIP 1.4 §4 and §5).
//!
//! One file per operation, fields in the order of the specification's tables, one set of types in
//! the 2.x shape; the files after the operations hold the structures that only payloads have (KMIP
//! 2.1 §7). Shapes only: nothing here knows what an operation does or who may ask for it.

mod activate;
mod add_attribute;
mod adjust_attribute;
mod archive;
mod cancel;
mod certify;
mod check;
mod create;
mod create_key_pair;
mod create_split_key;
mod decrypt;
mod delegated_login;
mod delete_attribute;
mod derive_key;
mod destroy;
mod discover_versions;
mod encrypt;
mod export;
mod get;
mod get_attribute_list;
mod get_attributes;
mod get_constraints;
mod get_usage_allocation;
mod hash;
mod import;
mod interop;
mod join_split_key;
mod locate;
mod log;
mod login;
mod logout;
mod mac;
mod mac_verify;
mod modify_attribute;
mod notify;
mod obtain_lease;
mod ping;
mod pkcs_11;
mod poll;
mod process;
mod put;
mod query;
mod query_asynchronous_requests;
mod re_certify;
mod re_key;
mod re_key_key_pair;
mod re_provision;
mod recover;
mod register;
mod revoke;
mod rng_retrieve;
mod rng_seed;
mod set_attribute;
mod set_constraints;
mod set_defaults;
mod set_endpoint_role;
mod sign;
mod signature_verify;
mod validate;

mod capability;
mod certificate_request;
mod constraint;
mod data;
mod defaults;
mod derivation;
mod extension;
mod groups;
mod pkcs_11_function;
mod server_information;
mod single_reference;
mod ticket;
mod validation;

pub use activate::{ActivateRequest, ActivateResponse};
pub use add_attribute::{AddAttributeRequest, AddAttributeResponse};
pub use adjust_attribute::{AdjustAttributeRequest, AdjustAttributeResponse};
pub use archive::{ArchiveRequest, ArchiveResponse};
pub use cancel::{CancelRequest, CancelResponse};
pub use certify::{CertifyRequest, CertifyResponse};
pub use check::{CheckRequest, CheckResponse};
pub use create::{CreateRequest, CreateResponse};
pub use create_key_pair::{CreateKeyPairRequest, CreateKeyPairResponse};
pub use create_split_key::{CreateSplitKeyRequest, CreateSplitKeyResponse};
pub use decrypt::{DecryptRequest, DecryptResponse};
pub use delegated_login::{DelegatedLoginRequest, DelegatedLoginResponse};
pub use delete_attribute::{DeleteAttributeRequest, DeleteAttributeResponse};
pub use derive_key::{DeriveKeyRequest, DeriveKeyResponse};
pub use destroy::{DestroyRequest, DestroyResponse};
pub use discover_versions::{DiscoverVersionsRequest, DiscoverVersionsResponse};
pub use encrypt::{EncryptRequest, EncryptResponse};
pub use export::{ExportRequest, ExportResponse};
pub use get::{GetRequest, GetResponse};
pub use get_attribute_list::{GetAttributeListRequest, GetAttributeListResponse};
pub use get_attributes::{GetAttributesRequest, GetAttributesResponse};
pub use get_constraints::{GetConstraintsRequest, GetConstraintsResponse};
pub use get_usage_allocation::{GetUsageAllocationRequest, GetUsageAllocationResponse};
pub use hash::{HashRequest, HashResponse};
pub use import::{ImportRequest, ImportResponse};
pub use interop::{InteropRequest, InteropResponse};
pub use join_split_key::{JoinSplitKeyRequest, JoinSplitKeyResponse};
pub use locate::{LocateRequest, LocateResponse};
pub use log::{LogRequest, LogResponse};
pub use login::{LoginRequest, LoginResponse};
pub use logout::{LogoutRequest, LogoutResponse};
pub use mac::{MacRequest, MacResponse};
pub use mac_verify::{MacVerifyRequest, MacVerifyResponse};
pub use modify_attribute::{ModifyAttributeRequest, ModifyAttributeResponse};
pub use notify::{NotifyRequest, NotifyResponse};
pub use obtain_lease::{ObtainLeaseRequest, ObtainLeaseResponse};
pub use ping::{PingRequest, PingResponse};
pub use pkcs_11::{Pkcs11Request, Pkcs11Response};
pub use poll::PollRequest;
pub use process::{ProcessRequest, ProcessResponse};
pub use put::{PutRequest, PutResponse};
pub use query::{QueryRequest, QueryResponse};
pub use query_asynchronous_requests::{
    QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse,
};
pub use re_certify::{ReCertifyRequest, ReCertifyResponse};
pub use re_key::{ReKeyRequest, ReKeyResponse};
pub use re_key_key_pair::{ReKeyKeyPairRequest, ReKeyKeyPairResponse};
pub use re_provision::{ReProvisionRequest, ReProvisionResponse};
pub use recover::{RecoverRequest, RecoverResponse};
pub use register::{RegisterRequest, RegisterResponse};
pub use revoke::{RevokeRequest, RevokeResponse};
pub use rng_retrieve::{RngRetrieveRequest, RngRetrieveResponse};
pub use rng_seed::{RngSeedRequest, RngSeedResponse};
pub use set_attribute::{SetAttributeRequest, SetAttributeResponse};
pub use set_constraints::{SetConstraintsRequest, SetConstraintsResponse};
pub use set_defaults::{SetDefaultsRequest, SetDefaultsResponse};
pub use set_endpoint_role::{SetEndpointRoleRequest, SetEndpointRoleResponse};
pub use sign::{SignRequest, SignResponse};
pub use signature_verify::{SignatureVerifyRequest, SignatureVerifyResponse};
pub use validate::{ValidateRequest, ValidateResponse};

pub use capability::{CapabilityInformation, ProfileInformation, ProfileVersion};
pub use certificate_request::CertificateRequestValue;
pub use constraint::{Constraint, Constraints};
pub use data::Data;
pub use defaults::{DefaultsInformation, ObjectDefaults};
pub use derivation::DerivationParameters;
pub use extension::{ExtensionInformation, ExtensionType};
pub use groups::{
    AsynchronousCorrelationValues, AsynchronousRequest, ObjectGroups, ObjectTypes, Objects,
    Operations,
};
pub use pkcs_11_function::Pkcs11FunctionCode;
pub use server_information::ServerInformation;
pub use single_reference::SingleReference;
pub use ticket::{LeaseTime, Right, Rights, Ticket};
pub use validation::ValidationInformation;

use crate::codec::Wire;
use crate::enums::Operation;

/// A request payload, the operation that it is for, and the payload of its answer.
pub trait Request: Wire {
    /// The operation.
    const OPERATION: Operation;
    /// The payload of a successful response.
    type Response: Wire;
}

macro_rules! requests {
    ($($operation:ident: $request:ty => $response:ty;)*) => {$(
        impl Request for $request {
            const OPERATION: Operation = Operation::$operation;
            type Response = $response;
        }
    )*};
}

requests! {
    ACTIVATE: ActivateRequest => ActivateResponse;
    ADD_ATTRIBUTE: AddAttributeRequest => AddAttributeResponse;
    ADJUST_ATTRIBUTE: AdjustAttributeRequest => AdjustAttributeResponse;
    ARCHIVE: ArchiveRequest => ArchiveResponse;
    CANCEL: CancelRequest => CancelResponse;
    CERTIFY: CertifyRequest => CertifyResponse;
    CHECK: CheckRequest => CheckResponse;
    CREATE: CreateRequest => CreateResponse;
    CREATE_KEY_PAIR: CreateKeyPairRequest => CreateKeyPairResponse;
    CREATE_SPLIT_KEY: CreateSplitKeyRequest => CreateSplitKeyResponse;
    DECRYPT: DecryptRequest => DecryptResponse;
    DELEGATED_LOGIN: DelegatedLoginRequest => DelegatedLoginResponse;
    DELETE_ATTRIBUTE: DeleteAttributeRequest => DeleteAttributeResponse;
    DERIVE_KEY: DeriveKeyRequest => DeriveKeyResponse;
    DESTROY: DestroyRequest => DestroyResponse;
    DISCOVER_VERSIONS: DiscoverVersionsRequest => DiscoverVersionsResponse;
    ENCRYPT: EncryptRequest => EncryptResponse;
    EXPORT: ExportRequest => ExportResponse;
    GET: GetRequest => GetResponse;
    GET_ATTRIBUTE_LIST: GetAttributeListRequest => GetAttributeListResponse;
    GET_ATTRIBUTES: GetAttributesRequest => GetAttributesResponse;
    GET_CONSTRAINTS: GetConstraintsRequest => GetConstraintsResponse;
    GET_USAGE_ALLOCATION: GetUsageAllocationRequest => GetUsageAllocationResponse;
    HASH: HashRequest => HashResponse;
    IMPORT: ImportRequest => ImportResponse;
    INTEROP: InteropRequest => InteropResponse;
    JOIN_SPLIT_KEY: JoinSplitKeyRequest => JoinSplitKeyResponse;
    LOCATE: LocateRequest => LocateResponse;
    LOG: LogRequest => LogResponse;
    LOGIN: LoginRequest => LoginResponse;
    LOGOUT: LogoutRequest => LogoutResponse;
    MAC: MacRequest => MacResponse;
    MAC_VERIFY: MacVerifyRequest => MacVerifyResponse;
    MODIFY_ATTRIBUTE: ModifyAttributeRequest => ModifyAttributeResponse;
    NOTIFY: NotifyRequest => NotifyResponse;
    OBTAIN_LEASE: ObtainLeaseRequest => ObtainLeaseResponse;
    PING: PingRequest => PingResponse;
    PKCS_11: Pkcs11Request => Pkcs11Response;
    // The answer is that of the operation that was pending.
    POLL: PollRequest => claviger_ttlv::Node;
    PROCESS: ProcessRequest => ProcessResponse;
    PUT: PutRequest => PutResponse;
    QUERY: QueryRequest => QueryResponse;
    QUERY_ASYNCHRONOUS_REQUESTS: QueryAsynchronousRequestsRequest => QueryAsynchronousRequestsResponse;
    RE_CERTIFY: ReCertifyRequest => ReCertifyResponse;
    RE_KEY: ReKeyRequest => ReKeyResponse;
    RE_KEY_KEY_PAIR: ReKeyKeyPairRequest => ReKeyKeyPairResponse;
    RE_PROVISION: ReProvisionRequest => ReProvisionResponse;
    RECOVER: RecoverRequest => RecoverResponse;
    REGISTER: RegisterRequest => RegisterResponse;
    REVOKE: RevokeRequest => RevokeResponse;
    RNG_RETRIEVE: RngRetrieveRequest => RngRetrieveResponse;
    RNG_SEED: RngSeedRequest => RngSeedResponse;
    SET_ATTRIBUTE: SetAttributeRequest => SetAttributeResponse;
    SET_CONSTRAINTS: SetConstraintsRequest => SetConstraintsResponse;
    SET_DEFAULTS: SetDefaultsRequest => SetDefaultsResponse;
    SET_ENDPOINT_ROLE: SetEndpointRoleRequest => SetEndpointRoleResponse;
    SIGN: SignRequest => SignResponse;
    SIGNATURE_VERIFY: SignatureVerifyRequest => SignatureVerifyResponse;
    VALIDATE: ValidateRequest => ValidateResponse;
}
