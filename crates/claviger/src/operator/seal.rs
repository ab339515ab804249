//! What opens the seal of a stopped server or of a backup: a key file, shares, a PKCS#11 token, another
//! KMIP server; and
//! `claviger operator migrate-seal`, which lets another of them keep the root key.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use claviger_server::seal::shamir::Share;
use claviger_server::seal::{
    Barrier, Custodian, Custody, KeyFile, Opener, Peer, PinSource, SealConfig, SealError, Token,
    TokenOptions,
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::config::{self, Config};
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{self, Format};

/// What opens the seal.
#[derive(Args, Clone, Debug)]
pub(crate) struct SealArguments {
    /// The key file that keeps the root key
    #[arg(long, value_name = "FILE", group = "opener")]
    key_file: Option<PathBuf>,
    /// A file with key shares, one a line; `-` is stdin
    #[arg(long, value_name = "FILE", group = "opener")]
    shares: Option<PathBuf>,
    /// The PKCS#11 library of the token that keeps the root key
    #[arg(long, value_name = "FILE", requires = "pkcs11_token")]
    pkcs11_module: Option<PathBuf>,
    /// The label of the PKCS#11 token
    #[arg(long, value_name = "LABEL", requires = "pkcs11_module")]
    pkcs11_token: Option<String>,
    /// The label of the AES key in the PKCS#11 token
    #[arg(long, value_name = "LABEL", default_value = "claviger")]
    pkcs11_key: String,
    /// A file whose first line is the PIN of the PKCS#11 token; else the variable CLAVIGER_PKCS11_PIN
    #[arg(long, value_name = "FILE", requires = "pkcs11_module")]
    pkcs11_pin_file: Option<PathBuf>,
    /// The server's configuration file, whose section `seal` names the KMIP server that keeps the root key
    #[arg(long, value_name = "FILE", group = "opener")]
    kmip_config: Option<PathBuf>,
}

impl SealArguments {
    /// What was given, if anything was.
    pub(super) fn opener(&self) -> Outcome<Option<Opener>> {
        if self.pkcs11_module.is_some() && self.names_other() {
            return Err(Failure::usage("more than one thing is named that opens the seal")
                .next("Give one of them, the one that keeps the root key now."));
        }
        match self.token()? {
            Some(token) => Ok(Some(Opener::Custodian(Custodian::Pkcs11(token)))),
            None => self.other(),
        }
    }

    /// Whether something else than a PKCS#11 token was given.
    fn names_other(&self) -> bool {
        self.key_file.is_some() || self.shares.is_some() || self.kmip_config.is_some()
    }

    /// What else than a PKCS#11 token was given, if anything was.
    fn other(&self) -> Outcome<Option<Opener>> {
        if let Some(path) = &self.key_file {
            return Ok(Some(Opener::Custodian(Custodian::KeyFile(KeyFile::new(path)))));
        }
        if let Some(path) = &self.shares {
            return Ok(Some(Opener::Shares(read_shares(path)?)));
        }
        match &self.kmip_config {
            Some(path) => Ok(Some(Opener::Custodian(Custodian::Kmip(peer(path)?)))),
            None => Ok(None),
        }
    }

    /// What was given.
    pub(super) fn required(&self) -> Outcome<Opener> {
        self.opener()?
            .ok_or_else(|| Failure::usage("nothing is named that opens the seal").next(OPENERS))
    }

    /// The key file, if that is what was given.
    pub(super) fn key_file(&self) -> Option<&Path> {
        self.key_file.as_deref()
    }

    fn token(&self) -> Outcome<Option<Token>> {
        let (Some(module), Some(label)) = (&self.pkcs11_module, &self.pkcs11_token) else {
            return Ok(None);
        };
        let pin = match &self.pkcs11_pin_file {
            Some(path) => PinSource::File(path.clone()),
            None => PinSource::Environment("CLAVIGER_PKCS11_PIN".to_owned()),
        };
        let options = TokenOptions {
            module: module.clone(),
            token_label: label.clone(),
            key_label: self.pkcs11_key.clone(),
            pin,
        };
        Token::open(options).map(Some).map_err(Failure::new)
    }
}

const OPENERS: &str =
    "Give --key-file, --shares, --kmip-config, or --pkcs11-module and --pkcs11-token.";

/// The KMIP server that a configuration file names in its section `seal`.
fn peer(path: &Path) -> Outcome<Peer> {
    let config = Config::read(path).map_err(|problems| config::failure(path, &problems))?;
    let options = config.peer().ok_or_else(|| {
        Failure::usage(format!("{}: its seal is not that of another KMIP server", path.display()))
            .next("Set type = \"kmip\" in [seal], and where that server is.")
    })?;
    Peer::open(options).map_err(Failure::new)
}

fn read_shares(path: &Path) -> Outcome<Vec<Share>> {
    let is_stdin = path == Path::new("-");
    let _unseen = match is_stdin {
        true => input::unseen("Key shares, one a line, then Ctrl-D")?,
        false => None,
    };
    let input: Box<dyn Read> = if is_stdin {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|error| Failure::file(path, &error))?)
    };
    let mut shares = Vec::new();
    for line in BufReader::new(input).lines() {
        let line = Zeroizing::new(line.map_err(|error| Failure::file(path, &error))?);
        if line.trim().is_empty() {
            continue;
        }
        shares.push(share(line.trim()).ok_or_else(|| {
            Failure::usage("a line is no key share")
                .next("Shares are hexadecimal or base64, one a line, as they were handed out.")
        })?);
    }
    Ok(shares)
}

/// Hexadecimal, else base64.
fn share(text: &str) -> Option<Share> {
    let bytes = match hex(text) {
        Some(bytes) => bytes,
        None => STANDARD.decode(text).ok()?,
    };
    Some(Share::new(Zeroizing::new(bytes)))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from((digit(high)? << 4) | digit(low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// Who keeps the root key from now on.
#[derive(Args, Debug)]
pub(crate) struct MigrateArguments {
    /// The data directory of the server, which must not run
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    seal: SealArguments,
    /// From now on this key file; it is made if it is not there
    #[arg(long, value_name = "FILE", group = "to")]
    to_key_file: Option<PathBuf>,
    /// From now on the PKCS#11 token of the --pkcs11 options; its key is made if it is not there
    #[arg(long, group = "to", requires = "pkcs11_module")]
    to_pkcs11: bool,
    /// From now on the KMIP server of section `seal` in this configuration file; a key is made there if none is named
    #[arg(long, value_name = "FILE", group = "to")]
    to_kmip: Option<PathBuf>,
    /// From now on people with so many key shares, which are printed
    #[arg(long, value_name = "N", group = "to", requires = "to_threshold")]
    to_shares: Option<u8>,
    /// How many of them unseal
    #[arg(long, value_name = "N", requires = "to_shares")]
    to_threshold: Option<u8>,
}

/// Lets another keep the root key: a fresh one, so that what opened the store before opens it no more.
pub(super) fn migrate(arguments: &MigrateArguments, format: Format) -> Outcome {
    // With it the token is where the root key goes, and where it comes from if nothing else is named.
    let token = if arguments.to_pkcs11 { arguments.seal.token()? } else { None };
    let opener = match &token {
        Some(token) => match arguments.seal.other()? {
            Some(opener) => opener,
            None => Opener::Custodian(Custodian::Pkcs11(token.clone())),
        },
        None => arguments.seal.required()?,
    };
    let to = match (&arguments.to_key_file, &arguments.to_kmip, token) {
        (Some(path), _, _) => Some(Custodian::KeyFile(KeyFile::new(path))),
        (None, Some(path), _) => Some(Custodian::Kmip(peer(path)?)),
        (None, None, Some(token)) => Some(Custodian::Pkcs11(token)),
        (None, None, None) => None,
    };
    let custody = open_store(&arguments.data_dir, &opener)?;
    if let Some(to) = to {
        custody.entrust(&to).map_err(refused)?;
        drop(custody);
        return finish(&opener, &to, format);
    }
    let (Some(shares), Some(threshold)) = (arguments.to_shares, arguments.to_threshold) else {
        return Err(Failure::usage("nothing is named that is to keep the root key").next(
            "Give --to-key-file, --to-pkcs11, --to-kmip, or --to-shares and --to-threshold.",
        ));
    };
    let Opener::Custodian(from) = &opener else {
        return Err(Failure::usage("key shares keep it already")
            .next("New shares of a running server: claviger operator rekey --init"));
    };
    let dealt = custody.entrust_to_people(from, shares, threshold).map_err(refused)?;
    let texts: Vec<String> = dealt.iter().map(|share| STANDARD.encode(share.bytes())).collect();
    if format == Format::Json {
        return output::json(&json!({ "kept_by": "shamir", "keys_base64": texts }));
    }
    for (number, text) in (1..).zip(&texts) {
        output::line(format_args!("Key share {number}: {text}"))?;
    }
    output::note(
        "Give each to another person: they are not shown again. What kept the root key before opens \
         the store too, until the shares have unsealed it once: delete it then.",
    );
    Ok(())
}

/// A key file that is not the one in use any more goes.
fn finish(from: &Opener, to: &Custodian, format: Format) -> Outcome {
    if let Opener::Custodian(Custodian::KeyFile(old)) = from {
        let is_same = matches!(to, Custodian::KeyFile(new) if same(old.path(), new.path()));
        if !is_same {
            claviger_server::seal::fault::key_file_is_obsolete();
            old.remove().map_err(refused)?;
        }
    }
    let kind = to.kind();
    match format {
        Format::Json => output::json(&json!({ "kept_by": kind })),
        Format::Text => {
            output::line(format_args!("the root key, a new one, is kept by {kind}"))?;
            output::note("Say so in [seal] of the server's configuration before it starts.");
            Ok(())
        }
    }
}

fn same(left: &Path, right: &Path) -> bool {
    match (left.canonicalize(), right.canonicalize()) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    }
}

/// Opens the store of a server that does not run.
fn open_store(directory: &Path, opener: &Opener) -> Outcome<Custody> {
    let engine = claviger_server::open_store(directory).map_err(Failure::new)?;
    let config = SealConfig::read(engine.as_ref()).map_err(refused)?.map(|(config, _)| config);
    let root = opener.open(config.as_ref()).map_err(refused)?;
    let barrier = Barrier::unseal(engine, &root).map_err(refused)?;
    Ok(Custody::new(Arc::new(barrier)))
}

/// What the seal refuses, and what to do next.
pub(super) fn refused(error: SealError) -> Failure {
    let next = match &error {
        SealError::WrongRootKey => "This key file belongs to another store.",
        SealError::WrongSealKey => "They belong to another store, or were replaced.",
        SealError::KeptOtherwise(_) => {
            "Give what keeps it: --key-file, --shares, --kmip-config, or --pkcs11-module and --pkcs11-token."
        }
        SealError::TooFewShares { .. } => "Put more of them into the file of --shares.",
        _ => return Failure::new(error),
    };
    Failure::new(error).next(next)
}
