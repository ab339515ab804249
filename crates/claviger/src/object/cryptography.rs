//! Encrypt, Decrypt, Sign, Signature Verify, MAC.

use std::path::PathBuf;

use clap::Args;
use claviger_kmip::attributes::values::CryptographicParameters;
use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, HashingAlgorithm,
    PaddingMethod, ValidityIndicator,
};
use claviger_kmip::payload::{
    Data, DecryptRequest, EncryptRequest, MacRequest, SignRequest, SignatureVerifyRequest,
};
use serde_json::json;

use super::lifecycle::UniqueIdentifierArgument;
use super::{hex, identifier, words, write_output};
use crate::connection::Session;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::output::{self, Format};

/// Bytes as hex digits on the command line.
#[derive(Clone, Debug, PartialEq)]
struct Hex(Vec<u8>);

fn hex_digits(text: &str) -> Result<Hex, String> {
    let wrong = || String::from("write an even number of hex digits");
    let digits: Option<Vec<u8>> =
        text.chars().map(|it| it.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = digits.ok_or_else(wrong)?.chunks(2).map(pair).collect();
    bytes.map(Hex).ok_or_else(wrong)
}

/// How to do it; what is left out is the key's own.
#[derive(Args, Debug)]
struct ParameterArguments {
    /// Block cipher mode: CBC, CTR, GCM, …
    #[arg(long, value_parser = words::enumeration::<BlockCipherMode>)]
    mode: Option<BlockCipherMode>,
    /// Padding: PKCS5, OAEP, PSS, …
    #[arg(long, value_parser = words::enumeration::<PaddingMethod>)]
    padding: Option<PaddingMethod>,
    /// Hash: SHA-256, …
    #[arg(long, value_parser = words::enumeration::<HashingAlgorithm>)]
    hash: Option<HashingAlgorithm>,
    /// Algorithm: AES, HMAC-SHA256, …
    #[arg(long, value_parser = words::enumeration::<CryptographicAlgorithm>)]
    algorithm: Option<CryptographicAlgorithm>,
    /// Signature scheme: ECDSA with SHA256, …
    #[arg(long, value_parser = words::enumeration::<DigitalSignatureAlgorithm>)]
    signature_algorithm: Option<DigitalSignatureAlgorithm>,
    /// Length of the authentication tag in bytes
    #[arg(long, value_name = "BYTES")]
    tag_length: Option<i32>,
}

impl ParameterArguments {
    fn wire(&self, random_iv: Option<bool>) -> Option<CryptographicParameters> {
        let parameters = CryptographicParameters {
            block_cipher_mode: self.mode,
            padding_method: self.padding,
            hashing_algorithm: self.hash,
            digital_signature_algorithm: self.signature_algorithm,
            cryptographic_algorithm: self.algorithm,
            random_iv,
            tag_length: self.tag_length,
            ..CryptographicParameters::none()
        };
        (parameters != CryptographicParameters::none()).then_some(parameters)
    }
}

/// The key, the data, and where the result goes.
#[derive(Args, Debug)]
struct Work {
    #[command(flatten)]
    key: UniqueIdentifierArgument,
    /// File with the data; `-` is stdin
    #[arg(long = "in", value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// File for the result; `-` is stdout [default: print it in hex]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    parameters: ParameterArguments,
}

impl Work {
    fn data(&self) -> Outcome<Option<Data>> {
        Ok(Some(Data::from(input::bytes(&self.input)?.to_vec())))
    }
}

/// What to encrypt.
#[derive(Args, Debug)]
pub(super) struct EncryptArguments {
    #[command(flatten)]
    work: Work,
    /// Initialization vector, counter or nonce, in hex [default: the server makes one]
    #[arg(long, value_name = "HEX", value_parser = hex_digits)]
    iv: Option<Hex>,
    /// Additional data to authenticate, in hex
    #[arg(long, value_name = "HEX", value_parser = hex_digits)]
    aad: Option<Hex>,
}

/// What to decrypt.
#[derive(Args, Debug)]
pub(super) struct DecryptArguments {
    #[command(flatten)]
    work: Work,
    /// Initialization vector, counter or nonce, in hex
    #[arg(long, value_name = "HEX", value_parser = hex_digits)]
    iv: Option<Hex>,
    /// Additional data that is authenticated, in hex
    #[arg(long, value_name = "HEX", value_parser = hex_digits)]
    aad: Option<Hex>,
    /// Authentication tag, in hex
    #[arg(long, value_name = "HEX", value_parser = hex_digits)]
    tag: Option<Hex>,
}

/// What to sign.
#[derive(Args, Debug)]
pub(super) struct SignArguments {
    #[command(flatten)]
    work: Work,
}

/// What to verify.
#[derive(Args, Debug)]
pub(super) struct VerifyArguments {
    #[command(flatten)]
    key: UniqueIdentifierArgument,
    /// File with the data; `-` is stdin
    #[arg(long = "in", value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// File with the signature
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,
    #[command(flatten)]
    parameters: ParameterArguments,
}

/// What to compute a MAC of.
#[derive(Args, Debug)]
pub(super) struct MacArguments {
    #[command(flatten)]
    work: Work,
}

fn bytes(hex: Option<&Hex>) -> Option<ByteString> {
    hex.map(|hex| ByteString(hex.0.clone()))
}

/// Encrypts data.
pub(super) fn encrypt(
    session: &mut Session,
    arguments: &EncryptArguments,
    format: Format,
) -> Outcome {
    let work = &arguments.work;
    let needs_iv = work.parameters.mode.is_some_and(|mode| mode != BlockCipherMode::ECB);
    let random_iv = (needs_iv && arguments.iv.is_none()).then_some(true);
    let response = session.call(&EncryptRequest {
        unique_identifier: work.key.wire(),
        cryptographic_parameters: work.parameters.wire(random_iv),
        data: work.data()?,
        iv_counter_nonce: bytes(arguments.iv.as_ref()),
        authenticated_encryption_additional_data: bytes(arguments.aad.as_ref()),
        ..EncryptRequest::default()
    })?;
    let data = response.data.unwrap_or_default().0;
    let results = [
        Product::new("data", "data", Some(&data)),
        Product::new("iv", "iv_counter_nonce", response.iv_counter_nonce.as_ref().map(|it| &it.0)),
        Product::new(
            "tag",
            "authenticated_encryption_tag",
            response.authenticated_encryption_tag.as_ref().map(|it| &it.0),
        ),
    ];
    finish(work, identifier(&response.unique_identifier), &results, format)
}

/// Decrypts data.
pub(super) fn decrypt(
    session: &mut Session,
    arguments: &DecryptArguments,
    format: Format,
) -> Outcome {
    let work = &arguments.work;
    let response = session.call(&DecryptRequest {
        unique_identifier: work.key.wire(),
        cryptographic_parameters: work.parameters.wire(None),
        data: work.data()?,
        iv_counter_nonce: bytes(arguments.iv.as_ref()),
        authenticated_encryption_additional_data: bytes(arguments.aad.as_ref()),
        authenticated_encryption_tag: bytes(arguments.tag.as_ref()),
        ..DecryptRequest::default()
    })?;
    let data = response.data.unwrap_or_default();
    let results = [Product { label: "data", name: "data", bytes: Some(data.expose()) }];
    finish(work, identifier(&response.unique_identifier), &results, format)
}

/// Signs data.
pub(super) fn sign(session: &mut Session, arguments: &SignArguments, format: Format) -> Outcome {
    let work = &arguments.work;
    let response = session.call(&SignRequest {
        unique_identifier: work.key.wire(),
        cryptographic_parameters: work.parameters.wire(None),
        data: work.data()?,
        ..SignRequest::default()
    })?;
    let signature = response.signature_data.unwrap_or_default().0;
    let results = [Product::new("signature", "signature_data", Some(&signature))];
    finish(work, identifier(&response.unique_identifier), &results, format)
}

/// Computes a MAC.
pub(super) fn mac(session: &mut Session, arguments: &MacArguments, format: Format) -> Outcome {
    let work = &arguments.work;
    let response = session.call(&MacRequest {
        unique_identifier: work.key.wire(),
        cryptographic_parameters: work.parameters.wire(None),
        data: work.data()?,
        ..MacRequest::default()
    })?;
    let mac = response.mac_data.unwrap_or_default().0;
    let results = [Product::new("mac", "mac_data", Some(&mac))];
    finish(work, identifier(&response.unique_identifier), &results, format)
}

/// Verifies a signature; one that is not good is a failure.
pub(super) fn verify(
    session: &mut Session,
    arguments: &VerifyArguments,
    format: Format,
) -> Outcome {
    let response = session.call(&SignatureVerifyRequest {
        unique_identifier: arguments.key.wire(),
        cryptographic_parameters: arguments.parameters.wire(None),
        data: Some(Data::from(input::bytes(&arguments.input)?.to_vec())),
        signature_data: Some(ByteString(input::bytes(&arguments.signature)?.to_vec())),
        ..SignatureVerifyRequest::default()
    })?;
    let verdict = response.validity_indicator.unwrap_or(ValidityIndicator::UNKNOWN);
    match format {
        Format::Json => output::json(&json!({ "validity_indicator": format!("{verdict:?}") }))?,
        Format::Text => output::line(format_args!("{verdict:?}"))?,
    }
    if verdict == ValidityIndicator::VALID {
        return Ok(());
    }
    Err(Failure::new("the signature is not good")
        .next("Data, key and parameters must be those it was made with."))
}

/// One thing that an operation gave.
struct Product<'a> {
    /// What people call it.
    label: &'static str,
    /// What the specification calls it.
    name: &'static str,
    bytes: Option<&'a [u8]>,
}

impl<'a> Product<'a> {
    fn new(label: &'static str, name: &'static str, bytes: Option<&'a Vec<u8>>) -> Self {
        Self { label, name, bytes: bytes.map(Vec::as_slice) }
    }
}

/// The first result goes to the file, if there is one; the rest is printed.
fn finish(work: &Work, uid: &str, results: &[Product<'_>], format: Format) -> Outcome {
    let mut shown = results;
    if let (Some(path), [first, rest @ ..]) = (&work.out, results) {
        write_output(path, first.bytes.unwrap_or_default())?;
        shown = rest;
        if path.as_os_str() == "-" {
            // Nothing may be mixed into the bytes.
            for result in rest {
                if let Some(bytes) = result.bytes {
                    output::note(format_args!("{}: {}", result.label, hex(bytes)));
                }
            }
            return Ok(());
        }
    }
    let there = shown.iter().filter_map(|result| Some((result, result.bytes?)));
    match format {
        Format::Json => {
            let mut document = serde_json::Map::new();
            document.insert(String::from("unique_identifier"), json!(uid));
            for (result, bytes) in there {
                document.insert(result.name.to_owned(), json!(hex(bytes)));
            }
            output::json(&document)
        }
        Format::Text => {
            let rows: Vec<_> =
                there.map(|(result, bytes)| vec![result.label.to_owned(), hex(bytes)]).collect();
            if rows.is_empty() { Ok(()) } else { output::table(&[], rows) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_on_the_command_line() {
        assert_eq!(hex_digits("00fF"), Ok(Hex(vec![0, 255])));
        assert_eq!(hex_digits(""), Ok(Hex(vec![])));
        for bad in ["0", "0g", "0x00", "é"] {
            assert!(hex_digits(bad).is_err(), "{bad}");
        }
    }
}
