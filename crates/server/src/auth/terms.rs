//! What the tokens of a login get: the `token_…` fields, which all methods share (vault's tokenutil).

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{AuthError, AuthMethods, Method};
use crate::policy::{DEFAULT, RESPONSE_WRAPPING, ROOT};
use crate::record::Change;
use crate::token::{
    AddressBlock, Created, Login, NewToken, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX, Terms, admits,
    sanitised,
};

/// Most policies, and most blocks of addresses, of one principal.
const LIST_ITEMS_MAX: usize = 1_000;

/// Which type of token was asked for: all are service tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenType {
    /// The method's.
    #[default]
    Default,
    /// A service token.
    Service,
    /// A service token.
    DefaultService,
}

impl TokenType {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Service => "service",
            Self::DefaultService => "default-service",
        }
    }

    /// From its name in the API.
    ///
    /// # Errors
    /// For batch tokens, which there are not, and anything else.
    pub fn from_name(name: &str) -> Result<Self, AuthError> {
        match name {
            "" | "default" => Ok(Self::Default),
            "service" => Ok(Self::Service),
            "default-service" => Ok(Self::DefaultService),
            "batch" | "default-batch" => {
                Err(AuthError::bad("batch tokens are not supported by this server"))
            }
            _ => Err(AuthError::bad("invalid 'token_type' value")),
        }
    }
}

/// What the tokens of a principal get. Seconds; 0 is what the method says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenTerms {
    /// Their policies, besides `default`. Lower case, sorted.
    pub policies: Vec<String>,
    /// How long they live.
    pub ttl: i64,
    /// How long they live at most, renewals included, as it is at the renewal.
    pub max_ttl: i64,
    /// How long they live at most, as it was at the login.
    pub explicit_max_ttl: i64,
    /// What each renewal gives, without a maximum.
    pub period: i64,
    /// How many requests they are good for; 0 without limit.
    pub num_uses: u32,
    /// Where one may log in from and use them; anywhere if there is none.
    pub bound_cidrs: Vec<AddressBlock>,
    /// Whether they lack the policy `default`.
    pub no_default_policy: bool,
    /// As it was written.
    #[serde(rename = "type")]
    pub kind: TokenType,
}

/// What a write says about [`TokenTerms`].
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see the fields of TokenTerms")]
pub struct TokenTermsChange {
    pub policies: Change<Vec<String>>,
    pub ttl: Change<i64>,
    pub max_ttl: Change<i64>,
    pub explicit_max_ttl: Change<i64>,
    pub period: Change<i64>,
    pub num_uses: Change<u32>,
    pub bound_cidrs: Change<Vec<String>>,
    pub no_default_policy: Change<bool>,
    pub kind: Change<TokenType>,
}

impl TokenTerms {
    /// The terms after a write.
    ///
    /// # Errors
    /// [`AuthError::BadInput`] for what cannot be.
    pub fn apply(self, change: TokenTermsChange) -> Result<Self, AuthError> {
        let after = Self {
            policies: match change.policies {
                Change::Keep => self.policies,
                Change::Reset => Vec::new(),
                Change::To(policies) => assignable(policies)?,
            },
            ttl: change.ttl.apply(self.ttl, 0),
            max_ttl: change.max_ttl.apply(self.max_ttl, 0),
            explicit_max_ttl: change.explicit_max_ttl.apply(self.explicit_max_ttl, 0),
            period: change.period.apply(self.period, 0),
            num_uses: change.num_uses.apply(self.num_uses, 0),
            bound_cidrs: blocks("token_bound_cidrs", self.bound_cidrs, change.bound_cidrs)?,
            no_default_policy: change.no_default_policy.apply(self.no_default_policy, false),
            kind: change.kind.apply(self.kind, TokenType::Default),
        };
        for (name, seconds) in [
            ("token_ttl", after.ttl),
            ("token_max_ttl", after.max_ttl),
            ("token_explicit_max_ttl", after.explicit_max_ttl),
            ("token_period", after.period),
        ] {
            if seconds < 0 {
                return Err(AuthError::bad(format!("'{name}' cannot be negative")));
            }
        }
        if after.max_ttl > 0 && after.ttl > after.max_ttl {
            return Err(AuthError::bad("'token_ttl' cannot be greater than 'token_max_ttl'"));
        }
        Ok(after)
    }

    /// The policies of the tokens.
    pub(super) fn granted(&self) -> Vec<String> {
        let mut policies = self.policies.clone();
        if !self.no_default_policy {
            policies.push(DEFAULT.to_owned());
        }
        sanitised(policies)
    }

    /// What a renewal under a method goes by.
    pub(super) fn at_renewal(&self, method: &Method) -> Terms {
        let max_ttl = self.most(method);
        Terms { ttl: self.first(method, max_ttl), max_ttl, period: self.period }
    }

    /// The maximum: the narrower one of these terms and the method.
    fn most(&self, method: &Method) -> i64 {
        let most = match method.tuning().max_lease_ttl {
            0 => TTL_SECONDS_MAX,
            seconds => seconds,
        };
        if self.max_ttl > 0 { self.max_ttl.min(most) } else { most }
    }

    /// The life that a token begins with.
    fn first(&self, method: &Method, most: i64) -> i64 {
        let default = match method.tuning().default_lease_ttl {
            0 => TTL_SECONDS_DEFAULT,
            seconds => seconds,
        };
        if self.ttl > 0 { self.ttl } else { default.min(most) }
    }
}

/// Policies that a login may give.
fn assignable(policies: Vec<String>) -> Result<Vec<String>, AuthError> {
    if policies.len() > LIST_ITEMS_MAX {
        return Err(AuthError::bad(format!("there are at most {LIST_ITEMS_MAX} policies")));
    }
    let policies = sanitised(policies);
    if policies.iter().any(|name| name == ROOT) {
        return Err(AuthError::bad("auth methods cannot create root tokens"));
    }
    if policies.iter().any(|name| name == RESPONSE_WRAPPING) {
        let refused = "the policy response-wrapping cannot be given to a token";
        return Err(AuthError::bad(refused));
    }
    Ok(policies)
}

/// Blocks of addresses after a write to the field of that name.
pub(super) fn blocks(
    field: &str,
    before: Vec<AddressBlock>,
    change: Change<Vec<String>>,
) -> Result<Vec<AddressBlock>, AuthError> {
    let texts = match change {
        Change::Keep => return Ok(before),
        Change::Reset => return Ok(Vec::new()),
        Change::To(texts) => texts,
    };
    if texts.len() > LIST_ITEMS_MAX {
        return Err(AuthError::bad(format!("{field} has at most {LIST_ITEMS_MAX} items")));
    }
    let parsed: Option<Vec<AddressBlock>> =
        texts.iter().map(|text| AddressBlock::parse(text)).collect();
    parsed.ok_or_else(|| AuthError::bad(format!("invalid CIDR blocks in {field}")))
}

/// Somebody who has shown who it is.
pub(super) struct Admitted<'a> {
    pub(super) method: &'a Method,
    /// As which principal.
    pub(super) name: &'a str,
    pub(super) terms: &'a TokenTerms,
    /// What the token's display name says after the method's path; may be empty.
    pub(super) display_name: &'a str,
    /// The path below the method that was called.
    pub(super) path: String,
    pub(super) meta: BTreeMap<String, String>,
    /// Of the certificate, where there is one.
    pub(super) public_key: Vec<u8>,
}

impl AuthMethods {
    /// Counts a login that an address is about to try.
    ///
    /// # Errors
    /// [`AuthError::TooMany`].
    pub fn admit(&self, address: Option<IpAddr>) -> Result<(), AuthError> {
        self.attempts.count(address, self.clock.now())
    }

    /// Makes the token of a login, if it comes from where one may log in from. Blocks until durable.
    pub(super) fn issue(
        &self,
        admitted: Admitted<'_>,
        address: Option<IpAddr>,
    ) -> Result<Created, AuthError> {
        let Admitted { method, terms, .. } = admitted;
        if !admits(&terms.bound_cidrs, address) {
            return Err(AuthError::Denied);
        }
        let _held = self.hold(method)?;
        let max_ttl = terms.most(method);
        let path = method.path().as_str();
        let display_name = format!("{}-{}", path.trim_end_matches('/'), admitted.display_name);
        let new = NewToken {
            display_name: display_name.replace('/', "-").trim_end_matches('-').to_owned(),
            policies: terms.granted(),
            ttl: terms.first(method, max_ttl),
            explicit_max_ttl: terms.explicit_max_ttl,
            max_ttl,
            period: terms.period,
            num_uses: terms.num_uses,
            renewable: true,
            path: format!("auth/{path}{}", admitted.path),
            meta: admitted.meta,
            bound_cidrs: terms.bound_cidrs.clone(),
            login: Some(Login {
                method: method.id(),
                name: admitted.name.to_owned(),
                public_key: admitted.public_key,
            }),
            ..NewToken::default()
        };
        Ok(self.tokens.create(new)?)
    }
}
