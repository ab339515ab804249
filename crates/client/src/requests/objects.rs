//! Making, fetching and ending objects.

use super::vocabulary::*;
use super::{functions, list, template};

macro_rules! objects {
    ($callback:ident $context:tt) => {
        $callback! { $context
            /// Create: makes a symmetric key of a length in bits.
            create_symmetric_key(
                algorithm: CryptographicAlgorithm,
                length: i32,
                usage: CryptographicUsageMask,
                attributes: impl IntoIterator<Item = Attribute>,
            ) -> CreateRequest => CreateResponse {
                let mut all = Attributes::from_iter([
                    Attribute::CryptographicAlgorithm(algorithm),
                    Attribute::CryptographicLength(length),
                    Attribute::CryptographicUsageMask(usage),
                ]);
                attributes.into_iter().for_each(|attribute| all.push(attribute));
                CreateRequest {
                    object_type: ObjectType::SYMMETRIC_KEY,
                    attributes: TemplateAttributes::from(all),
                    protection_storage_masks: None,
                }
            }
            /// Create Key Pair: the attributes of both keys, of the private and of the public one.
            create_key_pair(
                common: impl IntoIterator<Item = Attribute>,
                private: impl IntoIterator<Item = Attribute>,
                public: impl IntoIterator<Item = Attribute>,
            ) -> CreateKeyPairRequest => CreateKeyPairResponse {
                CreateKeyPairRequest {
                    common_attributes: template(common),
                    private_key_attributes: template(private),
                    public_key_attributes: template(public),
                    ..CreateKeyPairRequest::default()
                }
            }
            /// Register: stores an object.
            register(
                object: Object,
                attributes: impl IntoIterator<Item = Attribute>,
            ) -> RegisterRequest => RegisterResponse {
                RegisterRequest {
                    object_type: object.object_type(),
                    attributes: template(attributes),
                    object,
                    protection_storage_masks: None,
                }
            }
            /// Register: stores the bytes of a symmetric key.
            register_symmetric_key(
                algorithm: CryptographicAlgorithm,
                key: Secret,
                usage: CryptographicUsageMask,
                attributes: impl IntoIterator<Item = Attribute>,
            ) -> RegisterRequest => RegisterResponse {
                let length = i32::try_from(key.len().saturating_mul(8)).unwrap_or(i32::MAX);
                let standard = [
                    Attribute::CryptographicAlgorithm(algorithm),
                    Attribute::CryptographicLength(length),
                    Attribute::CryptographicUsageMask(usage),
                ];
                let block = KeyBlock {
                    key_format_type: KeyFormatType::RAW,
                    key_compression_type: None,
                    key_value: Some(KeyValue::plain(KeyMaterial::Bytes(key))),
                    cryptographic_algorithm: Some(algorithm),
                    cryptographic_length: Some(length),
                    key_wrapping_data: None,
                };
                register(
                    Object::SymmetricKey(Key { key_block: Some(block) }),
                    standard.into_iter().chain(attributes),
                )
            }
            /// Re-key: replaces a symmetric key by a new one.
            re_key(
                unique_identifier: impl Into<UniqueIdentifier>,
            ) -> ReKeyRequest => ReKeyResponse {
                let unique_identifier = Some(unique_identifier.into());
                ReKeyRequest { unique_identifier, ..ReKeyRequest::default() }
            }
            /// Re-key Key Pair: replaces a key pair, named by its private key.
            re_key_key_pair(
                private_key_unique_identifier: impl Into<UniqueIdentifier>,
            ) -> ReKeyKeyPairRequest => ReKeyKeyPairResponse {
                ReKeyKeyPairRequest {
                    private_key_unique_identifier: Some(private_key_unique_identifier.into()),
                    ..ReKeyKeyPairRequest::default()
                }
            }
            /// Derive Key: makes an object out of others.
            derive_key(request: DeriveKeyRequest) -> DeriveKeyRequest => DeriveKeyResponse {
                request
            }
            /// Certify: issues a certificate for a public key.
            certify(request: CertifyRequest) -> CertifyRequest => CertifyResponse {
                request
            }
            /// Re-certify: renews a certificate.
            re_certify(request: ReCertifyRequest) -> ReCertifyRequest => ReCertifyResponse {
                request
            }
            /// Create Split Key: makes a key in parts.
            create_split_key(
                request: CreateSplitKeyRequest,
            ) -> CreateSplitKeyRequest => CreateSplitKeyResponse {
                request
            }
            /// Join Split Key: puts the parts together.
            join_split_key(
                request: JoinSplitKeyRequest,
            ) -> JoinSplitKeyRequest => JoinSplitKeyResponse {
                request
            }
            /// Get: fetches an object.
            get(unique_identifier: impl Into<UniqueIdentifier>) -> GetRequest => GetResponse {
                let unique_identifier = Some(unique_identifier.into());
                GetRequest { unique_identifier, ..GetRequest::default() }
            }
            /// Activate: puts an object to use.
            activate(
                unique_identifier: impl Into<UniqueIdentifier>,
            ) -> ActivateRequest => ActivateResponse {
                ActivateRequest { unique_identifier: Some(unique_identifier.into()) }
            }
            /// Revoke: takes an object out of use.
            revoke(
                unique_identifier: impl Into<UniqueIdentifier>,
                reason: RevocationReasonCode,
                message: Option<String>,
            ) -> RevokeRequest => RevokeResponse {
                RevokeRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    revocation_reason: RevocationReason {
                        revocation_reason_code: reason,
                        revocation_message: message,
                    },
                    compromise_occurrence_date: None,
                }
            }
            /// Destroy: destroys an object's key material.
            destroy(
                unique_identifier: impl Into<UniqueIdentifier>,
            ) -> DestroyRequest => DestroyResponse {
                DestroyRequest { unique_identifier: Some(unique_identifier.into()) }
            }
            /// Archive: puts an object away.
            archive(
                unique_identifier: impl Into<UniqueIdentifier>,
            ) -> ArchiveRequest => ArchiveResponse {
                ArchiveRequest { unique_identifier: Some(unique_identifier.into()) }
            }
            /// Recover: brings an archived object back.
            recover(
                unique_identifier: impl Into<UniqueIdentifier>,
            ) -> RecoverRequest => RecoverResponse {
                RecoverRequest { unique_identifier: Some(unique_identifier.into()) }
            }
            /// Export (1.4 and later): an object with all its attributes.
            export(
                unique_identifier: impl Into<UniqueIdentifier>,
            ) -> ExportRequest => ExportResponse {
                let unique_identifier = Some(unique_identifier.into());
                ExportRequest { unique_identifier, ..ExportRequest::default() }
            }
            /// Import (1.4 and later): stores what was exported, under the same identifier.
            import(
                unique_identifier: impl Into<UniqueIdentifier>,
                object: Object,
                attributes: impl IntoIterator<Item = Attribute>,
            ) -> ImportRequest => ImportResponse {
                ImportRequest {
                    unique_identifier: unique_identifier.into(),
                    object_type: Some(object.object_type()),
                    replace_existing: None,
                    key_wrap_type: None,
                    attributes: AttributeList(list(attributes)),
                    object,
                }
            }
        }
    };
}
pub(crate) use objects;

objects!(functions(OBJECTS));
