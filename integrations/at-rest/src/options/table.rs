//! The table of options: names in mongod.conf and on the command line, types, defaults, limits, what
//! needs and excludes what. The readers, the command line of `claviger keystore`, docs/at-rest.md and
//! the tests come from it.

use crate::Level;

/// One option.
#[derive(Debug)]
pub struct Row {
    /// Which option.
    pub option: OptionId,
    /// Its path in mongod.conf.
    pub key: &'static str,
    /// Its long flag, without dashes.
    pub flag: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// The first level that knows it.
    pub since: Level,
    /// What must be given with it.
    pub requires: &'static [OptionId],
    /// What must not.
    pub conflicts: &'static [OptionId],
    /// What it is for.
    pub text: &'static str,
}

/// What an option takes.
#[derive(Debug, PartialEq, Eq)]
pub enum Shape {
    /// Given or not, on the command line; `true` or `false` in mongod.conf. The default is `false`.
    Switch,
    /// `true` or `false`, on the command line too.
    Boolean(bool),
    /// A whole number.
    Integer {
        /// The smallest that is taken.
        min: i64,
        /// The largest that is taken.
        max: i64,
        /// What it is when it is not given.
        default: i64,
    },
    /// One of these words; the first is the default.
    Word(&'static [&'static str]),
    /// A text that is not empty.
    Text,
    /// A text that is not empty and goes into no log.
    Secret,
    /// A text that may be empty, which is as if it were not given.
    Identifier,
    /// A path.
    Path,
}

impl Shape {
    /// The default, for people; nothing where there is none.
    #[must_use]
    pub fn default_text(&self) -> String {
        match self {
            Self::Switch => String::from("false"),
            Self::Boolean(default) => default.to_string(),
            Self::Integer { default, .. } => default.to_string(),
            Self::Word(words) => words.first().copied().unwrap_or_default().to_owned(),
            Self::Text | Self::Secret | Self::Identifier | Self::Path => String::new(),
        }
    }

    /// What is taken, for people.
    #[must_use]
    pub fn values_text(&self) -> String {
        match self {
            Self::Switch | Self::Boolean(_) => String::from("true or false"),
            Self::Integer { min, max, .. } => match (*min, *max == INT_MAX) {
                (INT_MIN, _) => String::from("a whole number"),
                (min, true) => format!("a whole number, at least {min}"),
                (min, false) => format!("a whole number from {min} to {max}"),
            },
            Self::Word(words) => words.join(" or "),
            Self::Text | Self::Secret | Self::Identifier => String::from("text"),
            Self::Path => String::from("a path"),
        }
    }
}

/// The limits of an `int` of the original.
pub(super) const INT_MIN: i64 = i32::MIN as i64;
pub(super) const INT_MAX: i64 = i32::MAX as i64;

macro_rules! options {
    ($($option:ident, $key:literal, $flag:literal, $shape:expr, $since:ident,
       requires $requires:tt, conflicts $conflicts:tt, $text:literal;)*) => {
        /// Which option.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OptionId {
            $(#[doc = concat!("`", $key, "`.")] $option,)*
        }

        /// Every option, in the order of [`OptionId`].
        pub static OPTIONS: &[Row] = &[$(
            Row {
                option: OptionId::$option, key: $key, flag: $flag, shape: $shape, since: Level::$since,
                requires: options!(@list $requires), conflicts: options!(@list $conflicts), text: $text,
            },
        )*];
    };
    (@list [$($option:ident)*]) => { &[$(OptionId::$option),*] };
}

#[rustfmt::skip]
options! {
    EnableEncryption, "security.enableEncryption", "enableEncryption", Shape::Switch, V4_2,
        requires [], conflicts [],
        "Turns encryption on. On the command line of `claviger` it may be left out.";
    EncryptionCipherMode, "security.encryptionCipherMode", "encryptionCipherMode", Shape::Word(&["AES256-CBC", "AES256-GCM"]), V4_2,
        requires [], conflicts [],
        "How the database encrypts its own data. The keystore does not depend on it: it is always sealed with AES-256-GCM.";
    EncryptionKeyFile, "security.encryptionKeyFile", "encryptionKeyFile", Shape::Path, V4_2,
        requires [EnableEncryption], conflicts [KmipServerName VaultServerName],
        "A file with the master key in base64, for nobody but its owner to read, instead of a KMIP server.";
    VaultServerName, "security.vault.serverName", "vaultServerName", Shape::Text, V4_2,
        requires [EnableEncryption], conflicts [KmipServerName EncryptionKeyFile],
        "A Vault server that keeps the master key. It is known only to be refused.";
    KmipServerName, "security.kmip.serverName", "kmipServerName", Shape::Text, V4_2,
        requires [EnableEncryption KmipClientCertificateFile], conflicts [EncryptionKeyFile VaultServerName],
        "Host names or addresses of KMIP servers, separated by commas, tried in this order each time.";
    KmipPort, "security.kmip.port", "kmipPort", Shape::Integer { min: 0, max: 65_535, default: 5696 }, V4_2,
        requires [KmipServerName], conflicts [],
        "The port, the same for all servers.";
    KmipServerCaFile, "security.kmip.serverCAFile", "kmipServerCAFile", Shape::Path, V4_2,
        requires [], conflicts [],
        "Certificates of the authorities that the servers' certificates may come from, in PEM; those of the system count as well.";
    KmipClientCertificateFile, "security.kmip.clientCertificateFile", "kmipClientCertificateFile", Shape::Path, V4_2,
        requires [], conflicts [],
        "The client's certificate with its chain, and its private key unless that has a file of its own, in PEM.";
    KmipClientKeyFile, "security.kmip.clientKeyFile", "kmipClientKeyFile", Shape::Path, V4_2,
        requires [KmipClientCertificateFile], conflicts [],
        "The client's private key, in PEM, if it is not in the file of the certificate.";
    KmipClientCertificatePassword, "security.kmip.clientCertificatePassword", "kmipClientCertificatePassword", Shape::Secret, V4_2,
        requires [KmipClientCertificateFile], conflicts [],
        "The password of the private key, if it is encrypted. Other users may see a command line: write it into mongod.conf.";
    KmipKeyIdentifier, "security.kmip.keyIdentifier", "kmipKeyIdentifier", Shape::Identifier, V4_2,
        requires [KmipServerName], conflicts [],
        "The master key, which must exist. Without it a key is made, and its identifier kept in the keystore. At level 4.2 it is a name, must be given, and its key is made if there is none.";
    KmipRotateMasterKey, "security.kmip.rotateMasterKey", "kmipRotateMasterKey", Shape::Switch, V4_2,
        requires [KmipServerName], conflicts [],
        "Seals the keystore with another master key, a new one or that of the key identifier, and ends.";
    KmipConnectRetries, "security.kmip.connectRetries", "kmipConnectRetries", Shape::Integer { min: 0, max: INT_MAX, default: 0 }, V4_2,
        requires [], conflicts [],
        "How often all servers are tried again after all have failed.";
    KmipConnectTimeoutMs, "security.kmip.connectTimeoutMS", "kmipConnectTimeoutMS", Shape::Integer { min: 1000, max: INT_MAX, default: 5000 }, V4_2,
        requires [], conflicts [],
        "How long a server may take, in milliseconds: from resolving its name to the first answer, and then for each answer.";
    KmipActivateKeys, "security.kmip.activateKeys", "kmipActivateKeys", Shape::Boolean(true), V5_0,
        requires [], conflicts [],
        "Whether new master keys are activated, and only an Active one is used.";
    KmipKeyStatePollingSeconds, "security.kmip.keyStatePollingSeconds", "kmipKeyStatePollingSeconds", Shape::Integer { min: INT_MIN, max: INT_MAX, default: 900 }, V5_0,
        requires [], conflicts [],
        "How often to look whether the master key is still Active, in seconds; never if it is 0 or less, or if keys are not activated.";
}

impl OptionId {
    /// Its row of the table.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "the table has a row for each variant, in order")]
    pub fn row(self) -> &'static Row {
        &OPTIONS[self as usize]
    }
}
