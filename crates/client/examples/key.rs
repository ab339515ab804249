//! Makes a key, encrypts with it, and destroys it:
//!
//! ```text
//! cargo run -p claviger-client --example key -- DIR HOST[:PORT][,HOST[:PORT]…]
//! ```
//!
//! `DIR` has ca.pem, cert.pem and key.pem, as `claviger server --dev --export-client DIR` writes
//! them.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::Path;

use claviger_client::blocking::Client;
use claviger_client::tls::Files;
use claviger_client::{Endpoint, Error, Options};
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::{CryptographicParameters, Name};
use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, PaddingMethod, RevocationReasonCode,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), Some(servers)) = (arguments.next(), arguments.next()) else {
        println!("usage: key DIR HOST[:PORT][,HOST[:PORT]…]");
        return Ok(());
    };
    let servers = servers.split(',').map(str::parse).collect::<Result<Vec<Endpoint>, _>>()?;
    let tls = Files::in_directory(Path::new(&directory)).load()?;
    let client = Client::new(Options::new(servers, tls));

    let name = Attribute::Name(Name::text("an example's key"));
    let usage = Usage::ENCRYPT | Usage::DECRYPT;
    let made = client.create_symmetric_key(CryptographicAlgorithm::AES, 256, usage, [name])?;
    let key = made.unique_identifier;
    println!("made {key:?}");
    client.activate(key.clone())?;

    let parameters = Some(CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        ..CryptographicParameters::none()
    });
    let iv = Some(ByteString(vec![7; 16]));
    let sealed =
        client.encrypt(key.clone(), parameters.clone(), iv.clone(), b"some text".to_vec())?;
    let sealed = sealed.data.unwrap_or_default();
    println!("{} bytes encrypted", sealed.0.len());
    let opened = client.decrypt(key.clone(), parameters, iv, sealed.0)?;
    println!("{} bytes decrypted", opened.data.map_or(0, |data| data.len()));

    client.revoke(key.clone(), RevocationReasonCode::CESSATION_OF_OPERATION, None)?;
    client.destroy(key)?;
    println!("destroyed");
    Ok(())
}
