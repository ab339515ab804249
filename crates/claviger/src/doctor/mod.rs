//! `claviger doctor`: reads a product's own configuration and walks its way to a working key, step by step, with each
//! server that it names; says which step fails, what the other side answered, and what to change.
//!
//! It touches no key but the one that it makes, and removes that.

mod examine;
mod greet;
mod life;
mod mongod;
mod mysql;
mod probe;
mod report;
mod step;
mod target;
mod yaml;
mod zenko;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use claviger_at_rest::Level;
use serde_json::Value;

use report::Fault;
use target::Target;

use crate::failure::{Failure, Kind, Names, Outcome};
use crate::input;
use crate::output::{self, Format};

/// Whose configuration it is.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DoctorCommand {
    /// Percona Server for MongoDB, or MongoDB Enterprise: mongod.conf
    Mongod {
        #[command(flatten)]
        file: FileArgument,
        /// Which line of Percona Server for MongoDB it is: 4.2, 5.0 or 8.0
        #[arg(long, value_name = "LEVEL", default_value = "5.0")]
        psmdb_level: Level,
    },
    /// MySQL: component_keyring_kmip.cnf of Percona's component, component_claviger_kmip.cnf of Claviger's
    Mysql(FileArgument),
    /// CloudServer, alone or in Zenko: config.json, values.yaml, or a file of S3KMIP_… variables
    Zenko(FileArgument),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct FileArgument {
    /// The configuration file
    #[arg(value_name = "CONFIGFILE")]
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn run(command: &DoctorCommand, format: Format) -> Outcome {
    let (product, file) = match command {
        DoctorCommand::Mongod { file, .. } => ("mongod", &file.file),
        DoctorCommand::Mysql(argument) => ("mysql", &argument.file),
        DoctorCommand::Zenko(argument) => ("zenko", &argument.file),
    };
    let shown = file.display().to_string();
    let target = match read(command, file) {
        Ok(target) => target,
        Err(fault) => {
            let configuration = report::configuration(&shown, &[], Some(&fault));
            report::print(format, &report::json(product, &configuration, &[], &Names::FLAGS))?;
            let failure = Failure { code: fault.kind.code(), ..Failure::new(&fault.problem) };
            let failure = match fault.kind {
                Kind::ConfigurationFile => failure,
                _ => failure.at(shown),
            };
            return Err(failure.next(fault.advice(&Names::FLAGS)));
        }
    };
    let configuration = report::configuration(&shown, &target.advice, None);
    if format == Format::Text {
        output::line(format_args!("{shown}: ok"))?;
        target.advice.iter().try_for_each(|advice| report::advise(Some(advice)))?;
    }
    examine_all(&target, &configuration, format)
}

fn examine_all(target: &Target, configuration: &Value, format: Format) -> Outcome {
    let names = target.names;
    let mut examinations = Vec::new();
    for server in &target.servers {
        if format == Format::Text {
            output::line(format_args!("\n{}", server.endpoint))?;
        }
        let mut tell = |check: &report::Check| match format {
            Format::Text => check.print(names),
            Format::Json => Ok(()),
        };
        let examination = examine::examine(target, server, &mut tell)?;
        if let (Format::Text, Some(left_over)) = (format, &examination.left_over) {
            output::line(left_over.advice(&examination.server))?;
        }
        examinations.push(examination);
    }
    report::print(format, &report::json(target.product, configuration, &examinations, names))?;
    report::outcome(&examinations, names)
}

/// Reads the configuration.
fn read(command: &DoctorCommand, file: &Path) -> Result<Target, Fault> {
    let unreadable = |failure: Failure| Fault::new(Kind::ConfigurationFile, failure.problem);
    let bytes = input::bytes(file).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| {
        Fault::new(Kind::ConfigurationFile, format_args!("{}: this is no text", file.display()))
    })?;
    let directory = file.parent().unwrap_or(Path::new(""));
    match command {
        DoctorCommand::Mongod { psmdb_level, .. } => mongod::read(text, *psmdb_level),
        DoctorCommand::Mysql(_) => mysql::read(text, directory, mysql::component(file)),
        DoctorCommand::Zenko(_) => zenko::read(text, directory, &zenko::Variables::of_process()),
    }
}
