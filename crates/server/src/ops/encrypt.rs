//! Encrypt (KMIP 2.1 §6.1.17, KMIP 1.4 §4.29).

use claviger_crypto::cipher::{self, CipherInput, CipherStream, Direction};
use claviger_kmip::Version;
use claviger_kmip::codec::{ByteString, Secret};
use claviger_kmip::enums::{self, Operation};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::payload::{EncryptRequest, EncryptResponse};

use super::Context;
use super::stream::{self, Output, Owner, Part, Work};
use super::{input, parameters, use_of_key};
use crate::failure::{Failure, Reason};
use crate::object::usage::Protecting;

/// Carries out Encrypt.
///
/// # Errors
/// There is no such key, it may not encrypt now, or it cannot encrypt so.
pub fn encrypt(
    context: &mut Context<'_, '_>,
    mut request: EncryptRequest,
) -> Result<EncryptResponse, Failure> {
    let (identifier, managed) = use_of_key::find(context, request.unique_identifier.as_ref())?;
    let proof = Protecting::prove(&managed, CryptographicUsageMask::ENCRYPT, context.now())?;
    let part = stream::part(
        request.init_indicator,
        request.final_indicator,
        request.correlation_value.as_ref(),
    )?;
    let data = input::data(context, request.data.take())?;
    use_of_key::charge(context, &managed, data.as_ref().map_or(0, Secret::len))?;
    let mut response = match part {
        Part::Whole => whole(context, proof, &request, &input::required(data)?)?,
        Part::First => first(context, proof, &request, &input::or_nothing(data))?,
        Part::Next { correlation_value, is_last } => {
            let data = input::or_nothing(data);
            next(context, proof, correlation_value, is_last, &data)?
        }
    };
    if response.authenticated_encryption_tag.is_some() && context.version < Version::V1_4 {
        let message = "an authentication tag cannot be answered before KMIP 1.4";
        return Err(Failure::new(Reason::UnsupportedCryptographicParameters, message));
    }
    response.unique_identifier = identifier.into();
    if let Some(data) = response.data.as_ref().filter(|_| !context.version.is_1x()) {
        context.batch.produce_data(enums::Data::ENCRYPT, Secret::copy_of(&data.0));
    }
    Ok(response)
}

fn whole(
    context: &mut Context<'_, '_>,
    proof: Protecting<'_>,
    request: &EncryptRequest,
    data: &Secret,
) -> Result<EncryptResponse, Failure> {
    let key = use_of_key::read(context, proof.object())?;
    let parameters = parameters::chosen(request.cryptographic_parameters.as_ref(), proof.object());
    let input = CipherInput { data: data.expose(), ..around(request) };
    let rng = &*context.resources.rng;
    let sealed = cipher::encrypt(&key.borrow(), &parameters, input, rng)?;
    Ok(EncryptResponse {
        data: Some(ByteString(sealed.data)),
        iv_counter_nonce: sealed.iv.map(ByteString),
        authenticated_encryption_tag: sealed.tag.map(ByteString),
        ..empty()
    })
}

fn first(
    context: &mut Context<'_, '_>,
    proof: Protecting<'_>,
    request: &EncryptRequest,
    data: &Secret,
) -> Result<EncryptResponse, Failure> {
    let key = use_of_key::read(context, proof.object())?;
    let parameters = parameters::chosen(request.cryptographic_parameters.as_ref(), proof.object());
    let rng = &*context.resources.rng;
    let input = around(request);
    let mut stream = CipherStream::new(Direction::Encrypt, &key.borrow(), &parameters, input, rng)?;
    let sealed = stream.update(data.expose())?;
    let iv = stream.iv().map(|iv| ByteString(iv.to_vec()));
    let owner = Owner::of(context, Operation::ENCRYPT, Some(proof.object().id));
    let correlation_value = stream::begin(context, owner, Work::Cipher(stream), None)?;
    Ok(EncryptResponse {
        data: some(&sealed),
        iv_counter_nonce: iv,
        correlation_value: Some(correlation_value),
        ..empty()
    })
}

fn next(
    context: &Context<'_, '_>,
    proof: Protecting<'_>,
    correlation_value: Vec<u8>,
    is_last: bool,
    data: &Secret,
) -> Result<EncryptResponse, Failure> {
    let owner = Owner::of(context, Operation::ENCRYPT, Some(proof.object().id));
    let output = stream::go_on(context, owner, &correlation_value, |work, _| {
        let Work::Cipher(mut stream) = work else { return Err(stream::mixed_up()) };
        if is_last {
            let finished = stream.finish(data.expose(), None, &*context.resources.rng)?;
            let output = Output { bytes: finished.data, tag: finished.tag, is_valid: None };
            return Ok((None, output));
        }
        let bytes = stream.update(data.expose())?;
        Ok((Some(Work::Cipher(stream)), Output { bytes, ..Output::default() }))
    })?;
    Ok(EncryptResponse {
        data: some(&output.bytes),
        correlation_value: (!is_last).then_some(ByteString(correlation_value)),
        authenticated_encryption_tag: output.tag.map(ByteString),
        ..empty()
    })
}

/// What goes in beside the data.
fn around(request: &EncryptRequest) -> CipherInput<'_> {
    let additional = request.authenticated_encryption_additional_data.as_ref();
    CipherInput {
        iv: request.iv_counter_nonce.as_ref().map(|iv| iv.0.as_slice()),
        aad: additional.map(|data| data.0.as_slice()).unwrap_or_default(),
        ..CipherInput::default()
    }
}

/// A part that gives nothing answers no Data.
fn some(data: &Secret) -> Option<ByteString> {
    (!data.is_empty()).then(|| ByteString(data.expose().to_vec()))
}

fn empty() -> EncryptResponse {
    EncryptResponse {
        unique_identifier: String::new().into(),
        data: None,
        iv_counter_nonce: None,
        correlation_value: None,
        authenticated_encryption_tag: None,
    }
}
