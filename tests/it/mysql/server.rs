//! The component in Debian's MySQL: what is encrypted and comes back, rotation, users' keys, what happens without the KMIP
//! server, other keyrings, and how keys move in from one.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::database::{Database, Running, is_installed, program, tool};
use super::files::{CONFIGURATION, options};
use crate::server::Server;

const NEEDLE: &str = "a-heron-in-the-reeds-4417";
/// In a table that is not encrypted: what the search finds.
const IN_THE_OPEN: &str = "a-crane-above-the-reeds-0932";
pub(super) const NOWHERE: [PathBuf; 0] = [];
const DRAINED: Duration = Duration::from_secs(30);
const NO_KEY: &str = "Can't find master key from keyring";

/// The redo and undo logs and the binary log are encrypted as well.
pub(super) const LOGS: [&str; 4] = [
    "--log-bin=binlog",
    "--binlog-encryption=ON",
    "--innodb-redo-log-encrypt=ON",
    "--innodb-undo-log-encrypt=ON",
];

const FUNCTIONS: [(&str, &str); 6] = [
    ("generate", "INTEGER"),
    ("store", "INTEGER"),
    ("fetch", "STRING"),
    ("type_fetch", "STRING"),
    ("length_fetch", "INTEGER"),
    ("remove", "INTEGER"),
];

/// Encrypted things of every kind with the needle in them.
fn fill(running: &Running<'_>) {
    let rows = (1..=200).map(|id| format!("({id}, '{NEEDLE}-{id}')")).collect::<Vec<_>>().join(",");
    running.ask(&format!(
        "CREATE DATABASE db; USE db;
         CREATE TABLE own (id INT PRIMARY KEY, t VARCHAR(100)) ENCRYPTION='Y';
         CREATE TABLE later (id INT PRIMARY KEY, t VARCHAR(100));
         CREATE TABLESPACE space ADD DATAFILE 'space.ibd' ENCRYPTION='Y';
         CREATE TABLE shared (id INT PRIMARY KEY, t VARCHAR(100)) TABLESPACE space ENCRYPTION='Y';
         ALTER TABLE later ENCRYPTION='Y';
         ALTER TABLESPACE mysql ENCRYPTION='Y';
         INSERT INTO own VALUES {rows}; INSERT INTO later VALUES {rows}; INSERT INTO shared VALUES {rows};"
    ));
}

fn check(running: &Running<'_>) {
    for table in ["own", "later", "shared"] {
        let sql = format!("SELECT COUNT(*) FROM db.{table} WHERE t LIKE '{NEEDLE}-%'");
        assert_eq!(running.ask(&sql), "200", "{table}");
    }
}

fn status(running: &Running<'_>) -> String {
    running.ask(
        "SELECT STATUS_VALUE FROM performance_schema.keyring_component_status
         WHERE STATUS_KEY = 'Component_status'",
    )
}

fn count(running: &Running<'_>, like: &str) -> String {
    running.ask(&format!(
        "SELECT COUNT(*) FROM performance_schema.keyring_keys WHERE KEY_ID LIKE '{like}'"
    ))
}

#[test]
fn everything_is_encrypted_rotates_and_comes_back_also_after_a_crash() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let mut database = Database::new(&options(&[&server]));
    database.arguments = LOGS.map(str::to_owned).into();
    // The manifest may be in the data directory.
    database.manifest(r#"{"read_local_manifest": true}"#);
    let local = database.path("data/mysqld.my");
    fs::write(&local, r#"{"components": "file://component_claviger_kmip"}"#).unwrap();

    let running = database.start();
    fill(&running);
    check(&running);
    assert_eq!(count(&running, "INNODBKey-%"), "1");
    for _ in 0..2 {
        running.ask(
            "ALTER INSTANCE ROTATE INNODB MASTER KEY; ALTER INSTANCE ROTATE BINLOG MASTER KEY",
        );
    }
    running.ask("ALTER INSTANCE RELOAD KEYRING; FLUSH BINARY LOGS");
    assert_eq!(count(&running, "INNODBKey-%"), "3");
    assert_eq!(running.ask("SHOW BINARY LOGS").matches("Yes").count(), 4);
    running
        .ask("SET GLOBAL innodb_redo_log_encrypt = OFF; SET GLOBAL innodb_redo_log_encrypt = ON");
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);

    let running = database.start();
    check(&running);
    running.ask(&format!(
        "CREATE TABLE db.open (t TEXT); INSERT INTO db.open VALUES ('{IN_THE_OPEN}')"
    ));
    running.ask("UPDATE db.own SET t = CONCAT(t, '!'); ALTER INSTANCE ROTATE INNODB MASTER KEY");
    running.kill();
    let running = database.start();
    check(&running);
    assert_eq!(running.ask("SELECT COUNT(*) FROM db.own WHERE t LIKE '%!'"), "200");
    assert_eq!(count(&running, "INNODBKey-%"), "4");
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);
    assert!(!database.find(IN_THE_OPEN).is_empty());
    assert_eq!(database.lines(), Vec::<String>::new());
}

#[test]
fn the_tables_of_the_performance_schema_say_what_there_is() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let database = Database::new(&options(&[&server]));
    let running = database.start();
    let file = |name: &str| server.client.join(name).display().to_string();
    let expected = [
        ("Component_name", "component_claviger_kmip".to_owned()),
        ("Author", "Claviger".to_owned()),
        ("License", "MIT OR Apache-2.0".to_owned()),
        ("Implementation_name", "component_claviger_kmip".to_owned()),
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("Component_status", "Active".to_owned()),
        ("Server_addr", server.kmip.to_string()),
        ("Server_port", "5696".to_owned()),
        ("Client_ca", file("cert.pem")),
        ("Client_key", file("key.pem")),
        ("Server_ca", file("ca.pem")),
        ("Object_group", "TestGroup".to_owned()),
        ("Max_objects", "65535".to_owned()),
        ("Kmip_timeout_ms", "30000".to_owned()),
        ("Tls_peer_verification", "true".to_owned()),
        ("Tls_hostname_verification", "true".to_owned()),
    ];
    let rows: Vec<_> = expected.iter().map(|(key, value)| format!("{key}\t{value}")).collect();
    let shown = running.ask("SELECT * FROM performance_schema.keyring_component_status");
    assert_eq!(shown, rows.join("\n"));
    assert_eq!(running.ask("SELECT * FROM performance_schema.keyring_keys"), "");
    running.ask("CREATE DATABASE db; CREATE TABLE db.t (id INT) ENCRYPTION='Y'");
    let uuid = running.ask("SELECT @@server_uuid");
    let keys = running.ask("SELECT KEY_ID, KEY_OWNER FROM performance_schema.keyring_keys");
    assert_eq!(keys.trim(), format!("INNODBKey-{uuid}-1"));
    running.stop();

    // Without any keyring.
    fs::remove_file(database.path("sbin/mysqld.my")).unwrap();
    let running = database.start();
    assert_eq!(running.ask("SELECT * FROM performance_schema.keyring_component_status"), "");
    let said = running.try_ask("CREATE TABLE db.u (id INT) ENCRYPTION='Y'").unwrap_err();
    assert!(said.contains(NO_KEY), "{said}");
    running.stop();
}

#[test]
fn keys_of_users_are_theirs_also_after_a_restart() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let database = Database::new(&options(&[&server]));
    let running = database.start();
    running.ask("INSTALL PLUGIN keyring_udf SONAME 'keyring_udf.so'");
    for (name, returns) in FUNCTIONS {
        running.ask(&format!(
            "CREATE FUNCTION keyring_key_{name} RETURNS {returns} SONAME 'keyring_udf.so'"
        ));
    }
    running.ask("CREATE USER bob@localhost; GRANT EXECUTE ON *.* TO bob@localhost");
    let bytes = |count: usize| "x".repeat(count);
    for (call, answer) in [
        ("generate('k16', 'AES', 16)", "1".to_owned()),
        ("generate('k32', 'AES', 32)", "1".to_owned()),
        ("generate('k64', 'AES', 64)", "NULL".to_owned()),
        ("generate('k16', 'AES', 16)", "NULL".to_owned()),
        ("generate('rsa', 'RSA', 128)", "NULL".to_owned()),
        (&format!("store('s24', 'AES', '{}')", bytes(24)), "1".to_owned()),
        (&format!("store('s40', 'AES', '{}')", bytes(40)), "NULL".to_owned()),
        (&format!("store('s29', 'AES', '{}')", bytes(29)), "NULL".to_owned()),
        ("store('secret', 'SECRET', 'a word')", "1".to_owned()),
        ("fetch('s24')", bytes(24)),
        ("type_fetch('s24')", "AES".to_owned()),
        ("length_fetch('s24')", "24".to_owned()),
        ("fetch('secret')", "a word".to_owned()),
        ("type_fetch('secret')", "SECRET".to_owned()),
        ("remove('s24')", "1".to_owned()),
        ("fetch('s24')", "NULL".to_owned()),
        ("length_fetch('absent')", "NULL".to_owned()),
    ] {
        let said = running.try_ask(&format!("SELECT keyring_key_{call}"));
        // A key that cannot be made is NULL for some releases and an error for others.
        assert_eq!(said.unwrap_or_else(|_| "NULL".to_owned()), answer, "{call}");
    }
    running.ask_as("bob", "SELECT keyring_key_store('secret', 'SECRET', 'of bob')");
    running.stop();

    let running = database.start();
    assert_eq!(running.ask("SELECT keyring_key_fetch('secret')"), "a word");
    assert_eq!(running.ask_as("bob", "SELECT keyring_key_fetch('secret')"), "of bob");
    assert_eq!(running.ask_as("bob", "SELECT keyring_key_fetch('k16')"), "NULL");
    assert_eq!(running.ask("SELECT keyring_key_length_fetch('k16')"), "16");
    let rows = running.ask("SELECT KEY_ID, KEY_OWNER FROM performance_schema.keyring_keys");
    let mut rows: Vec<_> = rows.lines().collect();
    rows.sort_unstable();
    let root = ["k16", "k32", "secret"].map(|key| format!("{key}\troot@localhost"));
    let mut expected: Vec<_> = root.iter().map(String::as_str).collect();
    expected.insert(2, "secret\tbob@localhost");
    assert_eq!(rows, expected);
    running.stop();
}

#[test]
fn without_the_kmip_server_there_are_the_keys_in_memory_or_none_and_one_line_says_why() {
    if !is_installed() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start_on(scratch.path());
    let mut given = options(&[&server]);
    let database = Database::new(&given);
    let running = database.start();
    running.ask("CREATE DATABASE db; CREATE TABLE db.t (id INT) ENCRYPTION='Y'; INSERT INTO db.t VALUES (1)");
    assert!(server.terminate(DRAINED).success());
    running.ask("FLUSH TABLES; INSERT INTO db.t VALUES (2)");
    assert_eq!(running.ask("SELECT COUNT(*) FROM db.t"), "2");
    running.try_ask("ALTER INSTANCE ROTATE INNODB MASTER KEY").unwrap_err();
    assert!(database.log().contains("no server answered"), "{}", database.log());
    running.try_ask("ALTER INSTANCE RELOAD KEYRING").unwrap_err();
    assert!(database.log().contains("the keys that were read before are used on"));
    assert_eq!(running.ask("FLUSH TABLES; SELECT COUNT(*) FROM db.t"), "2");
    running.stop();

    // It starts, without a single key, and says why.
    let running = database.start();
    assert_eq!(status(&running), "Disabled");
    let said = running.try_ask("SELECT * FROM db.t").unwrap_err();
    assert!(said.contains(NO_KEY), "{said}");
    let lines = database.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("[ERROR]") && lines[0].contains("see that server_addr"), "{lines:?}");

    // As soon as it is there again, so are the keys; tables that were not opened wait for the next start.
    let server = Server::start_on(scratch.path());
    given.insert("server_addr".to_owned(), json!(server.kmip.to_string()));
    database.configure(&given);
    running.ask("ALTER INSTANCE RELOAD KEYRING");
    assert_eq!(status(&running), "Active");
    running.stop();
    let running = database.start();
    assert_eq!(running.ask("SELECT COUNT(*) FROM db.t"), "2");
    running.ask("ALTER INSTANCE ROTATE INNODB MASTER KEY; ALTER TABLESPACE mysql ENCRYPTION='Y'");
    running.stop();

    // With its own tables encrypted, it does not start without its keys.
    given.insert("object_group".to_owned(), json!("another"));
    database.configure(&given);
    database.refuses();
    given.insert("object_group".to_owned(), json!("TestGroup"));
    database.configure(&given);
    let running = database.start();
    assert_eq!(running.ask("SELECT COUNT(*) FROM db.t"), "2");
    running.stop();
}

#[test]
fn tables_move_with_their_keys_and_a_clone_has_them() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let mut database = Database::new(&options(&[&server]));
    database.arguments = LOGS.map(str::to_owned).into();
    let running = database.start();
    running.ask(&format!(
        "CREATE DATABASE db; CREATE TABLE db.t (t VARCHAR(100)) COMPRESSION='zlib' ENCRYPTION='Y';
         INSERT INTO db.t VALUES ('{NEEDLE}')"
    ));
    let exported = database.path("exported");
    fs::create_dir(&exported).unwrap();
    // The table is locked while the client is there.
    let copy =
        format!("\nsystem cp {}/db/t.* {}", database.path("data").display(), exported.display());
    running.ask(&format!("FLUSH TABLES db.t FOR EXPORT;{copy}\nUNLOCK TABLES"));
    assert!(exported.join("t.cfp").exists(), "the key travels in a file of its own");
    running.ask(
        "DROP TABLE db.t; CREATE TABLE db.t (t VARCHAR(100)) COMPRESSION='zlib' ENCRYPTION='Y'",
    );
    running.ask("ALTER TABLE db.t DISCARD TABLESPACE");
    for file in ["t.ibd", "t.cfg", "t.cfp"] {
        fs::copy(exported.join(file), database.path("data/db").join(file)).unwrap();
    }
    running.ask("ALTER TABLE db.t IMPORT TABLESPACE");
    assert_eq!(running.ask("SELECT t FROM db.t"), NEEDLE);

    running.ask("INSTALL PLUGIN clone SONAME 'mysql_clone.so'");
    let clone = database.path("clone");
    running.ask(&format!("CLONE LOCAL DATA DIRECTORY = '{}'", clone.display()));
    running.stop();
    fs::remove_dir_all(database.path("data")).unwrap();
    fs::rename(clone, database.path("data")).unwrap();
    let running = database.start();
    assert_eq!(running.ask("SELECT t FROM db.t"), NEEDLE);
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);
}

#[test]
fn installing_it_is_too_late_and_it_cannot_be_uninstalled() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let database = Database::new(&options(&[&server]));
    let (install, uninstall) = (
        "INSTALL COMPONENT 'file://component_claviger_kmip'",
        "UNINSTALL COMPONENT 'file://component_claviger_kmip'",
    );
    let running = database.start();
    running.ask("CREATE DATABASE db; CREATE TABLE db.t (id INT) ENCRYPTION='Y'");
    running.try_ask(install).unwrap_err();
    running.try_ask(uninstall).unwrap_err();
    assert_eq!(status(&running), "Active");
    running.ask("ALTER INSTANCE RELOAD KEYRING; FLUSH TABLES; SELECT * FROM db.t");

    // Another keyring beside it changes nothing.
    running.ask("INSTALL COMPONENT 'file://component_keyring_file'");
    running
        .ask("CREATE TABLE db.u (id INT) ENCRYPTION='Y'; ALTER INSTANCE ROTATE INNODB MASTER KEY");
    assert_eq!(status(&running), "Active");
    assert_eq!(count(&running, "INNODBKey-%"), "2");
    running.ask("UNINSTALL COMPONENT 'file://component_keyring_file'");
    running.ask("SELECT * FROM db.u");
    running.stop();

    // Without the manifest InnoDB never hears of it.
    fs::remove_file(database.path("sbin/mysqld.my")).unwrap();
    let running = database.start();
    running.ask(install);
    for sql in ["CREATE TABLE db.v (id INT) ENCRYPTION='Y'", "SELECT * FROM db.t"] {
        assert!(running.try_ask(sql).unwrap_err().contains(NO_KEY), "{sql}");
    }
    running.ask(uninstall);
    running.ask("CREATE TABLE db.v (id INT)");
    running.stop();

    // The server knows components by two slashes; with three it does not start.
    database.manifest(r#"{"components": "file:///component_claviger_kmip"}"#);
    database.refuses();
}

#[test]
fn keys_move_in_from_the_keyring_of_files() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let database = Database::new(&options(&[&server]));
    let file = database.path("plugins/component_keyring_file.cnf");
    let content = json!({"path": database.path("keys"), "read_only": false});
    fs::write(file, content.to_string()).unwrap();
    database.manifest(r#"{"components": "file://component_keyring_file"}"#);
    let running = database.start();
    running.ask("CREATE DATABASE db; CREATE TABLE db.t (id INT) ENCRYPTION='Y'; INSERT INTO db.t VALUES (7)");
    running.ask("ALTER TABLESPACE mysql ENCRYPTION='Y'; ALTER INSTANCE ROTATE INNODB MASTER KEY");
    running.stop();

    let moved = program(&tool("mysql_migrate_keyring"))
        .arg(format!("--component-dir={}", database.path("plugins").display()))
        .args(["--source-keyring=component_keyring_file"])
        .args(["--destination-keyring=component_claviger_kmip"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));

    database.manifest(r#"{"components": "file://component_claviger_kmip"}"#);
    let running = database.start();
    assert_eq!(running.ask("SELECT id FROM db.t"), "7");
    assert_eq!(count(&running, "INNODBKey-%"), "2");
    running.stop();

    // A second one in the manifest: whose keys are used is not said anywhere, but nothing breaks.
    let both = "file://component_claviger_kmip,file://component_keyring_file";
    database.manifest(&format!(r#"{{"components": "{both}"}}"#));
    let running = database.start();
    assert_eq!(running.ask("SELECT id FROM db.t"), "7");
    running.stop();
    assert!(database.path("plugins").join(CONFIGURATION).exists());
}
