//! docs/config.md, from the table of keys. A test compares it, or writes it anew.

use std::fmt::Write as _;

use super::Config;
use super::keys::{self, SECTIONS, Shape};

const HEAD: &str = "\
# Configuration

Made from the table of keys in `crates/claviger/src/config/keys.rs`; write it anew with
`CLAVIGER_WRITE_DOCUMENTS=1 cargo test -p claviger config`.

A server reads one file, in TOML, when it starts: `claviger server --config FILE`. `claviger check-config FILE` says what
is wrong with it, or what every key is and means. Paths are relative to the directory of the file. What is not known is
refused. SIGHUP reads the file again: the keys marked so take effect at once, the others with a restart. It also opens audit
files again that were renamed.

```toml
[api]
address = \"0.0.0.0:8200\"
tls_certificate = \"api.pem\"
tls_key = \"api.key\"

[storage]
path = \"/var/lib/claviger\"

[audit.file]
type = \"file\"
file_path = \"/var/log/claviger/audit.log\"
```
";

/// What a table `[audit.NAME]` holds.
const AUDIT_TEXT: &str = "\
`NAME` is the device's path in the API. `type` is `file`, `syslog` or `socket`; every other key is an option of that type, as \
`claviger audit create` and the API take them: `file_path` and `mode` of a file, `address`, `facility` and `tag` of syslog, \
`address`, `socket_type` and `write_timeout` of a socket; of all, `prefix`, `hmac_accessor`, `elide_list_responses` and `log_raw`. \
A request is answered if one of the enabled devices has recorded it.";

/// The whole document.
pub(super) fn document() -> String {
    let mut text = HEAD.to_owned();
    for (section, about) in SECTIONS {
        let _infallible = write!(text, "\n## `[{section}]`\n\n{about}\n\n");
        if *section == "audit" {
            let _infallible = writeln!(text, "{AUDIT_TEXT}");
            continue;
        }
        text.push_str("| key | value | default | SIGHUP | meaning |\n|---|---|---|---|---|\n");
        for key in keys::of_section(section) {
            let value = match &key.shape {
                Shape::Address(_) => "IP:PORT".to_owned(),
                Shape::Path(_) => "path".to_owned(),
                Shape::Flag(_) => "`true`, `false`".to_owned(),
                Shape::Text(_) => "text".to_owned(),
                Shape::Texts(_) => "list of texts".to_owned(),
                Shape::Time(_) => "time".to_owned(),
                Shape::Word(words, _) => format!("`{}`", words.join("`, `")),
                Shape::Limit(limit) => format!("{:?}", limit.unit).to_lowercase(),
            };
            let reloads = if key.reloads { "yes" } else { "" };
            let default = match key.shown(&mut Config::default()) {
                Some(value) => format!("`{value}`"),
                None => key.absent.to_owned(),
            };
            let (name, meaning) = (key.name, key.text);
            let _infallible =
                writeln!(text, "| `{name}` | {value} | {default} | {reloads} | {meaning} |");
        }
    }
    text
}
