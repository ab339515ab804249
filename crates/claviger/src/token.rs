//! `claviger token`: the tokens of the API.
//!
//! A token never stands on a command line, where others of the machine see it: `-` asks for it
//! unseen, or reads it from stdin. Its accessor, with which one can do less, may stand there.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::{Api, ApiArguments, escaped};
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{self, Format};
use crate::pairs;
use crate::resource::{body, check_name};

/// How tokens begin that a server has made.
const TOKEN_PREFIXES: [&str; 5] = ["hvs.", "hvb.", "hvr.", "s.", "b."];

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, which ends with that of the request unless it is an orphan
    Create(CreateArguments),
    /// Show what is known of a token
    #[command(visible_alias = "lookup")]
    Read {
        /// Its accessor, or `-` for a token that is asked for [default: the token of the request]
        #[arg(value_name = "ACCESSOR|-")]
        which: Option<String>,
    },
    /// List the accessors of all tokens
    List,
    /// Give a token more time
    #[command(visible_alias = "renew")]
    Update {
        /// Its accessor, or `-` for a token that is asked for [default: the token of the request]
        #[arg(value_name = "ACCESSOR|-")]
        which: Option<String>,
        /// How much time it shall have from now: 1h [default: as when it was made]
        #[arg(long, value_name = "DURATION")]
        increment: Option<String>,
    },
    /// End a token, and those that it made
    #[command(visible_alias = "revoke")]
    Delete {
        /// Its accessor, or `-` for a token that is asked for
        #[arg(value_name = "ACCESSOR|-", required_unless_present = "own")]
        which: Option<String>,
        /// The token of the request
        #[arg(long = "self", conflicts_with = "which")]
        own: bool,
        /// With `-`: those that it made live on
        #[arg(long, conflicts_with = "own")]
        orphan: bool,
    },
    /// Say what a token may do to paths
    Capabilities {
        /// The paths, such as kmip/scope/finance
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// Its accessor, or `-` for a token that is asked for [default: the token of the request]
        #[arg(long = "of", value_name = "ACCESSOR|-")]
        which: Option<String>,
    },
}

/// What token to make.
#[derive(Args, Debug, Serialize)]
pub(crate) struct CreateArguments {
    /// Its policies [default: those of the token of the request]
    #[arg(long, visible_alias = "policy", value_name = "POLICY", value_delimiter = ',')]
    policies: Option<Vec<String>>,
    /// How long it lives: 1h, 30d
    #[arg(long, value_name = "DURATION")]
    ttl: Option<String>,
    /// How long it lives at most, renewals included
    #[arg(long, value_name = "DURATION")]
    explicit_max_ttl: Option<String>,
    /// How much time each renewal gives, without a maximum
    #[arg(long, value_name = "DURATION")]
    period: Option<String>,
    /// How many requests it is good for [default: without limit]
    #[arg(long, value_name = "N")]
    num_uses: Option<u32>,
    /// Who it is for
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// What to note of it
    #[arg(long, value_name = "NAME=VALUE")]
    #[serde(skip)]
    meta: Vec<String>,
    /// Whether it can be renewed
    #[arg(long, value_name = "BOOL")]
    renewable: Option<bool>,
    /// It outlives the token of the request
    #[arg(long, conflicts_with = "role")]
    #[serde(skip)]
    orphan: bool,
    /// Leave the policy `default` out
    #[arg(long)]
    no_default_policy: bool,
    /// The token role that says what it may be
    #[arg(long, value_name = "ROLE")]
    #[serde(skip)]
    role: Option<String>,
}

/// Runs the command.
pub(crate) fn run(command: &TokenCommand, api: &ApiArguments, format: Format) -> Outcome {
    let api = api.open()?;
    match command {
        TokenCommand::Create(arguments) => create(&api, arguments, format),
        TokenCommand::Read { which } => {
            let token = match Which::of(which.as_deref())? {
                Which::Own => api.read("auth/token/lookup-self")?.unwrap_or_default(),
                other => api.write(&other.path("auth/token/lookup"), &other.fields().into())?,
            };
            output::fields(format, &without(token, "id"))
        }
        TokenCommand::List => output::names(format, &api.list("auth/token/accessors")?),
        TokenCommand::Update { which, increment } => {
            let which = Which::of(which.as_deref())?;
            let mut fields = which.fields();
            if let Some(increment) = increment {
                fields.insert(String::from("increment"), json!(increment));
            }
            let renewed = api.write(&which.path("auth/token/renew"), &fields.into())?;
            show(&without(renewed, "client_token"), format)
        }
        TokenCommand::Delete { which, orphan, .. } => {
            let which = Which::of(which.as_deref())?;
            let path = match (orphan, &which) {
                (false, _) => which.path("auth/token/revoke"),
                (true, Which::Given(_)) => String::from("auth/token/revoke-orphan"),
                (true, _) => {
                    return Err(Failure::usage("--orphan takes a token, not an accessor")
                        .next("Give `-`, and the token when it is asked for."));
                }
            };
            api.write(&path, &which.fields().into())?;
            output::done(format, which.name(), "revoked")
        }
        TokenCommand::Capabilities { paths, which } => {
            let which = Which::of(which.as_deref())?;
            let mut fields = which.fields();
            fields.insert(String::from("paths"), json!(paths));
            let answer = api.write(&which.path("sys/capabilities"), &fields.into())?;
            let of_paths = paths.iter().filter_map(|path| {
                answer.get(path).map(|capabilities| (path.clone(), capabilities.clone()))
            });
            output::fields(format, &of_paths.collect::<Map<_, _>>().into())
        }
    }
}

fn create(api: &Api, arguments: &CreateArguments, format: Format) -> Outcome {
    let mut fields = body(arguments)?;
    let meta = pairs::split(&arguments.meta)?;
    if !meta.is_empty() {
        let meta = meta.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
        fields.insert(String::from("meta"), Value::Object(meta.collect()));
    }
    let path = match &arguments.role {
        Some(role) => {
            check_name(role)?;
            format!("auth/token/create/{}", escaped(role))
        }
        None if arguments.orphan => String::from("auth/token/create-orphan"),
        None => String::from("auth/token/create"),
    };
    show(&api.write(&path, &fields.into())?, format)
}

/// Prints a token that was made or renewed, as the API tells of it.
pub(crate) fn show(token: &Value, format: Format) -> Outcome {
    if format == Format::Json {
        return output::json(token);
    }
    const FIELDS: [(&str, &str); 6] = [
        ("token", "client_token"),
        ("accessor", "accessor"),
        ("policies", "policies"),
        ("ttl", "lease_duration"),
        ("renewable", "renewable"),
        ("num_uses", "num_uses"),
    ];
    let shown = FIELDS
        .into_iter()
        .filter_map(|(title, field)| token.get(field).map(|value| (title, value)));
    output::table(&[], output::cells(shown).into_iter().map(Vec::from))
}

/// What is told of a token, without the token: who asked has it, and it need not be shown again.
fn without(mut told: Value, field: &str) -> Value {
    if let Some(fields) = told.as_object_mut() {
        fields.remove(field);
    }
    told
}

/// Which token is meant.
enum Which {
    Own,
    Accessor(String),
    Given(zeroize::Zeroizing<String>),
}

impl Which {
    /// Reads the token if that is what is to be done.
    fn of(word: Option<&str>) -> Outcome<Self> {
        match word {
            None => Ok(Self::Own),
            Some("-") => Ok(Self::Given(input::secret("Token")?)),
            Some(word) if TOKEN_PREFIXES.iter().any(|prefix| word.starts_with(prefix)) => {
                Err(Failure::usage("that is a token, where an accessor is wanted")
                    .next("Give `-`, and the token when it is asked for."))
            }
            Some(accessor) => Ok(Self::Accessor(accessor.to_owned())),
        }
    }

    /// The API has three paths for each action.
    fn path(&self, action: &str) -> String {
        match self {
            Self::Own => format!("{action}-self"),
            Self::Accessor(_) => format!("{action}-accessor"),
            Self::Given(_) => action.to_owned(),
        }
    }

    fn fields(&self) -> Map<String, Value> {
        let field = match self {
            Self::Own => None,
            Self::Accessor(accessor) => Some(("accessor", accessor.as_str())),
            Self::Given(token) => Some(("token", token.as_str())),
        };
        field.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    fn name(&self) -> &str {
        match self {
            Self::Own | Self::Given(_) => "token",
            Self::Accessor(accessor) => accessor,
        }
    }
}
