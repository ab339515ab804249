//! What commands read: files, stdin, and what people type unseen.
//!
//! It must never know what it is for.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::terminal::Unseen;

/// Enough for a token, a password, a share.
const LINE_BYTES_MAX: u64 = 1 << 16;

/// What a file holds, or stdin for `-`.
pub(crate) fn bytes(path: &Path) -> Outcome<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let result = if path.as_os_str() == "-" {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    result.map_err(|error| Failure::file(path, &error))?;
    Ok(bytes)
}

/// The same, as text.
pub(crate) fn text(path: &Path) -> Outcome<String> {
    let bytes = bytes(path)?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| Failure::new(format_args!("{}: this is no text", path.display())));
    text.map(str::to_owned)
}

/// Asks for what is to be typed at a terminal, which does not show it for as long as what is returned is
/// held. Nothing if stdin is no terminal.
pub(crate) fn unseen(what: &str) -> Outcome<Option<Unseen>> {
    let unseen = io::stdin().is_terminal().then(Unseen::begin).transpose().map_err(Failure::new)?;
    if unseen.is_some() {
        output::note(format_args!("{what} (it is not shown):"));
    }
    Ok(unseen)
}

/// A line of stdin, without its end. At a terminal it is asked for, and not shown.
///
/// # Errors
/// Bad usage if there is nothing in it.
pub(crate) fn secret(what: &str) -> Outcome<Zeroizing<String>> {
    let stdin = io::stdin();
    // Room for all of it: a line that grows would leave copies behind.
    let mut line = Zeroizing::new(String::with_capacity(4096));
    {
        let _unseen = unseen(what)?;
        stdin.lock().take(LINE_BYTES_MAX).read_line(&mut line).map_err(Failure::new)?;
    }
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    if line.is_empty() {
        return Err(Failure::usage(format_args!("{}: nothing was given", what.to_lowercase()))
            .next("Type it when it is asked for, or give it on stdin."));
    }
    Ok(line)
}
