//! Nothing acknowledged is lost by a power cut: the rounds of [`crate::crash`], on a disk that forgets what was not
//! synced and tears what it was about to write. `tests/powerloss` says how it does that. The same rounds with
//! `synchronous=OFF` must fail: else the test could not. What a restore or a backup leaves is whole, or is none.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::crash::{Random, Rounds, seed, setting};
use crate::killed::{Store, ask, dies_at, fails, operator, succeeds, text};
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

/// When the power fails while a command works.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// At this step, see [`crate::killed`].
    Step(&'static str),
    /// So long after its work can be seen.
    After(Duration),
    /// When it has ended.
    End,
}

/// Every step and the end, more than once since chance decides what is lost, and others at random.
fn moments(steps: &[&'static str], random: &mut Random) -> Vec<Moment> {
    let named = steps.iter().map(|step| Moment::Step(step)).chain([Moment::End]);
    let mut moments: Vec<_> = named.flat_map(|moment| [moment; 2]).collect();
    let count = setting("CLAVIGER_POWER_ROUNDS", 20) / 2;
    moments.extend((0..count).map(|_| Moment::After(Duration::from_millis(random.below(300)))));
    moments
}

/// Runs a command until the moment and takes the power from everything below `place`; whether it had ended. `begun`
/// is the first that can be seen of its work.
fn run_until(
    moment: Moment,
    mut command: Command,
    place: &Path,
    begun: &Path,
    chance: u64,
) -> bool {
    let disk = Disk::watch(place);
    disk.arm(&mut command);
    let ended = match moment {
        Moment::Step(point) => {
            dies_at(command, point);
            false
        }
        Moment::After(pause) => {
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            while !begun.exists() && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            // The moment is the point of the test.
            std::thread::sleep(pause);
            let _ = child.kill();
            child.wait().unwrap().success()
        }
        Moment::End => {
            succeeds(command);
            true
        }
    };
    disk.cut_power(chance);
    ended
}

#[test]
fn a_restore_is_whole_or_none_after_a_power_cut() {
    let seed = seed();
    println!("CLAVIGER_CRASH_SEED={seed}");
    let mut random = Random(seed);
    let store = Store::new();
    let (file, key) = (store.path().join("backup"), store.path().join("kept.key"));
    std::fs::copy(store.data().join("seal.key"), &key).unwrap();
    succeeds(ask(&store.start(), &["backup", text(&file)]));
    let mut none = 0;
    for moment in moments(&["DatabasePart", "DatabaseWritten", "DatabaseInPlace"], &mut random) {
        let place = tempfile::tempdir().unwrap();
        // Directories that have to be made must not be lost either.
        let home = place.path().join("var/lib");
        let data = home.join("data");
        let restore = || {
            operator(&["restore", text(&file), "--data-dir", text(&data), "--key-file", text(&key)])
        };
        let begun = data.join("claviger.db.draft");
        let ended = run_until(moment, restore(), place.path(), &begun, random.next());
        if !data.join("claviger.db").exists() {
            let in_place = ended || matches!(moment, Moment::Step("DatabaseInPlace"));
            assert!(!in_place, "{moment:?}: a restored store is lost");
            none += 1;
            succeeds(restore());
        }
        store.check(&Server::start_on(&home));
    }
    assert!(none > 0, "no power cut came in time");
}

#[test]
fn a_backup_is_whole_or_none_after_a_power_cut() {
    let seed = seed();
    println!("CLAVIGER_CRASH_SEED={seed}");
    let mut random = Random(seed);
    let store = Store::new();
    let server = store.start();
    let key = store.data().join("seal.key");
    let verify = |file: &Path| operator(&["verify", text(file), "--key-file", text(&key)]);
    let (mut none, mut refused) = (0, 0);
    for moment in moments(&["BackupWritten"], &mut random) {
        let place = tempfile::tempdir().unwrap();
        let (file, partial) = (place.path().join("backup"), place.path().join("backup.partial"));
        let take = || ask(&server, &["backup", text(&file)]);
        let ended = run_until(moment, take(), place.path(), &partial, random.next());
        if !file.exists() {
            assert!(!ended, "{moment:?}: a backup that was taken is lost");
            none += 1;
            if partial.exists() && !verify(&partial).output().unwrap().status.success() {
                fails(verify(&partial));
                refused += 1;
            }
            succeeds(take());
        }
        succeeds(verify(&file));
    }
    println!("{none} times none, {refused} times a part of one, which is refused");
    assert!(none > 0, "no power cut came in time");
}
