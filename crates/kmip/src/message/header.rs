//! Message headers and what stands in them.

use claviger_ttlv::{Item, ItemType, Node, Tag};

use crate::Version;
use crate::codec::{ByteString, DateTime, Encoder, Wire, structure::structure};
use crate::enums::{self, AttestationType, BatchErrorContinuationOption, CredentialType};
use crate::error::Error;

structure! {
    /// Protocol Version (KMIP 2.1 §8.23).
    pub struct ProtocolVersion {
        /// Major.
        protocol_version_major: i32 = PROTOCOL_VERSION_MAJOR,
        /// Minor.
        protocol_version_minor: i32 = PROTOCOL_VERSION_MINOR,
    }

    /// Who the client says it is, beside its certificate (KMIP 2.1 §8.4).
    pub struct Authentication {
        /// The credentials; all must hold.
        credential: Vec<Credential> = CREDENTIAL,
    }

    /// One credential (KMIP 2.1 §7.9).
    pub struct Credential {
        /// Its kind.
        credential_type: CredentialType = CREDENTIAL_TYPE,
        /// Its content, a structure by its kind.
        credential_value: Node = CREDENTIAL_VALUE,
    }

    /// An extension of a batch item (KMIP 2.1 §8.15).
    pub struct MessageExtension {
        /// Who defines it.
        vendor_identification: String = VENDOR_IDENTIFICATION,
        /// Whether the item must fail if the extension is not understood.
        criticality_indicator: bool = CRITICALITY_INDICATOR,
        /// Its content.
        vendor_extension: Node = VENDOR_EXTENSION,
    }

    /// Request Header (KMIP 2.1 §8.1).
    pub struct RequestHeader {
        /// The version that the message is in and wants to be answered in.
        protocol_version: ProtocolVersion = PROTOCOL_VERSION,
        /// The largest answer that the client takes, in bytes.
        maximum_response_size: Option<i32> = MAXIMUM_RESPONSE_SIZE,
        /// For the logs of both sides.
        client_correlation_value: Option<String> = CLIENT_CORRELATION_VALUE since V1_4,
        /// For the logs of both sides.
        server_correlation_value: Option<String> = SERVER_CORRELATION_VALUE since V1_4,
        /// Whether the client takes an answer that comes later.
        asynchronous_indicator: Option<AsynchronousIndicator> = ASYNCHRONOUS_INDICATOR,
        /// Whether the client can attest.
        attestation_capable_indicator: Option<bool> = ATTESTATION_CAPABLE_INDICATOR since V1_2,
        /// How.
        attestation_type: Vec<AttestationType> = ATTESTATION_TYPE since V1_2,
        /// Credentials beside the certificate.
        authentication: Option<Authentication> = AUTHENTICATION,
        /// What happens after a batch item failed.
        batch_error_continuation_option: Option<BatchErrorContinuationOption> =
            BATCH_ERROR_CONTINUATION_OPTION,
        /// Whether the items must be done in order.
        batch_order_option: Option<bool> = BATCH_ORDER_OPTION,
        /// When the client sent it.
        time_stamp: Option<DateTime> = TIME_STAMP,
        /// How many batch items follow.
        batch_count: i32 = BATCH_COUNT,
    }

    /// Response Header (KMIP 2.1 §8.2).
    pub struct ResponseHeader {
        /// The version of the request.
        protocol_version: ProtocolVersion = PROTOCOL_VERSION,
        /// When the server answered.
        time_stamp: DateTime = TIME_STAMP,
        /// For attestation.
        nonce: Option<Node> = NONCE since V1_2,
        /// Proof that the server knows the client's password (KMIP 2.0 and later).
        server_hashed_password: Option<ByteString> = SERVER_HASHED_PASSWORD since V2_0,
        /// Attestations that the server takes.
        attestation_type: Vec<AttestationType> = ATTESTATION_TYPE since V1_2,
        /// The request's.
        client_correlation_value: Option<String> = CLIENT_CORRELATION_VALUE since V1_4,
        /// For the logs of both sides.
        server_correlation_value: Option<String> = SERVER_CORRELATION_VALUE since V1_4,
        /// How many batch items follow.
        batch_count: i32 = BATCH_COUNT,
    }
}

impl From<Version> for ProtocolVersion {
    fn from(version: Version) -> Self {
        Self { protocol_version_major: version.major, protocol_version_minor: version.minor }
    }
}

impl From<&ProtocolVersion> for Version {
    fn from(version: &ProtocolVersion) -> Self {
        Self::new(version.protocol_version_major, version.protocol_version_minor)
    }
}

impl RequestHeader {
    /// A header that asks for nothing special.
    #[must_use]
    pub fn new(version: Version, batch_count: i32) -> Self {
        Self {
            protocol_version: version.into(),
            maximum_response_size: None,
            client_correlation_value: None,
            server_correlation_value: None,
            asynchronous_indicator: None,
            attestation_capable_indicator: None,
            attestation_type: Vec::new(),
            authentication: None,
            batch_error_continuation_option: None,
            batch_order_option: None,
            time_stamp: None,
            batch_count,
        }
    }
}

/// Whether the client takes an answer that comes later: a Boolean in 1.x, an Enumeration in 2.x.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AsynchronousIndicator(pub enums::AsynchronousIndicator);

impl Wire for AsynchronousIndicator {
    fn decode(item: &Item<'_>, _: Version) -> Result<Self, Error> {
        if item.item_type == ItemType::Enumeration {
            return Ok(Self(enums::AsynchronousIndicator(item.enumeration()?)));
        }
        Ok(Self(if item.boolean()? {
            enums::AsynchronousIndicator::OPTIONAL
        } else {
            enums::AsynchronousIndicator::PROHIBITED
        }))
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        if encoder.version().is_1x() {
            let may = self.0 != enums::AsynchronousIndicator::PROHIBITED;
            encoder.writer.boolean(tag, may);
        } else {
            self.0.encode(encoder, tag);
        }
    }
}
