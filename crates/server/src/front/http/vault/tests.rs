//! The API through its router, as clients call it: the whole tutorial in the form of the `vault`
//! command, then every kind of error.

mod approle;
mod audit;
mod auth;
mod certificates;
mod errors;
mod garbage;
mod moved;
mod named;
mod openapi;
mod policies;
mod raw;
mod root_key;
mod seal;
mod table;
mod terraform;
mod token_roles;
mod tokens;
mod tutorial;
mod upkeep;
mod wrapping;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use super::{Api, Initialised, Keeper, KeeperError, NodeName, SealStatus, Services, Sharing};
use crate::access::Access;
use crate::access::tests::FakeObjects;
use crate::audit::AuditLog;
use crate::audit_devices::AuditDevices;
use crate::auth::AuthMethods;
use crate::clock::ManualClock;
use crate::front::http::router;
use crate::mount::tests::FakeListeners;
use crate::mount::{MountPath, Mounts};
use crate::object::Objects;
use crate::policy::Policies;
use crate::record::Records;
use crate::record::testing::TestStore;
use crate::rotation::Rotation;
use crate::seal::Custody;
use crate::token::Tokens;

const NOW: i64 = 1_800_000_000;
const TOKEN: &str = "root";

/// A seal that is open or closed, and can be closed.
#[derive(Debug)]
pub(crate) struct FixedKeeper {
    services: RwLock<Option<Arc<Services>>>,
    initialised: AtomicBool,
}

impl FixedKeeper {
    pub(crate) fn sealed() -> Self {
        Self { services: RwLock::new(None), initialised: AtomicBool::new(true) }
    }

    pub(crate) fn unsealed(services: Services) -> Self {
        Self { services: RwLock::new(Some(Arc::new(services))), ..Self::sealed() }
    }

    /// As a store that was never initialised.
    fn forget(&self) {
        self.seal();
        self.initialised.store(false, Ordering::Relaxed);
    }
}

impl Keeper for FixedKeeper {
    fn services(&self) -> Option<Arc<Services>> {
        self.services.read().unwrap().clone()
    }

    fn status(&self) -> SealStatus {
        let services = self.services();
        SealStatus {
            kind: "shamir",
            initialised: self.initialised.load(Ordering::Relaxed),
            sealed: services.is_none(),
            shares: 1,
            threshold: 1,
            cluster_id: services.map(|_| "id".to_owned()),
            ..SealStatus::default()
        }
    }

    fn initialise(&self, _: Sharing) -> Result<Initialised, KeeperError> {
        Err(KeeperError::Initialised)
    }

    fn unseal(&self, _: Zeroizing<Vec<u8>>) -> Result<(), KeeperError> {
        Err(KeeperError::WrongShares)
    }

    fn reset_unseal(&self) {}

    fn seal(&self) {
        *self.services.write().unwrap() = None;
    }
}

/// A server without sockets.
struct Server {
    store: TestStore,
    clock: Arc<ManualClock>,
    objects: Arc<FakeObjects>,
    listeners: Arc<FakeListeners>,
    mounts: Arc<Mounts>,
    access: Arc<Access>,
    api: Arc<Api>,
    keeper: Arc<FixedKeeper>,
    router: Router,
}

/// An answer, taken apart.
#[derive(Debug)]
struct Answered {
    status: u16,
    content_type: Option<String>,
    cache_control: Option<String>,
    body: Vec<u8>,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// `data` of a success.
    #[track_caller]
    fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()["data"].clone()
    }

    /// Asserts a 204 with nothing in it.
    #[track_caller]
    fn empty(&self) {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!((self.status, body.as_ref()), (204, ""));
    }

    /// Asserts a refusal that every Vault client can read; what it says.
    #[track_caller]
    fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.content_type.as_deref(), Some("application/json"));
        let body = self.json();
        let errors = body["errors"].as_array().unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1);
        errors.iter().map(|error| error.as_str().unwrap()).collect::<Vec<_>>().join("; ")
    }
}

async fn send(router: &Router, request: Request<Body>) -> Answered {
    let response: Response<Body> = router.clone().oneshot(request).await.unwrap();
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    Answered {
        status: response.status().as_u16(),
        content_type: header("content-type"),
        cache_control: header("cache-control"),
        body: to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec(),
    }
}

impl Server {
    fn new() -> Self {
        Self::with_audit(AuditLog::disabled())
    }

    fn with_audit(audit: AuditLog) -> Self {
        let (store, records) = TestStore::new();
        let clock = Arc::new(ManualClock::at(NOW));
        let server = Self::on(store, records, clock, audit);
        server.keeper.services().unwrap().tokens.create_root(Some(TOKEN)).unwrap();
        server
    }

    /// The same, on what it has stored.
    fn restart(&mut self) {
        let (store, clock) =
            (std::mem::replace(&mut self.store, TestStore::new().0), self.clock.clone());
        let records = store.reopen();
        *self = Self::on(store, records, clock, AuditLog::disabled());
    }

    fn on(store: TestStore, records: Records, clock: Arc<ManualClock>, audit: AuditLog) -> Self {
        let objects = Arc::new(FakeObjects::default());
        let listeners = Arc::new(FakeListeners::default());
        let mounts = Mounts::open(records.clone(), clock.clone(), listeners.clone()).unwrap();
        let mounts = Arc::new(mounts);
        let access = Access::open(records.clone(), clock.clone(), objects.clone()).unwrap();
        let access = Arc::new(access);
        let audit_devices =
            AuditDevices::open(records.clone(), audit.clone(), clock.clone()).unwrap();
        let custody = Arc::new(Custody::new(records.barrier()));
        let rotation = Arc::new(Rotation::open(records.barrier()).unwrap());
        let policies = Policies::open(records.clone()).unwrap();
        let tokens = Tokens::new(records.clone(), clock.clone());
        let managed = Arc::new(Objects::new(records.barrier(), 1 << 20));
        let auth = Arc::new(AuthMethods::quick(records, tokens.clone(), clock.clone()));
        let node = NodeName { cluster_name: "test".to_owned(), storage_type: "inmem".to_owned() };
        let services = Services {
            mounts: mounts.clone(),
            access: access.clone(),
            objects: managed,
            tokens,
            policies,
            audit,
            audit_devices,
            custody,
            rotation,
            auth,
        };
        let keeper = Arc::new(FixedKeeper::unsealed(services));
        let api = Arc::new(Api::new(node, clock.clone(), Arc::<FixedKeeper>::clone(&keeper)));
        let router = router(api.clone());
        Self { store, clock, objects, listeners, mounts, access, router, api, keeper }
    }

    async fn send(&self, request: Request<Body>) -> Answered {
        send(&self.router, request).await
    }

    /// Any verb, as the holder of the root token.
    async fn call(&self, method: &str, path: &str, body: &[u8]) -> Answered {
        self.call_as(TOKEN, method, path, body).await
    }

    /// Any verb, as the holder of a token.
    async fn call_as(&self, token: &str, method: &str, path: &str, body: &[u8]) -> Answered {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header("X-Vault-Token", token)
            .header("X-Vault-Request", "true");
        self.send(request.body(Body::from(body.to_vec())).unwrap()).await
    }

    /// Any verb, as anybody.
    async fn ask(&self, method: &str, path: &str) -> Answered {
        let request = Request::builder().method(method).uri(format!("/v1/{path}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// What the listener of that name accepts on, if it is there.
    fn listens(&self, mount: &str, name: &str) -> Option<Vec<String>> {
        let mount = self.mounts.at(&MountPath::parse(mount).unwrap())?.id();
        self.listeners.addresses_of(mount, name)
    }

    async fn get(&self, path: &str) -> Answered {
        self.call("GET", path, b"").await
    }

    /// `vault write PATH k=v`: PUT, JSON without a content type.
    async fn write(&self, path: &str, fields: Value) -> Answered {
        self.call("PUT", path, fields.to_string().as_bytes()).await
    }

    /// The same, as the holder of a token.
    async fn write_as(&self, token: &str, path: &str, fields: Value) -> Answered {
        self.call_as(token, "PUT", path, fields.to_string().as_bytes()).await
    }

    /// A token made by the root token; what is told of it.
    async fn token(&self, fields: Value) -> Value {
        let made = self.write("auth/token/create", fields).await;
        assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.body));
        made.json()["auth"].clone()
    }

    /// `vault delete PATH`.
    async fn delete(&self, path: &str) -> Answered {
        self.call("DELETE", path, b"").await
    }

    /// `vault list PATH`, which is the keys or nothing.
    async fn keys(&self, path: &str) -> Option<Vec<String>> {
        let answered = self.get(&format!("{path}?list=true")).await;
        if answered.status == 404 {
            assert_eq!(answered.refused(404), "");
            return None;
        }
        serde_json::from_value(answered.data()["keys"].clone()).unwrap()
    }

    /// `kmip/` mounted and configured, scope `finance`, role `accounting` with everything.
    async fn ready() -> Self {
        let server = Self::new();
        server.write("sys/mounts/kmip", json!({"type": "kmip"})).await.empty();
        let config = json!({"listen_addrs": "127.0.0.1"});
        server.write("kmip/config", config).await.empty();
        server.write("kmip/scope/finance", json!(null)).await.empty();
        let role = "kmip/scope/finance/role/accounting";
        server.write(role, json!({"operation_all": "true"})).await.empty();
        server
    }

    /// As if the scope had a managed object.
    fn put_object(&self, scope: &str) {
        let mount = self.mounts.at(&MountPath::parse("kmip").unwrap()).unwrap().id();
        let scope = self.access.scope_id(mount, scope).unwrap();
        self.objects.present.lock().unwrap().insert((mount, scope));
    }
}
