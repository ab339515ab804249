//! The audit as its readers and its callers see it.

use super::config::DEFAULT_PATH;
use super::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const KEY: [u8; 32] = [7; 32];

pub(super) fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    (directory, path)
}

pub(super) fn open(path: &Path) -> AuditLog {
    AuditLog::open(path, &Zeroizing::new(KEY), 0).unwrap()
}

pub(super) fn kmip(id: &str, phase: Phase) -> Entry<'_> {
    Entry::Kmip(Kmip {
        phase,
        time_us: 1_000_000,
        id,
        item: 0,
        mount: "kmip/",
        scope: Some("production"),
        role: Some("reader"),
        serial: Some("728181095563584845125173905844944137943705466376"),
        operation: "Get",
        unique_identifier: Some("0193-id"),
        object_type: Some("SymmetricKey"),
        version: (1, 4),
        result_reason: None,
        remote: Some("10.0.0.7:4711".parse().unwrap()),
    })
}

pub(super) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_says_who_asked_for_what_and_what_came_of_it() {
    let (_directory, path) = place();
    let log = open(&path);
    log.record(&kmip("r1", Phase::Request)).unwrap();
    let Entry::Kmip(mut refused) = kmip("r1", Phase::Response) else { unreachable!() };
    refused.result_reason = Some("PermissionDenied");
    refused.object_type = None;
    log.record(&Entry::Kmip(refused)).unwrap();
    let lines = lines(&path);
    let mut first = lines[0].clone();
    for chained in ["prev", "hash"] {
        let hash = first.as_object_mut().unwrap().remove(chained).unwrap();
        assert_eq!(hash.as_str().unwrap().len(), 64);
    }
    assert_eq!(
        first,
        json!({
            "time": "1970-01-01T00:00:01.000000Z", "type": "kmip", "phase": "request", "id": "r1",
            "item": 0, "mount_point": "kmip/", "scope": "production", "role": "reader",
            "serial": "728181095563584845125173905844944137943705466376", "operation": "Get",
            "unique_identifier": "0193-id", "object_type": "SymmetricKey", "version": "1.4",
            "remote_address": "10.0.0.7", "remote_port": 4711, "seq": 1
        })
    );
    assert_eq!(lines[1]["result"], "failure");
    assert_eq!(lines[1]["result_reason"], "PermissionDenied");
    assert_eq!(lines[1].get("object_type"), None);
    assert_eq!(lines[1]["prev"], lines[0]["hash"]);
}

#[test]
fn strings_of_the_api_are_hashed_and_can_be_looked_for() {
    let (_directory, path) = place();
    let log = open(&path);
    let data =
        json!({"operation_all": "true", "n": 5, "list": ["secret-one", {"deep": "secret-two"}]});
    let answer = json!({"private_key": "secret-three", "ok": true});
    log.record(&Entry::Api(Box::new(Api {
        phase: Phase::Response,
        time_us: 0,
        id: "q",
        operation: "update",
        path: "kmip/scope/a/role/b",
        mount: Target { point: "kmip/", kind: "kmip", accessor: "kmip_ab12cd34", class: "secret" },
        caller: Caller {
            client_token: Some("secret-token"),
            accessor: Some("secret-accessor"),
            display_name: "root",
            policies: &["root"],
            token_type: "service",
            issued: Some(951_827_696),
            verdict: Some(Verdict { allowed: true, granting: &["root"] }),
        },
        data: Some(&data),
        response: Answered {
            data: Some(&answer),
            auth: Some(&json!({"client_token": "secret-new", "accessor": "secret-accessor",
                "lease_duration": 60, "policies": ["app"], "metadata": {"user": "secret-user"}})),
            wrap_info: Some(&json!({"token": "secret-wrap", "ttl": 60})),
            warnings: &["take care".to_owned()],
        },
        error: Some("refused"),
        wrap_ttl: Some(300),
        remote: Some("10.0.0.7:4711".parse().unwrap()),
        client_certificate_serial: Some("4711"),
        ..Api::default()
    })))
    .unwrap();
    assert!(!fs::read_to_string(&path).unwrap().contains("secret-"));
    let hash = |text| log.hash(DEFAULT_PATH, text).unwrap();
    let mut line = lines(&path)[0].clone();
    for chained in ["seq", "prev", "hash"] {
        line.as_object_mut().unwrap().remove(chained);
    }
    let expected = json!({
        "time": "1970-01-01T00:00:00.000000Z",
        "type": "response",
        "auth": {
            "client_token": hash("secret-token"),
            "accessor": hash("secret-accessor"),
            "display_name": "root",
            "policies": ["root"],
            "token_policies": ["root"],
            "token_type": "service",
            "token_issue_time": "2000-02-29T12:34:56Z",
            "policy_results": {
                "allowed": true,
                "granting_policies": [{"name": "root", "namespace_id": "root", "type": "acl"}],
            },
        },
        "request": {
            "id": "q",
            "operation": "update",
            "path": "kmip/scope/a/role/b",
            "mount_point": "kmip/",
            "mount_type": "kmip",
            "mount_accessor": "kmip_ab12cd34",
            "mount_class": "secret",
            "client_token": hash("secret-token"),
            "client_token_accessor": hash("secret-accessor"),
            "namespace": {"id": "root"},
            "data": {
                "operation_all": hash("true"),
                "n": 5,
                "list": [hash("secret-one"), {"deep": hash("secret-two")}],
            },
            "remote_address": "10.0.0.7",
            "remote_port": 4711,
            "wrap_ttl": 300,
            "client_certificate_serial_number": "4711",
        },
        "response": {
            "mount_point": "kmip/",
            "mount_type": "kmip",
            "mount_accessor": "kmip_ab12cd34",
            "mount_class": "secret",
            "data": {"private_key": hash("secret-three"), "ok": true},
            "auth": {
                "client_token": hash("secret-new"),
                "accessor": hash("secret-accessor"),
                "lease_duration": 60,
                "policies": ["app"],
                "metadata": {"user": hash("secret-user")},
            },
            "wrap_info": {"token": hash("secret-wrap"), "ttl": 60},
            "warnings": ["take care"],
        },
        "error": "refused",
    });
    assert_eq!(line, expected);
    // printf x | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07
    let known = "hmac-sha256:5b29e7ebdee0465c31c16b2fca787e1588ec74bd4c3e9f479103b2392c677d06";
    assert_eq!(log.hash(DEFAULT_PATH, "x").unwrap(), known);
}

#[test]
fn the_chain_goes_on_after_a_restart_and_verifies() {
    let (_directory, path) = place();
    for life in 0..3_u64 {
        let log = open(&path);
        for _ in 0..5 {
            log.record_all(&[kmip("a", Phase::Request), kmip("a", Phase::Response)]).unwrap();
        }
        drop(log);
        let summary = verify(&path).unwrap();
        assert_eq!(
            (summary.first, summary.last, summary.lines),
            (1, 10 * (life + 1), 10 * (life + 1))
        );
    }
}

#[test]
fn every_entry_of_many_callers_is_there_once_when_its_caller_goes_on() {
    let (_directory, path) = place();
    let log = open(&path);
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let (log, path) = (log.clone(), &path);
            scope.spawn(move || {
                for step in 0..200 {
                    let id = format!("{caller}-{step}");
                    log.record(&kmip(&id, Phase::Request)).unwrap();
                    if step % 50 == 0 {
                        let text = fs::read_to_string(path).unwrap();
                        assert!(text.contains(&format!("\"{id}\"")), "written when recorded");
                    }
                }
            });
        }
    });
    let ids: BTreeSet<String> =
        lines(&path).iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 8 * 200);
    assert_eq!(verify(&path).unwrap().lines, 8 * 200);
}

#[test]
fn the_first_broken_line_is_found() {
    let (_directory, path) = place();
    let log = open(&path);
    for id in ["a", "b", "c", "d", "e"] {
        log.record(&kmip(id, Phase::Request)).unwrap();
    }
    drop(log);
    let good = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let broken = |text: String| {
        fs::write(&path, &text).unwrap();
        match verify(&path) {
            Err(VerifyError::Broken { line, offset, .. }) => {
                let start: usize =
                    text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
                assert_eq!(offset, start as u64);
                line
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(broken(good.replacen("\"c\"", "\"x\"", 1)), 3, "changed");
    assert_eq!(broken([lines[0], lines[2], lines[3]].concat()), 2, "removed");
    assert_eq!(broken([lines[0], lines[1], lines[1]].concat()), 3, "doubled");
    assert_eq!(broken([lines[0], lines[2], lines[1]].concat()), 2, "swapped");
    assert_eq!(broken(good.trim_end().to_owned()), 5, "cut off");
    assert_eq!(broken(format!("{good}\n")), 6, "added");
    // A forger who also repairs the line's own hash is found at the next line.
    let mut forged = Vec::new();
    let body = lines[1].split(",\"seq\"").next().unwrap().replace("Get", "Put");
    let mut after_first = chain::Chain::default();
    after_first =
        after_first.followed_by(&chain::Link::parse(lines[0].trim().as_bytes()).unwrap()).unwrap();
    after_first.extend(body.as_bytes(), chain::begin(body.as_bytes()), &mut forged);
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(broken([lines[0], &forged, lines[2]].concat()), 3, "forged");
    // What is cut off at whole lines is not broken; the last hash tells.
    fs::write(&path, lines[..4].concat()).unwrap();
    assert_eq!(verify(&path).unwrap().last, 4);
    // A file that continues another is intact on its own.
    fs::write(&path, lines[2..].concat()).unwrap();
    assert_eq!(verify(&path).unwrap().first, 3);
}

#[test]
fn a_torn_end_is_kept_beside_and_noted() {
    let (directory, path) = place();
    let log = open(&path);
    for id in ["a", "b", "c"] {
        log.record(&kmip(id, Phase::Request)).unwrap();
    }
    drop(log);
    let good = fs::read(&path).unwrap();
    let lines: Vec<&[u8]> = good.split_inclusive(|byte| *byte == b'\n').collect();
    let kept = lines[0].len() + lines[1].len();
    let mut holed = good.clone();
    holed[kept + 10..kept + 60].fill(0);
    let mut zeros = good.clone();
    zeros.extend([0; 4096]);
    for (name, bytes, intact) in [
        ("half a line", good[..kept + 20].to_vec(), kept),
        ("no newline", good[..good.len() - 1].to_vec(), kept),
        ("a hole", holed, kept),
        ("zeros behind", zeros, good.len()),
        ("nothing intact", good[..30].to_vec(), 0),
    ] {
        fs::write(&path, &bytes).unwrap();
        let log = open(&path);
        log.record(&kmip("after", Phase::Request)).unwrap();
        drop(log);
        let found = fs::read(&path).unwrap();
        assert_eq!(found[..intact], good[..intact], "{name}");
        let summary = verify(&path).unwrap();
        let note = self::lines(&path)[summary.lines as usize - 2].clone();
        assert_eq!(note["type"], "recovery", "{name}");
        assert_eq!(note["torn_bytes"], bytes.len() - intact, "{name}");
        let beside = directory.path().join(note["torn_file"].as_str().unwrap());
        assert_eq!(fs::read(beside).unwrap(), bytes[intact..], "{name}");
    }
}

#[test]
fn only_the_end_of_a_long_file_is_read_at_start() {
    let (_directory, path) = place();
    let log = open(&path);
    let batch: Vec<_> = (0..1000).map(|_| kmip("long", Phase::Request)).collect();
    while fs::metadata(&path).unwrap().len() < 5 << 20 {
        log.record_all(&batch).unwrap();
    }
    drop(log);
    let before = verify(&path).unwrap();
    let log = open(&path);
    log.record(&kmip("after", Phase::Request)).unwrap();
    drop(log);
    let after = verify(&path).unwrap();
    assert_eq!(after.last, before.last + 1, "no line of recovery, no gap");
}

#[test]
fn an_unusable_path_is_named() {
    let nowhere = AuditLog::open(Path::new("/nonexistent/audit.log"), &Zeroizing::new(KEY), 0);
    assert!(nowhere.unwrap_err().to_string().contains("/nonexistent/audit.log"));
}

/// Runs [`in_a_file_of_at_most_8_kib`] in a process whose files cannot grow further: a limit is a
/// full disk that needs no privileges, but it holds for a whole process.
#[test]
fn what_cannot_be_written_is_refused_and_leaves_no_trace() {
    let (_directory, path) = place();
    let this = std::env::current_exe().unwrap();
    let status = std::process::Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "bash"])
        .arg(this)
        .args(["--ignored", "--exact", "audit::tests::in_a_file_of_at_most_8_kib"])
        .env("AUDIT_TEST_FILE", &path)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let summary = verify(&path).unwrap();
    assert!(summary.lines > 10);
    assert_eq!(lines(&path).last().unwrap()["id"], "fits again");
}

#[test]
#[ignore = "run by what_cannot_be_written_is_refused_and_leaves_no_trace"]
fn in_a_file_of_at_most_8_kib() {
    let Some(path) = std::env::var_os("AUDIT_TEST_FILE").map(PathBuf::from) else { return };
    let log = open(&path);
    while fs::metadata(&path).unwrap().len() < 7 << 10 {
        log.record(&kmip("filler", Phase::Request)).unwrap();
    }
    let length = fs::metadata(&path).unwrap().len();
    let many: Vec<_> = (0..4).map(|_| kmip("too much", Phase::Request)).collect();
    for _ in 0..3 {
        log.record_all(&many).unwrap_err();
        assert_eq!(fs::metadata(&path).unwrap().len(), length, "a half-written line is taken back");
    }
    log.record(&kmip("fits again", Phase::Request)).unwrap();
}

#[test]
fn a_disabled_audit_refuses_nothing_and_records_nothing() {
    let log = AuditLog::disabled();
    assert!(!log.is_enabled());
    log.record(&kmip("a", Phase::Request)).unwrap();
    log.sync().wait().unwrap();
}

#[test]
fn a_sync_resolves_for_threads_and_for_tasks() {
    use std::future::Future as _;
    use std::task::{Context, Poll, Wake, Waker};
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let (_directory, path) = place();
    let log = open(&path);
    log.sync().wait().unwrap();
    log.record(&kmip("a", Phase::Request)).unwrap();
    log.sync().wait().unwrap();
    log.record(&kmip("b", Phase::Request)).unwrap();
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut syncing = std::pin::pin!(log.sync());
    while syncing.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
        std::thread::park();
    }
    assert_eq!(verify(&path).unwrap().lines, 2);
}

/// The first audit file of all, made beside the first data directory; its key is the one that store
/// derives.
#[test]
fn the_first_audit_file_still_verifies_and_goes_on() {
    let first = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/data-1/audit.log");
    let (_directory, path) = place();
    fs::copy(first, &path).unwrap();
    let summary = verify(&path).unwrap();
    let hash = [
        185, 186, 159, 100, 63, 30, 71, 53, 144, 24, 151, 90, 89, 213, 157, 35, 141, 252, 150, 248,
        101, 28, 136, 191, 96, 183, 173, 60, 16, 201, 14, 3,
    ];
    assert_eq!((summary.lines, summary.last, summary.hash), (2, 2, hash));
    open(&path).record(&kmip("next", Phase::Request)).unwrap();
    assert_eq!(verify(&path).unwrap().last, 3);
}
