//! Locate over more objects than one page of a scan has.

use claviger_kmip::Version;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::compat::AttributeList;
use claviger_kmip::enums::{ObjectGroupMember, ObjectType, ResultReason};
use claviger_kmip::payload::{GetRequest, LocateRequest};

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

#[tokio::test]
async fn of_the_fresh_members_of_a_group_the_oldest_is_the_first_to_be_taken() {
    let fixture = Fixture::new();
    let group = || Attribute::ObjectGroup("pool".to_owned());
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(fixture.create(vec![group()]).await);
    }
    let fresh = |conditions: Vec<Attribute>| LocateRequest {
        attributes: AttributeList(conditions.into_iter().collect()),
        object_group_member: Some(ObjectGroupMember::GROUP_MEMBER_FRESH),
        maximum_items: Some(1),
        ..LocateRequest::default()
    };
    for oldest in &made {
        // By an index, and by looking at every object.
        for conditions in [vec![group()], vec![]] {
            let found = fixture.call(Version::V1_2, &fresh(conditions)).await;
            assert_eq!(found.unique_identifier, [oldest.as_str().into()]);
        }
        let unique_identifier = Some(oldest.as_str().into());
        let take = GetRequest { unique_identifier, ..GetRequest::default() };
        fixture.call(Version::V1_2, &take).await;
    }
    let found = fixture.call(Version::V1_2, &fresh(vec![group()])).await;
    assert!(found.unique_identifier.is_empty());
}
