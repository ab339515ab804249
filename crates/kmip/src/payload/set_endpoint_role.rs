//! Set Endpoint Role: swap the roles of client and server on a connection (KMIP 2.1 §6.1.54).
//!
//! Shapes only: it must never know what the operation does.

use crate::codec::structure::structure;
use crate::enums::EndpointRole;

structure! {
    /// Request payload.
    pub struct SetEndpointRoleRequest {
        /// The role.
        endpoint_role: EndpointRole = ENDPOINT_ROLE,
    }

    /// Response payload.
    pub struct SetEndpointRoleResponse {
        /// The role.
        endpoint_role: EndpointRole = ENDPOINT_ROLE,
    }
}
