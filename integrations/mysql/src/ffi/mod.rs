//! What the server sees: the declaration of the component, and the functions of its services.
//!
//! The shapes are those of MySQL's component interface and of its keyring services, 8.0.24 to 9.7. A function answers 0 for
//! done and 1 for not done, except where it says whether something is so: there 1 is yes. No function lets a panic out: the
//! server is written in C++.

mod encryption;
mod lists;
mod log;
mod services;
mod text;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::keyring::{Keyring, Refused, Severity};

const DONE: c_int = 0;
const FAILED: c_int = 1;

/// A service that the component has: `service.component`, and a structure of functions.
#[repr(C)]
struct Provided {
    name: *const c_char,
    functions: *const c_void,
}

/// A pair of texts.
#[repr(C)]
struct Metadata {
    key: *const c_char,
    value: *const c_char,
}

/// `mysql_component_t`.
#[repr(C)]
pub(crate) struct Component {
    name: *const c_char,
    provides: *const Provided,
    /// Services that it needs, with places for their addresses: none.
    requires: *const [*const c_void; 2],
    metadata: *const Metadata,
    init: unsafe extern "C" fn() -> c_int,
    deinit: unsafe extern "C" fn() -> c_int,
}

/// Pointers to what lives for ever and is never written to.
struct Constant<T>(T);

// SAFETY: nobody writes to what it points to.
unsafe impl<T> Sync for Constant<T> {}

macro_rules! provided {
    ($($service:literal: $functions:path;)*) => {
        Constant([
            $(Provided {
                name: concat!($service, ".component_claviger_kmip\0").as_ptr().cast(),
                functions: (&raw const $functions).cast(),
            },)*
            Provided { name: ptr::null(), functions: ptr::null() },
        ])
    };
}

static PROVIDES: Constant<[Provided; 9]> = provided! {
    "keyring_load": services::LOAD;
    "keyring_reader_with_status": services::READER;
    "keyring_writer": services::WRITER;
    "keyring_generator": services::GENERATOR;
    "keyring_keys_metadata_iterator": services::KEYS;
    "keyring_component_status": services::STATUS;
    "keyring_component_metadata_query": services::METADATA;
    "keyring_aes": services::AES;
};

static REQUIRES: Constant<[[*const c_void; 2]; 1]> = Constant([[ptr::null(); 2]]);

static METADATA: Constant<[Metadata; 3]> = Constant([
    Metadata { key: c"mysql.author".as_ptr(), value: c"Claviger".as_ptr() },
    Metadata { key: c"mysql.license".as_ptr(), value: c"MIT OR Apache-2.0".as_ptr() },
    Metadata { key: ptr::null(), value: ptr::null() },
]);

static COMPONENT: Constant<Component> = Constant(Component {
    name: c"component_claviger_kmip".as_ptr(),
    provides: (&raw const PROVIDES.0).cast(),
    requires: (&raw const REQUIRES.0).cast(),
    metadata: (&raw const METADATA.0).cast(),
    init,
    deinit,
});

/// The keys, once they were read.
static KEYRING: RwLock<Option<Arc<Keyring>>> = RwLock::new(None);
/// Whoever reads all keys, or changes one, holds it.
static CHANGING: Mutex<()> = Mutex::new(());

/// The declaration, which the server asks for when it has loaded the library.
#[unsafe(no_mangle)]
extern "C" fn list_components() -> *const Component {
    &raw const COMPONENT.0
}

/// Runs what the server asks for; a panic becomes the answer that it was not done.
fn guarded(otherwise: c_int, work: impl FnOnce() -> c_int) -> c_int {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        log::write(Severity::Error, "a defect: please report it");
        otherwise
    })
}

fn done(is_done: bool) -> c_int {
    if is_done { DONE } else { FAILED }
}

fn keyring() -> Option<Arc<Keyring>> {
    KEYRING.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn set_keyring(keyring: Option<Arc<Keyring>>) {
    let before = {
        let mut place = KEYRING.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, keyring)
    };
    // Wiped when nobody reads from it any more, and not while the others wait.
    drop(before);
}

/// The server loads the component. Where the keys are it says later.
unsafe extern "C" fn init() -> c_int {
    guarded(FAILED, || {
        stay_loaded();
        DONE
    })
}

/// Keeps the library in memory until the process ends: the TLS library has something to do when a thread ends, and so
/// the code must be there when the server has unloaded the component.
fn stay_loaded() {
    // SAFETY: `dladdr` fills what it is given, and the name in it lives as long as the library; `dlopen` finds
    // what is loaded already.
    unsafe {
        let mut here: libc::Dl_info = std::mem::zeroed();
        let function: unsafe extern "C" fn() -> c_int = init;
        if libc::dladdr(function as *const c_void, &raw mut here) != 0 && !here.dli_fname.is_null()
        {
            libc::dlopen(here.dli_fname, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
        }
    }
}

/// The server unloads the component: the keys are wiped.
unsafe extern "C" fn deinit() -> c_int {
    guarded(FAILED, || {
        set_keyring(None);
        DONE
    })
}

/// Reads the configuration and the keys, anew if they were read before. Where that fails, what was read before stays.
fn load(plugins: PathBuf, data: PathBuf) -> c_int {
    let _changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    match without_signals(|| Keyring::load(&plugins, &data)) {
        Ok((keyring, warnings)) => {
            for warning in warnings {
                log::write(Severity::Warning, &warning);
            }
            set_keyring(Some(Arc::new(keyring)));
            DONE
        }
        Err(refused) => {
            let and_then = match (&refused, keyring()) {
                (_, None) => "",
                (_, Some(_)) => ": the keys that were read before are used on",
            };
            log::write(Severity::Error, &format!("{refused}{and_then}"));
            FAILED
        }
    }
}

/// Changes a key; says in the error log what is wrong.
fn change<E>(work: impl FnOnce(&Keyring) -> Result<(), E>) -> c_int
where
    Refused: From<E>,
{
    let _changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(keyring) = keyring() else { return FAILED };
    match without_signals(|| work(&keyring)) {
        Ok(()) => DONE,
        Err(problem) => {
            let refused = Refused::from(problem);
            log::write(refused.severity(), &refused.to_string());
            FAILED
        }
    }
}

/// Works with all signals blocked: a thread that resolves a name inherits that, and signals are for the server's
/// threads.
fn without_signals<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: a set of signals is plain data, and both calls get valid pointers to one.
    let before = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        let failed = libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        (failed == 0).then_some(before)
    };
    let worked = catch_unwind(AssertUnwindSafe(work));
    if let Some(before) = before {
        // SAFETY: `before` is what the thread's mask was.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
    }
    worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A directory as the server names it; without a name it is the working directory.
///
/// # Safety
/// The pointer is null or of a text that ends with a zero.
unsafe fn directory(pointer: *const c_char) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    if pointer.is_null() {
        return PathBuf::from(".");
    }
    // SAFETY: not null, so it ends with a zero.
    let name = unsafe { CStr::from_ptr(pointer) };
    PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes()))
}
