//! A service in memory, with one credential to send requests with and a key that this credential
//! must never get to see.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_crypto::{CryptoError, Rng};
use claviger_kmip::message::ResponseMessage;
use claviger_kmip::{enums::ResultStatus, tags};
use claviger_server::access::{self, Access, Name, RoleChange};
use claviger_server::audit::AuditLog;
use claviger_server::clock::{Clock, ManualClock};
use claviger_server::dispatch::{Next, Peer, Service};
use claviger_server::limits::Limits;
use claviger_server::mount::{ConfigChange, ListenerPlan, Listeners, Mount, MountPath, Mounts};
use claviger_server::object::Objects;
use claviger_server::ops::Resources;
use claviger_server::ops::stream::Streams;
use claviger_server::record::{Change, MountId, Records, ScopeId};
use claviger_server::seal::{Barrier, RootKey};
use claviger_store::Memory;
use claviger_ttlv::{Message, Node, Tag, Value, Writer};
use tokio::runtime::Runtime;

use crate::chance::Chance;
use crate::seeds;

/// The bytes of a key in another scope.
pub const CANARY: &[u8] = b"a key of a scope that is not ours";

/// A service and those who speak to it.
pub struct Server {
    service: Service,
    runtime: Runtime,
    rng: Arc<SeededRng>,
    peer: Peer,
    mount: MountId,
    scope: ScopeId,
    certificate: Vec<u8>,
    /// The Unique Identifiers that answers have named since the last [`Server::reset`].
    identifiers: Vec<String>,
}

impl Server {
    /// A service whose scope is empty.
    pub fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(1_800_000_000));
        let root = RootKey::generate().expect("random numbers");
        let barrier = Barrier::initialise(Arc::new(Memory::new()), &root, clock.now_us());
        let barrier = Arc::new(barrier.expect("an empty store"));
        let records = Records::new(Arc::clone(&barrier));
        let limits = Limits { cache_bytes_max: 1 << 20, ..Limits::default() };
        let objects = Arc::new(Objects::new(barrier, limits.cache_bytes_max));
        let keeper: Arc<dyn access::Objects> = Arc::<Objects>::clone(&objects);
        let access = Access::open(records.clone(), Arc::clone(&clock), keeper).expect("access");
        let mounts = Mounts::open(records, Arc::clone(&clock), Arc::new(Nowhere)).expect("mounts");
        let path = MountPath::parse("kmip/").expect("a path");
        mounts.create(&path, "").expect("a mount");
        mounts.configure(&path, ConfigChange::default(), false).expect("a configuration");
        let mount = mounts.at(&path).expect("the mount");
        let (other_peer, certificate) = credential(&access, &mount, "other");
        let (peer, _) = credential(&access, &mount, "ours");
        let scope = access.scope_id(mount.id(), "ours").expect("the scope");
        let rng = Arc::new(SeededRng(AtomicU64::new(0)));
        let service = Service {
            resources: Resources {
                objects,
                rng: Arc::<SeededRng>::clone(&rng),
                limits,
                vendor_identification: String::from("Claviger"),
                streams: Default::default(),
            },
            access: Arc::new(access),
            audit: AuditLog::disabled(),
            clock,
            requests: AtomicU64::new(1),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mount = mount.id();
        let identifiers = Vec::new();
        let mut server =
            Self { service, runtime, rng, peer, mount, scope, certificate, identifiers };
        server.keep_canary(other_peer);
        server
    }

    /// Registers [`CANARY`] in the other scope.
    fn keep_canary(&mut self, other: Peer) {
        let mut register = seeds::requests()
            .iter()
            .find(|request| seeds::holds(request, tags::SECRET_DATA))
            .cloned()
            .expect("a seed registers Secret Data");
        replace(&mut register, &mut |node| {
            if node.tag == tags::KEY_MATERIAL {
                node.value = Value::ByteString(CANARY.to_vec());
            }
        });
        let ours = std::mem::replace(&mut self.peer, other);
        let answer = self.answer(&register.to_bytes());
        self.peer = ours;
        let message =
            Message::parse(&answer, &self.service.resources.limits.ttlv()).expect("an answer");
        let response = ResponseMessage::parse(&message).expect("a response");
        assert_eq!(response.items[0].result_status, ResultStatus::SUCCESS, "the canary is kept");
        self.reset();
    }

    /// Forgets everything that requests have made.
    pub fn reset(&mut self) {
        self.identifiers.clear();
        self.service.resources.streams = Streams::default();
        self.rng.0.store(0, Ordering::Relaxed);
        access::Objects::delete_all(&*self.service.resources.objects, self.mount, self.scope)
            .expect("memory does not fail");
    }

    /// Answers one request. `#0` to `#9` in its texts mean the identifiers that were named so far.
    pub fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let named = self.with_identifiers(request);
        let mut writer = Writer::new();
        let request = named.as_deref().unwrap_or(request);
        let answered = self.service.answer(&self.peer, request, &mut writer);
        let next = self.runtime.block_on(answered);
        assert!(matches!(next, Next::Continue | Next::Close));
        let answer = writer.as_bytes().to_vec();
        if let Ok(node) = Node::from_bytes(&answer, &self.service.resources.limits.ttlv()) {
            self.note_identifiers(&node);
        }
        answer
    }

    /// A certificate in DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn with_identifiers(&self, request: &[u8]) -> Option<Vec<u8>> {
        let mut node = Node::from_bytes(request, &self.service.resources.limits.ttlv()).ok()?;
        let mut changed = false;
        replace(&mut node, &mut |node| {
            let Value::TextString(text) = &mut node.value else { return };
            let position = text.strip_prefix('#').and_then(|digits| digits.parse::<usize>().ok());
            let named = position.and_then(|position| self.identifiers.get(position));
            if let Some(identifier) = named {
                text.clone_from(identifier);
                changed = true;
            }
        });
        changed.then(|| node.to_bytes())
    }

    fn note_identifiers(&mut self, node: &Node) {
        if let Value::TextString(text) = &node.value
            && is_identifier(node.tag)
            && !self.identifiers.contains(text)
        {
            self.identifiers.push(text.clone());
        }
        for child in node.children() {
            self.note_identifiers(child);
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

fn is_identifier(tag: Tag) -> bool {
    tag == tags::UNIQUE_IDENTIFIER
        || tag == tags::PRIVATE_KEY_UNIQUE_IDENTIFIER
        || tag == tags::PUBLIC_KEY_UNIQUE_IDENTIFIER
}

fn replace(node: &mut Node, with: &mut dyn FnMut(&mut Node)) {
    with(node);
    if let Value::Structure(children) = &mut node.value {
        for child in children {
            replace(child, with);
        }
    }
}

/// A credential that may do everything in a new scope, and its certificate.
fn credential(access: &Access, mount: &Mount, scope: &str) -> (Peer, Vec<u8>) {
    let (scope, role) = (Name::parse(scope).expect("a name"), Name::parse("all").expect("a name"));
    access.create_scope(mount.id(), &scope, Change::Keep).expect("a scope");
    access.write_role(mount, scope.as_str(), &role, RoleChange::everything()).expect("a role");
    let issued = access.generate_credential(mount, scope.as_str(), role.as_str());
    let issued = issued.expect("a credential");
    let peer = Peer {
        mount: mount.id(),
        mount_path: Arc::from("kmip/"),
        identity: issued.serial.into(),
        serial_text: Arc::from(issued.serial.to_string()),
        remote: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
    };
    (peer, issued.certificate)
}

/// No sockets here.
struct Nowhere;

impl Listeners for Nowhere {
    fn apply(&self, _: MountId, _: &ListenerPlan) -> Result<(), String> {
        Ok(())
    }

    fn close(&self, _: MountId) {}

    fn close_one(&self, _: MountId, _: &str) {}
}

/// The same numbers for the same input, so that a crash can be had again.
struct SeededRng(AtomicU64);

impl Rng for SeededRng {
    fn fill(&self, destination: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in destination.chunks_mut(8) {
            let seed = self.0.fetch_add(1, Ordering::Relaxed);
            let bytes = Chance::new(seed).bits().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}
