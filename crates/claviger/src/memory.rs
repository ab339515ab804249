//! Keys in memory must not reach a core dump or the swap.

/// What to say where dumps cannot be forbidden.
pub(crate) const DUMPS: &str = "core dumps cannot be turned off: they may contain keys";

/// Forbids core dumps of this process; whether that worked. Unlike a limit, this is not handed on to
/// programs that it starts.
#[must_use]
#[expect(unsafe_code, reason = "prctl has no safe form")]
pub(crate) fn forbid_dumps() -> bool {
    // SAFETY: the call takes plain numbers.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 }
}

/// Forbids core dumps, by a limit too, and locks memory, now and for the life of this process: what
/// fails is logged.
#[expect(unsafe_code, reason = "setrlimit and mlockall have no safe form")]
pub(crate) fn protect() {
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let mut locked = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls take plain values and pointers to the two structures above.
    unsafe {
        if !forbid_dumps() || libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core) != 0 {
            tracing::warn!("{DUMPS}");
        }
        libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut locked);
        // Under a limit, later allocations would fail: then the swap is the operator's affair.
        let may = locked.rlim_cur == libc::RLIM_INFINITY || libc::geteuid() == 0;
        let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT;
        if !may || libc::mlockall(flags) != 0 {
            tracing::warn!(
                "memory is not locked and may be swapped out: raise `ulimit -l`, or turn swap off"
            );
        }
    }
}
