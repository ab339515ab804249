//! `claviger operator rotate`, `rekey` and `generate-root`: the life of the root key, over the API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use clap::Args;
use serde_json::{Value, json};

use super::given_share;
use crate::api::Api;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// New key shares.
#[derive(Args, Debug)]
pub(crate) struct RekeyArguments {
    /// Begin
    #[arg(long, conflicts_with_all = ["cancel", "status", "share"])]
    init: bool,
    /// How many key shares to make
    #[arg(long, value_name = "N", default_value_t = 5, requires = "init")]
    key_shares: u8,
    /// How many of them unseal the server
    #[arg(long, value_name = "N", default_value_t = 3, requires = "init")]
    key_threshold: u8,
    /// With --init: the new shares count only when enough of them have been given back. Else: this is
    /// a new share, given back
    #[arg(long)]
    verify: bool,
    /// End it; nothing has changed
    #[arg(long, conflicts_with_all = ["status", "share"])]
    cancel: bool,
    /// Only say how far it has come
    #[arg(long, conflicts_with = "share")]
    status: bool,
    /// Names the attempt; asked for unless given
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// A key share; without it, it is asked for and not shown, or read from stdin
    #[arg(value_name = "SHARE")]
    share: Option<String>,
}

/// A root token.
#[derive(Args, Debug)]
pub(crate) struct GenerateRootArguments {
    /// Begin; prints the one-time pad that reveals the token
    #[arg(long, conflicts_with_all = ["cancel", "status", "decode", "share"])]
    init: bool,
    /// End it
    #[arg(long, conflicts_with_all = ["status", "decode", "share"])]
    cancel: bool,
    /// Only say how far it has come
    #[arg(long, conflicts_with_all = ["decode", "share"])]
    status: bool,
    /// Reveal a token with its one-time pad
    #[arg(long, value_name = "ENCODED", requires = "otp", conflicts_with = "share")]
    decode: Option<String>,
    /// The one-time pad
    #[arg(long, value_name = "PAD")]
    otp: Option<String>,
    /// Names the attempt; asked for unless given
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// A key share; without it, it is asked for and not shown, or read from stdin
    #[arg(value_name = "SHARE")]
    share: Option<String>,
}

/// Rotates the key of records.
pub(super) fn rotate(api: &Api, format: Format) -> Outcome {
    api.write("sys/rotate", &Value::Null)?;
    let status = api.read("sys/key-status")?.unwrap_or_default();
    match format {
        Format::Json => output::json(&status),
        Format::Text => {
            output::line(format_args!("record key {} is in use", text(&status, "term")))
        }
    }
}

/// One step of a rekeying.
pub(super) fn rekey(arguments: &RekeyArguments, api: &Api, format: Format) -> Outcome {
    let answer = if arguments.init {
        let body = json!({
            "secret_shares": arguments.key_shares,
            "secret_threshold": arguments.key_threshold,
            "require_verification": arguments.verify,
        });
        api.bare("PUT", "sys/rekey/init", Some(&body))?
    } else if arguments.cancel {
        api.delete("sys/rekey/init")?;
        json!({ "result": "cancelled" })
    } else if arguments.status {
        api.bare("GET", "sys/rekey/init", None)?
    } else {
        let (status, path) = match arguments.verify {
            true => ("sys/rekey/verify", "sys/rekey/verify"),
            false => ("sys/rekey/init", "sys/rekey/update"),
        };
        give(api, (status, path), arguments.nonce.as_deref(), arguments.share.as_deref())?
    };
    if format == Format::Json {
        return output::json(&answer);
    }
    let keys = answer.get("keys_base64").and_then(Value::as_array);
    for (number, key) in (1..).zip(keys.into_iter().flatten().filter_map(Value::as_str)) {
        output::line(format_args!("Key share {number}: {key}"))?;
    }
    if keys.is_some() {
        output::note(if answer.get("verification_required") == Some(&json!(true)) {
            "They do not count yet: give enough of them back with --verify."
        } else {
            "Give each to another person: they are not shown again. The present shares open the \
             store too, until the new ones have unsealed it once."
        });
        return Ok(());
    }
    progress(&answer)
}

/// One step towards a root token.
pub(super) fn generate_root(
    arguments: &GenerateRootArguments,
    api: &Api,
    format: Format,
) -> Outcome {
    if let (Some(hidden), Some(pad)) = (&arguments.decode, &arguments.otp) {
        let token = reveal(hidden, pad)?;
        return match format {
            Format::Json => output::json(&json!({ "token": token })),
            Format::Text => output::line(token),
        };
    }
    let path = "sys/generate-root/attempt";
    let answer = if arguments.init {
        let body = arguments.otp.as_ref().map_or_else(|| json!({}), |pad| json!({ "otp": pad }));
        api.bare("PUT", path, Some(&body))?
    } else if arguments.cancel {
        api.delete(path)?;
        json!({ "result": "cancelled" })
    } else if arguments.status {
        api.bare("GET", path, None)?
    } else {
        let paths = (path, "sys/generate-root/update");
        give(api, paths, arguments.nonce.as_deref(), arguments.share.as_deref())?
    };
    if format == Format::Json {
        return output::json(&answer);
    }
    match (text(&answer, "otp").as_str(), text(&answer, "encoded_token").as_str()) {
        ("", "") => progress(&answer),
        (pad, "") => {
            output::line(format_args!("One-time pad: {pad}"))?;
            progress(&answer)
        }
        (_, hidden) => {
            output::line(format_args!("Encoded token: {hidden}"))?;
            output::note(
                "Reveal it: claviger operator generate-root --decode ENCODED --otp PAD, with the pad \
                 that --init printed.",
            );
            Ok(())
        }
    }
}

/// Gives a share to the attempt under way, or to the one that is named.
fn give(
    api: &Api,
    (status, path): (&str, &str),
    nonce: Option<&str>,
    share: Option<&str>,
) -> Outcome<Value> {
    let nonce = match nonce {
        Some(nonce) => nonce.to_owned(),
        None => text(&api.bare("GET", status, None)?, "nonce"),
    };
    if nonce.is_empty() {
        return Err(Failure::new("nothing is in progress").next("Begin it with --init."));
    }
    let share = given_share(share)?;
    api.bare("PUT", path, Some(&json!({ "key": share.as_str(), "nonce": nonce })))
}

fn progress(answer: &Value) -> Outcome {
    if let Some(result) = answer.get("result").and_then(Value::as_str) {
        return output::line(result);
    }
    if answer.get("complete") == Some(&json!(true)) {
        return output::line("complete");
    }
    let needed = answer.get("required").or_else(|| answer.get("t"));
    let rows = [("nonce", text(answer, "nonce")), ("given", text(answer, "progress"))];
    let rows = rows.into_iter().chain(needed.map(|it| ("needed", it.to_string())));
    output::table(&[], rows.map(|(name, value)| vec![name.to_owned(), value]))
}

fn reveal(hidden: &str, pad: &str) -> Outcome<String> {
    let unfit = || Failure::usage("this is no token under that one-time pad");
    let hidden = STANDARD_NO_PAD.decode(hidden.trim_end_matches('=')).map_err(|_| unfit())?;
    if hidden.len() != pad.len() {
        return Err(unfit());
    }
    let token = hidden.iter().zip(pad.bytes()).map(|(left, right)| left ^ right).collect();
    String::from_utf8(token).map_err(|_| unfit())
}

fn text(answer: &Value, name: &str) -> String {
    match answer.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_revealed_by_its_pad_only() {
        let hidden: Vec<u8> = b"hvs.token".iter().zip(b"padpadpad").map(|(l, r)| l ^ r).collect();
        let hidden = STANDARD_NO_PAD.encode(hidden);
        assert_eq!(reveal(&hidden, "padpadpad").unwrap(), "hvs.token");
        for (hidden, pad) in [(hidden.as_str(), "short"), ("?", "padpadpad")] {
            assert_eq!(reveal(hidden, pad).unwrap_err().code, 2);
        }
    }
}
