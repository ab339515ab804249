//! PKCS#11: call a PKCS#11 function (KMIP 2.1 §6.1.37).
//!
//! Shapes only: it must never know what the operation does.

use super::pkcs_11_function::Pkcs11FunctionCode;
use crate::codec::structure::structure;
use crate::codec::{ByteString, Secret};
use crate::enums::Pkcs11ReturnCode;

structure! {
    /// Request payload.
    pub struct Pkcs11Request {
        /// The interface; version 3.0 if absent.
        pkcs_11_interface: Option<String> = PKCS_11_INTERFACE,
        /// The function.
        pkcs_11_function: Pkcs11FunctionCode = PKCS_11_FUNCTION,
        /// What the previous response of this session carried.
        correlation_value: Option<ByteString> = CORRELATION_VALUE,
        /// The packed arguments.
        pkcs_11_input_parameters: Option<Secret> = PKCS_11_INPUT_PARAMETERS,
    }

    /// Response payload.
    pub struct Pkcs11Response {
        /// The interface.
        pkcs_11_interface: Option<String> = PKCS_11_INTERFACE,
        /// The function.
        pkcs_11_function: Pkcs11FunctionCode = PKCS_11_FUNCTION,
        /// What the next request of this session must carry.
        correlation_value: Option<ByteString> = CORRELATION_VALUE,
        /// The packed results.
        pkcs_11_output_parameters: Option<Secret> = PKCS_11_OUTPUT_PARAMETERS,
        /// The CK_RV.
        pkcs_11_return_code: Pkcs11ReturnCode = PKCS_11_RETURN_CODE,
    }
}
