//! Where objects rest: a directory, or another S3 store and who asks there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use claviger_s3::store::Upstream;
use claviger_s3::store::upstream::{Credentials, Endpoint};
use s3s::auth::SecretKey;
use serde::Deserialize;

use super::{Arguments, read_file};

/// Where objects rest.
pub(crate) enum StorePlace {
    Directory(PathBuf),
    Other(Arc<Upstream>),
}

/// The file of `--store-credentials`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreCredentials {
    access_key: String,
    secret_key: SecretKey,
    session_token: Option<String>,
}

impl Arguments {
    /// The socket for commands: by default one in the directory, where there is one.
    pub(super) fn control(&self, store: &Path) -> Option<PathBuf> {
        let elsewhere = store.to_str().is_some_and(|text| text.contains("://"));
        self.control.clone().or_else(|| (!elsewhere).then(|| store.join("control.sock")))
    }

    pub(super) fn place(&self, store: PathBuf) -> anyhow::Result<StorePlace> {
        let url = store.to_str().filter(|text| text.contains("://"));
        let Some(url) = url.map(str::to_owned) else {
            if self.store_credentials.is_some()
                || self.store_ca.is_some()
                || self.store_region.is_some()
            {
                bail!("--store-credentials, --store-region and --store-ca are for --store URL");
            }
            return Ok(StorePlace::Directory(store));
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            bail!("{url}: a store is a directory, or http://HOST[:PORT] or https://HOST[:PORT]");
        }
        let region = self.store_region.clone().unwrap_or_else(|| "us-east-1".to_owned());
        let credentials = self.store_credentials()?;
        let authorities = self.store_ca.clone();
        let endpoint = Endpoint { url, region, credentials, authorities };
        let store = Upstream::new(endpoint).context("the store cannot be used")?;
        Ok(StorePlace::Other(Arc::new(store)))
    }

    fn store_credentials(&self) -> anyhow::Result<Credentials> {
        if let Some(path) = &self.store_credentials {
            let StoreCredentials { access_key, secret_key, session_token } = read_file(path)?;
            return Ok(Credentials { access_key, secret_key, session_token });
        }
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let pair = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        let Some((access_key, secret_key)) = pair else {
            bail!(
                "the other store wants to know who asks: give --store-credentials, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
            );
        };
        Ok(Credentials {
            access_key,
            secret_key: SecretKey::from(secret_key),
            session_token: variable("AWS_SESSION_TOKEN"),
        })
    }
}
