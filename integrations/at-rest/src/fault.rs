//! Named moments at which a test ends the process, to see what a crash there leaves. A release build
//! has none of them; a debug build does what its program has hooked in, which is nothing by itself.

/// A moment between two steps, either of which a crash may find undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The name of the next master key is on disk; no server has heard of it.
    NameNoted,
    /// A server has the new master key; nothing here says so.
    KeyRegistered,
    /// It is Active as well.
    KeyActivated,
    /// A whole keystore is written, but not under its name.
    KeystoreWritten,
    /// It is in its place; the note of the master key's name is still there.
    KeystoreInPlace,
    /// A name is on neither of two keys.
    NameTaken,
    /// A data key is written behind the others; the header does not count it.
    DataKeyWritten,
    /// The header counts it; nobody has been told.
    DataKeyCounted,
    /// A keystore of an older format has been copied.
    OldFormatCopied,
}

#[cfg(debug_assertions)]
static HOOK: std::sync::OnceLock<fn(Point)> = std::sync::OnceLock::new();

/// From now on `hook` is told of every point that is passed; the first one stays.
#[cfg(debug_assertions)]
pub fn hook(hook: fn(Point)) {
    // A second hook is a mistake of a test, which then sees the first one's effects.
    let _ = HOOK.set(hook);
}

/// Passes a point.
pub(crate) fn point(point: Point) {
    #[cfg(debug_assertions)]
    if let Some(hook) = HOOK.get() {
        hook(point);
    }
    #[cfg(not(debug_assertions))]
    let _ = point;
}
