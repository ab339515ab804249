//! Paths below `/v1/` that are not a mount's, and their fields.

use super::super::fields::{Field, Kind};
use super::super::{mounts, openapi, remount, status, tokens};
use super::{Auth, Operation, Route, fields, none, route};
use Operation::{Delete, Read, Update};

/// Paths below `/v1/` that are not a mount's.
#[rustfmt::skip]
pub(in super::super) static SYSTEM: &[Route] = &[
    route("sys/health", Auth::Anybody, &[(Read, status::health)], health_fields, "Whether the server is initialised and unsealed."),
    route("sys/seal-status", Auth::Anybody, &[(Read, status::seal_status)], none, "The state of the seal."),
    route("sys/leader", Auth::Anybody, &[(Read, status::leader)], none, "Which server of a cluster leads."),
    route("sys/init", Auth::Anybody, &[(Read, status::init)], none, "Whether the server is initialised."),
    route("sys/mounts", Auth::Token, &[(Read, mounts::list)], none, "The engines and where they are mounted."),
    route("sys/mounts/{path*}/tune", Auth::Token, &[(Read, remount::read_tune), (Update, remount::tune)], tune_fields, "What is set about a mount."),
    route("sys/mounts/{path*}", Auth::Token, &[(Read, mounts::read), (Update, mounts::create), (Delete, mounts::delete)], mount_fields, "Mounts, shows or unmounts an engine."),
    route("sys/remount", Auth::Token, &[(Update, remount::remount)], remount_fields, "Moves a mount to another path, with everything in it."),
    route("sys/remount/status/{migration_id}", Auth::Token, &[(Read, remount::status)], none, "How far a move is: it is done when it is answered."),
    route("sys/internal/specs/openapi", Auth::Token, &[(Read, openapi::all)], none, "All paths, in OpenAPI."),
    route("auth/token/lookup-self", Auth::Token, &[(Read, tokens::lookup_self), (Update, tokens::lookup_self)], none, "What the token of the request is."),
];

#[rustfmt::skip]
fields! {
    mount_fields:
        ["type", Text, "The type of engine: kmip."]
        ["description", Text, "What the mount is for."]
        ["config", Object, "What tune would set: default_lease_ttl, max_lease_ttl and so on."]
        ["options", Ignored, "Accepted and ignored."]
        ["local", Ignored, "Accepted and ignored."]
        ["seal_wrap", Ignored, "Accepted and ignored: everything is sealed."]
        ["external_entropy_access", Ignored, "Accepted and ignored."]
        ["plugin_name", Ignored, "Accepted and ignored."]
        ["plugin_version", Ignored, "Accepted and ignored."];
    tune_fields:
        ["description", Text, "What the mount is for."]
        ["default_lease_ttl", Duration, "Kept; nothing here has a lease."]
        ["max_lease_ttl", Duration, "Kept; nothing here has a lease."]
        ["audit_non_hmac_request_keys", List, "Fields of requests that the audit holds in clear."]
        ["audit_non_hmac_response_keys", List, "Fields of responses that the audit holds in clear."]
        ["options", Ignored, "Accepted and ignored."]
        ["listing_visibility", Ignored, "Accepted and ignored."]
        ["passthrough_request_headers", Ignored, "Accepted and ignored."]
        ["allowed_response_headers", Ignored, "Accepted and ignored."]
        ["token_type", Ignored, "Accepted and ignored."]
        ["plugin_version", Ignored, "Accepted and ignored."];
    remount_fields:
        ["from", Text, "Where the mount is."]
        ["to", Text, "Where it is to be."];
    health_fields:
        ["standbyok", Ignored, "Accepted: there is no standby."]
        ["perfstandbyok", Ignored, "Accepted: there is no standby."]
        ["activecode", Int, "Status instead of 200."]
        ["standbycode", Ignored, "Accepted: there is no standby."]
        ["drsecondarycode", Ignored, "Accepted: there is no standby."]
        ["performancestandbycode", Ignored, "Accepted: there is no standby."]
        ["sealedcode", Int, "Status instead of 503."]
        ["uninitcode", Int, "Status instead of 501."];
}
