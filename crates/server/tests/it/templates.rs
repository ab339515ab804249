//! Templates (KMIP 1.x): what a new object takes from one that is named, and what the request says over it.

use claviger_kmip::Version;
use claviger_kmip::attributes::values::{Name, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::enums::{ObjectType, ResultReason};
use claviger_kmip::objects::{Object, Template};
use claviger_kmip::payload::RegisterRequest;

use crate::cryptography::values;
use crate::fixture::{Fixture, create_request, name};

fn group(text: &str) -> Attribute {
    Attribute::ObjectGroup(text.to_owned())
}

fn contact(text: &str) -> Attribute {
    Attribute::ContactInformation(text.to_owned())
}

#[tokio::test]
async fn the_values_of_a_template_come_first_and_the_request_goes_over_a_single_one() {
    let fixture = Fixture::new();
    let own: Attributes = [group("template"), contact("template")].into_iter().collect();
    let register = RegisterRequest {
        object_type: ObjectType::TEMPLATE,
        attributes: Attributes::from_iter([name("t")]).into(),
        object: Object::Template(Template { attributes: own }),
        protection_storage_masks: None,
    };
    fixture.call(Version::V1_2, &register).await;

    let mut create = create_request(vec![group("request"), contact("request")]);
    create.attributes.names = vec![Name::text("t")];
    let UniqueIdentifier::Text(key) = fixture.call(Version::V1_2, &create).await.unique_identifier
    else {
        panic!("no text")
    };
    let groups = [group("template"), group("request")];
    assert_eq!(values(&fixture, &key, AttributeId::ObjectGroup).await, groups);
    let contacts = [contact("request")];
    assert_eq!(values(&fixture, &key, AttributeId::ContactInformation).await, contacts);
    assert_eq!(values(&fixture, &key, AttributeId::Name).await, [], "that one is the template's");

    create.attributes.names = vec![Name::text("none")];
    let refused = fixture.attempt(Version::V1_2, &create).await;
    assert_eq!(refused.reason, Some(ResultReason::ITEM_NOT_FOUND));
}
