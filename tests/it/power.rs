//! Nothing acknowledged is lost by a power cut: the rounds of [`crate::crash`], on a disk that forgets what was not
//! synced and tears what it was about to write. `tests/powerloss` says how it does that, and `crates/store` shows that
//! it would find an engine that does not sync.

use crate::crash::{Rounds, seed, setting};
use crate::server::Server;

#[path = "../powerloss/disk.rs"]
#[allow(dead_code, reason = "the engine's tests use all of it")]
mod disk;

use disk::{Disk, Loss};

#[test]
fn no_acknowledged_object_or_destroy_is_lost_by_a_power_cut() {
    let (count, seed) = (setting("CLAVIGER_POWER_ROUNDS", 20), seed());
    println!("{count} rounds, CLAVIGER_CRASH_SEED={seed}");
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut rounds = Rounds::new(seed);
    let mut total = Loss::default();
    // The first round has a server make its directory, its keys and its certificates: those are as precious.
    for _ in 0..count {
        let disk = Disk::watch(&data);
        rounds.load_and_kill(Server::start_under(directory.path(), |command| disk.arm(command)));
        let loss = disk.cut_power(rounds.chance());
        total.syncs += loss.syncs;
        total.unsynced += loss.unsynced;
        total.lost += loss.lost;
        total.names_lost += loss.names_lost;
    }
    rounds.finish(&Server::start_on(directory.path()));
    println!("{total:?}");
    assert!(total.syncs > count as usize, "the server syncs what it acknowledges: {total:?}");
    assert!(total.lost > 0, "no power cut took anything: {total:?}");
}
