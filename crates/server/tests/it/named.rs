//! Named listeners and imported authorities over real sockets: who gets in, as whom, and what ends a
//! connection that is open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use claviger_crypto::SystemRng;
use claviger_kmip::Version;
use claviger_kmip::enums::{ResultReason, ResultStatus};
use claviger_kmip::message::{RequestHeader, RequestItem, write_request};
use claviger_server::access::{Access, Name, OperationSet, PermissionChange, RoleChange};
use claviger_server::audit::AuditLog;
use claviger_server::clock::{Clock, ManualClock, SystemClock};
use claviger_server::dispatch::Service;
use claviger_server::front::kmip::KmipFront;
use claviger_server::limits::Limits;
use claviger_server::mount::{
    ConfigChange, ListenerChange, Listeners, MappingChange, Mount, MountPath, Mounts,
};
use claviger_server::object::Objects;
use claviger_server::ops::Resources;
use claviger_server::pki::{ClientSubject, KeySpec, SubjectField, pem};
use claviger_server::record::{Change, Records};
use claviger_server::seal::{Barrier, RootKey};
use claviger_store::Memory;
use claviger_ttlv::Writer;
use rcgen::{CertificateParams, DnType, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::fixture::{Answer, answers, create_request};

const SOON: Duration = Duration::from_secs(30);
const DAY: i64 = 86_400;

/// A server with a mount `kmip/`, a scope, a role that may do everything and one that may only Get.
struct House {
    mounts: Arc<Mounts>,
    access: Arc<Access>,
    front: Arc<KmipFront>,
    clock: Arc<ManualClock>,
}

/// A certificate, its key, and those between it and the authority.
struct Card {
    certificate: Vec<u8>,
    key: Vec<u8>,
    above: Vec<Vec<u8>>,
}

fn path() -> MountPath {
    MountPath::parse("kmip").unwrap()
}

impl House {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock::default().now()));
        let as_clock: Arc<dyn Clock> = clock.clone();
        let root = RootKey::generate().unwrap();
        let store = Arc::new(Memory::new());
        let barrier = Arc::new(Barrier::initialise(store, &root, clock.now_us()).unwrap());
        let records = Records::new(barrier.clone());
        let objects = Arc::new(Objects::new(barrier, 1 << 20));
        let access =
            Access::open(records.clone(), as_clock.clone(), objects.clone()).map(Arc::new).unwrap();
        let service = Arc::new(Service {
            resources: Resources {
                objects,
                rng: Arc::new(SystemRng::new()),
                limits: Limits::default(),
                vendor_identification: String::from("Claviger"),
                streams: Default::default(),
            },
            access: access.clone(),
            audit: AuditLog::disabled(),
            clock: as_clock.clone(),
            requests: AtomicU64::new(1),
        });
        let front = Arc::new(KmipFront::new(tokio::runtime::Handle::current(), service));
        let listeners: Arc<dyn Listeners> = front.clone();
        let mounts = Arc::new(Mounts::open(records, as_clock, listeners).unwrap());
        front.name_mounts(&mounts);
        mounts.create(&path(), "").unwrap();
        let nowhere = ConfigChange { listen_addrs: Change::To(vec![]), ..Default::default() };
        mounts.configure(&path(), nowhere, true).unwrap();
        let house = Self { mounts, access, front, clock };
        let (scope, mount) = (Name::parse("scope").unwrap(), house.mount());
        house.access.create_scope(mount.id(), &scope, Change::Keep).unwrap();
        house.role("all", RoleChange::everything());
        let get = OperationSet::of(vec![claviger_kmip::enums::Operation::GET]);
        let permissions = PermissionChange { granted: get, ..Default::default() };
        house.role("reader", RoleChange { permissions, ..Default::default() });
        house
    }

    fn mount(&self) -> Arc<Mount> {
        self.mounts.at(&path()).unwrap()
    }

    fn role(&self, name: &str, change: RoleChange) {
        let name = Name::parse(name).unwrap();
        self.access.write_role(&self.mount(), "scope", &name, change).unwrap();
    }

    fn ca(&self, name: &str) {
        self.mounts.generate_authority(&path(), name, KeySpec::Ec256, 400 * DAY).unwrap();
    }

    /// A listener on a free port, with further fields.
    fn listen(&self, name: &str, ca: &str, change: ListenerChange) -> SocketAddr {
        let before = self.front.addresses(self.mount().id());
        let change = ListenerChange {
            ca: Change::To(ca.to_owned()),
            address: Change::To("127.0.0.1:0".to_owned()),
            ..change
        };
        self.mounts.write_listener(&path(), name, change).unwrap();
        let now = self.front.addresses(self.mount().id());
        now.into_iter().find(|address| !before.contains(address)).unwrap()
    }

    fn change(&self, name: &str, change: ListenerChange) {
        self.mounts.write_listener(&path(), name, change).unwrap();
    }

    /// A credential under the role `all`, issued by that authority (the engine's own if empty).
    fn credential(&self, ca: &str) -> Card {
        self.role("all", RoleChange { ca: Change::To(ca.to_owned()), ..Default::default() });
        let made = self.access.generate_credential(&self.mount(), "scope", "all").unwrap();
        let key = made.private_key.unwrap().der().to_vec();
        Card { certificate: made.certificate, key, above: Vec::new() }
    }

    async fn connect(&self, address: SocketAddr, card: &Card) -> std::io::Result<Client> {
        let mut roots = RootCertStore::empty();
        for authority in self.mount().authorities() {
            for certificate in authority.issuer().iter().flat_map(|it| it.chain()) {
                roots.add(certificate).unwrap();
            }
        }
        let key = PrivateKeyDer::try_from(card.key.clone()).unwrap();
        let chain = std::iter::once(&card.certificate).chain(&card.above);
        let chain = chain.cloned().map(CertificateDer::from).collect();
        let config = ClientConfig::builder_with_provider(claviger_server::pki::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        let tcp = TcpStream::connect(address).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = soon(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await?;
        Ok(Client { stream })
    }

    /// What Create is answered; an error when the connection is not served.
    async fn create(&self, address: SocketAddr, card: &Card) -> std::io::Result<Answer> {
        self.connect(address, card).await?.create().await
    }
}

struct Client {
    stream: TlsStream<TcpStream>,
}

impl Client {
    async fn create(&mut self) -> std::io::Result<Answer> {
        let mut writer = Writer::new();
        write_request(&mut writer, &RequestHeader::new(Version::V1_4, 1), |encoder| {
            RequestItem::write(encoder, None, &create_request(vec![]));
        })
        .unwrap();
        soon(async {
            self.stream.write_all(writer.as_bytes()).await?;
            self.stream.flush().await?;
            let mut bytes = vec![0; 8];
            self.stream.read_exact(&mut bytes).await?;
            let length = u32::from_be_bytes(bytes[4..8].try_into().unwrap()) as usize;
            bytes.resize(8 + length, 0);
            self.stream.read_exact(&mut bytes[8..]).await?;
            Ok(answers(&bytes).remove(0))
        })
        .await
    }

    async fn is_served(&mut self) {
        assert_eq!(self.create().await.unwrap().status, ResultStatus::SUCCESS);
    }

    /// Waits for the server to end the connection.
    async fn ends(&mut self) {
        let mut rest = Vec::new();
        let _ = soon(self.stream.read_to_end(&mut rest)).await;
        assert!(rest.is_empty());
    }

    fn server_certificate(&self) -> Vec<u8> {
        let (_, session) = self.stream.get_ref();
        session.peer_certificates().unwrap()[0].to_vec()
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.expect("not in time")
}

/// Somebody else's authority.
struct Corporate {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    /// Its own certificate, if its clients have to show it.
    above: Vec<Vec<u8>>,
}

impl Corporate {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Corporate CA");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let pem = pem::encode("CERTIFICATE", certificate.der());
        Self { issuer: Issuer::new(params, key), pem, above: Vec::new() }
    }

    /// An authority below this one, which issues for itself.
    fn below(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let above = vec![certificate.der().to_vec()];
        Self { issuer: Issuer::new(params, key), pem: self.pem.clone(), above }
    }

    fn card(&self, common_name: &str, serial: rcgen::SerialNumber) -> Card {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.serial_number = Some(serial);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (certificate, key) = (certificate.der().to_vec(), key.serialize_der());
        Card { certificate, key, above: self.above.clone() }
    }
}

fn additional(names: &[&str]) -> ListenerChange {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    ListenerChange { additional_client_cas: Change::To(names), ..Default::default() }
}

fn import(house: &House, corporate: &Corporate, role: &str) {
    let mapping = MappingChange {
        scope_name: Change::To("scope".to_owned()),
        role_name: Change::To(role.to_owned()),
        ..Default::default()
    };
    house.mounts.import_authority(&path(), "corporate", &corporate.pem, mapping).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_takes_the_clients_of_its_authorities_alone() {
    let house = House::new();
    house.ca("a");
    house.ca("b");
    let (of_a, of_b, of_engine) =
        (house.credential("a"), house.credential("b"), house.credential(""));
    let at = house.listen("l", "a", ListenerChange::default());
    assert_eq!(house.create(at, &of_a).await.unwrap().status, ResultStatus::SUCCESS);
    assert!(house.create(at, &of_b).await.is_err());
    assert!(house.create(at, &of_engine).await.is_err());

    house.change("l", additional(&["b"]));
    assert_eq!(house.create(at, &of_b).await.unwrap().status, ResultStatus::SUCCESS);
    assert!(house.create(at, &of_engine).await.is_err());
    let legacy = ListenerChange { also_use_legacy_ca: Change::To(true), ..Default::default() };
    house.change("l", legacy);
    assert_eq!(house.create(at, &of_engine).await.unwrap().status, ResultStatus::SUCCESS);

    // Two listeners of one mount, each with its own authority.
    let other = house.listen("m", "b", ListenerChange::default());
    assert_eq!(house.create(other, &of_b).await.unwrap().status, ResultStatus::SUCCESS);
    assert!(house.create(other, &of_a).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_listener_loses_ends_open_connections() {
    let house = House::new();
    house.ca("a");
    house.ca("b");
    let (of_a, of_b) = (house.credential("a"), house.credential("b"));
    let at = house.listen("l", "a", additional(&["b"]));
    let mut open = house.connect(at, &of_b).await.unwrap();
    open.is_served().await;
    // More clients than before harm nobody.
    let legacy = ListenerChange { also_use_legacy_ca: Change::To(true), ..Default::default() };
    house.change("l", legacy);
    open.is_served().await;
    house.change("l", additional(&[]));
    open.ends().await;
    let mut open = house.connect(at, &of_a).await.unwrap();
    open.is_served().await;
    house.mounts.delete_listener(&path(), "l").unwrap();
    open.ends().await;
    // Its address is free for the next one at once.
    let address = Change::To(at.to_string());
    let next = ListenerChange { ca: Change::To("b".to_owned()), address, ..Default::default() };
    house.change("next", next);
    assert_eq!(house.create(at, &of_b).await.unwrap().status, ResultStatus::SUCCESS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_an_imported_authority_is_what_its_subject_says() {
    let house = House::new();
    house.ca("a");
    let corporate = Corporate::new();
    import(&house, &corporate, "all");
    let at = house.listen("l", "a", additional(&["corporate"]));
    let card = corporate.card("reader", 77u64.into());
    let mut open = house.connect(at, &card).await.unwrap();
    open.is_served().await;

    // The mapping, a denied serial and the authority's end act on the open connection.
    let by_field =
        MappingChange { role_field: Change::To(SubjectField::CommonName), ..Default::default() };
    house.mounts.update_authority(&path(), "corporate", by_field).unwrap();
    let refused = open.create().await.unwrap();
    assert_eq!(refused.reason, Some(ResultReason::PERMISSION_DENIED), "the reader creates nothing");
    let mount = house.mount();
    let authority = mount.authority("corporate").unwrap();
    let serial = claviger_server::pki::Serial::from_decimal("77").unwrap();
    house.access.deny_imported(&mount, authority, serial, None, None).unwrap();
    assert_ne!(open.create().await.unwrap().status, ResultStatus::SUCCESS);
    open.ends().await;
    let refused = Some(ResultReason::AUTHENTICATION_NOT_SUCCESSFUL);
    let again = house.create(at, &card).await.unwrap();
    assert_eq!(again.reason, refused);
    let unknown = corporate.card("nobody", 78u64.into());
    let answer = house.create(at, &unknown).await.unwrap();
    assert_eq!(answer.reason, refused, "there is no such role");
}

/// Serials are unique under their issuer only (RFC 5280 §4.1.2.2).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_with_one_serial_of_two_issuers_are_two() {
    let house = House::new();
    house.ca("a");
    let corporate = Corporate::new();
    import(&house, &corporate, "all");
    let at = house.listen("l", "a", additional(&["corporate"]));
    let serial = || rcgen::SerialNumber::from(77u64);
    let (east, west) = (corporate.below("East"), corporate.below("West"));
    let (of_east, of_west) = (east.card("x", serial()), west.card("x", serial()));
    let (mut first, mut second) =
        (house.connect(at, &of_east).await.unwrap(), house.connect(at, &of_west).await.unwrap());
    first.is_served().await;
    second.is_served().await;

    let mount = house.mount();
    let authority = mount.authority("corporate").unwrap();
    let subject = ClientSubject::of(&of_east.certificate).unwrap();
    assert_eq!(subject.issuer_text, "CN=East");
    let deny = |issuer| {
        house.access.deny_imported(&mount, authority, subject.serial, issuer, None).unwrap();
    };
    deny(Some(subject.issuer.as_slice()));
    assert_ne!(first.create().await.unwrap().status, ResultStatus::SUCCESS);
    second.is_served().await;
    // The other one too where only the serial is said.
    deny(None);
    assert_ne!(second.create().await.unwrap().status, ResultStatus::SUCCESS);
    let again = house.create(at, &of_west).await.unwrap();
    assert_eq!(again.reason, Some(ResultReason::AUTHENTICATION_NOT_SUCCESSFUL));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_certificate_with_the_serial_of_a_credential_is_not_that_credential() {
    let house = House::new();
    house.ca("a");
    let corporate = Corporate::new();
    import(&house, &corporate, "reader");
    let at = house.listen("l", "a", additional(&["corporate"]));
    let credential = house.credential("a");
    let serial = claviger_server::pki::Serial::of_certificate(&credential.certificate).unwrap();
    let twin = corporate.card("x", rcgen::SerialNumber::from_slice(serial.as_bytes()));
    assert_eq!(house.create(at, &credential).await.unwrap().status, ResultStatus::SUCCESS);
    let refused = house.create(at, &twin).await.unwrap();
    assert_eq!(refused.reason, Some(ResultReason::PERMISSION_DENIED));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_connections_survive_a_renewed_server_certificate() {
    let house = House::new();
    house.ca("a");
    let card = house.credential("a");
    let at = house.listen("l", "a", ListenerChange::default());
    let mut open = house.connect(at, &card).await.unwrap();
    open.is_served().await;
    let first = house.mount().listener("l").unwrap().server_certificate().cloned().unwrap();
    assert_eq!(open.server_certificate(), first.as_ref());
    // So late that the server's certificate is due; the client's has ended by then, so the clock is
    // set back for it.
    let now = house.clock.now();
    house.clock.set(now + 310 * DAY);
    assert_eq!(house.mounts.renew_server_certificates(), 2);
    house.clock.set(now);
    let second = house.mount().listener("l").unwrap().server_certificate().cloned().unwrap();
    assert_ne!(first, second);
    open.is_served().await;
}
