//! Tokens over records in memory, with a clock that is set by hand.

use super::*;
use crate::clock::ManualClock;
use crate::record::testing::TestStore;

const NOW: i64 = 1_800_000_000;

struct Setting {
    store: TestStore,
    clock: Arc<ManualClock>,
    tokens: Tokens,
}

impl Setting {
    fn new() -> Self {
        let (store, records) = TestStore::new();
        let clock = Arc::new(ManualClock::at(NOW));
        let tokens = Tokens::new(records, clock.clone());
        Self { store, clock, tokens }
    }

    fn restart(&mut self) {
        self.tokens = Tokens::new(self.store.reopen(), self.clock.clone());
    }

    fn child(&self, parent: Option<&Created>, ttl: i64) -> Created {
        let new = NewToken {
            policies: vec!["default".to_owned()],
            ttl,
            renewable: true,
            parent: parent.map(|parent| parent.info.id),
            ..NewToken::default()
        };
        self.tokens.create(new).unwrap()
    }

    fn alive(&self, tokens: &[&Created]) -> Vec<bool> {
        let look = |created: &&Created| self.tokens.lookup(&created.token).unwrap().is_some();
        tokens.iter().map(look).collect()
    }

    /// How many rows of tokens are left.
    fn rows(&self) -> usize {
        let records = self.store.reopen();
        b"tnhq".iter().map(|kind| records.keys(&[*kind]).unwrap().len()).sum()
    }
}

#[test]
fn a_root_token_outlives_a_restart_and_is_stored_only_as_a_hash() {
    let mut setting = Setting::new();
    assert!(!setting.tokens.any().unwrap());
    let token = setting.tokens.create_root(None).unwrap();
    assert!(token.starts_with(TOKEN_PREFIX) && token.len() == 28);
    setting.restart();
    assert!(setting.tokens.any().unwrap());
    let info = setting.tokens.lookup(&token).unwrap().unwrap();
    assert_eq!(info.policies, ["root"]);
    assert_eq!((info.creation_time, info.expire_time), (NOW, None));
    assert_ne!(info.accessor, *token);
    for key in setting.store.reopen().keys(b"t").unwrap() {
        let text = String::from_utf8_lossy(&key).into_owned();
        assert!(!text.contains(token.as_str()));
    }
}

#[test]
fn a_wanted_token_is_taken_as_it_is_and_only_once() {
    let setting = Setting::new();
    let tokens = &setting.tokens;
    assert_eq!(*tokens.create_root(Some("root")).unwrap(), "root");
    let first = tokens.lookup("root").unwrap().unwrap();
    tokens.create_root(Some("root")).unwrap();
    assert_eq!(tokens.lookup("root").unwrap().unwrap(), first);
    for other in ["", "Root", "root ", &"x".repeat(2000)] {
        assert!(tokens.lookup(other).unwrap().is_none(), "{other:?}");
    }
    for unfit in ["", "a b", "a\n", "ü", &"x".repeat(2000)] {
        assert!(matches!(tokens.create_root(Some(unfit)), Err(TokenError::Unfit)));
    }
}

#[test]
fn a_token_ends_when_its_time_has_come_restart_or_not() {
    let mut setting = Setting::new();
    let short = setting.child(None, 60);
    let long = setting.child(None, 0);
    assert_eq!(long.info.creation_ttl, TTL_SECONDS_DEFAULT);
    setting.clock.set(NOW + 59);
    assert_eq!(setting.alive(&[&short, &long]), [true, true]);
    setting.restart();
    setting.clock.set(NOW + 60);
    assert_eq!(setting.alive(&[&short, &long]), [false, true]);
    assert_eq!(setting.tokens.accessors().unwrap(), [long.info.accessor.as_str()]);
    assert!(setting.tokens.renew(short.info.id, 60, None).unwrap().is_none());
    assert_eq!(setting.tokens.sweep().unwrap(), 1);
    assert_eq!(setting.tokens.sweep().unwrap(), 0);
    assert_eq!(setting.rows(), 3);
}

#[test]
fn a_tree_ends_with_its_root_and_orphans_stay() {
    let mut setting = Setting::new();
    let top = setting.child(None, 0);
    let middle = setting.child(Some(&top), 0);
    let leaf = setting.child(Some(&middle), 0);
    let other = setting.child(Some(&top), 0);
    setting.restart();
    assert!(setting.tokens.revoke(middle.info.id).unwrap());
    assert_eq!(setting.alive(&[&top, &middle, &leaf, &other]), [true, false, false, true]);
    assert!(!setting.tokens.revoke(middle.info.id).unwrap());
    let below = setting.child(Some(&other), 0);
    assert!(setting.tokens.revoke_orphaning(other.info.id).unwrap());
    assert_eq!(setting.alive(&[&other, &below]), [false, true]);
    assert!(setting.tokens.revoke(top.info.id).unwrap());
    assert_eq!(setting.alive(&[&top, &below]), [false, true]);
    assert_eq!(setting.tokens.lookup(&below.token).unwrap().unwrap().parent, None);
    setting.tokens.revoke(below.info.id).unwrap();
    assert_eq!(setting.rows(), 0);
    let late = NewToken { parent: Some(top.info.id), ..NewToken::default() };
    assert!(matches!(setting.tokens.create(late), Err(TokenError::NoParent)));
}

#[test]
fn a_parent_that_expires_takes_its_children_along() {
    let setting = Setting::new();
    let parent = setting.child(None, 60);
    let children: Vec<Created> = (0..450).map(|_| setting.child(Some(&parent), 3600)).collect();
    setting.clock.set(NOW + 60);
    assert_eq!(setting.tokens.sweep().unwrap(), 1);
    assert!(children.iter().all(|child| setting.alive(&[child]) == [false]));
    assert_eq!(setting.rows(), 0);
}

#[test]
fn uses_run_out_exactly() {
    let setting = Setting::new();
    let new = NewToken { num_uses: 3, ..NewToken::default() };
    let created = setting.tokens.create(new).unwrap();
    let taken: usize = std::thread::scope(|scope| {
        let spend = || usize::from(setting.tokens.spend(&created.token, None).unwrap().is_some());
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(spend)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(taken, 3);
    assert_eq!(setting.alive(&[&created]), [false]);
    assert_eq!(setting.rows(), 0);
}

#[test]
fn renewals_end_at_the_maximum() {
    let setting = Setting::new();
    let (tokens, clock) = (&setting.tokens, &setting.clock);
    let make = |ttl, explicit_max_ttl, period, renewable| {
        let new = NewToken { ttl, explicit_max_ttl, period, renewable, ..NewToken::default() };
        tokens.create(new).unwrap().info
    };
    let plain = make(1200, 0, 0, true);
    let capped = make(1200, 1500, 0, true);
    let periodic = make(0, 0, 600, true);
    let fixed = make(1200, 1200, 0, false);
    assert_eq!((periodic.creation_ttl, fixed.creation_ttl), (600, 1200));
    clock.set(NOW + 500);
    let renew = |info: &TokenInfo, increment| {
        let (info, warnings) = tokens.renew(info.id, increment, None).unwrap().unwrap();
        (info.expire_time.unwrap() - NOW, warnings.len())
    };
    assert_eq!(renew(&plain, 0), (1700, 0));
    assert_eq!(renew(&plain, 60), (560, 0));
    assert_eq!(renew(&plain, i64::MAX), (TTL_SECONDS_MAX, 1));
    assert_eq!(renew(&capped, 0), (1500, 1));
    assert_eq!(renew(&periodic, 5), (1100, 0));
    let refused = tokens.renew(fixed.id, 0, None).unwrap_err();
    assert_eq!(refused.to_string(), "lease is not renewable");
    clock.set(NOW + 1499);
    assert_eq!(renew(&capped, 0), (1500, 1));
    clock.set(NOW + 1500);
    assert!(tokens.renew(capped.id, 0, None).unwrap().is_none());
}

#[test]
fn a_life_longer_than_the_maximum_is_cut_and_said() {
    let setting = Setting::new();
    let beyond = TTL_SECONDS_MAX + 1;
    let make = |ttl, explicit_max_ttl, period| {
        let new = NewToken { ttl, explicit_max_ttl, period, ..NewToken::default() };
        let created = setting.tokens.create(new).unwrap();
        (created.info.creation_ttl, created.info.explicit_max_ttl, created.warnings.len())
    };
    assert_eq!(make(beyond, 0, 0), (TTL_SECONDS_MAX, 0, 1));
    assert_eq!(make(60, beyond, 0), (60, TTL_SECONDS_MAX, 1));
    assert_eq!(make(0, 0, beyond), (TTL_SECONDS_MAX, 0, 1));
    assert_eq!(make(0, 60, 0), (60, 60, 0));
    assert_eq!(make(120, 60, 0), (60, 60, 1));
    let meta = BTreeMap::from([("note".to_owned(), "x".repeat(70_000))]);
    for new in [
        NewToken { ttl: -1, ..NewToken::default() },
        NewToken { period: -1, ..NewToken::default() },
        NewToken { explicit_max_ttl: -1, ..NewToken::default() },
        NewToken { meta, ..NewToken::default() },
    ] {
        assert!(matches!(setting.tokens.create(new), Err(TokenError::BadInput(_))));
    }
}

#[test]
fn children_made_while_their_parent_goes_go_with_it() {
    let setting = Setting::new();
    for _ in 0..20 {
        let parent = setting.child(None, 0);
        std::thread::scope(|scope| {
            let make = || {
                let new = NewToken { parent: Some(parent.info.id), ..NewToken::default() };
                // Either it is there in time to go too, or it is refused.
                let _ = setting.tokens.create(new);
            };
            (0..4).for_each(|_| drop(scope.spawn(make)));
            assert!(setting.tokens.revoke(parent.info.id).unwrap());
        });
    }
    assert_eq!(setting.rows(), 0);
}
