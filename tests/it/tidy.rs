//! The house rules that a program can check: file lengths, banned words with what to use instead, the order of the
//! modules, the fences between the crates. A table that is long because the specification is long is listed as such.

use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 400;
/// A file of tests may be longer: it is read one test at a time.
const TEST_LINES_MAX: usize = 600;
/// Long, and rightly so: data that is one table. Name, and why.
const LONG_TABLES: &[(&str, &str)] = &[
    ("crates/kmip/src/tables/", "the specification's tags, enumerations and masks"),
    ("crates/kmip/src/attributes/", "the specification's attribute rules"),
];

/// Words that have no place in the project's text, and what to do instead. Split, so that this file is clean.
const BANNED: &[(&[&str], &str)] = &[
    (&["to", "do!("], "finish it, or say in the closing note what is missing"),
    (&["unimple", "mented!("], "finish it, or say in the closing note what is missing"),
    (&["TO", "DO"], "finish it, or open an issue"),
    (&["FIX", "ME"], "finish it, or open an issue"),
    (&["#[ig", "nore]"], "a test runs, or it goes, or says who runs it"),
    (&["db", "g!("], "use tracing"),
    (&["/wo", "rk/"], "a path of one machine"),
    (&["/tm", "p/"], "use tempfile; no path of one machine"),
    (&["/ho", "me/"], "a path of one machine"),
];
/// A test that sleeps is slow or fails by chance. Where it is right: file, why.
const MAY_SLEEP: &[(&str, &str)] = &[
    ("tests/it/mariadb/database.rs", "waits for what another process does, which nothing signals"),
    ("tests/it/mysql/database.rs", "waits for what another process does, which nothing signals"),
    ("tests/it/server.rs", "waits for another process to end, which nothing signals"),
    ("tests/it/seal_kmip.rs", "waits until another process asks again, which nothing signals"),
    ("tests/it/at_rest_kills.rs", "a random moment is what it tests"),
    ("tests/it/crash.rs", "a random moment is what it tests"),
    ("tests/it/power.rs", "a random moment is what it tests"),
    ("integrations/at-rest/tests/it/proxy.rs", "delays what passes, which is what it is for"),
];

const BAD_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

/// The layers of the server, from the top. A module may use its own layer and what stands below, never above.
const LAYERS: &[&[&str]] = &[
    &["front"],
    &["dispatch"],
    &["ops"],
    &[
        "object",
        "access",
        "mount",
        "pki",
        "policy",
        "token",
        "audit",
        "audit_devices",
        "auth",
        "record",
    ],
    &["seal"],
];
/// Pure rules, which use none of the layers but their own.
const PURE: &[&str] = &["object/lifecycle"];

/// A crate, and ours that it may depend on.
const FENCES: &[(&str, &[&str])] = &[
    ("ttlv", &[]),
    ("kmip", &["ttlv"]),
    ("client", &["kmip", "ttlv"]),
    ("crypto", &["kmip"]),
    ("store", &[]),
    ("server", &["ttlv", "kmip", "crypto", "store", "client"]),
    ("../integrations/at-rest", &["client", "kmip"]),
    ("../integrations/mariadb", &["client", "kmip", "ttlv"]),
    ("../integrations/mysql", &["client", "kmip", "ttlv"]),
    ("../integrations/s3", &["client", "kmip", "ttlv", "store"]),
    ("claviger", &["ttlv", "kmip", "client", "server", "at-rest", "mariadb", "crypto", "store"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file with one of the extensions, with its path from the root.
fn files(extensions: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for top in ["crates", "tests", "integrations", "fuzz", "docs", ".ci"] {
        collect(&root().join(top), extensions, &mut found);
    }
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            push(&path, extensions, &mut found);
        }
    }
    assert!(found.len() > 30, "only {} files found", found.len());
    found
}

fn collect(directory: &Path, extensions: &[&str], found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir()
            && !["target", "corpus", "artifacts", "__pycache__"].contains(&name.as_str())
        {
            collect(&path, extensions, found);
        } else if path.is_file() {
            push(&path, extensions, found);
        }
    }
}

fn push(path: &Path, extensions: &[&str], found: &mut Vec<(String, String)>) {
    let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    if extensions.contains(&extension.as_str()) {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        found.push((name, fs::read_to_string(path).unwrap()));
    }
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn files_say_what_they_are_and_stay_short() {
    let mut faults = Vec::new();
    for (name, text) in files(&["rs"]) {
        if !text.starts_with("//!") && !text.starts_with("#![no_main]") {
            faults.push(format!("{name}: begins without saying what it is (//!)"));
        }
        let lines = text.lines().count();
        let table = LONG_TABLES.iter().any(|(table, _)| name.starts_with(table));
        let most = if is_test(&name) { TEST_LINES_MAX } else { LINES_MAX };
        if lines > most && !table {
            faults.push(format!("{name}: {lines} lines, at most {most}: split it"));
        }
    }
    assert_none(&faults);
}

/// A file that holds nothing but tests.
fn is_test(name: &str) -> bool {
    name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("tests.rs")
}

/// A file's code, and its own module of tests, which stands last.
fn split_tests(text: &str) -> (&str, &str) {
    text.split_once("#[cfg(test)]\nmod tests {").unwrap_or((text, ""))
}

#[test]
fn banned_words_are_nowhere() {
    let mut faults = Vec::new();
    for (name, text) in files(&["rs", "toml", "md", "py", "sh", ""]) {
        for (parts, instead) in BANNED {
            let word = parts.concat();
            for (number, line) in text.lines().enumerate().filter(|(_, line)| line.contains(&word))
            {
                faults.push(format!("{name}:{}: {word:?}: {instead}: {line}", number + 1));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn tests_wait_for_conditions_and_do_not_sleep() {
    let mut faults = Vec::new();
    let word = ["thread::sle", "ep("].concat();
    for (name, text) in files(&["rs"]) {
        let tests = if is_test(&name) { &text } else { split_tests(&text).1 };
        if tests.contains(&word) && !MAY_SLEEP.iter().any(|(file, _)| *file == name) {
            faults.push(format!("{name}: a test sleeps: wait for a condition"));
        }
    }
    assert_none(&faults);
}

#[test]
fn no_module_is_a_place_for_everything() {
    let mut faults = Vec::new();
    for (name, _) in files(&["rs", "py"]) {
        for part in name.trim_end_matches(".rs").trim_end_matches(".py").split('/') {
            if BAD_NAMES.contains(&part) {
                faults.push(format!("{name}: name it after what it does, not {part:?}"));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn the_server_s_modules_use_only_what_is_below_them() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for (name, text) in files(&["rs"]) {
        let Some(path) = name.strip_prefix("crates/server/src/") else { continue };
        let module = path.split('/').next().unwrap().trim_end_matches(".rs");
        let Some(layer) = layer(module) else { continue };
        if is_test(&name) || name.contains("testing") {
            continue;
        }
        seen += 1;
        let pure = PURE.iter().any(|pure| path.starts_with(pure));
        let code = split_tests(&text).0;
        for used in imports(code) {
            let Some(target) = self::layer(used) else { continue };
            if target < layer || (pure && used != module) {
                faults.push(format!("{name}: {module} may not use {used}"));
            }
        }
    }
    assert_none(&faults);
    assert!(seen > 20, "only {seen} files of the layers found: have they been renamed?");
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The modules that code names by `crate::`, also inside braces; comments do not count.
fn imports(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let line = code[..start].rsplit('\n').next().unwrap_or_default();
        if line.contains("//") {
            continue;
        }
        let rest = &code[start + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push(first_word(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut expected = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => expected = true,
                        c if expected && !c.is_whitespace() => {
                            found.push(first_word(&list[at..]));
                            expected = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[test]
fn imports_are_read_out_of_a_line() {
    assert_eq!(imports("use crate::seal::Barrier;"), ["seal"]);
    assert_eq!(
        imports("use crate::{\n    front::{http, kmip},\n    store,\n};\nuse x::{ops};"),
        ["front", "store"]
    );
    assert_eq!(imports("pub(crate) fn x(a: crate::ops::Tx)"), ["ops"]);
    assert_eq!(imports("// use crate::front"), Vec::<&str>::new());
    assert_eq!(imports("use std::fs;"), Vec::<&str>::new());
}

#[test]
fn crates_depend_only_on_what_their_fence_allows() {
    let mut faults = Vec::new();
    for (name, allowed) in FENCES {
        let path = root().join("crates").join(name).join("Cargo.toml");
        let text = fs::read_to_string(&path).unwrap();
        for dependency in dependencies(&text) {
            if let Some(ours) = dependency.strip_prefix("claviger-")
                && !allowed.contains(&ours)
            {
                faults.push(format!("{name} may not depend on {dependency}"));
            }
            // ttlv and kmip do no IO; store and the plugins' libraries bring no runtime.
            if ["ttlv", "kmip", "store"].contains(name) && ["tokio", "rustls"].contains(&dependency)
            {
                faults.push(format!("{name} may not depend on {dependency}"));
            }
        }
    }
    assert_none(&faults);
}

/// The one place where a server is a client of KMIP: what else it needs of another server, it may not have.
const CLIENT_OF_KMIP: &str = "crates/server/src/seal/kmip";

#[test]
fn a_server_is_a_client_of_kmip_in_one_place() {
    let uses = |text: &str| text.contains("claviger_client");
    let (mut seen, mut faults) = (false, Vec::new());
    for (name, text) in files(&["rs"]) {
        if !name.starts_with("crates/server/src/") || !uses(&text) {
            continue;
        }
        match name.starts_with(CLIENT_OF_KMIP) {
            true => seen = true,
            false => faults.push(format!("{name} may not use claviger-client")),
        }
    }
    assert_none(&faults);
    assert!(seen, "{CLIENT_OF_KMIP} is not there: has it been renamed?");
}

/// The names of `[dependencies]` (not of tests and builds).
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]"
                || (line.starts_with("[target.") && line.trim().ends_with(".dependencies]"));
        } else if inside && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            found.extend((!name.is_empty()).then_some(name));
        }
    }
    found
}

#[test]
fn pure_crates_read_no_clock_and_do_no_io() {
    let mut faults = Vec::new();
    let words =
        ["std::fs", "std::net", "std::thread", "SystemTime::now", "Instant::now", "std::env"];
    for (name, text) in files(&["rs"]) {
        let pure = ["crates/ttlv/src/", "crates/kmip/src/", "crates/server/src/object/lifecycle"];
        if !pure.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        // A crate's own tests may read files.
        let code = if is_test(&name) { "" } else { split_tests(&text).0 };
        for word in words.iter().filter(|word| code.contains(**word)) {
            faults.push(format!("{name}: {word}: time and input come in as arguments"));
        }
    }
    assert_none(&faults);
}
