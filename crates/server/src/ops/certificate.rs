//! What the server reads out of a certificate that is registered (KMIP 2.1 §4.6 to §4.9, §4.63 to
//! §4.65; KMIP 1.4 §3.8 to §3.16).
//!
//! Facts only: nothing here trusts, checks a signature or looks at a date. A certificate that
//! cannot be read is kept with the little that is known of it.

use std::fmt::Write as _;

use claviger_crypto::format::certificate as outer;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::{
    CertificateIdentifier, CertificateIssuer, CertificateSubject, X509CertificateIdentifier,
    X509CertificateIssuer, X509CertificateSubject,
};
use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::CertificateType;
use claviger_kmip::objects::Certificate;
use x509_parser::asn1_rs::{Any, FromDer as _};
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{OID_X509_EXT_ISSUER_ALT_NAME, OID_X509_EXT_SUBJECT_ALT_NAME};
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The attributes that follow from a certificate.
pub(super) fn attributes(certificate: &Certificate) -> Vec<Attribute> {
    let der = &certificate.certificate_value.0;
    let mut found = vec![
        Attribute::CertificateType(certificate.certificate_type),
        Attribute::CertificateLength(i32::try_from(der.len()).unwrap_or(i32::MAX)),
    ];
    if certificate.certificate_type != CertificateType::X_509 {
        return found;
    }
    if let Ok(inspected) = outer::inspect(der) {
        if let Some(key) = &inspected.public_key {
            found.push(Attribute::CryptographicAlgorithm(key.cryptographic_algorithm()));
            if let Ok(bits) = i32::try_from(key.cryptographic_length()) {
                found.push(Attribute::CryptographicLength(bits));
            }
        }
        let signature = inspected.digital_signature_algorithm;
        found.extend(signature.map(Attribute::DigitalSignatureAlgorithm));
    }
    if let Ok((_, certificate)) = X509Certificate::from_der(der) {
        identifiers(&certificate, &mut found);
        subject(&certificate, &mut found);
        issuer(&certificate, &mut found);
    }
    found
}

fn identifiers(certificate: &X509Certificate<'_>, found: &mut Vec<Attribute>) {
    let serial = certificate.tbs_certificate.raw_serial();
    let issuer = certificate.issuer();
    found.push(Attribute::CertificateIdentifier(CertificateIdentifier {
        issuer: distinguished_name(issuer),
        serial_number: Some(hexadecimal(serial)),
    }));
    if let Some(serial) = integer(serial) {
        found.push(Attribute::X509CertificateIdentifier(X509CertificateIdentifier {
            issuer_distinguished_name: ByteString(issuer.as_raw().to_vec()),
            certificate_serial_number: ByteString(serial),
        }));
    }
}

fn subject(certificate: &X509Certificate<'_>, found: &mut Vec<Attribute>) {
    let name = certificate.subject();
    let alternatives = alternative_names(certificate, true);
    found.push(Attribute::CertificateSubject(CertificateSubject {
        certificate_subject_distinguished_name: distinguished_name(name),
        certificate_subject_alternative_name: alternatives
            .iter()
            .filter_map(|it| readable(it))
            .collect(),
    }));
    found.push(Attribute::X509CertificateSubject(X509CertificateSubject {
        subject_distinguished_name: ByteString(name.as_raw().to_vec()),
        subject_alternative_name: alternatives.into_iter().map(ByteString).collect(),
    }));
    parts(name, found, |part| part.subject);
}

fn issuer(certificate: &X509Certificate<'_>, found: &mut Vec<Attribute>) {
    let name = certificate.issuer();
    let alternatives = alternative_names(certificate, false);
    found.push(Attribute::CertificateIssuer(CertificateIssuer {
        certificate_issuer_distinguished_name: distinguished_name(name),
        certificate_issuer_alternative_name: alternatives
            .iter()
            .filter_map(|it| readable(it))
            .collect(),
    }));
    found.push(Attribute::X509CertificateIssuer(X509CertificateIssuer {
        issuer_distinguished_name: ByteString(name.as_raw().to_vec()),
        issuer_alternative_name: alternatives.into_iter().map(ByteString).collect(),
    }));
    parts(name, found, |part| part.issuer);
}

/// One kind of part of a distinguished name.
struct Part {
    /// Its object identifier.
    identifier: &'static str,
    /// Its name in texts (RFC 4514 §3, and the name that others give to e-mail addresses).
    label: &'static str,
    subject: fn(String) -> Attribute,
    issuer: fn(String) -> Attribute,
}

macro_rules! parts {
    ($($identifier:literal $label:literal $subject:ident $issuer:ident;)*) => {
        /// Every part that KMIP has an attribute for.
        const PARTS: &[Part] = &[$(Part {
            identifier: $identifier,
            label: $label,
            subject: Attribute::$subject,
            issuer: Attribute::$issuer,
        },)*];
    };
}

parts! {
    "2.5.4.3" "CN" CertificateSubjectCn CertificateIssuerCn;
    "2.5.4.10" "O" CertificateSubjectO CertificateIssuerO;
    "2.5.4.11" "OU" CertificateSubjectOu CertificateIssuerOu;
    "1.2.840.113549.1.9.1" "emailAddress" CertificateSubjectEmail CertificateIssuerEmail;
    "2.5.4.6" "C" CertificateSubjectC CertificateIssuerC;
    "2.5.4.8" "ST" CertificateSubjectSt CertificateIssuerSt;
    "2.5.4.7" "L" CertificateSubjectL CertificateIssuerL;
    "0.9.2342.19200300.100.1.1" "UID" CertificateSubjectUid CertificateIssuerUid;
    "2.5.4.5" "serialNumber" CertificateSubjectSerialNumber CertificateIssuerSerialNumber;
    "2.5.4.12" "title" CertificateSubjectTitle CertificateIssuerTitle;
    "0.9.2342.19200300.100.1.25" "DC" CertificateSubjectDc CertificateIssuerDc;
    "2.5.4.46" "dnQualifier" CertificateSubjectDnQualifier CertificateIssuerDnQualifier;
}

fn part_of(attribute: &AttributeTypeAndValue<'_>) -> Option<&'static Part> {
    let identifier = attribute.attr_type().to_id_string();
    PARTS.iter().find(|part| part.identifier == identifier)
}

fn parts(
    name: &X509Name<'_>,
    found: &mut Vec<Attribute>,
    attribute: impl Fn(&Part) -> fn(String) -> Attribute,
) {
    for value in name.iter_attributes() {
        if let (Some(part), Ok(text)) = (part_of(value), value.as_str()) {
            found.push(attribute(part)(text.to_owned()));
        }
    }
}

/// The name as a text, its last part first (RFC 4514).
fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for (position, rdn) in parts.into_iter().rev().enumerate() {
        if position > 0 {
            text.push(',');
        }
        for (position, value) in rdn.iter().enumerate() {
            if position > 0 {
                text.push('+');
            }
            match (part_of(value), value.as_str()) {
                (Some(part), Ok(value)) => {
                    text.push_str(part.label);
                    text.push('=');
                    push_escaped(&mut text, value);
                }
                _ => {
                    text.push_str(&value.attr_type().to_id_string());
                    text.push_str("=#");
                    text.push_str(&hexadecimal(value.as_slice()));
                }
            }
        }
    }
    text
}

/// A value with what RFC 4514 §2.4 wants escaped.
fn push_escaped(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (position, character) in value.chars().enumerate() {
        let is_special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\');
        let at_edge = (position == 0 && matches!(character, ' ' | '#'))
            || (position == last && character == ' ');
        if is_special || at_edge {
            text.push('\\');
        }
        text.push(character);
    }
}

/// The encodings of the alternative names, one each.
fn alternative_names(certificate: &X509Certificate<'_>, of_subject: bool) -> Vec<Vec<u8>> {
    let identifier =
        if of_subject { OID_X509_EXT_SUBJECT_ALT_NAME } else { OID_X509_EXT_ISSUER_ALT_NAME };
    let found = certificate.extensions().iter().find(|extension| extension.oid == identifier);
    let Some(Ok((_, names))) = found.map(|extension| Any::from_der(extension.value)) else {
        return Vec::new();
    };
    let mut rest = names.data;
    let mut encodings = Vec::new();
    while let Ok((after, _)) = Any::from_der(rest) {
        let length = rest.len().saturating_sub(after.len());
        encodings.push(rest.get(..length).unwrap_or_default().to_vec());
        rest = after;
    }
    encodings
}

/// An alternative name as a text, for the kinds that are texts.
fn readable(encoding: &[u8]) -> Option<String> {
    match GeneralName::from_der(encoding) {
        Ok((
            _,
            GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text),
        )) => Some(text.to_owned()),
        _ => None,
    }
}

/// DER of an integer whose content is given.
fn integer(content: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 0x80)?;
    let mut der = vec![0x02, length];
    der.extend_from_slice(content);
    Some(der)
}

/// Hexadecimal digits, without the zero byte that keeps a number positive.
fn hexadecimal(bytes: &[u8]) -> String {
    let bytes = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}
