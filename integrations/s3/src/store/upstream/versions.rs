//! Versions as the store lists them, whatever they are of.

use hyper::Method;
use hyper::body::Bytes;

use super::Inner;
use super::http::Ask;
use super::listing::Names;
use super::xml::Element;
use crate::store::StoreError;

/// What a listing of versions has.
pub(super) struct Found {
    pub(super) key: String,
    pub(super) version: String,
}

impl Inner {
    /// Goes through all versions, markers among them, as long as it is wanted. Says whether it was to the end.
    pub(super) async fn walk_versions(
        &self,
        bucket: &str,
        prefix: &str,
        mut take: impl FnMut(Found) -> bool + Send,
    ) -> Result<bool, StoreError> {
        let mut marker: Option<(String, Option<String>)> = None;
        loop {
            let mut ask = Ask::bucket(Method::GET, bucket)
                .query("versions", "")
                .query("prefix", prefix)
                .query("encoding-type", "url");
            if let Some((key, version)) = marker.take() {
                ask = ask.query("key-marker", key);
                if let Some(version) = version {
                    ask = ask.query("version-id-marker", version);
                }
            }
            let page = self.client.ask(ask, Bytes::new()).await?.xml()?;
            let names = Names::of(&page);
            for entry in
                page.children().filter(|it| matches!(it.name(), "Version" | "DeleteMarker"))
            {
                let key = names.plain(entry.must("Key")?)?;
                let version = entry.text("VersionId").unwrap_or("null").to_owned();
                if !take(Found { key, version }) {
                    return Ok(false);
                }
            }
            match next_marker(&page, names)? {
                Some(next) => marker = Some(next),
                None => return Ok(true),
            }
        }
    }

    /// The versions of one key.
    pub(super) async fn own_versions(
        &self,
        bucket: &str,
        key: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut versions = Vec::new();
        self.walk_versions(bucket, key, |found| {
            let same = found.key == key;
            if same {
                versions.push((found.key, found.version));
            }
            same
        })
        .await?;
        Ok(versions)
    }
}

/// Where a listing of versions goes on.
pub(super) fn next_marker(
    page: &Element,
    names: Names,
) -> Result<Option<(String, Option<String>)>, StoreError> {
    if !page.is_true("IsTruncated") {
        return Ok(None);
    }
    let key = names.plain(page.must("NextKeyMarker")?)?;
    let version = page.text("NextVersionIdMarker").filter(|version| !version.is_empty());
    Ok(Some((key, version.map(str::to_owned))))
}
