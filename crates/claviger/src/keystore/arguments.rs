//! The flags of every command that uses a keystore. Those of the database come from its table of
//! options.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use claviger_at_rest::options::{Facility, OPTIONS, OptionId, Row, Shape};
use claviger_at_rest::{Error, Keeper, Level, Options, Settings, Started, start};
use tracing::level_filters::LevelFilter;
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};
use crate::memory;

/// The flags.
#[derive(Args, Clone, Debug)]
pub(crate) struct AtRestArguments {
    /// Directory of the keystore
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A mongod.conf with the options below; a flag counts more
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which line of Percona Server for MongoDB to match: 4.2, 5.0 or 8.0
    #[arg(long, global = true, value_name = "LEVEL", default_value = "5.0")]
    psmdb_level: Level,
    /// Send what Percona Server for MongoDB sends, byte by byte: an answer that is lost may then
    /// leave a key that nobody uses
    #[arg(long, global = true)]
    psmdb_wire: bool,
    /// Log level: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    log_level: LevelFilter,
    #[command(flatten)]
    options: OptionFlags,
}

/// A keystore's place and settings, and whoever keeps its key.
pub(crate) struct AtRest {
    pub(crate) directory: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) keeper: Keeper,
}

impl AtRestArguments {
    /// Reads the options and the files that they name; no server is asked.
    pub(crate) fn read(&self) -> Outcome<AtRest> {
        start_log(self.log_level);
        if !memory::forbid_dumps() {
            tracing::warn!("{}", memory::DUMPS);
        }
        let directory = self.directory()?.to_owned();
        let settings = self.settings()?;
        let keeper = Keeper::new(&settings)?;
        Ok(AtRest { directory, settings, keeper })
    }

    /// The directory.
    pub(crate) fn directory(&self) -> Outcome<&Path> {
        self.dir
            .as_deref()
            .ok_or_else(|| Failure::usage("no keystore is named").next("Give --dir DIR."))
    }

    /// Whether anything says who keeps the master key.
    pub(crate) const fn names_a_keeper(&self) -> bool {
        self.config.is_some() || !self.options.0.is_empty()
    }

    fn settings(&self) -> Outcome<Settings> {
        let mut options = match &self.config {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|error| Failure::file(file, &error))?;
                let read = Options::from_mongod_conf(&text).map_err(Error::Options);
                read.map_err(|error| Failure::from(error).at(file.display()))?
            }
            None => Options::new(),
        };
        let by_file = options.is_given(OptionId::KmipServerName);
        for (option, text) in &self.options.0 {
            options.set(*option, text).map_err(|problem| Error::Options(vec![problem]))?;
        }
        if !by_file {
            options.imply_encryption();
        }
        let mut settings = options.settings(self.psmdb_level).map_err(Error::Options)?;
        if self.psmdb_wire && self.psmdb_level == Level::V4_2 {
            let problem = "--psmdb-wire is the wire of 5.0.28 and later; level 4.2 has another";
            return Err(Failure::usage(problem).next("Leave one of them out."));
        }
        if let Facility::Kmip(kmip) = &mut settings.facility {
            kmip.psmdb_wire = self.psmdb_wire;
        }
        Ok(settings)
    }
}

impl AtRest {
    /// Makes, opens or rotates the keystore.
    pub(crate) fn start(&self) -> Result<Started, Error> {
        start(&self.settings, &self.keeper, &self.directory)
    }

    /// Opens the keystore, which must be there.
    pub(crate) fn open(&self) -> Outcome<Started> {
        claviger_at_rest::keystore::summary(&self.directory)?;
        self.refuse_rotation()?;
        Ok(self.start()?)
    }

    /// A rotation is asked for, and this is not the command for it.
    pub(crate) fn refuse_rotation(&self) -> Outcome {
        match &self.settings.facility {
            Facility::Kmip(kmip) if kmip.rotate_master_key => {
                let problem = "rotateMasterKey ends with the rotation; nothing else is done then";
                Err(Failure::usage(problem)
                    .next("Leave it out, or use `claviger keystore rotate`."))
            }
            _ => Ok(()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        let problem = error.to_string();
        Self { code: kind.exit_code(), problem, next: Some(kind.hint().to_owned()) }
    }
}

/// The options of the database that were given as flags, with what followed them.
#[derive(Clone)]
struct OptionFlags(Vec<(OptionId, Zeroizing<String>)>);

impl std::fmt::Debug for OptionFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(option, _)| option)).finish()
    }
}

impl Args for OptionFlags {
    fn augment_args(command: Command) -> Command {
        OPTIONS.iter().fold(command, |command, row| command.arg(flag(row)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(row: &'static Row) -> Arg {
    let flag = Arg::new(row.flag).long(row.flag).global(true).help(row.text);
    let flag = flag.help_heading("Options of Percona Server for MongoDB");
    let (action, name) = match row.shape {
        Shape::Switch => return flag.action(ArgAction::SetTrue),
        Shape::Boolean(_) => (ArgAction::Set, "true|false"),
        Shape::Integer { .. } => (ArgAction::Set, "N"),
        Shape::Word(_) => (ArgAction::Set, "WORD"),
        Shape::Text => (ArgAction::Set, "LIST"),
        Shape::Secret => (ArgAction::Set, "PASSWORD"),
        Shape::Identifier => (ArgAction::Set, "ID"),
        Shape::Path => (ArgAction::Set, "FILE"),
    };
    let check = move |text: &str| {
        let checked = Options::new().set(row.option, text);
        checked.map(|()| text.to_owned()).map_err(|problem| problem.problem)
    };
    flag.action(action).value_name(name).allow_negative_numbers(true).value_parser(check)
}

impl FromArgMatches for OptionFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = OPTIONS.iter().filter_map(|row| {
            let text = match row.shape {
                Shape::Switch => matches.get_flag(row.flag).then(|| String::from("true"))?,
                _ => matches.get_one::<String>(row.flag)?.clone(),
            };
            Some((row.option, Zeroizing::new(text)))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn start_log(level: LevelFilter) {
    use std::io::{IsTerminal, stderr};
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(stderr);
    log.with_target(false).with_ansi(stderr().is_terminal()).init();
}
