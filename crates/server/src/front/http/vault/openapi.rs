//! OpenAPI 3 of the API, from the table of routes: one path for path help, all of them for programs.

use serde_json::{Map, Value, json};

use super::Call;
use super::error::ApiError;
use super::fields::{Field, Kind};
use super::reply::Reply;
use super::request::Operation;
use super::routes::{self, ANY_FIELD, Auth, Route};
use crate::auth::MethodKind;

/// Where the paths of a mount are in the whole document.
const MOUNT: &str = "kmip_mount_path";

/// `GET sys/internal/specs/openapi`: every path.
pub(super) fn all(_: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::bare(200, whole()))
}

/// The whole document.
pub(super) fn whole() -> Value {
    let mut paths = Map::new();
    for route in routes::SYSTEM {
        paths.insert(path_of("", route), item(route, None));
    }
    for route in routes::KMIP {
        paths.insert(path_of(&format!("/{{{MOUNT}}}"), route), item(route, Some(MOUNT)));
    }
    for kind in MethodKind::ALL {
        let mount = format!("{}_mount_path", kind.name());
        for route in routes::below(kind) {
            let path = path_of(&format!("/auth/{{{mount}}}"), route);
            paths.insert(path, item(route, Some(&mount)));
        }
    }
    document(paths)
}

/// The document of one path, as path help has it.
pub(super) fn of(route: &Route) -> Value {
    let mut paths = Map::new();
    paths.insert(path_of("", route), item(route, None));
    document(paths)
}

fn document(paths: Map<String, Value>) -> Value {
    json!({
        "openapi": "3.0.2",
        "info": {
            "title": "Claviger",
            "description": "The HTTP API, as Vault's KMIP secrets engine has it. All paths begin with `/v1`.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/v1" }],
        "security": [{ "token": [] }],
        "components": { "securitySchemes": {
            "token": { "type": "apiKey", "in": "header", "name": "X-Vault-Token" },
        } },
        "paths": paths,
    })
}

fn path_of(prefix: &str, route: &Route) -> String {
    format!("{prefix}/{}", route.pattern.replace('*', ""))
}

fn item(route: &Route, mount: Option<&str>) -> Value {
    let mut item = Map::new();
    item.insert("description".to_owned(), route.text.into());
    let mut captured: Vec<Value> = Vec::new();
    if let Some(mount) = mount {
        let text = format!("Path of the mount, such as {}.", example(mount));
        captured.push(parameter(mount, "path", &text));
    }
    for name in captures(route) {
        captured.push(parameter(name, "path", "From the path."));
    }
    if !captured.is_empty() {
        item.insert("parameters".to_owned(), captured.into());
    }
    // Reading and listing are both GET: a path that has both says so in one place.
    for verb in ["get", "post", "delete"] {
        let operations: Vec<Operation> =
            route.operations.iter().map(|(it, _)| *it).filter(|it| verb_of(*it) == verb).collect();
        if !operations.is_empty() {
            item.insert(verb.to_owned(), described(route, mount, verb, &operations));
        }
    }
    Value::Object(item)
}

fn example(mount: &str) -> &str {
    mount.trim_end_matches("_mount_path")
}

fn verb_of(operation: Operation) -> &'static str {
    match operation {
        Operation::Read | Operation::List | Operation::Help => "get",
        Operation::Update => "post",
        Operation::Delete => "delete",
    }
}

fn described(route: &Route, mount: Option<&str>, verb: &str, operations: &[Operation]) -> Value {
    let fields = (route.fields)();
    let mut described = Map::new();
    let words: String = route
        .pattern
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    // Methods have paths of the same name.
    let method = mount.filter(|mount| *mount != MOUNT);
    let method = method.map_or_else(String::new, |mount| format!("{}-", example(mount)));
    described.insert("operationId".to_owned(), format!("{verb}-{method}{words}").into());
    described.insert("summary".to_owned(), route.text.into());
    if matches!(route.auth, Auth::Anybody | Auth::Login | Auth::Holder) {
        described.insert("security".to_owned(), json!([]));
        described.insert("x-vault-unauthenticated".to_owned(), true.into());
    }
    let captured = captures(route);
    let own: Vec<&Field> =
        fields.iter().filter(|field| !captured.iter().any(|name| *name == field.name)).collect();
    if verb == "post" {
        let (any, own): (Vec<&Field>, Vec<&Field>) =
            own.into_iter().partition(|field| field.name == ANY_FIELD);
        let properties: Map<String, Value> =
            own.iter().map(|field| (field.name.to_string(), schema(field))).collect();
        let mut schema = json!({ "type": "object", "properties": properties });
        if let (Some(any), Some(schema)) = (any.first(), schema.as_object_mut()) {
            schema.insert("additionalProperties".to_owned(), true.into());
            schema.insert("description".to_owned(), any.text.as_ref().into());
        }
        let content = json!({ "content": { "application/json": { "schema": schema } } });
        described.insert("requestBody".to_owned(), content);
    } else {
        let mut parameters: Vec<Value> = Vec::new();
        if operations.contains(&Operation::List) {
            let text = "Lists what is below; a path that is only listed needs it.";
            parameters.push(parameter("list", "query", text));
        }
        // What a path takes in a body, its other verbs take in the query only if they have no body
        // beside them to take it in.
        let queried = own.iter().filter(|field| {
            let writes = route.operations.iter().any(|(it, _)| *it == Operation::Update);
            !writes || (verb == "delete" && field.name == "force")
        });
        parameters.extend(queried.map(|field| {
            json!({ "name": field.name, "in": "query", "description": field.text,
                "schema": schema(field) })
        }));
        if !parameters.is_empty() {
            described.insert("parameters".to_owned(), parameters.into());
        }
    }
    let mut responses = Map::new();
    responses.insert("200".to_owned(), json!({ "description": "OK" }));
    if verb != "get" {
        responses.insert("204".to_owned(), json!({ "description": "Done; nothing to tell" }));
    }
    responses.insert("400".to_owned(), json!({ "description": "The request is wrong" }));
    if route.auth != Auth::Anybody {
        responses.insert("403".to_owned(), json!({ "description": "Permission denied" }));
    }
    responses.insert("404".to_owned(), json!({ "description": "Not there" }));
    described.insert("responses".to_owned(), responses.into());
    Value::Object(described)
}

fn captures(route: &Route) -> Vec<&'static str> {
    let parts = route.pattern.split('/');
    let captured = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    captured.map(|name| name.strip_suffix('*').unwrap_or(name)).collect()
}

fn parameter(name: &str, place: &str, text: &str) -> Value {
    json!({ "name": name, "in": place, "required": place == "path", "description": text,
        "schema": { "type": "string" } })
}

fn schema(field: &Field) -> Value {
    let mut schema = json!({ "type": field.kind.openapi(), "description": field.text });
    if let (Kind::List, Some(schema)) = (field.kind, schema.as_object_mut()) {
        schema.insert("items".to_owned(), json!({ "type": "string" }));
    }
    schema
}
