//! Sign (KMIP 2.1 §6.1.51, KMIP 1.4 §4.31).

use claviger_crypto::Parameters;
use claviger_crypto::signature::{self, Message};
use claviger_kmip::codec::{ByteString, Secret};
use claviger_kmip::enums::{self, Operation};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::payload::{SignRequest, SignResponse};
use zeroize::Zeroizing;

use super::Context;
use super::key::Key;
use super::stream::{self, Output, Owner, Part, Work};
use super::{input, parameters, use_of_key};
use crate::failure::{Failure, Reason};
use crate::object::usage::Protecting;

/// Carries out Sign.
///
/// # Errors
/// There is no such key, it may not sign now, or it cannot sign so.
pub fn sign(
    context: &mut Context<'_, '_>,
    mut request: SignRequest,
) -> Result<SignResponse, Failure> {
    let (identifier, managed) = use_of_key::find(context, request.unique_identifier.as_ref())?;
    let proof = Protecting::prove(&managed, CryptographicUsageMask::SIGN, context.now())?;
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
    let length = data.as_ref().map_or(digest.map_or(0, <[u8]>::len), Secret::len);
    use_of_key::charge(context, &managed, length)?;
    let owner = Owner::of(context, Operation::SIGN, Some(managed.id));
    let rng = &*context.resources.rng;
    let (signature_data, correlation_value) = match part {
        Part::Whole => {
            let signature =
                signature::sign(&key.borrow(), &chosen, message(data.as_ref(), digest)?, rng)?;
            (Some(signature), None)
        }
        Part::First => {
            let work = Work::Message(chosen, input::or_nothing(data).into_zeroizing());
            (None, Some(stream::begin(context, owner, work, None)?))
        }
        Part::Next { correlation_value, is_last } => {
            let data = input::or_nothing(data);
            let output = stream::go_on(context, owner, &correlation_value, |work, _| {
                let (parameters, whole) = longer(work, &data)?;
                if !is_last {
                    return Ok((Some(Work::Message(parameters, whole)), Output::default()));
                }
                let message = Message::Data(&whole);
                let bytes = signature::sign(&key.borrow(), &parameters, message, rng)?;
                Ok((None, Output { bytes: bytes.into(), ..Output::default() }))
            })?;
            let signature = is_last.then(|| output.bytes.expose().to_vec());
            (signature, (!is_last).then_some(ByteString(correlation_value)))
        }
    };
    if let Some(signature) = signature_data.as_ref().filter(|_| !context.version.is_1x()) {
        let kind = enums::Data::SIGN_SIGNATURE_DATA;
        context.batch.produce_data(kind, Secret::copy_of(signature));
    }
    Ok(SignResponse {
        unique_identifier: identifier.into(),
        signature_data: signature_data.map(ByteString),
        correlation_value,
    })
}

/// What is signed: the data, or the digest that the client has made of it.
pub(super) fn message<'m>(
    data: Option<&'m Secret>,
    digest: Option<&'m [u8]>,
) -> Result<Message<'m>, Failure> {
    match (data, digest) {
        (Some(data), None) => Ok(Message::Data(data.expose())),
        (None, Some(digest)) => Ok(Message::Digest(digest)),
        (Some(_), Some(_)) => {
            Err(Failure::new(Reason::InvalidField, "give either Data or Digested Data"))
        }
        (None, None) => Err(Failure::new(Reason::MissingData, "Data is missing")),
    }
}

/// The message so far with another part at its end.
pub(super) fn longer(
    work: Work,
    part: &Secret,
) -> Result<(Parameters, Zeroizing<Vec<u8>>), Failure> {
    let Work::Message(parameters, data) = work else { return Err(stream::mixed_up()) };
    // A new buffer, so that a growing one leaves nothing behind.
    let mut whole = Zeroizing::new(Vec::with_capacity(data.len().saturating_add(part.len())));
    whole.extend_from_slice(&data);
    whole.extend_from_slice(part.expose());
    Ok((parameters, whole))
}

/// Whether a key can sign or verify at all; a first part would else fail only at the last.
pub(super) fn refuse_symmetric(key: &Key) -> Result<(), Failure> {
    match key {
        Key::Public(_) | Key::Private(_) => Ok(()),
        Key::Symmetric { .. } | Key::SecretData(_) => {
            let message = "signatures are made and verified with asymmetric keys";
            Err(Failure::new(Reason::InvalidObjectType, message))
        }
    }
}
