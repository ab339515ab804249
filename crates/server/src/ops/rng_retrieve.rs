//! RNG Retrieve (KMIP 2.1 §6.1.46, KMIP 1.4 §4.35).

use claviger_kmip::codec::Secret;
use claviger_kmip::enums;
use claviger_kmip::payload::{RngRetrieveRequest, RngRetrieveResponse};
use zeroize::Zeroizing;

use super::Context;
use crate::failure::{Failure, Reason};

/// Carries out RNG Retrieve.
///
/// # Errors
/// No bytes are asked for, or too many.
pub fn rng_retrieve(
    context: &mut Context<'_, '_>,
    request: RngRetrieveRequest,
) -> Result<RngRetrieveResponse, Failure> {
    let length = usize::try_from(request.data_length).ok().filter(|length| *length > 0);
    let Some(length) = length else {
        return Err(Failure::new(Reason::InvalidField, "Data Length is not positive"));
    };
    let most = context.resources.limits.random_bytes_max;
    if length > most {
        let message = format!("one request can retrieve {most} random bytes");
        return Err(Failure::new(Reason::ServerLimit, message));
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    context.resources.rng.fill(&mut bytes)?;
    let data = Secret::from(bytes);
    if !context.version.is_1x() {
        context.batch.produce_data(enums::Data::RNG_RETRIEVE, data.clone());
    }
    Ok(RngRetrieveResponse { data })
}
