//! The component in Debian's MySQL: what is encrypted because a clause says so, a schema does, or nobody does; and a server
//! that is cloned over the network, with keys of its own afterwards.

use serde_json::json;

use super::database::{Database, Running, is_installed};
use super::files::options;
use super::server::{LOGS, NOWHERE};
use crate::server::Server;

const NEEDLE: &str = "a-heron-in-the-reeds-4417";
/// No other server has the address; on another one than 127.0.0.1 no client takes the port.
const PORT: u16 = 33_061;

/// Tables of the schema with whether they are encrypted, by what InnoDB says and by what their definitions do.
fn tables(running: &Running<'_>) -> String {
    let said = running.ask(
        "SELECT SUBSTRING(NAME, 8), ENCRYPTION FROM information_schema.INNODB_TABLESPACES
         WHERE NAME LIKE 'sealed/%' ORDER BY NAME",
    );
    let defined = running.ask(
        "SELECT TABLE_NAME, IF(CREATE_OPTIONS LIKE '%ENCRYPTION=\"Y\"%' OR CREATE_OPTIONS LIKE '%ENCRYPTION=''Y''%', 'Y', 'N')
         FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'sealed' ORDER BY TABLE_NAME",
    );
    assert_eq!(said, defined);
    said.replace('\t', "=").replace('\n', " ")
}

#[test]
fn what_a_clause_says_counts_before_what_the_schema_says() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let mut database = Database::new(&options(&[&server]));
    database.arguments = LOGS.map(str::to_owned).into();
    let running = database.start();
    running.ask(&format!(
        "CREATE DATABASE sealed DEFAULT ENCRYPTION='Y'; USE sealed;
         CREATE TABLE by_schema (t VARCHAR(100));
         CREATE TABLE by_clause (t VARCHAR(100)) TABLESPACE=innodb_file_per_table ENCRYPTION='Y';
         CREATE TABLE in_the_open (t VARCHAR(100)) ENCRYPTION='N';
         INSERT INTO by_schema VALUES ('{NEEDLE}'); INSERT INTO by_clause VALUES ('{NEEDLE}');
         CREATE TABLESPACE clear ADD DATAFILE 'clear.ibd' ENCRYPTION='N';"
    ));
    assert_eq!(tables(&running), "by_clause=Y by_schema=Y in_the_open=N");
    for refused in [
        "CREATE TABLE sealed.x (id INT) ENCRYPTION='perhaps'",
        "CREATE TABLE sealed.x (id INT) TABLESPACE=clear",
        "CREATE TABLE sealed.x (id INT) TABLESPACE=clear ENCRYPTION='Y'",
    ] {
        running.try_ask(refused).unwrap_err();
    }
    // Who may not decide it has what the schema says.
    running.ask(
        "CREATE USER bob@localhost; GRANT ALL ON sealed.* TO bob@localhost;
         SET GLOBAL table_encryption_privilege_check = ON",
    );
    running.try_ask_as("bob", "CREATE TABLE sealed.x (id INT) ENCRYPTION='N'").unwrap_err();
    running.ask_as("bob", "CREATE TABLE sealed.of_bob (id INT)");
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);

    let running = database.start();
    let before = "by_clause=Y by_schema=Y in_the_open=N of_bob=Y";
    assert_eq!(tables(&running), before);
    running.ask(
        "ALTER TABLE sealed.in_the_open ENCRYPTION='Y'; ALTER TABLE sealed.by_schema ENCRYPTION='N';
         ALTER DATABASE sealed DEFAULT ENCRYPTION='N'; CREATE TABLE sealed.later (id INT);
         ALTER TABLESPACE clear ENCRYPTION='Y'; CREATE TABLE sealed.moved (id INT) TABLESPACE=clear ENCRYPTION='Y'; DROP TABLE sealed.moved;
         SET GLOBAL default_table_encryption = ON",
    );
    running.ask("CREATE DATABASE by_default; CREATE TABLE by_default.t (id INT)");
    let after = "by_clause=Y by_schema=N in_the_open=Y later=N of_bob=Y";
    assert_eq!(tables(&running), after);
    let of_space = "SELECT GROUP_CONCAT(ENCRYPTION) FROM information_schema.INNODB_TABLESPACES WHERE NAME IN ('clear', 'by_default/t')";
    assert_eq!(running.ask(of_space), "Y,Y");
    running.stop();
    assert!(!database.find(NEEDLE).is_empty(), "what is not encrypted any more is found");
}

#[test]
fn a_server_that_is_cloned_over_the_network_has_keys_of_its_own() {
    if !is_installed() {
        return;
    }
    let server = Server::start();
    let mut given = options(&[&server]);
    let mut donor = Database::new(&given);
    let id = std::process::id();
    let address = format!("127.{}.{}.{}", 64 + (id >> 16) % 64, (id >> 8) % 256, id % 256);
    // What is written while it is copied goes along as its redo log has it.
    donor.arguments = LOGS.map(str::to_owned).into();
    donor.arguments.extend([
        String::from("--skip-networking=0"),
        format!("--bind-address={address}"),
        format!("--port={PORT}"),
    ]);
    given.insert(String::from("object_group"), json!("AnotherGroup"));
    let mut recipient = Database::new(&given);
    recipient.arguments = LOGS.map(str::to_owned).into();

    let source = donor.start();
    let install = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'";
    source.ask(&format!(
        "{install}; CREATE DATABASE db; CREATE TABLE db.t (t VARCHAR(100)) ENCRYPTION='Y';
         INSERT INTO db.t VALUES ('{NEEDLE}'); ALTER INSTANCE ROTATE INNODB MASTER KEY;
         CREATE USER copier@'%' IDENTIFIED BY 'a word'; GRANT BACKUP_ADMIN ON *.* TO copier@'%'"
    ));
    let copy = recipient.start();
    copy.ask(&format!("{install}; SET GLOBAL clone_valid_donor_list = '{address}:{PORT}'"));
    // Nobody is there who would start it anew, so it ends, and says so.
    let said = copy.try_ask(&format!(
        "CLONE INSTANCE FROM copier@'{address}':{PORT} IDENTIFIED BY 'a word' REQUIRE SSL"
    ));
    let said = said.unwrap_err();
    assert!(said.contains("3707"), "{said}");
    copy.ends();
    source.stop();

    let copy = recipient.start();
    assert_eq!(copy.ask("SELECT t FROM db.t"), NEEDLE);
    let keys =
        "SELECT COUNT(*) FROM performance_schema.keyring_keys WHERE KEY_ID LIKE 'INNODBKey-%'";
    assert_eq!(copy.ask(keys), "1", "its own; the donor has two");
    copy.ask("ALTER INSTANCE ROTATE INNODB MASTER KEY; INSERT INTO db.t VALUES ('more')");
    copy.stop();
    assert_eq!(recipient.find(NEEDLE), NOWHERE);
}
