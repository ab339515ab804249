//! `claviger run` and polling: a program has its key for as long as the master key is Active.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::at_rest::{KEY_LOST, Keystore, Kms, fails, shown};
use crate::server::Server;

/// Polls each second, so that a test is over soon.
const POLLING: [&str; 2] = ["--kmipKeyStatePollingSeconds", "1"];

fn ran(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("{}", shown(&output)));
    (code, String::from_utf8(output.stdout).unwrap())
}

fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the first line of stdout.
fn first_line(child: &mut Child) -> String {
    use std::io::BufRead;
    let mut line = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    std::io::BufReader::with_capacity(1, stdout).read_line(&mut line).unwrap();
    line
}

fn kill(child: &Child, signal: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

#[test]
fn a_program_gets_its_key_and_its_exit_code_is_kept() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    let run = |flags: &[&str], program: &[&str]| {
        ran(keystore.command(&["run"], &[flags, &["--"], program].concat()))
    };
    let (code, by_variable) = run(&[], &["sh", "-c", "printf %s $CLAVIGER_DATA_KEY; exit 7"]);
    assert_eq!((code, by_variable.len()), (7, 64));
    assert_eq!(keystore.key_of("/default"), by_variable);
    let (code, by_descriptor) = run(&["--key-fd", "9"], &["cat", "/dev/fd/9"]);
    assert_eq!((code, &by_descriptor), (0, &by_variable));
    let memory = ["--key-memfd", "FILE", "--key-text", "1;{hex}"];
    let (_, by_file) =
        run(&memory, &["sh", "-c", "cat $FILE $FILE; echo x > $FILE || echo sealed"]);
    assert_eq!(by_file, format!("1;{by_variable}1;{by_variable}sealed\n"));
    assert_eq!(run(&memory, &["cat", "{key-file}"]).1, format!("1;{by_variable}"));
    let (_, other) = run(&["--key-name", "other", "--key-env", "K"], &["sh", "-c", "printf %s $K"]);
    assert!(other.len() == 64 && other != by_variable);
    let (code, _) = run(&[], &["sh", "-c", "kill -9 $$"]);
    assert_eq!(code, 128 + 9);
    fails(keystore.command(&["run"], &["--", "/no/such/program"]), 1, "/no/such/program");
    fails(keystore.command(&["run"], &["--kmipRotateMasterKey", "--", "true"]), 2, "rotate");
    fails(keystore.command(&["run"], &[]), 2, "COMMAND");
}

#[test]
fn signals_reach_the_program() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    let script =
        "trap 'exit 5' TERM; trap 'echo hangup' HUP; echo ready; while :; do sleep 0.05; done";
    let run = keystore.command(&["run"], &["--", "sh", "-c", script]);
    // Whoever runs the tests may have SIGHUP ignored.
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP,TERM").arg(run.get_program()).args(run.get_args());
    let mut child = spawn(command);
    assert_eq!(first_line(&mut child), "ready\n");
    // While a program has its key, nobody else has the keystore.
    keystore.fails(&["open"], &[], 1, "another process has it open");
    assert_eq!(keystore.does(&["status"], &[])["state"], "Active");
    kill(&child, "-HUP");
    assert_eq!(first_line(&mut child), "hangup\n");
    kill(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn a_program_whose_key_is_lost_is_ended() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let gentle = "echo ready; trap 'exit 0' TERM; while :; do sleep 0.05; done";
    let deaf = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    for (script, is_destroyed) in [(gentle, false), (gentle, true), (deaf, false)] {
        let keystore = Keystore::on(&server);
        let id = keystore.open(&[]);
        let flags = [&POLLING[..], &["--grace", "1", "--", "sh", "-c", script]].concat();
        let mut child = spawn(keystore.command(&["run"], &flags));
        assert_eq!(first_line(&mut child), "ready\n");
        kms.deactivate(&id);
        if is_destroyed {
            kms.destroy(&id);
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(KEY_LOST), "{}", shown(&output));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("the program is ended"), "{said}");
        let _ = keystore.fails(&["open"], &[], KEY_LOST, "key reading failed");
    }
}

/// Whether a process runs: one that has ended may still be a zombie of somebody.
fn runs(id: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

#[test]
fn whoever_has_the_key_from_the_program_is_ended_with_it() {
    let server = Server::start();
    let mut kms = Kms::of(&server);
    // One that stays when its parent is gone, and hears nothing.
    let deaf = "(trap '' TERM; while :; do sleep 0.05; done) & echo $!; exec sleep 1000";
    // One that has no parent any more when it comes to that.
    let orphan = "(sleep 1000 & echo $!); exec sleep 1000";
    for script in [deaf, orphan] {
        let keystore = Keystore::on(&server);
        let id = keystore.open(&[]);
        let flags = [&POLLING[..], &["--grace", "1", "--", "sh", "-c", script]].concat();
        let mut child = spawn(keystore.command(&["run"], &flags));
        let started = first_line(&mut child);
        assert!(runs(&started), "{started}");
        kms.deactivate(&id);
        assert_eq!(child.wait().unwrap().code(), Some(KEY_LOST));
        assert!(!runs(&started), "{script}");
    }
}

#[test]
fn orphans_of_a_program_are_no_zombies() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    let script = "(sleep 0.1 & echo $!); trap 'exit 5' TERM; while :; do sleep 0.05; done";
    let mut child = spawn(keystore.command(&["run"], &["--", "sh", "-c", script]));
    let orphan = format!("/proc/{}", first_line(&mut child).trim());
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::path::Path::new(&orphan).exists() {
        assert!(Instant::now() < deadline, "{orphan} is there");
        std::thread::yield_now();
    }
    kill(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn a_signal_that_was_ignored_before_stays_ignored() {
    let server = Server::start();
    let keystore = Keystore::on(&server);
    let script = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let run = keystore.command(&["run"], &["--", "sh", "-c", script]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(run.get_program())
        .args(run.get_args());
    let mut child = spawn(command);
    assert_eq!(first_line(&mut child), "ready\n");
    kill(&child, "-HUP");
    kill(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn a_keystore_that_polls_ends_when_its_key_is_lost_and_not_before() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start_on(scratch.path());
    // Behind a port that stays the same while the server is away.
    let gate = crate::at_rest_faults::Gate::open(server.kmip);
    let keystore = Keystore::at(&server, gate.port());
    let id = keystore.open(&[]);
    let log = keystore.scratch.path().join("log");
    let mut command = keystore.keystore(&["open", "--poll"], &POLLING);
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    let logged = |text: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !std::fs::read_to_string(&log).unwrap().contains(text) {
            assert!(Instant::now() < deadline, "{}", std::fs::read_to_string(&log).unwrap());
            std::thread::yield_now();
        }
    };
    logged("Encryption keys DB is initialized successfully");
    gate.shut();
    logged("could not be read; going on");
    assert!(child.try_wait().unwrap().is_none());
    Kms::of(&server).deactivate(&id);
    gate.admit();
    assert_eq!(child.wait().unwrap().code(), Some(KEY_LOST));
    logged("29122");
}

#[test]
fn what_is_not_polled_does_not_stay() {
    let server = Server::start();
    for flags in [
        ["--kmipActivateKeys", "false"],
        ["--kmipKeyStatePollingSeconds", "0"],
        ["--kmipKeyStatePollingSeconds", "-1"],
    ] {
        let keystore = Keystore::on(&server);
        fails(keystore.keystore(&["open", "--poll"], &flags), 2, "is not polled");
        // A program runs all the same, unguarded as it was asked for.
        let flags = [&flags[..], &["--", "true"]].concat();
        assert_eq!(ran(keystore.command(&["run"], &flags)).0, 0);
    }
}
