//! Lists that are structures of their own (KMIP 2.1 §7.1, §7.2, §7.21 and §7.23 to §7.25).
//!
//! Shapes only: it must never know what a list selects.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::codec::{ByteString, DateTimeExtended};
use crate::enums::{ObjectType, Operation, ProcessingStage};

structure! {
    /// Object groups (KMIP 2.1 §7.23).
    #[derive(Default)]
    pub struct ObjectGroups {
        /// The groups.
        object_group: Vec<String> = OBJECT_GROUP,
    }

    /// Object types (KMIP 2.1 §7.24).
    #[derive(Default)]
    pub struct ObjectTypes {
        /// The types.
        object_type: Vec<ObjectType> = OBJECT_TYPE,
    }

    /// Objects (KMIP 2.1 §7.21).
    #[derive(Default)]
    pub struct Objects {
        /// The objects.
        unique_identifier: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER,
    }

    /// Operations (KMIP 2.1 §7.25).
    #[derive(Default)]
    pub struct Operations {
        /// The operations.
        operation: Vec<Operation> = OPERATION,
    }

    /// Pending requests, by what their responses carried (KMIP 2.1 §7.1).
    #[derive(Default)]
    pub struct AsynchronousCorrelationValues {
        /// The values.
        asynchronous_correlation_value: Vec<ByteString> = ASYNCHRONOUS_CORRELATION_VALUE,
    }

    /// A pending request (KMIP 2.1 §7.2).
    pub struct AsynchronousRequest {
        /// What its response carried.
        asynchronous_correlation_value: ByteString = ASYNCHRONOUS_CORRELATION_VALUE,
        /// Its operation.
        operation: Operation = OPERATION,
        /// When it came.
        submission_date: DateTimeExtended = SUBMISSION_DATE,
        /// How far it is.
        processing_stage: ProcessingStage = PROCESSING_STAGE,
    }
}
