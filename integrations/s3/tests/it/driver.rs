//! What the driver asks for, and what comes of it.

use std::collections::HashSet;
use std::sync::Arc;

use claviger_client::tls::Settings;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::{Name, VendorAttribute};
use claviger_kmip::enums::{Operation, State};
use claviger_kmip::{Version, tags};
use claviger_s3::driver::{DataKey, Driver, DriverError, KeyId, Options};
use claviger_ttlv::{Node, Value};

use crate::claviger::Claviger;
use crate::host::{Host, Mood, options};

/// A data key, and what it is under a key of 32 bytes of 7: recorded from CloudServer 8.8.
const CIPHERED: &str = "0dec55f125c04fc50228c6606cfcb22ae366e19193c28fad4bb38a51b7a5b456\
                        dc1233e29edc5713abb624c1fb4d5c2f";

fn data_key() -> DataKey {
    DataKey::copy_of(&std::array::from_fn(|at| u8::try_from(at).unwrap()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn straight(claviger: &Claviger) -> Options {
    Options::new(vec![claviger.endpoint.clone()], claviger.files.settings())
}

#[tokio::test]
async fn every_call_causes_the_operations_of_zenko_and_no_more() {
    let claviger = Claviger::start();
    let host = Host::before(&claviger);
    let driver = Driver::new(options(&claviger, &[&host])).unwrap();
    let key = driver.create_bucket_key("photos").await.unwrap();
    use Operation as Op;
    assert_eq!(host.asked(), [Op::DISCOVER_VERSIONS, Op::CREATE, Op::ACTIVATE]);
    assert_eq!(claviger.state(key.as_str()), State::ACTIVE);
    let plain = DataKey::generate().unwrap();
    let ciphered = driver.cipher_data_key(&key, &plain).await.unwrap();
    assert_eq!(host.asked(), [Op::ENCRYPT]);
    assert_ne!(ciphered[..32], plain.bytes()[..]);
    let opened = driver.decipher_data_key(&key, &ciphered).await.unwrap();
    assert_eq!(host.asked(), [Op::DECRYPT]);
    assert_eq!(opened.bytes(), plain.bytes());
    driver.health_check().await.unwrap();
    assert_eq!(host.asked(), [Op::QUERY, Op::QUERY], "and no key is made for it");
    driver.destroy_bucket_key(&key).await.unwrap();
    assert_eq!(host.asked(), [Op::REVOKE, Op::DESTROY]);
    let failure = driver.decipher_data_key(&key, &ciphered).await.unwrap_err().s3();
    assert_eq!((failure.code, failure.status), ("KMS.NotFoundException", 400));

    let compound = Options { compound_create: true, ..options(&claviger, &[&host]) };
    let driver = Driver::new(compound).unwrap();
    host.asked();
    let key = driver.create_bucket_key("photos").await.unwrap();
    assert_eq!(host.asked(), [Op::DISCOVER_VERSIONS, Op::CREATE]);
    assert_eq!(claviger.state(key.as_str()), State::ACTIVE);
    driver.cipher_data_key(&key, &plain).await.unwrap();
}

#[tokio::test]
async fn data_keys_that_zenko_wrapped_open_and_the_other_way_round() {
    let claviger = Claviger::start();
    let key: KeyId = claviger.register(&[7; 32]).parse().unwrap();
    let driver = Driver::new(straight(&claviger)).unwrap();
    let ciphered = driver.cipher_data_key(&key, &data_key()).await.unwrap();
    assert_eq!(hex(&ciphered), CIPHERED);
    let opened = driver.decipher_data_key(&key, &ciphered).await.unwrap();
    assert_eq!(opened.bytes(), data_key().bytes());
    let prefixed = format!("arn:scality:kms:external:kmip:thales:key/{key}").parse().unwrap();
    driver.decipher_data_key(&prefixed, &ciphered).await.unwrap();
}

#[tokio::test]
async fn keys_have_what_the_options_say() {
    let claviger = Claviger::start();
    let options = Options {
        bucket_attribute_name: Some(String::from("x-bucket")),
        provider: Some(String::from("claviger")),
        ..straight(&claviger)
    };
    let driver = Driver::new(options).unwrap();
    let key = driver.create_bucket_key("bücket-1").await.unwrap();
    let sent = key.as_str().strip_prefix("arn:scality:kms:external:kmip:claviger:key/").unwrap();
    let bucket = Attribute::Vendor(VendorAttribute {
        vendor_identification: String::from("x"),
        attribute_name: String::from("bucket"),
        attribute_value: Node {
            tag: tags::ATTRIBUTE_VALUE,
            value: Value::TextString(String::from("bücket-1")),
        },
    });
    assert_eq!(claviger.keys_with(vec![bucket]), [sent]);
    assert_eq!(claviger.keys_with(vec![Attribute::Name(Name::text("bücket-1"))]).len(), 0);
    let sealed = driver.cipher_data_key(&key, &data_key()).await.unwrap();
    driver.decipher_data_key(&key, &sealed).await.unwrap();
    driver.destroy_bucket_key(&key).await.unwrap();
    assert!(claviger.keys().is_empty());
}

#[tokio::test]
async fn refusals_are_told_as_the_table_says() {
    let claviger = Claviger::start();
    let driver = Driver::new(straight(&claviger)).unwrap();
    let key = driver.create_bucket_key("photos").await.unwrap();
    let sealed = driver.cipher_data_key(&key, &data_key()).await.unwrap();
    let told = |error: DriverError| {
        let failure = error.s3();
        assert!(!failure.message.contains("127.0.0.1"), "{}", failure.message);
        (failure.code, failure.status, failure.message)
    };
    let unknown: KeyId = "no-such-key".parse().unwrap();
    let (code, status, _) = told(driver.cipher_data_key(&unknown, &data_key()).await.unwrap_err());
    assert_eq!((code, status), ("KMS.NotFoundException", 400));
    for corrupt in [vec![0xff; 48], vec![1; 47], vec![]] {
        let (code, status, message) =
            told(driver.decipher_data_key(&key, &corrupt).await.unwrap_err());
        assert_eq!((code, status), ("AccessDenied", 403), "{message}");
    }
    claviger.revoke(key.as_str());
    let (code, status, message) =
        told(driver.cipher_data_key(&key, &data_key()).await.unwrap_err());
    assert_eq!((code, status), ("AccessDenied", 403));
    assert!(message.starts_with(&format!("KMS (KMIP) error for Encrypt on {key}. ")), "{message}");
    assert!(driver.decipher_data_key(&key, &sealed).await.is_ok(), "what it wrapped still opens");
    // A key that is out of use already can be destroyed.
    driver.destroy_bucket_key(&key).await.unwrap();
    assert!(claviger.keys().is_empty());
    assert!(driver.destroy_bucket_key(&unknown).await.unwrap_err().is_absent());
    assert!(matches!(driver.create_bucket_key("").await, Err(DriverError::Bucket)));
}

#[tokio::test]
async fn many_at_once_get_their_own_at_every_depth() {
    let claviger = Claviger::start();
    for depth in [0, 1, 8, 64] {
        let host = Host::before(&claviger);
        let options = Options { pipeline_depth: depth, ..options(&claviger, &[&host]) };
        let driver = Arc::new(Driver::new(options).unwrap());
        let key = driver.create_bucket_key("photos").await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (driver, key) = (Arc::clone(&driver), key.clone());
            tasks.spawn(async move {
                let plain = DataKey::generate().unwrap();
                let sealed = driver.cipher_data_key(&key, &plain).await.unwrap();
                let opened = driver.decipher_data_key(&key, &sealed).await.unwrap();
                assert_eq!(opened.bytes(), plain.bytes());
                sealed
            });
        }
        let sealed: HashSet<Vec<u8>> = tasks.join_all().await.into_iter().collect();
        assert_eq!(sealed.len(), 100);
        let asked = host.asked();
        let of = |operation| asked.iter().filter(|it| **it == operation).count();
        assert_eq!((of(Operation::ENCRYPT), of(Operation::DECRYPT)), (100, 100));
        assert_eq!(of(Operation::DISCOVER_VERSIONS), 1, "one connection for all");
    }
}

#[tokio::test]
async fn health_is_of_every_server_and_what_it_lacks() {
    let claviger = Claviger::start();
    let hosts = [Host::before(&claviger), Host::before(&claviger), Host::before(&claviger)];
    let driver = Driver::new(options(&claviger, &[&hosts[0], &hosts[1], &hosts[2]])).unwrap();
    let health = driver.health_check().await.unwrap();
    for server in &health.servers {
        assert!(server.is_usable() && server.missing.is_nothing(), "{server:?}");
        assert_eq!(server.version, Some(Version::V1_4));
        assert!(server.vendor.is_some());
    }
    hosts[0].die();
    hosts[1].turns(Mood::Old, usize::MAX);
    let driver = Driver::new(options(&claviger, &[&hosts[0], &hosts[1], &hosts[2]])).unwrap();
    let health = driver.health_check().await.unwrap();
    let usable: Vec<bool> = health.servers.iter().map(|server| server.is_usable()).collect();
    assert_eq!(usable, [false, false, true]);
    assert_eq!(health.servers[1].server, hosts[1].endpoint());
    assert_eq!(
        health.servers[1].problem.as_deref(),
        Some("it speaks no version of KMIP from 1.2 to 1.4")
    );
    hosts[2].die();
    let failure = driver.health_check().await.unwrap_err().s3();
    assert_eq!((failure.code, failure.status), ("ServiceUnavailable", 503));
    assert!(claviger.keys().is_empty());
}

#[test]
fn a_driver_needs_options_that_work() {
    let nobody = || Options::new(Vec::new(), Settings::default());
    let disabled = Options { enabled: false, ..nobody() };
    assert!(matches!(Driver::new(disabled), Err(DriverError::Disabled)));
    assert!(
        matches!(Driver::new(nobody()), Err(DriverError::Options(problems)) if problems.len() == 2)
    );
    let file = Settings { certificate: Some("nowhere.pem".into()), ..Settings::default() };
    let options = Options::new(vec!["kms".parse().unwrap()], file);
    let error = Driver::new(options).unwrap_err();
    assert!(matches!(&error, DriverError::Files(_)) && error.to_string().contains("nowhere.pem"));
    assert!(!error.s3().message.contains("nowhere"));
}
