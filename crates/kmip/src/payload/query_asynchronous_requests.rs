//! Query Asynchronous Requests: list pending operations (KMIP 2.1 §6.1.41).
//!
//! Shapes only: it must never know what the operation does.

use super::groups::{AsynchronousCorrelationValues, AsynchronousRequest, Operations};
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct QueryAsynchronousRequestsRequest {
        /// Only these requests.
        asynchronous_correlation_values: Option<AsynchronousCorrelationValues> =
            ASYNCHRONOUS_CORRELATION_VALUES,
        /// Only requests of these operations.
        operations: Option<Operations> = OPERATIONS,
    }

    /// Response payload.
    #[derive(Default)]
    pub struct QueryAsynchronousRequestsResponse {
        /// The pending requests.
        asynchronous_request: Vec<AsynchronousRequest> = ASYNCHRONOUS_REQUEST,
    }
}
