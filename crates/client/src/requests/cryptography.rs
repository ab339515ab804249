//! Having the server compute with keys.

use super::functions;
use super::vocabulary::*;

macro_rules! cryptography {
    ($callback:ident $context:tt) => {
        $callback! { $context
            /// Encrypt (1.2 and later).
            encrypt(
                unique_identifier: impl Into<UniqueIdentifier>,
                parameters: Option<CryptographicParameters>,
                iv_counter_nonce: Option<ByteString>,
                data: impl Into<Data>,
            ) -> EncryptRequest => EncryptResponse {
                EncryptRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    cryptographic_parameters: parameters,
                    data: Some(data.into()),
                    iv_counter_nonce,
                    ..EncryptRequest::default()
                }
            }
            /// Decrypt (1.2 and later).
            decrypt(
                unique_identifier: impl Into<UniqueIdentifier>,
                parameters: Option<CryptographicParameters>,
                iv_counter_nonce: Option<ByteString>,
                data: impl Into<Data>,
            ) -> DecryptRequest => DecryptResponse {
                DecryptRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    cryptographic_parameters: parameters,
                    data: Some(data.into()),
                    iv_counter_nonce,
                    ..DecryptRequest::default()
                }
            }
            /// Sign (1.2 and later).
            sign(
                unique_identifier: impl Into<UniqueIdentifier>,
                parameters: Option<CryptographicParameters>,
                data: impl Into<Data>,
            ) -> SignRequest => SignResponse {
                SignRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    cryptographic_parameters: parameters,
                    data: Some(data.into()),
                    ..SignRequest::default()
                }
            }
            /// Signature Verify (1.2 and later).
            signature_verify(
                unique_identifier: impl Into<UniqueIdentifier>,
                parameters: Option<CryptographicParameters>,
                data: impl Into<Data>,
                signature: ByteString,
            ) -> SignatureVerifyRequest => SignatureVerifyResponse {
                SignatureVerifyRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    cryptographic_parameters: parameters,
                    data: Some(data.into()),
                    signature_data: Some(signature),
                    ..SignatureVerifyRequest::default()
                }
            }
            /// MAC (1.2 and later).
            mac(
                unique_identifier: impl Into<UniqueIdentifier>,
                parameters: Option<CryptographicParameters>,
                data: impl Into<Data>,
            ) -> MacRequest => MacResponse {
                MacRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    cryptographic_parameters: parameters,
                    data: Some(data.into()),
                    ..MacRequest::default()
                }
            }
            /// MAC Verify (1.2 and later).
            mac_verify(
                unique_identifier: impl Into<UniqueIdentifier>,
                parameters: Option<CryptographicParameters>,
                data: impl Into<Data>,
                mac: ByteString,
            ) -> MacVerifyRequest => MacVerifyResponse {
                MacVerifyRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    cryptographic_parameters: parameters,
                    data: Some(data.into()),
                    mac_data: Some(mac),
                    ..MacVerifyRequest::default()
                }
            }
            /// Hash (1.2 and later).
            hash(
                parameters: CryptographicParameters,
                data: impl Into<Data>,
            ) -> HashRequest => HashResponse {
                HashRequest {
                    cryptographic_parameters: parameters,
                    data: Some(data.into()),
                    correlation_value: None,
                    init_indicator: None,
                    final_indicator: None,
                }
            }
            /// RNG Retrieve (1.2 and later): so many random bytes.
            rng_retrieve(data_length: i32) -> RngRetrieveRequest => RngRetrieveResponse {
                RngRetrieveRequest { data_length }
            }
            /// RNG Seed (1.2 and later).
            rng_seed(data: impl Into<Data>) -> RngSeedRequest => RngSeedResponse {
                RngSeedRequest { data: data.into() }
            }
            /// PKCS#11 (2.0 and later).
            pkcs_11(request: Pkcs11Request) -> Pkcs11Request => Pkcs11Response {
                request
            }
        }
    };
}
pub(crate) use cryptography;

cryptography!(functions(CRYPTOGRAPHY));
