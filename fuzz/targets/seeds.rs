//! Writes the corpora that fuzzing starts from: `seeds DIR` makes one directory for each target.

use std::fs;
use std::path::{Path, PathBuf};

use claviger_crypto::SystemRng;
use claviger_crypto::format::PrivateKey;
use claviger_crypto::generate;
use claviger_fuzz::seeds;
use claviger_fuzz::server::Server;
use claviger_kmip::enums::{CryptographicAlgorithm, KeyFormatType, RecommendedCurve};
use claviger_kmip::tables::KmipNames;
use claviger_ttlv::{Layout, json, xml};
// What is built for fuzzing calls its runtime everywhere, here too.
use libfuzzer_sys as _;

fn main() {
    let root = PathBuf::from(std::env::args_os().nth(1).expect("usage: seeds DIR"));
    for (position, sequence) in seeds::sequences().iter().enumerate() {
        let bytes: Vec<u8> = sequence.iter().flat_map(claviger_ttlv::Node::to_bytes).collect();
        write(&root, "request_dispatch", &format!("sequence-{position}"), &bytes);
    }
    for (position, request) in seeds::requests().iter().enumerate() {
        write(&root, "ttlv_reader", &format!("request-{position}"), &request.to_bytes());
        let text = xml::write(request, &KmipNames, Layout::Compact);
        write(&root, "text_encodings", &format!("request-{position}.xml"), text.as_bytes());
        let text = json::write(request, &KmipNames, Layout::Compact);
        write(&root, "text_encodings", &format!("request-{position}.json"), text.as_bytes());
    }
    write(&root, "der_keys", "certificate", Server::new().certificate());
    for (name, key) in keys() {
        for format in [KeyFormatType::PKCS_1, KeyFormatType::PKCS_8, KeyFormatType::EC_PRIVATE_KEY]
        {
            if let Ok(bytes) = key.write(format) {
                write(&root, "der_keys", &format!("{name}-{}", format.0), bytes.expose());
            }
        }
        let public = key.public().expect("a new key has a public half");
        for format in [KeyFormatType::PKCS_1, KeyFormatType::X_509] {
            if let Ok(bytes) = public.write(format) {
                write(&root, "der_keys", &format!("{name}-public-{}", format.0), &bytes);
            }
        }
    }
}

fn keys() -> Vec<(&'static str, PrivateKey)> {
    let kinds = [
        ("p224", CryptographicAlgorithm::ECDSA, Some(RecommendedCurve::P_224)),
        ("p256", CryptographicAlgorithm::ECDSA, Some(RecommendedCurve::P_256)),
        ("p384", CryptographicAlgorithm::ECDSA, Some(RecommendedCurve::P_384)),
        ("p521", CryptographicAlgorithm::ECDSA, Some(RecommendedCurve::P_521)),
        ("secp256k1", CryptographicAlgorithm::ECDSA, Some(RecommendedCurve::SECP256K1)),
        ("x25519", CryptographicAlgorithm::ECDH, Some(RecommendedCurve::CURVE25519)),
        ("ed25519", CryptographicAlgorithm::ED25519, None),
        ("rsa", CryptographicAlgorithm::RSA, None),
    ];
    let rng = SystemRng::new();
    let pair = |algorithm, curve| generate::pair(algorithm, None, curve, &rng);
    kinds
        .into_iter()
        .map(|(name, algorithm, curve)| (name, pair(algorithm, curve).expect("a key").0))
        .collect()
}

fn write(root: &Path, target: &str, name: &str, bytes: &[u8]) {
    let directory = root.join(target);
    fs::create_dir_all(&directory).expect("the directory can be made");
    fs::write(directory.join(name), bytes).expect("the seed can be written");
}
