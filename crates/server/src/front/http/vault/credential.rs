//! Credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::access::Credential;
use crate::audit::seconds_text;
use crate::mount::client_names;
use crate::pki::{ClientSubject, Serial, ServerNames, pem};
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

/// `LIST …/credential` of a role, of a scope, of the mount: serials, and where and until when each is.
/// With `expiring`, only those that end within that time, or have ended.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let within = match call.fields.seconds("expiring")? {
        Change::Keep | Change::Reset => None,
        Change::To(..0) => return Err(ApiError::bad("expiring must not be negative")),
        Change::To(seconds) => Some(seconds),
    };
    let latest = within.map(|seconds| call.api.clock.now().saturating_add(seconds));
    let named = |name| Some(call.captured(name)).filter(|name| !name.is_empty());
    let (scope, role) = (named("scope"), named("role"));
    let access = &call.services()?.access;
    let found = access.list_credentials(call.mount()?.id(), scope, role, latest);
    if found.is_empty() {
        return Err(ApiError::nothing());
    }
    let info = found.iter().map(|it| {
        let not_after = seconds_text(it.not_after);
        let info = json!({ "scope": it.scope, "role": it.role, "not_after": not_after });
        (it.serial.to_string(), info)
    });
    let info: Map<String, Value> = info.collect();
    let keys: Vec<String> = found.iter().map(|it| it.serial.to_string()).collect();
    Ok(Reply::data(json!({ "keys": keys, "key_info": info })))
}

/// `POST …/credential/generate`.
pub(super) fn generate(call: &Call<'_>) -> Result<Reply, ApiError> {
    let format = Format::of(call, Format::PemBundle)?;
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    let (access, names) = (&call.services()?.access, names(call)?);
    let made = access.generate_named_credential(call.mount()?, scope, role, names)?;
    Ok(Reply::data(format.write(&made)).warning(made.warnings))
}

/// `POST …/credential/sign`.
pub(super) fn sign(call: &Call<'_>) -> Result<Reply, ApiError> {
    let format = Format::of(call, Format::PemBundle)?;
    let request = call.fields.required("csr")?;
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    let (access, names) = (&call.services()?.access, names(call)?);
    let made = access.sign_credential(call.mount()?, scope, role, names, &request)?;
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
    let Revocation { serial, .. } = named_serial(call)?;
    let (scope, role) = (call.captured("scope"), call.captured("role"));
    call.services()?.access.revoke_credential(call.mount()?.id(), scope, role, &serial)?;
    Ok(Reply::empty())
}

/// What is to be revoked.
pub(super) struct Revocation {
    pub(super) serial: Serial,
    /// The distinguished name of who issued the certificate, in DER, if the request tells.
    pub(super) issuer: Option<Vec<u8>>,
    /// Last second of the certificate's life, if the request tells.
    pub(super) not_after: Option<i64>,
}

/// The serial of a request, given as such or by the whole certificate.
pub(super) fn named_serial(call: &Call<'_>) -> Result<Revocation, ApiError> {
    let given = |name| -> Result<Option<String>, ApiError> {
        match call.fields.text(name)? {
            Change::To(text) if !text.is_empty() => Ok(Some(text)),
            _ => Ok(None),
        }
    };
    match (given("serial_number")?, given("certificate")?) {
        (Some(text), None) => {
            Ok(Revocation { serial: serial(&text)?, issuer: None, not_after: None })
        }
        (None, Some(text)) => {
            let subject =
                pem::decode(&["CERTIFICATE"], &text).and_then(|it| ClientSubject::of(&it));
            let subject =
                subject.ok_or_else(|| ApiError::bad("certificate is not a certificate in PEM"))?;
            let ClientSubject { serial, issuer, not_after, .. } = subject;
            Ok(Revocation { serial, issuer: Some(issuer), not_after: Some(not_after) })
        }
        _ => Err(ApiError::bad("give either serial_number or certificate")),
    }
}

/// Alternative names that a certificate is to show besides its URI.
fn names(call: &Call<'_>) -> Result<ServerNames, ApiError> {
    let list = |name| Ok::<_, ApiError>(call.fields.list(name)?.apply(Vec::new(), Vec::new()));
    Ok(client_names(&list("dns_sans")?, &list("ip_sans")?)?)
}

fn serial(text: &str) -> Result<Serial, ApiError> {
    Serial::from_decimal(text.trim())
        .ok_or_else(|| ApiError::bad("serial_number is not a serial number in decimal"))
}
