//! The processes that the program has started, and those that they have: any of them may have the key.
//!
//! This process adopts those whose parent has ended, so that none is lost from sight. It must never know why they end.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use libc::pid_t;

/// How often to look whether they have ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// From now on this process is the parent of whoever loses theirs.
pub(super) fn adopt() -> io::Result<()> {
    #[expect(unsafe_code, reason = "prctl has no safe form")]
    // SAFETY: the call takes plain numbers.
    let result = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sends all of them a signal; says how many can be sent one.
pub(super) fn signal(number: i32) -> usize {
    members().into_iter().filter(|id| send(*id, number)).count()
}

/// Waits until all have ended. Whoever has not by that moment is killed.
pub(super) fn end(deadline: Option<Instant>) {
    loop {
        while reap(-1) {}
        let is_over = deadline.is_none_or(|at| Instant::now() >= at);
        // One that got rights of its own cannot be ended by us, nor waited for.
        let left = if is_over { signal(libc::SIGKILL) } else { members().len() };
        if left == 0 {
            return;
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Takes note that a child has ended, or any for -1; says whether one had.
pub(super) fn reap(id: pid_t) -> bool {
    #[expect(unsafe_code, reason = "waitpid has no safe form")]
    // SAFETY: the call takes plain numbers, and may be told that nobody wants the status.
    unsafe {
        libc::waitpid(id, std::ptr::null_mut(), libc::WNOHANG) > 0
    }
}

fn send(id: pid_t, number: i32) -> bool {
    #[expect(unsafe_code, reason = "nothing in the standard library sends a signal")]
    // SAFETY: the call takes plain numbers.
    unsafe {
        libc::kill(id, number) == 0
    }
}

/// Everybody who descends from this process and has not ended.
fn members() -> Vec<pid_t> {
    let mut children: HashMap<pid_t, Vec<(pid_t, bool)>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for id in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<pid_t>().ok()) {
        // Whoever has ended in between has no file any more.
        let Ok(text) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        if let Some((parent, has_ended)) = parse(&text) {
            children.entry(parent).or_default().push((id, has_ended));
        }
    }
    let ours = pid_t::try_from(std::process::id()).unwrap_or_default();
    let (mut members, mut parents) = (Vec::new(), vec![ours]);
    while let Some(parent) = parents.pop() {
        for (id, has_ended) in children.remove(&parent).unwrap_or_default() {
            parents.push(id);
            members.extend((!has_ended).then_some(id));
        }
    }
    members
}

/// The parent, and whether the process has ended (proc_pid_stat(5)). The name in parentheses may have anything in it.
fn parse(stat: &str) -> Option<(pid_t, bool)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let has_ended = matches!(fields.next()?, "Z" | "X");
    Some((fields.next()?.parse().ok()?, has_ended))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest() {
        assert_eq!(parse("7 (sh) S 5 7 7 0"), Some((5, false)));
        assert_eq!(parse("7 (a) Z 1 (b) Z 6 7"), Some((6, true)));
        assert_eq!(parse("7 sh S 5"), None);
    }
}
