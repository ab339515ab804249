//! Locate over more objects than one page of a scan has.

use claviger_kmip::Version;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::compat::AttributeList;
use claviger_kmip::enums::{ObjectType, ResultReason};
use claviger_kmip::payload::LocateRequest;

use crate::fixture::{Fixture, name};

/// More than two pages.
const OBJECTS: usize = 1_100;

#[tokio::test]
async fn every_object_of_a_large_scope_is_found_once_newest_first() {
    let fixture = Fixture::new();
    let mut made = Vec::new();
    for _ in 0..OBJECTS {
        made.push(UniqueIdentifier::Text(fixture.create(vec![name("one of many")]).await));
    }
    made.reverse();
    // By an index, and by looking at every object.
    for condition in [name("one of many"), Attribute::ObjectType(ObjectType::SYMMETRIC_KEY)] {
        let attributes = AttributeList([condition.clone()].into_iter().collect());
        let all = LocateRequest { attributes, ..LocateRequest::default() };
        let found = fixture.call(Version::V1_4, &all).await.unique_identifier;
        assert!(found == made, "{} found by {condition:?}", found.len());
        let page = LocateRequest { offset_items: Some(900), maximum_items: Some(100), ..all };
        let answer = fixture.call(Version::V1_4, &page).await;
        assert_eq!(answer.located_items, i32::try_from(OBJECTS).ok());
        assert!(answer.unique_identifier == made[900..1_000], "{condition:?}");
    }
}

#[tokio::test]
async fn a_query_has_no_more_conditions_than_an_object_can_meet() {
    let fixture = Fixture::new();
    let ask = |count: usize| LocateRequest {
        attributes: AttributeList((0..count).map(|at| name(&at.to_string())).collect()),
        ..LocateRequest::default()
    };
    assert!(fixture.call(Version::V1_4, &ask(1_024)).await.unique_identifier.is_empty());
    let refused = fixture.attempt(Version::V1_4, &ask(1_025)).await;
    assert_eq!(refused.reason, Some(ResultReason::INVALID_FIELD));
}
