//! Which versions and cipher suites of TLS a listener speaks, under the names that Go's TLS library
//! has for them, as Vault's users write them.

use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, cipher_suite as suites};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use super::{KeyType, PkiError};

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2, `tls12`.
    Tls12,
    /// TLS 1.3, `tls13`.
    Tls13,
}

impl TlsVersion {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "tls12",
            Self::Tls13 => "tls13",
        }
    }

    /// From the name in the API.
    ///
    /// # Errors
    /// For anything else, older versions included: they are never spoken.
    pub fn from_name(name: &str) -> Result<Self, PkiError> {
        match name {
            "tls12" => Ok(Self::Tls12),
            "tls13" => Ok(Self::Tls13),
            "tls10" | "tls11" => Err(PkiError::BadRequest(
                "TLS below 1.2 is not supported: use \"tls12\" or \"tls13\"".to_owned(),
            )),
            _ => Err(PkiError::BadRequest(
                "unknown TLS version: use \"tls12\" or \"tls13\"".to_owned(),
            )),
        }
    }
}

/// How a listener speaks TLS.
#[derive(Debug, Clone, PartialEq)]
pub struct TlsPolicy {
    minimum: TlsVersion,
    maximum: TlsVersion,
    /// Of TLS 1.2; those of TLS 1.3 are not chosen, as in Go.
    suites: Vec<SupportedCipherSuite>,
}

impl From<TlsVersion> for TlsPolicy {
    /// That version and all that are newer, with every suite.
    fn from(minimum: TlsVersion) -> Self {
        let suites = ALL_CIPHER_SUITES.to_vec();
        Self { minimum, maximum: TlsVersion::Tls13, suites }
    }
}

impl TlsPolicy {
    /// Versions from `minimum` to `maximum` (the newest if absent), with these TLS 1.2 suites (all
    /// if there are none), for a server whose key is of a family.
    ///
    /// # Errors
    /// [`PkiError::BadRequest`] for what no client could connect to, and for unknown suites.
    pub fn new(
        minimum: TlsVersion,
        maximum: Option<TlsVersion>,
        suites: &str,
        key: KeyType,
    ) -> Result<Self, PkiError> {
        let bad = |text: String| Err(PkiError::BadRequest(text));
        let maximum = maximum.unwrap_or(TlsVersion::Tls13);
        if maximum < minimum {
            return bad("tls_max_version is below tls_min_version".to_owned());
        }
        let names: Vec<&str> =
            suites.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let mut policy = Self { minimum, maximum, ..Self::from(minimum) };
        if names.is_empty() {
            return Ok(policy);
        }
        let mut chosen = Vec::new();
        for name in names {
            let Some((_, suite)) = SUITES.iter().find(|(known, _)| *known == name) else {
                let known: Vec<&str> = SUITES.iter().map(|(known, _)| *known).collect();
                return bad(format!(
                    "tls_cipher_suites: {name:?} is not spoken; these are: {}",
                    known.join(", ")
                ));
            };
            chosen.push(*suite);
        }
        policy.suites.retain(|suite| suite.tls13().is_some() || chosen.contains(suite));
        let fits = |suite: &SupportedCipherSuite| match suite {
            SupportedCipherSuite::Tls13(_) => maximum == TlsVersion::Tls13,
            SupportedCipherSuite::Tls12(suite) => {
                let wanted = match key {
                    KeyType::Ec => "ECDSA",
                    KeyType::Rsa => "RSA",
                };
                let text = format!("{:?}", suite.common.suite);
                minimum == TlsVersion::Tls12 && text.contains(&format!("ECDHE_{wanted}_"))
            }
        };
        if !policy.suites.iter().any(fits) {
            return bad("tls_cipher_suites: none fits the versions and the kind of key of the ca"
                .to_owned());
        }
        Ok(policy)
    }

    pub(super) fn suites(&self) -> &[SupportedCipherSuite] {
        &self.suites
    }

    pub(super) fn versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let all = [
            (TlsVersion::Tls13, &rustls::version::TLS13),
            (TlsVersion::Tls12, &rustls::version::TLS12),
        ];
        let spoken = self.minimum..=self.maximum;
        all.into_iter().filter(|(it, _)| spoken.contains(it)).map(|(_, version)| version).collect()
    }
}

/// The suites that are spoken, under Go's names.
static SUITES: &[(&str, SupportedCipherSuite)] = &[
    ("TLS_AES_128_GCM_SHA256", suites::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", suites::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", suites::TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_chosen_by_the_names_that_go_has() {
        let make = |minimum, maximum, suites: &str, key| {
            TlsPolicy::new(minimum, maximum, suites, key).map(|policy| policy.suites.len())
        };
        let (tls12, tls13) = (TlsVersion::Tls12, TlsVersion::Tls13);
        let one = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
        assert_eq!(make(tls12, None, "", KeyType::Ec).unwrap(), 9);
        assert_eq!(make(tls12, None, one, KeyType::Ec).unwrap(), 4, "TLS 1.3 is left");
        assert_eq!(make(tls12, Some(tls12), one, KeyType::Rsa).unwrap(), 4);
        assert!(make(tls12, Some(tls12), one, KeyType::Ec).is_err(), "no client could connect");
        assert!(make(tls13, Some(tls12), "", KeyType::Ec).is_err());
        for unknown in ["TLS_RSA_WITH_AES_128_CBC_SHA", "nonsense", "tls_aes_128_gcm_sha256"] {
            assert!(make(tls12, None, unknown, KeyType::Ec).unwrap_err().is_callers(), "{unknown}");
        }
        let policy = TlsPolicy::new(tls12, Some(tls12), "", KeyType::Ec).unwrap();
        assert_eq!(policy.versions().len(), 1);
    }
}
