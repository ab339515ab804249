//! mongod.conf, read by the rules of `claviger keystore`: those of Percona Server for MongoDB, at any of its levels.

use claviger_at_rest::options::{Activation, Facility, OPTIONS};
use claviger_at_rest::{Error, Level, Options, load_tls};
use claviger_client::Dialect;
use claviger_kmip::Version;

use super::report::Fault;
use super::target::{Habit, MasterKey, PreActive, Server, Spoken, Target};
use crate::failure::{Kind, Names};

/// The largest answer that the original takes, in bytes.
const RESPONSE_SIZE_MAX: u32 = 8192;

static NAMES: Names = Names {
    server: "security.kmip.serverName",
    address: "host names or addresses without a port, separated by commas",
    port: "security.kmip.port",
    ca: "security.kmip.serverCAFile",
    certificate: "security.kmip.clientCertificateFile",
    key: "security.kmip.clientCertificateFile (or clientKeyFile)",
    password: "Give the right security.kmip.clientCertificatePassword, or a key that is not encrypted.",
    version: "version of KMIP (mongod speaks 1.0 only)",
};

/// Reads a mongod.conf for a level.
pub(super) fn read(text: &str, level: Level) -> Result<Target, Fault> {
    let options = Options::from_mongod_conf(text).map_err(Error::Options).map_err(wrong)?;
    let settings = options.settings(level).map_err(Error::Options).map_err(wrong)?;
    let Facility::Kmip(kmip) = settings.facility else {
        let problem = "security.kmip.serverName: it is missing, and a key file is named instead";
        return Err(Fault::new(Kind::Configuration, problem));
    };
    let tls = load_tls(&kmip).map_err(unusable);
    let server = |endpoint: &claviger_client::Endpoint| Server {
        endpoint: endpoint.clone(),
        tls: tls.clone(),
    };
    let timeouts = kmip.timeouts();
    let pre_active = match kmip.activation {
        Activation::Tolerant => PreActive::Tolerated,
        Activation::Off | Activation::Strict => PreActive::Refused,
    };
    let key = kmip.key_identifier.map(|key| match level {
        Level::V4_2 => MasterKey::Name(key),
        Level::V5_0 | Level::V8_0 => MasterKey::Identifier(key, pre_active),
    });
    Ok(Target {
        product: "mongod",
        names: &NAMES,
        servers: kmip.servers.iter().map(server).collect(),
        timeouts,
        dialect: Dialect {
            maximum_response_size: Some(RESPONSE_SIZE_MAX),
            time_stamp: true,
            ..Dialect::default()
        },
        spoken: Spoken::First(Version::V1_0, &[]),
        habit: Habit::Mongod { activates: kmip.activation != Activation::Off, key },
        advice: Vec::new(),
        trusts_anybody: None,
    })
}

/// Options that are missing are called as in the file, not as on a command line.
fn wrong(error: Error) -> Fault {
    let mut rows: Vec<_> = OPTIONS.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.flag.len()));
    let problem = rows
        .into_iter()
        .fold(error.to_string(), |text, row| text.replace(&format!("--{}", row.flag), row.key));
    Fault::new(Kind::Configuration, problem)
        .change("docs/at-rest.md has every option with its rules.")
}

/// What is wrong with the files, in the kinds of a client.
fn unusable(error: Error) -> Fault {
    let kind = match error {
        Error::Password { .. } => Kind::Password,
        _ => Kind::Files,
    };
    Fault::new(kind, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_called_as_in_the_file() {
        for (text, said) in [
            ("", "security.kmip.serverName: it is missing"),
            (
                "security: {enableEncryption: true, kmip: {serverName: a}}",
                "security.kmip.serverName: it needs security.kmip.clientCertificateFile",
            ),
            (
                "security: {kmip: {serverName: a, clientCertificateFile: c}}",
                "it needs security.enableEncryption",
            ),
            (
                "security: {enableEncryption: true, encryptionKeyFile: k}",
                "a key file is named instead",
            ),
            ("security: {kmip: {port: x}}", "security.kmip.port: write a whole number"),
            ("security: {kmip: {server: a}}", "security.kmip.server: there is no such option"),
        ] {
            let fault = read(text, Level::V5_0).err().unwrap();
            assert!(fault.problem.contains(said), "{text}: {}", fault.problem);
            assert!(!fault.problem.contains("--"), "{text}: {}", fault.problem);
            assert_eq!(fault.kind, Kind::Configuration);
        }
    }
}
