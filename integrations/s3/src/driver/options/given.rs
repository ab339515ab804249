//! What one source says: some options, each with where it stands. Sources are laid over each other, and become
//! [`Options`].

use std::path::{Path, PathBuf};

use claviger_client::tls::Settings;
use claviger_client::{Endpoint, PORT};

use super::table::{OPTIONS, OptionId, Shape};
use super::{Options, Problem};

/// What a source says of the options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    option: OptionId,
    /// Where it stands.
    name: String,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Switch(bool),
    Number(u32),
    Texts(Vec<String>),
}

impl Given {
    /// Both sources, where this one has the last word.
    #[must_use]
    pub fn over(mut self, below: Self) -> Self {
        let others = below.0.into_iter().filter(|entry| self.find(entry.option).is_none());
        let others: Vec<_> = others.collect();
        self.0.extend(others);
        self
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes what is said of one option; a text that is empty says nothing. Paths are relative to the base.
    pub(super) fn take(
        &mut self,
        option: OptionId,
        name: &str,
        texts: &[String],
        base: &Path,
    ) -> Result<(), Problem> {
        let problem = |problem: &str| Problem::new(name, problem);
        let row = option.row();
        let mut texts: Vec<String> = match row.shape {
            Shape::Texts | Shape::Paths => texts
                .iter()
                .flat_map(|text| text.split(','))
                .map(|it| it.trim().to_owned())
                .collect(),
            _ => texts.to_vec(),
        };
        texts.retain(|text| !text.is_empty());
        texts.dedup();
        let one = || match texts.as_slice() {
            [one] => Ok(one.as_str()),
            _ => Err(problem("one value is wanted")),
        };
        if texts.is_empty() {
            return Ok(());
        }
        let value = match row.shape {
            Shape::Switch => match one()? {
                "true" => Value::Switch(true),
                "false" => Value::Switch(false),
                _ => return Err(problem("write true or false")),
            },
            Shape::Number(most) => match one()?.parse() {
                Ok(number) if number <= most => Value::Number(number),
                _ => {
                    return Err(Problem::new(
                        name,
                        format_args!("write a whole number from 0 to {most}"),
                    ));
                }
            },
            Shape::Text => Value::Texts(vec![one()?.to_owned()]),
            Shape::Texts => Value::Texts(texts),
            Shape::Path => Value::Texts(vec![absolute(base, one()?)]),
            Shape::Paths => Value::Texts(texts.iter().map(|path| absolute(base, path)).collect()),
        };
        self.0.retain(|entry| entry.option != option);
        self.0.push(Entry { option, name: name.to_owned(), value });
        Ok(())
    }

    /// Checks what is said, and takes defaults for the rest.
    ///
    /// # Errors
    /// All that is wrong, each with where it stands.
    pub fn options(&self) -> Result<Options, Vec<Problem>> {
        let mut problems = Vec::new();
        let port = self.number(OptionId::Port).and_then(|port| u16::try_from(port).ok());
        let mut hosts = Vec::new();
        for host in self.texts(OptionId::Hosts) {
            match endpoint(host, port.unwrap_or(PORT)) {
                Some(host) => hosts.push(host),
                None => {
                    let problem = format_args!("`{host}` is no HOST[:PORT]");
                    problems.push(Problem::new(self.name(OptionId::Hosts), problem));
                }
            }
        }
        let path = |option| self.texts(option).first().map(PathBuf::from);
        let authorities: Vec<PathBuf> =
            self.texts(OptionId::Ca).iter().map(PathBuf::from).collect();
        let tls = Settings {
            system_authorities: authorities.is_empty(),
            authorities,
            certificate: path(OptionId::Cert),
            key: path(OptionId::Key),
            ..Settings::default()
        };
        if tls.key.is_some() != tls.certificate.is_some() {
            let (there, missing) = match tls.key {
                Some(_) => (OptionId::Key, "the certificate is missing"),
                None => (OptionId::Cert, "the private key is missing"),
            };
            problems.push(Problem::new(self.name(there), missing));
        }
        let text = |option| self.texts(option).first().cloned();
        let options = Options {
            enabled: self.switch(OptionId::Enabled),
            compound_create: self.switch(OptionId::CompoundCreate),
            bucket_attribute_name: text(OptionId::BucketAttributeName),
            provider: text(OptionId::Provider),
            ..Options::new(hosts, tls)
        };
        let depth = self.number(OptionId::PipelineDepth).and_then(|it| usize::try_from(it).ok());
        let options =
            Options { pipeline_depth: depth.unwrap_or(options.pipeline_depth).max(1), ..options };
        if problems.is_empty() && options.enabled {
            problems.extend(options.check().err().into_iter().flatten());
        }
        if problems.is_empty() { Ok(options) } else { Err(problems) }
    }

    fn find(&self, option: OptionId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.option == option)
    }

    /// Where an option stands, or what it is called.
    fn name(&self, option: OptionId) -> &str {
        self.find(option).map_or(option.row().values_yaml, |entry| entry.name.as_str())
    }

    fn switch(&self, option: OptionId) -> bool {
        matches!(self.find(option), Some(Entry { value: Value::Switch(true), .. }))
    }

    fn number(&self, option: OptionId) -> Option<u32> {
        match self.find(option)?.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn texts(&self, option: OptionId) -> &[String] {
        match self.find(option) {
            Some(Entry { value: Value::Texts(texts), .. }) => texts,
            _ => &[],
        }
    }
}

/// The row of the option that is called so by one of its names.
pub(super) fn option_called(
    name: &str,
    which: impl Fn(&super::table::Row) -> &'static str,
) -> Option<OptionId> {
    OPTIONS.iter().find(|row| which(row) == name && !name.is_empty()).map(|row| row.option)
}

fn absolute(base: &Path, path: &str) -> String {
    // A path of a text is text again.
    base.join(path).to_string_lossy().into_owned()
}

/// `HOST` or `HOST:PORT`, with the port of those that name none.
fn endpoint(text: &str, port: u16) -> Option<Endpoint> {
    let read: Endpoint = text.parse().ok()?;
    let bare_v6 = text.matches(':').count() > 1 && !text.starts_with('[');
    let names_port = !bare_v6 && text.ends_with(&format!(":{}", read.port));
    Some(if names_port { read } else { Endpoint { port, ..read } })
}
