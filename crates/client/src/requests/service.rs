//! What concerns the server and what it is doing.

use super::functions;
use super::vocabulary::*;

macro_rules! service {
    ($callback:ident $context:tt) => {
        $callback! { $context
            /// Validate: whether certificates of the server make a valid chain.
            validate(
                unique_identifiers: impl IntoIterator<Item = UniqueIdentifier>,
            ) -> ValidateRequest => ValidateResponse {
                let unique_identifier = unique_identifiers.into_iter().collect();
                ValidateRequest { unique_identifier, ..ValidateRequest::default() }
            }
            /// Query: what the server can do.
            query(
                functions: impl IntoIterator<Item = QueryFunction>,
            ) -> QueryRequest => QueryResponse {
                let query_function = functions.into_iter().collect();
                QueryRequest { query_function, ..QueryRequest::default() }
            }
            /// Discover Versions (1.1 and later): which of these the server speaks; all if none is
            /// named.
            discover_versions(
                versions: impl IntoIterator<Item = Version>,
            ) -> DiscoverVersionsRequest => DiscoverVersionsResponse {
                let protocol_version = versions.into_iter().map(Into::into).collect();
                DiscoverVersionsRequest { protocol_version }
            }
            /// Poll: the answer to an operation that was pending.
            poll(
                asynchronous_correlation_value: ByteString,
            ) -> PollRequest => claviger_ttlv::Node {
                PollRequest { asynchronous_correlation_value }
            }
            /// Cancel: stops an operation that is pending.
            cancel(asynchronous_correlation_value: ByteString) -> CancelRequest => CancelResponse {
                CancelRequest { asynchronous_correlation_value }
            }
            /// Process (2.1): carries out a pending operation now.
            process(request: ProcessRequest) -> ProcessRequest => ProcessResponse {
                request
            }
            /// Query Asynchronous Requests (2.1): what is pending.
            query_asynchronous_requests(
                request: QueryAsynchronousRequestsRequest,
            ) -> QueryAsynchronousRequestsRequest => QueryAsynchronousRequestsResponse {
                request
            }
            /// Log (2.0 and later): has the server write something into its log.
            log(request: LogRequest) -> LogRequest => LogResponse {
                request
            }
            /// Login (2.0 and later): a ticket for later requests.
            login(request: LoginRequest) -> LoginRequest => LoginResponse {
                request
            }
            /// Logout (2.0 and later): ends a ticket.
            logout(request: LogoutRequest) -> LogoutRequest => LogoutResponse {
                request
            }
            /// Delegated Login (2.0 and later): a ticket for somebody else.
            delegated_login(
                request: DelegatedLoginRequest,
            ) -> DelegatedLoginRequest => DelegatedLoginResponse {
                request
            }
            /// Set Endpoint Role (2.0 and later): who asks and who answers from here on.
            set_endpoint_role(
                request: SetEndpointRoleRequest,
            ) -> SetEndpointRoleRequest => SetEndpointRoleResponse {
                request
            }
            /// Interop (2.0 and later): begins and ends an interoperability test.
            interop(request: InteropRequest) -> InteropRequest => InteropResponse {
                request
            }
            /// Re-Provision (2.0 and later): renews a credential.
            re_provision(request: ReProvisionRequest) -> ReProvisionRequest => ReProvisionResponse {
                request
            }
            /// Set Defaults (2.1): the attributes of objects that bring none.
            set_defaults(request: SetDefaultsRequest) -> SetDefaultsRequest => SetDefaultsResponse {
                request
            }
            /// Set Constraints (2.1): what objects may be like.
            set_constraints(
                request: SetConstraintsRequest,
            ) -> SetConstraintsRequest => SetConstraintsResponse {
                request
            }
            /// Get Constraints (2.1).
            get_constraints(
                request: GetConstraintsRequest,
            ) -> GetConstraintsRequest => GetConstraintsResponse {
                request
            }
            /// Ping (2.1): whether the server is there.
            ping() -> PingRequest => PingResponse {
                PingRequest::default()
            }
        }
    };
}
pub(crate) use service;

service!(functions(SERVICE));
