//! `server`: arguments with which it does not start.

use std::process::Command;

use crate::program::run;

#[test]
fn without_dev_it_is_bad_usage() {
    assert!(run(&["server"], b"").failure(2).contains("--dev"));
}

#[test]
fn a_bad_address_is_said_once_with_a_next_step() {
    let any = "127.0.0.1:0";
    for (kmip, api, flag, problem) in [
        ("192.0.2.1:5", any, "--kmip-addr", "cannot assign"),
        (any, "nonsense", "--api-addr", "invalid socket address"),
    ] {
        let start = ["server", "--dev", "--log-level", "off", "--kmip-addr", kmip];
        let said = run(&[&start[..], &["--api-addr", api]].concat(), b"").failure(1);
        assert_eq!(said.matches(problem).count(), 1, "{said}");
        assert!(said.contains(&format!("\nGive {flag} ")), "{said}");
    }
}

#[test]
fn a_server_without_durability_says_so() {
    let warns = |value| {
        let ran = Command::new(env!("CARGO_BIN_EXE_claviger"))
            .args(["server", "--dev", "--kmip-addr", "127.0.0.1:0", "--api-addr", "nonsense"])
            .env("CLAVIGER_TEST_SYNCHRONOUS_OFF", value)
            .output()
            .unwrap();
        String::from_utf8_lossy(&ran.stderr).contains("durability is off")
    };
    assert!(warns("1"));
    assert!(!warns("0"));
}
