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
