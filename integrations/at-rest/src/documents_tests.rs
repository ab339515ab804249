//! What docs/at-rest.md lists is what the tables have. `CLAVIGER_WRITE_DOCUMENTS=1` writes it anew
//! instead of comparing it.

use std::path::PathBuf;

use crate::Kind;
use crate::options::OPTIONS;

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/at-rest.md"))
}

fn options() -> String {
    let mut text = String::from(
        "| in mongod.conf | flag | takes | default | needs | |\n|---|---|---|---|---|---|\n",
    );
    for row in OPTIONS {
        let names = |options: &[crate::options::OptionId]| {
            options.iter().map(|it| it.row().flag).collect::<Vec<_>>().join(", ")
        };
        let mut about = row.text.to_owned();
        if !row.conflicts.is_empty() {
            about.push_str(&format!(" Excludes {}.", names(row.conflicts)));
        }
        if row.since > crate::Level::V4_2 {
            about.push_str(&format!(" From level {} on.", row.since));
        }
        text.push_str(&format!(
            "| `{}` | `--{}` | {} | {} | {} | {about} |\n",
            row.key,
            row.flag,
            row.shape.values_text(),
            row.shape.default_text(),
            names(row.requires),
        ));
    }
    text
}

fn errors() -> String {
    let mut text = String::from("| code | what | what next |\n|---|---|---|\n");
    for kind in Kind::ALL {
        text.push_str(&format!(
            "| {} | {} | {} |\n",
            kind.exit_code(),
            kind.text().trim(),
            kind.hint()
        ));
    }
    text
}

#[test]
fn the_document_has_every_option_and_every_kind_of_failure() {
    let mut document = std::fs::read_to_string(path()).unwrap();
    for (name, table) in [("options", options()), ("errors", errors())] {
        let begin = format!("<!-- {name}: begin -->\n");
        let end = format!("<!-- {name}: end -->");
        let from = document.find(&begin).unwrap() + begin.len();
        let to = document.find(&end).unwrap();
        if std::env::var_os("CLAVIGER_WRITE_DOCUMENTS").is_some() {
            document.replace_range(from..to, &table);
        } else {
            assert_eq!(
                document.get(from..to),
                Some(table.as_str()),
                "write it anew with CLAVIGER_WRITE_DOCUMENTS=1"
            );
        }
    }
    if std::env::var_os("CLAVIGER_WRITE_DOCUMENTS").is_some() {
        std::fs::write(path(), document).unwrap();
    }
}

#[test]
fn every_kind_says_what_to_do() {
    for kind in Kind::ALL {
        assert!(!kind.hint().is_empty() && kind.hint().ends_with('.'), "{kind:?}");
        assert!([1, 2, crate::KEY_LOST].contains(&kind.exit_code()), "{kind:?}");
    }
}
