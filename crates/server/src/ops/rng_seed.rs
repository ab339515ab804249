//! RNG Seed (KMIP 2.1 §6.1.47, KMIP 1.4 §4.36).

use claviger_kmip::payload::{RngSeedRequest, RngSeedResponse};

use super::Context;
use super::input;
use crate::failure::Failure;

/// Carries out RNG Seed: the seed is not used, which the answer says. The generator is shared by
/// all clients and seeded by the operating system alone.
///
/// # Errors
/// The seed is the data of a batch item that has produced none.
pub fn rng_seed(
    context: &mut Context<'_, '_>,
    request: RngSeedRequest,
) -> Result<RngSeedResponse, Failure> {
    let _unused = input::data(context, Some(request.data))?;
    Ok(RngSeedResponse { data_length: 0 })
}
