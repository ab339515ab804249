//! MAC (KMIP 2.1 §6.1.28, KMIP 1.4 §4.33).

use claviger_crypto::mac::MacStream;
use claviger_kmip::codec::{ByteString, Secret};
use claviger_kmip::enums::{self, Operation};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::payload::{MacRequest, MacResponse};

use super::Context;
use super::stream::{self, Output, Owner, Part, Work};
use super::{input, parameters, use_of_key};
use crate::failure::Failure;
use crate::object::usage::Protecting;

/// Carries out MAC.
///
/// # Errors
/// There is no such key, it may not make MACs now, or it cannot make one so.
pub fn mac(context: &mut Context<'_, '_>, mut request: MacRequest) -> Result<MacResponse, Failure> {
    let (identifier, managed) = use_of_key::find(context, request.unique_identifier.as_ref())?;
    let usage = CryptographicUsageMask::MAC_GENERATE;
    let proof = Protecting::prove(&managed, usage, context.now())?;
    let part = stream::part(
        request.init_indicator,
        request.final_indicator,
        request.correlation_value.as_ref(),
    )?;
    let data = input::data(context, request.data.take())?;
    use_of_key::charge(context, &managed, data.as_ref().map_or(0, Secret::len))?;
    let owner = Owner::of(context, Operation::MAC, Some(managed.id));
    let (mac, correlation_value) = match part {
        Part::Whole | Part::First => {
            let is_whole = matches!(part, Part::Whole);
            let key = use_of_key::read(context, proof.object())?;
            let requested = request.cryptographic_parameters.as_ref();
            let chosen = parameters::chosen(requested, proof.object());
            let mut stream = MacStream::new(&key.borrow(), &chosen)?;
            let data = if is_whole { input::required(data)? } else { input::or_nothing(data) };
            stream.update(data.expose())?;
            if is_whole {
                (Some(stream.finish()?), None)
            } else {
                (None, Some(stream::begin(context, owner, Work::Mac(Box::new(stream)), None)?))
            }
        }
        Part::Next { correlation_value, is_last } => {
            let data = input::or_nothing(data);
            let output = stream::go_on(context, owner, &correlation_value, |work, _| {
                let Work::Mac(mut stream) = work else { return Err(stream::mixed_up()) };
                stream.update(data.expose())?;
                if !is_last {
                    return Ok((Some(Work::Mac(stream)), Output::default()));
                }
                Ok((None, Output { bytes: stream.finish()?, ..Output::default() }))
            })?;
            let mac = is_last.then_some(output.bytes);
            (mac, (!is_last).then_some(ByteString(correlation_value)))
        }
    };
    if let Some(mac) = mac.as_ref().filter(|_| !context.version.is_1x()) {
        context.batch.produce_data(enums::Data::MAC_MAC_DATA, mac.clone());
    }
    Ok(MacResponse {
        unique_identifier: identifier.into(),
        mac_data: mac.map(|mac| ByteString(mac.expose().to_vec())),
        correlation_value,
    })
}
