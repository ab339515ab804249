//! What the server reads out of a registered certificate.

use claviger_kmip::Version;
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::{CertificateType, CryptographicAlgorithm, ResultReason};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::objects::{Certificate, Object};
use claviger_kmip::payload::RegisterRequest;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use super::{reason, register, values};
use crate::fixture::Fixture;

fn certificate() -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["kmip.example".to_owned()]).unwrap();
    parameters.distinguished_name = DistinguishedName::new();
    let name = &mut parameters.distinguished_name;
    name.push(DnType::CountryName, "AU");
    name.push(DnType::OrganizationName, "Keys, Locks + Co");
    name.push(DnType::CommonName, " edge#");
    parameters.serial_number = Some(vec![0x9B, 0xBA].into());
    parameters.self_signed(&key).unwrap().der().to_vec()
}

fn object(der: &[u8]) -> Object {
    Object::Certificate(Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value: ByteString(der.to_vec()),
    })
}

#[tokio::test]
async fn names_serial_key_and_alternative_names() {
    let fixture = Fixture::new();
    let der = certificate();
    let id = register(&fixture, object(&der), Usage::VERIFY, vec![]).await;
    let one = async |attribute| {
        let mut found = values(&fixture, &id, attribute).await;
        assert_eq!(found.len(), 1, "{attribute:?}");
        found.remove(0)
    };
    let escaped = r"CN=\ edge#,O=Keys\, Locks \+ Co,C=AU";
    let Attribute::CertificateIdentifier(identifier) =
        one(AttributeId::CertificateIdentifier).await
    else {
        panic!("not an identifier");
    };
    assert_eq!(identifier.issuer, escaped);
    assert_eq!(identifier.serial_number.as_deref(), Some("9BBA"));
    let Attribute::X509CertificateIdentifier(identifier) =
        one(AttributeId::X509CertificateIdentifier).await
    else {
        panic!("not an identifier");
    };
    assert_eq!(identifier.certificate_serial_number.0, [2, 3, 0, 0x9B, 0xBA]);
    assert!(
        der.windows(identifier.issuer_distinguished_name.0.len())
            .any(|window| window == identifier.issuer_distinguished_name.0)
    );
    let Attribute::CertificateSubject(subject) = one(AttributeId::CertificateSubject).await else {
        panic!("not a subject");
    };
    assert_eq!(subject.certificate_subject_distinguished_name, escaped);
    assert_eq!(subject.certificate_subject_alternative_name, ["kmip.example"]);
    let Attribute::X509CertificateSubject(subject) = one(AttributeId::X509CertificateSubject).await
    else {
        panic!("not a subject");
    };
    let alternative = [&[0x82, 12][..], b"kmip.example"].concat();
    assert_eq!(subject.subject_alternative_name, [ByteString(alternative)]);
    let organisation = Attribute::CertificateSubjectO("Keys, Locks + Co".to_owned());
    assert_eq!(one(AttributeId::CertificateSubjectO).await, organisation);
    let length = i32::try_from(der.len()).unwrap();
    let expected = Attribute::CertificateLength(length);
    assert_eq!(one(AttributeId::CertificateLength).await, expected);
    let expected = Attribute::CryptographicAlgorithm(CryptographicAlgorithm::EC);
    assert_eq!(one(AttributeId::CryptographicAlgorithm).await, expected);
    assert_eq!(one(AttributeId::CryptographicLength).await, Attribute::CryptographicLength(256));
}

#[tokio::test]
async fn the_type_may_be_said_if_it_is_right() {
    let fixture = Fixture::new();
    let request = |said| {
        let attributes: Attributes = [Attribute::CertificateType(said)].into_iter().collect();
        let object = object(&certificate());
        RegisterRequest {
            object_type: object.object_type(),
            attributes: attributes.into(),
            object,
            protection_storage_masks: None,
        }
    };
    fixture.call(Version::V1_4, &request(CertificateType::X_509)).await;
    let refused = reason(&fixture, Version::V1_4, &request(CertificateType::PGP)).await;
    assert_eq!(refused, Some(ResultReason::INVALID_FIELD));
}

#[tokio::test]
async fn what_is_no_certificate_is_kept_with_what_is_known() {
    let fixture = Fixture::new();
    let id = register(&fixture, object(b"not a certificate"), Usage::VERIFY, vec![]).await;
    let length = values(&fixture, &id, AttributeId::CertificateLength).await;
    assert_eq!(length, [Attribute::CertificateLength(17)]);
    assert_eq!(values(&fixture, &id, AttributeId::CertificateSubjectCn).await, []);
}
