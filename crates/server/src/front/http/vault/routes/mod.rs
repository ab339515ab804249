//! The table of routes: path, what may be done there, its fields, its words. Dispatch, path help
//! and warnings about unknown fields all come from it.

mod auth;
mod kmip;
mod system;

use serde_json::{Map, Value};

use super::Call;
use super::error::ApiError;
use super::fields::Field;
use super::reply::Reply;
use super::request::Operation;
#[cfg(test)]
use crate::auth::MethodKind;

pub(super) use auth::below;
pub(super) use kmip::KMIP;
pub(super) use system::SYSTEM;

/// Carries out an operation on a path.
pub(super) type Handler = fn(&Call<'_>) -> Result<Reply, ApiError>;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    /// Anybody, sealed or not; not audited, as it says nothing about anybody's keys.
    Anybody,
    /// Whoever holds what the request carries: key shares, a wrapping token. Unsealed and audited.
    Holder,
    /// Whoever has a token that is alive, if its policies grant the operation on the path.
    Token,
    /// The same, if they grant `sudo` on the path besides.
    Sudo,
    /// Anybody while unsealed, to get a token; audited, and counted.
    Login,
}

/// One path.
pub(super) struct Route {
    /// Segments between slashes; `{x}` takes one segment, `{x*}` as many as leave enough for the
    /// rest of the pattern, which holds no captures.
    pub(super) pattern: &'static str,
    pub(super) auth: Auth,
    /// What may be done, and by what.
    pub(super) operations: &'static [(Operation, Handler)],
    /// Fields of writes and queries.
    pub(super) fields: fn() -> &'static [Field],
    /// One sentence for the path's help.
    pub(super) text: &'static str,
}

/// How the patterns begin whose names are kept in lower case, as in Vault.
const IGNORING_CASE: [&str; 7] = [
    "sys/policies/acl/{name*}",
    "sys/policy/{name*}",
    "sys/locked-users/{mount_accessor}",
    "users/{username}",
    "role/{role_name}",
    "certs/{name}",
    "crls/{name}",
];

impl Route {
    /// Whether the names in its paths mean the same in other letters.
    pub(super) fn ignores_case(&self) -> bool {
        IGNORING_CASE.iter().any(|start| self.pattern.starts_with(start))
    }

    /// The handler of an operation.
    pub(super) fn handler(&self, operation: Operation) -> Result<Handler, ApiError> {
        let mut operations = self.operations.iter();
        operations
            .find(|(known, _)| *known == operation)
            .map(|(_, handler)| *handler)
            .ok_or_else(ApiError::unsupported_operation)
    }
}

/// Names any field: the path takes whatever is sent.
pub(super) const ANY_FIELD: &str = "*";

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
    let mut parts = pattern.split('/');
    while let Some(part) = parts.next() {
        let (segment, tail) = rest.split_first()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None if part == segment => {}
            None => return None,
            Some(name) => match name.strip_suffix('*') {
                Some(name) => {
                    let after: Vec<&str> = parts.collect();
                    let taken = rest.len().checked_sub(after.len()).filter(|taken| *taken > 0)?;
                    let (taken, end) = rest.split_at_checked(taken)?;
                    captures.push((name, taken.join("/")));
                    return (end == after).then_some(captures);
                }
                None if segment.is_empty() => return None,
                None => captures.push((name, segment.clone())),
            },
        }
        rest = tail;
    }
    rest.is_empty().then_some(captures)
}

/// What Vault says of fields that a path does not know, or that the path itself has replaced.
pub(super) fn field_warnings(
    route: &Route,
    captures: &Captures,
    data: &Map<String, Value>,
) -> Vec<String> {
    let captured = |name: &str| captures.iter().find(|(known, _)| *known == name);
    let known = (route.fields)();
    let is_known =
        |name: &str| known.iter().any(|field| field.name == name || field.name == ANY_FIELD);
    let unknown: Vec<&str> = data
        .keys()
        .map(String::as_str)
        .filter(|name| captured(name).is_none() && !is_known(name))
        .collect();
    let replaced: Vec<&str> = data
        .iter()
        .filter(|(name, value)| captured(name).is_some_and(|(_, taken)| *value != taken))
        .map(|(name, _)| name.as_str())
        .collect();
    let mut warnings = Vec::new();
    if !unknown.is_empty() {
        let names = unknown.join(" ");
        warnings.push(format!("Endpoint ignored these unrecognized parameters: [{names}]"));
    }
    if !replaced.is_empty() {
        warnings.push(format!(
            "Endpoint replaced the value of these parameters with the values captured from the \
             endpoint's path: [{}]",
            replaced.join(" ")
        ));
    }
    warnings
}

#[cfg(test)]
pub(super) fn tables() -> Vec<(&'static str, &'static [Route])> {
    vec![
        ("", SYSTEM),
        ("kmip/", KMIP),
        ("auth/approle/", below(MethodKind::AppRole)),
        ("auth/userpass/", below(MethodKind::Userpass)),
        ("auth/cert/", below(MethodKind::Cert)),
    ]
}

macro_rules! fields {
    ($($function:ident: $([$name:literal, $kind:ident, $text:literal])*;)*) => {$(
        fn $function() -> &'static [Field] {
            static FIELDS: &[Field] = &[$(Field::new($name, Kind::$kind, $text)),*];
            FIELDS
        }
    )*};
}
use fields;

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
        let (pattern, captures) = found(SYSTEM, "sys/mounts/a/b/tune").unwrap();
        assert_eq!(pattern, "sys/mounts/{path*}/tune");
        assert_eq!(captures, [("path", "a/b".to_owned())]);
        assert_eq!(found(SYSTEM, "sys/mounts/tune").unwrap().0, "sys/mounts/{path*}");
        for nowhere in ["", "scope//role", "scopes", "scope/a/b", "config/x"] {
            assert!(found(KMIP, nowhere).is_none(), "{nowhere}");
        }
    }

    #[test]
    fn no_route_hides_another_and_none_lacks_words() {
        for (_, table) in tables() {
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
