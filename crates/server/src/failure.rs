//! Why an operation was refused, and how each version says it.
//!
//! [`Reason`] is the server's own list, branching on who is to blame; [`Reason::result_reason`] is
//! the only place that knows the numbers on the wire (KMIP 1.4 §11, KMIP 2.1 §11.48).

use std::borrow::Cow;
use std::fmt;

use claviger_crypto::CryptoError;
use claviger_kmip::Version;
use claviger_kmip::enums::ResultReason;
use claviger_kmip::error::Problem;

/// A refused operation: the reason that the client gets, and a sentence for people. Neither ever
/// carries key material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// For people: what is wrong and, where it helps, what to do.
    pub message: Cow<'static, str>,
}

macro_rules! reasons {
    ($( $(#[$meta:meta])* $name:ident => $v1:ident, $v2:ident; )*) => {
        /// Why an operation was refused.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$meta])* $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            #[must_use]
            pub const fn result_reason(self, version: Version) -> ResultReason {
                match (self, version.is_1x()) {
                    $((Self::$name, true) => ResultReason::$v1,
                    (Self::$name, false) => ResultReason::$v2,)*
                }
            }
        }
    };
}

reasons! {
    /// The client's message cannot be understood.
    InvalidMessage => INVALID_MESSAGE, INVALID_MESSAGE;
    /// A field has no business there, or a value that it cannot have.
    InvalidField => INVALID_FIELD, INVALID_FIELD;
    /// Something that the operation needs was not given.
    MissingData => MISSING_DATA, INVALID_MESSAGE;
    /// The version is not spoken.
    UnsupportedVersion => INVALID_MESSAGE, UNSUPPORTED_PROTOCOL_VERSION;
    /// The operation is not there, or not in this version.
    OperationNotSupported => OPERATION_NOT_SUPPORTED, OPERATION_NOT_SUPPORTED;
    /// Something asked for is not built.
    FeatureNotSupported => FEATURE_NOT_SUPPORTED, FEATURE_NOT_SUPPORTED;
    /// The answer is larger than the client takes.
    ResponseTooLarge => RESPONSE_TOO_LARGE, RESPONSE_TOO_LARGE;
    /// No such object, or none that this client may know of.
    ObjectNotFound => ITEM_NOT_FOUND, OBJECT_NOT_FOUND;
    /// The object has been destroyed.
    ObjectDestroyed => ITEM_NOT_FOUND, OBJECT_DESTROYED;
    /// The object has been destroyed and cannot be destroyed again.
    AlreadyDestroyed => PERMISSION_DENIED, OBJECT_DESTROYED;
    /// The object is in the archive.
    ObjectArchived => OBJECT_ARCHIVED, OBJECT_ARCHIVED;
    /// The object is of another type than the operation works on.
    InvalidObjectType => INVALID_FIELD, INVALID_OBJECT_TYPE;
    /// The object is not one that can be replaced by a new key.
    CannotBeReKeyed => PERMISSION_DENIED, INVALID_OBJECT_TYPE;
    /// Dates cannot be moved with an Activation Date that is not there.
    NoActivationDate => ILLEGAL_OPERATION, INVALID_FIELD;
    /// The state or dates of the object do not allow it now.
    WrongState => PERMISSION_DENIED, WRONG_KEY_LIFECYCLE_STATE;
    /// The object's usage mask does not allow it.
    UsageMask => PERMISSION_DENIED, INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK;
    /// The object has been used as much as it may be.
    UsageLimit => PERMISSION_DENIED, PERMISSION_DENIED;
    /// Nobody is let in with that credential, whatever is asked.
    CredentialRefused => AUTHENTICATION_NOT_SUCCESSFUL, AUTHENTICATION_NOT_SUCCESSFUL;
    /// The role does not allow it, or the scope is being deleted.
    PermissionDenied => PERMISSION_DENIED, PERMISSION_DENIED;
    /// The attribute cannot be changed by clients.
    AttributeReadOnly => PERMISSION_DENIED, ATTRIBUTE_READ_ONLY;
    /// The attribute has a value and cannot have a second.
    AttributeSingleValued => ILLEGAL_OPERATION, ATTRIBUTE_SINGLE_VALUED;
    /// The attribute cannot be set by clients.
    ReadOnlyAttribute => INVALID_FIELD, READ_ONLY_ATTRIBUTE;
    /// An attribute that can have one value was given several.
    RepeatedAttribute => INVALID_FIELD, ATTRIBUTE_SINGLE_VALUED;
    /// The attribute has no value that could be replaced.
    AttributeMissing => INVALID_FIELD, ATTRIBUTE_NOT_FOUND;
    /// The object cannot be activated, revoked, or whatever was asked.
    IllegalOperation => ILLEGAL_OPERATION, INVALID_OBJECT_TYPE;
    /// The attribute can have several values, and it is not said which is meant.
    MultiValued => INVALID_FIELD, MULTI_VALUED_ATTRIBUTE;
    /// The object has as many attribute values as it can have.
    TooManyValues => INDEX_OUT_OF_BOUNDS, SERVER_LIMIT_EXCEEDED;
    /// The object has no such attribute.
    AttributeNotFound => ITEM_NOT_FOUND, ATTRIBUTE_NOT_FOUND;
    /// The attribute has no such value.
    AttributeInstanceNotFound => ITEM_NOT_FOUND, ATTRIBUTE_INSTANCE_NOT_FOUND;
    /// The attribute has fewer values than the index says.
    IndexOutOfBounds => INDEX_OUT_OF_BOUNDS, ATTRIBUTE_INSTANCE_NOT_FOUND;
    /// An attribute value that is not allowed.
    InvalidAttributeValue => INVALID_FIELD, INVALID_ATTRIBUTE_VALUE;
    /// No attribute is called that.
    InvalidAttribute => INVALID_FIELD, INVALID_ATTRIBUTE;
    /// The object has that Name already.
    NonUniqueName => ILLEGAL_OPERATION, NON_UNIQUE_NAME_ATTRIBUTE;
    /// The key may not leave in the clear.
    Sensitive => SENSITIVE, SENSITIVE;
    /// The key may not leave at all.
    NotExtractable => NOT_EXTRACTABLE, NOT_EXTRACTABLE;
    /// The key cannot be had in that format.
    KeyFormatTypeNotSupported => KEY_FORMAT_TYPE_NOT_SUPPORTED, KEY_FORMAT_TYPE_NOT_SUPPORTED;
    /// The key cannot be had in that compression.
    KeyCompressionTypeNotSupported =>
        KEY_COMPRESSION_TYPE_NOT_SUPPORTED, KEY_COMPRESSION_TYPE_NOT_SUPPORTED;
    /// The key cannot be had wrapped, or unwrapped, in that way.
    KeyWrapTypeNotSupported => FEATURE_NOT_SUPPORTED, KEY_WRAP_TYPE_NOT_SUPPORTED;
    /// The encoding option does not fit.
    EncodingOption => ENCODING_OPTION_ERROR, ENCODING_OPTION_ERROR;
    /// The object was registered without its value.
    KeyValueNotPresent => KEY_VALUE_NOT_PRESENT, KEY_VALUE_NOT_PRESENT;
    /// The object cannot be kept where the client wants it.
    ProtectionStorageUnavailable => FEATURE_NOT_SUPPORTED, PROTECTION_STORAGE_UNAVAILABLE;
    /// No such wrapping key.
    WrappingObjectNotFound => ITEM_NOT_FOUND, WRAPPING_OBJECT_NOT_FOUND;
    /// The wrapping key has been destroyed.
    WrappingObjectDestroyed => ITEM_NOT_FOUND, WRAPPING_OBJECT_DESTROYED;
    /// An object with that identifier is there already.
    ObjectAlreadyExists => OBJECT_ALREADY_EXISTS, OBJECT_ALREADY_EXISTS;
    /// The cryptographic parameters contradict each other or the key.
    BadCryptographicParameters => INVALID_FIELD, BAD_CRYPTOGRAPHIC_PARAMETERS;
    /// The cryptographic parameters are understood, but not built.
    UnsupportedCryptographicParameters =>
        INVALID_FIELD, UNSUPPORTED_CRYPTOGRAPHIC_PARAMETERS;
    /// The computation refused: a tag, a signature or a padding does not verify.
    CryptographicFailure => CRYPTOGRAPHIC_FAILURE, CRYPTOGRAPHIC_FAILURE;
    /// A limit of the server.
    ServerLimit => GENERAL_FAILURE, SERVER_LIMIT_EXCEEDED;
    /// The server is to blame, or the specification has no better word.
    GeneralFailure => GENERAL_FAILURE, GENERAL_FAILURE;
}

impl Failure {
    /// A refusal.
    pub fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<claviger_kmip::Error> for Failure {
    fn from(error: claviger_kmip::Error) -> Self {
        let reason = match error.problem {
            Problem::UnknownField => Reason::InvalidField,
            Problem::UnknownAttribute => Reason::InvalidAttribute,
            Problem::Encoding(_)
            | Problem::MissingField
            | Problem::OutOfOrder
            | Problem::BadValue => Reason::InvalidMessage,
        };
        Self::new(reason, error.to_string())
    }
}

/// Who is to blame for a refused computation. The texts of the error are fixed and hold nothing of
/// a key or of data.
impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        let reason = match error {
            CryptoError::MissingParameter(_) => Reason::InvalidMessage,
            CryptoError::BadParameters(_) | CryptoError::KeyMismatch(_) => {
                Reason::BadCryptographicParameters
            }
            CryptoError::UnsupportedCombination(_) => Reason::UnsupportedCryptographicParameters,
            CryptoError::BadKey(_) | CryptoError::AuthenticationFailed => {
                Reason::CryptographicFailure
            }
            CryptoError::Internal(what) => {
                tracing::error!(what, "cryptography");
                Reason::GeneralFailure
            }
            // A tag length that no mode has is what the profiles call a general failure.
            CryptoError::TagLength | _ => Reason::GeneralFailure,
        };
        Self::new(reason, error.to_string())
    }
}
