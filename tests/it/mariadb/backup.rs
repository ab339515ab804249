//! mariadb-backup of an encrypted server: copied while it is written to, prepared, put back, and encrypted all the while.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::database::{Database, is_installed};
use super::{DRAINED, NEEDLE, NOWHERE, check, fill, make};
use crate::at_rest::shown;
use crate::server::Server;

/// mariadb-backup as its manual calls it: the plugin and its options it has from the server, and later from the copy.
fn backup(arguments: &[&str], directory: &Path) -> Output {
    let mut command = Command::new("mariadb-backup");
    command.args(arguments);
    command.arg(format!("--target-dir={}", directory.display()));
    command.output().unwrap_or_else(|error| panic!("mariadb-backup: {error}: install it"))
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", shown(output));
}

#[test]
fn a_backup_is_encrypted_and_comes_back_with_the_keys_of_the_kmip_server() {
    if !is_installed() {
        return;
    }
    let kept = tempfile::tempdir().unwrap();
    let server = Server::start_on(kept.path());
    assert_eq!((make(&server, 1), make(&server, 5)), (1, 1));
    let mut database = Database::new(&[&server]);
    let running = database.start();
    fill(&running);
    // The copy has pages of two versions.
    assert_eq!((make(&server, 1), make(&server, 5)), (2, 2));
    running.says("key 5 has version 2 now");
    running.ask("CREATE TABLE db.later AS SELECT * FROM db.own_key");
    let copy = database.beside("copy");
    let socket = format!("--socket={}", database.socket().display());
    succeeds(&backup(&["--backup", "--user=root", &socket], &copy));
    // Not in the copy.
    running.ask("DROP TABLE db.own_key");
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);

    // Without the keys nothing of it can be read, and nothing is changed.
    assert!(server.terminate(DRAINED).success());
    let output = backup(&["--prepare"], &copy);
    assert!(!output.status.success(), "{}", shown(&output));
    assert!(shown(&output).contains("kmip_key_management: "), "{}", shown(&output));

    let server = Server::start_on(kept.path());
    database.set("servers", &server.kmip.to_string());
    let settings = copy.join("backup-my.cnf");
    let text = fs::read_to_string(&settings).unwrap();
    let before =
        text.lines().find(|line| line.starts_with("kmip_key_management_servers=")).unwrap();
    let now = format!("kmip_key_management_servers={}", server.kmip);
    fs::write(&settings, text.replace(before, &now)).unwrap();
    succeeds(&backup(&["--prepare"], &copy));
    assert_eq!(database.find(NEEDLE), NOWHERE);
    fs::rename(database.data(), database.beside("lost")).unwrap();
    let data = format!("--datadir={}", database.data().display());
    succeeds(&backup(&["--copy-back", &data], &copy));
    let running = database.start();
    check(&running);
    assert_eq!(running.ask("SELECT COUNT(*) FROM db.later"), "500");
    running.ask("CREATE TABLE db.after AS SELECT * FROM db.later");
    running.stop();
    assert_eq!(database.find(NEEDLE), NOWHERE);
}
