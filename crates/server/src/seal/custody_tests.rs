//! Who opens a store after its root key changed hands, and who no longer does.

use super::*;
use crate::seal::{KeyFile, random_key};
use claviger_store::{Engine, Memory};

struct Store {
    engine: Arc<Memory>,
    custody: Custody,
    shares: Vec<Share>,
}

fn store(shares: u8, threshold: u8) -> Store {
    let engine = Arc::new(Memory::new());
    let root = RootKey::generate().unwrap();
    let barrier = Barrier::initialise(engine.clone(), &root, 7).unwrap();
    let (seal_key, dealt) = deal(shares, threshold).unwrap();
    let config = SealConfig::shamir(shares, threshold, &seal_key, &root).unwrap();
    config.write(engine.as_ref(), None).unwrap();
    Store { engine, custody: Custody::new(Arc::new(barrier)), shares: dealt }
}

fn config(engine: &Memory) -> SealConfig {
    SealConfig::read(engine).unwrap().unwrap().0
}

/// Whether these shares, one after the other, open the store.
fn opens(engine: &Arc<Memory>, shares: &[Share]) -> bool {
    let config = config(engine);
    for count in 1..=shares.len() {
        match config.open_with(&shares[..count]) {
            Ok(None) => {}
            Ok(Some(opened)) => {
                return Barrier::unseal(engine.clone() as Arc<dyn Engine>, &opened.root).is_ok();
            }
            Err(error) => assert!(matches!(error, SealError::WrongSealKey), "{error}"),
        }
    }
    false
}

fn dealt(given: Given<Dealt>) -> Dealt {
    match given {
        Given::Complete(dealt) => dealt,
        Given::More => panic!("more shares are needed"),
    }
}

fn terms(shares: u8, threshold: u8, verify: bool) -> RekeyTerms {
    RekeyTerms { shares, threshold, verify }
}

fn name(text: &str) -> String {
    text.to_owned()
}

#[test]
fn new_shares_open_the_store_and_the_old_ones_until_the_new_have() {
    for (count, threshold) in [(1, 1), (3, 2), (5, 4)] {
        let Store { engine, custody, shares } = store(3, 2);
        custody.rekey_start(terms(count, threshold, false), name("n")).unwrap();
        assert!(matches!(
            custody.rekey_start(terms(1, 1, false), name("m")),
            Err(SealError::UnderWay)
        ));
        assert!(matches!(
            custody.rekey_give("m", shares[0].clone(), name("v")),
            Err(SealError::NotUnderWay)
        ));
        for _ in 0..2 {
            let given = custody.rekey_give("n", shares[0].clone(), name("v")).unwrap();
            assert!(matches!(given, Given::More), "the same share twice is one share");
        }
        assert_eq!(custody.rekey_status().unwrap().unwrap().progress, 1);
        let new = dealt(custody.rekey_give("n", shares[2].clone(), name("v")).unwrap());
        assert_eq!((new.shares.len(), new.verification), (usize::from(count), None));
        assert!(custody.rekey_status().unwrap().is_none());
        assert!(opens(&engine, &new.shares[usize::from(count - threshold)..]), "{count}");
        assert!(opens(&engine, &shares[1..]), "the old ones, as nobody has seen the new at work");
        let mixed: Vec<Share> = shares[..1].iter().chain(&new.shares[..1]).cloned().collect();
        assert!(count == 1 || !opens(&engine, &mixed));
        let settled = config(&engine).settled().unwrap();
        let version = SealConfig::read(engine.as_ref()).unwrap().unwrap().1;
        settled.write(engine.as_ref(), Some(version)).unwrap();
        assert!(opens(&engine, &new.shares) && !opens(&engine, &shares));
        assert!(config(&engine).settled().is_none());
    }
}

#[test]
fn verified_shares_count_at_once_and_unverified_ones_never() {
    let Store { engine, custody, shares } = store(3, 2);
    custody.rekey_start(terms(4, 3, true), name("n")).unwrap();
    custody.rekey_give("n", shares[0].clone(), name("v")).unwrap();
    let new = dealt(custody.rekey_give("n", shares[1].clone(), name("v")).unwrap());
    assert_eq!(new.verification.as_deref(), Some("v"));
    assert!(opens(&engine, &shares) && !opens(&engine, &new.shares));
    let again = custody.rekey_give("n", shares[0].clone(), name("w"));
    assert!(matches!(again, Err(SealError::NotUnderWay)), "the present shares have spoken");
    for wrong in [&shares[0], &shares[1]] {
        assert!(matches!(custody.rekey_verify("v", wrong.clone()), Ok(Given::More)));
    }
    assert!(matches!(custody.rekey_verify("v", shares[2].clone()), Err(SealError::WrongSealKey)));
    assert_eq!(custody.rekey_status().unwrap().unwrap().verification, Some((name("v"), 0)));
    custody.rekey_verify_reset(name("w"));
    assert!(matches!(
        custody.rekey_verify("v", new.shares[0].clone()),
        Err(SealError::NotUnderWay)
    ));
    for share in &new.shares[..2] {
        assert!(matches!(custody.rekey_verify("w", share.clone()), Ok(Given::More)));
    }
    assert!(matches!(custody.rekey_verify("w", new.shares[3].clone()), Ok(Given::Complete(()))));
    assert!(opens(&engine, &new.shares) && !opens(&engine, &shares));
}

#[test]
fn wrong_shares_begin_anew_and_change_nothing() {
    let Store { engine, custody, shares } = store(3, 2);
    let foreign = store(3, 2).shares;
    custody.rekey_start(terms(3, 2, false), name("n")).unwrap();
    custody.rekey_give("n", shares[0].clone(), name("v")).unwrap();
    let refused = custody.rekey_give("n", foreign[1].clone(), name("v"));
    assert!(matches!(refused, Err(SealError::WrongSealKey)), "{refused:?}");
    assert_eq!(custody.rekey_status().unwrap().unwrap().progress, 0);
    assert!(opens(&engine, &shares));
    custody.rekey_cancel();
    for (count, threshold) in [(0, 0), (3, 1), (2, 3), (1, 2), (1, 0)] {
        let refused = custody.rekey_start(terms(count, threshold, false), name("n"));
        assert!(matches!(refused, Err(SealError::Shamir(_))), "{count} {threshold}");
    }
}

#[test]
fn shares_that_nobody_received_are_replaced_with_the_ones_before() {
    let Store { engine, custody, shares } = store(3, 2);
    for _ in 0..2 {
        custody.rekey_start(terms(2, 2, false), name("n")).unwrap();
        custody.rekey_give("n", shares[0].clone(), name("v")).unwrap();
        let lost = dealt(custody.rekey_give("n", shares[1].clone(), name("v")).unwrap());
        assert_eq!(lost.shares.len(), 2);
        assert!(opens(&engine, &shares));
    }
}

#[test]
fn a_key_file_takes_over_from_people_and_people_from_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = Custodian::KeyFile(KeyFile::new(directory.path().join("seal.key")));
    let Store { engine, custody, shares } = store(3, 2);
    assert!(matches!(
        file.open(Some(&config(&engine))),
        Err(SealError::KeptOtherwise(SealKind::Shamir))
    ));
    custody.entrust(&file).unwrap();
    let unseal = |root: &RootKey| Barrier::unseal(engine.clone(), root).map(drop);
    unseal(&file.open(Some(&config(&engine))).unwrap()).unwrap();
    assert!(!opens(&engine, &shares));
    assert!(matches!(
        custody.rekey_start(terms(1, 1, false), name("n")),
        Err(SealError::KeptOtherwise(SealKind::KeyFile))
    ));

    custody.entrust(&file).unwrap();
    unseal(&file.open(Some(&config(&engine))).unwrap()).unwrap();
    let other = Custodian::KeyFile(KeyFile::new(directory.path().join("other.key")));
    other.prepare().unwrap();
    assert!(matches!(other.open(Some(&config(&engine))), Err(SealError::WrongRootKey)));

    let new = custody.entrust_to_people(&file, 5, 3).unwrap();
    assert!(opens(&engine, &new[1..4]));
    unseal(&file.open(Some(&config(&engine))).unwrap()).expect("until the shares have opened it");
    let version = SealConfig::read(engine.as_ref()).unwrap().unwrap().1;
    let settled = config(&engine).settled().unwrap();
    settled.write(engine.as_ref(), Some(version)).unwrap();
    assert!(file.open(Some(&config(&engine))).is_err());
    assert!(opens(&engine, &new));
}

#[test]
fn a_store_of_the_first_version_changes_hands_too() {
    let directory = tempfile::tempdir().unwrap();
    let place = KeyFile::new(directory.path().join("seal.key"));
    let root = place.create().unwrap();
    let engine = Arc::new(Memory::new());
    let barrier = Barrier::initialise(engine.clone(), &root, 7).unwrap();
    let custody = Custody::new(Arc::new(barrier));
    let file = Custodian::KeyFile(place);
    assert_eq!(file.open(None).unwrap().bytes(), root.bytes());
    custody.entrust(&file).unwrap();
    assert!(Barrier::unseal(engine.clone(), &root).is_err(), "the root key is another");
    let now = file.open(Some(&config(&engine))).unwrap();
    Barrier::unseal(engine, &now).unwrap();
}

#[test]
fn enough_shares_prove_a_right_to_a_root_token() {
    let Store { custody, shares, .. } = store(3, 2);
    assert!(matches!(custody.root_token_give("n", shares[0].clone()), Err(SealError::NotUnderWay)));
    custody.root_token_start(name("n"), name("pad").into()).unwrap();
    assert!(matches!(
        custody.root_token_start(name("m"), name("pad").into()),
        Err(SealError::UnderWay)
    ));
    assert!(matches!(custody.root_token_give("n", shares[0].clone()), Ok(Given::More)));
    let wrong = Share::new(random_key().unwrap().to_vec().into());
    assert!(matches!(custody.root_token_give("n", wrong), Err(SealError::WrongSealKey)));
    assert_eq!(custody.root_token_status().unwrap().unwrap().progress, 0);
    custody.root_token_give("n", shares[2].clone()).unwrap();
    let proven = custody.root_token_give("n", shares[1].clone()).unwrap();
    assert!(matches!(proven, Given::Complete(pad) if pad.as_str() == "pad"));
    assert!(custody.root_token_status().unwrap().is_none());
}

#[test]
fn nothing_that_prints_holds_a_share() {
    let Store { custody, shares, .. } = store(1, 1);
    custody.rekey_start(terms(1, 1, false), name("n")).unwrap();
    let given = custody.rekey_give("n", shares[0].clone(), name("v")).unwrap();
    assert_eq!(format!("{given:?} {custody:?}"), "Complete(Dealt(1 shares)) Custody(…)");
}
