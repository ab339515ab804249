//! Decrypt (KMIP 2.1 §6.1.11, KMIP 1.4 §4.30).

use claviger_crypto::cipher::{self, CipherInput, CipherStream, Direction};
use claviger_kmip::codec::{ByteString, Secret};
use claviger_kmip::enums::{self, Operation};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::payload::{DecryptRequest, DecryptResponse};

use super::Context;
use super::stream::{self, Output, Owner, Part, Work};
use super::{input, parameters, use_of_key};
use crate::failure::Failure;
use crate::object::usage::Processing;

/// Carries out Decrypt.
///
/// # Errors
/// There is no such key, it may not decrypt now, or the data is not what it encrypted.
pub fn decrypt(
    context: &mut Context<'_, '_>,
    mut request: DecryptRequest,
) -> Result<DecryptResponse, Failure> {
    let (identifier, managed) = use_of_key::find(context, request.unique_identifier.as_ref())?;
    let proof = Processing::prove(&managed, CryptographicUsageMask::DECRYPT, context.now())?;
    let part = stream::part(
        request.init_indicator,
        request.final_indicator,
        request.correlation_value.as_ref(),
    )?;
    let data = input::data(context, request.data.take())?;
    let (data, correlation_value) = match part {
        Part::Whole => (Some(whole(context, proof, &request, &input::required(data)?)?), None),
        Part::First => {
            let data = input::or_nothing(data);
            let (data, correlation_value) = first(context, proof, &request, &data)?;
            (some(data), Some(correlation_value))
        }
        Part::Next { correlation_value, is_last } => {
            let owner = Owner::of(context, Operation::DECRYPT, Some(managed.id));
            let data = input::or_nothing(data);
            let opened = next(context, owner, &correlation_value, is_last, &request, &data)?;
            (some(opened), (!is_last).then_some(ByteString(correlation_value)))
        }
    };
    if let Some(data) = data.as_ref().filter(|_| !context.version.is_1x()) {
        context.batch.produce_data(enums::Data::DECRYPT, data.clone());
    }
    Ok(DecryptResponse { unique_identifier: identifier.into(), data, correlation_value })
}

fn whole(
    context: &mut Context<'_, '_>,
    proof: Processing<'_>,
    request: &DecryptRequest,
    data: &Secret,
) -> Result<Secret, Failure> {
    let key = use_of_key::read(context, proof.object())?;
    let parameters = parameters::chosen(request.cryptographic_parameters.as_ref(), proof.object());
    let input = CipherInput { data: data.expose(), ..around(request) };
    Ok(cipher::decrypt(&key.borrow(), &parameters, input, &*context.resources.rng)?)
}

fn first(
    context: &mut Context<'_, '_>,
    proof: Processing<'_>,
    request: &DecryptRequest,
    data: &Secret,
) -> Result<(Secret, ByteString), Failure> {
    let key = use_of_key::read(context, proof.object())?;
    let parameters = parameters::chosen(request.cryptographic_parameters.as_ref(), proof.object());
    let rng = &*context.resources.rng;
    let input = around(request);
    let mut stream = CipherStream::new(Direction::Decrypt, &key.borrow(), &parameters, input, rng)?;
    let opened = stream.update(data.expose())?;
    let owner = Owner::of(context, Operation::DECRYPT, Some(proof.object().id));
    Ok((opened, stream::begin(context, owner, Work::Cipher(stream), None)?))
}

fn next(
    context: &Context<'_, '_>,
    owner: Owner,
    correlation_value: &[u8],
    is_last: bool,
    request: &DecryptRequest,
    data: &Secret,
) -> Result<Secret, Failure> {
    let output = stream::go_on(context, owner, correlation_value, |work, _| {
        let Work::Cipher(mut stream) = work else { return Err(stream::mixed_up()) };
        if is_last {
            let tag = request.authenticated_encryption_tag.as_ref().map(|tag| tag.0.as_slice());
            let finished = stream.finish(data.expose(), tag, &*context.resources.rng)?;
            return Ok((None, Output { bytes: finished.data, ..Output::default() }));
        }
        let bytes = stream.update(data.expose())?;
        Ok((Some(Work::Cipher(stream)), Output { bytes, ..Output::default() }))
    })?;
    Ok(output.bytes)
}

/// What goes in beside the data.
fn around(request: &DecryptRequest) -> CipherInput<'_> {
    let additional = request.authenticated_encryption_additional_data.as_ref();
    CipherInput {
        iv: request.iv_counter_nonce.as_ref().map(|iv| iv.0.as_slice()),
        aad: additional.map(|data| data.0.as_slice()).unwrap_or_default(),
        tag: request.authenticated_encryption_tag.as_ref().map(|tag| tag.0.as_slice()),
        ..CipherInput::default()
    }
}

/// A part that gives nothing answers no Data.
fn some(data: Secret) -> Option<Secret> {
    (!data.is_empty()).then_some(data)
}
