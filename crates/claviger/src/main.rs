//! The `claviger` command: a KMIP server, its administration, and a KMIP client.
//!
//! This file reads the arguments and hands them on; what a command does is in its own module.

mod api;
mod audit;
mod auth;
mod bench;
mod ca;
mod config;
mod conformance;
mod connection;
#[cfg(debug_assertions)]
mod crash;
mod credential;
mod decode;
mod doctor;
mod engine;
mod failure;
mod input;
mod keystore;
mod listener;
mod login;
mod manual;
mod mariadb;
mod memory;
mod mount;
mod object;
mod operator;
mod output;
mod pairs;
mod policy;
mod resource;
mod role;
mod run;
mod scope;
mod scratch;
mod server;
mod status;
mod terminal;
mod token;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use api::ApiArguments;
use failure::Outcome;
use output::Format;

/// An open KMIP key-management server, and the client side of it.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    /// Print JSON for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server
    Server(server::ServerArgs),
    /// Say what is wrong with a configuration file, or what it says
    CheckConfig(config::CheckArguments),
    /// Initialise, unseal and seal a server; its root key; backups
    Operator {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: operator::OperatorCommand,
    },
    /// Say whether a server is unsealed (exit code 0) or sealed (2)
    Status {
        #[command(flatten)]
        api: ApiArguments,
    },
    /// KMIP engines, and where the API has them
    Mount {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: mount::MountCommand,
    },
    /// How a KMIP engine listens and certifies
    Config {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: engine::EngineCommand,
    },
    /// The certificate authorities of a KMIP engine
    Ca {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: ca::CaCommand,
    },
    /// Ports of a KMIP engine with certificate authorities of their own
    Listener {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: listener::ListenerCommand,
    },
    /// Partitions of managed objects
    Scope {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: scope::ScopeCommand,
    },
    /// What the credentials of a scope may do
    Role {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: role::RoleCommand,
    },
    /// Client certificates under a role
    Credential {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: credential::CredentialCommand,
    },
    /// Get a token from an auth method
    Login {
        #[command(flatten)]
        api: ApiArguments,
        #[command(flatten)]
        arguments: login::LoginArguments,
    },
    /// The methods by which people and programs come by a token
    Auth {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: auth::AuthCommand,
    },
    /// The tokens of the API
    Token {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: token::TokenCommand,
    },
    /// What tokens may do
    Policy {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: policy::PolicyCommand,
    },
    /// Managed objects, over KMIP
    Object(object::ObjectArguments),
    /// Where a server records what is asked of it, and whether a record is whole
    Audit {
        #[command(flatten)]
        api: ApiArguments,
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Data keys of databases, sealed by a master key on a KMIP server
    Keystore(keystore::KeystoreArguments),
    /// Run a program with its data key for as long as the master key is Active
    Run(run::RunArguments),
    /// Walk the way of a database or object store to its KMIP servers, and say which step fails
    #[command(subcommand)]
    Doctor(doctor::DoctorCommand),
    /// Keys of MariaDB, for its plugin kmip_key_management
    Mariadb(mariadb::MariadbArguments),
    /// Play the OASIS test cases against a server
    Conformance(conformance::command::ConformanceArguments),
    /// Pretty-print a KMIP message
    Decode(decode::DecodeArguments),
    /// Print what completes commands in a shell
    Completions(manual::CompletionsArguments),
    /// Write manual pages
    Man(manual::ManArguments),
    /// Measure how fast a server is
    Bench(bench::BenchArguments),
}

fn main() -> ExitCode {
    #[cfg(debug_assertions)]
    crash::arm();
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(format_args!("error: {failure}"));
            ExitCode::from(failure.code)
        }
    }
}

fn run(arguments: &Arguments) -> Outcome {
    let format = if arguments.json { Format::Json } else { Format::Text };
    match &arguments.command {
        Command::Server(arguments) => server::run(arguments),
        Command::CheckConfig(arguments) => config::check(arguments, format),
        Command::Operator { api, command } => operator::run(command, api, format),
        Command::Status { api } => status::run(api, format),
        Command::Mount { api, command } => mount::run(command, api, format),
        Command::Config { api, command } => engine::run(command, api, format),
        Command::Ca { api, command } => ca::run(command, api, format),
        Command::Listener { api, command } => listener::run(command, api, format),
        Command::Scope { api, command } => scope::run(command, api, format),
        Command::Role { api, command } => role::run(command, api, format),
        Command::Credential { api, command } => credential::run(command, api, format),
        Command::Login { api, arguments } => login::run(arguments, api, format),
        Command::Auth { api, command } => auth::run(command, api, format),
        Command::Token { api, command } => token::run(command, api, format),
        Command::Policy { api, command } => policy::run(command, api, format),
        Command::Object(arguments) => object::run(arguments, format),
        Command::Audit { api, command } => audit::run(command, api, format),
        Command::Keystore(arguments) => keystore::run(arguments, format),
        Command::Run(arguments) => run::run(arguments),
        Command::Doctor(command) => doctor::run(command, format),
        Command::Mariadb(arguments) => mariadb::run(arguments, format),
        Command::Conformance(arguments) => conformance::command::run(arguments, format),
        Command::Decode(arguments) => decode::run(arguments, format),
        Command::Completions(arguments) => manual::completions(arguments, Arguments::command()),
        Command::Man(arguments) => manual::man(arguments, Arguments::command()),
        Command::Bench(arguments) => bench::run(arguments, format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_completes_and_has_a_page() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pages");
        let line = ["claviger", "man", path.to_str().unwrap()];
        run(&Arguments::try_parse_from(line).unwrap()).unwrap();
        let page = std::fs::read_to_string(path.join("claviger-operator-restore.1")).unwrap();
        assert!(page.contains(".TH claviger-operator-restore 1") && page.contains("data"));
        for shell in ["bash", "zsh", "fish"] {
            let line = ["claviger", "completions", shell];
            run(&Arguments::try_parse_from(line).unwrap()).unwrap();
        }
    }

    #[test]
    fn connection_flags_may_come_last() {
        let line = "claviger object create --length 128 --client dir --kmip-version 2.1 --json";
        assert!(Arguments::try_parse_from(line.split(' ')).unwrap().json);
        let line = "claviger object create --client dir --ca file";
        assert!(Arguments::try_parse_from(line.split(' ')).is_err());
        let line = "claviger object create --kmip-version 1.5";
        assert!(Arguments::try_parse_from(line.split(' ')).is_err());
    }
}
