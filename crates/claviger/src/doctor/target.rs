//! What a product's configuration says about its KMIP servers, in one form for all products: where they are, who the
//! product is there, how it speaks, and what it asks.
//!
//! It must never know a file format or a socket.

use claviger_client::tls::Config;
use claviger_client::{Dialect, Endpoint, Timeouts};
use claviger_kmip::Version;
use claviger_kmip::enums::Operation;

use super::report::Fault;
use super::step::Step;
use crate::failure::Names;

/// A product as it is configured.
pub(super) struct Target {
    /// Its name, for people.
    pub(super) product: &'static str,
    /// What its configuration calls things.
    pub(super) names: &'static Names,
    /// The servers, in the order in which the product tries them.
    pub(super) servers: Vec<Server>,
    /// How long it waits.
    pub(super) timeouts: Timeouts,
    /// The headers of its requests.
    pub(super) dialect: Dialect,
    /// In which version it speaks.
    pub(super) spoken: Spoken,
    /// What it asks.
    pub(super) habit: Habit,
    /// What works, and should be changed all the same.
    pub(super) advice: Vec<String>,
    /// Why a server's certificate that is not good is good enough for the product.
    pub(super) trusts_anybody: Option<&'static str>,
}

/// One server.
pub(super) struct Server {
    pub(super) endpoint: Endpoint,
    /// What connections to it are made with, or what is wrong with the files.
    pub(super) tls: Result<Config, Fault>,
}

/// In which version of KMIP a product speaks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// Its first request is of this one; the others that it would go on with, best first.
    First(Version, &'static [Version]),
    /// The newest that both speak, as our own client finds it out.
    Agreed,
}

/// The key that `keyIdentifier` of mongod names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MasterKey {
    /// Its Unique Identifier, and whether it may be Pre-Active.
    Identifier(String, PreActive),
    /// Its Name, as at level 4.2: without such a key one is made.
    Name(String),
}

/// What mongod makes of a Pre-Active key.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum PreActive {
    Tolerated,
    Refused,
}

/// Whose keyring component for MySQL it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Component {
    Percona,
    Claviger,
}

/// What a product asks of a server.
pub(super) enum Habit {
    /// Keys are registered, and read back; mongod never removes one.
    Mongod {
        /// `activateKeys`.
        activates: bool,
        /// `keyIdentifier`.
        key: Option<MasterKey>,
    },
    /// Keys are registered, found, read back and removed.
    Mysql {
        /// Whose component asks.
        component: Component,
        /// `object_group`.
        group: Option<String>,
    },
    /// Keys are created, used on the server and removed.
    Zenko {
        /// `compoundCreateActivate`.
        compound: bool,
        /// `bucketNameAttributeName`.
        bucket_attribute: Option<String>,
    },
}

/// Whether a product needs a step.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Without it the product does not work.
    Needed,
    /// The product never asks it; here it cleans up, and may be refused.
    Spare(&'static str),
    /// The product never asks it, and neither is it asked here.
    Unused(&'static str),
    /// It is no step of this product.
    Foreign,
}

const KEEPS: &str = "mongod never removes a key";
const NO_STATES: &str = "activateKeys is false";
const NO_STATES_YET: &str = "at level 4.2 states are no matter";
const NEVER_LOOKS: &str = "CloudServer never asks for it";

impl Habit {
    /// Whether the product needs a step.
    pub(super) fn need(&self, step: Step) -> Need {
        use Step::{
            Activate, Decrypt, Destroy, Encrypt, Get, Key, Locate, Operations, Revoke, State,
        };
        match (self, step) {
            (Self::Mongod { .. }, Operations) => Need::Spare("mongod never asks Query"),
            (Self::Mongod { key: Some(MasterKey::Name(_)), .. }, Activate | State) => {
                Need::Unused(NO_STATES_YET)
            }
            (Self::Mongod { key: Some(MasterKey::Name(_)), .. }, Locate) => Need::Needed,
            (Self::Mongod { activates: false, .. }, Activate | State) => Need::Unused(NO_STATES),
            (Self::Mongod { .. }, Revoke | Destroy) => Need::Spare(KEEPS),
            (Self::Mongod { key: None, .. }, Key) => Need::Unused("no keyIdentifier is given"),
            (Self::Mongod { .. }, Locate | Encrypt | Decrypt) => Need::Foreign,
            (Self::Mysql { .. }, Encrypt | Decrypt | Key) => Need::Foreign,
            (Self::Mysql { component: Component::Claviger, .. }, Operations) => {
                Need::Spare("the component never asks Query")
            }
            (Self::Zenko { .. }, Operations) => Need::Spare("CloudServer only warns without it"),
            (Self::Zenko { compound: true, .. }, Activate) => {
                Need::Unused("compoundCreateActivate is true")
            }
            (Self::Zenko { .. }, State | Get) => Need::Unused(NEVER_LOOKS),
            (Self::Zenko { .. }, Locate | Key) => Need::Foreign,
            _ => Need::Needed,
        }
    }

    /// What a step asks.
    pub(super) const fn operation(&self, step: Step) -> Option<Operation> {
        Some(match step {
            Step::Create if matches!(self, Self::Zenko { .. }) => Operation::CREATE,
            Step::Create => Operation::REGISTER,
            Step::Activate => Operation::ACTIVATE,
            Step::Key if matches!(self, Self::Mongod { key: Some(MasterKey::Name(_)), .. }) => {
                Operation::LOCATE
            }
            Step::State | Step::Key => Operation::GET_ATTRIBUTES,
            Step::Get => Operation::GET,
            Step::Locate => Operation::LOCATE,
            Step::Encrypt => Operation::ENCRYPT,
            Step::Decrypt => Operation::DECRYPT,
            Step::Revoke => Operation::REVOKE,
            Step::Destroy => Operation::DESTROY,
            Step::Operations => Operation::QUERY,
            _ => return None,
        })
    }

    /// The steps of the product, in their order.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> {
        Step::ALL.iter().copied().filter(|step| self.need(*step) != Need::Foreign)
    }

    /// The operations that the product needs.
    pub(super) fn operations(&self) -> Vec<Operation> {
        let mut needed = Vec::new();
        for step in self.steps().filter(|step| self.need(*step) == Need::Needed) {
            needed.extend(self.operation(step).filter(|operation| !needed.contains(operation)));
        }
        needed
    }
}
