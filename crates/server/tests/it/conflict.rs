//! Concurrent changes to one object: each happens, none is lost, and the life cycle holds.

use std::sync::Arc;

use claviger_kmip::Version;
use claviger_kmip::attributes::{AttributeId, AttributeReference};
use claviger_kmip::compat::{NewAttribute, References};
use claviger_kmip::enums::ResultStatus;
use claviger_kmip::payload::{
    ActivateRequest, AddAttributeRequest, GetAttributesRequest, GetAttributesResponse,
};

use crate::fixture::{Fixture, name};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attributes_added_at_the_same_time_are_all_there() {
    let fixture = Arc::new(Fixture::new());
    let key = fixture.create(vec![]).await;
    let tasks = (0..12).map(|number| {
        let (fixture, key) = (Arc::clone(&fixture), key.clone());
        tokio::spawn(async move {
            let request = AddAttributeRequest {
                unique_identifier: Some(key.as_str().into()),
                new_attribute: NewAttribute(name(&format!("name {number}")).into()),
            };
            fixture.attempt(Version::V1_2, &request).await.status
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut done = 0;
    for task in tasks {
        assert_eq!(task.await.unwrap(), ResultStatus::SUCCESS);
        done += 1;
    }
    let GetAttributesResponse { attributes, .. } = fixture
        .call(
            Version::V1_2,
            &GetAttributesRequest {
                unique_identifier: Some(key.as_str().into()),
                attribute_reference: References(vec![AttributeReference::Standard(
                    AttributeId::Name,
                )]),
            },
        )
        .await;
    let mut indices: Vec<_> =
        attributes.0.0.iter().map(|instance| instance.index.unwrap_or(0)).collect();
    indices.sort_unstable();
    assert_eq!(indices, (0..done).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_activations_exactly_one_succeeds() {
    let fixture = Arc::new(Fixture::new());
    for _ in 0..20 {
        let key = fixture.create(vec![]).await;
        let tasks = (0..6).map(|_| {
            let (fixture, key) = (Arc::clone(&fixture), key.clone());
            tokio::spawn(async move {
                let request = ActivateRequest { unique_identifier: Some(key.as_str().into()) };
                fixture.attempt(Version::V1_4, &request).await.status
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut successes = 0;
        for task in tasks {
            if task.await.unwrap() == ResultStatus::SUCCESS {
                successes += 1;
            }
        }
        assert_eq!(successes, 1);
    }
}
