//! The shapes of what an authority makes.

use x509_parser::extensions::{GeneralName, ParsedExtension};
use zeroize::Zeroizing;

use super::*;

const NOW: i64 = 1_800_000_000;

fn subject() -> Subject {
    Subject {
        scope_id: "ilV63".to_owned(),
        role_id: "2FyVN".to_owned(),
        uri: "kmip://finance/accounting".to_owned(),
        names: ServerNames::default(),
    }
}

fn extensions(certificate: &X509Certificate<'_>) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = certificate
        .extensions()
        .iter()
        .map(|extension| (extension.oid.to_id_string(), extension.critical))
        .collect();
    found.sort();
    found
}

#[test]
fn authorities_have_the_documented_shape() {
    let authority = Authority::generate("vault-kmip-default", KeySpec::Ec256, NOW).unwrap();
    let [intermediate, root] = authority.chain();
    for (der, subject, path_len) in [
        (&root, "CN=vault-kmip-default", 10),
        (&intermediate, "CN=vault-kmip-default-intermediate", 9),
    ] {
        let (_, certificate) = X509Certificate::from_der(der).unwrap();
        assert_eq!(certificate.subject().to_string(), subject);
        assert_eq!(certificate.issuer().to_string(), "CN=vault-kmip-default");
        assert_eq!(certificate.validity().not_before.timestamp(), NOW - 30);
        assert_eq!(certificate.validity().not_after.timestamp(), NOW + AUTHORITY_SECONDS);
        let constraints = certificate.basic_constraints().unwrap().unwrap().value;
        assert!(constraints.ca);
        assert_eq!(constraints.path_len_constraint, Some(path_len));
        let usage = certificate.key_usage().unwrap().unwrap();
        assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
        assert!(!usage.value.digital_signature());
        assert_eq!(
            extensions(&certificate),
            [
                ("2.5.29.14".to_owned(), false),
                ("2.5.29.15".to_owned(), true),
                ("2.5.29.19".to_owned(), true),
                ("2.5.29.35".to_owned(), false),
            ]
        );
    }
}

#[test]
fn client_certificates_have_the_documented_shape() {
    let authority = Authority::generate("vault-kmip-default", KeySpec::Ec256, NOW).unwrap();
    let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
    let issued =
        authority.issue_client(&subject(), &ClientKey::Private(&key), 1_209_600, NOW).unwrap();
    let (_, certificate) = X509Certificate::from_der(&issued.certificate).unwrap();
    assert_eq!(certificate.subject().to_string(), "OU=ilV63, CN=2FyVN");
    assert_eq!(certificate.issuer().to_string(), "CN=vault-kmip-default-intermediate");
    assert_eq!(certificate.validity().not_before.timestamp(), NOW - 30);
    assert_eq!(issued.not_after, NOW + 1_209_600);
    assert_eq!(certificate.validity().not_after.timestamp(), issued.not_after);
    assert_eq!(Serial::of_certificate(&issued.certificate), Some(issued.serial));
    assert_eq!(
        certificate.signature_algorithm.algorithm.to_id_string(),
        "1.2.840.10045.4.3.2",
        "ecdsa-with-SHA256"
    );
    let usage = certificate.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert!(usage.value.digital_signature() && usage.value.key_encipherment());
    assert!(usage.value.key_agreement() && !usage.value.key_cert_sign());
    let purpose = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(purpose.client_auth && !purpose.server_auth && !purpose.any);
    assert_eq!(
        extensions(&certificate).iter().map(|(oid, _)| oid.as_str()).collect::<Vec<_>>(),
        ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.35", "2.5.29.37"]
    );
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names, [GeneralName::URI("kmip://finance/accounting")]);
}

#[test]
fn key_identifiers_link_the_chain() {
    let authority = Authority::generate("x", KeySpec::Ec256, NOW).unwrap();
    let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
    let issued = authority.issue_client(&subject(), &ClientKey::Private(&key), 60, NOW).unwrap();
    let [intermediate, root] = authority.chain();
    let identifiers = |der: &[u8]| {
        let (_, certificate) = X509Certificate::from_der(der).unwrap();
        let (mut own, mut issuers) = (None, None);
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => own = Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    issuers = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                _ => {}
            }
        }
        (own.unwrap(), issuers.unwrap())
    };
    let (root_own, root_issuer) = identifiers(&root);
    let (intermediate_own, intermediate_issuer) = identifiers(&intermediate);
    let (leaf_own, leaf_issuer) = identifiers(&issued.certificate);
    assert_eq!(root_own, root_issuer);
    assert_eq!(root_own, intermediate_issuer);
    assert_eq!(intermediate_own, leaf_issuer);
    assert_ne!(leaf_own, intermediate_own);
}

#[test]
fn a_life_beyond_the_authority_is_cut() {
    let authority = Authority::generate("x", KeySpec::Ec256, NOW).unwrap();
    let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
    let issued =
        authority.issue_client(&subject(), &ClientKey::Private(&key), i64::MAX, NOW).unwrap();
    assert!(issued.shortened);
    assert_eq!(issued.not_after, authority.not_after());
}

#[test]
fn an_authority_survives_being_stored() {
    for spec in [KeySpec::Ec256, KeySpec::Rsa2048] {
        let authority = Authority::generate("x", spec, NOW).unwrap();
        let parts = authority.parts();
        let copy =
            |key: &PrivateKey| PrivateKey::from_der(key.spec(), Zeroizing::new(key.der().to_vec()));
        let again = Authority::from_parts(AuthorityParts {
            root: parts.root.clone(),
            root_key: copy(&parts.root_key),
            intermediate: parts.intermediate.clone(),
            intermediate_key: copy(&parts.intermediate_key),
        })
        .unwrap();
        assert_eq!(again.chain_pem(), authority.chain_pem());
        let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
        let issued = again.issue_client(&subject(), &ClientKey::Private(&key), 60, NOW).unwrap();
        let (_, leaf) = X509Certificate::from_der(&issued.certificate).unwrap();
        let [intermediate, _] = authority.chain();
        let (_, issuer) = X509Certificate::from_der(&intermediate).unwrap();
        leaf.verify_signature(Some(issuer.public_key())).unwrap();
    }
}
