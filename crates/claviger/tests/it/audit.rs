//! `audit verify`: an intact file, and one that was changed.

use serde_json::json;

use crate::program::{Server, run};

#[test]
fn a_changed_audit_file_is_told_by_its_first_wrong_line() {
    let server = Server::start_with_data();
    for name in ["one", "two", "three"] {
        server.admin(&["scope", "create", name]).success();
    }
    let file = std::fs::read_dir(server.path("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().contains("audit"))
        .expect("an audit file");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 3, "{text}");
    let copy = server.path("copy");
    let copy_text = copy.to_str().unwrap();
    let verify = ["audit", "verify", copy_text];

    std::fs::write(&copy, &text).unwrap();
    let intact = run(&[&verify[..], &["--json"]].concat(), b"").json();
    assert_eq!(intact["entries"], json!(lines.len()));
    let hash = intact["hash"].as_str().unwrap();
    assert_eq!(hash.len(), 64);
    let shown = run(&verify, b"").success();
    assert!(shown.contains(hash) && shown.contains("Entries"), "{shown}");

    let without_third = [&lines[..2], &lines[3..]].concat().join("\n") + "\n";
    std::fs::write(&copy, without_third).unwrap();
    let broken = run(&verify, b"").failure(1);
    assert!(broken.contains("line 3 "), "{broken}");

    run(&["audit", "verify", "/nonexistent"], b"").failure(1);
}

#[test]
fn devices_are_enabled_shown_asked_and_disabled() {
    let server = Server::start();
    let first = server.path("first.log");
    let option = format!("file_path={}", first.display());
    let refused = server.admin(&["audit", "create", "file", "file_path"]).failure(2);
    assert!(refused.contains("NAME=VALUE"), "{refused}");
    let nowhere = ["audit", "create", "file", "file_path=/nonexistent/audit.log"];
    assert!(server.admin(&nowhere).failure(1).contains("/nonexistent/audit.log"));
    let create = ["audit", "create", "file", &option, "--path", "first", "--description", "words"];
    server.admin(&create).success();
    let listed = server.admin(&["audit", "list"]).success();
    assert!(listed.contains("first/") && listed.contains("words"), "{listed}");
    let read = server.admin(&["audit", "read", "first", "--json"]).json();
    assert_eq!(read["options"]["file_path"], json!(first));

    server.admin(&["scope", "create", "finance"]).success();
    let hash = server.admin(&["audit", "hash", "first", "command-line-root-token"]).success();
    assert!(std::fs::read_to_string(&first).unwrap().contains(hash.trim()));
    server.admin(&["audit", "disable", "first"]).success();
    server.admin(&["audit", "delete", "first"]).failure(1);
    let file = first.to_str().unwrap();
    let intact = run(&["audit", "verify", file, "--json"], b"").json();

    // A second life of the same file, cut in two as a rotation does.
    let text = std::fs::read_to_string(&first).unwrap();
    let (head, tail) = text.split_at(text.find('\n').unwrap() + 1);
    let (older, newer) = (server.path("older"), server.path("newer"));
    std::fs::write(&older, head).unwrap();
    std::fs::write(&newer, tail).unwrap();
    let (older, newer) = (older.to_str().unwrap(), newer.to_str().unwrap());
    assert_eq!(run(&["audit", "verify", older, newer, "--json"], b"").json(), intact);
    run(&["audit", "verify", newer, older], b"").failure(1);
}
