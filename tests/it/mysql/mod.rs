//! The MySQL component: in Debian's MySQL (`server`, `clauses`), and in a program that does nothing but load it (`host`).

mod clauses;
mod database;
mod faults;
mod files;
mod host;
mod server;

use std::path::Path;
use std::process::Command;

use files::library;

#[test]
fn the_library_exports_the_interface_and_brings_no_runtime() {
    let symbols =
        Command::new("nm").args(["-D", "--defined-only"]).arg(library()).output().unwrap();
    let symbols = String::from_utf8(symbols.stdout).unwrap();
    let names: Vec<_> = symbols.lines().filter_map(|line| line.split(' ').next_back()).collect();
    assert_eq!(names, ["list_components"]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "-p", "claviger-mysql", "-e", "normal", "--prefix", "none"])
        .current_dir(root)
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("claviger-client"), "{tree}");
    assert!(!tree.lines().any(|line| line.starts_with("tokio")), "{tree}");
}
