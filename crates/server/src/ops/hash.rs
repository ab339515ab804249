//! Hash (KMIP 2.1 §6.1.22, KMIP 1.4 §4.37).

use claviger_crypto::hash::HashStream;
use claviger_kmip::codec::{ByteString, Secret};
use claviger_kmip::enums::{self, Operation};
use claviger_kmip::payload::{HashRequest, HashResponse};

use super::Context;
use super::input;
use super::stream::{self, Output, Owner, Part, Work};
use crate::failure::{Failure, Reason};

/// Carries out Hash.
///
/// # Errors
/// No hash is named, or one that is not known.
pub fn hash(
    context: &mut Context<'_, '_>,
    mut request: HashRequest,
) -> Result<HashResponse, Failure> {
    let part = stream::part(
        request.init_indicator,
        request.final_indicator,
        request.correlation_value.as_ref(),
    )?;
    let data = input::data(context, request.data.take())?;
    let owner = Owner::of(context, Operation::HASH, None);
    let (digest, correlation_value) = match part {
        Part::Whole | Part::First => {
            let is_whole = matches!(part, Part::Whole);
            let missing = || Failure::new(Reason::InvalidMessage, "Hashing Algorithm is missing");
            let algorithm =
                request.cryptographic_parameters.hashing_algorithm.ok_or_else(missing)?;
            let mut stream = HashStream::new(algorithm)?;
            let data = if is_whole { input::required(data)? } else { input::or_nothing(data) };
            stream.update(data.expose());
            if is_whole {
                (Some(stream.finish()), None)
            } else {
                (None, Some(stream::begin(context, owner, Work::Hash(Box::new(stream)), None)?))
            }
        }
        Part::Next { correlation_value, is_last } => {
            let data = input::or_nothing(data);
            let output = stream::go_on(context, owner, &correlation_value, |work, _| {
                let Work::Hash(mut stream) = work else { return Err(stream::mixed_up()) };
                stream.update(data.expose());
                if !is_last {
                    return Ok((Some(Work::Hash(stream)), Output::default()));
                }
                Ok((None, Output { bytes: stream.finish().into(), ..Output::default() }))
            })?;
            let digest = is_last.then(|| output.bytes.expose().to_vec());
            (digest, (!is_last).then_some(ByteString(correlation_value)))
        }
    };
    if let Some(digest) = digest.as_ref().filter(|_| !context.version.is_1x()) {
        context.batch.produce_data(enums::Data::HASH, Secret::copy_of(digest));
    }
    Ok(HashResponse { data: digest.map(ByteString), correlation_value })
}
