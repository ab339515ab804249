//! Auth methods over records in memory, with a clock that is set by hand.

use std::sync::Arc;

use super::*;
use crate::clock::Clock;
use crate::record::Records;
use crate::token::Tokens;

impl AuthMethods {
    /// With passwords that are hashed quickly.
    pub(crate) fn quick(records: Records, tokens: Tokens, clock: Arc<dyn Clock>) -> Self {
        let mut methods = Self::open(records, tokens, clock, 300).unwrap();
        methods.password_iterations = 10;
        methods
    }
}
