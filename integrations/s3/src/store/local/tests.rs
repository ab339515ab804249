//! The store in a directory: what is there after every call, after a crash, and while others read.

use proptest::prelude::*;

use super::*;
use crate::store::{
    About, Condition, Deleted, Description, Entry, Match, Object, Part, Query, Store, Target,
    Upload, UploadedPart, Versioning,
};
use std::collections::BTreeMap;

const MANY: usize = 10_000;
const TARGET: Target<'_> = Target { bucket: "bucket", key: "key", part: None, condition: None };

fn open() -> (tempfile::TempDir, Local) {
    let directory = tempfile::tempdir().unwrap();
    let store = Local::open(directory.path()).unwrap();
    (directory, store)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

async fn fresh(store: &Local, content: &[u8]) -> Fresh {
    let mut sink = store.sink(TARGET, content.len() as u64).await.unwrap();
    sink.write(content.to_vec()).await.unwrap();
    sink.finish().await.unwrap()
}

fn object(id: &str, etag: &str) -> Object {
    Object {
        id: id.to_owned(),
        sequence: 0,
        null: false,
        named: None,
        delete_marker: false,
        description: Description::new(About { etag: etag.to_owned(), ..About::default() }),
        seal: None,
        wrapping: None,
        tags: BTreeMap::new(),
    }
}

fn part(blob: &str, number: u32) -> Part {
    Part { number, size: 1, blob: blob.to_owned(), stream: None, wrapping: None, checksum: None }
}

async fn put(store: &Local, key: &str, content: &str) -> Object {
    let fresh = fresh(store, content.as_bytes()).await;
    let parts = vec![part(&fresh.blob, 1)];
    let object = object(&fresh.blob, content);
    store.put("bucket", key, object, parts, vec![fresh], &Condition::default()).await.unwrap()
}

async fn content(store: &Local, key: &str, version: Option<&str>) -> Result<String, StoreError> {
    let held = store.get("bucket", key, version).await?;
    let source = store.source(&held.parts[0].blob, 0..u64::MAX).await?;
    let len = source.size().await?;
    Ok(String::from_utf8(source.read(0, vec![0; len as usize], Box::new(|_| Ok(()))).await?)
        .unwrap())
}

fn files(directory: &tempfile::TempDir) -> usize {
    let shelves = std::fs::read_dir(directory.path().join("blobs")).unwrap();
    shelves.map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap().count()).sum()
}

/// Files are removed on other threads.
fn files_become(directory: &tempfile::TempDir, expected: usize) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while files(directory) != expected {
        assert!(std::time::Instant::now() < deadline, "{} files", files(directory));
        std::thread::yield_now();
    }
}

async fn versioning(store: &Local, versioning: Versioning) {
    store.change_bucket("bucket", &move |bucket| bucket.versioning = versioning).await.unwrap();
}

#[test]
fn what_is_replaced_is_gone_and_a_reader_keeps_what_it_found() {
    runtime().block_on(async {
        let (directory, store) = open();
        store.create_bucket("bucket", &Bucket::default()).await.unwrap();
        put(&store, "a", "one").await;
        let held = store.get("bucket", "a", None).await.unwrap();
        put(&store, "a", "two").await;
        let source = store.source(&held.parts[0].blob, 0..u64::MAX).await.unwrap();
        let bytes = source.read(0, vec![0; 3], Box::new(|_| Ok(()))).await;
        assert_eq!(bytes.unwrap(), b"one");
        assert_eq!(content(&store, "a", None).await.unwrap(), "two");
        assert_eq!(files(&directory), 2);
        drop(held);
        files_become(&directory, 1);
        assert_eq!(
            store.delete("bucket", "a", None, &Condition::default()).await,
            Ok(Deleted::default())
        );
        files_become(&directory, 0);
        assert!(matches!(content(&store, "a", None).await, Err(StoreError::NoSuchKey { .. })));
    });
}

#[test]
fn bytes_that_no_object_takes_are_removed_at_once_or_at_the_next_start() {
    let (directory, store) = open();
    runtime().block_on(async {
        store.create_bucket("bucket", &Bucket::default()).await.unwrap();
        put(&store, "a", "one").await;
        drop(fresh(&store, b"two").await);
        files_become(&directory, 1);
        // As a crash leaves it.
        std::mem::forget(fresh(&store, b"three").await);
        assert_eq!(files(&directory), 2);
    });
    drop(store);
    // The directory stays locked while the first store's sweeper ends, and names of the same millisecond are of both.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let store = loop {
        assert!(std::time::Instant::now() < deadline, "{} files", files(&directory));
        std::thread::yield_now();
        if let Ok(store) = Local::open(directory.path())
            && files(&directory) == 1
        {
            break store;
        }
    };
    runtime().block_on(async { assert_eq!(content(&store, "a", None).await.unwrap(), "one") });
}

#[test]
fn conditions_are_checked_with_the_commit() {
    runtime().block_on(async {
        let (directory, store) = open();
        store.create_bucket("bucket", &Bucket::default()).await.unwrap();
        let absent = Condition { if_none_match: Some(Match::Any), ..Condition::default() };
        let is = |etag: &str| Condition {
            if_match: Some(Match::ETag(etag.into())),
            ..Condition::default()
        };
        let attempt = async |content: &str, condition: &Condition| {
            let fresh = fresh(&store, content.as_bytes()).await;
            let parts = vec![part(&fresh.blob, 1)];
            let object = object(&fresh.blob, content);
            store.put("bucket", "a", object, parts, vec![fresh], condition).await.map(drop)
        };
        let missing = Err(StoreError::NoSuchKey { delete_marker: None });
        assert_eq!(attempt("one", &is("one")).await, missing);
        assert_eq!(attempt("one", &absent).await, Ok(()));
        assert_eq!(attempt("two", &absent).await, Err(StoreError::Precondition));
        assert_eq!(attempt("two", &is("other")).await, Err(StoreError::Precondition));
        assert_eq!(attempt("two", &is("one")).await, Ok(()));
        assert_eq!(content(&store, "a", None).await.unwrap(), "two");
        files_become(&directory, 1);

        // The bucket of that name is another by now.
        let made = Condition { bucket_created_ms: Some(5), ..Condition::default() };
        assert_eq!(attempt("three", &made).await, Err(StoreError::NoSuchBucket));
        let made = Condition { bucket_created_ms: Some(0), ..Condition::default() };
        assert_eq!(attempt("three", &made).await, Ok(()));
    });
}

#[test]
fn versions_stay_come_back_and_end() {
    runtime().block_on(async {
        let (directory, store) = open();
        store.create_bucket("bucket", &Bucket::default()).await.unwrap();
        let first = put(&store, "a", "null one").await;
        assert_eq!(first.version(), "null");
        versioning(&store, Versioning::Enabled).await;
        let second = put(&store, "a", "two").await.version();
        let third = put(&store, "a", "three").await.version();
        assert_eq!(content(&store, "a", Some("null")).await.unwrap(), "null one");
        assert_eq!(content(&store, "a", Some(&second)).await.unwrap(), "two");

        let marker = store.delete("bucket", "a", None, &Condition::default()).await.unwrap();
        assert!(marker.delete_marker);
        let marker = marker.version.unwrap();
        let hidden = StoreError::NoSuchKey { delete_marker: Some(marker.clone()) };
        assert_eq!(content(&store, "a", None).await, Err(hidden));
        let is_marker = StoreError::IsDeleteMarker { version: marker.clone() };
        assert_eq!(content(&store, "a", Some(&marker)).await, Err(is_marker));
        let page = store.list("bucket", &Query { limit: 10, ..Query::default() }).await.unwrap();
        assert!(page.entries.is_empty());

        let none = Condition::default();
        let undone = store.delete("bucket", "a", Some(&marker), &none).await.unwrap();
        assert!(undone.delete_marker);
        assert_eq!(content(&store, "a", None).await.unwrap(), "three");
        let other =
            Condition { if_match: Some(Match::ETag("other".to_owned())), ..Condition::default() };
        let refused = store.delete("bucket", "a", Some(&third), &other).await;
        assert_eq!(refused, Err(StoreError::Precondition));
        store.delete("bucket", "a", Some(&third), &none).await.unwrap();
        assert_eq!(content(&store, "a", None).await.unwrap(), "two");

        versioning(&store, Versioning::Suspended).await;
        let again = put(&store, "a", "null two").await;
        assert_eq!(again.version(), "null");
        files_become(&directory, 2);
        assert_eq!(content(&store, "a", Some("null")).await.unwrap(), "null two");
        let versions = all_versions(&store, 1).await;
        let expected = [("a", "null".to_owned(), true), ("a", second.clone(), false)];
        let expected = expected.map(|(key, version, latest)| (key.to_owned(), version, latest));
        assert_eq!(versions, expected);
        assert_eq!(store.delete_bucket("bucket").await, Err(StoreError::BucketNotEmpty));
        store.delete("bucket", "a", Some("null"), &none).await.unwrap();
        store.delete("bucket", "a", Some(&second), &none).await.unwrap();
        let nothing = store.delete("bucket", "a", Some(&second), &none).await.unwrap();
        assert_eq!(nothing, Deleted { version: Some(second), delete_marker: false });
        files_become(&directory, 0);
        assert_eq!(store.delete_bucket("bucket").await, Ok(()));
    });
}

async fn all_versions(store: &Local, limit: usize) -> Vec<(String, String, bool)> {
    let mut all = Vec::new();
    let mut query = Query { limit, ..Query::default() };
    loop {
        let page = store.versions("bucket", &query).await.unwrap();
        for entry in page.entries {
            let Entry::One(key, version) = entry else { panic!("a prefix without a delimiter") };
            query.after = Some(key.clone());
            query.after_id = Some(version.object.version());
            all.push((key, version.object.version(), version.latest));
        }
        if !page.truncated {
            return all;
        }
    }
}

#[test]
fn an_upload_becomes_an_object_in_one_step_and_leaves_nothing() {
    runtime().block_on(async {
        let (directory, store) = open();
        store.create_bucket("bucket", &Bucket::default()).await.unwrap();
        put(&store, "a", "before").await;
        let upload = Upload {
            about: About::default(),
            wrapping: None,
            key_id: None,
            tags: BTreeMap::new(),
            checksum_algorithm: None,
            checksum_of_content: false,
        };
        let id = store.create_upload("bucket", "a", &upload).await.unwrap();
        let mut parts = Vec::new();
        for number in 1..=20 {
            let fresh = fresh(&store, format!("{number}").as_bytes()).await;
            let part = part(&fresh.blob, number);
            parts.push(part.clone());
            let uploaded = UploadedPart { part, etag: String::new(), modified_ms: 0 };
            store.put_part("bucket", "a", &id, uploaded, fresh).await.unwrap();
        }
        assert_eq!(store.parts("bucket", "a", &id, 18, 10).await.unwrap().len(), 2);
        let replaced = parts.clone();
        let fresh = fresh(&store, b"again").await;
        parts[4] = part(&fresh.blob, 5);
        let uploaded = UploadedPart { part: parts[4].clone(), etag: String::new(), modified_ms: 0 };
        store.put_part("bucket", "a", &id, uploaded, fresh).await.unwrap();
        files_become(&directory, 21);

        let none = Condition::default();
        let outcome = store.complete("bucket", "a", &id, object("old", ""), replaced, &none).await;
        assert_eq!(outcome, Err(StoreError::InvalidPart));
        assert_eq!(content(&store, "a", None).await.unwrap(), "before");
        let used = parts[1..].to_vec();
        store.complete("bucket", "a", &id, object("new", ""), used.clone(), &none).await.unwrap();
        assert_eq!(store.get("bucket", "a", None).await.unwrap().parts, used);
        files_become(&directory, 19);
        assert_eq!(store.upload("bucket", "a", &id).await, Err(StoreError::NoSuchUpload));
        store.delete("bucket", "a", None, &none).await.unwrap();
        files_become(&directory, 0);

        let id = store.create_upload("bucket", "b", &upload).await.unwrap();
        assert_eq!(store.upload("bucket", "a", &id).await, Err(StoreError::NoSuchUpload));
        store.abort("bucket", "b", &id).await.unwrap();
        let id = store.create_upload("bucket", "b", &upload).await.unwrap();
        store.delete_bucket("bucket").await.unwrap();
        assert_eq!(store.upload("bucket", "b", &id).await, Err(StoreError::NoSuchBucket));
    });
}

#[test]
fn a_key_of_a_deleted_bucket_waits_for_its_end() {
    runtime().block_on(async {
        let (_directory, store) = open();
        let bucket = Bucket { key_id: Some("key".to_owned()), ..Bucket::default() };
        store.create_bucket("bucket", &bucket).await.unwrap();
        assert_eq!(store.create_bucket("bucket", &bucket).await, Err(StoreError::BucketExists));
        assert_eq!(store.owner_of_key("key").await.unwrap(), Some("bucket".to_owned()));
        store.delete_bucket("bucket").await.unwrap();
        assert_eq!(store.owner_of_key("key").await.unwrap(), None);
        assert_eq!(store.keys_to_destroy().await.unwrap(), ["key"]);
        store.forget_key("key").await.unwrap();
        assert!(store.keys_to_destroy().await.unwrap().is_empty());
    });
}

#[test]
fn wrappings_are_replaced_and_old_keys_go() {
    let wrapping =
        |key: &str| crate::store::Wrapping { key_id: key.to_owned(), data_key: "AAEC".to_owned() };
    runtime().block_on(async {
        let (_directory, store) = open();
        let bucket = Bucket { key_id: Some("old".to_owned()), ..Bucket::default() };
        store.create_bucket("bucket", &bucket).await.unwrap();
        // So few parts rest with their object, so many do not.
        for count in [1, 40] {
            let mut object = object(&format!("id-{count}"), "");
            object.wrapping = Some(wrapping("old"));
            let parts: Vec<Part> = (1..=count)
                .map(|number| Part {
                    wrapping: Some(wrapping(if number == 1 { "old" } else { "named" })),
                    ..part(&format!("blob-{count}-{number}"), number)
                })
                .collect();
            let any = Condition::default();
            let put = store.put("bucket", "a", object, parts, Vec::new(), &any).await.unwrap();
            let version = put.version();
            let changes = [(wrapping("old"), wrapping("new"))];
            store.rewrap("bucket", "a", &version, &changes).await.unwrap();
            let held = store.get("bucket", "a", None).await.unwrap();
            assert_eq!(held.object.wrapping, Some(wrapping("new")));
            let keys = held.parts.iter().map(|part| part.wrapping.clone().unwrap().key_id);
            let expected = (1..=count).map(|number| if number == 1 { "new" } else { "named" });
            assert!(keys.eq(expected), "{:?}", held.parts);
        }
        let gone = store.rewrap("bucket", "b", "null", &[]).await;
        assert_eq!(gone, Err(StoreError::NoSuchVersion));
        let change = |bucket: &mut Bucket| {
            bucket.key_id = Some("new".to_owned());
            bucket.old_key_ids = vec!["old".to_owned(), "older".to_owned()];
        };
        store.change_bucket("bucket", &change).await.unwrap();
        for _ in 0..2 {
            store.retire_key("bucket", "old").await.unwrap();
            assert_eq!(store.keys_to_destroy().await.unwrap(), ["old"]);
        }
        assert_eq!(store.owner_of_key("old").await.unwrap(), None);
        assert_eq!(store.owner_of_key("new").await.unwrap(), Some("bucket".to_owned()));
        store.delete("bucket", "a", None, &Condition::default()).await.unwrap();
        store.delete_bucket("bucket").await.unwrap();
        assert_eq!(store.keys_to_destroy().await.unwrap(), ["new", "old", "older"]);
    });
}

#[test]
fn the_longest_key_has_versions_and_uploads() {
    runtime().block_on(async {
        let (_directory, store) = open();
        store.create_bucket("bucket", &Bucket::default()).await.unwrap();
        versioning(&store, Versioning::Enabled).await;
        let key = "\u{10ffff}".repeat(256);
        let first = put(&store, &key, "one").await.version();
        put(&store, &key, "two").await;
        assert_eq!(content(&store, &key, Some(&first)).await.unwrap(), "one");
        let upload = Upload {
            about: About::default(),
            wrapping: None,
            key_id: None,
            tags: BTreeMap::new(),
            checksum_algorithm: None,
            checksum_of_content: false,
        };
        store.create_upload("bucket", &key, &upload).await.unwrap();
    });
}

/// What S3 says a listing is, over all keys at once.
fn model(keys: &[String], query: &Query) -> (Vec<String>, bool) {
    let mut names: Vec<String> = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(&query.prefix)) {
        let rest = key.strip_prefix(query.prefix.as_str()).unwrap();
        let name =
            match query.delimiter.as_ref().and_then(|delimiter| rest.find(delimiter.as_str())) {
                Some(at) => key.get(..query.prefix.len() + at + 1).unwrap().to_owned(),
                None => key.clone(),
            };
        let after = query.after.as_deref();
        if after.is_none_or(|after| key.as_str() > after)
            && after != Some(name.as_str())
            && names.last() != Some(&name)
        {
            names.push(name);
        }
    }
    let truncated = names.len() > query.limit;
    names.truncate(query.limit);
    (names, truncated)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn pages_are_what_s3_says(
        keys in proptest::collection::btree_set("[ab/é!0]{1,4}", 0..60),
        prefix in "[ab/]{0,2}",
        delimiter in proptest::option::of(Just("/".to_owned())),
        limit in 1_usize..8,
    ) {
        runtime().block_on(async {
            let (_directory, store) = open();
            store.create_bucket("bucket", &Bucket::default()).await.unwrap();
            let mut change = Change::default();
            let id = store.inner.bucket_id("bucket").unwrap();
            for key in &keys {
                let stored = objects::Stored { object: object("id", key), parts: Some(Vec::new()) };
                change.put(keys::object(id, key), 1, &stored).unwrap();
            }
            store.inner.engine.commit(change.batch).await.unwrap();
            let keys: Vec<String> = keys.into_iter().collect();
            let mut query = Query { prefix, delimiter, limit, ..Query::default() };
            let mut seen = Vec::new();
            loop {
                let page = store.list("bucket", &query).await.unwrap();
                let names: Vec<String> =
                    page.entries.iter().map(|entry| entry.name().to_owned()).collect();
                assert_eq!((names.clone(), page.truncated), model(&keys, &query));
                query.after = names.last().cloned().or(query.after);
                seen.extend(names);
                if !page.truncated { break; }
            }
            let whole = Query { after: None, limit: MANY, ..query };
            assert_eq!(seen, model(&keys, &whole).0);
        });
    }
}

#[test]
fn a_listing_jumps_over_more_keys_than_one_read_takes() {
    runtime().block_on(async {
        let (_directory, store) = open();
        store.create_bucket("bucket", &Bucket::default()).await.unwrap();
        let mut change = Change::default();
        let id = store.inner.bucket_id("bucket").unwrap();
        for directory in ["a", "b"] {
            for at in 0..2 * SCAN_RECORDS {
                let stored = objects::Stored { object: object("id", ""), parts: Some(Vec::new()) };
                change.put(keys::object(id, &format!("{directory}/{at:05}")), 1, &stored).unwrap();
            }
        }
        store.inner.engine.commit(change.batch).await.unwrap();
        let query = Query { delimiter: Some("/".to_owned()), limit: 10, ..Query::default() };
        let page = store.list("bucket", &query).await.unwrap();
        let names: Vec<&str> = page.entries.iter().map(Entry::name).collect();
        assert_eq!(names, ["a/", "b/"]);
        let query = Query { limit: 3 * SCAN_RECORDS, ..Query::default() };
        let page = store.list("bucket", &query).await.unwrap();
        assert_eq!((page.entries.len(), page.truncated), (3 * SCAN_RECORDS, true));
    });
}
