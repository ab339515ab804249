//! Named moments at which a test ends the process, to see what a crash there leaves. A release build
//! has none of them; a debug build does what its program has hooked in, which is nothing by itself.

/// A moment between two steps, either of which a crash may find undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The first keys of a store, and its first token, are about to be stored.
    InitialisationCommit,
    /// They are durable; nobody has been told.
    InitialisationCommitted,
    /// A keyring is about to be stored, with whatever goes into its batch.
    KeyringCommit,
    /// It is durable; nobody has been told.
    KeyringCommitted,
    /// The seal's configuration is about to be stored by itself.
    SealConfigCommit,
    /// It is durable; nobody has been told.
    SealConfigCommitted,
    /// A key file that no store knows of yet is in its place.
    KeyFileWritten,
    /// A key file that no store needs any more is still there.
    KeyFileObsolete,
    /// A part of a backup has been written.
    BackupPart,
    /// A backup is whole, but not under its name.
    BackupWritten,
    /// A database that will be put in place has some of its records.
    DatabasePart,
    /// It has all of them.
    DatabaseWritten,
    /// It is in its place; nobody has been told.
    DatabaseInPlace,
}

impl Point {
    /// Every point.
    pub const ALL: &[Self] = &[
        Self::InitialisationCommit,
        Self::InitialisationCommitted,
        Self::KeyringCommit,
        Self::KeyringCommitted,
        Self::SealConfigCommit,
        Self::SealConfigCommitted,
        Self::KeyFileWritten,
        Self::KeyFileObsolete,
        Self::BackupPart,
        Self::BackupWritten,
        Self::DatabasePart,
        Self::DatabaseWritten,
        Self::DatabaseInPlace,
    ];
}

#[cfg(debug_assertions)]
static HOOK: std::sync::OnceLock<fn(Point)> = std::sync::OnceLock::new();

/// From now on `hook` is told of every point that is passed; the first one stays.
#[cfg(debug_assertions)]
pub fn hook(hook: fn(Point)) {
    // A second hook is a mistake of a test, which then sees the first one's effects.
    let _ = HOOK.set(hook);
}

/// A program is about to remove a key file that its store needs no more.
pub fn key_file_is_obsolete() {
    point(Point::KeyFileObsolete);
}

/// A program has written a backup that is not under its name yet.
pub fn backup_is_written() {
    point(Point::BackupWritten);
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
