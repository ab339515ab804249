//! Paths below an auth method, and their fields.

use std::sync::LazyLock;

use super::super::auth::{approle, certificate, token_terms, userpass};
use super::super::fields::{Field, Kind};
use super::{Auth, Operation, Route, fields, none, route};
use crate::auth::MethodKind;
use Operation::{Delete, List, Read, Update};

/// Paths below a method of a kind.
pub(in super::super) fn below(kind: MethodKind) -> &'static [Route] {
    match kind {
        MethodKind::AppRole => APPROLE,
        MethodKind::Userpass => USERPASS,
        MethodKind::Cert => CERT,
    }
}

#[rustfmt::skip]
static USERPASS: &[Route] = &[
    route("users", Auth::Token, &[(List, userpass::list)], none, "The users."),
    route("users/{username}", Auth::Token, &[(Read, userpass::read), (Update, userpass::write), (Delete, userpass::delete)], user_fields, "A user: the password, and what tokens get."),
    route("users/{username}/password", Auth::Token, &[(Update, userpass::write_password)], password_fields, "Sets the password of a user."),
    route("users/{username}/policies", Auth::Token, &[(Update, userpass::write_policies)], policy_fields, "Sets the policies of a user's tokens."),
    route("login/{username}", Auth::Login, &[(Update, userpass::login)], password_fields, "Logs a user in."),
];

#[rustfmt::skip]
static APPROLE: &[Route] = &[
    route("role", Auth::Token, &[(List, approle::list)], none, "The roles."),
    route("role/{role_name}", Auth::Token, &[(Read, approle::read), (Update, approle::write), (Delete, approle::delete)], role_fields, "A role: what its secret IDs are good for, and what tokens get."),
    route("role/{role_name}/role-id", Auth::Token, &[(Read, approle::read_role_id), (Update, approle::write_role_id)], role_id_fields, "The name under which programs log in as the role."),
    route("role/{role_name}/secret-id", Auth::Token, &[(List, approle::list_secret_ids), (Update, approle::make_secret_id)], new_secret_id_fields, "The accessors of a role's secret IDs; makes a secret ID."),
    route("role/{role_name}/custom-secret-id", Auth::Token, &[(Update, approle::make_custom_secret_id)], custom_secret_id_fields, "Takes a secret ID that was made elsewhere."),
    route("role/{role_name}/secret-id/lookup", Auth::Token, &[(Update, approle::lookup)], secret_id_fields, "What a secret ID is."),
    route("role/{role_name}/secret-id/destroy", Auth::Token, &[(Update, approle::destroy), (Delete, approle::destroy)], secret_id_fields, "Ends a secret ID."),
    route("role/{role_name}/secret-id-accessor/lookup", Auth::Token, &[(Update, approle::lookup_accessor)], accessor_fields, "What the secret ID of an accessor is."),
    route("role/{role_name}/secret-id-accessor/destroy", Auth::Token, &[(Update, approle::destroy_accessor), (Delete, approle::destroy_accessor)], accessor_fields, "Ends the secret ID of an accessor."),
    route("tidy/secret-id", Auth::Token, &[(Update, approle::tidy)], none, "Removes the secret IDs whose time has come."),
    route("login", Auth::Login, &[(Update, approle::login)], login_fields, "Logs a program in."),
];

#[rustfmt::skip]
static CERT: &[Route] = &[
    route("certs", Auth::Token, &[(List, certificate::list)], none, "The entries of certificates."),
    route("certs/{name}", Auth::Token, &[(Read, certificate::read), (Update, certificate::write), (Delete, certificate::delete)], certificate_fields, "Who logs in with a certificate, or with one of an authority, and what tokens get."),
    route("crls", Auth::Token, &[(List, certificate::list_crls)], none, "The revocation lists."),
    route("crls/{name}", Auth::Token, &[(Read, certificate::read_crl), (Update, certificate::write_crl), (Delete, certificate::delete_crl)], crl_fields, "A revocation list: the certificates that it names log in no more."),
    route("config", Auth::Token, &[(Read, certificate::read_config), (Update, certificate::write_config)], binding_fields, "Whether a token is renewed only with the certificate of its login."),
    route("login", Auth::Login, &[(Update, certificate::login)], certificate_login_fields, "Logs in whoever shows a certificate in TLS."),
];

#[rustfmt::skip]
fields! {
    password_fields:
        ["password", Text, "The password."];
    policy_fields:
        ["token_policies", List, "Policies of the tokens."]
        ["policies", List, "The same, as older clients name it."];
    role_id_fields:
        ["role_id", Text, "The role ID."];
    new_secret_id_fields:
        ["metadata", Map, "What to note of it: an object, or JSON text of one."]
        ["cidr_list", List, "Addresses to log in from with it, within the role's."]
        ["token_bound_cidrs", List, "Addresses to use its tokens from, within the role's."]
        ["num_uses", Int, "How many logins it is good for; the role's unless given."]
        ["ttl", Duration, "How long it is good for; the role's unless given."];
    custom_secret_id_fields:
        ["secret_id", Text, "The secret ID."]
        ["metadata", Map, "What to note of it: an object, or JSON text of one."]
        ["cidr_list", List, "Addresses to log in from with it, within the role's."]
        ["token_bound_cidrs", List, "Addresses to use its tokens from, within the role's."]
        ["num_uses", Int, "How many logins it is good for; the role's unless given."]
        ["ttl", Duration, "How long it is good for; the role's unless given."];
    secret_id_fields:
        ["secret_id", Text, "The secret ID."];
    accessor_fields:
        ["secret_id_accessor", Text, "The accessor of the secret ID."];
    login_fields:
        ["role_id", Text, "The role ID."]
        ["secret_id", Text, "The secret ID; not needed where the role says so."];
    binding_fields:
        ["disable_binding", Bool, "Renews tokens without the certificate of their login."]
        ["enable_identity_alias_metadata", Ignored, "Accepted and ignored: there are no entities."]
        ["ocsp_cache_size", Ignored, "Accepted and ignored: there is no OCSP."]
        ["role_cache_size", Ignored, "Accepted and ignored."]
        ["enable_metadata_on_failures", Ignored, "Accepted and ignored."];
    crl_fields:
        ["crl", Text, "The list, in PEM, or DER in base64; its signature and its dates are not looked at."]
        ["url", Text, "Not supported: the server fetches nothing."];
    certificate_login_fields:
        ["name", Text, "The entry to log in as; the first that fits unless given."];
}

macro_rules! with_token_terms {
    ($($function:ident: $([$name:literal, $kind:ident, $text:literal])*;)*) => {$(
        fn $function() -> &'static [Field] {
            static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
                let mut fields = vec![$(Field::new($name, Kind::$kind, $text)),*];
                fields.extend_from_slice(token_terms::FIELDS);
                fields
            });
            &FIELDS
        }
    )*};
}

#[rustfmt::skip]
with_token_terms! {
    user_fields:
        ["password", Text, "The password; a new user needs one."];
    role_fields:
        ["role_id", Text, "The role ID; a random one for a new role unless given."]
        ["bind_secret_id", Bool, "Whether a secret ID is needed to log in; true unless given."]
        ["secret_id_bound_cidrs", List, "Addresses to log in from."]
        ["bound_cidr_list", List, "The same, as older clients name it."]
        ["secret_id_num_uses", Int, "How many logins a secret ID is good for; 0 without limit."]
        ["secret_id_ttl", Duration, "How long a secret ID is good for; 0 without end."]
        ["local_secret_ids", Ignored, "Accepted and ignored: there is no replication."];
    certificate_fields:
        ["certificate", Text, "In PEM: the certificate, or those of an authority, which the API's client_ca must know too."]
        ["display_name", Text, "What tokens are named after; the entry's name unless given."]
        ["allowed_names", List, "Patterns of the common name, host names and mail addresses; one must fit."]
        ["allowed_common_names", List, "Patterns of the common name; one must fit."]
        ["allowed_dns_sans", List, "Patterns of host names; one must fit."]
        ["allowed_email_sans", List, "Patterns of mail addresses; one must fit."]
        ["allowed_uri_sans", List, "Patterns of URIs; one must fit."]
        ["allowed_organizational_units", List, "Patterns of organizational units; one must fit."]
        ["required_extensions", List, "Extensions as oid:pattern or hex:oid:pattern; all must fit."]
        ["ocsp_enabled", Bool, "Must be false: there is no OCSP."]
        ["ocsp_ca_certificates", Text, "Must be empty: there is no OCSP."]
        ["ocsp_servers_override", List, "Must be empty: there is no OCSP."]
        ["ocsp_fail_open", Bool, "Must be false: there is no OCSP."]
        ["ocsp_query_all_servers", Bool, "Must be false: there is no OCSP."]
        ["allowed_metadata_extensions", Ignored, "Accepted and ignored."];
}
