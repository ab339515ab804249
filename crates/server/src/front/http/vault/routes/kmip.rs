//! Paths below a mount, and their fields.

use std::sync::LazyLock;

use super::super::fields::{Field, Kind};
use super::super::{ca, config, credential, listener, object, role, scope};
use super::{Auth, Operation, Route, fields, none, route};
use crate::access::permission_names;
use Operation::{Delete, List, Read, Update};

/// Paths below a mount.
#[rustfmt::skip]
pub(in super::super) static KMIP: &[Route] = &[
    route("config", Auth::Token, &[(Read, config::read), (Update, config::write)], config_fields, "Configures the KMIP listener and its certificate authorities."),
    route("ca", Auth::Token, &[(Read, ca::own), (List, ca::list)], none, "The certificates that clients of the configured listener must trust; the names of further authorities."),
    route("ca/{name}", Auth::Token, &[(Read, ca::read), (Update, ca::update), (Delete, ca::delete)], mapping_fields, "A named certificate authority; imported ones can be changed."),
    route("ca/{name}/generate", Auth::Token, &[(Update, ca::generate)], ca_fields, "Generates a certificate authority, which a listener or a role can use."),
    route("ca/{name}/import", Auth::Token, &[(Update, ca::import)], import_fields, "Imports a certificate authority, whose clients belong to a scope and role by name or by subject field."),
    route("ca/{name}/revoke", Auth::Token, &[(Update, ca::revoke)], revoke_fields, "Denies a certificate of an imported authority, for open connections too."),
    route("ca/{name}/crl", Auth::Anybody, &[(Read, ca::named_list)], none, "The revoked certificates of a generated authority, in DER."),
    route("ca/{name}/crl/pem", Auth::Anybody, &[(Read, ca::named_list_pem)], none, "The revoked certificates of a generated authority, in PEM."),
    route("crl", Auth::Anybody, &[(Read, ca::own_list)], none, "The revoked certificates of the engine's own authority, in DER."),
    route("crl/pem", Auth::Anybody, &[(Read, ca::own_list_pem)], none, "The revoked certificates of the engine's own authority, in PEM."),
    route("listener", Auth::Token, &[(List, listener::list)], none, "The named listeners."),
    route("listener/{name}", Auth::Token, &[(Read, listener::read), (Update, listener::write), (Delete, listener::delete)], listener_fields, "A listener with certificate authorities of its own."),
    route("scope", Auth::Token, &[(List, scope::list)], none, "The scopes."),
    route("scope/{scope}", Auth::Token, &[(Update, scope::create), (Delete, scope::delete)], scope_fields, "Creates or deletes a scope: a partition of managed objects."),
    route("scope/{scope}/object/{unique_identifier}/holders", Auth::Token, &[(Read, object::holders)], none, "The client certificates that fetched a managed object, and when."),
    route("scope/{scope}/object/{unique_identifier}/compromise", Auth::Token, &[(Update, object::compromise)], compromise_fields, "Revokes a managed object as compromised, and tells who holds it."),
    route("scope/{scope}/role", Auth::Token, &[(List, role::list)], none, "The roles of a scope."),
    route("scope/{scope}/role/{role}", Auth::Token, &[(Read, role::read), (Update, role::write), (Delete, role::delete)], role_fields, "A role: the operations allowed to its credentials."),
    route("credential", Auth::Token, &[(List, credential::list)], expiring_fields, "The serial numbers of all credentials."),
    route("scope/{scope}/credential", Auth::Token, &[(List, credential::list)], expiring_fields, "The serial numbers of a scope's credentials."),
    route("scope/{scope}/role/{role}/credential", Auth::Token, &[(List, credential::list)], expiring_fields, "The serial numbers of a role's credentials."),
    route("scope/{scope}/role/{role}/credential/generate", Auth::Token, &[(Update, credential::generate)], generate_fields, "Generates a key and a client certificate."),
    route("scope/{scope}/role/{role}/credential/sign", Auth::Token, &[(Update, credential::sign)], sign_fields, "Signs a certificate signing request."),
    route("scope/{scope}/role/{role}/credential/lookup", Auth::Token, &[(Read, credential::lookup)], lookup_fields, "Shows a client certificate."),
    route("scope/{scope}/role/{role}/credential/revoke", Auth::Token, &[(Update, credential::revoke)], revoke_fields, "Revokes a client certificate, for open connections too."),
];

#[rustfmt::skip]
fields! {
    config_fields:
        ["listen_addrs", List, "Addresses to listen on, none unless given; the port is 5696 unless given."]
        ["server_hostnames", List, "Host names in the server certificate; the first is its common name."]
        ["server_ips", List, "IP addresses in the server certificate."]
        ["tls_ca_key_type", Text, "Kind of key of the certificate authorities: ec or rsa."]
        ["tls_ca_key_bits", Int, "Its size: ec 256, 384, 521; rsa 2048, 3072, 4096."]
        ["tls_min_version", Text, "Oldest TLS version: tls12 or tls13."]
        ["default_tls_client_key_type", Text, "Kind of key of client certificates: ec or rsa."]
        ["default_tls_client_key_bits", Int, "Its size."]
        ["default_tls_client_ttl", Duration, "Life of client certificates."];
    mapping_fields:
        ["scope_name", Text, "Scope of every client; instead of scope_field."]
        ["scope_field", Text, "Subject field with the scope: CN, O, OU or UID."]
        ["role_name", Text, "Role of every client; instead of role_field."]
        ["role_field", Text, "Subject field with the role: CN, O, OU or UID."];
    import_fields:
        ["ca_pem", Text, "The authority's certificates, in PEM."]
        ["scope_name", Text, "Scope of every client; instead of scope_field."]
        ["scope_field", Text, "Subject field with the scope: CN, O, OU or UID."]
        ["role_name", Text, "Role of every client; instead of role_field."]
        ["role_field", Text, "Subject field with the role: CN, O, OU or UID."];
    ca_fields:
        ["key_type", Text, "Kind of key: ec or rsa."]
        ["key_bits", Int, "Its size: ec 256, 384, 521; rsa 2048, 3072, 4096."]
        ["ttl", Duration, "Life of the authority; 365d unless given."];
    listener_fields:
        ["ca", Text, "The generated authority that issues the server certificate and vouches for clients."]
        ["address", Text, "Where to listen: host:port."]
        ["server_hostnames", List, "Host names in the server certificate; the first is its common name."]
        ["server_ips", List, "IP addresses in the server certificate."]
        ["additional_client_cas", List, "Further authorities that vouch for clients."]
        ["also_use_legacy_ca", Bool, "Takes clients of the engine's own authority too."]
        ["tls_min_version", Text, "Oldest TLS version: tls12 or tls13."]
        ["tls_max_version", Text, "Newest TLS version: tls12 or tls13."]
        ["tls_cipher_suites", Text, "TLS 1.2 cipher suites under Go's names, with commas; all unless given."];
    scope_fields:
        ["scope", Text, "Name of the scope."]
        ["force", Bool, "Deletes the scope's managed objects with it."]
        ["kmip_trace", Bool, "Writes the scope's KMIP messages to the log, without what is secret."]
        ["unique_names", Bool, "Refuses a Name that another object of the scope has."];
    expiring_fields:
        ["expiring", Duration, "Only those that end within this time, or have ended."];
    compromise_fields:
        ["message", Text, "Why, for the object's Revocation Reason."]
        ["compromise_occurrence_date", Duration, "When it happened, in seconds since 1970; now unless given."];
    generate_fields:
        ["format", Text, "pem, pem_bundle or der."]
        ["dns_sans", List, "Host names that the certificate shows."]
        ["ip_sans", List, "IP addresses that the certificate shows."];
    sign_fields:
        ["csr", Text, "The signing request, in PEM."]
        ["format", Text, "pem, pem_bundle or der."]
        ["dns_sans", List, "Host names that the certificate shows."]
        ["ip_sans", List, "IP addresses that the certificate shows."];
    lookup_fields:
        ["serial_number", Text, "Serial number, in decimal."]
        ["format", Text, "pem, pem_bundle or der."];
    revoke_fields:
        ["serial_number", Text, "Serial number, in decimal."]
        ["certificate", Text, "The certificate, in PEM, instead of its serial number."];
}

fn role_fields() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
        let mut fields = vec![
            Field::new("tls_client_key_type", Kind::Text, "Kind of key of client certificates."),
            Field::new("tls_client_key_bits", Kind::Int, "Its size."),
            Field::new("tls_client_ttl", Kind::Duration, "Life of client certificates."),
            Field::new(
                "ca",
                Kind::Text,
                "The named authority that issues; the engine's own unless given.",
            ),
            Field::new("operation_all", Kind::Bool, "Allows every operation."),
            Field::new("operation_none", Kind::Bool, "Allows no operation."),
        ];
        fields.extend(permission_names().iter().map(|(operation, name)| Field {
            name: format!("operation_{name}").into(),
            kind: Kind::Bool,
            text: format!("Allows {operation}.").into(),
        }));
        fields
    });
    &FIELDS
}
