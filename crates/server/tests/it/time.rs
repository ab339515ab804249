//! Dates act at the instant they name: Locate by State and Get Attributes agree at any time.

use claviger_kmip::Version;
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference, Attributes};
use claviger_kmip::codec::DateTime;
use claviger_kmip::compat::{AttributeList, References};
use claviger_kmip::enums::State;
use claviger_kmip::payload::{
    GetAttributesRequest, GetAttributesResponse, LocateRequest, LocateResponse,
};

use crate::fixture::{Fixture, START, name};

async fn state(fixture: &Fixture, identifier: &str) -> State {
    let GetAttributesResponse { attributes, .. } = fixture
        .call(
            Version::V1_4,
            &GetAttributesRequest {
                unique_identifier: Some(identifier.into()),
                attribute_reference: References(vec![AttributeReference::Standard(
                    AttributeId::State,
                )]),
            },
        )
        .await;
    match attributes.0.0.first().map(|instance| &instance.attribute) {
        Some(Attribute::State(state)) => *state,
        other => panic!("{other:?}"),
    }
}

async fn located(fixture: &Fixture, conditions: Vec<Attribute>) -> Vec<String> {
    let attributes: Attributes = conditions.into_iter().collect();
    let LocateResponse { unique_identifier, .. } = fixture
        .call(
            Version::V1_2,
            &LocateRequest { attributes: AttributeList(attributes), ..LocateRequest::default() },
        )
        .await;
    unique_identifier
        .into_iter()
        .map(|identifier| match identifier {
            claviger_kmip::attributes::values::UniqueIdentifier::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Every key is found under exactly the state that its attributes name, through the index and
/// through a scan, at every second across all its dates.
#[tokio::test]
async fn locate_by_state_and_get_attributes_agree_at_every_instant() {
    let fixture = Fixture::new();
    let at = |offset: i64| DateTime(START + offset);
    let lives: Vec<(&str, Vec<Attribute>)> = vec![
        ("none", vec![]),
        ("now", vec![Attribute::ActivationDate(at(0))]),
        ("past", vec![Attribute::ActivationDate(DateTime(0))]),
        (
            "whole life",
            vec![
                Attribute::ActivationDate(at(3)),
                Attribute::ProcessStartDate(at(4)),
                Attribute::ProtectStopDate(at(6)),
                Attribute::DeactivationDate(at(8)),
            ],
        ),
        ("never active", vec![Attribute::DeactivationDate(at(5))]),
        ("late", vec![Attribute::ActivationDate(at(9))]),
    ];
    let mut keys = Vec::new();
    for (label, dates) in lives {
        let mut attributes = dates;
        attributes.push(name(label));
        keys.push((label, fixture.create(attributes).await));
    }
    let mut seen = std::collections::BTreeSet::new();
    for second in 0..12 {
        fixture.clock.set(START + second);
        for wanted in [State::PRE_ACTIVE, State::ACTIVE, State::DEACTIVATED] {
            let by_scan = located(&fixture, vec![Attribute::State(wanted)]).await;
            for (label, key) in &keys {
                let is = state(&fixture, key).await;
                let by_name = located(&fixture, vec![name(label), Attribute::State(wanted)]).await;
                assert_eq!(by_scan.contains(key), is == wanted, "{label} at {second}");
                assert_eq!(by_name.contains(key), is == wanted, "{label} by name at {second}");
                seen.insert((*label, is));
            }
        }
    }
    for expected in [
        ("none", State::PRE_ACTIVE),
        ("past", State::ACTIVE),
        ("whole life", State::PRE_ACTIVE),
        ("whole life", State::ACTIVE),
        ("whole life", State::DEACTIVATED),
        ("late", State::ACTIVE),
    ] {
        assert!(seen.contains(&expected), "{expected:?} was never seen");
    }
    assert!(!seen.contains(&("never active", State::DEACTIVATED)));
}

/// The exact second of each transition.
#[tokio::test]
async fn a_date_is_reached_at_its_second_and_not_before() {
    let fixture = Fixture::new();
    let key = fixture
        .create(vec![
            Attribute::ActivationDate(DateTime(START + 10)),
            Attribute::DeactivationDate(DateTime(START + 20)),
        ])
        .await;
    for (offset, expected) in
        [(9, State::PRE_ACTIVE), (10, State::ACTIVE), (19, State::ACTIVE), (20, State::DEACTIVATED)]
    {
        fixture.clock.set(START + offset);
        assert_eq!(state(&fixture, &key).await, expected, "at {offset}");
    }
}

/// The same date twice is an inclusive range.
#[tokio::test]
async fn a_date_given_twice_is_a_range() {
    let fixture = Fixture::new();
    let key = fixture.create(vec![Attribute::ActivationDate(DateTime(START + 100))]).await;
    let range = |first: i64, last: i64| {
        vec![
            Attribute::ActivationDate(DateTime(START + first)),
            Attribute::ActivationDate(DateTime(START + last)),
        ]
    };
    for (first, last, hit) in
        [(100, 100, true), (99, 100, true), (100, 101, true), (101, 200, false), (0, 99, false)]
    {
        let found = located(&fixture, range(first, last)).await;
        assert_eq!(found.contains(&key), hit, "{first}..{last}");
        let backwards = located(&fixture, range(last, first)).await;
        assert_eq!(backwards.contains(&key), hit, "{last}..{first}");
    }
}
