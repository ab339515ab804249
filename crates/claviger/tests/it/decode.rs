//! `decode`: from any encoding to any other.

use crate::program::run;

/// A Locate request of KMIP 1.2 with a credential.
const REQUEST: &str = "\
    4200780100000080420077010000005842006901000000204200 6a0200000004000000010000000042006b02000000\
    04000000020000000042000c01000000 18 42002301 00000010 4200a1 07 00000006 736573616d65 0000\
    42000d0200000004000000010000000042000f010000001842005c050000000400000008000000004200790100000000";

#[test]
fn there_and_back_again() {
    let text = run(&["decode", "-"], REQUEST.as_bytes()).success();
    assert!(text.contains("Operation Enumeration Locate"), "{text}");
    assert!(text.contains("sesame"), "{text}");
    let redacted = run(&["decode", "--redact", "-"], REQUEST.as_bytes()).success();
    assert!(redacted.contains("Password") && !redacted.contains("sesame"), "{redacted}");
    for encoding in ["xml", "json"] {
        let there = run(&["decode", "--to", encoding, "-"], REQUEST.as_bytes()).success();
        assert_eq!(run(&["decode", "-"], there.as_bytes()).success(), text, "{encoding}");
    }
    let json = run(&["decode", "--to", "json", "-"], REQUEST.as_bytes()).success();
    assert_eq!(run(&["decode", "--json", "-"], REQUEST.as_bytes()).success(), json);
    run(&["decode", "--redact", "--to", "xml", "-"], REQUEST.as_bytes()).failure(2);
}

#[test]
fn what_is_no_message_is_a_failure() {
    for input in [&b""[..], b"hello", b"<a>", b"{", b"42007801 00000010"] {
        assert!(run(&["decode", "-"], input).failure(1).contains("TTLV"));
    }
    run(&["decode", "/nonexistent"], b"").failure(1);
}
