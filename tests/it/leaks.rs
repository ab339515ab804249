//! No secret of a production server's whole life leaves it but to whom it is for: as [`crate::secrets`], with the
//! secrets of operators besides. Shares, tokens, passphrases and private keys are in no data, log, audit, backup,
//! error or core dump.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};

use crate::api::{Api, Response};
use crate::hex;
use crate::lifecycle::Place;
use crate::secrets::{Finder, Needle, der, provoke, scan, scan_bodies, sent, use_api, use_keys};
use crate::server::{Server, binary};

const PASSPHRASE: &str = "fourteen-wild-geese-8830";
const SIGABRT: i32 = 6;

/// What every private key of its kind has in it, known or not: the authorities' are never given to anybody.
const MARKS: [(&str, &[u8]); 4] = [
    ("a private key in SEC 1", b"\x30\x77\x02\x01\x01\x04\x20"),
    ("a private key in PKCS#1", b"\x02\x01\x00\x02\x82\x01\x01\x00"),
    ("a private key in PKCS#8", b"\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"),
    ("a private key in PEM", b"PRIVATE KEY-----"),
];

/// A server under shares, what has been a secret in its life so far, and what it has answered.
struct Life {
    place: Place,
    needles: Vec<Needle>,
    bodies: Vec<Vec<u8>>,
}

impl Life {
    fn secret(&mut self, what: &str, secret: &[u8]) {
        self.needles.push(Needle::new(what, secret));
    }

    /// An answer that is a refusal.
    fn refused(&mut self, answer: Response) {
        assert!(answer.status >= 400, "{answer:?}");
        self.bodies.push(answer.body);
    }

    /// A command that fails; what it says.
    fn fails(&mut self, server: &Server, token: &str, arguments: &[&str]) {
        let (code, out, error) = self.place.run(server, token, arguments);
        assert_ne!(code, 0, "{arguments:?}: {out}{error}");
        self.bodies.extend([out.into_bytes(), error.into_bytes()]);
    }

    fn shares(&mut self, what: &str, dealt: &Value) -> Vec<String> {
        let shares: Vec<String> = serde_json::from_value(dealt["keys_base64"].clone()).unwrap();
        shares.iter().for_each(|share| self.secret(what, &STANDARD.decode(share).unwrap()));
        shares
    }

    /// Initialises and unseals, with some shares that are none in between; the shares and the root token.
    fn begin(&mut self, server: &Server) -> (Vec<String>, String) {
        let anybody = self.place.api(server, None);
        let made = anybody.write("sys/init", &json!({"secret_shares": 5, "secret_threshold": 3}));
        let made = made.json();
        let shares = self.shares("a key share", &made);
        let token = made["root_token"].as_str().unwrap().to_owned();
        self.secret("the root token", token.as_bytes());
        let cut = hex::encode(&STANDARD.decode(&shares[0]).unwrap()[..31]);
        self.refused(anybody.write("sys/unseal", &json!({"key": cut})));
        self.refused(anybody.write("sys/unseal", &json!({"key": [&shares[0]]})));
        self.refused(anybody.write("sys/unseal", &json!({"key": format!("{}!", shares[0])})));
        self.fails(server, "", &["operator", "unseal", &format!("{}!", shares[0])]);
        self.refused(self.place.api(server, Some(&token)).get("sys/mounts"));
        self.place.unseal(server, &shares[..3]);
        (shares, token)
    }

    /// Tokens, and what goes wrong with them.
    fn use_tokens(&mut self, server: &Server, api: &Api) {
        let made = api.write("auth/token/create", &json!({"policies": ["default"]})).json();
        let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
        self.secret("a token", token.as_bytes());
        for path in ["lookup", "renew", "revoke"] {
            let other = json!({"token": format!("{token}x")});
            self.bodies.push(api.write(&format!("auth/token/{path}"), &other).body);
            self.refused(api.write(&format!("auth/token/{path}"), &json!({"token": {"a": token}})));
        }
        let holder = self.place.api(server, Some(&token));
        self.refused(holder.get("sys/audit"));
        self.refused(self.place.api(server, Some(&format!("{token}x"))).get("sys/mounts"));
        self.fails(server, &token, &["scope", "list"]);
        self.fails(server, &format!("{token}x"), &["scope", "list"]);
        assert_eq!(api.write("auth/token/lookup", &json!({"token": token})).status, 200);
    }

    /// A root token of shares, hidden by a password.
    fn generate_root(&mut self, api: &Api, shares: &[String]) {
        let begun = api.write("sys/generate-root/attempt", &json!({})).json();
        let otp = begun["otp"].as_str().unwrap().to_owned();
        self.secret("a one-time password", otp.as_bytes());
        self.refused(
            api.write("sys/generate-root/update", &json!({"key": shares[0], "nonce": "x"})),
        );
        let given = give(api, "sys/generate-root/update", &shares[..3], &begun["nonce"]);
        let encoded = given["encoded_token"].as_str().unwrap();
        let hidden = STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).unwrap();
        let token: Vec<u8> = hidden.iter().zip(otp.as_bytes()).map(|(a, b)| a ^ b).collect();
        assert!(token.is_ascii(), "{token:?}");
        self.secret("a generated root token", &token);
        self.secret("a hidden root token", encoded.as_bytes());
    }

    fn rekey(&mut self, api: &Api, shares: &[String]) -> Vec<String> {
        let numbers = json!({"secret_shares": 3, "secret_threshold": 2});
        let begun = api.write("sys/rekey/init", &numbers).json();
        self.refused(api.write("sys/rekey/update", &json!({"key": shares[0], "nonce": "x"})));
        let dealt = give(api, "sys/rekey/update", &shares[..3], &begun["nonce"]);
        self.shares("a new key share", &dealt)
    }
}

/// Gives shares to an attempt, one after the other; what the last one brings.
fn give(api: &Api, path: &str, shares: &[String], nonce: &Value) -> Value {
    let mut last = Value::Null;
    for share in shares {
        last = api.write(path, &json!({"key": share, "nonce": nonce})).json();
    }
    last
}

/// The command, with the environment and in the directory of this process, where it would leave a core dump if it may.
fn with_core_dumps(command: &mut Command) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited; exec \"$0\" \"$@\""]);
    shell.arg(command.get_program()).args(command.get_args());
    *command = shell;
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn no_secret_of_a_whole_life_is_written_down() {
    let place = Place::new("");
    // Whatever any library of ours has to say.
    place.configure("trace", "type = \"shamir\"");
    let mut life = Life { place, needles: sent(), bodies: Vec::new() };
    let server = life.place.start_under(with_core_dumps);
    let (shares, token) = life.begin(&server);
    let api = life.place.api(&server, Some(&token));
    let own = life.place.path("own");
    fs::create_dir(&own).unwrap();
    let (open, second) = (own.join("open.log"), life.place.path("second.log"));
    let device = |path: &Path, raw: bool| json!({"type": "file", "options": {"file_path": path, "log_raw": raw.to_string()}});
    assert_eq!(api.write("sys/audit/open", &device(&open, true)).status, 200, "with a warning");
    assert_eq!(api.write("sys/audit/second", &device(&second, false)).status, 204);

    life.place.mount(&server, &token);
    let found = use_keys(&server);
    life.needles.extend(found);
    let found = use_api(&api, &mut life.bodies);
    life.needles.extend(found);
    provoke(&server, &api, &mut life.bodies);
    let authority = json!({"key_type": "ec", "key_bits": 256});
    assert_eq!(api.write("kmip/ca/edge/generate", &authority).status, 200);
    let rsa = json!({"tls_client_key_type": "rsa", "operation_all": true});
    assert_eq!(api.write("kmip/scope/leaks/role/rsa", &rsa).status, 204);
    let made =
        api.write("kmip/scope/leaks/role/rsa/credential/generate", &json!({"format": "der"}));
    let rsa = STANDARD.decode(made.data()["private_key"].as_str().unwrap()).unwrap();
    life.needles.push(Needle::private_key("an RSA private key", &rsa));
    life.use_tokens(&server, &api);
    life.generate_root(&api, &shares);
    let new = life.rekey(&api, &shares);
    assert_eq!(api.write("sys/rotate", &json!({})).status, 204);
    let restored = move_away(&mut life, &server, &token, &own, &new);

    // A mark is in every key of its kind, or it would be in no file for a bad reason.
    let exported = fs::read_to_string(server.client.join("key.pem")).unwrap();
    let of_the_api = fs::read_to_string(life.place.path("api.key")).unwrap();
    let samples = [der(&exported), rsa, der(&of_the_api), exported.clone().into_bytes()];
    for ((what, mark), sample) in MARKS.iter().zip(samples) {
        let mark = Needle::new(what, mark);
        assert!(mark.is_in(&sample), "{what}");
        life.needles.push(mark);
    }
    life.needles.push(Needle::private_key("the exported private key", &der(&exported)));

    // Where nothing is hashed they are: the others have heard of them.
    let heard = fs::read(&open).unwrap();
    let told = Finder::new(&life.needles).found(&heard);
    for what in ["a token", "a key share", "the root token", "an RSA private key"] {
        assert!(told.contains(what), "{what} has not come by: {told:?}");
    }
    assert!(fs::read_to_string(&second).unwrap().contains("credential/generate"));

    let but = [own, server.client.clone(), life.place.path("api.key")];
    let check = |life: &Life, but: &[PathBuf]| {
        let size = scan(&life.place.path(""), but, &life.needles);
        assert!(size > 100_000, "{size} bytes are too few");
        scan_bodies(&life.bodies, &life.needles);
    };
    assert!(restored.join("claviger.db").exists());
    check(&life, &but);

    // No core dump: neither by the limit nor, as whoever collects dumps ignores that, by the process itself.
    let limits = server.proc("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    let mut control = Command::new("sh");
    control.args(["-c", "kill -ABRT $$"]);
    with_core_dumps(&mut control);
    control.current_dir(life.place.path("own"));
    let control = control.status().unwrap();
    println!("a process that may leave a core dump: {control}");
    let ended = server.abort();
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(SIGABRT), false));
    check(&life, &but);
}

/// What works on the files of a stopped server holds what the server holds.
#[test]
fn a_command_that_reads_key_shares_leaves_no_core_dump() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary());
    command.args(["operator", "verify", "backup", "--shares", "-"]);
    with_core_dumps(&mut command);
    let mut child = command.current_dir(&directory).stdin(Stdio::piped()).spawn().unwrap();
    // A pipe holds less: once all is written, it is reading.
    child.stdin.as_mut().unwrap().write_all(&[b'0'; 1 << 20]).unwrap();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-ABRT", &id]).status().unwrap().success());
    let ended = child.wait().unwrap();
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(SIGABRT), false));
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
}

/// A backup, an export, and a store restored from the backup; the store's directory.
fn move_away(
    life: &mut Life,
    server: &Server,
    token: &str,
    own: &Path,
    shares: &[String],
) -> PathBuf {
    let (backup, export) = (life.place.path("backup"), life.place.path("export"));
    let restored = life.place.path("restored");
    life.place.json(server, token, &["operator", "backup", text(&backup)]);
    life.fails(server, token, &["operator", "backup", text(&backup)]);
    life.secret("the passphrase", PASSPHRASE.as_bytes());
    let passphrase = own.join("passphrase");
    fs::write(&passphrase, PASSPHRASE).unwrap();
    let few = own.join("few");
    fs::write(&few, &shares[0]).unwrap();
    let enough = own.join("enough");
    fs::write(&enough, shares.join("\n")).unwrap();
    let commands = [
        vec!["operator", "verify", text(&backup)],
        vec!["operator", "restore", text(&backup), "--data-dir", text(&restored)],
        vec!["operator", "export", text(&export), "--backup", text(&backup)],
    ];
    for mut command in commands {
        if command[1] == "export" {
            command.extend(["--passphrase-file", text(&passphrase)]);
        }
        let under = |shares| [command.as_slice(), &["--shares", text(shares)]].concat();
        life.fails(server, "", &under(&few));
        let done = Command::new(binary()).args(under(&enough)).output().unwrap();
        assert!(done.status.success(), "{command:?}: {done:?}");
        life.bodies.extend([done.stdout, done.stderr]);
    }
    restored
}
