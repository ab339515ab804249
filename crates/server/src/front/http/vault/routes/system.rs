//! Paths below `/v1/` that are not a mount's, and their fields.

use super::super::fields::{Field, Kind};
use super::super::{audit, mounts, raw, seal, status, tokens};
use super::{Auth, Operation, Route, fields, none, route};
use Operation::{Delete, List, Read, Update};

/// Paths below `/v1/` that are not a mount's.
#[rustfmt::skip]
pub(in super::super) static SYSTEM: &[Route] = &[
    route("sys/health", Auth::Anybody, &[(Read, status::health)], health_fields, "Whether the server is initialised and unsealed."),
    route("sys/seal-status", Auth::Anybody, &[(Read, status::seal_status)], none, "The state of the seal."),
    route("sys/leader", Auth::Anybody, &[(Read, status::leader)], none, "Which server of a cluster leads."),
    route("sys/init", Auth::Anybody, &[(Read, seal::is_initialised), (Update, seal::initialise)], init_fields, "Whether the server is initialised; initialises it."),
    route("sys/unseal", Auth::Anybody, &[(Update, seal::unseal)], unseal_fields, "Takes one key share; the last that is needed unseals the server."),
    route("sys/seal", Auth::Sudo, &[(Update, seal::seal)], none, "Seals the server."),
    route("sys/mounts", Auth::Token, &[(Read, mounts::list)], none, "The engines and where they are mounted."),
    route("sys/mounts/{path*}", Auth::Token, &[(Read, mounts::read), (Update, mounts::create), (Delete, mounts::delete)], mount_fields, "Mounts, shows or unmounts an engine."),
    route("sys/audit", Auth::Sudo, &[(Read, audit::list)], none, "The audit devices."),
    route("sys/audit/{path*}", Auth::Sudo, &[(Update, audit::enable), (Delete, audit::disable)], audit_fields, "Enables or disables an audit device."),
    route("sys/audit-hash/{path*}", Auth::Sudo, &[(Update, audit::hash)], audit_hash_fields, "How a string appears on an audit device."),
    route("sys/raw", Auth::Sudo, &[(List, raw::list)], none, "What of the storage can be seen."),
    route("sys/raw/{path*}", Auth::Sudo, &[(Read, raw::read), (List, raw::list)], none, "Scopes and roles by the identifiers that stand in a certificate's subject."),
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
    init_fields:
        ["secret_shares", Int, "How many key shares to make; 5 unless given."]
        ["secret_threshold", Int, "How many of them unseal; 3 unless given."]
        ["pgp_keys", Ignored, "Not supported."]
        ["root_token_pgp_key", Ignored, "Not supported."]
        ["stored_shares", Ignored, "Accepted and ignored."]
        ["recovery_shares", Ignored, "Accepted and ignored: there are no recovery keys."]
        ["recovery_threshold", Ignored, "Accepted and ignored: there are no recovery keys."]
        ["recovery_pgp_keys", Ignored, "Accepted and ignored: there are no recovery keys."];
    unseal_fields:
        ["key", Text, "A key share, in hexadecimal or base64."]
        ["reset", Bool, "Forgets the shares given so far."]
        ["migrate", Bool, "Migrates the seal: there is none to migrate."];
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
}
