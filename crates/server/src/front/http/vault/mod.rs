//! Vault's HTTP API, as far as the KMIP engine and its surroundings go: from a request to an answer,
//! synchronously. Knows no sockets; blocks on storage.
//!
//! Order of things: understand the request, check the token, find the route, check what the token's
//! policies grant there, read the body, record the request in the audit, carry it out, record the
//! outcome, answer.

mod admission;
mod audit;
mod auth;
mod ca;
mod config;
mod credential;
mod error;
mod fields;
mod help;
mod keeper;
mod listener;
mod mounts;
mod new_token;
mod object;
mod openapi;
mod permission;
mod policies;
mod raw;
mod recorder;
mod remount;
mod reply;
mod request;
mod role;
mod root_key;
mod root_token;
mod routes;
mod scope;
mod seal;
mod snapshot;
mod status;
mod token_roles;
mod tokens;
mod wrapping;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};

use crate::access::Access;
use crate::audit::{AuditLog, Phase};
use crate::audit_devices::AuditDevices;
use crate::auth::{AuthMethods, Client, Method};
use crate::clock::Clock;
use crate::mount::{Mount, Mounts};
use crate::object::Objects;
use crate::policy::Policies;
use crate::record::RequestId;
use crate::rotation::Rotation;
use crate::seal::Custody;
use crate::token::{TokenInfo, Tokens};

use admission::{Seen, admit, mount_of};
use error::ApiError;
use fields::Fields;
use recorder::Recorder;
use reply::Reply;
use request::{Operation, Request};
use routes::{Auth, Captures, Route};

pub use keeper::{Initialised, Keeper, KeeperError, SealStatus, Sharing};
pub use reply::{Answer, Download, JSON};
pub use request::{Incoming, Payload};

/// What this server says of itself.
#[derive(Debug, Clone)]
pub struct NodeName {
    /// Name of the cluster, of one server as well.
    pub cluster_name: String,
    /// Kind of storage, such as `sqlite` or `inmem`.
    pub storage_type: String,
}

/// What there is to administer once the server is unsealed.
#[derive(Debug)]
pub struct Services {
    /// The mounts.
    pub mounts: Arc<Mounts>,
    /// Scopes, roles, credentials.
    pub access: Arc<Access>,
    /// Managed objects.
    pub objects: Arc<Objects>,
    /// Tokens.
    pub tokens: Tokens,
    /// What they may do.
    pub policies: Policies,
    /// Where every request is recorded.
    pub audit: AuditLog,
    /// The root key, and who keeps it.
    pub custody: Arc<Custody>,
    /// When the record key is rotated.
    pub rotation: Arc<Rotation>,
    /// The audit devices that are enabled at run time.
    pub audit_devices: AuditDevices,
    /// Who can log in.
    pub auth: Arc<AuthMethods>,
}

/// The API of one server.
pub struct Api {
    node: NodeName,
    clock: Arc<dyn Clock>,
    keeper: Arc<dyn Keeper>,
    /// Whether `sys/raw` is there.
    raw_storage: AtomicBool,
}

impl Api {
    /// The API of the server whose seal `keeper` keeps.
    pub fn new(node: NodeName, clock: Arc<dyn Clock>, keeper: Arc<dyn Keeper>) -> Self {
        Self { node, clock, keeper, raw_storage: AtomicBool::new(false) }
    }

    /// Turns `sys/raw` on or off: the configuration's `raw_storage_endpoint`.
    pub fn set_raw_storage(&self, is_on: bool) {
        self.raw_storage.store(is_on, Ordering::Relaxed);
    }

    fn services(&self) -> Option<Arc<Services>> {
        self.keeper.services()
    }

    /// Whether a token is alive: the door reads long bodies only from whoever has one.
    pub fn knows_token(&self, token: &str) -> bool {
        self.services().is_some_and(|services| matches!(services.tokens.lookup(token), Ok(Some(_))))
    }

    /// Answers a request. Blocks.
    pub fn handle(&self, incoming: &Incoming) -> Answer {
        let understood = RequestId::random()
            .map_err(|error| ApiError::internal(&error))
            .and_then(|id| Request::understand(id.to_string(), incoming));
        let request = match understood {
            Ok(request) => request,
            Err(error) => return reply::render_error(&error),
        };
        let system = routes::find(routes::SYSTEM, &request.path.segments);
        if let Some((route, captures)) = system
            && route.auth == Auth::Anybody
        {
            return answer(
                &request,
                "system",
                self.run_for_anybody(route, &captures, incoming, &request),
            );
        }
        match self.services() {
            None => reply::render_error(&ApiError::sealed()),
            Some(services) => self.handle_unsealed(&services, incoming, &request),
        }
    }

    /// Sealed or not, without a token and unaudited.
    fn run_for_anybody(
        &self,
        route: &'static Route,
        captures: &Captures,
        incoming: &Incoming,
        request: &Request,
    ) -> Result<Reply, ApiError> {
        let mut data = Value::Object(match request.operation {
            Operation::Update => incoming.fields()?,
            _ => request.query.clone(),
        });
        let empty = Map::new();
        let call = Call {
            api: self,
            services: None,
            mount: None,
            captures,
            fields: Fields::new(data.as_object().unwrap_or(&empty)),
            caller: None,
            wrap_ttl: None,
            method: None,
            incoming,
        };
        let outcome = run(route, request, &call);
        seal::wipe(&mut data);
        outcome
    }

    /// What of a mount anybody may ask: revocation lists.
    fn answer_anybody(
        &self,
        services: &Services,
        incoming: &Incoming,
        request: &Request,
    ) -> Option<Answer> {
        let (mount, below) = mount_of(services, &request.path)?;
        let (route, captures) = routes::find(routes::KMIP, below)?;
        if route.auth != Auth::Anybody {
            return None;
        }
        let call = Call {
            api: self,
            services: Some(services),
            mount: Some(&*mount),
            captures: &captures,
            fields: Fields::new(&request.query),
            caller: None,
            wrap_ttl: None,
            method: None,
            incoming,
        };
        Some(answer(request, "kmip", run(route, request, &call)))
    }

    fn handle_unsealed(
        &self,
        services: &Services,
        incoming: &Incoming,
        request: &Request,
    ) -> Answer {
        if let Some(answer) = self.answer_anybody(services, incoming, request) {
            return answer;
        }
        let mut seen = Seen { data: Value::Object(request.query.clone()), ..Seen::default() };
        let admitted = admit(services, incoming, request, &mut seen);
        let recorder = Recorder { services, incoming, request, seen: &seen, clock: &*self.clock };
        if let Err(error) = recorder.record(Phase::Request, None, admitted.as_ref().err()) {
            return reply::render_error(&error);
        }
        let data = seen.data.as_object();
        let empty = Map::new();
        let outcome = admitted.and_then(|target| {
            let call = Call {
                api: self,
                services: Some(services),
                mount: target.mount.as_deref(),
                captures: &target.captures,
                fields: Fields::new(data.unwrap_or(&empty)),
                caller: seen.token.as_ref().zip(incoming.token.as_deref()),
                wrap_ttl: request.wrap_ttl,
                method: seen.method.as_deref(),
                incoming,
            };
            let reply = run(target.route, request, &call)?;
            let warnings =
                routes::field_warnings(target.route, &target.captures, data.unwrap_or(&empty));
            wrapping::wrap_answer(services, request, reply.warning(warnings))
        });
        let recorded = match &outcome {
            Ok(reply) => recorder.record(Phase::Response, Some(reply), None),
            Err(error) => recorder.record(Phase::Response, None, Some(error)),
        };
        let mount_type = seen.mount_type();
        seal::wipe(&mut seen.data);
        answer(request, mount_type, recorded.and(outcome))
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("node", &self.node).finish_non_exhaustive()
    }
}

/// What a handler works with.
struct Call<'a> {
    api: &'a Api,
    services: Option<&'a Services>,
    mount: Option<&'a Mount>,
    captures: &'a Captures,
    fields: Fields<'a>,
    /// What the token is, and the token.
    caller: Option<(&'a TokenInfo, &'a str)>,
    /// For how many seconds the answer is to be wrapped, if it is.
    wrap_ttl: Option<i64>,
    method: Option<&'a Method>,
    incoming: &'a Incoming,
}

impl Call<'_> {
    fn services(&self) -> Result<&Services, ApiError> {
        self.services.ok_or_else(ApiError::sealed)
    }

    fn mount(&self) -> Result<&Mount, ApiError> {
        self.mount.ok_or_else(ApiError::unsupported_path)
    }

    fn method(&self) -> Result<&Method, ApiError> {
        self.method.ok_or_else(ApiError::unsupported_path)
    }

    /// Where the request comes from.
    fn client(&self) -> Client<'_> {
        self.incoming.client()
    }

    /// A value taken from the path.
    fn captured(&self, name: &str) -> &str {
        let mut captures = self.captures.iter();
        captures.find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str())
    }
}

fn run(route: &Route, request: &Request, call: &Call<'_>) -> Result<Reply, ApiError> {
    if request.operation == Operation::Help {
        return Ok(help::describe(route));
    }
    route.handler(request.operation)?(call)
}

fn answer(request: &Request, mount_type: &str, outcome: Result<Reply, ApiError>) -> Answer {
    match outcome {
        Ok(reply) => reply::render(reply, &request.id, mount_type),
        Err(error) => reply::render_error(&error),
    }
}

#[cfg(test)]
pub(crate) mod tests;
