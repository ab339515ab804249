//! The component in a host that does nothing but load it (`host.c`): every function of its services, what is on the KMIP
//! server afterwards, what it leaves behind, what valgrind says, and its line for each thing that is wrong.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::json;

use super::files::{CONFIGURATION, Options, as_client, issue, library, options, write};
use crate::api::Api;
use crate::kmip::{Client, Operation, attribute, name_fields, on, op, register, revoke, tag};
use crate::samples::sample;
use crate::server::Server;
use crate::tls::{Connection, Identity};
use crate::ttlv::{Item, Value};

/// What malloc may have more of after a thousand starts: less than any allocation of each would be.
const HEAP_MORE: u64 = 4096;
/// Before counting: what a library makes once is made by then.
const WARM_UP: u32 = 20;
const KEY_32: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// Why a key is revoked: Superseded.
const SUPERSEDED: u32 = 4;

/// A host that has loaded the component.
pub(super) struct Host {
    scratch: tempfile::TempDir,
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Host {
    /// With the component initialised, and its configuration written.
    pub(super) fn start(options: &Options) -> Self {
        let mut host = Self::start_under(&[], options);
        assert_eq!(host.ask("init"), "ok");
        host
    }

    fn start_under(under: &[&str], options: &Options) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("host");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/mysql/host.c");
        let built = Command::new("cc")
            .args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&program, &source])
            .args(["-ldl", "-lpthread"])
            .status();
        assert!(built.unwrap().success(), "host.c does not compile");
        for directory in ["plugins", "data"] {
            fs::create_dir(scratch.path().join(directory)).unwrap();
        }
        write(&scratch.path().join("plugins"), options);
        let mut command = match under.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&program);
                command
            }
            None => Command::new(&program),
        };
        let mut child = command
            .arg(library())
            // Chunks that are kept for the next one would count as used.
            .env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(scratch.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { scratch, child, commands, answers }
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// One command, and its answer.
    pub(super) fn ask(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").unwrap();
        self.commands.flush().unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n') && !answer.starts_with("broken"), "{command}: {answer}");
        answer.trim_end().to_owned()
    }

    pub(super) fn load(&mut self) -> String {
        let [plugins, data] = ["plugins", "data"].map(|name| self.directory(name));
        self.ask(&format!("load {} {}", plugins.display(), data.display()))
    }

    fn configure(&self, options: &Options) {
        write(&self.directory("plugins"), options);
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.directory("stderr")).unwrap()
    }

    /// What loading with those options adds to the error log: one line.
    fn refusal(&mut self, options: &Options) -> String {
        self.configure(options);
        let before = self.log().len();
        assert_eq!(self.load(), "failed", "{options:?}");
        let said = self.log()[before..].to_owned();
        assert_eq!(said.lines().count(), 1, "{options:?}: {said}");
        assert!(said.contains("[ERROR]") && said.contains("component_claviger_kmip: "), "{said}");
        said
    }

    /// Ends it; with what it wrote.
    fn end(mut self) -> String {
        drop(self.commands);
        let status = self.child.wait().unwrap();
        let said = fs::read_to_string(self.scratch.path().join("stderr")).unwrap();
        assert!(status.success(), "{status}: {said}");
        said
    }
}

#[test]
fn every_function_of_every_service_does_what_the_interface_says() {
    let server = Server::start();
    let mut host = Host::start(&options(&[&server]));
    // Before it is told where the keys are.
    assert_eq!((host.ask("is_initialized"), host.ask("misuse")), ("no".into(), "refused".into()));
    assert!(host.ask("metadata").ends_with("Component_status=Disabled;"));
    for command in ["get k -", "keys", "generate k - AES 16", "store k - SECRET 61", "remove k -"] {
        assert_eq!(host.ask(command), "failed", "{command}");
    }

    assert_eq!(host.load(), "ok");
    assert_eq!((host.ask("is_initialized"), host.ask("misuse")), ("yes".into(), "refused".into()));
    assert_eq!((host.ask("get k -"), host.ask("keys")), ("none".into(), String::new()));
    for (command, answer) in [
        ("generate a - AES 16", "ok"),
        ("generate a = AES 16", "failed"),
        ("generate a root@localhost AES 24", "ok"),
        ("generate b - aes 32", "ok"),
        ("generate c - AES 64", "failed"),
        ("generate c - AES 29", "failed"),
        ("generate c - RSA 16", "failed"),
        ("generate s root@localhost SECRET 16384", "ok"),
        ("generate c - SECRET 16385", "failed"),
        ("generate c - SECRET 0", "failed"),
        ("store t root@localhost SECRET 6162", "ok"),
        ("get t root@localhost", "SECRET 6162"),
        ("get t -", "none"),
        ("remove unknown -", "ok"),
    ] {
        assert_eq!(host.ask(command), answer, "{command}");
    }
    assert_eq!(host.ask(&format!("store k - AES {KEY_32}")), "ok");
    assert_eq!(host.ask("get k ="), format!("AES {KEY_32}"));
    let names = "a=;a=root@localhost;b=;k=;s=root@localhost;t=root@localhost;";
    assert_eq!(host.ask("keys"), names);
    let before: Vec<_> = ["a -", "a root@localhost", "b -", "s root@localhost"]
        .map(|key| host.ask(&format!("get {key}")))
        .into();

    // Everything is there after a restart, with its owners.
    assert_eq!(host.ask("deinit"), "ok");
    assert_eq!((host.ask("is_initialized"), host.ask("init")), ("no".into(), "ok".into()));
    assert_eq!((host.load(), host.ask("keys")), ("ok".into(), names.into()));
    let after: Vec<_> = ["a -", "a root@localhost", "b -", "s root@localhost"]
        .map(|key| host.ask(&format!("get {key}")))
        .into();
    assert_eq!(before, after);

    let shown = host.ask("metadata");
    for row in [
        "Component_name=component_claviger_kmip;",
        "Component_status=Active;",
        "Object_group=TestGroup;",
    ] {
        assert!(shown.contains(row), "{shown}");
    }
    for (mode, size) in [("cbc", "16"), ("cfb1", "5"), ("cfb8", "5"), ("cfb128", "5"), ("ofb", "5")]
    {
        assert_eq!(host.ask(&format!("size 5 {mode} 256")), size);
        let iv = &KEY_32[..32];
        let sealed = host.ask(&format!("encrypt k - {mode} 1 {iv} 68656c6c6f"));
        assert_ne!(sealed, "68656c6c6f");
        assert_eq!(host.ask(&format!("decrypt k - {mode} 1 {iv} {sealed} 5")), "68656c6c6f");
        assert_eq!(host.ask(&format!("decrypt k - {mode} 1 {iv} {sealed} 4")), "failed");
        assert_eq!(host.ask(&format!("encrypt t root@localhost {mode} 1 {iv} 68")), "failed");
    }
    assert_eq!(host.ask("size 5 ecb 256"), "failed");
    assert_eq!(host.ask("size 5 cbc 128"), "failed");

    for key in ["a root@localhost", "k -", "s root@localhost"] {
        assert_eq!(host.ask(&format!("remove {key}")), "ok");
        assert_eq!(host.ask(&format!("get {key}")), "none");
    }
    assert_eq!((host.load(), host.ask("keys")), ("ok".into(), "a=;b=;t=root@localhost;".into()));
    assert_eq!(host.end(), "", "what a user asks for that there is not is no matter of the log's");
}

/// Answers of `payload` to requests as Percona's component sends them.
struct Percona(Connection);

impl Percona {
    fn send(&mut self, name: &str, change: impl Fn(&mut Item)) -> Vec<Item> {
        let mut request = sample(name, None);
        request.walk_mut(&mut |item| change(item));
        let frame = self.0.exchange(&request.encode()).unwrap();
        let reply = crate::kmip::Reply::read(&frame.bytes).unwrap();
        reply.items.into_iter().map(crate::kmip::ReplyItem::success).collect()
    }

    fn on(&mut self, name: &str, id: &str) -> Item {
        let set = |item: &mut Item| {
            if item.tag == tag::UNIQUE_IDENTIFIER {
                item.value = Value::TextString(id.to_owned());
            }
        };
        self.send(name, set).remove(0)
    }
}

fn identifiers(payload: &Item) -> Vec<String> {
    let named = payload.children().iter().filter(|item| item.tag == tag::UNIQUE_IDENTIFIER);
    named.filter_map(Item::as_text).map(str::to_owned).collect()
}

#[test]
fn a_key_set_of_percona_is_read_and_ours_by_the_same_requests() {
    let server = Server::start();
    let identity = Identity::exported(&server.client);
    let mut percona = Percona(Connection::open(server.kmip, &identity).unwrap());
    let made = percona.send("kmippp-register-key", |_| {}).remove(0);
    let key = identifiers(&made).remove(0);
    percona.on("kmippp-activate", &key);
    let made = percona.send("kmippp-register-secret-data", |_| {}).remove(0);
    percona.on("kmippp-activate", &identifiers(&made)[0]);

    let mut host = Host::start(&options(&[&server]));
    assert_eq!(host.load(), "ok");
    assert_eq!(host.ask("keys"), "ppreg1=;ppsec1=;");
    let bytes = "3031323334353637383961626364656630313233343536373839616263646566";
    assert_eq!(host.ask("get ppreg1 -"), format!("AES {bytes}"));
    assert_eq!(host.ask("get ppsec1 -"), "SECRET 4d795365637265745061737377307264");
    assert_eq!(host.ask("remove ppreg1 -"), "ok");

    // Ours, by what the older of Percona's components asks when it starts.
    assert_eq!(host.ask(&format!("store INNODBKey-1 - AES {KEY_32}")), "ok");
    assert_eq!(host.ask("store secret - SECRET 6162"), "ok");
    let page = percona.send("kmippp-locate-first-page", |_| {}).remove(0);
    let [found] = identifiers(&page).try_into().unwrap();
    let name = percona.on("kmippp-get-name", &found);
    let named = name.at(&[tag::ATTRIBUTE, tag::ATTRIBUTE_VALUE, tag::NAME_VALUE]).unwrap();
    assert_eq!(named.as_text(), Some("INNODBKey-1"));
    let material = [tag::SYMMETRIC_KEY, tag::KEY_BLOCK, tag::KEY_VALUE, tag::KEY_MATERIAL];
    let got = percona.on("kmippp-get", &found);
    assert_eq!(crate::hex::encode(got.at(&material).unwrap().as_bytes().unwrap()), KEY_32);
    // And by what the newer one asks: the bytes and the attributes in one message.
    let answers = {
        let set = |item: &mut Item| {
            if item.tag == tag::UNIQUE_IDENTIFIER {
                item.value = Value::TextString(found.clone());
            }
        };
        percona.send("kmipclient-get-and-attributes", set)
    };
    assert_eq!(answers[0].at(&material), got.at(&material));
    let state = attribute("State", Value::Enumeration(2));
    assert!(answers[1].children().contains(&state), "{:?}", answers[1]);

    let secrets = percona.send("kmippp-locate-first-page", |item| {
        if item.tag == tag::ATTRIBUTE_VALUE && item.value == Value::Enumeration(2) {
            item.value = Value::Enumeration(7);
        }
    });
    let both = identifiers(&secrets[0]);
    assert_eq!(both.len(), 2);
    for id in both {
        let secret = percona.on("kmippp-get", &id);
        let block = secret.at(&[tag::SECRET_DATA, tag::KEY_BLOCK]).unwrap();
        assert_eq!(
            block.child(tag::KEY_FORMAT_TYPE),
            Some(&Item::enumeration(tag::KEY_FORMAT_TYPE, 2))
        );
    }
}

#[test]
fn a_thousand_starts_leave_nothing_behind() {
    let server = Server::start();
    let mut host = Host::start_under(&[], &options(&[&server]));
    let round = |host: &mut Host| {
        assert_eq!((host.ask("init"), host.load()), ("ok".into(), "ok".into()));
        assert_eq!(host.ask("deinit"), "ok");
    };
    assert_eq!((host.ask("init"), host.load()), ("ok".into(), "ok".into()));
    assert_eq!(host.ask("generate k - AES 32"), "ok");
    assert_eq!(host.ask("deinit"), "ok");
    let figures =
        |said: String| -> Vec<u64> { said.split(' ').map(|word| word.parse().unwrap()).collect() };
    (0..WARM_UP).for_each(|_| round(&mut host));
    let before = figures(host.ask("counts"));
    (0..1000).for_each(|_| round(&mut host));
    let after = figures(host.ask("counts"));
    assert!(after[0] <= before[0] + HEAP_MORE, "{before:?} before, {after:?} after");
    assert_eq!(before[1..], after[1..], "threads and descriptors");
}

#[test]
fn whoever_reads_while_keys_change_reads_whole_keys() {
    let server = Server::start();
    let mut host = Host::start(&options(&[&server]));
    assert_eq!(host.load(), "ok");
    let [plugins, data] = ["plugins", "data"].map(|name| host.directory(name));
    let command = format!("together {} {} 10", plugins.display(), data.display());
    assert_eq!(host.ask(&command), "ok");
}

#[test]
fn valgrind_finds_nothing() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "valgrind is missing: install it");
        println!("skipped: valgrind is missing");
        return;
    }
    let server = Server::start();
    // What is reachable at the end is what the libraries make once.
    let memory = [
        "valgrind",
        "--quiet",
        "--error-exitcode=9",
        "--leak-check=full",
        "--show-leak-kinds=definite,indirect,possible",
        "--errors-for-leak-kinds=definite,indirect,possible",
        "--fair-sched=try",
    ];
    let mut host = Host::start_under(&memory, &options(&[&server]));
    for _ in 0..2 {
        assert_eq!((host.ask("init"), host.load()), ("ok".into(), "ok".into()));
        assert_eq!(host.ask("misuse"), "refused");
        assert_eq!(host.ask("generate k - AES 32"), "ok");
        assert_eq!(host.ask("store s root@localhost SECRET 6162"), "ok");
        assert_eq!(host.ask("get s root@localhost"), "SECRET 6162");
        assert_eq!(host.ask("keys"), "k=;s=root@localhost;");
        host.ask("metadata");
        let sealed = host.ask(&format!("encrypt k - cbc 1 {} 6162", &KEY_32[..32]));
        let open = host.ask(&format!("decrypt k - cbc 1 {} {sealed}", &KEY_32[..32]));
        assert_eq!(open, "6162");
        assert_eq!(
            (host.ask("remove k -"), host.ask("remove s root@localhost")),
            ("ok".into(), "ok".into())
        );
        assert_eq!(host.ask("deinit"), "ok");
    }
    assert_eq!(host.end(), "");
}

/// A change of the options: none takes one away.
type Change<'a> = (&'a str, Option<serde_json::Value>);

fn changed(options: &Options, changes: &[Change<'_>]) -> Options {
    let mut options = options.clone();
    for (option, value) in changes {
        match value {
            Some(value) => options.insert((*option).to_owned(), value.clone()),
            None => options.remove(*option),
        };
    }
    options
}

#[test]
fn each_thing_that_is_wrong_is_one_line_that_names_its_option_and_what_to_do() {
    let (server, stranger) = (Server::start(), Server::start());
    let right = options(&[&server]);
    let mut host = Host::start(&right);
    let of_stranger = |name: &str| Some(json!(stranger.client.join(name).to_str().unwrap()));
    fs::write(host.directory("data").join("garbage"), "no PEM").unwrap();
    let api = server.api.strip_prefix("http://").unwrap().to_owned();
    let strangers =
        [("client_ca", of_stranger("cert.pem")), ("client_key", of_stranger("key.pem"))];
    let mut cases: Vec<(Vec<Change<'_>>, &[&str])> = vec![
        (vec![("server_addr", None)], &["server_addr: is not set", "set it"]),
        (vec![("server_addr", Some(json!("kms,")))], &["server_addr: ", "HOST[:PORT]"]),
        (
            vec![("server_addr", Some(json!("kms.invalid")))],
            &["kms.invalid", "see that server_addr"],
        ),
        (
            vec![("server_addr", Some(json!("127.0.0.1:1")))],
            &["no connection", "see that server_addr and server_port"],
        ),
        (vec![("server_addr", Some(json!(api)))], &["does not speak TLS", "see that server_port"]),
        (vec![("server_port", Some(json!("x")))], &["server_port: ", "set it"]),
        (vec![("server_ca", of_stranger("ca.pem"))], &["not trusted", "set server_ca"]),
        (strangers.to_vec(), &["does not take", "set client_ca and client_key"]),
        (
            vec![("client_key", of_stranger("key.pem"))],
            &["client_key: ", "private key of client_ca"],
        ),
        (vec![("max_objects", Some(json!(0)))], &["max_objects: ", "set it"]),
        (vec![("kmip_timeout_ms", Some(json!("5")))], &["kmip_timeout_ms: ", "set it"]),
        (
            vec![("tls_peer_verification", Some(json!("no")))],
            &["tls_peer_verification: ", "set it"],
        ),
        (
            vec![("objects_group", Some(json!("g")))],
            &["objects_group: there is no such option", "object_group"],
        ),
        (
            vec![("read_local_config", Some(json!(true)))],
            &["is not read, because read_local_config", "move it"],
        ),
    ];
    for option in ["client_ca", "client_key", "server_ca"] {
        for value in [None, Some(json!("nowhere.pem")), Some(json!("garbage"))] {
            cases.push((vec![(option, value)], &["set it in", "name a PEM file"]));
        }
    }
    for (changes, expected) in cases {
        let said = host.refusal(&changed(&right, &changes));
        if expected == ["set it in", "name a PEM file"] {
            let is_missing = changes[0].1.is_none();
            assert!(said.contains(expected[usize::from(!is_missing)]), "{said}");
            assert!(said.contains(&format!("{}: ", changes[0].0)), "{said}");
            continue;
        }
        for text in expected {
            assert!(said.contains(text), "{text}: {said}");
        }
    }
    fs::remove_file(host.directory("plugins").join(CONFIGURATION)).unwrap();
    assert_eq!(host.load(), "failed");
    assert!(host.log().contains("component_claviger_kmip.cnf: "), "{}", host.log());

    // An address that is not in the certificate, and an authority that is not trusted, where somebody wants that.
    let port = server.kmip.port();
    let elsewhere =
        changed(&right, &[("server_addr", Some(json!(format!("[::ffff:127.0.0.1]:{port}"))))]);
    let said = host.refusal(&elsewhere);
    assert!(
        said.contains("does not name the host") && said.contains("tls_hostname_verification"),
        "{said}"
    );
    host.configure(&changed(&elsewhere, &[("tls_hostname_verification", Some(json!(false)))]));
    assert_eq!(host.load(), "ok");
    let unverified = changed(
        &elsewhere,
        &[("tls_peer_verification", Some(json!(false))), ("server_ca", of_stranger("ca.pem"))],
    );
    host.configure(&unverified);
    assert_eq!(host.load(), "ok");
    let named = changed(
        &right,
        &[("tls_hostname_verification", Some(json!(false))), ("server_ca", of_stranger("ca.pem"))],
    );
    assert!(
        host.refusal(&named).contains("not trusted"),
        "without the name is not without the authority"
    );
}

#[test]
fn the_configuration_may_be_in_the_data_directory_with_paths_from_there() {
    let server = Server::start();
    let mut given = options(&[&server]);
    let mut host =
        Host::start(&[(String::from("read_local_config"), json!(true))].into_iter().collect());
    for (option, file) in
        [("client_ca", "cert.pem"), ("client_key", "key.pem"), ("server_ca", "ca.pem")]
    {
        fs::copy(server.client.join(file), host.directory("data").join(file)).unwrap();
        given.insert(option.to_owned(), json!(file));
    }
    write(&host.directory("data"), &given);
    assert_eq!(host.load(), "ok");
    assert_eq!(host.ask("generate k - AES 32"), "ok");
}

#[test]
fn a_role_that_lacks_an_operation_and_a_certificate_that_is_revoked_are_one_line_each() {
    let server = Server::start();
    let right = options(&[&server]);
    let mut host = Host::start(&right);
    assert_eq!((host.load(), host.ask("generate k - AES 32")), ("ok".into(), "ok".into()));
    let reading = ["locate", "get", "get_attributes"];
    let as_role = |client: &Path| {
        let mut options = right.clone();
        options.extend(as_client(client));
        options
    };
    for lacking in reading {
        let allowed: Vec<_> = reading.into_iter().filter(|name| *name != lacking).collect();
        let (client, _) = issue(&server, &format!("without-{lacking}"), &allowed);
        let said = host.refusal(&as_role(client.path()));
        assert!(said.contains("its role allow Locate, Get, Get Attributes"), "{said}");
        // What was read before is used on.
        assert!(said.contains("the keys that were read before are used on"), "{said}");
        assert!(host.ask("get k -").starts_with("AES "));
    }
    let (client, serial) = issue(&server, "reader", &reading);
    host.configure(&as_role(client.path()));
    assert_eq!(host.load(), "ok");
    for command in ["generate l - AES 32", "remove k -"] {
        let before = host.log().len();
        assert_eq!(host.ask(command), "failed");
        let said = host.log()[before..].to_owned();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("PermissionDenied") && said.contains("Register, Activate"), "{said}");
    }
    assert!(host.ask("get k -").starts_with("AES "), "it is not removed");
    let revoked = json!({"serial_number": serial});
    let path = "kmip/scope/default/role/reader/credential/revoke";
    assert_eq!(Api::root(&server).write(path, &revoked).status, 204);
    let said = host.refusal(&as_role(client.path()));
    assert!(said.contains("revoked"), "{said}");
}

#[test]
fn keys_that_nobody_can_tell_apart_are_not_half_read() {
    let server = Server::start();
    let mut given = options(&[&server]);
    given.remove("object_group");
    let mut host = Host::start(&given);
    let mut client = Client::connect(&server, (1, 4));
    let mut make =
        |fill: u8| client.call(register((1, 4), &[fill; 32], Some("k"))).unique_identifier();
    let (first, same, other) = (make(1), make(1), make(2));
    // Nobody used what was never activated, if another one was.
    let mut client = Client::connect(&server, (1, 4));
    client.call(on(op::ACTIVATE, &first)).success();
    assert_eq!(
        (host.load(), host.ask("get k -")),
        ("ok".into(), format!("AES {}", "01".repeat(32)))
    );
    client.call(on(op::ACTIVATE, &same)).success();
    assert_eq!(host.load(), "ok");
    assert!(
        host.log().contains("2 keys on the KMIP server are named k and are the same"),
        "{}",
        host.log()
    );
    client.call(on(op::ACTIVATE, &other)).success();
    let said = host.refusal(&given);
    assert!(
        said.contains("3 keys on the KMIP server are named k and have different bytes"),
        "{said}"
    );
    assert!(said.contains("destroy those"), "{said}");
    for id in [same, other] {
        client.call(revoke(&id, SUPERSEDED)).success();
        client.call(on(op::DESTROY, &id)).success();
    }
    assert_eq!(host.load(), "ok");

    // One that came in the meantime is not shadowed by a new one.
    client.call(register((1, 4), &[3; 32], Some("l"))).unique_identifier();
    assert_eq!(host.ask("generate l - AES 32"), "failed");
    assert!(host.log().contains("has a key l that is not in the keyring"), "{}", host.log());
    assert_eq!(host.load(), "ok");
    assert_eq!(host.ask("get l -"), format!("AES {}", "03".repeat(32)));

    // A key that is revoked is read still, and said.
    client.call(revoke(&first, SUPERSEDED)).success();
    assert_eq!(host.load(), "ok");
    assert!(host.log().contains("1 keys are Deactivated or Compromised"), "{}", host.log());
    let limited = changed(&given, &[("max_objects", Some(json!(1)))]);
    let said = host.refusal(&limited);
    assert!(
        said.contains("more than 1 keys of one type") && said.contains("raise max_objects"),
        "{said}"
    );
    let by_name = Operation::new(op::LOCATE, vec![attribute("Name", name_fields("k"))]);
    assert_eq!(client.call(by_name).unique_identifier(), first);
}
