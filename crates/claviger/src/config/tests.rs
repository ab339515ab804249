//! Configuration files: what they may say, what is said of those that may not.

use super::*;

fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    Config::parse(text, Path::new("/etc/claviger"))
}

/// What is said of a file, and that it is one thing.
fn problem(text: &str) -> Problem {
    let mut problems = parse(text).expect_err(text);
    assert_eq!(problems.len(), 1, "{text}: {problems:?}");
    problems.remove(0)
}

const SMALL: &str = "[storage]\npath = \"data\"\n";

#[test]
fn a_small_file_is_enough_and_paths_are_relative_to_it() {
    let options = parse(SMALL).unwrap().options(Durability::Full);
    assert_eq!(options.data_dir, Some(PathBuf::from("/etc/claviger/data")));
    assert_eq!((options.api_addr.as_str(), options.tls), ("127.0.0.1:8200", None));
    assert!(matches!(options.node.seal, SealSource::Shamir));
    assert!(options.node.audit.is_empty() && !options.raw_storage);
}

#[test]
fn every_section_reaches_the_server() {
    let config = parse(
        "[api]\naddress = \"[::]:8300\"\ntls_certificate = \"a.pem\"\ntls_key = \"/k/a.key\"\n\
         client_ca = \"ca.pem\"\nraw_storage_endpoint = true\n[storage]\ntype = \"sqlite\"\npath = \"/data\"\n\
         [seal]\ntype = \"key_file\"\n[audit.file]\ntype = \"file\"\nfile_path = \"/log/audit\"\n\
         [limits]\nrequest_bytes_max = \"3MiB\"\nconnections_max = 17\nidle_timeout = \"2h\"\n\
         handshake_timeout = 4\n[log]\nformat = \"json\"\nlevel = \"debug\"\n",
    )
    .unwrap();
    assert_eq!((config.logs_json(), config.log_level()), (true, "debug"));
    let options = config.options(Durability::Full);
    assert_eq!(options.api_addr, "[::]:8300");
    let tls = options.tls.unwrap();
    assert_eq!(tls.certificate, Path::new("/etc/claviger/a.pem"));
    assert_eq!(tls.key, Path::new("/k/a.key"));
    assert_eq!(tls.client_ca.as_deref(), Some(Path::new("/etc/claviger/ca.pem")));
    assert!(format!("{:?}", options.node.seal).contains("/data/seal.key"));
    let [audit] = options.node.audit.as_slice() else { panic!("one device") };
    assert_eq!((audit.path.as_str(), audit.kind, audit.declared), ("file/", "file", true));
    assert_eq!(audit.options["file_path"], "/log/audit");
    assert!(options.raw_storage);
    let limits = options.node.limits;
    assert_eq!((limits.request_bytes_max, limits.connections_max), (3 << 20, 17));
    assert_eq!((limits.idle_timeout.as_secs(), limits.handshake_timeout.as_secs()), (7200, 4));
}

#[test]
fn a_value_that_cannot_be_is_named_with_what_to_do() {
    for (lines, key, value, next) in [
        ("[api]\naddress = \"kms:8200\"", "api.address", "\"kms:8200\"", "IP:PORT"),
        ("[api]\naddress = 8200", "api.address", "8200", "IP:PORT"),
        ("[api]\nadress = \"x\"", "api.adress", "\"x\"", "[api] knows address, tls_certificate"),
        ("[log]\nlevel = \"loud\"", "log.level", "\"loud\"", "\"error\", \"warn\""),
        ("[limits]\nconnections_max = 0", "limits.connections_max", "0", "from 1 to"),
        ("[limits]\nconnections_max = \"4KiB\"", "limits.connections_max", "\"4KiB\"", "number"),
        ("[limits]\nidle_timeout = \"-1s\"", "limits.idle_timeout", "\"-1s\"", "seconds"),
        ("[limits]\nidle_timeout = 1e3", "limits.idle_timeout", "1000.0", "seconds"),
        (
            "[limits]\ncache_bytes_max = \"9999999GiB\"",
            "limits.cache_bytes_max",
            "\"9999999GiB\"",
            "KiB",
        ),
        ("[limit]\nx = 1", "limit", "{ x = 1 }", "[api], [storage]"),
        ("[audit]\nfile = \"x\"", "audit.file", "\"x\"", "[audit.NAME]"),
        ("[audit.a]\ntype = \"pipe\"\nfile_path = \"x\"", "audit.a", "\"pipe\"", "config.md"),
        (
            "[audit.a]\ntype = \"file\"\nfile_path = \"x\"\nfast = 1",
            "audit.a",
            "\"file\"",
            "config.md",
        ),
        ("[audit.a]\ntype = \"file\"\nfile_path = [1]", "audit.a.file_path", "[1]", "text"),
        ("[api]\nraw_storage_endpoint = 1", "api.raw_storage_endpoint", "1", "true or false"),
    ] {
        let found = problem(&format!("{SMALL}{lines}\n"));
        assert_eq!((found.key.as_str(), found.value.as_deref()), (key, Some(value)), "{found}");
        assert!(found.next.contains(next), "{found}");
        assert!(found.to_string().starts_with(&format!("{key} = {value}: ")), "{found}");
    }
}

#[test]
fn keys_that_do_not_fit_each_other_are_refused() {
    for (text, key, word) in [
        ("[api]\naddress = \"0.0.0.0:8200\"", "api.address", "loopback"),
        ("[api]\naddress = \"[::]:8200\"", "api.address", "loopback"),
        ("[api]\ntls_certificate = \"a\"", "api.tls_key", "missing"),
        ("[api]\ntls_key = \"a\"", "api.tls_certificate", "missing"),
        ("[api]\nclient_ca = \"a\"", "api.client_ca", "TLS"),
        ("[seal]\nkey_file = \"a\"", "seal.key_file", "shares"),
        ("[seal]\nkmip_servers = [\"a\"]", "seal.kmip_servers", "not that of another KMIP server"),
        (
            "[seal]\ntype = \"kmip\"\nkmip_ca = \"a\"\nkmip_certificate = \"a\"\nkmip_key = \"a\"",
            "seal.kmip_servers",
            "missing",
        ),
    ] {
        let found = problem(&format!("{SMALL}{text}\n"));
        assert_eq!(found.key, key, "{found}");
        assert!(found.reason.contains(word), "{found}");
    }
    assert_eq!(problem("").key, "storage.path");
    assert_eq!(problem("[storage]\ntype = \"memory\"\npath = \"x\"").key, "storage.path");
    let volatile = "[storage]\ntype = \"memory\"\n[seal]\ntype = \"key_file\"\n";
    assert_eq!(problem(volatile).key, "seal.key_file");
    parse(&format!("{volatile}key_file = \"k\"")).unwrap();
    parse("[api]\naddress = \"127.9.9.9:0\"\n[storage]\ntype = \"memory\"").unwrap();
}

#[test]
fn everything_wrong_is_found_at_once_and_toml_says_where() {
    let problems = parse("[api]\naddress = 1\nx = 2\n[nope]\n[log]\nlevel = 3").unwrap_err();
    assert_eq!(problems.len(), 4, "{problems:?}");
    let broken = problem("[api\naddress");
    assert!(broken.key.is_empty() && broken.reason.contains("line 1"), "{broken}");
}

#[test]
fn what_changes_with_a_restart_only_is_named() {
    let mut before = parse(SMALL).unwrap();
    let mut after = parse(&format!(
        "{SMALL}[log]\nlevel = \"warn\"\nformat = \"json\"\n[limits]\nstreams_max = 5\n"
    ))
    .unwrap();
    assert_eq!(before.needs_restart(&mut after), ["log.format", "limits.streams_max"]);
    assert!(before.clone().needs_restart(&mut before).is_empty());
}

#[test]
fn the_document_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let expected = document::document();
    if std::env::var_os("CLAVIGER_WRITE_DOCUMENTS").is_some() {
        std::fs::write(path, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        found, expected,
        "docs/config.md is not the table of keys; CLAVIGER_WRITE_DOCUMENTS=1 writes it anew"
    );
}

#[test]
fn defaults_are_shown_as_they_can_be_written() {
    for key in KEYS.iter().chain(keys::limits()) {
        let Some(value) = key.shown(&mut Config::default()) else { continue };
        let text = format!("[{}]\n{} = {value}\n", key.section, key.name);
        let mut read = read::read(&text, Path::new("")).unwrap();
        assert_eq!(key.shown(&mut read), Some(value), "{text}");
    }
}
