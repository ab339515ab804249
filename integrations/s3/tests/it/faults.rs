//! Hosts that die, fall silent and lose answers: clients do not notice one of three, and no key is left over.

use std::sync::Arc;
use std::time::Duration;

use claviger_client::Timeouts;
use claviger_kmip::enums::{Operation, State};
use claviger_s3::driver::{DataKey, Driver, Options};
use tokio::task::JoinSet;

use crate::claviger::Claviger;
use crate::host::{Host, Mood, options};

fn cluster(claviger: &Claviger) -> [Host; 3] {
    std::array::from_fn(|_| Host::before(claviger))
}

fn driver_of(claviger: &Claviger, hosts: &[Host; 3]) -> Arc<Driver> {
    Arc::new(Driver::new(options(claviger, &hosts.each_ref())).unwrap())
}

/// So many buckets, each of which gets a key, wraps and unwraps, all at once; how many succeed.
async fn work(driver: &Arc<Driver>, buckets: usize, mut halfway: impl FnMut()) -> usize {
    let mut tasks = JoinSet::new();
    for number in 0..buckets {
        let driver = Arc::clone(driver);
        tasks.spawn(async move {
            let key = driver.create_bucket_key(&format!("bucket-{number}")).await?;
            for _ in 0..10 {
                let plain = DataKey::generate()?;
                let sealed = driver.cipher_data_key(&key, &plain).await?;
                let opened = driver.decipher_data_key(&key, &sealed).await?;
                assert_eq!(opened.bytes(), plain.bytes());
            }
            Ok::<_, claviger_s3::driver::DriverError>(key)
        });
    }
    let mut done = 0;
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap().unwrap();
        done += 1;
        if done == buckets / 3 {
            halfway();
        }
    }
    done
}

#[tokio::test]
async fn nobody_notices_that_any_one_of_three_hosts_dies() {
    let claviger = Claviger::start();
    let hosts = cluster(&claviger);
    let driver = driver_of(&claviger, &hosts);
    let mut keys = 0;
    for dead in &hosts {
        keys += work(&driver, 12, || dead.die()).await;
        // It may have been dead before the next work began.
        keys += work(&driver, 6, || {}).await;
        dead.rise();
        assert_eq!(claviger.keys().len(), keys, "no key is left over");
    }
    assert!(hosts.iter().all(|host| !host.asked().is_empty()), "each has its turn");
}

#[tokio::test]
async fn a_silent_host_costs_its_time_and_no_more() {
    let claviger = Claviger::start();
    let hosts = cluster(&claviger);
    let timeouts = Timeouts { request: Duration::from_secs(2), ..Timeouts::default() };
    let options = Options { timeouts, ..options(&claviger, &hosts.each_ref()) };
    let driver = Arc::new(Driver::new(options).unwrap());
    hosts[1].turns(Mood::Mute, usize::MAX);
    assert_eq!(work(&driver, 6, || {}).await, 6);
    assert_eq!(claviger.keys().len(), 6);
    // It is asked last from now on.
    hosts[1].asked();
    let key = driver.create_bucket_key("more").await.unwrap();
    driver.destroy_bucket_key(&key).await.unwrap();
    assert_eq!(hosts[1].asked(), []);
}

#[tokio::test]
async fn a_lost_answer_leaves_no_key_over_and_none_undestroyed() {
    let claviger = Claviger::start();
    let host = Host::before(&claviger);
    for compound_create in [false, true] {
        for lost in [Operation::CREATE, Operation::ACTIVATE, Operation::REVOKE, Operation::DESTROY]
        {
            if compound_create && lost == Operation::ACTIVATE {
                continue;
            }
            let options = Options { compound_create, ..options(&claviger, &[&host]) };
            let driver = Driver::new(options).unwrap();
            host.lose(lost);
            let key = driver.create_bucket_key("photos").await.unwrap();
            assert_eq!(claviger.keys(), [key.as_str()], "{lost:?}");
            assert_eq!(claviger.state(key.as_str()), State::ACTIVE);
            driver.cipher_data_key(&key, &DataKey::generate().unwrap()).await.unwrap();
            driver.destroy_bucket_key(&key).await.unwrap();
            assert!(claviger.keys().is_empty(), "{lost:?}");
            assert!(host.has_lost());
            host.asked();
        }
    }
}

#[tokio::test]
async fn a_lost_answer_of_encrypt_or_decrypt_is_not_noticed() {
    let claviger = Claviger::start();
    let host = Host::before(&claviger);
    let driver = Driver::new(options(&claviger, &[&host])).unwrap();
    let key = driver.create_bucket_key("photos").await.unwrap();
    let plain = DataKey::generate().unwrap();
    host.lose(Operation::ENCRYPT);
    let sealed = driver.cipher_data_key(&key, &plain).await.unwrap();
    host.lose(Operation::DECRYPT);
    let opened = driver.decipher_data_key(&key, &sealed).await.unwrap();
    assert_eq!(opened.bytes(), plain.bytes());
    assert!(host.has_lost());
}

#[tokio::test]
async fn a_key_of_which_nobody_knew_is_taken_up_by_the_next_request() {
    let claviger = Claviger::start();
    let host = Host::before(&claviger);
    let driver = Driver::new(options(&claviger, &[&host])).unwrap();
    // Its answer is lost as often as it is asked again.
    (0..3).for_each(|_| host.lose(Operation::CREATE));
    (0..3).for_each(|_| host.lose(Operation::LOCATE));
    let failure = driver.create_bucket_key("photos").await.unwrap_err().s3();
    assert_eq!((failure.code, failure.status), ("ServiceUnavailable", 503));
    let left_over = claviger.keys();
    assert_eq!(left_over.len(), 1);
    while !host.has_lost() {
        let _it_fails_again = driver.create_bucket_key("photos").await;
    }
    let key = driver.create_bucket_key("photos").await.unwrap();
    driver.cipher_data_key(&key, &DataKey::generate().unwrap()).await.unwrap();
    assert!(claviger.keys().contains(&key.to_string()));
    for key in claviger.keys() {
        assert_eq!(claviger.state(&key), State::ACTIVE, "no key is half-made");
    }
}

#[tokio::test]
async fn an_outage_is_503_without_addresses_and_ends_with_it() {
    let claviger = Claviger::start();
    let hosts = cluster(&claviger);
    let driver = driver_of(&claviger, &hosts);
    let key = driver.create_bucket_key("photos").await.unwrap();
    let plain = DataKey::generate().unwrap();
    let sealed = driver.cipher_data_key(&key, &plain).await.unwrap();
    hosts.iter().for_each(Host::die);
    for error in [
        driver.cipher_data_key(&key, &plain).await.unwrap_err(),
        driver.decipher_data_key(&key, &sealed).await.unwrap_err(),
        driver.create_bucket_key("other").await.unwrap_err(),
        driver.destroy_bucket_key(&key).await.unwrap_err(),
    ] {
        let failure = error.s3();
        assert_eq!((failure.code, failure.status), ("ServiceUnavailable", 503));
        assert!(!failure.message.contains("127.0.0.1"), "{}", failure.message);
        assert!(error.to_string().contains("127.0.0.1"), "the log says which: {error}");
    }
    hosts.iter().for_each(Host::rise);
    let opened = driver.decipher_data_key(&key, &sealed).await.unwrap();
    assert_eq!(opened.bytes(), plain.bytes());
    assert_eq!(claviger.keys(), [key.as_str()]);
}

#[tokio::test]
async fn a_session_that_the_server_ended_is_begun_anew() {
    let claviger = Claviger::start();
    let host = Host::before(&claviger);
    let driver = Driver::new(options(&claviger, &[&host])).unwrap();
    let key = driver.create_bucket_key("photos").await.unwrap();
    host.asked();
    host.turns(Mood::Expired, 1);
    let plain = DataKey::generate().unwrap();
    let sealed = driver.cipher_data_key(&key, &plain).await.unwrap();
    assert_eq!(host.asked(), [Operation::ENCRYPT, Operation::ENCRYPT]);
    driver.decipher_data_key(&key, &sealed).await.unwrap();
}
