//! The sources: Zenko's values.yaml with the certificates beside it, CloudServer's config.json, the environment.

use std::path::Path;

use claviger_client::{Endpoint, PORT};
use serde_json::Value;

use super::Problem;
use super::given::{Given, option_called};
use super::table::OptionId;
use super::yaml;

/// How deep in values.yaml the map `kmip` may be: charts are parts of charts.
const KMIP_DEPTH_MAX: usize = 4;
/// The word that says that keys are on KMIP servers.
const KMIP: &str = "kmip";

impl Given {
    /// A file of Zenko's: config.json if it is called `*.json`, else values.yaml with the certificates beside it.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong.
    pub fn from_file(path: &Path) -> Result<Self, Vec<Problem>> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| vec![Problem::new(path.display(), error)])?;
        let base = match path.parent() {
            Some(base) if !base.as_os_str().is_empty() => base,
            _ => Path::new("."),
        };
        if path.extension().is_some_and(|extension| extension == "json") {
            return Self::from_config_json(&text, base);
        }
        Ok(Self::from_values_yaml(&text)?.over(Self::from_certificates(base)?))
    }

    /// The map `kmip` of Zenko's values.yaml, at the top or inside that of a chart which Zenko's has as a part.
    ///
    /// # Errors
    /// The text is no YAML, there are several such maps, or one with something wrong in it.
    pub fn from_values_yaml(text: &str) -> Result<Self, Vec<Problem>> {
        let tree = yaml::read(text).map_err(|problem| vec![problem])?;
        let mut found = Vec::new();
        find_maps(&tree, "", &mut found, 0);
        let (mut given, mut problems) = (Self::default(), Vec::new());
        match found.as_slice() {
            [] => {}
            [(path, map)] => {
                for (name, value) in map.as_object().into_iter().flatten() {
                    let at = format!("{path}.{name}");
                    let option = option_called(name, |row| row.values_yaml)
                        .filter(|_| !name.ends_with(".pem"));
                    given.take_value(option, &at, value, Path::new(""), &mut problems);
                }
            }
            [_, (path, _), ..] => {
                problems.push(Problem::new(path, "there is another one before it"))
            }
        }
        if problems.is_empty() { Ok(given) } else { Err(problems) }
    }

    /// The section `kmip` of CloudServer's config.json, and `backends.kms`. Paths are relative to the base.
    ///
    /// # Errors
    /// The text is no JSON, or something in the section is wrong.
    pub fn from_config_json(text: &str, base: &Path) -> Result<Self, Vec<Problem>> {
        let tree: Value =
            serde_json::from_str(text).map_err(|error| vec![Problem::new("config.json", error)])?;
        let (mut given, mut problems) = (Self::default(), Vec::new());
        if let Some(word) = tree.pointer("/backends/kms") {
            let is_kmip = Value::Bool(word.as_str() == Some(KMIP));
            let enabled = Some(OptionId::Enabled);
            given.take_value(enabled, "backends.kms", &is_kmip, base, &mut problems);
        }
        for (name, value) in tree.get(KMIP).and_then(Value::as_object).into_iter().flatten() {
            let at = format!("kmip.{name}");
            match name.as_str() {
                // How messages are encoded is no matter of configuration here.
                "codec" => {}
                "transport" => given.take_transports(value, base, &mut problems),
                "client" => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        let at = format!("{at}.{name}");
                        let option = option_called(&at, |row| row.config_json);
                        given.take_value(option, &at, value, base, &mut problems);
                    }
                }
                _ => {
                    let option = option_called(&at, |row| row.config_json);
                    given.take_value(option, &at, value, base, &mut problems);
                }
            }
        }
        if problems.is_empty() { Ok(given) } else { Err(problems) }
    }

    /// Environment variables, by whatever gets them. Paths are relative to the base.
    ///
    /// # Errors
    /// Something is wrong with one.
    pub fn from_environment(
        get: impl Fn(&str) -> Option<String>,
        base: &Path,
    ) -> Result<Self, Vec<Problem>> {
        let (mut given, mut problems) = (Self::default(), Vec::new());
        for row in super::OPTIONS.iter().filter(|row| !row.environment.is_empty()) {
            let Some(mut text) = get(row.environment) else { continue };
            if row.option == OptionId::Enabled && !text.is_empty() {
                text = (text == KMIP).to_string();
            }
            problems.extend(given.take(row.option, row.environment, &[text], base).err());
        }
        if problems.is_empty() { Ok(given) } else { Err(problems) }
    }

    /// The files `kmip-*.pem` of a directory: `kmip-key.pem`, `kmip-cert.pem`, and authorities, `kmip-ca*.pem`.
    ///
    /// # Errors
    /// The directory cannot be read, or has a `kmip-*.pem` of another name.
    pub fn from_certificates(directory: &Path) -> Result<Self, Vec<Problem>> {
        let unreadable = |error| vec![Problem::new(directory.display(), error)];
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            if name.starts_with("kmip-") && name.ends_with(".pem") {
                names.push(name);
            }
        }
        names.sort();
        let (mut given, mut problems) = (Self::default(), Vec::new());
        let (authorities, others): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.starts_with("kmip-ca"));
        problems.extend(given.take(OptionId::Ca, "kmip-ca*.pem", &authorities, directory).err());
        for name in others {
            match option_called(&name, |row| row.values_yaml) {
                Some(option) => {
                    let file = std::slice::from_ref(&name);
                    problems.extend(given.take(option, &name, file, directory).err());
                }
                None => {
                    let problem = "it is neither kmip-key.pem nor kmip-cert.pem nor kmip-ca*.pem";
                    problems.push(Problem::new(directory.join(&name).display(), problem));
                }
            }
        }
        if problems.is_empty() { Ok(given) } else { Err(problems) }
    }

    /// `kmip.transport`: one, or a list of which everything but host and port must be the same.
    fn take_transports(&mut self, value: &Value, base: &Path, problems: &mut Vec<Problem>) {
        const AT: &str = "kmip.transport";
        let one = std::slice::from_ref(value);
        let transports = value.as_array().map_or(one, Vec::as_slice);
        let mut hosts = Vec::new();
        let mut others: Vec<(String, Vec<String>)> = Vec::new();
        for transport in transports {
            let tls = transport.get("tls");
            let inner = tls.and_then(Value::as_object).into_iter().flatten();
            let inner = inner.map(|(name, value)| (format!("{AT}.tls.{name}"), value));
            let outer =
                transport.as_object().into_iter().flatten().filter(|(name, _)| *name != "tls");
            let outer = outer.map(|(name, value)| (format!("{AT}.{name}"), value));
            let mut endpoint = Endpoint { host: String::new(), port: PORT };
            for (at, value) in inner.chain(outer) {
                let Some(texts) = texts(value) else {
                    problems.push(Problem::new(&at, "a text, a number or a list is wanted"));
                    continue;
                };
                match option_called(&at, |row| row.config_json) {
                    Some(OptionId::Hosts) => endpoint.host = texts.concat(),
                    Some(OptionId::Port) => match texts.concat().parse() {
                        Ok(port) => endpoint.port = port,
                        Err(_) => problems.push(Problem::new(&at, "write a port")),
                    },
                    _ => match others.iter_mut().find(|(name, _)| *name == at) {
                        Some((_, known)) if *known == texts || at.ends_with(".ca") => {
                            known.extend(texts);
                            known.dedup();
                        }
                        Some(_) => {
                            problems.push(Problem::new(&at, "it must be the same for all servers"))
                        }
                        None => others.push((at, texts)),
                    },
                }
            }
            if !endpoint.host.is_empty() {
                hosts.push(endpoint.to_string());
            }
        }
        problems.extend(
            self.take(OptionId::Hosts, OptionId::Hosts.row().config_json, &hosts, base).err(),
        );
        for (at, texts) in others {
            match option_called(&at, |row| row.config_json) {
                Some(option) => problems.extend(self.take(option, &at, &texts, base).err()),
                None => problems.push(Problem::new(&at, "there is no such option")),
            }
        }
    }

    fn take_value(
        &mut self,
        option: Option<OptionId>,
        at: &str,
        value: &Value,
        base: &Path,
        problems: &mut Vec<Problem>,
    ) {
        let problem = match (option, texts(value)) {
            (None, _) => Some(Problem::new(at, "there is no such option")),
            (Some(_), None) => Some(Problem::new(at, "a text, a number or a list is wanted")),
            (Some(option), Some(texts)) => self.take(option, at, &texts, base).err(),
        };
        problems.extend(problem);
    }
}

/// Every map `kmip`, with its path.
fn find_maps<'a>(value: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>, depth: usize) {
    if depth > KMIP_DEPTH_MAX {
        return;
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if name == KMIP && inner.is_object() {
            found.push((at, inner));
        } else {
            find_maps(inner, &at, found, depth.saturating_add(1));
        }
    }
}

/// A scalar, or a list of them, as texts; none if it is something else.
fn texts(value: &Value) -> Option<Vec<String>> {
    Some(match value {
        Value::Null => Vec::new(),
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Number(number) => vec![number.to_string()],
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => {
            let inner: Option<Vec<_>> = list.iter().map(texts).collect();
            inner?.concat()
        }
        Value::Object(_) => return None,
    })
}
