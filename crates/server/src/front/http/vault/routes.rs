//! The table of routes: path, what may be done there, its fields, its words. Dispatch, path help
//! and warnings about unknown fields all come from it.

use std::sync::LazyLock;

use super::error::ApiError;
use super::fields::{Field, Kind};
use super::reply::Reply;
use super::request::Operation;
use super::{Call, audit, config, credential, mounts, raw, role, scope, status, tokens};
use crate::access::permission_names;

/// Carries out an operation on a path.
pub(super) type Handler = fn(&Call<'_>) -> Result<Reply, ApiError>;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    /// Anybody, sealed or not; not audited, as it says nothing about anybody's keys.
    Anybody,
    /// Whoever has a token that is alive.
    Token,
    /// Whoever has a token that is alive and may act on the server itself there: `sudo`.
    Sudo,
}

/// One path.
pub(super) struct Route {
    /// Segments between slashes; `{x}` takes one segment, `{x*}` as the last takes all that are left.
    pub(super) pattern: &'static str,
    pub(super) auth: Auth,
    /// What may be done, and by what.
    pub(super) operations: &'static [(Operation, Handler)],
    /// Fields of writes and queries.
    pub(super) fields: fn() -> &'static [Field],
    /// One sentence for the path's help.
    pub(super) text: &'static str,
}

impl Route {
    /// The handler of an operation.
    pub(super) fn handler(&self, operation: Operation) -> Result<Handler, ApiError> {
        let mut operations = self.operations.iter();
        operations
            .find(|(known, _)| *known == operation)
            .map(|(_, handler)| *handler)
            .ok_or_else(ApiError::unsupported_operation)
    }
}

use Operation::{Delete, List, Read, Update};

fn none() -> &'static [Field] {
    &[]
}

const fn route(
    pattern: &'static str,
    auth: Auth,
    operations: &'static [(Operation, Handler)],
    fields: fn() -> &'static [Field],
    text: &'static str,
) -> Route {
    Route { pattern, auth, operations, fields, text }
}

/// Paths below `/v1/` that are not a mount's.
#[rustfmt::skip]
pub(super) static SYSTEM: &[Route] = &[
    route("sys/health", Auth::Anybody, &[(Read, status::health)], health_fields, "Whether the server is initialised and unsealed."),
    route("sys/seal-status", Auth::Anybody, &[(Read, status::seal_status)], none, "The state of the seal."),
    route("sys/leader", Auth::Anybody, &[(Read, status::leader)], none, "Which server of a cluster leads."),
    route("sys/init", Auth::Anybody, &[(Read, status::init)], none, "Whether the server is initialised."),
    route("sys/mounts", Auth::Token, &[(Read, mounts::list)], none, "The engines and where they are mounted."),
    route("sys/mounts/{path*}", Auth::Token, &[(Read, mounts::read), (Update, mounts::create), (Delete, mounts::delete)], mount_fields, "Mounts, shows or unmounts an engine."),
    route("sys/audit", Auth::Sudo, &[(Read, audit::list)], none, "The audit devices."),
    route("sys/audit/{path*}", Auth::Sudo, &[(Update, audit::enable), (Delete, audit::disable)], audit_fields, "Enables or disables an audit device."),
    route("sys/audit-hash/{path*}", Auth::Sudo, &[(Update, audit::hash)], audit_hash_fields, "How a string appears on an audit device."),
    route("sys/raw", Auth::Sudo, &[(List, raw::list)], none, "What of the storage can be seen."),
    route("sys/raw/{path*}", Auth::Sudo, &[(Read, raw::read), (List, raw::list)], none, "Scopes and roles by the identifiers that stand in a certificate's subject."),
    route("auth/token/lookup-self", Auth::Token, &[(Read, tokens::lookup_self), (Update, tokens::lookup_self)], none, "What the token of the request is."),
];

/// Paths below a mount.
#[rustfmt::skip]
pub(super) static KMIP: &[Route] = &[
    route("config", Auth::Token, &[(Read, config::read), (Update, config::write)], config_fields, "Configures the KMIP listener and its certificate authorities."),
    route("ca", Auth::Token, &[(Read, config::ca)], none, "The certificates that KMIP clients must trust."),
    route("scope", Auth::Token, &[(List, scope::list)], none, "The scopes."),
    route("scope/{scope}", Auth::Token, &[(Update, scope::create), (Delete, scope::delete)], scope_fields, "Creates or deletes a scope: a partition of managed objects."),
    route("scope/{scope}/role", Auth::Token, &[(List, role::list)], none, "The roles of a scope."),
    route("scope/{scope}/role/{role}", Auth::Token, &[(Read, role::read), (Update, role::write), (Delete, role::delete)], role_fields, "A role: the operations allowed to its credentials."),
    route("scope/{scope}/role/{role}/credential", Auth::Token, &[(List, credential::list)], none, "The serial numbers of a role's credentials."),
    route("scope/{scope}/role/{role}/credential/generate", Auth::Token, &[(Update, credential::generate)], generate_fields, "Generates a key and a client certificate."),
    route("scope/{scope}/role/{role}/credential/sign", Auth::Token, &[(Update, credential::sign)], sign_fields, "Signs a certificate signing request."),
    route("scope/{scope}/role/{role}/credential/lookup", Auth::Token, &[(Read, credential::lookup)], lookup_fields, "Shows a client certificate."),
    route("scope/{scope}/role/{role}/credential/revoke", Auth::Token, &[(Update, credential::revoke)], revoke_fields, "Revokes a client certificate, for open connections too."),
];

/// Values taken from a path, by name.
pub(super) type Captures = Vec<(&'static str, String)>;

/// The route that takes a path, and what it took from it.
pub(super) fn find(
    table: &'static [Route],
    segments: &[String],
) -> Option<(&'static Route, Captures)> {
    table.iter().find_map(|route| Some((route, capture(route.pattern, segments)?)))
}

fn capture(pattern: &'static str, segments: &[String]) -> Option<Captures> {
    let mut captures = Captures::new();
    let mut rest = segments;
    for part in pattern.split('/') {
        let (segment, tail) = rest.split_first()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None if part == segment => {}
            None => return None,
            Some(name) => match name.strip_suffix('*') {
                Some(name) => {
                    captures.push((name, rest.join("/")));
                    return Some(captures);
                }
                None if segment.is_empty() => return None,
                None => captures.push((name, segment.clone())),
            },
        }
        rest = tail;
    }
    rest.is_empty().then_some(captures)
}

macro_rules! fields {
    ($($function:ident: $([$name:literal, $kind:ident, $text:literal])*;)*) => {$(
        fn $function() -> &'static [Field] {
            static FIELDS: &[Field] = &[$(Field::new($name, Kind::$kind, $text)),*];
            FIELDS
        }
    )*};
}

#[rustfmt::skip]
fields! {
    mount_fields:
        ["type", Text, "The type of engine: kmip."]
        ["description", Text, "What the mount is for."]
        ["config", Ignored, "Accepted and ignored."]
        ["options", Ignored, "Accepted and ignored."]
        ["local", Ignored, "Accepted and ignored."]
        ["seal_wrap", Ignored, "Accepted and ignored: everything is sealed."]
        ["external_entropy_access", Ignored, "Accepted and ignored."]
        ["plugin_name", Ignored, "Accepted and ignored."]
        ["plugin_version", Ignored, "Accepted and ignored."];
    audit_fields:
        ["type", Text, "The type of device: file, syslog or socket."]
        ["description", Text, "What the device is for."]
        ["options", Map, "The options of its type, such as file_path."]
        ["local", Ignored, "Accepted and ignored: there is no replication."];
    audit_hash_fields:
        ["input", Text, "The string to hash."];
    health_fields:
        ["standbyok", Ignored, "Accepted: there is no standby."]
        ["perfstandbyok", Ignored, "Accepted: there is no standby."]
        ["activecode", Int, "Status instead of 200."]
        ["standbycode", Ignored, "Accepted: there is no standby."]
        ["drsecondarycode", Ignored, "Accepted: there is no standby."]
        ["performancestandbycode", Ignored, "Accepted: there is no standby."]
        ["sealedcode", Int, "Status instead of 503."]
        ["uninitcode", Int, "Status instead of 501."];
    config_fields:
        ["listen_addrs", List, "Addresses to listen on; the port is 5696 unless given."]
        ["server_hostnames", List, "Host names in the server certificate; the first is its common name."]
        ["server_ips", List, "IP addresses in the server certificate."]
        ["tls_ca_key_type", Text, "Kind of key of the certificate authorities: ec or rsa."]
        ["tls_ca_key_bits", Int, "Its size: ec 256, 384, 521; rsa 2048, 3072, 4096."]
        ["tls_min_version", Text, "Oldest TLS version: tls12 or tls13."]
        ["default_tls_client_key_type", Text, "Kind of key of client certificates: ec or rsa."]
        ["default_tls_client_key_bits", Int, "Its size."]
        ["default_tls_client_ttl", Duration, "Life of client certificates."];
    scope_fields:
        ["scope", Text, "Name of the scope."]
        ["force", Bool, "Deletes the scope's managed objects with it."]
        ["kmip_trace", Bool, "Writes the scope's KMIP messages to the log, without what is secret."];
    generate_fields:
        ["format", Text, "pem, pem_bundle or der."];
    sign_fields:
        ["csr", Text, "The signing request, in PEM."]
        ["format", Text, "pem, pem_bundle or der."];
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
            Field::new("ca", Kind::Text, "A named certificate authority; there is none yet."),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(table: &'static [Route], path: &str) -> Option<(&'static str, Captures)> {
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        find(table, &segments).map(|(route, captures)| (route.pattern, captures))
    }

    #[test]
    fn patterns_take_whole_segments() {
        let (pattern, captures) = found(KMIP, "scope/role/role/role").unwrap();
        assert_eq!(pattern, "scope/{scope}/role/{role}");
        assert_eq!(captures, [("scope", "role".to_owned()), ("role", "role".to_owned())]);
        let (pattern, captures) = found(SYSTEM, "sys/mounts/a/b").unwrap();
        assert_eq!((pattern, captures), ("sys/mounts/{path*}", vec![("path", "a/b".to_owned())]));
        for nowhere in ["", "scope//role", "scopes", "scope/a/b", "config/x"] {
            assert!(found(KMIP, nowhere).is_none(), "{nowhere}");
        }
    }

    #[test]
    fn no_route_hides_another_and_none_lacks_words() {
        for table in [SYSTEM, KMIP] {
            for route in table {
                let path = route.pattern.replace(['{', '}', '*'], "");
                assert_eq!(found(table, &path).unwrap().0, route.pattern);
                assert!(route.text.ends_with('.') && !route.operations.is_empty());
                let names: std::collections::HashSet<_> =
                    (route.fields)().iter().map(|field| &field.name).collect();
                assert_eq!(names.len(), (route.fields)().len());
            }
        }
    }
}
