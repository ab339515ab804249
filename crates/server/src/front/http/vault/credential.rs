//! Credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::access::Credential;
use crate::pki::{Serial, pem};
use crate::record::Change;

/// How a credential is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Pem,
    PemBundle,
    Der,
}

impl Format {
    fn of(call: &Call<'_>, default: Self) -> Result<Self, ApiError> {
        let format = call.fields.named("format", |name| match name {
            "pem" => Ok(Self::Pem),
            "pem_bundle" => Ok(Self::PemBundle),
            "der" => Ok(Self::Der),
            _ => Err(ApiError::bad("unknown format: use pem, pem_bundle or der")),
        })?;
        Ok(format.apply(default, default))
    }

    fn write(self, credential: &Credential) -> Value {
        let key = credential.private_key.as_ref();
        let (certificate, ca_chain, private_key) = match self {
            Self::Pem => (
                credential.certificate_pem(),
                credential.chain_pem(),
                key.map(|key| key.pem().to_string()),
            ),
            Self::PemBundle => (
                credential.bundle_pem().to_string(),
                credential.chain_pem(),
                key.map(|key| key.pem().to_string()),
            ),
            Self::Der => (
                STANDARD.encode(&credential.certificate),
                credential.chain.iter().map(|der| STANDARD.encode(der)).collect(),
                key.map(|key| STANDARD.encode(key.der())),
            ),
        };
        let mut data = json!({
            "certificate": certificate,
            "ca_chain": ca_chain,
            "serial_number": credential.serial.to_string(),
        });
        if let (Some(private_key), Some(data)) = (private_key, data.as_object_mut()) {
            data.insert("private_key".to_owned(), private_key.into());
        }
        data
    }
}

/// `LIST …/credential`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    let found = call.services()?.access.list_credentials(call.mount()?.id(), scope, role);
    Reply::keys(found.into_iter().map(|view| view.serial))
}

/// `POST …/credential/generate`.
pub(super) fn generate(call: &Call<'_>) -> Result<Reply, ApiError> {
    let format = Format::of(call, Format::PemBundle)?;
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    let made = call.services()?.access.generate_credential(call.mount()?, scope, role)?;
    Ok(Reply::data(format.write(&made)).warning(made.warnings))
}

/// `POST …/credential/sign`.
pub(super) fn sign(call: &Call<'_>) -> Result<Reply, ApiError> {
    let format = Format::of(call, Format::PemBundle)?;
    let request = call.fields.required("csr")?;
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    let made = call.services()?.access.sign_credential(call.mount()?, scope, role, &request)?;
    Ok(Reply::data(format.write(&made)).warning(made.warnings))
}

/// `GET …/credential/lookup`.
pub(super) fn lookup(call: &Call<'_>) -> Result<Reply, ApiError> {
    let format = Format::of(call, Format::Pem)?;
    let serial = serial(&call.fields.required("serial_number")?)?;
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    let access = &call.services()?.access;
    let found = access.lookup_credential(call.mount()?, scope, role, &serial)?;
    Ok(Reply::data(format.write(&found.ok_or_else(ApiError::nothing)?)))
}

/// `POST …/credential/revoke`.
pub(super) fn revoke(call: &Call<'_>) -> Result<Reply, ApiError> {
    let given = |name| -> Result<Option<String>, ApiError> {
        match call.fields.text(name)? {
            Change::To(text) if !text.is_empty() => Ok(Some(text)),
            _ => Ok(None),
        }
    };
    let serial = match (given("serial_number")?, given("certificate")?) {
        (Some(text), None) => serial(&text)?,
        (None, Some(text)) => pem::decode(&["CERTIFICATE"], &text)
            .and_then(|der| Serial::of_certificate(&der))
            .ok_or_else(|| ApiError::bad("certificate is not a certificate in PEM"))?,
        _ => return Err(ApiError::bad("give either serial_number or certificate")),
    };
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    call.services()?.access.revoke_credential(call.mount()?.id(), scope, role, &serial)?;
    Ok(Reply::empty())
}

fn serial(text: &str) -> Result<Serial, ApiError> {
    Serial::from_decimal(text.trim())
        .ok_or_else(|| ApiError::bad("serial_number is not a serial number in decimal"))
}
