//! Auth methods over records in memory, with a clock that is set by hand.

use std::sync::Arc;

use super::lockout::Refused;
use super::*;
use crate::clock::{Clock, ManualClock};
use crate::mount::Tuning;
use crate::record::Records;
use crate::record::testing::TestStore;
use crate::token::{Created, Tokens};

const NOW: i64 = 1_800_000_000;

/// Each record's key in hexadecimal, without the hash that only a store can make, and its JSON
/// (docs/formats.md §8).
const FORMAT_1: &str = include_str!("../../fixtures/records-1-auth.txt");

impl AuthMethods {
    /// With passwords that are hashed quickly.
    pub(crate) fn quick(records: Records, tokens: Tokens, clock: Arc<dyn Clock>) -> Self {
        let mut methods = Self::open(records, tokens, clock, 300).unwrap();
        methods.password_iterations = 10;
        methods
    }
}

struct Setting {
    store: TestStore,
    records: Records,
    tokens: Tokens,
    methods: AuthMethods,
}

impl Setting {
    fn new() -> Self {
        let (store, records) = TestStore::new();
        let clock = Arc::new(ManualClock::at(NOW));
        let tokens = Tokens::new(records.clone(), clock.clone());
        let methods = AuthMethods::quick(records.clone(), tokens.clone(), clock);
        Self { store, records, tokens, methods }
    }

    fn enable(&self, kind: MethodKind) -> Arc<Method> {
        let path = MountPath::parse(kind.name()).unwrap();
        self.methods.enable(&path, kind, "", Tuning::default()).unwrap();
        self.methods.at(&path).unwrap()
    }

    fn with_alice() -> (Self, Arc<Method>) {
        let setting = Self::new();
        let method = setting.enable(MethodKind::Userpass);
        let users = Userpass::of(&setting.methods, &method);
        users.write("alice", Some("pw"), TokenTermsChange::default()).unwrap();
        (setting, method)
    }

    /// Comes again while too many others wait.
    fn log_in(&self, method: &Method, password: &str) -> Result<Created, AuthError> {
        loop {
            let users = Userpass::of(&self.methods, method);
            match users.login("alice", password, Client::default()) {
                Err(AuthError::Busy) => std::thread::yield_now(),
                outcome => return outcome,
            }
        }
    }
}

#[test]
fn records_of_format_1_open_and_log_in() {
    let (_store, records) = TestStore::new();
    for line in FORMAT_1.lines() {
        let (at, json) = line.split_once(' ').unwrap();
        let byte = |at: usize, text: &str| u8::from_str_radix(text.get(at..at + 2).unwrap(), 16);
        let mut at: Vec<u8> =
            (0..at.len()).step_by(2).map(|index| byte(index, at).unwrap()).collect();
        let named = match at[0] {
            b'f' => Some(("auth method", "path")),
            b'b' => Some(("principal", "name")),
            b'j' => Some(("role id", "role_id")),
            b'C' => Some(("revocation list", "name")),
            _ => None,
        };
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        if let Some((context, field)) = named {
            at.extend(records.blind(context, value[field].as_str().unwrap()));
        }
        records.plant(at, [b"\x01", json.as_bytes()].concat());
    }
    let clock = Arc::new(ManualClock::at(NOW));
    let tokens = Tokens::new(records.clone(), clock.clone());
    let methods = AuthMethods::quick(records, tokens, clock);
    let at = |path| methods.at(&MountPath::parse(path).unwrap()).unwrap();
    let (userpass, approle, cert) = (at("userpass"), at("approle"), at("cert"));
    let from =
        |address: &str| Client { address: Some(address.parse().unwrap()), ..Client::default() };
    let users = Userpass::of(&methods, &userpass);
    let created = users.login("alice", "open sesame", from("10.9.9.9")).unwrap();
    assert_eq!(created.info.policies, ["default", "storage"]);
    assert_eq!((created.info.creation_ttl, created.info.bound_cidrs.len()), (600, 1));
    let roles = AppRole::of(&methods, &approle);
    assert!(matches!(
        roles.login("ci-prod", "the-secret-id", from("10.9.9.9")),
        Err(AuthError::Denied)
    ));
    let created = roles.login("ci-prod", "the-secret-id", from("10.1.9.9")).unwrap();
    assert_eq!(created.info.meta["host"], "a");
    let accessor = roles.secret_id_accessors("ci").unwrap()[0];
    assert_eq!(roles.secret_id("ci", accessor).unwrap().unwrap().num_uses, 2);
    let entry = Certificates::of(&methods, &cert).read("arrays").unwrap().unwrap();
    assert_eq!(entry.constraints[&ConstraintField::CommonNames], ["array-*"]);
    let lists = Certificates::of(&methods, &cert);
    assert_eq!(lists.lists(), ["arrays"]);
    let serials: Vec<_> =
        lists.list("arrays").unwrap().serials().map(|it| it.to_string()).collect();
    assert_eq!(serials, ["4242"]);
    assert!(cert.disables_binding() && !userpass.disables_binding());
    assert_eq!(userpass.tuning().max_lease_ttl, 7200);
}

#[test]
fn a_lock_that_came_meanwhile_holds_for_the_right_secret_too() {
    let (setting, method) = Setting::with_alice();
    let outcome = setting.methods.guarded(&method, "alice", "wrong", || {
        for _ in 0..5 {
            assert!(matches!(setting.log_in(&method, "no"), Err(AuthError::Wrong(_))));
        }
        Ok::<_, Refused>("the secret was right")
    });
    assert!(matches!(outcome, Err(AuthError::Denied)));
    // Of many guesses at once none is told that it was right once five were wrong.
    let (setting, method) = Setting::with_alice();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert!(setting.log_in(&method, "no").is_err()));
        }
    });
    assert!(matches!(setting.log_in(&method, "pw"), Err(AuthError::Denied)));
}

#[test]
fn strangers_are_bounded_and_push_nobody_out() {
    let (setting, method) = Setting::with_alice();
    for _ in 0..5 {
        assert!(setting.log_in(&method, "no").is_err());
    }
    let fail = |name: String| {
        let wrong = || Err::<(), _>(Refused::Wrong { exists: false });
        setting.methods.guarded(&method, &name, "wrong", wrong).unwrap_err()
    };
    for number in 0..10_050 {
        fail(number.to_string());
    }
    let locked = setting.methods.locked();
    assert_eq!(locked.len(), 1);
    assert_eq!(locked[0].names, ["alice"]);
    assert_eq!(setting.methods.lockout.len(), 10_001);
    assert!(matches!(fail("x".repeat(300)), AuthError::Wrong(_)));
    assert_eq!(setting.methods.lockout.len(), 10_001);
}

#[test]
fn no_token_outlives_a_method_that_is_disabled_while_it_is_made() {
    for _ in 0..10 {
        let (setting, method) = Setting::with_alice();
        let path = method.path().clone();
        let made: Vec<Created> = std::thread::scope(|scope| {
            let logins: Vec<_> =
                (0..4).map(|_| scope.spawn(|| setting.log_in(&method, "pw").ok())).collect();
            setting.methods.disable(&path).unwrap();
            logins.into_iter().filter_map(|login| login.join().unwrap()).collect()
        });
        for created in made {
            assert!(setting.tokens.lookup(&created.token).unwrap().is_none());
        }
        for kind in [b"f", b"b", b"t"] {
            assert_eq!(setting.records.keys(kind).unwrap().len(), 0);
        }
        let users = Userpass::of(&setting.methods, &method);
        let late = users.write("bob", Some("pw"), TokenTermsChange::default());
        assert!(matches!(late, Err(AuthError::NoMethod(_))));
    }
}

#[test]
fn a_method_that_cannot_be_removed_is_still_there() {
    let (setting, method) = Setting::with_alice();
    let other = setting.enable(MethodKind::Cert);
    setting.store.fail_commits();
    assert!(setting.methods.disable(method.path()).is_err());
    assert!(setting.methods.at(method.path()).is_some());
    assert!(setting.methods.set_disable_binding(other.path(), true).is_err());
    assert!(!setting.methods.of_id(other.id()).unwrap().disables_binding());
    assert!(setting.log_in(&method, "pw").is_err(), "its token is not durable");
}

#[test]
fn disabling_removes_everything_of_a_method_and_nothing_of_another() {
    let setting = Setting::new();
    let approle = setting.enable(MethodKind::AppRole);
    let path = MountPath::parse("second").unwrap();
    setting.methods.enable(&path, MethodKind::AppRole, "", Tuning::default()).unwrap();
    let second = setting.methods.at(&path).unwrap();
    for method in [&approle, &second] {
        let roles = AppRole::of(&setting.methods, method);
        roles.write("ci", AppRoleChange::default()).unwrap();
        for _ in 0..3 {
            roles.make_secret_id("ci", NewSecretId::default()).unwrap();
        }
    }
    setting.methods.disable(approle.path()).unwrap();
    let left = [b"f", b"b", b"j", b"z"].map(|kind| setting.records.keys(kind).unwrap().len());
    assert_eq!(left, [1, 1, 1, 3]);
    let roles = AppRole::of(&setting.methods, &second);
    roles.delete("ci").unwrap();
    let left = [b"f", b"b", b"j", b"z"].map(|kind| setting.records.keys(kind).unwrap().len());
    assert_eq!(left, [1, 0, 0, 0]);
}
