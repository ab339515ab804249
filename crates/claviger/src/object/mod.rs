//! `claviger object`: a KMIP client for people and scripts.

mod cryptography;
mod describe;
mod holders;
mod lifecycle;
mod make;
mod read;
mod words;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use clap::{Args, Subcommand};
use claviger_kmip::attributes::values::UniqueIdentifier;

use crate::connection::{ConnectionArguments, Session};
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// What to do, and with which server.
#[derive(Args, Debug)]
pub(crate) struct ObjectArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(subcommand)]
    command: ObjectCommand,
}

#[derive(Debug, Subcommand)]
enum ObjectCommand {
    #[command(flatten)]
    Kmip(KmipCommand),
    /// List the client certificates that fetched an object, over the administration API
    Holders(holders::HoldersArguments),
    /// Revoke an object as compromised and list who has it, over the administration API
    Compromise(holders::CompromiseArguments),
}

#[derive(Debug, Subcommand)]
enum KmipCommand {
    /// Make a symmetric key
    Create(make::CreateArguments),
    /// Make a key pair
    CreatePair(make::CreatePairArguments),
    /// Make a new symmetric key in the place of another, with its names and attributes
    Rekey(make::RekeyArguments),
    /// Make a new key pair in the place of another
    RekeyPair(make::RekeyArguments),
    /// Store a key, secret or certificate
    Register(make::RegisterArguments),
    /// Get an object
    Get(read::GetArguments),
    /// Show and change the attributes of an object
    #[command(subcommand)]
    Attributes(read::AttributesCommand),
    /// Find objects by their attributes
    Locate(read::LocateArguments),
    /// Make an object Active
    Activate(lifecycle::UniqueIdentifierArgument),
    /// Take an object out of use
    Revoke(lifecycle::RevokeArguments),
    /// Destroy the key material of an object
    Destroy(lifecycle::UniqueIdentifierArgument),
    /// Encrypt data
    Encrypt(cryptography::EncryptArguments),
    /// Decrypt data
    Decrypt(cryptography::DecryptArguments),
    /// Sign data
    Sign(cryptography::SignArguments),
    /// Verify a signature
    Verify(cryptography::VerifyArguments),
    /// Compute a MAC
    Mac(cryptography::MacArguments),
    /// Ask the server what it can do
    Query,
}

/// Runs the command.
pub(crate) fn run(arguments: &ObjectArguments, format: Format) -> Outcome {
    match &arguments.command {
        ObjectCommand::Kmip(command) => {
            run_kmip(command, &mut arguments.connection.open()?, format)
        }
        ObjectCommand::Holders(arguments) => holders::holders(arguments, format),
        ObjectCommand::Compromise(arguments) => holders::compromise(arguments, format),
    }
}

fn run_kmip(command: &KmipCommand, session: &mut Session, format: Format) -> Outcome {
    match command {
        KmipCommand::Create(arguments) => make::create(session, arguments, format),
        KmipCommand::CreatePair(arguments) => make::create_pair(session, arguments, format),
        KmipCommand::Rekey(arguments) => make::rekey(session, arguments, format),
        KmipCommand::RekeyPair(arguments) => make::rekey_pair(session, arguments, format),
        KmipCommand::Register(arguments) => make::register(session, arguments, format),
        KmipCommand::Get(arguments) => read::get(session, arguments, format),
        KmipCommand::Attributes(command) => read::attributes(session, command, format),
        KmipCommand::Locate(arguments) => read::locate(session, arguments, format),
        KmipCommand::Activate(arguments) => lifecycle::activate(session, arguments, format),
        KmipCommand::Revoke(arguments) => lifecycle::revoke(session, arguments, format),
        KmipCommand::Destroy(arguments) => lifecycle::destroy(session, arguments, format),
        KmipCommand::Encrypt(arguments) => cryptography::encrypt(session, arguments, format),
        KmipCommand::Decrypt(arguments) => cryptography::decrypt(session, arguments, format),
        KmipCommand::Sign(arguments) => cryptography::sign(session, arguments, format),
        KmipCommand::Verify(arguments) => cryptography::verify(session, arguments, format),
        KmipCommand::Mac(arguments) => cryptography::mac(session, arguments, format),
        KmipCommand::Query => read::query(session, format),
    }
}

/// The identifier as text; a response has no other form.
fn identifier(unique_identifier: &UniqueIdentifier) -> &str {
    match unique_identifier {
        UniqueIdentifier::Text(text) => text,
        _ => "",
    }
}

/// Prints the identifier of the object that something was done to.
fn report(format: Format, unique_identifier: &UniqueIdentifier) -> Outcome {
    let identifier = identifier(unique_identifier);
    match format {
        Format::Json => output::json(&serde_json::json!({ "unique_identifier": identifier })),
        Format::Text => output::line(identifier),
    }
}

/// Writes a file that only its owner may read, or stdout for `-`.
fn write_output(path: &Path, bytes: &[u8]) -> Outcome {
    if path.as_os_str() == "-" {
        return output::print_bytes(bytes);
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let result = options.open(path).and_then(|mut file| file.write_all(bytes));
    result.map_err(|error| Failure::file(path, &error))
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
