//! What the server sees: the declarations of the plugin, and the functions that it calls.
//!
//! The shapes are those of MariaDB's `plugin.h` and `plugin_encryption.h`. No function lets a panic out: the server is
//! written in C++, and a key that is not there is an answer it knows.

mod log;
mod variables;

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, PoisonError, RwLock, TryLockError};
use std::thread::JoinHandle;

use crate::plugin::{Plugin, Refused, Severity, refusal};

/// `ENCRYPTION_KEY_VERSION_INVALID`: there is no such key, or it cannot be had.
const NO_KEY: c_uint = !0;
/// `ENCRYPTION_KEY_BUFFER_TOO_SMALL`.
const TOO_SMALL: c_uint = 100;
const OK: c_uint = 0;

/// `MARIA_PLUGIN_INTERFACE_VERSION` of 10.11; a newer server takes an older plugin.
const PLUGIN_INTERFACE: c_int = 0x010f;
/// `MARIADB_ENCRYPTION_INTERFACE_VERSION`.
const ENCRYPTION_INTERFACE: c_int = 0x0300;
/// `MariaDB_ENCRYPTION_PLUGIN`.
const ENCRYPTION_PLUGIN: c_int = 9;
/// `PLUGIN_LICENSE_BSD`: the closest of the three that the interface knows to MIT or Apache-2.0.
const LICENSE: c_int = 2;
/// Ours, major and minor in a byte each.
const VERSION: c_uint = 0x0001;
/// `MariaDB_PLUGIN_MATURITY_GAMMA`.
const MATURITY: c_uint = 4;

/// `st_mariadb_encryption`.
#[repr(C)]
struct Encryption {
    interface_version: c_int,
    get_latest_key_version: unsafe extern "C" fn(c_uint) -> c_uint,
    get_key: unsafe extern "C" fn(c_uint, c_uint, *mut u8, *mut c_uint) -> c_uint,
    /// The functions that encrypt; where there are none, the server's own do it.
    encrypt: [*const c_void; 5],
}

/// `st_maria_plugin`.
#[repr(C)]
struct Declaration {
    kind: c_int,
    info: *mut Encryption,
    name: *const c_char,
    author: *const c_char,
    description: *const c_char,
    license: c_int,
    init: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
    deinit: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
    version: c_uint,
    status: *const c_void,
    variables: *mut *mut c_void,
    version_text: *const c_char,
    maturity: c_uint,
}

// The server writes into what these point to, so they are `static mut`: none of it may be in
// read-only pages. Nothing of ours touches them after the library is loaded.

#[unsafe(no_mangle)]
static mut _maria_plugin_interface_version_: c_int = PLUGIN_INTERFACE;

#[unsafe(no_mangle)]
static mut _maria_sizeof_struct_st_plugin_: c_int = size_of::<Declaration>() as c_int;

#[unsafe(no_mangle)]
static mut _maria_plugin_declarations_: [Declaration; 2] = [
    Declaration {
        kind: ENCRYPTION_PLUGIN,
        info: &raw mut ENCRYPTION,
        name: c"kmip_key_management".as_ptr(),
        author: c"Claviger".as_ptr(),
        description: c"Encryption keys on a KMIP server".as_ptr(),
        license: LICENSE,
        init: Some(init),
        deinit: Some(deinit),
        version: VERSION,
        status: ptr::null(),
        variables: variables::list(),
        version_text: concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast(),
        maturity: MATURITY,
    },
    // The end of the list.
    Declaration {
        kind: 0,
        info: ptr::null_mut(),
        name: ptr::null(),
        author: ptr::null(),
        description: ptr::null(),
        license: 0,
        init: None,
        deinit: None,
        version: 0,
        status: ptr::null(),
        variables: ptr::null_mut(),
        version_text: ptr::null(),
        maturity: 0,
    },
];

static mut ENCRYPTION: Encryption = Encryption {
    interface_version: ENCRYPTION_INTERFACE,
    get_latest_key_version,
    get_key,
    encrypt: [ptr::null(); 5],
};

/// What there is from `init` to `deinit`. Only they write, so nobody else ever waits for it.
static RUNNING: RwLock<Option<Running>> = RwLock::new(None);

struct Running {
    plugin: Arc<Plugin>,
    thread: JoinHandle<()>,
}

/// Asks the plugin; there is no answer before it has started and once it ends.
fn ask<T>(question: impl FnOnce(&Plugin) -> Option<T>) -> Option<T> {
    let running = match RUNNING.try_read() {
        Ok(running) => running,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return None,
    };
    running.as_ref().and_then(|running| question(&running.plugin))
}

/// Runs what the server asks for; a panic becomes the answer that there is none.
fn guarded<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

/// The server loads the plugin: 0, or 1 if it cannot work.
unsafe extern "C" fn init(_: *mut c_void) -> c_int {
    guarded(1, || match start() {
        Ok(()) => 0,
        Err(problem) => {
            log::refuse(&problem);
            1
        }
    })
}

fn start() -> Result<(), String> {
    let mut running = RUNNING.write().unwrap_or_else(PoisonError::into_inner);
    if running.is_some() {
        return Err(String::from("the plugin is loaded already: load it once"));
    }
    // SAFETY: the server has set the variables before it calls `init`, and changes them no more,
    // as they are read-only.
    let given = unsafe { variables::read() }.map_err(|wrong| refusal(&Refused::Option(wrong)))?;
    let settings = given.read().map_err(|wrong| refusal(&Refused::Option(wrong)))?;
    let plugin =
        Plugin::start(settings, log::write).map_err(|problem| refusal(&Refused::Keys(problem)))?;
    let plugin = Arc::new(plugin);
    let spawn = || {
        let plugin = Arc::clone(&plugin);
        std::thread::Builder::new().name(String::from("kmip-keys")).spawn(move || {
            let refresh = || {
                plugin.refresh_until_end();
                true
            };
            // Without it nobody would notice that a key is taken away.
            while !guarded(false, refresh) {
                log::write(Severity::Error, "a defect: looking for new versions begins anew");
            }
        })
    };
    let thread = without_signals(spawn).map_err(|error| format!("no thread: {error}"))?;
    *running = Some(Running { plugin, thread });
    Ok(())
}

/// Spawns with all signals blocked, which the new thread inherits: they are for the server's
/// threads.
fn without_signals<T>(spawn: impl FnOnce() -> T) -> T {
    // SAFETY: a set of signals is plain data, and both calls get valid pointers to one.
    let before = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        let failed = libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        (failed == 0).then_some(before)
    };
    let spawned = spawn();
    if let Some(before) = before {
        // SAFETY: `before` is what the thread's mask was.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
    }
    spawned
}

/// The server unloads the plugin when it ends: the thread must not outlive the code. What is left
/// behind is what was there before `init`.
unsafe extern "C" fn deinit(_: *mut c_void) -> c_int {
    guarded(0, || {
        // Before it is waited for: who is asking a KMIP server holds the lock.
        let _none = ask(|plugin| {
            plugin.end();
            None::<()>
        });
        let running = RUNNING.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { plugin, thread }) = running {
            // A panic of the thread was caught in it.
            let _ended = thread.join();
            drop(plugin);
        }
        0
    })
}

unsafe extern "C" fn get_latest_key_version(key_id: c_uint) -> c_uint {
    guarded(NO_KEY, || ask(|plugin| plugin.latest(key_id)).unwrap_or(NO_KEY))
}

/// Copies the bytes of a version to `key`, which has room for `*length`; `*length` becomes how
/// many there are. Without `key`, that is all that is done.
unsafe extern "C" fn get_key(
    key_id: c_uint,
    version: c_uint,
    key: *mut u8,
    length: *mut c_uint,
) -> c_uint {
    let copy = |plugin: &Plugin| {
        let bytes = plugin.bytes(key_id, version)?.expose();
        let needed = c_uint::try_from(bytes.len()).ok()?;
        if length.is_null() {
            return None;
        }
        // SAFETY: the server gives a pointer to an integer of its own, which is not null.
        let room = unsafe { length.replace(needed) };
        if key.is_null() || room < needed {
            return Some(if room < needed { TOO_SMALL } else { OK });
        }
        // SAFETY: `key` is not null and has room for `room` bytes, which are enough; the server's
        // buffer is not in our memory.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), key, bytes.len()) };
        Some(OK)
    };
    guarded(NO_KEY, || ask(copy).unwrap_or(NO_KEY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_answer() {
        let fails = || -> c_uint { panic!("a defect") };
        assert_eq!(guarded(NO_KEY, fails), NO_KEY);
        // The lock that it was under serves on.
        assert_eq!(guarded(OK, || ask(|_| Some(NO_KEY)).unwrap_or(TOO_SMALL)), TOO_SMALL);
    }
}
