//! `claviger keystore` is killed at random moments: the keystore opens with the key before or with the next one, its
//! data keys stay what they were, and every key on the server is one that a keystore has or had.
//!
//! `CLAVIGER_KEYSTORE_ROUNDS` sets the number of rounds.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::at_rest::{Keystore, Kms};
use crate::crash::{Random, seed, setting};
use crate::server::Server;

/// Kills commands, half of them before they are done.
struct Killer {
    random: Random,
    /// About how long a command takes.
    usual: Duration,
}

impl Killer {
    /// Runs a command and kills it somewhere between its beginning and a while after its end.
    fn run(&mut self, mut command: Command) {
        let most = u64::try_from(self.usual.as_micros()).unwrap() * 3 / 2;
        let began = Instant::now();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The moment is the point of the test: nothing tells when the process is in the middle of something.
        std::thread::sleep(Duration::from_micros(self.random.below(most)));
        let ended = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        // What a machine takes for a command changes with what else it does.
        self.usual = match ended {
            Some(status) => {
                assert!(status.success(), "{command:?}: {status}");
                (self.usual * 3 + began.elapsed().min(self.usual)) / 4
            }
            None => self.usual * 21 / 20,
        };
    }
}

#[test]
fn a_keystore_that_is_killed_at_any_moment_opens_with_the_old_key_or_the_new() {
    let (count, seed) = (setting("CLAVIGER_KEYSTORE_ROUNDS", 50), seed());
    println!("{count} rounds, CLAVIGER_CRASH_SEED={seed}");
    let server = Server::start();
    let mut kms = Kms::of(&server);
    let keystore = Keystore::on(&server);
    let mut now = keystore.open(&[]);
    keystore.does(&["add-database", "orders"], &[]);
    let data_key = keystore.key_of("orders");
    let began = Instant::now();
    keystore.does(&["status"], &[]);
    let mut killer = Killer { random: Random(seed), usual: began.elapsed() };
    let mut used = BTreeSet::from([now.clone()]);
    let (mut rotated, mut not_rotated, mut made) = (0_u64, 0_u64, 0_u64);
    for round in 0..count {
        if round % 4 == 3 {
            // A new keystore; the next start takes the key that this one may have left.
            let new = Keystore::on(&server);
            killer.run(new.keystore(&["open"], &[]));
            assert!(used.insert(new.open(&[])), "round {round}: every keystore has its own key");
            made += 1;
            continue;
        }
        killer.run(keystore.keystore(&["rotate"], &[]));
        let next = keystore.open(&[]);
        assert_eq!(keystore.key_of("orders"), data_key, "round {round}");
        if next == now {
            not_rotated += 1;
        } else {
            assert!(used.insert(next.clone()), "round {round}: no key comes back");
            now = next;
            rotated += 1;
        }
    }
    // Whatever the last ones left is used by the next rotation.
    used.insert(keystore.does(&["rotate"], &[])["key_identifier"].as_str().unwrap().to_owned());
    assert_eq!(keystore.key_of("orders"), data_key);
    assert_eq!(kms.keys().into_iter().collect::<BTreeSet<_>>(), used);
    println!("{rotated} rounds with the new key, {not_rotated} with the old, {made} new keystores");
    assert!(count < 20 || (rotated > 0 && not_rotated > 0), "the moments were no test");
}
