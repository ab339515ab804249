//! What can go wrong. [`Kind`] is the table: each kind with its exit code and what to do next;
//! docs/at-rest.md has it from here.
//!
//! No error carries key material or a password.

use std::io;
use std::path::{Path, PathBuf};

use claviger_client::Endpoint;
use claviger_kmip::enums::State;

use crate::options::Problem;

/// The exit code of a refused or failed action.
const FAILED: u8 = 1;
/// The exit code of bad usage.
const USAGE: u8 = 2;
/// The exit code of a database whose master key is absent or not Active: 1001, as far as an
/// operating system passes it on.
pub const KEY_LOST: u8 = 233;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident $code:ident $hint:literal;)*) => {
        /// A kind of failure: what users are told apart.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The exit code of a program that ends with it.
            #[must_use]
            pub const fn exit_code(self) -> u8 {
                match self { $(Self::$kind => $code,)* }
            }

            /// What to do next.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$kind => $hint,)* }
            }

            /// What it is, for people.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$kind => concat!($($doc),*),)* }
            }
        }
    };
}

kinds! {
    /// Options are wrong, or contradict each other.
    Options USAGE "docs/at-rest.md has every option with its rules.";
    /// A certificate or key file cannot be used.
    ClientFiles FAILED "Give the certificate with its chain and the private key, both in PEM, as `claviger server --export-client DIR` writes them.";
    /// The private key is encrypted, and the password is missing or wrong.
    Password FAILED "Give clientCertificatePassword, or a file whose key is not encrypted.";
    /// The server's certificate comes from an authority that is not trusted, or has another fault.
    Authority FAILED "Give the certificate of the authority that issued the server's certificate as serverCAFile.";
    /// The server's certificate has expired, or is not valid yet.
    Expired FAILED "Renew the server's certificate; look at the clocks of both machines.";
    /// The server's certificate is for another host.
    HostName FAILED "Name the server in serverName as its certificate does, or issue the certificate for that name.";
    /// The server does not take the client's certificate.
    ClientCertificate FAILED "Make a new credential, and see that the server trusts its authority.";
    /// The TLS handshake failed for another reason.
    Tls FAILED "See that this is the KMIP port of the server, and what its log says.";
    /// No server could be reached, or none answered in time.
    Unreachable FAILED "See that a server runs at serverName and port; raise connectTimeoutMS or connectRetries if it is slow.";
    /// What the server sent is no answer to the request.
    Garbage FAILED "See that this is the KMIP port of a KMIP server.";
    /// The server understood and refuses.
    Refused FAILED "See what the role of this certificate may do: it needs Register, Activate, Get, Get Attributes and Locate, at level 4.2 Add Attribute and Delete Attribute too.";
    /// The server has no such key.
    Absent KEY_LOST "Put the key back on the server (a backup of it), or see that the certificate belongs to its scope. Without the key the data cannot be read.";
    /// The key is not Active.
    NotActive KEY_LOST "If it is Pre-Active: `claviger keystore activate`. If it was revoked, start with activateKeys=false once and rotate to a new key.";
    /// The object is no AES key of 256 bits.
    WrongKey FAILED "Name a key of 32 bytes, or its base64 text of 44, registered as AES in Raw format.";
    /// The key file cannot be used.
    KeyFile FAILED "The file holds the base64 text of 32 bytes and is readable for its owner alone: openssl rand -base64 32.";
    /// A rotation was asked for, and there is no keystore.
    NothingToRotate FAILED "Open the keystore first, without rotateMasterKey.";
    /// A rotation was asked for to the key that is in use.
    SameKey FAILED "Leave keyIdentifier out for a new key, or name another one.";
    /// Another key was named than the one in use.
    OtherKey FAILED "Leave keyIdentifier out, or add rotateMasterKey to seal the keystore with the named key.";
    /// The keystore was not configured with KMIP.
    NotKmip FAILED "Give the keyIdentifier of a key with the same bytes as the key file.";
    /// The keystore was configured with another kind of facility.
    OtherFacility FAILED "Use the facility that the keystore was made with.";
    /// Several keys have the name.
    AmbiguousName FAILED "Take the name from all of them but one.";
    /// No key has the name, or not the one in use.
    NameMoved FAILED "Give the name back to the key in use, or start at level 5.0 without keyIdentifier.";
    /// Another keystore holds the key of that name.
    NameShared FAILED "Rotate with a keyIdentifier of its own for each keystore.";
    /// Another process has the directory open.
    InUse FAILED "End the other program, or wait for it.";
    /// There is no keystore in the directory.
    NoKeystore FAILED "Make one: `claviger keystore open --dir DIR`.";
    /// The keystore was written by a newer version of this program.
    Newer FAILED "Use the version that wrote it, or a later one.";
    /// The keystore does not open with that key.
    DoesNotOpen FAILED "See that the key is the one the keystore was sealed with; else restore the directory from a backup.";
    /// The keystore is damaged.
    Damaged FAILED "Restore the directory from a backup, and keep the damaged one.";
    /// A file cannot be read or written.
    File FAILED "See to the permissions of the directory and the health of the disk.";
    /// The disk is full.
    DiskFull FAILED "Free some space; the keystore is as it was before.";
    /// The keystore has no such database.
    UnknownDatabase FAILED "`claviger keystore add-database NAME` makes its key.";
    /// The keystore has that database already.
    KnownDatabase FAILED "`claviger keystore export-key NAME` shows its key.";
    /// That is no name of a database.
    DatabaseName USAGE "A name has 1 to 255 bytes and no control characters.";
    /// A limit is reached.
    Limit FAILED "docs/at-rest.md has the limits.";
    /// The operating system has no randomness.
    Randomness FAILED "Try again.";
}

/// Why something cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// See [`Kind::Options`].
    #[error("{}", list(.0))]
    Options(Vec<Problem>),
    /// See [`Kind::ClientFiles`].
    #[error("{}: {problem}", path.display())]
    ClientFiles {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// See [`Kind::Password`].
    #[error("{}: the private key is encrypted, and {}", path.display(), if *.is_given { "the password is wrong" } else { "no password is given" })]
    Password {
        /// The file.
        path: PathBuf,
        /// Whether there was a password.
        is_given: bool,
    },
    /// No server could be used: each with the reason why, as of the last attempt.
    #[error("{}", servers(.0))]
    Servers(Vec<ServerFailure>),
    /// See [`Kind::Absent`].
    #[error("key reading failed: {identifier} is absent on the KMIP server")]
    Absent {
        /// The key.
        identifier: String,
    },
    /// See [`Kind::NotActive`].
    #[error("key reading failed: {identifier} is not in the Active state, but {state:?}")]
    NotActive {
        /// The key.
        identifier: String,
        /// Its state.
        state: State,
    },
    /// See [`Kind::WrongKey`].
    #[error("key reading failed: {identifier} is {problem}")]
    WrongKey {
        /// The key.
        identifier: String,
        /// What is wrong with it.
        problem: String,
    },
    /// See [`Kind::KeyFile`].
    #[error("{}: {problem}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// See [`Kind::NothingToRotate`].
    #[error("can't rotate master encryption key: there is no keystore yet")]
    NothingToRotate,
    /// See [`Kind::SameKey`].
    #[error("can't rotate master encryption key: {0} is the key that is in use")]
    SameKey(String),
    /// See [`Kind::OtherKey`].
    #[error("the keystore is sealed with the key {configured}, but {provided} was named")]
    OtherKey {
        /// The key in use.
        configured: String,
        /// The key that was named.
        provided: String,
    },
    /// See [`Kind::NotKmip`].
    #[error("the keystore was not configured with KMIP")]
    NotKmip,
    /// See [`Kind::OtherFacility`].
    #[error("a key on a KMIP server was offered to a keystore that was configured with Vault")]
    OtherFacility,
    /// See [`Kind::AmbiguousName`].
    #[error("{count} keys have the name {name}")]
    AmbiguousName {
        /// The name.
        name: String,
        /// How many keys have it.
        count: usize,
    },
    /// See [`Kind::NameMoved`].
    #[error("the keystore is sealed with the key {configured}, which has not the name {name}")]
    NameMoved {
        /// The name.
        name: String,
        /// The key in use.
        configured: String,
    },
    /// See [`Kind::NameShared`].
    #[error("another keystore uses the key of the name {name}")]
    NameShared {
        /// The name.
        name: String,
    },
    /// See [`Kind::InUse`].
    #[error("{}: another process has it open", .0.display())]
    InUse(PathBuf),
    /// See [`Kind::NoKeystore`].
    #[error("{}: there is no keystore", .0.display())]
    NoKeystore(PathBuf),
    /// See [`Kind::Newer`].
    #[error("{}: format {format} is newer than this version of claviger, which knows up to {}", path.display(), crate::keystore::FORMAT)]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u8,
    },
    /// See [`Kind::DoesNotOpen`].
    #[error("{}: it does not open with that key, or its header is damaged", .0.display())]
    DoesNotOpen(PathBuf),
    /// See [`Kind::Damaged`].
    #[error("{}: damaged: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How.
        problem: String,
    },
    /// See [`Kind::File`] and [`Kind::DiskFull`].
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// See [`Kind::UnknownDatabase`].
    #[error("the keystore has no key for a database {0:?}")]
    UnknownDatabase(String),
    /// See [`Kind::KnownDatabase`].
    #[error("the keystore has a key for the database {0:?} already")]
    KnownDatabase(String),
    /// See [`Kind::DatabaseName`].
    #[error("{0:?} is no name of a database")]
    DatabaseName(String),
    /// See [`Kind::Limit`].
    #[error("there are more than {most} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: u64,
    },
    /// See [`Kind::Randomness`].
    #[error("the operating system gives no randomness")]
    Randomness,
}

/// Why one server could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{server}: {problem}")]
pub struct ServerFailure {
    /// The server.
    pub server: Endpoint,
    /// The kind.
    pub kind: Kind,
    /// Why.
    pub problem: String,
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Without any, others have been asked just before in vain.
fn servers(failures: &[ServerFailure]) -> String {
    if failures.is_empty() {
        return String::from("no server could be reached just now");
    }
    format!("{}; no attempts are left", list(failures))
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Options(_) => Kind::Options,
            Self::ClientFiles { .. } => Kind::ClientFiles,
            Self::Password { .. } => Kind::Password,
            Self::Servers(failures) => failures.last().map_or(Kind::Unreachable, |last| last.kind),
            Self::Absent { .. } => Kind::Absent,
            Self::NotActive { .. } => Kind::NotActive,
            Self::WrongKey { .. } => Kind::WrongKey,
            Self::KeyFile { .. } => Kind::KeyFile,
            Self::NothingToRotate => Kind::NothingToRotate,
            Self::SameKey(_) => Kind::SameKey,
            Self::OtherKey { .. } => Kind::OtherKey,
            Self::NotKmip => Kind::NotKmip,
            Self::OtherFacility => Kind::OtherFacility,
            Self::AmbiguousName { .. } => Kind::AmbiguousName,
            Self::NameMoved { .. } => Kind::NameMoved,
            Self::NameShared { .. } => Kind::NameShared,
            Self::InUse(_) => Kind::InUse,
            Self::NoKeystore(_) => Kind::NoKeystore,
            Self::Newer { .. } => Kind::Newer,
            Self::DoesNotOpen(_) => Kind::DoesNotOpen,
            Self::Damaged { .. } => Kind::Damaged,
            Self::File { source, .. } if is_full(source) => Kind::DiskFull,
            Self::File { .. } => Kind::File,
            Self::UnknownDatabase(_) => Kind::UnknownDatabase,
            Self::KnownDatabase(_) => Kind::KnownDatabase,
            Self::DatabaseName(_) => Kind::DatabaseName,
            Self::Limit { .. } => Kind::Limit,
            Self::Randomness => Kind::Randomness,
        }
    }

    /// Whether no server could be asked at all, so that asking for another key is in vain too.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        !matches!(self.kind(), Kind::Refused | Kind::Garbage) && matches!(self, Self::Servers(_))
    }

    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), problem: problem.into() }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
