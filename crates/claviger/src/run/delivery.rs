//! How a program gets its key: in its environment, at a descriptor, or as a file in memory.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args;
use claviger_at_rest::DataKey;
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};
use crate::keystore::hex;

/// What stands for the key in --key-text, and for the path of the memory file in arguments.
const KEY: &str = "{hex}";
const KEY_FILE: &str = "{key-file}";
/// The variable of the environment, if nothing else is said.
const VARIABLE: &str = "CLAVIGER_DATA_KEY";

/// How the program gets its key.
#[derive(Args, Clone, Debug)]
pub(super) struct DeliveryArguments {
    /// In this variable of the environment [default: CLAVIGER_DATA_KEY]
    #[arg(long, value_name = "VARIABLE", group = "how")]
    key_env: Option<String>,
    /// At this descriptor, to be read once
    #[arg(long, value_name = "N", group = "how", value_parser = clap::value_parser!(i32).range(0..1024))]
    key_fd: Option<i32>,
    /// As a file in memory that cannot be changed; its path is in this variable, and stands for
    /// {key-file} in the program's arguments
    #[arg(long, value_name = "VARIABLE", group = "how")]
    key_memfd: Option<String>,
    /// What the program gets: {hex} is the key in lower-case hex
    #[arg(long, value_name = "TEXT", default_value = KEY)]
    key_text: String,
}

/// A key on its way to a program.
pub(super) struct Delivery {
    way: Way,
    /// The path of the memory file, as the program sees it.
    path: OsString,
}

enum Way {
    Variable(String, Zeroizing<String>),
    Descriptor(OwnedFd, RawFd),
    Memory(OwnedFd, String),
}

impl Delivery {
    /// Puts the key where the program will find it.
    pub(super) fn new(arguments: &DeliveryArguments, key: &DataKey) -> Outcome<Self> {
        if !arguments.key_text.contains(KEY) {
            let problem = format!("--key-text without {KEY} gives the program no key");
            return Err(Failure::usage(problem));
        }
        let text = Zeroizing::new(arguments.key_text.replace(KEY, &hex(key.expose())));
        let way = match (&arguments.key_env, arguments.key_fd, &arguments.key_memfd) {
            (_, Some(number), _) => Way::Descriptor(pipe(&text).map_err(Failure::new)?, number),
            (_, _, Some(variable)) => {
                Way::Memory(memory_file(&text).map_err(Failure::new)?, variable.clone())
            }
            (variable, None, None) => {
                Way::Variable(variable.clone().unwrap_or_else(|| VARIABLE.into()), text)
            }
        };
        let path = match &way {
            Way::Memory(file, _) => format!("/proc/self/fd/{}", file.as_raw_fd()),
            Way::Descriptor(_, number) => format!("/proc/self/fd/{number}"),
            Way::Variable(..) => String::new(),
        };
        Ok(Self { way, path: path.into() })
    }

    /// A word of the program's line with the path in its place.
    pub(super) fn fill_in(&self, word: &OsStr) -> OsString {
        let (bytes, pattern) = (word.as_bytes(), KEY_FILE.as_bytes());
        let found = bytes.windows(pattern.len()).position(|window| window == pattern);
        let Some((before, rest)) = found.and_then(|at| bytes.split_at_checked(at)) else {
            return word.to_owned();
        };
        let behind = rest.get(pattern.len()..).unwrap_or_default();
        OsString::from_vec([before, self.path.as_bytes(), behind].concat())
    }

    /// Makes the program find it.
    pub(super) fn prepare(self, command: &mut Command) {
        match self.way {
            Way::Variable(name, text) => {
                command.env(name, text.as_str());
            }
            Way::Descriptor(file, number) => hand_over(command, file, number),
            Way::Memory(file, variable) => {
                command.env(variable, &self.path);
                let number = file.as_raw_fd();
                hand_over(command, file, number);
            }
        }
    }
}

/// Gives the program a descriptor under a number.
fn hand_over(command: &mut Command, file: OwnedFd, number: RawFd) {
    #[expect(unsafe_code, reason = "nothing else runs between fork and exec")]
    // SAFETY: dup2 and fcntl are async-signal-safe; the descriptor lives as long as the closure.
    unsafe {
        command.pre_exec(move || {
            let done = if file.as_raw_fd() == number {
                libc::fcntl(number, libc::F_SETFD, 0)
            } else {
                libc::dup2(file.as_raw_fd(), number)
            };
            if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
        });
    }
}

/// A pipe that has the text in it and ends after it; the text is smaller than any pipe.
fn pipe(text: &str) -> io::Result<OwnedFd> {
    let (reader, mut writer) = io::pipe()?;
    if text.len() > 4096 {
        return Err(io::Error::other("--key-text is longer than 4096 bytes"));
    }
    writer.write_all(text.as_bytes())?;
    Ok(reader.into())
}

/// A file without a name that holds the text and nothing else ever.
fn memory_file(text: &str) -> io::Result<OwnedFd> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    #[expect(unsafe_code, reason = "memfd_create has no safe form")]
    // SAFETY: the name is a C string; the descriptor is nobody else's.
    let mut file = unsafe {
        match libc::memfd_create(c"claviger-key".as_ptr(), flags) {
            number if number >= 0 => File::from_raw_fd(number),
            _ => return Err(io::Error::last_os_error()),
        }
    };
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;
    #[expect(unsafe_code, reason = "fcntl has no safe form")]
    // SAFETY: the descriptor is the file's.
    let sealed = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
    if sealed < 0 { Err(io::Error::last_os_error()) } else { Ok(file.into()) }
}
