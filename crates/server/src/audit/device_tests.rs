//! Several devices: where entries go, what happens when one fails, rotation.

use super::config::DEFAULT_PATH;
use super::tests::{kmip, lines, open, place};
use super::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

fn config(path: &str, kind: &str, options: &[(&str, &str)]) -> DeviceConfig {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    DeviceConfig::parse(path, kind, "", options.iter().map(owned).collect()).unwrap()
}

fn file(name: &str, path: &Path) -> DeviceConfig {
    config(name, "file", &[("file_path", path.to_str().unwrap())])
}

fn socket(name: &str, kind: &str, address: &str) -> DeviceConfig {
    let options = [("address", address), ("socket_type", kind), ("write_timeout", "5s")];
    config(name, "socket", &options)
}

fn failures(log: &AuditLog, path: &str) -> u64 {
    log.devices().into_iter().find(|device| device.path == path).unwrap().failures
}

/// An API entry with one string to hash.
fn api(text: &str) -> Entry<'static> {
    let data = Box::leak(Box::new(json!({ "value": text, "keys": ["a", "b"] })));
    Entry::Api(Box::new(Api {
        phase: Phase::Response,
        operation: "list",
        caller: Caller {
            client_token: Some("the-token"),
            accessor: Some("the-accessor"),
            ..Caller::default()
        },
        data: Some(data),
        response: Answered { data: Some(data), ..Answered::default() },
        ..Api::default()
    }))
}

/// A device that takes its first lines, then fails for a while, then takes lines again.
struct Faulty {
    writes: u32,
    fails: std::ops::Range<u32>,
    /// Hears of each write, whatever becomes of it.
    said: Sender<()>,
}

impl sink::Sink for Faulty {
    fn write(&mut self, _: &[u8]) -> std::io::Result<()> {
        self.writes += 1;
        let _nobody_need_hear = self.said.send(());
        if self.fails.contains(&self.writes) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl AuditLog {
    /// A device whose writes fail in this range, counted from 1.
    pub(crate) fn add_faulty(&self, path: &str, fails: std::ops::Range<u32>) -> Receiver<()> {
        let config = config(path, "file", &[("file_path", "discard")]);
        let (said, heard) = channel();
        let sink = Box::new(Faulty { writes: 0, fails, said });
        self.set.insert(slot::Slot::on(config, &[9; 32], sink)).unwrap();
        heard
    }
}

#[test]
fn a_device_that_fails_now_and_then_refuses_just_then_and_is_counted() {
    let log = AuditLog::disabled();
    log.add_faulty("faulty", 2..4);
    assert!(log.may_wait());
    let outcomes: Vec<bool> =
        (0..5).map(|_| log.record(&kmip("a", Phase::Request)).is_ok()).collect();
    assert_eq!(outcomes, [true, false, false, true, true]);
    assert_eq!(failures(&log, "faulty/"), 2);
    // Two devices that never fail at the same time never refuse.
    let log = AuditLog::disabled();
    let devices = [log.add_faulty("first", 1..3), log.add_faulty("second", 3..9)];
    for _ in 0..5 {
        log.record(&kmip("a", Phase::Request)).unwrap();
        // Nobody waits for the other device, which would write what is left to it together.
        devices.iter().for_each(|heard| heard.recv().unwrap());
    }
}

#[test]
fn every_device_gets_every_entry_and_each_its_own_chain_and_hashes() {
    let (directory, path) = place();
    let at = |name: &str| directory.path().join(name);
    let unix = UnixListener::bind(at("unix")).unwrap();
    let syslog = UnixDatagram::bind(at("syslog")).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let log = AuditLog::disabled();
    let tcp_address = tcp.local_addr().unwrap().to_string();
    let udp_address = udp.local_addr().unwrap().to_string();
    let syslog_options = [("address", at("syslog").to_str().unwrap().to_owned())];
    let syslog_options = [("address", syslog_options[0].1.as_str()), ("facility", "LOCAL0")];
    for (salt, config) in [
        file("file", &path),
        socket("unix", "unix", at("unix").to_str().unwrap()),
        socket("tcp", "tcp4", &tcp_address),
        socket("udp", "udp", &udp_address),
        config("syslog", "syslog", &syslog_options),
    ]
    .into_iter()
    .enumerate()
    {
        log.enable(config, &[salt as u8; 32], 0).unwrap();
    }
    log.record(&kmip("both", Phase::Request)).unwrap();
    log.record(&api("find me")).unwrap();

    let datagram = |receive: &dyn Fn(&mut [u8]) -> usize| {
        let mut bytes = vec![0; 65536];
        let length = receive(&mut bytes);
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let stream = |stream: &mut dyn std::io::Read| {
        let mut lines = BufReader::new(stream).lines();
        (0..3).map(|_| lines.next().unwrap().unwrap() + "\n").collect::<Vec<_>>()
    };
    let mut received = vec![("file/", fs::read_to_string(&path).unwrap())];
    received.push(("unix/", stream(&mut unix.accept().unwrap().0).concat()));
    received.push(("tcp/", stream(&mut tcp.accept().unwrap().0).concat()));
    let from_udp = |bytes: &mut [u8]| udp.recv(bytes).unwrap();
    received.push(("udp/", (0..3).map(|_| datagram(&from_udp)).collect()));
    let from_syslog = |bytes: &mut [u8]| syslog.recv(bytes).unwrap();
    let messages: Vec<String> = (0..3).map(|_| datagram(&from_syslog)).collect();
    let header = format!("claviger[{}]: ", std::process::id());
    let strip = |message: &String| {
        assert!(message.starts_with("<134>"), "{message}");
        message.split_once(&header).unwrap().1.to_owned()
    };
    received.push(("syslog/", messages.iter().map(strip).collect()));

    let mut hashes = BTreeSet::new();
    for (name, text) in received {
        let copy = directory.path().join("copy");
        fs::write(&copy, &text).unwrap();
        assert_eq!(verify(&copy).unwrap().lines, 3, "{name}");
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["type"], &lines[0]["path"]), (&json!("enabled"), &json!(name)));
        assert_eq!(lines[1]["id"], "both");
        let hash = lines[2]["request"]["data"]["value"].as_str().unwrap();
        assert_eq!(log.hash(name, "find me").unwrap(), hash);
        hashes.insert(hash.to_owned());
    }
    assert_eq!(hashes.len(), 5, "one device's hashes say nothing of another's");
    assert_eq!(log.hash("nowhere/", "x"), None);
}

#[test]
fn what_only_one_of_two_devices_takes_is_allowed_and_what_none_takes_is_refused() {
    let (directory, path) = place();
    let address = directory.path().join("peer");
    let listen = || UnixListener::bind(&address).unwrap();
    let mut listener = listen();
    let log = AuditLog::disabled();
    log.enable(socket("peer", "unix", address.to_str().unwrap()), &[1; 32], 0).unwrap();
    log.record(&kmip("alone", Phase::Request)).unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    let mut received = [0; 4096];
    while !String::from_utf8_lossy(&received).contains("alone") {
        let _more = connection.read(&mut received).unwrap();
    }
    drop((connection, listener));
    fs::remove_file(&address).unwrap();
    let refused = log.record(&kmip("lost", Phase::Request)).unwrap_err();
    assert!(refused.to_string().contains("no device takes the entry"), "{refused}");
    assert_eq!(failures(&log, "peer/"), 1);
    assert!(log.sync().wait().is_ok());

    log.enable(file("file", &path), &[2; 32], 0).unwrap();
    log.record(&kmip("kept", Phase::Request)).unwrap();
    assert_eq!(lines(&path)[1]["id"], "kept");
    log.sync().wait().unwrap();

    // The peer is there again: nothing has to be done.
    log.disable("file/");
    listener = listen();
    log.record(&kmip("again", Phase::Request)).unwrap();
    let mut line = String::new();
    BufReader::new(listener.accept().unwrap().0).read_line(&mut line).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["id"], "again");
}

#[test]
fn a_full_disk_refuses_and_another_device_makes_up_for_it() {
    let (directory, path) = place();
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    let log = AuditLog::disabled();
    log.enable(file("file", &link), &[1; 32], 0).unwrap();
    log.record(&kmip("fits", Phase::Request)).unwrap();
    // What stands behind the name is now a device on which nothing has room.
    fs::remove_file(&link).unwrap();
    symlink("/dev/full", &link).unwrap();
    log.reopen(0);
    let refused = log.record(&kmip("no room", Phase::Request)).unwrap_err();
    assert!(refused.to_string().contains("No space left"), "{refused}");
    let never = AuditLog::disabled().enable(file("full", Path::new("/dev/full")), &[1; 32], 0);
    assert!(never.unwrap_err().to_string().contains("No space left"));

    let second = directory.path().join("second.log");
    log.enable(file("second", &second), &[2; 32], 0).unwrap();
    log.record(&kmip("there", Phase::Request)).unwrap();
    assert_eq!(lines(&second)[1]["id"], "there");

    fs::remove_file(&link).unwrap();
    symlink(&path, &link).unwrap();
    log.reopen(0);
    log.disable("second/");
    log.record(&kmip("fits again", Phase::Request)).unwrap();
    let ids: Vec<Value> = lines(&path).iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, [Value::Null, json!("fits"), json!("fits again")]);
}

#[test]
fn a_peer_that_hangs_holds_nobody_up_while_a_file_takes_the_entries() {
    let (directory, path) = place();
    let address = directory.path().join("peer");
    // Accepts by the kernel alone, and is never read from.
    let _listener = UnixListener::bind(&address).unwrap();
    let log = AuditLog::disabled();
    let options = [
        ("address", address.to_str().unwrap()),
        ("socket_type", "unix"),
        ("write_timeout", "300ms"),
    ];
    log.enable(config("peer", "socket", &options), &[1; 32], 0).unwrap();
    let many: Vec<_> = (0..2000).map(|_| kmip("filler", Phase::Request)).collect();
    let started = Instant::now();
    assert!(log.record_all(&many).is_err(), "alone, it refuses in its time");
    assert!(started.elapsed() < Duration::from_secs(20));

    log.enable(file("file", &path), &[2; 32], 0).unwrap();
    let started = Instant::now();
    for _ in 0..100 {
        log.record(&kmip("quick", Phase::Request)).unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(10), "not 100 times 300 ms");
    assert!(failures(&log, "peer/") > 0);
    assert_eq!(lines(&path).len(), 101);
}

#[test]
fn rotation_by_renaming_loses_no_line_and_the_chain_goes_on() {
    let (directory, path) = place();
    let log = open(&path);
    let rotated = |number: u32| directory.path().join(format!("audit.log.{number}"));
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let log = log.clone();
            scope.spawn(move || {
                for step in 0..500 {
                    log.record(&kmip(&format!("{caller}-{step}"), Phase::Request)).unwrap();
                }
            });
        }
        for number in 1..=5 {
            fs::rename(&path, rotated(number)).unwrap();
            log.reopen(0);
        }
    });
    log.record(&kmip("last", Phase::Request)).unwrap();
    log.sync().wait().unwrap();
    let mut files: Vec<PathBuf> = (1..=5).map(rotated).collect();
    files.push(path.clone());
    let mut verification = Verification::default();
    let mut ids = BTreeSet::new();
    for file in &files {
        verification.file(file).unwrap();
        ids.extend(lines(file).iter().map(|line| line["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!((ids.len(), verification.summary().last), (2001, 2001));

    let (last, first) = (files.last().unwrap(), files.first().unwrap());
    if verify(first).unwrap().lines > 0 {
        let mut backwards = Verification::default();
        backwards.file(last).unwrap();
        assert!(backwards.file(first).is_err(), "in the wrong order they do not follow");
    }
    // A new file that cannot be made: the chain waits for one that can.
    let away = directory.path().join("away");
    fs::rename(&path, &away).unwrap();
    fs::create_dir(&path).unwrap();
    log.reopen(0);
    assert!(log.record(&kmip("refused", Phase::Request)).is_err());
    fs::remove_dir(&path).unwrap();
    log.reopen(0);
    log.record(&kmip("after all", Phase::Request)).unwrap();
    verification.file(&path).unwrap();
    assert_eq!(verification.summary().last, 2002);

    // Asked for when nothing has moved, it changes nothing.
    log.reopen(0);
    log.record(&kmip("still", Phase::Request)).unwrap();
    assert_eq!(verify(&path).unwrap().last, 2003);
}

#[test]
fn a_device_that_does_not_open_refuses_until_it_does() {
    let (directory, _) = place();
    let below = directory.path().join("mounted later");
    let path = below.join("audit.log");
    let log = AuditLog::disabled();
    assert!(log.add(file("file", &path), &[1; 32], 0).is_err());
    log.add_or_wait(file("file", &path), &[1; 32], 0).unwrap();
    assert!(log.is_enabled());
    log.record(&kmip("refused", Phase::Request)).unwrap_err();
    fs::create_dir(&below).unwrap();
    log.reopen(0);
    log.record(&kmip("taken", Phase::Request)).unwrap();
    assert_eq!(lines(&path)[0]["id"], "taken");
}

#[test]
fn a_file_belongs_to_one_device_until_that_is_disabled() {
    let (directory, path) = place();
    let log = open(&path);
    let taken = log.enable(file("again", &path), &[1; 32], 0).unwrap_err();
    assert!(taken.to_string().contains("writes to this file"), "{taken}");
    let other = directory.path().join("other.log");
    let taken = log.enable(file("default", &other), &[1; 32], 0).unwrap_err();
    assert!(taken.to_string().contains("path already in use"), "{taken}");

    log.record(&kmip("first", Phase::Request)).unwrap();
    log.disable(DEFAULT_PATH);
    assert!(!log.is_enabled());
    log.enable(
        config("again", "file", &[("file_path", path.to_str().unwrap()), ("mode", "0640")]),
        &[1; 32],
        0,
    )
    .unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    log.record(&kmip("second", Phase::Request)).unwrap();
    assert_eq!(verify(&path).unwrap().lines, 3, "the chain goes on");
}

/// Whoever may enable devices names files: what is not an audit's stays as it is.
#[test]
fn a_file_that_is_somebody_else_s_is_left_alone() {
    let (_directory, path) = place();
    let log = AuditLog::disabled();
    for content in [&b"claviger\x01 and a root key"[..], b"SQLite format 3\0", b"\n", b"a log\n"] {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let options = [("file_path", path.to_str().unwrap()), ("mode", "0666")];
        let refused = log.enable(config("x", "file", &options), &[1; 32], 0).unwrap_err();
        assert!(refused.to_string().contains("something else"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for torn in [&b"{\"ti"[..], b"{\"time\":\"2026", b"@cee: {\"time\":\"2026-", &[0; 4096]] {
        fs::write(&path, torn).unwrap();
        log.enable(file("x", &path), &[1; 32], 0).unwrap();
        log.disable("x/");
        assert_eq!(verify(&path).unwrap().lines, 2, "a note of the torn line, and the first");
    }
}

#[test]
fn the_options_say_how_entries_are_spelled() {
    let (directory, _) = place();
    let log = AuditLog::disabled();
    let written = |name: &str, options: &[(&str, &str)]| {
        let path = directory.path().join(name);
        let mut all = vec![("file_path", path.to_str().unwrap()), ("skip_test", "true")];
        all.extend(options);
        log.enable(config(name, "file", &all), &[1; 32], 0).unwrap();
        path
    };
    let plain = written("plain", &[]);
    let spelled = written(
        "spelled",
        &[("prefix", "@cee: "), ("hmac_accessor", "false"), ("elide_list_responses", "true")],
    );
    let raw = written("raw", &[("log_raw", "true")]);
    log.record(&kmip("k", Phase::Request)).unwrap();
    log.record(&api("the-secret")).unwrap();

    let entry = &lines(&plain)[1];
    assert!(entry["auth"]["accessor"].as_str().unwrap().starts_with("hmac-sha256:"));
    let text = fs::read_to_string(&spelled).unwrap();
    assert!(text.lines().all(|line| line.starts_with("@cee: {")));
    assert_eq!(verify(&spelled).unwrap().lines, 2);
    let entry: Value =
        serde_json::from_str(text.lines().nth(1).unwrap().trim_start_matches("@cee: ")).unwrap();
    assert_eq!(entry["auth"]["accessor"], "the-accessor");
    assert_eq!(entry["response"]["data"]["keys"], 2);
    assert!(entry["request"]["data"]["keys"].is_array());
    assert!(!text.contains("the-token") && !text.contains("the-secret"));
    let entry = &lines(&raw)[1];
    assert_eq!(entry["auth"]["client_token"], "the-token");
    assert_eq!(entry["response"]["data"]["value"], "the-secret");
}

#[test]
fn fields_that_a_mount_wants_plain_are_plain() {
    let (_directory, path) = place();
    let log = open(&path);
    let Entry::Api(mut entry) = api("open") else { unreachable!() };
    let keys = ["value".to_owned()];
    entry.plain_response_keys = &keys;
    log.record(&Entry::Api(entry)).unwrap();
    let line = &lines(&path)[0];
    assert_eq!(line["response"]["data"]["value"], "open");
    assert!(line["request"]["data"]["value"].as_str().unwrap().starts_with("hmac-sha256:"));
}

#[test]
fn what_is_discarded_counts_as_taken() {
    let log = AuditLog::disabled();
    log.enable(config("none", "file", &[("file_path", "discard")]), &[1; 32], 0).unwrap();
    assert!(log.is_enabled());
    log.record(&kmip("gone", Phase::Request)).unwrap();
    log.sync().wait().unwrap();
}
