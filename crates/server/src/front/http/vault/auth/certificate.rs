//! `auth/cert`: logins with the certificate of the TLS connection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::Call;
use super::super::error::ApiError;
use super::super::fields::Fields;
use super::super::reply::Reply;
use super::token_terms;
use crate::auth::{CertificateChange, Certificates, ConstraintField};
use crate::pki::pem;
use crate::record::RecordError;

/// `LIST certs`.
pub(in super::super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(entries(call)?.names()?)
}

/// `GET certs/:name`.
pub(in super::super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let entry = entries(call)?.read(call.captured("name"))?.ok_or_else(ApiError::nothing)?;
    let mut data = Map::new();
    data.insert("certificate".to_owned(), entry.certificate.into());
    data.insert("display_name".to_owned(), entry.display_name.into());
    for field in ConstraintField::ALL {
        let patterns = entry.constraints.get(field).cloned().unwrap_or_default();
        data.insert(field.name().to_owned(), patterns.into());
    }
    token_terms::describe(&entry.token, &mut data);
    Ok(Reply::data(Value::Object(data)))
}

/// `POST certs/:name`.
pub(in super::super) fn write(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields;
    let mut constraints = Vec::new();
    for field in ConstraintField::ALL {
        constraints.push((*field, fields.list(field.name())?));
    }
    let change = CertificateChange {
        certificate: fields.text("certificate")?,
        display_name: fields.text("display_name")?,
        constraints,
        token: token_terms::change(fields)?,
    };
    refuse_ocsp(fields)?;
    entries(call)?.write(call.captured("name"), change)?;
    Ok(Reply::empty())
}

/// Taken for granted by whoever asks for it: it must not be ignored. What clients send unasked, as
/// it is in Vault unless something else is said, is let through.
fn refuse_ocsp(fields: Fields<'_>) -> Result<(), ApiError> {
    let mut asked = None;
    for name in ["ocsp_enabled", "ocsp_fail_open", "ocsp_query_all_servers"] {
        asked = asked.or(fields.bool(name)?.apply(false, false).then_some(name));
    }
    let servers = fields.list("ocsp_servers_override")?.apply(Vec::new(), Vec::new());
    asked = asked.or((!servers.is_empty()).then_some("ocsp_servers_override"));
    let authorities = fields.text("ocsp_ca_certificates")?.apply(String::new(), String::new());
    asked = asked.or((!authorities.is_empty()).then_some("ocsp_ca_certificates"));
    match asked {
        Some(name) => Err(ApiError::bad(format!(
            "{name} is not supported: this server asks nobody by OCSP; revocation lists are written to crls"
        ))),
        None => Ok(()),
    }
}

/// `DELETE certs/:name`.
pub(in super::super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    entries(call)?.delete(call.captured("name"))?;
    Ok(Reply::empty())
}

/// `GET config`.
pub(in super::super) fn read_config(call: &Call<'_>) -> Result<Reply, ApiError> {
    let disables = call.method()?.disables_binding();
    Ok(Reply::data(json!({ "disable_binding": disables })))
}

/// `POST config`.
pub(in super::super) fn write_config(call: &Call<'_>) -> Result<Reply, ApiError> {
    let method = call.method()?;
    let disable = call.fields.bool("disable_binding")?.apply(method.disables_binding(), false);
    call.services()?.auth.set_disable_binding(method.path(), disable)?;
    Ok(Reply::empty())
}

/// `POST login`.
pub(in super::super) fn login(call: &Call<'_>) -> Result<Reply, ApiError> {
    let name = call.fields.text("name")?.apply(String::new(), String::new());
    let name = Some(name.as_str()).filter(|name| !name.is_empty());
    let created = entries(call)?.login(name, call.client(), &|chain| is_revoked(call, chain))?;
    Ok(Reply::auth(created))
}

/// Whether a mount of this server issued the certificate that a chain begins with, and has revoked it.
pub(in super::super) fn is_revoked(
    call: &Call<'_>,
    chain: &[Vec<u8>],
) -> Result<bool, RecordError> {
    let Some(services) = call.services else { return Ok(false) };
    services.access.has_revoked(&services.mounts.list(), chain)
}

/// `LIST crls`.
pub(in super::super) fn list_crls(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(entries(call)?.lists())
}

/// `GET crls/:name`.
pub(in super::super) fn read_crl(call: &Call<'_>) -> Result<Reply, ApiError> {
    let list = entries(call)?.list(call.captured("name"))?;
    let serials: Map<String, Value> =
        list.serials().map(|serial| (serial.to_string(), json!({}))).collect();
    Ok(Reply::data(json!({ "cdp": null, "serials": serials })))
}

/// `POST crls/:name`.
pub(in super::super) fn write_crl(call: &Call<'_>) -> Result<Reply, ApiError> {
    let given = |name| call.fields.text(name).map(|it| it.apply(String::new(), String::new()));
    let (crl, url) = (given("crl")?, given("url")?);
    if !url.is_empty() {
        return Err(ApiError::bad(
            "url is not supported: this server fetches nothing; give the list itself in crl",
        ));
    }
    if crl.is_empty() {
        return Err(ApiError::bad("one of 'crl' or 'url' must be provided"));
    }
    // Vault also takes DER, which JSON cannot hold: it comes in base64.
    let der = match pem::decode(&["X509 CRL"], &crl) {
        Some(der) => der,
        None => STANDARD.decode(crl.trim()).unwrap_or_default(),
    };
    entries(call)?.write_list(call.captured("name"), der)?;
    Ok(Reply::empty())
}

/// `DELETE crls/:name`.
pub(in super::super) fn delete_crl(call: &Call<'_>) -> Result<Reply, ApiError> {
    entries(call)?.delete_list(call.captured("name"))?;
    Ok(Reply::empty())
}

fn entries<'a>(call: &'a Call<'_>) -> Result<Certificates<'a>, ApiError> {
    Ok(Certificates::of(&call.services()?.auth, call.method()?))
}
