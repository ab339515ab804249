//! Nothing acknowledged is lost by a power cut: the rounds of [`crate::crash`], on a disk that forgets what was not
//! synced and tears what it was about to write. `tests/powerloss` says how it does that. The same rounds with
//! `synchronous=OFF` must fail: else the test could not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use crate::crash::{Rounds, seed, setting};
use crate::server::Server;

#[path = "../powerloss/disk.rs"]
#[allow(dead_code, reason = "the engine's tests use all of it")]
mod disk;

use disk::{Disk, Loss};

#[test]
fn no_acknowledged_object_or_destroy_is_lost_by_a_power_cut() {
    let count = setting("CLAVIGER_POWER_ROUNDS", 20);
    let total = cut_power_again_and_again(count, |_| {});
    println!("{total:?}");
    assert!(total.syncs > count as usize, "the server syncs what it acknowledges: {total:?}");
    assert!(total.lost > 0, "no power cut took anything: {total:?}");
}

#[test]
fn without_syncs_the_same_rounds_lose_what_was_acknowledged() {
    let count = setting("CLAVIGER_POWER_ROUNDS", 20);
    let off = |command: &mut Command| {
        command.env("CLAVIGER_TEST_SYNCHRONOUS_OFF", "1");
    };
    let run = catch_unwind(AssertUnwindSafe(|| cut_power_again_and_again(count, off)));
    let failure = run.expect_err("synchronous=OFF survived every power cut: the test cannot fail");
    let text = failure.downcast_ref::<String>().map_or("", String::as_str);
    println!("with synchronous=OFF: {}", text.lines().next().unwrap_or_default());
    assert!(
        text.contains("is lost") || text.contains("did not get ready") || text.contains("is back"),
        "it failed for another reason: {text}"
    );
}

fn cut_power_again_and_again(count: u64, prepare: impl Fn(&mut Command)) -> Loss {
    let seed = seed();
    println!("{count} rounds, CLAVIGER_CRASH_SEED={seed}");
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut rounds = Rounds::new(seed);
    let mut total = Loss::default();
    // The first round has a server make its directory, its keys and its certificates: those are as precious.
    for _ in 0..count {
        let disk = Disk::watch(&data);
        rounds.load_and_kill(Server::start_under(directory.path(), |command| {
            disk.arm(command);
            prepare(command);
        }));
        let loss = disk.cut_power(rounds.chance());
        total.syncs += loss.syncs;
        total.unsynced += loss.unsynced;
        total.lost += loss.lost;
        total.names_lost += loss.names_lost;
    }
    rounds.finish(&Server::start_on(directory.path()));
    total
}
