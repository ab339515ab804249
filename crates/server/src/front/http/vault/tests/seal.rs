//! The seal over the API, on a whole node: uninitialised, sealed, unsealed, and what each of them
//! answers on every route.

use std::net::{SocketAddr, TcpListener, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_store::{Engine, Faults, Memory, Range};
use tokio::runtime::Handle;

use super::super::request::Operation;
use super::super::routes::{self, Auth};
use super::*;
use crate::address::free_address;
use crate::limits::Limits;
use crate::node::{Node, NodeOptions, SealSource, StartError};
use crate::seal::KeyFile;

/// A node and its API, without sockets of the API.
pub(super) struct Live {
    pub(super) engine: Arc<Memory>,
    pub(super) node: Arc<Node>,
    router: Router,
    pub(super) token: Option<String>,
}

fn open(engine: &Arc<Memory>, seal: SealSource) -> Result<Arc<Node>, StartError> {
    let clock = Arc::new(ManualClock::at(NOW));
    let options = NodeOptions { seal, audit: Vec::new(), limits: Limits::default() };
    let node = Node::open(engine.clone(), clock, Handle::current(), options)?;
    Ok(Arc::new(node))
}

impl Live {
    fn on(engine: Arc<Memory>, node: Arc<Node>) -> Self {
        let name = NodeName { cluster_name: "test".to_owned(), storage_type: "inmem".to_owned() };
        let api = Api::new(name, node.clock(), Arc::<Node>::clone(&node));
        Self { engine, node, router: router(Arc::new(api)), token: None }
    }

    /// An empty store, to be opened with shares.
    pub(super) fn new() -> Self {
        let engine = Arc::new(Memory::new());
        let node = open(&engine, SealSource::Shamir).unwrap();
        Self::on(engine, node)
    }

    /// The same store in another process.
    pub(super) fn restart(self) -> Self {
        let node = open(&self.engine, SealSource::Shamir).unwrap();
        Self { token: self.token, ..Self::on(self.engine, node) }
    }

    pub(super) async fn call(&self, method: &str, path: &str, body: &Value) -> Answered {
        let mut request = Request::builder().method(method).uri(format!("/v1/{path}"));
        if let Some(token) = &self.token {
            request = request.header("X-Vault-Token", token);
        }
        send(&self.router, request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Answered {
        self.call("GET", path, &Value::Null).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answered {
        self.call("PUT", path, &body).await
    }

    pub(super) async fn status(&self) -> Value {
        self.get("sys/seal-status").await.json()
    }

    /// Initialises; the shares in hexadecimal. The root token is sent from now on.
    pub(super) async fn init(&mut self, shares: u32, threshold: u32) -> Vec<String> {
        let body = json!({"secret_shares": shares, "secret_threshold": threshold});
        let answered = self.put("sys/init", body).await;
        let made = answered.json();
        assert_eq!(answered.status, 200, "{made}");
        self.token = Some(made["root_token"].as_str().unwrap().to_owned());
        let keys: Vec<String> = serde_json::from_value(made["keys"].clone()).unwrap();
        for (hex, base64) in keys.iter().zip(made["keys_base64"].as_array().unwrap()) {
            let bytes = STANDARD.decode(base64.as_str().unwrap()).unwrap();
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(&text, hex);
        }
        keys
    }

    pub(super) async fn unseal(&self, share: &str) -> Answered {
        self.put("sys/unseal", json!({"key": share, "reset": false, "migrate": false})).await
    }

    /// `kmip/` listening on a free port.
    async fn listen(&self) -> SocketAddr {
        let free = free_address();
        self.put("sys/mounts/kmip", json!({"type": "kmip"})).await.empty();
        self.put("kmip/config", json!({"listen_addrs": free.to_string()})).await.empty();
        assert_eq!(self.kmip(), [free]);
        free
    }

    fn kmip(&self) -> Vec<SocketAddr> {
        let unsealed = self.node.unsealed().unwrap();
        let mount = unsealed.services().mounts.at(&MountPath::parse("kmip").unwrap()).unwrap();
        unsealed.addresses(mount.id())
    }
}

#[tokio::test]
async fn every_route_has_its_answer_in_every_state() {
    let mut live = Live::new();
    let mut asked = 0;
    for state in ["uninitialised", "sealed", "unsealed"] {
        match state {
            "uninitialised" => live.token = Some("hvs.none".to_owned()),
            "sealed" => drop(live.init(1, 1).await),
            _ => {
                let made = Live::new();
                live = made;
                let keys = live.init(1, 1).await;
                live.unseal(&keys[0]).await;
                live.token = None;
            }
        }
        for (prefix, table) in [("", routes::SYSTEM), ("kmip/", routes::KMIP)] {
            for (route, (operation, _)) in
                table.iter().flat_map(|it| it.operations.iter().map(move |known| (it, known)))
            {
                let method = match operation {
                    Operation::Read | Operation::Help => "GET",
                    Operation::Update => "PUT",
                    Operation::Delete => "DELETE",
                    Operation::List => "LIST",
                };
                let path = format!("{prefix}{}", route.pattern.replace(['{', '}', '*'], ""));
                let answered =
                    live.call(method, &path, &json!({"key": 7, "secret_shares": 0})).await;
                asked += 1;
                let told = format!("{state} {method} {path}");
                match (route.auth, state, path.as_str(), method) {
                    (Auth::Anybody, _, "sys/health", _) => {
                        let code = match state {
                            "uninitialised" => 501,
                            "sealed" => 503,
                            _ => 200,
                        };
                        assert_eq!(answered.status, code, "{told}");
                    }
                    (Auth::Anybody, "unsealed", path, _) if path.starts_with("kmip/") => {
                        // Nothing is mounted there, which nobody is told without a token.
                        assert_eq!(answered.refused(403), "missing client token", "{told}");
                    }
                    (Auth::Anybody, "uninitialised" | "sealed", path, _)
                        if path.starts_with("kmip/") =>
                    {
                        assert_eq!(answered.refused(503), "Vault is sealed", "{told}");
                    }
                    (Auth::Holder, "unsealed", "sys/generate-root/attempt", "DELETE") => {
                        answered.empty();
                        continue;
                    }
                    (Auth::Holder, "unsealed", "sys/generate-root/attempt", _) => {
                        assert_eq!(answered.status, 200, "{told}");
                    }
                    (Auth::Holder, "unsealed", ..) => assert_eq!(answered.status, 400, "{told}"),
                    (Auth::Anybody, _, _, "PUT") => assert_eq!(answered.status, 400, "{told}"),
                    (Auth::Anybody, ..) => assert_eq!(answered.status, 200, "{told}"),
                    (_, "unsealed", ..) => {
                        assert_eq!(answered.refused(403), "missing client token", "{told}");
                    }
                    _ => assert_eq!(answered.refused(503), "Vault is sealed", "{told}"),
                }
                assert_eq!(answered.content_type.as_deref(), Some("application/json"), "{told}");
            }
        }
        assert_eq!(live.status().await["sealed"], state != "unsealed");
    }
    assert!(asked > 60, "only {asked} requests");
}

#[tokio::test]
async fn an_initialisation_happens_once_and_says_what_it_cannot_do() {
    let mut live = Live::new();
    assert_eq!(live.get("sys/init").await.json(), json!({"initialized": false}));
    let status = live.status().await;
    assert_eq!((&status["t"], &status["n"]), (&json!(0), &json!(0)));
    assert_eq!((&status["type"], status.get("cluster_id")), (&json!("shamir"), None));
    assert_eq!(live.unseal("00").await.refused(400), "Vault is not initialized");
    for (shares, threshold, problem) in [
        (0, 0, "shares must be at least one"),
        (5, 0, "threshold must be at least one"),
        (3, 5, "threshold cannot be larger than shares"),
        (5, 1, "threshold must be greater than one for multiple shares"),
        (256, 3, "shares must be less than 256"),
        (1000, 256, "shares must be less than 256"),
    ] {
        let body = json!({"secret_shares": shares, "secret_threshold": threshold});
        let said = live.put("sys/init", body).await.refused(400);
        assert_eq!(said, format!("invalid seal configuration: {problem}"));
    }
    for bad in [
        json!({"secret_shares": "many"}),
        json!({"secret_shares": -1}),
        json!({"secret_shares": 5, "secret_threshold": 3, "pgp_keys": ["a", "b", "c", "d", "e"]}),
        json!({"secret_shares": 5, "secret_threshold": 3, "stored_shares": 1}),
        json!({"secret_shares": 5, "secret_threshold": 3, "recovery_pgp_keys": ["a"]}),
        json!([]),
    ] {
        live.put("sys/init", bad).await.refused(400);
    }
    assert!(live.engine.scan(&Range::all()).unwrap().is_empty(), "nothing was written");

    // As the vault command sends it.
    let body = json!({"secret_shares": 5, "secret_threshold": 3, "stored_shares": 0,
        "pgp_keys": null, "recovery_shares": 0, "recovery_threshold": 0, "recovery_pgp_keys": null,
        "root_token_pgp_key": ""});
    let made = live.put("sys/init", body.clone()).await.json();
    let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["keys", "keys_base64", "root_token"]);
    assert!(made["root_token"].as_str().unwrap().starts_with("hvs."));
    let keys = made["keys"].as_array().unwrap();
    assert_eq!((keys.len(), keys[0].as_str().unwrap().len()), (5, 66));
    assert_eq!(live.put("sys/init", body).await.refused(400), "Vault is already initialized");
    assert_eq!(live.get("sys/init").await.json(), json!({"initialized": true}));
    assert_eq!(live.get("sys/health").await.status, 503, "initialising does not unseal");
    live = live.restart();
    let status = live.status().await;
    assert_eq!(
        (&status["t"], &status["n"], &status["sealed"]),
        (&json!(3), &json!(5), &json!(true))
    );
}

#[tokio::test]
async fn an_initialisation_that_cannot_be_stored_leaves_nothing() {
    let mut live = Live::new();
    live.engine.set_faults(Faults { full: 1000, ..Faults::default() });
    live.put("sys/init", json!({})).await.refused(500);
    assert_eq!(live.get("sys/init").await.json(), json!({"initialized": false}));
    assert!(live.engine.scan(&Range::all()).unwrap().is_empty());
    live.engine.set_faults(Faults::default());
    assert_eq!(live.init(2, 2).await.len(), 2);
}

#[tokio::test]
async fn an_initialisation_cut_off_is_whole_or_not_there() {
    let (mut whole, mut absent) = (0, 0);
    for seed in 0..20 {
        let faults = Faults { seed, fail: 1000, ..Faults::default() };
        let engine = Arc::new(Memory::with_faults(faults));
        let node = open(&engine, SealSource::Shamir).unwrap();
        let mut live = Live::on(engine, node);
        live.put("sys/init", json!({})).await.refused(500);
        live.engine = Arc::new(live.engine.crash());
        live.engine.set_faults(Faults::default());
        live = live.restart();
        let kinds: Vec<u8> =
            live.engine.scan(&Range::all()).unwrap().iter().map(|(key, _)| key[0]).collect();
        if live.get("sys/init").await.json()["initialized"] == true {
            assert_eq!(kinds, b"knty", "keyring, accessor, token, seal configuration");
            whole += 1;
        } else {
            assert!(kinds.is_empty());
            live.init(3, 2).await;
            absent += 1;
        }
    }
    assert!(whole > 0 && absent > 0, "{whole} {absent}");
}

#[tokio::test]
async fn shares_unseal_one_after_the_other() {
    let mut live = Live::new();
    let keys = live.init(5, 3).await;
    let first = live.unseal(&keys[0]).await.json();
    assert_eq!((&first["progress"], &first["sealed"]), (&json!(1), &json!(true)));
    let nonce = first["nonce"].as_str().unwrap().to_owned();
    assert_eq!(nonce.len(), 36);
    assert_eq!(live.unseal(&keys[0]).await.json()["progress"], 1, "the same one counts once");
    let bytes: Vec<u8> = keys[1]
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let second = live.unseal(&STANDARD.encode(bytes)).await.json();
    assert_eq!((&second["progress"], second["nonce"].as_str()), (&json!(2), Some(nonce.as_str())));
    for bad in
        ["", "not hex!", keys[2].strip_suffix(|_: char| true).unwrap(), &format!("{}00", keys[2])]
    {
        live.unseal(bad).await.refused(400);
    }
    live.put("sys/unseal", json!({})).await.refused(400);
    live.put("sys/unseal", json!({"key": keys[2], "migrate": true})).await.refused(400);
    assert_eq!(live.status().await["progress"], 2, "refusals change nothing");
    let reset = live.put("sys/unseal", json!({"reset": true})).await.json();
    assert_eq!((&reset["progress"], &reset["nonce"]), (&json!(0), &json!("")));

    // A share of another key: all are forgotten, as nobody knows which one it was.
    let mut other = Live::new();
    let foreign = other.init(5, 3).await;
    live.unseal(&keys[0]).await;
    live.unseal(&foreign[0]).await;
    let said = live.unseal(&keys[1]).await.refused(400);
    assert_eq!(said, "Unseal failed, invalid key");
    assert_eq!(live.status().await["progress"], 0);

    live.unseal(&keys[4]).await;
    live.unseal(&keys[1]).await;
    let last = live.unseal(&keys[3]).await.json();
    assert_eq!(
        (&last["sealed"], &last["progress"], &last["nonce"]),
        (&json!(false), &json!(0), &json!(""))
    );
    assert_eq!((&last["cluster_name"], live.get("sys/health").await.status), (&json!("test"), 200));
    assert_eq!(live.unseal(&keys[3]).await.json()["sealed"], false, "one too many is no error");
    assert_eq!(live.get("auth/token/lookup-self").await.data()["policies"], json!(["root"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_ends_everything_and_unsealing_brings_it_back() {
    let mut live = Live::new();
    let keys = live.init(1, 1).await;
    assert_eq!((keys.len(), keys[0].len()), (1, 64), "one share is the key itself");
    live.unseal(&keys[0]).await;
    let address = live.listen().await;
    live.put("kmip/scope/finance", json!({})).await.empty();
    let open = TcpStream::connect(address).unwrap();
    let services = live.node.services().unwrap();
    let token = live.token.take();
    live.put("sys/seal", json!({})).await.refused(403);
    live.token = token;
    live.put("sys/seal", json!({})).await.empty();

    assert!(TcpStream::connect(address).is_err(), "the KMIP port refuses");
    let mut end = [0];
    open.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    assert!(matches!(std::io::Read::read(&mut &open, &mut end), Ok(0) | Err(_)));
    assert_eq!(live.get("kmip/config").await.refused(503), "Vault is sealed");
    assert_eq!(live.put("sys/seal", json!({})).await.refused(503), "Vault is sealed");
    // Whoever was in the middle of something has nothing in hand any more.
    assert!(services.tokens.lookup(live.token.as_deref().unwrap()).is_err());
    let path = MountPath::parse("kmip").unwrap();
    let change = crate::mount::ConfigChange {
        listen_addrs: crate::record::Change::To(vec![
            "127.0.0.1:0".to_owned(),
            "[::1]:0".to_owned(),
        ]),
        ..Default::default()
    };
    assert!(services.mounts.configure(&path, change, true).is_err(), "no port opens while sealed");

    live.unseal(&keys[0]).await;
    assert_eq!(
        live.call("LIST", "kmip/scope", &json!({})).await.data()["keys"],
        json!(["finance"])
    );
    assert!(TcpStream::connect(live.kmip()[0]).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_listener_does_not_block_unsealing() {
    let mut live = Live::new();
    let keys = live.init(1, 1).await;
    live.unseal(&keys[0]).await;
    let address = live.listen().await;
    live.put("sys/mounts/other", json!({"type": "kmip"})).await.empty();
    live.put("other/config", json!({"listen_addrs": "127.0.0.1:0"})).await.empty();
    live.put("sys/seal", json!({})).await.empty();
    let _taken = TcpListener::bind(address).unwrap();
    assert_eq!(live.unseal(&keys[0]).await.json()["sealed"], false);
    assert!(live.kmip().is_empty());
    let unsealed = live.node.unsealed().unwrap();
    let other = unsealed.services().mounts.at(&MountPath::parse("other").unwrap()).unwrap();
    assert_eq!(unsealed.addresses(other.id()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_unseals_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let seal = SealSource::KeyFile(KeyFile::new(directory.path().join("seal.key")));
    let engine = Arc::new(Memory::new());
    let node = open(&engine, seal.clone()).unwrap();
    let mut live = Live::on(engine, node);
    assert_eq!(live.status().await["type"], "keyfile");
    assert!(live.init(5, 3).await.is_empty(), "nobody gets a share");
    assert_eq!(live.status().await["sealed"], false);
    live.put("sys/seal", json!({})).await.empty();
    assert!(live.unseal(&"00".repeat(32)).await.refused(400).contains("restart"));

    let start = |seal| {
        let engine = live.engine.clone();
        let node = open(&engine, seal)?;
        let handle = Arc::clone(&node);
        std::thread::spawn(move || handle.unseal_at_start(|_| Ok(()))).join().unwrap()?;
        Ok::<_, StartError>(Live { token: live.token.clone(), ..Live::on(engine, node) })
    };
    let again = start(seal.clone()).unwrap();
    assert_eq!(again.get("auth/token/lookup-self").await.status, 200);
    let mismatch = open(&live.engine, SealSource::Shamir).unwrap_err().to_string();
    assert!(mismatch.contains("key_file"), "{mismatch}");
    std::fs::remove_file(directory.path().join("seal.key")).unwrap();
    let missing = start(seal).err().unwrap().to_string();
    assert!(missing.contains("seal.key"), "{missing}");
}
