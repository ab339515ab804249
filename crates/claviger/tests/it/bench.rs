//! `bench`: what scripts read from it.

use serde_json::Value;

use crate::program::{Server, run};

#[track_caller]
fn check(report: &Value, operation: &str) {
    assert_eq!(report["operation"], operation);
    assert_eq!(report["connections"], 2);
    assert_eq!(report["errors"], 0);
    assert!(report["operations"].as_u64().unwrap() > 0, "{report}");
    let [p50, p99, p999] = ["p50_us", "p99_us", "p999_us"].map(|it| report[it].as_u64().unwrap());
    assert!(0 < p50 && p50 <= p99 && p99 <= p999, "{report}");
    let rate = report["operations"].as_f64().unwrap() / report["seconds"].as_f64().unwrap();
    assert!((report["per_second"].as_f64().unwrap() - rate).abs() < 1.0, "{report}");
}

#[test]
fn each_benchmark_measures_and_cleans_up() {
    let server = Server::start();
    for operation in ["get", "create", "locate", "poll", "connect", "handshake"] {
        let bench = ["bench", operation, "--connections", "2", "--seconds", "0.2", "--json"];
        let ran = server.kmip(&[&bench[..], &["--objects", "3", "--pipeline", "2"]].concat());
        check(&ran.json(), operation);
        assert_eq!(server.kmip(&["object", "locate"]).success(), "", "{operation}");
    }
}

#[test]
fn the_pool_serves_and_a_rate_is_kept() {
    let server = Server::start();
    let bench = ["--connections", "2", "--seconds", "0.5", "--objects", "3", "--json"];
    let ran = server.kmip(&[&["bench", "get", "--pooled", "--pipeline", "4"], &bench[..]].concat());
    check(&ran.json(), "get");
    let ran = server.kmip(&[&["bench", "poll", "--rate", "20"], &bench[..]].concat()).json();
    check(&ran, "poll");
    // Twenty a second for half a second, and the first of each connection at once.
    assert!(ran["operations"].as_u64().unwrap() <= 12, "{ran}");
    assert_eq!(server.kmip(&["object", "locate"]).success(), "", "it cleans up");
    server.kmip(&[&["bench", "create", "--pooled"], &bench[..]].concat()).failure(2);
}

#[test]
fn keys_can_be_kept_for_the_next_run() {
    let server = Server::start();
    let file = server.path("keys");
    let file = file.to_str().unwrap();
    for _ in 0..2 {
        let bench = ["bench", "get", "--connections", "2", "--seconds", "0.1", "--json"];
        let ran = server.kmip(&[&bench[..], &["--objects", "4", "--objects-file", file]].concat());
        check(&ran.json(), "get");
        assert_eq!(server.kmip(&["object", "locate"]).success().lines().count(), 4);
    }
}

#[test]
fn the_limit_needs_no_server() {
    for more in [&[][..], &["--new-connections"]] {
        let bench = ["bench", "limit", "--connections", "2", "--seconds", "0.2", "--json"];
        check(&run(&[&bench[..], more].concat(), b"").json(), "limit");
    }
}
