//! Paths below `/v1/` that are not a mount's, and their fields.

use super::super::fields::{Field, Kind};
use super::super::{
    audit, auth, mounts, openapi, policies, raw, remount, root_key, root_token, seal, snapshot,
    status, token_roles, tokens, wrapping,
};
use super::{Auth, Operation, Route, fields, none, route};
use Operation::{Delete, List, Read, Update};

/// Paths below `/v1/` that are not a mount's.
#[rustfmt::skip]
pub(in super::super) static SYSTEM: &[Route] = &[
    route("sys/health", Auth::Anybody, &[(Read, status::health)], health_fields, "Whether the server is initialised and unsealed; seal_error says why one that unseals itself has not."),
    route("sys/seal-status", Auth::Anybody, &[(Read, status::seal_status)], none, "The state of the seal; seal_error says why a server that unseals itself has not."),
    route("sys/leader", Auth::Anybody, &[(Read, status::leader)], none, "Which server of a cluster leads."),
    route("sys/init", Auth::Anybody, &[(Read, seal::is_initialised), (Update, seal::initialise)], init_fields, "Whether the server is initialised; initialises it."),
    route("sys/unseal", Auth::Anybody, &[(Update, seal::unseal)], unseal_fields, "Takes one key share; the last that is needed unseals the server."),
    route("sys/seal", Auth::Sudo, &[(Update, seal::seal)], none, "Seals the server."),
    route("sys/rotate", Auth::Sudo, &[(Update, root_key::rotate)], none, "Makes a new key for the records written from now on."),
    route("sys/rotate/config", Auth::Sudo, &[(Read, root_key::rotation), (Update, root_key::change_rotation)], rotation_fields, "When a new key for records is made without being asked."),
    route("sys/rotate/keyring", Auth::Sudo, &[(Update, root_key::rotate)], none, "The same as sys/rotate, as OpenBao's clients ask."),
    route("sys/rotate/keyring/config", Auth::Sudo, &[(Read, root_key::rotation), (Update, root_key::change_rotation)], rotation_fields, "The same as sys/rotate/config, as OpenBao's clients ask."),
    route("sys/key-status", Auth::Token, &[(Read, root_key::status)], none, "Which key seals new records, since when, and how many it has sealed."),
    route("sys/rekey/init", Auth::Sudo, &[(Read, root_key::rekey_status), (Update, root_key::rekey_start), (Delete, root_key::rekey_cancel)], rekey_fields, "Begins, shows or cancels the making of new key shares."),
    route("sys/rekey/update", Auth::Sudo, &[(Update, root_key::rekey_give)], share_fields, "Takes one present key share; the last that is needed makes the new ones."),
    route("sys/rekey/verify", Auth::Sudo, &[(Read, root_key::verify_status), (Update, root_key::verify_give), (Delete, root_key::verify_reset)], share_fields, "Takes one new key share; the last that is needed makes them count."),
    route("sys/generate-root/attempt", Auth::Holder, &[(Read, root_token::status), (Update, root_token::start), (Delete, root_token::cancel)], root_token_fields, "Begins, shows or cancels the making of a root token."),
    route("sys/generate-root/update", Auth::Holder, &[(Update, root_token::give)], share_fields, "Takes one key share; the last that is needed makes a root token."),
    route("sys/generate-root-token/attempt", Auth::Sudo, &[(Read, root_token::status_with_token), (Update, root_token::start_with_token), (Delete, root_token::cancel)], root_token_fields, "The same as sys/generate-root/attempt, as OpenBao's clients ask: with a token."),
    route("sys/generate-root-token/update", Auth::Sudo, &[(Update, root_token::give_with_token)], share_fields, "The same as sys/generate-root/update, as OpenBao's clients ask: with a token."),
    route("sys/storage/snapshot", Auth::Sudo, &[(Read, snapshot::read)], none, "A backup of the store, to be restored with the seal that it is under."),
    route("sys/mounts", Auth::Token, &[(Read, mounts::list)], none, "The engines and where they are mounted."),
    route("sys/mounts/{path*}/tune", Auth::Token, &[(Read, remount::read_tune), (Update, remount::tune)], tune_fields, "What is set about a mount."),
    route("sys/mounts/{path*}", Auth::Token, &[(Read, mounts::read), (Update, mounts::create), (Delete, mounts::delete)], mount_fields, "Mounts, shows or unmounts an engine."),
    route("sys/remount", Auth::Sudo, &[(Update, remount::remount)], remount_fields, "Moves a mount to another path, with everything in it."),
    route("sys/remount/status/{migration_id}", Auth::Token, &[(Read, remount::status)], none, "How far a move is: it is done when it is answered."),
    route("sys/internal/specs/openapi", Auth::Token, &[(Read, openapi::all)], none, "All paths, in OpenAPI."),
    route("sys/audit", Auth::Sudo, &[(Read, audit::list)], none, "The audit devices."),
    route("sys/audit/{path*}", Auth::Sudo, &[(Update, audit::enable), (Delete, audit::disable)], audit_fields, "Enables or disables an audit device."),
    route("sys/audit-hash/{path*}", Auth::Sudo, &[(Update, audit::hash)], audit_hash_fields, "How a string appears on an audit device."),
    route("sys/raw", Auth::Sudo, &[(List, raw::list)], none, "What of the storage can be seen."),
    route("sys/raw/{path*}", Auth::Sudo, &[(Read, raw::read), (List, raw::list)], none, "Scopes and roles by the identifiers that stand in a certificate's subject."),
    route("sys/auth", Auth::Token, &[(Read, auth::list)], none, "The auth methods and where they are."),
    route("sys/auth/{path*}/tune", Auth::Sudo, &[(Read, auth::read_tune), (Update, auth::tune)], tune_method_fields, "What is set about an auth method."),
    route("sys/auth/{path*}", Auth::Sudo, &[(Read, auth::read), (Update, auth::enable), (Delete, auth::disable)], method_fields, "Enables, shows or disables an auth method; disabling ends the tokens of its logins."),
    route("sys/locked-users", Auth::Token, &[(Read, auth::locked), (List, auth::locked)], locked_fields, "Who is locked out after wrong passwords or secret IDs."),
    route("sys/locked-users/{mount_accessor}/unlock/{alias_identifier}", Auth::Token, &[(Update, auth::unlock)], none, "Unlocks a user name, or a role ID."),
    route("sys/policies/acl", Auth::Token, &[(Read, policies::list), (List, policies::list)], none, "The access policies."),
    route("sys/policies/acl/{name*}", Auth::Token, &[(Read, policies::read), (Update, policies::write), (Delete, policies::delete)], policy_fields, "An access policy: what it grants on which paths."),
    route("sys/policy", Auth::Token, &[(Read, policies::list_old), (List, policies::list_old)], none, "The access policies, as older clients ask."),
    route("sys/policy/{name*}", Auth::Token, &[(Read, policies::read_old), (Update, policies::write), (Delete, policies::delete)], policy_fields, "An access policy, as older clients ask."),
    route("sys/capabilities", Auth::Token, &[(Update, policies::of_token)], token_capability_fields, "What a token may do to paths."),
    route("sys/capabilities-self", Auth::Token, &[(Update, policies::of_caller)], own_capability_fields, "What the token of the request may do to paths."),
    route("sys/capabilities-accessor", Auth::Token, &[(Update, policies::of_accessor)], accessor_capability_fields, "What the token of an accessor may do to paths."),
    route("sys/wrapping/wrap", Auth::Token, &[(Update, wrapping::wrap)], any_fields, "Answers what it is sent, wrapped."),
    route("sys/wrapping/unwrap", Auth::Token, &[(Update, wrapping::unwrap)], wrapping_fields, "The answer that a wrapping token stands for, once."),
    route("sys/wrapping/rewrap", Auth::Token, &[(Update, wrapping::rewrap)], wrapping_fields, "The same answer under a new wrapping token."),
    route("sys/wrapping/lookup", Auth::Holder, &[(Read, wrapping::lookup), (Update, wrapping::lookup)], wrapping_fields, "Where, when and for how long a wrapping token was made."),
    route("auth/token/accessors", Auth::Sudo, &[(List, tokens::accessors)], none, "The accessors of all tokens."),
    route("auth/token/create", Auth::Token, &[(Update, tokens::create)], token_fields, "Makes a token that ends with the token of the request."),
    route("auth/token/create/{role_name}", Auth::Token, &[(Update, tokens::create_under_role)], token_fields, "Makes a token as a token role says."),
    route("auth/token/create-orphan", Auth::Sudo, &[(Update, tokens::create_orphan)], token_fields, "Makes a token that has no parent."),
    route("auth/token/roles", Auth::Token, &[(List, token_roles::list)], none, "The token roles."),
    route("auth/token/roles/{role_name}", Auth::Token, &[(Read, token_roles::read), (Update, token_roles::write), (Delete, token_roles::delete)], token_role_fields, "A token role: what the tokens get that are made under it."),
    route("auth/token/tidy", Auth::Token, &[(Update, tokens::tidy)], none, "Removes the tokens whose time has come: the server does so by itself every second."),
    route("auth/token/lookup", Auth::Token, &[(Read, tokens::lookup), (Update, tokens::lookup)], named_fields, "What a token is."),
    route("auth/token/lookup-self", Auth::Token, &[(Read, tokens::lookup_self), (Update, tokens::lookup_self)], none, "What the token of the request is."),
    route("auth/token/lookup-accessor", Auth::Token, &[(Update, tokens::lookup_accessor)], accessor_fields, "What the token of an accessor is."),
    route("auth/token/renew", Auth::Token, &[(Update, tokens::renew)], renew_fields, "Gives a token more time."),
    route("auth/token/renew-self", Auth::Token, &[(Update, tokens::renew_self)], renew_self_fields, "Gives the token of the request more time."),
    route("auth/token/renew-accessor", Auth::Token, &[(Update, tokens::renew_accessor)], renew_accessor_fields, "Gives the token of an accessor more time."),
    route("auth/token/revoke", Auth::Token, &[(Update, tokens::revoke)], named_fields, "Ends a token, and all that it made."),
    route("auth/token/revoke-self", Auth::Token, &[(Update, tokens::revoke_self)], none, "Ends the token of the request, and all that it made."),
    route("auth/token/revoke-accessor", Auth::Token, &[(Update, tokens::revoke_accessor)], accessor_fields, "Ends the token of an accessor, and all that it made."),
    route("auth/token/revoke-orphan", Auth::Sudo, &[(Update, tokens::revoke_orphan)], named_fields, "Ends a token, and leaves what it made."),
];

#[rustfmt::skip]
fields! {
    mount_fields:
        ["type", Text, "The type of engine: kmip."]
        ["description", Text, "What the mount is for."]
        ["config", Map, "What tune would set: default_lease_ttl, max_lease_ttl and so on."]
        ["options", Ignored, "Accepted and ignored."]
        ["local", Ignored, "Accepted and ignored."]
        ["seal_wrap", Ignored, "Accepted and ignored: everything is sealed."]
        ["external_entropy_access", Ignored, "Accepted and ignored."]
        ["plugin_name", Ignored, "Accepted and ignored."]
        ["plugin_version", Ignored, "Accepted and ignored."];
    init_fields:
        ["secret_shares", Int, "How many key shares to make; 5 unless given."]
        ["secret_threshold", Int, "How many of them unseal; 3 unless given."]
        ["pgp_keys", Ignored, "Refused: nothing is encrypted with PGP."]
        ["root_token_pgp_key", Ignored, "Refused: nothing is encrypted with PGP."]
        ["stored_shares", Int, "0, or the same as secret_shares; no share is stored."]
        ["recovery_shares", Int, "Accepted and ignored: there are no recovery keys."]
        ["recovery_threshold", Int, "Accepted and ignored: there are no recovery keys."]
        ["recovery_pgp_keys", Ignored, "Refused: nothing is encrypted with PGP."];
    unseal_fields:
        ["key", Text, "A key share, in hexadecimal or base64."]
        ["reset", Bool, "Forgets the shares given so far."]
        ["migrate", Bool, "Migrates the seal: there is none to migrate."];
    rotation_fields:
        ["enabled", Bool, "Whether the key is rotated without being asked; true unless given."]
        ["max_operations", Int, "After how many records, from 1000000 to 3865470566, which it is unless given."]
        ["interval", Duration, "After how long, from 24h on; 0, however old the key is, unless given."];
    rekey_fields:
        ["secret_shares", Int, "How many key shares to make; 5 unless given."]
        ["secret_threshold", Int, "How many of them unseal; 3 unless given."]
        ["require_verification", Bool, "The new shares count once enough of them have been given back."]
        ["pgp_keys", Ignored, "Not supported."]
        ["stored_shares", Ignored, "Accepted and ignored."]
        ["backup", Ignored, "Accepted and ignored: shares are stored nowhere."];
    share_fields:
        ["key", Text, "A key share, in hexadecimal or base64."]
        ["nonce", Text, "Names the attempt."];
    root_token_fields:
        ["otp", Text, "What the token is to be hidden with; made if absent."]
        ["pgp_key", Ignored, "Not supported."];
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
    method_fields:
        ["type", Text, "The type of auth method: approle, userpass or cert."]
        ["description", Text, "What the method is for."]
        ["config", Map, "What tune would set: default_lease_ttl, max_lease_ttl and so on."]
        ["options", Ignored, "Accepted and ignored."]
        ["local", Ignored, "Accepted and ignored."]
        ["seal_wrap", Ignored, "Accepted and ignored: everything is sealed."]
        ["external_entropy_access", Ignored, "Accepted and ignored."]
        ["plugin_name", Ignored, "Accepted and ignored."]
        ["plugin_version", Ignored, "Accepted and ignored."];
    tune_method_fields:
        ["description", Text, "What the method is for."]
        ["default_lease_ttl", Duration, "How long the tokens of logins live, unless it is said otherwise."]
        ["max_lease_ttl", Duration, "How long they live at most, renewals included."]
        ["audit_non_hmac_request_keys", List, "Fields of requests that the audit holds in clear."]
        ["audit_non_hmac_response_keys", List, "Fields of responses that the audit holds in clear."]
        ["options", Ignored, "Accepted and ignored."]
        ["listing_visibility", Ignored, "Accepted and ignored."]
        ["passthrough_request_headers", Ignored, "Accepted and ignored."]
        ["allowed_response_headers", Ignored, "Accepted and ignored."]
        ["token_type", Ignored, "Accepted and ignored."]
        ["user_lockout_config", Map, "Must be empty: 5 failures lock for 15 minutes."]
        ["plugin_version", Ignored, "Accepted and ignored."];
    locked_fields:
        ["mount_accessor", Text, "Of this auth method only."];
    remount_fields:
        ["from", Text, "Where the mount is."]
        ["to", Text, "Where it is to be."];
    audit_fields:
        ["type", Text, "The type of device: file, syslog or socket."]
        ["description", Text, "What the device is for."]
        ["options", Map, "The options of its type, such as file_path."]
        ["local", Ignored, "Accepted and ignored: there is no replication."];
    audit_hash_fields:
        ["input", Text, "The string to hash."];
    policy_fields:
        ["policy", Text, "The policy, in HCL or JSON, or either in base64."]
        ["rules", Text, "The same, as older clients name it."];
    own_capability_fields:
        ["path", List, "Paths."]
        ["paths", List, "Paths."];
    token_capability_fields:
        ["token", Text, "The token."]
        ["path", List, "Paths."]
        ["paths", List, "Paths."];
    accessor_capability_fields:
        ["accessor", Text, "The accessor of the token."]
        ["path", List, "Paths."]
        ["paths", List, "Paths."];
    token_fields:
        ["id", Text, "The token itself; a random one unless given. Takes sudo."]
        ["policies", List, "Its policies; those of the token of the request unless given."]
        ["meta", Map, "What to note of it."]
        ["no_parent", Bool, "Makes a token that has no parent. Takes sudo."]
        ["no_default_policy", Bool, "Leaves the policy default out."]
        ["renewable", Bool, "Whether it can be renewed; true unless given."]
        ["ttl", Duration, "How long it lives."]
        ["lease", Duration, "The same, as older clients name it."]
        ["explicit_max_ttl", Duration, "How long it lives at most, renewals included."]
        ["period", Duration, "How much time each renewal gives, without a maximum. Takes sudo."]
        ["display_name", Text, "Who it is for."]
        ["num_uses", Int, "How many requests it is good for; 0 without limit."]
        ["type", Text, "service, or nothing: there are no batch tokens."]
        ["entity_alias", Text, "Must be empty: there are no entities."];
    any_fields:
        ["*", Ignored, "Whatever is to be wrapped."];
    wrapping_fields:
        ["token", Text, "The wrapping token; that of the request unless given."];
    token_role_fields:
        ["allowed_policies", List, "Policies that its tokens may have, whatever those of their maker."]
        ["allowed_policies_glob", List, "The same, as patterns with *."]
        ["disallowed_policies", List, "Policies that its tokens must not have; without allowed ones, they may have any other."]
        ["disallowed_policies_glob", List, "The same, as patterns with *."]
        ["orphan", Bool, "Makes tokens that have no parent."]
        ["renewable", Bool, "Whether its tokens can be renewed; true unless given."]
        ["path_suffix", Text, "What is appended to the path of its tokens."]
        ["token_no_default_policy", Bool, "Leaves the policy default out."]
        ["token_period", Duration, "How much time each renewal gives, without a maximum."]
        ["period", Duration, "The same, as older clients name it."]
        ["token_explicit_max_ttl", Duration, "How long its tokens live at most, renewals included."]
        ["explicit_max_ttl", Duration, "The same, as older clients name it."]
        ["token_num_uses", Int, "How many requests its tokens are good for; 0 without limit."]
        ["token_type", Text, "service or default-service: there are no batch tokens."]
        ["token_bound_cidrs", List, "Must be empty: tokens of a role are bound to no addresses."]
        ["bound_cidrs", List, "The same, as older clients name it."]
        ["allowed_entity_aliases", List, "Must be empty: there are no entities."];
    named_fields:
        ["token", Text, "The token."];
    accessor_fields:
        ["accessor", Text, "The accessor of the token."];
    renew_fields:
        ["token", Text, "The token."]
        ["increment", Duration, "How much time it shall have from now."];
    renew_self_fields:
        ["increment", Duration, "How much time it shall have from now."];
    renew_accessor_fields:
        ["accessor", Text, "The accessor of the token."]
        ["increment", Duration, "How much time it shall have from now."];
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
