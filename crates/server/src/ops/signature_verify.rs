//! Signature Verify (KMIP 2.1 §6.1.52, KMIP 1.4 §4.32).

use claviger_crypto::signature::{self, Message};
use claviger_crypto::{CryptoError, Parameters};
use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::{Operation, ValidityIndicator};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::payload::{SignatureVerifyRequest, SignatureVerifyResponse};

use super::Context;
use super::key::Key;
use super::sign::{longer, message, refuse_symmetric};
use super::stream::{self, Output, Owner, Part, Work};
use super::{input, parameters, use_of_key};
use crate::failure::{Failure, Reason};
use crate::object::usage::Processing;

/// Carries out Signature Verify. A signature that is wrong is no failure.
///
/// # Errors
/// There is no such key, it may not verify now, or the question cannot be asked so.
pub fn signature_verify(
    context: &mut Context<'_, '_>,
    mut request: SignatureVerifyRequest,
) -> Result<SignatureVerifyResponse, Failure> {
    let (identifier, managed) = use_of_key::find(context, request.unique_identifier.as_ref())?;
    let proof = Processing::prove(&managed, CryptographicUsageMask::VERIFY, context.now())?;
    let key = use_of_key::read(context, proof.object())?;
    refuse_symmetric(&key)?;
    let chosen = parameters::chosen(request.cryptographic_parameters.as_ref(), proof.object());
    let part = stream::part(
        request.init_indicator,
        request.final_indicator,
        request.correlation_value.as_ref(),
    )?;
    let data = input::data(context, request.data.take())?;
    let digest = request.digested_data.as_ref().map(|digest| digest.0.as_slice());
    let signature = request.signature_data.take().map(|signature| signature.0);
    let owner = Owner::of(context, Operation::SIGNATURE_VERIFY, Some(managed.id));
    let (is_valid, correlation_value) = match part {
        Part::Whole => {
            let message = message(data.as_ref(), digest)?;
            (Some(verify(&key, &chosen, message, signature.as_deref())?), None)
        }
        Part::First => {
            let work = Work::Message(chosen, input::or_nothing(data).into_zeroizing());
            (None, Some(stream::begin(context, owner, work, signature)?))
        }
        Part::Next { correlation_value, is_last } => {
            let data = input::or_nothing(data);
            let output = stream::go_on(context, owner, &correlation_value, |work, before| {
                let (parameters, whole) = longer(work, &data)?;
                if !is_last {
                    return Ok((Some(Work::Message(parameters, whole)), Output::default()));
                }
                let signature = signature.as_deref().or(before);
                let is_valid = verify(&key, &parameters, Message::Data(&whole), signature)?;
                Ok((None, Output { is_valid: Some(is_valid), ..Output::default() }))
            })?;
            (output.is_valid, (!is_last).then_some(ByteString(correlation_value)))
        }
    };
    Ok(SignatureVerifyResponse {
        unique_identifier: identifier.into(),
        validity_indicator: is_valid.map(indicator),
        data: None,
        correlation_value,
    })
}

fn verify(
    key: &Key,
    parameters: &Parameters,
    message: Message<'_>,
    signature: Option<&[u8]>,
) -> Result<bool, Failure> {
    let Some(signature) = signature else {
        return Err(Failure::new(Reason::InvalidMessage, "Signature Data is missing"));
    };
    match (key, signature::verify(&key.borrow(), parameters, message, signature)) {
        // No signature by another kind of algorithm is one of this key.
        (Key::Public(_), Err(CryptoError::KeyMismatch(_))) => Ok(false),
        (_, outcome) => Ok(outcome?),
    }
}

/// What the answer calls it.
pub(super) const fn indicator(is_valid: bool) -> ValidityIndicator {
    if is_valid { ValidityIndicator::VALID } else { ValidityIndicator::INVALID }
}
