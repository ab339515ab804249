//! The four shapes of certificate: root, intermediate, server, client.
//!
//! One function per shape; everything a reader of a certificate can see is decided here
//! (RFC 5280 §4.2; the shapes are those of Vault's KMIP engine, docs/formats.md "Certificates").
//! Never knows where keys or names come from.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
    string::Ia5String,
};
use x509_parser::time::ASN1Time;

use super::{PkiError, Serial, ServerNames, Subject};

/// Certificates start this long before they are made, for clients whose clock is behind.
pub(super) const BACKDATE_SECONDS: i64 = 30;

/// Subject Key Identifier, RFC 5280 §4.2.1.2.
const SUBJECT_KEY_IDENTIFIER: &[u64] = &[2, 5, 29, 14];

/// From when to when, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    pub(super) not_before: i64,
    pub(super) not_after: i64,
}

/// A certificate authority certificate that may have `path_len` authorities below it.
pub(super) fn authority(
    common_name: &str,
    path_len: u8,
    serial: &Serial,
    validity: Validity,
) -> Result<CertificateParams, PkiError> {
    let mut params = base(serial, validity)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_len));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A client certificate. OU and CN are identifiers, not names: a scope that is deleted and made
/// again under the same name does not revive old certificates.
pub(super) fn client(
    subject: &Subject,
    public_key: &impl PublicKeyData,
    serial: &Serial,
    validity: Validity,
) -> Result<CertificateParams, PkiError> {
    let mut params = leaf(public_key, ExtendedKeyUsagePurpose::ClientAuth, serial, validity)?;
    let names = &mut params.distinguished_name;
    names.push(DnType::OrganizationalUnitName, subject.scope_id.as_str());
    names.push(DnType::CommonName, subject.role_id.as_str());
    params.subject_alt_names = vec![SanType::URI(ia5(&subject.uri)?)];
    push_names(&mut params, &subject.names)?;
    Ok(params)
}

/// A server certificate for host names and addresses.
pub(super) fn server(
    names: &ServerNames,
    public_key: &impl PublicKeyData,
    serial: &Serial,
    validity: Validity,
) -> Result<CertificateParams, PkiError> {
    let mut params = leaf(public_key, ExtendedKeyUsagePurpose::ServerAuth, serial, validity)?;
    let common_name = match (names.hostnames.first(), names.addresses.first()) {
        (Some(name), _) => name.clone(),
        (None, Some(address)) => address.to_string(),
        (None, None) => "localhost".to_owned(),
    };
    params.distinguished_name.push(DnType::CommonName, common_name);
    push_names(&mut params, names)?;
    Ok(params)
}

fn push_names(params: &mut CertificateParams, names: &ServerNames) -> Result<(), PkiError> {
    for name in &names.hostnames {
        params.subject_alt_names.push(SanType::DnsName(ia5(name)?));
    }
    for address in &names.addresses {
        params.subject_alt_names.push(SanType::IpAddress(*address));
    }
    Ok(())
}

fn leaf(
    public_key: &impl PublicKeyData,
    purpose: ExtendedKeyUsagePurpose,
    serial: &Serial,
    validity: Validity,
) -> Result<CertificateParams, PkiError> {
    let mut params = base(serial, validity)?;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyAgreement,
    ];
    params.extended_key_usages = vec![purpose];
    // rcgen writes this extension for authorities only.
    let identifier = params.key_identifier(public_key);
    params
        .custom_extensions
        .push(CustomExtension::from_oid_content(SUBJECT_KEY_IDENTIFIER, octet_string(&identifier)));
    Ok(params)
}

fn base(serial: &Serial, validity: Validity) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.not_before = moment(validity.not_before)?.to_datetime();
    params.not_after = moment(validity.not_after)?.to_datetime();
    params.serial_number = Some(SerialNumber::from_slice(serial.as_bytes()));
    params.distinguished_name = DistinguishedName::new();
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// A second since 1970, as certificates say it.
pub(super) fn moment(seconds: i64) -> Result<ASN1Time, PkiError> {
    ASN1Time::from_timestamp(seconds)
        .map_err(|_| PkiError::BadName("a date beyond what certificates can say".to_owned()))
}

fn ia5(text: &str) -> Result<Ia5String, PkiError> {
    Ia5String::try_from(text).map_err(|_| {
        PkiError::BadName("a name in a certificate may hold ASCII characters only".to_owned())
    })
}

/// DER of an OCTET STRING shorter than 128 bytes, which every key identifier is.
fn octet_string(bytes: &[u8]) -> Vec<u8> {
    let mut der = vec![0x04, bytes.len() as u8];
    der.extend_from_slice(bytes);
    der
}
