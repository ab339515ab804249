//! The administration API of a server, over HTTP: addresses, tokens, envelopes, errors.
//!
//! It must never know what a command wants from it.

mod http;

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use http::{Identity, Target};

/// Where the API is and who we are there.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The API")]
pub(crate) struct ApiArguments {
    /// Address of the API [env: CLAVIGER_ADDR, VAULT_ADDR] [default: http://127.0.0.1:8200]
    #[arg(long, global = true, value_name = "URL")]
    address: Option<String>,
    /// Token for the API [env: CLAVIGER_TOKEN, VAULT_TOKEN; else the file ~/.vault-token]
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<String>,
    /// Certificate of the authority of the API's certificate [env: CLAVIGER_CACERT, VAULT_CACERT]
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// A client certificate for the API, its chain after it
    /// [env: CLAVIGER_CLIENT_CERT, VAULT_CLIENT_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    client_cert: Option<PathBuf>,
    /// The private key of that certificate [env: CLAVIGER_CLIENT_KEY, VAULT_CLIENT_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// Path of the KMIP mount
    #[arg(long, global = true, value_name = "PATH", default_value = "kmip")]
    mount: String,
}

/// A way to the API.
pub(crate) struct Api {
    target: Target,
    token: Option<String>,
    mount: String,
    hint: Option<&'static str>,
    runtime: tokio::runtime::Runtime,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body; null if there is none.
    pub(crate) body: Value,
}

/// The value of the first of these variables that is set and not empty.
fn variable(names: [&str; 2]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn token_file() -> Option<String> {
    let path = PathBuf::from(std::env::var_os("HOME")?).join(".vault-token");
    let token = std::fs::read_to_string(path).ok()?.trim().to_owned();
    (!token.is_empty()).then_some(token)
}

impl ApiArguments {
    /// Reads the environment for what the arguments leave out.
    pub(crate) fn open(&self) -> Outcome<Api> {
        let address = self.address.clone();
        let address = address.or_else(|| variable(["CLAVIGER_ADDR", "VAULT_ADDR"]));
        let address = address.unwrap_or_else(|| String::from("http://127.0.0.1:8200"));
        let file = |given: &Option<PathBuf>, names| {
            given.clone().or_else(|| variable(names).map(PathBuf::from))
        };
        let authority = file(&self.ca_cert, ["CLAVIGER_CACERT", "VAULT_CACERT"]);
        let certificate = file(&self.client_cert, ["CLAVIGER_CLIENT_CERT", "VAULT_CLIENT_CERT"]);
        let key = file(&self.client_key, ["CLAVIGER_CLIENT_KEY", "VAULT_CLIENT_KEY"]);
        let identity = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            _ => {
                return Err(Failure::usage("a client certificate and its key go together")
                    .next("Give both --client-cert and --client-key."));
            }
        };
        let token = self.token.clone();
        let token = token.or_else(|| variable(["CLAVIGER_TOKEN", "VAULT_TOKEN"]));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::new)?;
        Ok(Api {
            target: Target::parse(&address, authority.as_deref(), identity.as_ref())?,
            token: token.or_else(token_file),
            mount: self.mount.trim_matches('/').to_owned(),
            hint: None,
            runtime,
        })
    }
}

impl Api {
    /// The same way, for who has no token yet, and what to do next when that is refused.
    pub(crate) fn without_token(mut self, hint: &'static str) -> Self {
        self.token = None;
        self.hint = Some(hint);
        self
    }

    /// The path of something in the KMIP mount; each part may hold any character.
    pub(crate) fn path(&self, parts: &[&str]) -> String {
        let mut path = self.mount.clone();
        for part in parts {
            path.push('/');
            path.push_str(&escaped(part));
        }
        path
    }

    /// One request; `path` comes after `/v1/`.
    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Reply> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let exchange = self.target.exchange(method, path, self.token.as_deref(), body);
        self.runtime.block_on(exchange)
    }

    /// Reads; `None` if it is not there.
    pub(crate) fn read(&self, path: &str) -> Outcome<Option<Value>> {
        let reply = self.request("GET", path, None)?;
        if reply.status == 404 && reply.errors().is_empty() {
            return Ok(None);
        }
        self.data(reply, path).map(Some)
    }

    /// Lists; nothing if there is nothing.
    pub(crate) fn list(&self, path: &str) -> Outcome<Vec<String>> {
        let data = self.read(&format!("{path}?list=true"))?.unwrap_or_default();
        let keys = data.get("keys").and_then(Value::as_array);
        let keys = keys.map(Vec::as_slice).unwrap_or_default();
        Ok(keys.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Writes and gives back the data of the answer, or the token that it tells of; null if there
    /// is neither.
    pub(crate) fn write(&self, path: &str, body: &Value) -> Outcome<Value> {
        let reply = self.request("PUT", path, Some(body))?;
        self.data(reply, path)
    }

    /// Writes what the server must understand whole: fails if it says that it ignored a field
    /// whose name begins so.
    pub(crate) fn write_known(&self, path: &str, body: &Value, prefix: &str) -> Outcome {
        let reply = self.request("PUT", path, Some(body))?;
        let ignored = reply.warnings().find(|warning| warning.contains(prefix)).map(str::to_owned);
        self.data(reply, path)?;
        ignored.map_or(Ok(()), |warning| {
            Err(Failure::new(format_args!("the server did not understand all of it: {warning}"))
                .next("It has written the rest: is it older than this program?"))
        })
    }

    /// One request whose answer is its body: the seal's have no envelope.
    pub(crate) fn bare(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
        let reply = self.request(method, path, body)?;
        if reply.status >= 400 { Err(self.refusal(&reply, path)) } else { Ok(reply.body) }
    }

    /// Reads a file, and writes it as it comes.
    pub(crate) fn download(&self, path: &str, out: &mut dyn std::io::Write) -> Outcome {
        let download = self.target.download(path, self.token.as_deref(), out);
        match self.runtime.block_on(download)? {
            Some(refused) => Err(self.refusal(&refused, path)),
            None => Ok(()),
        }
    }

    /// Deletes.
    pub(crate) fn delete(&self, path: &str) -> Outcome {
        let reply = self.request("DELETE", path, None)?;
        self.data(reply, path).map(drop)
    }

    fn data(&self, mut reply: Reply, path: &str) -> Outcome<Value> {
        if reply.status >= 400 {
            return Err(self.refusal(&reply, path));
        }
        for warning in reply.warnings() {
            crate::output::note(format_args!("warning: {warning}"));
        }
        let mut part = |name| reply.body.get_mut(name).map(Value::take).unwrap_or_default();
        let data = part("data");
        Ok(if data.is_null() { part("auth") } else { data })
    }

    fn refusal(&self, reply: &Reply, path: &str) -> Failure {
        let errors = reply.errors();
        let problem = if errors.is_empty() {
            format!("the server answered {}", reply.status)
        } else {
            errors.join("; ")
        };
        let failure = Failure::new(problem);
        if let (Some(hint), 400..=404) = (self.hint, reply.status) {
            return failure.next(hint);
        }
        match reply.status {
            403 if self.token.is_none() => failure.next(
                "No token was sent: set CLAVIGER_TOKEN, or give --token. `claviger server --dev` \
                 prints its root token when it starts.",
            ),
            403 => failure.next("The token is not known there, or its policies do not allow it."),
            404 if errors.is_empty() => failure.next("There is nothing of that name."),
            404 if path.starts_with(&format!("{}/", self.mount)) => failure.next(format_args!(
                "Is there a KMIP mount at `{}/`? --mount names another.",
                self.mount
            )),
            404 => {
                failure.next("This server has nothing at that path: is it older than this program?")
            }
            503 => failure.next("The server is sealed; see `claviger status`."),
            _ => failure,
        }
    }
}

impl Reply {
    fn warnings(&self) -> impl Iterator<Item = &str> {
        let warnings = self.body.get("warnings").and_then(Value::as_array);
        warnings.into_iter().flatten().filter_map(Value::as_str)
    }

    fn errors(&self) -> Vec<&str> {
        let errors = self.body.get("errors").and_then(Value::as_array);
        let texts = errors.into_iter().flatten().filter_map(Value::as_str);
        // Vault's way to print a list that has one item.
        let plain = texts.map(|it| it.strip_prefix("1 error occurred:\n\t* ").unwrap_or(it));
        plain.map(str::trim_end).collect()
    }
}

/// A path whose slashes are its own: each of its parts may hold any other character.
pub(crate) fn slashed(path: &str) -> String {
    let parts: Vec<String> = path.trim_matches('/').split('/').map(escaped).collect();
    parts.join("/")
}

/// Percent-encodes what may not stand in one part of a path (RFC 3986 §3.3).
pub(crate) fn escaped(part: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _infallible = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_are_escaped() {
        assert_eq!(escaped("finance-1.x_~"), "finance-1.x_~");
        assert_eq!(escaped("a b/ü?"), "a%20b%2F%C3%BC%3F");
        assert_eq!(slashed("/a b/c?d/"), "a%20b/c%3Fd");
    }
}
