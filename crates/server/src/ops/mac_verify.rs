//! MAC Verify (KMIP 2.1 §6.1.29, KMIP 1.4 §4.34).

use claviger_crypto::mac::MacStream;
use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::Operation;
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::payload::{MacVerifyRequest, MacVerifyResponse};

use super::Context;
use super::signature_verify::indicator;
use super::stream::{self, Output, Owner, Part, Work};
use super::{input, parameters, use_of_key};
use crate::failure::{Failure, Reason};
use crate::object::usage::Processing;

/// Carries out MAC Verify. A MAC that is wrong is no failure.
///
/// # Errors
/// There is no such key, it may not verify MACs now, or the question cannot be asked so.
pub fn mac_verify(
    context: &mut Context<'_, '_>,
    mut request: MacVerifyRequest,
) -> Result<MacVerifyResponse, Failure> {
    let (identifier, managed) = use_of_key::find(context, request.unique_identifier.as_ref())?;
    let proof = Processing::prove(&managed, CryptographicUsageMask::MAC_VERIFY, context.now())?;
    let part = stream::part(
        request.init_indicator,
        request.final_indicator,
        request.correlation_value.as_ref(),
    )?;
    let data = input::data(context, request.data.take())?;
    let mac = request.mac_data.take().map(|mac| mac.0);
    let owner = Owner::of(context, Operation::MAC_VERIFY, Some(managed.id));
    let (is_valid, correlation_value) = match part {
        Part::Whole | Part::First => {
            let is_whole = matches!(part, Part::Whole);
            let key = use_of_key::read(context, proof.object())?;
            let requested = request.cryptographic_parameters.as_ref();
            let chosen = parameters::chosen(requested, proof.object());
            let mut stream = MacStream::new(&key.borrow(), &chosen)?;
            let data = if is_whole { input::required(data)? } else { input::or_nothing(data) };
            stream.update(data.expose())?;
            if is_whole {
                (Some(verify(stream, mac.as_deref())?), None)
            } else {
                (None, Some(stream::begin(context, owner, Work::Mac(Box::new(stream)), mac)?))
            }
        }
        Part::Next { correlation_value, is_last } => {
            let data = input::or_nothing(data);
            let output = stream::go_on(context, owner, &correlation_value, |work, before| {
                let Work::Mac(mut stream) = work else { return Err(stream::mixed_up()) };
                stream.update(data.expose())?;
                if !is_last {
                    return Ok((Some(Work::Mac(stream)), Output::default()));
                }
                let is_valid = verify(*stream, mac.as_deref().or(before))?;
                Ok((None, Output { is_valid: Some(is_valid), ..Output::default() }))
            })?;
            (output.is_valid, (!is_last).then_some(ByteString(correlation_value)))
        }
    };
    Ok(MacVerifyResponse {
        unique_identifier: identifier.into(),
        validity_indicator: is_valid.map(indicator),
        correlation_value,
    })
}

fn verify(stream: MacStream, mac: Option<&[u8]>) -> Result<bool, Failure> {
    match mac {
        Some(mac) => Ok(stream.verify(mac)?),
        None => Err(Failure::new(Reason::InvalidMessage, "MAC Data is missing")),
    }
}
