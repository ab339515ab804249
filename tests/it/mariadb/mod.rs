//! The MariaDB plugin in Debian's MariaDB: what is encrypted, what a rotation does, what happens without a KMIP server,
//! and how the server refuses to start.

mod backup;
mod database;
mod host;
mod starts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::Api;
use crate::at_rest::{fails, json as json_of};
use crate::kmip::{Client, Operation, attribute, name_fields, on, op, revoke};
use crate::server::{Server, binary};
use database::{Database, Running, is_installed, library};

const NEEDLE: &str = "a-heron-in-the-reeds-4417";
/// In a table's definition, which is not encrypted: what the search finds.
const IN_THE_OPEN: &str = "a-crane-above-the-reeds-0932";
const NOWHERE: [PathBuf; 0] = [];
/// Why a key is revoked: Superseded.
const SUPERSEDED: u32 = 4;
const DRAINED: Duration = Duration::from_secs(30);

/// `claviger mariadb rotate`.
fn rotate(server: &Server, key_id: u32, more: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(["mariadb", "rotate", "--json", "--key-id", &key_id.to_string()])
        .args(["--server", &server.kmip.to_string(), "--client"])
        .arg(&server.client)
        .args(more);
    command
}

/// Makes a version of a key; which.
fn make(server: &Server, key_id: u32) -> i64 {
    let made: Value = json_of(rotate(server, key_id, &[]));
    assert_eq!(made["key_id"], key_id);
    made["version"].as_i64().unwrap()
}

/// A role with those operations, a directory with a credential of it, and the credential's serial.
fn issue(server: &Server, role: &str, operations: &[&str]) -> (tempfile::TempDir, Value) {
    let api = Api::root(server);
    let allowed = operations.iter().map(|name| (format!("operation_{name}"), json!(true)));
    let body = Value::Object(allowed.collect());
    let path = format!("kmip/scope/default/role/{role}");
    assert_eq!(api.write(&path, &body).status, 204);
    let issued = api.write(&format!("{path}/credential/generate"), &json!({})).data();
    let scratch = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(scratch.path().join(file), text).unwrap();
    fs::copy(server.client.join("ca.pem"), scratch.path().join("ca.pem")).unwrap();
    let chain = issued["ca_chain"].as_array().unwrap().iter().filter_map(Value::as_str);
    let certificates = std::iter::once(issued["certificate"].as_str().unwrap()).chain(chain);
    write("cert.pem", &certificates.collect::<Vec<_>>().join("\n"));
    write("key.pem", issued["private_key"].as_str().unwrap());
    (scratch, issued["serial_number"].clone())
}

/// Tables of every kind with the needle in them.
fn fill(running: &Running<'_>) {
    let rows = format!("SELECT seq, CONCAT('{NEEDLE}-', seq) FROM db.seq_1_to_500");
    running.ask(&format!(
        "CREATE DATABASE db; USE db;
         CREATE TABLE system_key (id INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB;
         CREATE TABLE own_key (id INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB ENCRYPTED=YES ENCRYPTION_KEY_ID=5;
         CREATE TABLE aria (id INT PRIMARY KEY, t VARCHAR(100)) ENGINE=Aria ROW_FORMAT=PAGE COMMENT='{IN_THE_OPEN}';
         INSERT INTO system_key {rows}; INSERT INTO own_key {rows}; INSERT INTO aria {rows};
         CREATE TEMPORARY TABLE temporary (id INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB;
         INSERT INTO temporary {rows}; FLUSH TABLES;"
    ));
}

fn check(running: &Running<'_>) {
    for table in ["system_key", "own_key", "aria"] {
        let sql = format!("SELECT COUNT(*) FROM db.{table} WHERE t LIKE '{NEEDLE}-%'");
        assert_eq!(running.ask(&sql), "500", "{table}");
    }
}

#[test]
fn everything_is_encrypted_and_a_rotation_encrypts_it_anew() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    assert_eq!((make(&server, 1), make(&server, 5)), (1, 1));
    let database = Database::new(&[&server]);

    let running = database.start();
    let variables = running.ask("SHOW VARIABLES LIKE 'kmip_key_management%'");
    assert!(variables.contains("kmip_key_management_port\t5696"), "{variables}");
    assert!(variables.contains("kmip_key_management_key_group\tmariadb"), "{variables}");
    assert!(!variables.contains("password"), "{variables}");
    fill(&running);
    check(&running);
    let said = running.try_ask("CREATE TABLE db.x (id INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=500");
    assert!(said.unwrap_err().contains("x"), "a table of a key that is not there");
    running.says("key 500: the KMIP server has no Active version of key 500");
    assert_eq!(database.find(NEEDLE), NOWHERE);
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);
    assert!(!database.find(IN_THE_OPEN).is_empty());

    let running = database.start();
    check(&running);
    assert_eq!(make(&server, 5), 2);
    let version = |column: &str| {
        format!(
            "SELECT {column} FROM information_schema.innodb_tablespaces_encryption WHERE name='db/own_key'"
        )
    };
    running.until(&version("current_key_version"), "2");
    // Pages may be as many versions behind as innodb_encryption_rotate_key_age says, which is 1.
    assert_eq!(make(&server, 5), 3);
    running.until(&version("current_key_version"), "3");
    running.until(&version("min_key_version"), "3");
    check(&running);
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);
    let running = database.start();
    check(&running);
    running.stop();
}

#[test]
fn keys_that_are_known_outlive_the_kmip_server_and_come_back_with_it() {
    if !is_installed() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start_on(scratch.path());
    assert_eq!((make(&server, 1), make(&server, 5)), (1, 1));
    let mut database = Database::new(&[&server]);
    let running = database.start();
    fill(&running);
    assert!(server.terminate(DRAINED).success());
    running.says("known keys are used meanwhile");
    running.ask("UPDATE db.own_key SET t = CONCAT(t, '!'); FLUSH TABLES; FLUSH BINARY LOGS");
    check(&running);
    let outages = running.log().matches("known keys are used meanwhile").count();
    assert_eq!(outages, 1, "{}", running.log());
    running.stop();

    let lines = database.refuses();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("[ERROR]") && lines[0].contains("see that servers"), "{lines:?}");

    let server = Server::start_on(scratch.path());
    database.set("servers", &server.kmip.to_string());
    let running = database.start();
    check(&running);
    running.stop();

    database.set("use-cache-on-timeout", "OFF");
    let running = database.start();
    let another =
        |name: &str| format!("CREATE TABLE db.{name} (id INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=5");
    running.ask(&another("before"));
    server.kill();
    running.says("no key is used");
    running.try_ask(&another("after")).unwrap_err();
}

#[test]
fn another_server_with_the_same_keys_takes_over() {
    if !is_installed() {
        return;
    }
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let server = Server::start_on(first.path());
    assert_eq!((make(&server, 1), make(&server, 5)), (1, 1));
    assert!(server.terminate(DRAINED).success());
    copy(&first.path().join("data"), &second.path().join("data"));
    let server = Server::start_on(first.path());
    let other = Server::start_on(second.path());

    let database = Database::new(&[&server, &other]);
    let running = database.start();
    fill(&running);
    server.kill();
    // A version that nobody has read yet is on the other server only.
    assert_eq!(make(&other, 5), 2);
    running.until(
        "SELECT current_key_version FROM information_schema.innodb_tablespaces_encryption WHERE name='db/own_key'",
        "2",
    );
    check(&running);
    running.stop();
    let running = database.start();
    check(&running);
    running.stop();
}

/// What a server says of the client is final, also on a connection that is new.
#[test]
fn a_server_that_takes_over_and_does_not_take_the_client_takes_its_keys() {
    if !is_installed() {
        return;
    }
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let server = Server::start_on(first.path());
    assert_eq!(make(&server, 1), 1);
    let (reader, serial) = issue(&server, "database", &["locate", "get", "get_attributes"]);
    assert!(server.terminate(DRAINED).success());
    copy(&first.path().join("data"), &second.path().join("data"));
    let server = Server::start_on(first.path());
    let other = Server::start_on(second.path());
    let path = "kmip/scope/default/role/database/credential/revoke";
    let revoked = json!({"serial_number": serial});
    assert_eq!(Api::root(&other).write(path, &revoked).status, 204);

    let mut database = Database::new(&[&server, &other]);
    for (option, file) in [("certificate", "cert.pem"), ("key", "key.pem")] {
        database.set(option, reader.path().join(file).to_str().unwrap());
    }
    let running = database.start();
    running.ask("CREATE DATABASE test; CREATE TABLE test.s (id INT) ENGINE=InnoDB");
    server.kill();
    running.says("key 1: AuthenticationNotSuccessful: the certificate was revoked: certificate and key must be");
    assert!(!running.log().contains("known keys are used"), "{}", running.log());
    running.try_ask("CREATE TABLE test.t (id INT) ENGINE=InnoDB").unwrap_err();
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn a_server_that_cannot_have_its_keys_does_not_start_and_says_why_in_one_line() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let mut database = Database::new(&[&server]);
    let refused = |database: &Database, said: &[&str]| {
        let lines = database.refuses();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("[ERROR]"), "{lines:?}");
        for said in said {
            assert!(lines[0].contains(said), "{said}: {lines:?}");
        }
    };
    refused(
        &database,
        &["no Active version of key 1", "claviger mariadb rotate", "create-missing"],
    );

    // The certificate of another server's client.
    let stranger = Server::start();
    let right = database.options.clone();
    for (option, name) in [("certificate", "cert.pem"), ("key", "key.pem")] {
        database.set(option, stranger.client.join(name).to_str().unwrap());
    }
    refused(&database, &["certificate and key must be issued by the KMIP server"]);
    database.options.clone_from(&right);
    database.set("ca", stranger.client.join("ca.pem").to_str().unwrap());
    refused(&database, &["ca must hold the authority"]);
    database.options.clone_from(&right);
    database.set("ca", "no-such-file.pem");
    refused(&database, &["kmip_key_management_ca", "no-such-file.pem"]);
    database.options.clone_from(&right);
    database.set("servers", "");
    refused(&database, &["kmip_key_management_servers: is not set"]);

    database.options = right;
    database.set("create-missing", "ON");
    let running = database.start();
    running.says("key 1 was missing: version 1 is made");
    running.ask("CREATE DATABASE db; CREATE TABLE db.t (id INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=9");
    running.stop();
    assert_eq!(make(&server, 9), 2);
}

#[test]
fn a_key_that_is_taken_away_is_not_used_until_it_has_a_new_version() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    assert_eq!((make(&server, 1), make(&server, 9)), (1, 1));
    let mut database = Database::new(&[&server]);
    database.set("cache-timeout-ms", "200");
    let running = database.start();
    running.ask("CREATE DATABASE db; CREATE TABLE db.t (id INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=9");
    running.ask("INSERT INTO db.t VALUES (1); FLUSH TABLES");
    let mut client = Client::connect(&server, (1, 4));
    let name = attribute("Name", name_fields("mariadb/9/1"));
    let id = client.call(Operation::new(op::LOCATE, vec![name])).unique_identifier();
    client.call(revoke(&id, SUPERSEDED)).success();
    running.says("key 9: the KMIP server has no Active version of key 9");
    let another = "CREATE TABLE db.u (id INT) ENCRYPTED=YES ENCRYPTION_KEY_ID=9";
    running.try_ask(another).unwrap_err();
    assert_eq!(running.ask("SELECT id FROM db.t"), "1");
    assert_eq!(make(&server, 9), 2);
    running.eventually(another);
    running.stop();

    // What is read is of version 1, which is Deactivated.
    let running = database.start();
    assert_eq!(running.ask("SELECT id FROM db.t"), "1");
    running.stop();
}

#[test]
fn each_has_the_operations_that_the_manual_names() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let api = Api::root(&server);
    let keeping = ["locate", "get_attributes", "create", "activate", "destroy"];
    let (keeper, _) = issue(&server, "keeper", &keeping);
    let (reader, serial) = issue(&server, "database", &["locate", "get", "get_attributes"]);
    let (blind, _) = issue(&server, "blind", &["locate", "get_attributes"]);
    let rotate_as = |client: &Path| {
        let mut command = Command::new(binary());
        command.args(["mariadb", "rotate", "--json", "--key-id", "1", "--server"]);
        command.arg(server.kmip.to_string()).arg("--client").arg(client);
        command
    };
    fails(rotate_as(reader.path()), 1, "PermissionDenied");
    assert_eq!(json_of(rotate_as(keeper.path()))["version"], 1);

    let mut database = Database::new(&[&server]);
    let be = |database: &mut Database, client: &Path| {
        for (option, file) in [("certificate", "cert.pem"), ("key", "key.pem")] {
            database.set(option, client.join(file).to_str().unwrap());
        }
    };
    be(&mut database, reader.path());
    let running = database.start();
    running.ask("CREATE DATABASE test; CREATE TABLE test.s (id INT) ENGINE=InnoDB");
    let revoked = json!({"serial_number": serial});
    let path = "kmip/scope/default/role/database/credential/revoke";
    assert_eq!(api.write(path, &revoked).status, 204);
    running.says("key 1: AuthenticationNotSuccessful: the certificate was revoked");
    running.try_ask("CREATE TABLE test.t (id INT) ENGINE=InnoDB").unwrap_err();
    drop(running);
    let lines = database.refuses();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("revoked"), "{lines:?}");
    be(&mut database, blind.path());
    let lines = database.refuses();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("its role allow Locate, Get Attributes and Get"), "{lines:?}");
}

#[test]
fn the_package_s_settings_start_a_server_once_they_are_filled_in() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    assert_eq!(make(&server, 1), 1);
    let mut database = Database::new(&[&server]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let sample = root.join("integrations/mariadb/debian/kmip_key_management.cnf");
    let sample = fs::read_to_string(sample).unwrap();
    // As it comes it changes nothing.
    let settings: Vec<_> = sample.lines().filter_map(|line| line.strip_prefix('#')).collect();
    let is_setting = |line: &&&str| !line.starts_with(' ');
    let settings: Vec<_> = settings.iter().filter(is_setting).collect();
    assert!(sample.lines().all(|line| ["", "[mariadb]"].contains(&line) || line.starts_with('#')));
    let manual = fs::read_to_string(root.join("docs/mariadb.md")).unwrap();
    let manual = manual.replace(' ', "");
    let mut filled = String::from("[mariadb]\n");
    for setting in settings {
        let (name, value) = setting.split_once(" = ").unwrap();
        assert!(manual.contains(&format!("\n{name}={value}\n")), "{setting}: not in the manual");
        let option = name.strip_prefix("kmip_key_management_");
        let ours = database.options.iter().find(|(ours, _)| Some(ours.as_str()) == option);
        filled += &format!("{name} = {}\n", ours.map_or(value, |(_, value)| value));
    }
    let file = database.beside("filled.cnf");
    fs::write(&file, filled).unwrap();
    database.settings = Some(file);
    let running = database.start();
    running.ask("CREATE DATABASE db; CREATE TABLE db.t (t VARCHAR(100))");
    running.ask(&format!("INSERT INTO db.t VALUES ('{NEEDLE}')"));
    let plugin = "SELECT load_option FROM information_schema.plugins WHERE plugin_name='kmip_key_management'";
    assert_eq!(running.ask(plugin), "FORCE_PLUS_PERMANENT");
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);
}

#[test]
fn versions_count_up_and_a_key_that_may_not_be_used_is_not_made_anew() {
    let server = Server::start();
    assert_eq!((make(&server, 7), make(&server, 7), make(&server, 70)), (1, 2, 1));
    assert_eq!(json_of(rotate(&server, 7, &["--key-group", "other"]))["version"], 1);
    assert_eq!(
        json_of(rotate(&server, 7, &["--bits", "128", "--kmip-version", "2.1"]))["version"],
        3
    );
    fails(rotate(&server, 7, &["--bits", "100"]), 2, "128, 192 and 256");
    fails(rotate(&server, 7, &["--key-group", "a/b"]), 2, "no /");

    // In the middle of making the next version: it is there, and nobody uses it.
    let mut client = Client::connect(&server, (1, 4));
    let id = client.call(crate::kmip::create((1, 4), Some("mariadb/7/4"))).unique_identifier();
    fails(rotate(&server, 7, &[]), 1, "have the Name mariadb/7/4");
    client.call(on(op::DESTROY, &id)).success();
    assert_eq!(make(&server, 7), 4);
}

#[test]
fn the_library_exports_the_interface_and_brings_no_runtime() {
    let symbols =
        Command::new("nm").args(["-D", "--defined-only"]).arg(library()).output().unwrap();
    let symbols = String::from_utf8(symbols.stdout).unwrap();
    let mut names: Vec<_> =
        symbols.lines().filter_map(|line| line.split(' ').next_back()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "_maria_plugin_declarations_",
            "_maria_plugin_interface_version_",
            "_maria_sizeof_struct_st_plugin_",
            "my_print_error_service",
        ]
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "-p", "claviger-mariadb", "-e", "normal", "--prefix", "none"])
        .current_dir(root)
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("claviger-client"), "{tree}");
    assert!(!tree.lines().any(|line| line.starts_with("tokio")), "{tree}");
}
