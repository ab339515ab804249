//! Path help: what `vault path-help` shows, from the table of routes.

use serde_json::json;

use super::openapi;
use super::reply::Reply;
use super::routes::Route;

/// The help of a path: words for people, and an OpenAPI document of this one path.
pub(super) fn describe(route: &Route) -> Reply {
    let fields = (route.fields)();
    let mut words = format!("Request:        {}\n\n{}\n", route.pattern, route.text);
    if !fields.is_empty() {
        words.push_str("\n## PARAMETERS\n");
    }
    for field in fields {
        words.push_str(&format!(
            "\n    {} ({})\n        {}\n",
            field.name,
            field.kind.openapi(),
            field.text
        ));
    }
    let openapi = openapi::of(route);
    Reply::bare(200, json!({ "help": words, "see_also": null, "openapi": openapi }))
}
