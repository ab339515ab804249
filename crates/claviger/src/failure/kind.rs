//! What can go wrong on the way to a KMIP server, told apart: each kind with its exit code and what to do next. The
//! hints of every command and of `claviger doctor` are here, and docs/doctor.md has the table from here.
//!
//! It must never know a command.

use std::io;

use claviger_client::tls::TlsFailure;
use claviger_client::{Error, Refusal, ServerFailure, Step};
use claviger_kmip::enums::ResultReason;

use super::{FAILED, KEY_LOST, USAGE};

/// What the places are called in which somebody wrote down how to reach a server; hints name them.
#[derive(Debug)]
pub(crate) struct Names {
    /// Where the host is named.
    pub(crate) server: &'static str,
    /// How the host is written there.
    pub(crate) address: &'static str,
    /// Where the port is named.
    pub(crate) port: &'static str,
    /// Whom the client trusts.
    pub(crate) ca: &'static str,
    /// The client's certificate.
    pub(crate) certificate: &'static str,
    /// The client's private key.
    pub(crate) key: &'static str,
    /// A sentence about the password of the private key.
    pub(crate) password: &'static str,
    /// Where the version is chosen.
    pub(crate) version: &'static str,
}

impl Names {
    /// The flags of the commands that speak KMIP.
    pub(crate) const FLAGS: Self = Self {
        server: "--server",
        address: "HOST[:PORT][,HOST…]",
        port: "--server",
        ca: "--ca",
        certificate: "--cert",
        key: "--key",
        password: "Give --key a file whose key is not encrypted.",
        version: "--kmip-version",
    };
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident $code:ident $hint:literal;)*) => {
        /// A kind of failure.
        #[derive(Copy, Clone, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$kind),*];

            /// The exit code of a command that ends with it.
            pub(crate) const fn code(self) -> u8 {
                match self { $(Self::$kind => $code,)* }
            }

            /// What to do next; names of places are in braces.
            const fn template(self) -> &'static str {
                match self { $(Self::$kind => $hint,)* }
            }

            /// What it is, for people.
            #[cfg(test)]
            const fn text(self) -> &'static str {
                match self { $(Self::$kind => concat!($($doc),*),)* }
            }
        }
    };
}

#[rustfmt::skip]
kinds! {
    /// A configuration file cannot be read.
    ConfigurationFile FAILED "Name a file that is there and that you may read.";
    /// A configuration is wrong, or contradicts itself.
    Configuration USAGE "Mend what is named; docs/doctor.md says what is read.";
    /// An address of a server is none.
    Address USAGE "Give {server} as {address}.";
    /// No server is named.
    NoServer USAGE "Name a server: {server} {address}.";
    /// The request has something that its version does not have.
    TooYoung FAILED "Choose a later {version}.";
    /// A certificate or key file cannot be used.
    Files FAILED "Give the client's certificate and chain as {certificate}, its private key as {key} and the server's authority as {ca}, all in PEM, as `claviger server --export-client DIR` writes them.";
    /// The private key is encrypted, and the password is missing or wrong.
    Password FAILED "{password} `openssl pkcs8 -in KEY -out PLAIN` writes one that is not encrypted.";
    /// Every connection is in use.
    Busy FAILED "Wait until other requests have ended, or make fewer at once.";
    /// The name of a server has no address.
    Resolve FAILED "See that {server} is spelled right, and that the DNS or /etc/hosts of this machine knows it.";
    /// Nobody listens at the port.
    NobodyListens FAILED "Is the server running, and is {port} its KMIP port?";
    /// The server cannot be reached.
    Unreachable FAILED "See that this machine has a route to {server}, and that no firewall between swallows the port.";
    /// Something accepts the connection and makes no TLS handshake in time.
    Mute FAILED "See that {port} is the KMIP port and that nothing between, such as a load balancer, holds connections back.";
    /// The server takes a request and does not answer in time.
    Late FAILED "Is the server very busy? Its log says what it waits for.";
    /// The server's certificate comes from an authority that is not trusted.
    UnknownAuthority FAILED "Give the certificate of the authority that issued the server's certificate as {ca}.";
    /// The server's certificate has expired.
    Expired FAILED "Renew the server's certificate; if it has not ended, set the clock of this machine.";
    /// The server's certificate is not valid yet.
    NotYetValid FAILED "Set the clock of this machine, or of the one that issued the server's certificate.";
    /// The server's certificate is for another host.
    WrongHost FAILED "Name the server in {server} as its certificate does, or issue the certificate for that name: `claviger config update --server-hostnames NAME,…`.";
    /// Something else is wrong with the server's certificate.
    ServerCertificate FAILED "Issue the server's certificate anew, for a TLS server, by the authority in {ca}.";
    /// The server demands a client certificate.
    CertificateRequired FAILED "Give a client certificate as {certificate}.";
    /// The server does not take the client's certificate.
    CertificateRejected FAILED "Make a new credential for {certificate} (`claviger credential generate`): this one is expired, revoked, or from an authority that the server does not trust.";
    /// The two sides have no version of TLS or cipher suite in common.
    NothingInCommon FAILED "Let the server offer TLS 1.2 or 1.3 with AES-GCM or ChaCha20; programs with OpenSSL may get on with CBC suites, this one does not.";
    /// What answers is not TLS.
    NotTls FAILED "See that {port} is the KMIP port: something else answers there.";
    /// The connection ended during the TLS handshake.
    HungUp FAILED "The server's log says why it hung up; if it has no such line, something between did.";
    /// The TLS handshake failed for another reason.
    Tls FAILED "The server's log says more; `openssl s_client -connect HOST:PORT` shows its certificate and suites.";
    /// The server ended the connection instead of answering.
    Ended FAILED "The server ends a connection whose certificate is revoked or whose message it cannot read; its log says why.";
    /// The network failed during a request.
    Broken FAILED "Ask again; if it stays, look at the network between.";
    /// The server speaks none of the versions of KMIP that were allowed.
    Version FAILED "Choose a {version} that the server speaks, or a server that speaks it.";
    /// What the server sent is no answer to the request.
    Malformed FAILED "See that {server} names a KMIP server; if it does, what it sent is a defect of it.";
    /// The server forbids the operation.
    PermissionDenied FAILED "The role of this certificate may not do that, or the object's state forbids it: see `claviger role read`.";
    /// The server has no such object.
    NotFound FAILED "The scope of this certificate has no such object: see `claviger object locate`.";
    /// The state of the object forbids the operation.
    WrongState FAILED "See the State with `claviger object attributes list`, or activate it first.";
    /// The server knows the certificate, and lets nobody in with it.
    Identity FAILED "The certificate is revoked, or its role or scope is gone: make a new one.";
    /// The server does not understand the request.
    NotUnderstood FAILED "The server may not speak that version: see `claviger object query`.";
    /// The server refuses for another reason.
    Refused FAILED "The reason is the server's; its log may say more.";
    /// The server will have the answer later.
    Pending FAILED "Ask for the answer with Poll.";
    /// The request was taken back, because another item of its batch failed.
    Undone FAILED "Mend the item that failed, and send the batch again.";
    /// The request was not carried out, because an earlier item of its batch failed.
    NotDone FAILED "Mend the item before it, and send the rest again.";
    /// The answer is lost; the request may have been carried out.
    Lost FAILED "Look whether it was done (`claviger object locate`) before you ask again.";
    /// No server answered, each for a reason of its own.
    Servers FAILED "Mend one server after the other: each line says what is wrong with it.";
    /// Something that has no kind of its own yet.
    Other FAILED "The server's log may say more.";
    /// The server does not offer an operation.
    NotOffered FAILED "Use a server that offers it, or turn it on there.";
    /// The server did something else than it was asked.
    Otherwise FAILED "That is a defect of the server, or of something between: its log may say more.";
    /// The key that the configuration names is not there.
    KeyAbsent KEY_LOST "Put the key back on the server (a backup of it), or see that the certificate belongs to its scope. Without the key the data cannot be read.";
    /// The key that the configuration names is not Active.
    KeyNotActive KEY_LOST "If it is Pre-Active: `claviger object activate ID`. If it was revoked, start with activateKeys: false once and rotate to a new key.";
    /// Several keys have the Name that the configuration gives.
    KeyAmbiguous FAILED "Take the Name from all of them but one: see `claviger object locate --name NAME`.";
}

impl Kind {
    /// What to do next.
    pub(crate) fn hint(self, names: &Names) -> String {
        [
            ("{server}", names.server),
            ("{address}", names.address),
            ("{port}", names.port),
            ("{ca}", names.ca),
            ("{certificate}", names.certificate),
            ("{key}", names.key),
            ("{password}", names.password),
            ("{version}", names.version),
        ]
        .into_iter()
        .fold(self.template().to_owned(), |text, (place, name)| text.replace(place, name))
    }

    /// The kind of a client's error.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Address(_) => Self::Address,
            Error::NoServer => Self::NoServer,
            Error::TooYoung(_) => Self::TooYoung,
            Error::Pem { .. } => Self::Files,
            Error::Password { .. } => Self::Password,
            Error::Busy => Self::Busy,
            Error::Resolve { .. } | Error::TimedOut(Step::Resolve) => Self::Resolve,
            Error::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Self::NobodyListens
            }
            Error::Connect(_) | Error::TimedOut(Step::Connect) => Self::Unreachable,
            Error::TimedOut(Step::Handshake) => Self::Mute,
            Error::TimedOut(Step::Request) => Self::Late,
            Error::Tls(failure) => Self::of_tls(failure),
            Error::Unsent(error) | Error::Transport(error) => Self::of_transport(error),
            Error::Version => Self::Version,
            Error::Malformed(_) => Self::Malformed,
            Error::Refused(refusal) => Self::of_refusal(refusal),
            Error::Pending(_) => Self::Pending,
            Error::Undone => Self::Undone,
            Error::NotDone => Self::NotDone,
            Error::Lost { .. } => Self::Lost,
            Error::Servers(failures) => Self::of_servers(failures),
            _ => Self::Other,
        }
    }

    fn of_tls(failure: &TlsFailure) -> Self {
        match failure {
            TlsFailure::UnknownAuthority => Self::UnknownAuthority,
            TlsFailure::Expired => Self::Expired,
            TlsFailure::NotYetValid => Self::NotYetValid,
            TlsFailure::WrongHost(_) => Self::WrongHost,
            TlsFailure::ServerCertificate(_) => Self::ServerCertificate,
            TlsFailure::CertificateRequired => Self::CertificateRequired,
            TlsFailure::CertificateRejected(_) => Self::CertificateRejected,
            TlsFailure::NothingInCommon(_) => Self::NothingInCommon,
            TlsFailure::NotTls => Self::NotTls,
            TlsFailure::Ended(_) => Self::HungUp,
            _ => Self::Tls,
        }
    }

    fn of_transport(error: &io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        match error.kind() {
            UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => Self::Ended,
            _ => Self::Broken,
        }
    }

    fn of_refusal(refusal: &Refusal) -> Self {
        match refusal.reason {
            Some(ResultReason::PERMISSION_DENIED) => Self::PermissionDenied,
            Some(ResultReason::ITEM_NOT_FOUND | ResultReason::OBJECT_NOT_FOUND) => Self::NotFound,
            Some(ResultReason::WRONG_KEY_LIFECYCLE_STATE) => Self::WrongState,
            Some(ResultReason::AUTHENTICATION_NOT_SUCCESSFUL) => Self::Identity,
            Some(ResultReason::OPERATION_NOT_SUPPORTED) => Self::NotOffered,
            Some(ResultReason::INVALID_MESSAGE | ResultReason::UNSUPPORTED_PROTOCOL_VERSION) => {
                Self::NotUnderstood
            }
            _ => Self::Refused,
        }
    }

    /// What is wrong with all of them, if that is the same.
    fn of_servers(failures: &[ServerFailure]) -> Self {
        let mut kinds = failures.iter().map(|failure| Self::of(&failure.error));
        match kinds.next() {
            Some(first) if kinds.all(|kind| kind == first) => first,
            _ => Self::Servers,
        }
    }
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
