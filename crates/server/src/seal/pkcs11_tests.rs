//! Against SoftHSM2, which Debian has. Without it these tests say so; under CI they fail.

use super::*;
use crate::seal::{Barrier, Custodian, Custody, SealConfig};
use claviger_store::Memory;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

const PIN: &str = "271828-pin";
const MODULES: &[&str] =
    &["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];

/// The library with one token "claviger" in it: it reads its configuration once in a process.
fn soft_hsm() -> Option<&'static (PathBuf, tempfile::TempDir)> {
    static TOKENS: OnceLock<Option<(PathBuf, tempfile::TempDir)>> = OnceLock::new();
    let found = TOKENS.get_or_init(|| {
        let module = MODULES.iter().map(Path::new).find(|module| module.exists())?;
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("softhsm2.conf");
        let tokens = directory.path().join("tokens");
        std::fs::create_dir(&tokens).unwrap();
        std::fs::write(&config, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
        #[expect(unsafe_code, reason = "the library reads its configuration's place there")]
        // SAFETY: nothing else in these tests reads or writes this variable.
        unsafe {
            std::env::set_var("SOFTHSM2_CONF", &config);
        }
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", "claviger", "--so-pin", "1234567"])
            .args(["--pin", PIN])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        std::fs::write(directory.path().join("pin"), format!("{PIN}\n")).unwrap();
        Some((module.to_owned(), directory))
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "SoftHSM2 is missing: install softhsm2");
        println!("skipped: SoftHSM2 is missing");
    }
    found.as_ref()
}

fn options(key_label: &str) -> Option<TokenOptions> {
    let (module, directory) = soft_hsm()?;
    Some(TokenOptions {
        module: module.clone(),
        token_label: "claviger".to_owned(),
        key_label: key_label.to_owned(),
        pin: PinSource::File(directory.path().join("pin")),
    })
}

#[test]
fn a_token_opens_what_it_has_sealed_and_another_key_does_not() {
    let Some(options) = options("first") else { return };
    let token = Token::open(options.clone()).unwrap();
    let root = RootKey::generate().unwrap();
    assert!(matches!(token.wrap(&root), Err(SealError::Token(TokenError::NoKey(_)))));
    token.prepare().unwrap();
    token.prepare().unwrap();
    let sealed = token.wrap(&root).unwrap();
    assert_ne!(sealed, token.wrap(&root).unwrap(), "a nonce is never used twice");
    assert_eq!(sealed.len(), 1 + 12 + 32 + 16);
    assert!(!sealed.windows(8).any(|part| root.bytes().windows(8).any(|key| key == part)));
    let again = Token::open(options.clone()).unwrap();
    assert_eq!(again.unwrap(&sealed).unwrap().bytes(), root.bytes());

    let other = Token::open(TokenOptions { key_label: "second".to_owned(), ..options }).unwrap();
    other.prepare().unwrap();
    assert!(matches!(other.unwrap(&sealed), Err(SealError::Token(TokenError::WrongKey))));
    for index in 1..sealed.len() {
        let mut bad = sealed.clone();
        bad[index] ^= 1;
        assert!(matches!(token.unwrap(&bad), Err(SealError::Token(TokenError::WrongKey))));
    }
    let newer = [&[2], &sealed[1..]].concat();
    assert!(matches!(token.unwrap(&newer), Err(SealError::Format { found: 2, .. })));
    assert!(token.unwrap(&sealed[..9]).is_err() && token.unwrap(b"").is_err());
}

#[test]
fn what_is_wrong_with_a_token_is_said_without_its_pin() {
    let Some(options) = options("third") else { return };
    let nowhere = TokenOptions { module: "nowhere.so".into(), ..options.clone() };
    assert!(matches!(Token::open(nowhere), Err(TokenError::Module { .. })));
    let refusal = |options| Token::open(options).unwrap().prepare().unwrap_err();
    let unknown = TokenOptions { token_label: "other".to_owned(), ..options.clone() };
    assert!(matches!(refusal(unknown), SealError::Token(TokenError::NoToken(_))));
    let unset = PinSource::Environment("CLAVIGER_NO_SUCH_PIN".to_owned());
    let unset = TokenOptions { pin: unset, ..options.clone() };
    assert!(matches!(refusal(unset), SealError::Token(TokenError::Pin(_))));
    let said = format!("{:?}", Token::open(options).unwrap());
    assert!(!said.contains(PIN));
}

#[test]
fn a_token_takes_over_a_store_and_gives_it_back() {
    let Some(options) = options("fourth") else { return };
    let token = Custodian::Pkcs11(Token::open(options).unwrap());
    let engine = Arc::new(Memory::new());
    let root = RootKey::generate().unwrap();
    let barrier = Arc::new(Barrier::initialise(engine.clone(), &root, 7).unwrap());
    let custody = Custody::new(barrier);
    custody.entrust(&token).unwrap();
    let config = || SealConfig::read(engine.as_ref()).unwrap().map(|(config, _)| config);
    let kept = token.open(config().as_ref()).unwrap();
    Barrier::unseal(engine.clone(), &kept).unwrap();
    assert!(Barrier::unseal(engine.clone(), &root).is_err());
    let shares = custody.entrust_to_people(&token, 2, 2).unwrap();
    let opened = config().unwrap().open_with(&shares).unwrap().unwrap();
    Barrier::unseal(engine, &opened.root).unwrap();
}
