//! What is remembered of who was handed an object: it goes with the object and with its scope, also where it was on
//! its way to the store.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_kmip::Version;
use claviger_kmip::attributes::values::Digest;
use claviger_kmip::attributes::{Attribute, AttributeId};
use claviger_kmip::codec::ByteString;
use claviger_kmip::compat::AttributeList;
use claviger_kmip::enums::{HashingAlgorithm, KeyFormatType};
use claviger_kmip::payload::{GetRequest, ImportRequest};
use claviger_server::access::Objects as _;
use claviger_server::object::{ObjectId, Objects, Partition};
use claviger_store::{Batch, Engine, Key, Memory, Pending, Range, ReadError, Record, Revision};
use claviger_store::{Snapshot, Watch};

use crate::cryptography::{KEY, aes, values};
use crate::fixture::Fixture;

/// Long enough for a deletion that waits for nobody.
const WAITS: Duration = Duration::from_millis(300);

/// An engine that lets others go first: a batch with a row of a holder says that it has come, and is committed when
/// it is told to, or after a while.
struct Slow {
    inner: Memory,
    gate: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

impl Engine for Slow {
    fn get(&self, key: &[u8]) -> Result<Option<Record>, ReadError> {
        self.inner.get(key)
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Record)>, ReadError> {
        self.inner.scan(range)
    }

    fn commit(&self, batch: Batch) -> Pending {
        let is_of_holder = batch.put.iter().any(|put| put.key.first() == Some(&b'H'));
        let gate = if is_of_holder { self.gate.lock().unwrap().take() } else { None };
        if let Some((come, go)) = gate {
            come.send(()).unwrap();
            let _ = go.recv_timeout(WAITS);
        }
        self.inner.commit(batch)
    }

    fn watch(&self, from: Revision) -> Watch {
        self.inner.watch(from)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>, ReadError> {
        self.inner.snapshot()
    }
}

fn objects(fixture: &Fixture) -> Arc<Objects> {
    Arc::clone(&fixture.service.resources.objects)
}

fn get(key: &str) -> GetRequest {
    GetRequest { unique_identifier: Some(key.into()), ..GetRequest::default() }
}

fn partition(fixture: &Fixture) -> Partition {
    let scope = fixture.service.access.scope_id(fixture.mount.id(), "scope").unwrap();
    Partition { mount: *fixture.mount.id().as_bytes(), scope: *scope.as_bytes() }
}

fn holders(fixture: &Fixture, key: &str) -> usize {
    let id = ObjectId::parse(key).unwrap();
    objects(fixture).holders(partition(fixture), id).unwrap().len()
}

fn rows(engine: &dyn Engine) -> usize {
    let rows = [b'H', b'v'].map(|kind| engine.scan(&Range::prefix(&[kind])).unwrap().len());
    rows.iter().sum()
}

#[tokio::test]
async fn a_scope_that_is_deleted_while_a_flush_is_under_way_leaves_no_rows() {
    let (come, comes) = channel();
    let (goes, go) = channel();
    let engine = Arc::new(Slow { inner: Memory::new(), gate: Mutex::default() });
    let fixture = Fixture::over(engine.clone());
    let key = fixture.create(vec![]).await;
    fixture.call(Version::V1_4, &get(&key)).await;
    assert_eq!((holders(&fixture, &key), rows(&*engine)), (1, 0), "it waits to be stored");

    *engine.gate.lock().unwrap() = Some((come, go));
    let flushing = objects(&fixture);
    let flush = std::thread::spawn(move || flushing.flush_served());
    comes.recv().unwrap();
    let scope = fixture.service.access.scope_id(fixture.mount.id(), "scope").unwrap();
    objects(&fixture).delete_all(fixture.mount.id(), scope).unwrap();
    // Without effect where the deletion has waited.
    let _ = goes.send(());
    flush.join().unwrap().unwrap();
    assert_eq!(rows(&*engine), 0);
}

/// Who had the key that was there does not have the one that is.
#[tokio::test]
async fn a_replaced_object_has_been_handed_to_nobody() {
    for stored in [false, true] {
        let engine = Arc::new(Memory::new());
        let fixture = Fixture::over(engine.clone());
        let key = fixture.create(vec![]).await;
        let other = fixture.create(vec![]).await;
        for key in [&key, &other] {
            fixture.call(Version::V1_4, &get(key)).await;
        }
        if stored {
            objects(&fixture).flush_served().unwrap();
            assert_eq!(rows(&*engine), 4);
        }
        let request = ImportRequest {
            unique_identifier: key.as_str().into(),
            object_type: None,
            replace_existing: Some(true),
            key_wrap_type: None,
            attributes: AttributeList::default(),
            object: aes(&KEY),
        };
        fixture.call(Version::V1_4, &request).await;
        assert_eq!((holders(&fixture, &key), holders(&fixture, &other)), (0, 1), "{stored}");
        let fresh = |fresh| vec![Attribute::Fresh(fresh)];
        assert_eq!(values(&fixture, &key, AttributeId::Fresh).await, fresh(true));
        objects(&fixture).flush_served().unwrap();
        assert_eq!(rows(&*engine), 2, "those of the other");
        fixture.call(Version::V1_4, &get(&key)).await;
        assert_eq!((holders(&fixture, &key), holders(&fixture, &other)), (1, 1));
        assert_eq!(values(&fixture, &key, AttributeId::Fresh).await, fresh(false));
    }
}

/// The digest is the server's word for what it keeps.
#[tokio::test]
async fn an_imported_object_has_the_digest_of_its_value() {
    let fixture = Fixture::new();
    let key = fixture.create(vec![]).await;
    let digest_of = |value: Vec<u8>| {
        Attribute::Digest(Digest {
            hashing_algorithm: HashingAlgorithm::SHA_256,
            digest_value: Some(ByteString(value)),
            key_format_type: Some(KeyFormatType::RAW),
        })
    };
    let request = ImportRequest {
        unique_identifier: key.as_str().into(),
        object_type: None,
        replace_existing: Some(true),
        key_wrap_type: None,
        attributes: AttributeList([digest_of(vec![0; 32])].into_iter().collect()),
        object: aes(&KEY),
    };
    fixture.call(Version::V1_4, &request).await;
    let right = claviger_crypto::hash::hash(HashingAlgorithm::SHA_256, &KEY).unwrap();
    assert_eq!(values(&fixture, &key, AttributeId::Digest).await, [digest_of(right)]);
}
