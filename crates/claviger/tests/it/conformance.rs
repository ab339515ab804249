//! `conformance`: what it refuses, and what it takes as a failure.

use crate::program::run;

/// A case: one question and its answer, of which only the headers are there.
const CASE: &str = "<KMIP><RequestMessage><RequestHeader><BatchCount type='Integer' value='0'/>\
    </RequestHeader></RequestMessage><ResponseMessage><ResponseHeader>\
    <BatchCount type='Integer' value='0'/></ResponseHeader></ResponseMessage></KMIP>";

#[test]
fn an_encoding_that_is_not_spoken_is_bad_usage() {
    let cases = tempfile::tempdir().unwrap();
    let cases = cases.path().to_str().unwrap();
    for encoding in ["json", "xml", "https"] {
        let said = run(&["conformance", "--cases", cases, "--encoding", encoding], b"").failure(2);
        assert!(said.contains("not spoken"), "{said}");
    }
}

#[test]
fn a_run_in_which_nothing_passes_has_failed() {
    let cases = tempfile::tempdir().unwrap();
    let folder = cases.path().join("2.1");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("MSGENC-JSON-M-1-21.xml"), CASE).unwrap();
    let ran = run(&["conformance", "--cases", cases.path().to_str().unwrap()], b"");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("0 pass, 0 fail, 1 excluded"), "{ran:?}");
    assert!(ran.stderr.contains("no case passes"), "{ran:?}");
}

#[test]
fn a_client_without_a_server_means_a_running_one() {
    let cases = tempfile::tempdir().unwrap();
    let nobody = cases.path().join("nobody");
    std::fs::write(cases.path().join("SKLC-M-1-21.xml"), CASE).unwrap();
    let ran = run(
        &[
            "conformance",
            "--cases",
            cases.path().to_str().unwrap(),
            "--client",
            nobody.to_str().unwrap(),
        ],
        b"",
    );
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("nobody"), "it reads the client's files: {ran:?}");
    let alone = ["conformance", "--cases", cases.path().to_str().unwrap(), "--server", "127.0.0.1"];
    assert!(run(&alone, b"").failure(2).contains("--client DIR"));
    let help = run(&["conformance", "-h"], b"").success();
    assert!(help.contains("servers of its own"), "{help}");
}
