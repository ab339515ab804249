//! `claviger login`: a token from an auth method.
//!
//! The token goes to stdout alone, for `CLAVIGER_TOKEN=$(claviger login …)`. What proves who one is
//! never stands on the command line: it is asked for unseen, or read from stdin.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::api::{ApiArguments, escaped, slashed};
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{self, Format};

/// How to log in.
#[derive(Args, Debug)]
pub(crate) struct LoginArguments {
    /// The method
    #[arg(long, value_enum)]
    method: Method,
    /// Where the method is [default: its name]
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// With userpass: who; the password is asked for, or read from stdin
    #[arg(long, value_name = "NAME", required_if_eq("method", "userpass"))]
    username: Option<String>,
    /// With approle: which; the secret ID is asked for, or read from stdin
    #[arg(long, value_name = "ID", required_if_eq("method", "approle"))]
    role_id: Option<String>,
    /// With approle: the role wants no secret ID
    #[arg(long)]
    no_secret_id: bool,
    /// With cert: the role [default: any that takes the certificate]
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
}

/// The methods that can be logged in with here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// A user name and a password
    Userpass,
    /// A role ID and a secret ID
    Approle,
    /// The certificate of --client-cert and --client-key
    Cert,
}

impl Method {
    /// What to do next when it is refused.
    const fn hint(self) -> &'static str {
        match self {
            Self::Userpass | Self::Approle => {
                "Check what you gave. Is the method enabled there? --path says where it is."
            }
            Self::Cert => {
                "--client-cert and --client-key name the certificate, and the address must begin \
                 with https://. Is the method enabled there? --path says where it is."
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Userpass => "userpass",
            Self::Approle => "approle",
            Self::Cert => "cert",
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &LoginArguments, api: &ApiArguments, format: Format) -> Outcome {
    let method = arguments.method;
    let api = api.open()?.without_token(method.hint());
    let at = slashed(arguments.path.as_deref().unwrap_or(method.name()));
    let (path, fields) = match method {
        Method::Userpass => {
            let name = arguments.username.as_deref().unwrap_or_default();
            let password = input::secret("Password")?;
            let path = format!("auth/{at}/login/{}", escaped(name));
            (path, json!({ "password": password.as_str() }))
        }
        Method::Approle => {
            let mut fields = Map::new();
            fields.insert(String::from("role_id"), json!(arguments.role_id));
            if !arguments.no_secret_id {
                let secret = input::secret("Secret ID")?;
                fields.insert(String::from("secret_id"), json!(secret.as_str()));
            }
            (format!("auth/{at}/login"), fields.into())
        }
        Method::Cert => {
            let role = arguments.role.iter().map(|role| (String::from("name"), json!(role)));
            (format!("auth/{at}/login"), Value::Object(role.collect()))
        }
    };
    let answer = api.write(&path, &fields)?;
    let token = answer.get("client_token").and_then(Value::as_str);
    let token = token.ok_or_else(|| {
        Failure::new("the server's answer has no token").next("Does it ask for a second factor?")
    })?;
    match format {
        Format::Json => output::json(&answer),
        Format::Text => output::line(token),
    }
}
