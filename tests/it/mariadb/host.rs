//! The plugin in a host that does nothing but load it (`host.c`): what it leaves behind, what misuse does to it, what
//! valgrind says, and what it writes to the error log for each thing that is wrong with its options.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use serde_json::json;

use super::database::library;
use super::{issue, make};
use crate::api::Api;
use crate::at_rest::shown;
use crate::server::Server;

/// What malloc may have more of after a thousand starts: less than any allocation of each would be.
const HEAP_MORE: u64 = 4096;

/// The program, built for one test.
pub(super) struct Host {
    _scratch: tempfile::TempDir,
    program: PathBuf,
    library: PathBuf,
}

/// An option of the plugin, without its prefix.
pub(super) type Given = (&'static str, String);
pub(super) type Options = Vec<Given>;

pub(super) fn options(server: &Server) -> Options {
    let file = |name: &str| server.client.join(name).to_str().unwrap().to_owned();
    vec![
        ("servers", server.kmip.to_string()),
        ("ca", file("ca.pem")),
        ("certificate", file("cert.pem")),
        ("key", file("key.pem")),
        ("retries", String::from("0")),
        ("connect_timeout_ms", String::from("30000")),
    ]
}

impl Host {
    pub(super) fn build() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("host");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/mariadb/host.c");
        let built = Command::new("cc")
            .args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&program, &source])
            .args(["-ldl", "-lpthread"])
            .status();
        assert!(built.unwrap().success(), "host.c does not compile");
        Self { _scratch: scratch, program, library: library() }
    }

    fn command(&self, under: &[&str], action: &str, number: u32, options: &Options) -> Command {
        let mut words = under.iter().copied();
        let mut command = match words.next() {
            Some(first) => Command::new(first),
            None => Command::new(&self.program),
        };
        command.args(words);
        if !under.is_empty() {
            command.arg(&self.program);
        }
        command
            .arg(&self.library)
            .args([action, &number.to_string()])
            .args(options.iter().map(|(name, value)| format!("{name}={value}")))
            // Chunks that are kept for the next one would count as used.
            .env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
        command
    }

    fn run(&self, under: &[&str], action: &str, number: u32, options: &Options) -> Output {
        let mut command = self.command(under, action, number, options);
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// One that runs on, and asks for so many keys whenever it is told to.
    pub(super) fn follow(&self, number: u32, options: &Options) -> Following {
        let mut command = self.command(&[], "follow", number, options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Following { commands: child.stdin.take().unwrap(), child, lines, log: Vec::new() }
    }

    /// What it said, when it ended well.
    pub(super) fn does(
        &self,
        under: &[&str],
        action: &str,
        number: u32,
        options: &Options,
    ) -> String {
        let output = self.run(under, action, number, options);
        assert!(output.status.success(), "{}", shown(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The only line of the error log of a plugin that does not start.
    pub(super) fn refusal(&self, options: &Options) -> String {
        let output = self.run(&[], "start", 1, options);
        assert_eq!(output.status.code(), Some(1), "{options:?}: {}", shown(&output));
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.lines().count(), 1, "{options:?}: {said}");
        // The server cuts off what is longer.
        assert!(said.starts_with("log error kmip_key_management: ") && said.len() < 500, "{said}");
        said
    }
}

/// A host that runs until it is ended.
pub(super) struct Following {
    child: Child,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// Its error log so far.
    pub(super) log: Vec<String>,
}

impl Following {
    fn line(&mut self) -> String {
        let line = self.lines.next().unwrap().unwrap();
        if line.starts_with("log ") {
            self.log.push(line.clone());
        }
        line
    }

    /// Waits until the error log has a line with that text.
    pub(super) fn says(&mut self, text: &str) {
        while !self.line().contains(text) {}
    }

    /// The answer to each question.
    pub(super) fn ask(&mut self) -> Vec<String> {
        writeln!(self.commands).unwrap();
        let mut answers = Vec::new();
        loop {
            match self.line().as_str() {
                "end" => return answers,
                line if line.starts_with("log ") => {}
                line => answers.push(line.to_owned()),
            }
        }
    }

    pub(super) fn end(mut self) {
        drop(self.commands);
        assert!(self.child.wait().unwrap().success());
    }
}

fn figures(said: &str, name: &str) -> [u64; 2] {
    let line = said.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let figures: Vec<u64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
    figures.try_into().unwrap()
}

#[test]
fn a_thousand_starts_leave_nothing_behind() {
    let server = Server::start();
    assert_eq!(make(&server, 1), 1);
    let said = Host::build().does(&[], "start", 1000, &options(&server));
    for what in ["threads", "descriptors"] {
        let [before, after] = figures(&said, what);
        assert_eq!(before, after, "{what}");
    }
    let [before, after] = figures(&said, "heap");
    assert!(after <= before + HEAP_MORE, "{before} bytes before, {after} after");
}

#[test]
fn what_a_host_does_wrong_hurts_nobody() {
    let server = Server::start();
    assert_eq!(make(&server, 1), 1);
    let said = Host::build().does(&[], "misuse", 20, &options(&server));
    assert!(said.contains("the plugin is loaded already"), "{said}");
}

#[test]
fn databases_that_make_a_key_at_once_make_one() {
    let server = Server::start();
    let unique = json!({"unique_names": true});
    assert_eq!(Api::root(&server).write("kmip/scope/default", &unique).status, 204);
    let host = Host::build();
    let mut options = options(&server);
    options.push(("create_missing", String::from("ON")));
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..6).map(|_| scope.spawn(|| host.run(&[], "start", 1, &options))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(outputs.iter().any(|output| output.status.success()));
    for output in outputs.iter().filter(|output| !output.status.success()) {
        assert!(shown(output).contains("somebody else makes that version"), "{}", shown(output));
    }
    assert_eq!(make(&server, 1), 2);
}

#[test]
fn valgrind_finds_nothing() {
    let valgrind = Command::new("valgrind").arg("--version").output();
    if valgrind.is_err() {
        assert!(std::env::var_os("CI").is_none(), "valgrind is missing: install it");
        println!("skipped: valgrind is missing");
        return;
    }
    let server = Server::start();
    assert_eq!((make(&server, 1), make(&server, 2)), (1, 1));
    let host = Host::build();
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
    for (action, number) in [("start", 3), ("keys", 2), ("misuse", 2)] {
        let output = host.run(&memory, action, number, &options(&server));
        assert!(output.status.success() && output.stderr.is_empty(), "{}", shown(&output));
    }
}

/// Changes of the options, and what the line must have: the option, what is wrong with it, and what to do.
#[test]
fn each_thing_that_is_wrong_is_one_line_that_names_its_option_and_what_to_do() {
    let (server, stranger) = (Server::start(), Server::start());
    assert_eq!(make(&server, 1), 1);
    let host = Host::build();
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let of = |server: &Server, name: &str| server.client.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("garbage"), "no PEM").unwrap();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/client/tests/keys");
    let encrypted = keys.join("aes256_pbkdf2_sha256.pem").to_str().unwrap().to_owned();
    let prefixed = |name: &str| format!("kmip_key_management_{name}: ");
    let set = "set it to";

    for option in ["servers", "ca", "certificate"] {
        let mut given = options(&server);
        given.retain(|(name, _)| *name != option);
        let said = host.refusal(&given);
        assert!(said.contains(&format!("{}is not set: {set}", prefixed(option))), "{said}");
    }
    for option in ["ca", "certificate", "key"] {
        for file in [path("nowhere"), path("garbage")] {
            let said = host.refusal(&changed(&server, &[(option, file.clone())]));
            assert!(said.contains(&format!("{}{file}: ", prefixed(option))), "{said}");
            assert!(said.contains(set), "{said}");
        }
    }
    let no = String::new;
    let strangers = [("certificate", of(&stranger, "cert.pem")), ("key", of(&stranger, "key.pem"))];
    let with_password =
        |password: &str| [("key", encrypted.clone()), ("key_password", String::from(password))];
    // Of another certificate: it was decrypted.
    let (wrong_password, right_password) = (with_password("wrong"), with_password("correct-horse"));
    let api = server.api.strip_prefix("http://").unwrap().to_owned();
    let cases: [(&[Given], &[&str]); 13] = [
        (&[("servers", String::from("kms,"))], &["_servers: ", "HOST[:PORT]", set]),
        (
            &[("servers", String::from("kms.invalid"))],
            &["kms.invalid", "see that servers and port"],
        ),
        (&[("servers", String::from("127.0.0.1:1"))], &["no connection", "see that servers"]),
        (&[("servers", api)], &["does not speak TLS", "see that servers and port"]),
        (&[("ca", of(&stranger, "ca.pem"))], &["not trusted", "ca must hold the authority"]),
        (&strangers, &["does not take", "certificate and key must be issued by the KMIP server"]),
        (&strangers[..1], &["_key: ", "Mismatch", "private key of the certificate"]),
        (&[("key", no())], &["_certificate: ", "without kmip_key_management_key"]),
        (&[("key", encrypted.clone())], &["_key_password: ", "no password is given", "set it"]),
        (&wrong_password, &["_key_password: ", "the password is wrong", "set it"]),
        (&right_password, &["_key: ", "Mismatch", "private key of the certificate"]),
        (&[("key_group", String::from("a/b"))], &["_key_group: ", "no /", set]),
        (&[("key_group", String::from("other"))], &["no Active version of key 1", "key-group is"]),
    ];
    for (changes, expected) in cases {
        let said = host.refusal(&changed(&server, changes));
        for text in expected {
            assert!(said.contains(text), "{text}: {said}");
        }
    }
}

fn changed(server: &Server, changes: &[Given]) -> Options {
    let mut options = options(server);
    options.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    options.extend(changes.iter().cloned());
    options
}

#[test]
fn a_certificate_that_ends_or_lacks_an_operation_is_one_line_too() {
    let server = Server::start();
    assert_eq!(make(&server, 1), 1);
    let host = Host::build();
    let identity = |client: &Path| {
        let file = |name: &str| client.join(name).to_str().unwrap().to_owned();
        changed(&server, &[("certificate", file("cert.pem")), ("key", file("key.pem"))])
    };
    let reading = ["locate", "get", "get_attributes"];
    let (client, serial) = issue(&server, "reader", &reading);
    assert_eq!(host.does(&[], "start", 1, &identity(client.path())), "");
    let path = "kmip/scope/default/role/reader";
    let api = Api::root(&server);
    let revoked = json!({"serial_number": serial});
    assert_eq!(api.write(&format!("{path}/credential/revoke"), &revoked).status, 204);
    let said = host.refusal(&identity(client.path()));
    assert!(said.contains("the certificate was revoked: certificate and key must"), "{said}");

    let (client, _) = issue(&server, "gone", &reading);
    assert_eq!(api.delete("kmip/scope/default/role/gone").status, 204);
    let said = host.refusal(&identity(client.path()));
    assert!(
        said.contains("the role of the certificate was deleted: certificate and key must"),
        "{said}"
    );

    for lacking in reading {
        let allowed: Vec<_> = reading.into_iter().filter(|name| *name != lacking).collect();
        let (client, _) = issue(&server, &format!("without-{lacking}"), &allowed);
        let said = host.refusal(&identity(client.path()));
        assert!(said.contains("its role allow Locate, Get Attributes and Get"), "{said}");
    }
}
