//! Path help: what `vault path-help` shows, from the table of routes.

use serde_json::{Map, Value, json};

use super::fields::Kind;
use super::reply::Reply;
use super::request::Operation;
use super::routes::Route;

/// The help of a path: words for people, and an OpenAPI document of this one path.
pub(super) fn describe(route: &Route) -> Reply {
    let fields = (route.fields)();
    let mut words = format!("Request:        {}\n\n{}\n", route.pattern, route.text);
    if !fields.is_empty() {
        words.push_str("\n## PARAMETERS\n");
    }
    let mut properties = Map::new();
    for field in fields {
        words.push_str(&format!(
            "\n    {} ({})\n        {}\n",
            field.name,
            field.kind.openapi(),
            field.text
        ));
        let mut property = json!({ "type": field.kind.openapi(), "description": field.text });
        if let (Kind::List, Some(property)) = (field.kind, property.as_object_mut()) {
            property.insert("items".to_owned(), json!({ "type": "string" }));
        }
        properties.insert(field.name.to_string(), property);
    }
    let schema = json!({ "type": "object", "properties": properties });
    let mut verbs = Map::new();
    for (operation, _) in route.operations {
        let verb = match operation {
            Operation::Read | Operation::List | Operation::Help => "get",
            Operation::Update => "post",
            Operation::Delete => "delete",
        };
        let mut described =
            json!({ "summary": route.text, "responses": { "200": { "description": "OK" } } });
        if let (Operation::Update, Some(described)) = (operation, described.as_object_mut()) {
            let content = json!({ "content": { "application/json": { "schema": schema } } });
            described.insert("requestBody".to_owned(), content);
        }
        verbs.insert(verb.to_owned(), described);
    }
    let path = format!("/{}", route.pattern.replace('*', ""));
    let mut paths = Map::new();
    paths.insert(path, Value::Object(verbs));
    let openapi = json!({
        "openapi": "3.0.2",
        "info": { "title": "Claviger", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
    });
    Reply::bare(200, json!({ "help": words, "see_also": null, "openapi": openapi }))
}
