//! Where the OASIS test cases are, for the tests that read them. They are never copied in.

use std::path::{Path, PathBuf};

use claviger_kmip::tables::KmipNames;
use claviger_ttlv::{Limits, Node, xml};

/// The folder that `CLAVIGER_KMIP_CASES` names. Unset, a test says that it is skipped; under CI
/// it fails instead, so that nothing is skipped there by accident.
pub(crate) fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CLAVIGER_KMIP_CASES") {
        return Some(PathBuf::from(folder));
    }
    assert!(std::env::var_os("CI").is_none(), "CLAVIGER_KMIP_CASES must be set under CI");
    eprintln!("skipped: CLAVIGER_KMIP_CASES is not set");
    None
}

/// The files below a folder whose name ends like this, in a stable order.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).expect("a byte")).collect()
}

/// The messages of a case, with placeholders filled.
pub(crate) fn messages(path: &Path) -> Vec<Node> {
    let text = text(path);
    let roots = xml::elements(well_formed(&text), &wide())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let [root] = roots.as_slice() else { panic!("{}: one root", path.display()) };
    let is_message = root.name.ends_with("Message");
    let messages = if is_message { std::slice::from_ref(root) } else { &root.children };
    assert!(!messages.is_empty(), "{}", path.display());
    let node = |message: &xml::Element| {
        let mut message = message.clone();
        fill_placeholders(&mut message);
        let node = message.to_node(&KmipNames, &Limits::default());
        node.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    messages.iter().map(node).collect()
}

/// A whole dialogue in one document is larger than one message may be.
fn wide() -> Limits {
    Limits { size_max: 1 << 24, items_max: 1 << 20, ..Limits::default() }
}

/// One published file closes its root twice.
fn well_formed(text: &str) -> &str {
    const END: &str = "</KMIP>";
    let end = text.find(END).map(|at| at + END.len());
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// A placeholder stands for a value that is known only when the case is played; any value of the
/// type will do here.
fn fill_placeholders(element: &mut xml::Element) {
    if element.value.as_deref().is_some_and(|value| value.starts_with('$')) {
        let filled = match element.item_type.as_deref() {
            Some("TextString") => return,
            Some("DateTime") => "2026-11-22T00:00:00+00:00",
            Some("ByteString") => "00ff",
            other => panic!("{} of type {other:?} has a placeholder", element.name),
        };
        element.value = Some(filled.to_owned());
    }
    element.children.iter_mut().for_each(fill_placeholders);
}
