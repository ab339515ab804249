//! Paths below `/v1/` that are not a mount's, and their fields.

use super::super::fields::{Field, Kind};
use super::super::{mounts, status, tokens};
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
    route("sys/mounts/{path*}", Auth::Token, &[(Read, mounts::read), (Update, mounts::create), (Delete, mounts::delete)], mount_fields, "Mounts, shows or unmounts an engine."),
    route("auth/token/lookup-self", Auth::Token, &[(Read, tokens::lookup_self), (Update, tokens::lookup_self)], none, "What the token of the request is."),
];

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
