//! Finding objects, their attributes, and how much they may be used.

use super::vocabulary::*;
use super::{functions, list};

macro_rules! attributes {
    ($callback:ident $context:tt) => {
        $callback! { $context
            /// Locate: finds the objects that have all these attributes.
            locate(
                attributes: impl IntoIterator<Item = Attribute>,
            ) -> LocateRequest => LocateResponse {
                let attributes = AttributeList(list(attributes));
                LocateRequest { attributes, ..LocateRequest::default() }
            }
            /// Check: whether an object may be used so.
            check(
                unique_identifier: impl Into<UniqueIdentifier>,
                usage: CryptographicUsageMask,
            ) -> CheckRequest => CheckResponse {
                CheckRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    cryptographic_usage_mask: Some(usage),
                    ..CheckRequest::default()
                }
            }
            /// Get Attributes: these, or all if none is named.
            get_attributes(
                unique_identifier: impl Into<UniqueIdentifier>,
                attributes: impl IntoIterator<Item = AttributeReference>,
            ) -> GetAttributesRequest => GetAttributesResponse {
                GetAttributesRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    attribute_reference: References(attributes.into_iter().collect()),
                }
            }
            /// Get Attribute List: which attributes an object has.
            get_attribute_list(
                unique_identifier: impl Into<UniqueIdentifier>,
            ) -> GetAttributeListRequest => GetAttributeListResponse {
                GetAttributeListRequest { unique_identifier: Some(unique_identifier.into()) }
            }
            /// Add Attribute.
            add_attribute(
                unique_identifier: impl Into<UniqueIdentifier>,
                attribute: Attribute,
            ) -> AddAttributeRequest => AddAttributeResponse {
                AddAttributeRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    new_attribute: NewAttribute(Instance::from(attribute)),
                }
            }
            /// Modify Attribute: replaces the only value, or the first in 1.x.
            modify_attribute(
                unique_identifier: impl Into<UniqueIdentifier>,
                attribute: Attribute,
            ) -> ModifyAttributeRequest => ModifyAttributeResponse {
                ModifyAttributeRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    current_attribute: CurrentAttribute(None),
                    new_attribute: NewAttribute(Instance::from(attribute)),
                }
            }
            /// Delete Attribute: all values, or the first in 1.x.
            delete_attribute(
                unique_identifier: impl Into<UniqueIdentifier>,
                attribute: AttributeReference,
            ) -> DeleteAttributeRequest => DeleteAttributeResponse {
                DeleteAttributeRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    attribute: DeletedAttribute {
                        reference: Some(attribute),
                        ..DeletedAttribute::default()
                    },
                }
            }
            /// Set Attribute (2.0 and later): gives an attribute its only value.
            set_attribute(
                unique_identifier: impl Into<UniqueIdentifier>,
                attribute: Attribute,
            ) -> SetAttributeRequest => SetAttributeResponse {
                SetAttributeRequest {
                    unique_identifier: Some(unique_identifier.into()),
                    new_attribute: NewAttribute(Instance::from(attribute)),
                }
            }
            /// Adjust Attribute (2.0 and later): adds to a number or turns a Boolean.
            adjust_attribute(
                request: AdjustAttributeRequest,
            ) -> AdjustAttributeRequest => AdjustAttributeResponse {
                request
            }
            /// Obtain Lease: how long a copy of the object may be used.
            obtain_lease(
                unique_identifier: impl Into<UniqueIdentifier>,
            ) -> ObtainLeaseRequest => ObtainLeaseResponse {
                ObtainLeaseRequest { unique_identifier: Some(unique_identifier.into()) }
            }
            /// Get Usage Allocation: takes so much of a key's usage limits.
            get_usage_allocation(
                unique_identifier: impl Into<UniqueIdentifier>,
                usage_limits_count: i64,
            ) -> GetUsageAllocationRequest => GetUsageAllocationResponse {
                let unique_identifier = Some(unique_identifier.into());
                GetUsageAllocationRequest { unique_identifier, usage_limits_count }
            }
        }
    };
}
pub(crate) use attributes;

attributes!(functions(ATTRIBUTES));
