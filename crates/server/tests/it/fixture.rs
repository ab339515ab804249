//! A service with one scope, one role and one credential, and typed requests to it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use claviger_crypto::SystemRng;
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{Name, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, Attributes};
use claviger_kmip::codec::Encoder;
use claviger_kmip::enums::{
    BatchErrorContinuationOption, CryptographicAlgorithm, ObjectType, ResultReason, ResultStatus,
};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::message::{RequestHeader, RequestItem, ResponseMessage, write_request};
use claviger_kmip::payload::{CreateRequest, CreateResponse, Request};
use claviger_server::access::{Access, Credential, Name as AccessName, RoleChange};
use claviger_server::audit::AuditLog;
use claviger_server::clock::{Clock, ManualClock, SystemClock};
use claviger_server::dispatch::{Next, Peer, Service};
use claviger_server::limits::Limits;
use claviger_server::mount::{ConfigChange, ListenerPlan, Listeners, Mount, MountPath, Mounts};
use claviger_server::object::Objects;
use claviger_server::ops::Resources;
use claviger_server::record::{Change, MountId, Records};
use claviger_server::seal::{Barrier, RootKey};
use claviger_store::{Engine, Memory};
use claviger_ttlv::{Message, Writer};

pub struct Fixture {
    pub service: Arc<Service>,
    pub clock: Arc<ManualClock>,
    pub peer: Peer,
    /// The credential that [`Self::peer`] has presented.
    pub credential: Credential,
    pub mount: Arc<Mount>,
    /// What the mount would listen to.
    pub plan: ListenerPlan,
}

/// What became of one batch item.
#[derive(Debug)]
pub struct Answer {
    pub status: ResultStatus,
    pub reason: Option<ResultReason>,
}

struct NoListeners;

impl Listeners for NoListeners {
    fn apply(&self, _: MountId, _: &ListenerPlan) -> Result<(), String> {
        Ok(())
    }

    fn close(&self, _: MountId) {}
}

pub const START: i64 = 1_700_000_000;

impl Fixture {
    pub fn new() -> Self {
        Self::over(Arc::new(Memory::new()))
    }

    pub fn over(engine: Arc<dyn Engine>) -> Self {
        Self::build(engine, Limits::default(), START)
    }

    /// With these limits, and at today's time: TLS judges certificates by it.
    pub fn limited(limits: Limits) -> Self {
        Self::build(Arc::new(Memory::new()), limits, SystemClock::default().now())
    }

    fn build(engine: Arc<dyn Engine>, limits: Limits, start: i64) -> Self {
        let clock = Arc::new(ManualClock::at(start));
        let root = RootKey::generate().unwrap();
        let barrier = Arc::new(Barrier::initialise(engine, &root, clock.now_us()).unwrap());
        let records = Records::new(Arc::clone(&barrier));
        let objects = Arc::new(Objects::new(barrier, 1 << 20));
        let as_clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let keeper = Arc::<Objects>::clone(&objects);
        let access =
            Arc::new(Access::open(records.clone(), Arc::clone(&as_clock), keeper).unwrap());
        let mounts = Mounts::open(records, Arc::clone(&as_clock), Arc::new(NoListeners)).unwrap();
        let path = MountPath::parse("kmip/").unwrap();
        mounts.create(&path, "").unwrap();
        mounts.configure(&path, ConfigChange::default(), true).unwrap();
        let mount = mounts.at(&path).unwrap();
        let (scope, role) =
            (AccessName::parse("scope").unwrap(), AccessName::parse("role").unwrap());
        access.create_scope(mount.id(), &scope, Change::Keep).unwrap();
        access.write_role(&mount, "scope", &role, RoleChange::everything()).unwrap();
        let credential = access.generate_credential(&mount, "scope", "role").unwrap();
        let service = Arc::new(Service {
            resources: Resources {
                objects,
                rng: Arc::new(SystemRng::new()),
                limits,
                vendor_identification: String::from("Claviger"),
                streams: Default::default(),
            },
            access,
            audit: AuditLog::disabled(),
            clock: as_clock,
            requests: AtomicU64::new(1),
        });
        let peer = Peer {
            mount: mount.id(),
            mount_path: "kmip/".into(),
            serial: credential.serial,
            serial_text: credential.serial.to_string().into(),
            remote: ([127, 0, 0, 1], 9).into(),
        };
        let plan = mount.engine().unwrap().plan().clone();
        Self { service, clock, peer, credential, mount, plan }
    }

    /// Sends a message and hands the answer's bytes on.
    pub async fn send(
        &self,
        header: &RequestHeader,
        body: impl FnOnce(&mut Encoder<'_>),
    ) -> Vec<u8> {
        let mut request = Writer::new();
        write_request(&mut request, header, body).unwrap();
        let mut answer = Writer::new();
        let next = self.service.answer(&self.peer, request.as_bytes(), &mut answer).await;
        assert_eq!(next, Next::Continue);
        answer.into_bytes()
    }

    /// Asks for one operation and expects it to be done.
    pub async fn call<R: Request>(&self, version: Version, request: &R) -> R::Response {
        let bytes = self
            .send(&RequestHeader::new(version, 1), |encoder| {
                RequestItem::write(encoder, None, request);
            })
            .await;
        let message = Message::parse(&bytes, &claviger_ttlv::Limits::default()).unwrap();
        let response = ResponseMessage::parse(&message).unwrap();
        let item = &response.items[0];
        assert_eq!(
            item.result_status,
            ResultStatus::SUCCESS,
            "{:?} {:?}",
            item.result_reason,
            item.result_message
        );
        item.payload(version).unwrap()
    }

    /// Asks for one operation and says what became of it.
    pub async fn attempt<R: Request>(&self, version: Version, request: &R) -> Answer {
        let bytes = self
            .send(&RequestHeader::new(version, 1), |encoder| {
                RequestItem::write(encoder, None, request);
            })
            .await;
        answers(&bytes).remove(0)
    }

    /// A new AES key with these attributes beside the necessary ones.
    pub async fn create(&self, extra: Vec<Attribute>) -> String {
        let CreateResponse { unique_identifier, .. } =
            self.call(Version::V1_4, &create_request(extra)).await;
        match unique_identifier {
            UniqueIdentifier::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }
}

pub fn create_request(extra: Vec<Attribute>) -> CreateRequest {
    let mut attributes: Attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(
            CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT,
        ),
    ]
    .into_iter()
    .collect();
    for attribute in extra {
        attributes.push(attribute);
    }
    CreateRequest {
        object_type: ObjectType::SYMMETRIC_KEY,
        attributes: attributes.into(),
        protection_storage_masks: None,
    }
}

pub fn name(text: &str) -> Attribute {
    Attribute::Name(Name::text(text))
}

pub fn undo_header(version: Version, items: i32) -> RequestHeader {
    let mut header = RequestHeader::new(version, items);
    header.batch_error_continuation_option = Some(BatchErrorContinuationOption::UNDO);
    header.batch_order_option = Some(true);
    header
}

pub fn answers(bytes: &[u8]) -> Vec<Answer> {
    let message = Message::parse(bytes, &claviger_ttlv::Limits::default()).unwrap();
    let response = ResponseMessage::parse(&message).unwrap();
    let items = response.items.iter();
    items.map(|item| Answer { status: item.result_status, reason: item.result_reason }).collect()
}
